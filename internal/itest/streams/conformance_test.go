package streams

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/streamtest"
)

// TestConformance runs the suites on every store.
func TestConformance(t *testing.T) {
	for name, place := range systems {
		t.Run(name, func(t *testing.T) {
			streamtest.Test(t, func(t *testing.T) streamtest.Store {
				t.Helper()
				s := streamtest.Store{Store: place(t).mustOpen(t), TTL: 2 * time.Second}
				if name == "jetstream" {
					s.Late = 3 * time.Second
				}
				return s
			})
			streamtest.TestOutbox(t, func(t *testing.T) stream.Outbox {
				t.Helper()
				return place(t).mustOpen(t).outbox
			})
		})
	}
}
