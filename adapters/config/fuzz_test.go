package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

// fuzzReader feeds a reader, beginning with the case files of its kind. A reader
// never panics, and every problem has a place, a code and a message.
func fuzzReader(f *testing.F, kind string, seeds ...string) {
	f.Helper()
	var file struct {
		Cases []struct{ Kind, YAML string }
	}
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", "config_errors.json"))
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range file.Cases {
		if c.Kind == kind {
			seeds = append(seeds, c.YAML)
		}
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := readers[kind]([]byte(text))
		for _, p := range d.Problems() {
			if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" || p.Severity != config.Error && p.Severity != config.Warning {
				t.Fatalf("%q: problem without a place, a code or a message: %+v", text, p)
			}
		}
	})
}

func FuzzContract(f *testing.F) {
	fuzzReader(f, "contract", string(contractOf("essential",
		"service_hours: [{days: [Mon], from: \"08:00\", to: \"20:00\"}]", "holidays: [2026-12-25]", "evidence_from: 2026-08-01T00:00:00+02:00",
		"availability: {target_percent: 99.9, aggregate: per_service, exclude: [customer]}", "response: {p1: 2m, low: ~}", `resolution: {p1: "<= 2h"}`,
		"credits: {availability: [{below: 99, percent: 10}], response: {p1: 5 EUR}, mttr_breach_percent: 5, cap_percent: ~, rounding: down}")),
		string(contractOf("enterprise", tiersBlock+financialBlock+metricsBlock+reportingBlock+improvementBlock+"credits: ~")),
		string(contractOf("essential", frameworkBlock, financialBlock+"response: {low: ~}\nresolution: ~")))
}

func FuzzFramework(f *testing.F) {
	fuzzReader(f, "framework", tiersBlock, frameworkBlock, financialBlock, metricsBlock, reportingBlock, improvementBlock,
		tiersBlock+frameworkBlock+financialBlock+metricsBlock+reportingBlock+improvementBlock,
		"sla_framework: {performance_metrics: {service_delivery: {planned_maintenance_notice: 72 hours}}, financial_commitments: ~}",
		"service_tiers: {essential: {pricing: 'JPY 15K to £2.5M', response_sla: {p1: 0, low: 3 business days}}, gold: {}}",
		"financial_commitments: {availability_credits: {downtime_99_9_to_99_percent: 10 %, downtime_below_1000_percent: ~}}")
}

func FuzzObjectives(f *testing.F) {
	fuzzReader(f, "slo", "version: 1\ntimezone: Nowhere\nslos: [{id: a, service: b, objective_percent: 95, window: calendar_week, timezone: SGT, alerts: none}]",
		"version: 1\nslos: [{id: a, service: b, objective_percent: 95, window: 7d, sli: {kind: time_slices, slice: 5m, good_percent: 99, no_data: exclude}, alerts: [{name: fast, severity: page, long: 30m, short: 10m, burn: 6}]}]",
		string(watched("    alerts: [{severity: a, kind: absolute_count, long: 1h, min_bad: 3, at_least_percent: 50%}, {severity: a, kind: silence, long: 5m, keep_firing_for: 1m}, {severity: a, long: 1h, burn: 6, alpha: 0.01, min_events: 9}]\n")),
		string(watched("    min_coverage_percent: 50\n    at_risk: {consumed_percent: 75, on_rule: true}\n    budget_policy: {actions: [{name: a, consumed_percent: 150.5, text: b}], unused_percent: 0}\n")),
		orders, "[{apiVersion: openslo/v1, kind: SLO, spec: {timeWindow: [{duration: 1M}]}}]", "kind: SLO")
}

func FuzzRules(f *testing.F) {
	fuzzReader(f, "rules", "thresholds: {a: {b: '> 80% for 5 minutes'}}\nsignals: {b: [c]}\noptions: {settle: 5s, entity_label: service}",
		"monitoring_layers: {a: {level: b, tools: {c: d}, metrics: [e], alert_thresholds: {f: '< 1'}}}", quietRules)
}

func FuzzScenarios(f *testing.F) { fuzzReader(f, "scenarios", scenarios) }

func FuzzTopology(f *testing.F) {
	fuzzReader(f, "topology", "services: [{id: shop, depends_on: [orders, database]}, {id: orders}, {id: db1, kind: database}]")
}

