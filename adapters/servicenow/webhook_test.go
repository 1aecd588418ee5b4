package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/incident"
)

const postedBody = `{"table":"incident","operation":"update","record":{"sys_id":"0123456789abcdef0123456789abcdef","number":"INC0010001",
"sys_mod_count":"7","sys_updated_on":"2026-11-30 12:00:00","sys_updated_by":"mike","state":"2","priority":"1","short_description":"checkout is down",
"correlation_id":"key-1","correlation_display":"evenkeel/acme","u_own":"kept"}}`

func TestWebhook(t *testing.T) {
	c := newClient(t, adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{}), nil)
	old, current := adapters.NewSecret("old"), adapters.NewSecret("current")
	var events []Event
	full := false
	handler, err := c.NewReceiver(ReceiverConfig{
		Secrets: []adapters.Secret{current, old},
		Accept: func(_ context.Context, e Event) error {
			if full {
				return errors.New("full")
			}
			events = append(events, e)
			return nil
		},
	})
	ok(t, err)
	post := func(text string, secret adapters.Secret, header string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/servicenow", strings.NewReader(text))
		if header == "" {
			header = ingest.Generic(secret).Sign([]byte(text))
		}
		r.Header.Set(ingest.SignatureHeader, header)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	next := strings.Replace(postedBody, `"7"`, `"8"`, 1)
	full = true
	if code := post(postedBody, current, ""); code != http.StatusServiceUnavailable {
		t.Errorf("%d when nobody takes it, want 503", code)
	}
	full = false
	for _, step := range []struct {
		name, body, header string
		secret             adapters.Secret
		want, events       int
	}{
		{"new", postedBody, "", current, http.StatusAccepted, 1},
		{"again", postedBody, "", old, http.StatusAccepted, 1},
		{"next change, old secret", next, "", old, http.StatusAccepted, 2},
		{"wrong secret", postedBody, "", adapters.NewSecret("x"), http.StatusUnauthorized, 2},
		{"no version", postedBody, "sha256=00", current, http.StatusUnauthorized, 2},
		{"delete of the same count", strings.Replace(postedBody, "update", "delete", 1), "", current, http.StatusAccepted, 3},
		{"no record", `{"table":"incident","operation":"update"}`, "", current, http.StatusBadRequest, 3},
		{"odd operation", strings.Replace(postedBody, "update", "upsert", 1), "", current, http.StatusBadRequest, 3},
		{"odd table", strings.Replace(postedBody, `"incident"`, `"../incident"`, 1), "", current, http.StatusBadRequest, 3},
		{"unknown state", strings.Replace(postedBody, `"state":"2"`, `"state":"99"`, 1), "", current, http.StatusBadRequest, 3},
		{"not JSON", `{`, "", current, http.StatusBadRequest, 3},
		{"another table", strings.Replace(postedBody, `"table":"incident"`, `"table":"problem"`, 1), "", current, http.StatusAccepted, 4},
	} {
		if code := post(step.body, step.secret, step.header); code != step.want || len(events) != step.events {
			t.Errorf("%s: %d with %d events, want %d with %d", step.name, code, len(events), step.want, step.events)
		}
	}
	e := events[0]
	if e.Operation != "update" || e.By != "mike" || !e.At.Equal(noon) || string(e.Raw) != postedBody || e.Ticket.State != adapters.StateAcknowledged ||
		e.Ticket.Severity != incident.P1 || e.Ticket.Tenant != "acme" || e.Ticket.Key != "key-1" || e.Ticket.ByUs || e.Ticket.Ref.Version != "7" {
		t.Errorf("event %+v", e)
	}
	if !strings.Contains(string(e.Raw), `"u_own":"kept"`) {
		t.Error("raw lost a column")
	}
	if p := events[3]; p.Ticket.Ref.Type != "problem" || p.Ticket.State != "" {
		t.Errorf("event of a problem %+v", p)
	}
	for _, bad := range []ReceiverConfig{{}, {Secrets: []adapters.Secret{current}}, {Secrets: []adapters.Secret{{}}, Accept: func(context.Context, Event) error { return nil }}} {
		if _, err := c.NewReceiver(bad); err == nil {
			t.Errorf("%+v starts", bad)
		}
	}
}

// An echo of our own change says so.
func TestEventByUs(t *testing.T) {
	c := newClient(t, http.NotFoundHandler(), nil)
	e, err := c.Event([]byte(strings.Replace(postedBody, `"mike"`, `"evenkeel"`, 1)))
	if err != nil || !e.Ticket.ByUs {
		t.Errorf("%+v, %v, want by us", e.Ticket, err)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(postedBody))
	f.Add([]byte(`{"table":"problem","operation":"insert","record":{"sys_id":"1","sys_mod_count":0}}`))
	c, err := New(Config{BaseURL: "https://acme.service-now.com"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := c.Event(body)
		if err != nil {
			return
		}
		if e.Ticket.Ref.ID == "" || string(e.Raw) != string(body) {
			t.Fatalf("%+v of %s", e, body)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		if _, err := time.Parse(time.RFC3339, e.At.Format(time.RFC3339)); err != nil && e.At.Year() <= 9999 {
			t.Fatal(err)
		}
	})
}
