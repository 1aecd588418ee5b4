package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrConflict means that somebody else wrote the incident meanwhile: read it
// again and decide anew.
var ErrConflict = errors.New("sqlstore: the incident was changed by another writer")

// ErrNotFound means that there is nothing under this name.
var ErrNotFound = errors.New("sqlstore: not found")

// Store reads and writes one database. It is safe for concurrent use.
type Store struct {
	db      *sql.DB
	dialect Dialect
	now     func() time.Time // nil: see clock
	timers  *Queue
	outbox  *Queue

	lockIncident, insertIncident, updateIncident, appendEntry, putSnapshot string // statements
	incident, incidents, changes, timeline, snapshot                       string
	lockBundle, bundleIDs, lockedSnapshot, newSnapshot                     string
	lockAll, entriesOfAll, insertAll, updateAll, appendAll                 string // of many incidents
	readWhole, eraseEntry                                                  string // of [Incidents]
	sumLoads, addLoad, takeLoads                                           string
}

// Options are what [Open] may be told.
type Options struct {
	// Dialect is the kind of database. Defaults to what a query finds out.
	Dialect Dialect

	// Now is the clock by which tasks are due, in all processes the same. Defaults
	// to that of the server on PostgreSQL and to time.Now on SQLite.
	Now func() time.Time
}

// Open prepares the database, creating or upgrading its tables, and returns the
// store. The caller keeps and closes db. Options may be nil.
func Open(ctx context.Context, db *sql.DB, o *Options) (*Store, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Store{db: db, dialect: o.Dialect, now: o.Now}
	var err error
	if s.dialect == 0 {
		s.dialect, err = detect(ctx, db)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlstore: prepare the database: %w", err)
	}
	s.timers, s.outbox = newQueue(s, "timer"), newQueue(s, "outbox")
	text := s.dialect.text
	s.lockIncident = text(`SELECT version, data FROM incident WHERE tenant = $1 AND id = $2 {lock}`)
	s.insertIncident = text(`INSERT INTO incident (tenant, id, version, data, leader, changed) VALUES ($1, $2, 1, $3, $4, {turn}) ON CONFLICT DO NOTHING`)
	s.updateIncident = text(`UPDATE incident SET version = version + 1, data = $1, leader = $5, changed = {turn} WHERE tenant = $2 AND id = $3 AND version = $4`)
	s.appendEntry = text(`INSERT INTO timeline (tenant, incident, seq, data)
		SELECT $1, $2, coalesce(max(seq), 0) + 1, $3 FROM timeline WHERE tenant = $1 AND incident = $2`)
	s.putSnapshot = text(`INSERT INTO snapshot (tenant, name, at, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, name) DO UPDATE SET at = excluded.at, data = excluded.data`)
	s.incident = text(`SELECT version, data FROM incident WHERE tenant = $1 AND id = $2`)
	s.incidents = text(`SELECT id FROM incident WHERE tenant = $1 ORDER BY id`)
	s.changes = text(`SELECT '', '', {next} UNION ALL SELECT tenant, id, changed FROM incident WHERE changed >= $1 ORDER BY 3, 1, 2`)
	s.timeline = text(`SELECT data FROM timeline WHERE tenant = $1 AND incident = $2 ORDER BY seq`)
	s.snapshot = text(`SELECT at, data FROM snapshot WHERE tenant = $1 AND name = $2`)
	// In one query SQLite would rather read all of the tenant than look up each row.
	s.lockBundle = text(`SELECT id, version, data FROM incident WHERE tenant = $1 AND id IN
		(SELECT id FROM incident WHERE tenant = $1 AND leader = $2) ORDER BY id {lock}`)
	s.bundleIDs = text(`SELECT id FROM incident WHERE tenant = $1 AND leader = $2 ORDER BY id`)
	s.lockedSnapshot = text(`SELECT data FROM snapshot WHERE tenant = $1 AND name = $2 {lock}`)
	s.newSnapshot = text(`INSERT INTO snapshot (tenant, name, at, data) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING`)
	// The rows carry the tenant: with a constant one SQLite goes through all that the
	// tenant has, once for each row. CROSS JOIN has it look up each row, in this order.
	const rows = `{rows $1 of_tenant text, of_id text, of_version bigint, of_n bigint, of_text text}`
	s.lockAll = text(`SELECT id, version, data FROM ` + rows + ` CROSS JOIN incident WHERE tenant = of_tenant AND id = of_id ORDER BY id {lock}`)
	s.entriesOfAll = text(`SELECT incident, seq, data FROM ` + rows + ` CROSS JOIN timeline WHERE tenant = of_tenant AND incident = of_id ORDER BY incident, seq`)
	s.insertAll = text(`INSERT INTO incident (tenant, id, version, data, changed) SELECT of_tenant, of_id, 1, of_text, {turn} FROM ` + rows + `
		WHERE true ON CONFLICT DO NOTHING RETURNING id`)
	s.updateAll = text(`UPDATE incident SET version = version + 1, data = of_text, leader = NULL, changed = {turn} FROM ` + rows + `
		WHERE tenant = of_tenant AND id = of_id AND version = of_version RETURNING id`)
	s.appendAll = text(`INSERT INTO timeline (tenant, incident, seq, data)
		SELECT of_tenant, of_id, of_n + coalesce((SELECT max(seq) FROM timeline WHERE tenant = of_tenant AND incident = of_id), 0), of_text FROM ` + rows)
	// One statement sees one state of the database, so row and timeline fit.
	s.readWhole = text(`SELECT 0, version, data FROM incident WHERE tenant = $1 AND id = $2
		UNION ALL SELECT seq, 0, data FROM timeline WHERE tenant = $1 AND incident = $2 ORDER BY 1`)
	s.eraseEntry = text(`UPDATE timeline SET data = $4 WHERE tenant = $1 AND incident = $2 AND seq = $3`)
	s.sumLoads = text(`SELECT person, CAST(sum(open) AS {int}), max(paged), count(*) FROM load WHERE tenant = $1 GROUP BY person`)
	s.addLoad = text(`INSERT INTO load (tenant, person, open, paged) VALUES ($1, $2, $3, $4)`)
	s.takeLoads = text(`DELETE FROM load WHERE {row} {among}(SELECT {row} FROM load WHERE tenant = $1 AND person = $2 {skip}){/among} RETURNING open, paged`)
	return s, nil
}

