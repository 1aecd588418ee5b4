package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// done counts how often each key was carried out.
type done struct {
	mu    sync.Mutex
	count map[string]int
	fail  map[string]error // by operation
}

func (d *done) Carry(_ context.Context, i playbook.Intent) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count[i.Operation]++
	return "did " + i.Operation, d.fail[i.Operation]
}

// theatre is a store with a player of the three default playbooks.
type theatre struct {
	*testing.T
	store  *sqlstore.Store
	clock  *clock
	player *sqlstore.Player
	done   *done
}

func newTheatre(t *testing.T, change func(*sqlstore.PlayerConfig)) *theatre {
	t.Helper()
	s, c := open(t)
	x := &theatre{T: t, store: s, clock: c, done: &done{count: map[string]int{}, fail: map[string]error{}}}
	x.player = x.newPlayer(change)
	return x
}

func (x *theatre) newPlayer(change func(*sqlstore.PlayerConfig)) *sqlstore.Player {
	x.Helper()
	config := sqlstore.PlayerConfig{
		Playbooks: playbook.Config{
			Tenant: "acme", Book: playbook.DefaultBook(),
			Services: []playbook.Service{
				{ID: "api", Type: "compute", Zone: "Asia/Singapore"}, // out of hours at 17:30 UTC
				{ID: "api2", Type: "compute", Zone: "Asia/Singapore"},
				{ID: "shop", Type: "application", Zone: "Asia/Singapore"},
			},
		},
		Actions: playbook.Actions{},
	}
	for name, a := range playbook.DefaultActions() {
		config.Actions[cmp.Or(a.Operation, name)] = x.done
	}
	if change != nil {
		change(&config)
	}
	p, err := sqlstore.NewPlayer(x.store, config)
	if err != nil {
		x.Fatal(err)
	}
	return p
}

// apply applies events about a service now.
func (x *theatre) apply(service string, events ...playbook.Event) {
	x.Helper()
	for i := range events {
		events[i].Service = service
		if events[i].At.IsZero() {
			events[i].At = x.clock.now()
		}
	}
	if _, err := x.player.Apply(x.Context(), events...); err != nil {
		x.Fatal(err)
	}
}

// favourable are facts that hinder no action.
func favourable(at time.Time) map[string]playbook.Value {
	return map[string]playbook.Value{
		"auto_scaling_enabled": playbook.Bool(true), "load_balancer_healthy": playbook.Bool(true), "circuit_breaker_available": playbook.Bool(true),
		"healthy_instances": playbook.Number(3), "available_capacity": playbook.Number(8), "required_capacity": playbook.Number(4),
		"recent_deployment": playbook.Since(at.Add(-time.Hour)), "all_dependencies.health_status": playbook.Texts("healthy"),
	}
}

// fine observes whatever the actions ask for.
func (x *theatre) fine(service string) {
	x.Helper()
	var events []playbook.Event
	for fact, v := range favourable(x.clock.now()) {
		events = append(events, playbook.Event{Kind: playbook.Observe, Fact: fact, Value: v})
	}
	x.apply(service, events...)
}

func (x *theatre) start(name, service string) {
	x.Helper()
	x.apply(service, playbook.Event{Kind: playbook.Start, Playbook: name, By: "ann"})
}

// claim leases what is due in a queue.
func (x *theatre) claim(q *sqlstore.Queue) []escalation.Lease {
	x.Helper()
	leases, err := q.Claim(x.Context(), 100, 10*time.Second)
	if err != nil {
		x.Fatal(err)
	}
	return leases
}

// work fires timers and carries actions out until nothing is due, and returns what
// else was in the outbox. Actions take the time that they take here, which the clock
// of the store does not show; so it is put forward a little.
func (x *theatre) work() []playbook.Intent {
	x.Helper()
	var others []playbook.Intent
	for idle := 0; ; {
		timers, tasks := x.claim(x.store.Timers()), x.claim(x.store.Outbox())
		if len(timers)+len(tasks) == 0 {
			if idle++; idle > 1 {
				return others
			}
			x.clock.advance(50 * time.Millisecond)
			continue
		}
		idle = 0
		for _, err := range x.store.Fire(x.Context(), timers, x.player.Fire) {
			if err != nil {
				x.Error(err)
			}
		}
		for _, l := range tasks {
			if l.Kind == sqlstore.PlaybookDo {
				if err := x.player.Carry(x.Context(), l); err != nil {
					x.Error(err)
				}
			} else {
				var i playbook.Intent
				if err := json.Unmarshal(l.Payload, &i); err != nil {
					x.Fatal(err)
				}
				others = append(others, i)
			}
			if _, err := x.store.Outbox().Complete(x.Context(), l); err != nil {
				x.Fatal(err)
			}
		}
	}
}

