package sketch_test

import (
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

func BenchmarkAdd(b *testing.B) {
	for name, values := range series(1 << 16) {
		b.Run(name, func(b *testing.B) {
			var s sketch.Sketch
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.Add(values[i&(1<<16-1)])
				i++
			}
		})
	}
}

func BenchmarkQuantile(b *testing.B) {
	for _, c := range []int{20, 200, 2000} {
		b.Run(fmt.Sprintf("compression=%d", c), func(b *testing.B) {
			s := build(series(100_000)["normal"], &sketch.Options{Compression: c})
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.Quantile(shares[i%len(shares)])
				i++
			}
		})
	}
}
