package coverage_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

func TestConflicts(t *testing.T) {
	roster := nights()
	// From Wednesday noon to Thursday noon, by the clock of Amsterdam.
	roster.Absences = []escalation.Absence{{Engineer: "ann", Start: fixture.At("2026-03-04T11:00:00Z"), End: fixture.At("2026-03-05T11:00:00Z"), Reason: "course"}}
	// A third schedule from 05:00 to 08:00 on the same Thursday, for both.
	roster.Schedules["early"] = escalation.Plan{
		Layers: []escalation.Layer{{
			Name:     "early",
			Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-05T05:00", Unit: escalation.Days, Length: 1, Users: []string{"omar"}},
			Windows:  []escalation.Window{{From: "05:00", To: "08:00", Days: escalation.Thursday}},
		}},
		Overrides: []escalation.Override{{ID: "help", Kind: escalation.Add, User: "ann", Start: fixture.At("2026-03-05T04:00:00Z"), End: fixture.At("2026-03-05T07:00:00Z")}},
	}
	router := fixture.Router(t, roster)
	list, err := coverage.Conflicts(router, coverage.DutyQuery{From: fixture.At("2026-03-02T12:00:00Z"), Until: fixture.At("2026-03-06T12:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprint(c.Interval, " ", c.Kind, " ", c.Engineer, " ", c.Schedules, " ", c.Reason))
	}
	fixture.Check(t, "conflicts", got, []string{
		"[2026-03-04T21:00:00Z, 2026-03-05T05:00:00Z) absent_on_call ann [night] course",
		"[2026-03-05T04:00:00Z, 2026-03-05T07:00:00Z) absent_on_call ann [early] course",
		"[2026-03-05T04:00:00Z, 2026-03-05T05:00:00Z) double_booked ann [early night] ",
		"[2026-03-05T05:00:00Z, 2026-03-05T11:00:00Z) absent_on_call ann [office] course",
		"[2026-03-05T05:00:00Z, 2026-03-05T07:00:00Z) double_booked ann [early office] ",
	})

	text := fixture.JSON(t, list[2])
	var again coverage.Conflict
	if err := json.Unmarshal([]byte(text), &again); err != nil || fixture.JSON(t, again) != text {
		t.Errorf("%s read back as %+v (%v)", text, again, err)
	}
	alone, err := coverage.Conflicts(router, coverage.DutyQuery{From: fixture.At("2026-03-05T12:00:00Z"), Until: fixture.At("2026-03-06T12:00:00Z")})
	if err != nil || len(alone) != 0 {
		t.Errorf("after the course: %v, %v, want no conflict", alone, err)
	}
}

// Minute for minute conflicts are what WhoAt and the absences say.
func TestConflictsAgainstTheClock(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	people := []string{"ann", "bob", "cem", "dee"}
	seen := map[coverage.ConflictKind]int{}
	for n := range 12 {
		around := fixture.At("2026-03-29T12:00:00Z")
		from, to := around.Add(-48*hour), around.Add(48*hour)
		roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Schedules: randomSchedules(r, around)}
		for _, id := range people {
			roster.Engineers = append(roster.Engineers, escalation.Engineer{ID: id, Level: escalation.Senior, Zone: "UTC"})
			start := from.Add(time.Duration(r.IntN(96*60)) * time.Minute)
			roster.Absences = append(roster.Absences, escalation.Absence{Engineer: id, Start: start, End: start.Add(time.Duration(1+r.IntN(1000)) * time.Minute)})
		}
		router := fixture.Router(t, roster)
		list, err := coverage.Conflicts(router, coverage.DutyQuery{From: from, Until: to})
		if err != nil {
			t.Fatal(err)
		}
		for now := from; now.Before(to); now = now.Add(time.Minute) {
			var got, want []string
			for _, c := range list {
				if c.Contains(now) {
					got = append(got, fmt.Sprint(c.Engineer, c.Kind, c.Schedules))
					seen[c.Kind]++
				}
			}
			for id, schedules := range onCallAt(router, now) {
				if len(schedules) > 1 && id != "" {
					want = append(want, fmt.Sprint(id, coverage.DoubleBooked, schedules))
				}
				if i := slices.Index(people, id); i >= 0 && !now.Before(roster.Absences[i].Start) && now.Before(roster.Absences[i].End) {
					for _, name := range schedules {
						want = append(want, fmt.Sprint(id, coverage.AbsentOnCall, []string{name}))
					}
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("case %d at %s: conflicts %v, want %v", n, now, got, want)
			}
		}
	}
	if seen[coverage.DoubleBooked] == 0 || seen[coverage.AbsentOnCall] == 0 {
		t.Errorf("minutes with conflicts: %v, want some of each kind", seen)
	}
}
