package slo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// firingAt returns the rules that fire at an instant, in the order of the policy.
func firingAt(h slo.History, p slo.Policy, at time.Time) []string {
	firing := []string{}
	for _, r := range p.Rules {
		for _, a := range h.Alerts {
			if a.Rule == r.Name && !a.Fired.After(at) && (a.Resolved.IsZero() || a.Resolved.After(at)) {
				firing = append(firing, r.Name)
			}
		}
	}
	return firing
}

func weekSamples(t0 time.Time) iter.Seq[slo.Sample] {
	return func(yield func(slo.Sample) bool) {
		for i := 1; i <= weekMinutes; i++ {
			good, bad := weekIncrements(i)
			if !yield(slo.Sample{At: t0.Add(time.Duration(i) * time.Minute), Counts: slo.Counts{Good: good, Total: good + bad}}) {
				return
			}
		}
	}
}

func TestBacktestRecordedWeek(t *testing.T) {
	var week recordedWeek
	readJSON(t, "backtest_7d.json", &week)
	t0 := week.Data.T0
	minute := func(i int) time.Time { return t0.Add(time.Duration(i) * time.Minute) }
	out := week.Timeline.Maintenance.Excluded
	for _, tt := range []struct {
		name        string
		minCoverage slo.Ratio
		exclusions  []slo.Exclusion
		want        []ruleTimeline
		wantPages   [][2]int // the two page rules of want, joined by hand
	}{
		{"any coverage", slo.Ratio{}, nil, week.Timeline.Any, [][2]int{{4012, 4072}, {6298, 6405}, {8600, 8632}}},
		{"full coverage", slo.NewRatio(1, 1), nil, week.Timeline.Full, [][2]int{{4012, 4072}, {6298, 6405}, {8600, 8632}}},
		{
			"maintenance",
			slo.Ratio{},
			[]slo.Exclusion{{Interval: calendar.Interval{Start: minute(out[0]), End: minute(out[1])}, Reason: "release"}},
			week.Timeline.Maintenance.Rules,
			[][2]int{{6298, 6405}, {8600, 8632}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := slo.Objective{ID: "week", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)}}
			var err error
			if o.Policy, err = slo.DefaultPolicy(o.Windows[0]); err != nil {
				t.Fatal(err)
			}
			o.Policy.MinCoverage = tt.minCoverage
			h, err := slo.Backtest(o, weekSamples(t0), &slo.BacktestOptions{
				TrackerOptions: slo.TrackerOptions{Interval: time.Minute, Exclusions: tt.exclusions}, Every: time.Minute,
			})
			if err != nil {
				t.Fatal(err)
			}
			minutes := func(from, to time.Time) [2]int {
				return [2]int{int(from.Sub(t0) / time.Minute), int(to.Sub(t0) / time.Minute)}
			}
			active := map[string][][2]int{}
			for _, a := range h.Alerts {
				active[a.Rule] = append(active[a.Rule], minutes(a.Fired, a.Resolved))
			}
			for _, w := range tt.want {
				if got := active[w.Rule]; !reflect.DeepEqual(got, w.Active) {
					t.Errorf("%s fires in minutes %v, want %v", w.Rule, got, w.Active)
				}
			}
			var pages [][2]int
			for _, p := range h.Pages {
				pages = append(pages, minutes(p.Fired, p.Resolved))
			}
			if !reflect.DeepEqual(pages, tt.wantPages) {
				t.Errorf("pages in minutes %v, want %v", pages, tt.wantPages)
			}
			if len(h.Curve) != weekMinutes {
				t.Fatalf("%d points, want one a minute", len(h.Curve))
			}
			if tt.exclusions != nil {
				return
			}
			if got, want := h.Counts, week.Data.Totals; got.Good != want.Good || got.Bad() != want.Bad {
				t.Errorf("counted %+v, want %+v", got, want)
			}
			for _, p := range week.Points {
				if got := h.Curve[p.Minute-1]; !got.At.Equal(minute(p.Minute)) || got.Consumed.Compare(p.Consumed.Ratio) != 0 {
					t.Errorf("minute %d: consumed %s at %v, want %s", p.Minute, got.Consumed, got.At, p.Consumed.Ratio)
				}
			}
		})
	}
}

