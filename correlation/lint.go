package correlation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Finding is a doubt about a rule that is allowed.
type Finding struct {
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
	// NeverFires: the conditions exclude each other, so nothing ever comes of the rule.
	NeverFires = "never_fires"
	// SelfSuppression: the rule hides all that it starts from and creates nothing in its
	// place. The engine then leaves the alert that began first visible.
	SelfSuppression = "self_suppression"
	// SuppressionCycle: rules without CREATE hide what the others start from, in a circle.
	// The engine then leaves the alert that began first visible.
	SuppressionCycle = "suppression_cycle"
)

// Lint returns doubts about rules, in the order of the rules. Rules that do not
// compile are passed over; see [New] for their errors. Rules that are disabled are
// looked at for themselves alone.
func Lint(rules []Rule) []Finding {
	var list []Finding
	parsed := make([]Logic, len(rules))
	off := map[string]bool{}
	for n, r := range rules {
		if l, err := Parse(r.Logic); err == nil && len(l.If) <= maxSelectors && len(l.Suppress) <= maxSelectors {
			parsed[n] = l
			off[r.Name] = r.Disabled && l.Composite != ""
		}
	}
	circle := suppressionCycles(rules, parsed)
	for n, r := range rules {
		l := parsed[n]
		if l.If == nil {
			continue
		}
		warn := func(code, format string, args ...any) {
			list = append(list, Finding{r.Name, code, fmt.Sprintf(format, args...)})
		}
		if why := l.contradiction(r.By, off); why != "" {
			warn(NeverFires, "%s", why)
		}
		if l.hidesItself() {
			warn(SelfSuppression, "hides all that it starts from and creates nothing in its place: the alert that began first stays visible")
		}
		if others := circle[n]; others != nil {
			warn(SuppressionCycle, "hides evidence of others, and its own is hidden in turn: the alert that began first stays visible; with %s", strings.Join(others, ", "))
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

// contradiction says why the conditions can never hold together; "" if they may.
func (l Logic) contradiction(by []string, off map[string]bool) string {
	for i, c := range l.If {
		if c.Not {
			continue
		}
		if q, r, ok := conflict(c.Where, c.Where, func(string) bool { return true }); ok {
			return fmt.Sprintf("%s asks for %s and %s", c.Pattern, q, r)
		}
		if name, ok := strings.CutPrefix(c.Pattern, compositeLayer+"."); ok && off[name] {
			return c.Pattern + " is of a rule that is disabled"
		}
		for _, d := range l.If[:i] {
			if d.Not {
				continue
			}
			for _, pair := range [2][2]Condition{{d, c}, {c, d}} {
				x, y := &pair[0], &pair[1]
				if q, r, ok := conflict(x.Where, y.Where, func(label string) bool { return slices.Contains(by, label) }); ok {
					return fmt.Sprintf("%s asks for %s and %s for %s, which BY makes one label", x.Pattern, q, y.Pattern, r)
				}
			}
		}
		for _, d := range l.If {
			if d.Not && max(d.Count, 1) <= max(c.Count, 1) && d.covers(c) {
				return fmt.Sprintf("what satisfies %s breaks NOT %s", c.Pattern, d.Pattern)
			}
		}
	}
	return ""
}

// conflict finds two predicates that no value of one of the labels satisfies.
func conflict(a, b []Predicate, of func(label string) bool) (p, q Predicate, found bool) {
	for _, p := range a {
		for _, q := range b {
			switch {
			case p.Op != Equals || p.Label != q.Label || p.Label == dependsOn || p.Var != "" || q.Var != "":
			case of(p.Label) && !q.allows(p.Value):
				return p, q, true
			}
		}
	}
	return p, q, false
}

// allows reports whether a value satisfies a predicate on a label.
func (p Predicate) allows(value string) bool {
	lp := labelPredicate{op: p.Op, value: p.Value}
	if p.Op == Matches || p.Op == MatchesNo {
		lp.re, _ = compileRegexp(p.Value) // checked by Parse
	}
	return lp.accepts(value)
}

// String returns the predicate as it is written.
func (p Predicate) String() string {
	var b strings.Builder
	p.write(&b)
	return b.String()
}

// covers reports whether the selector matches everything that a condition does.
func (s Selector) covers(c Condition) bool {
	sl, sn, _ := strings.Cut(s.Pattern, ".")
	cl, cn, _ := strings.Cut(c.Pattern, ".")
	if !wider(sl, cl) || !wider(sn, cn) || cl == compositeLayer && sl != compositeLayer {
		return false
	}
	return !slices.ContainsFunc(s.Where, func(p Predicate) bool {
		if c.As != "" && p.Var == c.As { // the alert is bound to the variable itself
			return p.Op != Near && (p.Op != Equals || p.Label != p.VarLabel || p.Label == dependsOn)
		}
		return !slices.Contains(c.Where, p)
	})
}

// wider reports whether a pattern fits all texts that another one does, as far as can be
// told: patterns with * are the same, or the wider one is * alone.
func wider(a, b string) bool {
	return a == b || a == "*" || !strings.Contains(b, "*") && glob(a, b)
}

// hidesItself reports whether every condition is covered by what the rule hides, and
// nothing is created.
func (l Logic) hidesItself() bool {
	return l.Composite == "" && !slices.ContainsFunc(l.If, func(c Condition) bool {
		return !c.Not && !slices.ContainsFunc(l.Suppress, func(s Selector) bool { return s.covers(c) })
	})
}

// maxArrows is how many pairs of rules suppressionCycles looks at. Rules that all hide
// each other have more, and then it finds nothing.
const maxArrows = 1_000_000

// suppressionCycles names, for each rule in a circle, some of the others in it.
func suppressionCycles(rules []Rule, parsed []Logic) map[int][]string {
	exact, starred := map[string][]int{}, []int{} // rules by the pattern of a condition, in order
	add := func(list []int, n int) []int {
		if len(list) > 0 && list[len(list)-1] == n {
			return list
		}
		return append(list, n)
	}
	for n, l := range parsed {
		if l.Composite != "" || l.Suppress == nil || rules[n].Disabled {
			continue
		}
		for _, c := range l.If {
			switch {
			case c.Not:
			case strings.Contains(c.Pattern, "*"):
				starred = add(starred, n)
			default:
				exact[c.Pattern] = add(exact[c.Pattern], n)
			}
		}
	}
	arrows := make([][]arrow, len(rules))
	pairs := 0
	for n, l := range parsed {
		if l.Composite != "" || rules[n].Disabled {
			continue
		}
		for _, s := range l.Suppress {
			from := exact[s.Pattern]
			if strings.Contains(s.Pattern, "*") {
				pairs += len(exact) + len(starred)
				from = slices.Clone(starred)
				for pattern, list := range exact {
					if covered := (Condition{Selector: Selector{Pattern: pattern}}); (Selector{Pattern: s.Pattern}).covers(covered) {
						from = append(from, list...)
					}
				}
				slices.Sort(from)
				from = slices.Compact(from)
			}
			if pairs += len(from); pairs > maxArrows {
				return nil
			}
			for _, m := range from {
				if m != n && slices.ContainsFunc(parsed[m].If, func(c Condition) bool { return !c.Not && s.covers(c) }) {
					arrows[n] = append(arrows[n], arrow{node: m, group: -1})
				}
			}
		}
	}
	names := map[int][]int{}
	for n, component := range components(arrows, nil) {
		names[component] = append(names[component], n)
	}
	circles := map[int][]string{}
	for _, members := range names {
		for _, n := range members {
			const few = 3
			for _, m := range members {
				switch {
				case m == n:
				case len(circles[n]) < few:
					circles[n] = append(circles[n], strconv.Quote(rules[m].Name))
				default:
					circles[n] = append(circles[n], fmt.Sprintf("%d more", len(members)-1-few))
				}
				if len(circles[n]) > few {
					break
				}
			}
		}
	}
	return circles
}
