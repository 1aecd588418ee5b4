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
	for _, n := range []int{24, 1000, 10_000} {
		roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Zone: "Europe/Amsterdam"}
		for i := range n {
			roster.Engineers = append(roster.Engineers, escalation.Engineer{
				ID: fmt.Sprintf("e%05d", i), Level: escalation.Level(1 + i%3), Zone: someZones[i%4],
				Primary:      []string{fmt.Sprintf("skill%d", i%8)},
				Availability: escalation.Availability{{From: "08:00", To: "18:00"}},
			})
		}
		router := newRouter(b, roster)
		q := escalation.Request{At: at("2026-10-05T12:00:00Z"), Severity: incident.P2, Domain: "skill3"}
		for name, ask := range map[string]func(escalation.Request) (escalation.Routing, error){"all": router.Candidates, "first": router.Assign} {
			b.Run(fmt.Sprintf("%s/engineers=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := ask(q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
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

// people are n engineers of three centres with two skills each and ten absences in
// the year, on call in turns of a day.
func people(b *testing.B, n int) *escalation.Router {
	b.Helper()
	roster := escalation.Roster{
		LastResort: escalation.Contact{ID: "boss"}, Centres: escalation.SampleCentres(), Domains: escalation.SampleDomains(),
		Schedules: map[string]escalation.Plan{},
	}
	rotation := escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-01-01T09:00", Unit: escalation.Days, Length: 1}
	for i := range n {
		id := fmt.Sprintf("e%05d", i)
		roster.Engineers = append(roster.Engineers, escalation.Engineer{
			ID: id, Level: escalation.Senior, Centre: roster.Centres[i%3].ID, Primary: []string{roster.Domains[i%8]}, Secondary: []string{roster.Domains[(i/8+1)%8]},
		})
		rotation.Users = append(rotation.Users, id)
		for k := range 10 {
			from := at("2026-01-01T00:00:00Z").AddDate(0, 0, (i*7+k*36)%360)
			roster.Absences = append(roster.Absences, escalation.Absence{Engineer: id, From: from, To: from.AddDate(0, 0, 3)})
		}
	}
	roster.Schedules["all"] = escalation.Plan{Layers: []escalation.Layer{{Name: "l", Rotation: rotation}}}
	return newRouter(b, roster)
}

func BenchmarkReportsOfAYear(b *testing.B) {
	duty := escalation.DutyQuery{From: at("2026-01-01T00:00:00Z"), To: at("2027-01-01T00:00:00Z")}
	dates := escalation.KnowledgeQuery{From: "2026-01-01", To: "2027-01-01"}
	for _, n := range []int{24, 1000} {
		router := people(b, n)
		for name, report := range map[string]func() error{
			"fairness":  func() error { _, err := router.Fairness(escalation.FairnessQuery{DutyQuery: duty}); return err },
			"strain":    func() error { _, err := router.Strain(escalation.StrainQuery{DutyQuery: duty}); return err },
			"conflicts": func() error { _, err := router.Conflicts(duty); return err },
			"knowledge": func() error { _, err := router.Knowledge(dates); return err },
			"hourly":    func() error { _, err := router.HourlyKnowledge(dates, "UTC"); return err },
		} {
			b.Run(fmt.Sprintf("%s/people=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := report(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
