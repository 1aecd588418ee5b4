package escalation

import (
	"iter"
	"slices"
	"time"
)

// Plan describes who is on call, as data; [NewSchedule] checks and compiles it.
type Plan struct {
	// Layers are in order of priority: the first that is active and has a
	// person decides.
	Layers []Layer `json:"layers"`

	// Together puts the people of all active layers on call at once instead.
	Together bool `json:"together,omitzero"`

	// Replacements stand for the layers while they last. Two must not overlap.
	Replacements []Replacement `json:"replacements,omitempty"`

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

	// Holidays are local dates like "2026-12-25" on which no window begins; they
	// need windows.
	Holidays []string `json:"holidays,omitempty"`

	// ActiveOnly counts turns only that overlap a window, by the wall clock, so
	// that weekends and holidays use up nobody's turn. It is for rotations of
	// days, weeks and wall hours, and needs windows.
	ActiveOnly bool `json:"active_turns_only,omitzero"`
}

// Replacement is a temporary schedule, such as for the days around a holiday. Its
// layers are to have names of their own. Overrides apply to it as well.
type Replacement struct {
	ID     string    `json:"id"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"` // the replacement counts in [From, To)
	Layers []Layer   `json:"layers,omitempty"`

	// Fallback is on call where the layers leave nobody, with the source
	// "replacement:id"; optional.
	Fallback string `json:"fallback,omitempty"`
}

// OnCall is who is on call at some instant, and why.
type OnCall struct {
	// User is the id of the person, or empty where nobody is on call.
	User string `json:"user"`

	// Source is "layer:", "replacement:" or "override:" with the name or id of what decided,
	// also where that leaves nobody: an active layer before the start of its
	// rotation, an override that removes. It is empty where no layer is active.
	Source string `json:"source"`

	// Also holds the people of the further layers where they are on call together,
	// then those whom overrides add, in the order of the overrides. Where nobody
	// else is on call, the first of them is User instead.
	Also []string `json:"also,omitempty"`
}

func (o OnCall) equal(p OnCall) bool {
	return o.User == p.User && o.Source == p.Source && slices.Equal(o.Also, p.Also)
}

// Schedule is a plan after its checks. It is immutable and safe for concurrent
// use; each answer is computed from the rules and the instant alone.
type Schedule struct {
	layers       stack
	replacements []replacement // by start
	together     bool
	overrides    overrides
}

// stack is layers in order of priority.
type stack struct {
	layers           []layer
	fallback, source string
}

type replacement struct {
	stack
	from, to time.Time
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
	s := &Schedule{together: plan.Together}
	seen := map[string]bool{}
	if len(plan.Layers) == 0 {
		p.at("layers").add("", "at least one layer")
	}
	s.layers.layers = compileLayers(plan.Layers, seen, zs, p)
	ids := map[string]bool{}
	for i, data := range plan.Replacements {
		q := p.at("replacements[%d]", i)
		if data.ID == "" || ids[data.ID] {
			q.at("id").add(data.ID, "an id of its own")
		}
		ids[data.ID] = true
		if len(data.Layers) == 0 && data.Fallback == "" {
			q.at("layers").add("", "at least one layer, or a fallback")
		}
		s.replace(data, compileLayers(data.Layers, seen, zs, q), q)
	}
	s.overrides = compileOverrides(plan.Overrides, p.at("overrides"))
	return s
}

func (s *Schedule) replace(data Replacement, layers []layer, p problems) {
	if !data.To.After(data.From) {
		p.at("to").add(data.To.Format(time.RFC3339), "an instant after from")
		return
	}
	at, _ := slices.BinarySearchFunc(s.replacements, data.From, func(r replacement, from time.Time) int { return r.from.Compare(from) })
	if at > 0 && s.replacements[at-1].to.After(data.From) || at < len(s.replacements) && data.To.After(s.replacements[at].from) {
		p.at("from").add(data.From.Format(time.RFC3339), "a time in which no other replacement counts")
		return
	}
	s.replacements = slices.Insert(s.replacements, at, replacement{
		stack: stack{layers: layers, fallback: data.Fallback, source: "replacement:" + data.ID}, from: data.From.UTC(), to: data.To.UTC(),
	})
}

func compileLayers(list []Layer, seen map[string]bool, zs zones, p problems) []layer {
	out := make([]layer, len(list))
	for i, data := range list {
		q := p.at("layers[%d]", i)
		if data.Name == "" || seen[data.Name] {
			q.at("name").add(data.Name, "a name of its own")
		}
		seen[data.Name] = true
		out[i] = data.compile(zs, q)
	}
	return out
}

