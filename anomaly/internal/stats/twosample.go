package stats

import (
	"math"
	"slices"
)

// KS returns the two-sample statistic of Kolmogorov and Smirnov, the largest distance
// between the two empirical distribution functions, and its probability under equal
// distributions by Kolmogorov's limit at sqrt(nm/(n+m)) d. The limit is too large for
// small samples and for ties, so it errs towards "no difference". NaN if a sample is
// empty.
func KS(sortedA, sortedB []float64) (d, p float64) {
	n, m := len(sortedA), len(sortedB)
	if n == 0 || m == 0 {
		return math.NaN(), math.NaN()
	}
	for i, j := 0, 0; i < n && j < m; {
		v := min(sortedA[i], sortedB[j])
		for i < n && sortedA[i] == v {
			i++
		}
		for j < m && sortedB[j] == v {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(n)-float64(j)/float64(m)))
	}
	return d, KolmogorovTail(math.Sqrt(float64(n)*float64(m)/float64(n+m)) * d)
}

// KolmogorovTail is the probability that the limit of sqrt(n) times a one-sample
// distance exceeds x (Kolmogorov, Giornale dell'Istituto Italiano degli Attuari 4, 1933):
// the alternating series, and below 1 its transform, which converges there.
func KolmogorovTail(x float64) float64 {
	switch {
	case x <= 0:
		return 1
	case x < 1:
		sum := 0.0
		for k := 1.0; k < 40; k += 2 {
			sum += math.Exp(-k * k * math.Pi * math.Pi / (8 * x * x))
		}
		return 1 - math.Sqrt(2*math.Pi)/x*sum
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k < 20; k++ {
		sum += sign * math.Exp(-2*k*k*x*x)
		sign = -sign
	}
	return 2 * sum
}

// MannWhitney returns U of sample a, the number of pairs in which a is above b with ties
// as a half, and the two-sided probability of one as far from its mean by the normal
// approximation with tie and continuity correction (Mann and Whitney, The Annals of
// Mathematical Statistics 18(1), 1947). p is 1 if all values are equal, NaN if a
// sample is empty.
func MannWhitney(a, b []float64) (u, p float64) {
	n, m := float64(len(a)), float64(len(b))
	if n == 0 || m == 0 {
		return math.NaN(), math.NaN()
	}
	u = pairsAbove(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	ties, all := 0.0, n+m
	for k := range tieSizes(slices.Concat(a, b)) {
		ties += k*k*k - k
	}
	sd := math.Sqrt(n * m / 12 * (all + 1 - ties/(all*(all-1))))
	if !(sd > 0) {
		return u, 1
	}
	z := (math.Abs(u-n*m/2) - 0.5) / sd
	return u, min(1, 2*math.Exp(LogNormalTail(z)))
}

// pairsAbove counts the pairs in which a value of a is above one of b, ties as a half.
func pairsAbove(sortedA, sortedB []float64) float64 {
	sum := 0.0
	below, atMost := 0, 0
	for _, v := range sortedA {
		for below < len(sortedB) && sortedB[below] < v {
			below++
		}
		for atMost < len(sortedB) && sortedB[atMost] <= v {
			atMost++
		}
		sum += float64(below+atMost) / 2
	}
	return sum
}

// Wasserstein1 is the area between the two empirical distribution functions, in the
// unit of the values: how far mass has to be moved on average. NaN if a sample is empty.
func Wasserstein1(sortedA, sortedB []float64) float64 {
	n, m := len(sortedA), len(sortedB)
	if n == 0 || m == 0 {
		return math.NaN()
	}
	area, last := 0.0, min(sortedA[0], sortedB[0])
	for i, j := 0, 0; i < n || j < m; {
		v := math.Inf(1)
		if i < n {
			v = sortedA[i]
		}
		if j < m {
			v = min(v, sortedB[j])
		}
		area += math.Abs(float64(i)/float64(n)-float64(j)/float64(m)) * (v - last)
		last = v
		for i < n && sortedA[i] == v {
			i++
		}
		for j < m && sortedB[j] == v {
			j++
		}
	}
	return area
}

// PSI is the population stability index
//
//	sum over the bins of (c - r) ln(c / r)
//
// between the shares r of a reference and c of a current sample, shares below floor
// counting as floor. The edges are the inner ones of bins, in increasing order; a value
// equal to an edge is below it. NaN if a sample is empty.
func PSI(reference, current, edges []float64, floor float64) float64 {
	return PSIOfCounts(BinCounts(reference, edges), BinCounts(current, edges), floor)
}

// PSIEdges returns the inner edges of bins that hold equal shares of the reference:
// its 1/bins … (bins-1)/bins quantiles by [Quantile].
func PSIEdges(sortedReference []float64, bins int) []float64 {
	edges := make([]float64, 0, bins)
	for i := 1; i < bins; i++ {
		edges = append(edges, Quantile(sortedReference, float64(i)/float64(bins)))
	}
	return edges
}

// BinCounts counts the values per bin; there is one more bin than there are edges.
func BinCounts(x, edges []float64) []float64 {
	counts := make([]float64, len(edges)+1)
	for _, v := range x {
		i, _ := slices.BinarySearch(edges, v)
		counts[i]++
	}
	return counts
}

// PSIOfCounts is [PSI] of two histograms over the same bins.
func PSIOfCounts(reference, current []float64, floor float64) float64 {
	r, c := Sum(reference), Sum(current)
	if !(r > 0) || !(c > 0) {
		return math.NaN()
	}
	psi := 0.0
	for i := range reference {
		expected, actual := max(reference[i]/r, floor), max(current[i]/c, floor)
		psi += (actual - expected) * math.Log(actual/expected)
	}
	return psi
}
