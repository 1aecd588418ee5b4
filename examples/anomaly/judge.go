package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
)

// line is the judgement of one reading; every field but the first two is null, and
// Error says why, for a service of which nothing was learnt.
type line struct {
	Service        string             `json:"service"`
	Time           time.Time          `json:"time"`
	IsAnomaly      *bool              `json:"is_anomaly"`
	State          *anomaly.State     `json:"state,omitempty"` // not of the preset article
	Score          *float64           `json:"score"`
	Confidence     *float64           `json:"confidence"`
	PValue         *float64           `json:"p_value,omitempty"`
	Features       map[string]feature `json:"features"`
	Contributions  []contribution     `json:"contributions,omitempty"`
	Missing        []string           `json:"missing,omitempty"`
	Invalid        []string           `json:"invalid,omitempty"`
	Recommendation *string            `json:"recommendation"`
	Error          string             `json:"error,omitempty"`

	verdict anomaly.Verdict
}

// feature is a value beside its history.
type feature struct {
	Value     float64 `json:"value"`
	Mean      float64 `json:"mean"`
	SD        float64 `json:"std"`
	Deviation float64 `json:"deviation"` // standard deviations from the mean, 0 where there is none
	Band      string  `json:"percentile_band"`
}

// contribution is the part of a feature in a judgement, by falling share.
type contribution struct {
	Feature  string       `json:"feature"`
	Share    float64      `json:"share"`
	TailP    float64      `json:"tail_p"`
	Usual    float64      `json:"usual"` // the median
	Side     anomaly.Side `json:"direction"`
	Suffices bool         `json:"suffices"` // for an alarm, by itself
}

// judge judges every reading, in the order of the file.
func (in *inputs) judge(models map[string]model) ([]line, error) {
	place := map[string]int{}
	for i, feature := range in.readings.Features {
		place[feature] = i
	}
	var problems []error
	if in.preset == "article" {
		problems = append(problems, in.lacking(models, place))
	}
	lines := make([]line, 0, len(in.readings.Rows))
	for _, r := range in.readings.Rows {
		l := line{Service: r.Service, Time: r.At}
		if m, ok := models[r.Service]; !ok {
			l.Error = "No model trained for this service"
		} else if err := in.judgeOne(&l, m, r, place); err != nil {
			problems = append(problems, err)
			continue
		}
		lines = append(lines, l)
	}
	return lines, errors.Join(problems...)
}

// lacking reports columns that the recipe needs and the file does not have.
func (in *inputs) lacking(models map[string]model, place map[string]int) error {
	var problems []error
	seen := map[string]bool{}
	for _, r := range in.readings.Rows {
		for _, name := range models[r.Service].features {
			if _, ok := place[name]; !ok && !seen[name] {
				seen[name] = true
				problems = append(problems, fmt.Errorf("%s:1: %s: the column is missing, and the preset article wants every feature of %s", in.scoreName, name, r.Service))
			}
		}
	}
	return errors.Join(problems...)
}

// judgeOne fills the judgement of a reading in.
func (in *inputs) judgeOne(l *line, m model, r evidence.Reading, place map[string]int) error {
	reading := map[string]float64{}
	for _, name := range m.features {
		i, ok := place[name]
		if !ok {
			continue
		}
		x := r.Value(i)
		if math.IsNaN(x) && in.preset == "article" {
			return fmt.Errorf("%s:%d: %s: no value; the preset article wants one in every row", in.scoreName, r.Line, name)
		}
		reading[name] = x
	}
	if len(reading) < len(m.features) && in.preset == "article" {
		return nil // told by lacking
	}
	v, err := m.Evaluate(r.At, reading)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", in.scoreName, r.Line, err)
	}
	l.verdict = v
	l.Recommendation = &v.Recommendation
	l.Features = map[string]feature{}
	for name, x := range reading {
		if math.IsNaN(x) {
			continue
		}
		b := m.baselines[name]
		f := feature{Value: x, Mean: b.Mean, SD: b.SD, Band: b.Bucket(x)}
		if b.SD > 0 {
			f.Deviation = math.Abs(x-b.Mean) / b.SD
		}
		l.Features[name] = f
	}
	is := v.State == anomaly.Anomaly
	if v.Compat != nil {
		l.IsAnomaly, l.Score, l.Confidence = &is, &v.Compat.AnomalyScore, &v.Compat.Confidence
		return nil
	}
	l.State, l.Missing = &v.State, v.Missing
	for _, x := range v.Invalid {
		l.Invalid = append(l.Invalid, x.Feature)
	}
	if v.State != anomaly.NoData {
		l.IsAnomaly = &is
	}
	if len(v.Contributions) == 0 {
		return nil
	}
	l.Score, l.Confidence, l.PValue = &v.Score, &v.Confidence, &v.P
	for _, c := range v.Contributions {
		l.Contributions = append(l.Contributions, contribution{c.Feature, c.Share, c.TailP, c.Expected.Median, c.Direction, c.Score >= 1})
	}
	return nil
}

// episode is a run of abnormal readings of a service.
type episode struct {
	service     string
	start, last time.Time
	readings    int
	worst       *line
}

// episodes joins the abnormal readings of each service that follow each other in time,
// in the order of their beginnings, then by service.
func episodes(lines []line) []episode {
	order := make([]*line, 0, len(lines))
	for i := range lines {
		if lines[i].IsAnomaly != nil {
			order = append(order, &lines[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *line) int { return cmp.Or(strings.Compare(a.Service, b.Service), a.Time.Compare(b.Time)) })
	var all []episode
	running := false
	for i, l := range order {
		if i > 0 && order[i-1].Service != l.Service {
			running = false
		}
		if !*l.IsAnomaly {
			running = false
			continue
		}
		if !running {
			all = append(all, episode{service: l.Service, start: l.Time, worst: l})
			running = true
		}
		e := &all[len(all)-1]
		e.last = l.Time
		e.readings++
		if l.oddness() > e.worst.oddness() {
			e.worst = l
		}
	}
	slices.SortStableFunc(all, func(a, b episode) int { return a.start.Compare(b.start) })
	return all
}

// oddness grows with how abnormal a reading is, in either preset.
func (l *line) oddness() float64 { return l.verdict.Score }

// blame names the metrics of a reading that say most, and what is usual of them.
func (l *line) blame() string {
	var parts []string
	for _, c := range l.verdict.Contributions {
		if c.Share >= 0.2 {
			parts = append(parts, fmt.Sprintf("%s %s (usually %s)", c.Feature, short(c.Value), short(c.Expected.Median)))
		}
	}
	return strings.Join(parts, ", ")
}
