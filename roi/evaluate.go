package roi

import (
	"maps"
	"slices"
	"strconv"
)

// Result is what [Evaluate] returns. Fields that the method of the model leaves
// out are nil or empty.
type Result struct {
	Currency string `json:"currency,omitempty"`
	// AsPublished and Sound are the two results from the same inputs.
	AsPublished *Published `json:"as_published"`
	Sound       *Valuation `json:"sound"`
	// CashFlows are the amounts of the flows of Sound, the start first.
	CashFlows []float64 `json:"cash_flows"`
	// Bridge leads from AsPublished to Sound.
	Bridge   []BridgeStep `json:"bridge"`
	Warnings []Warning    `json:"warnings"`
	// Assumptions are the inputs that were not stated, or that deserve a
	// remark.
	Assumptions []Assumption `json:"assumptions"`
	// Sensitivity holds the swings that the model asks for.
	Sensitivity []Swing `json:"sensitivity,omitempty"`
}

// Assumption is an input that a reader should know of.
type Assumption struct {
	Path  string `json:"path"` // as in the model file
	Value string `json:"value"`
	Given bool   `json:"given"` // false for a default
	Note  string `json:"note,omitempty"`
}

// Evaluate calculates the results that the model asks for, the bridge between
// them, and warnings for every defect that touches a figure. It is a pure
// function of the model, and the order of everything in the result is fixed.
//
// The error is that of [Model.Validate] or [ErrOverflow].
func Evaluate(m Model) (*Result, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	in := m.resolve()
	res := &Result{Currency: m.Currency, CashFlows: []float64{}, Bridge: []BridgeStep{}, Assumptions: in.assumptions()}
	if m.Method != MethodSound {
		p, err := in.published()
		if err != nil {
			return nil, err
		}
		p.Terms = in.publishedTerms(&p)
		res.AsPublished = &p
	}
	if m.Method != MethodAsPublished {
		v, err := in.sound()
		if err != nil {
			return nil, err
		}
		res.Sound = &v
		for _, f := range v.Flows {
			res.CashFlows = append(res.CashFlows, f.Amount)
		}
		if res.Sensitivity, err = in.sensitivity(); err != nil {
			return nil, err
		}
	}
	if m.Method == MethodBoth {
		var err error
		if res.Bridge, err = in.bridge(res.AsPublished); err != nil {
			return nil, err
		}
	}
	res.Warnings = in.warnings(res.AsPublished, res.Sound)
	return res, nil
}

func (in *inputs) assumptions() []Assumption {
	var list []Assumption
	add := func(path, value string, given bool, note string) {
		list = append(list, Assumption{path, value, given, note})
	}
	add("years", strconv.Itoa(in.years), in.Years != nil, "")
	add("discount_rate", number(in.rate), in.DiscountRate != nil, "effective, per year")
	add("timing", in.Timing.Position.String()+" of "+in.Timing.Period.String(), in.Timing != (Timing{}), "sound model only")
	for _, r := range in.roles {
		add(staffingPath+r.name, number(r.count), in.Staffing != nil, "")
	}
	add("annual_turnover", number(in.turnover), in.AnnualTurnover != nil, "")
	add("incidents_per_year", number(in.incidents), in.IncidentsPerYear != nil, "")
	note := "sound model: recovery of degraded service is worth this share of an outage's"
	if in.MTTRWeight == 0 {
		note = "sound model: faster recovery is not counted beside availability"
	}
	add("mttr_weight", number(in.MTTRWeight), in.MTTRWeight != 0, note)
	for _, g := range []struct {
		path, of string
		rate     float64
	}{
		{"inflation", "all prices but those of the contract", in.Inflation},
		{"revenue_growth", "revenue per hour", in.RevenueGrowth},
		{"salary_growth", "salaries", in.SalaryGrowth},
		{"fee_indexation", "service fees", in.FeeIndexation},
	} {
		if g.rate != 0 {
			add(g.path, number(g.rate), true, "sound model: "+g.of+", per year after the first")
		}
	}
	for i := range in.Conversions {
		f, _ := in.field(in.Conversions[i].Path)
		add(f.path, in.Conversions[i].explain(in.Currency), true, "converted at the rate of the date")
	}
	for i, s := range in.RampUp {
		add("ramp_up["+strconv.Itoa(i)+"]", number(s), true, "sound model: share of the internal cost that is avoided in period "+strconv.Itoa(i+1))
	}
	if in.TaxRate != 0 {
		add("tax_rate", number(in.TaxRate), true, "sound model: losses are relieved at once")
		add("depreciation_years", strconv.Itoa(in.DepreciationYears), in.DepreciationYears != 0, "sound model: of setup; 0 is at the start")
	}
	if in.StartYear != 0 {
		add("start_year", strconv.Itoa(in.StartYear), true, "sound model: leap years have 8784 hours")
	} else {
		add("hours_per_year", number(daysInYear*hoursInDay), false, "also in leap years")
	}
	for _, week := range []struct {
		path, of string
		weights  []float64
	}{
		{"impact.revenue_by_hour_of_week", "revenue", in.Impact.RevenueByHourOfWeek},
		{"impact.outages_by_hour_of_week", "hours of outage", in.Impact.OutagesByHourOfWeek},
	} {
		if week.weights != nil {
			add(week.path, strconv.Itoa(len(week.weights))+" weights", true, "sound model: "+week.of)
		}
	}
	if (in.Impact.RevenueByHourOfWeek == nil) != (in.Impact.OutagesByHourOfWeek == nil) {
		add("hour_of_week", "no effect", false, "sound model: revenue or outages alone; the other is even over the week")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Internal.AnnualSalaries)) {
		if !in.staffed(name) {
			add(salaryPath+name, number(in.Internal.AnnualSalaries[name]), true, "the role is not staffed: the salary is not used")
		}
	}
	if in.Internal.OverheadMultiplier == 0 {
		add("internal.overhead_multiplier", "0", true, "salaries cost nothing")
	}
	if in.Impact.DowntimeCostMultiplier == 0 && in.Impact.RevenuePerHour > 0 {
		add("impact.downtime_cost_multiplier", "0", true, "outages cost nothing")
	}
	return list
}
