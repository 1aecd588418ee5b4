package sync

import (
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// Field is a part of a ticket that is kept the same.
type Field string

// The fields.
const (
	Title    Field = "title"
	Text     Field = "text"
	Severity Field = "severity"
	State    Field = "state"
)

// fields lists them in the order in which they are decided and written.
var fields = [...]Field{Title, Text, Severity, State}

// Record is what is known of one incident and its tickets. It is data for a
// [Store]; only a Syncer changes it.
type Record struct {
	Tenant string `json:"tenant"`
	ID     string `json:"id"` // of the incident
	// Revision counts the saves, and Touches the touches; both are the store's.
	Revision int64 `json:"revision"`
	Touches  int64 `json:"touches"`

	Round  int                  `json:"round"`  // how often it was opened again
	Values map[Field]string     `json:"values"` // what all have agreed upon
	Sides  map[string]*Standing `json:"sides"`
	// Notes in the order in which they were found: those that are on their way and the
	// latest that are everywhere, at most 200 of each side.
	Notes []Forwarded `json:"notes,omitempty"`

	// Conflicts are the latest changes that were not kept, oldest first, at most 100.
	Conflicts []Conflict `json:"conflicts,omitempty"`

	Due      time.Time `json:"due,omitzero"`     // when there is something to do; zero: nothing
	Attempts int       `json:"attempts"`         // without success
	Problem  string    `json:"problem,omitzero"` // of the latest attempt
	Leased   time.Time `json:"leased,omitzero"`  // until when somebody works on it
}

// Standing is what is known of the ticket of one side.
type Standing struct {
	Ref     adapters.Ref     `json:"ref,omitzero"`
	OpenKey string           `json:"open_key,omitempty"` // under which it is being or was opened
	Past    []adapters.Ref   `json:"past,omitempty"`     // tickets that this one follows
	Gone    bool             `json:"gone,omitempty"`     // the vendor has it no more
	Seen    map[Field]string `json:"seen,omitempty"`     // what is there, as read or written
	Pending map[Field]string `json:"pending,omitempty"`  // being written: read to know
	// Reopening is set while it is not known whether it was opened again: that may
	// have made a ticket that follows it, which reading this one does not show.
	Reopening bool             `json:"reopening,omitempty"`
	Refused   map[Field]string `json:"refused,omitempty"` // values that the vendor does not take; all of them, if it does not open a ticket
	Updated   time.Time        `json:"updated,omitzero"`  // of the latest reading, by the vendor's clock
	Version   string           `json:"version,omitempty"` // of the latest reading
	Wrote     time.Time        `json:"wrote,omitzero"`    // when we last wrote, by our clock
	Behind    time.Time        `json:"behind,omitzero"`   // since when readings are older than one before, by our clock
	// Over is set while a ticket stays ended that was so when it was linked to an
	// incident which was not: nobody has opened it again there.
	Over bool `json:"over,omitempty"`
	// Forgotten is the instant up to which notes are known without being listed.
	Forgotten time.Time `json:"forgotten,omitzero"`
}

// Forwarded is a note that goes from one side to the others.
type Forwarded struct {
	From   string    `json:"from"`
	ID     string    `json:"id"`             // of the vendor
	At     time.Time `json:"at,omitzero"`    // of the vendor; zero if it does not say
	Text   string    `json:"text,omitempty"` // as it is forwarded; empty once it is everywhere
	Public bool      `json:"public,omitempty"`
	To     []string  `json:"to,omitempty"` // sides that still need it, in order
	// Sum is of Text, which a copy is known by, and Copies are the ids of the copies as
	// the sides showed them. What begins like a copy and has neither is a note of its own.
	Sum    string            `json:"sum,omitempty"`
	Copies map[string]string `json:"copies,omitempty"`
}

// Reason says why a change was not kept.
type Reason string

// The reasons.
const (
	NotOwner Reason = "not_owner" // the field belongs to another side
	Earlier  Reason = "earlier"   // another side changed it later
	Late     Reason = "late"      // the incident is further than that state
	Ended    Reason = "ended"     // the ticket had ended when it was linked, and stays so
	Refused  Reason = "refused"   // the vendor does not take the value
	Gone     Reason = "gone"      // the vendor has the ticket no more
)

// Conflict is a change that was not kept, or a value that could not be written.
type Conflict struct {
	At     time.Time `json:"at"` // when it was found
	Side   string    `json:"side"`
	Field  Field     `json:"field,omitempty"`
	Value  string    `json:"value,omitempty"` // that was not kept or not taken
	Kept   string    `json:"kept,omitempty"`  // what holds instead
	Reason Reason    `json:"reason"`
	Text   string    `json:"text,omitempty"` // what the vendor said
}

const maxConflicts = 100

func (r *Record) conflict(c Conflict) {
	r.Conflicts = append(r.Conflicts, c)
	if n := len(r.Conflicts) - maxConflicts; n > 0 {
		r.Conflicts = r.Conflicts[n:]
	}
}

// valueOf returns a field of a ticket as text.
func valueOf(t adapters.Ticket, f Field) string {
	switch f {
	case Title:
		return t.Title
	case Text:
		return t.Text
	case Severity:
		if !t.Severity.IsSet() {
			return ""
		}
		return t.Severity.String()
	default:
		return string(t.State)
	}
}

func ticketOf(values map[Field]string) adapters.Ticket {
	t := adapters.Ticket{Title: values[Title], Text: values[Text], State: adapters.State(values[State])}
	if s, err := incident.ParseSeverity(values[Severity]); err == nil {
		t.Severity = s
	}
	return t
}

// plain is text as systems keep it: they differ in line ends and in blanks at the
// end.
func plain(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}
