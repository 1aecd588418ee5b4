package sla_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// What a draft changes, before it is signed.
func ExampleCompare() {
	fee := sla.Professional.Offer().FeeFrom
	signed := sla.Preset("acme-2026", sla.Professional, "Europe/Amsterdam", fee)
	draft := sla.Preset("acme-2026", sla.Professional, "Europe/Amsterdam", fee)
	draft.Terms[0].Availability.Target = money.WholePercent(99)
	draft.Terms[1].Response.Targets[0].Within = 2 * time.Minute
	draft.CapPercent = nil
	for _, change := range sla.Compare(signed, draft) {
		fmt.Println(change)
	}
	// Output:
	// terms[availability].availability.target: 99.5%, now 99% (worse)
	// terms[response].response.targets[P1].within_ns: 5m0s, now 2m0s (better)
	// cap_percent: 100%, now nothing (better)
}

// What is sold to a customer, and what is bought for it.
func ExampleBackToBack() {
	promise := sla.Preset("acme-2026", sla.Professional, "Europe/Amsterdam", sla.Professional.Offer().FeeFrom)
	supplier := sla.Preset("hosting-2026", sla.Professional, "Europe/Amsterdam", sla.Professional.Offer().FeeFrom)
	supplier.Fee = sla.Essential.Offer().FeeFrom
	supplier.Terms[0].Availability.Target = money.WholePercent(99)
	supplier.Terms[0].Availability.MinNotice = 24 * time.Hour
	exposures, err := sla.BackToBack(promise, supplier)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range exposures {
		fmt.Println(e)
		fmt.Println("  " + e.Text)
	}
	// Output:
	// availability: 99.5% promised, 99% from the supplier
	//   the supplier keeps its word at 99%, where the promise to the customer is broken
	// notice: 3d promised, 1d from the supplier
	//   maintenance that the supplier announces in time may be too late to announce to the customer, and then counts as downtime
	// credit: 17500.00 EUR promised, 7500.00 EUR from the supplier
	//   a full outage in 2024-01 costs 10000.00 EUR more than the supplier pays back
}
