package comms_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

func BenchmarkThread(b *testing.B) {
	for _, n := range []int{5, 100, 10_000} {
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

// BenchmarkRecipients: those of one incident among so many stakeholders, who all
// belong to its service, or to a thousand services evenly.
func BenchmarkRecipients(b *testing.B) {
	night := time.Date(2026, 3, 2, 22, 0, 0, 0, time.UTC)
	roles := []comms.Role{comms.TechnicalContact, comms.BusinessOwner, comms.ExecutiveSponsor, comms.CustomerSuccess, comms.LegalCompliance}
	zones := []string{"Europe/Amsterdam", "America/Chicago", "Asia/Singapore"}
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		for _, services := range []int{1, 1000} {
			var people []comms.Stakeholder
			for i := range n {
				p := person(fmt.Sprint("p", i), roles[i%len(roles)])
				p.Zone, p.BusinessHoursOnly, p.Service = zones[i%len(zones)], i%2 == 0, fmt.Sprint("s", i%services)
				people = append(people, p)
			}
			plan := newPlan(b, comms.Config{Stakeholders: people})
			s := state(incident.P2)
			s.Services = []string{"s0"}
			b.Run(fmt.Sprintf("stakeholders=%d/services=%d", n, services), func(b *testing.B) {
				b.ReportAllocs()
				got := 0
				for b.Loop() {
					got = 0
					for range plan.Recipients(s, night) {
						got++
					}
				}
				b.ReportMetric(float64(got), "recipients")
			})
		}
	}
}
