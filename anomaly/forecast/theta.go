package forecast

import (
	"fmt"
	"math"
)

// Theta is the method of Assimakopoulos and Nikolopoulos (International Journal of
// Forecasting 16, 2000) in the form of Hyndman and Billah (the same 19, 2003): the
// level of simple smoothing plus half the slope of a least-squares line, on a
// series from which the classical season was taken; h steps behind n values
//
//	l + b/2 (h-1 + (1 - (1-alpha)^n)/alpha)
//
// plus or times the season of the phase.
type Theta struct {
	// Seasonal takes the season out by difference or, with Multiplicative, by
	// quotient. Defaults to Additive; a series without a cycle is taken as it is.
	Seasonal Seasonal
}

// Name is "theta", or "theta multiplicative".
func (m Theta) Name() string {
	if m.Seasonal == Multiplicative {
		return "theta multiplicative"
	}
	return "theta"
}

// Fit needs six values, and two cycles where there is a season.
func (m Theta) Fit(y []float64, c Cycle) (Fitted, error) {
	f := &theta{model: m, c: c}
	if err := f.split(y); err != nil {
		return nil, err
	}
	cost := func(alpha float64) float64 {
		s := Smoothing{Alpha: alpha, Level: f.level}
		return s.advance(f.y, nil)
	}
	best := 0.5
	for _, alpha := range []float64{0.05, 0.2, 0.4, 0.6, 0.8, 0.95} {
		if cost(alpha) < cost(best) {
			best = alpha
		}
	}
	x := search(func(x []float64) float64 { return cost(x[0]) }, []float64{best}, []float64{1e-4}, []float64{0.9999}, 40)
	f.alpha = x[0]
	return f, nil
}

type theta struct {
	model  Theta
	c      Cycle
	y      []float64 // without season
	season []float64 // of the phase of the next value and after
	slope  float64
	level  float64 // before the first value
	alpha  float64
}

// split takes the season out and draws the line.
func (f *theta) split(y []float64) error {
	n := len(y)
	if n < 6 {
		return fmt.Errorf("%w: %d values, want 6", ErrTooShort, n)
	}
	f.y = y
	if m := f.c.Period; m > 1 {
		how := f.model.Seasonal
		if how == NoSeason {
			how = Additive
		}
		d, err := Decompose(y, m, how)
		if err != nil {
			return err
		}
		f.y = make([]float64, n)
		for i, v := range y {
			if how == Multiplicative {
				f.y[i] = v / d.Season[i]
			} else {
				f.y[i] = v - d.Season[i]
			}
		}
		f.season = d.Season[n-m:]
	}
	_, f.slope = trendOf(f.y)
	f.level = f.y[0]
	return nil
}

// Forecast continues level, half the slope, and season.
func (f *theta) Forecast(h int) []float64 {
	s := Smoothing{Alpha: f.alpha, Level: f.level}
	s.advance(f.y, nil)
	start := (1 - math.Pow(1-f.alpha, float64(len(f.y)))) / f.alpha
	out := make([]float64, h)
	for i := range out {
		out[i] = s.Level + float64(f.slope/2*(float64(i)+start))
		if m := len(f.season); m > 0 {
			if f.model.Seasonal == Multiplicative {
				out[i] *= f.season[i%m]
			} else {
				out[i] += f.season[i%m]
			}
		}
	}
	return out
}

// Refit keeps alpha.
func (f *theta) Refit(y []float64) (Fitted, error) {
	g := &theta{model: f.model, c: f.c, alpha: f.alpha}
	return g, g.split(y)
}
