package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

func escalator(tb testing.TB, s *sqlstore.Store) *sqlstore.Escalator {
	tb.Helper()
	router, err := escalation.NewRouter(escalation.SampleRoster())
	if err != nil {
		tb.Fatal(err)
	}
	e, err := sqlstore.NewEscalator(s, escalation.Config{Tenant: "acme", Router: router}, "")
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func apply(t *testing.T, e *sqlstore.Escalator, kind escalation.EventKind, when time.Time) {
	t.Helper()
	if _, err := e.Apply(t.Context(), escalation.Event{Kind: kind, Incident: "INC-1", Severity: incident.P1, Domain: "kubernetes", At: when}); err != nil {
		t.Fatalf("%v: %v", kind, err)
	}
}

// fire claims what is due and fires it.
func fire(t *testing.T, s *sqlstore.Store, e *sqlstore.Escalator) []error {
	t.Helper()
	leases, err := s.Timers().Claim(t.Context(), 100, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s.Fire(t.Context(), leases, e.Fire)
}

// outbox lists the messages as "kind key state", without tenant, incident and the
// instant of its opening.
func outbox(t *testing.T, s *sqlstore.Store) string {
	t.Helper()
	all, err := s.Outbox().List(t.Context(), escalation.TaskFilter{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("%s %s %v", m.Kind, strings.TrimPrefix(m.Key, "acme/INC-1/"+at.Format(time.RFC3339Nano)+"/"), m.State))
	}
	return strings.Join(lines, "\n")
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// P1 goes up after 15, 30 and 60 minutes: section "Escalation timeline" of the
// sample. Missed levels are one page, of the highest.
func TestEscalator(t *testing.T) {
	s, c := open(t)
	e := escalator(t, s)
	apply(t, e, escalation.Opened, at)
	same(t, "after the opening", outbox(t, s), "page 1/assign/sarah pending")
	for _, minutes := range []int{14, 15} {
		c.set(at.Add(time.Duration(minutes) * time.Minute))
		for _, err := range fire(t, s, e) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	view, err := e.Incident(t.Context(), "INC-1")
	if err != nil || len(view.Levels) != 3 || view.Levels[0].State != "fired" || view.Levels[1].State != "pending" {
		t.Errorf("levels %+v, %v, want the first fired, the second pending", view.Levels, err)
	}
	c.set(at.Add(2 * time.Hour)) // the processes were down meanwhile
	fire(t, s, e)
	if view, err = e.Incident(t.Context(), "INC-1"); err != nil || view.Levels[1].State != "collapsed" || view.Levels[2].State != "fired" {
		t.Errorf("levels %+v, %v, want the second collapsed, the third fired", view.Levels, err)
	}
	pages := strings.Count(outbox(t, s), "page ")
	if pages != 3 {
		t.Errorf("%d pages, want assignment, level 1 and level 3:\n%s", pages, outbox(t, s))
	}
	if n, err := s.Timers().Count(t.Context(), "acme"); err != nil || n.Done+n.Cancelled != 3 || n.Pending+n.Leased+n.Dead != 0 {
		t.Errorf("timers %+v, %v, want none left", n, err)
	}
	lines, err := s.Timeline(t.Context(), "acme", "INC-1")
	if err != nil || len(lines) != len(view.Log) {
		t.Errorf("timeline has %d lines, %v, want the %d of the engine", len(lines), err, len(view.Log))
	}
}

// An acknowledgement withdraws the page that nobody has begun to send, and the
// timer of the level with it.
func TestAcknowledgementWithdraws(t *testing.T) {
	s, c := open(t)
	e := escalator(t, s)
	apply(t, e, escalation.Opened, at)
	apply(t, e, escalation.Acknowledged, at.Add(time.Minute))
	if got := outbox(t, s); !strings.Contains(got, "page 1/assign/sarah cancelled") {
		t.Errorf("outbox:\n%s\nwant the page cancelled", got)
	}
	c.set(at.Add(20 * time.Minute))
	if errs := fire(t, s, e); len(errs) != 0 {
		t.Errorf("%d timers were due, want none", len(errs))
	}
}

// An acknowledgement withdraws the first page and those of levels that it stops. The
// page of level 2, which resolving stops, is still to be sent; resolving withdraws it.
func TestAcknowledgementKeepsPagesOfHigherLevels(t *testing.T) {
	s, c := open(t)
	e := escalator(t, s)
	apply(t, e, escalation.Opened, at)
	c.set(at.Add(30 * time.Minute))
	for _, err := range fire(t, s, e) {
		if err != nil {
			t.Error(err)
		}
	}
	states := func() string {
		all, err := s.Outbox().List(t.Context(), escalation.TaskFilter{Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, m := range all {
			var a escalation.Action
			if err := json.Unmarshal(m.Payload, &a); err != nil {
				t.Fatal(err)
			}
			if a.Kind == escalation.Page {
				out = append(out, fmt.Sprintf("%d %v", a.Level, m.State))
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	same(t, "after level 2", states(), "0 pending, 2 pending")
	apply(t, e, escalation.Acknowledged, at.Add(31*time.Minute))
	same(t, "after the acknowledgement", states(), "0 cancelled, 2 pending")
	apply(t, e, escalation.Resolved, at.Add(32*time.Minute))
	same(t, "after the end", states(), "0 cancelled, 2 cancelled")
}

// An event that has no effect yet is kept in the row: the resolution that was on its
// way gives the reopening one.
func TestReopeningBeforeResolution(t *testing.T) {
	s, _ := open(t)
	e := escalator(t, s)
	apply(t, e, escalation.Opened, at)
	apply(t, e, escalation.Reopened, at.Add(20*time.Minute))
	apply(t, e, escalation.Resolved, at.Add(10*time.Minute))
	if view, err := e.Incident(t.Context(), "INC-1"); err != nil || view.Round != 2 || !view.Closed.IsZero() {
		t.Errorf("round %d, closed %v, %v, want the second, open", view.Round, view.Closed, err)
	}
}

// An acknowledgement and a level at the same instant: whoever comes second sees
// what the first has done, and the page is there exactly if the level came first.
func TestAcknowledgementAgainstLevel(t *testing.T) {
	for _, ackFirst := range []bool{true, false} {
		s, c := open(t)
		e := escalator(t, s)
		due := at.Add(15 * time.Minute)
		apply(t, e, escalation.Opened, at)
		c.set(due)
		leases, err := s.Timers().Claim(t.Context(), 1, 10*time.Second)
		if err != nil || len(leases) != 1 {
			t.Fatal(leases, err)
		}
		if ackFirst {
			apply(t, e, escalation.Acknowledged, due)
		}
		if errs := s.Fire(t.Context(), leases, e.Fire); errs[0] != nil {
			t.Error(errs)
		}
		if !ackFirst {
			apply(t, e, escalation.Acknowledged, due)
		}
		if got := strings.Contains(outbox(t, s), "page 1/L1/"); got == ackFirst {
			t.Errorf("acknowledged first %v: level page %v:\n%s", ackFirst, got, outbox(t, s))
		}
	}
}

// Timers that fail have changed nothing; the others of the batch are done. One
// whose lease was lost changes nothing either.
func TestFireIsAllOrNothing(t *testing.T) {
	s, c := open(t)
	var tasks []escalation.Task
	for i := range 5 {
		tasks = append(tasks, escalation.Task{Tenant: "acme", Key: fmt.Sprint("k", i), Due: at})
	}
	if err := s.Timers().Schedule(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	claim := func() []escalation.Lease {
		leases, err := s.Timers().Claim(t.Context(), 10, time.Second)
		if err != nil || len(leases) == 0 {
			t.Fatal(leases, err)
		}
		return leases
	}
	old := claim()
	c.advance(time.Second)
	current := claim()
	mixed := append(slices.Clone(current[:4]), old[4])
	busy := errors.New("busy")
	errs := s.Fire(t.Context(), mixed, func(ctx context.Context, tx *sqlstore.Tx, l escalation.Lease) error {
		err := tx.Write(ctx, sqlstore.Change{
			Tenant:    "acme",
			Incidents: []sqlstore.Incident{{ID: l.Key, State: raw(`{}`), Entries: []json.RawMessage{raw(`1`)}}},
			Outbox:    []escalation.Task{message("page/"+l.Key, at)},
		})
		switch {
		case err != nil:
			return err
		case l.Key == "k1":
			return busy
		case l.Key == "k2":
			panic("nil map")
		}
		return nil
	})
	if errs[0] != nil || errs[3] != nil || !errors.Is(errs[1], busy) || errs[2] == nil || !errors.Is(errs[4], escalation.ErrLeaseLost) {
		t.Fatalf("Fire = %v, want k1 busy, k2 panicked, k4 lost", errs)
	}
	if ids, err := s.Incidents(t.Context(), "acme"); err != nil || !slices.Equal(ids, []string{"k0", "k3"}) {
		t.Errorf("incidents %v, %v, want k0 and k3", ids, err)
	}
	if o, err := s.Outbox().Count(t.Context(), "acme"); err != nil || o.Pending != 2 {
		t.Errorf("outbox %+v, %v, want two messages", o, err)
	}
	if n, err := s.Timers().Count(t.Context(), "acme"); err != nil || n.Done != 2 || n.Leased != 3 {
		t.Errorf("timers %+v, %v, want two done", n, err)
	}
	// A change that completes says so itself.
	err := s.Commit(t.Context(), sqlstore.Change{Tenant: "acme", Outbox: []escalation.Task{message("x", at)}, Complete: old[1:2]})
	if !errors.Is(err, escalation.ErrLeaseLost) {
		t.Errorf("Commit under a lost lease: %v, want ErrLeaseLost", err)
	}
	if err := s.Commit(t.Context(), sqlstore.Change{Tenant: "acme", Outbox: []escalation.Task{message("y", at)}, Complete: current[1:2]}); err != nil {
		t.Error(err)
	}
	if o, err := s.Outbox().Count(t.Context(), "acme"); err != nil || o.Pending != 3 {
		t.Errorf("outbox %+v, %v, want three messages: x is lost with its lease", o, err)
	}
}

// A day of timers in virtual time, over a real database: none is late, and all
// are fired.
func TestVirtualDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := database(t)
		s, err := sqlstore.Open(t.Context(), db, nil)
		if err != nil {
			t.Fatal(err)
		}
		const n = 2000
		start := time.Now()
		var tasks []escalation.Task
		for i := range n {
			tasks = append(tasks, escalation.Task{Tenant: "acme", Key: fmt.Sprint("k", i), Due: start.Add(time.Duration(i) * 43 * time.Second)})
		}
		if err := s.Timers().Schedule(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		fired := 0 // guarded by mu
		var worst time.Duration
		r, err := runner.New(runner.Config{Timers: s.Timers(), Poll: 30 * time.Second, Lease: time.Minute, Batch: func(ctx context.Context, leases []escalation.Lease) []error {
			return s.Fire(ctx, leases, func(_ context.Context, _ *sqlstore.Tx, l escalation.Lease) error {
				mu.Lock()
				defer mu.Unlock()
				fired++
				worst = max(worst, l.At.Sub(l.Due))
				return nil
			})
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if fired != n || worst != 0 {
			t.Errorf("fired %d, at most %v late, want %d and 0", fired, worst, n)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}
