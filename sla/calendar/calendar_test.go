package calendar_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func compile(tb testing.TB, h calendar.Hours) *calendar.Calendar {
	tb.Helper()
	c, err := calendar.New(h)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func office(tb testing.TB) *calendar.Calendar {
	tb.Helper()
	return compile(tb, calendar.Hours{
		Zone:     "Europe/Amsterdam",
		Week:     calendar.MondayToFriday("09:00", "18:00"),
		Holidays: []string{"2026-04-06"},
		Special:  map[string][]calendar.Span{"2026-04-11": {{From: "10:00", To: "12:00"}}, "2026-04-10": {}},
	})
}

func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// 6 April 2026 is Easter Monday; the 10th is closed and the 11th, a Saturday,
// opens by a special date.
func TestCalendarOpenings(t *testing.T) {
	cal := office(t)
	for _, c := range []struct {
		at       string
		open     bool
		nextOpen string
		change   string
		opens    bool
	}{
		{"2026-04-07T09:00:00+02:00", true, "2026-04-07T07:00:00Z", "2026-04-07T16:00:00Z", false},
		{"2026-04-07T18:00:00+02:00", false, "2026-04-08T07:00:00Z", "2026-04-08T07:00:00Z", true},
		{"2026-04-06T12:00:00+02:00", false, "2026-04-07T07:00:00Z", "2026-04-07T07:00:00Z", true},
		{"2026-04-10T12:00:00+02:00", false, "2026-04-11T08:00:00Z", "2026-04-11T08:00:00Z", true},
		{"2026-04-11T11:00:00+02:00", true, "2026-04-11T09:00:00Z", "2026-04-11T10:00:00Z", false},
	} {
		now := at(t, c.at)
		next, err := cal.NextOpen(now)
		if err != nil || !next.Equal(at(t, c.nextOpen)) || cal.IsOpen(now) != c.open {
			t.Errorf("%s: open %v, NextOpen %v, %v, want %v, %s", c.at, cal.IsOpen(now), next, err, c.open, c.nextOpen)
		}
		change, opens, err := cal.NextTransition(now)
		if err != nil || !change.Equal(at(t, c.change)) || opens != c.opens {
			t.Errorf("%s: NextTransition = %v, %v, %v, want %s, %v", c.at, change, opens, err, c.change, c.opens)
		}
	}
}

func TestExpand(t *testing.T) {
	got := office(t).Expand(at(t, "2026-04-09T17:00:00+02:00"), at(t, "2026-04-13T10:00:00+02:00"))
	want := []calendar.Interval{
		{Start: at(t, "2026-04-09T15:00:00Z"), End: at(t, "2026-04-09T16:00:00Z")},
		{Start: at(t, "2026-04-11T08:00:00Z"), End: at(t, "2026-04-11T10:00:00Z")},
		{Start: at(t, "2026-04-13T07:00:00Z"), End: at(t, "2026-04-13T08:00:00Z")},
	}
	if !equal(got, want) {
		t.Errorf("Expand = %v, want %v", got, want)
	}
}

// A night over the turn of the year is one interval although years are
// expanded one by one.
func TestTurnOfTheYear(t *testing.T) {
	cal := compile(t, calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("22:00", "06:00")})
	eve := at(t, "2026-12-31T22:00:00Z")
	got := cal.Expand(eve, at(t, "2027-01-01T12:00:00Z"))
	if want := []calendar.Interval{{Start: eve, End: at(t, "2027-01-01T06:00:00Z")}}; !equal(got, want) {
		t.Errorf("Expand = %v, want %v", got, want)
	}
	if next, opens, err := cal.NextTransition(eve); err != nil || opens || !next.Equal(at(t, "2027-01-01T06:00:00Z")) {
		t.Errorf("NextTransition = %v, %v, %v, want 06:00 closing", next, opens, err)
	}
	breach, err := cal.BreachAt(eve, 2*time.Hour, nil)
	if err != nil || !breach.Equal(at(t, "2027-01-01T00:00:00Z")) {
		t.Errorf("BreachAt = %v, %v, want midnight", breach, err)
	}
}

