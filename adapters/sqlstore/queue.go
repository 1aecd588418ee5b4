package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Queue keeps tasks in a table of the database: the timers of a [Store], or the
// messages of its outbox. It is safe for concurrent use, in any number of
// processes.
//
// Reports of many tasks are one statement each; a worker that collects them is
// many times as fast as one that reports one by one.
type Queue struct {
	store     *Store
	name      string // of the table
	scheduled chan struct{}
	listeners *listeners

	insert, insertOne, cancel, claim, renew, complete, completeOne, retry, dead, next, count, list, requeue, prune string // statements
}

var _ escalation.Timers = (*Queue)(nil)

// State 6 is that of a task which was cancelled while a worker held it. The
// others are the numbers of [escalation.TaskState].
const cancelledHeld = 6

// listeners are the channels of all who look at one table.
type listeners struct {
	mu  sync.Mutex
	all []chan struct{}
}

// listen returns a channel of its own.
func (l *listeners) listen() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{}, 1)
	l.all = append(l.all, c)
	return c
}

// Only is the queue for a worker that takes tasks of these kinds alone, so that those of
// others do not wait behind them: Claim and NextWake know no others, and all else is as
// with the whole queue. It is made once, for as long as the store lasts. To find its tasks
// a claim passes over those of other kinds that are due.
func (q *Queue) Only(kinds ...string) *Queue { return q.part("IN", kinds) }

// Except is [Queue.Only] for all other kinds.
func (q *Queue) Except(kinds ...string) *Queue { return q.part("NOT IN", kinds) }

func (q *Queue) part(in string, kinds []string) *Queue {
	quoted := make([]string, len(kinds))
	for i, kind := range kinds {
		quoted[i] = "'" + strings.ReplaceAll(kind, "'", "''") + "'"
	}
	return makeQueue(q.store, q.name, "AND kind "+in+" ("+strings.Join(quoted, ", ")+")", q.listeners)
}

func newQueue(s *Store, table string) *Queue { return makeQueue(s, table, "", &listeners{}) }

