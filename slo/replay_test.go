package slo_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// readJSON reads a recording; the test is skipped by name where it is absent.
func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "slo", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// recordedWeek is backtest_7d.json: a week of counters as a formula, and
// what Prometheus 2.42 said about it minute by minute.
type recordedWeek struct {
	Data struct {
		T0     time.Time
		Totals struct{ Good, Bad, Total uint64 }
	}
	Timeline struct {
		Any         []ruleTimeline `json:"any_coverage"`
		Full        []ruleTimeline `json:"full_coverage"`
		Maintenance struct {
			Excluded [2]int `json:"excluded_minutes"`
			Rules    []ruleTimeline
		} `json:"any_coverage_with_maintenance"`
	}
	Points []struct {
		Minute    int
		Counts    map[string][2]uint64 `json:"bad_total_by_window_minutes"`
		Consumed  wanted
		Remaining wanted
	}
}

type ruleTimeline struct {
	Rule   string
	Active [][2]int
}

// weekIncrements is the formula of the file.
func weekIncrements(i int) (good, bad uint64) {
	good = 500 + uint64(i*7919%101)
	if i%97 == 0 {
		bad = 1
	}
	switch {
	case i >= 20 && i < 50:
		bad += 5
	case i >= 1200 && i < 2700:
		bad += 3
	case i >= 4000 && i < 4045:
		bad += 40
	case i >= 6000 && i < 6400:
		bad += 4
	case i >= 8600 && i < 8603:
		bad, good = bad+550, 0
	}
	return good, bad
}

const weekMinutes = 10080

// weekReadings are the exposed counters: both begin at 0 and restart at minute
// 7000.
func weekReadings(i int, good, bad *uint64) {
	g, b := weekIncrements(i)
	if i == 7000 {
		*good, *bad = 0, 0
	}
	*good += g
	*bad += b
}

func TestRecordedWeek(t *testing.T) {
	var week recordedWeek
	readJSON(t, "backtest_7d.json", &week)
	full := slo.NewRatio(1, 1)
	out := week.Timeline.Maintenance.Excluded
	minute := func(i int) time.Time { return week.Data.T0.Add(time.Duration(i) * time.Minute) }
	for _, tt := range []struct {
		name        string
		minCoverage slo.Ratio
		exclusions  []slo.Exclusion
		want        []ruleTimeline
	}{
		{"any coverage", slo.Ratio{}, nil, week.Timeline.Any},
		{"full coverage", full, nil, week.Timeline.Full},
		{"maintenance", slo.Ratio{}, []slo.Exclusion{{Interval: calendar.Interval{Start: minute(out[0]), End: minute(out[1])}, Reason: "release"}}, week.Timeline.Maintenance.Rules},
	} {
		t.Run(tt.name, func(t *testing.T) {
			window := slo.Rolling(30 * 24 * time.Hour)
			policy, err := slo.DefaultPolicy(window)
			if err != nil {
				t.Fatal(err)
			}
			policy.MinCoverage = tt.minCoverage
			tracker, err := slo.NewTracker(slo.Objective{
				ID: "week", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy,
			}, &slo.TrackerOptions{Interval: time.Minute, Exclusions: tt.exclusions})
			if err != nil {
				t.Fatal(err)
			}
			active := map[string][][2]int{}
			counters := [2]slo.Counter{}
			var good, bad, allGood, allBad uint64
			for _, c := range []*slo.Counter{&counters[0], &counters[1]} {
				if _, err := c.Observe(minute(0), slo.NewValue(0)); err != nil {
					t.Fatal(err)
				}
			}
			for i := 1; i <= weekMinutes; i++ {
				weekReadings(i, &good, &bad)
				var increase [2]uint64
				for n, v := range []uint64{good, bad} {
					d, err := counters[n].Observe(minute(i), slo.NewValue(v))
					if err != nil {
						t.Fatal(err)
					}
					increase[n], _ = d.Uint64()
				}
				allGood, allBad = allGood+increase[0], allBad+increase[1]
				if err := tracker.ObserveBad(minute(i), increase[1], increase[0]+increase[1]); err != nil {
					t.Fatal(err)
				}
				for d := range tracker.Decisions() {
					runs := active[d.Rule]
					switch n := len(runs) - 1; {
					case d.Holds && (n < 0 || runs[n][1] != i):
						active[d.Rule] = append(runs, [2]int{i, i + 1})
					case d.Holds:
						runs[n][1] = i + 1
					}
				}
				if tt.exclusions == nil {
					checkWeekPoint(t, tracker, week, i)
				}
			}
			for _, w := range tt.want {
				if got := active[w.Rule]; !reflect.DeepEqual(got, w.Active) {
					t.Errorf("%s holds in minutes %v, want %v", w.Rule, got, w.Active)
				}
			}
			if want := week.Data.Totals; allGood != want.Good || allBad != want.Bad {
				t.Errorf("counters grew by %d good and %d bad, want %d and %d", allGood, allBad, want.Good, want.Bad)
			}
			if counters[0].Resets != 1 || counters[1].Resets != 1 {
				t.Errorf("resets = %d and %d, want 1 each", counters[0].Resets, counters[1].Resets)
			}
		})
	}
}

