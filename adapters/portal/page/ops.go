package page

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
	"github.com/evenkeelops/evenkeel/slo"
)

// Ops is what the dashboard of the operations shows, of all customers.
type Ops struct {
	At      time.Time
	Zone    *time.Location // of all times shown. Defaults to UTC.
	Locale  string         // as of a tenant
	Brand   Brand
	Tenants []*Tenant
	Without map[string][]Name // pages that do not exist, by the id of the tenant

	Stale   string
	Sources []report.Source

	// Review is the incident part over all customers: team performance and the cost of
	// incidents come from it. Nil shows no data.
	Review *incident.Review
	// Fairness is who carried how much of the on-call duty, Knowledge whether every
	// technology has enough people, Strain how hard duty is on whom.
	Fairness  *coverage.Fairness
	Knowledge *coverage.Knowledge
	Strain    []coverage.Strain
	Centres   []coverage.CentreSufficiency

	Load    []Load   // in the order shown
	Margins []Margin // in the order shown

	// Inquiries are those that nobody has taken yet, in the order shown. Nil where there
	// is no form.
	Inquiries []Inquiry
}

// Inquiry is what a customer asked for by the form. Nothing in it is to be trusted.
type Inquiry struct {
	Tenant                             string // id
	Ref, Service, Title, Text, Contact string // Service is the id, "" for none
	At                                 time.Time
}

// Load is the work of an engineer, or of a support line as a whole.
type Load struct {
	Engineer string // "" for the line as a whole
	Line     string
	Open     int // incidents now
	Handled  int // over the period of the review
	// Used is the time worked of the time Available; no data where that is 0.
	Used, Available time.Duration
}

// Margin is what is left of the fee of a customer over the month.
type Margin struct {
	Tenant string // id
	Month  string // like "2026-10"
	// Fee is billed, Cost what serving cost, Credits what is given back. One that is not
	// set is not known.
	Fee, Cost, Credits money.Amount
}

// Left is the fee less cost and credits. It is not set where one of them is not, or
// where their currencies differ.
func (m Margin) Left() money.Amount {
	if !m.Fee.IsSet() || !m.Cost.IsSet() || !m.Credits.IsSet() {
		return money.Amount{}
	}
	rest, err := m.Fee.Sub(m.Cost)
	if err != nil {
		return money.Amount{}
	}
	if rest, err = rest.Sub(m.Credits); err != nil {
		return money.Amount{}
	}
	return rest
}

// Write renders the dashboard. The same values and options give the same bytes.
func (s *Ops) Write(w io.Writer, o Options) error {
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	v := newView(s.Locale, zone, s.At, o)
	v.Root, v.Owner, v.Brand, v.Stale, v.Sources, v.Digest = "../", v.t("ops.owner"), s.Brand.Name, s.Stale, s.Sources, digest(s.Sources)
	v.Title, v.Wide = v.t("page.ops"), true
	if s.Brand.Logo != "" {
		v.Logo = v.Root + "assets/" + s.Brand.Logo
	}
	if !o.Static {
		v.languages()
	}
	v.Intro = []block{s.headline(v)}
	v.add("risk", v.t("ops.risk"), s.riskTable(v))
	v.add("compliance", v.t("ops.compliance"), s.complianceTable(v))
	v.add("open", v.t("ops.open"), s.openTable(v))
	if s.Inquiries != nil {
		v.add("inquiries", v.t("ops.inquiries"), s.inquiryTable(v))
	}
	v.add("overdue", v.t("ops.overdue"), s.overdue(v)...)
	v.add("load", v.t("ops.load"), s.loadTable(v))
	v.add("teams", v.t("ops.teams"), s.teamTable(v))
	v.add("fairness", v.t("ops.fairness"), s.fairness(v)...)
	v.add("coverage", v.t("ops.coverage"), s.coverage(v)...)
	v.add("cost", v.t("ops.cost"), s.costs(v)...)
	v.add("margin", v.t("ops.margin"), s.marginTable(v))
	v.add("quality", v.t("ops.quality"), s.qualityTable(v))
	return v.write(w)
}

// to is the address of a page of a customer, from the dashboard on; "" where there is
// no such page.
func (s *Ops) to(v *view, t *Tenant, n Name) string {
	if !slices.Contains(t.Pages(Options{Static: v.static, Without: s.Without[t.ID]}), n) {
		return ""
	}
	v.home = "../t/" + t.ID + "/"
	defer func() { v.home = "" }()
	return v.page(n)
}

