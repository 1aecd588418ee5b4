package slo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// Coverage by the second: a second of the window is observed if a sample covers it
// and no exclusion does, and missing if neither does.
func TestCoverageSecondBySecond(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for run := range 20 {
		const maxGap = 40
		length := 1 + r.IntN(4000)
		o := slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Duration(length) * time.Second)}}
		second := func(n int) time.Time { return origin.Add(time.Duration(n) * time.Second) }
		excluded := map[int]bool{} // second n is (n-1, n]
		var exclusions []slo.Exclusion
		for from := r.IntN(300); from < 6000; from += 1 + r.IntN(900) {
			to := from + r.IntN(200)
			exclusions = append(exclusions, slo.Exclusion{Interval: calendar.Interval{Start: second(from), End: second(to)}})
			for n := from + 1; n <= to; n++ {
				excluded[n] = true
			}
		}
		tracker := mustTracker(t, o, &slo.TrackerOptions{Interval: 10 * time.Second, MaxGap: maxGap * time.Second, Exclusions: exclusions})
		covered := map[int]bool{}
		last := 0
		for at := 10; at < 6000; at += 1 + r.IntN(90) {
			missed := last > 0 && r.IntN(5) == 0
			if missed {
				if err := tracker.Miss(second(at)); err != nil {
					t.Fatal(err)
				}
			} else {
				if err := tracker.Observe(second(at), slo.Counts{Good: 1, Total: 1}); err != nil {
					t.Fatal(err)
				}
				from := max(last, at-maxGap)
				if last == 0 {
					from = at - 10
				}
				for n := from + 1; n <= at; n++ {
					covered[n] = true
				}
			}
			last = at
			var observed, out time.Duration
			for n := at - length + 1; n <= at; n++ {
				switch {
				case excluded[n]:
					out += time.Second
				case covered[n]:
					observed += time.Second
				}
			}
			s := statusOf(t, tracker)
			if s.Observed != observed || s.Excluded != out {
				t.Fatalf("run %d, second %d: observed %v, excluded %v, want %v, %v", run, at, s.Observed, s.Excluded, observed, out)
			}
		}
	}
}

// A sample a minute covers all there is, so that the rule holds at 10 s past the
// minute as it did at the minute; two minutes later the sample is overdue.
func TestMinCoverageBetweenSamples(t *testing.T) {
	minute := func(n int) time.Time { return origin.Add(time.Duration(n) * time.Minute) }
	o := slo.Objective{
		Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)},
		Policy: slo.Policy{
			Rules:       []slo.Rule{{Name: "r", Severity: slo.Page, Long: 10 * time.Minute, Factor: slo.NewRatio(1, 1)}},
			MinCoverage: slo.NewRatio(1, 1),
		},
	}
	for _, options := range []slo.TrackerOptions{{Interval: time.Minute}, {MaxGap: time.Minute}, {Interval: 10 * time.Second, MaxGap: time.Minute}, {}} {
		tracker := mustTracker(t, o, &options)
		check := func(at time.Time, want slo.Cause) {
			t.Helper()
			for d := range tracker.Decisions() {
				if d.Cause != want {
					t.Errorf("%+v at %v: %s, want %s", options, at.Sub(origin), d.Cause, want)
				}
			}
		}
		for n := range 20 {
			if err := tracker.Observe(minute(n), slo.Counts{Good: 1, Total: 2}); err != nil {
				t.Fatal(err)
			}
		}
		check(minute(19), slo.Above)
		for _, step := range []struct {
			after time.Duration
			want  slo.Cause
		}{{10 * time.Second, slo.Above}, {time.Minute, slo.Above}, {time.Minute + time.Second, slo.Uncovered}, {2 * time.Minute, slo.Uncovered}} {
			at := minute(19).Add(step.after)
			if err := tracker.Advance(at); err != nil {
				t.Fatal(err)
			}
			check(at, step.want)
		}
		// The coverage shown is what was observed: 8 of 10 minutes.
		if b, err := tracker.Burn(10 * time.Minute); err != nil || b.Coverage.Compare(slo.NewRatio(8, 10)) != 0 {
			t.Errorf("coverage %s, %v, want 8/10", b.Coverage, err)
		}
	}
}