func checkWeekPoint(t *testing.T, tracker *slo.Tracker, week recordedWeek, minute int) {
	t.Helper()
	for _, p := range week.Points {
		if p.Minute != minute {
			continue
		}
		for text, want := range p.Counts {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			b, err := tracker.Burn(time.Duration(n) * time.Minute)
			if err != nil || b.Counts.Bad() != want[0] || b.Counts.Total != want[1] {
				t.Errorf("minute %d: Burn(%d min) counts %+v, %v, want bad and total %v", minute, n, b.Counts, err, want)
			}
		}
		s := statusOf(t, tracker)
		if s.Consumed.Compare(p.Consumed.Ratio) != 0 || s.Remaining.Compare(p.Remaining.Ratio) != 0 {
			t.Errorf("minute %d: consumed %s, remaining %s, want %s, %s", minute, s.Consumed, s.Remaining, p.Consumed.Ratio, p.Remaining.Ratio)
		}
	}
}

// expand reads promtool's series notation, "0+1x60 60+0x30": a+bxn is n+1 values
// from a in steps of b.
func expand(t *testing.T, text string) []uint64 {
	t.Helper()
	var values []uint64
	for part := range strings.FieldsSeq(text) {
		var a, b, n uint64
		if _, err := fmt.Sscanf(part, "%d+%dx%d", &a, &b, &n); err != nil {
			t.Fatalf("series %q: %v", part, err)
		}
		for i := range n + 1 {
			values = append(values, a+i*b)
		}
	}
	return values
}

// TestScenarios replays the series on which rules generated by other tools go
// wrong, and wants the exact answers.
func TestScenarios(t *testing.T) {
	var file struct {
		Scenarios []struct {
			ID     string
			Step   int64                             `json:"step_seconds"`
			Target slo.Target                        `json:"target_percent"`
			Series []struct{ Series, Values string } `json:"input_series"`
			Expect []struct {
				At      string
				Index   int
				Windows map[string]struct {
					Bad, Total uint64
					Coverage   wanted
				}
				ErrorRatio wanted `json:"error_ratio_30d"`
				Remaining  wanted `json:"remaining_30d"`
				Rules      struct {
					Any  []string `json:"any_coverage"`
					Full []string `json:"full_coverage"`
				}
			}
		}
	}
	readJSON(t, "promql_scenarios.json", &file)
	if len(file.Scenarios) != 6 {
		t.Fatalf("%d scenarios, want 6", len(file.Scenarios))
	}
	for _, s := range file.Scenarios {
		t.Run(s.ID, func(t *testing.T) {
			var good, bad []uint64
			for _, series := range s.Series {
				if strings.Contains(series.Series, `code="500"`) {
					bad = expand(t, series.Values)
				} else {
					good = expand(t, series.Values)
				}
			}
			window := slo.Rolling(30 * 24 * time.Hour)
			trackers := map[bool]*slo.Tracker{}
			for _, full := range []bool{false, true} {
				policy, err := slo.DefaultPolicy(window)
				if err != nil {
					t.Fatal(err)
				}
				if full {
					policy.MinCoverage = slo.NewRatio(1, 1)
				}
				trackers[full], err = slo.NewTracker(slo.Objective{ID: s.ID, Target: s.Target, Windows: []slo.Window{window}, Policy: policy}, nil)
				if err != nil {
					t.Fatal(err)
				}
			}
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			var counters [2]slo.Counter
			var samples []slo.Sample
			checked := 0
			for i := range good {
				at := start.Add(secs(int64(i) * s.Step))
				var increase [2]uint64
				for n, values := range [][]uint64{good, bad} {
					if i >= len(values) {
						continue
					}
					d, err := counters[n].Observe(at, slo.NewValue(values[i]))
					if err != nil {
						t.Fatal(err)
					}
					increase[n], _ = d.Uint64()
				}
				if i == 0 {
					continue // the first sample is where counting starts
				}
				samples = append(samples, slo.Sample{At: at, Counts: slo.Counts{Good: increase[0], Total: increase[0] + increase[1]}})
				for _, tracker := range trackers {
					if err := tracker.ObserveBad(at, increase[1], increase[0]+increase[1]); err != nil {
						t.Fatal(err)
					}
				}
				for _, want := range s.Expect {
					if want.Index != i {
						continue
					}
					checked++
					for text, w := range want.Windows {
						length, err := slo.ParseWindow(text, nil)
						if err != nil {
							t.Fatal(err)
						}
						b, err := trackers[false].Burn(length.Nominal())
						if err != nil || b.Counts.Bad() != w.Bad || b.Counts.Total != w.Total || b.Coverage.Compare(w.Coverage.Ratio) != 0 {
							t.Errorf("%s: Burn(%s) = %+v, %v, want %d of %d, coverage %s", want.At, text, b, err, w.Bad, w.Total, w.Coverage.Ratio)
						}
					}
					status := statusOf(t, trackers[false])
					if status.ErrorRatio.Compare(want.ErrorRatio.Ratio) != 0 || status.Remaining.Compare(want.Remaining.Ratio) != 0 {
						t.Errorf("%s: error ratio %s, remaining %s, want %s, %s", want.At, status.ErrorRatio, status.Remaining, want.ErrorRatio.Ratio, want.Remaining.Ratio)
					}
					for full, rules := range map[bool][]string{false: want.Rules.Any, true: want.Rules.Full} {
						holding := []string{}
						for d := range trackers[full].Decisions() {
							if d.Holds {
								holding = append(holding, d.Rule)
							}
						}
						if fmt.Sprint(holding) != fmt.Sprint(rules) {
							t.Errorf("%s, full coverage %t: %v hold, want %v", want.At, full, holding, rules)
						}
					}
				}
			}
			if checked != len(s.Expect) {
				t.Errorf("checked %d instants, want %d", checked, len(s.Expect))
			}
			policy, err := slo.DefaultPolicy(window)
			if err != nil {
				t.Fatal(err)
			}
			h, err := slo.Backtest(slo.Objective{ID: s.ID, Target: s.Target, Windows: []slo.Window{window}, Policy: policy}, slices.Values(samples), &slo.BacktestOptions{Step: secs(s.Step)})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range s.Expect {
				if got := firingAt(h, policy, start.Add(secs(int64(want.Index)*s.Step))); fmt.Sprint(got) != fmt.Sprint(want.Rules.Any) {
					t.Errorf("%s: the backtest has %v firing, want %v", want.At, got, want.Rules.Any)
				}
			}
		})
	}
}

