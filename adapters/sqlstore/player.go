package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

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
// kinds of tasks begin with "playbook". It is safe for concurrent use.
type Player struct {
	store  *Store
	config PlayerConfig
	tenant string
	engine *playbook.Engine // of all services; each is run by one made from it
	sql    playerStatements
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
	return &Player{store: s, config: c, tenant: c.Playbooks.Tenant, engine: engine, sql: newPlayerStatements(s.dialect.text)}, nil
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
	b := p.batch(tx)
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
	b := p.batch(tx)
	b.fired = l.Key
	if _, err := b.change(ctx, service, l.At, nil); err != nil {
		return err
	}
	return b.write(ctx)
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
