package adaptertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const jiraProject = "OPS"

var (
	jiraTypes       = []string{"Task", "Incident"}
	jiraResolutions = []string{"Done", "Won't Do", "Duplicate"}
)

// jiraNamed writes things that have names, with ids from 1.
func jiraNamed(names ...string) []any {
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = map[string]any{"id": strconv.Itoa(i + 1), "name": name}
	}
	return list
}

func jiraName(v any) string {
	m, _ := v.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

func jiraUserID(v any) string {
	m, _ := v.(map[string]any)
	for _, key := range []string{"accountId", "name"} {
		if id, _ := m[key].(string); id != "" {
			return id
		}
	}
	return ""
}

// jiraTime writes an instant as Jira does, which is not RFC 3339.
func jiraTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000-0700") }

// jiraText is the plain text of a text or a document.
func jiraText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if text, ok := v["text"].(string); ok {
			return text
		}
		return jiraText(v["content"])
	case []any:
		var b strings.Builder
		for _, part := range v {
			b.WriteString(jiraText(part))
		}
		return b.String()
	default:
		return ""
	}
}

// jiraDocument is a text as version 3 gives it.
func jiraDocument(text string) map[string]any {
	return map[string]any{"type": "doc", "version": 1, "content": []any{
		map[string]any{"type": "paragraph", "content": []any{map[string]any{"type": "text", "text": text}}},
	}}
}

func (i *jiraIssue) labels() []string {
	list, _ := i.fields["labels"].([]any)
	var labels []string
	for _, l := range list {
		if s, ok := l.(string); ok {
			labels = append(labels, s)
		}
	}
	return labels
}

// text checks a description or comment. Version 2 takes texts and refuses
// documents, version 3 the other way round (Jira Cloud platform, "Version 3":
// Atlassian Document Format for comments, descriptions and environment).
func (c *jiraCall) text(v any) string {
	plain, isText := v.(string)
	switch {
	case v == nil:
		return ""
	case c.v3 && isText:
		return "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
	case !c.v3 && !isText:
		return "Operation value must be a string"
	case utf8.RuneCountInString(plain) > 32_767:
		return "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
	}
	return ""
}

// check validates fields; what is wrong is by field.
func (c *jiraCall) check(fields map[string]any, creating bool) map[string]string {
	wrong := map[string]string{}
	known := c.formFields()
	for name, v := range fields {
		if _, ok := known[name]; !ok && (creating || name != "resolution" || c.options.NoResolutionScreen) {
			wrong[name] = "Field '" + name + "' cannot be set. It is not on the appropriate screen, or unknown."
			continue
		}
		switch name {
		case "summary":
			s, _ := v.(string)
			switch {
			case s == "":
				wrong[name] = "You must specify a summary of the issue."
			case utf8.RuneCountInString(s) > 255:
				wrong[name] = "Summary must be less than 255 characters."
			case strings.ContainsAny(s, "\r\n"):
				wrong[name] = "The summary is invalid because it contains newline characters."
			}
		case "description":
			if problem := c.text(v); problem != "" {
				wrong[name] = problem
			}
		case "labels":
			list, _ := v.([]any)
			for _, l := range list {
				if s, _ := l.(string); s == "" || strings.ContainsAny(s, " \t\n") || utf8.RuneCountInString(s) > 255 {
					wrong[name] = "The label '" + s + "' contains spaces which is invalid."
				}
			}
		case "priority":
			if !slices.Contains([]string{"Highest", "High", "Medium", "Low", "Lowest"}, jiraName(v)) {
				wrong[name] = "The priority selected is invalid."
			}
		case "resolution":
			if v != nil && !slices.Contains(jiraResolutions, jiraName(v)) {
				wrong[name] = "The resolution selected is invalid."
			}
		case "issuetype":
			if !slices.Contains(jiraTypes, jiraName(v)) {
				wrong[name] = "Specify a valid issue type"
			}
		case "assignee":
			if problem := c.assignable(v); problem != "" {
				wrong[name] = problem
			}
		case "project":
			if m, _ := v.(map[string]any); m["key"] != jiraProject {
				wrong[name] = "valid project is required"
			}
		}
	}
	return wrong
}

