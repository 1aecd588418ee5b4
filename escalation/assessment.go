package escalation

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// assessment is what counts about one person for one request.
type assessment struct {
	*person
	skill   int // 1 primary, 2 secondary, 0 none
	onCall  bool
	inHours bool
	owning  bool // works in the owning centre
	far     int  // how far the centre is from the region of the request
	absence *Absence
	load    Load
	chosen  bool

	order *order
}

var skillNames = [...]string{"", "primary", "secondary"}

// order is what the people assessed for one request have in common.
type order struct {
	q         Request
	onCall    []string
	owner     int   // index of the owning centre, or -1
	far       []int // by centre; nil: no region is asked for
	open      map[*hours]bool
	published bool
	junior    bool
}

func (r *Router) order(q Request) *order {
	o := &order{
		q: q, onCall: r.onCallNow(q.At), owner: r.centres.owner(seconds(q.At)), open: map[*hours]bool{},
		published: r.ranking.Published, junior: slices.Contains(r.ranking.JuniorFirst, q.Severity),
	}
	if q.Region != "" {
		o.far = make([]int, len(r.centres.list))
		for i := range r.centres.list {
			o.far[i] = r.distance(q.Region, &r.centres.list[i].Centre)
		}
	}
	return o
}

// distance is 0 for a centre of the region itself, else its latency; a centre
// without either is farther than all others.
func (r *Router) distance(region string, c *Centre) int {
	if slices.Contains(c.Regions, region) {
		return 0
	}
	if ms, ok := r.latency[region][c.ID]; ok {
		return ms
	}
	return math.MaxInt
}

// assess judges a person. Hours that people share are looked up once.
func (o *order) assess(who *person) assessment {
	inHours, known := o.open[who.hours]
	if !known {
		inHours = who.inHours(o.q.At)
		o.open[who.hours] = inHours
	}
	a := assessment{person: who, order: o, inHours: inHours, owning: o.owner >= 0 && who.where == o.owner, load: o.q.Load[who.ID]}
	if len(o.onCall) > 0 {
		a.onCall = slices.Contains(o.onCall, who.ID)
	}
	if o.far != nil {
		a.far = math.MaxInt
		if who.where >= 0 {
			a.far = o.far[who.where]
		}
	}
	switch {
	case slices.Contains(who.Primary, o.q.Domain):
		a.skill = 1
	case slices.Contains(who.Secondary, o.q.Domain):
		a.skill = 2
	}
	if len(who.absences) > 0 {
		if absence, ok := who.absent(o.q.At); ok {
			a.absence = &absence
		}
	}
	return a
}

func (r *Router) assess(q Request) ([]assessment, *order) {
	o := r.order(q)
	all := make([]assessment, len(r.people))
	for i, who := range r.people {
		all[i] = o.assess(who)
	}
	return all, o
}

func (a *assessment) available() bool { return a.absence == nil && (a.onCall || a.inHours) }

func (a *assessment) skilled() bool { return a.skill > 0 && a.Level < Management }

func (a *assessment) qualified() bool { return a.skilled() && a.available() }

// wakeable reports whether a P1 may wake the person.
func (a *assessment) wakeable() bool { return a.skilled() && a.absence == nil && a.InPool }

// published reports whether the published guide takes the person for available.
func (a *assessment) published() bool {
	if a.order.q.Severity == incident.P1 {
		return a.wakeable()
	}
	return a.skilled() && a.absence == nil && a.inHours
}

// reachable is qualified or wakeable.
func (a *assessment) reachable() bool { return a.qualified() || a.wakeable() }

// full reports whether the person is to get no more incidents.
func (a *assessment) full() bool { return a.MaxOpen > 0 && a.load.Open >= a.MaxOpen }

// withRoom leaves out those who are at their maximum.
func withRoom(fits func(*assessment) bool) func(*assessment) bool {
	return func(a *assessment) bool { return fits(a) && !a.full() }
}

// compare puts the person who is asked first before.
func (a *assessment) compare(b *assessment) int {
	skill := cmp.Compare(uint(a.skill-1), uint(b.skill-1)) // none comes last
	level := cmp.Compare(b.Level, a.Level)
	if a.order.published {
		return cmp.Or(skill, level, cmp.Compare(a.place, b.place))
	}
	if a.order.junior {
		level = -level
	}
	return cmp.Or(
		skill,
		-compareBool(a.onCall, b.onCall),
		cmp.Compare(a.far, b.far),
		level,
		-compareBool(a.owning, b.owning),
		cmp.Compare(a.load.Open, b.load.Open),
		a.load.Paged.Compare(b.load.Paged), // never is the zero time and comes first
		strings.Compare(a.ID, b.ID),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (a *assessment) strengths(q Request) []string {
	why := []string{a.Level.String()}
	if a.skill > 0 {
		why = append(why, skillNames[a.skill]+" skill "+q.Domain)
	} else {
		why = append(why, "no skill "+q.Domain)
	}
	if a.onCall {
		why = append(why, "on call now")
	}
	switch {
	case a.inHours:
		why = append(why, "within hours "+a.clock(q.At))
	case a.InPool && !a.onCall:
		why = append(why, "in the on-call pool, off hours "+a.clock(q.At))
	}
	switch {
	case a.order.far == nil || a.far == math.MaxInt:
	case a.far == 0:
		why = append(why, "in "+q.Region)
	default:
		why = append(why, fmt.Sprintf("%d ms from %s", a.far, q.Region))
	}
	if a.owning {
		why = append(why, "in the owning centre "+a.Centre)
	}
	switch {
	case a.full():
		why = append(why, fmt.Sprintf("%d open, at the maximum of %d", a.load.Open, a.MaxOpen))
	case a.load.Open > 0:
		why = append(why, fmt.Sprintf("%d open", a.load.Open))
	}
	return why
}

func (a *assessment) obstacles(q Request) []string {
	var why []string
	switch {
	case a.skill == 0:
		why = append(why, "no skill "+q.Domain)
	case a.Level == Management:
		why = append(why, "management")
	}
	if a.absence != nil {
		why = append(why, "absent until "+a.absence.End.UTC().Format(time.RFC3339))
	} else if !a.available() {
		why = append(why, "off hours "+a.clock(q.At))
		if q.Severity == incident.P1 && !a.InPool {
			why = append(why, "not in the on-call pool")
		}
	}
	if a.full() {
		why = append(why, fmt.Sprintf("%d open, at the maximum of %d", a.load.Open, a.MaxOpen))
	}
	if len(why) == 0 {
		why = append(why, "others fit better")
	}
	return why
}

// clock shows the hours of the person beside the time there.
func (a *assessment) clock(at time.Time) string {
	windows := make([]string, len(a.Availability))
	for i, w := range a.Availability {
		windows[i] = w.String()
	}
	z := a.hours.zone
	there := utc(seconds(at) + z.at(seconds(at)).offset)
	return fmt.Sprintf("%s (%s in %s)", strings.Join(windows, ", "), there.Format("15:04"), z.loc)
}
