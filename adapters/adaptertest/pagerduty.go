package adaptertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	fail          []func(http.ResponseWriter)
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

// Fail answers the next n requests with a status and a body instead of carrying them
// out.
func (p *PagerDuty) Fail(n, status int, body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		p.fail = append(p.fail, func(w http.ResponseWriter) {
			if body != "" {
				w.Header().Set("Content-Type", "application/json")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
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
	if len(p.fail) > 0 {
		fail := p.fail[0]
		p.fail = p.fail[1:]
		fail(w)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		q.events()
		return
	}
	q.rest()
}

// pdRequest is one request on its way through a PagerDuty, whose lock it holds.
type pdRequest struct {
	*PagerDuty

	w     http.ResponseWriter
	r     *http.Request
	body  []byte
	steps []string
	now   time.Time
	user  string // id of the one of the header From
}

// pattern is the path with its ids left out.
func (q *pdRequest) pattern() string {
	steps := slices.Clone(q.steps)
	for i, s := range steps {
		if i > 0 && s == strings.ToUpper(s) {
			steps[i] = "{id}"
		}
	}
	return "/" + strings.Join(steps, "/")
}

func (q *pdRequest) answer(status int, v any) {
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(status)
	_ = json.NewEncoder(q.w).Encode(v)
}

// refuse answers with an error of the REST API.
func (q *pdRequest) refuse(status, code int, message string, details ...string) {
	q.answer(status, map[string]any{"error": map[string]any{"message": message, "code": code, "errors": details}})
}

// events answers the Events API: 202 to whatever can be read. "acknowledge" and
// "resolve" without an open alert of that integration have no effect and no error,
// and a trigger behind a resolve opens a new alert.
// https://developer.pagerduty.com/docs/send-alert-event
func (q *pdRequest) events() {
	invalid := func(problems ...string) {
		q.answer(http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": problems})
	}
	var e struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		DedupKey   string `json:"dedup_key"`
		Payload    *struct {
			Summary, Source, Severity string
			Timestamp                 string
			Details                   json.RawMessage `json:"custom_details"`
		} `json:"payload"`
		Images []struct{ Src string } `json:"images"`
		Links  []json.RawMessage      `json:"links"`
	}
	switch {
	case q.r.Method != http.MethodPost:
		q.w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case len(q.body) > 512*1024:
		q.w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case json.Unmarshal(q.body, &e) != nil:
		invalid("body is not JSON")
		return
	case len(e.RoutingKey) != 32:
		invalid("'routing_key' must be 32 characters")
		return
	}
	service, known := q.options.RoutingKeys[e.RoutingKey]
	if !known {
		invalid("'routing_key' is invalid")
		return
	}
	if q.r.URL.Path == "/v2/change/enqueue" {
		// Ruleset keys take no changes.
		if strings.HasPrefix(e.RoutingKey, "R") || e.Payload == nil || e.Payload.Summary == "" {
			invalid("change event is invalid")
			return
		}
		q.count++
		q.changes = append(q.changes, map[string]any{
			"id": fmt.Sprintf("C%d", q.count), "type": "change_event", "summary": e.Payload.Summary, "source": e.Payload.Source,
			"timestamp": cmp.Or(e.Payload.Timestamp, q.now.Format(time.RFC3339)), "links": e.Links, "custom_details": e.Payload.Details,
			"services": []any{pdRef(service, "service")},
		})
		q.answer(http.StatusAccepted, map[string]string{"status": "success", "message": "Change event processed"})
		return
	}
	if e.Action == "trigger" {
		switch {
		case e.Payload == nil || e.Payload.Summary == "" || e.Payload.Source == "":
			invalid("'payload' is missing or blank")
			return
		case !slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity):
			invalid("'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
			return
		case len([]rune(e.Payload.Summary)) > 1024:
			invalid("'payload.summary' is too long")
			return
		}
	}
	if len(e.DedupKey) > 255 {
		invalid("'dedup_key' is too long")
		return
	}
	i := slices.IndexFunc(q.alerts, func(a *PagerDutyAlert) bool {
		return a.Open && a.RoutingKey == e.RoutingKey && a.Key == e.DedupKey && e.DedupKey != ""
	})
	switch e.Action {
	case "trigger":
		if i < 0 {
			if e.DedupKey == "" { // every one is an alert of its own
				q.count++
				e.DedupKey = fmt.Sprintf("generated%d", q.count)
			}
			in := &PagerDutyIncident{Title: e.Payload.Summary, Service: service, Key: e.DedupKey, Created: q.now, Alerts: 1}
			q.add(in)
			q.logEntry(in, "trigger", "")
			q.hook("incident.triggered", in)
			q.alerts = append(q.alerts, &PagerDutyAlert{RoutingKey: e.RoutingKey, Key: e.DedupKey, Open: true, Incident: in.ID})
			i = len(q.alerts) - 1
		}
		q.alerts[i].Events = append(q.alerts[i].Events, q.body)
	case "acknowledge", "resolve":
		if i >= 0 {
			a := q.alerts[i]
			a.Events = append(a.Events, q.body)
			in := q.byID[a.Incident]
			if e.Action == "resolve" {
				a.Open = false
				q.set(in, "resolved", "")
			} else {
				q.set(in, "acknowledged", "")
			}
		}
	default:
		invalid("'event_action' is invalid")
		return
	}
	q.answer(http.StatusAccepted, map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}

// rest answers the REST API.
func (q *pdRequest) rest() {
	if q.throttle() {
		return
	}
	// "Accept" and "Content-Type" are wanted on every call, GET included.
	// https://developer.pagerduty.com/docs/rest-api-overview
	if q.r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2" || q.r.Header.Get("Content-Type") != "application/json" {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Accept and Content-Type are required")
		return
	}
	if auth := q.r.Header.Get("Authorization"); q.options.Token != "" && auth != "Token token="+q.options.Token && auth != "Bearer "+q.options.Token {
		q.refuse(http.StatusUnauthorized, 2006, "Access Denied")
		return
	}
	route := q.r.Method + " " + q.pattern()
	if needsFrom[route] && !q.from() {
		return
	}
	var in *PagerDutyIncident
	if strings.HasPrefix(q.pattern(), "/incidents/{id}") {
		if in = q.byID[q.steps[1]]; in == nil {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
	}
	switch route {
	case "GET /incidents":
		q.listIncidents()
	case "POST /incidents":
		q.create()
	case "PUT /incidents", "PUT /incidents/{id}":
		q.manage(in)
	case "GET /incidents/{id}":
		q.answer(http.StatusOK, map[string]any{"incident": q.view(in)})
	case "PUT /incidents/{id}/merge":
		q.merge(in)
	case "POST /incidents/{id}/snooze":
		q.snooze(in)
	case "GET /incidents/{id}/notes":
		q.answer(http.StatusOK, map[string]any{"notes": append([]map[string]any{}, in.notes...)})
	case "POST /incidents/{id}/notes":
		q.note(in)
	case "POST /incidents/{id}/status_updates":
		var u struct{ Message, Subject string }
		if json.Unmarshal(q.body, &u) != nil || u.Message == "" {
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Message cannot be empty")
			return
		}
		in.Updates = append(in.Updates, u.Message)
		q.hook("incident.status_update_published", in)
		q.answer(http.StatusOK, map[string]any{"status_update": u})
	case "GET /incidents/{id}/log_entries":
		q.page("log_entries", slices.Backward(in.log), len(in.log))
	case "GET /log_entries":
		q.listLog()
	case "GET /incidents/{id}/custom_fields/values":
		var fields []map[string]any
		for _, name := range slices.Sorted(maps.Keys(in.Fields)) {
			fields = append(fields, map[string]any{"name": name, "value": in.Fields[name], "type": "field_value"})
		}
		q.answer(http.StatusOK, map[string]any{"custom_fields": fields})
	case "PUT /incidents/{id}/custom_fields/values":
		q.fields(in)
	case "POST /analytics/raw/incidents":
		q.analytics()
	case "GET /analytics/raw/incidents/{id}":
		in := q.byID[q.steps[3]]
		if in == nil {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
		q.answer(http.StatusOK, analysis(in))
	default:
		q.account(route)
	}
}

// needsFrom are the writes that want to know whose they are.
var needsFrom = map[string]bool{
	"POST /incidents": true, "PUT /incidents": true, "PUT /incidents/{id}": true, "PUT /incidents/{id}/merge": true,
	"POST /incidents/{id}/snooze": true, "POST /incidents/{id}/notes": true, "POST /incidents/{id}/status_updates": true,
	"POST /maintenance_windows": true,
}

// from finds the user of the header From: without one, or by the address of nobody,
// nothing is written.
func (q *pdRequest) from() bool {
	from := q.r.Header.Get("From")
	i := slices.IndexFunc(q.options.Users, func(u PagerDutyUser) bool { return strings.EqualFold(u.Email, from) })
	switch {
	case from == "":
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "From header is required")
	case i < 0:
		q.refuse(http.StatusBadRequest, 1008, "Requester User Not Found")
	default:
		q.user = q.options.Users[i].ID
		return true
	}
	return false
}

// throttle counts requests of the last 60 s. A 429 tells when to come again by
// ratelimit-reset in seconds, has no Retry-After, and sometimes neither headers nor
// a body.
// https://developer.pagerduty.com/docs/rest-api-rate-limits
func (q *pdRequest) throttle() bool {
	limit := q.options.PerMinute
	if limit <= 0 {
		return false
	}
	now := q.options.Now()
	q.times = slices.DeleteFunc(q.times, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	over := len(q.times) >= limit
	if !over {
		q.times = append(q.times, now)
	}
	if !over || !q.options.NoHeaders {
		reset := time.Minute - now.Sub(q.times[0])
		q.w.Header().Set("ratelimit-limit", strconv.Itoa(limit))
		q.w.Header().Set("ratelimit-remaining", strconv.Itoa(limit-len(q.times)))
		q.w.Header().Set("ratelimit-reset", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
	}
	if !over {
		return false
	}
	q.throttled++
	if q.options.NoHeaders {
		q.w.WriteHeader(http.StatusTooManyRequests)
	} else {
		q.refuse(http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
	}
	return true
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
