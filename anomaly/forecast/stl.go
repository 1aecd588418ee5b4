package forecast

import (
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// STLOptions tune [STL]. The zero value, or nil, has the defaults.
type STLOptions struct {
	// SeasonalWindow is the number of cycles that the season is smoothed over: odd, at
	// least 7. Defaults to 7.
	SeasonalWindow int
	// Robust gives outliers less weight: 2 inner and 15 outer rounds instead of 5
	// inner ones.
	Robust bool
}

// STL splits a series by repeated local lines: Cleveland, Cleveland, McRae and
// Terpenning, "STL: A Seasonal-Trend Decomposition Procedure Based on Loess",
// Journal of Official Statistics 6(1), 1990. The trend window is the smallest odd
// number of at least
//
//	1.5 period / (1 - 1.5/seasonal window)
//
// the low-pass window the smallest odd number above the period; all lines are of
// degree 1 and drawn at every value (with windows above 200, at every tenth of them). It needs two cycles. Unlike [Decompose] it
// reaches the ends, and the season may change over time.
func STL(y []float64, period int, o *STLOptions) (Decomposition, error) {
	if err := needCycles(y, period, 2); err != nil {
		return Decomposition{}, err
	}
	var opts STLOptions
	if o != nil {
		opts = *o
	}
	if opts.SeasonalWindow == 0 {
		opts.SeasonalWindow = 7
	}
	if w := opts.SeasonalWindow; w < 7 || w%2 == 0 {
		return Decomposition{}, &OptionError{Option: "SeasonalWindow", Value: w, Want: "an odd number of at least 7"}
	}
	s := newSTL(len(y), period, opts.SeasonalWindow)
	inner, outer := 5, 0
	if opts.Robust {
		inner, outer = 2, 15
	}
	for round := 0; ; round++ {
		for range inner {
			s.inner(y)
		}
		if round == outer {
			break
		}
		s.reweight(y)
	}
	d := Decomposition{Trend: s.trend, Season: s.season, Rest: make([]float64, len(y)), Weights: s.weights}
	for i, v := range y {
		d.Rest[i] = v - s.trend[i] - s.season[i]
	}
	return d, nil
}

// stl holds the results so far and room to work in.
type stl struct {
	period                  int
	trend, season, weights  []float64
	trendW, lowW            *loess
	cycles                  []*loess // by phase, for the two lengths that phases have
	detrended, long, a, b   []float64
	phase, smoothed, weight []float64
}

func newSTL(n, period, window int) *stl {
	trend := int(math.Ceil(1.5 * float64(period) / (1 - 1.5/float64(window))))
	trend += 1 - trend%2
	low := period + 1
	low += 1 - low%2
	s := &stl{
		period: period, trend: make([]float64, n), season: make([]float64, n),
		trendW: newLoess(n, trend), lowW: newLoess(n, low),
		detrended: make([]float64, n), long: make([]float64, n+2*period), a: make([]float64, n+2*period), b: make([]float64, n+2*period),
	}
	k := (n + period - 1) / period
	s.phase, s.smoothed, s.weight = make([]float64, k), make([]float64, k+2), make([]float64, k)
	s.cycles = []*loess{newLoess(k-1, window), newLoess(k, window)}
	return s
}

// inner is one round: the season from what is left of the trend, then the trend from
// what is left of the season.
func (s *stl) inner(y []float64) {
	n, m := len(y), s.period
	for i, v := range y {
		s.detrended[i] = v - s.trend[i]
	}
	// Each phase is smoothed by itself and extended by one cycle at both ends.
	for j := range m {
		k := 0
		for i := j; i < n; i += m {
			s.phase[k] = s.detrended[i]
			if s.weights != nil {
				s.weight[k] = s.weights[i]
			}
			k++
		}
		var weights []float64
		if s.weights != nil {
			weights = s.weight[:k]
		}
		line := s.cycles[k-(n/m+min(n%m, 1)-1)]
		values, out := s.phase[:k], s.smoothed[:k+2]
		line.smooth(values, weights, out[1:k+1])
		var ok bool
		if out[0], ok = line.at(values, weights, -1, 0, min(k, line.window)); !ok {
			out[0] = out[1]
		}
		if out[k+1], ok = line.at(values, weights, k, max(0, k-line.window), k); !ok {
			out[k+1] = out[k]
		}
		for k, v := range out {
			s.long[k*m+j] = v
		}
	}
	// What the phases have in common belongs to the trend.
	a := movingAverage(s.a, s.long[:n+2*m], m)
	b := movingAverage(s.b, a, m)
	a = movingAverage(s.a, b, 3)
	s.lowW.smooth(a[:n], nil, s.b[:n])
	for i, v := range s.b[:n] {
		s.season[i] = s.long[m+i] - v
	}
	for i, v := range y {
		s.detrended[i] = v - s.season[i]
	}
	s.trendW.smooth(s.detrended, s.weights, s.trend)
}

// reweight sets the bisquare weights of what is neither trend nor season, in
// units of six median absolute remainders.
func (s *stl) reweight(y []float64) {
	if s.weights == nil {
		s.weights = make([]float64, len(y))
	}
	away := make([]float64, len(y))
	for i, v := range y {
		away[i] = math.Abs(v - s.trend[i] - s.season[i])
	}
	limit := 6 * stats.Median(away)
	for i, r := range away {
		switch {
		case r <= 0.001*limit:
			s.weights[i] = 1
		case r <= 0.999*limit:
			z := r / limit
			s.weights[i] = (1 - z*z) * (1 - z*z)
		default:
			s.weights[i] = 0
		}
	}
}

// movingAverage writes the means of m neighbours to out and returns them.
func movingAverage(out, x []float64, m int) []float64 {
	out = out[:len(x)-m+1]
	total := 0.0
	for _, v := range x[:m] {
		total += v
	}
	out[0] = total / float64(m)
	for i := 1; i < len(out); i++ {
		total += x[i+m-1] - x[i-1]
		out[i] = total / float64(m)
	}
	return out
}
