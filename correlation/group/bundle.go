package group

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
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
	wards   map[string]*ward
	last    *ward // that was asked for
}

// ward is what a place has of one tenant. It is known as long as there are groups in it.
type ward struct {
	*place
	tenant  string
	seed    uint64 // tells hashes of its groups from those of other tenants and places
	bundles int
}

// ward finds or makes what the place has of a tenant.
func (p *place) ward(tenant string) *ward {
	if p.last != nil && p.last.tenant == tenant {
		return p.last
	}
	w := p.wards[tenant]
	if w == nil {
		w = &ward{place: p, tenant: tenant, seed: mix(p.seed, maphash.String(seed, tenant))}
	}
	p.last = w
	return w
}

// placeOf makes the place of a route.
func placeOf(r *route.Route) *place {
	o := r.Options()
	return &place{route: r, path: r.Path(), key: r.Key(), options: &o, seed: maphash.String(seed, r.Path())}
}

// seed of the hashes. Nothing that is told depends on them.
var seed = maphash.MakeSeed()

// mix puts the hash of another text into a hash.
func mix(h, text uint64) uint64 { return (h ^ text) * 0x9e3779b97f4a7c15 }

// appendKey appends what makes the group of an alert in this place: the values of the
// labels of the group, or of GroupByAll names and values of all labels, the name first.
func (p *place) appendKey(b []byte, a *correlation.Alert) []byte {
	if !p.options.GroupByAll {
		for _, name := range p.options.GroupBy {
			b = prefixed.Append(b, label(a, name))
		}
		return b
	}
	b = prefixed.Append(b, label(a, correlation.NameLabel))
	for n := range a.Labels {
		if l := &a.Labels[n]; l.Name != correlation.NameLabel {
			b = prefixed.Append(prefixed.Append(b, l.Name), l.Value)
		}
	}
	return b
}

// hash is that of the group with a name.
func (w *ward) hash(name string) uint64 { return mix(w.seed, maphash.String(seed, name)) }

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

// bundle is one group of alerts. It is named by its ward and what place.appendKey
// writes, or, if its route is gone, by ward and GroupKey.
type bundle struct {
	*ward
	name    string    // as place.appendKey writes it, or the GroupKey of a group whose route is gone
	members []*member // in any order
	*written
	firing int32 // members
	fresh  int32 // of those, not told
	base   int64 // the first look that opened it, from which intervals count; 0 before
	first  int64 // not told before
	due    int64 // of the timer that counts, 0: none
	made   int64
	looked int64      // the last look at which something was due, 0: none
	last   int64      // told, 0: never
	few    [2]*member // room for the members of most
	one    member     // the first to come in
}

// written is what is made of a bundle when it is needed, which for most is once they are
// told.
type written struct {
	text  string               // GroupKey
	set   map[string]string    // labels
	kinds map[string]int       // firing alerts of each kind, see [Options.OpenAtDifferent]
	index map[identity]*member // of many
}

// writing returns where to write what was made.
func (b *bundle) writing() *written {
	if b.written == nil {
		b.written = &written{}
	}
	return b.written
}

// groupKey returns the GroupKey that the route has for the group.
func (b *bundle) groupKey() string {
	w := b.writing()
	if w.text != "" {
		return w.text
	}
	text := append([]byte(b.key), ":{"...)
	sep := ""
	b.each(func(name, value string) {
		text = append(append(append(text, sep...), name...), '=')
		text = strconv.AppendQuote(text, value)
		sep = ", "
	})
	w.text = string(append(text, '}'))
	return w.text
}

// each calls yield with the labels of the group that are not empty, by name. It is not
// for groups whose route is gone: those have their labels and GroupKey written.
func (b *bundle) each(yield func(name, value string)) {
	rest, value := b.name, ""
	if !b.options.GroupByAll {
		for _, name := range b.options.GroupBy {
			if value, rest = prefixed.Cut(rest); value != "" {
				yield(name, value)
			}
		}
		return
	}
	alert, rest := prefixed.Cut(rest)
	first := alert != "" // the name of the alert is to come
	for rest != "" {
		var name string
		name, rest = prefixed.Cut(rest)
		value, rest = prefixed.Cut(rest)
		if first && name > correlation.NameLabel {
			yield(correlation.NameLabel, alert)
			first = false
		}
		yield(name, value)
	}
	if first {
		yield(correlation.NameLabel, alert)
	}
}

