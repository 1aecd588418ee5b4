// Package timertest tests implementations of [escalation.Timers]: those of this
// module and those of others.
//
//	func TestTimers(t *testing.T) {
//		timertest.Test(t, func(t *testing.T) timertest.Store {
//			now := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
//			return timertest.Store{
//				Timers:  escalation.NewMemoryTimers(func() time.Time { return now }),
//				Now:     func() time.Time { return now },
//				Advance: func(d time.Duration) { now = now.Add(d) },
//				Second:  time.Second,
//			}
//		})
//	}
package timertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// Store is an empty store under test and its clock.
type Store struct {
	escalation.Timers

	// Now reads the clock of the store.
	Now func() time.Time

	// Advance moves it, or sleeps.
	Advance func(time.Duration)

	// Second is the unit in which the tests count: a second for a clock that
	// Advance moves. For one that runs by itself take the shortest stretch that is
	// long beside a call, and the tests last as many units as they would seconds.
	Second time.Duration
}

// Test runs the suite. Every test opens a store of its own.
func Test(t *testing.T, open func(*testing.T) Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*suite)
	}{
		{"a key is stored once", (*suite).once},
		{"tasks come back as they were", (*suite).whole},
		{"bad tasks are refused", (*suite).refused},
		{"nothing is early", (*suite).early},
		{"those that have waited longest come first", (*suite).order},
		{"a lease excludes others until it ends", (*suite).exclusive},
		{"who comes too late changes nothing", (*suite).late},
		{"a late report counts while nobody took over", (*suite).unclaimed},
		{"a renewed lease lasts", (*suite).renew},
		{"a task that was given back waits", (*suite).retry},
		{"the dead are kept and can be revived", (*suite).dead},
		{"a cancelled task is gone", (*suite).cancel},
		{"a leased task is lost to the cancellation and not taken over", (*suite).cancelLeased},
		{"a task given back and cancelled is not completed", (*suite).cancelReturned},
		{"the next wake is told", (*suite).nextWake},
		{"counts and lists", (*suite).lists},
		{"done tasks are forgotten", (*suite).prune},
		{"many at once", (*suite).many},
		{"every task has one winner", (*suite).race},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			c.run(&suite{T: t, Store: s, start: s.Now()})
		})
	}
}

type suite struct {
	*testing.T
	Store
	start time.Time
}

// in is an instant so many seconds after the start.
func (s *suite) in(seconds int) time.Time { return s.start.Add(s.units(seconds)) }

func (s *suite) units(n int) time.Duration { return time.Duration(n) * s.Second }

// until moves the clock to the instant so many seconds after the start.
func (s *suite) until(seconds int) {
	if d := s.in(seconds).Sub(s.Now()); d > 0 {
		s.Advance(d)
	}
}

func task(key string, due time.Time) escalation.Task {
	return escalation.Task{Tenant: "acme", Key: key, Kind: "page", Due: due, Payload: json.RawMessage(`{"to":"` + key + `"}`)}
}

func (s *suite) schedule(tasks ...escalation.Task) {
	s.Helper()
	if err := s.Schedule(s.Context(), tasks...); err != nil {
		s.Fatalf("Schedule: %v", err)
	}
}

// claim leases for ten seconds.
func (s *suite) claim(n int) []escalation.Lease {
	s.Helper()
	leases, err := s.Claim(s.Context(), n, s.units(10))
	if err != nil {
		s.Fatalf("Claim: %v", err)
	}
	for _, l := range leases {
		if l.At.Before(l.Due) {
			s.Errorf("%s claimed at %v, before it is due at %v", l.Key, l.At, l.Due)
		}
	}
	return leases
}

// want claims up to n and compares keys and attempts, such as "a#1 b#2".
func (s *suite) want(n int, want string) []escalation.Lease {
	s.Helper()
	leases := s.claim(n)
	if got := text(leases); got != want {
		s.Fatalf("claimed %q, want %q", got, want)
	}
	return leases
}

func text(leases []escalation.Lease) string {
	var all []string
	for _, l := range leases {
		all = append(all, fmt.Sprintf("%s#%d", l.Key, l.Attempt))
	}
	return strings.Join(all, " ")
}

