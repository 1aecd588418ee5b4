package sla

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Ticket folds the history of an incident, event by event, into the [Incident]
// that clocks and statements need. It reads no clock: the same events give the
// same ticket. The zero value is a ticket without an id that has not been opened.
// It is not safe for concurrent use.
type Ticket struct {
	in       Incident
	status   TicketStatus
	severity incident.Severity // the current one
	last     time.Time         // of the last event
	events   int
}

// NewTicket returns a ticket that has not been opened.
func NewTicket(id string) *Ticket { return &Ticket{in: Incident{ID: id}} }

// Replay applies events until one is refused; slices.Values makes a history of a
// slice. On an error the ticket is as it was before the event that the error names.
// A history may be replayed in parts.
func (t *Ticket) Replay(history iter.Seq[TicketEvent]) error {
	for e := range history {
		if err := t.Apply(e); err != nil {
			return err
		}
	}
	return nil
}

// Clear makes a new ticket of t that uses its memory again.
func (t *Ticket) Clear(id string) {
	in := &t.in
	*t = Ticket{in: Incident{
		ID: id, Severities: in.Severities[:0], Updates: in.Updates[:0], Pauses: in.Pauses[:0], Closed: in.Closed[:0], Resets: in.Resets[:0],
	}}
}

// Status returns where the ticket stands.
func (t *Ticket) Status() TicketStatus { return t.status }

// Severity returns the current severity, which may be lower than the one whose
// target holds.
func (t *Ticket) Severity() incident.Severity { return t.severity }

// Events returns how many events have been applied.
func (t *Ticket) Events() int { return t.events }

// Incident returns the ticket as evidence. It shares no memory with it; what the
// events do not tell, such as the service, may be filled in.
func (t *Ticket) Incident() Incident {
	in := t.in
	in.Severities, in.Updates, in.Resets = clone(in.Severities), clone(in.Updates), clone(in.Resets)
	in.Pauses, in.Closed = clone(in.Pauses), clone(in.Closed)
	return in
}

// clone copies a list, and makes nil of one without members.
func clone[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}

// TicketEvent is something that happened to a ticket.
type TicketEvent struct {
	Kind TicketEventKind `json:"kind"`
	At   time.Time       `json:"at"`

	// Severity is that of TicketOpened and TicketSeverity.
	Severity incident.Severity `json:"severity,omitzero"`
}

// TicketEventKind says what happened.
type TicketEventKind uint8

// The kinds of event. All but the first need a ticket that was opened, and none
// can follow a cancellation. A ticket that is created waiting or resolved is
// opened and paused or resolved at the same instant; its clocks have used no time.
const (
	TicketOpened    TicketEventKind = iota + 1 // the first event
	TicketResponded                            // the first answer, while open or waiting
	TicketUpdated                              // a message to the customer; the first answer if there was none
	TicketPaused                               // waits for the customer, from open
	TicketResumed                              // goes on, from waiting
	TicketSeverity                             // another severity, also after the resolution
	TicketResolved                             // from open or waiting, which it ends
	TicketReopened                             // from resolved
	TicketReset                                // clocks that run start anew, while open or waiting
	TicketCancelled                            // withdrawn, from open or waiting
)

var ticketEventNames = []string{
	"", "opened", "responded", "updated", "paused", "resumed", "severity", "resolved", "reopened", "reset", "cancelled",
}

// String returns the name, such as "opened", and "" for the zero value.
func (k TicketEventKind) String() string { return nameOf(ticketEventNames, k) }

// MarshalText writes what String returns; an unknown kind is an error.
func (k TicketEventKind) MarshalText() ([]byte, error) {
	return textOfKind("ticket event", ticketEventNames, k)
}

// UnmarshalText reads what String returns.
func (k *TicketEventKind) UnmarshalText(text []byte) error {
	return parseKind("ticket event", ticketEventNames, text, k)
}

// TicketStatus says where a ticket stands.
type TicketStatus uint8

// The statuses.
const (
	TicketNew     TicketStatus = iota // not opened yet
	TicketOpen                        // clocks run
	TicketWaiting                     // for the customer
	TicketClosed                      // resolved
	TicketVoid                        // cancelled
)

var ticketStatusNames = []string{"new", "open", "waiting", "resolved", "cancelled"}

// String returns "new", "open", "waiting", "resolved" or "cancelled".
func (s TicketStatus) String() string { return nameOf(ticketStatusNames, s) }

// MarshalText writes what String returns; an unknown value is an error.
func (s TicketStatus) MarshalText() ([]byte, error) {
	return textOf("ticket status", ticketStatusNames, s)
}

