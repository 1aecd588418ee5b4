package sample_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/sample"
)

func must(tb testing.TB, d sample.Dist, err error) sample.Dist {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func draws(tb testing.TB, d sample.Dist, n int, seed uint64) []float64 {
	tb.Helper()
	src := rand.NewPCG(seed, 7)
	out := make([]float64, n)
	for i := range out {
		x, err := d.Draw(src)
		if err != nil {
			tb.Fatalf("Draw %d: %v", i, err)
		}
		out[i] = x
	}
	return out
}

func moments(xs []float64) (mean, variance float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		variance += (x - mean) * (x - mean)
	}
	return mean, variance / float64(len(xs)-1)
}

// The wanted moments are the closed forms of the textbooks, written out here
// with numbers and not taken from the package.
func TestMoments(t *testing.T) {
	const n = 200_000
	tests := []struct {
		name         string
		dist         func() (sample.Dist, error)
		mean, vari   float64
		lo, hi       float64
		kurtosisLeft float64 // upper bound of the kurtosis, for the error of the variance
	}{
		{"constant", func() (sample.Dist, error) { return sample.Constant(-3.5) }, -3.5, 0, -3.5, -3.5, 0},
		{"uniform", func() (sample.Dist, error) { return sample.Uniform(-2, 10) }, 4, 12, -2, 10, 1.8},
		{"triangular", func() (sample.Dist, error) { return sample.Triangular(1, 2, 6) }, 3, 7.0 / 6, 1, 6, 2.4},
		{"triangular mode at min", func() (sample.Dist, error) { return sample.Triangular(0, 0, 3) }, 1, 0.5, 0, 3, 2.4},
		{"triangular mode at max", func() (sample.Dist, error) { return sample.Triangular(0, 3, 3) }, 2, 0.5, 0, 3, 2.4},
		// (1+4*2+6)/6 = 2.5; (2.5-1)(6-2.5)/7 = 0.75
		{"pert", func() (sample.Dist, error) { return sample.PERT(1, 2, 6) }, 2.5, 0.75, 1, 6, 3.2},
		{"pert symmetric", func() (sample.Dist, error) { return sample.PERT(-1, 0, 1) }, 0, 1.0 / 7, -1, 1, 3},
		// mean (0+0+6)/6 = 1; 1*(6-1)/7
		{"pert mode at min", func() (sample.Dist, error) { return sample.PERT(0, 0, 6) }, 1, 5.0 / 7, 0, 6, 5},
		{"pert mode at max", func() (sample.Dist, error) { return sample.PERT(0, 6, 6) }, 5, 5.0 / 7, 0, 6, 5},
		{"pert mode near max", func() (sample.Dist, error) { return sample.PERT(0, 5.999, 6) }, 29.996 / 6, (29.996 / 6) * (6 - 29.996/6) / 7, 0, 6, 5},
		{"normal", func() (sample.Dist, error) { return sample.Normal(5, 3) }, 5, 9, math.Inf(-1), math.Inf(1), 3},
		{"lognormal", func() (sample.Dist, error) { return sample.Lognormal(4, 2) }, 4, 4, 0, math.Inf(1), 9},
		{"exponential", func() (sample.Dist, error) { return sample.Exponential(3) }, 3, 9, 0, math.Inf(1), 9},
		// Γ(1+1/2) = √π/2, Γ(1+2/2) = 1: mean 4·√π/2, variance 16·(1-π/4)
		{"weibull", func() (sample.Dist, error) { return sample.Weibull(4, 2) }, 2 * math.Sqrt(math.Pi), 16 * (1 - math.Pi/4), 0, math.Inf(1), 4},
		// mean 2·6/5, variance 4·6/(5²·4); kurtosis 3+6(216+36-36-2)/(6·3·2) = 38.7
		{"pareto", func() (sample.Dist, error) { return sample.Pareto(2, 6) }, 2.4, 0.24, 2, math.Inf(1), 39},
		{"poisson", func() (sample.Dist, error) { return sample.Poisson(2.5) }, 2.5, 2.5, 0, math.Inf(1), 3.4},
		{"poisson large", func() (sample.Dist, error) { return sample.Poisson(4000) }, 4000, 4000, 0, math.Inf(1), 3.1},
		// 0.2*1 + 0.5*2 + 0.3*10 = 4.2; 0.2*1 + 0.5*4 + 0.3*100 - 4.2² = 14.56
		{"discrete", func() (sample.Dist, error) { return sample.Discrete([]float64{10, 1, 2, 99}, []float64{3, 2, 5, 0}) }, 4.2, 14.56, 1, 10, 3},
		// mean 5, mean square (1+4+81+64)/4 = 37.5
		{"empirical", func() (sample.Dist, error) { return sample.Empirical([]float64{9, 1, 8, 2}) }, 5, 12.5, 1, 9, 3},
		// A normal cut at its mean is half-normal: mean sqrt(2/pi), variance 1-2/pi.
		{"half normal", func() (sample.Dist, error) {
			d, err := sample.Normal(0, 1)
			if err != nil {
				return d, err
			}
			return d.Truncate(0, math.Inf(1))
		}, math.Sqrt(2 / math.Pi), 1 - 2/math.Pi, 0, math.Inf(1), 4},
		// A uniform cut stays uniform.
		{"cut uniform", func() (sample.Dist, error) {
			d, err := sample.Uniform(0, 100)
			if err != nil {
				return d, err
			}
			return d.Truncate(20, 32)
		}, 26, 12, 20, 32, 1.8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := tt.dist()
			xs := draws(t, must(t, d, err), n, 42)
			mean, variance := moments(xs)
			if low, high := slices.Min(xs), slices.Max(xs); low < tt.lo || high > tt.hi {
				t.Errorf("draws span [%v, %v], want inside [%v, %v]", low, high, tt.lo, tt.hi)
			}
			// Six standard errors: a false alarm once in half a billion runs,
			// and the seed is fixed anyway.
			if e := 6*math.Sqrt(tt.vari/n) + 1e-12; math.Abs(mean-tt.mean) > e {
				t.Errorf("mean of %d draws = %v, want %v ± %v", n, mean, tt.mean, e)
			}
			if e := 6*tt.vari*math.Sqrt(max(tt.kurtosisLeft-1, 0)/n) + 1e-12; math.Abs(variance-tt.vari) > e {
				t.Errorf("variance of %d draws = %v, want %v ± %v", n, variance, tt.vari, e)
			}
		})
	}
}