// makeQueue makes a queue of which a condition says what it claims.
func makeQueue(s *Store, table, condition string, l *listeners) *Queue {
	text := func(query string) string {
		return strings.ReplaceAll(s.dialect.text(strings.ReplaceAll(query, "{queue}", table)), "{of}", condition)
	}
	const held = ` SET %s FROM {rows $2 of_tenant text, of_key text, of_token bigint}
		WHERE tenant = of_tenant AND key = of_key AND token = of_token AND state %s RETURNING tenant, key, token`
	return &Queue{
		store: s, name: table, scheduled: l.listen(), listeners: l,

		insert: text(`INSERT INTO {queue} (tenant, key, kind, payload, due, wake, state)
			SELECT of_tenant, of_key, of_kind, of_payload, of_due, of_due, 1
			FROM {rows $1 of_tenant text, of_key text, of_kind text, of_payload text, of_due bigint} WHERE true ON CONFLICT (tenant, key) DO NOTHING`),
		insertOne: text(`INSERT INTO {queue} (tenant, key, kind, payload, due, wake, state) VALUES ($1, $2, $3, $4, $5, $5, 1) ON CONFLICT (tenant, key) DO NOTHING`),
		// With the tenant as a parameter of its own SQLite would read all its tasks.
		cancel: text(`UPDATE {queue} SET state = CASE WHEN state = 1 THEN 4 ELSE 6 END, wake = NULL, ended = {now}
			FROM {rows $2 of_tenant text, of_key text} WHERE tenant = of_tenant AND key = of_key AND state IN (1, 2) RETURNING state`),
		// The limit stands in a CTE that is evaluated once: in WHERE id IN (SELECT …
		// LIMIT n FOR UPDATE SKIP LOCKED) a nested loop takes more than n rows. The
		// rows are then found by where they are, not by a join.
		claim: text(`WITH first AS MATERIALIZED (SELECT {row} AS of_row FROM {queue} WHERE wake <= {now} {of} ORDER BY wake, id LIMIT $2 {skip})
			UPDATE {queue} SET state = 2, wake = {now} + $3, token = token + 1, attempt = attempt + 1
			WHERE {row} {among}(SELECT of_row FROM first){/among} RETURNING id, tenant, key, kind, payload, due, token, attempt, {now}`),
		renew:    text(`UPDATE {queue}` + fmt.Sprintf(held, `wake = {now} + $3`, `= 2`)),
		complete: text(`UPDATE {queue}` + fmt.Sprintf(held, `state = 3, wake = NULL, ended = {now}`, `IN (2, 6)`)),
		completeOne: text(`UPDATE {queue} SET state = 3, wake = NULL, ended = {now}
			WHERE tenant = $2 AND key = $3 AND token = $4 AND state IN (2, 6)`),
		retry: text(`UPDATE {queue} SET state = 1, wake = $4, reason = $5
			WHERE tenant = $1 AND key = $2 AND token = $3 AND state = 2`),
		dead: text(`UPDATE {queue} SET state = 5, wake = NULL, ended = {now}, reason = $5
			WHERE tenant = $2 AND key = $3 AND token = $4 AND state = 2`),
		next: text(`SELECT wake - {now} FROM {queue} WHERE wake IS NOT NULL {of} ORDER BY wake LIMIT 1`),
		count: text(`SELECT count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3),
			count(*) FILTER (WHERE state IN (4, 6)), count(*) FILTER (WHERE state = 5), min(due) FILTER (WHERE wake IS NOT NULL)
			FROM {queue} WHERE tenant = $1`),
		list: text(`SELECT key, kind, payload, due, state, attempt, wake, ended, reason FROM {queue}
			WHERE tenant = $1 AND key > $2 AND ($3 = 0 OR state = $3 OR $3 = 4 AND state = 6) ORDER BY key LIMIT $4`),
		requeue: text(`UPDATE {queue} SET state = 1, wake = $3, attempt = 0, ended = NULL WHERE tenant = $1 AND key = $2 AND state = 5`),
		prune: text(`DELETE FROM {queue} WHERE {row} {among}
			(SELECT {row} FROM {queue} WHERE ended < {now} - $2 AND state IN (3, 4, 6) ORDER BY ended LIMIT $3){/among}`),
	}
}

// Scheduled receives after this process has scheduled tasks, so that a worker
// can look for an earlier one. Others learn of it when they look next.
func (q *Queue) Scheduled() <-chan struct{} { return q.scheduled }

