package coverage

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// person is an engineer of a roster with what the checks ask of everybody.
type person struct {
	escalation.Engineer
	hours    *escalation.Hours
	absences []escalation.Absence
}

// team are the people of a roster, in order of their ids.
type team []*person

func teamOf(r *escalation.Router) team {
	roster := r.Roster()
	absences := map[string][]escalation.Absence{}
	for _, a := range roster.Absences {
		absences[a.Engineer] = append(absences[a.Engineer], a)
	}
	all := make(team, len(roster.Engineers))
	for i, e := range roster.Engineers {
		all[i] = &person{Engineer: e, hours: r.Hours(e.ID), absences: absences[e.ID]}
	}
	slices.SortFunc(all, func(a, b *person) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// find returns a person by id, or nil: the last resort is none of the team.
func (t team) find(id string) *person {
	i, found := slices.BinarySearchFunc(t, id, func(p *person, id string) int { return cmp.Compare(p.ID, id) })
	if !found {
		return nil
	}
	return t[i]
}

// percent is the part of a full-time position, of the last resort as well.
func (p *person) percent() int {
	if p == nil || p.FTEPercent == 0 {
		return 100
	}
	return p.FTEPercent
}

// away returns when a person is absent within a span, as a set.
func (p *person) away(span calendar.Interval) []calendar.Interval {
	var spans []calendar.Interval
	for _, a := range p.absences {
		if cut, ok := (calendar.Interval{Start: a.Start.UTC(), End: a.End.UTC()}).Clip(span); ok {
			spans = append(spans, cut)
		}
	}
	return normal(spans)
}

// normal is [calendar.Normalize] for intervals known to be valid: in order, and of
// ten years at most.
func normal(list []calendar.Interval) []calendar.Interval {
	set, _ := calendar.Normalize(list)
	return set
}

// horizonYears bounds the stretch of time of a query.
const horizonYears = 10

// Dates are counted in days since 1970-01-01.

const secondsPerDay = 24 * 60 * 60

func midnight(date int64) time.Time { return time.Unix(date*secondsPerDay, 0).UTC() }

func dateOf(wall time.Time) int64 {
	return wallclock.Midnight(wall).Unix() / secondsPerDay
}

// dateText writes a date as in 2026-04-27.
func dateText(date int64) string { return midnight(date).Format(time.DateOnly) }

// number reads a date that was written by a program.
func number(date string) int64 {
	at, _ := time.Parse(time.DateOnly, date)
	return dateOf(at)
}
