package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
)

var at = time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)

// clock is one that a test moves.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.nanos.Store(t.UnixNano()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func database(tb testing.TB) *sql.DB {
	tb.Helper()
	return databaseAt(tb, filepath.Join(tb.TempDir(), "x.db"))
}

// databaseAt opens a file, as another process may do too.
func databaseAt(tb testing.TB, file string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { db.Close() })
	return db
}

// open returns an empty store and its clock, which stands at at.
func open(tb testing.TB) (*sqlstore.Store, *clock) {
	tb.Helper()
	c := &clock{}
	c.set(at)
	db, options := database(tb), &sqlstore.Options{Now: c.now}
	s, err := sqlstore.Open(tb.Context(), db, options)
	if err != nil {
		tb.Fatal(err)
	}
	if s.Dialect() != sqlstore.SQLite {
		tb.Errorf("dialect %v, want SQLite", s.Dialect())
	}
	if again, err := sqlstore.Open(tb.Context(), db, options); err != nil || again == nil {
		tb.Fatalf("opening a prepared database again: %v", err)
	}
	return s, c
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

func message(key string, due time.Time) escalation.Task {
	return escalation.Task{Key: key, Kind: "page", Due: due, Payload: raw(`{"to":"` + key + `"}`)}
}

func TestCommit(t *testing.T) {
	s, _ := open(t)
	ctx := t.Context()
	change := sqlstore.Change{
		Tenant:    "acme",
		Incidents: []sqlstore.Incident{{ID: "INC-1", State: raw(`{"status":"open"}`), Entries: []json.RawMessage{raw(`{"seq":1}`), raw(`{"seq":2}`)}}},
		Outbox:    []escalation.Task{message("k1", at)},
		Snapshots: map[string][]byte{"engine": []byte("one")},
		At:        at,
	}
	if err := s.Commit(ctx, change); err != nil {
		t.Fatal(err)
	}
	got, err := s.Incident(ctx, "acme", "INC-1")
	if err != nil || got.Version != 1 || string(got.State) != `{"status":"open"}` {
		t.Fatalf("Incident = %+v, %v, want version 1, open", got, err)
	}
	if _, err := s.Incident(ctx, "globex", "INC-1"); !errors.Is(err, sqlstore.ErrNotFound) {
		t.Errorf("another tenant reads INC-1: %v, want ErrNotFound", err)
	}

	// The second writer of version 1 loses, with everything that it wanted.
	change.Incidents[0] = sqlstore.Incident{ID: "INC-1", Version: 1, State: raw(`{"status":"acknowledged"}`), Entries: []json.RawMessage{raw(`{"seq":3}`)}}
	if err := s.Commit(ctx, change); err != nil {
		t.Fatal(err)
	}
	change.Outbox, change.Snapshots = []escalation.Task{message("k2", at)}, map[string][]byte{"engine": []byte("lost")}
	if err := s.Commit(ctx, change); !errors.Is(err, sqlstore.ErrConflict) {
		t.Fatalf("Commit on a stale version: %v, want ErrConflict", err)
	}
	entries, err := s.Timeline(ctx, "acme", "INC-1")
	if err != nil || len(entries) != 3 || string(entries[2]) != `{"seq":3}` {
		t.Errorf("Timeline = %s, %v, want three entries", entries, err)
	}
	if data, snapAt, err := s.Snapshot(ctx, "acme", "engine"); err != nil || string(data) != "one" || !snapAt.Equal(at) {
		t.Errorf("Snapshot = %q at %v, %v, want one: the lost commit must leave no trace", data, snapAt, err)
	}
	if o, err := s.Outbox().Count(ctx, "acme"); err != nil || o.Pending != 1 || !o.Oldest.Equal(at) {
		t.Errorf("Outbox = %+v, %v, want one pending", o, err)
	}
	if _, _, err := s.Snapshot(ctx, "acme", "none"); !errors.Is(err, sqlstore.ErrNotFound) {
		t.Errorf("Snapshot of an unknown name: %v, want ErrNotFound", err)
	}
	if ids, err := s.Incidents(ctx, "acme"); err != nil || !slices.Equal(ids, []string{"INC-1"}) {
		t.Errorf("Incidents = %v, %v", ids, err)
	}
}

func TestCommitRefuses(t *testing.T) {
	s, _ := open(t)
	for name, c := range map[string]sqlstore.Change{
		"no tenant":    {},
		"bad state":    {Tenant: "a", Incidents: []sqlstore.Incident{{ID: "x", State: raw(`{`)}}},
		"bad entry":    {Tenant: "a", Incidents: []sqlstore.Incident{{ID: "x", State: raw(`{}`), Entries: []json.RawMessage{raw(`{`)}}}},
		"no key":       {Tenant: "a", Outbox: []escalation.Task{{Due: at, Payload: raw(`{}`)}}},
		"no due":       {Tenant: "a", Outbox: []escalation.Task{{Key: "k", Payload: raw(`{}`)}}},
		"far due":      {Tenant: "a", Outbox: []escalation.Task{{Key: "k", Due: at.AddDate(300, 0, 0), Payload: raw(`{}`)}}},
		"no instant":   {Tenant: "a", Snapshots: map[string][]byte{"x": nil}},
		"bad payload":  {Tenant: "a", Outbox: []escalation.Task{{Key: "k", Due: at, Payload: raw(`{`)}}},
		"other tenant": {Tenant: "a", Timers: []escalation.Task{{Tenant: "b", Key: "k", Due: at}}},
	} {
		if err := s.Commit(t.Context(), c); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if ids, err := s.Incidents(t.Context(), "a"); err != nil || len(ids) != 0 {
		t.Errorf("refused changes left incidents %v, %v", ids, err)
	}
}

// A cancelled commit leaves nothing, and its error says why.
func TestCommitCancelled(t *testing.T) {
	s, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Commit(ctx, sqlstore.Change{Tenant: "acme", Outbox: []escalation.Task{message("a", at)}})
	if !errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrTxDone) {
		t.Errorf("Commit = %v, want context.Canceled alone", err)
	}
	if o, err := s.Outbox().Count(t.Context(), "acme"); err != nil || o.Pending != 0 {
		t.Errorf("Outbox = %+v, %v, want it empty", o, err)
	}
}

func TestOpenRefusesNewerTables(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{`CREATE TABLE evenkeel_schema (version INTEGER NOT NULL)`, `INSERT INTO evenkeel_schema VALUES (99)`} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sqlstore.Open(t.Context(), db, nil); err == nil || !strings.Contains(err.Error(), "99") {
		t.Errorf("tables of version 99: %v, want an error that says so", err)
	}
}

// A store takes part in a transaction of the caller: what the caller rolls back
// has never been.
func TestIn(t *testing.T) {
	db := database(t)
	s, err := sqlstore.Open(t.Context(), db, &sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	for _, commit := range []bool{false, true} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.In(tx).Incident(t.Context(), "acme", "INC-1"); !errors.Is(err, sqlstore.ErrNotFound) {
			t.Errorf("Incident: %v, want ErrNotFound", err)
		}
		err = s.In(tx).Write(t.Context(), sqlstore.Change{
			Tenant:    "acme",
			Incidents: []sqlstore.Incident{{ID: "INC-1", State: raw(`{}`)}},
			Timers:    []escalation.Task{{Key: "INC-1/1/L1", Due: at}},
		})
		end := tx.Rollback
		if commit {
			end = tx.Commit
		}
		if err := errors.Join(err, end()); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Timers().Count(t.Context(), "acme"); err != nil || (n.Pending == 1) != commit {
			t.Errorf("committed %v: timers %+v, %v", commit, n, err)
		}
	}
}

// A database that version 1 has written is brought up; its messages go on where
// they were. The statements are those of the program that wrote it.
func TestOpenUpgrades(t *testing.T) {
	db := database(t)
	for _, statement := range []string{
		`CREATE TABLE evenkeel_schema (version INTEGER NOT NULL)`,
		`CREATE TABLE incident (
			tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL,
			PRIMARY KEY (tenant, id)) WITHOUT ROWID`,
		`CREATE TABLE timeline (
			tenant TEXT NOT NULL, incident TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL,
			PRIMARY KEY (tenant, incident, seq)) WITHOUT ROWID`,
		`CREATE TABLE outbox (
			id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
			due INTEGER NOT NULL, wake INTEGER, attempt INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
			done INTEGER, reason TEXT NOT NULL DEFAULT '', UNIQUE (tenant, key))`,
		`CREATE INDEX outbox_wake ON outbox (wake, id) WHERE wake IS NOT NULL`,
		`CREATE TABLE snapshot (
			tenant TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL,
			PRIMARY KEY (tenant, name)) WITHOUT ROWID`,
		`INSERT INTO evenkeel_schema VALUES (1)`,
		`INSERT INTO incident VALUES ('acme', 'INC-1', 3, '{"status":"open"}')`,
		`INSERT INTO timeline VALUES ('acme', 'INC-1', 1, '{"seq":1}')`,
		fmt.Sprintf(`INSERT INTO snapshot VALUES ('acme', 'engine', %d, x'00ff')`, at.UnixNano()),
		fmt.Sprintf(`INSERT INTO outbox (tenant, key, kind, payload, due, wake, attempt, state, done, reason) VALUES
			('acme', 'waits', 'page', '{}', %[1]d, %[1]d, 0, 'pending', NULL, ''),
			('acme', 'leased', 'page', '{}', %[1]d, %[2]d, 2, 'pending', NULL, 'busy'),
			('acme', 'sent', 'page', '{}', %[1]d, NULL, 1, 'sent', %[1]d, ''),
			('acme', 'dead', 'page', '{}', %[1]d, NULL, 5, 'dead', %[1]d, 'no such number')`, at.UnixNano(), at.Add(10*time.Second).UnixNano()),
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	c := &clock{}
	c.set(at)
	s, err := sqlstore.Open(t.Context(), db, &sqlstore.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Outbox().Count(t.Context(), "acme")
	if want := (escalation.TaskCounts{Pending: 2, Done: 1, Dead: 1, Oldest: at}); err != nil || got != want {
		t.Errorf("Count = %+v, %v, want %+v", got, err, want)
	}
	var keys []string
	for range 2 {
		leases, err := s.Outbox().Claim(t.Context(), 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range leases {
			keys = append(keys, fmt.Sprintf("%s#%d", l.Key, l.Attempt))
		}
		c.advance(10 * time.Second)
	}
	if want := []string{"waits#1", "leased#3"}; !slices.Equal(keys, want) {
		t.Errorf("claimed %v, want %v", keys, want)
	}
	if i, err := s.Incident(t.Context(), "acme", "INC-1"); err != nil || i.Version != 3 {
		t.Errorf("Incident = %+v, %v, want version 3", i, err)
	}
	if data, when, err := s.Snapshot(t.Context(), "acme", "engine"); err != nil || string(data) != "\x00\xff" || !when.Equal(at) {
		t.Errorf("Snapshot = %q at %v, %v", data, when, err)
	}
	if in, ok, err := s.Timers().NextWake(t.Context()); err != nil || ok {
		t.Errorf("NextWake = %v, %v, %v, want no timer", in, ok, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	s, _ := open(b)
	n := 0
	for b.Loop() {
		n++
		err := s.Commit(b.Context(), sqlstore.Change{
			Tenant:    "acme",
			Incidents: []sqlstore.Incident{{ID: fmt.Sprint("INC-", n), State: raw(`{}`), Entries: []json.RawMessage{raw(`{}`)}}},
			Outbox:    []escalation.Task{message(fmt.Sprint("k", n), at)},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
