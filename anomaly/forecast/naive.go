package forecast

// Naive repeats the last value.
type Naive struct{}

// Name is "naive".
func (Naive) Name() string { return "naive" }

// Fit needs one value.
func (n Naive) Fit(y []float64, c Cycle) (Fitted, error) {
	if len(y) < 1 {
		return nil, ErrTooShort
	}
	return stateless{n, y, c}, nil
}

// next repeats the last value.
func (Naive) next(y []float64, _ Cycle, h int) []float64 {
	out := make([]float64, h)
	for i := range out {
		out[i] = y[len(y)-1]
	}
	return out
}

// Drift continues the line from the first value to the last.
type Drift struct{}

// Name is "drift".
func (Drift) Name() string { return "drift" }

// Fit needs two values.
func (d Drift) Fit(y []float64, c Cycle) (Fitted, error) {
	if len(y) < 2 {
		return nil, ErrTooShort
	}
	return stateless{d, y, c}, nil
}

// next goes on along the line from the first value to the last.
func (Drift) next(y []float64, _ Cycle, h int) []float64 {
	last := y[len(y)-1]
	slope := (last - y[0]) / float64(len(y)-1)
	out := make([]float64, h)
	for i := range out {
		out[i] = last + float64(slope*float64(i+1))
	}
	return out
}
