package anomaly

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Preset is a way to judge.
type Preset uint8

const (
	// Default takes values by name, watches calibrated tails on both sides and a
	// forest, and raises false alarms at the rate that was asked for.
	Default Preset = iota
	// Compat is StandardScaler, IsolationForest with contamination 0.1 and 100
	// trees, and mean/standard deviation baselines, with the same numbers as
	// scikit-learn 1.2.1. Use it to reproduce results made that way. Known
	// weaknesses, kept on purpose: values are taken by position and names are not
	// checked beyond their count; about a tenth of healthy readings are flagged;
	// single-metric outages mostly are not (a throughput of 0 is "normal"); low
	// values and directions are ignored; the confidence is no probability.
	Compat
)

var presetNames = []string{"default", "compat"}

// String returns "default" or "compat".
func (p Preset) String() string { return enum.String(presetNames, "Preset", uint8(p)) }

// MarshalText implements [encoding.TextMarshaler].
func (p Preset) MarshalText() ([]byte, error) {
	return enum.Text(presetNames, "anomaly", "Preset", uint8(p))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Preset) UnmarshalText(text []byte) error {
	n, err := enum.Parse(presetNames, "anomaly", "preset", text)
	*p = Preset(n)
	return err
}

// Options of [Fit]. The zero value is the Default preset with one false alarm in
// a hundred healthy readings.
type Options struct {
	// Preset chooses how to judge. Defaults to Default.
	Preset Preset `json:"preset"`

	// Schema describes the features; its names must be those of the history.
	// Defaults to SchemaOf(names). Not in Compat.
	Schema Schema `json:"schema,omitempty"`
	// Alpha in (0, 0.5] is the probability of an alarm on a healthy reading.
	// Defaults to 0.01. Not in Compat.
	Alpha float64 `json:"alpha,omitempty"`
	// FalseAlarmsPerDay states Alpha as a number per day of readings that come
	// every Interval: alpha = alarms * interval / 24 h. Not in Compat.
	FalseAlarmsPerDay float64 `json:"false_alarms_per_day,omitempty"`
	// Interval between readings. Defaults to 30 s. Only with FalseAlarmsPerDay.
	Interval time.Duration `json:"interval,omitempty"`
	// Strict makes an absent or NaN value an error, in history and readings,
	// instead of reporting it as missing. Compat is always strict about NaN.
	Strict bool `json:"strict,omitempty"`
	// Advice is the table of texts. Defaults to DefaultAdvice(). Not in Compat.
	Advice []Advice `json:"advice,omitempty"`

	// Season makes Default look for a season of each feature and judge by it where one is
	// accepted; the history needs Times, and readings an instant. Defaults to none.
	Season *Season `json:"season,omitempty"`
	// Combine says how the p-values of the components become one. Defaults to
	// CombineMinP. Not in Compat.
	Combine Combine `json:"combine,omitzero"`

	// Contamination in (0, 0.5] is the share of the history taken for abnormal.
	// Defaults to 0.1 in Compat. In Default it is another name for Alpha.
	Contamination float64 `json:"contamination,omitempty"`
	// Trees of the forest. Defaults to 100.
	Trees int `json:"trees,omitempty"`
	// Workers is how many goroutines grow trees at the same time, the calling one included;
	// the detector is the same for any number. Defaults to 1.
	Workers int `json:"workers,omitempty"`
	// Seed of the forest, the random_state of Compat. Defaults to 42.
	Seed *uint32 `json:"seed,omitempty"`

	// TrainedAt is the instant of the newest row, for Verdict.ModelAge. Defaults
	// to not known.
	TrainedAt time.Time `json:"trained_at,omitzero"`
}

type resolvedOptions struct {
	alpha         float64
	contamination float64
	trees         int
	workers       int
	seed          uint32
	advice        []Advice
	combine       Combine
	season        *Season
	zone          *time.Location
}

