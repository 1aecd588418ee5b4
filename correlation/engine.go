package correlation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// Stats counts what an engine has seen since it was made; restored engines go
// on counting.
type Stats struct {
	Events     int `json:"events"`     // all events passed to Apply
	Duplicates int `json:"dup"`        // same time and status as before
	Stale      int `json:"stale"`      // older than what is known of the alert
	Refreshes  int `json:"refresh"`    // newer firing of an active alert, or of one in the same episode
	Late       int `json:"late"`       // after the reorder window
	Rejected   int `json:"rejected"`   // refused with an EventError
	Alerts     int `json:"alerts"`     // identities, again when forgotten and seen anew
	Notified   int `json:"notified"`   // of those, notified at least once
	Suppressed int `json:"suppressed"` // hidden now, composites included
	Composites int `json:"composites"` // opened
}

// Engine correlates the alerts of many tenants. Make one with [New] or
// [Restore]. It is not safe for concurrent use.
type Engine struct {
	opts     Options
	graph    *graph
	programs []*program
	atlas    *atlas
	spaces   map[string]*space
	now      int64 // engine time; 0 before the first step
	edge     int64 // the next at which the hours of a rule open or close; 0 before the first step
	seq      uint64
	arrivals uint64
	timers   []timer     // heap
	held     []heldEvent // heap; waiting for the reorder window
	dirty    [][]*instance
	hot      []*space
	ended    []*instance // whose linger may end in this step
	out      []Transition
	given    []Transition // by the caller, the beginning of out
	refill   bool         // what stood in out may be written over
	problems []error
	orphans  []Transition // of composites whose rules were replaced
	stats    Stats

	matched []match    // scratch
	key     []byte     // scratch
	order   []standing // scratch
}

// New compiles the rules. All problems of all rules are reported together, as
// joined [*RuleError] values, those of the options as joined [*OptionError] values.
func New(rules []Rule, options Options) (*Engine, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	g, err := newGraph(o.Topology)
	if err != nil {
		return nil, err
	}
	if o.Topology != nil && slices.Contains(o.IgnoreLabels, g.label) {
		return nil, &OptionError{"IgnoreLabels", g.label, "labels other than that of the entities of the topology"}
	}
	programs, err := compile(rules, g, o.IgnoreLabels)
	if err != nil {
		return nil, err
	}
	ranks := 0
	for _, p := range programs {
		ranks = max(ranks, p.rank+1)
		p.grounded = p.grounded && (!o.StrictSilence || len(p.targets) == 0) // its composite may be silenced
	}
	return &Engine{
		opts: o, graph: g, programs: programs, atlas: newAtlas(newIndex(programs)), spaces: map[string]*space{},
		dirty: make([][]*instance, ranks),
	}, nil
}

// ErrTime is returned when the instant of a call is before that of the last
// one, or out of range (years 1897 to 2188).
var ErrTime = errors.New("correlation: engine time goes back or is out of range")

// Apply moves the engine to the instant at, running everything that falls due
// on the way, and applies events that arrive at that instant, in order. State
// is evaluated once, after all of them. The transitions are in the order of
// time; those of one instant are sorted.
//
// An event that is refused is reported as an [*EventError] and does not keep
// the others from being applied, so transitions and error can both be set. If
// at is before the last instant, the error is [ErrTime] and nothing happens.
func (e *Engine) Apply(at time.Time, events ...Event) ([]Transition, error) {
	return e.Append(nil, at, events...)
}

// Append is [Engine.Apply] that appends the transitions to a list and returns the longer
// one, for a caller that hands them on and uses the list again. If nothing happens the
// list is returned as it was.
func (e *Engine) Append(list []Transition, at time.Time, events ...Event) ([]Transition, error) {
	return e.run(list, at, events)
}

// Refill is [Engine.Append] to list[:0] that also writes over the labels of the alerts that
// the list held, so a transition costs no allocation. What it returns holds until the next
// call with it, for a caller that hands it on to nobody who keeps labels: a Grouper of
// package group keeps none, a Damper and a Silencer do. If nothing happens, or at is
// before the last instant, it is list[:0].
func (e *Engine) Refill(list []Transition, at time.Time, events ...Event) ([]Transition, error) {
	e.refill = true
	defer func() { e.refill = false }()
	return e.run(list[:0], at, events)
}

