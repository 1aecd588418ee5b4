package slo_test

import (
	"fmt"
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
