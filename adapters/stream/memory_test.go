package stream_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/streamtest"
)

func TestMemory(t *testing.T) {
	streamtest.Test(t, func(*testing.T) streamtest.Store {
		return streamtest.Store{Store: stream.NewMemory(), TTL: 200 * time.Millisecond}
	})
}
