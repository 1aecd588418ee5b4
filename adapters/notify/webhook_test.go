package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// TestWebhookRequest: what arrives, its signature computed here by the rule.
func TestWebhookRequest(t *testing.T) {
	var bodies []string
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mac := hmac.New(sha256.New, []byte(hookSecret.Reveal()))
		mac.Write(body)
		if got, want := r.Header.Get("X-Evenkeel-Signature"), "v1="+hex.EncodeToString(mac.Sum(nil)); got != want || r.Header.Get("Content-Type") != "application/json" || r.Method != http.MethodPost {
			t.Errorf("%s with %v, want the signature %s", r.Method, r.Header, want)
		}
		bodies = append(bodies, r.Header.Get("X-Evenkeel-Id")+" "+string(body))
	})
	now := start
	w, err := notify.NewWebhook(notify.WebhookConfig{Endpoint: hooks(serve(t, h)), Transport: http.DefaultTransport, Now: func() time.Time { now = now.Add(time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	m := to(comms.Webhook, "a")
	m.Tenant, m.Link, m.Replaces = "acme", "https://ops.example.com/1", "j"
	for range 2 {
		if r := w.Send(t.Context(), m)[0]; r.State != notify.Delivered {
			t.Fatalf("%+v", r)
		}
	}
	if len(bodies) != 2 || bodies[0][:32] != bodies[1][:32] {
		t.Fatalf("bodies %q, want two of one id", bodies)
	}
	for i, b := range bodies {
		var got map[string]any
		if err := json.Unmarshal([]byte(b[33:]), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"id": b[:32], "sent_at": start.Add(time.Duration(i+1) * time.Second).Format(time.RFC3339), "tenant": "acme", "thread": "t",
			"recipient": "a", "subject": "s", "text": "b", "link": "https://ops.example.com/1", "at": "2026-03-02T11:00:00Z",
		}
		for field, value := range want {
			if got[field] != value {
				t.Errorf("%s is %v, want %v", field, got[field], value)
			}
		}
		if got["replaces"] == "" || got["replaces"] == got["id"] || len(got) != len(want)+1 {
			t.Errorf("body %v", got)
		}
	}
}

// TestWebhookLostAnswer: what is sent again has the id of the first time, so a receiver
// that drops what it knows takes it once.
func TestWebhookLostAnswer(t *testing.T) {
	r := newReceiver(t)
	r.faults["/a"] = "lost"
	w := webhookTo(t, r)
	if got := w.Send(t.Context(), to(comms.Webhook, "a"))[0]; got.State != notify.Temporary || !got.MayHaveArrived {
		t.Errorf("%+v, want it unknown", got)
	}
	if got := w.Send(t.Context(), to(comms.Webhook, "a"))[0]; got.State != notify.Delivered {
		t.Errorf("%+v", got)
	}
	if n := len(r.bodies()); n != 1 {
		t.Errorf("taken %d times, want once", n)
	}
}

// TestWebhookEchoes: a receiver that repeats what lets whoever knows it in is not quoted.
func TestWebhookEchoes(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		part := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		w.Header().Set("X-Request-Id", strings.Join([]string{part, r.URL.Query().Get("key"), r.Header.Get("X-Custom")}, " "))
		w.WriteHeader(http.StatusBadRequest)
	})
	w, err := notify.NewWebhook(notify.WebhookConfig{Transport: http.DefaultTransport, Endpoint: func(context.Context, string, string) (notify.Endpoint, bool, error) {
		return notify.Endpoint{
			URL: adapters.NewSecret(serve(t, h) + "/hooks/canary-0123456789?key=canary-9"), Secret: hookSecret, Header: http.Header{"X-Custom": {"canary-8"}},
		}, true, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := w.Send(t.Context(), to(comms.Webhook, "a"))[0]
	e, ok := errors.AsType[*adapters.Error](r.Err)
	if !ok || e.RequestID == "" || strings.Contains(e.RequestID+r.Reason+r.Err.Error(), "canary") {
		t.Errorf("%+v, want the id of the request without what was sent", e)
	}
}

// TestWebhookGuard: the addresses of tenants lead to public hosts and by https alone.
func TestWebhookGuard(t *testing.T) {
	reached := false
	inside := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	port := inside[strings.LastIndexByte(inside, ':'):]
	for _, to := range []string{
		"https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://[::ffff:127.0.0.1]" + port,
		"https://10.0.0.1", "https://192.168.1.1", "https://169.254.169.254/latest/meta-data", "https://[fe80::1]", "https://[fd00:ec2::254]", "https://0.0.0.0" + port,
		"http://example.com", inside,
	} {
		w, err := notify.NewWebhook(notify.WebhookConfig{Endpoint: func(context.Context, string, string) (notify.Endpoint, bool, error) {
			return notify.Endpoint{URL: adapters.NewSecret(to), Secret: hookSecret}, true, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		m := note()
		m.To = []notify.Target{{Channel: comms.Webhook, Address: "a"}}
		r := w.Send(t.Context(), m)[0]
		var refused *resilience.RefusedAddressError
		if r.State != notify.Permanent || !errors.As(r.Err, &refused) && !errors.Is(r.Err, resilience.ErrInsecure) {
			t.Errorf("%s: %+v, want it refused for good", to, r)
		}
	}
	if reached {
		t.Error("the inside was reached")
	}
}

func TestWebhookStates(t *testing.T) {
	for status, want := range map[int]notify.State{
		200: notify.Delivered, 202: notify.Delivered, 204: notify.Delivered, 302: notify.Temporary,
		400: notify.Permanent, 401: notify.Temporary, 403: notify.Permanent, 404: notify.Permanent, 408: notify.Temporary, 409: notify.Permanent,
		410: notify.Permanent, 413: notify.Permanent, 422: notify.Permanent, 429: notify.Temporary, 500: notify.Temporary, 503: notify.Temporary,
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example.com/")
			w.WriteHeader(status)
		})
		if r := webhookTo(t, h).Send(t.Context(), to(comms.Webhook, "a"))[0]; r.State != want {
			t.Errorf("%d: %s, %s, want %s", status, r.State, r.Reason, want)
		}
	}
}

func TestWebhookEndpoints(t *testing.T) {
	broken := errors.New("the store is away")
	for name, tt := range map[string]struct {
		endpoint notify.Endpoint
		ok       bool
		err      error
		want     notify.State
	}{
		"nowhere":     {notify.Endpoint{}, false, nil, notify.Skipped},
		"store away":  {notify.Endpoint{}, false, broken, notify.Temporary},
		"no secret":   {notify.Endpoint{URL: adapters.NewSecret("https://x.example.com")}, true, nil, notify.Permanent},
		"no URL":      {notify.Endpoint{Secret: hookSecret}, true, nil, notify.Permanent},
		"broken URL":  {notify.Endpoint{URL: adapters.NewSecret("https://canary\n"), Secret: hookSecret}, true, nil, notify.Permanent},
		"bare scheme": {notify.Endpoint{URL: adapters.NewSecret("file:///etc/canary"), Secret: hookSecret}, true, nil, notify.Permanent},
	} {
		w, err := notify.NewWebhook(notify.WebhookConfig{Endpoint: func(_ context.Context, tenant, address string) (notify.Endpoint, bool, error) {
			if tenant != "acme" || address != "a" {
				t.Errorf("asked for %q, %q", tenant, address)
			}
			return tt.endpoint, tt.ok, tt.err
		}})
		if err != nil {
			t.Fatal(err)
		}
		m := to(comms.Webhook, "a")
		m.Tenant = "acme"
		r := w.Send(t.Context(), m)[0]
		if r.State != tt.want || strings.Contains(r.Reason, "canary") || errors.Is(r.Err, notify.ErrSkipped) != (tt.want == notify.Skipped) || tt.err != nil && !errors.Is(r.Err, tt.err) {
			t.Errorf("%s: %+v, want %s", name, r, tt.want)
		}
	}
	if _, err := notify.NewWebhook(notify.WebhookConfig{}); err == nil {
		t.Error("no endpoints: no error")
	}
}
