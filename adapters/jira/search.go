package jira

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
)

// pageSize is how many issues are asked for at a time; Jira may give fewer.
const pageSize = 100

// issue is an issue with its properties, which the SDK leaves out.
type issue struct {
	sdk.Issue
	Properties map[string]json.RawMessage `json:"properties"`
}

// query is one search.
type query struct {
	op, tenant string
	jql        string
	fields     []string
	expand     string
	reconcile  []int // ids that the answer has to be right about; Cloud only
}

// searchPages makes a search and yields its pages, none of them empty.
//
// Cloud goes on by a token, gives ids alone unless fields are asked for, and says
// when a page is the last one. Data Center goes on by a number, and may give
// fewer issues than were asked for.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-search/#api-rest-api-2-search-jql-post
// https://docs.atlassian.com/software/jira/docs/api/REST/9.17.0/#api/2/search-searchUsingSearchRequest
func (c *Client) searchPages(ctx context.Context, q query) iter.Seq2[[]issue, error] {
	return func(yield func([]issue, error) bool) {
		cloud, err := c.cloud(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		body := map[string]any{"jql": q.jql, "maxResults": pageSize, "fields": q.fields}
		route := "rest/api/2/search"
		if cloud {
			route += "/jql"
			body["properties"] = []string{c.config.Property}
			if q.expand != "" {
				body["expand"] = q.expand
			}
			if len(q.reconcile) > 0 {
				body["reconcileIssues"] = q.reconcile
			}
		} else {
			body["startAt"] = 0
			if q.expand != "" {
				body["expand"] = []string{q.expand}
			}
		}
		for start := 0; ; {
			var page struct {
				Issues        []issue `json:"issues"`
				IsLast        bool    `json:"isLast"`
				NextPageToken string  `json:"nextPageToken"`
				Total         int     `json:"total"`
			}
			// The query may be sent again: it reads, whatever its method says.
			if _, err := c.do(ctx, request{op: q.op, tenant: q.tenant, method: http.MethodPost, route: route, body: body, into: &page, repeatable: true}); err != nil {
				yield(nil, err)
				return
			}
			if len(page.Issues) > 0 && !yield(page.Issues, nil) {
				return
			}
			start += len(page.Issues)
			switch {
			case cloud && (page.IsLast || page.NextPageToken == ""), !cloud && (len(page.Issues) == 0 || start >= page.Total):
				return
			case cloud && page.NextPageToken == body["nextPageToken"]:
				yield(nil, c.fail(q.op, q.tenant, adapters.BadResponse, "search goes on with the page it has given", nil))
				return
			case cloud:
				body["nextPageToken"] = page.NextPageToken
			default:
				body["startAt"] = start
			}
		}
	}
}

// Search lists the issues of a JQL query, which has to be bounded on Cloud, each
// once. What it says may lag behind what was written by some seconds.
func (c *Client) Search(ctx context.Context, jql string) iter.Seq2[adapters.Ticket, error] {
	return func(yield func(adapters.Ticket, error) bool) {
		seen := map[string]bool{} // a page that moves while it is read shows an issue twice
		for page, err := range c.searchPages(ctx, query{op: "search", jql: jql, fields: c.fields()}) {
			if err != nil {
				yield(adapters.Ticket{}, err)
				return
			}
			for _, i := range page {
				if seen[i.ID] {
					continue
				}
				seen[i.ID] = true
				t, err := c.ticket("search", c.config.Tenant, i)
				if !yield(t, err) || err != nil {
					return
				}
			}
		}
	}
}

// Count says how many issues a query has: on Cloud about as many, on Data Center
// exactly.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-search/#api-rest-api-2-search-approximate-count-post
func (c *Client) Count(ctx context.Context, jql string) (int, error) {
	cloud, err := c.cloud(ctx)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Count int `json:"count"`
		Total int `json:"total"`
	}
	r := request{op: "count", method: http.MethodPost, route: "rest/api/2/search", body: map[string]any{"jql": jql, "maxResults": 0}, into: &answer, repeatable: true}
	if cloud {
		r.route, r.body = "rest/api/2/search/approximate-count", map[string]any{"jql": jql}
	}
	if _, err := c.do(ctx, r); err != nil {
		return 0, err
	}
	return max(answer.Count, answer.Total), nil
}

