package stats

import "math"

// Line is a least-squares line y = Intercept + Slope x. Make one with [FitLine].
type Line struct {
	Intercept, Slope float64
	N                int
	R2               float64 // 1 - residual sum of squares / total
	ResidualSD       float64 // with n-2 degrees of freedom; NaN for n = 2
	SlopeSE          float64

	meanX, sxx float64
}

// FitLine fits a line by least squares to at least two points with different x;
// with fewer every number is NaN. The slices have one length.
func FitLine(x, y []float64) Line {
	n := len(x)
	l := Line{N: n, meanX: Mean(x)}
	meanY := Mean(y)
	xx, xy, yy := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		dx, dy := x[i]-l.meanX, y[i]-meanY
		xx[i], xy[i], yy[i] = dx*dx, dx*dy, dy*dy
	}
	l.sxx = Sum(xx)
	if !(l.sxx > 0) {
		nan := math.NaN()
		return Line{Intercept: nan, Slope: nan, N: n, R2: nan, ResidualSD: nan, SlopeSE: nan, meanX: nan, sxx: nan}
	}
	l.Slope = Sum(xy) / l.sxx
	l.Intercept = meanY - l.Slope*l.meanX
	for i := range x {
		// Around the means, which keeps the digits that a large intercept would lose.
		r := (y[i] - meanY) - l.Slope*(x[i]-l.meanX)
		xy[i] = r * r
	}
	residual := Sum(xy)
	l.R2 = 1 - residual/Sum(yy)
	l.ResidualSD = math.Sqrt(residual / float64(n-2))
	l.SlopeSE = l.ResidualSD / math.Sqrt(l.sxx)
	return l
}

// At is the line at x.
func (l Line) At(x float64) float64 { return l.Intercept + l.Slope*x }

// Predict returns the interval that holds a new observation at x with the probability
// level in (0, 1), by Student's distribution with n-2 degrees of freedom; NaN for
// n = 2.
func (l Line) Predict(x, level float64) (low, high float64) {
	d := x - l.meanX
	se := l.ResidualSD * math.Sqrt(1+1/float64(l.N)+d*d/l.sxx)
	half := StudentUpper((1-level)/2, float64(l.N-2)) * se
	return l.At(x) - half, l.At(x) + half
}

// Reach returns the x at which the line has the value y, also in the past; an infinity
// or NaN for a level line.
func (l Line) Reach(y float64) float64 { return (y - l.Intercept) / l.Slope }
