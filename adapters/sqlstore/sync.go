package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/sync"
)

// Syncs keeps the records of package sync. It is safe for concurrent use, in any
// number of processes.
type Syncs struct {
	store *Store

	load, insert, update, refer, touch, lookup, due, cursor, saveCursor string // statements
}

var _ sync.Store = (*Syncs)(nil)

// Syncs returns the records of the store.
func (s *Store) Syncs() *Syncs {
	text := s.dialect.text
	return &Syncs{
		store:  s,
		load:   text(`SELECT revision, touches, due, data FROM sync_record WHERE tenant = $1 AND id = $2`),
		insert: text(`INSERT INTO sync_record (tenant, id, revision, touches, due, leased, data) VALUES ($1, $2, 1, $3, $4, $5, $6) ON CONFLICT DO NOTHING`),
		// What was touched since it was loaded stays due at the touch.
		update: text(`UPDATE sync_record SET revision = revision + 1, leased = $5, data = $6,
			due = CASE WHEN touches = $3 THEN CAST($4 AS {int}) WHEN CAST($4 AS {int}) IS NULL OR due < $4 THEN due ELSE $4 END
			WHERE tenant = $1 AND id = $2 AND revision = $7`),
		refer: text(`INSERT INTO sync_ref (side, provider, owner, ref, tenant, id) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (side, provider, owner, ref) DO UPDATE SET tenant = excluded.tenant, id = excluded.id`),
		touch: text(`UPDATE sync_record SET touches = touches + 1, due = CASE WHEN due IS NULL OR due > $3 THEN $3 ELSE due END
			WHERE tenant = $1 AND id = $2`),
		lookup:     text(`SELECT tenant, id FROM sync_ref WHERE side = $1 AND provider = $2 AND owner = $3 AND ref = $4`),
		due:        text(`SELECT tenant, id FROM sync_record WHERE due <= $1 AND (leased IS NULL OR leased <= $1) ORDER BY due, tenant, id LIMIT $2`),
		cursor:     text(`SELECT cursor FROM sync_cursor WHERE side = $1`),
		saveCursor: text(`INSERT INTO sync_cursor (side, cursor) VALUES ($1, $2) ON CONFLICT (side) DO UPDATE SET cursor = excluded.cursor`),
	}
}

// Load returns a record, as [sync.Store] says.
func (s *Syncs) Load(ctx context.Context, id sync.ID) (sync.Record, bool, error) {
	var r sync.Record
	var revision, touches int64
	var due sql.NullInt64
	var data string
	switch err := s.store.db.QueryRowContext(ctx, s.load, id.Tenant, id.Incident).Scan(&revision, &touches, &due, &data); {
	case errors.Is(err, sql.ErrNoRows):
		return r, false, nil
	case err != nil:
		return r, false, syncError("load", id, err)
	}
	if err := json.Unmarshal([]byte(data), &r); err != nil {
		return r, false, syncError("load", id, err)
	}
	r.Revision, r.Touches, r.Due = revision, touches, time.Time{}
	if due.Valid {
		r.Due = instant(due.Int64)
	}
	return r, true, nil
}

// Save replaces a record, as [sync.Store] says.
func (s *Syncs) Save(ctx context.Context, r sync.Record) error {
	id := sync.ID{Tenant: r.Tenant, Incident: r.ID}
	data, err := json.Marshal(r)
	if err != nil {
		return syncError("save", id, err)
	}
	return syncError("save", id, s.store.transact(ctx, func(tx *sql.Tx) error {
		args := []any{r.Tenant, r.ID, r.Touches, orNull(r.Due), orNull(r.Leased), string(data)}
		statement := s.insert
		if r.Revision != 0 {
			statement, args = s.update, append(args, r.Revision)
		}
		switch n, err := affected(tx.ExecContext(ctx, statement, args...)); {
		case err != nil:
			return err
		case n == 0:
			return sync.ErrConflict
		}
		for side, st := range r.Sides {
			for _, ref := range append([]adapters.Ref{st.Ref}, st.Past...) {
				if ref.IsZero() {
					continue
				}
				if _, err := tx.ExecContext(ctx, s.refer, side, ref.Provider, ref.Tenant, ref.ID, r.Tenant, r.ID); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Touch makes a record due, as [sync.Store] says.
func (s *Syncs) Touch(ctx context.Context, id sync.ID, at time.Time) error {
	return syncError("touch", id, s.store.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.touch, id.Tenant, id.Incident, at.UnixNano())
		return err
	}))
}

// Lookup returns the record of a ticket, as [sync.Store] says.
func (s *Syncs) Lookup(ctx context.Context, side string, ref adapters.Ref) (sync.ID, bool, error) {
	var id sync.ID
	err := s.store.db.QueryRowContext(ctx, s.lookup, side, ref.Provider, ref.Tenant, ref.ID).Scan(&id.Tenant, &id.Incident)
	if errors.Is(err, sql.ErrNoRows) {
		return id, false, nil
	}
	return id, err == nil, syncError("look up "+ref.ID, id, err)
}

// Due returns the records that are due, as [sync.Store] says.
func (s *Syncs) Due(ctx context.Context, at time.Time, limit int) ([]sync.ID, error) {
	found, err := s.store.db.QueryContext(ctx, s.due, at.UnixNano(), limit)
	if err != nil {
		return nil, syncError("due", sync.ID{}, err)
	}
	ids, err := scan(found, func(id *sync.ID) []any { return []any{&id.Tenant, &id.Incident} })
	return ids, syncError("due", sync.ID{}, err)
}

// Cursor returns how far the changes of a side have been read.
func (s *Syncs) Cursor(ctx context.Context, side string) (string, error) {
	var cursor string
	err := s.store.db.QueryRowContext(ctx, s.cursor, side).Scan(&cursor)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return cursor, syncError("cursor of "+side, sync.ID{}, err)
}

// SaveCursor notes how far.
func (s *Syncs) SaveCursor(ctx context.Context, side, cursor string) error {
	return syncError("cursor of "+side, sync.ID{}, s.store.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.saveCursor, side, cursor)
		return err
	}))
}

// orNull is an instant in a column, NULL for none.
func orNull(at time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: at.UnixNano(), Valid: !at.IsZero()}
}

func syncError(op string, id sync.ID, err error) error {
	switch {
	case err == nil:
		return nil
	case id == sync.ID{}:
		return fmt.Errorf("sqlstore: sync: %s: %w", op, err)
	default:
		return fmt.Errorf("sqlstore: sync: %s %q of %q: %w", op, id.Incident, id.Tenant, err)
	}
}
