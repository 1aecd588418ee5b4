package stats

import (
	"math"
	"slices"
)

// GPD is a generalised Pareto distribution of excesses y >= 0,
//
//	P(Y > y) = (1 + shape y / scale)^(-1/shape)     exp(-y/scale) for shape 0
//
// (Pickands, The Annals of Statistics 3(1), 1975).
type GPD struct {
	Shape, Scale float64
}

// LogSurvival returns ln P(Y > y), -Inf beyond the end of a distribution of
// negative shape.
func (g GPD) LogSurvival(y float64) float64 {
	if g.Shape == 0 {
		return -y / g.Scale
	}
	z := g.Shape * y / g.Scale
	if z <= -1 {
		return math.Inf(-1)
	}
	return -math.Log1p(z) / g.Shape
}

// Quantile returns the y with P(Y <= y) = q, for q in [0, 1).
func (g GPD) Quantile(q float64) float64 {
	if g.Shape == 0 {
		return -g.Scale * math.Log1p(-q)
	}
	return g.Scale * math.Expm1(-g.Shape*math.Log1p(-q)) / g.Shape
}

// NegLogLikelihood returns -ln L of the excesses, +Inf if one is impossible.
func (g GPD) NegLogLikelihood(y []float64) float64 {
	n := float64(len(y))
	sum := 0.0
	if g.Shape == 0 {
		for _, v := range y {
			sum += v
		}
		return n*math.Log(g.Scale) + sum/g.Scale
	}
	for _, v := range y {
		z := g.Shape * v / g.Scale
		if z <= -1 {
			return math.Inf(1)
		}
		sum += math.Log1p(z)
	}
	return n*math.Log(g.Scale) + (1+1/g.Shape)*sum
}

// FitGPD maximises the likelihood over all shapes above -1, where it is bounded.
// With t = shape/scale the best shape for a given t is mean ln(1+ty), which
// leaves a search in one dimension (Grimshaw, Technometrics 35(2), 1993).
// The excesses are positive; there is at least one.
func FitGPD(y []float64) GPD {
	n := float64(len(y))
	largest, sum := 0.0, 0.0
	for _, v := range y {
		largest = max(largest, v)
		sum += v
	}
	mean := sum / n
	at := func(t float64) GPD {
		// Around 0 the quotient shape/t loses its digits and tends to the mean.
		if math.Abs(t)*largest < 1e-8 {
			return GPD{0, mean}
		}
		s := 0.0
		for _, v := range y {
			s += math.Log1p(t * v)
		}
		return GPD{s / n, s / n / t}
	}
	cost := func(t float64) float64 {
		g := at(t)
		if g.Shape <= -1 {
			return math.Inf(1)
		}
		return math.Log(g.Scale) + g.Shape
	}
	// Candidates of t in units of 1/largest: down to the pole at -1, up to shapes
	// far beyond any use.
	grid := []float64{-0.9999, -0.999, -0.99, -0.97, -0.94, -0.9, -0.8, -0.7, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0}
	for x := 0.05; x < 1e9; x *= 1.5 {
		grid = append(grid, x)
	}
	best := 0
	for i := range grid {
		grid[i] /= largest
		if cost(grid[i]) < cost(grid[best]) {
			best = i
		}
	}
	return at(minimize(cost, grid[max(best-1, 0)], grid[min(best+1, len(grid)-1)]))
}

// FitGPDWithin is [FitGPD] with the shape held in [least, most], as a few dozen
// excesses easily suggest a tail that ends, or one without a mean.
func FitGPDWithin(y []float64, least, most float64) GPD {
	g := FitGPD(y)
	shape := min(max(g.Shape, least), most)
	switch shape {
	case g.Shape:
		return g
	case 0:
		return GPD{0, Sum(y) / float64(len(y))}
	}
	// The scale alone; for a negative shape the largest excess must be possible.
	low, high := math.Log(g.Scale)-10, math.Log(g.Scale)+20
	if shape < 0 {
		low = math.Log(-shape * slices.Max(y) * (1 + 1e-9))
	}
	cost := func(s float64) float64 { return GPD{shape, math.Exp(s)}.NegLogLikelihood(y) }
	return GPD{shape, math.Exp(minimize(cost, low, high))}
}

// minimize is a golden-section search for the minimum of a function with a
// single valley between a and b.
func minimize(f func(float64) float64, a, b float64) float64 {
	const ratio = 0.6180339887498949 // (sqrt 5 - 1) / 2
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	fc, fd := f(c), f(d)
	for range 60 { // 0.618^60 = 3e-13 of the first interval
		if fc <= fd {
			b, d, fd = d, c, fc
			c = b - ratio*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + ratio*(b-a)
			fd = f(d)
		}
	}
	return (a + b) / 2
}
