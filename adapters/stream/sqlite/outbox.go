package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// Outbox implements [stream.Outbox]: the table stream_outbox, in which a key is unique.
// It is safe for concurrent use.
type Outbox struct{ s *Store }

var _ stream.Outbox = (*Outbox)(nil)

// Outbox returns the outbox of the store.
func (s *Store) Outbox() *Outbox { return &Outbox{s} }

// Put implements [stream.Outbox]. All are one transaction, so after an error all or none
// are stored. What is too old is forgotten, faster than anything comes.
func (o *Outbox) Put(ctx context.Context, all []stream.Notification) error {
	all = slices.Clone(all) // of the caller, who may be gone when they are written
	texts := make([][]byte, len(all))
	for i, n := range all {
		var err error
		if texts[i], err = n.Encode(); err != nil {
			return err
		}
	}
	err := o.s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		now := o.s.now()
		insert, err := tx.PrepareContext(ctx, `INSERT INTO stream_outbox (key, data, put) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for i, n := range all {
			if _, err := insert.ExecContext(ctx, n.Key, texts[i], now.UnixNano()); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM stream_outbox WHERE place IN (SELECT place FROM stream_outbox ORDER BY place LIMIT ?) AND put < ?`,
			2*len(all)+1, now.Add(-o.s.age).UnixNano())
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlite: put into the outbox: %w", err)
	}
	return nil
}

// Read implements [stream.Outbox].
func (o *Outbox) Read(ctx context.Context, after int64) ([]stream.Entry, error) {
	for {
		changed := o.s.changed()
		if entries, err := o.read(ctx, after); err != nil || len(entries) > 0 {
			return entries, err
		}
		var last int64
		err := o.s.db.QueryRowContext(ctx, `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'stream_outbox'), 0)`).Scan(&last)
		if err != nil {
			return nil, err
		}
		if last < after {
			return nil, fmt.Errorf("%w: the outbox ends at %d, read after %d", stream.ErrOffset, last, after)
		}
		if err := o.s.wait(ctx, changed); err != nil {
			return nil, err
		}
	}
}

// read returns what stands after a place, without waiting.
func (o *Outbox) read(ctx context.Context, after int64) ([]stream.Entry, error) {
	found, err := o.s.db.QueryContext(ctx, `SELECT place, data FROM stream_outbox WHERE place > ? ORDER BY place LIMIT ?`, after, stream.ReadLimit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var entries []stream.Entry
	for found.Next() {
		var place int64
		var data sql.RawBytes
		if err := found.Scan(&place, &data); err != nil {
			return nil, err
		}
		entries = append(entries, stream.DecodeEntry(place, data))
	}
	return entries, found.Err()
}
