package openslo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the files name zones; the machine may have none

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
)

// base is the smallest file that has an objective.
const base = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
spec:
  service: shop
  indicator:
    metadata:
      name: requests
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec:
              query: http_requests_total{code!~"5.."}
        total:
          metricSource:
            type: Prometheus
            spec:
              query: http_requests_total
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
`

// alerting is base with an alert policy inline.
const alerting = base + `  alertPolicies:
    - kind: AlertPolicy
      metadata:
        name: fast-burn
      spec:
        alertWhenBreaching: true
        conditions:
          - kind: AlertCondition
            metadata:
              name: burn-14
            spec:
              severity: page
              condition:
                kind: burnrate
                op: gt
                threshold: 14.4
                lookbackWindow: 1h
                alertAfter: 0m
        notificationTargets: []
`

// threshold is an objective over a metric that is compared.
var threshold = edit(base, `      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec:
              query: http_requests_total{code!~"5.."}
        total:
          metricSource:
            type: Prometheus
            spec:
              query: http_requests_total
`, `      thresholdMetric:
        metricSource:
          type: Prometheus
          spec:
            query: queue_age_seconds
`, "    - target: 0.999\n", "    - target: 0.999\n      op: lt\n      value: 2.5\n")

const calendarWindow = `    - duration: 1M
      calendar:
        startTime: 2026-01-01 00:00:00
        timeZone: Europe/Amsterdam
