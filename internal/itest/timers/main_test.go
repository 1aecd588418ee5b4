// Package timers tests the durable timers and the playbooks of adapters/sqlstore against a real PostgreSQL and real SQLite
// files, with processes that are killed, stopped and raced.
package timers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/internal/itest/rig"
)

// TestMain runs the tests, or is a worker where a test has started this program again.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		if err := worker(); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(stagehandEnv) != "" {
		if err := stagehand(); err != nil {
			fmt.Fprintln(os.Stderr, "stagehand:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if cluster.dir != "" {
		if cluster.postgres != nil {
			if err := cluster.postgres.Stop(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		if err := os.RemoveAll(cluster.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// cluster is the PostgreSQL of all tests, started by the first that needs it.
var cluster struct {
	once     sync.Once
	dir      string
	postgres *rig.Postgres
	err      error
	names    atomic.Int64 // schemas made
}

// postgres returns the cluster. It skips the test where PostgreSQL is not installed, and fails it in CI, where it must be.
func postgres(t *testing.T) *rig.Postgres {
	t.Helper()
	if err := rig.LookPostgres(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL 15: %v", err)
		}
		t.Skipf("PostgreSQL 15 is not installed: %v", err)
	}
	cluster.once.Do(func() {
		cluster.err = startCluster(context.WithoutCancel(t.Context()))
	})
	if cluster.err != nil {
		t.Fatalf("start PostgreSQL: %v", cluster.err)
	}
	return cluster.postgres
}

// startCluster starts what all tests share, beyond the end of the first.
func startCluster(ctx context.Context) error {
	port, err := rig.OddPort(ctx)
	if err != nil {
		return err
	}
	if cluster.dir, err = os.MkdirTemp("", "evenkeel-postgres"); err != nil {
		return err
	}
	cluster.postgres, err = rig.StartPostgres(ctx, cluster.dir, port)
	return err
}

// system is a database system under test.
type system struct {
	name string
	make func(t *testing.T) (dsn string) // an empty database, or a schema of one
}

func systems() []system {
	return []system{
		{"sqlite", func(t *testing.T) string {
			t.Helper()
			// SQLite does not let waiting writers in by turns: where all write without a
			// pause on a busy disk, one may wait for long.
			return "file:" + filepath.Join(t.TempDir(), "x.db") +
				"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(60000)&_txlock=immediate"
		}},
		{"postgres", func(t *testing.T) string {
			t.Helper()
			p := postgres(t)
			db := connect(t, "postgres", p.DSN("postgres"))
			name := fmt.Sprintf("test%d", cluster.names.Add(1))
			if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
				t.Fatal(err)
			}
			return p.DSN("postgres?search_path=" + name)
		}},
	}
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, run func(t *testing.T, system, dsn string)) {
	t.Helper()
	for _, s := range systems() {
		t.Run(s.name, func(t *testing.T) { run(t, s.name, s.make(t)) })
	}
}

func connect(t *testing.T, system, dsn string) *sql.DB {
	t.Helper()
	db, err := dial(system, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func dial(system, dsn string) (*sql.DB, error) {
	if system == "postgres" {
		return sql.Open("pgx", dsn)
	}
	db, err := sql.Open("sqlite", dsn)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

func openStore(t *testing.T, system, dsn string, o *sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), connect(t, system, dsn), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventually polls until ok holds.
func eventually(t *testing.T, within time.Duration, what string, ok func() (bool, error)) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var err error
	for {
		var done bool
		if done, err = ok(); done {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("no %s within %v: %v", what, within, errors.Join(err))
		case <-tick.C:
		}
	}
}
