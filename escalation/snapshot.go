package escalation

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sealed"
)

// snapshotVersion is written into every snapshot; others are refused.
const snapshotVersion = 4

// ErrSnapshot is wrapped by the errors of [Restore] and [Engine.Fork] about a snapshot or a
// part: it was changed or cut after it was written, it is of another tenant, or another
// version wrote it. What it says is not to be used.
var ErrSnapshot = errors.New("escalation: snapshot")

type snapshot struct {
	Tenant    string               `json:"tenant"`
	Incidents []*record            `json:"incidents"`
	Paged     map[string]time.Time `json:"paged,omitempty"` // last page by person

	Books   map[string]json.RawMessage `json:"books,omitempty"` // matrices by digest, of the rounds and timers on record
	Pages   map[string][]time.Time     `json:"pages,omitempty"` // what the limit counts
	Turns   map[string]int             `json:"turns,omitempty"`
	Leaders map[string]string          `json:"leaders,omitempty"`
}

// Snapshot returns the state as JSON, with a checksum. The same state gives the same bytes.
func (e *Engine) Snapshot() ([]byte, error) {
	s := snapshot{
		Tenant: e.tenant, Incidents: []*record{}, Paged: map[string]time.Time{},
		Books: map[string]json.RawMessage{}, Pages: e.pages, Turns: e.turns, Leaders: e.leaders,
	}
	for _, id := range e.ids() {
		r := e.records[id]
		s.Incidents = append(s.Incidents, r)
		s.Books[r.Book] = e.books[r.Book].text
		s.Books[r.armedBy()] = e.books[r.armedBy()].text
	}
	for who, load := range e.loads {
		if !load.Paged.IsZero() {
			s.Paged[who] = load.Paged
		}
	}
	return sealed.Seal(snapshotVersion, s)
}

