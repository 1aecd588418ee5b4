package forecast

import "math"

// loess draws a local line through the window of neighbours of each of n values,
// with tricube weights of the distance (Cleveland, Journal of the American
// Statistical Association 74, 1979).
//
// Away from the ends, and without weights of the values, the window lies evenly
// around its value, so the line is at its weighted mean there: one fixed row of
// weights for all.
type loess struct {
	n, window int
	jump      int       // a line at every so many values, and straight between
	kernel    []float64 // even for a whole window; nil if there is none
	row       []float64
}

func newLoess(n, window int) *loess {
	l := &loess{n: n, window: window, jump: 1, row: make([]float64, min(n, window))}
	if window > longWindow {
		l.jump = window / 10
	}
	if window <= n {
		l.kernel = make([]float64, window)
		half := float64(window-1) / 2
		total := 0.0
		for i := range l.kernel {
			l.kernel[i] = tricube(math.Abs(float64(i)-half), half)
			total += l.kernel[i]
		}
		for i := range l.kernel {
			l.kernel[i] /= total
		}
	}
	return l
}

// longWindow is the window above which lines are drawn at every tenth of it only, as the
// paper on STL suggests in section 3: they hardly differ in between.
const longWindow = 200

// smooth writes the line at each of the n values to out. weights may be nil.
func (l *loess) smooth(y, weights, out []float64) {
	last := 0
	for i := 0; i < l.n; i = min(i+l.jump, max(l.n-1, i+1)) {
		out[i] = l.value(y, weights, i)
		for k := last + 1; k < i; k++ {
			t := float64(k-last) / float64(i-last)
			out[k] = float64(out[last]*(1-t)) + float64(out[i]*t)
		}
		last = i
	}
}

// value is the line at value i.
func (l *loess) value(y, weights []float64, i int) float64 {
	half := (l.window - 1) / 2
	from := min(max(i-half, 0), max(l.n-l.window, 0))
	to := min(from+l.window, l.n)
	if weights == nil && l.kernel != nil && from == i-half {
		return dot(l.kernel, y[from:to])
	}
	if v, ok := l.at(y, weights, i, from, to); ok {
		return v
	}
	return y[i]
}

// at is the line through values [from, to) at the place x, which may lie one step
// outside of the values. ok is false if all of them have no weight.
func (l *loess) at(y, weights []float64, x, from, to int) (value float64, ok bool) {
	reach := float64(max(x-from, to-1-x))
	if l.window > l.n {
		reach += float64((l.window - l.n) / 2)
	}
	row := l.row[:to-from]
	total := 0.0
	for i := range row {
		w := tricube(math.Abs(float64(from+i-x)), reach)
		if weights != nil {
			w *= weights[from+i]
		}
		row[i] = w
		total += w
	}
	if total <= 0 {
		return 0, false
	}
	center := 0.0
	for i := range row {
		row[i] /= total
		center += row[i] * float64(from+i)
	}
	spread := 0.0
	for i := range row {
		d := float64(from+i) - center
		spread += row[i] * d * d
	}
	slope := 0.0
	if math.Sqrt(spread) > 0.001*float64(l.n-1) {
		slope = (float64(x) - center) / spread
	}
	for i, w := range row {
		value += w * (1 + slope*(float64(from+i)-center)) * y[from+i]
	}
	return value, true
}

func tricube(distance, reach float64) float64 {
	switch {
	case distance <= 0.001*reach:
		return 1
	case distance > 0.999*reach:
		return 0
	}
	z := distance / reach
	z = 1 - z*z*z
	return z * z * z
}
