package sla_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// In the middle of April an incident runs: what it may still cost, and when.
func ExampleAgreement_Outlook() {
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "UTC", sla.Enterprise.Offer().FeeFrom))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 4, 15, 9, 0, 0, 0, time.UTC)
	period := agreement.PeriodAt(now)
	outlook, err := agreement.Outlook(period, sla.Evidence{
		Observed:  calendar.Interval{Start: period.Start, End: now},
		Outages:   []sla.Outage{{Ref: "INC-7", Start: now.Add(-20 * time.Minute)}},
		Incidents: []sla.Incident{{ID: "INC-7", Severity: incident.P1, Opened: now.Add(-20 * time.Minute), Responded: now.Add(-19 * time.Minute)}},
	}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range outlook.Services {
		fmt.Printf("%s: %s down, %s left, missed after %s\n", s.Term, s.Down, s.Left, s.BreachAt.Format(time.TimeOnly))
		for _, next := range s.Ahead {
			fmt.Printf("below %s after %s: %s\n", next.Band.Below, next.At.Format("02 Jan 15:04"), next.Credit)
		}
	}
	for _, c := range outlook.Clocks {
		fmt.Printf("%s %s: %s after %s\n", c.Incident, c.Clause, c.Credit, c.BreachAt.Format(time.TimeOnly))
	}
	fmt.Println("so far", outlook.SoFar, "at risk", outlook.AtRisk)
	// Output:
	// availability: 20m0s down, 23m12s left, missed after 09:23:12
	// below 99% after 15 Apr 15:52: 7500.00 EUR
	// below 98% after 15 Apr 23:04: 18750.00 EUR
	// below 95% after 16 Apr 20:40: 37500.00 EUR
	// INC-7 resolution: 3750.00 EUR after 10:40:00
	// so far 0.00 EUR at risk 41250.00 EUR
}

// A status page: events as they come, and the figures at any instant between.
func ExampleMeter() {
	agreement, err := sla.Compile(sla.Preset("acme-2026", sla.Enterprise, "UTC", sla.Enterprise.Offer().FeeFrom))
	if err != nil {
		fmt.Println(err)
		return
	}
	down := time.Date(2026, 4, 11, 0, 0, 0, 0, time.UTC)
	meter, err := sla.NewMeter(agreement, agreement.PeriodAt(down))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range []sla.MeterEvent{
		{Kind: sla.OutageOpened, At: down, Ref: "INC-7"},
		{Kind: sla.OutageClosed, At: down.Add(12 * time.Minute), Ref: "INC-7"},
		{Kind: sla.OutageOpened, At: down.Add(48 * time.Hour), Ref: "INC-8"},
	} {
		if err := meter.Apply(event); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, later := range []time.Duration{0, 30 * time.Minute, time.Hour} {
		gauges, err := meter.At(down.Add(48*time.Hour + later))
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, g := range gauges {
			fmt.Println(g.Value.Percent(4), g.Outcome, g.Down, "down", g.Left, "left")
		}
	}
	// Output:
	// 99.9305 met 12m0s down 31m12s left
	// 99.7573 missed 42m0s down 1m12s left
	// 99.5847 missed 1h12m0s down -28m48s left
}

// The monthly run over all customers of an offer, from rows in any order.
func ExampleBatch() {
	agreement, err := sla.Compile(sla.Preset("enterprise-2026", sla.Enterprise, "UTC", sla.Enterprise.Offer().FeeFrom))
	if err != nil {
		fmt.Println(err)
		return
	}
	month := agreement.PeriodAt(time.Date(2026, 4, 15, 0, 0, 0, 0, time.UTC))
	plan, err := agreement.RatePlan(month, sla.Evidence{Observed: month.Interval})
	if err != nil {
		fmt.Println(err)
		return
	}
	row := func(customer uint32, from, to time.Duration) sla.Downtime {
		return sla.Downtime{Customer: customer, Start: month.Start.Add(from).UnixNano(), End: month.Start.Add(to).UnixNano()}
	}
	rows := []sla.Downtime{
		row(2, 300*time.Hour, 320*time.Hour),
		row(0, 100*time.Hour, 100*time.Hour+30*time.Minute),
		row(2, 310*time.Hour, 340*time.Hour), // overlaps
		row(7, 0, time.Hour),
	}
	batch := sla.NewBatch(slices.Repeat([]*sla.RatePlan{plan}, 3), rows)
	for customer, err := range batch.Credits(0, batch.Customers()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(customer.Customer, customer.Down, customer.State, customer.Payable)
	}
	for i, fault := range batch.Faults(rows) {
		fmt.Println("row", i, fault)
	}
	// Output:
	// 0 30m0s none 0.00 EUR
	// 1 0s none 0.00 EUR
	// 2 40h0m0s due 37500.00 EUR
	// row 3 unknown_customer
}
