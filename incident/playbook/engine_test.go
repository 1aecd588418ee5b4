package playbook_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func newEngine(tb testing.TB, change func(*playbook.Config)) *playbook.Engine {
	tb.Helper()
	c := playbook.Config{
		Tenant: "acme", Book: playbook.DefaultBook(),
		Services: []playbook.Service{
			{ID: "api", Type: "compute", Zone: "Europe/Amsterdam"},
			{ID: "db", Type: "database", Zone: "Europe/Amsterdam"},
			{ID: "shop", Type: "application", Zone: "Europe/Amsterdam"},
		},
	}
	if change != nil {
		change(&c)
	}
	e, err := playbook.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func observe(tb testing.TB, e *playbook.Engine, service, fact string, v playbook.Value, at time.Time) {
	tb.Helper()
	if err := e.Apply(playbook.Event{Kind: playbook.Observe, At: at, Service: service, Fact: fact, Value: v}); err != nil {
		tb.Fatal(err)
	}
}

// fine reports every fact at its best, so that nothing stands in the way.
func fine(tb testing.TB, e *playbook.Engine, service string, at time.Time) {
	tb.Helper()
	for fact, v := range map[string]playbook.Value{
		"auto_scaling_enabled": playbook.Bool(true), "load_balancer_healthy": playbook.Bool(true), "memory_available": playbook.Bool(true),
		"circuit_breaker_available": playbook.Bool(true), "idle_connections": playbook.Number(50), "healthy_instances": playbook.Number(3),
		"available_capacity": playbook.Number(8), "required_capacity": playbook.Number(4), "recent_deployment": playbook.Since(at.Add(-time.Hour)),
		"all_dependencies.health_status": playbook.Texts("healthy"),
	} {
		observe(tb, e, service, fact, v, at)
	}
}

// begin starts a run by hand.
func begin(tb testing.TB, e *playbook.Engine, name, service string, at time.Time) {
	tb.Helper()
	if err := e.Apply(playbook.Event{Kind: playbook.Start, At: at, Playbook: name, Service: service, By: "ann"}); err != nil {
		tb.Fatal(err)
	}
}

func report(tb testing.TB, e *playbook.Engine, i playbook.Intent, outcome playbook.Outcome, at time.Time) {
	tb.Helper()
	if err := e.Apply(playbook.Event{Kind: playbook.Report, At: at, Step: i.Step, Attempt: i.Attempt, Outcome: outcome, Text: string(outcome)}); err != nil {
		tb.Fatal(err)
	}
}

// names lists intents as "kind action".
func names(intents []playbook.Intent) []string {
	var out []string
	for _, i := range intents {
		out = append(out, string(i.Kind)+" "+i.Action)
	}
	return out
}

func want(tb testing.TB, what string, got []playbook.Intent, list ...string) {
	tb.Helper()
	if g := names(got); !slices.Equal(g, list) {
		tb.Errorf("%s: %q, want %q", what, g, list)
	}
}

// drain steps at an instant, reports success for all that is to be done, and
// goes on until nothing comes any more.
func drain(tb testing.TB, e *playbook.Engine, at time.Time) []playbook.Intent {
	tb.Helper()
	var out []playbook.Intent
	for {
		intents := e.Step(at)
		if len(intents) == 0 {
			return out
		}
		out = append(out, intents...)
		for _, i := range intents {
			if i.Kind == playbook.Do {
				report(tb, e, i, playbook.OK, at)
			}
		}
	}
}

func step(tb testing.TB, e *playbook.Engine, action string) playbook.Step {
	tb.Helper()
	for _, r := range e.Runs() {
		for _, s := range r.Steps {
			if s.Action == action {
				return *s
			}
		}
	}
	tb.Fatalf("no step %s", action)
	return playbook.Step{}
}

func TestSharedData(t *testing.T) {
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "incident", "playbooks.json"))
	if err != nil {
		t.Fatal(err)
	}
	book, err := playbook.ParseBook(data)
	if err != nil {
		t.Fatal(err)
	}
	newEngine(t, func(c *playbook.Config) { c.Book = book })
	own := playbook.DefaultBook()
	for name, d := range book.Playbooks {
		for _, stage := range [][]playbook.Call{d.Actions.Immediate, d.Actions.Level1, d.Actions.Level2} {
			for i := range stage {
				if len(stage[i].Parameters) > 0 {
					stage[i].Parameters = compact(t, stage[i].Parameters)
				}
			}
		}
		if !reflect.DeepEqual(d, own.Playbooks[name]) {
			t.Errorf("%s = %+v, want %+v", name, own.Playbooks[name], d)
		}
	}
	if len(own.Playbooks) != len(book.Playbooks) {
		t.Errorf("%d playbooks, want %d", len(own.Playbooks), len(book.Playbooks))
	}
	for i, check := range book.Response.Safety {
		if own := own.Response.Safety[i]; !reflect.DeepEqual(own, check) {
			t.Errorf("check %+v, want %+v", own, check)
		}
	}
	if r := book.Response.Retry; r.MaxAttempts != 3 || r.BackoffMultiplier != 2 || r.MaxBackoffSeconds != 300 {
		t.Errorf("retry = %+v", r)
	}

	data, err = os.ReadFile(testutil.SharedFile(t, "data", "incident", "playbook_actions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Actions map[string]struct {
			Type       playbook.ActionType
			Risk       playbook.Risk `json:"risk_level"`
			Traffic    bool          `json:"affects_traffic_routing"`
			Idempotent bool
			Timeout    string `json:"default_timeout"`
			Approval   playbook.ApprovalMode
			Undo       string
		}
	}
	if err := json.Unmarshal(data, &in); err != nil {
		t.Fatal(err)
	}
	actions := playbook.DefaultActions()
	compensations := 0
	for name, a := range actions {
		if _, ours := in.Actions[name]; !ours {
			compensations++
		}
		if a.Compensation != "" && a.Undo == "" {
			t.Errorf("%s is taken back by %s and does not tell people how", name, a.Compensation)
		}
	}
	if len(actions)-compensations != 26 || len(in.Actions) != 26 || compensations != 5 {
		t.Errorf("%d actions, %d of them compensations, and %d in the file, want 26 and 5", len(actions), compensations, len(in.Actions))
	}
	for name, a := range in.Actions {
		timeout, err := time.ParseDuration(a.Timeout)
		own := actions[name]
		if err != nil || own.Type != a.Type || own.Risk != a.Risk || own.AffectsTraffic != a.Traffic || own.Idempotent != a.Idempotent ||
			own.Timeout != timeout || own.Approval != a.Approval || (own.Undo == "") != (a.Undo == "") {
			t.Errorf("%s = %+v, want %+v", name, own, a)
		}
	}
}

