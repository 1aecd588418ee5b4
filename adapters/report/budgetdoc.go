package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/slo"
)

// Document returns the report for its readers: what is left of every budget, and a
// section for each with its figures, burn rates, alerts and, where there is a
// history, charts.
func (r BudgetReport) Document() Document {
	d := Document{
		Title: "Error budgets", Subtitle: "as of " + r.clock(r.At), Generated: r.At, Zone: r.Zone, Sources: r.Sources,
		Sections: []Section{{"summary", "Summary", r.summary()}},
	}
	for i, b := range r.Budgets {
		d.Sections = append(d.Sections, Section{fmt.Sprintf("slo-%d", i+1), b.Objective.ID + ": " + promise(b), r.blocks(i, b)})
	}
	if r.Explained {
		d.Sections = append(d.Sections, Section{"explanation", "How the numbers came about", languageOf("en", r.Zone).explanation(r.Explain())})
	}
	return d
}

func (r BudgetReport) blocks(i int, b Budget) []Block {
	measured := b.Status.State != slo.NoData
	var blocks []Block
	if measured {
		blocks = append(blocks, r.figures(b))
	} else {
		blocks = append(blocks, Text("Nothing was measured from "+r.clock(b.Status.Window.Start)+" to "+r.clock(b.Status.At)+", so there is nothing to judge."))
	}
	if len(b.Statuses) > 1 {
		blocks = append(blocks, r.windows(b))
	}
	if measured && b.hasPolicy() {
		blocks = append(blocks, policy(b)...)
	}
	if len(b.Decisions) > 0 {
		blocks = append(blocks, r.alerts(b))
	}
	if slices.ContainsFunc(b.Burns, func(w slo.Burn) bool { return measured || w.Rate.IsSet() }) {
		blocks = append(blocks, burns(b))
	}
	if len(b.Status.Exclusions) > 0 {
		blocks = append(blocks, r.exclusions(b))
	}
	if measured {
		blocks = append(blocks, r.charts(i, b)...)
	}
	return blocks
}

func (r BudgetReport) clock(t time.Time) string {
	return t.In(cmp.Or(r.Zone, time.UTC)).Format("2 Jan 2006 15:04 MST")
}

// promise says what an objective promises: "99.9 % of the requests …".
func promise(b Budget) string {
	text := b.Objective.Target.Percent() + " % of the events of "
	if s := b.Objective.Slices; s != nil {
		text = b.Objective.Target.Percent() + " % of the slices of " + threshold.FormatDuration(s.Length) + " with " + s.Target.Percent() + " % good events of "
	}
	return text + cmp.Or(b.Objective.Service, b.Objective.ID) + " in " + strings.Join(mapped(b.Objective.Windows, windowText), " and in ")
}

// windowText names a window: "30d", "a calendar month".
func windowText(w slo.Window) string {
	if w.IsRolling() {
		return threshold.FormatDuration(w.Nominal())
	}
	return "a " + words(w.Kind())
}

func (r BudgetReport) summary() []Block {
	var tiles Tiles
	for _, b := range r.Budgets {
		tiles = append(tiles, Tile{Label: b.Objective.ID, Value: ratioPercent(b.Status.Remaining) + " left", Note: r.note(b), State: budgetState(b)})
		if b.Status.State == slo.NoData {
			tiles[len(tiles)-1].Value = "no data"
		}
	}
	return []Block{tiles}
}

