package correlation

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Rule is one rule with its text. Rules are data: they load from a file,
// compare and print.
type Rule struct {
	// Name is unique among the rules and required: letters, digits, _ - and
	// points. The composite of the rule is the alert composite.<name>.
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Logic       string `json:"logic"` // as read by Parse
	// By lists labels that all alerts of one instance of the rule share;
	// targets too. A missing label equals an empty one. Defaults to none: all
	// alerts of a tenant together.
	By []string `json:"by,omitempty"`
	// Within limits the distance of the onsets: the rule needs a window of this
	// length, both ends included, with enough onsets for every condition.
	// Conditions with NOT are not concerned. Defaults to 0, no limit.
	Within time.Duration `json:"within_ns,omitempty"`
	// Linger keeps the composite and the suppression for this long after the
	// conditions ceased to hold; if they hold again up to and including that
	// instant, it is still the same composite. Defaults to 0.
	Linger time.Duration `json:"linger_ns,omitempty"`
	// Severity of the composite. Defaults to the highest of its members.
	Severity incident.Severity `json:"severity,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"` // further labels of the composite
	// Active limits the rule to when these hours are open: outside of them its
	// conditions do not hold, so it closes when they close, after its Linger, and
	// opens when they open. Defaults to always.
	Active   *calendar.Hours `json:"active,omitempty"`
	Disabled bool            `json:"disabled,omitempty"`
}

// canonical is the text of everything that decides what a rule does.
func (r Rule) canonical(l Logic) string {
	active := ""
	if r.Active != nil {
		hours, _ := json.Marshal(r.Active) // hours always marshal
		active = " active " + string(hours)
	}
	return fmt.Sprintf("%q by %q within %d linger %d severity %s labels %q%s: %s",
		r.Name, r.By, r.Within, r.Linger, r.Severity, LabelsOf(r.Labels), active, l)
}

// maxSelectors is the largest number of conditions and of selectors to
// suppress in one rule; both sets are kept as bits of a word.
const maxSelectors = 64

// program is a compiled rule.
type program struct {
	Rule
	index   int
	rank    int // after all rules whose composites this one reads or suppresses
	text    string
	conds   []condition
	targets []target
	vars    []variable
	by      []column // of By
	need    uint64   // conditions without NOT, as bits
	title   string
	// grounded: the composite is always there to stand for what the rule hides,
	// or it hides nothing.
	grounded bool
	hours    *hours // nil: always active
	graph    *graph
	probes   []probe // of all targets, in order
	matches  []*match
	counts   ruleCounts
}

// special reports whether the instances need what is in special.
func (p *program) special() bool {
	return p.title != "" || p.Linger > 0 || p.joins() || len(p.conds) > len(instance{}.few)
}

// joins reports whether the members need what is in joined.
func (p *program) joins() bool { return len(p.vars) > 0 || p.Within > 0 }

type condition struct {
	matcher
	not   bool
	count int32
	v     int // index of the variable, -1: none
}

type target struct {
	matcher
	joins []join // all must find an alert
}

// join holds the predicates of one selector on one variable: the same alert
// must satisfy all of them.
type join struct {
	v     int
	preds []joinPredicate
	probe int // the predicate by which targets are found from an alert, -1: none
}

type joinPredicate struct {
	op    PredicateOp
	label string
	arg   int // index of the compared label among variable.labels
	hops  int
}

// variable is a condition's alerts seen through the labels that joins use.
type variable struct {
	name   string
	cond   int
	labels []string
	probed bool // all joins on it have a probe
}

// argument returns the position of a label of the variable, added if new.
func (v *variable) argument(label string) int {
	if i := slices.Index(v.labels, label); i >= 0 {
		return i
	}
	v.labels = append(v.labels, label)
	return len(v.labels) - 1
}

// matcher is a selector without its variables.
type matcher struct {
	layer, name string
	preds       []labelPredicate
}

type labelPredicate struct {
	op    PredicateOp
	label string
	value string
	re    *regexp.Regexp
}

// compile checks all rules and returns all their problems. No rule may ask for an ignored
// label, which no alert has.
func compile(rules []Rule, g *graph, ignored []string) ([]*program, error) {
	var problems []error
	programs := make([]*program, 0, len(rules))
	byName := make(map[string]*program, len(rules))
	for i, r := range rules {
		p, err := compileRule(i, r, g)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if _, twice := byName[r.Name]; twice {
			problems = append(problems, &RuleError{Rule: r.Name, Value: r.Name, Want: "a name that no other rule has"})
			continue
		}
		problems = append(problems, p.asksForAny(ignored)...)
		p.index = i
		byName[r.Name] = p
		programs = append(programs, p)
	}
	if len(problems) == 0 {
		problems = order(programs, byName)
	}
	return programs, errors.Join(problems...)
}

