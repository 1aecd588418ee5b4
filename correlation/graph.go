package correlation

import (
	"cmp"
	"slices"
)

// Graph is a [Topology] prepared for questions. It does not change and is safe
// for concurrent use. Make one with [NewGraph].
type Graph struct {
	label   string
	kinds   map[string]string
	regions map[string]string
	parts   map[string][]string
	ids     map[string]int // of the nodes of edges and redundancies
	names   []string       // sorted, so that ids compare as names
	down    [][]arrow      // dependent -> dependencies, by id
	up      [][]arrow      // dependency -> dependents, by id
	spare   []int          // by redundancy: members that may fail
	scc     []int          // component of each node with all arrows alive; nil if there are redundancies
}

// arrow is one direction of a dependency.
type arrow struct {
	node  int
	group int // index of the redundancy that it is part of, -1: none
}

// NewGraph checks and prepares a topology, in time that grows with its size as
// sorting does. All problems are returned together, as joined [*TopologyError]
// values. Nothing of t is kept but its maps, which must not change.
func NewGraph(t *Topology) (*Graph, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	g := &Graph{label: t.EntityLabel, kinds: t.Kinds, regions: t.Regions, parts: t.Parts, ids: map[string]int{}}
	if g.label == "" {
		g.label = DefaultEntityLabel
	}
	var list []dependency
	connect := func(from, to string, group int) {
		list = append(list, dependency{g.number(from), g.number(to), group})
	}
	for _, e := range t.Edges {
		connect(e.Dependent, e.Dependency, -1)
	}
	for n, r := range t.Redundant {
		for _, d := range r.Dependencies {
			connect(r.Dependent, d, n)
		}
	}
	order := make([]int, len(g.names)) // from numbers to ids in the order of names
	sorted := slices.Sorted(slices.Values(g.names))
	for id, name := range sorted {
		order[g.ids[name]] = id
		g.ids[name] = id
	}
	g.names = sorted
	for i := range list {
		list[i].from, list[i].to = order[list[i].from], order[list[i].to]
	}
	g.down = arrowsOf(list, len(g.names))
	for i := range list {
		list[i].from, list[i].to = list[i].to, list[i].from
	}
	g.up = arrowsOf(list, len(g.names))
	for _, r := range t.Redundant {
		g.spare = append(g.spare, len(r.Dependencies)-r.Need)
	}
	if len(g.spare) == 0 {
		g.scc = components(g.down, nil)
	}
	return g, nil
}

// dependency is one arrow with its start.
type dependency struct {
	from, to, group int
}

// number returns the number of a node in the order of first sight.
func (g *Graph) number(name string) int {
	n, ok := g.ids[name]
	if !ok {
		n = len(g.names)
		g.ids[name] = n
		g.names = append(g.names, name)
	}
	return n
}

// arrowsOf returns the arrows of each node by target and group, without doubles.
// It sorts the list.
func arrowsOf(list []dependency, nodes int) [][]arrow {
	slices.SortFunc(list, func(a, b dependency) int { return cmp.Or(a.from-b.from, a.to-b.to, a.group-b.group) })
	all := make([]arrow, 0, len(list))
	arrows := make([][]arrow, nodes)
	for i := 0; i < len(list); {
		from, start := list[i].from, len(all)
		for ; i < len(list) && list[i].from == from; i++ {
			if l := (arrow{list[i].to, list[i].group}); len(all) == start || all[len(all)-1] != l {
				all = append(all, l)
			}
		}
		arrows[from] = all[start:len(all):len(all)]
	}
	return arrows
}

// Has reports whether an entity stands in an edge or a redundancy.
func (g *Graph) Has(entity string) bool {
	_, ok := g.ids[entity]
	return ok
}

// EntityLabel returns the label that names the node of an alert.
func (g *Graph) EntityLabel() string { return g.label }

// Parts returns the parts of each whole. The map is shared and must not be
// changed.
func (g *Graph) Parts() map[string][]string { return g.parts }

// Impact is an entity that breaks because of another.
type Impact struct {
	Entity string `json:"entity"`
	Kind   string `json:"kind,omitempty"`
	Region string `json:"region,omitempty"`
	Hops   int    `json:"hops"` // to the entity that failed, at least 1
	// Via is the dependency that breaks it. Where a redundancy breaks, it is the
	// member that was one too many.
	Via string `json:"via"`

	via int // index of Via in the list, -1: it is one that failed
}

// Impacts is a blast radius, sorted by hops, then name.
type Impacts []Impact

// Path returns the way from the entity at index i along its dependencies to the
// one that failed, both included. It belongs to a list of [Graph.Impact] as it
// was returned.
func (l Impacts) Path(i int) []string {
	path := make([]string, 0, l[i].Hops+1)
	for ; i >= 0; i = l[i].via {
		path = append(path, l[i].Entity)
		if l[i].via < 0 {
			path = append(path, l[i].Via)
		}
	}
	return path
}

// Impact returns the blast radius: what breaks, directly or in the end, if
// these entities fail. A plain dependency breaks its dependent; a [Redundancy]
// does once fewer than Need of its members are healthy. The failed ones are not
// listed. It takes time in proportion to what it reaches, besides a few words
// for each node.
func (g *Graph) Impact(failed ...string) Impacts {
	var seeds []int
	for _, name := range failed {
		if id, ok := g.ids[name]; ok {
			seeds = append(seeds, id)
		}
	}
	order, via, _ := g.spread(seeds)
	list := make(Impacts, 0, len(order))
	at := make(map[int]int, len(order)) // node -> index in list
	for _, n := range order {
		if via[n] == n { // a seed
			continue
		}
		x := Impact{Entity: g.names[n], Kind: g.kinds[g.names[n]], Region: g.regions[g.names[n]], Hops: 1, Via: g.names[via[n]], via: -1}
		if i, ok := at[via[n]]; ok {
			x.via, x.Hops = i, list[i].Hops+1
		}
		at[n] = len(list)
		list = append(list, x)
	}
	return list
}

