package slo_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// lawful is an objective of every kind of window and rule.
func lawful(tb testing.TB, sliced bool) slo.Objective {
	tb.Helper()
	policy, err := slo.NewPolicy(slo.ScaledWindows, 2*24*time.Hour, nil)
	if err != nil {
		tb.Fatal(err)
	}
	policy.Rules = append(policy.Rules, absolute(5, slo.NewRatio(1, 4)), silence(20*time.Minute))
	policy.Rules[0].For, policy.Rules[1].KeepFiringFor = 3*time.Minute, 10*time.Minute
	o := slo.Objective{
		ID: "lawful", Target: slo.MustPercent("97"), Policy: policy,
		Windows: []slo.Window{slo.Rolling(2 * 24 * time.Hour), slo.Calendar(slo.Day, nil)},
	}
	if sliced {
		o.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("95")}
	}
	return o
}

// Law: a stream that is cut anywhere, kept as a snapshot and followed by another
// tracker gives what the whole stream gives, at every instant after the cut.
func TestLawSplitEqualsWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for run := range 12 {
		options := slo.TrackerOptions{MaxGap: time.Hour, Compact: run%2 == 1}
		o := lawful(t, run%3 == 2)
		rows := randomRows(r, 300)
		whole, parts := mustTracker(t, o, &options), mustTracker(t, o, &options)
		for i, row := range rows {
			if r.IntN(10) == 0 {
				next := mustTracker(t, o, &options)
				if err := next.Restore(parts.Snapshot()); err != nil {
					t.Fatal(err)
				}
				parts = next
			}
			c := slo.Counts{Good: row.good, Total: row.total}
			for _, tracker := range []*slo.Tracker{whole, parts} {
				if err := tracker.Observe(row.at, c); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := view(t, parts), view(t, whole); got != want {
				t.Fatalf("run %d, sample %d:\n%swant\n%s", run, i, got, want)
			}
		}
	}
}

// Law: what a tracker says at the end is what Evaluate and Decide say about the
// sums, whatever the order of computing.
func TestLawStreamingEqualsBatch(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2))
	for range 12 {
		o := lawful(t, false)
		rows := randomRows(r, 300)
		tracker := mustTracker(t, o, nil)
		h := history{rows: rows}
		for _, row := range rows {
			if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
				t.Fatal(err)
			}
		}
		now := tracker.Now()
		counts := func(w time.Duration) slo.Counts { return h.counts(now.Add(-w), now) }
		statuses, err := tracker.Statuses()
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range o.Windows {
			p := w.Period(now)
			want, err := slo.Evaluate(o.Target, slo.Evidence{Counts: h.counts(p.Start, now), Window: p.Interval, At: now, Observed: statuses[i].Observed})
			if err != nil {
				t.Fatal(err)
			}
			if figures(statuses[i]) != figures(want) {
				t.Errorf("%s: %s, want %s", w, figures(statuses[i]), figures(want))
			}
		}
		decided, err := o.Policy.Decide(o.Target, counts)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for d := range tracker.Decisions() {
			if w := decided[i]; d.Holds != w.Holds || d.Cause != w.Cause || d.LongCounts != w.LongCounts || d.ShortCounts != w.ShortCounts || d.SuppressedBy != w.SuppressedBy {
				t.Errorf("%s: %+v, want %+v", d.Rule, d, w)
			}
			i++
		}
	}
}

// Law: samples in excluded time change neither the bad events nor all of them,
// however many they are, in any window, rule or budget.
func TestLawExcludedTimeChangesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 3))
	for run := range 12 {
		rows := randomRows(r, 300)
		out := calendar.Interval{Start: rows[80].at, End: rows[160].at}
		options := slo.TrackerOptions{Interval: time.Minute, Compact: run%2 == 1, Exclusions: []slo.Exclusion{{Interval: out, Reason: "works"}}}
		o := lawful(t, run%3 == 2)
		some, other := mustTracker(t, o, &options), mustTracker(t, o, &options)
		for _, row := range rows {
			c := slo.Counts{Good: row.good, Total: row.total}
			if err := some.Observe(row.at, c); err != nil {
				t.Fatal(err)
			}
			if row.at.After(out.Start) && !row.at.After(out.End) {
				c = slo.Counts{Good: r.Uint64N(1 << 40), Total: 1 << 40}
			}
			if err := other.Observe(row.at, c); err != nil {
				t.Fatal(err)
			}
			if got, want := view(t, other), view(t, some); got != want {
				t.Fatalf("run %d at %v:\n%swant\n%s", run, row.at, got, want)
			}
		}
	}
}

