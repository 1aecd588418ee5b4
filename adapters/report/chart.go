package report

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
)

// Chart is a chart over time: lines, bands between two lines, horizontal limits,
// shaded spans and marks.
// Time runs by instants, so a day of 23 or 25 hours has its true width. The axis
// of values begins at 0; what is below 0 or above the top is drawn at the edge,
// and a limit above the top is not drawn.
type Chart struct {
	ID      string    `json:"id"` // unique in the document
	Title   string    `json:"title"`
	Summary string    `json:"summary"` // the message in words, for those who do not see it
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"` // after Start
	Unit    string    `json:"unit,omitempty"`
	Max     float64   `json:"max,omitempty"` // top of the axis. Defaults to the largest value shown.
	Series  []Series  `json:"series"`
	Bands   []Band    `json:"bands,omitempty"`
	Limits  []Limit   `json:"limits,omitempty"`
	Spans   []Span    `json:"spans,omitempty"`
	Marks   []Mark    `json:"marks,omitempty"`
	Ticks   []Mark    `json:"ticks,omitempty"` // names below the time axis, such as months. Defaults to round times.
}

// Series is a line through points in order of time. NaN is a gap.
type Series struct {
	Name   string  `json:"name"`
	Step   bool    `json:"step,omitempty"`   // hold each value until the next point
	Dashed bool    `json:"dashed,omitempty"` // drawn broken, so that an equal line before it is seen
	Points []Point `json:"points"`
}

// Point is a value at an instant.
type Point struct {
	At    time.Time
	Value float64 // NaN is "no data"
}

// MarshalJSON writes [time, value], with null for no data.
func (p Point) MarshalJSON() ([]byte, error) {
	value := any(p.Value)
	if !finite(p.Value) {
		value = nil
	}
	return json.Marshal([]any{p.At.UTC(), value})
}

// Band shades what lies between two lines, such as the range that was forecast.
type Band struct {
	Name   string  `json:"name"`
	Points []Range `json:"points"` // in order of time
}

// Range is what a band holds at an instant.
type Range struct {
	At        time.Time
	Low, High float64 // NaN in either is a gap
}

// MarshalJSON writes [time, low, high], with null for both in a gap.
func (r Range) MarshalJSON() ([]byte, error) {
	if !r.known() {
		return json.Marshal([]any{r.At.UTC(), nil, nil})
	}
	return json.Marshal([]any{r.At.UTC(), r.Low, r.High})
}

func (r Range) known() bool { return finite(r.Low) && finite(r.High) }

// Limit is a horizontal line, such as a target.
type Limit struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Start bool    `json:"start,omitempty"` // in a Chart, name it where the line begins and not where it ends
}

