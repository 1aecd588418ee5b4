package escalation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Router is a roster after its checks. It answers who is to be paged, and why.
// It is immutable and safe for concurrent use; what-if questions are asked by
// changing the request.
type Router struct {
	lastResort Contact
	people     []*person // by id
	byID       map[string]*person
	centres    *Centres
	schedules  map[string]*Schedule
	onCall     *Schedule
}

// NewRouter checks a roster. The problems are joined [*ConfigError]s.
func NewRouter(r Roster) (*Router, error) {
	p := newProblems()
	router := r.compile(p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return router, nil
}

// Centres returns the operations centres of the roster, possibly none.
func (r *Router) Centres() *Centres { return r.centres }

// Schedule returns an on-call schedule of the roster by name, or nil.
func (r *Router) Schedule(name string) *Schedule { return r.schedules[name] }

// Schedules returns the names of the on-call schedules, sorted.
func (r *Router) Schedules() []string { return slices.Sorted(maps.Keys(r.schedules)) }

// Engineer returns an engineer of the roster.
func (r *Router) Engineer(id string) (Engineer, bool) {
	if who := r.byID[id]; who != nil {
		return who.Engineer, true
	}
	return Engineer{}, false
}

// LastResort returns who can always be reached.
func (r *Router) LastResort() Contact { return r.lastResort }

// Available reports whether an engineer is within working hours or on call at
// an instant, and not absent.
func (r *Router) Available(id string, at time.Time) bool {
	who := r.byID[id]
	if who == nil {
		return false
	}
	_, absent := who.absent(at)
	return !absent && (who.inHours(at) || slices.Contains(r.onCallNow(at), id))
}

// onCallNow returns the people who count as on call: of the line-up of the
// schedule the person and those added; if all of them are absent, the first
// below who is not.
func (r *Router) onCallNow(at time.Time) []string {
	if r.onCall == nil {
		return nil
	}
	first := r.onCall.WhoAt(at)
	now := slices.DeleteFunc(append([]string{first.User}, first.Also...), func(id string) bool { return !r.reachable(id, at) })
	if len(now) > 0 {
		return now
	}
	for _, backup := range r.onCall.Lineup(at) {
		if r.reachable(backup.User, at) {
			return []string{backup.User}
		}
	}
	return nil
}

func (r *Router) reachable(id string, at time.Time) bool {
	who := r.byID[id]
	if who == nil {
		return id != "" && id == r.lastResort.ID
	}
	_, absent := who.absent(at)
	return !absent
}

// Request asks who is to take an incident.
type Request struct {
	At       time.Time
	Severity incident.Severity
	Domain   string // the skill that is needed

	// Load is what people have to do already; it decides between equals.
	// Optional.
	Load map[string]Load
}

// Load is what a person has to do already.
type Load struct {
	Open  int       // incidents assigned and not resolved
	Paged time.Time // last page; zero: never
}

// Status says whether somebody was found.
type Status string

// The two results of routing.
const (
	Assigned           Status = "assigned"
	EscalationRequired Status = "escalation_required"
)

// WakeOnCallManager is the action of a [Routing] without candidates: the last
// resort of the roster is to be called.
const WakeOnCallManager = "wake_on_call_manager"

// Reason says how far the search had to be widened. It is empty where a skilled
// and available engineer was found.
type Reason string

// The steps by which a search is widened, in this order, and its failure.
const (
	OnCallPool          Reason = "on_call_pool"          // P1: members of the pool with the skill, off hours
	OwningCentre        Reason = "owning_centre"         // P1 and P2: anyone on shift in the owning centre
	CentreManager       Reason = "centre_manager"        // the escalation manager of the owning centre
	NoAvailableEngineer Reason = "no_available_engineer" // the last resort
)

// Routing is the answer to a [Request]: the candidates in order, and why
// everybody else is none.
type Routing struct {
	Status     Status      `json:"status"`
	Assigned   string      `json:"assigned,omitempty"` // the first candidate
	Action     string      `json:"action,omitempty"`   // WakeOnCallManager where there is none
	Reason     Reason      `json:"reason,omitempty"`
	Candidates []Candidate `json:"candidates"`
	Refused    []Refusal   `json:"refused"`
	Search     []string    `json:"search"` // the steps of the search in words
}

// Candidate is an engineer who can take the incident.
type Candidate struct {
	Engineer string   `json:"engineer"`
	Rank     int      `json:"rank"`            // 1 is asked first
	Skill    string   `json:"skill,omitempty"` // primary, secondary, or empty for none
	Level    Level    `json:"level"`
	Why      []string `json:"why"`
}

// Refusal is an engineer who cannot take the incident.
type Refusal struct {
	Engineer string   `json:"engineer"`
	Why      []string `json:"why"`
}

// String explains the routing line by line.
func (r Routing) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Status)
	if r.Assigned != "" {
		fmt.Fprintf(&b, " %s", r.Assigned)
	}
	if r.Reason != "" {
		fmt.Fprintf(&b, " (%s)", r.Reason)
	}
	for _, step := range r.Search {
		fmt.Fprintf(&b, "\n  search: %s", step)
	}
	for _, c := range r.Candidates {
		fmt.Fprintf(&b, "\n  %d. %s: %s", c.Rank, c.Engineer, strings.Join(c.Why, ", "))
	}
	for _, c := range r.Refused {
		fmt.Fprintf(&b, "\n  not %s: %s", c.Engineer, strings.Join(c.Why, ", "))
	}
	return b.String()
}

