package ical

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

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
	From, To time.Time // a shift counts if any part of it is in [From, To), at most ten years

	// Schedules are names of schedules of the roster. Defaults to all.
	Schedules []string

	// Engineer restricts the calendar to one person: one event for each stretch in
	// which the person is on call in a schedule, alone or with others, whatever puts
	// them there. Defaults to everybody.
	Engineer string
}

const maxDutyYears = 10

// Shifts writes the shifts of schedules. A shift is written whole, also where it
// begins before From or ends after To, so that its identity does not depend on
// them; one without an end within ten years is cut. Times are in UTC and whole
// seconds, ends rounded up. The same arguments give the same bytes.
//
// The error joins [FeedError]s for what is wrong with the calendar and the query,
// and for a document before that cannot be read. Nothing is written then.
func (c DutyCalendar) Shifts(w io.Writer, r *escalation.Router, q ShiftQuery) error {
	problems := c.check(q.From, q.To)
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
	return c.write(w, "on call", entries, func(x entry) bool { return x.start.Before(q.To) && x.end.After(q.From) })
}

// shifts returns the shifts with somebody on call, whole, and those of the engineer
// as one stretch where they follow each other.
func (q ShiftQuery) shifts(s *escalation.Schedule) []escalation.Shift {
	from, to := q.From, q.To
	begins, ends := s.ShiftAt(from), s.ShiftAt(to.Add(-1))
	if q.Engineer != "" { // the stretch may begin with other shifts, and end with them
		for on := begins; onCall(on, q.Engineer) && !on.Start.IsZero() && on.Start.After(from.AddDate(-maxDutyYears, 0, 0)); on = s.ShiftAt(on.Start.Add(-1)) {
			begins = on
		}
		for on := ends; onCall(on, q.Engineer) && !on.End.IsZero() && on.End.Before(to.AddDate(maxDutyYears, 0, 0)); on = s.ShiftAt(on.End) {
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

func (c DutyCalendar) name(id string) string { return cmp.Or(c.Names[id], id) }

// HandoffQuery says which handoffs are written.
type HandoffQuery struct {
	From, To time.Time // a handoff counts if it starts in [From, To), at most ten years

	// Centre restricts the calendar to the handoffs that a centre gives or takes.
	// Defaults to all.
	Centre string
}

// Handoffs writes the planned handoffs of centres with their agendas, as
// [DutyCalendar.Shifts] does the shifts. A handoff without a length is a second
// long.
func (c DutyCalendar) Handoffs(w io.Writer, centres *escalation.Centres, q HandoffQuery) error {
	problems := c.check(q.From, q.To)
	if err := errors.Join(problems...); err != nil {
		return err
	}
	var entries []entry
	for _, h := range centres.Handoffs(q.From, q.To) {
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
	return c.write(w, "handoffs", entries, func(x entry) bool { return x.start.Before(q.To) && !x.start.Before(q.From) })
}

func (c DutyCalendar) check(from, to time.Time) []error {
	var problems []error
	if err := checkDomain(c.Domain); err != nil {
		problems = append(problems, err)
	}
	if c.Stamp.IsZero() {
		problems = append(problems, &FeedError{Property: "stamp", Want: "when the document is made"})
	}
	if !from.Before(to) || to.After(from.AddDate(maxDutyYears, 0, 0)) {
		problems = append(problems, &FeedError{
			Property: "window", Value: from.UTC().Format(time.RFC3339) + "/" + to.UTC().Format(time.RFC3339), Want: "an end after the start, by ten years at most",
		})
	}
	return problems
}

// write gives the entries their stamps and sequences. Those published before that
// are not among them and that the query covers are cancelled.
func (c DutyCalendar) write(w io.Writer, product string, entries []entry, covers func(entry) bool) error {
	before, err := c.published()
	if err != nil {
		return err
	}
	for i := range entries {
		x := &entries[i]
		x.stamp = c.Stamp
		old, known := before[x.uid]
		delete(before, x.uid)
		switch {
		case !known:
		case old.same(*x):
			x.stamp, x.sequence = old.stamp, old.sequence
		default:
			x.sequence = old.sequence + 1
		}
	}
	for _, old := range before {
		if !covers(old) {
			continue
		}
		if !old.cancelled {
			old.cancelled, old.stamp = true, c.Stamp
			old.sequence++
		}
		entries = append(entries, old)
	}
	return writeEntries(w, newDocument(product, c.Name), c.Domain, entries)
}

// same reports whether an event as published says what another one would.
func (x entry) same(y entry) bool {
	return !x.cancelled && x.start.Equal(y.start.Truncate(time.Second)) && x.end.Equal(y.end.Add(time.Second-1).Truncate(time.Second)) &&
		x.summary == plain(y.summary) && x.description == plain(y.description)
}

// published returns the events of the document before, by their identity without
// the domain. Those of another domain are left out.
func (c DutyCalendar) published() (map[string]entry, error) {
	out := map[string]entry{}
	if len(c.Before) == 0 {
		return out, nil
	}
	if len(c.Before) > MaxBytes {
		return nil, &FeedError{Property: "before", Value: strconv.Itoa(len(c.Before)) + " bytes", Want: "at most " + strconv.Itoa(MaxBytes) + " bytes"}
	}
	doc, err := ics.ParseCalendar(bytes.NewReader(c.Before))
	if err != nil {
		return nil, &FeedError{Property: "before", Want: "the document that was published last", Err: err}
	}
	for _, e := range doc.Events() {
		uid, own := strings.CutSuffix(e.Id(), "@"+c.Domain)
		if !own {
			continue
		}
		value := func(name ics.ComponentProperty) string {
			if p := e.GetProperty(name); p != nil {
				return p.Value
			}
			return ""
		}
		x := entry{
			uid: uid, summary: value(ics.ComponentPropertySummary), description: value(ics.ComponentPropertyDescription),
			cancelled: value(ics.ComponentPropertyStatus) == string(ics.ObjectStatusCancelled),
		}
		problems := make([]error, 4)
		x.start, problems[0] = e.GetStartAt()
		x.end, problems[1] = e.GetEndAt()
		x.stamp, problems[2] = e.GetDtStampTime()
		x.sequence, problems[3] = strconv.Atoi(value(ics.ComponentPropertySequence))
		if err := errors.Join(problems...); err != nil {
			return nil, &FeedError{Property: "before", Value: e.Id(), Want: "an event that was written by a DutyCalendar", Err: err}
		}
		out[uid] = x
	}
	return out, nil
}
