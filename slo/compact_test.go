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

// within reports whether the counts lie between those of the window without its
// slack and those of the whole window.
func within(c, least, most slo.Counts) bool {
	return c.Bad() >= least.Bad() && c.Bad() <= most.Bad() && c.Total >= least.Total && c.Total <= most.Total
}

// A compact tracker is given what an exact one is given, and refuses what it
// refuses; no window lacks more than the events of its slack.
func TestCompactWithinItsBound(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	for run := range 24 {
		t.Run(strconv.Itoa(run), func(t *testing.T) {
			o := slo.Objective{
				ID: "compact", Target: slo.MustPercent("97"),
				Windows: []slo.Window{slo.Rolling(2 * 24 * time.Hour), slo.Calendar(slo.Day, nil), slo.Rolling(17*time.Minute + 13)},
			}
			var err error
			if o.Policy, err = slo.NewPolicy(slo.ScaledWindows, 2*24*time.Hour, nil); err != nil {
				t.Fatal(err)
			}
			if run%4 == 3 {
				o.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("95"), NoData: slo.BadNoData}
			}
			options := slo.TrackerOptions{MaxGap: time.Hour, Exclusions: []slo.Exclusion{
				{Interval: calendar.Interval{Start: origin.Add(3 * time.Hour), End: origin.Add(4*time.Hour + 7*time.Second)}},
			}}
			exact := mustTracker(t, o, &options)
			options.Compact = true
			compact := mustTracker(t, o, &options)
			last := origin
			for i, row := range randomRows(r, 700) {
				c := slo.Counts{Good: row.good, Total: row.total}
				act := func(what string, do func(*slo.Tracker) error) {
					want, got := do(exact), do(compact)
					if fmt.Sprint(want) != fmt.Sprint(got) {
						t.Fatalf("%s: exact says %v, compact %v", what, want, got)
					}
				}
				switch r.IntN(12) {
				case 0: // refused, unless no sample came since Advance
					act("late sample", func(x *slo.Tracker) error { return x.Observe(last.Add(-time.Minute), c) })
				case 1:
					act("miss", func(x *slo.Tracker) error { return x.Miss(row.at) })
				case 2:
					act("advance", func(x *slo.Tracker) error { return x.Advance(row.at) })
				default:
					act("sample", func(x *slo.Tracker) error { return x.Observe(row.at, c) })
					act("duplicate", func(x *slo.Tracker) error { return x.Observe(row.at, c) })
				}
				last = row.at
				if i == 350 {
					restored := mustTracker(t, o, &options)
					if err := restored.Restore(compact.Snapshot()); err != nil {
						t.Fatal(err)
					}
					if got, want := view(t, restored), view(t, compact); got != want {
						t.Fatalf("restored:\n%swant\n%s", got, want)
					}
					compact = restored
				}
				compareCompact(t, exact, compact)
			}
			if exact.Stats() != compact.Stats() || fmt.Sprint(exact.Gaps()) != fmt.Sprint(compact.Gaps()) {
				t.Errorf("compact counted %+v, %v, exact %+v, %v", compact.Stats(), compact.Gaps(), exact.Stats(), exact.Gaps())
			}
		})
	}
}

func compareCompact(t *testing.T, exact, compact *slo.Tracker) {
	t.Helper()
	counts := map[time.Duration]slo.Counts{}
	for got := range compact.Burns() {
		if got.Slack <= 0 || got.Slack > got.Window/56+56 {
			t.Fatalf("%v: slack %v, want up to a 56th", got.Window, got.Slack)
		}
		most, err := exact.Burn(got.Window)
		if err != nil {
			t.Fatal(err)
		}
		least, err := exact.Burn(got.Window - got.Slack)
		if err != nil {
			t.Fatal(err)
		}
		if !within(got.Counts, least.Counts, most.Counts) {
			t.Fatalf("%v: %+v, want between %+v and %+v", got.Window, got.Counts, least.Counts, most.Counts)
		}
		if got.Coverage.Compare(most.Coverage) != 0 || got.Cold != most.Cold {
			t.Fatalf("%v: coverage %s, cold %t, want %s, %t", got.Window, got.Coverage, got.Cold, most.Coverage, most.Cold)
		}
		counts[got.Window] = most.Counts
	}
	want := map[string]slo.Decision{}
	for d := range exact.Decisions() {
		want[d.Rule] = d
	}
	for d := range compact.Decisions() {
		w := want[d.Rule]
		if d.LongCounts == w.LongCounts && d.ShortCounts == w.ShortCounts && (d.Cause != w.Cause || d.Holds != w.Holds) {
			t.Fatalf("%s: decided %s on the counts on which exact decided %s", d.Rule, d.Cause, w.Cause)
		}
	}
	exactly, err := exact.Statuses()
	if err != nil {
		t.Fatal(err)
	}
	got, err := compact.Statuses()
	if err != nil {
		t.Fatal(err)
	}
	if figures(got[1]) != figures(exactly[1]) { // the calendar day
		t.Fatalf("calendar budget %s, want %s", figures(got[1]), figures(exactly[1]))
	}
}

// 56 buckets of 300/56 s are shorter than the distance of these samples, so that
// the shortest window is exact, and so is every window that ends with a bucket.
func TestCompactExactInShortWindow(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	o := slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}
	compact, exact := mustTracker(t, o, &slo.TrackerOptions{Compact: true}), mustTracker(t, o, nil)
	for i := range 5000 {
		for _, tracker := range []*slo.Tracker{compact, exact} {
			if err := tracker.Observe(benchAt(i), benchSample(i)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := compact.Burn(5 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := exact.Burn(5 * time.Minute); got.Counts != want.Counts {
			t.Fatalf("sample %d: %+v, want %+v", i, got.Counts, want.Counts)
		}
	}
	if _, err := compact.Burn(7 * time.Minute); !errors.Is(err, slo.ErrNotRetained) {
		t.Errorf("Burn(7m) = %v, want ErrNotRetained", err)
	}
	if _, err := compact.Status(); err != nil {
		t.Error(err)
	}
	o.Policy.Rules[0].Long = 90 * time.Minute
	if err := mustTracker(t, o, &slo.TrackerOptions{Compact: true}).Restore(compact.Snapshot()); !errors.Is(err, slo.ErrSnapshot) {
		t.Errorf("restored with another window: %v, want ErrSnapshot", err)
	}
	if _, err := slo.NewTracker(slo.Objective{ID: "a", Target: o.Target, Windows: []slo.Window{slo.Rolling(55)}}, &slo.TrackerOptions{Compact: true}); err == nil {
		t.Error("a window of 55 ns: want an error")
	}
}

func TestCompactAllocatesNothing(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	compact := mustTracker(t, slo.Objective{Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}, &slo.TrackerOptions{Compact: true})
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		if err := compact.Observe(benchAt(i), benchSample(i)); err != nil {
			t.Fatal(err)
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations a sample, want 0", n)
	}
}
