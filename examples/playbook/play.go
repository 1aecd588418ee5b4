package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// simulate decides everything and does nothing.
func (in *inputs) simulate(context.Context) ([]playbook.Run, error) {
	runs, err := playbook.Simulate(in.config, slices.Values(in.events), in.now)
	return runs, program.Exit(program.Input, err)
}

func rehearsed(context.Context, playbook.Intent) (string, error) { return "rehearsed", nil }

// stage rehearses the actions out of a store, at a time of its own.
type stage struct {
	*inputs
	store  *sqlstore.Store
	player *sqlstore.Player
	at     time.Time
	coming []playbook.Event // approvals that somebody gives later, in the order of their time
}

// rehearse runs the playbooks out of a database, as a service would that is on for
// days, from one instant to the next. Every action goes well and takes no time.
func (in *inputs) rehearse(ctx context.Context) ([]playbook.Run, error) {
	db, err := open(in.db)
	if err != nil {
		return nil, program.Exit(program.Usage, fmt.Errorf("-db: %w", err))
	}
	defer db.Close()
	s := &stage{inputs: in}
	now := func() time.Time { return s.at }
	if s.store, err = sqlstore.Open(ctx, db, &sqlstore.Options{Now: now}); err != nil {
		return nil, program.Exit(program.Usage, fmt.Errorf("-db: %w", err))
	}
	actions := playbook.Actions{}
	for name, spec := range playbook.DefaultActions() {
		actions[cmp.Or(spec.Operation, name)] = in.carry
	}
	if s.player, err = sqlstore.NewPlayer(s.store, sqlstore.PlayerConfig{Playbooks: in.config, Actions: actions, Now: now}); err != nil {
		return nil, program.Exit(program.Input, err)
	}
	if err := s.resume(ctx); err != nil {
		return nil, err
	}
	for i := 0; i < len(in.events); {
		next := i
		for next < len(in.events) && in.events[next].At.Equal(in.events[i].At) {
			next++
		}
		if in.events[i].At.After(in.now) {
			break
		}
		if err := s.until(ctx, in.events[i].At); err != nil {
			return nil, err
		}
		if _, err := s.player.Apply(ctx, in.events[i:next]...); err != nil {
			return nil, program.Exit(program.Input, err)
		}
		if err := s.work(ctx); err != nil {
			return nil, err
		}
		i = next
	}
	if err := s.until(ctx, in.now.Add(1)); err != nil {
		return nil, err
	}
	return s.player.Runs(ctx, in.config.Services[0].ID)
}

// resume takes over from a process that was ended in the middle: what it had begun is
// in doubt from then on.
func (s *stage) resume(ctx context.Context) error {
	attempts, err := s.player.Attempts(ctx, s.config.Services[0].ID)
	if err != nil || len(attempts) == 0 {
		return err
	}
	for _, a := range attempts {
		for _, at := range []time.Time{a.Decided, a.Started} {
			if at.After(s.at) {
				s.at = at
			}
		}
	}
	_, err = s.player.Resume(ctx, s.at)
	return err
}

// open opens a database file, or one in memory.
func open(name string) (*sql.DB, error) {
	dsn := "file::memory:?_txlock=immediate"
	if name != "" {
		dsn = "file:" + name + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	db, err := sql.Open("sqlite", dsn)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// until does what falls due before an instant, and puts the clock there.
func (s *stage) until(ctx context.Context, end time.Time) error {
	for !s.at.IsZero() {
		next := end
		in, ok, err := s.store.Timers().NextWake(ctx)
		if err != nil {
			return err
		}
		if due := s.at.Add(in); ok && due.Before(next) {
			next = due
		}
		if len(s.coming) > 0 && s.coming[0].At.Before(next) {
			next = s.coming[0].At
		}
		if !next.Before(end) {
			break
		}
		s.at = next
		for len(s.coming) > 0 && !s.coming[0].At.After(s.at) {
			event := s.coming[0]
			s.coming = s.coming[1:]
			if _, err := s.player.Apply(ctx, event); err != nil {
				s.Notices = append(s.Notices, program.Notice{Code: "approval", Message: err.Error()})
			}
		}
		if err := s.work(ctx); err != nil {
			return err
		}
	}
	s.at = end
	return nil
}

// work does what is due now.
func (s *stage) work(ctx context.Context) error {
	for {
		timers, err := s.store.Timers().Claim(ctx, 100, time.Hour)
		if err != nil {
			return err
		}
		for _, err := range s.store.Fire(ctx, timers, s.player.Fire) {
			if err != nil {
				return err
			}
		}
		tasks, err := s.store.Outbox().Claim(ctx, 100, time.Hour)
		if err != nil {
			return err
		}
		for _, l := range tasks {
			if err := s.handle(ctx, l); err != nil {
				return err
			}
		}
		if _, err := s.store.Outbox().Complete(ctx, tasks...); err != nil {
			return err
		}
		if len(timers)+len(tasks) == 0 {
			return nil
		}
	}
}

func (s *stage) handle(ctx context.Context, l escalation.Lease) error {
	switch l.Kind {
	case sqlstore.PlaybookDo:
		return s.player.Carry(ctx, l)
	case sqlstore.PlaybookAsk:
		var i playbook.Intent
		if err := json.Unmarshal(l.Payload, &i); err != nil {
			return err
		}
		s.ask(i)
	}
	return nil
}

// ask looks for who approves or rejects a step from now on.
func (s *stage) ask(i playbook.Intent) {
	answer := func(a approvalFile) {
		event := playbook.Event{Kind: playbook.Approve, At: a.At, Service: i.Service, Step: i.Step, Hash: i.Hash, By: a.By, Role: a.Role, Text: a.Reason}
		if a.Reject {
			event.Kind = playbook.Reject
		}
		s.coming = append(s.coming, event)
	}
	if s.approved(i.Step) {
		answer(approvalFile{By: "operator", At: s.at, Reason: "-approve"})
	}
	for _, a := range s.approvals {
		if names([]string{a.Step}, i.Step) && !a.At.Before(s.at) {
			answer(a)
		}
	}
	slices.SortStableFunc(s.coming, func(a, b playbook.Event) int { return a.At.Compare(b.At) })
}
