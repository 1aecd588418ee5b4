package escalation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Router is a roster after its checks. It answers who is to be paged, and why.
// It is immutable and safe for concurrent use; what-if questions are asked by
// changing the request.
type Router struct {
	roster     Roster
	lastResort Contact
	domains    []string  // that may occur; none: any
	people     []*person // by id
	byID       map[string]*person
	bySkill    map[string][]*person // by id
	ranking    Ranking
	latency    map[string]map[string]int
	centres    *Centres
	teams      map[string][]string
	schedules  map[string]*Schedule
	onCall     *Schedule
	paging     []*line // the support lines that policies may name
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

// Roster returns the roster as it was given. What it refers to is shared and must
// not be changed.
func (r *Router) Roster() Roster { return r.roster }

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

// Hours returns the working hours of an engineer, those of the centre where the
// roster gives none; nil for a person it does not know.
func (r *Router) Hours(id string) *Hours {
	if who := r.byID[id]; who != nil {
		return &Hours{who.hours}
	}
	return nil
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
	return r.onCallBy(r.onCall, at)
}

// onCallBy is onCallNow for any schedule.
func (r *Router) onCallBy(s *Schedule, at time.Time) []string {
	first := s.WhoAt(at)
	now := slices.DeleteFunc(append([]string{first.User}, first.Also...), func(id string) bool { return !r.reachable(id, at) })
	if len(now) > 0 {
		return now
	}
	for _, backup := range s.Lineup(at) {
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

	// Region is where the trouble is; people of near centres come first, see
	// [Roster.Latency]. Optional.
	Region string

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
	AtMaximum           Reason = "at_maximum"            // people of the two steps before who are at their maximum
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
// skill (primary first), on call now, nearness to the region of the request,
// seniority (principal first), owning centre,
// fewest open incidents, longest since the last page, and id. Whoever is at the
// maximum of open incidents is left out while somebody else with the skill can
// be had, be it from the on-call pool. Where there is none the search is widened
// step by step as the reasons say. Management is never a candidate by skill.
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
	all, o := r.assess(q)
	out := Routing{Status: Assigned, Candidates: []Candidate{}, Refused: []Refusal{}}
	chosen := r.find(&out, o, all)
	slices.SortFunc(chosen, (*assessment).compare)
	for i, a := range chosen {
		a.chosen = true
		out.Candidates = append(out.Candidates, a.candidate(i+1))
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
	out.unassigned()
	return out
}

func (r *Routing) unassigned() {
	r.Status, r.Action, r.Reason = EscalationRequired, WakeOnCallManager, NoAvailableEngineer
}

func severityError(s incident.Severity) error {
	return &ConfigError{Path: "severity", Value: s.String(), Want: "P1 to P4"}
}
