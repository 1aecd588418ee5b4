package ical_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// feed puts events around which nothing stands into a calendar, with the line ends
// of the standard. The first event begins in line 3.
func feed(lines ...string) string {
	all := append([]string{"BEGIN:VCALENDAR", "VERSION:2.0"}, lines...)
	return strings.Join(append(all, "END:VCALENDAR", ""), "\r\n")
}

// event is an event of the given lines.
func event(lines ...string) string {
	return "BEGIN:VEVENT\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT"
}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	ok(tb, err)
	return loc
}

func year(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func same(tb testing.TB, want, got any) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Errorf("got  %v\nwant %v", got, want)
	}
}

func contains(tb testing.TB, text, part string) {
	tb.Helper()
	if !strings.Contains(text, part) {
		tb.Errorf("got %q, want %q in it", text, part)
	}
}

func refused(tb testing.TB, err error) *ical.FeedError {
	tb.Helper()
	var refused *ical.FeedError
	if !errors.As(err, &refused) {
		tb.Fatalf("got error %v, want a FeedError", err)
	}
	return refused
}

// read reads a feed for the years [from, until) of UTC.
func read(tb testing.TB, text string, from, until int) ical.Feed {
	tb.Helper()
	got, err := ical.Holidays(strings.NewReader(text), year(from), year(until), time.UTC, ical.Options{})
	ok(tb, err)
	return got
}

// Good Friday, Easter Monday, Ascension and Whit Monday of 2026 are counted from
// Easter Sunday, 5 April: −2, +1, +39 and +50 days. King's Day is 27 April, and in
// 2025, when that was a Sunday, the day before.
func TestDutchHolidays(t *testing.T) {
	text := feed(
		event("UID:1", "SUMMARY:Nieuwjaarsdag", "DTSTART;VALUE=DATE:20200101", "DTEND;VALUE=DATE:20200102", "RRULE:FREQ=YEARLY"),
		event("UID:2", "SUMMARY:Goede Vrijdag", "DTSTART;VALUE=DATE:20260403"),
		event("UID:3", "SUMMARY:Tweede paasdag", "DTSTART;VALUE=DATE:20260406", "DURATION:P1D"),
		event("UID:4", "SUMMARY:Koningsdag", "DTSTART;VALUE=DATE:20140426", "RRULE:FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=27", "EXDATE;VALUE=DATE:20250427", "RDATE;VALUE=DATE:20250426"),
		event("UID:5", "SUMMARY:Hemelvaart", "DTSTART;VALUE=DATE:20260514"),
		event("UID:6", "SUMMARY:Tweede pinksterdag", "DTSTART;VALUE=DATE:20260525"),
		event("UID:7", "SUMMARY:Kerst", "DTSTART;VALUE=DATE:20101225", "DTEND;VALUE=DATE:20101227", "RRULE:FREQ=YEARLY;INTERVAL=1"),
	)
	same(t, []string{
		"2026-01-01", "2026-04-03", "2026-04-06", "2026-04-27", "2026-05-14", "2026-05-25", "2026-12-25", "2026-12-26",
	}, read(t, text, 2026, 2027).Dates())
	got := read(t, text, 2025, 2026)
	same(t, []string{"2025-01-01", "2025-04-26", "2025-12-25", "2025-12-26"}, got.Dates())
	same(t, "Koningsdag", got.Why("2025-04-26"))
	same(t, "", got.Why("2025-04-27"))
}

