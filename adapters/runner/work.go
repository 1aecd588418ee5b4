package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// result is how the handling of a task ended.
type result struct {
	*holding
	err   error
	done  bool             // completed by the handler itself
	lease escalation.Lease // under which it is to be reported
}

var (
	errLapsed  = errors.New("the lease ended before its turn came")
	errStopped = errors.New("the runner stopped before its turn came")
)

// work handles the tasks of a job that can still be begun.
func (r *Runner) work(stop, outlive context.Context, job []*holding, results chan<- result) {
	ctx, cancel := context.WithTimeout(outlive, r.c.Timeout)
	defer cancel()
	var begun []*holding
	var leases []escalation.Lease
	for _, h := range job {
		switch {
		case stop.Err() != nil:
			results <- result{holding: h, err: errStopped}
		case h.Attempt > r.c.Attempts: // whoever had it died of it
			results <- result{holding: h, err: fmt.Errorf("%w: given up after %d attempts", ErrPermanent, r.c.Attempts)}
		case !r.begin(h, cancel):
			results <- result{holding: h, err: errLapsed}
		default:
			begun, leases = append(begun, h), append(leases, r.lease(h))
		}
	}
	if len(begun) == 0 {
		return
	}
	start := time.Now()
	errs := r.call(ctx, leases)
	r.mu.Lock()
	job[0].batch.busy += time.Since(start)
	r.mu.Unlock()
	for i, h := range begun {
		results <- result{holding: h, err: errs[i], done: errs[i] == nil && r.c.Batch != nil}
	}
}

// begin reports whether the lease still lasts.
func (r *Runner) begin(h *holding, cancel context.CancelFunc) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c.Batch == nil {
		h.cancel = cancel
	}
	return time.Now().Before(h.until)
}

// lease returns the lease that a holding has now.
func (r *Runner) lease(h *holding) escalation.Lease {
	r.mu.Lock()
	defer r.mu.Unlock()
	return h.Lease
}

// call runs Handle or Batch and returns an error for each lease.
func (r *Runner) call(ctx context.Context, leases []escalation.Lease) (errs []error) {
	defer func() {
		if p := recover(); p != nil {
			errs = same(leases, fmt.Errorf("panic: %v", p))
		}
	}()
	if r.c.Batch == nil {
		return []error{r.c.Handle(ctx, leases[0])}
	}
	if errs = r.c.Batch(ctx, leases); len(errs) != len(leases) {
		errs = same(leases, fmt.Errorf("%d results for %d tasks", len(errs), len(leases)))
	}
	return errs
}

