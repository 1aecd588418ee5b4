package correlation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/heap"
)

// Options of an Engine. The zero value is ready to use.
type Options struct {
	// Settle delays the first notification of an alert until this long after
	// its onset, so that a cause that arrives in time prevents it. Defaults to 0.
	Settle time.Duration `json:"settle_ns,omitempty"`
	// CompositeSettle does the same for composites, from their opening. Defaults
	// to 0.
	CompositeSettle time.Duration `json:"composite_settle_ns,omitempty"`
	// Retention is how long an ended alert is remembered, so that a late event
	// cannot revive it. Defaults to 1 hour.
	Retention time.Duration `json:"retention_ns,omitempty"`
	// ResolveTimeout ends an alert this long after the arrival of its last event
	// if that has no Ends. Defaults to 0, never.
	ResolveTimeout time.Duration `json:"resolve_timeout_ns,omitempty"`
	// MaxFuture refuses events whose Time is later than their arrival by more.
	// Defaults to 0, no limit.
	MaxFuture time.Duration `json:"max_future_ns,omitempty"`
	// Reorder holds every event back until this long after its Time and applies
	// them in the order of their times; one that arrives later still is reported
	// as Late and not applied. Defaults to 0: events are applied on arrival.
	Reorder time.Duration `json:"reorder_ns,omitempty"`
	// WholeLife lets composites list all alerts that have been evidence or
	// suppressed since they opened, not those of the moment. That costs memory for
	// each, so it is for replays.
	WholeLife bool `json:"whole_life,omitempty"`
	// Topology answers depends_on and near. It is not changed. Defaults to none.
	Topology *Topology `json:"topology,omitempty"`
	// MaxAlerts limits the remembered alerts of one tenant; events for further
	// ones are refused. Defaults to 1,000,000.
	MaxAlerts int `json:"max_alerts,omitempty"`
	// MaxLabels limits the labels of one alert. Defaults to 64.
	MaxLabels int `json:"max_labels,omitempty"`
	// MaxLabelBytes limits their names and values together. Defaults to 16,384.
	MaxLabelBytes int `json:"max_label_bytes,omitempty"`
}

func (o Options) withDefaults() (Options, error) {
	var problems []error
	duration := func(name string, d time.Duration) {
		if d < 0 {
			problems = append(problems, fmt.Errorf("option %s is %v, want 0 or more", name, d))
		}
	}
	duration("Settle", o.Settle)
	duration("CompositeSettle", o.CompositeSettle)
	duration("Retention", o.Retention)
	duration("ResolveTimeout", o.ResolveTimeout)
	duration("MaxFuture", o.MaxFuture)
	duration("Reorder", o.Reorder)
	limit := func(name string, n *int, def int) {
		if *n < 0 {
			problems = append(problems, fmt.Errorf("option %s is %d, want 0 or more", name, *n))
		}
		if *n == 0 {
			*n = def
		}
	}
	limit("MaxAlerts", &o.MaxAlerts, 1_000_000)
	limit("MaxLabels", &o.MaxLabels, 64)
	limit("MaxLabelBytes", &o.MaxLabelBytes, 16_384)
	if o.Retention == 0 {
		o.Retention = time.Hour
	}
	return o, errors.Join(problems...)
}

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
	index    *index
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
	problems []error
	orphans  []Transition // of composites whose rules were replaced
	stats    Stats

	matched []match // scratch
	labels  Labels  // scratch
	key     []byte  // scratch
}

// New compiles the rules. All problems of all rules are reported together, as
// joined [*RuleError] values.
func New(rules []Rule, options Options) (*Engine, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	g, err := newGraph(o.Topology)
	if err != nil {
		return nil, err
	}
	programs, err := compile(rules, g)
	if err != nil {
		return nil, err
	}
	ranks := 0
	for _, p := range programs {
		ranks = max(ranks, p.rank+1)
	}
	return &Engine{
		opts: o, graph: g, programs: programs, index: newIndex(programs), atlas: newAtlas(), spaces: map[string]*space{},
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
	if !inRange(at) || e.now != 0 && nanos(at) < e.now {
		return nil, fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), instant(e.now).Format(time.RFC3339Nano))
	}
	now := nanos(at)
	for {
		due, ok := e.nextDue()
		if !ok || due >= now {
			break
		}
		e.begin(max(due, e.now))
		e.finish()
	}
	e.begin(now)
	for n := range events {
		if err := e.accept(&events[n]); err != nil {
			e.reject(err, n)
		}
	}
	e.finish()
	out, problems := e.out, e.problems
	e.out, e.problems = nil, nil
	return out, errors.Join(problems...)
}

