// Package inhibit answers as the inhibit_rules of the Prometheus Alertmanager
// do: which alerts are muted by which others.
//
// It is for those who keep their rules in that form; the rules of package
// correlation say more and never lose the last signal. The answers are those
// of Alertmanager 0.34.2 and 0.25.0; versions 0.30 to 0.34.0 looked at one
// source per combination of equal labels only and un-mute too much.
//
// An [Inhibitor] holds the alerts; [Inhibitor.Mutes] costs the same whatever
// the number of alerts and rules:
//
//	in, err := inhibit.New([]inhibit.Rule{{
//		SourceMatchers: []string{`alertname="NodeDown"`},
//		TargetMatchers: []string{`alertname="PodDown"`},
//		Equal:          []string{"cluster"},
//	}})
//	err = in.Apply(now, inhibit.Alert{Labels: labels, Ends: now.Add(time.Hour)})
//	rule, muted := in.Mutes(other)
//
// [Native] turns the rules into rules of an engine, for those who move over, and lists
// what they do not do alike there.
package inhibit

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/labelset"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/internal/heap"
	"github.com/evenkeelops/evenkeel/internal/table"
)

// Rule is one entry of inhibit_rules. All of its source conditions must hold
// for a source and all of its target conditions for a target; a side without
// any matches every alert.
type Rule struct {
	Name string `json:"name,omitempty"`
	// Each text holds any number of matchers, as package matcher reads them.
	SourceMatchers []string `json:"source_matchers,omitempty"`
	TargetMatchers []string `json:"target_matchers,omitempty"`
	// The older form, which is still accepted: equal values and anchored regular
	// expressions.
	SourceMatch   map[string]string `json:"source_match,omitempty"`
	SourceMatchRE map[string]string `json:"source_match_re,omitempty"`
	TargetMatch   map[string]string `json:"target_match,omitempty"`
	TargetMatchRE map[string]string `json:"target_match_re,omitempty"`
	// Equal lists labels that source and target must share. Missing and empty
	// values are equal.
	Equal []string `json:"equal,omitempty"`
}

// Alert is one alert with the instant at which it ends; at that instant it is
// over. Labels with empty values count as missing; the map is not kept. Instants outside
// of the years 1678 to 2261 end with them.
type Alert struct {
	Labels map[string]string
	// List has the labels for whoever has them in order already, without empty values, as
	// correlation.LabelsOf returns them: it is read in place of Labels unless it is nil,
	// and not kept. The order is not checked; the same labels in another one are another
	// alert.
	List correlation.Labels
	Ends time.Time
}

// ErrTime is returned when the instant of a call is before that of the last
// one.
var ErrTime = errors.New("inhibit: time goes back")

// Inhibitor holds active alerts and rules. Make one with [New]. It is not safe
// for concurrent use.
type Inhibitor struct {
	rules   []rule
	sources index // rules by what their source asks for
	targets index
	shapes  labelset.Shapes // of the labels of all alerts
	alerts  table.Table[alert]
	buckets table.Table[bucket]
	ends    []end // heap
	now     time.Time
	key     []byte                   // scratch
	list    correlation.Labels       // of the alert in question
	room    correlation.Labels       // scratch, for list
	asked   labelset.Asked           // scratch, of list
	get     func(name string) string // a label of list
}

type rule struct {
	name           string
	source, target []matcher.Matcher
	equal          []string
	buckets        int // that there are of it
}

// bucket counts the active sources of one rule that share the equal labels.
type bucket struct {
	rule int32
	key  string // the values of the equal labels
	only int    // sources that are no targets
	both int    // sources that are targets too
}

// alert is an active alert.
type alert struct {
	labels labelset.Set
	ends   int64    // see nanos
	look   int64    // of its entry in Inhibitor.ends, never if there is none; entries of other times are left over
	places []place  // the buckets that it is counted in
	one    [1]place // places of most
	gone   bool     // not held any more
}

type place struct {
	in   *bucket
	both bool
}

// New compiles the rules, whose matchers are read as Alertmanager does by default.
// All problems are reported together, each a [*RuleError].
func New(rules []Rule) (*Inhibitor, error) { return NewMode(rules, matcher.Fallback) }

