package roi

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// FieldError is one unusable field of a [Model].
type FieldError struct {
	Path  string // as in the model file, such as "impact.revenue_per_hour"
	Value string
	Want  string
}

// Error says which field is wrong and what is wanted.
func (e *FieldError) Error() string {
	return e.Path + ": " + strconv.Quote(e.Value) + ", want " + e.Want
}

// Validate checks every field and returns all problems joined, each a
// [*FieldError], in the order of the model file; nil when there is none.
// [Evaluate], [AsPublished], [Sound] and [Sensitivity] call it first.
func (m Model) Validate() error {
	var errs []error
	bad := func(path, value, want string) {
		errs = append(errs, &FieldError{Path: path, Value: value, Want: want})
	}
	check := func(path string, v float64, l limit) {
		if err := l.check(path, v); err != nil {
			errs = append(errs, err)
		}
	}
	if m.Currency != "" && !isCurrency(m.Currency) {
		bad("currency", m.Currency, "three capital letters (ISO 4217)")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Internal.AnnualSalaries)) {
		check(salaryPath+name, m.Internal.AnnualSalaries[name], nonNegative)
	}
	for _, f := range fields {
		if v, ok := f.get(&m); ok {
			check(f.path, v, f.limit)
		}
	}
	if m.Years != nil && (*m.Years < 1 || *m.Years > MaxYears) {
		bad("years", strconv.Itoa(*m.Years), "1 to "+strconv.Itoa(MaxYears))
	}
	if m.Method < 0 || int(m.Method) >= len(methodNames) {
		bad("method", m.Method.String(), strings.Join(methodNames, ", "))
	}
	if m.Timing.Period < 0 || int(m.Timing.Period) >= len(periodNames) {
		bad("timing.period", m.Timing.Period.String(), strings.Join(periodNames, ", "))
	}
	if m.Timing.Position < 0 || int(m.Timing.Position) >= len(positionNames) {
		bad("timing.position", m.Timing.Position.String(), strings.Join(positionNames, ", "))
	}
	if m.DepreciationYears < 0 || m.DepreciationYears > MaxYears {
		bad("depreciation_years", strconv.Itoa(m.DepreciationYears), "0 to "+strconv.Itoa(MaxYears))
	}
	if m.StartYear < 0 || m.StartYear > maxStartYear {
		bad("start_year", strconv.Itoa(m.StartYear), "a year from 1 to 9999")
	}
	for _, week := range []struct {
		path    string
		weights []float64
	}{
		{"impact.revenue_by_hour_of_week", m.Impact.RevenueByHourOfWeek},
		{"impact.outages_by_hour_of_week", m.Impact.OutagesByHourOfWeek},
	} {
		total := 0.0
		for i, v := range week.weights {
			check(week.path+"["+strconv.Itoa(i)+"]", v, weight)
			total += v
		}
		switch n := len(week.weights); {
		case n > 0 && n != HoursOfWeek:
			bad(week.path, strconv.Itoa(n)+" weights", strconv.Itoa(HoursOfWeek)+", from Monday 00:00 on")
		case n > 0 && total == 0:
			bad(week.path, "0 in all hours", "a weight above 0")
		}
	}
	for i, v := range m.RampUp {
		check("ramp_up["+strconv.Itoa(i)+"]", v, share)
	}
	in := m.resolve()
	for _, r := range in.roles {
		check(staffingPath+r.name, r.count, nonNegative)
		if m.Strict && !r.paid && r.count > 0 {
			bad(salaryPath+r.name, "", "a salary, as the role is staffed and the model strict")
		}
	}
	for i := range m.Conversions {
		f, problems := in.conversion(i)
		if len(problems) > 0 {
			errs = append(errs, problems...)
			continue
		}
		if v, _ := f.get(&m); v != m.Conversions[i].value() {
			bad(f.path, exact(v), exact(m.Conversions[i].value())+", as Converted puts in for conversions["+strconv.Itoa(i)+"]")
		}
	}
	for i, name := range m.ShiftRoles {
		if !in.staffed(name) || slices.Contains(m.ShiftRoles[:i], name) {
			bad("shift_roles["+strconv.Itoa(i)+"]", name, "a staffed role, once")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Sensitivity)) {
		f, ok := in.field(name)
		path := "sensitivity." + name
		switch values := m.Sensitivity[name]; {
		case !ok:
			bad(path, name, "the name of a numeric field or a role of the team")
		case len(values) != 2:
			bad(path, strconv.Itoa(len(values))+" values", "two, the low and the high one")
		default:
			check(path+"[0]", values[0], f.limit)
			check(path+"[1]", values[1], f.limit)
		}
	}
	return errors.Join(errs...)
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

