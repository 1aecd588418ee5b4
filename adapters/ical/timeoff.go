package ical

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/escalation"
)

// TimeOffOptions says whose a calendar of time off is.
type TimeOffOptions struct {
	Options

	// Engineer is the id of the person whose calendar it is.
	Engineer string

	// People are ids by the name with which the title of an event begins, in any
	// case: "Nina Vos - leave" is the time off of the id under "Nina Vos". It is for
	// calendars of several people, in place of Engineer.
	People map[string]string
}

// TimeOff reads the absences of people in [from, until) from a feed, by start, then
// person. Those that reach beyond it are whole. An event without a time of day takes
// its dates in zone, the zone of the people, nil for UTC; the rest is as for
// [Holidays].
//
// Skipped are the events that are nobody's time off, and why. The error joins one
// [FeedError] for everything that could not be read; there are no absences then.
func TimeOff(r io.Reader, from, until time.Time, zone *time.Location, options TimeOffOptions) ([]escalation.Absence, []Skipped, error) {
	if zone == nil {
		zone = time.UTC
	}
	if (options.Engineer == "") == (len(options.People) == 0) {
		return nil, nil, &FeedError{Property: "options", Value: options.Engineer, Want: "an engineer, or people by name"}
	}
	w, err := newWindow(from, until, zone)
	if err != nil {
		return nil, nil, err
	}
	p := &parser{loc: zone, options: options.Options, zones: map[string]*time.Location{}}
	if err := p.read(r); err != nil {
		return nil, nil, err
	}
	var absences []escalation.Absence
	x := &expander{window: w, skipped: p.skipped}
	x.take = func(e *event, start moment, l length) bool {
		a := escalation.Absence{Start: start.instant().UTC(), End: l.after(start).UTC(), Reason: e.summary}
		if !a.Start.Before(a.End) || !a.Start.Before(until) || !a.End.After(from) {
			return true
		}
		if a.Engineer = options.of(e.summary); a.Engineer == "" {
			x.skipped = append(x.skipped, e.skip(time.Time{}, "its title begins with the name of nobody known"))
			return true
		}
		absences = append(absences, a)
		return x.spend(e)
	}
	if err := x.walk(p.events, options.Options); err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(absences, func(a, b escalation.Absence) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Engineer, b.Engineer), a.End.Compare(b.End))
	})
	return absences, slices.CompactFunc(x.skips(), func(a, b Skipped) bool { return a == b }), nil
}

// of returns whose time off an event is. The longest name counts.
func (o TimeOffOptions) of(title string) string {
	if o.Engineer != "" {
		return o.Engineer
	}
	best, id := "", ""
	for name, who := range o.People {
		if len(name) <= len(best) || len(name) > len(title) || !strings.EqualFold(title[:len(name)], name) {
			continue
		}
		if next, _ := utf8.DecodeRuneInString(title[len(name):]); title[len(name):] != "" && (unicode.IsLetter(next) || unicode.IsDigit(next)) {
			continue // "Ann" does not begin "Annette"
		}
		best, id = name, who
	}
	return id
}

// AddToLayer returns the layer with the dates of the feed as holidays, on which no
// window of it begins, and the events that could not be added: those that take only
// a part of a date, because a window is left out as a whole. The layer given is not
// changed. A layer without windows is one that holidays do not stop; add one of
// 00:00 to 24:00 first.
func (f Feed) AddToLayer(l escalation.Layer) (escalation.Layer, []Skipped) {
	var skipped []Skipped
	l.Holidays, skipped = f.except(l.Holidays)
	return l, skipped
}

// AddToWindows returns the windows with the dates of the feed as exceptions, on
// which they do not begin, and the events that could not be added, as
// [Feed.AddToLayer] does. The windows given are not changed.
func (f Feed) AddToWindows(windows []escalation.Window) ([]escalation.Window, []Skipped) {
	windows = slices.Clone(windows)
	var skipped []Skipped
	for i := range windows {
		windows[i].Except, skipped = f.except(windows[i].Except)
	}
	return windows, skipped
}

// except adds the dates that are covered as a whole.
func (f Feed) except(dates []string) ([]string, []Skipped) {
	dates = slices.Clone(dates)
	var skipped []Skipped
	for _, d := range f.Days {
		switch {
		case slices.Contains(dates, d.Date):
		case d.Whole():
			dates = append(dates, d.Date)
		default:
			skipped = append(skipped, d.skip("it takes a part of the date only")...)
		}
	}
	return dates, skipped
}