// assignable checks a user: Cloud knows account ids alone, names are gone there
// (Jira Cloud platform, "Deprecation notice - user privacy API changes").
func (c *jiraCall) assignable(v any) string {
	if v == nil {
		return ""
	}
	m, _ := v.(map[string]any)
	want := "accountId"
	if c.options.DataCenter {
		want = "name"
	}
	if id, _ := m[want].(string); id == "" {
		return want + " is required to assign an issue"
	}
	return ""
}

type jiraUpdate struct {
	Fields     map[string]any `json:"fields"`
	Properties []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
	Transition struct {
		ID string `json:"id"`
	} `json:"transition"`
}

func (c *jiraCall) create() jiraAnswer {
	var u jiraUpdate
	if !c.decode(&u) {
		return jiraFail(http.StatusBadRequest, "Invalid request payload.")
	}
	i, wrong := c.make(u)
	if len(wrong) > 0 {
		return jiraInvalid(wrong)
	}
	return jiraAnswer{status: http.StatusCreated, body: c.created(i)}
}

func (c *jiraCall) created(i *jiraIssue) map[string]any {
	return map[string]any{"id": strconv.Itoa(i.id), "key": i.key, "self": "https://jira.example/rest/api/2/issue/" + strconv.Itoa(i.id)}
}

