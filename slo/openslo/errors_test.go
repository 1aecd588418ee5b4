package openslo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
)

func TestErrors(t *testing.T) {
	calendar := edit(base, "    - duration: 30d\n      isRolling: true\n", calendarWindow)
	sliced := edit(base, "Occurrences", "Timeslices", "- target: 0.999", "- target: 0.99\n      timeSliceTarget: 0.95\n      timeSliceWindow: 1m")
	spec := func(words string) string { return "spec." + words }
	for _, c := range []struct {
		name       string
		text       string
		code       string
		at         string // words that stand where the error is
		shift      int    // characters from there
		path       string
		suggestion string
	}{
		{"target 0", edit(base, "0.999", "0"), "out_of_range", "target: 0", 8, spec("objectives[0].target"), ""},
		{"target 1", edit(base, "0.999", "1"), "out_of_range", "target: 1", 8, spec("objectives[0].target"), ""},
		{"target 1.0", edit(base, "0.999", "1.0"), "out_of_range", "target: 1.0", 8, spec("objectives[0].target"), ""},
		{"target in percent", edit(base, "0.999", "99.9"), "out_of_range", "99.9", 0, spec("objectives[0].target"), "targetPercent: 99.9"},
		{"target negative", edit(base, "0.999", "-0.5"), "out_of_range", "-0.5", 0, spec("objectives[0].target"), ""},
		{"target as a fraction", edit(base, "0.999", "9/10"), "wrong_type", "9/10", 0, spec("objectives[0].target"), ""},
		{"target with exponent", edit(base, "0.999", "9.99e-1"), "wrong_type", "9.99e-1", 0, spec("objectives[0].target"), "0.999"},
		{"target without 0", edit(base, "0.999", ".999"), "wrong_type", ".999", 0, spec("objectives[0].target"), "0.999"},
		{"target with comma", edit(base, "0.999", `"0,999"`), "wrong_type", `"0,999"`, 0, spec("objectives[0].target"), "0.999"},
		{"target infinite", edit(base, "0.999", "+Inf"), "wrong_type", "+Inf", 0, spec("objectives[0].target"), ""},
		{"target is a list", edit(base, "0.999", "[1]"), "wrong_type", "[1]", 0, spec("objectives[0].target"), ""},
		{"target null", edit(base, "0.999", "null"), "missing_field", "target: null", 8, spec("objectives[0].target"), ""},
		{"percent 100", edit(base, "target: 0.999", "targetPercent: 100"), "out_of_range", "100", 0, spec("objectives[0].targetPercent"), ""},
		{"percent 0", edit(base, "target: 0.999", "targetPercent: 0"), "out_of_range", "targetPercent: 0", 15, spec("objectives[0].targetPercent"), ""},
		{"both targets", edit(base, "target: 0.999", "target: 0.999\n      targetPercent: 99.9"), "two_targets", "99.9\n", 0, spec("objectives[0].targetPercent"), ""},
		{"target misspelt", edit(base, "target:", "tarqet:"), "missing_field", "tarqet", 0, spec("objectives[0].target"), "target"},
		{"no objective", edit(base, "  objectives:\n    - target: 0.999\n", "  objectives: []\n"), "missing_field", "[]", 0, spec("objectives"), ""},
		{"objectives no list", edit(base, "    - target", "      target"), "wrong_type", "target: 0.999", 0, spec("objectives"), ""},

		{"rolling month", edit(base, "30d", "1M"), "calendar_unit", "1M", 0, spec("timeWindow[0].duration"), "30d"},
		{"rolling quarter", edit(base, "30d", "1Q"), "calendar_unit", "1Q", 0, spec("timeWindow[0].duration"), "90d"},
		{"rolling year", edit(base, "30d", "1Y"), "calendar_unit", "1Y", 0, spec("timeWindow[0].duration"), "365d"},
		{"window of 30 D", edit(base, "30d", "30D"), "bad_duration", "30D", 0, spec("timeWindow[0].duration"), ""},
		{"window with blank", edit(base, "30d", "30 d"), "bad_duration", "30 d", 0, spec("timeWindow[0].duration"), "30d"},
		{"window with two letters", edit(base, "30d", "30dd"), "bad_duration", "30dd", 0, spec("timeWindow[0].duration"), "30d"},
		{"window too long", edit(base, "30d", "3661d"), "bad_duration", "3661d", 0, spec("timeWindow[0].duration"), ""},
		{"window beyond int64", edit(base, "30d", "99999999999999999999d"), "bad_duration", "9999", 0, spec("timeWindow[0].duration"), ""},
		{"window missing", edit(base, "  timeWindow:\n    - duration: 30d\n      isRolling: true\n", ""), "missing_field", "service: shop", 0, spec("timeWindow"), ""},
		{"two windows", edit(base, "      isRolling: true\n", "      isRolling: true\n    - {duration: 7d, isRolling: true}\n"), "one_window", "- duration", 0, spec("timeWindow"), ""},
		{"rolling and calendar", edit(calendar, "      calendar", "      isRolling: true\n      calendar"), "two_kinds", "isRolling: true", 11, spec("timeWindow[0].isRolling"), ""},
		{"not rolling, no calendar", edit(base, "isRolling: true", "isRolling: false"), "missing_field", "duration: 30d", 0, spec("timeWindow[0]"), ""},
		{"rolling is text", edit(base, "isRolling: true", "isRolling: yes please"), "wrong_type", "yes please", 0, spec("timeWindow[0].isRolling"), ""},
		{"calendar of minutes", edit(calendar, "1M", "1m"), "minute_window", "1m", 0, spec("timeWindow[0].duration"), "1M"},
		{"calendar of hours", edit(calendar, "1M", "24h"), "minute_window", "24h", 0, spec("timeWindow[0].duration"), ""},
		{"start with zone", edit(calendar, "2026-01-01 00:00:00", "2026-01-01T00:00:00Z"), "bad_time", "2026-01-01T", 0, spec("timeWindow[0].calendar.startTime"), "2026-01-01 00:00:00"},
		{"start is a day", edit(calendar, "2026-01-01 00:00:00", "2026-01-01"), "bad_time", "2026-01-01", 0, spec("timeWindow[0].calendar.startTime"), "2026-01-01 00:00:00"},
		{"start on 30 February", edit(calendar, "2026-01-01", "2026-02-30"), "bad_time", "2026-02-30", 0, spec("timeWindow[0].calendar.startTime"), ""},
		{"start missing", edit(calendar, "        startTime: 2026-01-01 00:00:00\n", ""), "missing_field", "timeZone", 0, spec("timeWindow[0].calendar.startTime"), ""},
		{"zone missing", edit(calendar, "        timeZone: Europe/Amsterdam\n", ""), "missing_field", "startTime", 0, spec("timeWindow[0].calendar.timeZone"), ""},
		{"zone unknown", edit(calendar, "Europe/Amsterdam", "Europe/Atlantis"), "bad_zone", "Europe/Atlantis", 0, spec("timeWindow[0].calendar.timeZone"), ""},
		{"zone with blank", edit(calendar, "Europe/Amsterdam", "America/New York"), "bad_zone", "America/New York", 0, spec("timeWindow[0].calendar.timeZone"), "America/New_York"},
		{"zone of the machine", edit(calendar, "Europe/Amsterdam", "Local"), "bad_zone", "Local", 0, spec("timeWindow[0].calendar.timeZone"), ""},

		{"method missing", edit(base, "  budgetingMethod: Occurrences\n", ""), "missing_field", "service: shop", 0, spec("budgetingMethod"), ""},
		{"method misspelt", edit(base, "Occurrences", "TimeSlices"), "bad_enum", "TimeSlices", 0, spec("budgetingMethod"), "Timeslices"},
		{"slice target missing", edit(sliced, "      timeSliceTarget: 0.95\n", ""), "missing_field", "target: 0.99", 0, spec("objectives[0].timeSliceTarget"), ""},
		{"slice target 0", edit(sliced, "0.95", "0"), "out_of_range", "timeSliceTarget: 0", 17, spec("objectives[0].timeSliceTarget"), ""},
		{"slice window missing", edit(sliced, "      timeSliceWindow: 1m\n", ""), "missing_field", "target: 0.99", 0, spec("objectives[0].timeSliceWindow"), ""},
		{"slice window 0", edit(sliced, "Window: 1m", "Window: 0"), "bad_duration", "Window: 0", 8, spec("objectives[0].timeSliceWindow"), ""},
		{"slice window of a month", edit(sliced, "Window: 1m", "Window: 1M"), "calendar_unit", "Window: 1M", 8, spec("objectives[0].timeSliceWindow"), ""},
		{"slice window of seconds", edit(sliced, "Window: 1m", "Window: 30s"), "bad_duration", "30s", 0, spec("objectives[0].timeSliceWindow"), ""},

		{"no indicator", edit(base, "  indicator:", "  other:"), "missing_field", "target: 0.999", 0, spec("objectives[0]"), ""},
		{"unknown indicator", edit(references, "indicatorRef: answered", "indicatorRef: answred"), "unresolved_reference", "answred", 0, spec("indicatorRef"), "answered"},
		{"two indicators", edit(references, "indicatorRef: answered", "indicatorRef: answered\n  indicator: {spec: {ratioMetric: {raw: {metricSource: {type: x}}, rawType: success}}}"), "two_kinds", "indicatorRef: answered", 14, spec("indicatorRef"), ""},
		{"indicator twice", edit(references, "{displayName: promise, target", "{displayName: promise, indicatorRef: answered, target"), "two_kinds", "{displayName", 0, spec("objectives[0]"), ""},
		{"good and bad", edit(base, "        total:", "        bad: {metricSource: {type: x}}\n        total:"), "two_kinds", "bad: {", 5, spec("indicator.spec.ratioMetric.bad"), ""},
		{"no total", edit(base, "        total:", "        totol:"), "missing_field", "counter", 0, spec("indicator.spec.ratioMetric"), ""},
		{"raw beside good", edit(base, "        total:", "        rawType: success\n        raw: {metricSource: {type: x}}\n        total:"), "two_kinds", "counter", 0, spec("indicator.spec.ratioMetric"), ""},
		{"raw without type", edit(references, "    bad: {", "    raw: {metricSource: {type: x}}\n    other: {", "    total:", "    othertotal:"), "missing_field", "counter: true", 0, "spec.ratioMetric", ""},
		{"no type", edit(base, "type: Prometheus", "kind: Prometheus"), "missing_field", "kind: Prometheus", 0, spec("indicator.spec.ratioMetric.good.metricSource"), ""},
		{"another type", edit(references, "metricSourceRef: metrics", "metricSourceRef: metrics, type: Datadog"), "type_conflict", "Datadog", 0, "spec.ratioMetric.bad.metricSource.type", "Prometheus"},
		{"no metric", edit(threshold, "thresholdMetric", "thresholdMetrics"), "missing_field", "thresholdMetrics", 0, spec("indicator.spec"), "thresholdMetric"},
		{"no op", edit(threshold, "      op: lt\n", ""), "missing_field", "target: 0.999", 0, spec("objectives[0].op"), ""},
		{"no value", edit(threshold, "      value: 2.5\n", ""), "missing_field", "target: 0.999", 0, spec("objectives[0].value"), ""},
		{"op unknown", edit(threshold, "op: lt", "op: less"), "bad_enum", "less", 0, spec("objectives[0].op"), ""},

		{"unknown policy", edit(references, "alertPolicyRef: wake", "alertPolicyRef: woke"), "unresolved_reference", "woke", 0, spec("alertPolicies[0].alertPolicyRef"), "wake"},
		{"unknown policy by name", edit(references, "- file", "- files"), "unresolved_reference", "files", 0, spec("alertPolicies[1]"), "file"},
		{"unknown condition", edit(references, "conditionRef: fast", "conditionRef: fats"), "unresolved_reference", "fats", 0, "spec.conditions[0].conditionRef", "fast"},
		{"no condition", edit(references, "[{conditionRef: fast}]", "[]"), "missing_field", "[]", 0, "spec.conditions", ""},
		{"no severity", edit(alerting, "              severity: page\n", ""), "missing_field", "condition:\n                kind", 0, spec("alertPolicies[0].spec.conditions[0].spec.severity"), ""},
		{"condition of another kind", edit(alerting, "burnrate", "burnrates"), "bad_enum", "burnrates", 0, spec("alertPolicies[0].spec.conditions[0].spec.condition.kind"), "burnrate"},
		{"threshold 0", edit(alerting, "14.4", "0"), "out_of_range", "threshold: 0", 11, spec("alertPolicies[0].spec.conditions[0].spec.condition.threshold"), ""},
		{"lookback of a month", edit(alerting, "1h", "1M"), "calendar_unit", "1M", 0, spec("alertPolicies[0].spec.conditions[0].spec.condition.lookbackWindow"), ""},
		{"lookback 0", edit(alerting, "1h", "0m"), "bad_duration", "lookbackWindow: 0m", 16, spec("alertPolicies[0].spec.conditions[0].spec.condition.lookbackWindow"), ""},
		{"after of seconds", edit(alerting, "alertAfter: 0m", "alertAfter: 30s"), "bad_duration", "30s", 0, spec("alertPolicies[0].spec.conditions[0].spec.condition.alertAfter"), ""},
		{"short not below long", edit(alerting, "name: burn-14\n", "name: burn-14\n              annotations: {evenkeel/short-window: 1h}\n"), "bad_rule", "- kind: AlertPolicy", 0, spec("alertPolicies"), ""},
		{"budget policy unread", edit(alerting, "name: checkout\n", "name: checkout\n  annotations: {evenkeel/budget-policy: freeze}\n"), "bad_annotation", "freeze", 0, "metadata.annotations.evenkeel/budget-policy", ""},
		{"annotation unread", edit(alerting, "name: burn-14\n", "name: burn-14\n              annotations: {evenkeel/min-bad: few}\n"), "bad_annotation", "few", 0, spec("alertPolicies[0].spec.conditions[0].metadata.annotations.evenkeel/min-bad"), ""},

		{"no name", edit(base, "name: checkout", "displayName: checkout"), "missing_field", "displayName", 0, "metadata.name", ""},
		{"empty name", edit(base, "name: checkout", `name: ""`), "missing_field", `""`, 0, "metadata.name", ""},
		{"no metadata", edit(base, "metadata:\n  name: checkout\n", ""), "missing_field", "apiVersion", 0, "metadata", ""},
		{"no spec", "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\n", "missing_field", "apiVersion", 0, "spec", ""},
		{"no service", edit(base, "  service: shop\n", ""), "missing_field", "indicator:", 0, "spec.service", ""},
		{"no version", edit(base, "apiVersion: openslo/v1\n", ""), "missing_field", "kind: SLO", 0, "apiVersion", ""},
		{"unknown version", edit(base, "openslo/v1", "openslo/v2"), "bad_version", "openslo/v2", 0, "apiVersion", "openslo/v1"},
		{"unknown kind", edit(base, "kind: SLO", "kind: SLOs"), "unknown_kind", "SLOs", 0, "kind", "SLO"},
		{"a list of texts", "- a\n", "wrong_type", "a", 0, "[0]", ""},
		{"key twice", edit(base, "  service: shop\n", "  service: shop\n  service: web\n"), "duplicate_key", "service: web", 0, "spec.service", ""},
		{"merge", edit(base, "  service: shop\n", "  service: shop\n  <<: {a: b}\n"), "wrong_type", "<<", 0, "spec", ""},
		{"name twice", base + "---\n" + edit(base, "  name: checkout", "  displayName: x\n  name: checkout"), "duplicate_name", "displayName: x", 0, "metadata", ""},
		{"no yaml", "a: b: c\n", "syntax", "b: c", 1, "", ""},
		{"v2alpha by months", edit(beta, "30d", "1M"), "bad_duration", "1M", 0, spec("timeWindow[0].duration"), ""},
		{"v2alpha with its own keys", edit(beta, "counter: true", "counter: maybe"), "wrong_type", "maybe", 0, spec("sli.spec.ratioMetric.counter"), ""},
		{"v1alpha unit", edit(alpha, "unit: Day", "unit: Days"), "bad_enum", "Days", 0, spec("timeWindows[0].unit"), "Day"},
		{"v1alpha count", edit(alpha, "count: 30", "count: -3"), "bad_duration", "-3", 0, spec("timeWindows[0].count"), ""},
		{"v1alpha source", edit(alpha, "good: {source: prometheus", "good: {source: [a]"), "wrong_type", "[a]", 0, spec("objectives[0].ratioMetrics.good.source"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, err := openslo.Parse("slo.yaml", []byte(c.text))
			var all openslo.Errors
			if !errors.As(err, &all) {
				t.Fatalf("err = %v, want Errors", err)
			}
			if len(file.Objectives) != 0 {
				t.Error("objectives beside errors")
			}
			line, col := place(c.text, c.at)
			want := fmt.Sprintf("%d:%d %s %s %q", line, col+c.shift, c.path, c.code, c.suggestion)
			var got []string
			for _, f := range all {
				if f.Severity != "error" || f.File != "slo.yaml" || f.Message == "" {
					t.Errorf("finding %+v", f)
				}
				got = append(got, fmt.Sprintf("%d:%d %s %s %q", f.Line, f.Column, f.Path, f.Code, f.Suggestion))
			}
			if len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), want) {
				t.Errorf("got\n%s\nwant among them\n%s\n%v", strings.Join(got, "\n"), want, err)
			}
			if len(got) > 2 {
				t.Errorf("%d errors for one fault:\n%v", len(got), err)
			}
		})
	}
}

