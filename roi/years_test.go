package roi_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi"
)

// week has weight w in the first n hours from Monday 00:00 on and 1 in the others.
func week(n int, w float64) []float64 {
	weights := slices.Repeat([]float64{1}, roi.HoursOfWeek)
	for h := range n {
		weights[h] = w
	}
	return weights
}

// only has a weight in one hour of the week alone.
func only(hour int) []float64 {
	weights := make([]float64, roi.HoursOfWeek)
	weights[hour] = 2
	return weights
}

// Each of plain's inputs that make years differ, by hand: 1000 of salaries, 200 of tools and
// 100 of outages against 600 in fees, after 100 at the start, without interest.
func TestYears(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*roi.Model)
		want   []float64 // flows
		step   string    // the last of the bridge
		term   string
		value  float64
	}{
		{
			"inflation", func(m *roi.Model) { m.Inflation = 0.1 },
			[]float64{-100, 700, 830, 973}, // 1300, 1430, 1573; the fee is that of the contract
			roi.StepChanges, "real_discount_rate", 1/1.1 - 1,
		},
		{
			"all with inflation", func(m *roi.Model) { m.Inflation, m.FeeIndexation = 0.1, 0.1 },
			[]float64{-100, 700, 770, 847},
			roi.StepChanges, "", 0,
		},
		{
			"salaries beside inflation", func(m *roi.Model) { m.Inflation, m.SalaryGrowth = 0.1, 0.1 },
			[]float64{-100, 700, 940, 1227.1}, // salaries 1000, 1210, 1464.1; 300, 330, 363
			roi.StepChanges, "", 0,
		},
		{
			"credits are indexed as fees", func(m *roi.Model) { m.Managed.ServiceCredits, m.FeeIndexation = 60, 0.5 },
			[]float64{-100, 760, 490, 85}, // 60 − 600, 90 − 900, 135 − 1350
			roi.StepChanges, "", 0,
		},
		{
			"residual value and exit", func(m *roi.Model) { m.Managed.ResidualValue, m.Managed.ExitCosts = 50, 30 },
			[]float64{-100, 700, 700, 720},
			roi.StepExtras, "", 0,
		},
		{
			"the end is at its prices", func(m *roi.Model) {
				m.Managed.ResidualValue, m.Managed.ExitCosts, m.Inflation, m.FeeIndexation = 50, 30, 0.1, 0.1
			},
			[]float64{-100, 700, 770, 871.2}, // 847 + 20 × 1.21
			roi.StepChanges, "", 0,
		},
		{
			"taxes", func(m *roi.Model) { m.TaxRate = 0.25 },
			[]float64{-75, 525, 525, 525}, // all of the setup at the start
			roi.StepTaxes, "pv_taxes", -25 + 3*175,
		},
		{
			"taxes, written off in two years", func(m *roi.Model) { m.TaxRate, m.DepreciationYears = 0.25, 2 },
			[]float64{-100, 537.5, 537.5, 525}, // 25 % of 650, 650, 700
			roi.StepTaxes, "depreciation_per_year", 50,
		},
		{
			"taxes, the rest of five years with the last flow", func(m *roi.Model) { m.TaxRate, m.DepreciationYears = 0.25, 5 },
			[]float64{-100, 530, 530, 540}, // 25 % of 680, 680, 640
			roi.StepTaxes, "pv_taxes", 170 + 170 + 160,
		},
		{
			"a loss is relieved", func(m *roi.Model) { m.TaxRate, m.Managed.MonthlyServiceFee, m.Managed.TransitionCosts = 0.25, 200, 20 },
			[]float64{-90, -825, -825, -825}, // 1300 − 2400
			roi.StepTaxes, "", 0,
		},
		{
			"calendar", func(m *roi.Model) { m.StartYear = 2027 },
			[]float64{-100, 700, 700 + 100.0/365, 700}, // 2028 has a day more
			roi.StepHours, "hours_of_first_year", 8760,
		},
		{
			"a leap year first", func(m *roi.Model) { m.StartYear = 2028 },
			[]float64{-100, 700 + 100.0/365, 700, 700},
			roi.StepHours, "availability_of_first_year", 100 * 366.0 / 365,
		},
		{
			"no leap year", func(m *roi.Model) { m.StartYear = 2100 },
			[]float64{-100, 700, 700, 700},
			roi.StepHours, "", 0,
		},
		{
			"outages at the peak", func(m *roi.Model) {
				m.Impact.RevenueByHourOfWeek, m.Impact.OutagesByHourOfWeek = week(84, 3), only(0)
			},
			[]float64{-100, 750, 750, 750}, // three times, where the mean is twice
			roi.StepHours, "outage_at_peak", 1.5,
		},
		{
			"outages at night", func(m *roi.Model) {
				m.Impact.RevenueByHourOfWeek, m.Impact.OutagesByHourOfWeek = week(84, 3), only(167)
			},
			[]float64{-100, 650, 650, 650},
			roi.StepHours, "outage_at_peak", 0.5,
		},
		{
			"outages at any hour", func(m *roi.Model) { m.Impact.RevenueByHourOfWeek = week(84, 3) },
			[]float64{-100, 700, 700, 700},
			roi.StepRecovery, "", 0,
		},
		{
			"recovery at the peak", func(m *roi.Model) {
				m.Impact.RevenueByHourOfWeek, m.Impact.OutagesByHourOfWeek = week(84, 3), only(0)
				m.IncidentsPerYear, m.Impact.CurrentMTTRHours, m.MTTRWeight = new(2.0), 3, 0.5
			},
			// 100 and 2 × 3 h × 100 × 0.5 = 300 at one and a half times the mean
			[]float64{-100, 1200, 1200, 1200},
			roi.StepHours, "faster_recovery", 450,
		},
	} {
		m := plain()
		c.change(&m)
		res, err := roi.Evaluate(m)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := roi.Compile(m)
		if err != nil {
			t.Fatal(err)
		}
		pt, err := plan.At(nil)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, want := range c.want {
			sum += want
			items := 0.0
			for _, it := range res.Sound.Flows[i].Items {
				if it.Cost {
					it.Amount = -it.Amount
				}
				items += it.Amount
			}
			if got := res.CashFlows[i]; math.Abs(got-want) > 1e-9 || math.Abs(items-want) > 1e-9 {
				t.Errorf("%s: flow %d is %v of items %v, want %v", c.name, i, got, items, want)
			}
			if got := pt.Cumulated(float64(i)); math.Abs(got-sum) > 1e-9 {
				t.Errorf("%s: %v cumulated after %d years of the plan, want %v", c.name, got, i, sum)
			}
		}
		for what, got := range map[string]float64{"NPV": res.Sound.NPV, "that of the plan": pt.NPV} {
			if math.Abs(got-sum) > 1e-9 { // without interest
				t.Errorf("%s: %s is %v, want %v", c.name, what, got, sum)
			}
		}
		if last := res.Bridge[len(res.Bridge)-2]; last.Step != c.step || math.Abs(last.NPV-sum) > 1e-9 {
			t.Errorf("%s: the bridge ends with %s at %v, want %s at %v", c.name, last.Step, last.NPV, c.step, sum)
		}
		if i := slices.IndexFunc(res.Sound.Terms, func(x roi.Term) bool { return x.Name == c.term }); c.term != "" &&
			(i < 0 || math.Abs(res.Sound.Terms[i].Value-c.value) > 1e-9 || res.Sound.Terms[i].Formula == "") {
			t.Errorf("%s: terms %+v, want %s = %v", c.name, res.Sound.Terms, c.term, c.value)
		}
	}
}

