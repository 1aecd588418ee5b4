package runner_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/escalation"
)

// The tests run in virtual time: sleeping costs nothing, and lateness is exact.

func task(key string, due time.Time) escalation.Task {
	return escalation.Task{Tenant: "acme", Key: key, Kind: "page", Due: due}
}

func schedule(t *testing.T, timers escalation.Timers, tasks ...escalation.Task) {
	t.Helper()
	if err := timers.Schedule(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
}

// start runs a runner until the returned function is called.
func start(t *testing.T, c runner.Config) (*runner.Runner, func()) {
	t.Helper()
	r, err := runner.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return r, stop
}

func counts(t *testing.T, timers escalation.Timers, want escalation.TaskCounts) {
	t.Helper()
	got, err := timers.Count(t.Context(), "acme")
	got.Oldest = time.Time{}
	if err != nil || got != want {
		t.Errorf("Count = %+v, %v, want %+v", got, err, want)
	}
}

// journal writes down what was handled, and when since its beginning.
type journal struct {
	mu    sync.Mutex
	start time.Time
	lines []string // guarded by mu
}

func (j *journal) add(l escalation.Lease) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%s#%d@%v", l.Key, l.Attempt, time.Since(j.start)))
}

func (j *journal) want(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	got := slices.Sorted(slices.Values(j.lines))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("handled\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func (j *journal) handle(_ context.Context, l escalation.Lease) error {
	j.add(l)
	return nil
}

func TestPunctual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		schedule(t, timers, task("late", j.start.Add(-time.Hour)), task("a", j.start.Add(1234*time.Millisecond)), task("z", j.start.Add(time.Hour)))
		r, stop := start(t, runner.Config{Timers: timers, Handle: j.handle})
		time.Sleep(2 * time.Second)
		schedule(t, timers, task("earlier", j.start.Add(2100*time.Millisecond)), task("overdue", j.start))
		time.Sleep(time.Second)
		stop()
		j.want(t, "late#1@0s", "a#1@1.234s", "overdue#1@2s", "earlier#1@2.1s")
		counts(t, timers, escalation.TaskCounts{Done: 4, Pending: 1})
		s := r.Stats()
		if s.Claimed != 4 || s.Completed != 4 || s.Late != [6]uint64{2, 0, 0, 1, 0, 1} || s.Overdue != 0 || s.Held != 0 {
			t.Errorf("Stats = %+v, want 4 claimed and completed, two punctual, one 2 s and one an hour late", s)
		}
	})
}

// A task that fails is tried again with growing pauses, a bounded number of
// times, and then is dead and somebody is told.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		schedule(t, timers, task("fails", j.start), task("panics", j.start), task("hopeless", j.start), task("good", j.start))
		var buried []string
		r, stop := start(t, runner.Config{
			Timers: timers, Attempts: 3,
			Handle: func(ctx context.Context, l escalation.Lease) error {
				j.add(l)
				switch l.Key {
				case "fails":
					return errors.New("busy")
				case "panics":
					panic("nil map")
				case "hopeless":
					return fmt.Errorf("no such number: %w", runner.ErrPermanent)
				}
				return nil
			},
			OnDead: func(l escalation.Lease, reason string) { buried = append(buried, l.Key+": "+reason) },
		})
		time.Sleep(time.Minute)
		stop()
		j.want(t, "good#1@0s", "hopeless#1@0s", "fails#1@0s", "fails#2@1s", "fails#3@3s", "panics#1@0s", "panics#2@1s", "panics#3@3s")
		counts(t, timers, escalation.TaskCounts{Done: 1, Dead: 3})
		slices.Sort(buried)
		if want := []string{"fails: busy", "hopeless: no such number: permanent", "panics: panic: nil map"}; !slices.Equal(buried, want) {
			t.Errorf("OnDead got %q, want %q", buried, want)
		}
		if s := r.Stats(); s.Dead != 3 || s.Retried != 4 || s.Completed != 1 {
			t.Errorf("Stats = %+v, want 3 dead, 4 retried, 1 completed", s)
		}
	})
}

