package itest_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// objective is one of 99.9 % in 30 days with the default alerts.
func objective(t *testing.T, id string, events promrules.Events) promrules.SLO {
	t.Helper()
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		t.Fatal(err)
	}
	return promrules.SLO{
		Objective: slo.Objective{ID: id, Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy},
		Events:    events,
	}
}

// writeRules writes rules.yml and checks it.
func writeRules(t *testing.T, dir string, slos []promrules.SLO, o promrules.Options) (*promrules.File, string) {
	t.Helper()
	file, err := promrules.Generate(slos, o)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "rules.yml")
	writeFile(t, name, file.String())
	if err := tools(t).CheckRules(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return file, name
}

// TestGeneratedRules loads rules of every kind and runs the tests that are
// generated with them.
func TestGeneratedRules(t *testing.T) {
	tools := tools(t)
	event := promrules.Events{Bad: `http_requests_total{job="api",code=~"5.."}`, Total: `http_requests_total{job="api"}`}
	grouped := event
	grouped.By = []string{"job"}
	latency := promrules.Events{Latency: &promrules.Latency{Histogram: `http_request_duration_seconds{job="api"}`, Limit: slo.NewRatio(1, 2)}}
	sliced := objective(t, "sliced", event)
	sliced.Slices = &slo.Slicing{Length: 5 * time.Minute, Target: slo.MustPercent("95")}
	covered := objective(t, "covered", promrules.Events{Up: "up"})
	covered.Policy.Rules, covered.Policy.MinCoverage = covered.Policy.Rules[1:2], slo.NewRatio(1, 4) // an hour and a half
	tests := []struct {
		name string
		slos []promrules.SLO
		o    promrules.Options
	}{
		{"events", []promrules.SLO{objective(t, "events", event)}, promrules.Options{}},
		{"good and total", []promrules.SLO{objective(t, "good", promrules.Events{Good: `probes_total{result="ok"}`, Total: "probes_total"})}, promrules.Options{}},
		{"latency", []promrules.SLO{objective(t, "latency", latency)}, promrules.Options{}},
		{"gauge", []promrules.SLO{objective(t, "gauge", promrules.Events{Up: `up{job="api"}`})}, promrules.Options{}},
		{"covered gauge", []promrules.SLO{covered}, promrules.Options{}},
		{"grouped", []promrules.SLO{objective(t, "grouped", grouped)}, promrules.Options{}},
		{"sliced", []promrules.SLO{sliced}, promrules.Options{}},
		{"names of Pyrra", []promrules.SLO{objective(t, "pyrra", event)}, promrules.Options{Names: promrules.Pyrra}},
		{"direct", []promrules.SLO{objective(t, "direct", event)}, promrules.Options{Direct: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.o.Scrape, tt.o.Evaluation = time.Minute, time.Minute
			_, rules := writeRules(t, dir, tt.slos, tt.o)
			text, err := promrules.AppendTests(nil, filepath.Base(rules), tt.slos, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "  - name: "); n < 2 {
				t.Errorf("%d tests were generated, want 2 or more", n)
			}
			unit := filepath.Join(dir, "tests.yml")
			writeFile(t, unit, string(text))
			if err := tools.TestRules(t.Context(), unit); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGeneratedTestsCatch alters the thresholds of the rules, those of both windows
// and of either one: the tests generated for the right ones must fail. Each time
// those tests are run that are there for it, which makes the whole file fail.
func TestGeneratedTestsCatch(t *testing.T) {
	tools := tools(t)
	slos := []promrules.SLO{objective(t, "events", promrules.Events{Bad: `http_requests_total{code=~"5.."}`, Total: "http_requests_total"})}
	o := promrules.Options{Scrape: time.Minute, Evaluation: time.Minute}
	all, err := promrules.AppendTests(nil, "rules.yml", slos, o)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(all), "  - name: ")
	const long, short = 1, 2
	for _, tt := range []struct {
		name   string
		factor string
		of     int
		test   string
	}{
		{"twice", "2", long | short, "just above its threshold"},
		{"twice, long window", "2", long, "just above its threshold"},
		{"twice, short window", "2", short, "just above its threshold"},
		{"half", "0.5", long | short, "at its threshold"},
		{"half, long window", "0.5", long, "only the short window above its threshold"},
		{"half, short window", "0.5", short, "only the long window above its threshold"},
		{"a hair less", "0.999", long | short, "at its threshold"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i, r := range slos[0].Policy.Rules {
				dir := t.TempDir()
				file, rules := writeRules(t, dir, slos, o)
				alert := &file.Groups[2].Rules[i]
				lines := strings.Split(alert.Expr, "\n") // of the long window, "and ignoring", of the short one
				for n, bit := range map[int]int{0: long, 2: short} {
					if before, limit, ok := strings.Cut(lines[n], " > "); ok && tt.of&bit != 0 {
						lines[n] = before + " > " + tt.factor + " * " + limit
					}
				}
				altered := strings.Join(lines, "\n")
				if altered == alert.Expr || !slices.Contains(alert.Labels, promrules.Label{Name: "rule", Value: r.Name}) {
					t.Fatalf("%s: the rule is not altered: %s", r.Name, altered)
				}
				alert.Expr = altered
				writeFile(t, rules, file.String())

				tests := []string{head}
				for test := range strings.SplitSeq(rest, "  - name: ") {
					if strings.HasPrefix(test, strconv.Quote("events: "+r.Name+": "+tt.test)) {
						tests = append(tests, test)
					}
				}
				if len(tests) == 1 {
					t.Fatalf("%s: there is no test %q", r.Name, tt.test)
				}
				unit := filepath.Join(dir, "tests.yml")
				writeFile(t, unit, strings.Join(tests, "  - name: "))
				if err := tools.TestRules(t.Context(), unit); err == nil || !strings.Contains(err.Error(), "FAILED") {
					t.Errorf("%s: the tests said %v, want that they failed", r.Name, err)
				}
			}
		})
	}
}

// scenario is one of promql_scenarios.json.
type scenario struct {
	ID            string
	TargetPercent string                            `json:"target_percent"`
	InputSeries   []struct{ Series, Values string } `json:"input_series"`
	Expect        []struct {
		At        string
		Index     int // minutes
		Windows   map[string]struct{ Bad, Total uint64 }
		Remaining *struct{ Exact string } `json:"remaining_30d"`
		Rules     struct {
			Any []string `json:"any_coverage"`
		}
	}
}

// stagedFrom and stage are what package promrules promises: windows from two hours
// on end at the last whole five minutes.
const (
	stagedFrom = 2 * time.Hour
	stage      = 5 * time.Minute
)

// TestScenarios gives the scenarios to promtool with generated rules: remaining
// budgets, ratios of the staged windows and firing rules must be the exact ones.
func TestScenarios(t *testing.T) {
	tools := tools(t)
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "slo", "promql_scenarios.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Scenarios []scenario }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Scenarios) != 6 {
		t.Fatalf("%d scenarios, want 6", len(file.Scenarios))
	}
	events := promrules.Events{
		Bad:   `http_request_duration_seconds_count{job="myservice",code=~"5.."}`,
		Total: `http_request_duration_seconds_count{job="myservice"}`,
	}
	for _, s := range file.Scenarios {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			what := objective(t, s.ID, events)
			what.Target = slo.MustPercent(s.TargetPercent)
			rules, name := writeRules(t, dir, []promrules.SLO{what}, promrules.Options{Scrape: time.Minute, Evaluation: time.Minute})
			unit := filepath.Join(dir, "tests.yml")
			writeFile(t, unit, s.unitTest(t, filepath.Base(name), what, rules))
			if err := tools.TestRules(t.Context(), unit); err != nil {
				t.Error(err)
			}
		})
	}
}

