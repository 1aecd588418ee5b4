package coverage

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// DutyQuery asks about the on-call duty of people in [From, Until), at most ten
// years: for [FairnessOf], [StrainOf] and [Conflicts].
//
// Nights and weekends are those on the clock of the person: an engineer in
// Singapore who is on call for a schedule of Amsterdam has night when it is night
// in Singapore. With Zone they are those of one zone for everybody.
type DutyQuery struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"to"`

	// Schedules are names of schedules of the roster. Defaults to all.
	Schedules []string `json:"schedules,omitempty"`

	// Zone is the IANA name of the zone in which nights and weekends are counted.
	// Defaults to the own zone of each person.
	Zone string `json:"timezone,omitempty"`

	// Night is the window that counts as night. Defaults to 22:00 to 06:00, which
	// holds the seven hours around midnight to 05:00 that Article 2 of Directive
	// 2003/88/EC asks for at least.
	Night escalation.Window `json:"night,omitzero"`

	// Weekend are the local days that count as weekend. Defaults to Saturday and
	// Sunday.
	Weekend escalation.DaySet `json:"weekend,omitzero"`
}

// duty is a query after its checks.
type duty struct {
	router    *escalation.Router
	team      team
	span      calendar.Interval
	schedules []string
	zone      string // empty: of the person
	night     escalation.Window
	weekend   escalation.Window
	zones     map[string]zoneDuty
}

// zoneDuty are the nights and weekends of a zone in the span.
type zoneDuty struct {
	nights   []escalation.Occurrence
	night    []calendar.Interval // a set
	weekends []calendar.Interval // a set
}

// compile returns a usable value only where it adds no problem.
func (q DutyQuery) compile(r *escalation.Router, p problem.List) *duty {
	d := &duty{
		router: r, team: teamOf(r), span: calendar.Interval{Start: q.From.UTC(), End: q.Until.UTC()}, schedules: q.Schedules, zone: q.Zone,
		night: q.Night, weekend: escalation.Window{Days: cmp.Or(q.Weekend, escalation.Weekend), From: "00:00", To: "24:00"}, zones: map[string]zoneDuty{},
	}
	checkHorizon(q.From, q.Until, p)
	for i, name := range q.Schedules {
		if r.Schedule(name) == nil || slices.Contains(q.Schedules[:i], name) {
			p.At("schedules[%d]", i).Add(name, "the name of a schedule of the roster, once")
		}
	}
	if len(q.Schedules) == 0 {
		d.schedules = r.Schedules()
	}
	if q.Zone != "" {
		_, err := escalation.NewHours(q.Zone, nil)
		p.Join(err)
	}
	if q.Night.From == "" && q.Night.To == "" {
		d.night.From, d.night.To = "22:00", "06:00"
	}
	p.At("night").Join(d.night.Validate())
	if q.Weekend > escalation.EveryDay {
		p.At("weekend").Add(strconv.Itoa(int(q.Weekend)), "a set of weekdays")
	}
	return d
}

// checkHorizon refuses stretches that are empty or longer than ten years.
func checkHorizon(from, to time.Time, p problem.List) {
	if !to.After(from) || to.After(from.UTC().AddDate(horizonYears, 0, 0)) {
		p.At("to").Add(to.Format(time.RFC3339), "an instant after from, by ten years at most")
	}
}

// in returns the nights and weekends of a zone.
func (d *duty) in(zone string) zoneDuty {
	out, ok := d.zones[zone]
	if !ok {
		nights, weekends := hoursIn(zone, d.night), hoursIn(zone, d.weekend)
		out = zoneDuty{
			nights: nights.Occurrences(d.span.Start, d.span.End), night: nights.Expand(d.span.Start, d.span.End),
			weekends: weekends.Expand(d.span.Start, d.span.End),
		}
		d.zones[zone] = out
	}
	return out
}

// hoursIn is [escalation.NewHours] for a window and a zone that were checked.
func hoursIn(zone string, w escalation.Window) *escalation.Hours {
	h, _ := escalation.NewHours(zone, []escalation.Window{w})
	return h
}

// zoneOf returns the zone in which nights and weekends of a person count: UTC
// for the last resort, who has none.
func (d *duty) zoneOf(id string) string {
	if d.zone != "" {
		return d.zone
	}
	if who := d.team.find(id); who != nil {
		return who.hours.Location().String()
	}
	return "UTC"
}

// stint is a stretch of time in which a person is on call in a schedule.
type stint struct {
	calendar.Interval
	schedule string
}

// stints returns who is on call in the schedules asked for, by person; those of
// one person are in order of schedule and start, and do not touch within one.
func (d *duty) stints() map[string][]stint {
	out := map[string][]stint{}
	for _, name := range d.schedules {
		join := func(id string, shift escalation.Shift) {
			list := out[id]
			if last := len(list) - 1; last >= 0 && list[last].schedule == name && list[last].End.Equal(shift.Start) {
				list[last].End = shift.End
				return
			}
			out[id] = append(list, stint{calendar.Interval{Start: shift.Start, End: shift.End}, name})
		}
		for _, shift := range d.router.Schedule(name).Shifts(d.span.Start, d.span.End) {
			if shift.User != "" {
				join(shift.User, shift)
			}
			for _, id := range shift.Also {
				join(id, shift)
			}
		}
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
