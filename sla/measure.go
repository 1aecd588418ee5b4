package sla

import (
	"slices"
	"sort"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Measure turns the evidence about one service into a value. [Uptime],
// [BadSlots], [MeanErrorRate], [Events] and [AffectedRatio] are the measures of
// this package; a contract may bring its own. A measure is data: it is written
// as JSON beside its name, see [Kinds].
type Measure interface {
	// Measure returns the value. It must not change or keep the sample.
	Measure(s Sample) (Reading, error)
}

// Detector is a [Measure] that has its own idea of what is down, such as slots
// with too many errors. What it returns stands in the place of Sample.Down before
// anything is excluded.
type Detector interface {
	Measure
	Detect(s Sample) ([]calendar.Interval, error)
}

// Sample is what a measure works on: one service in the covered part of a
// period. Times are sets as calendar.Normalize returns them.
type Sample struct {
	Covered  calendar.Interval
	Hours    []calendar.Interval // the promised time
	Down     []calendar.Interval // within the service hours, nothing excluded yet
	Excluded []calendar.Interval // what the contract takes out
	Lost     []calendar.Interval // unknown time that counts as down, else nil
	Outages  []Outage            // of the service in the covered time, in the order of the evidence; none is merely degraded
	Requests []Requests          // of the service, in the covered time

	service  string
	log      []Outage // of the evidence, before and after the covered time as well
	calendar *calendar.Calendar
}

// logged returns the outages of the service in and around the covered time.
func (s Sample) logged() []Outage {
	return slices.DeleteFunc(slices.Clone(s.log), func(o Outage) bool { return o.Degraded || !concerns(o.Service, s.service) })
}

// Reading is what was measured. The zero Value means that there is no data.
type Reading struct {
	Value Fraction

	// Down is the time that counts against the promise, Downtime the stretches
	// that it came from. Down may differ from their sum where whole minutes or a
	// share of the customers count.
	Down     time.Duration
	Downtime []calendar.Interval

	// Promised is the time that Down is compared with; 0 for a measure that
	// counts no time.
	Promised time.Duration
}

// Outcome says what became of a promise.
type Outcome string

// The outcomes.
const (
	Met     Outcome = "met"
	Missed  Outcome = "missed"
	Pending Outcome = "pending" // the clock still runs and the target is not missed yet
	Paused  Outcome = "paused"  // pending, and waiting for the customer
	NoData  Outcome = "no_data" // nothing measured: neither met nor missed

	Cancelled Outcome = "cancelled" // the ticket was withdrawn before the target was missed
)

// Measured is the availability of one service in a period, with every figure
// that led to it. The value is
//
//	(Promised − Down) / Promised
//
// exactly, unless the measure of the term counts something else than time; then
// there is no budget. Down counts overlapping reports once and has the excluded
// time taken out.
type Measured struct {
	Term    string        `json:"term"`
	Service string        `json:"service,omitempty"`
	Target  money.Percent `json:"target"`
	Outcome Outcome       `json:"outcome"`
	Value   Fraction      `json:"value"`

	// Total is the length of the period as far as it is covered, Promised the
	// part of it that counts: service hours, less excluded or unknown time where
	// the contract says so.
	Total    time.Duration `json:"total_ns"`
	Promised time.Duration `json:"promised_ns"`

	RawDown  time.Duration `json:"raw_down_ns"` // union of the outages in service hours
	Excluded time.Duration `json:"excluded_ns"` // the part of RawDown that is excluded
	Down     time.Duration `json:"down_ns"`     // what counts
	Degraded time.Duration `json:"degraded_ns"` // reported only
	Unknown  time.Duration `json:"unknown_ns"`  // measured by nobody, and not down

	// Budget is the downtime that the target allows, cut to the nanosecond, and
	// BudgetLeft what remains of it; negative after a miss. Both are 0 without
	// data.
	Budget     time.Duration `json:"budget_ns"`
	BudgetLeft time.Duration `json:"budget_left_ns"`

	Exclusions []Exclusion         `json:"exclusions,omitempty"`
	Rejected   []Exclusion         `json:"rejected,omitempty"`
	Downtime   []calendar.Interval `json:"downtime,omitempty"` // what counts, as a set
	Evidence   []string            `json:"evidence,omitempty"` // refs of the outages that count, sorted
}

// measure computes the availability of a service; "" takes the outages of all.
func (a *Agreement) measure(term Term, service Service, covered calendar.Interval, e Evidence) (Measured, error) {
	t := *term.Availability
	m := Measured{Term: term.ID, Service: service.ID, Target: t.target(service), Outcome: NoData, Total: covered.Duration()}
	s := Sample{
		Covered: covered, Hours: a.calendars[t.ServiceHours].Expand(covered.Start, covered.End), Requests: requestsOf(e.Requests, service.ID, covered),
		service: service.ID, log: e.Outages, calendar: a.calendars[t.ServiceHours],
	}
	measure := t.measure()

	var degraded []calendar.Interval
	var err error
	if s.Outages, s.Down, degraded, err = outagesOf(e.Outages, service.ID, s.Hours, covered); err != nil {
		return Measured{}, err
	}
	if d, ok := measure.(Detector); ok {
		if s.Down, err = d.Detect(s); err != nil {
			return Measured{}, err
		}
	}
	windows := a.windows(t, e, service.ID, covered)
	if s.Excluded, err = m.exclude(s.Down, windows); err != nil {
		return Measured{}, err
	}
	unknown, err := unknownTime(e, service.ID, s.Hours, covered)
	if err != nil {
		return Measured{}, err
	}
	unknown = calendar.Subtract(unknown, s.Down)
	blind := calendar.Total(unknown) == calendar.Total(s.Hours)

	m.RawDown, m.Degraded, m.Unknown = calendar.Total(s.Down), calendar.Total(degraded), calendar.Total(unknown)
	m.Excluded = calendar.Total(calendar.Intersect(s.Down, s.Excluded))
	if t.ExcludeMode == FromBoth {
		s.Hours = calendar.Subtract(s.Hours, s.Excluded)
	}
	switch t.Unknown {
	case UnknownUp:
	case UnknownDown:
		s.Lost = unknown
	case UnknownExcluded:
		s.Hours = calendar.Subtract(s.Hours, unknown)
	}
	r, err := measure.Measure(s)
	if err != nil {
		return Measured{}, err
	}
	m.Promised, m.Down, m.Downtime = r.Promised, r.Down, r.Downtime
	if len(m.Downtime) > 0 && m.Downtime[0].Start.Before(covered.Start) {
		s.Outages = s.logged() // of outages that count as a whole
	}
	m.Evidence = refs(s.Outages, m.Downtime, covered.End)
	if blind || len(s.Hours) == 0 {
		return m, nil
	}
	m.rate(r.Value, t.Strict)
	return m, nil
}

// rate sets the value and what follows from it.
func (m *Measured) rate(value Fraction, strict bool) {
	m.Value = value
	m.judge(strict)
	if m.Promised > 0 {
		budget, _, _ := fixed.MulDiv(uint64(m.Promised), uint64(whole-m.Target), whole)
		m.Budget = time.Duration(budget)
		m.BudgetLeft = m.Budget - m.Down
	}
}

func (t Availability) measure() Measure {
	if t.Measure == nil {
		return Uptime{}
	}
	return t.Measure
}

// judge compares the value with the target.
func (m *Measured) judge(strict bool) {
	if !m.Value.IsSet() {
		return
	}
	m.Outcome = Met
	if c := m.Value.ComparePercent(m.Target); c < 0 || c == 0 && strict {
		m.Outcome = Missed
	}
}

// exceeded returns the instant at which the downtime had used up the budget, and
// where no time is counted the end of the period.
func (m *Measured) exceeded(end time.Time) time.Time {
	if m.Promised == 0 {
		return end
	}
	left := m.Budget
	for _, i := range m.Downtime {
		if i.Duration() > left {
			return i.Start.Add(left)
		}
		left -= i.Duration()
	}
	return m.Downtime[len(m.Downtime)-1].End.Add(-time.Nanosecond) // by units or shares
}

// outagesOf returns the outages that concern a service in a time, and the union of
// what was down and of what was degraded within the service hours.
func outagesOf(all []Outage, service string, hours []calendar.Interval, covered calendar.Interval) (of []Outage, down, degraded []calendar.Interval, err error) {
	kindOf := func(o *Outage) outageKind {
		switch {
		case !o.Start.Before(covered.End) || !o.End.IsZero() && !o.End.After(covered.Start): // of a year, most are before or after a day
			return elsewhere
		case !concerns(o.Service, service) || !o.interval(covered.End).Overlaps(covered):
			return elsewhere
		case o.Degraded:
			return merelyDegraded
		}
		return reallyDown
	}
	var count [outageKinds]int
	first, last := 0, -1 // of those that are down
	near, far := len(all), 0
	for i := range all {
		kind := kindOf(&all[i])
		if count[kind]++; kind == elsewhere {
			continue
		}
		near, far = min(near, i), i+1
		if kind != reallyDown {
			continue
		}
		if last < 0 {
			first = i
		}
		last = i
	}
	down, degraded = make([]calendar.Interval, 0, count[reallyDown]), make([]calendar.Interval, 0, count[merelyDegraded])
	together := last-first+1 == count[reallyDown]
	if together {
		of = all[first : last+1 : last+1] // nothing to copy
	} else {
		of = make([]Outage, 0, count[reallyDown])
	}
	for i := near; i < far; i++ {
		switch o := &all[i]; kindOf(o) {
		case elsewhere:
		case merelyDegraded:
			degraded = append(degraded, o.interval(covered.End))
		default:
			if down = append(down, o.interval(covered.End)); !together {
				of = append(of, *o)
			}
		}
	}
	if down, err = within(down, hours); err != nil {
		return nil, nil, nil, err
	}
	degraded, err = within(degraded, hours)
	return of, down, degraded, err
}

// outageKind is what an outage is to a service in a time.
type outageKind uint8

const (
	elsewhere outageKind = iota
	merelyDegraded
	reallyDown
	outageKinds
)

// requestsOf returns the counts that concern a service and lie in the covered
// time.
func requestsOf(all []Requests, service string, covered calendar.Interval) []Requests {
	var of []Requests
	for _, r := range all {
		if concerns(r.Service, service) && covered.Contains(r.Start) {
			of = append(of, r)
		}
	}
	return of
}

// unknownTime returns the service hours in which nothing was measured.
func unknownTime(e Evidence, service string, hours []calendar.Interval, covered calendar.Interval) ([]calendar.Interval, error) {
	var gaps []calendar.Interval
	for _, g := range e.Gaps {
		if concerns(g.Service, service) {
			gaps = append(gaps, stretch(g.Start, g.End, covered.End))
		}
	}
	if e.Observed.Start.After(covered.Start) {
		gaps = append(gaps, calendar.Interval{Start: covered.Start, End: e.Observed.Start})
	}
	return within(gaps, hours)
}

// within returns the union of the intervals inside of the hours. It may take the
// memory of the intervals for it.
func within(intervals, hours []calendar.Interval) ([]calendar.Interval, error) {
	set := intervals
	if !isSet(intervals) {
		var err error
		if set, err = calendar.Normalize(intervals); err != nil {
			return nil, err
		}
	}
	if len(hours) != 1 {
		return calendar.Intersect(set, hours), nil
	}
	for len(set) > 0 && !set[0].End.After(hours[0].Start) {
		set = set[1:]
	}
	for len(set) > 0 && !set[len(set)-1].Start.Before(hours[0].End) {
		set = set[:len(set)-1]
	}
	if last := len(set) - 1; last >= 0 { // those between them lie inside
		set[0], _ = set[0].Clip(hours[0])
		set[last], _ = set[last].Clip(hours[0])
	}
	return set, nil
}

// isSet reports whether intervals are as [calendar.Normalize] would return them.
func isSet(intervals []calendar.Interval) bool {
	for n := range intervals {
		i := &intervals[n]
		if i.IsEmpty() || i.Start.Location() != time.UTC || i.End.Location() != time.UTC || i.Validate() != nil {
			return false
		}
		if n > 0 && !i.Start.After(intervals[n-1].End) {
			return false
		}
	}
	return true
}

// refs lists the outages that touch the counted downtime.
func refs(outages []Outage, downtime []calendar.Interval, now time.Time) []string {
	var out []string
	for _, o := range outages {
		if o.Ref != "" && touches(o.interval(now), downtime) {
			out = append(out, o.Ref)
		}
	}
	if len(out) == 0 {
		return nil
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// touches reports whether an interval and a set have an instant in common.
func touches(i calendar.Interval, set []calendar.Interval) bool {
	next := firstAfter(set, i.Start)
	return next < len(set) && i.Overlaps(set[next])
}

// firstAfter returns the index of the first member of a set that ends after an
// instant.
func firstAfter(set []calendar.Interval, at time.Time) int {
	return sort.Search(len(set), func(n int) bool { return set[n].End.After(at) })
}

// interval ends an open outage at now, and at its start if it begins later.
func (o Outage) interval(now time.Time) calendar.Interval { return stretch(o.Start, o.End, now) }

func stretch(start, end, now time.Time) calendar.Interval {
	if end.IsZero() {
		end = now
		if end.Before(start) {
			end = start
		}
	}
	return calendar.Interval{Start: start, End: end}
}

// concerns reports whether evidence about a service bears on the one measured.
func concerns(evidence, measured string) bool {
	return measured == "" || evidence == measured || evidence == "" || evidence == "*"
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