// hours are 20 hourly samples of 100 events from hour 1 on, of which some are
// replaced.
func hours(replaced map[int]slo.Counts) []slo.Sample {
	samples := make([]slo.Sample, 20)
	for i := range samples {
		c, ok := replaced[i+1]
		if !ok {
			c = slo.Counts{Good: 100, Total: 100}
		}
		samples[i] = slo.Sample{At: origin.Add(time.Duration(i+1) * time.Hour), Counts: c}
	}
	return samples
}

func hour(at time.Time) int {
	if at.IsZero() {
		return -1
	}
	return int(at.Sub(origin) / time.Hour)
}

func pageRule(rule slo.Rule) slo.Objective {
	rule.Name, rule.Severity = "page", slo.Page
	return slo.Objective{
		ID: "hours", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(10 * time.Hour)}, Policy: slo.Policy{Rules: []slo.Rule{rule}},
	}
}

func backtest(t *testing.T, o slo.Objective, samples []slo.Sample, options slo.BacktestOptions) slo.History {
	t.Helper()
	h, err := slo.Backtest(o, slices.Values(samples), &options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// 50 of 100 fail in hour 5, and 1 of 5 in hour 12. The budget of ten hours is
// 0.01 · (19 · 100 + 5) · 10/20 = 9.525 events, so that 50/9.525 = 2000/381 of it
// go the first time and 1/9.525 = 40/381 the second.
func TestBacktestPages(t *testing.T) {
	samples := hours(map[int]slo.Counts{5: {Good: 50, Total: 100}, 12: {Good: 4, Total: 5}})
	options := slo.BacktestOptions{TrackerOptions: slo.TrackerOptions{Interval: time.Hour}, NeededLoss: slo.NewRatio(1, 5)}
	h := backtest(t, pageRule(slo.Rule{Long: time.Hour, Factor: slo.NewRatio(10, 1)}), samples, options)
	if hour(h.Start) != 0 || hour(h.End) != 20 || h.Period != 10*time.Hour {
		t.Errorf("from %v to %v, period %v", h.Start, h.End, h.Period)
	}
	want := []struct {
		fired, resolved int
		loss            slo.Ratio
		needed          bool
	}{{5, 6, slo.NewRatio(2000, 381), true}, {12, 13, slo.NewRatio(40, 381), false}}
	if len(h.Pages) != len(want) {
		t.Fatalf("pages %+v, want 2", h.Pages)
	}
	for i, w := range want {
		if p := h.Pages[i]; hour(p.Fired) != w.fired || hour(p.Resolved) != w.resolved || p.Loss.Compare(w.loss) != 0 || p.Needed != w.needed {
			t.Errorf("page %d: %+v, want %+v", i, p, w)
		}
	}
	if h.Unneeded != 1 || h.FalseShare.Compare(slo.NewRatio(1, 2)) != 0 || !h.TooManyFalse || h.PagesPerPeriod.Compare(slo.NewRatio(1, 1)) != 0 {
		t.Errorf("unneeded %d, false share %s (too many: %t), pages per period %s, want 1, 1/2, true, 1", h.Unneeded, h.FalseShare, h.TooManyFalse, h.PagesPerPeriod)
	}
	// Hour 5: 50 of 500 in ten hours, of which 5 are allowed.
	if p := h.Curve[4]; hour(p.At) != 5 || p.Consumed.Compare(slo.NewRatio(10, 1)) != 0 || p.State != slo.Exhausted {
		t.Errorf("point %+v, want 10 budgets consumed at hour 5", p)
	}
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var back slo.History
	if err := json.Unmarshal(data, &back); err != nil || fmt.Sprint(back) != fmt.Sprint(h) {
		t.Errorf("JSON round trip: %v\n%v\nwant\n%v", err, back, h)
	}
}

func TestBacktestCompare(t *testing.T) {
	samples := hours(map[int]slo.Counts{5: {Good: 50, Total: 100}, 12: {Good: 4, Total: 5}})
	options := slo.BacktestOptions{TrackerOptions: slo.TrackerOptions{Interval: time.Hour}}
	a := backtest(t, pageRule(slo.Rule{Long: time.Hour, Factor: slo.NewRatio(10, 1)}), samples, options)
	for _, tt := range []struct {
		name            string
		rule            slo.Rule
		onlyA, both     []int // hours in which A fires
		earlier, longer time.Duration
	}{
		{"the same", slo.Rule{Long: time.Hour, Factor: slo.NewRatio(10, 1)}, nil, []int{5, 12}, 0, 0},
		// 0.2 is not above 0.3.
		{"higher factor", slo.Rule{Long: time.Hour, Factor: slo.NewRatio(30, 1)}, []int{12}, []int{5}, 0, 0},
		// 50/200 in hours 5 and 6, 1/105 in hour 12; it fires an hour after it holds.
		{"longer window, for an hour", slo.Rule{Long: 2 * time.Hour, Factor: slo.NewRatio(10, 1), For: time.Hour}, []int{12}, []int{5}, -time.Hour, time.Hour},
		{"never", slo.Rule{Long: time.Hour, Factor: slo.NewRatio(60, 1)}, []int{5, 12}, nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := backtest(t, pageRule(tt.rule), samples, options)
			c := a.Compare(b)
			var onlyA, both []int
			for _, e := range c.OnlyA {
				onlyA = append(onlyA, hour(e.Fired))
			}
			for _, m := range c.Both {
				both = append(both, hour(m.A[0].Fired))
				if m.Earlier != tt.earlier || m.Longer != tt.longer || m.Severity != slo.Page {
					t.Errorf("hour %d: earlier %v, longer %v, want %v, %v", hour(m.A[0].Fired), m.Earlier, m.Longer, tt.earlier, tt.longer)
				}
			}
			if !slices.Equal(onlyA, tt.onlyA) || !slices.Equal(both, tt.both) || len(c.OnlyB) != 0 {
				t.Errorf("only A %v, both %v, only B %v, want %v, %v, none", onlyA, both, c.OnlyB, tt.onlyA, tt.both)
			}
			if back := b.Compare(a); len(back.OnlyB) != len(c.OnlyA) || len(back.Both) != len(c.Both) || len(back.OnlyA) != 0 {
				t.Errorf("the other way round: %+v, want the mirror of %+v", back, c)
			}
		})
	}
}

// Without evaluations in the silence from hour 5 to 15 the rule goes on firing
// until the next sample.
func TestBacktestSilence(t *testing.T) {
	samples := hours(map[int]slo.Counts{5: {Good: 50, Total: 100}})
	samples = slices.Delete(samples, 5, 14)
	o := pageRule(slo.Rule{Long: time.Hour, Factor: slo.NewRatio(10, 1)})
	for _, tt := range []struct {
		name string
		step time.Duration
		want int
	}{{"with steps", time.Hour, 6}, {"at samples alone", 0, 15}} {
		h := backtest(t, o, samples, slo.BacktestOptions{Step: tt.step})
		if len(h.Alerts) != 1 || hour(h.Alerts[0].Resolved) != tt.want {
			t.Errorf("%s: alerts %+v, want one until hour %d", tt.name, h.Alerts, tt.want)
		}
	}
	h := backtest(t, o, samples[:5], slo.BacktestOptions{})
	if len(h.Pages) != 1 || hour(h.Pages[0].Resolved) != -1 {
		t.Errorf("pages %+v, want one that has no end", h.Pages)
	}
}

func TestBacktestRefuses(t *testing.T) {
	o := pageRule(slo.Rule{Long: time.Hour, Factor: slo.NewRatio(10, 1)})
	backwards := hours(nil)
	slices.Reverse(backwards)
	if _, err := slo.Backtest(o, slices.Values(backwards), nil); !errors.Is(err, slo.ErrOutOfOrder) {
		t.Errorf("samples backwards: %v, want ErrOutOfOrder", err)
	}
	for _, options := range []slo.BacktestOptions{{Step: -1}, {Every: -1}, {NeededLoss: slo.NewRatio(-1, 2)}, {NeededLoss: slo.Inf(1)}, {TrackerOptions: slo.TrackerOptions{MaxGap: -1}}} {
		if _, err := slo.Backtest(o, slices.Values(hours(nil)), &options); err == nil {
			t.Errorf("options %+v: want an error", options)
		}
	}
	h, err := slo.Backtest(o, slices.Values([]slo.Sample(nil)), nil)
	if err != nil || len(h.Curve) != 0 || h.FalseShare.IsSet() || h.PagesPerPeriod.IsSet() {
		t.Errorf("no samples: %+v, %v, want an empty history", h, err)
	}
}

// At a target of 100 % every loss is infinite, so every page is needed.
func TestBacktestWithoutBudget(t *testing.T) {
	o := pageRule(slo.Rule{Long: time.Hour, Factor: slo.NewRatio(10, 1)})
	o.Target = slo.MustPercent("100")
	h := backtest(t, o, hours(map[int]slo.Counts{5: {Good: 99, Total: 100}}), slo.BacktestOptions{})
	if len(h.Pages) != 1 || !h.Pages[0].Loss.IsInf(1) || !h.Pages[0].Needed {
		t.Errorf("pages %+v, want one that is needed", h.Pages)
	}
}

// promtool, with an expression that is true from 0m to 2m and keep_firing_for 5m:
// the alert fires at 7m and is gone at 8m, as 3m is the first evaluation without
// it. It does not matter whether further samples come.
func TestBacktestKeepsFiringAsPrometheus(t *testing.T) {
	minute := func(n int) time.Time { return origin.Add(time.Duration(n) * time.Minute) }
	o := slo.Objective{
		ID: "keep", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(24 * time.Hour)},
		Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Severity: slo.Page, Long: time.Minute, Factor: slo.NewRatio(2, 1), KeepFiringFor: 5 * time.Minute}}},
	}
	samples := func(yield func(slo.Sample) bool) {
		for n, good := range []uint64{5, 5, 5, 10} {
			if !yield(slo.Sample{At: minute(n), Counts: slo.Counts{Good: good, Total: 10}}) {
				return
			}
		}
		yield(slo.Sample{At: minute(60), Counts: slo.Counts{Good: 10, Total: 10}})
	}
	h, err := slo.Backtest(o, samples, &slo.BacktestOptions{TrackerOptions: slo.TrackerOptions{Interval: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Alerts) != 1 || !h.Alerts[0].Fired.Equal(minute(0)) || !h.Alerts[0].Resolved.Equal(minute(8)) {
		t.Errorf("alerts %+v, want one from 0m to 8m", h.Alerts)
	}
}

// A history of one sample has no length, so what a page has lost is not known and
// nobody can say that it was not needed.
func TestBacktestOfOneSample(t *testing.T) {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	o := slo.Objective{ID: "one", Service: "shop", Target: slo.MustPercent("99"), Windows: []slo.Window{window}, Policy: policy}
	h, err := slo.Backtest(o, func(yield func(slo.Sample) bool) {
		yield(slo.Sample{At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Counts: slo.Counts{Good: 1, Total: 10}})
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Pages) != 1 || h.Unneeded != 0 || h.FalseShare.IsSet() || h.TooManyFalse {
		t.Errorf("pages %d, unneeded %d, share %s, too many %v, want 1, 0, none, false", len(h.Pages), h.Unneeded, h.FalseShare, h.TooManyFalse)
	}
}
