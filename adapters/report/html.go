package report

import (
	_ "embed"
	"io"
	"strconv"
	"strings"
	"time"
)

//go:embed page.css
var pageCSS string

// pageSize is what a page of a month takes; a larger one grows.
const pageSize = 96 << 10

// HTML writes the document as one self-contained page: style and charts are
// inline, there is no script and nothing is loaded. The errors are those of
// [Document.Validate] and of w.
func (d Document) HTML(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	p := page{markup: markup{b: make([]byte, 0, pageSize)}, zone: d.zone()}
	p.document(d)
	_, err := w.Write(p.bytes())
	return err
}

// page writes HTML by hand: a template of the standard library takes eight times
// as long for the same page.
type page struct {
	markup
	zone *time.Location
}

func (p *page) document(d Document) {
	p.raw("<!doctype html>\n")
	p.begin("html", "lang", d.lang())
	p.raw("\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n")
	p.element("title", d.Title)
	p.raw("\n<style>" + pageCSS + "</style>\n</head>\n<body>\n<header>")
	p.element("h1", d.Title)
	if d.Subtitle != "" {
		p.element("p", d.Subtitle, "class", "sub")
	}
	p.raw("</header>\n<main>\n")
	for _, s := range d.Sections {
		p.begin("section", "id", s.ID)
		p.raw("\n")
		p.element("h2", s.Title)
		p.raw("\n")
		for _, block := range s.Blocks {
			p.block(block)
			p.raw("\n")
		}
		p.end()
		p.raw("\n")
	}
	p.raw("</main>\n")
	p.footer(d)
	p.raw("\n</body>\n")
	p.end()
	p.raw("\n")
}

func (p *page) footer(d Document) {
	p.begin("footer")
	if !d.Generated.IsZero() {
		p.begin("p")
		p.raw("As of ")
		p.time(d.Generated, clockLayout)
		p.raw(", from " + strconv.Itoa(len(d.Sources)) + " sources.")
		p.end()
	}
	p.raw("\n")
	if len(d.Sources) > 0 {
		p.raw("<details><summary>Sources</summary><ul>")
		for _, s := range d.Sources {
			p.begin("li")
			p.text(s.Name)
			p.raw(" ")
			p.element("code", s.SHA256)
			p.end()
		}
		p.raw("</ul></details>")
	}
	p.end()
}

func (p *page) block(block Block) {
	switch block := block.(type) {
	case Text:
		p.element("p", string(block))
	case Tiles:
		p.tiles(block)
	case Table:
		p.raw(`<div class="scroll">`)
		p.table(block)
		p.raw("</div>")
	case Timeline:
		p.timeline(block)
	case Chart:
		p.figure(block.ID, block.Title, block.Summary, block.draw, block.Series, block.tables(p.zone))
	case Bars:
		p.figure(block.ID, block.Title, block.Summary, block.draw, nil, block.tables())
	case Steps:
		p.figure(block.ID, block.Title, block.Summary, block.draw, nil, block.tables())
	}
}

func (p *page) tiles(tiles Tiles) {
	p.begin("dl", "class", "tiles")
	for _, t := range tiles {
		p.begin("div", "class", "tile")
		p.element("dt", t.Label)
		p.begin("dd", "class", strings.TrimSpace("value "+t.State.class()))
		p.label(t.State, t.Value)
		p.end()
		if t.Note != "" {
			p.element("dd", t.Note, "class", "note")
		}
		p.end()
	}
	p.end()
}

func (p *page) table(t Table) {
	p.begin("table")
	if t.Caption != "" {
		p.element("caption", t.Caption)
	}
	p.raw("\n<thead><tr>")
	for _, c := range t.Columns {
		p.element("th", c.Title, "scope", "col", "class", c.class())
	}
	p.raw("</tr></thead>\n<tbody>")
	for _, row := range t.Rows {
		p.raw("<tr>")
		for i, cell := range row {
			class := t.Columns[i].class()
			if cell.State != "" {
				class = strings.TrimSpace(class + " " + cell.State.class())
			}
			p.begin("td", "class", class)
			p.label(cell.State, cell.Text)
			p.end()
		}
		p.raw("</tr>\n")
	}
	p.raw("</tbody>")
	p.end()
}

func (p *page) timeline(events Timeline) {
	p.begin("ol", "class", "time")
	for _, e := range events {
		p.begin("li")
		p.raw("<span>")
		p.time(e.At, "15:04:05 MST")
		p.raw("</span>")
		p.element("span", e.Stage, "class", "stage")
		p.element("span", e.Text)
		if e.Why != "" {
			p.element("span", e.Why, "class", "why")
		}
		p.end()
		p.raw("\n")
	}
	p.end()
}

// figure writes a drawing, its message in words, and what it shows as tables.
func (p *page) figure(id, title, summary string, draw func(*markup, *time.Location), series []Series, data []Table) {
	p.begin("figure", "id", id)
	draw(&p.markup, p.zone)
	p.raw("\n<figcaption>")
	p.element("strong", title)
	for i, s := range series {
		p.begin("span")
		p.raw(`<i class="key k` + strconv.Itoa(seriesClass(i)) + `"></i>`)
		p.text(s.Name)
		p.end()
	}
	p.element("p", summary)
	p.raw("</figcaption>\n")
	if len(data) > 0 {
		p.raw("<details><summary>Data as tables</summary>")
		for _, t := range data {
			p.table(t)
		}
		p.raw("</details>")
	}
	p.end()
}

func (p *page) time(at time.Time, layout string) {
	local := at.In(p.zone)
	p.begin("time", "datetime", local.Format(time.RFC3339))
	p.text(local.Format(layout))
	p.end()
}

// label writes what [State.label] returns, without joining it first.
func (p *page) label(s State, text string) {
	if s != "" {
		p.text(s.Glyph())
		p.raw(" ")
		if text == "" {
			text = string(s)
		}
	}
	p.text(text)
}

func (c Column) class() string {
	if c.Numeric {
		return "num"
	}
	return ""
}
