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

// Stylesheet returns the style of all documents, for pages that link to it as a file
// of their own.
func Stylesheet() []byte { return []byte(pageCSS) }

// HTML writes the document as one self-contained page: style and charts are
// inline, there is no script and nothing is loaded. The errors are those of
// [Document.Validate] and of w.
func (d Document) HTML(w io.Writer) error { return d.HTMLWith(w, HTMLOptions{}) }

// HTMLOptions say how a document becomes a page. The zero value is that of
// [Document.HTML].
type HTMLOptions struct {
	// Stylesheet is the address of a file with at least what [Stylesheet] returns. The
	// page then has no inline style, neither as an element nor as an attribute, so that
	// a content security policy of "style-src 'self'" holds. Defaults to inline style.
	Stylesheet string
}

// HTMLWith writes the document as a page as [Document.HTML] does, with options.
func (d Document) HTMLWith(w io.Writer, o HTMLOptions) error {
	return d.render(w, func(p *page) { p.document(d, o) })
}

// Fragment writes the sections alone, each a section element with a heading of level
// 2, for a page of the caller's own that links to what [Stylesheet] returns. Ids are
// those of sections and charts. The errors are those of [Document.HTML].
func (d Document) Fragment(w io.Writer) error {
	return d.render(w, func(p *page) { p.sections(d.Sections) })
}

func (d Document) render(w io.Writer, write func(*page)) error {
	if err := d.Validate(); err != nil {
		return err
	}
	p := page{markup: markup{b: make([]byte, 0, pageSize)}, language: d.language(), w: w}
	write(&p)
	p.bytes() // all elements are closed
	p.flush(0)
	return p.err
}

// page writes HTML by hand: a template of the standard library takes eight times
// as long for the same page.
type page struct {
	markup
	language
	w   io.Writer
	err error // of w
}

// flush writes what there is, if that is at least so many bytes.
func (p *page) flush(least int) {
	if len(p.b) >= least && p.err == nil {
		_, p.err = p.w.Write(p.b)
		p.b = p.b[:0]
	}
}

func (p *page) document(d Document, o HTMLOptions) {
	p.raw("<!doctype html>\n")
	p.begin("html", "lang", d.lang())
	p.raw("\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n")
	p.element("title", d.Title)
	if o.Stylesheet == "" {
		p.raw("\n<style>" + pageCSS + "</style>")
	} else {
		p.raw("\n")
		p.tag("link", []any{"rel", "stylesheet", "href", o.Stylesheet})
		p.raw(">")
	}
	p.raw("\n</head>\n<body>\n<header>")
	p.element("h1", d.Title)
	if d.Subtitle != "" {
		p.element("p", d.Subtitle, "class", "sub")
	}
	p.raw("</header>\n<main>\n")
	p.sections(d.Sections)
	p.raw("</main>\n")
	p.footer(d)
	p.raw("\n</body>\n")
	p.end()
	p.raw("\n")
}

func (p *page) sections(sections []Section) {
	for _, s := range sections {
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
}

func (p *page) footer(d Document) {
	p.begin("footer")
	if !d.Generated.IsZero() {
		p.begin("p")
		before, after, _ := strings.Cut(p.Count("as_of", len(d.Sources), clockPlace), clockPlace)
		p.text(before)
		p.time(d.Generated, p.second(d.Generated))
		p.text(after)
		p.end()
	}
	p.raw("\n")
	if len(d.Sources) > 0 {
		p.raw("<details>")
		p.element("summary", p.t("sources"))
		p.raw("<ul>")
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
		p.begin("div", "class", "scroll", "tabindex", "0", "role", "group", "aria-label", block.Caption) // for who scrolls by keyboard
		p.table(block)
		p.end()
	case Timeline:
		p.timeline(block)
	case Chart:
		p.figure(block.ID, block.Title, block.Summary, block.draw, block.Series, block.tables(p.language))
	case Bars:
		p.figure(block.ID, block.Title, block.Summary, block.draw, nil, block.tables(p.language))
	case Steps:
		p.figure(block.ID, block.Title, block.Summary, block.draw, nil, block.tables(p.language))
	}
}

func (p *page) tiles(tiles Tiles) {
	p.begin("dl", "class", "tiles")
	for _, t := range tiles {
		p.begin("div", "class", "tile")
		p.element("dt", t.Label)
		p.begin("dd", "class", strings.TrimSpace("value "+t.State.class()))
		p.state(t.State, t.Value)
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
	for row := range t.all() {
		p.flush(2 * pageSize)
		if p.err != nil {
			break
		}
		p.raw("<tr>")
		for i, cell := range row {
			class := t.Columns[i].class()
			if cell.State != "" {
				class = strings.TrimSpace(class + " " + cell.State.class())
			}
			p.begin("td", "class", class)
			p.state(cell.State, cell.Text)
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
		p.time(e.At, e.At.In(p.zone).Format("15:04:05 MST"))
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
func (p *page) figure(id, title, summary string, draw func(canvas, language), series []Series, data []Table) {
	p.begin("figure", "id", id)
	draw(&p.markup, p.language)
	p.raw("\n<figcaption>")
	p.element("strong", title)
	for i, s := range series {
		p.begin("span")
		p.raw(`<i class="key k` + strconv.Itoa(seriesClass(i)) + `"></i>`)
		p.text(s.Name)
		p.end()
	}
	p.element("p", summary)
	p.raw("</figcaption>")
	p.end()
	p.raw("\n")
	if len(data) > 0 {
		p.raw("<details>")
		p.element("summary", p.t("data_as_tables"))
		for _, t := range data {
			p.table(t)
		}
		p.raw("</details>")
	}
}

// clockPlace stands in a text for an element with a time.
const clockPlace = "\x00"

func (p *page) time(at time.Time, text string) {
	p.begin("time", "datetime", at.In(p.zone).Format(time.RFC3339))
	p.text(text)
	p.end()
}

// state writes what [language.label] returns, without joining it first.
func (p *page) state(s State, text string) {
	if s != "" {
		p.text(s.Glyph())
		p.raw(" ")
		if text == "" {
			text = p.word(s)
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
