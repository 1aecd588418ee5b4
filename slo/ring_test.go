package slo_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// formRows have runs of equal distances, jitter and silences, and counts from none
// to those that need more than 32 bits.
func formRows(r *rand.Rand, n int) []row {
	rows := make([]row, n)
	at, step := origin, time.Minute
	for i := range rows {
		switch r.IntN(20) {
		case 0:
			step = time.Duration(1+r.IntN(120)) * time.Second
		case 1:
			at = at.Add(time.Duration(r.IntN(1e9)))
		case 2:
			at = at.Add(time.Duration(r.IntN(90)) * time.Minute)
		}
		at = at.Add(step)
		total := r.Uint64() >> (10 + r.IntN(54))
		bad := min(total, r.Uint64()>>(10+r.IntN(54)))
		rows[i] = row{at: at, good: total - bad, total: total}
	}
	return rows
}

// Whatever the distances and sizes of samples, every window and decision is that of
// adding up, also across a restart.
func TestTrackerKeepsSamplesOfAnyForm(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	target := slo.MustPercent("90")
	policy := slo.Policy{Rules: []slo.Rule{
		{Name: "fast", Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(2, 1)},
		{Name: "slow", Long: 3 * time.Hour, Factor: slo.NewRatio(1, 1)},
		{Name: "odd", Long: 2 * time.Hour, Short: time.Minute, Factor: slo.NewRatio(1, 2)},
	}}
	o := slo.Objective{Target: target, Windows: []slo.Window{slo.Rolling(5 * time.Hour)}, Policy: policy}
	for range 6 {
		h := history{rows: formRows(r, 700)}
		tracker := mustTracker(t, o, nil)
		for i, row := range h.rows {
			if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
				t.Fatal(err)
			}
			if r.IntN(50) == 0 {
				restored := mustTracker(t, o, nil)
				if err := restored.Restore(tracker.Snapshot()); err != nil {
					t.Fatal(err)
				}
				tracker = restored
			}
			from := max(0, i-400) // 5 hours have fewer rows of a minute on average
			known := history{rows: h.rows[from : i+1]}
			counts := func(w time.Duration) slo.Counts { return known.counts(row.at.Add(-w), row.at) }
			for from > 0 && h.rows[from].at.After(row.at.Add(-5*time.Hour)) {
				from--
				known.rows = h.rows[from : i+1]
			}
			want, err := policy.Decide(target, counts)
			if err != nil {
				t.Fatal(err)
			}
			for n, got := range slices.Collect(tracker.Decisions()) {
				if w := want[n]; got.Holds != w.Holds || got.Cause != w.Cause || got.LongCounts != w.LongCounts || got.ShortCounts != w.ShortCounts {
					t.Fatalf("row %d: decision %+v, want %+v", i, got, w)
				}
			}
			odd := time.Duration(1 + r.Int64N(int64(5*time.Hour)))
			if b, err := tracker.Burn(odd); err != nil || b.Counts != counts(odd) {
				t.Fatalf("row %d: Burn(%v) = %+v, %v, want %v", i, odd, b.Counts, err, counts(odd))
			}
		}
	}
}

// Ratios that come close to the limit, reach it and cross it by one event are
// judged as by Decide, sample by sample.
func TestTrackerAroundTheLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	target := slo.MustPercent("99")
	for _, factor := range []slo.Ratio{slo.NewRatio(1, 1), slo.NewRatio(144, 10), slo.NewRatio(1, 3), slo.NewRatio(200, 1)} {
		policy := slo.Policy{Rules: []slo.Rule{{Name: "r", Long: 40 * time.Minute, Short: 10 * time.Minute, Factor: factor}}}
		limit := policy.Rules[0].Threshold(target).Float64()
		tracker := mustTracker(t, slo.Objective{Target: target, Windows: []slo.Window{slo.Rolling(time.Hour)}, Policy: policy}, nil)
		var h history
		bias := 1.0
		causes := map[slo.Cause]int{}
		for i := range 3000 {
			total := r.Uint64N(2000) >> (4 * r.IntN(3))
			if i%40 == 0 {
				bias = 0.9 + 0.2*r.Float64()
			}
			bad := min(total, uint64(float64(total)*limit*bias+r.Float64()))
			at := origin.Add(time.Duration(i) * time.Minute)
			h.rows = append(h.rows, row{at, total - bad, total})
			h.rows = h.rows[max(0, len(h.rows)-60):]
			if err := tracker.Observe(at, slo.Counts{Good: total - bad, Total: total}); err != nil {
				t.Fatal(err)
			}
			want, err := policy.Decide(target, func(w time.Duration) slo.Counts { return h.counts(at.Add(-w), at) })
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Collect(tracker.Decisions())[0]
			if got.Cause != want[0].Cause || got.LongCounts != want[0].LongCounts {
				t.Fatalf("factor %s, sample %d: %s on %v and %v, want %s", factor, i, got.Cause, got.LongCounts, got.ShortCounts, want[0].Cause)
			}
			causes[got.Cause]++
		}
		if factor.Compare(slo.NewRatio(100, 1)) < 0 && (causes[slo.Above] < 30 || causes[slo.Below] < 30) {
			t.Errorf("factor %s: causes %v, want both often", factor, causes)
		}
	}
}

// A window may hold as many events as a sum.
func TestDecisionOnTheLargestSum(t *testing.T) {
	for _, bad := range []uint64{0, 1, math.MaxUint64} {
		for _, compact := range []bool{false, true} {
			policy := slo.Policy{Rules: []slo.Rule{{Name: "r", Long: time.Hour, Factor: slo.NewRatio(1, 1)}, silence(time.Hour)}}
			tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}, Policy: policy}, &slo.TrackerOptions{Compact: compact})
			if err := tracker.ObserveBad(origin, bad, math.MaxUint64); err != nil {
				t.Fatal(err)
			}
			want := slo.Below
			if bad == math.MaxUint64 {
				want = slo.Above
			}
			got := slices.Collect(tracker.Decisions())
			if got[0].Cause != want || got[1].Cause != slo.SomeEvents || got[0].LongCounts.Bad() != bad {
				t.Errorf("%d bad, compact %t: %s and %s on %v, want %s and some events", bad, compact, got[0].Cause, got[1].Cause, got[0].LongCounts, want)
			}
		}
	}
}

// A compact bucket of more events than 32 bits hold is as exact as others.
func TestCompactLargeBuckets(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	window := slo.Rolling(56 * time.Minute)
	o := slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{window}}
	exact, compact := mustTracker(t, o, nil), mustTracker(t, o, &slo.TrackerOptions{Compact: true})
	for i := range 600 {
		total := r.Uint64() >> (20 + r.IntN(40))
		c := slo.Counts{Good: total - min(total, r.Uint64()>>(20+r.IntN(40))), Total: total}
		for _, tracker := range []*slo.Tracker{exact, compact} {
			if err := tracker.Observe(origin.Add(time.Duration(i)*time.Minute), c); err != nil {
				t.Fatal(err)
			}
		}
		if i%100 == 50 {
			if err := compact.Restore(compact.Snapshot()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := compact.Burn(56 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := exact.Burn(56 * time.Minute); err != nil || got.Counts != want.Counts { // samples end with their buckets
			t.Fatalf("sample %d: %v, want %v, %v", i, got.Counts, want.Counts, err)
		}
	}
}
