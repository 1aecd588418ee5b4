package escalation_test

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// busy is a team in which ann and bob work by day, cem sleeps and is in the
// pool; ann takes two incidents at most, bob one.
func busy() escalation.Roster {
	day := escalation.Availability{{From: "08:00", To: "18:00"}}
	return escalation.Roster{
		Zone:       "UTC",
		LastResort: escalation.Contact{ID: "boss"},
		Engineers: []escalation.Engineer{
			{ID: "ann", Level: escalation.Principal, Primary: []string{escalation.Databases}, Availability: day, MaxOpen: 2},
			{ID: "bob", Level: escalation.Junior, Secondary: []string{escalation.Databases}, Availability: day, MaxOpen: 1},
			{ID: "cem", Level: escalation.Senior, Primary: []string{escalation.Databases}, Availability: escalation.Availability{{From: "20:00", To: "22:00"}}, InPool: true},
		},
	}
}

func TestMaximumOfOpenIncidents(t *testing.T) {
	router := newRouter(t, busy())
	open := func(ann, bob int) map[string]escalation.Load {
		return map[string]escalation.Load{"ann": {Open: ann}, "bob": {Open: bob}}
	}
	for _, c := range []struct {
		name     string
		severity incident.Severity
		load     map[string]escalation.Load
		want     string
	}{
		{"one below the maximum", incident.P2, open(1, 0), `assigned ann
  search: has databases and is available: 2
  1. ann: principal, primary skill databases, within hours 08:00-18:00 (10:00 in UTC), 1 open
  2. bob: junior, secondary skill databases, within hours 08:00-18:00 (10:00 in UTC)
  not cem: off hours 20:00-22:00 (10:00 in UTC)`},
		{"at the maximum", incident.P2, open(2, 0), `assigned bob
  search: has databases and is available: 1
  1. bob: junior, secondary skill databases, within hours 08:00-18:00 (10:00 in UTC)
  not ann: 2 open, at the maximum of 2
  not cem: off hours 20:00-22:00 (10:00 in UTC)`},
		{"nobody else", incident.P2, open(3, 1), `assigned ann (at_maximum)
  search: has databases and is available: nobody
  search: has databases and is at the maximum: 2
  1. ann: principal, primary skill databases, within hours 08:00-18:00 (10:00 in UTC), 3 open, at the maximum of 2
  2. bob: junior, secondary skill databases, within hours 08:00-18:00 (10:00 in UTC), 1 open, at the maximum of 1
  not cem: off hours 20:00-22:00 (10:00 in UTC)`},
		{"the pool has room", incident.P1, open(2, 1), `assigned cem (on_call_pool)
  search: has databases and is available: nobody
  search: on-call pool with databases, off hours: 1
  1. cem: senior, primary skill databases, in the on-call pool, off hours 20:00-22:00 (10:00 in UTC)
  not ann: 2 open, at the maximum of 2
  not bob: 1 open, at the maximum of 1`},
	} {
		got, err := router.Candidates(escalation.Request{At: at("2026-10-05T10:00:00Z"), Severity: c.severity, Domain: escalation.Databases, Load: c.load})
		if err != nil {
			t.Fatal(err)
		}
		diff(t, c.name, got.String(), c.want)
	}
}

// Without anybody who has the skill, room decides in the owning centre, and
// where nobody has any, somebody is asked all the same.
func TestMaximumInTheOwningCentre(t *testing.T) {
	roster := busy()
	roster.Centres = []escalation.Centre{{ID: "hq", Zone: "UTC", Coverage: []escalation.Window{{From: "00:00", To: "24:00"}}}}
	for i := range roster.Engineers {
		roster.Engineers[i].Centre = "hq"
	}
	router := newRouter(t, roster)
	for want, load := range map[string]map[string]escalation.Load{
		"bob": {"ann": {Open: 2}},
		"ann": {"ann": {Open: 2}, "bob": {Open: 1}},
	} {
		got, err := router.Candidates(escalation.Request{At: at("2026-10-05T10:00:00Z"), Severity: incident.P2, Domain: escalation.Security, Load: load})
		if err != nil {
			t.Fatal(err)
		}
		if got.Assigned != want || got.Reason != escalation.OwningCentre {
			t.Errorf("load %v: %s, want %s of the owning centre", load, got, want)
		}
	}
}

// The engine counts what people hold: the third incident does not go to ann,
// nor does a level of the ladder while cem can be woken.
func TestEngineKeepsToTheMaximum(t *testing.T) {
	e := newEngine(t, busy())
	var assigned []string
	for _, id := range []string{"A", "B", "C", "D", "E"} {
		ev := opened(id, incident.P2, escalation.Databases, "2026-10-05T10:00:00Z")
		if id == "E" {
			ev.Severity = incident.P1
		}
		mustApply(t, e, ev)
		view, _ := e.Incident(id)
		assigned = append(assigned, view.Routing.Assigned)
	}
	// D: both are at their maximum, and a P2 wakes nobody; ann has the skill as her first.
	check(t, "assigned", assigned, []string{"ann", "ann", "bob", "ann", "cem"})

	// Level 1 of E pages at least a senior: cem was paged, ann is at her maximum and the only one.
	actions := e.Step(at("2026-10-05T10:15:00Z"))
	check(t, "level 1 of E", pages(actions), []string{"L1 ann"})
}

func TestMaximumIsChecked(t *testing.T) {
	roster := busy()
	roster.Engineers[0].MaxOpen = -1
	roster.Engineers[1].FTEPercent = 101
	err := roster.Validate()
	if err == nil {
		t.Fatal("Validate() = nil, want errors")
	}
	for _, want := range []string{`engineers[0].max_open_incidents "-1"`, `engineers[1].fte_percent "101"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() does not report %s:\n%v", want, err)
		}
	}
}
