package report

import (
	"slices"
	"strconv"
	"strings"
)

// A figure in millimetres: charts are as wide as what they stand in and flatter than on
// a screen, as letters keep their size.
const (
	chartTop              = 2.0 // what is above in the drawing is empty
	chartScale, halfScale = 0.105, 0.10
)

// scaleY is the height of a unit of a drawing.
func (p *pdf) scaleY(wide float64) float64 {
	if wide < bodyWidth {
		return halfScale
	}
	return chartScale
}

// figure draws a chart with its title above and its message below.
func (p *pdf) figure(title, summary string, series []Series, draw func(canvas, language)) {
	p.room(p.figureHeight(summary, p.wide) - blockGap)
	p.paragraph(title, sizeBody, true, ink)
	c := &pdfChart{pdf: p, top: p.y - chartTop*p.scaleY(p.wide)}
	draw(c, p.language)
	p.SetDashPattern([]float64{}, 0)
	p.y = max(p.y+(chartHeight-chartTop)*p.scaleY(p.wide), c.lowest+0.25*lineShare*sizeChart)
	if len(series) > 1 {
		p.key(series)
	}
	p.paragraph(summary, sizeCell, false, inkMute)
	p.y += blockGap
}

// figureHeight is that of a chart with a title of one line, and what comes after it.
func (p *pdf) figureHeight(summary string, wide float64) float64 {
	p.pen(sizeCell, false, inkMute)
	return (chartHeight-chartTop)*p.scaleY(wide) + lineShare*(0.6*sizeChart+sizeBody+sizeCell*float64(len(p.wrap(summary, wide)))) + blockGap
}

// key names the lines of a chart.
func (p *pdf) key(series []Series) {
	height := lineShare * sizeCell
	x := p.left
	for i, s := range series {
		p.pen(sizeCell, false, inkMute)
		width := 6 + p.width(s.Name) + 4
		if x+width > p.left+p.wide && x > p.left {
			x, p.y = p.left, p.y+height
		}
		p.SetDrawColor(rgb(inkSeries[seriesClass(i)]))
		p.SetLineWidth(0.6)
		p.Line(x, p.y+height/2, x+5, p.y+height/2)
		p.write(x+6, p.y+height*0.78, s.Name)
		x += width
	}
	p.y += height
}

// pdfChart draws the elements of a chart.
type pdfChart struct {
	*pdf
	top    float64
	lowest float64 // base line of a label
	open   []string

	// Where the last label below the axis ends, and on which line.
	labelEnd, labelLine float64
}

func (c *pdfChart) scaleX() float64       { return c.wide / chartWidth }
func (c *pdfChart) x(u float64) float64   { return c.left + u*c.scaleX() }
func (c *pdfChart) ymm(u float64) float64 { return c.top + u*c.scaleY(c.wide) }

func (c *pdfChart) begin(name string, attributes ...any) {
	c.open = append(c.open, name)
	c.draw(name, "", attributes)
}

func (c *pdfChart) end() { c.open = c.open[:len(c.open)-1] }

func (c *pdfChart) empty(name string, attributes ...any) {
	if len(c.open) > 0 && c.open[len(c.open)-1] == "pattern" {
		return // the hatch, which is drawn where it is used
	}
	c.draw(name, "", attributes)
}

func (c *pdfChart) element(name, content string, attributes ...any) {
	c.draw(name, content, attributes)
}

// draw draws an element in the colours of its class.
func (c *pdfChart) draw(name, content string, attributes []any) {
	a := map[string]float64{}
	s := map[string]string{}
	for i := 0; i+1 < len(attributes); i += 2 {
		switch v := attributes[i+1].(type) {
		case float64:
			a[attributes[i].(string)] = v
		case string:
			s[attributes[i].(string)] = v
		}
	}
	class := append(strings.Fields(s["class"]), "") // so that there is a first one
	switch name {
	case "line":
		c.line(class, a["x1"], a["y1"], a["x2"], a["y2"])
	case "rect":
		c.rect(class, s["fill"], a["x"], a["y"], a["width"], a["height"])
	case "path":
		c.path(class, s["d"])
	case "text":
		c.label(class, s["text-anchor"], a["x"], a["y"], content)
	}
}

func (c *pdfChart) line(class []string, x1, y1, x2, y2 float64) {
	color, width, dashes := inkLine, 0.1, []float64{}
	switch class[0] {
	case "limit":
		color, width, dashes = inkBad, 0.2, []float64{1, 0.6}
	case "mark":
		color, width, dashes = ink, 0.15, []float64{0.4, 0.4}
	}
	c.SetDrawColor(rgb(color))
	c.SetLineWidth(width)
	c.SetDashPattern(dashes, 0)
	c.Line(c.x(x1), c.ymm(y1), c.x(x2), c.ymm(y2))
	c.SetDashPattern([]float64{}, 0)
}

