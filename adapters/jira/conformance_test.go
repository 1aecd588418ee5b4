package jira

import (
	"net/http"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]adaptertest.JiraOptions{
		"cloud":                     {},
		"cloud, service management": {ServiceDesk: true},
		"data center":               {DataCenter: true},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject {
				t.Helper()
				client, fake := with(t, o, nil)
				refused, _ := with(t, adaptertest.JiraOptions{
					DataCenter: o.DataCenter, ServiceDesk: o.ServiceDesk,
					Fault: func(int, *http.Request) adaptertest.JiraFault {
						return adaptertest.JiraFault{Status: http.StatusUnauthorized, Body: `{"errorMessages":["Client must be authenticated"]}`}
					},
				}, nil)
				return adaptertest.Subject{
					Adapter: client, Refused: refused, Person: "Sarah Chen", Assignee: "sarah", Secrets: []string{canary},
					Sent:    func() int { return len(fake.Requests()) },
					Tickets: func() int { return len(fake.Issues()) },
				}
			})
		})
	}
}

// Without a status to rest in, Hold is no capability; without a service desk there
// are no clocks, without assets no topology.
func TestConformanceWithoutHold(t *testing.T) {
	adaptertest.Tickets(t, func(t *testing.T) adaptertest.Subject {
		t.Helper()
		client, fake := with(t, adaptertest.JiraOptions{}, func(c *Config) {
			c.States, c.Assets = nil, Assets{}
		})
		s := adaptertest.Subject{Adapter: client, Sent: func() int { return len(fake.Requests()) }}
		s.Ticket.Severity, s.Ticket.Labels = incident.P1, []string{"checkout"}
		return s
	})
}
