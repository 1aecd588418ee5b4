package anomaly_test

import (
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly"
)

func BenchmarkEvaluate(b *testing.B) {
	for _, preset := range []anomaly.Preset{anomaly.Default, anomaly.Compat} {
		b.Run("features=5/preset="+preset.String(), func(b *testing.B) {
			d := healthy(b, &anomaly.Options{Preset: preset})
			var readings []map[string]float64
			for _, row := range drawHealthy(rand.New(rand.NewPCG(9, 9)), 1000) {
				readings = append(readings, reading(row...))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := d.Evaluate(noon, readings[i%len(readings)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkFit(b *testing.B) {
	h := anomaly.History{Names: seedNames, Rows: drawHealthy(rand.New(rand.NewPCG(9, 9)), 1000)}
	for _, preset := range []anomaly.Preset{anomaly.Default, anomaly.Compat} {
		b.Run("rows=1000/features=5/preset="+preset.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := anomaly.Fit("user_api", h, &anomaly.Options{Preset: preset}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
