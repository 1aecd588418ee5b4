package stats

import "math"

// LogNormalTail is ln P(Z > z) of a standard normal Z, for any z without underflow: by
// erfc, and beyond 10 by Laplace's continued fraction for Mills' ratio,
//
//	P(Z > z) = phi(z) / (z + 1/(z + 2/(z + 3/(z + …))))
//
// (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.2.14).
func LogNormalTail(z float64) float64 {
	switch {
	case z < 0:
		return math.Log1p(-0.5 * math.Erfc(-z/math.Sqrt2))
	case z < 10:
		return math.Log(0.5 * math.Erfc(z/math.Sqrt2))
	}
	fraction := z
	for k := 30.0; k >= 1; k-- { // at z = 10 the remainder is below 1e-16
		fraction = z + k/fraction
	}
	return -z*z/2 - 0.5*math.Log(2*math.Pi) - math.Log(fraction)
}

// NormalDeviate returns the z with ln P(Z > z) = logP, the inverse of
// [LogNormalTail]. It is infinite for logP = 0 and -Inf.
func NormalDeviate(logP float64) float64 {
	switch {
	case math.IsNaN(logP) || logP > 0:
		return math.NaN()
	case logP == 0:
		return math.Inf(-1)
	case math.IsInf(logP, -1):
		return math.Inf(1)
	case logP > -math.Ln2:
		// Below 0 by symmetry: P(Z > -z) = 1 - P(Z > z).
		return -NormalDeviate(math.Log(-math.Expm1(logP)))
	}
	z := math.Sqrt(-2 * (logP + math.Ln2)) // an upper bound, from P(Z > z) <= exp(-z^2/2)/2
	for range 50 {
		tail := LogNormalTail(z)
		// The derivative of ln P(Z > z) is -phi(z)/P(Z > z).
		step := (tail - logP) / math.Exp(-z*z/2-0.5*math.Log(2*math.Pi)-tail)
		z += step
		if math.Abs(step) <= 1e-15*(1+z) {
			break
		}
	}
	return z
}

// StudentTail is P(T > t) of Student's distribution with df > 0 degrees of freedom.
func StudentTail(t, df float64) float64 {
	if t < 0 {
		return 1 - StudentTail(-t, df)
	}
	return 0.5 * incompleteBeta(df/(df+t*t), df/2, 0.5)
}

// StudentUpper returns the t with P(T > t) = p, for p in (0, 1) and df > 0; NaN
// otherwise.
func StudentUpper(p, df float64) float64 {
	switch {
	case !(p > 0 && p < 1) || !(df > 0):
		return math.NaN()
	case p > 0.5:
		return -StudentUpper(1-p, df)
	case df >= 1e5:
		// Where the fraction would lose digits, the first terms of Abramowitz and Stegun
		// 26.7.5 leave less than 1e-12.
		z := NormalDeviate(math.Log(p))
		return z + z*(z*z+1)/(4*df) + z*(z*z*(5*z*z+16)+3)/(96*df*df)
	}
	low, high := 0.0, 1.0
	for StudentTail(high, df) > p {
		low, high = high, 2*high
	}
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return middle
		}
		if StudentTail(middle, df) > p {
			low = middle
		} else {
			high = middle
		}
	}
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b) by its continued
// fraction (NIST Digital Library of Mathematical Functions, 8.17.22), evaluated by
// the modified method of Lentz (Thompson and Barnett, Journal of Computational Physics
// 64(2), 1986).
func incompleteBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // where the fraction of the complement converges faster
		return 1 - incompleteBeta(1-x, b, a)
	}
	sum, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(sum-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny = 1e-300
	keep := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/keep(1-(a+b)*x/(a+1))
	f := d
	for m := 1.0; m < 500; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / keep(1+even*d)
		c = keep(1 + even/c)
		f *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / keep(1+odd*d)
		c = keep(1 + odd/c)
		f *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return front * f
}
