package sla

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Claim is a credit on its way from the first signal to the credit note. Start
// with a literal, or [Statement.Claim], and [Claim.Apply] one event after the
// other; the same events give the same claim. Its zero State is a claim that
// nobody has detected yet. It is not safe for concurrent use.
type Claim struct {
	Key string `json:"key"` // such as [Statement.Key]

	State     ClaimState   `json:"state"`
	Amount    money.Amount `json:"amount,omitzero"`    // as estimated last
	Statement Digest       `json:"statement,omitzero"` // that the amount was taken from

	// ClaimBefore is the first instant that is too late to ask for a review; see
	// Statement.ClaimBefore. Zero is a credit that needs no claim and never
	// expires.
	ClaimBefore time.Time `json:"claim_before,omitzero"`

	// Levels says who may approve how much. Without any, anybody may approve
	// everything.
	Levels ReviewLevels `json:"review_levels,omitempty"`

	Approver string `json:"approver,omitempty"`

	History []ClaimEvent `json:"history,omitempty"` // all that was applied
}

// ClaimState is how far a claim has come.
type ClaimState string

// The states. Figures may be estimated again until they are approved; what is in
// review then has to be reviewed anew.
//
//	detected → estimated → in_review → approved → issued
//	                                 → rejected
//	detected, estimated → expired
const (
	ClaimDetected  ClaimState = "detected"  // a promise was missed
	ClaimEstimated ClaimState = "estimated" // there is an amount
	ClaimInReview  ClaimState = "in_review" // the customer has claimed, or somebody on their behalf
	ClaimApproved  ClaimState = "approved"
	ClaimRejected  ClaimState = "rejected"
	ClaimIssued    ClaimState = "issued"  // the credit note is written
	ClaimExpired   ClaimState = "expired" // nobody claimed in time
)

// claimMoves lists what may follow a state.
var claimMoves = map[ClaimState][]ClaimState{
	"":             {ClaimDetected},
	ClaimDetected:  {ClaimEstimated, ClaimExpired},
	ClaimEstimated: {ClaimEstimated, ClaimInReview, ClaimExpired},
	ClaimInReview:  {ClaimEstimated, ClaimApproved, ClaimRejected},
	ClaimApproved:  {ClaimIssued},
}

// ClaimEvent brings a claim to a state.
type ClaimEvent struct {
	At time.Time  `json:"at"`
	To ClaimState `json:"to"`
	By string     `json:"by,omitempty"` // who; required to approve and to reject

	// Amount and Statement are those of ClaimEstimated. An estimate of a period
	// that still runs may come without a statement, but cannot be approved.
	Amount    money.Amount `json:"amount,omitzero"`
	Statement Digest       `json:"statement,omitzero"`

	// Level is the review level of whoever approves.
	Level string `json:"level,omitempty"`

	Note string `json:"note,omitempty"` // required to reject
}

// ReviewLevel lets somebody approve amounts from From on, up to the next level.
type ReviewLevel struct {
	From money.Amount `json:"from"`
	By   string       `json:"by"` // such as "service manager"
}

// ReviewLevels lists the levels by rising amounts. Whoever may approve at a level
// may approve at those before it.
type ReviewLevels []ReviewLevel

// For returns the level that an amount needs; ok is false for one below the
// first level, which anybody may approve. The error is money.ErrCurrency.
func (l ReviewLevels) For(amount money.Amount) (level ReviewLevel, ok bool, err error) {
	i, err := l.needed(amount)
	if err != nil || i < 0 {
		return ReviewLevel{}, false, err
	}
	return l[i], true, nil
}

// needed returns the index of the level that an amount needs, -1 for none.
func (l ReviewLevels) needed(amount money.Amount) (int, error) {
	need := -1
	for i, level := range l {
		order, err := amount.Compare(level.From)
		if err != nil {
			return -1, fmt.Errorf("sla: review level %q: %w", level.By, err)
		}
		if order >= 0 {
			need = i
		}
	}
	return need, nil
}

// Validate reports levels that do not rise, or without a name of their own.
func (l ReviewLevels) Validate() error {
	var problems []error
	for i, level := range l {
		if level.By == "" || slices.ContainsFunc(l[:i], func(other ReviewLevel) bool { return other.By == level.By }) {
			problems = append(problems, fmt.Errorf("sla: review level %d %q: want a name of its own", i, level.By))
		}
		if !level.From.IsSet() || level.From.Sign() < 0 {
			problems = append(problems, fmt.Errorf("sla: review level %d from %q: want an amount of 0 or more", i, level.From))
			continue
		}
		if i == 0 {
			continue
		}
		if order, err := level.From.Compare(l[i-1].From); err != nil || order <= 0 {
			problems = append(problems, errors.Join(err, fmt.Errorf("sla: review level %d from %q: want more than %q", i, level.From, l[i-1].From)))
		}
	}
	return errors.Join(problems...)
}

// ErrReviewLevel means that somebody may not approve that much.
var ErrReviewLevel = errors.New("above the review level")

