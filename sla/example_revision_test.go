package sla_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// October was issued with eight hours of downtime. Three of them turn out to be
// the customer's own doing, and the credit is taken back.
func ExampleRevise() {
	contract := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", sla.Enterprise.Offer().FeeFrom)
	contract.Terms[0].Availability.Exclude = []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer}
	agreement, err := sla.Compile(contract)
	if err != nil {
		fmt.Println(err)
		return
	}
	down := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	october := agreement.PeriodAt(down)
	statement := func(outages ...sla.Outage) sla.Statement {
		s, err := agreement.Evaluate(october, sla.Evidence{Observed: october.Interval, Outages: outages})
		if err != nil {
			fmt.Println(err)
		}
		return s
	}
	issued, err := sla.Original(statement(sla.Outage{Ref: "INC-110", Start: down, End: down.Add(8 * time.Hour)}))
	if err != nil {
		fmt.Println(err)
		return
	}
	better := statement(
		sla.Outage{Ref: "INC-110", Start: down, End: down.Add(5 * time.Hour)},
		sla.Outage{Ref: "INC-110", Start: down.Add(5 * time.Hour), End: down.Add(8 * time.Hour), Cause: sla.CauseCustomer},
	)
	revised, err := sla.Revise(issued, better, "from 07:00 on the customer had closed the port")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(issued.Number, issued.Statement.Payable, issued.Difference)
	fmt.Println(revised.Number, revised.Statement.Payable, revised.Difference)
	for _, d := range revised.Terms {
		fmt.Println(d.Term, d.Before, d.After)
	}
	// Output:
	// 1 7500.00 EUR 7500.00 EUR
	// 2 0.00 EUR -7500.00 EUR
	// availability 7500.00 EUR 0.00 EUR
}

// The same month under another tier.
func ExampleWhatIf() {
	down := time.Date(2026, 10, 14, 2, 0, 0, 0, time.UTC)
	under := func(tier sla.Tier) sla.Statement {
		agreement, err := sla.Compile(sla.Preset("acme-"+tier.String(), tier, "Europe/Amsterdam", tier.Offer().FeeFrom))
		if err != nil {
			fmt.Println(err)
			return sla.Statement{}
		}
		october := agreement.PeriodAt(down)
		s, err := agreement.Evaluate(october, sla.Evidence{
			Observed: october.Interval,
			Outages:  []sla.Outage{{Ref: "INC-110", Start: down, End: down.Add(8 * time.Hour)}},
		})
		if err != nil {
			fmt.Println(err)
		}
		return s
	}
	alternative, err := sla.WhatIf(under(sla.Essential), under(sla.Enterprise))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("fee", alternative.Fee.Difference)
	fmt.Println("credit", alternative.Payable.Before, alternative.Payable.After)
	// Output:
	// fee 60000.00 EUR
	// credit 1500.00 EUR 7500.00 EUR
}

// A claim of 7500.00 needs the service manager.
func ExampleClaim() {
	amount := func(text string) money.Amount { return money.Must(money.Parse(text)) }
	claim := sla.Claim{Key: "acme-2026/2026-10", Levels: sla.ReviewLevels{
		{From: amount("0.00 EUR"), By: "team lead"}, {From: amount("5000.00 EUR"), By: "service manager"},
	}}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, e := range []sla.ClaimEvent{
		{At: at, To: sla.ClaimDetected},
		{At: at, To: sla.ClaimEstimated, Amount: amount("7500.00 EUR"), Statement: sla.Digest{1}},
		{At: at, To: sla.ClaimInReview, By: "acme"},
		{At: at, To: sla.ClaimApproved, By: "anna", Level: "team lead"},
		{At: at, To: sla.ClaimApproved, By: "bert", Level: "service manager"},
	} {
		if err := claim.Apply(e); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(claim.State)
	}
	// Output:
	// detected
	// estimated
	// in_review
	// sla: claim "acme-2026/2026-10" event 3 (in_review to approved at 2026-11-02T09:00:00Z): above the review level: want "service manager" or above for 7500.00 EUR, not "team lead"
	// approved
}
