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

// deskTime writes an instant as service management does, in four ways at once.
func (c *jiraCall) deskTime(at time.Time) map[string]any {
	return map[string]any{"iso8601": at.UTC().Format("2006-01-02T15:04:05-0700"), "jira": jiraTime(at), "friendly": "Today", "epochMillis": at.UnixMilli()}
}

// deskFail is an error in the form of service management.
func deskFail(message string) jiraAnswer {
	return jiraAnswer{status: http.StatusBadRequest, body: map[string]any{"errorMessage": message, "i18nErrorMessage": map[string]any{"i18nKey": "sd", "parameters": []any{}}}}
}

// createRequest makes a request. Values on its form are of any kind, although the
// widespread models of the API take texts alone.
func (c *jiraCall) createRequest() jiraAnswer {
	var in struct {
		Desk   string         `json:"serviceDeskId"`
		Type   string         `json:"requestTypeId"`
		Fields map[string]any `json:"requestFieldValues"`
	}
	if !c.decode(&in) || in.Desk == "" || in.Type == "" {
		return deskFail("The request type is invalid.")
	}
	fields := map[string]any{"project": map[string]any{"key": jiraProject}, "issuetype": map[string]any{"name": "Incident"}}
	maps.Copy(fields, in.Fields)
	i, wrong := c.make(jiraUpdate{Fields: fields})
	if len(wrong) > 0 {
		return deskFail("Your request could not be created. Please check the fields have been correctly filled in.")
	}
	c.issue = i
	answer := c.request()
	answer.status = http.StatusCreated
	return answer
}

func (c *jiraCall) request() jiraAnswer {
	status := jiraStatuses[c.issue.status]
	return jiraOK(map[string]any{
		"issueId": strconv.Itoa(c.issue.id), "issueKey": c.issue.key, "serviceDeskId": "1", "requestTypeId": "25", "reporter": c.bot(),
		"currentStatus": map[string]any{"status": c.issue.status, "statusCategory": strings.ToUpper(status.category), "statusDate": c.deskTime(c.issue.updated)},
		"requestFieldValues": []any{
			map[string]any{"fieldId": "summary", "label": "Summary", "value": c.issue.fields["summary"]},
			map[string]any{"fieldId": JiraField, "label": "Affected service", "value": []any{map[string]any{"value": "checkout"}}},
		},
	})
}

// sla gives the clocks in pages: of each target the cycle that runs and those that
// have ended.
func (c *jiraCall) sla() jiraAnswer {
	start := min(c.number("start", 0), len(c.issue.clocks))
	page := c.issue.clocks[start:]
	page = page[:min(len(page), c.number("limit", 50), c.options.MaxPage)]
	return jiraOK(map[string]any{"size": len(page), "start": start, "limit": len(page), "isLastPage": start+len(page) >= len(c.issue.clocks), "values": page})
}

func (c *jiraCall) deskComment() jiraAnswer {
	var in struct {
		Body   string `json:"body"`
		Public bool   `json:"public"`
	}
	if !c.decode(&in) || in.Body == "" {
		return deskFail("The comment body must not be empty.")
	}
	o := c.addComment(in.Body, in.Public)
	if c.options.DataCenter && !in.Public {
		o.properties["sd.public.comment"] = json.RawMessage(`{"internal":true}`)
	}
	return jiraAnswer{status: http.StatusCreated, body: map[string]any{"id": o.id, "body": o.body, "public": o.public, "created": c.deskTime(o.created)}}
}

func (c *jiraCall) deskTransitions() jiraAnswer {
	list := []any{}
	for _, t := range jiraStatuses[c.issue.status].transitions {
		list = append(list, map[string]any{"id": t.id, "name": t.name})
	}
	return jiraOK(map[string]any{"size": len(list), "start": 0, "limit": 50, "isLastPage": true, "values": list})
}

func (c *jiraCall) deskTransition() jiraAnswer {
	var in struct {
		ID      string `json:"id"`
		Comment struct {
			Body string `json:"body"`
		} `json:"additionalComment"`
	}
	if !c.decode(&in) {
		return deskFail("Invalid request payload.")
	}
	possible := jiraStatuses[c.issue.status].transitions
	n := slices.IndexFunc(possible, func(t jiraTransition) bool { return t.id == in.ID })
	if n < 0 {
		return deskFail("The transition is not valid for the request.")
	}
	c.issue.status = possible[n].to
	c.touch(c.issue)
	if in.Comment.Body != "" {
		c.addComment(in.Comment.Body, true)
	}
	return jiraAnswer{status: http.StatusNoContent}
}

// jiraHook is a webhook of an app. It ends after 30 days unless it is refreshed
// (Jira Cloud platform, "Webhooks").
type jiraHook struct {
	ID      int64    `json:"id"`
	Events  []string `json:"events"`
	JQL     string   `json:"jqlFilter"`
	Fields  []string `json:"fieldIdsFilter,omitempty"`
	URL     string   `json:"url"`
	Expires int64    `json:"expirationDate"`
}

