package pagerduty

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// What severities are called where nothing else is configured. The severities of
// events are PagerDuty's own and fixed.
// https://developer.pagerduty.com/docs/send-alert-event
var (
	eventSeverities = adapters.Names[incident.Severity, string]{
		{Ours: incident.P1, Theirs: "critical"},
		{Ours: incident.P2, Theirs: "error"},
		{Ours: incident.P3, Theirs: "warning"},
		{Ours: incident.P4, Theirs: "info"},
	}
	defaultUrgencies = adapters.Names[incident.Severity, string]{
		{Ours: incident.P1, Theirs: "high"},
		{Ours: incident.P2, Theirs: "high"},
		{Ours: incident.P3, Theirs: "low"},
		{Ours: incident.P4, Theirs: "low"},
	}
	defaultStates = adapters.Names[adapters.State, string]{
		{Ours: adapters.StateNew, Theirs: "triggered"},
		{Ours: adapters.StateAcknowledged, Theirs: "acknowledged"},
		{Ours: adapters.StateOnHold, Theirs: "acknowledged"},
		{Ours: adapters.StateResolved, Theirs: "resolved"},
		{Ours: adapters.StateClosed, Theirs: "resolved"},
		{Ours: adapters.StateCancelled, Theirs: "resolved"},
	}
)

// minReload is how long a list of priorities is believed when a name is not in it.
const minReload = time.Minute

// reference is how the API names something by its id.
type reference struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// priority returns the reference and the urgency of a severity; nil and "" for an
// unset one.
func (c *Client) priority(ctx context.Context, op, tenant string, s incident.Severity) (*reference, string, error) {
	if !s.IsSet() {
		return nil, "", nil
	}
	urgency, err := c.config.Urgencies.Theirs(s)
	if err != nil {
		return nil, "", refuse(op, tenant, adapters.Invalid, "urgency: %w", err)
	}
	if c.config.NoPriorities {
		return nil, urgency, nil
	}
	name, err := c.config.Priorities.Theirs(s)
	if err != nil {
		return nil, "", refuse(op, tenant, adapters.Invalid, "priority: %w", err)
	}
	all, err := c.knownPriorities(ctx, tenant, name)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(all, func(p sdk.Priority) bool { return p.Name == name })
	if i < 0 {
		return nil, "", refuse(op, tenant, adapters.Invalid, "priority %q is not in the account, want one of %s", name, priorityNames(all))
	}
	return &reference{ID: all[i].ID, Type: "priority_reference"}, urgency, nil
}

// knownPriorities returns the priorities, highest first, so that the first of a name
// is the one that PagerDuty takes for the name. They are read once, and again where
// the name is not among them and a minute has passed.
func (c *Client) knownPriorities(ctx context.Context, tenant, name string) ([]sdk.Priority, error) {
	c.mu.Lock()
	all, loaded := c.priorities, c.loaded
	c.mu.Unlock()
	known := slices.ContainsFunc(all, func(p sdk.Priority) bool { return p.Name == name })
	if known || !loaded.IsZero() && c.config.Now().Sub(loaded) < minReload {
		return all, nil
	}
	all, err := collect(list[sdk.Priority](ctx, c, request{op: "priorities", tenant: tenant, path: "/priorities"}, "priorities"))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.priorities, c.loaded = all, c.config.Now()
	c.mu.Unlock()
	return all, nil
}

func priorityNames(all []sdk.Priority) string {
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = fmt.Sprintf("%q", p.Name)
	}
	return strings.Join(names, ", ")
}

// severityOf reads a priority; "" is no priority.
func (c *Client) severityOf(name, urgency string) (incident.Severity, error) {
	if name == "" {
		if !c.config.NoPriorities || urgency == "" {
			return 0, nil
		}
		return c.config.Urgencies.Ours(urgency)
	}
	s, err := c.config.Priorities.Ours(name)
	if err != nil && c.config.DefaultSeverity.IsSet() {
		return c.config.DefaultSeverity, nil
	}
	return s, err
}
