package forecast

import (
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// SeasonalNaive repeats the last cycle.
type SeasonalNaive struct{}

// Name is "seasonal naive".
func (SeasonalNaive) Name() string { return "seasonal naive" }

// Fit needs a season and one cycle.
func (s SeasonalNaive) Fit(y []float64, c Cycle) (Fitted, error) {
	if err := needCycles(y, c.Period, 1); err != nil {
		return nil, err
	}
	return stateless{s, y, c}, nil
}

// next repeats the last cycle.
func (SeasonalNaive) next(y []float64, c Cycle, h int) []float64 {
	return repeat(y[len(y)-c.Period:], h)
}

// WeekAgo repeats the last week, for series whose season is shorter than that:
// Mondays look like Mondays.
type WeekAgo struct{}

// Name is "week ago".
func (WeekAgo) Name() string { return "week ago" }

// Fit needs a week that is longer than the season, and its values.
func (w WeekAgo) Fit(y []float64, c Cycle) (Fitted, error) {
	if err := needCycles(y, c.Week, 1); err != nil {
		return nil, err
	}
	return stateless{w, y, c}, nil
}

// next repeats the last week.
func (WeekAgo) next(y []float64, c Cycle, h int) []float64 { return repeat(y[len(y)-c.Week:], h) }

// Profile is the median of each phase over the last seven cycles: what an hour
// of the day usually has. One odd day does not move it.
type Profile struct{}

// profileCycles is a week of days.
const profileCycles = 7

// Name is "profile".
func (Profile) Name() string { return "profile" }

// Fit needs a season and three cycles.
func (p Profile) Fit(y []float64, c Cycle) (Fitted, error) {
	if err := needCycles(y, c.Period, 3); err != nil {
		return nil, err
	}
	return stateless{p, y, c}, nil
}

// next repeats the median of the last cycles at each place of one.
func (Profile) next(y []float64, c Cycle, h int) []float64 {
	cycle := make([]float64, c.Period)
	var at [profileCycles]float64
	for i := range cycle {
		values := at[:0]
		for j := len(y) - c.Period + i; j >= 0 && len(values) < profileCycles; j -= c.Period {
			values = append(values, y[j])
		}
		cycle[i] = stats.Median(values)
	}
	return repeat(cycle, h)
}

func needCycles(y []float64, period, cycles int) error {
	switch {
	case period < 2:
		return ErrNoSeason
	case len(y) < cycles*period:
		return ErrTooShort
	}
	return nil
}

func repeat(cycle []float64, h int) []float64 {
	out := make([]float64, h)
	for i := range out {
		out[i] = cycle[i%len(cycle)]
	}
	return out
}
