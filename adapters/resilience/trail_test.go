package resilience_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// A token that was fetched is no connection to the vendor: where the vendor then hangs up
// in the handshake, nothing was sent, and a write without a key may be made again.
func TestTokenIsNoConnection(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":3600}`))
	}))
	defer tokens.Close()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	for name, signed := range map[string]bool{"without a token": false, "with a token": true} {
		c := resilience.Config{Policy: resilience.Policy{Attempts: 1}}
		if signed {
			c.Credential, err = resilience.NewTokenSource(resilience.TokenSourceConfig{
				Provider: "vendor", TokenURL: tokens.URL, Grant: resilience.ClientCredentials,
				ClientID: "id", ClientSecret: adapters.NewSecret("hush-hush"),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		c.Base = resilience.NewBase(nil)
		transport := newTransport(t, c)
		ctx, call := transport.Begin(t.Context(), resilience.Op{Name: "send"})
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+listener.Addr().String(), strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(r)
		if err == nil {
			_ = response.Body.Close()
		}
		e, ok := errors.AsType[*adapters.Error](call.Err(err))
		if !ok || e.Kind != adapters.Unavailable || e.MayHaveApplied {
			t.Errorf("%s: %+v, want that the vendor is unavailable and nothing was sent", name, e)
		}
	}
}

// TestTrailBesideTrace has the caller follow his request as well: his hooks are called,
// once each, whether the request is one of an exchange or goes to the base itself.
func TestTrailBesideTrace(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	base := resilience.NewBase(nil)
	defer base.CloseIdleConnections()
	for name, by := range map[string]http.RoundTripper{"transport": newTransport(t, resilience.Config{Base: base}), "base": base} {
		for hook, want := range map[string][2]int{"GotConn": {1, 0}, "GetConn": {0, 1}} {
			var got [2]int
			trace := &httptrace.ClientTrace{}
			if hook == "GotConn" {
				trace.GotConn = func(httptrace.GotConnInfo) { got[0]++ }
			} else {
				trace.GetConn = func(string) { got[1]++ }
			}
			r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := by.RoundTrip(r)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, hook, err)
			}
			_ = response.Body.Close()
			if got != want {
				t.Errorf("%s, %s: called %v times, want %v", name, hook, got, want)
			}
		}
	}
}
