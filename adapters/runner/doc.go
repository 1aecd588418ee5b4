// Package runner does what durable timers are for, when they are due: it claims
// tasks from an [escalation.Timers], hands them to a function, and reports back.
//
//	r, err := runner.New(runner.Config{
//		Timers: store.Outbox(),
//		Handle: func(ctx context.Context, l escalation.Lease) error { return pager.Send(ctx, l.Key, l.Payload) },
//	})
//	if err != nil {
//		return err
//	}
//	err = r.Run(ctx) // until ctx is over
//
// Any number of runners, on any number of machines, may share a store. There is
// no leader: what one that has died was holding is taken over by the others when
// its lease ends and they look next, which is after [Config.Lease] plus
// [Config.Poll] at the latest.
//
// A task is handled at least once. It is handled a second time if the process
// dies, or the lease is lost to another runner, between the effect and the report;
// the key of the task is then the same, and a receiver that drops repeated keys sees
// it once. A runner that has slept through the end of its leases drops what it has not begun.
//
// Sleeping is monotonic and never longer than [Config.Poll], so a clock that is
// put forward or back is noticed by then.
package runner
