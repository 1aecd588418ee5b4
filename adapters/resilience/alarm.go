package resilience

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// alarms end the attempts of a transport at their deadlines, with one timer for all.
// Nearly all attempts end long before, and most deadlines come in the order in which
// they were set, so setting and clearing one is a link in a list. Those that do not are
// of repeats late in a call, which come in an order of their own, so their places are
// looked for from where the last of them was. The timer is not moved when the first is
// cleared: it rings early then, and is set again for whoever is first by that time.
type alarms struct {
	mu          sync.Mutex       // guards all below, and the links of the contexts
	first, last *deadlineContext // by deadline
	near        *deadlineContext // where one was put last that did not go to the end; nil for nowhere
	timer       *time.Timer      // nil before the first use
	rings       time.Time        // zero while the timer is not set
}

func (a *alarms) set(d *deadlineContext) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d.before = a.last
	if a.near != nil && a.near != a.last && a.last.deadline.After(d.deadline) {
		for d.before = a.near; !d.before.after.deadline.After(d.deadline); { // the last one ends it
			d.before = d.before.after
		}
	}
	for d.before != nil && d.before.deadline.After(d.deadline) {
		d.before = d.before.before
	}
	if d.before == nil {
		d.after, a.first = a.first, d
	} else {
		d.after, d.before.after = d.before.after, d
	}
	if d.after == nil {
		a.last = d
	} else {
		d.after.before, a.near = d, d
	}
	if a.rings.IsZero() || d.deadline.Before(a.rings) {
		a.arm()
	}
}

// clear forgets a context; none that is not set is an error.
func (a *alarms) clear(d *deadlineContext) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.has(d) {
		a.remove(d)
	}
}

func (a *alarms) has(d *deadlineContext) bool { return a.first == d || d.before != nil }

func (a *alarms) remove(d *deadlineContext) {
	if a.near == d {
		a.near = cmp.Or(d.before, d.after)
	}
	if d.before == nil {
		a.first = d.after
	} else {
		d.before.after = d.after
	}
	if d.after == nil {
		a.last = d.before
	} else {
		d.after.before = d.before
	}
	d.before, d.after = nil, nil
}

// arm sets the timer to the first deadline.
func (a *alarms) arm() {
	a.rings = a.first.deadline
	left := time.Until(a.rings)
	if a.timer == nil {
		a.timer = time.AfterFunc(left, a.ring)
	} else {
		a.timer.Reset(left)
	}
}

// ring ends all whose deadline has passed.
func (a *alarms) ring() {
	a.mu.Lock()
	var due []*deadlineContext
	for now := time.Now(); a.first != nil && !a.first.deadline.After(now); {
		due = append(due, a.first)
		a.remove(a.first)
	}
	a.rings = time.Time{}
	if a.first != nil {
		a.arm()
	}
	a.mu.Unlock()
	for _, d := range due { // outside of the lock, which those who end take too
		d.finish(context.DeadlineExceeded)
	}
}
