package showback_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/roi/showback"
)

// BenchmarkAllocate divides by five keys, each by usage of a metric of its own.
func BenchmarkAllocate(b *testing.B) {
	for _, size := range []struct{ rows, centres int }{{1000, 10}, {100_000, 1000}, {1_000_000, 10_000}} {
		b.Run(fmt.Sprintf("rows=%d/centres=%d/keys=5", size.rows, size.centres), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			var costs []showback.Cost
			var keys []showback.Key
			for i := range 5 {
				pool := fmt.Sprintf("pool%d", i)
				costs = append(costs, showback.Cost{Item: "item of " + pool, Pool: pool, Amount: eur(r.Int64N(1e9))})
				keys = append(keys, showback.Key{Pool: pool, Method: showback.ByUsage, Metric: fmt.Sprintf("metric%d", i)})
			}
			usage := make([]showback.Usage, size.rows)
			for i := range usage {
				usage[i] = showback.Usage{Metric: keys[r.IntN(5)].Metric, Centre: fmt.Sprintf("cc-%05d", r.IntN(size.centres)), Units: r.Int64N(100_000)}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := showback.Allocate(costs, usage, keys, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkShowback makes statements of 10 000 centres with five lines each.
func BenchmarkShowback(b *testing.B) {
	var costs []showback.Cost
	var keys []showback.Key
	targets := make([]showback.Target, 10_000)
	for i := range targets {
		targets[i] = showback.Target{ID: fmt.Sprintf("cc-%05d", i)}
	}
	for i := range 5 {
		pool := fmt.Sprintf("pool%d", i)
		costs = append(costs, showback.Cost{Item: "item of " + pool, Pool: pool, Amount: eur(1e9)})
		keys = append(keys, showback.Key{Pool: pool, Method: showback.Equal, Targets: targets})
	}
	a, err := showback.Allocate(costs, nil, keys, nil)
	if err != nil {
		b.Fatal(err)
	}
	facts := &showback.Facts{Month: month(b, "2026-03"), Costs: costs}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := showback.Showback(a, facts); err != nil {
			b.Fatal(err)
		}
	}
}