// Candidates returns who can take an incident. Candidates have the skill, are
// not absent, and are within their working hours or on call. They are ordered by
// skill (primary first), on call now, seniority (principal first), owning centre,
// fewest open incidents, longest since the last page, and id. Where there is
// none the search is widened step by step as the reasons say. Management is
// never a candidate by skill.
//
// The error is a [*ConfigError] for a severity that is not set.
func (r *Router) Candidates(q Request) (Routing, error) {
	if !q.Severity.IsSet() {
		return Routing{}, severityError(q.Severity)
	}
	return r.route(q), nil
}

// route is Candidates for a severity that is set.
func (r *Router) route(q Request) Routing {
	all := r.assess(q)
	out := Routing{Status: Assigned, Candidates: []Candidate{}, Refused: []Refusal{}}
	chosen := r.find(&out, all, q)
	slices.SortFunc(chosen, (*assessment).compare)
	for i, a := range chosen {
		a.chosen = true
		out.Candidates = append(out.Candidates, Candidate{
			Engineer: a.ID, Rank: i + 1, Skill: skillNames[a.skill], Level: a.Level, Why: a.strengths(q),
		})
	}
	for i := range all {
		if a := &all[i]; !a.chosen {
			out.Refused = append(out.Refused, Refusal{Engineer: a.ID, Why: a.obstacles(q)})
		}
	}
	if len(chosen) > 0 {
		out.Assigned = chosen[0].ID
		return out
	}
	out.Status, out.Action, out.Reason = EscalationRequired, WakeOnCallManager, NoAvailableEngineer
	return out
}

func severityError(s incident.Severity) error {
	return &ConfigError{Path: "severity", Value: s.String(), Want: "P1 to P4"}
}

// find runs the steps of the search until one finds somebody, and notes them.
func (r *Router) find(out *Routing, all []assessment, q Request) []*assessment {
	try := func(step string, reason Reason, fits func(*assessment) bool) []*assessment {
		found := filter(all, fits)
		out.Search = append(out.Search, fmt.Sprintf("%s: %s", step, count(len(found))))
		out.Reason = reason
		return found
	}
	if found := try("has "+q.Domain+" and is available", "", (*assessment).qualified); len(found) > 0 {
		return found
	}
	if q.Severity == incident.P1 {
		if found := try("on-call pool with "+q.Domain+", off hours", OnCallPool, (*assessment).wakeable); len(found) > 0 {
			return found
		}
	}
	centre := r.centres.owner(q.At.Unix())
	if centre < 0 {
		return nil
	}
	owner := r.centres.list[centre]
	if q.Severity.AtLeast(incident.P2) {
		found := try("anyone on shift in "+owner.ID, OwningCentre, func(a *assessment) bool {
			return a.where == centre && a.available() && a.Level < Management
		})
		if len(found) > 0 {
			return found
		}
	}
	return try("escalation manager of "+owner.ID, CentreManager, func(a *assessment) bool {
		return a.ID == owner.Manager && a.absence == nil && (a.available() || a.InPool)
	})
}

func count(n int) string {
	if n == 0 {
		return "nobody"
	}
	return strconv.Itoa(n)
}

func filter(all []assessment, fits func(*assessment) bool) []*assessment {
	var found []*assessment
	for i := range all {
		if fits(&all[i]) {
			found = append(found, &all[i])
		}
	}
	return found
}

// assessment is what counts about one person for one request.
type assessment struct {
	*person
	skill   int // 1 primary, 2 secondary, 0 none
	onCall  bool
	inHours bool
	owning  bool // works in the owning centre
	absence *Absence
	load    Load
	chosen  bool
}

var skillNames = [...]string{"", "primary", "secondary"}

func (r *Router) assess(q Request) []assessment {
	onCall := r.onCallNow(q.At)
	owner := r.centres.owner(q.At.Unix())
	all := make([]assessment, len(r.people))
	for i, who := range r.people {
		a := assessment{
			person:  who,
			onCall:  slices.Contains(onCall, who.ID),
			inHours: who.inHours(q.At),
			owning:  owner >= 0 && who.where == owner,
			load:    q.Load[who.ID],
		}
		switch {
		case slices.Contains(who.Primary, q.Domain):
			a.skill = 1
		case slices.Contains(who.Secondary, q.Domain):
			a.skill = 2
		}
		if absence, ok := who.absent(q.At); ok {
			a.absence = &absence
		}
		all[i] = a
	}
	return all
}

func (a *assessment) available() bool { return a.absence == nil && (a.onCall || a.inHours) }

func (a *assessment) skilled() bool { return a.skill > 0 && a.Level < Management }

func (a *assessment) qualified() bool { return a.skilled() && a.available() }

// wakeable reports whether a P1 may wake the person.
func (a *assessment) wakeable() bool { return a.skilled() && a.absence == nil && a.InPool }

func (a *assessment) compare(b *assessment) int {
	return cmp.Or(
		cmp.Compare(uint(a.skill-1), uint(b.skill-1)), // none comes last
		-compareBool(a.onCall, b.onCall),
		-cmp.Compare(a.Level, b.Level),
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
	if a.owning {
		why = append(why, "in the owning centre "+a.Centre)
	}
	if a.load.Open > 0 {
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
		why = append(why, "absent until "+a.absence.To.UTC().Format(time.RFC3339))
	} else if !a.available() {
		why = append(why, "off hours "+a.clock(q.At))
		if q.Severity == incident.P1 && !a.InPool {
			why = append(why, "not in the on-call pool")
		}
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
	there := utc(at.Unix() + z.at(at.Unix()).offset)
	return fmt.Sprintf("%s (%s in %s)", strings.Join(windows, ", "), there.Format("15:04"), z.loc)
}
