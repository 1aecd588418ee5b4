package sync

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	stdsync "sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// ErrConflict is returned by [Store.Save] when somebody else has saved the record
// meanwhile.
var ErrConflict = errors.New("sync: record was saved by another")

// ID names a record.
type ID struct{ Tenant, Incident string }

// Store keeps records and cursors. An implementation has to survive a crash
// unless it is [Memory]; all methods are safe for concurrent use.
type Store interface {
	// Load returns a copy of a record; false if there is none.
	Load(ctx context.Context, id ID) (Record, bool, error)
	// Save replaces the record of r.Tenant and r.ID, and raises its revision. The
	// error is [ErrConflict] unless r.Revision is that of the stored record, 0 for
	// none. The record stays due at the touch if it was touched since it was loaded.
	Save(ctx context.Context, r Record) error
	// Touch makes a record due at an instant, or at its own if that is earlier, and
	// counts it. It does not change the revision; a record that is not there is
	// left alone.
	Touch(ctx context.Context, id ID, at time.Time) error
	// Lookup returns the record that has the ticket at a side; false if none has.
	Lookup(ctx context.Context, side string, ref adapters.Ref) (ID, bool, error)
	// Due returns at most limit records that are due and not leased, the longest due
	// first.
	Due(ctx context.Context, at time.Time, limit int) ([]ID, error)
	// Cursor returns how far the changes of a side have been read, "" at first.
	Cursor(ctx context.Context, side string) (string, error)
	// SaveCursor notes how far.
	SaveCursor(ctx context.Context, side, cursor string) error
}

// Memory is a Store that ends with its process. The zero value is ready for use.
type Memory struct {
	mu      stdsync.Mutex
	records map[ID]Record
	refs    map[memoryRef]ID
	cursors map[string]string
}

type memoryRef struct{ side, provider, tenant, id string }

var _ Store = (*Memory)(nil)

// Load returns a copy of a record.
func (m *Memory) Load(_ context.Context, id ID) (Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[id]
	return clone(r), ok, nil
}

// Save replaces a record.
func (m *Memory) Save(_ context.Context, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := ID{r.Tenant, r.ID}
	stored, ok := m.records[id]
	if stored.Revision != r.Revision {
		return ErrConflict
	}
	if m.records == nil {
		m.records, m.refs = map[ID]Record{}, map[memoryRef]ID{}
	}
	r = clone(r)
	if ok && stored.Touches != r.Touches {
		r.Touches = stored.Touches
		r.Due = earlier(r.Due, stored.Due)
	}
	r.Revision++
	m.records[id] = r
	for side, st := range r.Sides {
		for _, ref := range append([]adapters.Ref{st.Ref}, st.Past...) {
			if !ref.IsZero() {
				m.refs[memoryRef{side, ref.Provider, ref.Tenant, ref.ID}] = id
			}
		}
	}
	return nil
}

// Touch makes a record due.
func (m *Memory) Touch(_ context.Context, id ID, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.records[id]; ok {
		r.Due = earlier(r.Due, at)
		r.Touches++
		m.records[id] = r
	}
	return nil
}

// Lookup returns the record of a ticket.
func (m *Memory) Lookup(_ context.Context, side string, ref adapters.Ref) (ID, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.refs[memoryRef{side, ref.Provider, ref.Tenant, ref.ID}]
	return id, ok, nil
}

// Due returns the records that are due.
func (m *Memory) Due(_ context.Context, at time.Time, limit int) ([]ID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []ID
	for id, r := range m.records {
		if !r.Due.IsZero() && !r.Due.After(at) && !r.Leased.After(at) {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b ID) int {
		if c := m.records[a].Due.Compare(m.records[b].Due); c != 0 {
			return c
		}
		if c := strings.Compare(a.Tenant, b.Tenant); c != 0 {
			return c
		}
		return strings.Compare(a.Incident, b.Incident)
	})
	return due[:min(limit, len(due))], nil
}

// Cursor returns how far the changes of a side have been read.
func (m *Memory) Cursor(_ context.Context, side string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[side], nil
}

// SaveCursor notes how far.
func (m *Memory) SaveCursor(_ context.Context, side, cursor string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cursors == nil {
		m.cursors = map[string]string{}
	}
	m.cursors[side] = cursor
	return nil
}

func clone(r Record) Record {
	r.Values = maps.Clone(r.Values)
	r.Notes = slices.Clone(r.Notes)
	for i := range r.Notes {
		r.Notes[i].To, r.Notes[i].Copies = slices.Clone(r.Notes[i].To), maps.Clone(r.Notes[i].Copies)
	}
	r.Conflicts = slices.Clone(r.Conflicts)
	sides := make(map[string]*Standing, len(r.Sides))
	for name, st := range r.Sides {
		c := *st
		c.Past = slices.Clone(st.Past)
		c.Seen, c.Pending, c.Refused = maps.Clone(st.Seen), maps.Clone(st.Pending), maps.Clone(st.Refused)
		sides[name] = &c
	}
	r.Sides = sides
	return r
}

// earlier returns the earlier instant, where zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
