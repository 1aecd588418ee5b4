package replay

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
)

// Sink takes those results of a log that grow with it, as they come. What it is given it may
// keep. The number is that of the alert: 0, 1 and so on in the order in which there was
// something to tell of them, composites among them, and the same throughout a replay.
type Sink interface {
	// Told takes what people are told, in its order.
	Told(number int, t Told)
	// Episode takes an episode when the next one of its alert begins, or the log ends. An
	// alert that the engine has forgotten and that comes back with an old Time may go on
	// with an episode that was taken before, which is then handed over again.
	Episode(number int, e Episode)
}

// Player replays a log that it is fed row by row. It holds the state of the engine, what a
// [Record] lists but for what its Sink takes, and of every alert that people were told of
// or that was hidden its name and last episode. Make one with [Setup.Play] or
// [Setup.PlayFrom]. It is not safe for concurrent use.
type Player struct {
	record   Record
	setup    Setup
	engine   *correlation.Engine
	sink     Sink
	until    time.Time // zero: the last arrival
	at       time.Time // of events
	fed      bool
	events   []correlation.Event // that wait for others of their instant
	subjects map[string]*subject // by tenant and identity
	inOrder  []*subject          // by number
	texts    map[string]string   // printed alerts, each once
	open     map[string]int      // composites by id
	list     []correlation.Transition
	key      []byte
}

// subject is an alert of which there is something to tell.
type subject struct {
	number int
	last   Episode
	noted  bool // there is a last episode
}

// OrderError says that an arrival is earlier than the one before it.
type OrderError struct {
	At, Before time.Time // of the arrival, and of the one before it
}

// Error gives both instants.
func (e *OrderError) Error() string {
	return fmt.Sprintf("arrival at %s after one at %s, want arrivals in order", e.At.Format(time.RFC3339Nano), e.Before.Format(time.RFC3339Nano))
}

// Play begins a replay to which [Player.Add] feeds a log and which [Player.End] ends: until
// is as for [Setup.Run], and sink takes what a record would list under Episodes and Told.
// The error is about rules and options.
func (s Setup) Play(until time.Time, sink Sink) (*Player, error) {
	s.Options.WholeLife = true
	engine, err := correlation.New(s.Rules, s.Options)
	if err != nil {
		return nil, err
	}
	return s.player(engine, until, sink), nil
}

// PlayFrom is Play from the state of a [Record.Snapshot] on, as [Setup.Resume] says.
func (s Setup) PlayFrom(state []byte, until time.Time, sink Sink) (*Player, error) {
	s.Options.WholeLife = true
	engine, err := correlation.Restore(s.Rules, s.Options, state)
	if err != nil {
		return nil, err
	}
	return s.player(engine, until, sink), nil
}

func (s Setup) player(engine *correlation.Engine, until time.Time, sink Sink) *Player {
	return &Player{setup: s, engine: engine, until: until, sink: sink, subjects: map[string]*subject{}, texts: map[string]string{}, open: map[string]int{}}
}

// Add takes the next arrival of the log; the map of its labels is kept until one of a later
// instant has come. What arrives after the end of the replay is left out. An arrival that is
// earlier than the one before it is an [*OrderError], and not taken. Any other error is that
// of [Setup.Run], after which the replay cannot go on.
func (p *Player) Add(a Arrival) error {
	if !p.until.IsZero() && a.At.After(p.until) {
		return nil
	}
	switch {
	case !p.fed:
		p.fed, p.at = true, a.At
		if err := p.start(a.At); err != nil {
			return err
		}
	case a.At.Before(p.at):
		return &OrderError{a.At, p.at}
	case a.At.After(p.at):
		if err := p.flush(); err != nil {
			return err
		}
		p.at = a.At
	}
	p.events = append(p.events, a.Event)
	return nil
}

// End lets time go on to the end of the replay and returns the record, without its Episodes
// and Told. The player cannot be used any more.
func (p *Player) End() (*Record, error) {
	until := p.until
	if p.fed {
		if err := p.flush(); err != nil {
			return nil, err
		}
		if until.IsZero() {
			until = p.at
		}
	} else {
		if until.IsZero() {
			until = p.engine.Now()
		}
		if err := p.start(until); err != nil {
			return nil, err
		}
	}
	if p.record.Until = until; !until.IsZero() {
		if err := p.step(until, nil); err != nil {
			return nil, err
		}
	}
	p.conclude()
	return &p.record, nil
}