`

// edit replaces pairs of texts, each of which must be there.
func edit(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("no " + pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func parse(t *testing.T, text string) *openslo.File {
	t.Helper()
	file, err := openslo.Parse("slo.yaml", []byte(text))
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return file
}

func one(t *testing.T, text string) openslo.Objective {
	t.Helper()
	file := parse(t, text)
	if len(file.Objectives) != 1 {
		t.Fatalf("%d objectives, want 1", len(file.Objectives))
	}
	return file.Objectives[0]
}

func TestParse(t *testing.T) {
	window := func(o openslo.Objective) string { return o.Windows[0].String() }
	target := func(o openslo.Objective) string { return o.Target.String() }
	rules := func(o openslo.Objective) string {
		var b strings.Builder
		for _, r := range o.Policy.Rules {
			fmt.Fprintf(&b, "%s %s %v/%v > %s for %v\n", r.Name, r.Severity, r.Long, r.Short, r.Factor, r.For)
		}
		return b.String()
	}
	slices := func(o openslo.Objective) string {
		if o.Slices == nil {
			return fmt.Sprintf("%s %v", o.Method, o.SliceLength)
		}
		return fmt.Sprintf("%s %v %s", o.Method, o.Slices.Length, o.Slices.Target)
	}
	sliced := edit(base, "Occurrences", "Timeslices", "- target: 0.999", "- target: 0.99\n      timeSliceTarget: 0.95\n      timeSliceWindow: 1m")
	for _, c := range []struct {
		name string
		text string
		get  func(openslo.Objective) string
		want string
	}{
		{"id", base, func(o openslo.Objective) string { return o.ID + " of " + o.Service }, "checkout of shop"},
		{
			"owner and titles", edit(base, "name: checkout\n", "name: checkout\n  displayName: Checkout\n  labels: {owner: pay, tags: [a, b]}\n", "- target", "- displayName: strict\n      target"),
			func(o openslo.Objective) string { return o.Owner + ", " + o.Title + ", " + o.DisplayName }, "pay, Checkout, strict",
		},
		{"target", base, target, "99.9%"},
		{"target in quotes", edit(base, "0.999", `"0.9995"`), target, "99.95%"},
		// 0.9999999999999999 is 1 - 1e-16, which a float64 rounds to 1 - 1.11e-16.
		{"target is no float", edit(base, "0.999", "0.9999999999999999"), target, "99.99999999999999%"},
		{"percent", edit(base, "target: 0.999", "targetPercent: 99.95"), target, "99.95%"},
		{"rolling", base, window, "rolling 30d"},
		{"rolling weeks", edit(base, "30d", "4w"), window, "rolling 28d"},
		{"calendar month", edit(base, "    - duration: 30d\n      isRolling: true\n", calendarWindow), window, "calendar_month Europe/Amsterdam"},
		{"calendar quarter", edit(base, "    - duration: 30d\n      isRolling: true\n", edit(calendarWindow, "1M", "1Q", "2026-01-01", "2025-10-01")), window, "calendar_quarter Europe/Amsterdam"},
		{"calendar year", edit(base, "    - duration: 30d\n      isRolling: true\n", edit(calendarWindow, "1M", "1Y")), window, "calendar_year Europe/Amsterdam"},
		// 5 January 2026 is a Monday.
		{"calendar week", edit(base, "    - duration: 30d\n      isRolling: true\n", edit(calendarWindow, "1M", "1w", "01-01", "01-05")), window, "calendar_week Europe/Amsterdam"},
		{"week from a Thursday", edit(base, "    - duration: 30d\n      isRolling: true\n", edit(calendarWindow, "1M", "1w")), window, "every 1 weeks from 2026-01-01T00:00:00 Europe/Amsterdam"},
		{"months from noon", edit(base, "    - duration: 30d\n      isRolling: true\n", edit(calendarWindow, "1M", "2M", "00:00:00", "12:00:00\n        # noon")), window, "every 2 months from 2026-01-01T12:00:00 Europe/Amsterdam"},
		{"year from February", edit(base, "    - duration: 30d\n      isRolling: true\n", edit(calendarWindow, "1M", "1Y", "01-01", "02-01")), window, "every 1 years from 2026-02-01T00:00:00 Europe/Amsterdam"},
		{"occurrences", base, slices, "Occurrences 0s"},
		{"slices", sliced, slices, "Timeslices 1m0s 95%"},
		{"slices by number", edit(sliced, "timeSliceWindow: 1m", "timeSliceWindow: 5"), slices, "Timeslices 5m0s 95%"},
		{"all of a slice", edit(sliced, "0.95", "1"), slices, "Timeslices 1m0s 100%"},
		{"ratio slices", edit(sliced, "Timeslices", "RatioTimeslices", "      timeSliceTarget: 0.95\n", ""), slices, "RatioTimeslices 1m0s"},
		{"alert inline", alerting, rules, "fast-burn page 1h0m0s/0s > 72/5 for 0s\n"},
		{"alert after", edit(alerting, "alertAfter: 0m", "alertAfter: 5m"), rules, "fast-burn page 1h0m0s/0s > 72/5 for 5m0s\n"},
		{"no alertAfter", edit(alerting, "                alertAfter: 0m\n", ""), rules, "fast-burn page 1h0m0s/0s > 72/5 for 0s\n"},
		{"short window", edit(alerting, "name: burn-14\n", "name: burn-14\n              annotations: {evenkeel/short-window: 5m}\n"), rules, "fast-burn page 1h0m0s/5m0s > 72/5 for 0s\n"},
		{"downwards", edit(alerting, "op: gt", "op: lte"), rules, ""},
		{"not breaching", edit(alerting, "alertWhenBreaching: true", "alertWhenBreaching: false"), rules, ""},
		{"threshold metric", threshold, func(o openslo.Objective) string {
			return o.Op + " " + o.Value.String() + " " + o.Indicator.Threshold.Query()
		}, "lt 5/2 queue_age_seconds"},
		{"json", `{"apiVersion":"openslo/v1","kind":"SLO","metadata":{"name":"j"},"spec":{"service":"s","budgetingMethod":"Occurrences","timeWindow":[{"duration":"1d","isRolling":true}],"objectives":[{"target":0.5}],"indicator":{"spec":{"ratioMetric":{"counter":true,"bad":{"metricSource":{"type":"x"}},"total":{"metricSource":{"type":"x"}}}}}}}`, target, "50%"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.get(one(t, c.text)); got != c.want {
				t.Errorf("got %q, want %q\n%s", got, c.want, c.text)
			}
		})
	}
}

// A file in which everything is an object of its own.
const references = `apiVersion: openslo/v1
kind: SLO
metadata: {name: search}
spec:
  service: web
  indicatorRef: answered
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {displayName: promise, target: 0.99}
    - {displayName: goal, targetPercent: 99.5}
  alertPolicies:
    - alertPolicyRef: wake
    - file
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: wake}
spec:
  alertWhenBreaching: true
  alertWhenResolved: true
  alertWhenNoData: true
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: phone}]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: file}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: slow}]
  notificationTargets:
    - kind: AlertNotificationTarget
      metadata: {name: board}
      spec: {target: tracker}
