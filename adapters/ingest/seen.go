package ingest

import (
	"context"
	"sync"
)

// Seen remembers keys of deliveries. A store that survives a crash lets nothing
// through twice after one; what forgets lets it through again, which receivers of
// Accept have to bear in any case. Methods are safe for concurrent use.
type Seen interface {
	Has(ctx context.Context, key string) (bool, error)
	Add(ctx context.Context, keys []string) error
}

// Window is a [Seen] that remembers the latest keys in memory, and none after a restart.
// It is safe for concurrent use.
type Window struct {
	mu         sync.Mutex
	size       int
	young, old map[string]struct{} // each at most size/2
}

// NewWindow returns a window that remembers at least the latest size/2 keys and at
// most size; 0 means 100,000.
func NewWindow(size int) *Window {
	if size <= 0 {
		size = 100_000
	}
	return &Window{size: max(size, 2), young: map[string]struct{}{}}
}

// Has reports whether a key is remembered.
func (w *Window) Has(_ context.Context, key string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, young := w.young[key]
	_, old := w.old[key]
	return young || old, nil
}

// Add remembers keys.
func (w *Window) Add(_ context.Context, keys []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		if len(w.young) >= w.size/2 {
			w.old, w.young = w.young, map[string]struct{}{}
		}
		w.young[key] = struct{}{}
	}
	return nil
}
