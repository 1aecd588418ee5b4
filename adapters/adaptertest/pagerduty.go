package adaptertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// PagerDutyOptions say what account a PagerDuty is.
type PagerDutyOptions struct {
	Token            string            // of the REST API; "" takes any
	RoutingKeys      map[string]string // integration keys, and the services they belong to
	Users            []PagerDutyUser
	Services         []PagerDutyThing
	BusinessServices []PagerDutyThing
	Dependencies     []PagerDutyDependency
	Priorities       []PagerDutyThing // highest first
	Duties           []PagerDutyDuty
	Schedules        []PagerDutySchedule

	// Inclusive makes until belong to what lists cover; PagerDuty does not say.
	Inclusive bool
	// Bodies of incidents are as they were written; with ObjectBodies they are read as
	// objects, as the schema of PagerDuty has them.
	ObjectBodies bool
	// PerMinute is the allowance of the REST API in any 60 s; 0 is none.
	PerMinute int
	// NoHeaders answers a 429 without headers and body, as PagerDuty may.
	NoHeaders bool
	// Deliver sends a webhook and returns the status of the answer, 0 for none.
	// Defaults to not sending.
	Deliver func(url string, header http.Header, body []byte) int
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// The parts of an account.
type (
	// PagerDutyThing has a name.
	PagerDutyThing struct{ ID, Name string }
	// PagerDutyUser may write.
	PagerDutyUser struct{ ID, Name, Email string }
	// PagerDutyDependency says that one service depends on another.
	PagerDutyDependency struct {
		ID                        string
		Dependent, Supporting     string
		DependentType, SupportsBy string // "service", "technical_service_reference", "business_service", …
	}
	// PagerDutyDuty is a time on call.
	PagerDutyDuty struct {
		User, Policy, Schedule string
		Level                  int
		Start, End             time.Time // zero: always
	}
	// PagerDutySchedule is a schedule; V3 says that it was moved to version 3.
	PagerDutySchedule struct {
		ID, Name, TimeZone string
		V3                 bool
	}
)

// PagerDutyIncident is an incident as the fake keeps it.
type PagerDutyIncident struct {
	ID, Title, Status, Urgency, Key, Service, Priority, Policy string
	Number                                                     int64
	Created, Changed, Resolved, SnoozedUntil                   time.Time
	ChangedBy                                                  string // id of a user; "" for an integration
	Resolution                                                 string
	MergedInto                                                 string
	Level                                                      int
	Assignees                                                  []string
	Body                                                       json.RawMessage
	Alerts                                                     int
	Notes, Updates                                             []string
	Fields                                                     map[string]any

	notes []map[string]any
	log   []map[string]any
}

// PagerDutyAlert is an alert of the Events API.
type PagerDutyAlert struct {
	RoutingKey, Key, Incident string
	Open                      bool
	Events                    []json.RawMessage
}

// PagerDuty is an account of PagerDuty behind both of its APIs, stateful and wrong in
// the ways of the original. It is safe for concurrent use.
type PagerDuty struct {
	options PagerDutyOptions

	mu            sync.Mutex // guards all below
	incidents     []*PagerDutyIncident
	byID          map[string]*PagerDutyIncident
	alerts        []*PagerDutyAlert
	changes       []map[string]any
	windows       []map[string]any
	subscriptions []*pagerDutySubscription
	count         int64
	asked         map[string]int // requests by method and path, ids left out
	times         []time.Time    // of REST requests, for the allowance
	throttled     int
	hooks         []pagerDutyHook // that wait to be delivered
}

type pagerDutySubscription struct {
	view     map[string]any
	secret   string
	disabled bool
	dropped  int // in a row
}

// NewPagerDuty returns an account without incidents.
func NewPagerDuty(o PagerDutyOptions) *PagerDuty {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &PagerDuty{options: o, byID: map[string]*PagerDutyIncident{}, asked: map[string]int{}}
}

// Incidents returns copies of all incidents, oldest first.
func (p *PagerDuty) Incidents() []PagerDutyIncident {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []PagerDutyIncident
	for _, i := range p.incidents {
		all = append(all, *i)
	}
	return all
}

// Incident returns a copy of an incident; one without an ID if there is none.
func (p *PagerDuty) Incident(id string) PagerDutyIncident {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.byID[id]; i != nil {
		return *i
	}
	return PagerDutyIncident{}
}

// Alerts returns copies of all alerts, oldest first.
func (p *PagerDuty) Alerts() []PagerDutyAlert {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []PagerDutyAlert
	for _, a := range p.alerts {
		all = append(all, *a)
	}
	return all
}

// Changes returns how many change events were taken.
func (p *PagerDuty) Changes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.changes)
}

// Windows returns the descriptions of the maintenance windows.
func (p *PagerDuty) Windows() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, w := range p.windows {
		all = append(all, fmt.Sprint(w["description"]))
	}
	return all
}

// Asked returns how often an operation was asked for, "GET /incidents/{id}"; "" for
// all.
func (p *PagerDuty) Asked(operation string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if operation != "" {
		return p.asked[operation]
	}
	n := 0
	for _, k := range p.asked {
		n += k
	}
	return n
}

