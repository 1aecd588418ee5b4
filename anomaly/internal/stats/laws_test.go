package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// tied draws n values, most of them equal to others.
func tied(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(1 + n/3))
	}
	return x
}

func close9(got, want float64) bool {
	return math.Abs(got-want) <= 1e-9*(1+math.Abs(want)) || math.IsNaN(got) && math.IsNaN(want)
}

// What selects without sorting agrees with sorting.
func TestSelection(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 200; n++ {
		x := tied(r, n)
		if n%2 == 0 {
			for i := range x {
				x[i] += r.Float64()
			}
		}
		sorted := slices.Sorted(slices.Values(x))
		for _, k := range []int{0, n / 3, n - 1} {
			if got := nth(slices.Clone(x), k); got != sorted[k] {
				t.Fatalf("nth(%v, %d) = %v, want %v", x, k, got, sorted[k])
			}
		}
		if got, want := Median(x), (sorted[(n-1)/2]+sorted[n/2])/2; !close9(got, want) {
			t.Fatalf("Median(%v) = %v, want %v", x, got, want)
		}
		var distances []float64
		for i := range x {
			for j := range i {
				distances = append(distances, math.Abs(x[i]-x[j]))
			}
		}
		if n > 1 {
			slices.Sort(distances)
			h := n/2 + 1
			if got, want := Qn(sorted), 2.219144465985076*distances[h*(h-1)/2-1]; !close9(got, want) {
				t.Fatalf("Qn(%v) = %v, want %v", sorted, got, want)
			}
		}
	}
}

// Every method keeps the order of its arguments, stays among the values and mirrors:
// the q-quantile of -x is minus the (1-q)-quantile, by the method that is its mirror.
func TestQuantileMethodLaws(t *testing.T) {
	mirror := map[Method]Method{Lower: Higher, Higher: Lower}
	r := rand.New(rand.NewPCG(3, 4))
	for m := Linear; m <= Nearest; m++ {
		for n := 1; n < 40; n++ {
			x := tied(r, n)
			slices.Sort(x)
			negative := make([]float64, n)
			for i, v := range x {
				negative[n-1-i] = -v
			}
			last := math.Inf(-1)
			for k := range 65 {
				q := float64(k) / 64
				got := QuantileBy(x, q, m)
				if got < last || got < x[0] || got > x[n-1] {
					t.Fatalf("method %d: quantile %v of %v is %v after %v", m, q, x, got, last)
				}
				last = got
				other, ok := mirror[m]
				if !ok {
					other = m
				}
				if m == InvertedCDF || m == ClosestObservation || m == InterpolatedInvertedCDF || m == Nearest {
					continue // these four prefer one side
				}
				if back := -QuantileBy(negative, 1-q, other); !close9(back, got) {
					t.Fatalf("method %d: quantile %v of %v is %v, mirrored %v", m, q, x, got, back)
				}
			}
		}
		if got := QuantileBy(nil, 0.5, m); !math.IsNaN(got) {
			t.Errorf("method %d of nothing = %v, want NaN", m, got)
		}
	}
}

func TestRobustLines(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	x, y := make([]float64, 41), make([]float64, 41)
	for i := range x {
		x[i], y[i] = float64(i), 3+2*float64(i)
		if i%4 == 1 { // 10 of 41
			y[i] = 1e6 * r.Float64()
		}
	}
	for name, got := range map[string]Trend{"TheilSen": TheilSen(x, y), "Siegel": Siegel(x, y)} {
		if !close9(got.Slope, 2) || math.Abs(got.Intercept-3) > 45 || !close9(Siegel(x, y).Intercept, 3) {
			t.Errorf("%s of a line with a quarter of outliers = %+v, want slope 2", name, got)
		}
	}
	if got := TheilSen(x, y).At(0); got != TheilSen(x, y).Intercept {
		t.Errorf("At(0) = %v", got)
	}
	flat := []float64{1, 1, 1}
	for name, got := range map[string]float64{
		"TheilSen": TheilSen(flat, flat).Slope, "Siegel": Siegel(flat, flat).Slope, "FitLine": FitLine(flat, flat).Slope,
		"KendallTau": KendallTau(flat, []float64{1, 2, 3}), "TheilSen of nothing": TheilSen(nil, nil).Slope,
		"two points": first(FitLine([]float64{1, 2}, []float64{3, 5}).Predict(3, 0.95)),
	} {
		if !math.IsNaN(got) {
			t.Errorf("%s = %v, want NaN", name, got)
		}
	}
	if l := FitLine([]float64{1, 2}, []float64{3, 5}); !close9(l.Slope, 2) || !close9(l.Intercept, 1) || !close9(l.Reach(9), 4) {
		t.Errorf("line through two points = %+v", l)
	}
}

func first(a, _ float64) float64 { return a }

