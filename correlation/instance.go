package correlation

import (
	"math/bits"
	"slices"

	"github.com/evenkeelops/evenkeel/incident"
)

type instanceState uint8

const (
	closed instanceState = iota
	open
	lingering
)

// instance is one rule with one set of BY values in one tenant. It exists
// while alerts match the rule; open and lingering instances are live.
type instance struct {
	rule   *program
	sp     *space
	key    instanceKey
	values []string // of the BY labels

	counts  []int32     // active alerts per condition
	members []*member   // all active alerts of the conditions and targets
	onsets  [][]*member // with WITHIN: per condition without NOT, by onset
	fresh   []*member   // members since the last evaluation
	gone    []witness   // evidence that left since the last evaluation

	idle       bool // closed, without members and not dirty
	state      instanceState
	dirty      bool
	flagged    bool
	rejoin     bool // all targets must be joined again
	epoch      uint32
	whole      bool // with WITHIN: one window holds all onsets; wasWhole: so did one before
	wasWhole   bool
	stamp      int64 // event time of the latest change
	since      int64 // engine time of the opening
	opened     int64 // stamp of the opening
	lingerEnds int64
	frozen     []witness // evidence while lingering
	composite  *alert
	bound      []map[string]*binding // per variable
	rebound    []rebound             // bindings that came or went since the last evaluation
	probes     []probeIndex          // per selector to suppress

	// What the instance stands on, see ground.go. Kept only for rules that are
	// not always grounded.
	visible int                 // supporting alerts that nothing hides
	stands  []support           // heap of the supporting alerts, and of some that left
	support int                 // supporting alerts
	out, in map[*instance]int32 // number of supporting alerts of the one hidden by the other
	release *alert
	visit   visit
}

// witness is a copy of an alert that was evidence.
type witness struct {
	Name     string            `json:"alert"`
	Labels   Labels            `json:"labels"`
	Since    int64             `json:"since"`
	Severity incident.Severity `json:"severity,omitempty"`
	Conds    uint64            `json:"conditions"`
}

// binding is one distinct combination of the labels that joins compare.
type binding struct {
	values []string
	n      int
}

// rebound is a binding of a variable that came or went.
type rebound struct {
	v int
	b *binding
}

// probeIndex finds targets of one selector, for each of its joins, by the value
// of the label that the probe of the join looks at.
type probeIndex []map[string]map[*member]struct{}

// member is the part of one alert in the rule that it can match.
type member struct {
	a           *alert
	rule        *program
	inst        *instance // nil while the alert is not active
	conds, sels uint64    // conditions and selectors to suppress that match
	pos         int32     // in inst.members
	mark        uint32    // epoch of the last sweep in which a window held it
	evidence    bool
	hidden      bool
}

func (m *member) positive() bool { return m.conds&m.rule.need != 0 }

func (i *instance) live() bool { return i.state != closed }

// wake takes an instance out of the idle ones.
func (i *instance) wake() {
	if i.idle {
		i.idle = false
		i.sp.idle--
	}
}

// add makes m a member; the caller marks the instance dirty.
func (i *instance) add(m *member) {
	m.inst = i
	m.pos = int32(len(i.members))
	i.members = append(i.members, m)
	i.fresh = append(i.fresh, m)
	i.file(m, true)
	for c := m.conds; c != 0; c &= c - 1 {
		n := bits.TrailingZeros64(c)
		i.counts[n]++
		if i.onsets != nil && i.rule.need&(1<<n) != 0 {
			i.onsets[n] = insertOnset(i.onsets[n], m)
		}
	}
}

// remove undoes add.
func (i *instance) remove(m *member) {
	if m.hidden {
		i.hide(m, false)
	}
	if m.evidence {
		if i.rule.title != "" || i.rule.Linger > 0 {
			i.gone = append(i.gone, m.witness())
		}
		i.setEvidence(m, false)
	}
	i.file(m, false)
	last := i.members[len(i.members)-1]
	i.members[m.pos] = last
	last.pos = m.pos
	i.members[len(i.members)-1] = nil
	i.members = i.members[:len(i.members)-1]
	for c := m.conds; c != 0; c &= c - 1 {
		n := bits.TrailingZeros64(c)
		i.counts[n]--
		if i.onsets != nil && i.rule.need&(1<<n) != 0 {
			i.onsets[n] = removeOnset(i.onsets[n], m)
		}
	}
	m.inst = nil
}

