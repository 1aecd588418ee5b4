package escalation_test

import (
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// On the night to 29 March 2026 the clocks of Amsterdam are put forward at 01:00Z:
// 22:00 to 06:00 is 21:00Z to 04:00Z, an hour less, and still belongs to Saturday.
func TestHours(t *testing.T) {
	h, err := escalation.NewHours("Europe/Amsterdam", []escalation.Window{{From: "22:00", To: "06:00"}, {Days: escalation.Sunday, From: "05:00", To: "07:00"}})
	if err != nil {
		t.Fatal(err)
	}
	from, to := at("2026-03-28T21:30:00Z"), at("2026-03-29T12:00:00Z")
	var got []string
	for _, o := range h.Occurrences(from, to) {
		got = append(got, fmt.Sprint(o.Date, " ", o.Interval))
	}
	check(t, "occurrences", got, []string{"2026-03-28 [2026-03-28T21:30:00Z, 2026-03-29T04:00:00Z)", "2026-03-29 [2026-03-29T03:00:00Z, 2026-03-29T05:00:00Z)"})
	check(t, "intervals", []string{fmt.Sprint(h.Expand(from, to))}, []string{"[[2026-03-28T21:30:00Z, 2026-03-29T05:00:00Z)]"})
	for when, want := range map[string]bool{"2026-03-28T20:59:59Z": false, "2026-03-28T21:00:00Z": true, "2026-03-29T04:59:59Z": true, "2026-03-29T05:00:00Z": false} {
		if got := h.IsOpen(at(when)); got != want {
			t.Errorf("Open(%s) = %t, want %t", when, got, want)
		}
	}
	_, err = escalation.NewHours("CST", []escalation.Window{{From: "24:00", To: "18"}})
	fixture.Problems(t, "NewHours", err, []string{`timezone "CST"`, `hours[0].from "24:00"`, `hours[0].to "18"`})
}

// People without hours work those of their centre, in its zone.
func TestHoursOfPeople(t *testing.T) {
	roster := escalation.SampleRoster()
	roster.Centres = escalation.SampleCentres()
	roster.Engineers = append(roster.Engineers, escalation.Engineer{ID: "omar", Level: escalation.Senior, Centre: "singapore"})
	router := newRouter(t, roster)
	for id, want := range map[string]string{
		"sarah": "Europe/Amsterdam [[2026-07-14T06:00:00Z, 2026-07-14T16:00:00Z)]", // 08:00 to 18:00
		"omar":  "Asia/Singapore [[2026-07-14T00:00:00Z, 2026-07-14T10:00:00Z) [2026-07-14T22:00:00Z, 2026-07-15T00:00:00Z)]",
	} {
		h := router.Hours(id)
		if got := fmt.Sprint(h.Location(), " ", h.Expand(at("2026-07-14T00:00:00Z"), at("2026-07-15T00:00:00Z"))); got != want {
			t.Errorf("hours of %s = %s, want %s", id, got, want)
		}
	}
	if router.Hours("nobody") != nil || router.Centres().Hours("mars") != nil || len(router.Roster().Engineers) != 3 || router.Centres().All()[1].ID != "austin" {
		t.Error("want no hours of strangers, the roster as it was given, and Austin second")
	}
}
