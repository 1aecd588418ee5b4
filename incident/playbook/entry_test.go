package playbook_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// TestEntriesTellTheRun: every decision, vote and result is on record with its why,
// in order, and goes into the timeline of an incident, once however often it is
// reported.
func TestEntriesTellTheRun(t *testing.T) {
	var entries []playbook.Entry
	e, ask := approvalCase(t, func(c *playbook.Config) { c.Record = func(x playbook.Entry) { entries = append(entries, x) } })
	run := e.Runs()[0].ID
	for _, event := range []playbook.Event{
		{Kind: playbook.Attach, At: minute(11), Run: run, Incident: "INC-1"},
		{Kind: playbook.Approve, At: minute(11), Step: ask.Step, Hash: ask.Hash, By: "bob", Text: "bad deployment"},
	} {
		if err := e.Apply(event); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range e.Step(minute(11)) {
		report(t, e, i, playbook.Failed, minute(12))
	}
	e.Step(minute(12))
	for _, kind := range []playbook.Kind{playbook.Halt, playbook.Halt, playbook.Release, playbook.Release} {
		if err := e.Apply(playbook.Event{Kind: kind, At: minute(13), By: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	var told []string
	decided := map[string]bool{}
	for i, x := range entries {
		if x.Tenant != "acme" || x.Text == "" || x.Run != "" && (x.Run != run || x.Number != i+1) {
			t.Errorf("entry %d = %+v", i, x)
		}
		if x.Kind == playbook.Decided {
			decided[x.Action] = true
		}
		if x.Action == "consider_rollback" || x.Action == "" {
			told = append(told, string(x.Kind)+" "+string(x.Decision)+": "+x.Text)
		}
	}
	for i, part := range []string{
		"began : started by ann", "decided approval: ", "voted approval: approved by bob (bad deployment), 1 of 1",
		"decided run: approved by bob (bad deployment)", "reported run: failed: failed", "ended : ", "halted : halted by ann", "released : ",
	} {
		if i >= len(told) || !strings.HasPrefix(told[i], part) {
			t.Fatalf("record:\n%s\nwant %q at %d", strings.Join(told, "\n"), part, i)
		}
	}
	if len(decided) != 9 {
		t.Errorf("decisions on %d actions, want all 9", len(decided))
	}

	i, err := incident.New("acme", "INC-1", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	declared := incident.Event{Key: "d", Kind: incident.Declare, At: noon, Actor: "ann", Details: incident.Details{Title: "errors", Severity: incident.P2, Services: []string{"shop"}}}
	if _, err := i.Apply(declared); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, x := range entries {
			event, err := x.Event()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := i.Apply(event); err != nil {
				t.Fatalf("timeline: %v", err)
			}
		}
	}
	events := i.Timeline().Entries()[1:]
	results := 0
	for _, x := range events {
		event, err := x.Event()
		if err != nil {
			t.Fatal(err)
		}
		if event.Kind == incident.RecordResult {
			results++
		}
	}
	attempts := slices.IndexFunc(entries, func(x playbook.Entry) bool { return x.Kind == playbook.Reported })
	if len(events) != len(entries) || results == 0 || attempts < 0 {
		t.Errorf("timeline has %d events, %d of them results, want %d", len(events), results, len(entries))
	}
}

// TestLateAnswerIsOfItsAttempt: an attempt that was given up had worked after all,
// while the next one is under way: each has its own result on record.
func TestLateAnswerIsOfItsAttempt(t *testing.T) {
	var results []playbook.Entry
	e := newEngine(t, func(c *playbook.Config) {
		c.Record = func(x playbook.Entry) {
			if x.Kind == playbook.Reported && x.Action == "capture_performance_snapshot" {
				results = append(results, x)
			}
		}
	})
	begin(t, e, "high_cpu_utilization", "api", noon)
	first := e.Step(noon)
	e.Step(first[0].Deadline) // no answer
	second := e.Step(first[0].Deadline.Add(time.Second))
	want(t, "second attempt", second, "do capture_performance_snapshot")
	report(t, e, first[0], playbook.OK, second[0].At.Add(1))
	report(t, e, second[0], playbook.Failed, second[0].At.Add(2)) // changes nothing
	if s := step(t, e, "capture_performance_snapshot"); s.Status != playbook.Succeeded {
		t.Errorf("step = %+v, want it succeeded", s)
	}
	expected := []struct {
		attempt int
		outcome playbook.Outcome
	}{{1, playbook.Uncertain}, {2, playbook.Uncertain}, {1, playbook.OK}}
	if len(results) != len(expected) {
		t.Fatalf("%d results, want %d: %+v", len(results), len(expected), results)
	}
	for i, w := range expected {
		if results[i].Attempt != w.attempt || results[i].Outcome != w.outcome {
			t.Errorf("result %d = attempt %d %s, want %d %s", i+1, results[i].Attempt, results[i].Outcome, w.attempt, w.outcome)
		}
	}
}
