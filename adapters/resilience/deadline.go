package resilience

import (
	"context"
	"sync"
	"time"
)

// deadlineContext is a context.WithDeadline that is made when somebody waits for
// it: timers are the dearest part of a call, and bases that never block need none.
type deadlineContext struct {
	parent   context.Context
	deadline time.Time // zero for that of the parent

	mu     sync.Mutex      // guards all below
	inner  context.Context // nil until it is needed
	cancel context.CancelFunc
	over   bool
}

// waits returns the context that ends at the deadline.
func (d *deadlineContext) waits() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inner == nil {
		if d.deadline.IsZero() {
			d.inner, d.cancel = context.WithCancel(d.parent)
		} else {
			d.inner, d.cancel = context.WithDeadline(d.parent, d.deadline)
		}
		if d.over {
			d.cancel()
		}
	}
	return d.inner
}

// end frees what waiting has cost; the context is cancelled.
func (d *deadlineContext) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.cancel != nil {
		d.cancel()
	}
}

// made returns the inner context; nil if there is none yet.
func (d *deadlineContext) made() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inner
}

// Deadline returns the earlier deadline.
func (d *deadlineContext) Deadline() (time.Time, bool) {
	if by, ok := d.parent.Deadline(); d.deadline.IsZero() || ok && by.Before(d.deadline) {
		return by, ok
	}
	return d.deadline, true
}

// Done returns a channel that is closed at the deadline, if not before.
func (d *deadlineContext) Done() <-chan struct{} { return d.waits().Done() }

// Err returns why the context has ended.
func (d *deadlineContext) Err() error {
	if inner := d.made(); inner != nil {
		return inner.Err()
	}
	if err := d.parent.Err(); err != nil {
		return err
	}
	if !d.deadline.IsZero() && time.Until(d.deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// Value returns what the parent has, and what package context needs to see its own
// kind of context in this one.
func (d *deadlineContext) Value(key any) any {
	if inner := d.made(); inner != nil {
		return inner.Value(key)
	}
	return d.parent.Value(key)
}
