package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

var (
	_ adapters.Capable      = (*Client)(nil)
	_ adapters.Opener       = (*Client)(nil)
	_ adapters.Finder       = (*Client)(nil)
	_ adapters.Reader       = (*Client)(nil)
	_ adapters.Updater      = (*Client)(nil)
	_ adapters.Acknowledger = (*Client)(nil)
	_ adapters.Resolver     = (*Client)(nil)
	_ adapters.Reopener     = (*Client)(nil)
	_ adapters.Holder       = (*Client)(nil)
	_ adapters.Assigner     = (*Client)(nil)
	_ adapters.Escalator    = (*Client)(nil)
	_ adapters.Merger       = (*Client)(nil)
	_ adapters.Publisher    = (*Client)(nil)
)

// The limits of writes to incidents.
// https://developer.pagerduty.com/api-reference/8a0e1aa2ec666-update-incidents
const (
	maxManaged = 250                // incidents in one request
	maxSnooze  = 7 * 24 * time.Hour // 604,800 s
	resolved   = "resolved"
	opOpen     = "open"
)

// incidentWrite is an incident as it is written. That of the SDK sends a null
// priority where there is none, which the schema refuses, and knows neither urgency
// nor service where an incident is changed.
type incidentWrite struct {
	ID               string                `json:"id,omitempty"`
	Type             string                `json:"type"`
	Title            string                `json:"title,omitempty"`
	Service          *reference            `json:"service,omitempty"`
	Priority         *reference            `json:"priority,omitempty"`
	Urgency          string                `json:"urgency,omitempty"`
	IncidentKey      string                `json:"incident_key,omitempty"`
	Body             *bodyWrite            `json:"body,omitempty"`
	Status           string                `json:"status,omitempty"`
	Resolution       string                `json:"resolution,omitempty"`
	EscalationLevel  int                   `json:"escalation_level,omitempty"`
	EscalationPolicy *reference            `json:"escalation_policy,omitempty"`
	Assignments      []assignment          `json:"assignments,omitempty"`
	ConferenceBridge *sdk.ConferenceBridge `json:"conference_bridge,omitempty"`
	IncidentType     *named                `json:"incident_type,omitempty"`
}

type bodyWrite struct {
	Type    string `json:"type"`
	Details any    `json:"details"`
}

type assignment struct {
	Assignee reference `json:"assignee"`
}

type named struct {
	Name string `json:"name"`
}

// incidentRead is an incident as it is read: what is needed of it, and a text in
// both forms that PagerDuty has for it.
type incidentRead struct {
	ID                 string           `json:"id"`
	Number             int64            `json:"incident_number"`
	Title              string           `json:"title"`
	Status             string           `json:"status"`
	Urgency            string           `json:"urgency"`
	IncidentKey        string           `json:"incident_key"`
	HTMLURL            string           `json:"html_url"`
	CreatedAt          time.Time        `json:"created_at"`
	UpdatedAt          time.Time        `json:"updated_at"`
	ResolvedAt         time.Time        `json:"resolved_at"`
	LastStatusChangeAt time.Time        `json:"last_status_change_at"`
	LastStatusChangeBy sdk.APIObject    `json:"last_status_change_by"`
	Service            sdk.APIObject    `json:"service"`
	EscalationPolicy   sdk.APIObject    `json:"escalation_policy"`
	Priority           *sdk.Priority    `json:"priority"`
	Assignments        []sdk.Assignment `json:"assignments"`
	Body               *struct {
		Details json.RawMessage `json:"details"`
	} `json:"body"`
}

// text returns the body: a string, the one text of an object, or the object as JSON.
func (i incidentRead) text() string {
	if i.Body == nil || len(i.Body.Details) == 0 || string(i.Body.Details) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(i.Body.Details, &text) == nil {
		return text
	}
	var object map[string]any
	if json.Unmarshal(i.Body.Details, &object) == nil && len(object) == 1 {
		if text, ok := object["text"].(string); ok {
			return text
		}
	}
	return string(i.Body.Details)
}

