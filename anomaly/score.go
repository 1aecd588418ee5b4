package anomaly

import (
	"math"
	"sync"
	"time"
)

// scratch is the working memory of one judgement.
type scratch struct {
	row    []float64 // values
	left   []float64 // what seasons leave of them
	scaled []float64 // as the forest takes them
	logP   []float64 // of each tail
	credit []float64
	forest float64 // ln p of the forest
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// scratch returns memory for one row; its contents are undefined.
func (d *Detector) scratch() *scratch {
	s := scratches.Get().(*scratch)
	n := len(d.schema)
	if cap(s.row) < n {
		all := make([]float64, 5*n)
		s.row, s.left, s.scaled, s.logP, s.credit = all[:n:n], all[n:2*n:2*n], all[2*n:3*n:3*n], all[3*n:4*n:4*n], all[4*n:]
	}
	s.row, s.left, s.scaled, s.logP, s.credit = s.row[:n], s.left[:n], s.scaled[:n], s.logP[:n], s.credit[:n]
	return s
}

// Score returns the [Verdict.Score] of a row in the order of [Detector.Schema], without
// the explanation and without allocating. NaN is a missing value; in Default values
// outside physical limits are left out, as in a verdict. NaN says that no value was left
// to judge. Errors are those of [Detector.Evaluate], and [*RowError] for another number
// of values.
func (d *Detector) Score(at time.Time, row []float64) (float64, error) {
	if len(row) != len(d.schema) {
		return 0, &RowError{Row: -1, Value: len(row), Want: len(d.schema)}
	}
	s := d.scratch()
	defer scratches.Put(s)
	judged := 0
	for i, v := range row {
		switch {
		case math.IsInf(v, 0) || d.strict && math.IsNaN(v):
			return 0, &ValueError{Feature: d.schema[i].Name, Row: -1, Value: v}
		case math.IsNaN(v), d.preset == Default && !d.schema[i].within(v):
			s.row[i] = math.NaN()
		default:
			s.row[i] = v
			judged++
		}
	}
	if d.preset == Compat {
		for j, v := range s.row {
			s.scaled[j] = (v - d.compat.scaling[j].Mean) / d.compat.scaling[j].Scale
			if !finite(float64(float32(s.scaled[j]))) {
				return 0, &ValueError{Feature: d.schema[j].Name, Row: -1, Value: v}
			}
		}
		score, err := d.compat.forest.Score(s.scaled)
		return score / d.compat.forest.Offset(), err
	}
	if judged == 0 {
		return math.NaN(), nil
	}
	if err := d.needInstant(at); err != nil {
		return 0, err
	}
	logP, err := d.judgeRow(s, at, s.row)
	return logP / (d.calibrated.logAlpha * d.threshold), err
}

// judgeRow returns ln of the calibrated p-value of a row and leaves in s what led to it.
func (d *Detector) judgeRow(s *scratch, at time.Time, row []float64) (logP float64, err error) {
	t, err := d.statistic(s, at, row)
	if err != nil {
		return 0, err
	}
	return d.calibrated.calibrate(t), nil
}

// statistic is judgeRow before calibration.
func (d *Detector) statistic(s *scratch, at time.Time, row []float64) (t float64, err error) {
	c := d.calibrated
	for i, v := range row {
		s.left[i] = d.baselines[i].Season.season(at, v)
	}
	scaleRow(s.scaled, s.left, d.columns)
	score, err := c.forest.Score(s.scaled)
	if err != nil {
		return 0, err
	}
	s.forest, t = c.judge(s.logP, d.columns, s.left, oddnessOf(score))
	return t, nil
}

// needInstant refuses the zero time where the answer depends on the time.
func (d *Detector) needInstant(at time.Time) error {
	if !at.IsZero() {
		return nil
	}
	for i := range d.baselines {
		if d.baselines[i].Season != nil {
			return &OptionError{"at", at, "an instant: feature " + d.schema[i].Name + " has a season"}
		}
	}
	return nil
}
