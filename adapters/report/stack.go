package report

// Stack is a chart of counts on top of each other, one column for each category, such
// as incidents by severity for each month.
type Stack struct {
	ID      string // unique on the page
	Title   string
	Summary string // the message in words, for those who do not see it
	Unit    string
	Names   []string // of the parts, the lowest first; at most four
	Columns []StackColumn
}

// StackColumn is a category with a count for each part, 0 or more. A nil Values is
// no data.
type StackColumn struct {
	Label  string
	Values []int
}

// SVG draws the stack as an inline SVG element.
func (s Stack) SVG() string {
	var m markup
	beginDrawing(&m, "chart stack", s.ID, s.Title, s.Summary, chartWidth, chartHeight)
	top := 4 // an axis of whole counts
	for _, c := range s.Columns {
		top = max(top, c.total())
	}
	axis := newScale(0, float64(top))
	drawValueAxis(&m, axis, s.Unit, plotRight, languageOf("", nil))
	slot := (plotRight - plotLeft) / float64(max(len(s.Columns), 1))
	gap := min(slot*gapShare, 3*widestGap)
	var hatch shape
	for i, c := range s.Columns {
		x, foot := plotLeft+float64(i)*slot, 0
		if c.Values == nil {
			hatch.hatch(x+gap/2, plotTop, slot-gap, plotBottom-plotTop)
		}
		for part, n := range c.Values {
			if n == 0 || part >= len(s.Names) {
				continue
			}
			y, h := axis.y(float64(foot+n)), axis.y(float64(foot))-axis.y(float64(foot+n))
			m.empty("rect", "class", "p"+string('0'+rune(seriesClass(part))), "x", x+gap/2, "y", y, "width", slot-gap, "height", h)
			// The name inside the part, so that nobody needs the colours.
			if name := s.Names[part]; h >= labelHeight && textWidth(name) < slot-gap {
				m.element("text", name, "class", "on p"+string('0'+rune(seriesClass(part))), "x", x+slot/2, "y", y+h/2+labelOffset, "text-anchor", "middle")
			}
			foot += n
		}
		if textWidth(c.Label) < slot || i%2 == 0 {
			m.element("text", c.Label, "class", "axis", "x", x+slot/2, "y", plotBottom+labelHeight+axisTick, "text-anchor", "middle")
		}
	}
	if len(hatch) > 0 {
		m.empty("path", "class", "hatch", "d", hatch.String())
	}
	m.end()
	return m.String()
}

func (c StackColumn) total() int {
	sum := 0
	for _, n := range c.Values {
		sum += n
	}
	return sum
}