func FuzzTeam(f *testing.F) {
	fuzzReader(f, "team", "version: 1\nengineers: [{id: a, availability_hours: [8, 99]}]", supportedTeam, wholeTeam,
		"operations_centers: {a: {location: A, timezone: CET/CEST, coverage_hours: 06:00-18:00 CET}}\nhandoff_schedule: {a_to_b: {time: 17:30 CET, duration: 30 minutes}}",
		"escalation: {timelines: {p1: {level_1: {minutes: 1, escalate_to: senior, stop_on: resolved}}}, engineers: [{name: A, level: senior, location: austin}]}",
		"communication: {update_interval_minutes: {p3: 0}, business_hours: {days: [Mon], from: '9', to: ''}, stakeholders: [{name: a}]}")
}

func FuzzCosts(f *testing.F) {
	fuzzReader(f, "roi", costs+"distributions: {setup_costs: {kind: normal, mean: 1, sd: 1, from: 0, sum: 12}, years: {kind: discrete, values: [1, 2], weights: [1, 0]}}\n"+
		"correlations: [{a: setup_costs, b: years, rank: 0.5}]\nscenarios: [{name: a, overrides: {years: 2}}]\nalternatives: [{name: b, kept: 0.5}, {name: c, internal: true}]",
		costs+"inflation: 0.02\ntax_rate: 0.3\ndepreciation_years: 5\nstart_year: 2027\nramp_up: [0.5]\ntiming: {period: month, position: mid}\nsalary_growth: -0.5",
		"roi_example: {calculator: {incidents_per_month: 10, required_staffing: {a: 1}}, internal_cost_model: {annual_salaries: {a: 1}}, managed_service_cost_model: {setup_costs: 1}, business_impact_model: {revenue_per_hour: 1}}")
}

func FuzzAccounts(f *testing.F) {
	fuzzReader(f, "accounts", accounts(f), "month: 2026-03\ncurrency: EUR\nitems: [{id: a, kind: one_off, pool: p, price: -1 JPY, months: 12, from: 2026-01}]\n"+
		"keys: [{pool: p, method: tiered_usage, metric: m, bands: [{weight: 1}], fallback: {method: equal, targets: [{id: a}]}}]")
}

func FuzzBridge(f *testing.F) {
	fuzzReader(f, "bridge", bridgeFile, "default_tenant: a\nsources: {prometheus: {url: http://a, every: 30s, queries: [{name: a, expr: up == 0, labels: {b: c}}]}}\n"+
		"sinks: {pagerduty: {routing_key: {env: A}}, slack: {url: {file: b}}, smtp: {host: a, port: 25, from: b, to: [c], password: d}}\nmap: {severity: {a: p1}, state: {b: new}}",
		"sinks: {jira: {url: 'ftp://a@b', token: [a], project: P, deployment: c}, servicenow: {url: http://a, user: b}, webhook: a}")
}

func FuzzPortal(f *testing.F) {
	fuzzReader(f, "portal", portalFile, "listen: a\nbrand: {name: a, color: '#fff', color_dark: red}\nops: {token_sha256: a}\nadmin_listen: :1\n"+
		"tenants: [{id: A, public: true, token_sha256: b, feed_token_sha256: c, locale: xx, max_gap: 1}, {id: a, public: 1}]")
}

func FuzzArticles(f *testing.F) {
	fuzzReader(f, "articles", articles, "articles: [{id: a}, {id: a, title: '', text: b, changed: 2026-10-01}]\nversion: 2")
}

func FuzzPlaybooks(f *testing.F) {
	fuzzReader(f, "playbooks", "response_engine: {retry_policy: {max_attempts: 3}, safety_checks: [{name: a, conditions: [b]}]}\nlevel_delays: {level_1: 1m}")
}

func FuzzContinuity(f *testing.F) {
	sample, err := os.ReadFile(filepath.Join("testdata", "catalogue.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	fuzzReader(f, "continuity", string(sample), "services: [{service: a, depends_on: [b]}, {service: b, depends_on: [a]}]\nkey_dates: [{id: k, zone: UTC, rule: {dates: [2026-02-30], roll: up}}]",
		`{"services": [{"service": "a"}], "policy": {"dr_every_ns": 1, "dr_every": "1d"}, "restores": [{"service": "a", "rto_target_ns": -1}], "dr_tests": [{"id": "x"}, {"id": "x"}]}`)
}
