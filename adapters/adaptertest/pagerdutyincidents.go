package adaptertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"time"
)

// offsets reads limit and offset, and refuses what goes beyond 10,000: offset and
// limit together.
// https://developer.pagerduty.com/docs/pagination
func (q *pdRequest) offsets() (limit, offset int, ok bool) {
	query := q.r.URL.Query()
	limit, err := strconv.Atoi(cmp.Or(query.Get("limit"), "25"))
	offset, err2 := strconv.Atoi(cmp.Or(query.Get("offset"), "0"))
	if err != nil || err2 != nil || limit < 1 || offset < 0 {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "limit or offset is none")
		return 0, 0, false
	}
	limit = min(limit, 100)
	if offset+limit > 10_000 {
		q.refuse(http.StatusBadRequest, 2002, "Arguments Caused Error", "Offset+limit exceeds maximum allowed value of 10000")
		return 0, 0, false
	}
	return limit, offset, true
}

// page answers with a page of a list: "more" says whether it goes on, "total" is
// there only for those who ask.
func (q *pdRequest) page(key string, all iter.Seq2[int, map[string]any], total int) {
	limit, offset, ok := q.offsets()
	if !ok {
		return
	}
	page := []map[string]any{}
	n := 0
	for _, element := range all {
		if n >= offset && len(page) < limit {
			page = append(page, element)
		}
		if n++; len(page) == limit {
			break
		}
	}
	answer := map[string]any{key: page, "limit": limit, "offset": offset, "more": offset+len(page) < total, "total": nil}
	if q.r.URL.Query().Get("total") == "true" {
		answer["total"] = total
	}
	q.answer(http.StatusOK, answer)
}

// window reads since and until: a month if they are not given, six at most.
func (q *pdRequest) window() (since, until time.Time, ok bool) {
	query := q.r.URL.Query()
	until = q.now.Add(time.Hour)
	var err, err2 error
	if text := query.Get("until"); text != "" {
		until, err = time.Parse(time.RFC3339, text)
	}
	since = until.AddDate(0, -1, 0)
	if text := query.Get("since"); text != "" {
		since, err2 = time.Parse(time.RFC3339, text)
	}
	if err != nil || err2 != nil || until.Sub(since) > 184*24*time.Hour {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "The time range must not be over 6 months")
		return since, until, false
	}
	if q.options.Inclusive {
		until = until.Add(time.Nanosecond)
	}
	return since, until, true
}

func (q *pdRequest) listIncidents() {
	query := q.r.URL.Query()
	found := q.incidents
	if query.Get("date_range") != "all" {
		since, until, ok := q.window()
		if !ok {
			return
		}
		from := sort.Search(len(found), func(i int) bool { return !found[i].Created.Before(since) })
		to := sort.Search(len(found), func(i int) bool { return !found[i].Created.Before(until) })
		found = found[from:max(from, to)]
	}
	if key := query.Get("incident_key"); key != "" {
		found = slices.DeleteFunc(slices.Clone(found), func(i *PagerDutyIncident) bool { return i.Key != key })
	}
	if statuses := query["statuses[]"]; len(statuses) > 0 {
		found = slices.DeleteFunc(slices.Clone(found), func(i *PagerDutyIncident) bool { return !slices.Contains(statuses, i.Status) })
	}
	limit, offset, ok := q.offsets()
	if !ok {
		return
	}
	var views []map[string]any
	for _, i := range found[min(offset, len(found)):min(offset+limit, len(found))] {
		views = append(views, q.view(i))
	}
	answer := map[string]any{"incidents": views, "limit": limit, "offset": offset, "more": offset+limit < len(found), "total": nil}
	if views == nil {
		answer["incidents"] = []any{}
	}
	if query.Get("total") == "true" {
		answer["total"] = len(found)
	}
	q.answer(http.StatusOK, answer)
}

// listLog lists what happened in the account, newest first.
func (q *pdRequest) listLog() {
	since, until, ok := q.window()
	if !ok {
		return
	}
	var all []map[string]any
	for _, in := range q.incidents {
		for _, l := range in.log {
			if at, err := time.Parse(time.RFC3339, fmt.Sprint(l["created_at"])); err == nil && !at.Before(since) && at.Before(until) {
				all = append(all, l)
			}
		}
	}
	slices.SortFunc(all, func(a, b map[string]any) int { return -cmp.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])) })
	q.page("log_entries", slices.All(all), len(all))
}

