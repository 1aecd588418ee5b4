package escalation_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// togetherPlan has two layers at once: Ann and Dan on the 5th, Bob and Ann on the 6th,
// Ann and Dan on the 7th.
func togetherPlan(overrides ...escalation.Override) escalation.Plan {
	day := func(name string, users ...string) escalation.Layer {
		return escalation.Layer{Name: name, Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: users}}
	}
	return escalation.Plan{Together: true, Layers: []escalation.Layer{day("first", "ann", "bob"), day("second", "dan", "ann")}, Overrides: overrides}
}

// Whoever is left is there by the own layer, not by the override that took the other
// away.
func TestSourceAfterRemove(t *testing.T) {
	o := func(id string, kind escalation.OverrideKind, user, replaces string, from, to int) escalation.Override {
		day := at("2026-10-05T00:00:00Z")
		return escalation.Override{ID: id, Kind: kind, User: user, Replaces: replaces, Start: day.AddDate(0, 0, from), End: day.AddDate(0, 0, to)}
	}
	s := scheduleOf(t, togetherPlan(
		o("gone", escalation.Remove, "", "", 0, 1),
		o("bob away", escalation.Remove, "", "bob", 1, 2),
		o("zoe", escalation.Replace, "zoe", "dan", 2, 3), // and Ann, the first, removed:
		o("ann away", escalation.Remove, "", "ann", 2, 3),
	))
	want := []string{
		"05T00 dan by layer:second",
		"06T00 ann by layer:second",
		"07T00 zoe by override:zoe",
	}
	if got := shiftsOf(s, "2026-10-05T00:00:00Z", "2026-10-08T00:00:00Z"); !slices.Equal(got, want) {
		t.Errorf("shifts %q, want %q", got, want)
	}
	// Neither who was removed nor who was replaced is tried after the others.
	for instant, want := range map[string]string{
		"2026-10-05T12:00:00Z": "dan by layer:second",
		"2026-10-06T12:00:00Z": "ann by layer:second",
		"2026-10-07T12:00:00Z": "zoe by override:zoe",
	} {
		if got := lineup(s, instant); got != want {
			t.Errorf("Lineup(%s) = %s, want %s", instant, got, want)
		}
	}
	// Who is replaced by himself stays, as does a stand-in who covers anyway.
	s = scheduleOf(t, togetherPlan(o("self", escalation.Replace, "dan", "dan", 0, 1)))
	if got := who(s, "2026-10-05T12:00:00Z"); got != "ann+dan" {
		t.Errorf("dan instead of dan: %s, want ann+dan", got)
	}
	// With everybody gone the override is the reason.
	s = scheduleOf(t, togetherPlan(o("a", escalation.Remove, "", "ann", 0, 1), o("d", escalation.Remove, "", "dan", 0, 1)))
	if got := shiftsOf(s, "2026-10-05T00:00:00Z", "2026-10-06T00:00:00Z"); !slices.Equal(got, []string{"05T00 nobody by override:a"}) {
		t.Errorf("shifts %q", got)
	}
}

// Who is on call as the second of two can give the shift away, be it from a layer,
// from an earlier swap, or from an override that adds.
func TestSwapOfTheSecond(t *testing.T) {
	now := at("2026-10-01T00:00:00Z")
	monday := calendar.Interval{Start: at("2026-10-05T00:00:00Z"), End: at("2026-10-06T00:00:00Z")}
	plan := togetherPlan(escalation.Override{ID: "plus", Kind: escalation.Add, User: "fay", Start: monday.Start, End: monday.End})
	for _, step := range []struct{ from, to, want string }{
		{"dan", "zoe", "ann+zoe+fay"},
		{"zoe", "yan", "ann+yan+fay"},
		{"fay", "gus", "ann+yan+gus"},
		{"ann", "hal", "hal+yan+gus"},
	} {
		w, err := escalation.Swap{ID: step.from, Requester: step.from, Counterpart: step.to, Give: monday}.Request(scheduleOf(t, plan), now)
		if err != nil {
			t.Fatal(err)
		}
		if w, err = w.Accept(scheduleOf(t, plan), step.to, now); err != nil {
			t.Fatal(err)
		}
		plan.Overrides = append(plan.Overrides, w.Overrides()...)
		s := scheduleOf(t, plan)
		if got := who(s, "2026-10-05T12:00:00Z"); got != step.want {
			t.Fatalf("after %s gave to %s: %s, want %s", step.from, step.to, got, step.want)
		}
		if got := who(s, "2026-10-04T12:00:00Z", "2026-10-06T12:00:00Z"); got != " bob+ann" {
			t.Errorf("outside of the shift: %q, want nobody, bob and ann", got)
		}
	}
	if got := lineup(scheduleOf(t, plan), "2026-10-05T12:00:00Z"); got != "hal by override:swap:ann:give; yan by override:swap:zoe:give; gus by override:swap:fay:give" {
		t.Errorf("Lineup = %s", got)
	}
	// A later override has the last word, an earlier one has not.
	late := escalation.Override{ID: "late", User: "ann", Start: monday.Start, End: monday.End}
	plan.Overrides = append(plan.Overrides, late)
	if got := who(scheduleOf(t, plan), "2026-10-05T12:00:00Z"); got != "ann+yan+gus" {
		t.Errorf("with a later override: %s, want ann first", got)
	}
	plan.Overrides = append([]escalation.Override{late}, plan.Overrides[:len(plan.Overrides)-1]...)
	if got := who(scheduleOf(t, plan), "2026-10-05T12:00:00Z"); got != "hal+yan+gus" {
		t.Errorf("with an earlier override: %s, want hal first", got)
	}
}

