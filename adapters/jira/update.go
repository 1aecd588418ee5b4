package jira

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Update changes fields of an issue. A title or a text that does not fit is cut
// and attached whole; our label stays when labels are replaced. Fields go by their
// id; one that the issue does not have is refused by Jira, and so is a severity
// where it has no priority.
func (c *Client) Update(ctx context.Context, ref adapters.Ref, p adapters.Patch) error {
	const op = "update"
	fields := map[string]any{}
	maps.Copy(fields, p.Fields)
	d := draft{}
	if p.Title != nil {
		d.ticket.Title = *p.Title
	}
	if p.Text != nil {
		d.ticket.Text = *p.Text
	}
	if p.Title != nil {
		title := summaryOf(*p.Title)
		if title == "" {
			return c.fail(op, ref.Tenant, adapters.Invalid, "title empty", nil)
		}
		fields["summary"] = d.cut("summary", title, maxSummary, cutMark)
	}
	if p.Text != nil {
		fields["description"] = d.cut("description", *p.Text, maxText, cutNote)
	}
	if p.Severity != nil {
		name, err := c.config.Priorities.Theirs(*p.Severity)
		if err != nil {
			return c.fail(op, ref.Tenant, adapters.Invalid, fmt.Sprintf("severity %v: %v", *p.Severity, err), err)
		}
		fields["priority"] = map[string]any{"name": name}
	}
	if p.Labels != nil {
		i, err := c.issue(ctx, op, ref, []string{"labels"})
		if err != nil {
			return err
		}
		t, err := c.ticket(op, ref.Tenant, i)
		if err != nil {
			return err
		}
		labels := slices.Clone(*p.Labels)
		for _, l := range labels {
			if l == "" || strings.ContainsAny(l, " \t\r\n") || units(l) > maxLabel {
				return c.fail(op, ref.Tenant, adapters.Invalid, fmt.Sprintf("label %q: want 1 to %d characters without spaces", clip(l, 100), maxLabel), nil)
			}
		}
		for _, l := range i.Fields.Labels { // what reading hides is ours
			if !slices.Contains(t.Labels, l) && !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
		if labels == nil {
			labels = []string{}
		}
		fields["labels"] = labels
	}
	if len(fields) == 0 {
		_, err := c.issueID(op, ref)
		return err
	}
	if err := c.edit(ctx, op, ref, fields); err != nil {
		return err
	}
	return c.complete(ctx, op, ref, d)
}

// edit writes fields of an issue, a whole state that may be written again.
func (c *Client) edit(ctx context.Context, op string, ref adapters.Ref, fields map[string]any) error {
	id, err := c.issueID(op, ref)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPut, route: "rest/api/2/issue/{issue}", args: []string{id},
		body: map[string]any{"fields": fields}, issue: id, repeatable: true,
	})
	return err
}

// Assign gives an issue to somebody, by account id on Cloud and by name on Data
// Center; "" to nobody.
func (c *Client) Assign(ctx context.Context, ref adapters.Ref, assignee string) error {
	return c.assign(ctx, "assign", ref, assignee)
}

func (c *Client) assign(ctx context.Context, op string, ref adapters.Ref, assignee string) error {
	if assignee == "" {
		return c.edit(ctx, op, ref, map[string]any{"assignee": nil})
	}
	id, err := c.issueID(op, ref)
	if err != nil {
		return err
	}
	who, err := c.assignee(ctx, assignee)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodPut, route: "rest/api/2/issue/{issue}/assignee", args: []string{id},
		body: who, issue: id, repeatable: true,
	})
	return err
}

func (c *Client) assignee(ctx context.Context, who string) (map[string]any, error) {
	cloud, err := c.cloud(ctx)
	if err != nil {
		return nil, err
	}
	if cloud {
		return map[string]any{"accountId": who}, nil
	}
	return map[string]any{"name": who}, nil
}
