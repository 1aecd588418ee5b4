package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// PublicClaim is what a provider owes by its public terms for one period of an
// outage log.
type PublicClaim struct {
	SLA      string // its id
	Provider string
	Service  string

	// Statement holds the credit, ClaimBefore as the first instant that is too
	// late to claim it, and the findings: "unknown_remedy" where nobody knows what
	// the miss earns, "unknown_claim" where nobody knows how long it can be claimed.
	Statement sla.Statement

	// Rule says how to claim. Under [sla.ClaimAutomatic] there is nothing to do.
	Rule sla.ClaimRule

	// ReportBefore is the first instant that is too late to report the first of
	// the outages; zero where no report is asked for.
	ReportBefore time.Time
}

// Claims judges the customer's own log against the terms: every period that the
// log observes a part of, oldest first, with a promise missed in it. Of rolling
// days it takes those that end with the log, and the same before. Periods in which
// every promise was kept or nothing was measured give no claim. A log without an
// invoice has one of the amount of the fee.
//
// The errors are those of [sla.Compile] and [sla.Agreement.Evaluate], and a
// [*sla.EvidenceError] for a log that observes no time.
func (p PublicSLA) Claims(s Subscription, log sla.Evidence) ([]PublicClaim, error) {
	a, err := sla.Compile(p.Contract(s))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.ID, err)
	}
	if log.Observed.IsEmpty() {
		return nil, fmt.Errorf("%s: %w", p.ID, &sla.EvidenceError{Path: "observed", Err: errors.New("empty: want the time that the log speaks about")})
	}
	if err := log.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.ID, err)
	}
	if !log.Invoice.IsSet() {
		log.Invoice = s.Fee
	}
	var claims []PublicClaim
	for _, period := range periodsOf(a, log) {
		statement, err := a.Evaluate(period, log)
		switch {
		case errors.Is(err, sla.ErrNotInForce):
			continue
		case err != nil:
			return nil, fmt.Errorf("%s: %w", p.ID, err)
		case len(statement.Breaches) == 0:
			continue
		}
		claims = append(claims, PublicClaim{
			SLA: p.ID, Provider: p.Provider, Service: p.Service,
			Statement: statement, Rule: a.Contract().Claim, ReportBefore: reportBefore(a, statement),
		})
	}
	return claims, nil
}

// periodsOf returns the periods that the log observes a part of.
func periodsOf(a *sla.Agreement, log sla.Evidence) []sla.Period {
	billing, last := a.Contract().Period, log.Observed.End
	if !billing.Rolling {
		last = last.Add(-time.Nanosecond) // an end is in the next period
	}
	var periods []sla.Period
	for n := 0; ; n-- {
		p := billing.Following(last, n, a.Location())
		if !p.End.After(log.Observed.Start) || len(periods) > 0 && !p.Start.Before(periods[len(periods)-1].Start) {
			break // before the log, or before all that a period can be in
		}
		periods = append(periods, p)
	}
	slices.Reverse(periods)
	return periods
}

// reportBefore is the earliest end of the time to report an outage.
func reportBefore(a *sla.Agreement, s sla.Statement) (first time.Time) {
	for _, m := range s.Availability {
		if m.Outcome != sla.Missed || len(m.Downtime) == 0 {
			continue
		}
		at, ok := a.Contract().Claim.NotifyBefore(m.Downtime[0].End.Add(-time.Nanosecond), a.Location())
		if ok && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
