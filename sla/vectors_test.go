package sla_test

import (
	"testing"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// The cases were computed elsewhere with exact fractions; money is compared as
// text.
func TestVectors(t *testing.T) {
	t.Run("clock.json", func(t *testing.T) {
		f := testutil.OpenVectors(t, "sla", "clock.json")
		calendars := vectorCalendars(t, f)
		f.Run(t, testutil.Kinds{
			"deadline":          calendars.deadline,
			"elapsed":           calendars.elapsed,
			"next_business_day": calendars.nextBusinessDay,
		})
	})
	t.Run("credit.json", func(t *testing.T) {
		testutil.OpenVectors(t, "sla", "credit.json").Run(t, testutil.Kinds{
			"seed_availability": vectorAvailability,
			"seed_intervals":    vectorIntervals,
			"seed_response":     vectorResponse,
			"seed_mttr":         vectorResolution,
			"seed_monitoring":   vectorMonitoring,
			"seed_liability":    vectorLiability,
			"seed_statement":    vectorStatement,
			"target_exact":      vectorTargetExact,
			"public_band":       vectorPublicBand,
			"public_github":     vectorGitHub,
			"public_days":       vectorDays,
			"public_twilio":     vectorTwilio,
			"public_min_credit": vectorMinimum,
			"claim_window":      vectorClaim,

			"public_proportional": vectorProportional,
			"public_per_interval": vectorPerInterval,
		})
	})
}