---
- apiVersion: openslo/v1
  kind: AlertCondition
  metadata: {name: fast}
  spec: {severity: page, condition: {kind: burnrate, threshold: 6, lookbackWindow: 6h, alertAfter: 2m}}
- apiVersion: openslo/v1
  kind: AlertCondition
  metadata: {name: slow}
  spec: {severity: ticket, condition: {threshold: 1, lookbackWindow: 3d}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: phone}
spec: {target: pager}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered, displayName: Answered}
spec:
  description: searches with an answer
  ratioMetric:
    counter: true
    bad: {metricSource: {metricSourceRef: metrics, spec: {query: searches_failed_total}}}
    total: {metricSource: {metricSourceRef: metrics, spec: {query: searches_total}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: metrics}
spec: {type: Prometheus, connectionDetails: {url: any}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: web}
spec: {description: the site}
`

func TestReferences(t *testing.T) {
	file := parse(t, references)
	if len(file.Objects) != 9 || len(file.Objectives) != 2 {
		t.Fatalf("%d objects and %d objectives, want 9 and 2", len(file.Objects), len(file.Objectives))
	}
	if o := file.Objects[8]; o != (openslo.Object{APIVersion: "openslo/v1", Kind: "Service", Name: "web", File: "slo.yaml", Line: 66}) {
		t.Errorf("the last object is %+v", o)
	}
	for i, want := range []string{"search/1 promise 99%", "search/2 goal 99.5%"} {
		o := file.Objectives[i]
		if got := fmt.Sprint(o.ID, " ", o.DisplayName, " ", o.Target); got != want || o.SLO != "search" || o.Composite {
			t.Errorf("objective %q of %q, composite %v, want %q of \"search\" that stands alone", got, o.SLO, o.Composite, want)
		}
		if o.Indicator.Name != "answered" || o.Indicator.Bad.Type != "Prometheus" || o.Indicator.Bad.DataSource != "metrics" {
			t.Errorf("indicator %+v", o.Indicator)
		}
		want := []slo.Rule{
			{Name: "wake", Severity: slo.Page, Long: 6 * time.Hour, Factor: slo.NewRatio(6, 1), For: 2 * time.Minute},
			{Name: "file", Severity: slo.Ticket, Long: 72 * time.Hour, Factor: slo.NewRatio(1, 1)},
		}
		if got := fmt.Sprint(o.Policy.Rules); got != fmt.Sprint(want) {
			t.Errorf("rules %v, want %v", got, want)
		}
		if a := o.Alerts; len(a) != 2 || !a[0].WhenResolved || !a[0].WhenNoData || a[1].WhenResolved || a[0].Targets[0] != "phone" || a[1].Targets[0] != "board" {
			t.Errorf("alerts %+v", a)
		}
	}
}

// The same objects in two files refer to each other.
func TestParseAll(t *testing.T) {
	cut := strings.LastIndex(references, "---\napiVersion: openslo/v1\nkind: SLI")
	file, err := openslo.ParseAll(openslo.Source{Name: "z.yaml", Data: []byte(references[:cut])}, openslo.Source{Name: "a.yaml", Data: []byte(references[cut:])})
	if err != nil || len(file.Objectives) != 2 {
		t.Fatalf("%d objectives, %v", len(file.Objectives), err)
	}
	_, err = openslo.ParseAll(openslo.Source{Name: "z.yaml", Data: []byte("{}")}, openslo.Source{Name: "a.yaml", Data: []byte("kind: SLO")})
	if want := "z.yaml:1:1: apiVersion"; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "\na.yaml:1:1: apiVersion") {
		t.Errorf("errors\n%v\nwant the files in their order", err)
	}
}

func TestComposite(t *testing.T) {
	text := edit(base, "  indicator:\n    metadata:\n      name: requests\n    spec:\n      ratioMetric:\n        counter: true\n        good:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: http_requests_total{code!~\"5..\"}\n        total:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: http_requests_total\n", "",
		"    - target: 0.999\n", "    - {target: 0.99, indicatorRef: a, compositeWeight: 0.5}\n    - {target: 0.98, indicatorRef: b}\n") + `---
apiVersion: openslo/v1
kind: SLI
metadata: {name: a}
spec: {ratioMetric: {counter: true, bad: {metricSource: {type: Datadog}}, total: {metricSource: {type: Datadog}}}}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: b}
spec: {ratioMetric: {rawType: failure, raw: {metricSource: {type: Datadog}}}}
`
	file := parse(t, text)
	if len(file.Objectives) != 2 {
		t.Fatalf("%d objectives, want 2", len(file.Objectives))
	}
	a, b := file.Objectives[0], file.Objectives[1]
	if !a.Composite || !b.Composite || a.Weight.String() != "1/2" || b.Weight.String() != "1/1" {
		t.Errorf("composite %v %v, weights %s %s, want two parts with 1/2 and 1", a.Composite, b.Composite, a.Weight, b.Weight)
	}
	if a.Indicator.Bad == nil || b.Indicator.RawType != "failure" {
		t.Errorf("indicators %+v and %+v", a.Indicator, b.Indicator)
	}
	wantFinding(t, file, "composite_burn", "- {target: 0.99", text, 0)
	var refused *openslo.ExportError
	if _, err := openslo.Append(nil, file.Objectives); !errors.As(err, &refused) || refused.Field != "composite" {
		t.Errorf("Append = %v, want that a composite is refused", err)
	}
}

// Shapes that are common in files of others: two promises over slices of a
// contract month with an op that means nothing and an empty list of alerts; a
// query in SQL whose source is described elsewhere; an alert policy per tier.
func TestShapes(t *testing.T) {
	contract := parse(t, `apiVersion: openslo/v1
