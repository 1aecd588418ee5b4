package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// ReviewPack is with what customer and provider go into a review, such as those of
// [sla.Reviews]: of a week, of a month and of a quarter, and the report to executives.
type ReviewPack struct {
	Review sla.Review

	// Reports are those of the months under review, in any order; those of months
	// before may be among them, to compare with. The last one is the month of the
	// review, or the last of the quarter. Names, zone and contract are taken from it.
	// A weekly review has those of weeks, see [sla.WeekAt]: their verdicts are warnings
	// and they show no credits, because promises and fees are those of a month.
	// Required.
	Reports []ServiceReport

	// Incidents is the incident part. It begins with one of the months and ends with
	// the last. Defaults to none.
	Incidents *incident.Review

	// Outlook is what is known of the months ahead. Defaults to nothing, which the items
	// on capacity and technology say.
	Outlook *Outlook
}

// Document returns who takes part, and for each item of the agenda what the reports
// and the incident part say about it, with empty fields for what is decided. An item
// about which they say nothing says so. What the agenda has no item for is in an
// annex, so nothing of the incident part is left out.
//
// Reports of several contracts, two of the same time, none at all, and an incident
// part of another time are an error.
func (k ReviewPack) Document() (Document, error) {
	p, err := newPack(k.Reports)
	if err != nil {
		return Document{}, err
	}
	details, err := p.details(k.Incidents)
	if err != nil {
		return Document{}, err
	}
	ahead, err := p.outlook(k.Outlook)
	if err != nil {
		return Document{}, err
	}
	review := k.Review
	first, last := p.months[0].Report.Statement.Period, p.last.Report.Statement.Period
	name := upper(p.name("review", cmp.Or(review.Name, p.t("review"))))
	d := Document{
		Title: name + " " + last.Label, Locale: p.last.Locale,
		Subtitle: p.t("of_contract", p.last.customer(), p.last.Contract.ID, p.last.span(first.Start, last.End)),
		Zone:     p.last.Zone,
	}
	if first.Label != last.Label {
		d.Title = name + " " + p.t("from_to", first.Label, last.Label)
	}
	for _, r := range p.months {
		if r.Report.At.After(d.Generated) {
			d.Generated = r.Report.At
		}
		for _, s := range r.Sources {
			if !slices.Contains(d.Sources, s) {
				d.Sources = append(d.Sources, s)
			}
		}
	}
	d.Sections = append(d.Sections, Section{"participants", p.t("participants"), []Block{p.participants(review.Participants), p.length(review.Length)}})
	for i, item := range review.Agenda {
		blocks := p.figures(item.Key)
		switch item.Key {
		case "capacity_planning_review":
			if blocks, err = ahead.capacity(); err != nil {
				return Document{}, err
			}
		case "technology_roadmap_review":
			blocks = append(ahead.roadmap(), blocks...)
		}
		blocks = append(blocks, details[item.Key]...)
		delete(details, item.Key)
		if blocks == nil {
			blocks = []Block{Text(p.t("no_figures"))}
		}
		d.Sections = append(d.Sections, Section{item.Key, strconv.Itoa(i+1) + ". " + p.item(item), append(blocks, p.decisions())})
	}
	var annex []Block
	for _, item := range detailed {
		annex = append(annex, details[item]...)
	}
	if len(annex) > 0 {
		d.Sections = append(d.Sections, Section{"incidents", p.t("annex_incidents"), annex})
	}
	return d, nil
}

// detailed lists the items to which the incident part adds something, in the order of
// the annex.
var detailed = []string{
	"incident_trend_analysis", "process_improvement_opportunities", "capacity_planning_review", "cost_optimization_opportunities", "technology_roadmap_review",
}

// details returns what the incident part says about the items of an agenda.
func (p pack) details(review *incident.Review) (map[string][]Block, error) {
	if review == nil {
		return nil, nil
	}
	begins := func(r serviceDoc) bool { return r.Report.Statement.Period.Start.Equal(review.Period.Start) }
	if last := p.last.Report.Statement.Period; !slices.ContainsFunc(p.months, begins) || !review.Period.End.Equal(last.End) {
		return nil, fmt.Errorf("report: review pack: the incident part is of %v, want one from the start of a month under review to the end of %s", review.Period, last.Label)
	}
	r := IncidentReview{Review: *review, Zone: p.last.Zone, Locale: p.last.Locale}
	return map[string][]Block{
		"incident_trend_analysis": {
			r.kpis(p.t("key_figures_and_targets")), r.groups(p.t("severity"), r.Review.BySeverity), r.availability(), r.groups(p.t("service"), r.Review.Services),
			r.groups(p.t("team"), r.teams()), r.groups(p.t("centre"), r.Review.Centres), r.groups(p.t("month"), r.trend()),
		},
		"process_improvement_opportunities": {r.missed(), r.late(), r.recurring(), r.measures()},
		"capacity_planning_review":          {r.kpis(p.t("how_far_resources_are_used"), incident.KPIUtilisation)},
		"cost_optimization_opportunities":   r.costs(),
		"technology_roadmap_review":         {r.changes(), r.upcoming()},
	}, nil
}

