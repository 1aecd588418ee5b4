package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/roi"
)

// Every sample file that has a reader loads as it is.
func TestSamplesLoad(t *testing.T) {
	for _, c := range []struct{ kind, folder, file string }{
		{"contract", "acme", "contract.yaml"},
		{"contract", "portal", "globex.yaml"},
		{"slo", "burst", "slo.yaml"},
		{"team", "team", "team.yaml"},
		{"team", "schedules", "team.yaml"},
		{"rules", "storm", "rules.yaml"},
		{"roi", "roi", "model.yaml"},
		{"playbooks", "cpu", "playbooks.yaml"},
	} {
		t.Run(c.folder+"/"+c.file, func(t *testing.T) {
			data, err := os.ReadFile(testutil.SharedFile(t, "data", "examples", c.folder, c.file))
			if err != nil {
				t.Fatal(err)
			}
			if err := readers[c.kind](data).Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// The blocks of the articles load unchanged, alone and beside keys of our own.
func TestArticleBlocksLoad(t *testing.T) {
	article := func(t *testing.T, name string) []byte {
		t.Helper()
		data, err := os.ReadFile(testutil.SharedFile(t, "data", "articles", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	t.Run("roi_example", func(t *testing.T) {
		m, _, err := config.ParseCosts("roi.yaml", article(t, "roi_example"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := roi.Evaluate(m.Model)
		if err != nil {
			t.Fatal(err)
		}
		// The figure that the article's own program prints.
		if got := r.AsPublished.ROIPercent; got == nil || *got != 3889.1050776530856 {
			t.Errorf("ROI as published = %v, want 3889.1050776530856", got)
		}
	})
	t.Run("correlation_rules", func(t *testing.T) {
		set, d, err := config.ParseRules("rules.yaml", article(t, "correlation_rules"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range set.Rules {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != "dependency_failure geographic_correlation infrastructure_cascade" {
			t.Errorf("rules %s", got)
		}
		for _, p := range d.Problems() {
			if p.Code != "rule_without_join" {
				t.Errorf("unexpected %v", p)
			}
		}
	})
	t.Run("monitoring_layers", func(t *testing.T) {
		set, _, err := config.ParseRules("rules.yaml", append(article(t, "monitoring_layers"), "signals: {cpu_utilization: [cpu_high]}\n"...))
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Thresholds) != 13 {
			t.Errorf("%d thresholds, want 13", len(set.Thresholds))
		}
		for _, threshold := range set.Thresholds {
			if threshold.Metric == "cpu_utilization" && (threshold.Layer != "infrastructure" || len(threshold.Alerts) != 1 || threshold.Alerts[0] != "infrastructure.cpu_high") {
				t.Errorf("cpu_utilization = %+v", threshold)
			}
		}
	})
	t.Run("sla_framework", func(t *testing.T) {
		c, _, err := config.ParseContract("c.yaml", append(contractOf("essential"), article(t, "sla_framework")...))
		if err != nil {
			t.Fatal(err)
		}
		if got := clock(c, "response").Targets; got[0].Within != 15*time.Minute || got[3].NextDay == nil {
			t.Errorf("response = %+v", got)
		}
	})
	for _, name := range []string{"incident_automation", "response_engine"} {
		t.Run(name, func(t *testing.T) {
			book, _, err := config.ParsePlaybooks("p.yaml", article(t, name))
			if err != nil || len(book.Playbooks)+len(book.Response.Safety) != 3 {
				t.Errorf("%d playbooks, %d safety checks, %v, want three of one of them", len(book.Playbooks), len(book.Response.Safety), err)
			}
		})
	}
}

// A playbook may say that it is to be taken back when an action fails.
func TestPlaybooksTakenBack(t *testing.T) {
	const file = "incident_automation:\n  x:\n    undo_on_failure: true\n    trigger: {service_type: compute, condition: cpu_utilization > 85%}\n" +
		"    automated_actions: {immediate: [{action: trigger_horizontal_scaling}]}\n"
	book, _, err := config.ParsePlaybooks("p.yaml", []byte(file))
	if err != nil || !book.Playbooks["x"].UndoOnFailure {
		t.Errorf("Playbooks = %+v, %v, want undo on failure", book, err)
	}
	for old, want := range map[string]string{
		"undo_on_failure: yes":   "p.yaml:3:22: incident_automation.x.undo_on_failure: ",
		"undo_on_failures: true": `p.yaml:3:5: incident_automation.x.undo_on_failures: unknown key "undo_on_failures"`,
	} {
		if _, _, err := config.ParsePlaybooks("p.yaml", []byte(strings.Replace(file, "undo_on_failure: true", old, 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", old, err, want)
		}
	}
}

// Each reader refuses, with a place, what it cannot honour.
func TestReadersRefuse(t *testing.T) {
	const rule = "{logic: 'IF a.b THEN CREATE composite_alert: \"R\"'"
	const model = "internal: {annual_salaries: {}}\nmanaged: {monthly_service_fee: 1}\nimpact: {revenue_per_hour: 1}\n"
	const slo = "version: 1\nslos:\n  - id: a\n    service: api\n    objective_percent: 99.9\n"
	for _, c := range []struct{ kind, text, want string }{
		{"rules", "rules: [{name: a, " + rule[1:] + "}, {name: a, " + rule[1:] + "}]", `f.yaml:1:77: rules[1].name: id "a" stands twice`},
		{"rules", "correlation_rules: {a: {name: b, " + rule[1:] + "}}", `f.yaml:1:31: correlation_rules.a.name: name "b" beside the key "a", want one of the two`},
		{"rules", "thresholds: {app: {cpu_load: '> 80%'}}\nsignals: {cpu_laod: [hot]}", `f.yaml:2:21: signals.cpu_laod: no threshold for metric "cpu_laod" (did you mean "cpu_load"?)`},
		{"rules", "rules: []\nversion: 3", `f.yaml:2:10: version: version 3, want 1`},
		{"roi", model + "roi_example: {currency: EUR}", `f.yaml:1:11: internal: internal beside roi_example, want one of the two`},
		{"roi", "roi_example: {currency: EUR}", `f.yaml:1:15: roi_example.business_impact_model: missing`},
		{"roi", "roi_example: {currency: eur, " + strings.NewReplacer("internal", "internal_cost_model", "managed", "managed_service_cost_model", "impact", "business_impact_model", "\n", ", ").Replace(model) + "}", `f.yaml:1:25: roi_example.currency: `},
		{"roi", model + "years: 0", `f.yaml:4:8: years: 0, want 1 to `},
		{"slo", slo + "    window: calender_month", `f.yaml:6:13: slos[0].window: `},
		{"slo", slo + "    window: 30x", `f.yaml:6:13: slos[0].window: `},
		{"slo", slo + "    window: 30d\n    sli: {kind: events, slice: 5m}", `f.yaml:7:32: slos[0].sli.slice: slice has no effect on single events, want kind time_slices`},
		{"slo", slo + "    window: 30d\n    sli: {kind: time_slices, slice: 5m}", `f.yaml:7:11: slos[0].sli.good_percent: missing`},
		{"slo", slo + "    window: 30d\n    sli: {slice: 5m}", `f.yaml:7:11: slos[0].sli.kind: missing`},
		{"team", "- [", `f.yaml:`},
		{"team", "version: 1\ntimezone: 5\ntimezone: UTC", `f.yaml:3:1: timezone: key "timezone" stands twice`},
		{"playbooks", "version: 1", `f.yaml:1:1: incident_automation: missing`},
		{
			"playbooks", "incident_automation: {x: {trigger: {service_type: compute, condition: cpu_utilization > 85%}, automated_actions: {immediate: [{action: page_seniors_engineer}]}}}",
			`incident_automation.x.automated_actions.immediate[0].action: unknown action "page_seniors_engineer" (did you mean "page_senior_engineer"?)`,
		},
		{"playbooks", "incident_automation: {x: {trigger: {condition: cpu_utilization > 85%}, automated_actions: {immediate: [{action: page_senior_engineer}]}}}", `incident_automation.x.trigger.service_type: missing`},
		{
			"playbooks", "incident_automation: {x: {trigger: {service_type: compute, condition: cpu_utilization > 85%}, automated_actions: {immediate: [{action: page_senior_engineer, timeout: soon}]}}}",
			`f.yaml:1:167: incident_automation.x.automated_actions.immediate[0].timeout: "soon", want `,
		},
		{"playbooks", "response_engine: {retry_policy: {max_attempts: -1, backoff_multiplier: 2, max_backoff_seconds: 3}}", `f.yaml:1:48: response_engine.retry_policy.max_attempts: `},
		{"playbooks", "response_engine: {safety_checks: [{name: a, conditions: ['b >> 1'], action: require_human_approval}]}", `f.yaml:1:58: response_engine.safety_checks[0].conditions[0]: `},
	} {
		err := readers[c.kind]([]byte(c.text)).Err()
		var all config.Errors
		if !errors.As(err, &all) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s\ngot  %v\nwant %s", c.kind, c.text, err, c.want)
		}
	}
}

// Where a file cannot be taken in, nothing else is said about it.
func TestUnreadableFilesHaveOneProblem(t *testing.T) {
	for kind, reader := range readers {
		for _, text := range []string{"", "# nothing", "~", "---\n", "%YAML 1.2\n", "a: [", "\"", "&a"} {
			if problems := reader([]byte(text)).Problems(); len(problems) != 1 {
				t.Errorf("%s of %q: %v, want one problem", kind, text, problems)
			}
		}
		if problems := reader([]byte(aliasBomb())).Problems(); len(problems) == 0 {
			t.Errorf("%s of aliases of aliases: want a problem", kind)
		}
	}
}
