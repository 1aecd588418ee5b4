package roi

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Valuation is the result of the sound model: the flows of choosing the managed
// service instead of the internal team, and the figures drawn from them. A nil
// pointer stands for never or not defined.
type Valuation struct {
	NPV float64 `json:"npv"`
	// PVBenefits and PVCosts are the present values of what is gained or
	// avoided and of what is paid; NPV is their difference.
	PVBenefits float64 `json:"pv_benefits"`
	PVCosts    float64 `json:"pv_costs"`
	// ROIPercent is (PVBenefits − PVCosts) / PVCosts, and the same without
	// discounting; nil when nothing is paid.
	ROIPercent             *float64 `json:"roi_percent"`
	UndiscountedROIPercent *float64 `json:"roi_undiscounted_percent"`
	// IRR holds the effective annual rates at which NPV is zero, and
	// IRRPercent the rate when there is exactly one.
	IRR        Rates    `json:"irr"`
	IRRPercent *float64 `json:"irr_percent"`
	// PI is the present value of the flows after the start per unit of the
	// outlay at the start; nil without an outlay.
	PI *float64 `json:"pi"`
	// PaybackYears and DiscountedPaybackYears are the first return to zero of
	// the cumulated flows; RecrossingYears are later crossings of the
	// undiscounted ones, if any.
	PaybackYears           *float64  `json:"payback_years"`
	DiscountedPaybackYears *float64  `json:"discounted_payback_years"`
	RecrossingYears        []float64 `json:"recrossing_years,omitempty"`

	// AnnualNetBenefit is a year's flow without what is paid once, at the level
	// of the first year and without ramp-up.
	AnnualNetBenefit float64 `json:"annual_net_benefit"`
	// DowntimeCostSavings is the part of it that comes from availability.
	DowntimeCostSavings float64 `json:"downtime_savings"`

	// Flows are the flows in the order of time, the start first.
	Flows []Flow `json:"flows"`
	// Terms are the formulas with their numbers, in the order of calculation.
	Terms []Term `json:"terms"`
}

// Flow is the net amount of one period with what it is made of.
type Flow struct {
	Period int     `json:"period"` // 0 is the start
	Years  float64 `json:"years"`  // time from the start
	Amount float64 `json:"amount"` // benefits minus costs
	Items  []Item  `json:"items"`
}

// Item is a part of a flow. Costs are positive amounts with Cost set; benefits
// are negative when things get worse.
type Item struct {
	Name   string  `json:"name"`
	Amount float64 `json:"amount"`
	Cost   bool    `json:"cost"`
}

// Sound values a model as an investment:
//
//	CF0 = −(setup + transition + parallel running)
//	CFt = avoided internal cost + availability benefit + other benefits + service credits
//	      − fees − additional tools − retained organisation
//
// with what grows at its rate per year after the first, and the avoided internal
// cost by its share in the first periods ([Model.RampUp]). The cost of the exit is
// in the last flow, every amount once, when it is
// paid, and both sides discounted. The availability benefit is the difference of
// outage hours (of a year of 8760) × revenue per hour × multiplier. Faster
// recovery counts by [Model.MTTRWeight] and by default not at all, because the
// hours it saves are already in the availability.
//
//	NPV = PV(benefits) − PV(costs)    ROI = NPV / PV(costs)
//
// Paybacks are interpolated linearly inside the period. The error is that of
// [Model.Validate] or [ErrOverflow].
func Sound(m Model) (Valuation, error) {
	if err := m.Validate(); err != nil {
		return Valuation{}, err
	}
	in := m.resolve()
	return in.sound()
}

func (in *inputs) sound() (Valuation, error) {
	l := in.ledger(in.soundVariant())
	v, err := l.value(in.rate)
	if err != nil {
		return Valuation{}, err
	}
	v.DowntimeCostSavings = in.impactValue().DowntimeCostSavings
	v.AnnualNetBenefit = l.annualNet
	l.findRates(&v)
	if err := l.findPaybacks(&v, in.rate); err != nil {
		return Valuation{}, err
	}
	v.Flows = l.flows()
	v.Terms = in.soundTerms(&v, l)
	return v, nil
}

