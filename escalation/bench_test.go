package escalation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
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
			Rotation: escalation.Rotation{Zone: fixture.Zones[i%4], Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob", "cem"}},
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
				ID: fmt.Sprintf("e%05d", i), Level: escalation.Level(1 + i%3), Zone: fixture.Zones[i%4],
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

// One incident that goes through all levels of a long policy, up to the greatest:
// each firing looks through the levels.
func BenchmarkLevels(b *testing.B) {
	router := newRouter(b, team())
	for _, c := range []struct{ steps, repeat int }{{10, 0}, {10, 9}, {100, 0}, {100, 9}} {
		p := escalation.Policy{Repeat: c.repeat}
		for i := range c.steps {
			p.Steps = append(p.Steps, step(i+1, escalation.Resolved, escalation.Target{Webhook: "siren"}))
		}
		if c.repeat > 0 {
			p.Every = c.steps + 1
		}
		config := escalation.Config{Router: router, Matrix: same(p)}
		b.Run(fmt.Sprintf("steps=%d/passes=%d", c.steps, c.repeat+1), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e, err := escalation.NewEngine(config)
				if err != nil {
					b.Fatal(err)
				}
				_, err = e.Replay([]escalation.Event{opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z")}, at("2027-10-05T14:00:00Z"))
				if err != nil {
					b.Fatal(err)
				}
			}
		})
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

// What grows with the roster, and with the overrides of a plan of which one lasts all
// year.
func BenchmarkLargeRoster(b *testing.B) {
	from, to := at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")
	instants := instants()
	for _, n := range []int{1000, 10_000} {
		roster := fixture.People(n)
		plan := roster.Schedules["all"]
		plan.WhenAbsent = escalation.NextInRotation
		roster.Schedules["present"] = plan
		plan.WhenAbsent = escalation.StayOnCall
		for i := range n {
			start := from.Add(time.Duration(i) * time.Hour * 8760 / time.Duration(n))
			plan.Overrides = append(plan.Overrides, escalation.Override{
				ID: fmt.Sprintf("o%d", i), Kind: escalation.Add, User: fmt.Sprintf("e%05d", (i*7)%n), Start: start, End: start.Add(30 * time.Minute),
			})
		}
		plan.Overrides[0].End = to
		roster.Schedules["overrides"] = plan
		router := newRouter(b, roster)
		q := escalation.Request{Severity: incident.P1, Domain: escalation.Databases}
		i := 0
		for _, c := range []struct {
			name string
			ask  func() error
		}{
			{"NewRouter", func() error { _, err := escalation.NewRouter(roster); return err }},
			{"Assign", func() error { q.At = instants[i%1024]; _, err := router.Assign(q); return err }},
			{"WhoAt", func() error { router.Schedule("all").WhoAt(instants[i%1024]); return nil }},
			{"WhoAt/present", func() error { router.Schedule("present").WhoAt(instants[i%1024]); return nil }},
			{"WhoAt/overrides", func() error { router.Schedule("overrides").WhoAt(instants[i%1024]); return nil }},
			{"Shifts", func() error { router.Schedule("all").Shifts(from, to); return nil }},
			{"Shifts/present", func() error { router.Schedule("present").Shifts(from, to); return nil }},
			{"Shifts/overrides", func() error { router.Schedule("overrides").Shifts(from, to); return nil }},
			{"ShiftNotices", func() error {
				_, err := router.ShiftNotices(escalation.ShiftNoticeQuery{From: from, Until: to, Schedules: []string{"all", "present"}})
				return err
			}},
		} {
			b.Run(fmt.Sprintf("%s/people=%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for i = 0; b.Loop(); i++ {
					if err := c.ask(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
