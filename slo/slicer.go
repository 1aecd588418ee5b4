package slo

// slicer gathers the samples of a tracker into time slices.
type slicer struct {
	Slicing
	started bool
	open    int64 // number of the slice being filled; slice n is ((n-1)·length, n·length]
	events  sums
}

// closed reports whether the slice of an instant has been judged already.
func (s *slicer) closed(ns int64) bool { return s.started && s.number(ns) < s.open }

// number returns the slice that an instant belongs to.
func (s *slicer) number(ns int64) int64 { return floorDiv(ns-1, int64(s.Length)) + 1 }

// add puts the events of a sample into their slice. A sample at the end of a
// slice completes it.
func (s *slicer) add(t *Tracker, ns int64, events sums) {
	n := s.number(ns)
	if !s.started {
		s.started, s.open = true, n
	}
	s.closeThrough(t, n-1)
	s.events.add(events)
	if ns == n*int64(s.Length) {
		s.closeThrough(t, n)
	}
}

// closeThrough judges every open slice up to number n. Slices without events
// follow the no-data policy, but not before the first sample, not where an
// exclusion touches them, and only as far back as a window still reaches.
func (s *slicer) closeThrough(t *Tracker, n int64) {
	if !s.started || n < s.open {
		return
	}
	length := int64(s.Length)
	next := s.open
	if s.events.total > 0 {
		slice := sums{total: 1}
		if !s.isGood(s.events) {
			slice.bad = 1
		}
		t.record(s.open*length, slice)
		next++
	}
	if s.NoData != ExcludeNoData {
		empty := sums{total: 1}
		if s.NoData == BadNoData {
			empty.bad = 1
		}
		next = max(next, floorDiv(t.horizon(n*length), length)+1)
		for ; next <= n; next++ {
			if t.excluded.within(stretch{(next - 1) * length, next * length}) == 0 {
				t.record(next*length, empty)
			}
		}
	}
	s.open, s.events = n+1, sums{}
}
