package portal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// Pages, API and metrics say the same of an incident: its severity is the one that holds
// now, and until its end it is open.
func TestIncidentIsTheSameEverywhere(t *testing.T) {
	p, mark := site(t, nil), "changed"
	tenant := customer(t, "acme", mark)
	in := &tenant.Incidents[0]
	in.Severities = []sla.SeverityChange{{At: in.Opened.Add(10 * time.Minute), Severity: incident.P3}}
	in.Resolved = now.Add(time.Hour)
	if err := p.Update(tenant); err != nil {
		t.Fatal(err)
	}
	id := "I-2-" + mark
	for target, wants := range map[string][]string{
		"/t/acme/":                 {`id="open-` + id + `"`, "P3"},
		"/t/acme/status.json":      {`"id": "` + id + "\",\n      \"severity\": \"P3\""},
		"/t/acme/api/v1/incidents": {`"id": "` + id + "\",\n      \"severity\": \"P3\"", `"state": "open"`},
		"/t/acme/feed.atom":        {"Severity P3, open."},
		"/metrics":                 {`evenkeel_incidents_open{tenant="acme",severity="p1"} 0`, `evenkeel_incidents_open{tenant="acme",severity="p3"} 1`},
	} {
		token := acmeToken
		if target == "/metrics" {
			token = opsToken
		}
		body := ask(p, "GET", target, "", bearer(token)...).Body.String()
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", target, want)
			}
		}
	}
}
