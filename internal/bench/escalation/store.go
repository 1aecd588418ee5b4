package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
)

// burst is the number of timers that are due at one instant.
const burst = 5000

// systems are the databases, with the words of the names of pairs.
var systems = []string{"sqlite_full", "sqlite_normal", "postgres"}

// fresh returns the address of an empty database.
func (b *bench) fresh(ctx context.Context, system string) (string, error) {
	b.databases++
	if system != "postgres" {
		return fmt.Sprintf("file:%s?_pragma=journal_mode(WAL)&_pragma=synchronous(%s)&_pragma=busy_timeout(10000)&_txlock=immediate",
			filepath.Join(b.dir, fmt.Sprintf("%d.db", b.databases)), strings.ToUpper(strings.TrimPrefix(system, "sqlite_"))), nil
	}
	db, err := open(system, b.postgres.DSN("postgres"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	name := fmt.Sprintf("bench%d", b.databases)
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+name)
	return b.postgres.DSN(name), err
}

func open(system, dsn string) (*sql.DB, error) {
	if system == "postgres" {
		return sql.Open("pgx", dsn)
	}
	db, err := sql.Open("sqlite", dsn)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// prepared is an open store.
type prepared struct {
	*sqlstore.Store
	db *sql.DB
}

func (b *bench) prepare(ctx context.Context, system string) (*prepared, error) {
	dsn, err := b.fresh(ctx, system)
	if err != nil {
		return nil, err
	}
	db, err := open(system, dsn)
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.Open(ctx, db, nil)
	return &prepared{store, db}, err
}

// schedule stores n timers that are due at an instant.
func schedule(ctx context.Context, timers escalation.Timers, n int, name string, due time.Time) error {
	tasks := make([]escalation.Task, n)
	for i := range tasks {
		tasks[i] = escalation.Task{Tenant: "acme", Key: fmt.Sprintf("acme/INC-%s-%d/1/L1", name, i), Kind: "set_timer", Due: due, Payload: []byte(`{"level":1}`)}
	}
	return timers.Schedule(ctx, tasks...)
}

// lateness collects how late timers were handled.
type lateness struct {
	mu  sync.Mutex
	all []time.Duration // guarded by mu
}

func (l *lateness) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

// drain runs a runner until n timers are completed and returns the instant of the last.
func drain(ctx context.Context, c runner.Config, n int) (time.Time, error) {
	r, err := runner.New(c)
	if err != nil {
		return time.Time{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for r.Stats().Completed < uint64(n) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	end, interrupted := time.Now(), ctx.Err()
	stop()
	return end, errors.Join(interrupted, <-done)
}
