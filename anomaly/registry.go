package anomaly

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Registry holds one detector per tenant and service. Readers never wait: a
// change replaces the whole table. The zero value is empty and ready, and safe
// for concurrent use; it must not be copied.
type Registry struct {
	writing sync.Mutex // held while the table is replaced
	table   atomic.Pointer[map[registryKey]*Detector]
}

type registryKey struct{ tenant, service string }

// Put installs a detector for its service, replacing an earlier one. Evaluations
// under way finish with the detector they started with.
func (r *Registry) Put(tenant string, d *Detector) {
	r.change(func(t map[registryKey]*Detector) { t[registryKey{tenant, d.service}] = d })
}

// Remove forgets the detector of a service.
func (r *Registry) Remove(tenant, service string) {
	r.change(func(t map[registryKey]*Detector) { delete(t, registryKey{tenant, service}) })
}

// Get returns the detector of a service. The error wraps [ErrUnknownService] and
// names both.
func (r *Registry) Get(tenant, service string) (*Detector, error) {
	if t := r.table.Load(); t != nil {
		if d, ok := (*t)[registryKey{tenant, service}]; ok {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%w: %q of tenant %q", ErrUnknownService, service, tenant)
}

// Evaluate is [Detector.Evaluate] on the detector of a service.
func (r *Registry) Evaluate(at time.Time, tenant, service string, reading map[string]float64) (Verdict, error) {
	d, err := r.Get(tenant, service)
	if err != nil {
		return Verdict{}, err
	}
	return d.Evaluate(at, reading)
}

func (r *Registry) change(edit func(map[registryKey]*Detector)) {
	r.writing.Lock()
	defer r.writing.Unlock()
	t := map[registryKey]*Detector{}
	if old := r.table.Load(); old != nil {
		t = maps.Clone(*old)
	}
	edit(t)
	r.table.Store(&t)
}
