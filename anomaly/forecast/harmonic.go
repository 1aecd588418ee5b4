package forecast

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Harmonic is a line and the first waves of the season (and of the week where
// there is one), drawn through the values so that outliers count little: least
// squares with the weights of Huber (Annals of Mathematical Statistics 35(1),
// 1964) at 1.345 robust standard deviations, four rounds.
type Harmonic struct {
	// Waves is the number of harmonics of each season. Defaults to 4, or half the
	// period where that is less.
	Waves int
}

// Name is "line + fourier".
func (Harmonic) Name() string { return "line + fourier" }

// Fit needs two cycles where there is a season, else four values.
func (m Harmonic) Fit(y []float64, c Cycle) (Fitted, error) {
	if len(y) < max(4, 2*c.Period) {
		return nil, ErrTooShort
	}
	if len(y) < 2*c.Week {
		c.Week = 0
	}
	f := &harmonic{model: m, c: c, n: len(y), seen: len(y)}
	rows := f.design(0, len(y))
	width := len(rows[0])
	weights, away := make([]float64, len(y)), make([]float64, len(y))
	for i := range weights {
		weights[i] = 1
	}
	a := make([][]float64, width)
	for i := range a {
		a[i] = make([]float64, i+1)
	}
	for range 4 {
		x := make([]float64, width)
		for i := range a {
			clear(a[i])
		}
		for k, row := range rows {
			for i, v := range row {
				w := v * weights[k]
				x[i] += w * y[k]
				part := a[i]
				for j := range part {
					part[j] += w * row[j]
				}
			}
		}
		solve(a, x, leastRidge)
		f.x = x
		for k, row := range rows {
			away[k] = math.Abs(y[k] - dot(x, row))
			weights[k] = away[k]
		}
		limit := 1.345 * 1.4826 * stats.Median(away)
		for k, r := range weights {
			weights[k] = 1
			if r > limit {
				weights[k] = limit / r
			}
		}
		if limit == 0 {
			break
		}
	}
	f.relevel(y)
	return f, nil
}

type harmonic struct {
	model Harmonic
	c     Cycle
	n     int // number of values that the line was drawn through
	seen  int // number of values so far
	x     []float64
}

// design has a row for each of the places [from, to) counted from the first value.
func (f *harmonic) design(from, to int) [][]float64 {
	type wave struct{ sin, cos []float64 }
	var waves []wave
	for _, period := range []int{f.c.Period, f.c.Week} {
		if period < 2 {
			continue
		}
		most := f.model.Waves
		if most == 0 {
			most = 4
		}
		for k := 1; k <= most && 2*k < period; k++ {
			if period == f.c.Week && f.c.Period > 0 && k*f.c.Period%period == 0 {
				continue // a wave of the shorter season too
			}
			w := wave{make([]float64, period), make([]float64, period)}
			for i := range period {
				w.sin[i], w.cos[i] = math.Sincos(2 * math.Pi * float64(k*i%period) / float64(period))
			}
			waves = append(waves, w)
		}
	}
	rows := make([][]float64, to-from)
	width := 2 + 2*len(waves)
	cells := make([]float64, len(rows)*width)
	for k := range rows {
		row := cells[k*width : (k+1)*width]
		i := from + k
		row[0], row[1] = 1, 2*float64(i)/float64(f.n)-1
		for j, w := range waves {
			row[2+2*j], row[3+2*j] = w.sin[i%len(w.sin)], w.cos[i%len(w.cos)]
		}
		rows[k] = row
	}
	return rows
}

// Forecast continues line and waves.
func (f *harmonic) Forecast(h int) []float64 {
	out := make([]float64, h)
	for i, row := range f.design(f.seen, f.seen+h) {
		out[i] = dot(f.x, row)
	}
	return out
}

// Refit keeps line and waves but for the level.
func (f *harmonic) Refit(y []float64) (Fitted, error) {
	g := *f
	g.seen, g.x = len(y), slices.Clone(f.x)
	g.relevel(y)
	return &g, nil
}

// relevel moves the line through the middle of the latest half cycle. The line is
// that of the whole past, which knows nothing of a shift that came late.
func (f *harmonic) relevel(y []float64) {
	from := max(0, len(y)-max(f.c.Period/2, 12))
	rest := make([]float64, len(y)-from)
	for i, row := range f.design(from, len(y)) {
		rest[i] = y[from+i] - dot(f.x, row)
	}
	f.x[0] += stats.Median(rest)
}
