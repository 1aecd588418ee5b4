package report

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bars is a chart of one value per category, such as a day or a month. Bars stand
// on Min; where that is not 0, the chart says so below the axis, as the lengths
// then do not compare. What is below Min is drawn as a stub, what is above the top
// at the edge, and a limit that is not between them is not drawn. A category
// without data is hatched.
type Bars struct {
	ID      string  `json:"id"` // unique in the document
	Title   string  `json:"title"`
	Summary string  `json:"summary"` // the message in words, for those who do not see it
	Unit    string  `json:"unit,omitempty"`
	Per     string  `json:"per,omitempty"` // what a category is. Defaults to "Period".
	Min     float64 `json:"min,omitempty"` // foot of the bars, 0 or more
	Max     float64 `json:"max,omitempty"` // top of the axis. Defaults to a little above what is shown.
	Limits  []Limit `json:"limits,omitempty"`
	Bars    []Bar   `json:"bars"` // at most MaxBars
}

// Bar is the value of one category.
type Bar struct {
	Label string
	Value float64 // NaN is "no data"
	Text  string  // the value as the reader sees it. Defaults to its decimal text.
	State State
}

// MaxBars is how many bars fit into a chart.
const MaxBars = 400

// MarshalJSON writes null for no data.
func (b Bar) MarshalJSON() ([]byte, error) {
	var value *float64
	if finite(b.Value) {
		value = &b.Value
	}
	return json.Marshal(struct {
		Label string   `json:"label"`
		Value *float64 `json:"value"`
		Text  string   `json:"text,omitempty"`
		State State    `json:"state,omitempty"`
	}{b.Label, value, b.Text, b.State})
}

// cell is the value as text with its state; without data it is that word.
func (b Bar) cell(l language) Cell {
	switch {
	case !b.hasData():
		return Cell{Text: b.Text, State: NoData}
	case b.Text == "":
		return Cell{Text: l.number(number(b.Value)), State: b.State}
	}
	return Cell{Text: b.Text, State: b.State}
}

// hasData reports whether there is a value to draw.
func (b Bar) hasData() bool { return finite(b.Value) && b.State != NoData }

// The drawing of bars, in user units.
const (
	gapShare, widestGap = 0.2, 6.0 // of the slot of a bar
	stub                = 3.0      // height of a bar below the foot
	glyphSlot           = 10.0     // the narrowest slot with a glyph
	limitMargin         = 220.0    // the most that names of limits take at the right
	noteY               = chartHeight - 6
)

// SVG draws the bars as an inline SVG element. They must be valid, see
// [Document.Validate].
func (c Bars) SVG() string {
	var m markup
	c.draw(&m, languageOf("", nil))
	return m.String()
}

func (c Bars) draw(m canvas, l language) {
	axis := c.axis()
	note := ""
	if c.Min != 0 {
		note = l.t("bars_begin", withUnit(l.number(number(c.Min)), c.Unit))
	}
	beginChart(m, c.ID, c.Title, strings.TrimSpace(c.Summary+" "+note))
	c.drawHatch(m)
	right := c.right(axis)
	drawValueAxis(m, axis, c.Unit, right, l)
	c.drawBars(m, axis, right, l)
	c.drawLabels(m, right)
	drawLimits(m, c.Limits, axis, right, true)
	if note != "" {
		m.element("text", note, "class", "axis", "x", plotLeft, "y", noteY)
	}
	m.end()
}

// axis spans the values and the limits, from Min.
func (c Bars) axis() scale {
	if c.Max != 0 {
		return newScale(c.Min, c.Max)
	}
	high := c.Min
	for _, b := range c.Bars {
		if b.hasData() {
			high = max(high, b.Value)
		}
	}
	for _, l := range c.Limits {
		if l.Value > high {
			high = max(high, l.Value+(l.Value-c.Min)*0.05)
		}
	}
	return newScale(c.Min, high)
}

// right is where the plot ends: the names of limits stand beside it, where no bar
// can be under them.
func (c Bars) right(axis scale) float64 {
	margin := 0.0
	for _, l := range c.Limits {
		if axis.holds(l.Value) {
			margin = max(margin, textWidth(l.Name)+labelOffset)
		}
	}
	return plotRight - min(margin, limitMargin)
}

