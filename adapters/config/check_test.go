package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

var checkedAt = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// The sixteen blocks of the articles load unchanged, each as the kind that takes it.
func TestCheckArticles(t *testing.T) {
	kinds := map[string]string{
		"service_tiers": "contract", "sla_framework": "contract", "financial_commitments": "contract", "performance_metrics": "contract",
		"reporting_framework": "contract", "improvement_process": "contract",
		"operations_centers": "team", "handoff_schedule": "team", "escalation": "team", "communication": "team",
		"monitoring_layers": "rules", "correlation_rules": "rules", "incident_automation": "playbooks", "response_engine": "playbooks",
		"roi_example": "roi", "anomaly_example": "anomaly",
	}
	files, err := filepath.Glob(filepath.Join(testutil.SharedFile(t, "data", "articles"), "*.yaml"))
	if err != nil || len(files) != len(kinds) {
		t.Fatalf("%d files, %v, want %d", len(files), err, len(kinds))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block := strings.TrimSuffix(filepath.Base(file), ".yaml")
		is, found := config.Check("", block, data, checkedAt)
		if is != kinds[block] || slices.ContainsFunc(found, func(p config.Diagnostic) bool { return p.Severity == config.Error }) {
			t.Errorf("%s: kind %q, want %q; %v", block, is, kinds[block], found)
		}
	}
}

