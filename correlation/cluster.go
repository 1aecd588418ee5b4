package correlation

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The defaults of ClusterOptions are those of OpenNMS ALEC:
// https://github.com/OpenNMS/alec/blob/master/engine/dbscan/src/main/java/org/opennms/alec/engine/dbscan/DBScanEngine.java
//
// With them, alerts on one entity belong together up to 75 s apart, those one
// hop away up to 26 s.
const (
	DefaultAlpha   = 144.47117699
	DefaultBeta    = 0.55257784
	DefaultEpsilon = 100
)

// ClusterOptions say when alerts belong together. The zero value is ready to use.
type ClusterOptions struct {
	// Alpha scales the distance. Defaults to DefaultAlpha.
	Alpha float64 `json:"alpha,omitempty"`
	// Beta is the weight of the minutes between two onsets, 1 - Beta that of the
	// hops between two entities; above 0 and at most 1. Defaults to DefaultBeta.
	Beta float64 `json:"beta,omitempty"`
	// Epsilon is the largest distance of neighbours. Defaults to DefaultEpsilon.
	Epsilon float64 `json:"epsilon,omitempty"`
}

// Cluster is a number of alerts of one tenant that began close to each other,
// in time and in the topology.
type Cluster struct {
	Tenant string    `json:"tenant,omitempty"`
	Since  time.Time `json:"since"`  // of the first alert
	Alerts []Alert   `json:"alerts"` // two at least, by onset and printed form
}

// Clusters groups active alerts without any rule. Two alerts of one tenant are
// neighbours if
//
//	Alpha*(Beta*minutes + (1-Beta)*hops) <= Epsilon
//
// with the minutes between their onsets and the hops between their entities
// along dependencies in either direction. A cluster is what hangs together by
// neighbours; alerts without any, and those without an entity, are in none. This
// is DBSCAN as ALEC runs it, with one neighbour to make a core point. Clusters
// are sorted by since, then by their first alert.
//
// An alert needs to be compared only with the latest one on each entity in reach,
// so the time grows with the alerts times the entities in reach, not with the
// square of the alerts. The error is joined [*OptionError] values.
func (g *Graph) Clusters(alerts []Alert, o ClusterOptions) ([]Cluster, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	type printed struct {
		text string
		*Alert
	}
	var list []printed
	for i := range alerts {
		if a := &alerts[i]; a.Active && a.Labels.Get(g.label) != "" {
			list = append(list, printed{a.String(), a})
		}
	}
	slices.SortFunc(list, func(a, b printed) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), a.Since.Compare(b.Since), strings.Compare(a.text, b.text))
	})
	parent := make([]int, len(list)) // of the disjoint sets; the first alert is the root
	find := func(n int) int {
		for parent[n] != n {
			parent[n] = parent[parent[n]]
			n = parent[n]
		}
		return n
	}
	reach := map[string][]neighbour{}
	var latest map[string]int // on each entity of the tenant
	for n, a := range list {
		parent[n] = n
		if n == 0 || a.Tenant != list[n-1].Tenant {
			latest = map[string]int{}
		}
		entity := a.Labels.Get(g.label)
		near, ok := reach[entity]
		if !ok {
			near = g.neighbours(entity, o.hops())
			reach[entity] = near
		}
		for _, x := range near {
			if m, ok := latest[x.entity]; ok && o.distance(a.Since.Sub(list[m].Since), x.hops) <= o.Epsilon {
				first, second := find(m), find(n)
				parent[max(first, second)] = min(first, second)
			}
		}
		latest[entity] = n
	}
	var clusters []Cluster
	at := map[int]int{} // root -> index of its cluster
	size := make([]int, len(list))
	for n := range list {
		size[find(n)]++
	}
	for n, a := range list {
		root := find(n)
		if size[root] < 2 {
			continue
		}
		if n == root {
			at[root] = len(clusters)
			clusters = append(clusters, Cluster{Tenant: a.Tenant, Since: a.Since, Alerts: make([]Alert, 0, size[root])})
		}
		c := &clusters[at[root]]
		c.Alerts = append(c.Alerts, *a.Alert)
	}
	slices.SortStableFunc(clusters, func(a, b Cluster) int { return a.Since.Compare(b.Since) })
	return clusters, nil
}

// withDefaults checks the options and fills them in.
func (o ClusterOptions) withDefaults() (ClusterOptions, error) {
	var problems []error
	for _, f := range []struct {
		name     string
		value    *float64
		def, max float64
	}{{"Alpha", &o.Alpha, DefaultAlpha, math.MaxFloat64}, {"Beta", &o.Beta, DefaultBeta, 1}, {"Epsilon", &o.Epsilon, DefaultEpsilon, math.MaxFloat64}} {
		if *f.value == 0 {
			*f.value = f.def
		}
		if !(*f.value > 0 && *f.value <= f.max) { // NaN too
			problems = append(problems, &OptionError{f.name, *f.value, fmt.Sprintf("above 0 and at most %v", f.max)})
		}
	}
	return o, errors.Join(problems...)
}

// distance is that of two alerts.
func (o ClusterOptions) distance(apart time.Duration, hops int) float64 {
	return o.Alpha * (o.Beta*apart.Minutes() + (1-o.Beta)*float64(hops))
}

// hops returns how many hops two alerts of one instant may be apart; -1: any
// number.
func (o ClusterOptions) hops() int {
	n := 0
	for o.distance(0, n+1) <= o.Epsilon {
		if n++; n == math.MaxInt16 {
			return -1
		}
	}
	return n
}

// neighbour is an entity with its distance.
type neighbour struct {
	entity string
	hops   int
}

// neighbours returns the entities within so many hops of one (-1: any number),
// itself first.
func (g *Graph) neighbours(entity string, hops int) []neighbour {
	list := []neighbour{{entity, 0}}
	if from, ok := g.ids[entity]; ok && hops != 0 {
		g.walkBoth(from, hops, func(n, h int) bool {
			if n != from {
				list = append(list, neighbour{g.names[n], h})
			}
			return true
		})
	}
	return list
}
