package stream_test

import (
	"fmt"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
)

// wave is a request rate over the day.
func wave(at time.Time) float64 {
	minute := at.Hour()*60 + at.Minute()
	return 1000 + 400*math.Sin(2*math.Pi*float64(minute)/1440) + float64(at.Unix()/60*7919%23)
}

// A bank learns two weeks of a wave. Then nothing comes any more.
func ExampleBank() {
	b, err := stream.NewBank(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for ; at.Day() < 15; at = at.Add(5 * time.Minute) {
		b.Update(at, wave(at))
	}
	fmt.Println(b.Update(at, wave(at)).State)
	v := b.Update(at.Add(5*time.Minute), 0)
	fmt.Println(v.State, v.Score > 1)
	for _, f := range v.Findings[:2] {
		fmt.Printf("%v: %.0f, expected %.0f\n", f.Signal, f.Observed, f.Expected)
	}
	// Output:
	// normal
	// anomaly true
	// change: 0, expected 1020
	// short spread: 294, expected 18
}

// An alarm tells an episode once, however long it lasts.
func ExampleAlarm() {
	d, err := stream.NewRobust(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := stream.NewAlarm(&stream.AlarmOptions{Need: 2, Of: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 120 {
		x := float64(100 + i*7%5)
		if i >= 100 && i < 110 {
			x = 500
		}
		v := d.Update(at, x)
		if t, e := a.Update(&v); t != 0 {
			fmt.Println(at.Format("15:04"), t, e.Number)
		}
		at = at.Add(time.Minute)
	}
	// Output:
	// 01:41 raised 1
	// 01:50 cleared 1
}

// A registry holds the series of many tenants. Samples that stop coming are noticed by
// asking.
func ExampleRegistry() {
	r, err := stream.NewRegistry(&stream.RegistryOptions{MaxPerTenant: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 300 {
		r.Update("acme", "requests", at, wave(at))
		at = at.Add(30 * time.Second)
	}
	report, err := r.Check("acme", "requests", at.Add(5*time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Transition)
	fmt.Println(report.Verdict)
	// Output:
	// raised
	// 2026-03-01T02:35:00Z: anomaly, score 3.67; silence 330, expected 30
}

// The rate of a counter survives its reset.
func ExampleRate() {
	var r stream.Rate
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, total := range []float64{1000, 1600, 2200, 300} {
		fmt.Println(r.Of(at, total))
		at = at.Add(time.Minute)
	}
	fmt.Println(r.Resets(), "reset")
	// Output:
	// NaN
	// 10
	// 10
	// 5
	// 1 reset
}
