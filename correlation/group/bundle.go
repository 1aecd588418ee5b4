package group

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// place is where the alerts of a route go. It is made once, so that no alert asks the
// route for its options again.
type place struct {
	route   *route.Route // nil: the routes do not have it any more
	path    string       // of the route
	key     string       // Key of the route
	options *route.Options
	seed    uint64 // tells hashes of the groups of one place from those of another
}

// placeOf makes the place of a route.
func placeOf(r *route.Route) *place {
	o := r.Options()
	return &place{route: r, path: r.Path(), key: r.Key(), options: &o, seed: maphash.String(seed, r.Path())}
}

// seed of the hashes. Nothing that is told depends on them.
var seed = maphash.MakeSeed()

// mix puts another text into a hash.
func mix(h uint64, s string) uint64 { return (h ^ maphash.String(seed, s)) * 0x9e3779b97f4a7c15 }

// values yields what makes the group of an alert in this place: the values of the labels
// of the group, or of GroupByAll names and values of all labels, the name first.
func (p *place) values(a *correlation.Alert, yield func(string) bool) {
	if !p.options.GroupByAll {
		for _, name := range p.options.GroupBy {
			if !yield(label(a, name)) {
				return
			}
		}
		return
	}
	if !yield(label(a, correlation.NameLabel)) {
		return
	}
	for _, l := range a.Labels {
		if l.Name != correlation.NameLabel && (!yield(l.Name) || !yield(l.Value)) {
			return
		}
	}
}

// hash is that of the group of an alert.
func (p *place) hash(a *correlation.Alert) uint64 {
	h := mix(p.seed, a.Tenant)
	p.values(a, func(s string) bool {
		h = mix(h, s)
		return true
	})
	return h
}

// label returns a label of an alert as its LabelSet has it.
func label(a *correlation.Alert, name string) string {
	for n := range a.Labels {
		if l := &a.Labels[n]; l.Name == name {
			return l.Value
		}
	}
	if name == correlation.NameLabel {
		return a.Name
	}
	return ""
}

// bundle is one group of alerts. It is named by its place, the tenant and the values,
// or, if its route is gone, by place and key.
type bundle struct {
	*place
	tenant  string
	values  []string // as place.values has them
	hash    uint64
	next    *bundle           // of the same hash
	text    string            // GroupKey, once it was needed
	set     map[string]string // labels, once they were needed
	made    int64
	first   int64              // not told before
	base    int64              // the first look that opened it, from which intervals count; 0 before
	looked  int64              // the last look at which something was due, 0: none
	last    int64              // told, 0: never
	members []*member          // in any order
	index   map[uint64]*member // of many, by hash, the first of a chain
	firing  int                // members
	fresh   int                // of those, not told
	owed    int                // members that were told and are over
	kinds   map[string]int
	due     int64      // of the timer that counts, 0: none
	few     [2]*member // room for the members of most
	room    [3]string  // for the values of most
}

// holds reports whether an alert belongs to the bundle.
func (b *bundle) holds(p *place, a *correlation.Alert) bool {
	if b.place != p || b.tenant != a.Tenant {
		return false
	}
	if !p.options.GroupByAll {
		for n, name := range p.options.GroupBy {
			if b.values[n] != label(a, name) {
				return false
			}
		}
		return true
	}
	n := 0
	p.values(a, func(s string) bool {
		if n >= len(b.values) || b.values[n] != s {
			n = -1
			return false
		}
		n++
		return true
	})
	return n == len(b.values)
}

// groupKey returns the GroupKey that the route has for the group.
func (b *bundle) groupKey() string {
	if b.text != "" || b.values == nil { // it was needed, or the route is gone
		return b.text
	}
	text := append([]byte(b.key), ":{"...)
	sep := ""
	b.each(func(name, value string) {
		text = append(append(append(text, sep...), name...), '=')
		text = strconv.AppendQuote(text, value)
		sep = ", "
	})
	b.text = string(append(text, '}'))
	return b.text
}

// each calls yield with the labels of the group that are not empty, by name. It is not
// for groups whose route is gone: those have their labels and no values.
func (b *bundle) each(yield func(name, value string)) {
	if !b.options.GroupByAll {
		for n, name := range b.options.GroupBy {
			if b.values[n] != "" {
				yield(name, b.values[n])
			}
		}
		return
	}
	first := b.values[0] != "" // the name of the alert is to come
	for n := 1; n < len(b.values); n += 2 {
		if first && b.values[n] > correlation.NameLabel {
			yield(correlation.NameLabel, b.values[0])
			first = false
		}
		yield(b.values[n], b.values[n+1])
	}
	if first {
		yield(correlation.NameLabel, b.values[0])
	}
}

// labels returns the labels of the group.
func (b *bundle) labels() map[string]string {
	if b.set == nil {
		b.set = make(map[string]string, len(b.values))
		b.each(func(name, value string) { b.set[name] = value })
	}
	return b.set
}

