package slo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
)

// TrackerOptions are the optional parts of a [Tracker].
type TrackerOptions struct {
	// Interval is the usual distance of samples. It sizes the memory, and the
	// first sample covers that much time before it. Defaults to unknown: the
	// memory grows as needed, and the first sample covers the smallest distance
	// seen between two samples.
	Interval time.Duration
	// Since is the instant from which on the first sample counted, when known
	// better. Defaults to what Interval says.
	Since time.Time
	// MaxGap is the most time before it that a sample covers; what lies further
	// back, up to the sample before, is a gap. Defaults to no limit.
	MaxGap time.Duration
	// Retain is how much history is kept at least, for [Tracker.Burn] with any
	// window. Defaults to one hour; the windows of the objective and its rules
	// are kept in any case.
	Retain time.Duration
	// Compact keeps 56 buckets of 8 bytes for each window, whatever its length and
	// the number of samples: the tracker takes about 7 KB for the default policy
	// and a budget. A window of which a bucket has 2^32 events or more takes 896
	// bytes in addition, allocated with the first such bucket.
	// The counts of a rolling window may then lack the events of its first
	// bucket, that is those of up to a 56th of it at its old end, see
	// [Burn.Slack]; they hold nothing that is not in the window. Those of a
	// calendar window are exact. [Tracker.Burn] knows the windows of the
	// objective and its rules, of Retain and of one hour. Defaults to every
	// sample.
	Compact bool
	// Exclusions known from the start, see also [Tracker.Exclude].
	Exclusions []Exclusion
	// Marks known from the start, see also [Tracker.Mark] and [Tracker.Weigh].
	// Samples in marked time are kept a second time, compact or not.
	Marks []Mark
}

// Stats counts what a [Tracker] was given.
type Stats struct {
	Samples    uint64 `json:"samples"`    // taken
	Excluded   uint64 `json:"excluded"`   // of these, taken out by an exclusion
	Missing    uint64 `json:"missing"`    // reported by Miss
	Duplicates uint64 `json:"duplicates"` // ignored

	// Refused with an error:
	OutOfOrder uint64 `json:"out_of_order"`
	Conflicts  uint64 `json:"conflicts"`
	Late       uint64 `json:"late"`
	Invalid    uint64 `json:"invalid"` // counts, instants or sums that cannot be
}

// Errors of a [Tracker] besides those of a [Counter].
var (
	// ErrLate means a sample for a time slice that is closed already.
	ErrLate = errors.New("time slice closed already")
	// ErrPast means an exclusion that begins before the present instant.
	ErrPast = errors.New("begins before what is decided already")
	// ErrNoInstant means that nothing was observed and no instant was given yet.
	ErrNoInstant = errors.New("no instant yet: want Observe or Advance first")
	// ErrNotRetained means a window of which no history is kept.
	ErrNotRetained = errors.New("window not kept")
)

// Tracker follows one objective sample by sample: it keeps the burn rate of every
// window and the decision of every rule current, exactly, and knows the budget
// at the instant it has come to. It reads no clock and starts no goroutine; the
// same samples give the same answers. A Tracker is not safe for concurrent use.
//
// It keeps every sample of its longest rolling window, in 8 bytes where they come
// at equal distances and have less than 2^30 bad events and 2^32 in all, and in
// 16 to 32 bytes otherwise, or buckets of them if [TrackerOptions.Compact] asks for
// it. A sample costs no allocation once the memory has its size, and time in
// proportion to the number of windows; rules with a MinCoverage or an Alpha take
// some hundred nanoseconds to microseconds more. A status takes time with the
// exclusions in its window, not with the gaps.
type Tracker struct {
	// What every sample needs comes first, in few cache lines.
	ring      ring
	buckets   []buckets // of a compact tracker, instead of the ring
	slots     []slot    // ascending by length
	all       sums      // events so far; wraps, as only differences count
	watches   []watch   // by rule
	calendars []calendarSlot
	slicer    *slicer
	excluded  timeline
	weights   weights
	nextOut   int    // index of the first exclusion that ends at or after last
	placed    bool   // now is set
	seen      bool   // first, last are set
	now       int64  // the instant of evaluation
	last      int64  // of the newest sample
	held      Counts // of the sample at last
	even      int64  // distance of samples at which cover has nothing to do
	counted   uint64 // all events, as long as that fits; no sum is larger
	stats     Stats

	objective   Objective
	options     TrackerOptions
	rules       []ruleState
	minCoverage fixed.Ratio // not set: none asked for
	first       int64
	step        int64 // smallest distance of two samples, 0: unknown
	kept        int64 // a restored history starts here
	gaps        timeline
	dark        timeline    // gaps without what is excluded
	crowded     int         // so many gaps are looked through for old ones
	exclusions  []Exclusion // by start, end and reason
	reach       []int64     // by exclusion, the latest end of it and those before
}

