package report

import (
	"errors"
	"io"
)

// Room in an image of several charts: above and below each, and beside them.
const (
	svgTitle, svgGap, svgMargin = 24.0, 16.0, 16.0
)

// ErrNoChart means a document without a chart to draw.
var ErrNoChart = errors.New("no chart: there is nothing to draw")

// SVG writes the charts of the document below each other as one image with its
// own style. The errors are those of [Document.Validate] and of w, and
// [ErrNoChart].
func (d Document) SVG(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	type drawing struct {
		title string
		draw  func(m *markup)
	}
	var drawings []drawing
	l := d.language()
	for _, s := range d.Sections {
		for _, block := range s.Blocks {
			switch block := block.(type) {
			case Chart:
				drawings = append(drawings, drawing{block.Title, func(m *markup) { block.draw(m, l) }})
			case Steps:
				drawings = append(drawings, drawing{block.Title, func(m *markup) { block.draw(m, l) }})
			case Bars:
				drawings = append(drawings, drawing{block.Title, func(m *markup) { block.draw(m, l) }})
			}
		}
	}
	if len(drawings) == 0 {
		return ErrNoChart
	}
	const each = svgTitle + chartHeight + svgGap
	width, height := chartWidth+2*svgMargin, svgMargin+each*float64(len(drawings))
	var m markup
	m.begin("svg", "xmlns", "http://www.w3.org/2000/svg", "width", width, "height", height, "viewBox", "0 0 "+coordinate(width)+" "+coordinate(height), "lang", d.lang())
	m.element("title", d.Title)
	m.raw("\n<style>" + pageCSS + "text.title{font:600 15px system-ui,sans-serif;fill:var(--fg)}</style>\n")
	m.empty("rect", "width", width, "height", height, "style", "fill:var(--bg)")
	for i, drawing := range drawings {
		y := svgMargin + each*float64(i)
		m.raw("\n")
		m.element("text", drawing.title, "class", "title", "x", svgMargin, "y", y+svgTitle/2)
		m.begin("svg", "x", svgMargin, "y", y+svgTitle, "width", chartWidth, "height", chartHeight)
		drawing.draw(&m)
		m.end()
	}
	m.raw("\n")
	m.end()
	m.raw("\n")
	_, err := w.Write(m.bytes())
	return err
}
