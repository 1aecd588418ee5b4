package roi

// BridgeStep is one step from the published result to the sound one, with the
// figures after it.
type BridgeStep struct {
	Step  string `json:"step"`
	Label string `json:"label"`
	// NPV after the step; Change is what the step adds to it.
	NPV    float64 `json:"npv"`
	Change float64 `json:"change"`
	// ROIPercent after the step; nil when nothing is paid.
	ROIPercent *float64 `json:"roi_percent"`
	// Memo marks a row beside the bridge, not part of it: its Change is the
	// distance from the sound result.
	Memo bool `json:"memo,omitempty"`
}

// The steps of the bridge, in their order. Those from StepExtras to StepTiming are
// there only when the model uses what they add. The last step that is not a memo is
// the sound result.
const (
	StepPublished = "as_published"
	StepCash      = "setup_once_cash_fees"
	StepRecovery  = "without_mttr_double_count"
	StepExtras    = "further_costs_and_benefits"
	StepHours     = "hours_of_outage"
	StepChanges   = "growth_inflation_ramp_up"
	StepTaxes     = "taxes"
	StepTiming    = "timing"
	StepCostsOnly = "cost_savings_only"
)

// bridge goes from the published result to the sound one by changing one thing
// at a time. The changes add up to the difference of the two.
func (in *inputs) bridge(p *Published) ([]BridgeStep, error) {
	steps := []BridgeStep{{Step: StepPublished, Label: "as published", NPV: p.NPV, ROIPercent: p.ROIPercent}}
	add := func(step, label string, v variant) error {
		val, err := in.ledger(v).value(in.rate)
		if err != nil {
			return err
		}
		steps = append(steps, BridgeStep{
			Step: step, Label: label, NPV: val.NPV,
			Change: val.NPV - steps[len(steps)-1].NPV, ROIPercent: val.ROIPercent,
		})
		return nil
	}
	v := variant{mttrWeight: 1, impact: true}
	if err := add(StepCash, "setup once at the start, fees when paid instead of amortised", v); err != nil {
		return nil, err
	}
	v.mttrWeight = in.MTTRWeight
	label := "recovery time not counted a second time"
	if in.MTTRWeight != 0 {
		label = "recovery time counted with weight " + number(in.MTTRWeight)
	}
	if err := add(StepRecovery, label, v); err != nil {
		return nil, err
	}
	for _, further := range []struct {
		step, label string
		count       *bool
		used        bool
	}{
		{StepExtras, "costs and benefits that the published calculator lacks", &v.extras, in.hasExtras()},
		{StepHours, "outages by the hours of each year and of the week", &v.hours, in.StartYear != 0 || in.Impact.peak() != 1},
		{StepChanges, "growth, inflation and ramp-up", &v.changes, in.changes()},
		{StepTaxes, "taxes", &v.taxes, in.TaxRate != 0},
	} {
		*further.count = true
		if !further.used {
			continue
		}
		if err := add(further.step, further.label, v); err != nil {
			return nil, err
		}
	}
	v.timing = in.Timing
	if v.timing != (Timing{}) {
		if err := add(StepTiming, "flows at "+v.timing.Position.String()+" of "+v.timing.Period.String(), v); err != nil {
			return nil, err
		}
	}
	v.impact = false
	if err := add(StepCostsOnly, "for comparison: cost savings only", v); err != nil {
		return nil, err
	}
	steps[len(steps)-1].Memo = true
	return steps, nil
}

func (in *inputs) hasExtras() bool {
	m := &in.Managed
	return m.ResidualValue != 0 || m.TransitionCosts != 0 || m.ParallelRunningCosts != 0 || m.RetainedOrganisationCosts != 0 || m.ServiceCredits != 0 || m.ExitCosts != 0 || in.Impact.OtherAnnualBenefits != 0
}