// What kills its worker is given up as well: the attempts of those who died count.
func TestDeadlyPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		schedule(t, timers, task("kills", j.start))
		for range 3 {
			if l, err := timers.Claim(t.Context(), 1, time.Second); err != nil || len(l) != 1 {
				t.Fatal(l, err)
			}
			time.Sleep(time.Second)
		}
		start(t, runner.Config{Timers: timers, Attempts: 3, Handle: j.handle})
		time.Sleep(time.Second)
		j.want(t)
		counts(t, timers, escalation.TaskCounts{Dead: 1})
	})
}

// What a dead worker held is taken over after the lease and one poll.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		schedule(t, timers, task("a", j.start))
		if _, err := timers.Claim(t.Context(), 1, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		start(t, runner.Config{Timers: timers, Handle: j.handle})
		time.Sleep(time.Minute)
		j.want(t, "a#2@10s")
	})
}

// Leases are renewed while tasks wait for their turn and while they run, so
// another runner does not get them.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		var tasks []escalation.Task
		var want []string
		for i := range 8 {
			tasks = append(tasks, task(fmt.Sprint("k", i), j.start))
			want = append(want, fmt.Sprintf("k%d#1@%v", i, time.Duration(i)*7*time.Second))
		}
		schedule(t, timers, tasks...)
		_, stop := start(t, runner.Config{Timers: timers, Workers: 1, Size: 8, Handle: func(ctx context.Context, l escalation.Lease) error {
			j.add(l)
			time.Sleep(7 * time.Second)
			return ctx.Err()
		}, Backoff: func(int) time.Duration { return 0 }})
		synctest.Wait()
		// The first claims two, for its one worker, and the rest later: all are there
		// by the time that the other looks, or are taken by it.
		other := &journal{start: j.start}
		time.Sleep(time.Second)
		start(t, runner.Config{Timers: timers, Handle: other.handle})
		time.Sleep(2 * time.Minute)
		stop()
		if n := len(j.lines) + len(other.lines); n != 8 {
			t.Errorf("%d tasks were handled %d times: %v %v", 8, n, j.lines, other.lines)
		}
		if !slices.Equal(j.lines, want[:len(j.lines)]) || len(j.lines) < 2 {
			t.Errorf("handled %v, want one after the other", j.lines)
		}
		counts(t, timers, escalation.TaskCounts{Done: 8})
	})
}

// failing is a store that can be out of order.
type failing struct {
	*escalation.MemoryTimers
	down atomic.Bool
}

var errDown = errors.New("connection refused")

func (f *failing) check() error {
	if f.down.Load() {
		return errDown
	}
	return nil
}

func (f *failing) NextWake(ctx context.Context) (time.Duration, bool, error) {
	if err := f.check(); err != nil {
		return 0, false, err
	}
	return f.MemoryTimers.NextWake(ctx)
}

func (f *failing) Complete(ctx context.Context, l ...escalation.Lease) ([]escalation.Lease, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.MemoryTimers.Complete(ctx, l...)
}

func (f *failing) Renew(ctx context.Context, d time.Duration, l ...escalation.Lease) ([]escalation.Lease, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.MemoryTimers.Renew(ctx, d, l...)
}

// A store that is away does not stop the runner, and what was done meanwhile is
// reported when it is back, not done again.
func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := &failing{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
		schedule(t, timers, task("a", j.start), task("b", j.start.Add(5*time.Second)))
		r, stop := start(t, runner.Config{Timers: timers, Handle: func(ctx context.Context, l escalation.Lease) error {
			j.add(l)
			timers.down.Store(l.Key == "a")
			return nil
		}})
		time.Sleep(8100 * time.Millisecond)
		if s := r.Stats(); s.Silent < 7*time.Second || s.Errors == 0 {
			t.Errorf("Stats = %+v, want it silent for almost 8 s and errors", s)
		}
		timers.down.Store(false)
		time.Sleep(20 * time.Second)
		if s := r.Stats(); s.Silent > 250*time.Millisecond {
			t.Errorf("silent for %v, want at most a poll", s.Silent)
		}
		stop()
		j.want(t, "a#1@0s", "b#1@8.25s")
		counts(t, timers, escalation.TaskCounts{Done: 2})
	})
}

