package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// An alert that is over and fires again with the start of the first time, as when
// Prometheus was cut off from Alertmanager, is told and paged again, whether the bridge
// was killed in between or not. What two Alertmanagers tell is told once.
func TestFiresAgain(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", killed), func(t *testing.T) {
			v := newVendors(t)
			dir, address := t.TempDir(), freeAddress(t)
			team, err := os.ReadFile(filepath.Join("..", "quickstart", "testdata", "inputs", "team.yaml"))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "team.yaml"), team, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			v.files["bridge.yaml"] += "team: team.yaml\n"
			b := v.start(t, dir, address)
			post := func(text string) {
				t.Helper()
				for second := range 2 { // of a pair
					if killed && second == 0 {
						_ = b.cmd.Process.Kill()
						_ = b.cmd.Wait()
						b = v.start(t, dir, address)
					}
					if status := b.post(text); status != http.StatusAccepted {
						t.Fatalf("status %d, want 202: %s", status, b.stderr)
					}
				}
			}
			// Tickets in PagerDuty, those that are open, and issues that are not resolved.
			state := func() (tickets, open, issues int) {
				for _, a := range v.pager.Alerts() {
					tickets++
					if a.Open {
						open++
					}
				}
				for _, issue := range v.jira.Issues() {
					if issue.Resolution == "" {
						issues++
					}
				}
				return tickets, open, issues
			}
			end := func(at string) string { return strings.ReplaceAll(body("resolved", "a1"), "2026-10-05T04:52:05Z", at) }
			for i, step := range []struct {
				text                string
				triggers, resolves  int
				tickets, open, jira int
			}{
				{body("firing", "a1"), 1, 0, 1, 1, 1},
				{end("2026-10-05T04:52:05Z"), 1, 1, 1, 0, 0},
				{body("firing", "a1"), 2, 1, 2, 1, 1},
				{end("2026-10-05T05:02:05Z"), 2, 2, 2, 0, 0},
				{body("firing", "a1"), 3, 2, 3, 1, 1},
			} {
				post(step.text)
				b.until(fmt.Sprintf("step %d is told", i), func() bool {
					tickets, open, issues := state()
					return told(t, dir, "trigger") >= step.triggers && told(t, dir, "resolve") >= step.resolves && tickets >= step.tickets && open == step.open && issues == step.jira
				})
			}
			// The engine hears of what comes after all this after it.
			post(body("firing", "b1"))
			b.until("another alert is told", func() bool {
				tickets, open, issues := state()
				return told(t, dir, "trigger") >= 4 && tickets >= 4 && open >= 2 && issues >= 2
			})
			if n := rows(t, dir, `SELECT count(*) FROM outbox WHERE kind IN ('pagerduty', 'jira', 'webhook')`); n != 3*(4+2) {
				t.Errorf("%d requests, want 4 triggers and 2 resolves for each of 3 sinks", n)
			}
			if n := rows(t, dir, `SELECT count(*) FROM incident WHERE id LIKE 'incident/alert-%'`); n != 4 {
				t.Errorf("%d incidents, want one for each time at which an alert fires", n)
			}
			if tickets, open, issues := state(); tickets != 4 || open != 2 || issues != 2 || len(v.jira.Issues()) != 2 {
				t.Errorf("%d tickets in PagerDuty, %d open, %d of %d issues, want 4, 2 and 2 of 2", tickets, open, issues, len(v.jira.Issues()))
			}
			b.until("people are paged each time", func() bool { return told(t, dir, "note") >= 4 })
			_ = b.cmd.Process.Kill()
			_ = b.cmd.Wait()
		})
	}
}

