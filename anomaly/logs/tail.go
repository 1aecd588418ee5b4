package logs

import "math"

// upperTail is the chance that a negative binomial count of the given mean and
// shape, with variance mean + mean^2/shape, is at least x:
//
//	P(X >= x) = I_q(x, shape),  q = mean/(mean + shape)
//
// with the regularised incomplete beta function (NIST Handbook of Mathematical
// Functions, 8.17.24). For x at most 0 it is 1.
func upperTail(x, mean, shape float64) float64 {
	if x <= 0 {
		return 1
	}
	if mean <= 0 {
		return 0
	}
	return incompleteBeta(mean/(mean+shape), shape/(mean+shape), x, shape)
}

// incompleteBeta is I_q(a, b); p is 1-q, given apart so that no digits are lost.
func incompleteBeta(q, p, a, b float64) float64 {
	if q <= 0 {
		return 0
	}
	if p <= 0 {
		return 1
	}
	if q > (a+1)/(a+b+2) {
		return max(0, 1-betaFraction(p, q, b, a))
	}
	return betaFraction(q, p, a, b)
}

// betaFraction is I_q(a, b) by its continued fraction (8.17.22) with Lentz's
// method, which converges fast for q below a/(a+b).
func betaFraction(q, p, a, b float64) float64 {
	lab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(a*math.Log(q)+b*math.Log(p)+lab-la-lb) / a
	const tiny = 1e-300
	c, d := 1.0, 1-(a+b)*q/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	h := d
	for m := 1.0; m <= 10_000; m++ {
		for _, t := range [...]float64{
			m * (b - m) * q / ((a + 2*m - 1) * (a + 2*m)),
			-(a + m) * (a + b + m) * q / ((a + 2*m) * (a + 2*m + 1)),
		} {
			if d = 1 + t*d; math.Abs(d) < tiny {
				d = tiny
			}
			if c = 1 + t/c; math.Abs(c) < tiny {
				c = tiny
			}
			d = 1 / d
			h *= d * c
			if t = d * c; math.Abs(t-1) < 1e-15 && m > 1 {
				return front * h
			}
		}
	}
	return front * h
}
