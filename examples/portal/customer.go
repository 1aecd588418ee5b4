package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/adapters/report/dispatch"
	"github.com/evenkeelops/evenkeel/examples/internal/budgets"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/month"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla"
)

// customer is one customer as its files have it: what is shown, and who may see it.
type customer struct {
	rules portal.Tenant
	page  *page.Tenant
	at    time.Time // when its files were read, or could not be
}

// reading is what is read of one customer. It has inputs of its own, so nothing of it
// is in reach of another one.
type reading struct {
	*inputs

	own      program.Inputs
	tenant   config.Tenant
	now      time.Time
	contract month.Contract
	evidence evidence.Result
	dates    []continuity.KeyDate
}

// history is how many months the pages go back, and without: how many where the
// contract does not say when its measurements began.
const (
	history = 12
	without = 3
)

// trend is how many months a report compares, as in slareport.
const trend = 3

// customer reads the files of a customer.
func (in *inputs) customer(ctx context.Context, t config.Tenant) (customer, error) {
	r := in.reading(t)
	c := customer{at: r.now, rules: portal.Tenant{
		ID: t.ID, Public: t.Public, Token: portal.TokenHash(t.Token), Feed: portal.TokenHash(t.Feed), Write: portal.TokenHash(t.Write),
	}}
	for _, name := range t.Disabled {
		c.rules.Disabled = append(c.rules.Disabled, page.Name(name))
	}
	if in.live == nil {
		c.rules.Write = portal.TokenHash{} // there is nobody to write to
	}
	p, err := r.page(ctx)
	c.page, c.rules.KeyDates = p, r.dates
	return c, err
}

func (in *inputs) reading(t config.Tenant) *reading {
	return &reading{own: program.NewInputs(sample, in.Sample), inputs: in, tenant: t, now: in.now().UTC()}
}

// open opens a file that the configuration names. Everything calls it as that does, so
// that no page shows where the files are on this machine.
func (r *reading) open(name string) (io.ReadCloser, error) { return r.own.Open(r.beside(name)) }

// file reads a file that the configuration names.
func file[T any](r *reading, name string, parse func(string, []byte) (T, *config.Document, error)) (T, error) {
	var none T
	f, err := r.open(name)
	if err != nil {
		return none, program.Exit(program.Usage, fmt.Errorf("tenant %s: %w", r.tenant.ID, err))
	}
	data, err := program.ReadAll(name, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return none, program.Exit(program.Usage, fmt.Errorf("tenant %s: %w", r.tenant.ID, err))
	}
	r.own.Sources = append(r.own.Sources, program.NewSource(filepath.Base(name), data, -1))
	v, document, err := parse(name, data)
	if err != nil {
		return none, program.Exit(program.Usage, err)
	}
	r.own.Note(document)
	return v, nil
}

func (r *reading) page(ctx context.Context) (*page.Tenant, error) {
	months, err := r.read()
	if err != nil {
		return nil, err
	}
	t := &page.Tenant{
		ID: r.tenant.ID, Name: r.tenant.Name, Locale: cmp.Or(r.tenant.Locale, r.contract.Locale), Brand: r.brand(), At: r.now, Zone: r.contract.Location(),
		Evidence: r.evidence.Evidence,
	}
	for _, p := range months {
		report, err := r.contract.Report(p, r.evidence.Evidence, sla.ReportOptions{At: r.now, Trend: trend})
		if errors.Is(err, sla.ErrNotInForce) {
			continue
		}
		if err != nil {
			return nil, program.Exit(program.Input, fmt.Errorf("tenant %s: %s: %w", r.tenant.ID, p.Label, err))
		}
		// Notices name files and lines, and are for the dashboard: what the customer has to
		// know of the data are the findings of the report.
		t.Months = append(t.Months, r.contract.Document(report, r.own.Sources, nil))
	}
	catalogue, err := r.catalogue(t)
	if err != nil {
		return nil, err
	}
	if t.Budgets, err = r.budgets(); err != nil {
		return nil, err
	}
	r.services(t, catalogue)
	r.maintenance(t)
	if err := r.incidents(ctx, t); err != nil {
		return nil, err
	}
	if err := r.reviews(t); err != nil {
		return nil, err
	}
	if t.Articles, err = r.articles(); err != nil {
		return nil, err
	}
	if t.Journeys, err = r.journeys(); err != nil {
		return nil, err
	}
	for _, s := range r.own.Sources {
		t.Sources = append(t.Sources, report.Source{Name: s.Name, SHA256: s.SHA256})
	}
	for _, n := range r.own.Notices {
		t.Notices = append(t.Notices, report.Notice{Code: n.Code, Message: n.Message})
	}
	if t.Budgets != nil {
		t.Budgets.Sources = t.Sources
	}
	return t, nil
}

