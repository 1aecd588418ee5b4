package group_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/correlation/route"
)

// BenchmarkGroup takes N alerts of eight labels through their lives: they begin, are
// told, end, and are told to be over. There is a group for about every two of them, as
// in the server that they are compared with (20,000 alerts, 9,700 groups).
func BenchmarkGroup(b *testing.B) {
	root, err := route.New(route.Node{Receiver: "ops", GroupBy: []string{"alertname", "cluster", "namespace"}})
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1_000, 10_000, 100_000} {
		begin, end := make([]correlation.Transition, n), make([]correlation.Transition, n)
		for i := range n {
			labels := correlation.LabelsOf(map[string]string{
				"severity": "critical", "cluster": fmt.Sprint("c", i/2), "namespace": fmt.Sprint("ns", i/2%97), "job": "node",
				"instance": fmt.Sprintf("10.0.%d.%d:9100", i/250, i%250), "region": fmt.Sprint("r", i%7), "team": fmt.Sprint("t", i%31),
			})
			a := correlation.Alert{Tenant: "m", Name: "node.cpu_high", Labels: labels, Active: true, Since: start}
			begin[i] = correlation.Transition{At: sec(i % 20), Kind: correlation.Notify, Alert: a}
			end[i] = correlation.Transition{At: sec(100 + i%20), Kind: correlation.Resolve, Alert: a}
		}
		order := func(list []correlation.Transition) {
			sorted := make([]correlation.Transition, 0, n)
			for s := range 20 {
				for i := s; i < n; i += 20 {
					sorted = append(sorted, list[i])
				}
			}
			copy(list, sorted)
		}
		order(begin)
		order(end)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g, err := group.New(root, group.Options{})
				if err != nil {
					b.Fatal(err)
				}
				told := 0
				for _, c := range []struct {
					at   int
					list []correlation.Transition
				}{{90, begin}, {900, end}} {
					out, err := g.Apply(sec(c.at), c.list...)
					if err != nil {
						b.Fatal(err)
					}
					for _, x := range out {
						told += len(x.Alerts)
					}
				}
				if told != 2*n {
					b.Fatalf("told %d, want %d", told, 2*n)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Duration(b.N*n)), "ns/alert")
		})
	}
}
