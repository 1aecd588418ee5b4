package correlation_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// model is the engine written down a second time, as slowly and plainly as
// possible: after every change it computes everything again from the list of
// alerts. It works in whole seconds.
type model struct {
	rules    []modelRule
	topology *correlation.Topology
	settle   int
	strict   bool
	silences []worldSilence // in force
	now      int
	alerts   map[string]*modelAlert // printed with the tenant: the tests use no labels that print alike
	open     map[string]*modelInstance
	hidden   map[string][]string // by alert, as of the last evaluation
	cover    map[*modelAlert][]*modelInstance
	notified map[string]bool
	notes    []string
	counts   modelCounts
}

// modelCounts are the counters of events.
type modelCounts struct{ duplicates, stale, refreshes int }

type modelRule struct {
	correlation.Rule
	logic correlation.Logic
}

type modelAlert struct {
	tenant, text, name string
	labels             map[string]string
	since, last, ends  int // ends < 0: open
	firing             bool
}

func (a *modelAlert) key() string { return a.tenant + "/" + a.text }

type modelInstance struct {
	key, tenant string
	rule        int
	by          []string
	since       int
	lingerEnds  int // -1: open
	evidence    []bound
	composite   *modelAlert
}

// bound is an alert with the condition that it serves.
type bound struct {
	a    *modelAlert
	cond int
}

func newModel(tb testing.TB, rules []correlation.Rule, topology *correlation.Topology, settle int) *model {
	tb.Helper()
	m := &model{topology: topology, settle: settle, alerts: map[string]*modelAlert{}, open: map[string]*modelInstance{}, notified: map[string]bool{}}
	for _, r := range rules {
		l, err := correlation.Parse(r.Logic)
		if err != nil {
			tb.Fatal(err)
		}
		m.rules = append(m.rules, modelRule{r, l})
	}
	return m
}

func (m *model) event(tenant, name string, labels map[string]string, firing bool, t, ends int) {
	text := name + correlation.LabelsOf(labels).String()
	a := m.alerts[tenant+"/"+text]
	if a == nil {
		a = &modelAlert{tenant: tenant, text: text, name: name, labels: labels, last: -1, ends: -1}
		m.alerts[a.key()] = a
	}
	if t == a.last && firing == a.firing {
		m.counts.duplicates++
		return
	}
	if t < a.last || t == a.last && !a.firing {
		m.counts.stale++
		return
	}
	if firing {
		if a.firing && (a.ends < 0 || t <= a.ends) {
			m.counts.refreshes++
			if ends >= 0 {
				a.ends = ends
			}
		} else {
			a.since, a.ends = t, ends
		}
	}
	a.last, a.firing = t, firing
}

// active lists all active alerts of a tenant, composites included.
func (m *model) active(tenant string) []*modelAlert {
	var list []*modelAlert
	for _, k := range slices.Sorted(maps.Keys(m.alerts)) {
		if a := m.alerts[k]; a.tenant == tenant && a.firing && (a.ends < 0 || a.ends > m.now) {
			list = append(list, a)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.open)) {
		if i := m.open[k]; i.tenant == tenant && i.composite != nil {
			list = append(list, i.composite)
		}
	}
	return list
}

// advance runs every second up to at; the events of at come before its
// evaluation.
func (m *model) advance(at int, events func()) {
	for s := m.now + 1; s < at; s++ {
		m.now = s
		m.evaluate()
	}
	m.now = at
	events()
	m.evaluate()
}

