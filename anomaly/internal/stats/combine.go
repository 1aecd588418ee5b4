package stats

import "math"

// Ways to join several p-values into one. Each p is in (0, 1]; there is at least one.
// Bonferroni and Cauchy hold whatever the dependence, the others want independence.

// Bonferroni is n times the smallest, at most 1.
func Bonferroni(p []float64) float64 {
	return min(1, float64(len(p))*smallest(p))
}

// Sidak is the probability that the smallest of n independent ones is as small:
// 1 - (1 - min p)^n.
func Sidak(p []float64) float64 {
	return -math.Expm1(float64(len(p)) * math.Log1p(-smallest(p)))
}

// Fisher refers -2 sum ln p to chi-square with 2n degrees of freedom (Fisher, Statistical
// Methods for Research Workers, 1932).
func Fisher(p []float64) float64 {
	x := 0.0
	for _, v := range p {
		x -= math.Log(v)
	}
	return math.Exp(LogFisherTail(x, len(p)))
}

// LogFisherTail is ln of the probability that -sum ln p of n independent p-values is at
// least x. For even degrees the tail of chi-square is a finite sum,
//
//	exp(-x) sum over k < n of x^k / k!
//
// added here relative to its largest term, so that nothing overflows.
func LogFisherTail(x float64, n int) float64 {
	if x <= 0 {
		return 0
	}
	largest, sum := math.Inf(-1), 0.0
	term := -x
	for k := range n {
		if k > 0 {
			term += math.Log(x / float64(k))
		}
		if term > largest {
			sum = sum*math.Exp(largest-term) + 1
			largest = term
		} else {
			sum += math.Exp(term - largest)
		}
	}
	return min(0, largest+math.Log(sum))
}

// Stouffer refers the sum of the normal deviates over sqrt n to the normal distribution
// (Stouffer et al., The American Soldier I, 1949).
func Stouffer(p []float64) float64 {
	z := 0.0
	for _, v := range p {
		z += NormalDeviate(math.Log(v))
	}
	return math.Exp(LogNormalTail(z / math.Sqrt(float64(len(p)))))
}

// Cauchy refers the mean of tan((1/2 - p) pi) to the Cauchy distribution (Liu and Xie,
// Journal of the American Statistical Association 115(529), 2020).
func Cauchy(p []float64) float64 {
	sum := 0.0
	for _, v := range p {
		sum += CauchyDeviate(math.Log(v))
	}
	return math.Exp(LogCauchyTail(sum / float64(len(p))))
}

// CauchyDeviate is tan((1/2 - p) pi) = 1 / tan(p pi), the latter exact for small p, given
// ln p of at least -700.
func CauchyDeviate(logP float64) float64 { return 1 / math.Tan(math.Exp(logP)*math.Pi) }

// LogCauchyTail is ln P(C > x) of a standard Cauchy C.
func LogCauchyTail(x float64) float64 { return math.Log(math.Atan2(1, x) / math.Pi) }

func smallest(p []float64) float64 {
	least := p[0]
	for _, v := range p {
		least = min(least, v)
	}
	return least
}
