package slo_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

var origin = time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC)

func mustTracker(tb testing.TB, o slo.Objective, options *slo.TrackerOptions) *slo.Tracker {
	tb.Helper()
	if o.ID == "" {
		o.ID = "test"
	}
	tracker, err := slo.NewTracker(o, options)
	if err != nil {
		tb.Fatal(err)
	}
	return tracker
}

// view is everything a tracker answers, as text.
func view(t *testing.T, tracker *slo.Tracker) string {
	t.Helper()
	var b bytes.Buffer
	for d := range tracker.Decisions() {
		fmt.Fprintf(&b, "%s %v %v %v %v %s %t %v %t\n", d.Rule, d.LongCounts, d.ShortCounts, d.Holds, utc(d.Since), d.Cause, d.Firing, utc(d.FiringSince), d.Cold)
	}
	for burn := range tracker.Burns() {
		fmt.Fprintf(&b, "%v %v %s %s %t\n", burn.Window, burn.Counts, burn.Rate, burn.Coverage, burn.Cold)
	}
	statuses, err := tracker.Statuses()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statuses {
		fmt.Fprintf(&b, "%s %s\n", s.Window, figures(s))
	}
	fmt.Fprintln(&b, tracker.Now(), tracker.Stats(), tracker.Gaps())
	return b.String()
}

// history answers by brute force what a tracker keeps current.
type history struct {
	rows       []row
	exclusions []slo.Exclusion
}

func (h history) counts(after, through time.Time) slo.Counts {
	var c slo.Counts
	for _, r := range h.rows {
		out := slices.ContainsFunc(h.exclusions, func(x slo.Exclusion) bool {
			return x.Start.Before(r.at) && !r.at.After(x.End)
		})
		if r.at.After(after) && !r.at.After(through) && !out {
			c.Good += r.good
			c.Total += r.total
		}
	}
	return c
}

// randomRows has uneven distances, silences and bursts of errors.
func randomRows(r *rand.Rand, n int) []row {
	rows := make([]row, n)
	at, share := origin, uint64(0)
	for i := range rows {
		at = at.Add(time.Duration(1+r.IntN(90)) * time.Second)
		switch r.IntN(40) {
		case 0:
			at = at.Add(time.Duration(r.IntN(240)) * time.Minute)
		case 1:
			share = uint64(r.IntN(100))
		case 2:
			share = 0
		}
		rows[i] = row{at: at, total: r.Uint64N(200)}
		rows[i].good = rows[i].total - rows[i].total*share/100
	}
	return rows
}

func TestTrackerAgainstBruteForce(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam") // loses an hour on 29 March 2026
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 8 {
		h := history{rows: randomRows(r, 400)}
		for at := origin; len(h.exclusions) < 4; at = at.Add(time.Duration(r.IntN(200)) * time.Minute) {
			h.exclusions = append(h.exclusions, slo.Exclusion{Interval: calendar.Interval{Start: at, End: at.Add(time.Duration(r.IntN(60)) * time.Minute)}})
		}
		policy, err := slo.NewPolicy(slo.ScaledWindows, 2*24*time.Hour, nil)
		if err != nil {
			t.Fatal(err)
		}
		target := slo.MustPercent("97")
		tracker := mustTracker(t, slo.Objective{
			Target: target, Policy: policy,
			Windows: []slo.Window{slo.Rolling(2 * 24 * time.Hour), slo.Calendar(slo.Day, zone), slo.Calendar(slo.Month, zone)},
		}, &slo.TrackerOptions{Exclusions: h.exclusions})
		since := map[string]time.Time{}
		for i, row := range h.rows {
			if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
				t.Fatal(err)
			}
			known := history{rows: h.rows[:i+1], exclusions: h.exclusions}
			want, err := policy.Decide(target, func(w time.Duration) slo.Counts { return known.counts(row.at.Add(-w), row.at) })
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for got := range tracker.Decisions() {
				w := want[n]
				n++
				switch {
				case !w.Holds:
					delete(since, w.Rule)
				case since[w.Rule].IsZero():
					since[w.Rule] = row.at
				}
				if got.Holds != w.Holds || got.Cause != w.Cause || got.LongCounts != w.LongCounts || got.ShortCounts != w.ShortCounts || !got.Since.Equal(since[w.Rule]) {
					t.Fatalf("row %d: decision %+v, want %+v since %v", i, got, w, since[w.Rule])
				}
			}
			statuses, err := tracker.Statuses()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range statuses {
				if want := known.counts(s.Window.Start, row.at); s.Good != want.Good || s.Total != want.Total {
					t.Fatalf("row %d: status over %s has %d of %d, want %v", i, s.Window, s.Good, s.Total, want)
				}
			}
			odd := time.Duration(1+r.IntN(100_000)) * time.Second
			if b, err := tracker.Burn(odd); err != nil || b.Counts != known.counts(row.at.Add(-odd), row.at) {
				t.Fatalf("row %d: Burn(%v) = %+v, %v", i, odd, b, err)
			}
		}
	}
}

