package playbook_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// TestSimulate: the load of a morning, sampled each minute: hot from 08:00 to
// 08:08, from 09:00 to 09:05, and from 10:00 on.
func TestSimulate(t *testing.T) {
	config := playbook.Config{Book: playbook.DefaultBook(), Services: []playbook.Service{{ID: "api", Type: "compute", Zone: "UTC"}}}
	eight := time.Date(2026, 10, 5, 8, 0, 0, 0, time.UTC)
	var recorded []playbook.Event
	for m := range 150 {
		load := 40.0
		if m <= 8 || m >= 60 && m <= 65 || m >= 120 {
			load = 90
		}
		recorded = append(recorded, playbook.Event{
			Kind: playbook.Observe, At: eight.Add(time.Duration(m) * time.Minute), Service: "api", Fact: "cpu_utilization", Value: playbook.Number(load),
		})
	}
	until := eight.Add(136 * time.Minute)
	runs, err := playbook.Simulate(config, slices.Values(recorded), until)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		cleared := "still"
		if !r.ClearedAt.IsZero() {
			cleared = r.ClearedAt.Format("15:04")
		}
		stages := map[string]bool{}
		for _, s := range r.Steps {
			stages[s.Stage] = true
			if s.Why == "" || s.Status.Done() == (s.Status == playbook.Running) {
				t.Errorf("step = %+v", s)
			}
		}
		got = append(got, r.TriggeredAt.Format("15:04")+" "+cleared+" "+string(rune('0'+len(stages))))
	}
	if want := "08:05 08:09 2, 09:05 09:06 1, 10:05 still 3"; strings.Join(got, ", ") != want {
		t.Errorf("runs %q, want %q", strings.Join(got, ", "), want)
	}

	// Silence after the last sample clears, five minutes later.
	runs, err = playbook.Simulate(config, slices.Values(recorded[:8]), until)
	if err != nil || len(runs) != 1 || !runs[0].ClearedAt.Equal(eight.Add(12*time.Minute)) {
		t.Errorf("runs %+v, %v, want one cleared at 08:12", runs, err)
	}
	if _, err := playbook.Simulate(config, slices.Values([]playbook.Event{recorded[1], recorded[0]}), until); err == nil {
		t.Error("events out of order: no error")
	}
	if _, err := playbook.Simulate(config, slices.Values([]playbook.Event{{Kind: "explode", At: eight}}), until); err == nil {
		t.Error("a bad event: no error")
	}
	if _, err := playbook.Simulate(playbook.Config{Quorum: -1}, slices.Values(recorded), until); err == nil {
		t.Error("a bad configuration: no error")
	}
	if runs, err := playbook.Simulate(config, slices.Values(recorded[:0]), until); err != nil || len(runs) != 0 {
		t.Errorf("nothing recorded: %v, %v", runs, err)
	}
}

// TestForService: an engine of one service decides as one of all services does.
func TestForService(t *testing.T) {
	all := newEngine(t, nil)
	var entries []playbook.Entry
	one := all.ForService("api", func(x playbook.Entry) { entries = append(entries, x) })
	if all.ForService("x", nil) != nil {
		t.Error("an engine for a service that is not there")
	}
	for _, e := range []*playbook.Engine{all, one} {
		begin(t, e, "high_cpu_utilization", "api", noon)
		fine(t, e, "api", minute(2))
		want(t, "both", drain(t, e, minute(2)),
			"do capture_performance_snapshot", "do trigger_horizontal_scaling", "do alert_operations_team", "do identify_top_processes", "do check_auto_scaling_status")
	}
	if len(entries) == 0 || len(all.Runs()) != 1 || len(one.Snapshot().Services) != 1 {
		t.Errorf("%d entries, %d runs, %d services", len(entries), len(all.Runs()), len(one.Snapshot().Services))
	}
	if err := one.Apply(playbook.Event{Kind: playbook.Observe, At: noon, Service: "db", Fact: "pool", Value: playbook.Number(1)}); err == nil {
		t.Error("the engine of one service takes facts of another")
	}
}
