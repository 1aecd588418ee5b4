package promql

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

const day = 24 * time.Hour

// sparse is the history of internal/bench/slo without its burst: errors come every
// 25 minutes and so on the grid of the stages, later by some steps.
type sparse struct{ later int }

func (h sparse) events(_ string, i int) slo.Counts {
	good, bad := uint64(100+i%37), uint64(0)
	if i%50 == h.later {
		bad = 1
	}
	return slo.Counts{Good: good, Total: good + bad}
}

// server scrapes the history, so long before the instants at which rules are
// evaluated. At the reset, if there is one, both counters begin anew.
func (h sparse) server(n int, before time.Duration, reset int) *server {
	good, bad := uint64(1e7), uint64(1e6)
	series := [...]promql.Series{{Metric: metric("http_total", "code", "200")}, {Metric: metric("http_total", "code", "500")}}
	for i := range n + 1 {
		c := h.events("", i)
		if i == reset && i > 0 {
			good, bad = 0, 0
		}
		good += c.Good
		bad += c.Bad()
		for k, v := range [...]uint64{good, bad} {
			series[k].Floats = append(series[k].Floats, promql.FPoint{T: at(i).Add(-before).UnixMilli(), F: float64(v)})
		}
	}
	return &server{series: series[:]}
}

// daily is an objective with a window of a day, which is written as the series
// slo:sli_error:ratio_rate1d.
func daily() promrules.SLO {
	return promrules.SLO{
		Objective: slo.Objective{
			ID: "api", Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(day)},
			Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Severity: slo.Page, Long: day, Short: 5 * time.Minute, Factor: slo.NewRatio(1, 1)}}},
		},
		Events: promrules.Events{Bad: `http_total{code=~"5.."}`, Total: "http_total"},
	}
}

const perDay = int(day / step)

// TestAnchored compares the ratio of a day, by anchored ranges, with the quotient of
// whole numbers at every stage of another day: they are equal to the last bit, over
// a reset too. Among them are the two figures that were measured before.
func TestAnchored(t *testing.T) {
	h := sparse{}
	for _, o := range [...]promrules.Options{{Anchored: true, Direct: true}, {Anchored: true}} {
		for _, reset := range [...]int{0, perDay + 1234} {
			t.Run(fmt.Sprintf("direct %v, reset at %d", o.Direct, reset), func(t *testing.T) {
				o.Scrape, o.Evaluation = step, step
				s := h.server(2*perDay, 11300*time.Millisecond, reset)
				s.run(t, must(promrules.Generate([]promrules.SLO{daily()}, o)), at(0), at(2*perDay))
				got := s.values(t, "slo:sli_error:ratio_rate1d", at(perDay), at(2*perDay), stage)
				seen := map[slo.Counts]bool{}
				for i := perDay; i <= 2*perDay; i += int(stage / step) {
					c := sum(h.events, i, perDay, "")
					seen[c] = true
					if v, ok := got[at(i).UnixMilli()]; !ok || v != float64(c.Bad())/float64(c.Total) {
						t.Errorf("step %d: %v (%v), want exactly %d/%d", i, v, ok, c.Bad(), c.Total)
					}
				}
				for _, c := range [...]slo.Counts{{Good: 339_837, Total: 339_894}, {Good: 339_837, Total: 339_895}} {
					if !seen[c] {
						t.Errorf("no day has %d errors in %d events", c.Bad(), c.Total)
					}
				}
				// The same as counts, by the functions themselves.
				for expr, want := range map[string]func(slo.Counts) uint64{
					`sum(increase(http_total{code="500"}[1d] anchored))`: slo.Counts.Bad,
					`sum(increase(http_total[1d] anchored))`:             func(c slo.Counts) uint64 { return c.Total },
				} {
					for ms, v := range s.values(t, expr, at(perDay), at(2*perDay), time.Hour) {
						i := int(time.UnixMilli(ms).Sub(origin) / step)
						if n := want(sum(h.events, i, perDay, "")); v != float64(n) {
							t.Errorf("step %d: %s = %v, want exactly %d", i, expr, v, n)
						}
					}
				}
			})
		}
	}
}

