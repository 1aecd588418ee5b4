// Package replay runs a log of alerts through rules: to see what came of a night, to
// compare it with what other rules would have made of it, and to test rules against
// scenarios.
//
//	before, err := replay.Run(rules, correlation.Options{}, log, time.Time{})
//	after, err := replay.Run(changed, correlation.Options{}, log, time.Time{})
//	d := replay.Compare(before, after)
//	fmt.Println(d.Muted) // what would not have been told
//
// Nothing reads a clock: a log says when its events arrived, and the same log gives
// the same record.
package replay

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Arrival is an event and when it came.
type Arrival struct {
	At time.Time `json:"at"`
	correlation.Event
}

// Record is what came of a log. Its lists are sorted by instant, then by rule or
// printed alert, then by tenant.
type Record struct {
	Until      time.Time // the instant of the record
	Episodes   []Episode
	Composites []Composite
	Told       []Told
	Alerts     []correlation.Alert // as they stand at Until, by printed form, then tenant
	Stats      correlation.Stats
	Refused    []error // [*correlation.EventError], in order of arrival

	*behind
}

// Why explains the state of an alert or composite at the instant of the record; see
// [correlation.Engine.Why].
func (r *Record) Why(a correlation.Alert) (correlation.Explanation, bool) {
	return r.engine.Why(a.Tenant, a.Name, a.Labels.Map())
}

// SilencedBy returns the IDs of the silences that are in force for an alert at the instant
// of the record, sorted.
func (r *Record) SilencedBy(a correlation.Alert) []string {
	if r.silencer == nil {
		return nil
	}
	var ids []string
	for _, s := range r.silencer.Why(a).Silences {
		ids = append(ids, s.ID)
	}
	return ids
}

// Snapshot returns the state at the instant of the record, for [Resume].
func (r *Record) Snapshot() ([]byte, error) { return r.engine.Snapshot() }

// Episode is an alert from its onset to its end.
type Episode struct {
	Tenant string             `json:"tenant,omitempty"`
	Alert  string             `json:"alert"` // printed, see [correlation.Alert.String]
	Labels correlation.Labels `json:"labels"`
	Since  time.Time          `json:"since"`
	// Told is when somebody was told of it; zero for never.
	Told time.Time `json:"told,omitzero"`
	// HiddenBy names the rules that have hidden it: those that made it hidden, each time,
	// and those that hide it at the instant of the record, sorted.
	HiddenBy []string `json:"hidden_by,omitempty"`

	id episode
}

// Composite is a composite over all of its life: its lists are all that has been
// evidence, and all that was suppressed, since it opened.
type Composite struct {
	correlation.Composite
	Until time.Time `json:"until,omitzero"` // when it closed; zero while it is open
}

// Told is something that people were told.
type Told struct {
	At     time.Time
	Over   bool // that it is over, not that it began
	Tenant string
	Alert  string // printed
	Title  string // of a composite, else empty
}

// Run is [Setup.Run] with rules and options alone.
func Run(rules []correlation.Rule, o correlation.Options, log []Arrival, until time.Time) (*Record, error) {
	return Setup{Rules: rules, Options: o}.Run(log, until)
}

// Resume is [Setup.Resume] with rules and options alone.
func Resume(state []byte, rules []correlation.Rule, o correlation.Options, log []Arrival, until time.Time) (*Record, error) {
	return Setup{Rules: rules, Options: o}.Resume(state, log, until)
}

// run applies a log to an engine until an instant; zero stands for the last arrival.
func (s Setup) run(engine *correlation.Engine, log []Arrival, until time.Time) (*Record, error) {
	log = slices.Clone(log)
	slices.SortStableFunc(log, func(a, b Arrival) int { return a.At.Compare(b.At) })
	if !until.IsZero() {
		n, _ := slices.BinarySearchFunc(log, until, func(a Arrival, t time.Time) int {
			return cmp.Or(a.At.Compare(t), -1) // what arrives at the instant still counts
		})
		log = log[:n]
	} else if until = engine.Now(); len(log) > 0 {
		until = log[len(log)-1].At
	}
	from := engine.Now()
	restored := !from.IsZero()
	if !restored {
		from = until
		if len(log) > 0 {
			from = log[0].At
		}
	}
	stages, err := newBehind(&s, engine, from)
	if err != nil {
		return nil, err
	}
	r := recorder{Record: Record{Until: until, behind: stages}, episodes: map[episode]int{}, open: map[string]int{}}
	if restored {
		if err := r.recall(from); err != nil {
			return nil, err
		}
	}
	for _, c := range engine.Composites() {
		r.open[c.ID] = len(r.Composites)
		r.Composites = append(r.Composites, Composite{Composite: c})
	}
	var events []correlation.Event
	for len(log) > 0 { // all of one instant together
		n := 1
		for n < len(log) && log[n].At.Equal(log[0].At) {
			n++
		}
		events = events[:0] // which nobody keeps
		for i := range n {
			events = append(events, log[i].Event)
		}
		if err := r.step(log[0].At, events); err != nil {
			return nil, err
		}
		log = log[n:]
	}
	if !until.IsZero() {
		if err := r.step(until, nil); err != nil {
			return nil, err
		}
	}
	return r.conclude(), nil
}

