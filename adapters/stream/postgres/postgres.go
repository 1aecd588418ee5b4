package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// rows is how many records are written in one transaction.
const rows = 100

// Options are what [Open] may be told.
type Options struct {
	// Poll is how often the log is asked for new records: one short query for all
	// partitions that wait. Defaults to 50 ms.
	Poll time.Duration
	// OutboxAge is how long the outbox keeps notifications and remembers their keys.
	// Defaults to 30 days.
	OutboxAge time.Duration
}

// Store implements [stream.Store]. Make one with [Open]. It is safe for concurrent
// use.
type Store struct {
	db   *sql.DB
	poll time.Duration
	age  time.Duration // of the outbox

	mu    sync.Mutex // guards heads and asked; held while the database is asked
	heads [stream.Partitions]int64
	asked time.Time
}

var _ stream.Store = (*Store)(nil)

// Open creates or upgrades the tables and returns the store. The caller keeps and
// closes db. o may be nil.
func Open(ctx context.Context, db *sql.DB, o *Options) (*Store, error) {
	s := &Store{db: db, poll: 50 * time.Millisecond, age: 30 * 24 * time.Hour}
	if o != nil && o.Poll > 0 {
		s.poll = o.Poll
	}
	if o != nil && o.OutboxAge > 0 {
		s.age = o.OutboxAge
	}
	if err := s.transact(ctx, s.migrate); err != nil {
		return nil, fmt.Errorf("postgres: prepare the database: %w", err)
	}
	return s, nil
}

// versions lists the statements of each version; a database is brought up one version
// after the other. Texts are compared by bytes. Rows of stream_head and
// stream_partition are written over and over, so their pages keep room for that.
var versions = [][]string{{
	`CREATE TABLE stream_record (
		partition INTEGER NOT NULL, seq BIGINT NOT NULL, id TEXT COLLATE "C", data TEXT NOT NULL, PRIMARY KEY (partition, seq))`,
	`CREATE UNIQUE INDEX stream_record_id ON stream_record (partition, id) WHERE id IS NOT NULL`,
	`CREATE TABLE stream_head (partition INTEGER PRIMARY KEY, seq BIGINT NOT NULL) WITH (fillfactor = 20)`,
	`CREATE TABLE stream_partition (
		partition INTEGER PRIMARY KEY, owner TEXT COLLATE "C" NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, state BYTEA) WITH (fillfactor = 20)`,
	`CREATE TABLE stream_node (name TEXT COLLATE "C" PRIMARY KEY, until TIMESTAMPTZ NOT NULL)`,
	appendRows,
	`INSERT INTO stream_head SELECT p, 0 FROM generate_series(0, 255) p`,
	`INSERT INTO stream_partition SELECT p, '', 0, 0, NULL FROM generate_series(0, 255) p`,
}, {
	`CREATE TABLE stream_outbox (
		id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT COLLATE "C" NOT NULL UNIQUE, place BIGINT UNIQUE, data TEXT NOT NULL,
		put TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())`,
	`CREATE INDEX stream_outbox_new ON stream_outbox (id) WHERE place IS NULL`,
	`CREATE SEQUENCE stream_place`,
	numberRows,
	putRows,
}, {
	`ALTER TABLE stream_node ADD COLUMN said TIMESTAMPTZ NOT NULL DEFAULT 'epoch'`,
}}

// appendRows is a function of the database, so that no client that stops between two
// statements holds up a partition, and so that the second statement sees what was
// committed before it got the lock. Rows that are new keep their order; of those with
// one ID the first counts. The advisory locks are shared by all logs of a database,
// which costs waiting and nothing else.
const appendRows = `
CREATE FUNCTION stream_append(part integer, batches text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE last bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(1702259564, part);
	WITH given AS (
		SELECT n, id, data, row_number() OVER (PARTITION BY id ORDER BY n) AS nth
		FROM json_to_recordset(batches::json) AS x(n integer, id text, data json)),
	fresh AS (
		SELECT id, data, row_number() OVER (ORDER BY n) AS place FROM given
		WHERE id IS NULL OR nth = 1 AND NOT EXISTS (SELECT FROM stream_record r WHERE r.partition = part AND r.id = given.id)),
	head AS (
		UPDATE stream_head SET seq = seq + (SELECT count(*) FROM fresh) WHERE partition = part
		RETURNING seq - (SELECT count(*) FROM fresh) AS before),
	written AS (
		INSERT INTO stream_record (partition, seq, id, data)
		SELECT part, head.before + fresh.place, fresh.id, fresh.data::text FROM fresh, head RETURNING seq, id),
	final AS (SELECT id FROM given ORDER BY n DESC LIMIT 1)
	SELECT coalesce(
		(SELECT r.seq FROM stream_record r JOIN final USING (id) WHERE r.partition = part),
		(SELECT w.seq FROM written w JOIN final USING (id)),
		(SELECT max(seq) FROM written)) INTO last;
	RETURN last;
END $$`

