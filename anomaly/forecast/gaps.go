package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Gap is a stretch of steps without a value.
type Gap struct {
	// Start is the first step without a value, End the first with one again: [Start, End).
	Start time.Time `json:"from"`
	End   time.Time `json:"to"`
	// Steps is how many there are.
	Steps int `json:"steps"`
}

// trim cuts off missing values at both ends; skipped is how many at the beginning.
func trim(y []float64) (inner []float64, skipped int) {
	from, to := 0, len(y)
	for from < to && math.IsNaN(y[from]) {
		from++
	}
	for to > from && math.IsNaN(y[to-1]) {
		to--
	}
	return y[from:to], from
}

// bridged draws lines over the gaps of a trimmed series; y stays as it is.
func bridged(y []float64) []float64 {
	out := slices.Clone(y)
	for i := 0; i < len(out); i++ {
		if !math.IsNaN(out[i]) {
			continue
		}
		end := i
		for math.IsNaN(y[end]) {
			end++
		}
		a, b, span := out[i-1], y[end], float64(end-i+1)
		for k := i; k < end; k++ {
			t := float64(k-i+1) / span
			out[k] = float64(a*(1-t)) + float64(b*t)
		}
		i = end
	}
	return out
}

// fill closes the gaps of a trimmed series: the median of each phase of the cycle
// plus a line between what the values around the gap have beside it.
func fill(y []float64, period int) []float64 {
	if !slices.ContainsFunc(y, math.IsNaN) {
		return y
	}
	if period < 2 {
		return bridged(y)
	}
	usual := make([]float64, period)
	for j := range usual {
		var values []float64
		for i := j; i < len(y); i += period {
			if !math.IsNaN(y[i]) {
				values = append(values, y[i])
			}
		}
		if len(values) == 0 {
			return bridged(y) // a phase that nobody has seen
		}
		usual[j] = stats.Median(values)
	}
	beside := make([]float64, len(y))
	for i, v := range y {
		beside[i] = v - usual[i%period]
	}
	beside = bridged(beside)
	out := slices.Clone(y)
	for i, v := range y {
		if math.IsNaN(v) {
			out[i] = beside[i] + usual[i%period]
		}
	}
	return out
}

// gapsOf lists the gaps inside of a series from the value at index first on.
func gapsOf(s *Series, y []float64, first int) []Gap {
	var gaps []Gap
	for i := 0; i < len(y); i++ {
		if !math.IsNaN(y[i]) {
			continue
		}
		end := i
		for end < len(y) && math.IsNaN(y[end]) {
			end++
		}
		gaps = append(gaps, Gap{Start: s.At(first + i), End: s.At(first + end), Steps: end - i})
		i = end
	}
	return gaps
}
