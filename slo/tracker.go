package slo

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"
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

// ruleState is a rule and the run of evaluations in which it holds.
type ruleState struct {
	compiledRule
	named       *Decision // what does not change, apart as it is seldom needed
	long, short int       // slots
	cause       Cause
	holds       bool
	since       int64
	firing      bool
	firingSince int64
	ceased      int64 // the first evaluation after the run, while holds is false
}

// watch is what is looked at of a burn rate rule that does not fire, because one of
// its windows is below the limit. That it still is shows without a product while
// the window has no more bad events than the limit allows for fewer events than it
// has.
type watch struct {
	bad   uint64 // limit · total, rounded down
	total uint64 // there must be more; MaxUint64: the rule is to be judged
	below uint32 // slot of the window that is below
	other uint32 // that of the other one, which must have events
}

// watchOf returns the watch of a rule that is quiet in the sums of its windows.
func watchOf(r *ruleState, long, short sums) watch {
	w, s := watch{below: uint32(r.long), other: uint32(r.short)}, long
	if !r.isBelow(long) {
		w, s = watch{below: uint32(r.short), other: uint32(r.long)}, short
	}
	w.total = s.total - s.total/8 - 1 // room for a window that loses events
	bad, _, fits := fixed.MulDiv(r.num, w.total, r.den)
	if !fits {
		bad = math.MaxUint64
	}
	w.bad = bad
	return w
}

// missing are counts that no sample can hold; they stand for a missed one.
var missing = Counts{Good: 1}

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

