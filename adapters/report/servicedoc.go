package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// Document returns the report for its readers: a summary, the six sections of the
// service report, and after them the credits, the key figures and the quality of
// the data.
func (r ServiceReport) Document() Document {
	s := r.Report.Statement
	d := Document{
		Title:     "Service report " + s.Period.Label,
		Subtitle:  r.customer() + ", contract " + r.Contract.ID + ", " + r.span(s.Period.Start, s.Period.End),
		Generated: r.Report.Now, Zone: r.Zone, Sources: r.Sources,
		Sections: []Section{
			{"summary", "Summary", r.summary()},
			{sla.SectionAvailability, "Availability", r.availability()},
			{sla.SectionIncidents, "Incidents by severity", r.incidents()},
			{sla.SectionResponse, "Response times", r.response()},
			{sla.SectionChanges, "Changes", r.changes()},
			{sla.SectionMaintenance, "Maintenance", r.maintenance()},
			{sla.SectionTrends, "Trends", r.trends()},
			{"credits", "Credits", r.credits()},
			{"kpis", "Key figures", r.kpis()},
			{"data_quality", "Data quality", r.quality()},
		},
	}
	if r.Explained {
		d.Sections = append(d.Sections, Section{"explanation", "How the numbers came about", explanationBlocks(r.Explain())})
	}
	return d
}

func (r ServiceReport) zone() *time.Location { return cmp.Or(r.Zone, time.UTC) }

func (r ServiceReport) span(from, to time.Time) string {
	return r.clock(from) + " to " + r.clock(to)
}

func (r ServiceReport) summary() []Block {
	s := r.Report.Statement
	var tiles Tiles
	for _, o := range s.Overall {
		t := Tile{Label: "Availability", Value: r.percent(o.Value), State: stateOf(o.Outcome), Note: "target " + r.target(o.Target.String()) + ", " + outcomeWord(o.Outcome)}
		switch {
		case o.Service != "":
			t.Note = o.Method.String() + " service: " + r.service(o.Service) + ", " + t.Note
		case o.Method == sla.Mean || o.Method == sla.Weighted:
			t.Note = o.Method.String() + " of the services, " + t.Note
		}
		if r.unpaid(cmp.Or(o.Service, o.Term)) {
			t.Note += ", no credit band reached"
		}
		tiles = append(tiles, t)
	}
	tiles = append(tiles,
		Tile{Label: "Credit", Value: r.amount(s.Payable), Note: r.creditNote(s), State: creditState(s.State)},
		Tile{Label: "Incidents", Value: strconv.Itoa(r.Report.Incidents.Total), Note: "opened in the period"},
		Tile{Label: "Promises missed", Value: strconv.Itoa(len(s.Breaches)), Note: "see the list below", State: r.breachState()},
	)
	blocks := []Block{tiles}
	if !s.Complete {
		blocks = append(blocks, Text("The period is not over: all figures cover the time up to "+r.clock(s.Through)+", and credits are an estimate."))
	}
	if !r.judged() {
		blocks = append(blocks, Text("Nothing was measured in this period, so there is no availability to report."))
	}
	if len(s.Breaches) == 0 {
		return blocks
	}
	t := Table{Caption: "Promises missed", Columns: []Column{
		{Title: "Clause"},
		{Title: "Ref"},
		{Title: "Service"},
		{Title: "Severity"},
		{Title: "Promised", Numeric: true},
		{Title: "Actual", Numeric: true},
		{Title: "When"},
		{Title: "Credit", Numeric: true},
	}}
	why := Table{Caption: "Why they were missed", Columns: []Column{{Title: "Clause"}, {Title: "Ref"}, {Title: "Cause"}, {Title: "Remedial action"}, {Title: "Credit"}}}
	for _, b := range r.Report.Breaches {
		promised, actual := r.breachTexts(b)
		credit := "due"
		switch {
		case b.Clause == sla.ClauseAvailability && r.unpaid(b.Ref):
			credit = "none, no credit band reached"
		case b.Credit.Sign() == 0:
			credit = "none"
		}
		severity := ""
		if b.Severity.IsSet() {
			severity = b.Severity.String()
		}
		service := ""
		if b.Service != "" {
			service = r.service(b.Service)
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: string(b.Clause), State: Bad},
			{Text: b.Ref},
			{Text: service},
			{Text: severity},
			{Text: promised},
			{Text: actual},
			{Text: r.clock(b.At)},
			{Text: r.amount(b.Credit)},
		})
		why.Rows = append(why.Rows, []Cell{
			{Text: string(b.Clause)}, {Text: b.Ref}, {Text: cmp.Or(b.Cause, "not given")}, {Text: cmp.Or(b.Action, "not given")}, {Text: credit},
		})
	}
	return append(blocks, t, why)
}

