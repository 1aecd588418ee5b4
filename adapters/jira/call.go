package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// request is one call of the API.
type request struct {
	op, tenant string
	method     string
	route      string   // with {names} where args go; also the name of the bucket
	args       []string // of the route, in its order
	query      url.Values
	body       any    // JSON, unless it is a form
	issue      string // that is written to, "" for none
	repeatable bool
	into       any // decoded if there is a body; nil ignores it
}

// form data of a request, instead of JSON.
type multipartBody struct {
	content     []byte
	contentType string
}

// do makes one call. The record is never nil.
func (c *Client) do(ctx context.Context, r request) (*resilience.Call, error) {
	if r.tenant == "" {
		r.tenant = c.config.Tenant
	}
	buckets := c.buckets(r)
	ctx, call := c.transport.Begin(ctx, resilience.Op{
		Name: r.op, Tenant: r.tenant, Repeatable: r.repeatable, Buckets: buckets,
		Judge: func(status int, header http.Header, _ []byte, v resilience.Verdict) resilience.Verdict {
			if status == http.StatusTooManyRequests && header != nil {
				header.Set(headerBucket, spent(header.Get(headerReason), buckets))
			}
			return v
		},
	})
	httpRequest, err := c.build(ctx, r)
	if err != nil {
		return call, c.fail(r.op, r.tenant, adapters.Invalid, "request cannot be written", err)
	}
	response, err := c.sdk.Do(httpRequest, r.into)
	if response != nil && response.Response != nil {
		// The SDK leaves the body open unless it decodes it, and a connection whose body
		// is open is not used again.
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return call, call.Err(err)
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	path := r.route
	for _, arg := range r.args {
		before, rest, ok := strings.Cut(path, "{")
		_, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return nil, fmt.Errorf("route %q has no place for %q", r.route, arg)
		}
		path = before + url.PathEscape(arg) + after
	}
	if len(r.query) > 0 {
		path += "?" + r.query.Encode()
	}
	var httpRequest *http.Request
	var err error
	if form, ok := r.body.(multipartBody); ok {
		if httpRequest, err = c.sdk.NewRawRequestWithContext(ctx, r.method, path, strings.NewReader(string(form.content))); err == nil {
			httpRequest.Header.Set("Content-Type", form.contentType)
			// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-attachments/
			httpRequest.Header.Set("X-Atlassian-Token", "no-check")
		}
	} else {
		httpRequest, err = c.sdk.NewRequestWithContext(ctx, r.method, path, r.body)
	}
	if err != nil {
		return nil, err
	}
	httpRequest.Header.Set("Accept", "application/json")
	if strings.HasPrefix(r.route, "rest/servicedeskapi/") {
		// Data Center refuses some of these calls without it.
		// https://docs.atlassian.com/jira-servicedesk/REST/5.12.0/
		httpRequest.Header.Set("X-ExperimentalApi", "opt-in")
	}
	if r.body == nil {
		httpRequest.Header.Del("Content-Type")
	}
	return httpRequest, nil
}

// headerReason says which of its limits Jira applied.
//
// https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
const headerReason = "RateLimit-Reason"

// headerBucket is where the name of the bucket goes from where a call is known to
// where its error is made. It is a header of the answer and never sent.
const headerBucket = "X-Evenkeel-Bucket"

// buckets are the allowances of a call, of which Jira has three at a time: points
// of the site by the hour, calls of method and route by the second, and writes to
// one issue.
func (c *Client) buckets(r request) []resilience.Bucket {
	limits := Limits{}
	c.mu.Lock()
	cloud := c.deployment != DataCenter
	c.mu.Unlock()
	switch {
	case c.config.Limits != nil:
		limits = *c.config.Limits
	case cloud:
		limits = CloudLimits()
	}
	route := limits.Read
	if r.method == http.MethodPut || r.method == http.MethodDelete {
		route = limits.Write
	}
	host := c.base.Host
	if _, elsewhere, ok := strings.Cut(r.route, "://"); ok { // with allowances of its own
		host, _, _ = strings.Cut(elsewhere, "/")
	}
	route.Name = host + " " + r.method + " " + r.route
	buckets := []resilience.Bucket{route, {Name: host}}
	if r.issue != "" {
		limits.Issue.Name = host + " issue " + r.issue
		buckets = append(buckets, limits.Issue)
	}
	return buckets
}

// spent names the bucket that a reason is about. Data Center gives none and counts
// by user, whatever the route.
func spent(reason string, buckets []resilience.Bucket) string {
	switch {
	case reason == "jira-per-issue-on-write" && len(buckets) > 2:
		return buckets[2].Name
	case reason == "" || strings.HasPrefix(reason, "jira-quota-"):
		return buckets[1].Name
	default:
		return buckets[0].Name
	}
}

// fail is an error for a reason of our own; nothing was sent.
func (c *Client) fail(op, tenant string, kind adapters.Kind, message string, cause error) error {
	if tenant == "" {
		tenant = c.config.Tenant
	}
	e := &adapters.Error{Provider: provider, Op: op, Tenant: tenant, Kind: kind, Message: message, Err: cause}
	if cause == nil {
		e.Err = errors.New(message)
	}
	return e
}

// unread is an answer to a write that says too little.
func (c *Client) unread(op, tenant, message string) error {
	return &adapters.Error{
		Provider: provider, Op: op, Tenant: tenant, Kind: adapters.BadResponse, Message: message, MayHaveApplied: true, Attempts: 1, Err: errors.New(message),
	}
}

// issueID returns what the API takes for a reference of ours.
func (c *Client) issueID(op string, ref adapters.Ref) (string, error) {
	if ref.Provider != provider || !word(ref.ID) {
		return "", c.fail(op, ref.Tenant, adapters.Invalid, fmt.Sprintf("reference to %q of %q: want an issue of jira", ref.ID, ref.Provider), nil)
	}
	return ref.ID, nil
}

// word reports whether a text is an id or a key, which is the same in a path, in
// JQL and in a log.
func word(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// The forms of errors: those of the platform, and those of service management.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/intro/#status-codes
type problem struct {
	Messages []string        `json:"errorMessages"`
	Errors   json.RawMessage `json:"errors"` // an object by field; a list in answers to bulk creates
	Message  string          `json:"errorMessage"`
	Simple   string          `json:"message"`
}

// decodeError adds what Jira says. Its code is the reason of a limit; Jira has no
// others.
func decodeError(e *adapters.Error, status int, header http.Header, body []byte) {
	for _, name := range []string{"Atl-Traceid", "X-Arequestid", "X-Request-Id"} {
		if id := header.Get(name); id != "" {
			e.RequestID = clip(id, 100)
			break
		}
	}
	if status == http.StatusTooManyRequests {
		e.Code, e.Bucket = clip(header.Get(headerReason), 100), header.Get(headerBucket)
	}
	var p problem
	if json.Unmarshal(body, &p) != nil {
		return
	}
	e.Details = append(e.Details, p.details()...)
	switch {
	case len(p.Messages) > 0:
		e.Message = clip(strings.Join(p.Messages, "; "), 1000)
	case p.Message != "":
		e.Message = clip(p.Message, 1000)
	case p.Simple != "":
		e.Message = clip(p.Simple, 1000)
	case len(e.Details) > 0:
		e.Message, e.Details = e.Details[0], e.Details[1:]
	}
}

// details are the messages by field, sorted.
func (p problem) details() []string {
	var fields map[string]string
	if len(p.Errors) == 0 || json.Unmarshal(p.Errors, &fields) != nil {
		return nil
	}
	var list []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, clip(field+": "+fields[field], 1000))
	}
	return list
}
