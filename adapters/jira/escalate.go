package jira

import (
	"context"
	"fmt"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Escalate gives an issue to whoever stands for a level in [Config].Levels, from 1.
// An issue has no escalation of its own.
func (c *Client) Escalate(ctx context.Context, ref adapters.Ref, level int) error {
	const op = "escalate"
	switch {
	case len(c.config.Levels) == 0:
		return c.fail(op, ref.Tenant, adapters.Unsupported, "there are no Levels", nil)
	case level < 1 || level > len(c.config.Levels):
		return c.fail(op, ref.Tenant, adapters.Invalid, fmt.Sprintf("level %d, want 1 to %d", level, len(c.config.Levels)), nil)
	}
	return c.assign(ctx, op, ref, c.config.Levels[level-1])
}
