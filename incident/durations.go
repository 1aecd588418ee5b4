package incident

import (
	"encoding/json"
	"math/big"
	"slices"
	"time"
)

// Durations is how long a set of incidents took over one span, or a set of other
// things took. All figures are exact fractions of seconds; a figure without data
// is nil, in JSON null.
type Durations struct {
	Span    Span
	Clock   Clock
	Of      string // what was measured, where it is not a span of incidents
	N       int    // incidents that count
	Missing int    // incidents without one of the two milestones, left out
	Clamped int    // negative stretches that count as 0

	sorted []time.Duration
	sum    big.Int // nanoseconds
}

// Measured returns the durations of the incidents over a span; see
// [Record.Lapse] for what counts.
func Measured(records []Record, s Span) Durations {
	d := Durations{Span: s, sorted: make([]time.Duration, 0, len(records))}
	for i := range records {
		d.addLapse(records[i].lapse(s, NetTime))
	}
	d.finish()
	return d
}

// DurationsOf sums up the durations of anything, such as restores; of says what
// was measured. Negative ones count as 0 and are counted. The slice is not kept.
func DurationsOf(of string, durations []time.Duration) Durations {
	d := Durations{Of: of, sorted: make([]time.Duration, 0, len(durations))}
	for _, v := range durations {
		d.addLapse(Lapse{Duration: max(v, 0), Raw: v, Clamped: v < 0}, true)
	}
	d.finish()
	return d
}

// Definition says what was measured, such as "detected to resolved".
func (d Durations) Definition() string {
	if d.Of != "" {
		return d.Of
	}
	text := d.Span.String()
	if d.Clock != NetTime {
		text += ", " + d.Clock.String()
	}
	return text
}

func (d *Durations) addLapse(l Lapse, ok bool) {
	if !ok {
		d.Missing++
		return
	}
	if l.Clamped {
		d.Clamped++
	}
	d.sorted = append(d.sorted, l.Duration)
}

func (d *Durations) finish() {
	slices.Sort(d.sorted)
	d.sumUp()
}

// sumUp adds up what is sorted. The sum is carried in int64 and moved to the big
// one before it could overflow.
func (d *Durations) sumUp() {
	d.N = len(d.sorted)
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

// Min returns the shortest; ok is false without data.
func (d Durations) Min() (shortest time.Duration, ok bool) {
	if d.N == 0 {
		return 0, false
	}
	return d.sorted[0], true
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
		Definition string   `json:"definition"`
		N          int      `json:"n"`
		Missing    int      `json:"missing"`
		Clamped    int      `json:"clamped"`
		Mean       *big.Rat `json:"mean_seconds"`
		Median     *big.Rat `json:"median_seconds"`
		P90        *big.Rat `json:"p90_linear_seconds"`
		Max        *big.Rat `json:"max_seconds"`
	}{
		Definition: d.Definition(), N: d.N, Missing: d.Missing, Clamped: d.Clamped,
		Mean: d.Mean(), Median: d.Median(), P90: d.Percentile(big.NewRat(9, 10), Linear),
	}
	if longest, ok := d.Max(); ok {
		out.Max = seconds(longest)
	}
	return json.Marshal(out)
}
