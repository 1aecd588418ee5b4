package jira

import (
	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// Deployment says which Jira it is, because their searches have nothing in common.
type Deployment string

// The deployments. The zero value asks the server once, when it is first needed.
const (
	Cloud      Deployment = "cloud"
	DataCenter Deployment = "data_center"
)

// Categories of statuses by their keys, which are the same in every language.
const (
	CategoryNew           = "new"
	CategoryIndeterminate = "indeterminate"
	CategoryDone          = "done"
)

// Status is a target of transitions: any status of a category or, with a name,
// only the status of that name.
type Status struct {
	Category string
	Name     string
}

// DefaultPriorities are those of Jira's default scheme. Lowest reads as P4.
func DefaultPriorities() adapters.Names[incident.Severity, string] {
	return adapters.Names[incident.Severity, string]{
		{Ours: incident.P1, Theirs: "Highest"},
		{Ours: incident.P2, Theirs: "High"},
		{Ours: incident.P3, Theirs: "Medium"},
		{Ours: incident.P4, Theirs: "Low"},
		{Ours: incident.P4, Theirs: "Lowest"},
	}
}

// DefaultStates go by category. There is no status to hold an issue in by
// default; name it:
//
//	append(jira.DefaultStates(), adapters.Name[adapters.State, jira.Status]{
//		Ours: adapters.StateOnHold, Theirs: jira.Status{Category: jira.CategoryIndeterminate, Name: "Pending"}})
func DefaultStates() adapters.Names[adapters.State, Status] {
	return adapters.Names[adapters.State, Status]{
		{Ours: adapters.StateNew, Theirs: Status{Category: CategoryNew}},
		{Ours: adapters.StateAcknowledged, Theirs: Status{Category: CategoryIndeterminate}},
		{Ours: adapters.StateResolved, Theirs: Status{Category: CategoryDone}},
		{Ours: adapters.StateClosed, Theirs: Status{Category: CategoryDone}},
		{Ours: adapters.StateCancelled, Theirs: Status{Category: CategoryDone}},
	}
}

// DefaultResolutions are those of Jira's default scheme.
func DefaultResolutions() adapters.Names[adapters.State, string] {
	return adapters.Names[adapters.State, string]{
		{Ours: adapters.StateResolved, Theirs: "Done"},
		{Ours: adapters.StateClosed, Theirs: "Done"},
		{Ours: adapters.StateCancelled, Theirs: "Won't Do"},
	}
}

// state reads a status: a name that is mapped wins over a category, and of several
// states of one category the first, unless a resolution says that it was canceled.
func (c *Client) state(status Status, resolution string) (adapters.State, error) {
	if ours, err := c.config.States.Ours(status); err == nil {
		return ours, nil
	}
	ours, err := c.config.States.Ours(Status{Category: status.Category})
	if err != nil {
		return "", err
	}
	if ours.Ended() && resolution != "" {
		if by, err := c.config.Resolutions.Ours(resolution); err == nil && by == adapters.StateCancelled {
			return adapters.StateCancelled, nil
		}
	}
	return ours, nil
}

// named reports whether a status is the named one of a state other than ours.
func (c *Client) named(status Status, ours adapters.State) bool {
	for _, pair := range c.config.States {
		if pair.Theirs.Name != "" && pair.Theirs == status {
			return pair.Ours != ours
		}
	}
	return false
}

// severity reads a priority: none is no severity, an unknown one an error unless
// the configuration says what it reads as.
func (c *Client) severity(priority string) (incident.Severity, error) {
	if priority == "" {
		return 0, nil
	}
	ours, err := c.config.Priorities.Ours(priority)
	if err != nil && c.config.DefaultSeverity.IsSet() {
		return c.config.DefaultSeverity, nil
	}
	return ours, err
}
