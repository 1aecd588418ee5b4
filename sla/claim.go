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

	// Days counts local days for the kinds by days, Months months for
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
)

var claimNames = []string{"automatic", "days_after_period_end", "end_of_billing_cycle_after", "months_after_period_end", "days_after_incident"}

// String returns "automatic", "days_after_period_end",
// "end_of_billing_cycle_after", "months_after_period_end" or
// "days_after_incident".
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
		return dayAfter(b.At(ended, loc).End, r.Days, loc), true
	case DaysAfterIncident:
		return dayAfter(ended, r.Days+1, loc), true
	case MonthsAfterPeriodEnd:
		return wallclock.Resolve(wallclock.AddMonths(wallclock.At(b.At(ended, loc).End, loc), r.Months), loc, wallclock.First), true
	case PeriodsAfter:
		return b.Following(ended, r.Periods, loc).End, true
	}
	return time.Time{}, false
}

// NotifyBefore returns the first instant that is too late to report an incident
// that ended at the given instant; ok is false where no report is asked for.
func (r ClaimRule) NotifyBefore(ended time.Time, loc *time.Location) (tooLate time.Time, ok bool) {
	if r.NotifyBusinessDays <= 0 {
		return time.Time{}, false
	}
	date := wallclock.Midnight(wallclock.At(ended, loc))
	for n := 0; n < r.NotifyBusinessDays; {
		date = date.AddDate(0, 0, 1)
		if day := date.Weekday(); day != time.Saturday && day != time.Sunday {
			n++
		}
	}
	return wallclock.Resolve(date.AddDate(0, 0, 1), loc, wallclock.First), true
}

// dayAfter returns the local midnight that lies days after the one before t.
func dayAfter(t time.Time, days int, loc *time.Location) time.Time {
	return wallclock.Resolve(wallclock.Midnight(wallclock.At(t, loc)).AddDate(0, 0, days), loc, wallclock.First)
}

func (r ClaimRule) issues() (out []Issue) {
	if r.Kind > DaysAfterIncident {
		out = append(out, problem("claim.kind", r.Kind.String(), strings.Join(claimNames, ", ")))
	}
	for _, n := range []struct {
		path  string
		value int
		used  bool
	}{
		{"claim.days", r.Days, r.Kind == DaysAfterPeriodEnd || r.Kind == DaysAfterIncident},
		{"claim.months", r.Months, r.Kind == MonthsAfterPeriodEnd},
		{"claim.periods", r.Periods, r.Kind == PeriodsAfter},
	} {
		if n.used != (n.value > 0) || n.value < 0 {
			out = append(out, problem(n.path, strconv.Itoa(n.value), "1 or more for the kinds that use it, 0 for others"))
		}
	}
	if r.NotifyBusinessDays < 0 {
		out = append(out, problem("claim.notify_business_days", strconv.Itoa(r.NotifyBusinessDays), "0 or more"))
	}
	if r.Kind == DaysAfterPeriodEnd && r.Days < reportDay {
		out = append(out, warning(CodeLateClaim, "claim.days", strconv.Itoa(r.Days), fmt.Sprintf("%d or more: the report is due by then", reportDay)))
	}
	return out
}

// reportDay is the day of the next month by which a monthly report is due, as
// service contracts commonly have it.
const reportDay = 15
