// Package database opens the database that a program was told of: a file of SQLite for
// one machine, or PostgreSQL for several.
package database

import (
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver of files
)

// Open opens a URL of PostgreSQL, such as postgres://user@host/name, or else a file of
// SQLite, which is made where there is none. Nobody is asked for anything yet.
func Open(name string) (*sql.DB, error) {
	if OnServer(name) {
		return openServer(name)
	}
	return OpenFile(name)
}

// OnServer reports whether a name is a URL of PostgreSQL, and no file.
func OnServer(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

func openServer(url string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the URL of PostgreSQL cannot be read") // it may hold a password
	}
	db := stdlib.OpenDB(*config)
	// All partitions of a log of alerts want one at once when a node starts; the server
	// has 100.
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	return db, nil
}

// OpenFile opens a file of SQLite, of which every commit is on disk, with further
// settings such as "cache_size(-32000)".
func OpenFile(name string, pragmas ...string) (*sql.DB, error) {
	var more strings.Builder
	for _, p := range pragmas {
		more.WriteString("&_pragma=" + p)
	}
	db, err := sql.Open("sqlite", "file:"+name+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)"+more.String()+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // there is one writer, and who waits here waits in turn
	return db, nil
}