// incident is the address of an incident of a customer, "" where there is none.
func (s *Ops) incident(v *view, t *Tenant, id string) string {
	href := s.to(v, t, Incidents)
	if href == "" {
		return ""
	}
	return href + "#" + incidentID(id)
}

func (t *Tenant) displayName() string { return cmp.Or(t.Name, t.ID) }

func (s *Ops) headline(v *view) block {
	open, late, missed, promises := 0, 0, 0, 0
	for _, t := range s.Tenants {
		for _, i := range t.Incidents {
			if i.OpenAt(s.At) {
				open++
				if !i.NextUpdate.IsZero() && i.NextUpdate.Before(s.At) {
					late++
				}
			}
		}
		if m := t.last(); m != nil {
			for _, r := range m.Report.Availability {
				switch r.Outcome {
				case sla.Met:
					promises++
				case sla.Missed:
					promises++
					missed++
				default:
				}
			}
		}
	}
	compliance := tile{Label: v.t("ops.compliance"), Value: v.t("state.no_data"), Mark: mark{Class: class(report.NoData), Glyph: report.NoData.Glyph()}}
	if promises > 0 {
		f, _ := sla.NewFraction(uint64(promises-missed), uint64(promises)) //nolint:gosec // counts, the first not above the second
		state := report.Good
		if missed > 0 {
			state = report.Bad
		}
		compliance = tile{Label: v.t("ops.compliance"), Value: v.form.Percent(f.Percent(1)), Note: v.n("ops.promises", promises, promises-missed), Mark: mark{Class: class(state), Glyph: state.Glyph()}}
	}
	lateTile := tile{Label: v.t("ops.late_updates"), Value: v.number(late), Mark: mark{Class: class(report.Good), Glyph: report.Good.Glyph()}}
	if late > 0 {
		lateTile.Mark = mark{Class: class(report.Bad), Glyph: report.Bad.Glyph()}
	}
	return block{Tiles: []tile{{Label: v.t("ops.tenants"), Value: v.number(len(s.Tenants))}, compliance, {Label: v.t("ops.open"), Value: v.number(open)}, lateTile}}
}

// risk is a promise with what is left of what it allows.
type risk struct {
	tenant  *Tenant
	service string
	kind    string
	left    slo.Ratio // share; not set without data
	text    string
	state   *mark
}

// riskTable lists budgets by what is left, the least first, and those that nobody
// can tell about before them.
func (s *Ops) riskTable(v *view) block {
	var list []risk
	for _, t := range s.Tenants {
		if m := t.last(); m != nil {
			for _, r := range m.Report.Availability {
				x := risk{tenant: t, service: t.service(v, r.Service), kind: v.t("ops.contract"), state: v.verdict(*m, r.Measured)}
				if r.Outcome != sla.NoData && r.Allowed > 0 {
					x.left, x.text = slo.NewRatio(int64(r.Left), int64(r.Allowed)), v.length(r.Left)
				}
				list = append(list, x)
			}
		}
		if t.Budgets == nil {
			continue
		}
		for i := range t.Budgets.Budgets {
			b := &t.Budgets.Budgets[i]
			list = append(list, risk{t, t.service(v, b.Objective.Service), b.Objective.ID, b.Status.Remaining, "", v.budgetState(b)})
		}
	}
	if len(list) == 0 {
		return block{Text: v.t("ops.nothing")}
	}
	slices.SortStableFunc(list, func(a, b risk) int { return compareRatio(a.left, b.left) })
	rows := &table{Caption: v.t("ops.risk"), Columns: v.columns("customer", "service", "ops.promise", ">budget.share", ">budget.left", "state")}
	for _, x := range list {
		rows.Rows = append(rows.Rows, []cell{
			to(s.to(v, x.tenant, SLO), x.tenant.displayName()), text(x.service), text(x.kind), {Text: v.ratioPercent(x.left), Meter: v.meter(x.left)}, text(x.text), {Mark: x.state},
		})
	}
	return block{Table: rows}
}

