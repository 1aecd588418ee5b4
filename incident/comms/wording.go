package comms

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// wording is how facts are put into words.
type wording struct {
	Phrases
	symbols bool // lengths and dates have no words in them
}

var english = wording{Phrases: Phrases{
	UnknownService: "unknown service", UnknownTime: "an unknown time",
	LastMessage: "You will get no further messages about this incident.", SeverityNow: "The severity is {severity} now.",
	FalseAlarm: "It was a false alarm: {reason}", Merged: "It is part of {incident_id}, where the news continues.",
}}

// services lists them.
func (w wording) services(names []string) string {
	if len(names) == 0 {
		return w.UnknownService
	}
	return strings.Join(names, ", ")
}

// begun returns when an incident began, as far as anybody knows.
func begun(s incident.State) time.Time {
	for _, known := range []time.Time{s.Times.Started, s.Times.Detected, s.Times.Created} {
		if !known.IsZero() {
			return known
		}
	}
	return time.Time{}
}

// ended returns when an incident ended; zero if it has not, or nobody said when.
func ended(s incident.State) time.Time {
	switch {
	case s.Status.Active():
		return time.Time{}
	case s.Times.Resolved.IsZero():
		return s.Times.Closed
	default:
		return s.Times.Resolved
	}
}

// ending says how an incident ended.
func (w wording) ending(s incident.State) string {
	switch s.Status {
	case incident.Cancelled:
		return fill(w.FalseAlarm, "reason", s.Reason)
	case incident.Merged:
		return fill(w.Merged, "incident_id", s.MergedInto)
	default:
		return s.Resolution
	}
}

// stamp prints an instant in UTC and, where it differs, for the reader's zone.
func (w wording) stamp(t time.Time, zone *time.Location) string {
	text := t.UTC().Format("2006-01-02 15:04:05 UTC")
	if zone == time.UTC || zone.String() == "UTC" {
		return text
	}
	layout := "15:04 on 2 January"
	if w.symbols {
		layout = "2006-01-02 15:04"
	}
	return fmt.Sprintf("%s (%s %s)", text, t.In(zone).Format(layout), zone)
}

// elapsed prints how long something took, in whole minutes.
func (w wording) elapsed(from, to time.Time) string {
	if from.IsZero() {
		return w.UnknownTime
	}
	d := max(to.Sub(from), 0).Truncate(time.Minute)
	switch h, m := int(d.Hours()), int(d.Minutes())%60; {
	case h == 0:
		return w.count(m, "minute", "min")
	case m == 0:
		return w.count(h, "hour", "h")
	default:
		return w.count(h, "hour", "h") + " " + w.count(m, "minute", "min")
	}
}

// spoken writes a duration for people, in minutes if they are whole.
func (w wording) spoken(d time.Duration) string {
	if d%time.Minute != 0 {
		return threshold.FormatDuration(d)
	}
	return w.count(int(d/time.Minute), "minute", "min")
}

// count writes a number of units, or of those of a symbol.
func (w wording) count(n int, unit, symbol string) string {
	if w.symbols {
		return fmt.Sprintf("%d %s", n, symbol)
	}
	return plural(n, unit)
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
