package roi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Defaults of a [Model]. They are the values of the published calculator.
const (
	DefaultYears            = 3
	DefaultDiscountRate     = 0.08
	DefaultIncidentsPerYear = 120 // ten a month
	DefaultAnnualTurnover   = 0.2 // a fifth of the staff is replaced every year
)

// MaxYears is the longest horizon that a [Model] may have.
const MaxYears = 100

// HoursOfWeek is how many hours a week has.
const HoursOfWeek = 7 * hoursInDay

// A Model holds what is known about two ways to run operations around the clock,
// an internal team and a managed service, and about what outages cost. Amounts
// are in one currency and per year unless the name says otherwise, rates are
// ratios. Only the three blocks are required; a nil pointer or a zero value of
// the other fields stands for its default. The JSON form is that of model files.
type Model struct {
	// Currency is the ISO 4217 code printed with amounts. It is a label but for
	// Conversions.
	Currency string `json:"currency,omitempty"`
	// Conversions are the amounts that are stated in another currency; see
	// [Model.Converted]. Defaults to none.
	Conversions []Conversion `json:"conversions,omitempty"`

	Internal Internal `json:"internal"`
	Managed  Managed  `json:"managed"`
	Impact   Impact   `json:"impact"`

	// Years is the horizon, 1 to [MaxYears]. Defaults to [DefaultYears].
	Years *int `json:"years,omitempty"`
	// DiscountRate is the effective annual rate. Defaults to
	// [DefaultDiscountRate]; to calculate without interest, point to 0.
	DiscountRate *float64 `json:"discount_rate,omitempty"`
	// Method chooses the results of [Evaluate]. Defaults to [MethodBoth].
	Method Method `json:"method,omitempty"`
	// Timing says when the flows of the sound model arrive. Defaults to the
	// end of each year.
	Timing Timing `json:"timing,omitzero"`
	// Staffing is the head count of the internal team by role. Defaults to
	// the twelve people of [DefaultStaffing].
	Staffing map[string]float64 `json:"staffing,omitempty"`
	// ShiftRoles are the roles that are meant to be present around the clock;
	// each needs the staff of one seat. Defaults to those of
	// [DefaultShiftRoles] that are staffed.
	ShiftRoles []string `json:"shift_roles,omitempty"`
	// AnnualTurnover is the share of the staff that is recruited anew every
	// year. Defaults to [DefaultAnnualTurnover].
	AnnualTurnover *float64 `json:"annual_turnover,omitempty"`
	// IncidentsPerYear defaults to [DefaultIncidentsPerYear].
	IncidentsPerYear *float64 `json:"incidents_per_year,omitempty"`
	// MTTRWeight is the impact, as a share of an outage's, that the time to
	// recover has on degraded service, 0 to 1. The default 0 counts outages
	// by availability alone; 1 counts every incident hour as an outage, as
	// the published calculator does.
	MTTRWeight float64 `json:"mttr_weight,omitempty"`
	// Inflation is how much prices rise in a year, a ratio above -1, for the
	// sound model only. Amounts are at the prices of the first year, and each
	// later year's are higher by it, those at the end too. What is in a contract
	// is not: fees and credits follow FeeIndexation alone. DiscountRate is
	// nominal then; without inflation everything may be in real terms instead.
	// Defaults to 0.
	Inflation float64 `json:"inflation,omitempty"`
	// RevenueGrowth, SalaryGrowth and FeeIndexation are ratios per year above
	// -1, for the sound model only: the first year is at the stated level, each
	// later one is more by that share. The first moves what outages cost, the
	// second salaries with what is on top of them, both beside inflation, the
	// third fees and credits. Defaults to 0, amounts that stay.
	RevenueGrowth float64 `json:"revenue_growth,omitempty"`
	SalaryGrowth  float64 `json:"salary_growth,omitempty"`
	FeeIndexation float64 `json:"fee_indexation,omitempty"`
	// RampUp is the share, 0 to 1, of the internal cost that is avoided in each
	// of the first periods of Timing, for the sound model only: notice and
	// severance make people cost money for a while. Defaults to all of it from
	// the start.
	RampUp []float64 `json:"ramp_up,omitempty"`
	// TaxRate is the share, 0 to 0.99, of every period's benefits less costs less
	// depreciation that goes to taxes, for the sound model only. A loss is
	// relieved in its period, against other profit. Defaults to 0.
	TaxRate float64 `json:"tax_rate,omitempty"`
	// DepreciationYears is over how many years, at most [MaxYears], the setup
	// costs lower taxes, in equal parts; what the horizon leaves is written off
	// with the last flow. Defaults to 0: all at the start, as what else is paid
	// then.
	DepreciationYears int `json:"depreciation_years,omitempty"`
	// StartYear makes the horizon's years those of the calendar from this one on,
	// 1 to 9999, so that outages last longer in leap years, for the sound model
	// only. Defaults to 0, years of 8760 hours.
	StartYear int `json:"start_year,omitempty"`
	// Sensitivity holds, by field, a low and a high value to try; see
	// [Sensitivity].
	Sensitivity map[string][]float64 `json:"sensitivity,omitempty"`
	// Strict makes a staffed role without a salary an error.
	Strict bool `json:"strict,omitempty"`
}

