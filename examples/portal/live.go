package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/examples/internal/database"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
)

// bridged begins the rows of incidents in the store of a bridge.
const bridged = "incident/"

// live is the store of a bridge, of which open incidents are shown and into which those
// with a write token put theirs.
type live struct {
	db    *sql.DB
	store *sqlstore.Store
	seen  sqlstore.Cursor // of changes; of the watch alone
}

func openLive(ctx context.Context, file string) (*live, error) {
	db, store, err := openStore(ctx, file)
	return &live{db: db, store: store}, err
}

// changed names the customers of whom an incident was written since the last call.
func (l *live) changed(ctx context.Context) (map[string]bool, error) {
	list, next, err := l.store.Changes(ctx, l.seen)
	if err != nil {
		return nil, err
	}
	l.seen = next
	tenants := map[string]bool{}
	for _, c := range list {
		if strings.HasPrefix(c.ID, bridged) {
			tenants[c.Tenant] = true
		}
	}
	return tenants, nil
}

// openStore opens a store, which is made where there is none.
func openStore(ctx context.Context, name string) (*sql.DB, *sqlstore.Store, error) {
	db, err := database.Open(name)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, store, nil
}

func (l *live) close() { l.db.Close() }

func (l *live) of(tenant string) (*sqlstore.Incidents, error) {
	return sqlstore.NewIncidents(l.store, tenant, bridged, incident.Options{})
}

// incidents returns those of a customer.
func (l *live) incidents(ctx context.Context, t *page.Tenant) ([]page.Incident, error) {
	ids, err := l.store.Incidents(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	from, err := l.of(t.ID)
	if err != nil {
		return nil, err
	}
	var list []page.Incident
	for _, id := range ids {
		id, ok := strings.CutPrefix(id, bridged)
		if !ok {
			continue
		}
		s, err := from.State(ctx, id)
		if errors.Is(err, sqlstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !s.Times.Created.IsZero() && s.Severity.IsSet() {
			list = append(list, shown(s))
		}
	}
	return list, nil
}

// shown is an incident of the store as the pages have it.
func shown(s incident.State) page.Incident {
	in := page.Incident{Domain: s.Domain, Stage: string(s.Stage()), NextUpdate: s.NextUpdate(), Incident: sla.Incident{
		ID: s.ID, Severity: s.Severity, Title: s.Title, Started: s.Times.Started, Detected: s.Times.Detected, Opened: s.Times.Created,
		Acknowledged: s.Times.Acknowledged, Responded: s.Times.Acknowledged, Resolved: s.Times.Resolved, Closed: s.Gaps, Action: s.Resolution,
	}}
	if len(s.Services) == 1 {
		in.Service = s.Services[0]
	}
	if s.Status == incident.Cancelled || s.Status == incident.Merged {
		in.Cancelled = s.Times.Closed
	}
	for _, u := range s.Updates {
		in.Updates = append(in.Updates, page.Update{At: u.At, Text: u.Text, Stage: string(u.Stage), Next: u.Next})
		in.Incident.Updates = append(in.Incident.Updates, u.At)
	}
	return in
}

// Open declares an incident for a customer, once for its key.
func (l *live) Open(ctx context.Context, tenant, key string, in portal.NewIncident) (string, error) {
	step := cmp.Or(key, in.At.UTC().Format(time.RFC3339Nano)+in.Title)
	id := "portal-" + adapters.Key{Tenant: tenant, Step: step}.String()[:16]
	err := l.change(ctx, tenant, id, func(i *incident.Incident) error {
		details := incident.Details{Title: in.Title, Severity: in.Severity}
		if in.Service != "" {
			details.Services = []string{in.Service}
		}
		events := []incident.Event{{Key: step, Kind: incident.Declare, At: in.At, Actor: "portal", Details: details}}
		if in.Text != "" {
			events = append(events, incident.Event{Key: step + "/text", Kind: incident.PostUpdate, At: in.At, Actor: "portal", Details: incident.Details{Text: in.Text}})
		}
		return apply(i, events...)
	})
	return id, err
}

// Update posts news of an incident of a customer.
func (l *live) Update(ctx context.Context, tenant, key, id string, u portal.NewUpdate) error {
	step := cmp.Or(key, u.At.UTC().Format(time.RFC3339Nano))
	return l.change(ctx, tenant, id, func(i *incident.Incident) error {
		state := i.State()
		if state.Status == "" {
			return portal.ErrNoIncident
		}
		details := incident.Details{Text: u.Text, NextUpdate: u.NextUpdate}
		if u.State != "resolved" {
			details.Stage = incident.Stage(u.State)
		}
		events := []incident.Event{{Key: step, Kind: incident.PostUpdate, At: u.At, Actor: "portal", Details: details}}
		if u.State == "resolved" && state.Status.Active() {
			events = append(events, incident.Event{Key: step + "/resolved", Kind: incident.Resolve, At: u.At, Actor: "portal", Details: incident.Details{Text: u.Text}})
		}
		return apply(i, events...)
	})
}

func (l *live) change(ctx context.Context, tenant, id string, do func(*incident.Incident) error) error {
	from, err := l.of(tenant)
	if err != nil {
		return err
	}
	_, err = from.Change(ctx, id, func(i *incident.Incident, _ *sqlstore.Change) error { return do(i) })
	return err
}

func apply(i *incident.Incident, events ...incident.Event) error {
	for _, e := range events {
		if _, err := i.Apply(e); err != nil {
			return err
		}
	}
	return nil
}

var _ portal.Desk = (*live)(nil)
