package incident_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func by(actor string, e incident.Event) incident.Event {
	e.Actor = actor
	e.Key += "/" + actor
	return e
}

func TestApprovals(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:4]...)
	ask := ev(incident.AskApproval, 5, incident.Details{Ref: "failover", Text: "fail over to SIN"})
	apply(t, inc, ask)
	for _, tt := range []struct {
		name    string
		event   incident.Event
		missing string
	}{
		{"whoever asked", ev(incident.Approve, 6, incident.Details{Ref: "failover"}), `another approver than "ann"`},
		{"refusal by whoever asked", ev(incident.Refuse, 6, incident.Details{Ref: "failover", Text: "no"}), `another approver than "ann"`},
		{"never asked", by("bob", ev(incident.Approve, 6, incident.Details{Ref: "reboot"})), `a request for "reboot"`},
		{"asked twice", by("bob", ev(incident.AskApproval, 6, incident.Details{Ref: "failover", Text: "x"})), `other than "failover"`},
		{"asked for nothing", ev(incident.AskApproval, 6, incident.Details{Ref: "reboot"}), "what is to be done"},
		{"refused without a reason", by("bob", ev(incident.Refuse, 6, incident.Details{Ref: "failover"})), "a reason"},
	} {
		var refused *incident.TransitionError
		if _, err := inc.Apply(tt.event); !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.missing) {
			t.Errorf("%s: Apply = %v, want it to miss %q", tt.name, err, tt.missing)
		}
	}
	apply(t, inc, by("bob", ev(incident.Approve, 7, incident.Details{Ref: "failover", Text: "go"})))
	if _, err := inc.Apply(by("cy", ev(incident.Refuse, 8, incident.Details{Ref: "failover", Text: "no"}))); err == nil {
		t.Error("a second decision was accepted")
	}
	want := []incident.Approval{{
		Ref: "failover", Text: "fail over to SIN", AskedBy: "ann", Asked: minute(5), DecidedBy: "bob", Decided: minute(7), Granted: true, Reason: "go",
	}}
	if got := inc.State().Approvals; !reflect.DeepEqual(got, want) {
		t.Errorf("Approvals = %+v, want %+v", got, want)
	}

	// What another system reports is kept, flagged, and approves nothing.
	fact := ev(incident.Approve, 10, incident.Details{Ref: "reboot"})
	fact.Imported = true
	apply(t, inc, ev(incident.AskApproval, 9, incident.Details{Ref: "reboot", Text: "all of them"}), fact)
	s := inc.State()
	if len(s.Findings) != 1 || s.Findings[0].Code != incident.SelfApproval || s.Approvals[1].DecidedBy != "" {
		t.Errorf("Findings %v, Approvals %v, want a self-approval that does not count", s.Findings, s.Approvals)
	}
}

// TestHolds: the time in which the customer had to answer is taken out of the time
// to resolve, that in which a vendor had to is not.
func TestHolds(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:4]...)
	if _, err := inc.Apply(ev(incident.StartWait, 5, incident.Details{Awaiting: "godot"})); err == nil {
		t.Error("a wait for an unknown party was accepted")
	}
	apply(t, inc,
		ev(incident.StartWait, 5, incident.Details{Awaiting: incident.AwaitVendor}),
		ev(incident.EndWait, 10, incident.Details{}),
		ev(incident.StartWait, 12, incident.Details{}))
	if s := inc.State(); s.WaitingFor != incident.AwaitCustomer || !s.WaitingSince.Equal(minute(12)) {
		t.Errorf("waiting for %q since %v, want the customer since 12:12", s.WaitingFor, s.WaitingSince)
	}
	if _, err := inc.Apply(ev(incident.StartWait, 13, incident.Details{Awaiting: incident.AwaitChange})); err == nil {
		t.Error("a second wait at the same time was accepted")
	}
	apply(t, inc, ev(incident.Resolve, 40, incident.Details{Text: "replaced"})) // ends the wait
	s := inc.State()
	if len(s.Waits) != 1 || !s.Waits[0].Equal(calendar.Interval{Start: minute(12), End: minute(40)}) || s.WaitingFor != "" {
		t.Errorf("Waits = %v, waiting for %q", s.Waits, s.WaitingFor)
	}
	if len(s.Holds) != 1 || s.Holds[0].For != incident.AwaitVendor || s.Holds[0].Duration() != 5*time.Minute {
		t.Errorf("Holds = %+v, want 5m for the vendor", s.Holds)
	}
	if l, ok := s.Record().Lapse(incident.MTTR); !ok || l.Duration != 12*time.Minute {
		t.Errorf("MTTR = %v, %v, want 12m of 40", l.Duration, ok)
	}
	late := ev(incident.StartWait, 50, incident.Details{})
	late.Imported = true
	apply(t, inc, late)
	if s := inc.State(); !s.WaitingSince.IsZero() || len(s.Findings) != 1 {
		t.Errorf("after a wait once resolved: since %v, findings %v, want it flagged only", s.WaitingSince, s.Findings)
	}
}

