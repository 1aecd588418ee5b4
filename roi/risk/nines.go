package risk

import (
	"math"
	"strconv"

	"github.com/evenkeelops/evenkeel/roi"
)

// Nine is what a promised availability is worth.
type Nine struct {
	AvailabilityPercent float64 `json:"availability_percent"`
	// OutageHours that it leaves in a year of 8760.
	OutageHours float64 `json:"outage_hours"`
	NPV         float64 `json:"npv"`
	// Change of NPV against the availability before; 0 for the first.
	Change float64 `json:"change"`
	// FeeWorth is how much more the service may cost a month than with the
	// availability before, for the same net present value; 0 for the first. A
	// negative one is what it would have to be cheaper.
	FeeWorth float64 `json:"fee_worth"`
}

// Nines values the sound model with one target of availability after the other, in
// percent: what one more nine is worth, to hold against what it costs.
//
// Errors: that of [roi.Model.Validate], [*roi.FieldError] for an availability out of
// range, [*InputError] for none at all, roi.ErrOverflow.
func Nines(m roi.Model, percents ...float64) ([]Nine, error) {
	if len(percents) == 0 {
		return nil, &InputError{Path: "percents", Value: strconv.Itoa(len(percents)), Want: "at least one availability"}
	}
	plan, err := roi.Compile(m, "impact.target_availability_percent", feePath)
	if err != nil {
		return nil, err
	}
	fee := m.Managed.MonthlyServiceFee
	nines := make([]Nine, len(percents))
	for i, a := range percents {
		pt, err := plan.At([]float64{a, fee})
		if err != nil {
			return nil, err
		}
		more := max(1, fee, math.Abs(pt.NPV)) // so that little of it is lost beside the others
		dearer, err := plan.At([]float64{a, fee + more})
		if err != nil {
			return nil, err
		}
		n := Nine{AvailabilityPercent: a, OutageHours: (100 - a) / 100 * 8760, NPV: pt.NPV}
		if i > 0 {
			n.Change = n.NPV - nines[i-1].NPV
			// The present value is linear in the fee.
			n.FeeWorth = n.Change / (pt.NPV - dearer.NPV) * more
		}
		nines[i] = n
	}
	return nines, nil
}