// Two samples by their definitions, over all pairs and all values.
func TestTwoSamplesAgainstDefinitions(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		a, b := tied(r, 1+r.IntN(30)), tied(r, 1+r.IntN(30))
		u := 0.0
		for _, v := range a {
			for _, w := range b {
				u += float64(1+compare(v, w)) / 2
			}
		}
		got, p := MannWhitney(a, b)
		_, back := MannWhitney(b, a)
		if got != u || !close9(p, back) || !(p > 0 && p <= 1) {
			t.Errorf("MannWhitney(%v, %v) = %v, %v, swapped p %v, want u %v", a, b, got, p, back, u)
		}
		labels := make([]bool, len(a)+len(b))
		for i := range a {
			labels[i] = true
		}
		if got := ROCAUC(labels, slices.Concat(a, b)); !close9(got, u/float64(len(a)*len(b))) {
			t.Errorf("ROCAUC = %v, want U over all pairs", got)
		}
		slices.Sort(a)
		slices.Sort(b)
		share := func(x []float64, v float64) float64 {
			n := 0.0
			for _, w := range x {
				if w <= v {
					n++
				}
			}
			return n / float64(len(x))
		}
		d, area := 0.0, 0.0
		points := slices.Sorted(slices.Values(slices.Concat(a, b)))
		for i, v := range points {
			gap := math.Abs(share(a, v) - share(b, v))
			d = max(d, gap)
			if i+1 < len(points) {
				area += gap * (points[i+1] - v)
			}
		}
		if got, _ := KS(a, b); !close9(got, d) {
			t.Errorf("KS = %v, want %v", got, d)
		}
		if got := Wasserstein1(a, b); !close9(got, area) {
			t.Errorf("Wasserstein1 = %v, want %v", got, area)
		}
		if got := PSI(a, a, PSIEdges(a, 10), 1e-4); got != 0 {
			t.Errorf("PSI of a sample with itself = %v, want 0", got)
		}
		if got := PSI(a, b, PSIEdges(a, 10), 1e-4); got < 0 {
			t.Errorf("PSI = %v, want none below 0", got)
		}
	}
	d, p := KS(nil, []float64{1})
	u, pu := MannWhitney(nil, nil)
	for _, v := range []float64{d, p, u, pu, Wasserstein1([]float64{1}, nil), PSI(nil, []float64{1}, nil, 1e-4), ROCAUC([]bool{true}, []float64{1}), AveragePrecision([]bool{false}, []float64{1})} {
		if !math.IsNaN(v) {
			t.Errorf("statistic of an empty sample = %v, want NaN", v)
		}
	}
	if _, p := MannWhitney([]float64{1, 1}, []float64{1}); p != 1 {
		t.Errorf("p of equal values = %v, want 1", p)
	}
}

func TestTails(t *testing.T) {
	for _, logP := range []float64{-1e-12, -0.1, -math.Ln2, -1, -20, -700, -1e6} {
		if got := LogNormalTail(NormalDeviate(logP)); math.Abs(got/logP-1) > 1e-9 && !(logP > -1e-9 && math.Abs(got-logP) < 1e-15) {
			t.Errorf("LogNormalTail(NormalDeviate(%v)) = %v", logP, got)
		}
	}
	if math.Abs(LogNormalTail(9.9999999999)-LogNormalTail(10)) > 1e-8 {
		t.Error("the two forms of the normal tail do not meet at 10")
	}
	if a, b := KolmogorovTail(math.Nextafter(1, 0)), KolmogorovTail(1); math.Abs(a-b) > 1e-13 {
		t.Errorf("the two series of Kolmogorov's limit give %v and %v at 1", a, b)
	}
	for _, c := range []struct{ p, df, want float64 }{
		// Quantiles of Student's distribution: closed forms for 1 and 2 degrees of freedom,
		// tan((1/2-p) pi) and (1-2p)/sqrt(2p(1-p)); the normal quantile for very many.
		{0.025, 1, math.Tan(0.475 * math.Pi)},
		{0.001, 1, math.Tan(0.499 * math.Pi)},
		{0.975, 1, -math.Tan(0.475 * math.Pi)},
		{0.025, 2, 0.95 / math.Sqrt(2*0.025*0.975)},
		{1e-9, 2, (1 - 2e-9) / math.Sqrt(2*1e-9*(1-1e-9))},
		{0.025, 1e12, 1.959963984540054},
		{0, 3, math.NaN()},
		{0.5, 0, math.NaN()},
	} {
		if got := StudentUpper(c.p, c.df); !close9(got, c.want) {
			t.Errorf("StudentUpper(%v, %v) = %v, want %v", c.p, c.df, got, c.want)
		}
	}
	if a, b := StudentUpper(1e-4, math.Nextafter(1e5, 0)), StudentUpper(1e-4, 1e5); !close9(a, b) {
		t.Errorf("the two forms of Student's quantile give %v and %v at 1e5 degrees", a, b)
	}
	if a, b := NormalDeviate(math.Inf(-1)), NormalDeviate(0); !math.IsInf(a, 1) || !math.IsInf(b, -1) || !math.IsNaN(NormalDeviate(1)) {
		t.Errorf("deviates of probability 0, 1 and above = %v, %v, %v", a, b, NormalDeviate(1))
	}
}

// On independent uniform p-values every combination is uniform itself.
func TestCombinationsAreUniform(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for name, combine := range map[string]func([]float64) float64{"Sidak": Sidak, "Fisher": Fisher, "Stouffer": Stouffer, "Cauchy": Cauchy} {
		const n = 4000
		joined, line := make([]float64, n), make([]float64, n)
		for i := range joined {
			p := make([]float64, 1+i%7)
			for j := range p {
				p[j] = 1 - r.Float64()
			}
			joined[i], line[i] = combine(p), (float64(i)+0.5)/n
		}
		slices.Sort(joined)
		if d, p := KS(joined, line); p < 0.001 {
			t.Errorf("%s of uniform p-values is %v from uniform (p %v)", name, d, p)
		}
	}
}

func TestGESDWithoutSpread(t *testing.T) {
	g := TestGESD([]float64{1, 1, 1, 1}, 9, 0.05)
	if g.Outliers != 0 || len(g.R) != 2 {
		t.Errorf("equal values: %+v, want two steps and no outlier", g)
	}
	if g := TestGESD(nil, 3, 0.05); g.Outliers != 0 || g.R != nil {
		t.Errorf("no values: %+v", g)
	}
}