// All errors come at once, in the order of the file.
func TestAllErrors(t *testing.T) {
	text := edit(base, "name: checkout", "nam: checkout", "30d", "1M", "Occurrences", "occurrences", "0.999", "99.9")
	_, err := openslo.Parse("slo.yaml", []byte(text))
	want := `slo.yaml:4:3: metadata.name: missing, want a name (did you mean "name"?)
slo.yaml:24:17: spec.timeWindow[0].duration: a rolling window of 1M has no length: want days or weeks, or a calendar window (did you mean "30d"?)
slo.yaml:26:20: spec.budgetingMethod: found "occurrences", want one of Occurrences, Timeslices, RatioTimeslices (did you mean "Occurrences"?)
slo.yaml:28:15: spec.objectives[0].target: found 99.9, want a ratio above 0 and below 1 (did you mean "targetPercent: 99.9"?)`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// An error in one object is told once, also where others refer to the object.
func TestErrorsOfReferences(t *testing.T) {
	_, err := openslo.Parse("slo.yaml", []byte(edit(references, "threshold: 6", "threshold: x", "counter: true", "counter: 1")))
	var all openslo.Errors
	if !errors.As(err, &all) || len(all) != 2 || all[0].Code != "wrong_type" || all[1].Code != "wrong_type" {
		t.Errorf("got\n%v\nwant two errors", err)
	}
}

// Aliases are followed, and a document that they blow up is refused.
func TestAliases(t *testing.T) {
	text := edit(base, "          metricSource:\n            type: Prometheus\n", "          metricSource: &m\n            type: Prometheus\n",
		"        total:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: http_requests_total\n", "        total:\n          metricSource: *m\n")
	if o := one(t, text); o.Indicator.Total.Query() != `http_requests_total{code!~"5.."}` {
		t.Errorf("total %+v", o.Indicator.Total)
	}
	var bomb strings.Builder
	bomb.WriteString("apiVersion: openslo/v1alpha\nkind: Service\nmetadata: {name: x}\nl0: &l0 [a, a]\n")
	for i := range 20 { // 2^20 values
		fmt.Fprintf(&bomb, "l%d: &l%d [*l%d, *l%d]\n", i+1, i+1, i, i)
	}
	policies := strings.TrimSuffix(alerting, "        notificationTargets: []\n") + "        notificationTargets: &t [&a {targetRef: x}" + strings.Repeat(", *a", 300) + "]\n" +
		strings.Repeat("    - {metadata: {name: y}, spec: {conditions: [], notificationTargets: *t}}\n", 300)
	for name, text := range map[string]string{
		"bomb":     bomb.String(),
		"loop":     "apiVersion: openslo/v1alpha\nkind: SLO\nspec: &s {indicator: *s}\n",
		"policies": policies,
	} {
		var all openslo.Errors
		_, err := openslo.Parse("slo.yaml", []byte(text))
		if !errors.As(err, &all) || !slices.ContainsFunc(all, func(f openslo.Diagnostic) bool { return f.Code == "alias_limit" }) {
			t.Errorf("%s: err = %.200v, want alias_limit", name, err)
		}
	}
	loop := edit(base, "  service: shop\n", "  service: shop\n  own: &o [*o]\n")
	if o := one(t, loop); o.Service != "shop" {
		t.Errorf("objective %+v", o)
	}
}

// A file without objects says so, unless what it has is not YAML.
func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n---\n", "null\n"} {
		file := parse(t, text)
		if len(file.Findings) != 1 || file.Findings[0].Code != "empty_file" || file.Findings[0].Line != 1 {
			t.Errorf("Parse(%q): findings %v, want empty_file", text, file.Findings)
		}
	}
	file, err := openslo.ParseAll(openslo.Source{Name: "a", Data: []byte(base)}, openslo.Source{Name: "b"})
	if err != nil || len(file.Objectives) != 1 || len(file.Findings) != 1 || file.Findings[0].File != "b" {
		t.Errorf("an empty file beside another: %v, %v", err, file.Findings)
	}
	if file, err := openslo.Parse("c", []byte("{")); err == nil || len(file.Findings) != 0 {
		t.Errorf("not YAML: %v, findings %v, want an error alone", err, file.Findings)
	}
}

