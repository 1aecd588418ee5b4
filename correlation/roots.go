package correlation

import (
	"cmp"
	"slices"
	"strings"
	"time"
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
// name; to itself if maxHops leaves it none. Groups are sorted by root.
func (t *Topology) Roots(alerting map[string]time.Time, maxHops int) ([]Group, error) {
	g, err := newGraph(t)
	if err != nil {
		return nil, err
	}
	return g.roots(alerting, maxHops), nil
}

// Groups applies [Topology.Roots] to the active alerts of one tenant. The onset
// of an entity is the earliest of those of its active alerts; alerts without an
// entity are left out.
func (e *Engine) Groups(tenant string, maxHops int) []Group {
	alerting := map[string]time.Time{}
	if sp := e.spaces[tenant]; sp != nil {
		for _, a := range sp.alerts {
			entity := e.graph.entity(a.labels)
			if entity == "" || !a.active {
				continue
			}
			since := instant(a.since)
			if first, ok := alerting[entity]; !ok || since.Before(first) {
				alerting[entity] = since
			}
		}
	}
	return e.graph.roots(alerting, maxHops)
}

func (g *graph) roots(alerting map[string]time.Time, maxHops int) []Group {
	limit := -1
	if maxHops > 0 {
		limit = maxHops
	}
	names := sortedNames(alerting)
	reach := make(map[string]map[string]int, len(names)) // other alerting entities with their distance
	for _, name := range names {
		hops := map[string]int{}
		if id, ok := g.ids[name]; ok {
			g.walk(id, g.down, limit, func(n, h int) bool {
				if _, alerts := alerting[g.names[n]]; alerts && n != id {
					hops[g.names[n]] = h
				}
				return true
			})
		}
		reach[name] = hops
	}
	earlier := func(a, b string) int {
		return cmp.Or(alerting[a].Compare(alerting[b]), strings.Compare(a, b))
	}
	isRoot := make(map[string]bool, len(names))
	for _, name := range names {
		root := true
		for other := range reach[name] {
			_, mutual := reach[other][name]
			root = root && mutual && earlier(name, other) < 0
		}
		isRoot[name] = root
	}
	members := map[string][]string{}
	for _, name := range names {
		root := name
		if !isRoot[name] {
			var candidates []string
			for other := range reach[name] {
				if isRoot[other] {
					candidates = append(candidates, other)
				}
			}
			if len(candidates) > 0 {
				root = slices.MinFunc(candidates, func(a, b string) int {
					return cmp.Or(alerting[a].Compare(alerting[b]), reach[name][a]-reach[name][b], strings.Compare(a, b))
				})
			}
		}
		members[root] = append(members[root], name)
	}
	groups := make([]Group, 0, len(members))
	for _, root := range sortedNames(members) {
		groups = append(groups, Group{Root: root, Members: members[root]})
	}
	return groups
}