// written is an incident of a create or a change.
type pdWrite struct {
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Status      string          `json:"status"`
	Urgency     string          `json:"urgency"`
	Key         string          `json:"incident_key"`
	Resolution  string          `json:"resolution"`
	Level       int             `json:"escalation_level"`
	Service     *pdWriteRef     `json:"service"`
	Priority    json.RawMessage `json:"priority"`
	Policy      *pdWriteRef     `json:"escalation_policy"`
	Assignments []struct {
		Assignee pdWriteRef `json:"assignee"`
	} `json:"assignments"`
	Body *struct {
		Details json.RawMessage `json:"details"`
	} `json:"body"`
}

type pdWriteRef struct{ ID, Type string }

// create opens an incident. A key that an open incident of the service has is
// refused with 400; that of one that was resolved is not. Who assigns an incident to
// itself has acknowledged it. A null priority is none that the schema knows.
// https://developer.pagerduty.com/api-reference/a7d81b0e9200f-create-an-incident
func (q *pdRequest) create() {
	var body struct{ Incident pdWrite }
	w := &body.Incident
	if err := json.Unmarshal(q.body, &body); err != nil || w.Type != "incident" || w.Title == "" || w.Service == nil || string(w.Priority) == "null" {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "incident is invalid")
		return
	}
	if len(q.options.Services) > 0 && !slices.ContainsFunc(q.options.Services, func(s PagerDutyThing) bool { return s.ID == w.Service.ID }) {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Service Not Found")
		return
	}
	taken := slices.ContainsFunc(q.incidents, func(i *PagerDutyIncident) bool {
		return w.Key != "" && i.Key == w.Key && i.Service == w.Service.ID && i.Status != "resolved"
	})
	if taken {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Open incident with matching dedup key already exists on this service")
		return
	}
	in := &PagerDutyIncident{Title: w.Title, Service: w.Service.ID, Key: w.Key, Urgency: w.Urgency, Created: q.now, ChangedBy: q.user}
	if !q.apply(in, w) {
		return
	}
	if w.Body != nil {
		in.Body = w.Body.Details
	}
	q.add(in)
	q.logEntry(in, "trigger", "")
	q.hook("incident.triggered", in)
	if slices.Contains(in.Assignees, q.user) {
		q.set(in, "acknowledged", q.user)
	}
	q.answer(http.StatusCreated, map[string]any{"incident": q.view(in)})
}

// apply sets what both a create and a change may set.
func (q *pdRequest) apply(in *PagerDutyIncident, w *pdWrite) bool {
	if len(w.Priority) > 0 {
		var ref pdWriteRef
		var name string
		_ = json.Unmarshal(w.Priority, &name)
		_ = json.Unmarshal(w.Priority, &ref)
		i := slices.IndexFunc(q.options.Priorities, func(t PagerDutyThing) bool { return t.ID == ref.ID || name != "" && t.Name == name })
		if i < 0 {
			q.refuse(http.StatusBadRequest, 1020, "Priority Not Found")
			return false
		}
		in.Priority = q.options.Priorities[i].ID // a name: the highest that has it
	}
	if w.Policy != nil {
		in.Policy = w.Policy.ID
	}
	if len(w.Assignments) > 0 {
		in.Assignees = nil
		for _, a := range w.Assignments {
			if !slices.ContainsFunc(q.options.Users, func(u PagerDutyUser) bool { return u.ID == a.Assignee.ID }) {
				q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Assignee Not Found")
				return false
			}
			in.Assignees = append(in.Assignees, a.Assignee.ID)
		}
	}
	return true
}