// Label values may be lists in OpenSLO (type Label in its Go package v1).
func TestLabelList(t *testing.T) {
	for labels, want := range map[string]string{"[ann, bob]": "ann, bob", "[ann]": "ann", "ann": "ann", "[]": ""} {
		if o := one(t, edit(base, "  name: checkout\n", "  name: checkout\n  labels: {owner: "+labels+"}\n")); o.Owner != want {
			t.Errorf("owner %s is %q, want %q", labels, o.Owner, want)
		}
	}
}

func TestFindings(t *testing.T) {
	sliced := edit(base, "Occurrences", "RatioTimeslices", "- target: 0.999", "- target: 0.99\n      timeSliceTarget: 0.95\n      timeSliceWindow: 1m")
	calendar := edit(base, "    - duration: 30d\n      isRolling: true\n", calendarWindow)
	raw := edit(base, "counter: true", "rawType: success", "good:", "raw:", "        total:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: http_requests_total\n", "")
	for _, c := range []struct {
		name  string
		text  string
		code  string
		at    string
		shift int
		level slo.Level
	}{
		{"window of a minute", edit(base, "30d", "1m"), "minute_window", "1m", 0, slo.Warning},
		{"neither rolling nor calendar", edit(base, "      isRolling: true\n", ""), "rolling_assumed", "duration: 30d", 0, slo.Warning},
		{"zone abbreviation", edit(calendar, "Europe/Amsterdam", "EST"), "zone_abbreviation", "EST", 0, slo.Warning},
		{"one window", alerting, "no_short_window", "kind: burnrate", 0, slo.Warning},
		{"op downwards", edit(alerting, "op: gt", "op: lte"), "op_downwards", "lte", 0, slo.Error},
		{"op less", edit(alerting, "op: gt", "op: lt"), "op_downwards", "op: lt", 4, slo.Error},
		{"op gte", edit(alerting, "op: gt", "op: gte"), "op_gte", "gte", 0, slo.Warning},
		{"breaching not said", edit(alerting, "        alertWhenBreaching: true\n", "        alertWhenNoData: true\n"), "breaching_assumed", "alertWhenNoData", 0, slo.Warning},
		{"not breaching", edit(alerting, "Breaching: true", "Breaching: false"), "not_breaching", "false", 0, slo.Warning},
		{"two conditions", edit(references, "[{conditionRef: fast}]", "[{conditionRef: fast}, {conditionRef: slow}]"), "several_conditions", "[{conditionRef: fast}", 0, slo.Warning},
		{"policy twice", edit(references, "    - file\n", "    - wake\n"), "duplicate_policy", "- wake", 2, slo.Warning},
		{"counter not said", edit(base, "        counter: true\n", ""), "counter_assumed", "good:", 0, slo.Warning},
		{"raw type without raw", edit(base, "counter: true", "counter: true\n        rawType: success"), "unused_field", "success", 0, slo.Warning},
		{"raw ratio", raw, "raw_mean", "target: 0.999", 0, slo.Warning},
		{"op without threshold metric", edit(base, "- target: 0.999", "- target: 0.999\n      op: gt"), "unused_field", "op: gt", 4, slo.Warning},
		{"value without threshold metric", edit(base, "- target: 0.999", "- target: 0.999\n      value: 1"), "unused_field", "value: 1", 7, slo.Warning},
		{"weight alone", edit(base, "- target: 0.999", "- target: 0.999\n      compositeWeight: 2"), "unused_field", "Weight: 2", 8, slo.Warning},
		{"slices of occurrences", edit(base, "- target: 0.999", "- target: 0.999\n      timeSliceWindow: 1m"), "unused_field", "Window: 1m", 8, slo.Warning},
		{"ratio slices", sliced, "ratio_slices", "target: 0.99", 0, slo.Warning},
		{"slice target of ratio slices", sliced, "unused_field", "0.95", 0, slo.Warning},
		{"percent below 1", edit(base, "target: 0.999", "targetPercent: 0.999"), "small_percent", "0.999", 0, slo.Warning},
		{"several thresholds", threshold + "    - {target: 0.9, op: lt, value: 1}\n", "several_thresholds", "- target: 0.999", 0, slo.Warning},
		{"service not listed", edit(references, "service: web", "service: wep"), "unknown_service", "wep", 0, slo.Warning},
		{"target not listed", edit(references, "targetRef: phone", "targetRef: phones"), "unresolved_reference", "phones", 0, slo.Warning},
		{"unknown data source", edit(references, "metricSourceRef: metrics", "metricSourceRef: metric"), "unresolved_reference", "metricSourceRef: metric,", 17, slo.Warning},
		{"unknown key", edit(base, "  service: shop\n", "  service: shop\n  teem: a\n"), "unknown_field", "teem", 0, slo.Warning},
		{"adjustment of v2alpha", beta + "---\napiVersion: openslo.com/v2alpha\nkind: BudgetAdjustment\nmetadata: {name: b}\n", "not_read", "BudgetAdjustment", 0, slo.Warning},
		{"two owners", edit(base, "  name: checkout\n", "  name: checkout\n  labels: {owner: [ann, bob]}\n"), "label_list", "[ann", 0, slo.Warning},
		{"last rate", edit(base, "query: http_requests_total\n", "query: sum(irate(http_requests_total[$window]))\n"), "irate_read", "target: 0.999", 0, slo.Warning},
		{"last rates", edit(base, "query: http_requests_total\n", "query: sum(irate(a_total[$window])) + b\n"), "irate_read", "target: 0.999", 0, slo.Warning},
		{"slope", edit(base, "query: http_requests_total\n", "query: sum(deriv(http_requests_total[$window]))\n"), "not_counted", "target: 0.999", 0, slo.Warning},
		{"fixed range", edit(base, "query: http_requests_total\n", "query: sum(rate(http_requests_total[5m]))\n"), "fixed_range", "target: 0.999", 0, slo.Warning},
		{"not counted", edit(base, "query: http_requests_total\n", "query: a_total + b_total\n"), "not_counted", "target: 0.999", 0, slo.Warning},
		// 14.4 · (1 - 0.9) = 1.44
		{"unreachable", edit(alerting, "0.999", "0.9"), "unreachable", "- kind: AlertPolicy", 0, slo.Error},
		{"burn below 1", edit(alerting, "14.4", "0.5"), "factor_below_one", "- kind: AlertPolicy", 0, slo.Warning},
		{"window longer than the period", edit(alerting, "1h", "31d"), "beyond_period", "- kind: AlertPolicy", 0, slo.Warning},
		{"no slow rule", alerting, "slow_burn_unseen", "- kind: AlertPolicy", 0, slo.Warning},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := parse(t, c.text)
			wantFinding(t, file, c.code, c.at, c.text, c.shift)
			for _, f := range file.Findings {
				if f.Code == c.code && f.Severity != c.level.String() {
					t.Errorf("%s is a %s, want %s", f.Code, f.Severity, c.level)
				}
			}
		})
	}
	// Nothing is found where nothing is open.
	quiet := edit(alerting, "14.4", "1", "lookbackWindow: 1h", "lookbackWindow: 3d", "name: burn-14\n", "name: burn-14\n              annotations: {evenkeel/short-window: 6h}\n")
	for _, text := range []string{base, calendar, quiet, beta} {
		if file := parse(t, text); len(file.Findings) != 0 {
			t.Errorf("findings %v in\n%s", file.Findings, text)
		}
	}
}
