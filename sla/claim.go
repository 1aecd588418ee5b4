package sla

import (
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// ClaimRule says until when the customer can claim a credit.
type ClaimRule struct {
	Kind ClaimKind `json:"kind,omitzero"`

	// Days counts local days for DaysAfterPeriodEnd, Periods billing periods for
	// PeriodsAfter.
	Days    int `json:"days,omitzero"`
	Periods int `json:"periods,omitzero"`
}

// ClaimKind is a way to bound the time for a claim.
type ClaimKind uint8

// The ways in use.
const (
	// ClaimAutomatic needs no claim.
	ClaimAutomatic ClaimKind = iota
	// DaysAfterPeriodEnd lasts to the end of the n-th local day after the period
	// with the incident.
	DaysAfterPeriodEnd
	// PeriodsAfter lasts to the end of the n-th period after the one with the
	// incident.
	PeriodsAfter
)

var claimNames = []string{"automatic", "days_after_period_end", "end_of_billing_cycle_after"}

// String returns "automatic", "days_after_period_end" or
// "end_of_billing_cycle_after".
func (k ClaimKind) String() string { return nameOf(claimNames, k) }

// MarshalText writes what String returns; an unknown value is an error.
func (k ClaimKind) MarshalText() ([]byte, error) { return textOf("claim", claimNames, k) }

// UnmarshalText reads what String returns.
func (k *ClaimKind) UnmarshalText(text []byte) error { return parseName("claim", claimNames, text, k) }

// Deadline returns the first instant that is too late to claim for an incident
// that ended at the given instant; ok is false where no claim is needed. The
// period with the incident is the one that contains its end.
func (r ClaimRule) Deadline(ended time.Time, b Billing, loc *time.Location) (tooLate time.Time, ok bool) {
	switch r.Kind {
	case ClaimAutomatic:
	case DaysAfterPeriodEnd:
		midnight := wallclock.Midnight(wallclock.At(b.At(ended, loc).End, loc))
		return wallclock.Resolve(midnight.AddDate(0, 0, r.Days), loc, wallclock.First), true
	case PeriodsAfter:
		return b.Following(ended, r.Periods, loc).End, true
	}
	return time.Time{}, false
}

func (r ClaimRule) issues() (out []Issue) {
	if r.Kind > PeriodsAfter {
		out = append(out, problem("claim.kind", r.Kind.String(), "automatic, days_after_period_end or end_of_billing_cycle_after"))
	}
	if r.Kind == DaysAfterPeriodEnd && r.Days <= 0 {
		out = append(out, problem("claim.days", strconv.Itoa(r.Days), "1 or more"))
	}
	if r.Kind == PeriodsAfter && r.Periods <= 0 {
		out = append(out, problem("claim.periods", strconv.Itoa(r.Periods), "1 or more"))
	}
	return out
}
