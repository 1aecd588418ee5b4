package slo

import "sort"

// tally is the sum of all events up to and including an instant. Differences of
// two tallies are exact even when the sums wrap around 64 bits.
type tally struct {
	at         int64 // nanoseconds since 1970
	bad, total uint64
}

// ring holds the newest tallies, numbered from 0. The number of a tally finds its
// place without a division.
type ring struct {
	buf  []tally // length is a power of two
	head uint64  // number of the newest tally
}

// newRing starts with one tally of nothing at an instant.
func newRing(capacity int, at int64) ring {
	size := 64
	for size < capacity {
		size *= 2
	}
	r := ring{buf: make([]tally, size)}
	r.buf[0].at = at
	return r
}

func (r *ring) get(n uint64) *tally { return &r.buf[n&uint64(len(r.buf)-1)] }

// push adds events at an instant. Tallies older than the number oldest may be
// overwritten; when none is, the ring doubles.
func (r *ring) push(at int64, events sums, oldest uint64) {
	if r.head-oldest+1 >= uint64(len(r.buf)) {
		r.grow(oldest)
	}
	newest := *r.get(r.head)
	r.head++
	*r.get(r.head) = tally{at: at, bad: newest.bad + events.bad, total: newest.total + events.total}
}

func (r *ring) grow(oldest uint64) {
	larger := ring{buf: make([]tally, 2*len(r.buf)), head: r.head}
	for n := oldest; n <= r.head; n++ {
		*larger.get(n) = *r.get(n)
	}
	*r = larger
}

// slot is a window ending at the instant of evaluation, kept current.
type slot struct {
	length  int64
	base    uint64 // number of the newest tally at or before the window's start
	sums    sums
	forRule bool

	bucketRange // of a compact tracker, instead of base
}

// slide moves the window to end at now.
func (s *slot) slide(r *ring, newest *tally, now int64) {
	start := now - s.length
	base := s.base
	for base < r.head && r.get(base+1).at <= start {
		base++
	}
	s.base = base
	b := r.get(base)
	s.sums = sums{newest.bad - b.bad, newest.total - b.total}
}

// since returns the events after an instant that lies within the tallies from
// number oldest on.
func (r *ring) since(start int64, oldest uint64) sums {
	later := sort.Search(int(r.head-oldest), func(i int) bool { return r.get(oldest+uint64(i)+1).at > start })
	newest, base := r.get(r.head), r.get(oldest+uint64(later))
	return sums{newest.bad - base.bad, newest.total - base.total}
}
