package failure_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/failure"
)

// TestWeibullRecovered draws lives and finds the parameters again, with a third of the
// units still working.
func TestWeibullRecovered(t *testing.T) {
	for _, truth := range []failure.Weibull{{Shape: 0.7, Scale: 50}, {Shape: 1, Scale: 1e-6}, {Shape: 3.5, Scale: 1e9}} {
		r := rand.New(rand.NewPCG(1, 2))
		end := truth.Quantile(0.67)
		var failed, working []float64
		for range 4000 {
			if life := truth.Quantile(r.Float64()); life <= end {
				failed = append(failed, life)
			} else {
				working = append(working, end)
			}
		}
		w, err := failure.FitWeibull(failed, working)
		if err != nil {
			t.Fatal(err)
		}
		// Standard errors at 2700 failures: about 1.6 % of the shape, and as much over the
		// shape of the scale.
		if math.Abs(w.Shape/truth.Shape-1) > 0.06 || math.Abs(math.Log(w.Scale/truth.Scale))*truth.Shape > 0.08 {
			t.Errorf("fit of %+v = %+v", truth, w)
		}
	}
}

// TestWeibullLikeliest compares the fit with its neighbours.
func TestWeibullLikeliest(t *testing.T) {
	failed, working := []float64{3, 11, 24, 31, 31, 58}, []float64{10, 40, 80, 80}
	logLikelihood := func(w failure.Weibull) float64 {
		sum := 0.0
		for _, x := range failed {
			sum += math.Log(w.Hazard(x)) + math.Log(w.Survival(x))
		}
		for _, x := range working {
			sum += math.Log(w.Survival(x))
		}
		return sum
	}
	w, err := failure.FitWeibull(failed, working)
	if err != nil {
		t.Fatal(err)
	}
	best := logLikelihood(w)
	for _, f := range [][2]float64{{1.001, 1}, {0.999, 1}, {1, 1.001}, {1, 0.999}} {
		if near := logLikelihood(failure.Weibull{Shape: w.Shape * f[0], Scale: w.Scale * f[1]}); near > best {
			t.Errorf("%v times the fit %+v is likelier: %v over %v", f, w, near, best)
		}
	}
	// Scale follows the unit, shape does not.
	for i := range failed {
		failed[i] *= 24
	}
	for i := range working {
		working[i] *= 24
	}
	h, err := failure.FitWeibull(failed, working)
	if err != nil || math.Abs(h.Shape-w.Shape) > 1e-9 || math.Abs(h.Scale/24-w.Scale) > 1e-9*w.Scale {
		t.Errorf("in hours %+v, %v, want the shape of %+v and 24 times its scale", h, err, w)
	}
}

func TestWeibullLaws(t *testing.T) {
	for _, w := range []failure.Weibull{{Shape: 0.5, Scale: 10}, {Shape: 1, Scale: 10}, {Shape: 4, Scale: 10}} {
		for _, share := range []float64{0, 0.1, 0.5, 0.999} {
			if got := 1 - w.Survival(w.Quantile(share)); math.Abs(got-share) > 1e-12 {
				t.Errorf("%+v: %v has failed by the quantile of %v", w, got, share)
			}
		}
		for _, age := range []float64{0, 1, 15} {
			// Survival to a later age is survival to now, and then through what follows.
			if got, want := w.Survival(age)*(1-w.FailWithin(age, 3)), w.Survival(age+3); math.Abs(got-want) > 1e-12 {
				t.Errorf("%+v at %v: %v, want %v", w, age, got, want)
			}
		}
	}
	young, old := failure.Weibull{Shape: 0.5, Scale: 10}, failure.Weibull{Shape: 4, Scale: 10}
	if young.FailWithin(5, 1) >= young.FailWithin(1, 1) || old.FailWithin(5, 1) <= old.FailWithin(1, 1) {
		t.Error("infant mortality rises with age, or wear falls")
	}
	// Without memory: 1 - exp(-1/10).
	if got := (failure.Weibull{Shape: 1, Scale: 10}).FailWithin(70, 1); math.Abs(got-0.09516258196404043) > 1e-12 {
		t.Errorf("FailWithin = %v, want 0.0951625819640404", got)
	}
}

