package escalation

import (
	"cmp"
	"container/heap"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Config is what an [Engine] needs.
type Config struct {
	// Tenant is the first part of every key. Defaults to "default".
	Tenant string

	// Router answers who is to be paged, at the instant of each page. Required.
	Router *Router

	// Matrix says when an incident goes up. Defaults to DefaultMatrix. An
	// incident keeps the matrix with which its round began, also over a restore
	// with another one; with Live set it follows the present one from its next
	// event on.
	Matrix Matrix
	Live   bool

	// Policies are further matrices by name, see [Event.Policy].
	Policies map[string]Matrix

	// TightenFirst brings the steps that an acknowledgement stops forward to
	// [Event.RespondBy] where they are due later.
	TightenFirst bool

	// Maintenance holds pages back.
	Maintenance []Maintenance

	// Bundle is how long after the opening of an incident others of the same
	// service, no more severe, are taken to be the same trouble: they are on
	// record and page nobody while it is open. Defaults to 0, none.
	Bundle time.Duration

	// PageLimit turns pages of a person above a number in a time into notices; not
	// those of a P1 or of the last resort. Defaults to no limit.
	PageLimit PageLimit

	// DefaultSeverity is the severity of an incident that is opened without one. Defaults
	// to none: such an event is refused.
	DefaultSeverity incident.Severity
}

// Engine turns events and the passing of time into actions: who is to be paged
// when an incident is opened, who next when a level is due, which timers are to
// be kept. It reads no clock and does nothing itself; the same events and steps
// give the same actions.
//
// One engine serves one tenant. It is not safe for concurrent use.
type Engine struct {
	tenant  string
	router  *Router
	current map[string]*book // by name of policy; "" is the matrix
	live    bool
	unset   incident.Severity
	tighten bool
	limit   PageLimit
	bundle  time.Duration
	quiet   []Maintenance

	records map[string]*record
	loads   map[string]Load        // by person
	pages   map[string][]time.Time // by person, as far back as the limit looks
	books   map[string]*book       // by digest; those of earlier rounds too
	turns   map[string]int         // of steps that go round robin
	leaders map[string]string      // the incident that others of its service are bundled under
	wakes   wakes
}

// NewEngine checks the configuration. The problems are joined [*ConfigError]s.
func NewEngine(c Config) (*Engine, error) {
	p := newProblems()
	if c.Router == nil {
		p.at("router").add("", "a router")
	}
	if c.Matrix == nil {
		c.Matrix = DefaultMatrix()
	}
	zs := zones{}
	current := map[string]*book{"": c.Matrix.compile(c.Router, zs, p.at("matrix"))}
	for _, name := range slices.Sorted(maps.Keys(c.Policies)) {
		q := p.at("policies[%q]", name)
		if name == "" {
			q.add("", "a name")
		}
		current[name] = c.Policies[name].compile(c.Router, zs, q)
	}
	if c.DefaultSeverity != 0 && !c.DefaultSeverity.IsSet() {
		p.at("default_severity").add(c.DefaultSeverity.String(), "P1 to P4")
	}
	for i, m := range c.Maintenance {
		m.check(p.at("maintenance[%d]", i))
	}
	c.PageLimit.check(p.at("page_limit"))
	if c.Bundle < 0 {
		p.at("bundle").add(c.Bundle.String(), "0 or more")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	e := &Engine{
		tenant: cmp.Or(c.Tenant, "default"), router: c.Router, current: current, live: c.Live, unset: c.DefaultSeverity,
		tighten: c.TightenFirst, limit: c.PageLimit, bundle: c.Bundle, quiet: slices.Clone(c.Maintenance),
		records: map[string]*record{}, loads: map[string]Load{}, pages: map[string][]time.Time{},
		books: map[string]*book{}, turns: map[string]int{}, leaders: map[string]string{},
	}
	for _, b := range current {
		e.books[b.name] = b
	}
	return e, nil
}

// Apply takes an event and returns what follows from it at once; levels that
// become overdue by it fire at the next [Engine.Step]. The error is an
// [*EventError]; the state is then unchanged.
//
// Events may arrive late, twice and in any order. Acknowledging, giving up, resolving
// and reopening count from their instants: once all have arrived, the incident stands
// as if they had come in order. One that changes nothing by that order, such as an
// acknowledgement of what was over, is no error and is kept, since a reopening before
// it may be on its way; the timeline says so. What was done before a late event was
// known stays done: pages that are out stay out. Of more than 16 events of one kind in
// a row those in the middle are forgotten. What happened at the very instant at which
// a level is due is in time.
func (e *Engine) Apply(event Event) ([]Action, error) {
	r := e.records[event.Incident]
	var actions []Action
	var err error
	switch {
	case event.Kind == 0 || int(event.Kind) >= len(eventNames) || event.At.IsZero() || event.Incident == "",
		event.Kind == Opened && event.Domain == "", event.Kind == Snoozed && event.Until.IsZero():
		err = ErrIncomplete
	case event.Kind == Opened:
		actions, err = e.open(r, event)
	case r == nil:
		err = ErrUnknownIncident
	default:
		actions, err = e.change(r, event)
	}
	if err != nil {
		return nil, &EventError{Event: event, Err: err}
	}
	return actions, nil
}

// Step fires the levels that are due at the given instant, in order of their
// due instants and of the incidents. Of several levels of one incident that are
// overdue, after a long outage or a raised severity, only the highest pages.
func (e *Engine) Step(at time.Time) []Action {
	var actions []Action
	for {
		due, ok := e.NextWake()
		if !ok || due.After(at) {
			return actions
		}
		r := heap.Pop(&e.wakes).(wake).record
		actions = append(actions, e.fire(r, at)...)
	}
}

// NextWake returns the earliest instant at which a level is due; ok is false
// while none is. It may lie in the past.
func (e *Engine) NextWake() (at time.Time, ok bool) {
	for len(e.wakes) > 0 {
		top := e.wakes[0]
		if e.records[top.record.ID] == top.record && top.record.next.Equal(top.due) {
			return top.due, true
		}
		heap.Pop(&e.wakes)
	}
	return time.Time{}, false
}

// Replay runs through virtual time: it applies the events up to and including
// until in order of their instants and steps at every instant at which a level
// is due. Later events are left out. Events that are refused do not stop it;
// their errors are joined.
func (e *Engine) Replay(events []Event, until time.Time) ([]Action, error) {
	ordered := slices.Clone(events)
	slices.SortStableFunc(ordered, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind))
	})
	var actions []Action
	var problems []error
	for i, event := range ordered {
		if event.At.After(until) {
			break
		}
		actions = append(actions, e.run(event.At.Add(-1))...)
		done, err := e.Apply(event)
		if err != nil {
			problems = append(problems, err)
		}
		actions = append(actions, done...)
		if last := i+1 == len(ordered) || ordered[i+1].At.After(event.At); last {
			actions = append(actions, e.Step(event.At)...)
		}
	}
	return append(actions, e.run(until)...), errors.Join(problems...)
}

