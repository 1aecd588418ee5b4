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
	// MIRRPercent is the modified rate per year, with negative flows financed and
	// positive ones reinvested at the discount rate; nil unless there are both.
	MIRRPercent *float64 `json:"mirr_percent"`
	// PI is the present value of the flows after the start per unit of the
	// outlay at the start; nil without an outlay.
	PI *float64 `json:"pi"`
	// PaybackYears and DiscountedPaybackYears are the first return to zero of
	// the cumulated flows; RecrossingYears are later crossings of the
	// undiscounted ones, if any.
	PaybackYears           *float64  `json:"payback_years"`
	DiscountedPaybackYears *float64  `json:"discounted_payback_years"`
	RecrossingYears        []float64 `json:"recrossing_years,omitempty"`

	// AnnualNetBenefit is a year's flow without what is paid once and before
	// taxes, at the level of the first year and without ramp-up.
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

// Item is a part of a flow. Costs are positive amounts with Cost set, taxes negative
// when they are relieved; benefits are negative when things get worse.
type Item struct {
	Name   string  `json:"name"`
	Amount float64 `json:"amount"`
	Cost   bool    `json:"cost"`
}

// Sound values a model as an investment:
//
//	CF0 = −(setup + transition + parallel running)
//	CFt = avoided internal cost + availability benefit + other benefits + service credits
//	      − fees − additional tools − retained organisation − taxes
//
// with what grows at its rate per year after the first, and the avoided internal
// cost by its share in the first periods ([Model.RampUp]). The cost of the exit and
// the residual value are in the last flow, every amount once, when it is paid, and
// both sides discounted. The availability benefit is the difference of
// outage hours × revenue per hour × multiplier; the hours are of a year of 8760 or of
// the calendar ([Model.StartYear]), and the revenue is that of the hours of the week in
// which outages fall ([Impact.RevenueByHourOfWeek]). Faster
// recovery counts by [Model.MTTRWeight] and by default not at all, because the
// hours it saves are already in the availability. Taxes are
//
//	rate × (benefits − costs − depreciation)
//
// of the period, the relief of what is paid at the start or lost later as a negative cost.
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
	v.DowntimeCostSavings = l.lessOutage
	v.AnnualNetBenefit = l.annualNet
	l.findRates(&v)
	v.MIRRPercent = l.modifiedRate(in.rate)
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
	extras     bool // count the amounts that the published calculator lacks
	hours      bool // hours of outage by the calendar and by the week
	changes    bool // growth, inflation, ramp-up
	taxes      bool
}

func (in *inputs) soundVariant() variant {
	return variant{timing: in.Timing, mttrWeight: in.MTTRWeight, impact: true, extras: true, hours: true, changes: true, taxes: true}
}

// ledger is the laid-out plan: net flows with what they are made of.
type ledger struct {
	timing          Timing
	once, last      []Item // at the start, added to the last
	each            []line // a year's, at the level of the first
	benefits, costs []float64
	net             []float64 // by period, as the two above; 0 is the start

	annualNet, lessOutage float64 // of each
	prices                float64 // growth of what is in last
	rampUp                []float64
	startYear             int // 0: years of 8760 hours
	taxRate, setup        float64
	depreciation          int // periods of setup; 0: at the start
}

// line is an item of every period, as a year's amount.
type line struct {
	Item
	growth  float64 // per year
	avoided bool    // an internal cost, to which ramp-up applies
	outage  bool    // follows the hours of the year
}

// items are those of period t; 0 is the start.
func (l *ledger) items(t int) []Item {
	var items []Item
	n := len(l.net) - 1
	if t == 0 {
		items = slices.Clone(l.once)
	} else {
		perYear := l.timing.Period.perYear()
		year := (t - 1) / perYear
		for _, e := range l.each {
			it := e.Item
			it.Amount /= float64(perYear)
			if e.growth != 0 {
				it.Amount *= math.Pow(1+e.growth, float64(year))
			}
			if e.outage {
				it.Amount *= yearShare(l.startYear, year)
			}
			if e.avoided && t <= len(l.rampUp) {
				it.Amount *= l.rampUp[t-1]
			}
			items = append(items, it)
		}
		if t == n {
			for _, it := range l.last {
				it.Amount *= math.Pow(1+l.prices, float64(year))
				items = append(items, it)
			}
		}
	}
	if l.taxRate != 0 {
		benefits, costs := totals(items)
		if tax := l.taxRate * (benefits - costs - l.writeOff(t, n)); tax != 0 {
			items = append(items, Item{taxes, tax, true})
		}
	}
	return items
}

// writeOff is the depreciation of period t of n. It gives back at the start what is to be
// written off later.
func (l *ledger) writeOff(t, n int) float64 { return writeOff(l.setup, l.depreciation, t, n) }

