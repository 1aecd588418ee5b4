package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Config is what a [Runner] needs.
type Config struct {
	// Timers is where the tasks are. Required. If it has a method
	// Scheduled() <-chan struct{}, as sqlstore.Queue has, the runner looks for
	// earlier tasks whenever it receives.
	Timers escalation.Timers

	// Handle does what a task is for. nil completes it, an error wrapping
	// [ErrPermanent] makes it dead, and any other has it tried again later. The
	// context ends after Timeout and when the lease is lost or the task cancelled.
	// A panic is an error. Required, unless Batch is set.
	Handle func(ctx context.Context, l escalation.Lease) error

	// Batch does the same for several tasks and completes them itself, as
	// sqlstore.Store.Fire does. It returns an error for each: nil for one that is
	// completed. Instead of Handle.
	Batch func(ctx context.Context, leases []escalation.Lease) []error

	// Workers is how many calls of Handle or Batch run at a time. Defaults to 8,
	// and to 1 for Batch.
	Workers int

	// Size is the most tasks that are claimed at once; up to twice as many are held.
	// The runner claims fewer while calls take long, about those of one Poll, so that
	// others get their share. Defaults to 1,000.
	Size int

	// Poll is how long to sleep at most before looking for due tasks. Defaults to
	// 250 ms.
	Poll time.Duration

	// Lease is how long a dead runner keeps its tasks from others; a live one
	// renews after a third of it. Defaults to 10 s.
	Lease time.Duration

	// Timeout ends the context of a call; below Lease. Defaults to four fifths of
	// Lease.
	Timeout time.Duration

	// Attempts is how often a task is tried, by all runners together, before it is
	// dead, and how often a report is made that the store refuses while it answers
	// otherwise: a task that was handled and cannot be completed is then dead, with
	// that error. What is dead waits in the store, where Timers.List finds it and
	// Timers.Requeue revives it. Defaults to 10, which the default Backoff makes four
	// minutes of trouble; more where a full disk may last longer.
	Attempts int

	// Backoff is how long to wait after a failed attempt, of which the first is 1.
	// Defaults to 1 s, doubled by each further attempt, at most a minute.
	Backoff func(attempt int) time.Duration

	// Keep is for how long done and cancelled tasks are kept, at the least; below 0
	// for ever. Defaults to 30 days.
	Keep time.Duration

	// OnDead is told of each task that this runner has given up; it should make an
	// alarm of it. Defaults to nothing.
	OnDead func(l escalation.Lease, reason string)

	// Log is told what goes wrong. Defaults to nothing.
	Log *slog.Logger
}

// ErrPermanent means that trying again is of no use.
var ErrPermanent = errors.New("permanent")

// Runner claims tasks and has them handled. Its methods are safe for concurrent
// use.
type Runner struct {
	c     Config
	woken chan struct{} // by Wake
	freed chan struct{} // tasks were reported

	claiming chan struct{} // full while a claim is under way; before mu

	mu      sync.Mutex
	held    map[*holding]struct{}
	calls   map[taskID]*holding // of Handle; by task
	size    int                 // how many tasks to hold now
	stats   Stats
	looked  time.Time // last successful look for due tasks
	pruned  time.Time
	running bool
}

type taskID struct{ tenant, key string }

func id(l escalation.Lease) taskID { return taskID{l.Tenant, l.Key} }

// leaseID tells the leases of one task apart.
type leaseID struct {
	taskID
	token int64
}

func set(leases []escalation.Lease) map[leaseID]bool {
	all := map[leaseID]bool{}
	for _, l := range leases {
		all[leaseID{id(l), l.Token}] = true
	}
	return all
}

// holding is a task that the runner holds.
type holding struct {
	escalation.Lease           // its Token is guarded by Runner.mu
	claimed          time.Time // before the claim; with the monotonic clock
	until            time.Time // when the lease ends at the earliest; guarded by Runner.mu
	cancel           context.CancelFunc
	batch            *batch
}

// batch is what one claim brought.
type batch struct {
	open int           // tasks not reported yet; guarded by Runner.mu
	busy time.Duration // that calls took, all together; guarded by Runner.mu
}

