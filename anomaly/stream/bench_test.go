package stream_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

// day is a noisy daily wave at a step of five minutes.
func day(n int) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, n)
	for i := range values {
		values[i] = 100 + 20*math.Sin(float64(i)*2*math.Pi/288) + 3*r.NormFloat64()
	}
	return values
}

func BenchmarkUpdate(b *testing.B) {
	values := day(1 << 14)
	for _, d := range detectors {
		b.Run(d.name, func(b *testing.B) {
			one := d.make()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				one.Update(start.Add(time.Duration(i)*step), values[i&(1<<14-1)])
				i++
			}
		})
	}
}

func BenchmarkState(b *testing.B) {
	one, other := must(stream.NewSeries(nil)), must(stream.NewSeries(nil))
	for i, x := range day(5000) {
		one.Update(start.Add(time.Duration(i)*step), x)
	}
	var state []byte
	b.ReportAllocs()
	for b.Loop() {
		state, _ = one.AppendBinary(state[:0])
		if err := other.UnmarshalBinary(state); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(state)), "bytes")
}

// The series take turns, as they do when many are scraped: each update meets memory that
// was not touched for a while.
func BenchmarkRegistry(b *testing.B) {
	values := day(1 << 14)
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("series=%d", n), func(b *testing.B) {
			r := must(stream.NewRegistry(nil))
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprint("series ", i)
				for j := range 250 {
					r.Update("t", names[i], start.Add(time.Duration(j)*step), values[j])
				}
			}
			i := 0
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				turn := i/n + 250
				r.Update("t", names[i%n], start.Add(time.Duration(turn)*step), values[turn&(1<<14-1)])
				i++
			}
		})
	}
}

// A new tenant with every sample while the registry is full, which is what hostile names do.
func BenchmarkRegistryNewTenants(b *testing.B) {
	const tenants = 10_000
	r := must(stream.NewRegistry(&stream.RegistryOptions{MaxSeries: tenants}))
	names := make([]string, 2*tenants)
	for i := range names {
		names[i] = strconv.Itoa(i)
		r.Update(names[i], "s", start, 1)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r.Update(names[i%len(names)], "s", start, 1)
		i++
	}
}