// participants has a row for each of those who take part, to be filled in.
func (p pack) participants(who []sla.Item) Block {
	t := Table{Caption: p.t("who_takes_part"), Columns: []Column{{Title: p.t("for")}, {Title: p.t("name")}, {Title: p.t("present")}}}
	for _, w := range who {
		t.Rows = append(t.Rows, []Cell{{Text: p.item(w)}, {}, {}})
	}
	return t
}

// length says how long a review takes.
func (p pack) length(d time.Duration) Block {
	if d <= 0 {
		return Text(p.t("length_not_agreed"))
	}
	return Text(p.t("takes", p.duration(d)))
}

// decisions is a form to be filled in.
func (p pack) decisions() Block {
	t := Table{Caption: p.t("decisions_and_actions"), Columns: []Column{{Title: p.t("ordinal")}, {Title: p.t("decision_or_action")}, {Title: p.t("owner")}, {Title: p.t("due_title")}}}
	for i := range 3 {
		t.Rows = append(t.Rows, []Cell{{Text: p.count(i + 1)}, {}, {}, {}})
	}
	return t
}

// pack is the reports of a review.
type pack struct {
	language
	months []serviceDoc // in the order of time, at least one; weeks of a weekly review
	last   serviceDoc
	weekly bool // the last report is of at most a week
}

func newPack(reports []ServiceReport) (pack, error) {
	if len(reports) == 0 {
		return pack{}, errors.New("report: review pack: want at least one service report")
	}
	months := mapped(reports, func(r ServiceReport) serviceDoc { return serviceDoc{r, r.language()} })
	slices.SortStableFunc(months, func(a, b serviceDoc) int {
		return a.Report.Statement.Period.Start.Compare(b.Report.Statement.Period.Start)
	})
	for i, r := range months[1:] {
		before := months[i]
		if r.Contract.ID != before.Contract.ID {
			return pack{}, fmt.Errorf("report: review pack: found reports of the contracts %q and %q, want one contract", before.Contract.ID, r.Contract.ID)
		}
		if r.Report.Statement.Period.Overlaps(before.Report.Statement.Period.Interval) {
			return pack{}, fmt.Errorf("report: review pack: %s and %s overlap, want reports of different months", before.Report.Statement.Period.Label, r.Report.Statement.Period.Label)
		}
	}
	last := months[len(months)-1]
	const week = 8 * 24 * time.Hour // with a change of the clock
	return pack{last.language, months, last, last.Report.Statement.Period.Duration() < week}, nil
}

// figures returns what the reports say about an item of an agenda, nil for
// nothing.
func (p pack) figures(item string) []Block {
	switch item {
	case "sla_performance_review":
		if p.weekly {
			return []Block{p.availability(), Text(p.t("promises_are_of_the_month")), p.clocks()}
		}
		return []Block{p.availability(), p.clocks(), p.credits()}
	case "incident_trend_analysis":
		return []Block{p.incidents(), p.restored(), p.trend()}
	case "process_improvement_opportunities":
		if p.weekly {
			return []Block{p.missed()} // changes are an item of their own
		}
		return []Block{p.missed(), p.changes()}
	case "service_optimization_recommendations":
		return []Block{p.missedFigures(), p.unmeasured(), p.unmonitored()}
	case "strategic_service_alignment":
		return []Block{p.availability(), p.keyFigures(p.t("promises_kept"), sla.KPIUptime, sla.KPICompliance, sla.KPIMTBF)}
	case "cost_optimization_opportunities":
		return []Block{p.credits(), p.keyFigures(p.t("what_incidents_cost"), sla.KPIVolume, sla.KPICost)}
	case "technology_roadmap_review":
		return []Block{p.changes(), p.last.maintenance()[0]}
	case sla.SectionChanges:
		return []Block{p.changes()}
	case sla.SectionMaintenance:
		return p.last.maintenance()
	case "relationship_health_assessment":
		return []Block{p.keyFigures(p.t("how_the_customer_is_served"), sla.KPISatisfaction, sla.KPIFirstContact, sla.KPIEscalation, sla.KPINotice, sla.KPICompliance)}
	case "contract_optimization_discussion":
		return []Block{p.findings(), p.rejected()}
	}
	return nil
}