func compileRule(n int, r Rule, g *graph) (*program, error) {
	shown := r.Name
	if shown == "" {
		shown = "#" + strconv.Itoa(n)
	}
	var problems []error
	bad := func(got, want string) {
		problems = append(problems, &RuleError{Rule: shown, Value: got, Want: want})
	}
	if r.Name == "" || strings.ContainsFunc(r.Name, func(c rune) bool { return !isWordRune(c) }) {
		bad(r.Name, "a name of letters, digits, _ - and points")
	}
	if r.Within < 0 {
		bad(r.Within.String(), "within of 0 or more")
	}
	if r.Linger < 0 {
		bad(r.Linger.String(), "linger of 0 or more")
	}
	if r.Severity != 0 && !r.Severity.IsSet() {
		bad(r.Severity.String(), "a severity of P1 to P4 or unset")
	}
	for i, label := range r.By {
		if label == "" || slices.Contains(r.By[:i], label) {
			bad(label, "labels in by that are not empty and not twice")
		}
	}
	active, err := newHours(r.Active)
	if err != nil {
		bad("active", "hours of a calendar: "+err.Error())
	}
	logic, err := Parse(r.Logic)
	if err != nil {
		problems = append(problems, namedErrors(shown, err)...)
	}
	if len(logic.If) > maxSelectors || len(logic.Suppress) > maxSelectors {
		bad(fmt.Sprintf("%d conditions and %d selectors to suppress", len(logic.If), len(logic.Suppress)), "at most 64 of each")
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	p := &program{Rule: r, text: r.canonical(logic), title: logic.Composite, hours: active, graph: g}
	p.By, p.by = slices.Clone(r.By), make([]column, len(r.By))
	for n := range p.by {
		p.by[n].name = r.By[n]
	}
	for i, c := range logic.If {
		cc := condition{matcher: newMatcher(c.Selector), not: c.Not, count: int32(max(c.Count, 1)), v: -1}
		if !c.Not {
			p.need |= 1 << i
		}
		if c.As != "" {
			cc.v = len(p.vars)
			p.vars = append(p.vars, variable{name: c.As, cond: i, probed: true})
		}
		p.conds = append(p.conds, cc)
	}
	for _, s := range logic.Suppress {
		p.targets = append(p.targets, p.newTarget(s, g))
	}
	for n := range p.targets {
		for k := range p.targets[n].joins {
			if j := &p.targets[n].joins[k]; j.probe >= 0 {
				p.probes = append(p.probes, probe{sel: n, of: j})
			}
		}
	}
	return p, nil
}

// namedErrors gives the errors of Parse the name of their rule.
func namedErrors(rule string, err error) []error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, e := range list {
		if re, ok := errors.AsType[*RuleError](e); ok {
			re.Rule = rule
		}
	}
	return list
}

func newMatcher(s Selector) matcher {
	var m matcher
	m.layer, m.name, _ = strings.Cut(s.Pattern, ".")
	for _, q := range s.Where {
		if q.Var != "" {
			continue
		}
		lp := labelPredicate{op: q.Op, label: q.Label, value: q.Value}
		if q.Op == Matches || q.Op == MatchesNo {
			lp.re, _ = compileRegexp(q.Value) // checked by Parse
		}
		m.preds = append(m.preds, lp)
	}
	return m
}

func (p *program) newTarget(s Selector, g *graph) target {
	t := target{matcher: newMatcher(s)}
	for _, q := range s.Where {
		if q.Var == "" {
			continue
		}
		v := slices.IndexFunc(p.vars, func(v variable) bool { return v.name == q.Var })
		at := slices.IndexFunc(t.joins, func(j join) bool { return j.v == v })
		if at < 0 {
			at = len(t.joins)
			t.joins = append(t.joins, join{v: v, probe: -1})
		}
		label := q.VarLabel
		if q.Op == Near {
			label = g.label
		}
		j := &t.joins[at]
		jp := joinPredicate{op: q.Op, label: q.Label, arg: p.vars[v].argument(label), hops: q.Hops}
		switch {
		case q.Op == Near:
			jp.label = g.label
			j.probe = len(j.preds)
		case q.Op == Equals && q.Label != dependsOn:
			j.probe = len(j.preds)
		}
		j.preds = append(j.preds, jp)
	}
	for _, j := range t.joins {
		p.vars[j.v].probed = p.vars[j.v].probed && j.probe >= 0
	}
	return t
}