// resolve fills the defaults in and reports the first option out of range as an
// [*OptionError].
func (o *Options) resolve() (*resolvedOptions, error) {
	r := &resolvedOptions{trees: o.Trees, workers: o.Workers, seed: 42, advice: o.Advice, combine: o.Combine, season: o.Season}
	if o.Seed != nil {
		r.seed = *o.Seed
	}
	if r.trees == 0 {
		r.trees = 100
	}
	if r.advice == nil {
		r.advice = DefaultAdvice()
	}
	probability := func(p float64) bool { return p >= 0 && p <= 0.5 }
	const want = "a number in (0, 0.5], or 0 for the default"
	switch {
	case o.Preset > Compat:
		return nil, &OptionError{"Preset", o.Preset, "Default or Compat"}
	case o.Workers < 0:
		return nil, &OptionError{"Workers", o.Workers, "a positive number, or 0 for 1"}
	case o.Combine > CombineCauchy:
		return nil, &OptionError{"Combine", o.Combine, "CombineMinP, CombineFisher, CombineStouffer or CombineCauchy"}
	case o.Trees < 0:
		return nil, &OptionError{"Trees", o.Trees, "a positive number, or 0 for 100"}
	case !probability(o.Alpha):
		return nil, &OptionError{"Alpha", o.Alpha, want}
	case !probability(o.Contamination):
		return nil, &OptionError{"Contamination", o.Contamination, want}
	case !(o.FalseAlarmsPerDay >= 0) || math.IsInf(o.FalseAlarmsPerDay, 1):
		return nil, &OptionError{"FalseAlarmsPerDay", o.FalseAlarmsPerDay, "a positive number, or 0 for none"}
	case o.Interval < 0:
		return nil, &OptionError{"Interval", o.Interval, "a positive duration, or 0 for 30s"}
	case o.Interval != 0 && o.FalseAlarmsPerDay == 0:
		return nil, &OptionError{"Interval", o.Interval, "0 without FalseAlarmsPerDay"}
	}
	if o.Preset == Compat {
		const only = "its zero value: Compat does not have it"
		switch {
		case o.Schema != nil:
			return nil, &OptionError{"Schema", o.Schema, only}
		case o.Alpha != 0:
			return nil, &OptionError{"Alpha", o.Alpha, only}
		case o.FalseAlarmsPerDay != 0:
			return nil, &OptionError{"FalseAlarmsPerDay", o.FalseAlarmsPerDay, only}
		case o.Advice != nil:
			return nil, &OptionError{"Advice", o.Advice, only}
		case o.Season != nil:
			return nil, &OptionError{"Season", *o.Season, only}
		case o.Combine != CombineMinP:
			return nil, &OptionError{"Combine", o.Combine, only}
		}
		r.contamination = o.Contamination
		if r.contamination == 0 {
			r.contamination = 0.1
		}
		return r, nil
	}
	if o.Season != nil {
		var err error
		if r.zone, err = o.Season.location(); err != nil {
			return nil, err
		}
	}
	r.alpha = 0.01
	given := 0
	if o.Alpha != 0 {
		r.alpha = o.Alpha
		given++
	}
	if o.Contamination != 0 {
		r.alpha = o.Contamination
		given++
	}
	if o.FalseAlarmsPerDay != 0 {
		interval := cmp.Or(o.Interval, 30*time.Second)
		r.alpha = o.FalseAlarmsPerDay * interval.Hours() / 24
		if r.alpha > 0.5 {
			return nil, &OptionError{"FalseAlarmsPerDay", o.FalseAlarmsPerDay, fmt.Sprintf("at most every second reading of %v", interval)}
		}
		given++
	}
	if given > 1 {
		return nil, &OptionError{"Alpha", o.Alpha, "one of Alpha, Contamination and FalseAlarmsPerDay"}
	}
	return r, nil
}

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

