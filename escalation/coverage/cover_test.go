package coverage_test

import (
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// who writes stretches as "15:00-16:00 cem".
func who(list []coverage.OnDuty) string {
	var out []string
	for _, d := range list {
		out = append(out, fmt.Sprintf("%s-%s %s", d.Start.Format("15:04"), d.End.Format("15:04"), strings.Join(d.People, "+")))
	}
	return strings.Join(out, ", ")
}

// The two people of the nights and the one of the office are those of [nightTeam]; by
// hand, in UTC. In the week of 5 January ann has the nights from 17:00 to 07:00, bob in
// the next one, with leave from 23:00 on the 14th. The office is cem's from 07:00 to
// 17:00, but ann's on the 8th from 16:00 to 18:00.
func TestCoverOf(t *testing.T) {
	router := fixture.Router(t, nightTeam())
	for _, c := range []struct {
		name     string
		query    coverage.CoverQuery
		from, to string
		people   int
		least    int
		want     string
		short    string
	}{
		{"across three", coverage.CoverQuery{}, "2026-01-08T15:00:00Z", "2026-01-08T20:00:00Z", 1, 1, "15:00-16:00 cem, 16:00-20:00 ann", ""},
		{"two are wanted", coverage.CoverQuery{}, "2026-01-08T15:00:00Z", "2026-01-08T20:00:00Z", 2, 1, "15:00-16:00 cem, 16:00-20:00 ann", "15:00-16:00 cem, 16:00-20:00 ann"},
		{"primary only", coverage.CoverQuery{PrimaryOnly: true}, "2026-01-08T15:00:00Z", "2026-01-08T20:00:00Z", 1, 0, "15:00-16:00 , 16:00-20:00 ann", "15:00-16:00 "},
		{"one schedule", coverage.CoverQuery{Schedules: []string{"night"}}, "2026-01-08T15:00:00Z", "2026-01-08T20:00:00Z", 1, 0, "15:00-17:00 , 17:00-20:00 ann", "15:00-17:00 "},
		{"a level", coverage.CoverQuery{Level: escalation.Principal}, "2026-01-08T15:00:00Z", "2026-01-08T20:00:00Z", 1, 0, "15:00-16:00 cem, 16:00-20:00 ", "16:00-20:00 "},
		{"leave", coverage.CoverQuery{}, "2026-01-14T20:00:00Z", "2026-01-15T02:00:00Z", 1, 0, "20:00-23:00 bob, 23:00-02:00 ", "23:00-02:00 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := coverage.CoverOf(router, c.query, []coverage.Demand{{
				Domain: escalation.Databases, People: c.people, Window: calendar.Interval{Start: fixture.At(c.from), End: fixture.At(c.to)},
			}})
			if err != nil {
				t.Fatal(err)
			}
			if a := got[0]; a.Least != c.least || who(a.OnDuty) != c.want || who(a.Short()) != c.short || a.Met() != (c.least >= c.people) {
				t.Errorf("got %d, %q, short %q, want %d, %q, short %q", a.Least, who(a.OnDuty), who(a.Short()), c.least, c.want, c.short)
			}
		})
	}
}

// Whoever is at work is on duty: sarah from 08:00 to 18:00 of Amsterdam, on the Sunday
// of 25 hours too.
func TestCoverAtWork(t *testing.T) {
	router := fixture.Router(t, escalation.SampleRoster())
	sunday := calendar.Interval{Start: fixture.At("2026-10-24T22:00:00Z"), End: fixture.At("2026-10-25T23:00:00Z")}
	demands := []coverage.Demand{{Domain: escalation.Kubernetes, People: 1, Window: sunday}}
	got, err := coverage.CoverOf(router, coverage.CoverQuery{}, demands)
	if err != nil || who(got[0].OnDuty) != "22:00-07:00 , 07:00-17:00 sarah, 17:00-23:00 " {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = coverage.CoverOf(router, coverage.CoverQuery{OnCallOnly: true}, demands)
	if err != nil || who(got[0].OnDuty) != "22:00-23:00 " {
		t.Errorf("on call only: got %+v, %v", got, err)
	}
}

// At every instant the answer names whom the roster has at work or on call: random
// overrides and absences, asked minute by minute.
func TestCoverIsThatOfTheRoster(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 26))
	base := fixture.At("2026-03-27T00:00:00Z")
	instant := func(hours int) time.Time { return base.Add(time.Duration(random.IntN(hours*4)) * 15 * time.Minute) }
	ids := []string{"ann", "bob", "cem"}
	for range 30 {
		roster := nightTeam()
		roster.Absences = nil
		for i := range roster.Engineers {
			roster.Engineers[i].Availability = escalation.Availability{{From: fmt.Sprintf("%02d:00", 6+random.IntN(4)), To: "15:30"}}
		}
		for range 3 {
			from := instant(72)
			roster.Absences = append(roster.Absences, escalation.Absence{Engineer: ids[random.IntN(3)], Start: from, End: from.Add(time.Duration(1+random.IntN(30)) * time.Hour)})
		}
		night := roster.Schedules["night"]
		night.Overrides = []escalation.Override{{ID: "o", User: ids[random.IntN(3)], Start: instant(24), End: instant(24).Add(30 * time.Hour)}}
		roster.Schedules["night"] = night
		router := fixture.Router(t, roster)
		window := calendar.Interval{Start: base, End: base.Add(72 * time.Hour)} // the clocks are put forward within
		got, err := coverage.CoverOf(router, coverage.CoverQuery{}, []coverage.Demand{{Domain: escalation.Databases, People: 1, Window: window}})
		if err != nil {
			t.Fatal(err)
		}
		least, stretches := len(ids), got[0].OnDuty
		for at := window.Start; at.Before(window.End); at = at.Add(time.Minute) {
			var want []string
			for _, id := range ids {
				absent := slices.ContainsFunc(roster.Absences, func(a escalation.Absence) bool {
					return a.Engineer == id && !at.Before(a.Start) && at.Before(a.End)
				})
				called := slices.ContainsFunc(router.Schedules(), func(name string) bool {
					now := router.Schedule(name).WhoAt(at)
					return now.User == id || slices.Contains(now.Also, id)
				})
				if !absent && (called || router.Hours(id).IsOpen(at)) {
					want = append(want, id)
				}
			}
			least = min(least, len(want))
			for !at.Before(stretches[0].End) {
				stretches = stretches[1:]
			}
			if !stretches[0].Contains(at) || !slices.Equal(stretches[0].People, want) {
				t.Fatalf("at %v: %q, want %q", at, stretches[0].People, want)
			}
		}
		if got[0].Least != least {
			t.Errorf("least %d, want %d", got[0].Least, least)
		}
	}
}

