package ical

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"

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
	doc := &ics.Calendar{}
	doc.SetVersion("2.0")
	doc.SetProductId("-//evenkeel//maintenance//EN")
	doc.SetCalscale("GREGORIAN")
	if c.Name != "" {
		doc.SetName(plain(c.Name))
	}
	doc.SetRefreshInterval("PT1H")
	doc.SetXPublishedTTL("PT1H")
	windows = slices.Clone(windows)
	slices.SortStableFunc(windows, func(a, b sla.Maintenance) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Ref, b.Ref)) })
	for _, m := range windows {
		e := doc.AddEvent(m.Ref + "@" + c.Domain)
		e.SetDtStampTime(c.stamp(m))
		status, sequence := ics.ObjectStatusConfirmed, 0
		if m.Cancelled {
			status, sequence = ics.ObjectStatusCancelled, 1
		}
		e.SetSequence(sequence)
		e.SetStartAt(m.Start)
		e.SetEndAt(m.End.Add(time.Second - 1))
		e.SetSummary(plain(c.summary(m)))
		e.SetStatus(status)
		e.SetTimeTransparency(ics.TransparencyTransparent)
	}
	_, err := io.WriteString(w, doc.Serialize(ics.WithNewLineWindows)) // SerializeTo forgets some errors of w
	return err
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
	if c.Domain == "" || strings.ContainsFunc(c.Domain, unsafe) {
		problems = append(problems, &FeedError{Property: "domain", Value: c.Domain, Want: "a name like acme.status.example.net"})
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

// unsafe is what a UID should not have.
func unsafe(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// plain leaves out what a content line cannot hold.
func plain(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