func TestUnreachable(t *testing.T) {
	never := compile(t, calendar.Hours{Zone: "UTC"})
	once := compile(t, calendar.Hours{Zone: "UTC", Special: map[string][]calendar.Span{"2026-04-07": {{From: "08:00", To: "10:00"}}}})
	for name, call := range map[string]func() error{
		"never: Due":             func() error { _, err := never.Due(epoch, time.Hour, nil); return err },
		"never: BreachAt":        func() error { _, err := never.BreachAt(epoch, 0, nil); return err },
		"never: NextOpen":        func() error { _, err := never.NextOpen(epoch); return err },
		"never: NextTransition":  func() error { _, _, err := never.NextTransition(epoch); return err },
		"never: NextBusinessDay": func() error { _, err := never.NextBusinessDay(epoch, calendar.NextDayRule{}); return err },
		"never: AfterOpening": func() error {
			_, err := never.NextBusinessDay(epoch, calendar.NextDayRule{Mode: calendar.AfterOpening})
			return err
		},
		"once: Due beyond": func() error { _, err := once.Due(epoch, 3*time.Hour, nil); return err },
		"once: BreachAt":   func() error { _, err := once.BreachAt(epoch, 2*time.Hour, nil); return err },
		"always: NextTransition": func() error {
			_, _, err := calendar.Always().NextTransition(epoch)
			return err
		},
		"always: Due beyond the range": func() error {
			_, err := calendar.Always().Due(at(t, "2250-01-01T00:00:00Z"), 1<<62, nil)
			return err
		},
		"always: NextOpen beyond the range": func() error {
			_, err := calendar.Always().NextOpen(at(t, "2999-01-01T00:00:00Z"))
			return err
		},
	} {
		if err := call(); !errors.Is(err, calendar.ErrUnreachable) {
			t.Errorf("%s = %v, want ErrUnreachable", name, err)
		}
	}
	if due, err := once.Due(epoch, 2*time.Hour, nil); err != nil || !due.Equal(epoch.Add(2*time.Hour)) {
		t.Errorf("Due within the only span = %v, %v, want %v", due, err, epoch.Add(2*time.Hour))
	}
	if _, err := never.Due(epoch, -time.Second, nil); err == nil || errors.Is(err, calendar.ErrUnreachable) {
		t.Errorf("Due of a negative target = %v, want an error of its own", err)
	}
}

// Outside the years 1678 to 2261 nothing is open and nothing overflows.
func TestRange(t *testing.T) {
	always := calendar.Always()
	if always.IsOpen(time.Time{}) || always.IsOpen(at(t, "2262-01-01T00:00:00Z")) || !always.IsOpen(at(t, "2261-12-31T23:59:59Z")) {
		t.Error("IsOpen is wrong at the ends of the range")
	}
	if got := always.Elapsed(time.Time{}, epoch, nil); got != 1<<63-1 {
		t.Errorf("Elapsed since year 1 = %v, want the longest duration", got)
	}
	if got := always.Elapsed(at(t, "2261-12-31T00:00:00Z"), at(t, "2999-01-01T00:00:00Z"), nil); got != 24*time.Hour {
		t.Errorf("Elapsed over the end = %v, want 24h", got)
	}
	if got := always.Elapsed(epoch, epoch.Add(-time.Hour), nil); got != 0 {
		t.Errorf("Elapsed backwards = %v, want 0", got)
	}
}

func TestRemaining(t *testing.T) {
	cal := office(t)
	start := at(t, "2026-04-07T17:00:00+02:00")
	for _, c := range []struct {
		at   string
		want time.Duration
	}{
		{"2026-04-07T17:30:00+02:00", 90 * time.Minute},
		{"2026-04-08T08:00:00+02:00", time.Hour},
		{"2026-04-08T11:00:00+02:00", -time.Hour},
	} {
		if got := cal.Remaining(start, 2*time.Hour, at(t, c.at), nil); got != c.want {
			t.Errorf("Remaining at %s = %v, want %v", c.at, got, c.want)
		}
	}
}

// A pause that begins when the target is used up postpones the breach only.
func TestBreachAtPause(t *testing.T) {
	cal := calendar.Always()
	pauses := set(t, hours(2, 5), hours(6, 7))
	due, err := cal.Due(epoch, 2*time.Hour, pauses)
	if err != nil || !due.Equal(epoch.Add(2*time.Hour)) {
		t.Errorf("Due = %v, %v, want 2h after start", due, err)
	}
	breach, err := cal.BreachAt(epoch, 2*time.Hour, pauses)
	if err != nil || !breach.Equal(epoch.Add(5*time.Hour)) {
		t.Errorf("BreachAt = %v, %v, want 5h after start", breach, err)
	}
}

