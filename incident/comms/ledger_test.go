package comms_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestLedger: the record of an incident, whatever the order of the reports.
func TestLedger(t *testing.T) {
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{sarah(), mike()}})
	thread := plan.Open("acme", "INC-2024-001")
	sent := apply(t, thread, state(incident.P1), after(0))
	sent = append(sent, apply(t, thread, resolved(state(incident.P1)), after(20))...)
	want(t, "sent", sent,
		"initial Mike Johnson email", "initial Sarah Chen email", "initial Sarah Chen sms",
		"resolution Mike Johnson email", "resolution Sarah Chen email", "resolution Sarah Chen sms")
	receipts := []comms.Receipt{
		{Key: sent[0].Key, Outcome: comms.Failed, At: after(1), Attempt: 1, Detail: "550 no such user"},
		{Key: sent[1].Key, Outcome: comms.Deferred, At: after(1), Attempt: 1, Detail: "451 later"},
		{Key: sent[1].Key, Outcome: comms.Delivered, At: after(2), Attempt: 2, Detail: "250 ok"},
		{Key: sent[1].Key, Outcome: comms.Delivered, At: after(3), Attempt: 3, Detail: "250 again"}, // by a second worker
		{Key: sent[1].Key, Outcome: comms.Confirmed, At: after(9)},
		{Key: sent[2].Key, Outcome: comms.Delivered, At: after(1), Attempt: 1},
		{Key: sent[4].Key, Outcome: comms.Deferred, At: after(21), Attempt: 1, Detail: "connection refused"},
		{Key: sent[4].Key, Outcome: "pigeon", At: after(22)},
	}
	var stored string
	for n := range uint64(20) {
		var l comms.Ledger
		l.Add(sent...)
		rand.New(rand.NewPCG(n, 1)).Shuffle(len(receipts), func(i, j int) { receipts[i], receipts[j] = receipts[j], receipts[i] })
		for _, r := range append(receipts, receipts[0]) {
			if !l.Report(r) {
				t.Fatalf("Report(%s) is not known", r.Key)
			}
		}
		if l.Report(comms.Receipt{Key: "other", Outcome: comms.Delivered}) {
			t.Error("Report of a message that was never added is known")
		}
		l.Add(sent...) // again: changes nothing
		data, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			stored = string(data)
		} else if string(data) != stored {
			t.Fatalf("another order of reports gives\n%s, want\n%s", data, stored)
		}
	}
	var l comms.Ledger
	if err := json.Unmarshal([]byte(stored), &l); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range l.Deliveries("") {
		lines = append(lines, d.String())
	}
	if want := []string{
		"2026-03-02T11:00:00Z initial to Mike Johnson by email at mike@example.com: failed 2026-03-02T11:01:00Z (550 no such user)",
		"2026-03-02T11:00:00Z initial to Sarah Chen by email at sarah@example.com: confirmed 2026-03-02T11:09:00Z",
		"2026-03-02T11:00:00Z initial to Sarah Chen by sms at +15550100: delivered 2026-03-02T11:01:00Z",
		"2026-03-02T11:20:00Z resolution to Mike Johnson by email at mike@example.com: on its way",
		"2026-03-02T11:20:00Z resolution to Sarah Chen by email at sarah@example.com: deferred 2026-03-02T11:21:00Z (connection refused)",
		"2026-03-02T11:20:00Z resolution to Sarah Chen by sms at +15550100: on its way",
	}; !slices.Equal(lines, want) {
		t.Errorf("Deliveries = %q, want %q", lines, want)
	}
	if d := l.Deliveries("Sarah Chen"); len(d) != 4 || d[0].Attempts != 3 || d[0].Body != sent[1].Body {
		t.Errorf("Deliveries of Sarah = %+v", d)
	}
	if got := l.Told(); !reflect.DeepEqual(got, []string{"Sarah Chen"}) {
		t.Errorf("Told = %q", got)
	}
	if got := l.Unsettled(after(20)); len(got) != 0 {
		t.Errorf("Unsettled before 20 minutes = %+v", got)
	}
	if got := l.Unsettled(after(21)); len(got) != 3 {
		t.Errorf("Unsettled = %+v, want the three resolutions", got)
	}
}

// The record goes into the chain of the incident.
func TestDeliveryEvent(t *testing.T) {
	inc, err := incident.New("acme", "INC-2024-001", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inc.Apply(incident.Event{Key: "1", Kind: incident.Declare, At: start, Actor: "lea", Details: incident.Details{Severity: incident.P1, Title: "down", Services: []string{"user_api"}}}); err != nil {
		t.Fatal(err)
	}
	plan := newPlan(t, comms.Config{Stakeholders: []comms.Stakeholder{mike()}})
	var l comms.Ledger
	l.Add(apply(t, plan.Open("acme", "INC-2024-001"), inc.State(), start)...)
	l.Report(comms.Receipt{Key: l.Deliveries("")[0].Key, Outcome: comms.Delivered, At: after(1)})
	event := l.Deliveries("")[0].Event("mailer")
	if event.Ref != "acme/INC-2024-001/1/initial/1/Mike Johnson/email" || event.Key != event.Ref+"/delivered" || !event.At.Equal(after(1)) {
		t.Errorf("event = %+v", event)
	}
	if _, err := inc.Apply(event); err != nil {
		t.Errorf("Apply(%+v) = %v", event, err)
	}
}
