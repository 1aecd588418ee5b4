package roi

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Plan is the sound model of a [Model] with some of its numbers left open. It
// answers for any values of these what [Sound] would say of the model with the
// values put in, in tens of nanoseconds instead of microseconds: where the flows of
// the model are alike from period to period, present values are sums of a few
// products with two discount factors. With growth, inflation, ramp-up, taxes or
// years of the calendar every period is valued, which takes as many times longer as
// there are periods. The two agree to 1e-12 of the sum of benefits and costs.
//
// A Plan does not change and may be used concurrently.
type Plan struct {
	base    [scalars]float64
	years   int
	timing  Timing
	fields  []field
	open    []opening  // of the fields
	roles   []openRole // those with an open salary or head count
	payroll float64    // salaries × head counts of all other roles
	people  float64    // their head count
	factors factors    // if neither rate nor horizon is open
	fixed   bool       // they are not

	peak         float64 // of an hour of outage
	varies       bool    // periods are not alike
	rampUp       []float64
	depreciation int // years
	startYear    int
}

// Point is the sound model at some values of the open numbers of a [Plan].
type Point struct {
	NPV        float64
	PVBenefits float64
	PVCosts    float64
	// PVInternalCost is what the internal team costs, a part of PVBenefits unless
	// a ramp-up avoids less of it.
	PVInternalCost float64

	// Outlay is paid at the start, net of the taxes that it relieves; ExitCosts are
	// paid and ResidualValue comes back at the end. The others are amounts of the
	// first year, before taxes and without ramp-up. InternalCost is a part of Benefits.
	Outlay, ExitCosts, ResidualValue float64
	Benefits, Costs, InternalCost    float64

	Years  int
	Timing Timing

	course *course // nil where periods are alike
}

// scalar is the place of a number in the calculation.
type scalar int

const (
	overheadMultiplier scalar = iota
	trainingCost
	toolLicensing
	infrastructure
	recruitment
	monthlyFee
	setupCosts
	additionalTools
	contractLength // of no effect on the sound model
	transition
	parallelRunning
	retained
	exitCosts
	serviceCredits
	revenue
	multiplier
	currentMTTR
	improvedMTTR
	currentAvailability
	targetAvailability
	otherBenefits
	discountRate
	turnover
	incidentCount
	mttrWeight
	residualValue
	inflation
	revenueGrowth
	salaryGrowth
	feeIndexation
	taxRate
	scalars
)

var scalarPaths = [scalars]string{
	overheadMultiplier:  "internal.overhead_multiplier",
	trainingCost:        "internal.training_cost_per_person",
	toolLicensing:       "internal.tool_licensing_costs",
	infrastructure:      "internal.infrastructure_costs",
	recruitment:         "internal.recruitment_costs",
	monthlyFee:          "managed.monthly_service_fee",
	setupCosts:          "managed.setup_costs",
	additionalTools:     "managed.additional_tool_costs",
	contractLength:      "managed.contract_length_months",
	transition:          "managed.transition_costs",
	parallelRunning:     "managed.parallel_running_costs",
	retained:            "managed.retained_organisation_costs",
	exitCosts:           "managed.exit_costs",
	serviceCredits:      "managed.service_credits",
	revenue:             "impact.revenue_per_hour",
	multiplier:          "impact.downtime_cost_multiplier",
	currentMTTR:         "impact.current_mttr_hours",
	improvedMTTR:        "impact.improved_mttr_hours",
	currentAvailability: "impact.current_availability_percent",
	targetAvailability:  "impact.target_availability_percent",
	otherBenefits:       "impact.other_annual_benefits",
	discountRate:        "discount_rate",
	turnover:            "annual_turnover",
	incidentCount:       "incidents_per_year",
	mttrWeight:          "mttr_weight",
	residualValue:       "managed.residual_value",
	inflation:           "inflation",
	revenueGrowth:       "revenue_growth",
	salaryGrowth:        "salary_growth",
	feeIndexation:       "fee_indexation",
	taxRate:             "tax_rate",
}

