// Package streams tests the stores of adapters/stream against real servers, NATS with JetStream and PostgreSQL, with nodes in
// processes of their own that are killed and stopped.
package streams

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/nats-io/nats.go"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/jetstream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/internal/itest/natsd"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// TestMain runs the tests, or is a server or a node where a test has started this program again.
func TestMain(m *testing.M) {
	if natsd.Main() {
		return
	}
	if os.Getenv(nodeEnv) != "" {
		if err := node(); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	ctx := context.Background()
	if servers.nats != nil {
		servers.nats.Stop()
	}
	if servers.postgres != nil {
		if err := servers.postgres.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	for _, dir := range servers.dirs {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// servers are shared by all tests and started by the first that needs one.
var servers struct {
	mu       sync.Mutex // guards the others
	dirs     []string
	nats     *natsd.Server
	postgres *rig.Postgres
	names    atomic.Int64 // of prefixes and schemas
}

// natsURL is the address of the NATS server.
func natsURL(t *testing.T) string {
	t.Helper()
	servers.mu.Lock()
	defer servers.mu.Unlock()
	if servers.nats == nil {
		var err error
		if servers.nats, err = natsd.Start(context.WithoutCancel(t.Context()), os.Stderr, folder(t)); err != nil {
			t.Fatal(err)
		}
	}
	return servers.nats.URL
}

// cluster is the PostgreSQL. It skips the test where PostgreSQL is not installed, and fails it in CI, where it must be.
func cluster(t *testing.T) *rig.Postgres {
	t.Helper()
	if err := rig.LookPostgres(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL 15: %v", err)
		}
		t.Skipf("PostgreSQL 15 is not installed: %v", err)
	}
	servers.mu.Lock()
	defer servers.mu.Unlock()
	if servers.postgres == nil {
		ctx := context.WithoutCancel(t.Context())
		port, err := rig.OddPort(ctx)
		if err == nil {
			servers.postgres, err = rig.StartPostgres(ctx, folder(t), port, "max_connections=300")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return servers.postgres
}

// folder makes one that stays until the end of all tests.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "evenkeel-streams") //nolint:usetesting // t.TempDir ends with the test
	if err != nil {
		t.Fatal(err)
	}
	servers.dirs = append(servers.dirs, dir)
	return dir
}

// address says where a store is.
type address struct {
	System string // "jetstream" or "postgres"
	URL    string
	Prefix string // of JetStream
}

// systems are the stores under test; each call makes a new, empty place.
var systems = map[string]func(t *testing.T) address{
	"jetstream": func(t *testing.T) address {
		t.Helper()
		return address{"jetstream", natsURL(t), fmt.Sprint("test", servers.names.Add(1))}
	},
	"postgres": func(t *testing.T) address {
		t.Helper()
		p := cluster(t)
		name := fmt.Sprintf("test%d", servers.names.Add(1))
		db, err := sql.Open("pgx", p.DSN("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
			t.Fatal(err)
		}
		return address{System: "postgres", URL: p.DSN("postgres?search_path=" + name)}
	},
}

// opened is a store and its outbox.
type opened struct {
	stream.Store
	outbox stream.Outbox
}

// open connects to a store. The function that is returned ends the connection.
func (a address) open(ctx context.Context) (opened, func(), error) {
	if a.System == "postgres" {
		db, err := sql.Open("pgx", a.URL)
		if err != nil {
			return opened{}, nil, err
		}
		db.SetMaxOpenConns(30)
		db.SetMaxIdleConns(30)
		s, err := postgres.Open(ctx, db, nil)
		if err != nil {
			return opened{}, nil, errors.Join(err, db.Close())
		}
		return opened{s, s.Outbox()}, func() { db.Close() }, nil
	}
	nc, err := nats.Connect(a.URL)
	if err != nil {
		return opened{}, nil, err
	}
	s, err := jetstream.Open(ctx, nc, &jetstream.Options{Prefix: a.Prefix})
	if err != nil {
		nc.Close()
		return opened{}, nil, err
	}
	return opened{s, s.Outbox()}, func() { s.Close(); nc.Close() }, nil
}

// mustOpen is open for as long as a test runs.
func (a address) mustOpen(t *testing.T) opened {
	t.Helper()
	s, end, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return s
}

// eventually polls until ok returns no error.
func eventually(t *testing.T, within time.Duration, ok func() error) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("not within %v: %v", within, err)
		case <-tick.C:
		}
	}
}
