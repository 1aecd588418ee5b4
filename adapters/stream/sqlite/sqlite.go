package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// Options are what [Open] may be told.
type Options struct {
	// Poll is how often the file is asked for what other processes wrote; what this one
	// wrote is known at once. Defaults to 50 ms.
	Poll time.Duration
	// OutboxAge is how long the outbox keeps notifications and remembers their keys.
	// Defaults to 30 days.
	OutboxAge time.Duration
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// Store implements [stream.Store]. Make one with [Open]. It is safe for concurrent
// use.
type Store struct {
	db   *sql.DB
	poll time.Duration
	age  time.Duration // of the outbox
	now  func() time.Time

	asking  sync.Mutex // held while heads are read
	mu      sync.Mutex // guards what follows
	queue   []*job
	writing bool
	written chan struct{}                    // closed after the next transaction
	grown   [stream.Partitions]chan struct{} // closed after the next append; nil if nobody waits
	heads   [stream.Partitions]int64
	asked   time.Time // when heads were read
}

var _ stream.Store = (*Store)(nil)

// Open creates or upgrades the tables and returns the store. The caller keeps and
// closes db. o may be nil.
func Open(ctx context.Context, db *sql.DB, o *Options) (*Store, error) {
	s := &Store{db: db, poll: 50 * time.Millisecond, age: 30 * 24 * time.Hour, now: time.Now, written: make(chan struct{})}
	if o != nil && o.Poll > 0 {
		s.poll = o.Poll
	}
	if o != nil && o.OutboxAge > 0 {
		s.age = o.OutboxAge
	}
	if o != nil && o.Now != nil {
		s.now = o.Now
	}
	if err := s.transact(ctx, []*job{{do: migrate}}); err != nil {
		return nil, fmt.Errorf("sqlite: prepare the database: %w", err)
	}
	return s, nil
}

// versions lists the statements of each version; a database is brought up one version
// after the other.
var versions = [][]string{{
	`CREATE TABLE stream_record (partition INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT, data BLOB NOT NULL, PRIMARY KEY (partition, seq)) WITHOUT ROWID`,
	`CREATE UNIQUE INDEX stream_record_id ON stream_record (partition, id) WHERE id IS NOT NULL`,
	`CREATE TABLE stream_partition (
		partition INTEGER PRIMARY KEY, head INTEGER NOT NULL, owner TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL)`,
	`CREATE TABLE stream_snapshot (partition INTEGER PRIMARY KEY, state BLOB)`,
	`CREATE TABLE stream_node (name TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID`,
	`WITH RECURSIVE p(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM p WHERE n < 255) INSERT INTO stream_partition SELECT n, 0, '', 0, 0 FROM p`,
	`CREATE TABLE stream_outbox (place INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, data BLOB NOT NULL, put INTEGER NOT NULL)`,
}, {
	`ALTER TABLE stream_node ADD COLUMN said INTEGER NOT NULL DEFAULT 0`,
}}

// migrate brings the tables up to the last version.
func migrate(ctx context.Context, tx *sql.Tx) error {
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
		if _, err := tx.ExecContext(ctx, `INSERT INTO stream_schema VALUES (?)`, version+1); err != nil {
			return err
		}
	}
	return nil
}

// job is something to write. An error of do that is no refusal is one of the database,
// after which the transaction is of no use to others either, so do may be called twice.
type job struct {
	do   func(context.Context, *sql.Tx) error
	then func() // if not nil, called with Store.mu held once it is written
	err  error  // set before done is closed
	done chan struct{}
}

// refusal is an error of a job that has changed nothing.
type refusal struct{ error }

// maxJobs bounds a transaction.
const maxJobs = 200

// write has something written, see [Store.run].
func (s *Store) write(ctx context.Context, do func(context.Context, *sql.Tx) error) error {
	return s.run(ctx, &job{do: do})
}

// run has a job done, together with what others want written at that time. When ctx is
// over first, it may be done all the same, after run has returned.
func (s *Store) run(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	s.mu.Lock()
	s.queue = append(s.queue, j)
	if !s.writing {
		s.writing = true
		go s.drain(context.WithoutCancel(ctx))
	}
	s.mu.Unlock()
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drain writes until nothing is left.
func (s *Store) drain(ctx context.Context) {
	for {
		s.mu.Lock()
		jobs := s.queue[:min(len(s.queue), maxJobs)]
		s.queue = s.queue[len(jobs):]
		s.writing = len(jobs) > 0
		s.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		s.do(ctx, jobs)
		s.mu.Lock()
		for _, j := range jobs { // before readers look
			if j.then != nil && j.err == nil {
				j.then()
			}
		}
		close(s.written)
		s.written = make(chan struct{})
		s.mu.Unlock()
		for _, j := range jobs {
			close(j.done)
		}
		clear(jobs) // the queue may keep their place, and they hold what was written
	}
}

// do does jobs and sets their errors.
func (s *Store) do(ctx context.Context, jobs []*job) {
	err := s.transact(ctx, jobs)
	if err != nil && len(jobs) > 1 {
		for _, j := range jobs { // each by itself, to find the one that fails
			s.do(ctx, []*job{j})
		}
	} else if err != nil {
		jobs[0].err = err
	}
}

// transact does jobs in one transaction. Its error is that of the database; what a
// job refuses is in the job.
func (s *Store) transact(ctx context.Context, jobs []*job) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		err := j.do(ctx, tx)
		if r, refused := errors.AsType[refusal](err); refused {
			j.err = r.error
		} else if err != nil {
			return errors.Join(err, tx.Rollback())
		} else {
			j.err = nil // not that of a transaction before
		}
	}
	return tx.Commit()
}

// changed returns a channel that is closed after the next transaction of this process.
func (s *Store) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

// appended returns a channel that is closed after the next append of this process to a
// partition: all partitions wait, and one of them is written to.
func (s *Store) appended(partition int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.grown[partition] == nil {
		s.grown[partition] = make(chan struct{})
	}
	return s.grown[partition]
}

// wait waits until there may be something new.
func (s *Store) wait(ctx context.Context, changed <-chan struct{}) error {
	timer := time.NewTimer(s.poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-timer.C:
	}
	return nil
}
