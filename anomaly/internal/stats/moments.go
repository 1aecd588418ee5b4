package stats

import "math"

// Mean is the sum by [Sum] over n; NaN of nothing.
func Mean(x []float64) float64 { return Sum(x) / float64(len(x)) }

// Variance is the sum of squared distances from the mean over n - ddof: ddof 0 for
// that of a population, 1 for the estimate from a sample. NaN if n <= ddof.
func Variance(x []float64, ddof int) float64 {
	n := len(x)
	if n <= ddof {
		return math.NaN()
	}
	mean := Mean(x)
	squares := make([]float64, n)
	for i, v := range x {
		d := v - mean
		squares[i] = d * d
	}
	return Sum(squares) / float64(n-ddof)
}

// SD is the root of [Variance].
func SD(x []float64, ddof int) float64 { return math.Sqrt(Variance(x, ddof)) }

// Shape returns the skewness and the excess kurtosis of the population,
// m3 / m2^(3/2) and m4 / m2^2 - 3 of the central moments; NaN if all values are
// equal or there are none.
func Shape(x []float64) (skew, excessKurtosis float64) {
	n := len(x)
	mean := Mean(x)
	square, cube, fourth := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, v := range x {
		d := v - mean
		square[i] = d * d
		cube[i] = square[i] * d
		fourth[i] = square[i] * square[i]
	}
	m2 := Mean(square)
	if !(m2 > 0) {
		return math.NaN(), math.NaN()
	}
	return Mean(cube) / (m2 * math.Sqrt(m2)), Mean(fourth)/(m2*m2) - 3
}