// manage changes incidents, at most 250 of them. Codes 1001 and 1002 say that one is
// resolved or acknowledged already; a status on a resolved one opens it again.
// https://developer.pagerduty.com/api-reference/8a0e1aa2ec666-update-incidents
func (q *pdRequest) manage(one *PagerDutyIncident) {
	var body struct {
		Incident  *pdWrite
		Incidents []pdWrite
	}
	if json.Unmarshal(q.body, &body) != nil || (one == nil) == (body.Incidents == nil) {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided")
		return
	}
	if len(body.Incidents) > 250 {
		q.refuse(http.StatusRequestEntityTooLarge, 2001, "Too many incidents")
		return
	}
	if one != nil && body.Incident != nil {
		body.Incident.ID = one.ID
		body.Incidents = []pdWrite{*body.Incident}
	}
	views := []any{}
	for i := range body.Incidents {
		w := &body.Incidents[i]
		in := q.byID[w.ID]
		switch {
		case in == nil:
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		case w.Type != "incident" && w.Type != "incident_reference":
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "type is invalid")
			return
		case in.MergedInto != "" && w.Status != "" && w.Status != "resolved":
			q.refuse(http.StatusBadRequest, 1019, "Incident Already Merged")
			return
		case w.Status == "resolved" && in.Status == "resolved":
			q.refuse(http.StatusBadRequest, 1001, "Incident Already Resolved")
			return
		case w.Status == "acknowledged" && in.Status == "acknowledged":
			q.refuse(http.StatusBadRequest, 1002, "Incident Already Acknowledged")
			return
		case w.Level > 5:
			q.refuse(http.StatusBadRequest, 1006, "Incident Cannot Be Escalated")
			return
		}
		if !q.apply(in, w) {
			return
		}
		in.Title, in.Urgency, in.Resolution = cmp.Or(w.Title, in.Title), cmp.Or(w.Urgency, in.Urgency), cmp.Or(w.Resolution, in.Resolution)
		in.Level, in.Changed, in.ChangedBy = cmp.Or(w.Level, in.Level), q.now, q.user
		if w.Status != "" && w.Status != in.Status {
			q.set(in, w.Status, q.user)
		} else {
			q.logEntry(in, "field_value_change", "")
		}
		views = append(views, q.view(in))
	}
	if one != nil {
		q.answer(http.StatusOK, map[string]any{"incident": views[0]})
		return
	}
	q.answer(http.StatusOK, map[string]any{"incidents": views})
}

// merge moves alerts into an incident that is open and resolves those that they came
// from. A source without the type "incident_reference" is against the schema; one
// incident holds 1,000 alerts.
// https://developer.pagerduty.com/api-reference/9f9bd6de1b0f8-merge-incidents
func (q *pdRequest) merge(into *PagerDutyIncident) {
	var body struct {
		Sources []pdWriteRef `json:"source_incidents"`
	}
	if json.Unmarshal(q.body, &body) != nil || len(body.Sources) == 0 || slices.ContainsFunc(body.Sources, func(r pdWriteRef) bool { return r.Type != "incident_reference" }) {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "source_incidents: type is invalid")
		return
	}
	if into.Status == "resolved" {
		q.refuse(http.StatusBadRequest, 1001, "Incident Already Resolved", "the target has to be open")
		return
	}
	alerts := into.Alerts
	for _, s := range body.Sources {
		from := q.byID[s.ID]
		switch {
		case from == nil:
			q.refuse(http.StatusNotFound, 2100, "Not Found")
			return
		case from.MergedInto != "":
			q.refuse(http.StatusBadRequest, 1019, "Incident Already Merged")
			return
		}
		if alerts += from.Alerts; alerts > 1000 {
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "more than 1000 alerts")
			return
		}
	}
	for _, s := range body.Sources {
		from := q.byID[s.ID]
		into.Alerts, from.Alerts, from.MergedInto = into.Alerts+from.Alerts, 0, into.ID
		for _, a := range q.alerts {
			if a.Incident == from.ID {
				a.Incident = into.ID // before it is resolved: its alerts stay open
			}
		}
		q.set(from, "resolved", q.user)
	}
	q.answer(http.StatusOK, map[string]any{"incident": pdRef(into.ID, "incident")})
}

