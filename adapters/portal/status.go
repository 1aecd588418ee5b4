package portal

import (
	"cmp"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
)

// State is how a service does, as a word of the API.
type State string

// The states.
const (
	Operational State = "operational"
	Maintained  State = "maintenance"
	Degraded    State = "degraded"
	Out         State = "outage"
	NoData      State = "no_data"
)

// statusData is the payload of status/v1.
type statusData struct {
	Tenant      string          `json:"tenant"`
	State       State           `json:"state"`
	Since       *time.Time      `json:"since"`
	Services    []serviceStatus `json:"services"`  // in the order of the contract
	Incidents   []openIncident  `json:"incidents"` // that are open, as on the page
	NextUpdate  *time.Time      `json:"next_update_due"`
	GeneratedAt time.Time       `json:"generated_at"`
}

type serviceStatus struct {
	Service   string     `json:"service"`
	Name      string     `json:"name"`
	State     State      `json:"state"`
	Since     *time.Time `json:"since"`
	Incidents []string   `json:"incidents"` // that are open
}

type openIncident struct {
	ID         string     `json:"id"`
	Severity   string     `json:"severity"`
	Service    *string    `json:"service"`
	Title      string     `json:"title"`
	Opened     time.Time  `json:"opened"`
	Stage      *string    `json:"stage"`
	LastUpdate *time.Time `json:"last_update"`
	NextUpdate *time.Time `json:"next_update_due"`
}

// status returns the state of a customer's services, as the pages show it. It names no
// incident where their page is disabled.
func status(t *page.Tenant, disabled []page.Name) statusData {
	overall := t.Overall()
	d := statusData{
		Tenant: t.ID, State: stateOf(overall.State), Since: instant(overall.Since), Services: []serviceStatus{}, Incidents: []openIncident{}, GeneratedAt: t.At.UTC(),
	}
	var open []page.Incident
	for _, in := range t.Incidents {
		if in.OpenAt(t.At) && (page.Options{Without: disabled}).Has(page.Incidents) {
			open = append(open, in)
		}
	}
	for i, c := range t.Conditions() {
		one := serviceStatus{Incidents: []string{}, Service: c.Service, Name: cmp.Or(t.Services[i].Name, c.Service), State: stateOf(c.State), Since: instant(c.Since)}
		for _, in := range open {
			if in.Service == c.Service || in.Service == "" || in.Service == "*" {
				one.Incidents = append(one.Incidents, in.ID)
			}
		}
		d.Services = append(d.Services, one)
	}
	for _, in := range open {
		d.Incidents = append(d.Incidents, openIncident{
			ID: in.ID, Severity: in.CurrentSeverity().String(), Service: text(in.Service), Title: in.Title, Opened: in.Opened.UTC(),
			Stage: text(in.Stage), LastUpdate: instant(lastUpdate(in)), NextUpdate: instant(in.NextUpdate),
		})
		if next := instant(in.NextUpdate); next != nil && (d.NextUpdate == nil || next.Before(*d.NextUpdate)) {
			d.NextUpdate = next
		}
	}
	return d
}

// StateOf returns how the services of a customer do together.
func StateOf(t *page.Tenant) State { return stateOf(t.Overall().State) }

// stateOf is the word of the API for a state of the pages.
func stateOf(s report.State) State {
	switch s {
	case report.Good:
		return Operational
	case report.Maintenance:
		return Maintained
	case report.Warning:
		return Degraded
	case report.Bad:
		return Out
	default:
		return NoData
	}
}

// lastUpdate is the instant of the latest message to the customer, zero for none.
func lastUpdate(in page.Incident) time.Time {
	u, _ := in.LastUpdate()
	return u.At
}

// instant is an instant as JSON has it: in UTC, null for none.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// text is a text as JSON has it: null for none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
