package escalation_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

// Ann has Monday to Wednesday from 09:00 to 17:00 each, alone.
func TestPreview(t *testing.T) {
	plan := escalation.Plan{Layers: []escalation.Layer{{
		Name:     "office",
		Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann"}},
		Windows:  []escalation.Window{{From: "09:00", To: "17:00"}},
	}}}
	before := scheduleOf(t, plan)
	o := func(id string, kind escalation.OverrideKind, user, from, to string) escalation.Override {
		return escalation.Override{ID: id, Kind: kind, User: user, Start: at("2026-10-" + from + ":00:00Z"), End: at("2026-10-" + to + ":00:00Z")}
	}
	plan.Overrides = []escalation.Override{
		o("zoe", escalation.Replace, "zoe", "05T10", "05T14"),
		o("late", escalation.Add, "zoe", "05T16", "05T20"), // with Ann for an hour, then alone for three
		o("off", escalation.Remove, "", "06T00", "07T00"),
		o("same", escalation.Replace, "ann", "07T09", "07T17"), // another source, the same person
	}
	got, err := before.Preview(scheduleOf(t, plan), at("2026-10-05T00:00:00Z"), at("2026-10-08T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `2026-10-05T10:00:00Z to 2026-10-05T14:00:00Z changed: ann by layer:office -> zoe by override:zoe
2026-10-05T16:00:00Z to 2026-10-05T17:00:00Z changed: ann by layer:office -> ann and zoe by layer:office
2026-10-05T17:00:00Z to 2026-10-05T20:00:00Z added: nobody -> zoe by override:late
2026-10-06T09:00:00Z to 2026-10-06T17:00:00Z removed: ann by layer:office -> nobody by override:off
ann gains 0s, loses 12h0m0s
zoe gains 8h0m0s, loses 0s`
	if got.String() != want {
		t.Errorf("Preview =\n%s\nwant\n%s", got, want)
	}
	for _, to := range []string{"2026-10-05T00:00:00Z", "2036-10-05T00:00:01Z"} {
		if _, err := before.Preview(before, at("2026-10-05T00:00:00Z"), at(to)); err == nil || !strings.Contains(err.Error(), `to "`+to) {
			t.Errorf("Preview until %s: %v", to, err)
		}
	}
}

// An edit and its reverse take from each other; no edit changes nothing; at every
// instant the preview says what the two schedules say.
func TestPreviewLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	around := at("2026-03-29T12:00:00Z")
	from, to := around.Add(-4*24*time.Hour), around.Add(4*24*time.Hour)
	for range 40 {
		a, b := scheduleOf(t, fixture.Plan(r, around)), scheduleOf(t, fixture.Plan(r, around))
		there, err := a.Preview(b, from, to)
		if err != nil {
			t.Fatal(err)
		}
		back, err := b.Preview(a, from, to)
		if err != nil {
			t.Fatal(err)
		}
		if none, err := a.Preview(a, from, to); err != nil || len(none.Changes)+len(none.People) > 0 {
			t.Fatalf("Preview of no edit = %v, %v", none, err)
		}
		if len(there.Changes) != len(back.Changes) || len(there.People) != len(back.People) {
			t.Fatalf("there:\n%s\nback:\n%s", there, back)
		}
		var balance time.Duration // of person-hours
		for i, h := range there.People {
			if o := back.People[i]; o.Engineer != h.Engineer || o.Gains != h.Loses || o.Loses != h.Gains {
				t.Fatalf("there %+v, back %+v", h, o)
			}
			balance += h.Gains - h.Loses
		}
		for _, shift := range b.Shifts(from, to) {
			balance -= time.Duration(len(shift.People())) * shift.End.Sub(shift.Start)
		}
		for _, shift := range a.Shifts(from, to) {
			balance += time.Duration(len(shift.People())) * shift.End.Sub(shift.Start)
		}
		if balance != 0 {
			t.Fatalf("hours gained and lost differ from those of the schedules by %s", balance)
		}
		for now := from; now.Before(to); now = now.Add(29 * time.Minute) {
			var edit escalation.Edit
			for _, e := range there.Changes {
				if !now.Before(e.Start) && now.Before(e.End) {
					edit = e
				}
			}
			before, after := a.WhoAt(now), b.WhoAt(now)
			changed := fmt.Sprint(before.People()) != fmt.Sprint(after.People())
			if changed != (edit.Kind != "") || changed && (!sameAnswer(edit.Before, before) || !sameAnswer(edit.After, after)) {
				t.Fatalf("at %s %+v, want %s -> %s", now, edit, before.Why(), after.Why())
			}
		}
	}
}

// What a request for cover would change, before anybody approves it.
func ExampleSchedule_Preview() {
	plan := escalation.Plan{Layers: []escalation.Layer{{Name: "night", Rotation: escalation.Rotation{
		Zone: "Europe/Amsterdam", Start: "2026-10-19T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob"},
	}}}}
	schedule, err := escalation.NewSchedule(plan)
	if err != nil {
		panic(err)
	}
	// The night in which the clocks are put back has an hour more.
	evening := time.Date(2026, 10, 24, 16, 0, 0, 0, time.UTC)
	request := escalation.Override{
		ID: "wedding", Kind: escalation.Cover, User: "zoe", Replaces: "ann", Start: evening, End: evening.Add(15 * time.Hour), NeedsApproval: true, RequestedBy: "ann",
	}
	approved, err := request.Approve("lead", evening.AddDate(0, 0, -7))
	if err != nil {
		panic(err)
	}
	plan.Overrides = append(plan.Overrides, approved)
	edited, err := escalation.NewSchedule(plan)
	if err != nil {
		panic(err)
	}
	preview, err := schedule.Preview(edited, evening.AddDate(0, 0, -1), evening.AddDate(0, 0, 2))
	if err != nil {
		panic(err)
	}
	fmt.Println(preview)
	// Output:
	// 2026-10-24T16:00:00Z to 2026-10-25T07:00:00Z changed: ann by layer:night -> zoe by override:wedding
	// ann gains 0s, loses 15h0m0s
	// zoe gains 15h0m0s, loses 0s
}

// Instants that no schedule answers for are refused, not stumbled over.
func TestPreviewBeyondTime(t *testing.T) {
	s := scheduleOf(t, escalation.Plan{Layers: []escalation.Layer{{Name: "day", Rotation: escalation.Rotation{
		Zone: "UTC", Start: "2026-10-01T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob"},
	}}}})
	for _, from := range []time.Time{time.Unix(1<<60, 0), time.Unix(-1<<60, 0)} {
		if _, err := s.Preview(s, from, from.Add(time.Hour)); !errors.As(err, new(*escalation.ConfigError)) {
			t.Errorf("Preview from second %d: %v, want a *ConfigError", from.Unix(), err)
		}
	}
}
