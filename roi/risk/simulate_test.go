package risk_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/sample"
	"github.com/evenkeelops/evenkeel/roi"
	"github.com/evenkeelops/evenkeel/roi/risk"
)

// Where the result is linear in independent inputs, its mean is the result at
// their means and its variance the weighted sum of theirs: a triangle has the mean
// (a+b+c)/3 and the variance (a²+b²+c²−ab−ac−bc)/18.
func TestMeanOfALinearModel(t *testing.T) {
	weights := map[string]float64{ // of an input in the present value, by hand
		"managed.monthly_service_fee":        -12 * annuity,
		"managed.setup_costs":                -1,
		"internal.tool_licensing_costs":      annuity,
		"impact.target_availability_percent": 87.6 * 75_000 * annuity,
	}
	want, variance := (2_325_000-100_000-20_000-99*87.6*75_000)*annuity, 0.0 // what is left at zero
	for path, d := range four() {
		a, b, c := d.Min, d.Mode, d.Max
		want += weights[path] * (a + b + c) / 3
		variance += weights[path] * weights[path] * (a*a + b*b + c*c - a*b - a*c - b*c) / 18
	}
	for seed := range uint64(10) {
		f := simulate(t, article(), four(), 20_000, &risk.Options{Seed: seed})
		if off := math.Abs(f.NPV.Mean - want); off > 4**f.NPV.StandardError {
			t.Errorf("seed %d: mean %v, want %v, %.1f standard errors away", seed, f.NPV.Mean, want, off / *f.NPV.StandardError)
		}
		// The relative error of a standard deviation is about 1/√(2n) = 0.5 %.
		if rel := *f.NPV.SD / math.Sqrt(variance); rel < 0.975 || rel > 1.025 {
			t.Errorf("seed %d: standard deviation %v, want %v", seed, *f.NPV.SD, math.Sqrt(variance))
		}
		if se := *f.NPV.SD / math.Sqrt(20_000); math.Abs(se / *f.NPV.StandardError - 1) > 1e-12 {
			t.Errorf("standard error %v, want %v", *f.NPV.StandardError, se)
		}
	}
}

// every is a study with everything in it: truncation, ties, refused scenarios.
func every() (map[string]risk.Distribution, *risk.Options) {
	inputs := four()
	inputs["discount_rate"] = risk.Distribution{Kind: risk.Discrete, Values: []float64{-2, 0.05, 0.08, 0.15}, Weights: []float64{1, 5, 10, 4}}
	inputs["managed.additional_tool_costs"] = risk.Distribution{Kind: risk.Normal, Mean: 20_000, SD: 15_000}
	inputs["impact.revenue_per_hour"] = risk.Distribution{Kind: risk.Lognormal, Mean: 25_000, SD: 20_000, UpTo: new(60_000.0)}
	inputs["incidents_per_year"] = risk.Distribution{Kind: risk.Empirical, Values: []float64{100, 120, 150}}
	inputs["staffing.manager"] = risk.Distribution{Kind: risk.PERT, Min: 0, Mode: 1, Max: 2}
	inputs["years"] = risk.Distribution{Kind: risk.Discrete, Values: []float64{1, 3, 5}, Weights: []float64{1, 2, 1}}
	inputs["service_credits"] = risk.Distribution{Kind: risk.Discrete, Values: []float64{0, 5000}, Weights: []float64{3, 1}, Sum: 12}
	return inputs, &risk.Options{Seed: 7, Correlations: []risk.Correlation{
		{A: "monthly_service_fee", B: "target_availability_percent", Rank: 0.7},
		{A: "monthly_service_fee", B: "setup_costs", Rank: -0.3},
	}}
}

func TestWorkersDoNotMatter(t *testing.T) {
	inputs, o := every()
	for _, limit := range []float64{0, 60_000} {
		o.StandardError, o.Workers = limit, 1
		want := simulate(t, article(), inputs, 50_000, o)
		if limit > 0 && want.Drawn == 50_000 {
			t.Error("the run did not end early")
		}
		if len(want.Refused) != 2 || want.Valid+want.Refused[0].Scenarios+want.Refused[1].Scenarios != want.Drawn {
			t.Errorf("refused %+v of %d, valid %d", want.Refused, want.Drawn, want.Valid)
		}
		for _, workers := range []int{1, 2, 8} {
			o.Workers = workers
			if got := simulate(t, article(), inputs, 50_000, o); !reflect.DeepEqual(got, want) {
				t.Errorf("%d workers: %v, want %v", workers, got, want)
			}
		}
	}
	o.Seed++
	if other := simulate(t, article(), inputs, 50_000, o); other.NPV.Mean == simulate(t, article(), inputs, 50_000, &risk.Options{Seed: 7}).NPV.Mean {
		t.Error("another seed draws the same")
	}
}

