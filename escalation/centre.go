package escalation

import (
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Centre is a place from which services are operated during a part of the day.
type Centre struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`

	// Zone is an IANA name such as "Europe/Amsterdam".
	Zone string `json:"timezone"`

	// Coverage is when the centre is staffed, by its own clock all year.
	Coverage []Window `json:"coverage"`

	// Handoff is how the centre passes responsibility on at the end of its day.
	// Optional where nobody else takes over.
	Handoff HandoffRule `json:"handoff,omitzero"`

	// Regions are labels of what is near, such as "eu-west-1"; optional.
	Regions []string `json:"regions,omitempty"`

	// Manager is the id of the escalation manager, an engineer of the roster.
	Manager string `json:"manager,omitempty"`

	Staffing        Staffing `json:"staffing,omitzero"`
	Specialisations []string `json:"specializations,omitempty"`
}

// HandoffRule says when a centre hands over, every day. The zero value is no
// handoff.
type HandoffRule struct {
	To string `json:"to"` // id of the receiving centre

	// At is the start on the clock of the sender, "17:30".
	At string `json:"time"`

	// Minutes is how long the handoff takes, 0 to 1,440.
	Minutes int `json:"minutes,omitempty"`

	// AtEnd says that responsibility passes by plan at the end of the handoff.
	// Defaults to its start.
	AtEnd bool `json:"passes_at_end,omitempty"`

	// Agenda is what is to be gone through.
	Agenda []string `json:"activities,omitempty"`
}

// PlannedHandoff is one handoff by plan, [Start, End) in UTC. Responsibility passes at
// Start, or at End where the rule says so; package handoff records what became of it.
type PlannedHandoff struct {
	From   string    `json:"from"`
	To     string    `json:"to"`
	Start  time.Time `json:"at"`
	End    time.Time `json:"ends"`
	Agenda []string  `json:"activities,omitempty"`

	// ReceiverOpen and ReceiverOpenAtEnd report whether the receiving centre is
	// staffed at the two instants.
	ReceiverOpen      bool `json:"receiver_on_shift"`
	ReceiverOpenAtEnd bool `json:"receiver_on_shift_at_end"`
}

// Coverage is a stretch of time in which the same centres are staffed, in the
// order in which they were listed; none in a gap.
type Coverage struct {
	calendar.Interval
	Open []string `json:"open"`
}

// Ownership is a stretch of time in which one centre is responsible.
type Ownership struct {
	calendar.Interval
	Owner string `json:"owner"`
}

// Centres are operations centres after their checks. They answer who is staffed
// and who is responsible. They are immutable and safe for concurrent use.
type Centres struct {
	list    []centre
	handoff bool // some centre hands over
}

type centre struct {
	Centre
	hours    *hours
	at       int64 // seconds of the date at which the handoff starts
	receiver int   // index, or -1
}

// NewCentres checks the centres, of which there may be none. The problems are
// joined [*ConfigError]s.
func NewCentres(list []Centre) (*Centres, error) {
	p := newProblems()
	c := compileCentres(list, zones{}, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// compileCentres returns a usable value only where it adds no problem.
func compileCentres(list []Centre, zs zones, p problems) *Centres {
	c := &Centres{list: make([]centre, len(list))}
	for i, data := range list {
		q := p.at("[%d]", i)
		if data.ID == "" || c.index(data.ID) >= 0 {
			q.at("id").add(data.ID, "an id of its own")
		}
		z := zs.require(data.Zone, q.at("timezone"))
		if len(data.Coverage) == 0 {
			q.at("coverage").add("", "at least one window")
		}
		data.Staffing.check(q.at("staffing"))
		c.list[i] = centre{Centre: data, hours: compileWindows(data.Coverage, z, q.at("coverage")), receiver: -1}
	}
	for i := range c.list {
		c.link(&c.list[i], p.at("[%d].handoff", i))
	}
	return c
}

func (c *Centres) link(sender *centre, p problems) {
	rule := sender.Handoff
	if rule.To == "" && rule.At == "" && rule.Minutes == 0 && !rule.AtEnd && len(rule.Agenda) == 0 {
		return
	}
	c.handoff = true
	if sender.receiver = c.index(rule.To); sender.receiver < 0 || rule.To == sender.ID {
		p.at("to").add(rule.To, "another centre")
	}
	var ok bool
	if sender.at, ok = parseClock(rule.At); !ok {
		p.at("time").add(rule.At, `a time of day like "17:30"`)
	}
	if rule.Minutes < 0 || rule.Minutes > 24*60 {
		p.at("minutes").add(strconv.Itoa(rule.Minutes), "0 to 1440")
	}
}

func (c *Centres) index(id string) int {
	return slices.IndexFunc(c.list, func(o centre) bool { return o.ID == id && id != "" })
}

// All returns the centres in the order in which they were listed.
func (c *Centres) All() []Centre {
	out := make([]Centre, len(c.list))
	for i := range c.list {
		out[i] = c.list[i].Centre
	}
	return out
}

// Hours returns when a centre is staffed; nil for one that is not known.
func (c *Centres) Hours(id string) *Hours {
	if i := c.index(id); i >= 0 {
		return &Hours{c.list[i].hours}
	}
	return nil
}

// Staffing returns the people of all centres together.
func (c *Centres) Staffing() Staffing {
	var all Staffing
	for i := range c.list {
		all = all.Plus(c.list[i].Staffing)
	}
	return all
}

// IsOpen reports whether a centre is staffed at an instant; an unknown one is
// not.
func (c *Centres) IsOpen(id string, at time.Time) bool {
	i := c.index(id)
	return i >= 0 && c.list[i].hours.open(seconds(at))
}

// ActiveAt returns the ids of the centres that are staffed at an instant, in
// the order in which they were listed.
func (c *Centres) ActiveAt(at time.Time) []string {
	var open []string
	for i := range c.list {
		if c.list[i].hours.open(seconds(at)) {
			open = append(open, c.list[i].ID)
		}
	}
	return open
}

// Owner returns the centre that is responsible at an instant by plan: the
// receiver of the last handoff that has started, or ended where its rule says so,
// whether or not it is staffed. Of two at the same instant the one listed last
// counts. Without any
// handoff rule the first centre that is staffed is responsible, and the first
// of the list while none is; without centres, nobody.
func (c *Centres) Owner(at time.Time) string {
	if i := c.owner(seconds(at)); i >= 0 {
		return c.list[i].ID
	}
	return ""
}

func (c *Centres) owner(t int64) int {
	switch {
	case len(c.list) == 0:
		return -1
	case !c.handoff:
		return max(0, slices.IndexFunc(c.list, func(o centre) bool { return o.hours.open(t) }))
	}
	owner, latest := -1, int64(-forever)
	for i := range c.list {
		o := &c.list[i]
		if o.receiver < 0 {
			continue
		}
		if passed := o.lastPassing(t); passed >= latest {
			owner, latest = o.receiver, passed
		}
	}
	return owner
}

// lastHandoff returns the start of the last handoff that is not after t.
func (o *centre) lastHandoff(t int64) int64 {
	z := o.hours.zone
	for day, _ := date(t + z.at(t).offset + secondsPerDay); ; day-- {
		if start := z.resolve(day*secondsPerDay+o.at, wallclock.First); start <= t {
			return start
		}
	}
}

// nextHandoff returns the start of the first handoff after t.
func (o *centre) nextHandoff(t int64) int64 {
	z := o.hours.zone
	for day, _ := date(t + z.at(t).offset - 2*secondsPerDay); ; day++ {
		if start := z.resolve(day*secondsPerDay+o.at, wallclock.First); start > t {
			return start
		}
	}
}

// delay is how long after the start of a handoff responsibility passes, in seconds.
func (o *centre) delay() int64 {
	if o.Handoff.AtEnd {
		return int64(o.Handoff.Minutes) * 60
	}
	return 0
}

// lastPassing returns when the centre last passed responsibility on, not after t.
func (o *centre) lastPassing(t int64) int64 { return o.lastHandoff(t-o.delay()) + o.delay() }

// nextPassing returns when the centre passes responsibility on first after t.
func (o *centre) nextPassing(t int64) int64 { return o.nextHandoff(t-o.delay()) + o.delay() }

// Handoffs returns the handoffs that start in [from, until), in order of time, and
// of the list where two start together.
func (c *Centres) Handoffs(from, until time.Time) []PlannedHandoff {
	var out []PlannedHandoff
	for i := range c.list {
		o := &c.list[i]
		if o.receiver < 0 {
			continue
		}
		for t := o.nextHandoff(ceil(from) - 1); utc(t).Before(until); t = o.nextHandoff(t) {
			out = append(out, c.planned(o, utc(t)))
		}
	}
	slices.SortStableFunc(out, func(a, b PlannedHandoff) int { return a.Start.Compare(b.Start) })
	return out
}

func (c *Centres) planned(o *centre, start time.Time) PlannedHandoff {
	receiver := &c.list[o.receiver]
	end := start.Add(time.Duration(o.Handoff.Minutes) * time.Minute)
	return PlannedHandoff{
		From: o.ID, To: receiver.ID, Start: start, End: end,
		Agenda:            slices.Clone(o.Handoff.Agenda),
		ReceiverOpen:      receiver.hours.open(start.Unix()),
		ReceiverOpenAtEnd: receiver.hours.open(end.Unix()),
	}
}

// ceil returns the first whole second that is not before the instant.
func ceil(at time.Time) int64 {
	if at.Nanosecond() > 0 {
		return at.Unix() + 1
	}
	return at.Unix()
}

// Coverage returns which centres are staffed in [from, until), without holes.
func (c *Centres) Coverage(from, until time.Time) []Coverage {
	var out []Coverage
	next := func(t int64) int64 {
		edge := int64(forever)
		for i := range c.list {
			edge = min(edge, c.list[i].hours.next(t))
		}
		return edge
	}
	walk(from, until, next, func(span calendar.Interval) {
		open := c.ActiveAt(span.Start)
		if last := len(out) - 1; last >= 0 && slices.Equal(out[last].Open, open) {
			out[last].End = span.End
			return
		}
		out = append(out, Coverage{Interval: span, Open: open})
	})
	return out
}

// Gaps returns the stretches of [from, until) in which no centre is staffed.
func (c *Centres) Gaps(from, until time.Time) []calendar.Interval {
	var out []calendar.Interval
	for _, span := range c.Coverage(from, until) {
		if len(span.Open) == 0 {
			out = append(out, span.Interval)
		}
	}
	return out
}

// Ownership returns which centre is responsible in [from, until), without holes.
// Summed per owner and set against the size of its team it shows who carries
// the day.
func (c *Centres) Ownership(from, until time.Time) []Ownership {
	var out []Ownership
	next := func(t int64) int64 {
		edge := int64(forever)
		for i := range c.list {
			if !c.handoff {
				edge = min(edge, c.list[i].hours.next(t))
			} else if c.list[i].receiver >= 0 {
				edge = min(edge, c.list[i].nextPassing(t))
			}
		}
		return edge
	}
	walk(from, until, next, func(span calendar.Interval) {
		owner := c.Owner(span.Start)
		if last := len(out) - 1; last >= 0 && out[last].Owner == owner {
			out[last].End = span.End
			return
		}
		out = append(out, Ownership{Interval: span, Owner: owner})
	})
	return out
}

// walk calls visit with the stretches of [from, to) between edges.
func walk(from, to time.Time, next func(int64) int64, visit func(calendar.Interval)) {
	for at := from.UTC(); at.Before(to); {
		end := to.UTC()
		if edge := next(at.Unix()); edge < forever && utc(edge).Before(end) {
			end = utc(edge)
		}
		visit(calendar.Interval{Start: at, End: end})
		at = end
	}
}