// start sets up what stands behind the engine before the first instant.
func (p *Player) start(first time.Time) error {
	from := p.engine.Now()
	restored := !from.IsZero()
	if !restored {
		from = first
	}
	stages, err := newBehind(&p.setup, p.engine, from)
	if err != nil {
		return err
	}
	p.record.behind = stages
	if restored {
		if err := stages.recall(from); err != nil {
			return err
		}
	}
	for _, c := range p.engine.Composites() {
		p.open[c.ID] = len(p.record.Composites)
		p.record.Composites = append(p.record.Composites, Composite{Composite: c})
	}
	return nil
}

// flush applies all events of one instant together.
func (p *Player) flush() error {
	err := p.step(p.at, p.events)
	clear(p.events) // nobody keeps them
	p.events = p.events[:0]
	return err
}

// step goes to an instant, by way of those at which something changes by itself, where that
// matters, and applies its events.
func (p *Player) step(at time.Time, events []correlation.Event) error {
	for {
		due, ok := p.record.next(at)
		if !ok {
			return p.turn(at, events)
		}
		if err := p.turn(due, nil); err != nil {
			return err
		}
	}
}

// turn is one instant.
func (p *Player) turn(at time.Time, events []correlation.Event) error {
	changed, err := p.record.silence(at)
	if err != nil {
		return err
	}
	if len(changed) == 0 && p.record.passive() {
		p.list, err = p.engine.Refill(p.list, at, events...)
	} else {
		p.list, err = p.engine.Append(append(p.list[:0], changed...), at, events...)
	}
	for _, e := range unjoin(err) {
		if _, refused := e.(*correlation.EventError); !refused { //nolint:errorlint // it joins them as they are
			return e
		}
		p.record.Refused = append(p.record.Refused, e)
	}
	told, err := p.record.pass(at, events, p.list, func(a correlation.Alert, rule string) {
		p.episode(&a).hide(rule)
	})
	for i := range told {
		p.note(&told[i])
	}
	return err
}

// note writes down one transition.
func (p *Player) note(t *correlation.Transition) {
	switch t.Kind {
	case correlation.Open:
		p.open[t.Composite.ID] = len(p.record.Composites)
		p.record.Composites = append(p.record.Composites, Composite{Composite: *t.Composite})
	case correlation.Close:
		closed := Composite{*t.Composite, t.At}
		p.share(closed.Evidence)
		p.share(closed.Suppressed)
		if n, ok := p.open[t.Composite.ID]; ok {
			p.record.Composites[n] = closed
		} else { // of a rule that Resume was not given any more
			p.record.Composites = append(p.record.Composites, closed)
		}
		delete(p.open, t.Composite.ID)
	case correlation.Suppress:
		if !t.Alert.IsComposite() {
			p.episode(&t.Alert).hide(t.Alert.SuppressedBy...)
		}
	case correlation.Notify, correlation.Resolve:
		about := p.subject(&t.Alert)
		told := Told{At: t.At, Over: t.Kind == correlation.Resolve, Tenant: about.last.Tenant, Alert: about.last.Alert}
		switch {
		case t.Composite != nil:
			told.Title = t.Composite.Title
		case !told.Over:
			p.episode(&t.Alert).Told = t.At
		}
		p.sink.Told(about.number, told)
	case correlation.Release, correlation.Late: // a release is told of by its Notify
	}
}

// share keeps the same printed alert once.
func (p *Player) share(list []string) {
	for n, text := range list {
		if known, ok := p.texts[text]; ok {
			list[n] = known
		} else {
			p.texts[text] = text
		}
	}
}

