// Package ical reads holidays and time off from iCalendar feeds (RFC 5545) and
// writes the maintenance of a service, on-call shifts, handoffs and key dates as such.
//
// [Holidays] gives the dates of a stretch of time on which a feed says that
// nothing is open, each with the events that say so. [Feed.AddTo] puts them into
// the hours of a [calendar.Calendar], [Feed.AddToLayer] into an on-call schedule.
// [TimeOff] gives the absences of people. [MaintenanceCalendar], [DutyCalendar] and
// [KeyDateCalendar] go the other way.
//
//	feed, err := ical.Holidays(file, from, until, amsterdam, ical.Options{})
//	hours, skipped := feed.AddTo(calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")})
//	cal, err := calendar.New(hours)
//
// Read are the events (VEVENT) with DTSTART, DTEND or DURATION, RRULE by day,
// week, month or year, RDATE, EXDATE and RECURRENCE-ID. Not supported, and
// errors, are rules by hour, minute or second, EXRULE and
// RECURRENCE-ID;RANGE=THISANDFUTURE. Zones are those of the IANA database; the
// rules of a VTIMEZONE are not read.
package ical

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Limits of a feed. What goes beyond one of them is an error.
const (
	MaxBytes = 8 << 20 // of a feed
	MaxYears = 100     // from the first date asked for to the last
	MaxDates = 100_000 // that the events of a feed cover, dates of several events counted for each

	// MaxPeriods bounds the days, weeks, months and years through which the
	// rules of a feed walk from their start to the end of what is asked for. A
	// rule without end is therefore no danger.
	MaxPeriods = 5_000_000

	// MaxProblems is how many problems are reported before reading stops.
	MaxProblems = 100
)

// Options says what is taken from a feed. The zero value takes every event that
// is not cancelled.
type Options struct {
	// BusyOnly leaves out the events with TRANSP:TRANSPARENT. Many public
	// feeds mark all their holidays so.
	BusyOnly bool

	// Zones gives IANA names to the names of zones in the feed that are none,
	// such as "W. Europe Standard Time".
	Zones map[string]string
}

// Feed is what a feed says about a stretch of time.
type Feed struct {
	Days    []Day     `json:"days"`    // by date
	Skipped []Skipped `json:"skipped"` // by line
}

// Day is a local date with an event on it.
type Day struct {
	Date   string  `json:"date"` // like "2026-12-25"
	Causes []Cause `json:"causes"`
}

// Cause is an event on a date.
type Cause struct {
	Summary string `json:"summary"`
	UID     string `json:"uid,omitempty"`
	Line    int    `json:"line"` // of the feed, where the event begins

	// Closed is the part of the date that the event takes, on the wall clock.
	// Nil is the whole date.
	Closed *calendar.Span `json:"closed,omitempty"`
}

// Whole reports whether an event takes the whole date.
func (d Day) Whole() bool {
	return slices.ContainsFunc(d.Causes, func(c Cause) bool { return c.Closed == nil })
}

// Summary names the events of the date.
func (d Day) Summary() string {
	var names []string
	for _, c := range d.Causes {
		name := c.Summary
		if c.Closed != nil {
			name += " (" + c.Closed.From + " to " + c.Closed.To + ")"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, "; ")
}

// Skipped is an event that closes nothing, and why.
type Skipped struct {
	Line    int    `json:"line"` // of the feed, where the event begins
	Summary string `json:"summary"`
	UID     string `json:"uid,omitempty"`
	Date    string `json:"date,omitempty"` // of the occurrence; empty when the whole event is meant
	Reason  string `json:"reason"`
}

// Holidays reads a feed and returns the local dates of zone, any part of which lies
// in [from, until), that its events cover. A nil zone is UTC.
//
// An event without a time of day covers its dates as they stand, in every zone. One
// with a time covers the dates of zone between its start and its end, of the first
// and the last perhaps a part. A time without a zone is one of zone; a reading that
// the clock shows twice means the first, a skipped one the instant of the change.
//
// The start of an event is an occurrence, also where its rule does not say so. An
// end that equals the start of an event without a time of day is read as one date.
// Of events with the same UID and RECURRENCE-ID the one with the highest SEQUENCE
// counts, then the one with the latest DTSTAMP, then the last.
//
// The error joins one [FeedError] for everything that could not be read; the Feed
// is then empty.
func Holidays(r io.Reader, from, until time.Time, zone *time.Location, options Options) (Feed, error) {
	if zone == nil {
		zone = time.UTC
	}
	w, err := newWindow(from, until, zone)
	if err != nil {
		return Feed{}, err
	}
	p := &parser{loc: zone, options: options, zones: map[string]*time.Location{}}
	if err := p.read(r); err != nil {
		return Feed{}, err
	}
	e := &expander{window: w, days: map[time.Time][]Cause{}, skipped: p.skipped}
	return e.feed(p.events, options)
}

// Dates returns the dates that are covered as a whole, in order, for
// calendar.Hours.Holidays.
func (f Feed) Dates() []string {
	var dates []string
	for _, d := range f.Days {
		if d.Whole() {
			dates = append(dates, d.Date)
		}
	}
	return dates
}

// Why names the events on a date, or returns "" where there are none.
func (f Feed) Why(date string) string {
	at, ok := slices.BinarySearchFunc(f.Days, date, func(d Day, date string) int { return strings.Compare(d.Date, date) })
	if !ok {
		return ""
	}
	return f.Days[at].Summary()
}

// midnight is 00:00 of the wall time's date.
func midnight(wall time.Time) time.Time { return wallclock.Midnight(wall) }

const oneDay = 24 * time.Hour

// window is the stretch of time asked for.
type window struct {
	loc         *time.Location
	first, last time.Time // dates; last is the first after the window
	from, until time.Time // instants at which they begin
}

func newWindow(from, until time.Time, loc *time.Location) (window, error) {
	if !from.Before(until) {
		return window{}, &FeedError{Property: "window", Value: from.Format(time.RFC3339) + "/" + until.Format(time.RFC3339), Want: "an end after the start"}
	}
	w := window{loc: loc, first: midnight(wallclock.At(from, loc)), last: midnight(wallclock.At(until.Add(-1), loc)).Add(oneDay)}
	if w.first.Year() < 1 || w.last.Year() > 9999 || w.last.After(w.first.AddDate(MaxYears, 0, 1)) {
		return window{}, &FeedError{Property: "window", Value: from.Format(time.RFC3339) + "/" + until.Format(time.RFC3339), Want: "at most 100 years, between the years 1 and 9999"}
	}
	w.from, w.until = w.start(w.first), w.start(w.last)
	return w, nil
}

// start returns the instant at which a date begins.
func (w window) start(date time.Time) time.Time {
	return wallclock.Resolve(date, w.loc, wallclock.First)
}
