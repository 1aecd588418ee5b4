package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/servicenow"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/sync"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// answer is what became of a ticket at a sink.
type answer struct {
	sink, key string
	state     adapters.State
	by        string
	at        time.Time // when the ticket came to that state, by the vendor's clock
}

// link is what a ticket is about now, kept under its key.
type link struct {
	Tenant   string          `json:"tenant"`
	Incident string          `json:"incident"`
	Request  request         `json:"request"`
	Ticket   adapters.Ticket `json:"ticket"`
}

// links are the tenant under which links are kept: who answers knows the key alone.
const links = "bridge"

func linkName(key string) string { return "ticket/" + key }

// keepsTickets reports whether a sink has tickets, which are open until somebody ends them.
func keepsTickets(sink string) bool {
	return sink == "pagerduty" || sink == "jira" || sink == "servicenow"
}

// answering reports whether a sink tells what people do there.
func (in *inputs) answering(sink string) bool {
	switch b := &in.bridge; sink {
	case "pagerduty":
		return !b.PagerDuty.WebhookSecret.IsZero()
	case "jira":
		return !b.Jira.WebhookSecret.IsZero()
	case "servicenow":
		return !b.ServiceNow.WebhookSecret.IsZero()
	default:
		return false
	}
}

// answers returns the receivers of what people do at sinks, by path.
func (s *server) answers() (map[string]http.Handler, error) {
	handlers := map[string]http.Handler{}
	var problems []error
	for _, sink := range s.bridge.SinkNames() {
		if !s.answering(sink) {
			continue
		}
		var h http.Handler
		var err error
		switch sink {
		case "pagerduty":
			h, err = pagerduty.NewReceiver(pagerduty.ReceiverConfig{Secrets: []adapters.Secret{s.bridge.PagerDuty.WebhookSecret}, Accept: s.fromPagerDuty})
		case "jira":
			h, err = jira.NewReceiver(ingest.Config{Verifier: jira.Signature(s.bridge.Jira.WebhookSecret), Accept: s.fromJira})
		case "servicenow":
			client := s.sinks[sink].(tickets).system.(*servicenow.Client)
			h, err = client.NewReceiver(servicenow.ReceiverConfig{
				Secrets: []adapters.Secret{s.bridge.ServiceNow.WebhookSecret},
				Accept:  func(ctx context.Context, e servicenow.Event) error { return s.read(ctx, sink, e.Ticket.Ref, e.By) },
			})
		}
		problems = append(problems, err)
		handlers["POST /"+sink] = h
	}
	return handlers, errors.Join(problems...)
}

// fromPagerDuty takes the status out of the event, as a routing key reads nothing. The
// key of an incident is that of the alert that opened it.
func (s *server) fromPagerDuty(ctx context.Context, e pagerduty.Event) error {
	var data struct {
		Key string `json:"incident_key"`
	}
	// An alert that its integration has ended was ended by us. As PagerDuty works through
	// events in its own time, this may be told when the alert fires again already.
	byUs := strings.HasSuffix(e.Agent.Type, "inbound_integration_reference")
	if e.Status == "" || byUs { // or it is about no incident
		return nil
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return s.unread(ctx, "pagerduty", err)
	}
	state := map[string]adapters.State{"acknowledged": adapters.StateAcknowledged, "resolved": adapters.StateResolved}[e.Status]
	return s.answered(ctx, answer{
		sink: "pagerduty", key: data.Key, state: cmp.Or(s.bridge.States[e.Status], state), by: cmp.Or(e.Agent.Summary, e.Agent.ID), at: e.At,
	})
}

func (s *server) fromJira(ctx context.Context, d ingest.Delivery) error {
	client := s.sinks["jira"].(tickets).system.(*jira.Client)
	e, err := client.Event(d)
	if e.Ref.IsZero() && err == nil { // it is about no issue
		return nil
	}
	if e.Ref.IsZero() {
		return s.unread(ctx, "jira", err)
	}
	return s.read(ctx, "jira", e.Ref, e.Actor)
}

// unread logs a webhook that is verified and cannot be read, which will be no other
// when it is sent again.
func (s *server) unread(ctx context.Context, sink string, err error) error {
	s.slog.WarnContext(ctx, "a webhook cannot be read", "sink", sink, "error", err)
	return nil
}