// ksDistance is the Kolmogorov-Smirnov distance between draws and a
// distribution function.
func ksDistance(xs []float64, cdf func(float64) float64) float64 {
	slices.Sort(xs)
	worst, n := 0.0, float64(len(xs))
	for i, x := range xs {
		f := cdf(x)
		worst = max(worst, math.Abs(f-float64(i)/n), math.Abs(float64(i+1)/n-f))
	}
	return worst
}

// betaCDF is the regularised incomplete beta function for whole shapes, which
// is a binomial tail: Σ_{j=a}^{a+b-1} C(a+b-1, j) x^j (1-x)^(a+b-1-j).
func betaCDF(a, b int) func(float64) float64 {
	return func(x float64) float64 {
		n, sum := a+b-1, 0.0
		for j := a; j <= n; j++ {
			c := 1.0
			for k := range j {
				c = c * float64(n-k) / float64(k+1)
			}
			sum += c * math.Pow(x, float64(j)) * math.Pow(1-x, float64(n-j))
		}
		return sum
	}
}

func TestShape(t *testing.T) {
	const n = 100_000
	limit := 2.0 / math.Sqrt(n) // Kolmogorov's distribution: exceeded with probability 7e-4
	tests := []struct {
		name string
		dist func() (sample.Dist, error)
		cdf  func(float64) float64
	}{
		{"pert 1 5", func() (sample.Dist, error) { return sample.PERT(0, 0, 1) }, betaCDF(1, 5)},
		{"pert 2 4", func() (sample.Dist, error) { return sample.PERT(0, 0.25, 1) }, betaCDF(2, 4)},
		{"pert 3 3", func() (sample.Dist, error) { return sample.PERT(0, 0.5, 1) }, betaCDF(3, 3)},
		{"pert 4 2", func() (sample.Dist, error) { return sample.PERT(0, 0.75, 1) }, betaCDF(4, 2)},
		{"pert 5 1", func() (sample.Dist, error) { return sample.PERT(0, 1, 1) }, betaCDF(5, 1)},
		{"normal", func() (sample.Dist, error) { return sample.Normal(0, 1) }, func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }},
		{"triangular", func() (sample.Dist, error) { return sample.Triangular(0, 1, 4) }, func(x float64) float64 {
			if x < 1 {
				return x * x / 4
			}
			return 1 - (4-x)*(4-x)/12
		}},
		{"lognormal", func() (sample.Dist, error) { return sample.Lognormal(4, 2) }, func(x float64) float64 {
			// ln X is normal with variance ln(1.25) and mean ln 4 - ln(1.25)/2.
			s2 := math.Log(1.25)
			return math.Erfc(-(math.Log(x)-math.Log(4)+s2/2)/math.Sqrt(2*s2)) / 2
		}},
		{"exponential", func() (sample.Dist, error) { return sample.Exponential(3) }, func(x float64) float64 { return 1 - math.Exp(-x/3) }},
		{"weibull", func() (sample.Dist, error) { return sample.Weibull(4, 0.5) }, func(x float64) float64 { return 1 - math.Exp(-math.Sqrt(x/4)) }},
		{"pareto", func() (sample.Dist, error) { return sample.Pareto(2, 1) }, func(x float64) float64 { return 1 - 2/x }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := tt.dist()
			if got := ksDistance(draws(t, must(t, d, err), n, 3), tt.cdf); got > limit {
				t.Errorf("Kolmogorov-Smirnov distance of %d draws = %v, want <= %v", n, got, limit)
			}
		})
	}
}