// spread returns the nodes that are broken if the seeds are, seeds first, in
// layers sorted by name, with the dependency that broke each (itself for a
// seed, -1 for what is whole), and which groups have failed.
func (g *Graph) spread(seeds []int) (order, via []int, failed []bool) {
	via = make([]int, len(g.names))
	for n := range via {
		via[n] = -1
	}
	broken := make([]int, len(g.spare)) // members so far
	failed = make([]bool, len(g.spare))
	for _, n := range seeds {
		if via[n] < 0 {
			via[n] = n
			order = append(order, n)
		}
	}
	slices.Sort(order)
	for from := 0; from < len(order); {
		to := len(order)
		for ; from < to; from++ {
			n := order[from]
			for _, l := range g.up[n] {
				if l.group >= 0 {
					broken[l.group]++
					failed[l.group] = broken[l.group] > g.spare[l.group]
					if !failed[l.group] {
						continue
					}
				}
				if via[l.node] < 0 {
					via[l.node] = n
					order = append(order, l.node)
				}
			}
		}
		slices.Sort(order[to:])
	}
	return order, via, failed
}

// Path returns a shortest way along dependencies, redundant ones included, from
// a dependent to what it needs, both included and over at least one hop; of
// several the first by name. It is nil if there is none.
func (g *Graph) Path(dependent, dependency string) []string {
	from, known := g.ids[dependent]
	to, ok := g.ids[dependency]
	if !known || !ok {
		return nil
	}
	before := map[int]int{}
	found := false
	layer := []int{from}
	for len(layer) > 0 && !found {
		var next []int
		for _, n := range layer {
			for _, l := range g.down[n] {
				if _, seen := before[l.node]; seen {
					continue
				}
				before[l.node] = n
				found = found || l.node == to
				next = append(next, l.node)
			}
		}
		layer = next
	}
	if !found {
		return nil
	}
	path := []string{dependency}
	for n := before[to]; n != from; n = before[n] {
		path = append(path, g.names[n])
	}
	path = append(path, dependent)
	slices.Reverse(path)
	return path
}

// Near returns the entities within so many hops of one, along dependencies in
// either direction, itself first. An unknown entity is alone.
func (g *Graph) Near(entity string, hops int) []string {
	near := g.neighbours(entity, max(hops, 0))
	names := make([]string, len(near))
	for n, x := range near {
		names[n] = x.entity
	}
	return names
}

// walk visits, breadth first, what is reachable from a node over at least one
// and at most limit arrows (limit < 0: any number), until visit returns false.
// The start itself is visited if a cycle leads back to it. Arrows of groups that
// have not failed are left out; failed nil means all groups have.
func walk(from int, arrows [][]arrow, failed []bool, limit int, visit func(node, hops int) bool) {
	seen := map[int]bool{}
	layer := []int{from}
	for hops := 1; len(layer) > 0 && hops != limit+1; hops++ {
		var next []int
		for _, n := range layer {
			for _, l := range arrows[n] {
				if seen[l.node] || !alive(l, failed) {
					continue
				}
				seen[l.node] = true
				if !visit(l.node, hops) {
					return
				}
				next = append(next, l.node)
			}
		}
		layer = next
	}
}

// alive reports whether trouble goes along an arrow.
func alive(l arrow, failed []bool) bool { return l.group < 0 || failed == nil || failed[l.group] }

// walkBoth is walk along arrows in either direction.
func (g *Graph) walkBoth(from, limit int, visit func(node, hops int) bool) {
	seen := map[int]bool{}
	layer := []int{from}
	for hops := 1; len(layer) > 0 && hops != limit+1; hops++ {
		var next []int
		for _, n := range layer {
			for _, side := range [...][]arrow{g.down[n], g.up[n]} {
				for _, l := range side {
					if seen[l.node] {
						continue
					}
					seen[l.node] = true
					if !visit(l.node, hops) {
						return
					}
					next = append(next, l.node)
				}
			}
		}
		layer = next
	}
}

// components numbers the strongly connected components: nodes that reach each
// other share a number, and no node reaches one of a higher number. It is
// Tarjan's algorithm (SIAM J. Comput. 1, 1972) without recursion, in time of
// nodes and arrows.
func components(arrows [][]arrow, failed []bool) []int {
	const unseen = -1
	number := make([]int, len(arrows)) // component
	index := make([]int, len(arrows))  // order of discovery
	low := make([]int, len(arrows))
	for n := range index {
		index[n], number[n] = unseen, unseen
	}
	type frame struct{ node, next int }
	var calls []frame
	var stack []int
	found, count := 0, 0
	enter := func(n int) {
		index[n], low[n] = found, found
		found++
		stack = append(stack, n)
		calls = append(calls, frame{node: n})
	}
	for start := range arrows {
		if index[start] != unseen {
			continue
		}
		enter(start)
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			n := f.node
			if f.next < len(arrows[n]) {
				l := arrows[n][f.next]
				f.next++
				switch {
				case !alive(l, failed):
				case index[l.node] == unseen:
					enter(l.node)
				case number[l.node] == unseen: // on the stack
					low[n] = min(low[n], index[l.node])
				}
				continue
			}
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				caller := calls[len(calls)-1].node
				low[caller] = min(low[caller], low[n])
			}
			if low[n] != index[n] {
				continue
			}
			for {
				m := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				number[m] = count
				if m == n {
					break
				}
			}
			count++
		}
	}
	return number
}
