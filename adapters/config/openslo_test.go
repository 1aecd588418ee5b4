package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/slo"
)

// orders is an objective as OpenSLO v1, with what it refers to.
const orders = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: orders
spec:
  service: shop
  indicatorRef: placed
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
  alertPolicies:
    - alertPolicyRef: slow
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata:
  name: slow
spec:
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata:
        name: burn
        annotations: {evenkeel/short-window: 6h}
      spec:
        severity: ticket
        condition: {kind: burnrate, op: gt, threshold: 1, lookbackWindow: 3d, alertAfter: 0m}
  notificationTargets: []
---
apiVersion: openslo/v1
kind: SLI
metadata:
  name: placed
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: 'orders_total{result="ok"}'}}}
    total: {metricSource: {type: Prometheus, spec: {query: orders_total}}}
`

func editedOrders(pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(orders))
}

func TestOpenSLO(t *testing.T) {
	all, d, err := config.ParseObjectives("slo.yaml", editedOrders())
	if err != nil || len(all) != 1 || len(d.Problems()) != 0 {
		t.Fatalf("%v, %v", err, d.Problems())
	}
	o := all[0]
	rule := slo.Rule{Name: "slow", Severity: slo.Ticket, Long: 72 * time.Hour, Short: 6 * time.Hour, Factor: slo.NewRatio(1, 1)}
	if o.ID != "orders" || o.Service != "shop" || o.Target.Percent() != "99.9" || o.Windows[0].Nominal() != 30*24*time.Hour ||
		len(o.Policy.Rules) != 1 || fmt.Sprint(o.Policy.Rules[0]) != fmt.Sprint(rule) {
		t.Errorf("objective %+v", o)
	}
	if e := o.Rules.Events; e.Good != `orders_total{result="ok"}` || e.Total != "orders_total" || o.Rules.ID != "orders" || o.Scrape != 0 {
		t.Errorf("rules %+v", o.Rules)
	}
}

// What is told apart, and where from.
func TestOpenSLOProblems(t *testing.T) {
	for _, c := range []struct {
		name      string
		text      []byte
		err, warn string // the first of each
	}{
		{"errors", editedOrders("shop", "'' ", "0.999", "99.9"), `f.yaml:6:12: spec.service: `, ""},
		{"another case", editedOrders("apiVersion", "APIVersion"), "f.yaml:1:1: apiVersion: missing, want one of openslo/v1", ""},
		{"without version", editedOrders("apiVersion: openslo/v1\n", ""), "f.yaml:1:1: apiVersion: missing", ""},
		{"a list", []byte("- apiVersion: openslo/v1\n  kind: SLX\n"), `f.yaml:2:9: [0].kind: found "SLX"`, ""},
		{"slices of ratios", editedOrders("Occurrences", "RatioTimeslices", "    - target: 0.999", "    - {target: 0.999, timeSliceWindow: 1m}"), "f.yaml:13:7: spec.objectives[0]: budgeting method RatioTimeslices: ", ""},
		{"no objective", []byte("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n"), "f.yaml:1:1: no object of kind SLO", ""},
		{"no policies", editedOrders("  alertPolicies:\n    - alertPolicyRef: slow\n", ""), "", `f.yaml:1:1: objective "orders": no alert policies: the default rules are taken`},
		{"no policies of a day", editedOrders("  alertPolicies:\n    - alertPolicyRef: slow\n", "", "30d", "1d"), "", `f.yaml:1:1: objective "orders": no alert policies`},
		{"downwards", editedOrders("op: gt", "op: lte"), "", "f.yaml:30:41: "},
		{"another source", editedOrders("type: Prometheus", "type: Datadog"), "", `f.yaml:1:1: openslo: objective "orders": good: want a metric of type Prometheus, not "Datadog"`},
		{"no selector", editedOrders("orders_total{result=\"ok\"}", "orders_total{result=}"), "", `f.yaml:1:1: promrules: objective "orders": events good: `},
	} {
		all, d, err := config.ParseObjectives("f.yaml", c.text)
		switch {
		case c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err)):
			t.Errorf("%s: got %v, want %s", c.name, err, c.err)
		case c.err == "" && (err != nil || len(all) != 1 || len(d.Problems()) == 0 || !strings.HasPrefix(d.Problems()[0].String(), c.warn)):
			t.Errorf("%s: got %v, %v, want the warning %s", c.name, err, d.Problems(), c.warn)
		}
		if c.name == "another source" || c.name == "no selector" {
			if all[0].Rules != nil {
				t.Errorf("%s: there are rules", c.name)
			}
		}
		if c.name == "downwards" && len(all[0].Policy.Rules) != 0 {
			t.Errorf("%s: the default rules stand for a policy that asks for something else", c.name)
		}
	}
}

// JSON is YAML, and a file of our own is not taken for another.
func TestOpenSLOForms(t *testing.T) {
	const compact = `{"apiVersion":"openslo/v1","kind":"SLO","metadata":{"name":"a"},"spec":{"service":"s","indicator":{"spec":{"ratioMetric":{"counter":true,` +
		`"good":{"metricSource":{"type":"Prometheus","spec":{"query":"g"}}},"total":{"metricSource":{"type":"Prometheus","spec":{"query":"t"}}}}}},` +
		`"timeWindow":[{"duration":"7d","isRolling":true}],"budgetingMethod":"Occurrences","objectives":[{"target":0.99}]}}`
	for name, text := range map[string]string{"json": compact, "list": "[" + compact + "]", "second document": "---\n# nothing\n---\n" + compact} {
		all, _, err := config.ParseObjectives("f.json", []byte(text))
		if err != nil || len(all) != 1 || all[0].ID != "a" || len(all[0].Policy.Rules) != 4 {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
	_, _, err := config.ParseObjectives("f.yaml", []byte("version: 1\nslos: [{kind: SLO}]\n"))
	if err == nil || !strings.Contains(err.Error(), `slos[0].kind: unknown key "kind"`) {
		t.Errorf("a file of our own: %v", err)
	}
}
