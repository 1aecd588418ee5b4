package report

import (
	"math"
	"slices"
	"strconv"
)

// scale maps values to heights of the plot; what is outside goes to the edge.
type scale struct{ low, high float64 }

// leastRange is the shortest axis, as a share of its ends; what varies less is
// drawn as flat.
const leastRange = 1e-9

func newScale(low, high float64) scale {
	if least := leastRange * max(1, low); high-low < least {
		high = low + max(1, low)
	}
	return scale{low, high}
}

func (s scale) y(value float64) float64 {
	return plotBottom - min(max((value-s.low)/(s.high-s.low), 0), 1)*(plotBottom-plotTop)
}

func (s scale) holds(value float64) bool { return value >= s.low && value <= s.high }

// step returns 1, 2 or 5 times a power of ten that divides the axis into three
// to seven parts.
func (s scale) step() float64 {
	length := s.high - s.low
	base := math.Pow(10, math.Floor(math.Log10(length/4)))
	for _, factor := range []float64{1, 2, 5} {
		if length/(base*factor) <= 6 {
			return base * factor
		}
	}
	return base * 10
}

// decimals is how many an axis with this foot and step needs; a foot that needs
// more than three more than the step is cut in its label.
func (s scale) decimals(step float64) int {
	least := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	for n := least; n < least+3; n++ {
		scaled := s.low * math.Pow(10, float64(n))
		if math.Abs(scaled-math.Round(scaled)) < 1e-6 {
			return n
		}
	}
	return least
}

// beginChart opens the SVG element with its title and description.
func beginChart(m canvas, id, title, description string) {
	m.begin("svg", "class", "chart", "role", "img", "viewBox", "0 0 "+coordinate(chartWidth)+" "+coordinate(chartHeight),
		"aria-labelledby", id+"-t "+id+"-d")
	m.element("title", title, "id", id+"-t")
	m.element("desc", description, "id", id+"-d")
}

// drawValueAxis draws lines at round distances from the foot, and their values.
func drawValueAxis(m canvas, axis scale, unit string, right float64, l language) {
	step := axis.step()
	decimals := axis.decimals(step)
	for i := range int((axis.high-axis.low)/step+0.001) + 1 {
		value := axis.low + float64(i)*step
		y := axis.y(value)
		m.empty("line", "class", "grid", "x1", plotLeft, "x2", right, "y1", y, "y2", y)
		m.element("text", l.number(strconv.FormatFloat(value, 'f', decimals, 64)), "class", "axis", "x", plotLeft-labelOffset*2, "y", y+labelOffset, "text-anchor", "end")
	}
	if unit != "" {
		m.element("text", unit, "class", "axis", "x", plotLeft-labelOffset*2, "y", plotTop-axisTick*3, "text-anchor", "end")
	}
}

// drawLimits draws the limits and names each beside its line, or else above it,
// or below where the names of marks are. A name that would cover an earlier one is
// left out.
func drawLimits(m canvas, limits []Limit, axis scale, right float64, beside bool) {
	var taken []float64
	for _, l := range limits {
		if l.Value > axis.high || beside && l.Value < axis.low {
			continue
		}
		y := axis.y(l.Value)
		m.empty("line", "class", "limit", "x1", plotLeft, "x2", right, "y1", y, "y2", y)
		x, label, anchor := right, y-labelOffset, "end"
		if label < plotTop+labelHeight-labelOffset {
			label = y + labelHeight
		}
		if l.Start && !beside {
			x, anchor = plotLeft+labelOffset, ""
		}
		if beside {
			x, label, anchor = right+labelOffset, y+labelOffset, ""
		}
		if !slices.ContainsFunc(taken, func(other float64) bool { return math.Abs(other-label) < labelHeight }) {
			taken = append(taken, label)
			m.element("text", l.Name, "class", "limit", "x", x, "y", label, "text-anchor", anchor)
		}
	}
}