func (c *pdfChart) rect(class []string, fill string, x, y, width, height float64) {
	x, y, width, height = c.x(x), c.ymm(y), width*c.scaleX(), height*c.scaleY(c.wide)
	if fill != "" {
		c.hatch(x, y, width, height)
		return
	}
	color := inkSeries[0]
	if state := stateOfClass(class); class[0] == "span" {
		color = inkSpan[state]
	} else if state != "" {
		color = stateInk(state)
	}
	c.SetFillColor(rgb(color))
	c.Rect(x, y, width, height, "F")
}

// hatch draws slanted lines.
func (c *pdfChart) hatch(x, y, width, height float64) {
	const apart = 1.2
	c.ClipRect(x, y, width, height, false)
	c.SetDrawColor(rgb(inkMute))
	c.SetLineWidth(0.15)
	for at := x - height; at < x+width; at += apart {
		c.Line(at, y+height, at+height, y)
	}
	c.ClipEnd()
}

// stateOfClass is the state that a class of a bar or a span stands for.
func stateOfClass(class []string) State {
	for _, s := range []State{Good, Warning, Bad, Maintenance, NoData} {
		if len(class) > 2 && class[1] == s.class() {
			return s
		}
	}
	return ""
}

// path draws the lines and areas of a chart: M, L, H, V and Z of SVG.
func (c *pdfChart) path(class []string, d string) {
	color := inkSeries[0]
	if len(class) > 2 {
		if n, err := strconv.Atoi(class[1][1:]); err == nil {
			color = inkSeries[n%len(inkSeries)]
		}
	}
	area := class[0] == "band"
	c.SetDrawColor(rgb(color))
	c.SetFillColor(rgb(color))
	c.SetLineWidth(0.35)
	x, y := 0.0, 0.0
	for d != "" {
		command := d[0]
		next := strings.IndexAny(d[1:], "MLHVZ") + 1
		if next == 0 {
			next = len(d)
		}
		first, second, _ := strings.Cut(d[1:next], " ")
		d = d[next:]
		u, _ := strconv.ParseFloat(first, 64) // of our own writing
		v, _ := strconv.ParseFloat(second, 64)
		switch command {
		case 'M':
			x, y = c.x(u), c.ymm(v)
			c.MoveTo(x, y)
			continue
		case 'L':
			x, y = c.x(u), c.ymm(v)
		case 'H':
			x = c.x(u)
		case 'V':
			y = c.ymm(u)
		case 'Z':
			c.ClosePath()
			continue
		}
		c.LineTo(x, y)
	}
	if area {
		c.SetAlpha(0.18, "Normal")
		c.DrawPath("F")
		c.SetAlpha(1, "Normal")
		return
	}
	if slices.Contains(class, "dashed") {
		c.SetDashPattern([]float64{3, 2.4}, 0)
		defer c.SetDashPattern([]float64{}, 0)
	}
	c.DrawPath("D")
}

func (c *pdfChart) label(class []string, anchor string, x, y float64, text string) {
	color, bold := inkMute, false
	switch class[0] {
	case "limit":
		color = inkBad
	case "mark":
		color = ink
	case "value":
		bold = true
		if state := stateOfClass(class); state != "" {
			color = stateInk(state)
		}
	}
	c.pen(sizeChart, bold, color)
	at := c.x(x)
	switch anchor {
	case "middle":
		at -= c.width(text) / 2
	case "end":
		at -= c.width(text)
	}
	if class[0] == "axis" && anchor == "middle" { // drawn for the whole width, so some may be too close in a half
		if y == c.labelLine && at < c.labelEnd+1 {
			return
		}
		c.labelEnd, c.labelLine = at+c.width(text), y
	}
	c.lowest = max(c.lowest, c.baseline(y))
	c.write(at, c.baseline(y), text)
}

// baseline is where a label stands. Drawings are flat and letters are not, so what would
// cover another label is moved: the unit above the axis, and both lines below it.
func (c *pdfChart) baseline(y float64) float64 {
	const line = lineShare * sizeChart
	switch y {
	case plotTop - axisTick*3:
		return c.ymm(plotTop) - 0.75*line
	case plotBottom + labelHeight + axisTick:
		return c.ymm(plotBottom) + line
	case noteY:
		return c.ymm(plotBottom) + 1.9*line
	}
	return c.ymm(y)
}
