package playbook

import (
	"fmt"
	"strconv"
	"time"
)

// Limits bound what the runs of a tenant may change. They count actions that
// change something, and neither diagnostics nor calls for help. A zero is no
// limit.
type Limits struct {
	// Running is how many of them may be under way at once; a further one is queued
	// until one has ended.
	Running int `json:"running,omitempty"`
	// Services is how many services may be changed by runs that have not ended; an
	// action on a further one is blocked and a person told.
	Services int `json:"services,omitempty"`
	// Begun is how many may begin within any time of length Per; a further one is
	// blocked and a person told: who needs so many has another problem.
	Begun int           `json:"begun,omitempty"`
	Per   time.Duration `json:"per_ns,omitempty"`
}

// Usage is what the limits count.
type Usage struct {
	Running  int `json:"running"`  // under way
	Services int `json:"services"` // changed by runs that have not ended
	Begun    int `json:"begun"`    // within Limits.Per
}

func (l Limits) check(path string, bad func(path, value, want string)) {
	for _, f := range []struct {
		field string
		value int
	}{{"running", l.Running}, {"services", l.Services}, {"begun", l.Begun}} {
		if f.value < 0 {
			bad(path+"."+f.field, strconv.Itoa(f.value), "0 or more")
		}
	}
	if l.Per < 0 || (l.Begun > 0) != (l.Per > 0) {
		bad(path+".per_ns", l.Per.String(), "more than 0 together with begun, else 0")
	}
}

// Elsewhere tells what the other engines of the tenant use of the limits at the
// instant of the next [Engine.Step]; see [Engine.ForService]. It is no part of the
// snapshot.
func (e *Engine) Elsewhere(u Usage) { e.elsewhere = u }

// queueTime is after how long a queued action is looked at again if nothing else
// happens.
const queueTime = 10 * time.Second

// limit returns which limit stands against an action that may run; full if it
// must not wait for its turn either.
func (e *Engine) limit(run *Run, step *Step, at time.Time) (why string, full bool) {
	l := e.config.Limits
	if l == (Limits{}) || step.Attempt > 0 && l.Running == 0 {
		return "", false
	}
	used, changed := e.elsewhere, map[string]bool{}
	for _, r := range e.runs {
		for _, s := range r.Steps {
			c := e.call(r, s)
			if s == step || s.Started.IsZero() || c == nil || !c.spec.Type.changes() {
				continue
			}
			if s.Status == Running {
				used.Running++
			}
			if s.Started.After(at.Add(-l.Per)) {
				used.Begun++
			}
			if !r.Ended() {
				changed[r.Service] = true
			}
		}
	}
	switch {
	case step.Attempt == 0 && l.Services > 0 && !changed[run.Service] && used.Services+len(changed) >= l.Services:
		return fmt.Sprintf("limit: %d services are being changed, at most %d may be", used.Services+len(changed), l.Services), true
	case step.Attempt == 0 && l.Begun > 0 && used.Begun >= l.Begun:
		return fmt.Sprintf("limit: %d actions have begun within %v, at most %d may", used.Begun, l.Per, l.Begun), true
	case l.Running > 0 && used.Running >= l.Running:
		return fmt.Sprintf("limit: %d actions are under way, at most %d may be", used.Running, l.Running), false
	}
	return "", false
}

// queue has an action wait for its turn. An approval that was given stays given.
func (e *Engine) queue(r *Run, step *Step, at time.Time, why string) {
	before := step.Status
	step.Status, step.Until = Queued, at.Add(queueTime)
	if before != Queued {
		step.Decision, step.At, step.Why = QueueIt, at, why
		e.recordStep(Decided, r, step, at, "", why)
	}
}
