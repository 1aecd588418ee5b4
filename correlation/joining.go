package correlation

import (
	"math/bits"
	"slices"

	"github.com/evenkeelops/evenkeel/correlation/internal/prefixed"
)

// joining is how an instance of a rule with variables finds which targets join
// which bindings. Targets that have the same value where a join looks stand in one
// slot; slots and bindings within reach of each other are linked once and keep the
// link, so a target that comes or goes costs no look-up, and a binding that comes or
// goes concerns its slots alone.
type joining struct {
	bound   []map[string]*binding       // per variable, by bindingKey
	index   []map[labelValue][]*binding // per variable with several labels, by one of them
	slots   []map[string]*slot          // per place of program.probes
	waiting []*slot                     // whose bindings have come or gone since the last evaluation
	rejoin  bool                        // all targets must be joined again
	unused  int                         // bindings and slots of nobody
	used    int                         // the others
}

type labelValue struct {
	arg   int // among variable.labels
	value string
}

// binding is one distinct combination of the labels that joins compare.
type binding struct {
	v      int
	key    string
	values []string
	one    [1]string // values of most
	n      int       // alerts
	slots  []*slot
	gone   bool // not known to the joining any more
}

// slot holds the targets of one selector that have one value of the label at which a
// join looks.
type slot struct {
	probe   int // of program.probes
	value   string
	members []*member
	links   []*binding
	bound   int // of those, bindings of somebody
	waiting bool
	gone    bool
}

// probe is a join that finds targets from a binding.
type probe struct {
	sel int // of program.targets
	of  *join
}

// joined is what a member of a rule with variables knows: where it stands as a
// target, and what it is bound to. With WITHIN it is the mark.
type joined struct {
	places   []place    // per probe of its selectors
	bindings []*binding // per variable
	mark     uint32     // epoch of the last sweep in which a window held it
}

type place struct {
	slot *slot
	pos  int
}

func newJoining(p *program) *joining {
	g := &joining{bound: make([]map[string]*binding, len(p.vars)), index: make([]map[labelValue][]*binding, len(p.vars)), slots: make([]map[string]*slot, len(p.probes))}
	for v := range g.bound {
		g.bound[v] = map[string]*binding{}
		if len(p.vars[v].labels) > 1 {
			g.index[v] = map[labelValue][]*binding{}
		}
	}
	for n := range g.slots {
		g.slots[n] = map[string]*slot{}
	}
	return g
}

// enter puts an active target into its slots.
func (i *instance) enter(m *member) {
	if m.match.probes == 0 {
		return
	}
	g, places, k := i.joins(), m.joined.places, 0
	for n := range i.rule.probes {
		if m.match.sels&(1<<i.rule.probes[n].sel) == 0 {
			continue
		}
		at := &places[k]
		k++
		if at.slot == nil || at.slot.gone {
			at.slot = g.slot(i.rule, n, m)
		}
		if len(at.slot.members) == 0 {
			g.use(1)
		}
		at.pos = len(at.slot.members)
		at.slot.members = append(at.slot.members, m)
	}
}

// leave takes a target out of its slots.
func (i *instance) leave(m *member) {
	if m.match.probes == 0 {
		return
	}
	for n := range m.joined.places {
		at := m.joined.places[n]
		list := at.slot.members
		last := list[len(list)-1]
		list[at.pos] = last
		for k := range last.joined.places {
			if p := &last.joined.places[k]; p.slot == at.slot {
				p.pos = at.pos
			}
		}
		list[len(list)-1] = nil
		at.slot.members = list[:len(list)-1]
		if len(list) == 1 {
			i.joining.use(-1)
		}
	}
}

// joins returns the joining of the instance.
func (i *instance) joins() *joining {
	if i.joining == nil {
		i.own().joining = newJoining(i.rule)
	}
	return i.joining
}

// use counts a slot or a binding that somebody uses, or does not use, any more.
func (g *joining) use(d int) {
	g.used += d
	g.unused -= d
}

// slot finds or makes the slot of a target.
func (g *joining) slot(p *program, n int, m *member) *slot {
	j := p.probes[n].of
	q := &j.preds[j.probe]
	value := m.a.labels.Get(q.label)
	s := g.slots[n][value]
	if s != nil {
		return s
	}
	s = &slot{probe: n, value: value}
	g.slots[n][value] = s
	g.unused++
	for _, near := range p.reach(q, value) {
		for _, b := range g.having(p, j.v, q.arg, near) {
			link(b, s)
		}
	}
	return s
}

// reach lists the values that are within reach of one.
func (p *program) reach(q *joinPredicate, value string) []string {
	switch {
	case q.op != Near:
		return []string{value}
	case value == "":
		return nil
	default:
		return p.graph.ball(value, q.hops)
	}
}

// having lists the bindings with a value.
func (g *joining) having(p *program, v, arg int, value string) []*binding {
	if len(p.vars[v].labels) > 1 {
		return g.index[v][labelValue{arg, value}]
	}
	if b := g.bound[v][value]; b != nil {
		return []*binding{b}
	}
	return nil
}

func link(b *binding, s *slot) {
	b.slots = append(b.slots, s)
	s.links = append(s.links, b)
	if b.n > 0 {
		s.bound++
	}
}

