package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// playbookTables hold the attempts of actions and the kill switch. An attempt is
// written when it is decided, again before it is begun, and when its result is
// known. open is 1 until its run has ended.
var playbookTables = []string{
	`CREATE TABLE playbook_attempt (
		tenant {text} NOT NULL, step {text} NOT NULL, attempt {int} NOT NULL, run {text} NOT NULL, service {text} NOT NULL, action {text} NOT NULL,
		changes {int} NOT NULL, open {int} NOT NULL, decided {int} NOT NULL, begun {int}, ended {int},
		outcome {text} NOT NULL DEFAULT '', result {text} NOT NULL DEFAULT '', PRIMARY KEY (tenant, step, attempt)){clustered}`,
	`CREATE INDEX playbook_attempt_open ON playbook_attempt (tenant, run) WHERE open = 1`,
	`CREATE INDEX playbook_attempt_begun ON playbook_attempt (tenant, service) WHERE begun IS NOT NULL AND ended IS NULL`,
	`CREATE INDEX playbook_attempt_decided ON playbook_attempt (tenant, decided)`,
	`CREATE TABLE playbook_control (tenant {text} PRIMARY KEY, halted_by {text} NOT NULL, reason {text} NOT NULL){clustered}`,
}

// The kinds of tasks of a [Player].
const (
	PlaybookTimer = "playbook"      // in Timers, for Player.Fire
	PlaybookDo    = "playbook.do"   // in Outbox, for Player.Carry
	PlaybookAsk   = "playbook.ask"  // in Outbox: ask for an approval
	PlaybookTell  = "playbook.tell" // in Outbox: page a person
)

// PlayerConfig is what a [Player] needs.
type PlayerConfig struct {
	Playbooks playbook.Config // its Record is not used
	Actions   playbook.Actions

	// Prefix begins the ids of its rows in the incident table and the keys of its
	// timers. Defaults to "playbook/".
	Prefix string

	// Keep is for how long a run that has ended stays in the state of its service.
	// What it did stays on record. Defaults to a day, or the cool-down where that
	// is longer.
	Keep time.Duration

	// Now times attempts, as the difference to the instant of their claim. Defaults to
	// time.Now.
	Now func() time.Time

	// Record puts what was decided into timelines of incidents, in the transaction
	// in which it was decided. It may be called several times for one transaction.
	// Defaults to nothing; the timeline of the service has all entries in any case.
	Record func(ctx context.Context, tx *Tx, entries []playbook.Entry) error
}

// Player runs the playbooks of a tenant out of a store, in any number of processes
// at once. Each service is a row of its own, a [playbook.Engine]; whoever changes it
// locks the row, so that one trigger that two processes see begins one run.
//
// What an engine wants done goes to [Store.Outbox] in the transaction in which it
// was decided, and an attempt is on record before it begins and after it has ended.
// So whatever dies when: an action that nobody had begun is carried out, one that
// was begun is repeated if it is idempotent and else left to a person, and one that
// has a result is not touched again.
//
// Its timers come back through [Player.Fire], its actions through [Player.Carry];
// questions and pages are for the caller, with the [playbook.Intent] as payload. All
// kinds of tasks begin with "playbook".
type Player struct {
	store  *Store
	config PlayerConfig
	tenant string
	engine *playbook.Engine // of all services; each is run by one made from it
	sql    playerStatements
}

type playerStatements struct {
	decide, begin, end, close, reopen, notBegun, interrupted, attempts, prune string // of attempts
	halt, halted, ensure, lock                                                string // of the kill switch and the lock of a tenant
	open, recent                                                              string // what counts for the limits
}

