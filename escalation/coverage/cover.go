package coverage

import (
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Demand asks for people who know a technology and are on duty at every instant of a
// stretch of time, such as a key date.
type Demand struct {
	Ref    string            `json:"ref,omitempty"` // what asks, for the reader
	Domain string            `json:"technology_domain"`
	People int               `json:"people"` // 1 or more
	Window calendar.Interval `json:"window"` // half-open, at most ten years
}

// CoverQuery says who counts as on duty. A person is while within working hours or on
// call, and not absent. Who would step in for somebody absent counts only where a
// schedule says so.
type CoverQuery struct {
	// Schedules are names of schedules of the roster. Defaults to all.
	Schedules []string `json:"schedules,omitempty"`

	// OnCallOnly leaves out people who are merely at work.
	OnCallOnly bool `json:"on_call_only,omitempty"`

	// PrimaryOnly leaves out people for whom the domain is a secondary skill, and
	// Level those below it. Management never counts.
	PrimaryOnly bool             `json:"primary_only,omitempty"`
	Level       escalation.Level `json:"level,omitzero"`
}

// Cover is the answer to a demand.
type Cover struct {
	Demand

	Least int `json:"least"` // the least number of people at any instant

	// OnDuty is who is there, over the whole window in order; neighbours differ.
	OnDuty []OnDuty `json:"on_duty"`
}

// OnDuty is a stretch of time with the same people on duty.
type OnDuty struct {
	calendar.Interval

	People []string `json:"people"` // by id
}

// Met reports whether there are people enough at every instant.
func (c Cover) Met() bool { return c.Least >= c.People }

// Short returns the stretches with too few people, with those who are there.
func (c Cover) Short() []OnDuty {
	return slices.DeleteFunc(slices.Clone(c.OnDuty), func(d OnDuty) bool { return len(d.People) >= c.People })
}

// CoverOf answers demands, in their order. The error joins [*escalation.ConfigError]s:
// schedules and domains that the roster does not have, windows and numbers that are
// none. The cost is that of the shifts and working hours in the windows.
func CoverOf(r *escalation.Router, q CoverQuery, demands []Demand) ([]Cover, error) {
	p := problem.New()
	q.check(r, p)
	for i, d := range demands {
		d.check(r, p.At("demands[%d]", i))
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	out := make([]Cover, len(demands))
	for i, d := range demands {
		out[i] = q.cover(r, d)
	}
	return out, nil
}

// LeastOnDuty returns the least number of people who know a domain and are on duty
// during a stretch of time, as a function for the key dates of package
// incident/continuity. known is false for a domain that the roster does not have and
// for a stretch that is empty or longer than ten years. The error joins
// [*escalation.ConfigError]s.
func LeastOnDuty(r *escalation.Router, q CoverQuery) (least func(domain string, during calendar.Interval) (people int, known bool), err error) {
	p := problem.New()
	q.check(r, p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return func(domain string, during calendar.Interval) (int, bool) {
		p, d := problem.New(), Demand{Domain: domain, People: 1, Window: during}
		if d.check(r, p); p.Err() != nil {
			return 0, false
		}
		return q.cover(r, d).Least, true
	}, nil
}

func (q CoverQuery) check(r *escalation.Router, p problem.List) {
	for i, name := range q.Schedules {
		if r.Schedule(name) == nil || slices.Contains(q.Schedules[:i], name) {
			p.At("schedules[%d]", i).Add(name, "the name of a schedule of the roster, once")
		}
	}
	if q.Level >= escalation.Management {
		p.At("level").Add(q.Level.String(), "junior, senior or principal")
	}
}

func (d Demand) check(r *escalation.Router, p problem.List) {
	domains := KnowledgeQuery{}.complete(r.Roster()).Domains
	if !slices.Contains(domains, d.Domain) {
		p.At("technology_domain").Add(d.Domain, "a technology domain of the roster")
	}
	if d.People < 1 {
		p.At("people").Add(strconv.Itoa(d.People), "1 or more")
	}
	if d.Window.Start.IsZero() {
		p.At("window").Add(d.Window.String(), "a start and an end")
		return
	}
	checkHorizon(d.Window.Start, d.Window.End, p.At("window"))
}

// cover answers a demand that was checked.
func (q CoverQuery) cover(r *escalation.Router, d Demand) Cover {
	window := calendar.Interval{Start: d.Window.Start.UTC(), End: d.Window.End.UTC()}
	on := &duty{router: r, span: window, schedules: q.Schedules}
	if len(q.Schedules) == 0 {
		on.schedules = r.Schedules()
	}
	stints := on.stints()
	edges := []time.Time{window.Start, window.End}
	there := map[string][]calendar.Interval{}
	people := teamOf(r).knowers(d.Domain, KnowledgeQuery{PrimaryOnly: q.PrimaryOnly, Level: q.Level})
	for _, who := range people {
		spans := merged(stints[who.ID])
		if !q.OnCallOnly {
			spans = normal(slices.Concat(spans, calendar.Clip(who.hours.Expand(window.Start, window.End), window)))
		}
		there[who.ID] = calendar.Subtract(spans, who.away(window))
		for _, s := range there[who.ID] {
			edges = append(edges, s.Start, s.End)
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	edges = slices.CompactFunc(edges, time.Time.Equal)
	out := Cover{Demand: d, Least: len(people)}
	for i, from := range edges[:len(edges)-1] {
		now := OnDuty{Interval: calendar.Interval{Start: from, End: edges[i+1]}, People: []string{}}
		for _, who := range people {
			if holds(there[who.ID], from) {
				now.People = append(now.People, who.ID)
			}
		}
		out.Least = min(out.Least, len(now.People))
		if last := len(out.OnDuty) - 1; last >= 0 && slices.Equal(out.OnDuty[last].People, now.People) {
			out.OnDuty[last].End = now.End
			continue
		}
		out.OnDuty = append(out.OnDuty, now)
	}
	return out
}
