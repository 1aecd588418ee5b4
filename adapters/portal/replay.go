package portal

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// replays remembers what was answered to the keys of writes, for a day and at most so
// many of each tenant, the oldest first to go.
type replays struct {
	mu    sync.Mutex // guards all below, and the replays
	byKey map[replayKey]*replay
	order map[string]*list.List // of *replay by tenant, oldest first
}

const (
	replayTime  = 24 * time.Hour
	replayLimit = 1000
)

type replayKey struct{ tenant, key string }

type replay struct {
	id     replayKey
	of     [sha256.Size]byte // path and body
	at     time.Time
	done   bool
	code   int
	answer any
	place  *list.Element
}

type replayState uint8

const (
	fresher   replayState = iota // nobody has used the key; go on, and then end or drop it
	replayed                     // here is what was answered
	running                      // somebody is at it
	different                    // the key was for something else
)

func newReplays() *replays {
	return &replays{byKey: map[replayKey]*replay{}, order: map[string]*list.List{}}
}

// begin looks for a key. Without one there is nothing to remember, and r is nil.
func (s *replays) begin(tenant, key, path string, body []byte, now time.Time) (r *replay, state replayState) {
	if key == "" {
		return nil, fresher
	}
	of := sha256.Sum256(append([]byte(path+"\x00"), body...))
	id := replayKey{tenant, key}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.byKey[id]; old != nil {
		switch {
		case old.done && now.Sub(old.at) >= replayTime:
			s.remove(old)
		case old.of != of:
			return nil, different
		case !old.done:
			return nil, running
		default:
			return &replay{code: old.code, answer: old.answer}, replayed
		}
	}
	l := s.order[tenant]
	if l == nil {
		l = list.New()
		s.order[tenant] = l
	}
	for l.Len() >= replayLimit {
		oldest, _ := l.Front().Value.(*replay)
		s.remove(oldest)
	}
	r = &replay{id: id, of: of, at: now}
	r.place = l.PushBack(r)
	s.byKey[id] = r
	return r, fresher
}

// end notes the answer to a key; nil is none.
func (s *replays) end(r *replay, code int, answer any) {
	if r == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.done, r.code, r.answer = true, code, answer
}

// drop forgets a key whose write was not carried out.
func (s *replays) drop(r *replay) {
	if r == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(r)
}

// remove forgets a replay, if it was not forgotten already. The mutex is held.
func (s *replays) remove(r *replay) {
	if s.byKey[r.id] == r {
		delete(s.byKey, r.id)
		s.order[r.id.tenant].Remove(r.place)
	}
}
