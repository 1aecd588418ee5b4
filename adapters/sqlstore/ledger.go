package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// Ledger remembers what adapters created under which key. Intentions are durable
// before Intend returns: a process that dies between the call to a vendor and Settle
// leaves an entry that is intended and not settled, by which the next one knows that
// it has to look first. It is safe for concurrent use, in any number of processes;
// of those that intend one key, one is the first.
type Ledger struct {
	store *Store

	intend, try, settle, forget, look string // statements
}

var _ adapters.Ledger = (*Ledger)(nil)

// Ledger returns the ledger of the store.
func (s *Store) Ledger() *Ledger {
	text := s.dialect.text
	return &Ledger{
		store:  s,
		intend: text(`INSERT INTO ledger (tenant, key, intended) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`),
		try:    text(`UPDATE ledger SET tried = $3 WHERE tenant = $1 AND key = $2 AND ref IS NULL`),
		settle: text(`INSERT INTO ledger (tenant, key, ref) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, key) DO UPDATE SET ref = excluded.ref`),
		forget: text(`DELETE FROM ledger WHERE tenant = $1 AND key = $2`),
		look:   text(`SELECT intended, tried, ref FROM ledger WHERE tenant = $1 AND key = $2`),
	}
}

// Intend notes that something is about to be created, as [adapters.Ledger] says. The
// instant is kept in whole nanoseconds.
func (l *Ledger) Intend(ctx context.Context, tenant, key string, at time.Time) (e adapters.Entry, first bool, err error) {
	intended := sql.NullInt64{Int64: at.UnixNano(), Valid: !at.IsZero()} // the zero time has no such number
	err = l.store.transact(ctx, func(tx *sql.Tx) error {
		// Who is not the first reads what there is. It may be forgotten between the two
		// statements, on PostgreSQL: then somebody is the first once more.
		for {
			n, err := affected(tx.ExecContext(ctx, l.intend, tenant, key, intended))
			if err != nil {
				return err
			}
			if first = n == 1; first {
				e = adapters.Entry{Intended: at}
				return nil
			}
			var found bool
			if e, found, err = l.read(ctx, tx, tenant, key); err != nil || found {
				return err
			}
		}
	})
	if err != nil {
		return adapters.Entry{}, false, ledgerError("intend", key, err)
	}
	return e, first, nil
}

// Try notes another try, as [adapters.Ledger] says.
func (l *Ledger) Try(ctx context.Context, tenant, key string, at time.Time) error {
	return ledgerError("try", key, l.exec(ctx, l.try, tenant, key, sql.NullInt64{Int64: at.UnixNano(), Valid: !at.IsZero()}))
}

// Settle notes what was created, as [adapters.Ledger] says.
func (l *Ledger) Settle(ctx context.Context, tenant, key string, ref adapters.Ref) error {
	data, err := json.Marshal(ref)
	if err == nil {
		err = l.exec(ctx, l.settle, tenant, key, string(data))
	}
	return ledgerError("settle", key, err)
}

// Forget removes an entry, as [adapters.Ledger] says.
func (l *Ledger) Forget(ctx context.Context, tenant, key string) error {
	return ledgerError("forget", key, l.exec(ctx, l.forget, tenant, key))
}

// Look returns the entry of a key, as [adapters.Ledger] says.
func (l *Ledger) Look(ctx context.Context, tenant, key string) (adapters.Entry, bool, error) {
	e, found, err := l.read(ctx, l.store.db, tenant, key)
	return e, found, ledgerError("look", key, err)
}

func (l *Ledger) exec(ctx context.Context, statement string, args ...any) error {
	return l.store.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}

func (l *Ledger) read(ctx context.Context, from querier, tenant, key string) (e adapters.Entry, found bool, err error) {
	var intended, tried sql.NullInt64
	var ref sql.NullString
	switch err := from.QueryRowContext(ctx, l.look, tenant, key).Scan(&intended, &tried, &ref); {
	case errors.Is(err, sql.ErrNoRows):
		return adapters.Entry{}, false, nil
	case err != nil:
		return adapters.Entry{}, false, err
	}
	if intended.Valid {
		e.Intended = instant(intended.Int64)
	}
	if tried.Valid {
		e.Tried = instant(tried.Int64)
	}
	if ref.Valid {
		err = json.Unmarshal([]byte(ref.String), &e.Ref)
	}
	return e, err == nil, err
}

func ledgerError(op, key string, err error) error {
	if err != nil {
		return fmt.Errorf("sqlstore: ledger: %s %q: %w", op, key, err)
	}
	return nil
}

// Seen remembers the deliveries of one receiver of webhooks. It is safe for concurrent
// use, in any number of processes.
type Seen struct {
	store    *Store
	receiver string

	has, add, prune string // statements
}

var _ ingest.Seen = (*Seen)(nil)

// Seen returns what a receiver has seen; those of other names are apart.
func (s *Store) Seen(receiver string) *Seen {
	text := s.dialect.text
	return &Seen{
		store: s, receiver: receiver,
		has: text(`SELECT count(*) FROM seen WHERE receiver = $1 AND key = $2`),
		add: text(`INSERT INTO seen (receiver, key, at) SELECT $2, of_key, {now}
			FROM {rows $3 of_key text} WHERE true ON CONFLICT DO NOTHING`),
		prune: text(`DELETE FROM seen WHERE receiver = $2 AND at < {now} - $3`),
	}
}

// Has reports whether a key was added.
func (s *Seen) Has(ctx context.Context, key string) (bool, error) {
	var n int
	if err := s.store.db.QueryRowContext(ctx, s.has, s.receiver, key).Scan(&n); err != nil {
		return false, fmt.Errorf("sqlstore: seen: %q: %w", key, err)
	}
	return n > 0, nil
}

// Add remembers keys, all or none of them.
func (s *Seen) Add(ctx context.Context, keys []string) error {
	list, err := rows(keys, func(key string) row { return row{Key: key} })
	if err == nil {
		err = s.store.transact(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, s.add, s.store.clock(), s.receiver, list)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("sqlstore: seen: add %d keys: %w", len(keys), err)
	}
	return nil
}

// Prune forgets the keys that were added more than keep ago and returns how many.
// Senders repeat a delivery for two days at most (PagerDuty), so a week is enough.
func (s *Seen) Prune(ctx context.Context, keep time.Duration) (n int, err error) {
	err = s.store.transact(ctx, func(tx *sql.Tx) error {
		n, err = affected(tx.ExecContext(ctx, s.prune, s.store.clock(), s.receiver, keep.Nanoseconds()))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlstore: seen: prune: %w", err)
	}
	return n, nil
}
