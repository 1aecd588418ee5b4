package timers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/storetest"
)

// TestIncidents runs the suite of incident stores.
func TestIncidents(t *testing.T) {
	for _, system := range systems() {
		t.Run(system.name, func(t *testing.T) {
			storetest.Test(t, func(t *testing.T) storetest.Opener {
				t.Helper()
				dsn := system.make(t)
				return func(t *testing.T) storetest.Store {
					t.Helper()
					return incidents{openStore(t, system.name, dsn, nil)}
				}
			})
		})
	}
}

// incidents is a store as the suite wants it.
type incidents struct{ *sqlstore.Store }

func (s incidents) of(tenant string) (*sqlstore.Incidents, error) {
	return sqlstore.NewIncidents(s.Store, tenant, "inc/", incident.Options{Salts: rand.Reader})
}

// Load reads an incident of a tenant.
func (s incidents) Load(ctx context.Context, tenant, id string) (*incident.Incident, int64, error) {
	all, err := s.of(tenant)
	if err != nil {
		return nil, 0, err
	}
	return all.Load(ctx, id)
}

// Save writes a step as one change.
func (s incidents) Save(ctx context.Context, step storetest.Step) error {
	tenant, _ := step.Incident.Timeline().Of()
	all, err := s.of(tenant)
	if err != nil {
		return err
	}
	c := sqlstore.Change{Snapshots: step.Snapshots, At: step.At}
	for _, m := range step.Messages {
		c.Outbox = append(c.Outbox, escalation.Task{Key: m.Key, Kind: "mail", Due: time.Unix(0, 0), Payload: json.RawMessage(m.Payload)})
	}
	return all.Save(ctx, step.Incident, step.Version, c)
}

// State reads the row of an incident.
func (s incidents) State(ctx context.Context, tenant, id string) (incident.State, error) {
	all, err := s.of(tenant)
	if err != nil {
		return incident.State{}, err
	}
	return all.State(ctx, id)
}

// Messages lists what is pending in the outbox.
func (s incidents) Messages(ctx context.Context, tenant string) (all []storetest.Message, err error) {
	tasks, err := s.Outbox().List(ctx, escalation.TaskFilter{Tenant: tenant, State: escalation.TaskPending})
	for _, task := range tasks {
		all = append(all, storetest.Message{Key: task.Key, Payload: string(task.Payload)})
	}
	return all, err
}

// Snapshot reads a snapshot.
func (s incidents) Snapshot(ctx context.Context, tenant, name string) ([]byte, bool, error) {
	data, _, err := s.Store.Snapshot(ctx, tenant, name)
	if errors.Is(err, sqlstore.ErrNotFound) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// TestIncidentRaces lets two processes declare the same incidents at once and go on with them. Each event is recorded once, with
// one message, and every timeline verifies.
func TestIncidentRaces(t *testing.T) {
	const n, each = 10, 5
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		dsn = quick(system, dsn)
		var nodes [2]*sqlstore.Incidents
		var stores [2]*sqlstore.Store
		for i := range nodes {
			stores[i] = openStore(t, system, dsn, nil)
			var err error
			if nodes[i], err = sqlstore.NewIncidents(stores[i], "acme", "", incident.Options{Salts: rand.Reader}); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
		together(t, func(node int) {
			for i := range n * each {
				// Both declare, with one key; then each has notes of its own.
				e := incident.Event{Key: fmt.Sprintf("note-%d-%d", node, i), Kind: incident.Note, At: at, Actor: "ann", Details: incident.Details{Text: "x"}}
				if i < n {
					e = incident.Event{Key: "alert", Kind: incident.Declare, At: at, Actor: "monitor", Details: incident.Details{Severity: incident.P1, Title: "down"}}
				}
				id := fmt.Sprint("INC-", i%n)
				if _, err := nodes[node].Change(t.Context(), id, func(inc *incident.Incident, c *sqlstore.Change) error {
					c.Outbox = []escalation.Task{{Key: id + "/" + e.Key, Kind: "mail", Due: at, Payload: json.RawMessage(`{}`)}}
					_, err := inc.Apply(e)
					return err
				}); err != nil {
					t.Errorf("Change of %s: %v", id, err)
				}
			}
		})
		for i := range n {
			inc, _, err := nodes[0].Load(t.Context(), fmt.Sprint("INC-", i))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := inc.Timeline().Len(), 1+2*(each-1); got != want {
				t.Errorf("INC-%d has %d entries, want %d", i, got, want)
			}
		}
		if o, err := stores[0].Outbox().Count(t.Context(), "acme"); err != nil || o.Pending != n*(1+2*(each-1)) {
			t.Errorf("Outbox = %+v, %v, want %d pending", o, err, n*(1+2*(each-1)))
		}
	})
}

// TestIncidentsTogether lets two processes change many incidents in one transaction each, the same ones in other orders: nobody
// waits for each other for ever, and each event is recorded once, with one message.
func TestIncidentsTogether(t *testing.T) {
	const n, rounds = 30, 5
	onBoth(t, func(t *testing.T, system, dsn string) {
		t.Helper()
		dsn = quick(system, dsn)
		var nodes [2]*sqlstore.Incidents
		var stores [2]*sqlstore.Store
		for i := range nodes {
			stores[i] = openStore(t, system, dsn, nil)
			var err error
			if nodes[i], err = sqlstore.NewIncidents(stores[i], "acme", "", incident.Options{Salts: rand.Reader}); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Date(2026, 11, 24, 17, 30, 0, 0, time.UTC)
		ctx := t.Context()
		together(t, func(node int) {
			ids := make([]string, n)
			for i := range ids {
				if ids[i] = fmt.Sprint("INC-", i); node == 1 {
					ids[i] = fmt.Sprint("INC-", n-1-i)
				}
			}
			for round := range rounds {
				// Both declare, with one key; then each has notes of its own.
				e := incident.Event{Key: fmt.Sprintf("note-%d-%d", node, round), Kind: incident.Note, At: at, Actor: "ann", Details: incident.Details{Text: "x"}}
				if round == 0 {
					e = incident.Event{Key: "alert", Kind: incident.Declare, At: at, Actor: "monitor", Details: incident.Details{Severity: incident.P1, Title: "down"}}
				}
				var err error
				for range 10 { // the other was first to write a new one
					err = stores[node].Do(ctx, func(tx *sqlstore.Tx) error {
						return nodes[node].ChangeAllIn(ctx, tx, ids, func(k int, inc *incident.Incident, c *sqlstore.Change) error {
							c.Outbox = append(c.Outbox, escalation.Task{Key: ids[k] + "/" + e.Key, Kind: "mail", Due: at, Payload: json.RawMessage(`{}`)})
							_, err := inc.Apply(e)
							return err
						})
					})
					if !errors.Is(err, sqlstore.ErrConflict) {
						break
					}
				}
				if err != nil {
					t.Errorf("node %d, round %d: %v", node, round, err)
				}
			}
		})
		for i := range n {
			inc, _, err := nodes[0].Load(ctx, fmt.Sprint("INC-", i))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := inc.Timeline().Len(), 1+2*(rounds-1); got != want {
				t.Errorf("INC-%d has %d entries, want %d", i, got, want)
			}
		}
		if o, err := stores[0].Outbox().Count(ctx, "acme"); err != nil || o.Pending != n*(1+2*(rounds-1)) {
			t.Errorf("Outbox = %+v, %v, want %d pending", o, err, n*(1+2*(rounds-1)))
		}
	})
}
