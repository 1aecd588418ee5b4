package roi

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/internal/times"
)

// WarningCode names a defect of a calculation.
type WarningCode string

// The defects of the published calculator, and what speaks against a result as
// such. Each is reported only where it changes a figure.
const (
	// NoT0Outlay: the net present value has no outlay at the start.
	NoT0Outlay WarningCode = "NO_T0_OUTLAY"
	// SetupTwice: setup is part of the investment and, amortised, of every year.
	SetupTwice WarningCode = "SETUP_TWICE"
	// FeesTwice: the managed cost lowers the savings and is invested again.
	FeesTwice WarningCode = "FEES_TWICE"
	// MixedDiscount: a discounted return is set in relation to an undiscounted
	// investment.
	MixedDiscount WarningCode = "MIXED_DISCOUNT"
	// PaybackUntimed: the payback divides setup by a yearly benefit.
	PaybackUntimed WarningCode = "PAYBACK_UNTIMED"
	// MTTRDoubleCount: hours of outage are counted by availability and again
	// by the time to recover.
	MTTRDoubleCount WarningCode = "MTTR_DOUBLE_COUNT"
	// RoleMissing: a staffed role has no salary and costs nothing.
	RoleMissing WarningCode = "ROLE_MISSING"
	// HorizonContract: setup is amortised over a contract that is not as long
	// as the horizon.
	HorizonContract WarningCode = "HORIZON_CONTRACT"
	// SimpleYear: all years are alike and have 8760 hours.
	SimpleYear WarningCode = "SIMPLE_YEAR"
	// ClaimRange: the result lies outside of what providers usually claim,
	// 40 to 60 % lower cost and a payback within 12 to 18 months.
	ClaimRange WarningCode = "CLAIM_RANGE"
	// StaffBelowCoverage: a role that works in shifts has too few people to be
	// present around the clock.
	StaffBelowCoverage WarningCode = "STAFF_BELOW_COVERAGE"
	// ImplausibleIRR: the internal rate of return of the sound model exceeds
	// 1000 % per year, which says that the benefits are overestimated or that
	// the outlay is incomplete.
	ImplausibleIRR WarningCode = "IMPLAUSIBLE_IRR"
)

// Warning says that a figure should not be trusted, why, and by how much.
type Warning struct {
	Code    WarningCode `json:"code"`
	Message string      `json:"message"`
	Figures []Figure    `json:"figures"`
}

// Figure is a number that a warning rests on. An empty Unit is an amount of
// money in the currency of the model.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// Claims of the published business case.
const (
	claimedSavingsLow, claimedSavingsHigh = 40.0, 60.0 // % of the internal cost
	claimedPaybackLow, claimedPaybackHigh = 12.0, 18.0 // months
	implausibleIRR                        = 10.0       // per year
)

// warnings collects the defects of both results; a nil result is not judged.
func (in *inputs) warnings(p *Published, v *Valuation) []Warning {
	warnings := []Warning{}
	add := func(code WarningCode, figures []Figure, format string, args ...any) {
		figures = slices.DeleteFunc(slices.Clip(figures), func(f Figure) bool { return !isFinite(f.Value) })
		warnings = append(warnings, Warning{code, fmt.Sprintf(format, args...), figures})
	}
	if p != nil {
		in.publishedDefects(p, add)
	}
	in.mttrDoubleCount(p, v, add)
	in.roleMissing(add)
	if p != nil {
		in.horizonDefects(p, add)
		in.claimRange(p, v, add)
	}
	in.staffBelowCoverage(add)
	if v != nil && v.IRRPercent != nil && v.IRR.Roots[0] > implausibleIRR {
		add(ImplausibleIRR, []Figure{{"irr_percent", *v.IRRPercent, "%"}, {"start", v.Flows[0].Amount, ""}},
			"an internal rate of return of %s %% per year on an outlay of %s: check the benefits and what is missing at the start",
			number(*v.IRRPercent), number(-v.Flows[0].Amount))
	}
	return warnings
}

type addWarning func(code WarningCode, figures []Figure, format string, args ...any)

func (in *inputs) publishedDefects(p *Published, add addWarning) {
	setup, yearly, managed := in.Managed.SetupCosts, p.Managed.AnnualSetupCosts, p.ManagedAnnualCost
	years := float64(in.years)
	if setup > 0 {
		add(NoT0Outlay, []Figure{{"npv", p.NPV, ""}, {"setup", setup, ""}},
			"the net present value %s begins after a year and leaves out the setup of %s at the start", number(p.NPV), number(setup))
		add(SetupTwice, []Figure{{"setup", setup, ""}, {"annual_setup_costs", yearly, ""}, {"years", years, "years"}, {"charged", setup + years*yearly, ""}},
			"setup counts as investment and again, amortised, in each of %d years: %s + %d × %s = %s", in.years, number(setup), in.years, number(yearly), number(setup+years*yearly))
	}
	if managed > 0 {
		add(FeesTwice, []Figure{{"managed_service_annual_cost", managed, ""}, {"investment", years * managed, ""}},
			"the managed cost of %s a year lowers the savings and is invested once more: %d × %s", number(managed), in.years, number(managed))
	}
	if investment := setup + years*managed; in.rate != 0 && investment > 0 {
		add(MixedDiscount, []Figure{{"return", p.NPV + setup, ""}, {"investment", investment, ""}, {"discount_rate", in.rate * 100, "%"}},
			"a return of %s discounted at %s %% is divided by an undiscounted investment of %s", number(p.NPV+setup), number(in.rate*100), number(investment))
	}
	if p.PaybackYears != nil && setup > 0 {
		add(PaybackUntimed, []Figure{{"payback", *p.PaybackYears, "years"}, {"setup", setup, ""}, {"total_annual_benefit", p.TotalAnnualBenefit, ""}},
			"a payback of %s is setup %s / yearly benefit %s, whenever the benefit arrives", times.Years(*p.PaybackYears), number(setup), number(p.TotalAnnualBenefit))
	}
}

