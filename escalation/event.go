package escalation

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Event is something that happened to an incident.
type Event struct {
	Kind     EventKind `json:"kind"`
	At       time.Time `json:"at"` // when it happened, not when it arrived
	Incident string    `json:"incident"`

	// Severity is required for Opened and SeverityChanged.
	Severity incident.Severity `json:"severity,omitzero"`

	// Domain is the skill that is needed; required for Opened.
	Domain string `json:"domain,omitempty"`

	// Service is what the incident is about; optional. Maintenance and bundling go
	// by it.
	Service string `json:"service,omitempty"`

	// Region is where the trouble is, for Opened; optional. People of near centres
	// come first, see [Request.Region].
	Region string `json:"region,omitempty"`

	// Policy names one of [Config.Policies] at an opening. Defaults to the matrix.
	Policy string `json:"policy,omitempty"`

	// RespondBy is when the incident is to be acknowledged by contract; optional,
	// for Opened. Half of that time unacknowledged gives a notice, all of it
	// another, to the management too.
	RespondBy time.Time `json:"respond_by,omitzero"`

	// By is the id of the person who acknowledged, resolved and so on; optional.
	By string `json:"by,omitempty"`

	// Until is when a snooze ends; required for Snoozed.
	Until time.Time `json:"until,omitzero"`

	// Into is the incident that goes on; required for Merged.
	Into string `json:"into,omitempty"`
}

// EventKind is what happened. The zero value is not set. Events of the same
// instant are taken in the order of the numbers.
type EventKind uint8

// The kinds of event.
const (
	Opened          EventKind = iota + 1 // the incident was created
	SeverityChanged                      // its severity was raised or lowered
	Acknowledged                         // somebody took it on
	Unacknowledged                       // and gave it up again
	Snoozed                              // nobody is to be told until an instant; then it is not acknowledged
	Resolved                             // it is over
	Reopened                             // and was not
	Merged                               // another incident stands for it
)

var eventNames = names{
	"", "opened", "severity_changed", "acknowledged", "unacknowledged", "snoozed", "resolved", "reopened", "merged",
}

// String returns the name, such as "opened", and "unset" for the zero value.
func (k EventKind) String() string { return eventNames.text(uint8(k), "EventKind") }

// MarshalText writes the name, and empty text for the zero value.
func (k EventKind) MarshalText() ([]byte, error) { return eventNames.marshal(uint8(k), "kind") }

// UnmarshalText reads a name in any case; empty text is the zero value.
func (k *EventKind) UnmarshalText(text []byte) error {
	value, err := eventNames.parse(string(text), "kind")
	if err != nil {
		return err
	}
	*k = EventKind(value)
	return nil
}

// EventError reports an event that was not applied. The state is unchanged.
type EventError struct {
	Event Event
	Err   error // ErrUnknownIncident, ErrNotPossible, ErrStale, ErrIncomplete or a *ConfigError
}

// The reasons for which an event is not applied.
var (
	// ErrUnknownIncident means that the incident has not been opened (yet): the
	// caller may keep the event and apply it again after the opening.
	ErrUnknownIncident = errors.New("unknown incident")
	// ErrNotPossible means that the state of the incident does not allow it.
	ErrNotPossible = errors.New("not possible in this state")
	// ErrStale means that the event happened before what is known already.
	ErrStale = errors.New("older than the present state")
	// ErrIncomplete means that the event lacks a required field.
	ErrIncomplete = errors.New("want kind, instant and incident, for an opening the domain, for a merger the other incident, for a snooze its end")
)

// Error names the event and the cause.
func (e *EventError) Error() string {
	return fmt.Sprintf("escalation: %s of incident %q at %s: %v", e.Event.Kind, e.Event.Incident, e.Event.At.Format(time.RFC3339), e.Err)
}

// Unwrap returns the cause.
func (e *EventError) Unwrap() error { return e.Err }

// Action is what is to be done in consequence of an event or of the passing of
// time.
type Action struct {
	Kind ActionKind `json:"kind"`

	// Key identifies what the action is for. The same action decided again, for
	// instance after a restore, has the same key: use it to do everything once.
	// Its parts are tenant, incident, instant of its opening, round, step and, for
	// Page and Notice, the target, each escaped and joined by "/": an id may be used
	// again after [Engine.Prune]. For Withdraw it is that of the page.
	Key string `json:"key"`

	// At is when it was decided; the instant passed to Apply or Step.
	At time.Time `json:"at"`

	Incident string `json:"incident"`
	Round    int    `json:"round"`
	Level    int    `json:"level"` // of the escalation; 0 for the first page and for notices

	// Target is the id of the person, or "webhook:" and a name, for Page and Notice.
	Target string `json:"target,omitempty"`

	// Due is when [Engine.Step] is to be called, for SetTimer.
	Due time.Time `json:"due,omitzero"`

	// Why explains the action.
	Why []string `json:"why,omitempty"`
}

// ActionKind is what an action asks for. The zero value is not set.
type ActionKind uint8

// The kinds of action. SetTimer and CancelTimer keep timers in a store; a caller
// that asks [Engine.NextWake] may ignore them.
//
// Withdraw takes back a page whose step the event stops: an acknowledgement those
// of the first page and of the steps that it stops, the end of an incident all. It
// is for a caller who keeps pages before sending them; a page that has gone out, or
// is going out now, stays sent.
const (
	Page        ActionKind = iota + 1 // wake the target
	Notice                            // tell the target, no answer needed
	SetTimer                          // keep a timer under Key, due at Due
	CancelTimer                       // forget the timer under Key
	Withdraw                          // do not send the page under Key any more
)

var actionNames = names{"", "page", "notice", "set_timer", "cancel_timer", "withdraw"}

// String returns the name, such as "set_timer", and "unset" for the zero value.
func (k ActionKind) String() string { return actionNames.text(uint8(k), "ActionKind") }

// MarshalText writes the name, and empty text for the zero value.
func (k ActionKind) MarshalText() ([]byte, error) { return actionNames.marshal(uint8(k), "kind") }

// UnmarshalText reads a name in any case; empty text is the zero value.
func (k *ActionKind) UnmarshalText(text []byte) error {
	value, err := actionNames.parse(string(text), "kind")
	if err != nil {
		return err
	}
	*k = ActionKind(value)
	return nil
}
