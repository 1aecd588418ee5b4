package comms

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Message is one message to one person or room on one channel.
type Message struct {
	// Key is tenant/incident/round/type/n/recipient/channel. It is the same
	// whenever the message is computed again, so it can be the idempotency key of
	// the send.
	Key      string            `json:"key"`
	Tenant   string            `json:"tenant,omitempty"`
	Incident string            `json:"incident"`
	Round    int               `json:"round"` // 1, and one more for every reopening
	Type     Type              `json:"type"`
	N        int               `json:"n"` // counts messages of a type
	Severity incident.Severity `json:"severity,omitzero"`

	Recipient string  `json:"recipient"` // id of the person; of a room it begins with a colon
	Name      string  `json:"name,omitempty"`
	Channel   Channel `json:"channel"`
	Address   string  `json:"address"`
	Subject   string  `json:"subject"`            // one line
	Body      string  `json:"body"`               // values in it, and in the subject, are escaped for the channel
	Language  string  `json:"language,omitempty"` // of subject and body, in lower case; empty: the default one
	HTML      bool    `json:"html,omitempty"`     // the body is HTML; e-mail only
	Segments  int     `json:"segments,omitempty"` // parts of an SMS; what is longer than 10 is cut

	Due time.Time `json:"due"` // when it fell due
	At  time.Time `json:"at"`  // of the step that produced it
	Why Reason    `json:"why"`
}

// Reason says why somebody gets a message.
type Reason struct {
	Role Role   `json:"role,omitempty"` // empty for rooms and for the lead
	Rule Rule   `json:"rule"`
	Text string `json:"text"`
}

// String returns the reason as one sentence without a full stop.
func (r Reason) String() string {
	if r.Role == "" {
		return fmt.Sprintf("%s: %s", r.Rule, r.Text)
	}
	return fmt.Sprintf("%s (%s): %s", r.Rule, r.Role, r.Text)
}

// Rule names what brought a message about.
type Rule string

// The rules.
const (
	ByMatrix   Rule = "matrix"         // the role is told about the severity
	ByFlag     Rule = "flag"           // a flag brings the role in
	ByRoom     Rule = "room"           // the templates of the severity go to the room
	ByLowering Rule = "lowered"        // the role is not told about the lower severity
	ByClearing Rule = "cleared"        // the flag that brought the role in is gone
	ByDigest   Rule = "digest"         // the summary of a day or week is due
	ByCadence  Rule = "cadence"        // the next update is overdue
	ByNoAnswer Rule = "no_answer"      // the first message was not confirmed
	ByFailure  Rule = "cannot_deliver" // no address, or every send failed
)