func trackerKinds() map[string]slo.Objective {
	rolling := []slo.Window{slo.Rolling(24 * time.Hour), slo.Calendar(slo.Day, nil)}
	policy, err := slo.NewPolicy(slo.ScaledWindows, 24*time.Hour, nil)
	if err != nil {
		panic(err)
	}
	policy.Rules[0].For = 10 * time.Minute
	policy.Rules[1].KeepFiringFor = time.Hour
	events := slo.Objective{ID: "events", Target: slo.MustPercent("97"), Windows: rolling, Policy: policy}
	sliced := events
	sliced.ID = "slices"
	sliced.Slices = &slo.Slicing{Length: 3 * time.Minute, Target: slo.MustPercent("95"), NoData: slo.BadNoData}
	return map[string]slo.Objective{"events": events, "slices": sliced}
}

// A tracker that is stopped and restored at any point answers as one that never
// stopped.
func TestSnapshotRestore(t *testing.T) {
	for name, o := range trackerKinds() {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(2, 2))
			rows := randomRows(r, 600)
			options := &slo.TrackerOptions{MaxGap: 5 * time.Minute}
			whole, parts := mustTracker(t, o, options), mustTracker(t, o, options)
			for i, row := range rows {
				for _, tracker := range []*slo.Tracker{whole, parts} {
					if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
						t.Fatal(err)
					}
				}
				if r.IntN(5) > 0 {
					continue
				}
				snapshot := parts.Snapshot()
				parts = mustTracker(t, o, options)
				if err := parts.Restore(snapshot); err != nil {
					t.Fatalf("row %d: %v", i, err)
				}
				if !bytes.Equal(parts.Snapshot(), snapshot) || !bytes.Equal(whole.Snapshot(), snapshot) {
					t.Fatalf("row %d: snapshots differ", i)
				}
				if got, want := view(t, parts), view(t, whole); got != want {
					t.Fatalf("row %d: restored\n%s, want\n%s", i, got, want)
				}
			}
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	kinds := trackerKinds()
	tracker := mustTracker(t, kinds["events"], nil)
	for _, row := range randomRows(rand.New(rand.NewPCG(3, 3)), 50) {
		if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, before := tracker.Snapshot(), view(t, tracker)
	if err := mustTracker(t, kinds["slices"], nil).Restore(snapshot); !errors.Is(err, slo.ErrSnapshot) {
		t.Errorf("Restore of other slices: %v, want ErrSnapshot", err)
	}
	for i := range snapshot {
		broken := slices.Clone(snapshot)
		broken[i] ^= 0x10
		if err := tracker.Restore(broken); !errors.Is(err, slo.ErrSnapshot) {
			t.Fatalf("byte %d changed: %v, want ErrSnapshot", i, err)
		}
		if err := tracker.Restore(snapshot[:i]); !errors.Is(err, slo.ErrSnapshot) {
			t.Fatalf("cut at %d: %v, want ErrSnapshot", i, err)
		}
	}
	if got := view(t, tracker); got != before {
		t.Errorf("refused snapshots changed the tracker:\n%s, want\n%s", got, before)
	}
}

