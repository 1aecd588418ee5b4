package pagerduty_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/incident"
)

// sent is an event as it arrived.
type sent struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    struct {
		Summary, Source, Severity, Component, Timestamp string
		Details                                         map[string]any `json:"custom_details"`
	}
	Links  []map[string]string
	Images []map[string]string
}

func last(t *testing.T, a adaptertest.PagerDutyAlert) sent {
	t.Helper()
	var e sent
	if err := json.Unmarshal(a.Events[len(a.Events)-1], &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEventSeverities(t *testing.T) {
	events, fake, _ := setUpEvents(t)
	// https://developer.pagerduty.com/docs/send-alert-event: critical, error, warning, info.
	for s, want := range map[incident.Severity]string{incident.P1: "critical", incident.P2: "error", incident.P3: "warning", incident.P4: "info"} {
		if _, err := events.Trigger(t.Context(), pagerduty.Alert{Key: s.String(), Summary: "x", Severity: s}); err != nil {
			t.Fatal(err)
		}
		all := fake.Alerts()
		if got := last(t, all[len(all)-1]); got.Payload.Severity != want || got.Payload.Source != "evenkeel" || got.RoutingKey != routingKey {
			t.Errorf("%v is %+v, want %s", s, got.Payload, want)
		}
	}
	if _, err := events.Trigger(t.Context(), pagerduty.Alert{Key: "k", Summary: "x"}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("unset severity: %v, want invalid", err)
	}
}

func TestEventsLife(t *testing.T) {
	events, fake, _ := setUpEvents(t)
	ctx := t.Context()
	ticket := down("key/1")
	ticket.Fields = map[string]any{"component": "api", "region": "eu"}
	ticket.Created = noon
	ref, err := events.Open(ctx, ticket)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := events.Open(ctx, ticket); err != nil || again != ref || len(fake.Alerts()) != 1 {
		t.Errorf("second Open = %v, %v with %d alerts, want one", again, err, len(fake.Alerts()))
	}
	got := last(t, fake.Alerts()[0])
	if got.Payload.Component != "api" || got.Payload.Details["region"] != "eu" || got.Payload.Details["text"] != "no answer" || got.Payload.Timestamp != "2026-11-22T12:00:00Z" || got.DedupKey != "key/1" {
		t.Errorf("sent %+v", got)
	}
	if err := events.Acknowledge(ctx, ref, "ann"); err != nil {
		t.Fatal(err)
	}
	if got := fake.Incidents()[0].Status; got != "acknowledged" {
		t.Errorf("status %s, want acknowledged", got)
	}
	for range 2 { // the second one is dropped without a word
		if err := events.Resolve(ctx, ref, adapters.Resolution{Text: "done"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := fake.Alerts()[0]; got.Open || len(got.Events) != 4 {
		t.Errorf("alert open %v with %d events, want closed with 4", got.Open, len(got.Events))
	}
	next, err := events.Reopen(ctx, ref, "it is back")
	if err != nil || next == ref {
		t.Fatalf("Reopen = %v, %v, want another", next, err)
	}
	if again, err := events.Reopen(ctx, ref, "it is back"); err != nil || again != next || len(fake.Alerts()) != 2 {
		t.Errorf("Reopen again = %v, %v with %d alerts, want %v and 2", again, err, len(fake.Alerts()), next)
	}
	if got := last(t, fake.Alerts()[1]); got.Payload.Details["follows"] != "key/1" || got.Payload.Summary != "it is back" {
		t.Errorf("follower %+v", got)
	}
	if err := events.Resolve(ctx, incidentRef("QX"), adapters.Resolution{}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("reference to an incident: %v, want invalid", err)
	}
}

func TestEventLimits(t *testing.T) {
	events, fake, _ := setUpEvents(t)
	ctx := t.Context()
	long := strings.Repeat("ä", 1025)
	receipt, err := events.Trigger(ctx, pagerduty.Alert{Key: strings.Repeat("k", 255), Summary: long, Severity: incident.P1})
	if err != nil {
		t.Fatal(err)
	}
	got := last(t, fake.Alerts()[0])
	if len([]rune(got.Payload.Summary)) != 1024 || got.Payload.Details["summary"] != long || len(receipt.Cuts) != 1 {
		t.Errorf("summary of %d characters, cuts %v", len([]rune(got.Payload.Summary)), receipt.Cuts)
	}
	for _, key := range []string{"", strings.Repeat("k", 256)} {
		if _, err := events.Trigger(ctx, pagerduty.Alert{Key: key, Summary: "x", Severity: incident.P1}); !errors.Is(err, adapters.Invalid) {
			t.Errorf("key of %d: %v, want invalid", len(key), err)
		}
	}
	if _, err := events.Trigger(ctx, pagerduty.Alert{Key: "k", Summary: "x", Severity: incident.P1, Images: []pagerduty.Image{{Source: "http://x.example/a.png"}}}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("image without https: %v, want invalid", err)
	}
}

// An event over 512 KB loses its details, then images and links, never its summary.
func TestLargeEvents(t *testing.T) {
	large := strings.Repeat("x", 520_000)
	links := []adapters.WebLink{{URL: "https://x.example/" + large}}
	for _, tt := range []struct {
		name string
		a    pagerduty.Alert
		want []string // fields that were cut
	}{
		{"fits", pagerduty.Alert{Details: map[string]any{"a": strings.Repeat("x", 500_000)}}, nil},
		{"details", pagerduty.Alert{Details: map[string]any{"a": large}, Links: []adapters.WebLink{{URL: "https://x.example"}}}, []string{"custom_details"}},
		{"details and links", pagerduty.Alert{Details: map[string]any{"a": 1}, Links: links, Images: []pagerduty.Image{{Source: "https://x.example/i.png"}}}, []string{"custom_details", "images", "links"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events, fake, _ := setUpEvents(t)
			tt.a.Key, tt.a.Summary, tt.a.Severity = "k", "user_api down", incident.P1
			receipt, err := events.Trigger(t.Context(), tt.a)
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, c := range receipt.Cuts {
				fields = append(fields, c.Field)
			}
			if strings.Join(fields, ",") != strings.Join(tt.want, ",") {
				t.Errorf("cut %q, want %q", fields, tt.want)
			}
			a := fake.Alerts()[0]
			if n := len(a.Events[0]); n > 512_000 {
				t.Errorf("sent %d bytes", n)
			}
			if got := last(t, a); got.Payload.Summary != "user_api down" || tt.name == "details" && len(got.Links) != 1 {
				t.Errorf("sent %+v", got.Payload.Summary)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	events, fake, at := setUpEvents(t)
	ctx := t.Context()
	change := pagerduty.Change{
		Summary: "deployed v2", At: noon.Add(-time.Minute), Details: map[string]any{"by": "ann"},
		Links: []adapters.WebLink{{Text: "diff", URL: "https://git.example/1"}},
	}
	if _, err := events.Change(ctx, "acme", "", change); err != nil {
		t.Fatal(err)
	}
	if _, err := events.Change(ctx, "acme", "rules", change); !errors.Is(err, adapters.Unsupported) {
		t.Errorf("change to a ruleset: %v, want unsupported", err)
	}
	if _, err := events.Change(ctx, "acme", "", pagerduty.Change{}); !errors.Is(err, adapters.Invalid) {
		t.Errorf("change without summary: %v, want invalid", err)
	}
	change.Details = map[string]any{"log": strings.Repeat("x", 520_000)}
	if cuts, err := events.Change(ctx, "acme", "", change); err != nil || len(cuts) != 1 {
		t.Errorf("large change: %v, %v", cuts, err)
	}
	if got := fake.Changes(); got != 2 {
		t.Errorf("PagerDuty has %d changes, want 2", got)
	}
	client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), Transport: direct{fake}, Now: at.now})
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"", "PSHOP"} {
		n := 0
		for c, err := range client.ChangeEvents(ctx, service, noon.Add(-time.Hour), noon) {
			if err != nil {
				t.Fatal(err)
			}
			if c.Summary != "deployed v2" || c.Source != "evenkeel" || len(c.Services) != 1 || c.Links[0].URL != "https://git.example/1" || !c.At.Equal(noon.Add(-time.Minute)) {
				t.Errorf("change %+v", c)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d changes of %q, want 2", n, service)
		}
	}
}

// A vendor that repeats the body shows a routing key, which no error does.
func TestEchoedRoutingKey(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"status":"invalid event","message":"key `+routingKey+` is not known","errors":["routing_key `+routingKey+`"]}`)
	}))
	defer server.Close()
	e, err := pagerduty.NewEvents(pagerduty.EventsConfig{BaseURL: server.URL, RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Open(t.Context(), adapters.Ticket{Key: "k", Title: "checkout is down", Severity: incident.P1})
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if text := fmt.Sprintf("%v %+v", cause, cause); strings.Contains(text, routingKey) {
			t.Errorf("%T %s shows the key", cause, text)
		}
	}
	if adapters.KindOf(err) != adapters.Invalid || !strings.Contains(err.Error(), "is not known") {
		t.Errorf("%v, want invalid, in the vendor's words", err)
	}
}

func TestNewEventsIsRefused(t *testing.T) {
	good := pagerduty.EventsConfig{RoutingKeys: map[string]adapters.Secret{"": adapters.NewSecret(routingKey)}, Source: "s"}
	for name, change := range map[string]func(*pagerduty.EventsConfig){
		"no keys": func(c *pagerduty.EventsConfig) { c.RoutingKeys = nil },
		"short key": func(c *pagerduty.EventsConfig) {
			c.RoutingKeys = map[string]adapters.Secret{"": adapters.NewSecret("canary")}
		},
		"slash": func(c *pagerduty.EventsConfig) {
			c.RoutingKeys = map[string]adapters.Secret{"a/b": adapters.NewSecret(routingKey)}
		},
		"no source":    func(c *pagerduty.EventsConfig) { c.Source = "" },
		"no address":   func(c *pagerduty.EventsConfig) { c.BaseURL = "events" },
		"bad policies": func(c *pagerduty.EventsConfig) { c.Policy.Attempts = -1 },
	} {
		c := good
		change(&c)
		if _, err := pagerduty.NewEvents(c); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want an error without the key", name, err)
		}
	}
	if _, err := pagerduty.NewEvents(good); err != nil {
		t.Error(err)
	}
}
