package report

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// Markdown writes the document as GitHub-flavoured Markdown. Charts appear as
// their message and what they show as tables; states are a glyph and a word. White
// space within a text counts as one blank. No text becomes markup, HTML or a link:
// an empty comment parts the addresses that would be linked without being asked.
// The errors are those of [Document.Validate] and of w.
func (d Document) Markdown(w io.Writer) error {
	if err := d.Validate(); err != nil {
		return err
	}
	m := markdown{language: d.language(), w: w}
	m.paragraph("# ", d.Title, "")
	m.paragraph("", d.Subtitle, "")
	for _, s := range d.Sections {
		m.paragraph("## ", s.Title, "")
		for _, block := range s.Blocks {
			m.block(block)
		}
	}
	if !d.Generated.IsZero() {
		m.paragraph("", m.asOf(d), "")
	}
	if len(d.Sources) > 0 {
		m.table(Table{Caption: m.t("sources"), Columns: []Column{{Title: m.t("name")}, {Title: "SHA-256"}}, Rows: sourceRows(d.Sources)})
	}
	m.flush()
	return m.err
}

type markdown struct {
	language
	b     bytes.Buffer
	begun bool // something was written
	w     io.Writer
	err   error // of w
}

// flush writes what there is.
func (m *markdown) flush() {
	if m.err == nil {
		_, m.err = m.w.Write(m.b.Bytes())
	}
	m.b.Reset()
}

func (m *markdown) block(block Block) {
	switch block := block.(type) {
	case Text:
		m.paragraph("", string(block), "")
	case Tiles:
		t := Table{Columns: []Column{{Title: m.t("figure")}, {Title: m.t("value")}, {Title: m.t("note")}}}
		for _, tile := range block {
			t.Rows = append(t.Rows, []Cell{{Text: tile.Label}, {Text: tile.Value, State: tile.State}, {Text: tile.Note}})
		}
		m.table(t)
	case Table:
		m.table(block)
	case Timeline:
		t := Table{Columns: []Column{{Title: m.t("when")}, {Title: m.t("stage")}, {Title: m.t("what")}, {Title: m.t("why")}}}
		for _, e := range block {
			t.Rows = append(t.Rows, []Cell{{Text: m.second(e.At)}, {Text: e.Stage}, {Text: e.Text}, {Text: e.Why}})
		}
		m.table(t)
	case Chart:
		m.figure(block.Title, block.Summary, block.tables(m.language))
	case Bars:
		m.figure(block.Title, block.Summary, block.tables(m.language))
	case Steps:
		m.figure(block.Title, block.Summary, block.tables(m.language))
	}
}

func (m *markdown) figure(title, summary string, data []Table) {
	m.paragraph("**", title, "**")
	m.paragraph("", summary, "")
	for _, t := range data {
		m.table(t)
	}
}

// paragraph writes a text with a blank line before it, unless it is empty.
func (m *markdown) paragraph(before, text, after string) {
	if text = escapeMarkdown(text); text == "" {
		return
	}
	m.part()
	if before == "" {
		text = escapeStart(text)
	}
	m.b.WriteString(before + text + after + "\n")
}

func (m *markdown) table(t Table) {
	m.paragraph("**", t.Caption, "**")
	if len(t.Columns) == 0 {
		return
	}
	m.part()
	m.b.WriteByte('|')
	for _, c := range t.Columns {
		m.cell(c.Title)
	}
	m.b.WriteString("\n|")
	for _, c := range t.Columns {
		if c.Numeric {
			m.b.WriteString(" ---: |")
		} else {
			m.b.WriteString(" --- |")
		}
	}
	for row := range t.all() {
		if m.b.Len() >= pageSize {
			m.flush()
		}
		if m.err != nil {
			return
		}
		m.b.WriteString("\n|")
		for _, c := range row {
			m.cell(m.label(c.State, c.Text))
		}
	}
	m.b.WriteByte('\n')
}

func (m *markdown) cell(text string) {
	m.b.WriteByte(' ')
	m.b.WriteString(escapeMarkdown(text))
	m.b.WriteString(" |")
}

// part begins a new paragraph.
func (m *markdown) part() {
	if m.begun {
		m.b.WriteByte('\n')
	}
	m.begun = true
}

func sourceRows(sources []Source) [][]Cell {
	rows := make([][]Cell, len(sources))
	for i, s := range sources {
		rows[i] = []Cell{{Text: s.Name}, {Text: s.SHA256}}
	}
	return rows
}

// comment parts an address, so that no renderer makes a link of it.
const comment = "<!---->"

// escapeMarkdown returns one line that reads as the text. Bars and backslashes
// become references, because renderers differ in how they split rows at them.
func escapeMarkdown(text string) string {
	var b strings.Builder
	blank := false
	for i, r := range text {
		switch {
		case r == ' ' || r >= '\t' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029:
			blank = b.Len() > 0
			continue
		case r < ' ' || r == 0x7f:
			r = utf8.RuneError
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		switch rest := text[i:]; r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '|':
			b.WriteString("&#124;")
		case '\\':
			b.WriteString("&#92;")
		case '`', '*', '_', '[', ']', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '#': // an issue, on pages that know some
			b.WriteString(`\#`)
			if len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' {
				b.WriteString(comment)
			}
		case '@':
			b.WriteString("@" + comment)
		case ':':
			b.WriteByte(':')
			if strings.HasPrefix(rest, "://") {
				b.WriteString(comment)
			}
		case '.':
			if i >= 3 && strings.EqualFold(text[i-3:i], "www") {
				b.WriteString(comment)
			}
			b.WriteByte('.')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escapeStart keeps an escaped line from beginning a list, a rule or a heading.
func escapeStart(line string) string {
	digits := strings.TrimLeft(line, "0123456789")
	switch {
	case strings.HasPrefix(line, "-"), strings.HasPrefix(line, "+"), strings.HasPrefix(line, "="), strings.HasPrefix(line, ":"):
		return `\` + line
	case len(digits) < len(line) && (strings.HasPrefix(digits, ". ") || strings.HasPrefix(digits, ") ") || digits == "." || digits == ")"):
		return line[:len(line)-len(digits)] + `\` + digits
	}
	return line
}