// mttrDoubleCount judges the recovery benefit with the weight it has in the
// results: 1 as published, the weight of the model in the sound one. Of all
// incident hours only those beyond the outage hours can be degraded service,
// so a larger share counts outage hours again.
func (in *inputs) mttrDoubleCount(p *Published, v *Valuation, add addWarning) {
	weight := in.MTTRWeight
	if p != nil {
		weight = 1
	}
	value := in.mttrValue() * weight
	incidentHours := in.incidents * in.Impact.CurrentMTTRHours
	outageHours := downtimeHours(in.Impact.CurrentAvailabilityPercent)
	degraded := max(0, incidentHours-outageHours)
	if value == 0 || incidentHours*weight <= degraded {
		return
	}
	downtimeCost := in.downtimeCost(in.Impact.CurrentAvailabilityPercent)
	figures := []Figure{
		{"incident_hours", incidentHours, "h"},
		{"outage_hours", outageHours, "h"},
		{"weight", weight, "share"},
		{"mttr_improvement_value", value, ""},
		{"current_downtime_cost", downtimeCost, ""},
	}
	relation := ""
	if downtimeCost > 0 {
		figures = append(figures, Figure{"value_to_downtime_cost", value / downtimeCost, "times"})
		relation = fmt.Sprintf(", %s times the whole cost of downtime %s", tenths(value/downtimeCost), number(downtimeCost))
	}
	where := "as published"
	switch again := v != nil && incidentHours*in.MTTRWeight > degraded; {
	case p == nil:
		where = "with the recovery weight " + number(weight)
	case again:
		where += " and with the recovery weight " + number(in.MTTRWeight)
	}
	add(MTTRDoubleCount, figures,
		"%s: %s incidents × %s h = %s h of recovery against %s h of outage at %s %%, so outages count twice; the recovery value is %s%s",
		where, number(in.incidents), number(in.Impact.CurrentMTTRHours), number(incidentHours), number(outageHours),
		number(in.Impact.CurrentAvailabilityPercent), number(value), relation)
}

func (in *inputs) roleMissing(add addWarning) {
	var names []string
	var figures []Figure
	for _, r := range in.roles {
		if !r.paid && r.count > 0 {
			names = append(names, r.name)
			figures = append(figures, Figure{r.name, r.count, "people"})
		}
	}
	if names != nil {
		add(RoleMissing, figures, "no salary for %s: staffed and counted at no cost", strings.Join(names, ", "))
	}
}

func (in *inputs) horizonDefects(p *Published, add addWarning) {
	years, setup, months := float64(in.years), in.Managed.SetupCosts, in.Managed.ContractLengthMonths
	if setup > 0 && months != years*12 {
		amortised := years * p.Managed.AnnualSetupCosts
		add(HorizonContract, []Figure{{"contract", months, "months"}, {"horizon", years * 12, "months"}, {"setup", setup, ""}, {"amortised_in_horizon", amortised, ""}},
			"a contract of %s months in a horizon of %s charges %s of setup in the years, %s times the %s that is paid", number(months), number(years*12), number(amortised), number(amortised/setup), number(setup))
	}
	add(SimpleYear, []Figure{{"hours", daysInYear * hoursInDay, "h"}, {"years", years, "years"}},
		"all %d years are alike, with 8760 hours each: no leap year, growth, inflation, tax, transition, exit, ramp-up or risk", in.years)
}

func (in *inputs) claimRange(p *Published, v *Valuation, add addWarning) {
	var findings []string
	figures := []Figure{}
	if p.InternalAnnualCost > 0 {
		saved := p.AnnualCostSavings / p.InternalAnnualCost * 100
		if saved < claimedSavingsLow || saved > claimedSavingsHigh {
			figures = append(figures, Figure{"cost_savings", saved, "%"})
			findings = append(findings, fmt.Sprintf("saves %s %% of the internal cost (usual claim 40 to 60 %%)", tenths(saved)))
		}
	}
	switch months := p.BreakEvenMonths; {
	case months == nil:
		findings = append(findings, "never pays back (usual claim 12 to 18 months)")
	case *months < claimedPaybackLow || *months > claimedPaybackHigh:
		hours := *p.PaybackYears * daysInYear * hoursInDay
		low, high := p.TotalAnnualBenefit*claimedPaybackLow/12, p.TotalAnnualBenefit*claimedPaybackHigh/12
		figures = append(figures, Figure{"payback", hours, "h"}, Figure{"setup_for_claim_low", low, ""}, Figure{"setup_for_claim_high", high, ""})
		text := fmt.Sprintf("pays back in %s (usual claim 12 to 18 months, which takes a setup of %s to %s", times.Years(*p.PaybackYears), number(low), number(high))
		if v != nil && v.AnnualNetBenefit > 0 {
			low, high = v.AnnualNetBenefit*claimedPaybackLow/12, v.AnnualNetBenefit*claimedPaybackHigh/12
			figures = append(figures, Figure{"setup_for_claim_low_sound", low, ""}, Figure{"setup_for_claim_high_sound", high, ""})
			text += fmt.Sprintf(", with the sound benefit %s to %s", number(low), number(high))
		}
		findings = append(findings, text+")")
	}
	if findings != nil {
		add(ClaimRange, figures, "%s", "the published result "+strings.Join(findings, " and "))
	}
}

// tenths writes a number with at most one decimal.
func tenths(v float64) string { return number(math.Round(v*10) / 10) }
