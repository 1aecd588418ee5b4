package sqlstore

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// played is the state of the row of a service.
type played struct {
	Engine playbook.Snapshot `json:"engine"`
	Timers int               `json:"timers"`        // set so far
	Wake   time.Time         `json:"wake,omitzero"` // of the latest, until it fires
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
func (b *batch) play(ctx context.Context, r *revived, at time.Time, decide func(*playbook.Engine) error) ([]playbook.Intent, error) {
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
	r.engine.Prune(at.Add(-b.player.config.Keep))
	return intents, b.add(r, intents)
}

// missed reports attempts that are over and that nobody has begun: those had no
// effect for certain, which the engine cannot know.
func (b *batch) missed(ctx context.Context, e *playbook.Engine, at time.Time) error {
	for _, r := range e.Runs() {
		for _, s := range r.Steps {
			if s.Status != playbook.Running || s.Until.After(at) {
				continue
			}
			var n int
			b.mu.Lock()
			err := b.tx.tx.QueryRowContext(ctx, b.player.sql.notBegun, b.player.tenant, r.Service, s.Key, s.Attempt).Scan(&n)
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

// add takes what has become of a service into the batch.
func (b *batch) add(r *revived, intents []playbook.Intent) error {
	row := r.row
	for i, x := range r.entries {
		at, err := nanos(x.At)
		if err != nil {
			return err
		}
		switch x.Kind {
		case playbook.Reported:
			b.ended = append(b.ended, attemptRow{Service: x.Service, Step: x.Step, Attempt: x.Attempt, At: at, Outcome: x.Outcome, Text: strings.TrimPrefix(strings.TrimPrefix(x.Text, string(x.Outcome)), ": ")})
		case playbook.RunEnded:
			b.closed = append(b.closed, attemptRow{Service: x.Service, Run: x.Run})
		case playbook.UndoBegan:
			b.reopened = append(b.reopened, attemptRow{Service: x.Service, Run: x.Run})
		default:
		}
		line, err := json.Marshal(x)
		if err != nil {
			return err
		}
		b.lines = append(b.lines, stateRow{Tenant: b.player.tenant, ID: row.ID, N: i + 1, Text: string(line)})
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
func (b *batch) task(i playbook.Intent) (escalation.Task, error) {
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
func (b *batch) timer(id string, state *played, e *playbook.Engine) error {
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