// read reads the ticket that a webhook is about: what is there now counts, however late
// the webhook comes.
func (s *server) read(ctx context.Context, sink string, ref adapters.Ref, by string) error {
	t, err := s.sinks[sink].(tickets).system.Read(ctx, ref)
	switch {
	case errors.Is(err, adapters.NotFound):
		return nil
	case err != nil:
		s.slog.WarnContext(ctx, "a ticket cannot be read", "sink", sink, "ticket", ref.ID, "error", err)
		return err
	}
	at := t.Updated
	if t.State.Ended() && !t.Resolved.IsZero() {
		at = t.Resolved
	}
	return s.answered(ctx, answer{sink: sink, key: t.Key, state: t.State, by: by, at: at})
}

// link returns what a ticket is about now, or [sqlstore.ErrNotFound].
func (s *server) link(ctx context.Context, key string) (l link, err error) {
	data, _, err := s.store.Snapshot(ctx, links, linkName(key))
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(data, &l); err != nil {
		return l, fmt.Errorf("link of ticket %q: %w", key, err)
	}
	return l, nil
}

// answered has an incident follow what people did at one of its tickets, and with it
// its escalation and the other sinks. What comes again finds the incident as it should be.
func (s *server) answered(ctx context.Context, a answer) error {
	l, err := s.link(ctx, a.key)
	switch {
	case errors.Is(err, sqlstore.ErrNotFound): // it is not one of ours
		return nil
	case err != nil:
		return err
	}
	incidents, err := sqlstore.NewIncidents(s.store, l.Tenant, incidentPrefix, incident.Options{})
	if err != nil {
		return err
	}
	state, err := incidents.State(ctx, l.Incident)
	if err != nil {
		return err
	}
	now := time.Now()
	if e, ok := a.event(state, now); ok && s.pager != nil {
		if err := s.pager.answered(ctx, l, e); err != nil { // first, as it is known there when it comes again
			return err
		}
	}
	return s.store.Do(ctx, func(tx *sqlstore.Tx) error {
		_, err := incidents.ChangeIn(ctx, tx, l.Incident, func(inc *incident.Incident, c *sqlstore.Change) error {
			e, ok := a.event(inc.State(), now)
			if !ok {
				return nil
			}
			e.Key = fmt.Sprintf("%s-%s-%d", a.sink, e.Kind, inc.Head().Seq)
			if _, err := inc.Apply(e); err != nil {
				return err
			}
			return s.pass(c, l, a, e)
		})
		return err
	})
}

// event is what an answer means for an incident, if anything: a ticket of an earlier
// time at which the alert fired says nothing about this one.
func (a answer) event(state incident.State, now time.Time) (e incident.Event, ok bool) {
	e = incident.Event{At: now, RecordedAt: now, Actor: cmp.Or(a.by, a.sink), Imported: true}
	begun := state.Times.Created
	if n := len(state.Gaps); n > 0 { // it was opened again
		begun = state.Gaps[n-1].End
	}
	switch have := sync.StateOf(state); {
	case a.at.Before(begun.Truncate(time.Second)): // vendors have whole seconds
	case a.state.Ended() && state.Status.Active():
		e.Kind, e.Details = incident.Resolve, incident.Details{Text: "resolved in " + a.sink}
	case (a.state == adapters.StateAcknowledged || a.state == adapters.StateOnHold) && have == adapters.StateNew:
		e.Kind, e.Details = incident.Acknowledge, incident.Details{Person: a.by}
	}
	return e, e.Kind != ""
}

// pass tells the other sinks.
func (s *server) pass(c *sqlstore.Change, l link, a answer, e incident.Event) error {
	r := l.Request
	r.At, r.Action = e.At.UTC(), "acknowledge"
	if e.Kind == incident.Resolve {
		r.Action = "resolve"
	}
	l.Ticket.Assignee = a.by
	for _, r := range s.each(r, l.Ticket) {
		if r.Sink == a.sink {
			continue
		}
		if err := s.put(c, l.Incident+"/"+e.Key, l.Incident, r, e.At); err != nil {
			return err
		}
	}
	return nil
}

// answered stops an escalation that somebody took at a sink, or that is over.
func (p *pager) answered(ctx context.Context, l link, e incident.Event) error {
	kind := escalation.Acknowledged
	if e.Kind == incident.Resolve {
		kind = escalation.Resolved
	}
	return p.apply(ctx, l.Tenant, escalation.Event{Kind: kind, At: e.At, Incident: l.Incident})
}