func TestDegenerate(t *testing.T) {
	for name, mk := range map[string]func() (sample.Dist, error){
		"uniform":    func() (sample.Dist, error) { return sample.Uniform(7, 7) },
		"triangular": func() (sample.Dist, error) { return sample.Triangular(7, 7, 7) },
		"pert":       func() (sample.Dist, error) { return sample.PERT(7, 7, 7) },
		"normal":     func() (sample.Dist, error) { return sample.Normal(7, 0) },
		"lognormal":  func() (sample.Dist, error) { return sample.Lognormal(7, 0) },
		"discrete":   func() (sample.Dist, error) { return sample.Discrete([]float64{7, 1}, []float64{2, 0}) },
		"empirical":  func() (sample.Dist, error) { return sample.Empirical([]float64{7}) },
	} {
		d, err := mk()
		for _, x := range draws(t, must(t, d, err), 100, 1) {
			if x != 7 {
				t.Errorf("%s of a single value drew %v, want 7", name, x)
				break
			}
		}
	}
	var zero sample.Dist
	if x, err := zero.Draw(rand.NewPCG(1, 1)); x != 0 || err != nil {
		t.Errorf("zero Dist drew %v, %v, want 0, nil", x, err)
	}
}

func TestParameters(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	normal, err := sample.Normal(0, 1)
	must(t, normal, err)
	list, err := sample.Discrete([]float64{1, 5}, []float64{1, 1})
	must(t, list, err)
	tests := []struct {
		name  string
		mk    func() (sample.Dist, error)
		param string
		index int
	}{
		{"constant NaN", func() (sample.Dist, error) { return sample.Constant(nan) }, "value", -1},
		{"uniform reversed", func() (sample.Dist, error) { return sample.Uniform(2, 1) }, "max", -1},
		{"uniform too wide", func() (sample.Dist, error) { return sample.Uniform(-1.5e308, 1.5e308) }, "max", -1},
		{"triangular mode below", func() (sample.Dist, error) { return sample.Triangular(2, 1, 3) }, "mode", -1},
		{"triangular mode above", func() (sample.Dist, error) { return sample.Triangular(1, 4, 3) }, "max", -1},
		{"pert infinite", func() (sample.Dist, error) { return sample.PERT(1, 2, inf) }, "max", -1},
		{"pert NaN mode", func() (sample.Dist, error) { return sample.PERT(1, nan, 2) }, "mode", -1},
		{"normal negative sd", func() (sample.Dist, error) { return sample.Normal(1, -1) }, "sd", -1},
		{"normal overflowing", func() (sample.Dist, error) { return sample.Normal(1e308, 1e308) }, "sd", -1},
		{"normal NaN", func() (sample.Dist, error) { return sample.Normal(nan, 1) }, "mean", -1},
		{"lognormal mean 0", func() (sample.Dist, error) { return sample.Lognormal(0, 1) }, "mean", -1},
		{"lognormal mean negative", func() (sample.Dist, error) { return sample.Lognormal(-2, 1) }, "mean", -1},
		{"lognormal sd too large", func() (sample.Dist, error) { return sample.Lognormal(1e-300, 1e300) }, "sd", -1},
		{"exponential mean 0", func() (sample.Dist, error) { return sample.Exponential(0) }, "mean", -1},
		{"exponential overflowing", func() (sample.Dist, error) { return sample.Exponential(1e307) }, "mean", -1},
		{"weibull scale", func() (sample.Dist, error) { return sample.Weibull(-1, 1) }, "scale", -1},
		{"weibull shape", func() (sample.Dist, error) { return sample.Weibull(1, 0) }, "shape", -1},
		{"weibull overflowing", func() (sample.Dist, error) { return sample.Weibull(1, 0.001) }, "shape", -1},
		{"pareto NaN", func() (sample.Dist, error) { return sample.Pareto(nan, 1) }, "scale", -1},
		{"pareto overflowing", func() (sample.Dist, error) { return sample.Pareto(1, 0.01) }, "shape", -1},
		{"poisson negative", func() (sample.Dist, error) { return sample.Poisson(-1) }, "mean", -1},
		{"poisson NaN", func() (sample.Dist, error) { return sample.Poisson(nan) }, "mean", -1},
		{"poisson too large", func() (sample.Dist, error) { return sample.Poisson(sample.MaxPoisson + 1) }, "mean", -1},
		{"discrete empty", func() (sample.Dist, error) { return sample.Discrete(nil, nil) }, "weights", -1},
		{"discrete lengths", func() (sample.Dist, error) { return sample.Discrete([]float64{1, 2}, []float64{1}) }, "weights", -1},
		{"discrete negative", func() (sample.Dist, error) { return sample.Discrete([]float64{1, 2}, []float64{1, -1}) }, "weights", 1},
		{"discrete all zero", func() (sample.Dist, error) { return sample.Discrete([]float64{1, 2}, []float64{0, 0}) }, "sum of weights", -1},
		{"discrete NaN value", func() (sample.Dist, error) { return sample.Discrete([]float64{1, nan}, []float64{1, 1}) }, "values", 1},
		{"empirical empty", func() (sample.Dist, error) { return sample.Empirical(nil) }, "history length", -1},
		{"empirical infinite", func() (sample.Dist, error) { return sample.Empirical([]float64{1, 2, inf}) }, "history", 2},
		{"truncate reversed", func() (sample.Dist, error) { return normal.Truncate(1, -1) }, "upper bound", -1},
		{"truncate NaN", func() (sample.Dist, error) { return normal.Truncate(nan, 1) }, "lower bound", -1},
		{"truncate NaN upper", func() (sample.Dist, error) { return normal.Truncate(0, nan) }, "upper bound", -1},
		{"truncate beside the support", func() (sample.Dist, error) { return list.Truncate(6, 9) }, "upper bound", -1},
		{"truncate between two values", func() (sample.Dist, error) { return list.Truncate(2, 3) }, "upper bound", -1},
		{"truncate twice apart", func() (sample.Dist, error) {
			d, err := normal.Truncate(0, 1)
			if err != nil {
				return d, err
			}
			return d.Truncate(2, 3)
		}, "upper bound", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.mk()
			var pe *sample.ParamError
			if !errors.As(err, &pe) {
				t.Fatalf("error = %v, want a *ParamError", err)
			}
			if pe.Param != tt.param || pe.Index != tt.index {
				t.Errorf("error %q names %s[%d], want %s[%d]", err, pe.Param, pe.Index, tt.param, tt.index)
			}
		})
	}
}

