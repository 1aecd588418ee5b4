package ical_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func stretch(from, to time.Time) calendar.Interval { return calendar.Interval{Start: from, End: to} }

var keyDates = []continuity.KeyDate{
	{
		ID: "pay roll", Name: "Payroll run, monthly", Rule: continuity.Rule{Day: 25, Roll: continuity.Preceding}, Zone: "Europe/Amsterdam",
		Services: []string{"ledger", "bank"}, Freeze: true, Cover: map[string]int{"databases": 2, "application": 1}, Runbook: "RB-7",
	},
	{ID: "clocks", Rule: continuity.Rule{Dates: []string{"2026-10-25"}}, Zone: "Europe/Amsterdam", Span: &calendar.Span{From: "02:00", To: "03:00"}},
	{ID: "sale", Rule: continuity.Rule{Dates: []string{"2026-10-25", "2026-10-26"}}, Zone: "Europe/Amsterdam", Freeze: true},
}

// The lines are those that RFC 5545 asks for, written out by hand. The 25th of October
// 2026 is a Sunday of 25 hours in Amsterdam, so the payroll run is on Friday the 23rd.
// Its hour from two to three comes twice.
func TestKeyDates(t *testing.T) {
	c := ical.KeyDateCalendar{Name: "Key dates", Domain: "acme.example.net", Stamp: at(1, 8), Services: map[string]string{"ledger": "Ledger"}}
	var b bytes.Buffer
	ok(t, c.Write(&b, keyDates, stretch(at(20, 0), at(31, 0))))
	want := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//evenkeel//key dates//EN", "CALSCALE:GREGORIAN", "NAME:Key dates", "X-WR-CALNAME:Key dates",
		"REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
		"BEGIN:VEVENT", "UID:freeze-pay+roll-2026-10-25@acme.example.net", "DTSTAMP:20261001T080000Z", "SEQUENCE:0", "DTSTART:20261022T220000Z", "DTEND:20261023T220000Z",
		`SUMMARY:Freeze: Payroll run\, monthly`, `DESCRIPTION:No changes and no maintenance of Ledger\, bank`, "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"BEGIN:VEVENT", "UID:keydate-pay+roll-2026-10-25@acme.example.net", "DTSTAMP:20261001T080000Z", "SEQUENCE:0", "DTSTART:20261022T220000Z", "DTEND:20261023T220000Z",
		`SUMMARY:Payroll run\, monthly`,
		`DESCRIPTION:Services: Ledger\, bank\nOn duty for application: 1\nOn duty for databases: 2\nRunbook: RB-7\nMoved from 2026-10-25 to 2026-10-23`,
		"STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"BEGIN:VEVENT", "UID:freeze-sale-2026-10-25@acme.example.net", "DTSTAMP:20261001T080000Z", "SEQUENCE:0", "DTSTART:20261024T220000Z", "DTEND:20261026T230000Z",
		"SUMMARY:Freeze: sale", "DESCRIPTION:No changes and no maintenance of all services", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"BEGIN:VEVENT", "UID:keydate-sale-2026-10-25@acme.example.net", "DTSTAMP:20261001T080000Z", "SEQUENCE:0", "DTSTART:20261024T220000Z", "DTEND:20261026T230000Z",
		"SUMMARY:sale", "DESCRIPTION:Services: all services", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"BEGIN:VEVENT", "UID:keydate-clocks-2026-10-25@acme.example.net", "DTSTAMP:20261001T080000Z", "SEQUENCE:0", "DTSTART:20261025T000000Z", "DTEND:20261025T020000Z",
		"SUMMARY:clocks", "DESCRIPTION:Services: all services", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		"END:VCALENDAR", "",
	}
	same(t, want, strings.Split(strings.ReplaceAll(b.String(), "\r\n ", ""), "\r\n"))
}

