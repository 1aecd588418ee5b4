package resilience

import (
	"container/list"
	"sync"
	"time"
)

// recent keeps the values that were used last: at most max, and none that nobody
// has asked for in idle.
type recent[K comparable, V any] struct {
	max  int
	idle time.Duration

	mu    sync.Mutex // guards all below
	items map[K]*list.Element
	order list.List // of *entry[K, V], the latest in front
}

type entry[K comparable, V any] struct {
	key   K
	value V
	used  time.Time
}

func newRecent[K comparable, V any](size int, idle time.Duration) *recent[K, V] {
	return &recent[K, V]{max: size, idle: idle, items: map[K]*list.Element{}}
}

// get returns the value of a key, made by create if there is none.
func (r *recent[K, V]) get(key K, now time.Time, create func() V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := r.order.Front(); at != nil {
		if e := at.Value.(*entry[K, V]); e.key == key { // most often it is that of the last time
			e.used = now
			return e.value
		}
	}
	if at, ok := r.items[key]; ok {
		e := at.Value.(*entry[K, V])
		e.used = now
		r.order.MoveToFront(at)
		return e.value
	}
	for last := r.order.Back(); last != nil; last = r.order.Back() {
		e := last.Value.(*entry[K, V])
		if r.order.Len() < r.max && now.Sub(e.used) <= r.idle {
			break
		}
		r.order.Remove(last)
		delete(r.items, e.key)
	}
	e := &entry[K, V]{key: key, value: create(), used: now}
	r.items[key] = r.order.PushFront(e)
	return e.value
}

// all returns what is kept.
func (r *recent[K, V]) all() map[K]V {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[K]V, len(r.items))
	for key, at := range r.items {
		all[key] = at.Value.(*entry[K, V]).value
	}
	return all
}
