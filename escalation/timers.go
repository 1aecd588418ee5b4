package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Timers keeps tasks until their instant has come and hands each of them to one
// of any number of workers, also after a crash. A worker claims tasks for the
// length of a lease, does what they are for, and reports; a worker that dies
// holds its tasks only until the lease ends, then another gets them. So a task
// is handled at least once, and the handler makes it exactly once where that
// matters: by completing it in the transaction that writes its effect, or by the
// key, which receivers can tell repetitions by.
//
// Every method is safe for concurrent use. Instants are those of the clock of
// the store, which is one for all workers: never compare them with a clock of
// your own, but with [Lease.At]. Package timertest tests an implementation.
type Timers interface {
	// Schedule stores tasks. A task whose tenant and key are known already, in
	// whatever state, is left as it is. One that is not valid is an error, and
	// then none is stored.
	Schedule(ctx context.Context, tasks ...Task) error

	// Cancel withdraws a task. It reports whether it won: the task was waiting
	// and nobody will get it. A task that a worker holds is lost to the
	// cancellation, since it may be happening now, but no other worker will get
	// it any more. Cancelling what is not there, done, dead or cancelled changes
	// nothing and is lost too.
	Cancel(ctx context.Context, tenant, key string) (won bool, err error)

	// Claim leases up to n tasks that are due, of all tenants, those that have
	// waited longest; they are returned by due instant, then by arrival. Nobody
	// else gets them until the lease ends. No task is given out before it is due.
	// It is an error if n or lease is not above 0.
	Claim(ctx context.Context, n int, lease time.Duration) ([]Lease, error)

	// Renew makes leases last until now + lease and returns those that are lost.
	Renew(ctx context.Context, lease time.Duration, held ...Lease) (lost []Lease, err error)

	// Complete reports tasks as done and returns the leases that were lost, whose
	// tasks are unchanged. A task that was cancelled while the worker held it
	// becomes done: it did happen.
	Complete(ctx context.Context, held ...Lease) (lost []Lease, err error)

	// Retry gives a task back, to be claimed again from the instant at. The reason
	// stays with it; a store may replace in it NUL and what is not UTF-8. The error
	// is ErrLeaseLost if the lease was lost.
	Retry(ctx context.Context, held Lease, at time.Time, reason string) error

	// Dead gives up on a task: it is kept with the reason, for a person, and not
	// claimed again. The error is ErrLeaseLost if the lease was lost.
	Dead(ctx context.Context, held Lease, reason string) error

	// NextWake returns how long it is until the next task can be claimed; zero or
	// less if one can be now, and then how long it has been so. ok is false while
	// nothing waits. A value that falls far below zero means that no worker does
	// its work.
	NextWake(ctx context.Context) (in time.Duration, ok bool, err error)

	// Count counts the tasks of a tenant by state.
	Count(ctx context.Context, tenant string) (TaskCounts, error)

	// List returns the tasks that match, by key.
	List(ctx context.Context, filter TaskFilter) ([]StoredTask, error)

	// Requeue lets a dead task be claimed again from the instant at, its attempts
	// counted anew. The error is ErrUnknownTask or, for a task that is not dead,
	// ErrNotPossible.
	Requeue(ctx context.Context, tenant, key string, at time.Time) error

	// Prune forgets up to n tasks of all tenants that were done or cancelled
	// longer than keep ago and returns their number. Their keys can then be
	// scheduled again. Dead tasks are kept.
	Prune(ctx context.Context, keep time.Duration, n int) (int, error)
}

// ErrLeaseLost means that a lease ended and somebody else took the task, or that
// the task was cancelled or finished: the report came too late and changed
// nothing.
var ErrLeaseLost = errors.New("escalation: the lease on the task was lost")

// ErrUnknownTask means that there is no task under this tenant and key.
var ErrUnknownTask = errors.New("escalation: unknown task")

