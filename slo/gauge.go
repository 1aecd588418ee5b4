package slo

import (
	"fmt"
	"math/bits"
	"time"
)

// FromRatio returns the counts of a stretch of time of which only the share of
// good events is known, a raw ratio, as if it had had so many events: 0.9995 of
// 10,000 are 9,995 good ones. A broken number of good events is rounded down, so
// that the ratio is never better than it was, and at most 1/events worse. Give
// every stretch of the same length the same number, or known traffic if there is
// any: ratios must not be averaged, and this is their weight. The ratio must lie
// between 0 and 1 and be set: where nothing was measured, use [Tracker.Miss].
func FromRatio(good Ratio, events uint64) (Counts, error) {
	if !good.isFinite() || good.Sign() < 0 || good.Compare(whole(1)) > 0 {
		return Counts{}, fmt.Errorf("ratio of good events %s: want 0 to 1", good)
	}
	if num, den, ok := good.parts(); ok {
		hi, lo := bits.Mul64(num, events)
		count, _ := bits.Div64(hi, lo, den) // num <= den, so it fits
		return Counts{Good: count, Total: events}, nil
	}
	r := good.times(whole(events)).Rat()
	return Counts{Good: r.Num().Quo(r.Num(), r.Denom()).Uint64(), Total: events}, nil
}

// FromGauge returns the counts of a gauge that said for so long that a service was
// up or not, in nanoseconds: a boolean gauge as time. The time is that until the
// next sample, or until it was known no more, and not negative. For probes that
// count as events, one each, use [Counts] as they are.
func FromGauge(up bool, held time.Duration) (Counts, error) {
	switch {
	case held < 0:
		return Counts{}, fmt.Errorf("gauge held %v: want 0 or more", held)
	case up:
		return Counts{Good: uint64(held), Total: uint64(held)}, nil
	}
	return Counts{Total: uint64(held)}, nil
}

// Op compares a reading with the limit of a threshold metric, in the words of
// OpenSLO. The zero value is not set.
type Op uint8

// The comparisons.
const (
	LessThan Op = iota + 1
	AtMost
	GreaterThan
	AtLeast
)

var opNames = [...]string{"", "lt", "lte", "gt", "gte"}

// String returns "lt", "lte", "gt" or "gte", and "unset" for the zero value.
func (o Op) String() string {
	switch {
	case o == 0:
		return "unset"
	case int(o) < len(opNames):
		return opNames[o]
	}
	return fmt.Sprintf("Op(%d)", uint8(o))
}

// MarshalText writes the name, and nothing for the zero value.
func (o Op) MarshalText() ([]byte, error) { return marshalName("op", opNames[:], uint8(o)) }

// UnmarshalText reads a name as String writes it; empty text is the zero value.
func (o *Op) UnmarshalText(text []byte) error {
	return unmarshalName("op", opNames[:], text, (*uint8)(o))
}

// FromThreshold returns the counts of one reading of a threshold metric, one event
// that is good if the reading compares with the limit as the op says: 480 lte 500.
// Both must be finite numbers.
func FromThreshold(reading Ratio, op Op, limit Ratio) (Counts, error) {
	if !reading.isFinite() || !limit.isFinite() || op == 0 || int(op) >= len(opNames) {
		return Counts{}, fmt.Errorf("threshold %s %s %s: want two numbers and lt, lte, gt or gte", reading, op, limit)
	}
	order := reading.Compare(limit)
	good := order < 0 && op <= AtMost || order > 0 && op >= GreaterThan || order == 0 && (op == AtMost || op == AtLeast)
	if good {
		return Counts{Good: 1, Total: 1}, nil
	}
	return Counts{Total: 1}, nil
}
