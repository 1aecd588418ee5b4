package sqlstore_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/sync"
	"github.com/evenkeelops/evenkeel/adapters/sync/synctest"
)

func TestSyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) sync.Store {
		t.Helper()
		return reopened(t)().Syncs()
	})
}
