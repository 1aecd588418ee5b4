package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/jira"
)

// deliver sends a signed webhook of a vendor and returns the status of the answer.
func (b *bridge) deliver(path, header string, sign ingest.HMAC, body string) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, "http://"+b.address+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	sign.Secrets, sign.Header = []adapters.Secret{adapters.NewSecret(canary)}, header
	r.Header.Set(header, sign.Sign([]byte(body)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// rows counts the rows of a table in the database of a bridge.
func rows(t *testing.T, dir, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bridge.db")+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// told counts the requests of an action that the webhook of a bridge has taken.
func told(t *testing.T, dir, action string) (n int) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, `"sink":"webhook"`) && strings.Contains(line, `"action":"`+action+`"`) && strings.Contains(line, `"sent":true`) {
			n++
		}
	}
	return n
}

// incidentEvent is a webhook of PagerDuty, in the form of its documents.
// https://developer.pagerduty.com/docs/webhooks-overview
func incidentEvent(id, status, key string, at time.Time) string {
	return fmt.Sprintf(`{"event":{"id":%q,"event_type":"incident.%s","resource_type":"incident","occurred_at":%q,
		"agent":{"id":"PLH1HKV","type":"user_reference","summary":"Tenex Engineer"},
		"data":{"id":"PGR0VU2","type":"incident","number":2,"status":%q,"incident_key":%q,"title":"A little bump in the road"}}}`,
		id, status, at.UTC().Format(time.RFC3339), status, key)
}

// Who takes an alert in PagerDuty ends its escalation, and the other sinks hear of it;
// who resolves its issue in Jira resolves it everywhere, and the end of the alert then
// tells nobody again.
func TestAnswers(t *testing.T) {
	v := newVendors(t)
	v.env = append(v.env, "ANSWERS="+canary)
	v.files["bridge.yaml"] = strings.NewReplacer("routing_key: {env: PD_KEY}", "routing_key: {env: PD_KEY}, webhook_secret: {env: ANSWERS}",
		"project: OPS", "project: OPS, webhook_secret: {env: ANSWERS}").Replace(v.files["bridge.yaml"]) + "team: team.yaml\n"
	dir := t.TempDir()
	team, err := os.ReadFile(filepath.Join("..", "quickstart", "testdata", "inputs", "team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "team.yaml"), team, 0o600); err != nil {
		t.Fatal(err)
	}
	b := v.start(t, dir, freeAddress(t))
	defer func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() }()
	begun := time.Now()
	b.post(body("firing", "a1"))
	b.until("all are told and somebody is paged", func() bool {
		return len(v.pager.Alerts()) == 1 && len(v.jira.Issues()) == 1 && told(t, dir, "note") == 1
	})
	if rows(t, dir, "SELECT count(*) FROM timer WHERE state = 1") == 0 {
		t.Fatal("no escalation")
	}

	key, pd := v.pager.Alerts()[0].Key, ingest.HMAC{Version: "v1"}
	const header = "X-PagerDuty-Signature"
	for _, c := range []struct {
		body string
		want int
	}{
		{incidentEvent("E0", "acknowledged", key, begun.Add(-time.Hour)), http.StatusAccepted}, // of an earlier time
		{incidentEvent("E1", "acknowledged", "of somebody else", begun.Add(time.Minute)), http.StatusAccepted},
		{incidentEvent("E2", "triggered", key, begun.Add(time.Minute)), http.StatusAccepted},
		// What an integration ends was ended by the bridge itself, for an earlier time that the alert fired.
		{strings.Replace(incidentEvent("E6", "resolved", key, begun.Add(time.Minute)), "user_reference", "events_api_v2_inbound_integration_reference", 1), http.StatusAccepted},
	} {
		if got := b.deliver("/pagerduty", header, pd, c.body); got != c.want {
			t.Errorf("status %d, want %d: %s", got, c.want, c.body)
		}
	}
	if n := rows(t, dir, "SELECT count(*) FROM outbox WHERE key LIKE '%/pagerduty-%'"); n != 0 {
		t.Errorf("%d requests for what no person did to this alert", n)
	}
	if got := b.ask(http.MethodPost, "/pagerduty", incidentEvent("E3", "acknowledged", key, begun.Add(time.Minute))); got != http.StatusUnauthorized {
		t.Errorf("without a signature: status %d, want 401", got)
	}
	for _, id := range []string{"E4", "E4", "E5"} {
		if got := b.deliver("/pagerduty", header, pd, incidentEvent(id, "acknowledged", key, begun.Add(time.Minute))); got != http.StatusAccepted {
			t.Errorf("status %d, want 202", got)
		}
	}
	b.until("the others hear of it", func() bool { return v.jira.Issues()[0].Status == "In Progress" && told(t, dir, "acknowledge") == 1 })
	// Of the levels of the matrix the first stops when somebody takes the incident.
	if n := rows(t, dir, "SELECT count(*) FROM timer WHERE state = 4 AND key LIKE '%/L1'"); n != 1 {
		t.Errorf("level 1 is withdrawn %d times, want once: the escalation goes on", n)
	}
	if n := rows(t, dir, "SELECT count(*) FROM outbox WHERE key LIKE '%acknowledge%'"); n != 2 {
		t.Errorf("%d requests, want one to Jira and one to the webhook", n)
	}

	// What the bridge has done at Jira itself comes back as a webhook, and causes nothing.
	echo := func() {
		t.Helper()
		before := rows(t, dir, "SELECT count(*) FROM outbox")
		issue := v.jira.Issues()[0]
		own, err := json.Marshal(map[string]any{"webhookEvent": "jira:issue_updated", "user": map[string]string{"accountId": "bot"}, "issue": map[string]string{"id": issue.ID, "key": issue.Key}})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.deliver("/jira", "X-Hub-Signature", ingest.HMAC{Version: "sha256"}, string(own)); got != http.StatusAccepted {
			t.Errorf("status %d, want 202", got)
		}
		if n := rows(t, dir, "SELECT count(*) FROM outbox"); n != before {
			t.Errorf("%d requests, want the %d that there were", n, before)
		}
	}
	echo()

	_, address, _ := strings.Cut(v.files["bridge.yaml"], "jira: {url: \"")
	address, _, _ = strings.Cut(address, `"`)
	person, err := jira.New(jira.Config{BaseURL: address, Email: "ann@acme.example", Token: adapters.NewSecret("t"), Project: "OPS", Deployment: jira.Cloud})
	if err != nil {
		t.Fatal(err)
	}
	issue := v.jira.Issues()[0]
	if err := person.Resolve(t.Context(), adapters.Ref{Provider: "jira", ID: issue.ID}, adapters.Resolution{}); err != nil {
		t.Fatal(err)
	}
	moved, err := json.Marshal(map[string]any{"webhookEvent": "jira:issue_updated", "user": map[string]string{"accountId": "ann"}, "issue": map[string]string{"id": issue.ID, "key": issue.Key}})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.deliver("/jira", "X-Hub-Signature", ingest.HMAC{Version: "sha256"}, string(moved)); got != http.StatusAccepted {
		t.Errorf("status %d, want 202", got)
	}
	b.until("it is over everywhere", func() bool { return !v.pager.Alerts()[0].Open && told(t, dir, "resolve") == 1 })
	if n := rows(t, dir, "SELECT count(*) FROM timer WHERE state = 1"); n != 0 {
		t.Errorf("%d timers, want none: the escalation goes on", n)
	}
	echo()
	before := rows(t, dir, "SELECT count(*) FROM outbox")
	if got := b.deliver("/pagerduty", header, pd, incidentEvent("E7", "resolved", key, begun.Add(time.Minute))); got != http.StatusAccepted {
		t.Errorf("status %d, want 202", got)
	}
	if n := rows(t, dir, "SELECT count(*) FROM outbox"); n != before {
		t.Errorf("%d requests after PagerDuty told what the bridge did there, want the %d that there were", n, before)
	}
	b.post(body("resolved", "a1"))
	b.until("the end of the alert is known", func() bool {
		return strings.Contains(b.get("/metrics"), "evenkeel_bridge_webhooks_accepted_total 2") && rows(t, dir, "SELECT count(*) FROM outbox WHERE state = 1") == 0
	})
	b.post(body("firing", "a2")) // behind it
	b.until("what comes after it is told", func() bool { return len(v.pager.Alerts()) == 2 && told(t, dir, "trigger") == 2 })
	if n := told(t, dir, "resolve"); n != 1 {
		t.Errorf("told %d times that it is over, want once", n)
	}
	if n := rows(t, dir, "SELECT count(*) FROM incident WHERE id LIKE 'incident/%' AND data LIKE '%\"status\":\"resolved\"%'"); n != 1 {
		t.Errorf("%d incidents are resolved, want 1", n)
	}
}