// NewPlayer checks the configuration and returns a player for its tenant.
func NewPlayer(s *Store, c PlayerConfig) (*Player, error) {
	if c.Playbooks.Tenant == "" {
		return nil, errors.New("sqlstore: player: tenant missing")
	}
	c.Playbooks.Record = nil
	if c.Playbooks.Jitter != nil {
		c.Playbooks.Jitter = &sharedSource{src: c.Playbooks.Jitter}
	}
	engine, err := playbook.New(c.Playbooks)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Prefix = cmp.Or(c.Prefix, "playbook/")
	c.Keep = max(cmp.Or(c.Keep, 24*time.Hour), c.Playbooks.CoolDown)
	// The rows carry the tenant: with a constant one SQLite goes through all that the
	// tenant has, once for each row.
	p := &Player{store: s, config: c, tenant: c.Playbooks.Tenant, engine: engine}
	text := s.dialect.text
	p.sql = playerStatements{
		decide: text(`INSERT INTO playbook_attempt (tenant, step, attempt, run, service, action, changes, open, decided)
			SELECT of_tenant, of_step, of_attempt, of_run, of_service, of_action, of_changes, 1, of_at
			FROM {rows $1 of_tenant text, of_step text, of_attempt bigint, of_run text, of_service text, of_action text, of_changes bigint, of_at bigint}
			WHERE true ON CONFLICT DO NOTHING`),
		begin: text(`UPDATE playbook_attempt SET begun = $4 WHERE tenant = $1 AND step = $2 AND attempt = $3 AND begun IS NULL AND ended IS NULL`),
		end: text(`UPDATE playbook_attempt SET ended = coalesce(ended, of_at), outcome = of_outcome, result = of_text
			FROM {rows $1 of_tenant text, of_step text, of_attempt bigint, of_at bigint, of_outcome text, of_text text}
			WHERE tenant = of_tenant AND step = of_step AND attempt = of_attempt`),
		close:    text(`UPDATE playbook_attempt SET open = 0 FROM {rows $1 of_tenant text, of_run text} WHERE tenant = of_tenant AND run = of_run AND open = 1`),
		reopen:   text(`UPDATE playbook_attempt SET open = 1 FROM {rows $1 of_tenant text, of_run text} WHERE tenant = of_tenant AND run = of_run`),
		notBegun: text(`SELECT count(*) FROM playbook_attempt WHERE tenant = $1 AND step = $2 AND attempt = $3 AND begun IS NULL`),
		interrupted: text(`SELECT service, step, attempt FROM playbook_attempt
			WHERE tenant = $1 AND begun IS NOT NULL AND ended IS NULL ORDER BY service, step, attempt`),
		attempts: text(`SELECT step, attempt, action, decided, begun, ended, outcome, result FROM playbook_attempt
			WHERE tenant = $1 AND service = $2 ORDER BY decided, step, attempt`),
		prune: text(`DELETE FROM playbook_attempt WHERE tenant = $1 AND decided < $2 AND open = 0`),

		halt: text(`INSERT INTO playbook_control (tenant, halted_by, reason) VALUES ($1, $2, $3)
			ON CONFLICT (tenant) DO UPDATE SET halted_by = excluded.halted_by, reason = excluded.reason`),
		halted: text(`SELECT halted_by, reason FROM playbook_control WHERE tenant IN ('', $1) AND halted_by <> '' ORDER BY tenant LIMIT 1`),
		ensure: text(`INSERT INTO playbook_control (tenant, halted_by, reason) VALUES ($1, '', '') ON CONFLICT DO NOTHING`),
		lock:   text(`SELECT tenant FROM playbook_control WHERE tenant = $1 {lock}`),

		open: text(`SELECT count(*) FILTER (WHERE ended IS NULL), count(DISTINCT service) FROM playbook_attempt
			WHERE tenant = $1 AND open = 1 AND changes = 1 AND service <> $2`),
		recent: text(`SELECT count(*) FROM playbook_attempt
			WHERE tenant = $1 AND decided > $3 AND attempt = 1 AND changes = 1 AND service <> $2`),
	}
	return p, nil
}

// sharedSource is a source of random numbers for services that are played at once.
type sharedSource struct {
	mu  sync.Mutex
	src rand.Source
}

// Uint64 draws while no other service does.
func (s *sharedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.src.Uint64()
}

// played is the state of the row of a service.
type played struct {
	Engine playbook.Snapshot `json:"engine"`
	Timers int               `json:"timers"`        // set so far
	Wake   time.Time         `json:"wake,omitzero"` // of the latest, until it fires
}

