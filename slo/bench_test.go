package slo_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// benchSample is a step of the benchmark data: samples every 30 s, an error every
// 50 of them, and a burst.
func benchSample(i int) slo.Counts {
	good, bad := uint64(100+i%37), uint64(0)
	if i%50 == 0 {
		bad = 1
	}
	if i%86400 >= 3000 && i%86400 <= 3100 && i%2 == 1 {
		bad += 11
	}
	return slo.Counts{Good: good, Total: good + bad}
}

func benchTracker(b *testing.B, id string) *slo.Tracker {
	b.Helper()
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		b.Fatal(err)
	}
	tracker, err := slo.NewTracker(slo.Objective{
		ID: id, Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy,
	}, &slo.TrackerOptions{Interval: 30 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	return tracker
}

func benchAt(i int) time.Time { return origin.Add(time.Duration(i) * 30 * time.Second) }

// BenchmarkObserveCompact does what BenchmarkObserve does with buckets: 7 burn
// windows, a 30-day budget and 4 decisions in 8 · 56 · 8 bytes.
func BenchmarkObserveCompact(b *testing.B) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		b.Fatal(err)
	}
	for _, objectives := range []int{1, 1000} {
		b.Run(fmt.Sprintf("objectives=%d", objectives), func(b *testing.B) {
			const filled = 17_000
			trackers := make([]*slo.Tracker, objectives)
			for n := range trackers {
				trackers[n], err = slo.NewTracker(slo.Objective{
					ID: strconv.Itoa(n), Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy,
				}, &slo.TrackerOptions{Interval: 30 * time.Second, Compact: true})
				if err != nil {
					b.Fatal(err)
				}
				for i := range filled {
					if err := trackers[n].Observe(benchAt(i), benchSample(i)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportAllocs()
			i, n := filled, 0
			for b.Loop() {
				if err := trackers[n].Observe(benchAt(i), benchSample(i)); err != nil {
					b.Fatal(err)
				}
				if n++; n == objectives {
					n = 0
					i++
				}
			}
		})
	}
}

// BenchmarkObserve keeps 7 burn windows, a 30-day budget and 4 decisions current.
// The memory is full: 30 days with one objective, 3 days each with 1000 in turn.
func BenchmarkObserve(b *testing.B) {
	for _, objectives := range []int{1, 1000} {
		b.Run(fmt.Sprintf("objectives=%d", objectives), func(b *testing.B) {
			filled := 90_000
			if objectives > 1 {
				filled = 17_000 // the ring of 3 days has 16384 places
			}
			trackers := make([]*slo.Tracker, objectives)
			for n := range trackers {
				if objectives == 1 {
					trackers[n] = benchTracker(b, "one")
				} else {
					trackers[n] = benchTracker3d(b, strconv.Itoa(n))
				}
				for i := range filled {
					if err := trackers[n].Observe(benchAt(i), benchSample(i)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportAllocs()
			i, n := filled, 0
			for b.Loop() {
				if err := trackers[n].Observe(benchAt(i), benchSample(i)); err != nil {
					b.Fatal(err)
				}
				if n++; n == objectives {
					n = 0
					i++
				}
			}
		})
	}
}

// benchTracker3d judges its budget by calendar, so that three days are kept.
func benchTracker3d(b *testing.B, id string) *slo.Tracker {
	b.Helper()
	policy, err := slo.DefaultPolicy(slo.Calendar(slo.Month, nil))
	if err != nil {
		b.Fatal(err)
	}
	tracker, err := slo.NewTracker(slo.Objective{
		ID: id, Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Calendar(slo.Month, nil)}, Policy: policy,
	}, &slo.TrackerOptions{Interval: 30 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	return tracker
}

// BenchmarkMonth follows one objective through 30 days of samples.
func BenchmarkMonth(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		tracker := benchTracker(b, "month")
		for i := range 86_400 {
			if err := tracker.Observe(benchAt(i), benchSample(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkStatus(b *testing.B) {
	tracker := benchTracker(b, "status")
	for i := range 86_400 {
		if err := tracker.Observe(benchAt(i), benchSample(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tracker.Status(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	tracker := benchTracker(b, "snapshot")
	for i := range 86_400 {
		if err := tracker.Observe(benchAt(i), benchSample(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.SetBytes(int64(len(tracker.Snapshot())))
		}
	})
	b.Run("restore", func(b *testing.B) {
		snapshot := tracker.Snapshot()
		b.SetBytes(int64(len(snapshot)))
		b.ReportAllocs()
		for b.Loop() {
			if err := tracker.Restore(snapshot); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBinomialTail(b *testing.B) {
	p := slo.NewRatio(144, 10_000)
	for b.Loop() {
		slo.BinomialTail(1000, 25, p)
	}
}

func BenchmarkRatio(b *testing.B) {
	rule := slo.DefaultTiers()[0]
	policy, err := slo.DefaultPolicy(slo.Rolling(30 * 24 * time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	target := slo.MustPercent("99.9")
	burn, limit := slo.NewRatio(7, 123_456_789), policy.Rules[0].Threshold(target)
	b.Run("Threshold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			policy.Rules[0].Threshold(target)
		}
	})
	b.Run("Compare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			burn.Compare(limit)
		}
	})
	b.Run("Decimal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = rule.Share.Decimal()
		}
	})
	o := slo.Objective{ID: "a", Target: target, Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)}, Policy: policy}
	b.Run("Validate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := o.Validate(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBacktest runs 30 days of samples every 30 s through one objective.
func BenchmarkBacktest(b *testing.B) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		b.Fatal(err)
	}
	samples := make([]slo.Sample, 86_400)
	for i := range samples {
		samples[i] = slo.Sample{At: benchAt(i), Counts: benchSample(i)}
	}
	o := slo.Objective{ID: "month", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := slo.Backtest(o, slices.Values(samples), &slo.BacktestOptions{TrackerOptions: slo.TrackerOptions{Interval: 30 * time.Second}}); err != nil {
			b.Fatal(err)
		}
	}
}
