package promrules_test

import (
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