// Pauses that overlap, in any order and with one that ends before it begins, count
// as their union: of 10 h from 0 to 10 the pauses 1–4 and 6–7 leave 6.
func TestPausesAreAUnion(t *testing.T) {
	cal := calendar.Always()
	pauses := []calendar.Interval{hours(6, 7), hours(2, 4), hours(9, 8), hours(1, 3), hours(2, 2)}
	if got := cal.Elapsed(epoch, epoch.Add(10*time.Hour), pauses); got != 6*time.Hour {
		t.Errorf("Elapsed = %v, want 6h", got)
	}
	if due, err := cal.Due(epoch, 3*time.Hour, pauses); err != nil || !due.Equal(epoch.Add(6*time.Hour)) {
		t.Errorf("Due = %v, %v, want 6h after start", due, err)
	}
	if breach, err := cal.BreachAt(epoch, 3*time.Hour, pauses); err != nil || !breach.Equal(epoch.Add(7*time.Hour)) {
		t.Errorf("BreachAt = %v, %v, want 7h after start", breach, err)
	}
}

func TestNextBusinessDayModes(t *testing.T) {
	cal := compile(t, calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")})
	cutOff := calendar.NextDayRule{Mode: calendar.AfterCutOff, CutOff: "16:00"}
	for _, c := range []struct {
		name    string
		receipt string
		rule    calendar.NextDayRule
		want    string
	}{
		{"opening", "2026-04-10T10:00:00+02:00", calendar.NextDayRule{Mode: calendar.AtOpening}, "2026-04-13T07:00:00Z"},
		{"at the cut-off", "2026-04-10T16:00:00+02:00", cutOff, "2026-04-13T16:00:00Z"},
		{"after the cut-off", "2026-04-10T16:00:01+02:00", cutOff, "2026-04-14T16:00:00Z"},
		{"Saturday with a cut-off", "2026-04-11T10:00:00+02:00", cutOff, "2026-04-14T16:00:00Z"},
	} {
		got, err := cal.NextBusinessDay(at(t, c.receipt), c.rule)
		if err != nil || !got.Due.Equal(at(t, c.want)) {
			t.Errorf("%s: NextBusinessDay = %v, %v, want %s", c.name, got.Due, err, c.want)
		}
	}
	for _, rule := range []calendar.NextDayRule{{Mode: calendar.AfterCutOff}, {Mode: 99}} {
		var e *calendar.HoursError
		if _, err := cal.NextBusinessDay(epoch, rule); !errors.As(err, &e) {
			t.Errorf("NextBusinessDay(%v) = %v, want an HoursError", rule, err)
		}
	}
}

// The night shift of a business day closes on the next date; a holiday by local
// date is no business day although the rest of its night is working time.
func TestNextBusinessDayNights(t *testing.T) {
	nights := compile(t, calendar.Hours{Zone: "UTC", Week: calendar.EveryDay("22:00", "06:00"), Holidays: []string{"2026-12-25"}})
	got, err := nights.NextBusinessDay(at(t, "2026-12-24T12:00:00Z"), calendar.NextDayRule{})
	want := calendar.BusinessDay{Due: at(t, "2026-12-27T06:00:00Z"), Opens: at(t, "2026-12-26T22:00:00Z"), Closes: at(t, "2026-12-27T06:00:00Z")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("NextBusinessDay = %v, %v, want %v", got, err, want)
	}
}

func TestNewJoinsAllProblems(t *testing.T) {
	_, err := calendar.New(calendar.Hours{
		Zone:        "Europe/Atlantis",
		Week:        calendar.Week{time.Monday: {{From: "9:00", To: "25:00"}, {From: "09:60", To: "24:00:01"}}, 9: {{From: "00:00", To: "24:00"}}},
		Holidays:    []string{"2026-02-29"},
		Special:     map[string][]calendar.Span{"2026-4-1": nil, "2026-04-01": {{From: "noon!", To: "24:00"}}},
		HolidayRule: 7,
	})
	for _, want := range []string{
		`zone "Europe/Atlantis"`, `week.monday[0].from "9:00"`, `week.monday[0].to "25:00"`, `week.monday[1].from "09:60"`, `week.monday[1].to "24:00:01"`,
		`week "%!Weekday(9)"`, `holidays[0] "2026-02-29"`, `special "2026-4-1"`, `special.2026-04-01[0].from "noon!"`, `holiday_rule "HolidayRule(7)"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New does not report %s:\n%v", want, err)
		}
	}
	for _, zone := range []string{"", "Local", "CEST"} {
		var e *calendar.HoursError
		if _, err := calendar.New(calendar.Hours{Zone: zone}); !errors.As(err, &e) || e.Path != "zone" {
			t.Errorf("New with zone %q = %v, want an HoursError on zone", zone, err)
		}
	}
}

func TestHoursJSON(t *testing.T) {
	h := calendar.Hours{
		Zone: "Asia/Singapore", Week: calendar.MondayToFriday("06:00", "18:00"), Holidays: []string{"2026-08-09"},
		Special: map[string][]calendar.Span{"2026-08-10": {}}, HolidayRule: calendar.ShiftStart,
	}
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"zone":"Asia/Singapore","week":{"monday":[{"from":"06:00","to":"18:00"}],"tuesday":`; !strings.HasPrefix(string(data), want) {
		t.Errorf("Marshal = %s, want prefix %s", data, want)
	}
	var back calendar.Hours
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(h, back) {
		t.Errorf("Unmarshal = %+v, %v, want %+v", back, err, h)
	}
	for _, bad := range []string{`{"week":{"someday":[]}}`, `{"week":{"mon":[],"Monday":[]}}`, `{"holiday_rule":"never"}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("Unmarshal(%s) = nil, want an error", bad)
		}
	}
	var rule calendar.NextDayRule
	if err := json.Unmarshal([]byte(`{"mode":"cut_off","cut_off":"16:00"}`), &rule); err != nil || rule.Mode != calendar.AfterCutOff {
		t.Errorf("Unmarshal of a rule = %+v, %v, want cut_off", rule, err)
	}
	if err := json.Unmarshal([]byte(`{"mode":"tomorrow"}`), &rule); err == nil {
		t.Error(`Unmarshal of mode "tomorrow" = nil, want an error`)
	}
}

// randomHours avoids bounds that zones skip or repeat, so that membership can
// be read off the wall clock.
func randomHours(r *rand.Rand, zone string) calendar.Hours {
	clock := func(hour int) string { return time.Date(0, 1, 1, hour, 15*r.IntN(4), 0, 0, time.UTC).Format("15:04") }
	h := calendar.Hours{Zone: zone, Week: calendar.Week{}, HolidayRule: calendar.HolidayRule(r.IntN(2)), Special: map[string][]calendar.Span{}}
	random := func() (spans []calendar.Span) {
		for range r.IntN(3) {
			spans = append(spans, calendar.Span{From: clock(4 + r.IntN(19)), To: clock(4 + r.IntN(19))})
		}
		return spans
	}
	for day := range 7 {
		h.Week[time.Weekday(day)] = random()
	}
	for range 4 {
		h.Holidays = append(h.Holidays, date(r))
		h.Special[date(r)] = random()
	}
	return h
}

func date(r *rand.Rand) string {
	months := []time.Month{time.March, time.October, time.December, time.January}
	return time.Date(2026, months[r.IntN(4)], 22+r.IntN(10), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// openByWall decides membership from the wall clock alone, without resolving
// any reading: a span that opens on the date, or on the date before.
func openByWall(h calendar.Hours, loc *time.Location, now time.Time) bool {
	local := now.In(loc)
	today := local.Format(time.DateOnly)
	noon := time.Date(local.Year(), local.Month(), local.Day(), 12, 0, 0, 0, time.UTC)
	yesterday := noon.AddDate(0, 0, -1)
	holiday := func(date string) bool {
		_, special := h.Special[date]
		for _, d := range h.Holidays {
			if d == date && !special {
				return true
			}
		}
		return false
	}
	spans := func(date string, weekday time.Weekday) []calendar.Span {
		if special, ok := h.Special[date]; ok {
			return special
		}
		if holiday(date) && h.HolidayRule == calendar.ShiftStart {
			return nil
		}
		return h.Week[weekday]
	}
	if holiday(today) && h.HolidayRule == calendar.LocalDate {
		return false
	}
	clock := local.Format("15:04")
	for _, s := range spans(today, noon.Weekday()) {
		if clock >= s.From && (clock < s.To || s.To <= s.From) {
			return true
		}
	}
	for _, s := range spans(yesterday.Format(time.DateOnly), yesterday.Weekday()) {
		if s.To <= s.From && clock < s.To {
			return true
		}
	}
	return false
}

// Against a scan of every quarter of an hour over both changes of the clock, a
// year end and random holidays.
func TestCalendarAgainstScan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const step = 15 * time.Minute
	for _, zone := range []string{"Europe/Amsterdam", "America/Chicago", "Asia/Kolkata", "UTC"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for range 12 {
			h := randomHours(r, zone)
			cal := compile(t, h)
			for _, from := range []time.Time{at(t, "2026-03-20T00:00:00Z"), at(t, "2026-10-20T00:00:00Z"), at(t, "2026-12-22T00:00:00Z")} {
				to := from.Add(14 * 24 * time.Hour)
				var open time.Duration
				for now := from; now.Before(to); now = now.Add(step) {
					want := openByWall(h, loc, now)
					if got := cal.IsOpen(now); got != want {
						t.Fatalf("%s: IsOpen(%s) = %v, want %v in %+v", zone, now.In(loc), got, want, h)
					}
					if want {
						open += step
					}
				}
				if got := cal.Elapsed(from, to, nil); got != open {
					t.Fatalf("%s: Elapsed = %v, want %v in %+v", zone, got, open, h)
				}
				if got := calendar.Total(cal.Expand(from, to)); got != open {
					t.Fatalf("%s: Expand covers %v, want %v", zone, got, open)
				}
			}
		}
	}
}

func TestTransitionsWalkTheExpansion(t *testing.T) {
	cal := office(t)
	from, to := at(t, "2026-03-20T00:00:00Z"), at(t, "2026-11-20T00:00:00Z")
	now := from
	for _, i := range cal.Expand(from, to) {
		for _, want := range []time.Time{i.Start, i.End} {
			next, opens, err := cal.NextTransition(now)
			if err != nil || !next.Equal(want) || opens != want.Equal(i.Start) {
				t.Fatalf("NextTransition(%v) = %v, %v, %v, want %v", now, next, opens, err, want)
			}
			now = next
		}
	}
}

// Every year of the range expands, also those for which a rule instead of a
// table gives the changes of the clock; a working week has 45 hours in all.
func TestEveryYear(t *testing.T) {
	for _, zone := range []string{"Europe/Amsterdam", "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca"} {
		cal := compile(t, calendar.Hours{Zone: zone, Week: calendar.MondayToFriday("09:00", "18:00")})
		for monday := at(t, "1900-01-01T12:00:00Z"); monday.Year() < 2261; monday = monday.AddDate(0, 0, 7*13) {
			from := monday.AddDate(0, 0, -1)
			if got := cal.Elapsed(from, from.AddDate(0, 0, 7), nil); got != 45*time.Hour {
				t.Fatalf("%s: week of %s has %v, want 45h", zone, monday.Format(time.DateOnly), got)
			}
		}
		next, err := cal.NextBusinessDay(at(t, "2040-12-28T12:00:00Z"), calendar.NextDayRule{})
		if err != nil || next.Closes.In(cal.Location()).Format(time.DateTime) != "2040-12-31 18:00:00" {
			t.Errorf("%s: NextBusinessDay = %v, %v, want 31 December 2040, 18:00", zone, next, err)
		}
	}
}

func FuzzNew(f *testing.F) {
	f.Add("Europe/Amsterdam", "09:00", "18:00", "2026-12-25", int64(3600))
	f.Add("UTC", "22:00", "06:00", "2026-02-30", int64(-1))
	f.Add("Pacific/Apia", "24:00", "24:00", "2011-12-30", int64(1)<<60)
	f.Fuzz(func(t *testing.T, zone, from, to, date string, target int64) {
		cal, err := calendar.New(calendar.Hours{
			Zone: zone, Week: calendar.MondayToFriday(from, to), Holidays: []string{date}, Special: map[string][]calendar.Span{date: {{From: to, To: from}}},
		})
		if err != nil {
			return
		}
		due, err := cal.Due(epoch, time.Duration(target), nil)
		if err == nil && cal.Elapsed(epoch, due, nil) != time.Duration(target) {
			t.Fatalf("Due(%v) = %v is not where the target is used up", time.Duration(target), due)
		}
	})
}

// Values that cannot be read back are not written.
func TestUnknownValuesDoNotMarshal(t *testing.T) {
	for _, v := range []any{
		calendar.HolidayRule(2), calendar.NextDayMode(4), calendar.Week{7: {{From: "09:00", To: "17:00"}}},
	} {
		if text, err := json.Marshal(v); !errors.As(err, new(*calendar.HoursError)) {
			t.Errorf("Marshal(%v) = %s, %v, want a HoursError", v, text, err)
		}
	}
}
