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

// Shifts returns what is on call in [from, until), without holes: stretches in
// which nobody is on call are shifts with an empty User. Neighbours differ in
// person or in source, so a person who follows himself in a rotation has one
// shift. The first and last are cut at from and until.
//
// The cost grows with the number of edges of windows and turns in the stretch.
func (s *Schedule) Shifts(from, until time.Time) []Shift {
	var out []Shift
	s.sweep(from, until, func(shift Shift) bool {
		out = append(out, shift)
		return true
	})
	return out
}

// Gaps returns the stretches of [from, until) in which nobody is on call, whatever
// the source of that.
func (s *Schedule) Gaps(from, until time.Time) []calendar.Interval {
	var out []calendar.Interval
	s.sweep(from, until, func(shift Shift) bool {
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

// Overlaps returns the shifts of [from, until) in which more than one person is on
// call.
func (s *Schedule) Overlaps(from, until time.Time) []Shift {
	var out []Shift
	s.sweep(from, until, func(shift Shift) bool {
		if len(shift.Also) > 0 {
			out = append(out, shift)
		}
		return true
	})
	return out
}

// horizonYears bounds the search for a change of who is on call. As horizon they are
// not those of a calendar, which wraps at the end of time.
const (
	horizonYears = 10
	horizon      = horizonYears * 366 * 24 * time.Hour
)

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
	limit := at.Add(-horizon)
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
	person  seat
	handoff int64 // until which the person stays the same
	next    int64 // first edge after the present instant
}

func (c *cursor) move(t int64) {
	if t >= c.handoff {
		c.person, c.handoff = c.seat(t), c.layer.next(t)
	}
	c.active, c.next = true, c.handoff
	if c.hours != nil {
		c.active, c.next = c.hours.state(t)
		c.next = min(c.next, c.handoff)
	}
}

// sweep calls yield with the shifts of [from, to) in order, until it returns
// false.
func (s *Schedule) sweep(from, to time.Time, yield func(Shift) bool) {
	if to.Unix() > farthest {
		to = utc(farthest)
	}
	if start := from.Unix(); start < -farthest || start > farthest || !from.Before(to) {
		return
	}
	pending := Shift{Start: from.UTC()}
	for at := from.UTC(); ; {
		k, until := s.stackAt(at)
		if until.IsZero() || until.After(to) {
			until = to.UTC()
		}
		if !s.sweepStack(k, at, until, &pending, yield) {
			return
		}
		if at = until; !at.Before(to) {
			pending.End = at
			yield(pending)
			return
		}
	}
}

// sweepStack goes through the time [from, to) of one stack of layers. The shift
// that is not over at its end is pending.
func (s *Schedule) sweepStack(k *stack, from, to time.Time, pending *Shift, yield func(Shift) bool) bool {
	cursors := make([]cursor, len(k.layers))
	for i := range cursors {
		cursors[i] = cursor{layer: &k.layers[i], handoff: -forever, next: -forever}
	}
	room := make(crew, 1)
	for at := from; ; {
		base, edge := s.read(cursors, seconds(at), room)
		base[0] = k.orFallback(base[0])
		now := s.overrides.apply(base, at).onCall()
		switch {
		case at.Equal(pending.Start):
			pending.OnCall = now
		case !pending.equal(now):
			pending.End = at
			if !yield(*pending) {
				return false
			}
			*pending = Shift{OnCall: now, Start: at}
		}
		next := to
		if edge < forever && utc(edge).Before(next) {
			next = utc(edge)
		}
		if o, ok := s.overrides.next(at); ok && o.Before(next) {
			next = o
		}
		if at = next; !at.Before(to) {
			return true
		}
	}
}

// read returns the answer of the layers at an instant and the first edge of those
// that count. The layers below the one that decides do not, and stay behind.
func (s *Schedule) read(cursors []cursor, t int64, base crew) (_ crew, edge int64) {
	base[0] = seat{made: layered}
	edge = forever
	for i := range cursors {
		c := &cursors[i]
		if c.next <= t {
			c.move(t)
		}
		edge = min(edge, c.next)
		switch {
		case !c.active:
		case base[0].user != "":
			base = base.join(c.person)
		case base[0].take(c.person) && !s.together:
			return base, edge
		}
	}
	return base, edge
}
