package escalation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Roster describes an organisation as data: who there is, what they know, when
// they work, who is on call, and who is reached when nobody else can be.
// [NewRouter] checks and compiles it.
type Roster struct {
	// Zone is the zone of engineers that have neither a zone nor a centre.
	Zone string `json:"timezone,omitempty"`

	// LastResort is who can always be reached. It is required.
	LastResort Contact `json:"last_resort"`

	// Domains are the skills that may occur. Defaults to any.
	Domains []string `json:"technology_domains,omitempty"`

	Engineers []Engineer `json:"engineers"`
	Absences  []Absence  `json:"absences,omitempty"`

	// Teams are lists of engineers by name, for the targets of a policy; optional.
	Teams map[string][]string `json:"teams,omitempty"`

	// Centres are the operations centres; optional. With centres the location
	// of every engineer must be one of them.
	Centres []Centre `json:"centres,omitempty"`

	// Latency is how far centres are from regions, in milliseconds by region and
	// centre; a centre that names the region itself is at 0. Optional.
	Latency map[string]map[string]int `json:"latency_ms,omitempty"`

	// Ranking changes the order of candidates; optional.
	Ranking Ranking `json:"ranking,omitzero"`

	// Schedules are on-call schedules by name, and OnCall names the one whose
	// people count as on call in routing; optional.
	Schedules map[string]Plan `json:"schedules,omitempty"`
	OnCall    string          `json:"on_call,omitempty"`
}

