package adapters

import (
	"context"
	"sync"
	"time"
)

// Ledger remembers what was created under which key, for vendors that have no
// keys of their own, and what was last written, so that an echo can be told from a
// change. An implementation has to survive a crash unless it is [MemoryLedger]; all
// methods are safe for concurrent use.
//
// The order of a create is: Intend, the call, Settle. Whoever finds an entry that
// is intended and not settled has to look at the vendor before creating, and says Try
// before another call where a search of the vendor may be late.
type Ledger interface {
	// Intend notes that something is about to be created under the key. If there is
	// an entry, that one is returned and first is false.
	Intend(ctx context.Context, tenant, key string, at time.Time) (e Entry, first bool, err error)
	// Try notes that what is intended and not settled is about to be tried once more. It does
	// nothing where there is no such entry.
	Try(ctx context.Context, tenant, key string, at time.Time) error
	// Settle notes what was created. Settling again replaces the reference.
	Settle(ctx context.Context, tenant, key string, ref Ref) error
	// Forget removes an entry that came to nothing, so that it can be intended again.
	Forget(ctx context.Context, tenant, key string) error
	// Look returns the entry of a key, false if there is none.
	Look(ctx context.Context, tenant, key string) (Entry, bool, error)
}

// Entry is what a ledger knows of a key.
type Entry struct {
	Ref      Ref       `json:"ref,omitzero"` // zero until it is settled
	Intended time.Time `json:"intended"`
	// Tried is when it was tried last, the zero time if that was when it was intended. What
	// was created then, a search of the vendor may not show yet.
	Tried time.Time `json:"tried,omitzero"`
}

// Settled reports whether it is known what was created.
func (e Entry) Settled() bool { return !e.Ref.IsZero() }

// MemoryLedger is a [Ledger] that ends with its process. The zero value is ready for use.
type MemoryLedger struct {
	mu      sync.Mutex
	entries map[[2]string]Entry // by tenant and key
}

var _ Ledger = (*MemoryLedger)(nil)

// Intend notes that something is about to be created under the key.
func (m *MemoryLedger) Intend(_ context.Context, tenant, key string, at time.Time) (Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	place := [2]string{tenant, key}
	if e, ok := m.entries[place]; ok {
		return e, false, nil
	}
	if m.entries == nil {
		m.entries = map[[2]string]Entry{}
	}
	m.entries[place] = Entry{Intended: at}
	return m.entries[place], true, nil
}

// Try notes that what is intended is about to be tried once more.
func (m *MemoryLedger) Try(_ context.Context, tenant, key string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	place := [2]string{tenant, key}
	if e, ok := m.entries[place]; ok && !e.Settled() {
		e.Tried = at
		m.entries[place] = e
	}
	return nil
}

// Settle notes what was created.
func (m *MemoryLedger) Settle(_ context.Context, tenant, key string, ref Ref) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	place := [2]string{tenant, key}
	e := m.entries[place]
	e.Ref = ref
	if m.entries == nil {
		m.entries = map[[2]string]Entry{}
	}
	m.entries[place] = e
	return nil
}

// Forget removes an entry.
func (m *MemoryLedger) Forget(_ context.Context, tenant, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, [2]string{tenant, key})
	return nil
}

// Look returns the entry of a key.
func (m *MemoryLedger) Look(_ context.Context, tenant, key string) (Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[[2]string{tenant, key}]
	return e, ok, nil
}
