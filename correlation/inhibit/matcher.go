package inhibit

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Matcher is one condition on a label.
type Matcher struct {
	name  string
	op    string
	value string
	re    *regexp.Regexp
}

// ParseMatcher reads name op "value" with op one of = != =~ !~. The quotes may
// be left out if the value has none of { } ! = ~ , " ' and no spaces.
func ParseMatcher(text string) (Matcher, error) {
	s := strings.TrimSpace(text)
	at := strings.IndexAny(s, "=!~")
	if at < 0 {
		return Matcher{}, fmt.Errorf(`matcher %q: want an operator, = != =~ or !~, after the label`, text)
	}
	name := strings.TrimSpace(s[:at])
	if name == "" {
		return Matcher{}, fmt.Errorf("matcher %q: want the name of a label before the operator", text)
	}
	op := s[at : at+1]
	for _, two := range []string{"!=", "=~", "!~"} {
		if strings.HasPrefix(s[at:], two) {
			op = two
		}
	}
	if op != "=" && len(op) < 2 {
		return Matcher{}, fmt.Errorf(`matcher %q: operator %q, want = != =~ or !~`, text, op)
	}
	value := strings.TrimSpace(s[at+len(op):])
	switch {
	case strings.HasPrefix(value, `"`):
		v, err := strconv.Unquote(value)
		if err != nil {
			return Matcher{}, fmt.Errorf("matcher %q: value %s, want one quoted text", text, value)
		}
		value = v
	case strings.ContainsAny(value, "{}!=~,\"' \t\n"):
		return Matcher{}, fmt.Errorf("matcher %q: value %q, want it in double quotes", text, value)
	}
	return newMatcher(name, op, value)
}

func newMatcher(name, op, value string) (Matcher, error) {
	m := Matcher{name: name, op: op, value: value}
	if op == "=~" || op == "!~" {
		// As written first, so that nothing gets out of the anchors; with them, an
		// expression can still be one level too deep.
		_, err := regexp.Compile(value)
		if err == nil {
			m.re, err = regexp.Compile("^(?:" + value + ")$")
		}
		if err != nil {
			return Matcher{}, fmt.Errorf("label %q: value %q, want a regular expression: %w", name, value, err)
		}
	}
	return m, nil
}

// String returns the matcher in the form that [ParseMatcher] reads.
func (m Matcher) String() string { return m.name + m.op + strconv.Quote(m.value) }

// Matches reports whether labels satisfy the matcher; a missing label is
// empty.
func (m Matcher) Matches(labels map[string]string) bool {
	v := labels[m.name]
	switch m.op {
	case "=":
		return v == m.value
	case "!=":
		return v != m.value
	case "=~":
		return m.re.MatchString(v)
	case "!~":
		return !m.re.MatchString(v)
	}
	return false
}

func matchAll(list []Matcher, labels map[string]string) bool {
	for i := range list {
		if !list[i].Matches(labels) {
			return false
		}
	}
	return true
}

// matchers puts the three forms of one side together; all problems are joined.
func matchers(texts []string, equal, re map[string]string) ([]Matcher, error) {
	var list []Matcher
	var problems []error
	add := func(m Matcher, err error) {
		list, problems = append(list, m), append(problems, err)
	}
	for _, text := range texts {
		add(ParseMatcher(text))
	}
	for _, name := range slices.Sorted(maps.Keys(equal)) {
		add(newMatcher(name, "=", equal[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(re)) {
		add(newMatcher(name, "=~", re[name]))
	}
	return list, errors.Join(problems...)
}