// Step moves the engine to the instant at without new events.
func (e *Engine) Step(at time.Time) ([]Transition, error) { return e.Apply(at) }

// Next returns the next instant at which something may change without new
// events; false if there is none. It can be earlier than the next transition.
func (e *Engine) Next() (time.Time, bool) {
	due, ok := e.nextDue()
	return instant(max(due, e.now)), ok
}

// Now returns the instant of the last call, zero before the first.
func (e *Engine) Now() time.Time { return instant(e.now) }

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

// sorted returns the alerts of a tenant by printed form.
func (sp *space) sorted() []*alert { return slices.SortedFunc(sp.all(), compareAlerts) }

// Composites returns all open and lingering composites, sorted by since, rule,
// tenant and BY values.
func (e *Engine) Composites() []Composite {
	var list []*instance
	for _, sp := range e.spaces {
		for _, i := range sp.instances {
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

// accept checks an event and applies it, or holds it for the reorder window.
func (e *Engine) accept(ev *Event) *EventError {
	e.stats.Events++
	err := ev.check()
	if err == nil && e.opts.Reorder > 0 {
		err = ev.checkIdentity(&e.opts)
	}
	if err == nil && e.opts.MaxFuture > 0 && nanos(ev.Time)-e.now > int64(e.opts.MaxFuture) {
		err = &EventError{
			Alert: ev.Alert, Field: "Time", Got: ev.Time.Format(time.RFC3339Nano),
			Want: fmt.Sprintf("a time at most %v after the arrival", e.opts.MaxFuture),
		}
	}
	if err == nil {
		switch due := after(nanos(ev.Time), e.opts.Reorder); {
		case e.opts.Reorder == 0 || due == e.now:
			err = e.apply(ev)
		case due > e.now:
			e.hold(*ev)
		default:
			e.late(ev)
		}
	}
	return err
}

func (e *Engine) hold(ev Event) {
	e.arrivals++
	heap.Push(&e.held, heldEvent{ev, e.arrivals})
}

func (e *Engine) reject(err *EventError, index int) {
	err.Index = index
	e.stats.Rejected++
	e.problems = append(e.problems, err)
}

func (e *Engine) late(ev *Event) {
	e.stats.Late++
	copied := *ev
	a := Alert{Tenant: ev.Tenant, Name: ev.Alert, Labels: LabelsOf(ev.Labels), Since: ev.Time, Severity: ev.Severity, Annotations: ev.Annotations}
	e.out = append(e.out, Transition{At: instant(e.now), Kind: Late, Alert: a, Event: &copied})
}

// apply is last writer wins on (time, firing < resolved).
func (e *Engine) apply(ev *Event) *EventError {
	a, err := e.record(ev)
	if err != nil {
		return err
	}
	t, firing := nanos(ev.Time), ev.Status == Firing
	if a.last != 0 {
		switch {
		case t < a.last || t == a.last && firing && !a.lastFiring:
			e.stats.Stale++
			return nil
		case t == a.last && firing == a.lastFiring:
			e.stats.Duplicates++
			return nil
		}
	}
	if !firing {
		a.last, a.lastFiring = t, false
		if a.active {
			e.deactivate(a, t)
		} else if a.ended == 0 {
			e.end(a)
		}
		return nil
	}
	var ends int64
	switch {
	case !ev.Ends.IsZero():
		ends = nanos(ev.Ends)
	case e.opts.ResolveTimeout > 0:
		ends = after(e.now, e.opts.ResolveTimeout)
	}
	// An expiry is no event: what happened up to the end that was known still
	// belongs to the episode.
	same := a.lastFiring && (a.ends == 0 || t <= a.ends)
	if same {
		e.stats.Refreshes++
		if ends == 0 {
			ends = a.ends
		}
		if ev.Severity.IsSet() {
			a.severity = ev.Severity
		}
		if ev.Annotations != nil {
			a.annotate(ev.Annotations)
		}
	} else {
		if a.active { // ended and began again within one step
			e.leave(a, t)
		}
		a.since, a.severity = t, ev.Severity
		a.annotate(ev.Annotations)
	}
	a.last, a.lastFiring, a.ends = t, true, ends
	active := ends == 0 || ends > e.now
	switch {
	case active && !a.active:
		e.activate(a, t)
	case !active && a.active:
		e.deactivate(a, t)
	case !active:
		e.end(a)
	}
	if active && ends != 0 && (a.expiryAt == 0 || ends < a.expiryAt) {
		a.expiryAt = ends
		heap.Push(&e.timers, timer{at: ends, kind: expiry, a: a})
	}
	return nil
}

// record finds or makes the alert of an event. The identity of one that is known
// needs no check.
func (e *Engine) record(ev *Event) (*alert, *EventError) {
	hash, n := identity(ev.Alert, ev.Labels)
	var a *alert
	sp := e.spaces[ev.Tenant]
	if sp != nil {
		a = sp.find(hash, ev.Alert, ev.Labels, n)
	}
	if a == nil || n < len(ev.Labels) {
		if err := ev.checkIdentity(&e.opts); err != nil {
			return nil, err
		}
	}
	if a != nil {
		e.heat(sp)
		return a, nil
	}
	if sp != nil && sp.count >= e.opts.MaxAlerts {
		return nil, &EventError{Alert: ev.Alert, Field: "Tenant", Got: ev.Tenant, Want: fmt.Sprintf("at most %d remembered alerts of one tenant", e.opts.MaxAlerts)}
	}
	sp = e.space(ev.Tenant)
	e.labels = appendLabels(e.labels[:0], ev.Labels)
	a = e.newAlert(sp, ev.Alert, e.labels)
	clear(e.labels) // the texts are the caller's
	sp.insert(hash, a)
	e.stats.Alerts++
	return a, nil
}

func (e *Engine) newAlert(sp *space, name string, l Labels) *alert {
	e.seq++
	return &alert{sp: sp, name: e.atlas.name(name), labels: e.atlas.compact(l), seq: e.seq}
}

// space returns the space of a tenant and lists it as changed in this step.
func (e *Engine) space(tenant string) *space {
	sp := e.spaces[tenant]
	if sp == nil {
		sp = &space{tenant: tenant, alerts: map[uint64]*alert{}, instances: map[instanceKey]*instance{}}
		e.spaces[tenant] = sp
	}
	e.heat(sp)
	return sp
}

func (e *Engine) heat(sp *space) {
	if !sp.hot {
		sp.hot = true
		e.hot = append(e.hot, sp)
	}
}

// activate makes an alert count for the rules. stamp is the event time of the
// change.
func (e *Engine) activate(a *alert, stamp int64) {
	a.active, a.ended = true, 0
	if !a.matched {
		e.match(a)
	}
	for n := range a.members {
		m := &a.members[n]
		if m.inst == nil || m.inst.swept {
			m.inst = e.instance(a.sp, m.rule(), a.labels.Get)
			if m.joined != nil {
				clear(m.joined.places)
				clear(m.joined.bindings)
			}
		}
		m.inst.wake()
		m.inst.add(m)
		e.mark(m.inst, stamp)
	}
	a.sp.touch(a)
}

// leave takes an alert out of the rules.
func (e *Engine) leave(a *alert, stamp int64) {
	a.active = false
	for n := range a.members {
		if m := &a.members[n]; m.active {
			m.inst.remove(m)
			e.mark(m.inst, stamp)
		}
	}
	a.sp.touch(a)
}

// deactivate is leave for an alert that is over.
func (e *Engine) deactivate(a *alert, stamp int64) {
	e.leave(a, stamp)
	e.end(a)
}

// end starts the time for which an inactive alert is remembered.
func (e *Engine) end(a *alert) {
	a.ended = e.now
	if a.forgetAt == 0 && a.of() == nil {
		a.forgetAt = after(e.now, e.opts.Retention)
		heap.Push(&e.timers, timer{at: a.forgetAt, kind: forget, a: a})
	}
}

// match finds the rules that an alert can match, once in its life.
func (e *Engine) match(a *alert) {
	a.matched = true
	found := e.matched[:0]
	e.index.candidates(a.name, &a.labels, func(r reference) {
		m := r.matcher()
		if !m.matchesName(a.name.layer, a.name.short) || !m.matchesLabels(&a.labels, e.graph) {
			return
		}
		at := slices.IndexFunc(found, func(m match) bool { return m.rule == r.p })
		if at < 0 {
			at = len(found)
			found = append(found, match{rule: r.p})
		}
		if r.target {
			found[at].sels |= 1 << r.number
		} else {
			found[at].conds |= 1 << r.number
		}
	})
	e.matched = found
	if len(found) == 0 {
		return
	}
	slices.SortFunc(found, func(x, y match) int { return x.rule.index - y.rule.index })
	a.members = make([]member, len(found))
	joins, probes, vars := 0, 0, 0
	for n, m := range found {
		shared := m.rule.match(m.conds, m.sels)
		a.members[n] = member{a: a, match: shared}
		if len(m.rule.vars) > 0 {
			joins, probes, vars = joins+1, probes+shared.probes, vars+len(m.rule.vars)
		}
	}
	if joins == 0 {
		return
	}
	known, places, bindings := make([]joined, joins), make([]place, probes), make([]*binding, vars) // in one piece each
	for n := range a.members {
		m := &a.members[n]
		if r := m.match.rule; len(r.vars) > 0 {
			m.joined, known = &known[0], known[1:]
			m.joined.places, places = places[:m.match.probes:m.match.probes], places[m.match.probes:]
			m.joined.bindings, bindings = bindings[:len(r.vars):len(r.vars)], bindings[len(r.vars):]
		}
	}
}

// instance finds or makes the instance of a rule that labels belong to.
func (e *Engine) instance(sp *space, p *program, get func(string) string) *instance {
	e.key = e.key[:0]
	for _, name := range p.By {
		e.key = appendPart(e.key, get(name))
	}
	if i := sp.instances[instanceKey{p.index, string(e.key)}]; i != nil {
		return i
	}
	i := &instance{rule: p, sp: sp, key: string(e.key), counts: make([]int32, len(p.conds)), idle: true}
	if p.Within > 0 {
		i.onsets = &onsets{lists: make([][]*member, len(p.conds))}
	}
	sp.idle++
	sp.instances[instanceKey{p.index, i.key}] = i
	return i
}

// finish ends a step. Instances open and close first, rank by rank, with those
// whose linger is over; then it is settled what is hidden and who is told.
func (e *Engine) finish() {
	start := len(e.out)
	for start > 0 && nanos(e.out[start-1].At) == e.now { // late events of this step
		start--
	}
	for _, t := range e.orphans {
		t.At = instant(e.now)
		e.out = append(e.out, t)
	}
	e.orphans = nil
	slices.SortFunc(e.ended, compareInstances)
	for rank := range e.dirty {
		e.evaluate(rank)
		for _, i := range e.ended {
			if i.rule.rank == rank && i.state == lingering && i.lingerEnds <= e.now {
				i.stamp = i.lingerEnds
				e.close(i)
				e.rest(i)
			}
		}
	}
	clear(e.ended)
	e.ended = e.ended[:0]
	for _, sp := range e.hot {
		sp.ground()
		for _, a := range sp.touched {
			a.touched = false
			e.notify(a)
		}
		clear(sp.touched)
		sp.touched = sp.touched[:0]
		sp.hot = false
		sp.sweep()
		if sp.count == 0 && len(sp.instances) == sp.idle {
			delete(e.spaces, sp.tenant)
		}
	}
	clear(e.hot)
	e.hot = e.hot[:0]
	sortTransitions(e.out[start:])
}

// notify reports what changed for one alert in this step.
func (e *Engine) notify(a *alert) {
	hidden := a.active && a.covers > 0 && !a.released
	if hidden != a.suppressed {
		a.suppressed = hidden
		switch {
		case hidden:
			e.stats.Suppressed++
			e.report(Suppress, a)
		default:
			e.stats.Suppressed--
			if a.active {
				e.report(Release, a)
			}
		}
	}
	if !a.active {
		if a.notified {
			e.report(Resolve, a)
			a.notified = false
		}
		return
	}
	if hidden || a.notified {
		return
	}
	if due := e.settleTime(a); due > e.now {
		if a.settleAt == 0 || due < a.settleAt {
			a.settleAt = due
			heap.Push(&e.timers, timer{at: due, kind: settled, a: a})
		}
		return
	}
	a.notified = true
	if !a.paged && a.of() == nil {
		a.paged = true
		e.stats.Notified++
	}
	e.report(Notify, a)
}

// settleTime is the earliest instant for the notification of an alert.
func (e *Engine) settleTime(a *alert) int64 {
	if a.of() != nil {
		return after(a.since, e.opts.CompositeSettle)
	}
	return after(a.since, e.opts.Settle)
}

func (e *Engine) report(k Kind, a *alert) {
	t := Transition{At: instant(e.now), Kind: k, Alert: a.view()}
	if a.of() != nil && (k == Open || k == Notify || k == Resolve) {
		if t.Composite = a.more.final; t.Composite == nil {
			t.Composite = a.more.of.view()
		}
	}
	e.out = append(e.out, t)
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
