package slo

import (
	"fmt"
	"math"
	"time"
)

// compactBuckets is into how many buckets a compact tracker divides each window.
const compactBuckets = 56

// bucketRange is the part of a slot that a compact tracker needs: a ring of
// buckets, of which each holds the events of (end - width, end].
type bucketRange struct {
	width  int64
	end    int64 // of the newest bucket, a multiple of width
	newest int   // its place in the ring
}

// compactSlots prepares the slots for buckets.
func (t *Tracker) compactSlots() error {
	t.buckets = make([]sums, compactBuckets*len(t.slots))
	for i := range t.slots {
		s := &t.slots[i]
		if s.length < int64(time.Microsecond) {
			return fmt.Errorf("window %v: want a microsecond or more in a compact tracker", time.Duration(s.length))
		}
		s.bucketRange = bucketRange{width: s.length / compactBuckets, end: math.MinInt64}
	}
	return nil
}

func (t *Tracker) bucketsOf(i int) []sums {
	return t.buckets[i*compactBuckets : (i+1)*compactBuckets]
}

// fill counts events at an instant. It may lie before the present one, as samples
// are taken up to where [Tracker.Advance] has come.
func (t *Tracker) fill(ns int64, events sums) {
	for i := range t.slots {
		s := &t.slots[i]
		ring := t.bucketsOf(i)
		if ns > s.end {
			s.turn(ring, ns)
		}
		place := s.newest
		if ns <= s.end-s.width {
			back := (s.end - ns) / s.width
			if back >= compactBuckets {
				continue
			}
			place = (place - int(back) + compactBuckets) % compactBuckets
		}
		b := &ring[place]
		b.bad += events.bad
		b.total += events.total
		s.sums.bad += events.bad
		s.sums.total += events.total
	}
}

// turn moves the newest bucket to that of a later instant.
func (s *slot) turn(ring []sums, now int64) {
	if s.end == math.MinInt64 || now-s.end > (compactBuckets-1)*s.width {
		clear(ring)
		s.sums, s.end, s.newest = sums{}, (floorDiv(now-1, s.width)+1)*s.width, 0
		return
	}
	for ; s.end < now; s.end += s.width {
		if s.newest++; s.newest == compactBuckets {
			s.newest = 0
		}
		b := &ring[s.newest]
		s.sums.bad -= b.bad
		s.sums.total -= b.total
		*b = sums{}
	}
}

// slack is how much of its old end a window may lack: one bucket, and what is
// left of a length that 56 does not divide.
func (s *slot) slack() time.Duration {
	if s.width == 0 {
		return 0
	}
	return time.Duration(s.length - (compactBuckets-1)*s.width)
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
	for i := range t.slots {
		s := &t.slots[i]
		w.int(s.end)
		for n := range compactBuckets {
			b := t.bucketsOf(i)[(s.newest+1+n)%compactBuckets] // oldest first
			w.uint(b.bad)
			w.uint(b.total)
		}
	}
}

func (t *Tracker) readBuckets(r *reader) {
	for i := range t.slots {
		s := &t.slots[i]
		s.end, s.newest = r.int(), compactBuckets-1
		if s.end != math.MinInt64 && (s.end%s.width != 0 || s.end < t.now || s.end-t.now >= s.width) {
			r.fail()
		}
		for n := range t.bucketsOf(i) {
			b := r.sums()
			s.sums.bad += b.bad
			s.sums.total += b.total
			if s.sums.total < b.total {
				r.fail()
			}
			t.bucketsOf(i)[n] = b
		}
	}
}
