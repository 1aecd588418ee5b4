package correlation

import (
	"hash/maphash"
	"slices"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// newAlert makes an alert of a name and labels whose use is counted.
func (e *Engine) newAlert(sp *space, name *alertName, l labels) *alert {
	e.seq++
	e.match(name, &l)
	if len(e.matched) == 1 { // in one piece
		x := &struct {
			alert
			one [1]member
		}{}
		x.sp, x.name, x.labels, x.seq, x.members = sp, name, l, e.seq, x.one[:]
		e.enlist(&x.alert)
		return &x.alert
	}
	a := &alert{sp: sp, name: name, labels: l, seq: e.seq, members: make([]member, len(e.matched))}
	e.enlist(a)
	return a
}

// space returns the space of a tenant and lists it as changed in this step.
func (e *Engine) space(tenant string) *space {
	sp := e.spaces[tenant]
	if sp == nil {
		sp = &space{tenant: tenant, strict: e.opts.StrictSilence}
		e.spaces[tenant] = sp
	}
	e.heat(sp)
	return sp
}

// heat lists a tenant as changed in this step.
func (e *Engine) heat(sp *space) {
	if !sp.hot {
		sp.hot = true
		e.hot = append(e.hot, sp)
	}
}

// activate makes an alert count for the rules. stamp is the event time of the
// change.
func (e *Engine) activate(a *alert, stamp int64) {
	a.active, a.ended = true, 0
	a.silenced = a.sp.strict && a.sp.silenced(a)
	for n := range a.members {
		m := &a.members[n]
		if m.inst == nil || m.inst.swept {
			m.inst = e.instance(a.sp, m.rule(), &a.labels)
			if m.joined != nil {
				clear(m.joined.places)
				clear(m.joined.bindings)
				m.joined.mark = 0 // of a sweep of the one that is forgotten
			}
		}
		m.inst.wake()
		m.inst.add(m)
		e.mark(m.inst, stamp)
	}
	a.sp.touch(a)
}

// leave takes an alert out of the rules.
func (e *Engine) leave(a *alert, stamp int64) {
	a.active = false
	for n := range a.members {
		if m := &a.members[n]; m.active {
			m.inst.remove(m)
			e.mark(m.inst, stamp)
		}
	}
	a.sp.touch(a)
}

// deactivate is leave for an alert that is over.
func (e *Engine) deactivate(a *alert, stamp int64) {
	e.leave(a, stamp)
	e.end(a)
}

// end starts the time for which an inactive alert is remembered.
func (e *Engine) end(a *alert) {
	a.ended = e.now
	if !a.leaving && a.of() == nil {
		a.leaving = true
		heap.Push(&e.timers, timer{at: instant.After(e.now, e.opts.Retention), kind: forget, a: a})
	}
}

// match finds the rules that alerts with a name and labels can match.
func (e *Engine) match(name *alertName, l *labels) {
	found := e.matched[:0]
	name.candidates(l, func(r reference) {
		r.p.counts.tests++
		if m := r.matcher(); !r.sure && (!m.matchesName(name.layer, name.short) || !m.matchesLabels(l, e.graph)) {
			return
		}
		at := slices.IndexFunc(found, func(m match) bool { return m.rule == r.p })
		if at < 0 {
			at = len(found)
			found = append(found, match{rule: r.p})
		}
		if r.target {
			found[at].sels |= 1 << r.number
		} else {
			found[at].conds |= 1 << r.number
		}
	})
	e.matched = found
	if len(found) > 1 {
		slices.SortFunc(found, func(x, y match) int { return x.rule.index - y.rule.index })
	}
}

// enlist makes an alert the member of the rules that match has found.
func (e *Engine) enlist(a *alert) {
	joins, probes, vars := 0, 0, 0
	for n, m := range e.matched {
		shared := m.rule.match(m.conds, m.sels)
		a.members[n].a, a.members[n].match = a, shared
		if m.rule.joins() {
			joins, probes, vars = joins+1, probes+shared.probes, vars+len(m.rule.vars)
		}
	}
	if joins == 0 {
		return
	}
	known, places, bindings := make([]joined, joins), make([]place, probes), make([]*binding, vars) // in one piece each
	for n := range a.members {
		m := &a.members[n]
		if r := m.match.rule; r.joins() {
			m.joined, known = &known[0], known[1:]
			m.joined.places, places = places[:m.match.probes:m.match.probes], places[m.match.probes:]
			m.joined.bindings, bindings = bindings[:len(r.vars):len(r.vars)], bindings[len(r.vars):]
		}
	}
}

// instance finds or makes the instance of a rule that labels belong to.
func (e *Engine) instance(sp *space, p *program, l *labels) *instance {
	e.key = e.key[:0]
	for n := range p.by {
		e.key = prefixed.Append(e.key, p.by[n].of(l))
	}
	return e.instanceOf(sp, p)
}

// instanceOf finds or makes the instance of a rule whose key is in e.key.
func (e *Engine) instanceOf(sp *space, p *program) *instance {
	hash := p.hash(maphash.Bytes(seed, e.key))
	i := sp.instances.Find(hash, func(i *instance) bool { return i.rule == p && i.key == string(e.key) })
	if i != nil {
		return i
	}
	if p.special() { // in one piece
		x := &struct {
			instance
			own special
		}{}
		i = &x.instance
		i.special = &x.own
	} else {
		i = &instance{special: &plain}
	}
	i.rule, i.sp, i.key, i.idle = p, sp, string(e.key), true
	i.members = i.pair[:0]
	if n := len(p.conds) - len(i.few); n > 0 {
		i.many = make([]int32, n)
	}
	if p.Within > 0 {
		i.onsets = &onsets{lists: make([][]*member, len(p.conds))}
	}
	sp.idle++
	sp.instances.Insert(hash, i)
	return i
}
