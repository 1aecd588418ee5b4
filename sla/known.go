package sla

import (
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// knownAt returns the evidence as it stood at an instant, as far as statements
// depend on it: without what came later, and with what was open ending there. The
// receiver is not changed.
func (e Evidence) knownAt(at time.Time) Evidence {
	e.Outages = kept(e.Outages, func(o *Outage) bool {
		o.End = endedBy(o.End, at)
		return o.Start.Before(at)
	})
	e.Maintenance = kept(e.Maintenance, func(m *Maintenance) bool { return !m.Announced.After(at) })
	e.Gaps = kept(e.Gaps, func(g *Gap) bool {
		g.End = endedBy(g.End, at)
		return g.Start.Before(at)
	})
	e.Requests = kept(e.Requests, func(r *Requests) bool { return r.Start.Before(at) })
	e.Incidents = kept(e.Incidents, func(in *Incident) bool { return in.knownAt(at) })
	e.Losses = kept(e.Losses, func(l *Loss) bool { return !l.At.After(at) })
	e.Changes = kept(e.Changes, func(c *Change) bool {
		forget(at, &c.Approved)
		if c.End.After(at) {
			c.End, c.Outcome, c.CausedIncident = time.Time{}, "", ""
		}
		return !c.Start.After(at)
	})
	e.Restores = kept(e.Restores, func(r *Restore) bool {
		forget(at, &r.Restored, &r.Verified)
		return !r.Started.After(at)
	})
	e.Problems = kept(e.Problems, func(p *Problem) bool {
		if forget(at, &p.Closed); p.Closed.IsZero() {
			p.Cause = ""
		}
		return !p.Opened.After(at)
	})
	e.Capacity = kept(e.Capacity, func(c *Capacity) bool { return !c.Start.After(at) })
	return e
}

// knownAt takes from an incident what came after an instant; it reports whether it
// had been opened.
func (in *Incident) knownAt(at time.Time) bool {
	if in.Opened.After(at) {
		return false
	}
	forget(at, &in.Detected, &in.Acknowledged, &in.Responded, &in.Resolved, &in.Cancelled)
	in.Severities = kept(in.Severities, func(c *SeverityChange) bool { return !c.At.After(at) })
	in.Updates = kept(in.Updates, func(t *time.Time) bool { return !t.After(at) })
	in.Resets = kept(in.Resets, func(t *time.Time) bool { return !t.After(at) })
	in.Pauses = kept(in.Pauses, func(p *calendar.Interval) bool {
		p.End = endedBy(p.End, at)
		return p.Start.Before(at)
	})
	in.Closed = kept(closures(in.Closed), func(c *calendar.Interval) bool {
		if c.Start.After(at) {
			return false
		}
		if c.End.After(at) && (in.Resolved.IsZero() || c.Start.Before(in.Resolved)) {
			in.Resolved = c.Start // it had not been reopened
		}
		return !c.End.After(at)
	})
	return true
}

// observedUntil makes the evidence speak of the time up to an instant: what it does
// not reach is unknown, but no outage of the monitoring.
func (e Evidence) observedUntil(start, at time.Time) Evidence {
	known, ok := e.Observed.Clip(calendar.Interval{Start: e.Observed.Start, End: at})
	if !ok {
		known = calendar.Interval{Start: start, End: start}
	}
	if known.End.Before(at) {
		e.Gaps = append(slices.Clip(e.Gaps), Gap{Start: known.End, End: at, Before: true})
	}
	e.Observed = calendar.Interval{Start: known.Start, End: at}
	return e
}

// kept returns copies of the members that keep leaves, as it changed them.
func kept[T any](list []T, keep func(*T) bool) []T {
	var out []T
	for _, item := range list {
		if keep(&item) {
			out = append(out, item)
		}
	}
	return out
}

// forget clears the instants that had not come.
func forget(at time.Time, instants ...*time.Time) {
	for _, t := range instants {
		if t.After(at) {
			*t = time.Time{}
		}
	}
}

// endedBy ends at the latest at an instant what has an end or is open.
func endedBy(end, at time.Time) time.Time {
	if end.IsZero() || end.After(at) {
		return at
	}
	return end
}
