package roi_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
)

// richModel is a random model with every number set to something.
func richModel(rng *rand.Rand) roi.Model {
	m := randomModel(rng)
	m.Timing = roi.Timing{Period: roi.Period(rng.IntN(2)), Position: roi.Position(rng.IntN(3))}
	m.Managed.TransitionCosts = rng.Float64() * 1e5
	m.Managed.ParallelRunningCosts = rng.Float64() * 1e5
	m.Managed.RetainedOrganisationCosts = rng.Float64() * 1e5
	m.Managed.ExitCosts = rng.Float64() * 3e6
	m.Managed.ServiceCredits = rng.Float64() * 1e5
	m.Impact.OtherAnnualBenefits = (rng.Float64() - 0.5) * 1e6
	m.MTTRWeight = rng.Float64() * 0.2
	m.DiscountRate = new(rng.Float64()*0.4 - 0.1)
	m.IncidentsPerYear = new(rng.Float64() * 200)
	m.AnnualTurnover = new(rng.Float64())
	m.Managed.ResidualValue = rng.Float64() * 1e5
	if rng.IntN(3) > 0 { // the others have years that are alike
		return m
	}
	m.Inflation, m.RevenueGrowth, m.SalaryGrowth, m.FeeIndexation = rng.Float64()*0.2-0.05, rng.Float64()*0.2-0.1, rng.Float64()*0.1, rng.Float64()*0.1
	m.TaxRate, m.DepreciationYears, m.StartYear = rng.Float64()*0.5, rng.IntN(8), 2024+rng.IntN(5)
	for range rng.IntN(4) {
		m.RampUp = append(m.RampUp, rng.Float64())
	}
	m.Impact.RevenueByHourOfWeek, m.Impact.OutagesByHourOfWeek = make([]float64, roi.HoursOfWeek), make([]float64, roi.HoursOfWeek)
	for h := range roi.HoursOfWeek {
		m.Impact.RevenueByHourOfWeek[h], m.Impact.OutagesByHourOfWeek[h] = rng.Float64(), rng.Float64()
	}
	return m
}

// randomValue is one that the input may have.
func randomValue(rng *rand.Rand, path string) float64 {
	switch {
	case path == "years":
		return float64(1 + rng.IntN(12))
	case path == "mttr_weight", path == "tax_rate":
		return rng.Float64() * 0.99
	case strings.HasSuffix(path, "_growth"), path == "inflation", path == "fee_indexation":
		return rng.Float64()*0.3 - 0.1
	case path == "discount_rate":
		return rng.Float64() - 0.3
	case strings.HasSuffix(path, "_percent"):
		return 98 + 2*rng.Float64()
	case strings.HasPrefix(path, "staffing."), path == "annual_turnover", strings.HasSuffix(path, "multiplier"), strings.HasSuffix(path, "hours"):
		return 5 * rng.Float64()
	}
	return 1e5 * rng.Float64()
}

