package page_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func TestCondition(t *testing.T) {
	now := time.Date(2026, 10, 28, 9, 30, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	seen := calendar.Interval{Start: ago(10000)}
	open := func(s incident.Severity, at time.Time) page.Incident {
		return page.Incident{Incident: sla.Incident{ID: "I", Service: "api", Severity: s, Opened: at}}
	}
	work := sla.Maintenance{Ref: "M", Service: "api", Start: ago(20), End: now.Add(time.Hour)}
	for _, c := range []struct {
		name      string
		evidence  sla.Evidence
		incidents []page.Incident
		want      report.State
		since     time.Time
	}{
		{name: "nothing is known", want: report.NoData},
		{"well", sla.Evidence{Observed: seen}, nil, report.Good, time.Time{}},
		{"well since the last downtime", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Service: "api", Start: ago(90), End: ago(60)}, {Service: "api", Start: ago(50), End: ago(40), Degraded: true}}}, nil, report.Good, ago(60)},
		{"down", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Ref: "O", Service: "api", Start: ago(5)}}}, nil, report.Bad, ago(5)},
		{"an outage ends with the instant", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Service: "api", Start: ago(5), End: now}}}, nil, report.Good, now},
		{"of another service", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Service: "web", Start: ago(5)}}}, nil, report.Good, time.Time{}},
		{"of all services", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Start: ago(5)}}}, nil, report.Bad, ago(5)},
		{"slow", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Service: "api", Start: ago(5), Degraded: true}}}, nil, report.Warning, ago(5)},
		{"slow, then down", sla.Evidence{Observed: seen, Outages: []sla.Outage{{Service: "api", Start: ago(9), Degraded: true}, {Service: "api", Start: ago(5)}}}, nil, report.Bad, ago(5)},
		{"P1", sla.Evidence{Observed: seen}, []page.Incident{open(incident.P1, ago(3))}, report.Bad, ago(3)},
		{"P3", sla.Evidence{Observed: seen}, []page.Incident{open(incident.P3, ago(3))}, report.Warning, ago(3)},
		{"P4 is cosmetic", sla.Evidence{Observed: seen}, []page.Incident{open(incident.P4, ago(3))}, report.Good, time.Time{}},
		{"not opened yet", sla.Evidence{Observed: seen}, []page.Incident{open(incident.P1, now.Add(time.Minute))}, report.Good, time.Time{}},
		{"resolved later", sla.Evidence{Observed: seen}, []page.Incident{{Incident: sla.Incident{ID: "I", Service: "api", Severity: incident.P1, Opened: ago(3), Resolved: now.Add(time.Minute)}}}, report.Bad, ago(3)},
		{"planned work", sla.Evidence{Observed: seen, Maintenance: []sla.Maintenance{work}, Outages: []sla.Outage{{Service: "api", Start: ago(10)}}}, nil, report.Maintenance, ago(20)},
		{"down before the work", sla.Evidence{Observed: seen, Maintenance: []sla.Maintenance{work}, Outages: []sla.Outage{{Service: "api", Start: ago(30)}}}, nil, report.Bad, ago(30)},
		{"nobody looks", sla.Evidence{Observed: seen, Gaps: []sla.Gap{{Service: "api", Start: ago(7)}}}, nil, report.NoData, ago(7)},
		{"old evidence", sla.Evidence{Observed: calendar.Interval{Start: ago(900), End: ago(60)}}, nil, report.NoData, ago(60)},
		{"evidence up to now", sla.Evidence{Observed: calendar.Interval{Start: ago(900), End: now}}, nil, report.Good, time.Time{}},
		{"nobody looks, and an incident is open", sla.Evidence{}, []page.Incident{open(incident.P1, ago(3))}, report.Bad, ago(3)},
	} {
		tenant := &page.Tenant{At: now, Services: []page.Service{{ID: "api"}}, Evidence: c.evidence, Incidents: c.incidents}
		got := tenant.Conditions()[0]
		if got.State != c.want || !got.Since.Equal(c.since) {
			t.Errorf("%s: %q since %v, want %q since %v", c.name, got.State, got.Since, c.want, c.since)
		}
		if all := tenant.Overall(); all.State != got.State || !all.Since.Equal(got.Since) {
			t.Errorf("%s: overall %q since %v, want that of the only service", c.name, all.State, all.Since)
		}
	}
	if got := (&page.Tenant{At: now}).Overall(); got.State != report.NoData {
		t.Errorf("without a service: %q, want no data", got.State)
	}
}
