package playbook_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// BenchmarkEval evaluates four comparisons joined by AND.
func BenchmarkEval(b *testing.B) {
	v := vocabulary(b)
	c, err := playbook.Compile("cpu_utilization > 85% AND error_rate > 5% AND idle_connections > 20 AND healthy_instances > 1", v)
	if err != nil {
		b.Fatal(err)
	}
	f := v.NewFacts()
	for i, name := range []string{"cpu_utilization", "error_rate", "idle_connections", "healthy_instances"} {
		if err := f.Set(name, playbook.Number(float64(90+i)), noon); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if c.Eval(f, noon) != playbook.True {
			b.Fatal("not true")
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	v := vocabulary(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := playbook.Compile("cpu_utilization > 85% for 5 minutes AND auto_scaling_enabled", v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkObserve feeds quiet samples to engines with many services.
func BenchmarkObserve(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			c := playbook.Config{Tenant: "acme", Book: playbook.DefaultBook()}
			for i := range n {
				c.Services = append(c.Services, playbook.Service{ID: fmt.Sprint("api-", i), Type: "compute", Zone: "UTC"})
			}
			e, err := playbook.New(c)
			if err != nil {
				b.Fatal(err)
			}
			at, i := noon, 0
			b.ReportAllocs()
			for b.Loop() {
				event := playbook.Event{Kind: playbook.Observe, At: at, Service: c.Services[i%n].ID, Fact: "cpu_utilization", Value: playbook.Number(40)}
				if err := e.Apply(event); err != nil {
					b.Fatal(err)
				}
				if i++; i%n == 0 {
					at = at.Add(15 * time.Second)
				}
			}
		})
	}
}
