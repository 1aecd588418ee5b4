package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/slok/sloth/pkg/lib"
	slothlog "github.com/slok/sloth/pkg/lib/log"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

const (
	objectives = 100
	sloth      = "slok/sloth pkg/lib v0.16.0"
)

// texts are the rules of one objective, from Go values to the rule file. Sloth
// starts from its YAML, and parses the PromQL, which we leave to Prometheus.
var texts = []measure.Pair{
	{Name: "slo/rules_from_values", Peer: sloth, Bar: 500, Ops: objectives, Setup: func() (func(), func(), error) {
		slos := make([]promrules.SLO, objectives)
		var specs []string
		for i := range slos {
			o := objective()
			o.ID = fmt.Sprintf("requests-%d", i)
			slos[i] = promrules.SLO{Objective: o, Labels: map[string]string{"owner": "myteam"}, Events: promrules.Events{
				Bad:   fmt.Sprintf(`http_request_duration_seconds_count{job="svc%d",code=~"(5..|429)"}`, i),
				Total: fmt.Sprintf(`http_request_duration_seconds_count{job="svc%d"}`, i),
			}}
			specs = append(specs, spec(i))
		}
		var text []byte
		ours := func() {
			f, err := promrules.Generate(slos, promrules.Options{Scrape: step})
			if err != nil {
				panic(err)
			}
			text = f.AppendYAML(text[:0])
		}
		g, err := lib.NewPrometheusSLOGenerator(lib.PrometheusSLOGeneratorConfig{Logger: slothlog.Noop})
		if err != nil {
			return nil, nil, err
		}
		var out bytes.Buffer
		theirs := func() {
			out.Reset()
			for _, s := range specs {
				if err := generate(g, s, &out); err != nil {
					panic(err)
				}
			}
		}
		if ours(); strings.Count(string(text), "alert: \"ErrorBudgetBurn\"") != 4*objectives {
			return nil, nil, fmt.Errorf("our rules have not four alerts per objective")
		}
		if theirs(); strings.Count(out.String(), "alert: ") != 2*objectives {
			return nil, nil, fmt.Errorf("sloth's rules have not two alerts per objective")
		}
		return ours, theirs, nil
	}},
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
