package roi_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/roi"
)

// An often copied calculator promises a return of 3889 % for these inputs. The
// same inputs, with every amount counted once and when it is paid, give 868 %;
// the bridge shows where the rest went.
func Example() {
	res, err := roi.Evaluate(roi.Model{
		Currency: "EUR",
		Internal: roi.Internal{
			AnnualSalaries: map[string]float64{
				"senior_engineer": 120_000, "operations_specialist": 85_000, "team_lead": 140_000, "manager": 160_000,
			},
			OverheadMultiplier: 1.5, TrainingCostPerPerson: 15_000,
			ToolLicensingCosts: 100_000, InfrastructureCosts: 50_000, RecruitmentCosts: 25_000,
		},
		Managed: roi.Managed{
			MonthlyServiceFee: 45_000, SetupCosts: 50_000, AdditionalToolCosts: 20_000, ContractLengthMonths: 36,
		},
		Impact: roi.Impact{
			RevenuePerHour: 25_000, DowntimeCostMultiplier: 3,
			CurrentMTTRHours: 4, ImprovedMTTRHours: 1.5,
			CurrentAvailabilityPercent: 99, TargetAvailabilityPercent: 99.5,
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ROI as published %.0f %%, sound %.0f %%\n\n", *res.AsPublished.ROIPercent, *res.Sound.ROIPercent)
	for _, step := range res.Bridge {
		fmt.Printf("%13.2f %7.1f %%  %s\n", step.NPV, *step.ROIPercent, step.Label)
	}
	fmt.Println()
	for _, w := range res.Warnings {
		fmt.Println(w.Code)
	}
	// Output:
	// ROI as published 3889 %, sound 868 %
	//
	//   70956070.38  3889.1 %  as published
	//   70949022.00  4751.6 %  setup once at the start, fees when paid instead of amortised
	//   12964339.79   868.2 %  recovery time not counted a second time
	//    4498576.18   301.3 %  for comparison: cost savings only
	//
	// NO_T0_OUTLAY
	// SETUP_TWICE
	// FEES_TWICE
	// MIXED_DISCOUNT
	// PAYBACK_UNTIMED
	// MTTR_DOUBLE_COUNT
	// SIMPLE_YEAR
	// CLAIM_RANGE
	// STAFF_BELOW_COVERAGE
	// IMPLAUSIBLE_IRR
}

// A result explains each of its figures.
func ExampleSound() {
	v, err := roi.Sound(article())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range v.Flows[:2] {
		fmt.Printf("year %v: %.0f\n", f.Years, f.Amount)
		for _, it := range f.Items {
			fmt.Printf("  %-22s %.0f\n", it.Name, it.Amount)
		}
	}
	last := v.Terms[len(v.Terms)-3]
	fmt.Printf("%s = %s = %.2f\n", last.Name, last.Formula, last.Value)
	// Output:
	// year 0: -50000
	//   setup                  50000
	// year 1: 5050000
	//   avoided internal cost  2325000
	//   availability           3285000
	//   service fees           540000
	//   additional tools       20000
	// npv = 14457514.1 − 1493174.31 = 12964339.79
}

// The tools are paid in dollars.
func ExampleModel_Converted() {
	m := roi.Model{
		Currency: "EUR",
		Managed:  roi.Managed{MonthlyServiceFee: 20_000, ContractLengthMonths: 36},
		Conversions: []roi.Conversion{
			{Path: "additional_tool_costs", Amount: 12_000, Currency: "USD", Rate: 0.92, Date: "2026-03-31"},
		},
	}
	m, err := m.Converted()
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := roi.Evaluate(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range res.Assumptions {
		if a.Path == "managed.additional_tool_costs" {
			fmt.Println(a.Value)
		}
	}
	// Output:
	// 12000 USD x 0.92 EUR (2026-03-31) = 11040 EUR
}

// A warning says what is wrong in the numbers of the model.
func ExampleWarning() {
	res, err := roi.Evaluate(article())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range res.Warnings {
		if w.Code == roi.MTTRDoubleCount || w.Code == roi.StaffBelowCoverage {
			fmt.Println(w.Message)
		}
	}
	// Output:
	// as published: 120 incidents × 4 h = 480 h of recovery against 87.6 h of outage at 99 %, so outages count twice; the recovery value is 22500000, 3.4 times the whole cost of downtime 6570000
	// 4 people as senior_engineer fill 0.77 of a seat around the clock, which takes 5.21 (8760 h / 1680 h); all shift roles together fill 1.92
}

// All rates are found. Where there are several, none of them is the answer.
func ExampleIRR() {
	rates, err := roi.IRR([]float64{-1000, 300, 420, 680})
	if err != nil {
		fmt.Println(err)
		return
	}
	rate, err := rates.Rate()
	fmt.Printf("%.4f %v\n", rate, err)

	rates, err = roi.IRR([]float64{-1600, 10_000, -10_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = rates.Rate()
	fmt.Printf("%.4f %v\n", rates.Roots, errors.Is(err, roi.ErrMultipleRoots))
	// Output:
	// 0.1634 <nil>
	// [0.2500 4.0000] true
}

// A year with a leap day is longer than a year of the convention.
func ExampleXIRR() {
	day := func(year int) time.Time { return time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC) }
	rates, err := roi.XIRR([]roi.DatedFlow{{Date: day(2024), Amount: -1000}, {Date: day(2025), Amount: 1100}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.6f\n", rates.Roots[0])
	// Output: 0.099714
}

// NPV leaves the first flow undiscounted; spreadsheets do not.
func ExampleNPV() {
	flows := []float64{-1000, 300, 420, 680}
	npv, err := roi.NPV(0.1, flows)
	fmt.Printf("%.2f %v\n", npv, err)
	npv, err = roi.NPVExcel(0.1, flows)
	fmt.Printf("%.2f %v\n", npv, err)
	// Output:
	// 130.73 <nil>
	// 118.84 <nil>
}

// Four engineers do not staff one seat around the clock.
func ExampleStaff() {
	h, err := roi.Staff(roi.Demand{Role: "senior_engineer", Seats: 1, Hours: roi.AroundTheClock(), Technologies: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d people by %s (%.2f FTE)\n", h.People, h.Rule, h.CoverageFTE)
	// Output: 6 people by coverage (5.21 FTE)
}

// A service desk that answers four of five callers within 20 seconds.
func ExampleDesk() {
	s, err := roi.Desk{CallsPerHour: 100, HandleTime: 6 * time.Minute, Within: 20 * time.Second, Target: 0.8}.Agents()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d agents, %.1f %% in time, %.1f %% wait\n", s.Agents, s.ServiceLevel*100, s.Waiting*100)
	// Output: 14 agents, 86.1 % in time, 17.4 % wait
}

// −100, then 40 a period: 20 are open after two, which half of the third brings.
func ExamplePayback() {
	r, err := roi.Payback([]float64{-100, 40, 40, 40})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Reached, r.Periods)
	// Output: true 2.5
}
