package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	"github.com/nats-io/nats.go"
	_ "modernc.org/sqlite" // the driver of files

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/jetstream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/adapters/stream/sqlite"
)

// storage is what survives a crash: the log of alerts with its outbox, and the
// database of incidents, requests and tickets.
type storage struct {
	log   stream.Store
	heard stream.Outbox
	store *sqlstore.Store
	close []func()
}

// openStorage opens a file of SQLite for one machine, or PostgreSQL for several. The
// log may be on NATS JetStream instead. Without a database there is a file that is
// gone afterwards.
func openStorage(ctx context.Context, b config.Bridge) (_ *storage, err error) {
	s := &storage{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	server := onServer(b.Database)
	db, err := s.openDatabase(b.Database, server)
	if err != nil {
		return nil, err
	}
	if s.store, err = sqlstore.Open(ctx, db, nil); err != nil {
		return nil, err
	}
	switch {
	case b.Stream != "":
		nc, err := nats.Connect(b.Stream, nats.Name("evenkeel bridge"), nats.MaxReconnects(-1))
		if err != nil {
			return nil, err
		}
		s.close = append(s.close, nc.Close)
		log, err := jetstream.Open(ctx, nc, nil)
		if err != nil {
			return nil, err
		}
		s.log, s.heard = log, log.Outbox()
	case server:
		log, err := postgres.Open(ctx, db, nil)
		if err != nil {
			return nil, err
		}
		s.log, s.heard = log, log.Outbox()
	default:
		log, err := sqlite.Open(ctx, db, nil)
		if err != nil {
			return nil, err
		}
		s.log, s.heard = log, log.Outbox()
	}
	return s, nil
}

// onServer reports whether a database is one of PostgreSQL, and no file.
func onServer(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

func (s *storage) openDatabase(name string, server bool) (*sql.DB, error) {
	driver := "pgx"
	if !server {
		if name == "" {
			folder, err := os.MkdirTemp("", "bridge-")
			if err != nil {
				return nil, err
			}
			s.close = append(s.close, func() { os.RemoveAll(folder) })
			name = filepath.Join(folder, "bridge.db")
		}
		driver, name = "sqlite", "file:"+name+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		if server {
			return nil, errors.New("database: the URL of PostgreSQL cannot be read") // it may hold a password
		}
		return nil, err
	}
	if !server {
		db.SetMaxOpenConns(1) // there is one writer, and who waits here waits in turn
	}
	s.close = append(s.close, func() { db.Close() })
	return db, nil
}

// Close closes everything, the last first.
func (s *storage) Close() {
	for _, do := range slices.Backward(s.close) {
		do()
	}
}
