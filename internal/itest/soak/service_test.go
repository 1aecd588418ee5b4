package soak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla"
)

// take is the webhook: what arrives in a slot is written to the log, a batch for every instant, and at the end of the slot
// every partition that may wait for something hears of the time.
func (n *node) take(ctx context.Context, slot int) error {
	parts := map[int][]stream.Batch{}
	for _, a := range n.world.slot(slot) {
		for _, s := range a.signals {
			e := correlation.Event{
				Tenant: tenantName(s.tenant), Alert: s.name, Status: correlation.Firing, Time: instant(s.at), Severity: s.signal.severity,
				Labels: map[string]string{"service": serviceName(s.service)},
			}
			if s.part != "" {
				e.Labels["pod"] = s.part
			}
			if !s.firing {
				e.Status = correlation.Resolved
			}
			p := stream.Partition(e.Tenant)
			if all := parts[p]; len(all) == 0 || !all[len(all)-1].At.Equal(e.Time) {
				parts[p] = append(all, stream.Batch{ID: fmt.Sprintf("at%d", a.at), At: e.Time})
			}
			last := &parts[p][len(parts[p])-1]
			last.Events = append(last.Events, e)
		}
	}
	ends := make([]string, stream.Partitions)
	failed := make(chan error, len(parts))
	for p, batches := range parts {
		go func() {
			offset, err := n.log.Append(ctx, p, append(batches, stream.Batch{ID: fmt.Sprintf("slot%d", slot), At: instant((slot + 1) * hour)})...)
			ends[p] = fmt.Sprintf("%d:%d", p, offset)
			failed <- err
		}()
	}
	var problems []error
	for range parts {
		problems = append(problems, <-failed)
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	n.say("taken %d %s", slot, strings.Join(ends, " "))
	return nil
}

// idOf is the incident of a notification.
func idOf(x stream.Notification) string {
	labels := x.Alert.LabelSet()
	return incidentID(x.Alert.Name, labels["service"], labels["pod"], x.Alert.Since)
}

// hear makes of notifications what follows from them: escalations, incidents, and messages to stakeholders.
func (n *node) hear(ctx context.Context, all []stream.Notification) error {
	n.beat()
	heard := map[string][]stream.Notification{}
	threads := map[string]*comms.Thread{} // by tenant and incident
	for _, x := range all {
		tenant, id := x.Alert.Tenant, idOf(x)
		heard[tenant] = append(heard[tenant], x)
		event := escalation.Event{
			Kind: escalation.Opened, At: x.At, Incident: id, Severity: x.Alert.Severity, Domain: "any", Service: x.Alert.LabelSet()["service"],
		}
		if x.Kind == correlation.Resolve {
			event = escalation.Event{Kind: escalation.Resolved, At: x.At, Incident: id}
		}
		if err := n.escalate(ctx, tenant, event); err != nil {
			return err
		}
		if threads[tenant+id] == nil {
			var err error
			if threads[tenant+id], err = n.thread(ctx, tenant, id); err != nil {
				return err
			}
		}
	}
	n.beat()
	err := n.store.Do(ctx, func(tx *sqlstore.Tx) error {
		for _, tenant := range slices.Sorted(maps.Keys(heard)) {
			incidents, err := sqlstore.NewIncidents(n.store, tenant, incidentPrefix, incident.Options{})
			if err != nil {
				return err
			}
			if err := n.record(ctx, tx, incidents, heard[tenant], threads); err != nil {
				return err
			}
		}
		return nil
	})
	n.beat()
	return err
}

// escalate applies an event of an incident; what is heard again changes nothing.
func (n *node) escalate(ctx context.Context, tenant string, event escalation.Event) error {
	e, err := n.escalator(tenant)
	if err == nil {
		_, err = e.Apply(ctx, event)
	}
	if _, heard := errors.AsType[*escalation.EventError](err); heard {
		return nil
	}
	return err
}

// thread is the conversation about an incident as it is stored.
func (n *node) thread(ctx context.Context, tenant, id string) (*comms.Thread, error) {
	data, _, err := n.store.Snapshot(ctx, tenant, "comms/"+id)
	if errors.Is(err, sqlstore.ErrNotFound) {
		return n.plan.Open(tenant, id), nil
	}
	var s comms.Snapshot
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return nil, err
	}
	return n.plan.Restore(s)
}

