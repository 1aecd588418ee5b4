package postmortem

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/internal/markdown"
)

// page is a small document before it has a form. All its texts are plain.
type page struct {
	title    string
	sections []section
}

// section has a table, a list and texts, in this order, or what stands in their
// place.
type section struct {
	heading string     // "" before the first one
	table   [][]string // the first row is the head
	list    []string
	texts   []string
	empty   string // defaults to unwritten
}

// unwritten stands where people have to write.
const unwritten = "Not written yet."

func (s section) none() string {
	switch {
	case len(s.table)+len(s.list)+len(s.texts) > 0:
		return ""
	case s.empty != "":
		return s.empty
	}
	return unwritten
}

func (p page) markdown() string {
	// Blanks in front would begin a block of code.
	escape := func(text string) string { return strings.TrimSpace(markdown.Escape(text)) }
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", escape(p.title))
	for _, s := range p.sections {
		if s.heading != "" {
			fmt.Fprintf(&b, "\n## %s\n", markdown.Escape(s.heading))
		}
		if len(s.table) > 0 {
			rows := make([][]string, len(s.table))
			for i, row := range s.table {
				rows[i] = each(row, markdown.Escape)
			}
			fmt.Fprintf(&b, "\n%s\n", markdown.Table(rows[0], rows[1:]...))
		}
		if len(s.list) > 0 {
			fmt.Fprintf(&b, "\n- %s\n", strings.Join(each(s.list, escape), "\n- "))
		}
		for _, text := range s.texts {
			fmt.Fprintf(&b, "\n%s\n", escape(text))
		}
		if none := s.none(); none != "" {
			fmt.Fprintf(&b, "\n_%s_\n", none)
		}
	}
	return b.String()
}

const style = `body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #d0d7de}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}}`

func (p page) html() string {
	escape := func(text string) string { return html.EscapeString(visible(text)) }
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n<style>\n%s\n</style>\n</head>\n<body>\n<main>\n<h1>%[1]s</h1>\n", escape(p.title), style)
	for _, s := range p.sections {
		element := "div"
		if s.heading != "" {
			element = "section"
		}
		b.WriteString("<" + element + ">\n")
		if s.heading != "" {
			fmt.Fprintf(&b, "<h2>%s</h2>\n", escape(s.heading))
		}
		for i, row := range s.table {
			before, between, after := "<tr><td>", "</td><td>", "</td></tr>\n"
			if i == 0 {
				before, between, after = "<table>\n<thead>\n<tr><th scope=\"col\">", "</th><th scope=\"col\">", "</th></tr>\n</thead>\n<tbody>\n"
			}
			b.WriteString(before + strings.Join(each(row, escape), between) + after)
		}
		if len(s.table) > 0 {
			b.WriteString("</tbody>\n</table>\n")
		}
		if len(s.list) > 0 {
			fmt.Fprintf(&b, "<ul>\n<li>%s</li>\n</ul>\n", strings.Join(each(s.list, escape), "</li>\n<li>"))
		}
		for _, text := range s.texts {
			fmt.Fprintf(&b, "<p>%s</p>\n", escape(text))
		}
		if none := s.none(); none != "" {
			fmt.Fprintf(&b, "<p><em>%s</em></p>\n", none)
		}
		b.WriteString("</" + element + ">\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}

func (p page) text() string {
	var b strings.Builder
	underline := func(text, mark string) {
		text = visible(text)
		fmt.Fprintf(&b, "%s\n%s\n", text, strings.Repeat(mark, utf8.RuneCountInString(text)))
	}
	underline(p.title, "=")
	for _, s := range p.sections {
		b.WriteByte('\n')
		if s.heading != "" {
			underline(s.heading, "-")
		}
		columns(&b, s.table)
		for _, text := range s.list {
			b.WriteString("- " + visible(text) + "\n")
		}
		for _, text := range s.texts {
			b.WriteString(visible(text) + "\n")
		}
		if none := s.none(); none != "" {
			b.WriteString(none + "\n")
		}
	}
	return b.String()
}

// columns writes a table with aligned columns.
func columns(b *strings.Builder, table [][]string) {
	var widths []int
	for _, row := range table {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(visible(cell)))
		}
	}
	for _, row := range table {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], visible(cell))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// visible puts a blank in place of every control character, so that a text is one
// line and steers no terminal.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

func each[T any](items []T, f func(T) string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = f(item)
	}
	return out
}
