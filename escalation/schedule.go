package escalation

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"
)

// Plan describes who is on call, as data; [NewSchedule] checks and compiles it.
type Plan struct {
	// Layers are in order of priority: the first that is active and has a
	// person decides.
	Layers []Layer `json:"layers"`

	// Together puts the people of all active layers on call at once instead.
	Together bool `json:"together,omitzero"`

	// WhenAbsent is what becomes of the turn of somebody who is absent. Defaults to
	// StayOnCall.
	WhenAbsent AbsenceRule `json:"when_absent,omitzero"`

	// Absences are looked at with NextInRotation, besides those of the roster to
	// which the schedule belongs; optional.
	Absences []Absence `json:"absences,omitempty"`

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
	Start  time.Time `json:"from"`
	End    time.Time `json:"to"` // the replacement counts in [Start, End)
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

	// StandsFor is the absent person whose turn User has, see [NextInRotation].
	StandsFor string `json:"stands_for,omitempty"`
}

// Has reports whether a person is on call.
func (o OnCall) Has(user string) bool {
	return user != "" && (o.User == user || slices.Contains(o.Also, user))
}

// People returns everybody on call, the first first.
func (o OnCall) People() []string {
	if o.User == "" {
		return nil
	}
	return append([]string{o.User}, o.Also...)
}

// Why says who is on call and by what, as in "bob by layer:night, for ann who is
// absent".
func (o OnCall) Why() string {
	text := orNobody(strings.Join(o.People(), " and "))
	if o.Source != "" {
		text += " by " + o.Source
	}
	if o.StandsFor != "" {
		text += ", for " + o.StandsFor + " who is absent"
	}
	return text
}

func (o OnCall) equal(p OnCall) bool {
	return o.User == p.User && o.Source == p.Source && o.StandsFor == p.StandsFor && slices.Equal(o.Also, p.Also)
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
	away   awayTimes
}

// NewSchedule checks a plan. The problems are joined [*ConfigError]s.
func NewSchedule(plan Plan) (*Schedule, error) {
	p := newProblems()
	s := compilePlan(plan, nil, zones{}, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// compilePlan returns a usable value only where it adds no problem. The roster may
// be nil.
func compilePlan(plan Plan, roster *Router, zs zones, p problems) *Schedule {
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
	if plan.checkAbsences(p); plan.WhenAbsent == NextInRotation && p.err() == nil {
		s.standIn(plan.Absences, roster)
	}
	return s
}

func (s *Schedule) replace(data Replacement, layers []layer, p problems) {
	if !data.End.After(data.Start) {
		p.at("to").add(data.End.Format(time.RFC3339), "an instant after from")
		return
	}
	at, _ := slices.BinarySearchFunc(s.replacements, data.Start, func(r replacement, from time.Time) int { return r.from.Compare(from) })
	if at > 0 && s.replacements[at-1].to.After(data.Start) || at < len(s.replacements) && data.End.After(s.replacements[at].from) {
		p.at("from").add(data.Start.Format(time.RFC3339), "a time in which no other replacement counts")
		return
	}
	s.replacements = slices.Insert(s.replacements, at, replacement{
		stack: stack{layers: layers, fallback: data.Fallback, source: "replacement:" + data.ID}, from: data.Start.UTC(), to: data.End.UTC(),
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
	i, found := slices.BinarySearchFunc(s.replacements, at, func(r replacement, at time.Time) int { return r.from.Compare(at) })
	if !found {
		i-- // the last that has begun
	}
	switch {
	case i >= 0 && at.Before(s.replacements[i].to):
		return &s.replacements[i].stack, s.replacements[i].to
	case i+1 < len(s.replacements):
		return &s.layers, s.replacements[i+1].from
	}
	return &s.layers, time.Time{}
}

// WhoAt returns who is on call at an instant. It allocates only while several
// people are.
func (s *Schedule) WhoAt(at time.Time) OnCall {
	if !s.together && len(s.overrides.list) == 0 {
		c := s.first(at)
		return OnCall{User: c.user, Source: c.source, StandsFor: c.standsFor}
	}
	var room [2]seat
	return s.crewAt(at, room[:1]).onCall()
}

// first returns the seat of the first active layer that has a person. Of several
// without the first is named.
func (s *Schedule) first(at time.Time) seat {
	t := seconds(at)
	k := &s.layers
	if len(s.replacements) > 0 {
		k, _ = s.stackAt(at)
	}
	source := ""
	for i := range k.layers {
		l := &k.layers[i]
		if !l.open(t) {
			continue
		}
		if user, absent := l.person(t); user != "" {
			return seat{user: user, source: l.source, standsFor: absent, made: layered}
		}
		source = cmp.Or(source, l.source)
	}
	return k.orFallback(seat{source: source, made: layered})
}

// crewAt returns who is on call; room is for the answer and has one seat.
func (s *Schedule) crewAt(at time.Time, c crew) crew {
	if c[0] = s.first(at); s.together {
		t := seconds(at)
		k, _ := s.stackAt(at)
		for i := range k.layers {
			if l := &k.layers[i]; l.open(t) {
				c = c.join(l.seat(t))
			}
		}
	}
	return s.overrides.apply(c, at)
}

// orFallback returns the seat, or that of the fallback where nobody sits in it.
func (k *stack) orFallback(s seat) seat {
	if s.user == "" && k.fallback != "" {
		return seat{user: k.fallback, source: k.source, made: layered}
	}
	return s
}

// Lineup returns the people on call at an instant in the order in which they
// are to be tried: the person [Schedule.WhoAt] gives, those whom overrides add,
// then the people of the active layers below. Nobody occurs twice.
func (s *Schedule) Lineup(at time.Time) []OnCall {
	var line []OnCall
	join := func(c seat) {
		if c.user != "" && !slices.ContainsFunc(line, func(o OnCall) bool { return o.User == c.user }) {
			line = append(line, OnCall{User: c.user, Source: c.source, StandsFor: c.standsFor})
		}
	}
	first := s.first(at)
	for _, c := range s.crewAt(at, make(crew, 1)) {
		join(c)
	}
	t := seconds(at)
	k, _ := s.stackAt(at)
	now := s.overrides.at(at, nil)
	for i := range k.layers {
		l := &k.layers[i]
		if !l.open(t) {
			continue
		}
		c := l.seat(t)
		top := c.user == first.user
		replaced := (top || s.together) && now.instead(c, top) != nil
		if !replaced && !now.covers(c.user) {
			join(c)
		}
	}
	return line
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
		edge = min(edge, l.next(t))
		if l.hours != nil {
			edge = min(edge, l.hours.next(t))
		}
	}
	if next, ok := s.overrides.next(utc(t)); ok {
		edge = min(edge, ceil(next))
	}
	return edge
}