// A policy may change across a restart: known rules keep their runs, and a longer
// window is cold where the older history was not kept.
func TestRestoreIntoAnotherPolicy(t *testing.T) {
	o := slo.Objective{
		Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Calendar(slo.Month, nil)},
		Policy: slo.Policy{Rules: []slo.Rule{{Name: "short", Long: time.Hour, Factor: slo.NewRatio(1, 1)}}},
	}
	tracker := mustTracker(t, o, nil)
	for i := range 300 {
		if err := tracker.Observe(origin.Add(time.Duration(i)*time.Minute), slo.Counts{Good: 90, Total: 100}); err != nil {
			t.Fatal(err)
		}
	}
	o.Policy.Rules = append(o.Policy.Rules, slo.Rule{Name: "long", Long: 4 * time.Hour, Factor: slo.NewRatio(1, 1)})
	longer := mustTracker(t, o, nil)
	if err := longer.Restore(tracker.Snapshot()); err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(longer.Decisions())
	if !got[0].Since.Equal(origin) || got[0].Cold {
		t.Errorf("short: since %v cold %t, want %v and warm", got[0].Since, got[0].Cold, origin)
	}
	if !got[1].Since.Equal(longer.Now()) || !got[1].Cold || got[1].LongCounts.Total != 6000 {
		t.Errorf("long: %+v, want the hour kept, cold, since now", got[1])
	}
	b, err := longer.Burn(4 * time.Hour)
	if err != nil || b.Coverage.String() != "1/4" {
		t.Errorf("coverage of 4 h = %s, %v, want 1/4", b.Coverage, err)
	}
}

func TestTrackerRefusesSamples(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}}, nil)
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	steps := []struct {
		name    string
		observe func() error
		want    error
	}{
		{"first", func() error { return tracker.Observe(at(1), slo.Counts{Good: 9, Total: 10}) }, nil},
		{"repeated", func() error { return tracker.Observe(at(1), slo.Counts{Good: 9, Total: 10}) }, nil},
		{"another value", func() error { return tracker.Observe(at(1), slo.Counts{Good: 8, Total: 10}) }, slo.ErrConflict},
		{"earlier", func() error { return tracker.Observe(at(0), slo.Counts{Good: 9, Total: 10}) }, slo.ErrOutOfOrder},
		{"missing earlier", func() error { return tracker.Miss(at(0)) }, slo.ErrOutOfOrder},
		{"missing the same", func() error { return tracker.Miss(at(1)) }, slo.ErrConflict},
		{"missing", func() error { return tracker.Miss(at(2)) }, nil},
		{"missing again", func() error { return tracker.Miss(at(2)) }, nil},
		{"value after missing", func() error { return tracker.Observe(at(2), slo.Counts{Good: 1, Total: 1}) }, slo.ErrConflict},
		{"advance back", func() error { return tracker.Advance(at(1)) }, slo.ErrOutOfOrder},
		{"advance", func() error { return tracker.Advance(at(9)) }, nil},
		{"late but in order", func() error { return tracker.Observe(at(3), slo.Counts{Good: 9, Total: 10}) }, nil},
		{"far future", func() error { return tracker.Observe(at(1).AddDate(500, 0, 0), slo.Counts{}) }, slo.ErrRange},
		{"far past", func() error { return tracker.Advance(time.Time{}) }, slo.ErrRange},
	}
	for _, s := range steps {
		if err := s.observe(); !errors.Is(err, s.want) || s.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", s.name, err, s.want)
		}
	}
	for _, err := range []error{tracker.Observe(at(8), slo.Counts{Good: 2, Total: 1}), tracker.ObserveBad(at(8), 2, 1)} {
		if e, ok := errors.AsType[*slo.CountsError](err); !ok || e.Total != 1 {
			t.Errorf("2 of 1: %v, want a CountsError", err)
		}
	}
	want := slo.Stats{Samples: 2, Missing: 1, Duplicates: 2, OutOfOrder: 2, Conflicts: 3, Invalid: 3}
	if got := tracker.Stats(); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
	if s := statusOf(t, tracker); s.Bad != 2 || s.Total != 20 || !tracker.Now().Equal(at(9)) {
		t.Errorf("status = %d of %d at %v, want 2 of 20 at minute 9", s.Bad, s.Total, tracker.Now())
	}
}

