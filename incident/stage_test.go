package incident_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// What stakeholders are told between the opening and the end is a part of the state: the
// latest stage since the last reopening, and when they will hear more.
func TestStage(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 10, 1, 8, minute, 0, 0, time.UTC) }
	inc, err := incident.New("acme", "INC-1", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	do := func(minute int, kind incident.Kind, d incident.Details, stage incident.Stage, next time.Time) {
		t.Helper()
		key := string(kind) + at(minute).String()
		if _, err := inc.Apply(incident.Event{Key: key, Kind: kind, At: at(minute), Actor: "ann", Details: d}); err != nil {
			t.Fatal(err)
		}
		if s := inc.State(); s.Stage() != stage || !s.NextUpdate().Equal(next) {
			t.Errorf("minute %d: stage %q, next update %v, want %q, %v", minute, s.Stage(), s.NextUpdate(), stage, next)
		}
	}
	none := time.Time{}
	do(0, incident.Declare, incident.Details{Title: "down", Severity: incident.P1}, "", none)
	do(1, incident.PostUpdate, incident.Details{Text: "we look", Stage: incident.Investigating, NextUpdate: at(31)}, incident.Investigating, at(31))
	do(2, incident.PostUpdate, incident.Details{Text: "still"}, incident.Investigating, none) // which was the next one
	do(3, incident.PostUpdate, incident.Details{Text: "a disk", Stage: incident.Identified, NextUpdate: at(40)}, incident.Identified, at(40))
	do(4, incident.Resolve, incident.Details{Text: "replaced"}, "", none)
	do(5, incident.Reopen, incident.Details{Text: "again"}, "", at(40))
	do(6, incident.PostUpdate, incident.Details{Text: "watched", Stage: incident.Monitoring}, incident.Monitoring, none)
	for name, d := range map[string]incident.Details{
		"a stage that is none":      {Text: "x", Stage: "resolved"},
		"a next update in the past": {Text: "x", NextUpdate: at(6)},
	} {
		if _, err := inc.Apply(incident.Event{Key: name, Kind: incident.PostUpdate, At: at(7), Actor: "ann", Details: d}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	// The stored form holds it, and that of an update that tells neither is as it was.
	text, err := json.Marshal(inc.State().Updates[1:3])
	if err != nil {
		t.Fatal(err)
	}
	var parsed []map[string]any
	if err := json.Unmarshal(text, &parsed); err != nil || len(parsed[0]) != 3 || parsed[1]["stage"] != "identified" || parsed[1]["next_update"] != "2026-10-01T08:40:00Z" {
		t.Errorf("stored %s, %v", text, err)
	}
	again, err := incident.Restore(inc.Snapshot(), incident.Options{})
	if err != nil || again.State().Stage() != incident.Monitoring {
		t.Errorf("restored: %v", err)
	}
}
