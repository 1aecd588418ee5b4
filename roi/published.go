package roi

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	daysInYear = 365
	hoursInDay = 24
)

// InternalCost is the annual cost of the internal team by line.
type InternalCost struct {
	SalaryAndBenefits float64 `json:"salary_and_benefits"`
	TrainingCosts     float64 `json:"training_costs"`
	OperationalCosts  float64 `json:"operational_costs"`
	RecruitmentCosts  float64 `json:"recruitment_costs"`
	TotalAnnualCost   float64 `json:"total_annual_cost"`
}

// ManagedCost is the annual cost of the managed service by line, with setup
// spread over the length of the contract.
type ManagedCost struct {
	AnnualServiceFees   float64 `json:"annual_service_fees"`
	AnnualSetupCosts    float64 `json:"annual_setup_costs"`
	AdditionalToolCosts float64 `json:"additional_tool_costs"`
	TotalAnnualCost     float64 `json:"total_annual_cost"`
}

// ImpactValue is what better availability and faster recovery are worth per
// year. MTTRImprovementValue is negative when recovery gets slower.
type ImpactValue struct {
	CurrentDowntimeCost  float64 `json:"current_downtime_cost"`
	ImprovedDowntimeCost float64 `json:"improved_downtime_cost"`
	DowntimeCostSavings  float64 `json:"downtime_cost_savings"`
	MTTRImprovementValue float64 `json:"mttr_improvement_value"`
	TotalAnnualBenefit   float64 `json:"total_annual_benefit"`
}

// Published is the result of the published calculator, under the names of its
// result keys. A nil pointer stands for never, or for a division by zero.
type Published struct {
	InternalAnnualCost    float64  `json:"internal_annual_cost"`
	ManagedAnnualCost     float64  `json:"managed_service_annual_cost"`
	AnnualCostSavings     float64  `json:"annual_cost_savings"`
	AnnualBusinessBenefit float64  `json:"annual_business_benefit"`
	TotalAnnualBenefit    float64  `json:"total_annual_benefit"`
	NPV                   float64  `json:"npv_3_years"` // over the horizon of the model, whatever the key says
	PaybackYears          *float64 `json:"payback_period_years"`
	ROIPercent            *float64 `json:"roi_percentage"`
	BreakEvenMonths       *float64 `json:"break_even_months"`

	Internal InternalCost `json:"internal"`
	Managed  ManagedCost  `json:"managed"`
	Impact   ImpactValue  `json:"impact"`
	// Terms are the formulas with their numbers, in the order of calculation.
	Terms []Term `json:"terms"`
}

// Term is one line of a calculation: the name of a result, the formula with the
// numbers put in, and the value.
type Term struct {
	Name    string  `json:"name"`
	Formula string  `json:"formula"`
	Value   float64 `json:"value"`
}

// AsPublished calculates a model with the calculator that accompanies articles
// on outsourcing operations, defects included, in the order of its floating
// operations, so that its figures can be recognised to the last bit. Its results
// are too good; see [Sound] for those to decide by and [Evaluate] for both with
// the bridge between them.
//
// The error is that of [Model.Validate] or [ErrOverflow].
func AsPublished(m Model) (Published, error) {
	if err := m.Validate(); err != nil {
		return Published{}, err
	}
	in := m.resolve()
	p, err := in.published()
	if err != nil {
		return Published{}, err
	}
	p.Terms = in.publishedTerms(&p)
	return p, nil
}

// published calculates without explaining. Products are rounded before they are
// added so that processors with a fused multiply-add give the same bits.
func (in *inputs) published() (Published, error) {
	p := Published{Internal: in.internalCost(), Managed: in.managedCost(), Impact: in.impactValue()}
	p.InternalAnnualCost = p.Internal.TotalAnnualCost
	p.ManagedAnnualCost = p.Managed.TotalAnnualCost
	p.AnnualCostSavings = p.InternalAnnualCost - p.ManagedAnnualCost
	p.AnnualBusinessBenefit = p.Impact.TotalAnnualBenefit
	p.TotalAnnualBenefit = p.AnnualCostSavings + p.AnnualBusinessBenefit
	for t := 1; t <= in.years; t++ {
		p.NPV += p.TotalAnnualBenefit / math.Pow(1+in.rate, float64(t))
	}
	setup := in.Managed.SetupCosts
	if p.TotalAnnualBenefit > 0 {
		payback := setup / p.TotalAnnualBenefit
		p.PaybackYears = finiteOrNil(payback)
		p.BreakEvenMonths = finiteOrNil(payback * 12)
	}
	investment := setup + float64(p.ManagedAnnualCost*float64(in.years))
	if investment != 0 {
		totalReturn := p.NPV + setup
		p.ROIPercent = finiteOrNil((totalReturn - investment) / investment * 100)
	}
	if !isFinite(p.NPV) || !isFinite(investment) || p.ROIPercent == nil && investment != 0 {
		return p, ErrOverflow
	}
	return p, nil
}

