package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// HTML writes the document as one self-contained page: style and charts are
// inline, there is no script and nothing is loaded. The errors are those of
// [Document.Validate] and of w.
func (d Document) HTML(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	zone := d.zone()
	page, err := template.New("page").Funcs(template.FuncMap{
		"css":   func() template.CSS { return template.CSS(pageCSS) }, // embedded, not input
		"kind":  Block.kind,
		"svg":   func(c Chart) template.HTML { return template.HTML(c.SVG(zone)) }, // escaped by its writer
		"clock": func(t time.Time) string { return clock(t, zone) },
		"hms":   func(t time.Time) string { return t.In(zone).Format("15:04:05 MST") },
		"iso":   func(t time.Time) string { return t.In(zone).Format(time.RFC3339) },
		"label": func(s State, text string) string { return s.label(text) },
		"data":  func(c Chart) [][2]string { return chartData(c, zone) },
		"class": seriesClass,
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	return page.Execute(w, d)
}

// chartData lists what a chart shows beside its lines, for the table below it.
func chartData(c Chart, zone *time.Location) [][2]string {
	var rows [][2]string
	for _, m := range c.Marks {
		rows = append(rows, [2]string{clock(m.At, zone), m.Name})
	}
	for _, s := range c.Spans {
		rows = append(rows, [2]string{clock(s.Start, zone) + " to " + clock(s.End, zone), s.State.label(s.Name)})
	}
	return rows
}