func (t *Tracker) compileRules() error {
	rules, err := compile(t.objective.Policy, t.objective.Target)
	if err != nil {
		return err
	}
	for i, c := range rules {
		named := t.objective.Policy.Rules[i].decision(t.objective.Target)
		r := ruleState{compiledRule: c, named: &named, long: t.slot(c.long)}
		r.short = r.long
		if c.hasShort {
			r.short = t.slot(c.short)
		}
		t.rules = append(t.rules, r)
		t.watches = append(t.watches, watch{total: math.MaxUint64})
	}
	if least := t.objective.Policy.MinCoverage; least.IsSet() {
		num, den, ok := least.parts()
		if !ok {
			return fmt.Errorf("min coverage %s: want a ratio of 64-bit numbers", least)
		}
		t.minCoverage = fixed.NewRatio(num, den)
	}
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

// setExclusions replaces all exclusions.
func (t *Tracker) setExclusions(exclusions []Exclusion) error {
	if err := checkExclusions(exclusions); err != nil {
		return err
	}
	t.useExclusions(sortedExclusions(exclusions))
	return nil
}

func checkExclusions(exclusions []Exclusion) error {
	for _, x := range exclusions {
		_, okStart := nanos(x.Start)
		_, okEnd := nanos(x.End)
		if !okStart || !okEnd {
			return fmt.Errorf("exclusion %s: %w", x.Interval, ErrRange)
		}
	}
	_, err := excludedTime(exclusions)
	return err
}

// useExclusions takes a list in order, and keeps it.
func (t *Tracker) useExclusions(sorted []Exclusion) {
	t.exclusions, t.excluded, t.reach, t.nextOut = sorted, t.excluded[:0], t.reach[:0], 0
	reach := int64(math.MinInt64)
	for _, x := range sorted {
		s := stretch{x.Start.UnixNano(), x.End.UnixNano()}
		t.excluded = t.excluded.add(stretch{max(s.start, reach), s.end})
		reach = max(reach, s.end)
		t.reach = append(t.reach, reach)
	}
}

// touching returns the exclusions from the first to the last that touches a
// stretch.
func (t *Tracker) touching(s stretch) []Exclusion {
	first := sort.Search(len(t.reach), func(i int) bool { return t.reach[i] > s.start })
	behind := sort.Search(len(t.exclusions), func(i int) bool { return t.exclusions[i].Start.UnixNano() >= s.end })
	return t.exclusions[min(first, behind):behind]
}

// Exclude adds an exclusion that begins at or after the present instant; one that
// reaches back is refused with [ErrPast], as decisions were taken and slices
// judged meanwhile. It takes time in proportion to the exclusions known.
func (t *Tracker) Exclude(x Exclusion) error {
	if err := checkExclusions([]Exclusion{x}); err != nil {
		return err
	}
	if t.placed && x.Start.UnixNano() < t.now {
		return fmt.Errorf("exclusion %s: %w", x.Interval, ErrPast)
	}
	i, _ := slices.BinarySearchFunc(t.exclusions, x, compareExclusions)
	t.useExclusions(slices.Insert(t.exclusions, i, x))
	return nil
}

// nanos returns the nanoseconds of an instant since 1970. The years leave room
// for the longest window on both sides.
func nanos(at time.Time) (ns int64, ok bool) {
	const first, last = -8520336000, 8835984000 // 1700 and 2250, UTC
	s := at.Unix()
	return s*1e9 + int64(at.Nanosecond()), s >= first && s < last
}

func (t *Tracker) instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

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

// isExcluded reports whether the sample lies in an exclusion. Samples rise, so
// exclusions are passed once.
func (t *Tracker) isExcluded(ns int64) bool {
	for t.nextOut < len(t.excluded) && t.excluded[t.nextOut].end < ns {
		t.nextOut++
	}
	return t.nextOut < len(t.excluded) && t.excluded[t.nextOut].start < ns
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

// evaluate slides the windows and decides the rules. It is the whole work of a
// sample besides storing it, and free of allocations.
func (t *Tracker) evaluate(ns int64) {
	if !t.placed || ns > t.now {
		t.placed, t.now = true, ns
	}
	if t.buckets != nil {
		for i := range t.slots {
			if b := &t.buckets[i]; t.now > b.end {
				b.turn(&t.slots[i], t.all, t.now)
			}
		}
	} else {
		t.ring.slide(t.slots, t.now)
	}
	for i := t.quiet(); i < len(t.rules); i++ {
		t.decide(i)
	}
}

// quiet returns how many rules, from the first on, are below their limits as
// before, which judge would find too. Most of the time these are all of them, and
// no call in the loop keeps everything in registers.
func (t *Tracker) quiet() int {
	slots, all := t.slots, t.all
	for i := range t.watches {
		w := &t.watches[i]
		s := all.minus(slots[w.below].left)
		if s.bad > w.bad || s.total <= w.total || slots[w.other].left.total == all.total {
			return i
		}
	}
	return len(t.watches)
}

// decide judges rule i at the present instant.
func (t *Tracker) decide(i int) {
	r := &t.rules[i]
	long, short := t.in(r.long), t.in(r.short)
	r.cause = r.judge(long, short, t.areCovered(r))
	r.follow(t.now)
	t.watches[i] = watch{total: math.MaxUint64}
	if r.kind == BurnRate && r.cause == Below && t.minCoverage.Num == 0 && !r.firing {
		t.watches[i] = watchOf(r, long, short)
	}
}

// areCovered reports whether the windows of a rule are covered as the policy
// asks; for a silence, whether any of it is not excluded.
func (t *Tracker) areCovered(r *ruleState) bool {
	if r.kind == Silence {
		long := r.compiledRule.long
		return t.excluded.within(stretch{t.now - long, t.now}) < long
	}
	if t.minCoverage.Num == 0 {
		return true
	}
	return t.isCovered(r.compiledRule.long) && (!r.hasShort || t.isCovered(r.compiledRule.short))
}

// isCovered does not count the time since the last sample as long as no other is
// due, so that a rule does not come and go between samples.
func (t *Tracker) isCovered(length int64) bool {
	observed, excluded := t.coverage(t.now-length, t.now, t.last+t.patience())
	return fixed.CompareProducts(uint64(observed+excluded), t.minCoverage.Den, t.minCoverage.Num, uint64(length)) >= 0
}

// follow keeps the run of evaluations in which the rule holds, and what follows
// from it.
func (r *ruleState) follow(now int64) {
	if !r.compiledRule.holds(r.cause) {
		if r.holds {
			r.holds, r.ceased = false, now
		}
		r.firing = r.firing && now-r.ceased < r.keepFiring
		return
	}
	if !r.holds {
		r.holds, r.since = true, now
	}
	if !r.firing && now-r.since >= r.forNanos {
		r.firing, r.firingSince = true, now
	}
}
