package comms

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Thread is the conversation about one incident. It is not safe for concurrent
// use.
type Thread struct {
	plan *Plan
	memory
	texts map[textKey]filled // of one step, in which many read the same
}

// Open begins the conversation about an incident.
func (p *Plan) Open(tenant, id string) *Thread {
	return &Thread{plan: p, memory: memory{
		Version: 1, State: incident.State{Tenant: tenant, ID: id}, Contacts: map[string]*contact{}, Seen: map[string]bool{},
	}}
}

// Step returns the messages that are due at an instant, in a fixed order, and
// remembers that they went out. Commit the snapshot and the messages together.
// Call it after every Apply and Report, and at NextWake. Nothing is due at an instant
// that is not set.
func (t *Thread) Step(at time.Time) []Message {
	if t.Round == 0 || at.IsZero() {
		return nil
	}
	t.markRound(at)
	clear(t.texts)
	var out []Message
	for _, id := range slices.Sorted(maps.Keys(t.Contacts)) {
		r, c := t.plan.find(id, t.State.Services), t.Contacts[id]
		if r == nil {
			continue
		}
		for {
			kind, due, ok := t.next(r, c)
			if !ok || due.After(at) {
				break
			}
			out = append(out, t.send(r, c, kind, due, at)...)
		}
	}
	out = append(out, t.alarm(at)...)
	return append(out, t.remind(at)...)
}

// Planned is a message that will be due if nothing changes.
type Planned struct {
	Recipient string    `json:"recipient"`
	Type      Type      `json:"type"`
	Due       time.Time `json:"due"`
	Why       Reason    `json:"why"`
}

// Planned returns the next message of every recipient who is owed one, and the
// next reminder and alarm of the lead, in the order of their due instants, then of
// recipients.
func (t *Thread) Planned() []Planned {
	return slices.SortedFunc(t.planned(), func(a, b Planned) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Recipient, b.Recipient), cmp.Compare(a.Type, b.Type))
	})
}

// NextWake returns the earliest instant at which Step has something to say if
// nothing else happens; ok is false if there is none.
func (t *Thread) NextWake() (at time.Time, ok bool) {
	for p := range t.planned() {
		if !ok || p.Due.Before(at) {
			at, ok = p.Due, true
		}
	}
	return at, ok
}

// planned yields what Planned returns, in no order.
func (t *Thread) planned() iter.Seq[Planned] {
	return func(yield func(Planned) bool) {
		if due, ok := t.reminderDue(); ok {
			why := Reason{Rule: ByCadence, Text: fmt.Sprintf("every %s about %s", english.spoken(t.plan.cadence[effective(t.State.Severity)]), effective(t.State.Severity))}
			if !yield(Planned{Recipient: string(incident.Lead), Type: Reminder, Due: due.UTC(), Why: why}) {
				return
			}
		}
		if due, ok := t.alarmDue(); ok && !due.IsZero() {
			why := Reason{Rule: ByFailure, Text: "more cannot be reached"}
			if !yield(Planned{Recipient: string(incident.Lead), Type: Undeliverable, Due: due.UTC(), Why: why}) {
				return
			}
		}
		for id, c := range t.Contacts {
			r := t.plan.find(id, t.State.Services)
			if r == nil {
				continue
			}
			if kind, due, ok := t.next(r, c); ok && !yield(Planned{Recipient: id, Type: kind, Due: due.UTC(), Why: c.Why}) {
				return
			}
		}
	}
}
