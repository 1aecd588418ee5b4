package sqlstore_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// BenchmarkResume resumes runs out of a file that a dead process has left, each in the
// middle of its first action.
func BenchmarkResume(b *testing.B) {
	for _, count := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("runs=%d", count), func(b *testing.B) { benchmarkResume(b, count) })
	}
}

func benchmarkResume(b *testing.B, count int) {
	b.Helper()
	config := sqlstore.PlayerConfig{Playbooks: playbook.Config{Tenant: "acme", Book: playbook.DefaultBook()}}
	for i := range count {
		config.Playbooks.Services = append(config.Playbooks.Services, playbook.Service{ID: fmt.Sprintf("api-%05d", i), Type: "compute", Zone: "Europe/Amsterdam"})
	}
	newPlayer := func(db *sql.DB) (*sqlstore.Store, *sqlstore.Player) {
		store, err := sqlstore.Open(b.Context(), db, nil)
		if err != nil {
			b.Fatal(err)
		}
		player, err := sqlstore.NewPlayer(store, config)
		if err != nil {
			b.Fatal(err)
		}
		return store, player
	}
	dead := filepath.Join(b.TempDir(), "dead.db")
	db := databaseAt(b, dead)
	store, player := newPlayer(db)
	err := store.Do(b.Context(), func(tx *sqlstore.Tx) error {
		for _, s := range config.Playbooks.Services {
			events := []playbook.Event{{Kind: playbook.Start, At: time.Now(), Service: s.ID, Playbook: "high_cpu_utilization", By: "ann"}}
			for fact, v := range favourable(time.Now()) {
				events = append(events, playbook.Event{Kind: playbook.Observe, At: time.Now(), Service: s.ID, Fact: fact, Value: v})
			}
			if _, err := player.ApplyIn(b.Context(), tx, events...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{`UPDATE playbook_attempt SET begun = decided`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	left, err := os.ReadFile(dead)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "x.db")
	for b.Loop() {
		b.StopTimer()
		for _, part := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(file + part); err != nil && !os.IsNotExist(err) {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(file, left, 0o600); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		db := databaseAt(b, file)
		_, player := newPlayer(db)
		if n, err := player.Resume(b.Context(), time.Now()); err != nil || n != count {
			b.Fatal(n, err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*count), "µs/run")
}
