package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/sla"
)

// Document returns the report for its readers: a summary, the six sections of the
// service report, and after them the credits, the key figures and the quality of
// the data.
func (r ServiceReport) Document() Document {
	return serviceDoc{r, r.language()}.document()
}

// serviceDoc writes a report in its language.
type serviceDoc struct {
	ServiceReport
	language
}

func (r serviceDoc) document() Document {
	s := r.Report.Statement
	d := Document{
		Title: r.t("service_report", s.Period.Label), Locale: r.Locale,
		Subtitle:  r.t("of_contract", r.customer(), r.Contract.ID, r.span(s.Period.Start, s.Period.End)),
		Generated: r.Report.At, Zone: r.Zone, Sources: r.Sources,
		Sections: []Section{
			{"summary", r.t("summary"), r.summary()},
			{sla.SectionAvailability, r.t("availability"), r.availability()},
			{sla.SectionIncidents, r.t("incidents_by_severity"), r.incidents()},
			{sla.SectionResponse, r.t("response_times"), r.response()},
			{sla.SectionChanges, r.t("changes"), r.changes()},
			{sla.SectionMaintenance, r.t("maintenance"), r.maintenance()},
			{sla.SectionTrends, r.t("trends"), r.trends()},
			{"credits", r.t("credits"), r.credits()},
			{"kpis", r.t("key_figures"), r.kpis()},
			{"data_quality", r.t("data_quality"), r.quality()},
		},
	}
	if r.Explained {
		d.Sections = append(d.Sections, Section{"explanation", r.t("how_the_numbers_came_about"), r.explanation(r.explained())})
	}
	return d
}

// explained is Explain for a document, in which the credit lines explain themselves.
func (r serviceDoc) explained() []Explanation {
	all := r.Explain()
	values := all[len(all)-1].Values
	for i, l := range r.Report.Statement.Lines {
		values[fmt.Sprintf("line %d", i+1)] = l.Amount.String()
	}
	return all
}

func (r serviceDoc) availability() []Block {
	t := Table{Caption: r.t("availability_by_service"), Columns: []Column{
		{Title: r.t("service")},
		{Title: r.t("target"), Numeric: true},
		{Title: r.t("availability"), Numeric: true},
		{Title: r.t("verdict")},
		{Title: r.t("budget"), Numeric: true},
		{Title: r.t("budget_left"), Numeric: true},
	}}
	times := Table{Caption: r.t("where_the_time_went"), Columns: []Column{
		{Title: r.t("service")},
		{Title: r.t("service_time"), Numeric: true},
		{Title: r.t("down"), Numeric: true},
		{Title: r.t("excluded"), Numeric: true},
		{Title: r.t("degraded"), Numeric: true},
		{Title: r.t("unmonitored"), Numeric: true},
	}}
	excluded := Table{Caption: r.t("downtime_that_was_or_was_not_excluded"), Columns: []Column{{Title: r.t("service")}, {Title: r.t("ref")}, {Title: r.t("excluded")}, {Title: r.t("reason")}, {Title: r.t("time"), Numeric: true}}}
	for _, m := range r.Report.Availability {
		verdict := Cell{Text: r.outcome(m.Outcome), State: stateOf(m.Outcome)}
		if m.Outcome == sla.Missed && r.unpaid(m.Service) {
			verdict.Text = r.t("missed_no_credit_band_reached")
		}
		budget, left := r.duration(m.Allowed), r.duration(m.Left)
		if m.Outcome == sla.NoData {
			left = "–"
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: r.service(m.Service)},
			{Text: r.target(m.Target.String())},
			{Text: r.percent(m.Value)},
			verdict,
			{Text: budget},
			{Text: left},
		})
		times.Rows = append(times.Rows, []Cell{
			{Text: r.service(m.Service)},
			{Text: r.duration(m.Promised)},
			{Text: r.duration(m.Down)},
			{Text: r.duration(m.Excluded)},
			{Text: r.duration(m.Degraded)},
			{Text: r.duration(m.Unknown)},
		})
		for _, x := range m.Exclusions {
			excluded.Rows = append(excluded.Rows, []Cell{{Text: r.service(m.Service)}, {Text: x.Ref}, {Text: r.t("yes")}, {Text: r.name("reason", x.Reason)}, {Text: r.duration(x.Down)}})
		}
		for _, x := range m.Rejected {
			excluded.Rows = append(excluded.Rows, []Cell{{Text: r.service(m.Service)}, {Text: x.Ref}, {Text: r.t("no")}, {Text: r.name("reason", x.Reason)}, {Text: r.duration(x.Down)}})
		}
	}
	blocks := []Block{t, times}
	if len(excluded.Rows) > 0 {
		blocks = append(blocks, excluded)
	}
	for i, m := range r.Report.Availability {
		if len(m.Days) > 0 && len(m.Days) <= MaxBars {
			blocks = append(blocks, r.dayBars(i, m))
		}
		if len(m.Burn) > 1 {
			blocks = append(blocks, r.budgetChart(i, m))
		}
	}
	return blocks
}

