package openslo_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
)

func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// random makes an objective that OpenSLO can express.
func random(r *rand.Rand) openslo.Objective {
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	metric := func() *openslo.Metric {
		return &openslo.Metric{
			DataSource: pick("", "metrics", "0x10"), Type: pick("Prometheus", "Datadog", "yes", "1.5"),
			Spec: map[string]string{"query": pick("", "up", "a: b # c", "'", "multi\nline\n", " blank ", "null", "é☃\t\u0085", "~"), pick("region", "<<", "on"): pick("eu", "1")},
		}
	}
	o := openslo.Objective{
		Objective: slo.Objective{
			ID: fmt.Sprint(pick("checkout", "Yes", "a/1", "12", "x: y"), r.IntN(100)), Service: pick("shop", "null", "#"),
			Owner: pick("", "pay", "0o7"), Runbook: pick("", "https://example.com/r#1"),
			Risk: slo.Risk{OnRule: r.IntN(2) == 0, OnForecast: r.IntN(2) == 0},
		},
		Title: pick("", "Checkout"), Description: pick("", "two\nlines", "- item"), DisplayName: pick("", "strict"),
		Method: slo.Occurrences, Weight: slo.NewRatio(1, 1),
	}
	o.SLO = o.ID
	den := int64(2 + r.IntN(1_000_000))
	target, err := slo.NewTarget(slo.NewRatio(den-1-r.Int64N(den-1), den))
	if err != nil {
		panic(err)
	}
	o.Target = target
	if r.IntN(2) == 0 {
		o.Target = slo.MustPercent(pick("99.9", "99.999999999", "0.00001", "95"))
	}
	zone := location(pick("UTC", "Europe/Amsterdam", "America/New_York", "Pacific/Apia"))
	switch r.IntN(3) {
	case 0:
		o.Windows = []slo.Window{slo.Rolling(time.Duration(1+r.IntN(100_000)) * time.Minute)}
	case 1:
		o.Windows = []slo.Window{slo.Calendar(slo.Day+slo.Unit(r.IntN(5)), zone)}
	default: // off the calendar's own boundaries
		anchor := time.Date(2000+r.IntN(40), time.Month(1+r.IntN(12)), 2+r.IntN(27), r.IntN(24), r.IntN(60), 1+r.IntN(59), 0, time.UTC)
		o.Windows = []slo.Window{slo.Anchored(anchor, 1+r.IntN(9), slo.Day+slo.Unit(r.IntN(5)), zone)}
	}
	switch r.IntN(3) {
	case 0:
		o.Method = slo.Timeslices
		o.Slices = &slo.Slicing{Length: time.Duration(1+r.IntN(200)) * time.Minute, Target: slo.MustPercent(pick("95", "100", "0.1")), NoData: slo.NoDataPolicy(r.IntN(3))}
	case 1:
		o.Method, o.SliceLength = slo.RatioTimeslices, time.Duration(1+r.IntN(200))*time.Minute
	}
	o.Indicator = openslo.Indicator{Name: pick("", "ok"), DisplayName: pick("", "OK"), Description: pick("", "good ones")}
	switch r.IntN(4) {
	case 0:
		o.Indicator.Good, o.Indicator.Total, o.Indicator.Counter = metric(), metric(), r.IntN(2) == 0
	case 1:
		o.Indicator.Bad, o.Indicator.Total, o.Indicator.Counter = metric(), metric(), r.IntN(2) == 0
	case 2:
		o.Indicator.Raw, o.Indicator.RawType = metric(), pick("success", "failure")
	default:
		o.Indicator.Threshold, o.Op, o.Value = metric(), pick("lt", "lte", "gt", "gte"), slo.NewRatio(r.Int64N(2000)-1000, 8)
	}
	for i := range r.IntN(4) {
		rule := slo.Rule{
			Name: fmt.Sprint(pick("fast", "slow", "~"), i), Severity: slo.Severity(pick("page", "ticket", "sev 1", "true")),
			Long: time.Duration(1+r.IntN(5000)) * time.Minute, Factor: slo.NewRatio(1+r.Int64N(1000), 1+r.Int64N(50)),
			For: time.Duration(r.IntN(3)) * time.Minute, KeepFiringFor: time.Duration(r.IntN(2)) * 90 * time.Second,
			MinEvents: uint64(r.IntN(2)) * 50, MinBad: uint64(r.IntN(3)),
		}
		if r.IntN(2) == 0 {
			rule.Short = rule.Long / 12
		}
		if r.IntN(3) == 0 {
			rule.Alpha = slo.NewRatio(1, 100)
		}
		o.Policy.Rules = append(o.Policy.Rules, rule)
	}
	if r.IntN(3) == 0 {
		o.Policy.MinCoverage, o.Risk.Consumed = slo.NewRatio(1, 3), slo.NewRatio(3, 4)
	}
	if r.IntN(3) == 0 {
		o.BudgetPolicy = slo.DefaultBudgetPolicy()
		o.BudgetPolicy.Actions[0].Text = pick("", "a: \"b\"\n", "<&>")
		o.BudgetPolicy.Unused = slo.NewRatio(r.Int64N(4), 3)
		if o.BudgetPolicy.Unused.Compare(slo.NewRatio(1, 1)) > 0 {
			o.BudgetPolicy.Unused = slo.Ratio{}
		}
	}
	return o
}