// note says in words how it stands.
func (r BudgetReport) note(b Budget) string {
	var parts []string
	switch b.Status.State {
	case slo.NoData:
		parts = append(parts, "nothing was measured")
	case slo.Exhausted:
		parts = append(parts, "budget exhausted")
	case slo.AtRisk:
		parts = append(parts, "budget at risk")
	default:
		parts = append(parts, "budget left")
	}
	switch b.Status.Met {
	case slo.Met:
		parts = append(parts, "objective met")
	case slo.Missed:
		parts = append(parts, "objective missed")
	case slo.Undecided:
	}
	if due := b.Review().Due; len(due) > 0 {
		parts = append(parts, due[len(due)-1].Name+" is due")
	}
	for _, d := range b.Decisions {
		if d.Firing {
			parts = append(parts, d.Rule+" fires")
		}
	}
	if at := b.Forecast.ExhaustsAt; at.After(r.At) && b.Status.State != slo.Exhausted {
		parts = append(parts, "gone at "+r.clock(at)+" if the last hour goes on")
	}
	return strings.Join(parts, ", ")
}

func budgetState(b Budget) State {
	fires := slices.ContainsFunc(b.Decisions, func(d slo.Decision) bool { return d.Firing })
	switch state := b.Status.State; {
	case state == slo.Exhausted:
		return Bad
	case state == slo.AtRisk || fires:
		return Warning
	case state == slo.NoData:
		return NoData
	}
	return Good
}

// windows has a row for each window of an objective that is judged over several.
func (r BudgetReport) windows(b Budget) Block {
	t := Table{Caption: "Windows", Columns: []Column{
		{Title: "Window"}, {Title: "From"}, {Title: "To"}, {Title: "SLI", Numeric: true}, {Title: "Bad", Numeric: true}, {Title: "Left", Numeric: true}, {Title: "State"},
	}}
	for i, s := range b.Statuses {
		name := ""
		if i < len(b.Objective.Windows) {
			name = windowText(b.Objective.Windows[i])
		}
		state := Cell{Text: words(s.State.String()), State: Good}
		left := Cell{Text: ratioPercent(s.Remaining)}
		switch s.State {
		case slo.NoData:
			state.State, left = NoData, Cell{}
		case slo.Exhausted:
			state.State = Bad
		case slo.AtRisk:
			state.State = Warning
		case slo.OK:
			state.Text = "budget left"
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: name},
			{Text: r.clock(s.Window.Start)},
			{Text: r.clock(s.Window.End)},
			{Text: percentOr(cutPercent(s.SLI), "no data")},
			{Text: strconv.FormatUint(s.Bad, 10)},
			left, state,
		})
	}
	return t
}

func (r BudgetReport) figures(b Budget) Block {
	s := b.Status
	t := Table{Caption: "Budget", Columns: []Column{{Title: "Figure"}, {Title: "Value", Numeric: true}, {Title: "What it is"}}}
	row := func(name, value, what string) {
		t.Rows = append(t.Rows, []Cell{{Text: name}, {Text: value}, {Text: what}})
	}
	unit := s.Measure.String()
	row("SLI", percentOr(cutPercent(s.SLI), "no data"), fmt.Sprintf("%d good of %d %s, cut at six decimals", s.Good, s.Total, unit))
	row("Allowed", ratioText(s.Allowed), "bad "+unit+" for as many as there were")
	row("Bad", strconv.FormatUint(s.Bad, 10), unit)
	row("Left", ratioText(s.Left), "bad "+unit+", negative when overspent")
	row("Burn to date", ratioText(s.Burn), "1 uses up the budget exactly")
	row("Consumed", ratioPercent(s.Consumed), "of the budget of the whole window")
	row("Coverage", percentOr(cutPercent(s.Coverage), "no data"), "of "+threshold.FormatDuration(s.Elapsed.Truncate(time.Second))+" so far was measured or excluded")
	window := r.clock(s.Window.Start) + " to " + r.clock(s.Window.End)
	row("Window", threshold.FormatDuration(s.Length.Truncate(time.Second)), window)
	return t
}

