package inhibit_test

import (
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

// labelsOf makes the labels of an alert as a cluster of machines would send
// them.
func labelsOf(name, severity string, i int) map[string]string {
	return map[string]string{
		"alertname": name, "severity": severity, "cluster": fmt.Sprintf("c%d", i), "namespace": fmt.Sprintf("ns%d", i%97),
		"instance": fmt.Sprintf("10.0.%d.%d:9100", i/250, i%250), "job": "node", "region": fmt.Sprintf("r%d", i%7), "team": fmt.Sprintf("t%d", i%31),
	}
}

func rulesOf(n int) []inhibit.Rule {
	var list []inhibit.Rule
	for k := range n {
		list = append(list, inhibit.Rule{
			SourceMatchers: []string{fmt.Sprintf("alertname=%q", fmt.Sprintf("Src%d", k)), `severity="critical"`},
			TargetMatchers: []string{fmt.Sprintf("alertname=%q", fmt.Sprintf("Dst%d", k)), `severity="warning"`},
			Equal:          []string{"cluster", "namespace"},
		})
	}
	return list
}

func BenchmarkMutes(b *testing.B) {
	for _, c := range []struct{ rules, sources int }{{1, 100}, {1, 10_000}, {1, 100_000}, {100, 1000}, {10_000, 1000}} {
		b.Run(fmt.Sprintf("rules=%d/sources=%d", c.rules, c.sources), func(b *testing.B) {
			in, err := inhibit.New(rulesOf(c.rules))
			if err != nil {
				b.Fatal(err)
			}
			ends := start.Add(1 << 40)
			for i := range c.sources {
				if err := in.Apply(start, inhibit.Alert{Labels: labelsOf(fmt.Sprintf("Src%d", i%c.rules), "critical", i), Ends: ends}); err != nil {
					b.Fatal(err)
				}
			}
			var queries []map[string]string
			for i := range 1024 {
				queries = append(queries, labelsOf("Dst0", "warning", i*2*c.sources/1024))
			}
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				in.Mutes(queries[n%1024])
				n++
			}
		})
	}
}

// One bucket full of alerts that are source and target.
func BenchmarkTwoSided(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			in, err := inhibit.New([]inhibit.Rule{{SourceMatchers: []string{`severity="critical"`}, TargetMatchers: []string{`job="node"`}, Equal: []string{"region"}}})
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				l := labelsOf("X", "critical", i)
				l["region"] = "r"
				if err := in.Apply(start, inhibit.Alert{Labels: l, Ends: start.Add(1 << 40)}); err != nil {
					b.Fatal(err)
				}
			}
			q := labelsOf("X", "critical", 0)
			q["region"] = "r"
			b.ReportAllocs()
			for b.Loop() {
				in.Mutes(q)
			}
		})
	}
}