func writeOff(setup float64, periods, t, n int) float64 {
	each := 0.0
	if periods > 0 {
		each = setup / float64(periods)
	}
	switch {
	case periods == 0:
		return 0
	case t == 0:
		return -setup
	case t == n && periods > n:
		return each * float64(periods-n+1)
	case t <= periods:
		return each
	}
	return 0
}

// yearShare is how long the y-th year of the horizon is beside one of 8760 hours.
func yearShare(startYear, y int) float64 {
	if startYear == 0 {
		return 1
	}
	if y += startYear; y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return float64(daysInYear+1) / daysInYear
	}
	return 1
}

// maxStartYear is the last one that dates are written in four digits.
const maxStartYear = 9999

// peak is what an hour of outage costs beside one at mean revenue,
//
//	Σ revenue·outages / (mean of revenue · Σ outages)
//
// over the hours of the week.
func (i *Impact) peak() float64 {
	revenue, outages := i.RevenueByHourOfWeek, i.OutagesByHourOfWeek
	if revenue == nil || outages == nil { // either is even
		return 1
	}
	met, earned, lost := 0.0, 0.0, 0.0
	for h := range revenue {
		met += float64(revenue[h] * outages[h])
		earned += revenue[h]
		lost += outages[h]
	}
	return met / (earned / HoursOfWeek) / lost
}

// The items of a flow.
const (
	avoidedCost     = "avoided internal cost"
	avoidedSalaries = "avoided salaries"
	avoidedOther    = "avoided other internal cost"
	lessOutage      = "availability"
	fasterRecovery  = "faster recovery"
	serviceFees     = "service fees"
	taxes           = "taxes"
)

// grown is the rate of two that come together.
func grown(a, b float64) float64 { return a + b + float64(a*b) }

func (in *inputs) ledger(v variant) *ledger {
	l := &ledger{timing: v.timing}
	once := func(items *[]Item, name string, amount float64, cost bool) {
		if amount != 0 {
			*items = append(*items, Item{name, amount, cost})
		}
	}
	each := func(name string, amount, growth float64, cost bool) *line {
		if amount == 0 {
			return &line{}
		}
		l.each = append(l.each, line{Item: Item{name, amount, cost}, growth: growth})
		return &l.each[len(l.each)-1]
	}
	var prices, salaries, revenue, fees float64
	if v.changes {
		prices, fees = in.Inflation, in.FeeIndexation
		salaries, revenue = grown(prices, in.SalaryGrowth), grown(prices, in.RevenueGrowth)
		l.prices, l.rampUp = prices, in.RampUp
	}
	peak, first := 1.0, 1.0
	if v.hours {
		peak, l.startYear = in.Impact.peak(), in.StartYear
		first = yearShare(l.startYear, 0)
	}
	if v.taxes {
		l.taxRate, l.setup, l.depreciation = in.TaxRate, in.Managed.SetupCosts, in.DepreciationYears*v.timing.Period.perYear()
	}
	once(&l.once, "setup", in.Managed.SetupCosts, true)
	if internal := in.internalCost(); salaries != prices {
		each(avoidedSalaries, internal.SalaryAndBenefits, salaries, false).avoided = true
		each(avoidedOther, internal.TotalAnnualCost-internal.SalaryAndBenefits, prices, false).avoided = true
	} else {
		each(avoidedCost, internal.TotalAnnualCost, prices, false).avoided = true
	}
	if v.impact {
		outage := in.impactValue().DowntimeCostSavings * peak
		each(lessOutage, outage, revenue, false).outage = true
		l.lessOutage = outage * first
		if v.mttrWeight != 0 {
			each(fasterRecovery, in.mttrValue()*v.mttrWeight*peak, revenue, false)
		}
	}
	each(serviceFees, in.Managed.MonthlyServiceFee*12, fees, true)
	each("additional tools", in.Managed.AdditionalToolCosts, prices, true)
	if v.extras {
		once(&l.once, "transition", in.Managed.TransitionCosts, true)
		once(&l.once, "parallel running", in.Managed.ParallelRunningCosts, true)
		if v.impact {
			each("other benefits", in.Impact.OtherAnnualBenefits, prices, false)
		}
		each("service credits", in.Managed.ServiceCredits, fees, false)
		each("retained organisation", in.Managed.RetainedOrganisationCosts, prices, true)
		once(&l.last, "residual value", in.Managed.ResidualValue, false)
		once(&l.last, "exit", in.Managed.ExitCosts, true)
	}
	for _, e := range l.each {
		amount := e.Amount
		if e.outage {
			amount *= first
		}
		if e.Cost {
			amount = -amount
		}
		l.annualNet += amount
	}

	n := in.years * v.timing.Period.perYear()
	buf := make([]float64, 3*(n+1))
	l.benefits, l.costs, l.net = buf[:n+1], buf[n+1:2*n+2], buf[2*n+2:]
	for t := range l.net {
		l.benefits[t], l.costs[t] = totals(l.items(t))
		l.net[t] = l.benefits[t] - l.costs[t]
	}
	return l
}

