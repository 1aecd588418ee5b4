package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func objective(prometheus string) []byte {
	return []byte("version: 1\nslos:\n  - id: a\n    service: api\n    objective_percent: 99.9\n    window: 30d\n    prometheus: " + prometheus + "\n")
}

func TestPrometheusBlock(t *testing.T) {
	all, _, err := config.ParseObjectives("slo.yaml", []byte(`version: 1
slos:
  - id: a
    service: api
    objective_percent: 99.9
    window: 30d
    prometheus:
      bad: http_requests_total{code=~"5.."}
      total: http_requests_total
      by: [region]
      scrape: 30s
      labels: {team: shop}
      annotations: {channel: "#shop"}
  - {id: b, service: api, objective_percent: 99, window: 7d, prometheus: {latency: {histogram: h_seconds, limit: 250ms, native: true}}}
  - {id: c, service: api, objective_percent: 99, window: 7d, prometheus: {up: up}}
  - {id: d, service: api, objective_percent: 99, window: 7d, prometheus: {error_ratio: 'r[$window]'}}
  - {id: e, service: api, objective_percent: 99, window: 7d, prometheus: {good: 'a_total', bad: 'b_total'}}
  - {id: f, service: api, objective_percent: 99, window: 7d}
`))
	if err != nil {
		t.Fatal(err)
	}
	a := all[0]
	if e := a.Rules.Events; e.Bad != `http_requests_total{code=~"5.."}` || e.Total != "http_requests_total" || len(e.By) != 1 || e.By[0] != "region" ||
		a.Scrape != 30*time.Second || a.Rules.Labels["team"] != "shop" || a.Rules.Annotations["channel"] != "#shop" || a.Rules.ID != "a" || len(a.Rules.Policy.Rules) != 4 {
		t.Errorf("events %+v of %+v", e, a)
	}
	if l := all[1].Rules.Events.Latency; l.Histogram != "h_seconds" || l.Limit.Compare(slo.NewRatio(1, 4)) != 0 || !l.Native {
		t.Errorf("latency %+v, want 1/4 s of a native histogram", l)
	}
	if all[2].Rules.Events.Up != "up" || all[3].Rules.Events.ErrorRatio != "r[$window]" || all[4].Rules.Events.Good != "a_total" || all[5].Rules != nil {
		t.Errorf("the other ways to count are read wrong: %+v", all[2:])
	}
	var slos []promrules.SLO
	for _, o := range all[:5] {
		slos = append(slos, *o.Rules)
	}
	if _, err := promrules.Generate(slos, promrules.Options{Scrape: a.Scrape}); err != nil {
		t.Errorf("what was read gives no rules: %v", err)
	}
}

func TestPrometheusProblems(t *testing.T) {
	for _, c := range []struct{ block, want string }{
		{"{bad: 'a{', total: b}", `f.yaml:7:23: slos[0].prometheus.bad: "a{" at byte 2, want `},
		{"{bad: a, totl: b}", `f.yaml:7:26: slos[0].prometheus.totl: unknown key "totl"`},
		{"{bad: a}", `f.yaml:7:17: slos[0].prometheus: want two of bad, good and total`},
		{"{}", `f.yaml:7:17: slos[0].prometheus: want one way to count`},
		{"{bad: a, total: b, up: c}", `f.yaml:7:17: slos[0].prometheus: want one way to count`},
		{"{latency: {limit: 1s}}", `slos[0].prometheus.latency.histogram: missing`},
		{"{latency: {histogram: h, limit: 0s}}", `slos[0].prometheus.latency.limit: want a number of seconds above 0`},
		{"{error_ratio: a/b}", `f.yaml:7:31: slos[0].prometheus.error_ratio: want an expression with $window`},
		{"{bad: a, total: b, scrape: 30}", `slos[0].prometheus.scrape: `},
		{"{bad: a, total: b, scrape: 1us}", `slos[0].prometheus.scrape: `},
		{"{bad: a, total: b, by: ['1']}", `slos[0].prometheus.by: "1" at byte 0, want a label name`},
		{"{bad: a, total: b, labels: {sloth_id: x}}", `slos[0].prometheus.labels: "sloth_id" at byte 0, want a name that the rules do not set themselves`},
		{"up", `f.yaml:7:17: slos[0].prometheus: found the text "up", want a mapping`},
	} {
		_, _, err := config.ParseObjectives("f.yaml", objective(c.block))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.block, err, c.want)
		}
	}
}

// What only keeps rules from being written is a warning: the figures of the
// objective can be had.
func TestPrometheusWarning(t *testing.T) {
	text := strings.Replace(string(objective("{bad: a, total: b}")), "99.9", "100", 1)
	text = strings.Replace(text, "window: 30d", "window: 30d\n    alerts: none", 1)
	all, d, err := config.ParseObjectives("f.yaml", []byte(text))
	if err != nil || len(all) != 1 {
		t.Fatal(err)
	}
	if p := d.Problems(); len(p) != 1 || p[0].Code != "no_rules" || p[0].Severity != config.Warning || p[0].Path != "slos[0].prometheus" {
		t.Errorf("problems %v, want one warning no_rules", p)
	}
}
