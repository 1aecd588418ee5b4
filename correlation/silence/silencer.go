package silence

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/internal/heap"
)

// Options of a Silencer. The zero value is ready to use.
type Options struct {
	// Retention is how long a silence that is over is still listed. Defaults to 120
	// hours, as in Alertmanager.
	Retention time.Duration `json:"retention_ns,omitempty"`
}

// Errors of calls. ErrTime: the instant is not set or before that of the last call.
// ErrExists and ErrUnknown: the tenant has, or has not, a silence of that ID.
// ErrOver: the silence has expired already.
var (
	ErrTime    = errors.New("silence: time goes back or is not set")
	ErrExists  = errors.New("silence: the ID exists")
	ErrUnknown = errors.New("silence: unknown ID")
	ErrOver    = errors.New("silence: expired already")
)

// Silencer holds back the notifications that silences mute. Make one with [New] or
// [Restore]. It is not safe for concurrent use.
//
// A transition costs the matchers of the tenant's silences, a silence that ends those
// of the alerts that are held back. Memory is that of the silences and of what is held
// back.
type Silencer struct {
	opts    Options
	now     time.Time
	tenants map[string]*tenant
	looks   []*tenant // that have something to look at
	timers  []timer   // heap
	audit   []Entry
	out     []correlation.Transition
}

// tenant is what one of them has.
type tenant struct {
	name     string
	silences map[string]*silence // by ID
	held     map[string]*held    // by Key of the alert
	look     []*held             // that may be told at the end of the instant
}

// held is a notification that was held back.
type held struct {
	transition correlation.Transition
	labels     map[string]string
	hidden     bool // rules hide the alert as well
}

// timer wakes for a silence, if it is the one that counts.
type timer struct {
	at time.Time
	of *silence
}

// Before orders by time, then by tenant and ID.
func (t timer) Before(u timer) bool {
	return cmp.Or(t.at.Compare(u.at), strings.Compare(t.of.Tenant, u.of.Tenant), strings.Compare(t.of.ID, u.of.ID)) < 0
}

// New returns a silencer without silences.
func New(o Options) *Silencer {
	if o.Retention <= 0 {
		o.Retention = 120 * time.Hour
	}
	return &Silencer{opts: o, tenants: map[string]*tenant{}}
}

// Apply moves to the instant at and takes transitions that came up to it, in their
// order. It returns them in that order without the notifications that are muted and
// the ends of what was never told, and with what is told because a silence ended.
//
// A silence that ends lets go after the transitions of that instant, so what is over at
// that instant is not told; hand those of one instant over in one call. The error is
// [ErrTime] if instants go back or lie after at; nothing has happened then.
func (s *Silencer) Apply(at time.Time, transitions ...correlation.Transition) ([]correlation.Transition, error) {
	if err := s.check(at); err != nil {
		return nil, err
	}
	last := s.now
	for n := range transitions {
		t := transitions[n].At
		if t.Before(last) || t.After(at) {
			return nil, fmt.Errorf("%w: transition %d at %s", ErrTime, n, t.Format(time.RFC3339Nano))
		}
		last = t
	}
	for n := range transitions {
		t := &transitions[n]
		if t.At.After(s.now) {
			s.settle(s.now)
			s.run(t.At, false)
		}
		s.take(t)
	}
	s.settle(s.now)
	s.advance(at)
	return s.told(), nil
}

// NextWake returns the next instant for which Apply should be called without transitions;
// false if there is none. It can be earlier than the next change.
func (s *Silencer) NextWake() (time.Time, bool) {
	for len(s.timers) > 0 {
		if t := s.timers[0]; t.at.Equal(t.of.due) {
			return t.at, true
		}
		heap.Pop(&s.timers)
	}
	return time.Time{}, false
}

// Add puts a silence in force at an instant, or from its Start on. What was told before
// stays told. The errors are [ErrTime], [ErrExists] and [*FieldError] values, joined;
// the transitions are what ends by that instant.
func (s *Silencer) Add(at time.Time, v Silence) ([]correlation.Transition, error) {
	if err := s.check(at); err != nil {
		return nil, err
	}
	s.advance(at)
	added, err := compile(v, s.now)
	tn := s.tenants[v.Tenant]
	if err == nil && tn != nil && tn.silences[v.ID] != nil {
		err = fmt.Errorf("%w: %q of tenant %q", ErrExists, v.ID, v.Tenant)
	}
	if err != nil {
		return s.told(), err
	}
	s.tenant(v.Tenant).silences[v.ID] = added
	s.watch(added)
	s.note(Added, v.CreatedBy, added)
	return s.told(), nil
}

// Expire ends a silence at an instant; what it alone held back is told. by is who wants
// it. The silence is listed until its retention is over. The errors are [ErrTime],
// [ErrUnknown] and [ErrOver].
func (s *Silencer) Expire(tenant, id, by string, at time.Time) ([]correlation.Transition, error) {
	return s.end(at, tenant, id, by, Cut)
}

// Delete is Expire for good: the silence is not listed any more, and one that has
// expired can be deleted.
func (s *Silencer) Delete(tenant, id, by string, at time.Time) ([]correlation.Transition, error) {
	return s.end(at, tenant, id, by, Deleted)
}

