package correlation

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// LabelEdges reads dependencies from the labels of alerts or targets: the
// entity by its label ([DefaultEntityLabel] if empty), what it needs by
// depends_on, a list separated by commas. Sets without both are skipped. The
// result is sorted and has no doubles.
func LabelEdges(entityLabel string, sets ...map[string]string) []Edge {
	if entityLabel == "" {
		entityLabel = DefaultEntityLabel
	}
	var edges []Edge
	for _, set := range sets {
		if set[entityLabel] == "" {
			continue
		}
		for name := range strings.SplitSeq(set[dependsOn], ",") {
			if name = strings.TrimSpace(name); name != "" {
				edges = append(edges, Edge{set[entityLabel], name})
			}
		}
	}
	return sortEdges(edges)
}

// ParseEdges reads dependencies from lines such as
//
//	web -> api, cache   # text after # is a comment
//
// The result is sorted and has no doubles. All problems are returned together,
// as joined [*TopologyError] values with a Path such as "line 3".
func ParseEdges(text string) ([]Edge, error) {
	var edges []Edge
	var problems []error
	line := 0
	for row := range strings.Lines(text) {
		line++
		row, _, _ = strings.Cut(row, "#")
		if row = strings.TrimSpace(row); row == "" {
			continue
		}
		dependent, list, ok := strings.Cut(row, "->")
		dependent = strings.TrimSpace(dependent)
		ok = ok && dependent != "" && !strings.Contains(dependent, ",")
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			ok = ok && name != "" && !strings.Contains(name, "->")
			edges = append(edges, Edge{dependent, name})
		}
		if !ok {
			problems = append(problems, &TopologyError{Path: "line " + strconv.Itoa(line), Value: strconv.Quote(row), Want: `"dependent -> dependency, dependency"`})
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return sortEdges(edges), nil
}

// sortEdges sorts and removes doubles.
func sortEdges(edges []Edge) []Edge {
	slices.SortFunc(edges, func(a, b Edge) int {
		return cmp.Or(strings.Compare(a.Dependent, b.Dependent), strings.Compare(a.Dependency, b.Dependency))
	})
	return slices.Compact(edges)
}

// OwnerParts makes [Topology.Parts] of owner references, given as object ->
// controlling owner: "web-7d9f-x2": "web-7d9f", "web-7d9f": "web". The parts of
// each owner that has none itself are the objects at the bottom, sorted. A
// circle of owners is a [*TopologyError].
func OwnerParts(owners map[string]string) (map[string][]string, error) {
	owns := map[string]bool{}
	for _, owner := range owners {
		owns[owner] = true
	}
	parts := map[string][]string{}
	for _, object := range sortedNames(owners) {
		top := object
		for steps := 0; owners[top] != ""; steps++ {
			if steps == len(owners) {
				return nil, &TopologyError{Path: "owners[" + object + "]", Value: "a circle of owners", Want: "an owner without owner at the end"}
			}
			top = owners[top]
		}
		if !owns[object] && top != object {
			parts[top] = append(parts[top], object)
		}
	}
	return parts, nil
}
