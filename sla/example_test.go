package sla_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// A month under the enterprise tier: ten hours down, of which two were announced
// in time, and one critical incident.
func Example() {
	fee, err := money.Parse("100000.00 EUR")
	if err != nil {
		fmt.Println(err)
		return
	}
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", fee))
	if err != nil {
		fmt.Println(err)
		return
	}
	down := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	period := agreement.PeriodAt(down)
	statement, err := agreement.Evaluate(period, sla.Evidence{
		Observed: period.Interval,
		Outages:  []sla.Outage{{Ref: "INC-110", Start: down, End: down.Add(10 * time.Hour)}},
		Maintenance: []sla.Maintenance{
			{Ref: "CHG-700", Start: down, End: down.Add(2 * time.Hour), Announced: down.Add(-120 * time.Hour)},
		},
		Incidents: []sla.Incident{{
			ID: "INC-110", Severity: incident.P1, Opened: down.Add(2 * time.Hour), Responded: down.Add(2*time.Hour + 90*time.Second), Resolved: down.Add(10 * time.Hour),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range statement.Lines {
		fmt.Println(line.Explain())
	}
	fmt.Println(statement.Period.Label, statement.State, statement.Payable)
	// Output:
	// availability (availability): 98.926174 %, up 737h0m0s of 745h0m0s, band 98% to 99%: 10% of 100000.00 EUR, rounded half_up = 10000.00 EUR
	// resolution (INC-110, P1): took 8h0m0s, promised 2h0m0s: 5% of 100000.00 EUR, rounded half_up = 5000.00 EUR
	// 2026-10 due 15000.00 EUR
}

// What is still open, and when it will be late.
func ExampleAgreement_Clocks() {
	fee := sla.Professional.Offer().FeeFrom
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Professional, "Europe/Amsterdam", fee))
	if err != nil {
		fmt.Println(err)
		return
	}
	opened := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	clocks, err := agreement.Clocks(sla.Incident{ID: "INC-110", Severity: incident.P2, Opened: opened}, opened.Add(45*time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range clocks {
		fmt.Println(c.Clause, c.Outcome, c.Due.Format(time.TimeOnly), c.Remaining, c.PercentUsed())
	}
	// Output:
	// response missed 02:30:00 -15m0s 150
	// resolution pending 10:00:00 7h15m0s 9
}

// A contract is data; what is doubtful about it is reported before it is signed.
func ExampleContract_Issues() {
	contract := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", money.Must(money.Parse("100000.00 EUR")))
	for _, issue := range contract.Issues() {
		if issue.Code == sla.CodeCreditGap {
			fmt.Println(issue.Path, issue.Value, "want", issue.Want)
		}
	}
	// Output: terms[0].availability.bands[0].below 99% want the target 99.9%, or a miss down to there earns nothing
}
