package ical

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// moment is a date, or a reading of the clock in a zone.
type moment struct {
	wall time.Time // in UTC fields
	date bool
	zone *time.Location
}

// instant is when a moment is. A date begins at midnight of the zone.
func (m moment) instant() time.Time { return wallclock.Resolve(m.wall, m.zone, wallclock.First) }

// String writes the moment as a feed has it, without the zone.
func (m moment) String() string {
	if m.date {
		return m.wall.Format(layoutDate)
	}
	return m.wall.Format(layoutTime)
}

const (
	layoutDate = "20060102"
	layoutTime = "20060102T150405"
)

// moment reads a DATE or DATE-TIME of RFC 5545, 3.3.4 and 3.3.5.
func (p *parser) moment(prop property, value string) (moment, *FeedError) {
	refused := func(want string) (moment, *FeedError) {
		f := prop.fault(want)
		f.Value = value
		return moment{}, f
	}
	m := moment{zone: p.loc, date: len(value) == len(layoutDate)}
	switch kind := strings.ToUpper(prop.params["VALUE"]); {
	case kind == "DATE" && !m.date:
		return refused("a date like 20261225")
	case kind == "DATE-TIME" && m.date:
		return refused("a time like 20261225T090000Z")
	}
	layout := layoutDate
	if !m.date {
		layout = layoutTime
	}
	text, utc := strings.CutSuffix(value, "Z")
	wall, err := time.Parse(layout, text)
	if err != nil || len(text) != len(layout) || m.date && utc || wall.Year() < 1 {
		return refused("a date like 20261225, or a time like 20261225T090000 or 20261225T090000Z")
	}
	m.wall = wall
	switch name := prop.params["TZID"]; {
	case utc:
		m.zone = time.UTC
	case name != "" && !m.date:
		if m.zone = p.zone(name); m.zone == nil {
			f := prop.fault("an IANA zone like Europe/Amsterdam, or an entry for this name in Options.Zones")
			f.Property, f.Value = prop.name+";TZID", name
			return moment{}, f
		}
	}
	return m, nil
}

// zone finds a zone once; nil where there is none of that name.
func (p *parser) zone(name string) *time.Location {
	loc, seen := p.zones[name]
	if !seen {
		iana := name
		if given, ok := p.options.Zones[name]; ok {
			iana = given
		}
		if iana != "Local" {
			if found, err := time.LoadLocation(iana); err == nil {
				loc = found
			}
		}
		p.zones[name] = loc
	}
	return loc
}

// length is how long an event takes: first whole days by the calendar, whatever
// their hours, then time by the clock.
type length struct {
	days  int
	exact time.Duration
}

// after returns the moment at which something that begins at start ends.
func (l length) after(start moment) time.Time {
	start.wall = start.wall.Add(time.Duration(l.days) * oneDay)
	return start.instant().Add(l.exact)
}

// maxDays keeps the days of a length within what a time.Duration holds.
const maxDays = 36525 // a hundred years

// between is the length from DTSTART to DTEND. A time by the clock is meant
// exactly, also where the event is repeated on a day of 23 hours (RFC 5545,
// 3.8.5.3).
func between(start, end moment, prop property) (length, *FeedError) {
	if start.date != end.date {
		return length{}, prop.fault("a date where DTSTART is a date, a time where it is a time")
	}
	if start.date {
		days := int(end.wall.Sub(start.wall) / oneDay)
		switch {
		case days < 0:
			return length{}, prop.fault("a date after DTSTART, the first that is not part of the event")
		case days > maxDays:
			return length{}, prop.fault("an event of at most 100 years")
		}
		return length{days: max(days, 1)}, nil
	}
	exact := end.instant().Sub(start.instant())
	switch {
	case exact < 0:
		return length{}, prop.fault("a time not before DTSTART")
	case exact > maxDays*oneDay:
		return length{}, prop.fault("an event of at most 100 years")
	}
	return length{exact: exact}, nil
}

// parseDuration reads a DURATION of RFC 5545, 3.3.6, that is not negative: P1W, or
// P1D, or P1DT2H30M, or PT30M. A date takes days and weeks only.
func parseDuration(prop property, value string, dateOnly bool) (length, *FeedError) {
	refused := func(want string) (length, *FeedError) {
		f := prop.fault(want)
		f.Value = value
		return length{}, f
	}
	const form = "a duration like P1D, P1W or PT1H30M"
	text, ok := strings.CutPrefix(strings.TrimPrefix(strings.ToUpper(value), "+"), "P")
	if !ok || text == "" || strings.HasSuffix(text, "T") {
		return refused(form)
	}
	days, clock, timed := strings.Cut(text, "T")
	if timed && dateOnly {
		return refused("whole days or weeks where DTSTART is a date")
	}
	var l length
	for _, part := range []struct {
		text  string
		units string // in the order in which they may stand
	}{{days, "WD"}, {clock, "HMS"}} {
		text, units := part.text, part.units
		for text != "" {
			digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
			n, err := strconv.Atoi(text[:digits])
			if err != nil || digits == len(text) || n > math.MaxInt32 {
				return refused(form)
			}
			at := strings.IndexByte(units, text[digits])
			if at < 0 {
				return refused(form)
			}
			switch text[digits] {
			case 'W':
				l.days += 7 * n
			case 'D':
				l.days += n
			case 'H':
				l.exact += time.Duration(n) * time.Hour / time.Second // seconds, so that nothing overflows
			case 'M':
				l.exact += time.Duration(n) * time.Minute / time.Second
			case 'S':
				l.exact += time.Duration(n)
			}
			text, units = text[digits+1:], units[at+1:]
		}
	}
	if l.days > maxDays || l.exact > maxDays*oneDay/time.Second {
		return refused("an event of at most 100 years")
	}
	l.exact *= time.Second
	if dateOnly {
		l.days = max(l.days, 1)
	}
	return l, nil
}

// period is an occurrence that RDATE adds, with a length of its own where it has
// one.
type period struct {
	start  moment
	length *length
}

// period reads a value of RDATE: a date, a time, or a time with an end or a
// duration.
func (p *parser) period(prop property, value string) (period, *FeedError) {
	if !strings.EqualFold(prop.params["VALUE"], "PERIOD") {
		at, err := p.moment(prop, value)
		return period{start: at}, err
	}
	first, second, ok := strings.Cut(value, "/")
	if !ok {
		f := prop.fault("a period like 20261225T090000Z/PT1H")
		f.Value = value
		return period{}, f
	}
	start, err := p.moment(prop, first)
	if err != nil {
		return period{}, err
	}
	if strings.HasPrefix(strings.TrimPrefix(second, "+"), "P") {
		l, err := parseDuration(prop, second, start.date)
		return period{start, &l}, err
	}
	end, err := p.moment(prop, second)
	if err != nil {
		return period{}, err
	}
	l, err := between(start, end, prop)
	return period{start, &l}, err
}