// NewTracker returns a tracker for an objective. A nil options is the default.
// Neither is kept: what is changed in them later does not matter.
func NewTracker(o Objective, options *TrackerOptions) (*Tracker, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.Windows, o.Policy.Rules = slices.Clone(o.Windows), slices.Clone(o.Policy.Rules)
	if o.Slices != nil {
		sliced := *o.Slices
		o.Slices = &sliced
	}
	t := &Tracker{objective: o, kept: math.MinInt64}
	if options != nil {
		t.options = *options
	}
	if err := t.setExclusions(t.options.Exclusions); err != nil {
		return nil, err
	}
	if err := checkMarks(t.options.Marks); err != nil {
		return nil, err
	}
	t.weights.mark(t.options.Marks)
	if t.options.Interval < 0 || t.options.MaxGap < 0 || t.options.Retain < 0 || t.options.Retain > maxWindow {
		return nil, fmt.Errorf("tracker options: want interval %v, max gap %v and retain %v from 0 to 3660 days",
			t.options.Interval, t.options.MaxGap, t.options.Retain)
	}
	if !t.options.Since.IsZero() {
		if _, ok := nanos(t.options.Since); !ok {
			return nil, fmt.Errorf("tracker options: since: %w", ErrRange)
		}
	}
	if o.Slices != nil {
		t.slicer = &slicer{Slicing: *o.Slices}
	}
	if err := t.layOut(); err != nil {
		return nil, err
	}
	return t, t.compileRules()
}

// layOut collects the windows to keep and makes room for them.
func (t *Tracker) layOut() error {
	lengths := []time.Duration{max(t.options.Retain, time.Hour)}
	if t.options.Compact {
		lengths = append(lengths, time.Hour)
	}
	for _, w := range t.objective.Windows {
		if w.IsRolling() {
			lengths = append(lengths, w.length)
		} else {
			t.calendars = append(t.calendars, calendarSlot{window: w, period: unknown, ended: unknown})
		}
	}
	for _, r := range t.objective.Policy.Rules {
		lengths = append(lengths, r.Long)
		if r.Short > 0 {
			lengths = append(lengths, r.Short)
		}
	}
	slices.Sort(lengths)
	for _, d := range slices.Compact(lengths) {
		t.slots = append(t.slots, newSlot(int64(d), math.MinInt64))
	}
	if t.options.Compact {
		return t.compactSlots()
	}
	const most = 1 << 22 // samples to make room for at once
	capacity := 0
	if t.options.Interval > 0 {
		capacity = int(min(t.retention()/int64(t.options.Interval)+2, most))
	}
	t.ring = newRing(capacity, math.MinInt64)
	return nil
}

// slot returns the index of the slot of a length, -1 for none.
func (t *Tracker) slot(length int64) int {
	return slices.IndexFunc(t.slots, func(s slot) bool { return s.length == length })
}

// in returns the events in the window of slot i.
func (t *Tracker) in(i int) sums { return t.all.minus(t.slots[i].left) }

// longest is the slot that keeps the history, and retention its length.
func (t *Tracker) longest() *slot   { return &t.slots[len(t.slots)-1] }
func (t *Tracker) retention() int64 { return t.longest().length }

// nanos returns the nanoseconds of an instant since 1970. The years leave room
// for the longest window on both sides.
func nanos(at time.Time) (ns int64, ok bool) {
	const first, last = -8520336000, 8835984000 // 1700 and 2250, UTC
	s := at.Unix()
	return s*1e9 + int64(at.Nanosecond()), s >= first && s < last
}

func (t *Tracker) instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }
