package inhibit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// DifferenceKind says why a rule does not do in an engine what it does here.
type DifferenceKind uint8

const (
	// Circle is where alerts that the rule hides can be sources of rules that hide its own
	// sources. Alertmanager mutes all of them, the engine lets the first one stand, so
	// that one alert of every such group is told.
	Circle DifferenceKind = iota + 1
	// Never is where the rule mutes nothing, here or there, since every alert that it could mute
	// is excepted or its conditions contradict each other. It gives no rules.
	Never
	// DependsOn is where the rule looks at the label depends_on, which is a predicate of its own in
	// the engine. Equals and differs ask for a member of a list or the topology there;
	// rules with other operators or an empty value on it give no rules.
	DependsOn
	// LabelName is where the name of a label is none in the rule language, which knows letters,
	// digits, _ - and points. The rule gives no rules.
	LabelName
	// LabelValue is where the value of a matcher is none in the rule language, which knows no
	// line breaks and nothing but UTF-8. The rule gives no rules.
	LabelValue
	// Refused is where the engine does not take the rule for another reason, such as a
	// regular expression that is too large. The rule gives no rules.
	Refused
)

var differenceKinds = [...]string{Circle: "circle", Never: "never", DependsOn: "depends_on", LabelName: "label_name", LabelValue: "label_value", Refused: "refused"}

// String returns the kind in lower case, such as "circle".
func (k DifferenceKind) String() string {
	if k == 0 || int(k) >= len(differenceKinds) {
		return fmt.Sprintf("DifferenceKind(%d)", uint8(k))
	}
	return differenceKinds[k]
}

