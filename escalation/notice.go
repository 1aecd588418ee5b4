package escalation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// ShiftsOf returns when a person is on call in [from, until), alone or with others,
// whatever puts the person there. What begins before or ends after is whole; Start
// and End are the zero time where that is not within ten years of from and until.
func (s *Schedule) ShiftsOf(user string, from, until time.Time) []calendar.Interval {
	var out []calendar.Interval
	s.sweep(from, until, func(shift Shift) bool {
		switch last := len(out) - 1; {
		case !shift.Has(user):
		case last >= 0 && out[last].End.Equal(shift.Start):
			out[last].End = shift.End
		default:
			out = append(out, calendar.Interval{Start: shift.Start, End: shift.End})
		}
		return true
	})
	if len(out) == 0 {
		return nil
	}
	if first := &out[0]; first.Start.Equal(from) {
		first.Start = s.since(user, from)
	}
	if last := &out[len(out)-1]; last.End.Equal(until) {
		last.End = s.until(user, until)
	}
	return out
}

// until returns when a person who is on call until at least the instant ceases to
// be, or the zero time.
func (s *Schedule) until(user string, at time.Time) time.Time {
	end, limit := at.UTC(), at.Add(horizon)
	s.sweep(at, limit, func(shift Shift) bool {
		if shift.Has(user) {
			end = shift.End
		}
		return shift.Has(user)
	})
	if end.Equal(limit) {
		return time.Time{}
	}
	return end
}

// since returns from when on a person who is on call just before the instant has
// been, or the zero time.
func (s *Schedule) since(user string, at time.Time) time.Time {
	limit := at.Add(-horizon)
	for back := 24 * time.Hour; ; back *= 4 {
		from := at.UTC().Add(-back)
		if from.Before(limit) {
			from = limit
		}
		start, on := from, false
		s.sweep(from, at, func(shift Shift) bool {
			if shift.Has(user) && !on {
				start = shift.Start
			}
			if on = shift.Has(user); !on {
				start = shift.End
			}
			return true
		})
		switch {
		case start.After(from):
			return start
		case from.Equal(limit):
			return time.Time{}
		}
	}
}