// 1 January 2026 is a Thursday, so 1 February and 1 November are Sundays, 1 May is a
// Friday and 1 September a Tuesday; the Mondays and Thursdays are counted from there.
func TestFederalHolidays(t *testing.T) {
	text := feed(
		event("UID:mlk", "SUMMARY:Martin Luther King Day", "DTSTART;VALUE=DATE:20100118", "RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=3MO"),
		event("UID:pres", "SUMMARY:Presidents Day", "DTSTART;VALUE=DATE:20100215", "RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=3MO"),
		event("UID:mem", "SUMMARY:Memorial Day", "DTSTART;VALUE=DATE:20100531", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO"),
		event("UID:lab", "SUMMARY:Labor Day", "DTSTART;VALUE=DATE:20100906", "RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=MO;BYSETPOS=1"),
		event("UID:tg", "SUMMARY:Thanksgiving", "DTSTART;VALUE=DATE:20101125", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
		// The Friday after: 2024 29 November, 2026 27 November.
		event("UID:fri", "SUMMARY:Day after", "DTSTART;VALUE=DATE:20101126", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29"),
	)
	same(t, []string{"2026-01-19", "2026-02-16", "2026-05-25", "2026-09-07", "2026-11-26", "2026-11-27"}, read(t, text, 2026, 2027).Dates())
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name        string
		start       string
		rule        string
		from, until int
		want        string
	}{
		{"leap day", "20240229", "FREQ=YEARLY", 2024, 2034, "2024-02-29 2028-02-29 2032-02-29"},
		{"leap day, not in 2100", "20240229", "FREQ=YEARLY", 2095, 2105, "2096-02-29 2104-02-29"},
		// Five Fridays have the months with a 29th, 30th or 31st on a Friday.
		{"fifth weekday", "20260130", "FREQ=MONTHLY;BYDAY=5FR", 2026, 2027, "2026-01-30 2026-05-29 2026-07-31 2026-10-30"},
		{"last weekday of the year", "20251231", "FREQ=YEARLY;BYDAY=-1WE", 2025, 2027, "2025-12-31 2026-12-30"},
		{"day 366", "20241231", "FREQ=YEARLY;BYYEARDAY=366", 2024, 2030, "2024-12-31 2028-12-31"},
		{"last of February", "20250228", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", 2025, 2029, "2025-02-28 2026-02-28 2027-02-28 2028-02-29"},
		// 1 March 2026 is a Sunday.
		{"every other Sunday, three times", "20260301", "FREQ=WEEKLY;INTERVAL=2;COUNT=3", 2026, 2027, "2026-03-01 2026-03-15 2026-03-29"},
		// With weeks that begin on Sunday the Sunday is in the week of the Tuesday after it.
		{"week start Monday", "20260303", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=4", 2026, 2027, "2026-03-03 2026-03-08 2026-03-17 2026-03-22"},
		{"week start Sunday", "20260303", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=4;WKST=SU", 2026, 2027, "2026-03-03 2026-03-15 2026-03-17 2026-03-29"},
		{"until is the last day", "20260105", "FREQ=WEEKLY;UNTIL=20260119", 2026, 2027, "2026-01-05 2026-01-12 2026-01-19"},
		{"until with a time", "20260105", "FREQ=WEEKLY;UNTIL=20260119T000000Z", 2026, 2027, "2026-01-05 2026-01-12 2026-01-19"},
		{"every tenth day", "20260101", "FREQ=DAILY;INTERVAL=10;COUNT=4", 2026, 2027, "2026-01-01 2026-01-11 2026-01-21 2026-01-31"},
		{"count runs from the start, not from the window", "20240101", "FREQ=YEARLY;COUNT=3", 2026, 2030, "2026-01-01"},
		{"in two months", "20260107", "FREQ=WEEKLY;BYMONTH=1,2;BYDAY=WE;COUNT=8", 2026, 2028, "2026-01-07 2026-01-14 2026-01-21 2026-01-28 2026-02-04 2026-02-11 2026-02-18 2026-02-25"},
		// ISO week 1 of 2026 begins on 29 December 2025, so week 20 on 11 May; that of 2027 on 4 January, week 20 on 17 May.
		{"week number takes the weekday of the start", "20260514", "FREQ=YEARLY;BYWEEKNO=20", 2026, 2028, "2026-05-14 2027-05-20"},
		{"start beside the rule counts once", "20260101", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25;COUNT=2", 2026, 2029, "2026-01-01 2026-12-25"},
		{"never again", "20260101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 2026, 2029, "2026-01-01"},
		{"until before the start", "20260101", "FREQ=YEARLY;UNTIL=20250101", 2026, 2029, "2026-01-01"},
		{"three hundred years old", "17000101", "FREQ=YEARLY", 2026, 2027, "2026-01-01"},
		{"far future", "20260101", "FREQ=YEARLY;INTERVAL=100", 9900, 9999, "9926-01-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := read(t, feed(event("UID:x", "DTSTART;VALUE=DATE:"+c.start, "RRULE:"+c.rule)), c.from, c.until)
			same(t, strings.Fields(c.want), got.Dates())
		})
	}
}

// Events with a time of day as the dates of another clock see them.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name string
		zone string
		text string
		want []string // date and part
	}{
		{
			"a local date in UTC", "Europe/Amsterdam", event("DTSTART:20261224T230000Z", "DTEND:20261225T230000Z"),
			[]string{"2026-12-25"},
		},
		{
			"the same elsewhere", "America/New_York", event("DTSTART:20261224T230000Z", "DTEND:20261225T230000Z"),
			[]string{"2026-12-24 18:00-24:00", "2026-12-25 00:00-18:00"},
		},
		{
			"a date is the same everywhere", "America/New_York", event("DTSTART;VALUE=DATE:20261225"),
			[]string{"2026-12-25"},
		},
		{
			// New York is 13 hours behind Singapore in winter.
			"a date of New York in Singapore", "Asia/Singapore", event("DTSTART;TZID=America/New_York:20261126T000000", "DURATION:P1D"),
			[]string{"2026-11-26 13:00-24:00", "2026-11-27 00:00-13:00"},
		},
		{
			"floating, over days", "Europe/Amsterdam", event("DTSTART:20261224T130000", "DTEND:20261227T000000"),
			[]string{"2026-12-24 13:00-24:00", "2026-12-25", "2026-12-26"},
		},
		{
			// 29 March 2026 has 23 hours, 25 October 25: a day by the calendar follows them.
			"days by the calendar", "Europe/Amsterdam", event("DTSTART;TZID=Europe/Amsterdam:20260329T000000", "DURATION:P1D", "RDATE;TZID=Europe/Amsterdam:20261025T000000"),
			[]string{"2026-03-29", "2026-10-25"},
		},
		{
			// DTEND is 24 hours after DTSTART, and so exactly on those dates: one hour too many, one hour short.
			"hours by the clock", "Europe/Amsterdam",
			event("DTSTART;TZID=Europe/Amsterdam:20260322T000000", "DTEND;TZID=Europe/Amsterdam:20260323T000000", "RDATE;TZID=Europe/Amsterdam:20260329T000000,20261025T000000"),
			[]string{"2026-03-22", "2026-03-29", "2026-03-30 00:00-01:00", "2026-10-25 00:00-23:00"},
		},
		{
			// 02:30 is skipped: the instant of the change, 03:00, counts.
			"a skipped reading", "Europe/Amsterdam", event("DTSTART;TZID=Europe/Amsterdam:20260329T023000", "DURATION:PT1H"),
			[]string{"2026-03-29 03:00-04:00"},
		},
		{
			"first showing of a repeated reading", "Europe/Amsterdam", event("DTSTART:20261025T003000Z", "DTEND:20261025T110000Z"),
			[]string{"2026-10-25 02:30-12:00"},
		},
		{
			// The rule keeps the clock of New York: 08:30 is 13:30 UTC in winter, 12:30 in summer.
			"a rule keeps its clock", "UTC", event("DTSTART;TZID=America/New_York:20260301T083000", "DURATION:PT30M", "RRULE:FREQ=WEEKLY;COUNT=2"),
			[]string{"2026-03-01 13:30-14:00", "2026-03-08 12:30-13:00"},
		},
		{
			// The occurrence of 9 March begins at 12:30 UTC exactly.
			"until in UTC is included", "UTC", event("DTSTART;TZID=America/New_York:20260302T083000", "DURATION:PT30M", "RRULE:FREQ=WEEKLY;UNTIL=20260309T123000Z"),
			[]string{"2026-03-02 13:30-14:00", "2026-03-09 12:30-13:00"},
		},
		{
			"until a second earlier", "UTC", event("DTSTART;TZID=America/New_York:20260302T083000", "DURATION:PT30M", "RRULE:FREQ=WEEKLY;UNTIL=20260309T122959Z"),
			[]string{"2026-03-02 13:30-14:00"},
		},
		{
			"until on the clock of the event", "UTC", event("DTSTART;TZID=America/New_York:20260302T083000", "DURATION:PT30M", "RRULE:FREQ=WEEKLY;UNTIL=20260309T083000"),
			[]string{"2026-03-02 13:30-14:00", "2026-03-09 12:30-13:00"},
		},
		{
			"periods with ends of their own", "UTC", event("DTSTART:20260301T080000Z", "DURATION:PT1H", "RDATE;VALUE=PERIOD:20260302T080000Z/PT30M,20260303T080000Z/20260303T081500Z"),
			[]string{"2026-03-01 08:00-09:00", "2026-03-02 08:00-08:30", "2026-03-03 08:00-08:15"},
		},
		{
			"weeks, minutes, seconds", "UTC", event("DTSTART:20260301T080000Z", "DURATION:PT1H2M3S"),
			[]string{"2026-03-01 08:00-09:02:03"},
		},
		{
			// Samoa skipped 30 December 2011.
			"a date that does not exist", "Pacific/Apia", event("DTSTART:20111229T120000", "DTEND:20111231T120000"),
			[]string{"2011-12-29 12:00-24:00", "2011-12-31 00:00-12:00"},
		},
		{
			"two dates that begin together", "Pacific/Apia", event("DTSTART;VALUE=DATE:20111230", "RRULE:FREQ=DAILY;COUNT=2"),
			[]string{"2011-12-30", "2011-12-31"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ical.Holidays(strings.NewReader(feed(c.text)), year(2011), year(2027), zone(t, c.zone), ical.Options{})
			ok(t, err)
			same(t, 0, len(got.Skipped))
			var days []string
			for _, d := range got.Days {
				same(t, 1, len(d.Causes))
				text := d.Date
				if part := d.Causes[0].Closed; part != nil {
					text += " " + part.From + "-" + part.To
				}
				days = append(days, text)
			}
			same(t, c.want, days)
		})
	}
}

func TestWindow(t *testing.T) {
	amsterdam := zone(t, "Europe/Amsterdam")
	text := feed(event("SUMMARY:all", "DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=DAILY"))
	// From 10:00 on the 5th to midnight at the start of the 8th, in Amsterdam: the
	// 5th in part, the 8th not at all.
	got, err := ical.Holidays(strings.NewReader(text), time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC), time.Date(2026, 3, 7, 23, 0, 0, 0, time.UTC), amsterdam, ical.Options{})
	ok(t, err)
	same(t, []string{"2026-03-05", "2026-03-06", "2026-03-07"}, got.Dates())

	for _, bounds := range [][2]int{{2026, 2026}, {2027, 2026}, {1900, 2002}} {
		_, err := ical.Holidays(strings.NewReader(text), year(bounds[0]), year(bounds[1]), nil, ical.Options{})
		same(t, "window", refused(t, err).Property)
	}
}

// Whatever closes nothing is told, or replaced by what does.
func TestSeries(t *testing.T) {
	text := feed(
		event("UID:team", "SUMMARY:Team day", "DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=MONTHLY;COUNT=5", "EXDATE;VALUE=DATE:20260305"), // line 3
		event("UID:team", "SUMMARY:Team day, moved", "RECURRENCE-ID;VALUE=DATE:20260205", "DTSTART;VALUE=DATE:20260209"),
		event("UID:team", "SUMMARY:Team day", "RECURRENCE-ID;VALUE=DATE:20260405", "DTSTART;VALUE=DATE:20260405", "STATUS:CANCELLED"), // line 16
		event("UID:old", "SUMMARY:Old", "SEQUENCE:1", "DTSTART;VALUE=DATE:20260601"),                                                  // line 23
		event("UID:old", "SUMMARY:New", "SEQUENCE:2", "DTSTART;VALUE=DATE:20260602"),                                                  // line 29
		event("UID:old", "SUMMARY:Oldest", "DTSTART;VALUE=DATE:20260603"),                                                             // line 35
		event("SUMMARY:Free", "TRANSP:TRANSPARENT", "DTSTART;VALUE=DATE:20260701"),                                                    // line 40
		event("SUMMARY:Reminder", "DTSTART:20260801T090000Z"),                                                                         // line 45
		"BEGIN:VTODO\r\nDUE:20260901T000000Z\r\nEND:VTODO",                                                                            // line 49
	)
	got := read(t, text, 2026, 2027)
	same(t, []string{"2026-01-05", "2026-02-09", "2026-05-05", "2026-06-02", "2026-07-01"}, got.Dates())
	same(t, "Team day, moved", got.Why("2026-02-09"))
	same(t, []ical.Skipped{
		{Line: 16, Summary: "Team day", UID: "team", Reason: "cancelled"},
		{Line: 23, Summary: "Old", UID: "old", Reason: "superseded by line 29"},
		{Line: 35, Summary: "Oldest", UID: "old", Reason: "superseded by line 29"},
		{Line: 45, Summary: "Reminder", Reason: "it has no length"},
		{Line: 49, Reason: "a VTODO is no event"},
	}, got.Skipped)

	got, err := ical.Holidays(strings.NewReader(text), year(2026), year(2027), nil, ical.Options{BusyOnly: true})
	ok(t, err)
	same(t, "", got.Why("2026-07-01"))
	same(t, true, slices.Contains(got.Skipped, ical.Skipped{Line: 40, Summary: "Free", Reason: "transparent"}))
}

func TestSupersededByStampThenOrder(t *testing.T) {
	got := read(t, feed(
		event("UID:a", "DTSTAMP:20260102T000000Z", "DTSTART;VALUE=DATE:20260601"),
		event("UID:a", "DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20260602"),
		event("UID:b", "DTSTART;VALUE=DATE:20260603"),
		event("UID:b", "DTSTART;VALUE=DATE:20260604"),
	), 2026, 2027)
	same(t, []string{"2026-06-01", "2026-06-04"}, got.Dates())
}

// Exceptions of events with a time are instants, or whole dates.
func TestExceptionsOfTimes(t *testing.T) {
	got := read(t, feed(
		event("UID:w", "DTSTART;TZID=America/New_York:20260302T083000", "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=5",
			"EXDATE:20260303T133000Z,20260304T120000Z", "EXDATE;VALUE=DATE:20260306"),
		event("UID:w", "RECURRENCE-ID;TZID=America/New_York:20260302T083000", "DTSTART:20260302T100000Z", "DTEND:20260302T110000Z"),
	), 2026, 2027)
	same(t, 3, len(got.Days)) // the 3rd and the 6th are excepted; that of the 4th names another time
	same(t, "2026-03-02", got.Days[0].Date)
	span := calendar.Span{From: "10:00", To: "11:00"}
	same(t, []ical.Cause{{UID: "w", Line: 11, Closed: &span}}, got.Days[0].Causes)
	same(t, "2026-03-04", got.Days[1].Date)
	same(t, "2026-03-05", got.Days[2].Date)
}

func TestText(t *testing.T) {
	want := `Christmas; "first" day, all of it \ closed`
	for name, end := range map[string]string{"CRLF": "\r\n", "LF": "\n"} {
		t.Run(name, func(t *testing.T) {
			text := "\ufeffbegin:vcalendar\nBEGIN:VEVENT\nsummary;language=en:Christmas\\; \"first\" d\n ay\\, all\\n of it \\\\ \n\tclosed\n\ndtstart;value=date:20261\n 225\nX-OTHER;Q=\"a:b;c\":ignored\nBEGIN:VALARM\nSUMMARY:not this\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR"
			got := read(t, strings.ReplaceAll(text, "\n", end), 2026, 2027)
			same(t, want, got.Why("2026-12-25"))
			same(t, []ical.Day{{Date: "2026-12-25", Causes: []ical.Cause{{Summary: want, Line: 2}}}}, got.Days)
		})
	}
	t.Run("a rune cut by folding", func(t *testing.T) {
		got := read(t, feed("BEGIN:VEVENT\r\nSUMMARY:K\xc3\r\n \xb6ln\r\nDTSTART:20261111\r\nEND:VEVENT"), 2026, 2027)
		same(t, "Köln", got.Why("2026-11-11"))
	})
	t.Run("several events on a date", func(t *testing.T) {
		got := read(t, feed(
			event("SUMMARY:A", "DTSTART;VALUE=DATE:20261111"), event("SUMMARY:B", "DTSTART:20261111T130000Z", "DTEND:20261111T140000Z"), event("SUMMARY:A", "DTSTART;VALUE=DATE:20261111"),
		), 2026, 2027)
		same(t, "A; B (13:00 to 14:00)", got.Why("2026-11-11"))
		same(t, []string{"2026-11-11"}, got.Dates())
	})
}

func TestZones(t *testing.T) {
	text := feed(event("DTSTART;TZID=W. Europe Standard Time:20261225T000000", "DURATION:P1D"))
	options := ical.Options{Zones: map[string]string{"W. Europe Standard Time": "Europe/Amsterdam"}}
	got, err := ical.Holidays(strings.NewReader(text), year(2026), year(2027), zone(t, "Europe/Amsterdam"), options)
	ok(t, err)
	same(t, []string{"2026-12-25"}, got.Dates())
}

func TestErrors(t *testing.T) {
	one := func(lines ...string) string { return feed(event(lines...)) }
	const start = "DTSTART;VALUE=DATE:20260101"
	rule := func(text string) string { return one(start, "RRULE:"+text) }
	for _, c := range []struct {
		name, text string
		line       int
		property   string
		want       string // part of the text
	}{
		{"empty", "", 0, "feed", "BEGIN:VCALENDAR"},
		{"not a calendar", "<html>\n", 1, "line", "NAME:value"},
		{"text before", "X-A:1\nBEGIN:VCALENDAR\nEND:VCALENDAR\n", 1, "line", "BEGIN:VCALENDAR"},
		{"event alone", "BEGIN:VEVENT\nDTSTART:20260101\nEND:VEVENT\n", 1, "BEGIN", "a VCALENDAR around"},
		{"open", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\n", 2, "BEGIN", "END:VEVENT"},
		{"crossed", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101\nEND:VCALENDAR\n", 4, "END", "END:VEVENT, which begins in line 2"},
		{"another calendar", feed("CALSCALE:HEBREW"), 3, "CALSCALE", "GREGORIAN"},
		{"no UTF-8", one("SUMMARY:K\xf6ln", start), 4, "line", "UTF-8"},
		{"no colon", one("SUMMARY", start), 4, "line", "NAME:value"},
		{"no value", one("SUMMARY;X=1", start), 4, "SUMMARY", "NAME;PARAMETER=value:value"},
		{"no start", one("SUMMARY:x"), 3, "DTSTART", "a start in every event"},
		{"two starts", one(start, start), 5, "DTSTART", "one DTSTART"},
		{"no such date", one("DTSTART;VALUE=DATE:20260230"), 4, "DTSTART", "a date like 20261225"},
		{"date with a time", one("DTSTART;VALUE=DATE:20260203T000000"), 4, "DTSTART", "a date like 20261225"},
		{"time without one", one("DTSTART;VALUE=DATE-TIME:20260203"), 4, "DTSTART", "a time like"},
		{"short time", one("DTSTART:20260203T0900"), 4, "DTSTART", "a date like 20261225, or"},
		{"unknown zone", one("DTSTART;TZID=Mars/Base:20260203T090000"), 4, "DTSTART;TZID", "an IANA zone"},
		{"zone of the machine", one("DTSTART;TZID=Local:20260203T090000"), 4, "DTSTART;TZID", "an IANA zone"},
		{"end before start", one(start, "DTEND;VALUE=DATE:20251231"), 5, "DTEND", "a date after DTSTART"},
		{"end of another kind", one(start, "DTEND:20260102T000000Z"), 5, "DTEND", "a date where DTSTART is a date"},
		{"end time before start", one("DTSTART:20260102T000000Z", "DTEND:20260101T000000Z"), 5, "DTEND", "a time not before DTSTART"},
		{"end and duration", one(start, "DTEND;VALUE=DATE:20260102", "DURATION:P1D"), 6, "DURATION", "either DTEND or DURATION"},
		{"time for a date", one(start, "DURATION:PT2H"), 5, "DURATION", "whole days"},
		{"duration", one("DTSTART:20260102T000000Z", "DURATION:1D"), 5, "DURATION", "a duration like"},
		{"negative duration", one("DTSTART:20260102T000000Z", "DURATION:-P1D"), 5, "DURATION", "a duration like"},
		{"duration out of order", one("DTSTART:20260102T000000Z", "DURATION:PT1M1H"), 5, "DURATION", "a duration like"},
		{"duration without end", one("DTSTART:20260102T000000Z", "DURATION:P999999999W"), 5, "DURATION", "at most 100 years"},
		{"sequence", one(start, "SEQUENCE:one"), 5, "SEQUENCE", "a whole number"},
		{"exdate", one(start, "EXDATE:20260101,tomorrow"), 5, "EXDATE", "a date like"},
		{"period", one("DTSTART:20260102T000000Z", "DURATION:PT1H", "RDATE;VALUE=PERIOD:20260102T000000Z"), 6, "RDATE", "a period like"},
		{"rdate of another kind", one(start, "RDATE:20260102T000000Z"), 3, "RDATE", "dates where DTSTART is a date"},
		{"exrule", one(start, "EXRULE:FREQ=YEARLY"), 5, "EXRULE", "not supported"},
		{"this and future", one("UID:1", start, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260101"), 6, "RECURRENCE-ID", "no RANGE"},
		{"occurrence of nothing", one(start, "RECURRENCE-ID:20260101"), 3, "UID", "the UID of the event"},
		{"rule of an occurrence", one("UID:1", start, "RECURRENCE-ID:20260101", "RRULE:FREQ=YEARLY"), 7, "RRULE", "no rule beside"},
		{"no rule", rule("every year"), 5, "RRULE", "a rule like"},
		{"no frequency", rule("BYMONTH=1"), 5, "RRULE", "a rule like"},
		{"hourly", rule("FREQ=HOURLY"), 5, "RRULE", "FREQ of YEARLY"},
		{"hours", rule("FREQ=DAILY;BYHOUR=9"), 5, "RRULE", "no BYHOUR"},
		{"easter", rule("FREQ=YEARLY;BYEASTER=0"), 5, "RRULE", "no BYEASTER"},
		{"twice", rule("FREQ=YEARLY;BYMONTH=1;BYMONTH=2"), 5, "RRULE", "BYMONTH once"},
		{"count and until", rule("FREQ=YEARLY;COUNT=1;UNTIL=20270101"), 5, "RRULE", "either COUNT or UNTIL"},
		{"until", rule("FREQ=YEARLY;UNTIL=2027"), 5, "RRULE;UNTIL", "a date like"},
		{"count of nothing", rule("FREQ=YEARLY;COUNT=0"), 5, "RRULE", "COUNT from 1"},
		{"no interval", rule("FREQ=YEARLY;INTERVAL=-1"), 5, "RRULE", "INTERVAL from 1"},
		{"month 13", rule("FREQ=YEARLY;BYMONTH=13"), 5, "RRULE", "a rule like"},
		{"weekday", rule("FREQ=WEEKLY;BYDAY=MX"), 5, "RRULE", "a rule like"},
		{"weekday with number by week", rule("FREQ=WEEKLY;BYDAY=2MO"), 5, "RRULE", "BYDAY without numbers"},
		{"53rd Monday of a month", rule("FREQ=YEARLY;BYMONTH=12;BYDAY=53MO"), 5, "RRULE", "at most five"},
		{"54th Monday", rule("FREQ=YEARLY;BYDAY=54MO"), 5, "RRULE", "a rule like"},
		{"week start", rule("FREQ=WEEKLY;WKST=2MO"), 5, "RRULE", "WKST like MO"},
		{"day 0", rule("FREQ=MONTHLY;BYMONTHDAY=0"), 5, "RRULE", "from 1 or from -1"},
		{"weeks of a month", rule("FREQ=MONTHLY;BYWEEKNO=1"), 5, "RRULE", "BYWEEKNO in yearly"},
		{"day of the year by month", rule("FREQ=MONTHLY;BYYEARDAY=1"), 5, "RRULE", "BYYEARDAY in yearly"},
		{"day of the month by week", rule("FREQ=WEEKLY;BYMONTHDAY=1"), 5, "RRULE", "no BYMONTHDAY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ical.Holidays(strings.NewReader(c.text), year(2026), year(2027), nil, ical.Options{})
			bad := refused(t, err)
			same(t, c.line, bad.Line)
			same(t, c.property, bad.Property)
			contains(t, bad.Error(), c.want)
			same(t, ical.Feed{}, got)
		})
	}
}

// All problems of a feed come at once, up to a number.
func TestAllProblems(t *testing.T) {
	bad := event("DTSTART:tomorrow", "SEQUENCE:x")
	_, err := ical.Holidays(strings.NewReader(feed(bad, event("DTSTART:20260101"), bad)), year(2026), year(2027), nil, ical.Options{})
	var lines []int
	for _, one := range each(t, err) {
		lines = append(lines, refused(t, one).Line)
	}
	same(t, []int{4, 5, 11, 12}, lines)

	_, err = ical.Holidays(strings.NewReader(feed(strings.Repeat(bad+"\r\n", 1000))), year(2026), year(2027), nil, ical.Options{})
	problems := each(t, err)
	same(t, ical.MaxProblems+1, len(problems))
	contains(t, problems[ical.MaxProblems].Error(), "more than 100 problems")
}

func each(t *testing.T, err error) []error {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v, want joined errors", err)
	}
	return joined.Unwrap()
}

func TestLimits(t *testing.T) {
	daily := event("DTSTART:00010101", "RRULE:FREQ=DAILY") // 740 000 days to 2026
	for _, c := range []struct {
		name, text, property string
	}{
		{"bytes", feed("X-LONG:" + strings.Repeat("x", ical.MaxBytes)), "feed"},
		{"periods", feed(strings.Repeat(daily+"\r\n", 7)), "RRULE"},
		{"dates", feed(event("DTSTART;VALUE=DATE:20250101", "DTEND;VALUE=DATE:21000101", "RRULE:FREQ=DAILY")), "VEVENT"},
		// Nothing matches, and 400 years are searched for each: 146 400 days.
		{"rules that match nothing", feed(strings.Repeat(event("DTSTART:20260101", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")+"\r\n", 40)), "RRULE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ical.Holidays(strings.NewReader(c.text), year(2026), year(2027), nil, ical.Options{})
			bad := refused(t, err)
			same(t, c.property, bad.Property)
		})
	}
	same(t, 365, len(read(t, feed(daily), 2026, 2027).Dates()))
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := ical.Holidays(failing{broken}, year(2026), year(2027), nil, ical.Options{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func Example() {
	const text = `BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:christmas@example.net
SUMMARY:Christmas
DTSTART;VALUE=DATE:20201225
DTEND;VALUE=DATE:20201227
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
UID:eve@example.net
SUMMARY:Office closes early
DTSTART:20261224T130000
DTEND:20261225T000000
END:VEVENT
END:VCALENDAR
`
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		fmt.Println(err)
		return
	}
	feed, err := ical.Holidays(strings.NewReader(text), year(2026), year(2027), amsterdam, ical.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, day := range feed.Days {
		fmt.Println(day.Date, day.Summary())
	}
	hours, skipped := feed.AddTo(calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")})
	fmt.Println(hours.Holidays, hours.Special, len(skipped))
	// Output:
	// 2026-12-24 Office closes early (13:00 to 24:00)
	// 2026-12-25 Christmas
	// 2026-12-26 Christmas
	// [2026-12-25 2026-12-26] map[2026-12-24:[{09:00 13:00}]] 0
}
