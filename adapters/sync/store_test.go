package sync_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/sync"
	"github.com/evenkeelops/evenkeel/adapters/sync/synctest"
)

func TestMemory(t *testing.T) {
	synctest.Test(t, func(*testing.T) sync.Store { return &sync.Memory{} })
}
