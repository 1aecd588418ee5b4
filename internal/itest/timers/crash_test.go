package timers

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// night is a store with incidents whose first level is due about now, and the journal of those who send.
type night struct {
	*testing.T
	orders
	store *sqlstore.Store
	desk  *sqlstore.Escalator
	count int
}

// newNight opens incidents; every fifth is acknowledged before anybody is told.
func newNight(t *testing.T, system, dsn string, count int) *night {
	t.Helper()
	store := openStore(t, system, dsn, nil)
	desk, err := newDesk(store)
	if err != nil {
		t.Fatal(err)
	}
	n := &night{t, orders{System: system, DSN: dsn, Journal: filepath.Join(t.TempDir(), "journal"), Send: 50 * time.Millisecond, Lease: 5 * time.Second}, store, desk, count}
	for i := range count {
		// Level 1 of P1 is due after 15 minutes.
		opened := time.Now().Add(-15*time.Minute + time.Second)
		events := []escalation.Event{{Kind: escalation.Opened, At: opened}}
		if acknowledged(i) {
			events = append(events, escalation.Event{Kind: escalation.Acknowledged, At: opened.Add(time.Minute)})
		}
		for _, event := range events {
			event.Incident, event.Severity, event.Domain = name(i), incident.P1, "kubernetes"
			if _, err := desk.Apply(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

func name(i int) string { return fmt.Sprintf("INC-%03d", i) }

func acknowledged(i int) bool { return i%5 == 4 }

// expected are the beginnings of the keys of all messages: the assignment and level 1 of each incident that nobody has
// acknowledged, and of the others the notice that somebody has.
func (n *night) expected() []string {
	var all []string
	for i := range n.count {
		view, err := n.desk.Incident(n.Context(), name(i))
		if err != nil {
			n.Fatal(err)
		}
		round := fmt.Sprintf("acme/%s/%s/1/", name(i), view.Opened.Format(time.RFC3339Nano))
		if acknowledged(i) {
			all = append(all, round+"ack1/")
		} else {
			all = append(all, round+"assign/", round+"L1/")
		}
	}
	return all
}

// waitSent waits until so many sends have ended.
func (n *night) waitSent(count int) {
	n.Helper()
	eventually(n.T, 2*time.Minute, fmt.Sprint(count, " messages sent"), func() (bool, error) {
		sent := map[string]bool{}
		for _, l := range readJournal(n.T, n.Journal) {
			if l.sent {
				sent[l.key] = true
			}
		}
		return len(sent) >= count, fmt.Errorf("%d are", len(sent))
	})
}

// settled waits until there is nothing to do any more and checks what was sent. A message may be sent twice, under the same key, if the
// first time was in mid-send or not yet reported when a process was hurt: by that process, or by any if it was stopped while
// it had the write lock of SQLite, so that nobody could report or renew until it woke, or if the database was away longer than
// a lease, as after a crash on a slow disk. Between the two claims lies a lease.
func (n *night) settled(what string, hurt int, hurtAt, woke time.Time, any bool, db outage) {
	n.Helper()
	// Level 1 has fired everywhere when the next timer, of level 2, is minutes away; then its pages are to be sent.
	eventually(n.T, 2*time.Minute, "fired levels and empty outbox", func() (bool, error) {
		in, ok, err := n.store.Timers().NextWake(n.Context())
		if err == nil && ok && in < time.Minute {
			err = fmt.Errorf("next timer in %v", in)
		}
		var c escalation.TaskCounts
		if err == nil {
			c, err = n.store.Outbox().Count(n.Context(), "acme")
		}
		if err == nil && c.Pending+c.Leased > 0 {
			err = fmt.Errorf("%+v", c)
		}
		return err == nil, err
	})
	starts, sent := map[string][]line{}, map[string]int{}
	for _, l := range readJournal(n.T, n.Journal) {
		if l.sent {
			sent[l.key]++
		} else {
			starts[l.key] = append(starts[l.key], l)
		}
	}
	lost, duplicated := 0, 0
	for _, prefix := range n.expected() {
		found := false
		for key := range sent {
			found = found || strings.HasPrefix(key, prefix)
		}
		if !found {
			lost++
			n.Errorf("%s… was never sent", prefix)
		}
	}
	if len(sent) != len(n.expected()) {
		n.Errorf("%d messages were sent, want %d: pages of acknowledged incidents among them?", len(sent), len(n.expected()))
	}
	var takeover time.Duration
	for key, all := range starts {
		if len(all) < 2 {
			continue
		}
		duplicated++
		first, second := all[0], all[1]
		byHurt := first.pid == hurt && second.pid != hurt || any && first.pid != second.pid
		begunBy := hurtAt
		if any {
			begunBy = woke
		}
		mayRepeat := byHurt && !first.at.After(begunBy) && hurtAt.Sub(first.at) <= n.Send+n.Lease || db.kept(first.at, n.Send+n.Lease)
		if len(all) > 2 || !mayRepeat || second.claimed.Sub(first.claimed) < n.Lease {
			n.Errorf("%s was begun by %v, want a second time only a lease after the first, in mid-send when process %d was hurt at %v", key, all, hurt, hurtAt)
		}
		takeover = max(takeover, second.at.Sub(hurtAt))
	}
	for i := range n.count {
		view, err := n.desk.Incident(n.Context(), name(i))
		if err != nil {
			n.Fatal(err)
		}
		escalated := 0
		for _, e := range view.Log {
			if e.Event == "escalate" {
				escalated++
			}
		}
		if want := map[bool]int{false: 1, true: 0}[acknowledged(i)]; escalated != want {
			n.Errorf("%s escalated %d times, want %d", name(i), escalated, want)
		}
	}
	n.Logf("timers %s: fired %d, lost %d, duplicated %d (in mid-send, same key), last taken over after %v",
		what, len(sent), lost, duplicated, takeover.Round(time.Millisecond))
}

// outage is when the database was away; zero if it never was.
type outage struct{ from, to time.Time }

// kept reports whether what began at an instant and held for so long could not be reported because of the outage.
func (o outage) kept(at time.Time, held time.Duration) bool {
	return !o.from.IsZero() && at.Before(o.to) && at.Add(held).After(o.from)
}

// TestKill kills one of two workers while it sends and, with PostgreSQL, crashes the database in between.
func TestKill(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		n := newNight(t, system, dsn, 100)
		victim, _ := rig.Again(t, workerEnv, n.orders), rig.Again(t, workerEnv, n.orders)
		n.waitSent(20)
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		_ = victim.Wait()
		var db outage
		if system == "postgres" {
			n.waitSent(60)
			db.from = time.Now()
			if err := postgres(t).Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			db.to = time.Now()
		}
		n.settled("kill-"+system, victim.Process.Pid, killed, killed, false, db)
	})
}

// TestSleep stops one of two workers for longer than its lease. When it wakes, it begins nothing that others have done.
func TestSleep(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		n := newNight(t, system, dsn, 60)
		n.Lease = 2 * time.Second
		sleeper, _ := rig.Again(t, workerEnv, n.orders), rig.Again(t, workerEnv, n.orders)
		n.waitSent(20)
		if err := sleeper.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		stopped := time.Now()
		time.Sleep(2*n.Lease + time.Second)
		if err := sleeper.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		n.settled("sleep-"+system, sleeper.Process.Pid, stopped, time.Now(), system == "sqlite", outage{})
	})
}
