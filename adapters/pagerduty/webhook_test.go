package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func TestSignatures(t *testing.T) {
	others := func(testutil.Case) error { return testutil.SkipCase("of another sender") }
	testutil.OpenVectors(t, "adapters", "signatures.json").Run(t, testutil.Kinds{
		"jira": others, "slack": others, "generic": others,
		"pagerduty": func(c testutil.Case) error {
			var in struct {
				Secrets []string
				Headers map[string]string
				Body    string
				Repeat  *struct {
					Prefix, Char, Suffix string
					Count                int
				} `json:"body_repeat"`
				Valid bool
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			if r := in.Repeat; r != nil {
				in.Body = r.Prefix + strings.Repeat(r.Char, r.Count) + r.Suffix
			}
			var secrets []adapters.Secret
			for _, s := range in.Secrets {
				secrets = append(secrets, adapters.NewSecret(s))
			}
			var got []pagerduty.Event
			handler, err := pagerduty.NewReceiver(pagerduty.ReceiverConfig{Secrets: secrets, Accept: func(_ context.Context, e pagerduty.Event) error {
				got = append(got, e)
				return nil
			}})
			if err != nil {
				if in.Valid {
					return err
				}
				return nil // refused at the start
			}
			w := deliver(handler, in.Headers, in.Body)
			// The longest body is signed and no event: it is verified, and unreadable.
			status := http.StatusUnauthorized
			if in.Valid {
				status = http.StatusAccepted
				if in.Repeat != nil {
					status = http.StatusBadRequest
				}
			}
			if w.Code != status {
				return fmt.Errorf("status %d %s, want %d", w.Code, w.Body, status)
			}
			if status == http.StatusAccepted && (len(got) != 1 || got[0].Ref.ID != "PGR0VU2" || string(got[0].Raw) != in.Body) {
				return fmt.Errorf("events %+v", got)
			}
			return nil
		},
	})
}

func deliver(h http.Handler, header map[string]string, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/pagerduty", strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestReplaysAreLetThroughOnce(t *testing.T) {
	secret := adapters.NewSecret("whsec")
	accepted, failing := 0, true
	handler, err := pagerduty.NewReceiver(pagerduty.ReceiverConfig{Secrets: []adapters.Secret{secret}, Accept: func(context.Context, pagerduty.Event) error {
		if failing {
			return errors.New("store is away")
		}
		accepted++
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	sign := ingest.HMAC{Header: "X-PagerDuty-Signature", Version: "v1", Secrets: []adapters.Secret{secret}}
	send := func(id, hook string) int {
		body := fmt.Sprintf(`{"event":{"id":%q,"event_type":"incident.triggered","data":{"id":"Q1","type":"incident","status":"triggered"}}}`, id)
		return deliver(handler, map[string]string{"X-PagerDuty-Signature": sign.Sign([]byte(body)), "X-Webhook-Id": hook}, body).Code
	}
	if got := send("E1", "h1"); got != http.StatusServiceUnavailable {
		t.Errorf("not taken: %d, want 503, so that it is sent again", got)
	}
	failing = false
	for _, tt := range []struct {
		id, hook string
		accepted int
	}{{"E1", "h1", 1}, {"E1", "h1", 1}, {"E1", "forged", 1}, {"E2", "h2", 2}, {"", "h3", 3}, {"", "h3", 3}, {"", "", 4}, {"", "", 5}} {
		if got := send(tt.id, tt.hook); got != http.StatusAccepted || accepted != tt.accepted {
			t.Errorf("%q %q: %d, %d accepted; want 202 and %d", tt.id, tt.hook, got, accepted, tt.accepted)
		}
	}
	if s := handler.Stats(); s.Accepted != 5 || s.Repeated != 3 || s.Refused != 1 {
		t.Errorf("figures %+v", s)
	}
}

func TestReceiverIsRefused(t *testing.T) {
	accept := func(context.Context, pagerduty.Event) error { return nil }
	for name, c := range map[string]pagerduty.ReceiverConfig{
		"no secret":    {Accept: accept},
		"empty secret": {Accept: accept, Secrets: []adapters.Secret{adapters.NewSecret("s"), {}}},
		"no accept":    {Secrets: []adapters.Secret{adapters.NewSecret("s")}},
	} {
		if _, err := pagerduty.NewReceiver(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseEvent(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       pagerduty.Event // but Data and Raw
	}{
		{
			"note", `{"event":{"id":"E","event_type":"incident.annotated","resource_type":"incident","occurred_at":"2026-11-22T12:00:00Z","agent":{"id":"PANN","type":"user_reference","summary":"Ann"},"data":{"id":"N1","type":"incident_note","content":"it is the disk","incident":{"id":"Q1","html_url":"https://x.example/Q1"}}}}`,
			pagerduty.Event{ID: "E", Type: "incident.annotated", ResourceType: "incident", Note: "it is the disk", Ref: adapters.Ref{Provider: "pagerduty", Type: "incident", ID: "Q1", URL: "https://x.example/Q1", Version: "2026-11-22T12:00:00Z"}},
		},
		{
			"incident", `{"event":{"id":"E","event_type":"incident.reopened","resource_type":"incident","occurred_at":"2026-11-22T12:00:00Z","new":[1],"data":{"id":"Q1","type":"incident","number":7,"status":"triggered"}}}`,
			pagerduty.Event{ID: "E", Type: "incident.reopened", ResourceType: "incident", Status: "triggered", Ref: adapters.Ref{Provider: "pagerduty", Type: "incident", ID: "Q1", Number: "7", Version: "2026-11-22T12:00:00Z"}},
		},
		{
			"service", `{"event":{"id":"E","event_type":"service.updated","resource_type":"service","data":{"id":"PSHOP","type":"service"}}}`,
			pagerduty.Event{ID: "E", Type: "service.updated", ResourceType: "service"},
		},
		{
			"ping", `{"event":{"id":"E","event_type":"pagey.ping","resource_type":"pagey","data":{"message":"Hello from your friend Pagey!","type":"ping"}}}`,
			pagerduty.Event{ID: "E", Type: pagerduty.Ping, ResourceType: "pagey", Note: "Hello from your friend Pagey!"},
		},
	} {
		got, err := pagerduty.ParseEvent([]byte(tt.body))
		if err != nil || got.ID != tt.want.ID || got.Type != tt.want.Type || got.ResourceType != tt.want.ResourceType || got.Ref != tt.want.Ref ||
			got.Note != tt.want.Note || got.Status != tt.want.Status || string(got.Raw) != tt.body || len(got.Data) == 0 {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
		if got.Reopened() != (got.Type == "incident.reopened") {
			t.Errorf("%s: Reopened = %v", tt.name, got.Reopened())
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"event":{}}`, `{"event":{"event_type":3}}`, `{"event":{"event_type":"x","data":[]}}`, `{"messages":[{"event":"incident.trigger"}]}`} {
		if _, err := pagerduty.ParseEvent([]byte(body)); err == nil {
			t.Errorf("%s: no error", body)
		}
	}
}

// The whole way: subscribe, be told, lose the subscription, repair it.
func TestSubscriptions(t *testing.T) {
	var (
		handler http.Handler
		events  []pagerduty.Event
		broken  bool
	)
	client, _, at := setUp(t, func(_ *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
		o.Deliver = func(url string, header http.Header, body []byte) int {
			if broken || url != "https://hook.example/pagerduty" {
				return http.StatusNotFound
			}
			h := map[string]string{}
			for name := range header {
				h[name] = header.Get(name)
			}
			return deliver(handler, h, string(body)).Code
		}
	})
	ctx := t.Context()
	if err := client.Verify(ctx); err != nil { // to know itself
		t.Fatal(err)
	}
	s, err := client.Subscribe(ctx, pagerduty.Subscription{URL: "https://hook.example/pagerduty", Service: "PSHOP", Events: pagerduty.EventTypes[:], Description: "evenkeel"})
	if err != nil || s.Secret.IsZero() || s.ID == "" || s.Service != "PSHOP" || !s.Active {
		t.Fatalf("Subscribe = %+v, %v", s, err)
	}
	handler, err = pagerduty.NewReceiver(pagerduty.ReceiverConfig{Secrets: []adapters.Secret{s.Secret}, Accept: func(_ context.Context, e pagerduty.Event) error {
		events = append(events, e)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(ctx, s.ID); err != nil || len(events) != 1 || events[0].Type != pagerduty.Ping {
		t.Fatalf("Ping: %v, events %+v", err, events)
	}
	ref := open(t, client, down("k"))
	ticket, whole, err := client.Ticket(events[1], "acme")
	if err != nil || !whole || ticket.Ref.ID != ref.ID || ticket.Ref.Number != ref.Number || ticket.State != adapters.StateNew || ticket.Severity != incident.P1 || !ticket.ByUs || ticket.Tenant != "acme" {
		t.Errorf("Ticket = %+v, %v, %v", ticket, whole, err)
	}
	if _, whole, err := client.Ticket(events[0], "acme"); whole || err != nil {
		t.Errorf("Ticket of a ping = %v, %v", whole, err)
	}
	// Three refusals in a row and it is switched off.
	broken = true
	for range 3 {
		if err := client.Note(ctx, ref, adapters.Note{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	broken, at.at = false, noon.Add(time.Minute)
	if err := client.Resolve(ctx, ref, adapters.Resolution{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	if len(events) != 2 {
		t.Errorf("%d events, want none while it is switched off", len(events))
	}
	repaired, err := client.RepairSubscriptions(ctx, "https://hook.example/pagerduty")
	if err != nil || len(repaired) != 1 || !repaired[0].Disabled || !repaired[0].Secret.IsZero() || len(events) != 3 {
		t.Errorf("repaired %+v, %v, %d events", repaired, err, len(events))
	}
	if again, err := client.RepairSubscriptions(ctx, "https://hook.example/pagerduty"); err != nil || len(again) != 0 {
		t.Errorf("repaired again %+v, %v", again, err)
	}
	for range 2 {
		if err := client.Unsubscribe(ctx, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []pagerduty.Subscription{
		{URL: "http://hook.example", Events: []string{"incident.triggered"}},
		{URL: "https://hook.example"},
		{URL: "https://hook.example", Events: []string{"incident.triggered"}, Service: "S", Team: "T"},
	} {
		if _, err := client.Subscribe(ctx, bad); !errors.Is(err, adapters.Invalid) {
			t.Errorf("%+v: %v, want invalid", bad, err)
		}
	}
}

func TestEventTypes(t *testing.T) {
	// 30 of incident.* and service.*, by the list of the vendor.
	if n := len(pagerduty.EventTypes); n != 30 || !slices.IsSorted(pagerduty.EventTypes[:]) {
		t.Errorf("%d event types, want 30 in order", n)
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"event":{"id":"E","event_type":"incident.triggered","data":{"id":"Q1","type":"incident","status":"triggered","number":1,"priority":{"summary":"P1"}}}}`))
	f.Add([]byte(`{"event":{"event_type":"incident.annotated","data":{"incident":{"id":"Q1"},"content":"x"}}}`))
	client, err := pagerduty.New(pagerduty.Config{Token: adapters.NewSecret("t")})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := pagerduty.ParseEvent(body)
		if err != nil {
			return
		}
		if e.Type == "" || string(e.Raw) != string(body) {
			t.Errorf("event %+v", e)
		}
		if ticket, whole, err := client.Ticket(e, "acme"); err == nil && whole && ticket.Ref.ID == "" {
			t.Errorf("ticket without reference: %+v", ticket)
		}
	})
}