// A date that a new holiday moves is the same event with the next number, whatever the
// horizon; one that is dropped is cancelled, with its freeze.
func TestKeyDatesBefore(t *testing.T) {
	payroll := keyDates[0]
	horizon := stretch(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	publish := func(stamp time.Time, horizon calendar.Interval, before []byte, dates ...continuity.KeyDate) []byte {
		var b bytes.Buffer
		ok(t, ical.KeyDateCalendar{Domain: "x", Stamp: stamp, Before: before}.Write(&b, dates, horizon))
		return b.Bytes()
	}
	facts := func(document []byte) (out []string) {
		doc, err := ics.ParseCalendar(bytes.NewReader(document))
		ok(t, err)
		for _, e := range doc.Events() {
			out = append(out, fmt.Sprintf("%s %s %s %s %s", e.Id(), e.GetProperty(ics.ComponentPropertySequence).Value,
				e.GetProperty(ics.ComponentPropertyDtstamp).Value, e.GetProperty(ics.ComponentPropertyDtStart).Value, e.GetProperty(ics.ComponentPropertyStatus).Value))
		}
		return out
	}
	first := publish(at(1, 0), horizon, nil, payroll)
	payroll.BusinessDays = &calendar.Hours{Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{"2026-12-25"}}
	second := publish(at(2, 0), horizon, first, payroll)
	same(t, []string{
		"freeze-pay+roll-2026-11-25@x 0 20261001T000000Z 20261124T230000Z CONFIRMED", "keydate-pay+roll-2026-11-25@x 0 20261001T000000Z 20261124T230000Z CONFIRMED",
		"freeze-pay+roll-2026-12-25@x 1 20261002T000000Z 20261223T230000Z CONFIRMED", "keydate-pay+roll-2026-12-25@x 1 20261002T000000Z 20261223T230000Z CONFIRMED",
	}, facts(second))
	payroll.Freeze = false
	third := publish(at(3, 0), stretch(horizon.Start, horizon.Start.AddDate(0, 1, 0)), second, payroll)
	same(t, []string{
		"freeze-pay+roll-2026-11-25@x 1 20261003T000000Z 20261124T230000Z CANCELLED", "keydate-pay+roll-2026-11-25@x 0 20261001T000000Z 20261124T230000Z CONFIRMED",
	}, facts(third))
}

// Ten years in five zones, read back by the parser of others: days begin and end at
// the midnights of the zone, on nights in which clocks change too.
func TestKeyDatesReadBack(t *testing.T) {
	horizon := stretch(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, name := range []string{"Europe/Amsterdam", "America/Chicago", "Asia/Singapore", "Australia/Lord_Howe", "America/St_Johns"} {
		zone, err := time.LoadLocation(name)
		ok(t, err)
		var dates []string
		for day := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC); day.Before(horizon.End.AddDate(0, -1, 0)); day = day.AddDate(0, 0, 2) {
			dates = append(dates, day.Format(time.DateOnly))
		}
		var b bytes.Buffer
		ok(t, ical.KeyDateCalendar{Domain: "x", Stamp: at(1, 0)}.Write(&b, []continuity.KeyDate{{ID: "d", Rule: continuity.Rule{Dates: dates}, Zone: name}}, horizon))
		doc, err := ics.ParseCalendar(&b)
		ok(t, err)
		events := doc.Events()
		same(t, len(dates), len(events))
		seen := map[string]bool{}
		for i, e := range events {
			begin, err := e.GetStartAt()
			ok(t, err)
			end, err := e.GetEndAt()
			ok(t, err)
			day, err := time.ParseInLocation(time.DateOnly, dates[i], zone)
			ok(t, err)
			if next := day.AddDate(0, 0, 1); !begin.Equal(day) || !end.Equal(next) {
				t.Errorf("%s in %s: %v to %v, want %v to %v", dates[i], name, begin, end, day.UTC(), next.UTC())
			}
			if seen[e.Id()] {
				t.Errorf("%s occurs twice", e.Id())
			}
			seen[e.Id()] = true
		}
	}
}

func TestKeyDatesErrors(t *testing.T) {
	good := ical.KeyDateCalendar{Domain: "x", Stamp: at(1, 0)}
	horizon := stretch(at(1, 0), at(31, 0))
	for _, c := range []struct {
		name    string
		c       ical.KeyDateCalendar
		dates   []continuity.KeyDate
		horizon calendar.Interval
		want    []string
	}{
		{"domain and stamp", ical.KeyDateCalendar{}, nil, horizon, []string{"domain", "stamp"}},
		{"horizon", good, nil, stretch(at(2, 0), at(2, 0)), []string{"window"}},
		{"too long", good, nil, stretch(at(2, 0), at(2, 0).AddDate(11, 0, 0)), []string{"window"}},
		{"before", ical.KeyDateCalendar{Domain: "x", Stamp: at(1, 0), Before: []byte("?")}, nil, horizon, []string{"before"}},
		{"ids and rules", good, []continuity.KeyDate{{Zone: "UTC", Rule: continuity.Rule{Day: 1}}, keyDates[1], keyDates[1], {ID: "z", Zone: "Mars", Rule: continuity.Rule{Day: 40}}}, horizon, []string{
			"key_dates[0].id", "key_dates[2].id", "key_dates[3]",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			err := c.c.Write(&b, c.dates, c.horizon)
			var got []string
			for _, err := range flatten(err) {
				if feed, is := errors.AsType[*ical.FeedError](err); is {
					got = append(got, feed.Property)
				}
			}
			if !slices.Equal(got, c.want) || b.Len() > 0 {
				t.Errorf("%v, %d bytes written: got %q, want %q", err, b.Len(), got, c.want)
			}
		})
	}
	err := good.Write(new(bytes.Buffer), []continuity.KeyDate{{ID: "z", Zone: "UTC", Rule: continuity.Rule{Day: 40}}}, horizon)
	if bad, is := errors.AsType[*continuity.RecordError](err); !is || bad.Path != "rule.day" {
		t.Errorf("got %v, want the RecordError of the rule", err)
	}
}

func flatten(err error) []error {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return joined.Unwrap()
	}
	return []error{err}
}

// The payroll run of October, before a Sunday, and its freeze.
func ExampleKeyDateCalendar() {
	payroll := continuity.KeyDate{
		ID: "payroll", Name: "Payroll run", Rule: continuity.Rule{Day: 25, Roll: continuity.Preceding}, Zone: "Europe/Amsterdam", Freeze: true,
	}
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	var document bytes.Buffer
	c := ical.KeyDateCalendar{Domain: "acme.status.example.net", Stamp: from}
	if err := c.Write(&document, []continuity.KeyDate{payroll}, calendar.Interval{Start: from, End: from.AddDate(0, 1, 0)}); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(document.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "DTSTART") || strings.HasPrefix(line, "SUMMARY") {
			fmt.Println(line)
		}
	}
	// Output:
	// DTSTART:20261022T220000Z
	// SUMMARY:Freeze: Payroll run
	// DTSTART:20261022T220000Z
	// SUMMARY:Payroll run
}