// Apply takes events about one service, which all of them name, whatever their
// kind, and writes what follows from them in one transaction. It returns what is now
// to be done, all of which is in the outbox. The error is a [*playbook.EventError]
// for an event that cannot be taken; then none is.
func (p *Player) Apply(ctx context.Context, events ...playbook.Event) (intents []playbook.Intent, err error) {
	for range tries {
		err = p.store.Do(ctx, func(tx *Tx) error {
			intents, err = p.ApplyIn(ctx, tx, events...)
			return err
		})
		if !errors.Is(err, ErrConflict) { // another process made the same row
			break
		}
	}
	return intents, err
}

// ApplyIn is Apply as a part of a transaction; see [Store.Do].
func (p *Player) ApplyIn(ctx context.Context, tx *Tx, events ...playbook.Event) ([]playbook.Intent, error) {
	if len(events) == 0 {
		return nil, nil
	}
	b := p.bundle(tx)
	intents, err := b.change(ctx, events[0].Service, events[len(events)-1].At, func(e *playbook.Engine) error {
		for _, event := range events {
			if event.Service != events[0].Service {
				return fmt.Errorf("sqlstore: player: events about the services %q and %q", events[0].Service, event.Service)
			}
			if err := e.Apply(event); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return intents, b.write(ctx)
}

// Fire does what is due in the service of a timer; it is for [Store.Fire].
func (p *Player) Fire(ctx context.Context, tx *Tx, l escalation.Lease) error {
	var service string
	if err := json.Unmarshal(l.Payload, &service); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	b := p.bundle(tx)
	b.fired = l.Key
	if _, err := b.change(ctx, service, l.At, nil); err != nil {
		return err
	}
	return b.write(ctx)
}

// Carry carries out the action of a task of kind [PlaybookDo] and reports its
// result; it is for the Handle of a runner. The action has the time that its intent
// says, however long the runner allows; it is stopped when the lease is lost. Nil
// means that nothing is left to do for this task, not that the action went well.
func (p *Player) Carry(ctx context.Context, l escalation.Lease) error {
	claimed := p.config.Now()
	var i playbook.Intent
	if err := json.Unmarshal(l.Payload, &i); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	now := func() time.Time { return l.At.Add(p.config.Now().Sub(claimed)) } // by the clock of the store
	mine, err := p.begin(ctx, i, now())
	if err != nil || !mine {
		return err
	}
	outlive := context.WithoutCancel(ctx)
	work, cancel := context.WithTimeout(outlive, i.Deadline.Sub(now()))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) { // the lease is lost, and not the time of the runner over
			cancel()
		}
	})
	defer stop()
	outcome, text := p.config.Actions.Carry(work, i)
	report := playbook.Event{Kind: playbook.Report, At: now(), Service: i.Service, Step: i.Step, Attempt: i.Attempt, Outcome: outcome, Text: plain(text)}
	// What was done and is not reported would be in doubt for ever.
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		_, err = p.Apply(outlive, report)
		if bad := (*playbook.EventError)(nil); err == nil || errors.As(err, &bad) || wait > 10*time.Second {
			return err
		}
		<-time.After(wait)
	}
}

// begin puts on record that an attempt begins, if it is wanted still and nobody has
// begun it. One that somebody has is in doubt now.
func (p *Player) begin(ctx context.Context, i playbook.Intent, at time.Time) (mine bool, err error) {
	err = p.store.Do(ctx, func(tx *Tx) error {
		mine = false
		b := p.bundle(tx)
		_, err := b.change(ctx, i.Service, at, func(e *playbook.Engine) error {
			report := playbook.Event{Kind: playbook.Report, At: at, Step: i.Step, Attempt: i.Attempt}
			begun, err := nanos(at)
			if err != nil || !e.Current(i.Step, i.Attempt) || !at.Before(i.Deadline) {
				return err
			}
			if why := e.Halted(); why != "" {
				report.Outcome, report.Text = playbook.NotDone, why
				return e.Apply(report)
			}
			n, err := affected(tx.tx.ExecContext(ctx, p.sql.begin, p.tenant, i.Step, i.Attempt, begun))
			if err != nil || n == 1 {
				mine = err == nil
				return err
			}
			report.Outcome, report.Text = playbook.Uncertain, "whoever had begun it lost its lease"
			return e.Apply(report)
		})
		if err != nil {
			return err
		}
		return b.write(ctx)
	})
	return mine && err == nil, err
}