// opening is what [Plan.At] has to know of an open number.
type opening struct {
	lo, hi float64
	scalar scalar // or one of the two below
}

const (
	ofRole    scalar = -1 // placed by an openRole
	ofHorizon scalar = -2
)

// openRole is a role with open numbers. The indices are those of the openings, -1
// where the model has the value.
type openRole struct {
	salary, count     float64
	salaryAt, countAt int
}

// Compile prepares a model for many valuations with other values of the numbers
// at the paths (see [Model.With] for their names).
//
// Errors are those of [Model.Validate], and a [*FieldError] for each path that is
// unknown or given twice.
func Compile(m Model, paths ...string) (*Plan, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	in := m.resolve()
	p := &Plan{
		years: in.years, timing: m.Timing, fixed: true, peak: in.Impact.peak(),
		varies: in.changes() || in.TaxRate != 0 || in.StartYear != 0,
		rampUp: slices.Clone(in.RampUp), depreciation: in.DepreciationYears, startYear: in.StartYear,
	}
	for s, path := range scalarPaths {
		f, err := in.input(path)
		if err != nil {
			return nil, err
		}
		p.base[s] = in.number(f)
	}
	var bad []error
	at := map[string]int{}
	for i, name := range paths {
		f, err := in.input(name)
		if _, twice := at[f.path]; err == nil && twice {
			err = &FieldError{Path: f.path, Value: name, Want: "each input once"}
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		at[f.path] = i
		o := opening{lo: f.limit.lo, hi: f.limit.hi, scalar: ofRole}
		for s, path := range scalarPaths {
			if path == f.path {
				o.scalar = scalar(s)
			}
		}
		if f.path == yearsPath {
			o.scalar = ofHorizon
		}
		if o.scalar >= inflation && o.scalar <= taxRate {
			p.varies = true
		}
		if o.scalar == ofHorizon || o.scalar == discountRate {
			p.fixed = false
		}
		p.fields, p.open = append(p.fields, f), append(p.open, o)
	}
	if err := errors.Join(bad...); err != nil {
		return nil, err
	}
	for _, r := range in.roles {
		salaryAt, salaryOpen := at[salaryPath+r.name]
		countAt, countOpen := at[staffingPath+r.name]
		if !salaryOpen && !countOpen {
			p.payroll += r.salary * r.count
			p.people += r.count
			continue
		}
		open := openRole{r.salary, r.count, -1, -1}
		if salaryOpen {
			open.salaryAt = salaryAt
		}
		if countOpen {
			open.countAt = countAt
		}
		p.roles = append(p.roles, open)
	}
	if p.fixed {
		p.factors = newFactors(p.base[discountRate], p.years, p.timing)
	}
	return p, nil
}

// Paths returns the paths of the open numbers in the order of their values. The
// slice is the caller's.
func (p *Plan) Paths() []string {
	paths := make([]string, len(p.open))
	for i := range p.fields {
		paths[i] = p.fields[i].path
	}
	return paths
}

// Limits returns the least and the greatest value that the i-th open number may
// have, both included.
func (p *Plan) Limits(i int) (lo, hi float64) {
	return p.open[i].lo, p.open[i].hi
}

// At values the model with the values put in, one for each open number in the
// order of the paths. It allocates nothing where periods are alike and there is no
// error: a [*FieldError] for a value that its number may not have (NaN, or a rate of -1 or
// less), [ErrOverflow], and an error that wraps [ErrValues] for a wrong number
// of them.
func (p *Plan) At(values []float64) (Point, error) {
	if len(values) != len(p.open) {
		return Point{}, fmt.Errorf("%w: %d, want %d", ErrValues, len(values), len(p.open))
	}
	x, years := p.base, p.years
	for i, v := range values {
		o := &p.open[i]
		if !(v >= o.lo && v <= o.hi) || o.scalar == ofHorizon && v != math.Trunc(v) {
			return Point{}, p.fields[i].admit(v)
		}
		switch {
		case o.scalar >= 0:
			x[o.scalar] = v
		case o.scalar == ofHorizon:
			years = int(v)
		}
	}
	payroll, people := p.payroll, p.people
	for _, r := range p.roles {
		if r.salaryAt >= 0 {
			r.salary = values[r.salaryAt]
		}
		if r.countAt >= 0 {
			r.count = values[r.countAt]
		}
		payroll += r.salary * r.count
		people += r.count
	}
	if p.varies {
		return p.vary(&x, years, payroll, people)
	}
	f := p.factors
	if !p.fixed {
		f = newFactors(x[discountRate], years, p.timing)
	}

	pt := Point{
		Outlay: x[setupCosts] + x[transition] + x[parallelRunning], ExitCosts: x[exitCosts], ResidualValue: x[residualValue], Years: years, Timing: p.timing,
	}
	pt.InternalCost = payroll*x[overheadMultiplier] + people*x[trainingCost] + x[toolLicensing] + x[infrastructure] + x[recruitment]*people*x[turnover]
	hour := x[revenue] * x[multiplier] * p.peak
	pt.Benefits = pt.InternalCost + (downtimeHours(x[currentAvailability])*hour - downtimeHours(x[targetAvailability])*hour) +
		x[incidentCount]*(x[currentMTTR]-x[improvedMTTR])*hour*x[mttrWeight] + x[otherBenefits] + x[serviceCredits]
	pt.Costs = x[monthlyFee]*12 + x[additionalTools] + x[retained]
	pt.PVInternalCost = pt.InternalCost * f.yearly
	pt.PVBenefits = pt.Benefits*f.yearly + pt.ResidualValue*f.last
	pt.PVCosts = pt.Outlay + pt.Costs*f.yearly + pt.ExitCosts*f.last
	pt.NPV = (pt.Benefits-pt.Costs)*f.yearly - pt.Outlay + (pt.ResidualValue-pt.ExitCosts)*f.last
	if !isFinite(pt.NPV) || !isFinite(pt.PVBenefits) || !isFinite(pt.PVCosts) {
		return Point{}, ErrOverflow
	}
	return pt, nil
}

// factors turn amounts into present values: that of every year, spread over its
// periods, and one with the last flow.
type factors struct{ yearly, last float64 }

// newFactors sums the geometric series in closed form,
//
//	Σ x^t, t = 0..n-1 = (1 − x^n) / (1 − x)    x = (1+rate)^(−1/periods per year)
//
// with expm1, which keeps all digits where the rate is small.
func newFactors(rate float64, years int, timing Timing) factors {
	perYear := float64(timing.Period.perYear())
	growth, n := math.Log1p(rate)/perYear, float64(years)*perYear
	series := n
	if growth != 0 {
		series = math.Expm1(-growth*n) / math.Expm1(-growth)
	}
	advance := timing.Position.advance()
	return factors{
		yearly: series * math.Exp(-growth*(1-advance)) / perYear,
		last:   math.Exp(-growth * (n - advance)),
	}
}

// ROI is the net present value per unit of the present value of what is paid; ok
// is false when nothing is.
func (pt *Point) ROI() (ratio float64, ok bool) {
	ratio = (pt.PVBenefits - pt.PVCosts) / pt.PVCosts
	return ratio, pt.PVCosts > 0 && isFinite(ratio)
}

// Savings is the share of the internal cost that is saved over the horizon, with
// everything counted that is paid for the service, undiscounted: 0.4 for 40 %
// lower cost. It is negative when the service costs more; ok is false when the
// internal team costs nothing.
func (pt *Point) Savings() (ratio float64, ok bool) {
	paid, internal := pt.Totals()
	ratio = 1 - paid/internal
	return ratio, pt.InternalCost > 0 && isFinite(ratio)
}

// Totals are what is paid for the service over the horizon and what the internal team
// would cost, undiscounted and before taxes.
func (pt *Point) Totals() (paid, internal float64) {
	if pt.course != nil {
		return pt.course.paid, pt.course.internal
	}
	years := float64(pt.Years)
	return pt.Outlay + pt.Costs*years + pt.ExitCosts, pt.InternalCost * years
}

// Payback is the time in years from the start at which the cumulated flows first
// reach zero, as [Payback] interpolates it; ok is false for never.
func (pt *Point) Payback() (years float64, ok bool) {
	if pt.Outlay <= 0 {
		return 0, true
	}
	perYear := float64(pt.Timing.Period.perYear())
	if pt.course != nil {
		r, err := Payback(pt.course.net)
		return r.Periods / perYear, err == nil && r.Reached
	}
	n, each := float64(pt.Years)*perYear, (pt.Benefits-pt.Costs)/perYear
	if periods := pt.Outlay / each; each > 0 && periods <= n-1 {
		return periods / perYear, true
	}
	before, last := (n-1)*each-pt.Outlay, each-pt.ExitCosts+pt.ResidualValue
	if before+last < 0 || last <= 0 {
		return 0, false
	}
	return (n - 1 - before/last) / perYear, true
}

// Cumulated is the sum of the flows until so many years from the start, at most the
// horizon, linear inside a period: it is zero at [Point.Payback].
func (pt *Point) Cumulated(years float64) float64 {
	perYear := float64(pt.Timing.Period.perYear())
	n, periods := float64(pt.Years)*perYear, years*perYear
	if pt.course == nil {
		each := (pt.Benefits - pt.Costs) / perYear
		return each*periods - pt.Outlay + (pt.ResidualValue-pt.ExitCosts)*max(0, periods-(n-1))
	}
	sum := 0.0
	for t, a := range pt.course.net {
		if part := periods - float64(t-1); t > 0 && part < 1 {
			a *= max(0, part)
		}
		sum += a
	}
	return sum
}

// HasIRR reports whether any rate makes the present value zero. The signs of the
// flows decide it in most cases; else it takes the time of [IRR].
func (pt *Point) HasIRR() bool {
	n, each := pt.Years*pt.Timing.Period.perYear(), (pt.Benefits-pt.Costs)/float64(pt.Timing.Period.perYear())
	last := each - pt.ExitCosts + pt.ResidualValue
	begin := pt.Timing.Position == AtBegin
	signs := []float64{-pt.Outlay, each, last}
	switch {
	case pt.course != nil && begin:
		signs = append([]float64{pt.course.net[0] + pt.course.net[1]}, pt.course.net[2:]...)
	case pt.course != nil:
		signs = pt.course.net
	case begin && n == 1:
		signs = []float64{last - pt.Outlay}
	case begin && n == 2:
		signs = []float64{each - pt.Outlay, last}
	case begin:
		signs[0] += each
	case n == 1:
		signs[1] = 0
	}
	changes, first, before := 0, 0.0, 0.0
	for _, v := range signs {
		switch {
		case v == 0:
		case first == 0:
			first, before = v, v
		case (v < 0) != (before < 0):
			changes, before = changes+1, v
		}
	}
	if changes < 2 {
		return changes == 1
	}
	// Beyond all roots the present value has the sign of the first flow.
	if pt.NPV == 0 || (pt.NPV < 0) != (first < 0) {
		return true
	}
	l := ledger{timing: pt.Timing}
	if pt.course != nil {
		l.net = pt.course.net
	} else {
		l.net = make([]float64, n+1)
		l.net[0] = -pt.Outlay
		for t := 1; t < n; t++ {
			l.net[t] = each
		}
		l.net[n] = last
	}
	var v Valuation
	l.findRates(&v)
	return len(v.IRR.Roots) > 0
}
