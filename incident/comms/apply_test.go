package comms_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestThreadKeepsItsOwn: what the caller does with its state afterwards, and with a
// snapshot, changes neither the messages nor the thread.
func TestThreadKeepsItsOwn(t *testing.T) {
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact), person("leg", comms.LegalCompliance)}})
	given := func() incident.State {
		s := withNews(state(incident.P1), "a")
		s.Flags, s.Links = []incident.Flag{incident.DataFlag}, []incident.Link{{Target: "INC-3"}}
		return s
	}
	spoil := func(s incident.State) {
		s.Services[0], s.Flags[0], s.Links[0].Target, s.Updates[0].Text = "other", "other", "other", "other"
		s.Roles[incident.Lead][0] = "other"
		s.Roles[incident.Communicator] = []string{"other"}
	}
	messages := func(spoiled bool) []comms.Message {
		thread := plan.Open("acme", "INC-2024-001")
		s := given()
		if err := thread.Apply(s, after(0)); err != nil {
			t.Fatal(err)
		}
		if spoiled {
			spoil(s)
			spoil(thread.Snapshot().State)
			kept := thread.Snapshot()
			restored, err := plan.Restore(kept)
			if err != nil {
				t.Fatal(err)
			}
			spoil(kept.State)
			thread = restored
		}
		return append(thread.Step(after(0)), thread.Step(after(15))...)
	}
	clean := messages(false)
	want(t, "undisturbed", clean, "initial leg email", "initial tec email", "reminder lea page")
	if got := messages(true); !reflect.DeepEqual(got, clean) {
		t.Errorf("after the caller changed its values: %+v\nwant %+v", got, clean)
	}

	thread := plan.Open("acme", "INC-2024-001")
	s := given()
	apply(t, thread, s, after(0))
	before, err := json.Marshal(thread.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	spoil(s)
	if got, err := json.Marshal(thread.Snapshot()); err != nil || !slices.Equal(got, before) {
		t.Errorf("the snapshot changed with the state of the caller: %s, %v\nwant %s", got, err, before)
	}
}

// TestLateUpdate: an update that is older than the one that was sent is no news, and
// the news is not told again because of it.
func TestLateUpdate(t *testing.T) {
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{person("tec", comms.TechnicalContact)}}).Open("acme", "INC-2024-001")
	apply(t, thread, state(incident.P3), after(0))
	s := withNews(state(incident.P3), "older", "newer", "newest")
	s.Updates = s.Updates[1:2]
	want(t, "news", apply(t, thread, s, after(10)), "update tec email")
	s.Updates = withNews(state(incident.P3), "older", "newer").Updates
	want(t, "older news", apply(t, thread, s, after(20)))
	if due, _ := thread.NextUpdateDue(); !due.Equal(after(70)) {
		t.Errorf("NextUpdateDue = %v, want an hour after the newer one", due)
	}
	s.Updates = withNews(state(incident.P3), "older", "newer", "newest").Updates
	got := apply(t, thread, s, after(30))
	want(t, "newest", got, "update tec email")
	if got[0].Key != "acme/INC-2024-001/1/update/2/tec/email" {
		t.Errorf("key = %s", got[0].Key)
	}
}

// TestPlanChanges: who is told what is worked out anew with the plan of the day:
// people who join, leave and change what they want while an incident is open.
func TestPlanChanges(t *testing.T) {
	own, gone := person("own", comms.BusinessOwner), person("gone", comms.TechnicalContact)
	thread := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{own, gone}}).Open("acme", "INC-2024-001")
	want(t, "initial", apply(t, thread, state(incident.P2), after(0)), "initial gone email", "initial own email")

	own.Preferences.Updates, own.Contact = false, map[string]string{"email": "new@example.com"}
	plan := newPlan(t, comms.Config{
		Stakeholders: []comms.Stakeholder{own, person("tec", comms.TechnicalContact)},
		Matrix:       map[incident.Severity][]comms.Role{incident.P2: {comms.TechnicalContact, comms.BusinessOwner}},
	})
	thread, err := plan.Restore(thread.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the same state", apply(t, thread, state(incident.P2), after(1)), "initial tec email")
	want(t, "news", apply(t, thread, withNews(state(incident.P2), "a"), after(2)), "update tec email")
	got := apply(t, thread, resolved(withNews(state(incident.P2), "a")), after(3))
	want(t, "resolution", got, "resolution own email", "resolution tec email")
	if got[0].Address != "new@example.com" {
		t.Errorf("address = %s", got[0].Address)
	}
}