func (r ServiceReport) breachState() State {
	switch {
	case len(r.Report.Statement.Breaches) > 0:
		return Bad
	case !r.judged():
		return NoData
	}
	return Good
}

func (r ServiceReport) breachTexts(b sla.BreachReport) (promised, actual string) {
	switch {
	case b.KeyFigure != nil:
		return b.KeyFigure.Target.String(), r.locale().number(string(figure(*b.KeyFigure)))
	case b.Clause == sla.ClauseAvailability:
		return r.target(b.Target.String()), r.percent(b.Value)
	case b.Clause == sla.ClauseMonitoring:
		return "no gap", durationText(b.Actual)
	case b.Promised == 0:
		return "next business day", durationText(b.Actual)
	}
	return durationText(b.Promised), durationText(b.Actual)
}

func (r ServiceReport) creditNote(s sla.Statement) string {
	switch s.State {
	case sla.StateNone:
		return "every promise kept, nothing due"
	case sla.StateBreachNoBand:
		return "a promise was missed, but no credit is due for it"
	case sla.StateCapped:
		return "due, capped; " + r.amount(s.Gross) + " before the cap of " + r.amount(s.Cap)
	case sla.StateNoData:
		return "no data: not every service was measured"
	default:
		if !s.Complete {
			return "due as of now, of a fee of " + r.amount(s.Fee)
		}
		return "due, of a fee of " + r.amount(s.Fee)
	}
}

func creditState(s sla.State) State {
	switch s {
	case sla.StateNone:
		return Good
	case sla.StateNoData:
		return NoData
	default:
		return Bad
	}
}