func same(leases []escalation.Lease, err error) []error {
	errs := make([]error, len(leases))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// report tells the store how tasks ended, as many at a time as have.
func (r *Runner) report(stop, outlive context.Context, results <-chan result) {
	for first := range results {
		all := []result{first}
		for more := true; more && len(all) < r.c.Size; {
			select {
			case next, ok := <-results:
				if more = ok; ok {
					all = append(all, next)
				}
			default:
				more = false
			}
		}
		r.ended(all)
		for unreported := all; len(unreported) > 0; {
			unreported = r.anew(unreported, r.settle(stop, outlive, unreported))
		}
		r.release(all)
	}
}

// ended fixes the leases under which results are reported. A call that failed goes on
// under no other; one that went well does until that is reported.
func (r *Runner) ended(all []result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range all {
		x := &all[i]
		x.lease = x.Lease
		if x.err != nil && r.calls[id(x.lease)] == x.holding {
			delete(r.calls, id(x.lease))
		}
	}
}

// anew returns the results that were reported under a lease that was lost, where the
// runner itself has claimed the task again, as after a sleep of the whole process: the
// task is not to be handled a second time but to be reported under the new lease.
func (r *Runner) anew(all []result, lost []escalation.Lease) (again []result) {
	if len(lost) > 0 { // maybe to a claim that is still under way
		r.claiming <- struct{}{}
		defer func() { <-r.claiming }()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := set(lost)
	for _, x := range all {
		switch {
		case r.calls[id(x.lease)] != x.holding:
		case x.Token != x.lease.Token && gone[leaseID{id(x.lease), x.lease.Token}]:
			x.lease = x.Lease
			again = append(again, x)
		default:
			delete(r.calls, id(x.lease))
		}
	}
	return again
}

// settle reports results, and returns the leases of what went well that were lost.
func (r *Runner) settle(stop, outlive context.Context, all []result) (gone []escalation.Lease) {
	var complete []escalation.Lease
	var completed, lost uint64
	for _, x := range all {
		switch {
		case x.done:
			completed++
		case x.err == nil:
			complete = append(complete, x.lease)
		case errors.Is(x.err, errLapsed), errors.Is(x.err, escalation.ErrLeaseLost):
			lost++ // somebody else has it, or will
		case errors.Is(x.err, errStopped):
			// If this fails, the lease ends by itself.
			_ = r.insist(stop, outlive, func(ctx context.Context) error { return r.c.Timers.Retry(ctx, x.lease, x.At, x.err.Error()) })
		case errors.Is(x.err, ErrPermanent), x.Attempt >= r.c.Attempts:
			r.dead(stop, outlive, x.lease, x.err)
		default:
			r.again(stop, outlive, x)
		}
	}
	r.mu.Lock()
	r.stats.Completed += completed
	r.stats.Lost += lost
	r.mu.Unlock()
	if len(complete) == 0 {
		return nil
	}
	report := func(done ...escalation.Lease) func(context.Context) error {
		return func(ctx context.Context) error {
			late, err := r.complete(ctx, done)
			gone = append(gone, late...)
			return err
		}
	}
	err := r.insist(stop, outlive, report(complete...))
	if !errors.Is(err, errRefused) {
		return gone
	}
	for _, l := range complete { // one of them is to blame
		if err := r.once(outlive, report(l)); err != nil {
			r.dead(stop, outlive, l, fmt.Errorf("it was handled, but could not be reported as done: %w", err))
		}
	}
	return gone
}

// complete reports tasks as done and returns the leases that were lost.
func (r *Runner) complete(ctx context.Context, done []escalation.Lease) ([]escalation.Lease, error) {
	gone, err := r.c.Timers.Complete(ctx, done...)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Completed += uint64(len(done) - len(gone))
	r.stats.Lost += uint64(len(gone))
	return gone, nil
}

func (r *Runner) again(stop, outlive context.Context, x result) {
	// By the clock of the store, which may not be ours.
	at := x.At.Add(time.Since(x.claimed)).Add(r.c.Backoff(x.Attempt))
	r.c.Log.Warn("runner: try again", "tenant", x.Tenant, "key", x.Key, "attempt", x.Attempt, "error", x.err)
	err := r.insist(stop, outlive, func(ctx context.Context) error { return r.c.Timers.Retry(ctx, x.lease, at, x.err.Error()) })
	r.tally(err, &r.stats.Retried)
}

// dead gives up on a task. Where the store does not take that either, the task
// comes back when the lease ends.
func (r *Runner) dead(stop, outlive context.Context, l escalation.Lease, why error) {
	reason := why.Error()
	r.c.Log.Error("runner: given up", "tenant", l.Tenant, "key", l.Key, "attempt", l.Attempt, "error", why)
	err := r.insist(stop, outlive, func(ctx context.Context) error { return r.c.Timers.Dead(ctx, l, reason) })
	r.tally(err, &r.stats.Dead)
	if err == nil && r.c.OnDead != nil {
		r.c.OnDead(l, reason)
	}
}

// tally counts a report that was made, one that came too late, or one that the
// store does not take.
func (r *Runner) tally(err error, made *uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		*made++
	case errors.Is(err, escalation.ErrLeaseLost):
		r.stats.Lost++
	default:
		r.stats.Unreported++
	}
}

// errRefused means that the store answers and does not take a report.
var errRefused = errors.New("refused again and again")

// insist reports again and again while the store is away: a task that was handled
// and not reported would be handled once more. A store that answers and still does
// not take the report is asked as often as a task is tried. A runner that stops
// gives up after the length of a lease, when others take over anyway.
func (r *Runner) insist(stop, outlive context.Context, report func(context.Context) error) error {
	var giveUp <-chan time.Time
	for refused := 0; ; {
		err := r.once(outlive, report)
		if err == nil || errors.Is(err, escalation.ErrLeaseLost) {
			return err
		}
		r.failed("report", err)
		away := r.once(outlive, func(ctx context.Context) error {
			_, _, err := r.c.Timers.NextWake(ctx)
			return err
		})
		if away == nil {
			refused++
		}
		if refused >= r.c.Attempts {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		if giveUp == nil && stop.Err() != nil {
			giveUp = time.After(r.c.Lease)
		}
		select {
		case <-giveUp:
			return err
		case <-time.After(r.c.Poll):
		}
	}
}

// once calls the store.
func (r *Runner) once(outlive context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(outlive, r.c.Lease)
	defer cancel()
	return call(ctx)
}

// release makes room for more, and learns how long tasks take.
func (r *Runner) release(all []result) {
	r.mu.Lock()
	for _, x := range all {
		delete(r.held, x.holding)
		if x.batch.open--; x.batch.open > 0 {
			continue
		}
		switch busy := x.batch.busy / time.Duration(r.c.Workers); {
		case busy < r.c.Poll/4:
			r.size = min(4*r.size, r.c.Size)
		case busy > 2*r.c.Poll:
			r.size = min(max(r.size/2, r.c.Workers), r.c.Size)
		}
	}
	r.mu.Unlock()
	signal(r.freed)
}
