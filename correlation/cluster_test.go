package correlation_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// alertsOf makes active alerts from "second tenant/entity name".
func alertsOf(texts ...string) []correlation.Alert {
	var list []correlation.Alert
	for _, text := range texts {
		var n float64
		var where, name string
		if _, err := fmt.Sscan(text, &n, &where, &name); err != nil {
			panic(err)
		}
		tenant, entity, _ := strings.Cut(where, "/")
		list = append(list, correlation.Alert{Tenant: tenant, Name: name, Labels: correlation.LabelsOf(map[string]string{"service": entity}), Active: true, Since: sec(n)})
	}
	return list
}

func clusters(tb testing.TB, g *correlation.Graph, alerts []correlation.Alert, o correlation.ClusterOptions) string {
	tb.Helper()
	list, err := g.Clusters(alerts, o)
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, c := range list {
		var names []string
		for _, a := range c.Alerts {
			names = append(names, a.Name)
		}
		out = append(out, fmt.Sprintf("%v %s", toSec(c.Since), strings.Join(names, "+")))
	}
	return strings.Join(out, "; ")
}

// With the defaults a minute counts 144.47117699*0.55257784 = 79.83 and a hop
// 144.47117699*0.44742216 = 64.64 of 100: 75.2 s on one entity, 26.6 s over one
// hop, never over two.
func TestClusters(t *testing.T) {
	g := newGraph(t, &correlation.Topology{Edges: edges(t, "web -> api\napi -> db")})
	for _, c := range []struct {
		name   string
		alerts []correlation.Alert
		want   string
	}{
		{"nothing", nil, ""},
		{"alone", alertsOf("0 /web a.x"), ""},
		{"one entity", alertsOf("0 /web a.x", "75 /web a.y"), "0 a.x+a.y"},
		{"one entity, later", alertsOf("0 /web a.x", "76 /web a.y"), ""},
		{"one hop", alertsOf("0 /db a.x", "26 /api a.y"), "0 a.x+a.y"},
		{"one hop, later", alertsOf("0 /db a.x", "27 /api a.y"), ""},
		{"two hops", alertsOf("0 /db a.x", "0 /web a.y"), ""},
		{"two hops by a third", alertsOf("0 /db a.x", "0 /web a.y", "20 /api a.z"), "0 a.x+a.y+a.z"},
		{"a chain in time", alertsOf("0 /db a.x", "70 /db a.y", "140 /db a.z", "300 /db a.far"), "0 a.x+a.y+a.z"},
		{"no path", alertsOf("0 /db a.x", "0 /moon a.y", "1 /moon a.z"), "0 a.y+a.z"},
		{"tenants are apart", alertsOf("0 m/db a.x", "0 n/db a.y"), ""},
		{"sorted by time over tenants", alertsOf("5 m/db a.x", "6 m/db a.y", "0 n/db a.x", "1 n/db a.y", "900 m/db a.z", "900 m/db a.w"), "0 a.x+a.y; 5 a.x+a.y; 900 a.w+a.z"},
	} {
		if got := clusters(t, g, c.alerts, correlation.ClusterOptions{}); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	over := alertsOf("0 /web a.x", "0 /web a.y", "0 / a.z")
	over[1].Active = false
	if got := clusters(t, g, over, correlation.ClusterOptions{}); got != "" {
		t.Errorf("ended or without an entity: %s, want nothing", got)
	}
	if got, want := clusters(t, g, alertsOf("0 /db a.x", "60 /web a.y"), correlation.ClusterOptions{Alpha: 1, Beta: 1, Epsilon: 1}), "0 a.x+a.y"; got != want {
		t.Errorf("time alone: %s, want %s", got, want)
	}
	for _, bad := range []correlation.ClusterOptions{{Alpha: -1}, {Beta: 1.1}, {Beta: math.NaN()}, {Epsilon: math.Inf(1)}} {
		_, err := g.Clusters(nil, bad)
		if _, ok := errors.AsType[*correlation.OptionError](err); !ok {
			t.Errorf("Clusters with %+v = %v, want an *OptionError", bad, err)
		}
	}
}

// Against every pair, with shortest ways by Floyd and Warshall.
func TestClustersAgainstDefinition(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 6))
		topology, names := randomTopology(r, false)
		o := correlation.ClusterOptions{Alpha: 1, Beta: 0.05 + 0.95*r.Float64(), Epsilon: 0.2 + 2*r.Float64()}
		hops := map[[2]string]float64{}
		for _, a := range names {
			for _, b := range names {
				hops[[2]string{a, b}] = math.Inf(1)
			}
			hops[[2]string{a, a}] = 0
		}
		for _, e := range topology.Edges {
			if e.Dependent != e.Dependency {
				hops[[2]string{e.Dependent, e.Dependency}], hops[[2]string{e.Dependency, e.Dependent}] = 1, 1
			}
		}
		for _, k := range names {
			for _, a := range names {
				for _, b := range names {
					hops[[2]string{a, b}] = min(hops[[2]string{a, b}], hops[[2]string{a, k}]+hops[[2]string{k, b}])
				}
			}
		}
		var alerts []correlation.Alert
		for n := range 12 {
			alerts = append(alerts, alertsOf(fmt.Sprintf("%d /%s a.x%d", r.IntN(300), names[r.IntN(len(names))], n))...)
		}
		slices.SortFunc(alerts, func(a, b correlation.Alert) int {
			if c := a.Since.Compare(b.Since); c != 0 {
				return c
			}
			return strings.Compare(a.String(), b.String())
		})
		set := make([]int, len(alerts))
		for n := range set {
			set[n] = n
		}
		for range alerts { // as often as the longest chain
			for n, a := range alerts {
				for m, b := range alerts {
					h := hops[[2]string{a.Labels.Get("service"), b.Labels.Get("service")}]
					if math.IsInf(h, 1) {
						continue
					}
					if o.Beta*math.Abs(a.Since.Sub(b.Since).Minutes())+(1-o.Beta)*h <= o.Epsilon {
						set[n] = min(set[n], set[m])
						set[m] = set[n]
					}
				}
			}
		}
		var want []correlation.Cluster
		for n, a := range alerts {
			if set[n] != n {
				continue
			}
			c := correlation.Cluster{Since: a.Since}
			for m, b := range alerts {
				if set[m] == n {
					c.Alerts = append(c.Alerts, b)
				}
			}
			if len(c.Alerts) > 1 {
				want = append(want, c)
			}
		}
		r.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
		got, err := newGraph(t, topology).Clusters(alerts, o)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: Clusters with %+v = %s, %v, want %s", seed, o, asJSON(t, got), err, asJSON(t, want))
		}
	}
}

// Time per alert must stay about the same from 1x to 100x.
func BenchmarkClusters(b *testing.B) {
	for _, n := range []int{500, 5000, 50_000} {
		g := newGraph(b, layered(n))
		var alerts []correlation.Alert
		for i := range n {
			alerts = append(alerts, correlation.Alert{
				Name: "app.x", Labels: correlation.LabelsOf(map[string]string{"service": fmt.Sprintf("s%d", i)}), Active: true,
				Since: start.Add(time.Duration(i*7919%n) * time.Hour / time.Duration(n)),
			})
		}
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				if _, err := g.Clusters(alerts, correlation.ClusterOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*n), "cpu-ns/alert")
		})
	}
}
