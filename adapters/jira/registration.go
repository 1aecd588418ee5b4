package jira

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// hookMargin is how long before they end webhooks are refreshed; they live for 30
// days after each time.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-webhooks/
const hookMargin = 15 * 24 * time.Hour

// Hook is a webhook of an app.
type Hook struct {
	ID      int64     // only Jira sets it
	Events  []string  // "jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", …
	JQL     string    // which issues; required
	Fields  []string  // ids of fields whose changes count; none: all
	URL     string    // only Jira sets it
	Expires time.Time // only Jira sets it
}

// hook is a webhook as Jira writes it.
type hook struct {
	ID      int64    `json:"id,omitempty"`
	Events  []string `json:"events"`
	JQL     string   `json:"jqlFilter"`
	Fields  []string `json:"fieldIdsFilter,omitempty"`
	URL     string   `json:"url,omitempty"`
	Expires int64    `json:"expirationDate,omitempty"` // milliseconds
}

// Registration is what keeping webhooks came to.
type Registration struct {
	Registered []int64
	Refreshed  []int64
	Removed    []int64
	Expires    time.Time // when the first of them ends if nobody refreshes it
}

// KeepWebhooks brings the webhooks of the app to what is wanted: those that are
// missing are registered, those of its other URLs or with other events, queries or
// fields are removed, and those that end within half of their 30 days are
// refreshed. It has to be called about once a week. Cloud only, and only for the
// credential of an app.
func (c *Client) KeepWebhooks(ctx context.Context, receiver string, wanted ...Hook) (Registration, error) {
	const op = "keep_webhooks"
	if u, err := url.Parse(receiver); err != nil || u.Scheme != "https" || u.Host == "" {
		return Registration{}, c.fail(op, "", adapters.Invalid, "receiver: want an absolute https URL", nil)
	}
	for i, w := range wanted {
		if len(w.Events) == 0 || w.JQL == "" {
			return Registration{}, c.fail(op, "", adapters.Invalid, fmt.Sprintf("webhook %d: events and query missing", i), nil)
		}
	}
	there, err := c.Webhooks(ctx)
	if err != nil {
		return Registration{}, err
	}
	var done Registration
	missing := slices.Clone(wanted)
	now := c.config.Now()
	for _, h := range there {
		i := slices.IndexFunc(missing, func(w Hook) bool { return h.URL == receiver && h.same(w) })
		if i < 0 {
			done.Removed = append(done.Removed, h.ID)
			continue
		}
		missing = slices.Delete(missing, i, i+1)
		if h.Expires.Sub(now) < hookMargin {
			done.Refreshed = append(done.Refreshed, h.ID)
		} else {
			done.Expires = earliest(done.Expires, h.Expires)
		}
	}
	if len(missing) > 0 {
		if done.Registered, err = c.registerHooks(ctx, op, receiver, missing); err != nil {
			return Registration{Registered: done.Registered}, err
		}
		done.Expires = earliest(done.Expires, now.Add(30*24*time.Hour))
	}
	if len(done.Refreshed) > 0 {
		until, err := c.RefreshWebhooks(ctx, done.Refreshed...)
		if err != nil {
			return Registration{Registered: done.Registered}, err
		}
		done.Expires = earliest(done.Expires, until)
	}
	if len(done.Removed) > 0 {
		_, err = c.do(ctx, request{op: op, method: http.MethodDelete, route: "rest/api/2/webhook", body: map[string]any{"webhookIds": done.Removed}, repeatable: true})
	}
	return done, err
}

