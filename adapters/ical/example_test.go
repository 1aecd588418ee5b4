package ical_test

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/escalation"
)

// A shift changes hands: the event stays the same one, with the next number, and
// calendars that have it show the new person.
func ExampleDutyCalendar() {
	day := func(n, hour int) time.Time { return time.Date(2026, 10, n, hour, 0, 0, 0, time.UTC) }
	plan := escalation.Plan{Layers: []escalation.Layer{{Name: "weeks", Rotation: escalation.Rotation{
		Zone: "UTC", Start: "2026-10-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"sarah", "marcus"},
	}}}}
	roster := escalation.SampleRoster()
	publish := func(stamp time.Time, before []byte) []byte {
		roster.Schedules = map[string]escalation.Plan{"primary": plan}
		router, err := escalation.NewRouter(roster)
		if err != nil {
			panic(err)
		}
		calendar := ical.DutyCalendar{Domain: "oncall.example.net", Stamp: stamp, Before: before}
		var document bytes.Buffer
		if err := calendar.Shifts(&document, router, ical.ShiftQuery{From: day(5, 9), Until: day(12, 9)}); err != nil {
			panic(err)
		}
		return document.Bytes()
	}
	first := publish(day(1, 8), nil)
	plan.Overrides = []escalation.Override{{ID: "swap", Start: day(5, 9), End: day(12, 9), User: "marcus"}}
	for line := range strings.Lines(string(publish(day(2, 8), first))) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "UID") || strings.HasPrefix(line, "SEQ") || strings.HasPrefix(line, "SUM") {
			fmt.Println(line)
		}
	}
	// Output:
	// UID:primary-20261005T090000Z@oncall.example.net
	// SEQUENCE:1
	// SUMMARY:marcus on call: primary
}

func ExampleTimeOff() {
	feed := strings.Join([]string{
		"BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "SUMMARY:Sarah Chen: leave", "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	absences, _, err := ical.TimeOff(strings.NewReader(feed), from, from.AddDate(0, 1, 0), amsterdam, ical.TimeOffOptions{People: map[string]string{"Sarah Chen": "sarah"}})
	fmt.Println(absences[0].Engineer, absences[0].Start.Format(time.RFC3339), absences[0].End.Format(time.RFC3339), err)
	// Output: sarah 2026-12-23T23:00:00Z 2026-12-26T23:00:00Z <nil>
}
