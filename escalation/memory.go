package escalation

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// MemoryTimers keeps tasks in memory, for tests, simulations and programs that
// lose nothing by forgetting them. It is safe for concurrent use.
//
// Claiming, cancelling and completing cost the logarithm of the number of tasks,
// the reading methods and Prune a look at all of them.
type MemoryTimers struct {
	now       func() time.Time
	scheduled chan struct{}

	mu    sync.Mutex
	tasks map[taskID]*memoryTask
	wakes memoryWakes // of the tasks that can be claimed
	seq   int
}

var _ Timers = (*MemoryTimers)(nil)

type taskID struct{ tenant, key string }

type memoryTask struct {
	StoredTask
	token int64
	seq   int // order of arrival
	index int // in the queue; -1 outside
}

// NewMemoryTimers returns an empty store whose clock is now, which has to be safe
// for concurrent use if the store is to be.
func NewMemoryTimers(now func() time.Time) *MemoryTimers {
	return &MemoryTimers{now: now, scheduled: make(chan struct{}, 1), tasks: map[taskID]*memoryTask{}}
}

// Scheduled receives after tasks were scheduled, so that a worker can look for an
// earlier one.
func (m *MemoryTimers) Scheduled() <-chan struct{} { return m.scheduled }

func (m *MemoryTimers) nudge() {
	select {
	case m.scheduled <- struct{}{}:
	default: // one is waiting to be seen
	}
}

// Schedule stores tasks, as [Timers] says.
func (m *MemoryTimers) Schedule(_ context.Context, tasks ...Task) error {
	for _, t := range tasks {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range tasks {
		id := taskID{t.Tenant, t.Key}
		if m.tasks[id] != nil {
			continue
		}
		t.Due = t.Due.Round(0).UTC()
		if t.Payload = bytes.Clone(t.Payload); len(t.Payload) == 0 {
			t.Payload = json.RawMessage("null")
		}
		m.seq++
		stored := &memoryTask{StoredTask: StoredTask{Task: t, State: TaskPending}, seq: m.seq, index: -1}
		m.tasks[id] = stored
		m.wake(stored, t.Due)
	}
	m.nudge()
	return nil
}

// Cancel withdraws a task, as [Timers] says.
func (m *MemoryTimers) Cancel(_ context.Context, tenant, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tasks[taskID{tenant, key}]
	if t == nil || t.State != TaskPending && t.State != TaskLeased {
		return false, nil
	}
	won := t.State == TaskPending
	if won {
		t.token++ // a lease that was given back must not complete it
	}
	m.end(t, TaskCancelled, "")
	return won, nil
}

// Claim leases tasks, as [Timers] says.
func (m *MemoryTimers) Claim(_ context.Context, n int, lease time.Duration) ([]Lease, error) {
	if err := CheckClaim(n, lease); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	var claimed []*memoryTask
	for len(claimed) < n && len(m.wakes) > 0 && !m.wakes[0].Wake.After(now) {
		claimed = append(claimed, heap.Pop(&m.wakes).(*memoryTask))
	}
	slices.SortFunc(claimed, func(a, b *memoryTask) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.seq, b.seq)) })
	leases := make([]Lease, len(claimed))
	for i, t := range claimed {
		t.State = TaskLeased
		t.token++
		t.Attempt++
		m.wake(t, now.Add(lease))
		leases[i] = Lease{Task: t.Task, Token: t.token, Attempt: t.Attempt, At: now}
		leases[i].Payload = bytes.Clone(t.Payload)
	}
	return leases, nil
}

// Renew makes leases longer, as [Timers] says.
func (m *MemoryTimers) Renew(_ context.Context, lease time.Duration, held ...Lease) ([]Lease, error) {
	if err := CheckClaim(1, lease); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	until := m.clock().Add(lease)
	return m.each(held, func(t *memoryTask) bool {
		if t.State == TaskLeased {
			m.wake(t, until)
		}
		return t.State == TaskLeased
	}), nil
}

// Complete reports tasks as done, as [Timers] says.
func (m *MemoryTimers) Complete(_ context.Context, held ...Lease) ([]Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.each(held, func(t *memoryTask) bool {
		ok := t.State == TaskLeased || t.State == TaskCancelled
		if ok {
			m.end(t, TaskDone, t.Reason)
		}
		return ok
	}), nil
}

// Retry gives a task back, as [Timers] says.
func (m *MemoryTimers) Retry(_ context.Context, held Lease, at time.Time, reason string) error {
	if !storable(at) {
		return &ConfigError{Path: "at", Value: at.String(), Want: wantInstant}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.one(held, func(t *memoryTask) {
		t.State, t.Reason = TaskPending, reason
		m.wake(t, at.Round(0).UTC())
	})
}

// Dead gives up on a task, as [Timers] says.
func (m *MemoryTimers) Dead(_ context.Context, held Lease, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.one(held, func(t *memoryTask) { m.end(t, TaskDead, reason) })
}

// NextWake returns when a task can be claimed, as [Timers] says.
func (m *MemoryTimers) NextWake(context.Context) (time.Duration, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.wakes) == 0 {
		return 0, false, nil
	}
	return m.wakes[0].Wake.Sub(m.clock()), true, nil
}