// When the engine has forgotten the end, an alert that fires again with the same start
// opens its incident again and has people paged in a second round. What was heard already
// does neither.
func TestFiresAgainForgotten(t *testing.T) {
	ctx := t.Context()
	data, err := os.ReadFile(filepath.Join("..", "quickstart", "testdata", "inputs", "team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	team, _, err := config.ParseTeam("team.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	bridge := config.Bridge{PagerDuty: &config.PagerDutySink{}, DefaultSeverity: incident.P2}
	files, err := openStorage(ctx, bridge)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	s := &server{inputs: &inputs{bridge: bridge, team: &team}, storage: files, slog: slog.New(slog.DiscardHandler), lines: json.NewEncoder(io.Discard)}
	if s.pager, err = newPager(s.store, team, nil); err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-5 * time.Hour).UTC()
	var all []stream.Notification
	for i, kind := range []correlation.Kind{correlation.Notify, correlation.Resolve, correlation.Notify} {
		all = append(all, stream.Notification{Key: fmt.Sprint("n", i), Transition: correlation.Transition{At: begin.Add(time.Duration(i) * 90 * time.Minute), Kind: kind, Alert: correlation.Alert{
			Tenant: "acme", Name: "platform.disk", Since: begin, Annotations: map[string]string{fingerprint: "f1"},
		}}})
	}
	for _, c := range []struct {
		name    string
		heard   []stream.Notification
		active  bool
		reopens int
	}{
		{"fires", all[:1], true, 0},
		{"is over", all[1:2], false, 0},
		{"what was heard", all[:2], false, 0},
		{"fires again", all[2:], true, 1},
		{"all again", all, true, 1},
	} {
		if err := s.hear(ctx, c.heard); err != nil {
			t.Fatal(err)
		}
		incidents, err := sqlstore.NewIncidents(s.store, "acme", incidentPrefix, incident.Options{})
		if err != nil {
			t.Fatal(err)
		}
		state, err := incidents.State(ctx, incidentOf(all[0]))
		if err != nil || state.Status.Active() != c.active || state.Reopens != c.reopens {
			t.Errorf("%s: %s, reopened %d times, %v, want active %t and %d", c.name, state.Status, state.Reopens, err, c.active, c.reopens)
		}
		if round := roundOf(t, s, incidentOf(all[0])); round != c.reopens+1 {
			t.Errorf("%s: round %d of the escalation, want %d", c.name, round, c.reopens+1)
		}
	}
	requests := 0
	tasks, err := s.store.Outbox().List(ctx, escalation.TaskFilter{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		if task.Kind == "pagerduty" {
			requests++
		}
	}
	if requests != 3 {
		t.Errorf("%d requests, want one for each notification", requests)
	}
	// What people did at the ticket before the alert fired again says nothing about now.
	for _, c := range []struct {
		name   string
		after  time.Duration // it fired again after 180 minutes
		active bool
	}{
		{"resolved before it fired again", 100 * time.Minute, true},
		{"resolved since then", 200 * time.Minute, false},
	} {
		a := answer{sink: "pagerduty", key: ticketKey("acme", "f1", "pagerduty"), state: adapters.StateResolved, at: begin.Add(c.after)}
		if err := s.answered(ctx, a); err != nil {
			t.Fatal(err)
		}
		incidents, err := sqlstore.NewIncidents(s.store, "acme", incidentPrefix, incident.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if state, err := incidents.State(ctx, incidentOf(all[0])); err != nil || state.Status.Active() != c.active {
			t.Errorf("%s: %s, %v, want active %t", c.name, state.Status, err, c.active)
		}
	}
}

// Two alerts of Alertmanager with one signal are one alert to the engine, which has the
// annotations of the latest: the end is told to the ticket that was opened.
func TestEndOfTheSameTicket(t *testing.T) {
	ctx := t.Context()
	bridge := config.Bridge{PagerDuty: &config.PagerDutySink{}, DefaultSeverity: incident.P2}
	files, err := openStorage(ctx, bridge)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	s := &server{inputs: &inputs{bridge: bridge}, storage: files, slog: slog.New(slog.DiscardHandler), lines: json.NewEncoder(io.Discard)}
	begin := time.Now().Add(-time.Hour).UTC()
	for i, kind := range []correlation.Kind{correlation.Notify, correlation.Resolve} {
		if err := s.hear(ctx, []stream.Notification{{Key: fmt.Sprint("n", i), Transition: correlation.Transition{At: begin.Add(time.Duration(i) * time.Minute), Kind: kind, Alert: correlation.Alert{
			Tenant: "acme", Name: "platform.disk", Since: begin, Annotations: map[string]string{fingerprint: fmt.Sprint("f", i)},
		}}}}); err != nil {
			t.Fatal(err)
		}
	}
	tasks, err := s.store.Outbox().List(ctx, escalation.TaskFilter{Tenant: "acme"})
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%d tasks, %v, want 2", len(tasks), err)
	}
	for _, task := range tasks {
		var q queued
		if err := json.Unmarshal(task.Payload, &q); err != nil || q.Ref != "f0" {
			t.Errorf("%s of ticket %q, %v, want that of f0", q.Action, q.Ref, err)
		}
	}
}

func roundOf(t *testing.T, s *server, id string) int {
	t.Helper()
	e, err := s.pager.of("acme")
	if err != nil {
		t.Fatal(err)
	}
	state, err := e.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return state.Round
}
