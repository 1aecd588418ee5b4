package adaptertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// account answers what is neither an incident nor an event.
func (q *pdRequest) account(route string) {
	query := q.r.URL.Query()
	things := func(key, kind string, all []PagerDutyThing) {
		var views []map[string]any
		for _, t := range all {
			views = append(views, map[string]any{"id": t.ID, "type": kind, "name": t.Name, "summary": t.Name})
		}
		q.page(key, slices.All(views), len(views))
	}
	switch route {
	case "GET /priorities":
		things("priorities", "priority", q.options.Priorities)
	case "GET /services":
		things("services", "service", q.options.Services)
	case "GET /business_services":
		things("business_services", "business_service", q.options.BusinessServices)
	case "GET /services/{id}":
		i := slices.IndexFunc(q.options.Services, func(t PagerDutyThing) bool { return t.ID == q.steps[1] })
		if i < 0 {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
		q.answer(http.StatusOK, map[string]any{"service": map[string]any{"id": q.steps[1], "name": q.options.Services[i].Name}})
	case "GET /users":
		var views []map[string]any
		for _, u := range q.options.Users {
			if strings.Contains(strings.ToLower(u.Name+" "+u.Email), strings.ToLower(query.Get("query"))) {
				views = append(views, q.userView(u.ID))
			}
		}
		q.page("users", slices.All(views), len(views))
	case "GET /service_dependencies/technical_services/{id}", "GET /service_dependencies/business_services/{id}":
		q.dependencies(q.steps[2])
	case "GET /oncalls":
		q.duties()
	case "GET /v3/schedules/{id}", "GET /schedules/{id}":
		// One that was not moved to version 3 is a 400 there.
		i := slices.IndexFunc(q.options.Schedules, func(s PagerDutySchedule) bool { return s.ID == q.steps[len(q.steps)-1] })
		switch v3 := q.steps[0] == "v3"; {
		case i < 0:
			q.refuse(http.StatusNotFound, 2100, "Not Found")
		case v3 && !q.options.Schedules[i].V3:
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "schedule is not of version 3")
		default:
			s := q.options.Schedules[i]
			q.answer(http.StatusOK, map[string]any{"schedule": map[string]any{"id": s.ID, "name": s.Name, "time_zone": s.TimeZone}})
		}
	case "GET /change_events", "GET /services/{id}/change_events":
		q.listChanges()
	case "GET /maintenance_windows", "POST /maintenance_windows", "PUT /maintenance_windows/{id}", "DELETE /maintenance_windows/{id}":
		q.maintenance()
	default:
		if strings.HasPrefix(q.r.URL.Path, "/webhook_subscriptions") {
			q.subscription(route)
			return
		}
		q.refuse(http.StatusNotFound, 2100, "Not Found")
	}
}

func (q *pdRequest) userView(id string) map[string]any {
	i := slices.IndexFunc(q.options.Users, func(u PagerDutyUser) bool { return u.ID == id })
	if i < 0 {
		return pdRef(id, "user")
	}
	u := q.options.Users[i]
	return map[string]any{"id": u.ID, "type": "user", "name": u.Name, "summary": u.Name, "email": u.Email}
}

// dependencies lists those of a service with either end.
func (q *pdRequest) dependencies(id string) {
	relationships := []any{}
	for _, d := range q.options.Dependencies {
		if d.Dependent == id || d.Supporting == id {
			relationships = append(relationships, map[string]any{
				"id": d.ID, "type": "service_dependency",
				"dependent_service":  map[string]string{"id": d.Dependent, "type": d.DependentType},
				"supporting_service": map[string]string{"id": d.Supporting, "type": d.SupportsBy},
			})
		}
	}
	q.answer(http.StatusOK, map[string]any{"relationships": relationships})
}

