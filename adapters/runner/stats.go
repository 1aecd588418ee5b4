package runner

import (
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// lateBounds are the upper ends of the classes of [Stats.Late], the last of which
// has none.
var lateBounds = [...]time.Duration{
	10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute,
}

// Stats are figures of one runner since it was made.
type Stats struct {
	Claimed   uint64 // leases taken
	Completed uint64
	Retried   uint64 // given back after a failed attempt
	Dead      uint64 // given up
	Lost      uint64 // leases that ended or were cancelled before the report
	Errors    uint64 // calls of the store that failed
	Pruned    uint64 // old tasks forgotten

	// Unreported counts tasks whose outcome the store did not take, however often it
	// was asked while it answered otherwise. They come back when their leases end,
	// with one attempt more, until they are dead.
	Unreported uint64

	// Late counts first attempts by how long after their due instant they were
	// claimed: up to 10 ms, 100 ms, 1 s, 10 s, 1 min, and longer.
	Late [len(lateBounds) + 1]uint64

	Held int // tasks held now

	// Overdue is how long the task that has waited longest could have been claimed
	// when the runner looked last; 0 if none was.
	Overdue time.Duration

	// Silent is how long ago the runner last looked for due tasks with success.
	// While it runs and its store answers, that is hardly more than Poll plus the
	// time of a claim; make an alarm of more than a few times that.
	Silent time.Duration
}

func (s *Stats) claimed(l escalation.Lease) {
	s.Claimed++
	if l.Attempt > 1 {
		return
	}
	late, class := l.At.Sub(l.Due), 0
	for class < len(lateBounds) && late > lateBounds[class] {
		class++
	}
	s.Late[class]++
}

// Stats returns the figures of now.
func (r *Runner) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Held = len(r.held)
	if !r.looked.IsZero() {
		s.Silent = time.Since(r.looked)
	}
	return s
}