func (q *Queue) nudge() {
	q.listeners.mu.Lock()
	defer q.listeners.mu.Unlock()
	for _, c := range q.listeners.all {
		select {
		case c <- struct{}{}:
		default: // one is waiting to be seen
		}
	}
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// row is a task or a lease as an element of {rows}. The names are not those of
// the table, because RETURNING takes no prefix in SQLite.
type row struct {
	Tenant  string `json:"of_tenant,omitempty"`
	Key     string `json:"of_key"`
	Kind    string `json:"of_kind"`
	Payload string `json:"of_payload,omitempty"`
	Due     int64  `json:"of_due"`
	Token   int64  `json:"of_token,omitempty"`
}

// rows encodes {rows}. The texts are valid UTF-8, or match nothing.
func rows[T any](all []T, encode func(T) row) (string, error) {
	list := make([]row, len(all))
	for i, x := range all {
		list[i] = encode(x)
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func leaseRow(l escalation.Lease) row { return row{Tenant: l.Tenant, Key: l.Key, Token: l.Token} }

// Schedule stores tasks, as [escalation.Timers] says.
func (q *Queue) Schedule(ctx context.Context, tasks ...escalation.Task) error {
	err := q.store.transact(ctx, func(tx *sql.Tx) error { return q.schedule(ctx, q.store.In(tx).tx, tasks) })
	if err == nil {
		q.nudge()
	}
	return q.wrap("schedule", err)
}

func (q *Queue) schedule(ctx context.Context, db querier, tasks []escalation.Task) error {
	if len(tasks) == 0 {
		return nil
	}
	for _, t := range tasks {
		if err := t.Validate(); err != nil {
			return fmt.Errorf("task %q: %w", t.Key, err)
		}
	}
	if q.store.dialect == SQLite { // to which a call costs nothing: it would take longer to read the rows
		for _, t := range tasks {
			if _, err := db.ExecContext(ctx, q.insertOne, t.Tenant, t.Key, t.Kind, cmp.Or(string(t.Payload), "null"), t.Due.UnixNano()); err != nil {
				return err
			}
		}
		return nil
	}
	list, err := rows(tasks, func(t escalation.Task) row {
		return row{Tenant: t.Tenant, Key: t.Key, Kind: t.Kind, Payload: cmp.Or(string(t.Payload), "null"), Due: t.Due.UnixNano()}
	})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, q.insert, list)
	return err
}

// Cancel withdraws a task, as [escalation.Timers] says.
func (q *Queue) Cancel(ctx context.Context, tenant, key string) (won bool, err error) {
	err = q.store.transact(ctx, func(tx *sql.Tx) error {
		wins, err := q.withdraw(ctx, tx, tenant, []string{key})
		won = wins == 1
		return err
	})
	return won, q.wrap("cancel", err)
}

// withdraw cancels tasks and returns how many of them nobody will get.
func (q *Queue) withdraw(ctx context.Context, db querier, tenant string, keys []string) (wins int, err error) {
	if len(keys) == 0 {
		return 0, nil
	}
	list, err := rows(keys, func(key string) row { return row{Tenant: tenant, Key: key} })
	if err != nil {
		return 0, err
	}
	found, err := db.QueryContext(ctx, q.cancel, q.store.clock(), list)
	if err != nil {
		return 0, err
	}
	defer found.Close()
	for found.Next() {
		var state int
		if err := found.Scan(&state); err != nil {
			return 0, err
		}
		if state != cancelledHeld {
			wins++
		}
	}
	return wins, found.Err()
}

// Claim leases tasks, as [escalation.Timers] says.
func (q *Queue) Claim(ctx context.Context, n int, lease time.Duration) ([]escalation.Lease, error) {
	if err := escalation.CheckClaim(n, lease); err != nil {
		return nil, err
	}
	var claimed []claimedTask
	err := q.store.transact(ctx, func(tx *sql.Tx) error {
		if q.store.dialect == PostgreSQL {
			// Else it may read and sort all that is due, on a table that has not been
			// analysed; the index on wake has the order.
			if _, err := tx.ExecContext(ctx, `SET LOCAL enable_sort = off`); err != nil {
				return err
			}
		}
		found, err := tx.QueryContext(ctx, q.claim, q.store.clock(), n, lease.Nanoseconds())
		if err != nil {
			return err
		}
		claimed, err = scan(found, func(c *claimedTask) []any {
			return []any{&c.id, &c.Tenant, &c.Key, &c.Kind, &c.payload, &c.due, &c.Token, &c.Attempt, &c.at}
		})
		return err
	})
	if err != nil {
		return nil, q.wrap("claim", err)
	}
	slices.SortFunc(claimed, func(a, b claimedTask) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id)) })
	leases := make([]escalation.Lease, len(claimed))
	for i, c := range claimed {
		c.Payload, c.Due, c.At = json.RawMessage(c.payload), instant(c.due), instant(c.at)
		leases[i] = c.Lease
	}
	return leases, nil
}

type claimedTask struct {
	escalation.Lease
	id, due, at int64
	payload     string
}

// Renew makes leases longer, as [escalation.Timers] says.
func (q *Queue) Renew(ctx context.Context, lease time.Duration, held ...escalation.Lease) ([]escalation.Lease, error) {
	if err := escalation.CheckClaim(1, lease); err != nil {
		return nil, err
	}
	lost, err := q.report(ctx, q.renew, held, lease.Nanoseconds())
	return lost, q.wrap("renew", err)
}

