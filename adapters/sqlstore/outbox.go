package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrLeaseLost means that the lease on a message ended and somebody else took
// it, or that it is already done: the report came too late and changed nothing.
var ErrLeaseLost = errors.New("sqlstore: the lease on the message was lost")

// Message is one thing to tell the outside world.
type Message struct {
	Key     string          // what it is for; a tenant's key is stored and sent once
	Kind    string          // tells the sender what to do with it, such as "page" or "email"
	Due     time.Time       // not to be sent before
	Payload json.RawMessage // for the sender
}

// Leased is a message that a sender holds.
type Leased struct {
	Message
	Tenant  string
	Attempt int // 1 for the first; the fencing token of the lease
}

func enqueue(ctx context.Context, tx *sql.Tx, tenant string, m Message) error {
	if m.Key == "" || m.Due.IsZero() || !json.Valid(m.Payload) {
		return errors.New("want a key, a due time and a payload of valid JSON")
	}
	due := m.Due.UnixNano()
	_, err := tx.ExecContext(ctx, `INSERT INTO outbox (tenant, key, kind, payload, due, wake) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, m.Key, m.Kind, string(m.Payload), due, due)
	return err
}

// Claim leases up to n messages that are due at now, oldest first. Until
// now + lease nobody else gets them; send them within that time and report back.
func (s *Store) Claim(ctx context.Context, now time.Time, n int, lease time.Duration) ([]Leased, error) {
	var claimed []Leased
	err := s.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT key, tenant, kind, payload, due, attempt + 1 FROM outbox WHERE wake <= ? ORDER BY wake, id LIMIT ?`, now.UnixNano(), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l Leased
			var payload string
			var due int64
			if err := rows.Scan(&l.Key, &l.Tenant, &l.Kind, &payload, &due, &l.Attempt); err != nil {
				return err
			}
			l.Payload, l.Due = json.RawMessage(payload), time.Unix(0, due).UTC()
			claimed = append(claimed, l)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, l := range claimed {
			if _, err := tx.ExecContext(ctx, `UPDATE outbox SET wake = ?, attempt = ? WHERE tenant = ? AND key = ?`, now.Add(lease).UnixNano(), l.Attempt, l.Tenant, l.Key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// Sent reports that a message reached its receiver at the instant at.
func (s *Store) Sent(ctx context.Context, l Leased, at time.Time) error {
	return s.settle(ctx, l, `state = 'sent', wake = NULL, done = ?`, at.UnixNano())
}

// Retry reports that a message was not sent and is to be tried again at the
// instant at.
func (s *Store) Retry(ctx context.Context, l Leased, at time.Time, reason string) error {
	return s.settle(ctx, l, `wake = ?, reason = ?`, at.UnixNano(), reason)
}

// Dead reports that a message cannot be sent. It stays in the outbox with the
// reason, for a person.
func (s *Store) Dead(ctx context.Context, l Leased, at time.Time, reason string) error {
	return s.settle(ctx, l, `state = 'dead', wake = NULL, done = ?, reason = ?`, at.UnixNano(), reason)
}

func (s *Store) settle(ctx context.Context, l Leased, set string, args ...any) error {
	args = append(args, l.Tenant, l.Key, l.Attempt)
	result, err := s.db.ExecContext(ctx, `UPDATE outbox SET `+set+` WHERE tenant = ? AND key = ? AND attempt = ? AND state = 'pending'`, args...)
	if err != nil {
		return fmt.Errorf("message %q: %w", l.Key, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("message %q, attempt %d: %w", l.Key, l.Attempt, ErrLeaseLost))
	}
	return nil
}

// Outbox counts messages by state.
type Outbox struct {
	Pending, Sent, Dead int
	Oldest              time.Time // due time of the oldest pending one; zero when there is none
}

// Outbox reports how many messages wait, were sent, and could not be sent.
func (s *Store) Outbox(ctx context.Context, tenant string) (Outbox, error) {
	var o Outbox
	var oldest sql.NullInt64
	err := s.db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'sent'),
		count(*) FILTER (WHERE state = 'dead'), min(due) FILTER (WHERE state = 'pending') FROM outbox WHERE tenant = ?`, tenant).
		Scan(&o.Pending, &o.Sent, &o.Dead, &oldest)
	if oldest.Valid {
		o.Oldest = time.Unix(0, oldest.Int64).UTC()
	}
	return o, err
}
