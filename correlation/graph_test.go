package correlation_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

func newGraph(tb testing.TB, t *correlation.Topology) *correlation.Graph {
	tb.Helper()
	g, err := correlation.NewGraph(t)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func edges(tb testing.TB, text string) []correlation.Edge {
	tb.Helper()
	list, err := correlation.ParseEdges(text)
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func TestRootsHops(t *testing.T) {
	g := newGraph(t, &correlation.Topology{Edges: edges(t, "web -> api, cache\napi -> db")})
	alerting := map[string]time.Time{"web": sec(0), "db": sec(5), "cache": sec(5), "odd": sec(1)}
	for _, hops := range []int{0, 1} {
		want := `[{"root":"cache","members":["cache","web"]},{"root":"db","members":["db"]},{"root":"odd","members":["odd"]}]` // same onset: fewer hops
		if got := asJSON(t, g.Roots(alerting, hops)); got != want {
			t.Errorf("Roots with %d hops = %s, want %s", hops, got, want)
		}
	}
	delete(alerting, "cache")
	for hops, root := range map[int]string{0: "db", 1: "web", 2: "db"} {
		got := g.Roots(alerting, hops)
		if !slices.ContainsFunc(got, func(g correlation.Group) bool { return g.Root == root && slices.Contains(g.Members, "web") }) {
			t.Errorf("Roots with %d hops = %v, want web under %s", hops, got, root)
		}
	}
}

// pool is a service behind one of two balancers, with two of three databases.
func pool(tb testing.TB) *correlation.Graph {
	tb.Helper()
	return newGraph(tb, &correlation.Topology{
		Edges: edges(tb, "shop -> web\nlb-1 -> rack-1\nlb-2 -> rack-2"),
		Redundant: []correlation.Redundancy{
			{Dependent: "web", Dependencies: []string{"lb-1", "lb-2"}, Need: 1},
			{Dependent: "web", Dependencies: []string{"db-1", "db-2", "db-3"}, Need: 2},
		},
		Kinds:   map[string]string{"web": "service", "lb-1": "balancer"},
		Regions: map[string]string{"web": "us-east"},
	})
}

func TestImpact(t *testing.T) {
	g := pool(t)
	for failed, want := range map[string]string{
		"":              "",
		"unknown":       "",
		"shop":          "",
		"lb-1":          "",
		"db-2":          "",
		"rack-1":        "lb-1>rack-1",
		"lb-1 lb-2":     "web>lb-2 shop>web>lb-2",
		"db-1 db-3":     "web>db-3 shop>web>db-3",
		"db-1 lb-1":     "", // neither group has failed
		"db-1 db-1":     "",
		"rack-1 rack-2": "lb-1>rack-1 lb-2>rack-2 web>lb-2>rack-2 shop>web>lb-2>rack-2",
		"rack-1 lb-2":   "lb-1>rack-1 web>lb-1>rack-1 shop>web>lb-1>rack-1",
	} {
		var paths []string
		impact := g.Impact(strings.Fields(failed)...)
		for i, x := range impact {
			path := impact.Path(i)
			if x.Hops != len(path)-1 || x.Entity != path[0] || x.Via != path[1] || (x.Entity == "web") != (x.Region == "us-east") || (x.Entity == "lb-1") != (x.Kind == "balancer") {
				t.Errorf("Impact(%q) has %+v, which does not agree with itself or the topology", failed, x)
			}
			paths = append(paths, strings.Join(path, ">"))
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("Impact(%q) = %s, want %s", failed, got, want)
		}
	}
}

// A victim of a redundant dependency is one only while the group has failed.
func TestRootsRedundancy(t *testing.T) {
	g := pool(t)
	for alerting, want := range map[string]string{
		"web lb-1":          `[{"root":"lb-1","members":["lb-1"]},{"root":"web","members":["web"]}]`,
		"web lb-1 lb-2":     `[{"root":"lb-1","members":["lb-1","web"]},{"root":"lb-2","members":["lb-2"]}]`,
		"web rack-1 lb-2":   `[{"root":"lb-2","members":["lb-2"]},{"root":"rack-1","members":["rack-1","web"]}]`, // lb-1 is broken, though it does not alert
		"shop db-1 db-2":    `[{"root":"db-1","members":["db-1","shop"]},{"root":"db-2","members":["db-2"]}]`,
		"shop db-1 rack-2":  `[{"root":"db-1","members":["db-1"]},{"root":"rack-2","members":["rack-2"]},{"root":"shop","members":["shop"]}]`,
		"shop web db-3 odd": `[{"root":"db-3","members":["db-3"]},{"root":"odd","members":["odd"]},{"root":"web","members":["shop","web"]}]`,
	} {
		onsets := map[string]time.Time{}
		for name := range strings.FieldsSeq(alerting) {
			onsets[name] = sec(0)
			if strings.HasPrefix(name, "rack") {
				onsets[name] = sec(-1) // the victim goes to the earliest
			}
		}
		for _, hops := range []int{0, 9} {
			if got := asJSON(t, g.Roots(onsets, hops)); got != want {
				t.Errorf("Roots(%s, %d) = %s, want %s", alerting, hops, got, want)
			}
		}
	}
}

// For rules it is a dependency like any other, whatever its members do.
func TestDependsOnRedundancy(t *testing.T) {
	topology := &correlation.Topology{
		Redundant: []correlation.Redundancy{{Dependent: "web", Dependencies: []string{"db-1", "db-2"}, Need: 1}},
		Kinds:     map[string]string{"db-1": "database"},
	}
	rule := correlation.Rule{Name: "r", Logic: `IF platform.database_down THEN suppress application.* WHERE depends_on="database" CREATE composite_alert: "x"`}
	e, err := correlation.New([]correlation.Rule{rule}, correlation.Options{Topology: topology})
	if err != nil {
		t.Fatal(err)
	}
	for n, service := range []string{"web", "mail"} {
		if _, err := e.Apply(sec(float64(n)), correlation.Event{Alert: "application.slow", Labels: map[string]string{"service": service}, Status: correlation.Firing, Time: sec(float64(n))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Apply(sec(5), correlation.Event{Alert: "platform.database_down", Labels: map[string]string{"service": "db-1"}, Status: correlation.Firing, Time: sec(5)}); err != nil {
		t.Fatal(err)
	}
	for _, a := range e.Alerts() {
		if hidden := a.SuppressedBy != nil; hidden != (a.Labels.Get("service") == "web") {
			t.Errorf("%s suppressed %v, want web alone", a, hidden)
		}
	}
	// Without a limit on hops or with one: db-2 is healthy, so web is a root too.
	for _, hops := range []int{0, 3} {
		if got, want := asJSON(t, e.Groups("", hops)), `[{"root":"db-1","members":["db-1"]},{"root":"mail","members":["mail"]},{"root":"web","members":["web"]}]`; got != want {
			t.Errorf("Groups with %d hops = %s, want %s", hops, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	g := newGraph(t, &correlation.Topology{
		Edges:     edges(t, "web -> api, auth\napi -> db\nauth -> db\ndb -> disk\nping -> pong\npong -> ping"),
		Redundant: []correlation.Redundancy{{Dependent: "disk", Dependencies: []string{"raid-1", "raid-2"}, Need: 1}},
	})
	for ends, want := range map[string]string{
		"web db":     "[web api db]",
		"web raid-2": "[web api db disk raid-2]",
		"db web":     "[]",
		"web web":    "[]",
		"ping ping":  "[ping pong ping]",
		"web ghost":  "[]",
		"ghost web":  "[]",
	} {
		from, to, _ := strings.Cut(ends, " ")
		if got := fmt.Sprint(g.Path(from, to)); got != want {
			t.Errorf("Path(%s) = %s, want %s", ends, got, want)
		}
	}
}

// randomTopology has cycles, doubles and loops, and redundancies if asked for.
func randomTopology(r *rand.Rand, redundant bool) (*correlation.Topology, []string) {
	n := 1 + r.IntN(9)
	names := make([]string, n)
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	t := &correlation.Topology{}
	for range r.IntN(2 * n) {
		t.Edges = append(t.Edges, correlation.Edge{Dependent: names[r.IntN(n)], Dependency: names[r.IntN(n)]})
	}
	if redundant {
		for range r.IntN(4) {
			members := slices.Clone(names)
			r.Shuffle(n, func(i, j int) { members[i], members[j] = members[j], members[i] })
			members = members[:1+r.IntN(n)]
			t.Redundant = append(t.Redundant, correlation.Redundancy{Dependent: names[r.IntN(n)], Dependencies: members, Need: 1 + r.IntN(len(members))})
		}
	}
	return t, names
}

// brokenBy is the blast radius as a fixpoint over all rules, round by round.
func brokenBy(t *correlation.Topology, failed map[string]bool) map[string]bool {
	broken := maps.Clone(failed)
	for changed := true; changed; {
		changed = false
		breaks := func(name string) {
			changed = changed || !broken[name]
			broken[name] = true
		}
		for _, e := range t.Edges {
			if broken[e.Dependency] {
				breaks(e.Dependent)
			}
		}
		for _, r := range t.Redundant {
			healthy := 0
			for _, d := range r.Dependencies {
				if !broken[d] {
					healthy++
				}
			}
			if healthy < r.Need {
				breaks(r.Dependent)
			}
		}
	}
	return broken
}

// rootsByDefinition applies the definition of Roots to a table of distances.
func rootsByDefinition(t *correlation.Topology, names []string, onsets map[string]time.Time) []correlation.Group {
	const far = 1 << 20
	dist := map[[2]string]int{}
	for _, a := range names {
		for _, b := range names {
			dist[[2]string{a, b}] = far
		}
	}
	for _, e := range t.Edges {
		dist[[2]string{e.Dependent, e.Dependency}] = 1
	}
	alerting := map[string]bool{}
	for name := range onsets {
		alerting[name] = true
	}
	broken := brokenBy(t, alerting)
	for _, r := range t.Redundant {
		healthy := 0
		for _, d := range r.Dependencies {
			if !broken[d] {
				healthy++
			}
		}
		if healthy < r.Need {
			for _, d := range r.Dependencies {
				dist[[2]string{r.Dependent, d}] = 1
			}
		}
	}
	for _, k := range names { // Floyd and Warshall
		for _, a := range names {
			for _, b := range names {
				dist[[2]string{a, b}] = min(dist[[2]string{a, b}], dist[[2]string{a, k}]+dist[[2]string{k, b}])
			}
		}
	}
	reaches := func(a, b string) bool { return a != b && alerting[b] && dist[[2]string{a, b}] < far }
	isRoot := map[string]bool{}
	for a := range alerting {
		isRoot[a] = true
		for _, b := range names {
			if reaches(a, b) && (!reaches(b, a) || cmp.Or(onsets[b].Compare(onsets[a]), strings.Compare(b, a)) < 0) {
				isRoot[a] = false
			}
		}
	}
	members := map[string][]string{}
	for a := range alerting {
		root := a
		if !isRoot[a] {
			root = ""
			for _, b := range names {
				if isRoot[b] && reaches(a, b) && (root == "" || cmp.Or(onsets[b].Compare(onsets[root]), dist[[2]string{a, b}]-dist[[2]string{a, root}], strings.Compare(b, root)) < 0) {
					root = b
				}
			}
		}
		members[root] = append(members[root], a)
	}
	groups := []correlation.Group{}
	for _, root := range slices.Sorted(maps.Keys(members)) {
		groups = append(groups, correlation.Group{Root: root, Members: slices.Sorted(slices.Values(members[root]))})
	}
	return groups
}

func TestGraphAgainstDefinition(t *testing.T) {
	for seed := range uint64(5_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		topology, names := randomTopology(r, seed%2 == 0)
		g := newGraph(t, topology)
		onsets, failed := map[string]time.Time{}, map[string]bool{}
		for _, name := range names {
			if r.IntN(2) == 0 {
				onsets[name] = sec(float64(r.IntN(3)))
				failed[name] = true
			}
		}
		want := rootsByDefinition(topology, names, onsets)
		for _, hops := range []int{0, len(names)} { // by components, and by walks
			if got := g.Roots(onsets, hops); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: Roots(%v, %d) of %+v = %v, want %v", seed, onsets, hops, topology, got, want)
			}
		}
		broken := brokenBy(topology, failed)
		impact := g.Impact(slices.Collect(maps.Keys(failed))...)
		for i, x := range impact {
			if !broken[x.Entity] || failed[x.Entity] || !failed[impact.Path(i)[x.Hops]] || i > 0 && impact[i-1].Hops > x.Hops {
				t.Fatalf("seed %d: Impact(%v) of %+v has %+v, want only what breaks, by hops", seed, failed, topology, x)
			}
		}
		if len(impact)+len(failed) != len(broken) {
			t.Fatalf("seed %d: Impact(%v) of %+v = %v, want %d", seed, failed, topology, impact, len(broken)-len(failed))
		}
	}
}

// Nothing recurses and nothing grows with the square of the depth.
func TestDeepChain(t *testing.T) {
	const n = 30_000
	topology := &correlation.Topology{}
	name := func(i int) string { return fmt.Sprintf("s%06d", i) }
	for i := range n - 1 {
		topology.Edges = append(topology.Edges, correlation.Edge{Dependent: name(i), Dependency: name(i + 1)})
	}
	g := newGraph(t, topology)
	impact := g.Impact(name(n - 1))
	if last := len(impact) - 1; last != n-2 || impact[last].Entity != name(0) || impact[last].Hops != n-1 || len(impact.Path(last)) != n {
		t.Errorf("the end of the chain breaks %d, want the %d others", len(impact), n-1)
	}
	alerting := map[string]time.Time{name(0): sec(0), name(n / 2): sec(1), name(n - 1): sec(2)}
	if got, want := g.Roots(alerting, 0), []correlation.Group{{Root: name(n - 1), Members: []string{name(0), name(n / 2), name(n - 1)}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("Roots = %v, want %v", got, want)
	}
	if path := g.Path(name(0), name(n-1)); len(path) != n {
		t.Errorf("a path of %d, want %d", len(path), n)
	}
}

func TestTopologyErrors(t *testing.T) {
	_, err := correlation.NewGraph(&correlation.Topology{
		Edges: []correlation.Edge{{Dependent: "a", Dependency: "b"}, {Dependent: "a"}},
		Redundant: []correlation.Redundancy{
			{Dependent: "a", Dependencies: []string{"b"}, Need: 2},
			{Dependencies: []string{"b", "", "b"}, Need: 1},
		},
		Parts: map[string][]string{"": {"x"}, "web": {"web-1", "web-1"}},
	})
	var paths []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		te, ok := errors.AsType[*correlation.TopologyError](e)
		if !ok || te.Value == "" || te.Want == "" {
			t.Fatalf("NewGraph = %v, want errors that tell what was expected", e)
		}
		paths = append(paths, te.Path)
	}
	want := []string{"edges[1]", "redundant[0].need", "redundant[1].dependent", "redundant[1].dependencies[1]", "redundant[1].dependencies[2]", "parts", "parts[web][1]"}
	if !slices.Equal(paths, want) {
		t.Errorf("NewGraph complains about %q, want %q", paths, want)
	}
	if _, err := correlation.New(nil, correlation.Options{Topology: &correlation.Topology{Edges: []correlation.Edge{{}}}}); err == nil {
		t.Error("New with an empty edge = nil error, want one")
	}
}

func TestParseEdges(t *testing.T) {
	got, err := correlation.ParseEdges("# services\nweb -> cache, api\n\n  api->db # main\napi -> db")
	want := []correlation.Edge{{Dependent: "api", Dependency: "db"}, {Dependent: "web", Dependency: "api"}, {Dependent: "web", Dependency: "cache"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("ParseEdges = %v, %v, want %v", got, err, want)
	}
	_, err = correlation.ParseEdges("web -> api\nweb api\n-> api\nweb ->\nweb -> a,,b\na -> b -> c\na, b -> c")
	if err == nil {
		t.Fatal("ParseEdges of bad lines = nil error")
	}
	for n := 2; n <= 7; n++ {
		if !strings.Contains(err.Error(), fmt.Sprintf("line %d:", n)) {
			t.Errorf("ParseEdges = %v, want line %d in it", err, n)
		}
	}
}

func FuzzParseEdges(f *testing.F) {
	f.Add("web -> api, db # x\n")
	f.Add("a->b\n->\n,")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := correlation.ParseEdges(text)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, e := range list {
			fmt.Fprintf(&b, "%s -> %s\n", e.Dependent, e.Dependency)
		}
		if again, err := correlation.ParseEdges(b.String()); err != nil || !slices.Equal(again, list) {
			t.Errorf("ParseEdges(%q) = %v, %v, want %v", b.String(), again, err, list)
		}
	})
}

func TestLabelEdges(t *testing.T) {
	got := correlation.LabelEdges("", map[string]string{"service": "web", "depends_on": "db, cache,db,"}, map[string]string{"service": "db"}, map[string]string{"depends_on": "x"})
	want := []correlation.Edge{{Dependent: "web", Dependency: "cache"}, {Dependent: "web", Dependency: "db"}}
	if !slices.Equal(got, want) {
		t.Errorf("LabelEdges = %v, want %v", got, want)
	}
	if got := correlation.LabelEdges("host", map[string]string{"host": "h", "service": "web", "depends_on": "switch"}); !slices.Equal(got, []correlation.Edge{{Dependent: "h", Dependency: "switch"}}) {
		t.Errorf("LabelEdges by host = %v", got)
	}
}

func TestOwnerParts(t *testing.T) {
	got, err := correlation.OwnerParts(map[string]string{"web-7d-b": "web-7d", "web-7d-a": "web-7d", "web-7d": "web", "web-6c": "web", "job-1": "job"})
	want := map[string][]string{"web": {"web-6c", "web-7d-a", "web-7d-b"}, "job": {"job-1"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("OwnerParts = %v, %v, want %v", got, err, want)
	}
	for _, circle := range []map[string]string{{"a": "a"}, {"x": "a", "a": "b", "b": "a"}} {
		if _, err := correlation.OwnerParts(circle); err == nil {
			t.Errorf("OwnerParts(%v) = nil error, want one", circle)
		}
	}
}

// layered has n services in layers of n/10: each needs three of the layer below.
func layered(n int) *correlation.Topology {
	t := &correlation.Topology{}
	width := n / 10
	for i := width; i < n; i++ {
		for k := range 3 {
			t.Edges = append(t.Edges, correlation.Edge{Dependent: fmt.Sprintf("s%d", i), Dependency: fmt.Sprintf("s%d", (i/width-1)*width+(i*7+k*13)%width)})
		}
	}
	return t
}

// Time per node must stay about the same from 1x to 100x.
func BenchmarkGraph(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		topology := layered(n)
		g := newGraph(b, topology)
		alerting := map[string]time.Time{}
		for i := 0; i < n; i += 2 {
			alerting[fmt.Sprintf("s%d", i)] = sec(float64(i % 60))
		}
		run := func(name string, what func()) {
			b.Run(fmt.Sprintf("%s/nodes=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				cpu := cpuTime()
				for b.Loop() {
					what()
				}
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*n), "cpu-ns/node")
			})
		}
		run("new", func() { newGraph(b, topology) })
		run("roots", func() { g.Roots(alerting, 0) })
		run("impact", func() { g.Impact("s0") })
	}
}