// Complete reports tasks as done, as [escalation.Timers] says.
func (q *Queue) Complete(ctx context.Context, held ...escalation.Lease) ([]escalation.Lease, error) {
	lost, err := q.report(ctx, q.complete, held)
	return lost, q.wrap("complete", err)
}

func (q *Queue) report(ctx context.Context, statement string, held []escalation.Lease, more ...any) (lost []escalation.Lease, err error) {
	err = q.store.transact(ctx, func(tx *sql.Tx) error {
		if statement == q.complete && q.store.dialect == SQLite { // to which a call costs nothing
			lost, err = q.completeEach(ctx, q.store.In(tx).tx, held)
		} else {
			lost, err = q.settle(ctx, tx, statement, held, more...)
		}
		return err
	})
	return lost, err
}

// completeEach is settle for tasks that are done, one by one: SQLite would take longer to
// read the rows.
func (q *Queue) completeEach(ctx context.Context, db querier, held []escalation.Lease) (lost []escalation.Lease, err error) {
	for _, l := range held {
		n, err := affected(db.ExecContext(ctx, q.completeOne, q.store.clock(), l.Tenant, l.Key, l.Token))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			lost = append(lost, l)
		}
	}
	return lost, nil
}

// settle runs a statement on the tasks of leases and returns those that it did
// not find any more.
func (q *Queue) settle(ctx context.Context, db querier, statement string, held []escalation.Lease, more ...any) ([]escalation.Lease, error) {
	if len(held) == 0 {
		return nil, nil
	}
	list, err := rows(held, leaseRow)
	if err != nil {
		return nil, err
	}
	found, err := db.QueryContext(ctx, statement, append([]any{q.store.clock(), list}, more...)...)
	if err != nil {
		return nil, err
	}
	type id struct {
		tenant, key string
		token       int64
	}
	done, err := scan(found, func(x *id) []any { return []any{&x.tenant, &x.key, &x.token} })
	if err != nil || len(done) == len(held) {
		return nil, err
	}
	known := make(map[id]bool, len(done))
	for _, x := range done {
		known[x] = true
	}
	var lost []escalation.Lease
	for _, l := range held {
		x := id{l.Tenant, l.Key, l.Token}
		if !known[x] {
			lost = append(lost, l)
		}
		delete(known, x) // a second report of the same lease is lost
	}
	return lost, nil
}

// Retry gives a task back, as [escalation.Timers] says.
func (q *Queue) Retry(ctx context.Context, held escalation.Lease, at time.Time, reason string) error {
	wake, err := nanos(at)
	if err != nil {
		return q.wrap("retry", err)
	}
	return q.wrap("retry", q.one(ctx, held, q.retry, held.Tenant, held.Key, held.Token, wake, plain(reason)))
}

// Dead gives up on a task, as [escalation.Timers] says.
func (q *Queue) Dead(ctx context.Context, held escalation.Lease, reason string) error {
	return q.wrap("dead", q.one(ctx, held, q.dead, q.store.clock(), held.Tenant, held.Key, held.Token, plain(reason)))
}

// plain replaces what PostgreSQL refuses in a text: errors may quote any bytes.
func plain(reason string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(reason, "\uFFFD"), "\x00", "\uFFFD")
}

func (q *Queue) one(ctx context.Context, l escalation.Lease, statement string, args ...any) error {
	n, err := affected(q.store.db.ExecContext(ctx, statement, args...))
	if err == nil && n != 1 {
		err = fmt.Errorf("task %q, attempt %d: %w", l.Key, l.Attempt, escalation.ErrLeaseLost)
	}
	return err
}

// NextWake returns when a task can be claimed, as [escalation.Timers] says.
func (q *Queue) NextWake(ctx context.Context) (time.Duration, bool, error) {
	var in int64
	err := q.store.db.QueryRowContext(ctx, q.next, q.store.clock()).Scan(&in)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return time.Duration(in), err == nil, q.wrap("next wake", err)
}

