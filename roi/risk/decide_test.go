package risk_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// By hand: (5 590 000 − 12·fee)·annuity = 50 000, and the availability that makes
// up for fees of 200 000 a month.
func TestBreakEvenOfTheArticle(t *testing.T) {
	m := article()
	dear := m
	dear.Managed.MonthlyServiceFee = 200_000
	for _, c := range []struct {
		m     roi.Model
		input string
		want  []float64
	}{
		{m, "monthly_service_fee", []float64{(5_590_000 - 50_000/annuity) / 12}},
		{m, "setup_costs", []float64{5_050_000 * annuity}},
		{dear, "target_availability_percent", []float64{99 + (50_000/annuity+2_420_000-2_325_000)/(87.6*75_000)}},
		{m, "discount_rate", []float64{100.9999}}, // 10 099.99 % a year
	} {
		got, err := risk.BreakEven(c.m, c.input)
		if err != nil {
			t.Errorf("%s: %v", c.input, err)
			continue
		}
		tolerance := 1e-12
		if c.input == "discount_rate" {
			tolerance = 1e-6
		}
		if len(got.Values) != 1 || math.Abs(got.Values[0]/c.want[0]-1) > tolerance {
			t.Errorf("%s: %v, want %v", c.input, got.Values, c.want)
		}
	}
}

