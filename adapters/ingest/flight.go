package ingest

import "sync"

// flights are the keys of deliveries that are on their way to Accept.
type flights struct {
	mu    sync.Mutex
	byKey map[string]*flight
}

// flight is one delivery on its way; done is closed when it is over.
type flight struct{ done chan struct{} }

// claim puts the keys in flight that nobody has there, and returns them, and the
// flight of another for one of the rest; nil if there is no rest.
func (f *flights) claim(keys []string) (own []string, other *flight) {
	if len(keys) == 0 {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byKey == nil {
		f.byKey = map[string]*flight{}
	}
	mine := &flight{done: make(chan struct{})}
	own = make([]string, 0, len(keys))
	for _, key := range keys {
		switch there := f.byKey[key]; there {
		case nil:
			f.byKey[key] = mine
			own = append(own, key)
		case mine: // named twice
		default:
			other = there
		}
	}
	return own, other
}

// release ends the flight that claimed the keys.
func (f *flights) release(own []string) {
	if len(own) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.byKey[own[0]].done)
	for _, key := range own {
		delete(f.byKey, key)
	}
}