// Halt is the kill switch: nothing begins any more in the tenant, or everywhere in
// the store, until [Player.Release]. Who asks for an action to begin after Halt has
// returned is refused. What runs goes on.
func (p *Player) Halt(ctx context.Context, by, reason string, everywhere bool) error {
	if by == "" {
		return &playbook.EventError{Kind: playbook.Halt, Field: "by", Want: "a person"}
	}
	_, err := p.store.db.ExecContext(ctx, p.sql.halt, p.scope(everywhere), plain(by), plain(reason))
	return err
}

// Release takes back a [Player.Halt] of the same extent. What was blocked meanwhile
// stays so.
func (p *Player) Release(ctx context.Context, everywhere bool) error {
	_, err := p.store.db.ExecContext(ctx, p.sql.halt, p.scope(everywhere), "", "")
	return err
}

func (p *Player) scope(everywhere bool) string {
	if everywhere {
		return "" // which is nobody's tenant
	}
	return p.tenant
}

// Resume is for the start of the only process that works on the store, after its
// predecessor has died: it need not wait for the end of leases. Attempts that had
// begun and have no result are in doubt and so repeated or left to a person; tasks
// that the dead process held are free. It returns how many attempts were in doubt.
// Where several processes share a store, leases do the same by themselves.
func (p *Player) Resume(ctx context.Context, at time.Time) (int, error) {
	found, err := p.store.db.QueryContext(ctx, p.sql.interrupted, p.tenant)
	if err != nil {
		return 0, err
	}
	all, err := scan(found, func(a *interrupted) []any { return []any{&a.service, &a.step, &a.number} })
	if err != nil {
		return 0, err
	}
	size := 1000 // services in one transaction
	if p.config.Playbooks.Limits != (playbook.Limits{}) {
		size = 1 // each counts what those before it have begun
	}
	for batch := range slices.Chunk(slices.Collect(chunkBy(all, func(a interrupted) string { return a.service })), size) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		ctx := context.WithoutCancel(ctx) // which each statement would watch
		err := p.store.Do(ctx, func(tx *Tx) error {
			b := p.bundle(tx)
			b.bulk = map[string]*sql.Stmt{}
			rows := make([]Incident, len(batch))
			for i, attempts := range batch {
				if rows[i], err = b.read(ctx, attempts[0].service); err != nil {
					return err
				}
			}
			if err := b.askHalt(ctx); err != nil {
				return err
			}
			parts, err := onAllProcessors(batch, func(i int, attempts []interrupted) (*bundle, error) {
				return b.resumeOne(ctx, rows[i], at, attempts)
			})
			if err != nil {
				return err
			}
			for _, part := range parts {
				b.merge(part)
			}
			return b.write(ctx)
		})
		if err != nil {
			return 0, err
		}
	}
	for _, q := range []*Queue{p.store.timers, p.store.outbox} {
		free := p.store.dialect.text(`UPDATE ` + q.name + ` SET wake = {now} WHERE tenant = $2 AND state = 2 AND wake > {now} AND kind LIKE 'playbook%'`)
		if _, err := p.store.db.ExecContext(ctx, free, p.store.clock(), p.tenant); err != nil {
			return 0, q.wrap("free", err)
		}
		q.nudge()
	}
	return len(all), nil
}

// interrupted is an attempt that had begun and has no result.
type interrupted struct {
	service, step string
	number        int
}

// resumeOne has the interrupted attempts of a service in doubt. It may be called
// concurrently, but not where there are limits.
func (b *bundle) resumeOne(ctx context.Context, row Incident, at time.Time, attempts []interrupted) (*bundle, error) {
	part := b.player.bundle(b.tx)
	part.mu, part.halt, part.asked, part.locked = b.mu, b.halt, true, b.locked
	_, err := part.play(ctx, b.player.revive(attempts[0].service, row), at, func(e *playbook.Engine) error {
		for _, a := range attempts {
			report := playbook.Event{Kind: playbook.Report, At: at, Step: a.step, Attempt: a.number, Outcome: playbook.Uncertain, Text: "the process ended during the attempt"}
			if err := e.Apply(report); err != nil {
				return err
			}
		}
		return nil
	})
	return part, err
}

