package stream

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Partitions is the number of partitions. It never changes, because logs outlive
// programs.
const Partitions = 256

// Partition returns the partition of a tenant, from 0 to Partitions-1:
//
//	h = FNV-1a of the bytes of the tenant, 32 bits
//	partition = (h>>8 xor h) mod 256
//
// Folding is what the authors advise for less than 16 bits, because the lowest bits
// of FNV depend on the lowest bits of the text alone (Fowler, Noll, Vo: draft-eastlake-fnv,
// section 3).
func Partition(tenant string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenant))
	sum := h.Sum32()
	return int((sum>>8 ^ sum) % Partitions)
}

// Batch is what is appended to a partition at once. Producers set ID, At and Events;
// the other fields are for nodes.
type Batch struct {
	// ID names the batch in its partition: one that is appended again under the same
	// ID is dropped, within the time that the store remembers. Empty: it is stored
	// whenever it is appended.
	ID string `json:"-"`
	// At is when the events arrived. They are applied at that instant, or at that
	// of the record before if that is later; so it should not be ahead of other
	// clocks. A batch with At alone moves the time.
	At time.Time `json:"at,omitzero"`
	// Events are applied in order, and state is evaluated once after them all.
	Events []correlation.Event `json:"events,omitempty"`
	// Sent are keys of notifications that were handed over.
	Sent []string `json:"sent,omitempty"`
	// Epoch, if not 0, says that an owner with this epoch begins.
	Epoch int64 `json:"epoch,omitempty"`
}

// Record is a batch in the log. Its ID is empty.
type Record struct {
	// Offset is its place in the partition: from 1, increasing, with gaps.
	Offset int64
	Batch
	// Err says why what is stored there is no batch; Batch is then empty.
	Err error
}

// Log keeps batches by partition, in the order in which they were appended. Its
// methods are safe for concurrent use.
type Log interface {
	// Append stores the batches in order and returns the offset of the last. When
	// it returns without an error they are durable. After an error some may be
	// stored: append all again under the same IDs, and those that were missing come
	// after the others.
	Append(ctx context.Context, partition int, batches ...Batch) (int64, error)
	// Read returns records after an offset, 0 for all, at most ReadLimit of them.
	// It waits until there is one or ctx is over, which is its error. If the log
	// ends before the offset, the error is ErrOffset.
	Read(ctx context.Context, partition int, after int64) ([]Record, error)
	// Trim drops the records up to and including an offset. They may still be
	// returned for a while.
	Trim(ctx context.Context, partition int, upTo int64) error
}

// ReadLimit is the greatest number of records that Log.Read returns at once.
const ReadLimit = 500

// ErrOffset means that a log ends before the offset from which it should be read:
// it is not the log that it was.
var ErrOffset = errors.New("stream: the log ends before the offset")

// Snapshot is the state of a partition after the record at Offset. The zero value
// is that of an empty log.
type Snapshot struct {
	Offset int64
	State  []byte // of correlation.Engine.Snapshot; empty before the first record
}

// Snapshots keeps the latest snapshot of each partition. Its methods are safe for
// concurrent use.
type Snapshots interface {
	// Save replaces the snapshot of a partition. If the epoch is not that of the
	// last claim the error is ErrFenced and nothing changes.
	Save(ctx context.Context, partition int, epoch int64, s Snapshot) error
	// Load returns the latest, the zero value if there is none.
	Load(ctx context.Context, partition int) (Snapshot, error)
}

// ErrFenced means that another node has claimed the partition meanwhile.
var ErrFenced = errors.New("stream: the partition has another owner")

// Leases gives each partition at most one owner among the nodes that are alive, by
// the clock of the store. Its methods are safe for concurrent use.
type Leases interface {
	// Join says that a node is alive for at least ttl from when Join was called,
	// and returns the names of all that are, sorted, this one included.
	Join(ctx context.Context, node string, ttl time.Duration) ([]string, error)
	// Leave says that a node is not alive any more.
	Leave(ctx context.Context, node string) error
	// Claim makes a node that is alive the owner of a partition, unless another one
	// that is alive owns it; then the epoch is 0. Each claim has a higher epoch than
	// the one before.
	Claim(ctx context.Context, partition int, node string) (epoch int64, err error)
	// Release ends the claim of a node. It does nothing if another one owns the
	// partition.
	Release(ctx context.Context, partition int, node string) error
}

// Store is all that nodes share. Parts of different stores may be put together in
// a struct that embeds them, but Leases and Snapshots belong together.
type Store interface {
	Log
	Snapshots
	Leases
}

// Send appends the events of a batch to the partitions of their tenants, one record
// for each partition, under the ID of the batch. After an error send it again under
// the same ID.
func Send(ctx context.Context, log Log, b Batch) error {
	parts := map[int][]correlation.Event{}
	for _, event := range b.Events {
		p := Partition(event.Tenant)
		parts[p] = append(parts[p], event)
	}
	errs := make(chan error, len(parts))
	for p, events := range parts {
		go func() {
			_, err := log.Append(ctx, p, Batch{ID: b.ID, At: b.At, Events: events})
			if err != nil {
				err = fmt.Errorf("append to partition %d: %w", p, err)
			}
			errs <- err
		}()
	}
	var problems []error
	for range parts {
		if err := <-errs; err != nil {
			problems = append(problems, err)
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}
