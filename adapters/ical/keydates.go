package ical

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// KeyDateCalendar writes the dates on which services have to run as an iCalendar
// document to which people can subscribe.
//
// The identity of a key date is its id and the date of its rule: when a holiday moves
// it, the event stays and is changed.
type KeyDateCalendar struct {
	// Name is shown by the programs that subscribe.
	Name string

	// Domain makes the identity of a date one in the whole world. It must stay the same
	// from one writing to the next. Required; "acme.status.example.net" is a good one.
	Domain string

	// Stamp is DTSTAMP of what is new or changed. Required.
	Stamp time.Time

	// Services are names by id. Defaults to the ids.
	Services map[string]string

	// Before is the document that was published last, as [DutyCalendar.Before] is.
	Before []byte
}

// Write writes the key dates that overlap the horizon, at most ten years, each whole:
// one event for each stretch of dates that touch, and where work is frozen one more
// for the freeze, so that calendars can show it apart. Times are in UTC and whole
// seconds, ends rounded up; days begin and end at the midnights of the zone of the key
// date. The same arguments give the same bytes.
//
// The error joins [FeedError]s for what is wrong with the calendar, the horizon and the
// key dates; those of a key date wrap [*continuity.RecordError]. Nothing is written
// then.
func (c KeyDateCalendar) Write(w io.Writer, dates []continuity.KeyDate, horizon calendar.Interval) error {
	doc := edition{name: c.Name, domain: c.Domain, stamp: c.Stamp, before: c.Before}
	problems := doc.check(horizon.Start, horizon.End)
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	var entries []entry
	seen := map[string]bool{}
	for i, k := range dates {
		wrong := func(field, value, want string, err error) {
			problems = append(problems, &FeedError{Property: fmt.Sprintf("key_dates[%d]", i) + field, Value: value, Want: want, Err: err})
		}
		if k.ID == "" || seen[k.ID] {
			wrong(".id", k.ID, "an id that no other key date has", nil)
		}
		seen[k.ID] = true
		occurrences, err := k.Expand(horizon)
		if err != nil {
			wrong("", k.ID, "a key date that is valid", err)
		}
		for _, o := range occurrences {
			entries = append(entries, c.entries(k, o)...)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	return doc.write(w, "key dates", entries, func(x entry) bool { return x.start.Before(horizon.End) && x.end.After(horizon.Start) })
}

// entries returns the events of a key date.
func (c KeyDateCalendar) entries(k continuity.KeyDate, o continuity.Occurrence) []entry {
	first := o.Days[0]
	uid := url.QueryEscape(k.ID) + "-" + cmp.Or(first.Nominal, first.Date)
	date := entry{
		uid: "keydate-" + uid, start: o.Interval.Start, end: o.Interval.End,
		summary: cmp.Or(k.Name, k.ID), description: strings.Join(c.details(k, o), "\n"),
	}
	if !k.Freeze {
		return []entry{date}
	}
	freeze := date
	freeze.uid, freeze.summary = "freeze-"+uid, "Freeze: "+date.summary
	freeze.description = "No changes and no maintenance of " + c.services(k)
	return []entry{date, freeze}
}

// details are the lines of the description.
func (c KeyDateCalendar) details(k continuity.KeyDate, o continuity.Occurrence) []string {
	lines := []string{"Services: " + c.services(k)}
	for _, domain := range slices.Sorted(maps.Keys(k.Cover)) {
		lines = append(lines, fmt.Sprintf("On duty for %s: %d", domain, k.Cover[domain]))
	}
	if k.Runbook != "" {
		lines = append(lines, "Runbook: "+k.Runbook)
	}
	for _, d := range o.Days {
		if d.Nominal != "" {
			lines = append(lines, "Moved from "+d.Nominal+" to "+d.Date)
		}
	}
	return lines
}

func (c KeyDateCalendar) services(k continuity.KeyDate) string {
	if len(k.Services) == 0 {
		return "all services"
	}
	names := make([]string, len(k.Services))
	for i, id := range k.Services {
		names[i] = cmp.Or(c.Services[id], id)
	}
	return strings.Join(names, ", ")
}
