package slo

import (
	"sort"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// from returns the instant from which on the samples of the tracker count.
func (t *Tracker) from() int64 {
	from := t.first - t.step
	switch {
	case !t.options.Since.IsZero():
		from = t.options.Since.UnixNano()
	case t.options.Interval > 0:
		from = t.first - int64(t.options.Interval)
	}
	return max(from, t.kept)
}

// isCold reports whether a window starts before the first observation.
func (t *Tracker) isCold(length int64) bool { return !t.seen || t.now-length < t.from() }

// coverage returns how much of (lo, hi] was observed and how much was excluded;
// excluded time is not observed, whatever was sampled in it.
func (t *Tracker) coverage(lo, hi int64) (observed, excluded int64) {
	excluded = overlap(t.excluded, stretch{lo, hi})
	if !t.seen {
		return 0, excluded
	}
	observed = hi - lo - excluded
	observed -= t.uncovered(stretch{lo, min(hi, t.from())})
	observed -= t.uncovered(stretch{max(lo, t.last, t.from()), hi})
	for _, g := range t.gaps {
		observed -= t.uncovered(stretch{max(g.start, lo, t.from()), min(g.end, hi)})
	}
	return observed, excluded
}

// uncovered returns how much of a stretch without data is not excluded either.
func (t *Tracker) uncovered(s stretch) int64 {
	if s.end <= s.start {
		return 0
	}
	return s.end - s.start - overlap(t.excluded, s)
}

// overlap returns how much of a stretch lies in an ascending, disjoint list.
func overlap(list []stretch, s stretch) int64 {
	var sum int64
	first := sort.Search(len(list), func(i int) bool { return list[i].end > s.start })
	for _, l := range list[first:] {
		if l.start >= s.end {
			break
		}
		sum += min(l.end, s.end) - max(l.start, s.start)
	}
	return sum
}

// Gaps returns the time within the history kept that no sample covers, ascending:
// what MaxGap and [Tracker.Miss] found, not the time before the first sample nor
// after the last. It is evidence of missing monitoring, neither good nor bad.
func (t *Tracker) Gaps() []calendar.Interval {
	gaps := make([]calendar.Interval, len(t.gaps))
	for i, g := range t.gaps {
		gaps[i] = calendar.Interval{Start: t.instant(g.start), End: t.instant(g.end)}
	}
	return gaps
}
