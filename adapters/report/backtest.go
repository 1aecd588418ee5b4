package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/internal/times"
	"github.com/evenkeelops/evenkeel/slo"
)

// BacktestReport is what the rules of an objective would have done on recorded
// samples, for those who choose between policies. [Document.JSON] of its document has
// the texts shown; the figures themselves are the JSON of the [slo.History].
type BacktestReport struct {
	Objective slo.Objective
	History   slo.History
	// Other is what another policy did on the same samples; nil compares nothing.
	Other *slo.History
	// Name and OtherName are those of the policies. They default to "this policy" and
	// "the other policy".
	Name, OtherName string

	Zone    *time.Location // of the times shown. Defaults to UTC.
	Sources []Source
}

// Document returns the report: pages and how many of them nobody needed, the budget
// over time, the alerts in the order of time, and what the other policy did
// otherwise.
func (r BacktestReport) Document() Document {
	r.Name, r.OtherName = cmp.Or(r.Name, "this policy"), cmp.Or(r.OtherName, "the other policy")
	h := r.History
	d := Document{Title: "Backtest of " + r.Objective.ID, Generated: h.End, Zone: r.Zone, Sources: r.Sources}
	if h.End.IsZero() {
		d.Subtitle = "no samples"
		d.Sections = []Section{{"summary", "Summary", []Block{Text("There are no samples, so nothing can be said about the rules.")}}}
		return d
	}
	d.Subtitle = r.clock(h.Start) + " to " + r.clock(h.End)
	d.Sections = []Section{
		{"summary", "Summary", []Block{r.tiles(h, ""), r.said(h)}},
		{"budget", "Error budget", r.curve(h)},
		{"pages", "Pages", []Block{r.pages(h)}},
		{"alerts", "Alerts", []Block{r.timeline(h)}},
	}
	if r.Other != nil {
		d.Sections = append(d.Sections, Section{"comparison", "Compared with " + r.OtherName, r.comparison()})
	}
	return d
}

func (r BacktestReport) clock(t time.Time) string { return BudgetReport{Zone: r.Zone}.clock(t) }

// tiles are the headline figures of a history; whose says of which.
func (r BacktestReport) tiles(h slo.History, whose string) Tiles {
	share := Tile{Label: "pages nobody needed" + whose, Value: fmt.Sprintf("%d of %d", h.Unneeded, len(h.Pages)), State: Good, Note: "5 % or more is too many"}
	if h.TooManyFalse {
		share.State = Warning
	}
	consumed := Tile{Label: "budget consumed at the end" + whose, State: NoData, Value: "no data"}
	if n := len(h.Curve); n > 0 && h.Curve[n-1].State != slo.NoData {
		last := h.Curve[n-1]
		consumed.Value, consumed.State = ratioPercent(last.Consumed), Good
		if last.State == slo.Exhausted {
			consumed.State = Bad
		}
	}
	pages := Tile{Label: "pages" + whose, Value: strconv.Itoa(len(h.Pages))}
	if h.PagesPerPeriod.IsSet() { // it is not for a history of one instant
		pages.Note = ratioText(h.PagesPerPeriod) + " in " + threshold.FormatDuration(h.Period)
	}
	return Tiles{pages, share, consumed}
}

// said tells what was looked at.
func (r BacktestReport) said(h slo.History) Block {
	text := fmt.Sprintf("%d samples with %d events, of which %d are bad, against an objective of %s %%.",
		h.Stats.Samples, h.Counts.Total, h.Counts.Bad(), r.Objective.Target.Percent())
	if h.Stats.Excluded+h.Stats.Missing > 0 {
		text += fmt.Sprintf(" %d samples were excluded and %d are missing.", h.Stats.Excluded, h.Stats.Missing)
	}
	return Text(text + " A page is needed if more than " + ratioPercent(h.NeededLoss) + " of the budget was lost around it.")
}

// curve draws the budget, with the pages as spans.
func (r BacktestReport) curve(h slo.History) []Block {
	if len(h.Curve) < 2 {
		return []Block{Text("There are too few samples for a curve.")}
	}
	c := Chart{
		ID: "consumed", Title: r.Objective.ID + ": budget consumed", Start: h.Curve[0].At, End: h.End, Unit: "%",
		Series: []Series{{Name: "consumed", Points: make([]Point, len(h.Curve))}}, Limits: []Limit{{Name: "budget", Value: 100}},
	}
	most := slo.Ratio{}
	for i, p := range h.Curve {
		c.Series[0].Points[i] = Point{p.At, ratioFloat(p.Consumed) * 100}
		if !most.IsSet() || p.Consumed.Compare(most) > 0 {
			most = p.Consumed
		}
	}
	c.Summary = "At most " + ratioPercent(most) + " of the budget was gone; the line at 100 % is the end of it."
	for _, p := range h.Pages {
		if s := (Span{Name: strings.Join(p.Rules, ", "), Start: times.Later(p.Fired, c.Start), End: r.end(p, h), State: Bad}); s.Start.Before(s.End) {
			c.Spans = append(c.Spans, s)
		}
	}
	return []Block{c}
}

