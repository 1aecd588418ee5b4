package correlation

import "slices"

// No black hole: a hidden alert needs a visible alert that stands for it. An
// instance is grounded, and with it all that it hides, if it lingers, if
// nothing hides one of its supporting alerts (its evidence and its composite),
// or if one of them is hidden by a grounded instance. What is left are
// instances that only hide each other's evidence. Each closed group of them (a
// strongly connected component that no edge leaves) lets its earliest
// supporting alert go; that one then stands for the group and for all that
// leads to it.
//
// The graph has instances as nodes and an edge from the one to the other where
// a supporting alert of the one is hidden by the other. Only nodes that lead to
// a change are looked at again.

// support is one entry of the heap that finds the earliest supporting alert.
// Entries of alerts that left are dropped when they come up.
type support struct {
	since int64
	a     *alert
	m     *member // nil for the composite
}

func (s support) valid(i *instance) bool {
	if s.m == nil {
		return i.composite == s.a
	}
	return s.m.inst == i && s.m.evidence && s.a.since == s.since
}

func (s support) before(o support) bool { return s.a.before(o.a) }

func (i *instance) addSupport(a *alert, m *member) {
	if len(i.stands) > 2*i.support+16 {
		i.stands = slices.DeleteFunc(i.stands, func(s support) bool { return !s.valid(i) })
		heapInit(i.stands)
	}
	heapPush(&i.stands, support{a.since, a, m})
	i.support++
	a.supports = append(a.supports, i)
	if len(a.cover) == 0 {
		i.visible++
	}
	for _, c := range a.cover {
		i.edge(c, 1)
	}
	if i.visible <= 1 {
		i.sp.flag(i)
	}
}

func (i *instance) removeSupport(a *alert) {
	i.support--
	n := slices.Index(a.supports, i)
	a.supports[n] = a.supports[len(a.supports)-1]
	a.supports = a.supports[:len(a.supports)-1]
	if len(a.cover) == 0 {
		i.visible--
	}
	for _, c := range a.cover {
		i.edge(c, -1)
	}
	if i.visible == 0 {
		i.sp.flag(i)
	}
}

// earliest returns the first supporting alert by (since, printed form).
func (i *instance) earliest() *alert {
	for len(i.stands) > 0 {
		if s := i.stands[0]; s.valid(i) {
			return s.a
		}
		heapPop(&i.stands)
	}
	return nil
}

// edge counts supporting alerts of i that j hides.
func (i *instance) edge(j *instance, d int32) {
	if i.out == nil {
		i.out = map[*instance]int32{}
	}
	if j.in == nil {
		j.in = map[*instance]int32{}
	}
	before := i.out[j]
	after := before + d
	if after == 0 {
		delete(i.out, j)
		delete(j.in, i)
	} else {
		i.out[j] = after
		j.in[i] = after
	}
	if i.visible == 0 && (before == 0 || after == 0) {
		i.sp.flag(i)
	}
}

// floating reports whether i is open and nothing visible supports it.
func (i *instance) floating() bool {
	return i.state == open && !i.rule.grounded && i.visible == 0 && i.support > 0
}

// visit is what one look at the graph notes on a node.
type visit struct {
	round   uint64 // the look that reached it
	pending bool   // it may still turn out to lead to nothing visible
	number  int    // Tarjan: from 1 in the order of discovery
	low     int
	group   int // from 1 when its component is complete
}

func (i *instance) seen(round uint64) bool { return i.visit.round == round }

// ground decides again what to release, for all instances that lead to one of
// the flagged ones.
func (sp *space) ground() {
	if len(sp.flagged) == 0 {
		return
	}
	sp.round++
	queue := sp.flagged
	for _, i := range queue {
		i.visit = visit{round: sp.round}
		i.flagged = false
	}
	for n := 0; n < len(queue); n++ {
		for j := range queue[n].in {
			if !j.seen(sp.round) && j.floating() {
				j.visit = visit{round: sp.round}
				queue = append(queue, j)
			}
		}
	}
	nodes := queue[:0]
	for _, i := range queue {
		if a := i.release; a != nil {
			i.release = nil
			a.released = false
			sp.touch(a)
		}
		if i.floating() {
			i.visit.pending = true
			nodes = append(nodes, i)
		}
	}
	sp.anchor(nodes)
	for _, group := range closedGroups(nodes) {
		var first *alert
		for _, i := range group {
			if a := i.earliest(); first == nil || a.before(first) {
				first = a
			}
		}
		first.released = true
		sp.touch(first)
		for _, i := range group {
			i.release = first
		}
	}
	clear(queue)
	sp.flagged = queue[:0]
}

// anchor clears pending on all nodes that lead to something visible.
func (sp *space) anchor(nodes []*instance) {
	var found []*instance
	for _, i := range nodes {
		for j := range i.out {
			// A floating instance that this look did not reach is represented
			// already: its answer cannot have changed.
			if !j.floating() || !j.seen(sp.round) {
				found = append(found, i)
				break
			}
		}
	}
	for len(found) > 0 {
		i := found[len(found)-1]
		found = found[:len(found)-1]
		if !i.visit.pending {
			continue
		}
		i.visit.pending = false
		for j := range i.in {
			if j.seen(sp.round) && j.visit.pending {
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
		for j := range i.out {
			if j.visit.pending {
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
		i.visit.number, i.visit.low = found, found
		stack = append(stack, i)
		return step{i, successors(i)}
	}
	for _, root := range nodes {
		if !root.visit.pending || root.visit.number > 0 {
			continue
		}
		path := []step{enter(root)}
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.next) > 0 {
				j := top.next[len(top.next)-1]
				top.next = top.next[:len(top.next)-1]
				switch {
				case j.visit.number == 0:
					path = append(path, enter(j))
				case j.visit.group == 0:
					top.i.visit.low = min(top.i.visit.low, j.visit.number)
				}
				continue
			}
			i := top.i
			path = path[:len(path)-1]
			if len(path) > 0 {
				parent := path[len(path)-1].i
				parent.visit.low = min(parent.visit.low, i.visit.low)
			}
			if i.visit.low != i.visit.number {
				continue
			}
			at := slices.Index(stack, i)
			members := slices.Clone(stack[at:])
			stack = stack[:at]
			groups = append(groups, members)
			for _, j := range members {
				j.visit.group = len(groups)
			}
		}
	}
	return slices.DeleteFunc(groups, func(members []*instance) bool {
		for _, i := range members {
			for _, j := range successors(i) {
				if j.visit.group != i.visit.group {
					return true
				}
			}
		}
		return false
	})
}