func compact(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSharedExample runs the recorded CPU case and compares every decision.
func TestSharedExample(t *testing.T) {
	var in struct {
		Now     time.Time
		Service playbook.Service
		Samples map[string][][2]any
		Facts   map[string]any
	}
	var wants struct {
		Runs []struct {
			Playbook    string
			TriggeredAt time.Time `json:"triggered_at"`
			Steps       []struct {
				Stage, Action string
				At            time.Time
				Decision      playbook.Verdict
			}
		}
	}
	for file, v := range map[string]any{"context.json": &in, "expect.json": &wants} {
		data, err := os.ReadFile(testutil.SharedFile(t, "data", "examples", "cpu", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	e := newEngine(t, func(c *playbook.Config) { c.Services = []playbook.Service{in.Service} })
	for metric, samples := range in.Samples {
		for _, s := range samples {
			at, err := time.Parse(time.RFC3339, s[0].(string))
			if err != nil {
				t.Fatal(err)
			}
			for name, fact := range in.Facts { // they hold all the time
				v := playbook.Value{}
				switch fact := fact.(type) {
				case bool:
					v = playbook.Bool(fact)
				case float64:
					v = playbook.Number(fact)
				}
				observe(t, e, in.Service.ID, name, v, at)
			}
			observe(t, e, in.Service.ID, metric, playbook.Number(s[1].(float64)), at)
			drain(t, e, at)
		}
	}
	runs := e.Runs()
	if len(runs) != len(wants.Runs) {
		t.Fatalf("%d runs, want %d: a trigger that goes on holding begins nothing new", len(runs), len(wants.Runs))
	}
	for i, w := range wants.Runs {
		r := runs[i]
		if r.Playbook != w.Playbook || !r.TriggeredAt.Equal(w.TriggeredAt) || len(r.Steps) != len(w.Steps) || !r.ClearedAt.IsZero() {
			t.Fatalf("run = %+v, want %+v", r, w)
		}
		for n, ws := range w.Steps {
			s := r.Steps[n]
			if s.Stage != ws.Stage || s.Action != ws.Action || !s.At.Equal(ws.At) || s.Decision != ws.Decision {
				t.Errorf("step %s %s at %v: %s (%s), want %+v", s.Stage, s.Action, s.At, s.Decision, s.Why, ws)
			}
		}
	}
}

// TestTrigger: strict, for exactly five minutes, reset by a good sample or a
// gap of more than five minutes.
func TestTrigger(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples map[float64]float64 // by minute
		fires   float64             // minute; -1 for never
	}{
		{"five minutes", map[float64]float64{0: 90, 2: 90, 5: 90}, 5},
		{"a second less", map[float64]float64{0: 90, 4.99: 90}, -1},
		{"at the limit", map[float64]float64{0: 85, 5: 85, 6: 85}, -1},
		{"a good sample", map[float64]float64{0: 90, 3: 80, 5: 90, 9: 90}, -1},
		{"gap of five", map[float64]float64{0: 90, 5: 90}, 5},
		{"gap of more", map[float64]float64{0: 90, 5.1: 90, 9: 90}, -1},
	} {
		e := newEngine(t, nil)
		var minutes []float64
		for m := range tt.samples {
			minutes = append(minutes, m)
		}
		slices.Sort(minutes)
		for _, m := range minutes {
			observe(t, e, "api", "cpu_utilization", playbook.Number(tt.samples[m]), minute(m))
		}
		runs := e.Runs()
		if tt.fires < 0 != (len(runs) == 0) || tt.fires >= 0 && !runs[0].TriggeredAt.Equal(minute(tt.fires)) {
			t.Errorf("%s: runs %+v, want one at minute %v", tt.name, runs, tt.fires)
		}
	}
}

// TestStagesFollowTheTrigger: level_1 runs two minutes after the trigger and
// level_2 ten, if it still holds.
func TestStagesFollowTheTrigger(t *testing.T) {
	hot := func(e *playbook.Engine, from, to int) {
		for m := from; m <= to; m++ {
			observe(t, e, "api", "cpu_utilization", playbook.Number(90), minute(float64(m)))
		}
	}
	e := newEngine(t, nil)
	hot(e, 0, 5)
	fine(t, e, "api", minute(5))
	want(t, "immediate", drain(t, e, minute(5)), "do capture_performance_snapshot", "do identify_top_processes", "do check_auto_scaling_status")
	if wake, ok := e.NextWake(); !ok || !wake.Equal(minute(7)) {
		t.Errorf("NextWake = %v %v, want two minutes after the trigger", wake, ok)
	}
	hot(e, 6, 7)
	want(t, "level 1", drain(t, e, minute(7)), "do trigger_horizontal_scaling", "do alert_operations_team")
	hot(e, 8, 14)
	want(t, "before level 2", drain(t, e, minute(14.9)))
	hot(e, 15, 15)
	want(t, "level 2", drain(t, e, minute(15)), "do create_incident_ticket", "do page_senior_engineer", "do start_war_room_if_business_hours")
	if got := step(t, e, "start_war_room_if_business_hours"); got.Decision != playbook.RunIt || got.Status != playbook.Succeeded {
		t.Errorf("war room = %+v", got)
	}
	hot(e, 16, 40) // still the same trouble
	want(t, "no second run", drain(t, e, minute(40)))
	observe(t, e, "api", "cpu_utilization", playbook.Number(10), minute(41))
	if r := e.Runs()[0]; !r.ClearedAt.Equal(minute(41)) {
		t.Errorf("run = %+v, want it cleared at 41", r)
	}
	hot(e, 42, 47)
	if got := len(e.Runs()); got != 2 {
		t.Errorf("%d runs after it came back, want 2", got)
	}

	// Cleared before level 1; and by silence after level 1.
	e = newEngine(t, nil)
	hot(e, 0, 5)
	drain(t, e, minute(5))
	observe(t, e, "api", "cpu_utilization", playbook.Number(80), minute(6))
	want(t, "cleared", drain(t, e, minute(7)))
	if r := e.Runs()[0]; !r.Ended() || !r.ClearedAt.Equal(minute(6)) || !strings.Contains(r.ClearedWhy, "80") {
		t.Errorf("run = %+v", r)
	}
	e = newEngine(t, nil)
	hot(e, 0, 7)
	fine(t, e, "api", minute(7))
	drain(t, e, minute(7))
	want(t, "silence", drain(t, e, minute(15)))
	if r := e.Runs()[0]; !r.ClearedAt.Equal(minute(12)) {
		t.Errorf("run = %+v, want it cleared five minutes after the last sample", r)
	}
}

// TestTriggerClearsDuringLevel1: what runs goes on and ends, what waits is skipped,
// and level 2 never comes.
func TestTriggerClearsDuringLevel1(t *testing.T) {
	e := newEngine(t, nil)
	for m := range 6 {
		observe(t, e, "db", "pool", playbook.Number(100), minute(float64(m)))
		observe(t, e, "db", "db_connections", playbook.Number(95), minute(float64(m)))
	}
	fine(t, e, "db", minute(5))
	got := e.Step(minute(5))
	for _, i := range got { // triggered at minute 3; level 1 is due at once
		if i.Stage == "immediate" {
			report(t, e, i, playbook.OK, minute(5))
		}
	}
	for range 2 {
		for _, i := range e.Step(minute(5)) {
			report(t, e, i, playbook.OK, minute(5))
		}
	}
	kill := step(t, e, "kill_idle_connections")
	if kill.Status != playbook.Running || step(t, e, "increase_connection_pool_size").Status != playbook.Waiting {
		t.Fatalf("kill %+v", kill)
	}
	observe(t, e, "db", "db_connections", playbook.Number(10), minute(6))
	e.Step(minute(6))
	if s := step(t, e, "increase_connection_pool_size"); s.Status != playbook.Skipped || !strings.Contains(s.Why, "cleared") {
		t.Errorf("waiting step = %+v, want it skipped", s)
	}
	running := step(t, e, "kill_idle_connections")
	if running.Status != playbook.Running {
		t.Errorf("running step = %+v, want it to finish", running)
	}
	for _, s := range []playbook.Step{running, step(t, e, "alert_database_team")} {
		report(t, e, playbook.Intent{Step: s.Key, Attempt: s.Attempt}, playbook.OK, minute(6.5))
	}
	want(t, "after the end", e.Step(minute(6.5)))
	want(t, "level 2 would be due", e.Step(minute(13)))
	r := e.Runs()[0]
	for _, s := range r.Steps {
		began := s.Stage != "level_2" && s.Action != "increase_connection_pool_size"
		if began != (s.Status == playbook.Succeeded) || began != (s.Attempt == 1) || !began && s.Status != playbook.Skipped {
			t.Errorf("%s of %s is %s after %d attempts", s.Action, s.Stage, s.Status, s.Attempt)
		}
	}
	if !r.Ended() || !r.ClearedAt.Equal(minute(6)) {
		t.Errorf("run = %+v, want it to have ended and cleared at 6", r)
	}
}

// TestSafety is the table over the three checks and the three answers: nothing
// runs on an unknown.
func TestSafety(t *testing.T) {
	hours := map[playbook.Truth]time.Time{playbook.True: noon, playbook.False: noon.Add(10 * time.Hour)}
	for _, tt := range []struct {
		playbook, service, action string
		spoil                     func(e *playbook.Engine, at time.Time) // of an action that would run
		inHours                   playbook.Truth
		want                      playbook.Verdict
	}{
		// business_hours_check, for an action of high risk without other checks
		{"database_connection_exhaustion", "db", "enable_connection_throttling", nil, playbook.False, playbook.RunIt},
		{"database_connection_exhaustion", "db", "enable_connection_throttling", nil, playbook.True, playbook.AskIt},
		{"database_connection_exhaustion", "db", "enable_connection_throttling", nil, playbook.Unknown, playbook.AskIt},
		{"database_connection_exhaustion", "db", "kill_idle_connections", nil, playbook.True, playbook.RunIt},
		// resource_availability_check
		{"high_cpu_utilization", "api", "trigger_horizontal_scaling", nil, playbook.True, playbook.RunIt},
		{"high_cpu_utilization", "api", "trigger_horizontal_scaling", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "api", "available_capacity", playbook.Number(4), at.Add(time.Second))
		}, playbook.True, playbook.BlockIt},
		{"high_cpu_utilization", "api", "trigger_horizontal_scaling", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "api", "available_capacity", playbook.Value{}, at.Add(time.Second))
		}, playbook.True, playbook.BlockIt},
		// dependency_health_check
		{"application_error_spike", "shop", "enable_circuit_breaker", nil, playbook.True, playbook.RunIt},
		{"application_error_spike", "shop", "enable_circuit_breaker", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "shop", "all_dependencies.health_status", playbook.Texts("healthy", "down"), at.Add(time.Second))
		}, playbook.True, playbook.BlockIt},
		{"application_error_spike", "shop", "enable_circuit_breaker", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "shop", "all_dependencies.health_status", playbook.Texts("healthy", ""), at.Add(time.Second))
		}, playbook.True, playbook.BlockIt},
		// the worst of two
		{"application_error_spike", "shop", "route_traffic_to_healthy_instances", nil, playbook.True, playbook.AskIt},
		{"application_error_spike", "shop", "route_traffic_to_healthy_instances", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "shop", "all_dependencies.health_status", playbook.Value{}, at.Add(time.Second))
		}, playbook.True, playbook.BlockIt},
		{"application_error_spike", "shop", "consider_rollback", nil, playbook.False, playbook.AskIt}, // always
		// conditions of the action
		{"database_connection_exhaustion", "db", "kill_idle_connections", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "db", "idle_connections", playbook.Number(20), at.Add(time.Second))
		}, playbook.True, playbook.SkipIt},
		{"database_connection_exhaustion", "db", "kill_idle_connections", func(e *playbook.Engine, at time.Time) {
			observe(t, e, "db", "idle_connections", playbook.Value{}, at.Add(time.Second))
		}, playbook.True, playbook.BlockIt},
		{"high_cpu_utilization", "api", "start_war_room_if_business_hours", nil, playbook.True, playbook.RunIt},
		{"high_cpu_utilization", "api", "start_war_room_if_business_hours", nil, playbook.False, playbook.SkipIt},
		{"high_cpu_utilization", "api", "start_war_room_if_business_hours", nil, playbook.Unknown, playbook.BlockIt},
	} {
		e := newEngine(t, func(c *playbook.Config) {
			if tt.inHours == playbook.Unknown {
				for i := range c.Services {
					c.Services[i].Zone = ""
				}
			}
		})
		at, known := hours[tt.inHours]
		if !known {
			at = noon
		}
		fine(t, e, tt.service, at)
		if tt.spoil != nil {
			tt.spoil(e, at)
		}
		explained, err := e.Explain(tt.playbook, tt.service, at.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(explained, func(x playbook.Explanation) bool { return x.Action == tt.action })
		if got := explained[i]; got.Decision != tt.want || got.Why == "" {
			t.Errorf("%s, in business hours %v: %+v, want %s", tt.action, tt.inHours, got, tt.want)
		}
	}
}

