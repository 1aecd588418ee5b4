package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

var _ adapters.OnCaller = (*Client)(nil)

// OnCall says who is on call at an instant, first level first. The target is the id
// of an escalation policy, or "schedule:" and the id of a schedule, of either
// version.
func (c *Client) OnCall(ctx context.Context, target string, at time.Time) ([]adapters.Duty, error) {
	const op = "on call"
	key, id := "escalation_policy_ids[]", target
	if schedule, ok := strings.CutPrefix(target, "schedule:"); ok {
		key, id = "schedule_ids[]", schedule
	}
	if id == "" {
		return nil, refuse(op, "", adapters.Invalid, "target missing, want the id of an escalation policy, or schedule: and that of a schedule")
	}
	query := url.Values{
		key: {id}, "include[]": {"users"},
		"since": {at.UTC().Format(time.RFC3339)}, "until": {at.Add(time.Second).UTC().Format(time.RFC3339)},
	}
	all, err := collect(list[struct {
		User             sdk.User      `json:"user"`
		Schedule         sdk.APIObject `json:"schedule"` // null for those who are always on call
		EscalationPolicy sdk.APIObject `json:"escalation_policy"`
		Level            int           `json:"escalation_level"`
		Start            time.Time     `json:"start"` // null: always
		End              time.Time     `json:"end"`
	}](ctx, c, request{op: op, path: "/oncalls", query: query}, "oncalls"))
	if err != nil {
		return nil, err
	}
	var duties []adapters.Duty
	for _, o := range all {
		if o.Start.After(at) || !o.End.IsZero() && !at.Before(o.End) {
			continue // the border of the next duty
		}
		duties = append(duties, adapters.Duty{
			Person: o.User.ID, Name: cmp.Or(o.User.Name, o.User.Summary), Email: o.User.Email, Level: o.Level,
			Plan: cmp.Or(o.Schedule.ID, o.EscalationPolicy.ID), Start: o.Start, End: o.End,
		})
	}
	slices.SortStableFunc(duties, func(a, b adapters.Duty) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Name, b.Name), a.Start.Compare(b.Start))
	})
	return duties, nil
}

// Schedule is a plan of duty.
type Schedule struct {
	ID      string
	Name    string
	Zone    string
	Version int // of the API that has it, 2 or 3
}

// Schedule reads a schedule, wherever it is: PagerDuty moves them from version 2 of
// its API to version 3, where one that was not moved yet is an error.
func (c *Client) Schedule(ctx context.Context, id string) (Schedule, error) {
	const op = "schedule"
	if id == "" {
		return Schedule{}, refuse(op, "", adapters.Invalid, "id missing")
	}
	var answer struct {
		Schedule struct {
			ID       string `json:"id"`
			Name     string `json:"name"`
			TimeZone string `json:"time_zone"`
		} `json:"schedule"`
	}
	version := 3
	err := c.do(ctx, request{op: op, method: http.MethodGet, path: "/v3/schedules/" + url.PathEscape(id)}, &answer)
	if errors.Is(err, adapters.Invalid) {
		version = 2
		err = c.do(ctx, request{op: op, method: http.MethodGet, path: "/schedules/" + url.PathEscape(id)}, &answer)
	}
	s := answer.Schedule
	return Schedule{ID: s.ID, Name: s.Name, Zone: s.TimeZone, Version: version}, err
}
