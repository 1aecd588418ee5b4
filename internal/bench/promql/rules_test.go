package promql

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// period is the budget's and the longest window: everything can be full in the
// history.
const period = 4 * time.Hour

// objective is one of 99 % with every kind of rule.
func objective(id string, e promrules.Events) promrules.SLO {
	rules := []slo.Rule{
		{Name: "fast", Severity: slo.Page, Long: time.Hour, Short: 5 * time.Minute, Factor: slo.NewRatio(144, 10), MinEvents: 1000, MinBad: 10},
		{Name: "slow", Severity: slo.Ticket, Long: period, Short: 30 * time.Minute, Factor: slo.NewRatio(1, 1), For: 2 * time.Minute, KeepFiringFor: 10 * time.Minute},
		{Name: "count", Severity: slo.Ticket, Kind: slo.AbsoluteCount, Long: 2 * time.Hour, MinBad: 60, AtLeast: slo.NewRatio(1, 1000)},
		{Name: "silent", Severity: slo.Ticket, Kind: slo.Silence, Long: 5 * time.Minute},
	}
	return promrules.SLO{
		Objective: slo.Objective{
			ID: id, Service: "shop", Target: slo.MustPercent("99"), Windows: []slo.Window{slo.Rolling(period)}, Runbook: "https://runbook.example/{{x}}",
			Policy: slo.Policy{Rules: rules, MinCoverage: slo.NewRatio(9, 10)},
		},
		Events: e, Labels: map[string]string{"team": "a \"b\" {{c}}"}, Annotations: map[string]string{"note": "100 %\n\\"},
	}
}

// uncovered takes out of the policy what needs stages, and uncounted also what needs
// numbers of events.
func (c *test) uncovered() { c.slo.Policy.MinCoverage = slo.Ratio{} }

func (c *test) uncounted() {
	c.uncovered()
	rules := c.slo.Policy.Rules
	rules[0].MinEvents, rules[0].MinBad = 0, 0
	c.slo.Policy.Rules = slices.DeleteFunc(rules, func(r slo.Rule) bool { return r.Kind == slo.AbsoluteCount })
}

// apart judges regions apart, which a rule for silence cannot.
func (c *test) apart() {
	c.slo.Events.By = []string{"region"}
	c.slo.Policy.Rules = slices.DeleteFunc(c.slo.Policy.Rules, func(r slo.Rule) bool { return r.Kind == slo.Silence })
}

// test is an objective, written in some way.
type test struct {
	name   string
	slo    promrules.SLO
	o      promrules.Options
	events func(region string, i int) slo.Counts // the truth
	rough  bool                                  // only whether it runs: it is no whole numbers that come out
	slack  float64                               // of a ratio: what subtracting two floats leaves of the size of all events
}

// shapes are all ways to count, with the options that staging needs.
func shapes() []test {
	latency := func(name string, limit slo.Ratio, native bool) promrules.Events {
		return promrules.Events{Latency: &promrules.Latency{Histogram: name, Limit: limit, Native: native}}
	}
	one := slo.NewRatio(1, 1)
	const ulps = 4 * 0x1p-52 // one event in 10^15: good and all events are stretched to the range and back
	tests := []test{
		{name: "selectors", slo: objective("selectors", promrules.Events{Bad: `requests_total{code=~"5.."}`, Total: `requests_total`})},
		{name: "bad and total", slo: objective("bad", promrules.Events{Bad: "bad_total", Total: "all_total"})},
		{name: "good and total", slo: objective("good", promrules.Events{Good: "good_total", Total: "all_total"})},
		{name: "bad and good", slo: objective("both", promrules.Events{Bad: "bad_total", Good: "good_total"})},
		{name: "expressions", slo: objective("expressions", promrules.Events{
			Bad: "sum(increase(bad_total[$window])) # the bad", Total: "sum(increase(bad_total[$window])) + sum(increase(good_total[$window]))",
		})},
		{name: "good expression", slo: objective("half", promrules.Events{Good: "sum(increase(good_total[$window]))", Total: "all_total"}), slack: ulps},
		{name: "bad and good expressions", slo: objective("two", promrules.Events{Bad: "sum(increase(bad_total[$window]))", Good: "sum(increase(good_total[$window]))"})},
		{name: "latency, Prometheus 2", slo: objective("old", latency("old", one, false))},
		{name: "latency, Prometheus 3", slo: objective("new", latency("new", one, false))},
		{name: "latency, both", slo: objective("mixed", latency(`mixed{region=~".+"}`, one, false))},
		{name: "native latency", slo: objective("native", latency("native", one, true)), slack: ulps},
		{name: "native latency, own buckets", slo: objective("custom", latency("custom", one, true)), slack: ulps},
		{name: "native latency inside a bucket", slo: objective("inside", latency("native", slo.NewRatio(7, 10), true)), rough: true},
		{name: "gauge", slo: objective("gauge", promrules.Events{Up: "up"}), events: probe},
		{name: "ratio", slo: objective("ratio", promrules.Events{ErrorRatio: "sum(increase(bad_total[$window])) / (sum(increase(all_total[$window])) > 0)"})},
	}
	for i := range tests {
		c := &tests[i]
		c.o = promrules.Options{Scrape: step, Evaluation: step}
		if c.events == nil {
			c.events = requests
		}
		if c.slo.Events.ErrorRatio != "" {
			c.uncounted()
		}
	}
	return tests
}

