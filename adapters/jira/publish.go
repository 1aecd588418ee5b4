package jira

import (
	"context"
	"net/http"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Publish tells those who follow an issue how it stands: in a service desk by a
// public comment, else by mail to reporter, assignee and watchers. A lost answer
// is [adapters.OutcomeUnknown], because nobody can see whether a mail went out.
func (c *Client) Publish(ctx context.Context, ref adapters.Ref, subject, message string) error {
	const op = "publish"
	if c.config.ServiceDesk {
		text := message
		if subject != "" {
			text = subject + "\n\n" + message
		}
		return c.note(ctx, op, ref, adapters.Note{Text: text, Public: true})
	}
	id, err := c.issueID(op, ref)
	if err != nil {
		return err
	}
	body := map[string]any{"textBody": message, "to": map[string]any{"reporter": true, "assignee": true, "watchers": true}}
	if subject != "" {
		body["subject"], _ = fit(summaryOf(subject), maxSummary, cutMark)
	}
	_, err = c.do(ctx, request{op: op, tenant: ref.Tenant, method: http.MethodPost, route: "rest/api/2/issue/{issue}/notify", args: []string{id}, body: body, issue: id})
	return err
}