// PersonalShift is a stretch of time in which a person is on call by a schedule,
// [Start, End) in the zone of the person, see [Schedule.ShiftsOf].
type PersonalShift struct {
	Schedule string    `json:"schedule"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
}

// ShiftsOf returns the shifts of a person in [from, until) by all schedules, in order
// of start and schedule: a weekly summary, for one. The error joins [*ConfigError]s, for a person whom the
// roster does not know and for more than ten years.
func (r *Router) ShiftsOf(engineer string, from, until time.Time) ([]PersonalShift, error) {
	p := newProblems()
	if r.byID[engineer] == nil && engineer != r.lastResort.ID {
		p.at("engineer").add(engineer, "an engineer of the roster, or the last resort")
	}
	checkStretch(from, until, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	out := []PersonalShift{}
	for _, name := range r.Schedules() {
		for _, span := range r.schedules[name].ShiftsOf(engineer, from, until) {
			out = append(out, r.personal(engineer, name, span))
		}
	}
	slices.SortStableFunc(out, func(a, b PersonalShift) int { return a.Start.Compare(b.Start) })
	return out, nil
}

func (r *Router) personal(engineer, schedule string, span calendar.Interval) PersonalShift {
	loc := r.location(engineer)
	return PersonalShift{Schedule: schedule, Start: span.Start.In(loc), End: span.End.In(loc)}
}

// location returns the zone of a person: UTC for the last resort, who has none.
func (r *Router) location(id string) *time.Location {
	if who := r.byID[id]; who != nil {
		return who.hours.zone.loc
	}
	return time.UTC
}

// ShiftChange is an instant at which people of a schedule hand over to others.
type ShiftChange struct {
	Schedule string    `json:"schedule"`
	At       time.Time `json:"at"` // in UTC
	Before   OnCall    `json:"before"`
	After    OnCall    `json:"after"`

	// Leaving hand over and Joining take over; one of the two may be empty.
	Leaving []LocalTime `json:"leaving"`
	Joining []LocalTime `json:"joining"`
}

// LocalTime is an instant on the clock of a person.
type LocalTime struct {
	Engineer string    `json:"engineer"`
	At       time.Time `json:"at"`
}

// String says who hands over to whom, and the time for each.
func (c ShiftChange) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Schedule, sideText(c.Leaving), sideText(c.Joining))
}

func sideText(side []LocalTime) string {
	var texts []string
	for _, l := range side {
		texts = append(texts, fmt.Sprintf("%s (%s %s)", l.Engineer, l.At.Format(localMinute), l.At.Location()))
	}
	return orNobody(strings.Join(texts, ", "))
}

const localMinute = "Mon 2 Jan 15:04"

// ShiftChanges returns who hands over to whom by a schedule, at the instants in
// [from, until) at which somebody leaves or joins. The error joins [*ConfigError]s, for
// a schedule that the roster does not have and for more than ten years.
func (r *Router) ShiftChanges(schedule string, from, until time.Time) ([]ShiftChange, error) {
	p := newProblems()
	if r.schedules[schedule] == nil {
		p.at("schedule").add(schedule, "the name of a schedule of the roster")
	}
	checkStretch(from, until, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return r.shiftChanges(schedule, from, until), nil
}

func (r *Router) shiftChanges(schedule string, from, to time.Time) []ShiftChange {
	out := []ShiftChange{}
	var before *Shift
	r.schedules[schedule].sweep(from.Add(-1), to, func(shift Shift) bool { // with what ends at from
		if before != nil {
			c := ShiftChange{
				Schedule: schedule, At: shift.Start, Before: before.OnCall, After: shift.OnCall,
				Leaving: r.local(missing(before.OnCall, shift.OnCall), shift.Start),
				Joining: r.local(missing(shift.OnCall, before.OnCall), shift.Start),
			}
			if len(c.Leaving)+len(c.Joining) > 0 {
				out = append(out, c)
			}
		}
		before = &shift
		return true
	})
	return out
}

func (r *Router) local(people []string, at time.Time) []LocalTime {
	out := []LocalTime{}
	for _, id := range people {
		out = append(out, LocalTime{Engineer: id, At: at.In(r.location(id))})
	}
	return out
}

// ShiftNoticeQuery asks which people are to be told of their shifts, and when.
type ShiftNoticeQuery struct {
	// From and Until are for the instants at which they are told, [From, Until), at most
	// ten years.
	From  time.Time `json:"from"`
	Until time.Time `json:"to"`

	// Before is how long before the start of a shift a person is told, each 0 to a
	// year; several tell several times. Defaults to 24 hours.
	Before []time.Duration `json:"before_ns,omitempty"`

	// Schedules are names of schedules of the roster. Defaults to all.
	Schedules []string `json:"schedules,omitempty"`
}

// ShiftNotice is what a person is to be told of a shift.
type ShiftNotice struct {
	At       time.Time     `json:"at"` // when, in UTC
	Engineer string        `json:"engineer"`
	Before   time.Duration `json:"before_ns"` // the start, in elapsed time
	Shift    PersonalShift `json:"shift"`

	// Relieves are those who leave as the shift begins, and With those who are on
	// call as well then.
	Relieves []string `json:"relieves,omitempty"`
	With     []string `json:"with,omitempty"`

	// StandsFor is the absent person whose turn it is, if anybody's.
	StandsFor string `json:"stands_for,omitempty"`
}

// Text is the notice in a sentence.
func (n ShiftNotice) Text() string {
	end := "on"
	if !n.Shift.End.IsZero() {
		end = "to " + n.Shift.End.Format(localMinute)
	}
	text := fmt.Sprintf("%s, you are on call for %s from %s %s (%s)",
		n.Engineer, n.Shift.Schedule, n.Shift.Start.Format(localMinute), end, n.Shift.Start.Location())
	if len(n.Relieves) > 0 {
		text += ", after " + strings.Join(n.Relieves, " and ")
	}
	if len(n.With) > 0 {
		text += ", with " + strings.Join(n.With, " and ")
	}
	if n.StandsFor != "" {
		text += ", in place of " + n.StandsFor + " who is absent"
	}
	return text
}

const maxBefore = 366 * 24 * time.Hour

// ShiftNotices returns the notices of upcoming shifts in order of instant, schedule, and
// person. They are computed from the rules, so that overrides, swaps and absences
// count as they are known now: ask again after an edit, and before sending. The
// error joins [*ConfigError]s.
func (r *Router) ShiftNotices(q ShiftNoticeQuery) ([]ShiftNotice, error) {
	p := newProblems()
	checkStretch(q.From, q.Until, p)
	if q.Before == nil {
		q.Before = []time.Duration{24 * time.Hour}
	}
	for i, before := range q.Before {
		if before < 0 || before > maxBefore || slices.Contains(q.Before[:i], before) {
			p.at("before_ns[%d]", i).add(before.String(), "0 to 366 days, once")
		}
	}
	for i, name := range q.Schedules {
		if r.schedules[name] == nil || slices.Contains(q.Schedules[:i], name) {
			p.at("schedules[%d]", i).add(name, "the name of a schedule of the roster, once")
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if len(q.Schedules) == 0 {
		q.Schedules = r.Schedules()
	}
	out := []ShiftNotice{}
	for _, name := range q.Schedules {
		for _, before := range q.Before {
			for _, c := range r.shiftChanges(name, q.From.Add(before), q.Until.Add(before)) {
				for _, who := range c.Joining {
					out = append(out, r.notice(c, who.Engineer, before))
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b ShiftNotice) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Shift.Schedule, b.Shift.Schedule), cmp.Compare(a.Engineer, b.Engineer))
	})
	return out, nil
}

func (r *Router) notice(c ShiftChange, who string, before time.Duration) ShiftNotice {
	span := calendar.Interval{Start: c.At, End: r.schedules[c.Schedule].until(who, c.At)}
	n := ShiftNotice{
		At: c.At.Add(-before), Engineer: who, Before: before, Shift: r.personal(who, c.Schedule, span),
		Relieves: missing(c.Before, c.After), With: slices.DeleteFunc(c.After.People(), func(id string) bool { return id == who }),
	}
	if c.After.User == who {
		n.StandsFor = c.After.StandsFor
	}
	return n
}