// Task is something to be done once, not before an instant: a level to be looked
// at, a message to be sent.
type Task struct {
	// Tenant and Key identify the task; both are required. The key says what it is
	// for, as [Action.Key] does.
	Tenant string `json:"tenant"`
	Key    string `json:"key"`

	// Kind tells the worker what to do, such as "set_timer" or "page".
	Kind string `json:"kind"`

	// Due is the instant before which the task is not handed out; required. It is
	// kept to the nanosecond or rounded up.
	Due time.Time `json:"due"`

	// Payload is for the worker: valid JSON, and null if empty.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Task returns what keeps an action: a timer that is to be set, due at a.Due, or
// a page or notice to be sent, due when it was decided. Its payload is the action
// as JSON.
func (a Action) Task(tenant string) (Task, error) {
	payload, err := json.Marshal(a)
	if err != nil {
		return Task{}, fmt.Errorf("escalation: action %q: %w", a.Key, err)
	}
	due := a.At
	if a.Kind == SetTimer {
		due = a.Due
	}
	return Task{Tenant: tenant, Key: a.Key, Kind: a.Kind.String(), Due: due, Payload: payload}, nil
}

// Validate reports what keeps the task from being stored, as joined
// [*ConfigError]s.
func (t Task) Validate() error {
	p := newProblems().at("task")
	for _, part := range []struct {
		name, text string
		empty      bool
	}{{"tenant", t.Tenant, false}, {"key", t.Key, false}, {"kind", t.Kind, true}} {
		if part.text == "" && !part.empty || !utf8.ValidString(part.text) || strings.ContainsRune(part.text, 0) {
			p.at("%s", part.name).add(part.text, "text in UTF-8 without NUL, not empty where it is required")
		}
	}
	if !storable(t.Due) {
		p.at("due").add(t.Due.String(), wantInstant)
	}
	if len(t.Payload) > 0 && (!json.Valid(t.Payload) || !utf8.Valid(t.Payload)) {
		p.at("payload").add(string(t.Payload), "valid JSON in UTF-8")
	}
	return p.err()
}

const wantInstant = "an instant from 1678 to 2262, as nanoseconds since 1970 hold it"

// storable reports whether an instant fits into the int64 nanoseconds of a store.
func storable(t time.Time) bool {
	return !t.IsZero() && !t.Before(time.Unix(0, math.MinInt64)) && !t.After(time.Unix(0, math.MaxInt64))
}

// Lease is a task that a worker holds.
type Lease struct {
	Task

	// Token tells this lease from all others of the task. It grows with each, so a
	// receiver can refuse a worker that has slept through the end of its lease.
	Token int64 `json:"token"`

	// Attempt is 1 for the first worker that gets the task, counted anew after
	// [Timers.Requeue]. A worker that died has used one up.
	Attempt int `json:"attempt"`

	// At is the instant of the claim by the clock of the store, never before Due.
	// It is what [Engine.Step] is to be called with.
	At time.Time `json:"at"`
}

// TaskState is where a task is. The zero value is not set.
type TaskState uint8

// The states of a task.
const (
	TaskPending   TaskState = iota + 1 // waits for its instant or for a worker
	TaskLeased                         // a worker has it, or had it when it died
	TaskDone                           // handled
	TaskCancelled                      // withdrawn
	TaskDead                           // given up, waits for a person
)

var taskStateNames = names{"", "pending", "leased", "done", "cancelled", "dead"}

// String returns the name, such as "pending", and "unset" for the zero value.
func (s TaskState) String() string { return taskStateNames.text(uint8(s), "TaskState") }

// MarshalText writes the name, and empty text for the zero value.
func (s TaskState) MarshalText() ([]byte, error) { return taskStateNames.marshal(uint8(s), "state") }

// UnmarshalText reads a name in any case; empty text is the zero value.
func (s *TaskState) UnmarshalText(text []byte) error {
	value, err := taskStateNames.parse(string(text), "state")
	if err != nil {
		return err
	}
	*s = TaskState(value)
	return nil
}

// StoredTask is a task as its store sees it.
type StoredTask struct {
	Task

	State   TaskState `json:"state"`
	Attempt int       `json:"attempt"` // how many workers have got it; see [Lease]

	// Wake is when it can be claimed: for a leased task the end of the lease. It is
	// zero for a task that will not be claimed.
	Wake time.Time `json:"wake,omitzero"`

	// Ended is when it was done, cancelled or given up; zero before.
	Ended time.Time `json:"ended,omitzero"`

	// Reason is that of the last retry or of giving up.
	Reason string `json:"reason,omitempty"`
}

// TaskCounts is how many tasks of a tenant are in each state.
type TaskCounts struct {
	Pending   int `json:"pending"`
	Leased    int `json:"leased"`
	Done      int `json:"done"`
	Cancelled int `json:"cancelled"`
	Dead      int `json:"dead"`

	// Oldest is the earliest due instant of those that are pending or leased; zero
	// if there are none.
	Oldest time.Time `json:"oldest,omitzero"`
}

// TaskFilter chooses tasks.
type TaskFilter struct {
	Tenant string    // required
	State  TaskState // the zero value matches all
	After  string    // only keys above this one: the last of the page before
	Limit  int       // at most so many; 0 means 100
}

// CheckClaim returns the error of [Timers.Claim] for its arguments, for
// implementations.
func CheckClaim(n int, lease time.Duration) error {
	if n < 1 || lease <= 0 {
		return fmt.Errorf("escalation: claim %d tasks for %v: want 1 or more for more than 0", n, lease)
	}
	return nil
}
