package slo

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Downtime is the evidence of an objective on time: when the service was down.
type Downtime struct {
	Window calendar.Interval
	// At is the instant of evaluation, within Window; later downtime does not
	// count. Defaults to Window.End.
	At   time.Time
	Down []calendar.Interval // in any order, overlaps count once
	// Gaps is the time in which nobody looked, in any order. Where it is not known
	// to be down it counts as neither up nor down, and is not observed.
	Gaps       []calendar.Interval
	Exclusions []Exclusion
	Marks      []Mark
	Risk       Risk
}

// EvaluateDowntime computes the budget of a target from downtime. Excluded time
// leaves both the total and the downtime, and so does what lies in a gap without
// known downtime; the allowed downtime is that of the time which remains. A window
// of which nothing remains has no data. The plain figures are in nanoseconds, the
// weighted ones in seconds.
func EvaluateDowntime(target Target, d Downtime) (WeightedStatus, error) {
	at := d.At
	if at.IsZero() {
		at = d.Window.End
	}
	excluded, err := excludedTime(d.Exclusions)
	if err != nil {
		return WeightedStatus{}, err
	}
	down, err := calendar.Normalize(d.Down)
	if err != nil {
		return WeightedStatus{}, fmt.Errorf("downtime: %w", err)
	}
	gaps, err := calendar.Normalize(d.Gaps)
	if err != nil {
		return WeightedStatus{}, fmt.Errorf("gaps: %w", err)
	}
	elapsed := calendar.Interval{Start: d.Window.Start.UTC(), End: at.UTC()}
	if err := elapsed.Validate(); err != nil {
		return WeightedStatus{}, fmt.Errorf("window: %w", err)
	}
	counted := calendar.Subtract(calendar.Subtract(nonEmpty(elapsed), excluded), calendar.Subtract(gaps, down))
	down = calendar.Intersect(down, counted)

	total := calendar.Total(counted)
	s, err := Evaluate(target, Evidence{
		Counts:  Counts{Good: uint64(total - calendar.Total(down)), Total: uint64(total)},
		Measure: Nanoseconds, Window: d.Window, At: at,
		Observed: total, Exclusions: d.Exclusions, Risk: d.Risk,
	})
	if err != nil {
		return WeightedStatus{}, err
	}
	weighted, err := weigh(target, counted, down, d.Marks)
	if err != nil {
		return WeightedStatus{}, err
	}
	return WeightedStatus{Status: s, Weighted: weighted}, nil
}

func nonEmpty(i calendar.Interval) []calendar.Interval {
	if i.IsEmpty() {
		return nil
	}
	return []calendar.Interval{i}
}

// weigh adds (weight - 1) times what lies in marks of each weight to the plain
// time.
func weigh(target Target, counted, down []calendar.Interval, marks []Mark) (Weighted, error) {
	if err := checkMarks(marks); err != nil {
		return Weighted{}, err
	}
	var w weights
	w.mark(marks)
	parts := make([][]calendar.Interval, len(w.lanes))
	for i, l := range w.lanes {
		for _, m := range w.marked {
			if m.lane == l {
				parts[i] = append(parts[i], calendar.Interval{Start: time.Unix(0, m.start).UTC(), End: time.Unix(0, m.end).UTC()})
			}
		}
	}
	weighted := func(set []calendar.Interval) Ratio {
		sum := seconds(calendar.Total(set))
		for i, l := range w.lanes {
			more := l.weight.minus(NewRatio(1, 1))
			sum = sum.plus(more.times(seconds(calendar.Total(calendar.Intersect(set, parts[i])))))
		}
		return sum
	}
	return newWeighted(target, weighted(down), weighted(counted)), nil
}
