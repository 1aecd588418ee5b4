package jira

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// body is a webhook in the form of the documents of Jira.
const body = `{
 "timestamp": 1764530000123, "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_generic",
 "user": {"self": "https://jira.example/user", "accountId": "someone", "displayName": "Some One", "avatarUrls": {"48x48": "x"}},
 "issue": {"id": "10007", "self": "https://jira.example/rest/api/2/10007", "key": "OPS-7", "fields": {
  "summary": "checkout is down", "description": "5xx", "priority": {"name": "High"}, "labels": ["checkout"],
  "status": {"name": "Done", "statusCategory": {"key": "done"}}, "resolution": {"name": "Won't Do"}, "resolutiondate": "2026-11-30T19:13:20.000+0000",
  "issuetype": {"name": "Incident"}, "project": {"key": "OPS"}, "created": "2026-11-30T18:00:00.000+0000", "updated": "2026-11-30T19:13:20.000+0000",
  "assignee": null, "customfield_10010": {"value": "checkout"}, "environment": {"type": "doc"}, "watches": 7}},
 "changelog": {"id": "5", "items": [{"field": "status", "fieldtype": "jira", "from": "3", "fromString": "In Progress", "to": "6", "toString": "Done"}]},
 "something": "new"}`

func delivery(text string) ingest.Delivery {
	return ingest.Delivery{Name: "jira", Body: []byte(text), Header: http.Header{
		headerIdentifier: {"9f2c"}, headerRetry: {"2"}, headerFlow: {"Secondary"},
	}}
}