// Span shades [Start, End).
type Span struct {
	Name  string    `json:"name"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	State State     `json:"state"`
}

// Mark names an instant.
type Mark struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// The drawing area in user units.
const (
	chartWidth, chartHeight            = 920.0, 260.0
	plotLeft, plotRight                = 56.0, 904.0
	plotTop, plotBottom                = 44.0, 220.0
	charWidth                          = 6.2 // of the 11 px label font, a little generous
	labelRows                          = 2
	maxPoints                          = 1000
	labelHeight, axisTick, labelOffset = 14.0, 4.0, 4.0
)

// SVG draws the chart as an inline SVG element. zone is that of the time axis.
// The chart must be valid, see [Document.Validate].
func (c Chart) SVG(zone *time.Location) string {
	var m markup
	c.draw(&m, languageOf("", zone))
	return m.String()
}

func (c Chart) draw(m canvas, l language) {
	beginChart(m, c.ID, c.Title, c.Summary)
	axis := newScale(0, c.top())
	c.drawSpans(m)
	for i, band := range c.Bands {
		c.drawBand(m, i, band, axis)
	}
	drawValueAxis(m, axis, c.Unit, plotRight, l)
	c.drawTimes(m, l)
	drawLimits(m, c.Limits, axis, plotRight, false)
	for i, series := range c.Series {
		if len(series.Points) > 0 {
			class, dashes := "series s"+strconv.Itoa(seriesClass(i)), ""
			if series.Dashed {
				class, dashes = class+" dashed", "10 8"
			}
			m.empty("path", "class", class, "stroke-dasharray", dashes, "d", c.path(series, axis))
		}
	}
	c.drawMarks(m)
	m.end()
}

// seriesClass is the number of the colour of the i-th series; there are four.
func seriesClass(i int) int { return i % 4 }

func (c Chart) top() float64 {
	top := c.Max
	if top == 0 {
		for _, l := range c.Limits {
			top = max(top, l.Value*1.05)
		}
		for _, series := range c.Series {
			for _, p := range series.Points {
				if finite(p.Value) {
					top = max(top, p.Value)
				}
			}
		}
		for _, band := range c.Bands {
			for _, r := range band.Points {
				if r.known() {
					top = max(top, r.High)
				}
			}
		}
	}
	return top
}

func (c Chart) x(at time.Time) float64 {
	share := float64(at.Sub(c.Start)) / float64(c.End.Sub(c.Start))
	return plotLeft + min(max(share, 0), 1)*(plotRight-plotLeft)
}

func (c Chart) drawSpans(m canvas) {
	for _, span := range c.Spans {
		if x, width := c.x(span.Start), c.x(span.End)-c.x(span.Start); width > 0 {
			m.begin("rect", "class", "span "+span.State.class(), "x", x, "y", plotTop, "width", max(width, 1), "height", plotBottom-plotTop)
			m.element("title", span.Name)
			m.end()
			if span.State == NoData {
				var hatch shape
				hatch.hatch(x, plotTop, max(width, 1), plotBottom-plotTop)
				m.empty("path", "class", "hatch", "d", hatch.String())
			}
		}
	}
}

// drawBand draws a closed shape for each stretch without gaps.
func (c Chart) drawBand(m canvas, i int, band Band, axis scale) {
	known := func(r Range) bool { return r.known() }
	for points := band.Points; ; {
		start := slices.IndexFunc(points, known)
		if start < 0 {
			return
		}
		points = points[start:]
		end := slices.IndexFunc(points, func(r Range) bool { return !r.known() })
		if end < 0 {
			end = len(points)
		}
		var edge Series
		for _, r := range points[:end] {
			edge.Points = append(edge.Points, Point{r.At, r.High})
		}
		above := c.path(edge, axis)
		edge.Points = edge.Points[:0]
		for _, r := range slices.Backward(points[:end]) {
			edge.Points = append(edge.Points, Point{r.At, r.Low})
		}
		m.begin("path", "class", "band b"+strconv.Itoa(seriesClass(i)), "d", above+"L"+c.path(edge, axis)[1:]+"Z")
		m.element("title", band.Name)
		m.end()
		points = points[end:]
	}
}

func (c Chart) drawTimes(m canvas, l language) {
	ticks, taken := c.Ticks, math.Inf(-1)
	if len(ticks) == 0 {
		ticks = timeTicks(c.Start, c.End, l)
	}
	for _, tick := range ticks {
		x, half := c.x(tick.At), textWidth(tick.Name)/2
		m.empty("line", "class", "grid", "x1", x, "x2", x, "y1", plotBottom, "y2", plotBottom+axisTick)
		// Names that were given may need more room than they have; round times are few.
		if len(c.Ticks) > 0 && x-half < taken {
			continue
		}
		taken = x + half
		m.element("text", tick.Name, "class", "axis", "x", x, "y", plotBottom+labelHeight+axisTick, "text-anchor", "middle")
	}
}

// drawMarks puts the names into a few rows above the plot. A name that would
// cover another one in every row is left out; its line stays.
func (c Chart) drawMarks(m canvas) {
	marks := slices.Clone(c.Marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	var rowEnd [labelRows]float64
	for _, mark := range marks {
		x := c.x(mark.At)
		m.empty("line", "class", "mark", "x1", x, "x2", x, "y1", plotTop, "y2", plotBottom)
		width := textWidth(mark.Name)
		left := max(min(x, plotRight-width), plotLeft)
		for row := range rowEnd {
			if left >= rowEnd[row] {
				rowEnd[row] = left + width + charWidth
				m.element("text", mark.Name, "class", "mark", "x", left, "y", plotTop-labelOffset-float64(row)*labelHeight)
				break
			}
		}
	}
}

// path draws a series, one sub-path per stretch without gaps, thinned to the
// smallest and largest value of each column of pixels where there are too many
// points.
func (c Chart) path(series Series, axis scale) string {
	points := thin(series.Points)
	b := make([]byte, 0, 16*len(points))
	to := func(command byte, x, y float64) {
		b = appendCoordinate(append(b, command), x)
		b = appendCoordinate(append(b, ' '), y)
	}
	pen := false
	last := 0.0
	for _, p := range points {
		if !finite(p.Value) {
			pen = false
			continue
		}
		x, y := c.x(p.At), axis.y(p.Value)
		switch {
		case !pen:
			to('M', x, y)
		case series.Step && y != last:
			b = appendCoordinate(append(b, 'H'), x)
			b = appendCoordinate(append(b, 'V'), y)
		default:
			to('L', x, y)
		}
		pen, last = true, y
	}
	return string(b)
}

func thin(points []Point) []Point {
	if len(points) <= maxPoints {
		return points
	}
	var kept []Point
	for group := range slices.Chunk(points, (2*len(points)+maxPoints-1)/maxPoints) {
		low, high := 0, 0
		for i, p := range group {
			if !finite(p.Value) {
				low, high = i, i // a gap must stay a gap
				break
			}
			if p.Value < group[low].Value {
				low = i
			}
			if p.Value > group[high].Value {
				high = i
			}
		}
		kept = append(kept, group[min(low, high)])
		if low != high {
			kept = append(kept, group[max(low, high)])
		}
	}
	return kept
}

// timeTicks returns at most nine round times of the zone within [start, end], and
// one more on a day on which the clock goes back.
func timeTicks(start, end time.Time, l language) []Mark {
	step, zone := time.Minute, l.zone
	for _, step = range []time.Duration{
		time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 31 * 24 * time.Hour, 92 * 24 * time.Hour,
	} {
		if end.Sub(start) <= 8*step {
			break
		}
	}
	for end.Sub(start)/8 > step {
		step *= 2
	}
	label := func(t time.Time) string { return t.Format("15:04") }
	switch {
	case step > 92*24*time.Hour:
		label = l.Locale().Date
	case step >= 24*time.Hour:
		label = l.Locale().Day
	}
	var ticks []Mark
	grain := min(step, 15*time.Minute) // every offset in use today is a multiple of it
	for at := start.Truncate(grain); !at.After(end); {
		_, offset := at.In(zone).Zone()
		wall := at.Add(time.Duration(offset) * time.Second)
		past := wall.Sub(wall.Truncate(step))
		if !at.Before(start) && past == 0 {
			ticks = append(ticks, Mark{label(at.In(zone)), at})
		}
		// Go on to a day before the next tick, as the offset may change meanwhile.
		at = at.Add(max(grain, (step - past - 24*time.Hour).Truncate(grain)))
	}
	return ticks
}