// subject finds or makes that of an alert.
func (p *Player) subject(a *correlation.Alert) *subject {
	p.key = prefixed.Append(prefixed.Append(p.key[:0], a.Tenant), a.Name)
	for n := range a.Labels {
		p.key = prefixed.Append(prefixed.Append(p.key, a.Labels[n].Name), a.Labels[n].Value)
	}
	s := p.subjects[string(p.key)]
	if s == nil {
		s = &subject{number: len(p.inOrder), last: Episode{Tenant: a.Tenant, Alert: a.String(), Labels: slices.Clone(a.Labels), key: string(p.key)}}
		p.subjects[s.last.key] = s
		p.inOrder = append(p.inOrder, s)
	}
	return s
}

// episode finds or begins the episode of an alert.
func (p *Player) episode(a *correlation.Alert) *Episode {
	s := p.subject(a)
	if s.noted && !s.last.Since.Equal(a.Since) {
		p.sink.Episode(s.number, s.last)
		s.noted = false
	}
	if !s.noted {
		s.noted, s.last.Since, s.last.Told, s.last.HiddenBy = true, a.Since, time.Time{}, nil
	}
	return &s.last
}

// hide notes rules that have hidden the alert.
func (e *Episode) hide(rules ...string) {
	e.HiddenBy = append(e.HiddenBy, rules...)
	slices.Sort(e.HiddenBy)
	e.HiddenBy = slices.Compact(e.HiddenBy)
}

// conclude adds how things stand, and sorts what is listed.
func (p *Player) conclude() {
	r := &p.record
	r.Alerts, r.Stats = p.engine.Alerts(), p.engine.Stats()
	for n := range r.Alerts {
		a := &r.Alerts[n]
		r.conclude(a)
		if len(a.SuppressedBy) == 0 {
			continue
		}
		if s := p.subject(a); s.noted && s.last.Since.Equal(a.Since) { // what has hidden it since it was hidden is not reported
			s.last.hide(a.SuppressedBy...)
		}
	}
	for _, s := range p.inOrder {
		if s.noted {
			p.sink.Episode(s.number, s.last)
		}
	}
	for _, c := range p.engine.Composites() {
		r.Composites[p.open[c.ID]].Composite = c
	}
	slices.SortStableFunc(r.Composites, func(a, b Composite) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Tenant, b.Tenant))
	})
	sortAlerts(r.Alerts)
}

// sortAlerts sorts by printed form, then by tenant. The printed forms are made once.
func sortAlerts(list []correlation.Alert) {
	type printed struct {
		text string
		correlation.Alert
	}
	all := make([]printed, len(list))
	for n, a := range list {
		all[n] = printed{a.String(), a}
	}
	slices.SortStableFunc(all, func(a, b printed) int {
		return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(a.Tenant, b.Tenant))
	})
	for n := range all {
		list[n] = all[n].Alert
	}
}

// collector is a sink that lists all.
type collector struct {
	episodes []Episode
	places   map[episode]int
	told     []Told
}

// Told lists it.
func (c *collector) Told(_ int, t Told) { c.told = append(c.told, t) }

// Episode lists it, or goes on with one that is listed.
func (c *collector) Episode(_ int, e Episode) {
	n, ok := c.places[e.id()]
	if !ok {
		c.places[e.id()] = len(c.episodes)
		c.episodes = append(c.episodes, e)
		return
	}
	c.episodes[n].add(e)
}

// add goes on with an episode that was taken before.
func (e *Episode) add(more Episode) {
	if !more.Told.IsZero() {
		e.Told = more.Told
	}
	e.hide(more.HiddenBy...)
}

// play feeds a log that is held as a whole.
func (p *Player) play(log []Arrival) (*Record, error) {
	byArrival := func(a, b Arrival) int { return a.At.Compare(b.At) }
	if !slices.IsSortedFunc(log, byArrival) {
		log = slices.Clone(log) // which is the caller's, and large
		slices.SortStableFunc(log, byArrival)
	}
	c := &collector{places: map[episode]int{}}
	p.sink = c
	for n := range log {
		if err := p.Add(log[n]); err != nil {
			return nil, err
		}
	}
	r, err := p.End()
	if err != nil {
		return nil, err
	}
	r.Told, r.Episodes = c.told, c.episodes
	slices.SortStableFunc(r.Episodes, func(a, b Episode) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Alert, b.Alert), cmp.Compare(a.Tenant, b.Tenant))
	})
	return r, nil
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
