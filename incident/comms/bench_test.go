package comms_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

func BenchmarkThread(b *testing.B) {
	for _, n := range []int{5, 100} {
		b.Run(fmt.Sprintf("stakeholders=%d", n), func(b *testing.B) {
			var people []comms.Stakeholder
			for i := range n {
				people = append(people, person(fmt.Sprint("p", i), comms.TechnicalContact))
			}
			plan := newPlan(b, comms.Config{Stakeholders: people})
			open, over := state(incident.P2), resolved(withNews(state(incident.P2), "a"))
			b.ReportAllocs()
			for b.Loop() {
				thread := plan.Open("acme", "INC-2024-001")
				apply(b, thread, open, start)
				apply(b, thread, withNews(open, "a"), start.Add(10*time.Minute))
				apply(b, thread, over, start.Add(20*time.Minute))
			}
		})
	}
}
