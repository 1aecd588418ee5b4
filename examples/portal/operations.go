package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// staff is who serves the customers, and what that costs.
type staff struct {
	zone    *time.Location
	router  *escalation.Router // nil without a file of the team
	month   money.Amount       // cost of the team in a month; not set without a file of costs
	centres []coverage.CentreSufficiency
	own     program.Inputs
}

// staff reads the files of the operations.
func (in *inputs) staff() (staff, error) {
	s := staff{zone: time.UTC, own: program.NewInputs(sample, in.Sample)}
	ops := in.portal.Ops
	if ops == nil {
		return s, nil
	}
	var problems []error
	read := func(name string, parse func(string, []byte) (*config.Document, error)) {
		if name == "" {
			return
		}
		shown, data, err := s.own.Read("config", in.beside(name))
		if err != nil {
			problems = append(problems, err)
			return
		}
		document, err := parse(shown, data)
		s.own.Note(document)
		problems = append(problems, err)
	}
	read(ops.Team, func(name string, data []byte) (*config.Document, error) {
		team, document, err := config.ParseTeam(name, data)
		if err != nil {
			return document, err
		}
		return document, s.people(team)
	})
	read(ops.Costs, func(name string, data []byte) (*config.Document, error) {
		model, document, err := config.ParseCosts(name, data)
		if err != nil {
			return document, err
		}
		return document, s.cost(model.Model)
	})
	return s, program.Exit(program.Usage, errors.Join(problems...))
}

func (s *staff) people(team config.Organisation) (err error) {
	if s.router, err = team.Router(); err != nil {
		return err
	}
	if team.Zone != "" {
		if s.zone, err = time.LoadLocation(team.Zone); err != nil {
			return err
		}
	}
	s.centres, err = coverage.SeatRule{}.AssessCentres(s.router.Centres())
	return err
}

// cost is a twelfth of the annual cost of the own team, rounded half up.
func (s *staff) cost(m roi.Model) error {
	published, err := roi.AsPublished(m)
	if err != nil {
		return err
	}
	currency := money.Currency(m.Currency)
	year, err := money.ParseDecimal(strconv.FormatFloat(published.Internal.TotalAnnualCost, 'f', currency.Digits(), 64), currency)
	if err != nil {
		return fmt.Errorf("internal: %w", err)
	}
	s.month, err = year.Share(1, 12, money.HalfUp)
	return err
}

// team is the centre in which an engineer works, "" for one whom nobody knows.
func (s *staff) team(engineer string) string {
	if s.router == nil {
		return ""
	}
	e, _ := s.router.Engineer(engineer)
	return e.Centre
}

// operations is what the dashboard shows beside the customers: who has how much work in
// the month, how the teams do, and what it costs.
func (in *inputs) operations(ctx context.Context, customers []customer) (page.Ops, error) {
	now := in.now().UTC()
	s := in.staffed
	month := sla.Billing{}.At(now, s.zone)
	o := page.Ops{At: now, Zone: s.zone, Brand: in.brand(), Centres: s.centres}
	for _, source := range s.own.Sources {
		o.Sources = append(o.Sources, report.Source{Name: source.Name, SHA256: source.SHA256})
	}
	basis := incident.Basis{}
	for _, c := range customers {
		if c.page == nil {
			continue
		}
		for _, i := range c.page.Incidents {
			basis.Records = append(basis.Records, s.record(c.page.ID, i))
		}
		for _, x := range c.page.Evidence.Changes {
			basis.Changes = append(basis.Changes, changeOf(c.page.ID, x))
		}
		for _, source := range c.page.Sources {
			if !slices.Contains(o.Sources, source) {
				o.Sources = append(o.Sources, source)
			}
		}
	}
	slices.SortFunc(o.Sources, func(a, b report.Source) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.SHA256, b.SHA256))
	})
	problems := []error{s.share(&basis, month, now), s.duty(&o, month), s.margins(&o, customers)}
	o.Load = s.load(customers, month, now)
	review, err := basis.Review(incident.ReviewOptions{
		ScorecardOptions: incident.ScorecardOptions{Figures: incident.FiguresOptions{
			Period: calendar.Interval{Start: month.Start, End: month.End}, At: now, Targets: incident.DefaultTargets(),
		}},
		Zone: s.zone, Trend: -1,
	})
	o.Review = &review
	if in.asked != nil {
		var asking error
		o.Inquiries, asking = in.asked.waiting(ctx, customers)
		problems = append(problems, asking)
	}
	return o, errors.Join(append(problems, err)...)
}

// record is an incident as the key figures see it.
func (s *staff) record(tenant string, i page.Incident) incident.Record {
	r := incident.Record{
		Tenant: tenant, ID: i.ID, Severity: i.Severity, Status: incident.Open, Team: s.team(i.Engineer), Centre: s.team(i.Engineer), Score: i.Satisfaction, Cost: i.Cost,
		Times: incident.Times{Started: i.Started, Detected: i.Detected, Created: i.Opened, Acknowledged: i.Acknowledged, Resolved: i.Resolved, Closed: i.Cancelled},
		Gaps:  i.Closed, Waits: i.Pauses,
	}
	switch {
	case !i.Cancelled.IsZero():
		r.Status = incident.Cancelled
	case !i.Resolved.IsZero():
		r.Status = incident.Resolved
	}
	if i.Service != "" {
		r.Services = []string{i.Service}
	}
	if i.FirstContact != nil {
		r.FirstContact = *i.FirstContact
	}
	if i.Escalations != nil {
		r.Escalations = *i.Escalations
	}
	if i.Reopened {
		r.Reopens = 1
	}
	return r
}

