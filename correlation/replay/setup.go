package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

// Setup is what a log is put through: the rules, and what stands between them and people.
type Setup struct {
	Rules   []correlation.Rule
	Options correlation.Options
	// Silences hold notifications back, each from its Start on, or from the first instant if
	// it has none. One that is over by then does not count. Defaults to none.
	Silences []silence.Silence
	// Inhibit are rules as those of an Alertmanager. A notification that they mute is held
	// back and told when they do not mute it any more; an alert that is held back still is
	// a source. For them the layer of an alert is the label layer, and the rest of its name
	// the label alertname. Composites are neither sources nor muted. Defaults to none.
	Inhibit []inhibit.Rule
}

// Run applies arrivals, in order of their instants and else as they stand, and then
// time until an instant: zero stands for the last arrival; what arrives later is left
// out. The error is about the setup, or that the log does not fit into the times that an
// engine knows; refused events are in the record.
func (s Setup) Run(log []Arrival, until time.Time) (*Record, error) {
	p, err := s.Play(until, nil)
	if err != nil {
		return nil, err
	}
	return p.play(log)
}

// Resume is Run from the state of a [Record.Snapshot] on. What arrives before its
// instant is an error. Composites that were open then are in the record; alerts of
// which people were told before are told of only when they end. The state does not say
// what silences and inhibition held back: what they mute at its instant counts as not told.
func (s Setup) Resume(state []byte, log []Arrival, until time.Time) (*Record, error) {
	p, err := s.PlayFrom(state, until, nil)
	if err != nil {
		return nil, err
	}
	return p.play(log)
}

// behind is what stands behind an engine in a replay.
type behind struct {
	engine   *correlation.Engine
	silencer *silence.Silencer // nil: no silences
	inForce  []correlation.Silence
	resumed  bool // the engine may know of silences of the state
	rules    []inhibit.Rule
	tenants  map[string]*inhibited
}

// inhibited is what the rules of an Alertmanager do in one tenant.
type inhibited struct {
	sources *inhibit.Inhibitor
	held    map[string]*muted // by key of the alert
	look    bool              // something may be told
}

// muted is a notification that is held back.
type muted struct {
	transition correlation.Transition
	labels     map[string]string
	hidden     bool // rules hide the alert as well
}

