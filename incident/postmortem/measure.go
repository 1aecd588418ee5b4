package postmortem

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// MeasureStatus is how far a measure has come.
type MeasureStatus string

// The two statuses.
const (
	MeasureOpen MeasureStatus = "open"
	MeasureDone MeasureStatus = "done"
)

// Measure is what is done about an incident, with its state at an instant.
type Measure struct {
	ID     string               `json:"id"`
	Text   string               `json:"text"`
	Type   incident.MeasureType `json:"type"`
	Owner  string               `json:"owner"`
	Due    string               `json:"due"` // date like "2026-10-21"
	Status MeasureStatus        `json:"status"`
	Ref    string               `json:"anchored_in"` // ticket, change or runbook that carries it
	// AnchoredAt is when owner, due date and reference were there for the first
	// time; zero if they are not, or nobody knows.
	AnchoredAt time.Time `json:"anchored_at"`
	Anchored   bool      `json:"anchored"` // owner, due date and reference are there
	Overdue    bool      `json:"overdue"`  // open, and the due date is before the date of the instant in UTC
}

// MarshalJSON writes null for what is not known.
func (m Measure) MarshalJSON() ([]byte, error) {
	type plain Measure
	return json.Marshal(struct {
		plain

		ID         *string               `json:"id"`
		Type       *incident.MeasureType `json:"type"`
		Owner      *string               `json:"owner"`
		Due        *string               `json:"due"`
		Ref        *string               `json:"anchored_in"`
		AnchoredAt *time.Time            `json:"anchored_at"`
	}{plain(m), orNull(m.ID), orNull(m.Type), orNull(m.Owner), orNull(m.Due), orNull(m.Ref), orNull(m.AnchoredAt)})
}

// record is the measure as the incident keeps it.
func (m Measure) record() incident.Measure {
	return incident.Measure{ID: m.ID, Text: m.Text, Type: m.Type, Owner: m.Owner, Due: m.Due, Ref: m.Ref, Done: m.Status == MeasureDone}
}

// judge brings the derived fields up to an instant. A measure that somebody wrote
// without a status is open.
func (m *Measure) judge(at time.Time) {
	m.Status = cmp.Or(m.Status, MeasureOpen)
	r := m.record()
	m.Anchored, m.Overdue = r.Anchored(), r.Overdue(at)
	if !m.Anchored {
		m.AnchoredAt = time.Time{}
	}
}

// anchorings returns when each measure became anchored, by its id.
func anchorings(events []incident.Event) map[string]time.Time {
	events = slices.DeleteFunc(slices.Clone(events), func(e incident.Event) bool { return e.Kind != incident.RecordMeasure || e.Measure == nil })
	slices.SortStableFunc(events, func(a, b incident.Event) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Key, b.Key)) })
	since := map[string]time.Time{}
	for _, e := range events {
		switch _, known := since[e.Measure.ID]; {
		case !e.Measure.Anchored():
			delete(since, e.Measure.ID)
		case !known:
			since[e.Measure.ID] = e.At
		}
	}
	return since
}

// Item is an open measure and the incident that it comes from.
type Item struct {
	Tenant   string  `json:"tenant,omitempty"`
	Incident string  `json:"incident_id"`
	Title    string  `json:"title"`
	Measure  Measure `json:"measure"`
	// Days is how many days the due date is past, 0 unless it is overdue.
	Days int `json:"days_overdue"`
}

// Backlog lists the open measures of many documents at an instant, by due date, those
// without one last, then by tenant and incident. Of several documents of one
// incident the last counts.
func Backlog(docs []Document, at time.Time) []Item {
	var out []Item
	for _, d := range latest(docs) {
		for _, m := range d.AsOf(at).Measures {
			if m.Status == MeasureDone {
				continue
			}
			item := Item{Tenant: d.Tenant, Incident: d.Incident, Title: d.Title, Measure: m}
			if due, err := time.Parse(time.DateOnly, m.Due); err == nil && m.Overdue {
				item.Days = int(at.Sub(due) / (24 * time.Hour))
			}
			out = append(out, item)
		}
	}
	slices.SortStableFunc(out, func(a, b Item) int {
		return cmp.Or(
			strings.Compare(cmp.Or(a.Measure.Due, "~"), cmp.Or(b.Measure.Due, "~")),
			strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Incident, b.Incident))
	})
	return out
}

// Overdue lists those of [Backlog] whose due date has passed, the oldest first.
func Overdue(docs []Document, at time.Time) []Item {
	return slices.DeleteFunc(Backlog(docs, at), func(i Item) bool { return !i.Measure.Overdue })
}

// Tracked returns the measures of many documents as the reviews of a period take them,
// done ones too; see [incident.ReviewOptions]. Of several documents of one incident the
// last counts.
func Tracked(docs []Document) []incident.TrackedMeasure {
	var out []incident.TrackedMeasure
	for _, d := range latest(docs) {
		for _, m := range d.Measures {
			out = append(out, incident.TrackedMeasure{Incident: d.Incident, Measure: m.record()})
		}
	}
	return out
}

// latest returns the last document of each incident, in the order of the first ones.
func latest(docs []Document) []Document {
	type name struct{ tenant, id string }
	place := map[name]int{}
	var out []Document
	for _, d := range docs {
		n := name{d.Tenant, d.Incident}
		if i, known := place[n]; known {
			out[i] = d
			continue
		}
		place[n] = len(out)
		out = append(out, d)
	}
	return out
}
