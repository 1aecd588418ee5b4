package storetest_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Test(t, func(*testing.T) storetest.Opener {
		m := &memory{rows: map[name]row{}, messages: map[name]string{}, snapshots: map[name][]byte{}}
		return func(*testing.T) storetest.Store { return m }
	})
}

// memory is the least store that passes.
type memory struct {
	mu        sync.Mutex // guards all below
	rows      map[name]row
	messages  map[name]string
	snapshots map[name][]byte
}

type name struct{ tenant, name string }

type row struct {
	version  int64
	state    incident.State
	snapshot []byte
}

// Load restores the snapshot of an incident.
func (m *memory) Load(_ context.Context, tenant, id string) (*incident.Incident, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	options := incident.Options{Salts: rand.Reader}
	r, known := m.rows[name{tenant, id}]
	if !known {
		i, err := incident.New(tenant, id, options)
		return i, 0, err
	}
	var s incident.Snapshot
	if err := json.Unmarshal(r.snapshot, &s); err != nil {
		return nil, 0, err
	}
	i, err := incident.Restore(s, options)
	return i, r.version, err
}

// Save checks a step and keeps it.
func (m *memory) Save(ctx context.Context, s storetest.Step) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tenant, id := s.Incident.Timeline().Of()
	before := m.rows[name{tenant, id}]
	snapshot, err := json.Marshal(s.Incident.Snapshot())
	if err = errors.Join(ctx.Err(), err); err != nil {
		return err
	}
	if before.version != s.Version || !grown(before.snapshot, s.Incident) {
		return incident.ErrConflict
	}
	for _, message := range s.Messages {
		if !json.Valid([]byte(message.Payload)) {
			return errors.New("a payload is not JSON")
		}
	}
	m.rows[name{tenant, id}] = row{version: s.Version + 1, state: s.Incident.State(), snapshot: snapshot}
	for _, message := range s.Messages {
		key := name{tenant, message.Key}
		m.messages[key] = cmp.Or(m.messages[key], message.Payload)
	}
	for n, data := range s.Snapshots {
		m.snapshots[name{tenant, n}] = bytes.Clone(data)
	}
	return nil
}

// grown reports whether an incident continues what is stored.
func grown(stored []byte, i *incident.Incident) bool {
	if stored == nil {
		return true
	}
	var s incident.Snapshot
	if err := json.Unmarshal(stored, &s); err != nil {
		return false
	}
	entries, n := i.Timeline().Entries(), len(s.Entries)
	return n <= len(entries) && (n == 0 || entries[n-1].Hash == s.Entries[n-1].Hash)
}

// State returns the state of a row.
func (m *memory) State(_ context.Context, tenant, id string) (incident.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, known := m.rows[name{tenant, id}]
	if !known {
		return incident.State{}, errors.New("not found")
	}
	return r.state, nil
}

// Messages lists those of a tenant by key.
func (m *memory) Messages(_ context.Context, tenant string) (all []storetest.Message, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, payload := range m.messages {
		if n.tenant == tenant {
			all = append(all, storetest.Message{Key: n.name, Payload: payload})
		}
	}
	slices.SortFunc(all, func(a, b storetest.Message) int { return cmp.Compare(a.Key, b.Key) })
	return all, nil
}

// Snapshot returns the latest of a name.
func (m *memory) Snapshot(_ context.Context, tenant, n string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.snapshots[name{tenant, n}]
	return data, ok, nil
}
