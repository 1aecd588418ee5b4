package escalation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// randomEvents draws a history in which much goes wrong: unknown incidents,
// repetitions, events out of order.
func randomEvents(r *rand.Rand, n int) []escalation.Event {
	domains := []string{"kubernetes", "databases", "networking", "application", "security"}
	now := at("2026-10-05T00:00:00Z")
	var out []escalation.Event
	for range n {
		now = now.Add(time.Duration(r.IntN(25)) * time.Minute)
		ev := escalation.Event{
			Kind: escalation.EventKind(1 + r.IntN(8)), Incident: fmt.Sprintf("I%d", r.IntN(n/6+1)),
			At: now.Add(-time.Duration(r.IntN(2)*r.IntN(30)) * time.Minute), Severity: incident.Severity(1 + r.IntN(4)),
			Domain: domains[r.IntN(len(domains))], Into: fmt.Sprintf("I%d", r.IntN(n/6+1)),
		}
		if r.IntN(3) == 0 {
			ev.Service, ev.Policy = []string{"shop", "mail"}[r.IntN(2)], []string{"", "night"}[r.IntN(2)]
		}
		if r.IntN(3) == 0 {
			ev.RespondBy, ev.Until = ev.At.Add(time.Duration(1+r.IntN(90))*time.Minute), ev.At.Add(time.Duration(1+r.IntN(90))*time.Minute)
		}
		if r.IntN(2) == 0 {
			ev.By = []string{"sarah", "marcus", "nina", "omar"}[r.IntN(4)]
		}
		out = append(out, ev)
		if r.IntN(8) == 0 {
			out = append(out, ev)
		}
	}
	return out
}

// drive applies events as they arrive and steps at the wakes between.
func drive(t *testing.T, e *escalation.Engine, events []escalation.Event, renew func(*escalation.Engine) *escalation.Engine) []escalation.Action {
	t.Helper()
	var out []escalation.Action
	for _, ev := range events {
		e = renew(e)
		for {
			due, ok := e.NextWake()
			if !ok || !due.Before(ev.At) {
				break
			}
			out = append(out, e.Step(due)...)
		}
		actions, err := e.Apply(ev)
		if err != nil && actions != nil {
			t.Fatalf("Apply(%+v) = %v and %v, want one of them", ev, actions, err)
		}
		out = append(out, actions...)
		out = append(out, e.Step(ev.At)...)
	}
	return out
}

