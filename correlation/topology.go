package correlation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// DefaultEntityLabel names the entity of an alert where a Topology does not.
const DefaultEntityLabel = "service"

// Topology says what depends on what. Cycles are allowed.
type Topology struct {
	// EntityLabel is the label of an alert that names its node. Defaults to
	// DefaultEntityLabel.
	EntityLabel string `json:"entity_label,omitempty"`
	Edges       []Edge `json:"edges"`
	// Kinds gives nodes a kind, such as "orders-db": "database".
	Kinds map[string]string `json:"kinds,omitempty"`
}

// Edge is one dependency. In JSON it is the pair [dependent, dependency].
type Edge struct {
	Dependent, Dependency string
}

// MarshalJSON writes [dependent, dependency].
func (e Edge) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]string{e.Dependent, e.Dependency})
}

// UnmarshalJSON reads [dependent, dependency].
func (e *Edge) UnmarshalJSON(b []byte) error {
	var pair []string
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("edge %s, want [dependent, dependency]", b)
	}
	*e = Edge{pair[0], pair[1]}
	return nil
}

// dependsOn is the label and predicate that asks for a dependency.
const dependsOn = "depends_on"

// graph is a Topology prepared for questions. It keeps the answers, so it
// belongs to one engine.
type graph struct {
	label string
	ids   map[string]int
	names []string
	kinds map[string]string
	isA   map[string]bool // all kinds
	down  [][]int         // dependent -> dependencies
	both  [][]int         // neighbours in either direction
	deps  map[depKey]bool
	balls map[ballKey][]string
}

type depKey struct {
	node int
	name string
}

type ballKey struct {
	node, hops int
}

func newGraph(t *Topology) (*graph, error) {
	g := &graph{label: DefaultEntityLabel, ids: map[string]int{}, isA: map[string]bool{}, deps: map[depKey]bool{}, balls: map[ballKey][]string{}}
	if t == nil {
		return g, nil
	}
	if t.EntityLabel != "" {
		g.label = t.EntityLabel
	}
	g.kinds = t.Kinds
	for _, kind := range t.Kinds {
		g.isA[kind] = true
	}
	for i, e := range t.Edges {
		if e.Dependent == "" || e.Dependency == "" {
			return nil, fmt.Errorf("topology edge %d: %q -> %q, want two names", i, e.Dependent, e.Dependency)
		}
		from, to := g.node(e.Dependent), g.node(e.Dependency)
		g.down[from] = append(g.down[from], to)
		g.both[from] = append(g.both[from], to)
		g.both[to] = append(g.both[to], from)
	}
	return g, nil
}

func (g *graph) node(name string) int {
	if id, ok := g.ids[name]; ok {
		return id
	}
	id := len(g.names)
	g.ids[name] = id
	g.names = append(g.names, name)
	g.down = append(g.down, nil)
	g.both = append(g.both, nil)
	return id
}

// depends reports whether entity leads over at least one hop to a node with
// that name or kind.
func (g *graph) depends(entity, name string) bool {
	from, ok := g.ids[entity]
	if !ok || name == "" {
		return false
	}
	if _, known := g.ids[name]; !known && !g.isA[name] {
		return false
	}
	key := depKey{from, name}
	if answer, ok := g.deps[key]; ok {
		return answer
	}
	answer := false
	g.walk(from, g.down, -1, func(n, _ int) bool {
		answer = g.names[n] == name || g.kinds[g.names[n]] == name
		return !answer
	})
	g.deps[key] = answer
	return answer
}

// ball returns the entities within so many undirected hops of one, itself
// first. An unknown entity is alone.
func (g *graph) ball(entity string, hops int) []string {
	from, ok := g.ids[entity]
	if !ok || hops == 0 {
		return []string{entity}
	}
	key := ballKey{from, hops}
	if b, ok := g.balls[key]; ok {
		return b
	}
	b := []string{entity}
	g.walk(from, g.both, hops, func(n, _ int) bool {
		if n != from {
			b = append(b, g.names[n])
		}
		return true
	})
	g.balls[key] = b
	return b
}

func (g *graph) near(a, b string, hops int) bool {
	if a == b {
		return true
	}
	if hops == 0 || len(g.names) == 0 {
		return false
	}
	return slices.Contains(g.ball(a, hops), b)
}

// walk visits, breadth first, what is reachable from a node over at least one
// and at most limit edges (limit < 0: any number), until visit returns false.
// The start itself is visited if a cycle leads back to it.
func (g *graph) walk(from int, edges [][]int, limit int, visit func(node, hops int) bool) {
	seen := map[int]bool{}
	layer := []int{from}
	for hops := 1; len(layer) > 0 && hops != limit+1; hops++ {
		var next []int
		for _, n := range layer {
			for _, m := range edges[n] {
				if seen[m] {
					continue
				}
				seen[m] = true
				if !visit(m, hops) {
					return
				}
				next = append(next, m)
			}
		}
		layer = next
	}
}

// entity returns the node name of an alert, empty if it has none.
func (g *graph) entity(l Labels) string { return l.Get(g.label) }

// alertDepends is the predicate depends_on = name: by the label of that name,
// a list separated by commas, or by the topology.
func (g *graph) alertDepends(l Labels, name string) bool {
	if name == "" {
		return false
	}
	for item := range strings.SplitSeq(l.Get(dependsOn), ",") {
		if strings.TrimSpace(item) == name {
			return true
		}
	}
	return g.depends(g.entity(l), name)
}

// sortedNames returns the keys of a set in order.
func sortedNames[V any](set map[string]V) []string {
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
