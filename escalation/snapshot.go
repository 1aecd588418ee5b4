package escalation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// snapshotVersion is written into every snapshot; others are refused.
const snapshotVersion = 1

type snapshot struct {
	Version   int                  `json:"version"`
	Tenant    string               `json:"tenant"`
	Incidents []*record            `json:"incidents"`
	Paged     map[string]time.Time `json:"paged"` // last page by person
}

// Snapshot returns the state as JSON. The same state gives the same bytes.
func (e *Engine) Snapshot() ([]byte, error) {
	s := snapshot{Version: snapshotVersion, Tenant: e.tenant, Incidents: []*record{}, Paged: map[string]time.Time{}}
	for _, id := range e.ids() {
		s.Incidents = append(s.Incidents, e.records[id])
	}
	for who, load := range e.loads {
		if !load.Paged.IsZero() {
			s.Paged[who] = load.Paged
		}
	}
	return json.Marshal(s)
}

// Restore returns an engine in the state of a snapshot. Roster and matrix are
// those of the configuration: levels whose minutes have changed since are armed
// anew by the next event of their incident, not before.
func Restore(c Config, data []byte) (*Engine, error) {
	e, err := NewEngine(c)
	if err != nil {
		return nil, err
	}
	var s snapshot
	if err := decode(data, &s); err != nil {
		return nil, fmt.Errorf("escalation: snapshot: %w", err)
	}
	p := newProblems().at("snapshot")
	if s.Version != snapshotVersion {
		p.at("version").add(strconv.Itoa(s.Version), strconv.Itoa(snapshotVersion))
	}
	if s.Tenant != e.tenant {
		p.at("tenant").add(s.Tenant, e.tenant)
	}
	for i, r := range s.Incidents {
		e.adopt(r, p.at("incidents[%d]", i))
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	for who, at := range s.Paged {
		load := e.loads[who]
		load.Paged = at
		e.loads[who] = load
	}
	return e, nil
}

func (e *Engine) adopt(r *record, p problems) {
	if r == nil || r.ID == "" || e.records[r.ID] != nil {
		p.add("", "an incident with an id of its own")
		return
	}
	if !r.Severity.IsSet() {
		p.at("severity").add(r.Severity.String(), "P1 to P4")
		return
	}
	lower := 0
	for i, t := range r.Timers {
		if t.Level <= lower || t.Level > len(e.matrix[r.Severity]) || t.Incident != r.ID || t.Key == "" || !r.isOpen() {
			p.at("timers[%d].level", i).add(strconv.Itoa(t.Level), "a level of the matrix above that of the timer before, for an open incident")
			return
		}
		lower = t.Level
	}
	e.records[r.ID] = r
	if r.isOpen() && r.Holder != "" {
		load := e.loads[r.Holder]
		load.Open++
		e.loads[r.Holder] = load
	}
	e.queue(r)
}

// View is the state of one incident.
type View struct {
	ID       string            `json:"id"`
	Severity incident.Severity `json:"severity"`
	Domain   string            `json:"domain"`

	// Round is 1, and one more after each reopening. Anchor is the instant from
	// which levels are counted: the opening, or the last reopening.
	Opened time.Time `json:"opened"`
	Round  int       `json:"round"`
	Anchor time.Time `json:"anchor"`

	// The zero time stands for "not".
	Acknowledged   time.Time `json:"acknowledged,omitzero"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	Closed         time.Time `json:"closed,omitzero"` // resolved or merged
	MergedInto     string    `json:"merged_into,omitempty"`

	// Routing is how the person of the first page of the round was found.
	Routing Routing `json:"routing"`

	// Levels are those of the present severity.
	Levels []LevelView `json:"levels"`

	// Next is when the next level is due; zero where none is.
	Next time.Time `json:"next_escalation,omitzero"`

	// Log is the timeline in the order in which things became known.
	Log []Entry `json:"timeline"`
}

// LevelView is the state of one level.
type LevelView struct {
	Level int       `json:"level"`
	To    Level     `json:"escalate_to"`
	Due   time.Time `json:"due"`
	State string    `json:"state"` // pending, fired, collapsed or stopped
}

// Incident returns the state of an incident.
func (e *Engine) Incident(id string) (View, bool) {
	r := e.records[id]
	if r == nil {
		return View{}, false
	}
	v := View{
		ID: r.ID, Severity: r.Severity, Domain: r.Domain, Opened: r.Opened, Round: r.Round, Anchor: r.Anchor,
		Acknowledged: r.Acknowledged, AcknowledgedBy: r.AcknowledgedBy, Closed: r.Closed, MergedInto: r.MergedInto,
		Routing: r.Routing, Next: r.next, Log: slices.Clone(r.Log),
	}
	for i, rung := range e.matrix[r.Severity] {
		level := LevelView{Level: i + 1, To: rung.To, Due: r.due(rung), State: "stopped"}
		if f := r.fired(level.Level); f != nil {
			level.Due, level.State = f.Due, "fired"
			if f.Collapsed {
				level.State = "collapsed"
			}
		} else if slices.ContainsFunc(r.Timers, func(t Timer) bool { return t.Level == level.Level }) {
			level.State = "pending"
		}
		v.Levels = append(v.Levels, level)
	}
	return v, true
}

// Incidents returns the ids of all incidents that are known, sorted.
func (e *Engine) Incidents() []string { return e.ids() }