// readsComposite reports whether m can match the composite of a rule.
func (m *matcher) readsComposite(rule string) bool {
	return m.layer == compositeLayer && glob(m.name, rule)
}

// order ranks the rules so that each comes after those whose composites it
// reads or suppresses. Circles are a problem.
func order(programs []*program, byName map[string]*program) []error {
	uses := make(map[*program][]*program, len(programs))
	hidden := make(map[*program]bool)
	var problems []error
	names := slices.Sorted(maps.Keys(byName))
	find := func(p *program, m *matcher) (found []*program) {
		if m.layer != compositeLayer {
			return nil
		}
		if !strings.Contains(m.name, "*") {
			if q := byName[m.name]; q != nil && q.title != "" {
				found = append(found, q)
			}
		} else {
			for _, q := range programs {
				if q.title != "" && m.readsComposite(q.Name) {
					found = append(found, q)
				}
			}
		}
		if found == nil {
			e := &RuleError{Rule: p.Name, Value: compositeLayer + "." + m.name, Want: "the name of a rule that creates a composite after composite."}
			if len(problems) < maxProblems { // a suggestion costs a look at all names
				e.Suggestion = closest(m.name, names)
			}
			problems = append(problems, e)
		}
		return found
	}
	for _, p := range programs {
		for i := range p.conds {
			uses[p] = append(uses[p], find(p, &p.conds[i].matcher)...)
		}
		for i := range p.targets {
			found := find(p, &p.targets[i].matcher)
			uses[p] = append(uses[p], found...)
			for _, q := range found {
				hidden[q] = true
			}
		}
	}
	for _, p := range programs {
		p.grounded = len(p.targets) == 0 || p.title != "" && !hidden[p]
	}
	const visiting = -1
	done := make(map[*program]int, len(programs)) // rank + 1
	var visit func(p *program) int
	visit = func(p *program) int {
		switch r := done[p]; r {
		case visiting:
			problems = append(problems, &RuleError{Rule: p.Name, Value: compositeLayer + "." + p.Name, Want: "composites that do not depend on each other in a circle"})
			return 0
		case 0:
		default:
			return r
		}
		done[p] = visiting
		rank := 1
		for _, q := range uses[p] {
			rank = max(rank, visit(q)+1)
		}
		done[p] = rank
		p.rank = rank - 1
		return rank
	}
	for _, p := range programs {
		visit(p)
	}
	return problems
}

// glob matches a pattern part in which * stands for any text.
func glob(pattern, s string) bool {
	star := strings.IndexByte(pattern, '*')
	if star < 0 {
		return pattern == s
	}
	if !strings.HasPrefix(s, pattern[:star]) {
		return false
	}
	s = s[star:]
	for {
		pattern = pattern[star+1:]
		star = strings.IndexByte(pattern, '*')
		if star < 0 {
			return strings.HasSuffix(s, pattern)
		}
		at := strings.Index(s, pattern[:star])
		if at < 0 {
			return false
		}
		s = s[at+star:]
	}
}

// matchesName reports whether the pattern fits an alert name. Patterns with *
// in the layer do not see composites.
func (m *matcher) matchesName(layer, name string) bool {
	if layer == compositeLayer && m.layer != compositeLayer {
		return false
	}
	return glob(m.layer, layer) && glob(m.name, name)
}

// matchesLabels reports whether all predicates on labels hold.
func (m *matcher) matchesLabels(l *labels, g *graph) bool {
	for i := range m.preds {
		if !m.preds[i].holds(l, g) {
			return false
		}
	}
	return true
}

// holds reports whether labels satisfy the predicate, depends_on by the topology too.
func (q *labelPredicate) holds(l *labels, g *graph) bool {
	if q.label == dependsOn {
		return g.alertDepends(l, q.value) == (q.op == Equals)
	}
	return q.accepts(l.Get(q.label))
}

// accepts reports whether a value satisfies the predicate.
func (q *labelPredicate) accepts(v string) bool {
	switch q.op {
	case Near: // needs a variable, so it is a join
	case Equals:
		return v == q.value
	case Differs:
		return v != q.value
	case Matches:
		return q.re.MatchString(v)
	case MatchesNo:
		return !q.re.MatchString(v)
	}
	return false
}
