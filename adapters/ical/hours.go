package ical

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// AddTo returns the hours with the dates of the feed as holidays, and with special
// dates where an event takes a part of a date: the spans of the weekday without
// that part. The hours given are not changed, and what they say about a date comes
// first: their special dates and holidays stay.
//
// Returned besides are the events that could not be added: those on a date that is
// special already, and those before dawn of which the night of the date before,
// which does not belong to the date, takes a part.
func (f Feed) AddTo(hours calendar.Hours) (calendar.Hours, []Skipped) {
	holiday := make(map[string]bool, len(hours.Holidays))
	for _, date := range hours.Holidays {
		holiday[date] = true
	}
	hours.Holidays = slices.Clone(hours.Holidays)
	special := maps.Clone(hours.Special)
	if special == nil {
		special = map[string][]calendar.Span{}
	}
	var skipped []Skipped
	for _, d := range f.Days {
		_, given := hours.Special[d.Date]
		switch {
		case given:
			skipped = append(skipped, d.skip("the date has special hours already")...)
		case holiday[d.Date]:
		case d.Whole():
			hours.Holidays = append(hours.Holidays, d.Date)
		default:
			date, err := time.Parse(time.DateOnly, d.Date)
			if err != nil {
				skipped = append(skipped, d.skip("the date cannot be read")...)
				continue
			}
			spans, why := open(hours, date, d.Causes)
			if why != "" {
				skipped = append(skipped, d.skip(why)...)
			} else if !slices.Equal(spans, hours.Week[date.Weekday()]) {
				special[d.Date] = spans
			}
		}
	}
	if len(special) > 0 {
		hours.Special = special
	}
	return hours, skipped
}

func (d Day) skip(reason string) []Skipped {
	var list []Skipped
	for _, c := range d.Causes {
		list = append(list, Skipped{Line: c.Line, Summary: c.Summary, UID: c.UID, Date: d.Date, Reason: reason})
	}
	return list
}

// stretch is a part of a date, counted from its midnight; it may reach into the
// next one.
type stretch struct{ from, to time.Duration }

// open returns what the causes leave of the hours of a date, or why that cannot be
// said.
func open(hours calendar.Hours, date time.Time, causes []Cause) ([]calendar.Span, string) {
	left, ok := stretches(hours.Week[date.Weekday()])
	if !ok {
		return nil, "the hours of the weekday cannot be read"
	}
	before := date.Add(-oneDay)
	spans, isSpecial := hours.Special[before.Format(time.DateOnly)]
	if !isSpecial {
		spans = hours.Week[before.Weekday()]
	}
	night, ok := stretches(spans)
	if !ok {
		return nil, "the hours of the date before cannot be read"
	}
	for _, c := range causes {
		closed, ok := stretches([]calendar.Span{*c.Closed})
		if !ok {
			return nil, "its times cannot be read"
		}
		for _, n := range night {
			if n.to-oneDay > closed[0].from {
				return nil, "the hours of the date before run into it"
			}
		}
		left = without(left, closed[0])
	}
	open := []calendar.Span{}
	for _, s := range left {
		to := s.to
		if to > oneDay {
			to -= oneDay
		}
		open = append(open, calendar.Span{From: clock(s.from), To: clock(to)})
	}
	return open, ""
}

func without(list []stretch, closed stretch) []stretch {
	var left []stretch
	for _, s := range list {
		if before := (stretch{s.from, min(s.to, closed.from)}); before.from < before.to {
			left = append(left, before)
		}
		if after := (stretch{max(s.from, closed.to), s.to}); after.from < after.to {
			left = append(left, after)
		}
	}
	return left
}

func stretches(spans []calendar.Span) ([]stretch, bool) {
	var list []stretch
	for _, s := range spans {
		from, okFrom := parseClock(s.From)
		to, okTo := parseClock(s.To)
		if !okFrom || !okTo {
			return nil, false
		}
		if to <= from {
			to += oneDay
		}
		list = append(list, stretch{from, to})
	}
	return list, true
}

// parseClock reads "HH:MM" or "HH:MM:SS", the form of [calendar.Span].
func parseClock(text string) (time.Duration, bool) {
	if text == "24:00" || text == "24:00:00" {
		return oneDay, true
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if at, err := time.Parse(layout, text); err == nil && len(text) == len(layout) {
			return at.Sub(midnight(at)), true
		}
	}
	return 0, false
}

// clock writes a time of day as [calendar.Span] has it, 24:00 included.
func clock(d time.Duration) string {
	seconds := int(d / time.Second)
	text := fmt.Sprintf("%02d:%02d", seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf(":%02d", seconds%60)
	}
	return text
}
