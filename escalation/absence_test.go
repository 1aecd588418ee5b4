package escalation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
	"github.com/evenkeelops/evenkeel/incident"
)

func away(who, from, to string) escalation.Absence {
	return escalation.Absence{Engineer: who, Start: at(from), End: at(to)}
}

// shiftsOf writes the shifts with day, hour and reason.
func shiftsOf(s *escalation.Schedule, from, to string) []string {
	var out []string
	for _, shift := range s.Shifts(at(from), at(to)) {
		out = append(out, shift.Start.Format("02T15 ")+shift.Why())
	}
	return out
}

// The 5th is Ann's, the 6th Bob's, the 7th Cas's, the 8th Ann's again.
func TestNextInRotation(t *testing.T) {
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob", "cas"}})
	plan.Absences = []escalation.Absence{
		away("ann", "2026-10-05T12:00:00Z", "2026-10-07T00:00:00Z"),
		away("bob", "2026-10-05T18:00:00Z", "2026-10-05T19:00:00Z"),
		away("bob", "2026-10-05T19:00:00Z", "2026-10-05T20:00:00Z"), // touches the one before
		away("ann", "2026-10-08T06:00:00Z", "2026-10-08T08:00:00Z"),
		away("bob", "2026-10-08T05:00:00Z", "2026-10-08T07:00:00Z"),
		away("cas", "2026-10-08T05:00:00Z", "2026-10-08T09:00:00Z"),
	}
	plan.WhenAbsent = escalation.NextInRotation
	s := scheduleOf(t, plan)
	want := []string{
		"05T00 ann by layer:one",
		"05T12 bob by layer:one, for ann who is absent",
		"05T18 cas by layer:one, for ann who is absent",
		"05T20 bob by layer:one, for ann who is absent",
		"06T00 bob by layer:one",
		"07T00 cas by layer:one",
		"08T00 ann by layer:one", // from 06:00 to 07:00 nobody of the three is there
		"08T07 bob by layer:one, for ann who is absent",
		"08T08 ann by layer:one",
	}
	if got := shiftsOf(s, "2026-10-05T00:00:00Z", "2026-10-09T00:00:00Z"); !slices.Equal(got, want) {
		t.Errorf("shifts:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if next, _ := s.NextChange(at("2026-10-05T13:00:00Z")); !next.Equal(at("2026-10-05T18:00:00Z")) {
		t.Errorf("NextChange = %s, want 18:00", next)
	}

	// An override for the person whose turn it is holds while another stands in, and an
	// override for the other does as well.
	day := func(id string, o escalation.Override) escalation.Override {
		o.ID, o.Start, o.End = id, at("2026-10-05T00:00:00Z"), at("2026-10-06T00:00:00Z")
		return o
	}
	for _, c := range []struct {
		o    escalation.Override
		want string
	}{
		{day("r", escalation.Override{User: "zoe", Replaces: "ann"}), "zoe zoe zoe"},
		{day("r", escalation.Override{User: "zoe", Replaces: "bob"}), "ann zoe cas"},
		{day("c", escalation.Override{Kind: escalation.Cover, User: "zoe", Replaces: "ann"}), "zoe zoe zoe"},
	} {
		plan.Overrides = []escalation.Override{c.o}
		if got := who(scheduleOf(t, plan), "2026-10-05T11:00:00Z", "2026-10-05T13:00:00Z", "2026-10-05T18:30:00Z"); got != c.want {
			t.Errorf("with %+v %s, want %s", c.o, got, c.want)
		}
	}

	plan.Overrides, plan.WhenAbsent, plan.Absences = nil, escalation.StayOnCall, nil
	if got := who(scheduleOf(t, plan), "2026-10-05T13:00:00Z"); got != "ann" {
		t.Errorf("by default %s, want ann", got)
	}
	plan.Absences = []escalation.Absence{{Start: at("2026-10-05T13:00:00Z"), End: at("2026-10-05T13:00:00Z")}}
	_, err := escalation.NewSchedule(plan)
	for _, want := range []string{"absences \"\"", "absences[0].engineer", "absences[0].to"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewSchedule does not report %s: %v", want, err)
		}
	}
}

