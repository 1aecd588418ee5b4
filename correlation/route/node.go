package route

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// Node is one entry of the routing tree, as it is written. The zero value of a field
// inherits, but for matchers and time intervals, which hold for the node alone.
type Node struct {
	Receiver string `json:"receiver,omitempty"`
	// GroupBy lists the labels by which alerts are put together. "..." by itself takes
	// all labels, an empty list none; nil inherits.
	GroupBy []string `json:"group_by,omitzero"`
	// The conditions, all of which have to hold. Each text of Matchers has any number of
	// them, as package matcher reads them; the other two are older forms with equal
	// values and anchored regular expressions.
	Matchers []string          `json:"matchers,omitempty"`
	Match    map[string]string `json:"match,omitempty"`
	MatchRE  map[string]string `json:"match_re,omitempty"`
	// Continue lets an alert that this node takes go on to the ones after it.
	Continue bool `json:"continue,omitempty"`
	// Names of time intervals, in which the node is muted, and outside of all of which
	// it is.
	MuteTimeIntervals   []string `json:"mute_time_intervals,omitempty"`
	ActiveTimeIntervals []string `json:"active_time_intervals,omitempty"`
	// Waiting times; nil inherits. GroupWait may be zero, the others may not.
	GroupWait      *time.Duration `json:"group_wait_ns,omitempty"`
	GroupInterval  *time.Duration `json:"group_interval_ns,omitempty"`
	RepeatInterval *time.Duration `json:"repeat_interval_ns,omitempty"`
	// Labels of the route, which add to the inherited ones.
	Labels map[string]string `json:"labels,omitempty"`
	Routes []Node            `json:"routes,omitempty"`
}

// The waiting times of a root that states none.
const (
	DefaultGroupWait      = 30 * time.Second
	DefaultGroupInterval  = 5 * time.Minute
	DefaultRepeatInterval = 4 * time.Hour
)

// NodeError is one problem of a tree.
type NodeError struct {
	Path string // such as "route.routes[0].group_by[1]"
	Err  error
}