// Contact is a person or a desk outside the skill matrix.
type Contact struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Engineer is a person who may be paged.
type Engineer struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`

	Level Level `json:"level"`

	// Centre is where the person works.
	Centre string `json:"location,omitempty"`

	// Zone is an IANA name. Defaults to the zone of the centre, then to that of
	// the roster.
	Zone string `json:"timezone,omitempty"`

	// Primary and Secondary are skills. A skill in both lists is primary.
	Primary   []string `json:"primary_skills,omitempty"`
	Secondary []string `json:"secondary_skills,omitempty"`

	// Availability is when the person works, in the zone above. Defaults to the
	// coverage of the centre; without a centre, never.
	Availability Availability `json:"availability_hours,omitempty"`

	// InPool says that the person may be woken at any hour for a P1.
	InPool bool `json:"on_call_rotation,omitempty"`

	// MaxOpen is the number of open incidents at which the person gets no more
	// while somebody else with the skill can be had. Defaults to no limit.
	MaxOpen int `json:"max_open_incidents,omitempty"`

	// FTEPercent is the part of a full-time position that the person fills, 1 to
	// 100. Defaults to 100.
	FTEPercent int `json:"fte_percent,omitempty"`
}

// Absence is a stretch of time in which a person cannot be reached, [Start, End).
type Absence struct {
	Engineer string    `json:"engineer"`
	Start    time.Time `json:"from"`
	End      time.Time `json:"to"`
	Reason   string    `json:"reason,omitempty"`
}

// Availability are the working hours of a person. In JSON they are an array of
// windows or a pair of whole hours: [8, 18] is 08:00 to 18:00 on every day and
// [22, 6] a night.
type Availability []Window

// UnmarshalJSON reads either form.
func (a *Availability) UnmarshalJSON(data []byte) error {
	var pair []int
	if json.Unmarshal(data, &pair) == nil && len(pair) > 0 {
		if len(pair) != 2 || pair[0] < 0 || pair[0] > 23 || pair[1] < 0 || pair[1] > 24 {
			return &ConfigError{Path: "availability_hours", Value: string(data), Want: "two hours like [8, 18]"}
		}
		*a = Availability{{From: fmt.Sprintf("%02d:00", pair[0]), To: fmt.Sprintf("%02d:00", pair[1])}}
		return nil
	}
	return decode(data, (*[]Window)(a))
}

// decode is json.Unmarshal that refuses unknown keys and anything after the
// value.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("byte %d: want the end of the text", d.InputOffset())
	}
	return nil
}

// Level is the seniority of an engineer. Higher numbers are more senior; the
// zero value is not set.
type Level uint8

// The levels. Management is above the engineers and not part of the order of
// candidates.
const (
	Junior Level = iota + 1
	Senior
	Principal
	Management
)

var levelNames = names{"", "junior", "senior", "principal", "management"}

// String returns "junior", "senior", "principal" or "management", and "unset"
// for the zero value.
func (l Level) String() string { return levelNames.text(uint8(l), "Level") }

// MarshalText writes the name, and empty text for the zero value.
func (l Level) MarshalText() ([]byte, error) { return levelNames.marshal(uint8(l), "level") }

// UnmarshalText reads a name in any case; empty text is the zero value.
func (l *Level) UnmarshalText(text []byte) error {
	value, err := levelNames.parse(string(text), "level")
	if err != nil {
		return err
	}
	*l = Level(value)
	return nil
}

// ParseRoster reads a roster from JSON and checks it. An unknown key is an
// error.
func ParseRoster(data []byte) (Roster, error) {
	var r Roster
	if err := decode(data, &r); err != nil {
		return Roster{}, fmt.Errorf("escalation: roster: %w", err)
	}
	return r, r.Validate()
}

// Validate returns all problems of the roster as joined [*ConfigError]s.
func (r Roster) Validate() error {
	_, err := NewRouter(r)
	return err
}

// Register puts an engineer in the roster in place of the one with the same id,
// or at the end.
func (r *Roster) Register(e Engineer) {
	if i := slices.IndexFunc(r.Engineers, func(o Engineer) bool { return o.ID == e.ID }); i >= 0 {
		r.Engineers[i] = e
		return
	}
	r.Engineers = append(r.Engineers, e)
}

// person is an engineer after the checks.
type person struct {
	Engineer
	hours    *hours
	where    int // index of the centre, or -1
	place    int // in the roster
	absences []Absence
	away     edges // within which the absences lie, by whole seconds
}

// compile returns a usable router only where it adds no problem.
func (r Roster) compile(p problems) *Router {
	zs := zones{}
	out := &Router{
		roster:     r,
		lastResort: r.LastResort,
		domains:    r.Domains,
		byID:       map[string]*person{},
		teams:      map[string][]string{},
		centres:    compileCentres(r.Centres, zs, p.at("centres")),
		schedules:  map[string]*Schedule{},
		ranking:    r.Ranking,
		latency:    r.Latency,
	}
	r.Ranking.check(p.at("ranking"))
	out.checkLatency(r.Latency, p.at("latency_ms"))
	if r.LastResort.ID == "" {
		p.at("last_resort.id").add("", "who is reached when nobody else can be")
	}
	known := sharedHours{}
	for i, e := range r.Engineers {
		out.enlist(e, r, zs, known, p.at("engineers[%d]", i))
	}
	for i, a := range r.Absences {
		out.excuse(a, p.at("absences[%d]", i))
	}
	for i, c := range r.Centres {
		if c.Manager != "" && out.byID[c.Manager] == nil {
			p.at("centres[%d].manager", i).add(c.Manager, "an engineer of the roster")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Teams)) {
		out.teams[name] = slices.Clone(r.Teams[name])
		q := p.at("teams[%q]", name)
		if len(r.Teams[name]) == 0 {
			q.add("", "at least one engineer")
		}
		for i, id := range r.Teams[name] {
			if out.byID[id] == nil {
				q.at("[%d]", i).add(id, "an engineer of the roster")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Schedules)) {
		q := p.at("schedules[%q]", name)
		out.schedules[name] = compilePlan(r.Schedules[name], out, zs, q)
		out.checkPeople(r.Schedules[name], q)
	}
	if r.OnCall != "" {
		if out.onCall = out.schedules[r.OnCall]; out.onCall == nil {
			p.at("on_call").add(r.OnCall, "the name of a schedule")
		}
	}
	for _, who := range out.byID {
		for _, a := range who.absences {
			who.away = append(who.away, a.Start.Unix(), ceil(a.End))
		}
		who.away = disjoint(who.away)
	}
	out.people = slices.SortedFunc(maps.Values(out.byID), func(a, b *person) int { return strings.Compare(a.ID, b.ID) })
	out.sortSkills()
	return out
}

func (out *Router) enlist(e Engineer, r Roster, zs zones, known sharedHours, p problems) {
	if e.ID == "" || out.byID[e.ID] != nil {
		p.at("id").add(e.ID, "an id of its own")
	}
	if e.Level == 0 || int(e.Level) >= len(levelNames) {
		p.at("level").add(e.Level.String(), "junior, senior, principal or management")
	}
	checkSkills(e.Primary, r.Domains, p.at("primary_skills"))
	checkSkills(e.Secondary, r.Domains, p.at("secondary_skills"))
	if e.MaxOpen < 0 {
		p.at("max_open_incidents").add(strconv.Itoa(e.MaxOpen), "at least 1, or none for no limit")
	}
	if e.FTEPercent < 0 || e.FTEPercent > 100 {
		p.at("fte_percent").add(strconv.Itoa(e.FTEPercent), "1 to 100")
	}
	who := &person{Engineer: e, where: out.centres.index(e.Centre), place: len(out.byID)}
	if len(r.Centres) > 0 && who.where < 0 {
		p.at("location").add(e.Centre, "the id of a centre")
	}
	zone := e.Zone
	switch {
	case zone == "" && who.where >= 0:
		zone = out.centres.list[who.where].Zone
	case zone == "":
		zone = r.Zone
	}
	z := zs.require(zone, p.at("timezone"))
	who.hours = known.compile(e.Availability, z, p.at("availability_hours"))
	if len(e.Availability) == 0 && who.where >= 0 {
		who.hours = out.centres.list[who.where].hours
		who.Availability = out.centres.list[who.where].Coverage
	}
	out.byID[e.ID] = who
}

func checkSkills(skills, domains []string, p problems) {
	for i, skill := range skills {
		if skill == "" || len(domains) > 0 && !slices.Contains(domains, skill) {
			p.at("[%d]", i).add(skill, "a technology domain of the roster")
		}
	}
}

func (out *Router) excuse(a Absence, p problems) {
	who := out.byID[a.Engineer]
	if who == nil {
		p.at("engineer").add(a.Engineer, "an engineer of the roster")
	}
	a.check(p)
	if who != nil {
		who.absences = append(who.absences, a)
	}
}

// checkPeople finds people of a plan whom the roster does not know.
func (out *Router) checkPeople(plan Plan, p problems) {
	check := func(id string, q problems) {
		if id != "" && out.byID[id] == nil && id != out.lastResort.ID {
			q.add(id, "an engineer of the roster, or the last resort")
		}
	}
	layers := func(list []Layer, p problems) {
		for i, l := range list {
			q := p.at("layers[%d].rotation", i)
			for n, user := range l.Rotation.Users {
				check(user, q.at("users[%d]", n))
			}
			for m, c := range l.Rotation.Changes {
				for n, user := range c.Users {
					check(user, q.at("changes[%d].users[%d]", m, n))
				}
			}
		}
	}
	layers(plan.Layers, p)
	for i, r := range plan.Replacements {
		layers(r.Layers, p.at("replacements[%d]", i))
		check(r.Fallback, p.at("replacements[%d].fallback", i))
	}
	for i, o := range plan.Overrides {
		check(o.User, p.at("overrides[%d].user", i))
		check(o.Replaces, p.at("overrides[%d].replaces", i))
	}
	for i, a := range plan.Absences {
		check(a.Engineer, p.at("absences[%d].engineer", i))
	}
}

// absent returns the absence that holds the instant.
func (p *person) absent(at time.Time) (Absence, bool) {
	if in, _ := p.away.state(seconds(at)); !in {
		return Absence{}, false
	}
	for _, a := range p.absences {
		if !at.Before(a.Start) && at.Before(a.End) {
			return a, true
		}
	}
	return Absence{}, false
}

func (p *person) inHours(at time.Time) bool { return p.hours.open(seconds(at)) }
