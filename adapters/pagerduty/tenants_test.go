package pagerduty_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

// everybody answers whoever asks, so that the same incident is there for both tenants.
var everybody = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"incident":{"id":"Q1","status":"triggered","urgency":"high"}}`))
})

func TestTenants(t *testing.T) {
	t.Run("rest", func(t *testing.T) {
		for name, oauth := range map[string]bool{"key": false, "bearer": true} {
			t.Run(name, func(t *testing.T) {
				adaptertest.Tenants(t, everybody, func(t *testing.T, secret adapters.Secret, base http.RoundTripper) func(context.Context) error {
					t.Helper()
					c, err := pagerduty.New(pagerduty.Config{Token: secret, OAuth: oauth, From: bot, Transport: base})
					if err != nil {
						t.Fatal(err)
					}
					return func(ctx context.Context) error { _, err := c.Read(ctx, incidentRef("Q1")); return err }
				})
			})
		}
	})
	t.Run("events", func(t *testing.T) {
		accepted := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(`{"status":"success","message":"Event processed","dedup_key":"k"}`))
		})
		adaptertest.Tenants(t, accepted, func(t *testing.T, secret adapters.Secret, base http.RoundTripper) func(context.Context) error {
			t.Helper()
			e, err := pagerduty.NewEvents(pagerduty.EventsConfig{RoutingKeys: map[string]adapters.Secret{"": secret}, Source: "evenkeel", Transport: base})
			if err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context) error { _, err := e.Open(ctx, down("k")); return err }
		})
	})
}

func TestOutage(t *testing.T) {
	adaptertest.Outage(t, everybody, func(t *testing.T, base http.RoundTripper) func(context.Context) error {
		t.Helper()
		c, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret(apiToken), From: bot, Transport: base})
		if err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) error { _, err := c.Read(ctx, incidentRef("Q1")); return err }
	})
}

// A map of one's own is read; two of ours may be one of theirs, and the first counts.
func TestStatesAreConfigured(t *testing.T) {
	client, fake, _ := setUp(t, func(c *pagerduty.Config, _ *adaptertest.PagerDutyOptions) {
		c.States = adapters.Names[adapters.State, string]{
			{Ours: adapters.StateNew, Theirs: "triggered"},
			{Ours: adapters.StateOnHold, Theirs: "acknowledged"},
			{Ours: adapters.StateAcknowledged, Theirs: "acknowledged"},
			{Ours: adapters.StateClosed, Theirs: "resolved"},
		}
	})
	for status, want := range map[string]adapters.State{"triggered": adapters.StateNew, "acknowledged": adapters.StateOnHold, "resolved": adapters.StateClosed} {
		fake.Add(adaptertest.PagerDutyIncident{ID: "Q" + strings.ToUpper(status), Created: noon, Status: status})
		if got, err := client.Read(t.Context(), incidentRef("Q"+strings.ToUpper(status))); err != nil || got.State != want {
			t.Errorf("%s reads as %q, %v, want %q", status, got.State, err, want)
		}
	}
}
