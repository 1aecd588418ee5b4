package stream

import (
	"cmp"
	"container/heap"
	"container/list"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"
)

// ErrUnknownSeries reports a series that a [Registry] does not hold.
var ErrUnknownSeries = errors.New("stream: no such series")

// RegistryOptions are the choices of [NewRegistry]. The zero value is the default.
type RegistryOptions struct {
	// Series are the choices of every series. Defaults to theirs.
	Series SeriesOptions
	// MaxSeries is how many series are held. Defaults to 100 000.
	MaxSeries int
	// MaxPerTenant is how many a tenant may have. Defaults to MaxSeries.
	MaxPerTenant int
}

// Registry holds the series of many tenants, within a bound. A new series beyond the bound
// of its tenant takes the place of the one of that tenant which was updated the longest ago;
// beyond that of all, of the tenant that has the most. So memory is at most MaxSeries times
// 8.5 KB and the names. It is safe for concurrent use: different series are updated at the
// same time, one series one sample after another.
type Registry struct {
	o RegistryOptions

	mu      sync.Mutex // guards all below
	tenants map[string]*tenant
	// largest has the tenant with the most series first, so that a new tenant costs no look at
	// all others while the registry is full.
	largest largest
	count   int
	evicted uint64
}

// tenant is the series of one.
type tenant struct {
	id      string
	place   int // in largest
	entries map[string]*list.Element
	// recent holds entries, the latest updated first.
	recent *list.List
}

// largest is a heap of tenants for package heap: the most series first, of several the first
// by name.
type largest []*tenant

// Len is the number of tenants.
func (l largest) Len() int { return len(l) }

// Less orders tenants by series and name.
func (l largest) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(len(l[j].entries), len(l[i].entries)), cmp.Compare(l[i].id, l[j].id)) < 0
}

// Swap exchanges two tenants, which keep their places.
func (l largest) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].place, l[j].place = i, j
}

// Push appends a tenant.
func (l *largest) Push(x any) {
	t := x.(*tenant)
	t.place = len(*l)
	*l = append(*l, t)
}

// Pop takes the last tenant off.
func (l *largest) Pop() any {
	last := len(*l) - 1
	t := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	return t
}

// entry is a series in a registry.
type entry struct {
	name   string
	mu     sync.Mutex // guards series
	series *Series
}

// NewRegistry returns an empty registry. o may be nil. The error is an [*OptionError].
func NewRegistry(o *RegistryOptions) (*Registry, error) {
	if o == nil {
		o = &RegistryOptions{}
	}
	r := &Registry{o: *o, tenants: map[string]*tenant{}}
	if o.MaxSeries == 0 {
		r.o.MaxSeries = 100_000
	}
	if o.MaxPerTenant == 0 {
		r.o.MaxPerTenant = r.o.MaxSeries
	}
	switch {
	case r.o.MaxSeries < 1:
		return nil, &OptionError{Option: "MaxSeries", Value: o.MaxSeries, Want: "at least 1"}
	case r.o.MaxPerTenant < 1:
		return nil, &OptionError{Option: "MaxPerTenant", Value: o.MaxPerTenant, Want: "at least 1"}
	}
	if _, err := NewSeries(&r.o.Series); err != nil {
		return nil, err
	}
	return r, nil
}

// Update gives a sample to a series, which begins if it is new.
func (r *Registry) Update(tenant, name string, at time.Time, x float64) Report {
	e := r.entry(tenant, name)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.series.Update(at, x)
}

// Check judges that a series has no sample up to an instant. The error is
// [ErrUnknownSeries].
func (r *Registry) Check(tenant, name string, at time.Time) (Report, error) {
	e := r.find(tenant, name)
	if e == nil {
		return Report{}, ErrUnknownSeries
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.series.Check(at), nil
}

// Snapshot returns the state of a series, for [Registry.Restore]. The error is
// [ErrUnknownSeries].
func (r *Registry) Snapshot(tenant, name string) ([]byte, error) {
	e := r.find(tenant, name)
	if e == nil {
		return nil, ErrUnknownSeries
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.series.MarshalBinary()
}

// Restore gives a series a state, that of a series with the same options. The error is a
// [*FormatError] and changes nothing.
func (r *Registry) Restore(tenant, name string, state []byte) error {
	s := r.newSeries()
	if err := s.UnmarshalBinary(state); err != nil {
		return err
	}
	e := r.entry(tenant, name)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.series = s
	return nil
}

// Remove forgets a series.
func (r *Registry) Remove(tenant, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tenants[tenant]; t != nil && t.entries[name] != nil {
		r.drop(t, t.entries[name])
	}
}

// Len is the number of series.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Evicted is the number of series that made place for others so far.
func (r *Registry) Evicted() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.evicted
}

// All yields tenant and name of every series that is there when it begins, sorted.
func (r *Registry) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		type key struct{ tenant, name string }
		r.mu.Lock()
		keys := make([]key, 0, r.count)
		for id, t := range r.tenants {
			for name := range t.entries {
				keys = append(keys, key{id, name})
			}
		}
		r.mu.Unlock()
		slices.SortFunc(keys, func(a, b key) int {
			return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.name, b.name))
		})
		for _, k := range keys {
			if !yield(k.tenant, k.name) {
				return
			}
		}
	}
}

// find returns an entry, nil if there is none.
func (r *Registry) find(id, name string) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tenants[id]; t != nil {
		if element := t.entries[name]; element != nil {
			return element.Value.(*entry)
		}
	}
	return nil
}

// entry returns an entry as the latest of its tenant, a new one if there is none.
func (r *Registry) entry(id, name string) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tenants[id]
	if t != nil && t.entries[name] != nil {
		element := t.entries[name]
		t.recent.MoveToFront(element)
		return element.Value.(*entry)
	}
	switch {
	case t != nil && len(t.entries) >= r.o.MaxPerTenant:
		r.evict(t)
	case r.count >= r.o.MaxSeries:
		r.evict(r.largest[0])
	}
	if t = r.tenants[id]; t == nil { // new, or dropped with its last series
		t = &tenant{id: id, entries: map[string]*list.Element{}, recent: list.New()}
		r.tenants[id] = t
		heap.Push(&r.largest, t)
	}
	e := &entry{name: name, series: r.newSeries()}
	t.entries[name] = t.recent.PushFront(e)
	heap.Fix(&r.largest, t.place)
	r.count++
	return e
}

// newSeries makes a series with options that were good before.
func (r *Registry) newSeries() *Series {
	s, err := NewSeries(&r.o.Series)
	if err != nil {
		panic("stream: " + err.Error()) // NewRegistry has tried
	}
	return s
}

// evict drops the series of a tenant that was updated the longest ago.
func (r *Registry) evict(t *tenant) {
	r.drop(t, t.recent.Back())
	r.evicted++
}

// drop removes an entry, and with the last one its tenant.
func (r *Registry) drop(t *tenant, element *list.Element) {
	delete(t.entries, element.Value.(*entry).name)
	t.recent.Remove(element)
	if r.count--; len(t.entries) > 0 {
		heap.Fix(&r.largest, t.place)
		return
	}
	heap.Remove(&r.largest, t.place)
	delete(r.tenants, t.id)
}
