package ical_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/escalation"
)

// nightRoster has nights from 22:00 to 06:00 in Amsterdam, Monday to Friday, that
// ann and bob share by weeks from Monday 23 March 2026, 09:00.
func nightRoster(overrides ...escalation.Override) escalation.Roster {
	return escalation.Roster{
		Zone: "Europe/Amsterdam", LastResort: escalation.Contact{ID: "boss"},
		Engineers: []escalation.Engineer{{ID: "ann", Level: escalation.Senior}, {ID: "bob", Level: escalation.Senior}, {ID: "zoë, x", Level: escalation.Senior}},
		Centres:   nil,
		Schedules: map[string]escalation.Plan{"night shift": {
			Layers: []escalation.Layer{{
				Name:     "nights",
				Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-23T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob"}},
				Windows:  []escalation.Window{{Days: escalation.Weekdays, From: "22:00", To: "06:00"}},
			}},
			Overrides: overrides,
		}},
	}
}

func router(tb testing.TB, r escalation.Roster) *escalation.Router {
	tb.Helper()
	out, err := escalation.NewRouter(r)
	ok(tb, err)
	return out
}

func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, text)
	ok(tb, err)
	return at
}

func march(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }

func shifts(tb testing.TB, c ical.DutyCalendar, r escalation.Roster, q ical.ShiftQuery) string {
	tb.Helper()
	var b bytes.Buffer
	ok(tb, c.Shifts(&b, router(tb, r), q))
	return b.String()
}

// lines unfolds a document and leaves its head and its end away.
func lines(text string) []string {
	all := strings.Split(strings.ReplaceAll(text, "\r\n ", ""), "\r\n")
	for len(all) > 0 && all[0] != "BEGIN:VEVENT" {
		all = all[1:]
	}
	return all[:max(0, len(all)-2)]
}

// Clocks go forward at 01:00 UTC on 29 March: the Friday night begins at 21:00 UTC
// and ends at 05:00, the Monday night begins at 20:00. The night in which the time
// asked for begins, and the one in which it ends, are whole.
func TestShifts(t *testing.T) {
	c := ical.DutyCalendar{Name: "Nights", Domain: "oncall.example.net", Stamp: march(20, 0), Names: map[string]string{"ann": "Ann; the first"}}
	q := ical.ShiftQuery{From: march(27, 0), Until: march(31, 0)}
	text := shifts(t, c, nightRoster(), q)
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q: want at most 75 octets", line)
		}
	}
	event := func(start, end, who string) []string {
		return []string{
			"BEGIN:VEVENT", "UID:night+shift-" + start + "@oncall.example.net", "DTSTAMP:20260320T000000Z", "SEQUENCE:0", "DTSTART:" + start, "DTEND:" + end,
			"SUMMARY:" + who + " on call: night shift", "DESCRIPTION:By layer:nights", "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "END:VEVENT",
		}
	}
	want := append(event("20260326T210000Z", "20260327T050000Z", `Ann\; the first`), event("20260327T210000Z", "20260328T050000Z", `Ann\; the first`)...)
	want = append(want, event("20260330T200000Z", "20260331T040000Z", "bob")...)
	same(t, want, lines(text))

	q.From, q.Until = march(27, 4), march(30, 21)
	same(t, text, shifts(t, c, nightRoster(), q))
}

