package forecast

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Interval is how the limits around a forecast are found.
type Interval uint8

// The zero value is conformal.
const (
	// Conformal takes the limits from the errors of the chosen model in the backtest.
	Conformal Interval = iota
	// Parametric takes them from the variance of the smoother, where the chosen model
	// has one, and is Conformal otherwise.
	Parametric
)

var intervalNames = []string{"conformal", "parametric"}

// String returns "conformal" or "parametric".
func (i Interval) String() string { return enum.String(intervalNames, "Interval", uint8(i)) }

// MarshalText implements [encoding.TextMarshaler].
func (i Interval) MarshalText() ([]byte, error) {
	return enum.Text(intervalNames, "forecast", "interval", uint8(i))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (i *Interval) UnmarshalText(text []byte) error {
	n, err := enum.Parse(intervalNames, "forecast", "interval", text)
	*i = Interval(n)
	return err
}

// deviator is a fitted model that knows the standard deviations of its errors.
type deviator interface {
	// Deviations returns those of the next h steps.
	Deviations(h int) []float64
}

// Deviations are those of the rest; the season is taken as known.
func (f *stlFitted) Deviations(h int) []float64 {
	if d, ok := f.rest.(deviator); ok {
		return d.Deviations(h)
	}
	return nil
}

// parametric returns half the width of the interval at each step, nil if the
// model does not say.
func parametric(f Fitted, h int, level float64) []float64 {
	d, ok := f.(deviator)
	if !ok {
		return nil
	}
	z := math.Sqrt2 * math.Erfinv(level)
	out := slices.Clone(d.Deviations(h))
	for i := range out {
		out[i] *= z
	}
	return out
}

// originsPerHorizon is how many origins of one horizon are tested for the limits.
const originsPerHorizon = 8

// conformal returns half the width of the interval at each of h steps (split
// conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random
// World, 2005, chapter 4): the model, as fitted before the folds, forecasts from n origins
// all over them, and the width at a step is the quantile
//
//	min(1, level (n+1)/n)
//
// of the absolute errors at that step and those around it, which are shared as there
// are few. It is the origins that count for n, since errors from one origin go together.
// Widths never shrink with the horizon. nil if there are no errors.
func conformal(f Fitted, y []float64, h, folds int, level float64) []float64 {
	n := len(y)
	stride := max(1, h/originsPerHorizon)
	byStep := make([][]float64, h)
	for cut := n - folds*h; cut < n && folds > 0; cut += stride {
		g, err := f.Refit(y[:cut])
		if err != nil {
			return nil
		}
		for j, v := range g.Forecast(min(h, n-cut)) {
			byStep[j] = append(byStep[j], math.Abs(y[cut+j]-v))
		}
	}
	if len(byStep[0]) == 0 {
		return nil
	}
	out := make([]float64, h)
	var pool []float64
	group := max(1, stride/3) // steps of one width, lest long horizons sort for ever
	for j := 0; j < h; j += group {
		pool = pool[:0]
		for k := max(0, j-stride); k < min(h, j+group+stride); k++ {
			pool = append(pool, byStep[k]...)
		}
		slices.Sort(pool)
		origins := float64(len(byStep[j]))
		rank := int(math.Ceil(float64(len(pool)) * min(1, level*(1+1/origins))))
		width := pool[rank-1]
		if j > 0 {
			width = max(width, out[j-1])
		}
		for k := j; k < min(j+group, h); k++ {
			out[k] = width
		}
	}
	return out
}
