package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// ErrConflict means that somebody else wrote the incident meanwhile: read it
// again and decide anew.
var ErrConflict = errors.New("sqlstore: the incident was changed by another writer")

// ErrNotFound means that there is nothing under this name.
var ErrNotFound = errors.New("sqlstore: not found")

// Store reads and writes one database. It is safe for concurrent use.
type Store struct {
	db *sql.DB
}

// Open prepares the database, creating or upgrading its tables, and returns the
// store. The caller keeps and closes db.
func Open(ctx context.Context, db *sql.DB) (*Store, error) {
	s := &Store{db: db}
	if err := s.migrate(ctx); err != nil {
		return nil, fmt.Errorf("sqlstore: prepare the database: %w", err)
	}
	return s, nil
}

// schema lists the statements of each version; a database is brought up one
// version after the other.
var schema = [][]string{{
	`CREATE TABLE incident (
		tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL,
		PRIMARY KEY (tenant, id)) WITHOUT ROWID`,
	`CREATE TABLE timeline (
		tenant TEXT NOT NULL, incident TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL,
		PRIMARY KEY (tenant, incident, seq)) WITHOUT ROWID`,
	`CREATE TABLE outbox (
		id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
		due INTEGER NOT NULL, wake INTEGER, attempt INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'pending',
		done INTEGER, reason TEXT NOT NULL DEFAULT '', UNIQUE (tenant, key))`,
	`CREATE INDEX outbox_wake ON outbox (wake, id) WHERE wake IS NOT NULL`,
	`CREATE TABLE snapshot (
		tenant TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL,
		PRIMARY KEY (tenant, name)) WITHOUT ROWID`,
}}

func (s *Store) migrate(ctx context.Context) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS evenkeel_schema (version INTEGER NOT NULL)`); err != nil {
			return err
		}
		var have int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM evenkeel_schema`).Scan(&have); err != nil {
			return err
		}
		if have > len(schema) {
			return fmt.Errorf("the tables are of version %d, this program knows %d", have, len(schema))
		}
		for version := have; version < len(schema); version++ {
			for _, statement := range schema[version] {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO evenkeel_schema VALUES (?)`, version+1); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		if undo := tx.Rollback(); !errors.Is(undo, sql.ErrTxDone) { // a cancelled context has rolled back already
			err = errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

// The instants that a database holds: those of [time.Time.UnixNano].
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// nanos is how an instant is stored.
func nanos(t time.Time) (int64, error) {
	if t.IsZero() || t.Before(earliest) || t.After(latest) {
		return 0, fmt.Errorf("instant %v: want one from %d to %d", t, earliest.Year(), latest.Year())
	}
	return t.UnixNano(), nil
}

// Change is what one step changed. All of it is written, or nothing.
type Change struct {
	Tenant    string // required; nothing of another tenant is touched
	Incidents []Incident
	Outbox    []Message
	Snapshots map[string][]byte // by name; replaces the one before
	At        time.Time         // of the snapshots; required if there are any
}

// Incident is the new state of an incident and what its timeline gained.
type Incident struct {
	ID      string
	Version int64             // 0 for a new incident, else the version that was read
	State   json.RawMessage   // replaces the one before
	Entries []json.RawMessage // appended to the timeline
}

// Commit writes a change in one transaction. It returns ErrConflict, and writes
// nothing, when an incident does not have the expected version any more. A
// message whose key is already in the outbox is left as it is.
func (s *Store) Commit(ctx context.Context, c Change) error {
	if c.Tenant == "" {
		return errors.New("sqlstore: commit: tenant missing")
	}
	return s.transact(ctx, func(tx *sql.Tx) error {
		for _, i := range c.Incidents {
			if err := commitIncident(ctx, tx, c.Tenant, i); err != nil {
				return fmt.Errorf("incident %q: %w", i.ID, err)
			}
		}
		for _, m := range c.Outbox {
			if err := enqueue(ctx, tx, c.Tenant, m); err != nil {
				return fmt.Errorf("message %q: %w", m.Key, err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.Snapshots)) {
			at, err := nanos(c.At)
			if err != nil {
				return fmt.Errorf("snapshot %q: %w", name, err)
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO snapshot (tenant, name, at, data) VALUES (?, ?, ?, ?)
				ON CONFLICT (tenant, name) DO UPDATE SET at = excluded.at, data = excluded.data`,
				c.Tenant, name, at, c.Snapshots[name])
			if err != nil {
				return fmt.Errorf("snapshot %q: %w", name, err)
			}
		}
		return nil
	})
}

func commitIncident(ctx context.Context, tx *sql.Tx, tenant string, i Incident) error {
	if i.ID == "" || !json.Valid(i.State) {
		return errors.New("want an id and a state of valid JSON")
	}
	var result sql.Result
	var err error
	if i.Version == 0 {
		result, err = tx.ExecContext(ctx, `INSERT INTO incident (tenant, id, version, data) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING`,
			tenant, i.ID, string(i.State))
	} else {
		result, err = tx.ExecContext(ctx, `UPDATE incident SET version = version + 1, data = ? WHERE tenant = ? AND id = ? AND version = ?`,
			string(i.State), tenant, i.ID, i.Version)
	}
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return ErrConflict
	}
	for _, entry := range i.Entries {
		if !json.Valid(entry) {
			return errors.New("a timeline entry is not valid JSON")
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO timeline (tenant, incident, seq, data)
			SELECT ?, ?, coalesce(max(seq), 0) + 1, ? FROM timeline WHERE tenant = ? AND incident = ?`,
			tenant, i.ID, string(entry), tenant, i.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// Incident reads the state of an incident and its version, or ErrNotFound. The
// timeline is not read.
func (s *Store) Incident(ctx context.Context, tenant, id string) (Incident, error) {
	i := Incident{ID: id}
	var data string
	err := s.db.QueryRowContext(ctx, `SELECT version, data FROM incident WHERE tenant = ? AND id = ?`, tenant, id).Scan(&i.Version, &data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Incident{}, fmt.Errorf("incident %q: %w", id, err)
	}
	i.State = json.RawMessage(data)
	return i, nil
}

// Incidents lists the ids of a tenant's incidents in order.
func (s *Store) Incidents(ctx context.Context, tenant string) ([]string, error) {
	return texts(s.db.QueryContext(ctx, `SELECT id FROM incident WHERE tenant = ? ORDER BY id`, tenant))
}

// Timeline reads the entries of an incident in the order in which they were
// appended. One that is not there has none.
func (s *Store) Timeline(ctx context.Context, tenant, incident string) ([]json.RawMessage, error) {
	all, err := texts(s.db.QueryContext(ctx, `SELECT data FROM timeline WHERE tenant = ? AND incident = ? ORDER BY seq`, tenant, incident))
	entries := make([]json.RawMessage, len(all))
	for i, text := range all {
		entries[i] = json.RawMessage(text)
	}
	return entries, err
}

func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// Snapshot reads the latest snapshot of a name and its instant, or ErrNotFound.
func (s *Store) Snapshot(ctx context.Context, tenant, name string) (data []byte, at time.Time, err error) {
	var stored int64
	err = s.db.QueryRowContext(ctx, `SELECT at, data FROM snapshot WHERE tenant = ? AND name = ?`, tenant, name).Scan(&stored, &data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("snapshot %q: %w", name, err)
	}
	return data, time.Unix(0, stored).UTC(), nil
}
