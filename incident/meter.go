package incident

import (
	"hash/maphash"
	"runtime"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Meter keeps the key figures of incidents up to date while their records come in:
// the streaming form of [FiguresOf], and the windowed one. It gives what FiguresOf
// gives for the same records, in whatever order they came and however often. It is
// not safe for concurrent use.
type Meter struct {
	rules rules
	seed  maphash.Seed

	tenant     string // of the record before, and what it adds to a hash
	tenantHash uint64

	// A table with linear probing, at most seven eighths full. The tags alone, a byte
	// each, say where to look, and they stay in the cache.
	tags   []uint8
	slots  []slot
	inUse  int
	taken  int // in use, or given up since the table was made
	long   map[uint32]string
	labels labelTable
	paused map[uint32]*Record // what open incidents are paused by
	open   []uint32           // open, and some that were; judged when somebody asks
	totals totals
}

// slot is what the meter keeps of an incident beside labels: two lines of a cache,
// so that an update waits for memory once, and no pointers, so that the garbage
// collector never looks.
type slot struct {
	length uint8 // of the id; longID if it does not fit
	parts  parts
	label  uint32
	row
	listed bool          // in Meter.open
	id     [shortID]byte // in the other line than its length, so that both are asked for at once
}

const (
	shortID = 39 // a UUID as text has 36 characters
	longID  = shortID + 1
	fewest  = 16 // slots, a power of two
)

// The tags of slots that are not in use; others are part of the hash.
const (
	free uint8 = iota
	givenUp
	firstTag
)

// NewMeter returns a meter without records. The instant of the options is not
// used; [Meter.Figures] has its own.
func NewMeter(o FiguresOptions) *Meter {
	seed := maphash.MakeSeed()
	return &Meter{
		rules: o.rules(), seed: seed, tenantHash: 31 * maphash.String(seed, ""), tags: make([]uint8, fewest), slots: make([]slot, fewest),
		long: map[uint32]string{}, paused: map[uint32]*Record{},
	}
}

// Update puts a record in the place of an earlier one of the same tenant and id.
// It takes about 100 ns for an incident that was seen lately, and one wait for memory
// more for one that has left the cache; see [Meter.UpdateAll]. It keeps 150 to 300
// bytes per incident, and of the records their texts, once each.
func (m *Meter) Update(r *Record) { m.update(m.hash(r.Tenant, r.ID), r) }

// UpdateAll is [Meter.Update] for many records. It asks for the memory of several
// incidents at once, so that it need not wait for that of each.
func (m *Meter) UpdateAll(records []Record) {
	const together = 16
	var hashes [together]uint64
	var places [together]uint32
	for some := range slices.Chunk(records, together) {
		for i := range some {
			hashes[i] = m.hash(some[i].Tenant, some[i].ID)
			places[i] = m.likely(hashes[i])
		}
		var read int
		for _, n := range places[:len(some)] {
			s := &m.slots[n]
			read += int(s.length) + int(s.id[0]) // of both lines
		}
		runtime.KeepAlive(read)
		for i := range some {
			m.update(hashes[i], &some[i])
		}
	}
}

// update is Update for a record of which the hash is known.
func (m *Meter) update(hash uint64, r *Record) {
	n, known := m.find(hash, r.Tenant, r.ID)
	if !known {
		n = m.add(hash, r)
	}
	s := &m.slots[n]
	var now row
	now.fill(r, &m.rules)
	if (s.marks|now.marks)&isPaused != 0 {
		m.pause(n, r, &now)
	}
	m.replace(s, &now, m.rules.parts(&now))
	if !m.labels.all[s.label].fit(r) {
		was := s.label
		s.label = m.labels.take(r)
		m.labels.release(was)
	}
	m.watch(n, s)
}

// watch puts a slot in the list of open ones.
func (m *Meter) watch(n uint32, s *slot) {
	if s.isOpen() && !s.listed {
		m.open, s.listed = append(m.open, n), true
	}
}

// hash returns what the table goes by, another one in every meter.
func (m *Meter) hash(tenant, id string) uint64 {
	return m.with(tenant, maphash.String(m.seed, id))
}

// with returns the hash of a tenant and an id of which it has the hash.
func (m *Meter) with(tenant string, id uint64) uint64 {
	if tenant != m.tenant {
		m.tenant, m.tenantHash = tenant, 31*maphash.String(m.seed, tenant)
	}
	return id + m.tenantHash
}

// tagOf returns the tag of a hash, from bits that do not choose the place.
func tagOf(hash uint64) uint8 { return max(firstTag, uint8(hash>>56)) }

// find returns the number of an incident's slot.
func (m *Meter) find(hash uint64, tenant, id string) (n uint32, ok bool) {
	for n := m.likely(hash); m.tags[n] != free; n = m.next(n+1, tagOf(hash)) {
		if m.holds(n, tenant, id) {
			return n, true
		}
	}
	return 0, false
}

// likely returns the first place of a hash that has its tag or is free.
func (m *Meter) likely(hash uint64) uint32 { return m.next(uint32(hash), tagOf(hash)) }

// next returns the first place from n on that has a tag or is free.
func (m *Meter) next(n uint32, tag uint8) uint32 {
	mask := uint32(len(m.tags) - 1)
	for n &= mask; m.tags[n] != tag && m.tags[n] != free; n = (n + 1) & mask {
	}
	return n
}

// holds reports whether a slot is that of an incident.
func (m *Meter) holds(n uint32, tenant, id string) bool {
	s := &m.slots[n]
	if s.length == longID {
		return m.long[n] == id && m.labels.all[s.label].tenant == tenant
	}
	return string(s.id[:s.length]) == id && m.labels.all[s.label].tenant == tenant
}

// add returns the number of a slot for an incident that has none.
func (m *Meter) add(hash uint64, r *Record) uint32 {
	if 8*(m.taken+1) > 7*len(m.tags) {
		m.grow()
	}
	n := m.place(hash)
	s := &m.slots[n]
	*s = slot{row: row{from: never}, label: m.labels.take(r), length: longID}
	if len(r.ID) <= shortID {
		s.length = uint8(copy(s.id[:], r.ID))
	} else {
		m.long[n] = r.ID
	}
	m.inUse++
	return n
}

// place takes the first free place for a hash.
func (m *Meter) place(hash uint64) uint32 {
	n := m.next(uint32(hash), free)
	m.tags[n] = tagOf(hash)
	m.taken++
	return n
}

// grow makes a table with room, without the places that were given up.
func (m *Meter) grow() {
	was, size := *m, len(m.tags)
	if 2*m.inUse >= size {
		size *= 2
	}
	m.tags, m.slots, m.taken, m.open = make([]uint8, size), make([]slot, size), 0, m.open[:0]
	m.long, m.paused = map[uint32]string{}, map[uint32]*Record{}
	for i, s := range was.each {
		id := maphash.Bytes(m.seed, s.id[:min(s.length, shortID)])
		if s.length == longID {
			id = maphash.String(m.seed, was.long[i])
		}
		n := m.place(m.with(m.labels.all[s.label].tenant, id))
		m.slots[n] = *s
		if s.length == longID {
			m.long[n] = was.long[i]
		}
		if s.marks&isPaused != 0 {
			m.paused[n] = was.paused[i]
		}
		m.slots[n].listed = false
		m.watch(n, &m.slots[n])
	}
}

// pause keeps what an open incident is paused by, or forgets it.
func (m *Meter) pause(n uint32, r *Record, now *row) {
	if now.marks&isPaused == 0 {
		delete(m.paused, n)
		return
	}
	m.paused[n] = &Record{Times: r.Times, Waits: slices.Clone(r.Waits), Gaps: slices.Clone(r.Gaps)}
}

// replace puts another row into a slot, of which the parts p count.
func (m *Meter) replace(s *slot, now *row, p parts) {
	if s.counted != now.counted || s.parts != p {
		m.totals.count(&s.row, s.parts, -1)
		m.totals.count(now, p, 1)
	}
	for i := range m.totals.times {
		m.totals.times[i].replace(s.cell(i, s.parts), now.cell(i, p))
	}
	s.row, s.parts = *now, p
}

// Remove forgets an incident, such as one that is too old to matter.
func (m *Meter) Remove(tenant, id string) {
	n, ok := m.find(m.hash(tenant, id), tenant, id)
	if !ok {
		return
	}
	s := &m.slots[n]
	m.replace(s, &row{from: never}, 0)
	m.labels.release(s.label)
	delete(m.paused, n)
	delete(m.long, n)
	m.tags[n] = givenUp
	m.inUse--
}

// each yields the slots of all incidents.
func (m *Meter) each(yield func(uint32, *slot) bool) {
	for n, tag := range m.tags {
		if tag >= firstTag && !yield(uint32(n), &m.slots[n]) {
			return
		}
	}
}

// Len returns the number of incidents.
func (m *Meter) Len() int { return m.inUse }

// Slide moves the window to another period, forwards or backwards; an empty one is
// all time. It looks at each incident once, about 10 ns, and touches the figures
// of those that enter or leave.
func (m *Meter) Slide(period calendar.Interval) {
	m.rules.Period, m.rules.period = period, stretchOf(period)
	for _, s := range m.each {
		if in := m.rules.parts(&s.row); in != s.parts {
			m.replace(s, &s.row, in)
		}
	}
}

// Figures returns the key figures of the period, open incidents judged at an
// instant. New durations are sorted and merged in first. The error is that of
// [FiguresOf].
func (m *Meter) Figures(at time.Time) (Figures, error) {
	f, err := m.totals.figures(&m.rules)
	if err != nil {
		return Figures{}, err
	}
	m.open = slices.DeleteFunc(m.open, func(n uint32) bool {
		s := &m.slots[n]
		if s.listed = s.isOpen(); s.parts&itsCount != 0 && s.listed {
			verdict := m.verdictAt(n, s, at)
			tally(&f.Kept, verdict != Undecided, verdict == Met)
		}
		return !s.listed
	})
	return f, nil
}

// verdictAt returns the verdict on an open slot at some instant.
func (m *Meter) verdictAt(n uint32, s *slot, at time.Time) Verdict {
	var pauses *Record
	if s.marks&isPaused != 0 {
		pauses = m.paused[n]
	}
	return s.verdictAt(&m.rules, at, pauses)
}

// FiguresBy returns what the function [FiguresBy] returns. It computes them anew.
func (m *Meter) FiguresBy(d Dimension, at time.Time) ([]Group, error) {
	g := grouping{by: d, totals: map[string]*totals{}}
	for n, s := range m.each {
		r := s.row
		if r.isOpen() {
			r.verdict = m.verdictAt(n, s, at)
		}
		g.add(&r, s.parts, &m.labels.all[s.label].labels)
	}
	return g.groups(&m.rules)
}
