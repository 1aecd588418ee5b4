package escalation_test

import (
	"fmt"
	"log"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// relayRoster has Ann in Amsterdam and Ravi in Singapore, who hand over at 17:30 in
// Amsterdam, day by day.
func relayRoster(overrides ...escalation.Override) escalation.Roster {
	return escalation.Roster{
		LastResort: escalation.Contact{ID: "boss"},
		Engineers: []escalation.Engineer{
			{ID: "ann", Level: escalation.Senior, Zone: "Europe/Amsterdam"},
			{ID: "ravi", Level: escalation.Senior, Zone: "Asia/Singapore"},
			{ID: "zoe", Level: escalation.Senior, Zone: "America/Chicago"},
		},
		Schedules: map[string]escalation.Plan{"relay": {
			Layers: []escalation.Layer{{Name: "relay", Rotation: escalation.Rotation{
				Zone: "Europe/Amsterdam", Start: "2026-10-23T17:30", Unit: escalation.Days, Length: 1, Users: []string{"ann", "ravi"},
			}}},
			Overrides: overrides,
		}},
	}
}

// On 25 October Amsterdam puts its clocks back: 17:30 is 15:30Z on the 24th and 16:30Z
// on the 25th; in Singapore it is 23:30 and 00:30.
func TestShiftChanges(t *testing.T) {
	zoe := escalation.Override{ID: "swap", User: "zoe", Start: at("2026-10-25T00:00:00Z"), End: at("2026-10-25T06:00:00Z")}
	router := newRouter(t, relayRoster(zoe))
	changes, err := router.ShiftChanges("relay", at("2026-10-24T15:30:00Z"), at("2026-10-26T16:30:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		got = append(got, c.At.Format("02T15:04Z ")+c.String())
	}
	want := []string{
		"24T15:30Z relay: ann (Sat 24 Oct 17:30 Europe/Amsterdam) -> ravi (Sat 24 Oct 23:30 Asia/Singapore)",
		"25T00:00Z relay: ravi (Sun 25 Oct 08:00 Asia/Singapore) -> zoe (Sat 24 Oct 19:00 America/Chicago)",
		"25T06:00Z relay: zoe (Sun 25 Oct 01:00 America/Chicago) -> ravi (Sun 25 Oct 14:00 Asia/Singapore)",
		"25T16:30Z relay: ravi (Mon 26 Oct 00:30 Asia/Singapore) -> ann (Sun 25 Oct 17:30 Europe/Amsterdam)",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("ShiftChanges:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	shifts, err := router.ShiftsOf("ravi", at("2026-10-25T10:00:00Z"), at("2026-10-25T11:00:00Z"))
	if err != nil || len(shifts) != 1 || shifts[0].Start.Format(time.RFC3339) != "2026-10-25T14:00:00+08:00" || shifts[0].End.Format(time.RFC3339) != "2026-10-26T00:30:00+08:00" {
		t.Errorf("ShiftsOf = %v, %v, want the whole shift that holds the hour", shifts, err)
	}
	if shifts, err = router.ShiftsOf("boss", at("2026-10-25T10:00:00Z"), at("2026-10-25T11:00:00Z")); err != nil || shifts == nil || len(shifts) > 0 {
		t.Errorf("ShiftsOf(boss) = %v, %v, want none", shifts, err)
	}
	for name, err := range map[string]error{
		`schedule "x"`: func() error { _, err := router.ShiftChanges("x", zoe.Start, zoe.End); return err }(),
		`to "`:         func() error { _, err := router.ShiftChanges("relay", zoe.End, zoe.Start); return err }(),
		`engineer "x"`: func() error { _, err := router.ShiftsOf("x", zoe.Start, zoe.End); return err }(),
		`before_ns[1] "24h0m0s"`: func() error {
			_, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: zoe.Start, Until: zoe.End, Before: []time.Duration{24 * time.Hour, 24 * time.Hour}})
			return err
		}(),
		`before_ns[0] "-1h0m0s"`: func() error {
			_, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: zoe.Start, Until: zoe.End, Before: []time.Duration{-time.Hour}})
			return err
		}(),
		`schedules[0] "x"`: func() error {
			_, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: zoe.Start, Until: zoe.End, Schedules: []string{"x"}})
			return err
		}(),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one at %s", err, name)
		}
	}
}

