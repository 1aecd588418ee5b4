package incident

import (
	"fmt"
	"slices"
	"time"
)

// Approval is the request to do something risky, and what became of it.
type Approval struct {
	Ref     string    `json:"ref"`  // key of the action
	Text    string    `json:"text"` // what is to be done
	AskedBy string    `json:"asked_by"`
	Asked   time.Time `json:"asked"`

	// DecidedBy is empty while it waits for a decision.
	DecidedBy string    `json:"decided_by,omitempty"`
	Decided   time.Time `json:"decided,omitzero"`
	Granted   bool      `json:"granted,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// missingToDecide returns what keeps the actor of e from deciding on e.Ref, ""
// if nothing does.
func (s State) missingToDecide(e Event) string {
	i := s.approvalOf(e.Ref)
	switch {
	case i < 0:
		return fmt.Sprintf("a request for %q", e.Ref)
	case s.Approvals[i].DecidedBy != "":
		return fmt.Sprintf("a request for %q that is not decided", e.Ref)
	case s.Approvals[i].AskedBy == e.Actor:
		return fmt.Sprintf("another approver than %q, who asked", e.Actor)
	}
	return ""
}

func (s State) approvalOf(ref string) int {
	return slices.IndexFunc(s.Approvals, func(a Approval) bool { return a.Ref == ref })
}

// approval folds a request or a decision in.
func (f *fold) approval(e Event) {
	if e.Kind == AskApproval {
		if f.approvalOf(e.Ref) >= 0 {
			f.flag(IllegalFact, e.Key, "%s of %q twice", e.Kind, e.Ref)
			return
		}
		f.Approvals = append(f.Approvals, Approval{Ref: e.Ref, Text: e.Text, AskedBy: e.Actor, Asked: e.At})
		return
	}
	if missing := f.missingToDecide(e); missing != "" {
		code := IllegalFact
		if i := f.approvalOf(e.Ref); i >= 0 && f.Approvals[i].DecidedBy == "" {
			code = SelfApproval
		}
		f.flag(code, e.Key, "%s without %s", e.Kind, missing)
		return
	}
	a := &f.Approvals[f.approvalOf(e.Ref)]
	a.DecidedBy, a.Decided, a.Granted, a.Reason = e.Actor, e.At, e.Kind == Approve, e.Text
}
