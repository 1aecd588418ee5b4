package handoff

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// Situation is what the next shift has to know, at an instant.
type Situation struct {
	At time.Time `json:"at"`

	Incidents   []OpenIncident `json:"incidents"`
	Unanswered  []OpenPage     `json:"unanswered_pages"`
	Maintenance []PlannedWork  `json:"maintenance"`
}

// OpenIncident is an incident that is not over.
type OpenIncident struct {
	ID       string            `json:"id"`
	Severity incident.Severity `json:"severity"`
	Domain   string            `json:"domain,omitempty"`
	Opened   time.Time         `json:"opened"`

	// By is who acknowledged it; empty where nobody has.
	By string `json:"acknowledged_by,omitempty"`

	// Next is when it goes up if nothing happens; zero where it does not.
	Next time.Time `json:"next_escalation,omitzero"`
}

// OpenPage is a page to which nobody has answered.
type OpenPage struct {
	Incident string    `json:"incident"`
	Level    int       `json:"level"` // 0 for the first page
	To       string    `json:"to"`
	At       time.Time `json:"at"`
}

// PlannedWork is maintenance ahead, [Start, End).
type PlannedWork struct {
	ID      string    `json:"id"`
	Service string    `json:"service,omitempty"`
	Summary string    `json:"summary,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
}

// SituationOf returns what is open: incidents by severity, instant and id, the pages
// of their present round while nobody has acknowledged, in order, and of the planned
// work what is not over at the instant, by start and id.
func SituationOf(e *escalation.Engine, at time.Time, work []PlannedWork) Situation {
	s := Situation{At: at.UTC(), Incidents: []OpenIncident{}, Unanswered: []OpenPage{}, Maintenance: []PlannedWork{}}
	for _, id := range e.Incidents() {
		v, _ := e.Incident(id)
		if !v.Closed.IsZero() {
			continue
		}
		s.Incidents = append(s.Incidents, OpenIncident{
			ID: id, Severity: v.Severity, Domain: v.Domain, Opened: v.Opened, By: v.AcknowledgedBy, Next: v.Next,
		})
		if v.Acknowledged.IsZero() {
			s.Unanswered = append(s.Unanswered, openPages(v)...)
		}
	}
	for _, w := range work {
		if w.End.After(at) {
			s.Maintenance = append(s.Maintenance, w)
		}
	}
	slices.SortStableFunc(s.Incidents, func(a, b OpenIncident) int {
		if n := b.Severity.Compare(a.Severity); n != 0 {
			return n
		}
		return a.Opened.Compare(b.Opened)
	})
	slices.SortStableFunc(s.Unanswered, func(a, b OpenPage) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(s.Maintenance, func(a, b PlannedWork) int { return a.Start.Compare(b.Start) })
	return s
}

// openPages returns the pages of the present round.
func openPages(v escalation.View) []OpenPage {
	var out []OpenPage
	for _, entry := range v.Log {
		if !entry.IsPage() || entry.At.Before(v.Anchor) {
			continue
		}
		for _, to := range entry.To {
			out = append(out, OpenPage{Incident: v.ID, Level: entry.Level, To: to, At: entry.At})
		}
	}
	return out
}