// variant is a way to lay out the flows; the bridge goes through several.
type variant struct {
	timing     Timing
	mttrWeight float64
	impact     bool // count outages and other benefits at all
	extras     bool // count the inputs that the published calculator lacks
}

func (in *inputs) soundVariant() variant {
	return variant{timing: in.Timing, mttrWeight: in.MTTRWeight, impact: true, extras: true}
}

// ledger is the laid-out plan: net flows with what they are made of.
type ledger struct {
	timing           Timing
	annualNet        float64
	once, each, last []Item    // at the start, in every period, added to the last
	benefits, costs  []float64 // by period, 0 is the start
	net              []float64

	growth []float64 // per year, of each; nil: none
	avoids []bool    // of each: avoided internal cost, to which rampUp applies
	rampUp []float64
}

// items are those of every period as they are in period t, from 1 on.
func (l *ledger) items(t int) []Item {
	if l.growth == nil {
		return l.each
	}
	items := slices.Clone(l.each)
	year := float64((t - 1) / l.timing.Period.perYear())
	for i := range items {
		items[i].Amount *= math.Pow(1+l.growth[i], year)
		if l.avoids[i] && t <= len(l.rampUp) {
			items[i].Amount *= l.rampUp[t-1]
		}
	}
	return items
}

func (in *inputs) ledger(v variant) *ledger {
	l := &ledger{timing: v.timing}
	perYear := float64(v.timing.Period.perYear())
	cost := func(items *[]Item, name string, amount float64) {
		if amount != 0 {
			*items = append(*items, Item{name, amount, true})
		}
	}
	benefit := func(name string, amount float64) {
		if amount != 0 {
			l.each = append(l.each, Item{name, amount, false})
		}
	}
	cost(&l.once, "setup", in.Managed.SetupCosts)
	if internal := in.internalCost(); v.extras && in.SalaryGrowth != 0 {
		benefit(avoidedSalaries, internal.SalaryAndBenefits)
		benefit(avoidedOther, internal.TotalAnnualCost-internal.SalaryAndBenefits)
	} else {
		benefit(avoidedCost, internal.TotalAnnualCost)
	}
	if v.impact {
		benefit(lessOutage, in.impactValue().DowntimeCostSavings)
		if v.mttrWeight != 0 {
			benefit(fasterRecovery, in.mttrValue()*v.mttrWeight)
		}
	}
	cost(&l.each, serviceFees, in.Managed.MonthlyServiceFee*12)
	cost(&l.each, "additional tools", in.Managed.AdditionalToolCosts)
	if v.extras {
		cost(&l.once, "transition", in.Managed.TransitionCosts)
		cost(&l.once, "parallel running", in.Managed.ParallelRunningCosts)
		if v.impact {
			benefit("other benefits", in.Impact.OtherAnnualBenefits)
		}
		benefit("service credits", in.Managed.ServiceCredits)
		cost(&l.each, "retained organisation", in.Managed.RetainedOrganisationCosts)
		cost(&l.last, "exit", in.Managed.ExitCosts)
	}
	if v.extras {
		in.grow(l)
	}
	yearlyBenefits, yearlyCosts := totals(l.each)
	l.annualNet = yearlyBenefits - yearlyCosts
	for i := range l.each {
		l.each[i].Amount /= perYear
	}

	n := in.years * v.timing.Period.perYear()
	buf := make([]float64, 3*(n+1))
	l.benefits, l.costs, l.net = buf[:n+1], buf[n+1:2*n+2], buf[2*n+2:]
	eachBenefit, eachCost := totals(l.each)
	_, onceCost := totals(l.once)
	_, lastCost := totals(l.last)
	l.costs[0], l.net[0] = onceCost, -onceCost
	for t := 1; t <= n; t++ {
		if l.growth != nil {
			eachBenefit, eachCost = totals(l.items(t))
		}
		l.benefits[t], l.costs[t] = eachBenefit, eachCost
		if t == n {
			l.costs[t] += lastCost
		}
		l.net[t] = l.benefits[t] - l.costs[t]
	}
	return l
}