// agree reads the contract.
func (r *reading) agree() error {
	agreed, err := file(r, r.tenant.Contract, config.ParseContract)
	if err != nil {
		return err
	}
	agreement, err := sla.Compile(agreed.Contract)
	if err != nil {
		return program.Exit(program.Usage, fmt.Errorf("%s: %w", r.tenant.Contract, err))
	}
	r.contract = month.Contract{Agreed: agreed, Agreement: agreement}
	return nil
}

// gather reads the evidence from the first of some periods, and of the months of the
// trend, to now.
func (r *reading) gather(first, last sla.Period) error {
	back := 1
	for p := (sla.Billing{}).At(last.End.Add(-1), r.contract.Location()); back < trend || p.Start.After(first.Start); back++ {
		p = sla.Billing{}.Following(p.Start, -1, r.contract.Location())
	}
	return r.collect(last, back)
}

// collect reads the evidence of so many months, of which the last is that of a period.
func (r *reading) collect(last sla.Period, back int) error {
	t := r.tenant
	files := evidence.Files{
		Outages: t.Outages, Checks: t.Checks, Incidents: t.Incidents, Maintenance: t.Maintenance, Changes: t.Changes, Restores: t.Restores, MaxGap: t.MaxGap,
	}
	var err error
	if r.evidence, err = evidence.Read(r.open, files, r.contract.Frame(last, back, r.now)); err != nil {
		return program.Exit(program.Input, err)
	}
	r.own.Sources, r.own.Notices = append(r.own.Sources, r.evidence.Sources...), append(r.own.Notices, r.evidence.Notices...)
	return nil
}

// read reads contract and evidence, and returns the months to report, oldest first.
func (r *reading) read() ([]sla.Period, error) {
	err := r.agree()
	if err != nil {
		return nil, err
	}
	zone := r.contract.Location()
	last := sla.Billing{}.At(r.now, zone)
	if r.month != "" {
		if last, err = sla.ParseMonth(r.month, zone); err != nil {
			return nil, program.Exit(program.Usage, fmt.Errorf("-month %q: want one like 2026-10", r.month))
		}
	}
	if !last.Start.Before(r.now) {
		return nil, program.Exit(program.Usage, fmt.Errorf("-month %s begins at %s, which is not before now, %s", last.Label, last.Start.UTC().Format(time.RFC3339), r.now.Format(time.RFC3339)))
	}
	back := without
	if !r.contract.EvidenceFrom.IsZero() {
		back = history
	}
	if err := r.collect(last, back); err != nil {
		return nil, err
	}
	var months []sla.Period
	for i := back - 1; i >= 0; i-- {
		p := sla.Billing{}.Following(last.End.Add(-1), -i, zone)
		if p.End.After(r.evidence.Evidence.Observed.Start) || i == 0 {
			months = append(months, p)
		}
	}
	return months, nil
}

// catalogue reads the services and the proofs of recovery. Without a file they are
// those of the contract, of which nobody says more.
func (r *reading) catalogue(t *page.Tenant) (map[string]continuity.Service, error) {
	services := map[string]continuity.Service{}
	inventory := config.Inventory{}
	if r.tenant.Catalogue != "" {
		var err error
		inventory, err = file(r, r.tenant.Catalogue, func(name string, data []byte) (config.Inventory, *config.Document, error) {
			return config.ParseContinuity(name, data, r.now)
		})
		if err != nil {
			return nil, err
		}
		t.Catalogue, r.dates = inventory.Register, inventory.KeyDates
	} else {
		for _, id := range r.contract.Frame(sla.Period{}, 0, r.now).Services {
			inventory.Services = append(inventory.Services, continuity.Service{ID: id, Tier: r.contract.Tier.String()})
		}
		register, err := continuity.New(inventory.Catalogue)
		if err != nil {
			return nil, program.Exit(program.Usage, fmt.Errorf("tenant %s: %w", r.tenant.ID, err))
		}
		t.Catalogue = register
	}
	for _, s := range inventory.Services {
		services[s.ID] = s
	}
	for _, e := range r.evidence.Evidence.Restores {
		if err := t.Catalogue.AddRestore(proof(e), r.now); err != nil {
			r.own.Notices = append(r.own.Notices, program.Notice{Code: "restore_not_used", Message: err.Error()})
		}
	}
	return services, nil
}

