package calendar_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Defects of other business-hours code, one test each. The expectations follow
// from the transitions of the zones: Chicago and New York go forward on 8 March
// 2026, Amsterdam on 29 March and back on 25 October.

// rickar/cal v2 does not return for a shift over midnight.
func TestPeerOvernightShiftNeverReturns(t *testing.T) {
	cal := compile(t, calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("22:00", "06:00")})
	due, err := cal.Due(at(t, "2026-04-07T23:00:00+02:00"), 8*time.Hour, nil)
	if want := at(t, "2026-04-08T23:00:00+02:00"); err != nil || !due.Equal(want) {
		t.Errorf("Due = %v, %v, want %v", due, err, want)
	}
}

// rickar/cal v2 and the maintenance windows of gatus add the time of day to local
// midnight, so 06:00 becomes 07:00 in spring and 05:00 in autumn.
func TestPeerOpeningIsAddedToMidnight(t *testing.T) {
	for _, c := range []struct{ zone, midnight, opens string }{
		{"America/Chicago", "2026-03-08T00:00:00-06:00", "2026-03-08T06:00:00-05:00"},
		{"America/Chicago", "2026-11-01T00:00:00-05:00", "2026-11-01T06:00:00-06:00"},
		{"Europe/Amsterdam", "2026-03-29T00:00:00+01:00", "2026-03-29T06:00:00+02:00"},
		{"Europe/Amsterdam", "2026-10-25T00:00:00+02:00", "2026-10-25T06:00:00+01:00"},
	} {
		cal := compile(t, calendar.Hours{Zone: c.zone, Week: calendar.EveryDay("06:00", "18:00")})
		opens, err := cal.NextOpen(at(t, c.midnight))
		closes, _, errClose := cal.NextTransition(opens)
		if err != nil || errClose != nil || !opens.Equal(at(t, c.opens)) || closes.Sub(opens) != 12*time.Hour {
			t.Errorf("%s: open from %v to %v, %v, want 12 hours from %s", c.zone, opens, closes, errors.Join(err, errClose), c.opens)
		}
	}
}

// rickar/cal v2 loses an hour around the clock when the clock changes.
func TestPeerAroundTheClockLosesTime(t *testing.T) {
	cal := compile(t, calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.EveryDay("00:00", "24:00")})
	for _, start := range []string{"2026-03-28T12:00:00+01:00", "2026-10-24T12:00:00+02:00"} {
		due, err := cal.Due(at(t, start), 24*time.Hour, nil)
		if want := at(t, start).Add(24 * time.Hour); err != nil || !due.Equal(want) {
			t.Errorf("Due 24 hours after %s = %v, %v, want %v", start, due, err, want)
		}
	}
}

// rickar/cal v2 computes in the zone of the value, helpdesk in that of the
// server: the zone in which an instant is written must not matter.
func TestPeerZoneOfTheValue(t *testing.T) {
	cal := office(t)
	start := at(t, "2026-04-07T17:30:00+02:00")
	for _, loc := range []*time.Location{time.UTC, time.FixedZone("", 14*3600), time.FixedZone("", -12*3600), time.Local} {
		due, err := cal.Due(start.In(loc), time.Hour, nil)
		if want := at(t, "2026-04-08T09:30:00+02:00"); err != nil || !due.Equal(want) {
			t.Errorf("Due of a start in %v = %v, %v, want %v", loc, due, err, want)
		}
	}
}

// The business hours of alga-psa search 14 days and then return their argument.
// Here everything is closed from Saturday 19 December to Sunday 10 January.
func TestPeerSearchGivesUpAfterTwoWeeks(t *testing.T) {
	h := calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.MondayToFriday("09:00", "18:00")}
	for date := at(t, "2026-12-19T00:00:00Z"); date.Before(at(t, "2027-01-11T00:00:00Z")); date = date.AddDate(0, 0, 1) {
		h.Holidays = append(h.Holidays, date.Format(time.DateOnly))
	}
	cal := compile(t, h)
	start, want := at(t, "2026-12-19T10:00:00+01:00"), at(t, "2027-01-11T09:00:00+01:00")
	if open, err := cal.NextOpen(start); err != nil || !open.Equal(want) {
		t.Errorf("NextOpen = %v, %v, want %v", open, err, want)
	}
	if due, err := cal.Due(start, time.Hour, nil); err != nil || !due.Equal(want.Add(time.Hour)) {
		t.Errorf("Due = %v, %v, want %v", due, err, want.Add(time.Hour))
	}
}

// The agreement clock of helpdesk loops when no weekday has hours.
func TestPeerNoWorkdayLoops(t *testing.T) {
	cal := compile(t, calendar.Hours{Zone: "Europe/Amsterdam", Week: calendar.Week{time.Monday: {}}})
	if due, err := cal.Due(epoch, time.Hour, nil); !errors.Is(err, calendar.ErrUnreachable) {
		t.Errorf("Due = %v, %v, want ErrUnreachable", due, err)
	}
	if got := cal.Elapsed(epoch, epoch.AddDate(1, 0, 0), nil); got != 0 {
		t.Errorf("Elapsed = %v, want 0", got)
	}
}

// helpdesk knows one interval a day, and counts a pause over the lunch break
// twice. 11:00 to 11:30 is worked, the pause ends at 13:30, 90 minutes are left.
func TestPeerPauseOverLunch(t *testing.T) {
	cal := compile(t, calendar.Hours{
		Zone: "Europe/Amsterdam", Week: calendar.Week{time.Tuesday: {{From: "08:00", To: "12:00"}, {From: "13:00", To: "17:00"}}},
	})
	start := at(t, "2026-04-07T11:00:00+02:00")
	pauses := set(t, between(t, "2026-04-07T11:30:00+02:00", "2026-04-07T13:30:00+02:00"))
	due, err := cal.Due(start, 2*time.Hour, pauses)
	if want := at(t, "2026-04-07T15:00:00+02:00"); err != nil || !due.Equal(want) {
		t.Errorf("Due = %v, %v, want %v", due, err, want)
	}
	if got := cal.Elapsed(start, at(t, "2026-04-07T14:00:00+02:00"), pauses); got != time.Hour {
		t.Errorf("Elapsed at 14:00 = %v, want 1h", got)
	}
}

// helpdesk compares instants. A target used up at closing time is due then, and
// not breached before the next opening.
func TestPeerComparesInstants(t *testing.T) {
	cal := office(t)
	start, evening := at(t, "2026-04-07T16:00:00+02:00"), at(t, "2026-04-07T22:00:00+02:00")
	due, err := cal.Due(start, 2*time.Hour, nil)
	if err != nil || !due.Before(evening) {
		t.Fatalf("Due = %v, %v, want 18:00", due, err)
	}
	if left := cal.Remaining(start, 2*time.Hour, evening, nil); left != 0 {
		t.Errorf("Remaining in the evening = %v, want 0", left)
	}
}

// A ticket that is paused from the start, as alga-psa#3091 has it, uses nothing.
func TestPeerCreatedPaused(t *testing.T) {
	cal := office(t)
	start := at(t, "2026-04-07T10:00:00+02:00")
	pauses := set(t, calendar.Interval{Start: start, End: start.Add(90 * time.Minute)})
	if got := cal.Elapsed(start, start.Add(90*time.Minute), pauses); got != 0 {
		t.Errorf("Elapsed = %v, want 0", got)
	}
	due, err := cal.Due(start, time.Hour, pauses)
	if want := start.Add(150 * time.Minute); err != nil || !due.Equal(want) {
		t.Errorf("Due = %v, %v, want %v", due, err, want)
	}
}
