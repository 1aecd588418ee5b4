package group

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// identity names a bundle: by its route, the tenant and the labels of the group, or, if
// its route is gone, by all that it was. Every part of the text is preceded by its
// length.
type identity struct {
	route *route.Route // nil: the routes do not have it any more
	text  string
}

// appendPart appends a part of a text.
func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendGroup appends the text of the group of an alert in a route.
func appendGroup(b []byte, o *route.Options, a *correlation.Alert) []byte {
	b = appendPart(b, a.Tenant)
	if !o.GroupByAll {
		for _, name := range o.GroupBy {
			b = appendPart(b, label(a, name))
		}
		return b
	}
	b = appendPart(b, label(a, correlation.NameLabel))
	for _, l := range a.Labels {
		if l.Name != correlation.NameLabel {
			b = appendPart(appendPart(b, l.Name), l.Value)
		}
	}
	return b
}

// appendAlert appends the tenant and the identity of an alert.
func appendAlert(b []byte, a *correlation.Alert) []byte {
	b = appendPart(appendPart(b, a.Tenant), a.Name)
	for _, l := range a.Labels {
		b = appendPart(appendPart(b, l.Name), l.Value)
	}
	return b
}

// label returns a label of an alert as its LabelSet has it.
func label(a *correlation.Alert, name string) string {
	v := a.Labels.Get(name)
	if v == "" && name == correlation.NameLabel {
		return a.Name
	}
	return v
}

// bundle is one group of alerts.
type bundle struct {
	identity
	tenant   string
	path     string // of the route
	routeKey string // Key of the route
	key      string // GroupKey
	options  route.Options
	labels   map[string]string
	made     time.Time
	first    time.Time // not told before
	base     time.Time // the first look that opened it, from which intervals count; zero before
	looked   time.Time // the last look at which something was due
	last     time.Time // told
	members  map[string]*member
	firing   int // members
	fresh    int // of those, not told
	owed     int // members that were told and are over
	kinds    map[string]int
	due      time.Time // of the timer that counts, zero: none
}

// compareBundles orders by tenant, route and key.
func compareBundles(a, b *bundle) int {
	if c := strings.Compare(a.tenant, b.tenant); c != 0 {
		return c
	}
	if c := strings.Compare(a.path, b.path); c != 0 {
		return c
	}
	return strings.Compare(a.key, b.key)
}

// member is one alert in one bundle: it fires, or was told and is over.
type member struct {
	alert  correlation.Alert
	key    string // as appendAlert has it
	text   string // its printed form, once it was needed
	firing bool
	told   bool
	state  State // in the notification that is being written
}

// kind is what makes alerts different, for [Options.OpenAtDifferent].
func (g *Grouper) kind(a *correlation.Alert) string {
	return label(a, cmp.Or(g.opts.DifferentBy, correlation.NameLabel))
}

// count adds a firing alert, or takes it off with -1.
func (g *Grouper) count(b *bundle, m *member, d int) {
	b.firing += d
	if !m.told {
		b.fresh += d
	} else {
		b.owed -= d
	}
	if g.opts.OpenAtDifferent > 0 {
		kind := g.kind(&m.alert)
		if b.kinds == nil {
			b.kinds = map[string]int{}
		}
		if b.kinds[kind] += d; b.kinds[kind] == 0 {
			delete(b.kinds, kind)
		}
	}
}

// fire puts an alert in.
func (g *Grouper) fire(b *bundle, a *correlation.Alert, key []byte) {
	m := b.members[string(key)]
	switch {
	case m == nil:
		m = &member{alert: *a, key: string(key), firing: true}
		b.members[m.key] = m
		g.where[m.key] = append(g.where[m.key], b)
		g.count(b, m, 1)
	case m.firing: // the source told it twice
		m.alert = *a
	default: // it was told and is back before its end was
		m.firing, m.alert = true, *a
		g.count(b, m, 1)
	}
	g.schedule(b)
}

// end notes that an alert is over.
func (g *Grouper) end(b *bundle, a *correlation.Alert, key []byte) {
	m := b.members[string(key)]
	if m == nil || !m.firing {
		return
	}
	g.count(b, m, -1)
	m.firing = false
	if m.told {
		m.alert = *a
	} else {
		g.forget(b, m)
	}
	g.schedule(b)
}

// forget takes an alert out.
func (g *Grouper) forget(b *bundle, m *member) {
	delete(b.members, m.key)
	list := g.where[m.key]
	if n := slices.Index(list, b); n >= 0 {
		list = slices.Delete(list, n, n+1)
	}
	if len(list) == 0 {
		delete(g.where, m.key)
	} else {
		g.where[m.key] = list
	}
}