// compareBundles orders by tenant, route and key.
func compareBundles(a, b *bundle) int {
	if c := strings.Compare(a.tenant, b.tenant); c != 0 {
		return c
	}
	if c := strings.Compare(a.path, b.path); c != 0 {
		return c
	}
	return strings.Compare(a.groupKey(), b.groupKey())
}

// find returns the bundle of an alert in a place among those of its hash, nil if there is
// none.
func find(b *bundle, p *place, a *correlation.Alert) *bundle {
	for b != nil && !b.holds(p, a) {
		b = b.next
	}
	return b
}

// insert makes a bundle known, before the others of its hash.
func (g *Grouper) insert(b, others *bundle) {
	b.next = others
	g.bundles[b.hash] = b
	g.stats.Groups++
}

// remove forgets a bundle.
func (g *Grouper) remove(b *bundle) {
	g.stats.Groups--
	if first := g.bundles[b.hash]; first != b {
		for first.next != b {
			first = first.next
		}
		first.next = b.next
	} else if b.next == nil {
		delete(g.bundles, b.hash)
	} else {
		g.bundles[b.hash] = b.next
	}
}

// bundle finds or makes the group of an alert in a place.
func (g *Grouper) bundle(p *place, a *correlation.Alert) *bundle {
	hash := p.hash(a)
	others := g.bundles[hash]
	b := find(others, p, a)
	if b == nil {
		b = &bundle{place: p, hash: hash, tenant: a.Tenant, made: g.now, first: after(g.now, p.options.GroupWait)}
		b.setValues(a)
		if g.opts.AtOnce && a.Since.Add(p.options.GroupWait).Before(instant(g.now)) {
			b.first = g.now
		}
		g.insert(b, others)
	}
	return b
}

// setValues takes the values of the group from one of its alerts.
func (b *bundle) setValues(a *correlation.Alert) {
	n := len(b.options.GroupBy)
	if b.options.GroupByAll {
		n = 1 + 2*len(a.Labels)
	}
	if b.values = b.room[:0]; n > len(b.room) {
		b.values = make([]string, 0, n)
	}
	b.place.values(a, func(s string) bool {
		b.values = append(b.values, s)
		return true
	})
}

// member is one alert in one bundle: it fires, or was told and is over.
type member struct {
	alert  correlation.Alert
	text   string  // its printed form, once it was needed
	next   *member // of the same hash
	at     int32   // in bundle.members
	firing bool
	told   bool
	rank   rank // in the notification that is being written
}

// same reports whether two alerts have the same tenant and identity.
func same(a, b *correlation.Alert) bool {
	if len(a.Labels) != len(b.Labels) {
		return false
	}
	for n := range a.Labels {
		if a.Labels[n] != b.Labels[n] {
			return false
		}
	}
	return a.Name == b.Name && a.Tenant == b.Tenant
}

// hashAlert is that of tenant and identity.
func hashAlert(a *correlation.Alert) uint64 {
	h := mix(maphash.String(seed, a.Tenant), a.Name)
	for n := range a.Labels {
		h = mix(mix(h, a.Labels[n].Name), a.Labels[n].Value)
	}
	return h
}

// compareIdentities orders alerts that print alike.
func compareIdentities(a, b *correlation.Alert) int {
	return cmp.Or(
		strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Name, b.Name),
		slices.CompareFunc(a.Labels, b.Labels, func(x, y correlation.Label) int {
			return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Value, y.Value))
		}),
	)
}

// indexed is the number of members up to which all are looked at.
const indexed = 16

// member returns the member of an alert, nil if there is none.
func (b *bundle) member(a *correlation.Alert) *member {
	if b.index != nil {
		m := b.index[hashAlert(a)]
		for m != nil && !same(&m.alert, a) {
			m = m.next
		}
		return m
	}
	for _, m := range b.members {
		if same(&m.alert, a) {
			return m
		}
	}
	return nil
}

// add puts a member in.
func (b *bundle) add(m *member) {
	if b.members == nil {
		b.members = b.few[:0]
	}
	m.at = int32(len(b.members))
	b.members = append(b.members, m)
	switch {
	case b.index != nil:
		b.enter(m)
	case len(b.members) > indexed:
		b.index = make(map[uint64]*member, 2*indexed)
		for _, m := range b.members {
			b.enter(m)
		}
	}
}

// enter puts a member into the index.
func (b *bundle) enter(m *member) {
	hash := hashAlert(&m.alert)
	m.next = b.index[hash]
	b.index[hash] = m
}

// drop takes a member out.
func (b *bundle) drop(m *member) {
	end := len(b.members) - 1
	last := b.members[end]
	b.members[m.at], last.at = last, m.at
	b.members[end] = nil
	b.members = b.members[:end]
	if b.index == nil {
		return
	}
	hash := hashAlert(&m.alert)
	switch first := b.index[hash]; {
	case first != m:
		for first.next != m {
			first = first.next
		}
		first.next = m.next
	case m.next == nil:
		delete(b.index, hash)
	default:
		b.index[hash] = m.next
	}
	m.next = nil
}

// kind is what makes alerts different, for [Options.OpenAtDifferent].
func (g *Grouper) kind(a *correlation.Alert) string {
	return label(a, cmp.Or(g.opts.DifferentBy, correlation.NameLabel))
}

