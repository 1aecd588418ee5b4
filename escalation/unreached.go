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

// Unreached returns when in [from, to) the steps of a matrix tell nobody, by what
// the roster knows today, for an incident that needs the given skill. It is meant
// for the tests of a roster, over the coming 90 days say: a policy that can reach
// nobody is found before the night in which it does not. The result is in order of
// severity, step and time.
//
// The last resort counts as nobody where it stands in for a level, as anybody
// where a target names it. The error is that of [NewEngine] for the matrix. The
// cost is that of one routing per change of who is on call, at work or absent.
func (r *Router) Unreached(m Matrix, domain string, from, to time.Time) ([]Unreached, error) {
	p := newProblems()
	b := m.compile(r, zones{}, p.at("matrix"))
	if err := p.err(); err != nil {
		return nil, err
	}
	var out []Unreached
	for _, s := range incident.Severities {
		if rungs := b.policies[s].rungs; len(rungs) > 0 {
			out = append(out, r.unreached(rungs[:len(b.matrix[s].Steps)], s, domain, from, to)...)
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
	walk(from, to, r.nextEdge(rungs), func(span calendar.Interval) {
		q := Request{At: span.Start, Severity: s, Domain: domain}
		empty := 0
		for i := range rungs {
			if why, ok := r.tellsNobody(&rungs[i], q); ok {
				empty++
				note(i+1, span, why)
			}
		}
		if empty == len(rungs) {
			note(0, span, nil)
		}
	})
	return slices.Concat(found...)
}

func (r *Router) tellsNobody(g *rung, q Request) (why []string, ok bool) {
	if !g.open(q.At) {
		return []string{"outside its hours"}, true
	}
	for _, t := range g.Targets {
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
// the answer of a rung may change.
func (r *Router) nextEdge(rungs []rung) func(int64) int64 {
	var fixed []int64 // starts and ends of absences
	for _, who := range r.people {
		for _, a := range who.absences {
			fixed = append(fixed, ceil(a.From), ceil(a.To))
		}
	}
	slices.Sort(fixed)
	windows := map[*hours]bool{}
	for i := range rungs {
		if h := rungs[i].hours; h != nil {
			windows[h] = true
		}
	}
	for _, who := range r.people {
		windows[who.hours] = true
	}
	every := slices.Collect(maps.Keys(windows))
	schedules := slices.Collect(maps.Values(r.schedules))
	return func(t int64) int64 {
		edge := int64(forever)
		if i, _ := slices.BinarySearch(fixed, t+1); i < len(fixed) {
			edge = fixed[i]
		}
		for _, h := range every {
			edge = min(edge, h.next(t))
		}
		for i := range r.centres.list {
			if o := &r.centres.list[i]; o.receiver >= 0 {
				edge = min(edge, o.nextHandoff(t))
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
