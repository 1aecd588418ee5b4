package forecast

import (
	"math"
	"slices"
)

// search minimises f over a box of one to four dimensions from a start inside
// it: the simplex method of Nelder and Mead (The Computer Journal 7(4), 1965) with
// the usual coefficients 1, 2, 1/2, 1/2; points outside of the box are moved to its
// border. It ends after the given number of evaluations or when the simplex is
// smaller than 1e-3 of the box and its values agree to 1e-7.
func search(f func([]float64) float64, start, low, high []float64, evaluations int) []float64 {
	d := len(start)
	type vertex struct {
		x []float64
		f float64
	}
	clamp := func(x []float64) []float64 {
		for i := range x {
			x[i] = min(max(x[i], low[i]), high[i])
		}
		return x
	}
	at := func(x []float64) vertex { evaluations--; return vertex{x, f(clamp(x))} }
	simplex := []vertex{at(slices.Clone(start))}
	for i := range d {
		x := slices.Clone(start)
		step := 0.15 * (high[i] - low[i])
		if x[i]+step > high[i] {
			step = -step
		}
		x[i] += step
		simplex = append(simplex, at(x))
	}
	toward := func(from, to []float64, t float64) []float64 {
		x := make([]float64, d)
		for i := range x {
			x[i] = from[i] + float64(t*(to[i]-from[i]))
		}
		return x
	}
	order := func() {
		slices.SortStableFunc(simplex, func(a, b vertex) int {
			switch {
			case a.f < b.f:
				return -1
			case a.f > b.f:
				return 1
			}
			return 0
		})
	}
	order()
	for evaluations > 0 {
		best, worst := simplex[0], simplex[d]
		if worst.f-best.f <= 1e-7*math.Abs(best.f) && size(best.x, worst.x, low, high) < 1e-3 {
			break
		}
		center := make([]float64, d)
		for _, v := range simplex[:d] {
			for i := range center {
				center[i] += v.x[i] / float64(d)
			}
		}
		reflected := at(toward(center, worst.x, -1))
		switch {
		case reflected.f < best.f:
			if expanded := at(toward(center, worst.x, -2)); expanded.f < reflected.f {
				reflected = expanded
			}
			simplex[d] = reflected
		case reflected.f < simplex[d-1].f:
			simplex[d] = reflected
		default:
			t := 0.5
			if reflected.f < worst.f {
				t = -0.5
			}
			if inner := at(toward(center, worst.x, t)); inner.f < min(worst.f, reflected.f) {
				simplex[d] = inner
				break
			}
			for i := 1; i <= d; i++ {
				simplex[i] = at(toward(best.x, simplex[i].x, 0.5))
			}
		}
		order()
	}
	return simplex[0].x
}

// size is the largest distance of two points in units of the box.
func size(a, b, low, high []float64) float64 {
	most := 0.0
	for i := range a {
		if w := high[i] - low[i]; w > 0 {
			most = max(most, math.Abs(a[i]-b[i])/w)
		}
	}
	return most
}

// leastSquares returns the x that minimises |r - sum x_j columns_j|², by the
// normal equations and their Cholesky factors. A ridge, a share of each diagonal
// element, decides what the data leave open, and shortens the step.
func leastSquares(columns [][]float64, r []float64, ridge float64) []float64 {
	d := len(columns)
	a, x := make([][]float64, d), make([]float64, d)
	for i := range d {
		a[i] = make([]float64, i+1)
		for j := range i + 1 {
			a[i][j] = dot(columns[i], columns[j])
		}
		x[i] = dot(columns[i], r)
	}
	solve(a, x, ridge)
	return x
}

// leastRidge is small enough to be seen nowhere but where the data say nothing.
const leastRidge = 1e-10

// solve overwrites x with the solution of a x = x for a positive semidefinite a,
// of which the lower triangle is given and overwritten with its factor. Directions
// that a does not know get 0.
func solve(a [][]float64, x []float64, ridge float64) {
	d := len(x)
	for i := range d {
		a[i][i] += float64(ridge * a[i][i])
	}
	for i := range d {
		for j := range i + 1 {
			sum := a[i][j] - dot(a[i][:j], a[j][:j])
			switch {
			case i == j && sum > 1e-13*a[i][i]:
				a[i][i] = math.Sqrt(sum)
			case i == j:
				a[i][i] = math.Inf(1)
			default:
				a[i][j] = sum / a[j][j]
			}
		}
	}
	for i := range d {
		x[i] = (x[i] - dot(a[i][:i], x[:i])) / a[i][i]
	}
	for i := d - 1; i >= 0; i-- {
		for j := i + 1; j < d; j++ {
			x[i] -= float64(a[j][i] * x[j])
		}
		x[i] /= a[i][i]
	}
}

// dot sums in four accumulators, a fixed order.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	i := 0
	b = b[:len(a)]
	for ; i+4 <= len(a); i += 4 {
		s0 += float64(a[i] * b[i])
		s1 += float64(a[i+1] * b[i+1])
		s2 += float64(a[i+2] * b[i+2])
		s3 += float64(a[i+3] * b[i+3])
	}
	for ; i < len(a); i++ {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}
