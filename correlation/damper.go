package correlation

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// DamperOptions of a Damper. Limits that are zero watch nothing.
type DamperOptions struct {
	// Flap limits the changes of one alert.
	Flap Limits `json:"flap"`
	// Checks weighs the last 21 check results of one alert, given to
	// [Damper.Check]. With Flap set too, it flaps by either. Defaults to nil,
	// not watched.
	Checks *FlapScheme `json:"checks,omitempty"`
	// Storm limits the onsets of all alerts of one tenant.
	Storm Limits `json:"storm"`
	// NameStorm limits the onsets of all alerts of one name and tenant, while
	// there is no storm of the whole tenant.
	NameStorm Limits `json:"name_storm"`
}

// Damper stands between the transitions of an [Engine] and the people who are
// told: once that an alert flaps, and once that all is on fire. It holds back
// notifications, never state, and reads no clock. Make one with [NewDamper] or
// [RestoreDamper]. It is not safe for concurrent use.
//
// While an alert flaps, only start and end are told, the end with the state that
// it has then. In a storm the first onset above the limit becomes a digest, the
// following ones are held back until it ends; a more severe one than those that
// the digest has told of is told as a rise. What is over is always told to who
// was told that it fires, also by the list in the digest at the end of a storm.
// Composites are told in any storm: they are digests themselves.
//
// Package group makes items of notices and puts them into groups with the rest.
//
// Each transition takes constant time besides a heap; memory is that of the
// alerts that fire or changed in their windows, with Checks also of those with
// a bad result among the last.
type Damper struct {
	opts    DamperOptions
	alerts  map[string]*damped // by tenant and alert
	storms  map[stormKey]*storm
	timers  []damperTimer // heap; one for each window with something in it
	notices []Notice
}

type stormKey struct {
	tenant, name string
}

// storm counts the onsets of a tenant, or of one name in it.
type storm struct {
	key      stormKey
	f        *Frequency
	since    time.Time // zero while there is no storm that was told
	count    int
	names    map[string]int // of count, by name
	severity incident.Severity
	held     map[*damped]bool // that fire or flap
	timer    bool
}

// damped is what is known of one alert.
type damped struct {
	key      string
	alert    Alert
	firing   bool
	flapping bool
	f        *Flapping      // nil if changes are not watched
	checks   *StateFlapping // nil if check results are not watched
	in       *storm         // that holds it back
	timer    bool
}

// flaps reports whether one of the detectors says so.
func (a *damped) flaps() bool { return a.f != nil && a.f.f.on || a.checks != nil && a.checks.on }

// damperTimer wakes when something leaves a window. One of the two is set.
type damperTimer struct {
	at time.Time
	a  *damped
	s  *storm
}

// Before orders timers by time; alerts come before storms, so that the list at
// the end of a storm is that of its instant; then by key.
func (t damperTimer) Before(u damperTimer) bool {
	switch c := t.at.Compare(u.at); {
	case c != 0:
		return c < 0
	case t.a != nil && u.a != nil:
		return t.a.key < u.a.key
	case t.s != nil && u.s != nil:
		return t.s.key.compare(u.s.key) < 0
	default:
		return t.a != nil
	}
}

// compare orders storms by tenant and name.
func (k stormKey) compare(l stormKey) int {
	return cmp.Or(strings.Compare(k.tenant, l.tenant), strings.Compare(k.name, l.name))
}