// run steps from wake to wake.
func (e *Engine) run(until time.Time) []Action {
	var actions []Action
	for {
		due, ok := e.NextWake()
		if !ok || due.After(until) {
			return actions
		}
		actions = append(actions, e.Step(due)...)
	}
}

// Timer is an instant at which [Engine.Step] is to be called.
type Timer struct {
	Key      string    `json:"key"`
	Due      time.Time `json:"due"`
	Incident string    `json:"incident"`
	Kind     TimerKind `json:"kind,omitzero"`
	Level    int       `json:"level,omitzero"` // for LevelDue
}

// TimerKind is what a timer is for.
type TimerKind uint8

// The kinds of timer. Of those due at the same instant the others come before
// levels.
const (
	LevelDue       TimerKind = iota // a level of the escalation
	AckLapses                       // the acknowledgement has timed out
	SnoozeEnds                      // an incident was put off until now
	QuietEnds                       // maintenance is over and the first page goes out
	ResponseAtRisk                  // half of the time to respond is gone
	ResponseMissed                  // all of it
	Repages                         // the one who acknowledged is paged again
)

var timerNames = names{"level_due", "ack_lapses", "snooze_ends", "quiet_ends", "response_at_risk", "response_missed", "repage"}

// String returns the name, such as "level_due".
func (k TimerKind) String() string { return timerNames.text(uint8(k), "TimerKind") }

// MarshalText writes the name.
func (k TimerKind) MarshalText() ([]byte, error) { return timerNames.marshal(uint8(k), "kind") }

// UnmarshalText reads a name in any case.
func (k *TimerKind) UnmarshalText(text []byte) error {
	value, err := timerNames.parse(string(text), "kind")
	if err != nil {
		return err
	}
	*k = TimerKind(value)
	return nil
}

// Timers returns all timers that a store should hold, by due instant and key:
// what is left of SetTimer after CancelTimer and firing.
func (e *Engine) Timers() []Timer {
	var out []Timer
	for _, id := range e.ids() {
		out = append(out, e.records[id].Timers...)
	}
	slices.SortFunc(out, func(a, b Timer) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Key, b.Key))
	})
	return out
}

// Prune forgets the incidents that were resolved or merged before the given
// instant and returns their number.
func (e *Engine) Prune(before time.Time) int {
	n := 0
	for _, id := range e.ids() {
		if r := e.records[id]; !r.isOpen() && r.Closed.Before(before) {
			delete(e.records, id)
			if e.leaders[r.Service] == id {
				delete(e.leaders, r.Service)
			}
			n++
		}
	}
	return n
}

func (e *Engine) ids() []string { return slices.Sorted(maps.Keys(e.records)) }

// wake is an entry of the queue; it counts while it agrees with the record.
type wake struct {
	due    time.Time
	record *record
}

// wakes is a heap for package container/heap: by due instant, then by incident.
type wakes []wake

// Len returns the number of entries.
func (w wakes) Len() int { return len(w) }

// Less orders by due instant, then by the id of the incident.
func (w wakes) Less(i, j int) bool {
	return cmp.Or(w[i].due.Compare(w[j].due), strings.Compare(w[i].record.ID, w[j].record.ID)) < 0
}

// Swap exchanges two entries.
func (w wakes) Swap(i, j int) { w[i], w[j] = w[j], w[i] }

func (w *wakes) add(x wake) { heap.Push(w, x) }

// Push appends an entry; see add.
func (w *wakes) Push(x any) { *w = append(*w, x.(wake)) }

// Pop removes the last entry.
func (w *wakes) Pop() any {
	last := len(*w) - 1
	top := (*w)[last]
	(*w)[last] = wake{}
	*w = (*w)[:last]
	return top
}
