package route_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation/interval"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// tree is that of TestRouteMatch in Alertmanager 0.34.2, dispatch/route_test.go.
var tree = route.Node{
	Receiver: "notify-def",
	Routes: []route.Node{
		{
			Matchers: []string{`{owner="team-A"}`}, Receiver: "notify-A",
			Routes: []route.Node{
				{Matchers: []string{`{env="testing"}`}, Receiver: "notify-testing", GroupBy: []string{"..."}},
				{Match: map[string]string{"env": "production"}, Receiver: "notify-productionA", GroupWait: new(time.Minute), Continue: true},
				{MatchRE: map[string]string{"env": "produ.*"}, Matchers: []string{`job=".*"`}, Receiver: "never"},
				{MatchRE: map[string]string{"env": "produ.*"}, Receiver: "notify-productionB", GroupWait: new(30 * time.Second), GroupInterval: new(5 * time.Minute), RepeatInterval: new(time.Hour), GroupBy: []string{"job"}},
			},
		},
		{
			Matchers: []string{`owner=~"team-(B|C)"`}, GroupBy: []string{"foo", "bar"}, GroupWait: new(2 * time.Minute), Receiver: "notify-BC",
		},
		{
			Matchers: []string{`group_by="role"`}, GroupBy: []string{"role"},
			Routes: []route.Node{
				{Matchers: []string{`env="testing"`}, Receiver: "notify-testing", Routes: []route.Node{{Matchers: []string{`wait="long"`}, GroupWait: new(2 * time.Minute)}}},
			},
		},
	},
}

