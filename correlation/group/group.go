package group

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/labelset"
	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/internal/heap"
	"github.com/evenkeelops/evenkeel/internal/table"
)

// Options of a Grouper. The zero value is ready to use.
type Options struct {
	// OpenAt keeps a group quiet until this many of its alerts fire at one time, and
	// OpenAtDifferent until this many different ones do; with both, either is enough. It
	// is told when that is so, and not before its wait is over; then it stays open to its
	// end. Default to 0, which is no condition.
	OpenAt          int `json:"open_at,omitempty"`
	OpenAtDifferent int `json:"open_at_different,omitempty"`
	// DifferentBy is the label by whose values alerts are different. Defaults to their
	// names.
	DifferentBy string `json:"different_by,omitempty"`
	// MaxAlerts limits the alerts that one notification lists. Defaults to 0, no limit.
	MaxAlerts int `json:"max_alerts,omitempty"`
	// AtOnce tells a new group at once if its first alert began longer ago than the wait,
	// as Alertmanager does. Defaults to false: the wait counts from when the group was
	// made, for what belongs to an old alert may still be on its way.
	AtOnce bool `json:"at_once,omitempty"`
	// Intervals are the time intervals that routes name. A muted route tells nothing but
	// ends; the rest is told at the first look after that.
	Intervals interval.Set `json:"intervals,omitempty"`
	// Quiet reports that nobody wants to hear again of an alert that was told: a group of
	// such alone is not repeated. silence.Silencer.Mutes is one. Defaults to nil.
	Quiet func(a correlation.Alert, at time.Time) bool `json:"-"`
}

// ErrTime is returned when instants go back, or one is not set or out of range (years 1897
// to 2188, as for an engine).
var ErrTime = errors.New("group: time goes back, is not set or out of range")

// Grouper bundles notifications. Make one with [New] or [Restore]. It is not safe for
// concurrent use.
//
// A transition costs the search of its routes and a look-up for each of its groups, a
// notification the sorting of its group. Memory is that of the alerts that fire, once for
// each of their groups.
type Grouper struct {
	places   map[*route.Route]*place
	opts     Options
	now      int64 // 0 before the first call
	bundles  table.Table[bundle]
	stats    Stats
	restored map[owned][]within // members that came with Restore; nil without
	shapes   labelset.Shapes    // of the labels of all members
	timers   []timer            // heap
	out      []Notification

	root   *route.Route
	alone  *place                   // of the root, if there is nothing below it
	routes []*route.Route           // scratch
	due    []*bundle                // scratch
	list   []*member                // scratch
	asked  *correlation.Alert       // scratch, of which get tells
	get    func(name string) string // a label of asked
	labels labelset.Asked           // scratch, of the alert that is put in or taken out
	key    []byte                   // scratch
}

// within is a member with its bundle.
type within struct {
	b *bundle
	m *member
}

// timer wakes for a bundle, if it is the one that counts.
type timer struct {
	at int64
	of *bundle
}

// Before orders by time.
func (t timer) Before(u timer) bool { return t.at < u.at }