// Internal is the annual cost of an own team.
type Internal struct {
	// AnnualSalaries is the salary per person by role.
	AnnualSalaries map[string]float64 `json:"annual_salaries"`
	// OverheadMultiplier turns salaries into full cost (benefits, office,
	// equipment), typically 1.3 to 1.8.
	OverheadMultiplier    float64 `json:"overhead_multiplier"`
	TrainingCostPerPerson float64 `json:"training_cost_per_person"`
	ToolLicensingCosts    float64 `json:"tool_licensing_costs"`
	InfrastructureCosts   float64 `json:"infrastructure_costs"`
	// RecruitmentCosts is what hiring one person costs.
	RecruitmentCosts float64 `json:"recruitment_costs"`
}

// Managed is the cost of the managed service. The fields below the contract
// length are used by the sound model only and default to nothing.
type Managed struct {
	MonthlyServiceFee    float64 `json:"monthly_service_fee"`
	SetupCosts           float64 `json:"setup_costs"` // once, at the start
	AdditionalToolCosts  float64 `json:"additional_tool_costs"`
	ContractLengthMonths float64 `json:"contract_length_months"`

	// TransitionCosts and ParallelRunningCosts are paid once, at the start.
	TransitionCosts      float64 `json:"transition_costs,omitempty"`
	ParallelRunningCosts float64 `json:"parallel_running_costs,omitempty"`
	// RetainedOrganisationCosts is the yearly cost of those who stay to steer
	// the provider.
	RetainedOrganisationCosts float64 `json:"retained_organisation_costs,omitempty"`
	// ExitCosts is paid once, with the last flow.
	ExitCosts float64 `json:"exit_costs,omitempty"`
	// ResidualValue comes back with the last flow: what of the contract runs on
	// beyond the horizon, or what can be sold.
	ResidualValue float64 `json:"residual_value,omitempty"`
	// ServiceCredits is what the provider is expected to pay back in a year for
	// targets that it misses. It counts as a benefit.
	ServiceCredits float64 `json:"service_credits,omitempty"`
}

// Impact is what outages cost and how the managed service changes them.
type Impact struct {
	RevenuePerHour float64 `json:"revenue_per_hour"`
	// DowntimeCostMultiplier is the cost of an hour of outage in hours of
	// revenue.
	DowntimeCostMultiplier     float64 `json:"downtime_cost_multiplier"`
	CurrentMTTRHours           float64 `json:"current_mttr_hours"`
	ImprovedMTTRHours          float64 `json:"improved_mttr_hours"`
	CurrentAvailabilityPercent float64 `json:"current_availability_percent"`
	TargetAvailabilityPercent  float64 `json:"target_availability_percent"`

	// RevenueByHourOfWeek and OutagesByHourOfWeek have [HoursOfWeek] weights each,
	// from Monday 00:00 local time on, in any unit: how revenue, of which
	// RevenuePerHour is the mean, and hours of outage are spread over the week. For
	// the sound model only, where an hour of outage then costs more if outages
	// meet the peak. See [CostOfOutages] for what happened. Defaults to even ones.
	RevenueByHourOfWeek []float64 `json:"revenue_by_hour_of_week,omitempty"`
	OutagesByHourOfWeek []float64 `json:"outages_by_hour_of_week,omitempty"`

	// OtherAnnualBenefits is used by the sound model only. It may be negative.
	OtherAnnualBenefits float64 `json:"other_annual_benefits,omitempty"`
}

// DefaultStaffing returns the team of the published calculator: twelve people in
// four roles. The map is the caller's.
func DefaultStaffing() map[string]float64 {
	return map[string]float64{"senior_engineer": 4, "operations_specialist": 6, "team_lead": 1, "manager": 1}
}

// DefaultShiftRoles returns the roles of [DefaultStaffing] that work in shifts.
func DefaultShiftRoles() []string {
	return []string{"senior_engineer", "operations_specialist"}
}

// publishedOrder is the order in which the published calculator adds roles up.
// It matters for the last bit of a sum.
var publishedOrder = []string{"senior_engineer", "operations_specialist", "team_lead", "manager"}

// Method chooses the models that [Evaluate] calculates.
type Method int

// The methods. In files they are called "both", "seed" and "sound".
const (
	MethodBoth Method = iota
	MethodAsPublished
	MethodSound
)

var methodNames = []string{"both", "seed", "sound"}

// String returns the name used in files.
func (m Method) String() string { return enumString("Method", methodNames, int(m)) }

