package report

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Steps is a chart of distances on one axis, a row for each: from one value to another,
// with what is below 0 to the left. Rows that go on where the one before ended are a
// waterfall; rows around a common value are a tornado.
type Steps struct {
	ID      string  `json:"id"` // unique in the document
	Title   string  `json:"title"`
	Summary string  `json:"summary"` // the message in words, for those who do not see it
	Unit    string  `json:"unit,omitempty"`
	Per     string  `json:"per,omitempty"`  // what a row is. Defaults to "Step".
	From    string  `json:"from,omitempty"` // what the first value is. Defaults to "From".
	To      string  `json:"to,omitempty"`   // what the second value is. Defaults to "To".
	Limits  []Limit `json:"limits,omitempty"`
	Steps   []Step  `json:"steps"` // at most MaxBars
}

// Step is a row of [Steps].
type Step struct {
	Label    string
	From, To float64 // NaN in either is "no data"
	Text     string  // what stands beside the row. Defaults to the change from From to To.
	State    State
}

// MarshalJSON writes null for no data.
func (s Step) MarshalJSON() ([]byte, error) {
	var from, to *float64
	if s.hasData() {
		from, to = &s.From, &s.To
	}
	return json.Marshal(struct {
		Label string   `json:"label"`
		From  *float64 `json:"from"`
		To    *float64 `json:"to"`
		Text  string   `json:"text,omitempty"`
		State State    `json:"state,omitempty"`
	}{s.Label, from, to, s.Text, s.State})
}

func (s Step) hasData() bool { return finite(s.From) && finite(s.To) && s.State != NoData }

// cell is what stands beside the row.
func (s Step) cell(l language) Cell {
	switch {
	case !s.hasData():
		return Cell{Text: s.Text, State: NoData}
	case s.Text == "":
		return Cell{Text: l.number(number(s.To - s.From)), State: s.State}
	}
	return Cell{Text: s.Text, State: s.State}
}

// The most that labels and texts of steps take beside the plot.
const (
	stepLabels, stepTexts = 330.0, 200.0
	thinnest              = 1.5 // width of a step of next to nothing
)

// SVG draws the steps as an inline SVG element. They must be valid, see
// [Document.Validate].
func (c Steps) SVG() string {
	var m markup
	c.draw(&m, languageOf("", nil))
	return m.String()
}

func (c Steps) draw(m canvas, l language) {
	beginChart(m, c.ID, c.Title, c.Summary)
	labels, texts := 0.0, 0.0
	for _, s := range c.Steps {
		cell := s.cell(l)
		labels, texts = max(labels, textWidth(s.Label)), max(texts, textWidth(l.label(cell.State, cell.Text)))
	}
	a := c.axis(min(labels, stepLabels)+2*labelOffset, plotRight-min(texts, stepTexts)-2*labelOffset)
	a.draw(m, c.Unit, l)
	slot := (plotBottom - plotTop) / float64(max(len(c.Steps), 1))
	every := max(1, int(math.Ceil(labelHeight*0.8/slot)))
	gap := min(slot*gapShare, widestGap)
	for i, s := range c.Steps {
		top := plotTop + float64(i)*slot
		cell := s.cell(l)
		text := l.label(cell.State, cell.Text)
		if s.hasData() {
			left, right := a.x(min(s.From, s.To)), a.x(max(s.From, s.To))
			class := "bar plain"
			if cell.State != "" {
				class = "bar " + cell.State.class()
			}
			m.begin("rect", "class", class, "x", left, "y", top+gap/2, "width", max(right-left, thinnest), "height", slot-gap)
			m.element("title", s.Label+": "+text)
			m.end()
		}
		if i%every != 0 {
			continue
		}
		middle := top + slot/2 + labelOffset
		m.element("text", fit(s.Label, stepLabels), "class", "axis", "x", a.left-2*labelOffset, "y", middle, "text-anchor", "end")
		m.element("text", fit(text, stepTexts), "class", strings.TrimSpace("value "+cell.State.class()), "x", a.right+2*labelOffset, "y", middle)
	}
	for _, limit := range c.Limits {
		x := a.x(limit.Value)
		m.empty("line", "class", "limit", "x1", x, "x2", x, "y1", plotTop, "y2", plotBottom)
		m.element("text", limit.Name, "class", "limit", "x", min(max(x, a.left+textWidth(limit.Name)/2), a.right-textWidth(limit.Name)/2), "y", plotTop-axisTick, "text-anchor", "middle")
	}
	m.end()
}