// enough reports whether there is enough in a bundle to open it.
func (g *Grouper) enough(b *bundle) bool {
	n, k := g.opts.OpenAt, g.opts.OpenAtDifferent
	return n == 0 && k == 0 || n > 0 && b.firing >= n || k > 0 && len(b.kinds) >= k
}

// look tells of a bundle what is to be told at an instant.
func (g *Grouper) look(b *bundle, at time.Time) {
	b.due = time.Time{}
	opened := !b.base.IsZero()
	switch {
	case len(b.members) == 0:
		delete(g.bundles, b.identity)
		return
	case !opened && !g.enough(b): // it waits for more
		return
	case !opened:
		b.base = at
	}
	muted := g.muted(b, at)
	repeat := b.fresh < b.firing && !at.Before(b.last.Add(b.options.RepeatInterval))
	if b.fresh == 0 && b.owed == 0 && !repeat {
		g.schedule(b)
		return
	}
	b.looked = at
	known := b.firing-b.fresh+b.owed > 0
	news := b.fresh > 0 && !muted
	n := Notification{
		At: at, Tenant: b.tenant, Receiver: b.options.Receiver, Route: b.path, Key: b.key, Labels: b.labels, Since: b.made,
		Firing: b.firing - b.fresh, Ended: b.owed,
	}
	if news {
		n.Firing = b.firing
	}
	switch {
	case news && !known:
		n.Kind = First
	case n.Firing == 0 && b.owed > 0:
		n.Kind = Resolved
	case news || b.owed > 0:
		n.Kind = Change
	case repeat && !muted && !g.quiet(b, at):
		n.Kind = Repeat
	}
	if n.Kind != "" {
		g.tell(b, n, news)
	}
	if len(b.members) == 0 {
		delete(g.bundles, b.identity)
		return
	}
	g.schedule(b)
}

// tell writes a notification, with what was not told before if news is set.
func (g *Grouper) tell(b *bundle, n Notification, news bool) {
	list := make([]*member, 0, n.Firing+n.Ended)
	for _, m := range b.members {
		switch {
		case !m.firing:
			m.state = Ended
		case m.told:
			m.state = Still
		case news:
			m.state = Begun
		default:
			continue
		}
		list = append(list, m)
	}
	for _, m := range list {
		switch m.state {
		case Begun:
			m.told = true
			b.fresh--
		case Ended:
			b.owed--
			g.forget(b, m)
		case Still:
		}
	}
	b.last = n.At
	n.list(list, g.opts.MaxAlerts)
	g.out = append(g.out, n)
}

// muted reports whether the time intervals of the route mute it.
func (g *Grouper) muted(b *bundle, at time.Time) bool {
	if b.route == nil {
		return false
	}
	m, _ := b.route.Muting(g.opts.Intervals, at) // the names were checked by New
	return m.Muted
}

// quiet reports whether nobody wants to hear again of what fires.
func (g *Grouper) quiet(b *bundle, at time.Time) bool {
	if g.opts.Quiet == nil {
		return false
	}
	for _, m := range b.members {
		if m.told && m.firing && !g.opts.Quiet(m.alert, at) {
			return false
		}
	}
	return true
}

// schedule sees to it that a bundle is looked at in time. An earlier look that is
// planned already stays: it finds nothing to tell.
func (g *Grouper) schedule(b *bundle) {
	var due time.Time
	switch {
	case b.base.IsZero() && g.now.Before(b.first):
		due = b.first
	case b.base.IsZero() && (len(b.members) == 0 || g.enough(b)):
		due = g.now
	case b.base.IsZero():
		return // it waits for more
	case b.fresh > 0 || b.owed > 0 || len(b.members) == 0:
		due = b.tick(g.now)
	default:
		due = b.tick(b.last.Add(b.options.RepeatInterval))
	}
	if b.due.IsZero() || due.Before(b.due) {
		b.due = due
		g.wake(b)
	}
}

// tick returns the first instant at which the bundle is looked at, not before from and
// after the last look.
func (b *bundle) tick(from time.Time) time.Time {
	if n := b.looked.Add(1); from.Before(n) {
		from = n
	}
	every := b.options.GroupInterval
	at := b.base.Add(max(from.Sub(b.base), 0) / every * every)
	if at.Before(from) {
		at = at.Add(every)
	}
	return at
}