// snooze lets an incident rest, which acknowledges it.
func (q *pdRequest) snooze(in *PagerDutyIncident) {
	var body struct{ Duration int64 }
	if json.Unmarshal(q.body, &body) != nil || body.Duration < 1 || body.Duration > 604_800 {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "duration is invalid")
		return
	}
	if in.Status == "resolved" {
		q.refuse(http.StatusBadRequest, 1013, "Incident Cannot Be Snoozed")
		return
	}
	in.SnoozedUntil = q.now.Add(time.Duration(body.Duration) * time.Second)
	if in.Status == "triggered" {
		q.set(in, "acknowledged", q.user)
	}
	q.logEntry(in, "snooze", "")
	q.answer(http.StatusCreated, map[string]any{"incident": q.view(in)})
}

func (q *pdRequest) note(in *PagerDutyIncident) {
	var body struct{ Note struct{ Content string } }
	if json.Unmarshal(q.body, &body) != nil || body.Note.Content == "" || len(in.notes) >= 2000 {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "note is invalid, or there are 2000")
		return
	}
	q.count++
	note := map[string]any{"id": fmt.Sprintf("N%d", q.count), "content": body.Note.Content, "created_at": q.now.Format(time.RFC3339), "user": pdRef(q.user, "user")}
	in.notes = append([]map[string]any{note}, in.notes...) // newest first
	in.Notes = append(in.Notes, body.Note.Content)
	q.logEntry(in, "annotate", body.Note.Content)
	q.hook("incident.annotated", in)
	q.answer(http.StatusOK, map[string]any{"note": note})
}

// fields sets custom fields: values are scalars and lists, whatever the schema says.
func (q *pdRequest) fields(in *PagerDutyIncident) {
	var body struct {
		Fields []struct {
			Name  string
			Value any
		} `json:"custom_fields"`
	}
	if json.Unmarshal(q.body, &body) != nil {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided")
		return
	}
	for _, f := range body.Fields {
		if _, isObject := f.Value.(map[string]any); isObject || f.Name == "" {
			q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "custom field value is invalid")
			return
		}
	}
	for _, f := range body.Fields {
		if in.Fields == nil {
			in.Fields = map[string]any{}
		}
		in.Fields[f.Name] = f.Value
	}
	q.answer(http.StatusOK, map[string]any{"custom_fields": body.Fields})
}

func analysis(in *PagerDutyIncident) map[string]any {
	a := map[string]any{
		"id": in.ID, "incident_number": in.Number, "description": in.Title, "service_id": in.Service, "urgency": in.Urgency, "status": in.Status,
		"created_at": in.Created.UTC().Format(time.RFC3339), "resolved_at": nil, "seconds_to_resolve": nil, "seconds_to_first_ack": nil,
		"escalation_count": 0, "business_hour_interruptions": 0,
	}
	if !in.Resolved.IsZero() {
		a["resolved_at"], a["seconds_to_resolve"] = in.Resolved.UTC().Format(time.RFC3339), int64(in.Resolved.Sub(in.Created)/time.Second)
	}
	return a
}

// analytics lists what was measured: half-open by time of creation, by a cursor, at
// most 1,000 on a page, without an end at 10,000.
func (q *pdRequest) analytics() {
	var body struct {
		Filters struct {
			Start string `json:"created_at_start"`
			End   string `json:"created_at_end"`
		}
		After string `json:"starting_after"`
		Limit int
	}
	if json.Unmarshal(q.body, &body) != nil || body.Limit < 0 || body.Limit > 1000 {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided")
		return
	}
	start, err := time.Parse(time.RFC3339, body.Filters.Start)
	end, err2 := time.Parse(time.RFC3339, body.Filters.End)
	if err != nil || err2 != nil {
		q.refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "created_at_start or created_at_end is none")
		return
	}
	var data []any
	more, after, last := false, body.After == "", body.After
	for _, in := range q.incidents {
		if in.Created.Before(start) || !in.Created.Before(end) {
			continue
		}
		cursor := "c" + in.ID
		if !after {
			after = cursor == body.After
			continue
		}
		if len(data) == cmp.Or(body.Limit, 20) {
			more = true
			break
		}
		data, last = append(data, analysis(in)), cursor
	}
	q.answer(http.StatusOK, map[string]any{"data": data, "more": more, "last": last, "first": body.After, "limit": body.Limit, "order": "asc", "order_by": "created_at"})
}