// What is written is read back as it was, and written again as the same bytes.
func TestExportLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		want := random(r)
		if want.Validate() != nil {
			t.Fatalf("objective %+v: %v", want, want.Validate())
		}
		written, err := openslo.Append(nil, []openslo.Objective{want})
		if err != nil {
			t.Fatalf("Append(%+v): %v", want, err)
		}
		got := one(t, string(written))
		again, err := openslo.Append(nil, []openslo.Objective{got})
		if err != nil || !bytes.Equal(again, written) {
			t.Fatalf("written again: %v\n%s\nwant\n%s", err, again, written)
		}
		got.Alerts = nil // the policies that the rules became
		if g, w := fmt.Sprintf("%+v", plain(got)), fmt.Sprintf("%+v", plain(want)); g != w {
			t.Fatalf("read back\n%s\nwant\n%s\n%s", g, w, written)
		}
		if !reflect.DeepEqual(got.Windows[0].Period(noon), want.Windows[0].Period(noon)) && want.Windows[0].Kind() == "anchored" {
			t.Fatalf("period %v, want %v", got.Windows[0].Period(noon), want.Windows[0].Period(noon))
		}
	}
}

// A target without end in decimals comes back as it was, however near it is to 0 or
// to 1.
func TestExportOfEndlessTargets(t *testing.T) {
	for _, target := range []slo.Ratio{slo.NewRatio(1, 6431), slo.NewRatio(1, 7e17), slo.NewRatio(3e18-1, 3e18)} {
		o := one(t, base)
		var err error
		if o.Target, err = slo.NewTarget(target); err != nil {
			t.Fatal(err)
		}
		written, err := openslo.Append(nil, []openslo.Objective{o})
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		if got := one(t, string(written)).Target.Ratio(); got.Compare(target) != 0 {
			t.Errorf("target %s came back as %s from\n%s", target, got, written)
		}
	}
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// plain replaces pointers by what they point at.
func plain(o openslo.Objective) any {
	var parts []any
	for _, m := range []*openslo.Metric{o.Indicator.Good, o.Indicator.Bad, o.Indicator.Total, o.Indicator.Raw, o.Indicator.Threshold} {
		if m == nil {
			m = &openslo.Metric{}
		}
		parts = append(parts, *m)
	}
	if o.Slices != nil {
		parts = append(parts, *o.Slices)
	}
	o.Slices = nil
	in := &o.Indicator
	in.Good, in.Bad, in.Total, in.Raw, in.Threshold = nil, nil, nil, nil, nil
	return []any{o, parts}
}

func TestExport(t *testing.T) {
	policy, err := slo.DefaultPolicy(slo.Rolling(28 * 24 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	policy.Rules = policy.Rules[3:] // 3 d and 6 h at 14/15
	o := openslo.Objective{
		Objective: slo.Objective{ID: "checkout", Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(28 * 24 * time.Hour)}, Policy: policy},
		Indicator: openslo.Indicator{
			Counter: true,
			Bad:     &openslo.Metric{Type: "Prometheus", Spec: map[string]string{"query": `requests_total{code=~"5.."}`}},
			Total:   &openslo.Metric{Type: "Prometheus", Spec: map[string]string{"query": "requests_total"}},
		},
	}
	got, err := openslo.Append([]byte("# ours\n"), []openslo.Objective{o})
	if err != nil {
		t.Fatal(err)
	}
	want := `# ours
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: requests_total{code=~"5.."}
        total:
          metricSource:
            type: Prometheus
            spec:
              query: requests_total
  timeWindow:
  - duration: 28d
    isRolling: true
  budgetingMethod: Occurrences
  objectives:
  - target: 0.999
  alertPolicies:
  - kind: AlertPolicy
    metadata:
      name: ticket-slow
    spec:
      alertWhenNoData: false
      alertWhenResolved: false
      alertWhenBreaching: true
      conditions:
      - kind: AlertCondition
        metadata:
          name: ticket-slow
          annotations:
            evenkeel/factor: 14/15
            evenkeel/short-window: 6h
        spec:
          severity: ticket
          condition:
            kind: burnrate
            threshold: 0.9333333333333333
            lookbackWindow: 3d
            alertAfter: 0m
      notificationTargets: []
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if empty, err := openslo.Append(nil, nil); err != nil || len(empty) != 0 {
		t.Errorf("nothing is written as %q, %v", empty, err)
	}
	two, err := openslo.Append(nil, []openslo.Objective{o, one(t, threshold+"#")})
	if err == nil {
		_, err = openslo.Parse("two.yaml", two)
	}
	if err == nil || !strings.Contains(err.Error(), "duplicate") && !strings.Contains(err.Error(), `a second SLO "checkout"`) {
		t.Errorf("two of a name: %v", err)
	}
}

func TestExportErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*openslo.Objective)
		field  string
		rule   string
	}{
		{"100 percent", func(o *openslo.Objective) { o.Target = slo.MustPercent("100") }, "target", ""},
		{"next to nothing", func(o *openslo.Objective) {
			o.Target, _ = slo.NewTarget(slo.NewRatio(1, 3e18))
		}, "target", ""},
		{"two windows", func(o *openslo.Objective) { o.Windows = append(o.Windows, slo.Rolling(time.Hour)) }, "windows", ""},
		{"window of seconds", func(o *openslo.Objective) { o.Windows[0] = slo.Rolling(90 * time.Second) }, "window", ""},
		{"anchor between seconds", func(o *openslo.Objective) {
			o.Windows[0] = slo.Anchored(time.Unix(0, 1), 1, slo.Day, nil)
		}, "window", ""},
		{"zone of the machine", func(o *openslo.Objective) { o.Windows[0] = slo.Calendar(slo.Month, time.Local) }, "window", ""},
		{"long window of seconds", func(o *openslo.Objective) { o.Policy.Rules[0].Long = 70 * time.Second }, "long window", "fast-burn"},
		{"for of seconds", func(o *openslo.Objective) { o.Policy.Rules[0].For = time.Second }, "for", "fast-burn"},
		{"no severity", func(o *openslo.Objective) { o.Policy.Rules[0].Severity = "" }, "severity", "fast-burn"},
		{"silence", func(o *openslo.Objective) {
			o.Policy.Rules[0] = slo.Rule{Name: "fast-burn", Severity: slo.Page, Kind: slo.Silence, Long: time.Hour}
		}, "kind", "fast-burn"},
		{"no service", func(o *openslo.Objective) { o.Service = "" }, "service", ""},
		{"no indicator", func(o *openslo.Objective) { o.Indicator = openslo.Indicator{} }, "indicator", ""},
		{"no metric type", func(o *openslo.Objective) { o.Indicator.Total = &openslo.Metric{} }, "metric", ""},
		{"other method", func(o *openslo.Objective) { o.Method = slo.WeightedAverage }, "budgeting method", ""},
		{"slices without length", func(o *openslo.Objective) { o.Method = slo.RatioTimeslices }, "timeSliceWindow", ""},
		{"not UTF-8", func(o *openslo.Objective) { o.Service = "\xff" }, `"\xff"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := one(t, alerting)
			c.change(&o)
			b, err := openslo.Append([]byte("kept"), []openslo.Objective{o})
			var refused *openslo.ExportError
			if !errors.As(err, &refused) || refused.Field != c.field || refused.Rule != c.rule || refused.Objective != "checkout" || b != nil {
				t.Errorf("Append = %q, %v, want an error of %q in rule %q", b, err, c.field, c.rule)
			}
		})
	}
	o := one(t, base)
	o.Target = slo.Target{}
	if _, err := openslo.Append(nil, []openslo.Objective{o}); err == nil {
		t.Error("an objective without target was written")
	}
}

