package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
)

var at = time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)

func open(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(tb.TempDir(), "x.db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { db.Close() })
	s, err := sqlstore.Open(tb.Context(), db)
	if err != nil {
		tb.Fatal(err)
	}
	if again, err := sqlstore.Open(tb.Context(), db); err != nil || again == nil {
		tb.Fatalf("opening a prepared database again: %v", err)
	}
	return s
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

func message(key string, due time.Time) sqlstore.Message {
	return sqlstore.Message{Key: key, Kind: "page", Due: due, Payload: raw(`{"to":"` + key + `"}`)}
}

func TestCommit(t *testing.T) {
	s, ctx := open(t), t.Context()
	change := sqlstore.Change{
		Tenant:    "acme",
		Incidents: []sqlstore.Incident{{ID: "INC-1", State: raw(`{"status":"open"}`), Entries: []json.RawMessage{raw(`{"seq":1}`), raw(`{"seq":2}`)}}},
		Outbox:    []sqlstore.Message{message("k1", at)},
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
	change.Outbox, change.Snapshots = []sqlstore.Message{message("k2", at)}, map[string][]byte{"engine": []byte("lost")}
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
	if o, err := s.Outbox(ctx, "acme"); err != nil || o.Pending != 1 || !o.Oldest.Equal(at) {
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
	s := open(t)
	for name, c := range map[string]sqlstore.Change{
		"no tenant":   {},
		"bad state":   {Tenant: "a", Incidents: []sqlstore.Incident{{ID: "x", State: raw(`{`)}}},
		"bad entry":   {Tenant: "a", Incidents: []sqlstore.Incident{{ID: "x", State: raw(`{}`), Entries: []json.RawMessage{raw(`{`)}}}},
		"no key":      {Tenant: "a", Outbox: []sqlstore.Message{{Due: at, Payload: raw(`{}`)}}},
		"no due":      {Tenant: "a", Outbox: []sqlstore.Message{{Key: "k", Payload: raw(`{}`)}}},
		"far due":     {Tenant: "a", Outbox: []sqlstore.Message{{Key: "k", Due: at.AddDate(300, 0, 0), Payload: raw(`{}`)}}},
		"no instant":  {Tenant: "a", Snapshots: map[string][]byte{"x": nil}},
		"bad payload": {Tenant: "a", Outbox: []sqlstore.Message{{Key: "k", Due: at}}},
	} {
		if err := s.Commit(t.Context(), c); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if ids, err := s.Incidents(t.Context(), "a"); err != nil || len(ids) != 0 {
		t.Errorf("refused changes left incidents %v, %v", ids, err)
	}
}

func TestClaimRefuses(t *testing.T) {
	s := open(t)
	if err := s.Commit(t.Context(), sqlstore.Change{Tenant: "acme", Outbox: []sqlstore.Message{message("a", at)}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		now   time.Time
		n     int
		lease time.Duration
	}{{at, 0, time.Second}, {at, -1, time.Second}, {at, 1, 0}, {time.Time{}, 1, time.Second}} {
		if got, err := s.Claim(t.Context(), c.now, c.n, c.lease); err == nil {
			t.Errorf("Claim(%v, %d, %v) = %v, want an error", c.now, c.n, c.lease, got)
		}
	}
	l := claim(t, s, at, 1)[0]
	if err := s.Retry(t.Context(), l, time.Time{}, "busy"); err == nil {
		t.Error("Retry at no instant: want an error")
	}
	// The lease is still the sender's, and the database knows it.
	if err := s.Sent(t.Context(), l, at); err != nil {
		t.Error(err)
	}
}

// A cancelled commit leaves nothing, and its error says why.
func TestCommitCancelled(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Commit(ctx, sqlstore.Change{Tenant: "acme", Outbox: []sqlstore.Message{message("a", at)}})
	if !errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrTxDone) {
		t.Errorf("Commit = %v, want context.Canceled alone", err)
	}
	if o, err := s.Outbox(t.Context(), "acme"); err != nil || o.Pending != 0 {
		t.Errorf("Outbox = %+v, %v, want it empty", o, err)
	}
}

func TestOutbox(t *testing.T) {
	s, ctx := open(t), t.Context()
	// The same key twice is one message; the same key of another tenant is not.
	for _, tenant := range []string{"acme", "acme", "globex"} {
		if err := s.Commit(ctx, sqlstore.Change{Tenant: tenant, Outbox: []sqlstore.Message{message("b", at.Add(time.Second)), message("a", at)}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(claim(t, s, at, 10)); !slices.Equal(got, []string{"acme/a#1", "globex/a#1"}) {
		t.Fatalf("due at the instant: %v, want the two that are", got)
	}
	if got := keys(claim(t, s, at, 10)); len(got) != 0 {
		t.Fatalf("leased ones were given out again: %v", got)
	}

	// A lease that ended is taken over; the first holder comes too late.
	first := sqlstore.Leased{Message: message("a", at), Tenant: "acme", Attempt: 1}
	second := claim(t, s, at.Add(10*time.Second), 1)
	if got := keys(second); !slices.Equal(got, []string{"acme/b#1"}) {
		t.Fatalf("claim one = %v, want the oldest wake", got)
	}
	third := claim(t, s, at.Add(10*time.Second), 10)
	if got := keys(third); !slices.Equal(got, []string{"globex/b#1", "acme/a#2", "globex/a#2"}) {
		t.Fatalf("take-over = %v", got)
	}
	if err := s.Sent(ctx, first, at); !errors.Is(err, sqlstore.ErrLeaseLost) {
		t.Errorf("Sent by the first holder: %v, want ErrLeaseLost", err)
	}
	for _, err := range []error{
		s.Sent(ctx, third[1], at.Add(11*time.Second)),
		s.Dead(ctx, third[2], at.Add(11*time.Second), "no such number"),
		s.Retry(ctx, second[0], at.Add(time.Minute), "busy"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sent(ctx, third[1], at); !errors.Is(err, sqlstore.ErrLeaseLost) {
		t.Errorf("Sent twice: %v, want ErrLeaseLost", err)
	}
	if o, err := s.Outbox(ctx, "acme"); err != nil || o.Sent != 1 || o.Pending != 1 || o.Dead != 0 {
		t.Errorf("acme: %+v, %v, want one sent and one pending", o, err)
	}
	if o, err := s.Outbox(ctx, "globex"); err != nil || o.Dead != 1 || o.Pending != 1 {
		t.Errorf("globex: %+v, %v, want one dead and one pending", o, err)
	}
}

func claim(t *testing.T, s *sqlstore.Store, now time.Time, n int) []sqlstore.Leased {
	t.Helper()
	leased, err := s.Claim(t.Context(), now, n, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return leased
}

func keys(leased []sqlstore.Leased) []string {
	var all []string
	for _, l := range leased {
		all = append(all, fmt.Sprintf("%s/%s#%d", l.Tenant, l.Key, l.Attempt))
	}
	return all
}

// Two senders share one outbox: every message is sent by exactly one of them.
func TestClaimIsExclusive(t *testing.T) {
	s, ctx := open(t), t.Context()
	var all []sqlstore.Message
	for i := range 200 {
		all = append(all, message(fmt.Sprintf("k%03d", i), at))
	}
	if err := s.Commit(ctx, sqlstore.Change{Tenant: "acme", Outbox: all}); err != nil {
		t.Fatal(err)
	}
	results := make(chan []string)
	for range 2 {
		go func() {
			var mine []string
			for {
				leased, err := s.Claim(ctx, at, 7, time.Minute)
				if err != nil || len(leased) == 0 {
					results <- mine
					return
				}
				for _, l := range leased {
					if s.Sent(ctx, l, at) == nil {
						mine = append(mine, l.Key)
					}
				}
			}
		}()
	}
	sent := append(<-results, <-results...)
	slices.Sort(sent)
	if len(sent) != 200 || len(slices.Compact(sent)) != 200 {
		t.Errorf("%d sent, %d distinct, want 200 of each", len(sent), len(slices.Compact(sent)))
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
	if _, err := sqlstore.Open(context.Background(), db); err == nil {
		t.Error("tables of version 99: want an error")
	}
}

func BenchmarkCommit(b *testing.B) {
	s := open(b)
	n := 0
	for b.Loop() {
		n++
		err := s.Commit(b.Context(), sqlstore.Change{
			Tenant:    "acme",
			Incidents: []sqlstore.Incident{{ID: fmt.Sprint("INC-", n), State: raw(`{}`), Entries: []json.RawMessage{raw(`{}`)}}},
			Outbox:    []sqlstore.Message{message(fmt.Sprint("k", n), at)},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
