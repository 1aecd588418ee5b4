package anomaly

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Registry holds one detector per tenant and service. Readers never wait and take no lock:
// a change replaces the whole table. The zero value is empty and ready, and safe for
// concurrent use; it must not be copied.
type Registry struct {
	// Budget bounds the bytes of all detectors by [Detector.Size]; set it before the first
	// use. Defaults to no bound.
	//
	// Beyond it the detectors that were not asked for the longest go, in whole rounds: a round
	// ends with every Put, and who was asked for in a round counts alike, then who was put
	// first goes first. The detector just put stays even if it alone is beyond the budget,
	// since a service without a detector would be judged by nobody.
	Budget int

	writing sync.Mutex // held while the table is replaced
	table   atomic.Pointer[map[RegistryKey]*registryEntry]
	round   atomic.Int64 // grows with every Put
}

// RegistryKey names a detector of a [Registry].
type RegistryKey struct {
	Tenant  string `json:"tenant"`
	Service string `json:"service"`
}

type registryEntry struct {
	detector *Detector
	size     int
	put      int64        // round
	used     atomic.Int64 // last round in which it was asked for
}

// Put installs a detector for its service, replacing an earlier one, and returns the keys of
// those that had to go for it, the longest unused first. Evaluations under way finish with
// the detector they started with. The cost grows with the number of detectors.
func (r *Registry) Put(tenant string, d *Detector) (evicted []RegistryKey) {
	key := RegistryKey{tenant, d.service}
	r.change(func(t map[RegistryKey]*registryEntry) {
		round := r.round.Add(1)
		e := &registryEntry{detector: d, size: d.Size(), put: round}
		e.used.Store(round)
		t[key] = e
		evicted = r.evict(t, key)
	})
	return evicted
}

// evict takes detectors out of a table until it is within the budget.
func (r *Registry) evict(t map[RegistryKey]*registryEntry, keep RegistryKey) (evicted []RegistryKey) {
	total := 0
	for _, e := range t {
		total += e.size
	}
	if r.Budget <= 0 || total <= r.Budget {
		return nil
	}
	type candidate struct {
		RegistryKey
		used, put int64
		size      int
	}
	var all []candidate
	for key, e := range t {
		if key != keep {
			all = append(all, candidate{key, e.used.Load(), e.put, e.size})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.put, b.put))
	})
	for _, c := range all {
		if total <= r.Budget {
			break
		}
		total -= c.size
		delete(t, c.RegistryKey)
		evicted = append(evicted, c.RegistryKey)
	}
	return evicted
}

// Remove forgets the detector of a service.
func (r *Registry) Remove(tenant, service string) {
	r.change(func(t map[RegistryKey]*registryEntry) { delete(t, RegistryKey{tenant, service}) })
}

// Get returns the detector of a service. The error wraps [ErrUnknownService] and
// names both.
func (r *Registry) Get(tenant, service string) (*Detector, error) {
	if t := r.table.Load(); t != nil {
		if e, ok := (*t)[RegistryKey{tenant, service}]; ok {
			// Written at most once a round, so that readers do not wait for each other's cache.
			if round := r.round.Load(); e.used.Load() != round {
				e.used.Store(round)
			}
			return e.detector, nil
		}
	}
	return nil, fmt.Errorf("%w: %q of tenant %q", ErrUnknownService, service, tenant)
}

// Evaluate is [Detector.Evaluate] on the detector of a service.
func (r *Registry) Evaluate(tenant, service string, at time.Time, reading map[string]float64) (Verdict, error) {
	d, err := r.Get(tenant, service)
	if err != nil {
		return Verdict{}, err
	}
	return d.Evaluate(at, reading)
}

// Keys lists what the registry holds, by tenant and service.
func (r *Registry) Keys() []RegistryKey {
	t := r.table.Load()
	if t == nil {
		return nil
	}
	return slices.SortedFunc(maps.Keys(*t), func(a, b RegistryKey) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Service, b.Service))
	})
}

// Size returns the bytes of all detectors by [Detector.Size].
func (r *Registry) Size() int {
	total := 0
	if t := r.table.Load(); t != nil {
		for _, e := range *t {
			total += e.size
		}
	}
	return total
}

// change edits a copy of the table and puts it in place; one writer at a time.
func (r *Registry) change(edit func(map[RegistryKey]*registryEntry)) {
	r.writing.Lock()
	defer r.writing.Unlock()
	t := map[RegistryKey]*registryEntry{}
	if old := r.table.Load(); old != nil {
		t = maps.Clone(*old)
	}
	edit(t)
	r.table.Store(&t)
}
