package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
)

// shop are the objectives of testdata/openslo/shop.yaml in the form of this
// program.
const shop = `version: 1
slos:
  - id: shop-30d
    service: web-shop
    owner: shop team
    runbook: https://runbooks.example/shop
    objective_percent: 99.9
    window: 30d
    alerts: [{name: fast, severity: page, long: 1h, short: 5m, burn: 14.4}, {name: slow, severity: ticket, long: 3d, burn: 1, for: 5m}]
    prometheus: {bad: 'http_requests_total{job="shop",code=~"5.."}', total: 'http_requests_total{job="shop"}', scrape: 30s}
  - {id: shop-month, service: web-shop, objective_percent: 99.5, window: calendar_month, timezone: Europe/Lisbon, sli: {kind: time_slices, slice: 5m, good_percent: 99}}
`

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The same objectives give the same result in every format, whichever way they are
// written.
func TestOpenSLO(t *testing.T) {
	var (
		sli    = read(t, "sample", "sli.csv")
		open   = map[string]string{"slo.yaml": read(t, "openslo", "shop.yaml"), "sli.csv": sli}
		native = map[string]string{"slo.yaml": shop, "sli.csv": sli}
		digest = regexp.MustCompile("[0-9a-f]{64}")
	)
	for _, format := range formats {
		args := []string{"-config", "slo.yaml", "-sli", "sli.csv", "-now", "2026-09-17T22:00:00Z", "-scrape", "30s", "-explain", "-format", format}
		if format == "json" {
			args = append(args, "-series")
			a, b := programtest.Result(t, open, args...), programtest.Result(t, native, args...)
			for _, key := range []string{"schema", "at", "slos", "explain"} {
				if !reflect.DeepEqual(a[key], b[key]) {
					t.Errorf("json: %s differ:\n%v\n%v", key, a[key], b[key])
				}
			}
			programtest.Equal(t, a, "slos.0.bad", 2285)   // 1085 and, with maintenance, six rows of 200
			programtest.Equal(t, a, "slos.1.bad", 8+4+13) // slices: noon, maintenance, night
			continue
		}
		a, b := programtest.Run(t, nil, open, args...), programtest.Run(t, nil, native, args...)
		if a.Exit != 0 || b.Exit != 0 || a.Stdout == "" || digest.ReplaceAllString(a.Stdout, "") != digest.ReplaceAllString(b.Stdout, "") {
			t.Errorf("%s: exit %d and %d, %s%s\n%s\n%s", format, a.Exit, b.Exit, a.Stderr, b.Stderr, a.Stdout, b.Stdout)
		}
	}
}

// What OpenSLO leaves open is a warning with its place: in the JSON, and on stderr
// beside other formats, also those for Prometheus.
func TestOpenSLOFindings(t *testing.T) {
	files := map[string]string{"slo.yaml": read(t, "openslo", "shop.yaml"), "sli.csv": header}
	args := []string{"-config", "slo.yaml", "-sli", "sli.csv", "-now", "2026-09-17T22:00:00Z", "-scrape", "30s"}
	r := programtest.Result(t, files, args...)
	for i, want := range []struct{ code, place string }{
		{"no_short_window", "slo.yaml:83:17: spec.alertPolicies[1].spec.conditions[0].spec.condition: "},
		{"default_alerts", `slo.yaml:90:1: objective "shop-month": no alert policies`},
		{"not_counted", `slo.yaml:90:1: openslo: objective "shop-month": budgeting method: want Occurrences`},
	} {
		w := programtest.At(t, r, "warnings").([]any)[i].(map[string]any)
		if w["code"] != want.code || !strings.HasPrefix(w["message"].(string), want.place) {
			t.Errorf("warning %d: %v, want %s at %s", i, w, want.code, want.place)
		}
	}
	for _, format := range []string{"text", "html", "promrules", "promtests", "grafana"} {
		o := programtest.Run(t, nil, files, append(args, "-format", format)...)
		if o.Exit != 0 || !strings.Contains(o.Stderr, "slo.yaml:83:17: ") {
			t.Errorf("%s: exit %d, stderr %s", format, o.Exit, o.Stderr)
		}
	}
}

