package slo

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"sort"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Mark gives a stretch of time, such as a payroll run, more weight in an
// objective, or less. The events of samples, and slices by their end, with
// Start < instant <= End are in it.
type Mark struct {
	calendar.Interval
	// Weight multiplies what counts, good and bad. 0 takes it out, 1 changes
	// nothing. Where marks overlap, the largest weight counts.
	Weight Ratio  `json:"weight"`
	Reason string `json:"reason"`
}

// Weighted are figures in which what is marked counts with its weight:
//
//	error ratio = Σ weight·bad / Σ weight·total
//
// Without marks they equal the plain ones.
type Weighted struct {
	Total      Ratio `json:"total"` // of events or slices; of downtime, in seconds
	Bad        Ratio `json:"bad"`   // likewise
	ErrorRatio Ratio `json:"error_ratio"`
	Burn       Ratio `json:"burn"`
	State      State `json:"state"` // NoData, OK or Exhausted, by burn alone
}

// WeightedStatus is a budget with its plain figures and the weighted ones beside
// them.
type WeightedStatus struct {
	Status
	Weighted Weighted `json:"weighted"`
}

// Explain tells how the plain figures came about, and then the weighted ones.
func (s WeightedStatus) Explain() Explanation {
	w := s.Weighted
	return append(s.Status.Explain(),
		Step{
			Field: "weighted.error_ratio", Formula: "sum of weight * bad / sum of weight * total",
			Values: []Term{{"bad", figure(w.Bad)}, {"total", figure(w.Total)}}, Result: figure(w.ErrorRatio),
		},
		Step{
			Field: "weighted.burn", Formula: "error_ratio / budget",
			Values: []Term{{"error_ratio", figure(w.ErrorRatio)}, {"budget", figure(s.Budget)}}, Result: figure(w.Burn), Source: workbook,
		},
		Step{Field: "weighted.state", Formula: "burn >= 1", Values: []Term{{"burn", figure(w.Burn)}}, Result: w.State.String()},
	)
}

// newWeighted computes the figures of weighted sums.
func newWeighted(target Target, bad, total Ratio) Weighted {
	w := Weighted{Total: total, Bad: bad, Burn: NewRatio(0, 1), State: NoData}
	if total.Sign() > 0 {
		w.ErrorRatio = bad.over(total)
		w.Burn, w.State = target.Burn(w.ErrorRatio), OK
		if w.Burn.Compare(NewRatio(1, 1)) >= 0 {
			w.State = Exhausted
		}
	}
	return w
}

// checkMarks reports every weight that is not 0 or more and every inverted
// interval, joined.
func checkMarks(marks []Mark) error {
	var errs []error
	for i, m := range marks {
		if !m.Weight.isFinite() || m.Weight.Sign() < 0 {
			errs = append(errs, fmt.Errorf("marks[%d]: weight %s: want 0 or more", i, m.Weight))
		}
		if err := m.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("marks[%d]: %w", i, err))
			continue
		}
		_, okStart := nanos(m.Start)
		_, okEnd := nanos(m.End)
		if !okStart || !okEnd {
			errs = append(errs, fmt.Errorf("marks[%d]: %w", i, ErrRange))
		}
	}
	return errors.Join(errs...)
}

// WeighSamples adds up recorded samples, in any order, plainly and with the weights
// of marks. A missing sample counts as nothing. For slices, a sample is a slice:
// one good of one, or none. It takes time in proportion to the samples, and keeps
// none.
func WeighSamples(target Target, samples iter.Seq[Sample], marks []Mark) (plain Counts, weighted Weighted, err error) {
	if !target.IsSet() {
		return Counts{}, Weighted{}, errors.New("target not set")
	}
	if err := checkMarks(marks); err != nil {
		return Counts{}, Weighted{}, err
	}
	var w weights
	w.mark(marks)
	var all sums
	n := 0
	for s := range samples {
		if s.Missing {
			n++
			continue
		}
		ns, ok := nanos(s.At)
		_, carry := bits.Add64(all.total, s.Total, 0)
		switch {
		case s.Validate() != nil:
			err = s.Validate()
		case !ok:
			err = ErrRange
		case carry != 0:
			err = ErrOverflow
		}
		if err != nil {
			return Counts{}, Weighted{}, fmt.Errorf("samples[%d]: %w", n, err)
		}
		events := sums{s.Bad(), s.Total}
		all.add(events)
		if l := w.laneOf(ns); l != nil {
			l.all.add(events)
		}
		n++
	}
	return all.counts(), w.figures(target, all, func(l *lane) sums { return l.all }), nil
}

