package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// goals are figures per operation to reach without a peer.
var goals = []measure.Pair{
	who("oncall/who_weeks", escalation.Weeks),
	who("oncall/who_days", escalation.Days),
	who("oncall/who_months", escalation.Months),
	who("oncall/who_wall_hours", escalation.WallHours),
	who("oncall/who_elapsed_hours", escalation.ElapsedHours),
	{Name: "oncall/final_year_8_layers", Peer: "goal", Bar: 1, Goal: time.Millisecond, Setup: finalYear(false)},
	{Name: "oncall/final_year_8_layers_together", Peer: "goal", Bar: 1, Goal: time.Millisecond, Setup: finalYear(true)},
	{Name: "oncall/assign_of_1000", Peer: "goal", Bar: 1, Goal: 20 * time.Microsecond, Setup: func() (func(), func(), error) {
		assign, err := assign(1000)
		return assign, nil, err
	}},
}

// growths are the routing of requests in a large team beside those of small ones, whose
// cost is to grow with the team and no faster, and as many questions who is on call as the
// rotation has people, whose cost is to be the same.
var growths = slices.Concat(
	measure.Growth("oncall/assign", "engineers", 100, assign),
	measure.Growth("oncall/who", "people and questions", 10, whoOf),
)

func who(name string, unit escalation.Unit) measure.Pair {
	return measure.Pair{
		Name: name, Peer: "goal", Bar: 1, Ops: len(instants), Goal: 200 * time.Nanosecond, NoAllocs: true,
		Setup: func() (func(), func(), error) {
			s, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{{Name: "all", Rotation: rotation(unit)}}})
			return func() { whoAll(s) }, nil, err
		},
	}
}

var zones = []string{"Europe/Amsterdam", "America/Chicago", "Asia/Singapore", "Australia/Lord_Howe"}

// finalYear makes the shifts of a year of eight weekly layers, each open ten hours
// on weekdays, in four zones.
func finalYear(together bool) func() (func(), func(), error) {
	return func() (func(), func(), error) {
		plan := escalation.Plan{Together: together}
		for i := range 8 {
			r := rotation(escalation.Weeks)
			r.Zone = zones[i%len(zones)]
			plan.Layers = append(plan.Layers, escalation.Layer{
				Name: fmt.Sprintf("layer%d", i), Rotation: r,
				Windows: []escalation.Window{{Days: escalation.Weekdays, From: fmt.Sprintf("%02d:00", i), To: fmt.Sprintf("%02d:00", i+10)}},
			})
		}
		s, err := escalation.NewSchedule(plan)
		if err != nil {
			return nil, nil, err
		}
		from := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
		to := from.AddDate(1, 0, 0)
		if n := len(s.Shifts(from, to)); n < 1000 {
			return nil, nil, fmt.Errorf("%d shifts, want thousands", n)
		}
		return func() { s.Shifts(from, to) }, nil, nil
	}
}

// assign routes a P2 in a team of n in four zones, of whom one in eight has the
// skill.
func assign(n int) (func(), error) {
	roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}}
	for i := range n {
		roster.Engineers = append(roster.Engineers, escalation.Engineer{
			ID: fmt.Sprintf("e%05d", i), Level: escalation.Level(1 + i%3), Zone: zones[i%len(zones)],
			Primary:      []string{fmt.Sprintf("skill%d", i%8)},
			Availability: escalation.Availability{{From: "08:00", To: "18:00"}},
		})
	}
	router, err := escalation.NewRouter(roster)
	if err != nil {
		return nil, err
	}
	// 17:00 in Chicago, where those with skill 1 work.
	q := escalation.Request{At: time.Date(2026, 10, 5, 22, 0, 0, 0, time.UTC), Severity: incident.P2, Domain: "skill1"}
	if got, err := router.Assign(q); err != nil || got.Status != escalation.Assigned {
		return nil, fmt.Errorf("assign in a team of %d: %+v, %w", n, got, err)
	}
	return func() { must(router.Assign(q)) }, nil
}

// whoOf asks n times who of n people is on call.
func whoOf(n int) (func(), error) {
	r := rotation(escalation.Days)
	r.Users = make([]string, n)
	for i := range r.Users {
		r.Users[i] = fmt.Sprintf("e%05d", i)
	}
	s, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{{Name: "all", Rotation: r}}})
	return func() {
		for i := range n {
			s.WhoAt(instants[i%len(instants)])
		}
	}, err
}
