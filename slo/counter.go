package slo

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Value is one reading of a counter, or the increase between two. Whole numbers
// up to 2^64-1 are exact; fractions are float64 and inexact. The zero Value is
// 0. A gap (NaN, a stale marker) is a Value of its own.
type Value struct {
	whole    uint64
	fraction float64 // used instead of whole when it is not whole
	gap      bool
}

// gapValue is the reading of a series that is absent at an instant: NaN, or the stale
// marker of Prometheus.
var gapValue = Value{gap: true}

// NewValue returns the value of a whole number.
func NewValue(n uint64) Value { return Value{whole: n} }

// ParseValue reads a sample as Prometheus writes it: a whole number (exact,
// beyond the 2^53 of a float64 too), a decimal with or without exponent, or
// "NaN", which is a gap. Negative numbers and infinities are a [*ParseError]: no
// counter holds them.
func ParseValue(text string) (Value, error) {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return NewValue(n), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || strings.ContainsAny(text, "xX_pP") || f < 0 || math.IsInf(f, 0):
		return Value{}, &ParseError{What: "counter value", Text: text, Want: `a number of 0 or more, like "1027" or "1.5e+06", or "NaN"`}
	case math.IsNaN(f):
		return gapValue, nil
	case f == math.Trunc(f) && f < 1<<53:
		return NewValue(uint64(f)), nil
	case f == 0:
		return NewValue(0), nil
	}
	return Value{fraction: f}, nil
}

// IsGap reports whether v is no number but an absent reading.
func (v Value) IsGap() bool { return v.gap }

// Uint64 returns the whole number of v; exact is false for fractions and gaps.
func (v Value) Uint64() (n uint64, exact bool) {
	return v.whole, !v.gap && v.fraction == 0
}

// Float64 returns the nearest float64, NaN for a gap.
func (v Value) Float64() float64 {
	switch {
	case v.gap:
		return math.NaN()
	case v.fraction != 0:
		return v.fraction
	}
	return float64(v.whole)
}

// Ratio returns v as a rational number, exactly what the value holds; absent for
// a gap.
func (v Value) Ratio() Ratio {
	switch {
	case v.gap:
		return Ratio{}
	case v.fraction != 0:
		return ratioOf(new(big.Rat).SetFloat64(v.fraction))
	}
	return whole(v.whole)
}

// String returns the digits of v, or "NaN" for a gap.
func (v Value) String() string {
	if n, exact := v.Uint64(); exact {
		return strconv.FormatUint(n, 10)
	}
	return strconv.FormatFloat(v.Float64(), 'f', -1, 64)
}

func (v Value) less(w Value) bool {
	a, exactA := v.Uint64()
	b, exactB := w.Uint64()
	if exactA && exactB {
		return a < b
	}
	return v.Float64() < w.Float64()
}

func (v Value) minus(w Value) Value {
	a, exactA := v.Uint64()
	b, exactB := w.Uint64()
	if exactA && exactB {
		return NewValue(a - b)
	}
	return inexact(v.Float64() - w.Float64())
}

// plus reports false when the sum does not fit.
func (v Value) plus(w Value) (Value, bool) {
	a, exactA := v.Uint64()
	b, exactB := w.Uint64()
	if exactA && exactB {
		return NewValue(a + b), a+b >= a
	}
	f := v.Float64() + w.Float64()
	return inexact(f), !math.IsInf(f, 0)
}

func inexact(f float64) Value {
	if f == 0 {
		return Value{}
	}
	return Value{fraction: f}
}

// Reading is one sample of a counter.
type Reading struct {
	At    time.Time
	Value Value
}

// Counter turns the raw samples of one cumulative series into increases. The
// zero Counter starts with a series whose beginning is unknown, so that its
// first sample counts nothing. It is not safe for concurrent use.
type Counter struct {
	// Born says that the series is known to have begun, at 0, inside the time
	// looked at (from its created timestamp): the first sample then counts from
	// 0. Set it before the first sample.
	Born bool

	// Resets, Gaps and Duplicates count what was met: decreases, absent readings
	// and repeated samples.
	Resets, Gaps, Duplicates int

	started bool
	lastAt  time.Time // of the last sample, gaps included
	last    Value     // of the last number
	sample  Value     // of the last sample
	seen    bool
}