func (m *model) tenants() []string {
	set := map[string]bool{}
	for _, a := range m.alerts {
		set[a.tenant] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func (m *model) matches(s correlation.Selector, a *modelAlert) bool {
	if strings.HasPrefix(a.name, "composite.") && !strings.HasPrefix(s.Pattern, "composite.") {
		return false
	}
	layer, name, _ := strings.Cut(s.Pattern, ".")
	re := expression("^" + strings.ReplaceAll(regexp.QuoteMeta(layer), `\*`, `[^.]*`) + `\.` + strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, `.*`) + "$")
	if !re.MatchString(a.name) {
		return false
	}
	for _, p := range s.Where {
		if p.Var == "" && !m.holds(p, a, p.Value) {
			return false
		}
	}
	return true
}

var expressions = map[string]*regexp.Regexp{}

func expression(text string) *regexp.Regexp {
	re := expressions[text]
	if re == nil {
		re = regexp.MustCompile(text)
		expressions[text] = re
	}
	return re
}

func (m *model) holds(p correlation.Predicate, a *modelAlert, value string) bool {
	v := a.labels[p.Label]
	switch {
	case p.Label == "depends_on":
		return m.depends(a, value) == (p.Op == correlation.Equals)
	case p.Op == correlation.Equals:
		return v == value
	case p.Op == correlation.Differs:
		return v != value
	case p.Op == correlation.Matches:
		return expression("^(?:" + value + ")$").MatchString(v)
	case p.Op == correlation.MatchesNo:
		return !expression("^(?:" + value + ")$").MatchString(v)
	}
	panic("no such predicate")
}

func (m *model) depends(a *modelAlert, name string) bool {
	if name == "" {
		return false
	}
	for d := range strings.SplitSeq(a.labels["depends_on"], ",") {
		if strings.TrimSpace(d) == name {
			return true
		}
	}
	if m.topology == nil {
		return false
	}
	reach := map[string]bool{}
	for range m.topology.Edges {
		for _, e := range m.topology.Edges {
			if e.Dependent == a.labels["service"] || reach[e.Dependent] {
				reach[e.Dependency] = true
			}
		}
	}
	for n := range reach {
		if n == name || m.topology.Kinds[n] == name {
			return true
		}
	}
	return false
}

func (m *model) near(a, b *modelAlert, hops int) bool {
	x, y := a.labels["service"], b.labels["service"]
	if x == "" || y == "" {
		return false
	}
	ball := map[string]bool{x: true}
	for range hops {
		next := maps.Clone(ball)
		if m.topology != nil {
			for _, e := range m.topology.Edges {
				if ball[e.Dependent] {
					next[e.Dependency] = true
				}
				if ball[e.Dependency] {
					next[e.Dependent] = true
				}
			}
		}
		ball = next
	}
	return ball[y]
}

func (m *model) by(r modelRule, a *modelAlert) string {
	var v []string
	for _, l := range r.By {
		v = append(v, a.labels[l])
	}
	return fmt.Sprintf("%q", v)
}

// active reports whether a rule is active at a second: all hours are of every day, in
// UTC, and second 0 is a midnight.
func (r modelRule) active(now int) bool {
	if r.Active == nil {
		return true
	}
	clock := start.Add(time.Duration(now) * time.Second).Format(time.TimeOnly)
	s := r.Active.Week[time.Monday][0]
	return s.From <= clock && clock < s.To
}

// conditions returns whether the rule holds for one set of BY values, and its
// evidence.
func (m *model) conditions(r modelRule, tenant, by string) (bool, []bound) {
	if !r.active(m.now) {
		return false, nil
	}
	var sets [][]*modelAlert
	var all []*modelAlert
	for _, c := range r.logic.If {
		var set []*modelAlert
		for _, a := range m.active(tenant) {
			if m.matches(c.Selector, a) && m.by(r, a) == by {
				set = append(set, a)
			}
		}
		if enough := len(set) >= max(c.Count, 1); enough == c.Not {
			return false, nil
		}
		if c.Not {
			set = nil
		}
		sets = append(sets, set)
		all = append(all, set...)
	}
	var evidence []bound
	add := func(b bound) {
		if !slices.Contains(evidence, b) {
			evidence = append(evidence, b)
		}
	}
	if r.Within == 0 {
		for c, set := range sets {
			for _, a := range set {
				add(bound{a, c})
			}
		}
		return true, evidence
	}
	w := int(r.Within.Seconds())
	for _, from := range all {
		ok := true
		var inside []bound
		for c, set := range sets {
			n := 0
			for _, a := range set {
				if a.since >= from.since && a.since <= from.since+w {
					inside = append(inside, bound{a, c})
					n++
				}
			}
			ok = ok && (r.logic.If[c].Not || n >= max(r.logic.If[c].Count, 1))
		}
		if ok {
			for _, b := range inside {
				add(b)
			}
		}
	}
	return len(evidence) > 0, evidence
}

// covers reports whether an instance covers an active alert.
func (m *model) covers(i *modelInstance, a *modelAlert) bool {
	r := m.rules[i.rule]
	if a.tenant != i.tenant || m.by(r, a) != fmt.Sprintf("%q", i.by) {
		return false
	}
	for _, s := range r.logic.Suppress {
		if !m.matches(s, a) {
			continue
		}
		joined := true
		for _, p := range s.Where {
			if p.Var == "" {
				continue
			}
			// One alert must satisfy all predicates on its variable.
			joined = joined && slices.ContainsFunc(i.evidence, func(b bound) bool {
				if r.logic.If[b.cond].As != p.Var {
					return false
				}
				for _, q := range s.Where {
					switch {
					case q.Var != p.Var:
					case q.Op == correlation.Near:
						if !m.near(a, b.a, q.Hops) {
							return false
						}
					case !m.holds(q, a, b.a.labels[q.VarLabel]):
						return false
					}
				}
				return true
			})
		}
		if joined {
			return true
		}
	}
	return false
}

func (m *model) evaluate() {
	// Rules in an order in which composites exist before they are read: the
	// tests list them so.
	for n, r := range m.rules {
		if r.Disabled {
			continue
		}
		for _, tenant := range m.tenants() {
			seen := map[string][]string{}
			for _, a := range m.active(tenant) {
				var v []string
				for _, l := range r.By {
					v = append(v, a.labels[l])
				}
				seen[m.by(r, a)] = v
			}
			for _, i := range m.open {
				if i.rule == n && i.tenant == tenant {
					seen[fmt.Sprintf("%q", i.by)] = i.by
				}
			}
			for by, values := range seen {
				m.turn(n, tenant, by, values)
			}
		}
	}
	m.suppress()
}

func (m *model) turn(n int, tenant, by string, values []string) {
	r := m.rules[n]
	key := fmt.Sprintf("%d/%s/%s", n, tenant, by)
	holds, evidence := m.conditions(r, tenant, by)
	i := m.open[key]
	switch {
	case holds && i == nil:
		i = &modelInstance{key: key, tenant: tenant, rule: n, by: values, since: m.now, lingerEnds: -1, evidence: evidence}
		if r.logic.Composite != "" {
			labels := map[string]string{}
			for k, l := range r.By {
				if values[k] != "" {
					labels[l] = values[k]
				}
			}
			name := "composite." + r.Name
			i.composite = &modelAlert{tenant: tenant, text: name + correlation.LabelsOf(labels).String(), name: name, labels: labels, since: m.now}
		}
		m.open[key] = i
	case holds:
		i.evidence, i.lingerEnds = evidence, -1
	case i != nil && i.lingerEnds < 0:
		// The evidence stays as it was; copies, because alerts change.
		for k, b := range i.evidence {
			c := *b.a
			i.evidence[k].a = &c
		}
		i.lingerEnds = m.now + int(r.Linger.Seconds())
	}
	if i != nil && i.lingerEnds >= 0 && i.lingerEnds <= m.now {
		delete(m.open, key)
	}
}

func (m *model) suppress() {
	m.hidden = map[string][]string{}
	m.cover = map[*modelAlert][]*modelInstance{}
	notifiable := map[string]*modelAlert{}
	for _, tenant := range m.tenants() {
		active := m.active(tenant)
		cover := map[*modelAlert][]*modelInstance{}
		for _, a := range active {
			for _, i := range m.open {
				if i.tenant == tenant && m.covers(i, a) {
					cover[a] = append(cover[a], i)
				}
			}
		}
		stands := func(i *modelInstance) (list []*modelAlert) {
			for _, b := range i.evidence {
				list = append(list, b.a)
			}
			if i.composite != nil {
				list = append(list, i.composite)
			}
			return list
		}
		silenced := func(a *modelAlert) bool {
			return m.strict && slices.ContainsFunc(m.silences, func(s worldSilence) bool { return s.holds(a.tenant, a.name, a.labels) })
		}
		if m.strict { // what only silenced alerts stand for is not covered
			speaks := map[*modelInstance]bool{}
			for changed := true; changed; {
				changed = false
				for _, i := range m.open {
					ok := false
					for _, s := range stands(i) {
						ok = ok || !silenced(s)
						for _, j := range cover[s] {
							ok = ok || speaks[j]
						}
					}
					if ok && !speaks[i] {
						speaks[i], changed = true, true
					}
				}
			}
			for _, a := range active {
				cover[a] = slices.DeleteFunc(cover[a], func(i *modelInstance) bool { return !speaks[i] })
			}
		}
		represented := map[*modelAlert]bool{}
		for _, a := range active {
			represented[a] = len(cover[a]) == 0 && !silenced(a)
		}
		for changed := true; changed; {
			changed = false
			for _, a := range active {
				for _, i := range cover[a] {
					ok := i.lingerEnds >= 0
					for _, s := range stands(i) {
						ok = ok || represented[s]
					}
					if ok && !represented[a] {
						represented[a], changed = true, true
					}
				}
			}
		}
		// reach among those without a representative
		reach := map[*modelAlert]map[*modelAlert]bool{}
		for _, a := range active {
			reach[a] = map[*modelAlert]bool{}
			for _, i := range cover[a] {
				for _, s := range stands(i) {
					if !silenced(s) || len(cover[s]) > 0 {
						reach[a][s] = true
					}
				}
			}
		}
		for range active {
			for _, a := range active {
				for b := range maps.Clone(reach[a]) {
					for c := range reach[b] {
						reach[a][c] = true
					}
				}
			}
		}
		released := map[*modelAlert]bool{}
		for _, a := range active {
			if represented[a] {
				continue
			}
			terminal, first := true, true
			for b := range reach[a] {
				terminal = terminal && reach[b][a]
				if b != a && !silenced(b) && cmp.Or(cmp.Compare(b.since, a.since), strings.Compare(b.text, a.text)) < 0 {
					first = false
				}
			}
			released[a] = terminal && first && !silenced(a)
		}
		for _, a := range active {
			notifiable[a.key()] = a
			if len(cover[a]) == 0 || released[a] {
				continue
			}
			m.cover[a] = cover[a]
			var names []string
			for _, i := range cover[a] {
				names = append(names, m.rules[i.rule].Name)
			}
			slices.Sort(names)
			m.hidden[a.key()] = slices.Compact(names)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(notifiable)) {
		a := notifiable[k]
		settle := m.settle
		if strings.HasPrefix(a.name, "composite.") {
			settle = 0
		}
		if m.hidden[k] == nil && !m.notified[k] && a.since+settle <= m.now {
			m.notified[k] = true
			m.notes = append(m.notes, fmt.Sprintf("%d notify %s", m.now, k))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.notified)) {
		if notifiable[k] == nil {
			delete(m.notified, k)
			m.notes = append(m.notes, fmt.Sprintf("%d resolve %s", m.now, k))
		}
	}
}

// composites prints the open composites like print in property_test.go.
func (m *model) composites() []string {
	var list []string
	for _, i := range m.open {
		if i.composite == nil {
			continue
		}
		var evidence, suppressed []string
		for _, b := range i.evidence {
			evidence = append(evidence, b.a.text)
		}
		for _, a := range m.active(i.tenant) {
			if slices.Contains(m.cover[a], i) {
				suppressed = append(suppressed, a.text)
			}
		}
		slices.Sort(evidence)
		slices.Sort(suppressed)
		list = append(list, fmt.Sprintf("%s since %d lingers %d: %q hides %q", i.composite.key(), i.since, i.lingerEnds, slices.Compact(evidence), suppressed))
	}
	slices.Sort(list)
	return list
}
