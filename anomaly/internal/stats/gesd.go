package stats

import "math"

// GESD is the outcome of the generalised extreme Studentised deviate test.
type GESD struct {
	// R and Lambda are the statistic and its critical value of each step, Order the
	// place in the sample of the value that the step took away.
	R, Lambda []float64
	Order     []int
	// Outliers is how many of Order, from the first, are outliers.
	Outliers int
}

// TestGESD looks for up to k outliers on either side of a roughly normal sample at the
// level alpha (Rosner, Technometrics 25(2), 1983): in each step the value farthest from the
// mean is taken away, and the largest step whose statistic exceeds its critical value
// says how many are outliers, so that outliers cannot hide each other. k is reduced to
// n-2. Of equal distances the earlier value is taken.
func TestGESD(x []float64, k int, alpha float64) GESD {
	var g GESD
	left := make([]float64, len(x))
	places := make([]int, len(x))
	for i, v := range x {
		left[i], places[i] = v, i
	}
	for i := 1; i <= k && len(left) > 2; i++ {
		mean, sd := Mean(left), SD(left, 1)
		far := 0
		for j, v := range left {
			if math.Abs(v-mean) > math.Abs(left[far]-mean) {
				far = j
			}
		}
		r := 0.0
		if sd > 0 {
			r = math.Abs(left[far]-mean) / sd
		}
		n := float64(len(left))
		t := StudentUpper(alpha/(2*n), n-2)
		lambda := (n - 1) * t / math.Sqrt((n-2+t*t)*n)
		g.R, g.Lambda, g.Order = append(g.R, r), append(g.Lambda, lambda), append(g.Order, places[far])
		if r > lambda {
			g.Outliers = i
		}
		left = append(left[:far], left[far+1:]...)
		places = append(places[:far], places[far+1:]...)
	}
	return g
}