// policy says which actions of the budget policy are due.
func policy(b Budget) []Block {
	t := Table{Caption: "Budget policy", Columns: []Column{{Title: "Action"}, {Title: "From", Numeric: true}, {Title: "State"}, {Title: "What is to be done"}}}
	review := b.Review()
	row := func(a slo.BudgetAction, text string, state State) {
		t.Rows = append(t.Rows, []Cell{{Text: a.Name}, {Text: ratioPercent(a.Consumed)}, {Text: text, State: state}, {Text: a.Text}})
	}
	for _, a := range review.Due {
		row(a, "due", Warning)
	}
	if review.Next != nil {
		row(*review.Next, "next, "+ratioPercent(review.Until)+" of the budget away", Good)
	}
	var blocks []Block
	if len(t.Rows) > 0 {
		blocks = append(blocks, t)
	}
	if review.Unused.IsSet() {
		blocks = append(blocks, Text(ratioPercent(review.Unused)+" of the budget is left at the end of the window, and "+
			ratioPercent(b.Objective.BudgetPolicy.Unused)+" may be: the service is better than it needs to be."))
	}
	return blocks
}

func isBurnRate(d slo.Decision) bool { return d.Kind == slo.BurnRate }

// condition says when a rule holds, for a table with rules of several kinds.
func condition(d slo.Decision) string {
	switch d.Kind {
	case slo.AbsoluteCount:
		return fmt.Sprintf("%d bad or more, and %s or more", d.MinBad, ratioPercent(d.Threshold))
	case slo.Silence:
		return "no event"
	default:
		return "burn above " + ratioText(d.Factor)
	}
}

func (r BudgetReport) alerts(b Budget) Block {
	t := Table{Caption: "Alerts", Columns: []Column{{Title: "Rule"}, {Title: "Severity"}, {Title: "Windows"}, {Title: "Burn above", Numeric: true}, {Title: "State"}, {Title: "Since"}}}
	limit := func(d slo.Decision) string { return ratioText(d.Factor) }
	if slices.ContainsFunc(b.Decisions, func(d slo.Decision) bool { return !isBurnRate(d) }) {
		t.Columns[3], limit = Column{Title: "Holds on"}, condition
	}
	for _, d := range b.Decisions {
		windows := threshold.FormatDuration(d.Long)
		if d.Short > 0 {
			windows += " and " + threshold.FormatDuration(d.Short)
		}
		state, text := Good, "silent"
		switch {
		case d.Firing && d.Severity == slo.Page:
			state, text = Bad, "firing"
		case d.Firing:
			state, text = Warning, "firing"
		case d.Holds:
			state, text = Warning, "pending"
		case d.Cause == slo.NoEvents:
			state, text = NoData, ""
		}
		if d.Cold && text != "" {
			text += ", on less history than it asks for"
		}
		since := ""
		if !d.Since.IsZero() {
			since = r.clock(d.Since)
		}
		t.Rows = append(t.Rows, []Cell{{Text: d.Rule}, {Text: string(d.Severity)}, {Text: windows}, {Text: limit(d)}, {Text: text, State: state}, {Text: since}})
	}
	return t
}

func burns(b Budget) Block {
	t := Table{Caption: "Burn rates", Columns: []Column{{Title: "Window", Numeric: true}, {Title: "Burn rate", Numeric: true}, {Title: "Bad", Numeric: true}, {Title: "Total", Numeric: true}}}
	for _, w := range b.Burns {
		rate := Cell{Text: ratioText(w.Rate)}
		if !w.Rate.IsSet() {
			rate = Cell{State: NoData}
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: threshold.FormatDuration(w.Window)}, rate, {Text: strconv.FormatUint(w.Counts.Bad(), 10)}, {Text: strconv.FormatUint(w.Counts.Total, 10)},
		})
	}
	return t
}

func (r BudgetReport) exclusions(b Budget) Block {
	t := Table{Caption: "Excluded time", Columns: []Column{{Title: "Reason"}, {Title: "From"}, {Title: "To"}, {Title: "Taken out", Numeric: true}}}
	for _, x := range b.Status.Exclusions {
		t.Rows = append(t.Rows, []Cell{{Text: x.Reason}, {Text: r.clock(x.Start)}, {Text: r.clock(x.End)}, {Text: threshold.FormatDuration(x.Removed.Truncate(time.Second))}})
	}
	return t
}

