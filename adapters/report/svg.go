package report

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// svg is the one writer of SVG in this module: it closes what it opens and
// escapes what it is given. Colours are classes, so that a style sheet decides
// for light and dark.
type svg struct {
	b    strings.Builder
	open []string
}

// begin opens an element with attributes given as name, value pairs. Numbers are
// written with at most two decimals.
func (s *svg) begin(name string, attributes ...any) {
	s.tag(name, attributes)
	s.b.WriteString(">")
	s.open = append(s.open, name)
}

// end closes the innermost open element.
func (s *svg) end() {
	last := len(s.open) - 1
	s.b.WriteString("</" + s.open[last] + ">")
	s.open = s.open[:last]
}

// empty writes an element without content.
func (s *svg) empty(name string, attributes ...any) {
	s.tag(name, attributes)
	s.b.WriteString("/>")
}

// text writes an element with escaped text.
func (s *svg) text(name, content string, attributes ...any) {
	s.tag(name, attributes)
	s.b.WriteString(">" + html.EscapeString(content) + "</" + name + ">")
}

func (s *svg) tag(name string, attributes []any) {
	s.b.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		var value string
		switch v := attributes[i+1].(type) {
		case float64:
			value = coordinate(v)
		case string:
			value = html.EscapeString(v)
		default:
			value = html.EscapeString(fmt.Sprint(v))
		}
		fmt.Fprintf(&s.b, ` %v="%s"`, attributes[i], value)
	}
}

// coordinate writes a number with at most two decimals.
func coordinate(x float64) string {
	text := strconv.FormatFloat(x, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// String returns what was written; every element must be closed.
func (s *svg) String() string {
	if len(s.open) > 0 {
		panic("report: svg element " + s.open[len(s.open)-1] + " is still open")
	}
	return s.b.String()
}