// refusing is a store that answers, but does not take some reports.
type refusing struct {
	*escalation.MemoryTimers
	complete, retry, dead atomic.Int64 // how many of them are refused from now on
}

var errFull = errors.New("disk full")

func refuse(left *atomic.Int64) error {
	if left.Add(-1) >= 0 {
		return errFull
	}
	return nil
}

// Complete refuses calls that have the task "bad" in them.
func (s *refusing) Complete(ctx context.Context, held ...escalation.Lease) ([]escalation.Lease, error) {
	if slices.ContainsFunc(held, func(l escalation.Lease) bool { return l.Key == "bad" }) {
		if err := refuse(&s.complete); err != nil {
			return nil, err
		}
	}
	return s.MemoryTimers.Complete(ctx, held...)
}

func (s *refusing) Retry(ctx context.Context, l escalation.Lease, at time.Time, reason string) error {
	if err := refuse(&s.retry); err != nil {
		return err
	}
	return s.MemoryTimers.Retry(ctx, l, at, reason)
}

func (s *refusing) Dead(ctx context.Context, l escalation.Lease, reason string) error {
	if err := refuse(&s.dead); err != nil {
		return err
	}
	return s.MemoryTimers.Dead(ctx, l, reason)
}

const always = 1 << 40

// A report that is refused a few times is made again, and the task is not handled
// once more. One that is always refused is given up: the task is dead, with the
// error, and those that were reported with it are done. Requeued, it is handled
// again.
func TestReportRefused(t *testing.T) {
	for name, refusals := range map[string]int64{"five times": 5, "always": always} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				timers, j := &refusing{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
				timers.complete.Store(refusals)
				schedule(t, timers, task("bad", j.start), task("good", j.start), task("later", j.start.Add(10*time.Second)))
				var buried []string
				r, _ := start(t, runner.Config{Timers: timers, Handle: j.handle, OnDead: func(l escalation.Lease, reason string) {
					buried = append(buried, l.Key+": "+reason)
				}})
				time.Sleep(time.Minute)
				synctest.Wait()
				j.want(t, "bad#1@0s", "good#1@0s", "later#1@10s")
				if refusals < always {
					counts(t, timers, escalation.TaskCounts{Done: 3})
					if s := r.Stats(); s.Completed != 3 || s.Errors != 5 || s.Dead+s.Unreported > 0 {
						t.Errorf("Stats = %+v, want 3 completed after 5 errors", s)
					}
					return
				}
				counts(t, timers, escalation.TaskCounts{Done: 2, Dead: 1})
				dead, err := timers.List(t.Context(), escalation.TaskFilter{Tenant: "acme", State: escalation.TaskDead})
				want := "it was handled, but could not be reported as done: disk full"
				if err != nil || len(dead) != 1 || dead[0].Key != "bad" || dead[0].Reason != want || !slices.Equal(buried, []string{"bad: " + want}) {
					t.Errorf("dead %+v, %v, OnDead %q, want bad: %q", dead, err, buried, want)
				}
				if s := r.Stats(); s.Completed != 2 || s.Dead != 1 || s.Errors != 10 {
					t.Errorf("Stats = %+v, want 2 completed, 1 dead after 10 errors", s)
				}
				timers.complete.Store(0)
				if err := timers.Requeue(t.Context(), "acme", "bad", time.Now()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				counts(t, timers, escalation.TaskCounts{Done: 3})
			})
		})
	}
}

