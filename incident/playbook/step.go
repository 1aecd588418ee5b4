package playbook

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Step is one action of a run.
type Step struct {
	Key    string    `json:"key"` // tenant/run/stage/action: the idempotency key of all attempts
	Stage  string    `json:"stage"`
	Action string    `json:"action"`
	Due    time.Time `json:"due"` // of its stage
	Status Status    `json:"status"`

	Decision Verdict   `json:"decision,omitempty"` // the latest; empty before the first
	At       time.Time `json:"at,omitzero"`        // of the latest decision
	Why      string    `json:"why,omitempty"`

	Attempt  int        `json:"attempts"`           // so far
	Started  time.Time  `json:"began,omitzero"`     // the first attempt
	Until    time.Time  `json:"until,omitzero"`     // end of the attempt, the pause or the wait
	Result   string     `json:"result,omitempty"`   // what the latest attempt said
	Hash     string     `json:"hash,omitempty"`     // of what is asked for; empty before the first decision
	Approved []Approval `json:"approved,omitempty"` // by whom
	Agreed   bool       `json:"agreed,omitempty"`   // enough of them
	Asked    int        `json:"asked,omitempty"`    // so often
	Undoes   string     `json:"undoes,omitempty"`   // key of the step that this one takes back
	Call     string     `json:"call,omitempty"`     // why a person has to be called with the next step
	Told     int        `json:"told,omitempty"`     // persons were called so often
}