func (q *pdRequest) duties() {
	since, until, ok := q.window()
	if !ok {
		return
	}
	query := q.r.URL.Query()
	var views []map[string]any
	for _, d := range q.options.Duties {
		policies, schedules := query["escalation_policy_ids[]"], query["schedule_ids[]"]
		if len(policies) > 0 && !slices.Contains(policies, d.Policy) || len(schedules) > 0 && !slices.Contains(schedules, d.Schedule) ||
			!d.Start.IsZero() && d.Start.After(until) || !d.End.IsZero() && d.End.Before(since) {
			continue
		}
		v := map[string]any{
			"escalation_policy": pdRef(d.Policy, "escalation_policy"), "schedule": nil, "escalation_level": d.Level, "start": nil, "end": nil, "user": q.userView(d.User),
		}
		if d.Schedule != "" {
			v["schedule"] = pdRef(d.Schedule, "schedule")
		}
		if !d.Start.IsZero() {
			v["start"], v["end"] = d.Start.UTC().Format(time.RFC3339), d.End.UTC().Format(time.RFC3339)
		}
		views = append(views, v)
	}
	q.page("oncalls", slices.All(views), len(views))
}

func (q *pdRequest) listChanges() {
	since, until, ok := q.window()
	if !ok {
		return
	}
	var found []map[string]any
	for _, c := range slices.Backward(q.changes) {
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(c["timestamp"]))
		service := c["services"].([]any)[0].(map[string]any)["id"]
		if err == nil && !at.Before(since) && at.Before(until) && (q.steps[0] != "services" || service == q.steps[1]) {
			found = append(found, c)
		}
	}
	q.page("change_events", slices.All(found), len(found))
}