// The modified rate is that of the flows, by year and by month; there is none of a loss in
// every period.
func TestModifiedRate(t *testing.T) {
	for _, period := range []roi.Period{roi.Yearly, roi.Monthly} {
		m := article()
		m.Timing.Period = period
		v, err := roi.Sound(m)
		if err != nil {
			t.Fatal(err)
		}
		flows, perYear := []float64{}, 1
		for _, f := range v.Flows {
			flows = append(flows, f.Amount)
		}
		if period == roi.Monthly {
			perYear = 12
		}
		rate, err := roi.PeriodicRate(0.08, perYear)
		if err != nil {
			t.Fatal(err)
		}
		each, err := roi.MIRR(flows, rate, rate)
		if err != nil {
			t.Fatal(err)
		}
		want := (math.Pow(1+each, float64(perYear)) - 1) * 100
		if v.MIRRPercent == nil || math.Abs(*v.MIRRPercent-want) > 1e-9*want {
			t.Errorf("%v: MIRR %v, want %v", period, v.MIRRPercent, want)
		}
	}
	m := plain()
	m.Managed.MonthlyServiceFee = 500
	if v, err := roi.Sound(m); err != nil || v.MIRRPercent != nil {
		t.Errorf("MIRR of losses alone: %v, %v, want none", v.MIRRPercent, err)
	}
	m = plain()
	years := 1
	m.Years, m.Timing.Position = &years, roi.AtBegin
	if v, err := roi.Sound(m); err != nil || v.MIRRPercent != nil {
		t.Errorf("MIRR of flows at one instant: %v, %v, want none", v.MIRRPercent, err)
	}
}