// run is Append for Refill too.
func (e *Engine) run(list []Transition, at time.Time, events []Event) ([]Transition, error) {
	if err := e.move(list, at); err != nil {
		return list, err
	}
	for n := range events {
		if err := e.accept(&events[n]); err != nil {
			e.reject(err, n)
		}
	}
	return e.conclude()
}

// move runs everything that falls due before the instant at and begins its step; what
// comes of it is appended to the list.
func (e *Engine) move(list []Transition, at time.Time) error {
	if !instant.InRange(at) || e.now != 0 && instant.Of(at) < e.now {
		return fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), instant.Time(e.now).Format(time.RFC3339Nano))
	}
	now := instant.Of(at)
	e.out, e.given = list, list
	for {
		due, ok := e.nextDue()
		if !ok || due >= now {
			break
		}
		e.begin(max(due, e.now))
		e.finish()
	}
	e.begin(now)
	return nil
}

// conclude ends the step of a call and returns what it has brought.
func (e *Engine) conclude() ([]Transition, error) {
	e.finish()
	out, problems := e.out, e.problems
	if len(out) == len(e.given) {
		out = e.given // no transition: not even room for one
	}
	e.out, e.given, e.problems = nil, nil, nil
	return out, errors.Join(problems...)
}

// Step moves the engine to the instant at without new events.
func (e *Engine) Step(at time.Time) ([]Transition, error) { return e.Apply(at) }

// NextWake returns the next instant at which something may change without new
// events; false if there is none. It can be earlier than the next transition.
func (e *Engine) NextWake() (time.Time, bool) {
	due, ok := e.nextDue()
	return instant.Time(max(due, e.now)), ok
}

// Now returns the instant of the last call, zero before the first.
func (e *Engine) Now() time.Time { return instant.Time(e.now) }

// Stats returns the counters.
func (e *Engine) Stats() Stats { return e.stats }

// Alerts returns all remembered alerts but composites, ended ones included,
// sorted by tenant and printed form.
func (e *Engine) Alerts() []Alert {
	var list []Alert
	for _, tenant := range sortedNames(e.spaces) {
		for _, a := range e.spaces[tenant].sorted() {
			list = append(list, a.view())
		}
	}
	return list
}

// Alert returns what is known of one alert that is no composite; false if nothing is. It
// costs a look-up.
func (e *Engine) Alert(tenant, name string, labels map[string]string) (Alert, bool) {
	sp := e.spaces[tenant]
	if sp == nil {
		return Alert{}, false
	}
	var a *alert
	if x := e.atlas.identify(name, e.opts.counting(labels)); x.known {
		a = sp.find(x)
	}
	if a == nil {
		return Alert{}, false
	}
	return a.view(), true
}

// sorted returns the alerts of a tenant by printed form.
func (sp *space) sorted() []*alert { return slices.SortedFunc(sp.alerts.All(), compareAlerts) }

// Composites returns all open and lingering composites, sorted by since, rule,
// tenant and BY values.
func (e *Engine) Composites() []Composite {
	var list []*instance
	for _, sp := range e.spaces {
		for i := range sp.instances.All() {
			if i.live() && i.composite != nil {
				list = append(list, i)
			}
		}
	}
	slices.SortFunc(list, compareInstances)
	views := make([]Composite, len(list))
	for n, i := range list {
		views[n] = *i.view()
	}
	return views
}

// begin starts a step: expiries first, then events held for this instant.
func (e *Engine) begin(now int64) {
	e.now = now
	if e.edge <= now {
		e.shift()
	}
	e.runTimers()
	for len(e.held) > 0 && e.held[0].due(e.opts.Reorder) <= now {
		ev := heap.Pop(&e.held)
		if err := e.apply(&ev.Event); err != nil { // over a limit by now
			e.reject(err, -1)
		}
	}
}

// compareInstances orders by since, rule, tenant and BY values.
func compareInstances(a, b *instance) int {
	if a.since != b.since {
		if a.since < b.since {
			return -1
		}
		return 1
	}
	if c := strings.Compare(a.rule.Name, b.rule.Name); c != 0 {
		return c
	}
	if c := strings.Compare(a.sp.tenant, b.sp.tenant); c != 0 {
		return c
	}
	return slices.Compare(a.values(), b.values())
}
