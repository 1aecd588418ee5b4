package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// tokens is a token endpoint and the API behind it.
type tokens struct {
	mu      sync.Mutex // guards all below
	logins  []url.Values
	basic   []string
	valid   string
	delay   time.Duration
	answers []adaptertest.Step // of the token endpoint, in place of tokens
	refresh bool               // whether it gives refresh tokens
}

func (s *tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := func(status int, text string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: header("Content-Type", "application/json"), Request: r, ContentLength: int64(len(text)),
			Body: io.NopCloser(strings.NewReader(text)),
		}, nil
	}
	if r.URL.Path != "/oauth_token.do" {
		if r.Header.Get("Authorization") != "Bearer "+s.valid {
			return answer(http.StatusUnauthorized, `{"error":{"message":"User Not Authenticated"}}`)
		}
		return answer(http.StatusOK, "{}")
	}
	form, _ := url.ParseQuery(string(body))
	s.logins = append(s.logins, form)
	user, password, _ := r.BasicAuth()
	s.basic = append(s.basic, user+":"+password)
	if s.delay > 0 {
		time.Sleep(s.delay)
	}
	if len(s.answers) > 0 {
		step := s.answers[0]
		s.answers = s.answers[1:]
		response, err := answer(step.Status, step.Body)
		response.Header = step.Header
		return response, err
	}
	s.valid = fmt.Sprintf("token-%d", len(s.logins))
	extra := ""
	if s.refresh {
		extra = fmt.Sprintf(`,"refresh_token":"refresh-%d"`, len(s.logins))
	}
	// The sample of ServiceNow's documents says 1799 seconds.
	return answer(http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":1799%s}`, s.valid, extra))
}

func source(t *testing.T, c resilience.TokenSourceConfig) *resilience.TokenSource {
	t.Helper()
	c.Provider = "servicenow"
	if c.TokenURL == "" {
		c.TokenURL = "https://vendor.example/oauth_token.do"
	}
	if c.Grant == "" {
		c.Grant, c.ClientID, c.ClientSecret = resilience.ClientCredentials, "id", adapters.NewSecret("s3cret")
	}
	s, err := resilience.NewTokenSource(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokensAreAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tokens{delay: 2 * time.Second}
		transport := newTransport(t, resilience.Config{Base: server, Credential: source(t, resilience.TokenSourceConfig{Base: server})})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(server.logins) != 1 || server.logins[0].Get("grant_type") != "client_credentials" || server.logins[0].Get("client_secret") != "s3cret" {
			t.Errorf("logins %v, want one by client_credentials", server.logins)
		}
		// 1,799 s less a margin of 60.
		for _, c := range []struct {
			at     time.Duration
			logins int
		}{{1738 * time.Second, 1}, {1740 * time.Second, 2}} {
			time.Sleep(c.at - time.Since(time.Date(2000, 1, 1, 0, 0, 2, 0, time.UTC)))
			if _, err := request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"}); err != nil || len(server.logins) != c.logins {
				t.Errorf("%v after the login: %v, %d logins, want %d", c.at, err, len(server.logins), c.logins)
			}
		}
	})
}

func TestRefusedTokensAreRenewedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tokens{}
		s := source(t, resilience.TokenSourceConfig{Base: server})
		transport := newTransport(t, resilience.Config{Base: server, Credential: s})
		_, _ = request(t.Context(), transport, http.MethodGet, resilience.Op{Name: "read"})
		server.valid = "revoked by an administrator"
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if call, err := request(t.Context(), transport, http.MethodPost, resilience.Op{Name: "note"}); err != nil {
					t.Errorf("%v after %d attempts, want a fresh login", err, call.Attempts)
				}
			})
		}
		wg.Wait()
		if len(server.logins) != 2 {
			t.Errorf("%d logins, want one more for all", len(server.logins))
		}
	})
}

func TestWhoGivesUpLeavesTheLoginToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tokens{delay: 5 * time.Second}
		s := source(t, resilience.TokenSourceConfig{Base: server})
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := s.Token(ctx)
			first <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("who gives up: %v, want context.Canceled", err)
		}
		if _, err := s.Token(t.Context()); err != nil || len(server.logins) != 1 {
			t.Errorf("another: %v after %d logins, want the token of the first", err, len(server.logins))
		}
	})
}

func TestRefreshTokensRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tokens{refresh: true}
		var stored []string
		s := source(t, resilience.TokenSourceConfig{
			Base: server, Grant: resilience.RefreshToken, ClientID: "id", ClientSecret: adapters.NewSecret("a:b"), Basic: true,
			Refresh: adapters.NewSecret("refresh-0"), Scopes: []string{"read", "write"},
			Save: func(_ context.Context, refresh adapters.Secret) error {
				stored = append(stored, refresh.Reveal())
				return nil
			},
		})
		for range 2 {
			if _, err := s.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		if got := server.logins[1]; got.Get("refresh_token") != "refresh-1" || got.Get("scope") != "read write" || got.Has("client_secret") || server.basic[1] != "id:a%3Ab" {
			t.Errorf("second login %v as %s, want refresh-1 and the client in the header, escaped", got, server.basic[1])
		}
		if strings.Join(stored, " ") != "refresh-1 refresh-2" {
			t.Errorf("stored %v, want both new ones", stored)
		}
	})
}

func TestRefusedRefreshTokenFallsBackToThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tokens{refresh: true}
		s := source(t, resilience.TokenSourceConfig{Base: server, Grant: resilience.Password, Username: "bot", Password: adapters.NewSecret("pass")})
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		server.answers = []adaptertest.Step{{Status: 401, Body: `{"error":"invalid_grant","error_description":"expired"}`}}
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		var grants []string
		for _, form := range server.logins {
			grants = append(grants, form.Get("grant_type"))
		}
		if strings.Join(grants, " ") != "password refresh_token password" || server.logins[2].Get("password") != "pass" {
			t.Errorf("grants %v, want the password again", grants)
		}
	})
}

func TestLoginErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer adaptertest.Step
		kind   adapters.Kind
		code   string
	}{
		{"refused", adaptertest.Step{Status: 401, Body: `{"error":"access_denied","error_description":"no"}`}, adapters.Unauthorized, "access_denied"},
		{"bad client", adaptertest.Step{Status: 400, Body: `{"error":"invalid_client"}`}, adapters.Unauthorized, "invalid_client"},
		{"away", adaptertest.Step{Status: 503, Body: "oops"}, adapters.Unavailable, ""},
		{"busy", adaptertest.Step{Status: 429, Header: header("Retry-After", "300"), Body: "{}"}, adapters.RateLimited, ""},
		{"page", adaptertest.Step{Status: 200, Header: header("Content-Type", "text/html"), Body: "<html>"}, adapters.BadResponse, ""},
		{"no token", adaptertest.Step{Status: 200, Body: "{}"}, adapters.BadResponse, ""},
		{"another type", adaptertest.Step{Status: 200, Body: `{"access_token":"x","token_type":"mac"}`}, adapters.BadResponse, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &tokens{answers: []adaptertest.Step{c.answer, c.answer, c.answer}}
				transport := newTransport(t, resilience.Config{Base: server, Policy: quick, Credential: source(t, resilience.TokenSourceConfig{Base: server})})
				_, err := request(t.Context(), transport, http.MethodPost, resilience.Op{Name: "open"})
				var e *adapters.Error
				if !errors.As(err, &e) || e.Kind != c.kind || e.MayHaveApplied {
					t.Fatalf("%#v, want %v and nothing applied", e, c.kind)
				}
				var login *adapters.Error
				if !errors.As(e.Err, &login) || login.Op != "login" || login.Code != c.code {
					t.Errorf("cause %#v, want the login with code %q", login, c.code)
				}
				if state := transport.States()["vendor.example"]; state != "closed" {
					t.Errorf("breaker %s, want closed: a login says nothing of the API", state)
				}
				if text := fmt.Sprintf("%v %+v %#v", err, err, login); strings.Contains(text, "s3cret") {
					t.Errorf("the secret is in %s", text)
				}
			})
		})
	}
}

func TestNewOAuth2Refuses(t *testing.T) {
	for name, c := range map[string]resilience.TokenSourceConfig{
		"no provider":  {TokenURL: "https://vendor.example/", Grant: resilience.ClientCredentials, ClientID: "id", ClientSecret: adapters.NewSecret("s")},
		"relative URL": {Provider: "p", TokenURL: "/token", Grant: resilience.ClientCredentials, ClientID: "id", ClientSecret: adapters.NewSecret("s")},
		"no secret":    {Provider: "p", TokenURL: "https://vendor.example/", Grant: resilience.ClientCredentials, ClientID: "id"},
		"no user":      {Provider: "p", TokenURL: "https://vendor.example/", Grant: resilience.Password, Password: adapters.NewSecret("s")},
		"no refresh":   {Provider: "p", TokenURL: "https://vendor.example/", Grant: resilience.RefreshToken},
		"no grant":     {Provider: "p", TokenURL: "https://vendor.example/"},
	} {
		if _, err := resilience.NewTokenSource(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestStaticCredentials(t *testing.T) {
	for _, c := range []struct {
		name       string
		credential resilience.Credential
		header     string
		want       string
	}{
		{"basic", resilience.Basic("Aladdin", adapters.NewSecret("open sesame")), "Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, // RFC 7617, section 2
		{"bearer", resilience.Bearer(adapters.NewSecret("mF_9.B5f-4.1JqM")), "Authorization", "Bearer mF_9.B5f-4.1JqM"},                  // RFC 6750, section 2.1
		{"header", resilience.Header("x-sn-apikey", adapters.NewSecret("now-1f")), "X-Sn-Apikey", "now-1f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := adaptertest.NewScript(adaptertest.Step{})
			if _, err := request(t.Context(), newTransport(t, resilience.Config{Base: s, Credential: c.credential}), http.MethodPost, resilience.Op{Name: "op"}); err != nil {
				t.Fatal(err)
			}
			if got := s.Requests()[0].Header.Get(c.header); got != c.want {
				t.Errorf("%s: %q, want %q", c.header, got, c.want)
			}
			if text := fmt.Sprintf("%v %+v %#v %s", c.credential, c.credential, c.credential, c.credential.ID()); strings.Contains(text, c.want) || strings.Contains(text, "sesame") {
				t.Errorf("the secret is in %s", text)
			}
		})
	}
}