// binding finds or makes the binding of labels.
func (g *joining) binding(p *program, v int, get func(string) string) *binding {
	names := p.vars[v].labels
	key := bindingKey(names, get)
	b := g.bound[v][key]
	if b != nil {
		return b
	}
	b = &binding{v: v, key: key}
	if len(names) == 1 {
		b.one[0] = key
		b.values = b.one[:]
	} else {
		for _, name := range names {
			b.values = append(b.values, get(name))
		}
	}
	g.bound[v][key] = b
	g.unused++
	if len(names) > 1 {
		for n, value := range b.values {
			at := labelValue{n, value}
			g.index[v][at] = append(g.index[v][at], b)
		}
	}
	for n := range p.probes {
		j := p.probes[n].of
		if j.v != v {
			continue
		}
		q := &j.preds[j.probe]
		for _, near := range p.reach(q, b.values[q.arg]) {
			if s := g.slots[n][near]; s != nil {
				link(b, s)
			}
		}
	}
	return b
}

// bindingKey is the value itself for one label.
func bindingKey(names []string, get func(string) string) string {
	if len(names) == 1 {
		return get(names[0])
	}
	var b []byte
	for _, name := range names {
		b = prefixed.Append(b, get(name))
	}
	return string(b)
}

// bind adds or takes away the alert of a member that is evidence.
func (i *instance) bind(m *member, d int) {
	for v := range i.rule.vars {
		x := &i.rule.vars[v]
		if m.match.conds&(1<<x.cond) == 0 || len(x.labels) == 0 {
			continue
		}
		g, known := i.joins(), m.joined.bindings
		if b := known[v]; b == nil || b.gone {
			known[v] = g.binding(i.rule, v, m.a.labels.Get)
		}
		g.count(i.rule, known[v], d)
	}
}

// bindWitness does the same for evidence that is over.
func (i *instance) bindWitness(w witness, d int) {
	for v := range i.rule.vars {
		x := &i.rule.vars[v]
		if w.Conds&(1<<x.cond) == 0 || len(x.labels) == 0 {
			continue
		}
		g := i.joins()
		g.count(i.rule, g.binding(i.rule, v, w.Labels.Get), d)
	}
}

// count adds to the alerts of a binding.
func (g *joining) count(p *program, b *binding, d int) {
	before := b.n
	b.n += d
	if before > 0 == (b.n > 0) {
		return
	}
	g.use(d)
	if !p.vars[b.v].probed {
		g.rejoin = true
	}
	for _, s := range b.slots {
		s.bound += d
		// What more than one predicate decides can change with each of the bindings.
		few := s.bound == 0 || d > 0 && s.bound == 1
		if (few || len(p.probes[s.probe].of.preds) > 1) && !s.waiting && len(s.members) > 0 {
			s.waiting = true
			g.waiting = append(g.waiting, s)
		}
	}
}

// sweep forgets slots and bindings of nobody when they outnumber the others.
func (g *joining) sweep() {
	const few = 64
	if g.unused <= few+2*g.used {
		return
	}
	for _, slots := range g.slots {
		for value, s := range slots {
			if s.gone = len(s.members) == 0; s.gone {
				delete(slots, value)
			}
		}
	}
	for v, bound := range g.bound {
		for key, b := range bound {
			if b.gone = b.n == 0; b.gone {
				delete(bound, key)
			} else {
				b.slots = slices.DeleteFunc(b.slots, func(s *slot) bool { return s.gone })
			}
		}
		for at, list := range g.index[v] {
			if list = slices.DeleteFunc(list, func(b *binding) bool { return b.gone }); len(list) == 0 {
				delete(g.index[v], at)
			} else {
				g.index[v][at] = list
			}
		}
	}
	for _, slots := range g.slots {
		for _, s := range slots {
			s.links = slices.DeleteFunc(s.links, func(b *binding) bool { return b.gone })
		}
	}
	g.unused = 0
}

// joined reports whether one of the selectors that match m finds an alert for
// each of its variables.
func (i *instance) joined(m *member) bool {
	place := 0
	for s := m.match.sels; s != 0; s &= s - 1 {
		t := &i.rule.targets[bits.TrailingZeros64(s)]
		all := true
		for n := range t.joins {
			j := &t.joins[n]
			if j.probe < 0 {
				all = all && i.finds(j, m)
				continue
			}
			slot := m.joined.places[place].slot
			place++
			all = all && slot.bound > 0 && (len(j.preds) == 1 || slices.ContainsFunc(slot.links, func(b *binding) bool {
				return b.n > 0 && j.holds(b, &m.a.labels, i.rule.graph)
			}))
		}
		if all {
			return true
		}
	}
	return false
}

// finds goes through all bindings of the variable of a join.
func (i *instance) finds(j *join, m *member) bool {
	if i.joining == nil {
		return false
	}
	for _, b := range i.joining.bound[j.v] {
		if b.n > 0 && j.holds(b, &m.a.labels, i.rule.graph) {
			return true
		}
	}
	return false
}

// holds reports whether a target satisfies all predicates with one binding.
func (j *join) holds(b *binding, l *labels, g *graph) bool {
	for n := range j.preds {
		q := &j.preds[n]
		v := b.values[q.arg]
		ok := false
		switch {
		case q.op == Near:
			entity := g.entity(l)
			ok = entity != "" && v != "" && g.near(entity, v, q.hops)
		case q.label == dependsOn:
			ok = g.alertDepends(l, v) == (q.op == Equals)
		default:
			ok = (l.Get(q.label) == v) == (q.op == Equals)
		}
		if !ok {
			return false
		}
	}
	return true
}