// Dialect returns the kind of database.
func (s *Store) Dialect() Dialect { return s.dialect }

// Timers returns the queue of timers.
func (s *Store) Timers() *Queue { return s.timers }

// Outbox returns the queue of messages to be sent.
func (s *Store) Outbox() *Queue { return s.outbox }

// Incident reads the state of an incident and its version, or ErrNotFound. The
// timeline is not read.
func (s *Store) Incident(ctx context.Context, tenant, id string) (Incident, error) {
	return readIncident(id, s.db.QueryRowContext(ctx, s.incident, tenant, id))
}

func readIncident(id string, found *sql.Row) (Incident, error) {
	i := Incident{ID: id}
	var data string
	err := found.Scan(&i.Version, &data)
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
	return texts(s.db.QueryContext(ctx, s.incidents, tenant))
}

// Timeline reads the entries of an incident in the order in which they were
// appended. One that is not there has none.
func (s *Store) Timeline(ctx context.Context, tenant, incident string) ([]json.RawMessage, error) {
	all, err := texts(s.db.QueryContext(ctx, s.timeline, tenant, incident))
	entries := make([]json.RawMessage, len(all))
	for i, text := range all {
		entries[i] = json.RawMessage(text)
	}
	return entries, err
}

func texts(found *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return scan(found, func(text *string) []any { return []any{text} })
}

// Snapshot reads the latest snapshot of a name and its instant, or ErrNotFound.
func (s *Store) Snapshot(ctx context.Context, tenant, name string) (data []byte, at time.Time, err error) {
	var stored int64
	err = s.db.QueryRowContext(ctx, s.snapshot, tenant, name).Scan(&stored, &data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("snapshot %q: %w", name, err)
	}
	return data, instant(stored), nil
}