// Count counts tasks, as [escalation.Timers] says. It reads all of the tenant.
func (q *Queue) Count(ctx context.Context, tenant string) (escalation.TaskCounts, error) {
	var c escalation.TaskCounts
	var oldest sql.NullInt64
	err := q.store.db.QueryRowContext(ctx, q.count, tenant).Scan(&c.Pending, &c.Leased, &c.Done, &c.Cancelled, &c.Dead, &oldest)
	if oldest.Valid {
		c.Oldest = instant(oldest.Int64)
	}
	return c, q.wrap("count", err)
}

// List returns tasks by key, as [escalation.Timers] says.
func (q *Queue) List(ctx context.Context, f escalation.TaskFilter) ([]escalation.StoredTask, error) {
	found, err := q.store.db.QueryContext(ctx, q.list, f.Tenant, f.After, int(f.State), cmp.Or(max(f.Limit, 0), 100))
	if err != nil {
		return nil, q.wrap("list", err)
	}
	type stored struct {
		escalation.StoredTask
		payload     string
		due         int64
		state       int
		wake, ended sql.NullInt64
	}
	all, err := scan(found, func(s *stored) []any {
		return []any{&s.Key, &s.Kind, &s.payload, &s.due, &s.state, &s.Attempt, &s.wake, &s.ended, &s.Reason}
	})
	tasks := make([]escalation.StoredTask, len(all))
	for i, s := range all {
		s.Tenant, s.Payload, s.Due = f.Tenant, json.RawMessage(s.payload), instant(s.due)
		if s.State = escalation.TaskState(s.state); s.state == cancelledHeld {
			s.State = escalation.TaskCancelled
		}
		if s.wake.Valid {
			s.Wake = instant(s.wake.Int64)
		}
		if s.ended.Valid {
			s.Ended = instant(s.ended.Int64)
		}
		tasks[i] = s.StoredTask
	}
	return tasks, q.wrap("list", err)
}

// Requeue revives a dead task, as [escalation.Timers] says.
func (q *Queue) Requeue(ctx context.Context, tenant, key string, at time.Time) error {
	wake, err := nanos(at)
	if err != nil {
		return q.wrap("requeue", err)
	}
	n, err := affected(q.store.db.ExecContext(ctx, q.requeue, tenant, key, wake))
	if err == nil && n == 0 {
		var there bool
		err = q.store.db.QueryRowContext(ctx, q.store.dialect.text(`SELECT count(*) > 0 FROM `+q.name+` WHERE tenant = $1 AND key = $2`), tenant, key).Scan(&there)
		switch {
		case err == nil && there:
			err = fmt.Errorf("task %q: %w", key, escalation.ErrNotPossible)
		case err == nil:
			err = fmt.Errorf("task %q: %w", key, escalation.ErrUnknownTask)
		}
	}
	if err == nil {
		q.nudge()
	}
	return q.wrap("requeue", err)
}

// Prune forgets tasks, as [escalation.Timers] says.
func (q *Queue) Prune(ctx context.Context, keep time.Duration, n int) (int, error) {
	gone, err := affected(q.store.db.ExecContext(ctx, q.prune, q.store.clock(), keep.Nanoseconds(), n))
	return gone, q.wrap("prune", err)
}

func (q *Queue) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlstore: %s: %s: %w", q.name, what, err)
}

// scan reads all rows; into says where the columns go.
func scan[T any](found *sql.Rows, into func(*T) []any) ([]T, error) {
	defer found.Close()
	var all []T
	for found.Next() {
		var x T
		if err := found.Scan(into(&x)...); err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, found.Err()
}

func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// The instants that a database holds: those of [time.Time.UnixNano].
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// nanos is how an instant is stored.
func nanos(t time.Time) (int64, error) {
	if t.IsZero() || t.Before(earliest) || t.After(latest) {
		return 0, fmt.Errorf("instant %v: want one from %d to %d", t, earliest.Year(), latest.Year())
	}
	return t.UnixNano(), nil
}

func instant(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }
