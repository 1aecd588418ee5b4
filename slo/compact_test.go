package slo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
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

// A compact tracker of the default policy and one rolling window takes 8 KB at
// most, as the allocator counts, also after a month.
func TestCompactMemory(t *testing.T) {
	const trackers, most = 200, 8 << 10
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	o := slo.Objective{ID: "compact", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy}
	all := make([]*slo.Tracker, trackers)
	before := heapInUse()
	for n := range all {
		all[n] = mustTracker(t, o, &slo.TrackerOptions{Interval: 6 * time.Hour, Compact: true})
		for i := range 4 * 31 {
			if err := all[n].Observe(origin.Add(time.Duration(i)*6*time.Hour), benchSample(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	each := (heapInUse() - before) / trackers
	runtime.KeepAlive(all)
	t.Logf("%d bytes a tracker", each)
	if each > most {
		t.Errorf("%d bytes a tracker, want %d or less", each, most)
	}
}

// heapInUse is the size of all objects that are reachable.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what the first one freed is swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A burst of errors 27.7 days ago is in a window of 28 days, but the compact
// tracker may have dropped its first bucket, 12 h: the status, the decision and
// what they explain say so. A calendar window is exact.
func TestCompactSaysItIsInexact(t *testing.T) {
	day := 24 * time.Hour
	o := slo.Objective{
		Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(28 * day), slo.Calendar(slo.Month, nil)},
		Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Long: 7 * day, Short: 56 * time.Minute, Factor: slo.NewRatio(1, 1)}, silence(28 * day)}},
	}
	for _, compact := range []bool{true, false} {
		tracker := mustTracker(t, o, &slo.TrackerOptions{Compact: compact})
		for n := range 100 {
			if err := tracker.Observe(origin.Add(time.Duration(n)*time.Hour), slo.Counts{Good: 99, Total: 100}); err != nil {
				t.Fatal(err)
			}
		}
		all, err := tracker.Statuses()
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool][]time.Duration{true: {12 * time.Hour, 3 * time.Hour, time.Minute, 12 * time.Hour}, false: {0, 0, 0, 0}}[compact]
		var got []time.Duration
		got = append(got, all[0].Slack)
		var explained strings.Builder
		explained.WriteString(all[0].Explain().String())
		for d := range tracker.Decisions() {
			got = append(got, d.LongSlack)
			if d.Short > 0 {
				got = append(got, d.ShortSlack)
			}
			explained.WriteString(d.Explain().String())
		}
		texts := explained.String()
		if !slices.Equal(got, want) || all[1].Slack != 0 {
			t.Errorf("compact %t: slack %v, calendar %v, want %v, 0", compact, got, all[1].Slack, want)
		}
		for _, part := range []string{"slack 12h] = inexact", "may lack its first 3h]", "may lack its first 1m]", "may lack its first 12h]"} {
			if strings.Contains(texts, part) != compact {
				t.Errorf("compact %t: %q in\n%s", compact, part, texts)
			}
		}
		if strings.Contains(all[1].Explain().String(), "inexact") {
			t.Error("the calendar window is exact")
		}
	}
}
