package pricing

import (
	"fmt"
	"math"
	"testing"
)

func TestCompoundByHand(t *testing.T) {
	e := math.Exp
	for _, c := range []struct {
		name   string
		lambda float64
		atoms  []atom
		want   []float64
	}{
		{"nothing happens", 0, []atom{{1, 1}}, []float64{1, 0, 0}},
		// One cell each: the number itself, λ^k e^-λ/k!.
		{"Poisson", 2, []atom{{1, 1}}, []float64{e(-2), 2 * e(-2), 2 * e(-2), 4.0 / 3 * e(-2), 2.0 / 3 * e(-2)}},
		// Only multiples of the length.
		{"three cells", 1, []atom{{3, 1}}, []float64{e(-1), 0, 0, e(-1), 0, 0, e(-1) / 2}},
		// g(2): one of 2 (1/2), or two of 1 (1/2·1/4). g(3): 1+2 in two orders
		// (1/2·2/4), or three of 1 (1/6·1/8): 1/4 + 1/48 = 13/48.
		{"one or two cells", 1, []atom{{1, 0.5}, {2, 0.5}}, []float64{e(-1), e(-1) / 2, 0.625 * e(-1), 13.0 / 48 * e(-1)}},
		// A half of the outages is too long to matter.
		{"long ones left out", 2, []atom{{1, 0.5}}, []float64{e(-2), e(-2), e(-2) / 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compound(c.lambda, c.atoms, len(c.want))
			for i := range c.want {
				near(t, fmt.Sprintf("g(%d)", i), got[i], c.want[i], 1e-15)
			}
		})
	}
}

// bruteForce adds up Poisson(n)·f^{*n}, one convolution for each n.
func bruteForce(lambda float64, atoms []atom, cells int) []float64 {
	sum, power := make([]float64, cells), make([]float64, cells)
	power[0] = 1
	poisson := math.Exp(-lambda)
	for n := range 150 {
		for i := range sum {
			sum[i] += poisson * power[i]
		}
		next := make([]float64, cells)
		for i, p := range power {
			for _, a := range atoms {
				if i+a.cells < cells {
					next[i+a.cells] += p * a.p
				}
			}
		}
		power, poisson = next, poisson*lambda/float64(n+1)
	}
	return sum
}

func TestCompoundAgainstConvolution(t *testing.T) {
	atoms := []atom{{1, 0.1}, {2, 0.25}, {5, 0.05}, {7, 0.3}, {30, 0.2}, {44, 0.1}}
	for _, lambda := range []float64{0.01, 0.5, 3, 12, 40} {
		want, got := bruteForce(lambda, atoms, 400), compound(lambda, atoms, 400)
		for i := range want {
			near(t, fmt.Sprintf("λ %v, g(%d)", lambda, i), got[i], want[i], 1e-10*want[i]+1e-200)
		}
	}
}

// Where exp(−λ) is 0 as a float64: the sum of two halves is the whole, and the
// moments of a compound Poisson sum are λ·E[J] and λ·E[J²].
func TestCompoundOfManyEvents(t *testing.T) {
	atoms := []atom{{1, 0.5}, {3, 0.5}}
	const cells = 6000 // mean 4000, standard deviation √(2000·5) = 100
	half, whole := compound(1000, atoms, cells), compound(2000, atoms, cells)
	var sum, mean, square float64
	for i, p := range whole {
		sum += p
		mean += float64(i) * p
		square += float64(i) * float64(i) * p
	}
	near(t, "sum", sum, 1, 1e-10)
	near(t, "mean", mean, 4000, 1e-6)
	near(t, "variance", square-mean*mean, 10_000, 1e-2)
	for _, s := range []int{3600, 4000, 4001, 4400} {
		want := 0.0
		for i := range s + 1 {
			want += half[i] * half[s-i]
		}
		near(t, fmt.Sprintf("g(%d)", s), whole[s], want, 1e-9*want)
	}
}

func TestPoissonTail(t *testing.T) {
	for _, lambda := range []float64{0.001, 1, 30, 5000} {
		p, left := poissonTail(lambda, 1e-12)
		sum := left
		for _, v := range p {
			sum += v
		}
		near(t, fmt.Sprintf("sum for λ %v", lambda), sum, 1, 1e-10)
		if last := p[len(p)-1]; left >= 1e-12 || left+last < 1e-12 {
			t.Errorf("λ %v: %v is left out after %d counts, the last of them of %v; want the least number that leaves less than 1e-12", lambda, left, len(p), last)
		}
	}
}
