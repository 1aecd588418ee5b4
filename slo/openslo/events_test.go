package openslo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func prom(query string) *openslo.Metric {
	return &openslo.Metric{Type: "prometheus", Spec: map[string]string{"query": query}}
}

func TestEvents(t *testing.T) {
	ratio := func(counter bool, bad string) openslo.Objective {
		return openslo.Objective{Indicator: openslo.Indicator{Counter: counter, Bad: prom(bad), Total: prom("b_total")}}
	}
	raw := func(kind, query string) openslo.Objective {
		return openslo.Objective{Indicator: openslo.Indicator{Raw: prom(query), RawType: kind}}
	}
	compare := func(op, query string) openslo.Objective {
		return openslo.Objective{Indicator: openslo.Indicator{Threshold: prom(query)}, Op: op, Value: slo.NewRatio(5, 2)}
	}
	bad := func(text string) promrules.Events { return promrules.Events{Bad: text, Total: "b_total"} }
	for _, c := range []struct {
		name string
		o    openslo.Objective
		want promrules.Events
	}{
		{"counter", ratio(true, "a_total"), bad("a_total")},
		{"selector", ratio(true, ` a_total {code=~"5..", path!="a)}\\{"} `), bad(`a_total {code=~"5..", path!="a)}\\{"}`)},
		{"sum", ratio(true, "sum(a_total)"), bad("a_total")},
		{"rate", ratio(true, `sum(rate(a_total{x="["}[5m]))`), bad(`a_total{x="["}`)},
		{"rate of a gauge by name only", ratio(false, "sum(rate(a_total[1h30m]))"), promrules.Events{Bad: "a_total", Total: "sum(sum_over_time(b_total[$window]))"}},
		{"increase of the window", ratio(true, "sum (increase( a_total[ $window ] ) )"), bad("a_total")},
		{"window of templates", ratio(true, "sum(rate(a_total[{{.window}}]))"), bad("a_total")},
		{"window of templates with blanks", ratio(true, "sum(rate(a_total[{{ .window }}]))"), bad("a_total")},
		{"two rates", ratio(true, `sum(rate(a_total[$window])) + sum(rate(c_total{x="rate("}[$window]))`), bad(`sum(sum(increase(a_total[$window])) + sum(increase(c_total{x="rate("}[$window])))`)},
		{"two increases", ratio(true, "increase(a_total[$window]) + increase(b_rate[$window])"), bad("sum(increase(a_total[$window]) + increase(b_rate[$window]))")},
		{"last rates", ratio(true, "sum(irate(a_total[$window])) + irate(c_total[$window])"), bad("sum(sum(increase(a_total[$window])) + increase(c_total[$window]))")},
		{"irate", ratio(true, "sum(irate(a_total[$window]))"), bad("a_total")},
		{"grouped", ratio(true, "sum by (code) (rate(a_total[$window]))"), bad("sum(sum by (code) (increase(a_total[$window])))")},
		{"gauge expression", ratio(false, "a - b"), promrules.Events{Bad: "sum(sum_over_time((a - b)[$window:]))", Total: "sum(sum_over_time(b_total[$window]))"}},
		{"raw failure", raw("failure", "errors:ratio"), promrules.Events{ErrorRatio: "avg(avg_over_time(errors:ratio[$window]))"}},
		{"raw success", raw("success", "a / b"), promrules.Events{ErrorRatio: "1 - (avg(avg_over_time((a / b)[$window:])))"}},
		{"raw with window", raw("failure", "f(x[{{.window}}])"), promrules.Events{ErrorRatio: "f(x[$window])"}},
		{"below", compare("lt", "age"), promrules.Events{Good: "sum(count_over_time(((age) < 2.5)[$window:]))", Total: "sum(count_over_time(((age) >= -Inf)[$window:]))"}},
		{"at least", compare("gte", "up"), promrules.Events{Good: "sum(count_over_time(((up) >= 2.5)[$window:]))", Total: "sum(count_over_time(((up) >= -Inf)[$window:]))"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.o.Events()
			if err != nil || got.Bad != c.want.Bad || got.Good != c.want.Good || got.Total != c.want.Total || got.ErrorRatio != c.want.ErrorRatio {
				t.Errorf("Events = %+v, %v, want %+v", got, err, c.want)
			}
			window := slo.Rolling(30 * 24 * time.Hour)
			rules := promrules.SLO{Objective: slo.Objective{ID: "x", Target: slo.MustPercent("99"), Windows: []slo.Window{window}}, Events: got}
			if err := rules.Validate(); err != nil {
				t.Errorf("rules cannot be made of it: %v", err)
			}
		})
	}
}

func TestEventsErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     openslo.Objective
		field string
	}{
		{"another source", openslo.Objective{Indicator: openslo.Indicator{Bad: &openslo.Metric{Type: "Datadog"}, Total: prom("b")}}, "bad"},
		{"no query", openslo.Objective{Indicator: openslo.Indicator{Counter: true, Good: prom("a"), Total: prom(" ")}}, "total"},
		{"expression of counters", openslo.Objective{Indicator: openslo.Indicator{Counter: true, Good: prom("a + b"), Total: prom("b")}}, "good"},
		{"slope", openslo.Objective{Indicator: openslo.Indicator{Counter: true, Good: prom("deriv(a[$window])"), Total: prom("b")}}, "good"},
		{"slices", openslo.Objective{Method: slo.Timeslices, Indicator: openslo.Indicator{Counter: true, Good: prom("a"), Total: prom("b")}}, "budgeting method"},
		{"comparison over a window", openslo.Objective{Indicator: openslo.Indicator{Threshold: prom("a[$window]")}, Op: "lt", Value: slo.NewRatio(1, 1)}, "thresholdMetric"},
		{"comparison without op", openslo.Objective{Indicator: openslo.Indicator{Threshold: prom("a")}, Value: slo.NewRatio(1, 1)}, "value"},
		{"comparison with a third", openslo.Objective{Indicator: openslo.Indicator{Threshold: prom("a")}, Op: "gt", Value: slo.NewRatio(1, 3)}, "value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.ID = "x"
			events, err := c.o.Events()
			var refused *openslo.EventsError
			if !errors.As(err, &refused) || refused.Field != c.field || refused.Objective != "x" {
				t.Errorf("Events = %+v, %v, want an error of %q", events, err, c.field)
			}
		})
	}
}
