// Package alertmanager reads the configuration file of the Prometheus Alertmanager
// into the values of the core packages that answer as it does: the routing tree
// (package route), the inhibition rules (package inhibit) and the time intervals
// (package interval).
//
//	c, err := alertmanager.ParseConfig("alertmanager.yml", data)
//	if err != nil {
//		return err // every problem, with line and column
//	}
//	for _, r := range c.Route.Match(labels) {
//		muting, err := r.Muting(c.Intervals, at)
//		…
//	}
//	inhibitor, err := c.Inhibitor()
//
// What version 0.34.2 takes is taken and what it refuses is refused, in the sections
// above, in the names of receivers and in the keys of the file, receivers and global
// settings. The settings of receivers and all else are kept in [Config.Apart] and not
// looked into.
//
// # Limits
//
// These are refused here and not there, because what is meant by them is not what
// they do: a second document in the file, which would be ignored; list items that are
// null, which there end the program or read as sundays; tags other than !!str; and
// regular expressions that get out of the anchors, as a)|(b does. The syntax is that of
// YAML 1.2, which differs at odd places, such as a comment right after a quote; what
// words mean is as there, so that yes and on are booleans.
package alertmanager

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/correlation/route"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
)

// Config is what a file says. It is not changed by its methods.
type Config struct {
	Route *route.Route
	// Inhibit are the rules in the order of the file.
	Inhibit []inhibit.Rule
	// Intervals are those of time_intervals and mute_time_intervals, the older name.
	Intervals interval.Set
	// Receivers are the names, in the order of the file.
	Receivers []string
	// ResolveTimeout is the time after which an alert without an end is over, 5 minutes
	// unless the file says otherwise.
	ResolveTimeout time.Duration
	// Mode is that in which matchers and names of labels were read.
	Mode matcher.Mode
	// Apart are the sections that are not read, by their keys: global, receivers,
	// templates, tracing and event_recorder. Their values are as YAML has them: text,
	// numbers, booleans, []any and map[string]any. They may hold secrets.
	Apart map[string]any
}

// Diagnostic is something about a file that is wrong. Its severity is always "error" and
// its codes are those of [ParseConfig].
type Diagnostic = diagnostic.Diagnostic

// Errors are all problems of a file, sorted by line and column.
type Errors = diagnostic.Errors //nolint:errname // a list, whose name it does not see through an alias

// ParseConfig reads a file, whose name is used in errors. The error is of type
// [Errors] and holds every problem of the file.
//
// The codes of problems are syntax, second_document, alias_limit, wrong_type,
// unknown_field, duplicate_key, duplicate_name, missing_field, null_item, tag,
// bad_duration, bad_interval, bad_route, bad_inhibit_rule, undefined_receiver and
// undefined_interval.
func ParseConfig(name string, data []byte) (*Config, error) {
	return ParseConfigMode(name, data, matcher.Fallback)
}

// ParseConfigMode is [ParseConfig] for an Alertmanager that reads matchers in
// another mode.
func ParseConfigMode(name string, data []byte, mode matcher.Mode) (*Config, error) {
	r := &reader{file: name, at: map[string]position{}}
	c := &Config{Mode: mode, Intervals: interval.Set{}, ResolveTimeout: 5 * time.Minute, Apart: map[string]any{}}
	f := file{reader: r, config: c, named: map[string]bool{}}
	if root, ok := r.load(data); ok {
		f.read(root)
	}
	if len(r.problems) > 0 {
		r.problems.Sort()
		return nil, r.problems
	}
	return c, nil
}

// Inhibitor returns a new inhibitor with the rules of the file and no alerts. Rules
// from a file that was read give no error.
func (c *Config) Inhibitor() (*inhibit.Inhibitor, error) { return inhibit.NewMode(c.Inhibit, c.Mode) }

// file reads the sections of a file.
type file struct {
	*reader
	config *Config
	tree   *route.Node
	named  map[string]bool // receivers
}

