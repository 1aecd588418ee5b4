package timers

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// quick is a database that does not wait for the disk: these tests are about order, not about power failures.
func quick(system, dsn string) string {
	if system == "postgres" {
		return dsn + "&synchronous_commit=off"
	}
	return strings.Replace(dsn, "synchronous(FULL)", "synchronous(OFF)", 1)
}

// TestAcknowledgementRaces lets an acknowledgement and the timer of level 1 meet at the same instant, a thousand times, and
// 10,000 with EVENKEEL_SOAK=1, which takes minutes under the race detector. Either the level fires, and its page is withdrawn
// by the acknowledgement that comes second, or it does not fire at all; never is there a page that could still be sent, or a
// level that has fired without one.
func TestAcknowledgementRaces(t *testing.T) {
	const together = 100
	races := 1000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		races = 10000
	}
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		start := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
		due := start.Add(15 * time.Minute)
		var now atomic.Int64
		now.Store(start.UnixNano())
		store := openStore(t, system, quick(system, dsn), &sqlstore.Options{Now: func() time.Time { return time.Unix(0, now.Load()) }})
		desk, err := newDesk(store)
		if err != nil {
			t.Fatal(err)
		}
		apply := func(kind escalation.EventKind, id string, at time.Time) {
			event := escalation.Event{Kind: kind, Incident: id, Severity: incident.P1, Domain: "kubernetes", At: at, By: "sarah"}
			if _, err := desk.Apply(t.Context(), event); err != nil {
				t.Errorf("%v of %s: %v", kind, id, err)
			}
		}
		fired := 0
		for round := range races / together {
			now.Store(start.UnixNano())
			ids := make([]string, together)
			for i := range ids {
				ids[i] = fmt.Sprintf("INC-%d-%02d", round, i)
				apply(escalation.Opened, ids[i], start)
			}
			now.Store(due.UnixNano())
			rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			var both sync.WaitGroup
			both.Go(func() {
				for {
					leases, err := store.Timers().Claim(t.Context(), 7, time.Hour)
					if err != nil {
						t.Errorf("Claim: %v", err)
					}
					if len(leases) == 0 {
						return
					}
					for _, err := range store.Fire(t.Context(), leases, desk.Fire) {
						if err != nil {
							t.Errorf("Fire: %v", err)
						}
					}
				}
			})
			both.Go(func() {
				for _, id := range ids {
					apply(escalation.Acknowledged, id, due)
				}
			})
			both.Wait()
			for _, id := range ids {
				if checkRace(t, store, desk, id) {
					fired++
				}
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		if fired == 0 || fired == races {
			t.Errorf("the level came first in %d of %d races, want some of each", fired, races)
		}
		t.Logf("%d races: the level came first in %d, the acknowledgement in %d", races, fired, races-fired)
	})
}