// Errors of samples that a series cannot hold. They come wrapped in a
// [*SampleError].
var (
	// ErrOutOfOrder means a sample before one that was taken already.
	ErrOutOfOrder = errors.New("out of order")
	// ErrConflict means a second sample for an instant, with another value.
	ErrConflict = errors.New("another value for the same instant")
	// ErrRange means an instant outside the years 1700 to 2250.
	ErrRange = errors.New("instant outside the years 1700 to 2250")
	// ErrOverflow means a sum that needs more than 64 bits, or more than a
	// float64 holds where fractions take part.
	ErrOverflow = errors.New("sum above 64 bits")
)

// SampleError reports a sample that was refused. Nothing was changed by it but
// the count of refusals.
type SampleError struct {
	At     time.Time // of the sample
	Last   time.Time // of the sample before it; zero when there was none
	Sample string    // what it held; empty where there was only an instant to come to
	Err    error
}

// Error names the sample, the one before and the reason.
func (e *SampleError) Error() string {
	what, last := "sample "+e.Sample+" at", ""
	if e.Sample == "" {
		what = "advance to"
	}
	if !e.Last.IsZero() {
		last = " after " + stamp(e.Last)
	}
	return fmt.Sprintf("%s %s%s: %v", what, stamp(e.At), last, e.Err)
}

// Unwrap returns the reason, such as [ErrOutOfOrder].
func (e *SampleError) Unwrap() error { return e.Err }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Observe takes the next sample and returns the increase since the last number:
// the difference, or the value itself after a decrease, which is a reset. A gap
// increases nothing and the next number counts from the last one before it. A
// repeated sample is ignored; one out of order or in conflict with the last is a
// [*SampleError].
func (c *Counter) Observe(at time.Time, v Value) (Value, error) {
	if c.seen {
		switch {
		case at.Before(c.lastAt):
			return Value{}, c.refuse(at, v, ErrOutOfOrder)
		case at.Equal(c.lastAt) && v != c.sample:
			return Value{}, c.refuse(at, v, ErrConflict)
		case at.Equal(c.lastAt):
			c.Duplicates++
			return Value{}, nil
		}
	}
	c.seen, c.lastAt, c.sample = true, at, v
	if v.gap {
		c.Gaps++
		return Value{}, nil
	}
	before, started := c.last, c.started
	c.last, c.started = v, true
	switch {
	case !started && c.Born:
		return v, nil
	case !started:
		return Value{}, nil
	case v.less(before):
		c.Resets++
		return v, nil
	}
	return v.minus(before), nil
}

func (c *Counter) refuse(at time.Time, v Value, err error) error {
	return &SampleError{At: at, Last: c.lastAt, Sample: v.String(), Err: err}
}

// Increase is how much a counter grew over its readings.
type Increase struct {
	Value  Value // the sum
	Exact  bool  // no fraction took part; otherwise within 1e-12, relative
	Resets int
	Gaps   int
	// Duplicates counts repeated readings, which were ignored.
	Duplicates int
}

// CounterIncrease returns the increase over readings in the order of time. born
// has the meaning of [Counter.Born]. PromQL's increase() extrapolates to the
// bounds of its range and ignores first samples, so it differs: around
// one recorded restart of a server it gives 23.09 for 25 real events.
func CounterIncrease(readings []Reading, born bool) (Increase, error) {
	c := Counter{Born: born}
	var total Value
	for i, r := range readings {
		v, err := c.Observe(r.At, r.Value)
		if err != nil {
			return Increase{}, fmt.Errorf("readings[%d]: %w", i, err)
		}
		sum, ok := total.plus(v)
		if !ok {
			// Not the first reading: a sum overflows from the second increase on.
			return Increase{}, fmt.Errorf("readings[%d]: %w", i, &SampleError{At: r.At, Last: readings[i-1].At, Sample: r.Value.String(), Err: ErrOverflow})
		}
		total = sum
	}
	_, exact := total.Uint64()
	return Increase{Value: total, Exact: exact, Resets: c.Resets, Gaps: c.Gaps, Duplicates: c.Duplicates}, nil
}