// A store that takes neither a retry nor a giving up does not keep the runner from
// other tasks: the task comes back when its lease ends, and when the store takes
// it, after its last attempt, it is dead.
func TestNothingTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := &refusing{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
		timers.retry.Store(always)
		timers.dead.Store(always)
		schedule(t, timers, task("fails", j.start), task("good", j.start.Add(time.Minute)))
		r, stop := start(t, runner.Config{Timers: timers, Attempts: 3, Handle: func(_ context.Context, l escalation.Lease) error {
			j.add(l)
			if l.Key == "fails" {
				return errors.New("busy")
			}
			return nil
		}})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		j.want(t, "fails#1@0s", "fails#2@10s", "fails#3@20s", "good#1@1m0s")
		if s := r.Stats(); s.Unreported < 3 || s.Dead > 0 {
			t.Errorf("Stats = %+v, want it unreported after each attempt", s)
		}
		timers.dead.Store(0)
		time.Sleep(time.Minute)
		stop()
		counts(t, timers, escalation.TaskCounts{Done: 1, Dead: 1})
	})
}

// Whoever cannot renew for as long as the lease stops: others have the tasks.
func TestLeaseLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := &failing{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
		schedule(t, timers, task("a", j.start), task("b", j.start))
		r, stop := start(t, runner.Config{Timers: timers, Workers: 1, Lease: 10 * time.Second, Timeout: 9 * time.Second, Handle: func(ctx context.Context, l escalation.Lease) error {
			j.add(l)
			if l.Key == "a" && l.Attempt == 1 {
				time.Sleep(8 * time.Second)
				timers.down.Store(true)
				time.Sleep(4 * time.Second)
			}
			return nil
		}})
		time.Sleep(13 * time.Second)
		timers.down.Store(false)
		time.Sleep(time.Minute)
		stop()
		counts(t, timers, escalation.TaskCounts{Done: 2})
		for _, line := range j.lines {
			if strings.HasPrefix(line, "b#1") && line < "b#1@12s" {
				t.Errorf("b was begun under a lease that had ended: %v", j.lines)
			}
		}
		if r.Stats().Errors == 0 {
			t.Error("no error was counted")
		}
	})
}

// A task that is cancelled while it runs ends, and is not handled again.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		schedule(t, timers, task("a", j.start))
		var ended time.Duration
		_, stop := start(t, runner.Config{Timers: timers, Handle: func(ctx context.Context, l escalation.Lease) error {
			j.add(l)
			<-ctx.Done()
			ended = time.Since(j.start)
			return ctx.Err()
		}})
		time.Sleep(time.Second)
		if won, err := timers.Cancel(t.Context(), "acme", "a"); err != nil || won {
			t.Errorf("Cancel = %v, %v, want it lost to the runner", won, err)
		}
		time.Sleep(time.Minute)
		stop()
		if ended > 4*time.Second {
			t.Errorf("the call ended after %v, want it at the next renewal, 10 s / 3", ended)
		}
		j.want(t, "a#1@0s")
		counts(t, timers, escalation.TaskCounts{Cancelled: 1})
	})
}

// A runner that stops lets what runs end, and gives the rest back at once.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		schedule(t, timers, task("a", j.start), task("b", j.start))
		_, stop := start(t, runner.Config{Timers: timers, Workers: 1, Handle: func(ctx context.Context, l escalation.Lease) error {
			j.add(l)
			time.Sleep(5 * time.Second)
			return ctx.Err()
		}})
		time.Sleep(time.Second)
		stop()
		if took := time.Since(j.start); took != 5*time.Second {
			t.Errorf("stopped after %v, want when the call ended, 5s", took)
		}
		counts(t, timers, escalation.TaskCounts{Done: 1, Pending: 1})
		if in, ok, err := timers.NextWake(t.Context()); err != nil || !ok || in > 0 {
			t.Errorf("NextWake = %v, %v, %v, want b at once", in, ok, err)
		}
		j.want(t, "a#1@0s")
	})
}

