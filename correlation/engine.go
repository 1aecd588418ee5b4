package correlation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
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
	if o.Topology != nil && slices.Contains(o.IgnoreLabels, g.label) {
		return nil, fmt.Errorf("option IgnoreLabels has %q, want labels other than that of the entities of the topology", g.label)
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
	if !inRange(at) || e.now != 0 && nanos(at) < e.now {
		return fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), instant(e.now).Format(time.RFC3339Nano))
	}
	now := nanos(at)
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

// accept checks an event and applies it, or holds it for the reorder window.
func (e *Engine) accept(ev *Event) *EventError {
	e.stats.Events++
	ev, err := e.opts.ignore(ev)
	if err == nil {
		err = ev.check(&e.opts)
	}
	if err == nil && e.opts.Reorder > 0 {
		err = ev.checkIdentity(&e.opts)
	}
	if err == nil && e.opts.MaxFuture > 0 && nanos(ev.Time)-e.now > int64(e.opts.MaxFuture) {
		err = ev.fail("Time", ev.Time.Format(time.RFC3339Nano), fmt.Sprintf("a time at most %v after the arrival", e.opts.MaxFuture))
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

// hold keeps an event until its reorder window is over.
func (e *Engine) hold(ev Event) {
	e.arrivals++
	heap.Push(&e.held, heldEvent{ev, e.arrivals})
}

// reject counts and reports a refused event; index is its place in the call.
func (e *Engine) reject(err *EventError, index int) {
	err.Index = index
	e.stats.Rejected++
	e.problems = append(e.problems, err)
}

// late counts and reports an event that came after its reorder window.
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
	if ev.Again {
		t = a.again(t, firing)
	}
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
		if t == nanos(ev.Time) || !a.notified { // else it fires again before people were told of the end
			a.since = t
		}
		a.severity = ev.Severity
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

// again returns the instant of an event that is marked as Again: a firing comes after
// the end that is known, and a resolve at that end comes after such a firing.
func (a *alert) again(t int64, firing bool) int64 {
	ended := a.last
	if a.lastFiring { // it has expired
		ended = max(ended, a.ends)
	}
	switch {
	case a.last == 0 || firing == a.active:
		return t
	case firing && t <= ended && ended < math.MaxInt64:
		return ended + 1
	case !firing && a.since == a.last && t == a.last-1:
		return a.last
	}
	return t
}

// record finds or makes the alert of an event. The identity of one that is known
// needs no check.
func (e *Engine) record(ev *Event) (*alert, *EventError) {
	x := e.atlas.identify(ev.Alert, ev.Labels)
	var a *alert
	sp := e.spaces[ev.Tenant]
	if sp != nil && x.known {
		a = sp.find(x)
	}
	if a == nil && !x.fits(ev, &e.opts) || x.count < len(ev.Labels) {
		if err := ev.checkIdentity(&e.opts); err != nil {
			return nil, err
		}
	}
	if a != nil {
		e.heat(sp)
		return a, nil
	}
	if sp != nil && sp.alerts.Len() >= e.opts.MaxAlerts {
		return nil, ev.fail("Tenant", ev.Tenant, fmt.Sprintf("at most %d remembered alerts of one tenant", e.opts.MaxAlerts))
	}
	sp = e.space(ev.Tenant)
	if x.name == nil {
		a = e.newAlert(sp, e.atlas.name(ev.Alert), x.compact(e.atlas))
	} else {
		x.name.refs++
		a = e.newAlert(sp, x.name, x.compact(e.atlas))
	}
	hash := x.hash
	if !x.known {
		hash = a.hash()
	}
	sp.alerts.Insert(hash, a)
	e.stats.Alerts++
	return a, nil
}

// fits reports whether nothing is wrong with the identity of an event. What it cannot
// tell from what is known of the names it denies.
func (x *identity) fits(ev *Event, o *Options) bool {
	if !x.known || x.name.layer == compositeLayer || x.count > o.MaxLabels || max(len(ev.Alert), len(ev.Tenant)) > o.MaxLabelBytes || !utf8.ValidString(ev.Tenant) {
		return false
	}
	if !isASCII(x.text) { // the values are in it
		for _, value := range ev.Labels {
			if !utf8.ValidString(value) {
				return false
			}
		}
	}
	size := len(x.text) // at least that of the values
	if x.names != nil {
		size += x.names.size
	}
	return size <= o.MaxLabelBytes
}

// isASCII reports whether all bytes are below 0x80.
func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// newAlert makes an alert of a name and labels whose use is counted.
func (e *Engine) newAlert(sp *space, name *alertName, l labels) *alert {
	e.seq++
	e.match(name, &l)
	if len(e.matched) == 1 { // in one piece
		x := &struct {
			alert
			one [1]member
		}{}
		x.sp, x.name, x.labels, x.seq, x.members = sp, name, l, e.seq, x.one[:]
		e.enlist(&x.alert)
		return &x.alert
	}
	a := &alert{sp: sp, name: name, labels: l, seq: e.seq, members: make([]member, len(e.matched))}
	e.enlist(a)
	return a
}

// space returns the space of a tenant and lists it as changed in this step.
func (e *Engine) space(tenant string) *space {
	sp := e.spaces[tenant]
	if sp == nil {
		sp = &space{tenant: tenant, strict: e.opts.StrictSilence}
		e.spaces[tenant] = sp
	}
	e.heat(sp)
	return sp
}

// heat lists a tenant as changed in this step.
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
	a.silenced = a.sp.strict && a.sp.silenced(a)
	for n := range a.members {
		m := &a.members[n]
		if m.inst == nil || m.inst.swept {
			m.inst = e.instance(a.sp, m.rule(), &a.labels)
			if m.joined != nil {
				clear(m.joined.places)
				clear(m.joined.bindings)
				m.joined.mark = 0 // of a sweep of the one that is forgotten
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
	if !a.leaving && a.of() == nil {
		a.leaving = true
		heap.Push(&e.timers, timer{at: after(e.now, e.opts.Retention), kind: forget, a: a})
	}
}

// match finds the rules that alerts with a name and labels can match.
func (e *Engine) match(name *alertName, l *labels) {
	found := e.matched[:0]
	name.candidates(l, func(r reference) {
		r.p.counts.tests++
		if m := r.matcher(); !r.sure && (!m.matchesName(name.layer, name.short) || !m.matchesLabels(l, e.graph)) {
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
	if len(found) > 1 {
		slices.SortFunc(found, func(x, y match) int { return x.rule.index - y.rule.index })
	}
}

// enlist makes an alert the member of the rules that match has found.
func (e *Engine) enlist(a *alert) {
	joins, probes, vars := 0, 0, 0
	for n, m := range e.matched {
		shared := m.rule.match(m.conds, m.sels)
		a.members[n].a, a.members[n].match = a, shared
		if m.rule.joins() {
			joins, probes, vars = joins+1, probes+shared.probes, vars+len(m.rule.vars)
		}
	}
	if joins == 0 {
		return
	}
	known, places, bindings := make([]joined, joins), make([]place, probes), make([]*binding, vars) // in one piece each
	for n := range a.members {
		m := &a.members[n]
		if r := m.match.rule; r.joins() {
			m.joined, known = &known[0], known[1:]
			m.joined.places, places = places[:m.match.probes:m.match.probes], places[m.match.probes:]
			m.joined.bindings, bindings = bindings[:len(r.vars):len(r.vars)], bindings[len(r.vars):]
		}
	}
}

// instance finds or makes the instance of a rule that labels belong to.
func (e *Engine) instance(sp *space, p *program, l *labels) *instance {
	e.key = e.key[:0]
	for n := range p.by {
		e.key = prefixed.Append(e.key, p.by[n].of(l))
	}
	return e.instanceOf(sp, p)
}

// instanceOf finds or makes the instance of a rule whose key is in e.key.
func (e *Engine) instanceOf(sp *space, p *program) *instance {
	hash := p.hash(maphash.Bytes(seed, e.key))
	i := sp.instances.Find(hash, func(i *instance) bool { return i.rule == p && i.key == string(e.key) })
	if i != nil {
		return i
	}
	if p.special() { // in one piece
		x := &struct {
			instance
			own special
		}{}
		i = &x.instance
		i.special = &x.own
	} else {
		i = &instance{special: &plain}
	}
	i.rule, i.sp, i.key, i.idle = p, sp, string(e.key), true
	i.members = i.pair[:0]
	if n := len(p.conds) - len(i.few); n > 0 {
		i.many = make([]int32, n)
	}
	if p.Within > 0 {
		i.onsets = &onsets{lists: make([][]*member, len(p.conds))}
	}
	sp.idle++
	sp.instances.Insert(hash, i)
	return i
}

// finish ends a step. Instances open and close first, rank by rank, with those
// whose linger is over; then it is settled what is hidden and who is told.
func (e *Engine) finish() {
	start := len(e.out)
	for start > len(e.given) && nanos(e.out[start-1].At) == e.now { // late events of this step
		start--
	}
	for _, t := range e.orphans {
		t.At = instant(e.now)
		t.Alert.Labels = slices.Clone(t.Alert.Labels) // those of the composite: Refill writes over what it told
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
		e.out = slices.Grow(e.out, len(sp.touched))
		for _, a := range sp.touched {
			a.touched = false
			e.notify(a)
		}
		clear(sp.touched)
		sp.touched = sp.touched[:0]
		sp.hot = false
		sp.sweep()
		if sp.alerts.Len() == 0 && sp.instances.Len() == sp.idle && len(sp.silences) == 0 {
			delete(e.spaces, sp.tenant)
		}
	}
	clear(e.hot)
	e.hot = e.hot[:0]
	e.sortTransitions(e.out[start:])
}

// notify reports what changed for one alert in this step.
func (e *Engine) notify(a *alert) {
	hidden := a.isHidden()
	if hidden && a.sp.strict {
		for i := range a.covering() {
			if i.life != nil && !i.isMute() {
				i.life.suppressed[a.text()] = true
			}
		}
	}
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
		if !a.settling {
			a.settling = true
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

// report adds a transition of an alert as it stands.
func (e *Engine) report(k Kind, a *alert) {
	var room Labels
	if n := len(e.out); e.refill && n < cap(e.out) {
		room = e.out[:n+1][n].Alert.Labels
	}
	e.out = append(e.out, Transition{})
	t := &e.out[len(e.out)-1] // large: written where it stays
	t.At, t.Kind, t.Alert.Labels = instant(e.now), k, room
	a.show(&t.Alert)
	if a.of() != nil && (k == Open || k == Notify || k == Resolve) {
		if t.Composite = a.more.final; t.Composite == nil {
			t.Composite = a.more.of.view()
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
