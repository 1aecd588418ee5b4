package correlation

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"

	"github.com/evenkeelops/evenkeel/internal/heap"
)

// snapshotVersion is raised when the form changes. Version 2 had no checksum, and is read.
const snapshotVersion = 3

// ErrSnapshot is wrapped by the errors of [Restore], [RestoreDamper] and [RestoreMonitor] about a snapshot: it was changed or cut
// after it was written, or another version wrote it. What it says is not to be used; whoever
// has the events since the beginning makes a new engine of them.
var ErrSnapshot = errors.New("correlation: snapshot")

// castagnoli is the polynomial of CRC-32C (RFC 3720, appendix B.4), which finds every
// change of up to 32 bits in a row.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumSize is the length of the checksum.
const sumSize = 4

// snapshot is the first line of a snapshot, in JSON; the alerts follow it, packed,
// in the order of the tenants, and the CRC-32C of all before it in 4 bytes, the lowest first.
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
	Alerts    int                `json:"alerts"`
	Instances []instanceSnapshot `json:"instances"`
	Silences  []Silence          `json:"silences,omitempty"`
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
	WholeLife  bool       `json:"whole_life,omitempty"` // the lists of the composite are those of its life
}

// Snapshot returns the whole state: a line of JSON, after it the alerts in a form of
// their own, and a checksum. Equal states give equal bytes. It does not hold the rules and
// options themselves, which Restore is given again.
func (e *Engine) Snapshot() ([]byte, error) {
	s := snapshot{
		Version: snapshotVersion, Now: instant.Time(e.now), Stats: e.stats, Orphans: e.orphans,
		Rules: []ruleSnapshot{}, Tenants: []tenantSnapshot{},
	}
	for _, p := range e.programs {
		s.Rules = append(s.Rules, ruleSnapshot{p.Name, p.text})
	}
	held := slices.Clone(e.held)
	slices.SortFunc(held, func(a, b heldEvent) int {
		if a.Before(b) {
			return -1
		}
		return 1
	})
	for _, h := range held {
		s.Held = append(s.Held, h.Event)
	}
	packed := packer{known: map[string]uint64{}}
	for _, tenant := range sortedNames(e.spaces) {
		sp := e.spaces[tenant]
		s.Tenants = append(s.Tenants, sp.snapshot())
		for _, a := range slices.SortedFunc(sp.alerts.All(), compareIdentity) {
			packed.alert(a)
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	out := append(b.Bytes(), packed.out...)
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli)), nil
}

// compareIdentity orders alerts in a way that is quick to find out.
func compareIdentity(a, b *alert) int {
	if a.name != b.name {
		return strings.Compare(a.name.full, b.name.full)
	}
	if x, y := a.labels.names, b.labels.names; x != y {
		switch {
		case x == nil:
			return -1
		case y == nil:
			return 1
		}
		return strings.Compare(x.key, y.key)
	}
	return strings.Compare(a.labels.text, b.labels.text)
}

