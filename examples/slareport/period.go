package main

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// periodFlags are the ways to name the period of a report.
type periodFlags struct {
	month, quarter, from, to string
}

func (f periodFlags) validate() error {
	ways := 0
	for _, set := range []bool{f.month != "", f.quarter != "", f.from != "" || f.to != ""} {
		if set {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("-month, -quarter and -from with -to: want one of them")
	case (f.from == "") != (f.to == ""):
		return errors.New("-from and -to: want both")
	}
	return nil
}

var quarterText = regexp.MustCompile(`^(\d{4})-Q([1-4])$`)

// choose returns the period; billing reports whether it is a month of the
// contract. Without any flag it is the last month that is over.
func (f periodFlags) choose(zone *time.Location, now time.Time) (p sla.Period, billing bool, err error) {
	switch {
	case f.month != "":
		p, err = sla.ParseMonth(f.month, zone)
		if err != nil {
			return p, false, fmt.Errorf("-month %q: want one like 2026-10", f.month)
		}
		return p, true, nil
	case f.quarter != "":
		m := quarterText.FindStringSubmatch(f.quarter)
		if m == nil {
			return p, false, fmt.Errorf("-quarter %q: want one like 2026-Q4", f.quarter)
		}
		first := map[string]string{"1": "-01", "2": "-04", "3": "-07", "4": "-10"}[m[2]]
		month, err := sla.ParseMonth(m[1]+first, zone)
		if err != nil {
			return p, false, fmt.Errorf("-quarter %q: %w", f.quarter, err)
		}
		return sla.Billing{Months: 3}.At(month.Start, zone), false, nil
	case f.from != "":
		p.Start, err = parseInstant("-from", f.from)
		end, errTo := parseInstant("-to", f.to)
		p.End = end
		if err := errors.Join(err, errTo); err != nil {
			return p, false, err
		}
		if !p.Start.Before(p.End) {
			return p, false, fmt.Errorf("-from %s -to %s: want a time that runs forward", f.from, f.to)
		}
		p.Label = label(p.Interval, zone)
		month := sla.Billing{}.At(p.Start, zone)
		if month.Start.Equal(p.Start) && month.End.Equal(p.End) {
			return month, true, nil
		}
		return p, false, nil
	}
	return sla.Billing{}.Following(now, -1, zone), true, nil
}

func parseInstant(name, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %q: want a time with a zone, like 2026-10-01T00:00:00Z", name, text)
	}
	return at.UTC(), nil
}

// label names a period by its first and last day, or by its instants where it does
// not consist of days.
func label(i calendar.Interval, zone *time.Location) string {
	from, to := i.Start.In(zone), i.End.In(zone)
	midnight := func(t time.Time) bool {
		return t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0
	}
	if midnight(from) && midnight(to) {
		return from.Format(time.DateOnly) + "/" + to.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return i.Start.Format(time.RFC3339) + "/" + i.End.Format(time.RFC3339)
}

// feeOf returns the fee of the months that a period touches, each in proportion.
func feeOf(monthly money.Amount, p sla.Period, zone *time.Location, r money.Rounding) (money.Amount, error) {
	sum := monthly.Zero()
	for month := (sla.Billing{}).At(p.Start, zone); month.Start.Before(p.End); month = (sla.Billing{}).At(month.End, zone) {
		part, ok := p.Clip(month.Interval)
		if !ok {
			continue
		}
		share, err := monthly.Share(int64(part.Duration()), int64(month.Duration()), r)
		if err != nil {
			return money.Amount{}, err
		}
		if sum, err = sum.Add(share); err != nil {
			return money.Amount{}, err
		}
	}
	return sum, nil
}