// A plan says what the model says with the values put in. The slow way, by
// evaluating the changed model, is the oracle.
func TestPlanIsTheModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	noIRR, never := 0, 0
	for i := range 3000 {
		m := richModel(rng)
		paths := m.Inputs()
		rng.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		paths = paths[:rng.IntN(len(paths)+1)]
		if i == 0 {
			paths = m.Inputs()
		}
		plan, err := roi.Compile(m, paths...)
		if err != nil {
			t.Fatal(err)
		}
		overrides, values := map[string]float64{}, []float64{}
		for _, path := range paths {
			v := randomValue(rng, path)
			overrides[path], values = v, append(values, v)
		}
		changed, err := m.With(overrides)
		if err != nil {
			t.Fatal(err)
		}
		want, err := roi.Sound(changed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := plan.At(values)
		if err != nil {
			t.Fatal(err)
		}
		tolerance := 1e-12 * (math.Abs(want.PVBenefits) + math.Abs(want.PVCosts))
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"NPV", got.NPV, want.NPV},
			{"PVBenefits", got.PVBenefits, want.PVBenefits},
			{"PVCosts", got.PVCosts, want.PVCosts},
			{"net", got.Benefits - got.Costs, want.AnnualNetBenefit},
			{"outlay", -got.Outlay, want.Flows[0].Amount},
		} {
			if math.Abs(c.got-c.want) > tolerance {
				t.Errorf("%s = %v, want %v ± %g with %v", c.name, c.got, c.want, tolerance, overrides)
			}
		}
		if has := got.HasIRR(); has != (len(want.IRR.Roots) > 0) {
			t.Errorf("HasIRR = %t, but the rates are %v of %v", has, want.IRR.Roots, overrides)
		} else if !has {
			noIRR++
		}
		years, ok := got.Payback()
		switch {
		case ok != (want.PaybackYears != nil):
			t.Errorf("payback %v %t, want %v", years, ok, want.PaybackYears)
		case ok && math.Abs(years-*want.PaybackYears) > 1e-9:
			t.Errorf("payback %v, want %v", years, *want.PaybackYears)
		case !ok:
			never++
		}
		ratio, ok := got.ROI()
		if ok != (want.ROIPercent != nil) || ok && math.Abs(ratio*100-*want.ROIPercent) > 1e-9*(1+math.Abs(ratio)*100) {
			t.Errorf("ROI %v %t, want %v %%", ratio, ok, want.ROIPercent)
		}
	}
	if noIRR == 0 || never == 0 {
		t.Errorf("%d models without a rate, %d without a payback: want some of each", noIRR, never)
	}
}

// The example saves 75.2 % of the internal cost: 1 730 000 in three years beside
// 3 × 2 325 000.
func TestPointSavings(t *testing.T) {
	plan, err := roi.Compile(article(), "overhead_multiplier", "training_cost_per_person", "tool_licensing_costs", "infrastructure_costs", "recruitment_costs")
	if err != nil {
		t.Fatal(err)
	}
	pt, err := plan.At([]float64{1.5, 15_000, 100_000, 50_000, 25_000})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := pt.Savings(); !ok || math.Abs(got-(1-1_730_000.0/6_975_000)) > 1e-14 {
		t.Errorf("savings = %v %t, want 0.75197…", got, ok)
	}
	if pt, err = plan.At(make([]float64, 5)); err != nil {
		t.Fatal(err)
	}
	if got, ok := pt.Savings(); ok {
		t.Errorf("savings of nothing = %v, want none", got)
	}
}

func TestPlanErrors(t *testing.T) {
	m := article()
	if _, err := roi.Compile(m, "monthly_service_fee", "managed.monthly_service_fee", "fee", "staffing.pilot"); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error = %v, want three problems", err)
	}
	bad := m
	bad.Impact.TargetAvailabilityPercent = 101
	if _, err := roi.Compile(bad); err == nil {
		t.Error("a model that is not valid was compiled")
	}
	plan, err := roi.Compile(m, "discount_rate", "years", "setup_costs")
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Paths(); !slices.Equal(got, []string{"discount_rate", "years", "managed.setup_costs"}) {
		t.Errorf("paths %v", got)
	}
	for _, c := range []struct {
		values []float64
		path   string
		is     error
	}{
		{[]float64{-1, 3, 0}, "discount_rate", nil},
		{[]float64{math.NaN(), 3, 0}, "discount_rate", nil},
		{[]float64{0, 2.5, 0}, "years", nil},
		{[]float64{0, 1e300, 0}, "years", nil},
		{[]float64{0, math.NaN(), 0}, "years", nil},
		{[]float64{0, 3, -1}, "managed.setup_costs", nil},
		{[]float64{0, 3, math.Inf(1)}, "managed.setup_costs", nil},
		{[]float64{0, 3}, "", roi.ErrValues},
		{[]float64{-0.9999999999999999, 100, 0}, "", roi.ErrOverflow},
	} {
		_, err := plan.At(c.values)
		var field *roi.FieldError
		if errors.As(err, &field) != (c.path != "") || field != nil && field.Path != c.path || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("At(%v): %v, want an error of %q %v", c.values, err, c.path, c.is)
		}
	}
}

