package sla

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// run is one leg of a clock under the target of its severity.
type run struct {
	leg
	calendar *calendar.Calendar
	clock    *Clock
	target   Target
	at       time.Time           // its end, or the instant asked for
	pauses   []calendar.Interval // in which it stood still, as a set
	paused   bool                // now
	elapsed  time.Duration
	nextDay  time.Time // due, for the next business day
	missed   bool
}

// run runs a leg; its severity must have a target.
func (a *Agreement) run(h *history, clause Clause, c *Clock, l leg) (run, error) {
	r := run{leg: l, clock: c, target: c.Targets[c.targetOf(h.severity(c, l))], at: h.at}
	r.calendar = a.calendars[r.target.Calendar]
	if l.how != running {
		r.at = l.end
	}
	if c.Pausable {
		r.pauses = cut(h.waits, r.start, r.at)
		r.paused = l.how == running && h.waiting
	}
	if clause == ClauseResolution && len(h.closed) > 0 {
		r.pauses = calendar.Union(r.pauses, cut(h.closed, r.start, r.at))
	}
	r.elapsed = r.calendar.Elapsed(r.start, r.at, r.pauses)
	if r.target.NextDay != nil {
		day, err := r.calendar.NextBusinessDay(r.start, *r.target.NextDay)
		if err != nil {
			return run{}, err
		}
		r.nextDay = day.Due
		r.missed = r.at.After(day.Due) || c.Strict && r.at.Equal(day.Due)
		return r, nil
	}
	r.missed = r.elapsed > r.target.Within || c.Strict && r.elapsed == r.target.Within
	return r, nil
}

// cut returns the members of a set that reach into [start, end), ending there at
// the latest.
func cut(set []calendar.Interval, start, end time.Time) []calendar.Interval {
	set = set[firstAfter(set, start):]
	to := sort.Search(len(set), func(n int) bool { return !set[n].Start.Before(end) })
	set = set[:to:to]
	if to > 0 && set[to-1].End.After(end) {
		set = slices.Clone(set)
		set[to-1].End = end
	}
	return set
}

// ref names a leg in a statement: the incident, with a number where there may be
// more than one.
func (r *run) ref(clause Clause, id string) string {
	if clause == ClauseUpdate || r.number > 1 {
		return fmt.Sprintf("%s#%d", id, r.number)
	}
	return id
}

func (r *run) outcome() Outcome {
	switch {
	case r.missed:
		return Missed
	case r.how == stopped:
		return Met
	case r.how != running:
		return Cancelled
	case r.paused:
		return Paused
	}
	return Pending
}

// breach returns the instant from which the target counts as missed.
func (r *run) breach() (time.Time, error) {
	switch {
	case r.target.NextDay != nil:
		return r.nextDay, nil
	case r.clock.Strict:
		return r.calendar.Due(r.start, r.target.Within, r.pauses)
	}
	return r.calendar.BreachAt(r.start, r.target.Within, r.pauses)
}

// missedAt returns the instant at which a missed clock came to be missed, by what
// was known then: where a higher severity brought a target that had passed
// already, that of the change.
func (a *Agreement) missedAt(h *history, r *run) (time.Time, error) {
	if r.clock.RestartOnSeverity {
		return r.breach()
	}
	from, before := r.start, h.severity(r.clock, leg{start: r.start, end: r.start, how: stopped})
	for _, change := range h.severities {
		if before.AtLeast(change.Severity) {
			continue
		}
		if r.how != running && !change.At.Before(r.end) {
			break
		}
		if !change.At.After(from) {
			before = change.Severity
			continue
		}
		at, ok, err := a.missedUnder(r, r.clock.targetOf(before), from)
		if err != nil {
			return time.Time{}, err
		}
		if ok && at.Before(change.At) {
			return at, nil
		}
		from, before = change.At, change.Severity
	}
	at, err := r.breach()
	if err != nil || at.After(from) {
		return at, err
	}
	return from.UTC(), nil
}

// missedUnder returns when the target in force from an instant on would be
// missed.
func (a *Agreement) missedUnder(r *run, target int, from time.Time) (at time.Time, ok bool, err error) {
	if target < 0 {
		return time.Time{}, false, nil
	}
	under := *r
	under.target = r.clock.Targets[target]
	under.calendar = a.calendars[under.target.Calendar]
	if under.target.NextDay != nil {
		day, err := under.calendar.NextBusinessDay(r.start, *under.target.NextDay)
		if err != nil {
			return time.Time{}, false, err
		}
		under.nextDay = day.Due
	}
	at, err = under.breach()
	switch {
	case errors.Is(err, calendar.ErrUnreachable):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, err
	case at.Before(from):
		at = from.UTC()
	}
	return at, true, nil
}

func (r *run) state() (ClockState, error) {
	s := ClockState{
		Outcome: r.outcome(), Start: r.start, Stopped: r.end, Number: r.number,
		Target: r.target.Within, Elapsed: r.elapsed, Remaining: r.target.Within - r.elapsed,
	}
	var err error
	if s.BreachAt, err = r.breach(); err != nil {
		return ClockState{}, err
	}
	s.Due = s.BreachAt
	if r.target.NextDay == nil {
		if s.Due, err = r.calendar.Due(r.start, r.target.Within, r.pauses); err != nil {
			return ClockState{}, err
		}
	} else {
		s.Remaining = r.calendar.Elapsed(r.at, r.nextDay, nil) - r.calendar.Elapsed(r.nextDay, r.at, nil)
	}
	if s.Thresholds, err = r.thresholds(); err != nil {
		return ClockState{}, err
	}
	s.NextTransition, err = r.nextTransition(&s)
	return s, err
}

func (r *run) thresholds() ([]Threshold, error) {
	if r.target.NextDay != nil {
		return nil, nil
	}
	percents := r.clock.Thresholds
	if percents == nil {
		percents = defaultThresholds[:]
	}
	out := make([]Threshold, 0, len(percents))
	for _, percent := range percents {
		at, err := r.reaches(percent)
		if err != nil {
			return nil, err
		}
		out = append(out, Threshold{Percent: percent, At: at})
	}
	return out, nil
}

// reaches returns when the clock has used a percentage of its target, zero if it
// never does.
func (r *run) reaches(percent int) (time.Time, error) {
	work, rest, ok := fixed.MulDiv(uint64(r.target.Within), uint64(percent), 100)
	if rest > 0 {
		work++
	}
	if !ok || work > math.MaxInt64 || r.how != running && uint64(r.elapsed) < work {
		return time.Time{}, nil
	}
	at, err := r.calendar.Due(r.start, time.Duration(work), r.pauses)
	if errors.Is(err, calendar.ErrUnreachable) {
		return time.Time{}, nil
	}
	return at, err
}

// nextTransition returns the first of the instants after now at which a running
// clock changes.
func (r *run) nextTransition(s *ClockState) (time.Time, error) {
	if r.how != running || r.paused {
		return time.Time{}, nil
	}
	var next time.Time
	consider := func(at time.Time) {
		if at.After(r.at) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	consider(s.Due)
	consider(s.BreachAt)
	for _, t := range s.Thresholds {
		consider(t.At)
	}
	if r.calendar == calendar.Always() {
		return next, nil
	}
	at, _, err := r.calendar.NextTransition(r.at)
	switch {
	case errors.Is(err, calendar.ErrUnreachable):
		return next, nil
	case err != nil:
		return time.Time{}, err
	}
	consider(at)
	return next, nil
}
