package route

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// Route is a node of a routing tree with all below it. Make one with [New]. It does
// not change, is safe for concurrent use, and what its methods return must not be
// changed either, unless they say otherwise.
type Route struct {
	parent   *Route
	position int // among the routes of the parent; -1 for the root
	depth    int
	path     string
	key      string
	next     bool // continue
	matchers []matcher.Matcher
	options  Options
	routes   []*Route
	index    *index // of routes, nil where there are few
}

// Options are what holds for the alerts of a route, own and inherited.
type Options struct {
	Receiver string `json:"receiver"`
	// GroupBy are the labels of a group, sorted; empty for one group of all alerts.
	GroupBy        []string      `json:"group_by,omitempty"`
	GroupByAll     bool          `json:"group_by_all,omitempty"` // every label
	GroupWait      time.Duration `json:"group_wait_ns"`
	GroupInterval  time.Duration `json:"group_interval_ns"`
	RepeatInterval time.Duration `json:"repeat_interval_ns"`
	// The time intervals of the route itself; they are not inherited.
	MuteTimeIntervals   []string          `json:"mute_time_intervals,omitempty"`
	ActiveTimeIntervals []string          `json:"active_time_intervals,omitempty"`
	Labels              map[string]string `json:"labels,omitempty"` // templates are not filled in
}

// Options returns what holds for the alerts of the route.
func (r *Route) Options() Options { return r.options }

// Matchers returns the conditions of the route itself, sorted.
func (r *Route) Matchers() []matcher.Matcher { return r.matchers }

// Continue reports whether what the route takes goes on to the ones after it.
func (r *Route) Continue() bool { return r.next }

// Parent returns the route above, nil for the root.
func (r *Route) Parent() *Route { return r.parent }

// Routes returns the routes below, in the order of the file.
func (r *Route) Routes() []*Route { return r.routes }

// Path returns the place in the file: "route", "route.routes[0]".
func (r *Route) Path() string { return r.path }

// All yields the route and all below it, each before those below it.
func (r *Route) All() iter.Seq[*Route] {
	return func(yield func(*Route) bool) { r.walk(yield) }
}

// walk yields as All does, and reports whether to go on.
func (r *Route) walk(yield func(*Route) bool) bool {
	if !yield(r) {
		return false
	}
	for _, below := range r.routes {
		if !below.walk(yield) {
			return false
		}
	}
	return true
}

// Match returns the routes that an alert with these labels goes to, in the order in
// which the tree is searched: down into the first route below that matches, and on to
// the ones after it while they match and continue. A route takes what none below
// it takes. The root takes every alert; any other route may take none. A missing
// label is an empty one. The slice is the caller's.
//
// The cost grows with the number of routes that are tried. Below a route with many,
// those are left out that want another value of the label which most of them ask
// for.
func (r *Route) Match(labels map[string]string) []*Route {
	return r.AppendMatches(nil, func(name string) string { return labels[name] })
}

// AppendMatches is [Route.Match] for labels that are not in a map: get returns the value
// of one, empty if it is missing. It appends to a list and returns the longer one.
func (r *Route) AppendMatches(found []*Route, get func(name string) string) []*Route {
	if !matcher.AllOf(r.matchers, get) {
		return found
	}
	before := len(found)
	if r.index != nil {
		found = r.matchIndexed(found, get)
	} else {
		for _, below := range r.routes {
			n := len(found)
			if found = below.AppendMatches(found, get); len(found) > n && !below.next {
				break
			}
		}
	}
	if len(found) == before {
		found = append(found, r)
	}
	return found
}

// matchIndexed tries the routes below that can match, in their order.
func (r *Route) matchIndexed(found []*Route, get func(name string) string) []*Route {
	for a, b := r.index.candidates(get); len(a)+len(b) > 0; {
		first := &a
		if len(a) == 0 || len(b) > 0 && b[0] < a[0] {
			first = &b
		}
		below := r.routes[(*first)[0]]
		*first = (*first)[1:]
		n := len(found)
		if found = below.AppendMatches(found, get); len(found) > n && !below.next {
			break
		}
	}
	return found
}

// Key returns the matchers of the routes from the root to this one. Two routes of a
// tree may have the same key; [Route.ID] tells them apart.
func (r *Route) Key() string { return r.key }

// ID returns the key with the position of each route below its parent.
func (r *Route) ID() string {
	own := matcher.Format(r.matchers)
	if r.parent == nil {
		return own
	}
	return r.parent.ID() + "/" + own + "/" + strconv.Itoa(r.position)
}

// GroupLabels returns the labels by which an alert is grouped in this route, without
// those that it does not have. The map is the caller's.
func (r *Route) GroupLabels(labels map[string]string) map[string]string {
	group := make(map[string]string, len(r.options.GroupBy))
	if r.options.GroupByAll {
		maps.Copy(group, labels)
		maps.DeleteFunc(group, func(_, value string) bool { return value == "" })
		return group
	}
	for _, name := range r.options.GroupBy {
		if value := labels[name]; value != "" {
			group[name] = value
		}
	}
	return group
}

// GroupKey returns the key of the group that an alert belongs to in this route, as
// Alertmanager hands it to receivers: the key of the route, a colon, and the group
// labels sorted by name.
func (r *Route) GroupKey(labels map[string]string) string {
	group := r.GroupLabels(labels)
	b := append([]byte(r.key), ":{"...)
	for i, name := range slices.Sorted(maps.Keys(group)) {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, name...)
		b = append(b, '=')
		b = strconv.AppendQuote(b, group[name])
	}
	return string(append(b, '}'))
}

// Muting says whether the time intervals of a route mute it at an instant, and
// which.
type Muting struct {
	Muted bool `json:"muted"`
	// Inactive is set when no active time interval holds the instant; Names are all of
	// these then. Otherwise Names are the mute time intervals that hold it.
	Inactive bool     `json:"inactive,omitempty"`
	Names    []string `json:"names,omitempty"`
}

// String says it in words.
func (m Muting) String() string {
	switch {
	case !m.Muted:
		return "not muted"
	case m.Inactive:
		return "muted outside of " + strings.Join(m.Names, ", ")
	}
	return "muted in " + strings.Join(m.Names, ", ")
}

// Muting returns whether the route is muted at an instant. As in Alertmanager the
// active time intervals are looked at first. The error is [interval.ErrUnknown] for
// a name that is not in the set.
func (r *Route) Muting(set interval.Set, at time.Time) (Muting, error) {
	if active := r.options.ActiveTimeIntervals; len(active) > 0 {
		holding, err := set.Holding(active, at)
		if err != nil {
			return Muting{}, err
		}
		if len(holding) == 0 {
			return Muting{Muted: true, Inactive: true, Names: active}, nil
		}
	}
	holding, err := set.Holding(r.options.MuteTimeIntervals, at)
	if err != nil {
		return Muting{}, err
	}
	return Muting{Muted: len(holding) > 0, Names: holding}, nil
}