// Restore returns an engine in the state of a snapshot. Roster and maintenance are
// those of the configuration; the matrices are those with which the rounds on
// record began, unless Config.Live is set; it may be set and taken back between
// snapshots. Levels that are due at another time since are armed anew by the next
// event or timer of their incident, not before. An error about data wraps [ErrSnapshot].
func Restore(c Config, data []byte) (*Engine, error) {
	e, err := NewEngine(c)
	if err != nil {
		return nil, err
	}
	s, err := e.load(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	for who, at := range s.Paged {
		load := e.loads[who]
		load.Paged = at
		e.loads[who] = load
	}
	maps.Copy(e.pages, s.Pages)
	maps.Copy(e.turns, s.Turns)
	maps.Copy(e.leaders, s.Leaders)
	return e, nil
}

// load takes over the incidents of a snapshot, with their matrices.
func (e *Engine) load(data []byte) (snapshot, error) {
	var s snapshot
	data, err := sealed.Open(data, snapshotVersion)
	if err != nil {
		return s, err
	}
	if err := decode(data, &s); err != nil {
		return s, err
	}
	p := newProblems().at("snapshot")
	if s.Tenant != e.tenant {
		p.at("tenant").add(s.Tenant, e.tenant)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Books)) {
		if e.books[name] != nil {
			continue // the present one
		}
		q := p.at("books[%q]", name)
		var m Matrix
		if err := decode(s.Books[name], &m); err != nil {
			return s, fmt.Errorf("books[%q]: %w", name, err)
		}
		b := m.compile(nil, zones{}, q)
		if b != nil && b.name != name {
			q.add(b.name, "the digest of the matrix, which was changed")
		}
		e.books[name] = b
	}
	for _, name := range slices.Sorted(maps.Keys(s.Turns)) {
		if n := s.Turns[name]; n < 0 {
			p.at("turns[%q]", name).add(strconv.Itoa(n), "0 or more")
		}
	}
	if p.err() != nil {
		return s, p.err()
	}
	for i, r := range s.Incidents {
		e.adopt(r, p.at("incidents[%d]", i))
	}
	return s, p.err()
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
	if e.books[r.Book] == nil {
		p.at("book").add(r.Book, "one of the books of the snapshot")
		return
	}
	if e.books[r.armedBy()] == nil {
		p.at("armed").add(r.Armed, "one of the books of the snapshot")
		return
	}
	for i, f := range r.Facts {
		if !f.Kind.isFact() || f.At.IsZero() || i > 0 && r.Facts[i-1].compare(f) >= 0 {
			p.at("facts[%d]", i).add(f.Kind.String(), "an acknowledgement, its end, a snooze's end, a resolution, reopening or merger, after the fact before")
			return
		}
	}
	r.standing = standingOf(r.Facts)
	// The incident may follow another policy by now; fire puts the timers in line.
	levels, lower := len(e.books[r.armedBy()].policies[r.Severity].rungs), 0
	for i, t := range r.Timers {
		level := t.Kind == LevelDue
		if level && (t.Level <= lower || t.Level > levels && !e.live) || !level && t.Level != 0 || t.Incident != r.ID || t.Key == "" || !r.isOpen() {
			p.at("timers[%d].level", i).add(strconv.Itoa(t.Level), "a level of the policy above that of the timer before, for an open incident")
			return
		}
		lower = max(lower, t.Level)
	}
	if leader := r.Bundled; leader == r.ID {
		p.at("bundled").add(leader, "another incident")
		return
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
	Service  string            `json:"service,omitempty"`

	// Holder is who takes it: the person of the first page, then who acknowledged it
	// last. While the incident is open it counts in their load.
	Holder string `json:"holder,omitempty"`

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
	SnoozedUntil   time.Time `json:"snoozed_until,omitzero"`
	RespondBy      time.Time `json:"respond_by,omitzero"`

	// Bundled is the incident that this one is bundled under, and Bundle are
	// those that are, or were, bundled under this one.
	Bundled string   `json:"bundled,omitempty"`
	Bundle  []string `json:"bundle,omitempty"`

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
	Level   int        `json:"level"`
	Targets []Target   `json:"targets"`
	Due     time.Time  `json:"due"`
	State   LevelState `json:"state"`
}

// LevelState is how a level stands.
type LevelState string

// The states of a level.
const (
	LevelPending   LevelState = "pending"   // its timer runs
	LevelFired     LevelState = "fired"     // it has paged
	LevelCollapsed LevelState = "collapsed" // it was overdue together with a higher one, which has paged
	LevelEmpty     LevelState = "empty"     // it reached nobody, and the next was taken at once
	LevelStopped   LevelState = "stopped"   // acknowledged, over, or held back with the first page
)

// Incident returns the state of an incident.
func (e *Engine) Incident(id string) (View, bool) {
	r := e.records[id]
	if r == nil {
		return View{}, false
	}
	v := View{
		ID: r.ID, Severity: r.Severity, Domain: r.Domain, Service: r.Service, Holder: r.Holder, Opened: r.Opened, Round: r.Round, Anchor: r.Anchor,
		Acknowledged: r.Acknowledged, AcknowledgedBy: r.AcknowledgedBy, Closed: r.Closed, MergedInto: r.MergedInto,
		SnoozedUntil: r.Snoozed, RespondBy: r.RespondBy, Bundled: r.Bundled, Bundle: slices.Clone(r.Bundle),
		Routing: r.Routing, Next: r.nextLevel(), Log: slices.Clone(r.Log),
	}
	v.Levels = e.levels(r)
	return v, true
}

func (e *Engine) levels(r *record) []LevelView {
	var out []LevelView
	rungs := e.policy(r).rungs
	for i, f := range r.firings(len(rungs)) {
		g := &rungs[i]
		v := LevelView{Level: i + 1, Targets: g.Targets, State: LevelStopped}
		switch {
		case f == nil:
			v.Due = e.due(r, i+1, g)
		case f.Collapsed:
			v.Due, v.State = f.Due, LevelCollapsed
		case f.Empty:
			v.Due, v.State = f.Due, LevelEmpty
		default:
			v.Due, v.State = f.Due, LevelFired
		}
		out = append(out, v)
	}
	for _, t := range r.Timers {
		if t.Kind == LevelDue && t.Level <= len(out) {
			out[t.Level-1].State = LevelPending
		}
	}
	return out
}

// nextLevel is when the next level is due; zero for none.
func (r *record) nextLevel() time.Time {
	var next time.Time
	for _, t := range r.Timers {
		if t.Kind == LevelDue && (next.IsZero() || t.Due.Before(next)) {
			next = t.Due
		}
	}
	return next
}

// Incidents returns the ids of all incidents that are known, sorted.
func (e *Engine) Incidents() []string { return e.ids() }
