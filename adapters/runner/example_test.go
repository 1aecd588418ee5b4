package runner_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
)

// Two pages wait in a store; the runner hands them over one by one, in the order in
// which they were due.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	timers := escalation.NewMemoryTimers(time.Now)
	due := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
	err := timers.Schedule(ctx,
		escalation.Task{Tenant: "acme", Key: "INC-1/1/assign/sarah", Kind: "page", Due: due},
		escalation.Task{Tenant: "acme", Key: "INC-1/1/L1/marcus", Kind: "page", Due: due.Add(15 * time.Minute)},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	left := 2
	r, err := runner.New(runner.Config{
		Timers:  timers,
		Workers: 1,
		Handle: func(_ context.Context, l escalation.Lease) error {
			fmt.Println(l.Kind, l.Key, "attempt", l.Attempt)
			if left--; left == 0 {
				stop()
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Stats().Completed, "done")
	// Output:
	// page INC-1/1/assign/sarah attempt 1
	// page INC-1/1/L1/marcus attempt 1
	// 2 done
}
