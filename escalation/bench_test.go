package escalation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// instants are spread over a year.
func instants() []time.Time {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([]time.Time, 1024)
	for i := range out {
		out[i] = at("2026-01-06T00:00:00Z").Add(time.Duration(r.Int64N(365*24)) * time.Hour)
	}
	return out
}

func layered(n int) escalation.Plan {
	var plan escalation.Plan
	for i := range n {
		plan.Layers = append(plan.Layers, escalation.Layer{
			Name:     fmt.Sprintf("rule%d", i),
			Rotation: escalation.Rotation{Zone: someZones[i%4], Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob", "cem"}},
			Windows:  []escalation.Window{{Days: escalation.Weekdays, From: fmt.Sprintf("%02d:00", i), To: fmt.Sprintf("%02d:00", i+10)}},
		})
	}
	return plan
}

func BenchmarkWhoAt(b *testing.B) {
	at := instants()
	for _, unit := range []escalation.Unit{escalation.Weeks, escalation.Days, escalation.Months, escalation.WallHours, escalation.ElapsedHours} {
		s, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{{
			Name:     "all",
			Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: unit, Length: 1, Users: []string{"ann", "bob", "cem"}},
		}}})
		if err != nil {
			b.Fatal(err)
		}
		b.Run("unit="+unit.String(), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.WhoAt(at[i%len(at)])
			}
		})
	}
	s, err := escalation.NewSchedule(layered(8))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("layers=8", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			s.WhoAt(at[i%len(at)])
		}
	})
}

func BenchmarkShifts(b *testing.B) {
	s, err := escalation.NewSchedule(layered(8))
	if err != nil {
		b.Fatal(err)
	}
	from, to := at("2026-01-05T09:00:00Z"), at("2027-01-05T09:00:00Z")
	b.Run("year/layers=8", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Shifts(from, to)
		}
	})
}

func BenchmarkCandidates(b *testing.B) {
	for _, n := range []int{24, 10_000} {
		roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Zone: "Europe/Amsterdam"}
		for i := range n {
			roster.Engineers = append(roster.Engineers, escalation.Engineer{
				ID: fmt.Sprintf("e%05d", i), Level: escalation.Level(1 + i%3), Zone: someZones[i%4],
				Primary:      []string{fmt.Sprintf("skill%d", i%8)},
				Availability: escalation.Availability{{From: "08:00", To: "18:00"}},
			})
		}
		router := newRouter(b, roster)
		b.Run(fmt.Sprintf("engineers=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := router.Candidates(escalation.Request{At: at("2026-10-05T12:00:00Z"), Severity: incident.P2, Domain: "skill3"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One incident from its opening through three levels to its end.
func BenchmarkEngine(b *testing.B) {
	router := newRouter(b, team())
	b.ReportAllocs()
	for b.Loop() {
		e, err := escalation.NewEngine(escalation.Config{Router: router})
		if err != nil {
			b.Fatal(err)
		}
		_, err = e.Replay([]escalation.Event{
			opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z"),
			event(escalation.Resolved, "A", "2026-10-05T16:00:00Z"),
		}, at("2026-10-05T17:00:00Z"))
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewSchedule(b *testing.B) {
	plan := layered(8)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := escalation.NewSchedule(plan); err != nil {
			b.Fatal(err)
		}
	}
}
