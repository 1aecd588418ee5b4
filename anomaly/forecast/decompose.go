package forecast

import (
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Decomposition is a series as the sum (or, where so named, the product) of a
// trend, a season and a rest.
type Decomposition struct {
	Trend, Season, Rest []float64
	// Weights, 0 to 1, say how far a value counted; nil means that all did.
	Weights []float64
}

// Decompose splits a series in the classical way: the trend is the centred moving
// average over one cycle (of 1/2, 1, ..., 1, 1/2 for an even period), the season the
// mean distance from it in each phase, less the mean of these means. With
// Multiplicative it divides instead. Trend and rest are NaN in the half cycle at
// each end. It needs two cycles, of positive values to divide.
func Decompose(y []float64, period int, how Seasonal) (Decomposition, error) {
	if err := needCycles(y, period, 2); err != nil {
		return Decomposition{}, err
	}
	multiply := how == Multiplicative
	if multiply {
		for _, v := range y {
			if v <= 0 {
				return Decomposition{}, ErrNotPositive
			}
		}
	}
	n, half := len(y), period/2
	d := Decomposition{Trend: make([]float64, n), Season: make([]float64, n), Rest: make([]float64, n)}
	for i := range d.Trend {
		d.Trend[i] = math.NaN()
	}
	window := 0.0 // of what counts fully, fresh once a cycle lest rounding add up
	for i := half; i < n-half; i++ {
		from, to := i-half, i+half+1
		if period%2 == 0 {
			from, to = from+1, to-1
		}
		if (i-half)%period == 0 {
			window = stats.Sum(y[from:to])
		} else {
			window += y[to-1] - y[from-1]
		}
		d.Trend[i] = window / float64(period)
		if period%2 == 0 {
			d.Trend[i] = (y[i-half]/2 + window + y[i+half]/2) / float64(period)
		}
	}
	figures, counts := make([]float64, period), make([]float64, period)
	for i := half; i < n-half; i++ {
		v := y[i] - d.Trend[i]
		if multiply {
			v = y[i] / d.Trend[i]
		}
		figures[i%period] += v
		counts[i%period]++
	}
	mean := 0.0
	for j := range figures {
		figures[j] /= counts[j]
		mean += figures[j] / float64(period)
	}
	for i := range y {
		if multiply {
			d.Season[i] = figures[i%period] / mean
			d.Rest[i] = y[i] / d.Trend[i] / d.Season[i]
		} else {
			d.Season[i] = figures[i%period] - mean
			d.Rest[i] = y[i] - d.Trend[i] - d.Season[i]
		}
	}
	return d, nil
}

// Autocorrelation returns the correlation of a series with itself 0 to lags steps
// before, each sum divided by that of lag 0 (the biased estimate, which is
// positive definite). A constant series has 1 and then NaN.
func Autocorrelation(y []float64, lags int) []float64 {
	n := len(y)
	mean := stats.Sum(y) / float64(n)
	away := make([]float64, n)
	for i, v := range y {
		away[i] = v - mean
	}
	all := dot(away, away)
	out := make([]float64, lags+1)
	for k := range out {
		switch {
		case k == 0:
			out[k] = 1
		case all == 0:
			out[k] = math.NaN()
		case k < n:
			out[k] = dot(away[:n-k], away[k:]) / all
		}
	}
	return out
}

// trendOf returns the mean of a series, which is the height of the least-squares line in
// its middle, and the slope of that line per step.
func trendOf(y []float64) (mean, slope float64) {
	middle := float64(len(y)-1) / 2
	mean = stats.Mean(y)
	xy, xx := 0.0, 0.0
	for i, v := range y {
		x := float64(i) - middle
		xy += float64(x * (v - mean))
		xx += float64(x * x)
	}
	return mean, xy / xx
}