// New checks the configuration and returns a runner that does not run yet.
func New(c Config) (*Runner, error) {
	if c.Timers == nil || (c.Handle == nil) == (c.Batch == nil) {
		return nil, errors.New("runner: want Timers and one of Handle and Batch")
	}
	workers := 8
	if c.Batch != nil {
		workers = 1
	}
	for _, f := range []struct {
		name     string
		value    *int
		standard int
	}{{"Workers", &c.Workers, workers}, {"Size", &c.Size, 1000}, {"Attempts", &c.Attempts, 10}} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if *f.value < 1 {
			return nil, fmt.Errorf("runner: %s %d: want 1 or more", f.name, *f.value)
		}
	}
	for _, f := range []struct {
		name     string
		value    *time.Duration
		standard func() time.Duration
	}{
		{"Poll", &c.Poll, func() time.Duration { return 250 * time.Millisecond }},
		{"Lease", &c.Lease, func() time.Duration { return 10 * time.Second }},
		{"Timeout", &c.Timeout, func() time.Duration { return c.Lease * 4 / 5 }},
	} {
		if *f.value == 0 {
			*f.value = f.standard()
		}
		if *f.value < 0 {
			return nil, fmt.Errorf("runner: %s %v: want more than 0", f.name, *f.value)
		}
	}
	if c.Timeout >= c.Lease {
		return nil, fmt.Errorf("runner: Timeout %v: want less than the lease of %v", c.Timeout, c.Lease)
	}
	if c.Keep == 0 {
		c.Keep = 30 * 24 * time.Hour
	}
	if c.Backoff == nil {
		c.Backoff = func(attempt int) time.Duration { return min(time.Second<<min(attempt-1, 6), time.Minute) }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Runner{
		c: c, woken: make(chan struct{}, 1), freed: make(chan struct{}, 1), claiming: make(chan struct{}, 1),
		held: map[*holding]struct{}{}, calls: map[taskID]*holding{}, size: min(4*c.Workers, c.Size),
	}, nil
}

// Wake lets the runner look for due tasks now: call it when one was scheduled
// that may be the earliest.
func (r *Runner) Wake() { signal(r.woken) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is waiting to be seen
	}
}

// Run works until ctx is over. It then gives back what it has not begun, waits
// for calls that run, which may take until their Timeout, reports them and
// returns nil. A store that is away is asked again until it is back; that is in
// the log and in [Runner.Stats]. A runner runs once at a time.
func (r *Runner) Run(ctx context.Context) error {
	r.mu.Lock()
	if r.running {
		r.mu.Unlock()
		return errors.New("runner: it runs already")
	}
	r.running, r.looked = true, time.Now()
	r.mu.Unlock()

	// What is held is reported and kept even after ctx is over.
	outlive := context.WithoutCancel(ctx)
	jobs, results := make(chan []*holding, 2*r.c.Size), make(chan result, 2*r.c.Size)
	done := make(chan struct{})
	var workers, others sync.WaitGroup
	for range r.c.Workers {
		workers.Go(func() {
			for job := range jobs {
				r.work(ctx, outlive, job, results)
			}
		})
	}
	others.Go(func() { r.report(ctx, outlive, results) })
	others.Go(func() { r.renew(outlive, done) })

	r.loop(ctx, jobs)
	close(jobs)
	workers.Wait()
	close(results)
	close(done)
	others.Wait()

	r.mu.Lock()
	r.running = false
	r.mu.Unlock()
	return nil
}

// loop claims until ctx is over.
func (r *Runner) loop(ctx context.Context, jobs chan<- []*holding) {
	var scheduled <-chan struct{}
	if s, ok := r.c.Timers.(interface{ Scheduled() <-chan struct{} }); ok {
		scheduled = s.Scheduled()
	}
	for ctx.Err() == nil {
		free, freed := r.free(), r.freed
		if free > 0 {
			freed = nil
		}
		sleep, err := r.round(ctx, free, jobs)
		if err != nil && ctx.Err() == nil {
			r.failed("look for due tasks", err)
		}
		if sleep <= 0 {
			continue
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-freed:
		case <-r.woken:
		case <-scheduled:
		}
		timer.Stop()
	}
}

// free is how many tasks to claim.
func (r *Runner) free() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) > r.size {
		return 0 // not one by one
	}
	return r.size // while the store takes the reports of those before
}

