package silence

import "time"

// Action is what became of a silence. The zero value means "not set".
type Action string

// The actions.
const (
	Added     Action = "added"
	Ended     Action = "ended"     // by itself, at its End
	Cut       Action = "cut"       // somebody expired it before its End
	Deleted   Action = "deleted"   // somebody removed it
	Forgotten Action = "forgotten" // its retention is over
)

// Entry is one line of the audit of silences.
type Entry struct {
	At      time.Time `json:"at"`
	Action  Action    `json:"action"`
	By      string    `json:"by,omitempty"` // empty for Ended and Forgotten
	Silence Silence   `json:"silence"`      // as it stands after the action, or stood before it was removed
}

// Audit returns what has become of silences since the last call, in order, and forgets
// it: the caller keeps it. What was not taken is part of snapshots.
func (s *Silencer) Audit() []Entry {
	list := s.audit
	s.audit = nil
	return list
}

// note adds a line to the audit.
func (s *Silencer) note(a Action, by string, of *silence) {
	s.audit = append(s.audit, Entry{At: s.now, Action: a, By: by, Silence: of.Silence})
}