func TestRefused(t *testing.T) {
	weibull := func(f, c []float64) error { _, err := failure.FitWeibull(f, c); return err }
	laplace := func(times []float64, end float64) error {
		_, err := (&failure.Repairable{Times: times, End: end}).Laplace()
		return err
	}
	crow := func(times []float64, end float64) error {
		_, err := (&failure.Repairable{Times: times, End: end}).CrowAMSAA()
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want string // "" for ErrTooFew
	}{
		{"no failures", weibull(nil, []float64{1, 2}), ""},
		{"all alike", weibull([]float64{5, 5}, nil), ""},
		{"one", weibull([]float64{5}, nil), ""},
		{"one that outlived the others", weibull([]float64{5}, []float64{3}), ""},
		{"a life of nothing", weibull([]float64{5, 0}, nil), "failures[1] is 0, want a finite life above 0"},
		{"NaN", weibull([]float64{5}, []float64{math.NaN()}), "censored[0] is NaN"},
		{"no times", laplace(nil, 5), ""},
		{"one time", laplace([]float64{5}, 0), ""},
		{"all at the end", crow([]float64{5}, 5), ""},
		{"none", crow(nil, 0), ""},
		{"backwards", crow([]float64{5, 4}, 0), "times[1] is 4, want at least 5"},
		{"infinite", laplace([]float64{5, math.Inf(1)}, 0), "times[1] is +Inf"},
		{"end before", crow([]float64{5, 6}, 5.5), "end is 5.5, want a finite time of at least 6"},
		{"end NaN", laplace([]float64{5, 6}, math.NaN()), "end is NaN"},
	} {
		switch {
		case c.want == "" && !errors.Is(c.err, failure.ErrTooFew):
			t.Errorf("%s: error %v, want ErrTooFew", c.name, c.err)
		case c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, c.err, c.want)
		}
	}
	// A failure and a longer life are enough.
	if w, err := failure.FitWeibull([]float64{5}, []float64{8}); err != nil || !(w.Shape > 0) {
		t.Errorf("one failure and one working: %+v, %v", w, err)
	}
}

// TestGrowthRecovered draws a power law by its times, T_i = (i-th arrival / lambda)^(1/beta).
func TestGrowthRecovered(t *testing.T) {
	for _, beta := range []float64{0.6, 1, 1.8} {
		r := rand.New(rand.NewPCG(3, 4))
		var times []float64
		arrival := 0.0
		for range 3000 {
			arrival += r.ExpFloat64()
			times = append(times, math.Pow(arrival/0.5, 1/beta))
		}
		h := failure.Repairable{Times: times}
		g, err := h.CrowAMSAA()
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(g.Beta/beta-1) > 0.06 { // standard error 1/sqrt(3000) = 1.8 %
			t.Errorf("beta = %v, want %v", g.Beta, beta)
		}
		if got := g.Expected(0, g.End); math.Abs(got-3000) > 1e-6 {
			t.Errorf("expected failures until now = %v, want those that were, 3000", got)
		}
		if got := g.FailWithin(g.MTBF); math.Abs(got-(1-math.Exp(-1))) > 0.01 {
			t.Errorf("probability of a failure within the mean time between them = %v, want about 0.632", got)
		}
		trend, err := h.Laplace()
		if err != nil {
			t.Fatal(err)
		}
		if (beta > 1.1 && trend.U < 5) || (beta < 0.9 && trend.U > -5) || (beta == 1 && math.Abs(trend.U) > 3) {
			t.Errorf("beta %v: U = %v", beta, trend.U)
		}
	}
}

func FuzzHistories(f *testing.F) {
	f.Add([]byte{3, 11, 24, 31}, []byte{40}, 60.0)
	f.Add([]byte{}, []byte{0}, math.NaN())
	f.Add([]byte{1, 255, 1}, []byte{1, 1}, 0.0)
	f.Fuzz(func(t *testing.T, a, b []byte, end float64) {
		list := func(data []byte) []float64 {
			var x []float64
			for _, v := range data {
				// 1e-60 to 1e200 in between what is allowed and what is not.
				x = append(x, map[bool]float64{true: float64(v), false: math.Pow(10, float64(v)-260+60)}[v < 200])
			}
			return x
		}
		if w, err := failure.FitWeibull(list(a), list(b)); err == nil {
			if !(w.Shape > 0) || math.IsInf(w.Shape, 1) || math.IsNaN(w.Scale) {
				t.Fatalf("fit %+v", w)
			}
			if p := w.FailWithin(3, 4); !(p >= 0 && p <= 1) {
				t.Fatalf("probability %v of %+v", p, w)
			}
		}
		times := list(a)
		slices.Sort(times)
		h := failure.Repairable{Times: times, End: end}
		if trend, err := h.Laplace(); err == nil && !(trend.PIncreasing >= 0 && trend.PIncreasing <= 1) {
			t.Fatalf("trend %+v", trend)
		}
		if g, err := h.CrowAMSAA(); err == nil && !(g.Beta > 0 && g.MTBF > 0) {
			t.Fatalf("growth %+v", g)
		}
	})
}
