package adaptertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pdRequest is one request on its way through a PagerDuty, whose lock it holds.
type pdRequest struct {
	*PagerDuty

	w     http.ResponseWriter
	r     *http.Request
	body  []byte
	steps []string
	now   time.Time
	user  string // id of the one of the header From
}

// pattern is the path with its ids left out.
func (q *pdRequest) pattern() string {
	steps := slices.Clone(q.steps)
	for i, s := range steps {
		if i > 0 && s == strings.ToUpper(s) {
			steps[i] = "{id}"
		}
	}
	return "/" + strings.Join(steps, "/")
}

func (q *pdRequest) answer(status int, v any) {
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(status)
	_ = json.NewEncoder(q.w).Encode(v)
}

// refuse answers with an error of the REST API.
func (q *pdRequest) refuse(status, code int, message string, details ...string) {
	q.answer(status, map[string]any{"error": map[string]any{"message": message, "code": code, "errors": details}})
}

// rest answers the REST API.
func (q *pdRequest) rest() {
	if q.throttle() {
		return
	}
	// "Accept" and "Content-Type" are wanted on every call, GET included.
	// https://developer.pagerduty.com/docs/rest-api-overview
	if q.r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2" || q.r.Header.Get("Content-Type") != "application/json" {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Accept and Content-Type are required")
		return
	}
	if auth := q.r.Header.Get("Authorization"); q.options.Token != "" && auth != "Token token="+q.options.Token && auth != "Bearer "+q.options.Token {
		q.refuse(http.StatusUnauthorized, 2006, "Access Denied")
		return
	}
	route := q.r.Method + " " + q.pattern()
	if needsFrom[route] && !q.from() {
		return
	}
	var in *PagerDutyIncident
	if strings.HasPrefix(q.pattern(), "/incidents/{id}") {
		if in = q.byID[q.steps[1]]; in == nil {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
	}
	switch route {
	case "GET /incidents":
		q.listIncidents()
	case "POST /incidents":
		q.create()
	case "PUT /incidents", "PUT /incidents/{id}":
		q.manage(in)
	case "GET /incidents/{id}":
		q.answer(http.StatusOK, map[string]any{"incident": q.view(in)})
	case "PUT /incidents/{id}/merge":
		q.merge(in)
	case "POST /incidents/{id}/snooze":
		q.snooze(in)
	case "GET /incidents/{id}/notes":
		q.answer(http.StatusOK, map[string]any{"notes": append([]map[string]any{}, in.notes...)})
	case "POST /incidents/{id}/notes":
		q.note(in)
	case "POST /incidents/{id}/status_updates":
		var u struct{ Message, Subject string }
		if json.Unmarshal(q.body, &u) != nil || u.Message == "" {
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Message cannot be empty")
			return
		}
		in.Updates = append(in.Updates, u.Message)
		q.hook("incident.status_update_published", in)
		q.answer(http.StatusOK, map[string]any{"status_update": u})
	case "GET /incidents/{id}/log_entries":
		q.page("log_entries", slices.Backward(in.log), len(in.log))
	case "GET /log_entries":
		q.listLog()
	case "GET /incidents/{id}/custom_fields/values":
		var fields []map[string]any
		for _, name := range slices.Sorted(maps.Keys(in.Fields)) {
			fields = append(fields, map[string]any{"name": name, "value": in.Fields[name], "type": "field_value"})
		}
		q.answer(http.StatusOK, map[string]any{"custom_fields": fields})
	case "PUT /incidents/{id}/custom_fields/values":
		q.fields(in)
	case "POST /analytics/raw/incidents":
		q.analytics()
	case "GET /analytics/raw/incidents/{id}":
		in := q.byID[q.steps[3]]
		if in == nil {
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		}
		q.answer(http.StatusOK, analysis(in))
	default:
		q.account(route)
	}
}

// needsFrom are the writes that want to know whose they are.
var needsFrom = map[string]bool{
	"POST /incidents": true, "PUT /incidents": true, "PUT /incidents/{id}": true, "PUT /incidents/{id}/merge": true,
	"POST /incidents/{id}/snooze": true, "POST /incidents/{id}/notes": true, "POST /incidents/{id}/status_updates": true,
	"POST /maintenance_windows": true,
}

// from finds the user of the header From: without one, or by the address of nobody,
// nothing is written.
func (q *pdRequest) from() bool {
	from := q.r.Header.Get("From")
	i := slices.IndexFunc(q.options.Users, func(u PagerDutyUser) bool { return strings.EqualFold(u.Email, from) })
	switch {
	case from == "":
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "From header is required")
	case i < 0:
		q.refuse(http.StatusBadRequest, 1008, "Requester User Not Found")
	default:
		q.user = q.options.Users[i].ID
		return true
	}
	return false
}

// throttle counts requests of the last 60 s. A 429 tells when to come again by
// ratelimit-reset in seconds, has no Retry-After, and sometimes neither headers nor
// a body.
// https://developer.pagerduty.com/docs/rest-api-rate-limits
func (q *pdRequest) throttle() bool {
	limit := q.options.PerMinute
	if limit <= 0 {
		return false
	}
	now := q.options.Now()
	q.times = slices.DeleteFunc(q.times, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	over := len(q.times) >= limit
	if !over {
		q.times = append(q.times, now)
	}
	if !over || !q.options.NoHeaders {
		reset := time.Minute - now.Sub(q.times[0])
		q.w.Header().Set("ratelimit-limit", strconv.Itoa(limit))
		q.w.Header().Set("ratelimit-remaining", strconv.Itoa(limit-len(q.times)))
		q.w.Header().Set("ratelimit-reset", strconv.Itoa(int((reset+time.Second-1)/time.Second)))
	}
	if !over {
		return false
	}
	q.throttled++
	if q.options.NoHeaders {
		q.w.WriteHeader(http.StatusTooManyRequests)
	} else {
		q.refuse(http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
	}
	return true
}