// TestSecondAcknowledgement: of two people who acknowledge at once one is first; the
// other is told, reads again, and joins. If another system reports both, the first
// counts and both are responders.
func TestSecondAcknowledgement(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:2]...)
	seen := inc.Head().Seq
	if _, err := inc.ApplyAfter(seen, by("bob", ev(incident.Acknowledge, 3, incident.Details{Team: "blue", Centre: "AMS"}))); err != nil {
		t.Fatal(err)
	}
	second := by("cy", ev(incident.Acknowledge, 3, incident.Details{}))
	if _, err := inc.ApplyAfter(seen, second); !errors.Is(err, incident.ErrConflict) {
		t.Fatalf("ApplyAfter = %v, want ErrConflict", err)
	}
	var refused *incident.TransitionError
	if _, err := inc.ApplyAfter(inc.Head().Seq, second); !errors.As(err, &refused) || refused.From != incident.Acknowledged {
		t.Errorf("ApplyAfter = %v, want it refused as acknowledged already", err)
	}
	apply(t, inc, ev(incident.AssignRole, 4, incident.Details{Role: incident.Responder, Person: "cy"}), ev(incident.AssignTeam, 9, incident.Details{Team: "red"}))
	s := inc.State()
	if !reflect.DeepEqual(s.Roles[incident.Responder], []string{"bob", "cy"}) || s.Team != "red" || s.Centre != "AMS" {
		t.Errorf("responders %v of team %q in %q, want bob and cy, red, AMS", s.Roles[incident.Responder], s.Team, s.Centre)
	}

	facts := newIncident(t, incident.Options{})
	for _, e := range []incident.Event{by("cy", ev(incident.Acknowledge, 4, incident.Details{})), major()[1], by("bob", ev(incident.Acknowledge, 3, incident.Details{}))} {
		e.Imported = true
		apply(t, facts, e)
	}
	if s := facts.State(); !s.Times.Acknowledged.Equal(minute(3)) || !reflect.DeepEqual(s.Roles[incident.Responder], []string{"bob", "cy"}) || len(s.Findings) != 0 {
		t.Errorf("facts: acknowledged at %v by %v, findings %v", s.Times.Acknowledged, s.Roles[incident.Responder], s.Findings)
	}
}

// TestScoreAndTraits: what problem management and reports need comes out of the
// state.
func TestScoreAndTraits(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, ev(incident.Detect, 0, incident.Details{Title: "t", Component: "db-7", Fingerprint: "f1"}), ev(incident.Declare, 1, incident.Details{Severity: incident.P3, Component: "other"}))
	if _, err := inc.Apply(ev(incident.RecordScore, 2, incident.Details{Score: 4})); err == nil {
		t.Error("a score before the resolution was accepted")
	}
	apply(t, inc, ev(incident.Resolve, 5, incident.Details{Text: "done"}), ev(incident.RecordScore, 6, incident.Details{Score: 2}), ev(incident.Close, 7, incident.Details{}), ev(incident.RecordScore, 9, incident.Details{Score: 4}))
	r := inc.State().Record()
	if r.Component != "db-7" || r.Fingerprint != "f1" || r.Score != 4 || r.Tenant != "acme" {
		t.Errorf("Record = %+v, want db-7, f1, a score of 4, acme", r)
	}
	var bad *incident.EventError
	if _, err := inc.Apply(ev(incident.RecordScore, 10, incident.Details{Score: 6})); !errors.As(err, &bad) || bad.Field != "score" {
		t.Errorf("Apply of a score of 6 = %v, want an EventError for it", err)
	}
}

func TestPriorityMatrix(t *testing.T) {
	m := incident.DefaultPriorityMatrix()
	levels := []incident.Level{incident.LowLevel, incident.MediumLevel, incident.HighLevel}
	for _, impact := range levels {
		for _, urgency := range levels {
			// Both count alike: two times high is P1, each step down is one less, P4 at the least.
			want := incident.Severity(min(1+int(2*incident.HighLevel-impact-urgency), 4))
			if got, ok := m.Severity(impact, urgency); !ok || got != want {
				t.Errorf("Severity(%v, %v) = %v, %v, want %v", impact, urgency, got, ok, want)
			}
		}
		text, err := impact.MarshalText()
		var again incident.Level
		if err != nil || again.UnmarshalText(text) != nil || again != impact {
			t.Errorf("%v as text: %s, %v", impact, text, err)
		}
	}
	if s, ok := m.Severity(0, incident.HighLevel); ok {
		t.Errorf("Severity of no impact = %v, want none", s)
	}
	if err := new(incident.Level).UnmarshalText([]byte("huge")); err == nil {
		t.Error("an unknown level was read")
	}
}