// Law: a tracker that is told of exclusions as late as it may answers as one that
// knew them from the start, with slices and without data.
func TestLawLateExclusions(t *testing.T) {
	for run := range 60 {
		r := rand.New(rand.NewPCG(7, uint64(run)))
		o := lawful(t, run%4 != 0)
		if o.Slices != nil {
			o.Slices.Length = 5 * time.Minute
			o.Slices.NoData = slo.NoDataPolicy(run % 3)
		}
		options := slo.TrackerOptions{MaxGap: time.Minute, Compact: run%5 == 4}
		late := mustTracker(t, o, &options)
		type step struct {
			at     time.Time
			counts slo.Counts
			what   int
		}
		var steps []step
		for i, row := range randomRows(r, 300) {
			what := r.IntN(6)
			if i == 0 {
				what = 5
			}
			steps = append(steps, step{row.at, slo.Counts{Good: row.good, Total: row.total}, what})
		}
		for _, s := range steps {
			var err error
			switch s.what {
			case 0:
				err = late.Advance(s.at)
			case 1:
				err = late.Miss(s.at)
			case 2:
				if err = late.Advance(s.at); err == nil {
					x := slo.Exclusion{Interval: calendar.Interval{Start: s.at, End: s.at.Add(time.Duration(r.IntN(40)) * time.Minute)}}
					if err = late.Exclude(x); err == nil {
						options.Exclusions = append(options.Exclusions, x)
					}
				}
			default:
				err = late.Observe(s.at, s.counts)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		early := mustTracker(t, o, &options)
		for _, s := range steps {
			var err error
			switch s.what {
			case 0, 2:
				err = early.Advance(s.at)
			case 1:
				err = early.Miss(s.at)
			default:
				err = early.Observe(s.at, s.counts)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, want := view(t, late), view(t, early); got != want {
			t.Fatalf("run %d:\n%swant\n%s", run, got, want)
		}
	}
}

// Slices of 5 min without data are bad. By 01:00 eleven of them have been judged
// after the sample, so that an exclusion cannot take them out any more.
func TestExcludeWhatIsDecided(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{
		Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(2 * time.Hour)},
		Slices: &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("99"), NoData: slo.BadNoData},
	}, nil)
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	if err := tracker.Observe(at(5), slo.Counts{Good: 1, Total: 1}); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Advance(at(60)); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: at(5), End: at(60)}}); !errors.Is(err, slo.ErrPast) {
		t.Errorf("Exclude = %v, want ErrPast", err)
	}
	if err := tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: at(60), End: at(70)}}); err != nil {
		t.Error(err)
	}
	if err := tracker.Advance(at(70)); err != nil {
		t.Fatal(err)
	}
	if s := statusOf(t, tracker); s.Bad != 11 || s.Total != 12 {
		t.Errorf("%d of %d slices are bad, want 11 of 12", s.Bad, s.Total)
	}
}

