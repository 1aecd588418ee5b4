package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Escalator runs the escalation of incidents out of a store, in any number of
// processes at once. The state of each incident is an [escalation.Engine] of its
// own, kept in the row of the incident; whoever changes it locks the row, so an
// acknowledgement and a level that is due at the same instant come one after the
// other, and the second sees what the first has done.
//
// Its timers go to [Store.Timers] and come back through [Escalator.Fire]; pages
// and notices go to [Store.Outbox], with the [escalation.Action] as payload.
//
// An engine knows of its incident only: how many other incidents a person has
// open does not count in the choice.
type Escalator struct {
	store  *Store
	config escalation.Config
	prefix string
}

// NewEscalator returns an escalator for the tenant of the configuration. Prefix
// begins the ids of its rows; it keeps them apart from other uses of the incident
// table and may be empty.
func NewEscalator(s *Store, c escalation.Config, prefix string) (*Escalator, error) {
	if c.Tenant == "" {
		return nil, errors.New("sqlstore: escalator: tenant missing")
	}
	if _, err := escalation.NewEngine(c); err != nil {
		return nil, err
	}
	return &Escalator{store: s, config: c, prefix: prefix}, nil
}

// escalated is the state of an incident row.
type escalated struct {
	Engine json.RawMessage `json:"engine"`

	// Pages are the keys of the pages since the incident was last taken on.
	Pages []string `json:"pages,omitempty"`
}

// Apply applies an event and writes what follows from it, in one transaction. It
// returns what was put into the outbox or set as a timer. The error is an
// [*escalation.EventError] for an event that cannot be applied. Pages that nobody
// has begun to send are withdrawn when somebody acknowledges, resolves or merges
// the incident.
func (e *Escalator) Apply(ctx context.Context, event escalation.Event) (actions []escalation.Action, err error) {
	for range tries {
		err = e.store.Do(ctx, func(tx *Tx) error {
			actions, err = e.change(ctx, tx, event.Incident, func(engine *escalation.Engine) ([]escalation.Action, error) { return engine.Apply(event) },
				event.Kind == escalation.Acknowledged || event.Kind == escalation.Resolved || event.Kind == escalation.Merged)
			return err
		})
		if !errors.Is(err, ErrConflict) { // another process opened the same incident
			break
		}
	}
	return actions, err
}

// Fire fires the levels of the timer's incident that are due; it is for
// [Store.Fire].
func (e *Escalator) Fire(ctx context.Context, tx *Tx, l escalation.Lease) error {
	var timer escalation.Action
	if err := json.Unmarshal(l.Payload, &timer); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	_, err := e.change(ctx, tx, timer.Incident, func(engine *escalation.Engine) ([]escalation.Action, error) { return engine.Step(l.At), nil }, false)
	return err
}

// change locks an incident, decides, and writes the outcome.
func (e *Escalator) change(ctx context.Context, tx *Tx, id string, decide func(*escalation.Engine) ([]escalation.Action, error), taken bool) ([]escalation.Action, error) {
	row, err := tx.Incident(ctx, e.config.Tenant, e.prefix+id)
	var state escalated
	var engine *escalation.Engine
	switch {
	case errors.Is(err, ErrNotFound):
		row.ID = e.prefix + id
		engine, err = escalation.NewEngine(e.config)
	case err == nil:
		if err = json.Unmarshal(row.State, &state); err == nil {
			engine, err = escalation.Restore(e.config, state.Engine)
		}
	}
	if err != nil {
		return nil, err
	}
	before, _ := engine.Incident(id)
	actions, err := decide(engine)
	if err != nil {
		return nil, err
	}
	after, known := engine.Incident(id)
	if !known || len(actions) == 0 && len(after.Log) == len(before.Log) {
		return nil, nil // nothing has happened
	}
	change := Change{Tenant: e.config.Tenant}
	if taken {
		change.Withdraw, state.Pages = state.Pages, nil
	}
	for _, a := range actions {
		if err := change.add(a, &state); err != nil {
			return nil, err
		}
	}
	for _, entry := range after.Log[len(before.Log):] {
		line, err := json.Marshal(entry)
		if err != nil {
			return nil, err
		}
		row.Entries = append(row.Entries, line)
	}
	if state.Engine, err = engine.Snapshot(); err == nil {
		row.State, err = json.Marshal(state)
	}
	if err != nil {
		return nil, err
	}
	change.Incidents = []Incident{row}
	return actions, tx.Write(ctx, change)
}

// add puts an action to where it belongs.
func (c *Change) add(a escalation.Action, state *escalated) error {
	task, err := a.Task(c.Tenant)
	if err != nil {
		return err
	}
	switch a.Kind {
	case escalation.SetTimer:
		c.Timers = append(c.Timers, task)
	case escalation.CancelTimer:
		c.Cancel = append(c.Cancel, a.Key)
	case escalation.Page:
		state.Pages = append(state.Pages, a.Key)
		c.Outbox = append(c.Outbox, task)
	default:
		c.Outbox = append(c.Outbox, task)
	}
	return nil
}

// Incident returns the state of an incident, or ErrNotFound.
func (e *Escalator) Incident(ctx context.Context, id string) (escalation.View, error) {
	row, err := e.store.Incident(ctx, e.config.Tenant, e.prefix+id)
	if err != nil {
		return escalation.View{}, err
	}
	var state escalated
	if err := json.Unmarshal(row.State, &state); err != nil {
		return escalation.View{}, fmt.Errorf("incident %q: %w", id, err)
	}
	engine, err := escalation.Restore(e.config, state.Engine)
	if err != nil {
		return escalation.View{}, fmt.Errorf("incident %q: %w", id, err)
	}
	view, ok := engine.Incident(id)
	if !ok {
		return escalation.View{}, fmt.Errorf("incident %q: %w", id, ErrNotFound)
	}
	return view, nil
}
