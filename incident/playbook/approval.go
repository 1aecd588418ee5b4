package playbook

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	for _, r := range e.runs {
		for _, s := range r.Steps {
			if s.Key == step {
				return r, s
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
	case slices.Contains(step.Approved, event.By):
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
		return nil
	}
	switch {
	case event.Hash != step.Hash:
		return refuse("hash", event.Hash, step.Hash, ErrOtherAction)
	case event.By == r.By:
		return refuse("by", event.By, "somebody else than who started the run", ErrSelfApproval)
	case len(e.config.Approvers) > 0 && !slices.Contains(e.config.Approvers, event.Role):
		return refuse("role", event.Role, strings.Join(e.config.Approvers, " or "), ErrNotApprover)
	}
	step.Approved = append(step.Approved, event.By)
	step.Agreed = len(step.Approved) >= e.config.Quorum
	return nil
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
	var c *call
	if p := e.playbook(r.Playbook); p != nil {
		c = p.call(step)
	}
	switch {
	case c == nil:
		return refuse("step", event.Step, "a step of a playbook of the book", nil)
	case step.Status == Succeeded && event.Outcome == OK:
		return nil // repeated
	case event.Attempt < 1 || event.Attempt > step.Attempt:
		return refuse("attempt", strconv.Itoa(event.Attempt), fmt.Sprintf("1 to %d", step.Attempt), ErrNotRunning)
	case step.Status == Running && (event.Attempt == step.Attempt || event.Outcome == OK):
		e.finish(step, c, event.At, event.Outcome, event.Text)
		return nil
	case event.Outcome == OK && (step.Status == Pausing || step.Status == Unsure || step.Status == Failure):
		step.Status, step.Result = Succeeded, event.Text
		return nil
	case step.Status == Unsure:
		step.Status, step.Result = Failure, event.Text
		return nil
	case event.Attempt < step.Attempt || step.Status == Pausing || step.Status.Done():
		return nil // it was given up already
	}
	return refuse("step", event.Step, "one that is running, it is "+string(step.Status), ErrNotRunning)
}
