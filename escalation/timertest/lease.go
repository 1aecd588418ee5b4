package timertest

import (
	"errors"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

func (s *suite) renew() {
	s.schedule(task("a", s.start), task("b", s.start))
	leases := s.want(2, "a#1 b#1")
	s.until(5)
	if lost, err := s.Renew(s.Context(), s.units(10), leases[0]); err != nil || len(lost) > 0 {
		s.Fatalf("Renew = %v, %v", lost, err)
	}
	s.until(12)
	later := s.want(10, "b#2")[0]
	if lost, err := s.Renew(s.Context(), s.units(10), leases[1], later); err != nil || text(lost) != "b#1" {
		s.Errorf("Renew of a lost lease and a later one of the task = %q, %v, want the first lost", text(lost), err)
	}
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
