package anomaly

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Label is a reading of the past of which somebody knows what it was.
type Label struct {
	// Score is the [Verdict.Score] that the reading had, or has now.
	Score float64 `json:"score"`
	// Anomaly says that an alarm was or would have been right.
	Anomaly bool `json:"anomaly"`
}

// Point is a threshold and what alarms at scores of at least that would have done.
type Point struct {
	Threshold float64 `json:"threshold"`
	// Found anomalies and Missed ones, FalseAlarms and Quiet readings without an anomaly.
	Found       int `json:"found"`
	Missed      int `json:"missed"`
	FalseAlarms int `json:"false_alarms"`
	Quiet       int `json:"quiet"`
	// Precision is the share of alarms that were right, Recall that of anomalies that were
	// found.
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	// Cost of the missed anomalies and the false alarms.
	Cost float64 `json:"cost"`
}

// CalibrationOptions of [Calibrate]. The zero value is ready to use.
type CalibrationOptions struct {
	// MissCost is what a missed anomaly costs in false alarms. Defaults to 10.
	MissCost float64 `json:"miss_cost,omitempty"`
	// Low and High bound the threshold, so that a few labels cannot switch a detector off
	// or let it cry wolf. Default to 0.7 and 1.5: with an alpha of 0.01 these are
	// 0.04 and 0.001.
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
}

// resolve fills the defaults in and reports what is out of range; o may be nil.
func (o *CalibrationOptions) resolve() (CalibrationOptions, error) {
	var r CalibrationOptions
	if o != nil {
		r = *o
	}
	r.MissCost, r.Low, r.High = cmp.Or(r.MissCost, 10), cmp.Or(r.Low, 0.7), cmp.Or(r.High, 1.5)
	switch {
	case !(r.MissCost > 0) || math.IsInf(r.MissCost, 1):
		return r, &OptionError{"MissCost", r.MissCost, "a positive number, or 0 for 10"}
	case !(r.Low > 0) || math.IsInf(r.Low, 1):
		return r, &OptionError{"Low", r.Low, "a positive number, or 0 for 0.7"}
	case !(r.High >= r.Low) || math.IsInf(r.High, 1):
		return r, &OptionError{"High", r.High, fmt.Sprintf("a number of at least Low = %v", r.Low)}
	}
	return r, nil
}

// Calibration is a threshold chosen from labels.
type Calibration struct {
	// Chosen is the threshold of least cost within the bounds; of equal ones the nearest
	// to 1, then the higher. Hand its Threshold to [Detector.WithThreshold].
	Chosen Point `json:"chosen"`
	// Bounded says that a threshold outside the bounds would have cost less.
	Bounded bool `json:"bounded,omitempty"`
	// Curve has a point for every distinct score, by falling threshold.
	Curve []Point `json:"curve"`
	// ROCAUC is the probability that an anomaly has a higher score than another reading,
	// ties as a half. AveragePrecision is the area under precision over recall as steps.
	ROCAUC           float64 `json:"roc_auc"`
	AveragePrecision float64 `json:"average_precision"`
}

