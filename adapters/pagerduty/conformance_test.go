package pagerduty_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

// counted counts the requests that reach an account.
type counted struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

func (c *counted) sent() int { return int(c.n.Load()) }

const refusedToken = "canary-token-that-is-refused"

// subject is a client of an account of its own, which counts what it is asked.
func subject(t *testing.T, change func(*pagerduty.Config)) adaptertest.Subject {
	t.Helper()
	at := &clock{noon}
	fake := adaptertest.NewPagerDuty(account(at.now))
	line := &counted{RoundTripper: direct{fake}}
	client := func(token string) *pagerduty.Client {
		config := pagerduty.Config{Token: adapters.NewSecret(token), From: bot, Service: "PSHOP", Tenant: "acme", Now: at.now, Transport: line}
		if change != nil {
			change(&config)
		}
		c, err := pagerduty.New(config)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	return adaptertest.Subject{
		Adapter: client(apiToken), Refused: client(refusedToken), Person: "ann@example.com", Assignee: "PANN", Target: "PSHOP", Now: at.now,
		Sent: line.sent, Tickets: func() int { return len(fake.Incidents()) }, Secrets: []string{apiToken, refusedToken},
	}
}

func TestConformance(t *testing.T) {
	adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject { t.Helper(); return subject(t, nil) })
}

// Without an address to write as, a client reads, and refuses the rest before
// anything is sent.
func TestConformanceOfReading(t *testing.T) {
	adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject {
		t.Helper()
		s := subject(t, func(c *pagerduty.Config) { c.From = "" })
		s.Ref = open(t, subject(t, nil).Adapter.(*pagerduty.Client), down("k"))
		return s
	})
}

func TestConformanceOfEvents(t *testing.T) {
	adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject {
		t.Helper()
		fake := sampleAccount()
		line := &counted{RoundTripper: direct{fake}}
		events, err := pagerduty.NewEvents(pagerduty.EventsConfig{
			RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "evenkeel", Transport: line,
		})
		if err != nil {
			t.Fatal(err)
		}
		return adaptertest.Subject{
			Adapter: events, Sent: line.sent, Tickets: func() int { return len(fake.Alerts()) }, Secrets: []string{routingKey},
		}
	})
}
