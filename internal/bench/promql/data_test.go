package promql

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// monthly is an objective of 99.9 % in 30 days with the default rules.
func monthly(e promrules.Events) promrules.SLO {
	window := slo.Rolling(30 * day)
	return promrules.SLO{
		Objective: slo.Objective{
			ID: "api", Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window},
			Policy: must(slo.DefaultPolicy(window)),
		},
		Events: e,
	}
}

func readShared(t *testing.T, name string, v any) {
	t.Helper()
	data := must(os.ReadFile(testutil.SharedFile(t, "data", "slo", name)))
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// everyMinute makes a series of samples from an instant on.
func everyMinute(from time.Time, values []float64, name string, pairs ...string) promql.Series {
	s := promql.Series{Metric: metric(name, pairs...)}
	for i, v := range values {
		s.Floats = append(s.Floats, promql.FPoint{T: from.Add(time.Duration(i) * time.Minute).UnixMilli(), F: v})
	}
	return s
}

// firing returns the rules that fire at an instant, sorted.
func (s *server) firing(t *testing.T, at time.Time) []string {
	t.Helper()
	var rules []string
	for _, a := range s.query(t, `ALERTS{rule!=""}`, at, at, time.Minute) {
		rules = append(rules, a.Metric.Get("rule"))
	}
	slices.Sort(rules)
	return rules
}

// TestWeek runs the generated rules over a week with a restart and compares when
// each fires with the timeline that was computed for it: minute by minute where no
// window is staged, and at the end of every stage where some are.
func TestWeek(t *testing.T) {
	var week struct {
		Data     struct{ T0 time.Time }
		Timeline struct {
			Any []struct {
				Rule   string
				Active [][2]int // minutes, the second is the first one off
			} `json:"any_coverage"`
		}
	}
	readShared(t, "backtest_7d.json", &week)
	good, bad := testutil.WeekCounters()
	minute := func(i int) time.Time { return week.Data.T0.Add(time.Duration(i) * time.Minute) }
	end := len(good) - 1
	series := []promql.Series{
		everyMinute(minute(0), floats(good), "http_requests_total", "code", "200"),
		everyMinute(minute(0), floats(bad), "http_requests_total", "code", "500"),
	}
	for _, o := range [...]promrules.Options{{Direct: true}, {Direct: true, Anchored: true}, {}, {Anchored: true}} {
		t.Run(fmt.Sprintf("direct %v, anchored %v", o.Direct, o.Anchored), func(t *testing.T) {
			o.Scrape, o.Evaluation = time.Minute, time.Minute
			s := &server{slices.Clone(series)}
			s.run(t, must(promrules.Generate([]promrules.SLO{monthly(promrules.Events{Bad: `http_requests_total{code=~"5.."}`, Total: "http_requests_total"})}, o)), minute(0), minute(end))
			every := 1
			if !o.Direct {
				every = int(stage / time.Minute)
			}
			for _, want := range week.Timeline.Any {
				got := s.values(t, fmt.Sprintf("ALERTS{rule=%q}", want.Rule), minute(0), minute(end), time.Duration(every)*time.Minute)
				for i := 0; i <= end; i += every {
					_, fires := got[minute(i).UnixMilli()]
					active := slices.ContainsFunc(want.Active, func(a [2]int) bool { return i >= a[0] && i < a[1] })
					if fires != active {
						t.Errorf("minute %d: %s fires %v, want %v", i, want.Rule, fires, active)
					}
				}
			}
		})
	}
}

func floats(n []uint64) []float64 {
	out := make([]float64, len(n))
	for i := range n {
		out[i] = float64(n[i])
	}
	return out
}

// TestScenarios runs the generated rules over histories that other generators get
// wrong: the budget that is left and the rules that fire must be the exact ones.
func TestScenarios(t *testing.T) {
	var file struct {
		Scenarios []struct {
			ID          string
			InputSeries []struct{ Series, Values string } `json:"input_series"`
			Expect      []struct {
				Index     int                     // minutes
				Remaining *struct{ Exact string } `json:"remaining_30d"`
				Rules     struct {
					Any []string `json:"any_coverage"`
				}
			}
		}
	}
	readShared(t, "promql_scenarios.json", &file)
	const name = `http_request_duration_seconds_count{job="myservice"`
	rules := must(promrules.Generate([]promrules.SLO{monthly(promrules.Events{Bad: name + `,code=~"5.."}`, Total: name + "}"})}, promrules.Options{Scrape: time.Minute, Evaluation: time.Minute}))
	compared := 0
	for _, scenario := range file.Scenarios {
		t.Run(scenario.ID, func(t *testing.T) {
			s := &server{}
			for _, in := range scenario.InputSeries {
				metric, values, err := parser.ParseSeriesDesc(in.Series + " " + in.Values)
				if err != nil {
					t.Fatal(err)
				}
				series := promql.Series{Metric: metric}
				for i, v := range values {
					if !v.Omitted {
						series.Floats = append(series.Floats, promql.FPoint{T: origin.Add(time.Duration(i) * time.Minute).UnixMilli(), F: v.Value})
					}
				}
				s.series = append(s.series, series)
			}
			last := scenario.Expect[len(scenario.Expect)-1].Index
			minute := func(i int) time.Time { return origin.Add(time.Duration(i) * time.Minute) }
			s.run(t, rules, origin, minute(last))
			for _, want := range scenario.Expect {
				if want.Index%5 != 0 {
					continue // in the midst of a stage
				}
				if got := s.firing(t, minute(want.Index)); !slices.Equal(got, want.Rules.Any) && len(got)+len(want.Rules.Any) > 0 {
					t.Errorf("minute %d: %q fire, want %q", want.Index, got, want.Rules.Any)
				}
				left, ok := new(big.Rat).SetString(want.Remaining.Exact)
				if !ok {
					t.Fatalf("remaining budget %q", want.Remaining.Exact)
				}
				exact, _ := left.Float64()
				if got := s.at(t, "slo:period_error_budget_remaining:ratio", minute(want.Index)); !(got-exact < 1e-12 && exact-got < 1e-12) {
					t.Errorf("minute %d: %v of the budget is left, want %s", want.Index, got, want.Remaining.Exact)
				}
				compared++
			}
		})
	}
	if len(file.Scenarios) != 6 || compared < 12 {
		t.Errorf("%d instants of %d scenarios compared, want those of 6", compared, len(file.Scenarios))
	}
}