func TestFailedCheckOptions(t *testing.T) {
	for _, tt := range []struct {
		option string
		value  playbook.Value
		want   playbook.Verdict
	}{
		{"", playbook.Number(1), playbook.BlockIt},
		{"block", playbook.Value{}, playbook.BlockIt},
		{"approval", playbook.Number(1), playbook.AskIt},
		{"approval", playbook.Value{}, playbook.AskIt},
		{"note", playbook.Number(1), playbook.RunIt},
		{"note", playbook.Value{}, playbook.AskIt}, // never on an unknown
	} {
		e := newEngine(t, func(c *playbook.Config) {
			c.Book.Response.Safety[1].OnFailure = tt.option
		})
		fine(t, e, "api", noon)
		observe(t, e, "api", "available_capacity", tt.value, minute(1))
		explained, err := e.Explain("high_cpu_utilization", "api", minute(2))
		if err != nil {
			t.Fatal(err)
		}
		if got := explained[3]; got.Decision != tt.want || !strings.Contains(got.Why, "available_capacity") {
			t.Errorf("on_failure %q, capacity %v: %+v, want %s", tt.option, tt.value, got, tt.want)
		}
	}
}

// TestNeverOnUnknown goes through every combination of true, false and unknown of
// the condition of an action, the condition of a safety check and its two checks, for
// each thing that a failure may lead to.
func TestNeverOnUnknown(t *testing.T) {
	truths := []playbook.Truth{playbook.True, playbook.False, playbook.Unknown}
	facts := []string{"wanted", "guarded", "safe", "sound"}
	for _, option := range []string{"", "block", "approval", "note", playbookApproval} {
		e := newEngine(t, func(c *playbook.Config) {
			c.Facts = playbook.DefaultFacts()
			for _, name := range facts {
				c.Facts = append(c.Facts, playbook.FactSpec{Name: name, Type: playbook.BoolFact})
			}
			guard := playbook.SafetyCheck{Name: "guard", Conditions: facts[1:2], Checks: facts[2:], OnFailure: option}
			if option == playbookApproval { // without checks
				guard.Checks, guard.OnFailure, guard.Action = nil, "", option
			}
			c.Book.Response.Safety = []playbook.SafetyCheck{guard}
			d := c.Book.Playbooks["high_cpu_utilization"]
			d.Actions = playbook.Stages{Immediate: []playbook.Call{{Action: "trigger_horizontal_scaling", Conditions: facts[:1]}}}
			c.Book.Playbooks["high_cpu_utilization"] = d
		})
		for n := range 81 {
			now := [4]playbook.Truth{truths[n%3], truths[n/3%3], truths[n/9%3], truths[n/27]}
			at := minute(float64(n))
			for i, name := range facts {
				v := playbook.Value{}
				if now[i] != playbook.Unknown {
					v = playbook.Bool(now[i] == playbook.True)
				}
				observe(t, e, "api", name, v, at)
			}
			var want playbook.Verdict
			wanted, guarded, safe, sound := now[0], now[1], now[2], now[3]
			switch {
			case wanted == playbook.False:
				want = playbook.SkipIt
			case wanted == playbook.Unknown:
				want = playbook.BlockIt
			case guarded == playbook.False:
				want = playbook.RunIt
			case option == playbookApproval:
				want = playbook.AskIt
			case safe == playbook.True && sound == playbook.True:
				want = playbook.RunIt
			case option == "" || option == "block":
				want = playbook.BlockIt
			case option == "approval", safe == playbook.Unknown, sound == playbook.Unknown:
				want = playbook.AskIt
			default:
				want = playbook.RunIt // with a note
			}
			explained, err := e.Explain("high_cpu_utilization", "api", at)
			if err != nil || len(explained) != 1 || explained[0].Decision != want {
				t.Errorf("on_failure %q, %v: %+v, %v, want %s", option, now, explained, err, want)
			}
		}
	}
}