// labels returns the labels of the group.
func (b *bundle) labels() map[string]string {
	w := b.writing()
	if w.set == nil {
		w.set = map[string]string{}
		b.each(func(name, value string) { w.set[name] = value })
	}
	return w.set
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

// insert makes a bundle known.
func (g *Grouper) insert(hash uint64, b *bundle) {
	g.bundles.Insert(hash, b)
	g.stats.Groups++
	if w := b.ward; w.bundles == 0 {
		if w.wards == nil {
			w.wards = map[string]*ward{}
		}
		w.wards[w.tenant] = w
	}
	b.bundles++
}

// remove forgets a bundle.
func (g *Grouper) remove(b *bundle) {
	g.bundles.Remove(b.hash(b.name), b)
	g.stats.Groups--
	if w := b.ward; w.bundles == 1 {
		delete(w.wards, w.tenant)
		w.last = nil
	}
	b.bundles--
}

// find returns the group of an alert in a ward, nil if there is none, and the hash of
// the key that it leaves in g.key.
func (g *Grouper) find(w *ward, a *correlation.Alert) (*bundle, uint64) {
	g.key = w.appendKey(g.key[:0], a)
	hash := mix(w.seed, maphash.Bytes(seed, g.key))
	return g.bundles.Find(hash, func(b *bundle) bool { return b.ward == w && b.name == string(g.key) }), hash
}

// bundle finds or makes the group of an alert in a place.
func (g *Grouper) bundle(p *place, a *correlation.Alert) *bundle {
	w := p.ward(a.Tenant)
	b, hash := g.find(w, a)
	if b == nil {
		b = &bundle{ward: w, name: string(g.key), made: g.now, first: instant.After(g.now, p.options.GroupWait)}
		if g.opts.AtOnce && a.Since.Add(p.options.GroupWait).Before(instant.Time(g.now)) {
			b.first = g.now
		}
		g.insert(hash, b)
	}
	return b
}

// indexed is the number of members up to which all are looked at.
const indexed = 16

// member returns the member of the alert that is asked for, nil if there is none.
func (g *Grouper) member(b *bundle, name string) *member {
	if b.written != nil && b.index != nil {
		if !g.labels.Known() {
			return nil
		}
		return b.index[identity{name, g.labels.Set()}]
	}
	for _, m := range b.members {
		if m.labels.Is(&g.labels) && m.name == name {
			return m
		}
	}
	return nil
}

// add makes a member of the alert that is asked for.
func (g *Grouper) add(b *bundle, a *correlation.Alert) *member {
	m := &b.one
	if b.members == nil {
		b.members = b.few[:0]
	} else {
		m = &member{}
	}
	m.identity = identity{a.Name, g.shapes.Keep(&g.labels)}
	m.take(a)
	m.at = int32(len(b.members))
	b.members = append(b.members, m)
	switch {
	case b.written != nil && b.index != nil:
		b.index[m.identity] = m
	case len(b.members) > indexed:
		w := b.writing()
		w.index = make(map[identity]*member, 2*indexed)
		for _, m := range b.members {
			w.index[m.identity] = m
		}
	}
	return m
}

// drop takes a member out.
func (g *Grouper) drop(b *bundle, m *member) {
	end := len(b.members) - 1
	last := b.members[end]
	b.members[m.at], last.at = last, m.at
	b.members[end] = nil
	b.members = b.members[:end]
	if b.written != nil {
		delete(b.index, m.identity)
	}
	g.shapes.Drop(m.labels)
}

// kind is what makes alerts different, for [Options.OpenAtDifferent].
func (g *Grouper) kind(m *member) string {
	name := cmp.Or(g.opts.DifferentBy, correlation.NameLabel)
	value := m.labels.Get(name)
	if value == "" && name == correlation.NameLabel {
		value = m.name
	}
	return value
}

// owed returns how many members are over. All of them were told.
func (b *bundle) owed() int { return len(b.members) - int(b.firing) }

// tally adds a firing alert, or takes it off with -1.
func (g *Grouper) tally(b *bundle, m *member, d int32) {
	b.firing += d
	g.stats.Alerts += int(d)
	if !m.told {
		b.fresh += d
	}
	if g.opts.OpenAtDifferent > 0 {
		w, kind := b.writing(), g.kind(m)
		if w.kinds == nil {
			w.kinds = map[string]int{}
		}
		if w.kinds[kind] += int(d); w.kinds[kind] == 0 {
			delete(w.kinds, kind)
		}
	}
}

// fire puts an alert in.
func (g *Grouper) fire(b *bundle, a *correlation.Alert) {
	m := g.member(b, a.Name)
	if m == nil {
		m = g.add(b, a)
	} else {
		m.take(a)
	}
	if !m.firing { // else the source told it twice
		m.firing = true
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
		m.take(a)
	} else {
		g.forget(b, m)
	}
	g.schedule(b)
}

// forget takes an alert out.
func (g *Grouper) forget(b *bundle, m *member) {
	g.drop(b, m)
	if len(g.restored) == 0 {
		return
	}
	of := owned{b.tenant, m.identity}
	list := slices.DeleteFunc(g.restored[of], func(x within) bool { return x.m == m })
	if len(list) == 0 {
		delete(g.restored, of)
	} else {
		g.restored[of] = list
	}
}

// enough reports whether there is enough in a bundle to open it.
func (g *Grouper) enough(b *bundle) bool {
	n, k := g.opts.OpenAt, g.opts.OpenAtDifferent
	return n == 0 && k == 0 || n > 0 && int(b.firing) >= n || k > 0 && b.written != nil && len(b.kinds) >= k
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
	muted := g.muted(b, instant.Time(at))
	repeat := b.fresh < b.firing && at >= instant.After(b.last, b.options.RepeatInterval)
	if b.fresh == 0 && b.owed() == 0 && !repeat {
		g.schedule(b)
		return
	}
	b.looked = at
	known := int(b.firing-b.fresh)+b.owed() > 0
	news := b.fresh > 0 && !muted
	n := Notification{
		At: instant.Time(at), Tenant: b.tenant, Receiver: b.options.Receiver, Route: b.path, Key: b.groupKey(), Labels: b.labels(), Since: instant.Time(b.made),
		Firing: int(b.firing - b.fresh), Ended: b.owed(),
	}
	if news {
		n.Firing = int(b.firing)
	}
	switch {
	case news && !known:
		n.Kind = First
	case n.Firing == 0 && n.Ended > 0:
		n.Kind = Resolved
	case news || n.Ended > 0:
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
	b.last = b.looked
	n.list(b.tenant, list, g.opts.MaxAlerts)
	g.out = append(g.out, n)
	for _, m := range list {
		switch m.rank {
		case begun:
			m.told = true
			b.fresh--
		case ended:
			g.forget(b, m)
		case still:
		}
	}
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
		if m.told && m.firing && !g.opts.Quiet(m.alert(b.tenant), at) {
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
	case b.fresh > 0 || b.owed() > 0 || len(b.members) == 0:
		due = b.tick(g.now)
	default:
		due = b.tick(instant.After(b.last, b.options.RepeatInterval))
	}
	if b.due == 0 || due < b.due {
		b.due = due
		heap.Push(&g.timers, timer{due, b})
		if len(g.timers) > spare+2*g.bundles.Len() {
			g.tidy()
		}
	}
}

// spare is how many timers too many are never worth a tidying.
const spare = 64

// tidy drops the timers that do not count, which would keep groups that are over until
// they would have been repeated.
func (g *Grouper) tidy() {
	clear(g.timers)
	g.timers = g.timers[:0]
	for b := range g.bundles.All() {
		if b.due != 0 {
			g.timers = append(g.timers, timer{b.due, b})
		}
	}
	heap.Init(g.timers)
}

// tick returns the first instant at which the bundle is looked at, not before from and
// after the last look.
func (b *bundle) tick(from int64) int64 {
	from = max(from, b.looked+1)
	every := int64(b.options.GroupInterval)
	at := b.base + max(from-b.base, 0)/every*every
	if at < from {
		at = instant.After(at, b.options.GroupInterval)
	}
	return at
}

// sorted returns all bundles by tenant, route and key.
func (g *Grouper) sorted() []*bundle {
	return slices.SortedFunc(g.bundles.All(), compareBundles)
}

// sorted returns the members of a bundle by printed form.
func (b *bundle) sorted() []listed {
	list := make([]listed, len(b.members))
	for n, m := range b.members {
		list[n] = m.listed(b.tenant)
	}
	slices.SortFunc(list, compareListed)
	return list
}
