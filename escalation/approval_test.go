package escalation_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
)

func TestOverrideNeedsApproval(t *testing.T) {
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann"}})
	ask := escalation.Override{
		ID: "o", Start: at("2026-10-05T10:00:00Z"), End: at("2026-10-05T14:00:00Z"), User: "zoe", Replaces: "ann", NeedsApproval: true, RequestedBy: "bob",
	}
	answer := func(o escalation.Override) (string, int) {
		plan.Overrides = []escalation.Override{o}
		s := scheduleOf(t, plan)
		return who(s, "2026-10-05T09:00:00Z", "2026-10-05T10:00:00Z", "2026-10-05T12:00:00Z", "2026-10-05T14:00:00Z"), len(s.Pending())
	}
	if got, pending := answer(ask); got != "ann ann ann ann" || pending != 1 {
		t.Errorf("not approved: %s, %d pending", got, pending)
	}
	for _, by := range []string{"bob", "zoe", "ann", ""} { // who asks, and the two whom it concerns
		_, err := ask.Approve(by, at("2026-10-05T08:00:00Z"))
		if e := new(escalation.OverrideError); !errors.Is(err, escalation.ErrNotYours) || !errors.As(err, &e) || e.Override != "o" || e.By != by {
			t.Errorf("approved by %q: %v", by, err)
		}
	}
	early, err := ask.Approve("lead", at("2026-10-05T08:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if got, pending := answer(early); got != "ann zoe zoe ann" || pending != 0 || !ask.Pending() {
		t.Errorf("approved: %s, %d pending", got, pending)
	}
	// Half-way the approval leaves the past as it was.
	late, err := ask.Approve("lead", at("2026-10-05T11:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := answer(late); got != "ann ann zoe ann" {
		t.Errorf("approved at 11:00: %s", got)
	}
	declined, err := ask.Decline("bob", "not needed any more", at("2026-10-05T08:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if got, pending := answer(declined); got != "ann ann ann ann" || pending != 0 {
		t.Errorf("declined: %s, %d pending", got, pending)
	}
	plain := ask
	plain.NeedsApproval = false
	for name, refused := range map[string]func() (escalation.Override, error){
		"twice":          func() (escalation.Override, error) { return early.Approve("lead", at("2026-10-05T09:00:00Z")) },
		"after the no":   func() (escalation.Override, error) { return declined.Approve("lead", at("2026-10-05T09:00:00Z")) },
		"after the time": func() (escalation.Override, error) { return ask.Approve("lead", at("2026-10-05T14:00:00Z")) },
		"without need":   func() (escalation.Override, error) { return plain.Approve("lead", at("2026-10-05T09:00:00Z")) },
		"no afterwards":  func() (escalation.Override, error) { return early.Decline("lead", "", at("2026-10-05T09:00:00Z")) },
	} {
		if _, err := refused(); !errors.Is(err, escalation.ErrNotPossible) {
			t.Errorf("%s: %v, want ErrNotPossible", name, err)
		}
	}
	if _, err := ask.Decline("", "", at("2026-10-05T09:00:00Z")); !errors.Is(err, escalation.ErrNotYours) {
		t.Errorf("declined by nobody: %v", err)
	}
}

// A plan that was written by hand does not get around the third person.
func TestApprovalInAPlan(t *testing.T) {
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann"}})
	const override = `{"id":"o","from":"2026-10-05T10:00:00Z","to":"2026-10-05T14:00:00Z","user":"zoe",`
	for text, want := range map[string]string{
		`"needs_approval":true}`: "overrides[0].requested_by",
		`"needs_approval":true,"requested_by":"bob","approval":{"by":"bob","at":"2026-10-05T08:00:00Z"}}`:                            "overrides[0].approval.by",
		`"needs_approval":true,"requested_by":"bob","approval":{"by":"zoe","at":"2026-10-05T08:00:00Z"}}`:                            "overrides[0].approval.by",
		`"needs_approval":true,"requested_by":"bob","approval":{"by":"lead"}}`:                                                       "overrides[0].approval.at",
		`"approval":{"by":"lead","at":"2026-10-05T08:00:00Z"}}`:                                                                      "overrides[0].approval \"lead\"",
		`"needs_approval":true,"requested_by":"bob","approval":{"by":"","declined":true,"at":"2026-10-05T08:00:00Z"}}`:               "overrides[0].approval.by",
		`"kind":"cover","replaces":"zoe"}`:                                                                                           "overrides[0].replaces",
		`"kind":"cover"}`:                                                                                                            "overrides[0].replaces",
		`"needs_approval":true,"requested_by":"bob","approval":{"by":"bob","declined":true,"note":"n","at":"2026-10-05T08:00:00Z"}}`: "",
	} {
		var o escalation.Override
		if err := json.Unmarshal([]byte(override+text), &o); err != nil {
			t.Fatal(err)
		}
		plan.Overrides = []escalation.Override{o}
		_, err := escalation.NewSchedule(plan)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want an error at %q", text, err, want)
		}
	}
}