// playbookApproval is what a safety check without checks leads to.
const playbookApproval = "require_human_approval"

// approvalCase brings consider_rollback to the point where it asks.
func approvalCase(t *testing.T, change func(*playbook.Config)) (*playbook.Engine, playbook.Intent) {
	t.Helper()
	e := newEngine(t, change)
	begin(t, e, "application_error_spike", "shop", noon)
	fine(t, e, "shop", minute(9))
	for _, i := range drain(t, e, minute(9)) {
		if i.Kind == playbook.Ask { // of another action, which is not the matter here
			if err := e.Apply(playbook.Event{Kind: playbook.Reject, At: minute(9), Step: i.Step, By: "zoe"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, i := range drain(t, e, minute(10)) {
		if i.Kind == playbook.Ask && i.Action == "consider_rollback" {
			return e, i
		}
	}
	t.Fatal("nobody was asked")
	return nil, playbook.Intent{}
}

func TestApproval(t *testing.T) {
	approve := func(i playbook.Intent, by string, at time.Time) playbook.Event {
		return playbook.Event{Kind: playbook.Approve, At: at, Step: i.Step, Hash: i.Hash, By: by, Role: "approver"}
	}
	e, ask := approvalCase(t, nil)
	if !ask.Deadline.Equal(minute(25)) || ask.Operation != "rollback" || !strings.HasSuffix(ask.Key, "/approval") {
		t.Errorf("intent = %+v", ask)
	}
	if s := step(t, e, "page_application_owner"); s.Status != playbook.Succeeded {
		t.Errorf("page behind it = %+v, want it not to wait", s)
	}
	for name, tt := range map[string]struct {
		event playbook.Event
		cause error
	}{
		"self":       {approve(ask, "ann", minute(11)), playbook.ErrSelfApproval},
		"other hash": {playbook.Event{Kind: playbook.Approve, At: minute(11), Step: ask.Step, Hash: "x", By: "bob"}, playbook.ErrOtherAction},
		"too late":   {approve(ask, "bob", minute(25.1)), playbook.ErrTooLate},
		"nobody":     {approve(ask, "", minute(11)), nil},
		"no step":    {playbook.Event{Kind: playbook.Approve, At: minute(11), Step: "x", By: "bob"}, nil},
	} {
		err := e.Apply(tt.event)
		var bad *playbook.EventError
		if !errors.As(err, &bad) || tt.cause != nil && !errors.Is(err, tt.cause) {
			t.Errorf("%s: Apply = %v, want %v", name, err, tt.cause)
		}
	}
	// Given in time, seen later: the process was down.
	if err := e.Apply(approve(ask, "bob", minute(25))); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(approve(ask, "bob", minute(25))); err != nil {
		t.Errorf("repeated approval = %v", err)
	}
	fine(t, e, "shop", minute(26))
	got := e.Step(minute(26))
	want(t, "approved", got, "do consider_rollback")
	if got[0].Operation != "rollback" || got[0].Key != ask.Step || !strings.Contains(got[0].Why, "bob") {
		t.Errorf("intent = %+v", got[0])
	}
	if err := e.Apply(approve(ask, "cy", minute(27))); !errors.Is(err, playbook.ErrTooLate) {
		t.Errorf("approval of what runs = %v, want ErrTooLate", err)
	}

	// Nobody answers.
	e, ask = approvalCase(t, nil)
	want(t, "not yet", e.Step(minute(24)))
	want(t, "expired", e.Step(minute(25)), "tell consider_rollback")
	if s := step(t, e, "consider_rollback"); s.Status != playbook.Expired {
		t.Errorf("step = %+v", s)
	}
	if err := e.Apply(approve(ask, "bob", minute(24))); !errors.Is(err, playbook.ErrTooLate) {
		t.Errorf("approval after it expired = %v, want ErrTooLate", err)
	}

	// Conditions are looked at again: the deployment is too old by now.
	e, ask = approvalCase(t, nil)
	if err := e.Apply(approve(ask, "bob", minute(11))); err != nil {
		t.Fatal(err)
	}
	observe(t, e, "shop", "recent_deployment", playbook.Never(), minute(12))
	want(t, "condition flipped", e.Step(minute(12)))
	if s := step(t, e, "consider_rollback"); s.Status != playbook.Skipped {
		t.Errorf("step = %+v, want it skipped", s)
	}
	// And so are safety checks.
	e, ask = approvalCase(t, nil)
	if err := e.Apply(approve(ask, "bob", minute(11))); err != nil {
		t.Fatal(err)
	}
	observe(t, e, "shop", "all_dependencies.health_status", playbook.Texts("down"), minute(12))
	want(t, "safety flipped", e.Step(minute(12)), "tell consider_rollback")

	// A no.
	e, ask = approvalCase(t, nil)
	for range 2 {
		if err := e.Apply(playbook.Event{Kind: playbook.Reject, At: minute(11), Step: ask.Step, By: "bob", Text: "deploy was fine"}); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "rejected", e.Step(minute(12)))
	if s := step(t, e, "consider_rollback"); s.Status != playbook.Rejected || !strings.Contains(s.Why, "deploy was fine") {
		t.Errorf("step = %+v", s)
	}

	// Roles and quorum.
	e, ask = approvalCase(t, func(c *playbook.Config) { c.Approvers, c.Quorum = []string{"approver"}, 2 })
	stranger := approve(ask, "dan", minute(11))
	stranger.Role = "intern"
	if err := e.Apply(stranger); !errors.Is(err, playbook.ErrNotApprover) {
		t.Errorf("approval of another role = %v", err)
	}
	for _, by := range []string{"bob", "bob", "cy"} {
		want(t, "below the quorum", e.Step(minute(11)))
		if err := e.Apply(approve(ask, by, minute(11))); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "quorum", e.Step(minute(11)), "do consider_rollback")
}

func TestRetries(t *testing.T) {
	// Idempotent: three attempts, one key, waiting 1 and 2 seconds, then a person.
	e := newEngine(t, nil)
	begin(t, e, "high_cpu_utilization", "api", noon)
	at, first := noon, e.Step(noon)
	want(t, "first", first, "do capture_performance_snapshot")
	next := first[0]
	for i, pause := range []time.Duration{time.Second, 2 * time.Second} {
		report(t, e, next, playbook.Failed, at)
		want(t, "pause", e.Step(at.Add(pause-1)))
		at = at.Add(pause)
		got := e.Step(at)
		want(t, "again", got, "do capture_performance_snapshot")
		if next = got[0]; next.Key != first[0].Key || next.Attempt != i+2 {
			t.Errorf("attempt = %+v, want the key of the first", next)
		}
	}
	report(t, e, next, playbook.Failed, at)
	want(t, "given up", e.Step(at), "tell capture_performance_snapshot", "do identify_top_processes")
	if s := step(t, e, "capture_performance_snapshot"); s.Status != playbook.Failure || s.Attempt != 3 {
		t.Errorf("step = %+v", s)
	}

	// Not idempotent: repeated only if nothing happened for certain.
	scale := func() (*playbook.Engine, playbook.Intent) {
		e := newEngine(t, nil)
		begin(t, e, "high_cpu_utilization", "api", noon)
		drain(t, e, noon)
		fine(t, e, "api", minute(2))
		got := e.Step(minute(2))
		want(t, "level 1", got, "do trigger_horizontal_scaling", "do alert_operations_team")
		return e, got[0]
	}
	e, do := scale()
	report(t, e, do, playbook.NotDone, minute(2))
	want(t, "not done", e.Step(minute(2).Add(time.Second)), "do trigger_horizontal_scaling")

	e, do = scale()
	report(t, e, do, playbook.Failed, minute(2))
	want(t, "failed", e.Step(minute(3)), "tell trigger_horizontal_scaling")

	e, do = scale()
	want(t, "in time", only(e.Step(minute(6.9)), do.Action))
	got := only(e.Step(minute(7)), do.Action) // timeout of 5 minutes
	want(t, "timeout", got, "tell trigger_horizontal_scaling")
	if s := step(t, e, do.Action); s.Status != playbook.Unsure || !strings.Contains(got[0].Why, "may have happened") {
		t.Errorf("step = %+v", s)
	}
	report(t, e, do, playbook.Uncertain, minute(7.5)) // nobody knows more than before
	if s := step(t, e, do.Action); s.Status != playbook.Unsure {
		t.Errorf("step after a late word that settles nothing = %+v", s)
	}
	report(t, e, do, playbook.OK, minute(8)) // the answer comes after all
	if s := step(t, e, do.Action); s.Status != playbook.Succeeded {
		t.Errorf("step after the late answer = %+v", s)
	}
	report(t, e, do, playbook.OK, minute(9)) // repeated
	if err := e.Apply(playbook.Event{Kind: playbook.Report, At: minute(9), Step: do.Step, Attempt: 2, Outcome: playbook.OK}); err != nil {
		t.Errorf("repeated success = %v", err)
	}

	// Conditions and checks are looked at before every attempt.
	e, do = scale()
	report(t, e, do, playbook.NotDone, minute(2))
	observe(t, e, "api", "available_capacity", playbook.Number(0), minute(2.1))
	want(t, "no capacity any more", only(e.Step(minute(2.2)), do.Action), "tell trigger_horizontal_scaling")

	for name, event := range map[string]playbook.Event{
		"step":    {Kind: playbook.Report, At: noon, Step: "x", Attempt: 1, Outcome: playbook.OK},
		"outcome": {Kind: playbook.Report, At: noon, Step: do.Step, Attempt: 1, Outcome: "great"},
		"attempt": {Kind: playbook.Report, At: noon, Step: do.Step, Attempt: 7, Outcome: playbook.OK},
	} {
		var bad *playbook.EventError
		if err := e.Apply(event); !errors.As(err, &bad) || bad.Field != name {
			t.Errorf("report with a bad %s: %v", name, err)
		}
	}
}

func only(intents []playbook.Intent, action string) []playbook.Intent {
	return slices.DeleteFunc(intents, func(i playbook.Intent) bool { return i.Action != action })
}

func TestStopOnFailure(t *testing.T) {
	for _, stop := range []bool{false, true} {
		e := newEngine(t, func(c *playbook.Config) {
			c.StopOnFailure = stop
			c.Book.Response.Retry = playbook.RetryPolicy{MaxAttempts: 1, BackoffMultiplier: 1}
		})
		begin(t, e, "database_connection_exhaustion", "db", noon)
		drain(t, e, noon)
		fine(t, e, "db", minute(2))
		for _, i := range e.Step(minute(2)) {
			report(t, e, i, playbook.Failed, minute(2))
		}
		e.Step(minute(2))
		got := step(t, e, "increase_connection_pool_size").Status
		if stop != (got == playbook.Skipped) {
			t.Errorf("stop %v: the action behind the failed one is %s", stop, got)
		}
		if s := step(t, e, "alert_database_team"); s.Attempt == 0 {
			t.Errorf("stop %v: the call for help did not go out: %+v", stop, s)
		}
	}
}

func TestHaltDryRunCoolDown(t *testing.T) {
	e := newEngine(t, nil)
	if err := e.Apply(playbook.Event{Kind: playbook.Halt, At: noon, By: "ann", Text: "migration"}); err != nil {
		t.Fatal(err)
	}
	begin(t, e, "high_cpu_utilization", "api", noon)
	got := e.Step(noon)
	want(t, "halted", got, "tell capture_performance_snapshot", "tell identify_top_processes", "tell check_auto_scaling_status")
	if !strings.Contains(got[0].Why, "migration") {
		t.Errorf("why = %q", got[0].Why)
	}
	if err := e.Apply(playbook.Event{Kind: playbook.Release, At: minute(1), By: "ann"}); err != nil {
		t.Fatal(err)
	}
	fine(t, e, "api", minute(2))
	want(t, "released", drain(t, e, minute(2)), "do trigger_horizontal_scaling", "do alert_operations_team")

	e = newEngine(t, func(c *playbook.Config) { c.DryRun = true })
	fine(t, e, "shop", minute(9))
	begin(t, e, "application_error_spike", "shop", noon)
	want(t, "dry run", drain(t, e, minute(10)))
	r := e.Runs()[0]
	if len(r.Steps) != 9 || !r.Ended() {
		t.Fatalf("run = %+v", r)
	}
	for _, s := range r.Steps {
		if s.Status != playbook.DryRun || s.Decision != playbook.RunIt && s.Decision != playbook.AskIt {
			t.Errorf("step = %+v", s)
		}
	}

	e = newEngine(t, func(c *playbook.Config) { c.CoolDown = 30 * time.Minute })
	for m := range 60 {
		load := 90.0
		if m == 7 {
			load = 10
		}
		observe(t, e, "api", "cpu_utilization", playbook.Number(load), minute(float64(m)))
		drain(t, e, minute(float64(m)))
	}
	runs := e.Runs()
	if len(runs) != 2 || !runs[1].TriggeredAt.Equal(minute(37)) {
		t.Errorf("runs = %+v, want the second 30 minutes after the end of the first", runs)
	}
	if n := e.Prune(minute(30)); n != 1 || len(e.Runs()) != 1 {
		t.Errorf("Forget = %d", n)
	}
}

func TestStopByHand(t *testing.T) {
	e := newEngine(t, nil)
	hot := func(from, to int) {
		for m := from; m <= to; m++ {
			observe(t, e, "api", "cpu_utilization", playbook.Number(90), minute(float64(m)))
		}
	}
	hot(0, 6)
	drain(t, e, minute(6))
	if err := e.Apply(playbook.Event{Kind: playbook.Stop, At: minute(6), Run: e.Runs()[0].ID, By: "ann"}); err != nil {
		t.Fatal(err)
	}
	hot(7, 15)
	want(t, "stopped", drain(t, e, minute(15)))
	if len(e.Runs()) != 1 {
		t.Error("the trigger that still held began a new run after the stop")
	}
	observe(t, e, "api", "cpu_utilization", playbook.Number(1), minute(16))
	hot(17, 22)
	if len(e.Runs()) != 2 {
		t.Error("the trigger that came back began no new run")
	}
	if err := e.Apply(playbook.Event{Kind: playbook.Stop, At: minute(6), Run: "x"}); err == nil {
		t.Error("stop of no run: no error")
	}
	// A run by hand joins the one that is under way.
	begin(t, e, "high_cpu_utilization", "api", minute(23))
	if len(e.Runs()) != 2 {
		t.Error("a second run beside the first")
	}
}

func TestBadEvents(t *testing.T) {
	e := newEngine(t, nil)
	for field, event := range map[string]playbook.Event{
		"at":       {Kind: playbook.Halt},
		"kind":     {Kind: "explode", At: noon},
		"service":  {Kind: playbook.Observe, At: noon, Service: "x", Fact: "pool"},
		"fact":     {Kind: playbook.Observe, At: noon, Service: "api", Fact: "x"},
		"value":    {Kind: playbook.Observe, At: noon, Service: "api", Fact: "pool", Value: playbook.Bool(true)},
		"playbook": {Kind: playbook.Start, At: noon, Playbook: "x", Service: "api", By: "ann"},
		"by":       {Kind: playbook.Start, At: noon, Playbook: "high_cpu_utilization", Service: "api"},
		"run":      {Kind: playbook.Stop, At: noon, Run: "x"},
	} {
		var bad *playbook.EventError
		if err := e.Apply(event); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: Apply = %v", field, err)
		}
	}
	if err := e.Apply(playbook.Event{Kind: playbook.Start, At: noon, Playbook: "high_cpu_utilization", Service: "db", By: "ann"}); err == nil {
		t.Error("start on a service of another type: no error")
	}
	if _, err := e.Explain("x", "api", noon); err == nil {
		t.Error("Explain of no playbook: no error")
	}
	if _, err := e.Explain("high_cpu_utilization", "db", noon); err == nil {
		t.Error("Explain on a service of another type: no error")
	}
}

func TestConfigErrors(t *testing.T) {
	first := func(c *playbook.Config, change func(*playbook.Definition)) {
		d := c.Book.Playbooks["high_cpu_utilization"]
		change(&d)
		c.Book.Playbooks["high_cpu_utilization"] = d
	}
	root := "incident_automation.high_cpu_utilization."
	for path, spoil := range map[string]func(*playbook.Config){
		root + "trigger.condition":    func(c *playbook.Config) { first(c, func(d *playbook.Definition) { d.Trigger.Condition = "soon" }) },
		root + "trigger.service_type": func(c *playbook.Config) { first(c, func(d *playbook.Definition) { d.Trigger.ServiceType = "" }) },
		root + "automated_actions":    func(c *playbook.Config) { first(c, func(d *playbook.Definition) { d.Actions = playbook.Stages{} }) },
		root + "automated_actions.immediate[0].action": func(c *playbook.Config) {
			first(c, func(d *playbook.Definition) { d.Actions.Immediate[0].Action = "dance" })
		},
		root + "automated_actions.immediate[1].timeout": func(c *playbook.Config) {
			first(c, func(d *playbook.Definition) { d.Actions.Immediate[1].Timeout = "30" })
		},
		root + "automated_actions.immediate[1]": func(c *playbook.Config) {
			first(c, func(d *playbook.Definition) { d.Actions.Immediate[1].Action = d.Actions.Immediate[0].Action })
		},
		root + "automated_actions.level_1[0].conditions[1]": func(c *playbook.Config) {
			first(c, func(d *playbook.Definition) { d.Actions.Level1[0].Conditions[1] = "load_balancer_healthy >" })
		},
		root + "automated_actions.level_2[0].parameters": func(c *playbook.Config) {
			first(c, func(d *playbook.Definition) { d.Actions.Level2[0].Parameters = json.RawMessage("[1]") })
		},
		"actions.page_senior_engineer": func(c *playbook.Config) {
			c.Actions = playbook.DefaultActions()
			c.Actions["page_senior_engineer"] = playbook.ActionSpec{Type: playbook.Paging, Risk: "huge"}
		},
		"services[0].id":                             func(c *playbook.Config) { c.Services[0].ID = "" },
		"services[1].id":                             func(c *playbook.Config) { c.Services[1].ID = "api" },
		"services[0].business_hours":                 func(c *playbook.Config) { c.Services[0].Zone = "Mars/Base" },
		"response_engine.execution_framework":        func(c *playbook.Config) { c.Book.Response.Framework = "polling" },
		"response_engine.retry_policy.max_attempts":  func(c *playbook.Config) { c.Book.Response.Retry.MaxAttempts = -1 },
		"response_engine.safety_checks[0].action":    func(c *playbook.Config) { c.Book.Response.Safety[0].Action = "pray" },
		"response_engine.safety_checks[1].checks[0]": func(c *playbook.Config) { c.Book.Response.Safety[1].Checks[0] = "(" },
		"response_engine.safety_checks[2].on_failure": func(c *playbook.Config) {
			c.Book.Response.Safety[2].OnFailure = "shrug"
		},
		"response_engine.safety_checks[1]": func(c *playbook.Config) {
			c.Book.Response.Safety[1].Checks[0] = "cpu_utilization < 5% for 5m"
		},
		"level_delays.level_1":         func(c *playbook.Config) { c.Book.Delays = &playbook.LevelDelays{Level1: "soon"} },
		"level_delays.level_2":         func(c *playbook.Config) { c.Book.Delays = &playbook.LevelDelays{Level2: "1 minute"} },
		"level_delays.still_triggered": func(c *playbook.Config) { c.Book.Delays = &playbook.LevelDelays{StillTriggered: new(bool)} },
		"quorum":                       func(c *playbook.Config) { c.Quorum = -1 },
		"approval_time":                func(c *playbook.Config) { c.ApprovalTime = -1 },
		"cool_down":                    func(c *playbook.Config) { c.CoolDown = -1 },
	} {
		c := playbook.Config{Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "api", Type: "compute", Zone: "UTC"}, {ID: "db", Type: "database"}}}
		spoil(&c)
		_, err := playbook.New(c)
		var bad *playbook.ConfigError
		if !errors.As(err, &bad) || bad.Path != path {
			t.Errorf("%s: New = %v, want an error there", path, err)
		}
	}
}

// TestConfigErrorsAllAtOnce: a bad fact, trigger or action keeps nothing else from
// being checked.
func TestConfigErrorsAllAtOnce(t *testing.T) {
	c := playbook.Config{Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "api", Type: "compute", Zone: "Mars/Base"}}}
	c.Facts = append(playbook.DefaultFacts(), playbook.FactSpec{Name: "pool", Type: playbook.NumberFact})
	for name, d := range c.Book.Playbooks {
		d.Trigger.Condition = "soon"
		d.Actions.Immediate[0].Action = "dance"
		d.Actions.Level2[1].Timeout = "30"
		c.Book.Playbooks[name] = d
	}
	c.Book.Response.Retry = playbook.RetryPolicy{MaxAttempts: -1, BackoffMultiplier: -1, DeadlineSeconds: -1}
	c.Actions = playbook.DefaultActions()
	c.Actions["spare"] = playbook.ActionSpec{Type: playbook.Scaling, Risk: playbook.LowRisk, Conditions: []string{"("}, Compensation: "nothing"}
	c.Limits = playbook.Limits{Running: -1, Begun: 1}
	_, err := playbook.New(c)
	got := map[string]bool{}
	facts := 0
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		if bad := (*playbook.ConfigError)(nil); errors.As(e, &bad) {
			got[bad.Path] = true
		} else if strings.Contains(e.Error(), `fact "pool"`) {
			facts++
		}
	}
	wants := []string{
		"services[0].business_hours", "response_engine.retry_policy.max_attempts", "response_engine.retry_policy.backoff_multiplier",
		"response_engine.retry_policy.deadline_seconds", "actions.spare.conditions[0]", "actions.spare.compensation", "limits.running", "limits.per_ns",
	}
	for name := range c.Book.Playbooks {
		root := "incident_automation." + name + "."
		wants = append(wants, root+"trigger.condition", root+"automated_actions.immediate[0].action", root+"automated_actions.level_2[1].timeout")
	}
	for _, path := range wants {
		if !got[path] {
			t.Errorf("no error at %s", path)
		}
	}
	if len(got) != len(wants) || facts != 1 {
		t.Errorf("%d errors in places and %d about facts, want %d and 1:\n%v", len(got), facts, len(wants), err)
	}
}

