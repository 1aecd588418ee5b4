package anomaly_test

import (
	"math/rand/v2"
	"testing"
	"time"

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

// Score of one row, as a loop over many series would call it.
func BenchmarkScore(b *testing.B) {
	rows := drawHealthy(rand.New(rand.NewPCG(9, 9)), 1000)
	for _, c := range []struct {
		name string
		o    anomaly.Options
	}{
		{"preset=default", anomaly.Options{}},
		{"preset=default/combine=fisher", anomaly.Options{Combine: anomaly.CombineFisher}},
		{"preset=compat", anomaly.Options{Preset: anomaly.Compat}},
	} {
		b.Run("features=5/"+c.name, func(b *testing.B) {
			d := healthy(b, &c.o)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := d.Score(noon, rows[i%len(rows)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
	b.Run("features=3/preset=default/season", func(b *testing.B) {
		d := goldenDetector(b)
		row := []float64{45, 1000, 3}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Score(noon, row); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDetectorBinary(b *testing.B) {
	d := healthy(b, nil)
	data, err := d.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.AppendBinary(nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := anomaly.ParseDetector(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFindSeason(b *testing.B) {
	ams := amsterdam(b)
	times := every(noon, 5*time.Minute, 28*288)
	x := series(times, officeHours(ams))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := anomaly.FindSeason(times, x, &anomaly.Season{Zone: "Europe/Amsterdam"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRegistryGet(b *testing.B) {
	var r anomaly.Registry
	d := small(b, "user_api")
	r.Put("acme", d)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Get("acme", "user_api"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
