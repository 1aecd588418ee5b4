package correlation

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
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

// alert is the record of one identity within a tenant.
type alert struct {
	sp     *space
	key    string
	name   string
	layer  string
	labels Labels
	of     *instance // the instance of a composite, nil for other alerts
	seq    uint64    // order of creation; breaks ties where the result does not show it

	since, last, ends int64 // last: time of the event that won; ends 0: open
	ended             int64 // engine time at which it became inactive
	// Deadlines that are in the timer heap, 0 for none.
	expiryAt, forgetAt, settleAt int64

	lastFiring bool
	active     bool
	matched    bool // members are known
	suppressed bool // as reported
	released   bool // stays visible although covered
	notified   bool
	paged      bool // notified at least once
	touched    bool

	severity    incident.Severity
	annotations map[string]string

	members  []member    // one per rule that it can match
	supports []*instance // instances that it gives evidence to
	cover    []*instance // instances that hide it
	printed  string
	final    *Composite // of a closed composite
}

// text is the printed form, kept once it was asked for.
func (a *alert) text() string {
	if a.printed == "" {
		a.printed = a.name + a.labels.String()
	}
	return a.printed
}

// before orders alerts by onset, then by printed form, then exactly.
func (a *alert) before(b *alert) bool {
	return cmp.Or(cmp.Compare(a.since, b.since), strings.Compare(a.text(), b.text()), strings.Compare(a.key, b.key)) < 0
}

// appendKey appends the identity of an alert within its tenant: every part is
// preceded by its length, so that different labels never look the same.
func appendKey(b []byte, name string, l Labels) []byte {
	b = appendPart(b, name)
	for _, x := range l {
		b = appendPart(b, x.Name)
		b = appendPart(b, x.Value)
	}
	return b
}

func appendPart(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// reasons returns the sorted names of the rules that hide the alert.
func (a *alert) reasons() []string {
	if len(a.cover) == 0 || a.released {
		return nil
	}
	names := make([]string, 0, len(a.cover))
	for _, i := range a.cover {
		names = append(names, i.rule.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// view copies the record for a reader.
func (a *alert) view() Alert {
	v := Alert{
		Tenant: a.sp.tenant, Name: a.name, Labels: a.labels, Active: a.active, Since: instant(a.since), Ends: instant(a.ends),
		Severity: a.severity, Notified: a.notified, Annotations: a.annotations,
	}
	if a.active {
		v.SuppressedBy = a.reasons()
	}
	switch {
	case a.final != nil:
		v.Severity = a.final.Severity
	case a.of != nil:
		v.Severity = a.of.severity()
	}
	return v
}

// addCover records that an instance hides the alert.
func (a *alert) addCover(i *instance) {
	if len(a.cover) == 0 {
		for _, j := range a.supports {
			j.visible--
			if j.visible == 0 {
				a.sp.flag(j)
			}
		}
	}
	for _, j := range a.supports {
		j.edge(i, 1)
	}
	a.cover = append(a.cover, i)
	a.sp.touch(a)
}

func (a *alert) removeCover(i *instance) {
	at := slices.Index(a.cover, i)
	a.cover[at] = a.cover[len(a.cover)-1]
	a.cover[len(a.cover)-1] = nil
	a.cover = a.cover[:len(a.cover)-1]
	for _, j := range a.supports {
		j.edge(i, -1)
		if len(a.cover) == 0 {
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
	alerts    map[string]*alert
	instances map[instanceKey]*instance
	touched   []*alert    // whose notification must be looked at in this step
	flagged   []*instance // whose grounding must be looked at in this step
	idle      int         // instances that nothing refers to
	round     uint64      // number of the last look at grounding
	hot       bool        // listed in the engine
}

type instanceKey struct {
	rule int
	by   string
}

func (sp *space) touch(a *alert) {
	if !a.touched {
		a.touched = true
		sp.touched = append(sp.touched, a)
	}
}

func (sp *space) flag(i *instance) {
	if !i.flagged {
		i.flagged = true
		sp.flagged = append(sp.flagged, i)
	}
}
