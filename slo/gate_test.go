package slo_test

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// bigTail is P(X >= bad) for n events at num/den, with some 70 digits.
func bigTail(n, bad, num, den int64) *big.Float {
	const bits = 256
	float := func(x int64) *big.Float { return new(big.Float).SetPrec(bits).SetInt64(x) }
	p, q := float(num), float(den-num)
	p.Quo(p, float(den))
	q.Quo(q, float(den))
	term := float(1) // C(n,bad) p^bad q^(n-bad)
	for k := int64(1); k <= bad; k++ {
		term.Mul(term, float(n-k+1)).Quo(term, float(k)).Mul(term, p)
	}
	for range n - bad {
		term.Mul(term, q)
	}
	sum := float(0)
	for k := bad; k <= n; k++ {
		sum.Add(sum, term)
		term.Mul(term, float(n-k)).Quo(term, float(k+1)).Mul(term, p).Quo(term, q)
	}
	return sum
}

// The gate is exact on both sides of the probability, whether floating point is
// enough to tell or not: an alpha that is the last decimal of 18 below it, and the
// next, and one that is 3e-9 of it away.
func TestGateAtItsEdge(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const unit = 1_000_000_000_000_000_000
	decide := func(n, bad int64, factor slo.Ratio, alpha int64) bool {
		rule := slo.Rule{Name: "r", Long: time.Hour, Factor: factor, Alpha: slo.NewRatio(alpha, unit)}
		got, err := slo.Policy{Rules: []slo.Rule{rule}}.Decide(slo.MustPercent("99"), func(time.Duration) slo.Counts {
			return slo.Counts{Good: uint64(n - bad), Total: uint64(n)}
		})
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Holds
	}
	checked := map[string]int{}
	for range 600 {
		n := 1 + r.Int64N(400)
		if r.IntN(8) == 0 {
			n = 1 + r.Int64N(10_000)
		}
		percent := []int64{1, 5, 20, 50, 90}[r.IntN(5)] // the threshold
		factor := slo.NewRatio(percent, 1)
		bad := n*percent/100 + 1
		bad += r.Int64N(1 + min(n-bad, 2+bad/3))
		if bad > n {
			continue
		}
		chance := bigTail(n, bad, percent, 100)
		exact := new(big.Float).Mul(chance, big.NewFloat(unit))
		scaled, _ := exact.Add(exact, big.NewFloat(1e-30)).Int64() // where P has no more than 18 decimals
		if scaled < 2 || scaled > unit-2 {
			continue
		}
		ask := func(what string, alpha int64, want bool) {
			if alpha <= 0 || alpha >= unit {
				return
			}
			checked[what]++
			if got := decide(n, bad, factor, alpha); got != want {
				t.Errorf("%s: %d of %d at %d %%, alpha %de-18: %t, want %t as P = %s", what, bad, n, percent, alpha, got, want, chance.Text('g', 25))
			}
		}
		if n <= 400 || scaled < 100_000_000 {
			ask("neighbour", scaled, false)
			ask("neighbour", scaled+1, true)
		}
		if scaled > 10_000_000_000 {
			away := scaled/333_333_333 + 1
			ask("3e-9 away", scaled-away, false)
			ask("3e-9 away", scaled+away+1, true)
		}
	}
	for _, what := range []string{"neighbour", "3e-9 away"} {
		if checked[what] < 300 {
			t.Errorf("%s: %d cases, want more", what, checked[what])
		}
	}
}

// gated follows four default rules with a gate, at one event in 30 s, each with an
// error.
func gated(tb testing.TB) func() {
	tb.Helper()
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range policy.Rules {
		policy.Rules[i].Alpha = slo.NewRatio(1, 100)
	}
	tracker := mustTracker(tb, slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}, &slo.TrackerOptions{Interval: 30 * time.Second})
	i := 0
	return func() {
		i++
		if err := tracker.Observe(benchAt(i), slo.Counts{Total: 1}); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestGateDoesNotAllocate(t *testing.T) {
	step := gated(t)
	for range 1000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations a sample, want 0", n)
	}
}

func BenchmarkGate(b *testing.B) {
	step := gated(b)
	for range 9000 {
		step()
	}
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}
