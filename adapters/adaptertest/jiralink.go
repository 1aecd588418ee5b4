package adaptertest

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// attach takes files. Without X-Atlassian-Token they are refused as forgery (Jira
// Cloud platform, "Add attachment": the request must have X-Atlassian-Token: no-check).
func (c *jiraCall) attach() jiraAnswer {
	if c.r.Header.Get("X-Atlassian-Token") != "no-check" {
		return jiraFail(http.StatusForbidden, "XSRF check failed")
	}
	_, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return jiraFail(http.StatusBadRequest, "want multipart/form-data")
	}
	form := multipart.NewReader(strings.NewReader(string(c.body)), params["boundary"])
	made := []any{}
	for {
		part, err := form.NextPart()
		if err != nil {
			break
		}
		content, err := io.ReadAll(part)
		if err != nil || part.FormName() != "file" {
			return jiraFail(http.StatusBadRequest, "want a part called file")
		}
		c.next++
		file := map[string]any{
			"id": strconv.Itoa(c.next), "filename": part.FileName(), "size": len(content), "mimeType": part.Header.Get("Content-Type"), "created": jiraTime(c.now),
		}
		c.files[part.FileName()] = content
		had, _ := c.issue.fields["attachment"].([]any)
		c.issue.fields["attachment"] = append(slices.Clone(had), file)
		made = append(made, file)
	}
	c.touch(c.issue)
	return jiraOK(made)
}

// remoteLink adds a link, or replaces the one of the same globalId.
func (c *jiraCall) remoteLink() jiraAnswer {
	var link map[string]any
	if !c.decode(&link) || link["object"] == nil {
		return jiraFail(http.StatusBadRequest, "object is required")
	}
	global, _ := link["globalId"].(string)
	status := http.StatusCreated
	if _, ok := c.issue.links[global]; ok && global != "" {
		status = http.StatusOK
	} else if global == "" {
		c.next++
		global = strconv.Itoa(c.next)
	}
	c.issue.links[global] = link
	return jiraAnswer{status: status, body: map[string]any{"id": len(c.issue.links), "self": "https://jira.example/link"}}
}

// link relates two issues. A link that is there is answered as if it were made.
func (c *jiraCall) link() jiraAnswer {
	type end struct{ ID, Key string }
	var in struct {
		Type    struct{ Name string }
		Inward  end `json:"inwardIssue"`
		Outward end `json:"outwardIssue"`
	}
	if !c.decode(&in) {
		return jiraFail(http.StatusBadRequest, "Invalid request payload.")
	}
	from, to := c.find(in.Inward.ID+in.Inward.Key), c.find(in.Outward.ID+in.Outward.Key)
	switch {
	case from == nil || to == nil:
		return jiraFail(http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
	case !slices.Contains([]string{"Blocks", "Duplicate", "Relates"}, in.Type.Name):
		return jiraFail(http.StatusNotFound, "No issue link type with name '"+in.Type.Name+"' found.")
	}
	link := JiraLink{Type: in.Type.Name, From: strconv.Itoa(from.id), To: strconv.Itoa(to.id)}
	if !slices.Contains(from.related, link) {
		from.related, to.related = append(from.related, link), append(to.related, link)
		c.touch(from)
		c.touch(to)
	}
	return jiraAnswer{status: http.StatusCreated}
}
