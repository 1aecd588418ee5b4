package escalation_test

import (
	"fmt"
	"log"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// A night of an on-call team in virtual time: who is asked, why, and who is next
// when nobody answers.
func Example() {
	roster := escalation.SampleRoster()
	roster.Register(escalation.Engineer{
		ID: "nina", Level: escalation.Senior, Zone: "Europe/Amsterdam", Secondary: []string{"kubernetes"},
		Availability: escalation.Availability{{From: "08:00", To: "18:00"}}, InPool: true,
	})
	router, err := escalation.NewRouter(roster)
	if err != nil {
		log.Fatal(err)
	}
	engine, err := escalation.NewEngine(escalation.Config{Tenant: "acme", Router: router})
	if err != nil {
		log.Fatal(err)
	}
	three := time.Date(2026, 10, 5, 3, 0, 0, 0, time.UTC)
	actions, err := engine.Replay([]escalation.Event{
		{Kind: escalation.Opened, Incident: "INC-2", Severity: incident.P1, Domain: "kubernetes", At: three},
		{Kind: escalation.Acknowledged, Incident: "INC-2", By: "sarah", At: three.Add(10 * time.Minute)},
		{Kind: escalation.Resolved, Incident: "INC-2", By: "sarah", At: three.Add(40 * time.Minute)},
	}, three.Add(2*time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range actions {
		if a.Kind == escalation.Page {
			fmt.Printf("%s page %s: %s\n  key %s\n", a.At.Format("15:04"), a.Target, strings.Join(a.Why, "; "), a.Key)
		}
	}
	view, _ := engine.Incident("INC-2")
	for _, entry := range view.Log {
		fmt.Println(entry.At.Format("15:04"), entry.Event, entry.To)
	}
	// Output:
	// 03:00 page sarah: principal; primary skill kubernetes; in the on-call pool, off hours 08:00-18:00 (05:00 in Europe/Amsterdam)
	//   key acme/INC-2/2026-10-05T03:00:00Z/1/assign/sarah
	// 03:30 page on-call-manager: level 2: not resolved within 30 min; no principal or above with kubernetes to be had, so up to the management; last resort: no manager to be had
	//   key acme/INC-2/2026-10-05T03:00:00Z/1/L2/on-call-manager
	// 03:00 assigned [sarah]
	// 03:10 acknowledged [sarah]
	// 03:30 escalate [on-call-manager]
	// 03:40 resolved [sarah]
}

// What if: who would be asked about a P2 in databases at noon in Amsterdam?
func ExampleRouter_Candidates() {
	router, err := escalation.NewRouter(escalation.SampleRoster())
	if err != nil {
		log.Fatal(err)
	}
	for _, hour := range []int{10, 14} {
		routing, err := router.Candidates(escalation.Request{
			At: time.Date(2026, 10, 5, hour, 0, 0, 0, time.UTC), Severity: incident.P2, Domain: "databases",
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(routing)
	}
	// Output:
	// escalation_required (no_available_engineer)
	//   search: has databases and is available: nobody
	//   not marcus: off hours 07:00-19:00 (05:00 in America/Chicago)
	//   not sarah: no skill databases
	// assigned marcus
	//   search: has databases and is available: 1
	//   1. marcus: senior, primary skill databases, within hours 07:00-19:00 (09:00 in America/Chicago)
	//   not sarah: no skill databases
}

// Weekly turns that change on Monday at 09:00 in Amsterdam, whatever the clocks
// do: the week in which they are put forward has 167 hours.
func ExampleRotation_Compile() {
	turns, err := escalation.Rotation{
		Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob", "cem"},
	}.Compile()
	if err != nil {
		log.Fatal(err)
	}
	turn, _ := turns.At(time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC))
	fmt.Println(turn.User, turn.Start.Format(time.RFC3339), turn.End.Sub(turn.Start))
	// Output: cem 2026-03-23T08:00:00Z 167h0m0s
}

// Working hours over a fallback, with a swap for one afternoon.
func ExampleSchedule_Shifts() {
	schedule, err := escalation.NewSchedule(escalation.Plan{
		Layers: []escalation.Layer{
			{
				Name:     "office",
				Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob"}},
				Windows:  []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "18:00"}},
			},
			{
				Name:     "night",
				Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: escalation.Days, Length: 1, Users: []string{"cem", "dee"}},
				Windows:  []escalation.Window{{From: "22:00", To: "06:00"}},
			},
		},
		Overrides: []escalation.Override{{
			ID: "swap", User: "zoe", Replaces: "ann",
			Start: time.Date(2026, 1, 5, 13, 0, 0, 0, time.UTC), End: time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC),
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	from := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	for _, shift := range schedule.Shifts(from, from.Add(24*time.Hour)) {
		fmt.Printf("%s to %s %q %q\n", shift.Start.Format("15:04"), shift.End.Format("15:04"), shift.User, shift.Source)
	}
	fmt.Println(schedule.Gaps(from, from.Add(24*time.Hour)))
	// Output:
	// 06:00 to 08:00 "" ""
	// 08:00 to 13:00 "ann" "layer:office"
	// 13:00 to 17:00 "zoe" "override:swap"
	// 17:00 to 21:00 "" ""
	// 21:00 to 05:00 "cem" "layer:night"
	// 05:00 to 06:00 "" ""
	// [[2026-01-05T06:00:00Z, 2026-01-05T08:00:00Z) [2026-01-05T17:00:00Z, 2026-01-05T21:00:00Z) [2026-01-06T05:00:00Z, 2026-01-06T06:00:00Z)]
}

// How long each centre is responsible on a day in summer, beside the people it
// has: the smallest team carries the most.
func ExampleCentres_Ownership() {
	list := escalation.SampleCentres()
	centres, err := escalation.NewCentres(list)
	if err != nil {
		log.Fatal(err)
	}
	day := time.Date(2026, 7, 14, 0, 0, 0, 0, time.UTC)
	hours := map[string]float64{}
	for _, span := range centres.Ownership(day, day.Add(24*time.Hour)) {
		hours[span.Owner] += span.Duration().Hours()
	}
	for _, c := range list {
		fmt.Printf("%s: %d people, %.0f h\n", c.ID, c.Staffing.Total(), hours[c.ID])
	}
	// Output:
	// amsterdam: 8 people, 6 h
	// austin: 10 people, 7 h
	// singapore: 6 people, 11 h
}

// The night shift is told at once, the database team after ten minutes; by day,
// when nobody has the night, the team at once.
func ExamplePolicy() {
	roster := escalation.SampleRoster()
	roster.Teams = map[string][]string{"databases": {"marcus"}}
	roster.Schedules = map[string]escalation.Plan{"night": {Layers: []escalation.Layer{{
		Name: "night",
		Rotation: escalation.Rotation{
			Zone: "Europe/Amsterdam", Start: "2026-10-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"sarah", "marcus"},
		},
		Windows: []escalation.Window{{From: "22:00", To: "06:00"}},
	}}}}
	router, err := escalation.NewRouter(roster)
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := escalation.Policy{Steps: []escalation.Step{
		{Minutes: 0, StopOn: escalation.Acknowledged, Targets: []escalation.Target{{Schedule: "night"}}},
		{Minutes: 10, StopOn: escalation.Acknowledged, Targets: []escalation.Target{{Team: "databases"}}},
	}}
	engine, err := escalation.NewEngine(escalation.Config{Router: router, Matrix: escalation.Matrix{
		incident.P1: policy, incident.P2: policy, incident.P3: policy, incident.P4: policy,
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for id, opened := range []time.Time{
		time.Date(2026, 10, 5, 23, 0, 0, 0, time.UTC), time.Date(2026, 10, 6, 9, 0, 0, 0, time.UTC),
	} {
		actions, err := engine.Replay([]escalation.Event{{
			Kind: escalation.Opened, Incident: strconv.Itoa(id), Severity: incident.P2, Domain: "databases", At: opened,
		}}, opened.Add(15*time.Minute))
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, a := range actions {
			if a.Kind == escalation.Page {
				fmt.Println(a.At.Format("15:04"), a.Target, "because", strings.Join(a.Why, ", "))
			}
		}
	}
	// Output:
	// 23:00 sarah because step 1 of the policy, schedule night
	// 23:10 marcus because level 2: not acknowledged within 10 min, team databases
	// 09:00 marcus because step 1 of the policy, schedule night: nobody, so level 2 at once, team databases
}

// A service desk that is staffed from Monday to Friday and lets nobody but a P1 out of
// bed otherwise.
func ExampleRouter_WithLines() {
	roster := escalation.SampleRoster()
	roster.Teams = map[string][]string{"desk": {"sarah", "marcus"}}
	router, err := escalation.NewRouter(roster)
	if err != nil {
		log.Fatal(err)
	}
	router, err = router.WithLines([]escalation.Line{{
		Name:     "service desk",
		Pages:    []escalation.Target{{Team: "desk"}},
		Hours:    &escalation.OnlyIn{Zone: "Europe/Amsterdam", Windows: []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "17:00"}}},
		Least:    incident.P1,
		OffHours: []escalation.Target{{Engineer: "marcus"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	policy := escalation.Policy{Steps: []escalation.Step{
		{Targets: []escalation.Target{{Line: "service desk"}}, StopOn: escalation.Acknowledged},
		{Minutes: 30, Targets: []escalation.Target{{Webhook: "ticket"}}, StopOn: escalation.Resolved},
	}}
	engine, err := escalation.NewEngine(escalation.Config{Router: router, Matrix: escalation.Matrix{
		incident.P1: policy, incident.P2: policy, incident.P3: policy, incident.P4: policy,
	}})
	if err != nil {
		log.Fatal(err)
	}
	evening := time.Date(2026, 10, 6, 18, 0, 0, 0, time.UTC)
	for _, severity := range []incident.Severity{incident.P1, incident.P3} {
		actions, err := engine.Apply(escalation.Event{
			Kind: escalation.Opened, Incident: "INC-" + severity.String(), Severity: severity, Domain: "databases", At: evening,
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s, %s\n", severity, actions[0].Target, strings.Join(actions[0].Why, "; "))
	}
	// Output:
	// P1: marcus, step 1 of the policy; line service desk: off hours, P1 is severe enough; engineer marcus
	// P3: webhook:ticket, step 1 of the policy; line service desk: off hours, from P1 up only; so level 2 at once; webhook ticket
}
