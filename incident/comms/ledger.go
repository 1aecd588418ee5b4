package comms

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Delivery is one line of the record of who was told what, when, on which channel,
// and what became of it.
type Delivery struct {
	Message
	Outcome  Outcome   `json:"outcome,omitempty"`    // empty while nothing is known
	Reported time.Time `json:"reported_at,omitzero"` // of the outcome
	Attempts int       `json:"attempts,omitempty"`   // to send it, as far as reported
	Detail   string    `json:"detail,omitempty"`     // what the channel answered
}

// String returns the line for people.
func (d Delivery) String() string {
	text := fmt.Sprintf("%s %s to %s by %s at %s: ", d.At.UTC().Format(time.RFC3339), d.Type, d.Recipient, d.Channel, d.Address)
	if d.Outcome == "" {
		return text + "on its way"
	}
	text += fmt.Sprintf("%s %s", d.Outcome, d.Reported.UTC().Format(time.RFC3339))
	if d.Detail != "" {
		text += fmt.Sprintf(" (%s)", d.Detail)
	}
	return text
}

// Event returns the line as an event for the timeline of the incident: with it the
// record cannot be changed without a trace. Its key is that of the message and the
// outcome, so that a repeated report is one event.
func (d Delivery) Event(actor string) incident.Event {
	at := d.Reported
	if d.Outcome == "" {
		at = d.At
	}
	return incident.Event{
		Key: d.Key + "/" + cmp.Or(string(d.Outcome), "sent"), Kind: incident.Notify, At: at, Actor: actor,
		Details: incident.Details{Person: d.Recipient, Ref: d.Key, Text: d.String()},
	}
}

// Receipt is a report of what became of a message.
type Receipt struct {
	Key     string    `json:"key"`
	Outcome Outcome   `json:"outcome"`
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt,omitempty"` // 1 for the first
	Detail  string    `json:"detail,omitempty"`
}

// Ledger is the record of what was sent. Reports may come in any order and more than
// once: the best outcome stands, a confirmation before a delivery, a delivery before
// a failure. In JSON it is the list of its deliveries. Its zero value is empty. It is
// not safe for concurrent use.
type Ledger struct{ lines map[string]*Delivery }

// Add records messages that were handed over for sending. One that is known already
// is left as it is.
func (l *Ledger) Add(messages ...Message) {
	if l.lines == nil {
		l.lines = map[string]*Delivery{}
	}
	for _, m := range messages {
		if l.lines[m.Key] == nil {
			l.lines[m.Key] = &Delivery{Message: m}
		}
	}
}

var outcomes = []Outcome{"", Deferred, Failed, Delivered, Confirmed} // the later the better

// Report records what became of a message. known is false for one that was never
// added.
func (l *Ledger) Report(r Receipt) (known bool) {
	d := l.lines[r.Key]
	if d == nil {
		return false
	}
	d.Attempts = max(d.Attempts, r.Attempt)
	better := cmp.Or(
		cmp.Compare(slices.Index(outcomes, r.Outcome), slices.Index(outcomes, d.Outcome)),
		d.Reported.Compare(r.At), // a delivery or failure is as old as its first report
		cmp.Compare(r.Detail, d.Detail),
	)
	if better > 0 {
		d.Outcome, d.Reported, d.Detail = r.Outcome, r.At.UTC(), r.Detail
	}
	return true
}

// Deliveries returns the record of one recipient, or of all for an empty id, in the
// order of sending, then of keys.
func (l *Ledger) Deliveries(recipient string) []Delivery {
	var out []Delivery
	for _, d := range l.lines {
		if recipient == "" || d.Recipient == recipient {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Delivery) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return out
}

// Unsettled returns the deliveries that were handed over before an instant and of
// which neither a delivery nor a failure is known: somebody has to look.
func (l *Ledger) Unsettled(before time.Time) []Delivery {
	return slices.DeleteFunc(l.Deliveries(""), func(d Delivery) bool {
		return !d.At.Before(before) || d.Outcome != "" && d.Outcome != Deferred
	})
}

// Told returns the ids of all who were reached: at least one message to them was
// delivered.
func (l *Ledger) Told() []string {
	reached := map[string]bool{}
	for _, d := range l.lines {
		if d.Outcome == Delivered || d.Outcome == Confirmed {
			reached[d.Recipient] = true
		}
	}
	return slices.Sorted(maps.Keys(reached))
}

// MarshalJSON returns the list of deliveries.
func (l Ledger) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]Delivery{}, l.Deliveries("")...))
}

// UnmarshalJSON reads the list of deliveries.
func (l *Ledger) UnmarshalJSON(data []byte) error {
	var list []Delivery
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	l.lines = map[string]*Delivery{}
	for _, d := range list {
		l.lines[d.Key] = &d
	}
	return nil
}
