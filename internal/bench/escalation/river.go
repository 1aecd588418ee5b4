package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
)

// beside handles 5,000 timers on PostgreSQL, ours and River's in turn: due at one instant while both run, and overdue before
// they start. The latter is the best case of River, which moves scheduled jobs to where it can fetch them every five seconds.
func (b *bench) beside(ctx context.Context) error {
	if err := b.besideBurst(ctx); err != nil {
		return err
	}
	return b.besideDrain(ctx)
}

func (b *bench) besideBurst(ctx context.Context) error {
	const name = "escalation/burst_5k_beside_river/postgres"
	if !b.wants(name) || b.postgres == nil {
		return nil
	}
	r, err := b.newRiver(ctx)
	if err != nil {
		return err
	}
	defer r.pool.Close()
	var ours, ratios []float64
	for range rounds {
		took, _, err := b.burst(ctx, "postgres")
		if err != nil {
			return err
		}
		theirs, err := r.drain(ctx, time.Now().Add(5*time.Second))
		if err != nil {
			return err
		}
		ours, ratios = append(ours, float64(took)/burst), append(ratios, float64(theirs)/float64(took))
	}
	return b.line(name, "river v0.51.1", median(ours), median(ours)*median(ratios), 3)
}

func (b *bench) besideDrain(ctx context.Context) error {
	const name = "escalation/drain_5k/postgres"
	if !b.wants(name) || b.postgres == nil {
		return nil
	}
	s, err := b.prepare(ctx, "postgres")
	if err != nil {
		return err
	}
	defer s.db.Close()
	r, err := b.newRiver(ctx)
	if err != nil {
		return err
	}
	defer r.pool.Close()
	var ours, ratios, oursBusy, busyRatios []float64
	for round := range rounds + 1 {
		if err := schedule(ctx, s.Timers(), burst, fmt.Sprint("d", round), time.Now().Add(-time.Second)); err != nil {
			return err
		}
		var end time.Time
		start := time.Now()
		busy, err := b.busy(func() (err error) {
			end, err = drain(ctx, runner.Config{Timers: s.Timers(), Handle: func(context.Context, escalation.Lease) error { return nil }}, burst)
			return err
		})
		if err != nil {
			return err
		}
		o := float64(end.Sub(start)) / burst
		var took time.Duration
		theirBusy, err := b.busy(func() (err error) {
			took, err = r.drain(ctx, time.Time{})
			return err
		})
		if err != nil {
			return err
		}
		if round > 0 { // both have warmed up
			ours, ratios = append(ours, o), append(ratios, float64(took)/burst/o)
			oursBusy, busyRatios = append(oursBusy, float64(busy)/burst), append(busyRatios, float64(theirBusy)/float64(busy))
		}
	}
	if err := b.line(name, "river v0.51.1", median(ours), median(ours)*median(ratios), 3); err != nil {
		return err
	}
	return b.line(name+"/processor", "river v0.51.1", median(oursBusy), median(oursBusy)*median(busyRatios), 3)
}

type level struct {
	Incident string `json:"incident"`
}

// Kind names the jobs.
func (level) Kind() string { return "level" }

type levelWorker struct {
	river.WorkerDefaults[level]
	worked atomic.Int64
}

// Work counts.
func (w *levelWorker) Work(context.Context, *river.Job[level]) error {
	w.worked.Add(1)
	return nil
}

type riverBench struct {
	pool   *pgxpool.Pool
	worker *levelWorker
}

func (b *bench) newRiver(ctx context.Context) (*riverBench, error) {
	dsn, err := b.fresh(ctx, "postgres")
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return nil, err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return nil, err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return &riverBench{pool: pool, worker: &levelWorker{}}, err
}

// drain inserts jobs, starts a client and waits until all are completed in the database; it returns how long that took after
// the start or, where it is set, the instant at which they are due.
func (r *riverBench) drain(ctx context.Context, due time.Time) (time.Duration, error) {
	workers := river.NewWorkers()
	r.worker = &levelWorker{}
	if err := river.AddWorkerSafely(workers, r.worker); err != nil {
		return 0, err
	}
	client, err := river.NewClient(riverpgxv5.New(r.pool), &river.Config{
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 500}},
		Workers:       workers,
		FetchCooldown: river.FetchCooldownMin,
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 0, err
	}
	jobs := make([]river.InsertManyParams, burst)
	for i := range jobs {
		jobs[i] = river.InsertManyParams{Args: level{Incident: fmt.Sprint("INC-", i)}}
		if !due.IsZero() {
			jobs[i].InsertOpts = &river.InsertOpts{ScheduledAt: due}
		}
	}
	if _, err := client.InsertManyFast(ctx, jobs); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := client.Start(ctx); err != nil {
		return 0, err
	}
	for r.worker.worked.Load() < burst && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	for left := 1; left > 0; {
		if err := r.pool.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE state <> 'completed'`).Scan(&left); err != nil {
			return 0, err
		}
	}
	if !due.IsZero() {
		start = due
	}
	took := time.Since(start)
	if err := client.Stop(ctx); err != nil {
		return 0, err
	}
	return took, nil
}
