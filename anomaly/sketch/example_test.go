package sketch_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/sketch"
)

// Two nodes measure latencies; their sketches make one.
func Example() {
	var a, b sketch.Sketch
	for i := range 1000 {
		a.Add(float64(i % 100))
		b.Add(float64(100 + i%100))
	}
	a.Merge(&b)
	fmt.Printf("%.0f values, median %.1f, p99 %.1f\n", a.Weight(), a.Quantile(0.5), a.Quantile(0.99))
	fmt.Printf("%.0f %% are below 150\n", 100*a.Rank(150))
	// Output:
	// 2000 values, median 99.5, p99 197.5
	// 75 % are below 150
}

// The median of the last days follows a change of level, and outages are forgotten.
func ExampleDecaying() {
	d, err := sketch.NewDecaying(6*time.Hour, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for hour := range 48 {
		level := 10.0
		if hour >= 40 {
			level = 30
		}
		d.Add(at.Add(time.Duration(hour)*time.Hour), level)
	}
	fmt.Println("median", d.Sketch().Quantile(0.5))
	// Output:
	// median 30
}
