package escalation

import (
	"slices"
	"time"
)

// Plan describes who is on call, as data; [NewSchedule] checks and compiles it.
type Plan struct {
	// Layers are in order of priority: the first that is active and has a
	// person decides.
	Layers []Layer `json:"layers"`

	// Overrides are in the order in which they were made: the last that matches
	// decides.
	Overrides []Override `json:"overrides,omitempty"`
}

// Layer is a rotation with the hours in which it counts.
type Layer struct {
	// Name is unique in the plan and appears as source "layer:name".
	Name     string   `json:"name"`
	Rotation Rotation `json:"rotation"`

	// Windows are in the zone of the rotation. Defaults to all hours.
	Windows []Window `json:"windows,omitempty"`
}

// OnCall is who is on call at some instant, and why.
type OnCall struct {
	// User is the id of the person, or empty where nobody is on call.
	User string `json:"user"`

	// Source is "layer:" or "override:" with the name or id of what decided,
	// also where that leaves nobody: an active layer before the start of its
	// rotation, an override that removes. It is empty where no layer is active.
	Source string `json:"source"`

	// Also holds the people whom overrides add, in the order of the overrides.
	// Where nobody else is on call, the first of them is User instead.
	Also []string `json:"also,omitempty"`
}

func (o OnCall) equal(p OnCall) bool {
	return o.User == p.User && o.Source == p.Source && slices.Equal(o.Also, p.Also)
}

// Schedule is a plan after its checks. It is immutable and safe for concurrent
// use; each answer is computed from the rules and the instant alone.
type Schedule struct {
	layers    []layer
	overrides overrides
}

type layer struct {
	source string
	turns  *Turns
	hours  *hours // nil: all hours
}

// NewSchedule checks a plan. The problems are joined [*ConfigError]s.
func NewSchedule(plan Plan) (*Schedule, error) {
	p := newProblems()
	s := compilePlan(plan, zones{}, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// compilePlan returns a usable value only where it adds no problem.
func compilePlan(plan Plan, zs zones, p problems) *Schedule {
	s := &Schedule{layers: make([]layer, len(plan.Layers))}
	seen := map[string]bool{}
	if len(plan.Layers) == 0 {
		p.at("layers").add("", "at least one layer")
	}
	for i, l := range plan.Layers {
		q := p.at("layers[%d]", i)
		if l.Name == "" || seen[l.Name] {
			q.at("name").add(l.Name, "a name of its own")
		}
		seen[l.Name] = true
		s.layers[i] = layer{source: "layer:" + l.Name, turns: l.Rotation.compile(zs, q.at("rotation"))}
		if len(l.Windows) > 0 {
			z, _ := zs.load(l.Rotation.Zone) // a bad name is reported by the rotation
			s.layers[i].hours = compileWindows(l.Windows, z, q.at("windows"))
		}
	}
	s.overrides = compileOverrides(plan.Overrides, p.at("overrides"))
	return s
}

func (l *layer) open(t int64) bool { return l.hours == nil || l.hours.open(t) }

func (l *layer) user(t int64) string { return l.turns.user(l.turns.index(t)) }

// WhoAt returns who is on call at an instant. It allocates only while an
// override adds a person.
func (s *Schedule) WhoAt(at time.Time) OnCall {
	t := at.Unix()
	var base OnCall
	for i := range s.layers {
		l := &s.layers[i]
		if !l.open(t) {
			continue
		}
		if base.add(l.source, l.user(t)) {
			break
		}
	}
	return s.overrides.apply(base, at)
}

// add takes the answer of an active layer and reports whether it decides. Of
// several active layers without a person the first is named.
func (o *OnCall) add(source, user string) bool {
	if user != "" || o.Source == "" {
		o.User, o.Source = user, source
	}
	return user != ""
}

// Lineup returns the people on call at an instant in the order in which they
// are to be tried: the person [Schedule.WhoAt] gives, those whom overrides add,
// then the people of the active layers below. Nobody occurs twice.
func (s *Schedule) Lineup(at time.Time) []OnCall {
	first := s.WhoAt(at)
	var line []OnCall
	join := func(source, user string) {
		if user != "" && !slices.ContainsFunc(line, func(o OnCall) bool { return o.User == user }) {
			line = append(line, OnCall{User: user, Source: source})
		}
	}
	join(first.Source, first.User)
	for _, user := range first.Also {
		join(s.overrides.sourceOf(user, at), user)
	}
	replaced := s.overrides.active(at, s.layerUser(at))
	t, top := at.Unix(), true
	for i := range s.layers {
		l := &s.layers[i]
		if !l.open(t) {
			continue
		}
		user := l.user(t)
		if user != "" && top && replaced != nil {
			top = false // an override stands for this person
			continue
		}
		top = top && user == ""
		join(l.source, user)
	}
	return line
}

func (s *Schedule) layerUser(at time.Time) string {
	t := at.Unix()
	for i := range s.layers {
		if l := &s.layers[i]; l.open(t) {
			if user := l.user(t); user != "" {
				return user
			}
		}
	}
	return ""
}
