package streams

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// TestPostgresClockJumps puts the clock of a PostgreSQL back, by less and by more than a lease, and forward. A small step back
// takes no partition from a node that may live; after a great one a lease of before is over, and whoever held it is fenced.
func TestPostgresClockJumps(t *testing.T) {
	if err := rig.LookPostgres(); err != nil {
		t.Skipf("PostgreSQL 15 is not installed: %v", err)
	}
	if _, err := rig.LookFaketime(); err != nil {
		t.Skipf("libfaketime is not installed (Debian: faketime): %v; TestClockJumps of adapters/stream/sqlite runs everywhere", err)
	}
	ctx := t.Context()
	port, err := rig.OddPort(ctx)
	if err != nil {
		t.Fatal(err)
	}
	servers.mu.Lock()
	dir := folder(t) // into which the user postgres may go
	servers.mu.Unlock()
	p, err := rig.StartPostgresClock(ctx, dir, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	db, err := sql.Open("pgx", p.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := postgres.Open(ctx, db, nil)
	if err != nil {
		t.Fatal(err)
	}
	const ttl = time.Minute // more than the test takes
	set := func(offset time.Duration) {
		t.Helper()
		if err := p.SetClock(offset); err != nil {
			t.Fatal(err)
		}
		var now time.Time
		if err := db.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
			t.Fatal(err)
		}
		if off := time.Until(now) - offset; off.Abs() > 5*time.Second {
			t.Fatalf("the clock of the server is %v from where it was set", off)
		}
	}
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
	set(0)
	join("a", "a")
	claim("a", 1)
	set(-ttl / 2) // less than a lease: it lasts
	join("b", "a", "b")
	claim("b", 0)
	set(-2 * time.Hour) // and this is more
	join("c", "c")
	claim("c", 2)
	join("a", "a", "c") // it lives, and says so by the new time
	claim("a", 0)
	if err := s.Save(ctx, 3, 1, stream.Snapshot{Offset: 1}); !errors.Is(err, stream.ErrFenced) {
		t.Errorf("the owner before the jump saves: %v, want ErrFenced", err)
	}
	set(-ttl / 2) // b died before the clock was put back, and is not alive again
	join("a", "a")
	claim("a", 3)
	set(22 * time.Hour)
	join("a", "a")
	claim("a", 4)
}
