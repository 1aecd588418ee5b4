package calendar_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// between is a set member from two instants in RFC 3339.
func between(t *testing.T, from, to string) calendar.Interval {
	t.Helper()
	return calendar.Interval{Start: at(t, from), End: at(t, to)}
}

// Dates on which the clock on the wall misbehaves; the transitions are those of
// the IANA database.
//
//   - Apia went from UTC−10 to UTC+14 at the end of 29 December 2011 and had no
//     30th.
//   - Lord Howe moves by half an hour: 02:00 to 02:30 on 4 October 2026, 02:00
//     back to 01:30 on 5 April 2026.
//   - Cairo skips 00:00 to 01:00 on 24 April 2026, and repeats 23:00 to 24:00 on
//     29 October 2026.
func TestCivilTime(t *testing.T) {
	for _, c := range []struct {
		name     string
		zone     string
		week     calendar.Week
		holidays []string
		from, to string
		want     []calendar.Interval
	}{
		{
			"Apia, office: nothing on the date that was skipped", "Pacific/Apia", calendar.EveryDay("09:00", "17:00"), nil,
			"2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00",
			[]calendar.Interval{between(t, "2011-12-29T19:00:00Z", "2011-12-30T03:00:00Z"), between(t, "2011-12-30T19:00:00Z", "2011-12-31T03:00:00Z")},
		},
		{
			"Apia, nights: 22:00 to 24:00 on the 29th, 00:00 to 06:00 on the 31st", "Pacific/Apia", calendar.EveryDay("22:00", "06:00"), nil,
			"2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00",
			[]calendar.Interval{between(t, "2011-12-30T08:00:00Z", "2011-12-30T16:00:00Z")},
		},
		{
			"Apia, a holiday on the date that was skipped takes nothing", "Pacific/Apia", calendar.EveryDay("00:00", "24:00"),
			[]string{"2011-12-30"},
			"2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00",
			[]calendar.Interval{between(t, "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z")},
		},
		{
			"Lord Howe, spring: 02:15 does not exist, the night is half an hour short", "Australia/Lord_Howe", calendar.EveryDay("02:15", "06:00"), nil,
			"2026-10-04T00:00:00+10:30", "2026-10-04T12:00:00+11:00",
			[]calendar.Interval{between(t, "2026-10-03T15:30:00Z", "2026-10-03T19:00:00Z")},
		},
		{
			"Lord Howe, autumn: the first 01:45 closes", "Australia/Lord_Howe", calendar.EveryDay("00:00", "01:45"), nil,
			"2026-04-05T00:00:00+11:00", "2026-04-05T12:00:00+10:30",
			[]calendar.Interval{between(t, "2026-04-04T13:00:00Z", "2026-04-04T14:45:00Z")},
		},
		{
			"Lord Howe, autumn: the second 02:00 closes, it is the only one", "Australia/Lord_Howe", calendar.EveryDay("00:00", "02:00"), nil,
			"2026-04-05T00:00:00+11:00", "2026-04-05T12:00:00+10:30",
			[]calendar.Interval{between(t, "2026-04-04T13:00:00Z", "2026-04-04T15:30:00Z")},
		},
		{
			"Cairo: the date begins at 01:00", "Africa/Cairo", calendar.EveryDay("00:00", "06:00"), nil,
			"2026-04-23T12:00:00+02:00", "2026-04-24T12:00:00+03:00",
			[]calendar.Interval{between(t, "2026-04-23T22:00:00Z", "2026-04-24T03:00:00Z")},
		},
		{
			"Cairo: a holiday begins where midnight is skipped", "Africa/Cairo", calendar.EveryDay("22:00", "06:00"),
			[]string{"2026-04-24"},
			"2026-04-23T12:00:00+02:00", "2026-04-25T12:00:00+03:00",
			[]calendar.Interval{between(t, "2026-04-23T20:00:00Z", "2026-04-23T22:00:00Z"), between(t, "2026-04-24T21:00:00Z", "2026-04-25T03:00:00Z")},
		},
		{
			"Cairo: a holiday of 25 hours", "Africa/Cairo", calendar.EveryDay("00:00", "24:00"),
			[]string{"2026-10-29"},
			"2026-10-28T00:00:00+03:00", "2026-10-31T00:00:00+02:00",
			[]calendar.Interval{between(t, "2026-10-27T21:00:00Z", "2026-10-28T21:00:00Z"), between(t, "2026-10-29T22:00:00Z", "2026-10-30T22:00:00Z")},
		},
		{
			"New York, spring: the night of the 7th has 7 hours", "America/New_York", calendar.EveryDay("22:00", "06:00"), nil,
			"2026-03-07T12:00:00-05:00", "2026-03-08T12:00:00-04:00",
			[]calendar.Interval{between(t, "2026-03-08T03:00:00Z", "2026-03-08T10:00:00Z")},
		},
		{
			"New York, autumn: the night of the 31st has 9 hours", "America/New_York", calendar.EveryDay("22:00", "06:00"), nil,
			"2026-10-31T12:00:00-04:00", "2026-11-01T12:00:00-05:00",
			[]calendar.Interval{between(t, "2026-11-01T02:00:00Z", "2026-11-01T11:00:00Z")},
		},
		{
			"leap day", "Europe/Amsterdam", calendar.MondayToFriday("09:00", "18:00"), nil,
			"2028-02-29T00:00:00+01:00", "2028-03-01T12:00:00+01:00",
			[]calendar.Interval{between(t, "2028-02-29T08:00:00Z", "2028-02-29T17:00:00Z"), between(t, "2028-03-01T08:00:00Z", "2028-03-01T11:00:00Z")},
		},
		{
			"a holiday on the leap day", "Europe/Amsterdam", calendar.MondayToFriday("09:00", "18:00"),
			[]string{"2028-02-29"},
			"2028-02-28T12:00:00+01:00", "2028-03-01T12:00:00+01:00",
			[]calendar.Interval{between(t, "2028-02-28T11:00:00Z", "2028-02-28T17:00:00Z"), between(t, "2028-03-01T08:00:00Z", "2028-03-01T11:00:00Z")},
		},
		{
			"year end, a local year that begins in the old UTC year", "Asia/Singapore", calendar.EveryDay("22:00", "09:00"),
			[]string{"2027-01-01"},
			"2026-12-31T12:00:00+08:00", "2027-01-02T12:00:00+08:00",
			[]calendar.Interval{between(t, "2026-12-31T14:00:00Z", "2026-12-31T16:00:00Z"), between(t, "2027-01-01T16:00:00Z", "2027-01-02T01:00:00Z")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cal := compile(t, calendar.Hours{Zone: c.zone, Week: c.week, Holidays: c.holidays})
			from, to := at(t, c.from), at(t, c.to)
			if got := cal.Expand(from, to); !equal(got, c.want) {
				t.Errorf("Expand = %v, want %v", got, c.want)
			}
			if got, want := cal.Elapsed(from, to, nil), calendar.Total(c.want); got != want {
				t.Errorf("Elapsed = %v, want %v", got, want)
			}
		})
	}
}

