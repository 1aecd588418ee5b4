package timers

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// TestKillAtBoundaries lets a worker die by SIGKILL at each boundary of the firing of level 1, and another go on. Whatever the
// boundary, the level fires once, and its page is sent; twice, under one key, only where the first worker had sent it and not
// yet said so.
func TestKillAtBoundaries(t *testing.T) {
	for _, row := range []struct {
		at    boundary
		sends int
	}{
		{beforeClaim, 1},
		{afterClaim, 1},
		{inTransaction, 1},
		{beforeSend, 1},
		{claimedMessage, 1},
		{afterSend, 2},
		{afterCompletion, 1},
	} {
		t.Run(string(row.at), func(t *testing.T) {
			onBoth(t, func(t *testing.T, system, dsn string) {
				t.Helper()
				t.Parallel()
				killAt(t, system, dsn, row.at, row.sends)
			})
		})
	}
}

func killAt(t *testing.T, system, dsn string, at boundary, sends int) {
	t.Helper()
	n := newNight(t, system, dsn, 1)
	n.Lease, n.Send = 2*time.Second, 0
	orders := n.orders
	orders.Die = at
	victim := rig.Again(t, workerEnv, orders)
	err := victim.Wait()
	died := time.Now()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the worker ended by %v, want SIGKILL", err)
	}
	rig.Again(t, workerEnv, n.orders)
	eventually(t, time.Minute, "fired level and empty outbox", func() (bool, error) {
		view, err := n.desk.Incident(t.Context(), name(0))
		if err != nil || view.Levels[0].State != "fired" {
			return false, err
		}
		c, err := n.store.Outbox().Count(t.Context(), "acme")
		return err == nil && c.Done == 2 && c.Pending+c.Leased+c.Dead == 0, err
	})
	var got []line // sends of the page of level 1
	keys, first := map[string]bool{}, time.Time{}
	for _, l := range readJournal(t, n.Journal) {
		if l.sent && strings.Contains(l.key, "/L1/") {
			got = append(got, l)
			keys[l.key] = true
		}
		if l.pid != victim.Process.Pid && strings.Contains(l.key, "/L1/") && first.IsZero() {
			first = l.at
		}
	}
	view, err := n.desk.Incident(t.Context(), name(0))
	if err != nil {
		t.Fatal(err)
	}
	fired := 0
	for _, e := range view.Log {
		if e.Event == "escalate" {
			fired++
		}
	}
	timer := find(t, n.store.Timers(), "acme/"+name(0)+"/"+view.Opened.Format(time.RFC3339Nano)+"/1/L1")
	if fired != 1 || len(got) != sends || len(keys) != 1 || timer.State != escalation.TaskDone {
		t.Errorf("fired %d times, sent %d times under %d keys, the timer %v; want once, %d times under one, done", fired, len(got), len(keys), timer.State, sends)
	}
	after := "before it died"
	if !first.IsZero() {
		after = "taken over after " + first.Sub(died).Round(10*time.Millisecond).String()
	}
	t.Logf("timers kill %s, %s: fired %d, lost %d, duplicated %d (same key), %s", at, system, fired, max(0, 1-len(got)), len(got)-1, after)
}
