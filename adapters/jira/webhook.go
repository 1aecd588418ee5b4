package jira

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// The headers of webhooks.
//
// https://developer.atlassian.com/cloud/jira/platform/webhooks/
const (
	headerSignature  = "X-Hub-Signature"
	headerIdentifier = "X-Atlassian-Webhook-Identifier"
	headerRetry      = "X-Atlassian-Webhook-Retry"
	headerFlow       = "X-Atlassian-Webhook-Flow"
)

// Signature verifies webhooks that an administrator has registered with a secret;
// any of the secrets may have been used. Webhooks of apps are not signed, see
// [JWT].
func Signature(secrets ...adapters.Secret) ingest.HMAC {
	return ingest.HMAC{Header: headerSignature, Version: "sha256", Secrets: secrets}
}

// NewReceiver completes a configuration of a receiver for webhooks of Jira and
// makes it. Verify and Accept are required; Name defaults to "jira", and Keys to
// the identifier that Jira sends with every attempt of a webhook, or a hash of the
// body where there is none. A body that is no webhook of Jira makes a 400.
//
// What Accept has stored is read by [Client.Event].
func NewReceiver(c ingest.Config) (*ingest.Handler, error) {
	if c.Name == "" {
		c.Name = provider
	}
	if c.Keys == nil {
		c.Keys = deliveryKeys
	}
	return ingest.New(c)
}

var errNoEvent = errors.New("not a webhook of jira: want an object with webhookEvent")

func deliveryKeys(r *http.Request, body []byte) ([]string, error) {
	var head struct {
		Event string `json:"webhookEvent"`
	}
	if json.Unmarshal(body, &head) != nil || head.Event == "" {
		return nil, errNoEvent
	}
	if id := r.Header.Get(headerIdentifier); id != "" {
		return []string{id}, nil
	}
	sum := sha256.Sum256(body)
	return []string{"sha256:" + hex.EncodeToString(sum[:])}, nil
}

// Event is a webhook.
type Event struct {
	ID    string    // the same on every attempt; "" where Jira sends none
	Type  string    // "jira:issue_created", "jira:issue_updated", "comment_created", …
	Retry int       // how often it was sent before
	Flow  string    // "Primary", "Secondary" for what follows from a bulk operation; "" on Data Center
	At    time.Time // when it happened
	Actor string    // account id or name of who did it; "" where Jira does not say
	// ByUs is set when the user who is signed in did it, which is known after the
	// first [Client.Verify] or list of changes.
	ByUs bool
	Ref  adapters.Ref // the issue; zero if it is about none
	// Ticket is the issue as it was sent; nil if it came without fields.
	Ticket  *adapters.Ticket
	Note    *adapters.Note // of comment_created and comment_updated
	Changes []Change       // of jira:issue_updated
	Raw     json.RawMessage
}

// payload is a webhook as Jira writes it.
type payload struct {
	Timestamp int64           `json:"timestamp"`
	Event     string          `json:"webhookEvent"`
	User      *sdk.User       `json:"user"`
	Issue     json.RawMessage `json:"issue"`
	Comment   json.RawMessage `json:"comment"`
	Changelog *struct {
		ID    string               `json:"id"`
		Items []sdk.ChangelogItems `json:"items"`
	} `json:"changelog"`
}

// Event reads a delivery. If a name in it has no pair in the configuration, or a
// part of it cannot be read, the rest of the event comes with the error; the raw
// body is always there.
func (c *Client) Event(d ingest.Delivery) (Event, error) {
	const op = "event"
	e := Event{ID: d.Header.Get(headerIdentifier), Flow: d.Header.Get(headerFlow), Raw: d.Body}
	if n, err := strconv.Atoi(d.Header.Get(headerRetry)); err == nil && n > 0 {
		e.Retry = n
	}
	var p payload
	if err := json.Unmarshal(d.Body, &p); err != nil || p.Event == "" {
		return e, c.fail(op, "", adapters.Invalid, "webhook cannot be read", errors.Join(errNoEvent, err))
	}
	e.Type = p.Event
	if p.Timestamp > 0 && p.Timestamp <= maxMilliseconds {
		e.At = time.UnixMilli(p.Timestamp).UTC()
	}
	who := p.User
	var problems []error
	if len(p.Comment) > 0 && string(p.Comment) != "null" {
		var o comment
		if err := json.Unmarshal(p.Comment, &o); err != nil {
			problems = append(problems, fmt.Errorf("comment: %w", err))
		} else {
			n := c.noteOf(o)
			e.Note = &n
			if who == nil {
				who = o.Author
			}
		}
	}
	e.Actor, e.ByUs = userID(who), c.known().is(who)
	if p.Changelog != nil {
		for _, change := range changesOf(sdk.ChangelogHistory{Id: p.Changelog.ID, Items: p.Changelog.Items}) {
			change.At, change.By = e.At, e.Actor
			e.Changes = append(e.Changes, change)
		}
	}
	if err := c.eventIssue(op, &e, p.Issue); err != nil {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return e, c.fail(op, e.Ref.Tenant, adapters.Invalid, "webhook cannot be read in part", err)
	}
	return e, nil
}

// eventIssue reads the issue of an event. Documents in place of texts, which some
// webhooks of apps have, are left to the raw body.
func (c *Client) eventIssue(op string, e *Event, raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var head struct {
		ID     string                     `json:"id"`
		Key    string                     `json:"key"`
		Fields map[string]json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	if !word(head.ID) || head.Key != "" && !word(head.Key) {
		return errors.New("issue: no id")
	}
	e.Ref = c.ref(c.config.Tenant, head.ID, head.Key, "", "")
	if len(head.Fields) == 0 {
		return nil
	}
	for _, name := range []string{"description", "environment"} {
		if text := head.Fields[name]; len(text) > 0 && text[0] != '"' {
			delete(head.Fields, name)
		}
	}
	read := c.fields()
	maps.DeleteFunc(head.Fields, func(name string, _ json.RawMessage) bool { return !slices.Contains(read, name) }) // others may have any form
	plain, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	i := issue{}
	if err := json.Unmarshal(plain, &i); err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	t, err := c.ticket(op, c.config.Tenant, i)
	e.Ticket, e.Ref = &t, t.Ref
	if t.Ref.IsZero() {
		e.Ticket, e.Ref = nil, c.ref(c.config.Tenant, head.ID, head.Key, "", "")
	}
	return err
}