// proof is a row of restores as the catalogue has it.
func proof(e sla.Restore) continuity.Restore {
	p := continuity.Restore{
		Service: e.Service, Backup: cmp.Or(e.SHA256, e.Started.UTC().Format(time.RFC3339)), Kind: continuity.RestoreKind(e.Kind), Started: e.Started, Restored: e.Restored,
		Verified: e.Verified, FailedAt: e.FailedAt, Newest: e.Newest, By: e.By, Artefact: e.SHA256, RTOTarget: e.RTOTarget, RPOTarget: e.RPOTarget,
	}
	if !e.Verified.IsZero() {
		p.Check = continuity.Passed
	}
	return p
}

// budgets judges the objectives.
func (r *reading) budgets() (*report.BudgetReport, error) {
	if r.tenant.SLO == "" || r.tenant.SLI == "" {
		return nil, nil //nolint:nilnil // no objectives are no error
	}
	objectives, err := file(r, r.tenant.SLO, config.ParseObjectives)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(objectives, func(a, b config.Objective) int { return cmp.Compare(a.ID, b.ID) })
	q := budgets.Question{Open: r.open, Objectives: objectives, At: r.now, Zone: r.contract.Location(), SLI: r.tenant.SLI, Maintenance: r.tenant.Maintenance, History: true}
	read, err := budgets.Measure(q)
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	for _, s := range read.Sources {
		if !slices.ContainsFunc(r.own.Sources, func(other program.Source) bool { return other.Name == s.Name && other.SHA256 == s.SHA256 }) {
			r.own.Sources = append(r.own.Sources, s)
		}
	}
	for _, n := range read.Notices {
		// Windows of services without an objective are those of the contract.
		if n.Code != "unknown_service" || !strings.HasPrefix(n.Message, r.tenant.Maintenance+":") {
			r.own.Notices = append(r.own.Notices, n)
		}
	}
	return &read.Report, nil
}

// services lists the services of the contract.
func (r *reading) services(t *page.Tenant, catalogue map[string]continuity.Service) {
	for _, id := range r.contract.Frame(sla.Period{}, 0, r.now).Services {
		s := page.Service{ID: id, Name: r.contract.ServiceNames[id], Tier: r.contract.Tier.String()}
		if known, ok := catalogue[id]; ok {
			s.Tier, s.Owner = cmp.Or(known.Tier, s.Tier), known.Owner
		}
		t.Services = append(t.Services, s)
	}
}

// maintenance lists the windows with what the contract says of them.
func (r *reading) maintenance(t *page.Tenant) {
	reasons := map[string]sla.Exclusion{}
	excluded := map[string]bool{}
	noticed := map[string]bool{}
	for _, m := range t.Months {
		for _, s := range m.Report.Statement.Availability {
			for _, x := range s.Exclusions {
				reasons[x.Ref], excluded[x.Ref] = x, true
			}
			for _, x := range s.Rejected {
				reasons[x.Ref] = x
			}
		}
		for _, w := range slices.Concat(m.Report.Maintenance.Past, m.Report.Maintenance.Upcoming) {
			noticed[w.Ref] = w.NoticeOK
		}
	}
	var required time.Duration
	for _, term := range r.contract.Contract().Terms {
		if term.Availability != nil {
			required = term.Availability.MinNotice
			break
		}
	}
	for _, m := range r.evidence.Evidence.Maintenance {
		ok, known := noticed[m.Ref]
		if !known {
			ok = !m.Announced.IsZero() && m.Start.Sub(m.Announced) >= required
		}
		t.Maintenance = append(t.Maintenance, page.Maintenance{Maintenance: m, Required: required, NoticeOK: ok, Excluded: excluded[m.Ref], Reason: reasons[m.Ref].Reason})
	}
	slices.SortStableFunc(t.Maintenance, func(a, b page.Maintenance) int { return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(a.Ref, b.Ref)) })
}