// end ends a silence now and tells what that sets free.
func (s *Silencer) end(at time.Time, tenant, id, by string, a Action) ([]correlation.Transition, error) {
	if err := s.check(at); err != nil {
		return nil, err
	}
	s.advance(at)
	tn := s.tenants[tenant]
	if tn == nil || tn.silences[id] == nil {
		return s.told(), fmt.Errorf("%w: %q of tenant %q", ErrUnknown, id, tenant)
	}
	of := tn.silences[id]
	if of.over && a == Cut {
		return s.told(), fmt.Errorf("%w: %q of tenant %q", ErrOver, id, tenant)
	}
	if !of.over {
		of.End, of.over = s.now, true
		if of.Start.After(s.now) {
			of.Start = s.now
		}
	}
	s.note(a, by, of)
	if a == Deleted {
		s.remove(tn, of)
	} else {
		s.watch(of)
	}
	s.free(tn, of)
	s.settle(s.now)
	return s.told(), nil
}

// check reports an instant that cannot be used.
func (s *Silencer) check(at time.Time) error {
	if at.IsZero() || at.Before(s.now) {
		return fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), s.now.Format(time.RFC3339Nano))
	}
	return nil
}

// told returns what has been gathered.
func (s *Silencer) told() []correlation.Transition {
	list := s.out
	s.out = nil
	return list
}

// tenant finds or makes a tenant.
func (s *Silencer) tenant(name string) *tenant {
	tn := s.tenants[name]
	if tn == nil {
		tn = &tenant{name: name, silences: map[string]*silence{}, held: map[string]*held{}}
		s.tenants[name] = tn
	}
	return tn
}

// take passes one transition on, or holds it back.
func (s *Silencer) take(t *correlation.Transition) {
	tn := s.tenants[t.Alert.Tenant]
	if tn == nil { // nothing of it can be muted or held
		s.out = append(s.out, *t)
		return
	}
	key := t.Alert.Key()
	h := tn.held[key]
	switch t.Kind {
	case correlation.Notify:
		labels := t.Alert.LabelSet()
		if tn.mutes(labels, s.now) {
			tn.held[key] = &held{transition: *t, labels: labels}
			return
		}
		delete(tn.held, key)
	case correlation.Resolve:
		if h != nil {
			delete(tn.held, key)
			s.drop(tn)
			return
		}
	case correlation.Suppress:
		if h != nil {
			h.hidden = true
		}
	case correlation.Release:
		if h != nil {
			h.hidden = false
			s.look(tn, h)
		}
	case correlation.Late, correlation.Open, correlation.Close:
	}
	s.out = append(s.out, *t)
}

// mutes reports whether a silence of the tenant holds back an alert.
func (tn *tenant) mutes(labels map[string]string, at time.Time) bool {
	for _, x := range tn.silences {
		if x.mutes(labels, at) {
			return true
		}
	}
	return false
}

// free lists what a silence may have held back.
func (s *Silencer) free(tn *tenant, of *silence) {
	for _, h := range tn.held {
		if matcher.All(of.list, h.labels) {
			s.look(tn, h)
		}
	}
}

// look lists something that may be told at the end of the instant.
func (s *Silencer) look(tn *tenant, h *held) {
	if len(tn.look) == 0 {
		s.looks = append(s.looks, tn)
	}
	tn.look = append(tn.look, h)
}

// advance moves to an instant, with all that ends up to it.
func (s *Silencer) advance(at time.Time) {
	s.run(at, true)
	s.now = plain(at)
}

// run moves to an instant through what ends before it, and with it if inclusive.
func (s *Silencer) run(at time.Time, inclusive bool) {
	for {
		due, ok := s.NextWake()
		if !ok || due.After(at) || due.Equal(at) && !inclusive {
			break
		}
		s.settle(due)
	}
	s.now = plain(at)
}

// settle ends an instant: it looks at the silences that are due by then, and tells what
// nothing holds back any more.
func (s *Silencer) settle(at time.Time) {
	if at.IsZero() {
		return
	}
	s.now = plain(at)
	for {
		due, ok := s.NextWake()
		if !ok || due.After(at) {
			break
		}
		of := heap.Pop(&s.timers).of
		tn := s.tenants[of.Tenant]
		switch state := of.state(s.now); {
		case of.over:
			s.note(Forgotten, "", of)
			s.remove(tn, of)
			continue
		case state == Expired:
			of.over = true
			s.note(Ended, "", of)
		}
		s.free(tn, of)
		s.watch(of)
	}
	slices.SortFunc(s.looks, func(a, b *tenant) int { return strings.Compare(a.name, b.name) })
	for _, tn := range s.looks {
		s.release(tn)
	}
	s.looks = s.looks[:0]
}

// release tells what is on the list of a tenant and muted by nothing, sorted by printed
// form.
func (s *Silencer) release(tn *tenant) {
	free := map[string]*held{}
	for _, h := range tn.look {
		key := h.transition.Alert.Key()
		if tn.held[key] == h && !h.hidden && !tn.mutes(h.labels, s.now) {
			free[h.transition.Alert.String()+"\x00"+key] = h
			delete(tn.held, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(free)) {
		t := free[key].transition
		t.At = s.now
		s.out = append(s.out, t)
	}
	tn.look = nil
	s.drop(tn)
}

// watch sets the timer of a silence.
func (s *Silencer) watch(of *silence) {
	var ok bool
	if of.due, ok = of.next(s.now, s.opts.Retention); ok {
		heap.Push(&s.timers, timer{of.due, of})
	}
}

// remove forgets a silence.
func (s *Silencer) remove(tn *tenant, of *silence) {
	of.due = time.Time{}
	delete(tn.silences, of.ID)
	s.drop(tn)
}

// drop forgets a tenant that has nothing.
func (s *Silencer) drop(tn *tenant) {
	if len(tn.silences)+len(tn.held)+len(tn.look) == 0 {
		delete(s.tenants, tn.name)
	}
}
