package continuity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// BenchmarkExpand expands ten years of a rolled monthly date.
func BenchmarkExpand(b *testing.B) {
	horizon := calendar.Interval{Start: year(2026).Start, End: year(2035).End}
	k := payroll()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Expand(horizon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadiness judges services with a restore each month for a year, a
// disaster test, a runbook and a key date that all share.
func BenchmarkReadiness(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n, " services"), func(b *testing.B) {
			c := continuity.Catalogue{KeyDates: []continuity.KeyDate{payroll()}}
			c.KeyDates[0].Services = nil
			var ids []string
			for i := range n {
				ids = append(ids, fmt.Sprintf("db-%d", i))
				c.Services = append(c.Services, complete(ids[i]))
			}
			c.Runbooks = []continuity.Runbook{drBook(ids...)}
			r := register(b, c)
			for _, id := range ids {
				for month := range 12 {
					add(b, r, with(proof(noon.AddDate(0, month, 0)), func(e *continuity.Restore) { e.Service = id }))
				}
			}
			d := drTest("dr-1", continuity.Internet, noon, continuity.Passed)
			d.Services = ids
			addTest(b, r, d)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Readiness(noon.AddDate(1, 0, 0), 90*24*time.Hour, continuity.Plans{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
