package sla

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// ClaimRule says until when the customer can claim a credit.
type ClaimRule struct {
	Kind ClaimKind `json:"kind,omitzero"`

	// Days counts local days for the three kinds by days, Months months for
	// MonthsAfterPeriodEnd, Periods billing periods for PeriodsAfter.
	Days    int `json:"days,omitzero"`
	Months  int `json:"months,omitzero"`
	Periods int `json:"periods,omitzero"`

	// NotifyBusinessDays is how many days from Monday to Friday the customer has
	// to report an incident. 0 asks for no report.
	NotifyBusinessDays int `json:"notify_business_days,omitzero"`
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
	// MonthsAfterPeriodEnd lasts as many months from the end of the period with
	// the incident.
	MonthsAfterPeriodEnd
	// DaysAfterIncident lasts to the end of the n-th local day after the
	// incident.
	DaysAfterIncident
	// DaysAfterEligible lasts to the end of the n-th local day after the instant
	// from which the credit is owed. A statement takes the earliest: that at which
	// the downtime of the period exceeded what its target allows, and the end of
	// the period where no time is counted.
	DaysAfterEligible
	// ClaimUnknown stands for a time that is not known. A credit that is due then
	// gives a finding instead of an instant.
	ClaimUnknown
)

var claimNames = []string{
	"automatic", "days_after_period_end", "end_of_billing_cycle_after", "months_after_period_end", "days_after_incident", "days_after_eligible", "unknown",
}

// String returns "automatic", "days_after_period_end",
// "end_of_billing_cycle_after", "months_after_period_end",
// "days_after_incident", "days_after_eligible" or "unknown".
func (k ClaimKind) String() string { return nameOf(claimNames, k) }

// MarshalText writes what String returns; an unknown value is an error.
func (k ClaimKind) MarshalText() ([]byte, error) { return textOf("claim", claimNames, k) }

// UnmarshalText reads what String returns.
func (k *ClaimKind) UnmarshalText(text []byte) error { return parseName("claim", claimNames, text, k) }

// Deadline returns the first instant that is too late to claim for an incident
// that ended at the given instant, or under DaysAfterEligible for a credit that
// is owed since then; ok is false where no claim is needed or the time is not
// known. The period with the incident is the one that contains its end.
func (r ClaimRule) Deadline(ended time.Time, b Billing, zone *time.Location) (tooLate time.Time, ok bool) {
	switch r.Kind {
	case ClaimAutomatic, ClaimUnknown:
	case DaysAfterPeriodEnd:
		return endOfDay(b.At(ended, zone).End.Add(-1), r.Days, zone), true // a period that ends at midnight ends with the day before
	case DaysAfterIncident, DaysAfterEligible:
		return endOfDay(ended, r.Days, zone), true
	case MonthsAfterPeriodEnd:
		return wallclock.Resolve(wallclock.AddMonths(wallclock.At(b.At(ended, zone).End, zone), r.Months), zone, wallclock.First), true
	case PeriodsAfter:
		return b.Following(ended, r.Periods, zone).End, true
	}
	return time.Time{}, false
}

// NotifyBefore returns the first instant that is too late to report an incident
// that ended at the given instant; ok is false where no report is asked for.
func (r ClaimRule) NotifyBefore(ended time.Time, zone *time.Location) (tooLate time.Time, ok bool) {
	if r.NotifyBusinessDays <= 0 {
		return time.Time{}, false
	}
	date := wallclock.Midnight(wallclock.At(ended, zone))
	next := func() time.Time { return wallclock.Resolve(date.AddDate(0, 0, 1), zone, wallclock.First) }
	for n := 0; n < r.NotifyBusinessDays; {
		begins := next()
		date = date.AddDate(0, 0, 1)
		day := date.Weekday()
		if day != time.Saturday && day != time.Sunday && begins.Before(next()) { // a date that a zone skipped has no time
			n++
		}
	}
	return next(), true
}

// endOfDay returns the end of the n-th local date after that of t. Where a zone
// moved over the date line in between, the date that it skipped does not count, as
// 30 December 2011 in Pacific/Apia.
func endOfDay(t time.Time, n int, loc *time.Location) time.Time {
	wall := wallclock.At(t, loc)
	midnight := wallclock.Midnight(wall).AddDate(0, 0, n+1)
	end := wallclock.Resolve(midnight, loc, wallclock.First)
	if moved := wallclock.At(end, loc).Sub(end) - wall.Sub(t); moved > 12*time.Hour {
		end = wallclock.Resolve(midnight.AddDate(0, 0, 1), loc, wallclock.First)
	}
	return end
}

func (r ClaimRule) issues(b Billing) (out []Issue) {
	if r.Kind > ClaimUnknown {
		out = append(out, problem("claim.kind", r.Kind.String(), strings.Join(claimNames, ", ")))
	}
	for _, n := range []struct {
		path  string
		value int
		most  int
		used  bool
	}{
		{"claim.days", r.Days, maxPeriodDays, r.Kind == DaysAfterPeriodEnd || r.Kind == DaysAfterIncident || r.Kind == DaysAfterEligible},
		{"claim.months", r.Months, maxPeriodDays / 30, r.Kind == MonthsAfterPeriodEnd},
		{"claim.periods", r.Periods, maxPeriodDays / 30, r.Kind == PeriodsAfter},
	} {
		if n.used != (n.value > 0) || n.value < 0 || n.value > n.most {
			out = append(out, problem(n.path, strconv.Itoa(n.value), fmt.Sprintf("1 to %d for the kinds that use it, 0 for others", n.most)))
		}
	}
	if r.NotifyBusinessDays < 0 || r.NotifyBusinessDays > maxPeriodDays {
		out = append(out, problem("claim.notify_business_days", strconv.Itoa(r.NotifyBusinessDays), fmt.Sprintf("0 to %d", maxPeriodDays)))
	}
	late := func(path string, n, want int, why string) {
		if n > 0 && n < want {
			out = append(out, warning(CodeLateClaim, path, strconv.Itoa(n), fmt.Sprintf("%d or more: the report is due %s", want, why)))
		}
	}
	switch r.Kind {
	case DaysAfterPeriodEnd:
		late("claim.days", r.Days, reportDay, "by then")
	case DaysAfterIncident:
		late("claim.days", r.Days, reportDay+b.longest(), "by then for an incident on the first day of a period")
	case PeriodsAfter:
		late("claim.periods", r.Periods, (reportDay+b.longest()-1)/b.longest(), "by then")
	default:
	}
	return out
}

// longest returns the most days that a period has.
func (b Billing) longest() int {
	if b.Days > 0 {
		return b.Days
	}
	return min(31*min(b.months(), 12), 366)
}

// reportDay is the day of the next month by which a monthly report is due, as
// service contracts commonly have it.
const reportDay = 15