// A shift that somebody else takes keeps its identity and gets the next number; one
// that is no more is cancelled once, and what did not change stays as it was.
func TestShiftsChange(t *testing.T) {
	c := ical.DutyCalendar{Domain: "oncall.example.net", Stamp: march(20, 0)}
	q := ical.ShiftQuery{From: march(24, 0), Until: march(28, 12)}
	c.Before = []byte(shifts(t, c, nightRoster(), q))
	c.Stamp = march(21, 0)
	same(t, string(c.Before), shifts(t, c, nightRoster(), q))

	swap := escalation.Override{ID: "swap", Start: march(25, 12), End: march(26, 12), User: "zoë, x"}
	free := escalation.Override{ID: "free", Start: march(26, 12), End: march(27, 12), Kind: escalation.Remove}
	changed := shifts(t, c, nightRoster(swap, free), q)
	var got []string
	for _, line := range lines(changed) {
		if strings.HasPrefix(line, "SEQUENCE") || strings.HasPrefix(line, "DTSTA") || strings.HasPrefix(line, "STATUS") || strings.HasPrefix(line, "SUMMARY") {
			got = append(got, line)
		}
	}
	same(t, []string{
		"DTSTAMP:20260320T000000Z", "SEQUENCE:0", "DTSTART:20260323T210000Z", "SUMMARY:ann on call: night shift", "STATUS:CONFIRMED",
		"DTSTAMP:20260320T000000Z", "SEQUENCE:0", "DTSTART:20260324T210000Z", "SUMMARY:ann on call: night shift", "STATUS:CONFIRMED",
		// The override lasts from noon to noon, and so does the shift.
		"DTSTAMP:20260321T000000Z", "SEQUENCE:0", "DTSTART:20260325T120000Z", `SUMMARY:zoë\, x on call: night shift`, "STATUS:CONFIRMED",
		"DTSTAMP:20260321T000000Z", "SEQUENCE:1", "DTSTART:20260325T210000Z", "SUMMARY:ann on call: night shift", "STATUS:CANCELLED",
		"DTSTAMP:20260321T000000Z", "SEQUENCE:1", "DTSTART:20260326T210000Z", "SUMMARY:ann on call: night shift", "STATUS:CANCELLED",
		"DTSTAMP:20260320T000000Z", "SEQUENCE:0", "DTSTART:20260327T210000Z", "SUMMARY:ann on call: night shift", "STATUS:CONFIRMED",
	}, got)

	// Cancelled events stay and do not count up; one that comes back does.
	c.Before, c.Stamp = []byte(changed), march(22, 0)
	same(t, changed, shifts(t, c, nightRoster(swap, free), q))
	back := shifts(t, c, nightRoster(), q)
	contains(t, back, "DTSTAMP:20260322T000000Z\r\nSEQUENCE:2\r\nDTSTART:20260325T210000Z")
	contains(t, back, "DTSTAMP:20260322T000000Z\r\nSEQUENCE:1\r\nDTSTART:20260325T120000Z")
	same(t, 1, strings.Count(back, "CANCELLED"))

	// A swap of exactly the shift keeps its identity.
	swap.Start, swap.End = march(25, 21), march(26, 5)
	c.Before = []byte(shifts(t, ical.DutyCalendar{Domain: c.Domain, Stamp: march(20, 0)}, nightRoster(), q))
	contains(t, shifts(t, c, nightRoster(swap), q), "UID:night+shift-20260325T210000Z@oncall.example.net\r\nDTSTAMP:20260322T000000Z\r\nSEQUENCE:1\r\n")

	// What the time asked for does not hold is left out, not cancelled.
	q.From, q.Until = march(27, 12), march(28, 12)
	same(t, 0, strings.Count(shifts(t, c, nightRoster(), q), "CANCELLED"))
}

// In the calendar of a person, what follows each other is one event, and written
// calendars are read back as the same stretches of time.
func TestShiftsOfOnePerson(t *testing.T) {
	r := nightRoster(escalation.Override{ID: "day", Start: march(25, 5), End: march(25, 21), User: "ann"}, escalation.Override{ID: "also", Start: march(24, 23), End: march(25, 1), Kind: escalation.Add, User: "bob"})
	c := ical.DutyCalendar{Domain: "oncall.example.net", Stamp: march(20, 0)}
	q := ical.ShiftQuery{From: march(25, 0), Until: march(26, 0), Schedules: []string{"night shift"}, Engineer: "ann"}
	text := shifts(t, c, r, q)
	got, skipped, err := ical.TimeOff(strings.NewReader(text), q.From, q.Until, nil, ical.TimeOffOptions{Engineer: "ann"})
	ok(t, err)
	same(t, []escalation.Absence{{Engineer: "ann", Start: march(24, 21), End: march(26, 5), Reason: "ann on call: night shift"}}, got)
	same(t, []ical.Skipped{}, skipped)
	contains(t, text, "UID:night+shift-20260324T210000Z-ann@oncall.example.net")
	q.Engineer = "bob"
	contains(t, shifts(t, c, r, q), "DTSTART:20260324T230000Z\r\nDTEND:20260325T010000Z")
	q.Engineer = "boss"
	same(t, []string{}, lines(shifts(t, c, r, q)))
}