// Local dates of 23, 23½, 24½ and 25 hours, and one of none.
func TestLengthOfDates(t *testing.T) {
	for _, c := range []struct {
		zone, from, to string
		want           time.Duration
	}{
		{"Europe/Amsterdam", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23 * time.Hour},
		{"Europe/Amsterdam", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25 * time.Hour},
		{"Australia/Lord_Howe", "2026-10-04T00:00:00+10:30", "2026-10-05T00:00:00+11:00", 23*time.Hour + 30*time.Minute},
		{"Australia/Lord_Howe", "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30", 24*time.Hour + 30*time.Minute},
		{"Africa/Cairo", "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00", 23 * time.Hour},
		{"Africa/Cairo", "2026-10-29T00:00:00+03:00", "2026-10-30T00:00:00+02:00", 25 * time.Hour},
		{"Pacific/Apia", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", 24 * time.Hour},
	} {
		cal := compile(t, calendar.Hours{Zone: c.zone, Week: calendar.EveryDay("00:00", "24:00")})
		if got := cal.Elapsed(at(t, c.from), at(t, c.to), nil); got != c.want {
			t.Errorf("%s: %s to %s has %v, want %v", c.zone, c.from, c.to, got, c.want)
		}
	}
}

// Deadlines over the leap day and the year end, by hand: Monday 28 February 2028
// has one hour left at 17:00, Thursday 31 December 2026 too.
func TestDueOverOddDates(t *testing.T) {
	for _, c := range []struct {
		name     string
		holidays []string
		start    string
		target   time.Duration
		want     string
	}{
		{"leap day", nil, "2028-02-28T17:00:00+01:00", 9 * time.Hour, "2028-02-29T17:00:00+01:00"},
		{"leap day is a holiday", []string{"2028-02-29"}, "2028-02-28T17:00:00+01:00", 9 * time.Hour, "2028-03-01T17:00:00+01:00"},
		{"no leap day in 2027", nil, "2027-02-26T17:00:00+01:00", 9 * time.Hour, "2027-03-01T17:00:00+01:00"},
		{"year end", nil, "2026-12-31T17:00:00+01:00", 2 * time.Hour, "2027-01-01T10:00:00+01:00"},
		{"New Year's Day is a holiday", []string{"2027-01-01"}, "2026-12-31T17:00:00+01:00", 2 * time.Hour, "2027-01-04T10:00:00+01:00"},
	} {
		cal := compile(t, calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00"), Holidays: c.holidays})
		if due, err := cal.Due(at(t, c.start), c.target, nil); err != nil || !due.Equal(at(t, c.want)) {
			t.Errorf("%s: Due = %v, %v, want %s", c.name, due, err, c.want)
		}
	}
}

// 30 December 2011 would have been a Friday.
func TestNextBusinessDaySkipsAMissingDate(t *testing.T) {
	for name, c := range map[string]struct {
		week calendar.Week
		want string
	}{
		"every day":        {calendar.EveryDay("09:00", "17:00"), "2011-12-31T17:00:00+14:00"},
		"Monday to Friday": {calendar.MondayToFriday("09:00", "17:00"), "2012-01-02T17:00:00+14:00"},
	} {
		cal := compile(t, calendar.Hours{Zone: "Pacific/Apia", Week: c.week})
		got, err := cal.NextBusinessDay(at(t, "2011-12-29T10:00:00-10:00"), calendar.NextDayRule{})
		if err != nil || !got.Due.Equal(at(t, c.want)) {
			t.Errorf("%s: NextBusinessDay = %v, %v, want %s", name, got.Due, err, c.want)
		}
	}
}

// A special date replaces the spans that open on it. The night that opened on
// the date before runs on, unlike under a holiday.
func TestSpecialDateAndNights(t *testing.T) {
	cal := compile(t, calendar.Hours{
		Zone: "UTC", Week: calendar.EveryDay("22:00", "06:00"), Holidays: []string{"2026-04-10"},
		Special: map[string][]calendar.Span{"2026-04-08": {}, "2026-04-10": {{From: "08:00", To: "12:00"}, {From: "13:00", To: "02:00"}}},
	})
	got := cal.Expand(at(t, "2026-04-07T12:00:00Z"), at(t, "2026-04-11T12:00:00Z"))
	want := []calendar.Interval{
		between(t, "2026-04-07T22:00:00Z", "2026-04-08T06:00:00Z"),
		between(t, "2026-04-09T22:00:00Z", "2026-04-10T06:00:00Z"),
		between(t, "2026-04-10T08:00:00Z", "2026-04-10T12:00:00Z"),
		between(t, "2026-04-10T13:00:00Z", "2026-04-11T02:00:00Z"),
	}
	if !equal(got, want) {
		t.Errorf("Expand = %v, want %v", got, want)
	}
}

// The date is the one that the argument shows in its own location.
func TestIsBusinessDay(t *testing.T) {
	cal := office(t)
	apia := compile(t, calendar.Hours{Zone: "Pacific/Apia", Week: calendar.EveryDay("09:00", "17:00")})
	nights := compile(t, calendar.Hours{Zone: "UTC", Week: calendar.MondayToFriday("22:00", "06:00"), Holidays: []string{"2026-12-25"}})
	for _, c := range []struct {
		name string
		cal  *calendar.Calendar
		date time.Time
		want bool
	}{
		{"Tuesday", cal, at(t, "2026-04-07T00:00:00Z"), true},
		{"Tuesday, in a zone where it still is Monday", cal, at(t, "2026-04-06T23:00:00-05:00"), false},
		{"Easter Monday", cal, at(t, "2026-04-06T12:00:00Z"), false},
		{"Sunday", cal, at(t, "2026-04-05T12:00:00Z"), false},
		{"Friday closed by a special date", cal, at(t, "2026-04-10T12:00:00Z"), false},
		{"Saturday opened by one", cal, at(t, "2026-04-11T00:00:00Z"), true},
		{"a date that the zone skips", apia, at(t, "2011-12-30T12:00:00Z"), false},
		{"the one after it", apia, at(t, "2011-12-31T12:00:00Z"), true},
		{"the morning in which a night ends", nights, at(t, "2026-12-26T00:00:00Z"), false},
		{"a night cut off by a holiday", nights, at(t, "2026-12-24T00:00:00Z"), true},
		{"first of the range", cal, at(t, "1678-01-03T00:00:00Z"), true}, // a Monday
		{"before the range", cal, at(t, "1677-12-31T00:00:00Z"), false},
		{"after the range", cal, at(t, "2262-01-02T00:00:00Z"), false},
	} {
		if got := c.cal.IsBusinessDay(c.date); got != c.want {
			t.Errorf("%s: IsBusinessDay(%v) = %v, want %v", c.name, c.date, got, c.want)
		}
	}
}

// The next business day is the first date after the receipt that is one.
func TestIsBusinessDayAgreesWithNext(t *testing.T) {
	cal := office(t)
	for d := at(t, "2026-03-30T12:00:00+02:00"); d.Before(at(t, "2026-04-30T00:00:00Z")); d = d.AddDate(0, 0, 1) {
		next := d.AddDate(0, 0, 1)
		for !cal.IsBusinessDay(next) {
			next = next.AddDate(0, 0, 1)
		}
		got, err := cal.NextBusinessDay(d, calendar.NextDayRule{})
		if err != nil || got.Opens.In(cal.Location()).Format(time.DateOnly) != next.Format(time.DateOnly) {
			t.Errorf("after %v: NextBusinessDay opens %v, %v, want %v", d, got.Opens, err, next)
		}
	}
}