// The items of a period that change over time.
const (
	avoidedCost     = "avoided internal cost"
	avoidedSalaries = "avoided salaries"
	avoidedOther    = "avoided other internal cost"
	lessOutage      = "availability"
	fasterRecovery  = "faster recovery"
	serviceFees     = "service fees"
)

// changes reports whether any item is not the same in all years.
func (in *inputs) changes() bool {
	return in.RevenueGrowth != 0 || in.SalaryGrowth != 0 || in.FeeIndexation != 0 || len(in.RampUp) > 0
}

// grow says how the items change from year to year, unless none does.
func (in *inputs) grow(l *ledger) {
	if !in.changes() {
		return
	}
	l.growth, l.avoids, l.rampUp = make([]float64, len(l.each)), make([]bool, len(l.each)), in.RampUp
	for i, it := range l.each {
		switch it.Name {
		case avoidedSalaries:
			l.growth[i], l.avoids[i] = in.SalaryGrowth, true
		case avoidedCost, avoidedOther:
			l.avoids[i] = true
		case lessOutage, fasterRecovery:
			l.growth[i] = in.RevenueGrowth
		case serviceFees:
			l.growth[i] = in.FeeIndexation
		}
	}
}

func totals(items []Item) (benefits, costs float64) {
	for _, it := range items {
		if it.Cost {
			costs += it.Amount
		} else {
			benefits += it.Amount
		}
	}
	return benefits, costs
}

// presentValue discounts amounts that are placed like the flows of the ledger.
func (l *ledger) presentValue(amounts []float64, rate float64) float64 {
	growth := math.Log1p(rate) / float64(l.timing.Period.perYear())
	later := horner(amounts[1:], math.Exp(-growth))
	return amounts[0] + float64(later*math.Exp(-growth*(1-l.timing.Position.advance())))
}

// value fills in the present values and the ROI.
func (l *ledger) value(rate float64) (Valuation, error) {
	v := Valuation{
		NPV:        l.presentValue(l.net, rate),
		PVBenefits: l.presentValue(l.benefits, rate),
		PVCosts:    l.presentValue(l.costs, rate),
	}
	if !isFinite(v.NPV) || !isFinite(v.PVBenefits) || !isFinite(v.PVCosts) {
		return v, ErrOverflow
	}
	benefits, costs := 0.0, 0.0
	for t := range l.costs {
		benefits += l.benefits[t]
		costs += l.costs[t]
	}
	if v.PVCosts > 0 {
		v.ROIPercent = finiteOrNil((v.PVBenefits - v.PVCosts) / v.PVCosts * 100)
		v.UndiscountedROIPercent = finiteOrNil((benefits - costs) / costs * 100)
	}
	if l.net[0] < 0 {
		v.PI = finiteOrNil((v.NPV - l.net[0]) / -l.net[0])
	}
	return v, nil
}

// findRates fills in the internal rates of return per year. That there is none,
// or one that float64 cannot hold, is a result here and not an error.
func (l *ledger) findRates(v *Valuation) {
	s := series{a: l.net}
	perYear := float64(l.timing.Period.perYear())
	if advance := l.timing.Position.advance(); advance != 0 {
		s.t = make([]float64, len(l.net))
		for t := range s.t[1:] {
			s.t[t+1] = float64(t+1) - advance
		}
		if advance == 1 { // the first period's flow is at the start too
			s.a = append([]float64{l.net[0] + l.net[1]}, l.net[2:]...)
			s.t = s.t[1:]
		}
	}
	rates, _ := solve(s)
	v.IRR = Rates{Roots: []float64{}, Unique: rates.Unique, SignChanges: rates.SignChanges}
	for _, r := range rates.Roots {
		if perYear != 1 {
			r = math.Expm1(perYear * math.Log1p(r))
		}
		if math.IsInf(r, 1) {
			v.IRR.Unique = false
			break
		}
		v.IRR.Roots = append(v.IRR.Roots, r)
	}
	if v.IRR.Unique {
		v.IRRPercent = finiteOrNil(v.IRR.Roots[0] * 100)
	}
}

