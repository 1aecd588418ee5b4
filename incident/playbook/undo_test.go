package playbook_test

import (
	"errors"
	"strings"
	"testing"

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
