package comms

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/gsm"
	"github.com/evenkeelops/evenkeel/internal/key"
)

// send writes the messages of one type to one recipient, one per channel.
func (t *Thread) send(r *recipient, c *contact, kind Type, due, at time.Time) []Message {
	severity, why, n, again := effective(t.State.Severity), c.Why, 1, false
	switch kind {
	case Initial:
		again = !c.Told.IsZero()
		c.Firsts++
		n, c.LastTry = c.Firsts, at
		if again {
			why = Reason{Role: r.role, Rule: ByNoAnswer, Text: fmt.Sprintf("no answer after %v", r.delay)}
		} else {
			c.Told, c.Seen = at, t.News
		}
	case News:
		n, c.Seen = t.News, t.News
	case Closing:
		c.Leaves++
		n, c.Done = c.Leaves, true
		severity = effective(c.LeftFrom)
		why = Reason{Role: r.role, Rule: ByLowering, Text: fmt.Sprintf("the incident is %s now, it was %s", t.State.Severity, severity)}
		if severity == effective(t.State.Severity) {
			why = Reason{Role: r.role, Rule: ByClearing, Text: "the flag that brought the role in was cleared"}
		}
	case Resolution:
		if c.Told.IsZero() {
			c.Told = at
		}
		if !c.Left.IsZero() {
			severity = effective(c.LeftFrom) // the channels on which they heard of it
		}
		c.Done, c.Over = true, true
	default: // the lead gets those
	}
	channels := t.plan.channels(severity, templateType(kind))
	if again {
		channels = t.untried(r, c)[:1]
	}
	out := t.write(r, kind, n, severity, channels, due, at)
	if !again { // else it is the same message, on one channel more
		c.Pending = nil
	}
	for i := range out {
		out[i].Why = why
		c.Pending = append(c.Pending, send{Key: out[i].Key})
		if kind == Initial {
			c.Tried = append(c.Tried, out[i].Channel)
		}
	}
	if len(out) == 0 {
		c.Failures++
		c.NoWay = kind == Initial
	}
	return out
}

// write fills in the template of a severity and type for one recipient, for each
// of the channels on which there is an address.
func (t *Thread) write(r *recipient, kind Type, n int, severity incident.Severity, channels []Channel, due, at time.Time) []Message {
	var out []Message
	for _, channel := range channels {
		address := r.addresses[channel]
		if address == "" {
			continue
		}
		m := t.message(r.id, kind, n, channel, due, at)
		m.Name, m.Address, m.Severity = r.name, address, severity
		text := t.text(r, textKey{t.plan.templateIn(severity, templateType(kind), r.language), kind, channel, r.zone}, at)
		m.Subject, m.Body, m.Language, m.HTML = text.subject, text.body, text.language, text.html
		if channel == SMS {
			m.Body = shorten(m.Body)
			m.Segments = gsm.Parts(m.Body)
		}
		out = append(out, m)
	}
	return out
}

// textKey is all that a text depends on within a step.
type textKey struct {
	templateKey
	kind    Type
	channel Channel
	zone    *time.Location
}

// filled is a template with its values.
type filled struct {
	subject, body, language string
	html                    bool
}

// text fills in a template, once a step for all who read the same.
func (t *Thread) text(r *recipient, k textKey, at time.Time) filled {
	text, ok := t.texts[k]
	if !ok {
		text = t.plan.render(k.templateKey, t.values(r, k, at), k.channel)
		if t.texts == nil {
			t.texts = map[textKey]filled{}
		}
		t.texts[k] = text
	}
	return text
}

func templateType(kind Type) Type {
	if kind == Closing {
		return News
	}
	return kind
}

// message fills in what does not depend on the template.
func (t *Thread) message(recipient string, kind Type, n int, channel Channel, due, at time.Time) Message {
	s := t.State
	return Message{
		Key:    key.Join(s.Tenant, s.ID, strconv.Itoa(t.Round), string(kind), strconv.Itoa(n), recipient, string(channel)),
		Tenant: s.Tenant, Incident: s.ID, Round: t.Round, Type: kind, N: n, Severity: effective(s.Severity),
		Recipient: recipient, Channel: channel, Due: due.UTC(), At: at.UTC(),
	}
}

// values are the texts behind the placeholders, for one reader.
func (t *Thread) values(r *recipient, k textKey, at time.Time) map[string]string {
	s := t.State
	w, _ := t.plan.wordingIn(k.language)
	begin, over := begun(s), ended(s)
	if over.IsZero() {
		over = t.Ended
	}
	stampOf := at
	if k.kind == Resolution {
		stampOf = over
	}
	description := s.Title
	if t.NewsText != "" {
		description += "\n" + t.NewsText
	}
	update := t.NewsText
	if k.kind == Closing {
		update = w.LastMessage
		if c := t.Contacts[r.id]; c != nil && c.LeftFrom != effective(s.Severity) {
			update = fill(w.SeverityNow, "severity", effective(s.Severity).String()) + " " + update
		}
	}
	v := map[string]string{
		"incident_id": s.ID, "service_name": w.services(s.Services), "severity": effective(s.Severity).String(),
		"description": description, "update_message": update, "resolution_message": w.ending(s),
		"timestamp": w.stamp(stampOf, r.zone), "duration": w.elapsed(begin, at), "total_duration": w.elapsed(begin, over),
		"update_interval": w.spoken(t.plan.cadence[effective(s.Severity)]), "next_update_due": "",
	}
	if next, ok := t.NextUpdateDue(); ok {
		if !next.After(at) { // overdue: the interval that runs now
			next = t.plan.NextUpdate(s.Severity, t.latestTick(next, at))
		}
		v["next_update_due"] = w.stamp(next, r.zone)
	}
	return v
}