// checkRace reports whether the level came first.
func checkRace(t *testing.T, store *sqlstore.Store, desk *sqlstore.Escalator, id string) bool {
	t.Helper()
	view, err := desk.Incident(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	first := false
	for _, e := range view.Log {
		first = first || e.Event == "escalate"
	}
	key := fmt.Sprintf("acme/%s/%s/1/", id, view.Opened.Format(time.RFC3339Nano))
	page := find(t, store.Outbox(), key+"L1/")
	timer := find(t, store.Timers(), key+"L1")
	if first != (page.Key != "") || first && page.State != escalation.TaskCancelled || view.Acknowledged.IsZero() ||
		timer.State != escalation.TaskDone && timer.State != escalation.TaskCancelled || first && timer.State != escalation.TaskDone {
		t.Errorf("%s: level fired %v, its page %v, its timer %v, acknowledged %v", id, first, page.State, timer.State, view.Acknowledged)
	}
	return first
}

// find returns the first task whose key begins so, or none.
func find(t *testing.T, q *sqlstore.Queue, prefix string) escalation.StoredTask {
	t.Helper()
	all, err := q.List(t.Context(), escalation.TaskFilter{Tenant: "acme", After: prefix[:len(prefix)-1], Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || !strings.HasPrefix(all[0].Key, prefix) {
		return escalation.StoredTask{}
	}
	return all[0]
}

// TestClockJumps puts the clock of the store forward and back by two hours while timers wait. Missed levels are one page of
// the highest; nothing fires again.
func TestClockJumps(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		var offset atomic.Int64
		store := openStore(t, system, quick(system, dsn), &sqlstore.Options{Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }})
		desk, err := newDesk(store)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := runner.New(runner.Config{Timers: store.Timers(), Batch: func(ctx context.Context, l []escalation.Lease) []error { return store.Fire(ctx, l, desk.Fire) }})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		open := func(id string) {
			event := escalation.Event{Kind: escalation.Opened, Incident: id, Severity: incident.P1, Domain: "kubernetes", At: time.Now().Add(time.Duration(offset.Load()))}
			if _, err := desk.Apply(ctx, event); err != nil {
				t.Fatal(err)
			}
		}
		states := func(id string) string {
			view, err := desk.Incident(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, l := range view.Levels {
				all = append(all, string(l.State))
			}
			return strings.Join(all, " ")
		}
		reach := func(id, want string) {
			t.Helper()
			eventually(t, 20*time.Second, id+" "+want, func() (bool, error) { got := states(id); return got == want, fmt.Errorf("it is %s", got) })
		}
		open("A")
		time.Sleep(600 * time.Millisecond)
		reach("A", "pending pending pending")
		offset.Store(int64(2 * time.Hour))
		reach("A", "collapsed collapsed fired")
		offset.Store(0)
		open("B")
		time.Sleep(600 * time.Millisecond)
		offset.Store(int64(-2 * time.Hour))
		open("C")
		time.Sleep(600 * time.Millisecond)
		reach("A", "collapsed collapsed fired")
		reach("B", "pending pending pending")
		offset.Store(int64(16 * time.Minute))
		reach("B", "fired pending pending")
		reach("C", "collapsed collapsed fired") // opened two hours ago by its clock
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		pages := map[string]int{}
		all, err := store.Outbox().List(t.Context(), escalation.TaskFilter{Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			var a escalation.Action
			if err := json.Unmarshal(m.Payload, &a); err != nil {
				t.Fatal(err)
			}
			pages[a.Incident]++
		}
		if pages["A"] != 2 || pages["B"] != 2 || pages["C"] != 2 {
			t.Errorf("pages %v, want two of each: the assignment and one level", pages)
		}
	})
}

// TestSkew gives two nodes at one database clocks that are 5 s early and 5 s late, which is more than a lease: each takes from
// the other what it believes to be expired. Every level still fires once, and every page is sent under one key.
func TestSkew(t *testing.T) {
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		const count, skew = 50, 5 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var running sync.WaitGroup
		var mu sync.Mutex
		sent := map[string]int{} // by key; guarded by mu
		var desks []*sqlstore.Escalator
		var store *sqlstore.Store
		for _, late := range []time.Duration{-skew, skew} {
			store = openStore(t, system, quick(system, dsn), &sqlstore.Options{Now: func() time.Time { return time.Now().Add(late) }})
			desk, err := newDesk(store)
			if err != nil {
				t.Fatal(err)
			}
			desks = append(desks, desk)
			for _, c := range []runner.Config{
				{Timers: store.Timers(), Size: 10, Batch: func(ctx context.Context, l []escalation.Lease) []error { return store.Fire(ctx, l, desk.Fire) }},
				{Timers: store.Outbox(), Handle: func(_ context.Context, l escalation.Lease) error {
					time.Sleep(5 * time.Millisecond) // as a send takes
					mu.Lock()
					defer mu.Unlock()
					sent[l.Key]++
					return nil
				}},
			} {
				c.Lease = 2 * time.Second
				r, err := runner.New(c)
				if err != nil {
					t.Fatal(err)
				}
				running.Go(func() {
					if err := r.Run(ctx); err != nil {
						t.Error(err)
					}
				})
			}
		}
		// Opened by either clock so that level 1, after 15 minutes, is due while both are at work.
		for i := range count {
			at := time.Now().Add(-15*time.Minute + skew*time.Duration(2*(i%2)-1))
			event := escalation.Event{Kind: escalation.Opened, Incident: name(i), Severity: incident.P1, Domain: "kubernetes", At: at}
			if _, err := desks[i%2].Apply(t.Context(), event); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, time.Minute, "fired levels and empty outboxes", func() (bool, error) {
			for i := range count {
				view, err := desks[0].Incident(t.Context(), name(i))
				if err != nil || view.Levels[0].State != "fired" {
					return false, err
				}
			}
			c, err := store.Outbox().Count(t.Context(), "acme")
			return err == nil && c.Pending+c.Leased == 0, err
		})
		cancel()
		running.Wait()
		c, err := store.Outbox().Count(t.Context(), "acme")
		if err != nil || c.Done != 2*count || c.Dead > 0 || len(sent) != 2*count {
			t.Errorf("outbox %+v, %v, sent %d, want the assignment and level 1 of %d incidents", c, err, len(sent), count)
		}
		for i := range count {
			view, err := desks[1].Incident(t.Context(), name(i))
			if err != nil {
				t.Fatal(err)
			}
			fired := 0
			for _, e := range view.Log {
				if e.Event == "escalate" {
					fired++
				}
			}
			if fired != 1 {
				t.Errorf("%s escalated %d times, want once", name(i), fired)
			}
		}
	})
}