func (c *jiraCall) make(u jiraUpdate) (*jiraIssue, map[string]string) {
	wrong := c.check(u.Fields, true)
	for _, required := range []string{"project", "issuetype", "summary"} {
		if _, ok := u.Fields[required]; !ok {
			wrong[required] = required + " is required"
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	c.next++
	i := &jiraIssue{
		id: c.next, key: jiraProject + "-" + strconv.Itoa(c.next-10_000), fields: maps.Clone(u.Fields), status: "To Do",
		properties: map[string]json.RawMessage{}, links: map[string]map[string]any{}, created: c.now,
	}
	if _, ok := i.fields["priority"]; !ok && !c.options.NoPriority {
		i.fields["priority"] = map[string]any{"name": "Medium"}
	}
	if c.v3 {
		i.fields["description"] = jiraText(i.fields["description"])
	}
	for _, p := range u.Properties {
		i.properties[p.Key] = p.Value
	}
	c.issues = append(c.issues, i)
	c.touch(i)
	return i, nil
}

// touch notes that an issue has changed.
func (c *jiraCall) touch(i *jiraIssue) {
	i.updated = c.now
	was := *i
	was.fields, was.versions = maps.Clone(i.fields), nil
	i.versions = append(i.versions, jiraVersion{at: c.now, issue: was})
}

// note writes an entry of the history.
func (c *jiraCall) note(i *jiraIssue, field, from, to string) {
	i.history = append(i.history, map[string]any{
		"id": strconv.Itoa(i.id) + strconv.Itoa(len(i.history)), "author": c.bot(), "created": jiraTime(c.now),
		"items": []any{map[string]any{"field": field, "fieldtype": "jira", "from": nil, "fromString": from, "to": nil, "toString": to}},
	})
}

// createBulk creates up to fifty issues. It answers 201 even if some were refused;
// which ones is in the body alone. All refused is a 400 with the same body (Jira
// Cloud platform, "Bulk create issue").
func (c *jiraCall) createBulk() jiraAnswer {
	var all struct {
		Updates []jiraUpdate `json:"issueUpdates"`
	}
	if !c.decode(&all) || len(all.Updates) == 0 {
		return jiraFail(http.StatusBadRequest, "Invalid request payload.")
	}
	if len(all.Updates) > 50 {
		return jiraFail(http.StatusBadRequest, "The number of issues to create is over the limit of 50.")
	}
	issues, errors := []any{}, []any{}
	for n, u := range all.Updates {
		i, wrong := c.make(u)
		if len(wrong) > 0 {
			errors = append(errors, map[string]any{
				"status": 400, "failedElementNumber": n, "elementErrors": map[string]any{"errorMessages": []string{}, "errors": wrong},
			})
			continue
		}
		issues = append(issues, c.created(i))
	}
	status := http.StatusCreated
	if len(issues) == 0 {
		status = http.StatusBadRequest
	}
	return jiraAnswer{status: status, body: map[string]any{"issues": issues, "errors": errors}}
}

// view writes an issue with some of its fields.
func (c *jiraCall) view(i *jiraIssue, fields, properties []string, expand string) map[string]any {
	all := maps.Clone(i.fields)
	all["status"], all["created"], all["updated"] = jiraStatus(i.status), jiraTime(i.created), jiraTime(i.updated)
	if all["labels"] == nil {
		all["labels"] = []any{}
	}
	if c.v3 && all["description"] != nil {
		all["description"] = jiraDocument(jiraText(all["description"]))
	}
	for _, empty := range []string{"resolution", "resolutiondate", "description", "assignee", "attachment"} {
		if _, ok := all[empty]; !ok {
			all[empty] = nil
		}
	}
	if all["attachment"] == nil {
		all["attachment"] = []any{}
	}
	out := map[string]any{"id": strconv.Itoa(i.id), "key": i.key}
	shown := map[string]any{}
	for _, f := range fields {
		if f == "*all" || f == "*navigable" {
			shown = all
			break
		}
		if v, ok := all[f]; ok {
			shown[f] = v
		}
	}
	if len(fields) > 0 {
		out["fields"] = shown
	}
	if len(properties) > 0 {
		have := map[string]any{}
		for _, p := range properties {
			if v, ok := i.properties[p]; ok {
				have[p] = v
			}
		}
		out["properties"] = have
	}
	if strings.Contains(expand, "changelog") {
		out["changelog"] = map[string]any{"histories": i.history, "total": len(i.history)}
	}
	return out
}

func jiraList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func (c *jiraCall) read() jiraAnswer {
	q := c.r.URL.Query()
	fields := jiraList(q.Get("fields"))
	if fields == nil {
		fields = []string{"*all"}
	}
	return jiraOK(c.view(c.issue, fields, jiraList(q.Get("properties")), q.Get("expand")))
}

func (c *jiraCall) edit() jiraAnswer {
	var u jiraUpdate
	if !c.decode(&u) {
		return jiraFail(http.StatusBadRequest, "Invalid request payload.")
	}
	if wrong := c.check(u.Fields, false); len(wrong) > 0 {
		return jiraInvalid(wrong)
	}
	c.set(u.Fields)
	return jiraAnswer{status: http.StatusNoContent}
}

func (c *jiraCall) set(fields map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		if name == "description" && c.v3 {
			value = jiraText(value)
		}
		if name == "resolution" {
			c.resolve(value)
			continue
		}
		c.note(c.issue, name, jiraFlat(c.issue.fields[name]), jiraFlat(value))
		c.issue.fields[name] = value
	}
	c.touch(c.issue)
}

// jiraFlat writes a value for a history.
func jiraFlat(v any) string {
	if name := jiraName(v); name != "" {
		return name
	}
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func (c *jiraCall) assign() jiraAnswer {
	var who map[string]any
	if !c.decode(&who) {
		return jiraFail(http.StatusBadRequest, "Invalid request payload.")
	}
	if problem := c.assignable(who); problem != "" {
		return jiraFail(http.StatusBadRequest, problem)
	}
	c.set(map[string]any{"assignee": who})
	return jiraAnswer{status: http.StatusNoContent}
}

func (c *jiraCall) property() jiraAnswer {
	value, ok := c.issue.properties[c.args[1]]
	if !ok {
		return jiraFail(http.StatusNotFound, "The property was not found.")
	}
	return jiraOK(map[string]any{"key": c.args[1], "value": value})
}

func (c *jiraCall) setProperty() jiraAnswer {
	if !json.Valid(c.body) || utf8.RuneCount(bytes.TrimSpace(c.body)) > 32_768 {
		return jiraFail(http.StatusBadRequest, "The property value is not valid.")
	}
	c.issue.properties[c.args[1]] = slices.Clone(c.body)
	return jiraAnswer{status: http.StatusCreated, body: map[string]any{}}
}

func (c *jiraCall) notify() jiraAnswer {
	c.mails++
	return jiraAnswer{status: http.StatusNoContent}
}

// changelog is paged, on Cloud alone.
func (c *jiraCall) changelog() jiraAnswer {
	start := min(c.number("startAt", 0), len(c.issue.history))
	page := c.issue.history[start:]
	page = page[:min(len(page), c.number("maxResults", 100), c.options.MaxPage)]
	return jiraOK(map[string]any{
		"startAt": start, "maxResults": len(page), "total": len(c.issue.history), "isLast": start+len(page) >= len(c.issue.history), "values": page,
	})
}
