package stats

import (
	"math"
	"slices"
)

// Method is a rule for quantiles between order statistics. The numbers are those
// of anomaly.QuantileMethod.
type Method uint8

// The nine of Hyndman and Fan (The American Statistician 50(4), 1996) and the four
// others of numpy. Their formulas stand at anomaly.QuantileMethod.
const (
	Linear Method = iota
	InvertedCDF
	AveragedInvertedCDF
	ClosestObservation
	InterpolatedInvertedCDF
	Hazen
	Weibull
	MedianUnbiased
	NormalUnbiased
	Lower
	Higher
	Midpoint
	Nearest
)

// QuantileBy is the q-quantile by a method, in numpy's arithmetic. q is in [0, 1].
// The quantile of nothing is NaN.
func QuantileBy(sorted []float64, q float64, m Method) float64 {
	count := len(sorted)
	if count == 0 {
		return math.NaN()
	}
	n := float64(count)
	last := float64(q * (n - 1))
	switch m {
	case Lower:
		return sorted[int(math.Floor(last))]
	case Higher:
		return sorted[int(math.Ceil(last))]
	case Nearest:
		return sorted[int(math.RoundToEven(last))]
	case Midpoint:
		return between(sorted, 0.5*(math.Floor(last)+math.Ceil(last)))
	case InvertedCDF:
		return sorted[int(max(0, math.Ceil(float64(n*q)-1)))]
	case ClosestObservation:
		at := float64(n*q) - 1 - 0.5
		i := math.Floor(at)
		if at != i || math.Mod(i, 2) != 0 {
			i++
		}
		return sorted[int(max(0, i))]
	case AveragedInvertedCDF:
		at := float64(n*q) - 1
		i := math.Floor(at)
		switch {
		case at < 0:
			return sorted[0]
		case at == i && i < n-1:
			return between(sorted, i+0.5)
		}
		return sorted[int(min(math.Ceil(at), n-1))]
	case InterpolatedInvertedCDF:
		return between(sorted, virtual(n, q, 0, 1))
	case Hazen:
		return between(sorted, virtual(n, q, 0.5, 0.5))
	case Weibull:
		return between(sorted, virtual(n, q, 0, 0))
	case MedianUnbiased:
		return between(sorted, virtual(n, q, 1./3, 1./3))
	case NormalUnbiased:
		return between(sorted, virtual(n, q, 3./8, 3./8))
	default:
		return between(sorted, last)
	}
}

// Quantile interpolates linearly between order statistics (type 7 of Hyndman
// and Fan; numpy's default): position q (n-1). q is in [0, 1]. The quantile of
// nothing is NaN.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return between(sorted, q*float64(len(sorted)-1))
}

// virtual is the position, from 0, of the two-parameter family of methods.
func virtual(n, q, alpha, beta float64) float64 {
	return float64(n*q) + (alpha + float64(q*(1-alpha-beta))) - 1
}

// between interpolates at a position counted from 0; positions outside are the ends.
func between(sorted []float64, at float64) float64 {
	last := len(sorted) - 1
	switch {
	case at <= 0:
		return sorted[0]
	case at >= float64(last):
		return sorted[last]
	}
	i := int(at)
	a, b, g := sorted[i], sorted[i+1], at-float64(i)
	// Two forms, as numpy has them: each is exact at its own end.
	if g < 0.5 {
		return a + float64((b-a)*g)
	}
	return b - float64((b-a)*(1-g))
}

// nth moves the element of rank k, from 0, to its place in x and returns it, in
// time linear in len(x) for any input but crafted ones, for which it sorts.
func nth(x []float64, k int) float64 {
	low, high := 0, len(x)
	for patience := 100; high-low > 16; patience-- {
		if patience == 0 {
			break
		}
		a, b, c := x[low], x[low+(high-low)/2], x[high-1]
		pivot := max(min(a, b), min(max(a, b), c))
		// Three ways, since tied slopes and distances are common.
		i, less, more := low, low, high
		for i < more {
			switch v := x[i]; {
			case v < pivot:
				x[i], x[less] = x[less], v
				i++
				less++
			case v > pivot:
				more--
				x[i], x[more] = x[more], v
			default:
				i++
			}
		}
		switch {
		case k < less:
			high = less
		case k >= more:
			low = more
		default:
			return pivot
		}
	}
	slices.Sort(x[low:high])
	return x[k]
}

// medianOf returns the median of x and reorders it; NaN of nothing.
func medianOf(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	high := nth(x, n/2)
	if n%2 == 1 {
		return high
	}
	// What is before the place of rank n/2 is at most it, wherever nth stopped.
	return (slices.Max(x[:n/2]) + high) / 2
}