func changeOf(tenant string, c sla.Change) incident.Change {
	out := incident.Change{
		Tenant: tenant, ID: c.Ref, Kind: incident.ChangeKind(c.Kind), Requested: c.Requested, Approved: c.Approved, Ended: c.End, Result: incident.ChangeResult(c.Outcome),
		Window: calendar.Interval{Start: c.Start, End: c.End},
	}
	if c.Service != "" {
		out.Services = []string{c.Service}
	}
	if c.CausedIncident != "" {
		out.Caused = []string{c.CausedIncident}
	}
	return out
}

// share gives incidents of the month without a cost of their own the full cost of one:
// that of the team up to now, by incident.
func (s *staff) share(b *incident.Basis, month sla.Period, now time.Time) error {
	if !s.month.IsSet() {
		return nil
	}
	elapsed, err := s.month.Share(int64(now.Sub(month.Start)), int64(month.End.Sub(month.Start)), money.HalfUp)
	if err != nil {
		return err
	}
	in := func(r incident.Record) bool {
		return r.Status != incident.Cancelled && !r.Times.Created.Before(month.Start) && r.Times.Created.Before(month.End)
	}
	n := int64(0)
	for _, r := range b.Records {
		if in(r) {
			n++
		}
	}
	full, err := showback.FullCost(elapsed, []showback.Group{{Name: "incidents", Count: n}})
	if err != nil {
		return err
	}
	for i, r := range b.Records {
		if in(r) && !r.Cost.IsSet() {
			b.Records[i].Cost = full.PerCase
		}
	}
	return nil
}

// duty is who is on call in the month, and whether there are people enough.
func (s *staff) duty(o *page.Ops, month sla.Period) error {
	if s.router == nil {
		return nil
	}
	q := coverage.DutyQuery{From: month.Start, Until: month.End}
	fairness, err := coverage.FairnessOf(s.router, coverage.FairnessQuery{DutyQuery: q})
	if err != nil {
		return err
	}
	if o.Strain, err = coverage.StrainOf(s.router, coverage.StrainQuery{DutyQuery: q}); err != nil {
		return err
	}
	knowledge, err := coverage.KnowledgeOf(s.router, coverage.KnowledgeQuery{From: month.Start.In(s.zone).Format(time.DateOnly), Until: month.End.In(s.zone).Format(time.DateOnly)})
	o.Fairness, o.Knowledge = &fairness, &knowledge
	return err
}

// load is the work of engineers in the month so far: how long there was an incident that
// was theirs, of their working hours.
func (s *staff) load(customers []customer, month sla.Period, now time.Time) []page.Load {
	loads := map[string]*page.Load{}
	busy := map[string][]calendar.Interval{}
	of := func(id string) *page.Load {
		if loads[id] == nil {
			loads[id] = &page.Load{Engineer: id, Line: s.team(id)}
		}
		return loads[id]
	}
	if s.router != nil {
		for _, e := range s.router.Roster().Engineers {
			of(e.ID)
		}
	}
	for _, c := range customers {
		if c.page == nil {
			continue
		}
		for _, i := range c.page.Incidents {
			if i.Engineer == "" {
				continue
			}
			from, to, l := i.Opened, i.Resolved, of(i.Engineer)
			if !i.Acknowledged.IsZero() {
				from = i.Acknowledged
			}
			switch {
			case i.Resolved.IsZero() && i.Cancelled.IsZero():
				l.Open++
				to = now
			case i.Resolved.IsZero():
				to = i.Cancelled
			}
			if !to.Before(month.Start) && (!i.Resolved.IsZero() || !i.Cancelled.IsZero()) {
				l.Handled++
			}
			if from.Before(to) {
				busy[i.Engineer] = calendar.Union(busy[i.Engineer], []calendar.Interval{{Start: from, End: to}})
			}
		}
	}
	var list []page.Load
	for _, id := range slices.Sorted(maps.Keys(loads)) {
		l := *loads[id]
		if s.router != nil {
			if hours := s.router.Hours(id); hours != nil {
				work := hours.Expand(month.Start, now)
				l.Available, l.Used = calendar.Total(work), calendar.Total(calendar.Intersect(work, busy[id]))
			}
		}
		list = append(list, l)
	}
	return list
}

// margins sets the fee of the month of each customer against its part of the cost of the
// team, by the number of services, and the credits that are due.
func (s *staff) margins(o *page.Ops, customers []customer) error {
	if !s.month.IsSet() {
		return nil
	}
	var services []int64
	var shown []*page.Tenant
	for _, c := range customers {
		if c.page != nil && len(c.page.Months) > 0 {
			shown, services = append(shown, c.page), append(services, int64(len(c.page.Services)))
		}
	}
	if len(shown) == 0 {
		return nil
	}
	costs, err := s.month.Allocate(services...)
	if err != nil {
		return err
	}
	for i, t := range shown {
		d := t.Months[len(t.Months)-1].Data()
		o.Margins = append(o.Margins, page.Margin{Tenant: t.ID, Month: d.Period.Label, Fee: t.Months[len(t.Months)-1].Report.Statement.Fee, Cost: costs[i], Credits: d.Credits.Payable})
	}
	return nil
}
