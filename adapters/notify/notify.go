package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// Message is one text for one or several people.
type Message struct {
	// Key says what the message is for. The same key is the same message, however
	// often it is sent. Required.
	Key string `json:"key"`
	// Tenant is whose message it is; errors and ledgers have it. Defaults to none.
	Tenant string `json:"tenant,omitempty"`
	// Thread names the conversation that the message belongs to, such as the tenant
	// and the incident, so that readers see its messages together. Defaults to none.
	Thread string `json:"thread,omitempty"`
	// Subject is one line. Required.
	Subject string `json:"subject"`
	// Text is the plain text and HTML the same in HTML, already escaped. One of them
	// is required; with both the reader has the choice.
	Text string `json:"text,omitempty"`
	HTML string `json:"html,omitempty"`
	// Link leads to where more is to be read. It is kept where the text has to be cut,
	// in an SMS, in Slack and in webhooks; mail does not need it. Defaults to none.
	Link string `json:"link,omitempty"`
	// Replaces is the key of an earlier message whose place this one takes where the
	// channel can do that: in Slack it is changed where it stands. Elsewhere, and if that
	// one is not known, this is a message like any other. Defaults to none.
	Replaces string `json:"replaces,omitempty"`
	// Attachments go along where the channel can carry files: by e-mail.
	Attachments []Attachment `json:"attachments,omitempty"`
	// At is when the message was written. Defaults to the time of the sending.
	At time.Time `json:"at,omitzero"`
	// To is who gets it, and how. They do not see each other.
	To []Target `json:"to"`
}

// Validate returns what is wrong with the message itself, an [*InputError]: nothing
// that is missing, and no line end by which one header would become two. Senders ask
// it first.
func (m Message) Validate() error {
	switch {
	case m.Key == "":
		return &InputError{"key", "", "what the message is for"}
	case m.Subject == "":
		return &InputError{"subject", "", "a text"}
	case strings.ContainsAny(m.Subject, "\r\n"):
		return &InputError{"subject", m.Subject, "one line"}
	case m.Text == "" && m.HTML == "":
		return &InputError{"text", "", "a text"}
	case strings.ContainsFunc(m.Link, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>|\"", r) }):
		return &InputError{"link", m.Link, "a URL"}
	}
	for _, a := range m.Attachments {
		if err := a.check(); err != nil {
			return err
		}
	}
	return nil
}

// Attachment is a file that goes along.
type Attachment struct {
	Name string `json:"name"`           // at most 255 bytes
	Type string `json:"type,omitempty"` // such as "text/csv"; defaults to "application/octet-stream"
	Data []byte `json:"data"`
}

// Target is a person, or a room, on one channel.
type Target struct {
	Recipient string        `json:"recipient"` // id
	Name      string        `json:"name,omitempty"`
	Channel   comms.Channel `json:"channel"`
	Address   string        `json:"address"`
}

// MessageOf returns what package comms decided to send as a message to one target.
func MessageOf(m comms.Message) Message {
	out := Message{
		Key: m.Key, Tenant: m.Tenant, Subject: m.Subject, Text: m.Body, At: m.At,
		To: []Target{{Recipient: m.Recipient, Name: m.Name, Channel: m.Channel, Address: m.Address}},
	}
	if m.Incident != "" {
		out.Thread = fmt.Sprintf("%q/%q", m.Tenant, m.Incident)
	}
	if m.HTML {
		out.Text, out.HTML = "", m.Body
	}
	return out
}

// Remaining returns the message with those targets that are to be tried again by
// the results of a Send. Nobody who was told is told twice.
func (m Message) Remaining(results []Result) Message {
	m.To = nil
	for _, r := range results {
		if r.State == Temporary {
			m.To = append(m.To, r.Target)
		}
	}
	return m
}

// State is what became of a message for one target.
type State string

// The states.
const (
	Delivered State = "delivered" // the channel took it
	Permanent State = "permanent" // the channel refused it for good; do not try again
	Temporary State = "temporary" // try again later
	Skipped   State = "skipped"   // nothing was tried: there is no address or no way to send
)

// Result is what became of a message for one target.
type Result struct {
	Target
	State State `json:"state"`
	// ID is that of the message on the channel, such as the Message-ID of a mail.
	ID string `json:"id,omitempty"`
	// Reason is the answer of the channel, or why nothing was sent, on one line.
	Reason string `json:"reason,omitempty"`
	// MayHaveArrived is set for a Temporary whose answer was lost: the channel may
	// have taken the message all the same. Sent again, it has the same ID, and where the
	// channel can be asked, it is asked first.
	MayHaveArrived bool `json:"may_have_arrived,omitempty"`
	// Err is nil for Delivered, else ErrSkipped wrapped, an *InputError, or an error that
	// errors.As finds as an *adapters.Error: an *Error by mail, else that type itself.
	Err error `json:"-"`
}

// Outcome is what to tell package comms of a result.
func (r Result) Outcome() comms.Outcome {
	switch r.State {
	case Delivered:
		return comms.Delivered
	case Temporary:
		return comms.Deferred
	default:
		return comms.Failed
	}
}

// settle gives all results an error.
func settle(all []*Result, err error) {
	for _, r := range all {
		r.settle(err)
	}
}

// settle sets the state by an error; nil is Delivered.
func (r *Result) settle(err error) {
	r.Err, r.State = err, Permanent
	if err == nil {
		r.State = Delivered
		return
	}
	r.Reason = singleLine(err.Error())
	if errors.Is(err, ErrSkipped) {
		r.State, r.ID, r.Reason = Skipped, "", strings.TrimPrefix(r.Reason, ErrSkipped.Error()+": ")
		return
	}
	switch e := err.(type) { //nolint:errorlint // errors of our own, which nobody wraps
	case *Error:
		if e.Retryable() {
			r.State = Temporary
		}
	case *adapters.Error:
		r.State = stateOf(e)
		r.MayHaveArrived = r.State == Temporary && (e.MayHaveApplied || e.Kind == adapters.OutcomeUnknown)
	}
}

// Sender sends over one or several channels. It returns one result for each target
// of the message, in their order, honours the context, and is safe for concurrent
// use.
type Sender interface {
	Send(ctx context.Context, m Message) []Result
}

// Senders is a Sender that hands each target to the one of its channel, in turn. A
// target whose channel has none is skipped.
type Senders map[comms.Channel]Sender

var _ Sender = Senders(nil)

// Send sends to each channel what is for it.
func (s Senders) Send(ctx context.Context, m Message) []Result {
	results := make([]Result, len(m.To))
	places := map[comms.Channel][]int{} // of the targets of a channel
	var channels []comms.Channel
	for i, t := range m.To {
		switch {
		case s[t.Channel] == nil:
			results[i] = skipped(t, fmt.Sprintf("no way to send on the channel %q", t.Channel))
		case places[t.Channel] == nil:
			channels = append(channels, t.Channel)
			fallthrough
		default:
			places[t.Channel] = append(places[t.Channel], i)
		}
	}
	for _, c := range channels {
		part := m
		part.To = nil
		for _, i := range places[c] {
			part.To = append(part.To, m.To[i])
		}
		for n, r := range s[c].Send(ctx, part) {
			results[places[c][n]] = r
		}
	}
	return results
}

// ErrSkipped means that nothing was tried.
var ErrSkipped = errors.New("skipped")

func errSkip(why string) error { return fmt.Errorf("%w: %s", ErrSkipped, why) }

func skipped(t Target, why string) Result {
	return Result{Target: t, State: Skipped, Reason: why, Err: errSkip(why)}
}
