package escalation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Swap is an exchange of shifts between two people: the requester gives one and
// takes another, or takes none, which is a request for cover. It is data; the
// methods return the swap as it is afterwards and change nothing. Accepted by the
// counterpart, and approved by somebody else where that is asked for, it becomes
// overrides of the plan.
type Swap struct {
	ID          string            `json:"id"`
	Requester   string            `json:"requester"`
	Counterpart string            `json:"counterpart"`
	Give        calendar.Interval `json:"give"`          // the requester is on call in it
	Take        calendar.Interval `json:"take,omitzero"` // the counterpart is; zero: nothing is taken

	// NeedsApproval asks for a third person's word besides the counterpart's.
	NeedsApproval bool `json:"needs_approval,omitzero"`

	State SwapState   `json:"state"`
	Log   []SwapEntry `json:"log"`
}

// SwapEntry is a step in the life of a swap.
type SwapEntry struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	State SwapState `json:"state"`
	Note  string    `json:"note,omitempty"`
}

// SwapState is how far a swap has come. The zero value is not set.
type SwapState uint8

// The states of a swap.
const (
	SwapRequested SwapState = iota + 1
	SwapAccepted            // by the counterpart, where an approval is needed
	SwapEffective           // it is to be among the overrides
	SwapDeclined            // by the counterpart or whoever was to approve
	SwapWithdrawn           // by the requester
)

var swapStateNames = names{"", "requested", "accepted", "effective", "declined", "withdrawn"}

// String returns the name, such as "requested", and "unset" for the zero value.
func (s SwapState) String() string { return swapStateNames.text(uint8(s), "SwapState") }

// MarshalText writes the name, and empty text for the zero value.
func (s SwapState) MarshalText() ([]byte, error) { return swapStateNames.marshal(uint8(s), "state") }

// UnmarshalText reads a name in any case; empty text is the zero value.
func (s *SwapState) UnmarshalText(text []byte) error {
	value, err := swapStateNames.parse(string(text), "state")
	if err != nil {
		return err
	}
	*s = SwapState(value)
	return nil
}

// SwapError is a step that a swap does not allow.
type SwapError struct {
	Swap string
	By   string
	Step SwapState
	Err  error
}

// Error names the swap, the step and the reason.
func (e *SwapError) Error() string {
	return fmt.Sprintf("escalation: swap %q: %s by %q: %v", e.Swap, e.Step, e.By, e.Err)
}

// Unwrap returns the reason.
func (e *SwapError) Unwrap() error { return e.Err }

// The reasons for which a step of a swap is refused.
var (
	// ErrNotYours means that somebody gives a shift in which others are on call,
	// or decides what is not theirs to decide.
	ErrNotYours = errors.New("not theirs")
	// ErrPast means that a shift has begun already.
	ErrPast = errors.New("a shift has begun already")
)

// Check reports why a swap cannot be requested or take effect at an instant: the
// people must be on call by the schedule, alone or with others, in the whole of
// the shifts they give, which must not have begun and in which the other must not
// be on call as well.
func (s *Schedule) Check(w Swap, at time.Time) error {
	if w.ID == "" || w.Requester == "" || w.Counterpart == "" || w.Requester == w.Counterpart || !w.Give.End.After(w.Give.Start) || w.Take.End.Before(w.Take.Start) {
		return fmt.Errorf("want an id, two people and a time to give: %w", ErrNotPossible)
	}
	for _, side := range []struct {
		who, takes string
		span       calendar.Interval
	}{{w.Requester, w.Counterpart, w.Give}, {w.Counterpart, w.Requester, w.Take}} {
		if side.span.IsEmpty() {
			continue
		}
		if side.span.Start.Before(at) {
			return ErrPast
		}
		var err error
		s.sweep(side.span.Start, side.span.End, func(shift Shift) bool {
			switch from := shift.Start.Format(time.RFC3339); {
			case !shift.Has(side.who):
				err = fmt.Errorf("from %s on call: %s, not %s: %w", from, orNobody(strings.Join(shift.People(), " and ")), side.who, ErrNotYours)
			case shift.Has(side.takes):
				err = fmt.Errorf("from %s %s is on call already: %w", from, side.takes, ErrNotPossible)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func orNobody(user string) string {
	if user == "" {
		return "nobody"
	}
	return user
}

// Request begins a swap, after a check against the schedule.
func (w Swap) Request(s *Schedule, at time.Time) (Swap, error) {
	if w.State != 0 {
		return w, w.refuse(w.Requester, SwapRequested, ErrNotPossible)
	}
	if err := s.Check(w, at); err != nil {
		return w, w.refuse(w.Requester, SwapRequested, err)
	}
	return w.become(SwapRequested, at, w.Requester, ""), nil
}

// Accept is the word of the counterpart. Without need of an approval the swap takes
// effect, if the schedule still is as it was.
func (w Swap) Accept(s *Schedule, by string, at time.Time) (Swap, error) {
	next := SwapEffective
	if w.NeedsApproval {
		next = SwapAccepted
	}
	return w.advance(s, SwapRequested, next, by == w.Counterpart, by, at)
}

// Approve is the word of a third person on an accepted swap: it takes effect.
func (w Swap) Approve(s *Schedule, by string, at time.Time) (Swap, error) {
	return w.advance(s, SwapAccepted, SwapEffective, by != "" && by != w.Requester && by != w.Counterpart, by, at)
}

func (w Swap) advance(s *Schedule, from, to SwapState, theirs bool, by string, at time.Time) (Swap, error) {
	switch {
	case w.State != from:
		return w, w.refuse(by, to, ErrNotPossible)
	case !theirs:
		return w, w.refuse(by, to, ErrNotYours)
	}
	if err := s.Check(w, at); err != nil {
		return w, w.refuse(by, to, err)
	}
	return w.become(to, at, by, ""), nil
}

// Decline ends a swap that is not effective yet, by anybody but the requester, for
// whom it is withdrawn.
func (w Swap) Decline(by, note string, at time.Time) (Swap, error) {
	next := SwapDeclined
	if by == w.Requester {
		next = SwapWithdrawn
	}
	if w.State != SwapRequested && w.State != SwapAccepted || by == "" {
		return w, w.refuse(by, next, ErrNotPossible)
	}
	return w.become(next, at, by, note), nil
}

func (w Swap) refuse(by string, step SwapState, err error) error {
	return &SwapError{Swap: w.ID, By: by, Step: step, Err: err}
}

func (w Swap) become(state SwapState, at time.Time, by, note string) Swap {
	w.State = state
	w.Log = append(slices.Clip(w.Log), SwapEntry{At: at.UTC(), By: by, State: state, Note: note})
	return w
}

// Overrides returns what an effective swap adds to the end of the plan, with the
// ids "swap:id:give" and "swap:id:take"; nothing for any other. They cover for the
// giver alone, whatever puts the giver on call: a layer, or an earlier swap.
func (w Swap) Overrides() []Override {
	if w.State != SwapEffective {
		return nil
	}
	out := []Override{{ID: "swap:" + w.ID + ":give", Start: w.Give.Start, End: w.Give.End, Kind: Cover, User: w.Counterpart, Replaces: w.Requester}}
	if !w.Take.IsEmpty() {
		out = append(out, Override{ID: "swap:" + w.ID + ":take", Start: w.Take.Start, End: w.Take.End, Kind: Cover, User: w.Requester, Replaces: w.Counterpart})
	}
	return out
}