// changes reports whether growth, inflation or ramp-up make years differ.
func (in *inputs) changes() bool {
	return in.Inflation != 0 || in.RevenueGrowth != 0 || in.SalaryGrowth != 0 || in.FeeIndexation != 0 || len(in.RampUp) > 0
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
	}
	if v.PVCosts > 0 && costs > 0 {
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

// modifiedRate is [MIRR] in percent a year, wherever in their periods the flows are,
//
//	(1+rate) · (PV(positive) / PV(negative))^(1/years) − 1
func (l *ledger) modifiedRate(rate float64) *float64 {
	up, down := make([]float64, len(l.net)), make([]float64, len(l.net))
	for t, a := range l.net {
		up[t], down[t] = max(a, 0), max(-a, 0)
	}
	gained, paid := l.presentValue(up, rate), l.presentValue(down, rate)
	if !(gained > 0 && paid > 0) {
		return nil
	}
	years := (float64(len(l.net)-1) - l.timing.Position.advance()) / float64(l.timing.Period.perYear())
	if years == 0 { // one period, and its flow is at the start
		return nil
	}
	return finiteOrNil(math.Expm1(math.Log1p(rate)+(math.Log(gained)-math.Log(paid))/years) * 100)
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
		f := Flow{Period: t, Amount: l.net[t], Items: l.items(t)}
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
	terms = append(terms, in.hourTerms(l)...)
	if in.MTTRWeight != 0 {
		recovery := Term{"faster_recovery", in.mttrFormula() + " × " + number(in.MTTRWeight), in.mttrValue() * in.MTTRWeight}
		if peak := in.Impact.peak(); peak != 1 {
			recovery.Formula += " × " + number(peak)
			recovery.Value *= peak
		}
		terms = append(terms, recovery)
	}
	var yearly []Item
	for _, e := range l.each {
		if e.outage {
			e.Amount *= yearShare(l.startYear, 0)
		}
		e.Amount /= float64(l.timing.Period.perYear())
		yearly = append(yearly, e.Item)
	}
	level := ""
	if in.changes() || l.startYear != 0 || l.taxRate != 0 {
		level = "in the first year, without ramp-up and taxes: "
	}
	terms = append(terms,
		Term{"start", itemSum(l.items(0)), l.net[0]},
		Term{"net_benefit_per_" + in.Timing.Period.String(), level + itemSum(yearly), l.annualNet / float64(in.Timing.Period.perYear())},
	)
	terms = append(terms, in.rateTerms(l)...)
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

// hourTerms say what an hour of outage costs and how many there are, unless all are alike.
func (in *inputs) hourTerms(l *ledger) []Term {
	var terms []Term
	peak := in.Impact.peak()
	if in.Impact.RevenueByHourOfWeek != nil && in.Impact.OutagesByHourOfWeek != nil {
		terms = append(terms, Term{"outage_at_peak", "Σ revenue × outages / (mean of revenue × Σ outages), over the hours of the week", peak})
	}
	if l.startYear != 0 {
		terms = append(terms, Term{"hours_of_first_year", fmt.Sprintf("days of %d × 24", l.startYear), math.Round(yearShare(l.startYear, 0)*daysInYear) * hoursInDay})
	}
	if terms != nil {
		terms = append(terms, Term{"availability_of_first_year", fmt.Sprintf("%s × %s × %s", number(in.impactValue().DowntimeCostSavings), number(peak), number(yearShare(l.startYear, 0))), l.lessOutage})
	}
	return terms
}

// rateTerms say what inflation and taxes do, where there are any.
func (in *inputs) rateTerms(l *ledger) []Term {
	var terms []Term
	if i := in.Inflation; i != 0 {
		terms = append(terms, Term{"real_discount_rate", fmt.Sprintf("%s / %s − 1", number(1+in.rate), number(1+i)), (1+in.rate)/(1+i) - 1})
	}
	if l.taxRate == 0 {
		return terms
	}
	if in.DepreciationYears > 0 {
		terms = append(terms, Term{"depreciation_per_year", fmt.Sprintf("%s / %d, the rest with the last flow", number(l.setup), in.DepreciationYears), l.setup / float64(in.DepreciationYears)})
	}
	amounts := make([]float64, len(l.net))
	for t := range amounts {
		for _, it := range l.items(t) {
			if it.Name == taxes {
				amounts[t] = it.Amount
			}
		}
	}
	return append(terms, Term{"pv_taxes", number(l.taxRate) + " × (benefits − costs − depreciation) of each period, discounted", l.presentValue(amounts, in.rate)})
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