// New makes a grouper of routes; nil stands for one receiver, "default", with all
// alerts of a tenant in one group. All problems are reported together, numbers out of range
// as [*correlation.OptionError] values.
func New(root *route.Route, o Options) (*Grouper, error) {
	if root == nil {
		root, _ = route.New(route.Node{Receiver: "default"}) // nothing in it can be wrong
	}
	var problems []error
	for _, x := range []struct {
		name string
		n    int
	}{{"OpenAt", o.OpenAt}, {"OpenAtDifferent", o.OpenAtDifferent}, {"MaxAlerts", o.MaxAlerts}} {
		if x.n < 0 {
			problems = append(problems, &correlation.OptionError{Option: x.name, Value: x.n, Want: "0 or more"})
		}
	}
	for r := range root.All() {
		for _, name := range slices.Concat(r.Options().ActiveTimeIntervals, r.Options().MuteTimeIntervals) {
			if _, ok := o.Intervals[name]; !ok {
				problems = append(problems, fmt.Errorf("option Intervals: %s names %q: %w", r.Path(), name, interval.ErrUnknown))
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	g := &Grouper{root: root, opts: o, places: map[*route.Route]*place{}}
	for r := range root.All() {
		g.places[r] = placeOf(r)
	}
	if len(root.Routes()) == 0 {
		g.alone = g.places[root]
	}
	g.get = func(name string) string { return label(g.asked, name) }
	return g, nil
}

// Apply moves to the instant at and takes transitions that came up to it, in their
// order, of which Notify and Resolve count. It returns what is to be told, in the order
// of time, then of tenant, route and key.
//
// A group is looked at after the transitions of that instant, whatever their order, so
// hand those of one instant over in one call. The error is [ErrTime] if instants go
// back or lie after at; nothing has happened then.
func (g *Grouper) Apply(at time.Time, transitions ...correlation.Transition) ([]Notification, error) {
	now := instant.Of(at)
	if !instant.InRange(at) || now < g.now {
		return nil, fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), instant.Time(g.now).Format(time.RFC3339Nano))
	}
	last := g.now
	for n := range transitions {
		at := transitions[n].At
		t := instant.Of(at)
		if !instant.InRange(at) || t < last || t > now {
			return nil, fmt.Errorf("%w: transition %d at %s", ErrTime, n, at.Format(time.RFC3339Nano))
		}
		last = t
	}
	for n := range transitions {
		t := &transitions[n]
		if at := instant.Of(t.At); at > g.now {
			g.run(at, false)
		}
		switch t.Kind {
		case correlation.Notify:
			g.notify(&t.Alert)
		case correlation.Resolve:
			g.resolve(&t.Alert)
		case correlation.Late, correlation.Open, correlation.Close, correlation.Suppress, correlation.Release:
		}
	}
	g.run(now, true)
	out := g.out
	g.out = nil
	return out, nil
}

// NextWake returns the next instant for which Apply should be called without transitions;
// false if there is none. It can be earlier than the next notification.
func (g *Grouper) NextWake() (time.Time, bool) {
	due, ok := g.next()
	return instant.Time(due), ok
}

// next is NextWake within.
func (g *Grouper) next() (int64, bool) {
	for len(g.timers) > 0 {
		if t := g.timers[0]; t.at == t.of.due {
			return t.at, true
		}
		heap.Pop(&g.timers)
	}
	return 0, false
}

// run looks at what is due before an instant, and at it if inclusive, and moves there.
func (g *Grouper) run(at int64, inclusive bool) {
	for {
		due, ok := g.next()
		if !ok || due > at || due == at && !inclusive {
			break
		}
		g.now = due
		// A look plans the next one later than this, so those of one instant can be put
		// into their order first.
		list := g.due[:0]
		for t, ok := due, true; ok && t == due; t, ok = g.next() {
			b := heap.Pop(&g.timers).of
			b.due = 0
			list = append(list, b)
		}
		slices.SortFunc(list, compareBundles)
		g.out = slices.Grow(g.out, len(list))
		for _, b := range list {
			g.look(b, due)
		}
		clear(list)
		g.due = list
	}
	g.now = at
}

// placesOf calls yield with the places of the routes that take an alert.
func (g *Grouper) placesOf(a *correlation.Alert, yield func(*place)) {
	if g.alone != nil {
		yield(g.alone)
		return
	}
	g.asked = a
	g.routes = g.root.AppendMatches(g.routes[:0], g.get)
	g.asked = nil
	for _, r := range g.routes {
		yield(g.places[r])
	}
}

// notify puts an alert into the groups of its routes.
func (g *Grouper) notify(a *correlation.Alert) {
	g.shapes.Ask(&g.labels, a.Labels)
	g.placesOf(a, func(p *place) { g.fire(g.bundle(p, a), a) })
}

// resolve ends an alert in the groups of its routes, and where it was when the grouper
// was restored, perhaps with other routes.
func (g *Grouper) resolve(a *correlation.Alert) {
	g.placesOf(a, func(p *place) {
		if b, _ := g.find(p.ward(a.Tenant), a); b != nil {
			g.shapes.Ask(&g.labels, a.Labels)
			if m := g.member(b, a.Name); m != nil {
				g.end(b, m, a)
			}
		}
	})
	if len(g.restored) == 0 {
		return
	}
	if g.shapes.Ask(&g.labels, a.Labels); !g.labels.Known() {
		return
	}
	for _, x := range slices.Clone(g.restored[owned{a.Tenant, identity{a.Name, g.labels.Set()}}]) { // it may get shorter
		g.end(x.b, x.m, a)
	}
}

// Stats says how much a Grouper holds.
type Stats struct {
	Groups int `json:"groups"` // those that wait for enough included
	Alerts int `json:"alerts"` // that fire, once for each of their groups
}

// Stats returns how much is held. It costs nothing, unlike [Grouper.Groups].
func (g *Grouper) Stats() Stats { return g.stats }

// Group is one group as it stands.
type Group struct {
	Tenant   string              `json:"tenant,omitempty"`
	Receiver string              `json:"receiver"`
	Route    string              `json:"route"`
	Key      string              `json:"key"`
	Labels   map[string]string   `json:"labels,omitempty"`
	Since    time.Time           `json:"since"`
	Told     time.Time           `json:"told,omitzero"` // last; zero if it never was
	Alerts   []correlation.Alert `json:"alerts"`        // that fire, by printed form
}

// Groups returns all groups by tenant, route and key.
func (g *Grouper) Groups() []Group {
	var list []Group
	for _, b := range g.sorted() {
		x := Group{
			Tenant: b.tenant, Receiver: b.options.Receiver, Route: b.path, Key: b.groupKey(), Labels: b.labels(), Since: instant.Time(b.made), Told: instant.Time(b.last),
			Alerts: []correlation.Alert{},
		}
		for _, m := range b.sorted() {
			if m.firing {
				x.Alerts = append(x.Alerts, m.alert)
			}
		}
		list = append(list, x)
	}
	return list
}
