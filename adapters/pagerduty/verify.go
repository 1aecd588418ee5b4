package pagerduty

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/PagerDuty/go-pagerduty"

	"github.com/evenkeelops/evenkeel/adapters"
)

var _ adapters.Verifier = (*Client)(nil)

// Verify compares the configuration with the account: the names of priorities and
// of states, the user of From, whose id it remembers, and the service. All that is
// wrong is joined in one error of kind [adapters.Invalid]; an error of another kind
// says that something could not be asked.
func (c *Client) Verify(ctx context.Context) error {
	const op = "verify"
	var wrong []error
	invalid := func(format string, args ...any) {
		wrong = append(wrong, refuse(op, "", adapters.Invalid, format, args...))
	}
	for _, s := range c.config.States {
		if !slices.Contains([]string{"triggered", "acknowledged", resolved}, s.Theirs) {
			invalid("state %s: status %q is none of triggered, acknowledged and resolved", s.Ours, s.Theirs)
		}
	}
	for _, u := range c.config.Urgencies {
		if u.Theirs != "high" && u.Theirs != "low" {
			invalid("severity %s: urgency %q is none of high and low", u.Ours, u.Theirs)
		}
	}
	if !c.config.NoPriorities {
		all, err := c.knownPriorities(ctx, "", "")
		if err != nil {
			return err
		}
		for _, p := range c.config.Priorities {
			if !slices.ContainsFunc(all, func(known sdk.Priority) bool { return known.Name == p.Theirs }) {
				invalid("severity %s: priority %q is not in the account, want one of %s", p.Ours, p.Theirs, priorityNames(all))
			}
		}
	}
	if c.config.From != "" {
		users := list[sdk.User](ctx, c, request{op: op, path: "/users", query: url.Values{"query": {c.config.From}}}, "users")
		id := ""
		for u, err := range users {
			if err != nil {
				return err
			}
			if strings.EqualFold(u.Email, c.config.From) {
				id = u.ID
			}
		}
		if id == "" {
			invalid("no user has the address of Config.From")
		} else if c.config.UserID == "" {
			c.mu.Lock()
			c.userID = id
			c.mu.Unlock()
		}
	}
	if c.config.Service != "" {
		err := c.do(ctx, request{op: op, method: http.MethodGet, path: "/services/" + url.PathEscape(c.config.Service)}, nil)
		switch {
		case errors.Is(err, adapters.NotFound):
			invalid("service %q is not in the account", c.config.Service)
		case err != nil:
			return err
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &adapters.Error{Provider: provider, Op: op, Kind: adapters.Invalid, Err: errors.Join(wrong...)}
}