// complete reports leases and compares those that were lost.
func (s *suite) complete(wantLost string, leases ...escalation.Lease) {
	s.Helper()
	lost, err := s.Complete(s.Context(), leases...)
	if err != nil {
		s.Fatalf("Complete: %v", err)
	}
	if got := text(lost); got != wantLost {
		s.Errorf("Complete(%s) lost %q, want %q", text(leases), got, wantLost)
	}
}

func (s *suite) cancelled(key string, want bool) {
	s.Helper()
	won, err := s.Cancel(s.Context(), "acme", key)
	if err != nil || won != want {
		s.Errorf("Cancel(%s) = %v, %v, want %v", key, won, err, want)
	}
}

// stored reads one task.
func (s *suite) stored(key string) escalation.StoredTask {
	s.Helper()
	all, err := s.List(s.Context(), escalation.TaskFilter{Tenant: "acme"})
	if err != nil {
		s.Fatalf("List: %v", err)
	}
	i := slices.IndexFunc(all, func(t escalation.StoredTask) bool { return t.Key == key })
	if i < 0 {
		s.Fatalf("List has no %q", key)
	}
	return all[i]
}

func (s *suite) state(key string, want escalation.TaskState) {
	s.Helper()
	if got := s.stored(key).State; got != want {
		s.Errorf("%s is %v, want %v", key, got, want)
	}
}

// near reports whether an instant is the one wanted, or rounded up as a store
// may.
func near(got, want time.Time) bool {
	d := got.Sub(want)
	return d >= 0 && d < time.Millisecond
}

func (s *suite) once() {
	first := task("a", s.start)
	other := task("a", s.start)
	other.Tenant = "globex"
	s.schedule(first, task("a", s.in(3600)), other)
	s.schedule(task("a", s.in(-3600)))
	leases := s.claim(10)
	if len(leases) != 2 || leases[0].Tenant == leases[1].Tenant {
		s.Fatalf("claimed %+v, want a of acme and a of globex", leases)
	}
	s.complete("", leases...)
	s.schedule(first)
	s.want(10, "")
	s.state("a", escalation.TaskDone)
}

func (s *suite) whole() {
	due := s.start.Add(-time.Hour).Truncate(time.Second).Add(123456789)
	tasks := []escalation.Task{
		task(`50%/INC-1/1/L1'"\`+"\n\t`$1?;--", due),
		{Tenant: "acme", Key: "Zürich/日本/🙂", Kind: "", Due: due, Payload: json.RawMessage(`{"html":"<a&b>","n":12345678901234567890.10, "b":"\u0000\ud83d\ude42","a":[1,2]}`)},
		{Tenant: "acme", Key: "empty", Kind: "notice", Due: due},
	}
	tasks[0].Payload = json.RawMessage(`"x"`)
	s.schedule(tasks...)
	leases := s.claim(10)
	if len(leases) != len(tasks) {
		s.Fatalf("claimed %d, want %d", len(leases), len(tasks))
	}
	tasks[2].Payload = json.RawMessage("null")
	for _, want := range tasks {
		i := slices.IndexFunc(leases, func(l escalation.Lease) bool { return l.Key == want.Key })
		if i < 0 {
			s.Errorf("%q was not claimed", want.Key)
			continue
		}
		got := leases[i]
		if got.Tenant != want.Tenant || got.Kind != want.Kind || string(got.Payload) != string(want.Payload) || !near(got.Due, want.Due) {
			s.Errorf("got %+v, want %+v", got.Task, want)
		}
		if !near(got.At, got.At.UTC()) || got.Attempt != 1 {
			s.Errorf("%q: claimed at %v, attempt %d, want attempt 1", got.Key, got.At, got.Attempt)
		}
	}
}

func (s *suite) refused() {
	good := task("good", s.start)
	for name, spoil := range map[string]func(*escalation.Task){
		"no tenant":        func(t *escalation.Task) { t.Tenant = "" },
		"no key":           func(t *escalation.Task) { t.Key = "" },
		"key with NUL":     func(t *escalation.Task) { t.Key = "a\x00" },
		"key not in UTF-8": func(t *escalation.Task) { t.Key = "\xff" },
		"no due":           func(t *escalation.Task) { t.Due = time.Time{} },
		"due too far":      func(t *escalation.Task) { t.Due = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) },
		"payload no JSON":  func(t *escalation.Task) { t.Payload = json.RawMessage("{") },
	} {
		bad := task("bad", s.start)
		spoil(&bad)
		if err := s.Schedule(s.Context(), good, bad); err == nil {
			s.Errorf("%s: want an error", name)
		}
	}
	s.want(10, "")
	for _, c := range []struct {
		n     int
		lease time.Duration
	}{{0, s.Second}, {-1, s.Second}, {1, 0}, {1, -s.Second}} {
		if leases, err := s.Claim(s.Context(), c.n, c.lease); err == nil {
			s.Errorf("Claim(%d, %v) = %v, want an error", c.n, c.lease, leases)
		}
	}
	if err := s.Schedule(s.Context()); err != nil {
		s.Errorf("Schedule of nothing: %v", err)
	}
	if lost, err := s.Complete(s.Context()); err != nil || len(lost) > 0 {
		s.Errorf("Complete of nothing = %v, %v", lost, err)
	}
}

