package correlation

import (
	"cmp"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

type timerKind uint8

const (
	expiry    timerKind = iota // an alert reaches its end
	forget                     // an ended alert is not remembered any longer
	settled                    // an alert may be notified
	lingerEnd                  // an instance closes
)

// timer is an appointment to look at something; whether it is still due is
// decided when it comes up.
type timer struct {
	at   int64
	kind timerKind
	a    *alert
	i    *instance
}

// Before orders by time.
func (t timer) Before(o timer) bool { return t.at < o.at }

// nextDue returns the earliest appointment.
func (e *Engine) nextDue() (int64, bool) {
	due, ok := e.edge, e.edge > 0 && e.edge < never
	if len(e.timers) > 0 && (!ok || e.timers[0].at < due) {
		due, ok = e.timers[0].at, true
	}
	if len(e.held) > 0 {
		if d := e.held[0].due(e.opts.Reorder); !ok || d < due {
			due, ok = d, true
		}
	}
	return due, ok
}

// runTimers keeps all appointments up to now. Instances whose linger ends are
// only listed: they come after the events of the step.
func (e *Engine) runTimers() {
	for len(e.timers) > 0 && e.timers[0].at <= e.now {
		switch t := heap.Pop(&e.timers); t.kind {
		case expiry:
			e.expire(t.a, t.at)
		case forget:
			e.forget(t.a)
		case settled:
			t.a.settling = false
			if t.a.active {
				e.heat(t.a.sp)
				t.a.sp.touch(t.a)
			}
		case lingerEnd:
			if t.i.state == lingering {
				e.heat(t.i.sp)
				e.ended = append(e.ended, t.i)
			}
		}
	}
}

// expire ends an alert whose time is over, or waits for its new end.
func (e *Engine) expire(a *alert, at int64) {
	if a.expiryAt != at {
		return // an earlier one took its place
	}
	a.expiryAt = 0
	switch {
	case !a.active || a.ends == 0:
	case a.ends <= e.now:
		e.heat(a.sp)
		e.deactivate(a, a.ends)
	default: // it was refreshed
		a.expiryAt = a.ends
		heap.Push(&e.timers, timer{at: a.ends, kind: expiry, a: a})
	}
}

// forget drops an ended alert whose retention is over.
func (e *Engine) forget(a *alert) {
	a.leaving = false
	if a.active {
		return
	}
	if due := instant.After(a.ended, e.opts.Retention); due > e.now {
		a.leaving = true
		heap.Push(&e.timers, timer{at: due, kind: forget, a: a})
		return
	}
	e.heat(a.sp)
	a.sp.alerts.Remove(a.hash(), a)
	e.atlas.drop(a)
}

// heldEvent waits until the reorder window has passed its time.
type heldEvent struct {
	Event
	n uint64 // order of arrival
}

// due is when the event is applied.
func (h heldEvent) due(window time.Duration) int64 {
	return instant.After(instant.Of(h.Time), window)
}

// Before orders by time, then order of arrival.
func (h heldEvent) Before(o heldEvent) bool {
	return cmp.Or(h.Time.Compare(o.Time), cmp.Compare(h.n, o.n)) < 0
}