// A state of ServiceNow that the configuration names counts as what it says.
func TestAnswersServiceNow(t *testing.T) {
	now := adaptertest.NewServiceNow(adaptertest.ServiceNowOptions{Users: map[string]string{"bridge": canary}})
	instance := httptest.NewServer(now)
	defer instance.Close()
	v := newVendors(t)
	v.env = append(v.env, "ANSWERS="+canary)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "sinks:\n", fmt.Sprintf(
		"sinks:\n  servicenow: {url: %q, user: bridge, password: {env: ANSWERS}, webhook_secret: {env: ANSWERS}}\n", instance.URL), 1)
	v.files["bridge.yaml"] = strings.Replace(v.files["bridge.yaml"], "map: {", "map: {state: {'9': acknowledged}, ", 1)
	dir := t.TempDir()
	b := v.start(t, dir, freeAddress(t))
	defer func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() }()
	b.post(body("firing", "a1"))
	b.until("all are told", func() bool {
		return len(v.pager.Alerts()) == 1 && len(v.jira.Issues()) == 1 && told(t, dir, "trigger") == 1 && len(now.Records("incident", "")) == 1
	})
	change := func(state string, n int) {
		t.Helper()
		id := now.Records("incident", "")[0]["sys_id"]
		now.Set("incident", id, map[string]string{"state": state, "sys_updated_on": time.Now().UTC().Format(time.DateTime)})
		posted, err := json.Marshal(map[string]any{"table": "incident", "operation": "update", "record": map[string]string{"sys_id": id, "sys_mod_count": strconv.Itoa(n), "sys_updated_by": "ann"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.deliver("/servicenow", ingest.SignatureHeader, ingest.HMAC{Version: "v1"}, string(posted)); got != http.StatusAccepted {
			t.Errorf("status %d, want 202: %s", got, b.stderr)
		}
	}
	change("9", 7)
	b.until("it is acknowledged everywhere", func() bool { return v.jira.Issues()[0].Status == "In Progress" && told(t, dir, "acknowledge") == 1 })
	before := rows(t, dir, "SELECT count(*) FROM outbox")
	change("9", 8) // as the row comes back whenever the bridge has written in it
	if n := rows(t, dir, "SELECT count(*) FROM outbox"); n != before {
		t.Errorf("%d requests after a row that says nothing new, want the %d that there were", n, before)
	}
	change("6", 9)
	b.until("it is resolved everywhere", func() bool {
		return !v.pager.Alerts()[0].Open && v.jira.Issues()[0].Resolution != "" && told(t, dir, "resolve") == 1
	})
}
