package iforest

import "math"

// eulerGamma is the Euler-Mascheroni constant to float64 precision.
const eulerGamma = 0.5772156649015329

// AveragePathLength is c(n), the mean depth of an unsuccessful search in a
// binary search tree of n keys, by which path lengths are normalised:
//
//	c(n) = 0                                  n < 2
//	c(2) = 1
//	c(n) = 2 (ln(n-1) + gamma) - 2 (n-1)/n    n > 2
//
// Source: Liu, Ting, Zhou 2008, equation 1, with scikit-learn's values for n ≤ 2.
func AveragePathLength(n int) float64 {
	switch {
	case n < 2:
		return 0
	case n == 2:
		return 1
	}
	x := float64(n)
	return 2*(math.Log(x-1)+eulerGamma) - 2*(x-1)/x
}
