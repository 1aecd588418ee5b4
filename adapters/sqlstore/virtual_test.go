package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// These tests let real timers of a real database fire in virtual time: what is due
// at an instant happens at that instant.

// desk is an escalator whose timers fire while the test sleeps.
type desk struct {
	*testing.T
	*sqlstore.Escalator
	store   *sqlstore.Store
	db      *sql.DB
	start   time.Time
	trouble bool // the test makes some
}

// virtually runs a test at a desk.
func virtually(t *testing.T, c escalation.Config, test func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		db := database(t)
		if _, err := db.ExecContext(t.Context(), `PRAGMA synchronous = OFF`); err != nil { // no power fails here
			t.Fatal(err)
		}
		s, err := sqlstore.Open(t.Context(), db, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Router, err = escalation.NewRouter(escalation.SampleRoster()); err != nil {
			t.Fatal(err)
		}
		c.Tenant = "acme"
		e, err := sqlstore.NewEscalator(s, c, "")
		if err != nil {
			t.Fatal(err)
		}
		r, err := runner.New(runner.Config{Timers: s.Timers(), Poll: 30 * time.Second, Lease: time.Minute, Batch: func(ctx context.Context, l []escalation.Lease) []error {
			return s.Fire(ctx, l, e.Fire)
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		d := &desk{T: t, Escalator: e, store: s, db: db, start: time.Now()}
		test(d)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if stats := r.Stats(); d.trouble != (stats.Errors+stats.Retried > 0) || stats.Dead+stats.Unreported > 0 {
			t.Errorf("trouble of the runner %+v, want some %v and nothing given up", stats, d.trouble)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// until sleeps until so many minutes after the start are over.
func (d *desk) until(minutes int) {
	d.Helper()
	time.Sleep(time.Until(d.start.Add(time.Duration(minutes)*time.Minute + time.Second)))
	synctest.Wait()
}

// apply applies an event of now to an incident.
func (d *desk) apply(kind escalation.EventKind, id string) []escalation.Action {
	d.Helper()
	return d.event(escalation.Event{Kind: kind, Incident: id, At: time.Now()})
}

func (d *desk) event(event escalation.Event) []escalation.Action {
	d.Helper()
	if event.Severity == 0 {
		event.Severity = incident.P1
	}
	event.Domain, event.Service = escalation.Kubernetes, "shop"
	actions, err := d.Apply(d.Context(), event)
	if err != nil {
		d.Fatalf("%v of %s: %v", event.Kind, event.Incident, err)
	}
	return actions
}

// opening is when an incident was opened, as keys have it.
var opening = regexp.MustCompile(`/2000-01-01T[0-9:.]+Z`)

// pages lists the keys of all pages, without the opening, with the minute in which
// each was decided.
func (d *desk) pages(want ...string) {
	d.Helper()
	var got []string
	for after := ""; ; {
		all, err := d.store.Outbox().List(d.Context(), escalation.TaskFilter{Tenant: "acme", After: after, Limit: 1000})
		if err != nil {
			d.Fatal(err)
		}
		for _, m := range all {
			var a escalation.Action
			if err := json.Unmarshal(m.Payload, &a); err != nil {
				d.Fatal(err)
			}
			if a.Kind == escalation.Page {
				got = append(got, fmt.Sprintf("%s at %d", opening.ReplaceAllString(strings.TrimPrefix(m.Key, "acme/"), ""), int(a.At.Sub(d.start).Minutes())))
			}
		}
		if len(all) < 1000 {
			break
		}
		after = all[len(all)-1].Key
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		d.Errorf("pages\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// idle reports timers that still wait.
func (d *desk) idle() {
	d.Helper()
	if n, err := d.store.Timers().Count(d.Context(), "acme"); err != nil || n.Pending+n.Leased+n.Dead > 0 {
		d.Errorf("timers %+v, %v, want none left", n, err)
	}
}

// Ten thousand alerts of one service within seconds, a thousand under the race
// detector, each an incident of its own: one page for each target of the escalation, not ten thousand. The sample has P1 go
// up after 15, 30 and 60 minutes, and nobody but Sarah knows Kubernetes, so that
// level 1 goes up to the last resort at once.
func TestStorm(t *testing.T) {
	virtually(t, escalation.Config{Bundle: 10 * time.Minute}, func(d *desk) {
		n := 10_000
		if raceEnabled {
			n = 1000
		}
		for i := range n {
			d.apply(escalation.Opened, fmt.Sprintf("I-%05d", i))
			if i%100 == 0 {
				d.apply(escalation.Opened, fmt.Sprintf("I-%05d", i)) // the alert repeats itself
			}
			time.Sleep(time.Millisecond)
		}
		d.until(61)
		d.pages("I-00000/1/assign/sarah at 0", "I-00000/1/L1/on-call-manager at 15", "I-00000/1/L2/on-call-manager at 30", "I-00000/1/L3/on-call-manager at 60")
		d.idle()
		if ids, err := d.store.Incidents(d.Context(), "acme"); err != nil || len(ids) != n {
			d.Errorf("%d incidents, %v, want all %d on record", len(ids), err, n)
		}
		view, err := d.Incident(d.Context(), fmt.Sprintf("I-%05d", n-1))
		if err != nil || view.Bundled != "I-00000" {
			d.Errorf("the last is under %q, %v, want the first", view.Bundled, err)
		}
	})
}

// What is reopened begins a second round, with keys of its own.
func TestReopened(t *testing.T) {
	virtually(t, escalation.Config{}, func(d *desk) {
		d.apply(escalation.Opened, "A")
		d.until(20)
		d.apply(escalation.Resolved, "A")
		d.idle()
		d.until(119)
		d.apply(escalation.Reopened, "A") // 1 s into the minute
		d.until(135)
		d.pages("A/1/assign/sarah at 0", "A/1/L1/on-call-manager at 15", "A/2/assign/sarah at 119", "A/2/L1/on-call-manager at 134")
		d.apply(escalation.Resolved, "A")
		d.idle()
	})
}

// The timers of a merged incident are cancelled, those of the other go on.
func TestMerged(t *testing.T) {
	virtually(t, escalation.Config{}, func(d *desk) {
		d.apply(escalation.Opened, "A")
		d.apply(escalation.Opened, "B")
		d.until(5)
		d.event(escalation.Event{Kind: escalation.Merged, Incident: "B", Into: "A", At: time.Now()})
		d.until(61)
		d.pages("A/1/assign/sarah at 0", "B/1/assign/sarah at 0",
			"A/1/L1/on-call-manager at 15", "A/1/L2/on-call-manager at 30", "A/1/L3/on-call-manager at 60")
		d.idle()
	})
}

// A severity that is raised makes the levels of the new one count from the same
// anchor, and what is overdue is one page; one that is lowered puts them off.
func TestSeverityChanges(t *testing.T) {
	to := func(s incident.Severity) escalation.Event {
		return escalation.Event{Kind: escalation.SeverityChanged, Incident: "A", Severity: s, At: time.Now()}
	}
	t.Run("raised", func(t *testing.T) {
		virtually(t, escalation.Config{}, func(d *desk) {
			d.event(escalation.Event{Kind: escalation.Opened, Incident: "A", Severity: incident.P3, At: time.Now()}) // 120, 480, 1,440
			d.until(40)
			d.event(to(incident.P1)) // 15 and 30 are over
			d.until(61)
			// Sarah has no hours at midnight, when virtual time begins, but she is in the
			// pool that is woken for a P1.
			d.pages("A/1/assign/on-call-manager at 0", "A/1/L2.2/sarah at 40", "A/1/L3.2/on-call-manager at 60")
			d.idle()
		})
	})
	t.Run("lowered", func(t *testing.T) {
		virtually(t, escalation.Config{}, func(d *desk) {
			d.apply(escalation.Opened, "A")
			d.until(10)
			d.event(to(incident.P3))
			d.until(1441)
			d.pages("A/1/assign/sarah at 0", "A/1/L1.2/on-call-manager at 120", "A/1/L2.2/on-call-manager at 480", "A/1/L3.2/on-call-manager at 1440")
			d.idle()
		})
	})
}

// A disk that is full in the middle of a firing: what does not fit has not happened
// at all, and happens once when there is room again.
func TestDiskFull(t *testing.T) {
	virtually(t, escalation.Config{}, func(d *desk) {
		d.trouble = true
		pragma := func(text string) (n int) {
			if err := d.db.QueryRowContext(d.Context(), "PRAGMA "+text).Scan(&n); err != nil {
				d.Fatal(err)
			}
			return n
		}
		const n = 100
		var want []string
		for i := range n {
			d.apply(escalation.Opened, fmt.Sprintf("I-%03d", i))
			want = append(want, fmt.Sprintf("I-%03d/1/assign/sarah at 0", i))
		}
		limit := pragma("page_count")
		if got := pragma(fmt.Sprint("max_page_count = ", limit)); got != limit {
			d.Fatalf("the database may grow to %d pages, want %d", got, limit)
		}
		if _, err := d.Apply(d.Context(), escalation.Event{Kind: escalation.Opened, Incident: "I-999", Severity: incident.P1, Domain: escalation.Kubernetes, At: d.start, Region: strings.Repeat("x", 100_000)}); err == nil || !strings.Contains(err.Error(), "full") {
			d.Errorf("an incident that does not fit: %v, want the error of a full disk", err)
		}
		d.until(16) // level 1 is due at 15
		fired := 0
		for i := range n {
			id := fmt.Sprintf("I-%03d", i)
			view, err := d.Incident(d.Context(), id)
			if err != nil {
				d.Fatal(err)
			}
			lines, err := d.store.Timeline(d.Context(), "acme", id)
			if err != nil || len(lines) != len(view.Log) {
				d.Errorf("%s has %d lines, %v, its engine %d", id, len(lines), err, len(view.Log))
			}
			if view.Levels[0].State == "fired" {
				fired++
			}
		}
		if fired == n {
			d.Error("all levels fired, want some that did not fit")
		}
		pragma("max_page_count = 1000000")
		d.until(20)
		for i := range n {
			view, err := d.Incident(d.Context(), fmt.Sprintf("I-%03d", i))
			if err != nil {
				d.Fatal(err)
			}
			for _, l := range view.Log {
				if l.Event == "escalate" {
					want = append(want, fmt.Sprintf("I-%03d/1/L1/on-call-manager at %d", i, int(l.At.Sub(d.start).Minutes())))
				}
			}
		}
		d.pages(want...)
		if len(want) != 2*n {
			d.Errorf("%d levels escalated, want each of %d once", len(want)-n, n)
		}
		d.Logf("disk full: %d of %d levels fitted at once, the others followed", fired, n)
	})
}

// The runner forgets what was done long ago, in the database too; what is dead stays
// for a person.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := database(t)
		s, err := sqlstore.Open(t.Context(), db, nil)
		if err != nil {
			t.Fatal(err)
		}
		var tasks []escalation.Task
		for i := range 1500 {
			tasks = append(tasks, escalation.Task{Tenant: "acme", Key: fmt.Sprint("k", i), Due: time.Now()})
		}
		if err := s.Outbox().Schedule(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		r, err := runner.New(runner.Config{Timers: s.Outbox(), Poll: time.Hour, Lease: time.Minute, Keep: 24 * time.Hour, Handle: func(_ context.Context, l escalation.Lease) error {
			if l.Key == "k7" {
				return fmt.Errorf("no such number: %w", runner.ErrPermanent)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []escalation.TaskCounts{{Done: 1499, Dead: 1}, {Dead: 1}} {
			ctx, cancel := context.WithTimeout(t.Context(), 23*time.Hour)
			if err := r.Run(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
			if got, err := s.Outbox().Count(t.Context(), "acme"); err != nil || got != want {
				t.Errorf("Count = %+v, %v, want %+v", got, err, want)
			}
		}
		if stats := r.Stats(); stats.Pruned != 1499 || stats.Dead != 1 {
			t.Errorf("Stats = %+v, want 1499 pruned, 1 dead", stats)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Events that come in the wrong order, or twice, change nothing that they should
// not.
func TestDisorder(t *testing.T) {
	virtually(t, escalation.Config{}, func(d *desk) {
		refused := func(event escalation.Event, want error) {
			d.Helper()
			var refusal *escalation.EventError
			if _, err := d.Apply(d.Context(), event); !errors.As(err, &refusal) || !errors.Is(err, want) {
				d.Errorf("%v of %s: %v, want %v", event.Kind, event.Incident, err, want)
			}
		}
		minute := func(n int) time.Time { return d.start.Add(time.Duration(n) * time.Minute) }
		// Acknowledged before it was created: refused, and taken when it comes again.
		early := escalation.Event{Kind: escalation.Acknowledged, Incident: "A", By: "sarah", At: minute(1)}
		refused(early, escalation.ErrUnknownIncident)
		d.apply(escalation.Opened, "A")
		d.until(2)
		d.event(early)
		d.event(early)
		// Resolved before it was acknowledged: an earlier acknowledgement is put on
		// record, a later one has no effect.
		d.apply(escalation.Opened, "B")
		d.until(5)
		d.event(escalation.Event{Kind: escalation.Resolved, Incident: "B", At: minute(5)})
		d.event(escalation.Event{Kind: escalation.Acknowledged, Incident: "B", By: "sarah", At: minute(4)})
		if actions := d.event(escalation.Event{Kind: escalation.Acknowledged, Incident: "B", By: "marcus", At: minute(5).Add(time.Millisecond)}); len(actions) > 0 {
			d.Errorf("acknowledged after the end: %v", actions)
		}
		view, err := d.Incident(d.Context(), "B")
		if err != nil || !view.Acknowledged.Equal(minute(4)) || !view.Closed.Equal(minute(5)) {
			d.Errorf("B acknowledged at %v, closed at %v, %v, want 4 and 5 minutes after the start", view.Acknowledged, view.Closed, err)
		}
		// Resolved twice.
		lines := len(view.Log)
		if actions := d.apply(escalation.Resolved, "B"); len(actions) > 0 {
			d.Errorf("resolved again: %v", actions)
		}
		if again, err := d.Incident(d.Context(), "B"); err != nil || len(again.Log) != lines || !again.Closed.Equal(minute(5)) {
			d.Errorf("resolved again: closed at %v with %d lines, %v, want no change of %d", again.Closed, len(again.Log), err, lines)
		}
		// Only levels 2 and 3 of A are still due, as nobody has resolved it.
		d.until(61)
		d.pages("A/1/assign/sarah at 0", "B/1/assign/sarah at 2", "A/1/L2/on-call-manager at 30", "A/1/L3/on-call-manager at 60")
		d.idle()
	})
}