// round claims what is due and returns how long to sleep. One that is to claim
// nothing looks all the same, once in a poll, so that its figures stay true.
func (r *Runner) round(ctx context.Context, free int, jobs chan<- []*holding) (time.Duration, error) {
	if free == 0 && r.sinceLook() < r.c.Poll {
		return r.c.Poll, nil
	}
	in, ok, err := r.c.Timers.NextWake(ctx)
	if err != nil {
		return r.c.Poll, err
	}
	r.mu.Lock()
	r.looked = time.Now()
	r.stats.Overdue = 0
	if ok {
		r.stats.Overdue = max(0, -in)
	}
	r.mu.Unlock()
	if free == 0 {
		return r.c.Poll, nil
	}
	if !ok || in > 0 {
		if err := r.prune(ctx); err != nil {
			return r.c.Poll, err
		}
		if !ok {
			return r.c.Poll, nil
		}
		return min(in, r.c.Poll), nil
	}
	n, err := r.claim(ctx, free, jobs)
	switch {
	case err != nil:
		return r.c.Poll, err
	case n == 0:
		return min(r.c.Poll, 10*time.Millisecond), nil // another runner was faster, or is about to be
	}
	return 0, nil
}

// claim claims up to n tasks and has them handled.
func (r *Runner) claim(ctx context.Context, n int, jobs chan<- []*holding) (int, error) {
	r.claiming <- struct{}{}
	defer func() { <-r.claiming }()
	before := time.Now()
	leases, err := r.c.Timers.Claim(ctx, n, r.c.Lease)
	if err == nil && len(leases) > 0 {
		r.dispatch(leases, before, jobs)
	}
	return len(leases), err
}

func (r *Runner) sinceLook() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.looked)
}

func (r *Runner) dispatch(leases []escalation.Lease, before time.Time, jobs chan<- []*holding) {
	r.mu.Lock()
	b := &batch{}
	var all []*holding
	for _, l := range leases {
		r.stats.claimed(l)
		if h := r.calls[id(l)]; h != nil && l.Attempt > h.Attempt { // else it was requeued, or is another task
			// A clock that jumped, or a process that slept, has ended our own lease: the
			// call that runs or is being reported goes on under the new one.
			h.Token, h.until = l.Token, before.Add(r.c.Lease)
			continue
		}
		h := &holding{Lease: l, claimed: before, until: before.Add(r.c.Lease), batch: b}
		all = append(all, h)
		r.held[h] = struct{}{}
		if r.c.Handle != nil {
			r.calls[id(l)] = h
		}
	}
	b.open = len(all)
	r.mu.Unlock()
	if r.c.Batch != nil {
		jobs <- all
		return
	}
	for i := range all {
		jobs <- all[i : i+1]
	}
}

// prune forgets old tasks, once an hour.
func (r *Runner) prune(ctx context.Context) error {
	const n = 1000
	r.mu.Lock()
	due := r.c.Keep >= 0 && (r.pruned.IsZero() || time.Since(r.pruned) >= time.Hour)
	r.mu.Unlock()
	if !due {
		return nil
	}
	gone, err := r.c.Timers.Prune(ctx, r.c.Keep, n)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Pruned += uint64(gone)
	if gone < n { // else there is more
		r.pruned = time.Now()
	}
	return err
}

// renew makes the leases of all held tasks longer, and ends the calls of those
// that are lost.
func (r *Runner) renew(ctx context.Context, done <-chan struct{}) {
	tick := time.NewTicker(r.c.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		r.renewOnce(ctx)
	}
}

func (r *Runner) renewOnce(ctx context.Context) {
	before := time.Now()
	r.mu.Lock()
	var held []*holding
	var leases []escalation.Lease
	for h := range r.held {
		if before.Sub(h.claimed) >= r.c.Lease/4 {
			held, leases = append(held, h), append(leases, h.Lease)
		}
	}
	r.mu.Unlock()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.Lease/3)
	defer cancel()
	lost, err := r.c.Timers.Renew(ctx, r.c.Lease, leases...)
	if err != nil {
		r.failed("renew leases", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := set(lost)
	for i, h := range held {
		switch {
		case h.Token != leases[i].Token: // a new lease meanwhile
			continue
		case gone[leaseID{id(h.Lease), h.Token}]:
			h.until = before
		case err == nil:
			h.until = before.Add(r.c.Lease)
		}
		if h.cancel != nil && !time.Now().Before(h.until) {
			h.cancel()
		}
	}
}

func (r *Runner) failed(what string, err error) {
	r.mu.Lock()
	r.stats.Errors++
	r.mu.Unlock()
	r.c.Log.Error("runner: "+what, "error", err)
}
