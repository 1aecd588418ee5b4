package playbook_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// errorSpike runs both actions of level 1 of the error spike at night, when nothing
// needs an approval, and returns the engine after minute 2.
func errorSpike(t *testing.T) *playbook.Engine {
	t.Helper()
	e := newEngine(t, func(c *playbook.Config) {
		for i := range c.Services {
			c.Services[i].Zone = "Asia/Singapore" // 20:00 at noon
		}
	})
	begin(t, e, "application_error_spike", "shop", noon)
	drain(t, e, noon)
	fine(t, e, "shop", minute(2))
	want(t, "level 1", drain(t, e, minute(2)), "do enable_circuit_breaker", "do alert_development_team", "do route_traffic_to_healthy_instances")
	return e
}

// TestUndo: the latest is taken back first, one after the other, and gets what the
// action reported; what is taken back once is not taken back again.
func TestUndo(t *testing.T) {
	e := errorSpike(t)
	run := e.Runs()[0].ID
	undo := playbook.Event{Kind: playbook.Undo, At: minute(3), Run: run, By: "bob", Text: "wrong service"}
	if err := e.Apply(undo); err != nil {
		t.Fatal(err)
	}
	first := e.Step(minute(3))
	want(t, "latest first", first, "do restore_traffic_routing")
	i := first[0]
	if i.Stage != "undo" || i.Result != "ok" || !strings.HasSuffix(i.Undoes, "/level_1/route_traffic_to_healthy_instances") ||
		!strings.HasSuffix(i.Key, "/undo/level_1/route_traffic_to_healthy_instances") || i.Operation != "restore_traffic_routing" {
		t.Errorf("intent = %+v", i)
	}
	report(t, e, i, playbook.OK, minute(3))
	second := e.Step(minute(3))
	want(t, "then the one before", second, "do disable_circuit_breaker")
	report(t, e, second[0], playbook.OK, minute(3))
	want(t, "no more, and level 2 is off", drain(t, e, minute(20)))
	if r := e.Runs()[0]; !r.Ended() || r.UndoneBy != "bob" {
		t.Errorf("run = %+v", r)
	}
	if err := e.Apply(undo); err != nil {
		t.Errorf("repeated undo = %v", err)
	}
	want(t, "repeated", drain(t, e, minute(21)))

	var bad *playbook.EventError
	if err := e.Apply(playbook.Event{Kind: playbook.Undo, At: minute(3), Run: "x", By: "bob"}); !errors.As(err, &bad) || bad.Field != "run" {
		t.Errorf("undo of no run = %v", err)
	}
	if err := e.Apply(playbook.Event{Kind: playbook.Undo, At: minute(3), Run: run}); !errors.As(err, &bad) || bad.Field != "by" {
		t.Errorf("undo by nobody = %v", err)
	}
}

