package pricing

import "math"

// atom is a length in cells of a grid, and its probability.
type atom struct {
	cells int
	p     float64
}

// compound returns the distribution of the sum of a Poisson number of independent
// lengths: g[s] is the probability that it is s cells. By Panjer (Recursive
// Evaluation of a Family of Compound Distributions, ASTIN Bulletin 12, 1981), for
// the Poisson distribution
//
//	g(0) = exp(−λ)      g(s) = λ/s · Σ_j j·f(j)·g(s−j)
//
// All terms are positive, so errors do not grow (Panjer and Wang, On the
// Stability of Recursive Formulas, ASTIN Bulletin 23, 1993). exp(−λ) does not fit
// a float64 for λ > 745: the recursion starts at 1 and is scaled down by powers of
// two whenever it has grown too far, and all is multiplied by what is missing at
// the end (the first remedy of Panjer and Willmot, Computational Aspects of
// Recursive Evaluation of Compound Distributions, Insurance: Mathematics and
// Economics 5, 1986).
//
// atoms are in ascending order, from 1 cell on. Those of len(g) cells or more may
// be left out: they are no part of any g[s].
func compound(lambda float64, atoms []atom, cells int) []float64 {
	g := make([]float64, cells)
	g[0] = 1
	exponent := 0.0 // g is to be multiplied by 2^exponent·exp(−λ)
	for s := 1; s < cells; s++ {
		sum := 0.0
		for _, a := range atoms {
			if a.cells > s {
				break
			}
			sum += float64(a.cells) * a.p * g[s-a.cells]
		}
		g[s] = lambda / float64(s) * sum
		if g[s] > scaleAt {
			for i := range s + 1 {
				g[i] = math.Ldexp(g[i], -scaleBits)
			}
			exponent += scaleBits
		}
	}
	for i := range g {
		if g[i] > 0 { // the logarithm keeps a factor in range that does not fit itself
			g[i] = math.Exp(math.Log(g[i]) + exponent*math.Ln2 - lambda)
		}
	}
	return g
}

const (
	scaleAt   = 0x1p600
	scaleBits = 600
)

// poissonTail returns the probabilities of 0 to n events, the first n after which
// less than most is left, and what is left.
func poissonTail(lambda, most float64) (p []float64, left float64) {
	p = compound(lambda, []atom{{1, 1}}, 1+int(lambda+12*math.Sqrt(lambda)+40))
	n := len(p) - 1
	for n > 0 && left+p[n] < most { // from the smallest on
		left += p[n]
		n--
	}
	return p[:n+1], left
}