func TestForecastHoldsTogether(t *testing.T) {
	inputs, o := every()
	for n := range 60 {
		o.Seed, o.Bins = uint64(n), n+1
		f := simulate(t, article(), inputs, 1+n*n*5, o)
		s := f.NPV
		if !(s.Min <= s.P5 && s.P5 <= s.P50 && s.P50 <= s.P95 && s.P95 <= s.Max && s.Min <= s.Mean && s.Mean <= s.Max) {
			t.Errorf("out of order: %+v", s)
		}
		if f.ValueAtRisk != -s.P5 || f.ExpectedShortfall < f.ValueAtRisk {
			t.Errorf("value at risk %v, shortfall %v, P5 %v", f.ValueAtRisk, f.ExpectedShortfall, s.P5)
		}
		count := 0
		for i, b := range f.Histogram {
			count += b.Count
			if i > 0 && b.From != f.Histogram[i-1].To {
				t.Errorf("column %d begins at %v, the one before ends at %v", i, b.From, f.Histogram[i-1].To)
			}
		}
		if first, last := f.Histogram[0], f.Histogram[len(f.Histogram)-1]; count != f.Valid || first.From != s.Min || last.To != s.Max {
			t.Errorf("histogram has %d of %d from %v to %v", count, f.Valid, first.From, last.To)
		}
		for _, c := range f.Claims {
			if sum := c.Missed + c.Within + c.Exceeded + c.Undefined; math.Abs(sum-1) > 1e-12 {
				t.Errorf("%s: shares add up to %v", c.Claim, sum)
			}
		}
		if _, err := json.Marshal(f); err != nil {
			t.Error(err)
		}
	}
}

// Amounts in another currency at 7 to 1 are a result at 7 to 1.
func TestScaling(t *testing.T) {
	want := simulate(t, article(), four(), 10_000, nil)
	m, inputs := article(), four()
	const k = 7
	for role, salary := range m.Internal.AnnualSalaries {
		m.Internal.AnnualSalaries[role] = k * salary
	}
	for _, v := range []*float64{
		&m.Internal.TrainingCostPerPerson, &m.Internal.InfrastructureCosts, &m.Internal.RecruitmentCosts, &m.Managed.AdditionalToolCosts, &m.Impact.RevenuePerHour,
	} {
		*v *= k
	}
	for path, d := range inputs {
		if path != "impact.target_availability_percent" {
			inputs[path] = risk.Distribution{Kind: d.Kind, Min: k * d.Min, Mode: k * d.Mode, Max: k * d.Max}
		}
	}
	got := simulate(t, m, inputs, 10_000, nil)
	for _, p := range [][2]float64{
		{got.NPV.Mean, want.NPV.Mean}, {*got.NPV.SD, *want.NPV.SD}, {got.NPV.P5, want.NPV.P5}, {got.NPV.P95, want.NPV.P95}, {got.ExpectedShortfall, want.ExpectedShortfall},
	} {
		if math.Abs(p[0]-k*p[1]) > 1e-9*math.Abs(p[0]) {
			t.Errorf("%v, want 7 × %v", p[0], p[1])
		}
	}
	if got.Loss != want.Loss || !reflect.DeepEqual(got.Claims, want.Claims) {
		t.Errorf("shares %v %+v, want %v %+v", got.Loss, got.Claims, want.Loss, want.Claims)
	}
}