// The weights of the table are the probabilities: P(0) = e^-2, P(1) = 2e^-2,
// P(2) = 2e^-2, P(3) = 4/3·e^-2, from which n draws differ by no more than five
// binomial standard deviations.
func TestPoissonCounts(t *testing.T) {
	const n = 200_000
	d, err := sample.Poisson(2)
	counts := map[float64]int{}
	for _, x := range draws(t, must(t, d, err), n, 5) {
		counts[x]++
	}
	for k, relative := range []float64{1, 2, 2, 4.0 / 3} {
		p := relative * math.Exp(-2)
		if got, sd := float64(counts[float64(k)]), math.Sqrt(n*p*(1-p)); math.Abs(got-n*p) > 5*sd {
			t.Errorf("drew %d %v times, want %v ± %v", k, got, n*p, 5*sd)
		}
	}
}

func TestExhausted(t *testing.T) {
	d, err := sample.Normal(0, 1)
	must(t, d, err)
	d, err = d.Truncate(20, 30) // nine standard deviations are never drawn
	must(t, d, err)
	if _, err := d.Draw(rand.NewPCG(1, 1)); !errors.Is(err, sample.ErrExhausted) {
		t.Errorf("Draw far outside = %v, want ErrExhausted", err)
	}
}

func TestListsDoNotDependOnOrder(t *testing.T) {
	a, errA := sample.Empirical([]float64{3, 1, 2, 2})
	b, errB := sample.Empirical([]float64{2, 2, 3, 1})
	c, errC := sample.Discrete([]float64{3, 1, 2, 2}, []float64{0.1, 0.2, 0.3, 0.4})
	d, errD := sample.Discrete([]float64{2, 2, 1, 3}, []float64{0.4, 0.3, 0.2, 0.1})
	if got, want := draws(t, must(t, b, errB), 1000, 9), draws(t, must(t, a, errA), 1000, 9); !slices.Equal(got, want) {
		t.Error("empirical: reordered history draws other values")
	}
	if got, want := draws(t, must(t, d, errD), 1000, 9), draws(t, must(t, c, errC), 1000, 9); !slices.Equal(got, want) {
		t.Error("discrete: reordered values draw others")
	}
}

