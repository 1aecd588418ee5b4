package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestGPDLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, truth := range []GPD{{0, 2}, {0.2, 1}, {0.45, 3}, {-0.2, 1}} {
		y := make([]float64, 4000)
		for i := range y {
			y[i] = truth.Quantile(r.Float64())
		}
		g := FitGPD(y)
		// Standard errors at n = 4000: about 0.02 for the shape, 2.5 % for the scale.
		if math.Abs(g.Shape-truth.Shape) > 0.08 || math.Abs(g.Scale/truth.Scale-1) > 0.1 {
			t.Errorf("FitGPD of %+v = %+v", truth, g)
		}
		best := g.NegLogLikelihood(y)
		for _, near := range []GPD{truth, {g.Shape + 0.01, g.Scale}, {g.Shape - 0.01, g.Scale}, {g.Shape, g.Scale * 1.01}, {g.Shape, g.Scale / 1.01}} {
			if near.NegLogLikelihood(y) < best-1e-9 {
				t.Errorf("FitGPD of %+v = %+v, but %+v is likelier", truth, g, near)
			}
		}
		for _, q := range []float64{0, 0.5, 0.99} {
			if got := -math.Expm1(g.LogSurvival(g.Quantile(q))); math.Abs(got-q) > 1e-12 {
				t.Errorf("%+v: P(Y <= Quantile(%v)) = %v", g, q, got)
			}
		}
	}
}

func TestFitGPDWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	heavy, ending := make([]float64, 500), make([]float64, 500)
	for i := range heavy {
		heavy[i] = GPD{1.5, 1}.Quantile(r.Float64())
		ending[i] = GPD{-0.5, 1}.Quantile(r.Float64())
	}
	g := FitGPDWithin(heavy, 0, 0.5)
	if g.Shape != 0.5 {
		t.Errorf("shape of a tail without mean = %v, want the limit 0.5", g.Shape)
	}
	for _, f := range []float64{0.99, 1.01} {
		if (GPD{0.5, g.Scale * f}).NegLogLikelihood(heavy) < g.NegLogLikelihood(heavy) {
			t.Errorf("scale %v at the limit is not the likeliest", g.Scale)
		}
	}
	g = FitGPDWithin(ending, -0.3, 0.5)
	if g.Shape != -0.3 {
		t.Errorf("shape of an ending tail = %v, want the limit -0.3", g.Shape)
	}
	for _, f := range []float64{0.99, 1.01} {
		if (GPD{-0.3, g.Scale * f}).NegLogLikelihood(ending) < g.NegLogLikelihood(ending) {
			t.Errorf("scale %v at the limit is not the likeliest", g.Scale)
		}
	}
	if g := FitGPDWithin(ending, 0, 0.5); g.Shape != 0 || math.Abs(g.Scale-Sum(ending)/500) > 1e-12 {
		t.Errorf("fit of an ending tail = %+v, want the exponential of its mean", g)
	}
}
