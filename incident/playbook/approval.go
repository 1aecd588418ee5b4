package playbook

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/key"
)

// Errors of decisions and reports; they are wrapped by an [*EventError].
var (
	ErrSelfApproval = errors.New("who starts a run cannot approve its actions")
	ErrTooLate      = errors.New("the approval has expired or was given")
	ErrOtherAction  = errors.New("the approval is for another action or other parameters")
	ErrNotApprover  = errors.New("the role may not approve")
	ErrNotRunning   = errors.New("no such attempt is under way")
)

// find returns the run and step of a key.
func (e *Engine) find(step string) (*Run, *Step) {
	if parts := key.Split(step); len(parts) > 1 {
		if r := e.byID[parts[1]]; r != nil {
			if i := slices.IndexFunc(r.Steps, func(s *Step) bool { return s.Key == step }); i >= 0 {
				return r, r.Steps[i]
			}
		}
	}
	return nil, nil
}

// decide takes the word of a person on an action that asks for it.
func (e *Engine) decide(event Event) error {
	refuse := func(field, value, want string, cause error) error {
		return &EventError{Kind: event.Kind, Field: field, Value: value, Want: want, Err: cause}
	}
	r, step := e.find(event.Step)
	switch {
	case step == nil:
		return refuse("step", event.Step, "a step of a run", nil)
	case event.By == "":
		return refuse("by", "", "a person", nil)
	case step.approvedBy(event.By):
		return nil // repeated
	case event.Kind == Reject && step.Status == Rejected:
		return nil // repeated
	case step.Status != Asking || step.Agreed:
		return refuse("step", event.Step, "one that asks for an approval, it is "+string(step.Status), ErrTooLate)
	case event.At.After(step.Until):
		return refuse("at", event.At.String(), "an instant not after "+step.Until.String(), ErrTooLate)
	}
	if event.Kind == Reject {
		step.Status, step.Why = Rejected, "rejected by "+event.By
		if event.Text != "" {
			step.Why += ": " + event.Text
		}
		e.recordStep(Voted, r, step, event.At, event.By, step.Why)
		return nil
	}
	approvers, quorum := e.approvers(r, step)
	switch {
	case event.Hash != step.Hash:
		return refuse("hash", event.Hash, step.Hash, ErrOtherAction)
	case event.By == r.By, step.Undoes != "" && event.By == r.UndoneBy:
		return refuse("by", event.By, "somebody else than who started the run", ErrSelfApproval)
	case len(approvers) > 0 && !slices.Contains(approvers, event.Role):
		return refuse("role", event.Role, strings.Join(approvers, " or "), ErrNotApprover)
	}
	approval := Approval{By: event.By, Role: event.Role, At: event.At, Reason: event.Text}
	step.Approved = append(step.Approved, approval)
	step.Agreed = len(step.Approved) >= quorum
	e.recordStep(Voted, r, step, event.At, event.By, fmt.Sprintf("approved by %s, %d of %d", names([]Approval{approval}), len(step.Approved), quorum))
	return nil
}

// approvers returns the roles that may approve a step, none for all, and how many
// persons have to.
func (e *Engine) approvers(r *Run, step *Step) (roles []string, quorum int) {
	roles, quorum = e.config.Approvers, e.config.Quorum
	if c := e.call(r, step); c != nil {
		if len(c.spec.Approvers) > 0 {
			roles = c.spec.Approvers
		}
		quorum = cmp.Or(c.spec.Quorum, quorum)
	}
	return roles, quorum
}

// report takes the result of an attempt. One that comes after the engine gave
// the attempt up still counts if it settles a doubt or says that it worked.
func (e *Engine) report(event Event) error {
	refuse := func(field, value, want string, cause error) error {
		return &EventError{Kind: Report, Field: field, Value: value, Want: want, Err: cause}
	}
	r, step := e.find(event.Step)
	if step == nil {
		return refuse("step", event.Step, "a step of a run", nil)
	}
	switch event.Outcome {
	case OK, Failed, NotDone, Uncertain:
	default:
		return refuse("outcome", string(event.Outcome), "ok, failed, not_done or uncertain", nil)
	}
	c := e.call(r, step)
	switch {
	case c == nil && step.Status == Running && event.Attempt == step.Attempt:
		e.lose(r, step, event.At, event.Outcome, event.Text)
		return nil
	case c == nil:
		return refuse("step", event.Step, "a step of a playbook of the book", nil)
	case step.Status == Succeeded && event.Outcome == OK:
		return nil // repeated
	case event.Attempt < 1 || event.Attempt > step.Attempt:
		return refuse("attempt", strconv.Itoa(event.Attempt), fmt.Sprintf("1 to %d", step.Attempt), ErrNotRunning)
	case step.Status == Running && event.Attempt == step.Attempt:
		e.finish(r, step, c, event.At, event.Outcome, event.Text)
		return nil
	case event.Outcome == OK && (step.Status == Running || step.Status == Pausing || step.Status == Unsure || step.Status == Failure):
		another := step.Status == Running // of which nothing matters any more
		step.Status, step.Result, step.Call, step.Until = Succeeded, event.Text, "", time.Time{}
		if another {
			e.recordResult(r, step, step.Attempt, event.At, Uncertain, fmt.Sprintf("attempt %d had worked", event.Attempt))
		}
		e.recordResult(r, step, event.Attempt, event.At, OK, "late: "+event.Text)
		e.settled(r, step, c, event.At)
		return nil
	case step.Status == Unsure && event.Outcome != Uncertain:
		step.Status, step.Result = Failure, event.Text
		e.recordResult(r, step, event.Attempt, event.At, event.Outcome, "late: "+event.Text)
		e.settled(r, step, c, event.At)
		return nil
	case event.Attempt < step.Attempt || step.Status == Pausing || step.Status.Done():
		return nil // it was given up already
	}
	return refuse("step", event.Step, "one that is running, it is "+string(step.Status), ErrNotRunning)
}