// What cannot be valued is counted and not averaged.
func TestRefusedScenarios(t *testing.T) {
	f := simulate(t, article(), map[string]risk.Distribution{
		"discount_rate": {Kind: risk.Discrete, Values: []float64{-1, 0.08}, Weights: []float64{1, 3}},
	}, 10_000, nil)
	want := (5_610_000-560_000)*annuity - 50_000
	if math.Abs(f.NPV.Mean-want) > 1e-6 || *f.NPV.SD > 1e-6 || f.NPV.P5 != f.NPV.P95 {
		t.Errorf("%+v, want %v with certainty", f.NPV, want)
	}
	if len(f.Refused) != 1 || f.Refused[0].Path != "discount_rate" || f.Valid+f.Refused[0].Scenarios != 10_000 || math.Abs(float64(f.Valid)-7500) > 200 {
		t.Errorf("refused %+v, valid %d, want a quarter of 10 000", f.Refused, f.Valid)
	}
	if len(f.Histogram) != 1 || f.Histogram[0].Count != f.Valid || f.Drivers[0].Spearman != nil {
		t.Errorf("histogram %+v, drivers %+v, want one column and no correlation", f.Histogram, f.Drivers)
	}
	f, err := risk.Simulate(t.Context(), article(), map[string]risk.Distribution{"setup_costs": {Kind: risk.Constant, Value: -1}}, 100, nil)
	if !errors.Is(err, risk.ErrAllRefused) || f.NPV != nil || f.Refused[0].Scenarios != 100 {
		t.Errorf("%v, %v, want no value", f, err)
	}
	m := article()
	f, err = risk.Simulate(t.Context(), m, map[string]risk.Distribution{"setup_costs": {Kind: risk.Constant, Value: 1e308}, "exit_costs": {Kind: risk.Constant, Value: 1.7e308}}, 10, nil)
	if !errors.Is(err, risk.ErrAllRefused) || f.Refused[0] != (risk.Refusal{Path: "", Scenarios: 10}) {
		t.Errorf("%v, %v, want results out of range", f, err)
	}
}

// The shares of a model that is bad by construction: nothing is gained, so that
// there is neither a rate nor a payback.
func TestSharesOfALoss(t *testing.T) {
	m := article()
	m.Impact.TargetAvailabilityPercent = m.Impact.CurrentAvailabilityPercent
	f := simulate(t, m, map[string]risk.Distribution{
		// 193 750 a month is what the internal team costs: above 192 083.33 less
		// than nothing is left after tools.
		"monthly_service_fee": {Kind: risk.Discrete, Values: []float64{200_000, 250_000}, Weights: []float64{1, 1}},
	}, 1000, nil)
	if f.Loss != 1 || f.NoIRR != 1 || f.NoPayback != 1 || f.Claims[0].Missed != 1 || f.Claims[1].Missed != 1 {
		t.Errorf("%+v, want a loss each time", f)
	}
	f = simulate(t, m, map[string]risk.Distribution{
		// 40 to 60 % saved: 2 325 000 × 0.5 a year, less tools and a third of setup.
		"monthly_service_fee": {Kind: risk.Constant, Value: (1_162_500 - 20_000 - 50_000.0/3) / 12},
	}, 1000, nil)
	if f.Loss != 0 || f.NoIRR != 0 || f.NoPayback != 0 || f.Claims[0].Within != 1 || f.Claims[1].Exceeded != 1 {
		t.Errorf("%+v, want half of the cost saved each time", f)
	}
}

// The sample has the rank correlations that were asked for, and each input its own
// distribution.
func TestCorrelation(t *testing.T) {
	inputs := map[string]risk.Distribution{
		"managed.setup_costs":      {Kind: risk.Lognormal, Mean: 50_000, SD: 50_000},
		"managed.transition_costs": {Kind: risk.Triangular, Min: 0, Mode: 0, Max: 100_000},
	}
	alone := simulate(t, article(), inputs, risk.Ranked, nil)
	for _, rho := range []float64{-0.9, -0.4, 0.4, 0.9} {
		f := simulate(t, article(), inputs, risk.Ranked, &risk.Options{Correlations: []risk.Correlation{{A: "setup_costs", B: "transition_costs", Rank: rho}}})
		if rel := f.NPV.Mean / alone.NPV.Mean; math.Abs(rel-1) > 1e-3 {
			t.Errorf("rank %v: mean %v, want that of independent inputs %v", rho, f.NPV.Mean, alone.NPV.Mean)
		}
		if wider := *f.NPV.SD > *alone.NPV.SD; wider != (rho > 0) {
			t.Errorf("rank %v: standard deviation %v, of independent inputs %v", rho, *f.NPV.SD, *alone.NPV.SD)
		}
	}
}

func TestDriversAreSorted(t *testing.T) {
	f := simulate(t, article(), four(), 20_000, nil)
	if f.Drivers[0].Path != "impact.target_availability_percent" || *f.Drivers[0].Spearman < 0.9 {
		t.Errorf("drivers %+v, want the availability first", f.Drivers)
	}
	for i, d := range f.Drivers[1:] {
		if math.Abs(*d.Spearman) > math.Abs(*f.Drivers[i].Spearman) {
			t.Errorf("drivers %+v are not in order", f.Drivers)
		}
	}
}

