package escalation

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Target is whom a step of a policy tells. Exactly one field is set.
type Target struct {
	// Level is the first candidate for the incident at least that senior whom
	// nobody has paged in this round: Senior, Principal or Management. Where there
	// is none it goes up at once, to the managers and at last to the last resort.
	// Along the steps of a policy it must not fall.
	Level Level `json:"level,omitzero"`

	// Engineer is a person of the roster, or its last resort.
	Engineer string `json:"engineer,omitempty"`

	// Schedule is who is on call by that schedule of the roster, with those whom
	// overrides add; if all of them are absent, the first below who is not.
	Schedule string `json:"schedule,omitempty"`

	// Team is everybody in a team of the roster, whatever their hours.
	Team string `json:"team,omitempty"`

	// Centre is everybody on shift in an operations centre, managers apart.
	Centre string `json:"centre,omitempty"`

	// Line is whom a support line pages at the instant, see [Router.WithLines]. One
	// that takes only severe incidents off hours reaches nobody for others then.
	Line string `json:"line,omitempty"`

	// Webhook is something outside the roster. The page carries the text as its
	// target, with "webhook:" before it.
	Webhook string `json:"webhook,omitempty"`
}

// webhookPrefix begins the target of a page that goes to no person.
const webhookPrefix = "webhook:"

// String returns the target as people write it, such as "schedule night".
func (t Target) String() string {
	if t.Level != 0 {
		return t.Level.String() + " or above"
	}
	for _, f := range t.texts() {
		if f.id != "" {
			return f.kind + " " + f.id
		}
	}
	return "nobody"
}

type targetText struct{ kind, id string }

func (t Target) texts() [6]targetText {
	return [...]targetText{
		{"engineer", t.Engineer}, {"schedule", t.Schedule}, {"team", t.Team}, {"centre", t.Centre}, {"line", t.Line}, {"webhook", t.Webhook},
	}
}

// check reports the problems of a target that follows one with a least level, and
// returns the least level for those that follow. Without a router nothing is
// looked up.
func (t Target) check(level Level, r *Router, p problems) Level {
	set := 0
	if t.Level != 0 {
		set++
		if t.Level < max(Senior, level) || t.Level > Management {
			p.at("level").add(t.Level.String(), "senior, principal or management, and not below the step before")
		}
		level = max(level, t.Level)
	}
	for _, f := range t.texts() {
		if f.id == "" {
			continue
		}
		set++
		if r != nil && !r.has(f) {
			p.at("%s", f.kind).add(f.id, r.known(f.kind))
		}
	}
	if set != 1 {
		p.add(t.String(), "exactly one of level, engineer, schedule, team, centre, line and webhook")
	}
	return level
}

func (r *Router) has(f targetText) bool {
	switch f.kind {
	case "engineer":
		return r.byID[f.id] != nil || f.id == r.lastResort.ID
	case "schedule":
		return r.schedules[f.id] != nil
	case "team":
		return len(r.teams[f.id]) > 0
	case "centre":
		return r.centres.index(f.id) >= 0
	case "line":
		return slices.Contains(r.linesThatPage(), f.id)
	}
	return true
}

func (r *Router) known(kind string) string {
	var ids []string
	switch kind {
	case "engineer":
		return "an engineer of the roster, or the last resort"
	case "schedule":
		ids = r.Schedules()
	case "team":
		ids = slices.Sorted(maps.Keys(r.teams))
	case "line":
		ids = r.linesThatPage()
	default:
		for i := range r.centres.list {
			ids = append(ids, r.centres.list[i].ID)
		}
	}
	if len(ids) == 0 {
		return "none: the roster has no " + kind
	}
	return "one of " + strings.Join(ids, ", ")
}

// reached is who a target stands for at an instant.
type reached struct {
	people []string
	level  Level // the highest of them that climbs the ladder
	why    []string
}

// reach finds the people of a target. A level counts those paged in the round
// before; the others do not. Whoever is absent is left out, and said to be.
func (r *Router) reach(t Target, q Request, least Level, paged []string) reached {
	var out reached
	switch {
	case t.Level != 0:
		next := r.up(q, max(t.Level, least), paged)
		return reached{people: []string{next.target}, level: next.level, why: next.why}
	case t.Webhook != "":
		return reached{people: []string{webhookPrefix + t.Webhook}, why: []string{t.String()}}
	case t.Line != "":
		if l := r.line(t.Line); l != nil {
			return r.reachLine(l, q)
		}
	case t.Schedule != "":
		s := r.schedules[t.Schedule]
		if s == nil {
			break
		}
		out.people = r.onCallBy(s, q.At)
		switch who := s.WhoAt(q.At); {
		case who.User != "" && len(out.people) == 0:
			out.why = append(out.why, who.User+" is on call and absent")
		case who.StandsFor != "":
			out.why = append(out.why, who.User+" stands in for "+who.StandsFor+" who is absent")
		}
	default:
		for _, id := range r.members(t, q.At) {
			if r.reachable(id, q.At) {
				out.people = append(out.people, id)
			} else {
				out.why = append(out.why, id+" is absent")
			}
		}
	}
	if len(out.people) == 0 {
		return reached{why: append(out.why, t.String()+": nobody")}
	}
	for _, id := range out.people {
		if who := r.byID[id]; who != nil && who.Level < Management {
			out.level = max(out.level, who.Level)
		}
	}
	out.why = append([]string{t.String()}, out.why...)
	return out
}

func (r *Router) members(t Target, at time.Time) []string {
	switch {
	case t.Engineer != "":
		return []string{t.Engineer}
	case t.Team != "":
		return r.teams[t.Team]
	}
	var ids []string
	centre := r.centres.index(t.Centre)
	for _, who := range r.people {
		if centre >= 0 && who.where == centre && who.Level < Management && who.inHours(at) {
			ids = append(ids, who.ID)
		}
	}
	return ids
}

// nextChance returns the first instant after another at which a level that
// reaches nobody may reach somebody.
func (r *Router) nextChance(g *rung, at time.Time) (time.Time, bool) {
	one := []rung{*g}
	if next := r.nextEdge(one, true)(seconds(at)); next < forever {
		return utc(next), true
	}
	return time.Time{}, false
}