func labels(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func newRoute(tb testing.TB, n route.Node) *route.Route {
	tb.Helper()
	r, err := route.New(n)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// Expectations are those of the test in Alertmanager: receivers, groups and keys.
func TestMatch(t *testing.T) {
	root := newRoute(t, tree)
	def := route.Options{Receiver: "notify-def", GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour}
	with := func(edit func(*route.Options)) route.Options {
		o := def
		edit(&o)
		return o
	}
	for _, c := range []struct {
		labels map[string]string
		want   []route.Options
		keys   []string
	}{
		{labels("owner", "team-A"), []route.Options{with(func(o *route.Options) { o.Receiver = "notify-A" })}, []string{`{}/{owner="team-A"}`}},
		{labels("owner", "team-A", "env", "unset"), []route.Options{with(func(o *route.Options) { o.Receiver = "notify-A" })}, []string{`{}/{owner="team-A"}`}},
		{labels("owner", "team-C"), []route.Options{with(func(o *route.Options) {
			o.Receiver, o.GroupBy, o.GroupWait = "notify-BC", []string{"bar", "foo"}, 2*time.Minute
		})}, []string{`{}/{owner=~"team-(B|C)"}`}},
		{labels("owner", "team-A", "env", "testing"), []route.Options{with(func(o *route.Options) {
			o.Receiver, o.GroupByAll, o.GroupBy = "notify-testing", true, []string{}
		})}, []string{`{}/{owner="team-A"}/{env="testing"}`}},
		{labels("owner", "team-A", "env", "production"), []route.Options{
			with(func(o *route.Options) { o.Receiver, o.GroupWait = "notify-productionA", time.Minute }),
			with(func(o *route.Options) {
				o.Receiver, o.GroupBy, o.RepeatInterval = "notify-productionB", []string{"job"}, time.Hour
			}),
		}, []string{`{}/{owner="team-A"}/{env="production"}`, `{}/{owner="team-A"}/{env=~"^(?:produ.*)$"}`}},
		{labels("group_by", "role"), []route.Options{with(func(o *route.Options) { o.GroupBy = []string{"role"} })}, []string{`{}/{group_by="role"}`}},
		{labels("env", "testing", "group_by", "role", "wait", "long"), []route.Options{with(func(o *route.Options) {
			o.Receiver, o.GroupBy, o.GroupWait = "notify-testing", []string{"role"}, 2*time.Minute
		})}, []string{`{}/{group_by="role"}/{env="testing"}/{wait="long"}`}},
		{labels("a", "b"), []route.Options{def}, []string{`{}`}},
		{nil, []route.Options{def}, []string{`{}`}},
	} {
		var got []route.Options
		var keys []string
		for _, r := range root.Match(c.labels) {
			got, keys = append(got, r.Options()), append(keys, r.Key())
		}
		if !reflect.DeepEqual(got, c.want) || !slices.Equal(keys, c.keys) {
			t.Errorf("Match(%v) =\n%+v %q, want\n%+v %q", c.labels, got, keys, c.want, c.keys)
		}
		if taken := root.Explain(c.labels).Taken(); !slices.Equal(taken, root.Match(c.labels)) {
			t.Errorf("Explain(%v) takes %v, want what Match returns", c.labels, taken)
		}
	}
}

func TestGroups(t *testing.T) {
	root := newRoute(t, route.Node{Receiver: "r", GroupBy: []string{"b", "a"}, Routes: []route.Node{
		{Matchers: []string{`x="all"`}, GroupBy: []string{"..."}, Routes: []route.Node{{Matchers: []string{`y="none"`}, GroupBy: []string{}}, {Matchers: []string{`y="inherited"`}}}},
	}})
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{
		{labels("a", "1", "b", "2", "c", "3"), `{}:{a="1", b="2"}`},
		{labels("a", "", "b", "\"é\n"), `{}:{b="\"é\n"}`}, // an empty label is none
		{labels("c", "3"), `{}:{}`},
		{labels("x", "all", "c", ""), `{}/{x="all"}:{x="all"}`},
		{labels("x", "all", "y", "none"), `{}/{x="all"}/{y="none"}:{}`},
		{labels("x", "all", "y", "inherited"), `{}/{x="all"}/{y="inherited"}:{x="all", y="inherited"}`},
	} {
		r := root.Match(c.labels)[0]
		if got := r.GroupKey(c.labels); got != c.want {
			t.Errorf("group key of %v = %s, want %s", c.labels, got, c.want)
		}
	}
}

func TestIDs(t *testing.T) {
	root := newRoute(t, route.Node{Receiver: "r", Routes: []route.Node{{Matchers: []string{"b=1,a=2"}, Continue: true}, {Matchers: []string{"a=2", "b=1"}, Routes: []route.Node{{}}}}})
	var got []string
	for r := range root.All() {
		got = append(got, r.ID()+" "+r.Path())
	}
	want := []string{
		`{} route`, `{}/{a="2",b="1"}/0 route.routes[0]`, `{}/{a="2",b="1"}/1 route.routes[1]`, `{}/{a="2",b="1"}/1/{}/0 route.routes[1].routes[0]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("IDs and paths = %q, want %q", got, want)
	}
	for range root.All() {
		break // must not panic
	}
	last := root.Routes()[1].Routes()[0]
	if last.Parent() != root.Routes()[1] || root.Parent() != nil || !root.Routes()[0].Continue() || len(last.Matchers()) != 0 {
		t.Error("Parent, Continue or Matchers do not say what was written")
	}
}

func TestLabelsAreInherited(t *testing.T) {
	root := newRoute(t, route.Node{Receiver: "r", Labels: labels("a", "1", "b", "2"), Routes: []route.Node{{Labels: labels("b", "{{ .x }}", "c", "3"), MuteTimeIntervals: []string{"m"}, Routes: []route.Node{{}}}}})
	below := root.Routes()[0].Routes()[0].Options()
	if want := labels("a", "1", "b", "{{ .x }}", "c", "3"); !maps.Equal(below.Labels, want) {
		t.Errorf("labels = %v, want %v", below.Labels, want)
	}
	if want := labels("a", "1", "b", "2"); !maps.Equal(root.Options().Labels, want) {
		t.Errorf("labels of the root = %v, want %v as before", root.Options().Labels, want)
	}
	if len(below.MuteTimeIntervals) != 0 {
		t.Errorf("mute time intervals = %q, want none, for they are not inherited", below.MuteTimeIntervals)
	}
}

func TestMuting(t *testing.T) {
	hours := func(from, to interval.Clock) []interval.Interval {
		return []interval.Interval{{Times: []interval.Times{{Start: from * 60, End: to * 60}}}}
	}
	set := interval.Set{"day": hours(6, 18), "lunch": hours(12, 13), "late": hours(17, 20)}
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		active, mute []string
		hour         int
		want         route.Muting
	}{
		{nil, nil, 3, route.Muting{}},
		{[]string{"day"}, nil, 3, route.Muting{Muted: true, Inactive: true, Names: []string{"day"}}},
		{[]string{"day", "late"}, nil, 19, route.Muting{}},
		{[]string{"day", "late"}, []string{"lunch"}, 20, route.Muting{Muted: true, Inactive: true, Names: []string{"day", "late"}}},
		{[]string{"day"}, []string{"lunch", "late"}, 17, route.Muting{Muted: true, Names: []string{"late"}}},
		{nil, []string{"day", "lunch"}, 12, route.Muting{Muted: true, Names: []string{"day", "lunch"}}},
		{nil, []string{"lunch"}, 13, route.Muting{}},
	} {
		root := newRoute(t, route.Node{Receiver: "r", Routes: []route.Node{{ActiveTimeIntervals: c.active, MuteTimeIntervals: c.mute}}})
		got, err := root.Routes()[0].Muting(set, day.Add(time.Duration(c.hour)*time.Hour))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("active %q, muted %q at %d: %+v, %v, want %+v", c.active, c.mute, c.hour, got, err, c.want)
		}
	}
	for _, n := range []route.Node{{ActiveTimeIntervals: []string{"x"}}, {MuteTimeIntervals: []string{"x"}}} {
		root := newRoute(t, route.Node{Receiver: "r", Routes: []route.Node{n}})
		if _, err := root.Routes()[0].Muting(set, day); !errors.Is(err, interval.ErrUnknown) {
			t.Errorf("unknown name: %v, want ErrUnknown", err)
		}
	}
	for want, m := range map[string]route.Muting{
		"not muted": {}, "muted in a, b": {Muted: true, Names: []string{"a", "b"}}, "muted outside of a": {Muted: true, Inactive: true, Names: []string{"a"}},
	} {
		if got := m.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	root := newRoute(t, tree)
	const want = `route: passed
  route.routes[0] {owner="team-A"}: passed
    route.routes[0].routes[0] {env="testing"}: unmatched, env="testing" and the alert has "production"
    route.routes[0].routes[1] {env="production"}: taken by "notify-productionA", and goes on
    route.routes[0].routes[2] {env=~"^(?:produ.*)$",job=".*"}: unmatched, job=".*" and the alert has ""
    route.routes[0].routes[3] {env=~"^(?:produ.*)$"}: taken by "notify-productionB"
  route.routes[1] {owner=~"team-(B|C)"}: not tried, route.routes[0] took it and does not continue
  route.routes[2] {group_by="role"}: not tried, route.routes[0] took it and does not continue
`
	e := root.Explain(labels("owner", "team-A", "env", "production"))
	if got := e.String(); got != want {
		t.Errorf("Explain =\n%swant\n%s", got, want)
	}
	step, err := json.Marshal(e[2])
	if want := `{"path":"route.routes[0].routes[0]","verdict":"unmatched","failed":"env=\"testing\"","value":"production"}`; err != nil || string(step) != want {
		t.Errorf("a step as JSON = %s, %v, want %s", step, err, want)
	}
}

func TestErrors(t *testing.T) {
	_, err := route.New(route.Node{
		Continue: true, Matchers: []string{"a=b"}, MuteTimeIntervals: []string{"x"}, ActiveTimeIntervals: []string{"y"},
		GroupBy: []string{"a", "a", ""}, GroupWait: new(-time.Second), GroupInterval: new(time.Duration(0)), RepeatInterval: new(time.Duration(0)),
		Routes: []route.Node{
			{GroupBy: []string{"...", "a"}, GroupWait: new(time.Duration(0)), Labels: labels("", "x")},
			{Match: labels("a-b", "c"), MatchRE: labels("a", "(", "é", "x"), Matchers: []string{"a=b", "a"}},
		},
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("New = %v, want joined errors", err)
	}
	var got []string
	for _, err := range joined.Unwrap() {
		e, ok := errors.AsType[*route.NodeError](err)
		if !ok {
			t.Fatalf("%T, want a NodeError", err)
		}
		if e.Unwrap() == nil || !strings.HasPrefix(e.Error(), e.Path+": ") {
			t.Errorf("error = %q, want its path first", e)
		}
		got = append(got, e.Path)
	}
	slices.Sort(got)
	want := []string{
		"route", "route.active_time_intervals", "route.continue", "route.group_by[1]", "route.group_by[2]", "route.group_interval", "route.group_wait",
		"route.mute_time_intervals", "route.receiver", "route.repeat_interval", "route.routes[0].group_by", "route.routes[0].labels.",
		"route.routes[1].match.a-b", "route.routes[1].match_re.a", "route.routes[1].match_re.é", "route.routes[1].matchers[1]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("errors at\n%q, want\n%q", got, want)
	}
	if _, err := route.NewMode(route.Node{Receiver: "r", GroupBy: []string{"é"}}, matcher.Classic); err == nil {
		t.Error("é in group_by in classic mode: no error, want one")
	}
}

// What is taken is what a reading of the rule in words takes: the routes of a tree
// that match and have no route below them that does, cut where one does not continue.
func TestSearchAgainstTheRule(t *testing.T) {
	var random func(rnd *rand.Rand, depth int) route.Node
	random = func(rnd *rand.Rand, depth int) route.Node {
		n := route.Node{Continue: rnd.IntN(2) == 0}
		for range rnd.IntN(3) {
			n.Matchers = append(n.Matchers, fmt.Sprintf("%c%s%d", 'a'+rnd.IntN(3), []string{"=", "!="}[rnd.IntN(2)], rnd.IntN(2)))
		}
		for range rnd.IntN(4) + 20*(rnd.IntN(8)/7) { // many are found by an index
			if depth > 0 {
				n.Routes = append(n.Routes, random(rnd, depth-1-rnd.IntN(2)))
			}
		}
		return n
	}
	matches := func(n *route.Node, l map[string]string) bool {
		for _, text := range n.Matchers {
			name, value, equal := text[:1], text[len(text)-1:], text[1] == '='
			if (l[name] == value) != equal {
				return false
			}
		}
		return true
	}
	// reached lists the paths that take the alert, and whether any does.
	var reached func(n *route.Node, path string, l map[string]string) []string
	reached = func(n *route.Node, path string, l map[string]string) []string {
		var paths []string
		open := true
		for i := range n.Routes {
			if open && matches(&n.Routes[i], l) {
				paths = append(paths, reached(&n.Routes[i], fmt.Sprintf("%s.routes[%d]", path, i), l)...)
				open = n.Routes[i].Continue
			}
		}
		if paths == nil {
			return []string{path}
		}
		return paths
	}
	for seed := range 1000 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		n := random(rnd, 3)
		n.Receiver, n.Matchers, n.Continue = "r", nil, false
		root := newRoute(t, n)
		for range 8 {
			l := labels("a", strconv.Itoa(rnd.IntN(2)), "b", strconv.Itoa(rnd.IntN(2)))
			var got []string
			for _, r := range root.Match(l) {
				got = append(got, r.Path())
			}
			if want := reached(&n, "route", l); !slices.Equal(got, want) {
				t.Fatalf("seed %d: Match(%v) = %q, want %q", seed, l, got, want)
			}
			if taken := root.Explain(l).Taken(); !slices.Equal(taken, root.Match(l)) {
				t.Fatalf("seed %d: Explain(%v) takes others than Match", seed, l)
			}
		}
	}
}

// A tree from JSON is refused or answers, and is the same when it is written and
// read again.
func FuzzNode(f *testing.F) {
	text, err := json.Marshal(tree)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, "env", "production")
	f.Add([]byte(`{"receiver":"r","group_by":[],"routes":[{"group_by":["..."]}]}`), "a", "")
	f.Fuzz(func(t *testing.T, text []byte, name, value string) {
		var n, again route.Node
		if json.Unmarshal(text, &n) != nil {
			return
		}
		root, err := route.New(n)
		if err != nil {
			return
		}
		l := map[string]string{name: value}
		match := root.Match(l)
		if !slices.Equal(match, root.Explain(l).Taken()) || len(match) == 0 {
			t.Fatalf("Match = %v, want what Explain takes", match)
		}
		written, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatal(err)
		}
		other, err := route.New(again)
		if err != nil {
			t.Fatalf("read again: %v", err)
		}
		for i, r := range other.Match(l) {
			if r.GroupKey(l) != match[i].GroupKey(l) {
				t.Fatalf("read again, the group is %s, want %s", r.GroupKey(l), match[i].GroupKey(l))
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, teams := range []int{10, 1000} {
		b.Run(fmt.Sprintf("teams=%d", teams), func(b *testing.B) {
			n := route.Node{Receiver: "default"}
			for i := range teams {
				n.Routes = append(n.Routes, route.Node{Matchers: []string{fmt.Sprintf("team=t%d", i)}, Routes: []route.Node{{Matchers: []string{`severity=~"critical|page"`}}}})
			}
			root := newRoute(b, n)
			l := labels("team", fmt.Sprintf("t%d", teams/2), "severity", "critical", "alertname", "Down")
			b.ReportAllocs()
			for b.Loop() {
				root.Match(l)
			}
		})
	}
}
