package risk

import "github.com/evenkeelops/evenkeel/roi"

// What providers claim: operating cost 40 to 60 % below that of an internal team,
// and a payback within 12 to 18 months.
const (
	ClaimSavings = "savings"
	SavingsLow   = 0.4 // of the internal cost
	SavingsHigh  = 0.6

	ClaimPayback = "payback"
	PaybackLow   = 12 // months
	PaybackHigh  = 18
)

// Claim is a claim beside what the model comes to.
type Claim struct {
	Claim string  `json:"claim"`
	Low   float64 `json:"low"` // a share of the internal cost, or months
	High  float64 `json:"high"`
	// Value is what the model has; nil where nothing is saved of nothing, or
	// where the outlay is never recovered.
	Value *float64 `json:"value"`
	// Verdict is "missed", "within", "exceeded", which means that the model is
	// better than the claim, or "undefined".
	Verdict string `json:"verdict"`
	// FeeLow and FeeHigh are the monthly fees between which the claim holds, all
	// else being equal; nil where no fee makes it hold exactly.
	FeeLow  *float64 `json:"fee_low"`
	FeeHigh *float64 `json:"fee_high"`
}

const feePath = "managed.monthly_service_fee"

// Check holds the sound result against both claims. Savings are what the whole
// horizon costs beside the internal team, with setup and exit, undiscounted.
//
// The error is that of [roi.Model.Validate] or roi.ErrOverflow.
func Check(m roi.Model) ([]Claim, error) {
	plan, err := roi.Compile(m)
	if err != nil {
		return nil, err
	}
	pt, err := plan.At(nil)
	if err != nil {
		return nil, err
	}
	savings := Claim{Claim: ClaimSavings, Low: SavingsLow, High: SavingsHigh, Verdict: "undefined"}
	if v, ok := pt.Savings(); ok {
		savings.Value = &v
		savings.Verdict = verdict(v < SavingsLow, v > SavingsHigh)
		savings.FeeLow = feeFor(m, savingsOf(SavingsHigh))
		savings.FeeHigh = feeFor(m, savingsOf(SavingsLow))
	}
	payback := Claim{Claim: ClaimPayback, Low: PaybackLow, High: PaybackHigh, Verdict: "missed"}
	if years, ok := pt.Payback(); ok {
		months := years * 12
		payback.Value = &months
		payback.Verdict = verdict(months > PaybackHigh, months < PaybackLow)
	}
	fee := func(months float64) *float64 {
		c, err := ForPayback(m, feePath, months/12)
		if err != nil {
			return nil
		}
		return &c.Values[0]
	}
	payback.FeeLow, payback.FeeHigh = fee(PaybackLow), fee(PaybackHigh)
	return []Claim{savings, payback}, nil
}

func verdict(missed, exceeded bool) string {
	switch {
	case missed:
		return "missed"
	case exceeded:
		return "exceeded"
	default:
		return "within"
	}
}

// savingsOf is zero where the savings are the share, and linear in what is paid.
func savingsOf(share float64) func(*roi.Point) float64 {
	return func(pt *roi.Point) float64 {
		paid, internal := pt.Totals()
		return (1-share)*internal - paid
	}
}

func feeFor(m roi.Model, f func(*roi.Point) float64) *float64 {
	s, err := newSolver(m, feePath)
	if err != nil {
		return nil
	}
	v, err := s.linear("", f)
	if err != nil {
		return nil
	}
	return &v
}