// Throttled returns how often the answer was 429.
func (p *PagerDuty) Throttled() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.throttled
}

// Add puts incidents into the account as they are; those without an id get one.
func (p *PagerDuty) Add(incidents ...PagerDutyIncident) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range incidents {
		p.add(&i)
	}
	slices.SortStableFunc(p.incidents, func(a, b *PagerDutyIncident) int { return a.Created.Compare(b.Created) })
}

func (p *PagerDuty) add(i *PagerDutyIncident) {
	p.count++
	i.Number = cmp.Or(i.Number, p.count)
	i.ID = cmp.Or(i.ID, "Q"+strings.ToUpper(strconv.FormatInt(1_000_000_000+p.count, 36)))
	i.Status, i.Urgency = cmp.Or(i.Status, "triggered"), cmp.Or(i.Urgency, "high")
	if i.Changed.IsZero() {
		i.Changed = i.Created
	}
	p.incidents = append(p.incidents, i)
	p.byID[i.ID] = i
}

// ServeHTTP answers both APIs.
func (p *PagerDuty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.handle(w, r, body)
	p.deliver()
}

func (p *PagerDuty) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := &pdRequest{PagerDuty: p, w: w, r: r, body: body, now: p.options.Now().UTC().Truncate(time.Second)}
	q.steps = strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	p.asked[r.Method+" "+q.pattern()]++
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		q.events()
		return
	}
	q.rest()
}

func pdRef(id, kind string) map[string]any {
	if id == "" {
		return nil
	}
	return map[string]any{"id": id, "type": kind + "_reference", "summary": id}
}

// view is an incident as the API shows it.
func (q *pdRequest) view(in *PagerDutyIncident) map[string]any {
	v := map[string]any{
		"id": in.ID, "type": "incident", "incident_number": in.Number, "title": in.Title, "status": in.Status, "urgency": in.Urgency,
		"incident_key": in.Key, "html_url": "https://example.pagerduty.com/incidents/" + in.ID, "service": pdRef(in.Service, "service"),
		"created_at": in.Created.UTC().Format(time.RFC3339), "last_status_change_at": in.Changed.UTC().Format(time.RFC3339),
		"updated_at": in.Changed.UTC().Format(time.RFC3339), "last_status_change_by": pdRef(cmp.Or(in.ChangedBy, in.Service), "user"),
		"resolved_at": nil, "priority": nil, "assignments": []any{}, "alert_counts": map[string]int{"all": in.Alerts},
	}
	if !in.Resolved.IsZero() {
		v["resolved_at"] = in.Resolved.UTC().Format(time.RFC3339)
	}
	if i := slices.IndexFunc(q.options.Priorities, func(t PagerDutyThing) bool { return t.ID == in.Priority }); i >= 0 {
		v["priority"] = map[string]any{"id": in.Priority, "type": "priority", "summary": q.options.Priorities[i].Name, "name": q.options.Priorities[i].Name}
	}
	var assignments []any
	for _, id := range in.Assignees {
		assignments = append(assignments, map[string]any{"at": in.Changed.UTC().Format(time.RFC3339), "assignee": pdRef(id, "user")})
	}
	if assignments != nil {
		v["assignments"] = assignments
	}
	if in.Body != nil {
		details := any(in.Body)
		if q.options.ObjectBodies && len(in.Body) > 0 && in.Body[0] == '"' {
			details = map[string]any{"text": in.Body}
		}
		v["body"] = map[string]any{"type": "incident_body", "details": details}
	}
	return v
}

func (q *pdRequest) logEntry(in *PagerDutyIncident, kind, text string) {
	q.count++
	agent := pdRef(q.user, "user")
	if agent == nil {
		agent = pdRef(in.Service, "service")
	}
	in.log = append(in.log, map[string]any{
		"id": fmt.Sprintf("L%09d", q.count), "type": kind + "_log_entry", "summary": kind, "created_at": q.now.Format(time.RFC3339),
		"agent": agent, "channel": map[string]any{"type": "api", "summary": text}, "incident": pdRef(in.ID, "incident"),
	})
}

// set changes the status. A resolved incident that is triggered or acknowledged over
// the REST API is open again.
func (q *pdRequest) set(in *PagerDutyIncident, status, by string) {
	kind := map[string]string{"triggered": "unacknowledge", "acknowledged": "acknowledge", "resolved": "resolve"}[status]
	event := "incident." + map[string]string{"triggered": "unacknowledged", "acknowledged": "acknowledged", "resolved": "resolved"}[status]
	if in.Status == "resolved" {
		event = "incident.reopened"
	}
	in.Status, in.Changed, in.ChangedBy, in.Resolved = status, q.now, by, time.Time{}
	if status == "resolved" {
		in.Resolved = q.now
		for _, a := range q.alerts {
			if a.Incident == in.ID {
				a.Open = false
			}
		}
	}
	q.logEntry(in, kind, "")
	q.hook(event, in)
}