// Fields that are not part of OpenSLO, comments and the spelling of numbers
// survive, in all versions.
func TestUnknownFieldsSurvive(t *testing.T) {
	const own = "  x-own: {list: [1, 2.50, 0x1F], deep: {a: null, b: ''}, nulls: [{c: }, {d}]} # mine\n"
	for _, text := range []string{base, references, alpha, beta} {
		text = edit(text, "spec:\n", "spec:\n"+own, "target: 0.99", "x-goal: 007, target: 0.99")
		if !strings.Contains(text, "{displayName: promise, x-goal") {
			text = edit(text, "x-goal: 007, target", "x-goal: 007\n      target")
		}
		file := parse(t, text)
		written, err := file.AppendYAML(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"x-own: {list: [1, 2.50, 0x1F], deep: {a: null, b: ''}, nulls: [{c: null}, {d: null}]} # mine\n", "x-goal: 007"} {
			if !strings.Contains(string(written), want) {
				t.Errorf("%q is missing in\n%s", want, written)
			}
		}
		again := parse(t, string(written))
		if len(again.Objectives) != len(file.Objectives) {
			t.Fatalf("%d objectives, want %d", len(again.Objectives), len(file.Objectives))
		}
		for i := range again.Objectives {
			if !same(again.Objectives[i], file.Objectives[i]) {
				t.Errorf("read again\n%+v\nwant\n%+v", again.Objectives[i], file.Objectives[i])
			}
		}
		twice, err := again.AppendYAML(nil)
		if err != nil || !bytes.Equal(twice, written) {
			t.Errorf("written twice: %v\n%s\nwant\n%s", err, twice, written)
		}
	}
}

func same(a, b openslo.Objective) bool {
	return fmt.Sprintf("%+v", plain(a)) == fmt.Sprintf("%+v", plain(b))
}
