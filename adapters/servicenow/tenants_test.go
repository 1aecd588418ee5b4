package servicenow

import (
	"context"
	"net/http"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// Two domains of one instance, each with an allowance of its own.
func TestTenants(t *testing.T) {
	for name, credential := range map[string]func(adapters.Secret) resilience.Credential{
		"basic":   func(s adapters.Secret) resilience.Credential { return resilience.Basic("evenkeel", s) },
		"api key": APIKey,
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance(adaptertest.ServiceNowOptions{})
			ref := open(t, in.client(t, nil), "key-1")
			anybody := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("x-sn-apikey") // the fake admits who has none, and not who has a strange one
				r.SetBasicAuth("evenkeel", "any")
				in.ServeHTTP(w, r)
			})
			adaptertest.Tenants(t, anybody, func(t *testing.T, secret adapters.Secret, base http.RoundTripper) func(context.Context) error {
				t.Helper()
				c, err := New(Config{
					BaseURL: "https://acme.service-now.com", Credential: credential(secret), Transport: base, Limits: Limits{User: 36_000},
				})
				ok(t, err)
				return func(ctx context.Context) error { _, err := c.Read(ctx, ref); return err }
			})
		})
	}
}

func TestOutage(t *testing.T) {
	in := newInstance(adaptertest.ServiceNowOptions{})
	ref := open(t, in.client(t, nil), "key-1")
	adaptertest.Outage(t, in.ServiceNow, func(t *testing.T, base http.RoundTripper) func(context.Context) error {
		t.Helper()
		c, err := New(Config{BaseURL: "https://acme.service-now.com", Transport: base})
		ok(t, err)
		return func(ctx context.Context) error { _, err := c.Read(ctx, ref); return err }
	})
}
