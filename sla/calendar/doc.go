// Package calendar holds stretches of time and working time.
//
// [Interval] is the half-open stretch [Start, End). [Normalize] turns any list
// of intervals into a set (sorted, disjoint, in UTC); [Union], [Intersect],
// [Subtract], [Clip] and [Total] compute with sets, exact to the nanosecond.
//
// [Calendar] is a weekly schedule in a time zone, with holidays and special
// dates. It answers when a target of working time is used up:
//
//	cal, err := calendar.New(calendar.Hours{
//		Zone:     "Europe/Amsterdam",
//		Week:     calendar.MondayToFriday("09:00", "18:00"),
//		Holidays: []string{"2026-04-06"},
//	})
//	if err != nil {
//		return err
//	}
//	due, err := cal.Due(received, 4*time.Hour, nil)
//
// A deadline has two instants. [Calendar.Due] is the earliest at which the
// target is used up, [Calendar.BreachAt] the latest; they differ when the last
// of it goes just as the calendar closes. A target is breached when
// [Calendar.Elapsed] exceeds it, which is never the same as comparing instants.
//
// # Civil time
//
// Opening and closing times are read on the wall clock of the zone, every local
// date anew. Both ends of a span take the first occurrence of an ambiguous
// reading, and the instant of the transition for a reading that the zone skips
// (package internal/wallclock). On-call schedules, which must not leave a gap,
// end on the last occurrence instead; they are not built on this package.
//
// # Limits
//
// A calendar knows the years 1678 to 2261 (the range of int64 nanoseconds);
// outside them nothing is open. Reading zone data is left to the standard
// library: import time/tzdata where the machine may have none.
package calendar