// tests are the shapes, each with every option and by region, and slices.
func tests() []test {
	var all []test
	add := func(c test, how string, change func(*test)) {
		c.name += ", " + how
		c.slo.Policy.Rules = slices.Clone(c.slo.Policy.Rules)
		change(&c)
		all = append(all, c)
	}
	for _, c := range shapes() {
		add(c, "staged", func(*test) {})
		add(c, "direct", func(c *test) { c.o.Direct = true; c.uncovered() })
		add(c, "anchored", func(c *test) { c.o.Anchored = true })
		add(c, "direct and anchored", func(c *test) { c.o.Anchored, c.o.Direct = true, true; c.uncovered() })
		add(c, "names of Pyrra", func(c *test) { c.o.Names = promrules.Pyrra })
		add(c, "scrapes unknown", func(c *test) { c.o.Scrape, c.rough = 0, true; c.uncovered() })
		if text := fmt.Sprint(c.slo.Events); !strings.Contains(text, "$window") {
			add(c, "by region", (*test).apart)
			add(c, "by region, names of Pyrra", func(c *test) { c.apart(); c.o.Names = promrules.Pyrra })
		}
		if c.slo.Events.ErrorRatio != "" {
			continue
		}
		for _, noData := range [...]slo.NoDataPolicy{slo.ExcludeNoData, slo.GoodNoData, slo.BadNoData} {
			add(c, "slices without data "+noData.String(), func(c *test) {
				c.slo.Slices = &slo.Slicing{Length: stage, Target: slo.MustPercent("95"), NoData: noData}
				c.slo.Policy.Rules[0].MinEvents, c.slo.Policy.Rules[0].MinBad = 6, 2
				c.slo.Policy.Rules[2].MinBad = 3
				if noData == slo.BadNoData {
					c.o.Names = promrules.Pyrra
				}
			})
		}
	}
	return all
}

// counts are what a window of w that ends at step i holds.
func (c *test) counts(i int, w time.Duration, in ...string) slo.Counts {
	if c.slo.Slices == nil {
		return sum(c.events, i, int(w/step), in...)
	}
	var judged []slo.Counts
	for end := i - int((w-stage)/step); end <= i; end += int(stage / step) {
		judged = append(judged, sum(c.events, end, int(stage/step), in...))
	}
	return must(c.slo.Slices.Count(judged)).Counts()
}

// TestRules parses what is generated for every way to count, runs it over a history
// and compares every error ratio, the budget and the alerts with whole numbers.
func TestRules(t *testing.T) {
	scraped := history(11300 * time.Millisecond)
	for _, c := range tests() {
		t.Run(c.name, func(t *testing.T) {
			slos := []promrules.SLO{c.slo}
			file := must(promrules.Generate(slos, c.o))
			if _, errs := rulefmt.Parse(file.AppendYAML(nil), false, model.UTF8Validation); len(errs) > 0 {
				t.Fatal(errs)
			}
			s := &server{slices.Clone(scraped.series)}
			s.run(t, file, at(0), at(steps))
			if !c.rough {
				c.ratios(t, s, file)
				c.alerts(t, s)
			}
			s.draw(t, slos, c.o)
		})
	}
}

// ratios compares the error ratio of every window, once it is full, and the budget.
func (c *test) ratios(t *testing.T, s *server, file *promrules.File) {
	t.Helper()
	const full = int(period / step)
	compared := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			window, ok := label(rule.Labels, "sloth_window")
			if !ok {
				if window, ok = label(rule.Labels, "window"); !ok {
					continue
				}
			}
			w := time.Duration(must(model.ParseDuration(window)))
			every := step
			if c.slo.Slices != nil || w >= 2*time.Hour { // staged, or recorded with the budget
				every = stage
			}
			for _, in := range c.groups() {
				got := s.values(t, rule.Record+c.where(in), at(full), at(steps), every)
				for i := full; i <= steps; i += int(every / step) {
					v, ok := got[at(i).UnixMilli()]
					want := c.counts(i, w, in...)
					exact := float64(want.Bad()) / float64(want.Total)
					switch {
					case want.Total == 0:
						if ok {
							t.Errorf("step %d, %s: the ratio is %v, want none without events", i, window, v)
						}
					case !ok || !near(v, exact) && !(math.Abs(v-exact) <= c.slack):
						t.Errorf("step %d, %s: the ratio is %v (%v), want %d/%d", i, window, v, ok, want.Bad(), want.Total)
					}
					compared++
				}
			}
		}
	}
	if compared < 500 && c.slo.Slices == nil || compared < 5*48 {
		t.Errorf("%d ratios compared, want all windows", compared)
	}
	if c.o.Names == promrules.Sloth && len(c.slo.Events.By) == 0 {
		for i := full; i <= steps; i += int(stage / step) {
			left := 1.0
			if n := c.counts(i, period, regions[:]...); n.Total > 0 {
				left = 1 - 100*float64(n.Bad())/float64(n.Total)
			}
			if got := s.at(t, "slo:period_error_budget_remaining:ratio", at(i)); !(math.Abs(got-left) < 1e-12) {
				t.Errorf("step %d: %v of the budget is left, want %v", i, got, left)
			}
		}
	}
}

