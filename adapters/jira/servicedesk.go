package jira

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// The API of service management, which has times and lengths of its own.
//
// https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/
type (
	deskTime struct {
		Millis int64 `json:"epochMillis"`
	}
	deskSpan struct {
		Millis int64 `json:"millis"`
	}
	deskCycle struct {
		Start     *deskTime `json:"startTime"`
		Stop      *deskTime `json:"stopTime"`
		Breach    *deskTime `json:"breachTime"`
		Breached  bool      `json:"breached"`
		Paused    bool      `json:"paused"`
		Goal      *deskSpan `json:"goalDuration"`
		Elapsed   *deskSpan `json:"elapsedTime"`
		Remaining *deskSpan `json:"remainingTime"`
	}
)

func (t *deskTime) time() time.Time {
	if t == nil {
		return time.Time{}
	}
	return time.UnixMilli(t.Millis).UTC()
}

func (s *deskSpan) length() time.Duration {
	if s == nil {
		return 0
	}
	return time.Duration(s.Millis) * time.Millisecond
}

// desk checks that the project is one of a service desk.
func (c *Client) desk(op string, ref adapters.Ref) (string, error) {
	id, err := c.issueID(op, ref)
	if err == nil && !c.config.ServiceDesk {
		err = c.fail(op, ref.Tenant, adapters.Unsupported, "project is not configured as a service desk", nil)
	}
	return id, err
}

// Clocks reads the clocks of a request: for each of its targets the cycles that
// have ended, oldest first as Jira gives them, and then the one that runs. Goal,
// elapsed and remaining time are working time of the target's calendar.
//
// https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/#api-rest-servicedeskapi-request-issueidorkey-sla-get
func (c *Client) Clocks(ctx context.Context, ref adapters.Ref) ([]adapters.Clock, error) {
	const op = "clocks"
	id, err := c.desk(op, ref)
	if err != nil {
		return nil, err
	}
	var clocks []adapters.Clock
	for start := 0; ; {
		var page struct {
			Values []struct {
				Name      string      `json:"name"`
				Ongoing   *deskCycle  `json:"ongoingCycle"`
				Completed []deskCycle `json:"completedCycles"`
			} `json:"values"`
			Last bool `json:"isLastPage"`
		}
		_, err := c.do(ctx, request{
			op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/servicedeskapi/request/{issue}/sla", args: []string{id},
			query: url.Values{"start": {strconv.Itoa(start)}, "limit": {"50"}}, repeatable: true, into: &page,
		})
		if err != nil {
			return nil, err
		}
		for _, v := range page.Values {
			cycles := v.Completed
			if v.Ongoing != nil {
				cycles = append(cycles, *v.Ongoing)
			}
			for _, o := range cycles {
				clocks = append(clocks, adapters.Clock{
					Name: v.Name, Start: o.Start.time(), Stop: o.Stop.time(), Breach: o.Breach.time(), Breached: o.Breached, Paused: o.Paused,
					Goal: o.Goal.length(), Elapsed: o.Elapsed.length(), Remaining: o.Remaining.length(),
				})
			}
		}
		start += len(page.Values)
		if page.Last || len(page.Values) == 0 {
			return clocks, nil
		}
	}
}

// CustomerRequest is a request as customers see it.
type CustomerRequest struct {
	Ref         adapters.Ref
	ServiceDesk string // ids
	Type        string
	Reporter    string // account id or name
	Status      string
	Category    string // of the status, "NEW", "INDETERMINATE", "DONE"; "" on Data Center
	Since       time.Time
	Fields      []RequestField
}

// RequestField is one answer on the form of a request. The value is that of JSON:
// a text, but also an object or a list.
type RequestField struct {
	ID    string `json:"fieldId"`
	Label string `json:"label"`
	Value any    `json:"value"`
}

// deskRequest is a request as Jira gives it; that of the SDK takes texts alone.
type deskRequest struct {
	ID       string         `json:"issueId"`
	Key      string         `json:"issueKey"`
	Desk     string         `json:"serviceDeskId"`
	Type     string         `json:"requestTypeId"`
	Fields   []RequestField `json:"requestFieldValues"`
	Reporter struct {
		AccountID string `json:"accountId"`
		Name      string `json:"name"`
	} `json:"reporter"`
	Status struct {
		Status   string    `json:"status"`
		Category string    `json:"statusCategory"`
		Date     *deskTime `json:"statusDate"`
	} `json:"currentStatus"`
}

func (c *Client) customerRequest(tenant string, r deskRequest) CustomerRequest {
	reporter := r.Reporter.AccountID
	if reporter == "" {
		reporter = r.Reporter.Name
	}
	return CustomerRequest{
		Ref: c.ref(tenant, r.ID, r.Key, "", ""), ServiceDesk: r.Desk, Type: r.Type, Reporter: reporter,
		Status: r.Status.Status, Category: r.Status.Category, Since: r.Status.Date.time(), Fields: r.Fields,
	}
}

