package promrules_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func benchSLO(b *testing.B) promrules.SLO {
	b.Helper()
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		b.Fatal(err)
	}
	return promrules.SLO{
		Objective: slo.Objective{
			ID: "requests", Service: "myservice", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy,
		},
		Events: promrules.Events{Bad: `http_requests_total{job="svc1",code=~"(5..|429)"}`, Total: `http_requests_total{job="svc1"}`},
		Labels: map[string]string{"owner": "platform"},
	}
}

// BenchmarkGenerate makes the rules of one objective with the four default tiers,
// and writes them.
func BenchmarkGenerate(b *testing.B) {
	objective := []promrules.SLO{benchSLO(b)}
	var text []byte
	b.Run("rules", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := promrules.Generate(objective, promrules.Options{Scrape: 30 * time.Second}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("rules and YAML", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			file, err := promrules.Generate(objective, promrules.Options{Scrape: 30 * time.Second})
			if err != nil {
				b.Fatal(err)
			}
			text = file.AppendYAML(text[:0])
		}
	})
	b.Run("validate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := objective[0].Validate(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAppendRules writes the rules of a fleet, and those of objectives that
// have no shape in common.
func BenchmarkAppendRules(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("objectives=%d", n), func(b *testing.B) {
			slos := make([]promrules.SLO, n)
			for i := range slos {
				slos[i] = benchSLO(b)
				slos[i].ID = fmt.Sprintf("requests-%d", i)
				slos[i].Events.Bad = fmt.Sprintf(`http_requests_total{job="svc%d",code=~"(5..|429)"}`, i)
				slos[i].Events.Total = fmt.Sprintf(`http_requests_total{job="svc%d"}`, i)
			}
			benchAppendRules(b, slos)
		})
	}
	b.Run("shapes=100", func(b *testing.B) {
		slos := make([]promrules.SLO, 100)
		for i := range slos {
			slos[i] = benchSLO(b)
			slos[i].ID = fmt.Sprintf("requests-%d", i)
			slos[i].Target = slo.MustPercent(fmt.Sprintf("99.9%02d", i))
		}
		benchAppendRules(b, slos)
	})
}

func benchAppendRules(b *testing.B, slos []promrules.SLO) {
	b.Helper()
	var text []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if text, err = promrules.AppendRules(text[:0], slos, promrules.Options{Scrape: 30 * time.Second}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(slos)), "ns/objective")
	b.ReportMetric(float64(len(text)/len(slos)), "B/objective")
}
