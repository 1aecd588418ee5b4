package alertmanager

import (
	"context"
	"strings"
	"sync"
	"time"
)

// lastWords remembers what was told last of each alert in its group. It is safe for
// concurrent use.
type lastWords struct {
	size int

	mu         sync.Mutex      // guards what follows
	young, old map[string]word // by what a key is about; each at most size/2
}

// word is what a key says.
type word struct {
	says string    // status and startsAt; "" for nothing
	at   time.Time // when it was taken
}

// newLastWords remembers the last word of at least the latest size/2 alerts.
func newLastWords(size int) *lastWords {
	return &lastWords{size: size, young: map[string]word{}}
}

// cutKey returns what a key says, and of what.
func cutKey(key string) (says, about string) {
	status := strings.IndexByte(key, '/') + 1
	end := status + strings.IndexByte(key[status:], '/')
	return key[:end], key[end:]
}

// last returns the last word of what a key is about.
func (l *lastWords) last(about string) word {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.young[about]; ok {
		return w
	}
	return l.old[about]
}

// opposed reports whether the last word is that the alert is over and the key says that
// it fires, or the other way round, and when it was taken.
func (l *lastWords) opposed(key string) (bool, time.Time) {
	says, about := cutKey(key)
	last := l.last(about)
	return last.says != "" && strings.HasPrefix(last.says, statusFiring) != strings.HasPrefix(says, statusFiring), last.at
}

// tell remembers keys.
func (l *lastWords) tell(keys []string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		says, about := cutKey(key)
		if len(l.young) >= l.size/2 {
			l.old, l.young = l.young, map[string]word{}
		}
		l.young[about] = word{says, at}
	}
}

// repeats are the words as an ingest.Seen, to which the receiver adds by itself.
type repeats struct {
	words *lastWords
	none  bool // is known
}

// Has reports whether the key is the last word.
func (r repeats) Has(_ context.Context, key string) (bool, error) {
	says, about := cutKey(key)
	return !r.none && r.words.last(about).says == says, nil
}

// Add does nothing.
func (repeats) Add(context.Context, []string) error { return nil }
