package promrules

import (
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 999 * time.Microsecond, "1ms": time.Millisecond, "90ms": 90 * time.Millisecond, "1s": time.Second, "1m10s": 70 * time.Second,
		"5m29s999ms": 329999 * time.Millisecond, "1h24m": 84 * time.Minute, "2h": 2 * time.Hour, "1d": day, "3d": 3 * day, "10d": 10 * day,
		"30d": 30 * day, "90d": 90 * day, "29d23h59m59s999ms": 30*day - time.Millisecond,
		// As Prometheus itself prints them, and so the names of Sloth and Pyrra.
		"1w": 7 * day, "4w": 28 * day, "1y": 365 * day, "2y": 730 * day,
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestAppendSeconds(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"300": 300 * time.Second, "329.999": 329999 * time.Millisecond, "0.5": 500 * time.Millisecond, "0.05": 50 * time.Millisecond, "2592000": 30 * day,
	} {
		if got := string(appendSeconds(nil, d)); got != want {
			t.Errorf("appendSeconds(%v) = %q, want %q", d, got, want)
		}
	}
}

// The first text is what promtool is given; Go writes %g, Prometheus 3 makes "10" a
// "10.0", Python writes "10.0", Java Double.toString: an exponent below 1e-3 and
// from 1e7 on.
func TestBoundTexts(t *testing.T) {
	for _, tt := range []struct {
		bound float64
		want  []string
	}{
		{1, []string{"1", "1.0"}},
		{1.0, []string{"1", "1.0"}},
		{10, []string{"10", "10.0"}},
		{0.5, []string{"0.5"}},
		{0.25, []string{"0.25"}},
		{0.3, []string{"0.3"}},
		{1e-3, []string{"0.001"}},
		{5e-4, []string{"0.0005", "5.0E-4"}},
		{1e-5, []string{"0.00001", "1e-05", "1.0E-5"}},
		{2.5e-5, []string{"0.000025", "2.5e-05", "2.5E-5"}},
		{1e6, []string{"1000000", "1000000.0", "1e+06"}},
		{1e7, []string{"10000000", "10000000.0", "1e+07", "1.0E7"}},
	} {
		if got := boundTexts(tt.bound); !slices.Equal(got, tt.want) {
			t.Errorf("boundTexts(%g) = %q, want %q", tt.bound, got, tt.want)
		}
	}
}

func TestBucket(t *testing.T) {
	for _, tt := range []struct {
		histogram, limit, want string
	}{
		{"h", "0.25", `h_bucket{le="0.25"}`},
		{"h{}", "0.250", `h_bucket{le="0.25"}`},
		{`h{job="a"}`, "1", `h_bucket{job="a",le=~"1|1\\.0"}`},
		{"h {job='a', x=\"}\" , }", "10.0", `h_bucket{job='a', x="}" ,le=~"10|10\\.0"}`},
		{"h", "1000000", `h_bucket{le=~"1000000|1000000\\.0|1e\\+06"}`},
	} {
		limit, err := slo.ParseRatio(tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Latency{Histogram: tt.histogram, Limit: limit}).bucket(); got != tt.want {
			t.Errorf("bucket of %q at %s = %q, want %q", tt.histogram, tt.limit, got, tt.want)
		}
	}
}

// Texts of the user come out of the template engine as they went in.
func TestEscapeTemplate(t *testing.T) {
	for _, text := range append(slices.Clone(awkward), "{", "{{", "{{{", "{{{{", "a {{- $x -}} b", "{{/* c */}}", "{{`", "}}{{") {
		var out strings.Builder
		parsed, err := template.New("").Parse(escapeTemplate(text) + ".")
		if err == nil {
			err = parsed.Execute(&out, nil)
		}
		if err != nil || out.String() != text+"." {
			t.Errorf("escapeTemplate(%q): %q, %v", text, out.String(), err)
		}
	}
}