const (
	salaryPath   = "internal.annual_salaries."
	staffingPath = "staffing."
)

// A limit is a condition on a number, with the words for an error.
type limit struct {
	lo, hi float64 // both included
	want   string
}

// check returns a [*FieldError] for a number outside of the limit.
func (l limit) check(path string, v float64) error {
	if v >= l.lo && v <= l.hi { // false for NaN
		return nil
	}
	return &FieldError{Path: path, Value: exact(v), Want: l.want}
}

// exact writes a number with all its digits.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

var (
	anyFinite   = limit{-math.MaxFloat64, math.MaxFloat64, "a finite number"}
	nonNegative = limit{0, math.MaxFloat64, "a finite number >= 0"}
	positive    = limit{math.SmallestNonzeroFloat64, math.MaxFloat64, "a finite number > 0"}
	percentage  = limit{0, 100, "a percentage from 0 to 100"}
	share       = limit{0, 1, "a ratio from 0 to 1"}
	belowAll    = limit{0, 0.99, "a ratio from 0 to 0.99"} // where all is taxed away every value breaks even
	weight      = limit{0, 1e15, "a number from 0 to 1e15"}
	aboveMinus1 = limit{lowestRate, math.MaxFloat64, "a finite ratio > -1"}
)

// A field is a number of the model that can be checked and varied by name.
type field struct {
	path  string
	limit limit
	get   func(*Model) (v float64, ok bool) // ok is false where the default stands
	set   func(*Model, float64)
	// amount says that it is money.
	amount bool
}

func plainField(path string, l limit, at func(*Model) *float64) field {
	return field{
		path:  path,
		limit: l,
		get:   func(m *Model) (float64, bool) { return *at(m), true },
		set:   func(m *Model, v float64) { *at(m) = v },
	}
}

func amountField(path string, l limit, at func(*Model) *float64) field {
	f := plainField(path, l, at)
	f.amount = true
	return f
}

func optionalField(path string, l limit, at func(*Model) **float64) field {
	return field{
		path:  path,
		limit: l,
		get: func(m *Model) (float64, bool) {
			if p := *at(m); p != nil {
				return *p, true
			}
			return 0, false
		},
		set: func(m *Model, v float64) { *at(m) = &v },
	}
}