// holds reports whether all conditions hold now. With WITHIN it marks the
// members that a window holds.
func (i *instance) holds() bool {
	for n := range i.rule.conds {
		c := &i.rule.conds[n]
		if (i.counts[n] >= c.count) == c.not {
			return false
		}
	}
	return i.onsets == nil || i.sweep()
}

func (m *member) witness() witness {
	w := witness{Name: m.a.name, Labels: m.a.labels, Since: m.a.since, Severity: m.a.severity, Conds: m.conds & m.rule.need}
	if m.a.of != nil {
		w.Severity = m.a.of.severity()
	}
	return w
}

// updateEvidence brings the evidence of an open instance up to date. all looks
// at every member, not only at the new ones.
func (i *instance) updateEvidence(all bool) {
	list := i.fresh
	if all || i.onsets != nil && (!i.whole || !i.wasWhole) {
		list = i.members
	}
	for _, m := range list {
		if m.inst != i || !m.positive() {
			continue
		}
		if want := i.onsets == nil || i.whole || m.mark == i.epoch; want != m.evidence {
			i.setEvidence(m, want)
		}
	}
}

// updateHidden brings the hidden targets of an instance up to date. all looks
// at every target, not only at new ones and those that new bindings concern.
func (i *instance) updateHidden(all bool) {
	list := i.fresh
	if all || i.rejoin {
		list = i.members
	} else {
		for _, r := range i.rebound {
			i.probe(r)
		}
	}
	for _, m := range list {
		if m.inst == i && m.sels != 0 {
			i.check(m)
		}
	}
	clear(i.rebound)
	i.rebound, i.rejoin = i.rebound[:0], false
}

// check brings one target up to date.
func (i *instance) check(m *member) {
	if want := i.live() && i.joined(m); want != m.hidden {
		i.hide(m, want)
	}
}

// file enters a target in the probe indexes, or takes it out.
func (i *instance) file(m *member, enter bool) {
	if len(i.rule.vars) == 0 {
		return
	}
	for s := m.sels; s != 0; s &= s - 1 {
		n := bits.TrailingZeros64(s)
		joins := i.rule.targets[n].joins
		if i.probes == nil {
			i.probes = make([]probeIndex, len(i.rule.targets))
		}
		if i.probes[n] == nil {
			i.probes[n] = make(probeIndex, len(joins))
		}
		for k := range joins {
			j := &joins[k]
			if j.probe < 0 {
				continue
			}
			value := m.a.labels.Get(j.preds[j.probe].label)
			found := i.probes[n][k][value]
			switch {
			case !enter:
				delete(found, m)
				if len(found) == 0 {
					delete(i.probes[n][k], value)
				}
				continue
			case i.probes[n][k] == nil:
				i.probes[n][k] = map[string]map[*member]struct{}{}
				fallthrough
			case found == nil:
				found = map[*member]struct{}{}
				i.probes[n][k][value] = found
			}
			found[m] = struct{}{}
		}
	}
}

// probe checks the targets that a binding may concern.
func (i *instance) probe(r rebound) {
	for n, index := range i.probes {
		for k := range index {
			j := &i.rule.targets[n].joins[k]
			if j.v != r.v {
				continue
			}
			q := &j.preds[j.probe]
			values := []string{r.b.values[q.arg]}
			if q.op == Near {
				values = i.rule.graph.ball(values[0], q.hops)
			}
			for _, value := range values {
				for m := range index[k][value] {
					i.check(m)
				}
			}
		}
	}
}

func (i *instance) hide(m *member, hidden bool) {
	m.hidden = hidden
	if hidden {
		m.a.addCover(i)
	} else {
		m.a.removeCover(i)
	}
}

func (i *instance) setEvidence(m *member, evidence bool) {
	m.evidence = evidence
	for v := range i.rule.vars {
		if m.conds&(1<<i.rule.vars[v].cond) != 0 {
			i.bind(v, m.a.labels, evidence)
		}
	}
	if i.rule.grounded {
		return
	}
	if evidence {
		i.addSupport(m.a, m)
	} else {
		i.removeSupport(m.a)
	}
}

