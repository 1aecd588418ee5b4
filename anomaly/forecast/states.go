package forecast

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// box bounds the weights of an ETS and has the points from which a search begins.
type box struct {
	low, high []float64
	starts    [][]float64
}

// newBox orders the weights as [problem.set] takes them: alpha, then beta, phi and
// gamma as far as the model has them. Damping below 0.8 forgets a trend within a
// few steps, above 0.98 it hardly differs from none (Hyndman and Athanasopoulos,
// Forecasting: Principles and Practice, section 8.2).
func newBox(m ETS) box {
	b := box{starts: [][]float64{nil}}
	add := func(low, high float64, values ...float64) {
		b.low, b.high = append(b.low, low), append(b.high, high)
		var all [][]float64
		for _, s := range b.starts {
			for _, v := range values {
				all = append(all, append(slices.Clone(s), v))
			}
		}
		b.starts = all
	}
	const least, most = 1e-4, 0.9999
	if m.Seasonal == NoSeason {
		add(least, most, 0.1, 0.4, 0.8, 0.99)
	} else {
		add(least, most, 0.02, 0.2, 0.7)
	}
	if m.Trend != NoTrend {
		if m.Seasonal == NoSeason {
			add(least, most, 0.01, 0.2, 0.95)
		} else {
			add(least, most, 0.01, 0.2)
		}
	}
	if m.Trend == Damped {
		add(0.8, 0.98, 0.95)
	}
	if m.Seasonal != NoSeason {
		add(least, most, 0.01, 0.2)
	}
	return b
}

// problem is the search for the weights and states of an ETS.
type problem struct {
	m       ETS
	y       []float64
	scratch []float64 // a season to run on
	errs    []float64
	columns [][]float64
}

// set puts the weights of a point of the box into s.
func (p *problem) set(s *Smoothing, theta []float64) {
	s.Alpha, s.Phi = theta[0], 1
	theta = theta[1:]
	if p.m.Trend != NoTrend {
		s.Beta = theta[0]
		theta = theta[1:]
	}
	if p.m.Trend == Damped {
		s.Phi = theta[0]
		theta = theta[1:]
	}
	if p.m.Seasonal != NoSeason {
		s.Gamma = theta[0]
	}
}

// first guesses the states: the mean of the first cycle (the first value without
// one), the slope between the first two means, and the season of the first cycles,
// each compared with its own mean.
func (p *problem) first(period int) Smoothing {
	s := Smoothing{Seasonal: p.m.Seasonal, Level: p.y[0], Phi: 1}
	if period == 0 {
		if p.m.Trend != NoTrend {
			k := min(len(p.y)-1, 10)
			s.Trend = (p.y[k] - p.y[0]) / float64(k)
		}
		return s
	}
	cycles := min(len(p.y)/period, 4)
	s.Season = make([]float64, period)
	means := make([]float64, cycles)
	for k := range means {
		means[k] = stats.Sum(p.y[k*period:(k+1)*period]) / float64(period)
	}
	if p.m.Trend != NoTrend {
		s.Trend = (means[cycles-1] - means[0]) / float64((cycles-1)*period)
	}
	for j := range s.Season {
		for k, mean := range means {
			line := mean + float64(s.Trend*(float64(j)-float64(period-1)/2))
			if v := p.y[k*period+j]; p.m.Seasonal == Additive {
				s.Season[j] += (v - line) / float64(cycles)
			} else {
				s.Season[j] += v / mean / float64(cycles)
			}
		}
	}
	s.Level = means[0] - float64(s.Trend*float64(period+1)/2)
	return s
}

// cost is the squared error from s, which stays as it is.
func (p *problem) cost(s *Smoothing) float64 {
	run := *s
	run.Season = p.scratch[:len(s.Season)]
	copy(run.Season, s.Season)
	return run.advance(p.y, nil)
}

