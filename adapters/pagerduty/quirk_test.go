package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

// ask is a naive client: it sends what it is told to.
func ask(t *testing.T, fake *adaptertest.PagerDuty, method, path, body string, without ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token token="+apiToken)
	r.Header.Set("From", bot)
	for _, name := range without {
		r.Header.Del(name)
	}
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, r)
	return w
}

func event(action, routing, dedup string) string {
	return fmt.Sprintf(`{"routing_key":%q,"event_action":%q,"dedup_key":%q,"payload":{"summary":"x","source":"s","severity":"error"}}`, routing, action, dedup)
}

// Each quirk of the original, and how a naive client comes to grief with it.
func TestFakeIsAsWrongAsTheOriginal(t *testing.T) {
	const incident = `{"incident":{"type":"incident","title":"x","service":{"id":"PSHOP","type":"service_reference"},"incident_key":"k"%s}}`
	other := strings.Replace(routingKey, "c", "d", 1)
	newFake := func() *adaptertest.PagerDuty {
		o := account(func() time.Time { return noon })
		o.RoutingKeys[other] = "PDB"
		return adaptertest.NewPagerDuty(o)
	}
	status := func(t *testing.T, w *httptest.ResponseRecorder, want int, words ...string) {
		t.Helper()
		if w.Code != want {
			t.Errorf("status %d %s, want %d", w.Code, w.Body, want)
		}
		for _, word := range words {
			if !strings.Contains(w.Body.String(), word) {
				t.Errorf("answer %s, want %s in it", w.Body, word)
			}
		}
	}
	create := func(t *testing.T, fake *adaptertest.PagerDuty, more string) string {
		t.Helper()
		w := ask(t, fake, "POST", "/incidents", fmt.Sprintf(incident, more))
		status(t, w, 201)
		var answer struct{ Incident struct{ ID string } }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Incident.ID
	}

	t.Run("acknowledge without an alert is dropped", func(t *testing.T) {
		fake := newFake()
		status(t, ask(t, fake, "POST", "/v2/enqueue", event("acknowledge", routingKey, "k")), 202, "success")
		if len(fake.Alerts()) != 0 {
			t.Error("there is an alert")
		}
	})
	t.Run("resolve by another routing key is dropped", func(t *testing.T) {
		fake := newFake()
		status(t, ask(t, fake, "POST", "/v2/enqueue", event("trigger", routingKey, "k")), 202)
		status(t, ask(t, fake, "POST", "/v2/enqueue", event("resolve", other, "k")), 202, "success")
		if !fake.Alerts()[0].Open {
			t.Error("the alert is resolved")
		}
	})
	t.Run("trigger behind a resolve is another alert", func(t *testing.T) {
		fake := newFake()
		for _, action := range []string{"trigger", "resolve", "trigger"} {
			status(t, ask(t, fake, "POST", "/v2/enqueue", event(action, routingKey, "k")), 202)
		}
		if len(fake.Alerts()) != 2 || len(fake.Incidents()) != 2 {
			t.Errorf("%d alerts, want 2", len(fake.Alerts()))
		}
	})
	t.Run("triggers without a key are alerts of their own", func(t *testing.T) {
		fake := newFake()
		for range 2 {
			status(t, ask(t, fake, "POST", "/v2/enqueue", event("trigger", routingKey, "")), 202)
		}
		if len(fake.Alerts()) != 2 {
			t.Errorf("%d alerts, want 2", len(fake.Alerts()))
		}
	})
	t.Run("ruleset keys take no changes", func(t *testing.T) {
		status(t, ask(t, newFake(), "POST", "/v2/change/enqueue", event("", rulesetKey, "")), 400)
	})
	t.Run("headers are wanted on every call", func(t *testing.T) {
		for _, name := range []string{"Accept", "Content-Type"} {
			status(t, ask(t, newFake(), "GET", "/priorities", "", name), 400)
		}
	})
	t.Run("From is wanted, and a user", func(t *testing.T) {
		fake := newFake()
		id := create(t, fake, "")
		for path, body := range map[string]string{"/incidents/" + id + "/snooze": `{"duration":60}`, "/incidents/" + id + "/notes": `{"note":{"content":"x"}}`} {
			status(t, ask(t, fake, "POST", path, body, "From"), 400, "From")
		}
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/incidents/"+id+"/snooze", strings.NewReader(`{"duration":60}`))
		r.Header = http.Header{"Accept": {"application/vnd.pagerduty+json;version=2"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer " + apiToken}, "From": {"nobody@example.com"}}
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		status(t, w, 400, "1008")
	})
	t.Run("a key is taken while its incident is open", func(t *testing.T) {
		fake := newFake()
		id := create(t, fake, "")
		status(t, ask(t, fake, "POST", "/incidents", fmt.Sprintf(incident, "")), 400, "2001")
		status(t, ask(t, fake, "PUT", "/incidents/"+id, `{"incident":{"type":"incident","status":"resolved"}}`), 200)
		create(t, fake, "") // a duplicate, to who only goes by the 400
		if len(fake.Incidents()) != 2 {
			t.Error("want two incidents of one key")
		}
	})
	t.Run("null is no priority", func(t *testing.T) {
		status(t, ask(t, newFake(), "POST", "/incidents", fmt.Sprintf(incident, `,"priority":null`)), 400)
	})
	t.Run("who assigns to itself has acknowledged", func(t *testing.T) {
		fake := newFake()
		id := create(t, fake, `,"assignments":[{"assignee":{"id":"PBOT","type":"user_reference"}}]`)
		if got := fake.Incident(id).Status; got != "acknowledged" {
			t.Errorf("status %s, want acknowledged", got)
		}
	})
	t.Run("acknowledging a resolved incident opens it", func(t *testing.T) {
		fake := newFake()
		id := create(t, fake, "")
		for _, s := range []string{"resolved", "acknowledged"} {
			status(t, ask(t, fake, "PUT", "/incidents/"+id, fmt.Sprintf(`{"incident":{"type":"incident","status":%q}}`, s)), 200)
		}
		if got := fake.Incident(id); got.Status != "acknowledged" || !got.Resolved.IsZero() {
			t.Errorf("status %s, want open again", got.Status)
		}
		status(t, ask(t, fake, "PUT", "/incidents/"+id, `{"incident":{"type":"incident","status":"acknowledged"}}`), 400, "1002")
	})
	t.Run("merge wants types and an open target", func(t *testing.T) {
		fake := newFake()
		fake.Add(adaptertest.PagerDutyIncident{ID: "QA", Created: noon, Alerts: 2}, adaptertest.PagerDutyIncident{ID: "QB", Created: noon, Alerts: 3}, adaptertest.PagerDutyIncident{ID: "QC", Created: noon, Status: "resolved"})
		status(t, ask(t, fake, "PUT", "/incidents/QA/merge", `{"source_incidents":[{"id":"QB"}]}`), 400)
		status(t, ask(t, fake, "PUT", "/incidents/QC/merge", `{"source_incidents":[{"id":"QB","type":"incident_reference"}]}`), 400)
		status(t, ask(t, fake, "PUT", "/incidents/QA/merge", `{"source_incidents":[{"id":"QB","type":"incident_reference"}]}`), 200)
		status(t, ask(t, fake, "PUT", "/incidents/QA/merge", `{"source_incidents":[{"id":"QB","type":"incident_reference"}]}`), 400, "1019")
		if a, b := fake.Incident("QA"), fake.Incident("QB"); a.Alerts != 5 || b.Status != "resolved" || b.MergedInto != "QA" {
			t.Errorf("%d alerts, source %s", a.Alerts, b.Status)
		}
	})
	t.Run("251 at a time are too many", func(t *testing.T) {
		status(t, ask(t, newFake(), "PUT", "/incidents", `{"incidents":[`+strings.Repeat(`{},`, 250)+`{}]}`), 413)
	})
	t.Run("more and total", func(t *testing.T) {
		fake := newFake()
		fake.Add(make([]adaptertest.PagerDutyIncident, 30)...)
		status(t, ask(t, fake, "GET", "/incidents?date_range=all", ""), 200, `"more":true`, `"total":null`, `"limit":25`)
		status(t, ask(t, fake, "GET", "/incidents?date_range=all&offset=25&total=true", ""), 200, `"more":false`, `"total":30`)
	})
	t.Run("a month without since, six at most", func(t *testing.T) {
		fake := newFake()
		fake.Add(adaptertest.PagerDutyIncident{ID: "QOLD", Created: noon.AddDate(0, -2, 0)})
		status(t, ask(t, fake, "GET", "/incidents", ""), 200, `"incidents":[]`)
		status(t, ask(t, fake, "GET", "/incidents?since=2025-11-22T12:00:00Z&until=2026-11-22T12:00:00Z", ""), 400)
	})
	t.Run("analytics has a cursor and 1000 a page", func(t *testing.T) {
		fake := newFake()
		for i := range 3 {
			fake.Add(adaptertest.PagerDutyIncident{ID: fmt.Sprintf("QD%d", i), Created: noon.Add(time.Duration(i) * time.Second)})
		}
		const filter = `"filters":{"created_at_start":"2026-11-22T12:00:00Z","created_at_end":"2026-11-22T12:00:02Z"}`
		status(t, ask(t, fake, "POST", "/analytics/raw/incidents", `{`+filter+`,"limit":1001}`), 400)
		status(t, ask(t, fake, "POST", "/analytics/raw/incidents", `{`+filter+`,"limit":1}`), 200, `"more":true`, `"last":"cQD0"`)
		// The end does not belong to it.
		status(t, ask(t, fake, "POST", "/analytics/raw/incidents", `{`+filter+`,"limit":1,"starting_after":"cQD0"}`), 200, `"QD1"`, `"more":false`)
	})
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("429 silent %v", silent), func(t *testing.T) {
			o := account(func() time.Time { return noon })
			o.PerMinute, o.NoHeaders = 2, silent
			fake := adaptertest.NewPagerDuty(o)
			var w *httptest.ResponseRecorder
			for range 3 {
				w = ask(t, fake, "GET", "/priorities", "")
			}
			status(t, w, 429)
			if w.Header().Get("Retry-After") != "" || silent != (w.Header().Get("ratelimit-reset") == "") || silent != (w.Body.Len() == 0) {
				t.Errorf("headers %v, body %s", w.Header(), w.Body)
			}
		})
	}
}