func TestEvent(t *testing.T) {
	c, _ := with(t, adaptertest.JiraOptions{}, nil)
	e, err := c.Event(delivery(body))
	must(t, err)
	if e.ID != "9f2c" || e.Type != "jira:issue_updated" || e.Retry != 2 || e.Flow != "Secondary" || e.Actor != "someone" || e.ByUs ||
		!e.At.Equal(time.UnixMilli(1764530000123)) || !json.Valid(e.Raw) || !strings.Contains(string(e.Raw), `"something"`) {
		t.Errorf("event %+v", e)
	}
	if e.Ref.ID != "10007" || e.Ref.Number != "OPS-7" || e.Ref.Version != "2026-11-30T19:13:20.000Z" {
		t.Errorf("ref %+v", e.Ref)
	}
	if i := e.Ticket; i == nil || i.Title != "checkout is down" || i.Text != "5xx" || i.Severity != incident.P2 || i.State != adapters.StateCancelled || i.Resolved.IsZero() || i.Fields[adaptertest.JiraField] == nil {
		t.Errorf("ticket %+v", i)
	}
	if len(e.Changes) != 1 || e.Changes[0] != (Change{ID: "5", At: e.At, By: "someone", Field: "status", From: "In Progress", To: "Done"}) {
		t.Errorf("changes %+v", e.Changes)
	}

	t.Run("echo", func(t *testing.T) {
		if _, err := c.myself(t.Context()); err != nil {
			t.Fatal(err)
		}
		e, err := c.Event(delivery(strings.Replace(body, "someone", adaptertest.JiraBot, 1)))
		if err != nil || !e.ByUs {
			t.Errorf("by us %v, %v; want true", e.ByUs, err)
		}
	})
	t.Run("comment", func(t *testing.T) {
		e, err := c.Event(delivery(`{"webhookEvent":"comment_created","comment":{"id":"1","body":"hello","author":{"accountId":"a"},"created":"2026-11-30T19:00:00.000+0000","jsdPublic":false},"issue":{"id":"10007","key":"OPS-7"}}`))
		if err != nil || e.Note == nil || e.Note.Text != "hello" || e.Note.Public || e.Actor != "a" || e.Ticket != nil || e.Ref.Number != "OPS-7" {
			t.Errorf("event %+v, note %+v, %v", e, e.Note, err)
		}
	})
	t.Run("documents", func(t *testing.T) {
		e, err := c.Event(delivery(strings.Replace(body, `"description": "5xx"`, `"description": {"type":"doc","version":1,"content":[]}`, 1)))
		if err != nil || e.Ticket == nil || e.Ticket.Text != "" || e.Ticket.Title == "" {
			t.Errorf("ticket %+v, %v; want it without its text", e.Ticket, err)
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		e, err := c.Event(delivery(strings.Replace(body, `"High"`, `"Odd"`, 1)))
		if adapters.KindOf(err) != adapters.Invalid || e.Ref.ID != "10007" || e.Ticket == nil || e.Ticket.Title == "" || len(e.Changes) != 1 {
			t.Errorf("event %+v, %v; want the rest of it and an error", e, err)
		}
	})
	for _, text := range []string{``, `[]`, `{}`, `{"webhookEvent":7}`, `{"webhookEvent":"x","issue":7}`, `{"webhookEvent":"x","issue":{"id":"../1"}}`, `{"webhookEvent":"x","comment":{"created":"never"}}`} {
		if e, err := c.Event(delivery(text)); adapters.KindOf(err) != adapters.Invalid || string(e.Raw) != text {
			t.Errorf("%s: %+v, %v; want invalid and the raw body", text, e, err)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(body))
	f.Add([]byte(`{"webhookEvent":"comment_created","comment":{"body":{}},"issue":{"id":"1","fields":{"labels":[1],"project":null}}}`))
	c, err := New(Config{BaseURL: "https://jira.example", Token: adapters.NewSecret("t"), Project: "OPS"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := c.Event(ingest.Delivery{Body: text, Header: http.Header{headerRetry: {string(text)}}})
		if err == nil && e.Type == "" {
			t.Error("an event without a type")
		}
		if string(e.Raw) != string(text) {
			t.Error("raw body is another")
		}
	})
}

func TestReceiver(t *testing.T) {
	secrets := []adapters.Secret{adapters.NewSecret("old"), adapters.NewSecret("new")}
	var got []ingest.Delivery
	handler, err := NewReceiver(ingest.Config{
		Verify: Signature(secrets...).Verify,
		Accept: func(_ context.Context, d ingest.Delivery) error { got = append(got, d); return nil },
	})
	must(t, err)
	post := func(text, signature, id string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(text))
		r.Header.Set("X-Hub-Signature", signature)
		if id != "" {
			r.Header.Set("X-Atlassian-Webhook-Identifier", id)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	sign := func(secret, text string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		return fmt.Sprintf("sha256=%x", mac.Sum(nil))
	}
	for _, tt := range []struct {
		name, text, signature, id string
		want, accepted            int
	}{
		{"first", body, sign("new", body), "1", 202, 1},
		{"retry", body, sign("new", body), "1", 202, 1},
		{"old secret, upper case", body, strings.Replace(strings.ToUpper(sign("old", body)), "SHA256", "sha256", 1), "2", 202, 2},
		{"no identifier", body, sign("new", body), "", 202, 3},
		{"no identifier, again", body, sign("new", body), "", 202, 3},
		{"another secret", body, sign("odd", body), "3", 401, 3},
		{"empty secret", body, sign("", body), "3", 401, 3},
		{"sha1", body, "sha1=00", "3", 401, 3},
		{"the word that is wrong", body, strings.Replace(sign("new", body), "sha256", "sha-256", 1), "3", 401, 3},
		{"none", body, "", "3", 401, 3},
		{"no webhook", `{}`, sign("new", `{}`), "4", 400, 3},
	} {
		if code := post(tt.text, tt.signature, tt.id); code != tt.want || len(got) != tt.accepted {
			t.Errorf("%s: %d, %d accepted; want %d and %d", tt.name, code, len(got), tt.want, tt.accepted)
		}
	}
	if got[0].Name != "jira" || string(got[0].Body) != body {
		t.Errorf("delivery %+v", got[0])
	}
	if Signature().Check() == nil || Signature(adapters.Secret{}).Check() == nil {
		t.Error("starts without a secret")
	}
}

func TestSignatureVectors(t *testing.T) {
	path := testutil.Shared("vectors", "adapters", "signatures.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("SKIPPED: no %s", path)
	}
	var file struct {
		Cases []struct {
			ID, Provider, Body string
			Secrets            []string
			Headers            map[string]string
			Valid              bool
		}
	}
	must(t, json.Unmarshal(data, &file))
	n := 0
	for _, v := range file.Cases {
		if v.Provider != "jira" {
			continue
		}
		n++
		var secrets []adapters.Secret
		for _, s := range v.Secrets {
			secrets = append(secrets, adapters.NewSecret(s))
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		for name, value := range v.Headers {
			r.Header.Set(name, value)
		}
		if err := Signature(secrets...).Verify(r, []byte(v.Body), time.Time{}); (err == nil) != v.Valid {
			t.Errorf("%s: %v, want valid %v", v.ID, err, v.Valid)
		}
	}
	if n == 0 {
		t.Error("no case of jira")
	}
}

func TestJWT(t *testing.T) {
	now := time.Unix(1764530000, 0)
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	sign := func(secret, header, claims string) string {
		signed := part(header) + "." + part(claims)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	const hs256 = `{"alg":"HS256","typ":"JWT"}`
	good := sign("s", hs256, `{"iss":"app","exp":1764530060}`)
	// RFC 7515, appendix A.1: the token, its key, and the second in which it ends.
	rfc := "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	key, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	must(t, err)
	for _, tt := range []struct {
		name          string
		jwt           JWT
		authorization string
		now           time.Time
		want          error
	}{
		{"good", JWT{Secrets: secrets("x", "s")}, "Bearer " + good, now, nil},
		{"scheme of older apps", JWT{Secrets: secrets("s")}, "JWT " + good, now, nil},
		{"RFC", JWT{Secrets: secrets(string(key)), Issuer: "joe"}, "Bearer " + rfc, time.Unix(1300819379, 0), nil},
		{"RFC, over", JWT{Secrets: secrets(string(key))}, "Bearer " + rfc, time.Unix(1300819380, 0), errExpired},
		{"leeway", JWT{Secrets: secrets(string(key)), Leeway: time.Minute}, "Bearer " + rfc, time.Unix(1300819439, 0), nil},
		{"other secret", JWT{Secrets: secrets("x")}, "Bearer " + good, now, errToken},
		{"other issuer", JWT{Secrets: secrets("s"), Issuer: "other"}, "Bearer " + good, now, errToken},
		{"no secret", JWT{}, "Bearer " + good, now, errNoKey},
		{"empty secret", JWT{Secrets: secrets("")}, "Bearer " + sign("", hs256, `{"exp":1764530060}`), now, errNoKey},
		{"no expiry", JWT{Secrets: secrets("s")}, "Bearer " + sign("s", hs256, `{}`), now, errExpired},
		{"not yet", JWT{Secrets: secrets("s")}, "Bearer " + sign("s", hs256, `{"exp":1764530060,"nbf":1764530001}`), now, errToken},
		{"no algorithm", JWT{Secrets: secrets("s")}, "Bearer " + sign("s", `{"alg":"none"}`, `{"exp":1764530060}`), now, errToken},
		{"no signature", JWT{Secrets: secrets("s")}, "Bearer " + part(`{"alg":"none"}`) + "." + part(`{"exp":1764530060}`) + ".", now, errToken},
		{"another algorithm", JWT{Secrets: secrets("s")}, "Bearer " + sign("s", `{"alg":"HS512"}`, `{"exp":1764530060}`), now, errToken},
		{"critical", JWT{Secrets: secrets("s")}, "Bearer " + sign("s", `{"alg":"HS256","crit":["b64"]}`, `{"exp":1764530060}`), now, errToken},
		{"no JSON", JWT{Secrets: secrets("s")}, "Bearer " + sign("s", hs256, `x`), now, errToken},
		{"two parts", JWT{Secrets: secrets("s")}, "Bearer a.b", now, errToken},
		{"basic", JWT{Secrets: secrets("s")}, "Basic " + good, now, errToken},
		{"none", JWT{Secrets: secrets("s")}, "", now, errToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
			r.Header.Set("Authorization", tt.authorization)
			if err := tt.jwt.Verify(r, nil, tt.now); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func secrets(texts ...string) []adapters.Secret {
	var list []adapters.Secret
	for _, text := range texts {
		list = append(list, adapters.NewSecret(text))
	}
	return list
}

func FuzzJWT(f *testing.F) {
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
	j := JWT{Secrets: secrets("s")}
	f.Fuzz(func(t *testing.T, token string) {
		r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + token}}}
		if j.Verify(r, nil, time.Unix(1, 0)) == nil {
			t.Errorf("token %q is valid", token)
		}
	})
}