// TestRealRestart counts the requests that were really sent to a Prometheus
// server around a restart, from its raw samples.
func TestRealRestart(t *testing.T) {
	var file struct {
		Truth struct {
			Bad   uint64 `json:"sent_bad"`
			Good  uint64 `json:"sent_good"`
			Ratio wanted `json:"error_ratio"`
		}
		FirstIgnored struct{ Bad, Good uint64 } `json:"first_sample_ignored"`
		Series       []struct {
			Code    string
			Samples [][2]json.Number
		}
	}
	readJSON(t, "prom_selfscrape.json", &file)
	count := func(born bool) map[string]uint64 {
		got := map[string]uint64{}
		for _, s := range file.Series {
			var readings []slo.Reading
			for _, sample := range s.Samples {
				at, err := sample[0].Float64()
				if err != nil {
					t.Fatal(err)
				}
				v, err := slo.ParseValue(sample[1].String())
				if err != nil {
					t.Fatal(err)
				}
				readings = append(readings, slo.Reading{At: time.UnixMilli(int64(math.Round(at * 1000))), Value: v})
			}
			increase, err := slo.CounterIncrease(readings, born)
			if err != nil || increase.Resets != 1 {
				t.Fatalf("code %s: %+v, %v, want one reset", s.Code, increase, err)
			}
			got[s.Code], _ = increase.Value.Uint64()
		}
		return got
	}
	got := count(true)
	if got["400"] != file.Truth.Bad || got["200"] != file.Truth.Good {
		t.Errorf("counted %v, sent %d bad and %d good", got, file.Truth.Bad, file.Truth.Good)
	}
	counts, err := slo.FromBad(got["400"], got["400"]+got["200"])
	if err != nil || counts.ErrorRatio().Compare(file.Truth.Ratio.Ratio) != 0 {
		t.Errorf("error ratio = %s, %v, want %s", counts.ErrorRatio(), err, file.Truth.Ratio.Ratio)
	}
	if got := count(false); got["400"] != file.FirstIgnored.Bad || got["200"] != file.FirstIgnored.Good {
		t.Errorf("first sample ignored: counted %v, want %+v", got, file.FirstIgnored)
	}
}