func (s *suite) early() {
	s.schedule(task("now", s.start), task("b", s.in(2)), task("c", s.in(4)))
	s.want(10, "now#1")
	s.until(3)
	s.want(10, "b#1")
	s.until(5)
	s.want(10, "c#1")
}

func (s *suite) order() {
	s.schedule(task("c", s.in(-1)), task("a", s.in(-3)), task("d", s.in(-1)), task("b", s.in(-2)))
	s.want(1, "a#1")
	s.want(2, "b#1 c#1")
	s.want(2, "d#1")
}

func (s *suite) exclusive() {
	s.schedule(task("a", s.start))
	first := s.want(10, "a#1")
	s.want(10, "")
	s.until(8)
	s.want(10, "")
	s.until(12)
	second := s.want(10, "a#2")
	if second[0].Token <= first[0].Token {
		s.Errorf("token %d after %d, want it to grow", second[0].Token, first[0].Token)
	}
}

func (s *suite) late() {
	s.schedule(task("a", s.start))
	first := s.want(1, "a#1")[0]
	s.until(11)
	second := s.want(1, "a#2")[0]
	s.complete("a#1", first)
	if lost, err := s.Renew(s.Context(), s.units(10), first); err != nil || text(lost) != "a#1" {
		s.Errorf("Renew of the lost lease = %q, %v, want it lost", text(lost), err)
	}
	if err := s.Retry(s.Context(), first, s.start, "late"); !errors.Is(err, escalation.ErrLeaseLost) {
		s.Errorf("Retry of the lost lease: %v, want ErrLeaseLost", err)
	}
	if err := s.Dead(s.Context(), first, "late"); !errors.Is(err, escalation.ErrLeaseLost) {
		s.Errorf("Dead of the lost lease: %v, want ErrLeaseLost", err)
	}
	s.state("a", escalation.TaskLeased)
	s.complete("", second)
	s.complete("a#2", second)
	s.complete("a#1 x#7", first, escalation.Lease{Task: task("x", s.start), Token: 1, Attempt: 7})
	s.state("a", escalation.TaskDone)
}

func (s *suite) unclaimed() {
	s.schedule(task("a", s.start), task("b", s.start))
	leases := s.want(2, "a#1 b#1")
	s.until(11)
	s.complete("", leases[0])
	if err := s.Dead(s.Context(), leases[1], "x"); err != nil {
		s.Errorf("Dead after the end of the lease, nobody else has it: %v", err)
	}
	s.want(10, "")
}

