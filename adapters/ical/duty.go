package ical

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
)

// DutyCalendar writes who is on call, and when centres hand over, as iCalendar
// documents to which people can subscribe.
//
// The identity of a shift is its schedule and its start: when another person takes
// it, the event stays and is changed. Of a shift in the calendar of one person the
// person is part of the identity as well.
type DutyCalendar struct {
	// Name is shown by the programs that subscribe.
	Name string

	// Domain makes the identity of a shift one in the whole world. It must stay the
	// same from one writing to the next. Required; "oncall.example.net" is a good
	// one.
	Domain string

	// Stamp is DTSTAMP of what is new or changed. Required.
	Stamp time.Time

	// Names are those of people and centres by id. Defaults to the ids.
	Names map[string]string

	// Before is the document that was published last. What has not changed since
	// keeps its SEQUENCE and DTSTAMP, what has gets the next SEQUENCE, and what is no
	// more stays in the document, marked as cancelled. What lies outside of the time
	// that is written is left out. Defaults to none: every SEQUENCE is 0.
	Before []byte
}

// ShiftQuery says which shifts are written.
type ShiftQuery struct {
	From, Until time.Time // a shift counts if any part of it is in [From, Until), at most ten years

	// Schedules are names of schedules of the roster. Defaults to all.
	Schedules []string

	// Engineer restricts the calendar to one person: one event for each stretch in
	// which the person is on call in a schedule, alone or with others, whatever puts
	// them there. Defaults to everybody.
	Engineer string
}

// Shifts writes the shifts of schedules. A shift is written whole, also where it
// begins before From or ends after To, so that its identity does not depend on
// them; one without an end within ten years is cut. Times are in UTC and whole
// seconds, ends rounded up. The same arguments give the same bytes.
//
// The error joins [FeedError]s for what is wrong with the calendar and the query,
// and for a document before that cannot be read. Nothing is written then.
func (c DutyCalendar) Shifts(w io.Writer, r *escalation.Router, q ShiftQuery) error {
	doc := c.edition()
	problems := doc.check(q.From, q.Until)
	for i, name := range q.Schedules {
		if r.Schedule(name) == nil || slices.Contains(q.Schedules[:i], name) {
			problems = append(problems, &FeedError{Property: fmt.Sprintf("schedules[%d]", i), Value: name, Want: "the name of a schedule of the roster, once"})
		}
	}
	if _, ok := r.Engineer(q.Engineer); !ok && q.Engineer != "" && q.Engineer != r.LastResort().ID {
		problems = append(problems, &FeedError{Property: "engineer", Value: q.Engineer, Want: "an engineer of the roster, or the last resort"})
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	names := q.Schedules
	if len(names) == 0 {
		names = r.Schedules()
	}
	var entries []entry
	for _, name := range names {
		for _, shift := range q.shifts(r.Schedule(name)) {
			entries = append(entries, c.shift(name, shift, q))
		}
	}
	return doc.write(w, "on call", entries, func(x entry) bool { return x.start.Before(q.Until) && x.end.After(q.From) })
}

// shifts returns the shifts with somebody on call, whole, and those of the engineer
// as one stretch where they follow each other.
func (q ShiftQuery) shifts(s *escalation.Schedule) []escalation.Shift {
	from, to := q.From, q.Until
	begins, ends := s.ShiftAt(from), s.ShiftAt(to.Add(-1))
	if q.Engineer != "" { // the stretch may begin with other shifts, and end with them
		for on := begins; onCall(on, q.Engineer) && !on.Start.IsZero() && on.Start.After(from.AddDate(-maxEditionYears, 0, 0)); on = s.ShiftAt(on.Start.Add(-1)) {
			begins = on
		}
		for on := ends; onCall(on, q.Engineer) && !on.End.IsZero() && on.End.Before(to.AddDate(maxEditionYears, 0, 0)); on = s.ShiftAt(on.End) {
			ends = on
		}
	}
	if !begins.Start.IsZero() {
		from = begins.Start
	}
	if !ends.End.IsZero() {
		to = ends.End
	}
	var out []escalation.Shift
	for _, shift := range s.Shifts(from, to) {
		if shift.User == "" || q.Engineer != "" && !onCall(shift, q.Engineer) {
			continue
		}
		if last := len(out) - 1; q.Engineer != "" && last >= 0 && out[last].End.Equal(shift.Start) {
			out[last].End = shift.End
			continue
		}
		out = append(out, shift)
	}
	return out
}

func onCall(shift escalation.Shift, id string) bool {
	return shift.User == id || slices.Contains(shift.Also, id)
}

func (c DutyCalendar) shift(schedule string, shift escalation.Shift, q ShiftQuery) entry {
	x := entry{uid: url.QueryEscape(schedule) + "-" + instant(shift.Start), start: shift.Start, end: shift.End}
	if q.Engineer != "" {
		x.uid += "-" + url.QueryEscape(q.Engineer)
		x.summary = fmt.Sprintf("%s on call: %s", c.name(q.Engineer), schedule)
		return x
	}
	people := []string{c.name(shift.User)}
	for _, id := range shift.Also {
		people = append(people, c.name(id))
	}
	x.summary = fmt.Sprintf("%s on call: %s", strings.Join(people, ", "), schedule)
	x.description = "By " + shift.Source
	return x
}

// instant writes the start of an event into its identity.
func instant(at time.Time) string { return at.UTC().Format("20060102T150405.999999999Z") }

func (c DutyCalendar) edition() edition {
	return edition{name: c.Name, domain: c.Domain, stamp: c.Stamp, before: c.Before}
}

func (c DutyCalendar) name(id string) string { return cmp.Or(c.Names[id], id) }

// HandoffQuery says which handoffs are written.
type HandoffQuery struct {
	From, Until time.Time // a handoff counts if it starts in [From, Until), at most ten years

	// Centre restricts the calendar to the handoffs that a centre gives or takes.
	// Defaults to all.
	Centre string
}

// Handoffs writes the planned handoffs of centres with their agendas, as
// [DutyCalendar.Shifts] does the shifts. A handoff without a length is a second
// long.
func (c DutyCalendar) Handoffs(w io.Writer, centres *escalation.Centres, q HandoffQuery) error {
	doc := c.edition()
	problems := doc.check(q.From, q.Until)
	if err := errors.Join(problems...); err != nil {
		return err
	}
	var entries []entry
	for _, h := range centres.Handoffs(q.From, q.Until) {
		if q.Centre != "" && h.From != q.Centre && h.To != q.Centre {
			continue
		}
		x := entry{
			uid: "handoff-" + url.QueryEscape(h.From) + "-" + instant(h.Start), start: h.Start, end: h.End,
			summary: "Handoff " + c.name(h.From) + " to " + c.name(h.To),
		}
		if !x.end.After(x.start) {
			x.end = x.start.Add(time.Second)
		}
		for i, topic := range h.Agenda {
			x.description += strconv.Itoa(i+1) + ". " + topic + "\n"
		}
		x.description = strings.TrimSuffix(x.description, "\n")
		entries = append(entries, x)
	}
	return doc.write(w, "handoffs", entries, func(x entry) bool { return x.start.Before(q.Until) && !x.start.Before(q.From) })
}
