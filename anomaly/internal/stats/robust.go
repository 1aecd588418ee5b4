package stats

import (
	"math"
	"slices"
)

// MADToSigma turns a median absolute deviation into the standard deviation of
// a normal distribution: 1 / Phi^-1(3/4).
const MADToSigma = 1.482602218505602

// qnToSigma does so for the order statistic of [Qn]: 1 / (sqrt 2 Phi^-1(5/8)).
const qnToSigma = 2.219144465985076

// Median returns the median of values in any order, which are left as they are; NaN
// of nothing.
func Median(x []float64) float64 { return medianOf(slices.Clone(x)) }

// MAD is the median absolute deviation from the median, unscaled.
func MAD(sorted []float64) float64 {
	m := Quantile(sorted, 0.5)
	away := make([]float64, len(sorted))
	for i, v := range sorted {
		away[i] = math.Abs(v - m)
	}
	return medianOf(away)
}

// IQR is the distance between the quartiles by [Quantile].
func IQR(sorted []float64) float64 { return Quantile(sorted, 0.75) - Quantile(sorted, 0.25) }

// Qn is the k-th smallest of all distances between two values, k = h(h-1)/2 with
// h = n/2+1, scaled to the standard deviation of a normal distribution (Rousseeuw
// and Croux, Journal of the American Statistical Association 88(424), 1993), without
// their factors for small n. It needs no centre and keeps 82 % of the efficiency of a
// standard deviation, where the MAD keeps 37 %. NaN for fewer than two values.
// The distances are counted, never stored: time n log n times the digits of the answer.
func Qn(sorted []float64) float64 {
	n := len(sorted)
	if n < 2 {
		return math.NaN()
	}
	h := n/2 + 1
	k := h * (h - 1) / 2
	// How many distances are at most d; and which is the largest of them.
	atMost := func(d float64) (count int, largest float64) {
		j := 0
		for i := range sorted {
			j = max(j, i)
			for j+1 < n && sorted[j+1]-sorted[i] <= d {
				j++
			}
			if j > i {
				count += j - i
				largest = max(largest, sorted[j]-sorted[i])
			}
		}
		return count, largest
	}
	low, high := -1.0, sorted[n-1]-sorted[0] // too few at low, enough at high
	for {
		_, answer := atMost(high)
		high = answer
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if count, _ := atMost(middle); count >= k {
			high = middle
		} else {
			low = middle
		}
	}
	return qnToSigma * high
}

// TrimmedMean is the mean without the floor(share n) smallest and as many largest
// values; share is in [0, 0.5). NaN of nothing.
func TrimmedMean(sorted []float64, share float64) float64 {
	cut := int(share * float64(len(sorted)))
	return Mean(sorted[cut : len(sorted)-cut])
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
