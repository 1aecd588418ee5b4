package main

import (
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// TestAgreement compares every ratio and every decision of two days with those of
// the query engine, from when its ranges are full.
func TestAgreement(t *testing.T) {
	const steps = 2 * perDay
	e, err := counters(steps)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, w := range [...]time.Duration{5 * time.Minute, time.Hour, 6 * time.Hour} {
		from := int(2 * w / step)
		points, err := e.overRange(ratio(w, true), from, steps-1)
		if err != nil {
			t.Fatal(err)
		}
		if len(points) != steps-from {
			t.Fatalf("%v: %d points, want %d", w, len(points), steps-from)
		}
		plain, err := e.overRange(ratio(w, false), from, steps-1)
		if err != nil {
			t.Fatal(err)
		}
		tracker := must(slo.NewTracker(objective(), &slo.TrackerOptions{Interval: step, Retain: w}))
		rule := slo.Rule{Name: "r", Severity: slo.Page, Long: w, Factor: slo.NewRatio(6, 1)}
		limit := rule.Threshold(slo.MustPercent("99.9")).Float64()
		worst, uncompensated, differing := 0.0, 0.0, 0
		for i := range steps {
			if err := tracker.Observe(at(i), events(i)); err != nil {
				t.Fatal(err)
			}
			if i < from {
				continue
			}
			b, err := tracker.Burn(w)
			if err != nil {
				t.Fatal(err)
			}
			ours := b.Counts.ErrorRatio().Float64()
			theirs := points[i-from].F
			worst = max(worst, relative(ours, theirs))
			uncompensated = max(uncompensated, relative(ours, plain[i-from].F))
			exact, err := (slo.Policy{Rules: []slo.Rule{rule}}).Decide(slo.MustPercent("99.9"), func(time.Duration) slo.Counts { return b.Counts })
			if err != nil {
				t.Fatal(err)
			}
			if exact[0].Holds != (theirs > limit) {
				differing++
			}
		}
		t.Logf("%v: %d points, ratios differ by at most %.2g, without compensation %.2g, %d decisions differ", w, len(points), worst, uncompensated, differing)
		if worst > 1e-12 || differing > 0 {
			t.Errorf("%v: ratios differ by %g, want at most 1e-12; %d decisions differ, want none", w, worst, differing)
		}
	}
}

// TestGeneratedAgreement compares our own rules, from the second sample of two young
// counters on, when the ranges are not full yet.
func TestGeneratedAgreement(t *testing.T) {
	const steps = perDay / 2
	e, err := counters(steps)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, w := range [...]time.Duration{5 * time.Minute, time.Hour, 6 * time.Hour} {
		expr, err := generated(w)
		if err != nil {
			t.Fatal(err)
		}
		points, err := e.overRange(expr, 1, steps-1)
		if err != nil {
			t.Fatal(err)
		}
		if len(points) != steps-1 {
			t.Fatalf("%v: %d points, want %d", w, len(points), steps-1)
		}
		for i, p := range points {
			var c slo.Counts // of the samples in (at - w, at]; the first counts nothing
			for n := max(1, i+2-int(w/step)); n <= i+1; n++ {
				c.Good += events(n).Good
				c.Total += events(n).Total
			}
			if want := c.ErrorRatio().Float64(); p.F != want {
				t.Fatalf("%v: ratio %v at step %d, want %v", w, p.F, i+1, want)
			}
		}
	}
}

func relative(a, b float64) float64 {
	if a == b {
		return 0
	}
	return math.Abs(a-b) / max(math.Abs(a), math.Abs(b))
}