// dayBars draws the days of a service. The axis is cut where it helps to see
// misses; the chart says so.
func (r serviceDoc) dayBars(i int, m sla.ServiceReport) Bars {
	b := Bars{
		ID: "days-" + strconv.Itoa(i+1), Title: r.t("by_day", r.service(m.Service)), Unit: "%", Per: r.t("day"), Max: 100,
		Limits: []Limit{{Name: r.t("target_line"), Value: ratioOf(m.Target.String())}},
	}
	measured, below, least, worst := 0, 0, 100.0, ""
	for _, d := range m.Days {
		bar := Bar{Label: d.Date[5:], Value: math.NaN(), State: stateOf(d.Outcome)}
		if d.Value.IsSet() {
			bar.Value, bar.Text = ratioOf(d.Value.Percent(6)), r.number(string(percent(d.Value)))
			measured++
			if bar.Value < least {
				least, worst = bar.Value, d.Date
			}
			if d.Outcome == sla.Missed {
				below++
				bar.State = Warning // the target is one of the period, not of the day
			}
		}
		b.Bars = append(b.Bars, bar)
	}
	switch {
	case least >= 99:
		b.Min = 99
	case least >= 90:
		b.Min = 90
	}
	b.Summary = r.t("days_measured", measured, len(m.Days), below)
	if worst != "" {
		b.Summary += " " + r.t("worst_day", worst)
	}
	return b
}

// budgetChart draws what was left of the downtime that the target allows.
func (r serviceDoc) budgetChart(i int, m sla.ServiceReport) Chart {
	s := r.Report.Statement
	c := Chart{
		ID: "budget-" + strconv.Itoa(i+1), Title: r.t("downtime_left", r.service(m.Service)), Unit: "min", Start: s.Period.Start, End: s.Period.End, Max: m.Allowed.Minutes(),
		Series: []Series{{Name: r.t("left")}},
	}
	points := make([]Point, len(m.Burn))
	for i, p := range m.Burn {
		points[i] = Point{At: p.At, Value: p.Left.Minutes()}
		if last := len(c.Marks); p.Left < 0 && last == 0 {
			c.Marks = append(c.Marks, Mark{Name: r.t("used_up"), At: p.At})
		}
	}
	c.Series[0].Points = points
	if s.Through.Before(s.Period.End) {
		c.Spans = append(c.Spans, Span{Name: r.t("unfinished"), Start: s.Through, End: s.Period.End, State: NoData})
	}
	c.Summary = r.t("left_at", r.duration(m.Left), r.duration(m.Allowed), r.clock(s.Through))
	return c
}

