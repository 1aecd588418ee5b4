package jira

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// responder is somebody on call, or a team or escalation with those who are on call
// in it.
type responder struct {
	ID   string      `json:"id"`
	Type string      `json:"type"` // "user", "team", "escalation", "noone", …
	Of   []responder `json:"onCallParticipants"`
}

// OnCall says who is on call at an instant by a schedule of service management, by
// its id; [Config].OpsURL is required. Persons are account ids. Responders of teams
// and of escalations within the schedule are listed with it, each once; the API says
// neither levels nor until when.
//
// https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-schedule-on-calls/
func (c *Client) OnCall(ctx context.Context, target string, at time.Time) ([]adapters.Duty, error) {
	const op = "on_call"
	switch {
	case c.config.OpsURL == "":
		return nil, c.fail(op, "", adapters.Unsupported, "on-call schedules need Config.OpsURL", nil)
	case !word(target):
		return nil, c.fail(op, "", adapters.Invalid, "target is no id of a schedule", nil)
	}
	var answer responder
	if _, err := c.do(ctx, request{
		op: op, method: http.MethodGet, route: strings.TrimSuffix(c.config.OpsURL, "/") + "/v1/schedules/{schedule}/on-calls", args: []string{target},
		query: url.Values{"date": {at.UTC().Format("2006-01-02T15:04:05Z")}, "flat": {"false"}}, repeatable: true, into: &answer,
	}); err != nil {
		return nil, err
	}
	return duties(nil, answer.Of, target), nil
}

// duties appends the users among responders who are not there yet.
func duties(all []adapters.Duty, of []responder, plan string) []adapters.Duty {
next:
	for _, r := range of {
		if r.Type != "user" {
			all = duties(all, r.Of, plan)
			continue
		}
		for _, d := range all {
			if d.Person == r.ID {
				continue next
			}
		}
		all = append(all, adapters.Duty{Person: r.ID, Level: 1, Plan: plan})
	}
	return all
}
