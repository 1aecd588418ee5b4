package jira

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Change is one field that changed.
type Change struct {
	ID    string    `json:"id"` // of the entry; fields that changed together share it
	At    time.Time `json:"at"`
	By    string    `json:"by,omitempty"`
	Field string    `json:"field"` // by its name, "status"
	From  string    `json:"from,omitempty"`
	To    string    `json:"to,omitempty"`
}

// History lists what changed of an issue, oldest first. Cloud gives it in pages,
// Data Center only whole, with the issue.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-issueidorkey-changelog-get
func (c *Client) History(ctx context.Context, ref adapters.Ref) iter.Seq2[Change, error] {
	const op = "history"
	return func(yield func(Change, error) bool) {
		id, err := c.issueID(op, ref)
		if err != nil {
			yield(Change{}, err)
			return
		}
		cloud, err := c.cloud(ctx)
		if err != nil {
			yield(Change{}, err)
			return
		}
		r := request{op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/api/2/issue/{issue}/changelog", args: []string{id}, repeatable: true}
		if !cloud {
			r.route, r.query = "rest/api/2/issue/{issue}", url.Values{"expand": {"changelog"}, "fields": {"created"}}
		}
		seen := map[string]bool{}
		for start := 0; ; {
			var page struct {
				Values    []sdk.ChangelogHistory `json:"values"`
				Changelog sdk.Changelog          `json:"changelog"`
				IsLast    bool                   `json:"isLast"`
				Total     int                    `json:"total"`
			}
			if cloud {
				r.query = url.Values{"startAt": {strconv.Itoa(start)}, "maxResults": {strconv.Itoa(pageSize)}}
			}
			r.into = &page
			if _, err := c.do(ctx, r); err != nil {
				yield(Change{}, err)
				return
			}
			list := append(page.Values, page.Changelog.Histories...) //nolint:gocritic // one of both is empty
			for _, h := range list {
				if seen[h.Id] {
					continue
				}
				seen[h.Id] = true
				for _, change := range changesOf(h) {
					if !yield(change, nil) {
						return
					}
				}
			}
			start += len(list)
			if !cloud || len(list) == 0 || page.IsLast || start >= page.Total {
				return
			}
		}
	}
}

// changesOf reads one entry. An instant that cannot be read stays zero.
func changesOf(h sdk.ChangelogHistory) []Change {
	at, _ := h.CreatedTime()
	if !at.IsZero() {
		at = at.UTC()
	}
	list := make([]Change, len(h.Items))
	for n, item := range h.Items {
		list[n] = Change{ID: h.Id, At: at, By: userID(&h.Author), Field: item.Field, From: item.FromString, To: item.ToString}
	}
	return list
}