func TestWith(t *testing.T) {
	m := article()
	m.Staffing = map[string]float64{"senior_engineer": 4}
	got, err := m.With(map[string]float64{"staffing.senior_engineer": 6, "monthly_service_fee": 20_000, "years": 5, "discount_rate": 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if got.Staffing["senior_engineer"] != 6 || m.Staffing["senior_engineer"] != 4 || got.Managed.MonthlyServiceFee != 20_000 || *got.Years != 5 || *got.DiscountRate != 0.1 {
		t.Errorf("With = %+v of %+v", got, m)
	}
	for _, c := range []struct {
		overrides map[string]float64
		want      []string
	}{
		{map[string]float64{"fee": 1, "setup_costs": -1}, []string{"fee", "managed.setup_costs"}},
		{map[string]float64{"years": 2.5}, []string{"years"}},
		{map[string]float64{"setup_costs": 1, "managed.setup_costs": 2}, []string{"managed.setup_costs"}},
		{map[string]float64{"discount_rate": math.NaN()}, []string{"discount_rate"}},
	} {
		_, err := m.With(c.overrides)
		var paths []string
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				if field, ok := errors.AsType[*roi.FieldError](e); ok {
					paths = append(paths, field.Path)
				}
			}
		}
		slices.Sort(paths)
		if !slices.Equal(paths, c.want) {
			t.Errorf("With(%v): %v, want problems of %v", c.overrides, err, c.want)
		}
	}
}

func TestInputIsTheDefault(t *testing.T) {
	m := article()
	for name, want := range map[string]float64{
		"years": 3, "discount_rate": 0.08, "annual_turnover": 0.2, "incidents_per_year": 120, "staffing.manager": 1,
		"annual_salaries.manager": 160_000, "mttr_weight": 0, "monthly_service_fee": 45_000,
	} {
		if _, got, err := m.Input(name); err != nil || got != want {
			t.Errorf("Input(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
}

// Service credits count once, as a benefit of every year.
func TestServiceCredits(t *testing.T) {
	m := article()
	before, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Managed.ServiceCredits = 10_000
	after, err := roi.Sound(m)
	if err != nil {
		t.Fatal(err)
	}
	want := 10_000/1.08 + 10_000/1.08/1.08 + 10_000/1.08/1.08/1.08
	if got := after.NPV - before.NPV; math.Abs(got-want) > 1e-8 {
		t.Errorf("10 000 a year are worth %v, want %v", got, want)
	}
}

// A plan answers many what-if questions at once.
func ExampleCompile() {
	plan, err := roi.Compile(article(), "managed.monthly_service_fee", "impact.target_availability_percent")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, values := range [][]float64{{45_000, 99.5}, {20_000, 99}, {90_000, 99.9}} {
		pt, err := plan.At(values)
		if err != nil {
			fmt.Println(err)
			return
		}
		savings, _ := pt.Savings()
		fmt.Printf("%v: NPV %.2f, savings %.1f %%\n", values, pt.NPV, savings*100)
	}
	// Output:
	// [45000 99.5]: NPV 12964339.79, savings 75.2 %
	// [20000 99]: NPV 5271705.28, savings 88.1 %
	// [90000 99.9]: NPV 18345318.29, savings 52.0 %
}

func BenchmarkPlan(b *testing.B) {
	for _, bb := range []struct {
		name  string
		paths []string
	}{
		{"open=4", []string{"monthly_service_fee", "revenue_per_hour", "target_availability_percent", "setup_costs"}},
		{"open=4/rate", []string{"monthly_service_fee", "revenue_per_hour", "target_availability_percent", "discount_rate"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			plan, err := roi.Compile(article(), bb.paths...)
			if err != nil {
				b.Fatal(err)
			}
			values := []float64{45_000, 25_000, 99.5, 0.1}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.At(values); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