func (data Layer) compile(zs zones, p problems) layer {
	l := layer{source: "layer:" + data.Name, turns: data.Rotation.compile(zs, p.at("rotation"))}
	if len(data.Windows) == 0 {
		if len(data.Holidays) > 0 || data.ActiveOnly {
			p.at("windows").add("", "at least one: holidays and active_turns_only go by them")
		}
		return l
	}
	windows := slices.Clone(data.Windows)
	holidays := data.holidays(p)
	for i := range windows {
		windows[i].Except = append(slices.Clone(windows[i].Except), holidays...)
	}
	z, _ := zs.load(data.Rotation.Zone) // a bad name is reported by the rotation
	l.hours = compileWindows(windows, z, p.at("windows"))
	switch unit := data.Rotation.Unit; {
	case !data.ActiveOnly:
	case unit == Months || unit == ElapsedHours:
		p.at("active_turns_only").add("true", "false, or a rotation in days, weeks or wall_hours")
	case l.turns != nil && z != nil:
		l.turns.onlyActive(l.hours)
		l.turns.setLists(data.Rotation)
	}
	return l
}

// holidays returns those that are dates.
func (data Layer) holidays(p problems) []string {
	var dates []string
	for i, text := range data.Holidays {
		before := len(*p.list)
		if parseDate(text, p.at("holidays[%d]", i)); len(*p.list) == before {
			dates = append(dates, text)
		}
	}
	return dates
}

func (l *layer) open(t int64) bool { return l.hours == nil || l.hours.open(t) }

// stackAt returns the layers that count at an instant, and until when; the zero
// time stands for always.
func (s *Schedule) stackAt(at time.Time) (*stack, time.Time) {
	for i := range s.replacements {
		r := &s.replacements[i]
		if at.Before(r.from) {
			return &s.layers, r.from
		}
		if at.Before(r.to) {
			return &r.stack, r.to
		}
	}
	return &s.layers, time.Time{}
}

// WhoAt returns who is on call at an instant. It allocates only while several
// people are.
func (s *Schedule) WhoAt(at time.Time) OnCall {
	t := seconds(at)
	var base OnCall
	k := &s.layers
	if len(s.replacements) > 0 {
		k, _ = s.stackAt(at)
	}
	for i := range k.layers {
		l := &k.layers[i]
		if l.open(t) && base.add(l.source, l.turns.user(t), s.together) {
			break
		}
	}
	k.fallBack(&base)
	return s.overrides.apply(base, at)
}

// add takes the answer of an active layer and reports whether it decides. Of
// several active layers without a person the first is named.
func (o *OnCall) add(source, user string, together bool) bool {
	switch {
	case user == "":
		if o.Source == "" {
			o.Source = source
		}
		return false
	case o.User == "":
		o.User, o.Source = user, source
	case user != o.User && !slices.Contains(o.Also, user):
		o.Also = append(o.Also, user)
	}
	return !together
}

func (k *stack) fallBack(o *OnCall) {
	if o.User == "" && k.fallback != "" {
		o.User, o.Source = k.fallback, k.source
	}
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
		join(s.sourceOf(user, at), user)
	}
	layerUser := s.layerUser(at)
	replaced := s.overrides.active(at, layerUser)
	t := seconds(at)
	k, _ := s.stackAt(at)
	for i := range k.layers {
		l := &k.layers[i]
		if !l.open(t) {
			continue
		}
		user := l.turns.user(t)
		if replaced != nil && user == layerUser {
			continue // an override stands for this person
		}
		join(l.source, user)
	}
	return line
}

// sourceOf names the layer or the override that puts a further person on call.
func (s *Schedule) sourceOf(user string, at time.Time) string {
	k, _ := s.stackAt(at)
	for i := range k.layers {
		if l := &k.layers[i]; s.together && l.open(seconds(at)) && l.turns.user(seconds(at)) == user {
			return l.source
		}
	}
	return s.overrides.sourceOf(user, at)
}

func (s *Schedule) layerUser(at time.Time) string {
	t := seconds(at)
	k, _ := s.stackAt(at)
	for i := range k.layers {
		if l := &k.layers[i]; l.open(t) {
			if user := l.turns.user(t); user != "" {
				return user
			}
		}
	}
	return k.fallback
}

// all returns the layers, those of replacements too.
func (s *Schedule) all() iter.Seq[*layer] {
	return func(yield func(*layer) bool) {
		for i := range s.layers.layers {
			if !yield(&s.layers.layers[i]) {
				return
			}
		}
		for i := range s.replacements {
			for n := range s.replacements[i].layers {
				if !yield(&s.replacements[i].layers[n]) {
					return
				}
			}
		}
	}
}

// nextEdge returns the first instant after t at which something may change, also
// below the layer that decides.
func (s *Schedule) nextEdge(t int64) int64 {
	edge := int64(forever)
	k, until := s.stackAt(utc(t))
	if !until.IsZero() {
		edge = ceil(until)
	}
	for i := range k.layers {
		l := &k.layers[i]
		edge = min(edge, l.turns.next(t))
		if l.hours != nil {
			edge = min(edge, l.hours.next(t))
		}
	}
	if next, ok := s.overrides.next(utc(t)); ok {
		edge = min(edge, ceil(next))
	}
	return edge
}
