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
	"slices"
	"strings"
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
