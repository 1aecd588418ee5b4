package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// ReviewPack is with what customer and provider go into a review, such as
// [sla.MonthlyReview] or [sla.QuarterlyReview].
type ReviewPack struct {
	Review sla.Review

	// Reports are those of the months under review, in any order; those of months
	// before may be among them, to compare with. The last one is the month of the
	// review, or the last of the quarter. Names, zone and contract are taken from it.
	// Required.
	Reports []ServiceReport

	// Incidents is the incident part. It begins with one of the months and ends with
	// the last. Defaults to none.
	Incidents *incident.Review
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
	review := k.Review
	first, last := p.months[0].Report.Statement.Period, p.last.Report.Statement.Period
	d := Document{
		Title:    upper(words(cmp.Or(review.Name, "review"))) + " " + last.Label,
		Subtitle: p.last.customer() + ", contract " + p.last.Contract.ID + ", " + p.last.span(first.Start, last.End),
		Zone:     p.last.Zone,
	}
	if first.Label != last.Label {
		d.Title = upper(words(cmp.Or(review.Name, "review"))) + " " + first.Label + " to " + last.Label
	}
	for _, r := range p.months {
		if r.Report.Now.After(d.Generated) {
			d.Generated = r.Report.Now
		}
		for _, s := range r.Sources {
			if !slices.Contains(d.Sources, s) {
				d.Sources = append(d.Sources, s)
			}
		}
	}
	d.Sections = append(d.Sections, Section{"participants", "Participants", []Block{participants(review.Participants)}})
	for i, item := range review.Agenda {
		blocks := append(p.figures(item.Key), details[item.Key]...)
		delete(details, item.Key)
		if blocks == nil {
			blocks = []Block{Text("No data: the service reports hold no figures on this.")}
		}
		d.Sections = append(d.Sections, Section{item.Key, strconv.Itoa(i+1) + ". " + item.Title, append(blocks, decisions())})
	}
	var annex []Block
	for _, item := range detailed {
		annex = append(annex, details[item]...)
	}
	if len(annex) > 0 {
		d.Sections = append(d.Sections, Section{"incidents", "Annex: incidents", annex})
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
	begins := func(r ServiceReport) bool { return r.Report.Statement.Period.Start.Equal(review.Period.Start) }
	if last := p.last.Report.Statement.Period; !slices.ContainsFunc(p.months, begins) || !review.Period.End.Equal(last.End) {
		return nil, fmt.Errorf("report: review pack: the incident part is of %v, want one from the start of a month under review to the end of %s", review.Period, last.Label)
	}
	r := IncidentReview{Review: *review, Zone: p.last.Zone}
	zone := Document{Zone: p.last.Zone}.zone()
	return map[string][]Block{
		"incident_trend_analysis": {
			r.kpis("Key figures and targets"), groups("Severity", r.Review.BySeverity), r.availability(), groups("Service", r.Review.Services),
			groups("Team", r.teams()), groups("Centre", r.Review.Centres), groups("Month", r.trend()),
		},
		"process_improvement_opportunities": {r.missed(), r.late(), r.recurring(), r.measures()},
		"capacity_planning_review":          {r.kpis("How far resources are used", incident.KPIUtilisation)},
		"cost_optimization_opportunities":   r.costs(),
		"technology_roadmap_review":         {r.changes(), r.upcoming(zone)},
	}, nil
}

// participants has a row for each of those who take part, to be filled in.
func participants(who []sla.Item) Block {
	t := Table{Caption: "Who takes part", Columns: []Column{{Title: "For"}, {Title: "Name"}, {Title: "Present"}}}
	for _, w := range who {
		t.Rows = append(t.Rows, []Cell{{Text: w.Title}, {}, {}})
	}
	return t
}

// decisions is a form to be filled in.
func decisions() Block {
	t := Table{Caption: "Decisions and actions", Columns: []Column{{Title: "No."}, {Title: "Decision or action"}, {Title: "Owner"}, {Title: "Due"}}}
	for i := range 3 {
		t.Rows = append(t.Rows, []Cell{{Text: strconv.Itoa(i + 1)}, {}, {}, {}})
	}
	return t
}

// pack is the reports of a review.
type pack struct {
	months []ServiceReport // in the order of time, at least one
	last   ServiceReport
}

func newPack(reports []ServiceReport) (pack, error) {
	if len(reports) == 0 {
		return pack{}, errors.New("report: review pack: want at least one service report")
	}
	months := slices.Clone(reports)
	slices.SortStableFunc(months, func(a, b ServiceReport) int {
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
	return pack{months, months[len(months)-1]}, nil
}

// figures returns what the reports say about an item of an agenda, nil for
// nothing.
func (p pack) figures(item string) []Block {
	switch item {
	case "sla_performance_review":
		return []Block{p.availability(), p.clocks(), p.credits()}
	case "incident_trend_analysis":
		return []Block{p.incidents(), p.restored(), p.trend()}
	case "process_improvement_opportunities":
		return []Block{p.missed(), p.changes()}
	case "service_optimization_recommendations":
		return []Block{p.missedFigures(), p.unmeasured(), p.unmonitored()}
	case "strategic_service_alignment":
		return []Block{p.availability(), p.keyFigures("Promises kept", sla.KPIUptime, sla.KPICompliance, sla.KPIMTBF)}
	case "cost_optimization_opportunities":
		return []Block{p.credits(), p.keyFigures("What incidents cost", sla.KPIVolume, sla.KPICost)}
	case "technology_roadmap_review":
		return []Block{p.changes(), p.last.maintenance()[0]}
	case "relationship_health_assessment":
		return []Block{p.keyFigures("How the customer is served", sla.KPISatisfaction, sla.KPIFirstContact, sla.KPIEscalation, sla.KPINotice, sla.KPICompliance)}
	case "contract_optimization_discussion":
		return []Block{p.findings(), p.rejected()}
	}
	return nil
}

func (p pack) availability() Block {
	t := Table{Caption: "Availability: promised and actual", Columns: []Column{
		{Title: "Period"}, {Title: "Service"}, {Title: "Promised", Numeric: true}, {Title: "Actual", Numeric: true}, {Title: "Verdict"}, {Title: "Down", Numeric: true}, {Title: "Allowed", Numeric: true},
	}}
	for _, r := range p.months {
		for _, m := range r.Report.Availability {
			verdict := Cell{Text: outcomeWord(m.Outcome), State: stateOf(m.Outcome)}
			if m.Outcome == sla.Missed && r.unpaid(m.Service) {
				verdict.Text = "missed, no credit band reached"
			}
			down, allowed := durationText(m.Down), durationText(m.Allowed)
			if m.Outcome == sla.NoData {
				down, allowed = "no data", "no data"
			}
			t.Rows = append(t.Rows, []Cell{
				{Text: r.label()}, {Text: r.service(m.Service)}, {Text: r.target(m.Target.String())}, {Text: r.percent(m.Value)}, verdict, {Text: down}, {Text: allowed},
			})
		}
	}
	return t.or("The contract promises no availability.")
}

func (p pack) clocks() Block {
	t := Table{Caption: "Times: promised and actual", Columns: []Column{
		{Title: "Period"},
		{Title: "Clause"},
		{Title: "Severity"},
		{Title: "Promised"},
		{Title: "Mean", Numeric: true},
		{Title: "Met", Numeric: true},
		{Title: "Missed", Numeric: true},
		{Title: "Pending", Numeric: true},
		{Title: "Compliance", Numeric: true},
	}}
	for _, r := range p.months {
		for _, c := range r.Report.Response {
			t.Rows = append(t.Rows, []Cell{
				{Text: r.label()},
				{Text: string(c.Clause)},
				{Text: c.Severity.String()},
				{Text: promisedText(c)},
				{Text: timeText(c.Took.Mean)},
				{Text: strconv.Itoa(c.Met)},
				{Text: strconv.Itoa(c.Missed)},
				{Text: strconv.Itoa(c.Pending)},
				{Text: r.percent(c.Compliance())},
			})
		}
	}
	return t.or("The contract promises no response or resolution times.")
}

func (p pack) credits() Block {
	t := Table{Caption: "Fees and credits", Columns: []Column{{Title: "Period"}, {Title: "Fee", Numeric: true}, {Title: "Credit", Numeric: true}, {Title: "State"}}}
	for _, r := range p.months {
		s := r.Report.Statement
		t.Rows = append(t.Rows, []Cell{{Text: r.label()}, {Text: r.amount(s.Fee)}, {Text: r.amount(s.Payable)}, {Text: words(string(s.State)), State: creditState(s.State)}})
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
	t.Rows = append(t.Rows, []Cell{{Text: "together"}, {Text: p.last.amount(fee)}, {Text: p.last.amount(credit)}, {}})
	return t
}

// incidents counts by severity, one column a month. Of the month before a single
// report only the trend knows something, and only the sum.
func (p pack) incidents() Block {
	t := Table{Caption: "Incidents opened", Columns: []Column{{Title: "Severity"}}}
	before, known := p.before()
	if len(p.months) == 1 {
		t.Columns = append(t.Columns, Column{Title: cmp.Or(before.Month, "month before"), Numeric: true})
	}
	t.Columns = append(t.Columns, p.columns()...)
	for i, s := range p.last.Report.Incidents.BySeverity {
		row := []Cell{{Text: s.Severity.String()}}
		if len(p.months) == 1 {
			row = append(row, Cell{State: NoData})
		}
		for _, r := range p.months {
			row = append(row, Cell{Text: strconv.Itoa(r.Report.Incidents.BySeverity[i].Count)})
		}
		t.Rows = append(t.Rows, row)
	}
	row := []Cell{{Text: "all"}}
	switch {
	case len(p.months) > 1:
	case known:
		row = append(row, Cell{Text: strconv.Itoa(before.Incidents)})
	default:
		row = append(row, Cell{State: NoData})
	}
	for _, r := range p.months {
		row = append(row, Cell{Text: strconv.Itoa(r.Report.Incidents.Total)})
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
	t := Table{Caption: "Mean time to restore", Columns: append([]Column{{Title: "Severity"}}, p.columns()...)}
	for i, s := range p.last.Report.Incidents.BySeverity {
		row := []Cell{{Text: s.Severity.String()}}
		for _, r := range p.months {
			row = append(row, Cell{Text: timeText(r.Report.Incidents.BySeverity[i].Restore.Mean)})
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
	t := Table{Caption: "Promises missed, and why", Columns: []Column{
		{Title: "Period"}, {Title: "Clause"}, {Title: "Ref"}, {Title: "Promised", Numeric: true}, {Title: "Actual", Numeric: true}, {Title: "Cause"}, {Title: "Remedial action"}, {Title: "Credit", Numeric: true},
	}}
	for _, r := range p.months {
		for _, b := range r.Report.Breaches {
			promised, actual := r.breachTexts(b)
			t.Rows = append(t.Rows, []Cell{
				{Text: r.label()}, {Text: string(b.Clause)}, {Text: b.Ref}, {Text: promised}, {Text: actual}, {Text: cmp.Or(b.Cause, "not given")}, {Text: cmp.Or(b.Action, "not given")}, {Text: r.amount(b.Credit)},
			})
		}
	}
	if !slices.ContainsFunc(p.months, ServiceReport.judged) {
		return t.or("No data: nothing was measured.")
	}
	return t.or("No promise was missed.")
}

func (p pack) changes() Block {
	t := Table{Caption: "Changes", Columns: []Column{
		{Title: "Period"},
		{Title: "Finished", Numeric: true},
		{Title: "Success", Numeric: true},
		{Title: "Led to an incident", Numeric: true},
		{Title: "Failed", Numeric: true},
		{Title: "Rolled back", Numeric: true},
		{Title: "Emergency", Numeric: true},
		{Title: "Success rate", Numeric: true},
	}}
	for _, r := range p.months {
		c := r.Report.Changes
		row := []Cell{{Text: r.label()}}
		for _, n := range []int{c.Total, c.Success, c.CausedIncident, c.Failed, c.RolledBack, c.Emergency} {
			row = append(row, Cell{Text: strconv.Itoa(n)})
		}
		t.Rows = append(t.Rows, append(row, Cell{Text: r.percent(c.SuccessShare)}))
	}
	return t
}

// keyFigures shows some figures, one column a month.
func (p pack) keyFigures(caption string, which ...sla.KPI) Block {
	t := Table{Caption: caption, Columns: append(append([]Column{{Title: "Figure"}, {Title: "Target"}}, p.columns()...), Column{Title: "Verdict"})}
	for _, k := range which {
		row := []Cell{{Text: words(string(k))}, {Text: "none"}}
		verdict := Cell{Text: "no target"}
		for _, r := range p.months {
			f, ok := r.keyFigure(k)
			if !ok {
				row = append(row, Cell{State: NoData})
				continue
			}
			if row = append(row, Cell{Text: r.kpiText(f)}); f.Target.IsSet() {
				row[1].Text = f.Target.String()
				verdict = Cell{Text: outcomeWord(f.Outcome), State: stateOf(f.Outcome)} // of the last month
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
		if slices.ContainsFunc(p.months, func(r ServiceReport) bool {
			f, _ := r.keyFigure(k)
			return f.Outcome == sla.Missed
		}) {
			which = append(which, k)
		}
	}
	if len(which) == 0 {
		return Text("No key figure missed its target.")
	}
	return p.keyFigures("Key figures that missed their target", which...)
}

func (p pack) unmeasured() Block {
	var names []string
	for _, f := range p.last.Report.KPIs {
		if !f.Value.IsSet() {
			names = append(names, words(string(f.KPI)))
		}
	}
	if len(names) == 0 {
		return Text("Every key figure has data.")
	}
	return Text("Key figures without data in " + p.last.label() + ": " + strings.Join(names, ", ") + ".")
}

func (p pack) unmonitored() Block {
	t := Table{Caption: "Service time that was not monitored", Columns: []Column{{Title: "Period"}, {Title: "Not monitored", Numeric: true}, {Title: "of", Numeric: true}, {Title: "Evidence"}}}
	for _, r := range p.months {
		q := r.Report.Quality
		t.Rows = append(t.Rows, []Cell{{Text: r.label()}, {Text: durationText(q.Unknown)}, {Text: durationText(q.Of)}, {Text: words(string(q.Grade))}})
	}
	return t
}

func (p pack) findings() Block {
	t := Table{Caption: "What the statements point out", Columns: []Column{{Title: "Period"}, {Title: "Code"}, {Title: "Ref"}, {Title: "What"}}}
	for _, r := range p.months {
		for _, f := range r.Report.Statement.Findings {
			t.Rows = append(t.Rows, []Cell{{Text: r.label()}, {Text: f.Code}, {Text: f.Ref}, {Text: f.Text}})
		}
	}
	return t.or("The statements point out nothing.")
}

func (p pack) rejected() Block {
	t := Table{Caption: "Downtime that the contract did not exclude", Columns: []Column{{Title: "Period"}, {Title: "Service"}, {Title: "Ref"}, {Title: "Reason"}, {Title: "Time", Numeric: true}}}
	for _, r := range p.months {
		for _, m := range r.Report.Availability {
			for _, x := range m.Rejected {
				t.Rows = append(t.Rows, []Cell{{Text: r.label()}, {Text: r.service(m.Service)}, {Text: x.Ref}, {Text: words(x.Reason)}, {Text: durationText(x.Down)}})
			}
		}
	}
	return t.or("No exclusion of downtime was refused.")
}

// columns has a column for each month.
func (p pack) columns() []Column {
	return mapped(p.months, func(r ServiceReport) Column { return Column{Title: r.label(), Numeric: true} })
}

func (r ServiceReport) label() string { return r.Report.Statement.Period.Label }

// or is the table, or a text instead of one without rows.
func (t Table) or(text string) Block {
	if len(t.Rows) == 0 {
		return Text(text)
	}
	return t
}