// The absences of a roster count as well, and so nobody is reported on call while
// absent.
func TestNextInRotationOfARoster(t *testing.T) {
	roster := team()
	roster.Absences = []escalation.Absence{away("sarah", "2026-10-05T12:00:00Z", "2026-10-05T18:00:00Z")}
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"sarah", "marcus"}})
	for _, c := range []struct {
		rule escalation.AbsenceRule
		want string
		page string // at 13:00
	}{
		{escalation.StayOnCall, "sarah sarah sarah", "duty-manager: step 1 of the policy; sarah is on call and absent; schedule s: nobody; last resort: no step of the policy has anybody"},
		{escalation.NextInRotation, "sarah marcus sarah", "marcus: step 1 of the policy; schedule s; marcus stands in for sarah who is absent"},
	} {
		plan.WhenAbsent = c.rule
		roster.Schedules = map[string]escalation.Plan{"s": plan}
		router := newRouter(t, roster)
		if got := who(router.Schedule("s"), "2026-10-05T11:00:00Z", "2026-10-05T13:00:00Z", "2026-10-05T18:00:00Z"); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
		e := engineOf(t, escalation.Config{Router: router, Matrix: same(escalation.Policy{Steps: []escalation.Step{step(0, escalation.Acknowledged, escalation.Target{Schedule: "s"})}})})
		for _, a := range mustApply(t, e, opened("A", incident.P2, "databases", "2026-10-05T13:00:00Z")) {
			if got := a.Target + ": " + strings.Join(a.Why, "; "); a.Kind == escalation.Page && got != c.page {
				t.Errorf("%s: paged %s\nwant %s", c.rule, got, c.page)
			}
		}
	}
}

// A slow oracle: whose turn it is without the rule, then the list from there on.
func TestNextInRotationOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	users := []string{"ann", "bob", "cas", "dan"}
	start := at("2026-03-25T00:00:00Z")
	stoodIn := 0
	for n := range 60 {
		plan := single(escalation.Rotation{
			Zone: fixture.Zones[n%len(fixture.Zones)], Start: "2026-03-20T09:00", Unit: escalation.Unit(1 + r.IntN(5)), Length: 1 + r.IntN(3), Users: users, Backwards: n%2 == 0,
		})
		turns := scheduleOf(t, plan)
		for range r.IntN(20) {
			from := start.Add(time.Duration(r.IntN(10*24*60)) * time.Minute)
			plan.Absences = append(plan.Absences, escalation.Absence{
				Engineer: users[r.IntN(len(users))], Start: from, End: from.Add(time.Duration(1+r.IntN(4000)) * time.Minute),
			})
		}
		plan.WhenAbsent = escalation.NextInRotation
		s := scheduleOf(t, plan)
		for now := start; now.Before(start.AddDate(0, 0, 10)); now = now.Add(37 * time.Minute) {
			want := turns.WhoAt(now)
			i := slices.Index(users, want.User)
			for k := range users {
				user := users[(i+k)%len(users)]
				if !slices.ContainsFunc(plan.Absences, func(a escalation.Absence) bool {
					return a.Engineer == user && !now.Before(a.Start) && now.Before(a.End)
				}) {
					if k > 0 {
						want.User, want.StandsFor = user, want.User
						stoodIn++
					}
					break
				}
			}
			if got := s.WhoAt(now); !sameAnswer(got, want) {
				t.Fatalf("%+v\nWhoAt(%s) = %s, want %s", plan, now, got.Why(), want.Why())
			}
		}
	}
	if stoodIn < 1000 {
		t.Errorf("somebody stood in %d times, too few for a test", stoodIn)
	}
}

func BenchmarkWhoAtWithAbsences(b *testing.B) {
	plan := escalation.Plan{WhenAbsent: escalation.NextInRotation, Layers: []escalation.Layer{{Name: "all", Rotation: escalation.Rotation{
		Zone: "Europe/Amsterdam", Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob", "cem"},
	}}}}
	for i := range 30 {
		from := at("2026-01-05T00:00:00Z").AddDate(0, 0, i*12)
		plan.Absences = append(plan.Absences, escalation.Absence{Engineer: plan.Layers[0].Rotation.Users[i%3], Start: from, End: from.AddDate(0, 0, 5)})
	}
	s, err := escalation.NewSchedule(plan)
	if err != nil {
		b.Fatal(err)
	}
	at := instants()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.WhoAt(at[i%len(at)])
	}
}

func ExampleAbsenceRule() {
	start := time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
	s, err := escalation.NewSchedule(escalation.Plan{
		Layers: []escalation.Layer{{Name: "night", Rotation: escalation.Rotation{
			Zone: "UTC", Start: "2026-10-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob", "cem"},
		}}},
		WhenAbsent: escalation.NextInRotation,
		Absences:   []escalation.Absence{{Engineer: "ann", Start: start.AddDate(0, 0, 2), End: start.AddDate(0, 0, 4), Reason: "training"}},
	})
	if err != nil {
		panic(err)
	}
	for _, shift := range s.Shifts(start, start.AddDate(0, 0, 14)) {
		fmt.Println(shift.Start.Format("Mon 2 Jan:"), shift.Why())
	}
	// Output:
	// Mon 5 Oct: ann by layer:night
	// Wed 7 Oct: bob by layer:night, for ann who is absent
	// Fri 9 Oct: ann by layer:night
	// Mon 12 Oct: bob by layer:night
}