// A clock that jumps makes due what the new time says and nothing twice.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{2 * time.Hour, -2 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var offset atomic.Int64
				now := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
				timers, j := escalation.NewMemoryTimers(now), &journal{start: time.Now()}
				schedule(t, timers, task("before", j.start), task("slow", j.start), task("hour", j.start.Add(time.Hour)), task("three", j.start.Add(3*time.Hour)))
				_, stop := start(t, runner.Config{Timers: timers, Handle: func(ctx context.Context, l escalation.Lease) error {
					j.add(l)
					if l.Key == "slow" {
						time.Sleep(5 * time.Second)
					}
					return nil
				}})
				time.Sleep(1100 * time.Millisecond)
				offset.Store(int64(jump))
				time.Sleep(6 * time.Hour)
				stop()
				if jump > 0 {
					// The lease of slow ended by the new clock while it ran; the call went on
					// under a new one.
					j.want(t, "before#1@0s", "slow#1@0s", "hour#1@1.25s", "three#1@1h0m0s")
				} else {
					j.want(t, "before#1@0s", "slow#1@0s", "hour#1@3h0m0s", "three#1@5h0m0s")
				}
				counts(t, timers, escalation.TaskCounts{Done: 4})
			})
		})
	}
}

// overslept is a store that the first report of a completion reaches when the lease has ended: as from a process that was
// stopped for so long, whose next claim is faster.
type overslept struct {
	*escalation.MemoryTimers
	once sync.Once
}

func (s *overslept) Complete(ctx context.Context, held ...escalation.Lease) ([]escalation.Lease, error) {
	s.once.Do(func() { time.Sleep(3 * time.Minute) })
	return s.MemoryTimers.Complete(ctx, held...)
}

func (s *overslept) Renew(context.Context, time.Duration, ...escalation.Lease) ([]escalation.Lease, error) {
	return nil, errors.New("asleep")
}

// What was handled well and is claimed again by the same runner before it could be reported is not handled twice.
func TestClaimedBeforeReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := &overslept{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
		schedule(t, timers, task("page", j.start), task("later", j.start.Add(5*time.Minute)))
		r, stop := start(t, runner.Config{Timers: timers, Lease: time.Minute, Timeout: 30 * time.Second, Handle: j.handle})
		time.Sleep(10 * time.Minute)
		stop()
		j.want(t, "page#1@0s", "later#1@5m0s")
		counts(t, timers, escalation.TaskCounts{Done: 2})
		if s := r.Stats(); s.Claimed < 3 || s.Lost != 1 || s.Completed != 2 {
			t.Errorf("claimed %d, lost %d, completed %d, want page claimed again, one report lost, two made", s.Claimed, s.Lost, s.Completed)
		}
	})
}

// leasing is a store whose methods a test replaces.
type leasing struct {
	*escalation.MemoryTimers
	claimed  func()       // after a claim, before it is known
	complete func() error // before what is done is reported
	dead     func() error
	retry    func()
	renew    func() error
}

func (s *leasing) Claim(ctx context.Context, n int, lease time.Duration) ([]escalation.Lease, error) {
	leases, err := s.MemoryTimers.Claim(ctx, n, lease)
	if s.claimed != nil {
		s.claimed()
	}
	return leases, err
}

func (s *leasing) Complete(ctx context.Context, held ...escalation.Lease) ([]escalation.Lease, error) {
	if s.complete != nil {
		if err := s.complete(); err != nil {
			return nil, err
		}
	}
	return s.MemoryTimers.Complete(ctx, held...)
}

func (s *leasing) Dead(ctx context.Context, held escalation.Lease, reason string) error {
	if s.dead != nil {
		if err := s.dead(); err != nil {
			return err
		}
	}
	return s.MemoryTimers.Dead(ctx, held, reason)
}

func (s *leasing) Retry(ctx context.Context, held escalation.Lease, at time.Time, reason string) error {
	if s.retry != nil {
		s.retry()
	}
	return s.MemoryTimers.Retry(ctx, held, at, reason)
}

func (s *leasing) Renew(ctx context.Context, lease time.Duration, held ...escalation.Lease) ([]escalation.Lease, error) {
	if s.renew != nil {
		if err := s.renew(); err != nil {
			return nil, err
		}
	}
	return s.MemoryTimers.Renew(ctx, lease, held...)
}

