package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Outcome says what became of a promise.
type Outcome string

// The outcomes.
const (
	Met     Outcome = "met"
	Missed  Outcome = "missed"
	Pending Outcome = "pending" // the clock still runs and the target is not missed yet
	Paused  Outcome = "paused"  // pending, and waiting for the customer
	NoData  Outcome = "no_data" // nothing measured: neither met nor missed
)

// Measured is the availability of one service in a period, with every figure
// that led to it. The value is
//
//	(Promised − Down) / Promised
//
// exactly, unless the term takes a mean error rate, which has no downtime and no
// budget. Down counts overlapping reports once and has the excluded time taken
// out.
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
	hours := a.calendars[t.ServiceHours].Expand(covered.Start, covered.End)

	var slots []calendar.Interval
	if t.Requests != nil && t.Requests.Method == BadSlots {
		slots = t.Requests.down(e.Requests, service.ID, covered)
	}
	down, degraded, err := outages(e.Outages, slots, service.ID, hours, covered.End)
	if err != nil {
		return Measured{}, err
	}
	windows := t.windows(e, service.ID, covered)
	excludable, err := m.exclude(down, windows)
	if err != nil {
		return Measured{}, err
	}
	unknown, err := unknownTime(e, service.ID, hours, covered)
	if err != nil {
		return Measured{}, err
	}
	unknown = calendar.Subtract(unknown, down)
	blind := calendar.Total(unknown) == calendar.Total(hours)

	m.RawDown, m.Degraded, m.Unknown = calendar.Total(down), calendar.Total(degraded), calendar.Total(unknown)
	m.Excluded = calendar.Total(calendar.Intersect(down, excludable))
	m.Downtime = calendar.Subtract(down, excludable)
	if t.ExcludeMode == FromBoth {
		hours = calendar.Subtract(hours, excludable)
	}
	switch t.Unknown {
	case UnknownUp:
	case UnknownDown:
		m.Downtime = calendar.Union(m.Downtime, calendar.Subtract(unknown, excludable))
	case UnknownExcluded:
		hours = calendar.Subtract(hours, unknown)
	}
	m.Promised, m.Down = calendar.Total(hours), calendar.Total(m.Downtime)
	m.Evidence = refs(e.Outages, service.ID, m.Downtime, covered.End)
	if blind || m.Promised == 0 {
		return m, nil
	}
	if t.Requests != nil && t.Requests.Method == MeanErrorRate {
		lost := unknown
		if t.Unknown != UnknownDown {
			lost = nil
		}
		m.Value = t.Requests.mean(e.Requests, service.ID, covered, hours, excludable, lost)
		m.judge(t.Strict)
		return m, nil
	}
	if m.Value, err = NewFraction(uint64(m.Promised-m.Down), uint64(m.Promised)); err != nil {
		return Measured{}, err
	}
	m.judge(t.Strict)
	budget, _, _ := fixed.MulDiv(uint64(m.Promised), uint64(whole-m.Target), whole)
	m.Budget = time.Duration(budget)
	m.BudgetLeft = m.Budget - m.Down
	return m, nil
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
// those that the contract accepts, then the rejected ones.
func (t Availability) windows(e Evidence, service string, covered calendar.Interval) []window {
	var out []window
	for _, m := range e.Maintenance {
		if m.Cancelled || !concerns(m.Service, service) {
			continue
		}
		w := window{Interval: calendar.Interval{Start: m.Start, End: m.End}, ref: m.Ref, reason: string(CauseMaintenance)}
		switch {
		case !slices.Contains(t.Exclude, CauseMaintenance):
			w.rejected = RejectedContract
		case m.Emergency:
			w.rejected = RejectedEmergency
		case t.MinNotice > 0 && (m.Announced.IsZero() || m.Start.Sub(m.Announced) < t.MinNotice):
			w.rejected = RejectedNotice
		}
		out = append(out, w)
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

// outages returns the union of what was down, beside what is known to be, and of
// what was degraded, within the service hours.
func outages(all []Outage, down []calendar.Interval, service string, hours []calendar.Interval, now time.Time) (_, degraded []calendar.Interval, err error) {
	for _, o := range all {
		switch {
		case !concerns(o.Service, service):
		case o.Degraded:
			degraded = append(degraded, o.interval(now))
		default:
			down = append(down, o.interval(now))
		}
	}
	if down, err = within(down, hours); err != nil {
		return nil, nil, err
	}
	degraded, err = within(degraded, hours)
	return down, degraded, err
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
func refs(all []Outage, service string, downtime []calendar.Interval, now time.Time) []string {
	var out []string
	for _, o := range all {
		if o.Ref != "" && !o.Degraded && concerns(o.Service, service) && len(calendar.Clip(downtime, o.interval(now))) > 0 {
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
