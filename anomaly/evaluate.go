package anomaly

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

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
