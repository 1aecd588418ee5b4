package forecast

import "slices"

// STLModel takes the season out with [STL], continues the rest with an [ETS], and
// adds the last cycle of the season again.
type STLModel struct {
	// Trend of the smoothing behind it. Defaults to NoTrend.
	Trend Trend
	// Robust lets outliers count less, at some ten times the cost.
	Robust bool
}

// Name is "stl" with the model behind it.
func (m STLModel) Name() string {
	if m.Robust {
		return "robust stl + " + ETS{Trend: m.Trend}.Name()
	}
	return "stl + " + ETS{Trend: m.Trend}.Name()
}

// Fit needs two cycles.
func (m STLModel) Fit(y []float64, c Cycle) (Fitted, error) {
	season, adjusted, err := m.split(y, c.Period)
	if err != nil {
		return nil, err
	}
	rest, err := ETS{Trend: m.Trend}.Fit(adjusted, c)
	if err != nil {
		return nil, err
	}
	return &stlFitted{season, len(y), rest}, nil
}

// split returns the season and the values less it.
func (m STLModel) split(y []float64, period int) (season, adjusted []float64, err error) {
	d, err := STL(y, period, &STLOptions{Robust: m.Robust})
	if err != nil {
		return nil, nil, err
	}
	adjusted = make([]float64, len(y))
	for i, v := range y {
		adjusted[i] = v - d.Season[i]
	}
	return d.Season[len(y)-period:], adjusted, nil
}

type stlFitted struct {
	season []float64 // of the value after the last one, and on
	n      int       // number of values
	rest   Fitted
}

// Forecast adds the last cycle of the season to the forecast of the rest.
func (f *stlFitted) Forecast(h int) []float64 {
	out := f.rest.Forecast(h)
	for i := range out {
		out[i] += f.season[i%len(f.season)]
	}
	return out
}

// Refit keeps the season and the weights of the rest.
func (f *stlFitted) Refit(y []float64) (Fitted, error) {
	m := len(f.season)
	adjusted := make([]float64, len(y))
	for i, v := range y {
		adjusted[i] = v - f.season[((i-f.n)%m+m)%m]
	}
	rest, err := f.rest.Refit(adjusted)
	if err != nil {
		return nil, err
	}
	return &stlFitted{rotate(f.season, len(y)-f.n), len(y), rest}, nil
}

// rotate returns the cycle as it begins k steps later; k may be negative.
func rotate(cycle []float64, k int) []float64 {
	m := len(cycle)
	k = (k%m + m) % m
	return slices.Concat(cycle[k:], cycle[:k])
}