const jiraHookLife = 30 * 24 * time.Hour

// alive forgets webhooks that have ended.
func (c *jiraCall) alive() []jiraHook {
	c.hooks = slices.DeleteFunc(c.hooks, func(h jiraHook) bool { return h.Expires <= c.now.UnixMilli() })
	return c.hooks
}

func (c *jiraCall) webhooks() jiraAnswer {
	all := c.alive()
	start := min(c.number("startAt", 0), len(all))
	page := all[start:]
	page = page[:min(len(page), c.number("maxResults", 100), c.options.MaxPage)]
	return jiraOK(map[string]any{"startAt": start, "maxResults": len(page), "total": len(all), "isLast": start+len(page) >= len(all), "values": page})
}

// registerWebhooks answers 200 even if some were refused; which ones is in the body
// alone.
func (c *jiraCall) registerWebhooks() jiraAnswer {
	var in struct {
		URL      string     `json:"url"`
		Webhooks []jiraHook `json:"webhooks"`
	}
	if !c.decode(&in) || in.URL == "" {
		return jiraFail(http.StatusBadRequest, "The URL is invalid.")
	}
	results := []any{}
	for _, h := range in.Webhooks {
		if _, _, problem := c.parse(h.JQL); problem != "" || h.JQL == "" {
			results = append(results, map[string]any{"errors": []string{"The clause is unsupported: " + h.JQL}})
			continue
		}
		c.next++
		h.ID, h.URL, h.Expires = int64(c.next), in.URL, c.now.Add(jiraHookLife).UnixMilli()
		c.hooks = append(c.hooks, h)
		results = append(results, map[string]any{"createdWebhookId": h.ID})
	}
	return jiraOK(map[string]any{"webhookRegistrationResult": results})
}

func (c *jiraCall) hookIDs() []int64 {
	var in struct {
		IDs []int64 `json:"webhookIds"`
	}
	c.decode(&in)
	return in.IDs
}

func (c *jiraCall) deleteWebhooks() jiraAnswer {
	ids := c.hookIDs()
	c.hooks = slices.DeleteFunc(c.hooks, func(h jiraHook) bool { return slices.Contains(ids, h.ID) })
	return jiraAnswer{status: http.StatusAccepted}
}

func (c *jiraCall) refreshWebhooks() jiraAnswer {
	until := c.now.Add(jiraHookLife).UnixMilli()
	ids := c.hookIDs()
	for n := range c.alive() {
		if slices.Contains(ids, c.hooks[n].ID) {
			c.hooks[n].Expires = until
		}
	}
	return jiraOK(map[string]any{"expirationDate": until})
}

func (c *jiraCall) failedWebhooks() jiraAnswer {
	after := int64(c.number("after", 0))
	list := []any{}
	for _, f := range c.failed {
		if at := f["failureTime"].(int64); at > after { //nolint:forcetypeassert // made here
			list = append(list, f)
		}
	}
	page := list[:min(len(list), c.number("maxResults", 100), c.options.MaxPage)]
	out := map[string]any{"maxResults": len(page), "values": page}
	if len(page) < len(list) {
		out["next"] = "https://jira.example/rest/api/2/webhook/failed?after=" + strconv.FormatInt(page[len(page)-1].(map[string]any)["failureTime"].(int64), 10) //nolint:forcetypeassert // made here
	}
	return jiraOK(out)
}

// onCall lists who is on call by a schedule: as a tree, in which teams and
// escalations hold their own responders; flat as names of users alone. The date has
// an offset (Jira Service Management operations REST API, "List on-call
// responders").
func (c *jiraCall) onCall() jiraAnswer {
	all, ok := c.options.OnCall[c.args[1]]
	if !ok {
		return jiraAnswer{status: http.StatusNotFound, body: map[string]any{"message": "Schedule not found."}}
	}
	at := c.now
	if text := c.r.URL.Query().Get("date"); text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return jiraAnswer{status: http.StatusUnprocessableEntity, body: map[string]any{"message": "date is invalid."}}
		}
	}
	if c.r.URL.Query().Get("flat") == "true" {
		return jiraOK(map[string]any{"onCallUsers": []any{}})
	}
	return jiraOK(map[string]any{"onCallParticipants": jiraResponders(all, at)})
}

func jiraResponders(all []JiraResponder, at time.Time) []map[string]any {
	out := []map[string]any{}
	for _, r := range all {
		if r.From.After(at) {
			continue
		}
		one := map[string]any{"id": r.ID, "type": r.Type}
		if r.Type != "user" {
			one["onCallParticipants"] = jiraResponders(r.Of, at)
		}
		out = append(out, one)
	}
	return out
}
