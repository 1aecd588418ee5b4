package jira

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// formAge is how long the fields of a form are believed.
const formAge = time.Hour

// form is what can be set when an issue is created.
type form struct {
	what   string            // for errors: project and type
	fields map[string]string // names by id; nil if it may not be read
	read   time.Time
}

func (f form) has(id string) bool {
	_, ok := f.fields[id]
	return ok || f.fields == nil
}

// put writes fields that go by id or by name.
func (f form) put(into, fields map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		id := name
		if !f.has(id) {
			id = ""
			for candidate, title := range f.fields {
				if strings.EqualFold(title, name) {
					if id != "" {
						return fmt.Errorf("field %q: the form of %s has several of that name, want an id", name, f.what)
					}
					id = candidate
				}
			}
		}
		if id == "" {
			return fmt.Errorf("field %q is not on the form of %s", clip(name, 100), f.what)
		}
		if _, taken := into[id]; taken {
			return fmt.Errorf("field %q is set by the ticket itself", name)
		}
		into[id] = fields[name]
	}
	return nil
}

// formOf reads the form of a project and a type, and keeps it for an hour. Where
// it may not be read nothing is checked.
func (c *Client) formOf(ctx context.Context, op, tenant, project, issueType string) (form, error) {
	what := project + " " + issueType
	c.mu.Lock()
	f, ok := c.forms[what]
	c.mu.Unlock()
	now := c.config.Now()
	if ok && now.Sub(f.read) < formAge {
		return f, nil
	}
	f = form{what: what, read: now}
	types, err := c.metaPages(ctx, op, tenant, "rest/api/2/issue/createmeta/{project}/issuetypes", project)
	var fields []metaItem
	if err == nil {
		i := slices.IndexFunc(types, func(t metaItem) bool { return strings.EqualFold(t.Name, issueType) })
		if i < 0 {
			return form{}, c.fail(op, tenant, adapters.Unsupported, fmt.Sprintf("issue type %q is not one of project %s", issueType, project), nil)
		}
		fields, err = c.metaPages(ctx, op, tenant, "rest/api/2/issue/createmeta/{project}/issuetypes/{type}", project, types[i].ID)
	}
	switch {
	case err == nil:
		f.fields = map[string]string{}
		for _, field := range fields {
			f.fields[field.id()] = field.Name
		}
	case !errors.Is(err, adapters.Forbidden) && !errors.Is(err, adapters.NotFound):
		return form{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forms[what] = f
	return f, nil
}

// metaItem is a type or a field of a form.
type metaItem struct {
	ID      string `json:"id"`
	FieldID string `json:"fieldId"`
	Key     string `json:"key"`
	Name    string `json:"name"`
}

func (m metaItem) id() string {
	for _, id := range []string{m.FieldID, m.Key, m.ID} {
		if id != "" {
			return id
		}
	}
	return ""
}

// metaPages reads all pages. Cloud calls the list issueTypes or fields, Data Center
// values.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-createmeta-projectidorkey-issuetypes-get
// https://docs.atlassian.com/software/jira/docs/api/REST/9.17.0/#api/2/issue-getCreateIssueMetaProjectIssueTypes
func (c *Client) metaPages(ctx context.Context, op, tenant, route string, args ...string) ([]metaItem, error) {
	var all []metaItem
	for {
		var page struct {
			IssueTypes []metaItem `json:"issueTypes"`
			Fields     []metaItem `json:"fields"`
			Values     []metaItem `json:"values"`
			Total      int        `json:"total"`
			IsLast     bool       `json:"isLast"`
		}
		_, err := c.do(ctx, request{
			op: op, tenant: tenant, method: http.MethodGet, route: route, args: args, repeatable: true, into: &page,
			query: url.Values{"startAt": {strconv.Itoa(len(all))}, "maxResults": {"200"}},
		})
		if err != nil {
			return nil, err
		}
		list := slices.Concat(page.IssueTypes, page.Fields, page.Values)
		all = append(all, list...)
		if len(list) == 0 || page.IsLast || page.Total > 0 && len(all) >= page.Total {
			return all, nil
		}
	}
}
