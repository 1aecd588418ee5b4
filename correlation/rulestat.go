package correlation

import (
	"iter"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
)

// RuleStat is what one rule costs an engine and where it stands, for somebody who
// watches the engine. Times would need a clock; counts do not, and are the same in every
// replay.
type RuleStat struct {
	Rule string `json:"rule"`
	// Tests counts the selectors of the rule that were tried on an alert or composite
	// when it was first seen, after those that the index ruled out. It grows with new
	// identities, not with refreshes.
	Tests int `json:"tests"`
	// Evaluations counts the looks at one instance of the rule, of which a step takes at
	// most one for each instance that it changes.
	Evaluations int `json:"evaluations"`
	// Opens counts the instances that opened, with CREATE or without. One that lingers and
	// holds again did not open anew.
	Opens int `json:"opens"`
	// Open and Lingering are the instances that hide or stand for something now, without
	// CREATE too.
	Open      int `json:"open"`
	Lingering int `json:"lingering"`
	// Alerts is how many active alerts and composites match the rule now, for a condition
	// or to be suppressed.
	Alerts int `json:"alerts"`
}

// ruleCounts are the counters of a rule since the engine was made.
type ruleCounts struct{ tests, evaluations, opens int }

// RuleStats returns one for every rule, in the order of the rules, disabled ones included.
// What is counted begins with [New], [Restore] or [Engine.Replace], as counters of a
// process do; what stands now is exact after them, too. It takes time proportional to the
// rules and their instances.
func (e *Engine) RuleStats() []RuleStat {
	list := make([]RuleStat, len(e.programs))
	for n, p := range e.programs {
		list[n] = RuleStat{Rule: p.Name, Tests: p.counts.tests, Evaluations: p.counts.evaluations, Opens: p.counts.opens}
	}
	for _, sp := range e.spaces {
		for i := range sp.instances.All() {
			s := &list[i.rule.index]
			s.Alerts += len(i.members)
			switch i.state {
			case closed:
			case open:
				s.Open++
			case lingering:
				s.Lingering++
			}
		}
	}
	return list
}

// Pending is what an engine waits for.
type Pending struct {
	// Timers are appointments: ends of alerts, notifications that settle, lingers, and ended
	// alerts to forget. Some turn out to be void when they come up.
	Timers int       `json:"timers"`
	Held   int       `json:"held"`          // events within Options.Reorder
	Next   time.Time `json:"next,omitzero"` // the earliest of all, as of [Engine.NextWake]; zero if there is none
}

// Pending returns it in constant time. An engine whose NextWake lies behind the time of day is
// not moved on by its caller.
func (e *Engine) Pending() Pending {
	p := Pending{Timers: len(e.timers), Held: len(e.held)}
	if next, ok := e.NextWake(); ok {
		p.Next = next
	}
	return p
}

// Until moves the engine to the instant at like [Engine.Step] and yields the transitions
// on the way one by one, with memory for those of one instant at a time. If the caller
// breaks off, the engine stands at the instant of the last transition, and the rest of
// that instant is not told again. An error, such as [ErrTime], comes last with a zero
// transition; it can also be about events held for Options.Reorder.
func (e *Engine) Until(at time.Time) iter.Seq2[Transition, error] {
	return func(yield func(Transition, error) bool) {
		var list []Transition
		for done := false; !done; {
			to := at
			if next, ok := e.NextWake(); ok && next.Before(at) && instant.InRange(at) {
				to = next
			} else {
				done = true
			}
			var err error
			list, err = e.Append(list[:0], to)
			for _, t := range list {
				if !yield(t, nil) {
					return
				}
			}
			if err != nil && !yield(Transition{}, err) {
				return
			}
		}
	}
}