// The three centres hand over at 17:30 by their own clocks: on 26 October 2026
// Amsterdam has winter time and Austin has not.
func TestHandoffs(t *testing.T) {
	centres, err := escalation.NewCentres(escalation.SampleCentres())
	ok(t, err)
	c := ical.DutyCalendar{Domain: "oncall.example.net", Stamp: at(1, 0), Names: map[string]string{"austin": "Austin, Texas"}}
	var b bytes.Buffer
	q := ical.HandoffQuery{From: at(26, 0), Until: at(27, 0)}
	ok(t, c.Handoffs(&b, centres, q))
	var got []string
	for _, line := range lines(b.String()) {
		if strings.HasPrefix(line, "UID") || strings.HasPrefix(line, "DTEND") || strings.HasPrefix(line, "SUMMARY") {
			got = append(got, line)
		}
	}
	same(t, []string{
		"UID:handoff-singapore-20261026T093000Z@oncall.example.net", "DTEND:20261026T100000Z", "SUMMARY:Handoff singapore to amsterdam",
		"UID:handoff-amsterdam-20261026T163000Z@oncall.example.net", "DTEND:20261026T170000Z", `SUMMARY:Handoff amsterdam to Austin\, Texas`,
		"UID:handoff-austin-20261026T223000Z@oncall.example.net", "DTEND:20261026T230000Z", `SUMMARY:Handoff Austin\, Texas to singapore`,
	}, got)
	contains(t, strings.ReplaceAll(b.String(), "\r\n ", ""), `DESCRIPTION:1. incidents of the night\n2. start of the European working day\n`)

	c.Before, c.Stamp, q.Centre = b.Bytes(), at(2, 0), "austin"
	var again bytes.Buffer
	ok(t, c.Handoffs(&again, centres, q))
	contains(t, again.String(), "DTSTAMP:20261001T000000Z\r\nSEQUENCE:0\r\nDTSTART:20261026T163000Z")
	same(t, 1, strings.Count(again.String(), "STATUS:CANCELLED"))

	// One that goes on when the time begins takes place all the same.
	q.From = at(26, 23).Add(-15 * time.Minute)
	again.Reset()
	ok(t, c.Handoffs(&again, centres, q))
	same(t, 0, strings.Count(again.String(), "STATUS:CANCELLED"))
}

func TestDutyErrors(t *testing.T) {
	good := ical.DutyCalendar{Domain: "x", Stamp: at(1, 0)}
	q := ical.ShiftQuery{From: at(1, 0), Until: at(2, 0)}
	for _, c := range []struct {
		property string
		change   func(c *ical.DutyCalendar, q *ical.ShiftQuery)
	}{
		{"domain", func(c *ical.DutyCalendar, _ *ical.ShiftQuery) { c.Domain = "" }},
		{"stamp", func(c *ical.DutyCalendar, _ *ical.ShiftQuery) { c.Stamp = time.Time{} }},
		{"window", func(_ *ical.DutyCalendar, q *ical.ShiftQuery) { q.Until = q.From }},
		{"window", func(_ *ical.DutyCalendar, q *ical.ShiftQuery) { q.Until = q.From.AddDate(10, 0, 1) }},
		{"schedules[1]", func(_ *ical.DutyCalendar, q *ical.ShiftQuery) { q.Schedules = []string{"night shift", "day"} }},
		{"schedules[1]", func(_ *ical.DutyCalendar, q *ical.ShiftQuery) { q.Schedules = []string{"night shift", "night shift"} }},
		{"engineer", func(_ *ical.DutyCalendar, q *ical.ShiftQuery) { q.Engineer = "nobody" }},
		{"before", func(c *ical.DutyCalendar, _ *ical.ShiftQuery) {
			c.Before = []byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nnonsense")
		}},
		{"before", func(c *ical.DutyCalendar, _ *ical.ShiftQuery) { c.Before = []byte(feed(event("UID:a@x"))) }},
	} {
		c1, q1 := good, q
		c.change(&c1, &q1)
		var b bytes.Buffer
		err := c1.Shifts(&b, router(t, nightRoster()), q1)
		same(t, c.property, refused(t, err).Property)
		same(t, 0, b.Len())
	}
}

