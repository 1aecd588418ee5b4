package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Open creates an incident. Its key is looked up first, because PagerDuty refuses a
// key only while its incident is open; a create that is refused all the same is
// looked up again.
//
// Target is a service. Assignee is that of [Client.Assign]; who is also the user of
// Config.From has acknowledged the incident at once. Fields may be escalation_policy
// (an id), incident_type (a name), conference_number, conference_url, and custom
// fields by their names; those are written after the incident, and written again
// when Open is repeated.
func (c *Client) Open(ctx context.Context, t adapters.Ticket) (adapters.Ref, error) {
	const op = opOpen
	if err := c.writes(op, t.Tenant); err != nil {
		return adapters.Ref{}, err
	}
	service := cmp.Or(t.Target, c.config.Service)
	switch {
	case t.Key == "" || len([]rune(t.Key)) > maxDedupKey:
		return adapters.Ref{}, refuse(op, t.Tenant, adapters.Invalid, "key has %d characters, want 1 to %d", len([]rune(t.Key)), maxDedupKey)
	case t.Title == "":
		return adapters.Ref{}, refuse(op, t.Tenant, adapters.Invalid, "title missing")
	case service == "":
		return adapters.Ref{}, refuse(op, t.Tenant, adapters.Invalid, "target missing, want the id of a service")
	case t.State != "" && t.State != adapters.StateNew:
		return adapters.Ref{}, refuse(op, t.Tenant, adapters.Unsupported, "an incident begins as new, not as %q", t.State)
	}
	w := incidentWrite{Type: "incident", IncidentKey: t.Key, Service: &reference{service, "service_reference"}}
	var err error
	if w.Priority, w.Urgency, err = c.priority(ctx, op, t.Tenant, t.Severity); err != nil {
		return adapters.Ref{}, err
	}
	if t.Assignee != "" {
		if w.Assignments, w.EscalationPolicy, err = assignees(op, t.Tenant, t.Assignee); err != nil {
			return adapters.Ref{}, err
		}
	}
	custom, err := w.takeFields(op, t.Tenant, t.Fields)
	if err != nil {
		return adapters.Ref{}, err
	}
	title, cuts := shortenTitle("title", t.Title)
	w.Title = title
	if text := fullText(t, len(cuts) > 0); text != "" {
		w.Body = &bodyWrite{Type: "incident_body", Details: text}
		if c.config.DetailsAsObject {
			w.Body.Details = map[string]string{"text": text}
		}
	}
	ref, err := c.Find(ctx, t.Tenant, t.Key)
	if errors.Is(err, adapters.NotFound) {
		ref, err = c.create(ctx, t.Tenant, w)
	}
	if err != nil {
		return adapters.Ref{}, err
	}
	if len(cuts) > 0 && c.config.OnCut != nil {
		c.config.OnCut(ref, cuts)
	}
	return ref, c.setFields(ctx, op, ref, custom)
}

// create posts an incident whose key was not found a moment ago.
func (c *Client) create(ctx context.Context, tenant string, w incidentWrite) (adapters.Ref, error) {
	var answer struct {
		Incident incidentRead `json:"incident"`
	}
	err := c.do(ctx, request{
		op: opOpen, tenant: tenant, method: http.MethodPost, path: "/incidents", from: true, create: true,
		body: map[string]any{"incident": w},
	}, &answer)
	if errors.Is(err, adapters.Invalid) {
		// The key may be taken by somebody quicker, or by an earlier try whose answer was
		// lost; that has no code of its own.
		if ref, found := c.Find(ctx, tenant, w.IncidentKey); found == nil {
			return ref, nil
		}
	}
	if err == nil && answer.Incident.ID == "" {
		err = &adapters.Error{
			Provider: provider, Op: opOpen, Tenant: tenant, Kind: adapters.BadResponse, MayHaveApplied: true, Err: errors.New("answer has no incident"),
		}
	}
	if err != nil {
		return adapters.Ref{}, err
	}
	return answer.Incident.ref(tenant), nil
}

// fullText is the text of an incident with all that has no place of its own.
func fullText(t adapters.Ticket, titleCut bool) string {
	var parts []string
	if titleCut {
		parts = append(parts, t.Title)
	}
	if t.Text != "" {
		parts = append(parts, t.Text)
	}
	for _, link := range t.Links {
		parts = append(parts, strings.TrimSpace(link.Text+" "+link.URL))
	}
	if len(t.Labels) > 0 {
		parts = append(parts, "Labels: "+strings.Join(t.Labels, ", "))
	}
	return strings.Join(parts, "\n\n")
}

// takeFields sets the fields that have a place of their own and returns the custom
// ones.
func (w *incidentWrite) takeFields(op, tenant string, fields map[string]any) (map[string]any, error) {
	custom := map[string]any{}
	for name, value := range fields {
		var place func(string)
		switch name {
		case "escalation_policy":
			place = func(id string) { w.EscalationPolicy = &reference{id, "escalation_policy_reference"} }
		case "incident_type":
			place = func(name string) { w.IncidentType = &named{name} }
		case "conference_number":
			place = func(text string) { w.bridge().ConferenceNumber = text }
		case "conference_url":
			place = func(text string) { w.bridge().ConferenceURL = text }
		default:
			custom[name] = value
			continue
		}
		text, ok := value.(string)
		if !ok || text == "" {
			return nil, refuse(op, tenant, adapters.Invalid, "field %s is %v, want a text", name, value)
		}
		place(text)
	}
	return custom, nil
}

func (w *incidentWrite) bridge() *sdk.ConferenceBridge {
	if w.ConferenceBridge == nil {
		w.ConferenceBridge = &sdk.ConferenceBridge{}
	}
	return w.ConferenceBridge
}

// setFields writes custom fields by their names.
func (c *Client) setFields(ctx context.Context, op string, ref adapters.Ref, fields map[string]any) error {
	if len(fields) == 0 {
		return nil
	}
	var values []map[string]any
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		values = append(values, map[string]any{"name": name, "value": fields[name]})
	}
	return c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPut, path: incidentPath(ref, "custom_fields", "values"), from: true,
		body: map[string]any{"custom_fields": values},
	}, nil)
}

// Fields reads the custom fields of an incident that have a value.
func (c *Client) Fields(ctx context.Context, ref adapters.Ref) (map[string]any, error) {
	const op = "fields"
	if err := isIncident(op, ref); err != nil {
		return nil, err
	}
	var answer struct {
		Fields []struct {
			Name  string `json:"name"`
			Value any    `json:"value"`
		} `json:"custom_fields"`
	}
	err := c.do(ctx, request{op: op, tenant: ref.Tenant, method: http.MethodGet, path: incidentPath(ref, "custom_fields", "values")}, &answer)
	fields := map[string]any{}
	for _, f := range answer.Fields {
		if f.Value != nil {
			fields[f.Name] = f.Value
		}
	}
	return fields, err
}
