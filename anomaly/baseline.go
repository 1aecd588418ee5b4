package anomaly

import (
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Baseline summarises the history of one feature.
type Baseline struct {
	Feature string `json:"feature"`
	// N values were used; Missing cells were NaN, Invalid ones broke a limit.
	N       int `json:"n"`
	Missing int `json:"missing,omitempty"`
	Invalid int `json:"invalid,omitempty"`
	// Mean, and standard deviation of a sample (n-1); the latter 0 for one value.
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
	// Quantiles are interpolated linearly between order statistics.
	Q25    float64 `json:"q25"`
	Median float64 `json:"median"`
	Q75    float64 `json:"q75"`
	Q95    float64 `json:"q95"`
	// Constant says that all values are equal.
	Constant bool `json:"constant,omitempty"`
}

// summarize fills the statistics of values, which are finite and at least one.
// It returns them sorted as well.
func summarize(name string, values []float64) (Baseline, []float64) {
	b := Baseline{Feature: name, N: len(values)}
	n := float64(len(values))
	b.Mean = stats.Sum(values) / n
	if len(values) > 1 {
		squares := make([]float64, len(values))
		for i, v := range values {
			d := v - b.Mean
			squares[i] = d * d
		}
		b.SD = math.Sqrt(stats.Sum(squares) / (n - 1))
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	b.Q25 = stats.Quantile(sorted, 0.25)
	b.Median = stats.Quantile(sorted, 0.5)
	b.Q75 = stats.Quantile(sorted, 0.75)
	b.Q95 = stats.Quantile(sorted, 0.95)
	b.Constant = sorted[0] == sorted[len(sorted)-1]
	return b, sorted
}

func (b *Baseline) expected() Expected {
	return Expected{Q25: b.Q25, Median: b.Median, Q75: b.Q75}
}