func TestGapsAndCoverage(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(2 * time.Hour)}}, &slo.TrackerOptions{
		Interval: time.Minute, MaxGap: 5 * time.Minute,
		Exclusions: []slo.Exclusion{{Interval: calendar.Interval{Start: origin.Add(50 * time.Minute), End: origin.Add(60 * time.Minute)}, Reason: "release"}},
	})
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	for _, minute := range []int{1, 2, 3, 33, 34} { // 30 minutes apart: 25 of them uncovered
		if err := tracker.Observe(at(minute), slo.Counts{Good: 1, Total: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, minute := range []int{35, 36} {
		if err := tracker.Miss(at(minute)); err != nil {
			t.Fatal(err)
		}
	}
	// Minutes 50 to 60 are excluded; the sample of minute 61 covers 56 to 61.
	if err := tracker.Observe(at(61), slo.Counts{Good: 1, Total: 1}); err != nil {
		t.Fatal(err)
	}
	want := []calendar.Interval{{Start: at(3), End: at(28)}, {Start: at(34), End: at(56)}}
	if got := tracker.Gaps(); !slices.EqualFunc(got, want, calendar.Interval.Equal) {
		t.Errorf("Gaps() = %v, want %v", got, want)
	}
	s := statusOf(t, tracker)
	// Observed 0-3, 28-34 and 60-61; excluded 50-60; of 120 minutes.
	if s.Observed != 10*time.Minute || s.Excluded != 10*time.Minute || s.Coverage.String() != "1/6" {
		t.Errorf("observed %v, excluded %v, coverage %s, want 10m, 10m, 1/6", s.Observed, s.Excluded, s.Coverage)
	}
	if err := tracker.Advance(at(70)); err != nil { // nothing is known after minute 61
		t.Fatal(err)
	}
	if s := statusOf(t, tracker); s.Observed != 10*time.Minute {
		t.Errorf("observed %v, want 10m", s.Observed)
	}
}

func TestExclude(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}}, nil)
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	observe := func(minute int, good uint64) {
		t.Helper()
		if err := tracker.Observe(at(minute), slo.Counts{Good: good, Total: 10}); err != nil {
			t.Fatal(err)
		}
	}
	observe(1, 10)
	if err := tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: at(1), End: at(3)}, Reason: "release"}); err != nil {
		t.Fatal(err)
	}
	observe(2, 0)
	observe(3, 0) // the end belongs to the exclusion
	observe(4, 9)
	if err := tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: at(2), End: at(9)}}); !errors.Is(err, slo.ErrPast) {
		t.Errorf("Exclude of the past: %v, want ErrPast", err)
	}
	if err := tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: at(9), End: at(8)}}); !errors.Is(err, calendar.ErrInverted) {
		t.Errorf("Exclude of an inverted interval: %v, want ErrInverted", err)
	}
	s := statusOf(t, tracker)
	if s.Bad != 1 || s.Total != 20 || tracker.Stats().Excluded != 2 {
		t.Errorf("%d bad of %d, %d excluded, want 1 of 20, 2 excluded", s.Bad, s.Total, tracker.Stats().Excluded)
	}
	if len(s.Exclusions) != 1 || s.Exclusions[0].Reason != "release" || s.Exclusions[0].Removed != 2*time.Minute {
		t.Errorf("exclusions of the status = %+v, want the release with 2m", s.Exclusions)
	}
}