// Find returns the issue that was opened under a key, from the ledger or by a
// search; of several it is the oldest. What was opened within the last seconds by
// somebody else may not be found yet.
func (c *Client) Find(ctx context.Context, tenant, key string) (adapters.Ref, error) {
	const op = "find"
	if tenant == "" {
		tenant = c.config.Tenant
	}
	if key == "" {
		return adapters.Ref{}, c.fail(op, tenant, adapters.Invalid, "key missing", nil)
	}
	entry, ok, err := c.config.Ledger.Look(ctx, tenant, key)
	if err != nil {
		return adapters.Ref{}, c.ledgerError(ctx, op, tenant, err)
	}
	if ok && entry.Settled() {
		return entry.Ref, nil
	}
	found, err := c.labelled(ctx, op, tenant, c.config.Label(tenant, key))
	if err != nil {
		return adapters.Ref{}, err
	}
	if len(found) == 0 {
		return adapters.Ref{}, c.fail(op, tenant, adapters.NotFound, "no issue with that key", nil)
	}
	return oldest(found), nil
}

// labelled searches for the issues of a label, of which there is one or none
// unless something went wrong. fresh are issues about which the search has to be
// right.
func (c *Client) labelled(ctx context.Context, op, tenant, label string, fresh ...adapters.Ref) ([]adapters.Ref, error) {
	found, err := c.byLabel(ctx, op, tenant, []string{label}, fresh...)
	return found[label], err
}

// byLabel searches for the issues of several labels.
func (c *Client) byLabel(ctx context.Context, op, tenant string, labels []string, fresh ...adapters.Ref) (map[string][]adapters.Ref, error) {
	field := "labels"
	if c.config.FindBy == ByProperty {
		if cloud, err := c.cloud(ctx); err != nil {
			return nil, err
		} else if !cloud && len(labels) > 1 {
			// What it finds comes without properties, so an issue does not say whose it is.
			all := map[string][]adapters.Ref{}
			for _, l := range labels {
				found, err := c.labelled(ctx, op, tenant, l, fresh...)
				if err != nil {
					return nil, err
				}
				all[l] = found
			}
			return all, nil
		}
		field = "issue.property[" + quote(c.config.Property) + "].label"
	}
	quoted := make([]string, len(labels))
	for i, l := range labels {
		quoted[i] = quote(l)
	}
	q := query{op: op, tenant: tenant, fields: []string{"labels", "issuetype", "updated", "resolution"}}
	if q.jql = field + " = " + quoted[0]; len(labels) > 1 {
		q.jql = field + " in (" + strings.Join(quoted, ",") + ")"
	}
	for _, ref := range fresh {
		if id, err := strconv.Atoi(ref.ID); err == nil && len(q.reconcile) < maxIDs {
			q.reconcile = append(q.reconcile, id)
		}
	}
	found := map[string][]adapters.Ref{}
	for page, err := range c.searchPages(ctx, q) {
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			if i.Fields == nil || !word(i.ID) {
				return nil, c.fail(op, tenant, adapters.BadResponse, "issue without fields", nil)
			}
			if i.Fields.Resolution != nil && i.Fields.Resolution.Name == c.config.DuplicateResolution {
				continue // a twin that was closed
			}
			for _, l := range labels {
				// JQL compares labels without regard to case, and an index that is late shows old
				// ones. Without a label there is one property that was asked for.
				if slices.Contains(i.Fields.Labels, l) || c.config.FindBy == ByProperty && (len(labels) == 1 || i.mark(c.config.Property).Label == l) {
					found[l] = append(found[l], c.refOf(tenant, i))
				}
			}
		}
	}
	return found, nil
}

// quote writes a text of JQL.
//
// https://support.atlassian.com/jira-software-cloud/docs/search-for-issues-using-the-text-field/
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
