package ical_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// 24 December 2026 is a Thursday.
func TestAddTo(t *testing.T) {
	thursday := func(spans ...calendar.Span) calendar.Week { return calendar.Week{time.Thursday: spans} }
	for _, c := range []struct {
		name    string
		hours   calendar.Hours
		closed  string // on 24 December
		want    []calendar.Span
		skipped string
	}{
		{"the afternoon", calendar.Hours{Week: thursday(calendar.Span{From: "09:00", To: "18:00"})}, "130000/235959", []calendar.Span{{From: "09:00", To: "13:00"}}, ""},
		{
			"over the lunch break",
			calendar.Hours{Week: thursday(calendar.Span{From: "08:00", To: "12:00"}, calendar.Span{From: "13:00", To: "17:00"})},
			"110000/140000",
			[]calendar.Span{{From: "08:00", To: "11:00"}, {From: "14:00", To: "17:00"}},
			"",
		},
		{
			"in the middle, to the second",
			calendar.Hours{Week: thursday(calendar.Span{From: "00:00", To: "24:00"})},
			"110001/140000",
			[]calendar.Span{{From: "00:00", To: "11:00:01"}, {From: "14:00", To: "24:00"}},
			"",
		},
		{"all that is open", calendar.Hours{Week: thursday(calendar.Span{From: "09:00", To: "18:00"})}, "080000/190000", []calendar.Span{}, ""},
		{"what is closed already", calendar.Hours{Week: thursday(calendar.Span{From: "09:00", To: "18:00"})}, "180000/200000", nil, ""},
		{"a closed weekday", calendar.Hours{}, "100000/200000", nil, ""},
		// The night goes on at midnight.
		{"the evening of a night", calendar.Hours{Week: thursday(calendar.Span{From: "22:00", To: "06:00"})}, "200000/230000", []calendar.Span{{From: "23:00", To: "06:00"}}, ""},
		{
			"the morning of the night before",
			calendar.Hours{Week: calendar.EveryDay("22:00", "06:00")},
			"050000/070000", nil,
			"the hours of the date before run into it",
		},
		{
			"the night before is special",
			calendar.Hours{Week: calendar.EveryDay("22:00", "06:00"), Special: map[string][]calendar.Span{"2026-12-23": {}}},
			"230000/233000",
			[]calendar.Span{{From: "22:00", To: "23:00"}, {From: "23:30", To: "06:00"}},
			"",
		},
		{
			"a special date stays",
			calendar.Hours{Special: map[string][]calendar.Span{"2026-12-24": {{From: "10:00", To: "12:00"}}}},
			"110000/120000",
			[]calendar.Span{{From: "10:00", To: "12:00"}},
			"the date has special hours already",
		},
		{"a holiday stays", calendar.Hours{Week: thursday(calendar.Span{From: "09:00", To: "18:00"}), Holidays: []string{"2026-12-24"}}, "130000/140000", nil, ""},
		{"hours that cannot be read", calendar.Hours{Week: thursday(calendar.Span{From: "9", To: "18:00"})}, "130000/140000", nil, "the hours of the weekday cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to, _ := strings.Cut(c.closed, "/")
			f := read(t, feed(event("SUMMARY:x", "DTSTART:20261224T"+from, "DTEND:20261224T"+to)), 2026, 2027)
			if to == "235959" { // to the end of the date
				f = read(t, feed(event("SUMMARY:x", "DTSTART:20261224T"+from, "DTEND:20261225T000000")), 2026, 2027)
			}
			given := len(c.hours.Special)
			got, skipped := f.AddTo(c.hours)
			same(t, c.want, got.Special["2026-12-24"])
			same(t, given, len(c.hours.Special))
			var reasons []string
			for _, s := range skipped {
				same(t, "2026-12-24", s.Date)
				reasons = append(reasons, s.Reason)
			}
			same(t, c.skipped, strings.Join(reasons, ", "))
		})
	}
}

// The hours that come out are hours: the clock of a ticket stands still on them.
func TestAddToCompiles(t *testing.T) {
	f := read(t, feed(
		event("SUMMARY:Christmas", "DTSTART;VALUE=DATE:20261225", "DURATION:P2D"),
		event("SUMMARY:early", "DTSTART:20261224T130000", "DTEND:20261225T000000"),
	), 2026, 2027)
	hours, skipped := f.AddTo(calendar.Hours{Zone: "UTC", Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: []string{"2026-12-25"}})
	same(t, 0, len(skipped))
	same(t, []string{"2026-12-25", "2026-12-26"}, hours.Holidays)
	cal, err := calendar.New(hours)
	ok(t, err)
	// An hour on the 24th, none on the 25th and the weekend, an hour on Monday 28th.
	due, err := cal.Due(time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC), 2*time.Hour, nil)
	ok(t, err)
	same(t, "2026-12-28T10:00:00Z", due.Format(time.RFC3339))
}

func FuzzHolidays(f *testing.F) {
	for _, text := range []string{
		feed(event("UID:1", "SUMMARY:a\\, b", "DTSTART;VALUE=DATE:20240229", "DTEND;VALUE=DATE:20240302", "RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=-1MO,TU;BYSETPOS=1;COUNT=9")),
		feed(event("UID:1", "DTSTART;TZID=Europe/Amsterdam:20261025T023000", "DURATION:P1DT2H", "RRULE:FREQ=WEEKLY;WKST=SU;UNTIL=20270101T000000Z", "EXDATE:20261101T013000Z"),
			event("UID:1", "RECURRENCE-ID:20261108T013000Z", "DTSTART:20261108T000000Z", "STATUS:CANCELLED")),
		feed(event("DTSTART:20260101T000000", "RDATE;VALUE=PERIOD:20260301T000000/PT5H,20260302T000000/20260303T000000"), "BEGIN:VTODO", "END:VTODO"),
		feed(event("DTSTART:20260101", "RRULE:FREQ=YEARLY;BYWEEKNO=53,-1;BYYEARDAY=-366,1")),
	} {
		f.Add(text)
	}
	amsterdam := zone(f, "Europe/Amsterdam")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ical.Holidays(strings.NewReader(text), year(2026), year(2029), amsterdam, ical.Options{})
		if err != nil {
			same(t, ical.Feed{}, got)
			return
		}
		if !slices.IsSortedFunc(got.Days, func(a, b ical.Day) int { return strings.Compare(a.Date, b.Date) }) {
			t.Errorf("days are not in order: %v", got.Days)
		}
		for _, d := range got.Days { // 1 January 2029 begins in Amsterdam before it does in UTC
			if d.Date < "2026-01-01" || d.Date > "2029-01-01" || len(d.Causes) == 0 {
				t.Errorf("date %q with %d causes is outside what was asked for", d.Date, len(d.Causes))
			}
		}
		hours, _ := got.AddTo(calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("20:00", "04:00")})
		if _, err := calendar.New(hours); err != nil {
			t.Errorf("hours of the feed: %v", err)
		}
	})
}
