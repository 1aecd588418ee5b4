package promrules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// selector is an instant vector selector: a metric name with matchers.
type selector struct {
	name     string
	matchers []matcher
}

// matcher is one comparison of a label.
type matcher struct {
	label, op, value string
	offset           int            // of the value in the text of the selector
	pattern          *regexp.Regexp // for =~ and !~, anchored
}

// matches reports whether a value of the label passes; an absent label is "".
func (m matcher) matches(value string) bool {
	switch m.op {
	case "=":
		return value == m.value
	case "!=":
		return value != m.value
	case "=~":
		return m.pattern.MatchString(value)
	default:
		return !m.pattern.MatchString(value)
	}
}

// scanSelector checks a selector as the Prometheus parser would and returns the
// length of its metric name. Patterns are compiled into *into, which may be nil;
// without it a selector that has none but plain ones costs no allocation.
func scanSelector(text string, into *selector) (name int, err error) {
	s := scan{text: text}
	if s.pos = unprintable(text); s.pos < len(text) {
		return 0, s.fail("printable characters of UTF-8; others can be written as escapes")
	}
	s.pos = 0
	name = s.word(true)
	if name == 0 || isKeyword(text[:name]) {
		s.pos = 0
		return 0, s.fail("a metric name")
	}
	if into != nil {
		into.name = text[:name]
	}
	if s.done() {
		return name, nil
	}
	if !s.take('{') {
		return 0, s.fail(`"{" or the end; an expression needs $window`)
	}
	for !s.take('}') {
		m, err := s.matcher()
		if err != nil {
			return 0, err
		}
		if m.op == "=~" || m.op == "!~" {
			if !isPlainPattern(m.value) {
				_, err = syntax.Parse(m.value, syntax.Perl)
			}
			if err == nil && into != nil {
				m.pattern, err = regexp.Compile("^(?s:" + m.value + ")$")
			}
			if err != nil {
				s.pos = m.offset
				return 0, s.fail("a regular expression: " + err.Error())
			}
		}
		if into != nil {
			into.matchers = append(into.matchers, m)
		}
		if !s.take(',') && !s.at('}') {
			return 0, s.fail(`"," or "}"`)
		}
	}
	if !s.done() {
		return 0, s.fail("nothing after the selector; an expression needs $window")
	}
	return name, nil
}

type scan struct {
	text string
	pos  int
}

func (s *scan) fail(want string) error {
	return &EventsError{Text: s.text, Offset: s.pos, Want: want}
}

func (s *scan) blank() {
	for s.pos < len(s.text) && strings.IndexByte(" \t\n\r", s.text[s.pos]) >= 0 {
		s.pos++
	}
}

func (s *scan) done() bool {
	s.blank()
	return s.pos == len(s.text)
}

func (s *scan) at(b byte) bool {
	s.blank()
	return s.pos < len(s.text) && s.text[s.pos] == b
}

func (s *scan) take(b byte) bool {
	if !s.at(b) {
		return false
	}
	s.pos++
	return true
}

// word scans a name and returns its length; a metric name may hold colons.
func (s *scan) word(colons bool) int {
	start := s.pos
	for s.pos < len(s.text) && isNameByte(s.text[s.pos], s.pos > start, colons) {
		s.pos++
	}
	return s.pos - start
}

func isNameByte(b byte, inside, colons bool) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || inside && b >= '0' && b <= '9' || colons && b == ':'
}

func (s *scan) matcher() (matcher, error) {
	s.blank()
	start := s.pos
	if s.word(false) == 0 {
		return matcher{}, s.fail("a label name")
	}
	m := matcher{label: s.text[start:s.pos]}
	if m.label == "__name__" {
		s.pos = start
		return matcher{}, s.fail("a label name other than __name__: the metric is named before the brace")
	}
	s.blank()
	for _, op := range [...]string{"=~", "!~", "!=", "="} {
		if strings.HasPrefix(s.text[s.pos:], op) {
			m.op = op
			break
		}
	}
	if m.op == "" {
		return matcher{}, s.fail(`one of = != =~ !~`)
	}
	s.pos += len(m.op)
	s.blank()
	m.offset = s.pos
	var err error
	m.value, err = s.quoted()
	return m, err
}

// quoted scans a string in double, single or back quotes, with the escapes of
// Go and no line breaks in the first two.
func (s *scan) quoted() (string, error) {
	if s.pos == len(s.text) || strings.IndexByte("\"'`", s.text[s.pos]) < 0 {
		return "", s.fail("a quoted value")
	}
	quote, start := s.text[s.pos], s.pos+1
	escaped := false
	for i := start; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\' && quote != '`':
			escaped = true
			i++
		case s.text[i] == '\n' && quote != '`':
			s.pos = i
			return "", s.fail(fmt.Sprintf(`a closing %c or \n for a line break`, quote))
		case s.text[i] == quote:
			s.pos = i + 1
			if !escaped {
				return s.text[start:i], nil
			}
			return s.unescape(start, i, quote)
		}
	}
	return "", s.fail(fmt.Sprintf("a closing %c", quote))
}

// unescape returns the value of a part of the text between two quotes.
func (s *scan) unescape(start, end int, quote byte) (string, error) {
	var b strings.Builder
	for rest := s.text[start:end]; rest != ""; {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			s.pos = end - len(rest)
			return "", s.fail("an escape sequence of Go")
		}
		if r < 0x80 || multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		rest = tail
	}
	return b.String(), nil
}

// isKeyword reports whether Prometheus takes a word for something else than a
// metric. Other keywords of PromQL are metrics where one is expected.
func isKeyword(word string) bool {
	switch strings.ToLower(word) {
	case "bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan":
		return true
	}
	return false
}

// isPlainPattern reports whether a regular expression is sound at first sight; of
// the others nothing is known.
func isPlainPattern(pattern string) bool {
	depth, repeatable := 0, false
	for i := range len(pattern) {
		c := pattern[i]
		switch {
		case isNameByte(c, true, true) || strings.IndexByte("./-,= ", c) >= 0:
			repeatable = true
		case c == '|':
			repeatable = false
		case c == '*' || c == '+' || c == '?':
			if !repeatable {
				return false
			}
			repeatable = false
		case c == '(':
			depth++
			repeatable = false
		case c == ')' && depth > 0:
			depth--
			repeatable = true
		default:
			return false
		}
		if depth > 100 {
			return false // the real parser has a limit, too
		}
	}
	return depth == 0
}

// unprintable returns the offset of the first byte that cannot be written into a
// rule file as it is: of a control character, except blanks and line breaks, of
// another character that is not printable, or not of UTF-8. It is len(text) if
// there is none.
func unprintable(text string) int {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c >= ' ' && c < 0x7f || c == '\t' || c == '\n' || c == '\r':
			i++
		case c < utf8.RuneSelf:
			return i
		default:
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) {
				return i
			}
			i += size
		}
	}
	return len(text)
}
