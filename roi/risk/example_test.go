package risk_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/roi/risk"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
	"github.com/evenkeelops/evenkeel/sla/pricing"
)

// How likely is a loss when revenue, availability and fees are not certain, and
// what does the result hang on most? At the means of the inputs it is 2 429 321.
func ExampleSimulate() {
	m := article()
	m.Managed.MonthlyServiceFee = 200_000
	f, err := risk.Simulate(context.Background(), m, map[string]risk.Distribution{
		"impact.revenue_per_hour":            {Kind: risk.Triangular, Min: 2_000, Mode: 10_000, Max: 40_000},
		"impact.target_availability_percent": {Kind: risk.Triangular, Min: 98.9, Mode: 99.2, Max: 99.6},
		"managed.setup_costs":                {Kind: risk.PERT, Min: 40_000, Mode: 50_000, Max: 150_000},
	}, 50_000, &risk.Options{Seed: 1, Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f)
	for _, d := range f.Drivers {
		fmt.Printf("%s %+.2f\n", d.Path, *d.Spearman)
	}
	// Output:
	// NPV 2424919.79 ± 10109.92 (standard error, 50000 scenarios), P5 -298770.16, P50 1923605.68, P95 6907182.54, loss in 9.1 %
	// impact.target_availability_percent +0.79
	// impact.revenue_per_hour +0.55
	// managed.setup_costs -0.02
}

// Which monthly fee makes the service worth nothing?
func ExampleBreakEven() {
	c, err := risk.BreakEven(article(), "monthly_service_fee")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %.2f instead of %.2f\n", c.Path, c.Values[0], c.Base)
	// Output: managed.monthly_service_fee: 464216.53 instead of 45000.00
}

// Which setup may be paid if it is to be back after a year and a half?
func ExampleForPayback() {
	c, err := risk.ForPayback(article(), "setup_costs", 1.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f\n", c.Values[0])
	// Output: 7575000.00
}

// The example is better than what providers claim, which says that its numbers
// need a look.
func ExampleCheck() {
	claims, err := risk.Check(article())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range claims {
		fmt.Printf("%s %.3f %s, with a fee of %.0f to %.0f within\n", c.Claim, *c.Value, c.Verdict, *c.FeeLow, *c.FeeHigh)
	}
	// Output:
	// savings 0.752 exceeded, with a fee of 74444 to 113194 within
	// payback 0.119 exceeded, with a fee of 461667 to 463056 within
}

// Alternatives on one baseline, in a good and a bad world.
func ExampleCompare() {
	rows, err := risk.Compare(article(), alternatives(), scenarios())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rows {
		if r.Best {
			fmt.Printf("%s: %s, NPV %.0f\n", r.Scenario, r.Alternative, r.NPV)
		}
	}
	// Output:
	// base: hybrid, NPV 15316585
	// low: hybrid, NPV 7643906
	// high: hybrid, NPV 22427826
}

// The present value over the fee and the revenue of an hour.
func ExampleGrid() {
	table, err := risk.Grid(article(), risk.Axis{Input: "monthly_service_fee", Values: []float64{45_000, 90_000}}, risk.Axis{Input: "revenue_per_hour", Values: []float64{0, 25_000}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, row := range table.NPV {
		fmt.Printf("%.0f: %.0f\n", table.Y.Values[i], row)
	}
	// Output:
	// 0: [4498576 3106944]
	// 25000: [12964340 11572707]
}

// What a contract is likely to pay back in a month is computed from its terms, and
// twelve draws of it are a year of credits in the business case.
func ExampleDistribution_credits() {
	fee := money.Must(money.Parse("45000.00 EUR"))
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", fee))
	if err != nil {
		fmt.Println(err)
		return
	}
	month, err := pricing.Exact(agreement, agreement.PeriodAt(time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)), pricing.Model{
		Overlap: sla.OverlapSum,
		Outages: []pricing.Process{{PerPeriod: 1.2, Length: pricing.Fixed(30 * time.Minute)}, {PerPeriod: 0.3, Length: pricing.Fixed(8 * time.Hour)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	credits := risk.Distribution{Kind: risk.Discrete, Sum: 12}
	for _, p := range month.Payouts {
		credits.Values = append(credits.Values, float64(p.Amount.Minor())/100)
		credits.Weights = append(credits.Weights, p.Probability)
	}
	f, err := risk.Simulate(context.Background(), article(), map[string]risk.Distribution{"managed.service_credits": credits}, 50_000, &risk.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	without := (5_610_000-560_000)*annuity - 50_000
	fmt.Printf("credits of three years: %.0f expected, %.0f drawn\n", 12*month.Mean/100*annuity, f.NPV.Mean-without)
	// Output: credits of three years: 43784 expected, 43819 drawn
}
