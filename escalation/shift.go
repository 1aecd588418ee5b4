package escalation

import (
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Shift is a stretch of time in which the answer of [Schedule.WhoAt] stays the
// same, [Start, End) in UTC.
type Shift struct {
	OnCall
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Shifts returns what is on call in [from, to), without holes: stretches in
// which nobody is on call are shifts with an empty User. Neighbours differ in
// person or in source, so a person who follows himself in a rotation has one
// shift. The first and last are cut at from and to.
//
// The cost grows with the number of edges of windows and turns in the stretch.
func (s *Schedule) Shifts(from, to time.Time) []Shift {
	var out []Shift
	s.sweep(from, to, func(shift Shift) bool {
		out = append(out, shift)
		return true
	})
	return out
}

// Gaps returns the stretches of [from, to) in which nobody is on call, whatever
// the source of that.
func (s *Schedule) Gaps(from, to time.Time) []calendar.Interval {
	var out []calendar.Interval
	s.sweep(from, to, func(shift Shift) bool {
		if shift.User != "" {
			return true
		}
		if last := len(out) - 1; last >= 0 && out[last].End.Equal(shift.Start) {
			out[last].End = shift.End
			return true
		}
		out = append(out, calendar.Interval{Start: shift.Start, End: shift.End})
		return true
	})
	return out
}

// Overlaps returns the shifts of [from, to) in which more than one person is on
// call.
func (s *Schedule) Overlaps(from, to time.Time) []Shift {
	var out []Shift
	s.sweep(from, to, func(shift Shift) bool {
		if len(shift.Also) > 0 {
			out = append(out, shift)
		}
		return true
	})
	return out
}

// horizonYears bounds the search for a change of who is on call.
const horizonYears = 10

// NextChange returns the first instant after at from which [Schedule.WhoAt]
// answers differently; ok is false when it does not change within ten years.
func (s *Schedule) NextChange(at time.Time) (next time.Time, ok bool) {
	limit := at.UTC().AddDate(horizonYears, 0, 0)
	s.sweep(at, limit, func(shift Shift) bool {
		next, ok = shift.End, shift.End.Before(limit)
		return false
	})
	if !ok {
		return time.Time{}, false
	}
	return next, true
}

// ShiftAt returns the whole shift that holds the instant. Start and End are the
// zero time where the answer does not change within ten years before or after.
func (s *Schedule) ShiftAt(at time.Time) Shift {
	shift := Shift{OnCall: s.WhoAt(at)}
	shift.End, _ = s.NextChange(at)
	limit := at.UTC().AddDate(-horizonYears, 0, 0)
	for back := 24 * time.Hour; ; back *= 4 {
		from := at.Add(-back)
		if from.Before(limit) {
			from = limit
		}
		var last Shift
		s.sweep(from, at.Add(1), func(seen Shift) bool {
			last = seen
			return true
		})
		if last.Start.After(from) {
			shift.Start = last.Start
			return shift
		}
		if from.Equal(limit) {
			return shift
		}
	}
}

// cursor is the state of a layer during a sweep.
type cursor struct {
	*layer
	active  bool
	person  string
	handoff int64 // end of the person's turn
	next    int64 // first edge after the present instant
}

func (c *cursor) move(t int64) {
	if t >= c.handoff {
		c.person, c.handoff = c.user(t), c.turns.next(t)
	}
	c.active, c.next = true, c.handoff
	if c.hours != nil {
		c.active, c.next = c.hours.state(t)
		c.next = min(c.next, c.handoff)
	}
}

// decides reports whether the layers below no longer count, now and later.
func (c *cursor) decides() bool { return c.hours == nil && c.person != "" }

// sweep calls yield with the shifts of [from, to) in order, until it returns
// false.
func (s *Schedule) sweep(from, to time.Time, yield func(Shift) bool) {
	if !from.Before(to) {
		return
	}
	cursors := make([]cursor, len(s.layers))
	for i := range cursors {
		cursors[i] = cursor{layer: &s.layers[i], handoff: -forever}
		cursors[i].move(from.Unix())
	}
	pending := Shift{Start: from.UTC()}
	for at := from.UTC(); ; {
		base, edge := read(cursors)
		now := s.overrides.apply(base, at)
		switch {
		case at.Equal(pending.Start):
			pending.OnCall = now
		case !pending.equal(now):
			pending.End = at
			if !yield(pending) {
				return
			}
			pending = Shift{OnCall: now, Start: at}
		}
		next := to.UTC()
		if edge < forever && utc(edge).Before(next) {
			next = utc(edge)
		}
		if o, ok := s.overrides.next(at); ok && o.Before(next) {
			next = o
		}
		if at = next; !at.Before(to) {
			pending.End = at
			yield(pending)
			return
		}
		for i, t := 0, at.Unix(); i < len(cursors); i++ {
			if cursors[i].next <= t {
				cursors[i].move(t)
			}
		}
	}
}

// read returns the answer of the layers and the first edge of those that count.
func read(cursors []cursor) (base OnCall, edge int64) {
	edge = forever
	decided := false
	for i := range cursors {
		c := &cursors[i]
		if c.active && !decided {
			decided = base.add(c.source, c.person)
		}
		edge = min(edge, c.next)
		if c.decides() {
			break
		}
	}
	return base, edge
}
