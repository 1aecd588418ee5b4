package coverage_test

import (
	"fmt"
	"log"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
)

// nightTeam has two people who take turns of a week, and one who is on call on a
// second schedule in the office.
func nightTeam() escalation.Roster {
	turns := func(users ...string) escalation.Rotation {
		return escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: users}
	}
	january := func(day, hour int) time.Time { return time.Date(2026, 1, day, hour, 0, 0, 0, time.UTC) }
	return escalation.Roster{
		Zone:       "Europe/Amsterdam",
		LastResort: escalation.Contact{ID: "duty-manager"},
		Engineers: []escalation.Engineer{
			{ID: "ann", Level: escalation.Senior, Primary: []string{escalation.Databases}},
			{ID: "bob", Level: escalation.Senior, Primary: []string{escalation.Databases}},
			{ID: "cem", Level: escalation.Principal, Primary: []string{escalation.Kubernetes}, Secondary: []string{escalation.Databases}},
		},
		Absences: []escalation.Absence{{Engineer: "bob", Start: january(14, 23), End: january(16, 23), Reason: "leave"}},
		Schedules: map[string]escalation.Plan{
			"night": {
				Layers: []escalation.Layer{{Name: "night", Rotation: turns("ann", "bob"), Windows: []escalation.Window{{From: "18:00", To: "08:00"}}}},
				Overrides: []escalation.Override{
					{ID: "swap", User: "ann", Replaces: "bob", Start: january(16, 12), End: january(19, 12)},
				},
			},
			"office": {
				Layers: []escalation.Layer{{Name: "office", Rotation: turns("cem"), Windows: []escalation.Window{{Days: escalation.Weekdays, From: "08:00", To: "18:00"}}}},
				Overrides: []escalation.Override{
					{ID: "course", User: "ann", Start: january(8, 16), End: january(8, 18)},
				},
			},
		},
	}
}

func twoWeeks() coverage.DutyQuery {
	return coverage.DutyQuery{From: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC), Until: time.Date(2026, 1, 19, 8, 0, 0, 0, time.UTC)}
}

// Who carries the nights and the weekends, beside what an equal part would be; and
// which centre carries more than its size.
func ExampleFairnessOf() {
	roster := nightTeam()
	roster.Centres = escalation.SampleCentres()
	for i := range roster.Engineers {
		roster.Engineers[i].Centre = "amsterdam"
	}
	router, err := escalation.NewRouter(roster)
	if err != nil {
		log.Fatal(err)
	}
	query := coverage.FairnessQuery{DutyQuery: twoWeeks()}
	query.Schedules = []string{"night"}
	f, err := coverage.FairnessOf(router, query)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range f.People {
		fmt.Printf("%s: %s on call, nights %s, weekends %s: %s, expected %s\n", p.Engineer, p.OnCall, p.Night, p.Weekend, p.Share.Percent(), p.Expected.Percent())
	}
	for _, finding := range f.Findings {
		fmt.Println("!", finding)
	}
	// Output:
	// ann: 140h0m0s on call, nights 80h0m0s, weekends 56h0m0s: 71.4 %, expected 50.0 %
	// bob: 56h0m0s on call, nights 32h0m0s, weekends 0s: 28.6 %, expected 50.0 %
	// ! singapore with 6 of 24 people (25.0 %) owns 140h0m0s of 336h0m0s (41.7 %)
	// ! ann carries 71.4 % of the time on call, expected 50.0 %
	// ! ann carries 71.4 % of the nights, expected 50.0 %
	// ! ann carries 100.0 % of the weekends, expected 50.0 %
}

// Rest between shifts and nights in a row.
func ExampleStrainOf() {
	router, err := escalation.NewRouter(nightTeam())
	if err != nil {
		log.Fatal(err)
	}
	list, err := coverage.StrainOf(router, coverage.StrainQuery{DutyQuery: twoWeeks()})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range list {
		fmt.Printf("%s: up to %s on call, shortest rest %s (%d too short), %d nights, %d in a row from %s\n",
			s.Engineer, s.Longest.Duration(), s.ShortestRest.Duration(), len(s.ShortRests), s.Nights, s.NightRun.Nights, s.NightRun.First)
	}
	// Output:
	// ann: up to 15h0m0s on call, shortest rest 9h0m0s (8 too short), 10 nights, 7 in a row from 2026-01-05
	// bob: up to 14h0m0s on call, shortest rest 10h0m0s (3 too short), 4 nights, 4 in a row from 2026-01-12
	// cem: up to 10h0m0s on call, shortest rest 14h0m0s (0 too short), 0 nights, 0 in a row from
}

