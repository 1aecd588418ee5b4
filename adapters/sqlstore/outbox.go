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
	if m.Key == "" || !json.Valid(m.Payload) {
		return errors.New("want a key and a payload of valid JSON")
	}
	due, err := nanos(m.Due)
	if err != nil {
		return fmt.Errorf("due: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outbox (tenant, key, kind, payload, due, wake) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, m.Key, m.Kind, string(m.Payload), due, due)
	return err
}

// Claim leases up to n messages that are due at now, oldest first, of all
// tenants. Until now + lease nobody else gets them; send them within that time
// and report back. n and lease must be above 0.
func (s *Store) Claim(ctx context.Context, now time.Time, n int, lease time.Duration) ([]Leased, error) {
	if n < 1 || lease <= 0 {
		return nil, fmt.Errorf("sqlstore: claim %d messages for %v: want 1 or more for more than 0", n, lease)
	}
	at, err := nanos(now)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: claim: %w", err)
	}
	until, err := nanos(now.Add(lease))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: claim: %w", err)
	}
	var claimed []Leased
	err = s.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT key, tenant, kind, payload, due, attempt + 1 FROM outbox WHERE wake <= ? ORDER BY wake, id LIMIT ?`, at, n)
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
			if _, err := tx.ExecContext(ctx, `UPDATE outbox SET wake = ?, attempt = ? WHERE tenant = ? AND key = ?`, until, l.Attempt, l.Tenant, l.Key); err != nil {
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
	return s.settle(ctx, l, at, `state = 'sent', wake = NULL, done = ?`)
}

// Retry reports that a message was not sent and is to be tried again at the
// instant at.
func (s *Store) Retry(ctx context.Context, l Leased, at time.Time, reason string) error {
	return s.settle(ctx, l, at, `wake = ?, reason = ?`, reason)
}

// Dead reports that a message cannot be sent. It stays in the outbox with the
// reason, for a person.
func (s *Store) Dead(ctx context.Context, l Leased, at time.Time, reason string) error {
	return s.settle(ctx, l, at, `state = 'dead', wake = NULL, done = ?, reason = ?`, reason)
}

// settle ends a lease. The first placeholder of set is the instant.
func (s *Store) settle(ctx context.Context, l Leased, at time.Time, set string, more ...any) error {
	stored, err := nanos(at)
	if err != nil {
		return fmt.Errorf("message %q: %w", l.Key, err)
	}
	args := append([]any{stored}, append(more, l.Tenant, l.Key, l.Attempt)...)
	result, err := s.db.ExecContext(ctx, `UPDATE outbox SET `+set+` WHERE tenant = ? AND key = ? AND attempt = ? AND state = 'pending'`, args...)
	if err != nil {
		return fmt.Errorf("message %q: %w", l.Key, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("message %q: %w", l.Key, err)
	}
	if n != 1 {
		return fmt.Errorf("message %q, attempt %d: %w", l.Key, l.Attempt, ErrLeaseLost)
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