// An exchange between the second of two and somebody who is free, and what is refused.
func TestSwapWithOthersOnCall(t *testing.T) {
	now := at("2026-10-01T00:00:00Z")
	day := func(n int) calendar.Interval {
		start := at("2026-10-05T00:00:00Z").AddDate(0, 0, n)
		return calendar.Interval{Start: start, End: start.AddDate(0, 0, 1)}
	}
	s := scheduleOf(t, togetherPlan())
	w, err := escalation.Swap{ID: "1", Requester: "dan", Counterpart: "bob", Give: day(0), Take: day(1)}.Request(s, now)
	if err != nil {
		t.Fatal(err)
	}
	if w, err = w.Accept(s, "bob", now); err != nil {
		t.Fatal(err)
	}
	if got := who(scheduleOf(t, togetherPlan(w.Overrides()...)), "2026-10-05T12:00:00Z", "2026-10-06T12:00:00Z"); got != "ann+bob dan+ann" {
		t.Errorf("after the exchange %s, want ann+bob dan+ann", got)
	}
	for _, c := range []struct {
		swap escalation.Swap
		err  error
		text string
	}{
		{escalation.Swap{ID: "2", Requester: "dan", Counterpart: "ann", Give: day(0)}, escalation.ErrNotPossible, "from 2026-10-05T00:00:00Z ann is on call already"},
		{escalation.Swap{ID: "3", Requester: "dan", Counterpart: "bob", Give: day(1)}, escalation.ErrNotYours, "from 2026-10-06T00:00:00Z on call: bob and ann, not dan"},
		{escalation.Swap{ID: "4", Requester: "dan", Counterpart: "bob", Give: day(0), Take: day(2)}, escalation.ErrNotYours, "on call: ann and dan, not bob"},
	} {
		if _, err := c.swap.Request(s, now); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("swap %s: %v, want %q", c.swap.ID, err, c.text)
		}
	}
}

// Overrides that replace go by the people of the layers, each by itself: two may take
// each other's place, and one that names nobody, which is for the first, leaves what
// another says of the second.
func TestReplacementsOfSeveralOnCall(t *testing.T) {
	layer := func(user string) escalation.Layer {
		return escalation.Layer{Name: user, Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-10-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{user}}}
	}
	replace := func(id, user, replaces string) escalation.Override {
		return escalation.Override{ID: id, Start: at("2026-10-05T00:00:00Z"), End: at("2026-10-06T00:00:00Z"), User: user, Replaces: replaces}
	}
	for _, c := range []struct {
		name      string
		overrides []escalation.Override
		want      []string
	}{
		{"each other's place", []escalation.Override{replace("1", "bob", "ann"), replace("2", "ann", "bob")}, []string{"bob", "ann"}},
		{"the second, then the first", []escalation.Override{replace("1", "cal", "bob"), replace("2", "dan", "")}, []string{"dan", "cal"}},
		{"the second in the place of the first", []escalation.Override{replace("1", "bob", "ann")}, []string{"bob"}},
		{"the first in that of the second", []escalation.Override{replace("1", "ann", "bob")}, []string{"ann"}},
		{"both by one", []escalation.Override{replace("1", "cal", "ann"), replace("2", "cal", "bob")}, []string{"cal"}},
	} {
		s := scheduleOf(t, escalation.Plan{Together: true, Layers: []escalation.Layer{layer("ann"), layer("bob")}, Overrides: c.overrides})
		noon := at("2026-10-05T12:00:00Z")
		check(t, c.name, s.WhoAt(noon).People(), c.want)
		var line []string
		for _, o := range s.Lineup(noon) {
			line = append(line, o.User)
		}
		check(t, c.name+", in line", line, c.want)
	}
}