// fit shortens a text that is wider than its room.
func fit(text string, width float64) string {
	if textWidth(text) <= width {
		return text
	}
	return string([]rune(text)[:int(width/charWidth)-1]) + "…"
}

// stepAxis maps values to places between left and right.
type stepAxis struct {
	scale       // halves of the ends, whose distance is finite
	left, right float64
}

// axis holds 0, all values and all limits.
func (c Steps) axis(left, right float64) stepAxis {
	low, high := 0.0, 0.0
	if len(c.Limits) > 0 { // rows around a value, which need no 0
		low, high = c.Limits[0].Value, c.Limits[0].Value
	}
	for _, l := range c.Limits {
		low, high = min(low, l.Value), max(high, l.Value)
	}
	for _, s := range c.Steps {
		if s.hasData() {
			low, high = min(low, s.From, s.To), max(high, s.From, s.To)
		}
	}
	low, high = low/2, high/2
	if least := leastRange * max(1, math.Abs(low), math.Abs(high)); high-low < least {
		low, high = low-max(1, math.Abs(low))/2, high+max(1, math.Abs(high))/2
	}
	return stepAxis{scale{low, high}, left, right}
}

func (a stepAxis) x(value float64) float64 {
	return a.left + min(max((value/2-a.low)/(a.high-a.low), 0), 1)*(a.right-a.left)
}

// draw draws lines at round values, in thousands, millions and so on where they are
// large, and a stronger one at 0.
func (a stepAxis) draw(m canvas, unit string, l language) {
	step := a.step()
	divisor, suffix := 1.0, ""
	for _, s := range []struct {
		from float64
		name string
	}{{1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}} {
		if 2*max(math.Abs(a.low), math.Abs(a.high)) >= s.from {
			divisor, suffix = s.from, s.name
		}
	}
	decimals := max(0, int(math.Ceil(-math.Log10(2*step/divisor)-1e-9)))
	first := math.Ceil(a.low/step - 1e-9)
	for i := range int((a.high-a.low)/step+0.001) + 1 {
		value := (first + float64(i)) * step
		if value > a.high+step*1e-9 {
			break
		}
		class := "grid"
		if value == 0 {
			class = "mark"
		}
		x := a.x(2 * value)
		m.empty("line", "class", class, "x1", x, "x2", x, "y1", plotTop, "y2", plotBottom)
		text := l.number(strconv.FormatFloat(2*(value/divisor)+0, 'f', decimals, 64))
		if value != 0 {
			text += suffix
		}
		m.element("text", text, "class", "axis", "x", x, "y", plotBottom+labelHeight+axisTick, "text-anchor", "middle")
	}
	if unit != "" {
		m.element("text", unit, "class", "axis", "x", a.right+2*labelOffset, "y", plotBottom+labelHeight+axisTick)
	}
}

// tables lists the steps with their values.
func (c Steps) tables(l language) []Table {
	if len(c.Steps) == 0 {
		return nil
	}
	name := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	t := Table{Caption: l.t("values_of", c.Title), Columns: []Column{
		{Title: name(c.Per, l.t("step"))},
		{Title: withColumnUnit(name(c.From, l.t("from")), c.Unit), Numeric: true},
		{Title: withColumnUnit(name(c.To, l.t("to")), c.Unit), Numeric: true},
		{Title: l.t("change"), Numeric: true},
	}}
	for _, s := range c.Steps {
		from, to := Cell{State: NoData}, Cell{State: NoData}
		if s.hasData() {
			from, to = Cell{Text: l.number(exact(s.From))}, Cell{Text: l.number(exact(s.To))}
		}
		t.Rows = append(t.Rows, []Cell{{Text: s.Label}, from, to, s.cell(l)})
	}
	return []Table{t}
}

// exact writes a value in decimal digits, rounded to hundredths from 100 on.
func exact(value float64) string {
	if math.Abs(value) >= 100 && math.Abs(value) < 1e15 {
		return string(short(strconv.FormatFloat(value, 'f', 2, 64)))
	}
	return number(value)
}

func (c Steps) problems() []string {
	all := limitProblems(c.Limits)
	if len(c.Steps) > MaxBars {
		all = append(all, number(float64(len(c.Steps)))+" steps, want at most "+number(MaxBars))
	}
	return all
}
