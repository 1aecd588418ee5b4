package roi

import "math"

// course is what comes in the periods of a [Point] when they are not alike.
type course struct {
	net            []float64 // by period, 0 is the start
	paid, internal float64   // undiscounted, before taxes
}

// part is something that comes in a year, and by how much it grows.
type part struct{ amount, growth float64 }

// next is the part of the following year.
func (s *part) next() { s.amount *= 1 + s.growth }

// vary values a model whose periods are not alike, one after the other.
func (p *Plan) vary(x *[scalars]float64, years int, payroll, people float64) (Point, error) {
	perYear := p.timing.Period.perYear()
	n, each := years*perYear, 1/float64(perYear)
	hour := x[revenue] * x[multiplier] * p.peak
	prices, fees := x[inflation], x[feeIndexation]
	wages, sales := grown(prices, x[salaryGrowth]), grown(prices, x[revenueGrowth])

	salaries := part{payroll * x[overheadMultiplier], wages}
	team := part{people*x[trainingCost] + x[toolLicensing] + x[infrastructure] + x[recruitment]*people*x[turnover], prices}
	outage := part{downtimeHours(x[currentAvailability])*hour - downtimeHours(x[targetAvailability])*hour, sales}
	recovery := part{x[incidentCount] * (x[currentMTTR] - x[improvedMTTR]) * hour * x[mttrWeight], sales}
	other, credits := part{x[otherBenefits], prices}, part{x[serviceCredits], fees}
	service, beside := part{x[monthlyFee] * 12, fees}, part{x[additionalTools] + x[retained], prices}
	parts := []*part{&salaries, &team, &outage, &recovery, &other, &credits, &service, &beside}

	outlay := x[setupCosts] + x[transition] + x[parallelRunning]
	depreciation, tax := p.depreciation*perYear, x[taxRate]
	relief := tax * (outlay + writeOff(x[setupCosts], depreciation, 0, n))
	pt := Point{
		Outlay: outlay - relief, ExitCosts: x[exitCosts], ResidualValue: x[residualValue], Years: years, Timing: p.timing,
		InternalCost: salaries.amount + team.amount, Costs: service.amount + beside.amount,
		course: &course{net: make([]float64, n+1), paid: outlay},
	}
	pt.Benefits = pt.InternalCost + outage.amount*yearShare(p.startYear, 0) + recovery.amount + other.amount + credits.amount
	pt.course.net[0] = -pt.Outlay
	pt.PVCosts = pt.Outlay

	growth := math.Log1p(x[discountRate]) / float64(perYear)
	step, factor := math.Exp(-growth), math.Exp(-growth*(1-p.timing.Position.advance()))
	for t := 1; t <= n; t++ {
		year := (t - 1) / perYear
		if t > 1 && (t-1)%perYear == 0 {
			for _, s := range parts {
				s.next()
			}
		}
		internal := (salaries.amount + team.amount) * each
		avoided := internal
		if t <= len(p.rampUp) {
			avoided *= p.rampUp[t-1]
		}
		benefits := avoided + (outage.amount*yearShare(p.startYear, year)+recovery.amount+other.amount+credits.amount)*each
		costs := (service.amount + beside.amount) * each
		if t == n {
			risen := math.Pow(1+prices, float64(year))
			benefits += x[residualValue] * risen
			costs += x[exitCosts] * risen
		}
		taxed := 0.0
		if tax != 0 {
			taxed = tax * (benefits - costs - writeOff(x[setupCosts], depreciation, t, n))
		}
		pt.course.net[t] = benefits - (costs + taxed)
		pt.course.paid += costs
		pt.course.internal += internal
		pt.PVInternalCost += internal * factor
		pt.PVBenefits += benefits * factor
		pt.PVCosts += (costs + taxed) * factor
		pt.NPV += pt.course.net[t] * factor
		factor *= step
	}
	pt.NPV -= pt.Outlay
	if !isFinite(pt.NPV) || !isFinite(pt.PVBenefits) || !isFinite(pt.PVCosts) {
		return Point{}, ErrOverflow
	}
	return pt, nil
}
