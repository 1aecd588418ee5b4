package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Change is what one step changed. All of it is written, or nothing.
type Change struct {
	Tenant    string // required; nothing of another tenant is touched
	Incidents []Incident

	// Timers are scheduled; Outbox are messages to send. Their tenant is that of
	// the change and may be left out. Those whose key is known already are left as
	// they are.
	Timers []escalation.Task
	Outbox []escalation.Task

	// Cancel and Withdraw are keys of timers and of messages that nobody is to get
	// any more. One that a worker holds may still happen; see
	// [escalation.Timers].Cancel.
	Cancel   []string
	Withdraw []string

	// Complete are timers that this change has handled. If the lease of one is
	// lost, nothing is written and the error is escalation.ErrLeaseLost.
	Complete []escalation.Lease

	Snapshots map[string][]byte // by name; replaces the one before
	At        time.Time         // of the snapshots; required if there are any
}

// Incident is the new state of an incident and what its timeline gained.
type Incident struct {
	ID      string
	Version int64             // 0 for a new incident, else the version that was read
	State   json.RawMessage   // replaces the one before
	Entries []json.RawMessage // appended to the timeline

	leader string // the id of the incident that it is bundled under while it is open
	valid  bool   // state and entries are of our making
}

// Commit writes a change in one transaction. It returns ErrConflict, and writes
// nothing, when an incident does not have the expected version any more.
func (s *Store) Commit(ctx context.Context, c Change) error {
	return s.Do(ctx, func(tx *Tx) error { return tx.Write(ctx, c) })
}

// Do runs a transaction, and again if the database has aborted it in favour of
// another: do must have no effect beside it. If do returns an error, nothing is
// written and Do returns it.
func (s *Store) Do(ctx context.Context, do func(*Tx) error) error {
	var t *Tx
	err := s.transact(ctx, func(tx *sql.Tx) error {
		t = s.In(tx)
		return do(t)
	})
	if err != nil {
		return err
	}
	if t.timers {
		s.timers.nudge()
	}
	if t.outbox {
		s.outbox.nudge()
	}
	return nil
}

// Tx is a transaction of a [Store].
type Tx struct {
	store          *Store
	tx             *statements
	timers, outbox bool // something was scheduled

	commons map[*Escalator]*common
}

// In lets a store take part in a transaction of the caller, who commits it.
func (s *Store) In(tx *sql.Tx) *Tx {
	return &Tx{store: s, tx: &statements{Tx: tx, sqlite: s.dialect == SQLite}}
}

// Incident reads an incident and keeps others from changing it until the end of
// the transaction: whoever comes second sees what the first has written. One
// that is not there is ErrNotFound, and then nobody is kept from anything. On
// SQLite the transaction has to be one that writes from its beginning, as
// _txlock=immediate makes it.
func (t *Tx) Incident(ctx context.Context, tenant, id string) (Incident, error) {
	return readIncident(id, t.tx.QueryRowContext(ctx, t.store.lockIncident, tenant, id))
}

// peek reads an incident that the transaction does not change.
func (t *Tx) peek(ctx context.Context, tenant, id string) (Incident, error) {
	return readIncident(id, t.tx.QueryRowContext(ctx, t.store.incident, tenant, id))
}

// bundle locks the incidents that are bundled under another one.
func (t *Tx) bundle(ctx context.Context, tenant, leader string) ([]Incident, error) {
	found, err := t.tx.QueryContext(ctx, t.store.lockBundle, tenant, leader)
	if err != nil {
		return nil, err
	}
	return scan(found, func(i *Incident) []any { return []any{&i.ID, &i.Version, (*[]byte)(&i.State)} })
}

// lockSnapshot reads a snapshot, which is "{}" where there was none, and keeps
// others from it until the end of the transaction.
func (t *Tx) lockSnapshot(ctx context.Context, tenant, name string) (data []byte, err error) {
	err = t.tx.QueryRowContext(ctx, t.store.lockedSnapshot, tenant, name).Scan(&data)
	if !errors.Is(err, sql.ErrNoRows) {
		return data, err
	}
	if _, err := t.tx.ExecContext(ctx, t.store.newSnapshot, tenant, name, []byte("{}")); err != nil {
		return nil, err
	}
	err = t.tx.QueryRowContext(ctx, t.store.lockedSnapshot, tenant, name).Scan(&data)
	return data, err
}

