package escalation

import (
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Hours are windows after their checks, in one zone: when a desk, a person or a
// centre works. They are immutable and safe for concurrent use.
type Hours struct{ hours *hours }

// Occurrence is a window on one of its dates.
type Occurrence struct {
	calendar.Interval

	// Date is the local date like "2026-04-27" on which the window begins.
	Date string `json:"date"`
}

// NewHours checks the windows of a zone, an IANA name; without windows nobody ever
// works. The problems are joined [*ConfigError]s with paths below "timezone" and
// "hours".
func NewHours(zone string, windows []Window) (*Hours, error) {
	p := newProblems()
	h := compileWindows(windows, zones{}.require(zone, p.at("timezone")), p.at("hours"))
	if err := p.err(); err != nil {
		return nil, err
	}
	return &Hours{h}, nil
}

// Location returns the zone.
func (h *Hours) Location() *time.Location { return h.hours.zone.loc }

// IsOpen reports whether an instant lies in a window.
func (h *Hours) IsOpen(at time.Time) bool { return h.hours.open(seconds(at)) }

// Occurrences returns the windows that overlap [from, until), cut to it, in order of
// the window and the date on which they begin.
func (h *Hours) Occurrences(from, until time.Time) []Occurrence {
	list := h.hours.occurrences(calendar.Interval{Start: from.UTC(), End: until.UTC()})
	out := make([]Occurrence, len(list))
	for i, o := range list {
		out[i] = Occurrence{Interval: o.Interval, Date: dateText(o.day)}
	}
	return out
}

// Expand returns when some window is open in [from, until), as a set.
func (h *Hours) Expand(from, until time.Time) []calendar.Interval {
	return h.hours.set(calendar.Interval{Start: from.UTC(), End: until.UTC()})
}