// snapshot copies the state of a tenant but for its alerts.
func (sp *space) snapshot() tenantSnapshot {
	t := tenantSnapshot{Tenant: sp.tenant, Alerts: sp.alerts.Len(), Instances: []instanceSnapshot{}}
	for _, s := range sp.silences {
		t.Silences = append(t.Silences, s.Silence)
	}
	var live []*instance
	for i := range sp.instances.All() {
		if i.live() {
			live = append(live, i)
		}
	}
	slices.SortFunc(live, compareInstances)
	for _, i := range live {
		x := instanceSnapshot{Rule: i.rule.Name, Values: i.values(), Since: instant.Time(i.since), Opened: instant.Time(i.opened)}
		if i.state == lingering {
			x.LingerEnds, x.Frozen = instant.Time(i.lingerEnds), i.past
		}
		if i.composite != nil {
			x.Composite, x.WholeLife = i.view(), i.life != nil
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
// Options, the topology included, take effect from then on. An error about data wraps
// [ErrSnapshot].
func Restore(rules []Rule, options Options, data []byte) (*Engine, error) {
	e, err := New(rules, options)
	if err != nil {
		return nil, err
	}
	if err := e.read(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
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

// read puts a snapshot into a new engine.
func (e *Engine) read(data []byte) error {
	var s snapshot
	head, packed, _ := bytes.Cut(data, []byte{'\n'})
	if err := json.Unmarshal(head, &s); err != nil {
		return err
	}
	switch s.Version {
	case 2:
	case snapshotVersion:
		end := len(data) - sumSize
		if len(packed) < sumSize {
			return fmt.Errorf("it ends after %d bytes, before its checksum", len(data))
		}
		if got, want := crc32.Checksum(data[:end], castagnoli), binary.LittleEndian.Uint32(data[end:]); got != want {
			return fmt.Errorf("the checksum of its %d bytes is %08x, want %08x: they were changed or cut", end, got, want)
		}
		packed = packed[:len(packed)-sumSize]
	default:
		return fmt.Errorf("it has version %d, want 2 or %d", s.Version, snapshotVersion)
	}
	return e.restore(&s, packed)
}

// restore puts a state into a new engine; packed has the alerts.
func (e *Engine) restore(s *snapshot, packed []byte) error {
	if s.Now.IsZero() {
		if len(packed) > 0 {
			return errPacked
		}
		return nil // nothing has happened yet
	}
	if !instant.InRange(s.Now) {
		return fmt.Errorf("now is %s, want %w", s.Now, ErrTime)
	}
	e.now, e.stats = instant.Of(s.Now), s.Stats
	e.shift()
	for n := range s.Held {
		ev, err := e.opts.ignore(&s.Held[n])
		if err == nil {
			err = cmp.Or(ev.check(&e.opts), ev.checkIdentity(&e.opts))
		}
		if err != nil {
			return err
		}
		e.hold(*ev)
	}
	e.orphans = append(e.orphans, s.Orphans...)
	unchanged := map[string]*program{}
	for _, p := range e.programs {
		if !p.Disabled && slices.Contains(s.Rules, ruleSnapshot{p.Name, p.text}) {
			unchanged[p.Name] = p
		}
	}
	u := unpacker{rest: string(packed)}
	for n := range s.Tenants {
		t := &s.Tenants[n]
		if t.Alerts < 0 || t.Alerts > len(packed) {
			return errPacked
		}
		for n := range t.Silences {
			if got := t.Silences[n].Tenant; got != t.Tenant {
				return fmt.Errorf("a silence of tenant %q stands with tenant %q", got, t.Tenant)
			}
		}
		silences, err := compileSilences(t.Silences)
		if err != nil {
			return err
		}
		sp := e.space(t.Tenant)
		sp.silences = silences[t.Tenant]
		for range t.Alerts {
			if err := u.alert(e, sp); err != nil {
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
	if u.rest != "" {
		return errPacked
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
	if !instant.InRange(t) {
		return 0
	}
	return instant.Of(t)
}

// resurrect lets an alert of a snapshot go on.
func (e *Engine) resurrect(a *alert, active bool) {
	if !active {
		a.leaving = true
		heap.Push(&e.timers, timer{at: instant.After(a.ended, e.opts.Retention), kind: forget, a: a})
		a.sp.touch(a) // it may still owe something
		return
	}
	if a.ends != 0 {
		a.expiryAt = a.ends
		heap.Push(&e.timers, timer{at: a.ends, kind: expiry, a: a})
	}
	e.activate(a, e.now)
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
	e.key = e.key[:0]
	for _, name := range p.By {
		e.key = prefixed.Append(e.key, by.Get(name))
	}
	i := e.instanceOf(sp, p)
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
	if c := x.Composite; e.opts.WholeLife && c != nil && p.title != "" {
		i.life = &life{map[string]bool{}, map[string]bool{}}
		if x.WholeLife {
			for _, text := range c.Evidence {
				i.life.evidence[text] = true
			}
			for _, text := range c.Suppressed {
				i.life.suppressed[text] = true
			}
		}
	}
	holds := i.holds()
	if x.LingerEnds.IsZero() {
		i.updateEvidence(true)
		if i.composite != nil && !p.grounded {
			i.addSupport(i.composite, nil)
		}
	} else {
		own := i.own() // whatever the rule says
		i.state, own.lingerEnds, own.past = lingering, number(x.LingerEnds), x.Frozen
		for _, w := range i.past {
			i.bindWitness(w, 1)
		}
		i.hush()
		heap.Push(&e.timers, timer{at: i.lingerEnds, kind: lingerEnd, i: i})
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
	c.Lingers = time.Time{}
	a := Alert{Tenant: c.Tenant, Name: compositeLayer + "." + c.Rule, Labels: c.Labels, Since: c.Since, Severity: c.Severity}
	t := Transition{Kind: Close, Alert: a, Composite: c}
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
			if i.holds() == (i.state == open) {
				i.settle()
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
			hidden := a.isHidden()
			waits := a.active && !hidden && !a.notified && e.settleTime(a) <= e.now
			owes := !a.active && a.notified
			if hidden != a.suppressed || waits || owes {
				rest = append(rest, a)
				continue
			}
			a.touched = false
			if due := e.settleTime(a); a.active && !a.notified && due > e.now {
				a.settling = true
				heap.Push(&e.timers, timer{at: due, kind: settled, a: a})
			}
		}
		sp.touched = rest
	}
}