// An alert says what it is in labels and annotations: our texts are literal, the
// annotations of the user are templates.
func TestAlertTexts(t *testing.T) {
	s := objective(2*time.Hour, Events{Bad: "b", Total: `t{x="{{"}`})
	s.ID, s.Service, s.Runbook = `o "{{x}}"`, "s\n", "https://x/{{y}}"
	s.Labels = map[string]string{"team": "{{ a"}
	s.Annotations = map[string]string{"dashboard": "https://d/{{ $labels.rule }}"}
	s.Policy.Rules[0].Short, s.Policy.Rules[0].For, s.Policy.Rules[0].KeepFiringFor = 5*time.Minute, time.Minute, 2*time.Minute
	f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
	const open = `{{"{{"}}`
	got := rule(t, f, "ErrorBudgetBurn")
	want := []Label{
		{"long_window", "2h"},
		{"rule", "r"},
		{"severity", "page"},
		{"short_window", "5m"},
		{"sloth_id", "s\n-o \"" + open + "x}}\""},
		{"sloth_service", "s\n"},
		{"sloth_severity", "page"},
		{"sloth_slo", `o "` + open + `x}}"`},
		{"team", open + " a"},
	}
	if !slices.Equal(got.Labels, want) {
		t.Errorf("labels\n%q\nwant\n%q", got.Labels, want)
	}
	want = []Label{
		{"dashboard", "https://d/{{ $labels.rule }}"},
		{"description", "Over 2h and 5m the error ratio is above 0.02 (objective 99 %). Now: {{ $value | humanizePercentage }} over 2h."},
		{"runbook_url", "https://x/" + open + "y}}"},
		{"summary", `o "` + open + `x}}": the error budget burns more than 2 times too fast`},
	}
	if !slices.Equal(got.Annotations, want) {
		t.Errorf("annotations\n%q\nwant\n%q", got.Annotations, want)
	}
	if got.For != time.Minute || got.KeepFiringFor != 2*time.Minute {
		t.Errorf("for %v, keep firing for %v", got.For, got.KeepFiringFor)
	}
	// Series carry the texts themselves, and selectors find them.
	record := rule(t, f, "slo:sli_error:ratio_rate2h")
	if label(record, "sloth_slo") != s.ID || label(record, "team") != "{{ a" || label(record, "sloth_window") != "2h" {
		t.Errorf("labels of the ratio: %q", record.Labels)
	}
	if id := `{sloth_id="s\n-o \"{{x}}\""}`; !strings.HasPrefix(got.Expr, "round(slo:sli_error:ratio_rate2h"+id+", 1e-14) > 0.02") {
		t.Errorf("expression %q, want the id %s", got.Expr, id)
	}

	absent := rule(t, f, "ErrorBudgetBurnMetricAbsent")
	if absent.Expr != `absent(t{x="{{"})` || absent.For != 10*time.Minute || label(absent, "severity") != "ticket" {
		t.Errorf("alert of missing counters: %+v", absent)
	}
	if got, want := absent.Annotations[1].Value, `No series matches t{x="`+open+`"}. The objective cannot be judged.`; got != want {
		t.Errorf("description %q, want %q", got, want)
	}
}

