package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// costs are what one evaluation of a long window costs the query engine: direct
// over the raw samples of 200 series, of which every fourth counts errors, and
// staged over what our rules record. A short window is direct in both, and dearer in
// ours: the difference of a counter's samples is exact and reads them four times. The
// bar allows it five times the cost.
var costs = []measure.Pair{staged(24 * time.Hour), staged(72 * time.Hour), direct(5 * time.Minute), direct(time.Hour)}

const rawSeries, evaluations = 200, 15

func staged(w time.Duration) measure.Pair {
	name := strconv.Itoa(int(w/(24*time.Hour))) + "d"
	return measure.Pair{
		Name: "slo/cost_of_" + name, Peer: prometheus + ", the window over raw series", Bar: 50, Ops: evaluations,
		Setup: func() (func(), func(), error) {
			e, err := rawAndStaged(3 * perDay)
			if err != nil {
				return nil, nil, err
			}
			r := strconv.FormatInt(w.Milliseconds()-1, 10) + "ms"
			short := fmt.Sprintf("sum_over_time(slo:sli_bad:increase5m[%s:5m]) / (sum_over_time(slo:sli_total:increase5m[%s:5m]) > 0)", r, r)
			return times(e, short), times(e, ratio(w, false)), nil
		},
	}
}

func direct(w time.Duration) measure.Pair {
	name := strconv.Itoa(int(w/time.Minute)) + "m"
	return measure.Pair{
		Name: "slo/cost_of_" + name, Peer: prometheus + ", rate over the same raw series", Bar: 0.2, Ops: evaluations,
		Setup: func() (func(), func(), error) {
			expr, err := generated(w)
			if err != nil {
				return nil, nil, err
			}
			e, err := rawAndStaged(3 * perDay)
			if err != nil {
				return nil, nil, err
			}
			return times(e, expr), times(e, ratio(w, false)), nil
		},
	}
}

// generated is our rule for the error ratio of a window over raw series.
func generated(w time.Duration) (string, error) {
	file, err := promrules.Generate([]promrules.SLO{{
		Objective: slo.Objective{
			ID: "api", Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)},
			Policy: slo.Policy{Rules: []slo.Rule{{Name: "r", Severity: slo.Page, Long: w, Factor: slo.NewRatio(1, 1)}}},
		},
		Events: promrules.Events{Bad: `http_total{code=~"5.."}`, Total: "http_total"},
	}}, promrules.Options{Scrape: step, Direct: true})
	if err != nil {
		return "", err
	}
	rules := file.Groups[0].Rules // the ratios of 5m and w
	return rules[len(rules)-1].Expr, nil
}

// times evaluates an expression at the last instants.
func times(e *engine, expr string) func() {
	return func() {
		for i := range evaluations {
			if v := must(e.atStep(expr, 3*perDay-evaluations+i)); len(v) != 1 {
				panic(fmt.Sprintf("%d values of %s", len(v), expr))
			}
		}
	}
}

func rawAndStaged(steps int) (*engine, error) {
	var series []labels.Labels
	for i := range rawSeries {
		code := "200"
		if i%4 == 0 {
			code = "500"
		}
		series = append(series, labels.FromStrings("__name__", "http_total", "code", code, "instance", strconv.Itoa(i)))
	}
	series = append(series,
		labels.FromStrings("__name__", "slo:sli_bad:increase5m", "sloth_id", "shop-api"),
		labels.FromStrings("__name__", "slo:sli_total:increase5m", "sloth_id", "shop-api"))
	return newEngine(steps, func(i int, add func(int, float64)) {
		for n := range rawSeries {
			add(n, 1e6+float64(i*(1+n%7)))
		}
		add(rawSeries, 500)
		add(rawSeries+1, 2000)
	}, series...)
}
