package servicenow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// OnCall says who of a group, by name or sys_id, is on call at an instant, by the
// On-Call Scheduling API (plugin com.snc.on_call_rotation). Levels are those of the
// escalation, from 1. The API does not say until when.
func (c *Client) OnCall(ctx context.Context, target string, at time.Time) ([]adapters.Duty, error) {
	r := request{op: "on_call", method: "GET", path: "api/now/on_call_rota/whoisoncall"}
	if target == "" {
		return nil, c.fail(r, adapters.Invalid, errors.New("no group"))
	}
	group, err := c.group(ctx, request{op: r.op}, target)
	if err != nil {
		return nil, err
	}
	r.query = url.Values{"group_ids": {group}, "date_time": {FormatTime(at)}}
	var answer struct {
		Result []struct {
			User  string      `json:"userId"`
			Group string      `json:"group"`
			Rota  string      `json:"rota"`
			Order orderNumber `json:"order"`
		} `json:"result"`
	}
	if _, err := c.do(ctx, r, &answer); err != nil {
		return nil, err
	}
	var out []adapters.Duty
	for _, entry := range answer.Result {
		switch {
		case entry.Group != "" && entry.Group != group:
			return nil, c.fail(r, adapters.BadResponse, errors.New("the instance answered for another group"))
		case entry.User == "":
			continue // a device or a group that nobody is on call for
		}
		user, err := c.row(ctx, request{op: r.op}, "sys_user", entry.User, []string{"name", "email"})
		if err != nil {
			return nil, err
		}
		out = append(out, adapters.Duty{
			Person: entry.User, Name: user["name"], Email: user["email"], Level: max(int(entry.Order), 1), Plan: entry.Rota,
		})
	}
	slices.SortStableFunc(out, func(a, b adapters.Duty) int { return a.Level - b.Level })
	return out, nil
}

// orderNumber is a number that some releases write as a text.
type orderNumber int

// UnmarshalJSON reads a number or a text of one; anything empty is 0.
func (n *orderNumber) UnmarshalJSON(data []byte) error {
	text, err := plain(data)
	if err != nil || text == "" {
		return err
	}
	if _, err := fmt.Sscanf(text, "%d", (*int)(n)); err != nil {
		return fmt.Errorf("order %q: want a number", text)
	}
	return nil
}
