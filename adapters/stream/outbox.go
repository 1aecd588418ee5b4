package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// Outbox keeps notifications in one order, each key at most once, for the programs that
// tell people. Its methods are safe for concurrent use.
type Outbox interface {
	// Put stores notifications in order, except those whose keys are there; what was
	// put first under a key stays. It has the form of Config.Notify. When it returns
	// without an error all are durable. After an error some may be: put all again, and
	// those that were missing come after the others. A notification without a key is
	// an error.
	Put(ctx context.Context, all []Notification) error
	// Read returns what stands after a place, 0 for all, at most ReadLimit entries. It
	// waits until there is one or ctx is over, which is its error. An entry that was
	// not returned never appears before one that was. If the outbox ends before the
	// place, the error is ErrOffset.
	Read(ctx context.Context, after int64) ([]Entry, error)
}

// Entry is a notification in an outbox.
type Entry struct {
	// Place is where it stands: from 1, increasing, with gaps.
	Place int64
	Notification
	// Err says why what is stored there is no notification, which is then empty.
	Err error
}

// Encode returns the notification as JSON, the form in which outboxes keep it. One
// without a key is an error.
func (n Notification) Encode() ([]byte, error) {
	if n.Key == "" {
		return nil, fmt.Errorf("stream: notification of %q has no key, want that of its transition", n.Alert)
	}
	return json.Marshal(n)
}

// DecodeEntry makes an entry of an encoded notification.
func DecodeEntry(place int64, data []byte) Entry {
	e := Entry{Place: place}
	err := json.Unmarshal(data, &e.Notification)
	if err == nil && e.Key == "" {
		err = errors.New("the key is missing")
	}
	if err != nil {
		return Entry{Place: place, Err: fmt.Errorf("entry %d: %w", place, err)}
	}
	return e
}

// MemoryOutbox is an Outbox in memory, which remembers all keys. Make one with
// [NewMemoryOutbox]; it is safe for concurrent use.
type MemoryOutbox struct {
	mu      sync.Mutex // guards all below
	entries [][]byte   // that of place 1 first
	keys    map[string]bool
	more    chan struct{} // closed and replaced at the next entry
}

// NewMemoryOutbox returns an empty outbox.
func NewMemoryOutbox() *MemoryOutbox {
	return &MemoryOutbox{keys: map[string]bool{}, more: make(chan struct{})}
}

// Put implements [Outbox].
func (m *MemoryOutbox) Put(ctx context.Context, all []Notification) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded := make([][]byte, len(all))
	for i, n := range all {
		var err error
		if encoded[i], err = n.Encode(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, n := range all {
		if !m.keys[n.Key] {
			m.keys[n.Key] = true
			m.entries = append(m.entries, encoded[i])
		}
	}
	close(m.more)
	m.more = make(chan struct{})
	return nil
}

// Read implements [Outbox].
func (m *MemoryOutbox) Read(ctx context.Context, after int64) ([]Entry, error) {
	for {
		m.mu.Lock()
		found, more := m.entries, m.more
		m.mu.Unlock()
		if end := int64(len(found)); after > end {
			return nil, fmt.Errorf("%w: the outbox ends at %d, read after %d", ErrOffset, end, after)
		}
		if found = found[max(after, 0):]; len(found) > 0 {
			entries := make([]Entry, min(len(found), ReadLimit))
			for i := range entries {
				entries[i] = DecodeEntry(max(after, 0)+int64(i)+1, found[i])
			}
			return entries, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-more:
		}
	}
}