func (p pack) availability() Block {
	t := Table{Caption: p.t("availability_promised_and_actual"), Columns: []Column{
		{Title: p.t("period")}, {Title: p.t("service")}, {Title: p.t("promised"), Numeric: true}, {Title: p.t("actual"), Numeric: true}, {Title: p.t("verdict")}, {Title: p.t("down"), Numeric: true}, {Title: p.t("allowed"), Numeric: true},
	}}
	for _, r := range p.months {
		for _, m := range r.Report.Availability {
			verdict := Cell{Text: p.outcome(m.Outcome), State: stateOf(m.Outcome)}
			switch {
			case m.Outcome == sla.Missed && p.weekly:
				verdict.State = Warning
			case m.Outcome == sla.Missed && r.unpaid(m.Service):
				verdict.Text = p.t("missed_no_credit_band_reached")
			}
			down, allowed := p.duration(m.Down), p.duration(m.Allowed)
			if m.Outcome == sla.NoData {
				down, allowed = p.t("no_data"), p.t("no_data")
			}
			t.Rows = append(t.Rows, []Cell{
				{Text: r.period()}, {Text: r.service(m.Service)}, {Text: r.target(m.Target.String())}, {Text: r.percent(m.Value)}, verdict, {Text: down}, {Text: allowed},
			})
		}
	}
	return t.or(p.t("the_contract_promises_no_availability"))
}

func (p pack) clocks() Block {
	t := Table{Caption: p.t("times_promised_and_actual"), Columns: []Column{
		{Title: p.t("period")},
		{Title: p.t("clause")},
		{Title: p.t("severity")},
		{Title: p.t("promised")},
		{Title: p.t("mean"), Numeric: true},
		{Title: p.t("met"), Numeric: true},
		{Title: p.t("missed"), Numeric: true},
		{Title: p.t("pending"), Numeric: true},
		{Title: p.t("compliance"), Numeric: true},
	}}
	for _, r := range p.months {
		for _, c := range r.Report.Response {
			t.Rows = append(t.Rows, []Cell{
				{Text: r.period()},
				{Text: p.name("clause", string(c.Clause))},
				{Text: c.Severity.String()},
				{Text: r.promised(c)},
				{Text: p.mean(c.Took.Mean)},
				{Text: p.count(c.Met)},
				{Text: p.count(c.Missed)},
				{Text: p.count(c.Pending)},
				{Text: r.percent(c.Compliance())},
			})
		}
	}
	return t.or(p.t("no_clocks"))
}

func (p pack) credits() Block {
	t := Table{Caption: p.t("fees_and_credits"), Columns: []Column{{Title: p.t("period")}, {Title: p.t("fee"), Numeric: true}, {Title: p.t("credit"), Numeric: true}, {Title: p.t("state")}}}
	for _, r := range p.months {
		s := r.Report.Statement
		t.Rows = append(t.Rows, []Cell{{Text: r.period()}, {Text: r.amount(s.Fee)}, {Text: r.amount(s.Payable)}, {Text: p.name("credit", string(s.State)), State: creditState(s.State)}})
	}
	if len(p.months) == 1 {
		return t
	}
	fee, credit := p.last.Report.Statement.Fee.Zero(), p.last.Report.Statement.Payable.Zero()
	for _, r := range p.months {
		var errFee, errCredit error
		fee, errFee = fee.Add(r.Report.Statement.Fee)
		credit, errCredit = credit.Add(r.Report.Statement.Payable)
		if errFee != nil || errCredit != nil {
			return t // in several currencies, which have no sum
		}
	}
	t.Rows = append(t.Rows, []Cell{{Text: p.t("together")}, {Text: p.last.amount(fee)}, {Text: p.last.amount(credit)}, {}})
	return t
}

