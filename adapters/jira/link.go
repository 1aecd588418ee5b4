package jira

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Link relates two issues by a type of link, "" for [Config].RelatedLink. from is
// the issue that the outward words of the type are true of: "blocks",
// "duplicates". Linking again changes nothing.
func (c *Client) Link(ctx context.Context, from, to adapters.Ref, relation string) error {
	return c.link(ctx, "link", from, to, cmp.Or(relation, c.config.RelatedLink))
}

// link is repeatable: Jira answers a link that is there as it does a new one.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-links/#api-rest-api-2-issuelink-post
func (c *Client) link(ctx context.Context, op string, from, to adapters.Ref, relation string) error {
	inward, err := c.issueID(op, from)
	if err != nil {
		return err
	}
	outward, err := c.issueID(op, to)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, request{
		op: op, tenant: from.Tenant, method: http.MethodPost, route: "rest/api/2/issueLink", issue: inward, repeatable: true,
		body: map[string]any{
			"type": map[string]any{"name": relation}, "inwardIssue": map[string]any{"id": inward}, "outwardIssue": map[string]any{"id": outward},
		},
	})
	return err
}

// Merge ends issues as duplicates of one of the same tenant: each is linked to it and
// resolved with [Config].DuplicateResolution.
func (c *Client) Merge(ctx context.Context, into adapters.Ref, from ...adapters.Ref) error {
	for _, ref := range from {
		if ref.Tenant != into.Tenant {
			return c.fail("merge", into.Tenant, adapters.Invalid, "issues of two tenants cannot be merged", nil)
		}
	}
	for _, ref := range from {
		if err := c.merge(ctx, "merge", into, ref); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) merge(ctx context.Context, op string, into, ref adapters.Ref) error {
	if into.ID == ref.ID {
		return c.fail(op, ref.Tenant, adapters.Invalid, "issue cannot be merged into itself", nil)
	}
	if err := c.link(ctx, op, ref, into, c.config.DuplicateLink); err != nil {
		return err
	}
	_, err := c.move(ctx, op, ref, target{state: adapters.StateResolved, resolution: c.config.DuplicateResolution})
	return err
}

// remoteLink points an issue to a page; the same page once, by its global id.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-remote-links/#api-rest-api-2-issue-issueidorkey-remotelink-post
func (c *Client) remoteLink(ctx context.Context, op string, ref adapters.Ref, link adapters.WebLink) error {
	sum := sha256.Sum256([]byte(link.URL))
	title, _ := fit(cmp.Or(link.Text, link.URL), maxSummary, cutMark)
	_, err := c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/api/2/issue/{issue}/remotelink", args: []string{ref.ID}, issue: ref.ID, repeatable: true,
		body: map[string]any{
			"globalId": "evenkeel-" + hex.EncodeToString(sum[:]), "object": map[string]any{"url": link.URL, "title": title},
		},
	})
	return err
}
