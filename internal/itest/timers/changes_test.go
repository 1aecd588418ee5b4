package timers

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
)

// A transaction that began sooner and ends later is not missed by a reader who came in
// between, on PostgreSQL, where writers do not wait for each other.
func TestChangesOfOverlappingWriters(t *testing.T) {
	db := connect(t, "postgres", systems()[1].make(t))
	s, err := sqlstore.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func(id string, version int64) {
		t.Helper()
		if err := s.Commit(t.Context(), sqlstore.Change{Tenant: "acme", Incidents: []sqlstore.Incident{{ID: id, Version: version, State: json.RawMessage(`{}`)}}}); err != nil {
			t.Fatal(err)
		}
	}
	var cursor sqlstore.Cursor
	hear := func() (ids []string) {
		t.Helper()
		list, next, err := s.Changes(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		cursor = next
		return ids
	}
	// Whatever else is under way in the cluster may have some listed again.
	listed := func(want ...string) {
		t.Helper()
		got := hear()
		for _, id := range want {
			if !slices.Contains(got, id) {
				t.Fatalf("Changes = %v, want %v among them", got, want)
			}
		}
	}
	write("slow", 0)
	write("quick", 0)
	listed("slow", "quick")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `UPDATE incident SET version = version + 1, changed = txid_current() WHERE id = 'slow'`); err != nil {
		t.Fatal(err)
	}
	write("quick", 1)
	listed("quick")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	listed("slow")
}