// ErrClaimWindow means that a claim comes too late, or is to expire while there
// is time.
var ErrClaimWindow = errors.New("claim window")

// ClaimError reports an event that a claim cannot take.
type ClaimError struct {
	Key   string
	Index int        // of the event in the history, from 0
	From  ClaimState // "" before the first event
	Event ClaimEvent
	Want  string // what was expected
	Err   error  // ErrReviewLevel, ErrClaimWindow, an error beneath, or nil
}

// Error names the event, its position and what was expected.
func (e *ClaimError) Error() string {
	from := e.From
	if from == "" {
		from = "none"
	}
	text := fmt.Sprintf("sla: claim %q event %d (%s to %s at %s): ", e.Key, e.Index, from, e.Event.To, e.Event.At.Format(time.RFC3339Nano))
	if e.Err != nil {
		text += e.Err.Error() + ": "
	}
	return text + "want " + e.Want
}

// Unwrap returns the cause, or nil.
func (e *ClaimError) Unwrap() error { return e.Err }

// Claim returns the claim for all that is payable, which nobody has detected
// yet. It is named after the statement and stays so when the figures change.
func (s Statement) Claim(levels ReviewLevels) Claim {
	return Claim{Key: s.Key(""), ClaimBefore: s.ClaimBefore, Levels: levels}
}

// Estimate returns the event that puts the payable amount of the statement into
// a claim.
func (s Statement) Estimate(at time.Time) (ClaimEvent, error) {
	d, err := s.Digest()
	return ClaimEvent{At: at, To: ClaimEstimated, Amount: s.Payable, Statement: d}, err
}

// Apply takes the next event. Events come in the order of time; the same instant
// is allowed. What cannot follow is refused with a [*ClaimError] and changes
// nothing.
func (c *Claim) Apply(e ClaimEvent) error {
	want, err := c.wants(e)
	if want != "" {
		return &ClaimError{Key: c.Key, Index: len(c.History), From: c.State, Event: e, Want: want, Err: err}
	}
	switch e.To {
	case ClaimEstimated:
		c.Amount, c.Statement = e.Amount, e.Statement
	case ClaimApproved:
		c.Approver = e.By
	default:
	}
	e.At = e.At.UTC()
	c.State, c.History = e.To, append(slices.Clip(c.History), e)
	return nil
}

// wants returns what would have been expected, "" if the event can follow.
func (c *Claim) wants(e ClaimEvent) (string, error) {
	if moves := claimMoves[c.State]; !slices.Contains(moves, e.To) {
		names := make([]string, len(moves))
		for i, m := range moves {
			names[i] = string(m)
		}
		if len(names) == 0 {
			return "nothing to follow", nil
		}
		return strings.Join(names, " or "), nil
	}
	if n := len(c.History); e.At.IsZero() || n > 0 && e.At.Before(c.History[n-1].At) {
		return "an instant not before the last event", nil
	}
	switch e.To {
	case ClaimDetected:
		if err := c.Levels.Validate(); err != nil {
			return "review levels by rising amounts", err
		}
	case ClaimEstimated:
		if e.Amount.Sign() < 0 || !e.Amount.IsSet() {
			return "an amount of 0 or more", nil
		}
		if _, err := c.Levels.needed(e.Amount); err != nil {
			return "an amount in the currency of the review levels", err
		}
	case ClaimInReview:
		if !c.ClaimBefore.IsZero() && !e.At.Before(c.ClaimBefore) {
			return "an instant before " + c.ClaimBefore.Format(time.RFC3339Nano), ErrClaimWindow
		}
		if c.Amount.Sign() == 0 {
			return "an estimate above 0", nil
		}
	case ClaimApproved:
		return c.wantsApproval(e)
	case ClaimRejected:
		if e.By == "" || e.Note == "" {
			return "who rejects it, and why", nil
		}
	case ClaimExpired:
		if c.ClaimBefore.IsZero() {
			return "a claim that has to be made in time", ErrClaimWindow
		}
		if e.At.Before(c.ClaimBefore) {
			return "an instant from " + c.ClaimBefore.Format(time.RFC3339Nano) + " on", ErrClaimWindow
		}
	case ClaimIssued:
	}
	return "", nil
}

func (c *Claim) wantsApproval(e ClaimEvent) (string, error) {
	if e.By == "" {
		return "who approves it", nil
	}
	if c.Statement.IsZero() {
		return "an amount from a statement", nil
	}
	need, err := c.Levels.needed(c.Amount)
	if err != nil {
		return "review levels in the currency of the amount", err
	}
	has := slices.IndexFunc(c.Levels, func(l ReviewLevel) bool { return l.By == e.Level })
	if has < 0 && e.Level != "" {
		return "one of the review levels, not " + fmt.Sprintf("%q", e.Level), ErrReviewLevel
	}
	if has < need {
		return fmt.Sprintf("%q or above for %s, not %q", c.Levels[need].By, c.Amount, e.Level), ErrReviewLevel
	}
	return "", nil
}
