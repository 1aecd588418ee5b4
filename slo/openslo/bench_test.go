package openslo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/slo/openslo"
)

// documents are n objectives, each with its indicator and one alert inline.
func documents(n int) []byte {
	var b strings.Builder
	for i := range n {
		b.WriteString("---\n" + edit(alerting, "name: checkout", fmt.Sprint("name: checkout-", i)))
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint("documents=", n), func(b *testing.B) {
			data := documents(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := openslo.Parse("slo.yaml", data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/document")
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	file, err := openslo.Parse("slo.yaml", documents(100))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openslo.Append(nil, file.Objectives); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/document")
}