// weights is marked time and the events in it, by weight.
type weights struct {
	marked []segment // ascending, disjoint
	lanes  []*lane   // by weight, ascending; none of weight 1
	next   int       // of marked, the first that ends at or after the newest sample
}

// segment is marked time of one weight; lane is nil for weight 1.
type segment struct {
	stretch
	lane *lane
}

// lane is what came in marked time of one weight. It keeps those samples alone, 24
// bytes each, with running sums, so that a stretch of time is two binary searches.
type lane struct {
	weight Ratio
	all    sums // wraps; differences are exact
	before sums // of all, what came before the samples kept
	kept   []tally
}

// tally is an instant and the sums of a lane up to it.
type tally struct {
	at  int64
	all sums
}

// mark replaces the marked time; what is in the lanes stays.
func (w *weights) mark(marks []Mark) {
	w.marked, w.next = nil, 0
	type bound struct {
		at     int64
		weight Ratio
		change int
	}
	var bounds []bound
	for _, m := range marks {
		if !m.IsEmpty() {
			bounds = append(bounds, bound{m.Start.UnixNano(), m.Weight, 1}, bound{m.End.UnixNano(), m.Weight, -1})
		}
	}
	slices.SortFunc(bounds, func(a, b bound) int { return cmp.Compare(a.at, b.at) })
	type open struct {
		weight Ratio
		marks  int
	}
	var now []open // by weight, descending
	for i, b := range bounds {
		n, found := slices.BinarySearchFunc(now, b.weight, func(o open, weight Ratio) int { return weight.Compare(o.weight) })
		if !found {
			now = slices.Insert(now, n, open{weight: b.weight})
		}
		if now[n].marks += b.change; now[n].marks == 0 {
			now = slices.Delete(now, n, n+1)
		}
		if i+1 < len(bounds) && bounds[i+1].at > b.at && len(now) > 0 {
			w.marked = append(w.marked, segment{stretch{b.at, bounds[i+1].at}, w.lane(now[0].weight)})
		}
	}
}

// lane returns that of a weight, a new one if need be.
func (w *weights) lane(weight Ratio) *lane {
	if weight.Compare(NewRatio(1, 1)) == 0 {
		return nil
	}
	i, found := slices.BinarySearchFunc(w.lanes, weight, func(l *lane, weight Ratio) int { return l.weight.Compare(weight) })
	if !found {
		w.lanes = slices.Insert(w.lanes, i, &lane{weight: weight})
	}
	return w.lanes[i]
}

// laneOf returns the lane of an instant, nil where the weight is 1.
func (w *weights) laneOf(ns int64) *lane {
	i := sort.Search(len(w.marked), func(i int) bool { return w.marked[i].end >= ns })
	if i == len(w.marked) || w.marked[i].start >= ns {
		return nil
	}
	return w.marked[i].lane
}

// take notes events that came at an instant, which rises.
func (w *weights) take(t *Tracker, ns int64, events sums) {
	for w.next < len(w.marked) && w.marked[w.next].end < ns {
		w.next++
	}
	if w.next == len(w.marked) || w.marked[w.next].start >= ns || w.marked[w.next].lane == nil {
		return
	}
	l := w.marked[w.next].lane
	if len(l.kept) == cap(l.kept) {
		l.forget(t.horizon(ns))
	}
	l.all.add(events)
	l.kept = append(l.kept, tally{ns, l.all})
}

