package config_test

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

const costs = `internal: {annual_salaries: {a: 1000}, overhead_multiplier: 1}
managed: {monthly_service_fee: 50, contract_length_months: 36}
impact: {revenue_per_hour: 100, downtime_cost_multiplier: 1, current_availability_percent: 99, target_availability_percent: 99.5}
staffing: {a: 1}
`

func TestUncertainCosts(t *testing.T) {
	m, _, err := config.ParseCosts("m.yaml", []byte(costs+`
distributions:
  monthly_service_fee: {kind: triangular, min: 40, mode: 50, max: 70}
  impact.revenue_per_hour: {kind: normal, mean: 100, sd: 20, from: 0}
  service_credits: {kind: discrete, values: [0, 5], weights: [9, 1], sum: 12}
correlations: [{a: monthly_service_fee, b: revenue_per_hour, rank: 0.5}]
scenarios: [{name: base}, {name: low, overrides: {revenue_per_hour: 50}}]
alternatives: [{name: stay, internal: true}, {name: hybrid, kept: 0.25, overrides: {managed.monthly_service_fee: 30}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	fee := m.Distributions["monthly_service_fee"]
	if len(m.Distributions) != 3 || fee.Kind != risk.Triangular || fee.Max != 70 || *m.Distributions["impact.revenue_per_hour"].From != 0 {
		t.Errorf("distributions %+v", m.Distributions)
	}
	if len(m.Correlations) != 1 || m.Correlations[0] != (risk.Correlation{A: "monthly_service_fee", B: "revenue_per_hour", Rank: 0.5}) {
		t.Errorf("correlations %+v", m.Correlations)
	}
	if len(m.Scenarios) != 2 || m.Scenarios[1].Overrides["revenue_per_hour"] != 50 || len(m.Alternatives) != 2 || m.Alternatives[1].Kept != 0.25 {
		t.Errorf("scenarios %+v, alternatives %+v", m.Scenarios, m.Alternatives)
	}
}

func TestCostsOfYears(t *testing.T) {
	weights := "[" + strings.TrimSuffix(strings.Repeat("1, ", 168), ", ") + "]"
	m, _, err := config.ParseCosts("m.yaml", []byte(strings.Replace(costs, "impact: {", "impact: {revenue_by_hour_of_week: "+weights+", ", 1)+
		"inflation: 0.02\ntax_rate: 0.25\ndepreciation_years: 5\nstart_year: 2027\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Inflation != 0.02 || m.TaxRate != 0.25 || m.DepreciationYears != 5 || m.StartYear != 2027 || len(m.Impact.RevenueByHourOfWeek) != 168 {
		t.Errorf("model %+v", m.Model)
	}
}

func TestCostsInTwoCurrencies(t *testing.T) {
	const conversion = "path: setup_costs, amount: 1000, currency: USD"
	text := func(more string) []byte {
		return []byte(costs + "currency: EUR\nconversions:\n- {" + conversion + more + "}\n")
	}
	m, _, err := config.ParseCosts("m.yaml", text(`, rate: 0.9, date: "2026-03-31"`))
	if err != nil {
		t.Fatal(err)
	}
	if m.Managed.SetupCosts != 900 || len(m.Conversions) != 1 {
		t.Errorf("model %+v, want a setup of 900 EUR", m.Model)
	}
	for more, want := range map[string]string{
		`, date: "2026-03-31"`: `conversions[0].rate: 0, want a finite number > 0`,
		`, rate: 0.9`:          `conversions[0].date: , want the date of the rate like "2026-03-31"`,
	} {
		if _, _, err := config.ParseCosts("m.yaml", text(more)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", more, err, want)
		}
	}
}

func TestUncertainCostsErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"distributions: {fee: {kind: constant}}", `m.yaml:5:17: distributions.fee: "fee", want the name of a numeric field`},
		{"distributions:\n  years: {kind: gauss}", `m.yaml:6:17: distributions.years.kind: "gauss", want constant, uniform`},
		{"distributions:\n  years: {kind: uniform, min: 2, max: 3, sd: 1}", `m.yaml:6:46: distributions.years.sd: "1", want nothing, as the distribution is uniform`},
		{"distributions:\n  years: {kind: uniform, min: 3, max: 2}", `distributions.years.kind: "uniform", want parameters that make a distribution`},
		{"distributions:\n  years: {kind: uniform, low: 3}", `distributions.years.low: unknown key "low"`},
		{"distributions: {fee: {}, setup_costs: {kind: constant}, managed.setup_costs: {kind: constant}}", `want constant, uniform`},
		{"distributions: {setup_costs: {kind: constant}, managed.setup_costs: {kind: constant}}", `want each input once`},
		{"distributions: {setup_costs: {kind: constant}}\ncorrelations: [{a: setup_costs, b: years, rank: 0.5}]", `m.yaml:6:36: correlations[0].b: "years", want an input that is drawn`},
		{"scenarios: [{name: a, overrides: {setup_costs: -1}}]", `scenarios[0].overrides: managed.setup_costs: "-1", want a finite number >= 0`},
		{"scenarios: [{name: a, overrides: {managed.setup_costs: -1}}]", `m.yaml:5:56: scenarios[0].overrides.managed.setup_costs: -1, want a finite number >= 0`},
		{"tax_rate: 1", `m.yaml:5:11: tax_rate: 1, want a ratio from 0 to 0.99`},
		{"depreciation_years: 2.5", `m.yaml:5:21: depreciation_years:`},
		{"start_year: 20270", `m.yaml:5:13: start_year: 20270, want a year from 1 to 9999`},
		{"scenarios: [{name: a}, {name: a}]", `want a name that no other has`},
		{"alternatives: [{name: a, kept: 1.5}]", `m.yaml:5:32: alternatives[0].kept: "1.5", want a ratio from 0 to 1`},
		{"alternatives: [{name: a, internal: true, kept: 0.5}]", `m.yaml:5:16: alternatives[0]: "a", want neither overrides nor a kept share`},
		{"scenarios: [" + strings.Repeat("{name: a}, ", 101) + "]", `scenarios: 101, want at most 100`},
	} {
		_, _, err := config.ParseCosts("m.yaml", []byte(costs+c.text+"\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
