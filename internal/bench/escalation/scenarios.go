package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const rounds = 5

// bursts lets 5,000 timers be due at one instant.
func (b *bench) bursts(ctx context.Context) error {
	bars := map[string]struct {
		rate int
		p99  time.Duration
	}{
		"sqlite_full":   {15000, 300 * time.Millisecond},
		"sqlite_normal": {20000, 150 * time.Millisecond},
		"postgres":      {10000, 400 * time.Millisecond},
	}
	for _, system := range systems {
		name := "escalation/burst_5k/" + system
		if !b.wants(name) || system == "postgres" && b.postgres == nil {
			continue
		}
		var each, p99 []time.Duration
		for range rounds {
			took, late, err := b.burst(ctx, system)
			if err != nil {
				return err
			}
			each, p99 = append(each, took/burst), append(p99, late)
		}
		goal := time.Second / time.Duration(bars[system].rate)
		if err := b.goal(name+"/each", median(each), goal); err != nil {
			return err
		}
		if err := b.goal(name+"/late_p99", median(p99), bars[system].p99); err != nil {
			return err
		}
	}
	return nil
}

// burst returns how long after their instant the last was completed and the ninety-ninth of a hundred handled.
func (b *bench) burst(ctx context.Context, system string) (took, p99 time.Duration, err error) {
	s, err := b.prepare(ctx, system)
	if err != nil {
		return 0, 0, err
	}
	defer s.db.Close()
	due := time.Now().Add(5 * time.Second)
	if err := schedule(ctx, s.Timers(), burst, "b", due); err != nil {
		return 0, 0, err
	}
	var late lateness
	end, err := drain(ctx, runner.Config{Timers: s.Timers(), Handle: func(context.Context, escalation.Lease) error {
		late.add(time.Since(due))
		return nil
	}}, burst)
	if err != nil {
		return 0, 0, err
	}
	slices.Sort(late.all)
	return end.Sub(due), late.all[len(late.all)*99/100], nil
}

// firings fires whole levels: state, timeline, outbox and completion in one transaction.
func (b *bench) firings(ctx context.Context) error {
	const n, goal = 2000, 2000
	for _, system := range systems {
		name := "escalation/whole_firing/" + system
		if !b.wants(name) || system == "postgres" && b.postgres == nil {
			continue
		}
		s, err := b.prepare(ctx, system)
		if err != nil {
			return err
		}
		defer s.db.Close()
		router, err := escalation.NewRouter(escalation.SampleRoster())
		if err != nil {
			return err
		}
		desk, err := sqlstore.NewEscalator(s.Store, escalation.Config{Tenant: "acme", Router: router}, "")
		if err != nil {
			return err
		}
		for i := range n {
			event := escalation.Event{Kind: escalation.Opened, Incident: fmt.Sprint("INC-", i), Severity: incident.P1, Domain: "kubernetes", At: time.Now().Add(-16 * time.Minute)}
			if _, err := desk.Apply(ctx, event); err != nil {
				return err
			}
		}
		start := time.Now()
		end, err := drain(ctx, runner.Config{Timers: s.Timers(), Batch: func(ctx context.Context, l []escalation.Lease) []error { return s.Fire(ctx, l, desk.Fire) }}, n)
		if err != nil {
			return err
		}
		if err := b.goal(name, end.Sub(start)/n, time.Second/goal); err != nil {
			return err
		}
	}
	return nil
}

