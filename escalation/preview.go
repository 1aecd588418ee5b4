package escalation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Preview is what an edit changes in the shifts of a schedule in [From, Until).
type Preview struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"to"`

	// Changes are in order, without overlap. That the same people in the same order
	// are on call by another source is none.
	Changes []Edit `json:"changes"`

	// People are those for whom something changes, by id.
	People []HoursChange `json:"people"`
}

// Edit is a stretch of time, [Start, End) in UTC, in which other people are on call
// after an edit than before.
type Edit struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Kind   EditKind  `json:"kind"`
	Before OnCall    `json:"before"`
	After  OnCall    `json:"after"`
}

// EditKind is what an edit does to a stretch of time.
type EditKind string

// The kinds of edit.
const (
	ShiftAdded   EditKind = "added"   // nobody was on call before
	ShiftRemoved EditKind = "removed" // nobody is any more
	ShiftChanged EditKind = "changed" // others are, or the same in another order
)

// HoursChange is how long a person is on call after an edit and was not before, and
// the other way round.
type HoursChange struct {
	Engineer string        `json:"engineer"`
	Gains    time.Duration `json:"gains_ns"`
	Loses    time.Duration `json:"loses_ns"`
}

// Preview compares the schedule with an edited one, such as one with a further
// override or a pending one approved, in [from, until), at most ten years. Anything
// else is a [*ConfigError].
func (s *Schedule) Preview(edited *Schedule, from, until time.Time) (Preview, error) {
	p := newProblems()
	checkStretch(from, until, p)
	if err := p.err(); err != nil {
		return Preview{}, err
	}
	out := Preview{From: from.UTC(), Until: until.UTC(), Changes: []Edit{}, People: []HoursChange{}}
	people := map[string]HoursChange{}
	before, after := s.Shifts(from, until), edited.Shifts(from, until)
	for at := out.From; at.Before(out.Until); {
		e := Edit{Start: at, End: before[0].End, Before: before[0].OnCall, After: after[0].OnCall}
		if after[0].End.Before(e.End) {
			e.End = after[0].End
		}
		out.add(e, people)
		if at = e.End; !before[0].End.After(at) {
			before = before[1:]
		}
		if !after[0].End.After(at) {
			after = after[1:]
		}
	}
	for _, id := range slices.Sorted(maps.Keys(people)) {
		out.People = append(out.People, people[id])
	}
	return out, nil
}

// checkStretch refuses stretches that are empty, longer than ten years or beyond the
// time of schedules.
func checkStretch(from, to time.Time, p problems) {
	if !to.After(from) || from.Unix() < -farthest || to.Unix() > farthest || to.After(from.UTC().AddDate(horizonYears, 0, 0)) {
		p.at("to").add(to.Format(time.RFC3339), "an instant after from, by ten years at most")
	}
}

func (v *Preview) add(e Edit, people map[string]HoursChange) {
	switch before, after := e.Before.People(), e.After.People(); {
	case slices.Equal(before, after):
		return
	case len(before) == 0:
		e.Kind = ShiftAdded
	case len(after) == 0:
		e.Kind = ShiftRemoved
	default:
		e.Kind = ShiftChanged
	}
	length := e.End.Sub(e.Start)
	for _, id := range missing(e.After, e.Before) {
		people[id] = HoursChange{Engineer: id, Gains: people[id].Gains + length, Loses: people[id].Loses}
	}
	for _, id := range missing(e.Before, e.After) {
		people[id] = HoursChange{Engineer: id, Gains: people[id].Gains, Loses: people[id].Loses + length}
	}
	if last := len(v.Changes) - 1; last >= 0 && v.Changes[last].End.Equal(e.Start) && v.Changes[last].Before.equal(e.Before) && v.Changes[last].After.equal(e.After) {
		v.Changes[last].End = e.End
		return
	}
	v.Changes = append(v.Changes, e)
}

// missing returns the people of one answer who are not in another.
func missing(of, in OnCall) []string {
	return slices.DeleteFunc(of.People(), in.Has)
}

// String writes a line for each change and each person.
func (v Preview) String() string {
	var b strings.Builder
	for _, e := range v.Changes {
		fmt.Fprintf(&b, "%s to %s %s: %s -> %s\n", e.Start.Format(time.RFC3339), e.End.Format(time.RFC3339), e.Kind, e.Before.Why(), e.After.Why())
	}
	for _, h := range v.People {
		fmt.Fprintf(&b, "%s gains %s, loses %s\n", h.Engineer, h.Gains, h.Loses)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
