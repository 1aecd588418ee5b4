// Package wallclock is the one place where civil time becomes an instant.
//
// A wall time is carried as a time.Time whose UTC fields are the reading of a
// clock on the wall; its instant means nothing. [Resolve] turns it into the
// instant at which that clock, hung up in a location, shows the reading:
//
//   - a reading that occurs once gives that instant;
//   - a reading that occurs twice (the clock was put back) gives the first or
//     the last occurrence, as asked;
//   - a reading that never occurs (the clock was put forward over it, by an
//     hour, half an hour or a whole day) gives the instant of the transition.
//
// time.Date answers the last two differently from zone to zone, so nothing
// else in this module may resolve civil time with it.
package wallclock

import "time"

// Occurrence selects among the instants of an ambiguous reading.
type Occurrence uint8

// First is the earlier and Last the later instant of an ambiguous reading.
const (
	First Occurrence = iota
	Last
)

// reach is farther from a reading, taken as UTC, than any instant that shows it
// (offsets run from −16 h to +16 h in all data), and far enough to see the other
// side of a transition that skips or repeats the reading, be it a whole day
// long. No zone changes its clock twice within twice this time (the closest pair
// from 1900 to 2100 is Freetown's of September 1939, 95 hours apart), so one
// transition at most is in sight.
const reach = 26 * time.Hour

// Resolve returns the instant at which a clock in loc shows the UTC fields of
// wall, in UTC. It costs two zone look-ups away from transitions.
//
// Only offsets are asked for. Time.ZoneBounds cannot be trusted beyond the last
// transition on file: in Go 1.26 it ends the stretch that holds 31 December of
// a leap year before that instant, and moves some transitions by an hour.
func Resolve(wall time.Time, loc *time.Location, pick Occurrence) time.Time {
	wall = wall.UTC()
	before, after := offset(wall.Add(-reach), loc), offset(wall.Add(reach), loc)
	if before == after {
		return wall.Add(-before)
	}
	first, last := wall.Add(-before), wall.Add(-after)
	isFirst, isLast := offset(first, loc) == before, offset(last, loc) == after
	switch {
	case isFirst && (pick == First || !isLast):
		return first
	case isLast:
		return last
	}
	return transition(wall.Add(-reach), wall.Add(reach), loc)
}

// transition finds the second at which the offset of from ends; that of to is
// another one.
func transition(from, to time.Time, loc *time.Location) time.Time {
	low, high, old := from.Unix(), to.Unix(), offset(from, loc)
	for low+1 < high {
		if middle := low + (high-low)/2; offset(time.Unix(middle, 0), loc) == old {
			low = middle
		} else {
			high = middle
		}
	}
	return time.Unix(high, 0).UTC()
}

func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// At returns the wall time that a clock in loc shows at the instant t.
func At(t time.Time, loc *time.Location) time.Time {
	return t.UTC().Add(offset(t, loc))
}

// Midnight returns 00:00 of the wall time's date.
func Midnight(wall time.Time) time.Time {
	return wall.UTC().Truncate(24 * time.Hour)
}

// AddMonths moves a wall time by n calendar months, keeping the time of day.
// A day that the target month does not have becomes its last day: 31 January
// plus one month is 28 or 29 February. Add to the original anchor, not to a
// clamped result, to get the day back in longer months.
func AddMonths(wall time.Time, n int) time.Time {
	wall = wall.UTC()
	year, month, day := wall.Date()
	first := time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	if last := first.AddDate(0, 1, -1).Day(); day > last {
		day = last
	}
	return first.AddDate(0, 0, day-1).Add(wall.Sub(Midnight(wall)))
}
