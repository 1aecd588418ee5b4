package stream_test

import (
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/stream"
	"github.com/evenkeelops/evenkeel/adapters/stream/streamtest"
	"github.com/evenkeelops/evenkeel/correlation"
)

func TestMemory(t *testing.T) {
	streamtest.Test(t, func(*testing.T) streamtest.Store {
		return streamtest.Store{Store: stream.NewMemory(), TTL: 200 * time.Millisecond}
	})
}

func TestMemoryOutbox(t *testing.T) {
	streamtest.TestOutbox(t, func(*testing.T) stream.Outbox { return stream.NewMemoryOutbox() })
}

// A place before the first is the beginning, in the outbox as in the log.
func TestMemoryBeforeTheFirst(t *testing.T) {
	box, ctx := stream.NewMemoryOutbox(), t.Context()
	if err := box.Put(ctx, []stream.Notification{{Key: "a", Transition: correlation.Transition{Kind: correlation.Notify}}}); err != nil {
		t.Fatal(err)
	}
	entries, err := box.Read(ctx, -1)
	if err != nil || len(entries) != 1 || entries[0].Place != 1 || entries[0].Key != "a" {
		t.Errorf("Read(-1) = %v, %v, want a at place 1", entries, err)
	}
}
