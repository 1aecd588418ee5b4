package adapters

import (
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Ticket is an incident, issue or alert as vendors know it. What a vendor has no
// place for is refused with [Invalid] or [Unsupported], or documented by its
// adapter as kept elsewhere; it is never dropped.
type Ticket struct {
	// Key makes a repeated Open harmless; see [Key]. Required to open.
	Key      string            `json:"key,omitempty"`
	Tenant   string            `json:"tenant,omitempty"`
	Title    string            `json:"title"`
	Text     string            `json:"text,omitempty"`
	Severity incident.Severity `json:"severity,omitzero"`
	State    State             `json:"state,omitempty"` // "" reads as StateNew when opened
	// Target is what the vendor routes by: a service id, a project key, an
	// assignment group. "" takes the adapter's default.
	Target   string    `json:"target,omitempty"`
	Assignee string    `json:"assignee,omitempty"` // in the vendor's terms
	Labels   []string  `json:"labels,omitempty"`
	Links    []WebLink `json:"links,omitempty"`
	// Fields are the vendor's own by its names, for what has no place above. Values
	// are those of JSON.
	Fields map[string]any `json:"fields,omitempty"`

	// What only reading fills:

	Ref      Ref       `json:"ref,omitzero"`
	Created  time.Time `json:"created,omitzero"`
	Updated  time.Time `json:"updated,omitzero"`
	Resolved time.Time `json:"resolved,omitzero"` // zero unless resolved or closed
	// ByUs is set when the last change was made with the adapter's own credential.
	ByUs bool `json:"by_us,omitempty"`
}

// WebLink points people somewhere.
type WebLink struct {
	Text string `json:"text,omitempty"`
	URL  string `json:"url"`
}

// Patch is what changes of a ticket; fields that are nil stay as they are.
type Patch struct {
	Title    *string            `json:"title,omitempty"`
	Text     *string            `json:"text,omitempty"`
	Severity *incident.Severity `json:"severity,omitempty"`
	Labels   *[]string          `json:"labels,omitempty"`
	Fields   map[string]any     `json:"fields,omitempty"`
}

// Resolution says how a ticket ended.
type Resolution struct {
	Text string `json:"text"`           // what was done, for people
	Code string `json:"code,omitempty"` // the vendor's resolution or close code; "" takes the adapter's default
}

// Hold lets a ticket rest.
type Hold struct {
	Until  time.Time `json:"until,omitzero"` // zero without an end, where the vendor allows that
	Reason string    `json:"reason,omitempty"`
}

// Note is a remark on a ticket.
type Note struct {
	ID     string    `json:"id,omitempty"` // of the vendor; only reading fills it
	Text   string    `json:"text"`
	Public bool      `json:"public,omitempty"` // whether customers may read it
	Author string    `json:"author,omitempty"` // only reading fills it
	At     time.Time `json:"at,omitzero"`      // only reading fills it
	Key    string    `json:"key,omitempty"`    // makes a repeated note harmless where a vendor can tell; see each adapter
}

// Attachment is a file that goes with a ticket.
type Attachment struct {
	Name        string
	ContentType string
	Content     []byte
}

// Duty is somebody who is on call.
type Duty struct {
	Person string    `json:"person"` // the vendor's id
	Name   string    `json:"name,omitempty"`
	Email  string    `json:"email,omitempty"`
	Level  int       `json:"level,omitempty"` // of the escalation, from 1
	Plan   string    `json:"plan,omitempty"`  // schedule or policy by which it is so
	Start  time.Time `json:"start,omitzero"`  // half-open; zero: always
	End    time.Time `json:"end,omitzero"`
}

// Clock is how the vendor's own clock of a target stands.
type Clock struct {
	Name      string        `json:"name"`
	Start     time.Time     `json:"start,omitzero"`
	Stop      time.Time     `json:"stop,omitzero"`   // zero while it runs
	Breach    time.Time     `json:"breach,omitzero"` // when it is or was breached at the latest
	Breached  bool          `json:"breached"`
	Paused    bool          `json:"paused,omitempty"`
	Goal      time.Duration `json:"goal_ns,omitempty"`
	Elapsed   time.Duration `json:"elapsed_ns,omitempty"`
	Remaining time.Duration `json:"remaining_ns,omitempty"` // negative after a breach
}

// Edge says that one entity depends on another, in the vendor's names.
type Edge struct {
	Dependent  string `json:"dependent"`  // depends
	Dependency string `json:"dependency"` // is depended upon
	Type       string `json:"type,omitempty"`
}
