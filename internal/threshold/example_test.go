package threshold_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

func Example() {
	c, err := threshold.ParseCondition("cpu_utilization > 85% for 5 minutes")
	if err != nil {
		panic(err)
	}
	w, err := threshold.Compile(c, threshold.Options{Unit: "ratio"})
	if err != nil {
		panic(err)
	}
	var p threshold.Progress
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for i, v := range []float64{0.85, 0.91, 0.93} {
		p, err = w.Observe(p, threshold.Sample{At: start.Add(time.Duration(i) * 5 * time.Minute), Value: v, Reference: threshold.Missing})
		if err != nil {
			panic(err)
		}
		fmt.Println(v, p.State)
	}
	// Output:
	// 0.85 inactive
	// 0.91 pending
	// 0.93 firing
}

func ExampleParseDuration() {
	d, err := threshold.ParseDuration("1 hour 30 minutes")
	fmt.Println(threshold.FormatDuration(d), err)
	_, err = threshold.ParseDuration("1 month")
	fmt.Println(err)
	// Output:
	// 1h30m <nil>
	// "1 month", column 3: want a unit of fixed length; a month has none, use calendar_month or 30d
}