// merge takes over what another bundle of the transaction has collected.
func (b *bundle) merge(part *bundle) {
	b.rows, b.entries = append(b.rows, part.rows...), append(b.entries, part.entries...)
	b.decided, b.ended = append(b.decided, part.decided...), append(b.ended, part.ended...)
	b.closed, b.reopened = append(b.closed, part.closed...), append(b.reopened, part.reopened...)
	b.changes.Timers, b.changes.Outbox = append(b.changes.Timers, part.changes.Timers...), append(b.changes.Outbox, part.changes.Outbox...)
}

// onAllProcessors maps a list, several elements at a time, and joins the errors.
func onAllProcessors[T, U any](list []T, do func(int, T) (U, error)) ([]U, error) {
	out, errs := make([]U, len(list)), make([]error, len(list))
	var workers sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
				out[i], errs[i] = do(i, list[i])
			}
		})
	}
	workers.Wait()
	return out, errors.Join(errs...)
}

// chunkBy yields the stretches of a sorted list with the same key.
func chunkBy[T any, K comparable](all []T, key func(T) K) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for start, i := 0, 1; i <= len(all); i++ {
			if i == len(all) || key(all[i]) != key(all[start]) {
				if !yield(all[start:i]) {
					return
				}
				start = i
			}
		}
	}
}

// Runs returns the runs of a service that its state has, in the order in which they
// began.
func (p *Player) Runs(ctx context.Context, service string) ([]playbook.Run, error) {
	row, err := p.store.Incident(ctx, p.tenant, p.config.Prefix+service)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	var state played
	if err == nil {
		err = json.Unmarshal(row.State, &state)
	}
	return state.Engine.Runs, err
}

// Entries returns what was decided and learnt about a service.
func (p *Player) Entries(ctx context.Context, service string) ([]playbook.Entry, error) {
	lines, err := p.store.Timeline(ctx, p.tenant, p.config.Prefix+service)
	entries := make([]playbook.Entry, len(lines))
	for i, line := range lines {
		err = errors.Join(err, json.Unmarshal(line, &entries[i]))
	}
	return entries, err
}

// Attempt is one attempt of an action as it is on record.
type Attempt struct {
	Step    string
	Attempt int
	Action  string
	Decided time.Time
	Begun   time.Time // zero: nobody has
	Ended   time.Time // zero: no result
	Outcome playbook.Outcome
	Result  string
}

// Attempts returns the attempts of all actions on a service, in the order in which
// they were decided.
func (p *Player) Attempts(ctx context.Context, service string) ([]Attempt, error) {
	found, err := p.store.db.QueryContext(ctx, p.sql.attempts, p.tenant, service)
	if err != nil {
		return nil, err
	}
	type stored struct {
		Attempt
		decided      int64
		begun, ended sql.NullInt64
	}
	all, err := scan(found, func(s *stored) []any {
		return []any{&s.Step, &s.Attempt.Attempt, &s.Action, &s.decided, &s.begun, &s.ended, &s.Outcome, &s.Result}
	})
	out := make([]Attempt, len(all))
	for i, s := range all {
		if s.Decided = instant(s.decided); s.begun.Valid {
			s.Begun = instant(s.begun.Int64)
		}
		if s.ended.Valid {
			s.Ended = instant(s.ended.Int64)
		}
		out[i] = s.Attempt
	}
	return out, err
}

// Prune forgets the attempts of runs that have ended and that were decided before an
// instant, and returns how many.
func (p *Player) Prune(ctx context.Context, before time.Time) (int, error) {
	n, err := nanos(before)
	if err != nil {
		return 0, err
	}
	return affected(p.store.db.ExecContext(ctx, p.sql.prune, p.tenant, n))
}