// newBehind puts silences in force from an instant on.
func newBehind(s *Setup, engine *correlation.Engine, from time.Time) (*behind, error) {
	b := &behind{engine: engine, rules: s.Inhibit, tenants: map[string]*inhibited{}}
	if _, err := inhibit.New(s.Inhibit); err != nil {
		return nil, err
	}
	if len(s.Silences) > 0 && !from.IsZero() {
		b.silencer = silence.New(silence.Options{})
		for _, v := range s.Silences {
			if err := v.Validate(); err != nil {
				return nil, err
			}
			if !v.End.IsZero() && !v.End.After(from) {
				continue
			}
			if _, err := b.silencer.Add(from, v); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// recall gives what an engine was restored with to what stands behind it.
func (b *behind) recall(from time.Time) error {
	b.resumed = true
	var told []correlation.Transition
	for _, a := range b.engine.Alerts() {
		if !a.Active {
			continue
		}
		if err := b.source(from, &a); err != nil {
			return err
		}
		if a.Notified && len(a.SuppressedBy) == 0 {
			told = append(told, correlation.Transition{At: from, Kind: correlation.Notify, Alert: a})
		}
	}
	_, err := b.pass(from, nil, told, nil)
	return err
}

// passive reports whether nothing keeps or changes what the engine reports.
func (b *behind) passive() bool { return b.silencer == nil && len(b.rules) == 0 }

// next returns the next instant before one at which something may change by itself. The
// engine is stepped from one to the next only where what is told depends on it.
func (b *behind) next(before time.Time) (time.Time, bool) {
	var first time.Time
	look := func(at time.Time, ok bool) {
		if ok && at.Before(before) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if b.silencer != nil {
		look(b.silencer.NextWake())
	}
	if len(b.rules) > 0 {
		look(b.engine.NextWake())
	}
	return first, !first.IsZero()
}

// silence tells the engine of silences that begin or end at an instant. Those of a state
// count no more than the setup says.
func (b *behind) silence(at time.Time) ([]correlation.Transition, error) {
	if b.silencer == nil && !b.resumed {
		return nil, nil
	}
	var now []correlation.Silence
	if b.silencer != nil {
		now = b.silencer.InForce(at)
	}
	if !b.resumed && slices.EqualFunc(now, b.inForce, func(x, y correlation.Silence) bool { return x.Tenant == y.Tenant && x.ID == y.ID }) {
		return nil, nil
	}
	b.inForce, b.resumed = now, false
	return b.engine.Silence(at, now...)
}

// pass takes what an engine reports of events at an instant and returns what is told.
// muted is called with every alert that is held back by a rule of an Alertmanager.
func (b *behind) pass(at time.Time, events []correlation.Event, list []correlation.Transition, muted func(a correlation.Alert, rule string)) ([]correlation.Transition, error) {
	if b.silencer != nil {
		var err error
		if list, err = b.silencer.Apply(at, list...); err != nil {
			return nil, err
		}
	}
	if len(b.rules) == 0 {
		return list, nil
	}
	for _, tn := range b.tenants { // what ends by itself, before anything that comes
		before := tn.sources.Active()
		if err := tn.sources.Apply(at); err != nil {
			return nil, err
		}
		tn.look = tn.look || tn.sources.Active() < before
	}
	for n := range events {
		ev := &events[n]
		if a, ok := b.engine.Alert(ev.Tenant, ev.Alert, ev.Labels); ok {
			if err := b.source(at, &a); err != nil {
				return nil, err
			}
		}
	}
	for _, tn := range b.tenants {
		tn.look = len(tn.held) > 0 && (tn.look || len(events) == 0 || b.silencer != nil)
	}
	var out []correlation.Transition
	for n := range list {
		if t := &list[n]; t.Composite != nil || b.take(t, muted) {
			out = append(out, *t)
		}
	}
	return append(out, b.release(at)...), nil
}

// tenant finds or makes a tenant.
func (b *behind) tenant(name string) *inhibited {
	tn := b.tenants[name]
	if tn == nil {
		sources, _ := inhibit.New(b.rules) // they were checked by newBehind
		tn = &inhibited{sources: sources, held: map[string]*muted{}}
		b.tenants[name] = tn
	}
	return tn
}

// source notes an alert as it stands.
func (b *behind) source(at time.Time, a *correlation.Alert) error {
	if len(b.rules) == 0 {
		return nil
	}
	tn := b.tenant(a.Tenant)
	x := inhibit.Alert{Labels: inhibitLabels(a), Ends: a.Ends}
	switch {
	case !a.Active:
		x.Ends, tn.look = at, true
	case x.Ends.IsZero():
		x.Ends = at.AddDate(1000, 0, 0) // until it is resolved
	}
	return tn.sources.Apply(at, x)
}

// inhibitLabels is what rules of an Alertmanager see of an alert.
func inhibitLabels(a *correlation.Alert) map[string]string {
	l := a.Labels.Map()
	if l == nil {
		l = map[string]string{}
	}
	l["layer"], l["alertname"], _ = strings.Cut(a.Name, ".")
	return l
}

// take reports whether a transition is told, or holds it back.
func (b *behind) take(t *correlation.Transition, note func(a correlation.Alert, rule string)) bool {
	tn := b.tenant(t.Alert.Tenant)
	key := t.Alert.Key()
	h := tn.held[key]
	switch t.Kind {
	case correlation.Notify:
		labels := inhibitLabels(&t.Alert)
		if rule, is := tn.sources.Mutes(labels); is {
			tn.held[key] = &muted{transition: *t, labels: labels}
			if note != nil {
				note(t.Alert, b.name(rule))
			}
			return false
		}
		delete(tn.held, key)
	case correlation.Resolve:
		delete(tn.held, key)
		return h == nil
	case correlation.Suppress, correlation.Release:
		if h != nil {
			h.hidden = t.Kind == correlation.Suppress
			tn.look = true
		}
	case correlation.Late, correlation.Open, correlation.Close:
	}
	return true
}

// name is that of a rule, or its place.
func (b *behind) name(rule int) string {
	return cmp.Or(b.rules[rule].Name, fmt.Sprintf("inhibit_rules[%d]", rule))
}

// release tells what nothing holds back any more, by tenant and printed form.
func (b *behind) release(at time.Time) []correlation.Transition {
	var out []correlation.Transition
	for _, tn := range b.tenants {
		if !tn.look {
			continue
		}
		tn.look = false
		for key, h := range tn.held {
			_, is := tn.sources.Mutes(h.labels)
			if is || h.hidden || b.silencer != nil && b.silencer.Mutes(h.transition.Alert, at) {
				continue
			}
			delete(tn.held, key)
			h.transition.At = at
			out = append(out, h.transition)
		}
	}
	slices.SortFunc(out, func(x, y correlation.Transition) int {
		return cmp.Or(strings.Compare(x.Alert.Tenant, y.Alert.Tenant), strings.Compare(x.Alert.String(), y.Alert.String()), strings.Compare(x.Alert.Key(), y.Alert.Key()))
	})
	return out
}

// conclude notes in an alert what stands behind the engine makes of it.
func (b *behind) conclude(a *correlation.Alert) {
	if !a.Active {
		return
	}
	if b.silencer != nil && !b.silencer.Why(*a).Held.IsZero() {
		a.Notified = false
	}
	if len(b.rules) == 0 {
		return
	}
	tn := b.tenant(a.Tenant)
	if tn.held[a.Key()] != nil {
		a.Notified = false
	}
	if rule, is := tn.sources.Mutes(inhibitLabels(a)); is {
		a.SuppressedBy = append(slices.Clone(a.SuppressedBy), b.name(rule))
	}
}
