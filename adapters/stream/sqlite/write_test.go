package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
)

// empty opens an empty store.
func empty(t *testing.T, o *Options) *Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// One job that fails spoils the transaction for nobody else: what another one refuses stays
// refused, and what can be written is.
func TestOneFails(t *testing.T) {
	s := empty(t, nil)
	broken := errors.New("broken")
	refuse := &job{do: func(context.Context, *sql.Tx) error { return refusal{stream.ErrFenced} }}
	fail := &job{do: func(context.Context, *sql.Tx) error { return broken }}
	mends := &job{do: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO stream_node (name, until) VALUES ('a', 1)`)
		return err
	}}
	s.do(t.Context(), []*job{refuse, fail, mends})
	if !errors.Is(refuse.err, stream.ErrFenced) || !errors.Is(fail.err, broken) || mends.err != nil {
		t.Errorf("errors %v, %v and %v, want ErrFenced, broken and none", refuse.err, fail.err, mends.err)
	}
	var n int
	if err := s.db.QueryRowContext(t.Context(), `SELECT count(*) FROM stream_node`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d nodes, %v, want 1", n, err)
	}
}

// A disk that is full refuses what does not fit with an error that says so, keeps what it has taken, and takes the rest under
// the same IDs when there is room again.
func TestDiskFull(t *testing.T) {
	s, ctx := empty(t, nil), t.Context()
	s.db.SetMaxOpenConns(1) // the limit is that of a connection
	limit := func(pages string) {
		t.Helper()
		if _, err := s.db.ExecContext(ctx, "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	batch := func(n int) stream.Batch {
		event := correlation.Event{Tenant: "acme", Alert: "a.b", Status: correlation.Firing, Time: time.Unix(1, 0), Labels: map[string]string{"n": strings.Repeat("x", 3000)}}
		return stream.Batch{ID: fmt.Sprint("b", n), At: time.Unix(1, 0), Events: []correlation.Event{event}}
	}
	var pages int
	if err := s.db.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit(strconv.Itoa(pages + 20))
	const all = 50
	taken := 0
	for ; taken < all; taken++ {
		if _, err := s.Append(ctx, 1, batch(taken)); err != nil {
			if !strings.Contains(err.Error(), "append to partition 1") || !strings.Contains(err.Error(), "full") {
				t.Errorf("a full disk: %v, want which partition and that it is full", err)
			}
			break
		}
	}
	if taken == 0 || taken == all {
		t.Fatalf("%d of %d fitted, want some", taken, all)
	}
	if records, err := s.Read(ctx, 1, 0); err != nil || len(records) != taken {
		t.Errorf("%d records, %v, want the %d that were taken", len(records), err, taken)
	}
	limit("1000000")
	for n := range all { // those that were taken again, as whoever does not know sends them
		if _, err := s.Append(ctx, 1, batch(n)); err != nil {
			t.Fatal(err)
		}
	}
	if records, err := s.Read(ctx, 1, 0); err != nil || len(records) != all {
		t.Errorf("%d records, %v, want %d, each once", len(records), err, all)
	}
}

// A clock that jumps ahead ends leases, and one that jumps back does not make them last: who took over has a higher epoch,
// and who had it before is fenced.
func TestClockJumps(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s, ctx := empty(t, &Options{Now: func() time.Time { return now }}), t.Context()
	const ttl = 10 * time.Second
	join := func(node string, want ...string) {
		t.Helper()
		if got, err := s.Join(ctx, node, ttl); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s joins %q, %v, want %q", node, got, err, want)
		}
	}
	claim := func(node string, want int64) {
		t.Helper()
		if got, err := s.Claim(ctx, 3, node); err != nil || got != want {
			t.Errorf("%s claims with epoch %d, %v, want %d", node, got, err, want)
		}
	}
	join("a", "a")
	claim("a", 1)
	now = now.Add(-5 * time.Second) // less than a lease: it lasts
	join("b", "a", "b")
	claim("b", 0)
	now = now.Add(-2 * time.Hour) // and this is more
	join("c", "c")
	claim("c", 2)
	join("a", "a", "c") // it lives, and says so by the new time
	claim("a", 0)
	if err := s.Save(ctx, 3, 1, stream.Snapshot{Offset: 1}); !errors.Is(err, stream.ErrFenced) {
		t.Errorf("the owner before the jump saves: %v, want ErrFenced", err)
	}
	now = now.Add(2 * time.Hour) // b died before the clock was put back, and is not alive again
	join("a", "a")
	claim("a", 3)
	now = now.Add(22 * time.Hour)
	join("a", "a")
	claim("a", 4)
}

// A file that an earlier version wrote is brought up to date with what is in it: who had spoken is alive, and its partition its own.
func TestUpgrade(t *testing.T) {
	ctx, now := t.Context(), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "a.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	first := append(slices.Clone(versions[0]), `CREATE TABLE stream_schema (version INTEGER NOT NULL)`, `INSERT INTO stream_schema VALUES (1)`,
		fmt.Sprintf(`INSERT INTO stream_node (name, until) VALUES ('a', %d)`, now.Add(5*time.Second).UnixNano()), `UPDATE stream_partition SET owner = 'a', epoch = 7 WHERE partition = 3`)
	for _, statement := range first {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		s, err := Open(ctx, db, &Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Join(ctx, "b", 10*time.Second); err != nil || !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("b joins %q, %v, want a and b", got, err)
		}
		if epoch, err := s.Claim(ctx, 3, "b"); err != nil || epoch != 0 {
			t.Errorf("b claims the partition of a: epoch %d, %v, want 0", epoch, err)
		}
	}
	s, err := Open(ctx, db, &Options{Now: func() time.Time { return now.Add(6 * time.Second) }})
	if err != nil {
		t.Fatal(err)
	}
	if epoch, err := s.Claim(ctx, 3, "b"); err != nil || epoch != 8 {
		t.Errorf("b claims what a has left: epoch %d, %v, want 8", epoch, err)
	}
}

// A reader learns at once what its own process appends, without asking the file.
func TestReadAtOnce(t *testing.T) {
	s := empty(t, &Options{Poll: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	const count = 200
	done := make(chan error)
	go func() {
		for after := int64(0); after < count; {
			records, err := s.Read(ctx, 1, after)
			if err != nil {
				done <- err
				return
			}
			after = records[len(records)-1].Offset
			done <- nil
		}
	}()
	for n := range count {
		if _, err := s.Append(ctx, 1, stream.Batch{At: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatalf("record %d: %v", n+1, err)
		}
	}
}
