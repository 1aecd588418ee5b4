package timertest

import (
	"fmt"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

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
