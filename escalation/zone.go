package escalation

import (
	"errors"
	"math"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Inside this package an instant is int64 seconds since 1970, and a wall time
// is int64 seconds of a reading as if it were UTC: every edge of a schedule
// falls on a whole second, because readings and zone offsets do.

// zone is a time zone with its transitions laid out for look-up. It is
// immutable. The standard library recomputes the rule of a zone on every
// look-up beyond the last transition on file, which is more than a whole answer
// of a schedule may cost.
type zone struct {
	loc    *time.Location
	table  []stretch // consecutive, sorted
	coarse []uint16  // by step from tableFrom on, the stretch that holds its first instant
}

// stretch is a time of constant offset, [from, to).
type stretch struct{ from, to, offset int64 }

const (
	secondsPerDay = 24 * 60 * 60

	// The table holds the transitions of 1970 to 2049. Outside it the answers
	// are the same and slower.
	tableFrom = 0
	tableTo   = 2524608000

	// coarseBits make a step of 97 days: one or two stretches, four in a year with
	// a Ramadan of its own time.
	coarseBits = 23

	// reach is longer than twice any offset from UTC plus the longest jump (a
	// whole day): a reading whose instant is farther than that from both ends of
	// a stretch occurs there and nowhere else.
	reach = 60 * 60 * 60

	forever = math.MaxInt64 / 4

	// farthest is a billion years from now. Instants beyond it are taken as that, so
	// that no sum overflows.
	farthest = forever / 64
)

// seconds returns an instant in the form of this package.
func seconds(at time.Time) int64 { return max(-farthest, min(at.Unix(), farthest)) }

// zones loads each zone once.
type zones map[string]*zone

var errZone = errors.New("unset or machine-dependent zone")

func (zs zones) load(name string) (*zone, error) {
	if z := zs[name]; z != nil {
		return z, nil
	}
	if name == "" || name == "Local" {
		return nil, errZone
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	z := &zone{loc: loc}
	s := boundsAt(tableFrom, loc)
	z.table = append(z.table, s)
	for s.to < tableTo {
		s = stretch{from: s.to, to: endAt(s.to, loc), offset: offsetAt(s.to, loc)}
		z.table = append(z.table, s)
	}
	for t, i := int64(tableFrom), 0; t < tableTo; t += 1 << coarseBits {
		for z.table[i].to <= t {
			i++
		}
		z.coarse = append(z.coarse, uint16(i))
	}
	zs[name] = z
	return z, nil
}

// require is load for a value of a configuration.
func (zs zones) require(name string, p problems) *zone {
	z, err := zs.load(name)
	if err != nil {
		p.wrap(name, `an IANA zone like "Europe/Amsterdam"`, err)
	}
	return z
}

// boundsAt finds the stretch that holds the instant by asking the standard
// library, whose ZoneBounds is of limited use beyond the last transition on
// file: it also ends at the turn of each year, and on 31 December of a leap year
// it may return an end that lies before the instant.
func boundsAt(t int64, loc *time.Location) stretch {
	s := stretch{offset: offsetAt(t, loc)}
	for s.from = t; ; {
		start, _ := utc(s.from).In(loc).ZoneBounds()
		if start.IsZero() || s.from < t-farAway {
			s.from = -forever
			break
		}
		s.from = start.Unix()
		if offsetAt(s.from-1, loc) != s.offset {
			break
		}
		s.from--
	}
	s.to = endAt(t, loc)
	return s
}

// endAt returns the end of the stretch that holds the instant.
func endAt(t int64, loc *time.Location) int64 {
	offset := offsetAt(t, loc)
	for to := t; to <= t+farAway; {
		_, end := utc(to).In(loc).ZoneBounds()
		if end.IsZero() {
			break
		}
		if at := end.Unix(); at > to {
			to = at
		} else {
			to += quarter
		}
		if offsetAt(to, loc) != offset {
			return to
		}
	}
	return forever
}

const (
	quarter = 15 * 60

	// farAway is where the search for a transition is given up: a zone that has
	// been without one for that long has none on file.
	farAway = 200 * 366 * secondsPerDay
)

func offsetAt(t int64, loc *time.Location) int64 {
	_, offset := utc(t).In(loc).Zone()
	return int64(offset)
}

// at returns the stretch that holds the instant.
func (z *zone) at(t int64) stretch {
	last := len(z.table) - 1
	switch {
	case t < z.table[0].from || t >= z.table[last].to:
		return boundsAt(t, z.loc)
	case t < tableFrom:
		return z.table[0]
	case t >= tableTo || last == 0:
		return z.table[last]
	}
	i := z.coarse[(t-tableFrom)>>coarseBits]
	for z.table[i].to <= t {
		i++
	}
	return z.table[i]
}

// resolve returns what [wallclock.Resolve] does; away from transitions without
// asking it.
func (z *zone) resolve(wall int64, pick wallclock.Occurrence) int64 {
	return z.resolveIn(z.at(wall), wall, pick)
}

// resolveIn is resolve for a reading that is likely to occur in the stretch.
func (z *zone) resolveIn(s stretch, wall int64, pick wallclock.Occurrence) int64 {
	if t := wall - s.offset; s.holds(t, reach) {
		return t
	}
	if s = z.at(wall); s.holds(wall-s.offset, reach) {
		return wall - s.offset
	}
	return wallclock.Resolve(time.Unix(wall, 0), z.loc, pick).Unix()
}

// holds reports whether all instants within margin of t lie in the stretch.
func (s stretch) holds(t, margin int64) bool { return t-s.from > margin && s.to-t > margin }

// date splits a reading into the number of its date, counted from 1970-01-01,
// and the seconds since 00:00.
func date(wall int64) (day, second int64) {
	day, second = wall/secondsPerDay, wall%secondsPerDay
	if second < 0 {
		day, second = day-1, second+secondsPerDay
	}
	return day, second
}

func weekday(day int64) time.Weekday {
	return time.Weekday(((day+int64(time.Thursday))%7 + 7) % 7)
}

func utc(t int64) time.Time { return time.Unix(t, 0).UTC() }
