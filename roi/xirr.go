package roi

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// DatedFlow is an amount on a day. Only the calendar date that Date shows in
// its own location counts; the time of day does not.
type DatedFlow struct {
	Date   time.Time `json:"date"`
	Amount float64   `json:"amount"`
}

// daysPerYear is the year of the actual/365 convention, also in leap years.
const daysPerYear = 365

// XNPV is the present value of dated flows at an effective annual rate,
//
//	XNPV = Σ amount / (1+rate)^(days/365)
//
// with days counted from the earliest date (actual/365): a leap year is 366/365
// years long. Rows may come in any order and several on one date; the order does
// not change a bit of the result. Spreadsheets count from the first row instead.
//
// Errors: [ErrNoFlows], [ErrBadRate], [ErrBadFlow], [ErrOverflow].
func XNPV(rate float64, flows []DatedFlow) (float64, error) {
	if err := checkRate(rate); err != nil {
		return 0, err
	}
	s, err := dated(flows)
	if err != nil {
		return 0, err
	}
	u := math.Log1p(rate)
	pv := 0.0
	for i, a := range s.a {
		pv += float64(a * math.Exp(-s.t[i]*u))
	}
	if !isFinite(pv) {
		return 0, ErrOverflow
	}
	return pv, nil
}

// XIRR finds every effective annual rate at which [XNPV] of the flows is zero,
// in the same way and with the same care for several roots as [IRR]. Amounts of
// one date are added first.
//
// Errors: [ErrNoFlows], [ErrTooFewFlows], [ErrBadFlow], [ErrSingleDate],
// [ErrAllZero], [ErrNoRoot], [ErrOverflow].
func XIRR(flows []DatedFlow) (Rates, error) {
	s, err := dated(flows)
	switch {
	case err != nil:
		return Rates{}, err
	case len(flows) == 1:
		return Rates{}, fmt.Errorf("%w: 1, want at least 2", ErrTooFewFlows)
	case len(s.a) == 1:
		return Rates{}, fmt.Errorf("%w: %s", ErrSingleDate, flows[0].Date.Format(time.DateOnly))
	}
	return solve(s)
}

// dated sorts flows by date, adds up each date and counts years from the first.
func dated(flows []DatedFlow) (series, error) {
	if len(flows) == 0 {
		return series{}, ErrNoFlows
	}
	type row struct {
		day    int64
		amount float64
	}
	rows := make([]row, len(flows))
	for i, f := range flows {
		if !isFinite(f.Amount) {
			return series{}, fmt.Errorf("%w: flow %d (%s) is %v, want a finite number", ErrBadFlow, i, f.Date.Format(time.DateOnly), f.Amount)
		}
		rows[i] = row{dayNumber(f.Date), f.Amount}
	}
	// By amount within a day, so that the sum does not depend on the order.
	slices.SortFunc(rows, func(a, b row) int {
		if a.day != b.day {
			return cmp.Compare(a.day, b.day)
		}
		return cmp.Compare(a.amount, b.amount)
	})
	buf := make([]float64, 2*len(rows))
	s := series{a: buf[:0:len(rows)], t: buf[len(rows):len(rows)]}
	first := rows[0].day
	for i, r := range rows {
		if i > 0 && r.day == rows[i-1].day {
			sum := &s.a[len(s.a)-1]
			if *sum += r.amount; !isFinite(*sum) {
				return series{}, fmt.Errorf("sum of one date: %w", ErrOverflow)
			}
			continue
		}
		s.a = append(s.a, r.amount)
		s.t = append(s.t, float64(r.day-first)/daysPerYear)
	}
	return s, nil
}

// dayNumber counts the days from 1970-01-01 to the calendar date of t.
func dayNumber(t time.Time) int64 {
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset)
	day := seconds / 86_400
	if seconds%86_400 < 0 {
		day--
	}
	return day
}
