package silence

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Status is a silence with what it does.
type Status struct {
	Silence Silence `json:"silence"`
	State   State   `json:"state"`
	Muted   int     `json:"muted"` // notifications that it holds back, with others or alone
}

// List returns all silences that are not forgotten, by tenant and ID, as they stand at
// the instant of the last call.
func (s *Silencer) List() []Status {
	var list []Status
	for _, name := range slices.Sorted(maps.Keys(s.tenants)) {
		tn := s.tenants[name]
		for _, id := range slices.Sorted(maps.Keys(tn.silences)) {
			x := tn.silences[id]
			list = append(list, Status{Silence: x.Silence, State: x.state(s.now), Muted: len(s.Muted(name, id))})
		}
	}
	return list
}

// Muted returns the alerts whose notification a silence holds back, with others or
// alone, by printed form; none for one that is unknown.
func (s *Silencer) Muted(tenant, id string) []correlation.Alert {
	tn := s.tenants[tenant]
	if tn == nil || tn.silences[id] == nil {
		return nil
	}
	var list []correlation.Alert
	for _, h := range tn.held {
		if tn.silences[id].mutes(h.labels, s.now) {
			list = append(list, h.transition.Alert)
		}
	}
	slices.SortFunc(list, func(a, b correlation.Alert) int {
		return cmp.Or(strings.Compare(a.String(), b.String()), strings.Compare(a.Key(), b.Key()))
	})
	return list
}

// Mutes reports whether a silence is in force for an alert at an instant, whatever was
// told of it: for those who repeat what was told.
func (s *Silencer) Mutes(a correlation.Alert, at time.Time) bool {
	tn := s.tenants[a.Tenant]
	return tn != nil && tn.mutes(a.LabelSet(), at)
}

// InForce returns the silences that are in force at an instant, by tenant and ID, for
// correlation.Engine.Silence. [Silencer.NextWake] names the instants at which that changes.
func (s *Silencer) InForce(at time.Time) []correlation.Silence {
	var list []correlation.Silence
	for _, name := range slices.Sorted(maps.Keys(s.tenants)) {
		tn := s.tenants[name]
		for _, id := range slices.Sorted(maps.Keys(tn.silences)) {
			if x := tn.silences[id]; x.state(at) == Active {
				list = append(list, correlation.Silence{Tenant: name, ID: id, Matchers: slices.Clone(x.Matchers)})
			}
		}
	}
	return list
}

// Explanation answers why nobody is told of an alert.
type Explanation struct {
	// Silences are those in force that mute the alert, by ID.
	Silences []Silence `json:"silences"`
	// Held is when its notification was held back; zero if none is.
	Held time.Time `json:"held,omitzero"`
	// Hidden is set if rules hide the alert since then, so that it is not told when the
	// silences end: ask correlation.Engine.Why.
	Hidden bool `json:"hidden,omitempty"`
}

// Why explains an alert, of which tenant, name and labels count, at the instant of the
// last call.
func (s *Silencer) Why(a correlation.Alert) Explanation {
	x := Explanation{Silences: []Silence{}}
	tn := s.tenants[a.Tenant]
	if tn == nil {
		return x
	}
	labels := a.LabelSet()
	for _, id := range slices.Sorted(maps.Keys(tn.silences)) {
		if of := tn.silences[id]; of.mutes(labels, s.now) {
			x.Silences = append(x.Silences, of.Silence)
		}
	}
	if h := tn.held[a.Key()]; h != nil {
		x.Held, x.Hidden = h.transition.At, h.hidden
	}
	return x
}