// A report can be too late because of a claim whose answer is still under way.
func TestLostToClaimUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var once sync.Once
		timers, j := &leasing{
			MemoryTimers: escalation.NewMemoryTimers(time.Now),
			claimed:      func() { time.Sleep(10 * time.Second) },
			complete:     func() error { once.Do(func() { time.Sleep(55 * time.Second) }); return nil }, // from 0:10 to 1:05
			renew:        func() error { return errDown },
		}, &journal{start: time.Now()}
		schedule(t, timers, task("page", j.start))
		_, stop := start(t, runner.Config{Timers: timers, Lease: time.Minute, Timeout: 30 * time.Second, Handle: j.handle})
		time.Sleep(10 * time.Minute)
		stop()
		j.want(t, "page#1@10s")
		counts(t, timers, escalation.TaskCounts{Done: 1})
	})
}

// What a person requeues is handled, also while the report of the call before has not ended.
func TestRequeuedWhileReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := errDown
		timers, j := &leasing{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
		timers.complete = func() error { return err }
		schedule(t, timers, task("page", j.start))
		_, stop := start(t, runner.Config{Timers: timers, Attempts: 2, Handle: j.handle, OnDead: func(l escalation.Lease, _ string) {
			err = nil
			if err := timers.Requeue(t.Context(), l.Tenant, l.Key, time.Now()); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Second)
		}})
		time.Sleep(time.Minute)
		stop()
		j.want(t, "page#1@0s", "page#1@250ms")
		counts(t, timers, escalation.TaskCounts{Done: 1})
	})
}

// A report that the store refuses for longer than a lease does not keep others waiting for ever.
func TestRefusedForLongerThanLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := &leasing{
			MemoryTimers: escalation.NewMemoryTimers(time.Now),
			complete:     func() error { return errDown },
			dead:         func() error { return errDown },
			renew:        func() error { return errDown },
		}, &journal{start: time.Now()}
		schedule(t, timers, task("poison", j.start), task("other", j.start.Add(500*time.Millisecond)))
		_, stop := start(t, runner.Config{
			Timers: timers, Attempts: 3, Lease: time.Second, Poll: time.Second,
			Backoff: func(int) time.Duration { return time.Hour },
			Handle: func(_ context.Context, l escalation.Lease) error {
				j.add(l)
				if l.Key == "other" {
					return errors.New("busy")
				}
				return nil
			},
		})
		time.Sleep(time.Minute)
		other, err := timers.List(t.Context(), escalation.TaskFilter{Tenant: "acme", State: escalation.TaskPending})
		if err != nil || len(other) != 1 || other[0].Key != "other" {
			t.Errorf("List = %v, %v, want other given back", other, err)
		}
		stop()
	})
}

// A lease that was lost ends no call under a later lease of the same task.
func TestLostLeaseEndsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := &leasing{MemoryTimers: escalation.NewMemoryTimers(time.Now)}, &journal{start: time.Now()}
		timers.retry = func() { time.Sleep(100 * time.Second) }
		timers.renew = func() error {
			if time.Since(j.start) <= time.Minute {
				return errDown
			}
			return nil
		}
		schedule(t, timers, task("page", j.start))
		_, stop := start(t, runner.Config{Timers: timers, Lease: time.Minute, Timeout: 40 * time.Second, Handle: func(ctx context.Context, l escalation.Lease) error {
			j.add(l)
			if l.Attempt == 1 {
				return errors.New("busy")
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(30 * time.Second):
				return nil
			}
		}})
		time.Sleep(10 * time.Minute)
		stop()
		j.want(t, "page#1@0s", "page#2@1m0s")
		counts(t, timers, escalation.TaskCounts{Done: 1})
	})
}

