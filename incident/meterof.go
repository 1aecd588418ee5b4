package incident

import (
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// MeterOf keeps the key figures F of records R up to date while the records come in:
// the streaming form of [ChangeFiguresOf] and [ProblemFiguresOf], as [Meter] is
// that of [FiguresOf]. It gives what the batch gives for the same records, in whatever
// order they came and however often. It is not safe for concurrent use.
type MeterOf[R, F any] struct {
	name   func(*R) name
	open   func(*R) bool // its figures depend on the instant
	batch  func([]R, calendar.Interval, time.Time) F
	fields func(*F) ([]*int, []*Durations) // all that a record adds to

	period calendar.Interval
	known  map[name]R
	opened map[name]bool // those that are open
	counts []int
	times  []sample
}

// NewChangeMeter returns a meter of changes without any; an empty period is all
// time. The targets are kept, so they must not be changed.
func NewChangeMeter(period calendar.Interval, targets KPITargets) *MeterOf[Change, ChangeFigures] {
	return newMeterOf(&MeterOf[Change, ChangeFigures]{
		name: func(c *Change) name { return name{c.Tenant, c.ID} }, open: (*Change).open, fields: (*ChangeFigures).fields,
		batch: func(changes []Change, period calendar.Interval, at time.Time) ChangeFigures {
			return ChangeFiguresOf(changes, period, targets, at)
		},
	}, period)
}

// open reports whether the figures of a change depend on the instant: it has not ended,
// and was not approved or announced.
func (c *Change) open() bool {
	if c.Kind == EmergencyChange {
		return c.Ended.IsZero() && c.Approved.IsZero()
	}
	return c.Ended.IsZero() && c.Announced.IsZero()
}

// NewProblemMeter returns a meter of problems without any; an empty period is all
// time.
func NewProblemMeter(period calendar.Interval) *MeterOf[Problem, ProblemFigures] {
	return newMeterOf(&MeterOf[Problem, ProblemFigures]{
		name: func(p *Problem) name { return name{p.Tenant, p.ID} }, open: func(*Problem) bool { return false }, fields: (*ProblemFigures).fields,
		batch: func(problems []Problem, period calendar.Interval, _ time.Time) ProblemFigures {
			return ProblemFiguresOf(problems, period)
		},
	}, period)
}

// newMeterOf readies a meter.
func newMeterOf[R, F any](m *MeterOf[R, F], period calendar.Interval) *MeterOf[R, F] {
	m.known, m.opened = map[name]R{}, map[name]bool{}
	m.Slide(period)
	return m
}

// Update puts a record in the place of an earlier one of the same tenant and id, in
// a few microseconds. The record is kept, so its slices must not be changed.
func (m *MeterOf[R, F]) Update(r R) {
	key := m.name(&r)
	if was, known := m.known[key]; known {
		m.add(was, -1)
	}
	m.known[key] = r
	m.add(r, 1)
}

// Remove forgets a record.
func (m *MeterOf[R, F]) Remove(tenant, id string) {
	key := name{tenant, id}
	if was, known := m.known[key]; known {
		m.add(was, -1)
		delete(m.known, key)
	}
}

// Len returns the number of records.
func (m *MeterOf[R, F]) Len() int { return len(m.known) }

// Slide moves the window to another period; an empty one is all time. It takes each
// record anew.
func (m *MeterOf[R, F]) Slide(period calendar.Interval) {
	var none F
	counts, times := m.fields(&none)
	m.period, m.counts, m.times = period, make([]int, len(counts)), make([]sample, len(times))
	for _, r := range m.known {
		m.add(r, 1)
	}
}

// Figures returns the key figures of the period, changes that have not ended judged
// at an instant. New durations are sorted and merged in first.
func (m *MeterOf[R, F]) Figures(at time.Time) F {
	open := make([]R, 0, len(m.opened))
	for key := range m.opened {
		open = append(open, m.known[key])
	}
	f := m.batch(open, m.period, at)
	counts, times := m.fields(&f)
	for i := range counts {
		*counts[i] += m.counts[i]
	}
	for i, d := range times {
		m.times[i].add(d, 1)
		all := m.times[i].durations()
		m.times[i].add(d, -1)
		all.Of = d.Of
		*d = all
	}
	return f
}

// add takes what the batch says of one record n times, once or -1 times. Open ones
// are taken when somebody asks.
func (m *MeterOf[R, F]) add(r R, n int) {
	if key := m.name(&r); m.open(&r) {
		if n > 0 {
			m.opened[key] = true
		} else {
			delete(m.opened, key)
		}
		return
	}
	f := m.batch([]R{r}, m.period, time.Time{})
	counts, times := m.fields(&f)
	for i, c := range counts {
		m.counts[i] += n * *c
	}
	for i, d := range times {
		m.times[i].add(d, n)
	}
}

// fields returns all counts and durations.
func (f *ChangeFigures) fields() ([]*int, []*Durations) {
	var counts []*int
	for _, c := range []*Changes{&f.Planned, &f.Emergencies} {
		counts = append(counts, &c.Succeeded, &c.CausedIncident, &c.Failed, &c.RolledBack, &c.Cancelled, &c.Emergency)
	}
	for _, s := range []*Share{&f.Success, &f.Approved, &f.ApprovalKept, &f.Announced, &f.NoticeKept} {
		counts = append(counts, &s.Hits, &s.Of)
	}
	return counts, []*Durations{&f.Approval, &f.Unapproved, &f.Notice}
}

// fields returns all counts and durations.
func (f *ProblemFigures) fields() ([]*int, []*Durations) {
	return []*int{&f.Resolution.Hits, &f.Resolution.Of, &f.Known}, []*Durations{&f.Find, &f.Solve}
}