// Law: one more bad event among as many events never leaves more of the budget,
// never makes the burn smaller, and never turns a missed objective into a met one
// or an exhausted budget into another.
func TestLawBudgetMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 4))
	week := calendar.Interval{Start: origin, End: origin.Add(7 * 24 * time.Hour)}
	for _, percent := range []string{"100", "99.999", "99.9", "97", "50", "0.1"} {
		for range 40 {
			total := 1 + r.Uint64N(1<<r.IntN(40))
			e := slo.Evidence{Window: week, At: origin.Add(time.Duration(1+r.IntN(7*24)) * time.Hour)}
			if r.IntN(3) == 0 {
				e.Expected = total + r.Uint64N(1000)
			}
			var before slo.Status
			bad := uint64(0)
			for first := true; bad <= total; first = false {
				var err error
				if e.Counts, err = slo.FromBad(bad, total); err != nil {
					t.Fatal(err)
				}
				s, err := slo.Evaluate(slo.MustPercent(percent), e)
				if err != nil {
					t.Fatal(err)
				}
				if !first && (s.Remaining.Compare(before.Remaining) > 0 || s.Burn.Compare(before.Burn) < 0 || s.Left.Compare(before.Left) >= 0 ||
					before.Met == slo.Missed && s.Met != slo.Missed || before.State == slo.Exhausted && s.State != slo.Exhausted) {
					t.Fatalf("%s, %d bad: %s\nafter\n%s", percent, bad, figures(s), figures(before))
				}
				before = s
				bad += 1 + total/64
			}
		}
	}
}

// FuzzStream follows arbitrary samples with an exact and a compact tracker. Each
// eight bytes are a step: what to do, seconds ahead or back, bad and all events.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\x00\x1e\x00\x00\x05\x00\x64\x00\x00\x1e\x00\x00\x00\x00\x64\x00\x01\x1e\x00\x00\x00\x00\x00\x00\x02\xff\xff\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x1e\x00\x01\xff\xff\x00\x00\x00\x1e\x00\x00\xff\xff\xff\xff\x03\x3c\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00\x01\x00\x01\x00"))
	f.Add([]byte("\x04\x3c\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00\x01\x00\x01\x00\x00\x10\x00\x00\x00\x00\x01\x00"))
	o := lawful(f, false)
	sliced := lawful(f, true)
	f.Fuzz(func(t *testing.T, data []byte) {
		var options slo.TrackerOptions
		if len(data) > 0 && data[0]&0x80 != 0 {
			options.MaxGap = 5 * time.Minute
		}
		exact := mustTracker(t, o, &options)
		slices := mustTracker(t, sliced, &options)
		options.Compact = true
		compact := mustTracker(t, o, &options)
		at := origin
		for len(data) >= 8 {
			ahead := int16(binary.LittleEndian.Uint16(data[1:]))
			step := time.Duration(ahead) * time.Second
			if data[3]&1 != 0 {
				step = time.Duration(ahead)
			}
			at = at.Add(step)
			bad, total := uint64(binary.LittleEndian.Uint16(data[4:])), uint64(binary.LittleEndian.Uint16(data[6:]))
			if data[3]&2 != 0 {
				total <<= 48
			}
			errs := map[string]bool{}
			for _, tracker := range []*slo.Tracker{exact, compact, slices} {
				var err error
				switch data[0] % 8 {
				case 1:
					err = tracker.Miss(at)
				case 2:
					err = tracker.Advance(at)
				case 3:
					err = tracker.Exclude(slo.Exclusion{Interval: calendar.Interval{Start: at, End: at.Add(time.Duration(bad) * time.Second)}})
				case 4:
					err = tracker.Restore(tracker.Snapshot())
				default:
					err = tracker.ObserveBad(at, bad, total)
				}
				var sample *slo.SampleError
				if err != nil && !errors.As(err, &sample) && !errors.Is(err, slo.ErrPast) {
					t.Fatalf("error %v, want a *SampleError or ErrPast", err)
				}
				if tracker != slices && !errors.Is(err, slo.ErrOverflow) {
					errs[fmt.Sprint(err)] = true
				}
			}
			if len(errs) > 1 {
				t.Fatalf("exact and compact disagree: %v", errs)
			}
			data = data[8:]
		}
		for _, tracker := range []*slo.Tracker{exact, compact, slices} {
			for d := range tracker.Decisions() {
				if d.LongCounts.Validate() != nil || d.ShortCounts.Validate() != nil || d.Firing && d.FiringSince.IsZero() {
					t.Fatalf("%+v", d)
				}
			}
			statuses, err := tracker.Statuses()
			if err != nil && !errors.Is(err, slo.ErrNoInstant) {
				t.Fatal(err)
			}
			for _, s := range statuses {
				if s.Good+s.Bad != s.Total || s.Coverage.Sign() < 0 || s.Coverage.Compare(slo.NewRatio(1, 1)) > 0 || s.Total > 0 && !s.Burn.IsSet() {
					t.Fatalf("%+v", s)
				}
			}
		}
		if exact.Stats() == compact.Stats() {
			for got := range compact.Burns() {
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
			}
		}
	})
}
