package risk_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// article is the worked example of the published calculator.
func article() roi.Model {
	return roi.Model{
		Currency: "EUR",
		Internal: roi.Internal{
			AnnualSalaries:     map[string]float64{"senior_engineer": 120_000, "operations_specialist": 85_000, "team_lead": 140_000, "manager": 160_000},
			OverheadMultiplier: 1.5, TrainingCostPerPerson: 15_000, ToolLicensingCosts: 100_000, InfrastructureCosts: 50_000, RecruitmentCosts: 25_000,
		},
		Managed: roi.Managed{MonthlyServiceFee: 45_000, SetupCosts: 50_000, AdditionalToolCosts: 20_000, ContractLengthMonths: 36},
		Impact: roi.Impact{
			RevenuePerHour: 25_000, DowntimeCostMultiplier: 3, CurrentMTTRHours: 4, ImprovedMTTRHours: 1.5,
			CurrentAvailabilityPercent: 99, TargetAvailabilityPercent: 99.5,
		},
	}
}

// annuity is the value of 1 a year for three years at 8 %.
const annuity = 1/1.08 + 1/(1.08*1.08) + 1/(1.08*1.08*1.08)

// four are uncertain inputs of the example in which the result is linear.
func four() map[string]risk.Distribution {
	return map[string]risk.Distribution{
		"managed.monthly_service_fee":        {Kind: risk.Triangular, Min: 40_000, Mode: 45_000, Max: 80_000},
		"managed.setup_costs":                {Kind: risk.Triangular, Min: 30_000, Mode: 50_000, Max: 400_000},
		"internal.tool_licensing_costs":      {Kind: risk.Triangular, Min: 50_000, Mode: 100_000, Max: 110_000},
		"impact.target_availability_percent": {Kind: risk.Triangular, Min: 98.9, Mode: 99.5, Max: 99.9},
	}
}

func simulate(tb testing.TB, m roi.Model, inputs map[string]risk.Distribution, n int, o *risk.Options) *risk.Forecast {
	tb.Helper()
	f, err := risk.Simulate(tb.Context(), m, inputs, n, o)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}
