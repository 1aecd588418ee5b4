package comms

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/times"
)

// alarmDue returns when the lead is told of recipients who cannot be reached: an
// interval after the last time, so that a channel that is down is no storm of pages.
// The zero time is at once. ok is false if there is nobody new.
func (t *Thread) alarmDue() (due time.Time, ok bool) {
	for _, c := range t.Contacts {
		if c.Reported < c.Failures {
			if t.Alarmed.IsZero() {
				return time.Time{}, true
			}
			return t.plan.NextUpdate(t.State.Severity, t.Alarmed), true
		}
	}
	return time.Time{}, false
}

// alarm tells the lead who cannot be reached.
func (t *Thread) alarm(at time.Time) []Message {
	due, ok := t.alarmDue()
	if !ok || due.After(at) {
		return nil
	}
	const most = 20
	var who []string
	unnamed := 0
	for _, id := range slices.Sorted(maps.Keys(t.Contacts)) {
		c := t.Contacts[id]
		if c.Reported >= c.Failures {
			continue
		}
		c.Reported = c.Failures
		if len(who) == most {
			unnamed++
			continue
		}
		why := "every channel failed"
		if len(c.Pending) == 0 {
			why = "no address on a channel of the template"
		}
		who = append(who, fmt.Sprintf("%q (%s)", id, why))
	}
	text := strings.Join(who, ", ")
	if unnamed > 0 {
		text += fmt.Sprintf(" and %d more", unnamed)
	}
	t.Alarmed = at
	t.Alarms++
	return t.toLead(Undeliverable, t.Alarms, Reason{Rule: ByFailure, Text: "cannot be reached: " + text}, times.Later(due, at), at)
}

// toLead writes to the lead and the communicator of the incident. Without either, or
// where they are only known by the pseudonyms of a redaction, it is addressed to the
// role, so that it does not get lost.
func (t *Thread) toLead(kind Type, n int, why Reason, due, at time.Time) []Message {
	persons := slices.Concat(t.State.Roles[incident.Lead], t.State.Roles[incident.Communicator])
	slices.Sort(persons)
	persons = slices.DeleteFunc(slices.Compact(persons), incident.IsRedacted)
	if len(persons) == 0 {
		persons = []string{string(incident.Lead)}
	}
	var out []Message
	for _, person := range persons {
		m := t.message(person, kind, n, Page, due, at)
		m.Address, m.Why = person, why
		m.Subject = oneLine.Replace(fmt.Sprintf("[%s %s] %s - %s", m.Severity, kind, english.services(t.State.Services), t.State.ID))
		m.Body = why.Text
		out = append(out, m)
	}
	return out
}
