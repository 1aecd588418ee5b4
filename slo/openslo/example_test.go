package openslo_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

const checkout = `
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
spec:
  service: shop
  indicatorRef: orders
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - targetPercent: 99.9
---
apiVersion: openslo/v1
kind: SLI
metadata:
  name: orders
spec:
  ratioMetric:
    counter: true
    bad:
      metricSource:
        type: Prometheus
        spec:
          query: sum(rate(orders_total{result="error"}[$window]))
    total:
      metricSource:
        type: Prometheus
        spec:
          query: sum(rate(orders_total[$window]))
`

// An objective comes from a file, its counts from wherever they are kept.
func Example() {
	file, err := openslo.Parse("checkout.yaml", []byte(checkout))
	if err != nil {
		log.Fatal(err) // all errors, with line and column
	}
	for _, o := range file.Objectives {
		status, err := slo.Evaluate(o.Target, slo.Evidence{Counts: slo.Counts{Good: 142_900, Total: 143_000}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(o.ID, o.Target, o.Windows[0], status.State)
		fmt.Print(status.Explain())
	}
	// Output:
	// checkout 99.9% rolling 28d ok
	// budget = 1 - target [target 999/1000 ~ 0.999] = 1/1000 ~ 0.001
	// error_ratio = bad / total [bad 100, total 143000] = 1/1430 ~ 0.000699301
	// allowed = budget * total [budget 1/1000 ~ 0.001, total 143000] = 143
	// left = allowed - bad [allowed 143, bad 100] = 43
	// burn = error_ratio / budget [error_ratio 1/1430 ~ 0.000699301, budget 1/1000 ~ 0.001] = 100/143 ~ 0.699301 (SRE Workbook, chapter 5)
	// consumed = burn [burn 100/143 ~ 0.699301] = 100/143 ~ 0.699301
	// remaining = 1 - consumed [consumed 100/143 ~ 0.699301] = 43/143 ~ 0.300699
	// met = good / total >= target [good 142900, total 143000, target 999/1000 ~ 0.999] = met
	// state = consumed < 1 [consumed 100/143 ~ 0.699301] = ok
}

// What OpenSLO leaves open is decided and told.
func ExampleParse() {
	_, err := openslo.Parse("slo.yaml", []byte(edit(checkout, "28d", "1M", "indicatorRef: orders", "indicatorRef: order")))
	fmt.Println(err)

	file, err := openslo.Parse("slo.yaml", []byte(edit(checkout, "    counter: true\n", "")))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range file.Findings {
		fmt.Println(f.Severity, f.Code, f)
	}
	// Output:
	// slo.yaml:8:17: spec.indicatorRef: no SLI "order" in the files (did you mean "orders"?)
	// slo.yaml:10:17: spec.timeWindow[0].duration: a rolling window of 1M has no length: want days or weeks, or a calendar window (did you mean "30d"?)
	// warning counter_assumed slo.yaml:22:5: spec.ratioMetric: counter is not given: the queries are read as counters that only grow
}

// The queries of a file become Prometheus rules.
func ExampleObjective_Events() {
	file, err := openslo.Parse("checkout.yaml", []byte(checkout))
	if err != nil {
		log.Fatal(err)
	}
	events, err := file.Objectives[0].Events()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(events.Bad)
	fmt.Println(events.Total)
	rules := promrules.SLO{Objective: file.Objectives[0].Objective, Events: events}
	fmt.Println(rules.Validate())
	// Output:
	// orders_total{result="error"}
	// orders_total
	// <nil>
}

func ExampleAppend() {
	objective := openslo.Objective{
		Objective: slo.Objective{
			ID: "pages", Service: "web", Target: slo.MustPercent("99.5"), Windows: []slo.Window{slo.Calendar(slo.Month, time.UTC)},
		},
		Indicator: openslo.Indicator{RawType: "success", Raw: &openslo.Metric{Type: "Prometheus", Spec: map[string]string{"query": "pages:ratio"}}},
	}
	text, err := openslo.Append(nil, []openslo.Objective{objective})
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(text)
	// Output:
	// apiVersion: openslo/v1
	// kind: SLO
	// metadata:
	//   name: pages
	// spec:
	//   service: web
	//   indicator:
	//     spec:
	//       ratioMetric:
	//         rawType: success
	//         raw:
	//           metricSource:
	//             type: Prometheus
	//             spec:
	//               query: pages:ratio
	//   timeWindow:
	//   - duration: 1M
	//     isRolling: false
	//     calendar:
	//       startTime: '1970-01-01 00:00:00'
	//       timeZone: UTC
	//   budgetingMethod: Occurrences
	//   objectives:
	//   - target: 0.995
}