// complianceTable has a row for each customer: state, promises kept and credits due.
func (s *Ops) complianceTable(v *view) block {
	if len(s.Tenants) == 0 {
		return block{Text: v.t("ops.nothing")}
	}
	rows := &table{Caption: v.t("ops.compliance"), Columns: v.columns("customer", "state", "month", ">ops.kept", ">breach.count", ">credit.payable", "credit.state", "credit.report_due")}
	for _, t := range s.Tenants {
		row := []cell{to(s.to(v, t, Status), t.displayName()), {Mark: v.condition(t.Overall().State)}}
		m := t.last()
		if m == nil {
			rows.Rows = append(rows.Rows, append(row, cell{Mark: v.noData()}, cell{}, cell{}, cell{}, cell{}, cell{}))
			continue
		}
		kept, of := 0, 0
		for _, r := range m.Report.Availability {
			if r.Outcome == sla.Met {
				kept++
			}
			if r.Outcome != sla.NoData {
				of++
			}
		}
		for _, c := range m.Report.Response {
			kept, of = kept+c.Met, of+c.Met+c.Missed
		}
		st := m.Report.Statement
		rows.Rows = append(rows.Rows, append(row,
			text(v.shortMonth(st.Period.Label)), text(v.t("ops.of", v.number(kept), v.number(of))), text(v.number(len(m.Report.Breaches))), text(v.form.Amount(st.Payable)),
			cell{Mark: v.creditState(*m)}, cell{Times: []when{v.time(m.Report.DueBefore)}}))
	}
	return block{Table: rows}
}

func (s *Ops) openTable(v *view) block {
	rows := &table{Caption: v.t("ops.open"), Columns: v.columns("incident", "customer", "incident.severity", "service", "ops.engineer", "incident.opened", "clause.response", "clause.resolution", "incident.next_update")}
	for _, t := range s.Tenants {
		for _, i := range t.Incidents {
			if !i.OpenAt(s.At) {
				continue
			}
			rows.Rows = append(rows.Rows, []cell{
				{Text: i.ID, Href: s.incident(v, t, i.ID), Sub: i.Title},
				text(t.displayName()), text(v.severity(i.CurrentSeverity())), text(t.service(v, i.Service)),
				{Text: cmp.Or(i.Engineer, v.t("not_recorded")), Sub: i.Domain},
				{Times: []when{v.time(i.Opened)}},
				v.clock(i, sla.ClauseResponse), v.clock(i, sla.ClauseResolution), v.due(i.NextUpdate, s.At),
			})
		}
	}
	if len(rows.Rows) == 0 {
		return block{Text: v.t("ops.none_open")}
	}
	return block{Table: rows}
}

func (s *Ops) inquiryTable(v *view) block {
	if len(s.Inquiries) == 0 {
		return block{Text: v.t("ops.none_asked")}
	}
	rows := &table{Caption: v.t("ops.inquiries"), Columns: v.columns("ref", "customer", "service", "request.title", "request.contact", "ops.since")}
	for _, q := range s.Inquiries {
		name, service := q.Tenant, q.Service
		if i := slices.IndexFunc(s.Tenants, func(t *Tenant) bool { return t.ID == q.Tenant }); i >= 0 {
			name, service = s.Tenants[i].displayName(), s.Tenants[i].service(v, q.Service)
		}
		if q.Service == "" {
			service = v.t("service.none")
		}
		rows.Rows = append(rows.Rows, []cell{text(q.Ref), text(name), text(service), {Text: q.Title, Sub: q.Text}, text(q.Contact), {Times: []when{v.time(q.At)}}})
	}
	return block{Table: rows}
}