// incidents counts by severity, one column a month. Of the month before a single
// report only the trend knows something, and only the sum.
func (p pack) incidents() Block {
	t := Table{Caption: p.t("incidents_opened"), Columns: []Column{{Title: p.t("severity")}}}
	before, known := p.before()
	compared := len(p.months) == 1 && !p.weekly
	if compared {
		t.Columns = append(t.Columns, Column{Title: cmp.Or(before.Month, p.t("month_before")), Numeric: true})
	}
	t.Columns = append(t.Columns, p.columns()...)
	for i, s := range p.last.Report.Incidents.BySeverity {
		row := []Cell{{Text: s.Severity.String()}}
		if compared {
			row = append(row, Cell{State: NoData})
		}
		for _, r := range p.months {
			row = append(row, Cell{Text: p.count(r.Report.Incidents.BySeverity[i].Count)})
		}
		t.Rows = append(t.Rows, row)
	}
	row := []Cell{{Text: p.t("all")}}
	switch {
	case !compared:
	case known:
		row = append(row, Cell{Text: p.count(before.Incidents)})
	default:
		row = append(row, Cell{State: NoData})
	}
	for _, r := range p.months {
		row = append(row, Cell{Text: p.count(r.Report.Incidents.Total)})
	}
	t.Rows = append(t.Rows, row)
	return t
}

// before returns the month before the last one, as its trend has it.
func (p pack) before() (sla.TrendMonth, bool) {
	trend := p.last.Report.Trend
	if len(trend) < 2 {
		return sla.TrendMonth{}, false
	}
	return trend[len(trend)-2], true
}

