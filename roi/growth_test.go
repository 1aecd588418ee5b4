package roi_test

import (
	"errors"
	"math"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
)

// plain costs 1000 in salaries and 200 in tools, against fees of 600 and an hour of
// outage a year less (100/8760 percentage points) that is worth 100.
func plain() roi.Model {
	years, rate := 3, 0.0
	return roi.Model{
		Internal: roi.Internal{AnnualSalaries: map[string]float64{"a": 1000}, OverheadMultiplier: 1, ToolLicensingCosts: 200},
		Managed:  roi.Managed{MonthlyServiceFee: 50, SetupCosts: 100, ContractLengthMonths: 36},
		Impact:   roi.Impact{RevenuePerHour: 100, DowntimeCostMultiplier: 1, CurrentAvailabilityPercent: 50, TargetAvailabilityPercent: 50 + 100.0/8760},
		Staffing: map[string]float64{"a": 1}, Years: &years, DiscountRate: &rate, Method: roi.MethodBoth,
	}
}

func TestGrowthAndRampUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*roi.Model)
		want   []float64 // flows
	}{
		{"level", func(*roi.Model) {}, []float64{-100, 700, 700, 700}},                                       // 1000 + 200 + 100 − 600
		{"revenue", func(m *roi.Model) { m.RevenueGrowth = 0.1 }, []float64{-100, 700, 710, 721}},            // 100, 110, 121
		{"salaries", func(m *roi.Model) { m.SalaryGrowth = 0.1 }, []float64{-100, 700, 800, 910}},            // 1000, 1100, 1210; tools stay
		{"fees", func(m *roi.Model) { m.FeeIndexation = 0.5 }, []float64{-100, 700, 400, -50}},               // 600, 900, 1350
		{"shrinking", func(m *roi.Model) { m.SalaryGrowth = -0.5 }, []float64{-100, 700, 200, -50}},          // 1000, 500, 250
		{"ramp-up", func(m *roi.Model) { m.RampUp = []float64{0.25, 0.5} }, []float64{-100, -200, 100, 700}}, // 300, 600, 1200 of the internal cost
		{"credits", func(m *roi.Model) { m.Managed.ServiceCredits = 30 }, []float64{-100, 730, 730, 730}},
		{"both", func(m *roi.Model) { m.RampUp, m.SalaryGrowth = []float64{0, 0.5}, 0.1 }, []float64{-100, -500, 150, 910}}, // 0, 650, 1410
	} {
		m := plain()
		c.change(&m)
		res, err := roi.Evaluate(m)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, want := range c.want {
			f := res.Sound.Flows[i]
			sum += want
			items := 0.0
			for _, it := range f.Items {
				if it.Cost {
					it.Amount = -it.Amount
				}
				items += it.Amount
			}
			if math.Abs(f.Amount-want) > 1e-9 || math.Abs(items-want) > 1e-9 {
				t.Errorf("%s: flow %d is %v of items %v, want %v", c.name, i, f.Amount, items, want)
			}
		}
		if math.Abs(res.Sound.NPV-sum) > 1e-9 { // at a rate of 0
			t.Errorf("%s: NPV %v, want %v", c.name, res.Sound.NPV, sum)
		}
		last := res.Bridge[len(res.Bridge)-2]
		step := map[string]string{"level": roi.StepRecovery, "credits": roi.StepExtras}[c.name]
		if step == "" {
			step = roi.StepChanges
		}
		if last.Step != step || math.Abs(last.NPV-sum) > 1e-9 {
			t.Errorf("%s: the bridge ends with %s at %v, want %v", c.name, last.Step, last.NPV, sum)
		}
	}
}

// Monthly, the ramp-up is by month and growth still by year.
func TestRampUpByMonth(t *testing.T) {
	m := plain()
	m.Timing.Period, m.RampUp, m.FeeIndexation = roi.Monthly, []float64{0, 0}, 0.5
	v, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]float64{1: (100 - 600) / 12.0, 2: (100 - 600) / 12.0, 3: 700 / 12.0, 12: 700 / 12.0, 13: 400 / 12.0, 36: -50 / 12.0} {
		if got := v.Flows[i].Amount; math.Abs(got-want) > 1e-9 {
			t.Errorf("flow %d is %v, want %v", i, got, want)
		}
	}
}

func TestGrowthErrors(t *testing.T) {
	for path, change := range map[string]func(*roi.Model){
		"revenue_growth": func(m *roi.Model) { m.RevenueGrowth = -1 },
		"salary_growth":  func(m *roi.Model) { m.SalaryGrowth = math.NaN() },
		"fee_indexation": func(m *roi.Model) { m.FeeIndexation = math.Inf(1) },
		"ramp_up[1]":     func(m *roi.Model) { m.RampUp = []float64{1, 1.5} },
	} {
		m := plain()
		change(&m)
		var bad *roi.FieldError
		if err := m.Validate(); !errors.As(err, &bad) || bad.Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
}
