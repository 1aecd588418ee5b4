package incident

import (
	"fmt"
	"time"
)

// Role is what a person does in an incident. One person may hold several.
type Role string

// The roles.
const (
	Lead         Role = "lead"         // decides
	Responder    Role = "responder"    // works on it
	Communicator Role = "communicator" // tells the stakeholders
	Moderator    Role = "moderator"    // leads the review
	Approver     Role = "approver"     // approves risky actions
	Scribe       Role = "scribe"       // keeps the record
)

func (r Role) known() bool {
	switch r {
	case Lead, Responder, Communicator, Moderator, Approver, Scribe:
		return true
	}
	return false
}

// Flag marks an incident for people who are told about some incidents only.
type Flag string

// The flags that bring in the legal and compliance role.
const (
	DataFlag       Flag = "data"       // personal or customer data is affected
	SecurityFlag   Flag = "security"   // an attack, or the suspicion of one
	RegulatoryFlag Flag = "regulatory" // an authority may have to be told
)

// Relation says how an incident is linked to something else.
type Relation string

// The relations.
const (
	ParentRelation   Relation = "parent"    // the target is the larger incident
	FollowUpRelation Relation = "follow_up" // the target is the closed incident before this one
	ProblemRelation  Relation = "problem"
	ChangeRelation   Relation = "change"
	AlertRelation    Relation = "alert"
	TicketRelation   Relation = "ticket"
)

// Link is a relation to a target.
type Link struct {
	Relation Relation `json:"relation"`
	Target   string   `json:"target"`
}

// Detector says who noticed the incident first. The zero value means "not
// known".
type Detector string

// The two detectors.
const (
	ByMonitor Detector = "monitor"
	ByUser    Detector = "user"
)

// Awaited says what an incident on hold waits for. Only the time in which the
// customer has to answer is taken out of the time to resolve.
type Awaited string

// What an incident may wait for.
const (
	AwaitCustomer Awaited = "customer"
	AwaitVendor   Awaited = "vendor"
	AwaitChange   Awaited = "change"
	AwaitProblem  Awaited = "problem"
)

func (a Awaited) known() bool {
	switch a {
	case AwaitCustomer, AwaitVendor, AwaitChange, AwaitProblem:
		return true
	}
	return false
}

// MaxScore is the best score of a customer; the worst is 1.
const MaxScore = 5

// Measure is something that is done so that the incident does not come back, is
// seen earlier or hurts less.
type Measure struct {
	ID    string      `json:"id"`
	Text  string      `json:"text"`
	Type  MeasureType `json:"type,omitempty"`
	Owner string      `json:"owner,omitempty"`
	Due   string      `json:"due,omitempty"` // date like "2026-10-21"
	Ref   string      `json:"ref,omitempty"` // ticket, change or runbook in which it is anchored
	Done  bool        `json:"done,omitempty"`
}

// MeasureType says what a measure improves.
type MeasureType string

// The types of measure.
const (
	Prevent    MeasureType = "prevent"
	DetectFast MeasureType = "detect"
	Soften     MeasureType = "mitigate"
	Process    MeasureType = "process"
)

// Anchored reports whether the measure has an owner, a due date and a
// reference to the ticket, change or runbook that carries it.
func (m Measure) Anchored() bool { return m.Owner != "" && m.Due != "" && m.Ref != "" }

// Overdue reports whether the measure is not done although its due date is
// before the date of at in UTC.
func (m Measure) Overdue(at time.Time) bool {
	return !m.Done && m.Due != "" && m.Due < at.UTC().Format(time.DateOnly)
}

// problem returns the first field that cannot be used, and what is wanted.
func (m Measure) problem() (field, want string) {
	if m.ID == "" {
		return "id", "a non-empty text"
	}
	switch m.Type {
	case "", Prevent, DetectFast, Soften, Process:
	default:
		return "type", fmt.Sprintf("prevent, detect, mitigate or process, not %q", m.Type)
	}
	if m.Due != "" {
		if _, err := time.Parse(time.DateOnly, m.Due); err != nil {
			return "due", fmt.Sprintf("a date like \"2026-10-21\", not %q", m.Due)
		}
	}
	return "", ""
}
