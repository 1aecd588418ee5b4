package comms

import (
	"fmt"
	"strings"
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
	Subject   string  `json:"subject"`
	Body      string  `json:"body"`
	HTML      bool    `json:"html,omitempty"`     // the body is HTML; e-mail only
	Segments  int     `json:"segments,omitempty"` // parts of an SMS

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

var (
	keyEscaper   = strings.NewReplacer("%", "%25", "/", "%2F")
	keyUnescaper = strings.NewReplacer("%25", "%", "%2F", "/")
)

// key joins the parts of a key; slashes and percent signs in them are escaped.
func key(parts ...string) string {
	for i, p := range parts {
		parts[i] = keyEscaper.Replace(p)
	}
	return strings.Join(parts, "/")
}

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	Deferred  Outcome = "deferred"  // an attempt failed, another will follow
	Failed    Outcome = "failed"    // for good: no more attempts
	Delivered Outcome = "delivered" // the channel took it
	Confirmed Outcome = "confirmed" // the person answered
)

// stamp prints an instant in UTC and, where it differs, for the reader's zone.
func stamp(t time.Time, zone *time.Location) string {
	text := t.UTC().Format("2006-01-02 15:04:05 UTC")
	if zone == time.UTC || zone.String() == "UTC" {
		return text
	}
	return fmt.Sprintf("%s (%s %s)", text, t.In(zone).Format("15:04 on 2 January"), zone)
}

// elapsed prints how long something took, in whole minutes.
func elapsed(from, to time.Time) string {
	if from.IsZero() {
		return "an unknown time"
	}
	d := max(to.Sub(from), 0).Truncate(time.Minute)
	switch h, m := int(d.Hours()), int(d.Minutes())%60; {
	case h == 0:
		return plural(m, "minute")
	case m == 0:
		return plural(h, "hour")
	default:
		return plural(h, "hour") + " " + plural(m, "minute")
	}
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