func (s *suite) renew() {
	s.schedule(task("a", s.start), task("b", s.start))
	leases := s.want(2, "a#1 b#1")
	s.until(5)
	if lost, err := s.Renew(s.Context(), s.units(10), leases[0]); err != nil || len(lost) > 0 {
		s.Fatalf("Renew = %v, %v", lost, err)
	}
	s.until(12)
	s.want(10, "b#2")
	s.complete("", leases[0])
	if lost, err := s.Renew(s.Context(), s.units(10), leases...); err != nil || text(lost) != "a#1 b#1" {
		s.Errorf("Renew of a done and a lost one = %q, %v, want both lost", text(lost), err)
	}
}

func (s *suite) retry() {
	s.schedule(task("a", s.start))
	first := s.want(1, "a#1")[0]
	if err := s.Retry(s.Context(), first, time.Time{}, "busy"); err == nil {
		s.Error("Retry at no instant: want an error")
	}
	if err := s.Retry(s.Context(), first, s.in(4), "\xff\x00"); err != nil {
		s.Fatalf("Retry for a reason that is not text: %v", err)
	}
	s.complete("a#1", first)
	s.until(5)
	first = s.want(1, "a#2")[0]
	if err := s.Retry(s.Context(), first, s.in(9), "busy"); err != nil {
		s.Fatalf("Retry: %v", err)
	}
	if got := s.stored("a"); got.State != escalation.TaskPending || got.Reason != "busy" || !near(got.Wake, s.in(9)) || !near(got.Due, s.start) {
		s.Errorf("after Retry: %+v, want pending, busy, wake in 9", got)
	}
	s.complete("a#2", first)
	s.until(8)
	s.want(1, "")
	s.until(10)
	second := s.want(1, "a#3")[0]
	s.complete("a#2", first)
	s.complete("", second)
}

func (s *suite) dead() {
	s.schedule(task("a", s.start), task("b", s.in(3600)))
	first := s.want(1, "a#1")[0]
	if err := s.Dead(s.Context(), first, "no such number"); err != nil {
		s.Fatalf("Dead: %v", err)
	}
	s.until(12)
	s.want(10, "")
	if got := s.stored("a"); got.State != escalation.TaskDead || got.Reason != "no such number" || got.Ended.IsZero() || !got.Wake.IsZero() {
		s.Errorf("after Dead: %+v, want dead with its reason, ended, no wake", got)
	}
	if err := s.Requeue(s.Context(), "acme", "b", s.start); !errors.Is(err, escalation.ErrNotPossible) {
		s.Errorf("Requeue of a pending task: %v, want ErrNotPossible", err)
	}
	if err := s.Requeue(s.Context(), "globex", "a", s.start); !errors.Is(err, escalation.ErrUnknownTask) {
		s.Errorf("Requeue of another tenant: %v, want ErrUnknownTask", err)
	}
	if err := s.Requeue(s.Context(), "acme", "a", s.in(14)); err != nil {
		s.Fatalf("Requeue: %v", err)
	}
	s.want(10, "")
	s.until(15)
	again := s.want(10, "a#1")[0]
	if again.Token <= first.Token {
		s.Errorf("token %d after %d, want it to grow over Requeue", again.Token, first.Token)
	}
	s.complete("a#1", first)
	s.complete("", again)
}

func (s *suite) cancel() {
	s.schedule(task("a", s.in(2)), task("b", s.in(2)))
	s.cancelled("a", true)
	s.cancelled("a", false)
	s.cancelled("unknown", false)
	if won, err := s.Cancel(s.Context(), "globex", "b"); err != nil || won {
		s.Errorf("another tenant cancels b: %v, %v, want false", won, err)
	}
	s.schedule(task("a", s.start))
	s.until(3)
	leases := s.want(10, "b#1")
	s.complete("", leases...)
	s.cancelled("b", false)
	s.state("a", escalation.TaskCancelled)
	s.state("b", escalation.TaskDone)
}