// overdue lists what was promised and did not happen in time: updates, post-mortems,
// measures.
func (s *Ops) overdue(v *view) []block {
	rows := &table{Caption: v.t("ops.overdue"), Columns: v.columns("ops.what", "customer", "incident", "owner", "ops.since")}
	for _, t := range s.Tenants {
		var docs []postmortem.Document
		for _, i := range t.Incidents {
			href := s.incident(v, t, i.ID)
			if i.OpenAt(s.At) && !i.NextUpdate.IsZero() && i.NextUpdate.Before(s.At) {
				rows.Rows = append(rows.Rows, []cell{text(v.t("ops.update")), text(t.displayName()), to(href, i.ID), v.orNone(i.Engineer), {Times: []when{v.time(i.NextUpdate)}}})
			}
			if !i.PostmortemDue.IsZero() && i.PostmortemDue.Before(s.At) && i.Postmortem == "" && i.Document == nil {
				rows.Rows = append(rows.Rows, []cell{text(v.t("postmortem")), text(t.displayName()), to(href, i.ID), v.orNone(i.Engineer), {Times: []when{v.time(i.PostmortemDue)}}})
			}
			if i.Document != nil {
				docs = append(docs, *i.Document)
			}
		}
		for _, m := range postmortem.Overdue(docs, s.At) {
			rows.Rows = append(rows.Rows, []cell{
				{Text: v.t("measure"), Sub: m.Measure.Text}, text(t.displayName()), to(s.incident(v, t, m.Incident), m.Incident), v.orNone(m.Measure.Owner), {Times: []when{v.date(m.Measure.Due)}},
			})
		}
	}
	if len(rows.Rows) == 0 {
		return []block{{Text: v.t("ops.nothing_overdue")}}
	}
	return []block{{Table: rows}}
}

func (s *Ops) loadTable(v *view) block {
	if len(s.Load) == 0 {
		return block{Text: v.t("ops.no_load")}
	}
	rows := &table{Caption: v.t("ops.load"), Columns: v.columns("ops.engineer", "ops.line", ">incident.open", ">ops.handled", ">ops.utilisation")}
	for _, l := range s.Load {
		use := cell{Mark: v.noData()}
		if l.Available > 0 {
			ratio := slo.NewRatio(int64(l.Used), int64(l.Available))
			use = cell{Text: v.ratioPercent(ratio), Meter: v.meter(ratio), Sub: v.t("ops.of", v.length(l.Used), v.length(l.Available))}
		}
		rows.Rows = append(rows.Rows, []cell{text(cmp.Or(l.Engineer, v.t("ops.whole_line"))), text(l.Line), text(v.number(l.Open)), text(v.number(l.Handled)), use})
	}
	return block{Table: rows}
}

func (s *Ops) teamTable(v *view) block {
	if s.Review == nil || len(s.Review.Teams) == 0 {
		return block{Text: v.t("ops.no_review")}
	}
	rows := &table{Caption: v.t("ops.teams"), Columns: v.columns("ops.team", ">ops.volume", ">kpi.mtta", ">kpi.mttr", ">kpi.first_contact", ">kpi.escalated", ">kpi.kept", ">kpi.changes")}
	for _, f := range s.Review.Teams {
		rows.Rows = append(rows.Rows, []cell{
			text(cmp.Or(f.Team, v.t("ops.no_team"))), text(v.number(f.Volume)), v.mean(f.MTTA), v.mean(f.MTTR), v.share(f.FirstContact), v.share(f.Escalated), v.share(f.Kept), v.share(f.Changes),
		})
	}
	return block{Table: rows}
}

// share is a count out of a count.
func (v *view) share(x incident.Share) cell {
	if x.Of == 0 {
		return cell{Mark: v.noData()}
	}
	return cell{Text: v.ratioPercent(slo.NewRatio(int64(x.Hits), int64(x.Of))), Sub: v.t("ops.of", v.number(x.Hits), v.number(x.Of))}
}

// fairness shows who carries how much of the duty, nights and weekends.
func (s *Ops) fairness(v *view) []block {
	if s.Fairness == nil {
		return []block{{Text: v.t("ops.no_roster")}}
	}
	f := s.Fairness
	rows := &table{Caption: v.t("ops.fairness"), Columns: v.columns("ops.engineer", ">ops.on_call", ">ops.share", ">ops.expected", ">ops.nights", ">ops.weekends", ">ops.pages")}
	for _, p := range f.People {
		rows.Rows = append(rows.Rows, []cell{
			{Text: p.Engineer, Sub: p.Zone},
			text(v.length(p.OnCall)), v.part(p.Share), v.part(p.Expected),
			{Text: v.length(p.Night), Sub: v.part(p.NightShare).Text},
			{Text: v.length(p.Weekend), Sub: v.part(p.WeekendShare).Text},
			{Text: v.number(p.Pages), Sub: v.n("ops.night_pages", p.NightPages)},
		})
	}
	list := []block{{Facts: []fact{{v.t("window.range"), cell{Times: []when{v.time(f.From), v.time(f.Until)}}}}}, {Table: rows}}
	if len(f.Findings) == 0 {
		list = append(list, block{Notice: v.mark(report.Good, v.t("ops.fair"))})
	} else {
		list = append(list, block{List: warnings(v, v.unfair(f))})
	}
	if len(s.Strain) > 0 {
		strain := &table{Caption: v.t("ops.strain"), Columns: v.columns("ops.engineer", ">ops.longest", ">ops.rest", ">ops.short_rests", ">ops.night_run", ">ops.long_runs")}
		for _, p := range s.Strain {
			rest := v.t("ops.no_rest")
			if !p.ShortestRest.IsEmpty() {
				rest = v.length(p.ShortestRest.Duration())
			}
			strain.Rows = append(strain.Rows, []cell{
				text(p.Engineer), text(v.length(p.Longest.Duration())), text(rest), text(v.number(len(p.ShortRests))), text(v.number(p.NightRun.Nights)), text(v.number(len(p.LongRuns))),
			})
		}
		list = append(list, block{Table: strain})
	}
	return list
}

