package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// EventTypes are those that a subscription may ask for.
// https://developer.pagerduty.com/docs/webhooks-overview#event-types
var EventTypes = [...]string{
	"incident.acknowledged", "incident.action_invocation.created", "incident.action_invocation.terminated", "incident.action_invocation.updated",
	"incident.annotated", "incident.conference_bridge.updated", "incident.custom_field_values.updated", "incident.delegated", "incident.escalated",
	"incident.incident_type.changed", "incident.priority_updated", "incident.reassigned", "incident.reopened", "incident.resolved",
	"incident.responder.added", "incident.responder.replied", "incident.role.assigned", "incident.role.unassigned", "incident.service_updated",
	"incident.status_update_published", "incident.task.created", "incident.task.deleted", "incident.task.updated", "incident.triggered",
	"incident.unacknowledged", "incident.workflow.completed", "incident.workflow.started",
	"service.created", "service.deleted", "service.updated",
}

// Ping is the type of the event that [Client.Ping] causes.
const Ping = "pagey.ping"

// Event is one webhook of version 3.
type Event struct {
	ID           string    `json:"id"` // of the event, the same on every attempt to deliver it
	Type         string    `json:"event_type"`
	ResourceType string    `json:"resource_type"` // "incident", "service"
	At           time.Time `json:"occurred_at"`
	// Agent is who did it: a user, a service or an application; zero if PagerDuty does
	// not say.
	Agent  sdk.APIObject   `json:"agent"`
	Data   json.RawMessage `json:"data"` // what Type is about, in PagerDuty's form
	Ref    adapters.Ref    `json:"-"`    // the incident that it is about; zero for none
	Note   string          `json:"-"`    // the text of a note or status update
	Status string          `json:"-"`    // of the incident, in PagerDuty's words; "" if it is not said
	Raw    json.RawMessage `json:"-"`    // the whole body
}

// ParseEvent reads the body of a webhook. What it does not know stays in Raw.
func ParseEvent(body []byte) (Event, error) {
	var envelope struct {
		Event *Event `json:"event"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return Event{}, fmt.Errorf("webhook: %w", err)
	}
	if envelope.Event == nil || envelope.Event.Type == "" {
		return Event{}, errors.New("webhook: event.event_type missing, want an event of webhooks v3")
	}
	e := *envelope.Event
	e.Raw = body
	var data struct {
		ID       string         `json:"id"`
		Type     string         `json:"type"` // "incident", "incident_note", "service", …
		HTMLURL  string         `json:"html_url"`
		Number   int64          `json:"number"`
		Status   string         `json:"status"`
		Content  string         `json:"content"` // of a note
		Message  string         `json:"message"` // of a status update
		Incident *sdk.APIObject `json:"incident"`
	}
	if len(e.Data) > 0 {
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return Event{}, fmt.Errorf("webhook: event.data: %w", err)
		}
	}
	e.Note = cmp.Or(data.Content, data.Message)
	ref := adapters.Ref{Provider: provider, Type: "incident", Version: timestamp(e.At)}
	switch {
	case data.Incident != nil && data.Incident.ID != "":
		ref.ID, ref.URL = data.Incident.ID, data.Incident.HTMLURL
		e.Ref = ref
	case data.ID != "" && (data.Type == "incident" || data.Type == "" && e.ResourceType == "incident"):
		ref.ID, ref.URL = data.ID, data.HTMLURL
		if data.Number > 0 {
			ref.Number = strconv.FormatInt(data.Number, 10)
		}
		e.Ref, e.Status = ref, data.Status
	}
	return e, nil
}

// Reopened reports whether PagerDuty says that a resolved incident is open again. No
// other event takes a resolved one back, however late it comes.
func (e Event) Reopened() bool { return e.Type == "incident.reopened" }

// Ticket translates the incident of an event, false if it holds none that is whole.
// It is that of the moment of the event; [Client.Read] has that of now.
func (c *Client) Ticket(e Event, tenant string) (adapters.Ticket, bool, error) {
	if e.Status == "" || e.Ref.IsZero() {
		return adapters.Ticket{}, false, nil
	}
	// A webhook calls some fields otherwise than the API does.
	var other struct {
		Number    int64           `json:"number"`
		Assignees []sdk.APIObject `json:"assignees"`
	}
	var i incidentRead
	if err := errors.Join(json.Unmarshal(e.Data, &i), json.Unmarshal(e.Data, &other)); err != nil {
		return adapters.Ticket{}, false, fmt.Errorf("webhook: event.data: %w", err)
	}
	i.Number, i.UpdatedAt = cmp.Or(i.Number, other.Number), e.At
	if i.Status == resolved && i.ResolvedAt.IsZero() && i.LastStatusChangeAt.IsZero() {
		i.ResolvedAt = e.At
	}
	t, err := c.ticket(i, tenant)
	if err != nil {
		return adapters.Ticket{}, false, err
	}
	var who []string
	for _, a := range other.Assignees {
		who = append(who, a.ID)
	}
	t.Assignee = cmp.Or(t.Assignee, strings.Join(who, ","))
	c.mu.Lock()
	t.ByUs = c.userID != "" && e.Agent.ID == c.userID
	c.mu.Unlock()
	return t, true, nil
}

// ReceiverConfig is what a receiver of webhooks needs.
type ReceiverConfig struct {
	// Secrets are those of the subscriptions that send here, and during a change the
	// old ones too. Required; none may be empty.
	Secrets []adapters.Secret
	// Accept takes an event durably. An error makes a 503, after which PagerDuty tries
	// again for up to 48 h. It has to return within 5 s. Required.
	Accept func(ctx context.Context, e Event) error
	// Seen, Pending and Now are those of ingest.Config.
	Seen    ingest.Seen
	Pending int
	Now     func() time.Time
}

// maxHook is far above the 256 KB up to which PagerDuty sends events.
// https://developer.pagerduty.com/docs/webhooks-overview
const maxHook = 5 << 20

// NewReceiver returns a handler for webhooks of version 3: it verifies the signature,
// lets every event through once, and answers at once. Any answer of 400 to 499 makes
// PagerDuty drop an event, and three in a row switch the subscription off for a day:
// watch the figures of the handler, and see [Client.RepairSubscriptions].
//
// An event is known again by its own id. X-Webhook-Id, which is the same on every
// attempt too, is not covered by the signature: whoever has recorded a delivery could
// send it again under another.
func NewReceiver(c ReceiverConfig) (*ingest.Handler, error) {
	verifier := ingest.HMAC{Header: "X-PagerDuty-Signature", Version: "v1", Secrets: c.Secrets}
	if err := verifier.Check(); err != nil {
		return nil, fmt.Errorf("pagerduty: Secrets: %w", err)
	}
	if c.Accept == nil {
		return nil, errors.New("pagerduty: Accept missing")
	}
	return ingest.New(ingest.Config{
		Name: provider, Verifier: verifier, Seen: c.Seen, Pending: c.Pending, Now: c.Now, MaxBody: maxHook,
		Read: func(r *http.Request, body []byte) ([]string, any, error) {
			e, err := ParseEvent(body)
			if err != nil {
				return nil, nil, err
			}
			if key := cmp.Or(e.ID, r.Header.Get("X-Webhook-Id")); key != "" {
				return []string{key}, e, nil
			}
			return nil, e, nil
		},
		Accept: func(ctx context.Context, d ingest.Delivery) error {
			e, ok := d.Value.(Event)
			if !ok {
				return errors.New("pagerduty: delivery without an event")
			}
			return c.Accept(ctx, e)
		},
	})
}
