package coverage_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// experts are four people who know databases in some way, and one who alone knows
// networking.
func experts() escalation.Roster {
	hours := func(from, to string) escalation.Availability { return escalation.Availability{{From: from, To: to}} }
	week := escalation.Availability{{Days: escalation.Weekdays, From: "08:00", To: "18:00"}}
	return escalation.Roster{
		LastResort: escalation.Contact{ID: "boss"},
		Engineers: []escalation.Engineer{
			{ID: "ann", Level: escalation.Principal, Zone: "Europe/Amsterdam", Primary: []string{"databases"}, Availability: week},
			{ID: "bob", Level: escalation.Senior, Zone: "Europe/Amsterdam", Primary: []string{"databases"}, Availability: week, FTEPercent: 50},
			{ID: "cem", Level: escalation.Senior, Zone: "America/Chicago", Secondary: []string{"databases"}, Availability: hours("07:00", "19:00")},
			{ID: "dee", Level: escalation.Junior, Zone: "Asia/Singapore", Primary: []string{"databases", "networking"}, Availability: hours("22:00", "06:00")},
			{ID: "eve", Level: escalation.Management, Zone: "UTC", Primary: []string{"databases", "networking"}},
		},
		Absences: []escalation.Absence{
			// In Amsterdam from Tuesday 02:00 to Wednesday 02:00: Tuesday's work alone.
			{Engineer: "ann", Start: fixture.At("2026-10-06T00:00:00Z"), End: fixture.At("2026-10-07T00:00:00Z")},
			// Tuesday and Wednesday, and the Saturday on which he does not work anyway.
			{Engineer: "bob", Start: fixture.At("2026-10-06T10:00:00Z"), End: fixture.At("2026-10-07T07:00:00Z")},
			{Engineer: "bob", Start: fixture.At("2026-10-10T10:00:00Z"), End: fixture.At("2026-10-10T11:00:00Z")},
			// 04:00 to 05:00 in Singapore on Friday: the night that began on Thursday.
			{Engineer: "dee", Start: fixture.At("2026-10-08T20:00:00Z"), End: fixture.At("2026-10-08T21:00:00Z")},
		},
	}
}

