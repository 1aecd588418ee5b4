package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/stream"
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
		_, err := tx.ExecContext(ctx, `INSERT INTO stream_node VALUES ('a', 1)`)
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
