package correlation

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
)

// Explanation answers why somebody was told of an alert, or not.
type Explanation struct {
	Alert   Alert `json:"alert"`
	Visible bool  `json:"visible"` // active and not suppressed
	// Released is set if rules cover the alert but it stays visible, because the
	// alerts that they start from only cover each other, or are silenced.
	Released bool     `json:"released,omitempty"`
	Reasons  []Reason `json:"reasons"` // every instance that covers the alert
	// SilencedBy has the IDs of the silences in force that hold for the alert, sorted.
	// It stands for nobody then, with [Options.StrictSilence].
	SilencedBy []string `json:"silenced_by,omitempty"`
	// Path leads from the alert to the visible item that stands for it: printed
	// alerts or composites, the alert itself first. It ends with
	// "lingering <rule>" where a rule without visible composite lingers. It has
	// one entry if the alert is visible and none if it is not active.
	Path []string `json:"path"`
}

// Reason is one instance of a rule that covers an alert.
type Reason struct {
	Rule      string    `json:"rule"`
	By        Labels    `json:"by"`
	Since     time.Time `json:"since"`               // engine time at which the instance opened
	Lingers   time.Time `json:"lingers,omitzero"`    // when its linger ends, if its conditions do not hold any more
	Composite string    `json:"composite,omitempty"` // ID of its composite
	Evidence  []string  `json:"evidence"`            // printed alerts, sorted
	// Silent is set if nobody is told of anything that the instance stands on, since it
	// is silenced. The instance hides nothing then; see [Options.StrictSilence].
	Silent bool `json:"silent,omitempty"`
}

// Why explains the state of one alert or composite; false if the engine does
// not know it. Composites are asked for by the name composite.<rule>.
func (e *Engine) Why(tenant, name string, labels map[string]string) (Explanation, bool) {
	sp := e.spaces[tenant]
	if sp == nil {
		return Explanation{}, false
	}
	var a *alert
	labels = e.opts.counting(labels)
	x := e.atlas.identify(name, labels)
	if x.known {
		a = sp.find(x)
	}
	if a == nil {
		a = sp.composite(name, labels, x.count)
	}
	if a == nil {
		return Explanation{}, false
	}
	why := Explanation{Alert: a.view(), Visible: a.active && !a.suppressed, Reasons: []Reason{}, Path: []string{}}
	if !a.active {
		return why, true
	}
	why.Released = a.covers > 0 && !a.isHidden()
	why.SilencedBy = sp.silencing(a.labelSet())
	for _, i := range slices.SortedFunc(a.covering(), compareInstances) {
		why.Reasons = append(why.Reasons, i.reason())
	}
	why.Path = a.path()
	return why, true
}

// composite finds the composite with a name and n labels, nil if there is none.
func (sp *space) composite(name string, l map[string]string, n int) *alert {
	if !strings.HasPrefix(name, compositeLayer+".") {
		return nil
	}
	for i := range sp.instances.All() {
		if i.live() && i.composite != nil && i.composite.name.full == name && i.composite.labels.are(l, n) {
			return i.composite
		}
	}
	return nil
}

// reason copies what a reader is told of an instance that covers an alert.
func (i *instance) reason() Reason {
	r := Reason{Rule: i.rule.Name, By: i.by(), Since: instant.Time(i.since), Evidence: []string{}, Silent: i.isMute()}
	if i.state == lingering {
		r.Lingers = instant.Time(i.lingerEnds)
	}
	if i.composite != nil {
		r.Composite = i.id()
	}
	evidence := i.evidence()
	for n := range evidence {
		r.Evidence = append(r.Evidence, evidence[n].text())
	}
	return r
}

// path finds the shortest way to a visible representative, breadth first in a
// fixed order.
func (a *alert) path() []string {
	from := map[*alert]*alert{a: nil}
	queue := []*alert{a}
	for n := 0; n < len(queue); n++ {
		x := queue[n]
		if !x.isHidden() {
			if x == a || !x.silenced {
				return trace(from, x)
			}
			continue
		}
		for _, i := range slices.SortedFunc(x.covering(), compareInstances) {
			if i.isMute() {
				continue
			}
			if i.state == lingering && (i.composite == nil || i.composite.suppressed || i.composite.silenced) {
				return append(trace(from, x), "lingering "+i.rule.Name)
			}
			for _, next := range i.representatives() {
				if _, seen := from[next]; !seen {
					from[next] = x
					queue = append(queue, next)
				}
			}
		}
	}
	return trace(from, a) // not reached: ground leaves nothing without a representative
}

// representatives lists what may stand for the targets of an instance.
func (i *instance) representatives() []*alert {
	var list []*alert
	for _, m := range i.members {
		if m.evidence {
			list = append(list, m.a)
		}
	}
	slices.SortFunc(list, compareAlerts)
	if i.composite != nil {
		list = slices.Insert(list, 0, i.composite)
	}
	return list
}

func trace(from map[*alert]*alert, end *alert) []string {
	var path []string
	for a := end; a != nil; a = from[a] {
		path = append(path, a.text())
	}
	slices.Reverse(path)
	return path
}
