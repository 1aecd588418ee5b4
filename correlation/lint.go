package correlation

import (
	"fmt"
	"slices"
	"strings"
)

// Warning is a doubt about a rule that is allowed.
type Warning struct {
	Rule string `json:"rule"`
	Code string `json:"code"` // one of the Lint codes
	Text string `json:"text"`
}

// Codes of warnings.
const (
	// RuleWithoutJoin: the rule suppresses with neither BY nor a variable in
	// its targets, so a cause in one place hides alerts everywhere in the tenant.
	RuleWithoutJoin = "rule_without_join"
	// OverlappingConditions: one alert can satisfy two conditions of the rule.
	OverlappingConditions = "overlapping_conditions"
	// UnknownTitleName: a {{name}} of the title is neither a BY label nor a
	// label of a variable and stays empty.
	UnknownTitleName = "unknown_title_name"
)

// Lint returns doubts about rules, in the order of the rules. Rules that do not
// compile are passed over; see [New] for their errors.
func Lint(rules []Rule) []Warning {
	var list []Warning
	for _, r := range rules {
		l, err := Parse(r.Logic)
		if err != nil {
			continue
		}
		warn := func(code, format string, args ...any) {
			list = append(list, Warning{r.Name, code, fmt.Sprintf(format, args...)})
		}
		if len(r.By) == 0 && slices.ContainsFunc(l.Suppress, withoutVariable) {
			warn(RuleWithoutJoin, "suppresses without BY and without a variable: one cause hides the alerts of every place of the tenant")
		}
		for i, c := range l.If {
			for _, d := range l.If[:i] {
				if !c.Not && !d.Not && overlap(c.Pattern, d.Pattern) && !disjoint(c.Where, d.Where) {
					warn(OverlappingConditions, "one alert can satisfy both %s and %s", d.Pattern, c.Pattern)
				}
			}
		}
		expand(l.Composite, func(name string) string {
			v, _, ok := strings.Cut(name, ".")
			known := slices.Contains(r.By, name) || ok && slices.ContainsFunc(l.If, func(c Condition) bool { return c.As == v })
			if !known {
				warn(UnknownTitleName, "{{%s}} in the title is neither a BY label nor variable.label and stays empty", name)
			}
			return ""
		})
	}
	return list
}

func withoutVariable(s Selector) bool {
	return !slices.ContainsFunc(s.Where, func(p Predicate) bool { return p.Var != "" })
}

// overlap reports whether some name matches both patterns. Composites, which
// wildcard layers do not see, are left out of account.
func overlap(a, b string) bool {
	la, na, _ := strings.Cut(a, ".")
	lb, nb, _ := strings.Cut(b, ".")
	return intersect(la, lb) && intersect(na, nb)
}

// intersect reports whether two patterns with * have a text in common.
func intersect(a, b string) bool {
	// row[j]: the part of a read so far and b[:j] have a text in common.
	row := make([]bool, len(b)+1)
	row[0] = true
	for j := 0; j < len(b) && b[j] == '*'; j++ {
		row[j+1] = true
	}
	for i := range len(a) {
		next := make([]bool, len(b)+1)
		next[0] = row[0] && a[i] == '*'
		for j := range len(b) {
			if a[i] == '*' || b[j] == '*' {
				next[j+1] = next[j] || row[j+1] // the star takes one more, or ends
			} else {
				next[j+1] = row[j] && a[i] == b[j]
			}
		}
		row = next
	}
	return row[len(b)]
}

// disjoint reports whether two lists of predicates ask for different values of
// one label.
func disjoint(a, b []Predicate) bool {
	for _, p := range a {
		for _, q := range b {
			if p.Op == Equals && q.Op == Equals && p.Label == q.Label && p.Label != dependsOn && p.Value != q.Value {
				return true
			}
		}
	}
	return false
}