// read reads all sections and checks what they say of each other.
func (f *file) read(root value) {
	apart := func(use func(value)) func(value) {
		return func(v value) {
			var plain any
			if err := v.n.Decode(&plain); err != nil {
				f.fail(v, "syntax", "", "not valid YAML: %v", err)
			}
			f.config.Apart[v.path] = plain
			if use != nil && !v.null() {
				use(v)
			}
		}
	}
	f.fields(root, map[string]func(value){
		"global":              apart(f.global),
		"templates":           apart(func(v value) { f.texts(v, new([]string)) }),
		"receivers":           apart(f.receivers),
		"tracing":             apart(nil),
		"event_recorder":      apart(nil),
		"route":               f.root,
		"inhibit_rules":       f.inhibitRules,
		"time_intervals":      f.timeIntervals,
		"mute_time_intervals": f.timeIntervals,
	})
	if f.tree == nil {
		if len(f.problems) == 0 {
			f.fail(root, "missing_field", "", "no route, want one with a receiver for all that no other route takes")
		}
		return
	}
	if f.visited > f.limit {
		return
	}
	made, err := route.NewMode(*f.tree, f.config.Mode)
	f.config.Route = made
	f.placed("route", err)
	_, err = f.config.Inhibitor()
	f.placed("", err)
	f.references(f.tree, "route")
}

// placed records the errors of a core package where they belong; root is the path of
// the tree.
func (f *file) placed(root string, err error) {
	if err == nil {
		return
	}
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		if e, ok := errors.AsType[*route.NodeError](err); ok {
			f.failAt(root+strings.TrimPrefix(e.Path, "route"), "bad_route", "%v", e.Err)
		}
		if e, ok := errors.AsType[*inhibit.RuleError](err); ok {
			f.failAt(fmt.Sprintf("inhibit_rules[%d].%s", e.Rule, e.Field), "bad_inhibit_rule", "%v", e.Err)
		}
	}
}

// references checks the names that routes use.
func (f *file) references(n *route.Node, path string) {
	if n.Receiver != "" && !f.named[n.Receiver] {
		f.undefined(path+".receiver", "receiver", n.Receiver, f.config.Receivers)
	}
	for key, list := range map[string][]string{"mute_time_intervals": n.MuteTimeIntervals, "active_time_intervals": n.ActiveTimeIntervals} {
		for i, name := range list {
			if _, ok := f.config.Intervals[name]; !ok {
				f.undefined(fmt.Sprintf("%s.%s[%d]", path, key, i), "interval", name, slices.Sorted(maps.Keys(f.config.Intervals)))
			}
		}
	}
	for i := range n.Routes {
		f.references(&n.Routes[i], fmt.Sprintf("%s.routes[%d]", path, i))
	}
}

// global reads the one global setting that counts for alerts.
func (f *file) global(v value) {
	use := map[string]func(value){"resolve_timeout": func(v value) {
		var d *time.Duration
		if f.duration(v, &d); d != nil {
			f.config.ResolveTimeout = *d
		}
	}}
	for _, key := range globalKeys {
		use[key] = func(value) {}
	}
	f.fields(v, use)
}

// receivers reads the names of receivers.
func (f *file) receivers(v value) {
	f.items(v, func(v value) {
		var name string
		var labels map[string]string
		use := map[string]func(value){
			"name":   func(v value) { f.text(v, &name) },
			"labels": func(v value) { f.textMap(v, &labels) },
		}
		for _, key := range receiverKeys {
			use[key] = func(value) {}
		}
		if !f.fields(v, use) {
			return
		}
		f.checkName(v, name, f.named[name], "receiver")
		if of, ok := labels["name"]; ok && of != name {
			f.failAt(v.path+".labels.name", "wrong_type", "%q, want the name of the receiver, %q", of, name)
		}
		f.named[name] = true
		f.config.Receivers = append(f.config.Receivers, name)
	})
}

// checkName checks that a thing has a name of its own.
func (f *file) checkName(v value, name string, taken bool, thing string) {
	switch {
	case name == "":
		f.fail(v, "missing_field", "", "no name, want one for the %s", thing)
	case taken:
		f.failAt(v.path+".name", "duplicate_name", "%q is the name of another %s", name, thing)
	}
}

// root reads the routing tree.
func (f *file) root(v value) {
	f.tree = nil
	if !v.null() {
		f.tree = new(route.Node)
		f.route(v, f.tree)
	}
}

