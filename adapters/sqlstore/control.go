package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

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

// lockLimits has the transactions of a tenant with limits take turns.
func (b *batch) lockLimits(ctx context.Context) error {
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

// askHalt asks for the kill switch, once for the batch.
func (b *batch) askHalt(ctx context.Context) error {
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
func (b *batch) control(ctx context.Context, e *playbook.Engine, service string, at time.Time) error {
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