func TestCopiesItsInput(t *testing.T) {
	history := []float64{1, 2, 3}
	d, err := sample.Empirical(history)
	before := draws(t, must(t, d, err), 50, 4)
	history[0], history[1], history[2] = 100, 100, 100
	if after := draws(t, d, 50, 4); !slices.Equal(before, after) {
		t.Error("changing the history after Empirical changed the draws")
	}
}

func TestSeedDecides(t *testing.T) {
	d, err := sample.PERT(1, 2, 6)
	must(t, d, err)
	if !slices.Equal(draws(t, d, 500, 11), draws(t, d, 500, 11)) {
		t.Error("the same seed drew different values")
	}
	if slices.Equal(draws(t, d, 500, 11), draws(t, d, 500, 12)) {
		t.Error("different seeds drew the same values")
	}
}

// edgeSource returns the extreme words first, where inverse distribution
// functions are infinite if the uniform numbers touch 0 or 1.
type edgeSource struct{ i int }

func (s *edgeSource) Uint64() uint64 {
	words := [...]uint64{0, math.MaxUint64, 1, math.MaxUint64 - 1, 1 << 63, 1<<63 - 1}
	s.i++
	return words[s.i%len(words)]
}

func TestExtremeWords(t *testing.T) {
	for _, mk := range []func() (sample.Dist, error){
		func() (sample.Dist, error) { return sample.Uniform(-5, 5) },
		func() (sample.Dist, error) { return sample.Triangular(0, 0, 5) },
		func() (sample.Dist, error) { return sample.PERT(0, 0, 5) },
		func() (sample.Dist, error) { return sample.Normal(0, 1) },
		func() (sample.Dist, error) { return sample.Lognormal(1, 1) },
		func() (sample.Dist, error) { return sample.Exponential(1e300) },
		func() (sample.Dist, error) { return sample.Weibull(1, 0.006) },
		func() (sample.Dist, error) { return sample.Pareto(1, 0.06) },
		func() (sample.Dist, error) { return sample.Poisson(3) },
		func() (sample.Dist, error) { return sample.Discrete([]float64{1, 2}, []float64{1, 3}) },
		func() (sample.Dist, error) { return sample.Empirical([]float64{1, 2, 3, 4, 5}) },
	} {
		d, err := mk()
		must(t, d, err)
		src := &edgeSource{}
		for range 60 {
			if x, err := d.Draw(src); err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("extreme words drew %v, %v, want a finite number", x, err)
				break
			}
		}
	}
}