// MarshalText returns the kind as [DifferenceKind.String] does; an unknown one is an error.
func (k DifferenceKind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(differenceKinds) {
		return nil, fmt.Errorf("inhibit: %s, want one of %q", k, differenceKinds[1:])
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what [DifferenceKind.MarshalText] writes.
func (k *DifferenceKind) UnmarshalText(b []byte) error {
	at := slices.Index(differenceKinds[1:], string(b))
	if at < 0 {
		return fmt.Errorf("inhibit: difference %q, want one of %q", b, differenceKinds[1:])
	}
	*k = DifferenceKind(at + 1)
	return nil
}

// Difference is one thing that a rule does not do in an engine as it does here.
type Difference struct {
	Rule   int            `json:"rule"` // position of the rule, from 0
	Name   string         `json:"name,omitempty"`
	Kind   DifferenceKind `json:"kind"`
	Detail string         `json:"detail"` // for people: the label, the other rules of a circle
	Lost   bool           `json:"lost"`   // the rule gives no rules
}

// String returns the difference on one line.
func (d Difference) String() string {
	text := fmt.Sprintf("inhibit rule %d %q: %s: %s", d.Rule, d.Name, d.Kind, d.Detail)
	if d.Lost {
		text += "; not converted"
	}
	return text
}

// Native turns the rules into rules of an engine that suppress what an [Inhibitor] mutes,
// but for the differences, which come in the order of the rules. Rules that cannot be
// read are errors, as of [New].
//
// The alerts must reach the engine with all their labels, alertname too, as labels of the
// event, whatever the name of the event; and those of one Alertmanager as one tenant. The
// engine then suppresses exactly what is muted, unless alerts mute each other in a
// [Circle], of which it lets one stand. Suppression is all that the rules do: they create
// no composite. Unlike Alertmanager the engine tells when an alert that somebody was told
// of ends, also while it is suppressed.
//
// Alertmanager excepts alerts that are source and target of a rule from one another. The
// engine knows no such exception, so a rule whose sides can meet becomes several: one for
// each way in which a source can miss the target side, and one for each way in which a
// target can miss the source side while the source meets both. Most rules have sides that
// cannot meet, such as different severities, and become one. No source matchers, or no
// target matchers, are every alert, as here. Labels to be equal become By, in which a
// missing label equals an empty one in both.
//
// The rules are named after the position and the name of the original, as far as that is
// a name in the engine: inhibit-0, inhibit-1-node-down, with .1, .2 and so on if there are
// several.
func Native(rules []Rule) ([]correlation.Rule, []Difference, error) {
	return NativeMode(rules, matcher.Fallback)
}

// NativeMode is [Native] with matchers that are read in another mode.
func NativeMode(rules []Rule, mode matcher.Mode) ([]correlation.Rule, []Difference, error) {
	in, err := NewMode(rules, mode)
	if err != nil {
		return nil, nil, err
	}
	var out []correlation.Rule
	differences := make([][]Difference, len(in.rules))
	lost := make([]bool, len(in.rules))
	for n := range in.rules {
		r := &in.rules[n]
		native, found := r.native(n)
		for k := range found {
			found[k].Rule, found[k].Name = n, r.name
			lost[n] = lost[n] || found[k].Lost
		}
		differences[n] = found
		if !lost[n] {
			out = append(out, native...)
		}
	}
	for n, others := range circles(in.rules, lost) {
		if len(others) > 0 {
			d := Difference{Rule: n, Name: in.rules[n].name, Kind: Circle, Detail: fmt.Sprintf("with rules %v", others)}
			differences[n] = append(differences[n], d)
		}
	}
	return out, slices.Concat(differences...), nil
}

// native converts one rule.
func (r *rule) native(n int) ([]correlation.Rule, []Difference) {
	if found := r.untranslatable(); len(found) > 0 {
		return nil, found
	}
	var found []Difference
	if at := slices.IndexFunc(slices.Concat(r.source, r.target), func(m matcher.Matcher) bool { return m.Name() == dependsOn }); at >= 0 {
		found = append(found, Difference{Kind: DependsOn, Detail: "the label is a list, and the topology counts"})
	}
	pairs := r.pairs()
	if len(pairs) == 0 {
		return nil, append(found, Difference{Kind: Never, Detail: "every alert that it could mute is excepted or cannot be", Lost: true})
	}
	by := slices.Compact(slices.Sorted(slices.Values(r.equal)))
	var out []correlation.Rule
	for k, p := range pairs {
		logic := correlation.Logic{
			If:       []correlation.Condition{{Selector: selector(p[0])}},
			Suppress: []correlation.Selector{selector(p[1])},
		}
		name := "inhibit-" + strconv.Itoa(n)
		if r.name != "" && !strings.ContainsFunc(r.name, notOfWord) {
			name += "-" + r.name
		}
		if len(pairs) > 1 {
			name += "." + strconv.Itoa(k+1)
		}
		out = append(out, correlation.Rule{Name: name, Description: r.name, Logic: logic.String(), By: by})
	}
	if _, err := correlation.New(out, correlation.Options{}); err != nil {
		return nil, append(found, Difference{Kind: Refused, Detail: err.Error(), Lost: true})
	}
	return out, found
}

// dependsOn is the label that is a predicate of its own in the engine.
const dependsOn = "depends_on"

// untranslatable lists what keeps a rule from being converted.
func (r *rule) untranslatable() []Difference {
	var found []Difference
	name := func(label string) {
		if label == "" || strings.ContainsFunc(label, notOfWord) {
			found = append(found, Difference{Kind: LabelName, Detail: strconv.Quote(label), Lost: true})
		}
	}
	for _, m := range slices.Concat(r.source, r.target) {
		name(m.Name())
		plain := m.Op() == matcher.Equal || m.Op() == matcher.NotEqual
		if m.Name() == dependsOn && (!plain || m.Value() == "") {
			found = append(found, Difference{Kind: DependsOn, Detail: m.String(), Lost: true})
		}
		if strings.Contains(m.Value(), "\n") || !utf8.ValidString(m.Value()) {
			found = append(found, Difference{Kind: LabelValue, Detail: m.Name() + ": " + strconv.QuoteToASCII(m.Value()), Lost: true})
		}
	}
	for _, label := range r.equal {
		name(label)
	}
	return found
}

// notOfWord reports whether a rune cannot stand in a name of the rule language.
func notOfWord(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_-.", c)
}

// pairs are the sides of the rules that a rule becomes.
func (r *rule) pairs() [][2][]matcher.Matcher {
	both := slices.Concat(r.source, r.target)
	if !possible(both) {
		if possible(r.source) && possible(r.target) {
			return [][2][]matcher.Matcher{{r.source, r.target}}
		}
		return nil
	}
	var pairs [][2][]matcher.Matcher
	for _, m := range r.target { // sources that are no targets
		if source := append(slices.Clone(r.source), inverse(m)); possible(source) {
			pairs = append(pairs, [2][]matcher.Matcher{source, r.target})
		}
	}
	for _, m := range r.source { // sources that are targets mute those that are no sources
		if target := append(slices.Clone(r.target), inverse(m)); possible(target) {
			pairs = append(pairs, [2][]matcher.Matcher{both, target})
		}
	}
	return pairs
}

// inverse holds where a matcher does not.
func inverse(m matcher.Matcher) matcher.Matcher {
	op := map[matcher.Op]matcher.Op{
		matcher.Equal: matcher.NotEqual, matcher.NotEqual: matcher.Equal, matcher.Match: matcher.NotMatch, matcher.NotMatch: matcher.Match,
	}[m.Op()]
	inverted, err := matcher.New(m.Name(), op, m.Value())
	if err != nil {
		panic("inhibit: " + err.Error()) // it was compiled before
	}
	return inverted
}

// possible is false if the matchers are known to contradict each other: no value of
// a label satisfies one that wants a certain value and the others, or one is the inverse
// of another.
func possible(list []matcher.Matcher) bool {
	for _, m := range list {
		for _, other := range list {
			if other.Name() != m.Name() {
				continue
			}
			switch {
			case m.Op() == matcher.Equal && !other.Matches(map[string]string{m.Name(): m.Value()}):
				return false
			case m.Op() == matcher.Match && other.Op() == matcher.NotMatch && m.Value() == other.Value():
				return false
			}
		}
	}
	return true
}

// selector is one side in the rule language.
func selector(list []matcher.Matcher) correlation.Selector {
	ops := map[matcher.Op]correlation.PredicateOp{
		matcher.Equal: correlation.Equals, matcher.NotEqual: correlation.Differs, matcher.Match: correlation.Matches, matcher.NotMatch: correlation.MatchesNo,
	}
	s := correlation.Selector{Pattern: "*.*"}
	for _, m := range list {
		p := correlation.Predicate{Label: m.Name(), Op: ops[m.Op()], Value: m.Value()}
		if !slices.Contains(s.Where, p) {
			s.Where = append(s.Where, p)
		}
	}
	return s
}

// circles returns for every rule the others, in order, with which alerts can mute each
// other: rules that can be reached from each other, where a rule leads to those whose
// sources its targets can be.
func circles(rules []rule, lost []bool) [][]int {
	reach := make([][]bool, len(rules))
	for n := range rules {
		reach[n] = make([]bool, len(rules))
		var visit func(from int)
		visit = func(from int) {
			for to := range rules {
				if from == to || lost[from] || lost[to] || reach[n][to] || !possible(slices.Concat(rules[from].target, rules[to].source)) {
					continue
				}
				reach[n][to] = true
				visit(to)
			}
		}
		visit(n)
	}
	others := make([][]int, len(rules))
	for n := range rules {
		for m := range rules {
			if n != m && reach[n][m] && reach[m][n] {
				others[n] = append(others[n], m)
			}
		}
	}
	return others
}
