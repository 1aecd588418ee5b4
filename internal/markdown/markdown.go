// Package markdown writes the small documents of the core packages as CommonMark
// with tables. Documents with charts and states are for adapters/report, which has
// rules of its own for GitHub's flavour.
package markdown

import "strings"

// Escape makes a text plain in CommonMark: every ASCII punctuation mark that
// could begin markup gets a backslash: - and + only as the first mark, where they begin
// lists, and : not before a blank, so that names like INC-7 can be searched for; < is
// an entity, for readers that know less of Markdown than of HTML. Line ends and tabs
// become blanks, other control characters are dropped.
func Escape(text string) string {
	var b strings.Builder
	begun := false
	for i, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
			continue
		case r < ' ':
			continue
		case r == '<':
			b.WriteString("&lt;")
			begun = true
			continue
		case strings.ContainsRune("\\`*_{}[]>()#.!|~&/@=\"'$", r), !begun && (r == '-' || r == '+'),
			r == ':' && i+1 < len(text) && text[i+1] > ' ':
			b.WriteByte('\\')
		}
		begun = begun || r != ' '
		b.WriteRune(r)
	}
	return b.String()
}

// Table returns a table without a line end after the last row. Cells must be
// escaped already.
func Table(head []string, rows ...[]string) string {
	lines := []string{row(head), "|" + strings.Repeat("---|", len(head))}
	for _, r := range rows {
		lines = append(lines, row(r))
	}
	return strings.Join(lines, "\n")
}

func row(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }
