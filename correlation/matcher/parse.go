package matcher

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mode is a way to read matchers, as Alertmanager is told by --enable-feature.
type Mode int

// The modes.
const (
	// Fallback reads what [Classic] reads, and all else as [UTF8] does. It is what
	// Alertmanager does by default.
	Fallback Mode = iota
	// UTF8 takes any text in double quotes as name or value, with the escapes of Go,
	// and words of any characters but blanks and { } ! = ~ , \ " ' and `
	// (utf8-strict-mode).
	UTF8
	// Classic takes names of letters, digits, underscores and colons, and values that
	// reach to the next comma, blanks in them included; \n, \" and \\ are escapes, and
	// any other backslash stands for itself (classic-mode).
	Classic
)

// String returns the name of the feature, "" for the default.
func (m Mode) String() string {
	switch m {
	case Fallback:
		return ""
	case UTF8:
		return "utf8-strict-mode"
	case Classic:
		return "classic-mode"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// Parse reads one matcher, in the mode [Fallback]. The error is a [*SyntaxError].
func Parse(text string) (Matcher, error) { return ParseMode(text, Fallback) }

// ParseMode is [Parse] in any mode.
func ParseMode(text string, mode Mode) (Matcher, error) {
	if mode == Classic {
		return parseClassic(text)
	}
	if strings.HasPrefix(text, "{") || strings.HasSuffix(text, "}") {
		return Matcher{}, &SyntaxError{Text: text, Want: "one matcher, without braces"}
	}
	classic, classicErr := parseClassic(text)
	if mode == Fallback && classicErr == nil {
		return classic, nil
	}
	list, err := ParseListMode(text, UTF8)
	if err == nil && len(list) != 1 {
		err = &SyntaxError{Text: text, Want: fmt.Sprintf("one matcher, not %d", len(list))}
	}
	if err != nil {
		return Matcher{}, telling(mode, classicErr, err)
	}
	return list[0], nil
}

// telling returns the error that says more about a text that neither reads: that of
// UTF8 knows the place, and that of Classic comes first if it understood all but the
// expression.
func telling(mode Mode, classic, utf8 error) error {
	if wrong, ok := errors.AsType[*SyntaxError](classic); ok && wrong.Err != nil && mode == Fallback {
		return classic
	}
	return utf8
}

// ParseList reads matchers that are separated by commas, with or without braces
// around all of them, in the mode [Fallback]. An empty text has none. The error is a
// [*SyntaxError] about the first problem.
func ParseList(text string) ([]Matcher, error) { return ParseListMode(text, Fallback) }

// ParseListMode is [ParseList] in any mode.
func ParseListMode(text string, mode Mode) ([]Matcher, error) {
	var classicErr error
	if mode != UTF8 {
		list, err := classicList(text)
		if err == nil || mode == Classic {
			return list, err
		}
		classicErr = err
	}
	p := parser{lexer: lexer{text: text}}
	if err := p.list(); err != nil {
		return nil, telling(mode, classicErr, err)
	}
	return p.found, nil
}

// classicList splits at the commas outside of quotes.
func classicList(text string) ([]Matcher, error) {
	var list []Matcher
	var quoted, escaped bool
	var token strings.Builder // what is not UTF-8 becomes U+FFFD, as in Alertmanager
	add := func(text string) error {
		m, err := parseClassic(text)
		list = append(list, m)
		return err
	}
	for _, r := range strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}") {
		switch r {
		case ',':
			if !quoted {
				if err := add(token.String()); err != nil {
					return nil, err
				}
				token.Reset()
				continue
			}
		case '"':
			if !escaped {
				quoted = !quoted
			}
			escaped = false
		case '\\':
			escaped = !escaped
		default:
			escaped = false
		}
		token.WriteRune(r)
	}
	if last := strings.TrimSpace(token.String()); last != "" {
		if err := add(last); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// blanks are what \s is in a regular expression.
const blanks = "\t\n\f\r "

// parseClassic reads one matcher in the mode Classic.
func parseClassic(text string) (Matcher, error) {
	rest := strings.TrimLeft(text, blanks)
	end := 0
	for end < len(rest) && (letter(rest[end]) || rest[end] == ':' || end > 0 && digit(rest[end])) {
		end++
	}
	if end == 0 {
		return Matcher{}, &SyntaxError{Text: text, Want: "the name of a label first, of letters, digits, underscores and colons"}
	}
	name := rest[:end]
	rest = strings.TrimLeft(rest[end:], blanks)
	var op Op
	for _, o := range []Op{Match, Equal, NotEqual, NotMatch} { // the longer of =~ and = first
		if strings.HasPrefix(rest, string(o)) {
			op = o
			break
		}
	}
	if op == "" {
		return Matcher{}, &SyntaxError{Text: text, Want: "an operator, one of = != =~ !~, after the name"}
	}
	raw := strings.Trim(rest[len(op):], blanks)
	inner, quoted := strings.CutPrefix(raw, `"`)
	if !utf8.ValidString(inner) {
		return Matcher{}, &SyntaxError{Text: text, Want: "a value of valid UTF-8"}
	}
	value, ok := unescape(inner, quoted)
	if !ok {
		return Matcher{}, &SyntaxError{Text: text, Want: "quotes around the whole value or none, and a backslash before those within"}
	}
	m, err := New(name, op, value)
	if wrong, ok := errors.AsType[*SyntaxError](err); ok {
		wrong.Text = text
	}
	return m, err
}

// unescape reads a value, and the quote that ends it if one began it.
func unescape(text string, quoted bool) (value string, ok bool) {
	var b strings.Builder
	escaped := false
	for i, r := range text {
		last := i == len(text)-1
		switch {
		case escaped:
			escaped = false
			switch r {
			case 'n':
				b.WriteByte('\n')
			case '"', '\\':
				b.WriteRune(r)
			default:
				b.WriteByte('\\')
				b.WriteRune(r)
			}
		case r == '\\' && !last:
			escaped = true
		case r == '"':
			if !quoted || !last {
				return "", false
			}
			quoted = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), !quoted
}

// kind is what a token is.
type kind int

const (
	end kind = iota
	open
	closing
	comma
	operator
	word
	quote
)

type token struct {
	kind kind
	text string
	at   int // offset of the first byte
}

// lexer splits a text of the mode UTF8 into tokens.
type lexer struct {
	text string
	pos  int
}

// fail is an error at an offset.
func (l *lexer) fail(at int, want string) error {
	return &SyntaxError{Text: l.text, Column: utf8.RuneCountInString(l.text[:at]) + 1, Want: want}
}

// next returns the next token; past the end it is end, again and again.
func (l *lexer) next() (token, error) {
	l.pos = len(l.text) - len(strings.TrimLeftFunc(l.text[l.pos:], unicode.IsSpace))
	start := l.pos
	if start == len(l.text) {
		return token{kind: end, at: start}, nil
	}
	rest := l.text[start:]
	take := func(k kind, n int) (token, error) {
		l.pos += n
		return token{k, rest[:n], start}, nil
	}
	switch rest[0] {
	case '{':
		return take(open, 1)
	case '}':
		return take(closing, 1)
	case ',':
		return take(comma, 1)
	case '=':
		if strings.HasPrefix(rest, string(Match)) {
			return take(operator, 2)
		}
		return take(operator, 1)
	case '!':
		if strings.HasPrefix(rest, string(NotEqual)) || strings.HasPrefix(rest, string(NotMatch)) {
			return take(operator, 2)
		}
		return token{}, l.fail(start, "= or ~ after !")
	case '"':
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return take(quote, i+1)
			}
		}
		return token{}, l.fail(len(l.text), "a double quote that ends the text")
	}
	n := strings.IndexFunc(rest, reserved)
	switch n {
	case 0:
		return token{}, l.fail(start, "a name or value; this character has to be in double quotes")
	case -1:
		n = len(rest)
	}
	return take(word, n)
}

// parser reads a list of the mode UTF8.
type parser struct {
	lexer
	token token // the one that comes
	found []Matcher
}

// advance moves on by a token.
func (p *parser) advance() (err error) {
	p.token, err = p.next()
	return err
}

// list = [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ], with both braces or none.
func (p *parser) list() error {
	if err := p.advance(); err != nil {
		return err
	}
	braces := p.token.kind == open
	if braces {
		if err := p.advance(); err != nil {
			return err
		}
	}
	for p.token.kind != end && p.token.kind != closing {
		if err := p.matcher(); err != nil {
			return err
		}
		if p.token.kind != comma {
			break
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	switch {
	case braces && p.token.kind != closing:
		return p.fail(p.token.at, "a comma or the closing brace")
	case braces:
		if err := p.advance(); err != nil {
			return err
		}
	case p.token.kind == closing:
		return p.fail(p.token.at, "no closing brace, for none was opened")
	}
	if p.token.kind != end {
		return p.fail(p.token.at, "a comma or the end")
	}
	return nil
}

// matcher = name operator value.
func (p *parser) matcher() error {
	start := p.token.at
	name, err := p.text("the name of a label")
	if err != nil {
		return err
	}
	if p.token.kind != operator {
		return p.fail(p.token.at, "an operator, one of = != =~ !~")
	}
	op := Op(p.token.text)
	if err := p.advance(); err != nil {
		return err
	}
	value, err := p.text("a value")
	if err != nil {
		return err
	}
	m, err := New(name, op, value)
	if wrong, ok := errors.AsType[*SyntaxError](err); ok {
		return &SyntaxError{Text: p.lexer.text, Column: utf8.RuneCountInString(p.lexer.text[:start]) + 1, Want: wrong.Want, Err: wrong.Err}
	}
	p.found = append(p.found, m)
	return nil
}

// text reads a word or a quoted text.
func (p *parser) text(want string) (string, error) {
	text := p.token.text
	switch p.token.kind {
	case word:
	case quote:
		plain, err := strconv.Unquote(text)
		if err != nil || !utf8.ValidString(plain) {
			return "", p.fail(p.token.at, "a text in double quotes with the escapes of Go, such as \\\\ for a backslash")
		}
		text = plain
	default:
		return "", p.fail(p.token.at, want)
	}
	return text, p.advance()
}
