package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// ownCredential is one that a caller wrote.
type ownCredential string

func (c ownCredential) Apply(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+string(c))
	return nil
}
func (ownCredential) Renew(context.Context, *http.Request) (bool, error) { return false, nil }
func (ownCredential) ID() string                                         { return "own" }

// TestEchoedSecrets meets a vendor that repeats what it was sent: whichever way a
// secret came into the request, no error shows it.
func TestEchoedSecrets(t *testing.T) {
	const canary = "canary-0123456789"
	echo := func(r *http.Request) (*http.Response, error) {
		sent, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		text := fmt.Sprint(r.URL, r.Header, user, password, string(sent))
		return &http.Response{
			StatusCode: http.StatusBadRequest, Request: r, Header: http.Header{"X-Request-Id": {text}},
			Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
		}, nil
	}
	lost := func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("lost %v %v", r.URL, r.Header)
	}
	signing := func(next roundTrip) roundTrip {
		return func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Token token="+canary)
			return next(r)
		}
	}
	decode := func(e *adapters.Error, _ int, _ http.Header, body []byte) {
		e.Message, e.Code, e.Details = string(body), string(body), []string{string(body)}
	}
	for _, c := range []struct {
		name   string
		config resilience.Config
		op     resilience.Op
		url    string
		change func(*http.Request)
		body   string
		signs  bool // the base
	}{
		{name: "credential", config: resilience.Config{Credential: resilience.Bearer(adapters.NewSecret(canary))}},
		{name: "credential of the caller", config: resilience.Config{Credential: ownCredential(canary)}},
		{name: "of the configuration", config: resilience.Config{Secrets: []adapters.Secret{adapters.NewSecret(canary)}}, body: "key=" + canary},
		{name: "of the operation", op: resilience.Op{Secrets: []adapters.Secret{adapters.NewSecret(canary)}}, body: "key=" + canary},
		{name: "an SDK's bearer", change: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+canary) }},
		{name: "an SDK's password", change: func(r *http.Request) { r.SetBasicAuth("bot", canary) }},
		{name: "an SDK's cookie", change: func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "s", Value: canary}) }},
		{name: "user in the URL", url: "https://bot:" + canary + "@vendor.example/x"},
		{name: "the base's own", signs: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, base := range []roundTrip{echo, lost} {
				c.config.Base = base
				if c.signs {
					c.config.Base = signing(echo)
				}
				c.config.Provider, c.config.Decode, c.config.Policy = "vendor", decode, resilience.Policy{Attempts: 1}
				transport, err := resilience.New(c.config)
				if err != nil {
					t.Fatal(err)
				}
				c.op.Name = "send"
				ctx, call := transport.Begin(t.Context(), c.op)
				to := c.url
				if to == "" {
					to = "https://vendor.example/x"
				}
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				if c.change != nil {
					c.change(r)
				}
				response, err := (&http.Client{Transport: transport}).Do(r)
				if err == nil {
					_ = response.Body.Close()
				}
				got := call.Err(err)
				var e *adapters.Error
				if !errors.As(got, &e) || e.Kind == 0 {
					t.Fatalf("%v, want an error", got)
				}
				if shown := fmt.Sprintf("%v %+v %v %q", got, e, e.Details, e.RequestID); strings.Contains(shown, canary) {
					t.Errorf("shown: %s", shown)
				}
			}
		})
	}
}