func (r serviceDoc) incidents() []Block {
	t := Table{Caption: r.t("incidents_opened_in_the_period_and_times"), Columns: []Column{
		{Title: r.t("severity")},
		{Title: r.t("opened"), Numeric: true},
		{Title: r.t("open_at_the_end"), Numeric: true},
		{Title: r.t("mean_time_to_detect"), Numeric: true},
		{Title: r.t("to_acknowledge"), Numeric: true},
		{Title: r.t("to_restore"), Numeric: true},
		{Title: r.t("restored_within"), Numeric: true},
	}}
	for _, s := range r.Report.Incidents.BySeverity {
		t.Rows = append(t.Rows, []Cell{
			{Text: s.Severity.String()},
			{Text: r.count(s.Count)},
			{Text: r.count(s.OpenAtEnd)},
			{Text: r.mean(s.Detect.Mean)},
			{Text: r.mean(s.Acknowledge.Mean)},
			{Text: r.mean(s.Restore.Mean)},
			{Text: r.mean(s.Restore.P95)},
		})
	}
	return []Block{t, Text(r.t("restore_runs"))}
}

func (r serviceDoc) response() []Block {
	if len(r.Report.Response) == 0 {
		return []Block{Text(r.t("no_clocks"))}
	}
	t := Table{Caption: r.t("clocks_of_the_contract"), Columns: []Column{
		{Title: r.t("clause")},
		{Title: r.t("severity")},
		{Title: r.t("promised")},
		{Title: r.t("met"), Numeric: true},
		{Title: r.t("missed"), Numeric: true},
		{Title: r.t("pending"), Numeric: true},
		{Title: r.t("compliance"), Numeric: true},
		{Title: r.t("mean"), Numeric: true},
		{Title: r.t("verdict")},
	}}
	for _, c := range r.Report.Response {
		verdict := Cell{Text: r.outcome(sla.Met), State: Good}
		switch {
		case c.Missed > 0:
			verdict = Cell{Text: r.outcome(sla.Missed), State: Bad}
		case c.Met == 0:
			verdict = Cell{State: NoData}
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: r.name("clause", string(c.Clause))},
			{Text: c.Severity.String()},
			{Text: r.promised(c)},
			{Text: r.count(c.Met)},
			{Text: r.count(c.Missed)},
			{Text: r.count(c.Pending)},
			{Text: r.percent(c.Compliance())},
			{Text: r.mean(c.Took.Mean)},
			verdict,
		})
	}
	return []Block{t}
}

func (r serviceDoc) promised(c sla.ClockReport) string {
	switch {
	case c.Within == 0:
		return r.t("next_business_day")
	case c.Strict:
		return r.t("less_than", r.duration(c.Within))
	}
	return r.t("at_most", r.duration(c.Within))
}

func (r serviceDoc) changes() []Block {
	c := r.Report.Changes
	t := Table{Caption: r.t("changes_finished_in_the_period"), Columns: []Column{{Title: r.t("what")}, {Title: r.t("number"), Numeric: true}}}
	for _, row := range []struct {
		what string
		n    int
	}{
		{r.t("finished"), c.Total},
		{r.t("successful"), c.Success},
		{r.t("successful_but_led_to_an_incident"), c.CausedIncident},
		{r.t("failed"), c.Failed},
		{r.t("rolled_back"), c.RolledBack},
		{r.t("emergency_changes"), c.Emergency},
		{r.t("cancelled_not_counted"), c.Cancelled},
	} {
		t.Rows = append(t.Rows, []Cell{{Text: row.what}, {Text: r.count(row.n)}})
	}
	return []Block{t, Text(r.t("success_rate", r.percent(c.SuccessShare)))}
}

func (r serviceDoc) maintenance() []Block {
	m := r.Report.Maintenance
	table := func(caption string, list []sla.PlannedWork) Block {
		t := Table{Caption: caption, Columns: []Column{{Title: r.t("ref")}, {Title: r.t("service")}, {Title: r.t("start")}, {Title: r.t("end")}, {Title: r.t("notice"), Numeric: true}, {Title: r.t("enough")}, {Title: r.t("what")}}}
		for _, w := range list {
			notice, enough := r.t("none"), Cell{Text: r.t("yes"), State: Good}
			if !w.Announced.IsZero() {
				notice = r.duration(w.Notice)
			}
			if !w.NoticeOK {
				enough = Cell{Text: r.t("no"), State: Warning}
			}
			t.Rows = append(t.Rows, []Cell{{Text: w.Ref}, {Text: r.service(w.Service)}, {Text: r.clock(w.Start)}, {Text: r.clock(w.End)}, {Text: notice}, enough, {Text: w.Title}})
		}
		if len(list) == 0 {
			return Text(r.t("none_of", caption))
		}
		return t
	}
	return []Block{table(r.t("upcoming_maintenance"), m.Upcoming), table(r.t("maintenance_in_the_period"), m.Past)}
}