func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		for i := range 20 {
			schedule(t, timers, task(fmt.Sprint("k", i), j.start))
		}
		r, stop := start(t, runner.Config{Timers: timers, Batch: func(ctx context.Context, leases []escalation.Lease) []error {
			errs := make([]error, len(leases))
			for i, l := range leases {
				if l.Key == "k7" && l.Attempt == 1 {
					errs[i] = errors.New("busy")
					continue
				}
				if _, err := timers.Complete(ctx, l); err != nil {
					t.Error(err)
				}
			}
			return errs
		}})
		time.Sleep(time.Minute)
		stop()
		counts(t, timers, escalation.TaskCounts{Done: 20})
		if s := r.Stats(); s.Completed != 20 || s.Retried != 1 || s.Lost != 0 {
			t.Errorf("Stats = %+v, want 20 completed, 1 retried", s)
		}
	})
}

// Old tasks are forgotten, about once an hour, all of them.
func TestPrune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		for i := range 2500 {
			schedule(t, timers, task(fmt.Sprint("k", i), j.start))
		}
		r, stop := start(t, runner.Config{Timers: timers, Handle: j.handle, Keep: 24 * time.Hour})
		time.Sleep(26 * time.Hour)
		stop()
		counts(t, timers, escalation.TaskCounts{})
		if s := r.Stats(); s.Pruned != 2500 {
			t.Errorf("pruned %d, want 2500", s.Pruned)
		}
	})
}

// A runner that has its hands full says how long others wait, and that it lives.
func TestFiguresWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		for i := range 6 {
			schedule(t, timers, task(fmt.Sprint("k", i), j.start))
		}
		r, _ := start(t, runner.Config{Timers: timers, Workers: 1, Size: 1, Handle: func(ctx context.Context, l escalation.Lease) error {
			time.Sleep(7 * time.Second)
			return j.handle(ctx, l)
		}})
		time.Sleep(20*time.Second + time.Millisecond)
		synctest.Wait()
		// Two are done, two are held, and two have waited since the beginning.
		s := r.Stats()
		if s.Overdue < 20*time.Second-250*time.Millisecond || s.Overdue > 20*time.Second || s.Silent > 250*time.Millisecond {
			t.Errorf("overdue %v, silent %v, want about 20 s and at most a poll", s.Overdue, s.Silent)
		}
		if s.Completed != 2 || s.Held != 2 || s.Claimed != 4 {
			t.Errorf("Stats = %+v, want 2 completed, 2 held", s)
		}
	})
}

// A runner that has stopped leaves no goroutine, however often it is started and
// whatever it was doing.
func TestNoGoroutineLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, j := escalation.NewMemoryTimers(time.Now), &journal{start: time.Now()}
		r, err := runner.New(runner.Config{Timers: timers, Handle: func(ctx context.Context, l escalation.Lease) error {
			time.Sleep(time.Second)
			return j.handle(ctx, l)
		}})
		if err != nil {
			t.Fatal(err)
		}
		before := runtime.NumGoroutine()
		for i := range 100 {
			schedule(t, timers, task(fmt.Sprint("k", i), time.Now()))
			ctx, stop := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Millisecond) // in mid-call up to a second
			if err := r.Run(ctx); err != nil {
				t.Fatal(err)
			}
			stop()
		}
		synctest.Wait()
		// Fewer is no leak: a goroutine of an earlier test may still have been ending. What
		// blocks for ever within the bubble would fail the test by itself.
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("%d goroutines after 100 runs, want at most the %d of before", after, before)
		}
		if len(j.lines) < 99 {
			t.Errorf("%d tasks were handled, want those of all runs but the first", len(j.lines))
		}
	})
}

func TestNewRefuses(t *testing.T) {
	timers := escalation.NewMemoryTimers(time.Now)
	handle := func(context.Context, escalation.Lease) error { return nil }
	for name, c := range map[string]runner.Config{
		"no store":            {Handle: handle},
		"no handler":          {Timers: timers},
		"two handlers":        {Timers: timers, Handle: handle, Batch: func(context.Context, []escalation.Lease) []error { return nil }},
		"workers below 1":     {Timers: timers, Handle: handle, Workers: -1},
		"poll below 0":        {Timers: timers, Handle: handle, Poll: -1},
		"timeout above lease": {Timers: timers, Handle: handle, Lease: time.Second, Timeout: time.Second},
	} {
		if _, err := runner.New(c); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}
