package pagerduty_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/incident"
)

const (
	apiToken   = "canary-token-5d41402abc4b2a76"
	routingKey = "canaryroutingkey0123456789abcdef" // 32 characters, as all of them
	rulesetKey = "Ranaryroutingkey0123456789abcdef"
	bot        = "bot@example.com"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// direct serves requests without a network, so that it can be used in virtual time.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// account is one with a bit of everything.
func account(now func() time.Time) adaptertest.PagerDutyOptions {
	return adaptertest.PagerDutyOptions{
		Token:       apiToken,
		RoutingKeys: map[string]string{routingKey: "PSHOP", rulesetKey: "PSHOP"},
		Users:       []adaptertest.PagerDutyUser{{ID: "PBOT", Name: "Bot", Email: bot}, {ID: "PANN", Name: "Ann", Email: "ann@example.com"}},
		Services:    []adaptertest.PagerDutyThing{{ID: "PSHOP", Name: "checkout"}, {ID: "PDB", Name: "database"}},
		// Two of the name P1: the higher one counts.
		Priorities: []adaptertest.PagerDutyThing{{ID: "PRIO1", Name: "P1"}, {ID: "PRIO1B", Name: "P1"}, {ID: "PRIO2", Name: "P2"}, {ID: "PRIO3", Name: "P3"}, {ID: "PRIO4", Name: "P4"}},
		Now:        now,
	}
}

// setUp returns a client of an account of its own.
func setUp(t *testing.T, change ...func(*pagerduty.Config, *adaptertest.PagerDutyOptions)) (*pagerduty.Client, *adaptertest.PagerDuty, *clock) {
	t.Helper()
	at := &clock{noon}
	options := account(at.now)
	config := pagerduty.Config{Token: adapters.NewSecret(apiToken), From: bot, Service: "PSHOP", Now: at.now}
	for _, f := range change {
		f(&config, &options)
	}
	fake := adaptertest.NewPagerDuty(options)
	if config.Transport == nil {
		config.Transport = direct{fake}
	}
	client, err := pagerduty.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client, fake, at
}

func setUpEvents(t *testing.T) (*pagerduty.Events, *adaptertest.PagerDuty, *clock) {
	t.Helper()
	at := &clock{noon}
	fake := adaptertest.NewPagerDuty(account(at.now))
	config := pagerduty.EventsConfig{
		RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey), "rules": adapters.NewSecret(rulesetKey)},
		Source:      "evenkeel", Transport: direct{fake},
	}
	events, err := pagerduty.NewEvents(config)
	if err != nil {
		t.Fatal(err)
	}
	return events, fake, at
}

func down(key string) adapters.Ticket {
	return adapters.Ticket{Key: key, Tenant: "acme", Title: "user_api down", Text: "no answer", Severity: incident.P1}
}

func open(t *testing.T, c *pagerduty.Client, ticket adapters.Ticket) adapters.Ref {
	t.Helper()
	ref, err := c.Open(t.Context(), ticket)
	if err != nil {
		t.Fatalf("Open(%q): %v", ticket.Key, err)
	}
	return ref
}
