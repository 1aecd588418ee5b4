package promrules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/slo"
)

// testFile is the part of a file that promtool test rules reads.
type testFile struct {
	RuleFiles  []string `yaml:"rule_files"`
	Evaluation string   `yaml:"evaluation_interval"`
	Order      []string `yaml:"group_eval_order"`
	Tests      []struct {
		Name        string
		Interval    string
		InputSeries []struct{ Series, Values string } `yaml:"input_series"`
		Exprs       []struct {
			Expr    string
			At      string `yaml:"eval_time"`
			Samples []struct {
				Labels string
				Value  float64
			} `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	}
}

func readTests(t *testing.T, slos []SLO, o Options) testFile {
	t.Helper()
	text, err := AppendTests(nil, "rules.yml", slos, o)
	if err != nil {
		t.Fatal(err)
	}
	var f testFile
	if err := yaml.Unmarshal(text, &f); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return f
}

// firings returns when which rules must fire in one of the tests: "1h1m r".
func (f testFile) firings(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for _, test := range f.Tests {
		if test.Name != name {
			continue
		}
		for _, e := range test.Exprs {
			if !strings.Contains(e.Expr, "ALERTS") {
				continue
			}
			words := []string{e.At}
			for _, s := range e.Samples {
				if s.Value != 1 {
					t.Errorf("%s: a count of %v", e.At, s.Value)
				}
				words = append(words, strings.TrimSuffix(strings.TrimPrefix(s.Labels, `{rule="`), `"}`))
			}
			out = append(out, strings.Join(words, " "))
		}
		return out
	}
	t.Fatalf("no test %q", name)
	return nil
}

// The outage: an hour without errors, half an hour of nothing but errors, an hour
// without. There is a scrape every 30 s; the first with errors is that of 1h0m30s,
// the last that of 1h30m.
func TestOutage(t *testing.T) {
	fast := slo.Rule{Name: "r", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(144, 10)}
	slow := slo.Rule{Name: "r", Severity: slo.Page, Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: slo.NewRatio(6, 1)}
	patient := fast
	patient.For, patient.KeepFiringFor = 2*time.Minute, 3*time.Minute
	counter, gauge := Events{Bad: `r{code="5"}`, Total: "r"}, Events{Up: "up"}
	tests := []struct {
		name     string
		events   Events
		rule     slo.Rule
		coverage slo.Ratio
		want     []string
	}{
		// 0.0144 of the hour's 120 scrapes are 1.728: two of them, at 1h1m. The
		// 5 min lose the last of their errors at 1h35m.
		{"fast", counter, fast, slo.Ratio{}, []string{"1h30s", "1h1m r", "1h34m30s r", "1h35m", "2h30m"}},
		// 2 min after 1h1m; 3 min after 1h35m.
		{"patient", counter, patient, slo.Ratio{}, []string{"1h2m30s", "1h3m r", "1h37m30s r", "1h38m", "2h30m"}},
		// The first stage with errors ends at 1h5m: 10 of 130 scrapes are above
		// 0.006. The 30 min lose their last error at 2h.
		{"slow, staged", counter, slow, slo.Ratio{}, []string{"1h4m30s", "1h5m r", "1h59m30s r", "2h", "2h30m"}},
		// Half of 72 stages end from 0 on until 2h55m: too late for this story.
		{"not covered", counter, slow, slo.NewRatio(1, 2), []string{"2h30m"}},
		// 18 of 72 stages, the first at 0, have ended at 1h25m.
		{"covered", counter, slow, slo.NewRatio(1, 4), []string{"1h24m30s", "1h25m r", "1h59m30s r", "2h", "2h30m"}},
		// A gauge has its first sample after 0, so the first stage ends at 5m.
		{"covered gauge", gauge, slow, slo.NewRatio(1, 4), []string{"1h29m30s", "1h30m r", "1h59m30s r", "2h", "2h30m"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := objective(30*day, tt.events)
			s.Target = slo.MustPercent("99.9")
			s.Policy = slo.Policy{Rules: []slo.Rule{tt.rule}, MinCoverage: tt.coverage}
			f := readTests(t, []SLO{s}, Options{Scrape: 30 * time.Second})
			if got := f.firings(t, "o: outage"); !slices.Equal(got, tt.want) {
				t.Errorf("fires %q, want %q", got, tt.want)
			}
			// 1 error in 1000 is a burn of exactly 1, for an hour.
			if got := f.firings(t, "o: burn of exactly 1"); !slices.Equal(got, []string{"1h"}) {
				t.Errorf("at a burn of exactly 1: fires %q", got)
			}
			if got := f.firings(t, "o: silence"); !slices.Equal(got, []string{"1h", "1h30m", "2h30m"}) {
				t.Errorf("in silence: fires %q", got)
			}
			if got := f.firings(t, "o: no errors yet"); !slices.Equal(got, []string{"1h"}) {
				t.Errorf("without errors: fires %q", got)
			}
		})
	}
}

// The fast page of 99.9 % has a threshold of 0.0144, so at 1 440 bad of 100 000
// events it does not fire and at 1 441 it does, from the second scrape on.
func TestThresholds(t *testing.T) {
	s := objective(30*day, Events{Bad: `r{code="5"}`, Total: "r"})
	s.Target = slo.MustPercent("99.9")
	s.Policy = slo.Policy{Rules: []slo.Rule{{Name: "r", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(144, 10)}}}
	f := readTests(t, []SLO{s}, Options{Scrape: time.Minute, Evaluation: time.Minute})
	for _, tt := range []struct {
		name      string
		good, bad string // in a scrape
		want      []string
	}{
		{"just above its threshold", "+98559x", "+1441x", []string{"0s", "1m r", "10m r"}},
		{"at its threshold", "+98560x", "+1440x", []string{"10m"}},
		// The first ten minutes are above. The 5 min have forgotten them at 15m, where
		// the hour has not: 10 of its 11 parts are 2160 of 100 000, the other one 1080.
		{"only the long window above its threshold", "+98920x", "+1080x", []string{"0s", "1m r", "14m r", "15m", "25m"}},
		{"only the short window above its threshold", "+97840x", "+2160x", []string{"25m"}},
	} {
		name := "o: r: " + tt.name
		if got := f.firings(t, name); !slices.Equal(got, tt.want) {
			t.Errorf("%s: fires %q, want %q", name, got, tt.want)
		}
		for _, test := range f.Tests {
			if test.Name == name && (!strings.Contains(test.InputSeries[0].Values, tt.good) || !strings.Contains(test.InputSeries[1].Values, tt.bad)) {
				t.Errorf("%s: series %q, want %q and %q in them", name, test.InputSeries, tt.good, tt.bad)
			}
		}
	}

	// Half a day of coverage, or of waiting, is not told; nor are rules without a
	// threshold.
	s.Policy.Rules[0].For = 12 * time.Hour
	text, err := AppendTests(nil, "r", []SLO{s}, Options{Scrape: time.Minute, Evaluation: time.Minute})
	if want := `# "o: r": its threshold is not tested, that takes 12h10m`; err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "above its") {
		t.Errorf("%v in\n%s\nwant %s", err, text, want)
	}
	s.Policy.Rules[0] = slo.Rule{Name: "r", Severity: slo.Page, Kind: slo.Silence, Long: time.Hour}
	if text, err = AppendTests(nil, "r", []SLO{s}, Options{Scrape: time.Minute}); err != nil || strings.Contains(string(text), "threshold") {
		t.Errorf("%v, a threshold of silence in\n%s", err, text)
	}
}

// Rules are tested at evaluations half a minute apart, if that is a whole number of
// theirs and their stages end there.
func TestEvaluationOfTests(t *testing.T) {
	for _, tt := range []struct {
		evaluation time.Duration
		slices     time.Duration
		want       string
	}{
		{0, 0, "30s"},
		{time.Second, 0, "30s"},
		{15 * time.Second, 0, "30s"},
		{20 * time.Second, 0, "20s"},
		{time.Minute, 0, "1m"},
		{15 * time.Second, 45 * time.Second, "15s"},
	} {
		s := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
		if tt.slices > 0 {
			s.Slices = &slo.Slicing{Length: tt.slices, Target: slo.MustPercent("99")}
		}
		if f := readTests(t, []SLO{s}, Options{Scrape: 15 * time.Second, Evaluation: tt.evaluation}); f.Evaluation != tt.want {
			t.Errorf("every %v, slices of %v: evaluated every %s, want %s", tt.evaluation, tt.slices, f.Evaluation, tt.want)
		}
	}
}

// The series of the outage: 1000 events every 30 s, 120 times good, 60 times bad,
// 120 times good.
func TestInputSeries(t *testing.T) {
	const rising, flat = "1001000+1000x119", "1120000+0x59"
	all := map[string]string{
		"good": rising + " " + flat + " 1121000+1000x119",
		"bad":  "1000000+0x119 1001000+1000x59 1060000+0x119",
		"both": rising + " 1121000+1000x59 1181000+1000x119",
		"up":   "1+0x119 0+0x59 1+0x119", // and none at 0
	}
	tests := []struct {
		name   string
		events Events
		want   map[string]string
	}{
		{"bad of total", Events{Bad: `r{job="a",code=~"5.."}`, Total: `r{job="a"}`}, map[string]string{
			`r{code="200",job="a"}`: "good", `r{code="500",job="a"}`: "bad",
		}},
		{"bad beside total", Events{Bad: "errors", Total: "requests"}, map[string]string{"errors{}": "bad", "requests{}": "both"}},
		{"good of total", Events{Good: `r{ok="1"}`, Total: "r"}, map[string]string{`r{ok="1"}`: "good", `r{ok="200"}`: "bad"}},
		{"good beside total", Events{Good: "done", Total: "begun"}, map[string]string{"done{}": "good", "begun{}": "both"}},
		{"bad and good", Events{Bad: `r{c="1"}`, Good: `r{c!="1"}`}, map[string]string{`r{c="1"}`: "bad", `r{c="200"}`: "good"}},
		{"latency", Events{Latency: &Latency{Histogram: `h{job="a"}`, Limit: slo.NewRatio(1, 1)}}, map[string]string{
			`h_bucket{job="a",le="1"}`: "good", `h_count{job="a"}`: "both",
		}},
		{"up", Events{Up: "up"}, map[string]string{"up{}": "up"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := readTests(t, []SLO{withDefaults(t, 30, tt.events)}, Options{Scrape: 30 * time.Second})
			if f.Evaluation != "30s" || len(f.RuleFiles) != 1 || f.RuleFiles[0] != "rules.yml" ||
				!slices.Equal(f.Order, []string{"slo-s-o-sli", "slo-s-o-budget", "slo-s-o-alerts"}) {
				t.Errorf("head of the file: %+v", f)
			}
			got := map[string]string{}
			for _, s := range f.Tests[0].InputSeries {
				_, values, _ := strings.Cut(s.Values, " ")
				for kind, text := range all {
					if values == text {
						got[s.Series] = kind
					}
				}
				if got[s.Series] == "" {
					t.Errorf("%s has %s", s.Series, s.Values)
				}
			}
			if f.Tests[0].Name != "o: outage" || f.Tests[0].Interval != "30s" || !maps.Equal(got, tt.want) {
				t.Errorf("test %q every %s: series %v, want %v", f.Tests[0].Name, f.Tests[0].Interval, got, tt.want)
			}
		})
	}
}

// What cannot be tested is said in a comment, which no id breaks.
func TestNotTested(t *testing.T) {
	slices := &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("99"), NoData: slo.BadNoData}
	tests := []struct {
		name   string
		events Events
		slices *slo.Slicing
		want   string
	}{
		{"native", Events{Latency: &Latency{Histogram: "h", Limit: slo.NewRatio(1, 1), Native: true}}, nil, "promtool makes up no native histograms"},
		{"expression", Events{Bad: "b", Total: "x($window)"}, nil, "an expression hides what is counted"},
		{"ratio", Events{ErrorRatio: "x($window)"}, nil, "an expression hides what is counted"},
		{"bad is not part of total", Events{Bad: `r{a="1"}`, Total: `r{a="2"}`}, nil, "no series was found that r can be told by"},
		{"slices", Events{Bad: "b", Total: "t"}, slices, "its slices before the first sample are bad"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := withDefaults(t, 30, tt.events)
			s.ID, s.Slices = "a\nb", tt.slices
			if s.Slices != nil {
				s.Policy.Rules = s.Policy.Rules[:1]
			}
			text, err := AppendTests(nil, "r", []SLO{s}, Options{Scrape: 30 * time.Second})
			var f testFile
			if err := cmp.Or(err, yaml.Unmarshal(text, &f)); err != nil {
				t.Fatal(err)
			}
			if want := `  # "a\nb": not tested, ` + tt.want + "\n"; !strings.HasSuffix(string(text), want) || len(f.Tests) != 0 {
				t.Errorf("%s\nwant at its end %s", text, want)
			}
		})
	}
}

