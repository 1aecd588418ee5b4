package playbook_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// threeDBs is a tenant with three databases whose first action is to kill idle
// connections.
func threeDBs(t *testing.T, limits playbook.Limits) *playbook.Engine {
	t.Helper()
	e := newEngine(t, func(c *playbook.Config) {
		c.Services, c.Limits = nil, limits
		for i := range 3 {
			c.Services = append(c.Services, playbook.Service{ID: fmt.Sprint("db", i), Type: "database", Zone: "Europe/Amsterdam"})
		}
		d := c.Book.Playbooks["database_connection_exhaustion"]
		d.Actions = playbook.Stages{Immediate: []playbook.Call{{Action: "kill_idle_connections"}, {Action: "alert_database_team"}}}
		c.Book.Playbooks["database_connection_exhaustion"] = d
	})
	return e
}

// TestLimitRunning: the third action waits until one of the two has ended, calls
// for help do not, and a run whose trigger clears takes its action out of the queue.
func TestLimitRunning(t *testing.T) {
	e := threeDBs(t, playbook.Limits{Running: 2})
	for i := range 3 {
		begin(t, e, "database_connection_exhaustion", fmt.Sprint("db", i), noon)
	}
	got := e.Step(noon)
	want(t, "first", got, "do kill_idle_connections", "do alert_database_team", "do kill_idle_connections", "do alert_database_team", "do alert_database_team")
	queued := e.Runs()[2].Steps[0]
	if queued.Status != playbook.Queued || queued.Decision != playbook.QueueIt || queued.Why != "limit: 2 actions are under way, at most 2 may be" {
		t.Errorf("third = %+v", queued)
	}
	if wake, ok := e.NextWake(); !ok || !wake.Equal(noon.Add(10*time.Second)) {
		t.Errorf("NextWake = %v %v", wake, ok)
	}
	want(t, "still full", e.Step(minute(0.5)))
	report(t, e, got[0], playbook.OK, minute(0.6))
	want(t, "free", e.Step(minute(0.6)), "do kill_idle_connections")

	e = threeDBs(t, playbook.Limits{Running: 2})
	e.Elsewhere(playbook.Usage{Running: 2})
	begin(t, e, "database_connection_exhaustion", "db0", noon)
	want(t, "full elsewhere", e.Step(noon), "do alert_database_team")
	if err := e.Apply(playbook.Event{Kind: playbook.Stop, At: minute(1), Run: e.Runs()[0].ID, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	e.Step(minute(1))
	if s := e.Runs()[0].Steps[0]; s.Status != playbook.Skipped {
		t.Errorf("queued step of a stopped run = %+v", s)
	}
}

// TestLimitsThatBlock: too many services, or too many actions in a time, is for a
// person.
func TestLimitsThatBlock(t *testing.T) {
	for _, tt := range []struct {
		limits    playbook.Limits
		elsewhere playbook.Usage
		blocked   int // runs of three, one each minute
		why       string
	}{
		{playbook.Limits{}, playbook.Usage{Services: 9}, 0, ""},
		{playbook.Limits{Services: 2}, playbook.Usage{}, 1, "limit: 2 services are being changed, at most 2 may be"},
		{playbook.Limits{Services: 2}, playbook.Usage{Services: 1}, 2, "limit: 2 services are being changed, at most 2 may be"},
		{playbook.Limits{Begun: 1, Per: 2 * time.Minute}, playbook.Usage{}, 1, "limit: 1 actions have begun within 2m0s, at most 1 may"},
		{playbook.Limits{Begun: 1, Per: time.Minute}, playbook.Usage{}, 0, ""}, // a minute later is not within a minute
	} {
		e := threeDBs(t, tt.limits)
		e.Elsewhere(tt.elsewhere)
		blocked := 0
		for i := range 3 {
			begin(t, e, "database_connection_exhaustion", fmt.Sprint("db", i), minute(float64(i)))
			for _, x := range e.Step(minute(float64(i))) {
				if x.Kind == playbook.Tell {
					blocked++
					if x.Why != tt.why {
						t.Errorf("%+v: told %q, want %q", tt.limits, x.Why, tt.why)
					}
				}
			}
		}
		if blocked != tt.blocked {
			t.Errorf("%+v, elsewhere %+v: %d blocked, want %d", tt.limits, tt.elsewhere, blocked, tt.blocked)
		}
	}
}

// TestExplainLimits: what the limits would say is explained, too.
func TestExplainLimits(t *testing.T) {
	for want, limits := range map[playbook.Verdict]playbook.Limits{
		playbook.RunIt: {Running: 2}, playbook.QueueIt: {Running: 1}, playbook.BlockIt: {Services: 1},
	} {
		e := threeDBs(t, limits)
		begin(t, e, "database_connection_exhaustion", "db0", noon)
		e.Step(noon)
		explained, err := e.Explain("database_connection_exhaustion", "db1", noon)
		if err != nil || explained[0].Decision != want || explained[1].Decision != playbook.RunIt {
			t.Errorf("%+v: %+v, %v, want %s, and the call for help to run", limits, explained, err, want)
		}
	}
}

// TestQueuedApproval: an approval lasts while the action is queued, but no longer
// than approvals do.
func TestQueuedApproval(t *testing.T) {
	for wait, wants := range map[time.Duration]string{14 * time.Minute: "do consider_rollback", 16 * time.Minute: "ask consider_rollback"} {
		e, ask := approvalCase(t, func(c *playbook.Config) { c.Limits.Running = 1 })
		e.Elsewhere(playbook.Usage{Running: 1})
		err := e.Apply(playbook.Event{Kind: playbook.Approve, At: minute(11), Step: ask.Step, Hash: ask.Hash, By: "bob"})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "queued", e.Step(minute(11)))
		at := minute(11).Add(wait)
		fine(t, e, "shop", at)
		e.Elsewhere(playbook.Usage{})
		got := e.Step(at)
		want(t, fmt.Sprint("after ", wait), got, wants)
		if got[0].Kind == playbook.Ask && got[0].Key == ask.Key {
			t.Errorf("the second question has the key of the first, %s", ask.Key)
		}
	}
}

// TestRetryDeadlineAndJitter: no attempt begins after the deadline; jitter is drawn
// from the given source and never longer than the wait.
func TestRetryDeadlineAndJitter(t *testing.T) {
	policy := playbook.RetryPolicy{MaxAttempts: 9, BackoffMultiplier: 2, MaxBackoffSeconds: 300, InitialBackoffSeconds: 10, DeadlineSeconds: 30}
	e := newEngine(t, func(c *playbook.Config) { c.Book.Response.Retry = policy })
	begin(t, e, "high_cpu_utilization", "api", noon)
	at, attempts := noon, 0
	for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} { // the third would begin at 70 s
		for _, i := range only(e.Step(at), "capture_performance_snapshot") {
			if i.Kind == playbook.Do {
				attempts++
				report(t, e, i, playbook.Failed, at)
			}
		}
		at = at.Add(wait)
	}
	if attempts != 3 || step(t, e, "capture_performance_snapshot").Status != playbook.Failure {
		t.Errorf("%d attempts, %+v, want 3, at 0, 10 and 30 s", attempts, step(t, e, "capture_performance_snapshot"))
	}

	spread := map[time.Duration]bool{}
	for seed := range uint64(50) {
		e := newEngine(t, func(c *playbook.Config) { c.Jitter = rand.NewPCG(1, seed) })
		begin(t, e, "high_cpu_utilization", "api", noon)
		report(t, e, e.Step(noon)[0], playbook.Failed, noon)
		wait := step(t, e, "capture_performance_snapshot").Until.Sub(noon)
		if wait < 0 || wait > time.Second {
			t.Errorf("wait = %v, want 0 to 1 s", wait)
		}
		spread[wait.Truncate(100*time.Millisecond)] = true
	}
	if len(spread) < 8 {
		t.Errorf("50 waits fall into %d tenths of a second, want them spread", len(spread))
	}
}

