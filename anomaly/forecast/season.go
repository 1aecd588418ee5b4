package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Season is a repeating pattern that was looked for.
type Season struct {
	// Period in steps, and as time.
	Period int           `json:"period"`
	Length time.Duration `json:"length"`
	// Strength is the share of what is left of the trend that the season explains, 0
	// to 1:
	//
	//	max(0, 1 - Var(rest) / Var(season + rest))
	//
	// with unbiased variances (Wang, Smith and Hyndman, Data Mining and Knowledge
	// Discovery 13, 2006), which keeps a few cycles of noise from looking like one.
	Strength float64 `json:"strength"`
	// Cycles is how often the pattern fits into the series.
	Cycles float64 `json:"cycles"`
	// Accepted says that Strength is at least 0.3 and Cycles at least 3.
	Accepted bool `json:"accepted"`
}

const (
	leastStrength = 0.3
	leastCycles   = 3
	// mostCorrelated bounds the values that are searched for unknown seasons.
	mostCorrelated = 4096
)

// Seasons looks for an hour, a day and a week, and for the two strongest peaks of the
// autocorrelation. It returns those that fit at least three times, the strongest
// first; gaps are bridged by lines. It answers [ErrNoSeason] beside them if none is
// accepted.
func Seasons(s Series) ([]Season, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	y, _ := trim(s.Values)
	return seasons(bridged(y), s.Step)
}

func seasons(y []float64, step time.Duration) ([]Season, error) {
	var found []Season
	add := func(period int) {
		if period < 2 || len(y) < leastCycles*period || slices.ContainsFunc(found, func(f Season) bool { return f.Period == period }) {
			return
		}
		f := Season{Period: period, Length: time.Duration(period) * step, Cycles: float64(len(y)) / float64(period), Strength: strength(y, period)}
		f.Accepted = f.Strength >= leastStrength
		found = append(found, f)
	}
	for _, length := range []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
		if length%step == 0 {
			add(int(length / step))
		}
	}
	for _, period := range peaks(y) {
		add(period)
	}
	slices.SortStableFunc(found, func(a, b Season) int {
		switch {
		case a.Strength > b.Strength:
			return -1
		case a.Strength < b.Strength:
			return 1
		}
		return a.Period - b.Period
	})
	if len(found) == 0 || !found[0].Accepted {
		return found, ErrNoSeason
	}
	return found, nil
}

// cycleOf chooses the cycle of the models: the stronger of hour and day, else the
// strongest other but the week, else the week; and the week beside a shorter one.
func cycleOf(found []Season) Cycle {
	var c Cycle
	best := -1.0
	for _, f := range found {
		if !f.Accepted {
			continue
		}
		if f.Length == 7*24*time.Hour {
			c.Week = f.Period
			continue
		}
		rank := f.Strength
		if f.Length == time.Hour || f.Length == 24*time.Hour {
			rank++
		}
		if rank > best {
			best, c.Period = rank, f.Period
		}
	}
	if c.Period == 0 {
		c.Period, c.Week = c.Week, 0
	}
	return c
}

// strength of the classical decomposition.
func strength(y []float64, period int) float64 {
	d, err := Decompose(y, period, Additive)
	if err != nil {
		return 0
	}
	half := period / 2
	rest := d.Rest[half : len(y)-half]
	both := make([]float64, len(rest))
	for i, r := range rest {
		both[i] = r + d.Season[half+i]
	}
	n := float64(len(rest))
	if n <= float64(period) {
		return 0
	}
	all := stats.Variance(both, 1)
	if !(all > 0) || all <= 1e-24*stats.Variance(y, 0) {
		return 0 // flat, or nothing but rounding
	}
	return max(0, 1-stats.Variance(rest, period)/all)
}

// peaks returns the lags of the two highest peaks of the autocorrelation of the
// latest values less their line, up to a third of them, where they exceed what the highest
// of all lags of noise reaches once in 20 times, sqrt(2 ln(20 lags) / n) at most.
func peaks(y []float64) []int {
	y = y[max(0, len(y)-mostCorrelated):]
	n := len(y)
	if n < 4*leastCycles {
		return nil
	}
	line := make([]float64, n)
	mean, slope := trendOf(y)
	for i, v := range y {
		line[i] = v - mean - float64(slope*(float64(i)-float64(n-1)/2))
	}
	r := Autocorrelation(line, n/leastCycles)
	least := math.Sqrt(2 * math.Log(20*float64(len(r))) / float64(n))
	var at []int
	for k := 2; k+1 < len(r); k++ {
		if r[k] > least && r[k] >= r[k-1] && r[k] > r[k+1] {
			at = append(at, k)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		switch {
		case r[a] > r[b]:
			return -1
		case r[a] < r[b]:
			return 1
		}
		return a - b
	})
	return at[:min(len(at), 2)]
}
