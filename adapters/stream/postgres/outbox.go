package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// putRows stores what has a new key and forgets what is too old, faster than anything
// comes. It takes no lock that others wait for, so that many commit at the same time. The
// ids of one partition are in the order of its owner; whoever puts a key that another
// transaction is about to put waits for the end of that.
const putRows = `
CREATE FUNCTION stream_put(notifications text, age interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO stream_outbox (key, data)
		SELECT key, data::text FROM json_to_recordset(notifications::json) AS x(n integer, key text, data json) ORDER BY n
		ON CONFLICT (key) DO NOTHING;
	IF (SELECT put FROM stream_outbox ORDER BY id LIMIT 1) < clock_timestamp() - age AND pg_try_advisory_xact_lock(1702259564, 258) THEN
		DELETE FROM stream_outbox WHERE id IN (
			SELECT id FROM (SELECT id, put FROM stream_outbox ORDER BY id LIMIT 1000) AS oldest WHERE put < clock_timestamp() - age);
	END IF;
END $$`

// numberRows gives places to rows that are there and have none, one caller after the
// other, so places become visible in their order and no reader skips one. The places
// count once its transaction has ended.
const numberRows = `
CREATE FUNCTION stream_number(most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE numbered bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(1702259564, 257);
	UPDATE stream_outbox o SET place = fresh.place
		FROM (SELECT id, nextval('stream_place') AS place FROM (SELECT id FROM stream_outbox WHERE place IS NULL ORDER BY id LIMIT most) AS first) AS fresh
		WHERE o.id = fresh.id;
	GET DIAGNOSTICS numbered = ROW_COUNT;
	RETURN numbered;
END $$`

// Outbox implements [stream.Outbox]: the table stream_outbox, in which a key is unique.
// It is safe for concurrent use.
type Outbox struct{ s *Store }

var _ stream.Outbox = (*Outbox)(nil)

// Outbox returns the outbox of the store.
func (s *Store) Outbox() *Outbox { return &Outbox{s} }

// put is a notification on its way into the outbox.
type put struct {
	N    int             `json:"n"`
	Key  string          `json:"key"`
	Data json.RawMessage `json:"data"`
}

// Put implements [stream.Outbox]. All are one transaction, so after an error all or none
// are stored.
func (o *Outbox) Put(ctx context.Context, all []stream.Notification) error {
	rows := make([]put, len(all))
	for i, n := range all {
		data, err := n.Encode()
		if err != nil {
			return err
		}
		rows[i] = put{i, n.Key, data}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = o.s.db.ExecContext(ctx, `SELECT stream_put($1, $2::bigint * interval '1 microsecond')`, string(text), o.s.age.Microseconds())
	if err != nil {
		return fmt.Errorf("postgres: put into the outbox: %w", err)
	}
	return nil
}

// Read implements [stream.Outbox].
func (o *Outbox) Read(ctx context.Context, after int64) ([]stream.Entry, error) {
	for {
		if entries, err := o.read(ctx, after); err != nil || len(entries) > 0 {
			return entries, err
		}
		var numbered, last int64
		err := o.s.db.QueryRowContext(ctx, `SELECT CASE WHEN EXISTS (SELECT FROM stream_outbox WHERE place IS NULL) THEN stream_number($1) ELSE 0 END,
			(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM stream_place)`, stream.ReadLimit).Scan(&numbered, &last)
		switch {
		case err != nil:
			return nil, err
		case numbered > 0:
			continue
		case last < after:
			return nil, fmt.Errorf("%w: the outbox ends at %d, read after %d", stream.ErrOffset, last, after)
		}
		timer := time.NewTimer(o.s.poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// read returns what has a place after another, without waiting.
func (o *Outbox) read(ctx context.Context, after int64) ([]stream.Entry, error) {
	found, err := o.s.db.QueryContext(ctx, `SELECT place, data FROM stream_outbox WHERE place > $1 ORDER BY place LIMIT $2`, after, stream.ReadLimit)
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