func TestSimulateErrors(t *testing.T) {
	triangle := risk.Distribution{Kind: risk.Triangular, Min: 1, Mode: 2, Max: 3}
	two := map[string]risk.Distribution{"setup_costs": triangle, "exit_costs": triangle, "transition_costs": triangle}
	tie := func(a, b string, rank float64) risk.Correlation { return risk.Correlation{A: a, B: b, Rank: rank} }
	for _, c := range []struct {
		name   string
		inputs map[string]risk.Distribution
		n      int
		o      risk.Options
		path   string // of the *InputError
		is     error
	}{
		{"no scenarios", two, 0, risk.Options{}, "scenarios", nil},
		{"too many", two, risk.MaxDraws + 1, risk.Options{}, "scenarios", nil},
		{"workers", two, 1, risk.Options{Workers: -1}, "options.workers", nil},
		{"bins", two, 1, risk.Options{Bins: -1}, "options.bins", nil},
		{"standard error", two, 1, risk.Options{StandardError: math.NaN()}, "options.standard_error", nil},
		{"kind", map[string]risk.Distribution{"setup_costs": {Kind: "beta"}}, 1, risk.Options{}, "managed.setup_costs.kind", nil},
		{"order", map[string]risk.Distribution{"setup_costs": {Kind: risk.Uniform, Min: 2, Max: 1}}, 1, risk.Options{}, "managed.setup_costs.kind", nil},
		{"foreign field", map[string]risk.Distribution{"setup_costs": {Kind: risk.Uniform, Max: 1, SD: 1}}, 1, risk.Options{}, "managed.setup_costs.sd", nil},
		{"sum", map[string]risk.Distribution{"setup_costs": {Kind: risk.Constant, Sum: -1}}, 1, risk.Options{}, "managed.setup_costs.sum", nil},
		{"nothing kept", map[string]risk.Distribution{"setup_costs": {Kind: risk.Uniform, Max: 1, From: new(2.0)}}, 1, risk.Options{}, "managed.setup_costs.kind", nil},
		{"little kept", map[string]risk.Distribution{"setup_costs": {Kind: risk.Normal, Mean: 0, SD: 1, From: new(8.0)}}, 1, risk.Options{}, "", sample.ErrExhausted},
		{"twice", map[string]risk.Distribution{"setup_costs": triangle, "managed.setup_costs": triangle}, 1, risk.Options{}, "managed.setup_costs", nil},
		{"not drawn", two, 1, risk.Options{Correlations: []risk.Correlation{tie("setup_costs", "years", 0.1)}}, "options.correlations[0].b", nil},
		{"with itself", two, 1, risk.Options{Correlations: []risk.Correlation{tie("setup_costs", "setup_costs", 0.1)}}, "options.correlations[0].b", nil},
		{"pair twice", two, 1, risk.Options{Correlations: []risk.Correlation{tie("setup_costs", "exit_costs", 0.1), tie("exit_costs", "setup_costs", 0.1)}}, "options.correlations[1]", nil},
		{"one", two, 1, risk.Options{Correlations: []risk.Correlation{tie("setup_costs", "exit_costs", 1)}}, "options.correlations[0].rank", risk.ErrNotPositiveDefinite},
		{"impossible", two, 1, risk.Options{Correlations: []risk.Correlation{
			tie("setup_costs", "exit_costs", 0.9), tie("exit_costs", "transition_costs", 0.9), tie("setup_costs", "transition_costs", -0.9),
		}}, "options.correlations", risk.ErrNotPositiveDefinite},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := risk.Simulate(t.Context(), article(), c.inputs, c.n, &c.o)
			var bad *risk.InputError
			if errors.As(err, &bad) != (c.path != "") || bad != nil && bad.Path != c.path || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error = %v, want one of %q %v", err, c.path, c.is)
			}
		})
	}
	_, err := risk.Simulate(t.Context(), article(), map[string]risk.Distribution{"fee": triangle, "setup": triangle}, 1, nil)
	if _, ok := errors.AsType[*roi.FieldError](err); !ok || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("error = %v, want two unknown inputs", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, workers := range []int{1, 4} {
		if f, err := risk.Simulate(ctx, article(), four(), 100_000, &risk.Options{Workers: workers}); f != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, %v, want %v", f, err, context.Canceled)
		}
	}
}