func (r ServiceReport) availability() []Block {
	t := Table{Caption: "Availability by service", Columns: []Column{
		{Title: "Service"},
		{Title: "Target", Numeric: true},
		{Title: "Availability", Numeric: true},
		{Title: "Verdict"},
		{Title: "Budget", Numeric: true},
		{Title: "Budget left", Numeric: true},
	}}
	times := Table{Caption: "Where the time went", Columns: []Column{
		{Title: "Service"},
		{Title: "Service time", Numeric: true},
		{Title: "Down", Numeric: true},
		{Title: "Excluded", Numeric: true},
		{Title: "Degraded", Numeric: true},
		{Title: "Unmonitored", Numeric: true},
	}}
	excluded := Table{Caption: "Downtime that was or was not excluded", Columns: []Column{{Title: "Service"}, {Title: "Ref"}, {Title: "Excluded"}, {Title: "Reason"}, {Title: "Time", Numeric: true}}}
	for _, m := range r.Report.Availability {
		verdict := Cell{Text: outcomeWord(m.Outcome), State: stateOf(m.Outcome)}
		if m.Outcome == sla.Missed && r.unpaid(m.Service) {
			verdict.Text = "missed, no credit band reached"
		}
		budget, left := durationText(m.Allowed), durationText(m.Left)
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
			{Text: durationText(m.Promised)},
			{Text: durationText(m.Down)},
			{Text: durationText(m.Excluded)},
			{Text: durationText(m.Degraded)},
			{Text: durationText(m.Unknown)},
		})
		for _, x := range m.Exclusions {
			excluded.Rows = append(excluded.Rows, []Cell{{Text: r.service(m.Service)}, {Text: x.Ref}, {Text: "yes"}, {Text: words(x.Reason)}, {Text: durationText(x.Down)}})
		}
		for _, x := range m.Rejected {
			excluded.Rows = append(excluded.Rows, []Cell{{Text: r.service(m.Service)}, {Text: x.Ref}, {Text: "no"}, {Text: words(x.Reason)}, {Text: durationText(x.Down)}})
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
func (r ServiceReport) dayBars(i int, m sla.ServiceReport) Bars {
	b := Bars{
		ID: "days-" + strconv.Itoa(i+1), Title: "Availability of " + r.service(m.Service) + " by day", Unit: "%", Per: "Day", Max: 100,
		Limits: []Limit{{Name: "target", Value: ratioOf(m.Target.String())}},
	}
	measured, below, least, worst := 0, 0, 100.0, ""
	for _, d := range m.Days {
		bar := Bar{Label: d.Date[5:], Value: math.NaN(), State: stateOf(d.Outcome)}
		if d.Value.IsSet() {
			bar.Value, bar.Text = ratioOf(d.Value.Percent(6)), string(percent(d.Value))
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
	b.Summary = fmt.Sprintf("%d of %d days were measured; %d of them were below the target of the period.", measured, len(m.Days), below)
	if worst != "" {
		b.Summary += " The worst was " + worst + "."
	}
	return b
}

// budgetChart draws what was left of the downtime that the target allows.
func (r ServiceReport) budgetChart(i int, m sla.ServiceReport) Chart {
	s := r.Report.Statement
	c := Chart{
		ID: "budget-" + strconv.Itoa(i+1), Title: "Downtime left of " + r.service(m.Service), Unit: "min", Start: s.Period.Start, End: s.Period.End, Max: m.Allowed.Minutes(),
		Series: []Series{{Name: "left"}},
	}
	points := make([]Point, len(m.Burn))
	for i, p := range m.Burn {
		points[i] = Point{At: p.At, Value: p.Left.Minutes()}
		if last := len(c.Marks); p.Left < 0 && last == 0 {
			c.Marks = append(c.Marks, Mark{Name: "used up", At: p.At})
		}
	}
	c.Series[0].Points = points
	if s.Through.Before(s.Period.End) {
		c.Spans = append(c.Spans, Span{Name: "not over", Start: s.Through, End: s.Period.End, State: NoData})
	}
	c.Summary = durationText(m.Left) + " of " + durationText(m.Allowed) + " left at " + r.clock(s.Through) + "."
	return c
}

func (r ServiceReport) incidents() []Block {
	t := Table{Caption: "Incidents opened in the period, and times that ended in it", Columns: []Column{
		{Title: "Severity"},
		{Title: "Opened", Numeric: true},
		{Title: "Open at the end", Numeric: true},
		{Title: "Mean time to detect", Numeric: true},
		{Title: "to acknowledge", Numeric: true},
		{Title: "to restore", Numeric: true},
		{Title: "95 % restored within", Numeric: true},
	}}
	for _, s := range r.Report.Incidents.BySeverity {
		t.Rows = append(t.Rows, []Cell{
			{Text: s.Severity.String()},
			{Text: strconv.Itoa(s.Count)},
			{Text: strconv.Itoa(s.OpenAtEnd)},
			{Text: timeText(s.Detect.Mean)},
			{Text: timeText(s.Acknowledge.Mean)},
			{Text: timeText(s.Restore.Mean)},
			{Text: timeText(s.Restore.P95)},
		})
	}
	return []Block{t, Text("The time to restore runs from the detection of an incident, or from its opening where that is not known.")}
}

func (r ServiceReport) response() []Block {
	if len(r.Report.Response) == 0 {
		return []Block{Text("The contract promises no response or resolution times.")}
	}
	t := Table{Caption: "Clocks of the contract", Columns: []Column{
		{Title: "Clause"},
		{Title: "Severity"},
		{Title: "Promised"},
		{Title: "Met", Numeric: true},
		{Title: "Missed", Numeric: true},
		{Title: "Pending", Numeric: true},
		{Title: "Compliance", Numeric: true},
		{Title: "Mean", Numeric: true},
		{Title: "Verdict"},
	}}
	for _, c := range r.Report.Response {
		verdict := Cell{Text: "met", State: Good}
		switch {
		case c.Missed > 0:
			verdict = Cell{Text: "missed", State: Bad}
		case c.Met == 0:
			verdict = Cell{State: NoData}
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: string(c.Clause)},
			{Text: c.Severity.String()},
			{Text: promisedText(c)},
			{Text: strconv.Itoa(c.Met)},
			{Text: strconv.Itoa(c.Missed)},
			{Text: strconv.Itoa(c.Pending)},
			{Text: r.percent(c.Compliance())},
			{Text: timeText(c.Took.Mean)},
			verdict,
		})
	}
	return []Block{t}
}

func promisedText(c sla.ClockReport) string {
	switch {
	case c.Within == 0:
		return "next business day"
	case c.Strict:
		return "less than " + durationText(c.Within)
	}
	return "at most " + durationText(c.Within)
}

func (r ServiceReport) changes() []Block {
	c := r.Report.Changes
	t := Table{Caption: "Changes finished in the period", Columns: []Column{{Title: "What"}, {Title: "Number", Numeric: true}}}
	for _, row := range []struct {
		what string
		n    int
	}{
		{"finished", c.Total},
		{"successful", c.Success},
		{"successful, but led to an incident", c.CausedIncident},
		{"failed", c.Failed},
		{"rolled back", c.RolledBack},
		{"emergency changes", c.Emergency},
		{"cancelled, not counted", c.Cancelled},
	} {
		t.Rows = append(t.Rows, []Cell{{Text: row.what}, {Text: strconv.Itoa(row.n)}})
	}
	return []Block{t, Text("Success rate: " + r.percent(c.SuccessShare) + ".")}
}

func (r ServiceReport) maintenance() []Block {
	m := r.Report.Maintenance
	table := func(caption string, list []sla.PlannedWork) Block {
		t := Table{Caption: caption, Columns: []Column{{Title: "Ref"}, {Title: "Service"}, {Title: "Start"}, {Title: "End"}, {Title: "Notice", Numeric: true}, {Title: "Enough"}, {Title: "What"}}}
		for _, w := range list {
			notice, enough := "none", Cell{Text: "yes", State: Good}
			if !w.Announced.IsZero() {
				notice = durationText(w.Notice)
			}
			if !w.NoticeOK {
				enough = Cell{Text: "no", State: Warning}
			}
			t.Rows = append(t.Rows, []Cell{{Text: w.Ref}, {Text: r.service(w.Service)}, {Text: r.clock(w.Start)}, {Text: r.clock(w.End)}, {Text: notice}, enough, {Text: w.Title}})
		}
		if len(list) == 0 {
			return Text(caption + ": none.")
		}
		return t
	}
	return []Block{table("Upcoming maintenance", m.Upcoming), table("Maintenance in the period", m.Past)}
}

func (r ServiceReport) trends() []Block {
	if len(r.Report.Trend) == 0 {
		return []Block{Text("No trend was asked for.")}
	}
	t := Table{Caption: "Months", Columns: []Column{
		{Title: "Month"}, {Title: "Availability", Numeric: true}, {Title: "Target", Numeric: true}, {Title: "Verdict"}, {Title: "Incidents", Numeric: true}, {Title: "Mean time to restore", Numeric: true},
	}}
	b := Bars{ID: "trend", Title: "Availability by month", Unit: "%", Per: "Month", Max: 100}
	least, measured := 100.0, 0
	for _, m := range r.Report.Trend {
		t.Rows = append(t.Rows, []Cell{
			{Text: m.Month},
			{Text: r.percent(m.Value)},
			{Text: r.target(m.Target.String())},
			{Text: outcomeWord(m.Outcome), State: stateOf(m.Outcome)},
			{Text: strconv.Itoa(m.Incidents)},
			{Text: timeText(m.Restore.Mean)},
		})
		bar := Bar{Label: m.Month, Value: math.NaN(), State: stateOf(m.Outcome)}
		if m.Value.IsSet() {
			bar.Value, bar.Text = ratioOf(m.Value.Percent(6)), string(percent(m.Value))
			least = min(least, bar.Value)
			measured++
		}
		b.Bars = append(b.Bars, bar)
		if m.Target > 0 && len(b.Limits) == 0 {
			b.Limits = []Limit{{Name: "target", Value: ratioOf(m.Target.String())}}
		}
	}
	switch {
	case least >= 99:
		b.Min = 99
	case least >= 90:
		b.Min = 90
	}
	b.Summary = fmt.Sprintf("Availability of the last %d months, of which %d were measured.", len(r.Report.Trend), measured)
	if len(b.Bars) > MaxBars {
		return []Block{t}
	}
	return []Block{b, t}
}

func (r ServiceReport) credits() []Block {
	s := r.Report.Statement
	blocks := []Block{Text("State: " + words(string(s.State)) + ". " + upper(r.creditNote(s)) + ".")}
	if len(s.Lines) > 0 {
		t := Table{Caption: "Credit lines", Columns: []Column{{Title: "Clause"}, {Title: "Ref"}, {Title: "How it came about"}, {Title: "Evidence"}, {Title: "Amount", Numeric: true}}}
		for _, l := range s.Lines {
			t.Rows = append(t.Rows, []Cell{{Text: string(l.Clause)}, {Text: l.Ref}, {Text: l.Explain()}, {Text: listed(l.Evidence)}, {Text: r.amount(l.Amount)}})
		}
		blocks = append(blocks, t)
	}
	sum := Table{Caption: "What is due", Columns: []Column{{Title: "What"}, {Title: "Amount", Numeric: true}}}
	sum.Rows = append(sum.Rows, []Cell{{Text: "gross"}, {Text: r.amount(s.Gross)}})
	limit := "none"
	if s.Cap.IsSet() {
		limit = r.amount(s.Cap)
	}
	sum.Rows = append(sum.Rows, []Cell{{Text: "cap"}, {Text: limit}})
	for _, p := range creditData(s).Waterfall {
		sum.Rows = append(sum.Rows, []Cell{{Text: "paid for " + string(p.Clause)}, {Text: r.amount(p.Payable)}})
	}
	sum.Rows = append(sum.Rows, []Cell{{Text: "payable"}, {Text: r.amount(s.Payable)}})
	return append(blocks, sum)
}

func (r ServiceReport) kpis() []Block {
	t := Table{Caption: "Key figures", Columns: []Column{{Title: "Figure"}, {Title: "Value", Numeric: true}, {Title: "Over", Numeric: true}, {Title: "Target"}, {Title: "Verdict"}}}
	for _, k := range r.Report.KPIs {
		verdict := Cell{Text: outcomeWord(k.Outcome), State: stateOf(k.Outcome)}
		if !k.Target.IsSet() {
			verdict = Cell{Text: "no target"}
		}
		t.Rows = append(t.Rows, []Cell{{Text: words(string(k.KPI))}, {Text: r.kpiText(k)}, {Text: strconv.Itoa(k.N)}, {Text: k.Target.String()}, verdict})
	}
	return []Block{t}
}

func (r ServiceReport) kpiText(k sla.KeyFigure) string {
	if !k.Value.IsSet() {
		return "no data"
	}
	switch k.Unit {
	case sla.UnitPercent:
		return r.target(string(figure(k)))
	case sla.UnitSeconds:
		return timeText(k.Value)
	case sla.UnitMoney:
		if amount, err := k.Amount(r.Contract.Rounding); err == nil {
			return r.amount(amount)
		}
	default:
	}
	return r.locale().number(string(short(k.Value.Decimal(2))))
}

func (r ServiceReport) quality() []Block {
	q := r.Report.Quality
	blocks := []Block{Text(fmt.Sprintf("Evidence: %s. %s of %s of service time was not monitored, all services together.", q.Grade, durationText(q.Unknown), durationText(q.Of)))}
	if text := unjudged(q); text != "" {
		blocks = append(blocks, Text(text))
	}
	t := Table{Caption: "What a reader should know", Columns: []Column{{Title: "Code"}, {Title: "Ref"}, {Title: "Message"}}}
	for _, f := range r.Report.Statement.Findings {
		t.Rows = append(t.Rows, []Cell{{Text: f.Code}, {Text: f.Ref}, {Text: f.Text}})
	}
	for _, n := range r.Notices {
		t.Rows = append(t.Rows, []Cell{{Text: n.Code}, {Text: ""}, {Text: n.Message}})
	}
	if len(t.Rows) > 0 {
		blocks = append(blocks, t)
	}
	return append(blocks, Text("Recipients: "+strings.Join(mapped(r.Report.Recipients, words), ", ")+". Due before "+r.clock(r.Report.DueBefore)+"."))
}

// unjudged counts the evidence that was not judged, or judged more than once; "" if
// there is none.
func unjudged(q sla.Quality) string {
	var parts []string
	for _, c := range [...]struct {
		n    int
		text string
	}{{q.Empty, "without length"}, {q.Outside, "outside the covered time"}, {q.Unassigned, "of a service that no term names"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.text))
		}
	}
	text := ""
	if len(parts) > 0 {
		text = "Evidence that is not part of the figures: " + strings.Join(parts, ", ") + "."
	}
	if q.Shared > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s Evidence without a service, which counts against each: %d.", text, q.Shared))
	}
	return text
}

