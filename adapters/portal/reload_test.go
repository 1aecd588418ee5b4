package portal_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/incident/continuity"
)

// What a new configuration takes away is gone at once, sessions included, and what it
// leaves stays as it was.
func TestReload(t *testing.T) {
	p := site(t, nil)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	sign := func(tenant, token string) []string {
		w := ask(p, "POST", "/login", "tenant="+tenant+"&token="+token, form...)
		if w.Code != http.StatusSeeOther {
			t.Fatalf("sign in to %q: %d", tenant, w.Code)
		}
		return []string{"Cookie", strings.Split(w.Header().Get("Set-Cookie"), ";")[0]}
	}
	acme, beta := sign("acme", acmeToken), sign("beta", betaToken)
	next := config()
	next.Tenants = slices.DeleteFunc(next.Tenants, func(t portal.Tenant) bool { return t.ID == "open" })
	next.Tenants[0].Token, next.Tenants[0].Disabled = portal.TokenHashOf("new-token"), []page.Name{page.Credits}
	next.Tenants[0].KeyDates = []continuity.KeyDate{{ID: "sale", Name: "Sale", Zone: "Europe/Amsterdam", Rule: continuity.Rule{Dates: []string{"2026-11-27"}}}}
	next.Tenants = append(next.Tenants, portal.Tenant{ID: "fresh", Public: true}, portal.Tenant{ID: "later", Public: true})
	next.Ops = portal.TokenHashOf("new-ops")
	if err := p.Reload(next, customer(t, "fresh", "canary33aa")); err != nil {
		t.Fatal(err)
	}
	none := ask(p, "GET", "/t/nobody/", "")
	for _, c := range []struct {
		name, target string
		headers      []string
		there        bool
	}{
		{"the old token", "/t/acme/", bearer(acmeToken), false},
		{"a session of the old token", "/t/acme/", acme, false},
		{"the new token", "/t/acme/", bearer("new-token"), true},
		{"a page switched off", "/t/acme/credits", bearer("new-token"), false},
		{"new key dates", "/t/acme/key-dates.ics?k=" + acmeFeed, nil, true},
		{"a session whose token stays", "/t/beta/", beta, true},
		{"a customer that is no more", "/t/open/", nil, false},
		{"a new customer", "/t/fresh/", nil, true},
		{"one without data", "/t/later/", nil, false},
		{"the old token of the operations", "/ops/", bearer(opsToken), false},
		{"the new one", "/ops/", bearer("new-ops"), true},
	} {
		if got := ask(p, "GET", c.target, "", c.headers...); c.there && got.Code != http.StatusOK || !c.there && !same(got, none) {
			t.Errorf("%s: %d", c.name, got.Code)
		}
	}
	if err := p.Update(marked()["open"]); err == nil {
		t.Error("a customer that is no more is updated")
	}
}

// A configuration that cannot be served changes nothing, and says so: why, to the
// operations alone.
func TestReloadRefused(t *testing.T) {
	p := site(t, nil)
	bad := config()
	bad.Tenants[0].Token = portal.TokenHash{}
	var wrong *portal.ConfigError
	if err := p.Reload(bad); !errors.As(err, &wrong) || wrong.Path != "tenants[0].token" {
		t.Fatalf("error %v", err)
	}
	foreign := customer(t, "nobody", "x")
	if err := p.Reload(config(), foreign); err == nil {
		t.Error("a page of nobody is taken")
	}
	health := func() string { return ask(p, "GET", "/healthz", "").Body.String() }
	if got := health(); got != "ok\n" {
		t.Errorf("health %q", got)
	}
	p.ReloadRefused(errors.New("portal.yaml:7:3: secret reason"))
	if w := ask(p, "GET", "/t/acme/", "", bearer(acmeToken)...); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "secret reason") {
		t.Errorf("the last good configuration: %d", w.Code)
	}
	if got := health(); !strings.HasPrefix(got, "ok, with the configuration of 2026-10-01T12:00:00Z") || strings.Contains(got, "secret reason") {
		t.Errorf("health %q", got)
	}
	if got := ask(p.Admin(), "GET", "/healthz", "").Body.String(); got != health() {
		t.Errorf("health at the other address %q", got)
	}
	if got := ask(p, "GET", "/ops/", "", bearer(opsToken)...).Body.String(); !strings.Contains(got, "portal.yaml:7:3: secret reason") {
		t.Error("the operations are not told")
	}
	if got := ask(p, "GET", "/metrics", "", bearer(opsToken)...).Body.String(); !strings.Contains(got, "evenkeel_config_reload_errors_total 1\n") {
		t.Error("it is not counted")
	}
	if err := p.Reload(config()); err != nil || health() != "ok\n" || strings.Contains(ask(p, "GET", "/ops/", "", bearer(opsToken)...).Body.String(), "secret reason") {
		t.Errorf("after a good one: %v, %q", err, health())
	}
}

// Readers see one configuration or the other, whole: a token opens a page exactly with
// the switch of its own configuration.
func TestReloadConcurrent(t *testing.T) {
	version := func(n int) portal.Config {
		c := config()
		c.Attempts = 1 << 30
		c.Tenants[0].Token = portal.TokenHashOf(fmt.Sprintf("token-%d", n%2))
		c.Tenants[0].Disabled = [][]page.Name{{page.Help}, {page.Credits}}[n%2]
		return c
	}
	p, err := portal.New(version(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Update(marked()["acme"]); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for n := range 4 {
		readers.Go(func() {
			shown := []string{"credits", "help"}[n%2] // what the token of the version has
			hidden := []string{"help", "credits"}[n%2]
			for {
				select {
				case <-done:
					return
				default:
				}
				token := bearer(fmt.Sprintf("token-%d", n%2))
				if w := ask(p, "GET", "/t/acme/"+shown, "", token...); w.Code != http.StatusOK && w.Code != http.StatusNotFound {
					t.Errorf("%s: %d", shown, w.Code)
				}
				if w := ask(p, "GET", "/t/acme/"+hidden, "", token...); w.Code != http.StatusNotFound {
					t.Errorf("a token opens %s, which its configuration does not have: %d", hidden, w.Code)
				}
				ask(p, "GET", "/ops/", "", bearer(opsToken)...)
				ask(p, "GET", "/metrics", "", bearer(opsToken)...)
			}
		})
	}
	for n := range 60 {
		if err := p.Reload(version(n)); err != nil {
			t.Error(err)
		}
		if err := p.Update(marked()["acme"]); err != nil {
			t.Error(err)
		}
		// After Reload has returned the token of the other version is nobody's.
		if w := ask(p, "GET", "/t/acme/status.json", "", bearer(fmt.Sprintf("token-%d", (n+1)%2))...); w.Code != http.StatusNotFound {
			t.Errorf("round %d: a revoked token opens: %d", n, w.Code)
		}
	}
	close(done)
	readers.Wait()
}