// record writes notifications of a tenant as events of incidents, with the messages that follow.
func (n *node) record(ctx context.Context, tx *sqlstore.Tx, incidents *sqlstore.Incidents, heard []stream.Notification, threads map[string]*comms.Thread) error {
	ids := make([]string, len(heard))
	for i, x := range heard {
		ids[i] = idOf(x)
	}
	return incidents.ChangeAllIn(ctx, tx, ids, func(i int, inc *incident.Incident, c *sqlstore.Change) error {
		x := heard[i]
		e := incident.Event{Key: x.Key, Kind: incident.Declare, At: x.At, RecordedAt: n.now(), Actor: "bridge"}
		if x.Kind == correlation.Resolve {
			e.Kind, e.Details = incident.Resolve, incident.Details{Text: "the alert is over"}
		} else {
			service := x.Alert.LabelSet()["service"]
			e.Details = incident.Details{
				Title: x.Alert.Name + " of " + service, Services: []string{service}, Severity: x.Alert.Severity, Started: x.Alert.Since, DetectedBy: incident.ByMonitor,
			}
		}
		if _, err := inc.Apply(e); err != nil {
			return err
		}
		thread := threads[x.Alert.Tenant+ids[i]]
		if err := thread.Apply(inc.State(), x.At); err != nil {
			return err
		}
		for _, m := range thread.Step(x.At) {
			payload, err := json.Marshal(m)
			if err != nil {
				return err
			}
			c.Outbox = append(c.Outbox, escalation.Task{Key: m.Key, Kind: "comms", Due: x.At, Payload: payload})
		}
		state, err := json.Marshal(thread.Snapshot())
		if err != nil {
			return err
		}
		if c.Snapshots == nil {
			c.Snapshots = map[string][]byte{}
		}
		c.Snapshots["comms/"+ids[i]], c.At = state, x.At
		return nil
	})
}

// escalator is that of a tenant, which has people of its own.
func (n *node) escalator(tenant string) (*sqlstore.Escalator, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e := n.escalators[tenant]; e != nil {
		return e, nil
	}
	var number int
	if _, err := fmt.Sscanf(tenant, "tenant%d", &number); err != nil {
		return nil, err
	}
	matrix := escalation.Matrix{}
	for severity, minutes := range ladder {
		var p escalation.Policy
		for step, m := range minutes {
			p.Steps = append(p.Steps, escalation.Step{Minutes: m, Targets: []escalation.Target{{Engineer: personOf(number, step)}}, StopOn: escalation.Acknowledged})
		}
		matrix[severity] = p
	}
	e, err := sqlstore.NewEscalator(n.store, escalation.Config{Tenant: tenant, Router: n.router, Matrix: matrix}, "escalation/")
	if err == nil {
		n.escalators[tenant] = e
	}
	return e, err
}

// fire handles timers that are due.
func (n *node) fire(ctx context.Context, leases []escalation.Lease) []error {
	n.beat()
	errs := n.store.Fire(ctx, leases, func(ctx context.Context, tx *sqlstore.Tx, l escalation.Lease) error {
		e, err := n.escalator(l.Tenant)
		if err != nil {
			return err
		}
		return e.Fire(ctx, tx, l)
	})
	n.beat()
	return errs
}

// send tells somebody. Whoever is asked to take an incident for the second time may do so.
func (n *node) send(ctx context.Context, l escalation.Lease) error {
	n.beat()
	n.say("told %s", l.Key)
	n.beat()
	if l.Kind != escalation.Page.String() {
		return nil
	}
	var a escalation.Action
	if err := json.Unmarshal(l.Payload, &a); err != nil {
		return err
	}
	if a.Level != 2 || !takes(l.Tenant, a.Incident) {
		return nil
	}
	return n.escalate(ctx, l.Tenant, escalation.Event{Kind: escalation.Acknowledged, At: l.At, Incident: a.Incident, By: a.Target})
}

// close draws up the statement of the month for a tenant, out of its incidents.
func (n *node) close(ctx context.Context, tenant int) error {
	n.beat()
	name := tenantName(tenant)
	ids, err := n.store.Incidents(ctx, name)
	if err != nil {
		return err
	}
	incidents, err := sqlstore.NewIncidents(n.store, name, incidentPrefix, incident.Options{})
	if err != nil {
		return err
	}
	agreement, err := sla.Compile(contract(tenant))
	if err != nil {
		return err
	}
	period := agreement.PeriodAt(begin)
	evidence := sla.Evidence{Observed: period.Interval}
	for _, id := range ids {
		id, own := strings.CutPrefix(id, incidentPrefix)
		if !own {
			continue
		}
		s, err := incidents.State(ctx, id)
		if err != nil {
			return err
		}
		if !s.Severity.AtLeast(incident.P2) {
			continue
		}
		evidence.Incidents = append(evidence.Incidents, sla.Incident{ID: id, Service: s.Services[0], Severity: s.Severity, Opened: s.Times.Created, Resolved: s.Times.Resolved})
		for _, down := range s.Impact {
			evidence.Outages = append(evidence.Outages, sla.Outage{Ref: id, Service: s.Services[0], Start: down.Start, End: down.End})
		}
	}
	statement, err := agreement.Evaluate(period, evidence)
	if err != nil {
		return err
	}
	text, err := json.Marshal(statement)
	if err != nil {
		return err
	}
	return n.store.Commit(ctx, sqlstore.Change{Tenant: name, Snapshots: map[string][]byte{"statement/2026-11": text}, At: period.End})
}