// incidents lists the incidents of a year, open ones first, then the latest.
func (r *reading) incidents(ctx context.Context, t *page.Tenant) error {
	excluded := map[string]string{}
	for _, m := range t.Months {
		for _, s := range m.Report.Statement.Availability {
			for _, x := range s.Exclusions {
				excluded[x.Ref] = x.Reason
			}
		}
	}
	year := r.now.AddDate(-1, 0, 0)
	add := func(in page.Incident) error {
		if in.Opened.After(r.now) || !in.Resolved.IsZero() && in.Resolved.Before(year) {
			return nil
		}
		var err error
		if in.Clocks, err = r.contract.Clocks(in.Incident, r.now); err != nil {
			return program.Exit(program.Input, fmt.Errorf("tenant %s: %w", r.tenant.ID, err))
		}
		for _, c := range in.Clocks {
			// What was announced counts, unless more was promised.
			if c.Clause == sla.ClauseUpdate && in.OpenAt(r.now) && (in.NextUpdate.IsZero() || c.Due.Before(in.NextUpdate)) {
				in.NextUpdate = c.Due
			}
		}
		if in.Severity.AtLeast(incident.P2) && !in.Resolved.IsZero() && !in.Resolved.After(r.now) {
			if in.PostmortemDue, err = postmortem.Due(in.Resolved, postmortem.Options{}); err != nil {
				return err
			}
		}
		in.Excluded = excluded[in.ID]
		t.Incidents = append(t.Incidents, in)
		return nil
	}
	var problems []error
	for _, in := range r.evidence.Evidence.Incidents {
		d := r.evidence.Details[in.ID]
		problems = append(problems, add(page.Incident{Incident: in, Domain: d.Domain, Engineer: d.Engineer, Postmortem: d.Postmortem}))
	}
	if r.live != nil {
		list, err := r.live.incidents(ctx, t)
		if err != nil {
			return program.Exit(program.Remote, fmt.Errorf("-db: tenant %s: %w", r.tenant.ID, err))
		}
		for _, in := range list {
			problems = append(problems, add(in))
		}
	}
	slices.SortStableFunc(t.Incidents, func(a, b page.Incident) int {
		open := func(in page.Incident) int {
			if in.OpenAt(r.now) {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(open(a), open(b)), b.Opened.Compare(a.Opened), cmp.Compare(a.ID, b.ID))
	})
	return errors.Join(problems...)
}

// articles reads the help for the customer.
func (r *reading) articles() ([]page.Article, error) {
	if r.tenant.Articles == "" {
		return nil, nil
	}
	read, err := file(r, r.tenant.Articles, config.ParseArticles)
	if err != nil {
		return nil, err
	}
	var list []page.Article
	for _, a := range read {
		list = append(list, page.Article(a))
	}
	return list, nil
}

// reviews prefills the packs of the next reviews, as the tier of the contract has them.
func (r *reading) reviews(t *page.Tenant) error {
	ahead, err := r.outlook()
	if err != nil || len(t.Months) == 0 {
		return err
	}
	last := t.Months[max(0, len(t.Months)-3):]
	for _, review := range sla.Reviews(r.contract.Tier) {
		pack := &report.ReviewPack{Review: review, Reports: last, Outlook: ahead}
		switch dispatch.Kind(review.Name) {
		case dispatch.WeeklyReview:
			if pack.Reports, err = r.weeks(last[len(last)-1].Report.Statement.Period); err != nil {
				return err
			}
			if len(pack.Reports) > 0 {
				t.Weekly = pack
			}
		case dispatch.ExecutiveReport:
			t.Executive = pack
		case dispatch.QuarterlyReview:
			t.Quarterly = pack
		default:
			t.Monthly = pack
		}
	}
	return nil
}

// weeks draws up the reports of the latest weeks of a month.
func (r *reading) weeks(of sla.Period) ([]report.ServiceReport, error) {
	latest := r.now
	if !of.End.After(latest) {
		latest = of.End.Add(-1)
	}
	var list []report.ServiceReport
	p := sla.WeekAt(latest, r.contract.Location())
	for range 1 + compared[dispatch.WeeklyReview] {
		if p.End.After(r.evidence.Evidence.Observed.Start) && p.Start.Before(r.now) {
			made, err := r.contract.Report(p, r.evidence.Evidence, sla.ReportOptions{At: r.now, Trend: trend})
			switch {
			case errors.Is(err, sla.ErrNotInForce):
			case err != nil:
				return nil, program.Exit(program.Input, fmt.Errorf("tenant %s: %s: %w", r.tenant.ID, p.Label, err))
			default:
				list = append(list, r.contract.Document(made, r.own.Sources, nil))
			}
		}
		p = sla.WeekAt(p.Start.Add(-1), r.contract.Location())
	}
	return list, nil
}