// forget drops the samples up to an instant, if they are half of all.
func (l *lane) forget(horizon int64) {
	if old := l.after(horizon); old > 0 && 2*old >= len(l.kept) {
		l.before = l.kept[old-1].all
		l.kept = l.kept[:copy(l.kept, l.kept[old:])]
	}
}

// after returns the index of the first sample after an instant.
func (l *lane) after(at int64) int {
	return sort.Search(len(l.kept), func(i int) bool { return l.kept[i].at > at })
}

// through returns the sums up to an instant.
func (l *lane) through(at int64) sums {
	if i := l.after(at); i > 0 {
		return l.kept[i-1].all
	}
	return l.before
}

// in returns the events of a stretch.
func (l *lane) in(s stretch) sums {
	from, to := l.through(s.start), l.through(s.end)
	return sums{to.bad - from.bad, to.total - from.total}
}

// figures adds (weight - 1) times what each lane has to the plain sums.
func (w *weights) figures(target Target, plain sums, in func(*lane) sums) Weighted {
	bad, total := whole(plain.bad), whole(plain.total)
	for _, l := range w.lanes {
		events, more := in(l), l.weight.minus(NewRatio(1, 1))
		bad = bad.plus(more.times(whole(events.bad)))
		total = total.plus(more.times(whole(events.total)))
	}
	return newWeighted(target, bad, total)
}

// Weigh puts weighted figures beside a status that [Tracker.Status],
// [Tracker.Statuses] or [Tracker.Ended] has just returned. A compact tracker counts
// what it has left of the stretch of its Slack with weight 1.
func (t *Tracker) Weigh(s Status) WeightedStatus {
	window := stretch{s.Window.Start.Add(s.Slack).UnixNano(), s.At.UnixNano()}
	return WeightedStatus{s, t.weights.figures(s.Target, sums{s.Bad, s.Total}, func(l *lane) sums { return l.in(window) })}
}

// Mark adds a mark that begins at or after the present instant; one that reaches
// back is refused with [ErrPast]. Samples keep the weight with which they came.
func (t *Tracker) Mark(m Mark) error {
	if err := checkMarks([]Mark{m}); err != nil {
		return err
	}
	if t.placed && m.Start.UnixNano() < t.now {
		return fmt.Errorf("mark %s: %w", m.Interval, ErrPast)
	}
	t.options.Marks = append(slices.Clone(t.options.Marks), m)
	t.weights.mark(t.options.Marks)
	return nil
}

func (w *writer) weights(t *Tracker) {
	var used []*lane
	horizon := int64(0)
	if len(t.weights.lanes) > 0 {
		horizon = t.horizon(t.now)
	}
	for _, l := range t.weights.lanes {
		if l.after(horizon) < len(l.kept) {
			used = append(used, l)
		}
	}
	w.uint(uint64(len(used)))
	for _, l := range used {
		w.text(l.weight.text())
		kept, before := l.kept[l.after(horizon):], l.through(horizon)
		w.uint(uint64(len(kept)))
		at := int64(0)
		for _, k := range kept {
			w.int(k.at - at)
			w.uint(k.all.bad - before.bad)
			w.uint(k.all.total - before.total)
			at, before = k.at, k.all
		}
	}
}

func (r *reader) weights(t *Tracker) {
	for range r.count() {
		weight, err := ParseRatio(r.text())
		if err != nil || !weight.isFinite() || weight.Sign() < 0 || weight.Compare(NewRatio(1, 1)) == 0 {
			r.fail()
			return
		}
		l := t.weights.lane(weight)
		at := int64(0)
		for range r.count() {
			at += r.int()
			events := r.sums()
			if n := len(l.kept); at > t.now || n > 0 && at <= l.kept[n-1].at {
				r.fail()
			}
			if !r.ok() {
				return
			}
			l.all.add(events)
			l.kept = append(l.kept, tally{at, l.all})
		}
	}
}
