package promrules

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// series is a time series with labels that a selector matches.
type series struct {
	name   string
	labels []Label
}

// String writes the series as promtool reads it.
func (s series) String() string {
	var b strings.Builder
	b.WriteString(s.name)
	b.WriteByte('{')
	for i, l := range s.labels {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.Name + "=" + strconv.Quote(l.Value))
	}
	b.WriteByte('}')
	return b.String()
}

// example returns a series that all of the selectors match and, if without is
// given, that one does not; ok is false if none is found.
func example(match []selector, without *selector) (s series, ok bool) {
	s.name = match[0].name
	byLabel := map[string][]matcher{}
	for _, m := range match {
		if m.name != s.name {
			return s, false
		}
		for _, x := range m.matchers {
			byLabel[x.label] = append(byLabel[x.label], x)
		}
	}
	values := map[string]string{}
	for label, matchers := range byLabel {
		if values[label], ok = exampleValue(matchers, nil); !ok {
			return s, false
		}
	}
	if without != nil && without.name == s.name && !differ(values, byLabel, *without) {
		return s, false
	}
	for label, value := range values {
		if value != "" {
			s.labels = append(s.labels, Label{label, value})
		}
	}
	slices.SortFunc(s.labels, func(a, b Label) int { return cmp.Compare(a.Name, b.Name) })
	return s, true
}

// differ changes the values so that a selector does not match them any more.
func differ(values map[string]string, byLabel map[string][]matcher, without selector) bool {
	for i := range without.matchers {
		m := &without.matchers[i]
		if v, ok := exampleValue(byLabel[m.label], m); ok {
			values[m.label] = v
			return true
		}
	}
	return false
}

// exampleValue returns a value that passes all matchers and not the one to avoid.
func exampleValue(matchers []matcher, avoid *matcher) (string, bool) {
	var candidates []string
	for _, m := range matchers {
		switch m.op {
		case "=":
			candidates = append(candidates, m.value)
		case "=~":
			if re, err := syntax.Parse(m.value, syntax.Perl); err == nil {
				candidates = append(candidates, shortest(re.Simplify()))
			}
		}
	}
	candidates = append(candidates, "200", "500", "x", "")
	for _, c := range candidates {
		fits := func(m matcher) bool { return m.matches(c) }
		if (avoid == nil || !avoid.matches(c)) && !slices.ContainsFunc(matchers, func(m matcher) bool { return !fits(m) }) {
			return c, true
		}
	}
	return "", false
}

// shortest returns a short text that a regular expression matches, or something
// that it does not where assertions are involved.
func shortest(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for _, r := range [...]rune{'0', 'a', 'A', '_'} {
			for i := 0; i+1 < len(re.Rune); i += 2 {
				if re.Rune[i] <= r && r <= re.Rune[i+1] {
					return string(r)
				}
			}
		}
		if len(re.Rune) > 0 {
			return string(re.Rune[0])
		}
		return ""
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "0"
	case syntax.OpCapture, syntax.OpPlus, syntax.OpAlternate:
		return shortest(re.Sub[0])
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(shortest(sub))
		}
		return b.String()
	default: // star, quest, empty, assertions; repeats are simplified away
		return ""
	}
}