func (l *ledger) findPaybacks(v *Valuation, rate float64) error {
	perYear := float64(l.timing.Period.perYear())
	simple, err := Payback(l.net)
	if err != nil {
		return err
	}
	growth, advance := math.Log1p(rate)/perYear, l.timing.Position.advance()
	present := make([]float64, len(l.net))
	present[0] = l.net[0]
	for t := 1; t < len(present); t++ {
		present[t] = l.net[t] * math.Exp(-growth*(float64(t)-advance))
	}
	discounted, err := Payback(present)
	if err != nil {
		return err
	}
	if simple.Reached {
		v.PaybackYears = finiteOrNil(simple.Periods / perYear)
	}
	if discounted.Reached {
		v.DiscountedPaybackYears = finiteOrNil(discounted.Periods / perYear)
	}
	for _, at := range simple.Recrossings {
		v.RecrossingYears = append(v.RecrossingYears, at/perYear)
	}
	return nil
}

func (l *ledger) flows() []Flow {
	perYear, advance := float64(l.timing.Period.perYear()), l.timing.Position.advance()
	flows := make([]Flow, len(l.net))
	for t := range flows {
		f := Flow{Period: t, Amount: l.net[t], Items: l.once}
		if t > 0 {
			f.Items = l.items(t)
		}
		if t == len(flows)-1 {
			f.Items = slices.Concat(f.Items, l.last)
		}
		if t > 0 {
			f.Years = (float64(t) - advance) / perYear
		}
		flows[t] = f
	}
	return flows
}

func (in *inputs) soundTerms(v *Valuation, l *ledger) []Term {
	internal, impact := in.internalCost(), in.impactValue()
	terms := in.internalTerms(&internal)
	terms = append(terms, in.downtimeTerms(&impact)...)
	if in.MTTRWeight != 0 {
		terms = append(terms, Term{"faster_recovery", in.mttrFormula() + " × " + number(in.MTTRWeight), in.mttrValue() * in.MTTRWeight})
	}
	level := ""
	if l.growth != nil {
		level = "in the first year, without ramp-up: "
	}
	terms = append(terms,
		Term{"start", itemSum(l.once), l.net[0]},
		Term{"net_benefit_per_" + in.Timing.Period.String(), level + itemSum(l.each), l.annualNet / float64(in.Timing.Period.perYear())},
	)
	exponent := "t"
	if a := in.Timing.Position.advance(); a != 0 {
		exponent = "(t − " + number(a) + ")"
	}
	if in.Timing.Period == Monthly {
		exponent = "(" + exponent + "/12)"
	}
	present := func(what string) string {
		return fmt.Sprintf("%s at the start + Σ %s / %s^%s, t = 1..%s", what, what, number(1+in.rate), exponent, strconv.Itoa(len(l.net)-1))
	}
	terms = append(terms,
		Term{"pv_benefits", present("benefits"), v.PVBenefits},
		Term{"pv_costs", present("costs"), v.PVCosts},
		Term{"npv", number(v.PVBenefits) + " − " + number(v.PVCosts), v.NPV},
	)
	if v.ROIPercent != nil {
		terms = append(terms, Term{"roi_percent", fmt.Sprintf("%s / %s × 100", number(v.NPV), number(v.PVCosts)), *v.ROIPercent})
	}
	if v.PI != nil {
		terms = append(terms, Term{"pi", fmt.Sprintf("(%s + %s) / %s", number(v.NPV), number(-l.net[0]), number(-l.net[0])), *v.PI})
	}
	return terms
}

// itemSum writes the items of a flow as a sum, costs subtracted.
func itemSum(items []Item) string {
	if len(items) == 0 {
		return "0"
	}
	text := ""
	for i, it := range items {
		amount := it.Amount
		if it.Cost {
			amount = -amount
		}
		switch {
		case i == 0:
			text = number(amount)
		case amount < 0:
			text += " − " + number(-amount)
		default:
			text += " + " + number(amount)
		}
		text += " (" + it.Name + ")"
	}
	return text
}