// Where everything follows prices, nominal flows at a nominal rate are worth what real ones
// are at the real rate, at the prices of the first year: a year's inflation less than now.
func TestInflationIsConsistent(t *testing.T) {
	m, rate, nominal := plain(), 0.05, 1.05*1.03-1
	m.DiscountRate = &rate
	realTerms, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	m.DiscountRate, m.Inflation, m.FeeIndexation = &nominal, 0.03, 0.03
	v, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	if want := -100 + (realTerms.NPV+100)/1.03; math.Abs(v.NPV-want) > 1e-9 {
		t.Errorf("NPV %v, want %v", v.NPV, want)
	}
}

// The steps of a model with everything, in their order, add up.
func TestBridgeOfYears(t *testing.T) {
	m := plain()
	m.Managed.ResidualValue, m.StartYear, m.Inflation, m.TaxRate, m.Timing.Position = 10, 2027, 0.02, 0.3, roi.AtMiddle
	rate := 0.08
	m.DiscountRate = &rate
	res, err := roi.Evaluate(m)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	sum := 0.0
	for i, s := range res.Bridge {
		steps = append(steps, s.Step)
		if i == 0 {
			sum = s.NPV
		} else if !s.Memo {
			sum += s.Change
		}
	}
	want := []string{roi.StepPublished, roi.StepCash, roi.StepRecovery, roi.StepExtras, roi.StepHours, roi.StepChanges, roi.StepTaxes, roi.StepTiming, roi.StepCostsOnly}
	if !slices.Equal(steps, want) || math.Abs(sum-res.Sound.NPV) > 1e-9 {
		t.Errorf("steps %v add up to %v, want %v and %v", steps, sum, want, res.Sound.NPV)
	}
	var paths []string
	for _, a := range res.Assumptions {
		paths = append(paths, a.Path)
	}
	for _, path := range []string{"inflation", "tax_rate", "depreciation_years", "start_year"} {
		if !slices.Contains(paths, path) {
			t.Errorf("no assumption about %s among %v", path, paths)
		}
	}
}

