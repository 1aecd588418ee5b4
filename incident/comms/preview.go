package comms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Preview is what one recipient would get about an incident.
type Preview struct {
	Recipient
	// Messages are the first message, an update and the resolution on each channel,
	// as they would read if they went out at the instant asked about. Due is when
	// the first would, for somebody who is told later.
	Messages []Message `json:"messages,omitempty"`
	// Silences say what the recipient would not get, and why.
	Silences []Silence `json:"silences,omitempty"`
	// Notes say which texts are not in the language of the recipient.
	Notes []Note `json:"notes,omitempty"`
}

// Note is a remark about a type of message.
type Note struct {
	Type Type   `json:"type"`
	Text string `json:"text"`
}

// Silence is a message that somebody does not get.
type Silence struct {
	Type    Type    `json:"type"`
	Channel Channel `json:"channel,omitempty"` // empty: on none
	Why     string  `json:"why"`
}

// Preview returns what every stakeholder and room of the services of an incident
// would get and would not get, in the order of their ids: also those who are not
// told at all. What is not known yet stands in braces, as in a template. Nothing is
// remembered.
func (p *Plan) Preview(s incident.State, at time.Time) []Preview {
	told := map[string]Recipient{}
	for r := range p.Recipients(s, at) {
		told[r.ID] = r
	}
	t := p.rehearsal(s, at)
	severity := effective(s.Severity)
	var out []Preview
	for r := range p.audience(s.Services) {
		recipient, ok := told[r.id]
		if !ok {
			why := fmt.Sprintf("the role is not told about %s", severity)
			if r.isRoom() {
				why = fmt.Sprintf("no template about %s goes to the channel", severity)
			}
			out = append(out, Preview{
				Recipient: Recipient{ID: r.id, Name: r.name, Role: r.role, From: at.UTC()},
				Silences:  []Silence{{Type: Initial, Why: why}},
			})
			continue
		}
		v := Preview{Recipient: recipient}
		for _, kind := range []Type{Initial, News, Resolution} {
			t.preview(&v, r, kind, at)
		}
		out = append(out, v)
	}
	return out
}

// rehearsal returns a thread in which everything is said at one instant.
func (p *Plan) rehearsal(s incident.State, at time.Time) *Thread {
	t := p.Open(s.Tenant, s.ID)
	t.State, t.Round, t.LastSent, t.Ended = s, s.Reopens+1, at, at
	if s.Resolution == "" {
		t.State.Resolution = "{resolution_message}"
	}
	t.NewsText = "{update_message}"
	if n := len(s.Updates); n > 0 {
		t.NewsText = s.Updates[n-1].Text
	}
	return t
}

func (t *Thread) preview(v *Preview, r *recipient, kind Type, at time.Time) {
	silent := func(channel Channel, why string) { v.Silences = append(v.Silences, Silence{kind, channel, why}) }
	if kind == News && !r.prefs.Updates {
		silent("", "updates are not wanted")
		return
	}
	due := v.From
	if kind == Initial && !r.prefs.Immediate && r.delay > 0 {
		due, _ = t.deferred(r, at.Add(r.delay))
	}
	severity := effective(t.State.Severity)
	channels := t.plan.channels(severity, kind)
	t.Ended, t.Contacts[r.id] = time.Time{}, &contact{} // somebody waits for the next update
	if kind == Resolution {
		t.Ended = at
	}
	messages := t.write(r, kind, 1, severity, channels, due, at)
	delete(t.Contacts, r.id)
	for i := range messages {
		messages[i].Why = v.Why
	}
	v.Messages = append(v.Messages, messages...)
	if len(messages) == 0 {
		silent("", "no address on a channel of the template")
		return
	}
	// The default language is also that of its regions.
	if r.language != "" && messages[0].Language == "" && !strings.HasPrefix(r.language, t.plan.language+"-") {
		v.Notes = append(v.Notes, Note{kind, fmt.Sprintf("no text in %q: it is in the default language, %q", r.language, t.plan.language)})
	}
	for _, c := range channels {
		if c.Shared() == r.isRoom() && !slices.ContainsFunc(messages, func(m Message) bool { return m.Channel == c }) {
			silent(c, "no address")
		}
	}
}
