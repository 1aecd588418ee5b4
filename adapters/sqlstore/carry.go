package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

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
		b := p.batch(tx)
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
			n, err := affected(tx.tx.ExecContext(ctx, p.sql.begin, p.tenant, i.Service, i.Step, i.Attempt, begun))
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
