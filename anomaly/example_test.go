package anomaly_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// history is a quiet afternoon of a shop: load goes up and down, the rest with it.
func history() anomaly.History {
	h := anomaly.History{Names: []string{"cpu_percent", "latency_ms", "throughput_rps"}}
	for i := range 300 {
		load := float64(i % 20)
		h.Rows = append(h.Rows, []float64{30 + load + float64(i*7%5), 100 + load + float64(i*13%11), 800 + 10*load + float64(i*17%29)})
	}
	return h
}

func Example() {
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, time.March, 4, 14, 30, 0, 0, time.UTC)
	for _, reading := range []map[string]float64{
		{"cpu_percent": 42, "latency_ms": 115, "throughput_rps": 900},
		{"cpu_percent": 42, "latency_ms": 115, "throughput_rps": 12},
		{},
	} {
		v, err := d.Evaluate(at, reading)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s\n", v.State, v.Recommendation)
		if v.State == anomaly.Anomaly {
			c := v.Contributions[0]
			fmt.Printf("  %s %v%s is %s, usual is %v to %v\n", c.Feature, c.Value, c.Unit, c.Direction, c.Expected.Q25, c.Expected.Q75)
		}
	}
	// Output:
	// normal: System operating within normal parameters
	// anomaly: Look upstream: traffic is lost, or its producer has stopped
	//   throughput_rps 121/s is low, usual is 859.5 to 959
	// no_data: No measurement arrived: check collection and network
}

// Physical limits tell a broken sensor from a busy machine.
func ExampleSchema() {
	schema := anomaly.SchemaOf("cpu_percent", "latency_ms", "throughput_rps")
	schema[0].Min, schema[0].Max = new(0.0), new(100.0)
	d, err := anomaly.Fit("shop", history(), &anomaly.Options{Schema: schema, FalseAlarmsPerDay: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := d.Evaluate(time.Time{}, map[string]float64{"cpu_percent": 640, "latency_ms": 115, "throughput_rps": 900})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.State, v.Alarming())
	fmt.Println(v.Recommendation)
	// Output:
	// invalid true
	// cpu_percent reads 640, possible is from 0 to 100: check its source
}

// The recipe answers in its own terms: buckets instead of percentiles, and a
// positive decision for what it takes as normal.
func ExampleOptions_compat() {
	d, err := anomaly.Fit("shop", history(), &anomaly.Options{Preset: anomaly.Compat})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	v, err := d.EvaluateOrdered(time.Time{}, []anomaly.Value{
		{Name: "cpu_percent", Value: 42}, {Name: "latency_ms", Value: 115}, {Name: "throughput_rps", Value: 900},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Preset, v.State, v.Compat.AnomalyScore > 0)
	for _, dev := range v.Compat.Deviations {
		fmt.Println(dev.Feature, dev.Bucket)
	}
	// Output:
	// Trained anomaly detection for shop with 3 features
	// compat normal true
	// cpu_percent above_median
	// latency_ms above_median
	// throughput_rps below_median
}

func ExampleRegistry() {
	var registry anomaly.Registry
	d, err := anomaly.Fit("shop", history(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	registry.Put("acme", d)
	v, err := registry.Evaluate(time.Time{}, "acme", "shop", map[string]float64{"cpu_percent": 42})
	fmt.Println(v.State, v.Missing, err)
	_, err = registry.Evaluate(time.Time{}, "globex", "shop", nil)
	fmt.Println(err)
	// Output:
	// normal [latency_ms throughput_rps] <nil>
	// anomaly: no model trained for this service: "shop" of tenant "globex"
}
