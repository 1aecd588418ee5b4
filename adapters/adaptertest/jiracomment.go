package adaptertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (c *jiraCall) commentView(o *jiraComment) map[string]any {
	out := map[string]any{"id": o.id, "body": o.body, "author": c.bot(), "created": jiraTime(o.created)}
	if c.v3 {
		out["body"] = jiraDocument(o.body)
	}
	if o.visibility != nil {
		out["visibility"] = o.visibility
	}
	if !c.options.DataCenter {
		out["jsdPublic"] = o.public
	}
	if strings.Contains(c.r.URL.Query().Get("expand"), "properties") {
		list := []any{}
		for _, key := range slices.Sorted(maps.Keys(o.properties)) {
			list = append(list, map[string]any{"key": key, "value": o.properties[key]})
		}
		out["properties"] = list
	}
	return out
}

// comments lists comments by number, Cloud and Data Center alike.
func (c *jiraCall) comments() jiraAnswer {
	start := min(c.number("startAt", 0), len(c.issue.comments))
	page := c.issue.comments[start:]
	page = page[:min(len(page), c.number("maxResults", 5000), c.options.MaxPage)]
	list := make([]any, len(page))
	for n, o := range page {
		list[n] = c.commentView(o)
	}
	return jiraOK(map[string]any{"startAt": start, "maxResults": len(page), "total": len(c.issue.comments), "comments": list})
}

func (c *jiraCall) comment() jiraAnswer {
	var in struct {
		Body       any `json:"body"`
		Visibility any `json:"visibility"`
		Properties []struct {
			Key   string          `json:"key"`
			Value json.RawMessage `json:"value"`
		} `json:"properties"`
	}
	if !c.decode(&in) || in.Body == nil {
		return jiraFail(http.StatusBadRequest, "Comment body can not be empty!")
	}
	if problem := c.text(in.Body); problem != "" {
		return jiraInvalid(map[string]string{"comment": problem})
	}
	o := c.addComment(jiraText(in.Body), true)
	o.visibility = in.Visibility
	for _, p := range in.Properties {
		o.properties[p.Key] = p.Value
	}
	return jiraAnswer{status: http.StatusCreated, body: c.commentView(o)}
}

func (c *jiraCall) addComment(text string, public bool) *jiraComment {
	c.next++ // ids of comments and issues are from one count here
	o := &jiraComment{id: strconv.Itoa(c.next), body: text, public: public, created: c.now, properties: map[string]json.RawMessage{}}
	c.issue.comments = append(c.issue.comments, o)
	c.touch(c.issue)
	return o
}

func (c *jiraCall) setCommentProperty() jiraAnswer {
	for _, i := range c.issues {
		for _, o := range i.comments {
			if o.id == c.args[0] {
				o.properties[c.args[1]] = slices.Clone(c.body)
				return jiraAnswer{status: http.StatusCreated, body: map[string]any{}}
			}
		}
	}
	return jiraFail(http.StatusNotFound, "Can not find a comment for the id: "+c.args[0]+".")
}
