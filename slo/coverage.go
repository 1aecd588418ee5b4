package slo

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// stretch is the half-open time (start, end], in nanoseconds since 1970.
type stretch struct{ start, end int64 }

// timeline is time in ascending, disjoint stretches. Each knows the length of all
// before it, so that how much of a timeline lies in a stretch is two binary
// searches.
type timeline []piece

type piece struct {
	stretch
	before int64 // may begin anywhere and wraps; differences are exact
}

// add appends a stretch that begins at the end or later; one that touches the end
// makes it longer.
func (l timeline) add(s stretch) timeline {
	if s.end <= s.start {
		return l
	}
	if n := len(l); n > 0 && l[n-1].end == s.start {
		l[n-1].end = s.end
		return l
	}
	return append(l, piece{s, l.through(s.start)})
}

// through returns the length up to an instant.
func (l timeline) through(at int64) int64 {
	i := sort.Search(len(l), func(i int) bool { return l[i].end >= at })
	switch {
	case i < len(l):
		return l[i].before + max(0, at-l[i].start)
	case i > 0:
		return l[i-1].before + l[i-1].end - l[i-1].start
	}
	return 0
}

// within returns how much lies in a stretch.
func (l timeline) within(s stretch) int64 {
	if len(l) == 0 || s.end <= s.start {
		return 0
	}
	return l.through(s.end) - l.through(s.start)
}

// ending returns what ends after an instant.
func (l timeline) ending(after int64) timeline {
	return l[sort.Search(len(l), func(i int) bool { return l[i].end > after }):]
}

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
// excluded time is not observed, whatever was sampled in it. What lies after the
// instant last counts as not observed.
func (t *Tracker) coverage(lo, hi, last int64) (observed, excluded int64) {
	excluded = t.excluded.within(stretch{lo, hi})
	if !t.seen {
		return 0, excluded
	}
	from := t.from()
	observed = hi - lo - excluded
	observed -= t.uncovered(stretch{lo, min(hi, from)})
	observed -= t.uncovered(stretch{max(lo, last, from), hi})
	observed -= t.dark.within(stretch{max(lo, from), hi})
	return observed, excluded
}

// patience is how long after a sample the next one is not overdue: MaxGap, else
// Interval, else the smallest distance seen.
func (t *Tracker) patience() int64 {
	switch {
	case t.options.MaxGap > 0:
		return int64(t.options.MaxGap)
	case t.options.Interval > 0:
		return int64(t.options.Interval)
	}
	return t.step
}

// uncovered returns how much of a stretch without data is not excluded either.
func (t *Tracker) uncovered(s stretch) int64 {
	if s.end <= s.start {
		return 0
	}
	return s.end - s.start - t.excluded.within(s)
}

// addGap notes a gap that begins at the end of the last one or later. An exclusion
// never reaches back, so that what is dark of it stays so. Gaps that no window
// reaches any more are dropped from time to time.
func (t *Tracker) addGap(g stretch) {
	if len(t.gaps) >= t.crowded {
		horizon := t.horizon(g.end)
		t.gaps = slices.Clone(t.gaps.ending(horizon))
		t.dark = slices.Clone(t.dark.ending(horizon))
		t.crowded = max(64, 2*len(t.gaps))
	}
	t.gaps = t.gaps.add(g)
	for _, x := range t.excluded.ending(g.start) {
		if x.start >= g.end {
			break
		}
		t.dark = t.dark.add(stretch{g.start, x.start})
		g.start = min(x.end, g.end)
	}
	t.dark = t.dark.add(g)
}

// keptGaps are the gaps that some window reaches.
func (t *Tracker) keptGaps() timeline {
	if len(t.gaps) == 0 {
		return nil
	}
	return t.gaps.ending(t.horizon(t.now))
}

// Gaps returns the time within the history kept that no sample covers, ascending:
// what MaxGap and [Tracker.Miss] found, not the time before the first sample nor
// after the last. It is evidence of missing monitoring, neither good nor bad.
func (t *Tracker) Gaps() []calendar.Interval {
	kept := t.keptGaps()
	gaps := make([]calendar.Interval, len(kept))
	for i, g := range kept {
		gaps[i] = calendar.Interval{Start: t.instant(g.start), End: t.instant(g.end)}
	}
	return gaps
}

// calendarSlot is a calendar window of the objective: the period of the newest
// sample, and the one before.
type calendarSlot struct {
	window Window
	period
	ended period
}

// period is a stretch of a calendar and its events.
type period struct {
	stretch
	sums sums
}

// unknown is no period.
var unknown = period{stretch: stretch{math.MaxInt64, math.MinInt64}}

// turn begins the period of an instant, which is after the present one.
func (c *calendarSlot) turn(ns int64) {
	next := period{stretch: c.at(ns)}
	if c.ended = c.period; c.end != next.start {
		c.ended = period{stretch: c.at(next.start)}
	}
	c.period = next
}

// at returns the calendar period of an instant; one at the end of a period belongs
// to it.
func (c *calendarSlot) at(ns int64) stretch {
	p := c.window.Period(time.Unix(0, ns-1))
	return stretch{p.Start.UnixNano(), p.End.UnixNano()}
}

// horizon is the instant before which nothing matters any more at now: a calendar
// window still knows the period that has ended.
func (t *Tracker) horizon(now int64) int64 {
	horizon := now - t.retention()
	for i := range t.calendars {
		c := &t.calendars[i]
		start := min(c.start, c.ended.start)
		if now <= c.start || now > c.end {
			start = c.at(c.at(now).start).start
		}
		horizon = min(horizon, start)
	}
	return horizon
}