// TestClaimLimit holds the planner of PostgreSQL to the nested loops with which a limit below IN takes more rows than it says,
// on a table that was never analysed.
func TestClaimLimit(t *testing.T) {
	dsn := systems()[1].make(t) + "&enable_hashjoin=off&enable_mergejoin=off&enable_material=off&enable_hashagg=off"
	store := openStore(t, "postgres", dsn, nil)
	var tasks []escalation.Task
	for i := range 20 {
		tasks = append(tasks, escalation.Task{Tenant: "acme", Key: fmt.Sprint("k", i), Due: time.Now().Add(-time.Minute)})
	}
	if err := store.Timers().Schedule(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	for left := 20; left > 0; left -= 2 {
		if leases, err := store.Timers().Claim(t.Context(), 2, time.Hour); err != nil || len(leases) != 2 {
			t.Fatalf("claim 2 of %d = %d, %v", left, len(leases), err)
		}
	}
}

// TestServersClockDecides gives PostgreSQL tasks that are due by the clock of the server alone.
func TestServersClockDecides(t *testing.T) {
	db := connect(t, "postgres", systems()[1].make(t))
	store, err := sqlstore.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Timers().Schedule(t.Context(), escalation.Task{Tenant: "acme", Key: "k", Due: time.Now().Add(-time.Minute)}); err != nil {
		t.Fatal(err)
	}
	var before, after time.Time
	read := func(into *time.Time) {
		if err := db.QueryRowContext(t.Context(), `SELECT clock_timestamp()`).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	read(&before)
	leases, err := store.Timers().Claim(t.Context(), 1, time.Minute)
	read(&after)
	if err != nil || len(leases) != 1 || leases[0].At.Before(before) || leases[0].At.After(after) {
		t.Errorf("claimed %+v, %v, want one at an instant of the server from %v to %v", leases, err, before, after)
	}
}

// TestDeadlock makes two transactions lock two incidents in opposite order: PostgreSQL aborts one, which is run again.
func TestDeadlock(t *testing.T) {
	store := openStore(t, "postgres", systems()[1].make(t), nil)
	change := sqlstore.Change{Tenant: "acme", Incidents: []sqlstore.Incident{{ID: "a", State: []byte("0")}, {ID: "b", State: []byte("0")}}}
	if err := store.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	var runs atomic.Int64
	meet := make(chan struct{}, 2)
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		both.Go(func() {
			err := store.Do(t.Context(), func(tx *sqlstore.Tx) error {
				var rows []sqlstore.Incident
				for i, id := range order {
					row, err := tx.Incident(t.Context(), "acme", id)
					if err != nil {
						return err
					}
					if i == 0 && runs.Add(1) <= 2 { // both have their first before either wants its second
						meet <- struct{}{}
						for len(meet) < 2 {
							time.Sleep(time.Millisecond)
						}
					}
					row.State = []byte("1")
					rows = append(rows, row)
				}
				return tx.Write(t.Context(), sqlstore.Change{Tenant: "acme", Incidents: rows})
			})
			if err != nil {
				t.Errorf("%v: %v", order, err)
			}
		})
	}
	both.Wait()
	if row, err := store.Incident(t.Context(), "acme", "a"); err != nil || row.Version != 3 || runs.Load() < 3 {
		t.Errorf("a = %+v, %v after %d runs, want version 3 after one more than two", row, err, runs.Load())
	}
}