// bind adds or removes one alert of a variable.
func (i *instance) bind(v int, l Labels, add bool) {
	names := i.rule.vars[v].labels
	if len(names) == 0 {
		return
	}
	if i.bound == nil {
		i.bound = make([]map[string]*binding, len(i.rule.vars))
	}
	if i.bound[v] == nil {
		i.bound[v] = map[string]*binding{}
	}
	key := bindingKey(names, l)
	b := i.bound[v][key]
	if b == nil {
		b = &binding{values: make([]string, len(names))}
		for n, name := range names {
			b.values[n] = l.Get(name)
		}
		i.bound[v][key] = b
		i.rebind(v, b)
	}
	if add {
		b.n++
		return
	}
	b.n--
	if b.n == 0 {
		delete(i.bound[v], key)
		i.rebind(v, b)
	}
}

func (i *instance) rebind(v int, b *binding) {
	if i.rule.vars[v].probed {
		i.rebound = append(i.rebound, rebound{v, b})
	} else {
		i.rejoin = true
	}
}

// bindingKey is the value itself for one label, so that joins by one label can
// look it up.
func bindingKey(names []string, l Labels) string {
	if len(names) == 1 {
		return l.Get(names[0])
	}
	var b []byte
	for _, name := range names {
		b = appendPart(b, l.Get(name))
	}
	return string(b)
}

// joined reports whether one of the selectors that match m finds an alert for
// each of its variables.
func (i *instance) joined(m *member) bool {
	g := i.rule.graph
	for s := m.sels; s != 0; s &= s - 1 {
		t := &i.rule.targets[bits.TrailingZeros64(s)]
		all := true
		for n := range t.joins {
			if all = i.joins(&t.joins[n], m.a.labels, g); !all {
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

func (i *instance) joins(j *join, l Labels, g *graph) bool {
	if i.bound == nil {
		return false
	}
	bound := i.bound[j.v]
	if len(j.preds) == 1 && len(i.rule.vars[j.v].labels) == 1 {
		switch q := &j.preds[0]; {
		case q.op == Equals && q.label != dependsOn:
			return bound[l.Get(q.label)] != nil
		case q.op == Near:
			entity := g.entity(l)
			if entity == "" {
				return false
			}
			for _, near := range g.ball(entity, q.hops) {
				if bound[near] != nil {
					return true
				}
			}
			return false
		}
	}
	for _, b := range bound {
		if j.holds(b, l, g) {
			return true
		}
	}
	return false
}

// holds reports whether a target satisfies all predicates with one binding.
func (j *join) holds(b *binding, l Labels, g *graph) bool {
	for n := range j.preds {
		q := &j.preds[n]
		v := b.values[q.arg]
		ok := false
		switch {
		case q.op == Near:
			entity := g.entity(l)
			ok = entity != "" && v != "" && g.near(entity, v, q.hops)
		case q.label == dependsOn:
			ok = g.alertDepends(l, v) == (q.op == Equals)
		default:
			ok = (l.Get(q.label) == v) == (q.op == Equals)
		}
		if !ok {
			return false
		}
	}
	return true
}

// evidence returns copies of the evidence, sorted by printed form.
func (i *instance) evidence() []witness {
	var list []witness
	if i.state == lingering {
		list = slices.Clone(i.frozen)
	} else {
		for _, m := range i.members {
			if m.evidence {
				list = append(list, m.witness())
			}
		}
	}
	sortWitnesses(list)
	return list
}

// severity is that of the rule, else the highest of the members.
func (i *instance) severity() incident.Severity {
	s := i.rule.Severity
	if s.IsSet() {
		return s
	}
	raise := func(x incident.Severity) {
		if x.Compare(s) > 0 {
			s = x
		}
	}
	for _, w := range i.frozen {
		raise(w.Severity)
	}
	for _, m := range i.members {
		switch {
		case !m.evidence && !m.hidden:
		case m.a.of != nil:
			raise(m.a.of.severity())
		default:
			raise(m.a.severity)
		}
	}
	return s
}
