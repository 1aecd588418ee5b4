// Package pricing says what a service contract is likely to cost in credits.
//
// A [Model] is what may happen in a period: outages, late incidents and gaps in
// the monitoring at a rate and with random lengths, or whole periods of the past.
// [Simulate] draws periods from it and gives each the credits of the contract; the
// [Forecast] has the expected payout, percentiles, and the probability of each
// credit band. [Exact] computes the same without drawing, where lengths are
// discrete and add up.
//
//	a, err := sla.Compile(contract)
//	if err != nil {
//		return err
//	}
//	outages := []pricing.Process{{
//		PerPeriod: 1.5, Length: pricing.Lengths{Kind: pricing.Lognormal, Mean: 2 * time.Hour, SD: 4 * time.Hour},
//	}}
//	f, err := pricing.Simulate(a, a.PeriodAt(next), pricing.Model{Outages: outages}, pricing.Options{Seed: 1})
//	if err != nil {
//		return err
//	}
//	fmt.Println(f.Expected(), f.Percentile(95), f.Percentile(99))
//
// [FromHistory] and [FromStatements] make a model of the past, [Model.Rates] turns
// its periods into rates and lengths.
//
// Amounts are exact: each draw has the credits that [sla.Agreement.Evaluate] gives
// it, in minor units. Floats are used for rates, lengths and probabilities alone,
// and for the money of [Exact], which says how far off it can be.
//
// # Limits
//
// The parts of a model are independent, and rates are constant: there are no
// seasons, no clusters and no trend unless whole periods of the past are drawn.
// Planned maintenance, excluded causes, degraded service, requests and lost data
// are not drawn. A forecast knows nothing of its model being wrong: its standard
// error is that of drawing alone.
//
// The package reads no clock and starts no goroutine; its values are safe for
// concurrent use as long as nobody changes them.
package pricing
