package ical

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
)

// MaintenanceCalendar writes the maintenance windows of a customer as an
// iCalendar document to which the customer's calendar can subscribe.
type MaintenanceCalendar struct {
	// Name is shown by the programs that subscribe.
	Name string

	// Domain makes the identity of a window one in the whole world: its UID is
	// the ref, "@" and the domain. It must stay the same from one writing to
	// the next. Required; "acme.status.example.net" is a good one.
	Domain string

	// Stamp is DTSTAMP, when the document was made. Defaults to the instant at
	// which each window was announced.
	Stamp time.Time

	// Services are names by id. Defaults to the ids.
	Services map[string]string
}

// Write writes the windows by start, then ref. Cancelled ones stay in the document,
// marked as such, so that they disappear from the calendars that have them. Times
// are in UTC and whole seconds, ends rounded up. The same windows give the same
// bytes.
//
// The error joins what is wrong with the windows: no ref or one that occurs twice,
// an end that is not after the start, no instant for DTSTAMP. Nothing is written
// then.
func (c MaintenanceCalendar) Write(w io.Writer, windows []sla.Maintenance) error {
	if err := c.check(windows); err != nil {
		return err
	}
	entries := make([]entry, len(windows))
	for i, m := range windows {
		entries[i] = entry{uid: m.Ref, start: m.Start, end: m.End, summary: c.summary(m), stamp: c.stamp(m), cancelled: m.Cancelled}
		if m.Cancelled {
			entries[i].sequence = 1
		}
	}
	return writeEntries(w, newDocument("maintenance", c.Name), c.Domain, entries)
}

func (c MaintenanceCalendar) stamp(m sla.Maintenance) time.Time {
	if c.Stamp.IsZero() {
		return m.Announced
	}
	return c.Stamp
}

func (c MaintenanceCalendar) summary(m sla.Maintenance) string {
	text := "Maintenance of "
	if m.Emergency {
		text = "Emergency maintenance of "
	}
	switch name := c.Services[m.Service]; {
	case name != "":
		text += name
	case m.Service == "" || m.Service == "*":
		text += "all services"
	default:
		text += m.Service
	}
	if m.Title != "" {
		text += ": " + m.Title
	}
	return text
}

func (c MaintenanceCalendar) check(windows []sla.Maintenance) error {
	var problems []error
	if err := checkDomain(c.Domain); err != nil {
		problems = append(problems, err)
	}
	seen := map[string]bool{}
	for i, m := range windows {
		wrong := func(field, value, want string) {
			problems = append(problems, &FeedError{Property: fmt.Sprintf("maintenance[%d].%s", i, field), Value: value, Want: want})
		}
		switch {
		case m.Ref == "" || strings.ContainsFunc(m.Ref, unsafe):
			wrong("ref", m.Ref, "a ref without blanks")
		case seen[m.Ref]:
			wrong("ref", m.Ref, "a ref that no other window has")
		}
		seen[m.Ref] = true
		if !m.Start.Before(m.End) {
			wrong("end", m.End.UTC().Format(time.RFC3339), "an end after the start, "+m.Start.UTC().Format(time.RFC3339))
		}
		if c.stamp(m).IsZero() {
			wrong("announced", "", "when the window was announced, or a Stamp for all")
		}
	}
	return errors.Join(problems...)
}