// idle lets a runner wait for 20 s beside timers that are due later.
func (b *bench) idle(ctx context.Context) error {
	for _, system := range systems[1:] {
		name := "escalation/idle_20s/" + system + "/processor"
		if !b.wants(name) || system == "postgres" && b.postgres == nil {
			continue
		}
		s, err := b.prepare(ctx, system)
		if err != nil {
			return err
		}
		defer s.db.Close()
		if err := schedule(ctx, s.Timers(), burst, "i", time.Now().Add(time.Hour)); err != nil {
			return err
		}
		r, err := runner.New(runner.Config{Timers: s.Timers(), Handle: func(context.Context, escalation.Lease) error { return nil }})
		if err != nil {
			return err
		}
		limited, stop := context.WithTimeout(ctx, 20*time.Second)
		own := measure.ProcessorTime()
		err = r.Run(limited)
		own = measure.ProcessorTime() - own
		stop()
		if err != nil {
			return err
		}
		if err := b.goal(name, own, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// growth fires 5,000 timers while a million others wait, and while ten thousand do.
func (b *bench) growth(ctx context.Context) error {
	for _, system := range systems[1:] {
		name := "escalation/pending_1m_beside_10k/" + system
		if !b.wants(name) || system == "postgres" && b.postgres == nil {
			continue
		}
		var stores []*prepared
		for _, pending := range []int{1_000_000, 10_000} {
			s, err := b.prepare(ctx, system)
			if err != nil {
				return err
			}
			defer s.db.Close()
			if err := fill(ctx, s, pending); err != nil {
				return err
			}
			stores = append(stores, s)
		}
		var times [2][]float64
		var ratios []float64
		for round := range 2*rounds + 1 {
			var took [2]float64
			for i := range stores {
				side := (i + round) % len(stores) // who is first changes
				each, err := drainRound(ctx, stores[side], strconv.Itoa(round))
				if err != nil {
					return err
				}
				took[side] = float64(each)
			}
			if round == 0 {
				continue // both have warmed up
			}
			times[0], times[1], ratios = append(times[0], took[0]), append(times[1], took[1]), append(ratios, took[1]/took[0])
		}
		r := median(ratios)
		if err := b.line(name, "10k", median(times[0]), median(times[0])*r, 1/1.1); err != nil {
			return err
		}
	}
	return nil
}

// fill puts timers into the table that are due in the years to come.
func fill(ctx context.Context, s *prepared, n int) error {
	const columns = `INSERT INTO timer (tenant, key, kind, payload, due, wake, state) `
	query := `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d)
		SELECT 'acme', 'acme/INC-' || i || '/1/L2', 'set_timer', '{"level":2}', %[2]d + i * 1000000000, %[2]d + i * 1000000000, 1 FROM n`
	if s.Dialect() == sqlstore.PostgreSQL {
		query = `SELECT 'acme', 'acme/INC-' || i || '/1/L2', 'set_timer', '{"level":2}', %[2]d + i * 1000000000, %[2]d + i * 1000000000, 1 FROM generate_series(1::bigint, %[1]d) AS i`
	}
	if _, err := s.db.ExecContext(ctx, columns+fmt.Sprintf(query, n, time.Now().Add(24*time.Hour).UnixNano())); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, `ANALYZE`)
	return err
}

// drainRound returns how long one of 5,000 overdue timers takes.
func drainRound(ctx context.Context, s *prepared, name string) (time.Duration, error) {
	if err := schedule(ctx, s.Timers(), burst, "r"+name, time.Now().Add(-time.Second)); err != nil {
		return 0, err
	}
	start := time.Now()
	end, err := drain(ctx, runner.Config{Timers: s.Timers(), Handle: func(context.Context, escalation.Lease) error { return nil }}, burst)
	return end.Sub(start) / burst, err
}

// victimEnv holds system and address for a process that is killed.
const victimEnv = "EVENKEEL_VICTIM"

const lease = 3 * time.Second

// victim handles a timer, for ever, and says so.
func victim() error {
	var o [2]string
	if err := json.Unmarshal([]byte(os.Getenv(victimEnv)), &o); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := open(o[0], o[1])
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		return err
	}
	r, err := runner.New(runner.Config{Timers: store.Timers(), Lease: lease, Handle: func(context.Context, escalation.Lease) error {
		fmt.Println("held")
		select {}
	}})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// takeovers kills a process in the middle of its timer and waits until another has it.
func (b *bench) takeovers(ctx context.Context) error {
	for _, system := range []string{"sqlite_full", "postgres"} {
		name := "escalation/takeover_after_kill/" + system
		if !b.wants(name) || system == "postgres" && b.postgres == nil {
			continue
		}
		var took []time.Duration
		for range 3 {
			d, err := b.takeover(ctx, system)
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		if err := b.goal(name, slices.Max(took), lease+250*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) takeover(ctx context.Context, system string) (time.Duration, error) {
	dsn, err := b.fresh(ctx, system)
	if err != nil {
		return 0, err
	}
	db, err := open(system, dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		return 0, err
	}
	if err := schedule(ctx, store.Timers(), 1, "t", time.Now()); err != nil {
		return 0, err
	}
	orders, err := json.Marshal([2]string{system, dsn})
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+string(orders))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return 0, err
	}
	if _, err := out.Read(make([]byte, 8)); err != nil {
		return 0, fmt.Errorf("victim: %w", err)
	}
	killed := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		return 0, err
	}
	_ = cmd.Wait()
	end, err := drain(ctx, runner.Config{Timers: store.Timers(), Lease: lease, Handle: func(context.Context, escalation.Lease) error { return nil }}, 1)
	return end.Sub(killed), err
}
