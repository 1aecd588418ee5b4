package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/slo"
)

// train fits a detector per service on the first minutes of the recording. The
// last readings before the end of the training are kept out of the story by the
// replay itself: it watches only what comes after.
func (m *machine) train() error {
	m.detectors = map[string]*anomaly.Detector{}
	until := m.rec.start.Add(m.in.night.Train)
	history := map[string][]map[string]float64{}
	for _, row := range m.rec.metrics {
		if m.in.known(row.service) && row.at.Before(until) && len(row.values) > 0 {
			history[row.service] = append(history[row.service], row.values)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(history)) {
		d, err := anomaly.Fit(service, anomaly.HistoryOf(history[service]), &anomaly.Options{TrainedAt: until})
		if errors.Is(err, anomaly.ErrTooFewRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("metrics.csv: %s: %w", service, err)
		}
		m.detectors[service] = d
	}
	return nil
}

// oddReadings in a row open an episode, and as many normal ones end it.
const oddReadings = 2

// watch judges a reading by the history of its service.
func (m *machine) watch(row metricRow) error {
	d := m.detectors[row.service]
	if d == nil || row.at.Before(m.rec.start.Add(m.in.night.Train)) || len(row.values) == 0 {
		return nil
	}
	v, err := d.Evaluate(row.at, known(d, row.values))
	if err != nil {
		return fmt.Errorf("metrics.csv: %s at %v: %w", row.service, row.at, err)
	}
	e := m.mem.Episodes[row.service]
	if v.State == anomaly.Anomaly {
		e.Odd, e.Normal = e.Odd+1, 0
	} else {
		e.Odd, e.Normal = 0, e.Normal+1
	}
	switch {
	case !e.Running && e.Odd >= oddReadings:
		e.Running = true
		m.mem.Totals.Anomalies++
		m.tell("anomaly", row.service+": "+v.Recommendation, "", contributions(v))
	case e.Running && e.Normal >= oddReadings:
		e.Running = false
		m.tell("anomaly", row.service+" is back to normal", "", "")
	}
	m.mem.Episodes[row.service] = e
	return nil
}

// known leaves out values that the detector has not learnt: a metric that began
// to be reported later.
func known(d *anomaly.Detector, values map[string]float64) map[string]float64 {
	reading := map[string]float64{}
	for _, f := range d.Schema() {
		if x, ok := values[f.Name]; ok {
			reading[f.Name] = x
		}
	}
	return reading
}

// contributions names the features that made a reading abnormal.
func contributions(v anomaly.Verdict) string {
	parts := []string{fmt.Sprintf("score %.2f", v.Score)}
	for _, c := range v.Contributions {
		if c.Share >= 0.2 {
			parts = append(parts, fmt.Sprintf("%s %s (usually %s)", c.Feature, short(c.Value), short(c.Expected.Median)))
		}
	}
	return strings.Join(parts, ", ")
}

func short(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

// burn feeds the error budgets of a service and reports alert rules that begin
// or end.
func (m *machine) burn(row sliRow) error {
	for _, o := range m.in.objectives {
		if o.Service != row.service {
			continue
		}
		t := m.trackers[o.ID]
		if err := t.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
			return fmt.Errorf("sli.csv: %s: %w", o.ID, err)
		}
		for d := range t.Decisions() {
			key := o.ID + " " + d.Rule
			_, burning := m.mem.Burning[key]
			switch {
			case d.Firing && !burning:
				m.mem.Burning[key] = d.FiringSince
				m.tell("slo", fmt.Sprintf("%s: rule %s fires (%s)", o.ID, d.Rule, d.Severity), o.ID, burnWhy(d))
			case !d.Firing && burning:
				delete(m.mem.Burning, key)
				m.tell("slo", fmt.Sprintf("%s: rule %s ends", o.ID, d.Rule), o.ID, "")
			}
		}
	}
	return nil
}

// burnWhy names the two ratios and the threshold that both exceed.
func burnWhy(d slo.Decision) string {
	why := fmt.Sprintf("%d of %d requests failed in %v, over %s", d.LongCounts.Total-d.LongCounts.Good, d.LongCounts.Total, d.Long, d.Threshold)
	if d.Short > 0 {
		why += fmt.Sprintf(", and %d of %d in %v", d.ShortCounts.Total-d.ShortCounts.Good, d.ShortCounts.Total, d.Short)
	}
	if d.Cold {
		why += "; less history than the window is long"
	}
	return why
}