// A calendar of several people: names are those with which titles begin; a whole
// day is one of the zone, 7 October in Amsterdam being 22:00 to 22:00 UTC.
func TestTimeOff(t *testing.T) {
	text := feed(
		event("UID:1", "DTSTART;VALUE=DATE:20261007", "DTEND;VALUE=DATE:20261009", "SUMMARY:Nina Vos - leave"),
		event("UID:2", "DTSTART:20261007T080000Z", "DURATION:PT4H", "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:ANN: dentist"),
		event("UID:3", "DTSTART;VALUE=DATE:20261008", "SUMMARY:Annette: leave"),
		event("UID:4", "DTSTART;VALUE=DATE:20261008", "STATUS:CANCELLED", "SUMMARY:Ann: leave"),
		event("UID:5", "DTSTART;VALUE=DATE:20261108", "SUMMARY:Ann: leave"),
	)
	options := ical.TimeOffOptions{People: map[string]string{"Nina Vos": "nina", "ann": "ann"}}
	got, skipped, err := ical.TimeOff(strings.NewReader(text), at(8, 0), at(31, 0), zone(t, "Europe/Amsterdam"), options)
	ok(t, err)
	same(t, []escalation.Absence{
		{Engineer: "nina", Start: at(6, 22), End: at(8, 22), Reason: "Nina Vos - leave"},
		{Engineer: "ann", Start: at(14, 8), End: at(14, 12), Reason: "ANN: dentist"},
	}, got)
	same(t, []ical.Skipped{
		{Line: 16, Summary: "Annette: leave", UID: "3", Reason: "its title begins with the name of nobody known"},
		{Line: 21, Summary: "Ann: leave", UID: "4", Reason: "cancelled"},
	}, skipped)

	r := nightRoster()
	r.Engineers = append(r.Engineers, escalation.Engineer{ID: "nina", Level: escalation.Senior})
	r.Absences = got
	router(t, r) // they fit a roster as they are
	for _, bad := range []ical.TimeOffOptions{{}, {Engineer: "ann", People: map[string]string{"Ann": "ann"}}} {
		_, _, err := ical.TimeOff(strings.NewReader(text), at(8, 0), at(31, 0), nil, bad)
		same(t, "options", refused(t, err).Property)
	}
	_, _, err = ical.TimeOff(strings.NewReader("x"), at(8, 0), at(31, 0), nil, options)
	same(t, "line", refused(t, err).Property)
}

// Holidays end up in a layer and in windows: on 27 April nobody begins a night, on
// the half day the night is as always.
func TestAddToLayer(t *testing.T) {
	f := read(t, feed(event("DTSTART;VALUE=DATE:20260427", "SUMMARY:King's Day"), event("DTSTART:20260428T120000Z", "DTEND:20260428T150000Z", "SUMMARY:Outing")), 2026, 2027)
	plan := nightRoster().Schedules["night shift"]
	plan.Layers[0].Holidays = []string{"2026-04-30"}
	layer, skipped := f.AddToLayer(plan.Layers[0])
	same(t, []string{"2026-04-30", "2026-04-27"}, layer.Holidays)
	same(t, []string{"2026-04-30"}, plan.Layers[0].Holidays)
	same(t, []ical.Skipped{{Line: 7, Summary: "Outing", Date: "2026-04-28", Reason: "it takes a part of the date only"}}, skipped)
	plan.Layers[0] = layer
	s, err := escalation.NewSchedule(plan)
	ok(t, err)
	same(t, "", s.WhoAt(instant(t, "2026-04-27T23:00:00+02:00")).User)
	same(t, "bob", s.WhoAt(instant(t, "2026-04-28T23:00:00+02:00")).User)

	windows, skipped := f.AddToWindows(layer.Windows)
	same(t, []string{"2026-04-27"}, windows[0].Except)
	same(t, 1, len(skipped))
	same(t, 0, len(layer.Windows[0].Except))
}

// Whatever was published before, writing ends with a document or an error, and a
// document that was written is the same when it is written again.
func FuzzShifts(f *testing.F) {
	c := ical.DutyCalendar{Domain: "x", Stamp: march(20, 0)}
	q := ical.ShiftQuery{From: march(24, 0), Until: march(28, 12)}
	r := router(f, nightRoster())
	f.Add(shifts(f, c, nightRoster(), q))
	f.Add(feed(event("UID:a@x", "DTSTART;VALUE=DATE:20260325", "SEQUENCE:-1", "DTSTAMP:x")))
	f.Fuzz(func(t *testing.T, before string) {
		c := c
		c.Before = []byte(before)
		var first, second bytes.Buffer
		if c.Shifts(&first, r, q) != nil {
			return
		}
		c.Before, c.Stamp = first.Bytes(), march(21, 0)
		ok(t, c.Shifts(&second, r, q))
		same(t, first.String(), second.String())
	})
}
