package dispatch

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// Kind is what is sent at intervals.
type Kind string

// The kinds. Those of reviews have the names of [sla.Reviews].
const (
	MonthlyReport   Kind = "monthly_report"
	WeeklyReview    Kind = "weekly_service_review"
	MonthlyReview   Kind = "monthly_service_review"
	ExecutiveReport Kind = "executive_report"
	QuarterlyReview Kind = "quarterly_business_review"
)

// Kinds lists all kinds.
var Kinds = [...]Kind{MonthlyReport, WeeklyReview, MonthlyReview, ExecutiveReport, QuarterlyReview}

// KindsOf returns what a tier has: the monthly report and the reviews of [sla.Reviews].
func KindsOf(t sla.Tier) []Kind {
	kinds := []Kind{MonthlyReport}
	for _, r := range sla.Reviews(t) {
		kinds = append(kinds, Kind(r.Name))
	}
	return kinds
}

// Known reports whether k is one of [Kinds].
func (k Kind) Known() bool { return slices.Contains(Kinds[:], k) }

// Review returns the review of a kind; false for the monthly report.
func (k Kind) Review() (sla.Review, bool) {
	for _, r := range sla.Reviews(sla.Enterprise) {
		if string(k) == r.Name {
			return r, true
		}
	}
	return sla.Review{}, false
}

// PeriodAt returns the period of a kind that contains at, on the wall clock of a zone: a
// week from Monday to Monday, a month or a quarter of the calendar.
func (k Kind) PeriodAt(at time.Time, zone *time.Location) sla.Period {
	switch k {
	case WeeklyReview:
		return sla.WeekAt(at, zone)
	case QuarterlyReview:
		return sla.Billing{Months: 3}.At(at, zone)
	default:
		return sla.Billing{}.At(at, zone)
	}
}