// UnmarshalText reads what String returns.
func (s *TicketStatus) UnmarshalText(text []byte) error {
	return parseName("ticket status", ticketStatusNames, text, s)
}

// TicketError reports an event that cannot follow those before it.
type TicketError struct {
	Ticket string
	Index  int // of the event in the history, from 0
	Event  TicketEvent
	Status TicketStatus // before it
	Want   string       // what was expected
}

// Error names the event, its position and what was expected.
func (e *TicketError) Error() string {
	return fmt.Sprintf("sla: ticket %q event %d (%s at %s): %s, want %s", e.Ticket, e.Index, e.Event.Kind, e.Event.At.Format(time.RFC3339Nano), e.Status, e.Want)
}

// Apply takes the next event. Events come in the order of time; the same instant
// is allowed. What cannot follow is refused with a [*TicketError] and changes
// nothing.
func (t *Ticket) Apply(e TicketEvent) error {
	if want := t.wants(&e); want != "" {
		return &TicketError{Ticket: t.in.ID, Index: t.events, Event: e, Status: t.status, Want: want}
	}
	switch e.Kind {
	case TicketOpened:
		t.in.Opened, t.in.Severity, t.severity, t.status = e.At, e.Severity, e.Severity, TicketOpen
	case TicketResponded:
		t.in.Responded = e.At
	case TicketUpdated:
		t.answer(e.At)
		t.in.Updates = append(t.in.Updates, e.At)
	case TicketPaused:
		t.pause(e.At)
	case TicketResumed:
		t.resume(e.At)
	case TicketSeverity:
		if e.Severity != t.severity {
			t.in.Severities = append(t.in.Severities, SeverityChange{At: e.At, Severity: e.Severity})
			t.severity = e.Severity
		}
	case TicketResolved:
		t.answer(e.At)
		t.resume(e.At)
		t.in.Resolved, t.status = e.At, TicketClosed
	case TicketReopened:
		t.reopen(e.At)
	case TicketReset:
		t.in.Resets = append(t.in.Resets, e.At)
	case TicketCancelled:
		t.resume(e.At)
		t.in.Cancelled, t.status = e.At, TicketVoid
	}
	t.last = e.At
	t.events++
	return nil
}

// wants returns what an event lacks, "" if it can follow.
func (t *Ticket) wants(e *TicketEvent) string {
	active := t.status == TicketOpen || t.status == TicketWaiting
	switch {
	case e.At.IsZero():
		return "the instant of the event"
	case e.At.Before(t.last):
		return "no instant before that of the last event"
	case (e.Kind == TicketOpened || e.Kind == TicketSeverity) && !e.Severity.IsSet():
		return "a severity P1 to P4"
	}
	ok, want := false, "a known kind of event"
	switch e.Kind {
	case TicketOpened:
		ok, want = t.status == TicketNew, "a ticket that was not opened before"
	case TicketResponded:
		ok, want = active && t.in.Responded.IsZero(), "an open ticket without an answer"
	case TicketUpdated, TicketSeverity:
		ok, want = active || t.status == TicketClosed, "a ticket that was opened and not cancelled"
	case TicketPaused:
		ok, want = t.status == TicketOpen, "an open ticket"
	case TicketResumed:
		ok, want = t.status == TicketWaiting, "a waiting ticket"
	case TicketReopened:
		ok, want = t.status == TicketClosed, "a resolved ticket"
	case TicketResolved, TicketReset, TicketCancelled:
		ok, want = active, "an open or waiting ticket"
	}
	if ok {
		return ""
	}
	return want
}

func (t *Ticket) answer(at time.Time) {
	if t.in.Responded.IsZero() {
		t.in.Responded = at
	}
}

// pause goes on with the last pause where the new one touches it.
func (t *Ticket) pause(at time.Time) {
	t.status = TicketWaiting
	if n := len(t.in.Pauses); n > 0 && t.in.Pauses[n-1].End.Equal(at) {
		t.in.Pauses[n-1].End = time.Time{}
		return
	}
	t.in.Pauses = append(t.in.Pauses, calendar.Interval{Start: at})
}

func (t *Ticket) resume(at time.Time) {
	if t.status != TicketWaiting {
		return
	}
	t.status = TicketOpen
	n := len(t.in.Pauses) - 1
	if t.in.Pauses[n].Start.Equal(at) {
		t.in.Pauses = t.in.Pauses[:n]
		return
	}
	t.in.Pauses[n].End = at
}

func (t *Ticket) reopen(at time.Time) {
	if t.in.Resolved.Before(at) {
		t.in.Closed = append(t.in.Closed, calendar.Interval{Start: t.in.Resolved, End: at})
	}
	t.in.Resolved, t.in.Reopened, t.status = time.Time{}, true, TicketOpen
}
