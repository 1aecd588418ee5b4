package servicenow

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

func TestConformance(t *testing.T) {
	const password, wrong = "canary-password-5e1f", "canary-password-that-is-wrong"
	for name, change := range map[string]func(*Config){
		"as delivered": func(*Config) {},
		"with levels, labels and a ledger": func(c *Config) {
			c.Levels, c.LabelsColumn, c.Ledger = []string{"ops"}, "u_labels", &adapters.MemoryLedger{}
		},
		"by an import set": func(c *Config) { c.Staging = "u_staging" },
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject {
				t.Helper()
				in := newInstance(adaptertest.ServiceNowOptions{
					Users: map[string]string{"evenkeel": password}, Staging: map[string]string{"u_staging": "incident"},
				})
				in.Define("incident", "u_labels")
				in.Insert("sys_user", map[string]string{"user_name": "sarah", "email": "sarah@acme.example", "name": "Sarah Chen"})
				in.Insert("sys_user_group", map[string]string{"name": "ops"})
				as := func(password string) *Client {
					return in.client(t, func(c *Config) {
						c.Credential = resilience.Basic("evenkeel", adapters.NewSecret(password))
						change(c)
					})
				}
				s := adaptertest.Subject{
					Adapter: as(password), Refused: as(wrong), Person: "sarah", Assignee: "sarah", Target: "ops", Now: func() time.Time { return in.now },
					Sent: func() int { return len(in.Requests()) }, Tickets: func() int { return len(in.Records("incident", "")) },
					Secrets: []string{password, wrong},
				}
				if s.Adapter.(*Client).config.LabelsColumn != "" {
					s.Ticket.Labels = []string{"checkout", "eu-1"}
				}
				return s
			})
		})
	}
}