// The sample files are guessed to be what they are, and have no error.
func TestCheckSamples(t *testing.T) {
	for file, want := range map[string]string{
		"acme/contract.yaml": "contract", "portal/globex.yaml": "contract", "burst/slo.yaml": "slo", "team/team.yaml": "team", "schedules/team.yaml": "team",
		"storm/rules.yaml": "rules", "roi/model.yaml": "roi", "cpu/playbooks.yaml": "playbooks", "portal/portal.yaml": "portal", "bridge/bridge.yaml": "bridge",
	} {
		data, err := os.ReadFile(filepath.Join(testutil.SharedFile(t, "data", "examples"), filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		is, found := config.Check("", file, data, checkedAt)
		if is != want || slices.ContainsFunc(found, func(p config.Diagnostic) bool { return p.Severity == config.Error }) {
			t.Errorf("%s: kind %q, want %q; %v", file, is, want, found)
		}
	}
}

func TestCheckGuesses(t *testing.T) {
	for text, want := range map[string]string{
		"version: 1":                        "",
		"hello: 1":                          "",
		"- a":                               "",
		"":                                  "",
		"version: 1\nslso: []\ntimezone: a": "slo", // timezone is also a key of contracts
		"timezone: a\nservices: []\nb: 1\nc: 2\nd: 3":      "", // a contract would know two of five
		"version: 1\nslos: [":                              "slo",
		"\"slos\": [}":                                     "slo",
		"services: [{id: a, depends_on: [b]}]":             "topology",
		"services: [{service: a}]":                         "catalogue",
		"services: [{service: a}]\nversion: 1":             "catalogue",
		"services: [{id: a}]\nid: c\ncustomer: {id: a}":    "contract",
		"apiVersion: openslo/v1\nkind: SLO":                "openslo",
		"scenarios: []":                                    "scenarios",
		"slas: []":                                         "public",
		"version: 1\narticles: []":                         "articles",
		"month: 2026-03\nitems: []\ncurrency: EUR":         "accounts",
		"impact: {}\ncurrency: EUR":                        "roi",
		`{"anomaly_example": {"service_name": "a"}}`:       "anomaly",
		"sources: {}\nsinks: {}":                           "bridge",
		"listen: a\ntenants: []":                           "portal",
		"silences: []":                                     "rules",
		"journeys: []":                                     "journeys",
		"version: 1\ncomponents: []\ncapacities: []":       "outlook",
		"engineers: []":                                    "team",
		"response_engine: {}\nlevel_delays: {level_1: 1m}": "playbooks",
	} {
		is, found := config.Check("", "f.yaml", []byte(text), checkedAt)
		if is != want {
			t.Errorf("%q: guessed %q, want %q", text, is, want)
		}
		if is == "" && (len(found) != 1 || !slices.Contains([]string{"unknown_kind", "empty_document"}, found[0].Code)) {
			t.Errorf("%q: %v, want one error that says so", text, found)
		}
	}
	if kinds := config.Kinds(); len(kinds) != 18 || !slices.Contains(kinds, "openslo") {
		t.Errorf("Kinds() = %q", kinds)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic of a kind that is none")
		}
	}()
	config.Check("nonsense", "f.yaml", nil, checkedAt)
}

// Texts that could be numbers of a million digits are not read as such: 200 of them
// took 20 seconds.
func TestCheckLongNumbers(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\ntenant_label: tenant\nsources: {alertmanager: {listen: 127.0.0.1:1}}\nsinks: {webhook: {url: https://a.example, secret: {env: X}}}\ncontacts:\n")
	for i := range 200 {
		fmt.Fprintf(&b, "  p%d: 1e999999\n", i)
	}
	start := time.Now()
	_, found := config.Check("bridge", "bridge.yaml", []byte(b.String()), checkedAt)
	if took := time.Since(start); took > 5*time.Second || len(found) != 0 {
		t.Errorf("%v after %v, want nothing at once", found, took)
	}
}

const plainContract = `version: 1
id: c1
customer: {id: acme}
timezone: UTC
tier: enterprise
monthly_fee: "100000.00 EUR"
services: [{id: api}]
`

const plainTeam = `version: 1
timezone: UTC
last_resort: {id: duty, name: Duty manager}
engineers:
  - {id: ann, name: Ann, level: senior, timezone: UTC, primary_skills: [databases], availability_hours: [8, 18], on_call_rotation: true}
`

const workdays = `schedules:
  days:
    layers:
      - {name: all, rotation: {tz: UTC, start_local: "2026-01-05T09:00", unit: weeks, length: 1, users: [ann]}, windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "00:00", to: "24:00"}]}
  ends:
    layers:
      - {name: all, rotation: {tz: UTC, start_local: "2026-01-05T09:00", unit: weeks, length: 1, users: [ann]}, windows: [{days: [Sat, Sun], from: "00:00", to: "24:00"}]}
`

// Warnings stand where the value is that somebody would change.
func TestCheckWarns(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{"contract", plainContract + "availability: {target_percent: 0.999}", `f.yaml:8:32: availability.target_percent: a percentage of 0.999, which looks like a ratio (did you mean "99.9"?)|suspicious_value`},
		{"contract", plainContract + "availability: {target_percent: 1}", `(did you mean "100"?)|suspicious_value`},
		{"contract", plainContract + "availability: {target_percent: 0}", ""},
		{"contract", strings.Replace(plainContract, "100000.00", "1000.00", 1), "f.yaml:6:1: monthly_fee: |fee_out_of_range"},
		{"contract", plainContract, "|credit_gap"}, // of the tier: 99.9 against a first band at 99.0
		{"slo", "version: 1\nslos: [{id: a, service: b, objective_percent: 0.999, window: 30d}]", `f.yaml:2:47: slos[0].objective_percent: |suspicious_value`},
		// At 90 % an error ratio of 1 burns at 10, which is below the 14.4 of the first rule.
		{"slo", "version: 1\nslos: [{id: a, service: b, objective_percent: 90, window: 30d}]", `f.yaml:2:28: slos[0].objective_percent: rule "page-fast": |alert_unreachable`},
		{"slo", "version: 1\nslos:\n  - id: a\n    service: b\n    objective_percent: 90\n    window: 30d\n    alerts:\n      - {severity: page, long: 1h, short: 5m, burn: 9}\n      - {severity: page, long: 1h, short: 5m, burn: 10}\n", `f.yaml:9:9: slos[0].alerts[1]: |alert_unreachable`},
		{"roi", costs + "discount_rate: 8", `(did you mean "0.08"?)|suspicious_value`},
		{"roi", costs + "discount_rate: 0.08", ""},
		{"team", plainTeam + workdays, ""},
		// Ann is on call on working days: 13 weekends of 90 days from a Monday 08:00 on.
		{"team", plainTeam + workdays + "on_call: days", "f.yaml:13:1: on_call: nobody is on call from 2026-11-07T00:00:00Z to 2026-11-09T00:00:00Z; in 90 days that is the first of 13, 608h0m0s in all|coverage_gap"},
		{"team", plainTeam + strings.Split(workdays, "  ends:")[0], "f.yaml:6:1: schedules: nobody is on call from 2026-11-07T00:00:00Z|coverage_gap"},
		{"team", plainTeam + workdays + "matrix: {p1: &p {steps: [{minutes: 0, targets: [{schedule: ends}], stop_on: acknowledged}]}, p2: *p, p3: *p, p4: *p}", "tells nobody at 2026-11-02T08:00:00Z|unreached"},
		{"rules", "correlation_rules: {a: {logic: 'IF a.b THEN suppress c.d CREATE composite_alert: \"R\"'}}", "f.yaml:1:21: correlation_rules.a: |rule_without_join"},
		{"bridge", "sources: {alertmanager: {listen: ':9095'}}\nsinks: {slack: {url: canary}}", "f.yaml:1:34: sources.alertmanager.listen: |open_listen"},
		{"bridge", "sources: {alertmanager: {listen: ':9095'}}\nsinks: {slack: {url: canary}}", "f.yaml:2:17: sinks.slack.url: |inline_secret"},
		{"bridge", "sources: {alertmanager: {listen: '127.0.0.1:9095'}}\nsinks: {slack: {url: {env: NOT_SET}}}", ""},
		{"portal", strings.Replace(portalFile, "127.0.0.1:8080", "0.0.0.0:80", 1), `f.yaml:2:9: listen: "0.0.0.0:80" is open to the network; want a proxy with TLS before it (did you mean "127.0.0.1:80"?)|open_listen`},
	} {
		is, found := config.Check(c.kind, "f.yaml", []byte(c.text), checkedAt)
		text, code, _ := strings.Cut(c.want, "|")
		if is != c.kind || slices.ContainsFunc(found, func(p config.Diagnostic) bool { return p.Severity == config.Error }) {
			t.Errorf("%s: %s\n%q, %v, want no error", c.kind, c.text, is, found)
		}
		if c.want == "" && len(found) > 0 && c.kind != "contract" {
			t.Errorf("%s: %s\n%v, want nothing", c.kind, c.text, found)
		}
		if c.want != "" && !slices.ContainsFunc(found, func(p config.Diagnostic) bool { return p.Code == code && strings.Contains(p.String(), text) }) {
			t.Errorf("%s: %s\n%v\nwant %s", c.kind, c.text, found, c.want)
		}
		if strings.Contains(fmt.Sprint(found), "canary") {
			t.Errorf("%s: shows the secret: %v", c.kind, found)
		}
	}
}

func TestAnomaly(t *testing.T) {
	const file = `anomaly_example:
  service_name: user_api
  features: [cpu, errors]
  history: {seed: 42, samples: 1000, distributions: {cpu: {distribution: normal, mean: 45, std: 15}, errors: {distribution: exponential, scale: 0.5}}}
  model: {scaler: standard, detector: isolation_forest, contamination: 0.1, random_state: 42, n_estimators: 100}
  baseline: {percentiles: [0.25, 0.5], high_deviation: "> 2.0"}
  metric_sets: {good: {cpu: 48, errors: 0.3}}
`
	e, _, err := config.ParseAnomaly("a.yaml", []byte(file))
	if err != nil || e.Service != "user_api" || e.Options.Contamination != 0.1 || e.Options.Trees != 100 || *e.Options.Seed != 42 || e.Readings["good"]["errors"] != 0.3 || e.Distributions["cpu"].Std != 15 {
		t.Errorf("%+v, %v", e, err)
	}
	for _, c := range []struct{ old, text, want string }{
		{"[cpu, errors]", "[cpu, errors, cpu]", `a.yaml:3:27: anomaly_example.features[2]: id "cpu" stands twice`},
		{"{cpu: 48", "{cpi: 48", `a.yaml:7:29: anomaly_example.metric_sets.good.cpi: no feature "cpi" in the file (did you mean "cpu"?)`},
		{"scaler: standard", "scaler: robust", "a.yaml:5:19: anomaly_example.model.scaler: "},
		{"isolation_forest", "lof", "anomaly_example.model.detector: "},
		{"contamination: 0.1", "contamination: 0.6", "anomaly_example.model.contamination: want "},
		{"n_estimators: 100", "n_estimators: 0", "anomaly_example.model.n_estimators: want "},
		{"random_state: 42", "random_state: -1", "anomaly_example.model.random_state: want "},
		{"samples: 1000", "samples: 0", "anomaly_example.history.samples: want "},
		{"[0.25, 0.5]", "[0.5, 0.25]", "a.yaml:6:33: anomaly_example.baseline.percentiles[1]: want "},
		{`"> 2.0"`, "high", "anomaly_example.baseline.high_deviation: "},
		{"mean: 45, std: 15", "mean: 45", "anomaly_example.history.distributions.cpu.std: missing"},
		{"mean: 45, std: 15", "mean: 45, std: 0", "anomaly_example.history.distributions.cpu.std: want more than 0"},
		{"scale: 0.5", "scale: 0.5, mean: 1", "anomaly_example.history.distributions.errors.mean: want no mean"},
		{"distribution: normal", "distribution: norml", `anomaly_example.history.distributions.cpu.distribution: found "norml"`},
		{"service_name: user_api", "service: user_api", "anomaly_example.service: unknown key"},
	} {
		_, _, err := config.ParseAnomaly("a.yaml", []byte(strings.Replace(file, c.old, c.text, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.text, err, c.want)
		}
	}
}

// A check never panics, whatever the file and the kind that it is taken for.
func FuzzCheck(f *testing.F) {
	kinds := config.Kinds()
	for i, text := range []string{portalFile, bridgeFile, plainContract, plainTeam + workdays, costs, "services: [{id: a}]", "anomaly_example: {features: [a]}", "a: &a [*a]", "slos: [{"} {
		f.Add(uint8(i), text)
	}
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		kind := ""
		if i := int(n) % (len(kinds) + 1); i > 0 {
			kind = kinds[i-1]
		}
		is, found := config.Check(kind, "f.yaml", []byte(text), checkedAt)
		if kind != "" && is != kind || is == "" && len(found) == 0 {
			t.Fatalf("%q as %q: %q, %v", text, kind, is, found)
		}
		for _, p := range found {
			if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" {
				t.Fatalf("%q: problem without a place, a code or a message: %+v", text, p)
			}
		}
	})
}
