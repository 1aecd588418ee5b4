package comms

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Snapshot is all that a thread remembers, as a value that can be stored as
// JSON and compared by it.
type Snapshot struct{ memory }

// Snapshot returns what the thread remembers.
func (t *Thread) Snapshot() Snapshot { return Snapshot{t.clone()} }

// Restore goes on from a snapshot. A recipient that the plan no longer has is
// told nothing more.
func (p *Plan) Restore(s Snapshot) (*Thread, error) {
	if s.Version != 1 || s.State.ID == "" {
		return nil, fmt.Errorf("restore thread of incident %q: version %d, want 1 and an incident", s.State.ID, s.Version)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Contacts)) {
		if c := s.Contacts[id]; c != nil && c.Since.IsZero() {
			return nil, fmt.Errorf("restore thread of incident %q: contacts.%s.since is missing, want when they joined", s.State.ID, id)
		}
	}
	if s.News > 0 && s.NewsAt.IsZero() {
		return nil, fmt.Errorf("restore thread of incident %q: news_at is missing, want when update %d was applied", s.State.ID, s.News)
	}
	return &Thread{plan: p, memory: s.clone()}, nil
}

// memory is what a thread remembers.
type memory struct {
	Version  int                 `json:"version"` // 1
	State    incident.State      `json:"state"`   // as last applied
	Round    int                 `json:"round"`   // 0 before the incident is declared
	Contacts map[string]*contact `json:"contacts"`

	Ended  time.Time `json:"ended,omitzero"`  // of the round
	Raised time.Time `json:"raised,omitzero"` // when the severity last went up

	Seen      map[string]bool `json:"seen"`               // updates that were counted
	News      int             `json:"news"`               // number of the latest update
	NewsAt    time.Time       `json:"news_at,omitzero"`   // when it was applied
	NewsText  string          `json:"news_text"`          //
	Announced int             `json:"announced"`          // updates that moved LastSent
	LastSent  time.Time       `json:"last_sent,omitzero"` // of the incident as a whole
	Reminded  time.Time       `json:"reminded,omitzero"`  // last reminder since LastSent
	Reminders int             `json:"reminders"`
	Alarmed   time.Time       `json:"alarmed,omitzero"` // last word about who cannot be reached, in this round
	Alarms    int             `json:"alarms,omitempty"` // their number
}

// contact is what the thread remembers of one recipient in this round.
type contact struct {
	Since    time.Time         `json:"since"`              // when they joined
	Why      Reason            `json:"why"`                //
	Told     time.Time         `json:"told,omitzero"`      // first message
	Seen     int               `json:"seen"`               // latest update they know
	Left     time.Time         `json:"left,omitzero"`      // when they were dropped
	LeftFrom incident.Severity `json:"left_from,omitzero"` // severity that they were told about
	Done     bool              `json:"done"`               // got a closing note or the resolution
	Over     bool              `json:"over"`               // got the resolution
	Firsts   int               `json:"firsts"`             // initial messages so far
	Leaves   int               `json:"leaves"`             // closing notes so far
	LastTry  time.Time         `json:"last_try,omitzero"`  // initial message, latest channel
	Tried    []Channel         `json:"tried,omitempty"`    //
	Answered bool              `json:"answered"`           // confirmed one
	Pending  []send            `json:"pending,omitempty"`  // the latest message, by channel
	Failures int               `json:"failures"`           // messages that failed on every channel
	Reported int               `json:"reported"`           // of those, how many the lead knows of
	NoWay    bool              `json:"no_way"`             // no address at all
}

// send is a message to a contact, and what became of it.
type send struct {
	Key       string `json:"key"`
	Failed    bool   `json:"failed,omitempty"`
	Delivered bool   `json:"delivered,omitempty"`
}

// clone returns a copy that shares nothing with m.
func (m memory) clone() memory {
	m.State = m.State.Clone()
	contacts := make(map[string]*contact, len(m.Contacts))
	for id, c := range m.Contacts {
		if c != nil {
			again := *c
			again.Tried, again.Pending = slices.Clone(c.Tried), slices.Clone(c.Pending)
			contacts[id] = &again
		}
	}
	m.Contacts = contacts
	if m.Seen = maps.Clone(m.Seen); m.Seen == nil {
		m.Seen = map[string]bool{}
	}
	return m
}
