package silence

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/sealed"
)

// snapshotVersion is raised when the form changes.
const snapshotVersion = 2

// ErrSnapshot is wrapped by the errors of [Restore]: the snapshot was changed or cut after it
// was written, or another version wrote it. What it says is not to be used.
var ErrSnapshot = errors.New("silence: snapshot")

// snapshot is the state of a Silencer.
type snapshot struct {
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

// Snapshot returns the whole state as JSON, with a checksum; equal states give equal bytes.
func (s *Silencer) Snapshot() ([]byte, error) {
	state := snapshot{Now: s.now, Silences: []silenceSnapshot{}, Held: []heldSnapshot{}, Audit: s.audit}
	for _, name := range slices.Sorted(maps.Keys(s.tenants)) {
		tn := s.tenants[name]
		for _, id := range slices.Sorted(maps.Keys(tn.silences)) {
			state.Silences = append(state.Silences, silenceSnapshot{tn.silences[id].Silence, tn.silences[id].over})
		}
		for _, key := range slices.Sorted(maps.Keys(tn.held)) {
			state.Held = append(state.Held, heldSnapshot{tn.held[key].transition, tn.held[key].hidden})
		}
	}
	return sealed.Seal(snapshotVersion, state)
}

// Restore makes a silencer from a snapshot; it goes on exactly where the other stopped. Its
// errors wrap [ErrSnapshot].
func Restore(o Options, data []byte) (*Silencer, error) {
	s := New(o)
	if err := s.read(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return s, nil
}

// read puts a snapshot into a new silencer.
func (s *Silencer) read(data []byte) error {
	data, err := sealed.Open(data, snapshotVersion)
	if err != nil {
		return err
	}
	var state snapshot
	if err := json.Unmarshal(data, &state); err != nil {
		return err
	}
	s.now, s.audit = state.Now, state.Audit
	for n, x := range state.Silences {
		of, err := compile(x.Silence, x.Silence.Start)
		if err != nil && !x.Over { // one that is over may have ended at its start
			return fmt.Errorf("silences[%d]: %w", n, err)
		}
		tn := s.tenant(of.Tenant)
		if tn.silences[of.ID] != nil {
			return fmt.Errorf("silences[%d]: %w", n, ErrExists)
		}
		of.over = x.Over
		tn.silences[of.ID] = of
		s.watch(of)
	}
	for _, x := range state.Held {
		tn := s.tenant(x.Transition.Alert.Tenant)
		tn.held[x.Transition.Alert.Key()] = &held{transition: x.Transition, labels: x.Transition.Alert.LabelSet(), hidden: x.Hidden}
	}
	return nil
}