func explanationBlocks(all []Explanation) []Block {
	t := Table{Caption: "Headline numbers", Columns: []Column{{Title: "Number"}, {Title: "Formula"}, {Title: "Values"}, {Title: "Source"}}}
	for _, e := range all {
		var values []string
		for _, key := range slices.Sorted(maps.Keys(e.Values)) {
			value := e.Values[key]
			switch v := value.(type) {
			case Number:
				value = cmp.Or(v, "none")
			case *time.Time:
				if value = "none"; v != nil {
					value = v.Format(time.RFC3339)
				}
			}
			values = append(values, fmt.Sprintf("%s = %v", key, value))
		}
		t.Rows = append(t.Rows, []Cell{{Text: e.Field}, {Text: e.Formula}, {Text: strings.Join(values, "; ")}, {Text: e.Source}})
	}
	return []Block{t}
}

// listed joins refs, the first few of many.
func listed(refs []string) string {
	const most = 12
	if len(refs) > most {
		return strings.Join(refs[:most], ", ") + fmt.Sprintf(" and %d more", len(refs)-most)
	}
	return strings.Join(refs, ", ")
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

func outcomeWord(o sla.Outcome) string {
	if o == "" {
		o = sla.NoData
	}
	return words(string(o))
}

// words writes a name as words: "no_data" as "no data".
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// ratioOf is the place of a percentage on an axis.
func ratioOf(text string) float64 {
	value, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil {
		return math.NaN()
	}
	return value
}

// timeText writes a mean of durations in whole seconds, cut off.
func timeText(f sla.Figure) string {
	if !f.IsSet() {
		return "no data"
	}
	whole, err := strconv.ParseInt(f.Decimal(0), 10, 64)
	if err != nil || whole > math.MaxInt64/int64(time.Second) {
		return f.Decimal(0) + " s"
	}
	return durationText(time.Duration(whole) * time.Second)
}

// durationText writes "8h10m0s" as Go does, without units that are zero.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