// A refused exclusion leaves those that are there in force.
func TestRefusedExclusionChangesNothing(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}}, &slo.TrackerOptions{
		Exclusions: []slo.Exclusion{{Interval: calendar.Interval{Start: origin, End: origin.Add(time.Minute)}, Reason: "release"}},
	})
	far := origin.AddDate(1000, 0, 0)
	if err := tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: far, End: far.Add(time.Minute)}}); !errors.Is(err, slo.ErrRange) {
		t.Errorf("Exclude in another millennium: %v, want ErrRange", err)
	}
	if err := tracker.Observe(origin.Add(30*time.Second), slo.Counts{Total: 10}); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Observe(origin.Add(90*time.Second), slo.Counts{Good: 10, Total: 10}); err != nil {
		t.Fatal(err)
	}
	s := statusOf(t, tracker)
	if s.Bad != 0 || s.Total != 10 || s.Excluded != time.Minute || tracker.Stats().Excluded != 1 {
		t.Errorf("%d bad of %d, excluded %v, %d samples, want 0 of 10, 1m, 1", s.Bad, s.Total, s.Excluded, tracker.Stats().Excluded)
	}
}

// Sums that do not fit 64 bits are refused, not wrapped.
func TestTrackerRefusesOverflow(t *testing.T) {
	const most = math.MaxUint64
	hour, day := slo.Rolling(time.Hour), slo.Calendar(slo.Day, nil) // origin is 20:00
	for _, tt := range []struct {
		name   string
		window slo.Window
		slices *slo.Slicing
		after  time.Duration // of the second sample
		want   error
	}{
		{"same window", hour, nil, time.Minute, slo.ErrOverflow},
		{"same day", day, nil, 3 * time.Hour, slo.ErrOverflow},
		{"next day", day, nil, 5 * time.Hour, nil},
		{"same slice", hour, &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("99")}, time.Minute, slo.ErrOverflow},
		{"next slice", hour, &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("99")}, 6 * time.Minute, nil},
	} {
		tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{tt.window}, Slices: tt.slices}, nil)
		first, second := origin.Add(time.Second), origin.Add(time.Second+tt.after)
		if err := tracker.Observe(first, slo.Counts{Good: most - 5, Total: most}); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if err := tracker.Advance(second); err != nil { // lets the first leave a window
			t.Fatalf("%s: %v", tt.name, err)
		}
		before := statusOf(t, tracker)
		err := tracker.Observe(second, slo.Counts{Total: 1})
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if tt.want == nil {
			continue
		}
		if after := statusOf(t, tracker); after.Bad != before.Bad || after.Total != before.Total || tracker.Stats().Invalid != 1 {
			t.Errorf("%s: %d bad of %d after the refusal, invalid %d, want %d of %d, 1", tt.name, after.Bad, after.Total, tracker.Stats().Invalid, before.Bad, before.Total)
		}
	}
}

// A missed sample brings time forward as Advance does: slices that have ended are
// judged.
func TestMissClosesSlices(t *testing.T) {
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	for name, step := range map[string]func(*slo.Tracker) error{
		"Miss":    func(tracker *slo.Tracker) error { return tracker.Miss(at(15)) },
		"Advance": func(tracker *slo.Tracker) error { return tracker.Advance(at(15)) },
	} {
		tracker := mustTracker(t, slo.Objective{
			Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)},
			Slices: &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("99"), NoData: slo.BadNoData},
		}, nil)
		if err := tracker.Observe(at(2), slo.Counts{Good: 10, Total: 10}); err != nil {
			t.Fatal(err)
		}
		if err := step(tracker); err != nil {
			t.Fatal(err)
		}
		if s := statusOf(t, tracker); s.Good != 1 || s.Bad != 2 {
			t.Errorf("%s: %d good, %d bad slices, want 1, 2", name, s.Good, s.Bad)
		}
	}
}

