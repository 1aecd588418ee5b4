package timers

import (
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/sync"
	"github.com/evenkeelops/evenkeel/adapters/sync/synctest"
)

// TestLedgers runs the suites of what adapters remember.
func TestLedgers(t *testing.T) {
	for _, system := range systems() {
		t.Run(system.name+"/ledger", func(t *testing.T) {
			adaptertest.Ledger(t, func(t *testing.T) func() adapters.Ledger {
				t.Helper()
				dsn := system.make(t)
				return func() adapters.Ledger { return openStore(t, system.name, dsn, nil).Ledger() }
			})
		})
		t.Run(system.name+"/seen", func(t *testing.T) {
			adaptertest.Seen(t, func(t *testing.T) func() ingest.Seen {
				t.Helper()
				dsn := system.make(t)
				return func() ingest.Seen { return openStore(t, system.name, dsn, nil).Seen("pagerduty") }
			})
		})
		t.Run(system.name+"/sync", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) sync.Store {
				t.Helper()
				return openStore(t, system.name, system.make(t), nil).Syncs()
			})
		})
	}
}