func (s *suite) cancelLeased() {
	s.schedule(task("a", s.start), task("b", s.start), task("c", s.start))
	leases := s.want(10, "a#1 b#1 c#1")
	s.cancelled("a", false)
	s.cancelled("b", false)
	if lost, err := s.Renew(s.Context(), s.units(10), leases[0]); err != nil || text(lost) != "a#1" {
		s.Errorf("Renew of a cancelled task = %q, %v, want it lost, so that the worker learns of it", text(lost), err)
	}
	if err := s.Retry(s.Context(), leases[1], s.start, "busy"); !errors.Is(err, escalation.ErrLeaseLost) {
		s.Errorf("Retry of a cancelled task: %v, want ErrLeaseLost", err)
	}
	s.complete("", leases[0])
	s.complete("a#1", leases[0])
	s.until(12)
	s.want(10, "c#2")
	s.state("a", escalation.TaskDone)
	s.state("b", escalation.TaskCancelled)
}

func (s *suite) cancelReturned() {
	s.schedule(task("a", s.start))
	first := s.want(1, "a#1")[0]
	if err := s.Retry(s.Context(), first, s.in(2), "busy"); err != nil {
		s.Fatal(err)
	}
	s.cancelled("a", true)
	s.complete("a#1", first)
	s.state("a", escalation.TaskCancelled)
}

func (s *suite) nextWake() {
	next := func(wantOK bool, low, high int) {
		s.Helper()
		in, ok, err := s.NextWake(s.Context())
		if err != nil || ok != wantOK || ok && (in < s.units(low) || in > s.units(high)+time.Millisecond) {
			s.Errorf("NextWake = %v, %v, %v, want %v within [%v, %v]", in, ok, err, wantOK, s.units(low), s.units(high))
		}
	}
	next(false, 0, 0)
	s.schedule(task("b", s.in(1000)), task("a", s.in(100)))
	next(true, 99, 100)
	s.cancelled("a", true)
	next(true, 999, 1000)
	s.schedule(task("c", s.in(-500)))
	next(true, -501, -500)
	leases := s.want(10, "c#1")
	next(true, 9, 10)
	s.complete("", leases...)
	next(true, 998, 1000)
}

func (s *suite) lists() {
	s.schedule(task("a", s.start), task("b", s.in(-5)), task("c", s.in(-4)), task("d", s.in(50)), task("e", s.in(60)), task("f", s.in(70)))
	globex := task("g", s.start)
	globex.Tenant = "globex"
	s.schedule(globex)
	leases := s.want(2, "b#1 c#1")
	s.complete("", leases[0])
	if err := s.Dead(s.Context(), leases[1], "x"); err != nil {
		s.Fatal(err)
	}
	s.cancelled("f", true)
	s.want(1, "a#1")
	got, err := s.Count(s.Context(), "acme")
	if err != nil || !near(got.Oldest, s.start) {
		s.Errorf("Count = %+v, %v, want the oldest due at the start", got, err)
	}
	got.Oldest = time.Time{}
	if want := (escalation.TaskCounts{Pending: 2, Leased: 1, Done: 1, Cancelled: 1, Dead: 1}); got != want {
		s.Errorf("Count = %+v, want %+v", got, want)
	}
	if got, err := s.Count(s.Context(), "nobody"); err != nil || got != (escalation.TaskCounts{}) {
		s.Errorf("Count of an unknown tenant = %+v, %v, want nothing", got, err)
	}
	for _, c := range []struct {
		filter escalation.TaskFilter
		want   string
	}{
		{escalation.TaskFilter{Tenant: "acme"}, "a b c d e f"},
		{escalation.TaskFilter{Tenant: "acme", Limit: 2}, "a b"},
		{escalation.TaskFilter{Tenant: "acme", Limit: 2, After: "b"}, "c d"},
		{escalation.TaskFilter{Tenant: "acme", State: escalation.TaskPending}, "d e"},
		{escalation.TaskFilter{Tenant: "acme", State: escalation.TaskPending, After: "d"}, "e"},
		{escalation.TaskFilter{Tenant: "acme", State: escalation.TaskLeased}, "a"},
		{escalation.TaskFilter{Tenant: "acme", State: escalation.TaskDead}, "c"},
		{escalation.TaskFilter{Tenant: "globex"}, "g"},
		{escalation.TaskFilter{}, ""},
	} {
		all, err := s.List(s.Context(), c.filter)
		var keys []string
		for _, t := range all {
			keys = append(keys, t.Key)
		}
		if got := strings.Join(keys, " "); err != nil || got != c.want {
			s.Errorf("List(%+v) = %q, %v, want %q", c.filter, got, err, c.want)
		}
	}
}

