package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Fire handles claimed timers and completes them, each in one transaction with
// what it changes. fire reads the incident of the timer with [Tx.Incident], which
// locks it, lets the engine decide at l.At, and writes the outcome with
// [Tx.Write]; it may write nothing, where the state says that there is nothing to
// do any more. It has no other effect and may be called several times.
//
// The timers share one transaction, which on SQLite is one wait for the disk; if
// any of them fails, each is handled again in one of its own. The result has an
// error for each lease: nil for a timer that was completed. A timer whose lease
// was lost or which failed has changed nothing. A panic of fire is an error.
func (s *Store) Fire(ctx context.Context, leases []escalation.Lease, fire func(ctx context.Context, tx *Tx, l escalation.Lease) error) []error {
	errs := make([]error, len(leases))
	// In order of their keys, so that two processes lock incidents in one order.
	order := make([]int, len(leases))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(leases[i].Tenant, leases[j].Tenant), cmp.Compare(leases[i].Key, leases[j].Key))
	})
	if s.fire(ctx, leases, order, fire) == nil {
		return errs
	}
	for _, i := range order {
		errs[i] = s.fire(ctx, leases, []int{i}, fire)
	}
	return errs
}

// fire handles the timers of the given places together. Timers are completed
// last: whoever cancels one locks its incident first as well.
func (s *Store) fire(ctx context.Context, leases []escalation.Lease, places []int, fire func(context.Context, *Tx, escalation.Lease) error) error {
	return s.Do(ctx, func(tx *Tx) error {
		held := make([]escalation.Lease, len(places))
		for i, place := range places {
			held[i] = leases[place]
			if err := safely(ctx, tx, held[i], fire); err != nil {
				return fmt.Errorf("timer %q: %w", held[i].Key, err)
			}
		}
		return tx.complete(ctx, held)
	})
}

func safely(ctx context.Context, tx *Tx, l escalation.Lease, fire func(context.Context, *Tx, escalation.Lease) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return fire(ctx, tx, l)
}