// NewDamper checks the limits. All problems are reported together, as joined
// [*OptionError] values.
func NewDamper(o DamperOptions) (*Damper, error) {
	var problems []error
	for _, l := range []struct {
		name string
		Limits
	}{{"Flap", o.Flap}, {"Storm", o.Storm}, {"NameStorm", o.NameStorm}} {
		if l.Limits == (Limits{}) {
			continue
		}
		if err := l.check(l.name); err != nil {
			problems = append(problems, err)
		}
	}
	if o.Checks != nil && *o.Checks > Icinga {
		problems = append(problems, &OptionError{"Checks", *o.Checks, "Nagios or Icinga"})
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &Damper{opts: o, alerts: map[string]*damped{}, storms: map[stormKey]*storm{}}, nil
}

// Filter takes the transitions of one call of [Engine.Apply], in their order,
// and returns what to tell, in the order of time. It looks at Notify and Resolve
// and drops the other kinds. The notices point into transitions. Call [Damper.Step] for ends without transitions.
func (d *Damper) Filter(transitions []Transition) []Notice {
	for i := range transitions {
		t := &transitions[i]
		if t.Kind != Notify && t.Kind != Resolve {
			continue
		}
		d.run(t.At)
		if t.Kind == Notify {
			d.notify(t)
		} else {
			d.resolve(t)
		}
	}
	return d.take()
}

// Check takes check results for the option Checks: the events that are about to
// be applied, repeated ones too, at the instant of that. Call it before the
// transitions of the same events go to [Damper.Filter]. An alert begins to flap
// with its next transition, so that one that is suppressed is not told; it
// ends with a check.
func (d *Damper) Check(at time.Time, events ...Event) []Notice {
	d.run(at)
	for i := range events {
		ev := &events[i]
		if d.opts.Checks == nil {
			break
		}
		a := d.record(&Alert{Tenant: ev.Tenant, Name: ev.Alert, Labels: LabelsOf(ev.Labels)})
		state := 0
		if ev.Status == Firing {
			state = 1
		}
		a.checks.Observe(state)
		d.settle(a, at)
		d.forget(a)
	}
	return d.take()
}

// Step returns what ends up to and including the instant at.
func (d *Damper) Step(at time.Time) []Notice {
	d.run(at)
	return d.take()
}

// NextWake returns the next instant for which Step should be called; false if
// there is none. It can be earlier than the next notice.
func (d *Damper) NextWake() (time.Time, bool) {
	if len(d.timers) == 0 {
		return time.Time{}, false
	}
	return d.timers[0].at, true
}

// Storms returns the storms that are under way with what they hold back, by
// tenant and name.
func (d *Damper) Storms() []Storm {
	var list []Storm
	for _, s := range d.sortedStorms() {
		if !s.since.IsZero() {
			view := s.view()
			view.Firing = firing(s.sorted())
			list = append(list, view)
		}
	}
	return list
}

// sortedStorms returns all counters by tenant and name.
func (d *Damper) sortedStorms() []*storm {
	return slices.SortedFunc(maps.Values(d.storms), func(a, b *storm) int { return a.key.compare(b.key) })
}

// take returns the notices that have been gathered.
func (d *Damper) take() []Notice {
	list := d.notices
	d.notices = nil
	return list
}

// tell adds a notice.
func (d *Damper) tell(n Notice) { d.notices = append(d.notices, n) }

// of finds or makes the record of a transition's alert.
func (d *Damper) of(t *Transition) *damped {
	a := d.record(&t.Alert)
	a.alert = t.Alert
	return a
}

// record finds or makes the record of an alert.
func (d *Damper) record(alert *Alert) *damped {
	key := string(appendKey(prefixed.Append(nil, alert.Tenant), alert.Name, alert.Labels))
	a := d.alerts[key]
	if a == nil {
		a = &damped{key: key, alert: *alert}
		if d.opts.Flap.Window > 0 {
			a.f, _ = NewFlapping(d.opts.Flap.Window, d.opts.Flap.High, d.opts.Flap.Low) // checked by NewDamper
		}
		if d.opts.Checks != nil {
			a.checks, _ = NewStateFlapping(*d.opts.Checks)
			a.checks.Observe(0) // all was well before
		}
		d.alerts[key] = a
	}
	return a
}

// change records a change and reports whether the alert begins to flap by it.
func (d *Damper) change(a *damped, at time.Time, s Status) (starts bool) {
	a.firing = s == Firing
	if a.f != nil {
		a.f.Observe(at, s)
		d.watch(a)
	}
	starts = !a.flapping && a.flaps()
	a.flapping = a.flapping || starts
	return starts
}

// notify tells of an onset, or holds it back.
func (d *Damper) notify(t *Transition) {
	a := d.of(t)
	flaps := a.flapping
	starts := d.change(a, t.At, Firing)
	if flaps {
		return
	}
	if t.Composite == nil {
		if s := d.storm(t); s != nil {
			d.hold(s, a, t.At)
			return
		}
	}
	d.pass(a, t, starts)
}

// resolve tells of an end, unless nobody was told that it fires.
func (d *Damper) resolve(t *Transition) {
	a := d.of(t)
	flaps := a.flapping
	starts := d.change(a, t.At, Resolved)
	switch {
	case flaps || a.in != nil && starts:
		return
	case a.in != nil:
		a.free()
	default:
		d.pass(a, t, starts)
	}
	d.forget(a)
}

// pass tells a transition, or that the alert flaps from it on.
func (d *Damper) pass(a *damped, t *Transition, starts bool) {
	if starts {
		d.tell(Notice{At: t.At, Kind: FlapStart, Alert: a.view()})
	} else {
		d.tell(Notice{At: t.At, Kind: Tell, Transition: t})
	}
}

// free takes the alert out of its storm.
func (a *damped) free() {
	delete(a.in.held, a)
	a.in = nil
}

// storm counts an onset and returns the storm that holds it back, if any.
func (d *Damper) storm(t *Transition) *storm {
	all := d.count(stormKey{tenant: t.Alert.Tenant}, t.At)
	named := d.count(stormKey{t.Alert.Tenant, t.Alert.Name}, t.At)
	if all != nil {
		return all
	}
	return named
}

// count adds an onset to a counter and returns it if the limit is crossed.
func (d *Damper) count(key stormKey, at time.Time) *storm {
	s := d.counter(key)
	if s == nil {
		return nil
	}
	on := s.f.Add(at)
	d.watchStorm(s)
	if !on {
		return nil
	}
	return s
}

// counter finds or makes a counter; nil if that is not watched.
func (d *Damper) counter(key stormKey) *storm {
	l := d.opts.Storm
	if key.name != "" {
		l = d.opts.NameStorm
	}
	if l.Window == 0 {
		return nil
	}
	s := d.storms[key]
	if s == nil {
		s = &storm{key: key, names: map[string]int{}, held: map[*damped]bool{}}
		s.f, _ = NewFrequency(l.Window, l.High, l.Low) // checked by NewDamper
		d.storms[key] = s
	}
	return s
}

// hold puts an alert under a storm, and tells of it at first and when it gets
// more severe.
func (d *Damper) hold(s *storm, a *damped, at time.Time) {
	s.count++
	s.names[a.alert.Name]++
	s.held[a] = true
	a.in = s
	worse := a.alert.Severity.Compare(s.severity) > 0
	if worse {
		s.severity = a.alert.Severity
	}
	kind := StormRise
	switch {
	case s.since.IsZero():
		s.since = at
		kind = StormStart
	case !worse:
		return
	}
	view := s.view()
	d.tell(Notice{At: at, Kind: kind, Storm: &view})
}

// view is what a notice says about the storm, without its list.
func (s *storm) view() Storm {
	return Storm{Tenant: s.key.tenant, Name: s.key.name, Since: s.since, Held: s.count, Names: maps.Clone(s.names), Severity: s.severity}
}

// firing returns the alerts that fire.
func firing(list []*damped) []Alert {
	var alerts []Alert
	for _, a := range list {
		if a.firing {
			alerts = append(alerts, *a.view())
		}
	}
	return alerts
}

// sorted returns what is held back by printed form.
func (s *storm) sorted() []*damped {
	type printed struct {
		text string
		*damped
	}
	list := make([]printed, 0, len(s.held))
	for a := range s.held {
		list = append(list, printed{a.alert.String(), a})
	}
	slices.SortFunc(list, func(a, b printed) int {
		return cmp.Or(strings.Compare(a.text, b.text), strings.Compare(a.key, b.key))
	})
	sorted := make([]*damped, len(list))
	for n, a := range list {
		sorted[n] = a.damped
	}
	return sorted
}

// view is a copy of the alert with its state of now.
func (a *damped) view() *Alert {
	copied := a.alert
	copied.Active = a.firing
	return &copied
}

// watch sees to it that the alert is looked at when its window moves on.
func (d *Damper) watch(a *damped) {
	if due, ok := a.f.f.next(); ok && !a.timer {
		a.timer = true
		heap.Push(&d.timers, damperTimer{at: due, a: a})
	}
}

// watchStorm does the same for a counter.
func (d *Damper) watchStorm(s *storm) {
	if due, ok := s.f.next(); ok && !s.timer {
		s.timer = true
		heap.Push(&d.timers, damperTimer{at: due, s: s})
	}
}

// run looks at all windows that have moved on by an instant.
func (d *Damper) run(at time.Time) {
	for len(d.timers) > 0 && !d.timers[0].at.After(at) {
		switch t := heap.Pop(&d.timers); {
		case t.a != nil:
			t.a.timer = false
			d.look(t.a, t.at)
		default:
			t.s.timer = false
			d.calm(t.s, t.at)
		}
	}
}

// look takes what has left the window of an alert into account.
func (d *Damper) look(a *damped, at time.Time) {
	a.f.Active(at)
	d.settle(a, at)
	d.watch(a)
	d.forget(a)
}

// settle ends the flapping of an alert if it is over.
func (d *Damper) settle(a *damped, at time.Time) {
	if !a.flapping || a.flaps() {
		return
	}
	a.flapping = false
	switch {
	case a.in == nil:
		d.tell(Notice{At: at, Kind: FlapEnd, Alert: a.view()})
	case !a.firing:
		a.free()
	}
}

// calm ends a storm if it is over. What flaps in it is told from then on.
func (d *Damper) calm(s *storm, at time.Time) {
	if !s.f.Active(at) && !s.since.IsZero() {
		held := s.sorted()
		view := s.view()
		view.Firing = firing(held)
		d.tell(Notice{At: at, Kind: StormEnd, Storm: &view})
		for _, a := range held {
			a.in = nil
			if a.flapping {
				d.tell(Notice{At: at, Kind: FlapStart, Alert: a.view()})
			}
		}
		s.since, s.count, s.severity = time.Time{}, 0, 0
		clear(s.names)
		clear(s.held)
	}
	d.watchStorm(s)
	if !s.timer {
		delete(d.storms, s.key)
	}
}

// forget drops the record of an alert that is over and calm.
func (d *Damper) forget(a *damped) {
	if !a.firing && !a.timer && (a.checks == nil || a.checks.idle()) {
		delete(d.alerts, a.key)
	}
}