// A file that is wrong has all its errors told with line and column.
func TestOpenSLOErrors(t *testing.T) {
	shop := read(t, "openslo", "shop.yaml")
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(shop) }
	for _, c := range []struct{ name, text, want string }{
		{"unresolved", edit("indicatorRef: answered", "indicatorRef: answers"), "slo.yaml:62:17: spec.indicatorRef: no SLI \"answers\" in the files (did you mean \"answered\"?)\nslo.yaml:96:17: "},
		{"rolling month", edit("duration: 30d", "duration: 1M"), `slo.yaml:64:17: spec.timeWindow[0].duration: a rolling window of 1M has no length`},
		{"version", edit("apiVersion: openslo/v1\nkind: Service", "apiVersion: openslo/v2\nkind: Service"), `slo.yaml:2:13: apiVersion: found "openslo/v2"`},
		{"key", edit("apiVersion: openslo/v1\nkind: Service", "apiversion: openslo/v1\nkind: Service"), `slo.yaml:2:1: `},
		{"syntax", edit("    - targetPercent: 99.9\n", "    - targetPercent: [\n"), "slo.yaml:"},
		{"no objective", "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n", "slo.yaml:1:1: no object of kind SLO in the file"},
		{"mean of slices", edit("budgetingMethod: Timeslices", "budgetingMethod: RatioTimeslices"), "slo.yaml:105:7: spec.objectives[0]: budgeting method RatioTimeslices: a mean of slices is not followed"},
	} {
		o := programtest.Run(t, nil, map[string]string{"slo.yaml": c.text, "sli.csv": header}, "-config", "slo.yaml", "-sli", "sli.csv")
		if o.Exit != 2 || o.Stdout != "" || !strings.HasPrefix(o.Stderr, c.want) {
			t.Errorf("%s: exit %d, stdout of %d bytes, stderr\n%swant 2, nothing and\n%s", c.name, o.Exit, len(o.Stdout), o.Stderr, c.want)
		}
	}
}

// Objectives of v1alpha are read too. 2 of 100 at 99 % is twice the budget.
func TestOpenSLOAlpha(t *testing.T) {
	const alpha = `apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: orders}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindows: [{unit: Day, count: 28, isRolling: true}]
  objectives:
    - target: 0.99
      ratioMetrics:
        counter: true
        good: {source: prometheus, queryType: promql, query: 'sum(rate(orders_total{result="ok"}[5m]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(orders_total[5m]))'}
`
	r := programtest.Result(t, map[string]string{"slo.yaml": alpha, "sli.csv": header + "2026-10-01T12:00:00Z,shop,98,100\n"},
		"-config", "slo.yaml", "-sli", "sli.csv", "-at", "2026-10-01T12:00:00Z")
	programtest.Equal(t, r, "slos.0.id", "orders")
	programtest.Equal(t, r, "slos.0.budget.consumed_percent", 200)
	programtest.Equal(t, r, "slos.0.window.length_s", 28*86400)
	programtest.Equal(t, r, "slos.0.alerts.0.factor", 13.44) // 2 % of the budget of 28 days in an hour
}

// Rows may stand under the id of an objective, so that two objectives of a service
// may count different events.
func TestRowsById(t *testing.T) {
	const config = "version: 1\nslos:\n" +
		"  - {id: errors, service: api, objective_percent: 99, window: 1d, alerts: none, prometheus: {bad: a_total, total: b_total}}\n" +
		"  - {id: slow, service: api, objective_percent: 99, window: 1d, alerts: none, prometheus: {bad: c_total, total: b_total}}\n" +
		"  - {id: web, service: x, objective_percent: 99, window: 1d, alerts: none}\n" +
		"  - {id: y, service: web, objective_percent: 99, window: 1d, alerts: none}\n"
	run := func(rows string) programtest.Outcome {
		return programtest.Run(t, nil, map[string]string{"slo.yaml": config, "sli.csv": header + rows}, "-config", "slo.yaml", "-sli", "sli.csv", "-at", "2026-10-01T12:00:00Z", "-json")
	}
	row := func(minute, name string, good string) string {
		return "2026-10-01T11:" + minute + ":00Z," + name + "," + good + ",100\n"
	}
	for _, c := range []struct {
		name, rows string
		exit       int
		want       []string
	}{
		{"by id", row("00", "errors", "99") + row("00", "slow", "97"), 0, []string{`"good": 99`, `"good": 97`}},
		{"by service", row("00", "api", "99"), 0, []string{`"code": "shared_rows"`, `"ref": "slow"`}},
		{"both", row("00", "slow", "97") + row("01", "api", "99") + row("02", "api", "99"), 3, []string{`sli.csv:3: time: objective slow has rows under "slow" and under "api", want one of the two` + "\n"}},
		{"a service comes first", row("00", "web", "99"), 0, []string{`"good": 99`}},
	} {
		o := run(c.rows)
		for _, want := range c.want {
			if o.Exit != c.exit || !strings.Contains(o.Stdout+o.Stderr, want) {
				t.Errorf("%s: exit %d, %s%s\nwant %d and %s", c.name, o.Exit, o.Stdout, o.Stderr, c.exit, want)
			}
		}
		if n := strings.Count(o.Stdout, `"good": 99`); c.name == "a service comes first" && n != 1 {
			t.Errorf("%s: %d objectives have the rows, want the one of the service", c.name, n)
		}
	}
}
