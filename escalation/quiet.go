package escalation

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Maintenance is a stretch of time, [Start, End), in which work is expected to
// cause incidents. They are on record and page nobody: what would be due in it is
// due at its end, if the incident is still open then.
type Maintenance struct {
	calendar.Interval
	Services []string `json:"services,omitempty"` // Defaults to all.
	Reason   string   `json:"reason,omitempty"`
}

func (m Maintenance) check(p problems) {
	if !m.End.After(m.Start) {
		p.at("end").add(m.End.Format(time.RFC3339), "an instant after the start")
	}
}

// awake returns the first instant at or after another that no maintenance of a
// service covers.
func (e *Engine) awake(service string, at time.Time) time.Time {
	for moved := true; moved; {
		moved = false
		for i := range e.quiet {
			m := &e.quiet[i]
			covers := len(m.Services) == 0 || slices.Contains(m.Services, service)
			if covers && !at.Before(m.Start) && at.Before(m.End) {
				at, moved = m.End.UTC(), true
			}
		}
	}
	return at
}

// PageLimit is how many pages a person gets in a time, as a sliding window
// (at − Per, at].
type PageLimit struct {
	Pages int           `json:"pages"`
	Per   time.Duration `json:"per_ns"`
}

func (l PageLimit) check(p problems) {
	if l.Pages < 0 || (l.Pages == 0) != (l.Per == 0) || l.Per < 0 {
		p.add(strconv.Itoa(l.Pages)+" in "+l.Per.String(), "pages and a time above 0, or neither")
	}
}

// isLimited reports whether the limit is for the page: not for a P1, and not for
// the last resort and what is outside the roster, which nobody stands behind.
func (e *Engine) isLimited(r *record, target string) bool {
	return r.Severity != incident.P1 && target != e.router.lastResort.ID && !strings.HasPrefix(target, webhookPrefix)
}

// limited notes a page of a person and reports whether it is above the limit.
func (e *Engine) limited(who string, at time.Time) bool {
	if e.limit.Pages == 0 {
		return false
	}
	recent := slices.DeleteFunc(e.pages[who], func(t time.Time) bool { return !t.After(at.Add(-e.limit.Per)) })
	over := len(recent) >= e.limit.Pages
	if !over {
		recent = append(recent, at)
	}
	e.pages[who] = recent
	return over
}