// Calibrate chooses a threshold for scores from labelled readings, of which at least one is
// an anomaly and one is not. Scores are finite. nil options are the zero value. Errors
// are [*OptionError].
func Calibrate(labels []Label, o *CalibrationOptions) (*Calibration, error) {
	r, err := o.resolve()
	if err != nil {
		return nil, err
	}
	positive, scores := make([]bool, len(labels)), make([]float64, len(labels))
	total := 0
	for i, l := range labels {
		if !finite(l.Score) {
			return nil, &OptionError{fmt.Sprintf("labels[%d].Score", i), l.Score, "a finite number"}
		}
		positive[i], scores[i] = l.Anomaly, l.Score
		if l.Anomaly {
			total++
		}
	}
	if total == 0 || total == len(labels) {
		return nil, &OptionError{"labels", fmt.Sprintf("%d anomalies in %d readings", total, len(labels)), "some of either kind"}
	}
	c := &Calibration{ROCAUC: stats.ROCAUC(positive, scores), AveragePrecision: stats.AveragePrecision(positive, scores)}
	sorted := slices.Clone(labels)
	slices.SortStableFunc(sorted, func(a, b Label) int { return cmp.Compare(b.Score, a.Score) })
	point := Point{Missed: total, Quiet: len(labels) - total}
	// What alarms at exactly the bounds would have done counts, too.
	atHigh, atLow, atOne := point, point, point
	for i, l := range sorted {
		if l.Anomaly {
			point.Found++
			point.Missed--
		} else {
			point.FalseAlarms++
			point.Quiet--
		}
		if i+1 < len(sorted) && sorted[i+1].Score == l.Score {
			continue
		}
		point.Threshold = l.Score
		c.Curve = append(c.Curve, point.priced(r.MissCost))
		if l.Score >= r.High {
			atHigh = point
		}
		if l.Score >= r.Low {
			atLow = point
		}
		if l.Score >= 1 {
			atOne = point
		}
	}
	candidates := slices.Clone(c.Curve)
	atHigh.Threshold, atLow.Threshold, atOne.Threshold = r.High, r.Low, 1
	candidates = append(candidates, atHigh.priced(r.MissCost), atLow.priced(r.MissCost), atOne.priced(r.MissCost))
	better := func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(math.Abs(a.Threshold-1), math.Abs(b.Threshold-1)), cmp.Compare(b.Threshold, a.Threshold))
	}
	inside := slices.DeleteFunc(slices.Clone(candidates), func(p Point) bool { return p.Threshold < r.Low || p.Threshold > r.High })
	c.Chosen = slices.MinFunc(inside, better)
	nothing := Point{Missed: total, Quiet: len(labels) - total}.priced(r.MissCost) // no alarm at all
	c.Bounded = min(slices.MinFunc(candidates, better).Cost, nothing.Cost) < c.Chosen.Cost
	return c, nil
}

// priced fills what follows from the counts.
func (p Point) priced(missCost float64) Point {
	p.Recall = float64(p.Found) / float64(p.Found+p.Missed)
	p.Precision = 1 // no alarm, none wrong
	if alarms := p.Found + p.FalseAlarms; alarms > 0 {
		p.Precision = float64(p.Found) / float64(alarms)
	}
	p.Cost = missCost*float64(p.Missed) + float64(p.FalseAlarms)
	return p
}

// Label scores a history of which somebody knows which rows were anomalies, for [Calibrate].
// Names are those of the schema; rows without a value to judge are left out. Scores are
// those of the detector as it is: a threshold chosen from them is a factor of its own
// [Detector.Threshold]. Errors are those of [Fit] and [Detector.Score], and [*OptionError] for
// another number of anomalies than of rows.
func (d *Detector) Label(h History, anomalies []bool) ([]Label, error) {
	if len(anomalies) != len(h.Rows) {
		return nil, &OptionError{"anomalies", len(anomalies), fmt.Sprintf("one for each of %d rows", len(h.Rows))}
	}
	columns, err := h.columns(d.schema)
	if err != nil {
		return nil, err
	}
	if h.Times != nil {
		if err := checkTimes(h.Times, len(h.Rows)); err != nil {
			return nil, err
		}
	}
	var labels []Label
	row := make([]float64, len(columns))
	for i, odd := range anomalies {
		var at time.Time
		if h.Times != nil {
			at = h.Times[i]
		}
		for j := range columns {
			row[j] = columns[j][i]
		}
		score, err := d.Score(at, row)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(score) {
			labels = append(labels, Label{Score: score, Anomaly: odd})
		}
	}
	return labels, nil
}

// Feedback is what somebody said about a verdict.
type Feedback struct {
	At time.Time `json:"at"`
	// P is the [Verdict.P]. It does not depend on the threshold, so labels stay right when
	// it moves.
	P float64 `json:"p"`
	// Anomaly says that there was something: a true alarm, or a missed one.
	Anomaly bool `json:"anomaly"`
	// By and Note are for people.
	By   string `json:"by,omitempty"`
	Note string `json:"note,omitempty"`
}

