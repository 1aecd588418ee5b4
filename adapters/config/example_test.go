package config_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// A contract file names what it changes of its tier, and every mistake comes
// back with its place.
func Example() {
	contract, _, err := config.ParseContract("acme.yaml", []byte(`version: 1
id: acme-2026
customer: {id: acme, name: Acme Retail}
timezone: Europe/Amsterdam
tier: professional
monthly_fee: "42000.00 EUR"
services: [{id: checkout, name: Checkout}]
response: {low: next business day}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = sla.Compile(contract.Contract)
	fmt.Println(contract.ServiceNames["checkout"], contract.Terms[0].Availability.Target, err)

	_, _, err = config.ParseContract("globex.yaml", []byte(`version: 1
id: globex-2026
customer: {id: globex}
timezone: Europe/Amsterdm
tier: professional
monthly_fee: 42000
services: [{id: kiosk, targt_percent: 99.9}]
`))
	fmt.Println(err)
	// Output:
	// Checkout 99.5% <nil>
	// globex.yaml:4:11: timezone: unknown zone "Europe/Amsterdm" (did you mean "Europe/Amsterdam"?)
	// globex.yaml:6:14: monthly_fee: parse money "42000": want an amount and a currency, like "500.00 EUR"
	// globex.yaml:7:24: services[0].targt_percent: unknown key "targt_percent", want one of id, name, target_percent, weight (did you mean "target_percent"?)
}

// A provider's framework is read as it stands in its sales documents. A contract
// file may hold the same blocks.
func ExampleParseFramework() {
	provider, _, err := config.ParseFramework("provider.yaml", []byte(`
service_tiers:
  essential:
    response_sla: {critical: "20 minutes", low: "next business day"}
    pricing: "€12K-18K/month"
financial_commitments:
  availability_credits:
    downtime_99_0_to_97_0_percent: "10% monthly credit"
    downtime_below_97_0_percent: "30% monthly credit"
  response_time_credits:
    critical_response_breach: "€750 per incident"
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	offer := provider.Offer(sla.Essential)
	fmt.Println(offer.FeeFrom, "to", offer.FeeTo, "for", offer.Uptime)
	fmt.Println(offer.Response[0].Severity, "within", offer.Response[0].Within, "or", offer.Response[0].Credit)
	for _, band := range provider.Bands.Bands {
		fmt.Println("below", band.Below, "of uptime:", band.Credit)
	}

	_, _, err = config.ParseFramework("other.yaml", []byte(`
performance_metrics:
  service_delivery:
    planned_maintenance_notice: "72 hours"
`))
	fmt.Println(err)
	// Output:
	// 12000.00 EUR to 18000.00 EUR for 99%
	// P1 within 20m0s or 750.00 EUR
	// below 99% of uptime: 10%
	// below 97% of uptime: 30%
	// other.yaml:4:33: performance_metrics.service_delivery.planned_maintenance_notice: read as "<= 3d", want a limit like ">= 3d"
}

// Read takes any struct, by the same rules.
func ExampleParse() {
	var shop struct {
		Name  string         `yaml:"name,required"`
		Opens config.Zone    `yaml:"zone"`
		Share config.Percent `yaml:"share"`
	}
	_, err := config.Parse("shop.yaml", []byte("name: Kiosk\nzone: Asia/Singapore\nshare: 99.90%\n"), &shop)
	fmt.Println(shop.Name, shop.Opens, shop.Share, err)

	_, err = config.Parse("shop.yaml", []byte("zone: SGT\nshare: 101\n"), &shop)
	fmt.Println(err)
	// Output:
	// Kiosk Asia/Singapore 99.90 <nil>
	// shop.yaml:1:1: name: missing
	// shop.yaml:1:7: zone: "SGT" is an abbreviation, want an IANA name (did you mean "Asia/Singapore"?)
	// shop.yaml:2:8: share: percentage "101", want at most 100
}

// An outage log judged by the published terms of two providers: what each owes,
// and until when to claim it.
func Example_publicSLA() {
	slas, _, err := config.ParsePublicSLAs("terms.yaml", []byte(`schema: 2
slas:
- id: cloud-vm
  provider: Cloud
  service: virtual machines
  target: "99.99"
  period: calendar_month
  measure: {kind: uptime, unit: 1m, down_when: no zone answers}
  remedy: {kind: percent_bands, bands: [["99.99", "99.0", 10], ["99.0", null, 25]]}
  claim: {kind: days_after_period_end, days: 30}
  evidence: {all: read, remedy: "10 read; 25 unverified"}
- id: host-network
  provider: Host
  service: network
  target: "100"
  period: incident
  measure: {kind: outage_duration, min_outage: 5m, min_outage_rule: longer_than, starts: ticket_created}
  remedy: {kind: per_interval, percent: 5, interval: 30m, partial: started, cap_percent: 100}
  evidence: {all: secondary}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	down := time.Date(2026, 4, 8, 10, 0, 0, 0, time.UTC)
	log := sla.Evidence{
		Observed: calendar.Interval{Start: down.AddDate(0, 0, -7).Truncate(24 * time.Hour), End: down.AddDate(0, 1, 0)},
		Outages:  []sla.Outage{{Ref: "INC-7", Start: down, End: down.Add(2 * time.Hour), Reported: down.Add(10 * time.Minute)}},
	}
	for _, terms := range slas {
		claims, err := terms.Claims(config.Subscription{Fee: money.Must(money.Parse("1000.00 USD"))}, log)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, c := range claims {
			fmt.Println(c.Provider, c.Statement.Period.Label, c.Statement.Payable, "remedy", terms.Provenance("remedy"))
			fmt.Println(" ", c.Statement.Lines[0].Explain())
			if before := c.Statement.ClaimBefore; before.IsZero() {
				fmt.Println("  claim at once: until when is not on file")
			} else {
				fmt.Println("  claim before", before.Format(time.DateOnly))
			}
		}
	}
	// Output:
	// Cloud 2026-04 100.00 USD remedy unverified
	//   availability (availability): 99.722222 %, up 718h0m0s of 720h0m0s, band 99% to 99.99%: 10% of 1000.00 USD, rounded half_up = 100.00 USD
	//   claim before 2026-05-31
	// Host 2026-04 200.00 USD remedy secondary
	//   availability (availability): 99.745370 %, down 1h50m0s from 2026-04-08T10:10:00Z: each started 30m0s, 4 × 5% of 1000.00 USD, rounded half_up = 200.00 USD
	//   claim at once: until when is not on file
}

// A policy that nobody answers at noon is found when the file is read.
func ExampleParseTeamAt() {
	const file = `version: 1
last_resort: {id: boss}
engineers:
  - {id: ann, level: senior, timezone: Europe/Amsterdam, availability_hours: [8, 18]}
schedules:
  night:
    layers:
      - name: night
        rotation: {tz: Europe/Amsterdam, start_local: "2026-01-05T09:00", unit: weeks, length: 1, users: [ann]}
        windows: [{from: "22:00", to: "06:00"}]
policies:
  rota:
    P1: &night {steps: [{minutes: 0, targets: [{schedule: night}], stop_on: acknowledged}]}
    P2: *night
    P3: {steps: []}
    P4: {steps: []}
`
	_, _, err := config.ParseTeamAt("team.yaml", []byte(file), time.Date(2026, 10, 6, 12, 0, 0, 0, time.UTC))
	fmt.Println(err)
	// Output:
	// team.yaml:13:24: policies.rota.P1.steps: tells nobody at 2026-10-06T12:00:00Z; step 1: schedule night: nobody
	// team.yaml:13:24: policies.rota.P2.steps: tells nobody at 2026-10-06T12:00:00Z; step 1: schedule night: nobody
}
