package stats

import (
	"math"
	"testing"
)

func TestSum(t *testing.T) {
	// One large value among small ones: left-to-right addition of 1000 halves
	// to 1e16 loses them all, the pairwise order keeps most of them.
	x := make([]float64, 1001)
	x[0] = 1e16
	for i := 1; i < len(x); i++ {
		x[i] = 0.5
	}
	if got := Sum(x); got < 1e16+400 {
		t.Errorf("Sum = 1e16%+v, want about 1e16+500", got-1e16)
	}
	for n := range 300 {
		ints := make([]float64, n)
		for i := range ints {
			ints[i] = float64(i)
		}
		if got, want := Sum(ints), float64(n*(n-1)/2); got != want {
			t.Errorf("Sum of 0..%d = %v, want %v", n-1, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		x       []float64
		q, want float64
	}{
		{[]float64{7}, 0.3, 7},
		{[]float64{1, 2, 3, 4, 10}, 0, 1},
		{[]float64{1, 2, 3, 4, 10}, 0.5, 3},
		{[]float64{1, 2, 3, 4, 10}, 0.9, 7.6}, // 4 + 0.6*6
		{[]float64{1, 2, 3, 4, 10}, 1, 10},
	} {
		if got := Quantile(c.x, c.q); math.Abs(got-c.want) > 1e-14 {
			t.Errorf("Quantile(%v, %v) = %v, want %v", c.x, c.q, got, c.want)
		}
	}
	if got := Quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("Quantile(nothing) = %v, want NaN", got)
	}
}

func TestSpread(t *testing.T) {
	x := []float64{1, 1, 2, 2, 2, 3, 9} // deviations from 2: 1 1 0 0 0 1 7
	if got := MAD(x); got != 1 {
		t.Errorf("MAD = %v, want 1", got)
	}
	if got := Resolution(x); got != 1 {
		t.Errorf("Resolution = %v, want 1", got)
	}
	if got := Resolution([]float64{4, 4}); got != 0 {
		t.Errorf("Resolution of equal values = %v, want 0", got)
	}
}
