package page

import (
	"html"
	"html/template"
	"strconv"

	"github.com/evenkeelops/evenkeel/internal/locale"
)

// writer writes the content of pages by hand, which takes a fifth of what a template
// does: tables and facts are most of a page. Every text goes through text, and every
// address was built here or passed [address].
type writer struct {
	b     []byte
	words locale.Words
}

// markup renders blocks; the frame of the page and forms are the template's.
func markup(w locale.Words, blocks []block) template.HTML {
	out := writer{words: w}
	out.blocks(blocks)
	return template.HTML(out.b) //nolint:gosec // texts are escaped where they are written
}

// raw writes markup.
func (w *writer) raw(parts ...string) {
	for _, part := range parts {
		w.b = append(w.b, part...)
	}
}

// text writes a text, for content and for quoted attributes.
func (w *writer) text(s string) { w.b = append(w.b, html.EscapeString(s)...) }

// element writes an element with a text; open is its name with attributes.
func (w *writer) element(name, open, content string) {
	w.raw("<", name, open, ">")
	w.text(content)
	w.raw("</", name, ">")
}

func (w *writer) attribute(name, value string) {
	w.raw(" ", name, `="`)
	w.text(value)
	w.raw(`"`)
}

func (w *writer) blocks(list []block) {
	for i := range list {
		w.block(&list[i])
	}
}

func (w *writer) block(b *block) {
	if b.Text != "" {
		w.element("p", "", b.Text)
		w.raw("\n")
	}
	if b.Head != nil {
		w.element("h3", ` id="`+b.Head.ID+`"`, b.Head.Text)
		w.raw("\n")
	}
	if b.Notice != nil {
		w.raw(`<p class="notice `)
		w.text(b.Notice.Class)
		w.raw(`">`)
		w.mark(b.Notice)
		w.raw("</p>\n")
	}
	w.tiles(b.Tiles)
	w.facts(b.Facts)
	if b.Table != nil {
		w.table(b.Table)
	}
	if b.Figure != nil {
		w.figure(b.Figure)
	}
	if len(b.Events) > 0 {
		w.raw(`<ol class="log">`)
		for _, e := range b.Events {
			w.raw("<li>")
			w.time(e.At)
			w.raw(" ")
			w.text(e.Text)
			w.raw("</li>\n")
		}
		w.raw("</ol>\n")
	}
	if len(b.List) > 0 {
		w.raw("<ul>")
		for i := range b.List {
			w.raw("<li>")
			w.cell(&b.List[i])
			w.raw("</li>\n")
		}
		w.raw("</ul>\n")
	}
	if b.Details != nil {
		w.raw("<details>")
		w.element("summary", "", b.Details.Summary)
		w.blocks(b.Details.Blocks)
		w.raw("</details>\n")
	}
}

func (w *writer) tiles(list []tile) {
	if len(list) == 0 {
		return
	}
	w.raw(`<dl class="tiles">`)
	for _, t := range list {
		w.raw(`<div class="tile">`)
		w.element("dt", "", t.Label)
		w.raw(`<dd class="value `)
		w.text(t.Mark.Class)
		w.raw(`">`)
		w.glyph(t.Mark.Glyph)
		w.text(t.Value)
		w.raw("</dd>")
		if t.Note != "" {
			w.element("dd", ` class="note"`, t.Note)
		}
		w.raw("</div>\n")
	}
	w.raw("</dl>\n")
}

func (w *writer) facts(list []fact) {
	if len(list) == 0 {
		return
	}
	w.raw(`<dl class="facts">`)
	for i := range list {
		w.raw("<div>")
		w.element("dt", "", list[i].Name)
		w.raw("<dd>")
		w.cell(&list[i].Cell)
		w.raw("</dd></div>\n")
	}
	w.raw("</dl>\n")
}

// scroll opens a box that scrolls by itself where there is little room, also for
// whoever has no mouse.
func (w *writer) scroll(label string) {
	w.raw(`<div class="scroll" tabindex="0" role="group"`)
	w.attribute("aria-label", label)
	w.raw(">")
}

func (w *writer) table(t *table) {
	w.scroll(t.Caption)
	w.raw("<table>")
	quiet := ""
	if t.Quiet {
		quiet = ` class="quiet"`
	}
	w.element("caption", quiet, t.Caption)
	w.raw("<thead><tr>")
	for _, c := range t.Columns {
		w.element("th", ` scope="col"`+c.class(), c.Title)
	}
	w.raw("</tr></thead>\n<tbody>")
	for _, row := range t.Rows {
		w.raw("<tr>")
		for i := range row {
			name, open := "td", t.Columns[i].class()
			if i == 0 {
				name, open = "th", ` scope="row"`
			}
			w.raw("<", name, open, ">")
			w.cell(&row[i])
			w.raw("</", name, ">")
		}
		w.raw("</tr>\n")
	}
	w.raw("</tbody></table></div>\n")
}

func (c column) class() string {
	if c.Numeric {
		return ` class="num"`
	}
	return ""
}

func (w *writer) figure(f *figure) {
	w.raw(`<figure id="`, f.ID, `">`)
	w.scroll(f.Title)
	w.raw(string(f.SVG), "</div>\n<figcaption>")
	w.element("strong", "", f.Title)
	for i, key := range f.Keys {
		w.raw(`<span><i class="key k`, strconv.Itoa(i), `"></i>`)
		w.text(key)
		w.raw("</span>")
	}
	w.element("p", "", f.Summary)
	w.raw("</figcaption></figure>\n")
	if f.Data != nil {
		w.raw("<details>")
		w.element("summary", "", w.words.Text("figure.data"))
		w.table(f.Data)
		w.raw("</details>\n")
	}
}

func (w *writer) cell(c *cell) {
	if c.Mark != nil {
		w.mark(c.Mark)
		w.raw(" ")
	}
	switch {
	case c.Text == "":
	case c.Href != "":
		w.raw("<a")
		w.attribute("href", c.Href)
		w.raw(">")
		w.text(c.Text)
		w.raw("</a>")
	case c.Struck:
		w.element("s", "", c.Text)
	case c.Code:
		w.element("code", "", c.Text)
	default:
		w.text(c.Text)
	}
	if c.Text != "" && len(c.Times) > 0 {
		w.raw("<br>")
	}
	for i, t := range c.Times {
		if i > 0 {
			w.raw(" – ")
		}
		w.time(t)
	}
	if c.Meter != nil {
		w.raw(`<meter min="0" max="100" value="`, c.Meter.Value, `"`)
		w.attribute("aria-label", c.Meter.Label)
		w.raw(">")
		w.text(c.Meter.Label)
		w.raw("</meter>")
	}
	w.raw(string(c.Drawing))
	if c.Sub != "" {
		w.raw("<br>")
		w.element("small", "", c.Sub)
	}
}

// mark writes a state; one without a class is a word.
func (w *writer) mark(m *mark) {
	w.raw(`<span class="state `)
	w.text(m.Class) // states of journeys are the caller's
	w.raw(`">`)
	w.glyph(m.Glyph)
	w.text(m.Word)
	w.raw("</span>")
}

func (w *writer) glyph(sign string) {
	if sign != "" {
		w.raw(`<span aria-hidden="true">`, sign, "</span> ")
	}
}

func (w *writer) time(t when) {
	if t.ISO == "" {
		w.raw(`<span class="none">–</span>`)
		return
	}
	w.raw(`<time datetime="`, t.ISO, `">`)
	w.text(t.Text)
	w.raw("</time>")
}
