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
	x, q := p.Float64(), oneMinus(p).Float64()
	// Sum the tail that does not hold the mean, so that terms only shrink.
	if float64(bad) > float64(n)*x {
		return math.Min(1, tailUp(n, bad, x, q))
	}
	return math.Max(0, 1-tailUp(n, n-bad+1, q, x))
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

// significant reports whether P(X >= bad) < alpha for n events that are bad with
// probability num/den, exactly. With a = num, b = den - num and m = bad - 1 it
// compares whole numbers:
//
//	Σ_{k=0}^{m} C(n,k) a^k b^(n-k) > (1 - alpha) · den^n
//
// The sum is b^(n-m) times a polynomial that Horner's scheme builds from the
// small end.
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
