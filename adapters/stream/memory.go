package stream

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a Store in memory, for tests and for a single process that need not
// survive. It remembers the IDs of all batches that it holds. Make one with
// [NewMemory]; it is safe for concurrent use.
type Memory struct {
	mu    sync.Mutex // guards all below
	parts [Partitions]memoryPartition
	nodes map[string]time.Time // until when they are alive
}

type memoryPartition struct {
	records []stored
	last    int64 // offset
	ids     map[string]int64
	more    chan struct{} // closed at the next append; nil if nobody waits

	owner    string
	epoch    int64
	snapshot Snapshot
}

type stored struct {
	offset int64
	id     string
	data   []byte
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{nodes: map[string]time.Time{}} }

// Append implements [Log].
func (m *Memory) Append(ctx context.Context, partition int, batches ...Batch) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	encoded := make([][]byte, len(batches))
	for i, b := range batches {
		var err error
		if encoded[i], err = b.Encode(); err != nil {
			return 0, fmt.Errorf("batch %d: %w", i, err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	offset := p.last
	for i, b := range batches {
		if known := p.ids[b.ID]; known > 0 {
			offset = known
			continue
		}
		p.last++
		offset = p.last
		p.records = append(p.records, stored{offset, b.ID, encoded[i]})
		if b.ID != "" {
			if p.ids == nil {
				p.ids = map[string]int64{}
			}
			p.ids[b.ID] = offset
		}
	}
	if p.more != nil {
		close(p.more)
		p.more = nil
	}
	return offset, nil
}

// Read implements [Log].
func (m *Memory) Read(ctx context.Context, partition int, after int64) ([]Record, error) {
	for {
		found, more, err := m.read(partition, after)
		if len(found) > 0 || err != nil {
			return found, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-more:
		}
	}
}

// read returns what there is, or a channel that is closed when there is more.
func (m *Memory) read(partition int, after int64) ([]Record, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	if after > p.last {
		return nil, nil, fmt.Errorf("%w: partition %d ends at %d, read after %d", ErrOffset, partition, p.last, after)
	}
	first, _ := slices.BinarySearchFunc(p.records, after+1, func(s stored, offset int64) int { return cmp.Compare(s.offset, offset) })
	found := p.records[first:min(first+ReadLimit, len(p.records))]
	if len(found) == 0 {
		if p.more == nil {
			p.more = make(chan struct{})
		}
		return nil, p.more, nil
	}
	records := make([]Record, len(found))
	for i, s := range found {
		records[i] = Decode(s.offset, s.data)
	}
	return records, nil, nil
}

// Trim implements [Log].
func (m *Memory) Trim(_ context.Context, partition int, upTo int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	n := 0
	for n < len(p.records) && p.records[n].offset <= upTo {
		delete(p.ids, p.records[n].id)
		n++
	}
	p.records = slices.Clone(p.records[n:])
	return nil
}

// Save implements [Snapshots].
func (m *Memory) Save(_ context.Context, partition int, epoch int64, s Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	if p.epoch != epoch || epoch == 0 {
		return ErrFenced
	}
	p.snapshot = Snapshot{s.Offset, slices.Clone(s.State)}
	return nil
}

// Load implements [Snapshots].
func (m *Memory) Load(_ context.Context, partition int) (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.parts[partition].snapshot
	return Snapshot{s.Offset, slices.Clone(s.State)}, nil
}

// Join implements [Leases].
func (m *Memory) Join(_ context.Context, node string, ttl time.Duration) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.nodes[node] = now.Add(ttl)
	maps.DeleteFunc(m.nodes, func(_ string, until time.Time) bool { return !until.After(now) })
	return slices.Sorted(maps.Keys(m.nodes)), nil
}

// Leave implements [Leases].
func (m *Memory) Leave(_ context.Context, node string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.nodes, node)
	return nil
}

// Claim implements [Leases].
func (m *Memory) Claim(_ context.Context, partition int, node string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, now := &m.parts[partition], time.Now()
	if !m.nodes[node].After(now) || p.owner != node && m.nodes[p.owner].After(now) {
		return 0, nil
	}
	p.owner = node
	p.epoch++
	return p.epoch, nil
}

// Release implements [Leases].
func (m *Memory) Release(_ context.Context, partition int, node string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := &m.parts[partition]; p.owner == node {
		p.owner = ""
	}
	return nil
}