// end is when an episode ended; one that has no end ends with the history.
func (r BacktestReport) end(e slo.Episode, h slo.History) time.Time {
	if e.Resolved.IsZero() {
		return h.End
	}
	return e.Resolved
}

var episodeColumns = []Column{{Title: "Fired"}, {Title: "Resolved"}, {Title: "Lasted", Numeric: true}, {Title: "Rules"}, {Title: "Budget lost", Numeric: true}, {Title: "Needed"}}

func (r BacktestReport) episode(e slo.Episode, h slo.History) []Cell {
	resolved, needed := r.clock(e.Resolved), Cell{Text: "yes", State: Good}
	if e.Resolved.IsZero() {
		resolved = "fires at the end"
	}
	if !e.Needed {
		needed = Cell{Text: "no", State: Warning}
	}
	lost := ratioPercent(e.Loss)
	if !e.Loss.IsSet() { // the history has no length
		lost, needed = "not known", Cell{Text: "not known", State: NoData}
	}
	return []Cell{
		{Text: r.clock(e.Fired)},
		{Text: resolved},
		{Text: threshold.FormatDuration(r.end(e, h).Sub(e.Fired))},
		{Text: strings.Join(e.Rules, ", ")},
		{Text: lost},
		needed,
	}
}

func (r BacktestReport) pages(h slo.History) Block {
	if len(h.Pages) == 0 {
		return Text("Nobody would have been paged.")
	}
	t := Table{Caption: "Pages", Columns: episodeColumns}
	for _, e := range h.Pages {
		t.Rows = append(t.Rows, r.episode(e, h))
	}
	return t
}

// timeline has an event where an alert began and one where it ended.
func (r BacktestReport) timeline(h slo.History) Block {
	if len(h.Alerts) == 0 {
		return Text("No rule would have fired.")
	}
	var t Timeline
	for _, a := range h.Alerts {
		lost := fmt.Sprintf("%d bad", a.Bad)
		if a.Loss.IsSet() {
			lost += ", " + ratioPercent(a.Loss) + " of the budget"
		}
		if a.Resolved.IsZero() {
			lost += ", and fires at the end"
		} else {
			t = append(t, Event{At: a.Resolved, Stage: "resolved", Text: a.Rule + " (" + string(a.Severity) + ")", Why: lost})
			lost = ""
		}
		t = append(t, Event{At: a.Fired, Stage: "fired", Text: a.Rule + " (" + string(a.Severity) + ")", Why: lost})
	}
	slices.SortStableFunc(t, func(a, b Event) int { return a.At.Compare(b.At) })
	return t
}

// comparison tells what only one policy fired on, and which was earlier.
func (r BacktestReport) comparison() []Block {
	c := r.History.Compare(*r.Other)
	blocks := []Block{
		r.tiles(*r.Other, " with "+r.OtherName),
		Text(fmt.Sprintf("Both fire on the same trouble %d times; %d times only %s does, and %d times only %s.", len(c.Both), len(c.OnlyA), r.Name, len(c.OnlyB), r.OtherName)),
	}
	if len(c.Both) > 0 {
		t := Table{Caption: "Both", Columns: []Column{
			{Title: "Severity"},
			{Title: "Fired with " + r.Name},
			{Title: "Fired with " + r.OtherName},
			{Title: upper(r.OtherName) + " fires"},
			{Title: upper(r.OtherName) + " resolves"},
		}}
		for _, m := range c.Both {
			t.Rows = append(t.Rows, []Cell{
				{Text: string(m.Severity)}, {Text: r.clock(m.A[0].Fired)}, {Text: r.clock(m.B[0].Fired)}, {Text: shift(-m.Earlier)}, {Text: shift(m.Longer)},
			})
		}
		blocks = append(blocks, t)
	}
	only := func(name string, list []slo.Episode, h slo.History) {
		if len(list) == 0 {
			return
		}
		t := Table{Caption: "Only " + name, Columns: append([]Column{{Title: "Severity"}}, episodeColumns...)}
		for _, e := range list {
			t.Rows = append(t.Rows, append([]Cell{{Text: string(e.Severity)}}, r.episode(e, h)...))
		}
		blocks = append(blocks, t)
	}
	only(r.Name, c.OnlyA, r.History)
	only(r.OtherName, c.OnlyB, *r.Other)
	return blocks
}

// shift says how much later something is.
func shift(d time.Duration) string {
	switch {
	case d > 0:
		return threshold.FormatDuration(d) + " later"
	case d < 0:
		return threshold.FormatDuration(-d) + " earlier"
	}
	return "at the same time"
}
