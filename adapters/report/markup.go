package report

import (
	"strconv"
	"unicode/utf8"
)

// canvas is what charts are drawn on: the elements of SVG, with classes for colours.
// [markup] writes them, and the PDF form draws them.
type canvas interface {
	begin(name string, attributes ...any)
	end()
	empty(name string, attributes ...any)
	element(name, content string, attributes ...any)
}

// markup is the one writer of HTML and SVG in this module: it closes what it
// opens and escapes what it is given. Colours are classes, so that a style sheet
// decides for light and dark.
type markup struct {
	b    []byte
	open []string
}

// begin opens an element with attributes given as name, value pairs. A value is
// a text or a number; numbers are written with at most two decimals. A pair whose
// text is empty is left out.
func (m *markup) begin(name string, attributes ...any) {
	m.tag(name, attributes)
	m.raw(">")
	m.open = append(m.open, name)
}

// end closes the innermost open element.
func (m *markup) end() {
	last := len(m.open) - 1
	m.raw("</")
	m.raw(m.open[last])
	m.raw(">")
	m.open = m.open[:last]
}

// empty writes an element without content.
func (m *markup) empty(name string, attributes ...any) {
	m.tag(name, attributes)
	m.raw("/>")
}

// element writes an element with a text.
func (m *markup) element(name, content string, attributes ...any) {
	m.tag(name, attributes)
	m.raw(">")
	m.text(content)
	m.raw("</")
	m.raw(name)
	m.raw(">")
}

func (m *markup) tag(name string, attributes []any) {
	m.raw("<")
	m.raw(name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] == "" {
			continue
		}
		m.raw(" ")
		m.raw(attributes[i].(string))
		m.raw(`="`)
		switch v := attributes[i+1].(type) {
		case float64:
			m.b = appendCoordinate(m.b, v)
		case string:
			m.text(v)
		default:
			panic("report: an attribute is a text or a float64")
		}
		m.raw(`"`)
	}
}

// raw writes what needs no escaping.
func (m *markup) raw(markup string) { m.b = append(m.b, markup...) }

// text writes an escaped text, for content and for quoted attributes. What
// neither HTML nor XML can hold becomes U+FFFD.
func (m *markup) text(text string) {
	done := 0
	for i := 0; i < len(text); {
		size, escaped := 1, ""
		switch c := text[i]; {
		case c == '&':
			escaped = "&amp;"
		case c == '<':
			escaped = "&lt;"
		case c == '>':
			escaped = "&gt;"
		case c == '"':
			escaped = "&#34;"
		case c == '\'':
			escaped = "&#39;"
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			escaped = string(utf8.RuneError)
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError || r == 0xfffe || r == 0xffff {
				escaped = string(utf8.RuneError)
			}
		}
		if escaped != "" {
			m.b = append(append(m.b, text[done:i]...), escaped...)
			done = i + size
		}
		i += size
	}
	m.b = append(m.b, text[done:]...)
}

// String returns what was written; every element must be closed.
func (m *markup) String() string { return string(m.bytes()) }

func (m *markup) bytes() []byte {
	if len(m.open) > 0 {
		panic("report: element " + m.open[len(m.open)-1] + " is still open")
	}
	return m.b
}

// coordinate writes a number with at most two decimals.
func coordinate(x float64) string { return string(appendCoordinate(nil, x)) }

func appendCoordinate(b []byte, x float64) []byte {
	b = strconv.AppendFloat(b, x, 'f', 2, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}