// Approval is the yes of one person to one action with its parameters.
type Approval struct {
	By     string    `json:"by"`
	Role   string    `json:"role,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// approvedBy reports whether the person has said yes.
func (s *Step) approvedBy(person string) bool {
	return slices.ContainsFunc(s.Approved, func(a Approval) bool { return a.By == person })
}

// Status is where a step stands.
type Status string

// The statuses. A step that waits, is queued, runs, pauses or asks is not done.
const (
	Waiting   Status = "waiting"         // for its turn in the stage
	Queued    Status = "queued"          // until fewer actions are under way; see Limits
	Running   Status = "running"         // an attempt is under way
	Pausing   Status = "pausing"         // until the next attempt
	Asking    Status = "asking"          // for an approval
	Succeeded Status = "succeeded"       //
	Failure   Status = "failed"          // every attempt, or one that may not be repeated
	Skipped   Status = "skipped"         // a condition was false
	Blocked   Status = "blocked"         // by a safety check, an unknown or the kill switch
	Expired   Status = "expired"         // nobody approved in time
	Rejected  Status = "rejected"        // by a person
	Unsure    Status = "outcome_unknown" // it may have happened; a person has to look
	DryRun    Status = "dry_run"         // decided, not done
)

// Done reports whether the step has come to its end.
func (s Status) Done() bool {
	switch s {
	case Waiting, Queued, Running, Pausing, Asking:
		return false
	default:
		return true
	}
}

// Outcome is what an attempt came to.
type Outcome string

// The outcomes of an attempt.
const (
	OK        Outcome = "ok"
	Failed    Outcome = "failed"    // an error; whether it had an effect is not known
	NotDone   Outcome = "not_done"  // an error, and certainly no effect: may always be repeated
	Uncertain Outcome = "uncertain" // no answer
)

// call returns what a step is to do, or nil if the playbook has it no more.
func (e *Engine) call(r *Run, step *Step) *call {
	p := e.playbook(r.Playbook)
	if p == nil {
		return nil
	}
	if step.Undoes != "" {
		if i := slices.IndexFunc(r.Steps, func(s *Step) bool { return s.Key == step.Undoes && s.Undoes == "" }); i >= 0 {
			if c := e.call(r, r.Steps[i]); c != nil && c.undo != nil && c.undo.Action == step.Action {
				return c.undo
			}
		}
		return nil
	}
	i := slices.Index(stageNames[:], step.Stage)
	if i < 0 {
		return nil
	}
	st := &p.stages[i]
	if i = slices.IndexFunc(st.calls, func(c call) bool { return c.Action == step.Action }); i < 0 {
		return nil
	}
	return &st.calls[i]
}

// advance moves one step as far as it goes at an instant.
func (e *Engine) advance(r *Run, p *compiled, s *service, step *Step, at time.Time) []Intent {
	if step.Status.Done() && step.Call == "" {
		return nil
	}
	c := e.call(r, step)
	if c == nil {
		return e.abandon(r, step, at, "the action is gone from the playbook")
	}
	var out []Intent
	skip := func(why string) {
		step.Status, step.Decision, step.At, step.Why = Skipped, SkipIt, at, why
		e.recordStep(Decided, r, step, at, "", why)
	}
	switch {
	case step.Undoes != "" || step.Status != Waiting && step.Status != Queued && step.Status != Asking:
	case !r.ClearedAt.IsZero():
		skip("the trigger has cleared: " + r.ClearedWhy)
	case r.Undone != "" && !c.spec.Type.reachesPeople():
		skip("the run is taken back " + r.Undone)
	}
	switch {
	case step.Status == Waiting:
		before := e.inTheWay(r, step, c)
		if before == "" {
			out = e.attempt(r, p, s, step, c, at)
		} else if before != waitFor {
			skip(before)
		}
	case step.Status == Asking && step.Agreed, step.Status == Queued, step.Status == Pausing && !step.Until.After(at):
		out = e.attempt(r, p, s, step, c, at)
	case step.Status == Asking && !step.Until.After(at):
		step.Status, step.Call = Expired, "nobody approved within "+threshold.FormatDuration(e.config.ApprovalTime)
		e.recordStep(Lapsed, r, step, step.Until, "", step.Call)
	case step.Status == Running && !step.Until.After(at):
		e.finish(r, step, c, step.Until, Uncertain, "no answer within "+threshold.FormatDuration(c.timeout))
	}
	return append(out, e.tell(r, step, c, at)...)
}

// tell returns the call of a person if one is owed.
func (e *Engine) tell(r *Run, step *Step, c *call, at time.Time) []Intent {
	if step.Call == "" {
		return nil
	}
	step.Told++
	i := e.intent(Tell, r, step, c, at, step.Call)
	i.Key = fmt.Sprintf("%s/human/%d", step.Key, step.Told)
	step.Call = ""
	return []Intent{i}
}

// abandon ends a step of which the book says nothing any more. An attempt that is
// under way is in doubt: a person has to look.
func (e *Engine) abandon(r *Run, step *Step, at time.Time, why string) []Intent {
	switch {
	case step.Status == Running:
		e.lose(r, step, at, Uncertain, why)
	case !step.Status.Done():
		step.Status, step.Why = Blocked, why
		e.recordStep(Decided, r, step, at, "", why)
	}
	return e.tell(r, step, &call{}, at)
}

// lose takes the end of an attempt of which the book says nothing any more: there is
// no other one.
func (e *Engine) lose(r *Run, step *Step, at time.Time, outcome Outcome, text string) {
	step.Status, step.Result, step.Until = Failure, text, time.Time{}
	switch outcome {
	case OK:
		step.Status = Succeeded
	case Uncertain:
		step.Status, step.Call = Unsure, text+"; it may have happened"
	case Failed, NotDone:
	}
	e.recordResult(r, step, step.Attempt, at, outcome, text)
}

const waitFor = "wait"

// inTheWay returns "" if the step may begin, waitFor if an earlier one of its
// stage is under way, and why it is skipped if an earlier one failed and the
// stage stops there. Calls for help begin in any case.
func (e *Engine) inTheWay(r *Run, step *Step, c *call) string {
	if c.spec.Type.reachesPeople() {
		return ""
	}
	for _, other := range r.Steps {
		switch {
		case other == step:
			return ""
		case other.Stage != step.Stage:
		case other.Status == Running || other.Status == Pausing || other.Status == Waiting || other.Status == Queued:
			return waitFor
		case e.config.StopOnFailure && (other.Status == Failure || other.Status == Unsure):
			return fmt.Sprintf("%s before it came to %s", other.Action, other.Status)
		}
	}
	return ""
}

// attempt decides anew and, if it may, begins an attempt.
func (e *Engine) attempt(r *Run, p *compiled, s *service, step *Step, c *call, at time.Time) []Intent {
	if n := len(step.Approved); step.Hash != c.hash || n > 0 && step.Agreed && at.Sub(step.Approved[n-1].At) > e.config.ApprovalTime {
		// The book has changed since, or the action was queued for too long.
		step.Hash, step.Agreed, step.Approved = c.hash, false, nil
	}
	verdict, why := e.judge(p, s, c, at)
	if verdict == AskIt && step.Agreed {
		verdict, why = RunIt, "approved by "+names(step.Approved)
	}
	if verdict == RunIt && c.spec.Type.changes() && !e.config.DryRun {
		limited, full := e.limit(r, step, at)
		if limited != "" {
			why = limited
		}
		if full {
			verdict = BlockIt
		} else if limited != "" {
			e.queue(r, step, at, why)
			return nil
		}
	}
	step.Decision, step.At, step.Why = verdict, at, why
	defer e.recordStep(Decided, r, step, at, "", why)
	if e.config.DryRun && (verdict == RunIt || verdict == AskIt) {
		step.Status = DryRun
		return nil
	}
	switch verdict {
	case RunIt:
		step.Status, step.Until = Running, at.Add(c.timeout)
		if step.Attempt++; step.Attempt == 1 {
			step.Started = at
		}
		i := e.intent(Do, r, step, c, at, why)
		i.Attempt, i.Deadline, i.Operation, i.Changes = step.Attempt, step.Until, c.spec.Operation, c.spec.Type.changes()
		return []Intent{i}
	case AskIt:
		step.Status, step.Until = Asking, at.Add(e.config.ApprovalTime)
		i := e.intent(Ask, r, step, c, at, why)
		i.Key = step.Key + "/approval"
		if step.Asked++; step.Asked > 1 {
			i.Key += "/" + strconv.Itoa(step.Asked)
		}
		i.Hash, i.Deadline, i.Operation = step.Hash, step.Until, c.spec.Operation
		return []Intent{i}
	case SkipIt:
		step.Status = Skipped
	default:
		step.Status = Blocked
		if !e.config.DryRun {
			step.Call = why
		}
	}
	return nil
}

// names lists who approved, with their reasons.
func names(list []Approval) string {
	texts := make([]string, len(list))
	for i, a := range list {
		if texts[i] = a.By; a.Reason != "" {
			texts[i] += " (" + a.Reason + ")"
		}
	}
	return strings.Join(texts, ", ")
}

// finish takes the end of an attempt and decides whether there is another one.
func (e *Engine) finish(r *Run, step *Step, c *call, at time.Time, outcome Outcome, text string) {
	step.Result = text
	mayRepeat := c.spec.Idempotent || outcome == NotDone
	wait, left := e.wait(step, at)
	switch {
	case outcome == OK:
		step.Status, step.Until = Succeeded, time.Time{}
	case mayRepeat && left:
		step.Status, step.Until = Pausing, at.Add(wait)
	case outcome == Uncertain && !c.spec.Idempotent:
		step.Status, step.Until = Unsure, time.Time{}
		step.Call = text + "; it may have happened"
	default:
		step.Status, step.Until = Failure, time.Time{}
		step.Call = fmt.Sprintf("attempt %d of %d: %s", step.Attempt, e.retry.MaxAttempts, text)
	}
	e.recordResult(r, step, step.Attempt, at, outcome, text)
	e.settled(r, step, c, at)
}

// wait returns how long to wait for the next attempt, if there is one.
func (e *Engine) wait(step *Step, at time.Time) (time.Duration, bool) {
	wait, left := e.retry.Delay(step.Attempt)
	if left && wait > 0 && e.config.Jitter != nil {
		wait = time.Duration(rand.New(e.config.Jitter).Int64N(int64(wait) + 1)) //nolint:gosec // the caller's source
	}
	deadline := time.Duration(e.retry.DeadlineSeconds) * time.Second
	return wait, left && (deadline == 0 || !at.Add(wait).After(step.Started.Add(deadline)))
}