// MarshalText returns the name used in files.
func (m Method) MarshalText() ([]byte, error) { return enumMarshal("method", methodNames, int(m)) }

// UnmarshalText accepts the names used in files.
func (m *Method) UnmarshalText(text []byte) error {
	i, err := enumParse("method", methodNames, text)
	if err == nil {
		*m = Method(i)
	}
	return err
}

// Timing says when the flows of the sound model arrive. The zero value is the
// end of each year.
type Timing struct {
	// Period is the length between two flows. Defaults to [Yearly].
	Period Period `json:"period,omitempty"`
	// Position is the place of a flow in its period. Defaults to [AtEnd].
	Position Position `json:"position,omitempty"`
}

// Period is the length of time between two flows.
type Period int

// The periods. Monthly flows are a twelfth of the yearly ones, discounted at
// (1+rate)^(1/12) − 1 per month. In files they are called "year" and "month".
const (
	Yearly Period = iota
	Monthly
)

var periodNames = []string{"year", "month"}

// String returns the name used in files.
func (p Period) String() string { return enumString("Period", periodNames, int(p)) }

// MarshalText returns the name used in files.
func (p Period) MarshalText() ([]byte, error) { return enumMarshal("period", periodNames, int(p)) }

// UnmarshalText accepts the names used in files.
func (p *Period) UnmarshalText(text []byte) error {
	i, err := enumParse("period", periodNames, text)
	if err == nil {
		*p = Period(i)
	}
	return err
}

// perYear returns the number of periods in a year.
func (p Period) perYear() int {
	if p == Monthly {
		return 12
	}
	return 1
}

// Position is the place of a flow within its period.
type Position int

// The positions. In files they are called "end", "mid" and "begin".
const (
	AtEnd Position = iota
	AtMiddle
	AtBegin
)

var positionNames = []string{"end", "mid", "begin"}

// String returns the name used in files.
func (p Position) String() string { return enumString("Position", positionNames, int(p)) }

// MarshalText returns the name used in files.
func (p Position) MarshalText() ([]byte, error) {
	return enumMarshal("position", positionNames, int(p))
}

// UnmarshalText accepts the names used in files.
func (p *Position) UnmarshalText(text []byte) error {
	i, err := enumParse("position", positionNames, text)
	if err == nil {
		*p = Position(i)
	}
	return err
}

// advance returns by which part of a period a flow comes before its end.
func (p Position) advance() float64 {
	switch p {
	case AtMiddle:
		return 0.5
	case AtBegin:
		return 1
	default:
		return 0
	}
}

func enumString(kind string, names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

func enumMarshal(kind string, names []string, i int) ([]byte, error) {
	if i < 0 || i >= len(names) {
		return nil, fmt.Errorf("%s %d unknown, want %s", kind, i, strings.Join(names, ", "))
	}
	return []byte(names[i]), nil
}

func enumParse(kind string, names []string, text []byte) (int, error) {
	if i := slices.Index(names, string(text)); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s %q unknown, want %s", kind, text, strings.Join(names, ", "))
}

// inputs is a validated model with the defaults filled in.
type inputs struct {
	*Model
	years      int
	rate       float64
	turnover   float64
	incidents  float64
	roles      []role
	shiftRoles []string
}

type role struct {
	name   string
	count  float64
	salary float64
	paid   bool // has a salary in the model
}

func (m *Model) resolve() inputs {
	in := inputs{
		Model:     m,
		years:     valueOr(m.Years, DefaultYears),
		rate:      valueOr(m.DiscountRate, DefaultDiscountRate),
		turnover:  valueOr(m.AnnualTurnover, DefaultAnnualTurnover),
		incidents: valueOr(m.IncidentsPerYear, DefaultIncidentsPerYear),
	}
	staffing := m.Staffing
	if staffing == nil {
		staffing = DefaultStaffing()
	}
	for _, name := range roleOrder(staffing) {
		salary, paid := m.Internal.AnnualSalaries[name]
		in.roles = append(in.roles, role{name, staffing[name], salary, paid})
	}
	in.shiftRoles = m.ShiftRoles
	if in.shiftRoles == nil {
		for _, name := range DefaultShiftRoles() {
			if staffing[name] > 0 {
				in.shiftRoles = append(in.shiftRoles, name)
			}
		}
	}
	return in
}

func valueOr[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

// roleOrder lists the roles of the published calculator in its order, then all
// others by name.
func roleOrder(staffing map[string]float64) []string {
	var names []string
	for _, name := range publishedOrder {
		if _, ok := staffing[name]; ok {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(staffing)) {
		if !slices.Contains(publishedOrder, name) {
			names = append(names, name)
		}
	}
	return names
}

// people is the head count of the internal team.
func (in *inputs) people() float64 {
	sum := 0.0
	for _, r := range in.roles {
		sum += r.count
	}
	return sum
}