// What the unit tests expect is what a tracker decides on the same story.
func TestForecastEqualsTracker(t *testing.T) {
	stories := map[string][]phase{
		"outage":  {{cleanFor, perStep, 0}, {downFor, 0, perStep}, {fineFor, perStep, 0}},
		"5 %":     {{cleanFor, 950, 50}, {2 * time.Hour, 995, 5}, {8 * time.Hour, 999, 1}},
		"silence": {{cleanFor, 900, 100}, {downFor, 0, 0}, {7 * time.Hour, 10, 0}},
	}
	const step = 30 * time.Second
	for name, phases := range stories {
		for _, direct := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, direct %t", name, direct), func(t *testing.T) {
				s := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
				if direct {
					s.Policy.Rules[0].For, s.Policy.Rules[1].KeepFiringFor = 7*time.Minute, 11*time.Minute
				}
				s.Policy.Rules[1].MinBad, s.Policy.Rules[2].MinEvents = 70, 100_000
				options := Options{Scrape: step, Evaluation: step, Direct: direct}
				g := generator{o: options, slo: &s}
				if _, err := g.plan(); err != nil {
					t.Fatal(err)
				}
				tracker, err := slo.NewTracker(s.Objective, nil)
				if err != nil {
					t.Fatal(err)
				}
				forecast := newForecast(&g, phases, options)
				forecast.firing(0)
				start, at, fired := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Duration(0), map[string]bool{}
				for _, p := range phases {
					for end := at + p.length; at < end; {
						at += step
						if err := tracker.Observe(start.Add(at), slo.Counts{Good: p.good, Total: p.good + p.bad}); err != nil {
							t.Fatal(err)
						}
						got := forecast.firing(at)
						// Stages end every 5 min; in between, what is staged lags.
						if !direct && at%(5*time.Minute) != 0 {
							continue
						}
						var want []string
						for d := range tracker.Decisions() {
							if d.Firing {
								want = append(want, d.Rule)
								fired[d.Rule] = true
							}
						}
						slices.Sort(want)
						if !slices.Equal(got, want) {
							t.Fatalf("at %v: forecast %q, tracker %q", at, got, want)
						}
					}
				}
				for _, r := range s.Policy.Rules[:3] {
					if !fired[r.Name] {
						t.Errorf("%s never fired: the story says nothing of it", r.Name)
					}
				}
			})
		}
	}
}
