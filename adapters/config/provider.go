package config

import (
	"math/big"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Provider is what the framework of a managed-service provider says, for all its
// customers. What it does not say is not set here; [Provider.Offer] and
// [Provider.Preset] fill it in from the reference.
type Provider struct {
	// Offers holds the tiers that the framework names, cheapest first, with the
	// credits for late answers that all of them share.
	Offers []sla.Offer

	// Bands are the credits for availability, the best value first. They are nil
	// when the framework says nothing of them.
	Bands sla.Bands

	// ResponseCredits are the amounts for late answers. An amount of 0 is none.
	ResponseCredits map[incident.Severity]money.Amount

	// MTTRPercent is the share of the monthly fee for each incident that was not
	// restored in the time of its [sla.MetricMTTR]. Nil when it is not stated.
	MTTRPercent *money.Percent

	Monitoring *sla.Monitoring // nil when it is not stated
	DataLoss   *sla.Liability  // nil when it is not stated

	// Metrics are the key figures with their limits, in the order of
	// [sla.ReferenceMetrics].
	Metrics []sla.Metric

	Reporting sla.Reporting
	Reviews   []sla.Review // the monthly one first
}

// Offer returns what a tier sells: the reference offer, with what the provider
// says in its place; the zero Offer for the zero Tier. The caller may change it.
func (p Provider) Offer(tier sla.Tier) sla.Offer {
	o := tier.Offer()
	if o.Tier == 0 {
		return o
	}
	if i := slices.IndexFunc(p.Offers, func(said sla.Offer) bool { return said.Tier == tier }); i >= 0 {
		sellInstead(&o, p.Offers[i])
	}
	creditLate(o.Response, p.ResponseCredits)
	return o
}

// Preset returns the contract of a tier as [sla.Preset] does, with what the
// provider says in place of the reference. A zero Provider gives the reference
// contract itself.
func (p Provider) Preset(id string, tier sla.Tier, zone string, fee money.Amount) sla.Contract {
	c := sla.Preset(id, tier, zone, fee)
	offer := p.Offer(tier)
	for _, t := range c.Terms {
		switch {
		case t.Availability != nil:
			p.availability(t.Availability, offer)
		case t.Response != nil:
			t.Response.Targets = offer.Response
		case t.Resolution != nil:
			p.resolution(t.Resolution)
		case t.Monitoring != nil && p.Monitoring != nil:
			*t.Monitoring = *p.Monitoring
		case t.DataLoss != nil && p.DataLoss != nil:
			*t.DataLoss = *p.DataLoss
		}
	}
	return c
}

// availability puts what the provider says into the promise of a tier.
func (p Provider) availability(a *sla.Availability, offer sla.Offer) {
	a.Target = offer.Uptime
	if p.Bands.Bands != nil {
		a.Remedy = nil
		if len(p.Bands.Bands) > 0 {
			a.Remedy = sla.Bands{Bands: slices.Clone(p.Bands.Bands), ExtendTop: p.Bands.ExtendTop}
		}
	}
	for _, m := range p.Metrics {
		if m.Name == sla.MetricNotice {
			a.MinNotice = lengthOf(m.Target)
		}
	}
}

// resolution puts the times to restore into the clock of a tier. The clock is
// strict unless the provider allows exactly the time for every severity.
func (p Provider) resolution(clock *sla.Clock) {
	inclusive := 0
	for _, m := range p.Metrics {
		if m.Name != sla.MetricMTTR {
			continue
		}
		targetOf(clock, m.Severity).Within = lengthOf(m.Target)
		if !m.Target.Strict() {
			inclusive++
		}
	}
	clock.Strict = inclusive < len(clock.Targets)
	for i := range clock.Targets {
		if p.MTTRPercent != nil {
			clock.Targets[i].CreditPercent = *p.MTTRPercent
		}
	}
}

// lengthOf is the time of a limit in time, 0 for any other.
func lengthOf(limit incident.Target) time.Duration {
	number, unit := limit.Limit()
	if unit != "s" {
		return 0
	}
	number.Mul(number, new(big.Rat).SetInt64(int64(time.Second)))
	if !number.IsInt() || !number.Num().IsInt64() {
		return 0
	}
	return time.Duration(number.Num().Int64())
}

// sellInstead puts what a provider says of a tier over its reference offer.
func sellInstead(o *sla.Offer, said sla.Offer) {
	if said.Summary != "" {
		o.Summary = said.Summary
	}
	if said.Coverage != "" {
		o.Coverage = said.Coverage
	}
	if said.Uptime != 0 {
		o.Uptime = said.Uptime
	}
	if said.FeeFrom.IsSet() {
		o.FeeFrom, o.FeeTo = said.FeeFrom, said.FeeTo
	}
	if said.Services != nil {
		o.Services = slices.Clone(said.Services)
	}
	for _, t := range said.Response {
		i := slices.IndexFunc(o.Response, func(old sla.Target) bool { return old.Severity == t.Severity })
		if i < 0 {
			continue // the reference has a target for every severity
		}
		if !t.Credit.IsSet() {
			t.Credit = o.Response[i].Credit
		}
		o.Response[i] = t
	}
}

// creditLate sets the credits for late answers; 0 takes one away.
func creditLate(targets []sla.Target, credits map[incident.Severity]money.Amount) {
	for i, t := range targets {
		switch credit, ok := credits[t.Severity]; {
		case ok && credit.Sign() == 0:
			targets[i].Credit = money.Amount{}
		case ok:
			targets[i].Credit = credit
		}
	}
}
