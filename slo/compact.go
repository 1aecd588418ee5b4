package slo

import (
	"fmt"
	"math"
	"time"
)

// compactBuckets is into how many buckets a compact tracker divides each window.
const compactBuckets = 56

// buckets are what a compact tracker keeps of a window instead of its samples: the
// events of (end - width, end] and, in a ring, those of as many such stretches
// before as the window has. What a sample changes is in one cache line.
type buckets struct {
	width  int64
	end    int64 // a multiple of width
	open   sums  // of the newest bucket
	newest int   // its place in the ring, which is empty
	ring   *[compactBuckets]uint64
	// large are the buckets with too many events for the ring. Their words there
	// are outside. Defaults to nil: none was seen yet.
	large *[compactBuckets]sums
}

// outside is no bucket: it has more bad events than events.
const outside = 1 << 32

// put stores a bucket: 32 bits of bad, 32 of all events.
func (b *buckets) put(place int, events sums) {
	if events.bad>>32 == 0 && events.total>>32 == 0 {
		b.ring[place] = events.bad<<32 | events.total
		return
	}
	if b.large == nil {
		b.large = new([compactBuckets]sums)
	}
	b.ring[place], b.large[place] = outside, events
}

func (b *buckets) get(place int) sums {
	switch word := b.ring[place]; {
	case place == b.newest:
		return b.open
	case word == outside:
		return b.large[place]
	default:
		return sums{word >> 32, word & (1<<32 - 1)}
	}
}

// compactSlots prepares the slots for buckets.
func (t *Tracker) compactSlots() error {
	t.buckets = make([]buckets, len(t.slots))
	for i := range t.slots {
		length := t.slots[i].length
		if length < int64(time.Microsecond) {
			return fmt.Errorf("window %v: want a microsecond or more in a compact tracker", time.Duration(length))
		}
		t.buckets[i] = buckets{width: length / compactBuckets, end: math.MinInt64, ring: new([compactBuckets]uint64)}
	}
	return nil
}

// fill counts events at an instant. It may lie before the present one, as samples
// are taken up to where [Tracker.Advance] has come.
func (t *Tracker) fill(ns int64, events sums) {
	for i := range t.buckets {
		b := &t.buckets[i]
		if ns > b.end {
			b.turn(&t.slots[i], t.all.minus(events), ns)
		}
		if ns > b.end-b.width {
			b.open.add(events)
			continue
		}
		back := (b.end - ns) / b.width
		if back >= compactBuckets {
			t.slots[i].left.add(events)
			continue
		}
		place := (b.newest - int(back) + compactBuckets) % compactBuckets
		before := b.get(place)
		before.add(events)
		b.put(place, before)
	}
}

// turn moves the newest bucket to that of a later instant. all are the events
// before it.
func (b *buckets) turn(s *slot, all sums, now int64) {
	if b.end == math.MinInt64 || now-b.end > (compactBuckets-1)*b.width {
		clear(b.ring[:])
		s.left, b.open, b.end, b.newest = all, sums{}, (floorDiv(now-1, b.width)+1)*b.width, 0
		return
	}
	b.put(b.newest, b.open)
	b.open = sums{}
	for ; b.end < now; b.end += b.width {
		if b.newest++; b.newest == compactBuckets {
			b.newest = 0
		}
		switch word := b.ring[b.newest]; word {
		case 0:
		case outside:
			s.left.add(b.large[b.newest])
		default:
			s.left.add(sums{word >> 32, word & (1<<32 - 1)})
		}
		b.ring[b.newest] = 0
	}
}

// slack is how much of its old end the window of a slot may lack: one bucket, and
// what is left of a length that 56 does not divide. It is 0 in a ring.
func (t *Tracker) slack(i int) time.Duration {
	if t.buckets == nil {
		return 0
	}
	return time.Duration(t.slots[i].length - (compactBuckets-1)*t.buckets[i].width)
}

// lengths are the windows that a compact tracker keeps, and that a snapshot must
// have: what it does not hold cannot be divided anew.
func (t *Tracker) lengths() []time.Duration {
	lengths := make([]time.Duration, len(t.slots))
	for i, s := range t.slots {
		lengths[i] = time.Duration(s.length)
	}
	return lengths
}

func (w *writer) buckets(t *Tracker) {
	for i := range t.buckets {
		b := &t.buckets[i]
		w.int(b.end)
		for n := range compactBuckets {
			events := b.get((b.newest + 1 + n) % compactBuckets) // oldest first
			w.uint(events.bad)
			w.uint(events.total)
		}
	}
}

func (t *Tracker) readBuckets(r *reader) {
	for i := range t.buckets {
		b := &t.buckets[i]
		b.end, b.newest = r.int(), compactBuckets-1
		if b.end != math.MinInt64 && (b.end%b.width != 0 || b.end < t.now || b.end-t.now >= b.width) {
			r.fail()
		}
		var inside sums
		for n := range b.newest {
			events := r.sums()
			inside.add(events)
			if inside.total < events.total {
				r.fail()
			}
			b.put(n, events)
		}
		b.open = r.sums()
		inside.add(b.open)
		if inside.total < b.open.total {
			r.fail()
		}
		t.slots[i].left = t.all.minus(inside)
	}
}
