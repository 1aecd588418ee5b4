package slo

import (
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Observe takes the counts of the stretch of time that ends at the instant and
// brings every window and rule up to it. Instants must rise. A repeated sample is
// ignored. Refused with a [*SampleError], counted in [Tracker.Stats] and without
// any other effect are: counts with more good events than events, an instant
// before the last one ([ErrOutOfOrder]), another sample for the same instant
// ([ErrConflict]), one for a time slice that [Tracker.Advance] has closed
// ([ErrLate]), an instant outside the years 1700 to 2250 ([ErrRange]), and more
// events than 64 bits hold together with the history kept, or with those of the
// calendar period ([ErrOverflow]).
func (t *Tracker) Observe(at time.Time, c Counts) error {
	ns, ok := nanos(at)
	counted, carry := bits.Add64(t.counted, c.Total, 0)
	if !ok || c.Good > c.Total || t.seen && ns <= t.last || t.slicer != nil && t.slicer.closed(ns) || carry != 0 && t.overflows(ns, c.Total) {
		return t.refuse(at, ns, c, ok)
	}
	t.stats.Samples++
	t.counted = counted | -carry
	if !t.seen || ns-t.last != t.even {
		t.cover(ns)
	}
	t.last, t.held = ns, c
	events := sums{c.Total - c.Good, c.Total}
	if len(t.excluded) > 0 && t.isExcluded(ns) {
		t.stats.Excluded++
		events = sums{}
	}
	if t.slicer == nil {
		t.record(ns, events)
	} else {
		t.slicer.add(t, ns, events)
	}
	t.evaluate(ns)
	return nil
}

// ObserveBad is [Tracker.Observe] for a source that counts bad events.
func (t *Tracker) ObserveBad(at time.Time, bad, total uint64) error {
	c, err := FromBad(bad, total)
	if err != nil {
		t.stats.Invalid++
		return &SampleError{At: at, Last: t.lastInstant(), Sample: fmt.Sprintf("bad %d of %d", bad, total), Err: err}
	}
	return t.Observe(at, c)
}

// Miss records that the sample due at the instant is missing (a failed scrape,
// NaN): the time since the last sample becomes a gap, covered by nothing. It
// counts neither as good nor as bad. The order of instants is that of Observe.
func (t *Tracker) Miss(at time.Time) error {
	ns, ok := nanos(at)
	if !ok || t.seen && ns <= t.last {
		return t.refuse(at, ns, missing, ok)
	}
	t.stats.Missing++
	if t.seen {
		t.addGap(stretch{t.last, ns})
		t.last, t.held = ns, missing
	}
	t.closeSlices(ns)
	t.evaluate(ns)
	return nil
}

// Advance brings every window and rule up to an instant at which there is no
// sample, so that old events leave the windows. An instant before the present
// one is refused with [ErrOutOfOrder].
func (t *Tracker) Advance(at time.Time) error {
	ns, ok := nanos(at)
	switch {
	case !ok:
		return &SampleError{At: at, Last: t.lastInstant(), Err: ErrRange}
	case t.placed && ns < t.now:
		return &SampleError{At: at, Last: t.instant(t.now), Err: ErrOutOfOrder}
	}
	t.closeSlices(ns)
	t.evaluate(ns)
	return nil
}

// closeSlices judges the slices that have ended at an instant.
func (t *Tracker) closeSlices(ns int64) {
	if t.slicer != nil {
		t.slicer.closeThrough(t, floorDiv(ns, int64(t.slicer.Length)))
	}
}

func (t *Tracker) lastInstant() time.Time {
	if !t.seen {
		return time.Time{}
	}
	return t.instant(t.last)
}

// refuse finds out what is wrong with a sample.
func (t *Tracker) refuse(at time.Time, ns int64, c Counts, inRange bool) error {
	e := &SampleError{At: at, Last: t.lastInstant(), Sample: fmt.Sprintf("good %d of %d", c.Good, c.Total)}
	if c == missing {
		e.Sample = "missing"
	}
	switch {
	case !inRange:
		t.stats.Invalid++
		e.Err = ErrRange
	case t.seen && ns == t.last && c == t.held:
		t.stats.Duplicates++
		return nil
	case c != missing && c.Validate() != nil:
		t.stats.Invalid++
		e.Err = c.Validate()
	case t.seen && ns == t.last:
		t.stats.Conflicts++
		e.Err = ErrConflict
	case t.seen && ns < t.last:
		t.stats.OutOfOrder++
		e.Err = ErrOutOfOrder
	case t.slicer != nil && t.slicer.closed(ns):
		t.stats.Late++
		e.Err = ErrLate
	default:
		t.stats.Invalid++
		e.Err = ErrOverflow
	}
	return e
}

// overflows reports whether so many more events at an instant need more than 64
// bits in a sum: of the open slice, of the history kept (as of the instant
// before, which errs on the safe side), or of a calendar period.
func (t *Tracker) overflows(ns int64, total uint64) bool {
	room := math.MaxUint64 - total
	if t.slicer != nil { // the windows hold slices then, too few of them to overflow
		return t.slicer.events.total > room && t.slicer.number(ns) == t.slicer.open
	}
	for i := range t.slots { // in a compact tracker a shorter window may lack less
		if t.in(i).total > room {
			return true
		}
	}
	for i := range t.calendars {
		if c := &t.calendars[i]; ns <= c.end && c.sums.total > room {
			return true
		}
	}
	return false
}

// largest returns the largest number of events that a sum holds.
func (t *Tracker) largest() uint64 {
	var n uint64
	for i := range t.slots {
		n = max(n, t.in(i).total)
	}
	for i := range t.calendars {
		n = max(n, t.calendars[i].sums.total)
	}
	if t.slicer != nil {
		n = max(n, t.slicer.events.total)
	}
	return n
}

// cover notes how far the sample reaches back, before it becomes the last one.
func (t *Tracker) cover(ns int64) {
	if !t.seen {
		t.seen, t.first = true, ns
		return
	}
	apart := ns - t.last
	if t.step == 0 || apart < t.step {
		t.step = apart
	}
	limit := int64(t.options.MaxGap)
	if limit > 0 && apart > limit {
		t.addGap(stretch{t.last, ns - limit})
	} else if apart == t.step {
		t.even = apart
	}
}

// record counts events at an instant.
func (t *Tracker) record(ns int64, events sums) {
	if events.total == 0 {
		return
	}
	t.all.add(events)
	if t.buckets != nil {
		t.fill(ns, events)
	} else {
		t.ring.push(ns, events, t.longest().pos)
	}
	if len(t.weights.marked) > 0 {
		t.weights.take(t, ns, events)
	}
	for i := range t.calendars {
		c := &t.calendars[i]
		if ns > c.end {
			// A sample belongs to the period with start < instant <= end.
			c.turn(ns)
		}
		c.sums.add(events)
	}
}
