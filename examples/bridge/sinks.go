package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/examples/internal/ticketing"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// sink is a system that takes requests. A request that is made again does no more
// than the first.
type sink interface {
	send(ctx context.Context, r request) error
}

// newSinks returns the sinks of the configuration by name.
func newSinks(b config.Bridge, ledger adapters.Ledger) (map[string]sink, error) {
	sinks := map[string]sink{}
	var problems []error
	add := func(name string, s sink, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("sinks.%s: %w", name, err))
		}
		sinks[name] = s
	}
	if c := b.PagerDuty; c != nil {
		events, err := ticketing.PagerDuty(c, "evenkeel bridge")
		add("pagerduty", alarms{events}, err)
	}
	if c := b.Jira; c != nil {
		client, err := ticketing.Jira(c, b.States, ledger)
		add("jira", tickets{client, ledger}, err)
	}
	if c := b.ServiceNow; c != nil {
		client, err := ticketing.ServiceNow(c, b.States, ledger)
		add("servicenow", tickets{client, ledger}, err)
	}
	if c := b.SMTP; c != nil {
		mail, err := notify.NewEmail(notify.EmailConfig{
			Host: c.Host, Port: c.Port, From: c.From, Username: c.User, Password: c.Password, Security: notify.Security(c.Security),
		})
		var to []notify.Target
		for _, address := range c.To {
			to = append(to, notify.Target{Recipient: address, Channel: comms.Email, Address: address})
		}
		add("smtp", messages{mail, to, b.Contacts}, err)
	}
	if c := b.Slack; c != nil {
		hook, err := notify.NewSlackWebhook(notify.SlackWebhookConfig{URLs: map[string]adapters.Secret{"": c.URL}})
		add("slack", messages{hook, []notify.Target{{Recipient: "slack", Channel: comms.Slack}}, nil}, err)
	}
	if c := b.Webhook; c != nil {
		endpoint := notify.Endpoint{URL: adapters.NewSecret(c.URL), Secret: c.Secret}
		hook, err := notify.NewWebhook(notify.WebhookConfig{
			Endpoint:  func(context.Context, string, string) (notify.Endpoint, bool, error) { return endpoint, true, nil },
			Transport: resilience.NewBase(nil), // the URL is the operator's
		})
		add("webhook", messages{hook, []notify.Target{{Recipient: "webhook", Channel: comms.Webhook, Address: "webhook"}}, nil}, err)
	}
	return sinks, errors.Join(problems...)
}

// alarms is the sink of the Events API, where a key is all there is: a trigger opens
// an alert or adds to the open one, and a resolve ends it.
type alarms struct{ events *pagerduty.Events }

func (s alarms) send(ctx context.Context, r request) error {
	ref := pagerduty.AlertRef(r.Tenant, "", r.Key)
	switch r.Action {
	case "trigger":
		_, err := s.events.Open(ctx, r.Ticket)
		return err
	case "acknowledge":
		return s.events.Acknowledge(ctx, ref, r.Ticket.Assignee)
	default:
		return s.events.Resolve(ctx, ref, adapters.Resolution{})
	}
}

// ticketSystem is what a system of tickets has to be able to do.
type ticketSystem interface {
	adapters.Opener
	adapters.Reader
	adapters.Acknowledger
	adapters.Finder
	adapters.Resolver
	adapters.Reopener
}

// tickets is a sink that opens tickets and resolves them. The ledger knows which
// ticket is whose.
type tickets struct {
	system ticketSystem
	ledger adapters.Ledger
}

func (s tickets) send(ctx context.Context, r request) error {
	entry, known, err := s.ledger.Look(ctx, r.Tenant, r.Key)
	if err != nil {
		return err
	}
	ref := entry.Ref
	if !known || !entry.Settled() {
		ref, err = s.system.Find(ctx, r.Tenant, r.Key)
	}
	switch {
	case r.Action == "trigger" && errors.Is(err, adapters.NotFound):
		if ref, err = s.system.Open(ctx, r.Ticket); err == nil {
			err = s.ledger.Settle(ctx, r.Tenant, r.Key, ref)
		}
		return err
	case err != nil:
		return err
	case r.Action == "trigger": // it was opened for an earlier time at which the alert fired
		again, err := s.system.Reopen(ctx, ref, r.Ticket.Title)
		if err == nil && !again.Same(ref) {
			err = s.ledger.Settle(ctx, r.Tenant, r.Key, again)
		}
		return err
	case r.Action == "acknowledge":
		if err = s.system.Acknowledge(ctx, ref, r.Ticket.Assignee); errors.Is(err, adapters.Conflict) {
			return nil // it has ended meanwhile
		}
		return err
	default:
		return s.system.Resolve(ctx, ref, adapters.Resolution{Text: "The alert is over: " + r.Ticket.Title})
	}
}

// messages is a sink that tells people.
type messages struct {
	sender notify.Sender
	to     []notify.Target
	emails map[string]string // by person, for those who are told alone
}

func (s messages) send(ctx context.Context, r request) error {
	subject := r.Ticket.Title
	switch r.Action {
	case "trigger":
		subject = strings.ToUpper(r.Severity) + " " + subject
	case "acknowledge":
		subject = strings.TrimSuffix("Acknowledged by "+r.Ticket.Assignee, " by ") + ": " + subject
	case "resolve":
		subject = "Resolved: " + subject
	}
	to := s.to
	if address := s.emails[r.Person]; address != "" {
		to = []notify.Target{{Recipient: r.Person, Channel: comms.Email, Address: address}}
	}
	m := notify.Message{
		Key: r.Key + "-" + r.Action + "-" + r.At.UTC().Format("20060102T150405.000000000"), Tenant: r.Tenant, Thread: r.Key,
		Subject: subject, Text: r.Ticket.Text, At: r.At, To: to,
	}
	if m.Text == "" {
		m.Text = subject
	}
	if len(r.Ticket.Links) > 0 {
		m.Link = r.Ticket.Links[0].URL
	}
	var problems []error
	for _, result := range s.sender.Send(ctx, m) {
		problems = append(problems, result.Err)
	}
	return errors.Join(problems...)
}

// statusOf returns the status of the answer that an error is about.
func statusOf(err error) *int {
	if e, ok := errors.AsType[*adapters.Error](err); ok && e.Status != 0 {
		return &e.Status
	}
	return nil
}
