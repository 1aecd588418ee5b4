package correlation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultEntityLabel names the entity of an alert where a Topology does not.
const DefaultEntityLabel = "service"

// Topology says what depends on what. Cycles are allowed. It is data: prepare
// it with [NewGraph] to ask questions.
type Topology struct {
	// EntityLabel is the label of an alert that names its node. Defaults to
	// DefaultEntityLabel.
	EntityLabel string `json:"entity_label,omitempty"`
	Edges       []Edge `json:"edges"`
	// Redundant lists dependencies of which a part may fail.
	Redundant []Redundancy `json:"redundant,omitempty"`
	// Kinds gives nodes a kind, such as "orders-db": "database". A rule asks for
	// it with WHERE depends_on = "database".
	Kinds map[string]string `json:"kinds,omitempty"`
	// Regions gives nodes a place, such as "orders-db": "us-east". It is told
	// with each [Impact], rules ask for the label of the alert instead.
	Regions map[string]string `json:"regions,omitempty"`
	// Parts gives a whole its interchangeable parts, such as a service its
	// instances. It is no dependency; package rootcause uses it.
	Parts map[string][]string `json:"parts,omitempty"`
}

// Redundancy is a group of dependencies that fails only when fewer than Need of
// them are healthy, as redundancy_group of Icinga 2 does with Need 1.
type Redundancy struct {
	Dependent    string   `json:"dependent"`
	Dependencies []string `json:"dependencies"`
	Need         int      `json:"need"` // 1 to the number of dependencies
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

// TopologyError says which part of a [Topology] is wrong.
type TopologyError struct {
	Path  string // such as "edges[3]" or "parts[web][0]"
	Value string
	Want  string
}

// Error returns the place, what is there and what was expected.
func (e *TopologyError) Error() string {
	return fmt.Sprintf("topology %s: %s, want %s", e.Path, e.Value, e.Want)
}

// check reports all problems, joined.
func (t *Topology) check() error {
	var problems []error
	bad := func(path, got, want string) {
		problems = append(problems, &TopologyError{Path: path, Value: got, Want: want})
	}
	for i, e := range t.Edges {
		if e.Dependent == "" || e.Dependency == "" {
			bad(fmt.Sprintf("edges[%d]", i), fmt.Sprintf("%q -> %q", e.Dependent, e.Dependency), "two names")
		}
	}
	for i, r := range t.Redundant {
		path := fmt.Sprintf("redundant[%d]", i)
		if r.Dependent == "" {
			bad(path+".dependent", `""`, "a name")
		}
		checkNames(path+".dependencies", r.Dependencies, bad)
		if r.Need < 1 || r.Need > len(r.Dependencies) {
			bad(path+".need", strconv.Itoa(r.Need), fmt.Sprintf("1 to %d, the number of dependencies", len(r.Dependencies)))
		}
	}
	for _, whole := range sortedNames(t.Parts) {
		if whole == "" {
			bad("parts", `""`, "a name")
		}
		checkNames(fmt.Sprintf("parts[%s]", whole), t.Parts[whole], bad)
	}
	return errors.Join(problems...)
}

// checkNames reports names that are empty or stand twice.
func checkNames(path string, names []string, bad func(path, got, want string)) {
	seen := make(map[string]bool, len(names))
	for i, n := range names {
		if n == "" || seen[n] {
			bad(fmt.Sprintf("%s[%d]", path, i), strconv.Quote(n), "names that are not empty and not twice")
		}
		seen[n] = true
	}
}

// graph is a [Graph] with the answers that one engine has asked for, and so
// not safe for concurrent use.
type graph struct {
	*Graph
	isA   map[string]bool // all kinds
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

// newGraph prepares a topology for an engine; nil is an empty one.
func newGraph(t *Topology) (*graph, error) {
	if t == nil {
		t = &Topology{}
	}
	prepared, err := NewGraph(t)
	if err != nil {
		return nil, err
	}
	g := &graph{Graph: prepared, isA: map[string]bool{}, deps: map[depKey]bool{}, balls: map[ballKey][]string{}}
	for _, kind := range t.Kinds {
		g.isA[kind] = true
	}
	return g, nil
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
	walk(from, g.down, nil, -1, func(n, _ int) bool {
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
	b := g.Near(entity, hops)
	g.balls[key] = b
	return b
}

// near reports whether two entities are within so many undirected hops.
func (g *graph) near(a, b string, hops int) bool {
	if a == b {
		return true
	}
	if hops == 0 || len(g.names) == 0 {
		return false
	}
	return slices.Contains(g.ball(a, hops), b)
}

// entity returns the node name of an alert, empty if it has none.
func (g *graph) entity(l *labels) string { return l.Get(g.label) }

// alertDepends is the predicate depends_on = name: by the label of that name,
// a list separated by commas, or by the topology.
func (g *graph) alertDepends(l *labels, name string) bool {
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