// Value is one named number of a reading.
type Value struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Evaluate judges a reading taken at an instant. In Default an absent or NaN
// value counts as missing unless [Options.Strict] is set; unknown names are a
// [*SchemaError], infinities a [*ValueError]. In Compat the values are put in
// the order of training; names that training did not know follow in
// alphabetical order and take the places that are left.
func (d *Detector) Evaluate(at time.Time, reading map[string]float64) (Verdict, error) {
	values := make([]Value, 0, len(reading))
	for _, f := range d.schema {
		if x, ok := reading[f.Name]; ok {
			values = append(values, Value{f.Name, x})
		}
	}
	if len(values) < len(reading) {
		known := len(values)
		for name, x := range reading {
			if _, ok := d.index[name]; !ok {
				values = append(values, Value{name, x})
			}
		}
		slices.SortFunc(values[known:], func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	}
	return d.EvaluateOrdered(at, values)
}

// EvaluateOrdered is [Detector.Evaluate] for values in a given order. Only
// Compat minds it: there the first value stands for the first feature of the
// training, whatever its name. A name given twice is a [*SchemaError].
func (d *Detector) EvaluateOrdered(at time.Time, values []Value) (Verdict, error) {
	v := Verdict{At: at, Service: d.service, Preset: d.preset, Drift: d.drift}
	if !d.trainedAt.IsZero() {
		v.ModelAge = at.Sub(d.trainedAt)
	}
	if err := d.checkNames(values); err != nil {
		return Verdict{}, err
	}
	for _, x := range values {
		if math.IsInf(x.Value, 0) || d.strict && math.IsNaN(x.Value) {
			return Verdict{}, &ValueError{Feature: x.Name, Row: -1, Value: x.Value}
		}
	}
	if d.preset == Compat {
		if err := d.evaluateCompat(&v, values); err != nil {
			return Verdict{}, err
		}
		return v, nil
	}
	if err := d.evaluateDefault(&v, values); err != nil {
		return Verdict{}, err
	}
	return v, nil
}

// checkNames finds names that are unknown, given twice or, if that matters, not
// given. Compat forgives wrong names if their number is right.
func (d *Detector) checkNames(values []Value) error {
	given := make([]bool, len(d.schema))
	var problem SchemaError
	var strangers map[string]bool
	for _, x := range values {
		i, ok := d.index[x.Name]
		switch {
		case ok && given[i], strangers[x.Name]:
			problem.Duplicate = append(problem.Duplicate, x.Name)
		case ok:
			given[i] = true
		default:
			if strangers == nil {
				strangers = make(map[string]bool)
			}
			strangers[x.Name] = true
			problem.Unknown = append(problem.Unknown, x.Name)
		}
	}
	if d.preset == Compat && len(values) == len(d.schema) && problem.Duplicate == nil {
		return nil
	}
	if d.strict || problem.Unknown != nil {
		for i, ok := range given {
			if !ok {
				problem.Missing = append(problem.Missing, d.schema[i].Name)
			}
		}
	}
	return problem.orNil()
}

// evaluateDefault judges by name.
func (d *Detector) evaluateDefault(v *Verdict, values []Value) error {
	row := make([]float64, len(d.schema))
	for i := range row {
		row[i] = math.NaN()
	}
	for _, x := range values {
		row[d.index[x.Name]] = x.Value
	}
	judged := 0
	for i := range row {
		f := &d.schema[i]
		switch {
		case math.IsNaN(row[i]):
			v.Missing = append(v.Missing, f.Name)
		case !f.within(row[i]):
			v.Invalid = append(v.Invalid, Violation{Feature: f.Name, Value: row[i], Min: f.Min, Max: f.Max})
			row[i] = math.NaN()
		default:
			judged++
		}
	}
	for _, bad := range v.Invalid {
		v.Advice = append(v.Advice, bad.advice())
	}
	switch {
	case judged > 0:
		if err := d.needInstant(v.At); err != nil {
			return err
		}
		if err := d.judge(v, row); err != nil {
			return err
		}
	case v.Invalid != nil:
		v.State = Invalid
	default:
		v.State = NoData
		v.Advice = []string{adviceNoData}
	}
	v.Recommendation = adviceNormal
	if len(v.Advice) > 0 {
		v.Recommendation = strings.Join(v.Advice, "; ")
	}
	return nil
}

// judge fills the statistical part of a verdict. NaN cells are left out.
func (d *Detector) judge(v *Verdict, row []float64) error {
	c := d.calibrated
	s := d.scratch()
	defer scratches.Put(s)
	logP, err := d.judgeRow(s, v.At, row)
	if err != nil {
		return err
	}
	logAlpha := c.logAlpha * d.threshold
	v.Score = logP / logAlpha
	v.P = math.Exp(logP)
	v.BoundaryP = math.Exp(logAlpha)
	v.Confidence = -math.Expm1(logP)
	switch {
	case v.Score >= 1:
		v.State = Anomaly
	case v.Invalid != nil:
		v.State = Invalid
	default:
		v.State = Normal
	}

	// Evidence is what exceeds what a component shows in health. The forest's is passed
	// on to the features whose cuts shortened the path.
	forest := c.excess(s.forest)
	if c.way == CombineMinP {
		forest = max(0, math.Log(forestWeight)-s.forest)
	}
	clear(s.credit)
	if forest > 0 {
		if err := c.forest.Attribute(s.credit, s.scaled); err != nil {
			return err
		}
	}
	blamed := 0.0
	for i := range s.credit {
		if math.IsNaN(row[i]) {
			s.credit[i] = 0
		}
		s.credit[i] = max(0, s.credit[i])
		blamed += s.credit[i]
	}
	sum := 0.0
	v.Contributions = make([]Contribution, 0, len(row)-len(v.Missing)-len(v.Invalid))
	for i, x := range row {
		if math.IsNaN(x) {
			continue
		}
		contribution := d.describe(v.At, i, x)
		contribution.TailP = math.Exp(s.logP[i])
		contribution.Score = c.alone(i, s.logP[i]) / logAlpha
		contribution.Share = c.excess(s.logP[i])
		if blamed > 0 {
			contribution.Share += forest * s.credit[i] / blamed
		}
		sum += contribution.Share
		v.Contributions = append(v.Contributions, contribution)
	}
	for i := range v.Contributions {
		if sum > 0 {
			v.Contributions[i].Share /= sum
		} else {
			v.Contributions[i].Share = 1 / float64(len(v.Contributions))
		}
	}
	sortByShare(v.Contributions)
	if v.State == Anomaly {
		d.advise(v)
	}
	return nil
}

// advise collects the texts for every feature that suffices for an alarm, and
// for the main one if only the combination does.
func (d *Detector) advise(v *Verdict) {
	before := len(v.Advice)
	for i, c := range v.Contributions {
		if c.Score >= 1 || i == 0 {
			v.Advice = appendNew(v.Advice, adviceFor(d.advice, &d.schema[d.index[c.Feature]], c.Direction)...)
		}
	}
	if len(v.Advice) == before {
		v.Advice = append(v.Advice, adviceUnknown)
	}
}

// describe compares one value with the history of its feature.
func (d *Detector) describe(at time.Time, i int, x float64) Contribution {
	b, c := &d.baselines[i], &d.columns[i]
	sd := b.SD
	if sd == 0 {
		sd = c.spread
	}
	expected := b.expected(at, c)
	side, harm := Low, d.schema[i].Harm
	if x > expected.Median {
		side = High
	}
	if d.calibrated != nil {
		harm = d.calibrated.sides[i]
	}
	left := b.Season.season(at, x)
	out := Contribution{
		Feature:    d.schema[i].Name,
		Unit:       d.schema[i].Unit,
		Value:      x,
		Expected:   expected,
		Direction:  side,
		Harm:       harm,
		Z:          saturate((x - b.Mean) / sd),
		RobustZ:    c.robustZ(left),
		Percentile: c.percentile(left),
	}
	if b.Season != nil {
		out.Season = b.Season.Cycle
	}
	return out
}

// saturate keeps a quotient finite, for JSON.
func saturate(z float64) float64 { return min(max(z, -math.MaxFloat64), math.MaxFloat64) }

// sortByShare keeps equal shares in the order of the schema.
func sortByShare(c []Contribution) {
	slices.SortStableFunc(c, func(a, b Contribution) int { return cmp.Compare(b.Share, a.Share) })
}
