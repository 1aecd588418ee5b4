package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// batch collects what changes in one transaction, so that it is written by few
// statements.
type batch struct {
	player *Player
	tx     *Tx
	mu     *sync.Mutex    // of the transaction, where several batches share it
	locked bool           // the limits of the tenant
	asked  bool           // of the kill switch
	halt   playbook.Event // the answer
	fired  string         // key of the timer that is handled

	changes                          Change
	rows                             []Incident // without entries, which are in lines
	lines                            []stateRow
	entries                          []playbook.Entry
	decided, ended, closed, reopened []attemptRow
}

func (p *Player) batch(tx *Tx) *batch {
	return &batch{player: p, tx: tx, mu: &sync.Mutex{}, changes: Change{Tenant: p.tenant}}
}

// change locks a service, lets decide change its engine, and takes the steps that
// are due.
func (b *batch) change(ctx context.Context, service string, at time.Time, decide func(*playbook.Engine) error) ([]playbook.Intent, error) {
	row, err := b.read(ctx, service)
	if err != nil {
		return nil, err
	}
	r := b.player.revive(service, row)
	return b.play(ctx, r, at, decide)
}

// read locks the row of a service and reads it; one that is not there has version 0.
func (b *batch) read(ctx context.Context, service string) (Incident, error) {
	id := b.player.config.Prefix + service
	if err := b.lockLimits(ctx); err != nil {
		return Incident{}, err
	}
	row, err := b.tx.Incident(ctx, b.player.tenant, id)
	if errors.Is(err, ErrNotFound) {
		return Incident{ID: id}, nil
	}
	return row, err
}

// readAll is read for several services.
func (b *batch) readAll(ctx context.Context, services []string) (map[string]Incident, error) {
	if err := b.lockLimits(ctx); err != nil {
		return nil, err
	}
	ids, states := make([]string, len(services)), make(map[string]Incident, len(services))
	for i, service := range services {
		ids[i] = b.player.config.Prefix + service
		states[service] = Incident{ID: ids[i]}
	}
	all, err := b.tx.lockIncidents(ctx, b.player.tenant, ids)
	for _, row := range all {
		states[strings.TrimPrefix(row.ID, b.player.config.Prefix)] = row
	}
	return states, err
}

// merge takes over what another batch of the transaction has collected.
func (b *batch) merge(part *batch) {
	b.rows, b.lines, b.entries = append(b.rows, part.rows...), append(b.lines, part.lines...), append(b.entries, part.entries...)
	b.decided, b.ended = append(b.decided, part.decided...), append(b.ended, part.ended...)
	b.closed, b.reopened = append(b.closed, part.closed...), append(b.reopened, part.reopened...)
	b.changes.Timers, b.changes.Outbox = append(b.changes.Timers, part.changes.Timers...), append(b.changes.Outbox, part.changes.Outbox...)
}

// write writes the batch. A run that is taken back and ends at once, because all of
// that is blocked, is reopened before it is closed.
func (b *batch) write(ctx context.Context) error {
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
		if err := b.execRows(ctx, part.statement, part.rows); err != nil {
			return err
		}
	}
	if err := b.writeStates(ctx, b); err != nil {
		return err
	}
	if len(b.lines) > 0 {
		if err := b.execRows(ctx, b.player.store.appendAll, b.lines); err != nil {
			return err
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

// writeStates writes the states of services out of a batch, and takes them out.
func (b *batch) writeStates(ctx context.Context, part *batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, row := range part.rows {
		var n int
		var err error
		if row.Version == 0 {
			n, err = affected(b.tx.tx.ExecContext(ctx, b.player.store.insertIncident, b.player.tenant, row.ID, string(row.State), nil))
		} else {
			n, err = affected(b.tx.tx.ExecContext(ctx, b.player.store.updateIncident, string(row.State), b.player.tenant, row.ID, row.Version, nil))
		}
		if err == nil && n != 1 {
			err = ErrConflict
		}
		if err != nil {
			return fmt.Errorf("sqlstore: player: %q: %w", row.ID, err)
		}
	}
	part.rows = nil
	return nil
}

// execRows runs a statement on {rows}.
func (b *batch) execRows(ctx context.Context, statement string, rows any) error {
	list, err := json.Marshal(rows)
	if err == nil {
		_, err = b.tx.tx.ExecContext(ctx, statement, string(list))
	}
	if err != nil {
		return fmt.Errorf("sqlstore: player: %w", err)
	}
	return nil
}
