package escalation

import (
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Unreached is a time in which a step of a policy would tell nobody.
type Unreached struct {
	calendar.Interval
	Severity incident.Severity `json:"severity"`

	// Step counts from 1. 0 stands for all steps together: an incident whose
	// levels are due then falls back on the last resort.
	Step int `json:"step"`

	// Why is what was found at the start.
	Why []string `json:"why,omitempty"`
}

// Unreached returns when in [from, until) the steps of a matrix tell nobody, by what
// the roster knows today, for an incident that needs the given skill. It is meant
// for the tests of a roster, over the coming 90 days say: a policy that can reach
// nobody is found before the night in which it does not. The result is in order of
// severity, step and time.
//
// The last resort counts as nobody where it stands in for a level, as anybody
// where a target names it. Without a skill a level counts as somebody at every
// instant, since its ladder ends with the last resort. A step that waits does not
// make a policy one that tells nobody while somebody comes before the end.
//
// The error is that of [NewEngine] for the matrix. The cost is that of one routing
// per change of who is on call, at work or absent, for each severity; without levels
// only the schedules, people, centres and lines that the steps name are looked at.
func (r *Router) Unreached(m Matrix, domain string, from, until time.Time) ([]Unreached, error) {
	p := newProblems()
	b := m.compile(r, zones{}, p.at("matrix"))
	if err := p.err(); err != nil {
		return nil, err
	}
	var out []Unreached
	for _, s := range incident.Severities {
		if rungs := b.policies[s].rungs; len(rungs) > 0 {
			out = append(out, r.unreached(rungs[:len(b.matrix[s].Steps)], s, domain, from, until)...)
		}
	}
	return out, nil
}

func (r *Router) unreached(rungs []rung, s incident.Severity, domain string, from, to time.Time) []Unreached {
	found := make([][]Unreached, len(rungs)+1) // by step
	note := func(step int, span calendar.Interval, why []string) {
		list := found[step]
		if last := len(list) - 1; last >= 0 && list[last].End.Equal(span.Start) {
			list[last].End = span.End
			return
		}
		found[step] = append(list, Unreached{Interval: span, Severity: s, Step: step, Why: why})
	}
	var comes time.Time // the last instant at which a step that waits tells somebody
	walk(from, to, r.nextEdge(rungs, domain != ""), func(span calendar.Interval) {
		q := Request{At: span.Start, Severity: s, Domain: domain}
		empty := 0
		for i := range rungs {
			why, nobody := r.tellsNobody(&rungs[i], q)
			switch {
			case nobody:
				empty++
				note(i+1, span, why)
			case rungs[i].Wait:
				comes = span.Start
			}
		}
		if empty == len(rungs) {
			note(0, span, nil)
		}
	})
	found[0] = slices.DeleteFunc(found[0], func(u Unreached) bool { return u.Start.Before(comes) })
	return slices.Concat(found...)
}

func (r *Router) tellsNobody(g *rung, q Request) (why []string, ok bool) {
	if !g.open(q.At) {
		return []string{"outside its hours"}, true
	}
	for _, t := range g.Targets {
		if t.Level != 0 && q.Domain == "" {
			return nil, false
		}
		who := r.reach(t, q, 0, nil)
		if t.Level != 0 && who.level == 0 {
			who.people = nil // the last resort
		}
		if len(who.people) > 0 {
			return nil, false
		}
		why = append(why, who.why...)
	}
	return why, true
}

// nextEdge returns a function that finds the first instant after another at which
// the answer of a rung may change. Levels count if asked for: they may depend on
// everybody.
func (r *Router) nextEdge(rungs []rung, levels bool) func(int64) int64 {
	e := &influences{router: r, hours: map[*hours]bool{}, schedules: map[*Schedule]bool{}, people: map[string]bool{}}
	for i := range rungs {
		if h := rungs[i].hours; h != nil {
			e.hours[h] = true
		}
		for _, t := range rungs[i].Targets {
			if t.Level == 0 || levels {
				e.add(t)
			}
		}
	}
	return e.next()
}

// influences are what the answers of targets depend on.
type influences struct {
	router    *Router
	hours     map[*hours]bool
	schedules map[*Schedule]bool
	people    map[string]bool // whose absences count
	centres   bool
}

func (e *influences) add(t Target) {
	r := e.router
	switch {
	case t.Level != 0:
		e.centres = true
		for _, s := range r.schedules {
			e.schedules[s] = true
		}
		for _, who := range r.people {
			e.hours[who.hours], e.people[who.ID] = true, true
		}
	case t.Schedule != "" && r.schedules[t.Schedule] != nil:
		e.schedules[r.schedules[t.Schedule]] = true
		for _, who := range r.people { // its people and those of overrides
			e.people[who.ID] = true
		}
	case t.Centre != "":
		for _, who := range r.people {
			if who.where == r.centres.index(t.Centre) {
				e.hours[who.hours], e.people[who.ID] = true, true
			}
		}
	case t.Line != "" && r.line(t.Line) != nil:
		l := r.line(t.Line)
		if l.hours != nil {
			e.hours[l.hours] = true
		}
		for _, t := range slices.Concat(l.Pages, l.OffHours) {
			e.add(t)
		}
	default:
		for _, id := range r.members(t, time.Time{}) {
			e.people[id] = true
		}
	}
}

func (e *influences) next() func(int64) int64 {
	var fixed []int64 // starts and ends of absences
	for id := range e.people {
		if who := e.router.byID[id]; who != nil {
			for _, a := range who.absences {
				fixed = append(fixed, ceil(a.Start), ceil(a.End))
			}
		}
	}
	slices.Sort(fixed)
	every, schedules := slices.Collect(maps.Keys(e.hours)), slices.Collect(maps.Keys(e.schedules))
	var centres []centre
	if e.centres {
		centres = e.router.centres.list
	}
	return func(t int64) int64 {
		edge := int64(forever)
		if i, _ := slices.BinarySearch(fixed, t+1); i < len(fixed) {
			edge = fixed[i]
		}
		for _, h := range every {
			edge = min(edge, h.next(t))
		}
		for i := range centres {
			if o := &centres[i]; o.receiver >= 0 {
				edge = min(edge, o.nextPassing(t))
			} else {
				edge = min(edge, o.hours.next(t))
			}
		}
		for _, s := range schedules {
			edge = min(edge, s.nextEdge(t))
		}
		return edge
	}
}
