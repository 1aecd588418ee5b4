package stats

import (
	"math"
	"slices"
)

// Trend is a robust line y = Intercept + Slope x. [TheilSen] and [Siegel] make one.
type Trend struct {
	Intercept, Slope float64
	// Low and High bound the slope with probability 0.95; TheilSen only.
	Low, High float64
}

// At is the line at x.
func (t Trend) At(x float64) float64 { return t.Intercept + t.Slope*x }

// TheilSen returns the median of the slopes between all pairs of points with different
// x, the line through the medians of x and y with that slope, and Sen's interval for the
// slope at 95 % (Sen, Journal of the American Statistical Association 63(324), 1968,
// equation 2.6). Up to 29 % of the points may be arbitrary. All is NaN without two
// different x. Time and memory grow with n^2: 8 MB for 1440 points.
func TheilSen(x, y []float64) Trend {
	n := len(x)
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := range x {
		for j := range i {
			if dx := x[i] - x[j]; dx != 0 {
				slopes = append(slopes, (y[i]-y[j])/dx)
			}
		}
	}
	if len(slopes) == 0 {
		nan := math.NaN()
		return Trend{nan, nan, nan, nan}
	}
	var t Trend
	t.Slope = medianOf(slopes)
	t.Intercept = Median(y) - t.Slope*Median(x)

	const z = 1.959963984540054 // Phi^-1(0.975)
	tied := func(v []float64) float64 {
		sum := 0.0
		for k := range tieSizes(v) {
			sum += k * (k - 1) * (2*k + 5)
		}
		return sum
	}
	count := float64(n)
	sigma := math.Sqrt((count*(count-1)*(2*count+5) - tied(x) - tied(y)) / 18)
	total := float64(len(slopes))
	low := max(math.RoundToEven((total-z*sigma)/2)-1, 0)
	high := min(math.RoundToEven((total+z*sigma)/2), total-1)
	t.Low, t.High = nth(slopes, int(low)), nth(slopes, int(high))
	return t
}

// Siegel returns the repeated median line: the slope is the median over the points of
// the median slope to all others, the intercept the median of what it leaves (Siegel,
// Biometrika 69(1), 1982). Almost half of the points may be arbitrary. NaN without
// two different x. Time grows with n^2.
func Siegel(x, y []float64) Trend {
	nan := math.NaN()
	var slopes []float64
	row := make([]float64, 0, len(x))
	for i := range x {
		row = row[:0]
		for j := range x {
			if dx := x[i] - x[j]; dx != 0 {
				row = append(row, (y[i]-y[j])/dx)
			}
		}
		if len(row) > 0 {
			slopes = append(slopes, medianOf(row))
		}
	}
	if len(slopes) == 0 {
		return Trend{nan, nan, nan, nan}
	}
	t := Trend{Slope: medianOf(slopes), Low: nan, High: nan}
	left := make([]float64, len(x))
	for i := range x {
		left[i] = y[i] - t.Slope*x[i]
	}
	t.Intercept = medianOf(left)
	return t
}

// KendallTau returns tau-b: concordant less discordant pairs, over the root of the
// pairs not tied in x times those not tied in y (Kendall, Biometrika 33(3), 1945). It
// is in [-1, 1], NaN if all x or all y are equal. Time grows with n^2.
func KendallTau(x, y []float64) float64 {
	balance, untiedX, untiedY := 0, 0, 0
	for i := range x {
		for j := range i {
			a, b := compare(x[i], x[j]), compare(y[i], y[j])
			balance += a * b
			untiedX += a * a
			untiedY += b * b
		}
	}
	return float64(balance) / math.Sqrt(float64(untiedX)*float64(untiedY))
}

// compare is the sign of a-b.
func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// tieSizes yields how many values are equal, for each group of two or more.
func tieSizes(x []float64) func(yield func(float64) bool) {
	sorted := slices.Sorted(slices.Values(x))
	return func(yield func(float64) bool) {
		for i := 0; i < len(sorted); {
			j := i + 1
			for j < len(sorted) && sorted[j] == sorted[i] {
				j++
			}
			if j-i > 1 && !yield(float64(j-i)) {
				return
			}
			i = j
		}
	}
}
