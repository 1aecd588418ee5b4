package openslo

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// The versions that are read, by their apiVersion.
const (
	v1      = "openslo/v1"
	v1alpha = "openslo/v1alpha"
	v2alpha = "openslo.com/v2alpha"
)

var versions = []string{v1, v1alpha, v2alpha}

// maxNodes bounds what aliases can blow a document up to.
const maxNodes = 100_000

// expand returns a copy of n with aliases replaced by what they stand for, nil if
// that takes more than budget nodes. Positions are kept.
func expand(n *yaml.Node, budget *int) *yaml.Node {
	if *budget--; *budget < 0 {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return expand(n.Alias, budget)
	}
	c := *n
	c.Anchor = ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i := range n.Content {
		if c.Content[i] = expand(n.Content[i], budget); c.Content[i] == nil {
			return nil
		}
	}
	return &c
}

// remember records the path of every value, so that findings name the keys of the
// file and not those of v1.
func (r *reader) remember(n *yaml.Node, path string) {
	r.was[n] = path
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.remember(n.Content[i+1], diagnostic.Join(path, n.Content[i].Value))
		}
		return
	}
	for i, item := range n.Content {
		r.remember(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// upgrade rewrites a document of v1alpha or v2alpha to v1. Everything that has no
// place there stays where it is.
func (r *reader) upgrade(root *yaml.Node) {
	if i := find(root, "apiVersion"); i >= 0 {
		was := r.was[root.Content[i]]
		c := *root.Content[i]
		c.Value = v1
		root.Content[i] = &c
		r.was[&c] = was
	}
	kind, spec := at(root, "kind"), at(root, "spec")
	if kind == nil || spec == nil {
		return
	}
	switch {
	case r.version == v1alpha && kind.Value == "SLO":
		r.upgradeAlpha(spec)
	case r.version == v2alpha && kind.Value == "SLO":
		r.upgradeReferences(spec)
		for _, o := range list(at(spec, "objectives")) {
			r.upgradeReferences(o)
		}
	case r.version == v2alpha && kind.Value == "SLI":
		r.upgradeSLI(spec)
	}
}

// upgradeReferences renames the indicator of v2alpha.
func (r *reader) upgradeReferences(n *yaml.Node) {
	rename(n, "sliRef", "indicatorRef")
	rename(n, "sli", "indicator")
	if sli := at(n, "indicator"); sli != nil {
		r.upgradeSLI(at(sli, "spec"))
	}
}

// upgradeSLI puts the level metricSource back, which v2alpha dropped.
func (r *reader) upgradeSLI(spec *yaml.Node) {
	r.wrapMetric(at(spec, "thresholdMetric"), flattenSource)
	for _, name := range ratioMetrics {
		r.wrapMetric(at(at(spec, "ratioMetric"), name), flattenSource)
	}
}

// wrapMetric moves a metric's fields into a metricSource.
func (r *reader) wrapMetric(n *yaml.Node, move func(metric, source *yaml.Node)) {
	if n == nil || n.Kind != yaml.MappingNode || find(n, "metricSource") >= 0 {
		return
	}
	source := r.mapping(n)
	move(n, source)
	n.Content = append(n.Content, textNode("metricSource", n), source)
}

func flattenSource(metric, source *yaml.Node) {
	rename(metric, "dataSourceRef", "metricSourceRef")
	transfer(metric, source, "metricSourceRef", "spec")
	for _, name := range []string{"dataSourceSpec", "dataSource"} {
		if inline := at(metric, name); inline != nil && inline.Kind == yaml.MappingNode {
			source.Content = append(source.Content, inline.Content...)
			remove(metric, name)
		}
	}
}

// flattenQuery reads the metrics of v1alpha: {source, queryType, query}.
func (r *reader) flattenQuery(metric, source *yaml.Node) {
	rename(metric, "source", "type")
	transfer(metric, source, "type")
	spec := r.mapping(metric)
	spec.Content, metric.Content = metric.Content, nil
	source.Content = append(source.Content, textNode("spec", metric), spec)
}

// alphaUnits are the units of windows in v1alpha.
var alphaUnits = map[string]string{"Minute": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}

func (r *reader) upgradeAlpha(spec *yaml.Node) {
	rename(spec, "timeWindows", "timeWindow")
	for _, window := range list(at(spec, "timeWindow")) {
		unit, count := at(window, "unit"), at(window, "count")
		if unit == nil || count == nil || unit.Kind != yaml.ScalarNode || count.Kind != yaml.ScalarNode {
			continue
		}
		letter, ok := alphaUnits[unit.Value]
		if !ok {
			names := []string{"Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year"}
			v := r.value(unit, "")
			r.fail(v, "bad_enum", spelling.Nearest(unit.Value, names), "found %q, want a unit that v1 has too: Minute, Hour, Day, Week, Month, Quarter or Year", unit.Value)
			letter = "d" // no second error for the same value
		}
		duration := textNode(count.Value+letter, count)
		r.was[duration] = r.was[count]
		window.Content = append([]*yaml.Node{textNode("duration", unit), duration}, window.Content...)
		remove(window, "unit")
		remove(window, "count")
	}
	if indicator := at(spec, "indicator"); indicator != nil && find(indicator, "thresholdMetric") >= 0 {
		r.wrapMetric(at(indicator, "thresholdMetric"), r.flattenQuery)
		inner := r.mapping(indicator)
		inner.Content = indicator.Content
		indicator.Content = []*yaml.Node{textNode("spec", indicator), inner}
	}
	objectives := list(at(spec, "objectives"))
	for _, o := range objectives {
		ratio := at(o, "ratioMetrics")
		if ratio == nil || ratio.Kind != yaml.MappingNode {
			continue
		}
		rename(ratio, "incremental", "counter")
		for _, name := range ratioMetrics {
			r.wrapMetric(at(ratio, name), r.flattenQuery)
		}
		home := o
		if len(objectives) == 1 && at(spec, "indicator") == nil && find(spec, "indicatorRef") < 0 {
			remove(spec, "indicator") // a null
			home = spec
		}
		remove(o, "ratioMetrics")
		inner, outer := r.mapping(ratio), r.mapping(ratio)
		inner.Content = []*yaml.Node{textNode("ratioMetric", ratio), ratio}
		outer.Content = []*yaml.Node{textNode("spec", ratio), inner}
		home.Content = append(home.Content, textNode("indicator", ratio), outer)
	}
}

// mapping makes an empty mapping that stands where n does.
func (r *reader) mapping(n *yaml.Node) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
	r.was[m] = r.was[n]
	return m
}

func textNode(text string, at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: at.Line, Column: at.Column}
}

// find returns the index of a value in a mapping, -1 when there is none.
func find(n *yaml.Node, key string) int {
	if n == nil || n.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

// at returns a value of a mapping; nil when it is missing or null.
func at(n *yaml.Node, key string) *yaml.Node {
	if i := find(n, key); i >= 0 && !isNull(n.Content[i]) {
		return n.Content[i]
	}
	return nil
}

func list(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

func rename(n *yaml.Node, from, to string) {
	if i := find(n, from); i >= 0 && find(n, to) < 0 {
		key := *n.Content[i-1]
		key.Value = to
		n.Content[i-1] = &key
	}
}

func remove(n *yaml.Node, key string) {
	if i := find(n, key); i >= 0 {
		n.Content = slices.Delete(n.Content, i-1, i+1)
	}
}

func transfer(from, to *yaml.Node, keys ...string) {
	for _, key := range keys {
		if i := find(from, key); i >= 0 {
			to.Content = append(to.Content, from.Content[i-1], from.Content[i])
			remove(from, key)
		}
	}
}