// TestCrash runs the three playbooks with their 26 actions and kills the process
// at every boundary: after an intent was committed and before, during or after
// its effect, and after the result was. No action that is not idempotent is
// carried out twice, none is lost without a person being told.
func TestCrash(t *testing.T) {
	type world struct {
		effects map[string]int // by key: how often it was really done
		told    map[string]bool
	}
	triggers := []struct{ name, service string }{
		{"high_cpu_utilization", "api"}, {"database_connection_exhaustion", "db"}, {"application_error_spike", "shop"},
	}
	late := noon.Add(10 * time.Hour) // off hours: no approval but for the rollback
	config := func(c *playbook.Config) { c.Services[0].Zone = "Asia/Singapore" }
	actions := playbook.DefaultActions()
	// play runs everything; the process dies at boundary number crash.
	play := func(crash int) (w world, boundaries int, e *playbook.Engine) {
		w = world{effects: map[string]int{}, told: map[string]bool{}}
		e = newEngine(t, config)
		for _, tr := range triggers {
			begin(t, e, tr.name, tr.service, late)
		}
		stored := e.Snapshot()
		die := func() bool { boundaries++; return boundaries == crash }
		restart := func(at time.Time) {
			data, err := json.Marshal(stored)
			if err != nil {
				t.Fatal(err)
			}
			var s playbook.Snapshot
			if err := json.Unmarshal(data, &s); err != nil {
				t.Fatal(err)
			}
			e = newEngine(t, config)
			if err := e.Restore(s); err != nil {
				t.Fatal(err)
			}
			e.Recover(at)
		}
		for m := range 30 {
			at := late.Add(time.Duration(m) * time.Minute)
			for _, tr := range triggers {
				fine(t, e, tr.service, at)
			}
			for {
				intents := e.Step(at)
				if die() { // before the commit: as if the step had not been
					restart(at)
					continue
				}
				stored = e.Snapshot()
				if len(intents) == 0 {
					break
				}
				for _, i := range intents { // the outbox outlives a crash
					switch {
					case i.Kind == playbook.Tell:
						w.told[i.Step] = true
					case i.Kind == playbook.Ask:
						if err := e.Apply(playbook.Event{Kind: playbook.Approve, At: at, Step: i.Step, Hash: i.Hash, By: "bob"}); err != nil {
							t.Fatal(err)
						}
						stored = e.Snapshot()
					case !e.Current(i.Step, i.Attempt): // given up by Recover
					case die(): // before the effect
						restart(at)
					default:
						w.effects[i.Key]++
						if die() { // after the effect, before its result is stored
							restart(at)
							continue
						}
						report(t, e, i, playbook.OK, at)
						stored = e.Snapshot()
					}
				}
			}
		}
		return w, boundaries, e
	}
	_, total, e := play(0)
	steps := 0
	for _, r := range e.Runs() {
		steps += len(r.Steps)
	}
	if steps != 26 {
		t.Fatalf("%d steps, want 26", steps)
	}
	for crash := 1; crash <= total; crash++ {
		w, _, e := play(crash)
		for _, r := range e.Runs() {
			if !r.Ended() {
				t.Fatalf("crash %d: run %s has not ended", crash, r.ID)
			}
			for _, s := range r.Steps {
				spec, n := actions[s.Action], w.effects[s.Key]
				switch {
				case !spec.Idempotent && n > 1:
					t.Errorf("crash %d: %s was done %d times", crash, s.Action, n)
				case n > 2:
					t.Errorf("crash %d: %s was done %d times, want one repetition at most", crash, s.Action, n)
				case s.Status == playbook.Succeeded && n == 0:
					t.Errorf("crash %d: %s succeeded and was never done", crash, s.Action)
				case s.Status != playbook.Succeeded && s.Status != playbook.Skipped && !w.told[s.Key]:
					t.Errorf("crash %d: %s is %s and nobody was told", crash, s.Action, s.Status)
				}
			}
		}
	}
	t.Logf("%d boundaries", total)
}