// TestUndoOfAnEndedRun opens the run again, goes through the safety checks, and
// survives a restart.
func TestUndoOfAnEndedRun(t *testing.T) {
	e := errorSpike(t)
	fine(t, e, "shop", minute(10))
	for _, i := range drain(t, e, minute(10)) {
		if i.Kind == playbook.Ask {
			if err := e.Apply(playbook.Event{Kind: playbook.Reject, At: minute(10), Step: i.Step, By: "bob"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	drain(t, e, minute(10))
	if !e.Runs()[0].Ended() {
		t.Fatalf("run = %+v, want it ended", e.Runs()[0])
	}
	if err := e.Apply(playbook.Event{Kind: playbook.Undo, At: minute(11), Run: e.Runs()[0].ID, By: "bob"}); err != nil {
		t.Fatal(err)
	}
	observe(t, e, "shop", "all_dependencies.health_status", playbook.Texts("down"), minute(11))
	s := e.Snapshot()
	e = newEngine(t, nil)
	if err := e.Restore(s); err != nil {
		t.Fatal(err)
	}
	// Traffic is not moved onto a dependency that is down; the breaker may close.
	want(t, "undo", e.Step(minute(11)), "tell restore_traffic_routing", "do disable_circuit_breaker")
	if at, ok := e.NextWake(); !ok || !at.Equal(minute(16)) {
		t.Errorf("NextWake = %v %v, want the end of the attempt", at, ok)
	}
}

// ladder begins a run of three actions, a at once, b after one minute and c after
// two, each of which is taken back by one of its own.
func ladder(t *testing.T, change func(*playbook.Definition, map[string]playbook.ActionSpec)) *playbook.Engine {
	t.Helper()
	d := playbook.Definition{
		Trigger: playbook.Trigger{Condition: "cpu_utilization > 85%", ServiceType: "compute"},
		Actions: playbook.Stages{
			Immediate: []playbook.Call{{Action: "a"}},
			Level1:    []playbook.Call{{Action: "b"}},
			Level2:    []playbook.Call{{Action: "c"}, {Action: "page"}},
		},
	}
	actions := map[string]playbook.ActionSpec{"page": {Type: playbook.Paging, Risk: playbook.NoRisk, Idempotent: true, Timeout: time.Minute}}
	for _, name := range []string{"a", "b", "c"} {
		actions[name] = playbook.ActionSpec{Type: playbook.Remediation, Risk: playbook.LowRisk, Compensation: "undo_" + name, Timeout: 4 * time.Minute}
		actions["undo_"+name] = playbook.ActionSpec{Type: playbook.Remediation, Risk: playbook.LowRisk, Idempotent: true, Timeout: time.Minute}
	}
	if change != nil {
		change(&d, actions)
	}
	e := newEngine(t, func(c *playbook.Config) {
		c.Actions = actions
		c.Book = playbook.Book{
			Playbooks: map[string]playbook.Definition{"ladder": d},
			Delays:    &playbook.LevelDelays{Level1: "1 minute", Level2: "2 minutes"},
			Response:  playbook.Response{Retry: playbook.RetryPolicy{MaxAttempts: 1, BackoffMultiplier: 1}, Safety: []playbook.SafetyCheck{}},
		}
	})
	begin(t, e, "ladder", "api", noon)
	return e
}

// one expects one intent to do an action and returns it.
func one(t *testing.T, e *playbook.Engine, action string, at time.Time) playbook.Intent {
	t.Helper()
	got := only(e.Step(at), action)
	want(t, "at "+at.Format(time.TimeOnly), got, "do "+action)
	if t.Failed() {
		t.FailNow()
	}
	return got[0]
}

func undo(t *testing.T, e *playbook.Engine, at time.Time) {
	t.Helper()
	if err := e.Apply(playbook.Event{Kind: playbook.Undo, At: at, Run: e.Runs()[0].ID, By: "bob"}); err != nil {
		t.Fatal(err)
	}
}

// reborn is the engine that another process makes of the snapshot.
func reborn(t *testing.T, e *playbook.Engine, again *playbook.Engine) *playbook.Engine {
	t.Helper()
	data, err := json.Marshal(e.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var s playbook.Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if err := again.Restore(s); err != nil {
		t.Fatal(err)
	}
	return again
}

// TestUndoOfWhatSucceedsLater: the result of c comes when the run is taken back
// already. It is taken back, too, before what began before it and still waits,
// whether the process died meanwhile or not.
func TestUndoOfWhatSucceedsLater(t *testing.T) {
	for _, dies := range []bool{false, true} {
		e := ladder(t, nil)
		report(t, e, one(t, e, "a", noon), playbook.OK, noon)
		report(t, e, one(t, e, "b", minute(1)), playbook.OK, minute(1))
		c := one(t, e, "c", minute(2))
		undo(t, e, minute(3))
		b := one(t, e, "undo_b", minute(3))
		if dies {
			e = reborn(t, e, ladder(t, nil))
		}
		report(t, e, c, playbook.OK, minute(3.5))
		want(t, "while b is taken back", e.Step(minute(3.5)))
		report(t, e, b, playbook.OK, minute(3.5))
		if dies {
			e = reborn(t, e, ladder(t, nil))
		}
		last := one(t, e, "undo_c", minute(3.5))
		if last.Result != "ok" || !strings.HasSuffix(last.Undoes, "/level_2/c") {
			t.Errorf("intent = %+v", last)
		}
		report(t, e, last, playbook.OK, minute(3.5))
		report(t, e, c, playbook.OK, minute(3.5)) // reported twice
		report(t, e, one(t, e, "undo_a", minute(3.5)), playbook.OK, minute(3.5))
		want(t, "at the end", e.Step(minute(5)))
	}
}

// TestUndoOfNothingYet: a run is taken back before its only action has a result;
// one that fails then is not taken back, and one whose late result opens the
// ended run again is.
func TestUndoOfNothingYet(t *testing.T) {
	for _, tt := range []struct {
		outcome playbook.Outcome
		at      time.Time
		list    []string
	}{
		{playbook.OK, minute(0.5), []string{"do undo_a"}},
		{playbook.Failed, minute(0.5), []string{"tell a"}},
		{playbook.OK, minute(9), []string{"do undo_a"}}, // after the four minutes that it has
		{playbook.Failed, minute(9), nil},
	} {
		e := ladder(t, nil)
		a := one(t, e, "a", noon)
		undo(t, e, minute(0.25))
		undo(t, e, minute(0.25))
		want(t, "before the result", e.Step(minute(0.25)))
		if tt.at.After(minute(4)) {
			want(t, "after its time", e.Step(minute(8)), "tell a")
			if !e.Runs()[0].Ended() {
				t.Errorf("run = %+v, want it ended", e.Runs()[0])
			}
		}
		report(t, e, a, tt.outcome, tt.at)
		want(t, string(tt.outcome)+" at "+tt.at.Format(time.TimeOnly), drain(t, e, tt.at), tt.list...)
		if !e.Runs()[0].Ended() {
			t.Errorf("run = %+v, want it ended", e.Runs()[0])
		}
	}
}

// TestUndoOnFailure: c fails for good, so b and a are taken back, the latest first;
// people are called all the same. What was skipped, blocked, not approved or is in
// doubt has not failed, neither has a diagnostic failed in this sense.
func TestUndoOnFailure(t *testing.T) {
	fails := func(outcome playbook.Outcome) func(*testing.T, *playbook.Engine, playbook.Intent) {
		return func(t *testing.T, e *playbook.Engine, i playbook.Intent) {
			t.Helper()
			report(t, e, i, outcome, minute(2))
		}
	}
	taken := []string{"do undo_b", "do undo_a"}
	for _, tt := range []struct {
		name   string
		change func(*playbook.Definition, map[string]playbook.ActionSpec)
		end    func(*testing.T, *playbook.Engine, playbook.Intent)
		list   []string
	}{
		{"failed", nil, fails(playbook.Failed), append([]string{"tell c"}, taken...)},
		{"not done", nil, fails(playbook.NotDone), append([]string{"tell c"}, taken...)},
		{"succeeded", nil, fails(playbook.OK), nil},
		{"not asked for", func(d *playbook.Definition, _ map[string]playbook.ActionSpec) { d.UndoOnFailure = false }, fails(playbook.Failed), []string{"tell c"}},
		{"diagnostic", func(_ *playbook.Definition, a map[string]playbook.ActionSpec) {
			c := a["c"]
			c.Type = playbook.Diagnostic
			a["c"] = c
		}, fails(playbook.Failed), []string{"tell c"}},
		{"in doubt", nil, fails(playbook.Uncertain), []string{"tell c"}},
		{"in doubt, then failed", nil, func(t *testing.T, e *playbook.Engine, i playbook.Intent) {
			t.Helper()
			report(t, e, i, playbook.Uncertain, minute(2))
			want(t, "in doubt", e.Step(minute(2)), "tell c")
			report(t, e, i, playbook.Failed, minute(2))
		}, taken},
		{"failed, but had worked", nil, func(t *testing.T, e *playbook.Engine, i playbook.Intent) {
			t.Helper()
			report(t, e, i, playbook.Failed, minute(2))
			report(t, e, i, playbook.OK, minute(2))
		}, append([]string{"do undo_c"}, taken...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := ladder(t, func(d *playbook.Definition, a map[string]playbook.ActionSpec) {
				d.UndoOnFailure = true
				if tt.change != nil {
					tt.change(d, a)
				}
			})
			report(t, e, one(t, e, "a", noon), playbook.OK, noon)
			report(t, e, one(t, e, "b", minute(1)), playbook.OK, minute(1))
			begun := e.Step(minute(2))
			want(t, "level 2", begun, "do c", "do page")
			report(t, e, begun[1], playbook.OK, minute(2))
			tt.end(t, e, begun[0])
			want(t, tt.name, drain(t, e, minute(2)), tt.list...)
		})
	}
}

// TestUndoOnFailureGoesOn: after b has failed, level 2 calls for help and changes
// nothing more; the timeline says why.
func TestUndoOnFailureGoesOn(t *testing.T) {
	e := ladder(t, func(d *playbook.Definition, _ map[string]playbook.ActionSpec) { d.UndoOnFailure = true })
	report(t, e, one(t, e, "a", noon), playbook.OK, noon)
	report(t, e, one(t, e, "b", minute(1)), playbook.Failed, minute(1))
	want(t, "taken back", drain(t, e, minute(1)), "tell b", "do undo_a")
	if at, ok := e.NextWake(); !ok || !at.Equal(minute(2)) {
		t.Errorf("NextWake = %v, %v, want level 2", at, ok)
	}
	want(t, "level 2", drain(t, e, minute(2)), "do page")
	r := e.Runs()[0]
	if s := step(t, e, "c"); s.Status != playbook.Skipped || s.Why != "the run is taken back because b failed: failed" {
		t.Errorf("c = %+v", s)
	}
	if !r.Ended() || r.UndoneBy != "" || r.Undone != "because b failed: failed" {
		t.Errorf("run = %+v", r)
	}
}
