package correlation

import (
	"math/bits"
	"slices"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
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
	rule *program
	sp   *space
	key  string // the values of the BY labels, as prefixed.Append writes them

	members []*member // all active alerts of the conditions and targets
	settled int32     // of the members, those that were there at the last evaluation, which come first

	// Kept only for rules that are not always grounded, see ground.go.
	visible int32 // supporting alerts that nothing hides and nobody silenced
	support int32 // supporting alerts
	silent  int32 // of them, silenced

	state  instanceState
	dirty  bool
	idle   bool  // closed, without members and not dirty
	swept  bool  // not known to its space any more
	stamp  int64 // event time of the latest change
	since  int64 // engine time of the last opening
	opened int64 // stamp of the last opening

	*special // never nil
	footing  *footing

	few  [2]int32   // active alerts per condition, of the first two
	pair [2]*member // members of most
}

// special is what the rules of few instances ask for. It is apart to keep the others small.
type special struct {
	many       []int32 // active alerts per condition, but for the first two
	onsets     *onsets // with WITHIN
	joining    *joining
	lingerEnds int64     // engine time
	past       []witness // evidence that left: while open since the last evaluation, while lingering all of it
	composite  *alert    // nil if the rule creates none, and while the instance is closed
	life       *life     // nil but for composites with Options.WholeLife
}

// plain is what the others share. It stays as it is.
var plain special

// own returns what is special about the instance, for what is to be changed in it.
func (i *instance) own() *special {
	if i.special == &plain {
		i.special = &special{}
	}
	return i.special
}

// life is the printed alerts of the whole life of a composite.
type life struct {
	evidence, suppressed map[string]bool
}

// witness is a copy of an alert that was evidence.
type witness struct {
	Name     string            `json:"alert"`
	Labels   Labels            `json:"labels"`
	Since    int64             `json:"since"`
	Severity incident.Severity `json:"severity,omitempty"`
	Conds    uint64            `json:"conditions"`

	printed string // its text, once it was asked for
}

// member is the part of one alert in the rule that it can match.
type member struct {
	a        *alert
	match    *match
	inst     *instance // where it belongs, once it was active
	joined   *joined   // with variables or WITHIN
	pos      int32     // in inst.members
	active   bool      // among inst.members
	evidence bool
	hidden   bool
}

// match is which selectors of a rule an alert matches, as bits.
type match struct {
	rule        *program
	conds, sels uint64 // conditions and selectors to suppress
	probes      int    // of the selectors
}

// match returns the one copy that all alerts that match alike share.
func (p *program) match(conds, sels uint64) *match {
	for _, m := range p.matches { // there are few, for most alerts of a rule match alike
		if m.conds == conds && m.sels == sels {
			return m
		}
	}
	m := &match{rule: p, conds: conds, sels: sels}
	for n := range p.probes {
		m.probes += int(sels >> p.probes[n].sel & 1)
	}
	p.matches = append(p.matches, m)
	return m
}

// hash is that of an instance, of which that of the key is known.
func (p *program) hash(key uint64) uint64 { return key + uint64(p.index)*0x9e3779b97f4a7c15 }

// rule returns the rule that the alert can match.
func (m *member) rule() *program { return m.match.rule }

// positive reports whether the alert matches a condition without NOT.
func (m *member) positive() bool { return m.match.conds&m.match.rule.need != 0 }

// live reports whether the instance is open or lingers.
func (i *instance) live() bool { return i.state != closed }

// values returns the values of the BY labels.
func (i *instance) values() []string {
	values := make([]string, len(i.rule.By))
	rest := i.key
	for n := range values {
		values[n], rest = prefixed.Cut(rest)
	}
	return values
}

// count returns where the active alerts of a condition are counted.
func (i *instance) count(cond int) *int32 {
	if cond < len(i.few) {
		return &i.few[cond]
	}
	return &i.many[cond-len(i.few)]
}

// wake takes an instance out of the idle ones.
func (i *instance) wake() {
	if i.idle {
		i.idle = false
		i.sp.idle--
	}
}

// add makes m, which belongs here, an active member; the caller marks the instance
// dirty.
func (i *instance) add(m *member) {
	m.active = true
	m.pos = int32(len(i.members))
	i.members = append(i.members, m)
	i.enter(m)
	for c := m.match.conds; c != 0; c &= c - 1 {
		n := bits.TrailingZeros64(c)
		*i.count(n)++
		if i.onsets != nil && i.rule.need&(1<<n) != 0 {
			i.onsets.insert(n, m)
		}
	}
}

