package pagerduty

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Subscription is an order of webhooks.
type Subscription struct {
	ID          string
	URL         string   // https; where they go
	Events      []string // of EventTypes; at least one
	Service     string   // id of a service whose events are wanted; at most one of the two is set,
	Team        string   // id of a team; and with none it is those of the account
	Description string
	Active      bool // false if somebody switched it off
	// Disabled is set while PagerDuty does not send because three events in a row were
	// refused; the events of that time are lost.
	Disabled bool
	// Secret signs the webhooks. PagerDuty tells it once, to who creates the
	// subscription.
	Secret adapters.Secret
}

type subscriptionRead struct {
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type"`
	Active   bool     `json:"active"`
	Text     string   `json:"description,omitempty"`
	Events   []string `json:"events"`
	Delivery struct {
		Type     string `json:"type"`
		URL      string `json:"url"`
		Secret   string `json:"secret,omitempty"`
		Disabled bool   `json:"temporarily_disabled,omitempty"`
	} `json:"delivery_method"`
	Filter struct {
		ID   string `json:"id,omitempty"`
		Type string `json:"type"`
	} `json:"filter"`
}

func (r subscriptionRead) subscription() Subscription {
	s := Subscription{
		ID: r.ID, URL: r.Delivery.URL, Events: r.Events, Description: r.Text, Active: r.Active,
		Disabled: r.Delivery.Disabled, Secret: adapters.NewSecret(r.Delivery.Secret),
	}
	switch r.Filter.Type {
	case "service_reference":
		s.Service = r.Filter.ID
	case "team_reference":
		s.Team = r.Filter.ID
	}
	return s
}

type subscriptionAnswer struct {
	Subscription subscriptionRead `json:"webhook_subscription"`
}

// Subscribe orders webhooks and returns the subscription with its secret, which has
// to be kept: it is not told again. Doing so twice makes two.
func (c *Client) Subscribe(ctx context.Context, s Subscription) (Subscription, error) {
	const op = "subscribe"
	if !strings.HasPrefix(s.URL, "https://") || len(s.Events) == 0 || s.Service != "" && s.Team != "" {
		return Subscription{}, refuse(op, "", adapters.Invalid, "want a URL with https, at least one event, and not both a service and a team")
	}
	w := subscriptionRead{Type: "webhook_subscription", Active: true, Text: s.Description, Events: s.Events}
	w.Delivery.Type, w.Delivery.URL = "http_delivery_method", s.URL
	w.Filter.Type = "account_reference"
	switch {
	case s.Service != "":
		w.Filter.ID, w.Filter.Type = s.Service, "service_reference"
	case s.Team != "":
		w.Filter.ID, w.Filter.Type = s.Team, "team_reference"
	}
	var answer subscriptionAnswer
	err := c.do(ctx, request{
		op: op, method: http.MethodPost, path: "/webhook_subscriptions", once: true, body: map[string]any{"webhook_subscription": w},
	}, &answer)
	return answer.Subscription.subscription(), err
}

// Subscriptions yields all subscriptions, without their secrets.
func (c *Client) Subscriptions(ctx context.Context) iter.Seq2[Subscription, error] {
	return func(yield func(Subscription, error) bool) {
		for r, err := range list[subscriptionRead](ctx, c, request{op: "subscriptions", path: "/webhook_subscriptions"}, "webhook_subscriptions") {
			if !yield(r.subscription(), err) || err != nil {
				return
			}
		}
	}
}

// Enable has PagerDuty send to a subscription again that it had stopped sending to.
func (c *Client) Enable(ctx context.Context, id string) error {
	return c.subscription(ctx, "enable", http.MethodPost, id, "/enable")
}

// Ping has PagerDuty send an event of type [Ping] to a subscription.
func (c *Client) Ping(ctx context.Context, id string) error {
	return c.subscription(ctx, "ping", http.MethodPost, id, "/ping")
}

// Unsubscribe ends a subscription. One that is not there is no error.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	err := c.subscription(ctx, "unsubscribe", http.MethodDelete, id, "")
	if errors.Is(err, adapters.NotFound) {
		return nil
	}
	return err
}

func (c *Client) subscription(ctx context.Context, op, method, id, action string) error {
	if id == "" {
		return refuse(op, "", adapters.Invalid, "id missing")
	}
	return c.do(ctx, request{op: op, method: method, path: "/webhook_subscriptions/" + url.PathEscape(id) + action}, nil)
}

// RepairSubscriptions enables those subscriptions to a URL that PagerDuty has stopped
// sending to, pings each, and returns them: what happened since then was not sent
// and has to be read, with [Client.Changes].
func (c *Client) RepairSubscriptions(ctx context.Context, to string) ([]Subscription, error) {
	var repaired []Subscription
	for s, err := range c.Subscriptions(ctx) {
		if err != nil {
			return repaired, err
		}
		if s.URL != to || !s.Disabled {
			continue
		}
		if err := c.Enable(ctx, s.ID); err != nil {
			return repaired, err
		}
		if err := c.Ping(ctx, s.ID); err != nil {
			return repaired, err
		}
		repaired = append(repaired, s)
	}
	return repaired, nil
}