var fields = []field{
	plainField("internal.overhead_multiplier", nonNegative, func(m *Model) *float64 { return &m.Internal.OverheadMultiplier }),
	amountField("internal.training_cost_per_person", nonNegative, func(m *Model) *float64 { return &m.Internal.TrainingCostPerPerson }),
	amountField("internal.tool_licensing_costs", nonNegative, func(m *Model) *float64 { return &m.Internal.ToolLicensingCosts }),
	amountField("internal.infrastructure_costs", nonNegative, func(m *Model) *float64 { return &m.Internal.InfrastructureCosts }),
	amountField("internal.recruitment_costs", nonNegative, func(m *Model) *float64 { return &m.Internal.RecruitmentCosts }),
	amountField("managed.monthly_service_fee", nonNegative, func(m *Model) *float64 { return &m.Managed.MonthlyServiceFee }),
	amountField("managed.setup_costs", nonNegative, func(m *Model) *float64 { return &m.Managed.SetupCosts }),
	amountField("managed.additional_tool_costs", nonNegative, func(m *Model) *float64 { return &m.Managed.AdditionalToolCosts }),
	plainField("managed.contract_length_months", positive, func(m *Model) *float64 { return &m.Managed.ContractLengthMonths }),
	amountField("managed.transition_costs", nonNegative, func(m *Model) *float64 { return &m.Managed.TransitionCosts }),
	amountField("managed.parallel_running_costs", nonNegative, func(m *Model) *float64 { return &m.Managed.ParallelRunningCosts }),
	amountField("managed.retained_organisation_costs", nonNegative, func(m *Model) *float64 { return &m.Managed.RetainedOrganisationCosts }),
	amountField("managed.exit_costs", nonNegative, func(m *Model) *float64 { return &m.Managed.ExitCosts }),
	amountField("managed.residual_value", nonNegative, func(m *Model) *float64 { return &m.Managed.ResidualValue }),
	amountField("managed.service_credits", nonNegative, func(m *Model) *float64 { return &m.Managed.ServiceCredits }),
	amountField("impact.revenue_per_hour", nonNegative, func(m *Model) *float64 { return &m.Impact.RevenuePerHour }),
	plainField("impact.downtime_cost_multiplier", nonNegative, func(m *Model) *float64 { return &m.Impact.DowntimeCostMultiplier }),
	plainField("impact.current_mttr_hours", nonNegative, func(m *Model) *float64 { return &m.Impact.CurrentMTTRHours }),
	plainField("impact.improved_mttr_hours", nonNegative, func(m *Model) *float64 { return &m.Impact.ImprovedMTTRHours }),
	plainField("impact.current_availability_percent", percentage, func(m *Model) *float64 { return &m.Impact.CurrentAvailabilityPercent }),
	plainField("impact.target_availability_percent", percentage, func(m *Model) *float64 { return &m.Impact.TargetAvailabilityPercent }),
	amountField("impact.other_annual_benefits", anyFinite, func(m *Model) *float64 { return &m.Impact.OtherAnnualBenefits }),
	optionalField("discount_rate", aboveMinus1, func(m *Model) **float64 { return &m.DiscountRate }),
	optionalField("annual_turnover", nonNegative, func(m *Model) **float64 { return &m.AnnualTurnover }),
	optionalField("incidents_per_year", nonNegative, func(m *Model) **float64 { return &m.IncidentsPerYear }),
	plainField("mttr_weight", share, func(m *Model) *float64 { return &m.MTTRWeight }),
	plainField("inflation", aboveMinus1, func(m *Model) *float64 { return &m.Inflation }),
	plainField("revenue_growth", aboveMinus1, func(m *Model) *float64 { return &m.RevenueGrowth }),
	plainField("salary_growth", aboveMinus1, func(m *Model) *float64 { return &m.SalaryGrowth }),
	plainField("fee_indexation", aboveMinus1, func(m *Model) *float64 { return &m.FeeIndexation }),
	plainField("tax_rate", belowAll, func(m *Model) *float64 { return &m.TaxRate }),
}

// field finds a number of the model by its path or by its last part, including
// the salary of a role ("annual_salaries.manager") and its head count
// ("staffing.manager").
func (in *inputs) field(name string) (field, bool) {
	for _, f := range fields {
		if f.path == name || f.path[strings.LastIndexByte(f.path, '.')+1:] == name {
			return f, true
		}
	}
	if role, ok := strings.CutPrefix(strings.TrimPrefix(name, "internal."), "annual_salaries."); ok && in.staffed(role) {
		return mapField(salaryPath+role, role, func(m *Model) *map[string]float64 { return &m.Internal.AnnualSalaries }), true
	}
	if role, ok := strings.CutPrefix(name, staffingPath); ok && in.staffed(role) {
		return mapField(name, role, func(m *Model) *map[string]float64 { return &m.Staffing }), true
	}
	return field{}, false
}

// staffed reports whether the internal team has the role.
func (in *inputs) staffed(name string) bool {
	return slices.ContainsFunc(in.roles, func(r role) bool { return r.name == name })
}

// mapField reaches an entry of a map. Setting replaces the map: the model that
// it was copied from keeps its own.
func mapField(path, key string, at func(*Model) *map[string]float64) field {
	return field{
		path:   path,
		limit:  nonNegative,
		amount: strings.HasPrefix(path, salaryPath),
		get:    func(m *Model) (float64, bool) { v, ok := (*at(m))[key]; return v, ok },
		set: func(m *Model, v float64) {
			entries := maps.Clone(*at(m))
			if entries == nil && strings.HasPrefix(path, staffingPath) {
				entries = DefaultStaffing()
			}
			if entries == nil {
				entries = map[string]float64{}
			}
			entries[key] = v
			*at(m) = entries
		},
	}
}