func (s *Store) migrate(ctx context.Context, tx *sql.Tx) error {
	// Two processes that start at once create the tables one after the other.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(1702259564, $1)`, stream.Partitions); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS stream_schema (version INTEGER NOT NULL)`); err != nil {
		return err
	}
	var have int
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM stream_schema`).Scan(&have); err != nil {
		return err
	}
	if have > len(versions) {
		return fmt.Errorf("the tables are of version %d, this program knows %d", have, len(versions))
	}
	for version := have; version < len(versions); version++ {
		for _, statement := range versions[version] {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO stream_schema VALUES ($1)`, version+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) transact(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// given is a batch on its way into the log.
type given struct {
	N    int             `json:"n"`
	ID   *string         `json:"id"`
	Data json.RawMessage `json:"data"`
}

// Append implements [stream.Log].
func (s *Store) Append(ctx context.Context, partition int, batches ...stream.Batch) (int64, error) {
	all := make([]given, len(batches))
	for i, b := range batches {
		data, err := b.Encode()
		if err != nil {
			return 0, fmt.Errorf("batch %d: %w", i, err)
		}
		all[i] = given{N: i, Data: data}
		if b.ID != "" {
			all[i].ID = &b.ID
		}
	}
	offset := int64(0)
	for len(all) > 0 {
		n := min(len(all), rows)
		var err error
		if offset, err = s.append(ctx, partition, all[:n]); err != nil {
			return 0, fmt.Errorf("postgres: append to partition %d: %w", partition, err)
		}
		all = all[n:]
	}
	return offset, nil
}

// append writes rows in one transaction and returns the number of the last, or that of
// the row which had its ID before.
func (s *Store) append(ctx context.Context, partition int, all []given) (int64, error) {
	text, err := json.Marshal(all)
	if err != nil {
		return 0, err
	}
	var last int64
	err = s.db.QueryRowContext(ctx, `SELECT stream_append($1, $2)`, partition, string(text)).Scan(&last)
	return last, err
}

// Read implements [stream.Log].
func (s *Store) Read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	for {
		head, err := s.head(ctx, partition, after)
		if err != nil {
			return nil, err
		}
		if head < after {
			return nil, fmt.Errorf("%w: partition %d ends at %d, read after %d", stream.ErrOffset, partition, head, after)
		}
		if head > after {
			// Trimmed rows may be all there were.
			if records, err := s.read(ctx, partition, after); err != nil || len(records) > 0 {
				return records, err
			}
		}
		timer := time.NewTimer(s.poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// head returns the number of the last record, which is known if it is after the given
// one and as old as a poll otherwise.
func (s *Store) head(ctx context.Context, partition int, after int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heads[partition] > after || s.heads[partition] == after && time.Since(s.asked) < s.poll {
		return s.heads[partition], nil
	}
	found, err := s.db.QueryContext(ctx, `SELECT partition, seq FROM stream_head`)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		var p int
		var seq int64
		if err := found.Scan(&p, &seq); err != nil {
			return 0, err
		}
		s.heads[p] = seq
	}
	s.asked = time.Now()
	return s.heads[partition], found.Err()
}

func (s *Store) read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	found, err := s.db.QueryContext(ctx, `SELECT seq, data FROM stream_record WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
		partition, after, stream.ReadLimit)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var records []stream.Record
	for found.Next() {
		var seq int64
		var data sql.RawBytes
		if err := found.Scan(&seq, &data); err != nil {
			return nil, err
		}
		records = append(records, stream.Decode(seq, data))
	}
	return records, found.Err()
}

// Trim implements [stream.Log].
func (s *Store) Trim(ctx context.Context, partition int, upTo int64) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM stream_record WHERE partition = $1 AND seq <= $2`, partition, upTo)
	return err
}