func TestAbsent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events Events
		o      Options
		want   string
	}{
		{"total", Events{Bad: "b", Total: "t"}, Options{}, "absent(t)"},
		{"good, where errors may not exist yet", Events{Bad: "b", Good: "g"}, Options{}, "absent(g)"},
		{"the bucket", Events{Latency: &Latency{Histogram: "h", Limit: slo.NewRatio(1, 2)}}, Options{}, `absent(h_bucket{le="0.5"})`},
		{"native", Events{Latency: &Latency{Histogram: "h", Limit: slo.NewRatio(1, 2), Native: true}}, Options{}, "absent(h)"},
		{"up", Events{Up: "up"}, Options{}, "absent(up)"},
		{"an expression hides it", Events{Bad: "b", Total: "t($window)"}, Options{}, ""},
		{"not wanted", Events{Bad: "b", Total: "t"}, Options{AbsentFor: -1}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Scrape = 30 * time.Second
			var got string
			for _, g := range mustGenerate(t, tt.o, objective(time.Hour, tt.events)).Groups {
				for _, r := range g.Rules {
					if r.Alert == "ErrorBudgetBurnMetricAbsent" {
						got = r.Expr
					}
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The series that dashboards of Sloth read.
func TestSlothSeries(t *testing.T) {
	s := withDefaults(t, 28, Events{Bad: "b", Total: "t"})
	target, err := slo.NewTarget(slo.NewRatio(67, 72))
	if err != nil {
		t.Fatal(err)
	}
	s.Target, s.Policy.Rules = target, s.Policy.Rules[1:] // of the fast page, 13.44 · 5/72 is close to 1
	f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
	const id = `{sloth_id="s-o"}`
	const sums = "sum_over_time(slo:sli_bad:increase5m" + id + "[27d23h59m59s999ms:5m])\n/\n(sum_over_time(slo:sli_total:increase5m" + id + "[27d23h59m59s999ms:5m]) > 0)"
	// 67/72 = 0.930555…, 5/72 = 0.069444…, each the shortest text of its nearest
	// float64.
	for name, want := range map[string]string{
		"slo:objective:ratio":                     "vector(0.9305555555555556)",
		"slo:error_budget:ratio":                  "vector(0.06944444444444445)",
		"slo:time_period:days":                    "vector(28)",
		"slo:sli_error:ratio_rate4w":              sums,
		"slo:current_burn_rate:ratio":             "sum without (sloth_window) (slo:sli_error:ratio_rate5m" + id + ") / 0.06944444444444445",
		"slo:period_burn_rate:ratio":              "sum without (sloth_window) (slo:sli_error:ratio_rate4w" + id + ") / 0.06944444444444445",
		"slo:period_error_budget_remaining:ratio": "1 - slo:period_burn_rate:ratio" + id + "\nor on ()\nvector(1)",
		"sloth_slo_info":                          "vector(1)",
	} {
		got := rule(t, f, name)
		if got.Expr != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got.Expr, want)
		}
		if label(got, "sloth_id") != "s-o" || label(got, "sloth_service") != "s" || label(got, "sloth_slo") != "o" {
			t.Errorf("%s: labels %q", name, got.Labels)
		}
	}
	if got := label(rule(t, f, "slo:sli_error:ratio_rate4w"), "sloth_window"); got != "4w" {
		t.Errorf("sloth_window %q, want 4w", got)
	}
	info := rule(t, f, "sloth_slo_info")
	if label(info, "sloth_mode") != "evenkeel" || !strings.HasPrefix(label(info, "sloth_objective"), "93.05555555555555") {
		t.Errorf("labels of the info %q", info.Labels)
	}
	// Prometheus forgets a sample after 5 min: what is summed from stages of 5 min
	// is written twice as often.
	if g := f.Groups[1]; g.Name != "slo-s-o-budget" || g.Interval != 150*time.Second {
		t.Errorf("group %s every %v, want slo-s-o-budget every 2m30s", g.Name, g.Interval)
	}
	s.Slices = &slo.Slicing{Length: 30 * time.Minute, Target: slo.MustPercent("99")}
	if g := mustGenerate(t, Options{Scrape: 30 * time.Second}, s).Groups[1]; g.Interval != 150*time.Second {
		t.Errorf("slices of 30 min: group %s every %v, want 2m30s", g.Name, g.Interval)
	}
}

// The series that dashboards of Pyrra read.
func TestPyrraSeries(t *testing.T) {
	s := withDefaults(t, 28, Events{Bad: `http_requests_total{code="5"}`, Total: "http_requests_total"})
	f := mustGenerate(t, Options{Scrape: 30 * time.Second, Names: Pyrra}, s)
	const id = `{slo="o"}`
	sum := func(of string) string {
		return "sum_over_time(slo:sli_" + of + ":increase5m" + id + "[27d23h59m59s999ms:5m])"
	}
	increase := func(c string) string { return difference(c, "5m29s999ms", "", " * 300 / 329.999") }
	for name, want := range map[string]string{
		"pyrra_objective":          "vector(0.999)",
		"pyrra_window":             "vector(2419200)",
		"http_requests:burnrate4w": sum("bad") + "\n/\n(" + sum("total") + " > 0)",
		"http_requests:increase4w": sum("total"),
		"pyrra_availability":       "1 - sum without (window) (http_requests:burnrate4w" + id + ")\nor on ()\nvector(1)",
		"pyrra_requests:rate5m":    "(" + increase("http_requests_total") + ") / 300",
		"pyrra_errors:rate5m":      "(" + increase(`http_requests_total{code="5"}`) + " or vector(0)) / 300",
	} {
		got := rule(t, f, name)
		if got.Expr != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got.Expr, want)
		}
		if label(got, "slo") != "o" || label(got, "sloth_id") != "" {
			t.Errorf("%s: labels %q", name, got.Labels)
		}
	}
	for _, tt := range []struct {
		events Events
		want   string
	}{
		{Events{Bad: "b", Total: "a_total"}, "a"},
		{Events{Bad: "b", Total: "a_seconds_count"}, "a_seconds"},
		{Events{Bad: "b", Good: "g_total{}"}, "g"},
		{Events{Up: "up{}"}, "up"},
		{Events{Latency: &Latency{Histogram: `h_seconds{a="b"}`}}, "h_seconds"},
		{Events{ErrorRatio: "x($window)"}, "slo"},
		{Events{Bad: "b", Total: "x($window)"}, "slo"},
	} {
		if got := (&SLO{Events: tt.events}).metric(); got != tt.want {
			t.Errorf("metric of %+v = %q, want %q", tt.events, got, tt.want)
		}
	}
}