// NewMode is [New] with matchers that are read in another mode.
func NewMode(rules []Rule, mode matcher.Mode) (*Inhibitor, error) {
	in := &Inhibitor{}
	in.get = func(name string) string { return in.list.Get(name) }
	var problems []error
	for n, r := range rules {
		c := compiler{mode: mode, fail: func(field string, err error) {
			problems = append(problems, &RuleError{Rule: n, Name: r.Name, Field: field, Err: err})
		}}
		in.rules = append(in.rules, rule{
			name:   r.Name,
			source: c.side("source", r.SourceMatchers, r.SourceMatch, r.SourceMatchRE),
			target: c.side("target", r.TargetMatchers, r.TargetMatch, r.TargetMatchRE),
			equal:  slices.Clone(r.Equal),
		})
		for i, name := range r.Equal {
			if !matcher.ValidName(name, mode) {
				c.fail(fmt.Sprintf("equal[%d]", i), fmt.Errorf("%q: want the name of a label", name))
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	in.sources = newIndex(in.rules, func(r *rule) []matcher.Matcher { return r.source })
	in.targets = newIndex(in.rules, func(r *rule) []matcher.Matcher { return r.target })
	return in, nil
}

// RuleError is one problem of a rule.
type RuleError struct {
	Rule  int    // position of the rule, from 0
	Name  string // of the rule
	Field string // such as "source_matchers[0]" or "target_match.job"
	Err   error
}

// Error names the rule, the field and what is wrong.
func (e *RuleError) Error() string {
	return fmt.Sprintf("inhibit rule %d %q: %s: %v", e.Rule, e.Name, e.Field, e.Err)
}

// Unwrap returns the problem without its place.
func (e *RuleError) Unwrap() error { return e.Err }

// compiler reads the conditions of one rule.
type compiler struct {
	mode matcher.Mode
	fail func(field string, err error)
}

// side puts the three forms of one side together.
func (c *compiler) side(side string, texts []string, equal, re map[string]string) []matcher.Matcher {
	var list []matcher.Matcher
	for i, text := range texts {
		more, err := matcher.ParseListMode(text, c.mode)
		if err != nil {
			c.fail(fmt.Sprintf("%s_matchers[%d]", side, i), err)
		}
		list = append(list, more...)
	}
	older := func(field string, op matcher.Op, values map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			m, err := matcher.New(name, op, values[name])
			if err == nil && !matcher.Identifier(name) {
				err = fmt.Errorf("label %q: want letters, digits and underscores", name)
			}
			if err != nil {
				c.fail(field+"."+name, err)
			}
			list = append(list, m)
		}
	}
	older(side+"_match", matcher.Equal, equal)
	older(side+"_match_re", matcher.Match, re)
	return list
}

// Apply moves to the instant at, drops the alerts that are over then, and adds
// or replaces alerts, identified by all their labels. An alert whose Ends is
// not after at is removed.
func (in *Inhibitor) Apply(at time.Time, alerts ...Alert) error {
	if at.Before(in.now) {
		return fmt.Errorf("%w: %s after %s", ErrTime, at.Format(time.RFC3339Nano), in.now.Format(time.RFC3339Nano))
	}
	in.now = at
	now := nanos(at)
	for len(in.ends) > 0 && in.ends[0].at <= now {
		e := heap.Pop(&in.ends)
		switch a := e.of; {
		case a.gone || a.look != e.at:
		case a.ends > now: // it was refreshed
			in.lookAt(a)
		default:
			in.remove(a)
		}
	}
	for n := range alerts {
		in.put(&alerts[n])
	}
	return nil
}

// put adds, replaces or removes one alert.
func (in *Inhibitor) put(x *Alert) {
	if in.list = x.List; in.list == nil {
		in.room = correlation.AppendLabels(in.room[:0], x.Labels)
		in.list = in.room
	}
	in.shapes.Ask(&in.asked, in.list)
	a := in.find()
	if !x.Ends.After(in.now) {
		if a != nil {
			in.remove(a)
		}
		return
	}
	if a == nil {
		a = &alert{labels: in.shapes.Keep(&in.asked), look: never}
		a.places = a.one[:0]
		in.alerts.Insert(a.labels.Hash(), a)
		in.sources.each(in.get, func(n int) bool {
			if matcher.AllOf(in.rules[n].source, in.get) {
				in.add(a, n)
			}
			return true
		})
	}
	if a.ends = nanos(x.Ends); a.ends < a.look {
		in.lookAt(a)
	}
}

// find returns the alert that is asked for, nil if it is not held.
func (in *Inhibitor) find() *alert {
	if !in.asked.Known() {
		return nil
	}
	return in.alerts.Find(in.asked.Hash(), func(a *alert) bool { return a.labels.Is(&in.asked) })
}

// lookAt makes an appointment for the end of an alert. A refresh that only puts
// the end off keeps the earlier one, so that refreshes do not pile up.
func (in *Inhibitor) lookAt(a *alert) {
	a.look = a.ends
	heap.Push(&in.ends, end{a.ends, a})
	if len(in.ends) > spare+2*in.alerts.Len() {
		in.tidy()
	}
}

// spare is how many entries too many are never worth a tidying.
const spare = 64

// tidy drops the entries that are left over, which would keep alerts that are gone until
// the ends that they once had.
func (in *Inhibitor) tidy() {
	clear(in.ends)
	in.ends = in.ends[:0]
	for a := range in.alerts.All() {
		in.ends = append(in.ends, end{a.look, a})
	}
	heap.Init(in.ends)
}

// add counts an alert as a source of rule n.
func (in *Inhibitor) add(a *alert, n int) {
	r := &in.rules[n]
	in.key = in.key[:0]
	for _, name := range r.equal {
		in.key = prefixed.Append(in.key, in.get(name))
	}
	b, hash := in.bucket(n)
	if b == nil {
		b = &bucket{rule: int32(n), key: string(in.key)}
		in.buckets.Insert(hash, b)
		r.buckets++
	}
	p := place{in: b, both: matcher.AllOf(r.target, in.get)}
	a.places = append(a.places, p)
	b.count(p.both, 1)
}

// bucket returns the bucket of rule n with the values in in.key, nil if there is none, and
// its hash.
func (in *Inhibitor) bucket(n int) (*bucket, uint64) {
	hash := hashOf(n, maphash.Bytes(seed, in.key))
	return in.buckets.Find(hash, func(b *bucket) bool { return int(b.rule) == n && b.key == string(in.key) }), hash
}

// seed of the hashes. No answer depends on them.
var seed = maphash.MakeSeed()

// hashOf is the hash of a bucket of rule n, of which that of the key is known.
func hashOf(n int, key uint64) uint64 { return key + uint64(n)*0x9e3779b97f4a7c15 }

// remove takes an alert out of the buckets that it is counted in.
func (in *Inhibitor) remove(a *alert) {
	for _, p := range a.places {
		p.in.count(p.both, -1)
		if p.in.only+p.in.both == 0 {
			in.buckets.Remove(hashOf(int(p.in.rule), maphash.String(seed, p.in.key)), p.in)
			in.rules[p.in.rule].buckets--
		}
	}
	a.gone, a.places = true, nil
	in.alerts.Remove(a.labels.Hash(), a)
	in.shapes.Drop(a.labels)
}

// count adds d to the sources of one kind.
func (b *bucket) count(both bool, d int) {
	if both {
		b.both += d
	} else {
		b.only += d
	}
}

// Mutes reports whether an alert with these labels is muted at the instant of
// the last Apply, and by which rule, the first by position. The alert itself
// need not be held. It allocates nothing.
func (in *Inhibitor) Mutes(labels map[string]string) (rule int, muted bool) {
	rule = -1
	get := func(name string) string { return labels[name] }
	in.targets.each(get, func(n int) bool {
		if rule >= 0 && n > rule {
			return true
		}
		r := &in.rules[n]
		if r.buckets == 0 || !matcher.All(r.target, labels) {
			return true
		}
		in.key = in.key[:0]
		for _, name := range r.equal {
			in.key = prefixed.Append(in.key, labels[name])
		}
		b, _ := in.bucket(n)
		// A candidate that is a source too is not muted by others that are both.
		if b != nil && (b.only > 0 || b.both > 0 && !matcher.All(r.source, labels)) {
			rule = n
		}
		return true
	})
	return rule, rule >= 0
}

// Active returns the number of alerts held.
func (in *Inhibitor) Active() int { return in.alerts.Len() }

// end is an appointment to look whether an alert is over.
type end struct {
	at int64
	of *alert
}

// Before orders by instant.
func (e end) Before(o end) bool { return e.at < o.at }

// never is no instant of an end.
const never = math.MaxInt64

// nanos is an instant in Unix nanoseconds, the nearest where it is out of range.
func nanos(t time.Time) int64 {
	const first, last = math.MinInt64 / int64(time.Second), math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s <= first:
		return math.MinInt64
	case s >= last:
		return never - 1
	}
	return t.UnixNano()
}