// Write writes a change as a part of the transaction; see [Store.Commit].
func (t *Tx) Write(ctx context.Context, c Change) error {
	if c.Tenant == "" {
		return errors.New("sqlstore: commit: tenant missing")
	}
	if err := t.writeIncidents(ctx, c.Tenant, c.Incidents); err != nil {
		return err
	}
	for _, part := range []struct {
		queue  *Queue
		tasks  []escalation.Task
		cancel []string
		any    *bool
	}{{t.store.timers, c.Timers, c.Cancel, &t.timers}, {t.store.outbox, c.Outbox, c.Withdraw, &t.outbox}} {
		tasks := slices.Clone(part.tasks)
		for i, task := range tasks {
			if task.Tenant != "" && task.Tenant != c.Tenant {
				return fmt.Errorf("%s: task %q is of tenant %q, the change of %q", part.queue.name, task.Key, task.Tenant, c.Tenant)
			}
			tasks[i].Tenant = c.Tenant
		}
		if _, err := part.queue.withdraw(ctx, t.tx, c.Tenant, part.cancel); err != nil {
			return part.queue.wrap("cancel", err)
		}
		if err := part.queue.schedule(ctx, t.tx, tasks); err != nil {
			return part.queue.wrap("schedule", err)
		}
		*part.any = *part.any || len(tasks) > 0
	}
	for _, l := range c.Complete {
		if l.Tenant != c.Tenant {
			return fmt.Errorf("timer %q is of tenant %q, the change of %q", l.Key, l.Tenant, c.Tenant)
		}
	}
	if err := t.complete(ctx, c.Complete); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Snapshots)) {
		at, err := nanos(c.At)
		if err == nil {
			_, err = t.tx.ExecContext(ctx, t.store.putSnapshot, c.Tenant, name, at, c.Snapshots[name])
		}
		if err != nil {
			return fmt.Errorf("snapshot %q: %w", name, err)
		}
	}
	return nil
}

func (t *Tx) writeIncident(ctx context.Context, tenant string, i Incident) error {
	if i.ID == "" || !i.valid && !json.Valid(i.State) {
		return errors.New("want an id and a state of valid JSON")
	}
	leader := sql.NullString{String: i.leader, Valid: i.leader != ""}
	var n int
	var err error
	if i.Version == 0 {
		n, err = affected(t.tx.ExecContext(ctx, t.store.insertIncident, tenant, i.ID, string(i.State), leader))
	} else {
		n, err = affected(t.tx.ExecContext(ctx, t.store.updateIncident, string(i.State), tenant, i.ID, i.Version, leader))
	}
	if err != nil {
		return err
	}
	if n != 1 {
		return ErrConflict
	}
	for _, entry := range i.Entries {
		if !i.valid && !json.Valid(entry) {
			return errors.New("a timeline entry is not valid JSON")
		}
		if _, err := t.tx.ExecContext(ctx, t.store.appendEntry, tenant, i.ID, string(entry)); err != nil {
			return err
		}
	}
	return nil
}

// complete reports timers as done, all or none.
func (t *Tx) complete(ctx context.Context, held []escalation.Lease) error {
	lost, err := t.store.timers.settle(ctx, t.tx, t.store.timers.complete, held)
	if err == nil && len(lost) > 0 {
		err = fmt.Errorf("timer %q, attempt %d: %w", lost[0].Key, lost[0].Attempt, escalation.ErrLeaseLost)
	}
	return err
}

// tries bounds how often a transaction is run that the database aborts.
const tries = 10

// transact runs a transaction, and again where the database aborted it because
// it stood in the way of another.
func (s *Store) transact(ctx context.Context, do func(*sql.Tx) error) (err error) {
	for range tries {
		if err = s.attempt(ctx, do); !aborted(err) || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (s *Store) attempt(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	open := true
	defer func() {
		if open { // do panicked
			_ = tx.Rollback()
		}
	}()
	err = do(tx)
	open = false
	if err != nil {
		if undo := tx.Rollback(); !errors.Is(undo, sql.ErrTxDone) { // a cancelled context has rolled back already
			err = errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

// aborted reports a deadlock or a failed serialization of PostgreSQL. Its drivers
// tell them by a method of their error.
func aborted(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && (state.SQLState() == "40P01" || state.SQLState() == "40001")
}
