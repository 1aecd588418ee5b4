package escalation

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// DutyQuery asks about the on-call duty of people in [From, To), at most ten
// years: for [Router.Fairness], [Router.Strain] and [Router.Conflicts].
//
// Nights and weekends are those on the clock of the person: an engineer in
// Singapore who is on call for a schedule of Amsterdam has night when it is night
// in Singapore. With Zone they are those of one zone for everybody.
type DutyQuery struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`

	// Schedules are names of schedules of the roster. Defaults to all.
	Schedules []string `json:"schedules,omitempty"`

	// Zone is the IANA name of the zone in which nights and weekends are counted.
	// Defaults to the own zone of each person.
	Zone string `json:"timezone,omitempty"`

	// Night is the window that counts as night. Defaults to 22:00 to 06:00, which
	// holds the seven hours around midnight to 05:00 that Article 2 of Directive
	// 2003/88/EC asks for at least.
	Night Window `json:"night,omitzero"`

	// Weekend are the local days that count as weekend. Defaults to Saturday and
	// Sunday.
	Weekend DaySet `json:"weekend,omitzero"`
}

// compiledDuty is a query after its checks.
type compiledDuty struct {
	span      calendar.Interval
	schedules []string
	zone      *zone // nil: of the person
	night     window
	weekend   window
	zones     map[*zone]zoneDuty
}

// zoneDuty are the nights and weekends of a zone in the span.
type zoneDuty struct {
	nights   []occurrence
	night    []calendar.Interval // a set
	weekends []calendar.Interval // a set
}

// compileDuty returns a usable value only where it adds no problem.
func (r *Router) compileDuty(q DutyQuery, p problems) *compiledDuty {
	d := &compiledDuty{
		span: calendar.Interval{Start: q.From.UTC(), End: q.To.UTC()}, schedules: q.Schedules, zones: map[*zone]zoneDuty{},
	}
	checkHorizon(q.From, q.To, p)
	for i, name := range q.Schedules {
		if r.schedules[name] == nil || slices.Contains(q.Schedules[:i], name) {
			p.at("schedules[%d]", i).add(name, "the name of a schedule of the roster, once")
		}
	}
	if len(q.Schedules) == 0 {
		d.schedules = r.Schedules()
	}
	if q.Zone != "" {
		d.zone = zones{}.require(q.Zone, p.at("timezone"))
	}
	if q.Night.From == "" && q.Night.To == "" {
		q.Night.From, q.Night.To = "22:00", "06:00"
	}
	d.night = compileWindow(q.Night, p.at("night"))
	if q.Weekend > EveryDay {
		p.at("weekend").add(strconv.Itoa(int(q.Weekend)), "a set of weekdays")
	}
	d.weekend = window{days: cmp.Or(q.Weekend, Weekend), to: secondsPerDay}
	return d
}

// checkHorizon refuses stretches that are empty or longer than ten years.
func checkHorizon(from, to time.Time, p problems) {
	if !to.After(from) || to.After(from.UTC().AddDate(horizonYears, 0, 0)) {
		p.at("to").add(to.Format(time.RFC3339), "an instant after from, by ten years at most")
	}
}

// in returns the nights and weekends of a zone.
func (d *compiledDuty) in(z *zone) zoneDuty {
	out, ok := d.zones[z]
	if !ok {
		nights := &hours{zone: z, windows: []window{d.night}}
		weekends := &hours{zone: z, windows: []window{d.weekend}}
		out = zoneDuty{nights: nights.occurrences(d.span), night: nights.set(d.span), weekends: weekends.set(d.span)}
		d.zones[z] = out
	}
	return out
}

// zoneOf returns the zone in which nights and weekends of a person count: UTC
// for the last resort, who has none.
func (d *compiledDuty) zoneOf(who *person) *zone {
	switch {
	case d.zone != nil:
		return d.zone
	case who == nil:
		return utcZone
	}
	return who.hours.zone
}

var utcZone = &zone{loc: time.UTC, table: []stretch{{from: -forever, to: forever}}}

// stint is a stretch of time in which a person is on call in a schedule.
type stint struct {
	calendar.Interval
	schedule string
}

// stints returns who is on call in the schedules asked for, by person; those of
// one person are in order of schedule and start, and do not touch within one.
func (r *Router) stints(d *compiledDuty) map[string][]stint {
	out := map[string][]stint{}
	for _, name := range d.schedules {
		join := func(id string, shift Shift) {
			list := out[id]
			if last := len(list) - 1; last >= 0 && list[last].schedule == name && list[last].End.Equal(shift.Start) {
				list[last].End = shift.End
				return
			}
			out[id] = append(list, stint{calendar.Interval{Start: shift.Start, End: shift.End}, name})
		}
		r.schedules[name].sweep(d.span.Start, d.span.End, func(shift Shift) bool {
			if shift.User != "" {
				join(shift.User, shift)
			}
			for _, id := range shift.Also {
				join(id, shift)
			}
			return true
		})
	}
	return out
}

// merged returns when the person is on call in any schedule, as a set.
func merged(list []stint) []calendar.Interval {
	spans := make([]calendar.Interval, len(list))
	for i, s := range list {
		spans[i] = s.Interval
	}
	return normal(spans)
}

// normal is [calendar.Normalize] for intervals known to be valid: in order, and of
// ten years at most.
func normal(list []calendar.Interval) []calendar.Interval {
	set, _ := calendar.Normalize(list)
	return set
}

// away returns when a person, who may be the last resort, is absent within a
// span, as a set.
func (p *person) away(span calendar.Interval) []calendar.Interval {
	if p == nil {
		return nil
	}
	var spans []calendar.Interval
	for _, a := range p.absences {
		if cut, ok := (calendar.Interval{Start: a.From.UTC(), End: a.To.UTC()}).Clip(span); ok {
			spans = append(spans, cut)
		}
	}
	return normal(spans)
}

// inBoth returns how long two sets overlap.
func inBoth(a, b []calendar.Interval) time.Duration {
	return calendar.Total(calendar.Intersect(a, b))
}

// holds reports whether a set holds an instant.
func holds(set []calendar.Interval, at time.Time) bool {
	i, found := slices.BinarySearchFunc(set, at, func(s calendar.Interval, at time.Time) int { return s.Start.Compare(at) })
	return found || i > 0 && set[i-1].Contains(at)
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
