package coverage

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// HourlyKnowledge is how many people who know a technology are at work in each
// hour of the day: the least number at any instant of that hour on any date.
type HourlyKnowledge struct {
	Domain string  `json:"domain"`
	Centre string  `json:"location,omitempty"` // empty: all people together
	Hours  [24]int `json:"hours"`              // NoHour where the zone skips the hour on every date
}

// NoHour stands for the number of people in an hour that does not occur.
const NoHour = -1

// Least returns the least number of all hours that occur, and the first hour with
// it.
func (h HourlyKnowledge) Least() (people, hour int) {
	people = NoHour
	for i, n := range h.Hours {
		if n != NoHour && (people == NoHour || n < people) {
			people, hour = n, i
		}
	}
	return people, hour
}

// KnowledgeByHour returns a row for each domain and centre, and one for all people
// together after those of the domain's centres. Dates and hours are those of the
// zone, an IANA name such as "UTC"; people count while they are within their
// working hours and not absent. Least and CountFTE of the query do not matter. An
// hour that the zone skips is left out on that date, and one that it repeats is
// two hours long. The error joins [*escalation.ConfigError]s.
//
// The cost is that of sorting all working hours of all people once for each of
// their skills: some 0.3 s of processor time for a year of a thousand people.
func KnowledgeByHour(r *escalation.Router, q KnowledgeQuery, zone string) ([]HourlyKnowledge, error) {
	p := problem.New()
	first, last := q.check(r, p)
	clock, err := escalation.NewHours(zone, nil)
	p.Join(err)
	if err := p.Err(); err != nil {
		return nil, err
	}
	q = q.complete(r.Roster())
	slots := hourSlots(clock.Location(), first, last)
	horizon := calendar.Interval{}
	if len(slots) > 0 {
		horizon = calendar.Interval{Start: slots[0].Start, End: slots[len(slots)-1].End}
	}
	team, centres, atWork := teamOf(r), r.Centres().All(), map[string][]calendar.Interval{}
	place := map[string]int{} // of centres
	for i, c := range centres {
		place[c.ID] = i
	}
	out := []HourlyKnowledge{}
	for _, domain := range q.Domains {
		people := team.knowers(domain, q)
		for _, who := range people {
			if _, known := atWork[who.ID]; !known {
				atWork[who.ID] = calendar.Subtract(who.hours.Expand(horizon.Start, horizon.End), who.away(horizon))
			}
		}
		all := leastByHour(slots, people, atWork, place)
		for i, c := range centres {
			if q.Centre == "" || q.Centre == c.ID {
				out = append(out, HourlyKnowledge{Domain: domain, Centre: c.ID, Hours: all[i]})
			}
		}
		if q.Centre == "" {
			out = append(out, HourlyKnowledge{Domain: domain, Hours: all[len(all)-1]})
		}
	}
	return out, nil
}

// slot is one hour of one date, or a part of it around a change of the clock.
type slot struct {
	calendar.Interval
	hour int // that the clock shows
}

// hourSlots returns the hours that a clock of the zone shows on the dates in
// [first, last), in order.
func hourSlots(loc *time.Location, first, last int64) []slot {
	out := make([]slot, 0, 24*(last-first))
	end := wallclock.Resolve(midnight(last), loc, wallclock.Last)
	for t := wallclock.Resolve(midnight(first), loc, wallclock.First); t.Before(end); {
		wall := wallclock.At(t, loc)
		next := steady(t, t.Add(time.Hour-wall.Sub(wall.Truncate(time.Hour))), loc)
		if date := dateOf(wall); date >= first && date < last {
			out = append(out, slot{calendar.Interval{Start: t, End: next}, wall.Hour()})
		}
		t = next
	}
	return out
}

// steady returns the end of [from, to), at most an hour, or the change of the clock
// within it.
func steady(from, to time.Time, loc *time.Location) time.Time {
	moved := func(t time.Time) bool { return wallclock.At(t, loc).Sub(t) != wallclock.At(from, loc).Sub(from) }
	if !moved(to.Add(-time.Second)) {
		return to
	}
	n := sort.Search(int(to.Sub(from)/time.Second), func(n int) bool { return moved(from.Add(time.Duration(n) * time.Second)) })
	return from.Add(time.Duration(n) * time.Second)
}

// coming is somebody who begins or ends work, at nanoseconds since the first slot.
type coming struct {
	at     int64
	step   int // 1 or -1
	centre int // index, or -1
}

// comings returns the beginnings and ends of work in order.
func comings(people []*person, atWork map[string][]calendar.Interval, place map[string]int, zero time.Time) []coming {
	n := 0
	for _, who := range people {
		n += 2 * len(atWork[who.ID])
	}
	out := make([]coming, 0, n)
	for _, who := range people {
		centre, ok := place[who.Centre]
		if !ok {
			centre = -1
		}
		for _, s := range atWork[who.ID] {
			out = append(out, coming{int64(s.Start.Sub(zero)), 1, centre}, coming{int64(s.End.Sub(zero)), -1, centre})
		}
	}
	slices.SortFunc(out, func(a, b coming) int { return cmp.Compare(a.at, b.at) })
	return out
}

// leastByHour returns the least number of people at work by hour: for each centre,
// and last for all together.
func leastByHour(slots []slot, people []*person, atWork map[string][]calendar.Interval, place map[string]int) [][24]int {
	centres := len(place)
	least, now := make([][24]int, centres+1), make([]int, centres+1)
	for row := range least {
		for hour := range least[row] {
			least[row][hour] = NoHour
		}
	}
	if len(slots) == 0 {
		return least
	}
	note := func(hour int) {
		for row, n := range now {
			if old := least[row][hour]; old == NoHour || n < old {
				least[row][hour] = n
			}
		}
	}
	zero := slots[0].Start
	edges := comings(people, atWork, place, zero)
	takeUntil := func(at int64) {
		for len(edges) > 0 && edges[0].at <= at {
			now[centres] += edges[0].step
			if i := edges[0].centre; i >= 0 {
				now[i] += edges[0].step
			}
			edges = edges[1:]
		}
	}
	for _, s := range slots {
		takeUntil(int64(s.Start.Sub(zero)))
		note(s.hour)
		for end := int64(s.End.Sub(zero)); len(edges) > 0 && edges[0].at < end; {
			takeUntil(edges[0].at)
			note(s.hour)
		}
	}
	return least
}