func (in *inputs) internalCost() InternalCost {
	var c InternalCost
	salaries := 0.0
	for _, r := range in.roles {
		salaries += float64(r.salary * r.count)
	}
	people := in.people()
	c.SalaryAndBenefits = salaries * in.Internal.OverheadMultiplier
	c.TrainingCosts = people * in.Internal.TrainingCostPerPerson
	c.OperationalCosts = in.Internal.ToolLicensingCosts + in.Internal.InfrastructureCosts
	c.RecruitmentCosts = in.Internal.RecruitmentCosts * people * in.turnover
	c.TotalAnnualCost = float64(c.SalaryAndBenefits) + float64(c.TrainingCosts) + c.OperationalCosts + float64(c.RecruitmentCosts)
	return c
}

func (in *inputs) managedCost() ManagedCost {
	c := ManagedCost{
		AnnualServiceFees:   in.Managed.MonthlyServiceFee * 12,
		AnnualSetupCosts:    in.Managed.SetupCosts / (in.Managed.ContractLengthMonths / 12),
		AdditionalToolCosts: in.Managed.AdditionalToolCosts,
	}
	c.TotalAnnualCost = float64(c.AnnualServiceFees) + c.AnnualSetupCosts + c.AdditionalToolCosts
	return c
}

func (in *inputs) impactValue() ImpactValue {
	i := in.Impact
	v := ImpactValue{
		CurrentDowntimeCost:  in.downtimeCost(i.CurrentAvailabilityPercent),
		ImprovedDowntimeCost: in.downtimeCost(i.TargetAvailabilityPercent),
		MTTRImprovementValue: in.mttrValue(),
	}
	v.DowntimeCostSavings = v.CurrentDowntimeCost - v.ImprovedDowntimeCost
	v.TotalAnnualBenefit = v.DowntimeCostSavings + v.MTTRImprovementValue
	return v
}

// downtimeHours is the outage time per year at an availability, in a year of
// 365 days.
func downtimeHours(availabilityPercent float64) float64 {
	return (100 - availabilityPercent) / 100 * daysInYear * hoursInDay
}

func (in *inputs) downtimeCost(availabilityPercent float64) float64 {
	return float64(downtimeHours(availabilityPercent) * in.Impact.RevenuePerHour * in.Impact.DowntimeCostMultiplier)
}

// mttrValue is the value of faster recovery if every incident hour were an
// hour of outage.
func (in *inputs) mttrValue() float64 {
	return float64(in.incidents * (in.Impact.CurrentMTTRHours - in.Impact.ImprovedMTTRHours) * in.Impact.RevenuePerHour * in.Impact.DowntimeCostMultiplier)
}

func finiteOrNil(v float64) *float64 {
	if !isFinite(v) {
		return nil
	}
	return &v
}

