package adaptertest_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

func TestLedgerInMemory(t *testing.T) {
	adaptertest.Ledger(t, func(*testing.T) func() adapters.Ledger {
		m := &adapters.MemoryLedger{}
		return func() adapters.Ledger { return m }
	})
}

func TestSeenInMemory(t *testing.T) {
	adaptertest.Seen(t, func(*testing.T) func() ingest.Seen {
		w := ingest.NewWindow(20)
		return func() ingest.Seen { return w }
	})
}
