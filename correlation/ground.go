package correlation

import (
	"cmp"
	"slices"

	"github.com/evenkeelops/evenkeel/internal/heap"
)

// No black hole: a hidden alert needs a visible alert that stands for it. An
// instance is grounded, and with it all that it hides, if it lingers, if
// nothing hides one of its supporting alerts (its evidence and its composite),
// or if one of them is hidden by a grounded instance. What is left are
// instances that only hide each other's evidence. Each closed group of them (a
// strongly connected component that no edge leaves) lets its earliest
// supporting alert go; that one then stands for the group and for all that
// leads to it.
//
// With StrictSilence, visible means visible and not silenced, a lingering instance is
// grounded if not all of its evidence and its composite are silenced, and the alert that
// is let go is one that is not silenced. An instance from which no alert leads on that
// is not silenced is mute: it hides nothing.
//
// The graph has instances as nodes and an edge from the one to the other where
// a supporting alert of the one is hidden by the other. Only nodes that lead to
// a change are looked at again.

// footing is kept for instances that hide a supporting alert of one, and for those
// of which one is hidden; the others stand for themselves.
type footing struct {
	stands  []support           // heap of the supporting alerts, and of some that left; nil until it is asked for
	out, in map[*instance]int32 // number of supporting alerts of the one hidden by the other
	release *alert
	flagged bool
	hushed  bool // lingering, and nobody was told of what it stands on
	mute    bool // see isMute
	visit   visit
}

// foot returns the footing of an instance.
func (i *instance) foot() *footing {
	if i.footing == nil {
		i.footing = &footing{}
	}
	return i.footing
}

// support is one entry of the heap that finds the earliest evidence. Entries of
// alerts that left or are silenced are dropped when they come up.
type support struct {
	since int64
	m     *member
}

// valid reports whether the entry is of an alert that the instance stands on.
func (s support) valid(i *instance) bool {
	return s.m.inst == i && s.m.evidence && s.m.a.since == s.since && !s.m.a.silenced
}

// Before goes by the onset of the entry: that of an alert that left and came back
// is another by now, and a heap must not change under its entries.
func (s support) Before(o support) bool {
	return cmp.Or(cmp.Compare(s.since, o.since), compareAlerts(s.m.a, o.m.a)) < 0
}

// addSupport notes that the instance stands on an alert: on that of a member, which
// is evidence from now on, or, without one, on its composite.
func (i *instance) addSupport(a *alert, m *member) {
	if m == nil {
		a.more.supports = true
	} else if !a.silenced {
		i.stand(m)
	}
	i.support++
	switch {
	case a.silenced:
		i.silent++
	case a.covers == 0:
		i.visible++
	}
	for c := range a.covering() {
		i.edge(c, 1)
	}
	if i.visible <= 1 {
		i.sp.flag(i)
	}
}

// stand lists a member among those of which the earliest is let go.
func (i *instance) stand(m *member) {
	f := i.footing
	if f == nil || f.stands == nil {
		return
	}
	if len(f.stands) > 2*int(i.support)+16 {
		f.stands = slices.DeleteFunc(f.stands, func(s support) bool { return !s.valid(i) })
		slices.SortFunc(f.stands, func(s, t support) int {
			return cmp.Or(cmp.Compare(s.since, t.since), cmp.Compare(s.m.a.seq, t.m.a.seq))
		})
		f.stands = slices.Compact(f.stands) // what was silenced for a while stands twice
		heap.Init(f.stands)
	}
	heap.Push(&f.stands, support{m.a.since, m})
}

// removeSupport undoes addSupport.
func (i *instance) removeSupport(a *alert) {
	i.support--
	switch {
	case a.silenced:
		i.silent--
	case a.covers == 0:
		i.visible--
	}
	for c := range a.covering() {
		i.edge(c, -1)
	}
	if i.visible == 0 {
		i.sp.flag(i)
	}
}

// earliest returns the first supporting alert by (since, printed form) that is not
// silenced, nil if there is none.
func (i *instance) earliest() *alert {
	f := i.footing
	if f.stands == nil {
		f.stands = make([]support, 0, i.support)
		for _, m := range i.members {
			if m.evidence && !m.a.silenced {
				f.stands = append(f.stands, support{m.a.since, m})
			}
		}
		heap.Init(f.stands)
	}
	for len(f.stands) > 0 && !f.stands[0].valid(i) {
		heap.Pop(&f.stands)
	}
	first := i.composite
	if first != nil && first.silenced {
		first = nil
	}
	if len(f.stands) > 0 && (first == nil || f.stands[0].m.a.before(first)) {
		first = f.stands[0].m.a
	}
	return first
}

// edge counts supporting alerts of i that j hides.
func (i *instance) edge(j *instance, d int32) {
	from, to := i.foot(), j.foot()
	if from.out == nil {
		from.out = map[*instance]int32{}
	}
	if to.in == nil {
		to.in = map[*instance]int32{}
	}
	before := from.out[j]
	after := before + d
	if after == 0 {
		delete(from.out, j)
		delete(to.in, i)
	} else {
		from.out[j] = after
		to.in[i] = after
	}
	if i.visible == 0 && (before == 0 || after == 0 || i.sp.strict) {
		i.sp.flag(i)
	}
}