func (in *inputs) publishedTerms(p *Published) []Term {
	setup, years := number(in.Managed.SetupCosts), strconv.Itoa(in.years)
	terms := in.internalTerms(&p.Internal)
	terms = append(terms,
		Term{"annual_service_fees", number(in.Managed.MonthlyServiceFee) + " × 12", p.Managed.AnnualServiceFees},
		Term{"annual_setup_costs", fmt.Sprintf("%s / (%s / 12)", setup, number(in.Managed.ContractLengthMonths)), p.Managed.AnnualSetupCosts},
		Term{"managed_service_annual_cost", sum(p.Managed.AnnualServiceFees, p.Managed.AnnualSetupCosts, p.Managed.AdditionalToolCosts), p.ManagedAnnualCost},
	)
	terms = append(terms, in.downtimeTerms(&p.Impact)...)
	terms = append(terms,
		Term{"mttr_improvement_value", in.mttrFormula(), p.Impact.MTTRImprovementValue},
		Term{"annual_business_benefit", sum(p.Impact.DowntimeCostSavings, p.Impact.MTTRImprovementValue), p.AnnualBusinessBenefit},
		Term{"annual_cost_savings", number(p.InternalAnnualCost) + " − " + number(p.ManagedAnnualCost), p.AnnualCostSavings},
		Term{"total_annual_benefit", sum(p.AnnualCostSavings, p.AnnualBusinessBenefit), p.TotalAnnualBenefit},
		Term{"npv_3_years", fmt.Sprintf("Σ %s / %s^t, t = 1..%s", number(p.TotalAnnualBenefit), number(1+in.rate), years), p.NPV},
	)
	if p.PaybackYears != nil {
		terms = append(terms, Term{"payback_period_years", setup + " / " + number(p.TotalAnnualBenefit), *p.PaybackYears})
	}
	if p.ROIPercent != nil {
		investment := fmt.Sprintf("(%s + %s × %s)", setup, number(p.ManagedAnnualCost), years)
		terms = append(terms, Term{"roi_percentage", fmt.Sprintf("(%s + %s − %s) / %s × 100", number(p.NPV), setup, investment, investment), *p.ROIPercent})
	}
	return terms
}

func (in *inputs) internalTerms(c *InternalCost) []Term {
	var salaries []string
	for _, r := range in.roles {
		salaries = append(salaries, number(r.count)+" × "+number(r.salary))
	}
	people := number(in.people())
	return []Term{
		{"salary_and_benefits", "(" + strings.Join(salaries, " + ") + ") × " + number(in.Internal.OverheadMultiplier), c.SalaryAndBenefits},
		{"training_costs", people + " × " + number(in.Internal.TrainingCostPerPerson), c.TrainingCosts},
		{"operational_costs", sum(in.Internal.ToolLicensingCosts, in.Internal.InfrastructureCosts), c.OperationalCosts},
		{"recruitment_costs", number(in.Internal.RecruitmentCosts) + " × " + people + " × " + number(in.turnover), c.RecruitmentCosts},
		{"internal_annual_cost", sum(c.SalaryAndBenefits, c.TrainingCosts, c.OperationalCosts, c.RecruitmentCosts), c.TotalAnnualCost},
	}
}

func (in *inputs) downtimeTerms(v *ImpactValue) []Term {
	formula := func(availability float64) string {
		return fmt.Sprintf("(100 − %s) / 100 × 365 × 24 × %s × %s", number(availability), number(in.Impact.RevenuePerHour), number(in.Impact.DowntimeCostMultiplier))
	}
	return []Term{
		{"current_downtime_cost", formula(in.Impact.CurrentAvailabilityPercent), v.CurrentDowntimeCost},
		{"improved_downtime_cost", formula(in.Impact.TargetAvailabilityPercent), v.ImprovedDowntimeCost},
		{"downtime_cost_savings", number(v.CurrentDowntimeCost) + " − " + number(v.ImprovedDowntimeCost), v.DowntimeCostSavings},
	}
}

func (in *inputs) mttrFormula() string {
	return fmt.Sprintf("%s × (%s − %s) × %s × %s", number(in.incidents), number(in.Impact.CurrentMTTRHours), number(in.Impact.ImprovedMTTRHours), number(in.Impact.RevenuePerHour), number(in.Impact.DowntimeCostMultiplier))
}

// sum writes a sum of numbers.
func sum(vs ...float64) string {
	var b strings.Builder
	for i, v := range vs {
		switch {
		case i == 0:
			b.WriteString(number(v))
		case v < 0:
			b.WriteString(" − " + number(-v))
		default:
			b.WriteString(" + " + number(v))
		}
	}
	return b.String()
}

// number writes a number for people: with at most two decimals from 100 on, with
// six significant digits below.
func number(v float64) string {
	switch abs := math.Abs(v); {
	case !isFinite(v), abs >= 1e15, v != 0 && abs < 1e-6:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case abs >= 100:
		v = math.Round(v*100) / 100
	default:
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	}
	return strconv.FormatFloat(v+0, 'f', -1, 64) // +0 turns −0 into 0
}
