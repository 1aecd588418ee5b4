package slo

import (
	"fmt"
	"math"
	"math/bits"
)

// Counts are good events out of all events of some stretch of time. What an
// event is (a request, a probe, a slice, a nanosecond of uptime) is the
// caller's choice.
type Counts struct {
	Good  uint64 `json:"good"`
	Total uint64 `json:"total"`
}

// FromBad returns the counts of bad events out of all; more bad events than
// events are a [*CountsError].
func FromBad(bad, total uint64) (Counts, error) {
	if bad > total {
		return Counts{}, &CountsError{Part: "bad", Count: bad, Total: total}
	}
	return Counts{Good: total - bad, Total: total}, nil
}

// Bad returns Total - Good. It is meaningless for counts that [Counts.Validate]
// refuses.
func (c Counts) Bad() uint64 { return c.Total - c.Good }

// Validate returns a [*CountsError] when there are more good events than
// events.
func (c Counts) Validate() error {
	if c.Good > c.Total {
		return &CountsError{Part: "good", Count: c.Good, Total: c.Total}
	}
	return nil
}

// ErrorRatio returns bad/total, absent when there are no events. Ratios of
// different stretches must never be averaged: add the counts instead.
func (c Counts) ErrorRatio() Ratio { return fraction(c.Bad(), c.Total) }

// CountsError reports a part that is larger than its whole.
type CountsError struct {
	Part         string // "good" or "bad"
	Count, Total uint64
}

// Error says which count exceeds which total.
func (e *CountsError) Error() string {
	return fmt.Sprintf("counts: %s %d above total %d", e.Part, e.Count, e.Total)
}

// sum adds counts and reports whether the total fits 64 bits.
func sum(all []Counts) (Counts, error) {
	var s Counts
	for i, c := range all {
		if err := c.Validate(); err != nil {
			return Counts{}, fmt.Errorf("counts[%d]: %w", i, err)
		}
		total, carry := bits.Add64(s.Total, c.Total, 0)
		if carry != 0 {
			return Counts{}, fmt.Errorf("counts[%d]: sum of totals above %d", i, uint64(math.MaxUint64))
		}
		s = Counts{Good: s.Good + c.Good, Total: total}
	}
	return s, nil
}
