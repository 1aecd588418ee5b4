package anomaly

import (
	"math"
	"strings"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Scaling is the standard scaling of one column: (x - Mean) / Scale.
type Scaling struct {
	Mean float64 `json:"mean"`
	// Variance is that of the population (n).
	Variance float64 `json:"variance"`
	// Scale is the root of the variance, or 1 for a constant column.
	Scale float64 `json:"scale"`
}

// CompatResult is the answer of the [Compat] recipe in its own terms.
type CompatResult struct {
	IsAnomaly bool `json:"is_anomaly"`
	// AnomalyScore is the forest's decision, negative for an anomaly.
	AnomalyScore float64 `json:"anomaly_score"`
	// ScoreSamples is the forest's score before the offset is subtracted.
	ScoreSamples float64 `json:"score_samples"`
	// Confidence is the absolute AnomalyScore.
	Confidence float64 `json:"confidence"`
	// Deviations are in input order and leave out names without a baseline.
	Deviations     []Deviation `json:"deviations"`
	Recommendation string      `json:"recommendation"`
}

// Deviation compares one value with the baseline of its name.
type Deviation struct {
	Feature      string  `json:"feature"`
	Current      float64 `json:"current"`
	BaselineMean float64 `json:"baseline_mean"`
	// Score is the distance from the mean in sample standard deviations, 0 if
	// the deviation is 0.
	Score float64 `json:"deviation_score"`
	// Bucket is bottom_quartile, below_median, above_median, top_quartile (up to
	// the 95th percentile) or extreme_high.
	Bucket string `json:"percentile"`
}

// compatModel is the Compat side of a Detector.
type compatModel struct {
	scaling []Scaling
	forest  *iforest.Forest
}

// scale fits the standard scaling of a column as StandardScaler does on the
// columns of a data frame: pairwise sums, and a variance corrected for the
// rounding of the mean.
func scale(column []float64) Scaling {
	const eps = 0x1p-52
	n := float64(len(column))
	s := Scaling{Mean: stats.Sum(column) / n}
	away, squares := make([]float64, len(column)), make([]float64, len(column))
	for i, v := range column {
		away[i] = v - s.Mean
		squares[i] = away[i] * away[i]
	}
	correction := stats.Sum(away)
	s.Variance = (stats.Sum(squares) - correction*correction/n) / n
	s.Scale = math.Sqrt(s.Variance)
	if noise := n * s.Mean * eps; s.Variance <= float64(n*eps*s.Variance)+float64(noise*noise) {
		s.Scale = 1
	}
	return s
}

func fitCompat(columns [][]float64, o *resolvedOptions) (*compatModel, error) {
	m := &compatModel{scaling: make([]Scaling, len(columns))}
	n := len(columns[0])
	rows, cells := make([][]float64, n), make([]float64, n*len(columns))
	for i := range rows {
		rows[i] = cells[i*len(columns) : (i+1)*len(columns)]
	}
	for j, column := range columns {
		s := scale(column)
		m.scaling[j] = s
		for i, v := range column {
			rows[i][j] = (v - s.Mean) / s.Scale
		}
	}
	var err error
	m.forest, err = iforest.Fit(rows, &iforest.Options{Trees: o.trees, Seed: o.seed, Contamination: o.contamination, Workers: o.workers})
	return m, err
}

// evaluateCompat feeds the values by position, whatever their names.
func (d *Detector) evaluateCompat(v *Verdict, values []Value) error {
	m := d.compat
	scaled := make([]float64, len(values))
	for j, x := range values {
		scaled[j] = (x.Value - m.scaling[j].Mean) / m.scaling[j].Scale
		if !finite(float64(float32(scaled[j]))) {
			return &ValueError{Feature: x.Name, Row: -1, Value: x.Value}
		}
	}
	score, err := m.forest.Score(scaled)
	if err != nil {
		return err
	}
	decision := score - m.forest.Offset()
	r := &CompatResult{
		IsAnomaly:    decision < 0,
		AnomalyScore: decision,
		ScoreSamples: score,
		Confidence:   math.Abs(decision),
	}
	for _, x := range values {
		i, known := d.index[x.Name]
		if !known {
			continue
		}
		b := &d.baselines[i]
		z := 0.0
		if b.SD > 0 {
			z = (x.Value - b.Mean) / b.SD
		}
		r.Deviations = append(r.Deviations, Deviation{
			Feature: x.Name, Current: x.Value, BaselineMean: b.Mean,
			Score: math.Abs(z), Bucket: b.Bucket(x.Value),
		})
		v.Contributions = append(v.Contributions, d.describe(v.At, i, x.Value))
	}
	r.Recommendation = r.recommend()
	shareByDistance(v.Contributions)

	v.State = Normal
	if r.IsAnomaly {
		v.State = Anomaly
		v.Advice = appendNew(nil, strings.Split(r.Recommendation, "; ")...)
	}
	v.Score = score / m.forest.Offset()
	v.Confidence = r.Confidence
	v.Recommendation = r.Recommendation
	v.Compat = r
	return nil
}

// Bucket names where a value stands in the history: bottom_quartile, below_median,
// above_median, top_quartile (up to the 95th percentile) or extreme_high; ends count to
// the lower one.
func (b *Baseline) Bucket(v float64) string {
	switch {
	case v <= b.Q25:
		return "bottom_quartile"
	case v <= b.Median:
		return "below_median"
	case v <= b.Q75:
		return "above_median"
	case v <= b.Q95:
		return "top_quartile"
	}
	return "extreme_high"
}

// recommend looks at features beyond two standard deviations either way, takes
// the first word that occurs anywhere in a name, and repeats texts.
func (r *CompatResult) recommend() string {
	if !r.IsAnomaly {
		return adviceNormal
	}
	var texts []string
	far := false
	for _, d := range r.Deviations {
		if d.Score <= 2 {
			continue
		}
		far = true
		name := strings.ToLower(d.Feature)
		for _, rule := range []struct{ word, text string }{
			{"cpu", adviceCPU},
			{"memory", adviceMemory},
			{"latency", adviceLatency},
			{"response", adviceLatency},
			{"error", adviceError},
			{"throughput", adviceThroughput},
		} {
			if strings.Contains(name, rule.word) {
				texts = append(texts, rule.text)
				break
			}
		}
	}
	switch {
	case !far:
		return adviceMinor
	case texts == nil:
		return adviceUnknown
	}
	return strings.Join(texts, "; ")
}

// shareByDistance splits the whole by distance from the mean, for want of a
// probability.
func shareByDistance(c []Contribution) {
	sum := 0.0
	for i := range c {
		sum += math.Abs(c[i].Z)
	}
	for i := range c {
		c[i].Share = 1 / float64(len(c))
		if sum > 0 {
			c[i].Share = math.Abs(c[i].Z) / sum
		}
	}
	sortByShare(c)
}
