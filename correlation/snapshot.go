package correlation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// snapshotVersion is raised when the form changes.
const snapshotVersion = 1

type snapshot struct {
	Version int              `json:"version"`
	Now     time.Time        `json:"now,omitzero"`
	Stats   Stats            `json:"stats"`
	Rules   []ruleSnapshot   `json:"rules"`
	Held    []Event          `json:"held,omitempty"`
	Tenants []tenantSnapshot `json:"tenants"`
	Orphans []Transition     `json:"orphans,omitempty"`
}

type ruleSnapshot struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type tenantSnapshot struct {
	Tenant    string             `json:"tenant"`
	Alerts    []alertSnapshot    `json:"alerts"`
	Instances []instanceSnapshot `json:"instances"`
}

type alertSnapshot struct {
	Name        string            `json:"alert"`
	Labels      Labels            `json:"labels"`
	Since       time.Time         `json:"since,omitzero"`
	Last        time.Time         `json:"last,omitzero"`
	Ends        time.Time         `json:"ends,omitzero"`
	Ended       time.Time         `json:"ended,omitzero"`
	Firing      bool              `json:"firing,omitempty"`
	Active      bool              `json:"active,omitempty"`
	Suppressed  bool              `json:"suppressed,omitempty"`
	Notified    bool              `json:"notified,omitempty"`
	Paged       bool              `json:"paged,omitempty"`
	Severity    incident.Severity `json:"severity,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type instanceSnapshot struct {
	Rule       string     `json:"rule"`
	Values     []string   `json:"by,omitempty"`
	Since      time.Time  `json:"since"`
	Opened     time.Time  `json:"opened"`
	LingerEnds time.Time  `json:"linger_ends,omitzero"`
	Frozen     []witness  `json:"frozen,omitempty"`
	Composite  *Composite `json:"composite,omitempty"`
	Suppressed bool       `json:"suppressed,omitempty"`
	Notified   bool       `json:"notified,omitempty"`
}

// Snapshot returns the whole state as JSON. Equal states give equal bytes. It
// does not hold the rules and options themselves, which Restore is given again.
func (e *Engine) Snapshot() ([]byte, error) {
	s := snapshot{
		Version: snapshotVersion, Now: instant(e.now), Stats: e.stats, Orphans: e.orphans,
		Rules: []ruleSnapshot{}, Tenants: []tenantSnapshot{},
	}
	for _, p := range e.programs {
		s.Rules = append(s.Rules, ruleSnapshot{p.Name, p.text})
	}
	held := slices.Clone(e.held)
	slices.SortFunc(held, func(a, b heldEvent) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	for _, h := range held {
		s.Held = append(s.Held, h.Event)
	}
	for _, tenant := range sortedNames(e.spaces) {
		s.Tenants = append(s.Tenants, e.spaces[tenant].snapshot())
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (sp *space) snapshot() tenantSnapshot {
	t := tenantSnapshot{Tenant: sp.tenant, Alerts: []alertSnapshot{}, Instances: []instanceSnapshot{}}
	for _, a := range sp.sorted() {
		t.Alerts = append(t.Alerts, alertSnapshot{
			Name: a.name, Labels: a.labels, Since: instant(a.since), Last: instant(a.last), Ends: instant(a.ends), Ended: instant(a.ended),
			Firing: a.lastFiring, Active: a.active, Suppressed: a.suppressed, Notified: a.notified, Paged: a.paged,
			Severity: a.severity, Annotations: a.annotations,
		})
	}
	var live []*instance
	for _, i := range sp.instances {
		if i.live() {
			live = append(live, i)
		}
	}
	slices.SortFunc(live, compareInstances)
	for _, i := range live {
		x := instanceSnapshot{Rule: i.rule.Name, Values: i.values, Since: instant(i.since), Opened: instant(i.opened)}
		if i.state == lingering {
			x.LingerEnds, x.Frozen = instant(i.lingerEnds), i.frozen
		}
		if i.composite != nil {
			x.Composite = i.view()
			x.Suppressed, x.Notified = i.composite.suppressed, i.composite.notified
		}
		t.Instances = append(t.Instances, x)
	}
	return t
}

// Restore makes an engine from a snapshot, the rules and the options. It goes
// on exactly where the other stopped. Rules may differ from those of the
// snapshot: what is open under a rule that did not change stays open with its
// since and id; all else is evaluated again and reported at the next step.
// Options, the topology included, take effect from then on.
func Restore(rules []Rule, options Options, data []byte) (*Engine, error) {
	e, err := New(rules, options)
	if err != nil {
		return nil, err
	}
	var s snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("correlation: snapshot: %w", err)
	}
	if s.Version != snapshotVersion {
		return nil, fmt.Errorf("correlation: snapshot has version %d, want %d", s.Version, snapshotVersion)
	}
	if err := e.restore(&s); err != nil {
		return nil, fmt.Errorf("correlation: snapshot: %w", err)
	}
	return e, nil
}

// Replace exchanges the rules, with the effect that [Restore] describes. If
// the new rules have problems the engine goes on with the old ones.
func (e *Engine) Replace(rules []Rule) error {
	data, err := e.Snapshot()
	if err != nil {
		return err
	}
	next, err := Restore(rules, e.opts, data)
	if err != nil {
		return err
	}
	*e = *next
	return nil
}

func (e *Engine) restore(s *snapshot) error {
	if s.Now.IsZero() {
		return nil // nothing has happened yet
	}
	if !inRange(s.Now) {
		return fmt.Errorf("now is %s, want %w", s.Now, ErrTime)
	}
	e.now, e.stats = nanos(s.Now), s.Stats
	for n := range s.Held {
		if err := s.Held[n].check(&e.opts); err != nil {
			return err
		}
		e.hold(s.Held[n])
	}
	for _, t := range s.Orphans {
		t.order = t.Alert.String()
		e.orphans = append(e.orphans, t)
	}
	unchanged := map[string]*program{}
	for _, p := range e.programs {
		if !p.Disabled && slices.Contains(s.Rules, ruleSnapshot{p.Name, p.text}) {
			unchanged[p.Name] = p
		}
	}
	for n := range s.Tenants {
		t := &s.Tenants[n]
		sp := e.space(t.Tenant)
		for k := range t.Alerts {
			if err := e.restoreAlert(sp, &t.Alerts[k]); err != nil {
				return err
			}
		}
		// A composite must be there before the instances that read it.
		slices.SortStableFunc(t.Instances, func(a, b instanceSnapshot) int {
			return rankOf(unchanged[a.Rule]) - rankOf(unchanged[b.Rule])
		})
		for k := range t.Instances {
			x := &t.Instances[k]
			if p := unchanged[x.Rule]; p != nil {
				if err := e.restoreInstance(sp, p, x); err != nil {
					return err
				}
			} else {
				e.orphan(x)
			}
		}
	}
	e.resume()
	return nil
}

func rankOf(p *program) int {
	if p == nil {
		return -1
	}
	return p.rank
}

// number converts an instant of a snapshot; the zero time gives 0.
func number(t time.Time) int64 {
	if !inRange(t) {
		return 0
	}
	return nanos(t)
}

func (e *Engine) restoreAlert(sp *space, x *alertSnapshot) error {
	key := string(appendKey(nil, x.Name, x.Labels))
	if sp.alerts[key] != nil {
		return fmt.Errorf("alert %s%s of tenant %q stands twice", x.Name, x.Labels, sp.tenant)
	}
	if !inRange(x.Last) {
		return fmt.Errorf("alert %s%s of tenant %q: last is %s, want the time of an event", x.Name, x.Labels, sp.tenant, x.Last)
	}
	a := e.newAlert(sp, x.Name, x.Labels, key)
	sp.alerts[key] = a
	a.since, a.last, a.ends, a.ended = number(x.Since), number(x.Last), number(x.Ends), number(x.Ended)
	a.lastFiring, a.suppressed, a.notified, a.paged = x.Firing, x.Suppressed, x.Notified, x.Paged
	a.severity, a.annotations = x.Severity, x.Annotations
	if !x.Active {
		a.forgetAt = after(a.ended, e.opts.Retention)
		heapPush(&e.timers, timer{at: a.forgetAt, kind: forget, a: a})
		sp.touch(a) // it may still owe something
		return nil
	}
	if a.ends != 0 {
		a.expiryAt = a.ends
		heapPush(&e.timers, timer{at: a.ends, kind: expiry, a: a})
	}
	e.activate(a, e.now)
	return nil
}

// restoreInstance opens an instance without a report.
func (e *Engine) restoreInstance(sp *space, p *program, x *instanceSnapshot) error {
	var by Labels
	for n, v := range x.Values {
		if n < len(p.By) && v != "" {
			by = append(by, Label{p.By[n], v})
		}
	}
	if len(x.Values) != len(p.By) {
		return fmt.Errorf("rule %q has %d BY values, want %d", p.Name, len(x.Values), len(p.By))
	}
	i := e.instance(sp, p, by)
	if i.live() {
		return fmt.Errorf("rule %q with BY values %q of tenant %q stands twice", p.Name, x.Values, sp.tenant)
	}
	i.wake()
	i.since, i.opened = number(x.Since), number(x.Opened)
	i.state = open
	if p.title != "" {
		i.composite = e.newComposite(i)
		i.composite.notified, i.composite.suppressed = x.Notified, x.Suppressed
	}
	holds := i.holds()
	if x.LingerEnds.IsZero() {
		i.updateEvidence(true)
		if i.composite != nil && !p.grounded {
			i.addSupport(i.composite, nil)
		}
	} else {
		i.state, i.lingerEnds, i.frozen = lingering, number(x.LingerEnds), x.Frozen
		for _, w := range i.frozen {
			i.bindWitness(w)
		}
		heapPush(&e.timers, timer{at: i.lingerEnds, kind: lingerEnd, i: i})
	}
	i.updateHidden(true)
	if i.composite != nil {
		e.activate(i.composite, e.now)
	}
	if holds != (i.state == open) {
		e.mark(i, e.now) // cannot happen with the same topology
	}
	return nil
}

// orphan reports, at the next step, the end of a composite whose rule is gone.
func (e *Engine) orphan(x *instanceSnapshot) {
	c := x.Composite
	if c == nil {
		return
	}
	a := Alert{Tenant: c.Tenant, Name: compositeLayer + "." + c.Rule, Labels: c.Labels, Since: c.Since, Severity: c.Severity}
	t := Transition{Kind: Close, Alert: a, Composite: c, order: a.String()}
	e.orphans = append(e.orphans, t)
	if x.Suppressed {
		e.stats.Suppressed--
	}
	if x.Notified {
		t.Kind = Resolve
		e.orphans = append(e.orphans, t)
	}
}

// resume ends a restore: what agrees with the snapshot needs no further look;
// the rest stays listed for the next step.
func (e *Engine) resume() {
	for rank, list := range e.dirty {
		var rest []*instance
		for _, i := range list {
			i.dirty = false
			i.fresh, i.gone = nil, nil
			if i.holds() == (i.state == open) {
				e.rest(i)
				continue
			}
			i.dirty = true
			rest = append(rest, i)
		}
		e.dirty[rank] = rest
	}
	for _, sp := range e.hot {
		sp.ground()
		var rest []*alert
		for _, a := range sp.touched {
			hidden := a.active && len(a.cover) > 0 && !a.released
			waits := a.active && !hidden && !a.notified && e.settleTime(a) <= e.now
			owes := !a.active && a.notified
			if hidden != a.suppressed || waits || owes {
				rest = append(rest, a)
				continue
			}
			a.touched = false
			if due := e.settleTime(a); a.active && !a.notified && due > e.now {
				a.settleAt = due
				heapPush(&e.timers, timer{at: due, kind: settled, a: a})
			}
		}
		sp.touched = rest
	}
}
