package slo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Mark gives a stretch of time, such as a payroll run, more weight in an
// objective, or less.
type Mark struct {
	calendar.Interval
	// Weight multiplies the time, good and bad. 0 takes it out, 1 changes
	// nothing. Where marks overlap, the largest weight counts.
	Weight Ratio  `json:"weight"`
	Reason string `json:"reason"`
}

// Downtime is the evidence of an objective on time: when the service was down.
type Downtime struct {
	Window calendar.Interval
	// At is the instant of evaluation, within Window; later downtime does not
	// count. Defaults to Window.End.
	At         time.Time
	Down       []calendar.Interval // in any order, overlaps count once
	Exclusions []Exclusion
	Marks      []Mark
	Risk       Risk
}

// DowntimeStatus is the budget of an objective on time.
type DowntimeStatus struct {
	// Status has the plain figures, in nanoseconds, without the excluded time
	// and without weights.
	Status
	// Weighted has the figures with the weights of the marks.
	Weighted Weighted `json:"weighted"`
}

// Weighted are figures in which marked time counts with its weight. Without
// marks they equal the plain ones.
type Weighted struct {
	Total      Ratio `json:"total_s"` // Σ weight · seconds that count
	Bad        Ratio `json:"bad_s"`   // Σ weight · seconds down
	ErrorRatio Ratio `json:"error_ratio"`
	Burn       Ratio `json:"burn"`
	State      State `json:"state"` // NoData, OK or Exhausted, by burn alone
}

// EvaluateDowntime computes the budget of a target from downtime. Excluded time
// leaves both the total and the downtime, so the allowed downtime is that of the
// time which remains; a window excluded altogether has no data.
func EvaluateDowntime(target Target, d Downtime) (DowntimeStatus, error) {
	at := d.At
	if at.IsZero() {
		at = d.Window.End
	}
	excluded, err := excludedTime(d.Exclusions)
	if err != nil {
		return DowntimeStatus{}, err
	}
	down, err := calendar.Normalize(d.Down)
	if err != nil {
		return DowntimeStatus{}, fmt.Errorf("downtime: %w", err)
	}
	elapsed := calendar.Interval{Start: d.Window.Start.UTC(), End: at.UTC()}
	if err := elapsed.Validate(); err != nil {
		return DowntimeStatus{}, fmt.Errorf("window: %w", err)
	}
	counted := calendar.Subtract(nonEmpty(elapsed), excluded)
	down = calendar.Intersect(down, counted)

	total := calendar.Total(counted)
	s, err := Evaluate(target, Evidence{
		Counts:  Counts{Good: uint64(total - calendar.Total(down)), Total: uint64(total)},
		Measure: Nanoseconds, Window: d.Window, At: at,
		Observed: total, Exclusions: d.Exclusions, Risk: d.Risk,
	})
	if err != nil {
		return DowntimeStatus{}, err
	}
	weighted, err := weigh(target, counted, down, d.Marks)
	if err != nil {
		return DowntimeStatus{}, err
	}
	return DowntimeStatus{Status: s, Weighted: weighted}, nil
}

func nonEmpty(i calendar.Interval) []calendar.Interval {
	if i.IsEmpty() {
		return nil
	}
	return []calendar.Interval{i}
}

// weigh gives out the time from the largest weight downwards; what no mark
// touches has weight 1, whatever smaller weights are about.
func weigh(target Target, counted, down []calendar.Interval, marks []Mark) (Weighted, error) {
	var errs []error
	for i, m := range marks {
		if !m.Weight.isFinite() || m.Weight.Sign() < 0 {
			errs = append(errs, fmt.Errorf("marks[%d]: weight %s: want 0 or more", i, m.Weight))
		}
		if err := m.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("marks[%d]: %w", i, err))
		}
	}
	if len(errs) > 0 {
		return Weighted{}, errors.Join(errs...)
	}
	heaviest := slices.Clone(marks)
	slices.SortStableFunc(heaviest, func(a, b Mark) int {
		return cmp.Or(b.Weight.Compare(a.Weight), a.Start.Compare(b.Start))
	})
	w := Weighted{Total: NewRatio(0, 1), Bad: NewRatio(0, 1)}
	add := func(part []calendar.Interval, weight Ratio) {
		w.Total = w.Total.plus(weight.times(seconds(calendar.Total(part))))
		w.Bad = w.Bad.plus(weight.times(seconds(calendar.Total(calendar.Intersect(part, down)))))
	}
	rest := counted
	for _, m := range heaviest {
		mark, err := calendar.Normalize([]calendar.Interval{m.Interval})
		if err != nil {
			return Weighted{}, err
		}
		add(calendar.Intersect(rest, mark), m.Weight)
		rest = calendar.Subtract(rest, mark)
	}
	add(rest, NewRatio(1, 1))

	w.Burn, w.State = NewRatio(0, 1), NoData
	if w.Total.Sign() > 0 {
		w.ErrorRatio = w.Bad.over(w.Total)
		w.Burn, w.State = target.Burn(w.ErrorRatio), OK
		if w.Burn.Compare(NewRatio(1, 1)) >= 0 {
			w.State = Exhausted
		}
	}
	return w, nil
}
