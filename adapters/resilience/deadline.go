package resilience

import (
	"context"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// deadlineContext is the context of one attempt: what context.WithDeadline gives, but
// part of the exchange, with a timer shared by all and none for bases that never wait,
// with AfterFunc, by which the contexts that are made of it hear of its end with less
// than a map of them, and with the trail of the request in it. Timers, contexts and
// pieces of memory are the dearest parts of a call.
type deadlineContext struct {
	parent   context.Context
	deadline time.Time // zero for that of the parent
	alarms   *alarms   // that know of the deadline; nil without one
	trail    trail

	mu    sync.Mutex    // guards all below
	done  chan struct{} // nil until somebody waits
	err   error         // nil while it runs
	apart func() bool   // from the parent; nil if that never ends
	heard *hearer       // whom to tell, the latest first
	first hearer        // often the only one

	before, after *deadlineContext // of the alarms, which guard them
}

// hearer is somebody who is told of the end.
type hearer struct {
	f    func()
	next *hearer
}

// trail says how far a request came.
type trail struct {
	wanted    bool
	connected atomic.Bool // whether it got a connection
	hooks     httptrace.ClientTrace
}

// follow starts the trail of requests of a context, which may have a trace already.
func (t *trail) follow(ctx context.Context) {
	old := httptrace.ContextClientTrace(ctx)
	if old != nil {
		t.hooks = *old
	}
	t.hooks.GotConn = func(info httptrace.GotConnInfo) {
		t.connected.Store(true)
		if old != nil && old.GotConn != nil {
			old.GotConn(info)
		}
	}
	t.wanted = true
}

// traceKey is by what package httptrace asks a context for its trace. The key is its own,
// so it is learned from a question: a trace that is part of the context is half the
// price of one that is wrapped around it. It is nil if another version of the package
// does not take the answer; then the base wraps its own around each request.
var traceKey = func() any {
	asked := &question{Context: context.Background()}
	if httptrace.ContextClientTrace(asked) != &asked.trace {
		return nil
	}
	return asked.key
}()

// question is a context that remembers what it was asked for.
type question struct {
	context.Context
	key   any
	trace httptrace.ClientTrace
}

// Value returns a trace, whatever it is asked for.
func (q *question) Value(key any) any {
	q.key = key
	return &q.trace
}

// wait starts what ends the context. The caller holds the mutex.
func (d *deadlineContext) wait() {
	if d.done != nil {
		return
	}
	if d.err == nil { // a deadline that has passed rings at once, so no clock is read here
		d.err = d.parent.Err()
	}
	d.done = make(chan struct{})
	if d.err != nil {
		close(d.done)
		return
	}
	if !d.deadline.IsZero() {
		d.alarms.set(d)
	}
	if d.parent.Done() != nil {
		d.apart = context.AfterFunc(d.parent, func() { d.finish(d.parent.Err()) })
	}
}

// look ends a context that nobody waits for, if that is due: who asked once is told the
// same ever after. The caller holds the mutex.
func (d *deadlineContext) look() {
	switch {
	case d.err != nil || d.done != nil:
	case d.parent.Err() != nil:
		d.err = d.parent.Err()
	case !d.deadline.IsZero() && time.Until(d.deadline) <= 0:
		d.err = context.DeadlineExceeded
	}
}

// end frees what waiting has cost; the context is cancelled.
func (d *deadlineContext) end() { d.finish(context.Canceled) }

// finish ends the context, once.
func (d *deadlineContext) finish(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return
	}
	d.err = err
	if d.done == nil {
		return
	}
	close(d.done)
	if !d.deadline.IsZero() {
		d.alarms.clear(d)
	}
	if d.apart != nil {
		d.apart()
	}
	for h := d.heard; h != nil; h = h.next {
		go h.f()
	}
	d.heard = nil
}

// AfterFunc does for this context what context.AfterFunc does; package context asks
// for it.
func (d *deadlineContext) AfterFunc(f func()) (stop func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wait()
	if d.err != nil {
		go f()
		return func() bool { return false }
	}
	own := &d.first
	if own.f != nil {
		own = &hearer{}
	}
	own.f, own.next = f, d.heard
	d.heard = own
	return func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		for at := &d.heard; *at != nil; at = &(*at).next {
			if *at == own {
				*at = own.next
				return true
			}
		}
		return false
	}
}

// Deadline returns the earlier deadline.
func (d *deadlineContext) Deadline() (time.Time, bool) {
	if by, ok := d.parent.Deadline(); d.deadline.IsZero() || ok && by.Before(d.deadline) {
		return by, ok
	}
	return d.deadline, true
}

// Done returns a channel that is closed at the deadline, if not before.
func (d *deadlineContext) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wait()
	return d.done
}

// Err returns why the context has ended.
func (d *deadlineContext) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.look()
	return d.err
}

// Value returns what the parent has, and the trail of the request.
func (d *deadlineContext) Value(key any) any {
	if key == traceKey && d.trail.wanted {
		return &d.trail.hooks
	}
	return d.parent.Value(key)
}
