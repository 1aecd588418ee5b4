package silence

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// snapshotVersion is raised when the form changes.
const snapshotVersion = 1

// snapshot is the state of a Silencer.
type snapshot struct {
	Version  int               `json:"version"`
	Now      time.Time         `json:"now,omitzero"`
	Silences []silenceSnapshot `json:"silences"`
	Held     []heldSnapshot    `json:"held"`
	Audit    []Entry           `json:"audit,omitempty"`
}

// silenceSnapshot is the state of one silence.
type silenceSnapshot struct {
	Silence Silence `json:"silence"`
	Over    bool    `json:"over,omitempty"`
}

// heldSnapshot is one notification that is held back.
type heldSnapshot struct {
	Transition correlation.Transition `json:"transition"`
	Hidden     bool                   `json:"hidden,omitempty"`
}

// Snapshot returns the whole state as JSON; equal states give equal bytes.
func (s *Silencer) Snapshot() ([]byte, error) {
	state := snapshot{Version: snapshotVersion, Now: s.now, Silences: []silenceSnapshot{}, Held: []heldSnapshot{}, Audit: s.audit}
	for _, name := range slices.Sorted(maps.Keys(s.tenants)) {
		tn := s.tenants[name]
		for _, id := range slices.Sorted(maps.Keys(tn.silences)) {
			state.Silences = append(state.Silences, silenceSnapshot{tn.silences[id].Silence, tn.silences[id].over})
		}
		for _, key := range slices.Sorted(maps.Keys(tn.held)) {
			state.Held = append(state.Held, heldSnapshot{tn.held[key].transition, tn.held[key].hidden})
		}
	}
	return json.Marshal(state)
}

// Restore makes a silencer from a snapshot; it goes on exactly where the other stopped.
func Restore(o Options, data []byte) (*Silencer, error) {
	var state snapshot
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, fmt.Errorf("silence: snapshot: %w", err)
	}
	if state.Version != snapshotVersion {
		return nil, fmt.Errorf("silence: snapshot has version %d, want %d", state.Version, snapshotVersion)
	}
	s := New(o)
	s.now, s.audit = state.Now, state.Audit
	for n, x := range state.Silences {
		of, err := compile(x.Silence, x.Silence.Start)
		if err != nil && !x.Over { // one that is over may have ended at its start
			return nil, fmt.Errorf("silence: snapshot: silences[%d]: %w", n, err)
		}
		tn := s.tenant(of.Tenant)
		if tn.silences[of.ID] != nil {
			return nil, fmt.Errorf("silence: snapshot: silences[%d]: %w", n, ErrExists)
		}
		of.over = x.Over
		tn.silences[of.ID] = of
		s.watch(of)
	}
	for _, x := range state.Held {
		tn := s.tenant(x.Transition.Alert.Tenant)
		tn.held[x.Transition.Alert.Key()] = &held{transition: x.Transition, labels: x.Transition.Alert.LabelSet(), hidden: x.Hidden}
	}
	return s, nil
}