// Putting the value into the model makes its present value zero, whichever input
// it is; where none is found, the present value has one sign at both ends of what
// the input may be.
func TestBreakEvenIsZero(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	found, none := 0, 0
	for range 300 {
		m := article()
		m.Managed.MonthlyServiceFee = 350_000 * rng.Float64()
		m.Managed.SetupCosts = 3e6 * rng.Float64()
		m.Managed.ExitCosts = 1e6 * rng.Float64()
		m.MTTRWeight = 0.1 * rng.Float64()
		m.Impact.TargetAvailabilityPercent = 98.5 + rng.Float64()
		m.Timing = roi.Timing{Period: roi.Period(rng.IntN(2)), Position: roi.Position(rng.IntN(3))}
		for _, input := range m.Inputs() {
			if input == "years" {
				continue
			}
			got, err := risk.BreakEven(m, input)
			if missing, ok := errors.AsType[*risk.NoCrossingError](err); ok {
				none++
				if missing.Path != input {
					t.Errorf("%s: error about %s", input, missing.Path)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range got.Values {
				found++
				changed, err := m.With(map[string]float64{input: v})
				if err != nil {
					t.Fatal(err)
				}
				at, err := roi.Sound(changed)
				if err != nil {
					t.Fatal(err)
				}
				if input == "discount_rate" && v < -0.99 {
					continue // one unit in the last place of the rate is many of the present value
				}
				if math.Abs(at.NPV) > 1e-9*(math.Abs(at.PVBenefits)+math.Abs(at.PVCosts)) {
					t.Errorf("%s = %v: present value %v of %v", input, v, at.NPV, at.PVCosts)
				}
			}
		}
	}
	if found < 1000 || none < 1000 {
		t.Errorf("%d crossings, %d inputs without: want many of both", found, none)
	}
}

func TestBreakEvenHasNone(t *testing.T) {
	m := article()
	for _, c := range []struct {
		input   string
		outside float64
	}{
		{"contract_length_months", math.NaN()}, // of no effect
		{"current_mttr_hours", math.NaN()},     // with a weight of 0
		{"additional_tool_costs", math.NaN()},
		{"overhead_multiplier", 1.5 - (5_050_000-50_000/annuity)/1_290_000}, // negative
	} {
		got, err := risk.BreakEven(m, c.input)
		missing, ok := errors.AsType[*risk.NoCrossingError](err)
		if c.input == "additional_tool_costs" {
			if err != nil || len(got.Values) != 1 {
				t.Errorf("%s: %v %v", c.input, got, err)
			}
			continue
		}
		if !ok {
			t.Errorf("%s: %v, %v, want no crossing", c.input, got, err)
			continue
		}
		if has := missing.Outside != nil; has != !math.IsNaN(c.outside) || has && math.Abs(*missing.Outside-c.outside) > 1e-9 {
			t.Errorf("%s: outside %v, want %v: %v", c.input, missing.Outside, c.outside, err)
		}
	}
	for input, want := range map[string]string{
		"residual_value":              "it may be any value from 0 on",
		"target_availability_percent": "it may be 0 to 100",
	} {
		m := article()
		if input == "target_availability_percent" {
			m.Managed.MonthlyServiceFee *= 100
		}
		if _, err := risk.BreakEven(m, input); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q at the end", input, err, want)
		}
	}
	if _, err := risk.BreakEven(m, "fee"); err == nil {
		t.Error("an unknown input has a break-even")
	}
}

// Two rates, from flows of −1600, 10 000 and −10 000: 25 % and 400 %.
func TestBreakEvenFindsAllRates(t *testing.T) {
	m := roi.Model{
		Internal: roi.Internal{AnnualSalaries: map[string]float64{"a": 10_000}, OverheadMultiplier: 1},
		Managed:  roi.Managed{SetupCosts: 1600, ExitCosts: 20_000, ContractLengthMonths: 24},
		Staffing: map[string]float64{"a": 1}, Years: new(2),
	}
	got, err := risk.BreakEven(m, "discount_rate")
	if err != nil || len(got.Values) != 2 || math.Abs(got.Values[0]-0.25) > 1e-9 || math.Abs(got.Values[1]-4) > 1e-9 {
		t.Errorf("%v, %v, want 0.25 and 4", got, err)
	}
}

// Setup of 12 000 000 against 5 050 000 a year at 8 %: worth 9 005 500 after two
// years, 13 014 340 after three.
func TestBreakEvenHorizon(t *testing.T) {
	m := article()
	m.Managed.SetupCosts = 12e6
	got, err := risk.BreakEven(m, "years")
	if err != nil || !slices.Equal(got.Values, []float64{3}) {
		t.Errorf("%v, %v, want 3", got, err)
	}
	m.Managed.SetupCosts = 50_000
	if _, err := risk.BreakEven(m, "years"); err == nil {
		t.Error("a case that pays at once has a horizon of no gain")
	}
}

func TestForPayback(t *testing.T) {
	m := article()
	got, err := risk.ForPayback(m, "monthly_service_fee", 1.5)
	if want := (5_590_000 - 50_000/1.5) / 12; err != nil || math.Abs(got.Values[0]/want-1) > 1e-12 {
		t.Errorf("fee %v, %v, want %v", got.Values, err, want)
	}
	// 12 to 18 months take a setup of 5.05 to 7.6 million.
	for months, want := range map[float64]float64{12: 5_050_000, 18: 7_575_000} {
		got, err := risk.ForPayback(m, "setup_costs", months/12)
		if err != nil || math.Abs(got.Values[0]/want-1) > 1e-12 {
			t.Errorf("setup %v, %v, want %v", got.Values, err, want)
		}
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for range 300 {
		m.Managed.ExitCosts = 1e5 * rng.Float64()
		m.Timing = roi.Timing{Period: roi.Period(rng.IntN(2)), Position: roi.Position(rng.IntN(3))}
		years := 3 * (1 - rng.Float64())
		got, err := risk.ForPayback(m, "monthly_service_fee", years)
		if _, none := errors.AsType[*risk.NoCrossingError](err); none {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		changed, err := m.With(map[string]float64{"monthly_service_fee": got.Values[0]})
		if err != nil {
			t.Fatal(err)
		}
		v, err := roi.Sound(changed)
		if err != nil {
			t.Fatal(err)
		}
		if v.PaybackYears == nil || math.Abs(*v.PaybackYears-years) > 1e-8 {
			t.Errorf("payback %v with the fee for %v years, %+v", v.PaybackYears, years, m.Timing)
		}
	}
	for _, c := range []struct {
		input string
		years float64
	}{{"monthly_service_fee", 0}, {"monthly_service_fee", 3.1}, {"monthly_service_fee", math.NaN()}, {"years", 1}, {"discount_rate", 1}, {"mttr_weight", 1}} {
		if got, err := risk.ForPayback(m, c.input, c.years); err == nil {
			t.Errorf("ForPayback(%s, %v) = %v, want an error", c.input, c.years, got)
		}
	}
}

// The example saves 75.2 % and pays back in 0.0099 years; 40 % are saved with
// (2 325 000·0.6 − 20 000 − 50 000/3)/12 a month.
func TestCheck(t *testing.T) {
	claims, err := risk.Check(article())
	if err != nil {
		t.Fatal(err)
	}
	savings, payback := claims[0], claims[1]
	if savings.Verdict != "exceeded" || math.Abs(*savings.Value-0.752) > 1e-4 {
		t.Errorf("savings %+v", savings)
	}
	for want, got := range map[float64]*float64{
		(2_325_000*0.6 - 20_000 - 50_000.0/3) / 12: savings.FeeHigh,
		(2_325_000*0.4 - 20_000 - 50_000.0/3) / 12: savings.FeeLow,
		(5_590_000 - 50_000.0/1.5) / 12:            payback.FeeHigh,
		(5_590_000 - 50_000.0) / 12:                payback.FeeLow,
	} {
		if got == nil || math.Abs(*got/want-1) > 1e-12 {
			t.Errorf("fee %v, want %v", got, want)
		}
	}
	if payback.Verdict != "exceeded" || math.Abs(*payback.Value-12*50_000/5_050_000.0) > 1e-12 {
		t.Errorf("payback %+v", payback)
	}
	m := article()
	m.Managed.MonthlyServiceFee = 500_000
	if claims, err = risk.Check(m); err != nil || claims[0].Verdict != "missed" || claims[1].Verdict != "missed" || claims[1].Value != nil {
		t.Errorf("%+v, %v, want both missed", claims, err)
	}
	m.Internal = roi.Internal{}
	if claims, err = risk.Check(m); err != nil || claims[0].Verdict != "undefined" || claims[0].Value != nil {
		t.Errorf("%+v, %v, want no savings of nothing", claims, err)
	}
}

// alternatives on one baseline: two tiers, and a quarter of the team kept.
func alternatives() []risk.Alternative {
	return []risk.Alternative{
		{Name: "stay internal", Internal: true},
		{Name: "tier A", Overrides: map[string]float64{"monthly_service_fee": 20_000, "target_availability_percent": 99}},
		{Name: "tier B", Overrides: map[string]float64{"monthly_service_fee": 45_000, "target_availability_percent": 99.5}},
		{Name: "hybrid", Kept: 0.25, Overrides: map[string]float64{"monthly_service_fee": 30_000, "target_availability_percent": 99.7}},
	}
}

func scenarios() []risk.Scenario {
	return []risk.Scenario{
		{Name: "base"},
		{Name: "low", Overrides: map[string]float64{"revenue_per_hour": 10_000, "discount_rate": 0.12}},
		{Name: "high", Overrides: map[string]float64{"revenue_per_hour": 40_000}},
	}
}

func TestCompare(t *testing.T) {
	rows, err := risk.Compare(article(), alternatives(), scenarios())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 12 {
		t.Fatalf("%d rows, want 12", len(rows))
	}
	low := 1/1.12 + 1/(1.12*1.12) + 1/(1.12*1.12*1.12)
	for i, want := range []float64{
		0,
		(2_325_000-260_000)*annuity - 50_000,
		(2_325_000+3_285_000-560_000)*annuity - 50_000,
		(2_325_000*0.75+0.7*87.6*75_000-380_000)*annuity - 50_000,
		0,
		(2_325_000-260_000)*low - 50_000,
		(2_325_000+0.5*87.6*30_000-560_000)*low - 50_000,
		(2_325_000*0.75+0.7*87.6*30_000-380_000)*low - 50_000,
	} {
		if r := rows[i]; math.Abs(r.NPV-want) > 1e-6 {
			t.Errorf("%s, %s: %v, want %v", r.Scenario, r.Alternative, r.NPV, want)
		}
	}
	if r := rows[0]; math.Abs(r.PVCosts-2_325_000*annuity) > 1e-6 || r.ROIPercent != nil || r.Best {
		t.Errorf("staying internal: %+v", r)
	}
	for i, r := range rows {
		if math.Abs(r.Change-(r.NPV-rows[i%4].NPV)) > 1e-9 || r.Best != (r.Regret == 0) || r.Regret < 0 {
			t.Errorf("row %+v", r)
		}
	}
	if rows, err := risk.Compare(article(), nil, nil); err != nil || len(rows) != 1 || math.Abs(rows[0].NPV-12_964_339.79) > 0.005 {
		t.Errorf("%+v, %v, want the model alone", rows, err)
	}
}

func TestCompareErrors(t *testing.T) {
	for name, c := range map[string]struct {
		a []risk.Alternative
		s []risk.Scenario
	}{
		"no name":           {[]risk.Alternative{{}}, nil},
		"name twice":        {nil, []risk.Scenario{{Name: "a"}, {Name: "a"}}},
		"kept":              {[]risk.Alternative{{Name: "a", Kept: 1.1}}, nil},
		"internal and more": {[]risk.Alternative{{Name: "a", Internal: true, Kept: 0.5}}, nil},
		"both override":     {[]risk.Alternative{{Name: "a", Overrides: map[string]float64{"years": 3}}}, []risk.Scenario{{Name: "b", Overrides: map[string]float64{"years": 4}}}},
		"unknown":           {nil, []risk.Scenario{{Name: "b", Overrides: map[string]float64{"fee": 4}}}},
		"out of range":      {nil, []risk.Scenario{{Name: "b", Overrides: map[string]float64{"mttr_weight": 4}}}},
	} {
		if rows, err := risk.Compare(article(), c.a, c.s); err == nil {
			t.Errorf("%s: %+v, want an error", name, rows)
		}
	}
}

func TestGrid(t *testing.T) {
	m := article()
	x := risk.Axis{Input: "monthly_service_fee", Values: risk.Steps(20_000, 80_000, 7)}
	y := risk.Axis{Input: "discount_rate", Values: risk.Steps(0, 0.2, 5)}
	table, err := risk.Grid(m, x, y)
	if err != nil {
		t.Fatal(err)
	}
	for i, rate := range table.Y.Values {
		for j, fee := range table.X.Values {
			changed, err := m.With(map[string]float64{table.X.Input: fee, table.Y.Input: rate})
			if err != nil {
				t.Fatal(err)
			}
			want, err := roi.Sound(changed)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(table.NPV[i][j]-want.NPV) > 1e-12*(want.PVBenefits+want.PVCosts) {
				t.Errorf("fee %v at %v: %v, want %v", fee, rate, table.NPV[i][j], want.NPV)
			}
		}
	}
	for _, bad := range [][2]risk.Axis{{x, x}, {x, {Input: "discount_rate"}}, {x, {Input: "discount_rate", Values: []float64{-1}}}, {x, {Input: "rate", Values: []float64{0}}}} {
		if _, err := risk.Grid(m, bad[0], bad[1]); err == nil {
			t.Errorf("%v: want an error", bad)
		}
	}
	if got := risk.Steps(1, 2, 5); !slices.Equal(got, []float64{1, 1.25, 1.5, 1.75, 2}) || len(risk.Steps(1, 2, 0)) != 0 || risk.Steps(1, 2, 1)[0] != 1 {
		t.Errorf("Steps = %v", got)
	}
}

// A fee of 600 a year against 1300 saved, three years after 100, at no interest: with
// 3800 = 600 (1 + q + q²) nothing is left.
func TestBreakEvenOfGrowth(t *testing.T) {
	years, rate := 3, 0.0
	m := roi.Model{
		Internal: roi.Internal{AnnualSalaries: map[string]float64{"a": 1300}, OverheadMultiplier: 1},
		Managed:  roi.Managed{MonthlyServiceFee: 50, SetupCosts: 100, ContractLengthMonths: 36},
		Staffing: map[string]float64{"a": 1}, Years: &years, DiscountRate: &rate,
	}
	want := (math.Sqrt(1+4*(3800.0/600-1)) - 1) / 2
	got, err := risk.BreakEven(m, "fee_indexation")
	if err != nil || len(got.Values) != 1 || math.Abs(got.Values[0]-(want-1)) > 1e-12 {
		t.Errorf("BreakEven = %v, %v, want %v", got.Values, err, want-1)
	}
	if got, err = risk.BreakEven(m, "salary_growth"); err != nil || len(got.Values) != 1 {
		t.Fatalf("BreakEven = %v, %v, want one rate", got.Values, err)
	}
	// 1900 = 1300 (1 + q + q²)
	if want := (math.Sqrt(1+4*(1900.0/1300-1)) - 1) / 2; math.Abs(got.Values[0]-(want-1)) > 1e-12 {
		t.Errorf("BreakEven = %v, want %v", got.Values, want-1)
	}
	if _, err := risk.BreakEven(m, "revenue_growth"); err == nil {
		t.Error("no error, but revenue is 0")
	}
	// After two years: 1300 + 1300 q − 1200 − 100 = 0.
	if got, err = risk.ForPayback(m, "salary_growth", 2); err == nil {
		t.Errorf("ForPayback = %v, want none: q is 0", got.Values)
	}
	m.Managed.SetupCosts = 1000 // 1300 + 1300 q = 2200
	if got, err = risk.ForPayback(m, "salary_growth", 2); err != nil || math.Abs(got.Values[0]-(900.0/1300-1)) > 1e-12 {
		t.Errorf("ForPayback = %v, %v, want %v", got.Values, err, 900.0/1300-1)
	}
}

// Growth that is drawn: a uniform rate of 0 to 10 % of salaries of 1000, in the second of two
// years, is 50 in the mean, with an sd of 100/√12.
func TestSimulateGrowth(t *testing.T) {
	years, rate := 2, 0.0
	m := roi.Model{
		Internal: roi.Internal{AnnualSalaries: map[string]float64{"a": 1000}, OverheadMultiplier: 1}, Managed: roi.Managed{ContractLengthMonths: 36},
		Staffing: map[string]float64{"a": 1}, Years: &years, DiscountRate: &rate, TaxRate: 0.5,
	}
	drawn := map[string]risk.Distribution{"salary_growth": {Kind: risk.Uniform, Max: 0.1}}
	f, err := risk.Simulate(t.Context(), m, drawn, 50_000, &risk.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 8} {
		if again, err := risk.Simulate(t.Context(), m, drawn, 50_000, &risk.Options{Workers: workers}); err != nil || !reflect.DeepEqual(again, f) {
			t.Errorf("%d workers: %+v, %v, want what 2 make: %+v", workers, again, err, f)
		}
	}
	if math.Abs(f.NPV.Mean-1025) > 4**f.NPV.StandardError || math.Abs(*f.NPV.SD-50/math.Sqrt(12)) > 0.2 {
		t.Errorf("mean %v, sd %v, want 1025 and 14.43", f.NPV.Mean, *f.NPV.SD)
	}
}
