package slo

import (
	"errors"
	"fmt"
	"iter"
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
	// Compact keeps 56 buckets of 16 bytes for each window, whatever its length
	// and the number of samples: about 7 KB for the default policy and a budget.
	// The counts of a rolling window may then lack the events of its first
	// bucket, that is those of up to a 56th of it at its old end, see
	// [Burn.Slack]; they hold nothing that is not in the window. Those of a
	// calendar window are exact. [Tracker.Burn] knows the windows of the
	// objective and its rules, of Retain and of one hour. Defaults to every
	// sample.
	Compact bool
	// Exclusions known from the start, see also [Tracker.Exclude].
	Exclusions []Exclusion
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
	// ErrPast means an exclusion that begins before samples already taken.
	ErrPast = errors.New("begins before samples already taken")
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
// It keeps every sample of its longest rolling window, 24 bytes each, or buckets
// of them if [TrackerOptions.Compact] asks for it. A sample costs no allocation
// once the memory has its size, and time in proportion to the number of windows.
type Tracker struct {
	objective Objective
	options   TrackerOptions

	ring      ring
	buckets   []sums // of a compact tracker, instead of the ring
	slots     []slot // ascending by length
	rules     []ruleState
	calendars []calendarSlot
	slicer    *slicer

	minCoverage fixed.Ratio // not set: none asked for

	placed bool  // now is set
	now    int64 // the instant of evaluation
	seen   bool  // first, last are set
	first  int64
	last   int64
	held   Counts // of the sample at last
	step   int64  // smallest distance of two samples, 0: unknown
	kept   int64  // a restored history starts here

	gaps       []stretch // ascending, disjoint
	excluded   []stretch // ascending, disjoint
	exclusions []Exclusion
	nextOut    int // index of the first exclusion that ends at or after last

	stats Stats
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
	lastHeld    int64
}

// calendarSlot is a calendar window of the objective: the period of the newest
// sample and its events.
type calendarSlot struct {
	window     Window
	start, end int64
	sums       sums
}

// stretch is the half-open time (start, end], in nanoseconds since 1970.
type stretch struct{ start, end int64 }

// missing are counts that no sample can hold; they stand for a missed one.
var missing = Counts{Good: 1}

// NewTracker returns a tracker for an objective. A nil options is the default.
func NewTracker(o Objective, options *TrackerOptions) (*Tracker, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	t := &Tracker{objective: o, kept: math.MinInt64}
	if options != nil {
		t.options = *options
	}
	if err := t.setExclusions(t.options.Exclusions); err != nil {
		return nil, err
	}
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
			t.calendars = append(t.calendars, calendarSlot{window: w, start: math.MaxInt64, end: math.MinInt64})
		}
	}
	forRule := map[time.Duration]bool{}
	for _, r := range t.objective.Policy.Rules {
		lengths = append(lengths, r.Long)
		forRule[r.Long] = true
		if r.Short > 0 {
			lengths = append(lengths, r.Short)
			forRule[r.Short] = true
		}
	}
	slices.Sort(lengths)
	for _, d := range slices.Compact(lengths) {
		t.slots = append(t.slots, slot{length: int64(d), forRule: forRule[d]})
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

// retention is the length of the longest slot, and oldest the first tally it
// needs.
func (t *Tracker) retention() int64 { return t.slots[len(t.slots)-1].length }
func (t *Tracker) oldest() uint64   { return t.slots[len(t.slots)-1].base }

func (t *Tracker) setExclusions(exclusions []Exclusion) error {
	set, err := excludedTime(exclusions)
	if err != nil {
		return err
	}
	excluded := make([]stretch, 0, len(set))
	for _, i := range set {
		start, okStart := nanos(i.Start)
		end, okEnd := nanos(i.End)
		if !okStart || !okEnd {
			return fmt.Errorf("exclusion %s: %w", i, ErrRange)
		}
		excluded = append(excluded, stretch{start, end})
	}
	t.excluded, t.exclusions, t.nextOut = excluded, slices.Clone(exclusions), 0
	return nil
}

// Exclude adds an exclusion that begins at or after the last sample; one that
// reaches back is refused with [ErrPast], as decisions were taken meanwhile.
func (t *Tracker) Exclude(x Exclusion) error {
	if t.seen && x.Start.Before(t.instant(t.last)) {
		return fmt.Errorf("exclusion %s: %w", x.Interval, ErrPast)
	}
	return t.setExclusions(append(slices.Clone(t.exclusions), x))
}

// nanos returns the nanoseconds of an instant since 1970. The years leave room
// for the longest window on both sides.
func nanos(at time.Time) (ns int64, ok bool) {
	const first, last = -8520336000, 8835984000 // 1700 and 2250, UTC
	s := at.Unix()
	return at.UnixNano(), s >= first && s < last
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
	if !ok || c.Good > c.Total || t.seen && ns <= t.last || t.slicer != nil && t.slicer.closed(ns) || t.overflows(ns, c.Total) {
		return t.refuse(at, ns, c, ok)
	}
	t.stats.Samples++
	t.cover(ns)
	t.held = c
	events := sums{c.Total - c.Good, c.Total}
	if t.isExcluded(ns) {
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
		return &SampleError{At: at, Last: t.lastInstant(), Sample: "none", Err: ErrRange}
	case t.placed && ns < t.now:
		return &SampleError{At: at, Last: t.instant(t.now), Sample: "none", Err: ErrOutOfOrder}
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
	if t.slots[len(t.slots)-1].sums.total > room {
		return true
	}
	if t.buckets != nil { // a shorter window may lack less
		for i := range t.slots {
			if t.slots[i].sums.total > room {
				return true
			}
		}
	}
	for i := range t.calendars {
		if c := &t.calendars[i]; ns <= c.end && c.sums.total > room {
			return true
		}
	}
	return false
}

// cover notes how far the sample reaches back.
func (t *Tracker) cover(ns int64) {
	if !t.seen {
		t.seen, t.first, t.last = true, ns, ns
		return
	}
	apart := ns - t.last
	if t.step == 0 || apart < t.step {
		t.step = apart
	}
	if limit := int64(t.options.MaxGap); limit > 0 && apart > limit {
		t.addGap(stretch{t.last, ns - limit})
	}
	t.last = ns
}

func (t *Tracker) addGap(g stretch) {
	if n := len(t.gaps); n > 0 && t.gaps[n-1].end == g.start {
		t.gaps[n-1].end = g.end
		return
	}
	horizon := t.horizon(g.end)
	old := 0
	for old < len(t.gaps) && t.gaps[old].end <= horizon {
		old++
	}
	t.gaps = append(slices.Delete(t.gaps, 0, old), g)
}

// horizon is the instant before which nothing matters any more at now.
func (t *Tracker) horizon(now int64) int64 {
	horizon := now - t.retention()
	for i := range t.calendars {
		start, _ := t.calendars[i].period(now - 1)
		horizon = min(horizon, start)
	}
	return horizon
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
	if t.buckets != nil {
		t.fill(ns, events)
	} else {
		t.ring.push(ns, events, t.oldest())
	}
	for i := range t.calendars {
		c := &t.calendars[i]
		if ns > c.end {
			// A sample belongs to the period with start < instant <= end.
			c.start, c.end = c.period(ns - 1)
			c.sums = sums{}
		}
		c.sums.bad += events.bad
		c.sums.total += events.total
	}
}

// period returns the calendar period of an instant.
func (c *calendarSlot) period(ns int64) (start, end int64) {
	p := c.window.Period(time.Unix(0, ns))
	return p.Start.UnixNano(), p.End.UnixNano()
}

// evaluate slides the windows and decides the rules. It is the whole work of a
// sample besides storing it, and free of allocations.
func (t *Tracker) evaluate(ns int64) {
	if !t.placed || ns > t.now {
		t.placed, t.now = true, ns
	}
	if t.buckets != nil {
		for i := range t.slots {
			if s := &t.slots[i]; t.now > s.end {
				s.turn(t.bucketsOf(i), t.now)
			}
		}
	} else {
		newest := t.ring.get(t.ring.head)
		for i := range t.slots {
			t.slots[i].slide(&t.ring, newest, t.now)
		}
	}
	for i := range t.rules {
		r := &t.rules[i]
		r.cause = r.judge(t.slots[r.long].sums, t.slots[r.short].sums, t.areCovered(r))
		r.follow(t.now)
	}
}

// areCovered reports whether the windows of a rule are covered as the policy
// asks; for a silence, whether any of it is not excluded.
func (t *Tracker) areCovered(r *ruleState) bool {
	if r.kind == Silence {
		long := r.compiledRule.long
		return len(t.excluded) == 0 || overlap(t.excluded, stretch{t.now - long, t.now}) < long
	}
	if t.minCoverage.Num == 0 {
		return true
	}
	return t.isCovered(r.compiledRule.long) && (!r.hasShort || t.isCovered(r.compiledRule.short))
}

func (t *Tracker) isCovered(length int64) bool {
	observed, excluded := t.coverage(t.now-length, t.now)
	return fixed.CompareProducts(uint64(observed+excluded), t.minCoverage.Den, t.minCoverage.Num, uint64(length)) >= 0
}

// follow keeps the run of evaluations in which the rule holds, and what follows
// from it.
func (r *ruleState) follow(now int64) {
	if !r.compiledRule.holds(r.cause) {
		r.holds = false
		if r.firing && now-r.lastHeld >= r.keepFiring {
			r.firing = false
		}
		return
	}
	if !r.holds {
		r.holds, r.since = true, now
	}
	r.lastHeld = now
	if !r.firing && now-r.since >= r.forNanos {
		r.firing, r.firingSince = true, now
	}
}

// Now returns the instant up to which the tracker has come; the zero time before
// the first.
func (t *Tracker) Now() time.Time {
	if !t.placed {
		return time.Time{}
	}
	return t.instant(t.now)
}

// Stats returns what the tracker was given so far.
func (t *Tracker) Stats() Stats { return t.stats }

// Decisions yields what each rule of the policy says now, in the order of the
// policy. It does not allocate.
func (t *Tracker) Decisions() iter.Seq[Decision] {
	return func(yield func(Decision) bool) {
		for i := range t.rules {
			if !yield(t.decision(i)) {
				return
			}
		}
	}
}

func (t *Tracker) decision(i int) Decision {
	r := &t.rules[i]
	d := *r.named
	d.LongCounts = t.slots[r.long].sums.counts()
	if r.hasShort {
		d.ShortCounts = t.slots[r.short].sums.counts()
	}
	d.Holds, d.Cause, d.Firing = r.holds, r.cause, r.firing
	if r.holds {
		d.Since = t.instant(r.since)
	}
	if r.firing {
		d.FiringSince = t.instant(r.firingSince)
	}
	d.Cold = t.isCold(r.compiledRule.long)
	if r.holds {
		d.SuppressedBy = t.objective.Policy.suppressor(i, func(n int) bool { return t.rules[n].holds })
	}
	return d
}

// Firing returns the first rule of a severity that fires; ok is false when none
// does. A severity fires when any of its rules does.
func (t *Tracker) Firing(severity Severity) (rule string, ok bool) {
	for i := range t.rules {
		if r := &t.rules[i]; r.firing && r.named.Severity == severity {
			return r.named.Rule, true
		}
	}
	return "", false
}

// Burn is the burn rate of one window.
type Burn struct {
	Window     time.Duration `json:"window_ns"`
	Counts     Counts        `json:"counts"`
	ErrorRatio Ratio         `json:"error_ratio"` // absent without events
	Rate       Ratio         `json:"rate"`        // absent without events
	Coverage   Ratio         `json:"coverage"`    // (observed + excluded) / window
	Cold       bool          `json:"cold"`        // starts before the first observation
	// Slack is the length of the stretch at the old end of the window whose
	// events the counts may lack; 0 but for a compact tracker.
	Slack time.Duration `json:"slack_ns,omitempty"`
}

// Burns yields the burn rate of every window of the rules, shortest first.
func (t *Tracker) Burns() iter.Seq[Burn] {
	return func(yield func(Burn) bool) {
		for i := range t.slots {
			s := &t.slots[i]
			if s.forRule && !yield(t.burnOf(s)) {
				return
			}
		}
	}
}

// Burn returns the burn rate of any window up to the longest that is kept;
// beyond it is [ErrNotRetained], as is any window that a compact tracker has no
// buckets for.
func (t *Tracker) Burn(window time.Duration) (Burn, error) {
	length := int64(window)
	switch {
	case length <= 0:
		return Burn{}, fmt.Errorf("burn window %v: want more than 0", window)
	case length > t.retention():
		return Burn{}, fmt.Errorf("burn window %v, kept %v: %w", window, time.Duration(t.retention()), ErrNotRetained)
	}
	if i := t.slot(length); i >= 0 {
		return t.burnOf(&t.slots[i]), nil
	}
	if t.buckets != nil {
		return Burn{}, fmt.Errorf("burn window %v, kept %v: %w", window, t.lengths(), ErrNotRetained)
	}
	return t.burn(length, t.ring.since(t.now-length, t.oldest())), nil
}

func (t *Tracker) burnOf(s *slot) Burn {
	b := t.burn(s.length, s.sums)
	b.Slack = s.slack()
	return b
}

func (t *Tracker) burn(length int64, events sums) Burn {
	b := Burn{Window: time.Duration(length), Counts: events.counts(), Cold: t.isCold(length)}
	b.ErrorRatio = b.Counts.ErrorRatio()
	b.Rate = t.objective.Target.Burn(b.ErrorRatio)
	observed, excluded := t.coverage(t.now-length, t.now)
	b.Coverage = NewRatio(observed+excluded, length)
	return b
}

// Status returns the budget of the main window, Windows[0], at the present
// instant.
func (t *Tracker) Status() (Status, error) { return t.status(0) }

// Statuses returns the budgets of all windows of the objective, in their order.
func (t *Tracker) Statuses() ([]Status, error) {
	all := make([]Status, len(t.objective.Windows))
	for i := range all {
		s, err := t.status(i)
		if err != nil {
			return nil, err
		}
		all[i] = s
	}
	return all, nil
}

func (t *Tracker) status(i int) (Status, error) {
	if !t.placed {
		return Status{}, ErrNoInstant
	}
	w := t.objective.Windows[i]
	e := Evidence{
		Measure: t.objective.measure(), Window: w.Period(t.instant(t.now)).Interval, At: t.instant(t.now),
		Exclusions: t.exclusions, Risk: t.objective.Risk,
	}
	if w.IsRolling() {
		e.Counts = t.slots[t.slot(int64(w.length))].sums.counts()
	} else {
		e.Counts = t.calendarCounts(i, e.Window.Start.UnixNano())
	}
	observed, _ := t.coverage(e.Window.Start.UnixNano(), t.now)
	e.Observed = time.Duration(observed)
	e.RuleFiring = slices.ContainsFunc(t.rules, func(r ruleState) bool { return r.firing })
	if e.Risk.OnForecast {
		recent, err := t.Burn(time.Hour)
		if err != nil {
			return Status{}, err
		}
		e.RecentBurn = recent.Rate
	}
	return Evaluate(t.objective.Target, e)
}

// calendarCounts returns the events of the calendar window i of the objective in
// the period that starts at an instant: none when the newest sample lies in an
// earlier one.
func (t *Tracker) calendarCounts(i int, start int64) Counts {
	for _, w := range t.objective.Windows[:i] {
		if w.IsRolling() {
			i--
		}
	}
	if c := t.calendars[i]; c.start == start && c.end > c.start {
		return c.sums.counts()
	}
	return Counts{}
}

// Forecast projects the main budget with the burn rate of the recent past, which
// must not be longer than the history kept. Without events in it the forecast is
// absent.
func (t *Tracker) Forecast(recent time.Duration) (Forecast, error) {
	s, err := t.Status()
	if err != nil {
		return Forecast{}, err
	}
	b, err := t.Burn(recent)
	if err != nil {
		return Forecast{}, err
	}
	return s.Forecast(b.Rate), nil
}
