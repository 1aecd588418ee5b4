package correlation

import (
	"slices"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// finish ends a step. Instances open and close first, rank by rank, with those
// whose linger is over; then it is settled what is hidden and who is told.
func (e *Engine) finish() {
	start := len(e.out)
	for start > len(e.given) && instant.Of(e.out[start-1].At) == e.now { // late events of this step
		start--
	}
	for _, t := range e.orphans {
		t.At = instant.Time(e.now)
		t.Alert.Labels = slices.Clone(t.Alert.Labels) // those of the composite: Refill writes over what it told
		e.out = append(e.out, t)
	}
	e.orphans = nil
	slices.SortFunc(e.ended, compareInstances)
	for rank := range e.dirty {
		e.evaluate(rank)
		for _, i := range e.ended {
			if i.rule.rank == rank && i.state == lingering && i.lingerEnds <= e.now {
				i.stamp = i.lingerEnds
				e.close(i)
				e.rest(i)
			}
		}
	}
	clear(e.ended)
	e.ended = e.ended[:0]
	for _, sp := range e.hot {
		sp.ground()
		e.out = slices.Grow(e.out, len(sp.touched))
		for _, a := range sp.touched {
			a.touched = false
			e.notify(a)
		}
		clear(sp.touched)
		sp.touched = sp.touched[:0]
		sp.hot = false
		sp.sweep()
		if sp.alerts.Len() == 0 && sp.instances.Len() == sp.idle && len(sp.silences) == 0 {
			delete(e.spaces, sp.tenant)
		}
	}
	clear(e.hot)
	e.hot = e.hot[:0]
	e.sortTransitions(e.out[start:])
}

// notify reports what changed for one alert in this step.
func (e *Engine) notify(a *alert) {
	hidden := a.isHidden()
	if hidden && a.sp.strict {
		for i := range a.covering() {
			if i.life != nil && !i.isMute() {
				i.life.suppressed[a.text()] = true
			}
		}
	}
	if hidden != a.suppressed {
		a.suppressed = hidden
		switch {
		case hidden:
			e.stats.Suppressed++
			e.report(Suppress, a)
		default:
			e.stats.Suppressed--
			if a.active {
				e.report(Release, a)
			}
		}
	}
	if !a.active {
		if a.notified {
			e.report(Resolve, a)
			a.notified = false
		}
		return
	}
	if hidden || a.notified {
		return
	}
	if due := e.settleTime(a); due > e.now {
		if !a.settling {
			a.settling = true
			heap.Push(&e.timers, timer{at: due, kind: settled, a: a})
		}
		return
	}
	a.notified = true
	if !a.paged && a.of() == nil {
		a.paged = true
		e.stats.Notified++
	}
	e.report(Notify, a)
}

// settleTime is the earliest instant for the notification of an alert.
func (e *Engine) settleTime(a *alert) int64 {
	if a.of() != nil {
		return instant.After(a.since, e.opts.CompositeSettle)
	}
	return instant.After(a.since, e.opts.Settle)
}

// report adds a transition of an alert as it stands.
func (e *Engine) report(k Kind, a *alert) {
	var room Labels
	if n := len(e.out); e.refill && n < cap(e.out) {
		room = e.out[:n+1][n].Alert.Labels
	}
	e.out = append(e.out, Transition{})
	t := &e.out[len(e.out)-1] // large: written where it stays
	t.At, t.Kind, t.Alert.Labels = instant.Time(e.now), k, room
	a.show(&t.Alert)
	if a.of() != nil && (k == Open || k == Notify || k == Resolve) {
		if t.Composite = a.more.final; t.Composite == nil {
			t.Composite = a.more.of.view()
		}
	}
}