// Who is on call and cannot be, and who twice at once.
func ExampleConflicts() {
	router, err := escalation.NewRouter(nightTeam())
	if err != nil {
		log.Fatal(err)
	}
	list, err := coverage.Conflicts(router, twoWeeks())
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range list {
		fmt.Printf("%s for %s %s %s %v %q\n", c.Start.Format("Jan 2 15:04"), c.Duration(), c.Kind, c.Engineer, c.Schedules, c.Reason)
	}
	// Output:
	// Jan 8 17:00 for 1h0m0s double_booked ann [night office] ""
	// Jan 14 23:00 for 8h0m0s absent_on_call bob [night] "leave"
	// Jan 15 17:00 for 14h0m0s absent_on_call bob [night] "leave"
}

// Three people should know each technology on each day.
func ExampleKnowledgeOf() {
	router, err := escalation.NewRouter(nightTeam())
	if err != nil {
		log.Fatal(err)
	}
	k, err := coverage.KnowledgeOf(router, coverage.KnowledgeQuery{From: "2026-01-12", Until: "2026-01-19"})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range k.Domains {
		fmt.Printf("%s: known to %v, %d on %s\n", d.Domain, d.People, d.Present, d.On)
		for _, s := range d.Below {
			fmt.Printf("  %s to %s: %v, without %v, %d missing\n", s.Start, s.End, s.Present, s.Absent, s.Missing)
		}
	}
	fmt.Println("known to one alone:", k.SinglePoints())
	// Output:
	// databases: known to [ann bob cem], 2 on 2026-01-15
	//   2026-01-15 to 2026-01-17: [ann cem], without [bob], 1 missing
	// kubernetes: known to [cem], 1 on 2026-01-12
	//   2026-01-12 to 2026-01-19: [cem], without [], 2 missing
	// known to one alone: map[cem:[kubernetes]]
}

// At which hours nobody who knows a technology is at work.
func ExampleKnowledgeByHour() {
	router, err := escalation.NewRouter(escalation.SampleRoster())
	if err != nil {
		log.Fatal(err)
	}
	rows, err := coverage.KnowledgeByHour(router, coverage.KnowledgeQuery{
		From: "2026-07-13", Until: "2026-07-20", Domains: []string{escalation.Kubernetes, escalation.Databases},
	}, "UTC")
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows {
		fmt.Println(row.Hours, row.Domain)
	}
	// Output:
	// [0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 1 0 0 0 0 0 0 0 0] kubernetes
	// [0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 1 1 1] databases
}

// Are four people enough to keep one seat occupied around the clock?
func ExampleSeatRule_Assess() {
	for _, rule := range []coverage.SeatRule{coverage.WeekOf40(), coverage.ProductiveYear()} {
		s, err := rule.Assess(4)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s)
	}
	// Output:
	// 4 people, 4.2 needed, 1 missing, 42h0m0s each
	// 4 people, 5.2 needed, 2 missing, 2190h0m0s each
}

// Whether each centre can keep three seats occupied during its own hours, and what
// all of them together lack of the least staff.
func ExampleSeatRule_AssessCentres() {
	centres, err := escalation.NewCentres(escalation.SampleCentres())
	if err != nil {
		log.Fatal(err)
	}
	list, err := coverage.SeatRule{Seats: 3}.AssessCentres(centres)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range list {
		fmt.Printf("%s is open %s a week: %s\n", c.Centre, c.Open, c.Sufficiency)
	}
	fmt.Printf("missing: %+v\n", centres.Staffing().Missing(coverage.MinimumStaffing()))
	// Output:
	// amsterdam is open 84h0m0s a week: 8 people, 6.3 needed, 0 missing, 31h30m0s each
	// austin is open 84h0m0s a week: 10 people, 6.3 needed, 0 missing, 25h12m0s each
	// singapore is open 84h0m0s a week: 6 people, 6.3 needed, 1 missing, 42h0m0s each
	// missing: {SeniorEngineers:0 OperationsSpecialists:0 TeamLeads:1 EscalationManagers:0}
}
