// Package matcher reads and applies the conditions on labels of the Prometheus
// Alertmanager, as in
//
//	severity="critical"   instance=~"db.*"   "label with blanks"!="x"
//
// exactly as version 0.34.2 does. [ParseList] reads what one entry of a list of
// matchers may hold, which is any number of them; [Parse] reads one. Both read what
// Alertmanager reads unless it is told otherwise; ParseListMode and [ParseMode] have
// its other two modes.
//
//	list, err := matcher.ParseList(`{severity="critical", instance=~"db.*"}`)
//	if matcher.All(list, labels) {
//		…
//	}
//
// A missing label is an empty one, and a regular expression has to match the whole
// value.
//
// # Limits
//
// One thing is stricter than there: an expression has to be one by itself. In
// Alertmanager `a)|(b` gets out of the anchors that are put around it, and
// matches what nobody meant.
package matcher

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Op is the way in which a matcher compares.
type Op string

// The operators. Regular expressions are those of package regexp, anchored at both
// ends.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	Match    Op = "=~"
	NotMatch Op = "!~"
)

// rank is the order of operators between matchers that are otherwise the same.
func (o Op) rank() int { return strings.Index("=  != =~ !~", string(o)) }

// Matcher is one condition on a label. Make one with [New] or [Parse]; the zero
// Matcher holds for nothing. Matchers do not change and are safe for concurrent use.
type Matcher struct {
	name  string
	op    Op
	value string
	re    *regexp.Regexp
}

// New makes a matcher of its parts. A name may be any text; the error is a
// [*SyntaxError] for an unknown operator or a bad regular expression.
func New(name string, op Op, value string) (Matcher, error) {
	m := Matcher{name: name, op: op, value: value}
	switch op {
	case Equal, NotEqual:
	case Match, NotMatch:
		// As written first, so that nothing gets out of the anchors; with them, an
		// expression can still be one level too deep.
		_, err := syntax.Parse(value, syntax.Perl)
		if err == nil {
			m.re, err = regexp.Compile("^(?:" + value + ")$")
		}
		if err != nil {
			return Matcher{}, &SyntaxError{Text: value, Want: "a regular expression", Err: err}
		}
	default:
		return Matcher{}, &SyntaxError{Text: string(op), Want: "an operator, one of = != =~ !~"}
	}
	return m, nil
}

// Name returns the name of the label.
func (m Matcher) Name() string { return m.name }

// Op returns the operator.
func (m Matcher) Op() Op { return m.op }

// Value returns the value or the regular expression, as it was given.
func (m Matcher) Value() string { return m.value }

// String returns the matcher as Alertmanager prints it, for one in the keys of
// groups: the value in double quotes with line feeds, quotes and backslashes escaped,
// and the name as it is unless it has characters with a meaning.
func (m Matcher) String() string {
	if strings.ContainsFunc(m.name, reserved) {
		return strconv.Quote(m.name) + string(m.op) + strconv.Quote(m.value)
	}
	return m.name + string(m.op) + `"` + escaper.Replace(m.value) + `"`
}

var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// reserved reports whether a character ends a word that is not quoted.
func reserved(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("{}!=~,\\\"'`", r) }

// Matches reports whether labels satisfy the matcher; a missing label is empty.
func (m Matcher) Matches(labels map[string]string) bool { return m.holds(labels[m.name]) }

// holds reports whether a value satisfies the matcher.
func (m *Matcher) holds(value string) bool {
	switch m.op {
	case Equal:
		return value == m.value
	case NotEqual:
		return value != m.value
	case Match:
		return m.re.MatchString(value)
	case NotMatch:
		return !m.re.MatchString(value)
	}
	return false
}

// All reports whether labels satisfy every matcher; none is satisfied by all labels.
func All(list []Matcher, labels map[string]string) bool {
	for i := range list {
		m := &list[i]
		if v := labels[m.name]; v != m.value || m.op != Equal { // no call for the usual case
			if m.op == Equal || !m.holds(v) {
				return false
			}
		}
	}
	return true
}

// AllOf is [All] for labels that are not in a map: get returns the value of one, empty if
// it is missing.
func AllOf(list []Matcher, get func(name string) string) bool {
	for i := range list {
		if m := &list[i]; !m.holds(get(m.name)) {
			return false
		}
	}
	return true
}

// Failing returns the index of the first matcher that labels do not satisfy, -1 if
// they satisfy all.
func Failing(list []Matcher, labels map[string]string) int {
	return slices.IndexFunc(list, func(m Matcher) bool { return !m.Matches(labels) })
}

// Compare orders matchers as Alertmanager does: by name, value and operator, the
// operators in the order = != =~ !~. It fits slices.SortFunc.
func Compare(a, b Matcher) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	if c := strings.Compare(a.value, b.value); c != 0 {
		return c
	}
	return a.op.rank() - b.op.rank()
}

// Format returns a list as Alertmanager prints it: in braces, separated by commas.
func Format(list []Matcher) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m.String())
	}
	b.WriteByte('}')
	return b.String()
}

// MarshalText writes the matcher as String does.
func (m Matcher) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// SyntaxError says why a text is not what was expected.
type SyntaxError struct {
	Text   string // the matcher, the list of matchers or the part that was read
	Column int    // where, in characters from 1; 0 when it is about the whole text
	Want   string // what was expected there
	Err    error  // of the regular expression; nil for all others
}

// Error names the text, the place and what was expected.
func (e *SyntaxError) Error() string {
	text := fmt.Sprintf("%q", e.Text)
	if e.Column > 0 {
		text += fmt.Sprintf(", character %d", e.Column)
	}
	text += ": want " + e.Want
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the error of the regular expression.
func (e *SyntaxError) Unwrap() error { return e.Err }

// ValidName reports whether a text can be the name of a label in lists of names
// (group_by, equal, labels): in [Classic] letters, digits and underscores, no digit
// first; in the others any text that is not empty.
func ValidName(name string, mode Mode) bool {
	if mode == Classic {
		return Identifier(name)
	}
	return name != "" && utf8.ValidString(name)
}

// Identifier reports whether a text is letters, digits and underscores with no digit
// first: what the older forms match and match_re take as a label in every mode.
func Identifier(name string) bool {
	for i := range len(name) {
		if !letter(name[i]) && (i == 0 || !digit(name[i])) {
			return false
		}
	}
	return name != ""
}

func letter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }
