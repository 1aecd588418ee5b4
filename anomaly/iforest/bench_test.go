package iforest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// table returns n normally distributed rows of d columns.
func table(n, d int) [][]float64 {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, d)
		for j := range rows[i] {
			rows[i][j] = r.NormFloat64()
		}
	}
	return rows
}

func BenchmarkScore(b *testing.B) {
	for _, d := range []int{5, 20, 100} {
		b.Run(fmt.Sprintf("trees=100/d=%d", d), func(b *testing.B) {
			rows := table(10_000, d)
			f, err := iforest.Fit(rows, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := f.Score(rows[i%len(rows)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkScoreBatch(b *testing.B) {
	for _, d := range []int{5, 20, 100} {
		b.Run(fmt.Sprintf("trees=100/d=%d", d), func(b *testing.B) {
			rows := table(10_000, d)
			f, err := iforest.Fit(rows, nil)
			if err != nil {
				b.Fatal(err)
			}
			dst := make([]float64, len(rows))
			b.ReportAllocs()
			for b.Loop() {
				if err := f.ScoreBatch(dst, rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
		})
	}
}

func BenchmarkAttribute(b *testing.B) {
	rows := table(10_000, 5)
	f, err := iforest.Fit(rows, nil)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]float64, 5)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := f.Attribute(dst, rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkFit(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for _, draws := range []iforest.Draws{iforest.LegacyDraws, iforest.FastDraws} {
			b.Run(fmt.Sprintf("trees=100/d=5/n=%d/draws=%s", n, draws), func(b *testing.B) {
				rows := table(n, 5)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := iforest.Fit(rows, &iforest.Options{Draws: draws}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