// unfair says who carries more than expected. The findings decide, whose sentences are
// English; figures and names are those of the persons whom they are about.
func (v *view) unfair(f *coverage.Fairness) []string {
	var list []string
	for _, finding := range f.Findings {
		told := finding
		for _, p := range f.People {
			for _, s := range []struct {
				share       coverage.Ratio
				english, of string
			}{
				{p.Share, "the time on call", "ops.of_time"},
				{p.NightShare, "the nights", "ops.of_nights"},
				{p.WeekendShare, "the weekends", "ops.of_weekends"},
				{p.PageShare, "the pages", "ops.of_pages"},
			} {
				if strings.HasPrefix(finding, p.Engineer+" carries ") && strings.Contains(finding, " of "+s.english+", expected ") {
					told = v.t("ops.carries", p.Engineer, v.part(s.share).Text, v.t(s.of), v.part(p.Expected).Text)
				}
			}
		}
		list = append(list, told)
	}
	return list
}

func warnings(v *view, texts []string) []cell {
	return mapped(texts, func(text string) cell { return cell{Mark: v.mark(report.Warning, v.t("ops.attention")), Sub: text} })
}

// part is a share of the duty.
func (v *view) part(r coverage.Ratio) cell {
	if !r.IsSet() {
		return cell{Mark: v.noData()}
	}
	return text(v.ratioPercent(slo.NewRatio(r.Num, r.Den)))
}

// coverage shows whether there are people enough, and enough who know.
func (s *Ops) coverage(v *view) []block {
	var list []block
	if s.Knowledge != nil {
		rows := &table{Caption: v.t("ops.knowledge", v.number(s.Knowledge.Least)), Columns: v.columns("ops.domain", "ops.people", ">ops.present", "state")}
		for _, d := range s.Knowledge.Domains {
			state := v.mark(report.Good, v.t("ops.enough"))
			if len(d.Below) > 0 {
				state = v.mark(report.Bad, v.n("ops.short_days", len(d.Below)))
			}
			rows.Rows = append(rows.Rows, []cell{text(d.Domain), text(strings.Join(d.People, ", ")), text(v.number(d.Present)), {Mark: state}})
		}
		list = append(list, block{Table: rows})
	}
	if len(s.Centres) > 0 {
		rows := &table{Caption: v.t("ops.centres"), Columns: v.columns("ops.centre", ">ops.open_hours", ">ops.have", ">ops.need", "state")}
		for _, c := range s.Centres {
			state := v.mark(report.Good, v.t("ops.enough"))
			if !c.Enough() {
				state = v.mark(report.Bad, v.n("ops.missing", c.Missing))
			}
			rows.Rows = append(rows.Rows, []cell{text(c.Centre), text(v.length(c.Open)), text(v.number(c.People)), text(v.number(c.NeedPeople)), {Mark: state}})
		}
		list = append(list, block{Table: rows})
	}
	if len(list) == 0 {
		return []block{{Text: v.t("ops.no_roster")}}
	}
	return list
}

