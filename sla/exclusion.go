package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

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
	RejectedLength    = "too_long"
)

// window is a stretch that may be excluded from downtime.
type window struct {
	calendar.Interval
	ref      string
	reason   string
	rejected string // why not, or ""
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
		w := window{Interval: calendar.Interval{Start: m.Start, End: m.End}, ref: m.Ref, reason: string(CauseMaintenance), rejected: a.rejected(t, m)}
		if longest := t.MaintenanceKinds[m.Kind].MaxLength; longest > 0 && w.rejected == "" && w.Duration() > longest {
			rest := w
			w.End = w.Start.Add(longest)
			rest.Start, rest.rejected = w.End, RejectedLength
			out = append(out, rest)
		}
		out = append(out, w)
	}
	if t.MaintenancePerYear > 0 {
		out = a.withinYear(t.MaintenancePerYear, out)
	}
	others := func(o *Outage) bool {
		return o.Cause != "" && o.Cause != CauseProvider && !o.Degraded && concerns(o.Service, service)
	}
	n := 0
	for i := range e.Outages {
		if others(&e.Outages[i]) {
			n++
		}
	}
	out = slices.Grow(out, n)
	for i := range e.Outages {
		o := &e.Outages[i]
		if !others(o) {
			continue
		}
		w := window{Interval: o.interval(covered.End), ref: o.Ref, reason: string(o.Cause)}
		if !slices.Contains(t.Exclude, o.Cause) {
			w.rejected = RejectedContract
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b window) int {
		return cmp.Or(compareBool(a.rejected != "", b.rejected != ""), a.Start.Compare(b.Start), cmp.Compare(a.ref, b.ref), a.End.Compare(b.End),
			cmp.Compare(a.reason, b.reason), cmp.Compare(a.rejected, b.rejected))
	})
	return out
}

// rejected says why maintenance is not excluded, "" if it is.
func (a *Agreement) rejected(t Availability, m Maintenance) string {
	switch {
	case m.Emergency:
		return RejectedEmergency
	case !a.noticed(t, m):
		return RejectedNotice
	}
	return ""
}

// noticed reports whether maintenance was announced early enough.
func (a *Agreement) noticed(t Availability, m Maintenance) bool {
	notice := t.MinNotice
	if rule, ok := t.MaintenanceKinds[m.Kind]; ok {
		notice = rule.MinNotice
	}
	switch {
	case notice <= 0:
		return true
	case m.Announced.IsZero():
		return false
	case t.NoticeLocal:
		return wallclock.At(m.Start, a.loc).Sub(wallclock.At(m.Announced, a.loc)) >= notice
	}
	return m.Start.Sub(m.Announced) >= notice
}

// withinYear lets windows be excluded until the union of those of a calendar
// year, by their start, has used up the limit. The rest of a window is rejected.
func (a *Agreement) withinYear(limit time.Duration, windows []window) []window {
	slices.SortStableFunc(windows, func(x, y window) int { return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.ref, y.ref)) })
	used := map[int]time.Duration{}
	var end time.Time // of what is excluded so far: a window covers all of it from its own start on
	var out []window
	for _, w := range windows {
		if w.rejected != "" || w.IsEmpty() {
			out = append(out, w)
			continue
		}
		year := wallclock.At(w.Start, a.loc).Year()
		from := w.Start
		if end.After(from) {
			from = end
		}
		left := max(min(limit-used[year], w.End.Sub(from)), 0)
		used[year] += left
		rest := w
		if last := from.Add(left); last.Before(w.End) {
			w.End = last
		}
		rest.Start, rest.rejected = w.End, RejectedYear
		if !w.IsEmpty() {
			out = append(out, w)
		}
		if w.End.After(end) {
			end = w.End
		}
		if !rest.IsEmpty() {
			out = append(out, rest)
		}
	}
	return out
}

// exclude puts downtime down to the windows, which come in the order of
// [Agreement.windows], and returns the union of those that the contract accepts.
func (m *Measured) exclude(down []calendar.Interval, windows []window) ([]calendar.Interval, error) {
	n := slices.IndexFunc(windows, func(w window) bool { return w.rejected != "" })
	if n < 0 {
		n = len(windows)
	}
	intervals := make([]calendar.Interval, n)
	for i, w := range windows[:n] {
		intervals[i] = w.Interval
	}
	accepted, err := calendar.Normalize(intervals)
	if err != nil {
		return nil, err
	}
	m.Exclusions = taken(down, windows[:n])
	if n < len(windows) {
		m.Rejected = taken(calendar.Subtract(down, accepted), windows[n:])
	}
	return accepted, nil
}

// taken puts every stretch of downtime down to the first of the windows that
// covers it. They are sorted by start, so those before a window cover all of it
// up to the latest of their ends.
func taken(down []calendar.Interval, windows []window) []Exclusion {
	var out []Exclusion
	var end time.Time
	for i, w := range windows {
		free := w.Interval
		if i > 0 && end.After(free.Start) {
			free.Start = end
		}
		if i == 0 || w.End.After(end) {
			end = w.End
		}
		if free.IsEmpty() {
			continue
		}
		if d := calendar.Total(calendar.Clip(down, free)); d > 0 {
			out = append(out, Exclusion{Ref: w.ref, Reason: cmp.Or(w.rejected, w.reason), Down: d})
		}
	}
	return out
}
