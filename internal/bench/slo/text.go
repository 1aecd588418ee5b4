package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/slok/sloth/pkg/lib"
	slothlog "github.com/slok/sloth/pkg/lib/log"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

const (
	objectives = 100
	sloth      = "slok/sloth pkg/lib v0.16.0"
)

// texts are the rules of objectives, from Go values or an OpenSLO file to the rule
// file. Sloth starts from its YAML, and parses the PromQL, which we leave to
// Prometheus.
var texts = []measure.Pair{
	{Name: "slo/rules_from_values", Peer: sloth, Bar: 500, Ops: objectives, Setup: func() (func(), func(), error) {
		return besideSloth(objectives, fromValues(fleet(objectives)))
	}},
	{Name: "slo/rules_from_values_of_1000", Peer: sloth, Bar: 1, Ops: 10 * objectives, Setup: func() (func(), func(), error) {
		return besideSloth(10*objectives, fromValues(fleet(10*objectives)))
	}},
	{Name: "slo/rules_from_values_of_1", Peer: sloth, Bar: 1, Setup: func() (func(), func(), error) {
		return besideSloth(1, fromValues(fleet(1)))
	}},
	{Name: "slo/rules_from_values_of_100_shapes", Peer: sloth, Bar: 1, Ops: objectives, Setup: func() (func(), func(), error) {
		slos := fleet(objectives)
		for i := range slos {
			slos[i].Target = slo.MustPercent(fmt.Sprintf("99.9%02d", i))
		}
		return besideSloth(objectives, fromValues(slos))
	}},
	{Name: "slo/rules_from_openslo", Peer: sloth, Bar: 10, Ops: objectives, Setup: func() (func(), func(), error) {
		return besideSloth(objectives, fromOpenSLO(objectives))
	}},
}

// fleet are objectives that differ in their id and in what they count.
func fleet(n int) []promrules.SLO {
	slos := make([]promrules.SLO, n)
	for i := range slos {
		o := objective()
		o.ID = fmt.Sprintf("requests-%d", i)
		slos[i] = promrules.SLO{Objective: o, Labels: owner, Events: promrules.Events{Bad: bad(i), Total: total(i)}}
	}
	return slos
}

var owner = map[string]string{"owner": "myteam"}

func bad(i int) string {
	return fmt.Sprintf(`http_request_duration_seconds_count{job="svc%d",code=~"(5..|429)"}`, i)
}

func total(i int) string { return fmt.Sprintf(`http_request_duration_seconds_count{job="svc%d"}`, i) }

func fromValues(slos []promrules.SLO) func() []byte {
	var text []byte
	return func() []byte {
		text = must(promrules.AppendRules(text[:0], slos, promrules.Options{Scrape: step}))
		return text
	}
}

// fromOpenSLO starts from a file of the objectives. Like that of Sloth it has no
// policy and gets the default one.
func fromOpenSLO(n int) func() []byte {
	var file, text []byte
	for i := range n {
		file = fmt.Appendf(file, openSLO, i, bad(i), total(i))
	}
	return func() []byte {
		f := must(openslo.Parse("slo.yaml", file))
		slos := make([]promrules.SLO, len(f.Objectives))
		for i, o := range f.Objectives {
			slos[i] = promrules.SLO{Objective: o.Objective, Labels: owner, Events: must(o.Events())}
			slos[i].Policy = must(slo.DefaultPolicy(o.Windows[0]))
		}
		text = must(promrules.AppendRules(text[:0], slos, promrules.Options{Scrape: step}))
		return text
	}
}

const openSLO = `---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: requests-%d
spec:
  description: Requests are answered.
  service: shop
  indicator:
    metadata:
      name: requests
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate(%s[$window]))
        total:
          metricSource:
            type: Prometheus
            spec:
              query: sum(rate(%s[$window]))
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
`

// besideSloth measures what writes the rules of the first n objectives.
func besideSloth(n int, rules func() []byte) (ours, theirs func(), err error) {
	g, err := lib.NewPrometheusSLOGenerator(lib.PrometheusSLOGeneratorConfig{Logger: slothlog.Noop})
	if err != nil {
		return nil, nil, err
	}
	specs := make([]string, n)
	for i := range specs {
		specs[i] = spec(i)
	}
	var out bytes.Buffer
	theirs = func() {
		out.Reset()
		for _, s := range specs {
			if err := generate(g, s, &out); err != nil {
				panic(err)
			}
		}
	}
	if n := bytes.Count(rules(), []byte("alert: \"ErrorBudgetBurn\"")); n != 4*len(specs) {
		return nil, nil, fmt.Errorf("our rules have %d alerts, not four per objective", n)
	}
	if theirs(); strings.Count(out.String(), "alert: ") != 2*n {
		return nil, nil, errors.New("sloth's rules have not two alerts per objective")
	}
	return func() { rules() }, theirs, nil
}

func generate(g *lib.PrometheusSLOGenerator, spec string, out io.Writer) error {
	result, err := g.GenerateFromRaw(context.Background(), []byte(spec))
	if err != nil {
		return err
	}
	return g.WriteResultAsPrometheusStd(context.Background(), *result, out)
}

// spec is the same objective in the words of Sloth.
func spec(i int) string {
	return fmt.Sprintf(`version: "prometheus/v1"
service: "shop"
labels:
  owner: "myteam"
slos:
  - name: "requests-%d"
    objective: 99.9
    description: "Requests are answered."
    sli:
      events:
        error_query: sum(rate(http_request_duration_seconds_count{job="svc%d",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count{job="svc%d"}[{{.window}}]))
    alerting:
      name: ErrorBudgetBurn
      page_alert:
        labels:
          severity: page
      ticket_alert:
        labels:
          severity: ticket
`, i, i, i)
}
