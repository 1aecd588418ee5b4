// Package ticketing reaches the systems of tickets that a configuration names, in the
// same way for all programs.
package ticketing

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/jira"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/adapters/runner"
	"github.com/evenkeelops/evenkeel/adapters/servicenow"
)

// PagerDuty returns the integration of a sink. Source is what its alerts come from, for
// people.
func PagerDuty(c *config.PagerDutySink, source string) (*pagerduty.Events, error) {
	return pagerduty.NewEvents(pagerduty.EventsConfig{
		RoutingKeys: map[string]adapters.Secret{"": c.RoutingKey}, BaseURL: c.URL, Source: source, Client: "evenkeel",
	})
}

// Jira returns the project of a sink, in whose ledger it stands what was opened. States
// are those of [config.Bridge].
func Jira(c *config.JiraSink, states map[string]adapters.State, ledger adapters.Ledger) (*jira.Client, error) {
	return jira.New(jira.Config{
		BaseURL: c.URL, Email: c.Email, Token: c.Token, Project: c.Project, IssueType: c.IssueType,
		Deployment: jira.Deployment(c.Deployment), Ledger: ledger, States: jiraStates(states),
	})
}

// ServiceNow returns the instance of a sink, as [Jira] does.
func ServiceNow(c *config.ServiceNowSink, states map[string]adapters.State, ledger adapters.Ledger) (*servicenow.Client, error) {
	credential := resilience.Basic(c.User, c.Password)
	if c.ClientID != "" {
		grant := resilience.ClientCredentials
		if c.User != "" {
			grant = resilience.Password
		}
		address, err := url.JoinPath(c.URL, "oauth_token.do")
		if err != nil {
			return nil, err
		}
		credential, err = resilience.NewTokenSource(resilience.TokenSourceConfig{
			Provider: "servicenow", TokenURL: address, Grant: grant,
			ClientID: c.ClientID, ClientSecret: c.ClientSecret, Username: c.User, Password: c.Password,
		})
		if err != nil {
			return nil, err
		}
	}
	return servicenow.New(servicenow.Config{BaseURL: c.URL, Credential: credential, User: c.User, Group: c.Group, Ledger: ledger, States: serviceNowStates(states)})
}

// Outcome is the error of a request as a runner takes it: what a system refuses for good
// wraps [runner.ErrPermanent], and all else is tried again.
func Outcome(err error) error {
	switch kind := adapters.KindOf(err); {
	case err == nil:
		return nil
	case kind == 0, kind.Retryable(), kind == adapters.OutcomeUnknown, kind == adapters.Deadline, kind == adapters.Canceled:
		return err
	default:
		return fmt.Errorf("%w: %w", runner.ErrPermanent, err)
	}
}

// jiraStates are the statuses of the configuration by name, behind those that Jira has
// by category.
func jiraStates(names map[string]adapters.State) adapters.Names[adapters.State, jira.Status] {
	all := jira.DefaultStates()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, category := range []string{jira.CategoryNew, jira.CategoryIndeterminate, jira.CategoryDone} {
			all = append(all, adapters.Name[adapters.State, jira.Status]{Ours: names[name], Theirs: jira.Status{Category: category, Name: name}})
		}
	}
	return all
}

// serviceNowStates are the numbers of the configuration, with those that ServiceNow has.
func serviceNowStates(names map[string]adapters.State) adapters.Names[adapters.State, string] {
	all := servicenow.DefaultStates()
	for _, number := range slices.Sorted(maps.Keys(names)) {
		if strings.Trim(number, "0123456789") != "" {
			continue
		}
		if i := slices.IndexFunc(all, func(n adapters.Name[adapters.State, string]) bool { return n.Theirs == number }); i >= 0 {
			all[i].Ours = names[number]
			continue
		}
		all = append(all, adapters.Name[adapters.State, string]{Ours: names[number], Theirs: number})
	}
	return all
}