// TestApproversOfTheAction: an action may ask for more than the rest.
func TestApproversOfTheAction(t *testing.T) {
	e, ask := approvalCase(t, func(c *playbook.Config) {
		c.Actions = playbook.DefaultActions()
		a := c.Actions["consider_rollback"]
		a.Approvers, a.Quorum = []string{"release manager"}, 2
		c.Actions["consider_rollback"] = a
	})
	approve := func(by, role, reason string) error {
		return e.Apply(playbook.Event{Kind: playbook.Approve, At: minute(11), Step: ask.Step, Hash: ask.Hash, By: by, Role: role, Text: reason})
	}
	if err := approve("bob", "approver", ""); err == nil {
		t.Error("approval of another role: no error")
	}
	if err := approve("bob", "release manager", "errors began with the deployment"); err != nil {
		t.Fatal(err)
	}
	want(t, "one of two", e.Step(minute(11)))
	if err := approve("cy", "release manager", ""); err != nil {
		t.Fatal(err)
	}
	got := e.Step(minute(11))
	want(t, "both", got, "do consider_rollback")
	if why := "approved by bob (errors began with the deployment), cy"; got[0].Why != why {
		t.Errorf("why = %q, want %q", got[0].Why, why)
	}
	approved := step(t, e, "consider_rollback").Approved
	if len(approved) != 2 || approved[0].Role != "release manager" || !approved[0].At.Equal(minute(11)) || approved[0].Reason == "" {
		t.Errorf("approved = %+v", approved)
	}
}

// TestApprovalOutsideHours: what asked at the end of the working day runs when the
// approval comes in the evening.
func TestApprovalOutsideHours(t *testing.T) {
	e := newEngine(t, nil)
	evening := noon.Add(3*time.Hour + 55*time.Minute) // 17:55 in Amsterdam
	begin(t, e, "database_connection_exhaustion", "db", evening.Add(-10*time.Minute))
	fine(t, e, "db", evening)
	var ask playbook.Intent
	for _, i := range drain(t, e, evening) {
		if i.Kind == playbook.Ask {
			ask = i
		}
	}
	if !strings.Contains(ask.Why, "17:55") {
		t.Fatalf("asked %+v", ask)
	}
	err := e.Apply(playbook.Event{Kind: playbook.Approve, At: evening.Add(10 * time.Minute), Step: ask.Step, Hash: ask.Hash, By: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	fine(t, e, "db", evening.Add(10*time.Minute))
	want(t, "approved at 18:05", e.Step(evening.Add(10*time.Minute)), "do enable_connection_throttling")
}
