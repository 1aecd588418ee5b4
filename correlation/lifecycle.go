package correlation

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// mark lists an instance for evaluation in this step.
func (e *Engine) mark(i *instance, stamp int64) {
	if !i.dirty {
		i.dirty, i.stamp = true, stamp
		e.dirty[i.rule.rank] = append(e.dirty[i.rule.rank], i)
		e.heat(i.sp)
		return
	}
	i.stamp = max(i.stamp, stamp)
}

// evaluate opens and closes instances. Those of a rank see the composites of
// all lower ranks.
func (e *Engine) evaluate(rank int) {
	for _, i := range e.dirty[rank] { // what it changes is of higher ranks
		i.dirty = false
		e.turn(i)
	}
	clear(e.dirty[rank])
	e.dirty[rank] = e.dirty[rank][:0]
}

// turn brings one instance up to date.
func (e *Engine) turn(i *instance) {
	i.rule.counts.evaluations++
	holds := i.holds()
	switch was := i.state; {
	case holds && was == open:
		i.updateEvidence(false)
		i.updateHidden(false)
	case holds:
		i.state = open
		if was == closed {
			e.open(i)
		} else {
			i.thaw()
		}
		i.updateEvidence(true)
		if i.composite != nil && !i.rule.grounded {
			i.addSupport(i.composite, nil)
		}
		i.updateHidden(true)
		if was == closed && i.composite != nil {
			e.report(Open, i.composite)
		}
	case was == open && i.rule.Linger > 0:
		e.linger(i)
	case was == open:
		e.close(i)
	case was == lingering:
		i.updateHidden(false)
	}
	i.settle()
	e.rest(i)
}

// settle ends an evaluation.
func (i *instance) settle() {
	i.settled = int32(len(i.members))
	if i.past != nil && i.state == open {
		i.past = nil
	}
	if i.joining != nil {
		i.joining.sweep()
	}
}

// open begins a run of an instance, with its composite.
func (e *Engine) open(i *instance) {
	i.since, i.opened = e.now, i.stamp
	i.rule.counts.opens++
	if i.rule.title == "" {
		return
	}
	i.life = nil
	if e.opts.WholeLife {
		i.life = &life{map[string]bool{}, map[string]bool{}}
	}
	e.stats.Composites++
	i.composite = e.newComposite(i)
	e.activate(i.composite, i.stamp)
}

// newComposite makes the alert of an instance's composite.
func (e *Engine) newComposite(i *instance) *alert {
	l := i.by()
	for name, value := range i.rule.Labels {
		if value != "" && !slices.Contains(i.rule.By, name) {
			l = append(l, Label{name, value})
		}
	}
	l.sort()
	name := compositeLayer + "." + i.rule.Name
	a := e.newAlert(i.sp, e.atlas.name(name), e.atlas.compact(l))
	a.more, a.since, a.severity = &more{of: i}, i.since, i.rule.Severity
	a.silenced = i.sp.strict && i.sp.silenced(a)
	return a
}

// linger freezes the evidence of an instance whose conditions ceased to hold.
func (e *Engine) linger(i *instance) {
	i.past = i.lastEvidence()
	i.dropSupports()
	i.state = lingering
	i.hush()
	i.sp.flag(i)
	i.lingerEnds = instant.After(e.now, i.rule.Linger)
	for _, w := range i.past {
		i.bindWitness(w, 1)
	}
	i.updateHidden(false)
	heap.Push(&e.timers, timer{at: i.lingerEnds, kind: lingerEnd, i: i})
}

// thaw forgets the frozen evidence before the instance is open again, or closed.
func (i *instance) thaw() {
	for _, w := range i.past {
		i.bindWitness(w, -1)
	}
	if i.past != nil {
		i.past = nil
	}
	i.sp.flag(i)
}

// lastEvidence is the evidence at the end of the step before.
func (i *instance) lastEvidence() []witness {
	list := slices.Clone(i.past)
	for _, m := range i.members {
		if m.evidence {
			list = append(list, m.witness())
		}
	}
	sortWitnesses(list)
	return list
}

// dropSupports clears all evidence of an instance that is not open any more.
func (i *instance) dropSupports() {
	for _, m := range i.members {
		if m.evidence {
			i.setEvidence(m, false)
		}
	}
	if i.composite != nil && !i.rule.grounded {
		i.removeSupport(i.composite)
		i.composite.more.supports = false
	}
	if i.footing != nil {
		i.footing.stands = nil
	}
}

// close ends the run of an instance.
func (e *Engine) close(i *instance) {
	lingered := i.state == lingering
	if !lingered {
		if i.composite != nil {
			i.past = i.lastEvidence() // for the report
		}
		i.dropSupports()
	}
	if i.composite != nil {
		i.state = lingering
		v := i.view()
		v.Lingers = time.Time{}
		e.out = append(e.out, Transition{At: instant.Time(e.now), Kind: Close, Alert: i.composite.view(), Composite: v})
		i.composite.more.final = v
		e.leave(i.composite, i.stamp)
		e.atlas.drop(i.composite)
		i.composite = nil
	}
	if i.past != nil && !lingered {
		i.past = nil // bound to no variable
	}
	i.state = closed
	i.thaw()
	if o := i.onsets; o != nil {
		o.whole, o.wasWhole = false, false
	}
	i.updateHidden(true)
}

// rest notes that nothing refers to an instance any more. It is kept for a
// while, because most come back.
func (e *Engine) rest(i *instance) {
	if i.state != closed || len(i.members) > 0 || i.dirty || i.idle {
		return
	}
	i.idle = true
	i.sp.idle++
}

// sweep forgets idle instances when they outnumber the others.
func (sp *space) sweep() {
	const few = 16
	if sp.idle <= few+sp.instances.Len()/2 {
		return
	}
	for i := range sp.instances.All() {
		if i.swept = i.idle; i.swept {
			sp.instances.Remove(i.rule.hash(maphash.String(seed, i.key)), i)
		}
	}
	sp.idle = 0
}
