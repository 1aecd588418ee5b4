package config_test

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
)

const scenarios = `
version: 1
scenarios:
  - name: a database takes its shop with it
    events:
      - {alert: platform.database_down}
      - {at: 5s, alert: application.errors, labels: {host: a}}
      - {at: 1m, alert: platform.database_down, status: resolved}
    expect:
      - {at: 10s, suppressed: {"application.errors{host=a}": [down]}, untold: ["application.errors{host=a}"], composites: [Database]}
      - {at: 60s, suppressed: {}, composites: [], visible: ["application.errors{host=a}"]}
`

func TestScenarios(t *testing.T) {
	list, _, err := config.ParseScenarios("s.yaml", []byte(scenarios))
	if err != nil {
		t.Fatal(err)
	}
	rule := correlation.Rule{Name: "down", Logic: `IF platform.database_down THEN suppress application.* CREATE composite_alert: "Database"`}
	got, err := replay.Test([]correlation.Rule{rule}, correlation.Options{}, list...)
	if err != nil || len(got.Failures) > 0 || len(got.Untested) > 0 {
		t.Errorf("Test = %+v, %v, want all to hold", got, err)
	}
	if got, err = replay.Test(nil, correlation.Options{}, list...); err != nil || len(got.Failures) != 3 { // suppressed, untold, composites at 10 s
		t.Errorf("Test without rules = %+v, %v, want three failures", got, err)
	}
}

func TestScenarioErrors(t *testing.T) {
	for text, want := range map[string]string{
		"scenarios: [{name: x, events: [{alert: a.b, status: up}], expect: []}]":                          `status "up", want firing or resolved`,
		"scenarios: [{name: x, events: [{at: 5, alert: a.b}], expect: []}]":                               "scenarios[0].events[0].at",
		"scenarios: [{name: x, events: [], expect: [], until: 5s}]":                                       "until",
		"scenarios: [{name: x, events: [], expect: []}, {name: x, events: [], expect: []}]":               "scenarios[1].name",
		"scenarios: [{events: [], expect: [{at: 1s, visible: nothing}]}]":                                 "scenarios[0].name",
		"scenarios: [{name: x, events: [{alert: down}], expect: []}]":                                     `scenarios[0].events[0].alert: "down", want layer.name`,
		"scenarios: [{name: x, events: [{at: 5s, ends: 1s, alert: a.b}], expect: []}]":                    "scenarios[0].events[0].ends",
		"scenarios: [{name: x, start: 1500-01-01T00:00:00Z, events: [{at: 5s, alert: a.b}], expect: []}]": "scenarios[0].events[0].at",
	} {
		_, _, err := config.ParseScenarios("s.yaml", []byte("version: 1\n"+text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "s.yaml:2:") {
			t.Errorf("%s: %v, want line 2 and %s", text, err, want)
		}
	}
}

func TestTopology(t *testing.T) {
	topology, _, err := config.ParseTopology("t.yaml", []byte("services: [{id: shop, depends_on: [orders, database]}, {id: orders, kind: application}, {id: db1, kind: database}, {id: db2, kind: database}]"))
	want := []correlation.Edge{{Dependent: "shop", Dependency: "orders"}, {Dependent: "shop", Dependency: "db1"}, {Dependent: "shop", Dependency: "db2"}}
	if err != nil || len(topology.Edges) != 3 || topology.Edges[0] != want[0] || topology.Edges[1] != want[1] || topology.Edges[2] != want[2] || topology.Kinds["orders"] != "application" {
		t.Errorf("Topology = %+v, %v, want %v", topology, err, want)
	}
	_, _, err = config.ParseTopology("t.yaml", []byte("services: [{id: shop, depends_on: [order]}, {id: orders}]"))
	if err == nil || !strings.Contains(err.Error(), `t.yaml:1:`) || !strings.Contains(err.Error(), `"orders"`) {
		t.Errorf("Topology with a misspelt service = %v, want its place and a suggestion", err)
	}
	_, _, err = config.ParseTopology("t.yaml", []byte(`services: [{id: shop}, {id: "", kind: database}]`))
	if err == nil || !strings.Contains(err.Error(), "services[1].id") {
		t.Errorf("Topology with a service without an id = %v, want its place", err)
	}
}
