package soak

import (
	"context"
	"sync"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// tap tells which records of the log have been dealt with. Whoever asks for what comes after one has dealt with it, if it
// has begun to own the partition before.
type tap struct {
	stream.Store
	say func(format string, args ...any)

	mu          sync.Mutex // guards all below
	begun, told map[int]int64
}

// Append notes where an owner begins.
func (t *tap) Append(ctx context.Context, partition int, batches ...stream.Batch) (int64, error) {
	offset, err := t.Store.Append(ctx, partition, batches...)
	if err == nil && batches[0].Epoch > 0 {
		t.mu.Lock()
		t.begun[partition], t.told[partition] = offset, 0
		t.mu.Unlock()
	}
	return offset, err
}

// Read tells what came before.
func (t *tap) Read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	t.mu.Lock()
	begun := t.begun[partition]
	news := begun > 0 && after >= begun && after > t.told[partition]
	if news {
		t.told[partition] = after
	}
	t.mu.Unlock()
	if news {
		t.say("at %d %d", partition, after)
	}
	return t.Store.Read(ctx, partition, after)
}