// An engine that is stored and restored before every event does the same as one
// that lives on.
func TestRestoredAtAnyPoint(t *testing.T) {
	for seed := range uint64(40) {
		config := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed()), Policies: map[string]escalation.Matrix{"night": nightMatrix()}}
		if seed%2 == 0 {
			config = everything(t)
		}
		begin := func() *escalation.Engine {
			e, err := escalation.NewEngine(config)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		events := randomEvents(rand.New(rand.NewPCG(seed, 1)), 60)
		straight := drive(t, begin(), events, func(e *escalation.Engine) *escalation.Engine { return e })
		restored := drive(t, begin(), events, func(e *escalation.Engine) *escalation.Engine {
			data, err := e.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			again, err := escalation.Restore(config, data)
			if err != nil {
				t.Fatal(err)
			}
			if twice, _ := again.Snapshot(); !bytes.Equal(data, twice) {
				t.Fatalf("snapshot of the restored:\n%s\nwant:\n%s", twice, data)
			}
			return again
		})
		if a, b := mustJSON(t, straight), mustJSON(t, restored); a != b {
			t.Fatalf("seed %d: restored\n%s\nwant\n%s", seed, b, a)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What SetTimer and CancelTimer leave is what Timers returns, but for timers that
// have run; no key is used twice, and what is withdrawn is a page; nobody but the last resort is paged twice in a
// round by levels alone.
func TestLawsOfActions(t *testing.T) {
	for seed := range uint64(60) {
		config := escalation.Config{Tenant: "acme", Router: newRouter(t, staffed()), Policies: map[string]escalation.Matrix{"night": escalation.DefaultMatrix()}}
		rich := seed%3 == 0
		if rich {
			config = everything(t)
		}
		e, err := escalation.NewEngine(config)
		if err != nil {
			t.Fatal(err)
		}
		events := randomEvents(rand.New(rand.NewPCG(seed, 2)), 80)
		actions := drive(t, e, events, func(e *escalation.Engine) *escalation.Engine { return e })
		timers := map[string]time.Time{}
		seen, sent := map[string]bool{}, map[string]bool{}
		rounds := map[string][]string{}
		now := time.Time{}
		for _, a := range actions {
			if now.Before(a.At) {
				now = a.At
			}
			switch a.Kind {
			case escalation.CancelTimer:
				if _, there := timers[a.Key]; !there {
					t.Fatalf("seed %d: timer %s cancelled but not set", seed, a.Key)
				}
				delete(timers, a.Key)
				continue
			case escalation.SetTimer:
				timers[a.Key] = a.Due
			case escalation.Withdraw:
				if !sent[a.Key] || len(a.Why) == 0 {
					t.Fatalf("seed %d: %+v: no such page, withdrawn before, or without why", seed, a)
				}
				delete(sent, a.Key)
				continue
			case escalation.Notice:
			case escalation.Page:
				sent[a.Key] = true
				round := fmt.Sprintf("%s/%d", a.Incident, a.Round)
				if slices.Contains(rounds[round], a.Target) && a.Target != "duty-manager" && !rich {
					t.Fatalf("seed %d: %s paged twice in %s", seed, a.Target, round)
				}
				rounds[round] = append(rounds[round], a.Target)
			}
			if seen[a.Key] || a.Kind != escalation.SetTimer && len(a.Why) == 0 {
				t.Fatalf("seed %d: %+v twice or without why", seed, a)
			}
			seen[a.Key] = true
		}
		for _, timer := range e.Timers() {
			if due, there := timers[timer.Key]; !there || !due.Equal(timer.Due) {
				t.Fatalf("seed %d: timer %+v, set for %v", seed, timer, due)
			}
			delete(timers, timer.Key)
		}
		for key, due := range timers {
			if due.After(now) {
				t.Fatalf("seed %d: timer %s due %v is neither kept nor cancelled", seed, key, due)
			}
		}
	}
}

// The order in which events are listed does not matter to a replay, as long as
// no two have the same instant.
func TestReplayOrdersEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var events []escalation.Event
	for i := range 30 {
		id, start := fmt.Sprintf("I%02d", i), at("2026-10-05T00:00:00Z").Add(time.Duration(r.IntN(40))*30*time.Minute+time.Duration(i)*time.Second)
		events = append(events,
			escalation.Event{Kind: escalation.Opened, Incident: id, Severity: incident.Severity(1 + i%4), Domain: "databases", At: start},
			escalation.Event{Kind: escalation.Acknowledged, Incident: id, At: start.Add(time.Duration(r.IntN(60)) * time.Minute)},
			escalation.Event{Kind: escalation.Resolved, Incident: id, At: start.Add(time.Duration(60+r.IntN(600)) * time.Minute)},
		)
	}
	var want string
	for n := range 5 {
		actions, err := newEngine(t, team()).Replay(events, at("2026-10-08T00:00:00Z"))
		if err != nil {
			t.Fatal(err)
		}
		switch got := mustJSON(t, actions); {
		case n == 0:
			want = got
		case got != want:
			t.Fatalf("shuffle %d: Replay =\n%s\nwant\n%s", n, got, want)
		}
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
}

func TestRestoreRefuses(t *testing.T) {
	config := escalation.Config{Tenant: "acme", Router: newRouter(t, team())}
	for _, bad := range []string{
		`{}`, `null`, `{"tenant":"other"}`, `{"tenant":"acme","extra":1}`,
		`{"tenant":"acme","incidents":[null]}`,
		`{"tenant":"acme","incidents":[{"id":"A"}]}`,
		`{"tenant":"acme","incidents":[{"id":"A","severity":"P1","timers":[{"key":"k","level":4,"incident":"A"}]}]}`,
		`{"tenant":"acme","incidents":[{"id":"A","severity":"P1","book":"gone"}]}`,
		`{"tenant":"acme","books":{"0123456789abcdef":{"P1":{"steps":[]},"P2":{"steps":[]},"P3":{"steps":[]},"P4":{"steps":[]}}}}`,
		`{"tenant":"acme","books":{"0123456789abcdef":{"P1":{"steps":[{"minutes":-1}]}}}}`,
	} {
		data, err := sealed.Seal(4, json.RawMessage(bad))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := escalation.Restore(config, data); !errors.Is(err, escalation.ErrSnapshot) {
			t.Errorf("Restore(%s) = %v, want ErrSnapshot", bad, err)
		}
	}
	if _, err := escalation.NewEngine(escalation.Config{DefaultSeverity: 9}); err == nil || !strings.Contains(err.Error(), "router") || !strings.Contains(err.Error(), "default_severity") {
		t.Errorf("NewEngine without router = %v, want both problems", err)
	}
}

// Whatever happens to a snapshot or to the part of one incident, it is refused with ErrSnapshot or is the same state still.
func TestDamagedSnapshot(t *testing.T) {
	config := escalation.Config{Tenant: "acme", Router: newRouter(t, team())}
	e := newEngine(t, team())
	if _, err := e.Apply(opened("A", incident.P1, "databases", "2026-10-05T14:00:00Z")); err != nil {
		t.Fatal(err)
	}
	good, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	part, err := e.Part("A")
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, again *escalation.Engine, err error) {
		t.Helper()
		if err != nil {
			if !errors.Is(err, escalation.ErrSnapshot) {
				t.Fatalf("%s: %v, want ErrSnapshot", what, err)
			}
			return
		}
		if data, _ := again.Part("A"); !bytes.Equal(data, part) {
			t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, part)
		}
	}
	for what, bad := range testutil.Damaged(good) {
		again, err := escalation.Restore(config, bad)
		check(what, again, err)
	}
	empty := newEngine(t, team())
	for what, bad := range testutil.Damaged(part) {
		again, err := empty.Fork(escalation.Shared{}, bad)
		check("part, "+what, again, err)
	}
	for data, want := range map[string]string{
		strings.Replace(string(good), `"P1"`, `"P2"`, 1): "the checksum of its state is ",
		`{"version":3,"tenant":"acme","incidents":[]}`:   "it has version 3, want 4",
	} {
		if _, err := escalation.Restore(config, []byte(data)); !errors.Is(err, escalation.ErrSnapshot) || !strings.Contains(err.Error(), want) {
			t.Errorf("Restore(%s) = %v, want ErrSnapshot: %s", data, err, want)
		}
	}
}