// Error names the place and what is wrong.
func (e *NodeError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the problem without its place.
func (e *NodeError) Unwrap() error { return e.Err }

// New checks a tree and makes its root, whose matchers are read as Alertmanager does
// by default. All problems are reported together, each a [*NodeError]. Which
// receivers and time intervals there are is not known here, so their names are not
// checked.
func New(root Node) (*Route, error) { return NewMode(root, matcher.Fallback) }

// NewMode is [New] with matchers that are read in another mode.
func NewMode(root Node, mode matcher.Mode) (*Route, error) {
	c := compiler{mode: mode}
	r := c.route(&root, nil, "route")
	r.position = -1
	if root.Receiver == "" {
		c.fail("route.receiver", errors.New("missing, want the receiver of what no other route takes"))
	}
	if root.Continue {
		c.fail("route.continue", errors.New("true, and there is nothing after the root"))
	}
	if len(r.matchers) > 0 {
		c.fail("route", errors.New("found matchers, want none, for the root takes every alert"))
	}
	const none = "found time intervals, want none at the root"
	if len(root.MuteTimeIntervals) > 0 {
		c.fail("route.mute_time_intervals", errors.New(none))
	}
	if len(root.ActiveTimeIntervals) > 0 {
		c.fail("route.active_time_intervals", errors.New(none))
	}
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return r, nil
}

// compiler makes routes of nodes and collects problems.
type compiler struct {
	mode     matcher.Mode
	problems []error
}

// fail records a problem.
func (c *compiler) fail(path string, err error) {
	c.problems = append(c.problems, &NodeError{Path: path, Err: err})
}

// route makes a node and all below it.
func (c *compiler) route(n *Node, parent *Route, path string) *Route {
	r := &Route{path: path, next: n.Continue, options: c.options(n, parent, path), matchers: c.matchers(n, path)}
	r.key = matcher.Format(r.matchers)
	if parent != nil {
		r.depth = parent.depth + 1
		r.key = parent.key + "/" + r.key
	}
	for i := range n.Routes {
		below := c.route(&n.Routes[i], r, fmt.Sprintf("%s.routes[%d]", path, i))
		below.position, below.parent = i, r
		r.routes = append(r.routes, below)
	}
	r.index = newIndex(r.routes)
	return r
}

// options are the inherited ones with those of the node.
func (c *compiler) options(n *Node, parent *Route, path string) Options {
	o := Options{GroupWait: DefaultGroupWait, GroupInterval: DefaultGroupInterval, RepeatInterval: DefaultRepeatInterval}
	if parent != nil {
		o = parent.options
	}
	if n.Receiver != "" {
		o.Receiver = n.Receiver
	}
	if n.GroupBy != nil {
		o.GroupBy, o.GroupByAll = c.groupBy(n.GroupBy, path+".group_by")
	}
	for _, w := range []struct {
		key  string
		from *time.Duration
		into *time.Duration
		zero bool
	}{
		{"group_wait", n.GroupWait, &o.GroupWait, true},
		{"group_interval", n.GroupInterval, &o.GroupInterval, false},
		{"repeat_interval", n.RepeatInterval, &o.RepeatInterval, false},
	} {
		switch {
		case w.from == nil:
			continue
		case *w.from < 0, *w.from == 0 && !w.zero:
			c.fail(path+"."+w.key, fmt.Errorf("%s, want more", *w.from))
		}
		*w.into = *w.from
	}
	if len(n.Labels) > 0 {
		o.Labels = maps.Clone(o.Labels)
		if o.Labels == nil {
			o.Labels = map[string]string{}
		}
		maps.Copy(o.Labels, n.Labels)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		if !matcher.ValidName(name, c.mode) {
			c.fail(path+".labels."+name, errors.New("want the name of a label"))
		}
	}
	o.MuteTimeIntervals, o.ActiveTimeIntervals = slices.Clone(n.MuteTimeIntervals), slices.Clone(n.ActiveTimeIntervals)
	return o
}

// groupBy checks a list of labels and sorts it; all is for "...".
func (c *compiler) groupBy(list []string, path string) (names []string, all bool) {
	names = []string{}
	for i, name := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case name == "...":
			all = true
			continue
		case !matcher.ValidName(name, c.mode):
			c.fail(at, fmt.Errorf("%q: want the name of a label", name))
		case slices.Contains(names, name):
			c.fail(at, fmt.Errorf("%q stands twice", name))
		}
		names = append(names, name)
	}
	if all && len(names) > 0 {
		c.fail(path, errors.New(`found "..." and other labels, want one or the other`))
	}
	slices.Sort(names)
	return names, all
}

// matchers puts the three forms together, sorted.
func (c *compiler) matchers(n *Node, path string) []matcher.Matcher {
	var list []matcher.Matcher
	add := func(path string, err error, more ...matcher.Matcher) {
		if err != nil {
			c.fail(path, err)
			return
		}
		list = append(list, more...)
	}
	older := func(key string, op matcher.Op, values map[string]string, written func(string) string) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			m, err := matcher.New(name, op, values[name])
			if err == nil && !matcher.Identifier(name) {
				err = fmt.Errorf("label %q: want letters, digits and underscores, no digit first", name)
			}
			if err == nil {
				m, err = matcher.New(name, op, written(values[name]))
			}
			add(path+"."+key+"."+name, err, m)
		}
	}
	older("match", matcher.Equal, n.Match, func(s string) string { return s })
	// Alertmanager anchors these twice, and the keys of groups show it.
	older("match_re", matcher.Match, n.MatchRE, func(s string) string { return "^(?:" + s + ")$" })
	for i, text := range n.Matchers {
		more, err := matcher.ParseListMode(text, c.mode)
		add(fmt.Sprintf("%s.matchers[%d]", path, i), err, more...)
	}
	slices.SortFunc(list, matcher.Compare)
	return list
}
