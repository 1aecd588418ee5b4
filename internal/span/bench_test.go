package span_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/span"
)

var sizes = []int{10_000, 100_000, 1_000_000}

// outages returns n spans in order, one a minute of up to 90 s, of which a third
// overlaps the next.
func outages(n int) []span.Span {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([]span.Span, n)
	for i := range out {
		start := 1_770_000_000e9 + int64(i)*60e9 + r.Int64N(1e9)
		out[i] = span.Span{Start: start, End: start + r.Int64N(90e9)}
	}
	return out
}

func shuffled(spans []span.Span) []span.Span {
	r := rand.New(rand.NewPCG(2, 2))
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	return spans
}

func rate(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mspans/s")
}

// The time to copy the input is part of the figure.
func BenchmarkSortMerge(b *testing.B) {
	for _, n := range sizes {
		for name, in := range map[string][]span.Span{"sorted": outages(n), "shuffled": shuffled(outages(n))} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				work := make([]span.Span, n)
				b.ReportAllocs()
				for b.Loop() {
					copy(work, in)
					span.Sort(work)
					span.Merge(work)
				}
				rate(b, n)
			})
		}
	}
}

// 100 000 customers with ten outages each.
func BenchmarkSortMergeShort(b *testing.B) {
	const customers, each = 100_000, 10
	in := make([]span.Span, 0, customers*each)
	for range customers {
		in = append(in, shuffled(outages(each))...)
	}
	work := make([]span.Span, each)
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < len(in); i += each {
			copy(work, in[i:i+each])
			span.Sort(work)
			span.Merge(work)
		}
	}
	rate(b, len(in))
}

func BenchmarkSets(b *testing.B) {
	for _, n := range sizes {
		all := outages(n)
		var odd, even []span.Span
		for i, s := range all {
			if i%2 == 0 {
				even = append(even, s)
			} else {
				odd = append(odd, s)
			}
		}
		odd, even = span.Merge(odd), span.Merge(even)
		dst := make([]span.Span, 0, 2*n)
		for _, c := range []struct {
			name string
			op   func(dst, a, b []span.Span) []span.Span
		}{{"Union", span.Union}, {"Intersect", span.Intersect}, {"Subtract", span.Subtract}} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					dst = c.op(dst[:0], odd, even)
				}
				rate(b, n)
			})
		}
	}
}
