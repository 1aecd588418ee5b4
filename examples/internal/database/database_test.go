package database_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/examples/internal/database"
)

func TestOpen(t *testing.T) {
	db, err := database.Open(filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		var got string
		if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", pragma, got, err, want)
		}
	}
}

func TestOnServer(t *testing.T) {
	for name, want := range map[string]bool{"postgres://u@h/d": true, "postgresql:///d": true, "postgres": false, "a.db": false, "": false} {
		if got := database.OnServer(name); got != want {
			t.Errorf("OnServer(%q) = %v, want %v", name, got, want)
		}
	}
}

// What is no URL is refused without what it holds.
func TestOpenShowsNoPassword(t *testing.T) {
	if _, err := database.Open("postgres://u:canary@h:port/d"); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("Open = %v, want an error without the password", err)
	}
}
