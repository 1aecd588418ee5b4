package logs

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Update is what learning a line did.
type Update uint8

const (
	// Same means that the line fits a known template.
	Same Update = iota
	// Created means that the line is the first of a new template.
	Created
	// Changed means that a template got another wildcard to fit the line.
	Changed
	// Merged means that the line made several templates one.
	Merged
)

var updateNames = []string{"same", "created", "changed", "merged"}

// String returns same, created, changed or merged.
func (u Update) String() string { return enum.String(updateNames, "update", uint8(u)) }

// MarshalText returns the text of String; a number without one is an error.
func (u Update) MarshalText() ([]byte, error) {
	return enum.Text(updateNames, "logs", "update", uint8(u))
}

// UnmarshalText reads what MarshalText writes.
func (u *Update) UnmarshalText(text []byte) error {
	n, err := enum.Parse(updateNames, "logs", "update", text)
	if err == nil {
		*u = Update(n)
	}
	return err
}

// Result is the answer to one learned line.
type Result struct {
	// ID is the template of the line.
	ID     ID
	Update Update
	// Merged are the ids that became aliases of ID, ascending.
	Merged []ID
	// Evicted are the templates that were given up to stay within the limits, in
	// the order in which that happened.
	Evicted []ID
}

// Miner finds the templates of log lines. It is not safe for concurrent use: it
// keeps the tokens of the line at hand.
type Miner struct {
	options Options
	scan    scanner
	drain   *tree   // of preset Drain
	groups  *groups // of preset Default

	clusters map[ID]*cluster
	lru      ring
	size     int64 // bytes of all clusters
	next     ID
	revision uint64
	lines    int64
	evicted  int64

	aliases    map[ID]ID
	aliasOrder []ID // oldest first
}

// cluster is a template inside the miner.
type cluster struct {
	id       ID
	elements []Element
	minGap   int
	maxGap   int
	count    int64
	first    time.Time
	last     time.Time
	revision uint64
	since    time.Time
	aliases  []ID
	places   []*place // values per element; nil where none are kept

	// The rest of preset Default: how its lines are read, the place of the first
	// word, -1 without, the number of constants, the line that used it last.
	form  form
	head  int
	fixed int
	used  int64
	// defined says that the caller wrote it.
	defined bool
	met     int64 // the last look for a family that met it

	size       int64
	prev, next *cluster
}

// ring goes through root, the latest used first.
type ring struct {
	root cluster
	n    int
}

// init makes the ring empty.
func (l *ring) init() { l.root.prev, l.root.next = &l.root, &l.root }

// front takes a cluster in as the latest used.
func (l *ring) front(c *cluster) {
	c.prev, c.next = &l.root, l.root.next
	c.prev.next, c.next.prev = c, c
	l.n++
}

// remove takes a cluster out.
func (l *ring) remove(c *cluster) {
	c.prev.next, c.next.prev = c.next, c.prev
	c.prev, c.next = nil, nil
	l.n--
}

// touch makes a cluster the latest used.
func (l *ring) touch(c *cluster) {
	if l.root.next != c {
		l.remove(c)
		l.front(c)
	}
}

// NewMiner returns an empty miner. A nil o means the defaults. The error is an
// [*OptionError].
func NewMiner(o *Options) (*Miner, error) {
	if o == nil {
		o = &Options{}
	}
	options, err := o.normal()
	if err != nil {
		return nil, err
	}
	m := &Miner{options: options, clusters: map[ID]*cluster{}, aliases: map[ID]ID{}}
	m.lru.init()
	if options.Preset == Drain {
		m.drain = newTree(&m.options)
	} else {
		m.groups = newGroups(m)
	}
	return m, nil
}

// Learn takes one line, without its line end, and says which template it belongs
// to. at is the instant of the line and is only recorded. Every line is taken,
// also an empty one and one that is not UTF-8; of a longer line than
// Options.MaxLine only the beginning counts. The line is not retained.
//
// A line that fits a known template costs no allocation.
func (m *Miner) Learn(at time.Time, line string) Result {
	m.lines++
	if m.drain != nil {
		return m.learnDrain(at, line)
	}
	return m.groups.learn(at, line)
}

var searchNames = []string{"never", "fallback", "always"}

