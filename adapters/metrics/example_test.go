package metrics_test

import (
	"os"

	"github.com/evenkeelops/evenkeel/adapters/metrics"
)

func Example() {
	registry := metrics.New()
	calls := registry.Counter("shop_calls_total", "Calls of the shop.", "code")
	took := registry.Histogram("shop_call_seconds", "How long calls took.", []float64{0.1, 1})
	calls.Add(1, "200")
	took.Observe(0.25)
	_, _ = os.Stdout.Write(registry.Append(nil)) // or http.Handle("GET /metrics", registry)
	// Output:
	// # HELP shop_call_seconds How long calls took.
	// # TYPE shop_call_seconds histogram
	// shop_call_seconds_bucket{le="0.1"} 0
	// shop_call_seconds_bucket{le="1"} 1
	// shop_call_seconds_bucket{le="+Inf"} 1
	// shop_call_seconds_sum 0.25
	// shop_call_seconds_count 1
	// # HELP shop_calls_total Calls of the shop.
	// # TYPE shop_calls_total counter
	// shop_calls_total{code="200"} 1
}