// Count counts tasks, as [Timers] says.
func (m *MemoryTimers) Count(_ context.Context, tenant string) (TaskCounts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c TaskCounts
	for id, t := range m.tasks {
		if id.tenant != tenant {
			continue
		}
		switch t.State {
		case TaskPending:
			c.Pending++
		case TaskLeased:
			c.Leased++
		case TaskDone:
			c.Done++
		case TaskCancelled:
			c.Cancelled++
		case TaskDead:
			c.Dead++
		}
		if !t.Wake.IsZero() && (c.Oldest.IsZero() || t.Due.Before(c.Oldest)) {
			c.Oldest = t.Due
		}
	}
	return c, nil
}

// List returns tasks by key, as [Timers] says.
func (m *MemoryTimers) List(_ context.Context, f TaskFilter) ([]StoredTask, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []StoredTask
	for id, t := range m.tasks {
		if id.tenant == f.Tenant && id.key > f.After && (f.State == 0 || t.State == f.State) {
			stored := t.StoredTask
			stored.Payload = bytes.Clone(t.Payload)
			out = append(out, stored)
		}
	}
	slices.SortFunc(out, func(a, b StoredTask) int { return strings.Compare(a.Key, b.Key) })
	return out[:min(len(out), cmp.Or(max(f.Limit, 0), 100))], nil
}

// Requeue revives a dead task, as [Timers] says.
func (m *MemoryTimers) Requeue(_ context.Context, tenant, key string, at time.Time) error {
	if !storable(at) {
		return &ConfigError{Path: "at", Value: at.String(), Want: wantInstant}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tasks[taskID{tenant, key}]
	switch {
	case t == nil:
		return fmt.Errorf("requeue %q: %w", key, ErrUnknownTask)
	case t.State != TaskDead:
		return fmt.Errorf("requeue %q: %w", key, ErrNotPossible)
	}
	t.State, t.Attempt, t.Ended = TaskPending, 0, time.Time{}
	m.wake(t, at.Round(0).UTC())
	m.nudge()
	return nil
}

// Prune forgets tasks, as [Timers] says.
func (m *MemoryTimers) Prune(_ context.Context, keep time.Duration, n int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, gone := m.clock().Add(-keep), 0
	for id, t := range m.tasks {
		if gone < n && (t.State == TaskDone || t.State == TaskCancelled) && t.Ended.Before(before) {
			delete(m.tasks, id)
			gone++
		}
	}
	return gone, nil
}

func (m *MemoryTimers) clock() time.Time { return m.now().Round(0).UTC() }

// held finds the task of a lease that nobody else has got since.
func (m *MemoryTimers) held(l Lease) *memoryTask {
	if t := m.tasks[taskID{l.Tenant, l.Key}]; t != nil && t.token == l.Token {
		return t
	}
	return nil
}

// each reports on leases and returns those for which do finds the task too late.
func (m *MemoryTimers) each(held []Lease, do func(*memoryTask) bool) (lost []Lease) {
	for _, l := range held {
		if t := m.held(l); t == nil || !do(t) {
			lost = append(lost, l)
		}
	}
	return lost
}

func (m *MemoryTimers) one(l Lease, do func(*memoryTask)) error {
	t := m.held(l)
	if t == nil || t.State != TaskLeased {
		return fmt.Errorf("task %q, attempt %d: %w", l.Key, l.Attempt, ErrLeaseLost)
	}
	do(t)
	return nil
}

// wake puts a task into the queue, or moves it.
func (m *MemoryTimers) wake(t *memoryTask, at time.Time) {
	t.Wake = at
	if t.index < 0 {
		heap.Push(&m.wakes, t)
	} else {
		heap.Fix(&m.wakes, t.index)
	}
}

// end takes a task out of the queue.
func (m *MemoryTimers) end(t *memoryTask, s TaskState, reason string) {
	t.State, t.Wake, t.Ended, t.Reason = s, time.Time{}, m.clock(), reason
	if t.index >= 0 {
		heap.Remove(&m.wakes, t.index)
	}
}

// memoryWakes is a heap of tasks by the instant at which they can be claimed.
type memoryWakes []*memoryTask

// Len returns the number of tasks that can be claimed at some time.
func (w memoryWakes) Len() int { return len(w) }

// Less orders by that instant, then by arrival.
func (w memoryWakes) Less(i, j int) bool {
	return cmp.Or(w[i].Wake.Compare(w[j].Wake), cmp.Compare(w[i].seq, w[j].seq)) < 0
}

// Swap exchanges two tasks and notes their places.
func (w memoryWakes) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

// Push appends a task; for package heap.
func (w *memoryWakes) Push(x any) {
	t := x.(*memoryTask)
	t.index = len(*w)
	*w = append(*w, t)
}

// Pop removes the last task; for package heap.
func (w *memoryWakes) Pop() any {
	last := len(*w) - 1
	t := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	t.index = -1
	return t
}
