package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Escalator runs the escalation of incidents out of a store, in any number of
// processes at once. The state of each incident is an [escalation.Engine.Part] in
// the row of the incident; whoever changes it locks the row, so an
// acknowledgement and a level that is due at the same instant come one after the
// other, and the second sees what the first has done.
//
// Its timers go to [Store.Timers] and come back through [Escalator.Fire]; pages
// and notices go to [Store.Outbox], with the [escalation.Action] as payload.
//
// # What incidents share
//
// How many incidents people have open, and when they were last paged, is counted
// over all escalators of the tenant. It is read without a lock: of two incidents
// that are opened at the same instant on PostgreSQL, neither counts for the other,
// so a person may come to have one above their maximum.
//
// Bundles, page limits and turns are exact. A configuration that has any of them
// keeps what incidents share in the snapshot named prefix + "escalation", which
// every change locks first; the changes of a tenant then come one after the other.
// Without them there is no such lock. An incident that began under round-robin
// steps which the configuration does not have any more begins with their first
// target. It is safe for concurrent use.
type Escalator struct {
	store  *Store
	tenant string
	prefix string
	engine *escalation.Engine // knows no incident; those that decide are its forks
	locks  bool
}

// NewEscalator returns an escalator for the tenant of the configuration. Prefix
// begins the ids of its rows; it keeps them apart from other uses of the incident
// table and may be empty. The error joins [*escalation.ConfigError]s.
func NewEscalator(s *Store, c escalation.Config, prefix string) (*Escalator, error) {
	if c.Tenant == "" {
		return nil, &escalation.ConfigError{Path: "tenant", Want: "a name"}
	}
	engine, err := escalation.NewEngine(c)
	if err != nil {
		return nil, err
	}
	return &Escalator{store: s, tenant: c.Tenant, prefix: prefix, engine: engine, locks: exact(c)}, nil
}

// exact reports whether a configuration has features for which the changes of
// different incidents have to come one after the other.
func exact(c escalation.Config) bool {
	if c.Bundle > 0 || c.PageLimit.Pages > 0 || turns(c.Matrix) {
		return true
	}
	for _, m := range c.Policies {
		if turns(m) {
			return true
		}
	}
	return false
}

func turns(m escalation.Matrix) bool {
	for _, p := range m {
		if slices.ContainsFunc(p.Steps, func(s escalation.Step) bool { return s.RoundRobin }) {
			return true
		}
	}
	return false
}

// Apply applies an event and writes what follows from it, in one transaction. It
// returns what was decided. The error is an [*escalation.EventError] for an event
// that cannot be applied. Of the pages that the event withdraws, those that nobody
// has begun to send are not sent.
func (e *Escalator) Apply(ctx context.Context, event escalation.Event) (actions []escalation.Action, err error) {
	for range tries {
		err = e.store.Do(ctx, func(tx *Tx) error {
			d := decision{Escalator: e, tx: tx, at: event.At}
			if err := d.read(ctx, event.Incident, &event); err != nil {
				return err
			}
			if actions, err = d.engine.Apply(event); err != nil {
				return err
			}
			return d.write(ctx, actions)
		})
		if !errors.Is(err, ErrConflict) { // another process opened the same incident
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return actions, nil
}

// Fire fires the levels of the timer's incident that are due; it is for
// [Store.Fire].
func (e *Escalator) Fire(ctx context.Context, tx *Tx, l escalation.Lease) error {
	var timer escalation.Action
	if err := json.Unmarshal(l.Payload, &timer); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	d := decision{Escalator: e, tx: tx, at: l.At}
	if err := d.read(ctx, timer.Incident, nil); err != nil {
		return err
	}
	return d.write(ctx, d.engine.Step(l.At))
}

// Incident returns the state of an incident, or ErrNotFound. Its bundle are those
// that are open.
func (e *Escalator) Incident(ctx context.Context, id string) (escalation.View, error) {
	row, err := e.store.Incident(ctx, e.tenant, e.prefix+id)
	if err != nil {
		return escalation.View{}, err
	}
	view, err := e.view(row, id)
	if err == nil {
		view.Bundle, err = texts(e.store.db.QueryContext(ctx, e.store.bundleIDs, e.tenant, row.ID))
	}
	if err != nil {
		return escalation.View{}, fmt.Errorf("incident %q: %w", id, err)
	}
	for i, child := range view.Bundle {
		view.Bundle[i] = strings.TrimPrefix(child, e.prefix)
	}
	return view, nil
}

func (e *Escalator) view(row Incident, id string) (escalation.View, error) {
	var state escalated
	if err := json.Unmarshal(row.State, &state); err != nil {
		return escalation.View{}, err
	}
	engine, err := e.engine.Fork(escalation.Shared{}, state.Engine)
	if err != nil {
		return escalation.View{}, err
	}
	view, ok := engine.Incident(id)
	if !ok {
		err = ErrNotFound
	}
	return view, err
}
