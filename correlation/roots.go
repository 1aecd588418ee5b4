package correlation

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
)

// Group is one root cause with the alerting entities that it explains.
type Group struct {
	Root    string   `json:"root"`
	Members []string `json:"members"` // sorted, the root included
}

// Roots finds the root causes among alerting entities, given with their
// onsets, without any rule. An entity is a root if no other alerting entity can
// be reached along its dependencies, over healthy ones too, in at most maxHops
// hops (0: any number); of entities that reach each other the one with the
// earliest onset is, then the first by name. A victim belongs to the root in
// its reach with the earliest onset, then the fewest hops, then the first by
// name; to itself if maxHops leaves it none. A [Redundancy] is a dependency
// only while it has failed by [Graph.Impact] of the alerting entities. Groups
// are sorted by root.
//
// Without a limit it takes time of nodes and edges, by strongly connected
// components; with one, of what each alerting entity reaches within it.
func (g *Graph) Roots(alerting map[string]time.Time, maxHops int) []Group {
	members := map[string][]string{}
	var known []int // ids, which are in the order of names
	for _, name := range sortedNames(alerting) {
		if id, ok := g.ids[name]; ok {
			known = append(known, id)
		} else {
			members[name] = []string{name}
		}
	}
	if len(known) > 0 {
		onset := func(n int) time.Time { return alerting[g.names[n]] }
		var failed []bool
		if len(g.spare) > 0 {
			_, _, failed = g.spread(known)
		}
		root := g.rootsWithin
		if maxHops <= 0 {
			root = g.rootsAnywhere
		}
		for i, r := range root(known, onset, failed, maxHops) {
			members[g.names[r]] = append(members[g.names[r]], g.names[known[i]])
		}
	}
	groups := make([]Group, 0, len(members))
	for _, root := range sortedNames(members) {
		groups = append(groups, Group{Root: root, Members: members[root]})
	}
	return groups
}

// rootsAnywhere returns the root of each known alerting node, over any number
// of hops.
func (g *Graph) rootsAnywhere(known []int, onset func(int) time.Time, failed []bool, _ int) []int {
	scc := g.scc
	if scc == nil {
		scc = components(g.down, failed)
	}
	count := 0
	for _, c := range scc {
		count = max(count, c+1)
	}
	first := make([]int, count) // the member that alerts and came first, + 1
	for _, n := range known {
		if c := scc[n]; first[c] == 0 || onset(n).Before(onset(first[c]-1)) {
			first[c] = n + 1
		}
	}
	nodes := make([]int, len(scc)) // by component, dependencies first
	start := make([]int, count+1)
	for _, c := range scc {
		start[c+1]++
	}
	for c := range count {
		start[c+1] += start[c]
	}
	at := slices.Clone(start)
	for n, c := range scc {
		nodes[at[c]] = n
		at[c]++
	}
	below := make([]bool, count) // something else alerts in reach
	for c := range count {
		for _, n := range nodes[start[c]:start[c+1]] {
			for _, l := range g.down[n] {
				if d := scc[l.node]; d != c && alive(l, failed) {
					below[c] = below[c] || below[d] || first[d] > 0
				}
			}
		}
	}
	var roots []int
	for c, f := range first {
		if f > 0 && !below[c] {
			roots = append(roots, f-1)
		}
	}
	slices.SortFunc(roots, func(a, b int) int { return cmp.Or(onset(a).Compare(onset(b)), a-b) })
	// From the roots upwards, those of one onset together: what is reached first
	// by hops has the fewest, and in the order of names within a layer the first
	// name. What an earlier onset has reached, it has reached with all above.
	claim := make([]int, len(scc)) // root + 1
	for len(roots) > 0 {
		n := 1
		for n < len(roots) && onset(roots[n]).Equal(onset(roots[0])) {
			n++
		}
		queue := slices.Clone(roots[:n])
		for _, r := range queue {
			claim[r] = r + 1
		}
		for len(queue) > 0 {
			m := queue[0]
			queue = queue[1:]
			for _, l := range g.up[m] {
				if claim[l.node] == 0 && alive(l, failed) {
					claim[l.node] = claim[m]
					queue = append(queue, l.node)
				}
			}
		}
		roots = roots[n:]
	}
	out := make([]int, len(known))
	for i, n := range known {
		out[i] = claim[n] - 1
	}
	return out
}

// rootsWithin returns the root of each known alerting node, over at most
// maxHops hops.
func (g *Graph) rootsWithin(known []int, onset func(int) time.Time, failed []bool, maxHops int) []int {
	reach := make(map[int]map[int]int, len(known)) // other alerting nodes with their distance
	for _, n := range known {
		reach[n] = nil
	}
	for _, from := range known {
		hops := map[int]int{}
		walk(from, g.down, failed, maxHops, func(n, h int) bool {
			if _, alerts := reach[n]; alerts && n != from {
				hops[n] = h
			}
			return true
		})
		reach[from] = hops
	}
	isRoot := make(map[int]bool, len(known))
	for _, n := range known {
		root := true
		for other := range reach[n] {
			_, mutual := reach[other][n]
			root = root && mutual && cmp.Or(onset(n).Compare(onset(other)), n-other) < 0
		}
		isRoot[n] = root
	}
	out := make([]int, len(known))
	for i, n := range known {
		out[i] = n
		if isRoot[n] {
			continue
		}
		var candidates []int
		for other := range reach[n] {
			if isRoot[other] {
				candidates = append(candidates, other)
			}
		}
		if len(candidates) > 0 {
			out[i] = slices.MinFunc(candidates, func(a, b int) int {
				return cmp.Or(onset(a).Compare(onset(b)), reach[n][a]-reach[n][b], a-b)
			})
		}
	}
	return out
}

// Groups applies [Graph.Roots] to the active alerts of one tenant. The onset
// of an entity is the earliest of those of its active alerts; alerts without an
// entity are left out.
func (e *Engine) Groups(tenant string, maxHops int) []Group {
	alerting := map[string]time.Time{}
	if sp := e.spaces[tenant]; sp != nil {
		for a := range sp.alerts.All() {
			entity := e.graph.entity(&a.labels)
			if entity == "" || !a.active {
				continue
			}
			since := instant.Time(a.since)
			if first, ok := alerting[entity]; !ok || since.Before(first) {
				alerting[entity] = since
			}
		}
	}
	return e.graph.Roots(alerting, maxHops)
}