// Hourly samples through midnight of 1 November: that of midnight belongs to
// October, which had 745 hours in Amsterdam, one of them bad. The budget of 99 %
// is 7.45 hours: 1/7.45 = 20/149 of it is gone.
func TestEndedPeriod(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	start, end := time.Date(2026, 10, 1, 0, 0, 0, 0, zone), time.Date(2026, 11, 1, 0, 0, 0, 0, zone)
	for _, compact := range []bool{false, true} {
		o := slo.Objective{
			Target:       slo.MustPercent("99"),
			Windows:      []slo.Window{slo.Rolling(24 * time.Hour), slo.Calendar(slo.Month, zone)},
			BudgetPolicy: slo.BudgetPolicy{Unused: slo.NewRatio(1, 2)},
		}
		options := &slo.TrackerOptions{Interval: time.Hour, Compact: compact}
		tracker := mustTracker(t, o, options)
		if _, ok := tracker.Ended(1); ok {
			t.Error("a period ended before the first sample")
		}
		hours := 0
		for at := start.Add(time.Hour); !at.After(end); at = at.Add(time.Hour) {
			hours++
			good := uint64(1)
			if hours == 745 {
				good = 0
			}
			if _, ok := tracker.Ended(1); ok {
				t.Fatalf("%v: September has ended, of which nothing is known", at)
			}
			if err := tracker.Observe(at, slo.Counts{Good: good, Total: 1}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(when string) {
			t.Helper()
			s, ok := tracker.Ended(1)
			if !ok || !s.Window.Start.Equal(start) || !s.Window.End.Equal(end) || !s.At.Equal(end) || s.Total != 745 || s.Bad != 1 ||
				s.Consumed.Compare(slo.NewRatio(20, 149)) != 0 || s.Coverage.Compare(slo.NewRatio(1, 1)) != 0 || s.State != slo.OK {
				t.Errorf("%s: %t, %d of %d bad in %s at %v, consumed %s, coverage %s, %s", when, ok, s.Bad, s.Total, s.Window, s.At, s.Consumed, s.Coverage, s.State)
			}
			if got := o.BudgetPolicy.Review(s).Unused; got.Compare(slo.NewRatio(129, 149)) != 0 {
				t.Errorf("%s: unused %s, want 129/149", when, got)
			}
		}
		check("at midnight")
		restored := mustTracker(t, o, options)
		if err := restored.Restore(tracker.Snapshot()); err != nil {
			t.Fatal(err)
		}
		tracker = restored
		check("restored")
		for at := end.Add(time.Hour); at.Before(end.AddDate(0, 0, 20)); at = at.Add(time.Hour) {
			if err := tracker.Observe(at, slo.Counts{Total: 1}); err != nil {
				t.Fatal(err)
			}
		}
		check("in November")
		if err := tracker.Advance(time.Date(2027, 1, 1, 0, 0, 0, 0, zone)); err != nil {
			t.Fatal(err)
		}
		if s, ok := tracker.Ended(1); !ok || s.State != slo.NoData || s.Coverage.Sign() != 0 || s.Window.Start.Month() != time.November {
			t.Errorf("December, without a sample: %t, %s, coverage %s in %s", ok, s.State, s.Coverage, s.Window)
		}
		for _, i := range []int{-1, 0, 2} {
			if _, ok := tracker.Ended(i); ok {
				t.Errorf("Ended(%d) has no period", i)
			}
		}
	}
}

// What the caller keeps of the objective and of the options is the caller's.
func TestTrackerKeepsNothingOfTheCaller(t *testing.T) {
	o := lawful(t, true)
	x := []slo.Exclusion{{Interval: calendar.Interval{Start: origin, End: origin.Add(time.Hour)}, Reason: "a"}}
	mine, theirs := mustTracker(t, o, &slo.TrackerOptions{Exclusions: x}), mustTracker(t, lawful(t, true), &slo.TrackerOptions{Exclusions: []slo.Exclusion{x[0]}})
	o.Windows[0], o.Policy.Rules[0], x[0], *o.Slices = slo.Window{}, slo.Rule{}, slo.Exclusion{}, slo.Slicing{}
	for n := range 100 {
		for _, tracker := range []*slo.Tracker{mine, theirs} {
			if err := tracker.Observe(origin.Add(time.Duration(n)*time.Minute), slo.Counts{Good: uint64(n), Total: 100}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := view(t, mine), view(t, theirs); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func BenchmarkStatusExclusions(b *testing.B) {
	for _, n := range []int{100, 4000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var x []slo.Exclusion
			for i := range n {
				at := origin.Add(time.Duration(i-n) * 7 * 24 * time.Hour / 10)
				x = append(x, slo.Exclusion{Interval: calendar.Interval{Start: at, End: at.Add(time.Hour)}, Reason: "works"})
			}
			tracker := mustTracker(b, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)}}, &slo.TrackerOptions{Exclusions: x})
			if err := tracker.Observe(origin, slo.Counts{Good: 1, Total: 1}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tracker.Status(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMinCoverage has every fourth sample missing, so that the longest window
// holds 2 880 gaps.
func BenchmarkMinCoverage(b *testing.B) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		b.Fatal(err)
	}
	policy.MinCoverage = slo.NewRatio(1, 2)
	for _, gaps := range []bool{false, true} {
		b.Run(fmt.Sprintf("gaps=%t", gaps), func(b *testing.B) {
			tracker := mustTracker(b, slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy},
				&slo.TrackerOptions{Interval: 30 * time.Second, MaxGap: 45 * time.Second})
			i := 0
			step := func() {
				i++
				if gaps && i%4 == 0 {
					i++
				}
				if err := tracker.Observe(origin.Add(time.Duration(i)*30*time.Second), slo.Counts{Good: 100, Total: 100}); err != nil {
					b.Fatal(err)
				}
			}
			for range 100_000 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}
