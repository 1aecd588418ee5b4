package correlation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	matchers "github.com/evenkeelops/evenkeel/correlation/matcher"
)

// Silence is a decision that is in force: nobody is told of the alerts of a tenant for
// whose labels all matchers hold, the name of the alert under [NameLabel]. An engine
// takes it as given; when it begins and ends is for package silence.
type Silence struct {
	Tenant string `json:"tenant,omitempty"`
	ID     string `json:"id"` // unique within the tenant
	// Matchers are texts with any number of matchers each, as matcher.ParseList reads
	// them. They must not hold for an alert without labels.
	Matchers []string `json:"matchers"`
}

// SilenceError reports a silence that [Engine.Silence] cannot use.
type SilenceError struct {
	Tenant, ID string
	Field      string // such as "ID" or "Matchers[0]"
	Value      string
	Want       string
	Err        error // the cause, where there is one beneath
}

// Error names the silence, the field, what it holds and what was expected.
func (e *SilenceError) Error() string {
	text := fmt.Sprintf("silence %q of tenant %q: %s is %q, want %s", e.ID, e.Tenant, e.Field, e.Value, e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause beneath, or nil.
func (e *SilenceError) Unwrap() error { return e.Err }

// Silence moves the engine to the instant at, as [Engine.Step], and says which silences
// are in force from then on: these and no others, of any tenant. Without
// [Options.StrictSilence] it changes nothing but the answers of [Engine.Why]; with it,
// what only silenced alerts stand for is released, and hidden again when they may be
// told of. Call it before the events of the same instant, so that nothing is told that
// would be hidden by them.
//
// The error is [ErrTime], or [*SilenceError] values, joined; nothing has happened then.
// It costs a look at all alerts of the tenants whose silences are others than before.
func (e *Engine) Silence(at time.Time, inForce ...Silence) ([]Transition, error) {
	byTenant, err := compileSilences(inForce)
	if err != nil {
		return nil, err
	}
	if err := e.move(nil, at); err != nil {
		return nil, err
	}
	for tenant, sp := range e.spaces {
		if len(sp.silences) > 0 && byTenant[tenant] == nil {
			e.silence(sp, nil)
		}
	}
	for tenant, list := range byTenant {
		e.silence(e.space(tenant), list)
	}
	return e.conclude()
}

// silenced is a silence that was checked.
type silenced struct {
	Silence
	list []matchers.Matcher
}

// compileSilences checks silences and sorts them, those of each tenant by ID.
func compileSilences(list []Silence) (map[string][]silenced, error) {
	var problems []error
	byTenant := map[string][]silenced{}
	for _, v := range list {
		bad := func(field, got, want string, err error) {
			problems = append(problems, &SilenceError{Tenant: v.Tenant, ID: v.ID, Field: field, Value: got, Want: want, Err: err})
		}
		s := silenced{Silence: v}
		s.Matchers = slices.Clone(v.Matchers)
		if v.ID == "" {
			bad("ID", v.ID, "a text that is not empty", nil)
		}
		if slices.ContainsFunc(byTenant[v.Tenant], func(x silenced) bool { return x.ID == v.ID }) {
			bad("ID", v.ID, "one that no other silence of the tenant has", nil)
		}
		whole := true
		for n, text := range v.Matchers {
			more, err := matchers.ParseList(text)
			if err != nil {
				whole = false
				bad(fmt.Sprintf("Matchers[%d]", n), text, "matchers", err)
			}
			s.list = append(s.list, more...)
		}
		if whole && matchers.All(s.list, nil) {
			bad("Matchers", matchers.Format(s.list), "a matcher that an empty value does not satisfy", nil)
		}
		byTenant[v.Tenant] = append(byTenant[v.Tenant], s)
	}
	for _, list := range byTenant {
		slices.SortFunc(list, func(a, b silenced) int { return strings.Compare(a.ID, b.ID) })
	}
	return byTenant, errors.Join(problems...)
}

// silence puts other silences in force for a tenant.
func (e *Engine) silence(sp *space, list []silenced) {
	same := slices.EqualFunc(sp.silences, list, func(a, b silenced) bool { return a.ID == b.ID && slices.Equal(a.Matchers, b.Matchers) })
	if same {
		return
	}
	e.heat(sp)
	sp.silences = list
	if !sp.strict {
		return
	}
	for a := range sp.alerts.All() {
		if a.active {
			a.silence(sp.silenced(a))
		}
	}
	for i := range sp.instances.All() {
		if i.live() && i.composite != nil {
			i.composite.silence(sp.silenced(i.composite))
		}
		if i.state == lingering {
			i.hush()
		}
	}
}

// silenced reports whether nobody wants to be told of an alert.
func (sp *space) silenced(a *alert) bool {
	return len(sp.silences) > 0 && len(sp.silencing(a.labelSet())) > 0
}

// silencing returns the IDs of the silences that hold for labels, sorted.
func (sp *space) silencing(labels map[string]string) []string {
	var ids []string
	for n := range sp.silences {
		if s := &sp.silences[n]; matchers.All(s.list, labels) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// labelSet is [Alert.LabelSet].
func (a *alert) labelSet() map[string]string {
	return Alert{Name: a.name.full, Labels: a.labels.list()}.LabelSet()
}

// silence notes whether an active alert is silenced, for all that stands on it.
func (a *alert) silence(is bool) {
	if a.silenced == is {
		return
	}
	a.silenced = is
	d := int32(1)
	if !is {
		d = -1
	}
	for i := range a.supported() {
		i.silent += d
		if a.covers == 0 {
			i.visible -= d
		}
		a.sp.flag(i)
	}
	if is {
		return
	}
	for n := range a.members {
		if m := &a.members[n]; m.evidence && !m.rule().grounded {
			m.inst.stand(m)
		}
	}
}

// hush notes whether a lingering instance has nobody who was told of what it stands on:
// its frozen evidence and its composite are silenced.
func (i *instance) hush() {
	if !i.sp.strict || i.rule.grounded {
		return
	}
	hushed := len(i.sp.silences) > 0 && (i.composite == nil || i.sp.silenced(i.composite))
	for _, w := range i.past {
		hushed = hushed && len(i.sp.silencing(Alert{Name: w.Name, Labels: w.Labels}.LabelSet())) > 0
	}
	if hushed || i.footing != nil {
		i.foot().hushed = hushed
		i.sp.flag(i)
	}
}

// isMute reports that all that an instance stands on is silenced, and hidden by nothing
// but such instances, if at all. It hides nothing then. Only with StrictSilence.
func (i *instance) isMute() bool { return i.footing != nil && i.footing.mute }

// setMute notes whether an instance is mute.
func (i *instance) setMute(mute bool) {
	if i.footing.mute == mute {
		return
	}
	i.footing.mute = mute
	for _, m := range i.members {
		if m.hidden {
			i.sp.touch(m.a)
		}
	}
}

// isHidden reports whether nobody is to be told of an alert because something stands
// for it.
func (a *alert) isHidden() bool { return a.active && !a.released && a.isCovered() }

// isCovered reports whether an instance hides an alert that is not mute.
func (a *alert) isCovered() bool {
	if a.covers == 0 || !a.sp.strict {
		return a.covers > 0
	}
	for i := range a.covering() {
		if !i.isMute() {
			return true
		}
	}
	return false
}

// hush finds out which of the floating instances that a look has reached are mute: those
// that lead neither to an alert that is not silenced nor to something represented.
func (sp *space) hush(nodes []*instance) {
	if !sp.strict {
		return
	}
	var found []*instance
	for _, i := range nodes {
		if i.support > i.silent || i.leadsOut() {
			found = append(found, i)
		}
	}
	for len(found) > 0 {
		i := found[len(found)-1]
		found = found[:len(found)-1]
		if i.footing.visit.voiced {
			continue
		}
		i.footing.visit.voiced = true
		for j := range i.footing.in {
			if j.seen(sp.round) && j.footing.visit.pending && !j.footing.visit.voiced {
				found = append(found, j)
			}
		}
	}
	for _, i := range nodes {
		i.setMute(!i.footing.visit.voiced)
		i.footing.visit.pending = i.footing.visit.voiced
	}
}

// leadsOut reports whether a supporting alert is hidden by an instance that is
// represented and that this look did not reach: its answer cannot have changed.
func (i *instance) leadsOut() bool {
	for j := range i.footing.out {
		if !j.floating() || !j.seen(i.sp.round) && !j.isMute() {
			return true
		}
	}
	return false
}

// speaks reports whether a supporting alert is to be told of, because none but mute
// instances hide it.
func (i *instance) speaks() bool {
	mute := false
	for j := range i.footing.out {
		mute = mute || j.isMute()
	}
	if !mute {
		return false
	}
	for _, m := range i.members {
		if m.evidence && !m.a.silenced && !m.a.isCovered() {
			return true
		}
	}
	c := i.composite
	return c != nil && c.more.supports && !c.silenced && !c.isCovered()
}
