package pricing_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
	"github.com/evenkeelops/evenkeel/sla/pricing"
)

// What next month is likely to cost under the enterprise tier, with outages of
// two hours on average and every twentieth critical incident answered late. Late
// answers alone cost 3 · 0.05 · 500.00 = 75.00, which the draws come close to.
func Example() {
	fee := money.Must(money.Parse("100000.00 EUR"))
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", fee))
	if err != nil {
		fmt.Println(err)
		return
	}
	forecast, err := pricing.Simulate(agreement, agreement.PeriodAt(time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)), pricing.Model{
		Outages: []pricing.Process{{PerPeriod: 1.5, Length: pricing.Lengths{Kind: pricing.Lognormal, Mean: 2 * time.Hour, SD: 4 * time.Hour}}},
		Late:    []pricing.Late{{Clause: sla.ClauseResponse, Severity: incident.P1, PerPeriod: 3, Probability: 0.05}},
	}, pricing.Options{Seed: 1, Draws: 50_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(forecast.Explain())
	// Output:
	// acme-2026 2026-11: expected payout 1694.67 EUR ± 24.48 (standard error, 50000 draws), P50 0.00 EUR, P95 10000.00 EUR, P99 25000.00 EUR of 100000.00 EUR
	// model: outages: 1.5 a period, lognormal with mean 2h0m0s and standard deviation 4h0m0s
	// model: response P1: 3 a period, late with probability 0.05
	// draws: 0 to 49999 of seed 1
	// availability met: 0.3924 ± 0.0022
	// availability credit_gap: 0.4992 ± 0.0022
	// availability band 98% to 99%: 0.0775 ± 0.0012
	// availability band 95% to 98%: 0.0279 ± 0.0007
	// availability band 0% to 95%: 0.0029 ± 0.0002
	// availability: expected 1620.10 EUR
	// response: expected 74.57 EUR
	// resolution: expected 0.00 EUR
	// monitoring: expected 0.00 EUR
	// any credit: 0.2316, capped: 0.0000
	// note: terms[4]: lost data stands outside of the credits and is not drawn
}

// The same question with two lengths of outages has an exact answer. November has
// 720 h, of which 43.2 minutes may be down: the target is met with at most one
// short outage and no long one, exp(−1.2)·(1 + 1.2)·exp(−0.3) = 0.4909. A long one
// is a credit, 1 − exp(−0.3) = 0.2592.
func ExampleExact() {
	fee := money.Must(money.Parse("100000.00 EUR"))
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", fee))
	if err != nil {
		fmt.Println(err)
		return
	}
	distribution, err := pricing.Exact(agreement, agreement.PeriodAt(time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)), pricing.Model{
		Overlap: sla.OverlapSum,
		Outages: []pricing.Process{{PerPeriod: 1.5, Length: pricing.Lengths{
			Kind: pricing.Discrete, Values: []time.Duration{30 * time.Minute, 8 * time.Hour}, Weights: []float64{0.8, 0.2},
		}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(distribution.Explain())
	// Output:
	// acme-2026 2026-11: expected payout 3146.26 EUR (exact to 0.01 EUR), P50 0.00 EUR, P95 10000.00 EUR, P99 25000.00 EUR of 100000.00 EUR
	// model: outages: 1.5 a period, discrete, 2 values from 30m0s to 8h0m0s
	// model: lengths of outages add up, as if none overlapped
	// downtime: a grid of 30m0s, 1440 cells
	// availability met: 0.490886
	// availability credit_gap: 0.249932
	// availability band 98% to 99%: 0.222245
	// availability band 95% to 98%: 0.036921
	// availability band 0% to 95%: 0.000016
	// availability: expected 3146.26 EUR
	// response: expected 0.00 EUR
	// resolution: expected 0.00 EUR
	// monitoring: expected 0.00 EUR
	// any credit: 0.259182, capped: 0.000000
	// note: terms[4]: lost data stands outside of the credits and is not drawn
}

// The outages of the last half year say how often and how long.
func ExampleFromHistory() {
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 9, 0, 0, 0, time.UTC) }
	var months []sla.Period
	for m := time.April; m <= time.September; m++ {
		months = append(months, sla.Billing{}.At(day(m, 15), time.UTC))
	}
	var outages []sla.Outage
	for _, o := range []calendar.Interval{
		{Start: day(4, 3), End: day(4, 3).Add(20 * time.Minute)},
		{Start: day(6, 21), End: day(6, 21).Add(9 * time.Hour)},
		{Start: day(9, 30), End: day(9, 30).Add(45 * time.Minute)},
	} {
		outages = append(outages, sla.Outage{Start: o.Start, End: o.End})
	}
	past, err := pricing.FromHistory(outages, months)
	if err != nil {
		fmt.Println(err)
		return
	}
	rates, err := past.Rates()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(past)
	fmt.Println(rates)
	// Output:
	// 6 past periods, drawn whole: 3 outages, 0 gaps, 0 ended clocks
	// note: little data: 6 periods cannot show what happens once in 20, so P95 and P99 are the worst seen
	// outages: 0.5 a period, empirical, 3 values from 20m0s to 9h0m0s
	// counted from 6 periods: 3 outages, 0 gaps, 0 ended clocks
	// note: little data: no outage is longer than the longest of 3
}
