package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Measure turns the evidence about one service into a value. [Uptime],
// [BadSlots], [MeanErrorRate], [Events] and [AffectedRatio] are the measures of
// this package; a contract may bring its own. A measure is data: it is written
// as JSON beside its name, see [RegisterMeasure].
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

// Exclusion is downtime that a window took out, or failed to. Each stretch of
// downtime is put down to the first window that covers it.
type Exclusion struct {
	Ref    string        `json:"ref"`
	Reason string        `json:"reason"` // a [Cause], or for a rejection why
	Down   time.Duration `json:"down_ns"`
}

// The reasons for which a window is rejected.
const (
	RejectedNotice    = "short_notice"
	RejectedEmergency = "emergency"
	RejectedContract  = "not_excluded_by_contract"
	RejectedYear      = "yearly_limit"
)

// window is a stretch that may be excluded from downtime.
type window struct {
	calendar.Interval
	ref      string
	reason   string
	rejected string // why not, or ""
}

// measure computes the availability of a service; "" takes the outages of all.
func (a *Agreement) measure(term Term, service Service, covered calendar.Interval, e Evidence) (Measured, error) {
	t := *term.Availability
	m := Measured{Term: term.ID, Service: service.ID, Target: t.Target, Outcome: NoData, Total: covered.Duration()}
	if service.Target != nil {
		m.Target = *service.Target
	}
	s := Sample{Covered: covered, Hours: a.calendars[t.ServiceHours].Expand(covered.Start, covered.End), Requests: requestsOf(e.Requests, service.ID, covered)}
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
	m.Evidence = refs(s.Outages, m.Downtime, covered.End)
	if blind || len(s.Hours) == 0 {
		return m, nil
	}
	m.Value = r.Value
	m.judge(t.Strict)
	if m.Promised > 0 {
		budget, _, _ := fixed.MulDiv(uint64(m.Promised), uint64(whole-m.Target), whole)
		m.Budget = time.Duration(budget)
		m.BudgetLeft = m.Budget - m.Down
	}
	return m, nil
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

// windows lists what may be excluded for a service, in the order of time: first
// those that the contract accepts, then the rejected ones. Maintenance is a claim
// to exclusion only under a contract that excludes maintenance at all; an outage
// put down to somebody else always is.
func (a *Agreement) windows(t Availability, e Evidence, service string, covered calendar.Interval) []window {
	var out []window
	for _, m := range e.Maintenance {
		if m.Cancelled || !concerns(m.Service, service) || !slices.Contains(t.Exclude, CauseMaintenance) {
			continue
		}
		w := window{Interval: calendar.Interval{Start: m.Start, End: m.End}, ref: m.Ref, reason: string(CauseMaintenance)}
		switch {
		case m.Emergency:
			w.rejected = RejectedEmergency
		case !a.noticed(t, m):
			w.rejected = RejectedNotice
		}
		out = append(out, w)
	}
	if t.MaintenancePerYear > 0 {
		out = a.withinYear(t.MaintenancePerYear, out)
	}
	for _, o := range e.Outages {
		if o.Cause == "" || o.Cause == CauseProvider || o.Degraded || !concerns(o.Service, service) {
			continue
		}
		w := window{Interval: o.interval(covered.End), ref: o.Ref, reason: string(o.Cause)}
		if !slices.Contains(t.Exclude, o.Cause) {
			w.rejected = RejectedContract
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b window) int {
		return cmp.Or(compareBool(a.rejected != "", b.rejected != ""), a.Start.Compare(b.Start), cmp.Compare(a.ref, b.ref))
	})
	return out
}

// noticed reports whether maintenance was announced early enough.
func (a *Agreement) noticed(t Availability, m Maintenance) bool {
	switch {
	case t.MinNotice <= 0:
		return true
	case m.Announced.IsZero():
		return false
	case t.NoticeLocal:
		return wallclock.At(m.Start, a.loc).Sub(wallclock.At(m.Announced, a.loc)) >= t.MinNotice
	}
	return m.Start.Sub(m.Announced) >= t.MinNotice
}

// withinYear lets windows be excluded until those of a calendar year, by their
// start, have used up the limit. The rest of a window is rejected.
func (a *Agreement) withinYear(limit time.Duration, windows []window) []window {
	slices.SortStableFunc(windows, func(x, y window) int { return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.ref, y.ref)) })
	used := map[int]time.Duration{}
	var out []window
	for _, w := range windows {
		if w.rejected != "" || w.IsEmpty() {
			out = append(out, w)
			continue
		}
		year := wallclock.At(w.Start, a.loc).Year()
		left := min(max(limit-used[year], 0), w.Duration())
		used[year] += left
		rest := w
		w.End = w.Start.Add(left)
		rest.Start, rest.rejected = w.End, RejectedYear
		if left > 0 {
			out = append(out, w)
		}
		if !rest.IsEmpty() {
			out = append(out, rest)
		}
	}
	return out
}

// exclude puts downtime down to the windows and returns the union of those that
// the contract accepts.
func (m *Measured) exclude(down []calendar.Interval, windows []window) ([]calendar.Interval, error) {
	var accepted []calendar.Interval
	left := down
	for _, w := range windows {
		set, err := calendar.Normalize([]calendar.Interval{w.Interval})
		if err != nil {
			return nil, err
		}
		taken := calendar.Total(calendar.Intersect(left, set))
		left = calendar.Subtract(left, set)
		entry := Exclusion{Ref: w.ref, Reason: w.reason, Down: taken}
		if w.rejected == "" {
			accepted = calendar.Union(accepted, set)
		} else {
			entry.Reason = w.rejected
		}
		switch {
		case taken == 0:
		case w.rejected == "":
			m.Exclusions = append(m.Exclusions, entry)
		default:
			m.Rejected = append(m.Rejected, entry)
		}
	}
	return accepted, nil
}

// outagesOf returns the outages that concern a service in a time, and the union of what was
// down and of what was degraded within the service hours.
func outagesOf(all []Outage, service string, hours []calendar.Interval, covered calendar.Interval) (of []Outage, down, degraded []calendar.Interval, err error) {
	for i := range all {
		o := &all[i]
		at := o.interval(covered.End)
		switch {
		case !at.Overlaps(covered) || !concerns(o.Service, service):
		case o.Degraded:
			degraded = append(degraded, at)
		default:
			of = append(of, *o)
			down = append(down, at)
		}
	}
	if down, err = within(down, hours); err != nil {
		return nil, nil, nil, err
	}
	degraded, err = within(degraded, hours)
	return of, down, degraded, err
}

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

func within(intervals, hours []calendar.Interval) ([]calendar.Interval, error) {
	set, err := calendar.Normalize(intervals)
	if err != nil {
		return nil, err
	}
	return calendar.Intersect(set, hours), nil
}

// refs lists the outages that touch the counted downtime.
func refs(outages []Outage, downtime []calendar.Interval, now time.Time) []string {
	var out []string
	for _, o := range outages {
		if o.Ref != "" && len(calendar.Clip(downtime, o.interval(now))) > 0 {
			out = append(out, o.Ref)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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