kind: SLO
metadata: {name: uplink, displayName: The line to the office}
spec:
  service: network
  indicator:
    metadata: {name: reachable}
    spec:
      ratioMetric:
        good: {metricSource: {type: Anything, spec: {query: good, step: 30}}}
        total: {metricSource: {type: Anything, spec: {query: all}}}
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: {startTime: 2026-01-01 12:00:00, timeZone: America/New_York}
  budgetingMethod: Timeslices
  objectives:
    - {displayName: ours, op: gt, target: 0.995, timeSliceTarget: 0.99, timeSliceWindow: 1m}
    - {displayName: theirs, target: 0.99, timeSliceTarget: 0.99, timeSliceWindow: 1m}
  alertPolicies:
`)
	if len(contract.Objectives) != 2 || len(contract.Findings) != 1 || contract.Findings[0].Code != "unused_field" {
		t.Errorf("%d objectives, findings %v, want 2 and the op", len(contract.Objectives), contract.Findings)
	}
	o := contract.Objectives[1]
	if o.Slices.Length != time.Minute || o.Slices.Target.String() != "99%" || o.Indicator.Good.Spec["step"] != "30" || len(o.Policy.Rules) != 0 {
		t.Errorf("objective %+v", o)
	}
	// Noon of 1 March in New York is 17:00Z, that of 1 April 16:00Z: 30 days and 23 hours.
	period := o.Windows[0].Period(time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC))
	if got := period.End.Sub(period.Start); got != (30*24+23)*time.Hour {
		t.Errorf("March has %v, want 743h", got)
	}

	sql := one(t, edit(threshold, "type: Prometheus", "metricSourceRef: warehouse", "query: queue_age_seconds", "query: SELECT value FROM t WHERE at > :from\n            cluster: {name: main}"))
	if m := sql.Indicator.Threshold; m.DataSource != "warehouse" || m.Type != "" || m.Query() != "SELECT value FROM t WHERE at > :from" || len(m.Spec) != 1 {
		t.Errorf("metric %+v", m)
	}
	if _, err := sql.Events(); err == nil {
		t.Error("events of an unknown source")
	}
}

// v1alpha as other tools write it, and as its text has it.
const alpha = `apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: pages}
spec:
  service: web
  description: pages that are served
  budgetingMethod: Occurrences
  timeWindows:
    - {count: 30, unit: Day}
  objectives:
    - target: 0.999
      value: 1
      ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: 'sum(rate(pages_total{code!~"5.."}[{{.window}}]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(pages_total[{{.window}}]))'}