func TestForAndKeepFiring(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{
		Target: slo.MustPercent("90"), Windows: []slo.Window{slo.Rolling(time.Hour)},
		Policy: slo.Policy{Rules: []slo.Rule{{
			Name: "r", Severity: slo.Page, Long: time.Minute, Factor: slo.NewRatio(1, 1),
			For: 2 * time.Minute, KeepFiringFor: 3 * time.Minute,
		}}},
	}, nil)
	holds := []bool{false, true, true, false, true, true, true, false, true, false, false, false, false}
	// From minute 4 it holds unbroken; minute 6 is two minutes later. Minute 9 is
	// the first without it for good, and three minutes later it ends.
	firing := []bool{false, false, false, false, false, false, true, true, true, true, true, true, false}
	for i := range holds {
		good := uint64(10)
		if holds[i] {
			good = 5
		}
		if err := tracker.Observe(origin.Add(time.Duration(i)*time.Minute), slo.Counts{Good: good, Total: 10}); err != nil {
			t.Fatal(err)
		}
		d := slices.Collect(tracker.Decisions())[0]
		_, fires := tracker.Firing(slo.Page)
		if d.Holds != holds[i] || d.Firing != firing[i] || fires != firing[i] {
			t.Errorf("minute %d: holds %t, firing %t, want %t, %t", i, d.Holds, d.Firing, holds[i], firing[i])
		}
		if firing[i] && !d.FiringSince.Equal(origin.Add(6*time.Minute)) {
			t.Errorf("minute %d: firing since %v, want minute 6", i, d.FiringSince)
		}
	}
}

func TestLowTrafficGates(t *testing.T) {
	target := slo.MustPercent("99.9")
	rule := slo.Rule{Name: "r", Long: time.Hour, Factor: slo.NewRatio(144, 10)}
	for _, tt := range []struct {
		name string
		set  func(*slo.Rule)
		c    slo.Counts
		want slo.Cause
	}{
		{"one of ten", func(*slo.Rule) {}, slo.Counts{Good: 9, Total: 10}, slo.Above},
		{"min events", func(r *slo.Rule) { r.MinEvents = 11 }, slo.Counts{Good: 9, Total: 10}, slo.FewEvents},
		{"min events reached", func(r *slo.Rule) { r.MinEvents = 10 }, slo.Counts{Good: 9, Total: 10}, slo.Above},
		{"min bad", func(r *slo.Rule) { r.MinBad = 2 }, slo.Counts{Good: 9, Total: 10}, slo.FewBad},
		// P(X >= 1) = 0.135, P(X >= 2) = 0.0086 at n = 10, p = 0.0144.
		{"by chance", func(r *slo.Rule) { r.Alpha = slo.NewRatio(1, 100) }, slo.Counts{Good: 9, Total: 10}, slo.NotSignificant},
		{"not by chance", func(r *slo.Rule) { r.Alpha = slo.NewRatio(1, 100) }, slo.Counts{Good: 8, Total: 10}, slo.Above},
		{"beyond the gate", func(r *slo.Rule) { r.Alpha = slo.NewRatio(1, 100) }, slo.Counts{Good: 10_001 - 145, Total: 10_001}, slo.Above},
		{"no events", func(r *slo.Rule) { r.Alpha = slo.NewRatio(1, 100) }, slo.Counts{}, slo.NoEvents},
		{"below", func(r *slo.Rule) { r.MinBad = 9 }, slo.Counts{Good: 10, Total: 10}, slo.Below},
	} {
		r := rule
		tt.set(&r)
		got, err := slo.Policy{Rules: []slo.Rule{r}}.Decide(target, func(time.Duration) slo.Counts { return tt.c })
		if err != nil || got[0].Cause != tt.want || got[0].Holds != (tt.want == slo.Above) {
			t.Errorf("%s: cause %s, %v, want %s", tt.name, got[0].Cause, err, tt.want)
		}
	}
}

