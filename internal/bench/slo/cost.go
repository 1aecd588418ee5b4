package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// costs are what one evaluation of a long window costs the query engine: direct
// over the raw samples of 200 series, of which every fourth counts errors, and
// staged over what our rules record.
var costs = []measure.Pair{staged(24 * time.Hour), staged(72 * time.Hour)}

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