func (x *theatre) step(service, action string) playbook.Step {
	x.Helper()
	runs, err := x.player.Runs(x.Context(), service)
	if err != nil {
		x.Fatal(err)
	}
	for _, r := range runs {
		for _, s := range r.Steps {
			if s.Action == action {
				return *s
			}
		}
	}
	x.Fatalf("no step %s of %s", action, service)
	return playbook.Step{}
}

// TestPlayer: a trigger, its stages by durable timers, results on record, and the
// decisions in the timeline.
func TestPlayer(t *testing.T) {
	var incidents []string
	x := newTheatre(t, func(c *sqlstore.PlayerConfig) {
		c.Record = func(_ context.Context, _ *sqlstore.Tx, entries []playbook.Entry) error {
			for _, e := range entries {
				incidents = append(incidents, string(e.Kind))
			}
			return nil
		}
	})
	for m := range 16 { // minutes; triggered in the sixth
		x.clock.set(at.Add(time.Duration(m) * time.Minute))
		x.fine("api")
		x.apply("api", playbook.Event{Kind: playbook.Observe, Fact: "cpu_utilization", Value: playbook.Number(91)})
		x.work()
	}
	runs, err := x.player.Runs(t.Context(), "api")
	if err != nil || len(runs) != 1 || !runs[0].TriggeredAt.Equal(at.Add(5*time.Minute)) {
		t.Fatalf("runs %+v, %v, want one after five minutes", runs, err)
	}
	for _, s := range runs[0].Steps {
		if s.Action != "start_war_room_if_business_hours" && (s.Status != playbook.Succeeded || x.done.count[s.Action] != 1) {
			t.Errorf("%s: %s, carried out %d times", s.Action, s.Status, x.done.count[s.Action])
		}
	}
	if s := x.step("api", "trigger_horizontal_scaling"); !s.At.Equal(at.Add(7 * time.Minute)) {
		t.Errorf("level 1 at %v, want two minutes after the trigger", s.At)
	}
	attempts, err := x.player.Attempts(t.Context(), "api")
	if err != nil || len(attempts) != 7 {
		t.Fatalf("%d attempts, %v, want 7: no war room at night\n%+v", len(attempts), err, attempts)
	}
	for _, a := range attempts {
		if a.Started.Before(a.Decided) || a.Ended.Before(a.Started) || a.Outcome != playbook.OK || a.Result != "did "+a.Action {
			t.Errorf("attempt %+v", a)
		}
	}
	entries, err := x.player.Entries(t.Context(), "api")
	if err != nil || len(entries) != len(incidents) {
		t.Errorf("%d entries, %v, and %d handed over", len(entries), err, len(incidents))
	}
	decided := map[string]bool{}
	for i, e := range entries {
		decided[e.Action] = decided[e.Action] || e.Kind == playbook.Decided
		if e.Number != i+1 || e.Text == "" {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	if len(decided) != 9 { // eight actions and the run itself
		t.Errorf("decisions on %v", decided)
	}
	if n, err := x.player.Prune(t.Context(), at.Add(time.Hour)); err != nil || n != 7 {
		t.Errorf("Prune = %d, %v, want the attempts of the ended run", n, err)
	}
	if runs, err := x.player.Runs(t.Context(), "nobody"); err != nil || len(runs) != 0 {
		t.Errorf("runs of a service without state: %v, %v", runs, err)
	}
	// A day later the run is forgotten, once its trigger has cleared.
	x.clock.advance(25 * time.Hour)
	x.apply("api", playbook.Event{Kind: playbook.Observe, Fact: "cpu_utilization", Value: playbook.Number(9)})
	if runs, err := x.player.Runs(t.Context(), "api"); err != nil || len(runs) != 0 {
		t.Errorf("runs %+v, %v, want none kept", runs, err)
	}
}

// TestOneRunForTwoNodes: two players over one store see the same trigger; there is
// one run, and each action is carried out once.
func TestOneRunForTwoNodes(t *testing.T) {
	x := newTheatre(t, nil)
	other := x.newPlayer(nil)
	for m := range 6 {
		var events []playbook.Event
		events = append(events, playbook.Event{Kind: playbook.Observe, At: at.Add(time.Duration(m) * time.Minute), Service: "api", Fact: "cpu_utilization", Value: playbook.Number(91)})
		var group sync.WaitGroup
		for _, p := range []*sqlstore.Player{x.player, other} {
			group.Go(func() {
				if _, err := p.Apply(t.Context(), events...); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	x.clock.set(at.Add(5 * time.Minute))
	tasks := x.claim(x.store.Outbox())
	var group sync.WaitGroup
	for _, p := range []*sqlstore.Player{x.player, other} {
		for _, l := range tasks { // as if the lease of one were lost to the other at once
			group.Go(func() {
				if err := p.Carry(t.Context(), l); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	if runs, err := x.player.Runs(t.Context(), "api"); err != nil || len(runs) != 1 {
		t.Errorf("%d runs, %v, want one", len(runs), err)
	}
	if len(tasks) != 1 || x.done.count["capture_performance_snapshot"] != 1 {
		t.Errorf("%d tasks, carried out %v, want the first action once", len(tasks), x.done.count)
	}
}

// TestInterrupted: what was begun and has no result is repeated if it is idempotent
// and left to a person otherwise; what nobody had begun is carried out.
func TestInterrupted(t *testing.T) {
	for _, resume := range []bool{false, true} { // by a lost lease, or by a restart
		for _, tt := range []struct {
			name, playbook, service, action string
			begun                           bool
			times                           int
			status                          playbook.Status
		}{
			{"not begun", "high_cpu_utilization", "api", "trigger_horizontal_scaling", false, 1, playbook.Succeeded},
			{"begun", "high_cpu_utilization", "api", "trigger_horizontal_scaling", true, 1, playbook.Unsure},
			{"idempotent", "application_error_spike", "shop", "enable_circuit_breaker", true, 2, playbook.Succeeded},
		} {
			t.Run(fmt.Sprint(tt.name, " ", resume), func(t *testing.T) {
				died := false
				x := newTheatre(t, nil)
				x.start(tt.playbook, tt.service)
				x.work()
				x.clock.advance(2 * time.Minute)
				x.fine(tt.service)
				x.store.Fire(t.Context(), x.claim(x.store.Timers()), x.player.Fire)
				for _, l := range x.claim(x.store.Outbox()) {
					if !strings.Contains(l.Key, tt.action) {
						continue
					}
					if died = true; !tt.begun {
						continue // it dies before
					}
					dies := x.newPlayer(func(c *sqlstore.PlayerConfig) {
						c.Actions[tt.action] = playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) {
							x.done.count[tt.action]++
							runtime.Goexit() // nobody hears of the result
							return "", nil
						})
					})
					var worker sync.WaitGroup
					worker.Go(func() { t.Error(dies.Carry(t.Context(), l), "the worker survived") })
					worker.Wait()
				}
				if !died {
					t.Fatal("the action was not due")
				}
				if resume {
					n, err := x.player.Resume(t.Context(), x.clock.now())
					if want := map[bool]int{true: 1}[tt.begun]; err != nil || n != want {
						t.Errorf("Resume = %d, %v, want %d", n, err, want)
					}
				} else {
					x.clock.advance(10 * time.Second)
				}
				told := x.work()
				x.clock.advance(2 * time.Second)
				told = append(told, x.work()...)
				if s := x.step(tt.service, tt.action); s.Status != tt.status || x.done.count[tt.action] != tt.times {
					t.Errorf("step %+v, done %d times, want %s, %d", s, x.done.count[tt.action], tt.status, tt.times)
				}
				if called := slices.ContainsFunc(told, func(i playbook.Intent) bool { return i.Kind == playbook.Tell && i.Action == tt.action }); called != (tt.status == playbook.Unsure) {
					t.Errorf("told %+v", told)
				}
			})
		}
	}
}

// TestPlayerUnderRunners: two runners do the work in virtual time. An action may take
// longer than the runner allows a call, up to its own deadline; one that hangs is
// stopped there, and a person called.
func TestPlayerUnderRunners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := database(t)
		s, err := sqlstore.Open(t.Context(), db, nil)
		if err != nil {
			t.Fatal(err)
		}
		takes := map[string]time.Duration{"capture_connection_pool_status": 50 * time.Second, "increase_connection_pool_size": time.Hour}
		config := sqlstore.PlayerConfig{
			Playbooks: playbook.Config{Tenant: "acme", Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "db", Type: "database", Zone: "Asia/Singapore"}}},
			Actions:   playbook.Actions{},
		}
		for name := range playbook.DefaultActions() {
			config.Actions[name] = playbook.ActionFunc(func(ctx context.Context, _ playbook.Intent) (string, error) {
				select {
				case <-time.After(takes[name]):
					return "done", nil
				case <-ctx.Done():
					return "", ctx.Err()
				}
			})
		}
		player, err := sqlstore.NewPlayer(s, config)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		fire, err := runner.New(runner.Config{Timers: s.Timers(), Batch: func(ctx context.Context, l []escalation.Lease) []error { return s.Fire(ctx, l, player.Fire) }})
		if err != nil {
			t.Fatal(err)
		}
		send, err := runner.New(runner.Config{Timers: s.Outbox(), Handle: func(ctx context.Context, l escalation.Lease) error {
			if l.Kind == sqlstore.PlaybookDo {
				return player.Carry(ctx, l)
			}
			var i playbook.Intent
			if err := json.Unmarshal(l.Payload, &i); err != nil {
				return err
			}
			told = append(told, string(i.Kind)+" "+i.Action)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		observe := func(fact string, v playbook.Value) playbook.Event {
			return playbook.Event{Kind: playbook.Observe, At: time.Now(), Service: "db", Fact: fact, Value: v}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var runners sync.WaitGroup
		for _, r := range []*runner.Runner{fire, send} {
			runners.Go(func() {
				if err := r.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		start := playbook.Event{Kind: playbook.Start, At: time.Now(), Service: "db", Playbook: "database_connection_exhaustion", By: "ann"}
		for range 12 { // minutes
			_, err := player.Apply(ctx, start, observe("idle_connections", playbook.Number(50)), observe("auto_scaling_enabled", playbook.Bool(true)),
				observe("memory_available", playbook.Bool(true)), observe("available_capacity", playbook.Number(8)), observe("required_capacity", playbook.Number(4)))
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		cancel()
		runners.Wait()
		runs, err := player.Runs(t.Context(), "db")
		if err != nil || len(runs) != 1 {
			t.Fatalf("%d runs, %v, want one", len(runs), err)
		}
		for _, step := range runs[0].Steps {
			want := playbook.Succeeded
			if step.Action == "increase_connection_pool_size" {
				want = playbook.Unsure // five minutes are over; it is not idempotent
			}
			if step.Status != want || step.Attempt != 1 {
				t.Errorf("%s: %s after %d attempts (%s), want %s after one", step.Action, step.Status, step.Attempt, step.Why, want)
			}
		}
		if want := []string{"tell increase_connection_pool_size"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestUndoOutOfTheStore: a run that has ended is opened again, what it did is taken
// back, and until then it counts as one that changes its service.
func TestUndoOutOfTheStore(t *testing.T) {
	x := newTheatre(t, func(c *sqlstore.PlayerConfig) { c.Playbooks.Limits.Services = 1 })
	x.start("application_error_spike", "shop")
	x.work()
	x.clock.advance(2 * time.Minute)
	x.fine("shop")
	x.work()
	run := x.step("shop", "enable_circuit_breaker").Key
	run = strings.Split(run, "/")[1]
	x.apply("shop", playbook.Event{Kind: playbook.Stop, Run: run, By: "ann"})
	x.work()
	x.start("high_cpu_utilization", "api")
	x.work()
	x.clock.advance(2 * time.Minute)
	x.fine("shop")
	x.apply("shop", playbook.Event{Kind: playbook.Undo, Run: run, By: "bob"})
	x.fine("api") // and with it level 1 is due
	if s := x.step("api", "trigger_horizontal_scaling"); s.Status != playbook.Blocked || !strings.HasPrefix(s.Why, "limit: 1 services") {
		t.Errorf("scaling = %+v, want it blocked while the other service is changed back", s)
	}
	x.work()
	for _, action := range []string{"restore_traffic_routing", "disable_circuit_breaker"} {
		if s := x.step("shop", action); s.Status != playbook.Succeeded || s.Stage != "undo" || x.done.count[action] != 1 {
			t.Errorf("%s: %+v, carried out %d times", action, s, x.done.count[action])
		}
	}
}

// TestUndoWhileAnActionRuns: the worker dies between the effect of an action and its
// report, and meanwhile a person has the run taken back. The action is repeated after
// the restart, since it may be, and then taken back, once.
func TestUndoWhileAnActionRuns(t *testing.T) {
	x := newTheatre(t, nil)
	x.start("application_error_spike", "shop")
	x.work()
	x.clock.advance(2 * time.Minute)
	x.fine("shop")
	x.store.Fire(t.Context(), x.claim(x.store.Timers()), x.player.Fire)
	dies := x.newPlayer(func(c *sqlstore.PlayerConfig) {
		c.Actions["enable_circuit_breaker"] = playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) {
			x.done.count["enable_circuit_breaker"]++
			runtime.Goexit()
			return "", nil
		})
	})
	for _, l := range x.claim(x.store.Outbox()) {
		if strings.Contains(l.Key, "enable_circuit_breaker") {
			var worker sync.WaitGroup
			worker.Go(func() { t.Error(dies.Carry(t.Context(), l), "the worker survived") })
			worker.Wait()
		}
	}
	run := strings.Split(x.step("shop", "enable_circuit_breaker").Key, "/")[1]
	x.apply("shop", playbook.Event{Kind: playbook.Undo, Run: run, By: "bob", Text: "wrong service"})
	x.work()
	if x.done.count["disable_circuit_breaker"] != 0 {
		t.Error("taken back before anybody knows that it was done")
	}
	x.player = x.newPlayer(nil)
	if n, err := x.player.Resume(t.Context(), x.clock.now()); err != nil || n != 1 {
		t.Fatalf("Resume = %d, %v, want one attempt in doubt", n, err)
	}
	x.work()
	x.clock.advance(2 * time.Second)
	x.work()
	if s := x.step("shop", "enable_circuit_breaker"); s.Status != playbook.Succeeded || x.done.count["enable_circuit_breaker"] != 2 {
		t.Errorf("%+v, carried out %d times, want twice: it is idempotent", s, x.done.count["enable_circuit_breaker"])
	}
	if s := x.step("shop", "disable_circuit_breaker"); s.Status != playbook.Succeeded || x.done.count["disable_circuit_breaker"] != 1 {
		t.Errorf("%+v, carried out %d times, want once", s, x.done.count["disable_circuit_breaker"])
	}
	if n := x.done.count["route_traffic_to_healthy_instances"]; n != 0 {
		t.Errorf("%d more actions after the undo", n)
	}
	entries, err := x.player.Entries(t.Context(), "shop")
	var told []string
	for _, e := range entries {
		if e.Kind == playbook.UndoBegan {
			told = append(told, e.Text)
		}
	}
	want := []string{"for bob: wrong service; nothing yet", "for bob: wrong service; enable_circuit_breaker, which has succeeded only now"}
	if err != nil || !slices.Equal(told, want) {
		t.Errorf("timeline %q, %v, want %q", told, err, want)
	}
}

// TestUndoBlockedAtOnce: a run that had ended and whose undo is blocked as it begins is
// over again: its service counts for no limit, and its attempts can be forgotten.
func TestUndoBlockedAtOnce(t *testing.T) {
	x := newTheatre(t, nil)
	x.start("application_error_spike", "shop")
	x.work()
	x.clock.advance(2 * time.Minute)
	x.fine("shop")
	x.work()
	run := strings.Split(x.step("shop", "enable_circuit_breaker").Key, "/")[1]
	x.apply("shop", playbook.Event{Kind: playbook.Stop, Run: run, By: "ann"})
	if err := x.player.Halt(t.Context(), "ann", "migration", false); err != nil {
		t.Fatal(err)
	}
	x.apply("shop", playbook.Event{Kind: playbook.Undo, Run: run, By: "bob"})
	if s := x.step("shop", "disable_circuit_breaker"); s.Status != playbook.Blocked {
		t.Fatalf("undo while halted = %+v, want it blocked", s)
	}
	attempts, err := x.player.Attempts(t.Context(), "shop")
	if err != nil || len(attempts) == 0 {
		t.Fatal(attempts, err)
	}
	if n, err := x.player.Prune(t.Context(), x.clock.now().Add(time.Hour)); err != nil || n != len(attempts) {
		t.Errorf("Prune = %d, %v, want %d: the run has ended", n, err, len(attempts))
	}
}

// alone is a source of random numbers that cannot be used by two at once.
type alone struct {
	*testing.T
	inside atomic.Int32
}

func (a *alone) Uint64() uint64 {
	if a.inside.Add(1) > 1 {
		a.Error("the source of the jitter is used by two at once")
	}
	defer a.inside.Add(-1)
	runtime.Gosched()
	return 1 << 62
}

// TestResumeMany: services are resumed several at a time, each as if it were alone,
// whether there are limits or not.
func TestResumeMany(t *testing.T) {
	const count = 40
	for _, limits := range []playbook.Limits{{}, {Running: 1}} {
		x := newTheatre(t, func(c *sqlstore.PlayerConfig) {
			c.Playbooks.Limits, c.Playbooks.Jitter = limits, &alone{T: t}
			c.Playbooks.Services = nil
			for i := range count {
				c.Playbooks.Services = append(c.Playbooks.Services, playbook.Service{ID: fmt.Sprint("api-", i), Type: "compute", Zone: "Asia/Singapore"})
			}
			c.Actions["capture_performance_snapshot"] = playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) {
				runtime.Goexit()
				return "", nil
			})
		})
		for i := range count {
			x.start("high_cpu_utilization", fmt.Sprint("api-", i))
		}
		for i, l := range x.claim(x.store.Outbox()) {
			if i%2 == 0 { // every second action begins and nobody hears of it again
				var dies sync.WaitGroup
				dies.Go(func() { t.Error(x.player.Carry(t.Context(), l), "the worker survived") })
				dies.Wait()
			}
		}
		x.clock.advance(45 * time.Second) // the time of the actions is over
		if n, err := x.player.Resume(t.Context(), x.clock.now()); err != nil || n != count/2 {
			t.Fatalf("Resume = %d, %v, want %d", n, err, count/2)
		}
		for _, err := range x.store.Fire(t.Context(), x.claim(x.store.Timers()), x.player.Fire) {
			if err != nil {
				t.Error(err)
			}
		}
		for i := range count {
			attempts, err := x.player.Attempts(t.Context(), fmt.Sprint("api-", i))
			if err != nil || len(attempts) == 0 {
				t.Fatal(attempts, err)
			}
			want := playbook.Uncertain
			if attempts[0].Started.IsZero() {
				want = playbook.NotDone
			}
			if attempts[0].Outcome != want {
				t.Errorf("attempt %+v, want %s", attempts[0], want)
			}
		}
	}
}

// TestResumeWithAnotherBook: a process that died in the middle of actions comes back
// with a configuration that lacks a playbook, an action or a service of theirs. Their
// attempts are in doubt all the same, once, and nothing keeps the others from going on.
func TestResumeWithAnotherBook(t *testing.T) {
	for name, change := range map[string]func(*sqlstore.PlayerConfig){
		"playbook": func(c *sqlstore.PlayerConfig) { delete(c.Playbooks.Book.Playbooks, "high_cpu_utilization") },
		"action": func(c *sqlstore.PlayerConfig) {
			d := c.Playbooks.Book.Playbooks["high_cpu_utilization"]
			d.Actions.Immediate = d.Actions.Immediate[1:]
			c.Playbooks.Book.Playbooks["high_cpu_utilization"] = d
		},
		"service": func(c *sqlstore.PlayerConfig) { c.Playbooks.Services = c.Playbooks.Services[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			x := newTheatre(t, func(c *sqlstore.PlayerConfig) {
				for _, action := range []string{"capture_performance_snapshot", "capture_error_samples"} {
					c.Actions[action] = playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) {
						runtime.Goexit()
						return "", nil
					})
				}
			})
			x.start("high_cpu_utilization", "api")
			x.start("application_error_spike", "shop")
			for _, l := range x.claim(x.store.Outbox()) {
				var dies sync.WaitGroup
				dies.Go(func() { t.Error(x.player.Carry(t.Context(), l), "the worker survived") })
				dies.Wait()
			}
			x.player = x.newPlayer(change)
			if n, err := x.player.Resume(t.Context(), x.clock.now()); err != nil || n != 2 {
				t.Errorf("Resume = %d, %v, want two attempts in doubt", n, err)
			}
			attempts, err := x.player.Attempts(t.Context(), "api")
			if err != nil || len(attempts) == 0 || attempts[0].Outcome != playbook.Uncertain {
				t.Errorf("attempts of what is gone = %+v, %v, want the first uncertain", attempts, err)
			}
			if s := x.step("shop", "capture_error_samples"); s.Status != playbook.Pausing {
				t.Errorf("%+v, want it pausing: it is tried again", s)
			}
			if n, err := x.player.Resume(t.Context(), x.clock.now()); err != nil || n != 0 {
				t.Errorf("Resume again = %d, %v, want nothing in doubt any more", n, err)
			}
		})
	}
}

// TestGoneAndNotBegun: an action that nobody had begun in time and that the book does
// not have any more ends as not done; what is said about its service is taken again.
func TestGoneAndNotBegun(t *testing.T) {
	x := newTheatre(t, nil)
	x.start("high_cpu_utilization", "api")
	x.clock.advance(10 * time.Minute) // nobody works
	x.player = x.newPlayer(func(c *sqlstore.PlayerConfig) { delete(c.Playbooks.Book.Playbooks, "high_cpu_utilization") })
	x.fine("api")
	attempts, err := x.player.Attempts(t.Context(), "api")
	if err != nil || len(attempts) != 1 || attempts[0].Outcome != playbook.NotDone {
		t.Errorf("attempts = %+v, %v, want one that was not done", attempts, err)
	}
}

// TestApprovalWhileDown: an approval that expires while no process runs is
// expired when one does, a late yes is refused, and one that was given in time
// counts.
func TestApprovalWhileDown(t *testing.T) {
	for _, late := range []bool{false, true} {
		x := newTheatre(t, nil)
		x.start("application_error_spike", "shop")
		x.work()
		x.clock.advance(10 * time.Minute)
		x.fine("shop")
		var ask playbook.Intent
		for _, i := range x.work() {
			if i.Kind == playbook.Ask && i.Action == "consider_rollback" {
				ask = i
			}
		}
		asked := ask.At
		if ask.Hash == "" || !ask.Deadline.Equal(asked.Add(15*time.Minute)) {
			t.Fatalf("asked %+v", ask)
		}
		x.clock.advance(time.Hour)
		yes := playbook.Event{Kind: playbook.Approve, At: asked.Add(5 * time.Minute), Service: "shop", Step: ask.Step, Hash: ask.Hash, By: "bob", Text: "bad build"}
		if late {
			told := x.work()
			if !slices.ContainsFunc(told, func(i playbook.Intent) bool { return i.Kind == playbook.Tell && i.Action == "consider_rollback" }) {
				t.Errorf("told %+v, want a person called", told)
			}
			if _, err := x.player.Apply(t.Context(), yes); !errors.Is(err, playbook.ErrTooLate) {
				t.Errorf("approval of what has expired: %v, want ErrTooLate", err)
			}
			if s := x.step("shop", "consider_rollback"); s.Status != playbook.Expired || x.done.count["rollback"] != 0 {
				t.Errorf("step %+v, rolled back %d times", s, x.done.count["rollback"])
			}
			continue
		}
		if _, err := x.player.Apply(t.Context(), yes); err != nil { // sent in time, read after the restart
			t.Fatal(err)
		}
		x.work()
		if s := x.step("shop", "consider_rollback"); x.done.count["rollback"] != 0 || s.Decision == playbook.RunIt && s.Status == playbook.Succeeded {
			t.Errorf("step %+v, rolled back %d times: the intent was for an instant that is long past", s, x.done.count["rollback"])
		}
	}
}

// TestApprovalReadAfterRestart: a yes that was given in time and is read together with
// the facts of the present lets the action run, unless it is older than approvals last
// by then; the question is put again, and the yes to the first does not answer it.
func TestApprovalReadAfterRestart(t *testing.T) {
	for _, tt := range []struct {
		down  time.Duration // since it was asked
		times int
	}{{28 * time.Minute, 1}, {30 * time.Minute, 0}} {
		x := newTheatre(t, nil)
		x.start("application_error_spike", "shop")
		x.work()
		x.clock.advance(10 * time.Minute)
		x.fine("shop")
		var ask playbook.Intent
		for _, i := range x.work() {
			if i.Kind == playbook.Ask && i.Action == "consider_rollback" {
				ask = i
			}
		}
		x.clock.set(ask.At.Add(tt.down))
		yes := playbook.Event{Kind: playbook.Approve, At: ask.At.Add(14 * time.Minute), Step: ask.Step, Hash: ask.Hash, By: "bob"}
		events := []playbook.Event{yes}
		for fact, v := range favourable(x.clock.now()) {
			events = append(events, playbook.Event{Kind: playbook.Observe, Fact: fact, Value: v})
		}
		x.apply("shop", events...)
		again := 0
		for _, i := range x.work() {
			if i.Kind == playbook.Ask && i.Action == "consider_rollback" {
				again++
				if i.Key == ask.Key || !i.Deadline.Equal(i.At.Add(15*time.Minute)) {
					t.Errorf("asked again %+v", i)
				}
			}
		}
		s := x.step("shop", "consider_rollback")
		if x.done.count["rollback"] != tt.times || again != 1-tt.times || (s.Status == playbook.Succeeded) != (tt.times == 1) || (s.Status == playbook.Asking) != (tt.times == 0) {
			t.Errorf("%v later: rolled back %d times, asked again %d times, step %+v, want %d times", tt.down, x.done.count["rollback"], again, s, tt.times)
		}
	}
}

// TestMissedWhileDown: an attempt that nobody began before its time was over had no
// effect, so it is decided anew, idempotent or not.
func TestMissedWhileDown(t *testing.T) {
	x := newTheatre(t, nil)
	x.start("high_cpu_utilization", "api")
	x.work()
	x.clock.advance(2 * time.Minute)
	x.fine("api")
	x.store.Fire(t.Context(), x.claim(x.store.Timers()), x.player.Fire)
	x.clock.advance(6 * time.Minute) // over the five of the scaling
	x.fine("api")
	x.work()
	x.clock.advance(2 * time.Second)
	x.work()
	if s := x.step("api", "trigger_horizontal_scaling"); s.Status != playbook.Succeeded || s.Attempt != 2 || x.done.count["trigger_horizontal_scaling"] != 1 {
		t.Errorf("step %+v, scaled %d times, want once, in the second attempt", s, x.done.count["trigger_horizontal_scaling"])
	}
}

// TestKillSwitch: of the tenant and of all, for what is decided already, too.
func TestKillSwitch(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		x := newTheatre(t, nil)
		x.start("high_cpu_utilization", "api") // the first action waits in the outbox
		if err := x.player.Halt(t.Context(), "ann", "migration", everywhere); err != nil {
			t.Fatal(err)
		}
		x.work()
		x.clock.advance(2 * time.Second)
		told := x.work()
		if len(x.done.count) != 0 || len(told) == 0 || !strings.Contains(told[0].Why, "halted by ann: migration") {
			t.Errorf("everywhere %v: carried out %v, told %+v", everywhere, x.done.count, told)
		}
		if err := x.player.Release(t.Context(), !everywhere); err != nil {
			t.Fatal(err)
		}
		x.start("high_cpu_utilization", "api2")
		if x.work(); len(x.done.count) != 0 {
			t.Errorf("everywhere %v: a release of the other extent lets actions run", everywhere)
		}
		if err := x.player.Release(t.Context(), everywhere); err != nil {
			t.Fatal(err)
		}
		x.start("application_error_spike", "shop")
		if x.work(); x.done.count["capture_error_samples"] != 1 {
			t.Errorf("everywhere %v: nothing runs after the release: %v", everywhere, x.done.count)
		}
	}
	x := newTheatre(t, nil)
	if err := x.player.Halt(t.Context(), "", "", false); err == nil {
		t.Error("Halt by nobody: no error")
	}
}

// TestLimitsAcrossServices: the limits count what the other services of the tenant
// have under way.
func TestLimitsAcrossServices(t *testing.T) {
	for _, tt := range []struct {
		limits playbook.Limits
		status playbook.Status
	}{
		{playbook.Limits{}, playbook.Running},
		{playbook.Limits{Running: 1}, playbook.Queued},
		{playbook.Limits{Services: 1}, playbook.Blocked},
		{playbook.Limits{Begun: 1, Per: time.Hour}, playbook.Blocked},
		{playbook.Limits{Begun: 2, Per: time.Hour}, playbook.Running},
	} {
		x := newTheatre(t, func(c *sqlstore.PlayerConfig) { c.Playbooks.Limits = tt.limits })
		x.start("high_cpu_utilization", "api")
		x.start("high_cpu_utilization", "api2")
		x.work()
		x.clock.advance(2 * time.Minute)
		x.fine("api") // and with it level 1 is due
		x.fine("api2")
		if s := x.step("api2", "trigger_horizontal_scaling"); s.Status != tt.status {
			t.Errorf("%+v: second service %s (%s), want %s", tt.limits, s.Status, s.Why, tt.status)
		}
		if tt.status != playbook.Queued {
			continue
		}
		x.work()                          // the first ends
		x.clock.advance(10 * time.Second) // and the second looks again
		x.work()
		if s := x.step("api2", "trigger_horizontal_scaling"); s.Status != playbook.Succeeded {
			t.Errorf("queued step %+v, want it to have had its turn", s)
		}
	}
}

// TestPlayerRefuses: events about several services or none, and no tenant.
func TestPlayerRefuses(t *testing.T) {
	x := newTheatre(t, nil)
	begin := playbook.Event{Kind: playbook.Start, At: at, Playbook: "high_cpu_utilization", Service: "api", By: "ann"}
	other := begin
	other.Service = "api2"
	if _, err := x.player.Apply(t.Context(), begin, other); err == nil {
		t.Error("events about two services: no error")
	}
	bad := (*playbook.EventError)(nil)
	for _, service := range []string{"", "nobody"} {
		unknown := begin
		unknown.Service = service
		if _, err := x.player.Apply(t.Context(), unknown); !errors.As(err, &bad) || bad.Field != "service" {
			t.Errorf("event about the service %q: %v", service, err)
		}
	}
	if runs, err := x.player.Runs(t.Context(), "api"); err != nil || len(runs) != 0 {
		t.Errorf("runs %v, %v, want none: all events or none", runs, err)
	}
	if intents, err := x.player.Apply(t.Context()); err != nil || intents != nil {
		t.Errorf("no events: %v, %v", intents, err)
	}
	if _, err := sqlstore.NewPlayer(x.store, sqlstore.PlayerConfig{Playbooks: playbook.Config{Book: playbook.DefaultBook()}}); err == nil {
		t.Error("NewPlayer without a tenant: no error")
	}
	if _, err := sqlstore.NewPlayer(x.store, sqlstore.PlayerConfig{Playbooks: playbook.Config{Tenant: "acme", Quorum: -1}}); err == nil {
		t.Error("NewPlayer with a bad configuration: no error")
	}
}

// A person starts a playbook; what is to be done comes out of the outbox, and the
// result is on record. A service hands Fire and Carry to two runners of
// adapters/runner instead.
func ExamplePlayer() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file::memory:?_txlock=immediate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	player, err := sqlstore.NewPlayer(store, sqlstore.PlayerConfig{
		Playbooks: playbook.Config{Tenant: "acme", Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "db-1", Type: "database", Zone: "Europe/Amsterdam"}}},
		Actions: playbook.Actions{
			"capture_connection_pool_status": playbook.ActionFunc(func(context.Context, playbook.Intent) (string, error) { return "96 of 100 in use", nil }),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	intents, err := player.Apply(ctx, playbook.Event{Kind: playbook.Start, At: time.Now(), Service: "db-1", Playbook: "database_connection_exhaustion", By: "ann"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range intents {
		fmt.Println(i.Kind, i.Action)
	}
	leases, err := store.Outbox().Claim(ctx, 1, 10*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range leases {
		fmt.Println(l.Kind, player.Carry(ctx, l))
	}
	attempts, err := player.Attempts(ctx, "db-1")
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(attempts[0].Action, attempts[0].Outcome, attempts[0].Result)
	// Output:
	// do capture_connection_pool_status
	// playbook.do <nil>
	// capture_connection_pool_status ok 96 of 100 in use
}