// bundle collects what changes in one transaction, so that it is written by few
// statements.
type bundle struct {
	player *Player
	tx     *Tx
	mu     *sync.Mutex          // of the transaction, where several bundles share it
	bulk   map[string]*sql.Stmt // prepared, for a bundle of many services; nil for others
	locked bool                 // the limits of the tenant
	asked  bool                 // of the kill switch
	halt   playbook.Event       // the answer
	fired  string               // key of the timer that is handled

	changes                          Change
	rows                             []Incident
	entries                          []playbook.Entry
	decided, ended, closed, reopened []attemptRow
}

type attemptRow struct {
	Tenant  string           `json:"of_tenant"`
	Step    string           `json:"of_step,omitempty"`
	Attempt int              `json:"of_attempt,omitempty"`
	Run     string           `json:"of_run,omitempty"`
	Service string           `json:"of_service,omitempty"`
	Action  string           `json:"of_action,omitempty"`
	Changes int              `json:"of_changes"`
	At      int64            `json:"of_at"`
	Outcome playbook.Outcome `json:"of_outcome"`
	Text    string           `json:"of_text"`
}

func (p *Player) bundle(tx *Tx) *bundle {
	return &bundle{player: p, tx: tx, mu: &sync.Mutex{}, changes: Change{Tenant: p.tenant}}
}

// change locks a service, lets decide change its engine, and takes the steps that
// are due.
func (b *bundle) change(ctx context.Context, service string, at time.Time, decide func(*playbook.Engine) error) ([]playbook.Intent, error) {
	row, err := b.read(ctx, service)
	if err != nil {
		return nil, err
	}
	r := b.player.revive(service, row)
	return b.play(ctx, r, at, decide)
}

// read locks the row of a service and reads it; one that is not there has version 0.
func (b *bundle) read(ctx context.Context, service string) (Incident, error) {
	id := b.player.config.Prefix + service
	if err := b.lockLimits(ctx); err != nil {
		return Incident{}, err
	}
	found, err := b.prepared(ctx, b.player.store.lockIncident)
	if err != nil {
		return Incident{}, err
	}
	var row Incident
	if found != nil {
		row, err = readIncident(id, found.QueryRowContext(ctx, b.player.tenant, id))
	} else {
		row, err = b.tx.Incident(ctx, b.player.tenant, id)
	}
	if errors.Is(err, ErrNotFound) {
		return Incident{ID: id}, nil
	}
	return row, err
}

// revived is a service with its engine.
type revived struct {
	service string
	row     Incident
	state   played
	engine  *playbook.Engine
	entries []playbook.Entry // as they come
	err     error
}

// revive makes the engine of a service from its row. It may be called concurrently.
func (p *Player) revive(service string, row Incident) *revived {
	r := &revived{service: service, row: row}
	r.engine = p.engine.ForService(service, func(x playbook.Entry) { r.entries = append(r.entries, x) })
	if r.engine == nil {
		r.err = &playbook.EventError{Field: "service", Value: service, Want: "a registered service"}
		return r
	}
	if row.Version > 0 {
		if r.err = json.Unmarshal(row.State, &r.state); r.err == nil {
			r.err = r.engine.Restore(r.state.Engine)
		}
	}
	return r
}

// play lets decide change an engine and takes the steps that are due.
func (b *bundle) play(ctx context.Context, r *revived, at time.Time, decide func(*playbook.Engine) error) ([]playbook.Intent, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := b.control(ctx, r.engine, r.service, at); err != nil {
		return nil, err
	}
	if decide != nil {
		if err := decide(r.engine); err != nil {
			return nil, err
		}
	}
	if err := b.missed(ctx, r.engine, at); err != nil {
		return nil, err
	}
	intents := r.engine.Step(at)
	r.engine.Forget(at.Add(-b.player.config.Keep))
	return intents, b.add(r, intents)
}

