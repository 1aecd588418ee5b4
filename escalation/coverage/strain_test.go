package coverage_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// nights is ann from 22:00 to 06:00 in Amsterdam on every day, and on one day in
// the office as well.
func nights() escalation.Roster {
	roster := pair()
	roster.Schedules = map[string]escalation.Plan{
		"night": {Layers: []escalation.Layer{{
			Name:     "night",
			Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-02T09:00", Unit: escalation.Days, Length: 1, Users: []string{"ann"}},
			Windows:  []escalation.Window{{From: "22:00", To: "06:00", Except: []string{"2026-03-11"}}},
		}}},
		"office": {Layers: []escalation.Layer{{
			Name:     "office",
			Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-02T09:00", Unit: escalation.Days, Length: 1, Users: []string{"ann"}},
			Windows:  []escalation.Window{{Days: escalation.Thursday, From: "06:00", To: "12:00"}},
		}}},
	}
	return roster
}

// ann is on call in the nights from 2 to 10 March and from 12 to 15 March, and on
// the Thursdays 5 and 12 March from 06:00 (05:00Z) to noon: from the night of the
// 4th that is one stretch of 14 hours, followed by a rest of ten.
func TestStrain(t *testing.T) {
	list, err := coverage.StrainOf(fixture.Router(t, nights()), coverage.StrainQuery{DutyQuery: coverage.DutyQuery{
		From: fixture.At("2026-03-02T12:00:00Z"), Until: fixture.At("2026-03-16T12:00:00Z"),
	}})
	if err != nil || len(list) != 1 {
		t.Fatalf("Strain() = %v, %v, want ann alone", list, err)
	}
	ann := list[0]
	if want := fixture.Span("2026-03-04T21:00:00Z", "2026-03-05T11:00:00Z"); !ann.Longest.Equal(want) {
		t.Errorf("longest = %s, want %s", ann.Longest, want)
	}
	short := []calendar.Interval{fixture.Span("2026-03-05T11:00:00Z", "2026-03-05T21:00:00Z"), fixture.Span("2026-03-12T11:00:00Z", "2026-03-12T21:00:00Z")}
	if !ann.ShortestRest.Equal(short[0]) {
		t.Errorf("shortest rest = %s, want %s", ann.ShortestRest, short[0])
	}
	fixture.Check(t, "short rests", ann.ShortRests, short)
	if want := (coverage.NightRun{Nights: 9, First: "2026-03-02", Last: "2026-03-10"}); ann.NightRun != want || ann.Nights != 13 {
		t.Errorf("%d nights, run %+v, want 13 and %+v", ann.Nights, ann.NightRun, want)
	}
	fixture.Check(t, "long runs", ann.LongRuns, []coverage.NightRun{ann.NightRun})
}

// What counts as a night, and how much of it, is up to the query.
func TestStrainByOtherMeasures(t *testing.T) {
	router := fixture.Router(t, nights())
	query := coverage.StrainQuery{
		DutyQuery: coverage.DutyQuery{
			From: fixture.At("2026-03-02T12:00:00Z"), Until: fixture.At("2026-03-16T12:00:00Z"), Schedules: []string{"office"},
			Night: escalation.Window{From: "23:00", To: "07:00"},
		},
		MinRest: 163 * hour, // one hour more than there is between the Thursdays
	}
	list, err := coverage.StrainOf(router, query)
	if err != nil {
		t.Fatal(err)
	}
	ann := list[0]
	if ann.Nights != 0 || len(ann.LongRuns) != 0 || len(ann.ShortRests) != 1 {
		t.Errorf("office alone: %+v, want no night (one hour of each), one short rest", ann)
	}
	query.NightFrom = hour
	if list, _ = coverage.StrainOf(router, query); list[0].Nights != 2 || list[0].NightRun.Nights != 1 {
		t.Errorf("from one hour on: %+v, want two single nights", list[0])
	}
}

// A week on call is one stretch, and its clock change takes an hour of a night.
func TestStrainOfAWeek(t *testing.T) {
	list, err := coverage.StrainOf(fixture.Router(t, pair()), coverage.StrainQuery{DutyQuery: coverage.DutyQuery{
		From: fixture.At("2026-03-02T08:00:00Z"), Until: fixture.At("2026-03-30T07:00:00Z"), Zone: "Europe/Amsterdam",
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		id, first    string
		longest      calendar.Interval
		shortestRest calendar.Interval
	}{
		{"ann", "2026-03-02", fixture.Span("2026-03-02T08:00:00Z", "2026-03-09T08:00:00Z"), fixture.Span("2026-03-09T08:00:00Z", "2026-03-16T08:00:00Z")},
		{"omar", "2026-03-09", fixture.Span("2026-03-09T08:00:00Z", "2026-03-16T08:00:00Z"), fixture.Span("2026-03-16T08:00:00Z", "2026-03-23T08:00:00Z")},
	} {
		got := list[i]
		if got.Engineer != want.id || !got.Longest.Equal(want.longest) || !got.ShortestRest.Equal(want.shortestRest) || got.NightRun.Nights != 7 || got.NightRun.First != want.first || got.Nights != 14 {
			t.Errorf("Strain()[%d] = %+v, want %+v, twice 7 nights", i, got, want)
		}
	}
}