// costs are those of incidents by severity, and the dearest.
func (s *Ops) costs(v *view) []block {
	if s.Review == nil || s.Review.Costs.All.N == 0 {
		return []block{{Text: v.t("ops.no_costs")}}
	}
	c := s.Review.Costs
	var list []block
	for _, part := range []struct {
		key   string
		lines []incident.CostLine
	}{{"ops.cost_severity", c.Severity}, {"ops.cost_service", c.Service}, {"ops.cost_dearest", c.Dearest}} {
		if len(part.lines) == 0 {
			continue
		}
		rows := &table{Caption: v.t(part.key), Columns: v.columns("ops.of_what", ">ops.volume", ">ops.total", ">ops.each")}
		for _, l := range part.lines {
			each, err := l.Cost.Each(money.HalfUp)
			if err != nil {
				each = money.Amount{}
			}
			rows.Rows = append(rows.Rows, []cell{text(cmp.Or(l.Key, v.t("not_recorded"))), text(v.number(l.Cost.N)), v.amount(l.Cost.Total), v.amount(each)})
		}
		list = append(list, block{Table: rows})
	}
	if c.Unknown > 0 {
		list = append(list, block{Notice: v.mark(report.NoData, v.n("ops.cost_unknown", c.Unknown))})
	}
	return list
}

func (v *view) amount(a money.Amount) cell {
	if !a.IsSet() {
		return cell{Mark: v.noData()}
	}
	return text(v.form.Amount(a))
}

func (s *Ops) marginTable(v *view) block {
	if len(s.Margins) == 0 {
		return block{Text: v.t("ops.no_margin")}
	}
	rows := &table{Caption: v.t("ops.margin"), Columns: v.columns("customer", "month", ">credit.fee", ">ops.cost_of_service", ">credit.title", ">ops.left", "state")}
	for _, m := range s.Margins {
		name := m.Tenant
		if i := slices.IndexFunc(s.Tenants, func(t *Tenant) bool { return t.ID == m.Tenant }); i >= 0 {
			name = s.Tenants[i].displayName()
		}
		left := m.Left()
		state, share := v.noData(), ""
		if left.IsSet() {
			state = v.mark(report.Good, v.t("ops.profit"))
			if left.Sign() < 0 {
				state = v.mark(report.Bad, v.t("ops.loss"))
			}
			if m.Fee.Sign() > 0 {
				share = v.ratioPercent(slo.NewRatio(left.Minor(), m.Fee.Minor()))
			}
		}
		rest := v.amount(left)
		rest.Sub = share
		rows.Rows = append(rows.Rows, []cell{text(name), text(v.shortMonth(m.Month)), v.amount(m.Fee), v.amount(m.Cost), v.amount(m.Credits), rest, {Mark: state}})
	}
	return block{Table: rows}
}

// qualityTable shows what is missing from the data of whom.
func (s *Ops) qualityTable(v *view) block {
	rows := &table{Caption: v.t("ops.quality"), Columns: v.columns("customer", "ops.grade", ">ops.unmonitored", ">ops.unjudged", "ops.notes")}
	for _, t := range s.Tenants {
		grade, unknown, unjudged := cell{Mark: v.noData()}, cell{}, cell{}
		if m := t.last(); m != nil {
			q := m.Report.Quality
			switch q.Grade {
			case sla.GradeComplete:
				grade.Mark = v.mark(report.Good, v.t("grade.complete"))
			case sla.GradePartial:
				grade.Mark = v.mark(report.Warning, v.t("grade.partial"))
			default:
			}
			unknown, unjudged = text(v.length(q.Unknown)), text(v.number(q.Empty+q.Outside+q.Unassigned))
		}
		var notes []string
		if t.Stale != "" {
			notes = append(notes, v.t("stale")+" "+t.Stale)
		}
		for _, n := range t.Notices {
			notes = append(notes, n.Message)
		}
		rows.Rows = append(rows.Rows, []cell{text(t.displayName()), grade, unknown, unjudged, text(strings.Join(notes, " "))})
	}
	if len(rows.Rows) == 0 {
		return block{Text: v.t("ops.nothing")}
	}
	return block{Table: rows}
}

// mean is the mean of durations, which are exact rational seconds.
func (v *view) mean(d incident.Durations) cell {
	mean := d.Mean()
	if mean == nil {
		return cell{Mark: v.noData()}
	}
	seconds, _ := mean.Float64()
	return cell{Text: v.length(time.Duration(seconds * float64(time.Second))), Sub: fmt.Sprintf("n = %d", d.N)}
}