// TestCompensation shows what plain ranges of Prometheus 3 lose, whose left end is
// open: nine of the ten increments of five minutes are in them. Errors that fall on
// the tenth are never seen by stages, and others count 10/9. The generated rules are
// exact for both, with scrapes at the instants of evaluation and between them.
func TestCompensation(t *testing.T) {
	const plain = `sum_over_time((sum(increase(http_total{code="500"}[5m])))[1d:5m]) / sum_over_time((sum(increase(http_total[5m])))[1d:5m])`
	for _, tt := range []struct {
		later    int // than the grid of stages: 1 is the increment at the left end
		wrong    func(exact float64) float64
		atMost   float64 // relative
		describe string
	}{
		{1, func(float64) float64 { return 0 }, 0, "nothing"},
		{0, func(exact float64) float64 { return exact * 10 / 9 }, 0.01, "a ninth too much"},
	} {
		for _, before := range [...]time.Duration{0, 11300 * time.Millisecond} {
			for _, direct := range [...]bool{false, true} {
				t.Run(fmt.Sprintf("errors %d steps later, scrapes %v before, direct %v", tt.later, before, direct), func(t *testing.T) {
					h := sparse{tt.later}
					s := h.server(2*perDay, before, 0)
					s.run(t, must(promrules.Generate([]promrules.SLO{daily()}, promrules.Options{Scrape: step, Evaluation: step, Direct: direct})), at(0), at(2*perDay))
					got := s.values(t, "slo:sli_error:ratio_rate1d", at(perDay+10), at(2*perDay), stage)
					lossy := s.values(t, plain, at(perDay+10), at(2*perDay), stage)
					for i := perDay + 10; i <= 2*perDay; i += int(stage / step) {
						c := sum(h.events, i, perDay, "")
						exact := float64(c.Bad()) / float64(c.Total)
						if v, ok := got[at(i).UnixMilli()]; !ok || !near(v, exact) {
							t.Errorf("step %d: %v (%v), want %d/%d = %v", i, v, ok, c.Bad(), c.Total, exact)
						}
						if v, want := lossy[at(i).UnixMilli()], tt.wrong(exact); !(relative(v, want) <= tt.atMost) {
							t.Errorf("step %d: plain stages give %v, want %v: %s", i, v, want, tt.describe)
						}
					}
					i := 2 * perDay
					t.Logf("the ratio of a day is %.6g, plain stages have %.6g", got[at(i).UnixMilli()], lossy[at(i).UnixMilli()])
				})
			}
		}
	}
}

// TestOffset evaluates the rules between the ends of the stages, as a server does that
// spreads its groups: a sum of stages then ends with the evaluation before the last
// end, and is as exact.
func TestOffset(t *testing.T) {
	const offset = 7 * time.Second
	h := sparse{later: 1}
	s := h.server(2*perDay, 11300*time.Millisecond, 0)
	s.run(t, must(promrules.Generate([]promrules.SLO{daily()}, promrules.Options{Scrape: step, Evaluation: step})), at(0).Add(offset), at(2*perDay))
	for i := perDay + 10; i < 2*perDay; i += int(stage / step) {
		c := sum(h.events, i-1, perDay, "")
		if v := s.at(t, "slo:sli_error:ratio_rate1d", at(i).Add(offset)); !near(v, float64(c.Bad())/float64(c.Total)) {
			t.Errorf("step %d: %v, want %d/%d", i, v, c.Bad(), c.Total)
		}
	}
}

// TestBorn lets the errors begin as a new counter, half a day before the end, with a
// burst: its first sample counts nothing, all others count in full, and before there
// is one the ratio is 0.
func TestBorn(t *testing.T) {
	const birth, n = perDay + perDay/2 + 3, 2 * perDay
	good := promql.Series{Metric: metric("http_total", "code", "200")}
	bad := promql.Series{Metric: metric("http_total", "code", "500")}
	for i := range n + 1 {
		good.Floats = append(good.Floats, promql.FPoint{T: at(i).UnixMilli(), F: float64(1e7 + 100*i)})
		if i >= birth {
			bad.Floats = append(bad.Floats, promql.FPoint{T: at(i).UnixMilli(), F: float64(20 + 7*min(i-birth, 50))})
		}
	}
	s := &server{[]promql.Series{good, bad}}
	s.run(t, must(promrules.Generate([]promrules.SLO{daily()}, promrules.Options{Scrape: step, Evaluation: step})), at(0), at(n))
	for i := perDay; i <= n; i += int(stage / step) {
		errors := 7 * max(0, min(i-birth, 50))
		want := float64(errors) / float64(100*perDay+errors)
		if v := s.at(t, "slo:sli_error:ratio_rate1d", at(i)); !near(v, want) {
			t.Errorf("step %d: %v, want %d/%d", i, v, errors, 100*perDay+errors)
		}
	}
}
