package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/sqlite"
	"github.com/evenkeelops/evenkeel/adapters/stream/streamtest"
	"github.com/evenkeelops/evenkeel/correlation"
)

// open opens a database in a file.
func open(tb testing.TB, file string, o *sqlite.Options) *sqlite.Store {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	store, err := sqlite.Open(tb.Context(), db, o)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

// fresh opens an empty store.
func fresh(tb testing.TB) *sqlite.Store {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "a.db"), nil)
}

func TestStore(t *testing.T) {
	streamtest.Test(t, func(t *testing.T) streamtest.Store {
		t.Helper()
		return streamtest.Store{Store: fresh(t), TTL: time.Second}
	})
}

func TestOutbox(t *testing.T) {
	streamtest.TestOutbox(t, func(t *testing.T) stream.Outbox {
		t.Helper()
		return fresh(t).Outbox()
	})
}

// note is a notification with a key.
func note(key string) stream.Notification {
	return stream.Notification{Key: key, Transition: correlation.Transition{Kind: correlation.Notify}}
}

// Two stores on one file are two processes: what one writes the other reads, and a
// partition has one owner.
func TestTwoProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	a, b := open(t, file, nil), open(t, file, nil)
	ctx := t.Context()
	for _, s := range []*sqlite.Store{a, b} {
		if _, err := s.Join(ctx, fmt.Sprintf("%p", s), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if epoch, err := a.Claim(ctx, 3, fmt.Sprintf("%p", a)); err != nil || epoch != 1 {
		t.Fatal(epoch, err)
	}
	if epoch, err := b.Claim(ctx, 3, fmt.Sprintf("%p", b)); err != nil || epoch != 0 {
		t.Fatalf("epoch %d, %v, want none: it has an owner", epoch, err)
	}
	done := make(chan error)
	go func() {
		records, err := b.Read(ctx, 3, 0)
		if err == nil && len(records) != 1 {
			err = fmt.Errorf("%d records, want 1", len(records))
		}
		done <- err
	}()
	if _, err := a.Append(ctx, 3, stream.Batch{ID: "x", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Everything is there after the file was closed and opened again.
func TestReopened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	ctx := t.Context()
	first := open(t, file, nil)
	if _, err := first.Append(ctx, 7, stream.Batch{ID: "x", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := first.Outbox().Put(ctx, []stream.Notification{note("k")}); err != nil {
		t.Fatal(err)
	}
	again := open(t, file, nil)
	if records, err := again.Read(ctx, 7, 0); err != nil || len(records) != 1 {
		t.Errorf("%d records, %v, want 1", len(records), err)
	}
	if offset, err := again.Append(ctx, 7, stream.Batch{ID: "x", At: time.Now()}); err != nil || offset != 1 {
		t.Errorf("the same ID is at %d, %v, want 1", offset, err)
	}
	if entries, err := again.Outbox().Read(ctx, 0); err != nil || len(entries) != 1 || entries[0].Key != "k" {
		t.Errorf("%v, %v, want the one that was put", entries, err)
	}
}

// The outbox forgets what is older than its age.
func TestOutboxAge(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	store := open(t, filepath.Join(t.TempDir(), "a.db"), &sqlite.Options{OutboxAge: time.Hour, Now: func() time.Time { return now }})
	box, ctx := store.Outbox(), t.Context()
	for _, key := range []string{"a", "b", "c"} {
		if err := box.Put(ctx, []stream.Notification{note(key)}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(40 * time.Minute)
	}
	entries, err := box.Read(ctx, 0)
	if err != nil || len(entries) != 2 || entries[0].Key != "b" {
		t.Errorf("%v, %v, want b and c: a is 80 minutes old", entries, err)
	}
}

// A node on SQLite says what it should of a storm, and ends.
func TestNode(t *testing.T) {
	store := fresh(t)
	storm := streamtest.NewStorm(1, 2000, 4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	box := store.Outbox()
	node, err := stream.New(storm.Node(store, "one", box.Put))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- node.Run(ctx) }()
	if err := storm.Append(ctx, store, 0, 2000); err != nil {
		t.Fatal(err)
	}
	if err := storm.Finish(ctx, store); err != nil {
		t.Fatal(err)
	}
	if err := storm.Once(ctx, box); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v, want the error of its context", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	store := fresh(b)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if _, err := store.Append(b.Context(), n%stream.Partitions, stream.Batch{At: time.Now()}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
