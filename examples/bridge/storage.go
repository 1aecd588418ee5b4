package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/jetstream"
	"github.com/evenkeelops/evenkeel/adapters/stream/postgres"
	"github.com/evenkeelops/evenkeel/adapters/stream/sqlite"
	"github.com/evenkeelops/evenkeel/examples/internal/database"
)

// storage is what survives a crash: the log of alerts, and the database of incidents,
// requests and tickets.
type storage struct {
	log   stream.Store
	store *sqlstore.Store
	close []func()
}

// openStorage opens files of SQLite for one machine, or PostgreSQL for several. The
// log may be on NATS JetStream instead. In a file of its own the log has a writer of
// its own, so that an alert is taken at once, however much others before it have to be
// told. Without a database there are files that are gone afterwards.
func openStorage(ctx context.Context, b config.Bridge) (_ *storage, err error) {
	s := &storage{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	server, file := database.OnServer(b.Database), b.Database
	if file == "" {
		folder, err := os.MkdirTemp("", "bridge-")
		if err != nil {
			return nil, err
		}
		s.close = append(s.close, func() { os.RemoveAll(folder) })
		file = filepath.Join(folder, "bridge.db")
	}
	open := s.openFile
	if server {
		open = func(url string) (*sql.DB, error) { return s.opened(database.Open(url)) }
	}
	db, err := open(file)
	if err != nil {
		return nil, err
	}
	if s.store, err = sqlstore.Open(ctx, db, nil); err != nil {
		return nil, err
	}
	switch {
	case b.Stream != "":
		nc, err := nats.Connect(b.Stream, nats.Name("evenkeel bridge"), nats.MaxReconnects(-1),
			nats.PingInterval(5*time.Second)) // so that a network that drops everything is noticed in 15 s and not in 6 minutes
		if _, unread := errors.AsType[*url.Error](err); unread {
			return nil, errors.New("stream: the URL of NATS cannot be read") // it may hold a password
		}
		if err != nil {
			return nil, fmt.Errorf("stream: %w", err)
		}
		s.close = append(s.close, nc.Close)
		log, err := jetstream.Open(ctx, nc, nil)
		if err != nil {
			return nil, err
		}
		s.log, s.close = log, append(s.close, log.Close)
		return s, nil
	case server:
		s.log, err = postgres.Open(ctx, db, nil)
		return s, err
	default:
		if db, err = s.openFile(file + ".alerts"); err == nil {
			s.log, err = sqlite.Open(ctx, db, &sqlite.Options{Poll: 500 * time.Millisecond}) // of what other processes write
		}
		return s, err
	}
}

// opened closes a database in its turn.
func (s *storage) opened(db *sql.DB, err error) (*sql.DB, error) {
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	s.close = append(s.close, func() { db.Close() })
	return db, nil
}

// openFile opens a file whose write-ahead log takes 4 MB of the disk: after 1,000 pages, the default, it is
// used again, and what one transaction adds is given back. A log of 32 MB is not faster.
func (s *storage) openFile(name string) (*sql.DB, error) {
	return s.opened(database.OpenFile(name, "journal_size_limit(4194304)", "cache_size(-32000)"))
}

// Close closes everything, the last first.
func (s *storage) Close() {
	for _, do := range slices.Backward(s.close) {
		do()
	}
}