// Search says how hard preset Drain looks for a template that fits a line.
type Search uint8

const (
	// Never looks under the path of the line only.
	Never Search = iota
	// Fallback also looks at all templates with as many tokens, if the path has none.
	Fallback
	// Always looks at all templates with as many tokens.
	Always
)

// String returns never, fallback or always.
func (s Search) String() string { return enum.String(searchNames, "search", uint8(s)) }

// MarshalText returns the text of String; a number without one is an error.
func (s Search) MarshalText() ([]byte, error) {
	return enum.Text(searchNames, "logs", "search", uint8(s))
}

// UnmarshalText reads what MarshalText writes.
func (s *Search) UnmarshalText(text []byte) error {
	n, err := enum.Parse(searchNames, "logs", "search", text)
	if err == nil {
		*s = Search(n)
	}
	return err
}

// Match returns the template that fits the line with all its wildcards, without
// learning anything. ok is false if none does. Of several a defined one answers,
// then one without a gap, then that with the most constants, then the oldest;
// preset Drain prefers, as its model does, the one with the most wildcards and
// looks as Never says.
func (m *Miner) Match(line string) (id ID, ok bool) { return m.MatchSearch(line, Never) }

// MatchSearch is Match with a choice of how hard to look. Preset Default always
// looks everywhere, so there the choice makes no difference.
func (m *Miner) MatchSearch(line string, how Search) (id ID, ok bool) {
	var c *cluster
	if m.drain != nil {
		c = m.drain.match(m, line, how)
	} else {
		m.scan.line(m.cut(line), m.options.MaxTokens)
		c = m.groups.fit()
	}
	if c == nil {
		return 0, false
	}
	return c.id, true
}

// cut keeps what counts of a line.
func (m *Miner) cut(line string) string {
	if len(line) > m.options.MaxLine {
		return line[:m.options.MaxLine]
	}
	return line
}

// Resolve follows the merges of templates: it returns the id under which a
// template goes now. ok is false for ids that were never given, or whose template
// was evicted.
func (m *Miner) Resolve(id ID) (now ID, ok bool) {
	if to, merged := m.aliases[id]; merged {
		id = to
	}
	_, ok = m.clusters[id]
	return id, ok
}

// Since returns when the template got its present form: the revision of the
// miner after that line, and the instant given with it. Whoever kept an earlier
// text of the template compares the revision. It resolves aliases.
func (m *Miner) Since(id ID) (revision uint64, at time.Time, ok bool) {
	id, ok = m.Resolve(id)
	if !ok {
		return 0, time.Time{}, false
	}
	c := m.clusters[id]
	return c.revision, c.since.UTC(), true
}

// Revision counts how often templates were created, changed, merged or evicted.
func (m *Miner) Revision() uint64 { return m.revision }

// ChangedAfter returns the templates that were created, changed or merged after
// the revision, by id. It costs a look at every template.
func (m *Miner) ChangedAfter(revision uint64) []Template {
	var changed []Template
	for _, id := range m.ids() {
		if m.clusters[id].revision > revision {
			changed = append(changed, m.clusters[id].template())
		}
	}
	return changed
}

// Template returns a copy of a template. It resolves aliases.
func (m *Miner) Template(id ID) (Template, bool) {
	id, ok := m.Resolve(id)
	if !ok {
		return Template{}, false
	}
	return m.clusters[id].template(), true
}

// Templates returns copies of all templates by id.
func (m *Miner) Templates() []Template {
	all := make([]Template, 0, len(m.clusters))
	for _, id := range m.ids() {
		all = append(all, m.clusters[id].template())
	}
	return all
}