func (q *pdRequest) maintenance() {
	if q.r.Method == http.MethodGet {
		var found []map[string]any
		for _, w := range q.windows {
			end, err := time.Parse(time.RFC3339, fmt.Sprint(w["end_time"]))
			if err == nil && (q.r.URL.Query().Get("filter") != "open" || end.After(q.now)) {
				found = append(found, w)
			}
		}
		q.page("maintenance_windows", slices.All(found), len(found))
		return
	}
	i := -1
	if q.r.Method != http.MethodPost {
		if i = slices.IndexFunc(q.windows, func(w map[string]any) bool { return w["id"] == q.steps[1] }); i < 0 {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
	}
	if q.r.Method == http.MethodDelete {
		q.windows = slices.Delete(q.windows, i, i+1)
		q.w.WriteHeader(http.StatusNoContent)
		return
	}
	var body struct {
		Window map[string]any `json:"maintenance_window"`
	}
	if json.Unmarshal(q.body, &body) != nil || body.Window["type"] != "maintenance_window" {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided")
		return
	}
	if i >= 0 {
		body.Window["id"] = q.windows[i]["id"]
		q.windows[i] = body.Window
		q.answer(http.StatusOK, body)
		return
	}
	q.count++
	body.Window["id"] = fmt.Sprintf("W%d", q.count)
	q.windows = append(q.windows, body.Window)
	q.answer(http.StatusCreated, map[string]any{"maintenance_window": body.Window})
}

// subscription answers all about webhooks. A secret is told once, to who subscribes.
func (q *pdRequest) subscription(route string) {
	var s *pagerDutySubscription
	if len(q.steps) > 1 {
		i := slices.IndexFunc(q.subscriptions, func(s *pagerDutySubscription) bool { return s.view["id"] == q.steps[1] })
		if i < 0 {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
		s = q.subscriptions[i]
	}
	switch route {
	case "GET /webhook_subscriptions":
		var views []map[string]any
		for _, s := range q.subscriptions {
			views = append(views, s.shown(""))
		}
		q.page("webhook_subscriptions", slices.All(views), len(views))
	case "POST /webhook_subscriptions":
		var body struct {
			Subscription map[string]any `json:"webhook_subscription"`
		}
		if json.Unmarshal(q.body, &body) != nil || body.Subscription["type"] != "webhook_subscription" {
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided")
			return
		}
		q.count++
		s := &pagerDutySubscription{view: body.Subscription, secret: fmt.Sprintf("whsec-%016d", q.count)}
		s.view["id"] = fmt.Sprintf("H%d", q.count)
		q.subscriptions = append(q.subscriptions, s)
		q.answer(http.StatusCreated, map[string]any{"webhook_subscription": s.shown(s.secret)})
	case "DELETE /webhook_subscriptions/{id}":
		q.subscriptions = slices.DeleteFunc(q.subscriptions, func(o *pagerDutySubscription) bool { return o == s })
		q.w.WriteHeader(http.StatusNoContent)
	case "POST /webhook_subscriptions/{id}/enable":
		s.disabled, s.dropped = false, 0
		q.answer(http.StatusOK, map[string]any{"webhook_subscription": s.shown("")})
	case "POST /webhook_subscriptions/{id}/ping":
		q.hooks = append(q.hooks, q.hookOf(s, "pagey.ping", map[string]any{"message": "Hello from your friend Pagey!", "type": "ping"}))
		q.w.WriteHeader(http.StatusAccepted)
	default:
		q.refuse(http.StatusNotFound, 2100, "Not Found")
	}
}

func (s *pagerDutySubscription) shown(secret string) map[string]any {
	delivery := map[string]any{}
	if d, ok := s.view["delivery_method"].(map[string]any); ok {
		maps.Copy(delivery, d)
	}
	delivery["temporarily_disabled"], delivery["secret"] = s.disabled, nil
	if secret != "" {
		delivery["secret"] = secret
	}
	v := map[string]any{"delivery_method": delivery}
	for k, value := range s.view {
		if k != "delivery_method" {
			v[k] = value
		}
	}
	return v
}

// pagerDutyHook is a webhook that waits to be delivered.
type pagerDutyHook struct {
	to     *pagerDutySubscription
	url    string
	header http.Header
	body   []byte
}

// hook has an event of an incident sent to those who want it.
func (q *pdRequest) hook(kind string, in *PagerDutyIncident) {
	if q.options.Deliver == nil {
		return
	}
	for _, s := range q.subscriptions {
		if events, ok := s.view["events"].([]any); !ok || !slices.Contains(events, any(kind)) || s.disabled {
			continue // what happens while it is switched off is lost
		}
		view := q.view(in)
		view["number"] = view["incident_number"]
		delete(view, "incident_number")
		q.hooks = append(q.hooks, q.hookOf(s, kind, view))
	}
}

func (q *pdRequest) hookOf(s *pagerDutySubscription, kind string, data map[string]any) pagerDutyHook {
	q.count++
	resource, _, _ := strings.Cut(kind, ".")
	body, err := json.Marshal(map[string]any{"event": map[string]any{
		"id": fmt.Sprintf("01EVENT%08d", q.count), "event_type": kind, "resource_type": resource, "occurred_at": q.now.Format(time.RFC3339),
		"agent": pdRef(q.user, "user"), "client": nil, "data": data,
	}})
	if err != nil {
		panic("adaptertest: " + err.Error()) // maps of plain values
	}
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write(body)
	header := http.Header{}
	header.Set("X-PagerDuty-Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
	header.Set("X-Webhook-Id", fmt.Sprintf("hook-%08d", q.count))
	header.Set("X-Webhook-Subscription", fmt.Sprint(s.view["id"]))
	header.Set("Content-Type", "application/json")
	url := ""
	if d, ok := s.view["delivery_method"].(map[string]any); ok {
		url = fmt.Sprint(d["url"])
	}
	return pagerDutyHook{to: s, url: url, header: header, body: body}
}

// deliver sends what waits. Whatever is not a 2xx, 5xx or 429 drops the event, and
// three drops in a row switch the subscription off; the others are sent again, here
// at once and at most ten times.
// https://developer.pagerduty.com/docs/webhooks-overview
func (p *PagerDuty) deliver() {
	for {
		p.mu.Lock()
		if len(p.hooks) == 0 || p.options.Deliver == nil {
			p.mu.Unlock()
			return
		}
		h := p.hooks[0]
		p.hooks = p.hooks[1:]
		p.mu.Unlock()
		status := 0
		for range 10 {
			status = p.options.Deliver(h.url, h.header, h.body)
			if status != 0 && status != http.StatusTooManyRequests && status < 500 {
				break
			}
		}
		p.mu.Lock()
		if status >= 300 && status < 500 {
			h.to.dropped++
			h.to.disabled = h.to.disabled || h.to.dropped >= 3
		} else {
			h.to.dropped = 0
		}
		p.mu.Unlock()
	}
}
