package comms_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// An instant that is not set cannot stand for "told": nobody would ever be told enough.
func TestInstantNotSet(t *testing.T) {
	plan, err := comms.New(german())
	if err != nil {
		t.Fatal(err)
	}
	thread := plan.Open("acme", "INC-2024-001")
	if err := thread.Apply(state(incident.P1), time.Time{}); err == nil || !strings.Contains(err.Error(), "instant") {
		t.Errorf("Apply without an instant = %v, want an error that says so", err)
	}
	if err := thread.Apply(state(incident.P1), after(0)); err != nil {
		t.Fatal(err)
	}
	if out := thread.Step(time.Time{}); out != nil {
		t.Errorf("Step without an instant gives %d messages, want none", len(out))
	}
	if out := thread.Step(after(0)); len(out) == 0 {
		t.Error("Step gives nothing, want the first messages")
	}

	data, err := json.Marshal(thread.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	since, err := json.Marshal(after(0))
	if err != nil {
		t.Fatal(err)
	}
	var s comms.Snapshot
	if err := json.Unmarshal([]byte(strings.Replace(string(data), `"news":0`, `"news":1`, 1)), &s); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Restore(s); err == nil || !strings.Contains(err.Error(), "news_at is missing") {
		t.Errorf("Restore of an update without an instant = %v, want an error that names news_at", err)
	}
	if err := json.Unmarshal([]byte(strings.Replace(string(data), `"since":`+string(since), `"since":"0001-01-01T00:00:00Z"`, 1)), &s); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Restore(s); err == nil || !strings.Contains(err.Error(), ".since is missing") {
		t.Errorf("Restore of somebody who never joined = %v, want an error that names since", err)
	}
}
