package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// Detector judges readings of one service. It is immutable and safe for
// concurrent use; make one with [Fit].
type Detector struct {
	service   string
	preset    Preset
	schema    Schema
	index     map[string]int // feature name to position in schema
	baselines Baselines
	columns   []column // of the values that a season leaves
	threshold float64  // factor of ln alpha, 1 unless labels moved it
	feedback  []Feedback
	drift     *Drift
	strict    bool
	advice    []Advice
	trainedAt time.Time

	calibrated *calibrated  // of Default
	compat     *compatModel // of Compat
}

// Fit learns a detector from the history of a service. nil options are the zero
// value. The history is not retained; the result depends on the arguments alone.
//
// Default wants at least 8 rows with a value in them, and as many values of every
// feature ([ErrTooFewRows]); missing values and values outside the limits of the
// schema are left out and counted in [Detector.Baselines]. The rate of false
// alarms is within a factor of about two of alpha from 100 rows on; from fewer
// than 50 rows an alpha of 0.01 can realise as 0.04. Compat wants complete
// rows, at least one. Other errors are [*SchemaError], [*RowError],
// [*ValueError] and [*OptionError].
func Fit(service string, h History, o *Options) (*Detector, error) {
	if o == nil {
		o = &Options{}
	}
	r, err := o.resolve()
	if err != nil {
		return nil, err
	}
	schema := slices.Clone(o.Schema)
	if schema == nil {
		schema = SchemaOf(h.Names...)
	}
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	if len(schema) == 0 {
		return nil, fmt.Errorf("%w: the history has no features", ErrTooFewRows)
	}
	columns, err := h.columns(schema)
	if err != nil {
		return nil, err
	}
	d := &Detector{
		service:   service,
		preset:    o.Preset,
		schema:    schema,
		index:     make(map[string]int, len(schema)),
		strict:    o.Strict || o.Preset == Compat,
		advice:    r.advice,
		threshold: 1,
		trainedAt: o.TrainedAt,
	}
	for j, f := range schema {
		d.index[f.Name] = j
	}
	if columns, err = d.learnColumns(columns, h.Times, r); err != nil {
		return nil, err
	}
	if o.Preset == Compat {
		d.compat, err = fitCompat(columns, r)
	} else {
		d.calibrated, err = fitCalibrated(schema, columns, d.columns, r)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// learnColumns fills baselines and columns. It returns the columns as the detector sees
// them: without rows that hold nothing or have no place in a season, with invalid cells
// turned to missing ones, and less their season.
func (d *Detector) learnColumns(columns [][]float64, times []time.Time, o *resolvedOptions) ([][]float64, error) {
	least := minRows
	if d.preset == Compat {
		least = 1
	}
	if o.season != nil {
		if err := checkTimes(times, len(columns[0])); err != nil {
			return nil, err
		}
	}
	missing, invalid := make([]int, len(columns)), make([]int, len(columns))
	for j, column := range columns {
		for i, v := range column {
			switch {
			case math.IsNaN(v) && d.strict:
				return nil, &ValueError{Feature: d.schema[j].Name, Row: i, Value: v}
			case math.IsNaN(v):
				missing[j]++
			case !d.schema[j].within(v):
				invalid[j]++
				column[i] = math.NaN()
			}
		}
	}
	columns, times = dropRows(columns, times, o)
	for j, column := range columns {
		values := slices.DeleteFunc(slices.Clone(column), math.IsNaN)
		if len(values) < least {
			return nil, fmt.Errorf("%w: feature %q has %d usable values, want at least %d", ErrTooFewRows, d.schema[j].Name, len(values), least)
		}
		b, sorted := summarize(d.schema[j].Name, values, QuantileLinear)
		b.Missing, b.Invalid = missing[j], invalid[j]
		if o.season != nil {
			var left []float64
			if b.Season, left = findSeason(times, column, o.season, o.zone); b.Season != nil {
				columns[j] = left
				sorted = slices.DeleteFunc(slices.Clone(left), math.IsNaN)
				slices.Sort(sorted)
			}
		}
		d.baselines = append(d.baselines, b)
		d.columns = append(d.columns, newColumn(sorted, &d.schema[j]))
	}
	return columns, nil
}

// dropRows leaves out rows that hold nothing, and of dates that resemble no other.
func dropRows(columns [][]float64, times []time.Time, o *resolvedOptions) ([][]float64, []time.Time) {
	kept := make([][]float64, len(columns))
	var at []time.Time
	for i := range columns[0] {
		if !slices.ContainsFunc(columns, func(c []float64) bool { return !math.IsNaN(c[i]) }) {
			continue
		}
		if o.season != nil {
			if o.season.alone(times[i], o.zone) {
				continue
			}
			at = append(at, times[i])
		}
		for j, column := range columns {
			kept[j] = append(kept[j], column[i])
		}
	}
	return kept, at
}

// String says what was trained, in the words of the recipe that Compat follows.
func (d *Detector) String() string {
	return fmt.Sprintf("Trained anomaly detection for %s with %d features", d.service, len(d.schema))
}

// Service returns the name given to [Fit].
func (d *Detector) Service() string { return d.service }

// Preset returns how the detector judges.
func (d *Detector) Preset() Preset { return d.preset }

// Schema returns a copy of the schema in use.
func (d *Detector) Schema() Schema { return slices.Clone(d.schema) }

// Baselines returns what the history shows of each feature, in schema order.
func (d *Detector) Baselines() Baselines { return slices.Clone(d.baselines) }

// Expected returns the usual value of a feature at an instant: its median, where it has a
// season that of the bin of the instant, in Compat its mean. ok is false for a name
// without history. The signature is that of a reference lookup for conditions such as
// "30% below normal".
func (d *Detector) Expected(name string, at time.Time) (value float64, ok bool) {
	i, ok := d.index[name]
	if !ok {
		return 0, false
	}
	if d.preset == Compat {
		return d.baselines[i].Mean, true
	}
	return d.baselines[i].Expected(at), true
}

// Scaling returns the standard scaling before the forest of Compat, one per
// feature; nil in other presets.
func (d *Detector) Scaling() []Scaling {
	if d.compat == nil {
		return nil
	}
	return slices.Clone(d.compat.scaling)
}

// Forest returns the isolation forest. It takes scaled rows: see
// [Detector.Scaling] for Compat; in Default robust z-values.
func (d *Detector) Forest() *iforest.Forest {
	if d.compat != nil {
		return d.compat.forest
	}
	return d.calibrated.forest
}
