package sqlstore_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
)

// Whoever follows the cursor hears of every write once, of the last one of each incident,
// in order; and of nothing when nothing was written.
func TestChanges(t *testing.T) {
	s, _ := open(t)
	var cursor sqlstore.Cursor
	versions := map[string]int64{}
	write := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			tenant, name := id[:1], id[1:]
			err := s.Commit(t.Context(), sqlstore.Change{Tenant: tenant, Incidents: []sqlstore.Incident{{ID: name, Version: versions[id], State: raw(`{}`)}}})
			if err != nil {
				t.Fatal(err)
			}
			versions[id]++
		}
	}
	hear := func(want ...string) {
		t.Helper()
		var got []string
		list, next, err := s.Changes(t.Context(), cursor)
		for _, c := range list {
			got = append(got, c.Tenant+c.ID)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Changes(%d) = %v, %v, want %v", cursor, got, err, want)
		}
		cursor = next
	}
	hear()
	write("a1", "b1", "a2")
	hear("a1", "b1", "a2")
	hear()
	write("a1", "b2", "a1", "b1")
	hear("b2", "a1", "b1")
	hear()
	var many []sqlstore.Incident
	for n := range 3 { // by one statement
		many = append(many, sqlstore.Incident{ID: fmt.Sprint("m", n), State: raw(`{}`), Entries: []json.RawMessage{raw(`{}`)}})
	}
	if err := s.Commit(t.Context(), sqlstore.Change{Tenant: "c", Incidents: many}); err != nil {
		t.Fatal(err)
	}
	hear("cm0", "cm1", "cm2")
	for n := range many {
		many[n].Version = 1
	}
	if err := s.Commit(t.Context(), sqlstore.Change{Tenant: "c", Incidents: many[1:]}); err != nil {
		t.Fatal(err)
	}
	hear("cm1", "cm2")
	cursor = 0
	hear("a2", "b2", "a1", "b1", "cm0", "cm1", "cm2")
}
