package sla

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Period is the stretch of time that one statement covers. Its length is
// elapsed time: a month with a change of the clock has 743 or 745 hours.
type Period struct {
	Label string `json:"label"`
	calendar.Interval
}

// Billing says how time is cut into periods. The zero value is the calendar
// month. Periods begin at 00:00 on the wall clock of the contract's zone, unless
// they are a fixed number of days.
type Billing struct {
	// Months is the length of a period: 3 is a quarter, 12 a year of service.
	// Defaults to 1.
	Months int `json:"months,omitzero"`

	// AnchorMonth is a month, 1 to 12, in which a period of several months
	// begins. Defaults to 1, so that quarters are those of the year.
	AnchorMonth int `json:"anchor_month,omitzero"`

	// AnchorDay is the day of the month on which periods begin, 1 to 31. Where
	// a month is shorter, its last day is taken. Defaults to 1.
	AnchorDay int `json:"anchor_day,omitzero"`

	// UTC lets periods begin at midnight of UTC, whatever the zone of the
	// contract is.
	UTC bool `json:"utc,omitempty"`

	// Days cuts time into stretches of that many times 24 hours instead, one of
	// which begins at First. 0 takes months, a zero First the start of 2000 in
	// UTC.
	Days  int       `json:"days,omitzero"`
	First time.Time `json:"first,omitzero"`

	// Rolling takes the Days up to an instant as its period. Periods then
	// overlap: no instant begins one.
	Rolling bool `json:"rolling,omitempty"`
}

// At returns the period that contains at, and for rolling days the one that ends
// at that instant.
func (b Billing) At(at time.Time, zone *time.Location) Period { return b.Following(at, 0, zone) }

// Following returns the n-th period after the one of at, or before it for a
// negative n.
func (b Billing) Following(at time.Time, n int, zone *time.Location) Period {
	switch {
	case b.Rolling:
		return b.stretch(at.Add(-b.days()).Add(time.Duration(n) * b.days()))
	case b.Days > 0:
		first := b.First
		if first.IsZero() {
			first = base
		}
		return b.stretch(first.Add((floorDiv(at.Sub(first), b.days()) + time.Duration(n)) * b.days()))
	case b.UTC:
		zone = time.UTC
	}
	return b.period(b.index(at, zone)+n*b.months(), zone)
}

func (b Billing) days() time.Duration { return time.Duration(b.Days) * 24 * time.Hour }

// stretch returns the period of fixed length that begins at start.
func (b Billing) stretch(start time.Time) Period {
	i := calendar.Interval{Start: start.UTC(), End: start.Add(b.days()).UTC()}
	return Period{Label: i.Start.Format(time.DateOnly) + "+" + strconv.Itoa(b.Days) + "d", Interval: i}
}

// index returns the months from the base to the period that contains t.
func (b Billing) index(t time.Time, loc *time.Location) int {
	wall := wallclock.At(t, loc)
	year, month, _ := wall.Date()
	offset := max(b.AnchorMonth, 1) - 1
	n := floorDiv((year-baseYear)*12+int(month)-1-offset, b.months())*b.months() + offset
	switch {
	case b.begins(n, loc).After(t):
		return n - b.months()
	case !b.begins(n+b.months(), loc).After(t): // the clock was put back over the turn of the month
		return n + b.months()
	}
	return n
}

// ParseMonth returns the calendar month that text such as "2026-10" names, from its first
// midnight in the zone to the next month's. Any other text is an error.
func ParseMonth(text string, zone *time.Location) (Period, error) {
	first, err := time.Parse("2006-01", text)
	if err != nil {
		return Period{}, fmt.Errorf("sla: month %q: want one like \"2026-10\"", text)
	}
	return Billing{}.At(wallclock.Resolve(first, zone, wallclock.First), zone), nil
}

// base is midnight of 1 January 2000 in UTC, from which periods are counted.
var base = time.Unix(946684800, 0).UTC()

const (
	baseYear      = 2000
	maxPeriodDays = 3660 // ten years
)

func (b Billing) months() int { return max(b.Months, 1) }

func (b Billing) anchor() int { return max(b.AnchorDay, 1) }

// start returns the wall time at which the period begins that lies n months
// after the base.
func (b Billing) start(n int) time.Time {
	return wallclock.AddMonths(base.AddDate(0, 0, b.anchor()-1), n)
}

// begins returns the instant of start.
func (b Billing) begins(n int, loc *time.Location) time.Time {
	return wallclock.Resolve(b.start(n), loc, wallclock.First)
}

func (b Billing) period(n int, loc *time.Location) Period {
	return Period{Label: b.label(b.start(n)), Interval: calendar.Interval{Start: b.begins(n, loc), End: b.begins(n+b.months(), loc)}}
}

func (b Billing) label(first time.Time) string {
	switch {
	case b.anchor() > 1:
		return first.Format(time.DateOnly)
	case b.months() == 3 && first.Month()%3 == 1:
		return fmt.Sprintf("%d-Q%d", first.Year(), int(first.Month())/3+1)
	case b.months() == 12 && first.Month() == time.January:
		return first.Format("2006")
	}
	return first.Format("2006-01")
}

func (b Billing) issues() (out []Issue) {
	if b.Months < 0 || (b.Months > 0 && 12%b.Months != 0) {
		out = append(out, problem("period.months", strconv.Itoa(b.Months), "1, 2, 3, 4, 6 or 12"))
	}
	if b.AnchorMonth < 0 || b.AnchorMonth > 12 {
		out = append(out, problem("period.anchor_month", strconv.Itoa(b.AnchorMonth), "a month, 1 to 12"))
	}
	if b.Days < 0 || b.Days > maxPeriodDays || b.Days > 0 && (b.Months > 0 || b.AnchorMonth > 0 || b.AnchorDay > 0 || b.UTC) {
		out = append(out, problem("period.days", strconv.Itoa(b.Days), fmt.Sprintf("1 to %d, and nothing about months beside it", maxPeriodDays)))
	}
	if !b.First.IsZero() && b.Days == 0 {
		out = append(out, problem("period.first", b.First.String(), "days beside it"))
	}
	if b.Rolling && !b.First.IsZero() {
		out = append(out, problem("period.first", b.First.String(), "none: rolling days have no first one"))
	}
	if b.Rolling && b.Days == 0 {
		out = append(out, problem("period.rolling", "true", "days beside it"))
	}
	if b.AnchorDay < 0 || b.AnchorDay > 31 {
		out = append(out, problem("period.anchor_day", strconv.Itoa(b.AnchorDay), "a day of the month, 1 to 31"))
	}
	return out
}

func floorDiv[T ~int | ~int64](a, b T) T {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
