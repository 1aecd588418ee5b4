package timertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

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
