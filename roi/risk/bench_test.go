package risk_test

import (
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/risk"
)

func BenchmarkSimulate(b *testing.B) {
	const scenarios = 100_000
	for _, bb := range []struct {
		name         string
		correlations []risk.Correlation
	}{
		{"inputs=4", nil},
		{"inputs=4/correlated=2", []risk.Correlation{{A: "monthly_service_fee", B: "setup_costs", Rank: 0.5}}},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", bb.name, workers), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					simulate(b, article(), four(), scenarios, &risk.Options{Seed: 1, Workers: workers, Correlations: bb.correlations})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/scenarios, "ns/scenario")
			})
		}
	}
}

func BenchmarkGrid(b *testing.B) {
	x := risk.Axis{Input: "monthly_service_fee", Values: risk.Steps(20_000, 80_000, 101)}
	y := risk.Axis{Input: "revenue_per_hour", Values: risk.Steps(10_000, 40_000, 101)}
	b.Run("101x101", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := risk.Grid(article(), x, y); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBreakEven(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := risk.BreakEven(article(), "monthly_service_fee"); err != nil {
			b.Fatal(err)
		}
	}
}