`

const beta = `apiVersion: openslo.com/v2alpha
kind: SLO
metadata: {name: pages}
spec:
  service: web
  sli:
    metadata: {name: served}
    spec:
      ratioMetric:
        counter: true
        good: {dataSourceRef: metrics, spec: {query: 'pages_total{code!~"5.."}'}}
        total: {dataSourceSpec: {type: Prometheus, connectionDetails: {url: any}}, spec: {query: pages_total}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
---
apiVersion: openslo.com/v2alpha
kind: DataSource
metadata: {name: metrics}
spec: {type: Prometheus}
`

func TestOtherVersions(t *testing.T) {
	for _, c := range []struct{ name, text string }{{"v1alpha", alpha}, {"v2alpha", beta}} {
		t.Run(c.name, func(t *testing.T) {
			file := parse(t, c.text)
			written, err := file.AppendYAML(nil)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(written), "alpha") {
				t.Errorf("written as\n%s\nwant v1", written)
			}
			for _, o := range []openslo.Objective{one(t, c.text), one(t, string(written))} {
				if o.Windows[0].String() != "rolling 30d" || o.Target.String() != "99.9%" || o.Service != "web" || !o.Indicator.Counter {
					t.Errorf("objective %+v", o)
				}
				events, err := o.Events()
				if err != nil || events.Good != `pages_total{code!~"5.."}` || events.Total != "pages_total" {
					t.Errorf("events %+v, %v\n%s", events, err, written)
				}
			}
		})
	}
}

func TestAlphaShapes(t *testing.T) {
	calendar := edit(alpha, "{count: 30, unit: Day}", "{count: 1, unit: Quarter, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}")
	if got := one(t, calendar).Windows[0].String(); got != "calendar_quarter UTC" {
		t.Errorf("window %q, want the calendar's quarter", got)
	}
	head, tail, _ := strings.Cut(alpha, "  objectives:\n")
	metric := edit(head, "  timeWindows", "  indicator:\n    thresholdMetric: {source: prometheus, queryType: promql, query: temperature}\n  timeWindows") +
		"  objectives:\n    - {op: lte, value: 21.5, target: 0.9}\n    - {op: lte, value: 25, target: 0.99}\n"
	file := parse(t, metric)
	if o := file.Objectives[1]; o.ID != "pages/2" || o.Op != "lte" || o.Value.String() != "25/1" || o.Indicator.Threshold.Query() != "temperature" {
		t.Errorf("objective %+v", o)
	}
	// Two objectives with metrics of their own are no composite there.
	several := parse(t, alpha+edit(tail, "0.999", "0.95"))
	if len(several.Objectives) != 2 || several.Objectives[0].Composite {
		t.Errorf("%d objectives, composite %v", len(several.Objectives), several.Objectives[0].Composite)
	}
	wantFinding(t, several, "several_indicators", "- target: 0.999", alpha, 0)
}

// wantFinding wants a finding with the code where the text has the words, shift
// characters further.
func wantFinding(t *testing.T, file *openslo.File, code, words, text string, shift int) {
	t.Helper()
	line, col := place(text, words)
	for _, f := range file.Findings {
		if f.Code == code && f.Line == line && f.Column == col+shift {
			return
		}
	}
	t.Errorf("no finding %s at %d:%d, got %v", code, line, col+shift, file.Findings)
}

// place returns where words stand first.
func place(text, words string) (line, col int) {
	i := strings.Index(text, words)
	if i < 0 {
		panic("no " + words)
	}
	return 1 + strings.Count(text[:i], "\n"), i - strings.LastIndexByte(text[:i], '\n')
}