func (i incidentRead) ref(tenant string) adapters.Ref {
	r := adapters.Ref{Provider: provider, Tenant: tenant, Type: "incident", ID: i.ID, URL: i.HTMLURL}
	if i.Number > 0 {
		r.Number = strconv.FormatInt(i.Number, 10)
	}
	if at := latest(i.UpdatedAt, i.LastStatusChangeAt); !at.IsZero() {
		r.Version = timestamp(at)
	}
	return r
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// ended is when an incident was resolved.
func (i incidentRead) ended() time.Time {
	switch {
	case i.Status != resolved:
		return time.Time{}
	case !i.ResolvedAt.IsZero():
		return i.ResolvedAt
	default:
		return i.LastStatusChangeAt
	}
}

// ticket translates an incident.
func (c *Client) ticket(i incidentRead, tenant string) (adapters.Ticket, error) {
	state, err := c.config.States.Ours(i.Status)
	if err != nil {
		return adapters.Ticket{}, fmt.Errorf("incident %s: status: %w", i.ID, err)
	}
	priority := ""
	if i.Priority != nil {
		priority = cmp.Or(i.Priority.Name, i.Priority.Summary)
	}
	severity, err := c.severityOf(priority, i.Urgency)
	if err != nil {
		return adapters.Ticket{}, fmt.Errorf("incident %s: priority: %w", i.ID, err)
	}
	c.mu.Lock()
	us := c.userID
	c.mu.Unlock()
	t := adapters.Ticket{
		Key: i.IncidentKey, Tenant: tenant, Title: i.Title, Text: i.text(), Severity: severity, State: state, Target: i.Service.ID,
		Ref: i.ref(tenant), Created: i.CreatedAt, Updated: latest(i.UpdatedAt, i.LastStatusChangeAt), Resolved: i.ended(),
		ByUs: us != "" && i.LastStatusChangeBy.ID == us,
	}
	var who []string
	for _, a := range i.Assignments {
		who = append(who, a.Assignee.ID)
	}
	t.Assignee = strings.Join(who, ",")
	return t, nil
}

// read fetches an incident.
func (c *Client) read(ctx context.Context, op string, ref adapters.Ref) (incidentRead, error) {
	if err := isIncident(op, ref); err != nil {
		return incidentRead{}, err
	}
	var answer struct {
		Incident incidentRead `json:"incident"`
	}
	err := c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodGet, path: incidentPath(ref), query: url.Values{"include[]": {"first_trigger_log_entries"}},
	}, &answer)
	if err == nil && answer.Incident.ID == "" {
		err = &adapters.Error{Provider: provider, Op: op, Tenant: ref.Tenant, Kind: adapters.BadResponse, Err: errors.New("answer has no incident")}
	}
	return answer.Incident, err
}

func isIncident(op string, refs ...adapters.Ref) error {
	for _, ref := range refs {
		if ref.Provider != provider || ref.Type != "incident" || ref.ID == "" {
			return refuse(op, ref.Tenant, adapters.Invalid, "reference to %q %q of %q, want one to an incident of PagerDuty", ref.Type, ref.ID, ref.Provider)
		}
	}
	return nil
}

func incidentPath(ref adapters.Ref, more ...string) string {
	return strings.Join(append([]string{"/incidents", url.PathEscape(ref.ID)}, more...), "/")
}

// change writes fields of an incident. It is a whole state each, so twice is once.
func (c *Client) change(ctx context.Context, op string, ref adapters.Ref, fromWho string, w incidentWrite) error {
	if err := isIncident(op, ref); err != nil {
		return err
	}
	w.Type = "incident_reference"
	return c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPut, path: incidentPath(ref), from: true, fromWho: fromWho,
		body: map[string]any{"incident": w},
	}, nil)
}

// Find looks an incident up by its key, an open one before one that has ended, a
// later one before an earlier one.
func (c *Client) Find(ctx context.Context, tenant, key string) (adapters.Ref, error) {
	const op = "find"
	if key == "" {
		return adapters.Ref{}, refuse(op, tenant, adapters.Invalid, "key missing")
	}
	all, err := collect(list[incidentRead](ctx, c, request{
		op: op, tenant: tenant, path: "/incidents", query: url.Values{"incident_key": {key}, "date_range": {"all"}},
	}, "incidents"))
	if err != nil {
		return adapters.Ref{}, err
	}
	all = slices.DeleteFunc(all, func(i incidentRead) bool { return i.IncidentKey != key })
	if len(all) == 0 {
		return adapters.Ref{}, refuse(op, tenant, adapters.NotFound, "no incident with key %q", key)
	}
	best := slices.MaxFunc(all, func(a, b incidentRead) int {
		if a, b := a.Status == resolved, b.Status == resolved; a != b {
			if a {
				return -1
			}
			return 1
		}
		return a.CreatedAt.Compare(b.CreatedAt)
	})
	return best.ref(tenant), nil
}

// Read reads an incident. One that was snoozed reads as acknowledged.
func (c *Client) Read(ctx context.Context, ref adapters.Ref) (adapters.Ticket, error) {
	i, err := c.read(ctx, "read", ref)
	if err != nil {
		return adapters.Ticket{}, err
	}
	t, err := c.ticket(i, ref.Tenant)
	if err != nil {
		return adapters.Ticket{}, refuse("read", ref.Tenant, adapters.BadResponse, "%w", err)
	}
	return t, nil
}