func knowledge(t *testing.T, roster escalation.Roster, q coverage.KnowledgeQuery) coverage.Knowledge {
	t.Helper()
	q.From, q.Until = "2026-10-05", "2026-10-12"
	k, err := coverage.KnowledgeOf(fixture.Router(t, roster), q)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func shortfalls(d coverage.DomainKnowledge) []string {
	var out []string
	for _, s := range d.Below {
		out = append(out, fmt.Sprint(s.Start, " ", s.End, " ", s.Present, " without ", s.Absent, ", ", s.Missing, " missing"))
	}
	return out
}

func TestKnowledge(t *testing.T) {
	k := knowledge(t, experts(), coverage.KnowledgeQuery{})
	databases, networking := k.Domains[0], k.Domains[1]
	fixture.Check(t, "people", databases.People, []string{"ann", "bob", "cem", "dee"})
	fixture.Check(t, "databases", shortfalls(databases), []string{"2026-10-06 2026-10-07 [cem dee] without [ann bob], 1 missing"})
	if databases.Present != 2 || databases.On != "2026-10-06" || databases.FTEPercent != 200 {
		t.Errorf("databases: %d on %s, %d %%, want 2 on Tuesday, 200 %%", databases.Present, databases.On, databases.FTEPercent)
	}
	fixture.Check(t, "networking", shortfalls(networking), []string{
		"2026-10-05 2026-10-08 [dee] without [], 2 missing",
		"2026-10-08 2026-10-09 [] without [dee], 3 missing",
		"2026-10-09 2026-10-12 [dee] without [], 2 missing",
	})
	if got := k.SinglePoints(); k.Covered() || fmt.Sprint(got) != "map[dee:[networking]]" {
		t.Errorf("covered %t, single points %v, want dee for networking", k.Covered(), got)
	}
}

func TestKnowledgeByOtherMeasures(t *testing.T) {
	primary := knowledge(t, experts(), coverage.KnowledgeQuery{PrimaryOnly: true, Domains: []string{"databases"}}).Domains[0]
	fixture.Check(t, "primary only", shortfalls(primary), []string{
		"2026-10-06 2026-10-07 [dee] without [ann bob], 2 missing",
		"2026-10-07 2026-10-08 [ann dee] without [bob], 1 missing",
		"2026-10-08 2026-10-09 [ann bob] without [dee], 1 missing",
		"2026-10-10 2026-10-11 [ann dee] without [bob], 1 missing",
	})
	senior := knowledge(t, experts(), coverage.KnowledgeQuery{Level: escalation.Senior, Least: 2, Domains: []string{"databases"}}).Domains[0]
	fixture.Check(t, "seniors", shortfalls(senior), []string{"2026-10-06 2026-10-07 [cem] without [ann bob], 1 missing"})

	// 350 % of all: 50 % missing on the days without bob, who fills 50 %, none left to lose elsewhere.
	fte := knowledge(t, experts(), coverage.KnowledgeQuery{CountFTE: true, Domains: []string{"databases"}}).Domains[0]
	fixture.Check(t, "full-time positions", shortfalls(fte), []string{
		"2026-10-06 2026-10-07 [cem dee] without [ann bob], 100 missing",
		"2026-10-08 2026-10-09 [ann bob cem] without [dee], 50 missing",
	})
	if fte.On != "2026-10-06" || fte.FTEPercent != 200 {
		t.Errorf("least %d %% on %s, want 200 %% on Tuesday", fte.FTEPercent, fte.On)
	}

	roster := experts()
	roster.Centres = escalation.SampleCentres()
	for i, id := range []string{"amsterdam", "amsterdam", "austin", "singapore", "austin"} {
		roster.Engineers[i].Centre = id
	}
	centre := knowledge(t, roster, coverage.KnowledgeQuery{Centre: "amsterdam", Least: 1})
	fixture.Check(t, "Amsterdam", shortfalls(centre.Domains[0]), []string{"2026-10-06 2026-10-07 [] without [ann bob], 1 missing"})
	if got := knowledge(t, roster, coverage.KnowledgeQuery{Centre: "amsterdam", Least: 1, Domains: []string{"databases"}, Level: escalation.Principal}).SinglePoints(); fmt.Sprint(got) != "map[ann:[databases]]" {
		t.Errorf("principals of Amsterdam: %v, want ann alone", got)
	}
}

// By the hours of UTC in October: Amsterdam works 06 to 16, Chicago 12 to 24, and
// dee in Singapore from 14 to 22. On Tuesday ann and bob are away: bob from 10
// o'clock, so that at 06 he alone is at work, and from 10 nobody is. On Sunday
// nobody of Amsterdam works.
func TestHourlyKnowledge(t *testing.T) {
	roster := experts()
	query := coverage.KnowledgeQuery{From: "2026-10-05", Until: "2026-10-07", Domains: []string{"databases"}}
	rows, err := coverage.KnowledgeByHour(fixture.Router(t, roster), query, "UTC")
	if err != nil || len(rows) != 1 {
		t.Fatalf("HourlyKnowledge() = %v, %v, want one row", rows, err)
	}
	want := [24]int{6: 1, 7: 1, 8: 1, 9: 1, 12: 1, 13: 1, 14: 2, 15: 2, 16: 2, 17: 2, 18: 2, 19: 2, 20: 2, 21: 2, 22: 1, 23: 1}
	if rows[0].Hours != want {
		t.Errorf("hours = %v, want %v", rows[0].Hours, want)
	}
	if people, at := rows[0].Least(); people != 0 || at != 0 {
		t.Errorf("Least() = %d at %d, want nobody at 0", people, at)
	}

	roster.Centres = escalation.SampleCentres()
	for i, id := range []string{"amsterdam", "amsterdam", "austin", "singapore", "austin"} {
		roster.Engineers[i].Centre = id
	}
	rows, err = coverage.KnowledgeByHour(fixture.Router(t, roster), query, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	var centres []string
	for _, row := range rows {
		centres = append(centres, row.Centre)
	}
	fixture.Check(t, "rows", centres, []string{"amsterdam", "austin", "singapore", ""})
	if rows[3].Hours != want || rows[0].Hours != [24]int{6: 1, 7: 1, 8: 1, 9: 1} {
		t.Errorf("all %v, Amsterdam %v, want %v and bob's morning", rows[3].Hours, rows[0].Hours, want)
	}
}

// Hours that a zone skips do not occur; on a date that it skips none does.
func TestHourlyKnowledgeWhereClocksChange(t *testing.T) {
	router := fixture.Router(t, experts())
	for _, c := range []struct {
		zone, from, to string
		none           []int
	}{
		{"Europe/Amsterdam", "2026-03-29", "2026-03-30", []int{2}},
		{"Europe/Amsterdam", "2026-03-28", "2026-03-30", nil},
		{"Europe/Amsterdam", "2026-10-25", "2026-10-26", nil},
		{"Pacific/Apia", "2011-12-30", "2011-12-31", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
	} {
		rows, err := coverage.KnowledgeByHour(router, coverage.KnowledgeQuery{From: c.from, Until: c.to, Domains: []string{"databases"}}, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var none []int
		for hour, n := range rows[0].Hours {
			if n == coverage.NoHour {
				none = append(none, hour)
			}
		}
		if !slices.Equal(none, c.none) {
			t.Errorf("%s from %s: hours that do not occur = %v, want %v", c.zone, c.from, none, c.none)
		}
	}
}

// Minute for minute the rows are what Available says of each person.
func TestHourlyKnowledgeAgainstAvailable(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	clock := func() string { return fmt.Sprintf("%02d:%02d", r.IntN(24), r.IntN(60)) }
	for n := range 12 {
		zone := fixture.Zones[n]
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		around := fixture.At([]string{"2026-03-08", "2026-10-24", "2026-04-04"}[n%3] + "T00:00:00Z")
		roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}}
		for i := range 5 {
			id := fmt.Sprint("p", i)
			roster.Engineers = append(roster.Engineers, escalation.Engineer{
				ID: id, Level: escalation.Senior, Zone: fixture.Zones[r.IntN(len(fixture.Zones))], Primary: []string{"x"},
				Availability: escalation.Availability{{From: clock(), To: clock()}, {Days: escalation.DaySet(r.IntN(128)), From: clock(), To: clock()}},
			})
			from := around.Add(time.Duration(r.IntN(48*60)) * time.Minute)
			roster.Absences = append(roster.Absences, escalation.Absence{Engineer: id, Start: from, End: from.Add(time.Duration(1+r.IntN(900)) * time.Minute)})
		}
		router := fixture.Router(t, roster)
		from, to := around.Format(time.DateOnly), around.AddDate(0, 0, 2).Format(time.DateOnly)
		rows, err := coverage.KnowledgeByHour(router, coverage.KnowledgeQuery{From: from, Until: to}, zone)
		if err != nil {
			t.Fatal(err)
		}
		var want [24]int
		for hour := range want {
			want[hour] = coverage.NoHour
		}
		for now := around.Add(-24 * hour); now.Before(around.Add(4 * 24 * hour)); now = now.Add(time.Minute) {
			there := now.In(loc)
			if day := there.Format(time.DateOnly); day < from || day >= to {
				continue
			}
			people := 0
			for _, e := range roster.Engineers {
				if router.Available(e.ID, now) {
					people++
				}
			}
			if h := there.Hour(); want[h] == coverage.NoHour || people < want[h] {
				want[h] = people
			}
		}
		if rows[0].Hours != want {
			t.Errorf("case %d, %s: hours = %v, want %v", n, zone, rows[0].Hours, want)
		}
	}
}

func TestKnowledgeQueryIsChecked(t *testing.T) {
	roster := experts()
	roster.Domains = []string{"databases", "networking"}
	router := fixture.Router(t, roster)
	query := coverage.KnowledgeQuery{
		From: "2026-10-05", Until: "2036-10-13", Least: -1, Domains: []string{"databases", "databases", "cobol", ""}, Centre: "mars", Level: escalation.Management,
	}
	want := []string{
		`to "2036-10-13"`, `least "-1"`, `technology_domains[1] "databases"`, `technology_domains[2] "cobol"`, `technology_domains[3] ""`, `location "mars"`, `level "management"`,
	}
	_, err := coverage.KnowledgeOf(router, query)
	fixture.Problems(t, "Knowledge", err, want)
	_, err = coverage.KnowledgeByHour(router, query, "CET/CEST")
	fixture.Problems(t, "HourlyKnowledge", err, append(want, `timezone "CET/CEST"`))
	_, err = coverage.KnowledgeOf(router, coverage.KnowledgeQuery{From: "5 Oct", Until: "2026-02-30"})
	fixture.Problems(t, "Knowledge", err, []string{`from "5 Oct"`, `to "2026-02-30"`, `to "2026-02-30"`})
}
