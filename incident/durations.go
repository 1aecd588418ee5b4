package incident

import (
	"encoding/json"
	"math/big"
	"slices"
	"time"
)

// Durations is how long a set of incidents took over one span. All figures are
// exact fractions of seconds; a figure without data is nil, in JSON null.
type Durations struct {
	Span    Span
	N       int // incidents that count
	Missing int // incidents without one of the two milestones, left out
	Clamped int // negative stretches that count as 0

	sorted []time.Duration
	sum    big.Int // nanoseconds
}

// Measured returns the durations of the incidents over a span; see
// [Record.Lapse] for what counts.
func Measured(records []Record, s Span) Durations {
	d := Durations{Span: s, sorted: make([]time.Duration, 0, len(records))}
	for i := range records {
		d.add(&records[i])
	}
	d.finish()
	return d
}

func (d *Durations) add(r *Record) {
	l, ok := r.Lapse(d.Span)
	if !ok {
		d.Missing++
		return
	}
	if l.Clamped {
		d.Clamped++
	}
	d.sorted = append(d.sorted, l.Duration)
}

// finish sorts and sums. The sum is carried in int64 and moved to the big one
// before it could overflow.
func (d *Durations) finish() {
	d.N = len(d.sorted)
	slices.Sort(d.sorted)
	var part int64
	for _, v := range d.sorted {
		if part > 0 && int64(v) > (1<<63-1)-part {
			d.sum.Add(&d.sum, big.NewInt(part))
			part = 0
		}
		part += int64(v)
	}
	d.sum.Add(&d.sum, big.NewInt(part))
}

// Mean returns the mean in seconds, nil without data.
func (d Durations) Mean() *big.Rat {
	if d.N == 0 {
		return nil
	}
	return new(big.Rat).SetFrac(&d.sum, big.NewInt(int64(d.N)*int64(time.Second)))
}

// Median returns the median in seconds, nil without data; it is the mean of the
// two middle values of an even number.
func (d Durations) Median() *big.Rat { return d.Percentile(big.NewRat(1, 2), Linear) }

// Percentile returns the p-quantile in seconds, nil without data and for a p
// outside 0 ... 1; see the function [Percentile] for the difference.
func (d Durations) Percentile(p *big.Rat, m Method) *big.Rat {
	x, err := Percentile(d.sorted, p, m)
	if err != nil {
		return nil
	}
	return x
}

// Max returns the longest; ok is false without data.
func (d Durations) Max() (longest time.Duration, ok bool) {
	if d.N == 0 {
		return 0, false
	}
	return d.sorted[d.N-1], true
}

// MarshalJSON writes the definition, the counts and mean, median, 90th
// percentile (linear) and maximum in seconds, as text of exact fractions.
func (d Durations) MarshalJSON() ([]byte, error) {
	out := struct {
		Definition Span     `json:"definition"`
		N          int      `json:"n"`
		Missing    int      `json:"missing"`
		Clamped    int      `json:"clamped"`
		Mean       *big.Rat `json:"mean_seconds"`
		Median     *big.Rat `json:"median_seconds"`
		P90        *big.Rat `json:"p90_linear_seconds"`
		Max        *big.Rat `json:"max_seconds"`
	}{
		Definition: d.Span, N: d.N, Missing: d.Missing, Clamped: d.Clamped,
		Mean: d.Mean(), Median: d.Median(), P90: d.Percentile(big.NewRat(9, 10), Linear),
	}
	if longest, ok := d.Max(); ok {
		out.Max = seconds(longest)
	}
	return json.Marshal(out)
}
