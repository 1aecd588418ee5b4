// Package interval answers as the time_intervals of the Prometheus Alertmanager do:
// whether an instant lies in a named set of times of day, weekdays, days of the
// month, months and years.
//
// An [Interval] holds an instant if each of its lists does, and a list does if one of
// its ranges does; a list that is nil says nothing, and one that is empty holds
// nothing. A [Set] has the intervals of a file by their names:
//
//	nights := interval.Interval{Times: []interval.Times{{Start: 0, End: 6 * 60}}}
//	set := interval.Set{"nights": {nights}}
//	names, err := set.Holding([]string{"nights"}, at)
//
// The answers are those of version 0.34.2, on the wall clock of the interval's zone,
// and of UTC where it names none.
//
// # Limits
//
// Alertmanager counts the days of a month by dividing its hours by 24 and so finds
// one less in a month in which the clock is put forward. There, and so here too, the
// last day of such a month is in no range of days, and -1 is the day before it: March
// in New York or Berlin, for one. Intervals without a zone have no such month.
//
// Contracts, working time and rosters have calendars that do better: package
// sla/calendar.
package interval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Interval is one entry below time_intervals of a named interval. The zero Interval
// holds every instant.
type Interval struct {
	Times       []Times       `json:"times,omitzero"`
	Weekdays    []Weekdays    `json:"weekdays,omitzero"`
	DaysOfMonth []DaysOfMonth `json:"days_of_month,omitzero"`
	Months      []Months      `json:"months,omitzero"`
	Years       []Years       `json:"years,omitzero"`
	Location    Zone          `json:"location,omitzero"` // defaults to UTC
}

// Part is a list of an [Interval], by its key in the file.
type Part string

// The parts in the order in which they are looked at. None means that there is none
// to name.
const (
	None         Part = ""
	PartTimes    Part = "times"
	PartDays     Part = "days_of_month"
	PartMonths   Part = "months"
	PartWeekdays Part = "weekdays"
	PartYears    Part = "years"
)

// Contains reports whether the instant lies in the interval.
func (i Interval) Contains(at time.Time) bool { return i.Excludes(at) == None }

// Excludes returns the first part that does not hold the instant, [None] if the
// interval holds it.
func (i Interval) Excludes(at time.Time) Part {
	if i.Location.Location != nil {
		at = at.In(i.Location.Location)
	} else {
		at = at.UTC()
	}
	year, month, day := at.Date()
	switch {
	case i.Times != nil && !slices.ContainsFunc(i.Times, func(r Times) bool { return r.holds(at) }):
		return PartTimes
	case i.DaysOfMonth != nil && !holdsDay(i.DaysOfMonth, at, day):
		return PartDays
	case i.Months != nil && !slices.ContainsFunc(i.Months, func(r Months) bool { return r.First <= month && month <= r.Last }):
		return PartMonths
	case i.Weekdays != nil && !slices.ContainsFunc(i.Weekdays, func(r Weekdays) bool { return r.First <= at.Weekday() && at.Weekday() <= r.Last }):
		return PartWeekdays
	case i.Years != nil && !slices.ContainsFunc(i.Years, func(r Years) bool { return r.First <= year && year <= r.Last }):
		return PartYears
	}
	return None
}

// holds reports whether the wall clock of an instant is in the range.
func (r Times) holds(at time.Time) bool {
	minute := Clock(at.Hour()*60 + at.Minute())
	return r.Start <= minute && minute < r.End
}

// holdsDay reports whether one of the ranges holds a day of the month of an instant.
func holdsDay(ranges []DaysOfMonth, at time.Time, day int) bool {
	last := daysInMonth(at)
	for _, r := range ranges {
		first, end := fromStart(r.First, last), fromStart(r.Last, last)
		if first <= day && day <= min(end, last) { // a first day after the last one is never reached
			return true
		}
	}
	return false
}

// fromStart turns a day that is counted from the end, -1 being the last, into one
// that is counted from the start.
func fromStart(day, last int) int {
	if day < 0 {
		return last + day + 1
	}
	return day
}

// daysInMonth counts as Alertmanager does: one less in a month of 23-hour days.
func daysInMonth(at time.Time) int {
	start := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, at.Location())
	return int(start.AddDate(0, 1, 0).Sub(start) / (24 * time.Hour))
}

// Validate returns what a file could not say, all problems joined: times that end
// before they start, days that no month has.
func (i Interval) Validate() error {
	var problems []error
	add := func(part Part, n int, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s[%d]: %w", part, n, err))
		}
	}
	for n, r := range i.Times {
		add(PartTimes, n, r.check())
	}
	for n, r := range i.Weekdays {
		add(PartWeekdays, n, r.check())
	}
	for n, r := range i.DaysOfMonth {
		add(PartDays, n, r.check())
	}
	for n, r := range i.Months {
		add(PartMonths, n, r.check())
	}
	for n, r := range i.Years {
		add(PartYears, n, r.check())
	}
	return errors.Join(problems...)
}

// String returns the interval on one line, the parts in the order of the file:
// "times 09:00-17:00; weekdays monday:friday; location Europe/Amsterdam", and
// "always" for one without parts.
func (i Interval) String() string {
	var parts []string
	add := func(part string, n int, text func(int) string) {
		list := make([]string, n)
		for k := range list {
			list[k] = text(k)
		}
		parts = append(parts, strings.TrimSuffix(part+" "+strings.Join(list, ", "), " "))
	}
	if i.Times != nil {
		add("times", len(i.Times), func(k int) string { return i.Times[k].String() })
	}
	if i.Weekdays != nil {
		add("weekdays", len(i.Weekdays), func(k int) string { return i.Weekdays[k].String() })
	}
	if i.DaysOfMonth != nil {
		add("days_of_month", len(i.DaysOfMonth), func(k int) string { return i.DaysOfMonth[k].String() })
	}
	if i.Months != nil {
		add("months", len(i.Months), func(k int) string { return i.Months[k].String() })
	}
	if i.Years != nil {
		add("years", len(i.Years), func(k int) string { return i.Years[k].String() })
	}
	if len(parts) == 0 {
		parts = append(parts, "always")
	}
	if i.Location.Location != nil {
		parts = append(parts, "location "+i.Location.String())
	}
	return strings.Join(parts, "; ")
}
