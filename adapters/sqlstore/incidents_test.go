package sqlstore_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/storetest"
)

func TestIncidents(t *testing.T) {
	storetest.Test(t, func(t *testing.T) storetest.Opener {
		t.Helper()
		file := filepath.Join(t.TempDir(), "x.db")
		return func(t *testing.T) storetest.Store {
			t.Helper()
			s, err := sqlstore.Open(t.Context(), databaseAt(t, file), nil)
			if err != nil {
				t.Fatal(err)
			}
			return incidents{s}
		}
	})
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
		c.Outbox = append(c.Outbox, escalation.Task{Key: m.Key, Kind: "mail", Due: at, Payload: raw(m.Payload)})
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

func openIncidents(t *testing.T) (*sqlstore.Store, *sqlstore.Incidents) {
	t.Helper()
	s, _ := open(t)
	all, err := sqlstore.NewIncidents(s, "acme", "", incident.Options{Salts: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return s, all
}

var declared = incident.Event{
	Key: "alert-17", Kind: incident.Declare, At: at, Actor: "monitor",
	Details: incident.Details{Severity: incident.P1, Title: "checkout is down"},
}

// Of a change that fails nothing is written but what the incident refused; a change
// that does nothing writes nothing.
func TestIncidentsChange(t *testing.T) {
	s, all := openIncidents(t)
	ctx := t.Context()
	changed, err := all.Change(ctx, "INC-1", func(i *incident.Incident, c *sqlstore.Change) error {
		c.Outbox = []escalation.Task{message("page", at)}
		_, err := i.Apply(declared)
		return err
	})
	if err != nil || changed.State().Status != incident.Open {
		t.Fatalf("Change = %+v, %v, want it open", changed, err)
	}
	refused := incident.Event{Key: "e", Kind: incident.Reopen, At: at.Add(time.Minute), Actor: "ann", Details: incident.Details{Text: "again"}}
	for range 2 { // the second time it is kept already
		_, err = all.Change(ctx, "INC-1", func(i *incident.Incident, c *sqlstore.Change) error {
			c.Outbox = []escalation.Task{message("lost", at)}
			if _, err := i.Apply(incident.Event{Key: "n", Kind: incident.Note, At: at, Actor: "ann", Details: incident.Details{Text: "x"}}); err != nil {
				t.Errorf("Apply: %v", err)
			}
			_, err := i.Apply(refused)
			return err
		})
		if _, illegal := errors.AsType[*incident.TransitionError](err); !illegal {
			t.Fatalf("Change = %v, want a TransitionError", err)
		}
	}
	i, version, err := all.Load(ctx, "INC-1")
	if err != nil || version != 2 || i.Timeline().Len() != 1 || len(i.Rejected()) != 1 || i.Rejected()[0].Event.Key != "e" {
		t.Errorf("Load = version %d, %d entries, refused %+v, %v, want version 2, one entry, e refused", version, i.Timeline().Len(), i.Rejected(), err)
	}
	if n, err := s.Outbox().Count(ctx, "acme"); err != nil || n.Pending != 1 {
		t.Errorf("Outbox = %+v, %v, want the page alone", n, err)
	}
	if _, err := all.Change(ctx, "INC-1", func(*incident.Incident, *sqlstore.Change) error { return nil }); err != nil {
		t.Errorf("Change that does nothing: %v", err)
	}
	if row, err := s.Incident(ctx, "acme", "INC-1"); err != nil || row.Version != 2 {
		t.Errorf("version %d, %v, want 2 still", row.Version, err)
	}
}

// Many incidents change in one transaction: one that comes again is as it has become,
// and after an error nothing is written but what an incident refused.
func TestIncidentsChangeAll(t *testing.T) {
	s, all := openIncidents(t)
	ctx := t.Context()
	note := func(key string) incident.Event {
		return incident.Event{Key: key, Kind: incident.Note, At: at.Add(time.Minute), Actor: "ann", Details: incident.Details{Text: key}}
	}
	change := func(ids []string, events ...incident.Event) error {
		return s.Do(ctx, func(tx *sqlstore.Tx) error {
			refused := all.ChangeAllIn(ctx, tx, ids, func(n int, i *incident.Incident, c *sqlstore.Change) error {
				c.Outbox = append(c.Outbox, message(fmt.Sprint(ids[n], "/", events[n].Key), at))
				_, err := i.Apply(events[n])
				return err
			})
			if _, illegal := errors.AsType[*incident.TransitionError](refused); illegal {
				return nil // what was refused is kept
			}
			return refused
		})
	}
	if err := change([]string{"B", "A", "B", "C"}, declared, declared, note("n1"), declared); err != nil {
		t.Fatal(err)
	}
	if err := change([]string{"C", "B", "D"}, note("n2"), note("n3"), declared); err != nil {
		t.Fatal(err)
	}
	reopen := incident.Event{Key: "e", Kind: incident.Reopen, At: at.Add(time.Minute), Actor: "ann", Details: incident.Details{Text: "again"}}
	if err := change([]string{"A", "E", "C", "B"}, note("lost"), declared, reopen, note("never")); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][3]int64{"A": {1, 1, 0}, "B": {2, 3, 0}, "C": {3, 2, 1}, "D": {1, 1, 0}, "E": {0, 0, 0}} {
		i, version, err := all.Load(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]int64{version, int64(i.Timeline().Len()), int64(len(i.Rejected()))}; got != want {
			t.Errorf("%s: version, entries and refused %v, want %v", id, got, want)
		}
	}
	if n, err := s.Outbox().Count(ctx, "acme"); err != nil || n.Pending != 7 {
		t.Errorf("Outbox = %+v, %v, want the seven messages of what was taken", n, err)
	}
	if err := change(nil); err != nil {
		t.Errorf("ChangeAllIn of none: %v", err)
	}
}

// Two people acknowledge an incident at once: one takes it, and the other is told that
// it is taken. Both are on record.
func TestTwoAcknowledge(t *testing.T) {
	_, all := openIncidents(t)
	for n := range 20 {
		id := fmt.Sprint("INC-", n)
		took := map[string]error{}
		var mu sync.Mutex
		var both sync.WaitGroup
		change := func(e incident.Event) error {
			_, err := all.Change(t.Context(), id, func(i *incident.Incident, _ *sqlstore.Change) error {
				_, err := i.Apply(e)
				return err
			})
			return err
		}
		if err := change(declared); err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"ann", "bob"} {
			both.Go(func() {
				err := change(incident.Event{Key: "ack/" + who, Kind: incident.Acknowledge, At: at.Add(time.Minute), Actor: who})
				mu.Lock()
				defer mu.Unlock()
				took[who] = err
			})
		}
		both.Wait()
		first, second := "ann", "bob"
		if took[first] != nil {
			first, second = second, first
		}
		var taken *incident.TransitionError
		if took[first] != nil || !errors.As(took[second], &taken) || taken.From != incident.Acknowledged {
			t.Fatalf("%s: ann %v, bob %v, want one of them to be told that it is acknowledged", id, took["ann"], took["bob"])
		}
		i, _, err := all.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got := i.State().Roles[incident.Responder]; !slices.Equal(got, []string{first}) || i.Timeline().Len() != 2 {
			t.Errorf("%s: taken by %q in %d entries, want %s alone in 2", id, got, i.Timeline().Len(), first)
		}
		if r := i.Rejected(); len(r) != 1 || r[0].Event.Actor != second {
			t.Errorf("%s: refused %+v, want the word of %s", id, r, second)
		}
	}
}

// What somebody changed in the database is found when it is read.
func TestIncidentsTampered(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		want      incident.Fault
	}{
		"an entry is edited":     {`UPDATE timeline SET data = replace(data, 'checkout', 'nothing') WHERE seq = 1`, incident.Edited},
		"the tail is cut off":    {`DELETE FROM timeline WHERE seq = 2`, incident.Removed},
		"the middle is missing":  {`DELETE FROM timeline WHERE seq = 1`, incident.Removed},
		"it is of another one":   {`UPDATE timeline SET incident = 'INC-2'; UPDATE incident SET id = 'INC-2'`, incident.Foreign},
		"all of it is cut off":   {`DELETE FROM timeline`, incident.Removed},
		"an entry stands twice":  {`INSERT INTO timeline SELECT tenant, incident, 3, data FROM timeline WHERE seq = 2`, incident.Foreign},
		"entries changed places": {`UPDATE timeline SET seq = seq + 9; UPDATE timeline SET seq = 12 - seq`, incident.Reordered},
	} {
		t.Run(name, func(t *testing.T) {
			db := database(t)
			s, err := sqlstore.Open(t.Context(), db, nil)
			if err != nil {
				t.Fatal(err)
			}
			all, err := sqlstore.NewIncidents(s, "acme", "", incident.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := all.Change(t.Context(), "INC-1", func(i *incident.Incident, _ *sqlstore.Change) error {
				_, err := i.Apply(declared)
				_, second := i.Apply(incident.Event{Key: "n", Kind: incident.Note, At: at, Actor: "ann", Details: incident.Details{Text: "x"}})
				return errors.Join(err, second)
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			ids, err := s.Incidents(t.Context(), "acme")
			if err != nil || len(ids) != 1 {
				t.Fatalf("Incidents = %v, %v, want one", ids, err)
			}
			var broken *incident.ChainError
			if _, _, err := all.Load(t.Context(), ids[0]); !errors.As(err, &broken) || broken.Fault != c.want {
				t.Errorf("Load: %v, want fault %q", err, c.want)
			}
		})
	}
}

func TestIncidentsRefuse(t *testing.T) {
	s, all := openIncidents(t)
	if _, err := sqlstore.NewIncidents(s, "", "", incident.Options{}); err == nil {
		t.Error("without a tenant: want an error")
	}
	if _, _, err := all.Load(t.Context(), ""); err == nil {
		t.Error("Load without an id: want an error")
	}
	other, err := incident.New("globex", "INC-1", incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Save(t.Context(), other, 0, sqlstore.Change{}); err == nil {
		t.Error("Save of an incident of another tenant: want an error")
	}
	if _, err := all.State(t.Context(), "INC-1"); !errors.Is(err, sqlstore.ErrNotFound) {
		t.Errorf("State: %v, want ErrNotFound", err)
	}
}

// An event that cannot be taken yet waits in the store, and is there after a restart.
func ExampleIncidents() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	store, err := sqlstore.Open(ctx, db, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	incidents, err := sqlstore.NewIncidents(store, "acme", "", incident.Options{Salts: rand.Reader})
	if err != nil {
		fmt.Println(err)
		return
	}
	apply := func(e incident.Event) error {
		_, err := incidents.Change(ctx, "INC-1", func(i *incident.Incident, c *sqlstore.Change) error {
			c.Outbox = []escalation.Task{{Key: "INC-1/" + e.Key, Kind: "mail", Due: e.At, Payload: json.RawMessage(`{"to":"lead"}`)}}
			_, err := i.Apply(e)
			return err
		})
		return err
	}
	resolve := incident.Event{Key: "fixed", Kind: incident.Resolve, At: at.Add(time.Hour), Actor: "ann", Details: incident.Details{Text: "failed over"}}
	fmt.Println(apply(resolve))
	fmt.Println(apply(declared))

	again, version, err := incidents.Load(ctx, "INC-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.State().Status, version, len(again.Rejected()), again.Timeline().Verify())
	// Output:
	// incident "INC-1": resolve (nothing reported -> resolved): missing a detection or declaration before it
	// <nil>
	// open 2 1 <nil>
}

// A change of an incident, and reading one of a hundred entries with its chain verified.
func BenchmarkIncidents(b *testing.B) {
	s, _ := open(b)
	all, err := sqlstore.NewIncidents(s, "acme", "", incident.Options{Salts: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	grow := func(id string, events int) {
		if _, err := all.Change(b.Context(), id, func(i *incident.Incident, _ *sqlstore.Change) error {
			for n := range events {
				e := declared
				if n > 0 {
					e = incident.Event{Key: fmt.Sprint("n", n), Kind: incident.Note, At: at, Actor: "ann", Details: incident.Details{Text: "looked at it"}}
				}
				if _, err := i.Apply(e); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("change", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			grow(fmt.Sprint("INC-", n), 1)
		}
	})
	b.Run("500 of one transaction", func(b *testing.B) {
		payload := json.RawMessage(`{"to":"` + strings.Repeat("x", 500) + `"}`)
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			ids := make([]string, 500)
			for i := range ids {
				ids[i] = fmt.Sprintf("ALERT-%d-%d", n, i)
			}
			if err := s.Do(b.Context(), func(tx *sqlstore.Tx) error {
				return all.ChangeAllIn(b.Context(), tx, ids, func(i int, inc *incident.Incident, c *sqlstore.Change) error {
					c.Outbox = append(c.Outbox, escalation.Task{Key: ids[i], Kind: "mail", Due: at, Payload: payload})
					_, err := inc.Apply(declared)
					return err
				})
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load of 100 entries", func(b *testing.B) {
		grow("long", 100)
		b.ReportAllocs()
		for b.Loop() {
			if i, _, err := all.Load(b.Context(), "long"); err != nil || i.Timeline().Len() != 100 {
				b.Fatal(err)
			}
		}
	})
}
