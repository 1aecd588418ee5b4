package resilience

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadlineContext holds the context of an attempt to what context.WithDeadline
// does, for whoever waits on it, is told by it, or makes contexts of it.
func TestDeadlineContext(t *testing.T) {
	errEnough := errors.New("enough")
	for _, c := range []struct {
		name   string
		within time.Duration // 0 for no deadline of its own
		stop   time.Duration // of the parent; 0 for never
		end    time.Duration // of the attempt; 0 for never
		at     time.Duration // when it is over
		want   error
		cause  error
	}{
		{name: "deadline", within: 5 * time.Second, at: 5 * time.Second, want: context.DeadlineExceeded, cause: context.DeadlineExceeded},
		{name: "parent first", within: 5 * time.Second, stop: 2 * time.Second, at: 2 * time.Second, want: context.Canceled, cause: errEnough},
		{name: "parent alone", stop: 2 * time.Second, at: 2 * time.Second, want: context.Canceled, cause: errEnough},
		{name: "ended", within: 5 * time.Second, end: time.Second, at: time.Second, want: context.Canceled, cause: context.Canceled},
		{name: "past", within: -time.Second, want: context.DeadlineExceeded, cause: context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				parent, cancel := context.WithCancelCause(t.Context())
				d := &deadlineContext{parent: parent, alarms: &alarms{}}
				if c.within != 0 {
					d.deadline = start.Add(c.within)
				}
				if c.stop > 0 {
					time.AfterFunc(c.stop, func() { cancel(errEnough) })
				}
				if c.end > 0 {
					time.AfterFunc(c.end, d.end)
				}
				defer cancel(nil)
				told, muted := make(chan time.Time, 1), false
				d.AfterFunc(func() { told <- time.Now() })
				stop := d.AfterFunc(func() { muted = true })
				child, free := context.WithCancelCause(d)
				defer free(nil)
				if was := stop(); !was && c.within >= 0 {
					t.Error("stop() = false, want true")
				}
				if stop() {
					t.Error("a second stop() = true, want false")
				}
				<-child.Done()
				<-d.Done()
				for _, at := range []time.Time{time.Now(), <-told} {
					if got := at.Sub(start); got != c.at {
						t.Errorf("over after %v, want %v", got, c.at)
					}
				}
				synctest.Wait()
				if muted && c.within >= 0 {
					t.Error("told although stopped")
				}
				for _, ctx := range []context.Context{d, child} {
					if got := context.Cause(ctx); !errors.Is(ctx.Err(), c.want) || !errors.Is(got, c.cause) {
						t.Errorf("Err, Cause = %v, %v, want %v, %v", ctx.Err(), got, c.want, c.cause)
					}
				}
			})
		})
	}
}

// TestAlarms sets many deadlines in another order than theirs and clears some: each of
// the others rings at its instant, and what is left over is nothing.
func TestAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, a := time.Now(), &alarms{}
		rang := make(chan [2]int, 100) // the deadline and when it rang, in seconds
		var all [100]*deadlineContext
		for i := range all {
			after := (i*37)%100 + 1 // 37 and 100 have no factor in common: each of 1 to 100 once
			d := &deadlineContext{parent: context.Background(), deadline: start.Add(time.Duration(after) * time.Second), alarms: a}
			d.AfterFunc(func() { rang <- [2]int{after, int(time.Since(start).Seconds())} })
			all[after-1] = d
		}
		for i := 0; i < len(all); i += 3 {
			all[i].end()
			<-rang
		}
		for i := range all {
			if i%3 == 0 {
				continue
			}
			if got := <-rang; got != [2]int{i + 1, i + 1} {
				t.Errorf("rang, at = %v, want both %d", got, i+1)
			}
		}
		synctest.Wait()
		if a.first != nil || a.last != nil || !a.rings.IsZero() {
			t.Errorf("left over: %v, %v, rings %v", a.first, a.last, a.rings)
		}
	})
}

// TestAlarmsInOrder sets and clears deadlines at random, in order and not, and compares the
// list with one that is sorted each time.
func TestAlarmsInOrder(t *testing.T) {
	for seed := range uint64(5) {
		draw, start := rand.New(rand.NewPCG(seed, 1)), time.Now()
		a := &alarms{}
		var want []*deadlineContext
		for n := range 2000 {
			if len(want) > 0 && draw.IntN(5) < 2 {
				i := draw.IntN(len(want))
				a.clear(want[i])
				want = slices.Delete(want, i, i+1)
			} else {
				after := time.Duration(n) * time.Second
				if draw.IntN(3) == 0 {
					after = time.Duration(draw.IntN(2000)) * time.Second
				}
				d := &deadlineContext{parent: context.Background(), deadline: start.Add(time.Hour + after), alarms: a}
				a.set(d)
				at, _ := slices.BinarySearchFunc(want, d, func(e, d *deadlineContext) int {
					if e.deadline.After(d.deadline) {
						return 1
					}
					return -1 // those of one instant stay in the order in which they came
				})
				want = slices.Insert(want, at, d)
			}
			var got []*deadlineContext
			var before *deadlineContext
			for d := a.first; d != nil; before, d = d, d.after {
				if d.before != before {
					t.Fatalf("seed %d, step %d: a link back leads elsewhere", seed, n)
				}
				got = append(got, d)
			}
			if !slices.Equal(got, want) || a.last != before {
				t.Fatalf("seed %d, step %d: %d in the list, want %d in another order", seed, n, len(got), len(want))
			}
		}
	}
}

// BenchmarkAlarms sets and clears a deadline beside those of n calls under way: behind
// all of them, and before all but half.
func BenchmarkAlarms(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		for name, after := range map[string]time.Duration{"in order": time.Hour, "mixed": time.Duration(n/2) * time.Millisecond} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				a, start := &alarms{}, time.Now().Add(time.Hour)
				for i := range n {
					a.set(&deadlineContext{parent: context.Background(), deadline: start.Add(time.Duration(i) * time.Millisecond), alarms: a})
				}
				d := &deadlineContext{parent: context.Background(), deadline: start.Add(after), alarms: a}
				b.ReportAllocs()
				for b.Loop() {
					a.set(d)
					a.clear(d)
				}
			})
		}
	}
}

// TestEndsForGood asks a context of which nobody has waited whether it is over, and then
// waits: it stays over, for the reason it gave first.
func TestEndsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		d := &deadlineContext{parent: parent, deadline: time.Now().Add(time.Second), alarms: &alarms{}}
		if err := d.Err(); err != nil {
			t.Fatalf("before the deadline: %v", err)
		}
		time.Sleep(time.Second)
		for _, then := range []func(){func() {}, cancel, func() { d.Done() }, d.end} {
			if then(); !errors.Is(d.Err(), context.DeadlineExceeded) {
				t.Errorf("Err = %v, want that the deadline has passed", d.Err())
			}
		}
		select {
		case <-d.Done():
		default:
			t.Error("over, and Done is open")
		}
		if d.alarms.has(d) {
			t.Error("over, and an alarm is set")
		}
	})
}
