package jira

import (
	"context"
	"net/http"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

// Two projects of one site, each with a user and the limits of Cloud of its own.
func TestTenants(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			admin, fake := with(t, o, nil)
			ref := mustOpen(t, admin, "k")
			adaptertest.Tenants(t, fake, func(t *testing.T, secret adapters.Secret, base http.RoundTripper) func(context.Context) error {
				t.Helper()
				c := config(fake, o)
				c.Token, c.Transport, c.Limits = secret, base, nil
				client, err := New(c)
				must(t, err)
				return func(ctx context.Context) error { _, err := client.Read(ctx, ref); return err }
			})
		})
	}
}
