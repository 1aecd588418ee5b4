package escalation

import (
	"slices"
	"time"
)

// AbsenceRule is what becomes of the turn of somebody who is absent.
type AbsenceRule uint8

// The rules for absences.
const (
	// StayOnCall leaves the person on call. [Router] goes on to others, and reports
	// of conflicts name it.
	StayOnCall AbsenceRule = iota

	// NextInRotation gives the turn, or each part of it during which the person is
	// absent, to the next of the list who is present; the turns that follow stay
	// whose they are. [OnCall] names both. Where the whole list is absent the person
	// stays on call. Absences count in whole seconds, rounded up. Overrides are by
	// somebody's word and hold although their user is absent.
	NextInRotation
)

var absenceNames = names{"stay", "next_in_rotation"}

// String returns "stay" or "next_in_rotation".
func (a AbsenceRule) String() string { return absenceNames.text(uint8(a), "AbsenceRule") }

// MarshalText writes the name.
func (a AbsenceRule) MarshalText() ([]byte, error) {
	return absenceNames.marshal(uint8(a), "when_absent")
}

// UnmarshalText reads a name in any case; empty text is StayOnCall.
func (a *AbsenceRule) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = StayOnCall
		return nil
	}
	value, err := absenceNames.parse(string(text), "when_absent")
	if err != nil {
		return err
	}
	*a = AbsenceRule(value)
	return nil
}

func (a Absence) check(p problems) {
	if !a.End.After(a.Start) {
		p.at("to").add(a.End.Format(time.RFC3339), "an instant after from")
	}
}

func (plan Plan) checkAbsences(p problems) {
	switch {
	case int(plan.WhenAbsent) >= len(absenceNames):
		p.at("when_absent").add(plan.WhenAbsent.String(), "stay or next_in_rotation")
	case plan.WhenAbsent == StayOnCall && len(plan.Absences) > 0:
		p.at("absences").add("", `when_absent "next_in_rotation", or no absences`)
	}
	for i, a := range plan.Absences {
		q := p.at("absences[%d]", i)
		if a.Engineer == "" {
			q.at("engineer").add("", "the id of a person")
		}
		a.check(q)
	}
}

// edges are the starts and ends of stretches in turn: sorted, each once.
type edges []int64

// state reports whether an instant lies in a stretch, and until when that stays so.
func (e edges) state(t int64) (in bool, until int64) {
	i, _ := slices.BinarySearch(e, t+1) // the first after t
	if i == len(e) {
		return false, forever
	}
	return i%2 == 1, e[i]
}

// awayTimes are absences by person.
type awayTimes map[string]edges

// standIn makes the layers look at absences.
func (s *Schedule) standIn(absences []Absence, roster *Router) {
	away := awayTimes{}
	for _, a := range absences {
		away.add(a)
	}
	if roster != nil {
		for _, who := range roster.byID {
			for _, a := range who.absences {
				away.add(a)
			}
		}
	}
	if len(away) == 0 {
		return
	}
	for user, list := range away {
		away[user] = disjoint(list)
	}
	for l := range s.all() {
		l.away = away
	}
}

func (w awayTimes) add(a Absence) {
	w[a.Engineer] = append(w[a.Engineer], ceil(a.Start), ceil(a.End))
}

// disjoint joins stretches, given as starts and ends in turn, that overlap or touch.
func disjoint(list []int64) edges {
	spans := slices.Collect(slices.Chunk(list, 2))
	slices.SortFunc(spans, slices.Compare)
	var out edges
	for _, s := range spans {
		switch last := len(out) - 1; {
		case s[0] == s[1]: // within a second
		case last >= 0 && s[0] <= out[last]:
			out[last] = max(out[last], s[1])
		default:
			out = append(out, s[0], s[1])
		}
	}
	return out
}

// person returns who has the turn at an instant, and for whom if that is the turn of
// somebody who is absent; nobody before the start.
func (l *layer) person(t int64) (user, absent string) {
	if l.away == nil {
		return l.turns.user(t), ""
	}
	user, absent, _ = l.present(t)
	return user, absent
}

func (l *layer) seat(t int64) seat {
	user, absent := l.person(t)
	return seat{user: user, source: l.source, standsFor: absent, made: layered}
}

// next returns the first instant after t at which that may change.
func (l *layer) next(t int64) int64 {
	edge := l.turns.next(t)
	if l.away != nil {
		_, _, until := l.present(t)
		edge = min(edge, until)
	}
	return edge
}

// present is person with a look at absences, and until when those who were asked
// stay absent or present.
func (l *layer) present(t int64) (user, absent string, until int64) {
	k := l.turns.index(t)
	if k < 0 && !l.turns.backwards {
		return "", "", forever
	}
	list, count := l.turns.list(t), l.turns.count.before(k)
	first := list.user(count)
	until = forever
	for i := range int64(len(list.users)) {
		user := list.user(count + i)
		away, edge := l.away[user].state(t)
		until = min(until, edge)
		switch {
		case !away && i == 0:
			return first, "", until
		case !away:
			return user, first, until
		}
	}
	return first, "", until
}
