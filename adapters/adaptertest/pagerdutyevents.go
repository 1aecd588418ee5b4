package adaptertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// events answers the Events API: 202 to whatever can be read. "acknowledge" and
// "resolve" without an open alert of that integration have no effect and no error,
// and a trigger behind a resolve opens a new alert.
// https://developer.pagerduty.com/docs/send-alert-event
func (q *pdRequest) events() {
	invalid := func(problems ...string) {
		q.answer(http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": problems})
	}
	var e struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		DedupKey   string `json:"dedup_key"`
		Payload    *struct {
			Summary, Source, Severity string
			Timestamp                 string
			Details                   json.RawMessage `json:"custom_details"`
		} `json:"payload"`
		Images []struct{ Src string } `json:"images"`
		Links  []json.RawMessage      `json:"links"`
	}
	switch {
	case q.r.Method != http.MethodPost:
		q.w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case len(q.body) > 512*1024:
		q.w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case json.Unmarshal(q.body, &e) != nil:
		invalid("body is not JSON")
		return
	case len(e.RoutingKey) != 32:
		invalid("'routing_key' must be 32 characters")
		return
	}
	service, known := q.options.RoutingKeys[e.RoutingKey]
	if !known {
		invalid("'routing_key' is invalid")
		return
	}
	if q.r.URL.Path == "/v2/change/enqueue" {
		// Ruleset keys take no changes.
		if strings.HasPrefix(e.RoutingKey, "R") || e.Payload == nil || e.Payload.Summary == "" {
			invalid("change event is invalid")
			return
		}
		q.count++
		q.changes = append(q.changes, map[string]any{
			"id": fmt.Sprintf("C%d", q.count), "type": "change_event", "summary": e.Payload.Summary, "source": e.Payload.Source,
			"timestamp": cmp.Or(e.Payload.Timestamp, q.now.Format(time.RFC3339)), "links": e.Links, "custom_details": e.Payload.Details,
			"services": []any{pdRef(service, "service")},
		})
		q.answer(http.StatusAccepted, map[string]string{"status": "success", "message": "Change event processed"})
		return
	}
	if e.Action == "trigger" {
		switch {
		case e.Payload == nil || e.Payload.Summary == "" || e.Payload.Source == "":
			invalid("'payload' is missing or blank")
			return
		case !slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity):
			invalid("'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
			return
		case len([]rune(e.Payload.Summary)) > 1024:
			invalid("'payload.summary' is too long")
			return
		}
	}
	if len(e.DedupKey) > 255 {
		invalid("'dedup_key' is too long")
		return
	}
	i := slices.IndexFunc(q.alerts, func(a *PagerDutyAlert) bool {
		return a.Open && a.RoutingKey == e.RoutingKey && a.Key == e.DedupKey && e.DedupKey != ""
	})
	switch e.Action {
	case "trigger":
		if i < 0 {
			if e.DedupKey == "" { // every one is an alert of its own
				q.count++
				e.DedupKey = fmt.Sprintf("generated%d", q.count)
			}
			in := &PagerDutyIncident{Title: e.Payload.Summary, Service: service, Key: e.DedupKey, Created: q.now, Alerts: 1}
			q.add(in)
			q.logEntry(in, "trigger", "")
			q.hook("incident.triggered", in)
			q.alerts = append(q.alerts, &PagerDutyAlert{RoutingKey: e.RoutingKey, Key: e.DedupKey, Open: true, Incident: in.ID})
			i = len(q.alerts) - 1
		}
		q.alerts[i].Events = append(q.alerts[i].Events, q.body)
	case "acknowledge", "resolve":
		if i >= 0 {
			a := q.alerts[i]
			a.Events = append(a.Events, q.body)
			in := q.byID[a.Incident]
			if e.Action == "resolve" {
				a.Open = false
				q.set(in, "resolved", "")
			} else {
				q.set(in, "acknowledged", "")
			}
		}
	default:
		invalid("'event_action' is invalid")
		return
	}
	q.answer(http.StatusAccepted, map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}
