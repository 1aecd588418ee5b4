package threshold

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
)

// DefaultStaleness is the longest gap between two samples that keeps a
// pending or firing state, the look-back of Prometheus.
const DefaultStaleness = 5 * time.Minute

// Missing marks a sample without a value or without a reference.
var Missing = math.NaN()

// Outcome is the answer for one sample without its history.
type Outcome uint8

// The outcomes. Only Breach breaches; the last two are facts about the data,
// not answers.
const (
	Good             Outcome = iota // the comparison is false
	Breach                          // the comparison is true
	WithoutData                     // the value is missing or NaN
	WithoutReference                // the reference is missing, zero or not finite
)

// String returns good, breach, no_data or no_reference.
func (o Outcome) String() string {
	switch o {
	case Good:
		return "good"
	case Breach:
		return "breach"
	case WithoutData:
		return "no_data"
	case WithoutReference:
		return "no_reference"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// State is where a condition stands after a sample.
type State uint8

// The states. NoData and NoReference are Inactive with the reason: the last
// sample could not be compared.
const (
	Inactive State = iota
	Pending
	Firing
	NoData
	NoReference
)

var stateTexts = [...]string{Inactive: "inactive", Pending: "pending", Firing: "firing", NoData: "no_data", NoReference: "no_reference"}

// String returns inactive, pending, firing, no_data or no_reference.
func (s State) String() string {
	if int(s) >= len(stateTexts) {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateTexts[s]
}

// MarshalText returns [State.String]; an unknown state is an error.
func (s State) MarshalText() ([]byte, error) {
	if int(s) >= len(stateTexts) {
		return nil, fmt.Errorf("state %d, want one of %q", uint8(s), stateTexts)
	}
	return []byte(stateTexts[s]), nil
}

// UnmarshalText reads the texts of [State.String].
func (s *State) UnmarshalText(b []byte) error {
	for i, t := range stateTexts {
		if t == string(b) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("state %q, want one of %q", b, stateTexts)
}

// Options tell [Compile] about the series.
type Options struct {
	// Unit the samples are in, if it differs from the unit of the text; it is
	// converted. Defaults to the unit of the text; percent values are then 0..100.
	// With a reference it is not used: value and reference share a unit.
	Unit string
	// KeepFiring keeps a firing condition firing until this long after its
	// first good sample. Defaults to 0.
	KeepFiring time.Duration
	// Staleness is the longest gap between samples that keeps the state; longer
	// ones reset it. Defaults to DefaultStaleness; negative switches it off.
	Staleness time.Duration
	// Clear, if its Op is set, is the condition that must hold before a firing
	// condition is good again (hysteresis), such as "< 70%" for "> 80%". It
	// uses the same series, so its Metric and For are ignored. Defaults to none.
	Clear Condition
}

// Watch is a compiled condition. It is immutable.
type Watch struct {
	cond Condition
	opts Options
	main comparison
	back comparison // Clear
}

// Compile checks c against the unit of the series. It fails if the units are
// of different families, if KeepFiring is negative or if Clear uses another
// reference than c.
func Compile(c Condition, o Options) (*Watch, error) {
	if o.Staleness == 0 {
		o.Staleness = DefaultStaleness
	}
	if o.KeepFiring < 0 {
		return nil, fmt.Errorf("condition %q: keep firing is %v, want 0 or more", c, o.KeepFiring)
	}
	w := &Watch{cond: c, opts: o}
	var err error
	if w.main, err = newComparison(c, o.Unit); err != nil {
		return nil, fmt.Errorf("condition %q: %w", c, err)
	}
	if o.Clear.Op != 0 {
		if o.Clear.Ref != "" && o.Clear.Ref != c.Ref {
			return nil, fmt.Errorf("clear condition %q: reference %q, want the one of the condition, %q", o.Clear, o.Clear.Ref, c.Ref)
		}
		if w.back, err = newComparison(o.Clear, o.Unit); err != nil {
			return nil, fmt.Errorf("clear condition %q: %w", o.Clear, err)
		}
	}
	return w, nil
}

// Condition returns the condition that was compiled.
func (w *Watch) Condition() Condition { return w.cond }

// Check compares one sample. reference is used only if the condition names
// one; use [Missing] when there is none. Comparisons are exact for the shortest
// decimal texts of value and reference; infinite values compare as such.
func (w *Watch) Check(value, reference float64) Outcome { return w.main.check(value, reference) }

// Sample is one measurement of a series.
type Sample struct {
	At        time.Time
	Value     float64 // Missing (NaN): no data
	Reference float64 // resolved by the caller from Condition.Ref; Missing: none
}

// Progress is all the memory a condition has of its series. The zero value is
// the start. It can be stored as JSON.
type Progress struct {
	State State `json:"state"`
	// Onset is the instant of the first breaching sample of the current run;
	// zero unless pending or firing.
	Onset time.Time `json:"onset,omitzero"`
	// GoodSince is the first good sample while KeepFiring holds the state.
	GoodSince time.Time `json:"good_since,omitzero"`
	// Last is the instant of the last sample.
	Last time.Time `json:"last,omitzero"`
	// Stale is set, for one step, to the instant at which a pending or firing
	// state was given up because samples stopped: last sample + Staleness.
	Stale time.Time `json:"stale,omitzero"`
	// Was is, for the same step, the state that was given up.
	Was State `json:"was,omitempty"`
}

// At returns the progress as seen at an instant without a sample: unchanged,
// or reset if the gap since the last sample is longer than the staleness.
func (w *Watch) At(p Progress, at time.Time) Progress {
	p.Stale, p.Was = time.Time{}, Inactive
	if !w.Stale(p, at) {
		return p
	}
	next := Progress{State: NoData, Last: p.Last}
	if p.State == Pending || p.State == Firing {
		next.Stale, next.Was = p.Last.Add(w.opts.Staleness), p.State
	}
	return next
}

// Stale reports whether the gap between the last sample and an instant is
// longer than the staleness.
func (w *Watch) Stale(p Progress, at time.Time) bool {
	return w.opts.Staleness >= 0 && !p.Last.IsZero() && at.Sub(p.Last) > w.opts.Staleness
}

// Observe advances p by one sample, with the rules of Prometheus for "for"
// and keep_firing_for (rules/alerting.go). The first sample of a run of breaches
// makes the condition pending, the first one that lies at least For behind it
// makes it fire, and any other sample ends the run. Nothing fires between
// samples. If the samples had
// stopped, Stale of the result says when the earlier state ended. A sample
// before the last one is an error and leaves p as it is.
func (w *Watch) Observe(p Progress, s Sample) (Progress, error) {
	if s.At.Before(p.Last) {
		return p, fmt.Errorf("sample at %s is before the last one at %s", s.At.Format(time.RFC3339Nano), p.Last.Format(time.RFC3339Nano))
	}
	p = w.At(p, s.At)
	if p.State != Pending && p.State != Firing {
		p.State, p.Onset, p.GoodSince = Inactive, time.Time{}, time.Time{}
	}
	p.Last = s.At
	out := w.Check(s.Value, s.Reference)
	if out == Good && p.State == Firing && w.opts.Clear.Op != 0 && w.back.check(s.Value, s.Reference) != Breach {
		out = Breach // between the two thresholds
	}
	if out == Breach {
		p.GoodSince = time.Time{}
		if p.State == Inactive {
			p.Onset = s.At
			p.State = Pending
		}
		if s.At.Sub(p.Onset) >= w.cond.For {
			p.State = Firing
		}
		return p, nil
	}
	if p.State == Firing && w.opts.KeepFiring > 0 {
		if p.GoodSince.IsZero() {
			p.GoodSince = s.At
		}
		if s.At.Sub(p.GoodSince) < w.opts.KeepFiring {
			return p, nil
		}
	}
	p.Onset, p.GoodSince = time.Time{}, time.Time{}
	switch out {
	case WithoutData:
		p.State = NoData
	case WithoutReference:
		p.State = NoReference
	default:
		p.State = Inactive
	}
	return p, nil
}

// comparison is a condition reduced to numbers: x*num/den against limit.
type comparison struct {
	op       Op
	mode     Mode
	limit    float64
	exact    *big.Rat
	num, den int64
}

func newComparison(c Condition, seriesUnit string) (comparison, error) {
	if c.Op == 0 {
		return comparison{}, fmt.Errorf("operator is not set, want %s", wantOp)
	}
	m := comparison{op: c.Op, mode: c.Mode, limit: c.Value.Float64(), exact: c.Value.Rat(), num: 1, den: 1}
	if c.Mode != Value {
		if c.Ref == "" {
			return comparison{}, fmt.Errorf("mode %s has no reference", c.Mode)
		}
		return m, nil
	}
	var err error
	m.num, m.den, err = Scale(seriesUnit, c.Unit)
	return m, err
}

func (m comparison) check(x, ref float64) Outcome {
	if math.IsNaN(x) {
		return WithoutData
	}
	if m.mode != Value && (ref == 0 || math.IsNaN(ref) || math.IsInf(ref, 0)) {
		return WithoutReference
	}
	if m.op.Holds(m.cmp(x, ref)) {
		return Breach
	}
	return Good
}

// cmp compares the measured figure with the limit. Floats decide when they
// are clearly apart, fractions when they are close.
func (m comparison) cmp(x, ref float64) int {
	var got, spread float64
	switch r := math.Abs(ref); m.mode {
	case Value:
		got = x * float64(m.num) / float64(m.den)
		spread = math.Abs(got)
	case RatioOf:
		got = 100 * x / ref
		spread = math.Abs(got)
	case Deviation:
		got = 100 * math.Abs(x-ref) / r
		spread = 100 * (math.Abs(x) + r) / r
	case Drop:
		got = 100 * (ref - x) / r
		spread = 100 * (math.Abs(x) + r) / r
	case Rise:
		got = 100 * (x - ref) / r
		spread = 100 * (math.Abs(x) + r) / r
	}
	if math.IsInf(x, 0) { // the sign of an infinite figure decides
		if got > 0 {
			return 1
		}
		return -1
	}
	// Each step above rounds by at most 2^-53; 1e-12 leaves room for all of
	// them and for the distance between a float and its decimal text.
	tolerance := 1e-12 * (spread + math.Abs(m.limit))
	if diff := got - m.limit; !math.IsInf(spread, 0) && tolerance > 1e-290 && math.Abs(diff) > tolerance {
		if diff > 0 {
			return 1
		}
		return -1
	}
	return m.figure(x, ref).Cmp(m.exact)
}

// figure is the measured figure as an exact fraction.
func (m comparison) figure(x, ref float64) *big.Rat {
	v := decimalRat(x)
	if m.mode == Value {
		return v.Mul(v, big.NewRat(m.num, m.den))
	}
	r := decimalRat(ref)
	switch m.mode {
	case Value: // returned above
	case RatioOf:
		v.Quo(v, r)
	case Deviation:
		v.Sub(v, r)
		v.Quo(v.Abs(v), r.Abs(r))
	case Drop:
		v.Sub(r, v)
		v.Quo(v, r.Abs(r))
	case Rise:
		v.Sub(v, r)
		v.Quo(v, r.Abs(r))
	}
	return v.Mul(v, big.NewRat(100, 1))
}

// decimalRat returns the shortest decimal text of a finite f as a fraction.
func decimalRat(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64)) // always a valid text
	return r
}