// Who swaps is told, and who gave the shift away is not.
func TestShiftNotices(t *testing.T) {
	router := newRouter(t, relayRoster(escalation.Override{ID: "swap", Kind: escalation.Cover, User: "zoe", Replaces: "ravi", Start: at("2026-10-24T15:30:00Z"), End: at("2026-10-25T16:30:00Z")}))
	notices, err := router.ShiftNotices(escalation.ShiftNoticeQuery{
		From: at("2026-10-24T00:00:00Z"), Until: at("2026-10-25T00:00:00Z"), Before: []time.Duration{24 * time.Hour, time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range notices {
		got = append(got, n.At.Format("02T15:04Z ")+n.Text())
	}
	want := []string{
		"24T14:30Z zoe, you are on call for relay from Sat 24 Oct 10:30 to Sun 25 Oct 11:30 (America/Chicago), after ann",
		// 24 elapsed hours before 16:30Z, though 18:30 on the clock of Amsterdam.
		"24T16:30Z ann, you are on call for relay from Sun 25 Oct 17:30 to Mon 26 Oct 17:30 (Europe/Amsterdam), after zoe",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("ShiftNotices:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Who is on call without end is told so; who has been so for ever has no start.
func TestShiftsWithoutEnd(t *testing.T) {
	roster := relayRoster()
	roster.Schedules["always"] = single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T09:00", Unit: escalation.Days, Length: 1, Users: []string{"ann"}})
	ever := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T09:00", Unit: escalation.Days, Length: 1, Users: []string{"zoe"}, Backwards: true})
	roster.Schedules["ever"] = ever
	router := newRouter(t, roster)
	notices, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: at("2026-10-04T00:00:00Z"), Until: at("2026-10-05T00:00:00Z"), Schedules: []string{"always", "ever"}})
	if err != nil || len(notices) != 1 || notices[0].Text() != "ann, you are on call for always from Mon 5 Oct 11:00 on (Europe/Amsterdam)" {
		t.Errorf("ShiftNotices = %v, %v", notices, err)
	}
	for when, begins := range map[string]bool{"always": true, "ever": false} {
		spans := router.Schedule(when).ShiftsOf(router.Schedule(when).WhoAt(at("2026-12-01T00:00:00Z")).User, at("2026-12-01T00:00:00Z"), at("2026-12-02T00:00:00Z"))
		if len(spans) != 1 || spans[0].Start.IsZero() == begins || begins && !spans[0].Start.Equal(at("2026-10-05T09:00:00Z")) || !spans[0].End.IsZero() {
			t.Errorf("%s: %v", when, spans)
		}
	}
	for _, when := range farInstants {
		router.Schedule("ever").ShiftsOf("zoe", when, when.Add(time.Hour))
		router.Schedule("relay").ShiftsOf("ravi", when, when.Add(time.Hour))
	}
}

// Split at any instant the notices are the same, and each tells of the start of a
// shift of the person.
func TestShiftNoticesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	around := at("2026-03-29T12:00:00Z")
	from, to := around.Add(-4*24*time.Hour), around.Add(4*24*time.Hour)
	for range 20 {
		plan := fixture.Plan(r, around)
		roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Schedules: map[string]escalation.Plan{"s": plan}}
		for i, id := range []string{"ann", "bob", "cem", "dee"} {
			roster.Engineers = append(roster.Engineers, escalation.Engineer{ID: id, Level: escalation.Senior, Zone: fixture.Zones[i]})
		}
		router := newRouter(t, roster)
		ask := func(from, to time.Time) []escalation.ShiftNotice {
			notices, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: from, Until: to, Before: []time.Duration{3 * time.Hour}})
			if err != nil {
				t.Fatal(err)
			}
			return notices
		}
		middle := from.Add(time.Duration(1 + r.Int64N(int64(to.Sub(from))-1)))
		whole := ask(from, to)
		if parts := append(ask(from, middle), ask(middle, to)...); fmt.Sprint(parts) != fmt.Sprint(whole) {
			t.Fatalf("split at %s: %v, want %v", middle, parts, whole)
		}
		told := map[string]int{}
		for _, n := range whole {
			told[n.Engineer]++
			spans := router.Schedule("s").ShiftsOf(n.Engineer, n.Shift.Start, n.Shift.Start.Add(1))
			if len(spans) != 1 || !n.Shift.End.IsZero() && !spans[0].Equal(calendar.Interval{Start: n.Shift.Start, End: n.Shift.End}) {
				t.Fatalf("notice %v of shifts %v", n, spans)
			}
		}
		for _, e := range roster.Engineers {
			starts := 0
			for _, span := range router.Schedule("s").ShiftsOf(e.ID, from.Add(3*time.Hour), to.Add(3*time.Hour)) {
				if !span.Start.Before(from.Add(3 * time.Hour)) {
					starts++
				}
			}
			if starts != told[e.ID] {
				t.Fatalf("%s has %d shifts that start and %d notices", e.ID, starts, told[e.ID])
			}
		}
	}
}

// Facts for a weekly mail, for the handoffs of a week, and for reminders.
func ExampleRouter_ShiftNotices() {
	router, err := escalation.NewRouter(relayRoster())
	if err != nil {
		log.Fatal(err)
	}
	monday := time.Date(2026, 10, 26, 0, 0, 0, 0, time.UTC)
	shifts, err := router.ShiftsOf("ravi", monday, monday.AddDate(0, 0, 2))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range shifts {
		fmt.Printf("%s: %s to %s\n", s.Schedule, s.Start.Format("Mon 2 Jan 15:04"), s.End.Format("Mon 2 Jan 15:04 MST"))
	}
	changes, err := router.ShiftChanges("relay", monday, monday.AddDate(0, 0, 1))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range changes {
		fmt.Println(c)
	}
	notices, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: monday, Until: monday.AddDate(0, 0, 1), Before: []time.Duration{8 * time.Hour}})
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range notices {
		fmt.Printf("at %s tell %s\n", n.At.Format("15:04Z"), n.Text())
	}
	// Output:
	// relay: Tue 27 Oct 00:30 to Wed 28 Oct 00:30 +08
	// relay: ann (Mon 26 Oct 17:30 Europe/Amsterdam) -> ravi (Tue 27 Oct 00:30 Asia/Singapore)
	// at 08:30Z tell ravi, you are on call for relay from Tue 27 Oct 00:30 to Wed 28 Oct 00:30 (Asia/Singapore), after ann
}
