package risk

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/roi"
)

// Every scenario is the model with the drawn values put in, and a shorter run is
// the beginning of a longer one.
func TestScenariosAreTheModel(t *testing.T) {
	m := roi.Model{
		Internal: roi.Internal{AnnualSalaries: map[string]float64{"a": 90_000, "b": 60_000}, OverheadMultiplier: 1.4, RecruitmentCosts: 9000},
		Managed:  roi.Managed{MonthlyServiceFee: 20_000, SetupCosts: 40_000, ContractLengthMonths: 24, ExitCosts: 30_000},
		Impact:   roi.Impact{RevenuePerHour: 4000, DowntimeCostMultiplier: 2, CurrentAvailabilityPercent: 99.2, TargetAvailabilityPercent: 99.6},
		Staffing: map[string]float64{"a": 3, "b": 2},
		Timing:   roi.Timing{Period: roi.Monthly, Position: roi.AtMiddle},
	}
	inputs := map[string]Distribution{
		"staffing.a":                  {Kind: PERT, Min: 2, Mode: 3, Max: 5},
		"annual_salaries.b":           {Kind: Lognormal, Mean: 60_000, SD: 9000},
		"discount_rate":               {Kind: Normal, Mean: 0.08, SD: 0.03, From: new(0.0)},
		"years":                       {Kind: Discrete, Values: []float64{2, 4}, Weights: []float64{1, 1}},
		"target_availability_percent": {Kind: Uniform, Min: 99.2, Max: 99.9},
	}
	run := func(n int) *simulation {
		s, err := newSimulation(m, inputs, n, &Options{Seed: 5, Workers: 2, Correlations: []Correlation{{"discount_rate", "staffing.a", 0.5}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := run(3 * ChunkSize)
	for r := range 500 {
		values := map[string]float64{}
		for i, path := range s.paths {
			values[path] = s.ranked[i][r]
		}
		changed, err := m.With(values)
		if err != nil {
			t.Fatal(err)
		}
		want, err := roi.Sound(changed)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(s.npv[r]-want.NPV) > 1e-12*(want.PVBenefits+want.PVCosts) {
			t.Errorf("scenario %d: %v, want %v", r, s.npv[r], want.NPV)
		}
	}
	for _, n := range []int{1, 100, ChunkSize, ChunkSize + 1} {
		if short := run(n); !slices.Equal(short.npv, s.npv[:n]) {
			t.Errorf("the first %d of a longer run differ", n)
		}
	}
	a, b := slices.Index(s.paths, "discount_rate"), slices.Index(s.paths, "staffing.a")
	// The standard error of a rank correlation of 0.5 in 12 288 is below 0.01.
	if rho := spearman(ranks(s.ranked[a]), ranks(s.ranked[b])); math.Abs(*rho-0.5) > 0.03 {
		t.Errorf("rank correlation %v, want 0.5", *rho)
	}
	for i, path := range s.paths {
		if j := slices.Index(s.paths, "years"); i != j {
			if rho := spearman(ranks(s.ranked[i]), ranks(s.ranked[j])); math.Abs(*rho) > 0.04 {
				t.Errorf("%s and years have the rank correlation %v, want none", path, *rho)
			}
		}
	}
}

// Sorting everything is the slow way to percentiles.
func TestPercentiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	shapes := []func() float64{
		rng.Float64, rng.NormFloat64, func() float64 { return math.Exp(20 * rng.NormFloat64()) }, func() float64 { return float64(rng.IntN(3)) },
		func() float64 { return 42 }, func() float64 { return (rng.Float64() - 0.5) * math.MaxFloat64 * 2 }, func() float64 { return 5e-324 * float64(rng.IntN(9)) },
	}
	for i := range 500 {
		shape := shapes[i%len(shapes)]
		x := make([]float64, 1+rng.IntN(3000))
		for j := range x {
			x[j] = shape()
		}
		sorted := slices.Sorted(slices.Values(x))
		ps := []float64{0, 0.05, rng.Float64(), 0.95, 1}
		got := percentiles(x, sorted[0], sorted[len(sorted)-1], ps...)
		for k, p := range ps {
			h := p * float64(len(x)-1)
			lo, part := int(h), h-math.Floor(h)
			want := sorted[lo]
			if part > 0 {
				want += part * (sorted[lo+1] - sorted[lo])
			}
			if got[k] != want {
				t.Errorf("P%v of %d values of shape %d = %v, want %v", p*100, len(x), i%len(shapes), got[k], want)
			}
		}
	}
}

// The example of Spearman's coefficient with d² = 1 + 1 + 4 + 1 + 1 of five ranks:
// 1 − 6·8/(5·24) = 0.6. Ties share the mean of their ranks.
func TestSpearman(t *testing.T) {
	if rho := spearman(ranks([]float64{10, 20, 30, 40, 50}), ranks([]float64{2, 1, 5, 3, 4})); math.Abs(*rho-0.6) > 1e-15 {
		t.Errorf("rho = %v, want 0.6", *rho)
	}
	if got := ranks([]float64{7, 3, 7, 9}); !slices.Equal(got, []float64{2.5, 1, 2.5, 4}) {
		t.Errorf("ranks %v", got)
	}
	if rho := spearman(ranks([]float64{1, 1}), ranks([]float64{1, 2})); rho != nil {
		t.Errorf("rho = %v, want none", *rho)
	}
}

// Merging parts is as good as taking all at once.
func TestMomentsMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	x := make([]float64, 5000)
	for i := range x {
		x[i] = 1e6 + rng.NormFloat64()
	}
	want := momentsOf(x)
	var got moments
	for len(x) > 0 {
		n := min(rng.IntN(400), len(x))
		part := momentsOf(x[:n])
		got.merge(&part)
		x = x[n:]
	}
	if got.n != want.n || math.Abs(got.mean-want.mean) > 1e-9 || math.Abs(got.m2/want.m2-1) > 1e-9 || got.least != want.least || got.great != want.great {
		t.Errorf("merged %+v, want %+v", got, want)
	}
}