// recorder writes down what an engine reports.
type recorder struct {
	Record
	episodes map[episode]int          // by place in Record
	open     map[string]int           // composites by id
	list     []correlation.Transition // scratch
}

// episode tells episodes apart, also of alerts that print alike.
type episode struct {
	key   string // of the alert
	since time.Time
}

// step goes to an instant, by way of those at which something changes by itself, where that
// matters, and applies its events.
func (r *recorder) step(at time.Time, events []correlation.Event) error {
	for {
		due, ok := r.next(at)
		if !ok {
			return r.turn(at, events)
		}
		if err := r.turn(due, nil); err != nil {
			return err
		}
	}
}

// turn is one instant.
func (r *recorder) turn(at time.Time, events []correlation.Event) error {
	changed, err := r.silence(at)
	if err != nil {
		return err
	}
	r.list, err = r.engine.Append(append(r.list[:0], changed...), at, events...)
	for _, e := range unjoin(err) {
		if _, refused := e.(*correlation.EventError); !refused { //nolint:errorlint // it joins them as they are
			return e
		}
		r.Refused = append(r.Refused, e)
	}
	told, err := r.pass(at, events, r.list, func(a correlation.Alert, rule string) {
		r.episode(a).hide([]string{rule})
	})
	for i := range told {
		r.note(&told[i])
	}
	return err
}

// note writes down one transition.
func (r *recorder) note(t *correlation.Transition) {
	switch t.Kind {
	case correlation.Open:
		r.open[t.Composite.ID] = len(r.Composites)
		r.Composites = append(r.Composites, Composite{Composite: *t.Composite})
	case correlation.Close:
		closed := Composite{*t.Composite, t.At}
		if n, ok := r.open[t.Composite.ID]; ok {
			r.Composites[n] = closed
		} else { // of a rule that Resume was not given any more
			r.Composites = append(r.Composites, closed)
		}
		delete(r.open, t.Composite.ID)
	case correlation.Suppress:
		if !t.Alert.IsComposite() {
			r.episode(t.Alert).hide(t.Alert.SuppressedBy)
		}
	case correlation.Notify, correlation.Resolve:
		told := Told{At: t.At, Over: t.Kind == correlation.Resolve, Tenant: t.Alert.Tenant, Alert: t.Alert.String()}
		switch {
		case t.Composite != nil:
			told.Title = t.Composite.Title
		case !told.Over:
			r.episode(t.Alert).Told = t.At
		}
		r.Told = append(r.Told, told)
	case correlation.Release, correlation.Late: // a release is told of by its Notify
	}
}

// episode finds or begins the episode of an alert.
func (r *recorder) episode(a correlation.Alert) *Episode {
	id := episode{a.Key(), a.Since}
	n, ok := r.episodes[id]
	if !ok {
		n = len(r.Episodes)
		r.episodes[id] = n
		r.Episodes = append(r.Episodes, Episode{Tenant: a.Tenant, Alert: a.String(), Labels: a.Labels, Since: a.Since, id: id})
	}
	return &r.Episodes[n]
}

// hide notes rules that have hidden the alert.
func (e *Episode) hide(rules []string) {
	e.HiddenBy = append(e.HiddenBy, rules...)
	slices.Sort(e.HiddenBy)
	e.HiddenBy = slices.Compact(e.HiddenBy)
}

// conclude sorts the record and adds how things stand.
func (r *recorder) conclude() *Record {
	r.Alerts, r.Stats = r.engine.Alerts(), r.engine.Stats()
	for n := range r.Alerts {
		r.behind.conclude(&r.Alerts[n])
	}
	for _, a := range r.Alerts {
		if n, ok := r.episodes[episode{a.Key(), a.Since}]; ok { // what has hidden it since it was hidden is not reported
			r.Episodes[n].hide(a.SuppressedBy)
		}
	}
	for _, c := range r.engine.Composites() {
		r.Composites[r.open[c.ID]].Composite = c
	}
	slices.SortStableFunc(r.Composites, func(a, b Composite) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Tenant, b.Tenant))
	})
	slices.SortStableFunc(r.Episodes, func(a, b Episode) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Alert, b.Alert), strings.Compare(a.Tenant, b.Tenant))
	})
	slices.SortStableFunc(r.Alerts, func(a, b correlation.Alert) int {
		return cmp.Or(strings.Compare(a.String(), b.String()), strings.Compare(a.Tenant, b.Tenant))
	})
	return &r.Record
}

func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