// remove undoes add.
func (i *instance) remove(m *member) {
	if m.hidden {
		m.reveal()
	}
	if m.evidence {
		if i.rule.title != "" || i.rule.Linger > 0 {
			i.past = append(i.past, m.witness())
		}
		i.setEvidence(m, false)
	}
	i.leave(m)
	if m.pos < i.settled {
		i.settled--
		i.swap(m, i.settled)
	}
	last := int32(len(i.members) - 1)
	i.swap(m, last)
	i.members[last] = nil
	i.members = i.members[:last]
	for c := m.match.conds; c != 0; c &= c - 1 {
		n := bits.TrailingZeros64(c)
		*i.count(n)--
		if i.onsets != nil && i.rule.need&(1<<n) != 0 {
			i.onsets.remove(n, m)
		}
	}
	m.active = false
}

// swap lets a member change places with the one at a place.
func (i *instance) swap(m *member, at int32) {
	other := i.members[at]
	i.members[m.pos], other.pos = other, m.pos
	i.members[at], m.pos = m, at
}

// holds reports whether the rule is active and all its conditions hold now. With WITHIN it marks the
// members that a window holds.
func (i *instance) holds() bool {
	if h := i.rule.hours; h != nil && h.closed {
		return false
	}
	for n := range i.rule.conds {
		c := &i.rule.conds[n]
		if (*i.count(n) >= c.count) == c.not {
			return false
		}
	}
	return i.onsets == nil || i.onsets.sweep(i.rule)
}

// witness copies what is told of a piece of evidence.
func (m *member) witness() witness {
	w := witness{Name: m.a.name.full, Labels: m.a.labels.list(), Since: m.a.since, Severity: m.a.severity, Conds: m.match.conds & m.match.rule.need}
	if of := m.a.of(); of != nil {
		w.Severity = of.severity()
	}
	return w
}

// updateEvidence brings the evidence of an open instance up to date. all looks
// at every member, not only at the new ones.
func (i *instance) updateEvidence(all bool) {
	list := i.members[i.settled:]
	o := i.onsets
	if all || o != nil && (!o.whole || !o.wasWhole) {
		list = i.members
	}
	for _, m := range list {
		if !m.positive() {
			continue
		}
		if want := o == nil || o.whole || m.joined.mark == o.epoch; want != m.evidence {
			i.setEvidence(m, want)
		}
	}
}

// updateHidden brings the hidden targets of an instance up to date. all looks
// at every target, not only at new ones and those that new bindings concern.
func (i *instance) updateHidden(all bool) {
	list := i.members[i.settled:]
	g := i.joining
	if g != nil {
		all = all || g.rejoin
		for n, s := range g.waiting {
			for _, m := range s.members {
				if all {
					break
				}
				i.check(m)
			}
			s.waiting, g.waiting[n] = false, nil
		}
		g.waiting, g.rejoin = g.waiting[:0], false
	}
	if all {
		list = i.members
	}
	for _, m := range list {
		if m.match.sels != 0 {
			i.check(m)
		}
	}
}

// check brings one target up to date.
func (i *instance) check(m *member) {
	switch want := i.live() && i.joined(m); {
	case want && !m.hidden:
		m.hide()
	case !want && m.hidden:
		m.reveal()
	}
}

// setEvidence makes a member evidence, or ends that.
func (i *instance) setEvidence(m *member, evidence bool) {
	d := 1
	if !evidence {
		d = -1
	}
	if len(i.rule.vars) > 0 {
		i.bind(m, d)
	}
	if evidence && i.life != nil {
		i.life.evidence[m.a.text()] = true
	}
	if i.rule.grounded {
		m.evidence = evidence
		return
	}
	if evidence {
		i.addSupport(m.a, m)
	}
	m.evidence = evidence
	if !evidence {
		i.removeSupport(m.a)
	}
}

// evidence returns copies of the evidence, sorted by printed form.
func (i *instance) evidence() []witness {
	list := i.witnesses()
	sortWitnesses(list)
	return list
}

// witnesses returns copies of the evidence in any order.
func (i *instance) witnesses() []witness {
	if i.state == lingering {
		return slices.Clone(i.past)
	}
	var list []witness
	for _, m := range i.members {
		if m.evidence {
			list = append(list, m.witness())
		}
	}
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
	if i.state == lingering {
		for _, w := range i.past {
			raise(w.Severity)
		}
	}
	for _, m := range i.members {
		switch {
		case !m.evidence && !m.hidden:
		case m.a.of() != nil:
			raise(m.a.of().severity())
		default:
			raise(m.a.severity)
		}
	}
	return s
}