// floating reports whether i is open and nothing visible supports it, or lingers and
// stands for nothing of which somebody was told.
func (i *instance) floating() bool {
	if i.state == lingering {
		return i.footing != nil && i.footing.hushed
	}
	return i.state == open && !i.rule.grounded && i.visible == 0 && i.support > 0
}

// visit is what one look at the graph notes on a node.
type visit struct {
	round   uint64 // the look that reached it
	pending bool   // it may still turn out to lead to nothing visible
	voiced  bool   // it leads to an alert that is not silenced
	number  int    // Tarjan: from 1 in the order of discovery
	low     int
	group   int // from 1 when its component is complete
}

// seen reports whether a look has reached the instance, which has a footing.
func (i *instance) seen(round uint64) bool { return i.footing.visit.round == round }

// ground decides again what to release, for all instances that lead to one of
// the flagged ones.
func (sp *space) ground() {
	if len(sp.flagged) == 0 {
		return
	}
	sp.round++
	queue := sp.flagged
	for _, i := range queue {
		i.footing.visit = visit{round: sp.round}
		i.footing.flagged = false
	}
	for n := 0; n < len(queue); n++ {
		for j := range queue[n].footing.in {
			if !j.seen(sp.round) && j.floating() {
				j.footing.visit = visit{round: sp.round}
				queue = append(queue, j)
			}
		}
	}
	nodes := queue[:0]
	for _, i := range queue {
		if a := i.footing.release; a != nil {
			i.footing.release = nil
			a.released = false
			sp.touch(a)
		}
		if i.floating() {
			i.footing.visit.pending = true
			nodes = append(nodes, i)
		} else {
			i.setMute(false)
		}
	}
	sp.hush(nodes)
	sp.anchor(nodes)
	for _, group := range closedGroups(nodes) {
		var first *alert
		for _, i := range group {
			if a := i.earliest(); first == nil || a != nil && a.before(first) {
				first = a
			}
		}
		first.released = true
		sp.touch(first)
		for _, i := range group {
			i.footing.release = first
		}
	}
	clear(queue)
	sp.flagged = queue[:0]
}

// anchor clears pending on all nodes that lead to something visible.
func (sp *space) anchor(nodes []*instance) {
	var found []*instance
	for _, i := range nodes {
		if i.footing.visit.pending && (i.leadsOut() || sp.strict && i.speaks()) {
			found = append(found, i)
		}
	}
	for len(found) > 0 {
		i := found[len(found)-1]
		found = found[:len(found)-1]
		if !i.footing.visit.pending {
			continue
		}
		i.footing.visit.pending = false
		for j := range i.footing.in {
			if j.seen(sp.round) && j.footing.visit.pending {
				found = append(found, j)
			}
		}
	}
}

// closedGroups returns the strongly connected components of the pending nodes
// that no edge leaves (Tarjan 1972, without recursion).
func closedGroups(nodes []*instance) [][]*instance {
	type step struct {
		i    *instance
		next []*instance // successors still to look at
	}
	successors := func(i *instance) (list []*instance) {
		for j := range i.footing.out {
			if j.footing.visit.pending {
				list = append(list, j)
			}
		}
		return list
	}
	var stack []*instance
	var groups [][]*instance
	found := 0
	enter := func(i *instance) step {
		found++
		i.footing.visit.number, i.footing.visit.low = found, found
		stack = append(stack, i)
		return step{i, successors(i)}
	}
	for _, root := range nodes {
		if !root.footing.visit.pending || root.footing.visit.number > 0 {
			continue
		}
		path := []step{enter(root)}
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.next) > 0 {
				j := top.next[len(top.next)-1]
				top.next = top.next[:len(top.next)-1]
				switch {
				case j.footing.visit.number == 0:
					path = append(path, enter(j))
				case j.footing.visit.group == 0:
					top.i.footing.visit.low = min(top.i.footing.visit.low, j.footing.visit.number)
				}
				continue
			}
			i := top.i
			path = path[:len(path)-1]
			if len(path) > 0 {
				parent := path[len(path)-1].i
				parent.footing.visit.low = min(parent.footing.visit.low, i.footing.visit.low)
			}
			if i.footing.visit.low != i.footing.visit.number {
				continue
			}
			at := slices.Index(stack, i)
			members := slices.Clone(stack[at:])
			stack = stack[:at]
			groups = append(groups, members)
			for _, j := range members {
				j.footing.visit.group = len(groups)
			}
		}
	}
	return slices.DeleteFunc(groups, func(members []*instance) bool {
		for _, i := range members {
			for _, j := range successors(i) {
				if j.footing.visit.group != i.footing.visit.group {
					return true
				}
			}
		}
		return false
	})
}