// route reads a node of the tree, or merges into it.
func (f *file) route(v value, n *route.Node) {
	f.fields(v, map[string]func(value){
		"receiver":              func(v value) { f.text(v, &n.Receiver) },
		"group_by":              func(v value) { f.texts(v, &n.GroupBy) },
		"match":                 func(v value) { f.textMap(v, &n.Match) },
		"match_re":              func(v value) { f.expressions(v, &n.MatchRE) },
		"matchers":              func(v value) { f.moreTexts(v, &n.Matchers) },
		"mute_time_intervals":   func(v value) { f.texts(v, &n.MuteTimeIntervals) },
		"active_time_intervals": func(v value) { f.texts(v, &n.ActiveTimeIntervals) },
		"continue":              func(v value) { f.flag(v, &n.Continue) },
		"group_wait":            func(v value) { f.duration(v, &n.GroupWait) },
		"group_interval":        func(v value) { f.duration(v, &n.GroupInterval) },
		"repeat_interval":       func(v value) { f.duration(v, &n.RepeatInterval) },
		"labels":                func(v value) { f.textMap(v, &n.Labels) },
		"routes": func(v value) {
			// What takes the place of routes from a merge does not make them right.
			if len(n.Routes) > 0 {
				_, err := route.NewMode(route.Node{Receiver: "any", Routes: n.Routes}, f.config.Mode)
				f.placed(strings.TrimSuffix(v.path, ".routes"), err)
				n.Routes = nil
			}
			f.items(v, func(v value) {
				var below route.Node
				f.route(v, &below)
				n.Routes = append(n.Routes, below)
			})
		},
	})
}

// inhibitRules reads the rules.
func (f *file) inhibitRules(v value) {
	f.config.Inhibit = nil
	f.items(v, func(v value) {
		var n inhibit.Rule
		f.fields(v, map[string]func(value){
			"name":            func(v value) { f.text(v, &n.Name) },
			"source_match":    func(v value) { f.textMap(v, &n.SourceMatch) },
			"source_match_re": func(v value) { f.expressions(v, &n.SourceMatchRE) },
			"source_matchers": func(v value) { f.moreTexts(v, &n.SourceMatchers) },
			"target_match":    func(v value) { f.textMap(v, &n.TargetMatch) },
			"target_match_re": func(v value) { f.expressions(v, &n.TargetMatchRE) },
			"target_matchers": func(v value) { f.moreTexts(v, &n.TargetMatchers) },
			"equal":           func(v value) { f.texts(v, &n.Equal) },
		})
		f.config.Inhibit = append(f.config.Inhibit, n)
	})
}

// timeIntervals reads a list of named intervals.
func (f *file) timeIntervals(v value) {
	f.items(v, func(v value) {
		var name string
		list := []interval.Interval{}
		if !f.fields(v, map[string]func(value){
			"name": func(v value) { f.text(v, &name) },
			"time_intervals": func(v value) {
				list = list[:0]
				f.items(v, func(v value) {
					var i interval.Interval
					f.interval(v, &i)
					list = append(list, i)
				})
			},
		}) {
			return
		}
		_, taken := f.config.Intervals[name]
		f.checkName(v, name, taken, "time interval")
		f.config.Intervals[name] = list
	})
}

// interval reads one interval.
func (f *file) interval(v value, i *interval.Interval) {
	f.fields(v, map[string]func(value){
		"times":         func(v value) { f.times(v, &i.Times) },
		"weekdays":      func(v value) { ranges(f.reader, v, &i.Weekdays) },
		"days_of_month": func(v value) { ranges(f.reader, v, &i.DaysOfMonth) },
		"months":        func(v value) { ranges(f.reader, v, &i.Months) },
		"years":         func(v value) { ranges(f.reader, v, &i.Years) },
		"location": func(v value) {
			i.Location = interval.Zone{}
			if !v.null() {
				f.rangeText(v, &i.Location)
			}
		},
	})
}

// times reads the times of day of an interval.
func (f *file) times(v value, into *[]interval.Times) {
	*into = nil
	if !v.null() {
		*into = []interval.Times{}
	}
	f.items(v, func(v value) {
		var start, end string
		if !f.fields(v, map[string]func(value){
			"start_time": func(v value) { f.text(v, &start) },
			"end_time":   func(v value) { f.text(v, &end) },
		}) {
			return
		}
		var t interval.Times
		err := t.Start.UnmarshalText([]byte(start))
		if err != nil {
			f.failAt(v.path+".start_time", "bad_interval", "%v", err)
		}
		if err2 := t.End.UnmarshalText([]byte(end)); err2 != nil {
			f.failAt(v.path+".end_time", "bad_interval", "%v", err2)
			return
		}
		if err != nil {
			return
		}
		if err := (interval.Interval{Times: []interval.Times{t}}).Validate(); err != nil {
			wrong, _ := errors.AsType[*interval.RangeError](err)
			f.fail(v, "bad_interval", "", "%v", wrong)
		}
		*into = append(*into, t)
	})
}

// ranges reads a list of values that read their own text.
func ranges[T any, P interface {
	*T
	UnmarshalText(text []byte) error
}](r *reader, v value, into *[]T,
) {
	*into = nil
	if !v.null() {
		*into = []T{}
	}
	r.items(v, func(v value) {
		var t T
		r.rangeText(v, P(&t))
		*into = append(*into, t)
	})
}