// Request reads an issue as a customer request.
func (c *Client) Request(ctx context.Context, ref adapters.Ref) (CustomerRequest, error) {
	const op = "request"
	id, err := c.desk(op, ref)
	if err != nil {
		return CustomerRequest{}, err
	}
	var r deskRequest
	if _, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/servicedeskapi/request/{issue}", args: []string{id}, repeatable: true, into: &r,
	}); err != nil {
		return CustomerRequest{}, err
	}
	return c.customerRequest(ref.Tenant, r), nil
}

// NewRequest is a request that is to be made.
type NewRequest struct {
	Tenant       string
	ServiceDesk  string         // its id
	Type         string         // id of the request type
	Fields       map[string]any // by id, "summary", "customfield_10010"; values of JSON
	OnBehalfOf   string         // account id or name; "" for the user who is signed in
	Participants []string
}

// CreateRequest makes a request through a form of the portal, for what depends on
// its type; [Client.Open] is for everything else. A request has no place for a key
// before it exists, so a lost answer is [adapters.OutcomeUnknown] and somebody has
// to look.
func (c *Client) CreateRequest(ctx context.Context, n NewRequest) (adapters.Ref, error) {
	const op = "create_request"
	switch {
	case !c.config.ServiceDesk:
		return adapters.Ref{}, c.fail(op, n.Tenant, adapters.Unsupported, "project is not configured as a service desk", nil)
	case n.ServiceDesk == "" || n.Type == "":
		return adapters.Ref{}, c.fail(op, n.Tenant, adapters.Invalid, "service desk and type of the request missing", nil)
	}
	body := map[string]any{"serviceDeskId": n.ServiceDesk, "requestTypeId": n.Type, "requestFieldValues": n.Fields}
	if n.OnBehalfOf != "" {
		body["raiseOnBehalfOf"] = n.OnBehalfOf
	}
	if len(n.Participants) > 0 {
		body["requestParticipants"] = n.Participants
	}
	var r deskRequest
	if _, err := c.do(ctx, request{op: op, tenant: n.Tenant, method: http.MethodPost, route: "rest/servicedeskapi/request", body: body, into: &r}); err != nil {
		return adapters.Ref{}, err
	}
	if !word(r.ID) {
		return adapters.Ref{}, c.unread(op, n.Tenant, "request without an id")
	}
	return c.ref(n.Tenant, r.ID, r.Key, "", ""), nil
}

// RequestTransition is a step that customers may take with a request.
type RequestTransition struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// RequestTransitions lists the steps that the user who is signed in may take as a
// customer.
func (c *Client) RequestTransitions(ctx context.Context, ref adapters.Ref) ([]RequestTransition, error) {
	const op = "request_transitions"
	id, err := c.desk(op, ref)
	if err != nil {
		return nil, err
	}
	var list []RequestTransition
	for {
		var page struct {
			Values []RequestTransition `json:"values"`
			Last   bool                `json:"isLastPage"`
		}
		if _, err := c.do(ctx, request{
			op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/servicedeskapi/request/{issue}/transition", args: []string{id},
			query: url.Values{"start": {strconv.Itoa(len(list))}, "limit": {"50"}}, repeatable: true, into: &page,
		}); err != nil {
			return nil, err
		}
		list = append(list, page.Values...)
		if page.Last || len(page.Values) == 0 {
			return list, nil
		}
	}
}

// TakeRequestTransition takes one of the steps, with a comment that customers see
// unless it is "". A lost answer is [adapters.OutcomeUnknown]: read the request.
func (c *Client) TakeRequestTransition(ctx context.Context, ref adapters.Ref, transition, comment string) error {
	const op = "take_request_transition"
	id, err := c.desk(op, ref)
	if err != nil {
		return err
	}
	body := map[string]any{"id": transition}
	if comment != "" {
		text, _ := fit(comment, maxText, cutMark)
		body["additionalComment"] = map[string]any{"body": text}
	}
	_, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/servicedeskapi/request/{issue}/transition", args: []string{id}, body: body, issue: id,
	})
	return err
}

// deskComment writes a comment that is internal or public, which the platform
// cannot, and adds its key.
//
// https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/#api-rest-servicedeskapi-request-issueidorkey-comment-post
func (c *Client) deskComment(ctx context.Context, op string, ref adapters.Ref, n adapters.Note, text string) error {
	var made struct {
		ID string `json:"id"`
	}
	_, err := c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/servicedeskapi/request/{issue}/comment", args: []string{ref.ID},
		body: map[string]any{"body": text, "public": n.Public}, issue: ref.ID, into: &made,
	})
	if err != nil || n.Key == "" {
		return err
	}
	return c.markComment(ctx, op, ref, made.ID, n.Key)
}

// markComment adds a key to a comment.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-comment-properties/
func (c *Client) markComment(ctx context.Context, op string, ref adapters.Ref, comment, key string) error {
	if !word(comment) {
		return c.unread(op, ref.Tenant, "comment without an id")
	}
	_, err := c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPut, route: "rest/api/2/comment/{comment}/properties/{key}", args: []string{comment, c.config.Property},
		body: map[string]any{"key": key}, issue: ref.ID, repeatable: true,
	})
	return err
}