// Update changes title, severity and fields. The text of an incident cannot be
// changed, so a new one becomes a note; labels are [adapters.Unsupported].
func (c *Client) Update(ctx context.Context, ref adapters.Ref, p adapters.Patch) error {
	const op = "update"
	if err := c.writes(op, ref.Tenant); err != nil {
		return err
	}
	if p.Labels != nil {
		return refuse(op, ref.Tenant, adapters.Unsupported, "an incident has no labels that could be changed")
	}
	var (
		w    incidentWrite
		cuts []Cut
		err  error
	)
	if p.Title != nil {
		if *p.Title == "" {
			return refuse(op, ref.Tenant, adapters.Invalid, "title is empty")
		}
		w.Title, cuts = shortenTitle("title", *p.Title)
	}
	if p.Severity != nil {
		if !p.Severity.IsSet() {
			return refuse(op, ref.Tenant, adapters.Invalid, "severity is not set")
		}
		if w.Priority, w.Urgency, err = c.priority(ctx, op, ref.Tenant, *p.Severity); err != nil {
			return err
		}
	}
	custom, err := w.takeFields(op, ref.Tenant, p.Fields)
	if err != nil {
		return err
	}
	if p.Title != nil || p.Severity != nil || len(p.Fields) > len(custom) {
		if err := c.change(ctx, op, ref, "", w); err != nil {
			return err
		}
	}
	if err := c.setFields(ctx, op, ref, custom); err != nil {
		return err
	}
	if len(cuts) > 0 {
		if c.config.OnCut != nil {
			c.config.OnCut(ref, cuts)
		}
		if err := c.Note(ctx, ref, adapters.Note{Text: *p.Title}); err != nil {
			return err
		}
	}
	if p.Text != nil && *p.Text != "" {
		return c.Note(ctx, ref, adapters.Note{Text: *p.Text})
	}
	return nil
}

// Assign gives an incident to users, by their ids with commas between them, or to
// an escalation policy, "policy:PXXXXXX".
func (c *Client) Assign(ctx context.Context, ref adapters.Ref, assignee string) error {
	const op = "assign"
	users, policy, err := assignees(op, ref.Tenant, assignee)
	if err != nil {
		return err
	}
	return c.change(ctx, op, ref, "", incidentWrite{Assignments: users, EscalationPolicy: policy})
}

func assignees(op, tenant, text string) (users []assignment, policy *reference, err error) {
	if id, ok := strings.CutPrefix(text, "policy:"); ok && id != "" {
		return nil, &reference{id, "escalation_policy_reference"}, nil
	}
	for id := range strings.SplitSeq(text, ",") {
		if id = strings.TrimSpace(id); id == "" {
			return nil, nil, refuse(op, tenant, adapters.Invalid, "assignee %q, want ids of users, or policy: and the id of an escalation policy", text)
		}
		users = append(users, assignment{reference{id, "user_reference"}})
	}
	return users, nil, nil
}

// Escalate raises an incident to a level of its escalation policy, from 1.
func (c *Client) Escalate(ctx context.Context, ref adapters.Ref, level int) error {
	const op = "escalate"
	if level < 1 {
		return refuse(op, ref.Tenant, adapters.Invalid, "level %d, want 1 or more", level)
	}
	return c.change(ctx, op, ref, "", incidentWrite{EscalationLevel: level})
}

// Merge moves the alerts of incidents into one that is open, of the same tenant, and
// resolves them. An incident holds at most 1,000 alerts.
func (c *Client) Merge(ctx context.Context, into adapters.Ref, from ...adapters.Ref) error {
	const op = "merge"
	if err := isIncident(op, append(slices.Clone(from), into)...); err != nil {
		return err
	}
	if len(from) == 0 || slices.ContainsFunc(from, into.Same) {
		return refuse(op, into.Tenant, adapters.Invalid, "want other incidents to merge into %s", into.ID)
	}
	if slices.ContainsFunc(from, func(ref adapters.Ref) bool { return ref.Tenant != into.Tenant }) {
		return refuse(op, into.Tenant, adapters.Invalid, "incidents of two tenants cannot be merged")
	}
	sources := make([]reference, len(from))
	for i, ref := range from {
		sources[i] = reference{ref.ID, "incident_reference"}
	}
	return settled(c.do(ctx, request{
		op: op, tenant: into.Tenant, method: http.MethodPut, path: incidentPath(into, "merge"), from: true,
		body: map[string]any{"source_incidents": sources},
	}, nil))
}

// Publish sends a status update to those who follow an incident.
func (c *Client) Publish(ctx context.Context, ref adapters.Ref, subject, message string) error {
	return c.PublishHTML(ctx, ref, subject, message, "")
}

// PublishHTML is Publish with a second form of the message for those who read HTML.
func (c *Client) PublishHTML(ctx context.Context, ref adapters.Ref, subject, message, html string) error {
	const op = "publish"
	if err := isIncident(op, ref); err != nil {
		return err
	}
	if message == "" {
		return refuse(op, ref.Tenant, adapters.Invalid, "message missing")
	}
	return c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPost, path: incidentPath(ref, "status_updates"), from: true, once: true,
		body: struct {
			Message string `json:"message"`
			Subject string `json:"subject,omitempty"`
			HTML    string `json:"html_message,omitempty"`
		}{message, subject, html},
	}, nil)
}