// TestSnapshotAtAnyPrefix: a snapshot after any event and the rest equal the
// whole, to the byte.
func TestSnapshotAtAnyPrefix(t *testing.T) {
	events := []playbook.Event{{Kind: playbook.Observe, At: noon, Service: "api", Fact: "auto_scaling_enabled", Value: playbook.Bool(true)}}
	for m := range 20 {
		load := 90.0
		if m == 17 {
			load = 20
		}
		events = append(events,
			playbook.Event{Kind: playbook.Observe, At: minute(float64(m)), Service: "api", Fact: "load_balancer_healthy", Value: playbook.Bool(true)},
			playbook.Event{Kind: playbook.Observe, At: minute(float64(m)), Service: "api", Fact: "cpu_utilization", Value: playbook.Number(load)})
	}
	take := func(e *playbook.Engine, event playbook.Event, log *[]playbook.Intent) {
		if err := e.Apply(event); err != nil {
			t.Fatal(err)
		}
		*log = append(*log, drain(t, e, event.At)...)
	}
	whole := newEngine(t, nil)
	var wantLog []playbook.Intent
	for _, event := range events {
		take(whole, event, &wantLog)
	}
	wantState, err := json.Marshal(whole.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	for cut := range events {
		e := newEngine(t, nil)
		var log []playbook.Intent
		for i, event := range events {
			if i == cut {
				data, err := json.Marshal(e.Snapshot())
				if err != nil {
					t.Fatal(err)
				}
				var s playbook.Snapshot
				if err := json.Unmarshal(data, &s); err != nil {
					t.Fatal(err)
				}
				e = newEngine(t, nil)
				if err := e.Restore(s); err != nil {
					t.Fatal(err)
				}
				if i > 0 {
					take(e, events[i-1], &log) // repeated: changes nothing
				}
			}
			take(e, event, &log)
		}
		got, err := json.Marshal(e.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(wantState) || !reflect.DeepEqual(log, wantLog) {
			t.Fatalf("cut at %d: another state or other intents:\n%s\n%s", cut, got, wantState)
		}
	}
	if err := newEngine(t, func(c *playbook.Config) { c.Tenant = "globex" }).Restore(whole.Snapshot()); err == nil {
		t.Error("Restore of another tenant: no error")
	}
}

// TestChangedBook: an approval does not cover parameters that have changed.
func TestChangedBook(t *testing.T) {
	e, ask := approvalCase(t, nil)
	if err := e.Apply(playbook.Event{Kind: playbook.Approve, At: minute(11), Step: ask.Step, Hash: ask.Hash, By: "bob"}); err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	changed := newEngine(t, func(c *playbook.Config) {
		d := c.Book.Playbooks["application_error_spike"]
		d.Actions.Level2[0].Parameters = json.RawMessage(`{"to":"last month"}`)
		d.Actions.Level1 = d.Actions.Level1[:1]
		c.Book.Playbooks["application_error_spike"] = d
	})
	if err := changed.Restore(s); err != nil {
		t.Fatal(err)
	}
	got := changed.Step(minute(12))
	want(t, "asked again", only(got, "consider_rollback"), "ask consider_rollback")
	if got[0].Hash == ask.Hash {
		t.Error("the same hash for other parameters")
	}
	if !strings.Contains(fmt.Sprint(step(t, changed, "consider_rollback").Approved), "[]") {
		t.Error("the old approval is kept")
	}
}

// TestGone: an attempt that is under way when the book loses its playbook or its action
// is in doubt, and a person is called, once; what is heard of it in time still counts.
func TestGone(t *testing.T) {
	for name, change := range map[string]func(*playbook.Config){
		"playbook": func(c *playbook.Config) { delete(c.Book.Playbooks, "high_cpu_utilization") },
		"action": func(c *playbook.Config) {
			d := c.Book.Playbooks["high_cpu_utilization"]
			d.Actions.Level1 = d.Actions.Level1[1:]
			c.Book.Playbooks["high_cpu_utilization"] = d
		},
	} {
		for outcome, status := range map[playbook.Outcome]playbook.Status{
			"": playbook.Unsure, playbook.Uncertain: playbook.Unsure, playbook.OK: playbook.Succeeded, playbook.NotDone: playbook.Failure,
		} {
			e := newEngine(t, nil)
			begin(t, e, "high_cpu_utilization", "api", minute(0))
			fine(t, e, "api", minute(2))
			out := only(e.Step(minute(2)), "trigger_horizontal_scaling")
			if len(out) != 1 || out[0].Kind != playbook.Do {
				t.Fatalf("intents %+v, want the action", out)
			}
			again := newEngine(t, change)
			if err := again.Restore(e.Snapshot()); err != nil {
				t.Fatal(err)
			}
			if outcome != "" {
				report := playbook.Event{Kind: playbook.Report, At: minute(3), Step: out[0].Step, Attempt: 1, Outcome: outcome, Text: "x"}
				if err := again.Apply(report); err != nil {
					t.Fatalf("%s gone, %s: %v", name, outcome, err)
				}
			}
			called := 0
			for range 2 {
				for _, i := range again.Step(minute(3)) {
					if i.Kind == playbook.Tell && i.Step == out[0].Step {
						called++
					}
				}
			}
			if s := step(t, again, "trigger_horizontal_scaling"); s.Status != status || (called == 1) != (status == playbook.Unsure) || called > 1 {
				t.Errorf("%s gone, %q: %s, a person called %d times, want %s", name, outcome, s.Status, called, status)
			}
		}
	}
}

func TestParseBookRefuses(t *testing.T) {
	for _, text := range []string{``, `{`, `[]`, `{"playbooks":{}}`, `{} {}`, `{}}`, `{}]`, `{} x`} {
		if b, err := playbook.ParseBook([]byte(text)); err == nil {
			t.Errorf("ParseBook(%q) = %+v, want an error", text, b)
		}
	}
	if _, err := playbook.ParseBook([]byte(" {} \n")); err != nil {
		t.Errorf("ParseBook of an empty object: %v", err)
	}
}
