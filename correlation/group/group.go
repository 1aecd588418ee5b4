package group

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/internal/heap"
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

// ErrTime is returned when instants go back or one is not set.
var ErrTime = errors.New("group: time goes back or is not set")

// Grouper bundles notifications. Make one with [New] or [Restore]. It is not safe for
// concurrent use.
//
// A transition costs the search of its routes, a notification the sorting of its
// group. Memory is that of the alerts that fire, once for each of their groups.
type Grouper struct {
	root    *route.Route
	opts    Options
	now     time.Time
	bundles map[identity]*bundle
	where   map[string][]*bundle // by alert, as appendAlert has it
	timers  []timer              // heap
	out     []Notification

	key, text []byte            // scratch
	labels    map[string]string // scratch
	only      []*route.Route    // the root, if there is nothing below it
}

// timer wakes for a bundle, if it is the one that counts.
type timer struct {
	at time.Time
	of *bundle
}

// Before orders by time, tenant, route and key.
func (t timer) Before(u timer) bool {
	if c := t.at.Compare(u.at); c != 0 {
		return c < 0
	}
	return compareBundles(t.of, u.of) < 0
}

// New makes a grouper of routes; nil stands for one receiver, "default", with all
// alerts of a tenant in one group. All problems are reported together.
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
			problems = append(problems, fmt.Errorf("option %s is %d, want 0 or more", x.name, x.n))
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
	g := &Grouper{root: root, opts: o, bundles: map[identity]*bundle{}, where: map[string][]*bundle{}, labels: map[string]string{}}
	if len(root.Routes()) == 0 {
		g.only = []*route.Route{root}
	}
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
	if at.IsZero() || at.Before(g.now) {
		return nil, fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), g.now.Format(time.RFC3339Nano))
	}
	last := g.now
	for n := range transitions {
		t := transitions[n].At
		if t.Before(last) || t.After(at) {
			return nil, fmt.Errorf("%w: transition %d at %s", ErrTime, n, t.Format(time.RFC3339Nano))
		}
		last = t
	}
	for n := range transitions {
		t := &transitions[n]
		if t.At.After(g.now) {
			g.run(t.At, false)
		}
		switch t.Kind {
		case correlation.Notify:
			g.notify(&t.Alert)
		case correlation.Resolve:
			g.key = appendAlert(g.key[:0], &t.Alert)
			for _, b := range slices.Backward(g.where[string(g.key)]) { // it may get shorter
				g.end(b, &t.Alert, g.key)
			}
		case correlation.Late, correlation.Open, correlation.Close, correlation.Suppress, correlation.Release:
		}
	}
	g.run(at, true)
	out := g.out
	g.out = nil
	return out, nil
}

// Next returns the next instant for which Apply should be called without transitions;
// false if there is none. It can be earlier than the next notification.
func (g *Grouper) Next() (time.Time, bool) {
	for len(g.timers) > 0 {
		if t := g.timers[0]; t.at.Equal(t.of.due) {
			return t.at, true
		}
		heap.Pop(&g.timers)
	}
	return time.Time{}, false
}

// wake plans a look at the due of a bundle.
func (g *Grouper) wake(b *bundle) { heap.Push(&g.timers, timer{b.due, b}) }

// run looks at what is due before an instant, and at it if inclusive, and moves there.
func (g *Grouper) run(at time.Time, inclusive bool) {
	for {
		due, ok := g.Next()
		if !ok || due.After(at) || due.Equal(at) && !inclusive {
			break
		}
		b := heap.Pop(&g.timers).of
		g.now = due
		g.look(b, due)
	}
	g.now = at.Round(0).UTC()
}

// notify puts an alert into the groups of its routes.
func (g *Grouper) notify(a *correlation.Alert) {
	routes := g.only
	if routes == nil {
		clear(g.labels)
		g.labels[correlation.NameLabel] = a.Name
		for _, l := range a.Labels {
			g.labels[l.Name] = l.Value
		}
		routes = g.root.Match(g.labels)
	}
	g.key = appendAlert(g.key[:0], a)
	for _, r := range routes {
		g.fire(g.bundle(a, r), a, g.key)
	}
}

// bundle finds or makes the group of an alert in a route.
func (g *Grouper) bundle(a *correlation.Alert, r *route.Route) *bundle {
	o := r.Options()
	g.text = appendGroup(g.text[:0], &o, a)
	b := g.bundles[identity{r, string(g.text)}]
	if b == nil {
		labels := a.LabelSet()
		b = &bundle{
			identity: identity{r, string(g.text)}, tenant: a.Tenant, path: r.Path(), routeKey: r.Key(), key: r.GroupKey(labels),
			options: o, labels: r.GroupLabels(labels), made: g.now, first: g.now.Add(o.GroupWait), members: map[string]*member{},
		}
		if g.opts.AtOnce && a.Since.Add(o.GroupWait).Before(g.now) {
			b.first = g.now
		}
		g.bundles[b.identity] = b
	}
	return b
}

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
			Tenant: b.tenant, Receiver: b.options.Receiver, Route: b.path, Key: b.key, Labels: b.labels, Since: b.made, Told: b.last,
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

// sorted returns all bundles by tenant, route and key.
func (g *Grouper) sorted() []*bundle {
	return slices.SortedFunc(maps.Values(g.bundles), compareBundles)
}

// sorted returns the alerts of a bundle by printed form.
func (b *bundle) sorted() []*member {
	list := slices.Collect(maps.Values(b.members))
	printAll(list)
	slices.SortFunc(list, compareMembers)
	return list
}
