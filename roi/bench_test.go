package roi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi"
)

func loan(n int) []float64 {
	flows := make([]float64, n+1)
	flows[0] = -300_000
	for i := 1; i <= n; i++ {
		flows[i] = 1500
	}
	return flows
}

func BenchmarkNPV(b *testing.B) {
	for name, flows := range map[string][]float64{"flows=6": {-70_000, 12_000, 15_000, 18_000, 21_000, 26_000}, "flows=361": loan(360)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := roi.NPV(0.004, flows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIRR(b *testing.B) {
	for _, bb := range []struct {
		name  string
		flows []float64
	}{
		{"flows=6/roots=1", []float64{-70_000, 12_000, 15_000, 18_000, 21_000, 26_000}},
		{"flows=6/roots=2", []float64{-100, 50, 50, 50, 50, -80}},
		{"flows=6/changes=5", []float64{-1, 4.86, -9.4431, 9.16641, -4.44664, 0.86247}},
		{"flows=361/roots=1", loan(360)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := roi.IRR(bb.flows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkXIRR(b *testing.B) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	flows := []roi.DatedFlow{{Date: start, Amount: -500_000}}
	for i := range 36 {
		flows = append(flows, roi.DatedFlow{Date: start.AddDate(0, i+1, 0), Amount: 20_000})
	}
	b.Run("flows=37", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := roi.XIRR(flows); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	for _, bb := range []struct {
		name   string
		timing roi.Timing
	}{{"yearly", roi.Timing{}}, {"monthly", roi.Timing{Period: roi.Monthly}}} {
		b.Run(bb.name, func(b *testing.B) {
			m := article()
			m.Timing = bb.timing
			b.ReportAllocs()
			for b.Loop() {
				if _, err := roi.Evaluate(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPlanOfYears(b *testing.B) {
	for _, years := range []float64{3, 10} {
		b.Run(fmt.Sprintf("years=%.0f", years), func(b *testing.B) {
			m, err := article().With(map[string]float64{"years": years, "inflation": 0.02, "tax_rate": 0.25})
			if err != nil {
				b.Fatal(err)
			}
			plan, err := roi.Compile(m, "monthly_service_fee", "salary_growth")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.At([]float64{45_000, 0.03}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