func TestYearErrors(t *testing.T) {
	for path, change := range map[string]func(*roi.Model){
		"inflation":                         func(m *roi.Model) { m.Inflation = -1 },
		"tax_rate":                          func(m *roi.Model) { m.TaxRate = 1 },
		"depreciation_years":                func(m *roi.Model) { m.DepreciationYears = -1 },
		"start_year":                        func(m *roi.Model) { m.StartYear = 10_000 },
		"managed.residual_value":            func(m *roi.Model) { m.Managed.ResidualValue = math.NaN() },
		"impact.revenue_by_hour_of_week":    func(m *roi.Model) { m.Impact.RevenueByHourOfWeek = []float64{1} },
		"impact.outages_by_hour_of_week":    func(m *roi.Model) { m.Impact.OutagesByHourOfWeek = make([]float64, roi.HoursOfWeek) },
		"impact.outages_by_hour_of_week[3]": func(m *roi.Model) { m.Impact.OutagesByHourOfWeek = week(4, -1); m.Impact.OutagesByHourOfWeek[0] = 1 },
	} {
		m := plain()
		change(&m)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), path+": ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// An outage of 90 minutes from Sunday 23:30 to Monday 01:00 in Amsterdam: half an hour of
// the last hour of the week and the first hour of the next one, which earns three times as
// much as any other. The mean weight is 170/168.
func ExampleCostOfOutages() {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		fmt.Println(err)
		return
	}
	m := plain()
	m.Impact.RevenueByHourOfWeek = week(1, 3)
	c, err := roi.CostOfOutages(m, []roi.Outage{{
		Start: time.Date(2026, 11, 29, 23, 30, 0, 0, zone),
		End:   time.Date(2026, 11, 30, 1, 0, 0, 0, zone),
	}}, zone)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f h, %.2f\n", c.Hours, c.Cost)
	m.Impact.OutagesByHourOfWeek = c.ByHourOfWeek
	v, err := roi.Sound(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("such outages cost %.4f of the mean\n", v.DowntimeCostSavings/100)
	// Output:
	// 1.5 h, 345.88
	// such outages cost 2.3059 of the mean
}

// Overlapping outages count once, in whatever order; the clock's extra hour in autumn is
// two hours of one hour of the week, and that of spring is none.
func TestCostOfOutages(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, zone)
	}
	const sunday = 6 * 24
	for _, c := range []struct {
		name    string
		outages []roi.Outage
		hours   float64
		hour    int // of the week
		in      float64
	}{
		{"none", nil, 0, 0, 0},
		{"overlap", []roi.Outage{{at(6, 1, 3), at(6, 1, 5)}, {at(6, 1, 1), at(6, 1, 4)}, {at(6, 1, 2), at(6, 1, 3)}}, 4, 3, 1},
		{"empty", []roi.Outage{{at(6, 1, 3), at(6, 1, 3)}}, 0, 3, 0},
		{"autumn", []roi.Outage{{at(10, 25, 0), at(10, 25, 12)}}, 13, sunday + 2, 2},
		{"spring", []roi.Outage{{at(3, 29, 0), at(3, 29, 12)}}, 11, sunday + 2, 0},
		{"a week", []roi.Outage{{at(6, 1, 0), at(6, 8, 0)}}, 168, 167, 1},
	} {
		got, err := roi.CostOfOutages(plain(), c.outages, zone)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Hours-c.hours) > 1e-9 || math.Abs(got.ByHourOfWeek[c.hour]-c.in) > 1e-9 || math.Abs(got.Cost-100*c.hours) > 1e-9 {
			t.Errorf("%s: %v h, %v in hour %d, cost %v, want %v, %v and 100 an hour", c.name, got.Hours, got.ByHourOfWeek[c.hour], c.hour, got.Cost, c.hours, c.in)
		}
	}
	m := plain()
	m.Impact.RevenuePerHour, m.Impact.DowntimeCostMultiplier = math.MaxFloat64, 2
	if c, err := roi.CostOfOutages(m, nil, nil); !errors.Is(err, roi.ErrOverflow) {
		t.Errorf("more than float64 holds: %v, %v, want %v", c, err, roi.ErrOverflow)
	}
	for _, bad := range []roi.Outage{{at(6, 2, 0), at(6, 1, 0)}, {at(6, 1, 0), at(6, 1, 0).AddDate(101, 0, 0)}} {
		var field *roi.FieldError
		if _, err := roi.CostOfOutages(plain(), []roi.Outage{bad}, nil); !errors.As(err, &field) || field.Path != "outages[0].end" {
			t.Errorf("%v: %v, want a FieldError of outages[0].end", bad, err)
		}
	}
}
