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

// reach is longer than any offset from UTC (−12 h … +14 h, −16 h in old data)
// plus the longest jump (a whole day), so every instant that can show a reading
// lies within it.
const reach = 40 * time.Hour

// Resolve returns the instant at which a clock in loc shows the UTC fields of
// wall, in UTC. It costs one zone look-up away from transitions.
func Resolve(wall time.Time, loc *time.Location, pick Occurrence) time.Time {
	wall = wall.UTC()
	guess := wall.Add(-offset(wall, loc))
	if start, end := guess.In(loc).ZoneBounds(); offset(guess, loc) == wall.Sub(guess) && far(guess, start) && far(guess, end) {
		return guess
	}
	return search(wall, loc, pick)
}

func far(t, bound time.Time) bool {
	d := t.Sub(bound)
	return bound.IsZero() || d > reach || d < -reach
}

// search visits every stretch of constant offset that could hold the reading.
func search(wall time.Time, loc *time.Location, pick Occurrence) time.Time {
	var found, gap time.Time
	for at := wall.Add(-reach); ; {
		start, end := at.In(loc).ZoneBounds()
		off := offset(at, loc)
		candidate := wall.Add(-off)
		if !candidate.Before(start) && (end.IsZero() || candidate.Before(end)) {
			found = candidate
			if pick == First {
				return found
			}
		}
		if end.IsZero() || end.After(wall.Add(reach)) {
			break
		}
		if after := offset(end, loc); !end.Add(off).After(wall) && wall.Before(end.Add(after)) {
			gap = end.UTC()
		}
		at = end
	}
	if found.IsZero() {
		return gap
	}
	return found
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