// drawHatch defines the pattern of bars without data, under an id of this chart.
func (c Bars) drawHatch(m canvas) {
	for _, b := range c.Bars {
		if !b.hasData() {
			m.begin("pattern", "id", c.hatchID(), "width", 6.0, "height", 6.0, "patternUnits", "userSpaceOnUse", "patternTransform", "rotate(45)")
			m.empty("path", "class", "hatch", "d", "M1 0V6")
			m.end()
			return
		}
	}
}

// hatchID names the pattern of bars without data.
func (c Bars) hatchID() string { return c.ID + "-h" }

// drawBars writes values above their bars when all fit, else the glyphs of what
// is not healthy when they fit.
func (c Bars) drawBars(m canvas, axis scale, right float64, l language) {
	slot := (right - plotLeft) / float64(max(len(c.Bars), 1))
	widest := 0.0
	for _, b := range c.Bars {
		cell := b.cell(l)
		widest = max(widest, textWidth(l.label(cell.State, cell.Text)))
	}
	gap := min(slot*gapShare, widestGap)
	for i, b := range c.Bars {
		x := plotLeft + float64(i)*slot
		cell := b.cell(l)
		label := l.label(cell.State, cell.Text)
		y := axis.y(b.Value)
		class, fill := "bar "+cell.State.class(), ""
		switch {
		case !b.hasData():
			y, fill = plotTop, "url(#"+url.PathEscape(c.hatchID())+")"
		case b.Value < axis.low:
			y = plotBottom - stub
		case cell.State == "":
			class = "bar plain"
		}
		m.begin("rect", "class", class, "x", x+gap/2, "y", y, "width", slot-gap, "height", plotBottom-y, "fill", fill)
		m.element("title", b.Label+": "+label)
		m.end()
		switch {
		case widest+charWidth <= slot:
		case slot >= glyphSlot && cell.State != Good && cell.State != "":
			label = cell.State.Glyph()
		default:
			continue
		}
		m.element("text", label, "class", strings.TrimSpace("value "+cell.State.class()), "x", x+slot/2, "y", y-labelOffset, "text-anchor", "middle")
	}
}

// drawLabels names every k-th bar, so that no name covers another.
func (c Bars) drawLabels(m canvas, right float64) {
	slot := (right - plotLeft) / float64(max(len(c.Bars), 1))
	widest := 0.0
	for _, b := range c.Bars {
		widest = max(widest, textWidth(b.Label))
	}
	every := max(1, int(math.Ceil((widest+charWidth)/slot)))
	for i := 0; i < len(c.Bars); i += every {
		label := c.Bars[i].Label
		half := textWidth(label) / 2
		x := plotLeft + (float64(i)+0.5)*slot
		if label == "" || x-half < 0 || x+half > chartWidth {
			continue
		}
		m.element("text", label, "class", "axis", "x", x, "y", plotBottom+labelHeight+axisTick, "text-anchor", "middle")
	}
}

// tables lists the bars with their exact texts.
func (c Bars) tables(l language) []Table {
	if len(c.Bars) == 0 {
		return nil
	}
	per := c.Per
	if per == "" {
		per = l.t("period")
	}
	t := Table{Caption: l.t("values_of", c.Title), Columns: []Column{{Title: per}, {Title: withColumnUnit(l.t("value"), c.Unit), Numeric: true}}}
	for _, b := range c.Bars {
		t.Rows = append(t.Rows, []Cell{{Text: b.Label}, b.cell(l)})
	}
	return []Table{t}
}

// problems lists what cannot be drawn, and what was expected.
func (c Bars) problems() []string {
	var all []string
	if !finite(c.Min) || c.Min < 0 {
		all = append(all, "min "+number(c.Min)+": want a number, 0 or more")
	}
	if !finite(c.Max) || c.Max != 0 && c.Max <= c.Min {
		all = append(all, "max "+number(c.Max)+": want a number above the min "+number(c.Min))
	}
	all = append(all, limitProblems(c.Limits)...)
	if len(c.Bars) > MaxBars {
		all = append(all, number(float64(len(c.Bars)))+" bars, want at most "+number(MaxBars))
	}
	return all
}

// textWidth is the width of a label, a little generous.
func textWidth(text string) float64 { return charWidth * float64(utf8.RuneCountInString(text)) }