// Threshold is the factor at which the detector alarms: readings whose ln P is that many
// times ln alpha or less. 1 unless [Detector.WithThreshold] or [Detector.WithFeedback] moved
// it.
func (d *Detector) Threshold() float64 { return d.threshold }

// FalseAlarmRate returns the expected share of healthy readings that raise an alarm: alpha
// to the power of the threshold, 0 in Compat, where it is not known.
func (d *Detector) FalseAlarmRate() float64 {
	if d.calibrated == nil {
		return 0
	}
	return math.Exp(d.calibrated.logAlpha * d.threshold)
}

// WithThreshold returns a detector that alarms at factor times the score of this one as it
// was fitted: above 1 it alarms less. Scores are divided by the factor, so that their
// boundary stays 1. The factor is positive; Compat does not have it. Errors are
// [*OptionError].
func (d *Detector) WithThreshold(factor float64) (*Detector, error) {
	switch {
	case d.preset != Default:
		return nil, &OptionError{"factor", factor, "the Default preset"}
	case !(factor > 0) || math.IsInf(factor, 1):
		return nil, &OptionError{"factor", factor, "a positive number"}
	}
	out := *d
	out.threshold = lowered(factor)
	return &out, nil
}

// lowered takes a trillionth off, so that rounding does not lose a reading whose score is just
// the factor.
func lowered(factor float64) float64 {
	if factor == 1 {
		return 1
	}
	return factor * (1 - 1e-12)
}

// Feedback returns the labels that the detector was given, in the order given.
func (d *Detector) Feedback() []Feedback { return slices.Clone(d.feedback) }

// feedbackPull is how many false alarms a threshold of e or 1/e has to save to be worth it:
// what was asked for counts for something against a few labels.
const feedbackPull = 1

// WithFeedback returns a detector that has more labels, and the threshold that all labels
// together speak for:
//
//	cost(t) = MissCost * anomalies with a score below t + false alarms from t on + |ln t|
//
// is least, within the bounds, among 1, the bounds, and the scores of the labels and their
// nearest neighbours above. So one false alarm moves the threshold just above it, and many
// true alarms there move it back. Scores are ln P over ln alpha as fitted. nil options
// are the zero value; the labels stay those of all calls. The cost grows with the square of
// their number. Errors are [*OptionError].
func (d *Detector) WithFeedback(labels []Feedback, o *CalibrationOptions) (*Detector, error) {
	r, err := o.resolve()
	if err != nil {
		return nil, err
	}
	if d.preset != Default {
		return nil, &OptionError{"labels", len(labels), "the Default preset"}
	}
	for i, l := range labels {
		if !(l.P > 0 && l.P <= 1) {
			return nil, &OptionError{fmt.Sprintf("labels[%d].P", i), l.P, "the P of a verdict, in (0, 1]"}
		}
	}
	out := *d
	out.feedback = slices.Concat(d.feedback, labels)
	scores := make([]float64, len(out.feedback))
	candidates := []float64{1, r.Low, r.High}
	for i, l := range out.feedback {
		scores[i] = math.Log(l.P) / d.calibrated.logAlpha
		candidates = append(candidates, scores[i], scores[i]*(1+1e-9))
	}
	best, least := 1.0, math.Inf(1)
	slices.Sort(candidates)
	for _, t := range candidates {
		if t < r.Low || t > r.High {
			continue
		}
		cost := feedbackPull * math.Abs(math.Log(t))
		for i, l := range out.feedback {
			switch {
			case l.Anomaly && scores[i] < t:
				cost += r.MissCost
			case !l.Anomaly && scores[i] >= t:
				cost++
			}
		}
		if cost < least {
			best, least = t, cost
		}
	}
	out.threshold = lowered(best)
	return &out, nil
}
