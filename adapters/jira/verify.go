package jira

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// serverInfo is what the server says of itself.
type serverInfo struct {
	Type    string `json:"deploymentType"` // "Cloud", "Server"
	Version string `json:"version"`
}

func (i serverInfo) deployment() Deployment {
	if strings.EqualFold(i.Type, "Cloud") {
		return Cloud
	}
	return DataCenter
}

func (c *Client) serverInfo(ctx context.Context) (serverInfo, error) {
	var info serverInfo
	_, err := c.do(ctx, request{op: "server_info", method: http.MethodGet, route: "rest/api/2/serverInfo", repeatable: true, into: &info})
	return info, err
}

// permissions are the rights that the client uses, by what lacks without them.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-permissions/#api-rest-api-2-mypermissions-get
var permissions = map[string]string{
	"BROWSE_PROJECTS": "read issues", "CREATE_ISSUES": "open issues", "EDIT_ISSUES": "change issues", "TRANSITION_ISSUES": "acknowledge and resolve issues",
	"RESOLVE_ISSUES": "set resolutions", "ADD_COMMENTS": "write notes", "CREATE_ATTACHMENTS": "attach files", "LINK_ISSUES": "link and merge issues",
	"ASSIGN_ISSUES": "assign issues",
}

// Verify reads what the project has and compares it with the configuration: the
// deployment, rights, issue type, priorities, statuses with their categories,
// resolutions and types of links. All that differs is in the Details of one error
// of kind [adapters.Invalid]. It writes nothing.
func (c *Client) Verify(ctx context.Context) error {
	const op = "verify"
	info, err := c.serverInfo(ctx)
	if err != nil {
		return err
	}
	var problems []string
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if c.config.Deployment != "" && info.deployment() != c.config.Deployment {
		report("deployment is configured as %s, the server is %s", c.config.Deployment, info.deployment())
	}
	if _, err := c.myself(ctx); err != nil {
		return err
	}
	for _, check := range []func(context.Context, func(string, ...any)) error{
		c.verifyPermissions, c.verifyForm, c.verifyStatuses, c.verifyNames, c.verifyAssets,
	} {
		if err := check(ctx, report); err != nil {
			return err
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &adapters.Error{
		Provider: provider, Op: op, Tenant: c.config.Tenant, Kind: adapters.Invalid,
		Message: "configuration does not fit the instance", Details: problems, Err: errors.New(strings.Join(problems, "; ")),
	}
}

func (c *Client) verifyPermissions(ctx context.Context, report func(string, ...any)) error {
	var mine struct {
		Permissions map[string]struct {
			Have bool `json:"havePermission"`
		} `json:"permissions"`
	}
	names := slices.Sorted(maps.Keys(permissions))
	_, err := c.do(ctx, request{
		op: "verify", method: http.MethodGet, route: "rest/api/2/mypermissions", repeatable: true, into: &mine,
		query: url.Values{"projectKey": {c.config.Project}, "permissions": {strings.Join(names, ",")}},
	})
	if errors.Is(err, adapters.NotFound) {
		report("project %s does not exist or may not be seen", c.config.Project)
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if !mine.Permissions[name].Have {
			report("permission %s is missing, cannot %s", name, permissions[name])
		}
	}
	return nil
}

func (c *Client) verifyForm(ctx context.Context, report func(string, ...any)) error {
	_, err := c.formOf(ctx, "verify", "", c.config.Project, c.config.IssueType)
	if e, ok := errors.AsType[*adapters.Error](err); ok && e.Kind == adapters.Unsupported {
		report("%s", e.Message)
		return nil
	}
	return err
}

// verifyStatuses compares named statuses with those of the issue type.
func (c *Client) verifyStatuses(ctx context.Context, report func(string, ...any)) error {
	var types []struct {
		Name     string `json:"name"`
		Statuses []struct {
			Name     string `json:"name"`
			Category struct {
				Key string `json:"key"`
			} `json:"statusCategory"`
		} `json:"statuses"`
	}
	_, err := c.do(ctx, request{
		op: "verify", method: http.MethodGet, route: "rest/api/2/project/{project}/statuses", args: []string{c.config.Project}, repeatable: true, into: &types,
	})
	if errors.Is(err, adapters.NotFound) {
		return nil // said with the rights
	}
	if err != nil {
		return err
	}
	for _, t := range types {
		if !strings.EqualFold(t.Name, c.config.IssueType) {
			continue
		}
		for _, pair := range c.config.States {
			found, category := false, ""
			for _, s := range t.Statuses {
				if pair.Theirs.Name == "" && s.Category.Key == pair.Theirs.Category || s.Name == pair.Theirs.Name {
					found, category = true, s.Category.Key
				}
			}
			switch {
			case !found && pair.Theirs.Name == "":
				report("state %s: no status of category %q", pair.Ours, pair.Theirs.Category)
			case !found:
				report("state %s: no status %q", pair.Ours, pair.Theirs.Name)
			case category != pair.Theirs.Category:
				report("state %s: status %q is of category %q, configured as %q", pair.Ours, pair.Theirs.Name, category, pair.Theirs.Category)
			}
		}
	}
	return nil
}

// verifyNames compares names with the lists of the instance. Of a priority that
// several of ours are read from, the one that is written has to be there.
func (c *Client) verifyNames(ctx context.Context, report func(string, ...any)) error {
	priorities, err := c.names(ctx, "rest/api/2/priority")
	if err != nil {
		return err
	}
	for _, pair := range c.config.Priorities {
		if written, _ := c.config.Priorities.Theirs(pair.Ours); written == pair.Theirs && !slices.Contains(priorities, pair.Theirs) {
			report("severity %s: no priority %q, the instance has %q", pair.Ours, pair.Theirs, priorities)
		}
	}
	resolutions, err := c.names(ctx, "rest/api/2/resolution")
	if err != nil {
		return err
	}
	for _, pair := range c.config.Resolutions {
		if !slices.Contains(resolutions, pair.Theirs) {
			report("state %s: no resolution %q, the instance has %q", pair.Ours, pair.Theirs, resolutions)
		}
	}
	if !slices.Contains(resolutions, c.config.DuplicateResolution) {
		report("duplicates: no resolution %q, the instance has %q", c.config.DuplicateResolution, resolutions)
	}
	var links struct {
		Types []metaItem `json:"issueLinkTypes"`
	}
	if _, err := c.do(ctx, request{op: "verify", method: http.MethodGet, route: "rest/api/2/issueLinkType", repeatable: true, into: &links}); err != nil {
		return err
	}
	for _, name := range []string{c.config.DuplicateLink, c.config.RelatedLink} {
		if !slices.ContainsFunc(links.Types, func(t metaItem) bool { return t.Name == name }) {
			report("links: no type %q", name)
		}
	}
	return nil
}

// names reads a list of things that have names.
func (c *Client) names(ctx context.Context, route string) ([]string, error) {
	var list []metaItem
	if _, err := c.do(ctx, request{op: "verify", method: http.MethodGet, route: route, repeatable: true, into: &list}); err != nil {
		return nil, err
	}
	names := make([]string, len(list))
	for i, item := range list {
		names[i] = item.Name
	}
	return names, nil
}
