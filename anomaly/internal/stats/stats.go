// Package stats holds the statistics that several packages below anomaly need.
// Inputs are finite; slices named sorted are in increasing order.
package stats

import (
	"math"
	"slices"
)

// MADToSigma turns a median absolute deviation into the standard deviation of
// a normal distribution: 1 / Phi^-1(3/4).
const MADToSigma = 1.482602218505602

// Sum adds pairwise in the order of numpy's add.reduce on contiguous data, so
// that results agree with it to the last bit: below 8 values from left to right;
// up to 128 in eight running sums; above that split at half the length rounded
// down to a multiple of 8 (numpy/core/src/umath/loops_utils.h.src, pairwise sum).
func Sum(x []float64) float64 {
	n := len(x)
	switch {
	case n < 8:
		s := 0.0
		for _, v := range x {
			s += v
		}
		return s
	case n <= 128:
		r := [8]float64(x)
		i := 8
		for ; i+8 <= n; i += 8 {
			for j := range r {
				r[j] += x[i+j]
			}
		}
		s := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
		for _, v := range x[i:] {
			s += v
		}
		return s
	default:
		half := n / 2
		half -= half % 8
		return Sum(x[:half]) + Sum(x[half:])
	}
}

// Quantile interpolates linearly between order statistics (type 7 of Hyndman
// and Fan, The American Statistician 50(4), 1996; numpy's default): position
// q (n-1). q is in [0, 1]. The quantile of nothing is NaN.
func Quantile(sorted []float64, q float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	at := q * float64(n-1)
	i := int(at)
	if i >= n-1 {
		return sorted[n-1]
	}
	a, b, g := sorted[i], sorted[i+1], at-float64(i)
	// Two forms, as numpy has them: each is exact at its own end.
	if g < 0.5 {
		return a + float64((b-a)*g)
	}
	return b - float64((b-a)*(1-g))
}

// MAD is the median absolute deviation from the median, unscaled.
func MAD(sorted []float64) float64 {
	m := Quantile(sorted, 0.5)
	away := make([]float64, len(sorted))
	for i, v := range sorted {
		away[i] = math.Abs(v - m)
	}
	slices.Sort(away)
	return Quantile(away, 0.5)
}

// Resolution is the smallest positive step between neighbouring values, 0 if all
// are equal.
func Resolution(sorted []float64) float64 {
	step := 0.0
	for i := 1; i < len(sorted); i++ {
		if d := sorted[i] - sorted[i-1]; d > 0 && (step == 0 || d < step) {
			step = d
		}
	}
	return step
}
