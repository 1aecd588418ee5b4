package promrules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

const day = 24 * time.Hour

// objective has one rule, over a window, with a factor of 2: at 99 % a threshold
// of 0.02. Its period is the window, so nothing longer is written.
func objective(window time.Duration, e Events) SLO {
	return SLO{
		Objective: slo.Objective{
			ID: "o", Service: "s", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(window)},
			Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Severity: slo.Page, Long: window, Factor: slo.NewRatio(2, 1)}}},
		},
		Events: e,
	}
}

func mustGenerate(t *testing.T, o Options, slos ...SLO) *File {
	t.Helper()
	f, err := Generate(slos, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rule returns the only rule of a record or alert.
func rule(t *testing.T, f *File, name string) Rule {
	t.Helper()
	var found []Rule
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Record == name || r.Alert == name {
				found = append(found, r)
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rules %s in\n%s", len(found), name, f)
	}
	return found[0]
}

// difference is how counters are counted in a range; by are labels to sum by,
// scale undoes what the function increase adds.
func difference(c, reach, by, scale string) string {
	c += "[" + reach + "]"
	return "sum" + by + "(max_over_time(" + c + ") - min_over_time(" + c + ") and resets(" + c + ") == 0 or increase(" + c + ")" + scale + ")"
}

// The ratio of an hour, for each way to count. 30 s between scrapes make a range
// of 1h29s999ms = 3629.999 s.
func TestEvents(t *testing.T) {
	const scaled = " * 3600 / 3629.999"
	of := func(c string) string { return difference(c, "1h29s999ms", "", scaled) }
	zero := func(c string) string { return "0 * sum(count_over_time(" + c + "[1h29s999ms]))" }
	latency := func(limit slo.Ratio) Events {
		return Events{Latency: &Latency{Histogram: `h{job="api"}`, Limit: limit}}
	}
	tests := []struct {
		name    string
		events  Events
		options Options
		want    string
	}{
		{
			"bad and total",
			Events{Bad: `r{code="500"}`, Total: "r"},
			Options{},
			"(" + of(`r{code="500"}`) + " or vector(0))\n/\n(" + of("r") + " > 0)",
		},
		{
			"good and total",
			Events{Good: "done", Total: "begun"},
			Options{},
			"(clamp_min(" + of("begun") + " - (" + of("done") + " or vector(0)), 0))\n/\n(" + of("begun") + " > 0)",
		},
		{
			"bad and good",
			Events{Bad: "b", Good: "g"},
			Options{},
			"(" + of("b") + " or vector(0))\n/\n((" +
				"(" + of("b") + " or " + zero("g") + ") + (" + of("g") + " or " + zero("b") + ")) > 0)",
		},
		{
			"latency", latency(slo.NewRatio(1, 4)),
			Options{},
			"(clamp_min(" + of(`h_count{job="api"}`) + " - (" + of(`h_bucket{job="api",le="0.25"}`) + "), 0))\n/\n(" + of(`h_count{job="api"}`) + " > 0)",
		},
		{
			"native latency",
			Events{Latency: &Latency{Histogram: "h", Limit: slo.NewRatio(3, 10), Native: true}},
			Options{},
			"(clamp_min(histogram_count(sum(increase(h[1h29s999ms])))" + scaled +
				" - (histogram_fraction(-Inf, 0.3, sum(increase(h[1h29s999ms]))) * histogram_count(sum(increase(h[1h29s999ms])))" + scaled +
				" >= 0 or vector(0)), 0))\n/\n" +
				"(histogram_count(sum(increase(h[1h29s999ms])))" + scaled + " > 0)",
		},
		{
			"up",
			Events{Up: `up{job="api"}`},
			Options{},
			`(clamp_min(sum(count_over_time(up{job="api"}[59m59s999ms])) - (sum(sum_over_time(up{job="api"}[59m59s999ms]))), 0))` + "\n/\n" +
				`(sum(count_over_time(up{job="api"}[59m59s999ms])) > 0)`,
		},
		{
			"expressions",
			Events{Bad: " sum(increase(a[$window])) # comment", Total: "sum(increase(b[$window]))"},
			Options{},
			"((sum(increase(a[1h29s999ms])) # comment\n)" + scaled + " or vector(0))\n/\n" +
				"((sum(increase(b[1h29s999ms])))" + scaled + " > 0)",
		},
		{
			"a counter in an expression",
			Events{Bad: "b", Total: "t($window)"},
			Options{},
			"(" + of("b") + " or vector(0))\n/\n((t(1h29s999ms))" + scaled + " > 0)",
		},
		{
			"error ratio",
			Events{ErrorRatio: "\n1 - sum(rate(a[$window])) / sum(rate(b[$window]))\n"},
			Options{},
			"1 - sum(rate(a[1h29s999ms])) / sum(rate(b[1h29s999ms]))",
		},
		{
			"apart",
			Events{Bad: "b", Total: "t", By: []string{"region", "tier"}},
			Options{},
			"(" + difference("b", "1h29s999ms", " by (region, tier) ", scaled) + " or 0 * sum by (region, tier) (count_over_time(t[1h29s999ms])))\n/\n(" +
				difference("t", "1h29s999ms", " by (region, tier) ", scaled) + " > 0)",
		},
		{
			"an expression apart",
			Events{Bad: "b", Total: "t($window)", By: []string{"tier"}},
			Options{},
			"(" + difference("b", "1h29s999ms", " by (tier) ", scaled) + " or 0 * (t(1h29s999ms))" + scaled + ")\n/\n((t(1h29s999ms))" + scaled + " > 0)",
		},
		{
			"native latency apart",
			Events{Latency: &Latency{Histogram: "h", Limit: slo.NewRatio(3, 10), Native: true}, By: []string{"tier"}},
			Options{},
			"(clamp_min(histogram_count(sum by (tier) (increase(h[1h29s999ms])))" + scaled +
				" - (histogram_fraction(-Inf, 0.3, sum by (tier) (increase(h[1h29s999ms]))) * histogram_count(sum by (tier) (increase(h[1h29s999ms])))" + scaled +
				" >= 0 or 0 * sum by (tier) (count_over_time(h[1h29s999ms]))), 0))\n/\n" +
				"(histogram_count(sum by (tier) (increase(h[1h29s999ms])))" + scaled + " > 0)",
		},
		{
			"scrape not known",
			Events{Bad: "b", Total: "t"},
			Options{Scrape: -1},
			"(sum(increase(b[1h])) or vector(0))\n/\n(sum(increase(t[1h])) > 0)",
		},
		{
			"anchored",
			Events{Bad: "b", Total: "t"},
			Options{Anchored: true},
			"(sum(increase(b[1h] anchored)) or vector(0))\n/\n(sum(increase(t[1h] anchored)) > 0)",
		},
		{
			"expressions cannot be anchored",
			Events{Bad: "b", Total: "t($window)"},
			Options{Anchored: true},
			"(sum(increase(b[1h] anchored)) or vector(0))\n/\n((t(1h29s999ms))" + scaled + " > 0)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Scrape = max(0, tt.options.Scrape)
			if tt.name != "scrape not known" {
				tt.options.Scrape = 30 * time.Second
			}
			f := mustGenerate(t, tt.options, objective(time.Hour, tt.events))
			if got := rule(t, f, "slo:sli_error:ratio_rate1h").Expr; got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// A ratio is rounded before it is compared, but only if that never lifts one above
// its threshold: at 99 %, a factor of 1/3 gives 0.00333…, of 2/3 gives 0.00666…,
// which ends in a 7.
func TestRounding(t *testing.T) {
	for _, tt := range []struct {
		factor, ratio slo.Ratio
		want          bool
	}{
		{factor: slo.NewRatio(2, 1), want: true},
		{factor: slo.NewRatio(1, 3), want: true},
		{factor: slo.NewRatio(2, 3)},
		// "0.333… or more" must not be missed by rounding down.
		{ratio: slo.NewRatio(1, 2), want: true},
		{ratio: slo.NewRatio(1, 3)},
	} {
		s := objective(time.Hour, Events{Bad: "b", Total: "t"})
		s.Policy.Rules[0].Factor = tt.factor
		if tt.ratio.IsSet() {
			s.Policy.Rules[0] = slo.Rule{Name: "r", Severity: slo.Page, Kind: slo.AbsoluteCount, Long: time.Hour, MinBad: 3, AtLeast: tt.ratio}
		}
		f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
		if got := strings.HasPrefix(rule(t, f, "ErrorBudgetBurn").Expr, `round(slo:sli_error:ratio_rate1h{sloth_id="s-o"}, 1e-14) >`); got != tt.want {
			t.Errorf("factor %v, ratio %v: rounded %t, want %t", tt.factor, tt.ratio, got, tt.want)
		}
	}
}

// Two hours are staged: bad and total events of five minutes, and their sums.
func TestStages(t *testing.T) {
	f := mustGenerate(t, Options{Scrape: 30 * time.Second}, objective(2*time.Hour, Events{Bad: "b", Total: "t"}))
	// The range of 5 min and a scrape is 329.999 s long.
	of := func(c string) string { return difference(c, "5m29s999ms", "", " * 300 / 329.999") }
	const id = `{sloth_id="s-o"}`
	for name, want := range map[string]string{
		"slo:sli_total:increase5m":   of("t"),
		"slo:sli_bad:increase5m":     of("b") + " or vector(0)",
		"slo:sli_error:ratio_rate5m": "slo:sli_bad:increase5m" + id + "\n/\n(slo:sli_total:increase5m" + id + " > 0)",
		"slo:sli_error:ratio_rate2h": "sum_over_time(slo:sli_bad:increase5m" + id + "[1h59m59s999ms:5m])\n/\n" +
			"(sum_over_time(slo:sli_total:increase5m" + id + "[1h59m59s999ms:5m]) > 0)",
	} {
		if got := rule(t, f, name).Expr; got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestSlices(t *testing.T) {
	of := func(c string) string { return difference(c, "1m29s999ms", "", " * 60 / 89.999") }
	ratio := "(" + of("b") + " or vector(0))\n/\n(" + of("t") + " > 0)"
	bad := "(\nround(" + ratio + ", 1e-14)\n) > bool 0.05"
	tests := []struct {
		noData     slo.NoDataPolicy
		total, bad string
	}{
		{slo.ExcludeNoData, "(\n" + ratio + "\n) * 0 + 1", bad},
		{slo.GoodNoData, "(\n" + ratio + "\n) * 0 + 1\nor on ()\nvector(1)", bad + "\nor on ()\nvector(0)"},
		{slo.BadNoData, "(\n" + ratio + "\n) * 0 + 1\nor on ()\nvector(1)", bad + "\nor on ()\nvector(1)"},
	}
	for _, tt := range tests {
		s := objective(time.Hour, Events{Bad: "b", Total: "t"})
		s.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("95"), NoData: tt.noData}
		f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
		if got := rule(t, f, "slo:sli_total:slices1m").Expr; got != tt.total {
			t.Errorf("no data %s: total\n%s\nwant\n%s", tt.noData, got, tt.total)
		}
		if got := rule(t, f, "slo:sli_bad:slices1m").Expr; got != tt.bad {
			t.Errorf("no data %s: bad\n%s\nwant\n%s", tt.noData, got, tt.bad)
		}
		const id = `{sloth_id="s-o"}`
		want := "sum_over_time(slo:sli_bad:slices1m" + id + "[59m59s999ms:1m])\n/\n(sum_over_time(slo:sli_total:slices1m" + id + "[59m59s999ms:1m]) > 0)"
		if got := rule(t, f, "slo:sli_error:ratio_rate1h").Expr; got != want {
			t.Errorf("no data %s:\n%s\nwant\n%s", tt.noData, got, want)
		}
	}

	// The burn rate now of slices of an hour is that of the last hour.
	s := objective(6*time.Hour, Events{Bad: "b", Total: "t"})
	s.Slices = &slo.Slicing{Length: time.Hour, Target: slo.MustPercent("95")}
	f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
	if got, want := rule(t, f, "slo:current_burn_rate:ratio").Expr, `sum without (sloth_window) (slo:sli_error:ratio_rate1h{sloth_id="s-o"}) / 0.01`; got != want {
		t.Errorf("burn rate now: %s, want %s", got, want)
	}
}

// The thresholds of 99.9 % at 30 and at 28 days: factor · 0.001, with the factor
// share · period / long.
func TestAlertExpressions(t *testing.T) {
	for _, tt := range []struct {
		days int
		want map[string]string // by rule
	}{
		{30, map[string]string{
			"page-fast":   "round(slo:sli_error:ratio_rate1h%s, 1e-14) > 0.0144\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate5m%s, 1e-14) > 0.0144",
			"page-slow":   "round(slo:sli_error:ratio_rate6h%s, 1e-14) > 0.006\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate30m%s, 1e-14) > 0.006",
			"ticket-fast": "round(slo:sli_error:ratio_rate1d%s, 1e-14) > 0.003\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate2h%s, 1e-14) > 0.003",
			"ticket-slow": "round(slo:sli_error:ratio_rate3d%s, 1e-14) > 0.001\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate6h%s, 1e-14) > 0.001",
		}},
		{28, map[string]string{
			"page-fast":   "round(slo:sli_error:ratio_rate1h%s, 1e-14) > 0.01344\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate5m%s, 1e-14) > 0.01344",
			"page-slow":   "round(slo:sli_error:ratio_rate6h%s, 1e-14) > 0.0056\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate30m%s, 1e-14) > 0.0056",
			"ticket-fast": "round(slo:sli_error:ratio_rate1d%s, 1e-14) > 0.0028\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate2h%s, 1e-14) > 0.0028",
			"ticket-slow": "round(slo:sli_error:ratio_rate3d%s, 1e-14) > 0.0009333333333333333\nand ignoring (sloth_window)\nround(slo:sli_error:ratio_rate6h%s, 1e-14) > 0.0009333333333333333",
		}},
	} {
		s := withDefaults(t, tt.days, Events{Bad: "b", Total: "t"})
		f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
		seen := 0
		for _, r := range f.Groups[2].Rules[:4] {
			seen++
			want := strings.ReplaceAll(tt.want[label(r, "rule")], "%s", `{sloth_id="s-o"}`)
			if r.Expr != want {
				t.Errorf("%d days, %s:\n%s\nwant\n%s", tt.days, label(r, "rule"), r.Expr, want)
			}
		}
		if seen != len(tt.want) {
			t.Errorf("%d alerts, want %d", seen, len(tt.want))
		}
	}
}

func withDefaults(t *testing.T, days int, e Events) SLO {
	t.Helper()
	s := objective(time.Duration(days)*day, e)
	s.Target = slo.MustPercent("99.9")
	var err error
	if s.Policy, err = slo.DefaultPolicy(s.Windows[0]); err != nil {
		t.Fatal(err)
	}
	return s
}

func label(r Rule, name string) string {
	for _, l := range r.Labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

func TestGates(t *testing.T) {
	const limit = `round(slo:sli_error:ratio_rate2h{sloth_id="s-o"}, 1e-14) > 0.02`
	const direct = `round(slo:sli_error:ratio_rate1h{sloth_id="s-o"}, 1e-14) > 0.02`
	tests := []struct {
		name   string
		long   time.Duration
		by     []string
		change func(*SLO)
		want   string
	}{
		{
			"events, staged", 2 * time.Hour, nil, func(s *SLO) { s.Policy.Rules[0].MinEvents = 20 },
			limit + "\nand on ()\nround(sum_over_time(slo:sli_total:increase5m{sloth_id=\"s-o\"}[1h59m59s999ms:5m]), 0.000001) >= 20",
		},
		{
			"bad, direct, apart", time.Hour,
			[]string{"region"},
			func(s *SLO) { s.Policy.Rules[0].MinBad = 3 },
			direct + "\nand on (region)\nround(" + difference("b", "1h29s999ms", " by (region) ", " * 3600 / 3629.999") +
				" or 0 * sum by (region) (count_over_time(t[1h29s999ms])), 0.000001) >= 3",
		},
		// 2 h have 24 stages; 0.9 of them are 21.6, so 22 are wanted.
		{
			"coverage", 2 * time.Hour, nil, func(s *SLO) { s.Policy.MinCoverage = slo.NewRatio(9, 10) },
			limit + "\nand on ()\ncount_over_time(slo:sli_total:increase5m{sloth_id=\"s-o\"}[1h59m59s999ms:5m]) >= 22",
		},
		{"coverage of nothing", 2 * time.Hour, nil, func(s *SLO) { s.Policy.MinCoverage = slo.NewRatio(0, 1) }, limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := objective(tt.long, Events{Bad: "b", Total: "t", By: tt.by})
			tt.change(&s)
			f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
			if got := rule(t, f, "ErrorBudgetBurn").Expr; got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}

	// The hour of the fastest page is not staged, but its stages can be counted:
	// 12 · 0.9 = 10.8.
	s := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
	s.Policy.MinCoverage = slo.NewRatio(9, 10)
	f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
	if got, want := f.Groups[2].Rules[0].Expr, "count_over_time(slo:sli_total:increase5m{sloth_id=\"s-o\"}[59m59s999ms:5m]) >= 11"; !strings.HasSuffix(got, want) {
		t.Errorf("fast page with coverage:\n%s\nwant at its end\n%s", got, want)
	}
}

func TestStageChoice(t *testing.T) {
	const s = time.Second
	windows := func(of ...time.Duration) []time.Duration { return of }
	month := windows(5*time.Minute, 30*time.Minute, time.Hour, 2*time.Hour, 6*time.Hour, day, 3*day)
	week := windows(70*s, 300*s, 420*s, 840*s, 1680*s, 5040*s, 20160*s, 60480*s)
	tests := []struct {
		name               string
		period             time.Duration
		windows            []time.Duration
		scrape, evaluation time.Duration
		want               time.Duration
	}{
		{"30 days at 15 s", 30 * day, month, 15 * s, 15 * s, 300 * s},
		{"at 20 s", 30 * day, month, 20 * s, 20 * s, 300 * s},
		{"at 45 s: 225 is 5 times 45 and a 32nd of 2 h", 30 * day, month, 15 * s, 45 * s, 225 * s},
		{"at 70 s: no multiple of it up to 300 divides 2 h", 30 * day, month, 15 * s, 70 * s, 0},
		{"scrapes that do not divide the stage are counted all the same", 30 * day, month, 45 * s, 30 * s, 300 * s},
		{"scaled to a week: 240 divides 20160", 7 * day, week, 30 * s, 30 * s, 240 * s},
		{"a calendar period sets no bounds", 0, month, 30 * s, 30 * s, 300 * s},
		{"nothing is long", 0, windows(5*time.Minute, time.Hour), 30 * s, 30 * s, 0},
		{"a short period", time.Hour, windows(5*time.Minute, time.Hour), 30 * s, 30 * s, 0},
		{"scrape not known", 30 * day, month, 0, 30 * s, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := generator{o: Options{Scrape: tt.scrape, Evaluation: tt.evaluation}, slo: &SLO{}, period: tt.period}
			if err := g.chooseStage(tt.windows); err != nil || g.stage != tt.want {
				t.Errorf("stage %v, %v, want %v", g.stage, err, tt.want)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	calendar := objective(time.Hour, Events{Bad: "b", Total: "t"})
	calendar.Windows = []slo.Window{slo.Calendar(slo.Month, nil)}
	calendar.Policy.Rules[0].Short = 2 * time.Minute
	long := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
	several := long
	several.Windows = []slo.Window{slo.Calendar(slo.Month, nil), slo.Rolling(30 * day), slo.Rolling(7 * day), slo.Rolling(day), slo.Rolling(7 * day)}
	tests := []struct {
		name string
		slo  SLO
		o    Options
		want []string
	}{
		{"nothing to say", long, Options{Scrape: 30 * time.Second}, nil},
		{"scrape not known", long, Options{}, []string{"warning: o: the scrape interval is not known: ranges are not compensated and nothing is staged"}},
		{
			"no stage", long,
			Options{Scrape: 15 * time.Second, Evaluation: 70 * time.Second},
			[]string{"warning: o: the long windows have no common stage of whole evaluations: raw samples are read"},
		},
		{"asked for", long, Options{Scrape: 15 * time.Second, Evaluation: 70 * time.Second, Direct: true}, nil},
		{"calendar, 2 min at 45 s", calendar, Options{Scrape: 45 * time.Second}, []string{
			"warning: o: Prometheus has no calendar: no series about the period are written",
			"warning: o: rule r: short window 2m0s is below four scrape intervals of 45s",
		}},
		{"several windows", several, Options{Scrape: 30 * time.Second}, []string{
			"warning: o: window calendar_month: Prometheus has no calendar: no series about it are written",
			"warning: o: window 1w: its error ratio is recorded, the series about the period are those of 30d",
			"warning: o: window 1d: its error ratio is recorded, the series about the period are those of 30d",
		}},
		{"rate beside a counter", objective(time.Hour, Events{Bad: "sum(rate(b[$window]))", Total: "t"}), Options{Scrape: 15 * time.Second}, []string{
			"warning: o: bad uses rate, which is events per second: want increase, the events of the window",
			"warning: o: rates and increases are divided by each other: the error ratio is wrong by a factor of the seconds in the window",
		}},
		{"rates", objective(time.Hour, Events{Bad: "sum(irate (b[$window]))", Total: "sum(rate(t[$window]))"}), Options{Scrape: 15 * time.Second}, []string{
			"warning: o: bad uses rate, which is events per second: want increase, the events of the window",
			"warning: o: total uses rate, which is events per second: want increase, the events of the window",
		}},
		{"no rate", objective(time.Hour, Events{Bad: "sum(increase(my_rate[$window]))", Total: "slow:rate"}), Options{Scrape: 15 * time.Second}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, n := range mustGenerate(t, tt.o, tt.slo).Notes {
				got = append(got, n.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("notes %q, want %q", got, tt.want)
			}
		})
	}
}

// Every rolling window has its error ratio, from the same stages.
func TestFurtherWindows(t *testing.T) {
	s := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
	s.Windows = []slo.Window{slo.Calendar(slo.Month, nil), slo.Rolling(30 * day), slo.Rolling(14 * day)}
	f := mustGenerate(t, Options{Scrape: 30 * time.Second}, s)
	const id = `{sloth_id="s-o"}`
	got := rule(t, f, "slo:sli_error:ratio_rate2w")
	if want := "sum_over_time(slo:sli_bad:increase5m" + id + "[13d23h59m59s999ms:5m])\n/\n(sum_over_time(slo:sli_total:increase5m" + id + "[13d23h59m59s999ms:5m]) > 0)"; got.Expr != want || label(got, "sloth_window") != "2w" {
		t.Errorf("%s, window %q, want\n%s", got.Expr, label(got, "sloth_window"), want)
	}
	if days := rule(t, f, "slo:time_period:days").Expr; days != "vector(30)" {
		t.Errorf("days of the period: %s, want those of the first rolling window, 30", days)
	}
	rule(t, f, "slo:sli_error:ratio_rate30d")
	rule(t, mustGenerate(t, Options{Scrape: 30 * time.Second, Names: Pyrra}, s), "t:burnrate2w")
}

// A series is recorded once, whatever windows and periods have in common, and a
// rule of a file has a name of its own.
func TestRecordedOnce(t *testing.T) {
	calendar := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
	calendar.ID, calendar.Windows = "c", []slo.Window{slo.Calendar(slo.Month, nil), slo.Rolling(3 * day)} // as long as the slow ticket
	for _, names := range []Names{Sloth, Pyrra} {
		f := mustGenerate(t, Options{Scrape: 30 * time.Second, Names: names}, withDefaults(t, 30, Events{Bad: "b", Total: "t"}), calendar)
		seen := map[string]bool{}
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				key := fmt.Sprint(r.Record, r.Alert, r.Labels)
				if seen[key] {
					t.Errorf("twice: %s", key)
				}
				seen[key] = true
			}
			if seen[g.Name] {
				t.Errorf("two groups %s", g.Name)
			}
			seen[g.Name] = true
		}
		if len(f.Groups) != 6 {
			t.Errorf("%d groups, want 6", len(f.Groups))
		}
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	s := withDefaults(t, 30, Events{Bad: `b{code="5"}`, Total: "b", By: []string{"region"}})
	s.Labels, s.Annotations = map[string]string{}, map[string]string{}
	for name := range strings.FieldsSeq("q w e r t z u i o p") {
		s.Labels[name], s.Annotations["x"+name] = name, name
	}
	options := Options{Scrape: 30 * time.Second}
	first := mustGenerate(t, options, s)
	text, object := first.String(), string(first.AppendPrometheusRule(nil, "n", "o", s.Labels))
	tests, err := AppendTests(nil, "rules.yml", []SLO{s}, options)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		f := mustGenerate(t, options, s)
		again, err := AppendTests(nil, "rules.yml", []SLO{s}, options)
		if f.String() != text || string(f.AppendPrometheusRule(nil, "n", "o", s.Labels)) != object || string(again) != string(tests) || err != nil {
			t.Fatalf("another text for the same input, %v", err)
		}
	}
}
