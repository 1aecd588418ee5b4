package roi

import (
	"math"
	"slices"
)

// few is the largest number of flows whose roots [isolate] looks for; its time grows with
// the square of the number.
const few = 16

// isolate finds the rates at which the present value of few periodic flows is zero, in
// ascending order. ok is false where rounding leaves in doubt how many there are, as where
// it touches zero, and where they lie far out; [series.roots] then goes the long way.
//
// For rates above 0 the present value is a polynomial in 1/(1+rate) on (0, 1), and for
// rates below 0 a power of it times one in 1+rate on (0, 1). With the coefficients of the
// basis of Bernstein,
//
//	p(x) = Σ b[j] · C(n,j) · t^j · (1−t)^(n−j)    t = (x−lo) / (hi−lo)
//
// p has as many roots between lo and hi as the b[j] change sign, or an even number less:
// none where they do not change, one where they change once. Elsewhere the interval is
// parted (Lane and Riesenfeld, Bounds on a polynomial, BIT 21, 1981). Signs only count
// of coefficients larger than rounding can have made them. Then all p within rounding of
// this one have the same number of roots there, and nothing is missed that touches zero.
func isolate(a []float64, changes int) (_ []float64, ok bool) {
	n := len(a) - 1
	room := make([]float64, len(a)+changes)
	reversed, roots := room[:len(a)], room[len(a):len(a)]
	var above, below [few]float64
	size := 0.0
	for i, v := range a {
		reversed[n-i] = v
		above[i] = v / binomials[n][i]
		below[n-i] = above[i]
		size += math.Abs(v)
	}
	// Twice what [series.sign] takes for zero, which leaves room for the sums below.
	doubt := 0x1p-50 * float64(n+3) * size
	if roots, ok = polynomial(reversed).between(0, 1, toBernstein(below[:n+1]), doubt, roots); !ok {
		return nil, false
	}
	for i, y := range roots {
		roots[i] = y - 1
	}
	negative := len(roots)
	if roots, ok = polynomial(a).between(0, 1, toBernstein(above[:n+1]), doubt, roots); !ok {
		return nil, false
	}
	positive := roots[negative:]
	slices.Reverse(positive)
	for i, x := range positive {
		positive[i] = (1 - x) / x
	}
	return roots, true
}

// binomials are the C(n,i).
var binomials = func() (c [few][few]float64) {
	c[0][0] = 1
	for n := 1; n < few; n++ {
		c[n][0] = 1
		for i := 1; i <= n; i++ {
			c[n][i] = c[n-1][i-1] + c[n-1][i]
		}
	}
	return c
}()

// toBernstein turns the coefficients a[i]/C(n,i) of powers into those of the basis of
// Bernstein on (0, 1), Σ C(j,i)·a[i]/C(n,i), in place.
func toBernstein(b []float64) []float64 {
	for k := range b {
		for j := len(b) - 1; j > k; j-- {
			b[j] += b[j-1]
		}
	}
	return b
}

// A polynomial has the coefficients of 1, x, x² and so on.
type polynomial []float64

// eval returns the value and the derivative at x.
func (p polynomial) eval(x float64) (value, slope float64) {
	for _, c := range slices.Backward(p) {
		slope = float64(slope*x) + value
		value = float64(value*x) + c
	}
	return value, slope
}

// between appends the roots between lo and hi to roots, in ascending order; see
// [isolate]. b are the coefficients there, each within doubt, and is overwritten.
func (p polynomial) between(lo, hi float64, b []float64, doubt float64, roots []float64) (_ []float64, ok bool) {
	n := len(b) - 1
	changes, largest, clear := 0, 0.0, true
	for j, v := range b {
		size := math.Abs(v)
		largest = max(largest, size)
		clear = clear && size > doubt
		if j > 0 && (v < 0) != (b[j-1] < 0) {
			changes++
		}
	}
	const narrow, out = 0x1p-12, 0x1p-20
	switch {
	case clear && changes == 0:
		return roots, true
	case clear && changes == 1:
		x, ok := newton(p, lo, hi, lo+(hi-lo)*crossing(b), signOf(b[0]), 0)
		return append(roots, x), ok && x > out
	case hi-lo < narrow || !(math.Abs(b[0]) > doubt && math.Abs(b[n]) > doubt):
		return nil, false
	}
	// The two parts, after de Casteljau; b is left with the coefficients of the right one.
	// 1/2 and 1/4 would be the rates 100 % and 300 %, which occur more often than others.
	const part = 15. / 32
	var room [few]float64
	left := room[:n+1]
	for k := range left {
		left[k] = b[0]
		for j := range n - k {
			b[j] = float64(b[j]*(1-part)) + float64(b[j+1]*part)
		}
	}
	mid := lo + (hi-lo)*part
	doubt += 0x1p-52 * float64(n) * largest
	if roots, ok = p.between(lo, mid, left, doubt, roots); !ok {
		return nil, false
	}
	return p.between(mid, hi, b, doubt, roots)
}

// crossing is where in (0, 1) the polygon through b at 0, 1/n, 2/n, … is zero. Its sign
// changes once. The polynomial follows the polygon.
func crossing(b []float64) float64 {
	j := 1
	for (b[j] < 0) == (b[0] < 0) {
		j++
	}
	return (float64(j) - b[j]/(b[j]-b[j-1])) / float64(len(b)-1)
}
