package coverage_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// pair is ann in Amsterdam and omar in Singapore, in turns of a week from Monday
// at 09:00 in Amsterdam.
func pair() escalation.Roster {
	return escalation.Roster{
		LastResort: escalation.Contact{ID: "boss"},
		Engineers: []escalation.Engineer{
			{ID: "ann", Level: escalation.Senior, Zone: "Europe/Amsterdam"},
			{ID: "omar", Level: escalation.Senior, Zone: "Asia/Singapore"},
		},
		Schedules: map[string]escalation.Plan{"week": {Layers: []escalation.Layer{{
			Name:     "all",
			Rotation: escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-02T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "omar"}},
		}}}},
	}
}

func fairness(t *testing.T, roster escalation.Roster, q coverage.FairnessQuery) coverage.Fairness {
	t.Helper()
	f, err := coverage.FairnessOf(fixture.Router(t, roster), q)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const hour = time.Hour

// ann has the weeks of 2, 16 and 30 March, omar those of 9 and 23 March. In the
// last of his weeks Amsterdam puts its clocks forward in the night to Sunday: that
// week has 167 hours, and a night and a weekend in Amsterdam one hour less. In
// Singapore the day of the handoff is 16:00 to 15:00.
func TestFairnessOfPeople(t *testing.T) {
	query := coverage.FairnessQuery{DutyQuery: coverage.DutyQuery{From: fixture.At("2026-03-16T08:00:00Z"), Until: fixture.At("2026-03-30T07:00:00Z")}}
	amsterdam := query
	amsterdam.Zone = "Europe/Amsterdam"
	for _, c := range []struct {
		name  string
		query coverage.FairnessQuery
		want  coverage.Duty
	}{
		{"own zone", query, coverage.Duty{OnCall: 167 * hour, Night: 56 * hour, Weekend: 48 * hour}},
		{"zone of the schedule", amsterdam, coverage.Duty{OnCall: 167 * hour, Night: 55 * hour, Weekend: 47 * hour}},
	} {
		f := fairness(t, pair(), c.query)
		ann, _ := f.Engineer("ann")
		omar, _ := f.Engineer("omar")
		if want := (coverage.Duty{OnCall: 168 * hour, Night: 56 * hour, Weekend: 48 * hour}); ann.Duty != want {
			t.Errorf("%s: ann = %+v, want %+v", c.name, ann.Duty, want)
		}
		if omar.Duty != c.want {
			t.Errorf("%s: omar = %+v, want %+v", c.name, omar.Duty, c.want)
		}
		if ann.Share != (coverage.Ratio{Num: 168, Den: 335}) || ann.Expected != (coverage.Ratio{Num: 1, Den: 2}) || len(f.Findings) != 0 {
			t.Errorf("%s: ann's share %v, expected %v, findings %v, want 168/335, 1/2 and none", c.name, ann.Share, ann.Expected, f.Findings)
		}
	}
}

// A quarter of a week for somebody who works half time is what is expected; the
// one who takes over is told of.
func TestExpectedShares(t *testing.T) {
	roster := pair()
	roster.Engineers[1].FTEPercent = 50
	plan := roster.Schedules["week"]
	plan.Overrides = []escalation.Override{{ID: "swap", User: "boss", Replaces: "ann", Start: fixture.At("2026-03-03T00:00:00Z"), End: fixture.At("2026-03-06T12:00:00Z")}}
	roster.Schedules["week"] = plan
	query := coverage.FairnessQuery{
		DutyQuery: coverage.DutyQuery{From: fixture.At("2026-03-02T08:00:00Z"), Until: fixture.At("2026-03-16T08:00:00Z")},
		Pages: []escalation.Action{
			{Kind: escalation.Page, Target: "ann", At: fixture.At("2026-03-02T21:00:00Z")},           // 22:00, a night
			{Kind: escalation.Page, Target: "omar", At: fixture.At("2026-03-14T21:59:59Z")},          // Sunday, 05:59:59 in Singapore
			{Kind: escalation.Page, Target: "omar", At: fixture.At("2026-03-14T22:00:00Z")},          // Sunday, 06:00
			{Kind: escalation.Page, Target: "omar", At: fixture.At("2026-03-16T08:00:00Z")},          // after
			{Kind: escalation.Notice, Target: "ann", At: fixture.At("2026-03-02T22:00:00Z")},         // no page
			{Kind: escalation.Page, Target: "webhook:siren", At: fixture.At("2026-03-02T22:00:00Z")}, // nobody
		},
	}
	f := fairness(t, roster, query)
	var got []string
	for _, p := range f.People {
		got = append(got, strings.Join([]string{p.Engineer, p.OnCall.String(), p.Share.String(), p.Expected.String(), p.PageShare.String()}, " "))
	}
	fixture.Check(t, "people", got, []string{"ann 84h0m0s 1/4 2/3 1/3", "boss 84h0m0s 1/4 0/1 0/1", "omar 168h0m0s 1/2 1/3 2/3"})
	fixture.Check(t, "findings", f.Findings, []string{
		"boss carries 25.0 % of the time on call, expected 0.0 %",
		// Nights of the boss, who has no zone, are those of UTC: 6 h of Tuesday and three of 8 h, 30 h; ann has 3 h and three
		// of 8 h, 27 h; omar seven of 8 h, 56 h.
		"boss carries 26.5 % of the nights, expected 0.0 %",
		"omar carries 50.0 % of the time on call, expected 33.3 %",
		"omar carries 49.6 % of the nights, expected 33.3 %",
		"omar carries 50.0 % of the weekends, expected 33.3 %",
		"omar carries 66.7 % of the pages, expected 33.3 %",
	})
	if want := (coverage.Duty{OnCall: 336 * hour, Night: 113 * hour, Weekend: 96 * hour, Pages: 3, NightPages: 2, WeekendPages: 2}); f.Total != want {
		t.Errorf("total = %+v, want %+v", f.Total, want)
	}
	query.Weights = map[string]int{"omar": 1, "ann": 1}
	query.TolerancePoints = 20
	if f := fairness(t, roster, query); len(f.Findings) != 2 {
		t.Errorf("findings with 20 points: %q, want those of the boss alone", f.Findings)
	}
}

// Singapore with 6 of 24 people is responsible from 17:30 in Austin to 17:30 at
// home: from 23:30Z or 22:30Z to 09:30Z. Over 2026 Chicago has summer time on 238
// days and Amsterdam on 210:
//
//	Singapore 365 · 9.5 h + 238 · 1.5 h + 127 · 0.5 h = 3888 h
//	Amsterdam 210 · 6 h + 155 · 7 h                   = 2345 h
//	Austin    the rest of 8760 h                      = 2527 h
func TestFairnessOfTheSampleCentres(t *testing.T) {
	roster := escalation.SampleRoster()
	roster.Centres = escalation.SampleCentres()
	for _, c := range []struct {
		name, from, to string
		owned          [3]time.Duration // Amsterdam, Austin, Singapore
		singapore      string
	}{
		{"winter", "2026-01-14T00:00:00Z", "2026-01-15T00:00:00Z", [3]time.Duration{7 * hour, 7 * hour, 10 * hour}, "41.7 %"},
		{"summer time in Austin alone", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z", [3]time.Duration{7 * hour, 6 * hour, 11 * hour}, "45.8 %"},
		{"summer", "2026-07-14T00:00:00Z", "2026-07-15T00:00:00Z", [3]time.Duration{6 * hour, 7 * hour, 11 * hour}, "45.8 %"},
		{"a year", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", [3]time.Duration{2345 * hour, 2527 * hour, 3888 * hour}, "44.4 %"},
	} {
		f := fairness(t, roster, coverage.FairnessQuery{DutyQuery: coverage.DutyQuery{From: fixture.At(c.from), Until: fixture.At(c.to)}})
		for i, want := range c.owned {
			share := f.Centres[i]
			if share.Owned != want || share.Night != 0 || share.Unstaffed != 0 {
				t.Errorf("%s: %s owns %s, nights %s, unstaffed %s, want %s and nothing", c.name, share.Centre, share.Owned, share.Night, share.Unstaffed, want)
			}
		}
		singapore := f.Centres[2]
		if singapore.People != 6 || singapore.Team != 24 || singapore.TeamShare.Percent() != "25.0 %" || singapore.Share.Percent() != c.singapore {
			t.Errorf("%s: %s, want 6 of 24 people, 25.0 %% and %s", c.name, singapore, c.singapore)
		}
		fixture.Check(t, c.name, f.Findings, []string{singapore.String()})
	}

	// A week in winter: on Saturday and Sunday Singapore is responsible from 07:30
	// to 17:30 by its clock, the others from 10:30 to 17:30.
	f := fairness(t, roster, coverage.FairnessQuery{DutyQuery: coverage.DutyQuery{From: fixture.At("2026-01-12T00:00:00Z"), Until: fixture.At("2026-01-19T00:00:00Z")}})
	var weekends []time.Duration
	for _, c := range f.Centres {
		weekends = append(weekends, c.Weekend)
	}
	fixture.Check(t, "weekends", weekends, []time.Duration{14 * hour, 14 * hour, 20 * hour})
	if got := f.Centres[2].PerHead(); got != 70*hour/6 {
		t.Errorf("Singapore per head = %s, want 70 h / 6", got)
	}
}

// Without staffing the engineers of the roster count, with their duty.
func TestCentresByTheirEngineers(t *testing.T) {
	roster := pair()
	roster.Centres = escalation.SampleCentres()
	for i := range roster.Centres {
		roster.Centres[i].Staffing = escalation.Staffing{}
	}
	roster.Engineers[0].Centre, roster.Engineers[1].Centre = "amsterdam", "singapore"
	f := fairness(t, roster, coverage.FairnessQuery{DutyQuery: coverage.DutyQuery{From: fixture.At("2026-03-02T08:00:00Z"), Until: fixture.At("2026-03-16T08:00:00Z")}})
	austin, singapore := f.Centres[1], f.Centres[2]
	if austin.People != 0 || austin.PerHead() != 0 || austin.TeamShare != (coverage.Ratio{Num: 0, Den: 1}) {
		t.Errorf("austin = %+v, want nobody", austin)
	}
	if singapore.People != 1 || singapore.Team != 2 || singapore.Engineers.OnCall != 168*hour {
		t.Errorf("singapore = %+v, want one of two people, 168 h on call", singapore)
	}
}

// randomSchedules are two plans whose edges fall on whole minutes.
func randomSchedules(r *rand.Rand, around time.Time) map[string]escalation.Plan {
	out := map[string]escalation.Plan{}
	for _, name := range []string{"a", "b"} {
		plan := fixture.Plan(r, around)
		for i := range plan.Overrides {
			o := &plan.Overrides[i]
			o.Start, o.End = o.Start.Truncate(time.Minute), o.End.Truncate(time.Minute)
		}
		out[name] = plan
	}
	return out
}

// onCallAt returns the schedules in which people are on call, as WhoAt says.
func onCallAt(router *escalation.Router, now time.Time) map[string][]string {
	out := map[string][]string{}
	for _, name := range router.Schedules() {
		who := router.Schedule(name).WhoAt(now)
		for _, id := range append([]string{who.User}, who.Also...) {
			out[id] = append(out[id], name)
		}
	}
	return out
}

// Hours, nights and weekends are what a clock on the wall of each person shows,
// minute for minute.
func TestFairnessAgainstTheClock(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	engineers := []escalation.Engineer{
		{ID: "ann", Zone: "Europe/Amsterdam"}, {ID: "bob", Zone: "America/Havana"}, {ID: "cem", Zone: "Australia/Lord_Howe"}, {ID: "dee", Zone: "America/Santiago"},
	}
	zones := map[string]*time.Location{}
	for i := range engineers {
		engineers[i].Level = escalation.Senior
		loc, err := time.LoadLocation(engineers[i].Zone)
		if err != nil {
			t.Fatal(err)
		}
		zones[engineers[i].ID] = loc
	}
	for n := range 15 {
		around := fixture.At([]string{"2026-03-08", "2026-03-29", "2026-04-05", "2026-09-06", "2026-11-01"}[n%5] + "T12:00:00Z")
		router := fixture.Router(t, escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Engineers: engineers, Schedules: randomSchedules(r, around)})
		from, to := around.Add(-3*24*hour), around.Add(3*24*hour)
		want := map[string]coverage.Duty{}
		for now := from; now.Before(to); now = now.Add(time.Minute) {
			onCall := onCallAt(router, now)
			for _, e := range engineers {
				if len(onCall[e.ID]) == 0 {
					continue
				}
				there, duty := now.In(zones[e.ID]), want[e.ID]
				duty.OnCall += time.Minute
				if there.Hour() >= 22 || there.Hour() < 6 {
					duty.Night += time.Minute
				}
				if there.Weekday() == time.Saturday || there.Weekday() == time.Sunday {
					duty.Weekend += time.Minute
				}
				want[e.ID] = duty
			}
		}
		f, err := coverage.FairnessOf(router, coverage.FairnessQuery{DutyQuery: coverage.DutyQuery{From: from, Until: to}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range engineers {
			if got, _ := f.Engineer(e.ID); got.Duty != want[e.ID] {
				t.Fatalf("case %d: %s = %+v, want %+v", n, e.ID, got.Duty, want[e.ID])
			}
		}
	}
}

func TestDutyQueryIsChecked(t *testing.T) {
	router := fixture.Router(t, pair())
	bad := coverage.DutyQuery{
		From: fixture.At("2026-03-02T08:00:00Z"), Until: fixture.At("2036-03-02T08:00:01Z"), Schedules: []string{"week", "week", "month"}, Zone: "CST",
		Night: escalation.Window{From: "22:00"}, Weekend: 128,
	}
	_, errFair := coverage.FairnessOf(router, coverage.FairnessQuery{DutyQuery: bad, Weights: map[string]int{"ann": -1, "zoe": 1}, TolerancePoints: 101})
	_, errStrain := coverage.StrainOf(router, coverage.StrainQuery{DutyQuery: bad, MinRest: -1, NightFrom: -1, MaxNights: -1})
	_, errConflicts := coverage.Conflicts(router, bad)
	shared := []string{`to "2036-03-02T08:00:01Z"`, `schedules[1] "week"`, `schedules[2] "month"`, `timezone "CST"`, `night.to ""`, `weekend "128"`}
	for _, c := range []struct {
		name string
		err  error
		more []string
	}{
		{"Fairness", errFair, []string{`weights["ann"] "-1"`, `weights["zoe"] "zoe"`, `tolerance_points "101"`}},
		{"Strain", errStrain, []string{`min_rest_ns "-1ns"`, `night_from_ns "-1ns"`, `max_nights "-1"`}},
		{"Conflicts", errConflicts, nil},
	} {
		fixture.Problems(t, c.name, c.err, append(c.more, shared...))
	}
}

// Thirty people who are on call for ten years make 300 years, more than can be
// counted.
func TestFairnessBeyondDurations(t *testing.T) {
	roster := escalation.Roster{LastResort: escalation.Contact{ID: "boss"}, Schedules: map[string]escalation.Plan{}}
	for i := range 30 {
		id := fmt.Sprint("p", i)
		roster.Engineers = append(roster.Engineers, escalation.Engineer{ID: id, Level: escalation.Senior, Zone: "UTC"})
		roster.Schedules[id] = escalation.Plan{Layers: []escalation.Layer{{Name: "l", Rotation: escalation.Rotation{
			Zone: "UTC", Start: "2026-01-01T00:00", Unit: escalation.Months, Length: 1, Users: []string{id},
		}}}}
	}
	query := coverage.FairnessQuery{DutyQuery: coverage.DutyQuery{From: fixture.At("2026-01-01T00:00:00Z"), Until: fixture.At("2036-01-01T00:00:00Z")}}
	_, err := coverage.FairnessOf(fixture.Router(t, roster), query)
	fixture.Problems(t, "Fairness", err, []string{`to "2036-01-01T00:00:00Z": want a stretch in which`})
	query.Until = fixture.At("2035-01-01T00:00:00Z")
	if f := fairness(t, roster, query); f.Total.OnCall != 30*3287*24*hour || f.People[0].Share != (coverage.Ratio{Num: 1, Den: 30}) {
		t.Errorf("nine years: %s, share %s, want 30 times 3287 days, 1/30", f.Total.OnCall, f.People[0].Share)
	}
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		r                 coverage.Ratio
		percent, one, two string
	}{
		{coverage.Ratio{Num: 5, Den: 12}, "41.7 %", "0.4", "0.42"},
		{coverage.Ratio{Num: 1, Den: 2000}, "0.1 %", "0.0", "0.00"},
		{coverage.Ratio{Num: 1, Den: 2001}, "0.0 %", "0.0", "0.00"},
		{coverage.Ratio{Num: 21, Den: 5}, "420.0 %", "4.2", "4.20"},
		{coverage.Ratio{Num: 1<<63 - 1, Den: 1<<63 - 1}, "100.0 %", "1.0", "1.00"},
		{coverage.Ratio{Num: 1<<63 - 1, Den: 1}, "n/a", "n/a", "n/a"},
		{coverage.Ratio{}, "n/a", "n/a", "n/a"},
	} {
		if got := []string{c.r.Percent(), c.r.Decimal(1), c.r.Decimal(2)}; got[0] != c.percent || got[1] != c.one || got[2] != c.two {
			t.Errorf("%s = %q, want %q", c.r, got, []string{c.percent, c.one, c.two})
		}
	}
	half, third, none := coverage.Ratio{Num: 1, Den: 2}, coverage.Ratio{Num: 1, Den: 3}, coverage.Ratio{Num: 1}
	if half.Compare(third) != 1 || third.Compare(half) != -1 || half.Compare(coverage.Ratio{Num: 2, Den: 4}) != 0 || none.Compare(third) != -1 || none.Compare(coverage.Ratio{}) != 0 {
		t.Error("Compare does not order 0/0 < 1/3 < 1/2 = 2/4")
	}
}
