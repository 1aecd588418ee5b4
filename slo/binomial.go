package slo

import (
	"math"
	"math/big"
)

// gateEvents is the most events that a low-traffic gate looks at.
const gateEvents = 10_000

// BinomialTail returns P(X >= bad) for n independent events that are bad with
// probability p: how often chance alone gives that many bad events or more.
//
//	Σ_{k=bad}^{n} C(n,k) p^k (1-p)^(n-k)
//
// 1 for bad = 0, 0 for bad > n. The absolute error stays within 1e-12 for n up to
// 10^6. p must lie within 0 and 1, else the result is NaN. This is a statistic
// for reports; [Rule.Alpha] decides in whole numbers instead.
func BinomialTail(n, bad uint64, p Ratio) float64 {
	switch {
	case !p.isFinite() || p.Sign() < 0 || p.Compare(NewRatio(1, 1)) > 0:
		return math.NaN()
	case bad == 0:
		return 1
	case bad > n || p.Sign() == 0:
		return 0
	case p.Compare(NewRatio(1, 1)) == 0:
		return 1
	}
	return tail(n, bad, p.Float64(), oneMinus(p).Float64())
}

// tail is BinomialTail for 0 < bad <= n and 0 < p = 1 - q < 1.
func tail(n, bad uint64, p, q float64) float64 {
	// Sum the tail that does not hold the mean, so that terms only shrink.
	if float64(bad) > float64(n)*p {
		return math.Min(1, tailUp(n, bad, p, q))
	}
	return math.Max(0, 1-tailUp(n, n-bad+1, q, p))
}

// tailUp sums P(X = k) from k = from on, where from exceeds the mean, until the
// terms no longer count.
func tailUp(n, from uint64, p, q float64) float64 {
	if from > n {
		return 0
	}
	term := binomialPoint(n, from, p, q)
	total := 0.0
	for k := from; k <= n && term > total*1e-18; k++ {
		total += term
		term *= float64(n-k) / float64(k+1) * p / q
	}
	return total
}

// binomialPoint returns P(X = k) by Loader's saddle-point expansion, which keeps
// full accuracy where the logarithms of factorials would cancel.
// (C. Loader, Fast and Accurate Computation of Binomial Probabilities, 2000.)
func binomialPoint(n, k uint64, p, q float64) float64 {
	N, K := float64(n), float64(k)
	switch k {
	case 0:
		return math.Exp(N * math.Log1p(-p))
	case n:
		return math.Exp(N * math.Log(p))
	}
	lc := stirlingError(n) - stirlingError(k) - stirlingError(n-k) - deviance(K, N*p) - deviance(N-K, N*q)
	return math.Exp(lc) * math.Sqrt(N/(2*math.Pi*K*(N-K)))
}

// stirlingError returns log(n!) - log(sqrt(2πn)·(n/e)^n).
func stirlingError(n uint64) float64 {
	x := float64(n)
	if n <= 15 {
		factorial := 1.0
		for i := uint64(2); i <= n; i++ {
			factorial *= float64(i)
		}
		return math.Log(factorial) - (x+0.5)*math.Log(x) + x - 0.5*math.Log(2*math.Pi)
	}
	// Bernoulli numbers over k(k-1), the asymptotic series of the log-gamma
	// function (Abramowitz and Stegun, 6.1.40).
	s := 1 / (x * x)
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-s/1188)*s)*s)*s) / x
}

// deviance returns x·log(x/m) + m - x without cancellation near x = m.
func deviance(x, m float64) float64 {
	if math.Abs(x-m) >= 0.1*(x+m) {
		return x*math.Log(x/m) + m - x
	}
	v := (x - m) / (x + m)
	s := (x - m) * v
	ej := 2 * x * v
	for j := 3.0; ; j += 2 {
		ej *= v * v
		next := s + ej/j
		if next == s {
			return s
		}
		s = next
	}
}

// gate is the low-traffic gate of a rule: whether so many bad events would come by
// chance with a probability below alpha, if each were bad with the probability of
// the threshold. The zero gate asks for nothing.
type gate struct {
	alphaNum, alphaDen uint64
	alpha, p, q        float64 // nearest to alpha, the threshold and 1 - threshold
}

func newGate(alpha, threshold Ratio) gate {
	num, den, _ := alpha.parts()
	return gate{num, den, alpha.Float64(), threshold.Float64(), oneMinus(threshold).Float64()}
}

// doubt is the relative distance of a tail from alpha within which it is computed
// anew in whole numbers. For up to gateEvents events the error of tail is some
// 1e-11 of it at most: that of 1e-16 in each of p, q, and the products and
// logarithms of the expansion, times up to 10^4 events.
const doubt = 1e-9

// passes reports whether P(X >= bad) < alpha for n events at the threshold l,
// exactly. It takes a few hundred nanoseconds, microseconds where thousands of
// terms count, and no memory, unless the probability is within doubt of alpha.
func (g *gate) passes(n, bad uint64, l limit) bool {
	switch {
	case g.alphaDen == 0 || n > gateEvents:
		return true
	case bad == 0 || l.num >= l.den:
		return false
	}
	chance := tail(n, bad, g.p, g.q)
	if math.Abs(chance-g.alpha) > doubt*g.alpha {
		return chance < g.alpha
	}
	return significant(n, bad, l.num, l.den, g.alphaNum, g.alphaDen)
}

// significant reports whether P(X >= bad) < alpha for n events that are bad with
// probability num/den, exactly. With a = num, b = den - num and m = bad - 1 it
// compares whole numbers:
//
//	Σ_{k=0}^{m} C(n,k) a^k b^(n-k) > (1 - alpha) · den^n
//
// The sum is b^(n-m) times a polynomial that Horner's scheme builds from the
// small end. It takes time in the square of n, up to a fifth of a second, and is
// for what the floating point of [gate.passes] cannot tell.
func significant(n, bad, num, den, alphaNum, alphaDen uint64) bool {
	if bad == 0 || num >= den {
		return false
	}
	a, b := new(big.Int).SetUint64(num), new(big.Int).SetUint64(den-num)
	m := bad - 1
	term, inner, scratch := big.NewInt(1), big.NewInt(1), new(big.Int)
	for k := uint64(1); k <= m; k++ {
		term.Mul(term, a)
		term.Mul(term, scratch.SetUint64(n-k+1))
		term.Quo(term, scratch.SetUint64(k)) // C(n,k) a^k, without remainder
		inner.Mul(inner, b)
		inner.Add(inner, term)
	}
	left := inner.Mul(inner, new(big.Int).Exp(b, scratch.SetUint64(n-m), nil))
	left.Mul(left, new(big.Int).SetUint64(alphaDen))
	right := new(big.Int).Exp(new(big.Int).SetUint64(den), new(big.Int).SetUint64(n), nil)
	right.Mul(right, new(big.Int).SetUint64(alphaDen-alphaNum))
	return left.Cmp(right) > 0
}
