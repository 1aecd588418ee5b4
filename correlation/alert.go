package correlation

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/table"
)

// Alert is what the engine knows about one alert at the instant of the answer.
type Alert struct {
	Tenant   string            `json:"tenant,omitempty"`
	Name     string            `json:"alert"` // layer.name; composite.<rule> for composites
	Labels   Labels            `json:"labels"`
	Active   bool              `json:"active"`
	Since    time.Time         `json:"since,omitzero"` // onset of the current or last episode
	Ends     time.Time         `json:"ends,omitzero"`
	Severity incident.Severity `json:"severity,omitempty"`
	// SuppressedBy names the rules that hide the alert, sorted; empty if it is
	// visible.
	SuppressedBy []string          `json:"suppressed_by,omitempty"`
	Notified     bool              `json:"notified,omitempty"` // a Notify was issued for this episode
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// String returns layer.name{label=value,...}; the tenant is not part of it.
func (a Alert) String() string { return a.Name + a.Labels.String() }

// IsComposite reports whether it is the alert of a [Composite].
func (a Alert) IsComposite() bool { return strings.HasPrefix(a.Name, compositeLayer+".") }

// Key returns a text of 32 hexadecimal digits that names the tenant and the identity,
// also of alerts that print alike.
func (a Alert) Key() string {
	return shortHash(appendKey(prefixed.Append(nil, a.Tenant), a.Name, a.Labels))
}

// NameLabel is the label by which matchers and routes see the name of an alert.
const NameLabel = "alertname"

// LabelSet returns what matchers and routes see of the alert: a new map of its labels,
// with its name under [NameLabel] unless it has a label of that name.
func (a Alert) LabelSet() map[string]string {
	m := make(map[string]string, len(a.Labels)+1)
	m[NameLabel] = a.Name
	for _, l := range a.Labels {
		m[l.Name] = l.Value
	}
	return m
}

// AlertOf is the inverse of [Alert.LabelSet]: the alert that labels with a [NameLabel]
// stand for, as Alertmanager has it, active and with all its labels. It is for package
// group behind package inhibit, which knows alerts by their labels alone; an engine takes
// names of the form layer.name.
func AlertOf(labels map[string]string) Alert {
	return Alert{Name: labels[NameLabel], Labels: LabelsOf(labels), Active: true}
}

// alert is the record of one identity within a tenant.
type alert struct {
	sp     *space
	name   *alertName
	labels labels
	seq    uint64 // order of creation; breaks ties where the result does not show it

	since, last, ends int64 // last: time of the event that won; ends 0: open
	ended             int64 // engine time at which it became inactive
	expiryAt          int64 // of the timer that counts, 0 for none

	members []member // one per rule that it can match
	more    *more    // nil for most
	covers  int32    // instances that hide it

	lastFiring bool
	active     bool
	suppressed bool // as reported
	released   bool // stays visible although covered
	notified   bool
	paged      bool // notified at least once
	touched    bool
	silenced   bool // while it is active, with StrictSilence
	settling   bool // a timer waits to notify it
	leaving    bool // a timer waits to forget it
	severity   incident.Severity
}

// more is what few alerts have.
type more struct {
	annotations map[string]string
	of          *instance  // the instance of a composite
	supports    bool       // the composite is one of what that instance stands on
	final       *Composite // of a closed composite
}

// of is the instance of a composite, nil for other alerts.
func (a *alert) of() *instance {
	if a.more == nil {
		return nil
	}
	return a.more.of
}

// annotate replaces the annotations; nil takes them away.
func (a *alert) annotate(m map[string]string) {
	switch {
	case a.more != nil:
		a.more.annotations = m
	case m != nil:
		a.more = &more{annotations: m}
	}
}

// before orders alerts by onset, then by printed form, then exactly.
func (a *alert) before(b *alert) bool {
	if a.since != b.since {
		return a.since < b.since
	}
	return compareAlerts(a, b) < 0
}

// compareAlerts orders by printed form, then exactly.
func compareAlerts(a, b *alert) int {
	if c := compareText(a, b); c != 0 || a == b {
		return c
	}
	return strings.Compare(string(a.appendKey(nil)), string(b.appendKey(nil)))
}

// appendKey appends the identity of the alert, as [appendKey] does.
func (a *alert) appendKey(b []byte) []byte { return appendKey(b, a.name.full, a.labels.list()) }

// covering yields the instances that hide the alert.
func (a *alert) covering() iter.Seq[*instance] {
	return func(yield func(*instance) bool) {
		for n := range a.members {
			if m := &a.members[n]; m.hidden && !yield(m.inst) {
				return
			}
		}
	}
}

// supported yields the instances that stand on the alert; see ground.go.
func (a *alert) supported() iter.Seq[*instance] {
	return func(yield func(*instance) bool) {
		for n := range a.members {
			if m := &a.members[n]; m.evidence && !m.rule().grounded && !yield(m.inst) {
				return
			}
		}
		if a.more != nil && a.more.supports {
			yield(a.more.of)
		}
	}
}

// appendKey appends the identity of an alert within its tenant: every part is
// preceded by its length, so that different labels never look the same.
func appendKey(b []byte, name string, l Labels) []byte {
	b = prefixed.Append(b, name)
	for _, x := range l {
		b = prefixed.Append(b, x.Name)
		b = prefixed.Append(b, x.Value)
	}
	return b
}

// reasons returns the sorted names of the rules that hide the alert.
func (a *alert) reasons() []string {
	if a.released || !a.isCovered() {
		return nil
	}
	names := make([]string, 0, a.covers)
	for i := range a.covering() {
		if !i.isMute() {
			names = append(names, i.rule.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// view copies the record for a reader.
func (a *alert) view() Alert {
	var v Alert
	a.show(&v)
	return v
}

// show is view into an empty alert; room for the labels may be in it.
func (a *alert) show(v *Alert) {
	v.Tenant, v.Name, v.Labels = a.sp.tenant, a.name.full, a.labels.listIn(v.Labels)
	v.Active, v.Since, v.Ends = a.active, instant.Time(a.since), instant.Time(a.ends)
	v.Severity, v.Notified = a.severity, a.notified
	if a.active {
		v.SuppressedBy = a.reasons()
	}
	if x := a.more; x != nil {
		v.Annotations = x.annotations
		switch {
		case x.final != nil:
			v.Severity = x.final.Severity
		case x.of != nil:
			v.Severity = x.of.severity()
		}
	}
}

// hide records that an instance hides the alert of a member.
func (m *member) hide() {
	a, i := m.a, m.inst
	if a.covers == 0 && !a.silenced {
		for j := range a.supported() {
			j.visible--
			if j.visible == 0 {
				a.sp.flag(j)
			}
		}
	}
	for j := range a.supported() {
		j.edge(i, 1)
	}
	if i.life != nil && !a.sp.strict {
		i.life.suppressed[a.text()] = true
	}
	m.hidden = true
	a.covers++
	a.sp.touch(a)
}

// reveal undoes hide.
func (m *member) reveal() {
	a, i := m.a, m.inst
	m.hidden = false
	a.covers--
	for j := range a.supported() {
		j.edge(i, -1)
		if a.covers == 0 && !a.silenced {
			if j.visible == 0 {
				a.sp.flag(j)
			}
			j.visible++
		}
	}
	a.sp.touch(a)
}

// space is everything of one tenant. Nothing in it points to another one.
type space struct {
	tenant    string
	alerts    table.Table[alert]    // by the hash of their identity
	instances table.Table[instance] // by the hash of rule and instance.key
	touched   []*alert              // whose notification must be looked at in this step
	flagged   []*instance           // whose grounding must be looked at in this step
	idle      int                   // instances that nothing refers to
	round     uint64                // number of the last look at grounding
	hot       bool                  // listed in the engine
	strict    bool                  // Options.StrictSilence
	silences  []silenced            // in force, by ID
}

// find returns the alert of an identity that is known, nil if there is none.
func (sp *space) find(x *identity) *alert {
	return sp.alerts.Find(x.hash, func(a *alert) bool {
		return a.name == x.name && a.labels.names == x.names && a.labels.text == string(x.text)
	})
}

// touch lists an alert for a look at its notification.
func (sp *space) touch(a *alert) {
	if !a.touched {
		a.touched = true
		sp.touched = append(sp.touched, a)
	}
}

// flag lists an instance for a look at its grounding. One that has no footing stands for
// itself.
func (sp *space) flag(i *instance) {
	if i.footing == nil && i.silent > 0 {
		i.foot()
	}
	if i.footing != nil && !i.footing.flagged {
		i.footing.flagged = true
		sp.flagged = append(sp.flagged, i)
	}
}