// unitTest writes the scenario as a test of promtool. Rules are evaluated at the
// minutes that are asked about, or every five where all of them lie there.
func (s scenario) unitTest(t *testing.T, ruleFile string, what promrules.SLO, rules *promrules.File) string {
	t.Helper()
	bad, good := s.counter(t, `code="500"`), s.counter(t, `code="200"`)
	interval := stage
	for _, e := range s.Expect {
		if e.Index%5 != 0 {
			interval = time.Minute
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rule_files: [%s]\nevaluation_interval: %ds\ngroup_eval_order:\n", ruleFile, int(interval.Seconds()))
	for _, g := range rules.Groups {
		fmt.Fprintf(&b, "  - %q\n", g.Name)
	}
	b.WriteString("tests:\n  - interval: 60s\n    input_series:\n")
	for _, series := range s.InputSeries {
		fmt.Fprintf(&b, "      - series: %q\n        values: %q\n", series.Series, series.Values)
	}
	b.WriteString("    promql_expr_test:\n")
	ask := func(at, expr string, samples ...string) {
		fmt.Fprintf(&b, "      - expr: %q\n        eval_time: %s\n        exp_samples: [%s]\n", expr, at, strings.Join(samples, ", "))
	}
	one := "{labels: '{}', value: 1}"
	for _, e := range s.Expect {
		at := time.Duration(e.Index) * time.Minute
		staged := at - at%stage
		counts := func(w time.Duration) slo.Counts {
			end := at
			if w >= stagedFrom {
				end = staged
			}
			return window(bad, good, w, end)
		}
		if got, want := window(bad, good, time.Hour, at), e.Windows["1h"]; got.Bad() != want.Bad || got.Total != want.Total {
			t.Fatalf("%s: the last hour has %d bad of %d, the file says %d of %d", e.At, got.Bad(), got.Total, want.Bad, want.Total)
		}

		decisions, err := what.Policy.Decide(what.Target, counts)
		if err != nil {
			t.Fatal(err)
		}
		var firing []string
		for _, d := range decisions {
			if d.Holds {
				firing = append(firing, d.Rule)
			}
		}
		slices.Sort(firing)
		if staged == at && !slices.Equal(firing, e.Rules.Any) {
			t.Fatalf("%s: %q hold, the file says %q", e.At, firing, e.Rules.Any)
		}
		samples := make([]string, len(firing))
		for i, rule := range firing {
			samples[i] = fmt.Sprintf(`{labels: '{rule="%s"}', value: 1}`, rule)
		}
		ask(e.At, `count by (rule) (ALERTS{alertstate="firing",rule!=""})`, samples...)

		c := counts(30 * 24 * time.Hour)
		remaining := big.NewRat(1, 1)
		if c.Total > 0 {
			burn := new(big.Rat).Quo(c.ErrorRatio().Rat(), what.Target.Budget().Rat())
			remaining.Sub(remaining, burn)
		}
		if want := new(big.Rat); staged == at {
			if _, ok := want.SetString(e.Remaining.Exact); !ok || want.Cmp(remaining) != 0 {
				t.Fatalf("%s: %s of the budget remains, the file says %s", e.At, remaining, e.Remaining.Exact)
			}
		}
		ask(e.At, "abs(sum(slo:period_error_budget_remaining:ratio) - ("+remaining.FloatString(30)+")) <= bool 1e-12", one)

		for name, w := range map[string]time.Duration{"2h": 2 * time.Hour, "6h": 6 * time.Hour, "1d": 24 * time.Hour, "3d": 72 * time.Hour} {
			c := counts(w)
			if c.Total == 0 {
				ask(e.At, "slo:sli_error:ratio_rate"+name)
				continue
			}
			ask(e.At, "abs(sum(slo:sli_error:ratio_rate"+name+") - "+c.ErrorRatio().Rat().FloatString(30)+") <= bool 1e-12", one)
		}
		if c := counts(stage); c.Total == 0 {
			ask(e.At, "slo:sli_error:ratio_rate5m") // absent, not NaN
		}
	}
	records := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				records++
			}
		}
	}
	// With traffic, every series that a rule records is there.
	ask(s.Expect[len(s.Expect)-1].At, `count({sloth_id!="",__name__!~"ALERTS.*"})`, fmt.Sprintf("{labels: '{}', value: %d}", records))
	return b.String()
}