// tally adds a firing alert, or takes it off with -1.
func (g *Grouper) tally(b *bundle, m *member, d int) {
	b.firing += d
	g.stats.Alerts += d
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
func (g *Grouper) fire(b *bundle, a *correlation.Alert) {
	m := b.member(a)
	switch {
	case m == nil:
		m = &member{alert: *a, firing: true}
		b.add(m)
		g.tally(b, m, 1)
	case m.firing: // the source told it twice
		m.alert = *a
	default: // it was told and is back before its end was
		m.firing, m.alert = true, *a
		g.tally(b, m, 1)
	}
	g.schedule(b)
}

// end notes that an alert is over.
func (g *Grouper) end(b *bundle, m *member, a *correlation.Alert) {
	if !m.firing {
		return
	}
	g.tally(b, m, -1)
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
	b.drop(m)
	if len(g.restored) == 0 {
		return
	}
	hash := hashAlert(&m.alert)
	list := slices.DeleteFunc(g.restored[hash], func(x within) bool { return x.m == m })
	if len(list) == 0 {
		delete(g.restored, hash)
	} else {
		g.restored[hash] = list
	}
}

// enough reports whether there is enough in a bundle to open it.
func (g *Grouper) enough(b *bundle) bool {
	n, k := g.opts.OpenAt, g.opts.OpenAtDifferent
	return n == 0 && k == 0 || n > 0 && b.firing >= n || k > 0 && len(b.kinds) >= k
}

// look tells of a bundle what is to be told at an instant.
func (g *Grouper) look(b *bundle, at int64) {
	opened := b.base != 0
	switch {
	case len(b.members) == 0:
		g.remove(b)
		return
	case !opened && !g.enough(b): // it waits for more
		return
	case !opened:
		b.base = at
	}
	muted := g.muted(b, instant(at))
	repeat := b.fresh < b.firing && at >= after(b.last, b.options.RepeatInterval)
	if b.fresh == 0 && b.owed == 0 && !repeat {
		g.schedule(b)
		return
	}
	b.looked = at
	known := b.firing-b.fresh+b.owed > 0
	news := b.fresh > 0 && !muted
	n := Notification{
		At: instant(at), Tenant: b.tenant, Receiver: b.options.Receiver, Route: b.path, Key: b.groupKey(), Labels: b.labels(), Since: instant(b.made),
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
	case repeat && !muted && !g.quiet(b, n.At):
		n.Kind = Repeat
	}
	if n.Kind != "" {
		g.tell(b, n, news)
	}
	if len(b.members) == 0 {
		g.remove(b)
		return
	}
	g.schedule(b)
}

// tell writes a notification, with what was not told before if news is set.
func (g *Grouper) tell(b *bundle, n Notification, news bool) {
	list := g.list[:0]
	for _, m := range b.members {
		switch {
		case !m.firing:
			m.rank = ended
		case m.told:
			m.rank = still
		case news:
			m.rank = begun
		default:
			continue
		}
		list = append(list, m)
	}
	for _, m := range list {
		switch m.rank {
		case begun:
			m.told = true
			b.fresh--
		case ended:
			b.owed--
			g.forget(b, m)
		case still:
		}
	}
	b.last = b.looked
	n.list(list, g.opts.MaxAlerts)
	g.out = append(g.out, n)
	clear(list)
	g.list = list
}

// muted reports whether the time intervals of the route mute it.
func (g *Grouper) muted(b *bundle, at time.Time) bool {
	if b.route == nil || len(b.options.MuteTimeIntervals)+len(b.options.ActiveTimeIntervals) == 0 {
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
	var due int64
	switch {
	case b.base == 0 && g.now < b.first:
		due = b.first
	case b.base == 0 && (len(b.members) == 0 || g.enough(b)):
		due = g.now
	case b.base == 0:
		return // it waits for more
	case b.fresh > 0 || b.owed > 0 || len(b.members) == 0:
		due = b.tick(g.now)
	default:
		due = b.tick(after(b.last, b.options.RepeatInterval))
	}
	if b.due == 0 || due < b.due {
		b.due = due
		heap.Push(&g.timers, timer{due, b})
	}
}

// tick returns the first instant at which the bundle is looked at, not before from and
// after the last look.
func (b *bundle) tick(from int64) int64 {
	from = max(from, b.looked+1)
	every := int64(b.options.GroupInterval)
	at := b.base + max(from-b.base, 0)/every*every
	if at < from {
		at = after(at, b.options.GroupInterval)
	}
	return at
}

// sorted returns all bundles by tenant, route and key.
func (g *Grouper) sorted() []*bundle {
	list := make([]*bundle, 0, g.stats.Groups)
	for b := range maps.Values(g.bundles) {
		for ; b != nil; b = b.next {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, compareBundles)
	return list
}

// sorted returns the alerts of a bundle by printed form.
func (b *bundle) sorted() []*member {
	list := slices.Clone(b.members)
	printAll(list)
	slices.SortFunc(list, compareMembers)
	return list
}