// solved is the least squared error over the level and trend before the first
// value, of a model without season.
func (p *problem) solved(s *Smoothing) float64 {
	l0, b0 := s.Level, s.Trend
	phi, alpha, alphaBeta := s.damping(), s.Alpha, float64(s.Alpha*s.Beta)
	// The errors of the guess, and how they answer to one more of level and trend.
	l, b := l0, b0
	ll, lb := 1.0, 0.0
	tl, tb := 0.0, 1.0
	var ee, eL, eT, LL, LT, TT float64
	for _, v := range p.y {
		base, baseL, baseT := l+float64(phi*b), ll+float64(phi*lb), tl+float64(phi*tb)
		e := v - base
		l, b = base+float64(alpha*e), float64(phi*b)+float64(alphaBeta*e)
		ll, lb = baseL-float64(alpha*baseL), float64(phi*lb)-float64(alphaBeta*baseL)
		tl, tb = baseT-float64(alpha*baseT), float64(phi*tb)-float64(alphaBeta*baseT)
		ee += float64(e * e)
		eL += float64(e * baseL)
		eT += float64(e * baseT)
		LL += float64(baseL * baseL)
		LT += float64(baseL * baseT)
		TT += float64(baseT * baseT)
	}
	best := ee
	if LL > 0 {
		best = ee - eL*eL/LL
	}
	if p.m.Trend != NoTrend {
		if det := float64(LL*TT) - float64(LT*LT); det > 1e-12*LL*TT {
			dl := (float64(eL*TT) - float64(eT*LT)) / det
			dt := (float64(eT*LL) - float64(eL*LT)) / det
			best = ee - float64(dl*eL) - float64(dt*eT)
		}
	}
	if math.IsNaN(best) {
		return math.Inf(1)
	}
	return max(best, 0)
}

// improve replaces the states of s by those of the least squared error for its
// weights: one step of Gauss and Newton, which is exact for additive parts. With a
// multiplicative season the step may not help; then it is shortened, and given up.
func (p *problem) improve(s *Smoothing) {
	n, m := len(p.y), len(s.Season)
	if m > mostSolved {
		return
	}
	trend := p.m.Trend != NoTrend
	if p.errs == nil {
		p.errs = make([]float64, n)
	}
	states := 1 + m
	if trend {
		states++
	}
	for len(p.columns) < states {
		p.columns = append(p.columns, make([]float64, n))
	}
	errors := func(t *Smoothing, errs []float64) float64 {
		run := *t
		run.Season = p.scratch[:m]
		copy(run.Season, t.Season)
		return run.advance(p.y, errs)
	}
	before := errors(s, p.errs)
	unit := max(meanSize(p.y), 1e-300)
	if s.Seasonal == Multiplicative {
		unit *= 1e-6
	}
	moved := *s
	moved.Season = slices.Clone(s.Season)
	at := func(t *Smoothing, i int) *float64 {
		switch {
		case i == 0:
			return &t.Level
		case i <= m:
			return &t.Season[i-1]
		}
		return &t.Trend
	}
	units := make([]float64, states)
	for i := range states {
		x := at(&moved, i)
		old := *x
		units[i] = unit
		if s.Seasonal == Multiplicative && 0 < i && i <= m {
			units[i] = 1e-6
		}
		*x += units[i]
		errors(&moved, p.columns[i])
		*x = old
		for k, e := range p.columns[i] {
			p.columns[i][k] = p.errs[k] - e
		}
	}
	for _, ridge := range ridges[s.Seasonal] {
		for i, d := range leastSquares(p.columns[:states], p.errs, ridge) {
			*at(&moved, i) = *at(s, i) + float64(d*units[i])
		}
		if errors(&moved, nil) < before {
			*s = moved
			return
		}
	}
}

// mostSolved bounds the states, as the cost grows with their square.
const mostSolved = 200

// ridges are tried in turn (Levenberg, Quarterly of Applied Mathematics 2, 1944).
var ridges = [...][]float64{NoSeason: {leastRidge}, Additive: {leastRidge}, Multiplicative: {1e-6, 1e-3, 0.1, 10}}

// meanSize is the mean distance from the mean, the unit of a series.
func meanSize(y []float64) float64 {
	mean := stats.Sum(y) / float64(len(y))
	away := 0.0
	for _, v := range y {
		away += math.Abs(v - mean)
	}
	return away / float64(len(y))
}
