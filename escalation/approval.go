package escalation

import (
	"fmt"
	"slices"
	"time"
)

// Approval is the word of a third person on an override that needs one.
type Approval struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Declined bool      `json:"declined,omitzero"`
	Note     string    `json:"note,omitempty"`
}

// OverrideError is a decision that an override does not allow.
type OverrideError struct {
	Override string
	By       string
	Err      error
}

// Error names the override, the person and the reason.
func (e *OverrideError) Error() string {
	return fmt.Sprintf("escalation: override %q: decided by %q: %v", e.Override, e.By, e.Err)
}

// Unwrap returns the reason: [ErrNotPossible] or [ErrNotYours].
func (e *OverrideError) Unwrap() error { return e.Err }

// Pending reports whether the override waits for an approval.
func (o Override) Pending() bool { return o.NeedsApproval && o.Approval == nil }

// Approve returns the override as it is after the word of a third person: neither
// who asks for it nor one of the two whom it concerns. It is in force from then
// on, but not before From, so that an answer for the past stays what it was. The
// error is an [*OverrideError].
func (o Override) Approve(by string, at time.Time) (Override, error) {
	if !at.Before(o.End) {
		return o, o.refuse(by, fmt.Errorf("it was for the time until %s: %w", o.End.Format(time.RFC3339), ErrNotPossible))
	}
	return o.decide(Approval{By: by, At: at.UTC()}, o.mayApprove(by))
}

// Decline returns the override as it is after it was refused, or withdrawn by
// who asked. It never comes into force. The error is an [*OverrideError].
func (o Override) Decline(by, note string, at time.Time) (Override, error) {
	return o.decide(Approval{By: by, At: at.UTC(), Declined: true, Note: note}, by != "")
}

func (o Override) decide(a Approval, theirs bool) (Override, error) {
	switch {
	case !o.NeedsApproval:
		return o, o.refuse(a.By, fmt.Errorf("it needs no approval: %w", ErrNotPossible))
	case o.Approval != nil:
		return o, o.refuse(a.By, fmt.Errorf("decided by %q already: %w", o.Approval.By, ErrNotPossible))
	case !theirs:
		return o, o.refuse(a.By, ErrNotYours)
	}
	o.Approval = &a
	return o, nil
}

func (o Override) refuse(by string, err error) error {
	return &OverrideError{Override: o.ID, By: by, Err: err}
}

func (o Override) mayApprove(by string) bool {
	return by != "" && by != o.RequestedBy && by != o.User && by != o.Replaces
}

// inForce returns the override with the time in which it counts, empty for one
// that does not.
func (o Override) inForce() Override {
	switch {
	case !o.NeedsApproval:
	case o.Approval == nil || o.Approval.Declined:
		o.End = o.Start
	case o.Approval.At.After(o.Start):
		o.Start = o.Approval.At
	}
	return o
}

func (o Override) checkApproval(p problems) {
	if o.NeedsApproval && o.RequestedBy == "" {
		p.at("requested_by").add("", "the id of the person who asks for an override that needs approval")
	}
	switch a := o.Approval; {
	case a == nil:
	case !o.NeedsApproval:
		p.at("approval").add(a.By, "none for an override that does not need it")
	case a.At.IsZero():
		p.at("approval.at").add("", "the instant of the decision")
	case a.By == "" || !a.Declined && !o.mayApprove(a.By):
		p.at("approval.by").add(a.By, "a third person: not who asks, nor one of the two whom it concerns")
	}
}

// Pending returns the overrides that are not in force because they wait for an
// approval, in the order of the plan.
func (s *Schedule) Pending() []Override { return slices.Clone(s.overrides.pending) }