// ids are those of all templates, ascending.
func (m *Miner) ids() []ID {
	ids := make([]ID, 0, len(m.clusters))
	for id := range m.clusters {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Len returns the number of templates.
func (m *Miner) Len() int { return len(m.clusters) }

// Lines returns the number of learned lines: the counts of all templates, and of
// those that were evicted.
func (m *Miner) Lines() int64 { return m.lines }

// EvictedLines returns how many lines the evicted templates had, so that the
// counts add up.
func (m *Miner) EvictedLines() int64 { return m.evicted }

// Size returns roughly how much memory the templates take.
func (m *Miner) Size() int64 { return m.size }

// template is a copy for the caller.
func (c *cluster) template() Template {
	return Template{
		ID: c.id, Text: render(c.elements), Elements: slices.Clone(c.elements), MinGap: c.minGap, MaxGap: c.maxGap,
		Count: c.count, First: c.first.UTC(), Last: c.last.UTC(), Revision: c.revision, Since: c.since.UTC(), Defined: c.defined,
		Aliases: slices.Clone(c.aliases),
	}
}

// add makes room for a cluster of a line and gives it the next id.
func (m *Miner) add(at time.Time, elements []Element) (*cluster, []ID) {
	m.next++
	m.revision++
	c := &cluster{id: m.next, elements: elements, count: 1, first: at, last: at, revision: m.revision, since: at, used: m.lines, head: -1}
	m.clusters[c.id] = c
	m.lru.front(c)
	m.measure(c)
	return c, m.shrink()
}

// count adds a line to a cluster.
func (m *Miner) count(at time.Time, c *cluster) {
	if c.count == 0 { // defined, and without a line so far
		c.first, c.last = at, at
	}
	c.count++
	c.used = m.lines
	if at.After(c.last) {
		c.last = at
	} else if at.Before(c.first) {
		c.first = at
	}
	m.lru.touch(c)
}

// changed notes that a line made the cluster what it is now.
func (m *Miner) changed(at time.Time, c *cluster) {
	m.revision++
	c.revision, c.since = m.revision, at
	m.measure(c)
}

// Sizes that the budget counts, rounded up: what the structs, the maps and the
// indexes take.
const (
	clusterSize = 512
	elementSize = 32
	aliasSize   = 64
)

// measure brings the size of a cluster up to date.
func (m *Miner) measure(c *cluster) {
	size := int64(clusterSize + len(c.elements)*elementSize + len(c.aliases)*aliasSize)
	for _, e := range c.elements {
		size += int64(len(e.Text))
	}
	for _, p := range c.places {
		if p != nil {
			size += placeSize
		}
	}
	m.size += size - c.size
	c.size = size
}

// shrink evicts the clusters that were not used for the longest time until the
// limits hold, but never the one that was used last, nor one that is defined.
func (m *Miner) shrink() []ID {
	var evicted []ID
	for c := m.lru.root.prev; c != m.lru.root.next && (m.options.MaxTemplates > 0 && m.lru.n > m.options.MaxTemplates ||
		m.options.MaxBytes > 0 && m.size > m.options.MaxBytes); {
		idle := c
		if c = c.prev; !idle.defined {
			evicted = append(evicted, m.evict(idle))
		}
	}
	return evicted
}

// evict gives a cluster and its aliases up and returns its id.
func (m *Miner) evict(c *cluster) ID {
	m.revision++
	m.evicted += c.count
	if m.groups != nil {
		m.groups.remove(c)
	}
	m.forget(c)
	if len(c.aliases) > 0 {
		for _, id := range c.aliases {
			delete(m.aliases, id)
		}
		m.aliasOrder = slices.DeleteFunc(m.aliasOrder, func(id ID) bool { return m.aliases[id] == 0 })
	}
	return c.id
}

// alias makes the id of d, and its aliases, aliases of c. The oldest aliases of
// the miner are given up beyond a number.
func (m *Miner) alias(d, c *cluster) {
	for _, id := range append(d.aliases, d.id) {
		m.aliases[id] = c.id
		i, _ := slices.BinarySearch(c.aliases, id)
		c.aliases = slices.Insert(c.aliases, i, id)
	}
	m.aliasOrder = append(m.aliasOrder, d.id)
	for len(m.aliasOrder) > maxAliases {
		id := m.aliasOrder[0]
		m.aliasOrder = m.aliasOrder[1:]
		owner := m.clusters[m.aliases[id]]
		if i, ok := slices.BinarySearch(owner.aliases, id); ok {
			owner.aliases = slices.Delete(owner.aliases, i, i+1)
			m.measure(owner)
		}
		delete(m.aliases, id)
	}
}

// maxAliases bounds the memory for merged ids.
const maxAliases = 1 << 16

// forget drops a cluster from everything but the index of its preset.
func (m *Miner) forget(c *cluster) {
	m.lru.remove(c)
	m.size -= c.size
	delete(m.clusters, c.id)
}