func (r serviceDoc) trends() []Block {
	if len(r.Report.Trend) == 0 {
		return []Block{Text(r.t("no_trend_was_asked_for"))}
	}
	t := Table{Caption: r.t("months"), Columns: []Column{
		{Title: r.t("month")}, {Title: r.t("availability"), Numeric: true}, {Title: r.t("target"), Numeric: true}, {Title: r.t("verdict")}, {Title: r.t("incidents"), Numeric: true}, {Title: r.t("mean_time_to_restore"), Numeric: true},
	}}
	b := Bars{ID: "trend", Title: r.t("availability_by_month"), Unit: "%", Per: r.t("month"), Max: 100}
	least, measured := 100.0, 0
	for _, m := range r.Report.Trend {
		t.Rows = append(t.Rows, []Cell{
			{Text: m.Month},
			{Text: r.percent(m.Value)},
			{Text: r.target(m.Target.String())},
			{Text: r.outcome(m.Outcome), State: stateOf(m.Outcome)},
			{Text: r.count(m.Incidents)},
			{Text: r.mean(m.Restore.Mean)},
		})
		bar := Bar{Label: m.Month, Value: math.NaN(), State: stateOf(m.Outcome)}
		if m.Value.IsSet() {
			bar.Value, bar.Text = ratioOf(m.Value.Percent(6)), r.number(string(percent(m.Value)))
			least = min(least, bar.Value)
			measured++
		}
		b.Bars = append(b.Bars, bar)
		if m.Target > 0 && len(b.Limits) == 0 {
			b.Limits = []Limit{{Name: r.t("target_line"), Value: ratioOf(m.Target.String())}}
		}
	}
	switch {
	case least >= 99:
		b.Min = 99
	case least >= 90:
		b.Min = 90
	}
	b.Summary = r.t("last_months", len(r.Report.Trend), measured)
	if len(b.Bars) > MaxBars {
		return []Block{t}
	}
	return []Block{b, t}
}

func (r serviceDoc) credits() []Block {
	s := r.Report.Statement
	blocks := []Block{Text(r.t("credit_state", r.name("credit", string(s.State)), upper(r.creditNote(s))))}
	if len(s.Lines) > 0 {
		t := Table{Caption: r.t("credit_lines"), Columns: []Column{{Title: r.t("clause")}, {Title: r.t("ref")}, {Title: r.t("how_it_came_about")}, {Title: r.t("evidence")}, {Title: r.t("amount"), Numeric: true}}}
		for _, l := range s.Lines {
			t.Rows = append(t.Rows, []Cell{{Text: r.name("clause", string(l.Clause))}, {Text: l.Ref}, {Text: r.lineText(l)}, {Text: r.listed(l.Evidence)}, {Text: r.amount(l.Amount)}})
		}
		blocks = append(blocks, t)
	}
	sum := Table{Caption: r.t("what_is_due"), Columns: []Column{{Title: r.t("what")}, {Title: r.t("amount"), Numeric: true}}}
	sum.Rows = append(sum.Rows, []Cell{{Text: r.t("gross")}, {Text: r.amount(s.Gross)}})
	limit := r.t("none")
	if s.Cap.IsSet() {
		limit = r.amount(s.Cap)
	}
	sum.Rows = append(sum.Rows, []Cell{{Text: r.t("cap")}, {Text: limit}})
	for _, p := range creditData(s).Waterfall {
		sum.Rows = append(sum.Rows, []Cell{{Text: r.t("paid_for", r.name("clause", string(p.Clause)))}, {Text: r.amount(p.Payable)}})
	}
	sum.Rows = append(sum.Rows, []Cell{{Text: r.t("payable")}, {Text: r.amount(s.Payable)}})
	return append(blocks, sum)
}

