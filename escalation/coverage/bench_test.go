package coverage_test

import (
	"fmt"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation/coverage"
	"github.com/evenkeelops/evenkeel/escalation/internal/fixture"
)

func BenchmarkReportsOfAYear(b *testing.B) {
	duty := coverage.DutyQuery{From: fixture.At("2026-01-01T00:00:00Z"), Until: fixture.At("2027-01-01T00:00:00Z")}
	dates := coverage.KnowledgeQuery{From: "2026-01-01", Until: "2027-01-01"}
	for _, n := range []int{24, 1000, 10_000} {
		router := fixture.Router(b, fixture.People(n))
		for name, report := range map[string]func() error{
			"fairness": func() error {
				_, err := coverage.FairnessOf(router, coverage.FairnessQuery{DutyQuery: duty})
				return err
			},
			"strain": func() error { _, err := coverage.StrainOf(router, coverage.StrainQuery{DutyQuery: duty}); return err },
			"quality": func() error {
				_, err := coverage.QualityOf(router, coverage.QualityQuery{DutyQuery: duty})
				return err
			},
			"staffing":  func() error { _, err := coverage.SeatRule{}.AssessCentres(router.Centres()); return err },
			"conflicts": func() error { _, err := coverage.Conflicts(router, duty); return err },
			"knowledge": func() error { _, err := coverage.KnowledgeOf(router, dates); return err },
			"hourly":    func() error { _, err := coverage.KnowledgeByHour(router, dates, "UTC"); return err },
		} {
			b.Run(fmt.Sprintf("%s/people=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := report(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