// same compares what can be wanted, whatever the order.
func (h Hook) same(o Hook) bool {
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	return h.JQL == o.JQL && slices.Equal(sorted(h.Events), sorted(o.Events)) && slices.Equal(sorted(h.Fields), sorted(o.Fields))
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// registerHooks registers webhooks, of which Jira refuses single ones within an
// answer of 200. A lost answer is not repeated: the next call finds what is there.
func (c *Client) registerHooks(ctx context.Context, op, receiver string, wanted []Hook) ([]int64, error) {
	list := make([]hook, len(wanted))
	for i, w := range wanted {
		list[i] = hook{Events: w.Events, JQL: w.JQL, Fields: w.Fields}
	}
	var answer struct {
		Results []struct {
			ID     int64    `json:"createdWebhookId"`
			Errors []string `json:"errors"`
		} `json:"webhookRegistrationResult"`
	}
	_, err := c.do(ctx, request{op: op, method: http.MethodPost, route: "rest/api/2/webhook", body: map[string]any{"url": receiver, "webhooks": list}, into: &answer})
	if err != nil {
		return nil, err
	}
	var ids []int64
	var refused []string
	for i, r := range answer.Results {
		if r.ID != 0 {
			ids = append(ids, r.ID)
		}
		if len(r.Errors) > 0 {
			refused = append(refused, clip("webhook "+strconv.Itoa(i)+": "+strings.Join(r.Errors, "; "), 1000))
		}
	}
	if len(refused) > 0 {
		e := &adapters.Error{
			Provider: provider, Op: op, Tenant: c.config.Tenant, Kind: adapters.Invalid, Status: http.StatusOK, Attempts: 1,
			Message: refused[0], Details: refused[1:], Err: errors.New("webhooks refused"),
		}
		return ids, e
	}
	return ids, nil
}

// Webhooks lists the webhooks of the app.
func (c *Client) Webhooks(ctx context.Context) ([]Hook, error) {
	const op = "webhooks"
	cloud, err := c.cloud(ctx)
	if err != nil {
		return nil, err
	}
	if !cloud {
		return nil, c.fail(op, "", adapters.Unsupported, "webhooks are registered by an administrator on Data Center", nil)
	}
	var all []Hook
	for {
		var page struct {
			Values []hook `json:"values"`
			IsLast bool   `json:"isLast"`
		}
		if _, err := c.do(ctx, request{
			op: op, method: http.MethodGet, route: "rest/api/2/webhook", repeatable: true, into: &page,
			query: url.Values{"startAt": {strconv.Itoa(len(all))}, "maxResults": {strconv.Itoa(pageSize)}},
		}); err != nil {
			return nil, err
		}
		for _, h := range page.Values {
			o := Hook{ID: h.ID, Events: h.Events, JQL: h.JQL, Fields: h.Fields, URL: h.URL}
			if h.Expires > 0 && h.Expires <= maxMilliseconds {
				o.Expires = time.UnixMilli(h.Expires).UTC()
			}
			all = append(all, o)
		}
		if page.IsLast || len(page.Values) == 0 {
			return all, nil
		}
	}
}

// RefreshWebhooks lets webhooks live for another 30 days, and returns until when.
func (c *Client) RefreshWebhooks(ctx context.Context, ids ...int64) (time.Time, error) {
	var answer struct {
		Expires deskMillis `json:"expirationDate"`
	}
	_, err := c.do(ctx, request{
		op: "refresh_webhooks", method: http.MethodPut, route: "rest/api/2/webhook/refresh", body: map[string]any{"webhookIds": ids}, repeatable: true, into: &answer,
	})
	return time.Time(answer.Expires), err
}

// deskMillis is an instant as milliseconds or as a text, of which documents of Jira
// have both for one field.
type deskMillis time.Time

// UnmarshalJSON reads either form.
func (m *deskMillis) UnmarshalJSON(text []byte) error {
	plain := strings.Trim(string(text), `"`)
	if ms, err := strconv.ParseInt(plain, 10, 64); err == nil {
		*m = deskMillis(time.UnixMilli(ms).UTC())
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.999-0700"} {
		if at, err := time.Parse(layout, plain); err == nil {
			*m = deskMillis(at.UTC())
			return nil
		}
	}
	return fmt.Errorf("instant %q: want milliseconds or RFC 3339", clip(plain, 50))
}

// FailedWebhook is a delivery that Jira gave up.
type FailedWebhook struct {
	ID     string // the identifier of the delivery
	URL    string
	Body   string // "" if Jira no longer has it
	Failed time.Time
}

// FailedWebhooks lists what Jira could not deliver within the last 72 hours, oldest
// first, after an instant, zero for all: what a receiver has missed while it was
// away.
func (c *Client) FailedWebhooks(ctx context.Context, after time.Time) ([]FailedWebhook, error) {
	const op = "failed_webhooks"
	var all []FailedWebhook
	query := url.Values{"maxResults": {strconv.Itoa(pageSize)}}
	if !after.IsZero() {
		query.Set("after", strconv.FormatInt(after.UnixMilli(), 10))
	}
	for {
		var page struct {
			Values []struct {
				ID     string `json:"id"`
				Body   string `json:"body"`
				URL    string `json:"url"`
				Failed int64  `json:"failureTime"`
			} `json:"values"`
			Next string `json:"next"`
		}
		if _, err := c.do(ctx, request{op: op, method: http.MethodGet, route: "rest/api/2/webhook/failed", query: query, repeatable: true, into: &page}); err != nil {
			return nil, err
		}
		for _, v := range page.Values {
			all = append(all, FailedWebhook{ID: v.ID, URL: v.URL, Body: v.Body, Failed: time.UnixMilli(v.Failed).UTC()})
		}
		last := query.Get("after")
		if len(page.Values) == 0 || page.Next == "" || strconv.FormatInt(page.Values[len(page.Values)-1].Failed, 10) == last {
			return all, nil
		}
		query.Set("after", strconv.FormatInt(page.Values[len(page.Values)-1].Failed, 10))
	}
}
