package promrules_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func checkout() promrules.SLO {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		log.Fatal(err)
	}
	return promrules.SLO{
		Objective: slo.Objective{
			ID: "requests", Service: "checkout", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy,
		},
		Events: promrules.Events{
			Bad:   `http_requests_total{job="checkout",code=~"5.."}`,
			Total: `http_requests_total{job="checkout"}`,
		},
	}
}

func ExampleGenerate() {
	file, err := promrules.Generate([]promrules.SLO{checkout()}, promrules.Options{Scrape: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	for _, group := range file.Groups {
		fmt.Printf("%s every %v: %d rules\n", group.Name, group.Interval, len(group.Rules))
	}
	page := file.Groups[2].Rules[0]
	fmt.Println(page.Alert)
	fmt.Println(page.Expr)
	// Output:
	// slo-checkout-requests-sli every 30s: 9 rules
	// slo-checkout-requests-budget every 2m30s: 8 rules
	// slo-checkout-requests-alerts every 30s: 5 rules
	// ErrorBudgetBurn
	// round(slo:sli_error:ratio_rate1h{sloth_id="checkout-requests"}, 1e-14) > 0.0144
	// and ignoring (sloth_window)
	// round(slo:sli_error:ratio_rate5m{sloth_id="checkout-requests"}, 1e-14) > 0.0144
}

// A fleet whose objectives differ in their names: the rules are made once.
func ExampleAppendRules() {
	var slos []promrules.SLO
	for i := range 100 {
		objective := checkout()
		objective.ID = fmt.Sprintf("requests-%d", i)
		slos = append(slos, objective)
	}
	rules, err := promrules.AppendRules(nil, slos, promrules.Options{Scrape: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Count(string(rules), "- alert:"), "alerts")
	// Output: 500 alerts
}

// For the Prometheus operator: only the alerts, and only one rule, for the sake of a
// short file.
func ExampleFile_AppendPrometheusRule() {
	objective := checkout()
	objective.Windows = []slo.Window{slo.Calendar(slo.Month, time.UTC)}
	objective.Policy.Rules = []slo.Rule{{Name: "page", Severity: slo.Page, Long: 5 * time.Minute, Factor: slo.NewRatio(10, 1)}}
	file, err := promrules.Generate([]promrules.SLO{objective}, promrules.Options{Scrape: 30 * time.Second, AbsentFor: -1})
	if err != nil {
		log.Fatal(err)
	}
	file.Groups = file.Groups[2:] // the alerts
	os.Stdout.Write(file.AppendPrometheusRule(nil, "monitoring", "checkout-slo", map[string]string{"release": "prometheus"}))
	// Output:
	// apiVersion: monitoring.coreos.com/v1
	// kind: PrometheusRule
	// metadata:
	//   name: "checkout-slo"
	//   namespace: "monitoring"
	//   labels:
	//     "release": "prometheus"
	// spec:
	//   groups:
	//     - name: "slo-checkout-requests-alerts"
	//       interval: 30s
	//       rules:
	//       - alert: "ErrorBudgetBurn"
	//         expr: |-
	//           round(slo:sli_error:ratio_rate5m{sloth_id="checkout-requests"}, 1e-14) > 0.01
	//         labels:
	//           long_window: "5m"
	//           rule: "page"
	//           severity: "page"
	//           sloth_id: "checkout-requests"
	//           sloth_service: "checkout"
	//           sloth_severity: "page"
	//           sloth_slo: "requests"
	//         annotations:
	//           description: "Over 5m the error ratio is above 0.01 (objective 99.9 %). Now: {{ $value | humanizePercentage }} over 5m."
	//           summary: "requests: the error budget burns more than 10 times too fast"
}

// The first of the unit tests: the fast page fires 1 min after the errors begin at
// 1 h, and not at the evaluation before.
func ExampleAppendTests() {
	objective := checkout()
	objective.Policy.Rules = objective.Policy.Rules[:1]
	tests, err := promrules.AppendTests(nil, "rules.yml", []promrules.SLO{objective}, promrules.Options{Scrape: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.SplitAfter(string(tests), "\n")
	fmt.Print(strings.Join(lines[:24], ""))
	// Output:
	// rule_files:
	//   - "rules.yml"
	// evaluation_interval: 30s
	// group_eval_order:
	//   - "slo-checkout-requests-sli"
	//   - "slo-checkout-requests-budget"
	//   - "slo-checkout-requests-alerts"
	// tests:
	//   - name: "requests: outage"
	//     interval: 30s
	//     input_series:
	//       - series: "http_requests_total{code=\"200\",job=\"checkout\"}"
	//         values: "1000000 1001000+1000x119 1120000+0x59 1121000+1000x119"
	//       - series: "http_requests_total{code=\"500\",job=\"checkout\"}"
	//         values: "1000000 1000000+0x119 1001000+1000x59 1060000+0x119"
	//     promql_expr_test:
	//       - expr: "count by (rule) (ALERTS{alertstate=\"firing\",rule!=\"\",sloth_id=\"checkout-requests\"})"
	//         eval_time: 1h30s
	//         exp_samples: []
	//       - expr: "count by (rule) (ALERTS{alertstate=\"firing\",rule!=\"\",sloth_id=\"checkout-requests\"})"
	//         eval_time: 1h1m
	//         exp_samples:
	//           - labels: "{rule=\"page-fast\"}"
	//             value: 1
}