func TestLateSampleOfAClosedSlice(t *testing.T) {
	tracker := mustTracker(t, slo.Objective{
		Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)},
		Slices: &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("99")},
	}, nil)
	at := func(minute int) time.Time { return origin.Add(time.Duration(minute) * time.Minute) }
	if err := tracker.Observe(at(2), slo.Counts{Good: 5, Total: 10}); err != nil {
		t.Fatal(err)
	}
	if s := statusOf(t, tracker); s.Total != 0 {
		t.Errorf("%d slices, want none while it is open", s.Total)
	}
	if err := tracker.Advance(at(5)); err != nil {
		t.Fatal(err)
	}
	if s := statusOf(t, tracker); s.Bad != 1 || s.Total != 1 {
		t.Errorf("%d bad of %d slices, want 1 of 1", s.Bad, s.Total)
	}
	if err := tracker.Observe(at(4), slo.Counts{Good: 5, Total: 10}); !errors.Is(err, slo.ErrLate) {
		t.Errorf("sample of a closed slice: %v, want ErrLate", err)
	}
	if got := tracker.Stats(); got.Late != 1 {
		t.Errorf("Stats() = %+v, want one late", got)
	}
}

func TestObserveDoesNotAllocate(t *testing.T) {
	tracker := mustTracker(t, trackerKinds()["events"], &slo.TrackerOptions{Interval: time.Second})
	at := origin
	step := func() {
		at = at.Add(time.Second)
		if err := tracker.Observe(at, slo.Counts{Good: 99, Total: 100}); err != nil {
			t.Fatal(err)
		}
		for d := range tracker.Decisions() {
			if d.Cause == 0 {
				t.Fatal("no cause")
			}
		}
	}
	if got := testing.AllocsPerRun(1000, step); got != 0 {
		t.Errorf("%v allocations a sample, want 0", got)
	}
}

func TestRisk(t *testing.T) {
	o := slo.Objective{
		Target: slo.MustPercent("90"), Windows: []slo.Window{slo.Calendar(slo.Day, nil)},
		Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1)}}},
	}
	day := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		risk  slo.Risk
		good  uint64
		want  slo.State
		risks []string
	}{
		{"none asked for", slo.Risk{}, 85, slo.OK, nil},
		{"share reached", slo.Risk{Consumed: slo.NewRatio(1, 2)}, 90, slo.AtRisk, []string{"consumed"}}, // burn 1 for half a day
		{"share not reached", slo.Risk{Consumed: slo.NewRatio(51, 100)}, 90, slo.OK, nil},
		{"rule", slo.Risk{OnRule: true}, 89, slo.AtRisk, []string{"rule"}},
		{"rule does not fire", slo.Risk{OnRule: true}, 90, slo.OK, nil},
		{"forecast", slo.Risk{OnForecast: true}, 89, slo.AtRisk, []string{"forecast"}},
		{"forecast just reaches the end", slo.Risk{OnForecast: true}, 90, slo.OK, nil},
		{"all", slo.Risk{Consumed: slo.NewRatio(1, 2), OnRule: true, OnForecast: true}, 85, slo.AtRisk, []string{"consumed", "rule", "forecast"}},
		{"exhausted is more", slo.Risk{OnRule: true}, 80, slo.Exhausted, nil}, // burn 2 for half a day
	} {
		o.Risk = tt.risk
		tracker := mustTracker(t, o, nil)
		for i := 1; i <= 12; i++ {
			if err := tracker.Observe(day.Add(time.Duration(i)*time.Hour), slo.Counts{Good: tt.good, Total: 100}); err != nil {
				t.Fatal(err)
			}
		}
		if s := statusOf(t, tracker); s.State != tt.want || !slices.Equal(s.Risks, tt.risks) {
			t.Errorf("%s: state %s by %v, consumed %s, want %s by %v", tt.name, s.State, s.Risks, s.Consumed, tt.want, tt.risks)
		}
	}
}
