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

// What a tier does, and what it has over a cheaper one.
func ExampleOffering() {
	enterprise := sla.Offering{Tier: sla.Enterprise, Services: []sla.ManagedService{
		{Component: sla.Compute, Monitoring: sla.ComprehensiveMonitoring, Remediation: true, Patching: true, Tuning: true},
		{Component: sla.Database, Monitoring: sla.ComprehensiveMonitoring, Remediation: true, Backup: true, Patching: true, Tuning: true},
		{Component: sla.Storage, Monitoring: sla.AdvancedMonitoring, Backup: true, Patching: true, Tuning: true},
	}}
	fmt.Print(enterprise)
	for _, gain := range sla.Enterprise.Offer().Over(sla.Professional.Offer())[:3] {
		fmt.Println(gain)
	}
	fmt.Println(sla.Enterprise.Offer().Downtime(30 * 24 * time.Hour))
	// Output:
	// Enterprise tier capabilities:
	// Monitoring: advanced, comprehensive
	// Automation: compute_remediation, database_remediation
	// Management: compute_patching, compute_optimization, database_backup, database_patching, database_optimization, storage_backup, storage_patching, storage_optimization
	// Automation level: 66.7%
	// uptime: 99.9%, not 99.5%
	// response P1: 2m, not 5m
	// response P2: 15m, not 30m
	// 43m12s
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
	// Output: terms[0].availability.remedy.bands[0].below 99% want the target 99.9%, or a miss down to there earns nothing
}

// The monthly report holds the statement and the figures that are told beside it.
func ExampleAgreement_Report() {
	fee := sla.Enterprise.Offer().FeeFrom
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", fee))
	if err != nil {
		fmt.Println(err)
		return
	}
	down := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	period := agreement.PeriodAt(down)
	report, err := agreement.Report(period, sla.Evidence{
		Observed: period.Interval,
		Outages:  []sla.Outage{{Ref: "INC-110", Start: down, End: down.Add(90 * time.Minute)}},
		Incidents: []sla.Incident{{
			ID: "INC-110", Severity: incident.P1, Started: down, Detected: down.Add(time.Minute), Opened: down.Add(time.Minute),
			Responded: down.Add(2 * time.Minute), Resolved: down.Add(90 * time.Minute), Cause: "a full disk", Action: "alert at 80 %",
		}},
	}, sla.ReportOptions{Trend: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range report.Breaches {
		fmt.Printf("%s: %s %% of %s, cause: %s, done: %s, credit %s\n", b.Clause, b.Value.Percent(3), b.Target, b.Cause, b.Action, b.Credit)
	}
	for _, name := range []sla.KPI{sla.KPIUptime, sla.KPIMTTRP1, sla.KPIChanges} {
		figure, _ := report.KeyFigure(name)
		fmt.Println(figure.Explain())
	}
	fmt.Println("due before", report.DueBefore.In(agreement.Location()).Format(time.DateOnly))
	// Output:
	// availability: 99.798 % of 99.9%, cause: a full disk, done: alert at 80 %, credit 0.00 EUR
	// uptime: 99.798657 % over 1, target >= 99.9% missed
	// mttr_p1: 5340 s over 1, target < 2h met
	// change_success_rate: no data, target > 95%
	// due before 2026-11-16
}

// The public terms of an object store, written as a value: 100 % less the mean of
// the error rates of all five-minute intervals, 99.9 % promised, credits of 10, 25
// and 100 % (https://aws.amazon.com/s3/sla/, read in November 2026). One request
// in a hundred fails all month long: exactly 99 %, which is in the better band.
func ExampleContract_s3() {
	percent := money.WholePercent
	target := percent(100) - percent(1)/10
	contract := sla.Contract{
		ID: "s3-standard", Zone: "UTC", Fee: money.Must(money.Parse("250.00 USD")), Claim: sla.ClaimRule{Kind: sla.ClaimUnknown},
		Terms: []sla.Term{{ID: "requests", Availability: &sla.Availability{
			Target:  target,
			Measure: sla.MeanErrorRate{Slot: 5 * time.Minute, Empty: sla.EmptyGood},
			Remedy: sla.Bands{Bands: []sla.Band{
				{Below: target, From: percent(99), Credit: percent(10)},
				{Below: percent(99), From: percent(95), Credit: percent(25)},
				{Below: percent(95), From: 0, Credit: percent(100)},
			}},
		}}},
	}
	april := sla.Billing{}.At(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	evidence := sla.Evidence{Observed: april.Interval}
	for at := april.Start; at.Before(april.End); at = at.Add(5 * time.Minute) {
		evidence.Requests = append(evidence.Requests, sla.Requests{Start: at, Total: 1000, Failed: 10})
	}
	statement, err := sla.Evaluate(contract, april, evidence)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(statement.Lines[0].Explain())
	fmt.Println(statement.Availability[0].Value, statement.Payable)
	// Output:
	// requests (requests): 99.000000 % (99/100), band 99% to 99.9%: 10% of 250.00 USD, rounded half_up = 25.00 USD
	// 99/100 25.00 USD
}
