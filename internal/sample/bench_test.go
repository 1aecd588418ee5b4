package sample_test

import (
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/sample"
)

func BenchmarkDraw(b *testing.B) {
	list := make([]float64, 100)
	for i := range list {
		list[i] = float64(i + 1)
	}
	for _, bb := range []struct {
		name string
		dist func() (sample.Dist, error)
	}{
		{"uniform", func() (sample.Dist, error) { return sample.Uniform(0, 1) }},
		{"triangular", func() (sample.Dist, error) { return sample.Triangular(1, 2, 6) }},
		{"pert", func() (sample.Dist, error) { return sample.PERT(1, 2, 6) }},
		{"normal", func() (sample.Dist, error) { return sample.Normal(0, 1) }},
		{"lognormal", func() (sample.Dist, error) { return sample.Lognormal(4, 2) }},
		{"discrete/100", func() (sample.Dist, error) { return sample.Discrete(list, list) }},
		{"empirical/100", func() (sample.Dist, error) { return sample.Empirical(list) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			d, err := bb.dist()
			must(b, d, err)
			src := rand.NewPCG(1, 2)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Draw(src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
