package anomaly

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Baseline summarises the history of one feature.
type Baseline struct {
	Feature string `json:"feature"`
	// N values were used; Missing cells were NaN, Invalid ones broke a limit.
	N       int `json:"n"`
	Missing int `json:"missing,omitempty"`
	Invalid int `json:"invalid,omitempty"`
	// Mean, and standard deviation of a sample (n-1); the latter 0 for one value. That of
	// a population is [Baseline.PopulationSD].
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
	// Quantiles are interpolated linearly between order statistics, unless
	// [BaselineOptions.Quantiles] says otherwise.
	Q25    float64 `json:"q25"`
	Median float64 `json:"median"`
	Q75    float64 `json:"q75"`
	Q95    float64 `json:"q95"`
	// MAD is the median absolute deviation from the linear median; times 1.4826 it is the
	// standard deviation of a normal distribution.
	MAD float64 `json:"mad"`
	// Constant says that all values are equal.
	Constant bool `json:"constant,omitempty"`
	// Season is the accepted season, nil for none.
	Season *Profile `json:"season,omitempty"`
}

// Baselines are those of several features. [Detector.Baselines] returns some, and
// [LearnBaselines] makes them without a detector.
type Baselines []Baseline

// BaselineOptions of [LearnBaselines]. The zero value is ready to use.
type BaselineOptions struct {
	// Quantiles is the rule for Q25 to Q95. Defaults to QuantileLinear.
	Quantiles QuantileMethod `json:"quantiles,omitzero"`
	// Season makes it look for seasons; the history needs Times. Defaults to none.
	Season *Season `json:"season,omitempty"`
}

// LearnBaselines summarises every column of a history, in its order. nil options are the
// zero value. A column without any value has N 0 and NaN for every number. Errors are
// [*SchemaError], [*RowError], [*ValueError] and [*OptionError].
func LearnBaselines(h History, o *BaselineOptions) (Baselines, error) {
	if o == nil {
		o = &BaselineOptions{}
	}
	if o.Quantiles > QuantileNearest {
		return nil, &OptionError{"Quantiles", o.Quantiles, "one of the methods"}
	}
	schema := make(Schema, len(h.Names))
	for j, name := range h.Names {
		schema[j].Name = name
	}
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	columns, err := h.columns(schema)
	if err != nil {
		return nil, err
	}
	var loc *time.Location
	if o.Season != nil {
		if loc, err = o.Season.location(); err != nil {
			return nil, err
		}
		if err := checkTimes(h.Times, len(h.Rows)); err != nil {
			return nil, err
		}
	}
	out := make(Baselines, len(columns))
	for j, column := range columns {
		values := slices.DeleteFunc(slices.Clone(column), math.IsNaN)
		out[j], _ = summarize(h.Names[j], values, o.Quantiles)
		out[j].Missing = len(column) - len(values)
		if o.Season != nil && len(values) > 0 {
			out[j].Season, _ = findSeason(h.Times, column, o.Season, loc)
		}
	}
	return out, nil
}

// Expected returns the usual value of a feature at an instant: its median, where it has a
// season that of the bin of the instant. ok is false for a name that is not there or has
// no value. So it can stand behind a condition such as "30% below normal", whose engine
// asks for a value by name and instant.
func (b Baselines) Expected(name string, at time.Time) (value float64, ok bool) {
	i := slices.IndexFunc(b, func(one Baseline) bool { return one.Feature == name })
	if i < 0 || b[i].N == 0 {
		return 0, false
	}
	return b[i].Expected(at), true
}

// Expected is the median, or that of the season at an instant.
func (b *Baseline) Expected(at time.Time) float64 {
	if b.Season == nil {
		return b.Median
	}
	return b.Season.binAt(at).Center
}

// PopulationSD is the standard deviation over n in place of n-1.
func (b *Baseline) PopulationSD() float64 {
	if b.N == 0 {
		return math.NaN()
	}
	return b.SD * math.Sqrt(float64(b.N-1)/float64(b.N))
}

// summarize fills the statistics of values, which are finite. It returns them sorted as
// well.
func summarize(name string, values []float64, m QuantileMethod) (Baseline, []float64) {
	b := Baseline{Feature: name, N: len(values), Mean: stats.Mean(values)}
	switch b.N {
	case 0:
		b.SD = math.NaN()
	case 1:
		b.SD = 0
	default:
		b.SD = stats.SD(values, 1)
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(q float64) float64 { return stats.QuantileBy(sorted, q, stats.Method(m)) }
	b.Q25, b.Median, b.Q75, b.Q95 = at(0.25), at(0.5), at(0.75), at(0.95)
	b.MAD = stats.MAD(sorted)
	b.Constant = b.N > 0 && sorted[0] == sorted[b.N-1]
	return b, sorted
}

// expected are the quartiles at an instant, given the distribution of what the season
// leaves.
func (b *Baseline) expected(at time.Time, c *column) Expected {
	if b.Season == nil {
		return Expected{Q25: b.Q25, Median: b.Median, Q75: b.Q75}
	}
	value := func(q float64) float64 { return b.Season.value(at, stats.Quantile(c.knots, q)) }
	return Expected{Q25: value(0.25), Median: value(0.5), Q75: value(0.75)}
}

// baselineJSON is a Baseline whose numbers may be missing.
type baselineJSON struct {
	Feature  string   `json:"feature"`
	N        int      `json:"n"`
	Missing  int      `json:"missing,omitempty"`
	Invalid  int      `json:"invalid,omitempty"`
	Mean     *float64 `json:"mean"`
	SD       *float64 `json:"sd"`
	Q25      *float64 `json:"q25"`
	Median   *float64 `json:"median"`
	Q75      *float64 `json:"q75"`
	Q95      *float64 `json:"q95"`
	MAD      *float64 `json:"mad"`
	Constant bool     `json:"constant,omitempty"`
	Season   *Profile `json:"season,omitempty"`
}

// MarshalJSON writes null for numbers that are NaN.
func (b Baseline) MarshalJSON() ([]byte, error) {
	number := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	return json.Marshal(baselineJSON{
		b.Feature, b.N, b.Missing, b.Invalid, number(b.Mean), number(b.SD), number(b.Q25), number(b.Median), number(b.Q75), number(b.Q95),
		number(b.MAD), b.Constant, b.Season,
	})
}

// UnmarshalJSON reads null as NaN.
func (b *Baseline) UnmarshalJSON(data []byte) error {
	var in baselineJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	number := func(v *float64) float64 {
		if v == nil {
			return math.NaN()
		}
		return *v
	}
	*b = Baseline{
		in.Feature, in.N, in.Missing, in.Invalid, number(in.Mean), number(in.SD), number(in.Q25), number(in.Median), number(in.Q75),
		number(in.Q95), number(in.MAD), in.Constant, in.Season,
	}
	return nil
}
