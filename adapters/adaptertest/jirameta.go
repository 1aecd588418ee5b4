package adaptertest

import (
	"maps"
	"net/http"
	"slices"
)

// formFields are the fields that can be set when an issue is created, by id.
func (j *Jira) formFields() map[string]string {
	fields := map[string]string{
		"summary": "Summary", "description": "Description", "labels": "Labels", "assignee": "Assignee", "project": "Project",
		"issuetype": "Issue Type", "priority": "Priority", JiraField: "Affected service",
	}
	if j.options.NoPriority {
		delete(fields, "priority")
	}
	return fields
}

func (c *jiraCall) statuses() jiraAnswer {
	if c.args[0] != jiraProject {
		return jiraFail(http.StatusNotFound, "No project could be found with key '"+c.args[0]+"'.")
	}
	list := []any{}
	for _, t := range jiraTypes {
		statuses := []any{}
		for _, name := range slices.Sorted(maps.Keys(jiraStatuses)) {
			statuses = append(statuses, jiraStatus(name))
		}
		list = append(list, map[string]any{"id": "1", "name": t, "statuses": statuses})
	}
	return jiraOK(list)
}

// issueTypes and form list what can be created. Cloud calls the lists issueTypes
// and fields, Data Center values.
func (c *jiraCall) issueTypes() jiraAnswer {
	if c.args[0] != jiraProject {
		return jiraFail(http.StatusNotFound, "No project could be found with key '"+c.args[0]+"'.")
	}
	return c.metaPage("issueTypes", jiraNamed(jiraTypes...))
}

func (c *jiraCall) form() jiraAnswer {
	fields := c.formFields()
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, map[string]any{"fieldId": id, "key": id, "name": fields[id], "required": id == "summary"})
	}
	return c.metaPage("fields", list)
}

func (c *jiraCall) metaPage(name string, list []any) jiraAnswer {
	start := min(c.number("startAt", 0), len(list))
	page := list[start:]
	page = page[:min(len(page), c.number("maxResults", 50), c.options.MaxPage)]
	out := map[string]any{"startAt": start, "maxResults": len(page), "total": len(list)}
	if c.options.DataCenter {
		name, out["isLast"] = "values", start+len(page) == len(list)
	}
	out[name] = page
	return jiraOK(out)
}