func (r serviceDoc) kpis() []Block {
	t := Table{Caption: r.t("key_figures"), Columns: []Column{{Title: r.t("figure")}, {Title: r.t("value"), Numeric: true}, {Title: r.t("over"), Numeric: true}, {Title: r.t("target")}, {Title: r.t("verdict")}}}
	for _, k := range r.Report.KPIs {
		verdict := Cell{Text: r.outcome(k.Outcome), State: stateOf(k.Outcome)}
		if !k.Target.IsSet() {
			verdict = Cell{Text: r.t("no_target")}
		}
		t.Rows = append(t.Rows, []Cell{{Text: r.name("kpi", string(k.KPI))}, {Text: r.kpiText(k)}, {Text: r.count(k.N)}, {Text: r.limit(k.Target.String())}, verdict})
	}
	return []Block{t}
}

func (r serviceDoc) kpiText(k sla.KeyFigure) string {
	if !k.Value.IsSet() {
		return r.t("no_data")
	}
	switch k.Unit {
	case sla.UnitPercent:
		return r.target(string(figure(k)))
	case sla.UnitSeconds:
		return r.mean(k.Value)
	case sla.UnitMoney:
		if amount, err := k.Amount(r.Contract.Rounding); err == nil {
			return r.amount(amount)
		}
	default:
	}
	return r.number(string(short(k.Value.Decimal(2))))
}

func (r serviceDoc) quality() []Block {
	q := r.Report.Quality
	blocks := []Block{Text(r.t("evidence_is", r.name("grade", string(q.Grade)), r.duration(q.Unknown), r.duration(q.Of)))}
	if text := r.unjudged(q); text != "" {
		blocks = append(blocks, Text(text))
	}
	t := Table{Caption: r.t("what_a_reader_should_know"), Columns: []Column{{Title: r.t("code")}, {Title: r.t("ref")}, {Title: r.t("message")}}}
	for _, f := range r.Report.Statement.Findings {
		t.Rows = append(t.Rows, []Cell{{Text: f.Code}, {Text: f.Ref}, {Text: r.findingText(f)}})
	}
	for _, n := range r.Notices {
		t.Rows = append(t.Rows, []Cell{{Text: n.Code}, {Text: ""}, {Text: n.Message}})
	}
	if len(t.Rows) > 0 {
		blocks = append(blocks, t)
	}
	recipient := func(name string) string { return r.name("recipient", name) }
	return append(blocks, Text(r.t("recipients", strings.Join(mapped(r.Report.Recipients, recipient), ", "), r.clock(r.Report.DueBefore))))
}

// unjudged counts the evidence that was not judged, or judged more than once; "" if
// there is none.
func (r serviceDoc) unjudged(q sla.Quality) string {
	var parts []string
	for _, c := range [...]struct {
		n   int
		key string
	}{{q.Empty, "empty"}, {q.Outside, "outside"}, {q.Unassigned, "unassigned"}} {
		if c.n > 0 {
			parts = append(parts, r.t(c.key, c.n))
		}
	}
	text := ""
	if len(parts) > 0 {
		text = r.t("not_counted", strings.Join(parts, ", "))
	}
	if q.Shared > 0 {
		text = strings.TrimSpace(text + " " + r.t("shared", q.Shared))
	}
	return text
}

// service returns the name of a service, of all for "" and "*".
func (r serviceDoc) service(id string) string {
	switch name := r.Services[id]; {
	case id == "" || id == "*":
		return r.t("all_services")
	case name != "":
		return name
	}
	return id
}

func stateOf(o sla.Outcome) State {
	switch o {
	case sla.Met:
		return Good
	case sla.Missed:
		return Bad
	case sla.NoData, "":
		return NoData
	default:
		return Maintenance
	}
}

// upper writes the first letter as a capital.
func upper(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// ratioOf is the place of a percentage on an axis.
func ratioOf(text string) float64 {
	value, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil {
		return math.NaN()
	}
	return value
}