func (p pack) restored() Block {
	t := Table{Caption: p.t("mean_time_to_restore"), Columns: append([]Column{{Title: p.t("severity")}}, p.columns()...)}
	for i, s := range p.last.Report.Incidents.BySeverity {
		row := []Cell{{Text: s.Severity.String()}}
		for _, r := range p.months {
			row = append(row, Cell{Text: p.mean(r.Report.Incidents.BySeverity[i].Restore.Mean)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// trend is the table of the months that the last report looks back on.
func (p pack) trend() Block {
	blocks := p.last.trends()
	return blocks[len(blocks)-1]
}

func (p pack) missed() Block {
	t := Table{Caption: p.t("promises_missed_and_why"), Columns: []Column{
		{Title: p.t("period")}, {Title: p.t("clause")}, {Title: p.t("ref")}, {Title: p.t("promised"), Numeric: true}, {Title: p.t("actual"), Numeric: true}, {Title: p.t("cause")}, {Title: p.t("remedial_action")}, {Title: p.t("credit"), Numeric: true},
	}}
	for _, r := range p.months {
		for _, b := range r.Report.Breaches {
			promised, actual := r.breachTexts(b)
			t.Rows = append(t.Rows, []Cell{
				{Text: r.period()}, {Text: p.name("clause", string(b.Clause))}, {Text: b.Ref}, {Text: promised}, {Text: actual}, {Text: p.orNotGiven(b.Cause)}, {Text: p.orNotGiven(b.Action)}, {Text: r.amount(b.Credit)},
			})
		}
	}
	if p.weekly { // without the credit
		last := len(t.Columns) - 1
		t.Columns = t.Columns[:last]
		for i, row := range t.Rows {
			t.Rows[i] = row[:last]
		}
	}
	if !slices.ContainsFunc(p.months, func(r serviceDoc) bool { return r.judged() }) {
		return t.or(p.t("no_data_nothing_was_measured"))
	}
	return t.or(p.t("no_promise_was_missed"))
}

func (p pack) changes() Block {
	t := Table{Caption: p.t("changes"), Columns: []Column{
		{Title: p.t("period")},
		{Title: p.t("finished_title"), Numeric: true},
		{Title: p.t("success"), Numeric: true},
		{Title: p.t("led_to_an_incident"), Numeric: true},
		{Title: p.t("failed_title"), Numeric: true},
		{Title: p.t("rolled_back_title"), Numeric: true},
		{Title: p.t("emergency"), Numeric: true},
		{Title: p.t("success_rate_title"), Numeric: true},
	}}
	for _, r := range p.months {
		c := r.Report.Changes
		row := []Cell{{Text: r.period()}}
		for _, n := range []int{c.Total, c.Success, c.CausedIncident, c.Failed, c.RolledBack, c.Emergency} {
			row = append(row, Cell{Text: p.count(n)})
		}
		t.Rows = append(t.Rows, append(row, Cell{Text: r.percent(c.SuccessShare)}))
	}
	return t
}

// keyFigures shows some figures, one column a month.
func (p pack) keyFigures(caption string, which ...sla.KPI) Block {
	t := Table{Caption: caption, Columns: append(append([]Column{{Title: p.t("figure")}, {Title: p.t("target")}}, p.columns()...), Column{Title: p.t("verdict")})}
	for _, k := range which {
		row := []Cell{{Text: p.name("kpi", string(k))}, {Text: p.t("none")}}
		verdict := Cell{Text: p.t("no_target")}
		for _, r := range p.months {
			f, ok := r.keyFigure(k)
			if !ok {
				row = append(row, Cell{State: NoData})
				continue
			}
			if row = append(row, Cell{Text: r.kpiText(f)}); f.Target.IsSet() {
				row[1].Text = p.limit(f.Target.String())
				verdict = Cell{Text: p.outcome(f.Outcome), State: stateOf(f.Outcome)} // of the last month
			}
		}
		t.Rows = append(t.Rows, append(row, verdict))
	}
	return t
}

func (r ServiceReport) keyFigure(k sla.KPI) (sla.KeyFigure, bool) {
	i := slices.IndexFunc(r.Report.KPIs, func(f sla.KeyFigure) bool { return f.KPI == k })
	if i < 0 {
		return sla.KeyFigure{}, false
	}
	return r.Report.KPIs[i], true
}

func (p pack) missedFigures() Block {
	var which []sla.KPI
	for _, k := range sla.KPIs {
		if slices.ContainsFunc(p.months, func(r serviceDoc) bool {
			f, _ := r.keyFigure(k)
			return f.Outcome == sla.Missed
		}) {
			which = append(which, k)
		}
	}
	if len(which) == 0 {
		return Text(p.t("no_key_figure_missed_its_target"))
	}
	return p.keyFigures(p.t("key_figures_that_missed_their_target"), which...)
}

func (p pack) unmeasured() Block {
	var names []string
	for _, f := range p.last.Report.KPIs {
		if !f.Value.IsSet() {
			names = append(names, p.name("kpi", string(f.KPI)))
		}
	}
	if len(names) == 0 {
		return Text(p.t("every_key_figure_has_data"))
	}
	return Text(p.t("without_data_in", p.last.period(), strings.Join(names, ", ")))
}

func (p pack) unmonitored() Block {
	t := Table{Caption: p.t("service_time_that_was_not_monitored"), Columns: []Column{{Title: p.t("period")}, {Title: p.t("not_monitored"), Numeric: true}, {Title: p.t("of"), Numeric: true}, {Title: p.t("evidence")}}}
	for _, r := range p.months {
		q := r.Report.Quality
		t.Rows = append(t.Rows, []Cell{{Text: r.period()}, {Text: p.duration(q.Unknown)}, {Text: p.duration(q.Of)}, {Text: p.name("grade", string(q.Grade))}})
	}
	return t
}

func (p pack) findings() Block {
	t := Table{Caption: p.t("what_the_statements_point_out"), Columns: []Column{{Title: p.t("period")}, {Title: p.t("code")}, {Title: p.t("ref")}, {Title: p.t("what")}}}
	for _, r := range p.months {
		for _, f := range r.Report.Statement.Findings {
			t.Rows = append(t.Rows, []Cell{{Text: r.period()}, {Text: f.Code}, {Text: f.Ref}, {Text: r.findingText(f)}})
		}
	}
	return t.or(p.t("the_statements_point_out_nothing"))
}

func (p pack) rejected() Block {
	t := Table{Caption: p.t("downtime_that_the_contract_did_not_exclude"), Columns: []Column{{Title: p.t("period")}, {Title: p.t("service")}, {Title: p.t("ref")}, {Title: p.t("reason")}, {Title: p.t("time"), Numeric: true}}}
	for _, r := range p.months {
		for _, m := range r.Report.Availability {
			for _, x := range m.Rejected {
				t.Rows = append(t.Rows, []Cell{{Text: r.period()}, {Text: r.service(m.Service)}, {Text: x.Ref}, {Text: p.name("reason", x.Reason)}, {Text: p.duration(x.Down)}})
			}
		}
	}
	return t.or(p.t("no_exclusion_of_downtime_was_refused"))
}

// columns has a column for each month.
func (p pack) columns() []Column {
	return mapped(p.months, func(r serviceDoc) Column { return Column{Title: r.period(), Numeric: true} })
}

func (r serviceDoc) period() string { return r.Report.Statement.Period.Label }

// or is the table, or a text instead of one without rows.
func (t Table) or(text string) Block {
	if len(t.Rows) == 0 {
		return Text(text)
	}
	return t
}

// item is what a participant or an item of an agenda is called: by the catalogue if
// the reference names it, else as the caller says.
func (p pack) item(i sla.Item) string {
	if key := "item." + i.Key; p.Has(key) && i == sla.NewItem(i.Key) {
		return p.t(key)
	}
	return i.Title
}