// missed reports attempts that are over and that nobody has begun: those had no
// effect for certain, which the engine cannot know.
func (b *bundle) missed(ctx context.Context, e *playbook.Engine, at time.Time) error {
	for _, r := range e.Runs() {
		for _, s := range r.Steps {
			if s.Status != playbook.Running || s.Until.After(at) {
				continue
			}
			var n int
			b.mu.Lock()
			err := b.tx.tx.QueryRowContext(ctx, b.player.sql.notBegun, b.player.tenant, s.Key, s.Attempt).Scan(&n)
			b.mu.Unlock()
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			report := playbook.Event{Kind: playbook.Report, At: at, Step: s.Key, Attempt: s.Attempt, Outcome: playbook.NotDone, Text: "nobody had begun it in time"}
			if err := e.Apply(report); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockLimits has the transactions of a tenant with limits take turns.
func (b *bundle) lockLimits(ctx context.Context) error {
	if b.locked || b.player.config.Playbooks.Limits == (playbook.Limits{}) {
		return nil
	}
	b.locked = true
	if _, err := b.tx.tx.ExecContext(ctx, b.player.sql.ensure, b.player.tenant); err != nil {
		return err
	}
	var tenant string
	return b.tx.tx.QueryRowContext(ctx, b.player.sql.lock, b.player.tenant).Scan(&tenant)
}

// askHalt asks for the kill switch, once for the bundle.
func (b *bundle) askHalt(ctx context.Context) error {
	if b.asked {
		return nil
	}
	b.halt = playbook.Event{Kind: playbook.Halt}
	switch err := b.tx.tx.QueryRowContext(ctx, b.player.sql.halted, b.player.tenant).Scan(&b.halt.By, &b.halt.Text); {
	case errors.Is(err, sql.ErrNoRows):
		b.halt.Kind = playbook.Release
	case err != nil:
		return err
	}
	b.asked = true
	return nil
}

// control tells an engine of the kill switch and of what other services use.
func (b *bundle) control(ctx context.Context, e *playbook.Engine, service string, at time.Time) error {
	if err := b.askHalt(ctx); err != nil {
		return err
	}
	b.halt.At = at
	if err := e.Apply(b.halt); err != nil {
		return err
	}
	limits := b.player.config.Playbooks.Limits
	if limits == (playbook.Limits{}) {
		return nil
	}
	var used playbook.Usage
	if err := b.tx.tx.QueryRowContext(ctx, b.player.sql.open, b.player.tenant, service).Scan(&used.Running, &used.Services); err != nil {
		return err
	}
	if limits.Begun > 0 {
		after, err := nanos(at.Add(-limits.Per))
		if err == nil {
			err = b.tx.tx.QueryRowContext(ctx, b.player.sql.recent, b.player.tenant, service, after).Scan(&used.Begun)
		}
		if err != nil {
			return err
		}
	}
	e.Elsewhere(used)
	return nil
}

// add takes what has become of a service into the bundle.
func (b *bundle) add(r *revived, intents []playbook.Intent) error {
	row := r.row
	for _, x := range r.entries {
		at, err := nanos(x.At)
		if err != nil {
			return err
		}
		switch x.Kind {
		case playbook.Reported:
			b.ended = append(b.ended, attemptRow{Step: x.Step, Attempt: x.Attempt, At: at, Outcome: x.Outcome, Text: strings.TrimPrefix(strings.TrimPrefix(x.Text, string(x.Outcome)), ": ")})
		case playbook.RunEnded:
			b.closed = append(b.closed, attemptRow{Run: x.Run})
		case playbook.UndoBegan:
			b.reopened = append(b.reopened, attemptRow{Run: x.Run})
		default:
		}
		line, err := json.Marshal(x)
		if err != nil {
			return err
		}
		row.Entries = append(row.Entries, line)
	}
	b.entries = append(b.entries, r.entries...)
	for _, i := range intents {
		task, err := b.task(i)
		if err != nil {
			return err
		}
		b.changes.Outbox = append(b.changes.Outbox, task)
	}
	err := b.timer(row.ID, &r.state, r.engine)
	if err != nil {
		return err
	}
	r.state.Engine = r.engine.Snapshot()
	if row.State, err = json.Marshal(r.state); err == nil {
		b.rows = append(b.rows, row)
	}
	return err
}

// task is an intent for the outbox.
func (b *bundle) task(i playbook.Intent) (escalation.Task, error) {
	payload, err := json.Marshal(i)
	if err != nil {
		return escalation.Task{}, err
	}
	task := escalation.Task{Key: i.Key, Kind: "playbook." + string(i.Kind), Due: i.At, Payload: payload}
	if i.Kind == playbook.Do {
		task.Key += "/attempt/" + strconv.Itoa(i.Attempt)
		at, err := nanos(i.At)
		if err != nil {
			return task, err
		}
		x := attemptRow{Step: i.Step, Attempt: i.Attempt, Run: i.Run, Service: i.Service, Action: i.Action, At: at}
		if i.Changes {
			x.Changes = 1
		}
		b.decided = append(b.decided, x)
	}
	return task, nil
}

// timer sets a timer of a service if something is due before the one that is set.
// One that is set too early does nothing but set the next; so none is withdrawn.
func (b *bundle) timer(id string, state *played, e *playbook.Engine) error {
	key := func() string { return id + "/" + strconv.Itoa(state.Timers) }
	if b.fired == key() {
		state.Wake = time.Time{}
	}
	wake, ok := e.NextWake()
	if !ok || !state.Wake.IsZero() && !wake.Before(state.Wake) {
		return nil
	}
	state.Wake = wake
	state.Timers++
	payload, err := json.Marshal(strings.TrimPrefix(id, b.player.config.Prefix))
	b.changes.Timers = append(b.changes.Timers, escalation.Task{Key: key(), Kind: PlaybookTimer, Due: wake, Payload: payload})
	return err
}

// write writes the bundle. A run that is taken back and ends at once, because all of
// that is blocked, is reopened before it is closed.
func (b *bundle) write(ctx context.Context) error {
	for _, part := range []struct {
		statement string
		rows      []attemptRow
	}{{b.player.sql.decide, b.decided}, {b.player.sql.end, b.ended}, {b.player.sql.reopen, b.reopened}, {b.player.sql.close, b.closed}} {
		if len(part.rows) == 0 {
			continue
		}
		for i := range part.rows {
			part.rows[i].Tenant = b.player.tenant
		}
		list, err := json.Marshal(part.rows)
		if err == nil {
			_, err = b.tx.tx.ExecContext(ctx, part.statement, string(list))
		}
		if err != nil {
			return fmt.Errorf("sqlstore: player: %w", err)
		}
	}
	for _, row := range b.rows {
		if err := b.writeRow(ctx, row); err != nil {
			return fmt.Errorf("sqlstore: player: %q: %w", row.ID, err)
		}
	}
	if err := b.tx.Write(ctx, b.changes); err != nil {
		return err
	}
	if record := b.player.config.Record; record != nil && len(b.entries) > 0 {
		return record(ctx, b.tx, b.entries)
	}
	return nil
}

func (b *bundle) writeRow(ctx context.Context, row Incident) error {
	var n int
	var err error
	if row.Version == 0 {
		n, err = affected(b.exec(ctx, b.player.store.insertIncident, b.player.tenant, row.ID, string(row.State), nil))
	} else {
		n, err = affected(b.exec(ctx, b.player.store.updateIncident, string(row.State), b.player.tenant, row.ID, row.Version, nil))
	}
	if err == nil && n != 1 {
		err = ErrConflict
	}
	for _, entry := range row.Entries {
		if err == nil {
			_, err = b.exec(ctx, b.player.store.appendEntry, b.player.tenant, row.ID, string(entry))
		}
	}
	return err
}

func (b *bundle) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	prepared, err := b.prepared(ctx, statement)
	switch {
	case err != nil:
		return nil, err
	case prepared != nil:
		return prepared.ExecContext(ctx, args...)
	}
	return b.tx.tx.ExecContext(ctx, statement, args...)
}

// prepared returns a statement for many rows, which ends with the transaction; nil
// where that is not worth it.
func (b *bundle) prepared(ctx context.Context, statement string) (*sql.Stmt, error) {
	if b.bulk == nil || b.bulk[statement] != nil {
		return b.bulk[statement], nil
	}
	prepared, err := b.tx.tx.PrepareContext(ctx, statement)
	if err == nil {
		b.bulk[statement] = prepared
	}
	return prepared, err
}
