package slo_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// Ten hours, of which the payroll hour has weight 5, and six minutes of errors: in
// that hour they are 5·6 of 5·60 + 540, 1/28, elsewhere 6 of that, 1/140, and
// plainly 1/100. Events and slices of a minute give the same.
func TestMarkedPayrollHour(t *testing.T) {
	minute := func(n int) time.Time { return origin.Add(time.Duration(n) * time.Minute) }
	payroll := slo.Mark{Interval: calendar.Interval{Start: minute(120), End: minute(180)}, Weight: slo.NewRatio(5, 1), Reason: "payroll"}
	for _, tt := range []struct {
		name  string
		from  int // of the six bad minutes
		marks []slo.Mark
		want  string
		state slo.State
	}{
		{"inside", 150, []slo.Mark{payroll}, "1/28", slo.Exhausted},
		{"first and last minute inside", 120, []slo.Mark{payroll}, "1/28", slo.Exhausted},
		{"outside", 30, []slo.Mark{payroll}, "1/140", slo.OK},
		{"no mark", 30, nil, "1/100", slo.Exhausted},
		{"weight 1", 150, []slo.Mark{{Interval: payroll.Interval, Weight: slo.NewRatio(1, 1)}}, "1/100", slo.Exhausted},
		// Weight 0 is an exclusion: none of 540, and 6 of 540.
		{"weight 0 inside", 150, []slo.Mark{{Interval: payroll.Interval}}, "0/1", slo.OK},
		{"weight 0 outside", 30, []slo.Mark{{Interval: payroll.Interval}}, "1/90", slo.Exhausted},
		// The larger counts, wherever it stands: half an hour of 5, half of 2.
		{"overlap", 120, []slo.Mark{{Interval: calendar.Interval{Start: minute(120), End: minute(150)}, Weight: payroll.Weight}, {Interval: payroll.Interval, Weight: slo.NewRatio(2, 1)}}, "1/25", slo.Exhausted},
		{"less", 120, []slo.Mark{{Interval: payroll.Interval, Weight: slo.NewRatio(1, 2)}}, "1/190", slo.OK}, // 3 of 570
	} {
		for i := range tt.marks {
			if !tt.marks[i].Weight.IsSet() {
				tt.marks[i].Weight = slo.NewRatio(0, 1)
			}
		}
		var samples []slo.Sample
		for n := 1; n <= 600; n++ {
			s := slo.Sample{At: minute(n), Counts: slo.Counts{Good: 1, Total: 1}}
			if n > tt.from && n <= tt.from+6 {
				s.Good = 0
			}
			samples = append(samples, s)
		}
		plain, w, err := slo.WeighSamples(slo.MustPercent("99"), slices.Values(samples), tt.marks)
		if err != nil || plain != (slo.Counts{Good: 594, Total: 600}) || w.ErrorRatio.String() != tt.want || w.State != tt.state {
			t.Errorf("%s: samples: %+v, %s of %s is %s, %s, %v, want %s", tt.name, plain, w.Bad, w.Total, w.ErrorRatio, w.State, err, tt.want)
		}
		for _, sliced := range []bool{false, true} {
			o := slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(10 * time.Hour)}}
			if sliced {
				o.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("99")}
			}
			tracker := mustTracker(t, o, &slo.TrackerOptions{Marks: tt.marks})
			for _, s := range samples {
				if err := tracker.Observe(s.At, s.Counts); err != nil {
					t.Fatal(err)
				}
			}
			s := tracker.Weigh(statusOf(t, tracker))
			if s.ErrorRatio.String() != "1/100" || s.Weighted.ErrorRatio.String() != tt.want || s.Weighted.State != tt.state || s.Weighted.Burn.Compare(slo.MustPercent("99").Burn(s.Weighted.ErrorRatio)) != 0 {
				t.Errorf("%s, slices %t: plain %s, weighted %+v, want 1/100, %s", tt.name, sliced, s.ErrorRatio, s.Weighted, tt.want)
			}
			if text := s.Explain().String(); !strings.Contains(text, "\nweighted.error_ratio = ") {
				t.Errorf("%s does not explain the weights", text)
			}
		}
	}
}

// The tracker against a sum over all samples, each with the largest weight of the
// marks it lies in: over any window, in the period that ended, after a restart, and
// with marks that come late.
func TestMarksAgainstBruteForce(t *testing.T) {
	for run := range 8 {
		r := rand.New(rand.NewPCG(8, uint64(run)))
		rows := randomRows(r, 250)
		o := lawful(t, false)
		options := slo.TrackerOptions{MaxGap: time.Hour, Compact: run%4 == 3}
		length := rows[len(rows)-1].at.Sub(origin)
		random := func(from time.Time) slo.Mark {
			from = from.Add(time.Duration(r.Int64N(int64(length / 2))))
			return slo.Mark{Interval: calendar.Interval{Start: from, End: from.Add(time.Duration(r.Int64N(int64(6 * time.Hour))))}, Weight: slo.NewRatio(r.Int64N(7), 1+r.Int64N(3))}
		}
		var marks []slo.Mark
		for range r.IntN(8) {
			marks = append(marks, random(origin))
		}
		options.Marks = slices.Clone(marks)
		tracker := mustTracker(t, o, &options)
		weight := func(at time.Time) slo.Ratio {
			largest := slo.Ratio{}
			for _, m := range marks {
				if m.Start.Before(at) && !at.After(m.End) && m.Weight.Compare(largest) > 0 {
					largest = m.Weight
				}
			}
			if !largest.IsSet() {
				return slo.NewRatio(1, 1)
			}
			return largest
		}
		check := func(i int, s slo.Status) {
			t.Helper()
			bad, total := slo.NewRatio(0, 1).Rat(), slo.NewRatio(0, 1).Rat()
			for _, row := range rows[:i+1] {
				if !row.at.After(s.Window.Start) || row.at.After(s.At) {
					continue
				}
				w := weight(row.at).Rat()
				b := slo.NewRatio(int64(row.total-row.good), 1).Rat()
				n := slo.NewRatio(int64(row.total), 1).Rat()
				bad.Add(bad, b.Mul(b, w))
				total.Add(total, n.Mul(n, w))
			}
			got := tracker.Weigh(s).Weighted
			if s.Slack > 0 {
				if got.Bad.Sign() < 0 || got.Total.Compare(got.Bad) < 0 {
					t.Fatalf("run %d, row %d: compact %+v", run, i, got)
				}
				return
			}
			if got.Bad.Rat().Cmp(bad) != 0 || got.Total.Rat().Cmp(total) != 0 {
				t.Fatalf("run %d, row %d, %s: %s of %s, want %s of %s", run, i, s.Window, got.Bad, got.Total, bad, total)
			}
		}
		for i, row := range rows {
			if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
				t.Fatal(err)
			}
			if r.IntN(60) == 0 {
				m := random(row.at)
				if err := tracker.Mark(m); err != nil {
					t.Fatal(err)
				}
				marks = append(marks, m)
				if err := tracker.Mark(slo.Mark{Interval: calendar.Interval{Start: row.at.Add(-1), End: row.at}, Weight: slo.NewRatio(2, 1)}); !errors.Is(err, slo.ErrPast) {
					t.Fatalf("a mark that reaches back: %v", err)
				}
			}
			statuses, err := tracker.Statuses()
			if err != nil {
				t.Fatal(err)
			}
			if ended, ok := tracker.Ended(1); ok {
				statuses = append(statuses, ended)
			}
			for _, s := range statuses {
				check(i, s)
			}
			if r.IntN(40) == 0 {
				snapshot := tracker.Snapshot()
				options.Marks = slices.Clone(marks)
				tracker = mustTracker(t, o, &options)
				if err := tracker.Restore(snapshot); err != nil {
					t.Fatal(err)
				}
				if again := tracker.Snapshot(); !slices.Equal(snapshot, again) {
					t.Fatalf("run %d, row %d: another snapshot after restoring", run, i)
				}
			}
		}
	}
}

func TestMarksRefused(t *testing.T) {
	good := calendar.Interval{Start: origin, End: origin.Add(time.Hour)}
	for name, m := range map[string]slo.Mark{
		"no weight":       {Interval: good},
		"negative weight": {Interval: good, Weight: slo.NewRatio(-1, 2)},
		"infinite weight": {Interval: good, Weight: slo.Inf(1)},
		"inverted":        {Interval: calendar.Interval{Start: good.End, End: good.Start}, Weight: slo.NewRatio(2, 1)},
		"out of range":    {Interval: calendar.Interval{Start: time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2300, 1, 2, 0, 0, 0, 0, time.UTC)}, Weight: slo.NewRatio(2, 1)},
	} {
		o := slo.Objective{ID: "a", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(time.Hour)}}
		if _, err := slo.NewTracker(o, &slo.TrackerOptions{Marks: []slo.Mark{m}}); err == nil {
			t.Errorf("%s: a tracker takes it", name)
		}
		if err := mustTracker(t, o, nil).Mark(m); err == nil {
			t.Errorf("%s: Mark takes it", name)
		}
		if _, _, err := slo.WeighSamples(o.Target, slices.Values([]slo.Sample(nil)), []slo.Mark{m}); err == nil {
			t.Errorf("%s: WeighSamples takes it", name)
		}
	}
	for name, s := range map[string]slo.Sample{
		"counts": {At: origin, Counts: slo.Counts{Good: 2, Total: 1}},
		"range":  {Counts: slo.Counts{Total: 1}},
	} {
		if _, _, err := slo.WeighSamples(slo.MustPercent("99"), slices.Values([]slo.Sample{s}), nil); err == nil || !strings.HasPrefix(err.Error(), "samples[0]: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	full := slo.Sample{At: origin, Counts: slo.Counts{Total: 1 << 63}}
	if _, _, err := slo.WeighSamples(slo.MustPercent("99"), slices.Values([]slo.Sample{full, full}), nil); !errors.Is(err, slo.ErrOverflow) {
		t.Errorf("2^64 events: %v", err)
	}
}

// All samples of a day are marked; once two days have passed the memory has its
// size.
func TestMarksDoNotAllocate(t *testing.T) {
	mark := slo.Mark{Interval: calendar.Interval{Start: origin, End: origin.AddDate(1, 0, 0)}, Weight: slo.NewRatio(3, 1)}
	tracker := mustTracker(t, slo.Objective{Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(6 * time.Hour)}}, &slo.TrackerOptions{Interval: time.Minute, Marks: []slo.Mark{mark}})
	n := 0
	step := func() {
		n++
		if err := tracker.Observe(origin.Add(time.Duration(n)*time.Minute), slo.Counts{Good: 9, Total: 10}); err != nil {
			t.Fatal(err)
		}
	}
	for range 5000 {
		step()
	}
	if got := testing.AllocsPerRun(5000, step); got != 0 {
		t.Errorf("%v allocations a sample, want 0", got)
	}
}
