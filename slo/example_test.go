package slo_test

import (
	"fmt"
	"log"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// A service that answers 1000 requests a minute fails 5 % of them from noon on.
func Example() {
	window := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(window)
	if err != nil {
		log.Fatal(err)
	}
	tracker, err := slo.NewTracker(slo.Objective{
		ID: "checkout", Target: slo.MustPercent("99.9"), Windows: []slo.Window{window}, Policy: policy,
	}, nil)
	if err != nil {
		log.Fatal(err)
	}

	noon := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
	for at := noon.Add(-4 * time.Hour); at.Before(noon.Add(30 * time.Minute)); at = at.Add(time.Minute) {
		counts := slo.Counts{Good: 1000, Total: 1000}
		if at.After(noon) {
			counts.Good = 950
		}
		if err := tracker.Observe(at, counts); err != nil {
			log.Fatal(err)
		}
		if rule, fires := tracker.Firing(slo.Page); fires {
			fmt.Println("page:", rule, "at", at.Format(time.TimeOnly))
			break
		}
	}
	for d := range tracker.Decisions() {
		fmt.Println(d.Rule, d.Holds, "cold:", d.Cold)
	}
	// Output:
	// page: page-fast at 12:18:00
	// page-fast true cold: false
	// page-slow false cold: true
	// ticket-fast true cold: true
	// ticket-slow true cold: true
}

func ExampleEvaluate() {
	status, err := slo.Evaluate(slo.MustPercent("99.9"), slo.Evidence{
		Counts: slo.Counts{Good: 142_461, Total: 143_000},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.State, status.Met, status.Burn)
	fmt.Print(status.Explain())
	// Output:
	// exhausted missed 49/13
	// budget = 1 - target [target 999/1000 ~ 0.999] = 1/1000 ~ 0.001
	// error_ratio = bad / total [bad 539, total 143000] = 49/13000 ~ 0.00376923
	// allowed = budget * total [budget 1/1000 ~ 0.001, total 143000] = 143
	// left = allowed - bad [allowed 143, bad 539] = -396
	// burn = error_ratio / budget [error_ratio 49/13000 ~ 0.00376923, budget 1/1000 ~ 0.001] = 49/13 ~ 3.76923 (SRE Workbook, chapter 5)
	// consumed = burn [burn 49/13 ~ 3.76923] = 49/13 ~ 3.76923
	// remaining = 1 - consumed [consumed 49/13 ~ 3.76923] = -36/13 ~ -2.76923
	// met = good / total >= target [good 142461, total 143000, target 999/1000 ~ 0.999] = missed
	// state = consumed >= 1 [consumed 49/13 ~ 3.76923] = exhausted
}

// A total outage of a 99.9 % objective is noticed after 51.84 seconds, when 2 %
// of the month's budget is gone.
func ExamplePolicy_Detections() {
	const month = 30 * 24 * time.Hour
	policy, err := slo.NewPolicy(slo.ConstantBudget, month, nil)
	if err != nil {
		log.Fatal(err)
	}
	detections, err := policy.Detections(slo.MustPercent("99.9"), slo.Surroundings{Period: month}, slo.NewRatio(1, 1))
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range detections {
		fmt.Println(d.Rule, d.After.Decimal(), d.Consumed.Decimal(), d.Reset.Decimal())
	}
	// Output:
	// page-fast 51.84 0.02 295.68
	// page-slow 129.6 0.05 1789.2
	// ticket-fast 259.2 0.1 7178.4
	// ticket-slow 259.2 0.1 21578.4
}

func ExamplePolicy_Lint() {
	const quarter = 90 * 24 * time.Hour
	policy, err := slo.NewPolicy(slo.ConstantBudget, quarter, nil)
	if err != nil {
		log.Fatal(err)
	}
	findings, err := policy.Lint(slo.MustPercent("95"), slo.Surroundings{Period: quarter})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	// Output:
	// error: page-fast: threshold 43.2 · 0.05 = 2.16 is never exceeded by an error ratio
	// warning: no rule has a factor of 1 or less: a burn just above 1 exhausts the budget unseen
}

func ExampleCounterIncrease() {
	var readings []slo.Reading
	start := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
	for i, text := range []string{"100", "150", "NaN", "5", "25"} { // restarted after a failed scrape
		value, err := slo.ParseValue(text)
		if err != nil {
			log.Fatal(err)
		}
		readings = append(readings, slo.Reading{At: start.Add(time.Duration(i) * time.Minute), Value: value})
	}
	increase, err := slo.CounterIncrease(readings, false)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(increase.Value, "resets:", increase.Resets, "gaps:", increase.Gaps)
	// Output: 75 resets: 1 gaps: 1
}

func ExampleLatencySLI() {
	latency, err := slo.LatencySLI([]slo.Bucket{
		{LE: "0.1", Count: 800}, {LE: "0.25", Count: 950}, {LE: "0.5", Count: 990}, {LE: "+Inf", Count: 1000},
	}, slo.NewRatio(3, 10))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(latency.SLI, "interpolated:", latency.Interpolated)
	// Output: 479/500 interpolated: true
}

// What would a slower but calmer rule have done in the same night?
func ExampleBacktest() {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	night := func(yield func(slo.Sample) bool) {
		for hour := 1; hour <= 12; hour++ {
			c := slo.Counts{Good: 1000, Total: 1000}
			switch hour {
			case 3: // a blip
				c.Good = 980
			case 6, 7, 8: // an incident
				c.Good = 900
			}
			if !yield(slo.Sample{At: start.Add(time.Duration(hour) * time.Hour), Counts: c}) {
				return
			}
		}
	}
	run := func(rule slo.Rule) slo.History {
		rule.Name, rule.Severity = "page", slo.Page
		h, err := slo.Backtest(slo.Objective{
			ID: "checkout", Target: slo.MustPercent("99.9"), Windows: []slo.Window{slo.Rolling(30 * 24 * time.Hour)},
			Policy: slo.Policy{Rules: []slo.Rule{rule}},
		}, night, &slo.BacktestOptions{TrackerOptions: slo.TrackerOptions{Interval: time.Hour}})
		if err != nil {
			fmt.Println(err)
		}
		return h
	}
	fast := run(slo.Rule{Long: time.Hour, Factor: slo.NewRatio(144, 10)})
	slow := run(slo.Rule{Long: 3 * time.Hour, Factor: slo.NewRatio(20, 1)})
	for _, p := range fast.Pages {
		fmt.Println(p.Fired.Format("15:04"), "to", p.Resolved.Format("15:04"), "needed:", p.Needed)
	}
	fmt.Println("false pages:", fast.FalseShare)
	c := fast.Compare(slow)
	fmt.Println("only fast:", len(c.OnlyA))
	for _, m := range c.Both {
		fmt.Println("both: slow fires", -m.Earlier, "later and", m.Longer, "longer")
	}
	// Output:
	// 03:00 to 04:00 needed: true
	// 06:00 to 09:00 needed: true
	// false pages: 0/1
	// only fast: 1
	// both: slow fires 0s later and 2h0m0s longer
}

// Two parts in series, of 99.9 and 99.95 %: 0.999 · 0.9995.
func ExampleComposite() {
	journey, err := slo.Composite(slo.SerialAvailability, []slo.Part{
		{Name: "web", SLI: slo.NewRatio(999, 1000)},
		{Name: "database", SLI: slo.NewRatio(9995, 10_000)},
	}, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(journey.SLI.Decimal())
	// Output: 0.9985005
}

// 99.9 % of 30 days leave 43.2 minutes, of which an outage took 20.
func ExampleEvaluateDowntime() {
	start := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	month := calendar.Interval{Start: start, End: start.AddDate(0, 1, 0)}
	status, err := slo.EvaluateDowntime(slo.MustPercent("99.9"), slo.Downtime{
		Window: month, At: month.End,
		Down: []calendar.Interval{{Start: start.Add(time.Hour), End: start.Add(80 * time.Minute)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(time.Duration(status.Bad), "down,", status.Left.Decimal(), "ns left,", status.Met)
	// Output: 20m0s down, 1392000000000 ns left, met
}