func TestCoverErrors(t *testing.T) {
	router := fixture.Router(t, nightTeam())
	day := calendar.Interval{Start: fixture.At("2026-01-08T00:00:00Z"), End: fixture.At("2026-01-09T00:00:00Z")}
	_, err := coverage.CoverOf(router, coverage.CoverQuery{Schedules: []string{"night", "dusk"}, Level: escalation.Management}, []coverage.Demand{
		{Domain: "cobol", People: 0, Window: day},
		{Domain: escalation.Databases, People: 1},
		{Domain: escalation.Databases, People: 1, Window: calendar.Interval{Start: day.End, End: day.Start}},
	})
	var got []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if bad, ok := errors.AsType[*escalation.ConfigError](e); ok {
				got = append(got, bad.Path)
			}
		}
	}
	if want := []string{"schedules[1]", "level", "demands[0].technology_domain", "demands[0].people", "demands[1].window", "demands[2].window.to"}; !slices.Equal(got, want) {
		t.Errorf("got %v at %q, want %q", err, got, want)
	}
	if _, err := coverage.LeastOnDuty(router, coverage.CoverQuery{Schedules: []string{"dusk"}}); err == nil {
		t.Error("LeastOnDuty of an unknown schedule: want an error")
	}
	least, err := coverage.LeastOnDuty(router, coverage.CoverQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		domain string
		during calendar.Interval
		people int
		known  bool
	}{
		{escalation.Databases, calendar.Interval{Start: day.Start.Add(15 * time.Hour), End: day.Start.Add(20 * time.Hour)}, 1, true},
		{"cobol", day, 0, false},
		{escalation.Databases, calendar.Interval{Start: day.Start, End: day.Start}, 0, false},
		{escalation.Databases, calendar.Interval{Start: day.Start, End: day.Start.AddDate(11, 0, 0)}, 0, false},
	} {
		if people, known := least(c.domain, c.during); people != c.people || known != c.known {
			t.Errorf("least(%s, %v) = %d, %v, want %d, %v", c.domain, c.during, people, known, c.people, c.known)
		}
	}
}

// The payroll run wants two people who know databases around the clock: who is there,
// and where somebody is missing. The findings of the catalogue ask the same roster.
func ExampleCoverOf() {
	register, err := continuity.New(continuity.Catalogue{
		Services: []continuity.Service{{ID: "ledger"}},
		KeyDates: []continuity.KeyDate{{
			ID: "payroll", Rule: continuity.Rule{Dates: []string{"2026-01-08"}}, Zone: "Europe/Amsterdam", Cover: map[string]int{escalation.Databases: 2},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	roster := nightTeam()
	roster.Engineers[1].Availability = escalation.Availability{{From: "08:00", To: "18:00"}} // bob is at work then
	router, err := escalation.NewRouter(roster)
	if err != nil {
		log.Fatal(err)
	}
	january := calendar.Interval{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}

	asked, err := register.CoverAsked(january)
	if err != nil {
		log.Fatal(err)
	}
	var demands []coverage.Demand
	for _, a := range asked {
		demands = append(demands, coverage.Demand{Ref: a.KeyDate, Domain: a.Domain, People: a.People, Window: a.Window})
	}
	answers, err := coverage.CoverOf(router, coverage.CoverQuery{}, demands)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range answers {
		fmt.Println(a.Ref, a.Domain, "met:", a.Met())
		for _, d := range a.OnDuty {
			fmt.Println(" ", d.Start.Format("15:04"), d.End.Format("15:04"), d.People)
		}
	}

	least, err := coverage.LeastOnDuty(router, coverage.CoverQuery{})
	if err != nil {
		log.Fatal(err)
	}
	findings, err := register.CheckDates(january, continuity.Plans{Cover: least})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		fmt.Println(f.Code, f.Text)
	}
	// Output:
	// payroll databases met: false
	//   23:00 07:00 [ann]
	//   07:00 16:00 [bob cem]
	//   16:00 17:00 [ann bob]
	//   17:00 23:00 [ann]
	// cover_missing payroll on 2026-01-08 wants 2 on duty for databases from 2026-01-07 23:00 UTC to 2026-01-08 23:00 UTC, 1 planned
}