// groups are the sets of regions that are judged together.
func (c *test) groups() [][]string {
	if len(c.slo.Events.By) == 0 {
		return [][]string{regions[:]}
	}
	return [][]string{regions[:1], regions[1:]}
}

// where selects the series of a group.
func (c *test) where(in []string) string {
	if len(in) == 1 {
		return fmt.Sprintf("{region=%q}", in[0])
	}
	return ""
}

// alerts compares which rules fire with what package slo decides on the true counts.
func (c *test) alerts(t *testing.T, s *server) {
	t.Helper()
	fired := map[string]bool{}
	for i := int(period / step); i <= steps; i += int(stage / step) {
		want := map[string]bool{}
		for _, in := range c.groups() {
			decisions := must(c.slo.Policy.Decide(c.slo.Target, func(w time.Duration) slo.Counts { return c.counts(i, w, in...) }))
			for _, d := range decisions {
				if d.Holds {
					want[strings.TrimSuffix(d.Rule+" "+c.where(in), " ")] = true
				}
			}
		}
		got := map[string]bool{}
		for _, a := range s.query(t, "ALERTS", at(i), at(i), step) {
			name := a.Metric.Get("rule")
			if region := a.Metric.Get("region"); region != "" {
				name += " " + c.where([]string{region})
			}
			got[cmp.Or(name, a.Metric.Get("alertname"))] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("step %d: %v fire, want %v", i, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		maps.Copy(fired, want)
	}
	if len(fired) == 0 {
		t.Error("the history fires no alert")
	}
}

// TestDashboard asks what the dashboard of several objectives would ask for each of
// them.
func TestDashboard(t *testing.T) {
	scraped := history(11300 * time.Millisecond)
	for _, names := range [...]promrules.Names{promrules.Sloth, promrules.Pyrra} {
		var slos []promrules.SLO
		for _, c := range shapes() {
			slos = append(slos, c.slo)
		}
		o := promrules.Options{Scrape: step, Evaluation: step, Names: names}
		s := &server{slices.Clone(scraped.series)}
		s.run(t, must(promrules.Generate(slos, o)), at(0), at(steps))
		s.draw(t, slos, o)
	}
}

// draw asks everything that the dashboard would ask for each objective.
func (s *server) draw(t *testing.T, slos []promrules.SLO, o promrules.Options) {
	t.Helper()
	text := must(promrules.AppendDashboard(nil, slos, o))
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Query any }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, v := range board.Templating.List {
		q, ok := v.Query.(map[string]any)
		if !ok {
			continue // the data source
		}
		selector, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(q["query"].(string), "label_values("), ")"), "}, ")
		for _, series := range s.query(t, "count by ("+name+") ("+selector+"})", at(steps), at(steps), step) {
			ids[series.Metric.Get(name)] = true
		}
	}
	if len(ids) != len(slos) {
		t.Fatalf("there are %v to choose from, want %d objectives", ids, len(slos))
	}
	for id := range ids {
		drawn := 0
		for _, p := range board.Panels {
			empty := true
			for _, q := range p.Targets {
				m := s.query(t, strings.ReplaceAll(q.Expr, "$slo", id), at(int(period/step)), at(steps), stage)
				empty = empty && len(m) == 0
				drawn += len(m)
				if len(m) == 0 && len(slos) == 1 {
					t.Errorf("panel %q has no data: %s", p.Title, q.Expr)
				}
			}
			if empty {
				t.Errorf("panel %q of %s has no data", p.Title, id)
			}
		}
		if drawn < 10 {
			t.Errorf("%d lines are drawn for %s, want 10 and more", drawn, id)
		}
	}
}

func label(labels []promrules.Label, name string) (string, bool) {
	for _, l := range labels {
		if l.Name == name {
			return l.Value, true
		}
	}
	return "", false
}

// near allows what two divisions of floats may differ by.
func near(a, b float64) bool { return relative(a, b) <= 1e-12 }

func relative(a, b float64) float64 {
	if a == b {
		return 0
	}
	return math.Abs(a-b) / max(math.Abs(a), math.Abs(b))
}
