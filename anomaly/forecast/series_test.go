package forecast_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/forecast"
)

func points(minutes []int, values ...float64) []forecast.Point {
	out := make([]forecast.Point, len(minutes))
	for i, m := range minutes {
		out[i] = forecast.Point{At: day0.Add(time.Duration(m) * time.Minute), Value: values[i]}
	}
	return out
}

// same compares values, NaN with NaN.
func same(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

func TestRegular(t *testing.T) {
	nan := math.NaN()
	s, err := forecast.Regular(points([]int{10, 0, 5, 20}, 3, 1, 2, 5))
	if err != nil || s.Step != 5*time.Minute || !s.Start.Equal(day0) || !same(s.Values, []float64{1, 2, 3, nan, 5}) {
		t.Errorf("Regular = %+v, %v", s, err)
	}
	for _, c := range []struct {
		name   string
		points []forecast.Point
		want   error
	}{
		{"one point", points([]int{0}, 1), forecast.ErrTooShort},
		{"twice", points([]int{0, 5, 5}, 1, 2, 3), forecast.ErrIrregular},
		{"off the grid", points([]int{0, 5, 12}, 1, 2, 3), forecast.ErrIrregular},
		{"sparse", points([]int{0, 1, 60}, 1, 2, 3), forecast.ErrIrregular},
	} {
		if _, err := forecast.Regular(c.points); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := forecast.Regular(points([]int{0, 5}, 1, math.Inf(1))); !errors.As(err, new(*forecast.ValueError)) {
		t.Errorf("an infinity: error %v, want a ValueError", err)
	}
}

func TestResample(t *testing.T) {
	nan := math.NaN()
	in := points([]int{62, 0, 10, 59, 130, 185, 200}, 7, 1, 5, 3, nan, 4, 2)
	for _, c := range []struct {
		by   forecast.Aggregate
		want []float64
	}{
		{forecast.Mean, []float64{3, 7, nan, 3}}, {forecast.Max, []float64{5, 7, nan, 4}}, {forecast.Last, []float64{3, 7, nan, 2}},
	} {
		s, err := forecast.Resample(in, time.Hour, c.by)
		if err != nil || !same(s.Values, c.want) || !s.Start.Equal(day0) || s.Step != time.Hour {
			t.Errorf("by %v: %+v, %v, want %v", c.by, s, err, c.want)
		}
	}
	if _, err := forecast.Resample(nil, time.Hour, forecast.Mean); !errors.Is(err, forecast.ErrTooShort) {
		t.Errorf("nothing: error %v, want ErrTooShort", err)
	}
	var option *forecast.OptionError
	if _, err := forecast.Resample(in, 0, forecast.Mean); !errors.As(err, &option) {
		t.Errorf("no step: error %v, want an OptionError", err)
	}
	if _, err := forecast.Resample(in, time.Millisecond, forecast.Mean); !errors.As(err, &option) {
		t.Errorf("12 million steps: error %v, want an OptionError", err)
	}
	if _, err := forecast.Resample(points([]int{0}, math.Inf(-1)), time.Hour, forecast.Mean); !errors.As(err, new(*forecast.ValueError)) {
		t.Errorf("an infinity: error %v, want a ValueError", err)
	}
}
