package escalation

import (
	"slices"
	"time"
)

// Entry is a line of the timeline of an incident.
type Entry struct {
	At    time.Time  `json:"at"`
	Event EntryEvent `json:"event"`
	Level int        `json:"level,omitzero"`
	To    []string   `json:"to,omitempty"`
	Why   []string   `json:"why,omitempty"`
}

// EntryEvent is what a line of a timeline is about.
type EntryEvent string

// What happened to the incident; the names are those of the [EventKind].
const (
	EntrySeverityChanged EntryEvent = "severity_changed"
	EntryAcknowledged    EntryEvent = "acknowledged"
	EntryUnacknowledged  EntryEvent = "unacknowledged"
	EntrySnoozed         EntryEvent = "snoozed"
	EntryResolved        EntryEvent = "resolved"
	EntryReopened        EntryEvent = "reopened"
	EntryMerged          EntryEvent = "merged"
)

// What the engine did or found.
const (
	EntryAssigned           EntryEvent = "assigned"            // the first page went to somebody with the skill
	EntryEscalationRequired EntryEvent = "escalation_required" // the first page went to the last resort
	EntryEscalate           EntryEvent = "escalate"            // a level paged
	EntryWaiting            EntryEvent = "waiting"             // a level waits for somebody
	EntrySuppressed         EntryEvent = "suppressed"          // a maintenance holds the first page back
	EntryBundled            EntryEvent = "bundled"             // another incident stands for it
	EntryUnbundled          EntryEvent = "unbundled"           // and does so no more
	EntryAckLapses          EntryEvent = "ack_lapses"
	EntrySnoozeEnds         EntryEvent = "snooze_ends"
	EntryResponseAtRisk     EntryEvent = "response_at_risk"
	EntryResponseMissed     EntryEvent = "response_missed"
	EntryRepage             EntryEvent = "repage" // the one who acknowledged is paged again
)

// IsPage reports whether the line stands for pages, to those in To.
func (e Entry) IsPage() bool {
	return slices.Contains([]EntryEvent{EntryAssigned, EntryEscalationRequired, EntryEscalate, EntryRepage}, e.Event)
}

func (k EventKind) entry() EntryEvent { return EntryEvent(k.String()) }

func (k TimerKind) entry() EntryEvent { return EntryEvent(k.String()) }

func (r *record) note(at time.Time, event EntryEvent, level int, to string, why ...string) {
	entry := Entry{At: at, Event: event, Level: level, Why: why}
	if to != "" {
		entry.To = []string{to}
	}
	r.Log = append(r.Log, entry)
}