func (s *suite) prune() {
	s.schedule(task("a", s.start), task("b", s.start), task("c", s.start), task("d", s.in(3600)), task("e", s.start))
	leases := s.want(3, "a#1 b#1 c#1")
	s.complete("", leases[0])
	if err := s.Dead(s.Context(), leases[1], "x"); err != nil {
		s.Fatal(err)
	}
	s.cancelled("d", true)
	s.until(5)
	s.complete("", leases[2])
	prune := func(keep, n, want int) {
		s.Helper()
		if got, err := s.Prune(s.Context(), s.units(keep), n); err != nil || got != want {
			s.Errorf("Prune(%v, %d) = %d, %v, want %d", s.units(keep), n, got, err, want)
		}
	}
	prune(3600, 10, 0)
	prune(3, 1, 1)
	prune(3, 10, 1)
	prune(3, 10, 0)
	s.until(9)
	prune(3, 10, 1)
	s.state("b", escalation.TaskDead)
	s.state("e", escalation.TaskPending)
	s.schedule(task("a", s.in(-1))) // forgotten, and so new
	s.want(10, "a#1 e#1")
}

func (s *suite) many() {
	const n = 2000
	var tasks []escalation.Task
	for i := range n {
		tasks = append(tasks, task(fmt.Sprintf("k%04d", i), s.in(-i)))
	}
	s.schedule(tasks...)
	var all []escalation.Lease
	for len(all) < n {
		got := s.claim(700)
		if len(got) == 0 {
			break
		}
		all = append(all, got...)
	}
	if len(all) != n || all[0].Key != "k1999" {
		s.Fatalf("claimed %d, first %q, want %d and the oldest", len(all), all[0].Key, n)
	}
	s.complete("", all...)
	if c, err := s.Count(s.Context(), "acme"); err != nil || c.Done != n {
		s.Errorf("Count = %+v, %v, want %d done", c, err, n)
	}
}

// race lets workers claim and complete what others cancel.
func (s *suite) race() {
	const n = 300
	var tasks []escalation.Task
	for i := range n {
		tasks = append(tasks, task(fmt.Sprintf("k%03d", i), s.start))
	}
	s.schedule(tasks...)
	var mu sync.Mutex
	claims, wins := map[string]int{}, map[string]bool{} // guarded by mu
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			for {
				leases, err := s.Claim(s.Context(), 7, time.Hour)
				if err != nil {
					s.Errorf("Claim: %v", err)
				}
				if len(leases) == 0 {
					return
				}
				mu.Lock()
				for _, l := range leases {
					claims[l.Key]++
				}
				mu.Unlock()
				if lost, err := s.Complete(s.Context(), leases...); err != nil || len(lost) > 0 {
					s.Errorf("Complete lost %q, %v, want none: whoever held it did it", text(lost), err)
				}
			}
		})
	}
	for part := range 2 {
		work.Go(func() {
			for i := part; i < n; i += 2 {
				key := tasks[n-1-i].Key
				won, err := s.Cancel(s.Context(), "acme", key)
				if err != nil {
					s.Errorf("Cancel: %v", err)
				}
				mu.Lock()
				wins[key] = won
				mu.Unlock()
			}
		})
	}
	work.Wait()
	cancelled := 0
	for _, t := range tasks {
		switch got := claims[t.Key]; {
		case wins[t.Key] && got > 0:
			s.Errorf("%s: the cancellation won, and it was claimed", t.Key)
		case !wins[t.Key] && got != 1:
			s.Errorf("%s: claimed %d times, want once", t.Key, got)
		case wins[t.Key]:
			cancelled++
		}
	}
	c, err := s.Count(s.Context(), "acme")
	if err != nil || c.Cancelled != cancelled || c.Done != n-cancelled {
		s.Errorf("Count = %+v, %v, want %d cancelled, the others done", c, err, cancelled)
	}
}