// charts draws how the budget went and how fast it burned, from the first point of
// the history on.
func (r BudgetReport) charts(i int, b Budget) []Block {
	if len(b.History) < 2 {
		return nil
	}
	start, end := b.History[0].At, b.History[len(b.History)-1].At
	consumed := Chart{
		ID: fmt.Sprintf("consumed-%d", i+1), Title: b.Objective.ID + ": budget consumed", Start: start, End: end, Unit: "%",
		Summary: ratioPercent(b.Status.Consumed) + " of the budget is gone; the line at 100 % is the end of it.",
		Series:  []Series{{Name: "consumed", Points: make([]Point, 0, len(b.History))}},
		Limits:  []Limit{{Name: "budget", Value: 100}},
	}
	for _, x := range b.Status.Exclusions {
		consumed.Spans = append(consumed.Spans, Span{Name: x.Reason, Start: x.Start, End: x.End, State: Maintenance})
	}
	for _, p := range b.History {
		consumed.Series[0].Points = append(consumed.Series[0].Points, Point{p.At, ratioFloat(p.Consumed) * 100})
	}
	blocks := []Block{consumed}
	if !slices.ContainsFunc(b.Decisions, isBurnRate) {
		return blocks
	}
	return append(blocks, r.burnChart(i, b, start, end))
}

// mostLines is how many lines a chart of burn rates has: there are as many
// colours.
const mostLines = 4

func (r BudgetReport) burnChart(i int, b Budget, start, end time.Time) Chart {
	c := Chart{ID: fmt.Sprintf("burn-%d", i+1), Title: b.Objective.ID + ": burn rate", Start: start, End: end, Unit: "×"}
	var firing []string
	long := map[time.Duration]bool{}
	for _, d := range b.Decisions {
		name := fmt.Sprintf("%s fires above %s", d.Rule, ratioText(d.Factor))
		if isBurnRate(d) && !slices.ContainsFunc(c.Limits, func(l Limit) bool { return l.Value == d.Factor.Float64() }) {
			c.Limits = append(c.Limits, Limit{Name: name, Value: d.Factor.Float64()})
		}
		long[d.Long] = long[d.Long] || isBurnRate(d)
		if d.Firing {
			firing = append(firing, d.Rule)
			if !d.Since.Before(start) {
				c.Marks = append(c.Marks, Mark{Name: d.Rule, At: d.Since})
			}
		}
	}
	for n, w := range b.Burns {
		if !long[w.Window] || len(c.Series) == mostLines {
			continue
		}
		line := Series{Name: "over " + threshold.FormatDuration(w.Window)}
		for _, p := range b.History {
			line.Points = append(line.Points, Point{p.At, ratioFloat(p.Rates[n])})
		}
		c.Series = append(c.Series, line)
	}
	c.Summary = "No rule fires."
	if len(firing) > 0 {
		c.Summary = "Firing: " + strings.Join(firing, ", ") + "."
	}
	return c
}

// ratioFloat is NaN for what does not exist.
func ratioFloat(r slo.Ratio) float64 {
	if r.Rat() == nil {
		return math.NaN()
	}
	return r.Float64()
}

// ratioText rounds to four decimals for show.
func ratioText(r slo.Ratio) string {
	x := r.Rat()
	if x == nil {
		return strings.TrimPrefix(r.String(), "+")
	}
	return string(short(x.FloatString(4)))
}

// ratioPercent rounds to two decimals for show.
func ratioPercent(r slo.Ratio) string {
	x := r.Rat()
	if x == nil {
		return strings.TrimPrefix(r.String(), "+")
	}
	return string(short(x.Mul(x, hundred).FloatString(2))) + " %"
}

func percentOr(n Number, none string) string {
	if n == "" {
		return none
	}
	return string(n) + " %"
}