// counter reads the values of a series, one per minute: "0+1x60 60+0x30". A
// missing series has none.
func (s scenario) counter(t *testing.T, label string) []uint64 {
	t.Helper()
	var out []uint64
	for _, series := range s.InputSeries {
		if !strings.Contains(series.Series, label) {
			continue
		}
		for part := range strings.FieldsSeq(series.Values) {
			start, rest, ok1 := strings.Cut(part, "+")
			step, times, ok2 := strings.Cut(rest, "x")
			a, err1 := strconv.ParseUint(start, 10, 64)
			d, err2 := strconv.ParseUint(step, 10, 64)
			n, err3 := strconv.ParseUint(times, 10, 64)
			if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil {
				t.Fatalf("values %q: want like 0+1x60", part)
			}
			for i := range n + 1 {
				out = append(out, a+d*i)
			}
		}
	}
	return out
}

// window counts the events whose later sample lies in (end−w, end].
func window(bad, good []uint64, w, end time.Duration) slo.Counts {
	from, to := max(0, int((end-w)/time.Minute)), int(end/time.Minute)
	rise := func(values []uint64) uint64 {
		if len(values) == 0 {
			return 0
		}
		return values[min(to, len(values)-1)] - values[min(from, len(values)-1)]
	}
	g := rise(good)
	return slo.Counts{Good: g, Total: g + rise(bad)}
}
